/* A service's steps on a real loop, with rests that no test waits for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "main/turns.h"

enum { HOUR_MS = 3600 * 1000 };

/* A service that has so many steps of work, and ends the loop when it has none. */
struct worker {
	struct loop *loop;
	struct turns turns;
	int left;
	int steps;
};

static bool step(void *context)
{
	struct worker *worker = context;

	worker->steps++;
	if (worker->left > 0)
		worker->left--;
	if (worker->left == 0)
		loop_stop(worker->loop);
	return worker->left > 0;
}

static void run(struct worker *worker)
{
	struct error err = {0};

	assert_true(loop_run(worker->loop, &err));
}

static int setup(void **state)
{
	static struct worker worker; /* check-source: global: one a test */
	struct error err = {0};

	worker = (struct worker){0};
	assert_true(loop_create(&worker.loop, &err));
	*state = &worker;
	return 0;
}

static int teardown(void **state)
{
	struct worker *worker = *state;

	turns_stop(&worker->turns);
	loop_destroy(&worker->loop);
	return 0;
}

static void start(struct worker *worker, int left, int64_t delay_ms)
{
	const struct turns_work work = {step, worker, 0, HOUR_MS};
	struct error err = {0};

	worker->left = left;
	assert_true(turns_start(&worker->turns, worker->loop, &work, delay_ms, &err));
}

static void what_never_started_is_stopped_and_woken_without_harm(void **state)
{
	struct worker *worker = *state;

	turns_wake(&worker->turns);
	turns_stop(&worker->turns);
	assert_int_equal(worker->steps, 0);
}

static void what_was_stopped_takes_no_step_though_it_is_woken(void **state)
{
	struct worker *worker = *state;

	start(worker, 1, 0);
	turns_stop(&worker->turns);
	turns_wake(&worker->turns);
	assert_false(loop_timer_is_armed(&worker->turns.timer));
	loop_stop(worker->loop);
	run(worker);
	assert_int_equal(worker->steps, 0);
}

static void steps_follow_while_there_is_more_and_then_it_rests(void **state)
{
	struct worker *worker = *state;

	start(worker, 3, 0);
	run(worker);
	assert_int_equal(worker->steps, 3);
	assert_true(loop_timer_is_armed(&worker->turns.timer));
	assert_true(worker->turns.timer.due_ms > loop_now_ms(worker->loop) + HOUR_MS / 2);
}

static void who_rests_or_waits_is_woken_at_once(void **state)
{
	struct worker *worker = *state;

	start(worker, 1, HOUR_MS);
	turns_wake(&worker->turns);
	run(worker);
	assert_int_equal(worker->steps, 1);
	worker->left = 2;
	turns_wake(&worker->turns);
	run(worker);
	assert_int_equal(worker->steps, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_never_started_is_stopped_and_woken_without_harm),
		TEST(what_was_stopped_takes_no_step_though_it_is_woken),
		TEST(steps_follow_while_there_is_more_and_then_it_rests),
		TEST(who_rests_or_waits_is_woken_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
