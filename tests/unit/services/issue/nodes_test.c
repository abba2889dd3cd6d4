#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/issuing.h"

/* The tree as tokens feel it: units, instances, single tokens, idle times, sessions and the
 * charter's limits on tasks. */

static int setup(void **state)
{
	static struct issuing issuing;

	issuing_init(&issuing);
	*state = &issuing;
	return 0;
}

static int teardown(void **state)
{
	issuing_deinit(*state);
	return 0;
}

static struct text open_run(struct issuing *issuing, const char *instance)
{
	issuing->instance = text_of(instance);
	assert_true(issuing_open_good(issuing));
	return issuing->token;
}

static void refuses(struct issuing *issuing, enum issue_refusal refusal, const char *word)
{
	assert_false(issuing_open_good(issuing));
	assert_int_equal(issuing->refusal, refusal);
	if (word != NULL)
		assert_non_null(strstr(issuing->detail, word));
}

/* ---- instances ---- */

static void an_instance_that_is_no_plain_name_opens_nothing(void **state)
{
	static const char *const names[] = {"a b", "a/b", "a\n", "\xc3\xa4", "a%2f"};
	struct issuing *issuing = *state;
	char name[TASK_INSTANCE_BYTES_MAX + 2];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		issuing->instance = text_of(names[i]);
		refuses(issuing, ISSUE_INSTANCE, NULL);
	}
	memset(name, 'x', sizeof name);
	issuing->instance = (struct text){name, TASK_INSTANCE_BYTES_MAX + 1};
	refuses(issuing, ISSUE_INSTANCE, NULL);
	issuing->instance.length = TASK_INSTANCE_BYTES_MAX;
	assert_true(issuing_open_good(issuing));
}

static void one_instance_of_many_locked_the_others_continue(void **state)
{
	struct issuing *issuing = *state;
	struct text first = open_run(issuing, "pod-1");
	struct text second = open_run(issuing, "pod-2");
	struct text none = open_run(issuing, "");

	issuing_kill_node(issuing, (struct task_kill){.target = TASK_TARGET_INSTANCE,
					   .identity = TEXT("a1"),
					   .instance = TEXT("pod-1")});
	assert_int_equal(issuing_ask(issuing, first), TOKEN_TASK_NOT_LIVE);
	assert_int_equal(issuing_ask(issuing, second), TOKEN_ACCEPTED);
	assert_int_equal(issuing_ask(issuing, none), TOKEN_ACCEPTED);
	issuing->instance = TEXT("pod-1");
	refuses(issuing, ISSUE_INSTANCE_KILLED, NULL);
	assert_int_equal(issuing_ask(issuing, open_run(issuing, "pod-3")), TOKEN_ACCEPTED);
	assert_int_equal(registry_find_identity(issuing->governed.registry, TEXT("a1"))->state,
		IDENTITY_ACTIVE);
}

/* ---- every node, and a restart ---- */

static void kill_unit(struct issuing *issuing)
{
	issuing_kill_node(
		issuing, (struct task_kill){.target = TASK_TARGET_UNIT, .unit = TEXT("support")});
}

static void a_killed_unit_s_identities_wait_for_two_people(void **state)
{
	struct issuing *issuing = *state;
	struct governed *governed = &issuing->governed;
	const struct registry_entry *entry = registry_find_identity(governed->registry, TEXT("a1"));
	struct text token = open_run(issuing, "");

	kill_unit(issuing);
	assert_int_equal(entry->state, IDENTITY_SUSPENDED);
	assert_true(entry->needs_two);
	assert_int_equal(issuing_ask(issuing, token), TOKEN_TASK_NOT_LIVE);
	refuses(issuing, ISSUE_NOT_ACTIVE, "suspended");
	assert_true(governed_step(governed, "ana", REGISTRAR_REACTIVATE, "a1"));
	assert_int_equal(entry->state, IDENTITY_SUSPENDED);
	assert_true(governed_step(governed, "bo", REGISTRAR_REACTIVATE, "a1"));
	assert_int_equal(entry->state, IDENTITY_ACTIVE);
	/* What was opened before stays dead. */
	assert_int_equal(issuing_ask(issuing, token), TOKEN_TASK_NOT_LIVE);
	assert_int_equal(issuing_ask(issuing, open_run(issuing, "")), TOKEN_ACCEPTED);
}

/* cmcp #665: a kill that a restart forgets is none. */
static void kill_then_restart_of_every_node_still_killed(void **state)
{
	struct issuing *issuing = *state;
	struct issuing *second = calloc(1, sizeof *second);
	struct text by_unit, by_instance, by_task, by_token, alive;
	struct error err;

	assert_non_null(second);
	by_unit = open_run(issuing, "old");
	kill_unit(issuing);
	assert_true(governed_step(&issuing->governed, "ana", REGISTRAR_REACTIVATE, "a1"));
	assert_true(governed_step(&issuing->governed, "bo", REGISTRAR_REACTIVATE, "a1"));
	by_task = open_run(issuing, "");
	issuing_kill(issuing, NULL, issuing->task);
	by_token = open_run(issuing, "");
	assert_true(
		issue_revoke_token(issuing->issue, by_token, (struct issue_end_waiter){0}, &err));
	by_instance = open_run(issuing, "pod-1");
	issuing_kill_node(issuing, (struct task_kill){.target = TASK_TARGET_INSTANCE,
					   .identity = TEXT("a1"),
					   .instance = TEXT("pod-1")});
	alive = open_run(issuing, "pod-2");
	issuing_live_again(issuing, second);
	assert_int_equal(issuing_ask(second, by_unit), TOKEN_TASK_NOT_LIVE);
	assert_int_equal(issuing_ask(second, by_task), TOKEN_TASK_NOT_LIVE);
	assert_int_equal(issuing_ask(second, by_token), TOKEN_TASK_NOT_LIVE);
	assert_int_equal(issuing_ask(second, by_instance), TOKEN_TASK_NOT_LIVE);
	assert_int_equal(issuing_ask(second, alive), TOKEN_ACCEPTED);
	kill_unit(issuing);
	second->token_key = NULL;
	issuing_deinit(second);
	issuing_live_again(issuing, second);
	assert_int_equal(issuing_ask(second, alive), TOKEN_TASK_NOT_LIVE);
	assert_true(registry_find_identity(second->governed.registry, TEXT("a1"))->needs_two);
	second->token_key = NULL;
	issuing_deinit(second);
	free(second);
}

/* ---- single tokens ---- */

static void a_token_that_is_revoked_alone_leaves_its_task(void **state)
{
	struct issuing *issuing = *state;
	struct text token = open_run(issuing, "");
	struct error err;

	assert_true(issue_revoke_token(issuing->issue, token, (struct issue_end_waiter){0}, &err));
	assert_int_equal(issuing_ask(issuing, token), TOKEN_TASK_NOT_LIVE);
	assert_int_equal(task_find(issuing->tasks, issuing->task)->recorded_state, TASK_OPEN);
	assert_false(issue_revoke_token(issuing->issue, token, (struct issue_end_waiter){0}, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_false(issue_revoke_token(
		issuing->issue, TEXT("no.token.at-all"), (struct issue_end_waiter){0}, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
}

/* ---- limits ---- */

static void tasks_nest_as_deep_as_the_charter_says_and_no_deeper(void **state)
{
	struct issuing *issuing = *state;

	issuing_limit(issuing, "{depth: 2}");
	assert_true(issuing_open_good(issuing));
	issuing->parent = issuing->task;
	assert_true(issuing_open_good(issuing));
	issuing->parent = issuing->task;
	refuses(issuing, ISSUE_LIMIT, "limits.depth is 2");
}

static void as_many_tasks_hang_below_one_as_the_charter_says(void **state)
{
	struct issuing *issuing = *state;
	struct text last;

	issuing_limit(issuing, "{fan-out: 2}");
	assert_true(issuing_open_good(issuing));
	issuing->parent = issuing->task;
	assert_true(issuing_open_good(issuing));
	assert_true(issuing_open_good(issuing));
	last = issuing->task;
	refuses(issuing, ISSUE_LIMIT, "limits.fan-out is 2");
	/* One that is over makes room. */
	issuing_kill(issuing, NULL, last);
	assert_true(issuing_open_good(issuing));
	refuses(issuing, ISSUE_LIMIT, "limits.fan-out is 2");
}

static void as_many_tasks_are_open_at_once_as_the_charter_says(void **state)
{
	struct issuing *issuing = *state;

	issuing_limit(issuing, "{open-tasks: 2, task: 60s}");
	assert_true(issuing_open_good(issuing));
	assert_true(issuing_open_good(issuing));
	refuses(issuing, ISSUE_LIMIT, "limits.open-tasks is 2");
	issuing_pass(issuing, 60);
	assert_true(issuing_open_good(issuing));
}

/* Openings whose record is not there yet count, or many at once would pass together. */
static void what_is_on_its_way_counts(void **state)
{
	struct issuing *issuing = *state;

	issuing_limit(issuing, "{open-tasks: 1}");
	issuing->governed.log.is_held = true;
	assert_false(issuing_open_good(issuing));
	assert_false(issuing->is_answered);
	refuses(issuing, ISSUE_LIMIT, "limits.open-tasks is 1");
	fake_log_flush(&issuing->governed.log);
}

/* ---- sessions ---- */

static void a_task_that_nobody_uses_ends_when_it_was_idle(void **state)
{
	struct issuing *issuing = *state;
	struct text token;

	issuing_limit(issuing, "{task: 60s, idle: 10s}");
	token = open_run(issuing, "");
	issuing_pass(issuing, 9);
	assert_int_equal(issuing_ask(issuing, token), TOKEN_ACCEPTED);
	issuing_pass(issuing, 9);
	assert_int_equal(issuing_ask(issuing, token), TOKEN_ACCEPTED);
	issuing_pass(issuing, 10);
	assert_int_equal(issuing_ask(issuing, token), TOKEN_TASK_NOT_LIVE);
	assert_true(issue_expire(issuing->issue));
	assert_int_equal(task_find(issuing->tasks, issuing->task)->recorded_state, TASK_EXPIRED);
}

static void only_a_connection_is_a_session(void **state)
{
	struct issuing *issuing = *state;

	issuing->session = TEXT("cookie");
	refuses(issuing, ISSUE_SESSION, NULL);
	issuing->session = TEXT("connection");
	assert_true(issuing_open_good(issuing));
	assert_int_equal(
		task_session(task_find(issuing->tasks, issuing->task)), TASK_SESSION_CONNECTION);
}

static void a_session_without_its_connection_ends(void **state)
{
	struct issuing *issuing = *state;
	struct text token;

	issuing->session = TEXT("connection");
	token = open_run(issuing, "");
	issuing_pass(issuing, TASK_SESSION_ATTACH_MS / 1000 - 1);
	assert_int_equal(issuing_ask(issuing, token), TOKEN_ACCEPTED);
	issuing_pass(issuing, 1);
	assert_int_equal(issuing_ask(issuing, token), TOKEN_TASK_NOT_LIVE);
	assert_true(issue_expire(issuing->issue));
	assert_int_equal(task_find(issuing->tasks, issuing->task)->recorded_state, TASK_ENDED);
}

/* ---- receipts ---- */

/* The last record of the log, where it is of the type. */
static struct json last_record(struct issuing *issuing, const char *type)
{
	const struct fake_log *log = &issuing->governed.log;
	struct json record;
	struct error err;

	assert_true(json_parse(&record, issuing->governed.arena, log->entries[log->count - 1].entry,
		&json_limits_default, &err));
	assert_true(text_is(json_text_or(&record, "type", ""), type));
	return record;
}

static void finish_receipts(struct issuing *issuing)
{
	while (issue_receipts_run(issuing->issue)) {
	}
}

static void a_kill_s_receipt_counts_and_lists_what_it_ended(void **state)
{
	struct issuing *issuing = *state;
	struct json receipt, one;
	uint64_t kill, index;
	struct error err;

	assert_true(issuing_open_good(issuing));
	issuing->parent = issuing->task;
	assert_true(issuing_open_good(issuing));
	kill = issuing->governed.log.count;
	issuing_kill(issuing, NULL, issuing->parent);
	assert_false(issue_receipt_of(issuing->issue, kill, &index, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_int_equal(issue_receipt_lists(issuing->issue, issuing->parent), 0);
	finish_receipts(issuing);
	receipt = last_record(issuing, "kill-receipt");
	assert_int_equal(json_integer_or(&receipt, "kill", -1), kill);
	assert_int_equal(json_integer_or(&receipt, "refused-from", -1), kill);
	assert_int_equal(json_integer_or(&receipt, "ended", -1), 2);
	assert_int_equal(json_integer_or(&receipt, "listed", -1), 2);
	assert_true(text_equal(json_text_or(&receipt, "task", ""), issuing->parent));
	one = json_find(&receipt, "tasks")->items[1];
	assert_true(text_equal(json_text_or(&one, "task", ""), issuing->task));
	assert_null(json_find(&one, "last-call"));
	assert_true(issue_receipt_of(issuing->issue, kill, &index, &err));
	assert_int_equal(index, issuing->governed.log.count - 1);
	assert_int_equal(issue_receipt_lists(issuing->issue, issuing->parent), 2);
	assert_int_equal(issue_receipt_lists(issuing->issue, issuing->task), 0); /* not killed */
	assert_int_equal(issue_receipt_lists(issuing->issue, TEXT("")), 0);
}

static void a_receipt_says_the_last_call_that_was_let_through(void **state)
{
	struct issuing *issuing = *state;
	struct json decision, receipt;
	struct error err;

	assert_true(issuing_open_good(issuing));
	assert_true(json_parse(&decision, issuing->governed.arena,
		text_format(issuing->governed.arena,
			"{\"type\":\"decision\",\"task\":\"%.*s\",\"verdict\":\"allow\"}",
			TEXT_ARGS(issuing->task)),
		&json_limits_default, &err));
	assert_true(task_table_fold(issuing->tasks, &decision, 7, &err));
	issuing_kill(issuing, "a1", TEXT(""));
	finish_receipts(issuing);
	receipt = last_record(issuing, "kill-receipt");
	assert_int_equal(json_integer_or(&receipt, "last-call", -1), 7);
	assert_int_equal(
		json_integer_or(&json_find(&receipt, "tasks")->items[0], "last-call", -1), 7);
}

static void more_than_RECEIPT_PAGE_TASKS_take_another_page(void **state)
{
	struct issuing *issuing = *state;
	struct json receipt;

	for (int i = 0; i < 251; i++)
		assert_true(issuing_open_good(issuing));
	issuing_kill(issuing, "a1", TEXT(""));
	finish_receipts(issuing);
	receipt = last_record(issuing, "kill-receipt");
	assert_int_equal(json_integer_or(&receipt, "page", -1), 2);
	assert_int_equal(json_integer_or(&receipt, "ended", -1), 251);
	assert_int_equal(json_find(&receipt, "tasks")->count, 1);
}

static size_t count_receipts(const struct issuing *issuing)
{
	const struct fake_log *log = &issuing->governed.log;
	static const char type[] = "\"type\":\"kill-receipt\"";
	size_t count = 0;

	for (size_t i = 0; i < log->count; i++)
		count += memmem(log->entries[i].entry.data, log->entries[i].entry.length, type,
				 sizeof type - 1) != NULL;
	return count;
}

/* A kill of 251 tasks, whose first page is on its way to the log. */
static uint64_t kill_two_pages(struct issuing *issuing)
{
	uint64_t kill;

	for (int i = 0; i < 251; i++)
		assert_true(issuing_open_good(issuing));
	kill = issuing->governed.log.count;
	issuing_kill(issuing, "a1", TEXT(""));
	issuing->governed.log.is_held = true;
	finish_receipts(issuing);
	return kill;
}

static void the_last_page_is_written_once_the_others_are_there(void **state)
{
	struct issuing *issuing = *state;
	struct fake_log *log = &issuing->governed.log;
	uint64_t index, kill = kill_two_pages(issuing);
	struct error err;

	assert_int_equal(count_receipts(issuing), 0);
	assert_non_null(log->first);
	assert_null(log->first->next);
	fake_log_flush(log);
	assert_int_equal(count_receipts(issuing), 1);
	finish_receipts(issuing);
	assert_false(issue_receipt_of(issuing->issue, kill, &index, &err));
	fake_log_flush(log);
	assert_int_equal(count_receipts(issuing), 2);
	assert_true(issue_receipt_of(issuing->issue, kill, &index, &err));
	assert_int_equal(index, log->count - 1);
}

static void no_receipt_claims_a_page_that_was_lost(void **state)
{
	struct issuing *issuing = *state;
	struct fake_log *log = &issuing->governed.log;
	uint64_t index, kill = kill_two_pages(issuing);
	struct error err;

	log->loses_type = "kill-receipt";
	log->loses_count = 1;
	fake_log_flush(log);
	finish_receipts(issuing);
	fake_log_flush(log);
	log->is_held = false;
	assert_int_equal(count_receipts(issuing), 0);
	assert_false(issue_receipt_of(issuing->issue, kill, &index, &err));
	kill = log->count;
	issuing_kill(issuing, "a1", TEXT(""));
	finish_receipts(issuing);
	assert_true(issue_receipt_of(issuing->issue, kill, &index, &err));
}

static void a_start_makes_no_receipt_of_old_kills(void **state)
{
	struct issuing *issuing = *state;
	struct issuing *second = calloc(1, sizeof *second);

	assert_non_null(second);
	assert_true(issuing_open_good(issuing));
	issuing_kill(issuing, "a1", TEXT(""));
	issuing_live_again(issuing, second);
	assert_false(issue_receipts_run(second->issue));
	second->token_key = NULL;
	issuing_deinit(second);
	free(second);
}

#define ISSUING(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ISSUING(an_instance_that_is_no_plain_name_opens_nothing),
		ISSUING(one_instance_of_many_locked_the_others_continue),
		ISSUING(a_killed_unit_s_identities_wait_for_two_people),
		ISSUING(kill_then_restart_of_every_node_still_killed),
		ISSUING(a_token_that_is_revoked_alone_leaves_its_task),
		ISSUING(tasks_nest_as_deep_as_the_charter_says_and_no_deeper),
		ISSUING(as_many_tasks_hang_below_one_as_the_charter_says),
		ISSUING(as_many_tasks_are_open_at_once_as_the_charter_says),
		ISSUING(what_is_on_its_way_counts),
		ISSUING(a_task_that_nobody_uses_ends_when_it_was_idle),
		ISSUING(only_a_connection_is_a_session),
		ISSUING(a_session_without_its_connection_ends),
		ISSUING(a_kill_s_receipt_counts_and_lists_what_it_ended),
		ISSUING(a_receipt_says_the_last_call_that_was_let_through),
		ISSUING(more_than_RECEIPT_PAGE_TASKS_take_another_page),
		ISSUING(the_last_page_is_written_once_the_others_are_there),
		ISSUING(no_receipt_claims_a_page_that_was_lost),
		ISSUING(a_start_makes_no_receipt_of_old_kills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
