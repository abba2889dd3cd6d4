/* A sample's thread and the loop it posts to, over a disk with an empty log. */
#include "main/sample_job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "simulated_disk.h"

enum { GUARD_MS = 20000 };

static const int64_t NOW_UTC_MS = INT64_C(1700000000) * 1000;

struct bench {
	struct loop *loop;
	struct simulated_disk *disk;
	struct seal_key master;
	struct sample_job *job;
	unsigned done;
	struct loop_timer guard;
};

static void on_guard(struct loop_timer *timer)
{
	(void)timer;
	fail_msg("no sample came");
}

static void on_done(void *context, const struct sample_result *result)
{
	struct bench *bench = context;

	assert_false(result->is_stopped);
	bench->done++;
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
	struct sample_parts parts;
	struct error err = {0};

	assert_non_null(bench);
	bench->disk = simulated_disk_create();
	assert_true(loop_create(&bench->loop, &err));
	parts = (struct sample_parts){
		bench->loop, simulated_disk_port(bench->disk), &bench->master, bench, on_done};
	assert_true(sample_job_create(&bench->job, &parts, &err));
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	sample_job_destroy(&bench->job);
	sample_job_destroy(&bench->job);
	loop_destroy(&bench->loop);
	simulated_disk_destroy(&bench->disk);
	free(bench);
	return 0;
}

static void start(struct bench *bench)
{
	struct error err = {0};

	assert_true(sample_job_start(bench->job, NOW_UTC_MS, &err));
}

static void one_is_made_at_a_time_and_told_once(void **state)
{
	struct bench *bench = *state;

	start(bench);
	start(bench);
	run(bench);
	run_posts(bench);
	assert_int_equal(bench->done, 1);
	start(bench);
	run(bench);
	assert_int_equal(bench->done, 2);
}

/* The loop goes on: what the thread posted must not lie in what is freed. */
static void one_that_is_destroyed_while_it_runs_leaves_nothing_in_the_loop(void **state)
{
	struct bench *bench = *state;

	start(bench);
	sample_job_destroy(&bench->job);
	run_posts(bench);
	assert_int_equal(bench->done, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(one_is_made_at_a_time_and_told_once),
		TEST(one_that_is_destroyed_while_it_runs_leaves_nothing_in_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
