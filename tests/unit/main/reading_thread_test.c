#include "main/reading_thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { GUARD_MS = 20000, LINES_BYTES_MAX = 1 << 20 };

#define FLOWS "{\"data\":[{\"id\":\"f\",\"name\":\"F\",\"active\":true,\"nodes\":[]}]}"

struct bench {
	struct loop *loop;
	struct reading_thread *thread;
	struct connector_reader reader;
	struct export_page page;
	struct connector_reading readings[2];
	unsigned done[2];
	struct loop_timer guard;
};

static void on_guard(struct loop_timer *timer)
{
	(void)timer;
	fail_msg("nothing was read");
}

static void on_done(struct connector_reading *reading)
{
	struct bench *bench = reading->context;

	bench->done[reading == &bench->readings[1]]++;
	loop_stop(bench->loop);
}

static void on_stop(struct loop_post *post)
{
	loop_stop(((struct bench *)post->context)->loop);
}

static void run(struct bench *bench)
{
	struct error err = {0};

	bench->guard = (struct loop_timer){.on_due = on_guard};
	assert_true(loop_timer_start(bench->loop, &bench->guard, GUARD_MS));
	assert_true(loop_run(bench->loop, &err));
	loop_timer_stop(bench->loop, &bench->guard);
}

/* What is posted before it has run once this returned. */
static void run_posts(struct bench *bench)
{
	struct loop_post post = {.run = on_stop, .context = bench};

	loop_post(bench->loop, &post);
	run(bench);
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err = {0};

	assert_true(loop_create(&bench->loop, &err));
	assert_true(reading_thread_create(&bench->thread, bench->loop, &err));
	bench->reader = reading_thread_port(bench->thread);
	bench->page = (struct export_page){.name = TEXT("flows"), .content = TEXT(FLOWS)};
	for (size_t i = 0; i < 2; i++) {
		bench->readings[i] = (struct connector_reading){.provider = PROVIDER_N8N,
			.pages = &bench->page,
			.pages_count = 1,
			.done = on_done,
			.context = bench};
		buffer_init(&bench->readings[i].lines, LINES_BYTES_MAX);
	}
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	reading_thread_destroy(&bench->thread);
	reading_thread_destroy(&bench->thread);
	for (size_t i = 0; i < 2; i++)
		buffer_deinit(&bench->readings[i].lines);
	loop_destroy(&bench->loop);
	free(bench);
	return 0;
}

static bool begin(struct bench *bench, int which, struct error *err)
{
	return bench->reader.begin(bench->reader.context, &bench->readings[which], err);
}

static void one_is_read_at_a_time(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	assert_true(begin(bench, 0, &err));
	assert_false(begin(bench, 1, &err));
	assert_int_equal(err.code, ERROR_CONFLICT);
	run(bench);
	assert_int_equal(bench->done[0], 1);
	assert_int_equal(bench->readings[0].err.code, ERROR_NONE);
	assert_true(buffer_text(&bench->readings[0].lines).length > 0);
	assert_true(begin(bench, 1, &err));
	run(bench);
	assert_int_equal(bench->done[1], 1);
	assert_int_equal(bench->done[0], 1);
}

static void what_is_cancelled_is_not_done_and_makes_room_at_once(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	bench->reader.cancel(bench->reader.context, &bench->readings[0]); /* nothing is read */
	assert_true(begin(bench, 0, &err));
	bench->reader.cancel(bench->reader.context, &bench->readings[1]); /* another */
	bench->reader.cancel(bench->reader.context, &bench->readings[0]);
	bench->reader.cancel(bench->reader.context, &bench->readings[0]);
	assert_true(begin(bench, 1, &err));
	run(bench);
	assert_int_equal(bench->done[1], 1);
	run_posts(bench);
	assert_int_equal(bench->done[0], 0);
}

/* The loop goes on: what the thread posted must not lie in what is freed. */
static void one_that_is_destroyed_after_a_cancel_leaves_nothing_in_the_loop(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	assert_true(begin(bench, 0, &err));
	bench->reader.cancel(bench->reader.context, &bench->readings[0]);
	reading_thread_destroy(&bench->thread);
	run_posts(bench);
	assert_int_equal(bench->done[0], 0);
}

static void one_that_is_destroyed_while_it_reads_waits_and_tells_nobody(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	assert_true(begin(bench, 0, &err));
	reading_thread_destroy(&bench->thread);
	run_posts(bench);
	assert_int_equal(bench->done[0], 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(one_is_read_at_a_time),
		TEST(what_is_cancelled_is_not_done_and_makes_room_at_once),
		TEST(one_that_is_destroyed_after_a_cancel_leaves_nothing_in_the_loop),
		TEST(one_that_is_destroyed_while_it_reads_waits_and_tells_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
