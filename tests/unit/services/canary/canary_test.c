/* The canary on a road of this file, where a kill may be without effect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/canary/canary.h"

enum { EVERY_S = 600, MS = 1000000, TASKS = 3 };

static const struct canary_plan plan_of_three = {EVERY_S, TASKS};

struct bench {
	struct canary *canary;
	struct canary_opening *opening;
	int64_t now_ns;
	/* The road: what goes wrong, and what was done. */
	bool is_slow;          /* tasks come by come() alone */
	bool gives_none;       /* tasks are refused */
	bool refuses_calls;    /* before any kill */
	bool fails_kills;      /* no record can be made */
	bool is_kill_in_vain;  /* the planted fault: the record is made, and nothing is refused */
	int survivor;          /* the planted fault: this task outlives the kill; 0: none */
	int none_after;        /* no more tasks than that are given; 0: all are */
	int askings_until_due; /* a kill is effective after so many more */
	bool is_killed;
	int unlisted;        /* the planted fault: so many tasks are not in the receipt */
	bool has_no_receipt; /* it is not there yet */
	unsigned opened, kills, told_well, measured, drilled;
	int64_t took_ns, drill_ns;
	const char *told;
};

static void come(struct bench *bench)
{
	struct canary_opening *opening = bench->opening;

	static const char *const tokens[] = {"token-0", "token-1", "token-2"};
	static const char *const tasks[] = {
		"t-abcdefghijklmnopqrs0", "t-abcdefghijklmnopqrs1", "t-abcdefghijklmnopqrs2"};
	bool gives_none = bench->gives_none ||
			  (bench->none_after != 0 && (int)bench->opened >= bench->none_after);
	unsigned number = bench->opened % TASKS;

	assert_true(text_is(opening->parent, number == 0 ? "" : tasks[number - 1]));
	opening->token = gives_none ? TEXT("") : text_of(tokens[number]);
	opening->task = gives_none ? TEXT("") : text_of(tasks[number]);
	opening->why = gives_none ? "the identity is not active" : NULL;
	bench->opened += !gives_none;
	opening->done(opening);
}

static void open_task(void *context, struct canary_opening *opening)
{
	struct bench *bench = context;

	bench->opening = opening;
	bench->is_killed = false;
	if (!bench->is_slow)
		come(bench);
}

static bool ask(void *context, struct text token)
{
	struct bench *bench = context;

	int number = token.data[token.length - 1] - '0';

	assert_true(text_starts_with(token, "token-"));
	if (!bench->is_killed)
		return !bench->refuses_calls;
	if (number == bench->survivor && number != 0)
		return true;
	return bench->is_kill_in_vain || bench->askings_until_due-- > 0;
}

static bool kill_task(void *context, struct text token, struct error *err)
{
	struct bench *bench = context;

	assert_true(text_is(token, "token-0"));
	if (bench->fails_kills)
		return error_set(err, ERROR_IO, "the log is full");
	bench->kills++;
	bench->is_killed = true;
	return true;
}

static int64_t now_ns(void *context)
{
	return ((struct bench *)context)->now_ns;
}

static int64_t now_utc_s(void *context)
{
	(void)context;
	return 1700000000;
}

static void tell(void *context, const char *why)
{
	struct bench *bench = context;

	bench->told = why;
	bench->told_well += why == NULL;
}

static void measure(void *context, int64_t took_ns, uint32_t tasks)
{
	struct bench *bench = context;

	assert_int_equal(tasks, TASKS);
	bench->took_ns = took_ns;
	bench->measured++;
}

static uint64_t listed(void *context, struct text task)
{
	const struct bench *bench = context;

	assert_true(text_is(task, "t-abcdefghijklmnopqrs0"));
	return bench->has_no_receipt ? 0 : (uint64_t)(TASKS - bench->unlisted);
}

static void drilled(void *context, int64_t took_ns, uint32_t tasks)
{
	struct bench *bench = context;

	assert_int_equal(tasks, TASKS);
	bench->drill_ns = took_ns;
	bench->drilled++;
}

static int start(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	const struct canary_road road = {bench, open_task, ask, kill_task, now_ns, now_utc_s, tell,
		measure, listed, drilled};
	struct error err = {0};

	assert_non_null(bench);
	assert_true(canary_create(&bench->canary, NULL, &road, &plan_of_three, &err));
	*state = bench;
	return 0;
}

static int end(void **state)
{
	struct bench *bench = *state;

	canary_destroy(&bench->canary);
	free(bench);
	return 0;
}

static void fails(struct bench *bench, const char *why)
{
	const struct canary_figures figures = canary_figures(bench->canary);

	assert_string_equal(bench->told, why);
	assert_int_equal(figures.runs, 1);
	assert_int_equal(figures.failures, 1);
	assert_true(figures.is_failing);
	assert_int_equal(figures.success_utc_s, 0);
	assert_int_equal(bench->measured, 0);
}

static void a_kill_in_vain_is_shown_once_the_wait_is_over(void **state)
{
	struct bench *bench = *state;

	bench->is_kill_in_vain = true;
	canary_begin(bench->canary);
	bench->now_ns += (int64_t)CANARY_WAIT_MS * MS - 1;
	canary_look(bench->canary);
	assert_int_equal(canary_figures(bench->canary).runs, 0);
	bench->now_ns += 1;
	canary_look(bench->canary);
	fails(bench, "its call was still taken after its task was killed");
}

/* Who would look at the one that is killed alone would not see it. */
static void a_task_below_that_outlives_the_kill_is_shown(void **state)
{
	struct bench *bench = *state;

	bench->survivor = TASKS - 1;
	canary_begin(bench->canary);
	assert_int_equal(bench->opened, TASKS);
	bench->now_ns += (int64_t)CANARY_WAIT_MS * MS;
	canary_look(bench->canary);
	fails(bench, "the call of a task below was still taken after the kill");
}

static void without_all_tasks_nothing_was_tried(void **state)
{
	struct bench *bench = *state;

	bench->none_after = TASKS - 1;
	canary_begin(bench->canary);
	fails(bench, "the identity is not active");
	assert_int_equal(bench->kills, 1);
}

static void a_kill_that_cannot_be_recorded_is_a_failure(void **state)
{
	struct bench *bench = *state;

	bench->fails_kills = true;
	canary_begin(bench->canary);
	fails(bench, "its task could not be killed");
}

/* Else whoever is always refused would look like one whose kill is effective. */
static void a_call_that_is_refused_before_the_kill_proves_nothing(void **state)
{
	struct bench *bench = *state;

	bench->refuses_calls = true;
	canary_begin(bench->canary);
	fails(bench, "its call was refused before the kill");
	assert_int_equal(bench->kills, 1); /* what it opened does not stay */
}

static void without_a_task_nothing_was_tried(void **state)
{
	struct bench *bench = *state;

	bench->gives_none = true;
	canary_begin(bench->canary);
	fails(bench, "the identity is not active");
}

static void a_task_that_comes_too_late_is_killed_and_counts_for_nothing(void **state)
{
	struct bench *bench = *state;

	bench->is_slow = true;
	canary_begin(bench->canary);
	bench->now_ns += (int64_t)CANARY_WAIT_MS * MS;
	canary_look(bench->canary);
	fails(bench, "it got no task in time");
	canary_begin(bench->canary); /* not while the first is on its way */
	come(bench);
	assert_int_equal(bench->kills, 1);
	assert_int_equal(bench->opened, 1);
	assert_int_equal(canary_figures(bench->canary).runs, 1);
}

static void the_time_is_from_the_kill_to_the_refusal(void **state)
{
	struct bench *bench = *state;
	struct canary_figures figures;

	bench->askings_until_due = 2 * TASKS;
	canary_begin(bench->canary);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(canary_figures(bench->canary).runs, 0);
		bench->now_ns += 2 * MS;
		canary_look(bench->canary);
	}
	figures = canary_figures(bench->canary);
	assert_int_equal(figures.runs, 1);
	assert_int_equal(figures.failures, 0);
	assert_int_equal(figures.refused_ns, 6 * MS);
	assert_int_equal(figures.success_utc_s, 1700000000);
	assert_int_equal(bench->told_well, 1);
	assert_int_equal(bench->measured, 1);
	assert_int_equal(bench->took_ns, 6 * MS);
}

static void the_drill_is_over_when_the_receipt_lists_all(void **state)
{
	struct bench *bench = *state;

	bench->has_no_receipt = true;
	canary_begin(bench->canary);
	canary_look(bench->canary);
	assert_int_equal(bench->measured, 1);
	assert_int_equal(canary_figures(bench->canary).runs, 0);
	bench->now_ns += 3 * MS;
	bench->has_no_receipt = false;
	canary_look(bench->canary);
	assert_int_equal(canary_figures(bench->canary).runs, 1);
	assert_int_equal(bench->drilled, 1);
	assert_int_equal(bench->drill_ns, 3 * MS);
	assert_int_equal(bench->took_ns, 0);
}

/* It is no failed run, as the kill was effective: the time says it. */
static void a_receipt_that_lacks_a_task_is_too_late(void **state)
{
	struct bench *bench = *state;

	bench->unlisted = 1;
	canary_begin(bench->canary);
	canary_look(bench->canary);
	bench->now_ns += (int64_t)CANARY_LIST_MS * MS;
	canary_look(bench->canary);
	assert_int_equal(bench->drilled, 0);
	bench->now_ns += 1;
	canary_look(bench->canary);
	assert_int_equal(bench->drilled, 1);
	assert_true(bench->drill_ns > (int64_t)CANARY_LIST_MS * MS);
	assert_int_equal(canary_figures(bench->canary).failures, 0);
}

static void after_a_failure_a_run_that_goes_well_ends_it(void **state)
{
	struct bench *bench = *state;

	bench->fails_kills = true;
	canary_begin(bench->canary);
	bench->fails_kills = false;
	canary_begin(bench->canary);
	canary_look(bench->canary);
	assert_int_equal(canary_figures(bench->canary).runs, 2);
	assert_int_equal(canary_figures(bench->canary).failures, 1);
	assert_false(canary_figures(bench->canary).is_failing);
}

static bool is_planned(struct bench *bench, int64_t every_s, int64_t tasks)
{
	const struct canary_road road = {bench, open_task, ask, kill_task, now_ns, now_utc_s, tell,
		measure, listed, drilled};
	const struct canary_plan plan = {every_s, tasks};
	struct canary *canary;
	struct error err = {0};
	bool is_made = canary_create(&canary, NULL, &road, &plan, &err);

	assert_true(is_made == (canary != NULL));
	canary_destroy(&canary);
	return is_made;
}

static void how_often_and_how_deep_are_bounded(void **state)
{
	assert_false(is_planned(*state, CANARY_EVERY_S_MIN - 1, TASKS));
	assert_true(is_planned(*state, CANARY_EVERY_S_MIN, TASKS));
	assert_true(is_planned(*state, CANARY_EVERY_S_MAX, TASKS));
	assert_false(is_planned(*state, CANARY_EVERY_S_MAX + 1, TASKS));
	assert_false(is_planned(*state, EVERY_S, CANARY_TASKS_MIN - 1));
	assert_true(is_planned(*state, EVERY_S, CANARY_TASKS_MIN));
	assert_true(is_planned(*state, EVERY_S, CANARY_TASKS_MAX));
	assert_false(is_planned(*state, EVERY_S, CANARY_TASKS_MAX + 1));
}

int main(void)
{
#define CANARY_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		CANARY_TEST(a_kill_in_vain_is_shown_once_the_wait_is_over),
		CANARY_TEST(a_task_below_that_outlives_the_kill_is_shown),
		CANARY_TEST(without_all_tasks_nothing_was_tried),
		CANARY_TEST(a_kill_that_cannot_be_recorded_is_a_failure),
		CANARY_TEST(a_call_that_is_refused_before_the_kill_proves_nothing),
		CANARY_TEST(without_a_task_nothing_was_tried),
		CANARY_TEST(a_task_that_comes_too_late_is_killed_and_counts_for_nothing),
		CANARY_TEST(the_time_is_from_the_kill_to_the_refusal),
		CANARY_TEST(the_drill_is_over_when_the_receipt_lists_all),
		CANARY_TEST(a_receipt_that_lacks_a_task_is_too_late),
		CANARY_TEST(after_a_failure_a_run_that_goes_well_ends_it),
		CANARY_TEST(how_often_and_how_deep_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
