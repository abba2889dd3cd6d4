#include "main/reading_thread.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { GUARD_MS = 20000, LINES_BYTES_MAX = 1 << 20 };

#define FLOWS "{\"data\":[{\"id\":\"f\",\"name\":\"F\",\"active\":true,\"nodes\":[]}]}"

/* Closed: a thread reads nothing until it is opened for it. */
static struct {
	bool is_closed;
	sem_t sem;
} gate;

void __real_connector_read_pages(struct connector_reading *reading);
void __wrap_connector_read_pages(struct connector_reading *reading);
void __wrap_connector_read_pages(struct connector_reading *reading)
{
	if (gate.is_closed)
		(void)sem_wait(&gate.sem);
	__real_connector_read_pages(reading);
}

struct bench {
	struct loop *loop;
	struct reading_thread *thread;
	struct connector_reader reader;
	struct export_page page;
	struct connector_reading readings[2];
	unsigned done[2];
	unsigned dropped[2];
	bool is_ending;
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

static void on_drop(struct connector_reading *reading)
{
	struct bench *bench = reading->context;

	bench->dropped[reading == &bench->readings[1]]++;
	if (!bench->is_ending && reading_thread_count(bench->thread) == 0)
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
	assert_int_equal(sem_init(&gate.sem, 0, 0), 0);
	gate.is_closed = false;
	bench->reader = reading_thread_port(bench->thread);
	bench->page = (struct export_page){.name = TEXT("flows"), .content = TEXT(FLOWS)};
	for (size_t i = 0; i < 2; i++) {
		bench->readings[i] = (struct connector_reading){.provider = PROVIDER_N8N,
			.pages = &bench->page,
			.pages_count = 1,
			.done = on_done,
			.drop = on_drop,
			.context = bench};
		buffer_init(&bench->readings[i].lines, LINES_BYTES_MAX);
	}
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	bench->is_ending = true;
	reading_thread_destroy(&bench->thread);
	reading_thread_destroy(&bench->thread);
	(void)sem_destroy(&gate.sem);
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

static void cancel(struct bench *bench, int which)
{
	bench->reader.cancel(bench->reader.context, &bench->readings[which]);
}

static void open_for(unsigned threads)
{
	while (threads-- > 0)
		assert_int_equal(sem_post(&gate.sem), 0);
}

/* READING_THREADS_MAX.  The threads stand still all the while: whoever waits for one stays here
 * for ever. */
static void a_cancel_waits_for_no_thread_and_so_many_read_at_once(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	gate.is_closed = true;
	assert_true(begin(bench, 0, &err));
	cancel(bench, 0);
	assert_int_equal(reading_thread_count(bench->thread), READING_THREADS_MAX - 1);
	assert_true(begin(bench, 1, &err));
	assert_int_equal(reading_thread_count(bench->thread), READING_THREADS_MAX);
	cancel(bench, 1);
	assert_false(begin(bench, 1, &err));
	assert_int_equal(err.code, ERROR_CONFLICT);
	assert_int_equal(bench->dropped[0] + bench->dropped[1], 0); /* somebody reads in them */
	open_for(READING_THREADS_MAX);
	run(bench);
	assert_int_equal(bench->dropped[0], 1);
	assert_int_equal(bench->dropped[1], 1);
	assert_int_equal(bench->done[0] + bench->done[1], 0);
	gate.is_closed = false;
	assert_true(begin(bench, 1, &err));
	run(bench);
	assert_int_equal(bench->done[1], 1);
}

/* Its thread has posted: what is posted finds a reading that nobody waits for. */
static void one_that_is_cancelled_once_it_is_read_is_dropped_all_the_same(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	gate.is_closed = true;
	assert_true(begin(bench, 0, &err));
	open_for(1);
	cancel(bench, 0);
	run(bench);
	assert_int_equal(bench->dropped[0], 1);
	assert_int_equal(bench->done[0], 0);
}

static void those_that_are_cancelled_are_dropped_when_all_ends(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	gate.is_closed = true;
	assert_true(begin(bench, 0, &err));
	cancel(bench, 0);
	assert_true(begin(bench, 1, &err));
	open_for(READING_THREADS_MAX);
	bench->is_ending = true;
	reading_thread_destroy(&bench->thread);
	assert_int_equal(bench->dropped[0], 1);
	assert_int_equal(bench->dropped[1], 0); /* its owner's still */
	assert_int_equal(bench->done[1], 0);
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
	bench->is_ending = true;
	reading_thread_destroy(&bench->thread);
	run_posts(bench);
	assert_int_equal(bench->done[0], 0);
}

static void one_that_is_destroyed_while_it_reads_waits_and_tells_nobody(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	assert_true(begin(bench, 0, &err));
	bench->is_ending = true;
	reading_thread_destroy(&bench->thread);
	run_posts(bench);
	assert_int_equal(bench->done[0], 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(one_is_read_at_a_time),
		TEST(a_cancel_waits_for_no_thread_and_so_many_read_at_once),
		TEST(one_that_is_cancelled_once_it_is_read_is_dropped_all_the_same),
		TEST(those_that_are_cancelled_are_dropped_when_all_ends),
		TEST(what_is_cancelled_is_not_done_and_makes_room_at_once),
		TEST(one_that_is_destroyed_after_a_cancel_leaves_nothing_in_the_loop),
		TEST(one_that_is_destroyed_while_it_reads_waits_and_tells_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
