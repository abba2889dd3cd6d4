/* All tasks of somebody end: of an identity, of a person; and tasks that live as long as their
 * sessions of MCP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/issue/issue_private.h"
#include "support/issuing.h"

enum { MANY = ISSUE_ENDINGS_MAX + 40 };

static int start(void **state)
{
	struct issuing *issuing = calloc(1, sizeof *issuing);

	assert_non_null(issuing);
	issuing_init(issuing);
	*state = issuing;
	return 0;
}

static int end(void **state)
{
	struct issuing *issuing = *state;

	issuing_deinit(issuing);
	free(issuing);
	return 0;
}

struct swept {
	struct issue_sweep sweep;
	unsigned answers;
};

static void on_swept(struct issue_sweep *sweep)
{
	((struct swept *)sweep->context)->answers++;
}

static void begin(
	struct issuing *issuing, struct swept *swept, enum issue_whose whose, const char *name)
{
	*swept = (struct swept){0};
	swept->sweep = (struct issue_sweep){.whose = whose,
		.name = text_of(name),
		.reason = TEXT("session-revoked"),
		.done = on_swept,
		.context = swept};
	issue_sweep(issuing->issue, &swept->sweep);
}

static void finish(struct issuing *issuing)
{
	while (issue_sweeps_run(issuing->issue)) {
	}
}

static void sweep(
	struct issuing *issuing, struct swept *swept, enum issue_whose whose, const char *name)
{
	begin(issuing, swept, whose, name);
	finish(issuing);
	assert_int_equal(swept->answers, 1);
}

static enum task_state state_of(const struct issuing *issuing, struct text task)
{
	return task_find(issuing->tasks, task)->recorded_state;
}

/* ---- whose tasks ---- */

static void nobodys_tasks_are_none(void **state)
{
	struct issuing *issuing = *state;
	struct swept swept;

	assert_true(issuing_open_good(issuing));
	sweep(issuing, &swept, ISSUE_WHOSE_IDENTITY, "a2");
	assert_true(swept.sweep.is_done);
	assert_int_equal(swept.sweep.tasks, 0);
	sweep(issuing, &swept, ISSUE_WHOSE_PERSON, "a1");
	sweep(issuing, &swept, ISSUE_WHOSE_WORKLOAD, "a1");
	sweep(issuing, &swept, ISSUE_WHOSE_NONE, "a1");
	assert_int_equal(swept.sweep.tasks, 0);
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
}

/* Opened by its own key, it is nobody's word's. */
static void an_empty_name_is_nobodys(void **state)
{
	struct issuing *issuing = *state;
	struct swept swept;

	assert_true(issuing_open_good(issuing));
	sweep(issuing, &swept, ISSUE_WHOSE_WORKLOAD, "");
	assert_int_equal(swept.sweep.tasks, 0);
	sweep(issuing, &swept, ISSUE_WHOSE_PERSON, "");
	assert_int_equal(swept.sweep.tasks, 0);
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
}

static void an_identitys_tasks_end_and_those_below_with_them(void **state)
{
	struct issuing *issuing = *state;
	struct swept swept;
	struct text above, below;
	size_t records;

	assert_true(issuing_open_good(issuing));
	above = issuing->task;
	issuing->parent = above;
	assert_true(issuing_open_good(issuing));
	below = issuing->token;
	records = issuing->governed.log.count;
	sweep(issuing, &swept, ISSUE_WHOSE_IDENTITY, "a1");
	assert_true(swept.sweep.is_done);
	assert_int_equal(swept.sweep.tasks, 1);
	assert_int_equal(issuing->governed.log.count, records + 1);
	assert_int_equal(state_of(issuing, above), TASK_ENDED);
	assert_int_equal(issuing_ask(issuing, below), TOKEN_TASK_NOT_LIVE);
	sweep(issuing, &swept, ISSUE_WHOSE_IDENTITY, "a1");
	assert_int_equal(swept.sweep.tasks, 0);
	issuing->parent = TEXT("");
	assert_true(issuing_open_good(issuing));
}

/* As a record of a task for a person has it. */
static void open_for(struct issuing *issuing, const char *id, const char *person)
{
	const struct task_opening opening = {.id = text_of(id),
		.identity = TEXT("a1"),
		.person = text_of(person),
		.environment = ENVIRONMENT_STAGING,
		.charter_version = 1,
		.at_utc_ms = issuing_now_s(issuing) * 1000,
		.deadline_utc_ms = issuing_now_s(issuing) * 1000 + 60000};
	struct json record;
	struct error err = {0};

	assert_true(task_opened_record(&record, issuing->governed.arena, issuing->tasks, &opening,
		TEXT("identity:a1"), &err));
	assert_true(task_table_fold(issuing->tasks, &record, 1, &err));
}

static void a_persons_tasks_are_those_opened_for_them(void **state)
{
	struct issuing *issuing = *state;
	struct swept swept;

	open_for(issuing, "t-1", "ana");
	open_for(issuing, "t-2", "bo");
	open_for(issuing, "t-3", "");
	sweep(issuing, &swept, ISSUE_WHOSE_PERSON, "ana");
	assert_int_equal(swept.sweep.tasks, 1);
	assert_int_equal(state_of(issuing, TEXT("t-1")), TASK_ENDED);
	assert_int_equal(state_of(issuing, TEXT("t-2")), TASK_OPEN);
	assert_int_equal(state_of(issuing, TEXT("t-3")), TASK_OPEN);
}

/* ---- durable, and bounded ---- */

static void nothing_is_said_before_it_is_durable(void **state)
{
	struct issuing *issuing = *state;
	struct swept swept;

	assert_true(issuing_open_good(issuing));
	issuing->governed.log.is_held = true;
	begin(issuing, &swept, ISSUE_WHOSE_IDENTITY, "a1");
	finish(issuing);
	assert_int_equal(swept.answers, 0);
	fake_log_flush(&issuing->governed.log);
	assert_int_equal(swept.answers, 1);
	assert_true(swept.sweep.is_done);
}

static void what_is_not_durable_did_not_end(void **state)
{
	struct issuing *issuing = *state;
	struct swept swept;

	assert_true(issuing_open_good(issuing));
	issuing->governed.log.refuses = true;
	sweep(issuing, &swept, ISSUE_WHOSE_IDENTITY, "a1");
	assert_false(swept.sweep.is_done);
	issuing->governed.log.refuses = false;
	issuing->governed.log.loses = true;
	sweep(issuing, &swept, ISSUE_WHOSE_IDENTITY, "a1");
	assert_false(swept.sweep.is_done);
	assert_int_not_equal(swept.sweep.err.code, ERROR_NONE);
}

static void more_tasks_than_may_end_at_once_all_end(void **state)
{
	struct issuing *issuing = *state;
	struct swept swept;
	char id[16];

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(id, sizeof id, "t-%d", i);
		open_for(issuing, id, "ana");
	}
	issuing->governed.log.is_held = true;
	begin(issuing, &swept, ISSUE_WHOSE_PERSON, "ana");
	for (int i = 0; i < 10 && swept.answers == 0; i++) {
		finish(issuing);
		assert_true(issuing->issue->endings_count <= ISSUE_ENDINGS_MAX);
		fake_log_flush(&issuing->governed.log);
	}
	assert_int_equal(swept.answers, 1);
	assert_true(swept.sweep.is_done);
	assert_int_equal(swept.sweep.tasks, MANY);
}

static void as_many_sweeps_as_the_bound_and_none_more(void **state)
{
	struct issuing *issuing = *state;
	static struct swept swept[ISSUE_SWEEPS_MAX + 1];

	assert_true(issuing_open_good(issuing));
	for (int i = 0; i <= ISSUE_SWEEPS_MAX; i++)
		begin(issuing, &swept[i], ISSUE_WHOSE_IDENTITY, "a1");
	assert_int_equal(swept[ISSUE_SWEEPS_MAX - 1].answers, 0);
	assert_int_equal(swept[ISSUE_SWEEPS_MAX].answers, 1);
	assert_false(swept[ISSUE_SWEEPS_MAX].sweep.is_done);
	assert_int_equal(swept[ISSUE_SWEEPS_MAX].sweep.err.code, ERROR_LIMIT);
	finish(issuing);
	for (int i = 0; i < ISSUE_SWEEPS_MAX; i++)
		assert_true(swept[i].sweep.is_done);
}

/* Its record is in the log's queue when the end comes: it gets no token and ends. */
static void what_is_on_its_way_to_the_log_ends_too(void **state)
{
	struct issuing *issuing = *state;
	struct swept swept;
	const struct task *task = NULL;

	issuing->governed.log.is_held = true;
	assert_false(issuing_open_good(issuing));
	assert_false(issuing->is_answered);
	begin(issuing, &swept, ISSUE_WHOSE_IDENTITY, "a1");
	finish(issuing);
	fake_log_flush(&issuing->governed.log);
	fake_log_flush(&issuing->governed.log);
	assert_true(issuing->is_answered);
	assert_int_equal(issuing->refusal, ISSUE_NOT_ACTIVE);
	task = task_next(issuing->tasks, NULL);
	assert_non_null(task);
	assert_int_equal(task->recorded_state, TASK_ENDED);
}

/* ---- sessions of MCP ---- */

static void ignore(struct issue_session *session)
{
	(void)session;
}

static void a_task_of_mcp_ends_with_its_last_session(void **state)
{
	struct issuing *issuing = *state;
	struct issue_session first = {.on_over = ignore, .on_keep = ignore};
	struct issue_session second = first;

	issuing->session = TEXT("mcp");
	assert_true(issuing_open_good(issuing));
	assert_int_equal(issue_session_hold(issuing->issue, issuing->task, &first), TOKEN_ACCEPTED);
	assert_int_equal(
		issue_session_hold(issuing->issue, issuing->task, &second), TOKEN_ACCEPTED);
	issuing_pass(issuing, TASK_SESSION_ATTACH_MS / 1000 + 1);
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
	issue_session_end(&first);
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
	issue_session_end(&second);
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_TASK_NOT_LIVE);
	assert_int_equal(state_of(issuing, issuing->task), TASK_ENDED);
	issue_session_end(&second); /* of none: nothing */
}

struct heard {
	int times;
	enum error_code code;
};

static void on_left(void *context, uint64_t index, const struct error *err)
{
	struct heard *heard = context;

	(void)index;
	heard->times++;
	heard->code = err == NULL ? ERROR_NONE : err->code;
}

static void who_leaves_the_last_session_hears_when_its_end_is_on_record(void **state)
{
	struct issuing *issuing = *state;
	struct fake_log *log = &issuing->governed.log;
	struct issue_session first = {.on_over = ignore, .on_keep = ignore};
	struct issue_session second = first;
	struct heard heard = {0};
	const struct issue_end_waiter waiter = {&heard, on_left};
	struct error err;

	issuing->session = TEXT("mcp");
	assert_true(issuing_open_good(issuing));
	assert_int_equal(issue_session_hold(issuing->issue, issuing->task, &first), TOKEN_ACCEPTED);
	assert_int_equal(
		issue_session_hold(issuing->issue, issuing->task, &second), TOKEN_ACCEPTED);
	log->is_held = true;
	assert_true(issue_session_leave(&first, waiter, &err));
	assert_int_equal(heard.times, 1); /* the other goes on */
	assert_true(issue_session_leave(&second, waiter, &err));
	assert_int_equal(heard.times, 1);
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_TASK_NOT_LIVE);
	fake_log_flush(log);
	assert_int_equal(heard.times, 2);
	assert_int_equal(heard.code, ERROR_NONE);
	assert_int_equal(state_of(issuing, issuing->task), TASK_ENDED);
}

static void the_end_of_a_session_that_is_not_on_record_is_tried_again(void **state)
{
	struct issuing *issuing = *state;
	struct fake_log *log = &issuing->governed.log;
	struct issue_session session = {.on_over = ignore, .on_keep = ignore};
	struct heard heard = {0};
	struct error err;

	issuing->session = TEXT("mcp");
	assert_true(issuing_open_good(issuing));
	assert_int_equal(
		issue_session_hold(issuing->issue, issuing->task, &session), TOKEN_ACCEPTED);
	log->loses = true;
	assert_true(
		issue_session_leave(&session, (struct issue_end_waiter){&heard, on_left}, &err));
	assert_int_equal(heard.times, 1);
	assert_int_not_equal(heard.code, ERROR_NONE);
	log->loses = false;
	assert_int_equal(state_of(issuing, issuing->task), TASK_OPEN);
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_TASK_NOT_LIVE);
	(void)issue_expire(issuing->issue);
	assert_int_equal(state_of(issuing, issuing->task), TASK_ENDED);
}

static void each_form_of_session_is_held_by_its_own_kind(void **state)
{
	struct issuing *issuing = *state;
	struct issue_session session = {.on_over = ignore, .on_keep = ignore};
	struct issue_presented presented = {0};

	assert_true(issuing_open_good(issuing));
	assert_int_equal(
		issue_session_hold(issuing->issue, issuing->task, &session), TOKEN_NOT_CHECKED);
	assert_int_equal(
		issue_session_hold(issuing->issue, TEXT("t-none"), &session), TOKEN_NOT_CHECKED);
	issuing->session = TEXT("connection");
	assert_true(issuing_open_good(issuing));
	assert_int_equal(
		issue_session_hold(issuing->issue, issuing->task, &session), TOKEN_NOT_CHECKED);
	issue_session_end(&session);
	issuing->session = TEXT("mcp");
	assert_true(issuing_open_good(issuing));
	presented.token = issuing->token;
	presented.authorization =
		text_format(issuing->governed.arena, "Bearer %.*s", TEXT_ARGS(issuing->token));
	assert_int_equal(
		issue_session_begin(issuing->issue, &presented, &session), TOKEN_TASK_NOT_LIVE);
	issuing_pass(issuing, TASK_SESSION_ATTACH_MS / 1000);
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_TASK_NOT_LIVE);
}

/* ---- the holder's kill ---- */

static void a_kill_by_its_holder_is_a_record_and_refuses_the_task(void **state)
{
	struct issuing *issuing = *state;
	struct error err = {0};

	assert_false(issue_kill_task(issuing->issue, TEXT("no.token.here"), TEXT("over"), &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_true(issuing_open_good(issuing));
	assert_true(issue_kill_task(issuing->issue, issuing->token, TEXT("over"), &err));
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_TASK_NOT_LIVE);
	assert_int_equal(state_of(issuing, issuing->task), TASK_REVOKED);
}

int main(void)
{
#define SWEEP_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		SWEEP_TEST(nobodys_tasks_are_none),
		SWEEP_TEST(an_empty_name_is_nobodys),
		SWEEP_TEST(an_identitys_tasks_end_and_those_below_with_them),
		SWEEP_TEST(a_persons_tasks_are_those_opened_for_them),
		SWEEP_TEST(nothing_is_said_before_it_is_durable),
		SWEEP_TEST(what_is_not_durable_did_not_end),
		SWEEP_TEST(more_tasks_than_may_end_at_once_all_end),
		SWEEP_TEST(as_many_sweeps_as_the_bound_and_none_more),
		SWEEP_TEST(what_is_on_its_way_to_the_log_ends_too),
		SWEEP_TEST(a_task_of_mcp_ends_with_its_last_session),
		SWEEP_TEST(who_leaves_the_last_session_hears_when_its_end_is_on_record),
		SWEEP_TEST(the_end_of_a_session_that_is_not_on_record_is_tried_again),
		SWEEP_TEST(each_form_of_session_is_held_by_its_own_kind),
		SWEEP_TEST(a_kill_by_its_holder_is_a_record_and_refuses_the_task),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
