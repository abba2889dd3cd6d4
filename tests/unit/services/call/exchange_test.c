#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/call/exchange.h"
#include "support/call_bench.h"

#define TICKET "{\"path\":\"tickets/41.txt\"}"

static int setup(void **state)
{
	static struct call_bench bench;

	call_bench_init(&bench, 5000);
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	call_bench_deinit(*state);
	return 0;
}

static bool last_has(const struct call_bench *bench, const char *type, const char *what)
{
	return strstr(call_bench_last(bench, type), what) != NULL;
}

static void each_state_has_its_word(void **state)
{
	(void)state;
	assert_string_equal(exchange_state_word(EXCHANGE_RECEIVED), "received");
	assert_string_equal(exchange_state_word(EXCHANGE_ABORTED), "aborted");
	assert_string_equal(exchange_state_word((enum exchange_state)99), "received");
}

/* ---- the main road ---- */

static void an_allowed_call_is_recorded_forwarded_and_answered(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	bench->is_log_held = true;
	assert_true(call_bench_start(bench, &client, "read", TICKET));
	call_bench_pump(bench);
	assert_int_equal(bench->prepared, 0); /* nothing before the record is durable */
	call_bench_flush(bench);
	assert_int_equal(bench->prepared, 1);
	assert_int_equal(bench->started, 0);
	call_bench_ready(bench, true);
	assert_int_equal(bench->started, 1);
	call_bench_notice(bench);
	call_bench_notice(bench);
	assert_int_equal(client.notices, 2);
	call_bench_answer(bench, "{\"content\":[]}");
	assert_int_equal(client.replies, 1); /* does not wait for the outcome's sync */
	assert_int_equal(client.kind, CALL_RESULT);
	assert_true(client.has_result_text); /* which the outcome has made anyway */
	assert_int_equal(call_bench_records(bench, "outcome"), 0);
	call_bench_flush(bench);
	assert_int_equal(call_bench_records(bench, "outcome"), 1);
	assert_true(last_has(bench, "outcome", "\"status\":\"result\""));
	assert_true(last_has(bench, "outcome", "\"result\":\"sha256:"));
	assert_int_equal(call_figures(bench->call).in_flight, 0);
}

static void a_decision_record_holds_digests_and_no_values(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "read", TICKET));
	assert_true(last_has(bench, "decision", "\"verdict\":\"allow\""));
	assert_true(last_has(bench, "decision", "\"arguments\":\"sha256:"));
	assert_true(last_has(bench, "decision", "\"content\":\"sha256:"));
	assert_true(
		last_has(bench, "decision", "\"entitlement\":\"charter/agent@1/entitlements/0\""));
	assert_true(last_has(bench, "decision", "\"sensitivity\":\"internal\""));
	assert_true(last_has(bench, "decision", "\"chain\":[\"t-1\"]"));
	assert_null(strstr(call_bench_last(bench, "decision"), "41.txt"));
	call_bench_abort(&client);
}

static void a_decision_record_says_what_was_touched_and_where_values_came_from(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;
	char wanted[128];
	uint64_t read;

	assert_true(call_bench_start(bench, &client, "read", TICKET));
	assert_true(last_has(bench, "decision",
		"\"origins\":{\"from\":[{\"argument\":\"path\",\"origin\":\"unknown\"}],"
		"\"path\":\"unknown\"}"));
	assert_false(last_has(bench, "decision", "\"labels\""));
	call_bench_flush(bench);
	call_bench_ready(bench, true);
	call_bench_answer(bench, "{\"content\":[{\"type\":\"text\",\"text\":\"see e@x.org\"}]}");
	read = client.index;
	assert_true(call_bench_start(bench, &client, "mail", "{\"to\":\"e@x.org\"}"));
	(void)snprintf(wanted, sizeof wanted,
		"\"labels\":{\"sensitivity\":\"internal\",\"sensitivity-record\":%llu,"
		"\"untrusted\":true,\"untrusted-record\":%llu}",
		(unsigned long long)read, (unsigned long long)read);
	assert_true(last_has(bench, "decision", wanted));
	(void)snprintf(wanted, sizeof wanted,
		"{\"argument\":\"to\",\"origin\":\"untrusted\",\"record\":%llu}",
		(unsigned long long)read);
	assert_true(last_has(bench, "decision", wanted));
	assert_null(strstr(call_bench_last(bench, "decision"), "e@x.org"));
	call_bench_flush(bench);
}

/* By its charter's lines; no recipient and no path stands there. */
static void a_decision_record_names_the_outputs_it_went_by(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "mail", "{\"to\":\"ana\"}"));
	assert_true(last_has(bench, "decision",
		"\"outputs\":[{\"data\":\"public\",\"line\":1,\"to\":\"recipient\"}]"));
	assert_null(strstr(call_bench_last(bench, "decision"), "\"ana\""));
	call_bench_abort(&client);
	assert_true(call_bench_start(bench, &client, "read", TICKET));
	assert_true(last_has(bench, "decision",
		"\"outputs\":[{\"data\":\"internal\",\"line\":0,\"to\":\"reply\"}]"));
	call_bench_abort(&client);
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	assert_true(last_has(bench, "decision", "\"outputs\":[]"));
	call_bench_abort(&client);
	assert_true(call_bench_start(bench, &client, "nothing", "{}"));
	assert_false(last_has(bench, "decision", "\"outputs\""));
}

static void finish_call(
	struct call_bench *bench, const char *tool, const char *arguments, const char *result)
{
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, tool, arguments));
	call_bench_flush(bench);
	call_bench_ready(bench, true);
	call_bench_answer(bench, result);
	call_bench_flush(bench);
	assert_int_equal(client.replies, 1);
}

static void what_a_call_wrote_comes_back_from_a_trusted_source_unendorsed(void **state)
{
	const char *result =
		"{\"content\":[{\"type\":\"text\",\"text\":\"to acct-66 and acct-77\"}]}";
	struct call_bench *bench = *state;
	struct bench_client client;

	decide_bench_edit(&bench->world, "tickets", "trust: untrusted", "trust: trusted");
	finish_call(bench, "run", "{\"note\":\"acct-66\"}", "{\"isError\":true,\"content\":[]}");
	finish_call(bench, "read", TICKET, result);
	assert_true(call_bench_start(bench, &client, "mail", "{\"to\":\"acct-66\"}"));
	assert_true(last_has(bench, "decision", "\"recipient\":\"untrusted\""));
	/* What the same text says beside it is the source's. */
	assert_true(call_bench_start(bench, &client, "mail", "{\"to\":\"acct-77\"}"));
	assert_true(last_has(bench, "decision", "\"recipient\":\"trusted\""));
	call_bench_flush(bench);
}

static void what_a_call_read_by_is_no_writing(void **state)
{
	const char *result = "{\"content\":[{\"type\":\"text\",\"text\":\"acct-66\"}]}";
	struct call_bench *bench = *state;
	struct bench_client client;

	decide_bench_edit(&bench->world, "tickets", "trust: untrusted", "trust: trusted");
	finish_call(bench, "read", "{\"path\":\"tickets/acct-66\",\"q\":\"acct-66\"}",
		"{\"content\":[]}");
	finish_call(bench, "read", TICKET, result);
	assert_true(call_bench_start(bench, &client, "mail", "{\"to\":\"acct-66\"}"));
	assert_true(last_has(bench, "decision", "\"recipient\":\"trusted\""));
	call_bench_flush(bench);
}

static void a_refused_call_is_recorded_and_never_reaches_the_server(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "read", "{\"path\":\"payroll/x\"}"));
	assert_int_equal(client.replies, 1);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(client.reason, REASON_DATA_SOURCE);
	assert_true(client.is_recorded);
	assert_non_null(strstr(client.message, "payroll"));
	assert_non_null(strstr(client.message, "needed"));
	assert_int_equal(bench->prepared + bench->started, 0);
	assert_int_equal(call_bench_records(bench, "decision"), 1);
	assert_int_equal(call_bench_records(bench, "outcome"), 0);
	assert_int_equal(call_figures(bench->call).in_flight, 0);
}

/* Whatever rule refuses, its sentences name arguments and never their values. */
static void no_refusal_records_what_was_in_the_arguments(void **state)
{
	static const char *const calls[][2] = {{"read", "{\"path\":\"payroll/4711\"}"},
		{"read", "{\"path\":\"elsewhere/4711\"}"}, {"read", "{\"path\":\"../4711\"}"},
		{"read", "{\"path\":[\"4711\",4711]}"}, {"list", "{\"n\":4711}"},
		{"mail", "{\"to\":\"4711@example.com\"}"}, {"run", "{\"x\":\"4711\"}"}};
	struct call_bench *bench = *state;
	size_t i, refused = 0;

	assert_true(decide_bench_put(&bench->world,
		"object: policy\nname: org/extra\ntext: |\n"
		"  forbid (principal, action, resource)\n"
		"  when { context.args has n && context.args.n > 100 };\n"));
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		struct bench_client client;

		assert_true(call_bench_start(bench, &client, calls[i][0], calls[i][1]));
		assert_null(strstr(call_bench_last(bench, "decision"), "4711"));
		refused += client.kind == CALL_REFUSED;
		if (client.kind != CALL_REFUSED)
			call_bench_abort(&client);
	}
	assert_true(refused >= 5);
}

static void a_list_shows_only_what_the_caller_could_use(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start_method(bench, &client, "t-1", "tools/list", "{}"));
	call_bench_ready(bench, true);
	call_bench_answer(bench, "{\"tools\":[{\"name\":\"read\"},{\"name\":\"unheard-of\"},"
				 "{\"name\":\"write\"},{\"title\":\"x\"}],\"nextCursor\":\"c\"}");
	assert_int_equal(client.kind, CALL_RESULT);
	assert_string_equal(client.result,
		"{\"nextCursor\":\"c\",\"tools\":[{\"name\":\"read\"},{\"name\":\"write\"}]}");
}

static void an_unknown_task_is_not_taken(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_false(call_bench_start_method(bench, &client, "t-9", "tools/list", "{}"));
	assert_int_equal(call_figures(bench->call).in_flight, 0);
}

/* Starts as many calls as will be taken, up to count; how many were. */
static size_t fill(
	struct call_bench *bench, struct bench_client *clients, const char *task, size_t count)
{
	size_t i = 0;

	while (i < count && call_bench_start_method(bench, &clients[i], task, "tools/call",
				    "{\"name\":\"list\",\"arguments\":{}}"))
		i++;
	return i;
}

static void a_task_and_an_identity_have_a_share_of_the_calls_in_flight(void **state)
{
	enum { MAX = CALL_BENCH_EXCHANGES_MAX };
	struct call_bench *bench = *state;
	static struct bench_client clients[MAX + 1];
	size_t task = CALL_BENCH_PER_TASK_MAX, identity = CALL_BENCH_PER_IDENTITY_MAX, i;

	decide_bench_edit(&bench->world, "agent", "name: agent\n", "name: other-agent\n");
	decide_bench_open_task(&bench->world, "t-2", "agent", ENVIRONMENT_STAGING, "");
	decide_bench_open_task(&bench->world, "t-3", "other-agent", ENVIRONMENT_STAGING, "");
	bench->is_log_held = true;
	assert_int_equal(fill(bench, clients, "t-1", task + 1), task);
	/* Its identity has room left, in another task. */
	assert_int_equal(fill(bench, clients + task, "t-2", 3), identity - task);
	/* Others have room left. */
	assert_int_equal(fill(bench, clients + identity, "t-3", 3), MAX - identity);
	assert_int_equal(call_figures(bench->call).in_flight, MAX);
	/* What ends is given back to whom it belonged. */
	call_bench_abort(&clients[0]);
	call_bench_flush(bench);
	for (i = 1; i < MAX; i++)
		call_bench_abort(&clients[i]);
	call_bench_flush(bench);
	assert_int_equal(call_figures(bench->call).in_flight, 0);
	assert_int_equal(share_table_count(bench->call->tasks), 0);
	assert_int_equal(share_table_count(bench->call->identities), 0);
	bench->is_log_held = true;
	assert_int_equal(fill(bench, clients, "t-1", task + 1), task);
	for (i = 0; i < task; i++)
		call_bench_abort(&clients[i]);
}

static void a_call_that_is_not_taken_holds_no_share(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_false(call_bench_start_method(bench, &client, "t-1", "tools/call", "{}"));
	assert_int_equal(share_table_count(bench->call->tasks), 0);
	assert_int_equal(share_table_count(bench->call->identities), 0);
}

static void calls_in_flight_have_a_limit(void **state)
{
	enum { MAX = CALL_BENCH_PER_TASK_MAX };
	struct call_bench *bench = *state;
	static struct bench_client clients[MAX + 1];
	size_t i;

	bench->is_log_held = true;
	for (i = 0; i < MAX; i++)
		assert_true(call_bench_start(bench, &clients[i], "list", "{}"));
	assert_false(call_bench_start(bench, &clients[MAX], "list", "{}"));
	for (i = 0; i < MAX; i++)
		call_bench_abort(&clients[i]);
	call_bench_flush(bench);
	assert_int_equal(call_figures(bench->call).in_flight, 0);
	assert_true(call_bench_start(bench, &clients[MAX], "list", "{}"));
}

/* The leak sanitizer sees whether it is. */
static void a_call_that_ends_with_the_service_is_freed(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "write", "{\"a\":1}"));
	call_bench_pump(bench);
	assert_int_equal(call_figures(bench->call).in_flight, 1); /* it waits for people */
	call_bench_abort(&client);
	assert_int_equal(call_figures(bench->call).in_flight, 0);
}

/* ---- faults ---- */

static void no_record_no_effect(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;
	int fault;

	for (fault = 0; fault < 6; fault++) {
		bench->log.refuses = fault == 0;
		bench->log.loses = fault == 1;
		bench->log.has_failed = fault == 2;
		bench->digest_fails = fault == 3;
		bench->seal_fails = fault == 4;
		bench->attach_fails = fault == 5;
		assert_true(call_bench_start(bench, &client, "list", "{}"));
		call_bench_pump(bench);
		call_bench_ready(bench, true);
		assert_int_equal(bench->started, 0);
		if (fault == 2) { /* a log that failed says so at the gate */
			assert_int_equal(client.kind, CALL_FAILED);
			continue;
		}
		assert_int_equal(client.replies, 1);
		assert_int_equal(client.kind, CALL_REFUSED);
		assert_false(client.is_recorded);
		assert_int_equal(client.verdict, VERDICT_DENY);
		assert_int_not_equal(client.reason, REASON_ALLOWED);
	}
	assert_int_equal(call_figures(bench->call).unrecorded, 5);
}

static void a_server_that_cannot_start_is_an_answer_and_an_outcome(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	bench->prepare_fault = FAULT_NOW;
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	assert_int_equal(client.kind, CALL_FAILED);
	assert_true(last_has(bench, "outcome", "\"status\":\"failed\""));
	assert_true(last_has(bench, "outcome", "\"forwarded\":false"));
	bench->prepare_fault = FAULT_NONE;
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	call_bench_ready(bench, false);
	assert_int_equal(client.kind, CALL_FAILED);
	bench->start_fault = FAULT_NOW;
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	call_bench_ready(bench, true);
	assert_int_equal(client.kind, CALL_FAILED);
	assert_int_equal(call_bench_records(bench, "outcome"), 3);
	assert_int_equal(call_figures(bench->call).in_flight, 0);
}

static void a_server_that_crashes_leaves_an_outcome_that_was_forwarded(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "list", "{}"));
	call_bench_ready(bench, true);
	call_bench_answer(bench, NULL);
	assert_int_equal(client.kind, CALL_FAILED);
	assert_true(last_has(bench, "outcome", "\"forwarded\":true"));
}

static void every_wait_has_a_deadline(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	bench->is_log_held = true; /* the log */
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	call_bench_wait(bench, CALL_RECORD_MS - 1);
	assert_int_equal(client.replies, 0);
	call_bench_wait(bench, 1000);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(client.verdict, VERDICT_DENY);
	call_bench_flush(bench); /* too late: durable, never sent, its outcome recorded */
	assert_int_equal(bench->prepared, 0);
	assert_true(last_has(bench, "outcome", "\"status\":\"aborted\""));
	bench->is_log_held = false;
	assert_true(call_bench_start(bench, &client, "list", "{}")); /* the server's start */
	call_bench_wait(bench, CALL_PREPARE_MS + 1000);
	assert_int_equal(client.kind, CALL_FAILED);
	assert_true(last_has(bench, "outcome", "\"status\":\"timeout\""));
	assert_true(call_bench_start(bench, &client, "list", "{}")); /* its answer */
	call_bench_ready(bench, true);
	call_bench_wait(bench, 2000);
	assert_int_equal(client.kind, CALL_FAILED);
	assert_int_equal(bench->cancelled, 2);
	assert_int_equal(call_figures(bench->call).in_flight, 0);
}

static void calls_that_wait_together_are_counted_one_by_one(void **state)
{
	struct call_bench *bench = *state;
	static struct bench_client clients[61];
	size_t i;

	bench->is_log_held = true;
	for (i = 0; i < 61; i++)
		assert_true(call_bench_start(bench, &clients[i], "list", "{}"));
	for (i = 0; i < 60; i++)
		call_bench_abort(&clients[i]);
	call_bench_flush(bench);
	assert_int_equal(clients[60].kind, CALL_REFUSED);
	assert_int_equal(clients[60].reason, REASON_RATE_LIMIT);
}

/* ---- the client goes away, in every state ---- */

static void an_allowed_call_is_counted_once(void **state)
{
	struct call_bench *bench = *state;
	static struct bench_client clients[61];
	size_t i;

	for (i = 0; i < 61; i++) {
		assert_true(call_bench_start(bench, &clients[i], "list", "{}"));
		call_bench_pump(bench);
		call_bench_abort(&clients[i]);
		assert_int_equal(clients[i].replies, i < 60 ? 0 : 1);
	}
	assert_int_equal(clients[60].reason, REASON_RATE_LIMIT);
}

static void an_abort_before_the_record_is_durable_sends_nothing(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	bench->is_log_held = true;
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	call_bench_abort(&client);
	call_bench_flush(bench);
	assert_int_equal(bench->prepared + bench->started, 0);
	assert_true(last_has(bench, "outcome", "\"status\":\"aborted\""));
	assert_int_equal(call_figures(bench->call).in_flight, 0);
}

static void an_abort_while_the_server_starts_sends_nothing(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "list", "{}"));
	call_bench_abort(&client);
	call_bench_flush(bench);
	assert_false(bench->is_prepare_pending);
	assert_int_equal(bench->started, 0);
	assert_true(last_has(bench, "outcome", "\"forwarded\":false"));
	assert_int_equal(call_figures(bench->call).in_flight, 0);
}

static void an_abort_of_a_sent_call_cancels_it_and_records_its_outcome(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;
	int with_notice;

	for (with_notice = 0; with_notice < 2; with_notice++) {
		assert_true(call_bench_start(bench, &client, "list", "{}"));
		call_bench_ready(bench, true);
		if (with_notice)
			call_bench_notice(bench);
		call_bench_abort(&client);
		call_bench_flush(bench);
		assert_int_equal(bench->cancelled, with_notice + 1);
		assert_true(last_has(bench, "outcome", "\"status\":\"aborted\""));
		assert_true(last_has(bench, "outcome", "\"forwarded\":true"));
	}
	assert_int_equal(call_figures(bench->call).in_flight, 0);
}

static void an_abort_of_an_asked_call_leaves_the_question(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "write", "{}"));
	assert_int_equal(client.replies, 0);
	call_bench_abort(&client);
	call_bench_flush(bench);
	assert_int_equal(call_figures(bench->call).in_flight, 0);
	assert_int_equal(approval_next(bench->approve, NULL)->state, APPROVAL_PENDING);
}

static void an_abort_while_no_record_could_be_made_is_the_end(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	bench->is_log_held = true;
	bench->log.refuses = true;
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	call_bench_abort(&client);
	call_bench_flush(bench);
	assert_int_equal(client.replies, 0);
	assert_int_equal(call_figures(bench->call).in_flight, 0);
}

/* ---- kill, in every state ---- */

static void a_kill_needs_one_target_that_exists_and_a_reason(void **state)
{
	struct call_bench *bench = *state;
	struct call_kill kill = {.reason = TEXT("x"), .actor = TEXT("uid:0")};
	struct error err;

	assert_false(call_kill_submit(bench->call, &kill, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_false(call_bench_kill(bench, "agent", "t-1"));
	assert_false(call_bench_kill(bench, "nobody", ""));
	assert_false(call_bench_kill(bench, "", "t-9"));
	kill.identity = TEXT("agent");
	kill.reason = TEXT("");
	assert_false(call_kill_submit(bench->call, &kill, &err));
	assert_int_equal(call_bench_records(bench, "kill"), 0);
}

static bool kill_as(
	struct call_bench *bench, const char *actor, const char *identity, const char *task)
{
	struct call_kill kill = {.identity = text_of(identity),
		.task = text_of(task),
		.reason = TEXT("test"),
		.actor = text_of(actor)};
	struct error err = {0};
	bool is_taken = call_kill_submit(bench->call, &kill, &err);

	call_bench_pump(bench);
	if (!is_taken && err.code == ERROR_INVALID)
		assert_non_null(strstr(err.text, "forbidden: "));
	return is_taken;
}

static void only_those_who_answer_for_an_identity_kill_it(void **state)
{
	struct call_bench *bench = *state;
	unsigned before = call_bench_records(bench, "kill");

	/* cy has roles in another unit; nobody is registered as zoe. */
	assert_false(kill_as(bench, "person:cy", "agent", ""));
	assert_false(kill_as(bench, "person:cy", "", "t-1"));
	assert_false(kill_as(bench, "person:zoe", "agent", ""));
	assert_false(kill_as(bench, "identity:agent", "", "t-1"));
	assert_false(kill_as(bench, "", "agent", ""));
	assert_int_equal(call_bench_records(bench, "kill"), before);
	assert_true(kill_as(bench, "person:ana", "", "t-1"));
	assert_true(kill_as(bench, "person:eva", "agent", ""));
	assert_true(kill_as(bench, "uid:7", "agent", ""));
	assert_int_equal(call_bench_records(bench, "kill"), before + 3);
}

static bool kill_unit_as(struct call_bench *bench, const char *actor, const char *unit)
{
	const struct call_kill kill = {
		.unit = text_of(unit), .reason = TEXT("test"), .actor = text_of(actor)};
	struct error err = {0};
	bool is_taken = call_kill_submit(bench->call, &kill, &err);

	call_bench_pump(bench);
	return is_taken;
}

static void only_those_who_answer_for_a_unit_kill_it(void **state)
{
	struct call_bench *bench = *state;

	assert_false(kill_unit_as(bench, "person:cy", "support"));
	assert_false(kill_unit_as(bench, "person:ana", "support"));
	assert_false(kill_unit_as(bench, "identity:agent", "support"));
	assert_false(kill_unit_as(bench, "person:bo", "no-such-unit"));
	assert_true(kill_unit_as(bench, "person:bo", "support"));
	assert_true(kill_unit_as(bench, "person:eva", "support"));
	assert_true(kill_unit_as(bench, "uid:7", "support"));
}

static void a_kill_that_is_durable_first_stops_a_decided_call(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	bench->is_log_held = true;
	assert_true(call_bench_kill(bench, "agent", ""));
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	call_bench_flush(bench);
	assert_int_equal(bench->prepared + bench->started, 0);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(client.verdict, VERDICT_DENY);
	assert_true(last_has(bench, "outcome", "\"status\":\"refused\""));
}

static void a_kill_while_the_server_starts_sends_nothing(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "list", "{}"));
	assert_true(call_bench_kill(bench, "", "t-1"));
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(bench->started, 0);
	assert_false(bench->is_prepare_pending);
	assert_int_equal(call_figures(bench->call).in_flight, 0);
}

static void a_kill_ends_what_is_under_way_and_says_so(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client, next;

	assert_true(call_bench_start(bench, &client, "list", "{}"));
	call_bench_ready(bench, true);
	assert_true(call_bench_kill(bench, "agent", ""));
	assert_true(bench->is_answer_ok);
	assert_int_equal(client.kind, CALL_FAILED);
	assert_int_equal(bench->cancelled, 1);
	assert_true(last_has(bench, "outcome", "\"status\":\"revoked\""));
	assert_true(call_bench_start(bench, &next, "list", "{}"));
	assert_int_equal(next.kind, CALL_REFUSED);
	assert_int_equal(next.reason, REASON_IDENTITY_NOT_ACTIVE);
	assert_int_equal(bench->started, 1);
}

static void a_kill_answers_who_waits_for_people(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "write", "{}"));
	assert_int_equal(client.replies, 0);
	assert_true(call_bench_kill(bench, "", "t-1"));
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(client.reason, REASON_TASK_NOT_LIVE);
}

static void a_kill_between_readiness_and_the_gate_stops_the_call(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "list", "{}"));
	/* The identity is suspended without any record the service hears of. */
	decide_bench_set_state(&bench->world, "agent", IDENTITY_SUSPENDED);
	call_bench_ready(bench, true);
	assert_int_equal(bench->started, 0);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_true(last_has(bench, "outcome", "\"reason\":\"identity_not_active\""));
}

static void stream_closed(struct call_stream *stream, struct text reason)
{
	(void)reason;
	stream->task = TEXT("");
}

static void a_stream_ends_with_its_task(void **state)
{
	struct call_bench *bench = *state;
	struct call_stream stream = {.task = TEXT("t-1"), .on_closed = stream_closed};
	struct call_stream other = {.task = TEXT("t-9"), .on_closed = stream_closed};
	struct call_stream second = {.task = TEXT("t-1"), .on_closed = stream_closed};

	assert_false(call_stream_add(bench->call, &other));
	assert_true(call_stream_add(bench->call, &stream));
	assert_true(call_stream_add(bench->call, &second));
	call_stream_remove(bench->call, &second);
	assert_int_equal(call_figures(bench->call).streams, 1);
	assert_true(call_bench_kill(bench, "agent", ""));
	assert_int_equal(stream.task.length, 0);
	assert_int_equal(second.task.length, 3);
	assert_int_equal(call_figures(bench->call).streams, 0);
	call_stream_remove(bench->call, &stream);
}

static void a_stream_ends_when_its_task_expires(void **state)
{
	struct call_bench *bench = *state;
	struct call_stream stream = {.task = TEXT("t-1"), .on_closed = stream_closed};

	assert_true(call_stream_add(bench->call, &stream));
	call_bench_wait(bench, 10000);
	assert_int_equal(stream.task.length, 3);
	call_bench_wait(bench, 900000);
	assert_int_equal(stream.task.length, 0);
}

/* ---- people ---- */

static void a_call_that_needs_approval_is_held_and_then_answered(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "write", "{\"a\":1}"));
	assert_int_equal(client.replies, 0);
	assert_int_equal(call_bench_records(bench, "approval-asked"), 1);
	assert_true(last_has(bench, "decision", "\"verdict\":\"ask\""));
	call_bench_wait(bench, 4000);
	assert_int_equal(client.replies, 0);
	call_bench_wait(bench, 2000);
	assert_int_equal(client.kind, CALL_ASKED);
	assert_true(strncmp(client.approval, "a-", 2) == 0);
	assert_non_null(strstr(client.message, client.approval));
	assert_int_equal(bench->prepared, 0);
}

static void a_yes_lets_the_held_call_go_once(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client, again;
	const struct approval *approval;
	char id[32];

	assert_true(call_bench_start(bench, &client, "write", "{\"a\":1}"));
	approval = approval_next(bench->approve, NULL);
	snprintf(id, sizeof(id), "%.*s", TEXT_ARGS(approval->id));
	assert_true(call_bench_approve(bench, id, "ana", true));
	call_bench_flush(bench);
	call_bench_ready(bench, true);
	assert_int_equal(bench->started, 1);
	call_bench_answer(bench, "{}");
	assert_int_equal(client.kind, CALL_RESULT);
	assert_int_equal(approval_find(bench->approve, text_of(id))->state, APPROVAL_USED);
	assert_true(call_bench_start(bench, &again, "write", "{\"a\":1}"));
	assert_int_equal(again.replies, 0); /* asked anew */
	assert_int_equal(call_bench_records(bench, "approval-asked"), 2);
	call_bench_abort(&again);
	assert_int_equal(bench->started, 1);
}

static void a_retry_uses_the_approval_and_a_changed_call_does_not(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;
	char id[32];

	assert_true(call_bench_start(bench, &client, "write", "{\"a\":1}"));
	call_bench_wait(bench, 6000);
	assert_int_equal(client.kind, CALL_ASKED);
	snprintf(id, sizeof(id), "%s", client.approval);
	assert_true(call_bench_approve(bench, id, "ana", true));
	assert_true(call_bench_start(bench, &client, "write", "{\"a\":2}"));
	call_bench_wait(bench, 6000);
	assert_int_equal(client.kind, CALL_ASKED);
	assert_string_not_equal(client.approval, id);
	assert_int_equal(bench->started, 0);
	assert_true(call_bench_start(bench, &client, "write", "{ \"a\" : 1 }"));
	call_bench_ready(bench, true);
	assert_int_equal(bench->started, 1);
	assert_true(last_has(bench, "decision", id));
}

static void a_no_refuses_the_held_call_and_every_retry(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client, again;
	char id[32];

	assert_true(call_bench_start(bench, &client, "write", "{}"));
	snprintf(id, sizeof(id), "%.*s", TEXT_ARGS(approval_next(bench->approve, NULL)->id));
	assert_true(call_bench_approve(bench, id, "ana", false));
	call_bench_flush(bench);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_true(call_bench_start(bench, &again, "write", "{}"));
	assert_int_equal(again.kind, CALL_REFUSED);
	assert_int_equal(call_bench_records(bench, "approval-asked"), 1);
	assert_int_equal(bench->prepared, 0);
}

static void two_retries_at_once_use_the_approval_once(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client, first, second;

	assert_true(call_bench_start(bench, &client, "write", "{}"));
	call_bench_wait(bench, 6000);
	assert_true(call_bench_approve(bench, client.approval, "ana", true));
	bench->is_log_held = true;
	assert_true(call_bench_start(bench, &first, "write", "{}"));
	assert_true(call_bench_start(bench, &second, "write", "{}"));
	call_bench_flush(bench);
	call_bench_ready(bench, true);
	call_bench_ready(bench, true);
	assert_int_equal(bench->started, 1);
	assert_int_equal(second.replies, 0); /* it waits for a new answer */
	call_bench_abort(&second);
	call_bench_flush(bench);
}

static void an_approval_whose_record_is_lost_is_given_back(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;
	char id[32];

	assert_true(call_bench_start(bench, &client, "write", "{}"));
	call_bench_wait(bench, 6000);
	snprintf(id, sizeof(id), "%s", client.approval);
	assert_true(call_bench_approve(bench, id, "ana", true));
	bench->log.loses = true;
	assert_true(call_bench_start(bench, &client, "write", "{}"));
	call_bench_pump(bench);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(bench->started, 0);
	bench->log.loses = false;
	assert_true(call_bench_start(bench, &client, "write", "{}"));
	call_bench_ready(bench, true);
	assert_int_equal(bench->started, 1);
}

static void an_approval_is_given_back_when_its_record_is_lost_too_late(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;
	char id[32];

	assert_true(call_bench_start(bench, &client, "write", "{}"));
	call_bench_wait(bench, 6000);
	snprintf(id, sizeof(id), "%s", client.approval);
	assert_true(call_bench_approve(bench, id, "ana", true));
	bench->is_log_held = true;
	assert_true(call_bench_start(bench, &client, "write", "{}"));
	call_bench_wait(bench, CALL_RECORD_MS + 1000);
	assert_int_equal(client.kind, CALL_REFUSED);
	bench->log.loses = true;
	call_bench_flush(bench);
	assert_int_equal(bench->started, 0);
	bench->log.loses = false;
	bench->is_log_held = false;
	assert_true(call_bench_start(bench, &client, "write", "{}"));
	call_bench_ready(bench, true);
	assert_int_equal(bench->started, 1);
	assert_int_equal(call_bench_records(bench, "approval-asked"), 1);
}

/* A call whose answer is there. */
static void answered(struct call_bench *bench, struct bench_client *client)
{
	call_bench_answer(bench, "{\"tools\":[]}");
	call_bench_pump(bench);
	assert_int_equal(client->kind, CALL_RESULT);
}

static void an_outcome_that_no_log_takes_ends_the_call_in_the_end(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "list", "{}"));
	call_bench_ready(bench, true);
	bench->log.refuses = true;
	answered(bench, &client);
	for (int tried = 1; tried < OUTCOME_TRIES_MAX; tried++) {
		assert_int_equal(call_figures(bench->call).in_flight, 1);
		call_bench_wait(bench, OUTCOME_AGAIN_MS << tried);
	}
	assert_int_equal(call_figures(bench->call).in_flight, 0);
	bench->log.refuses = false;
	call_bench_wait(bench, OUTCOME_AGAIN_MS << OUTCOME_TRIES_MAX);
	call_bench_flush(bench);
	assert_int_equal(call_bench_records(bench, "outcome"), 0);
}

static void an_outcome_that_is_not_taken_at_first_is_written_later(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	for (size_t lost = 0; lost < 2; lost++) {
		assert_true(call_bench_start(bench, &client, "list", "{}"));
		call_bench_ready(bench, true);
		bench->log.refuses = lost == 0;
		bench->log.loses_type = "outcome";
		bench->log.loses_count = lost == 1;
		answered(bench, &client);
		call_bench_flush(bench);
		bench->log.refuses = false;
		assert_int_equal(call_bench_records(bench, "outcome"), lost);
		assert_int_equal(call_figures(bench->call).in_flight, 1);
		call_bench_wait(bench, 2 * OUTCOME_AGAIN_MS);
		call_bench_flush(bench);
		assert_int_equal(call_bench_records(bench, "outcome"), lost + 1);
		assert_int_equal(call_figures(bench->call).in_flight, 0);
	}
}

static void no_outcome_waits_for_a_log_that_has_failed(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "list", "{}"));
	call_bench_ready(bench, true);
	bench->log.refuses = bench->log.has_failed = true;
	answered(bench, &client);
	assert_int_equal(call_figures(bench->call).in_flight, 0);
}

static void an_answer_opens_nothing_once_the_approver_lost_the_standing(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "write", "{}"));
	call_bench_wait(bench, 6000);
	assert_true(call_bench_approve(bench, client.approval, "ana", true));
	decide_bench_edit(&bench->world, "agent", "owner: ana", "owner: cy");
	assert_true(call_bench_start(bench, &client, "write", "{}"));
	call_bench_wait(bench, 6000);
	assert_int_equal(client.kind, CALL_ASKED);
	assert_int_equal(bench->prepared, 0);
}

static void an_approved_call_is_decided_again(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "write", "{}"));
	call_bench_wait(bench, 6000);
	assert_true(call_bench_approve(bench, client.approval, "ana", true));
	assert_true(decide_bench_put(&bench->world,
		"object: policy\nname: org/stop\ntext: |\n"
		"  forbid (principal, action == Action::\"write\", resource);\n"));
	assert_true(call_bench_start(bench, &client, "write", "{}"));
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(bench->prepared, 0);
}

/* ---- a registry that changes under way ---- */

static const char stop_yaml[] = "object: policy\nname: org/stop\ntext: |\n"
				"  forbid (principal, action == Action::\"read\", resource);\n";
static const char harmless_yaml[] = "object: policy\nname: org/more\ntext: |\n"
				    "  forbid (principal, action == Action::\"execute\", "
				    "resource);\n";

static void a_guardrail_added_before_the_record_is_durable_stops_the_call(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	bench->is_log_held = true;
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	assert_true(decide_bench_put(&bench->world, stop_yaml));
	bench->is_log_held = false;
	call_bench_flush(bench);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(client.reason, REASON_FORBIDDEN);
	assert_int_equal(bench->prepared, 0);
	assert_true(last_has(bench, "outcome", "\"status\":\"refused\""));
}

static void a_guardrail_added_while_the_server_starts_stops_the_call(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "list", "{}"));
	assert_true(decide_bench_put(&bench->world, stop_yaml));
	call_bench_ready(bench, true);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(client.reason, REASON_FORBIDDEN);
	assert_int_equal(bench->started, 0);
}

static void a_change_that_leaves_it_allowed_lets_the_call_go(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "list", "{}"));
	assert_true(decide_bench_put(&bench->world, harmless_yaml));
	call_bench_ready(bench, true);
	assert_int_equal(bench->started, 1);
}

static void an_approval_does_not_survive_a_change_under_way(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "write", "{}"));
	call_bench_wait(bench, 6000);
	assert_true(call_bench_approve(bench, client.approval, "ana", true));
	assert_true(call_bench_start(bench, &client, "write", "{}"));
	assert_true(decide_bench_put(&bench->world, harmless_yaml));
	call_bench_ready(bench, true);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(client.reason, REASON_APPROVAL_NEEDED);
	assert_int_equal(bench->started, 0);
}

/* ---- quarantine ---- */

struct looked {
	unsigned times;
	struct error err;
};

static void on_looked(void *context, const struct error *err)
{
	struct looked *looked = context;

	looked->times++;
	looked->err = err == NULL ? (struct error){0} : *err;
}

static void a_look_connects_the_server_and_calls_nothing(void **state)
{
	struct call_bench *bench = *state;
	struct looked looked = {0};
	struct call_look look = {.server = TEXT("files"), .context = &looked, .done = on_looked};
	struct error err;

	bench->prepare_fault = FAULT_NOW;
	assert_false(call_look_start(bench->call, &look, &err));
	assert_int_equal(err.code, ERROR_IO);
	bench->prepare_fault = FAULT_NONE;
	assert_true(call_look_start(bench->call, &look, &err));
	assert_int_equal(looked.times, 0);
	call_bench_ready(bench, false);
	assert_int_equal(looked.err.code, ERROR_IO);
	assert_true(call_look_start(bench->call, &look, &err));
	call_bench_ready(bench, true);
	assert_int_equal(looked.times, 2);
	assert_int_equal(looked.err.code, ERROR_NONE);
	assert_int_equal(bench->started, 0);
	assert_int_equal(bench->log.count, 0);
}

static void a_tool_that_is_not_as_pinned_is_not_called(void **state)
{
	struct call_bench *bench = *state;
	struct upstream_listener listener = call_upstream_listener(bench->call);
	struct bench_client client;
	struct json tools;
	struct error err;

	decide_bench_edit(&bench->world, "files/list", "reversal: none-needed",
		"reversal: none-needed\ndefinition: sha256:"
		"0000000000000000000000000000000000000000000000000000000000000001");
	assert_true(json_parse(&tools, bench->world.arena, TEXT("[{\"name\":\"list\"}]"),
		&json_limits_default, &err));
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	assert_true(bench->is_prepare_pending); /* unseen so far */
	listener.on_definitions(listener.context, TEXT("files"), &tools);
	call_bench_ready(bench, true);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(client.reason, REASON_TOOL_QUARANTINED);
	assert_non_null(strstr(client.message, "remit definition show files/list"));
	assert_int_equal(bench->started, 0);
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	assert_int_equal(client.reason, REASON_TOOL_QUARANTINED);
	listener.on_gone(listener.context, TEXT("files"));
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	call_bench_ready(bench, true); /* ready, but the tool was not listed */
	assert_int_equal(client.reason, REASON_TOOL_QUARANTINED);
	assert_int_equal(bench->started, 0);
}

/* Pins files/list as one with schemas, and hands the definition over as the server's. */
static void list_formed(struct call_bench *bench)
{
	static const char definition[] =
		"{\"name\":\"list\",\"inputSchema\":{\"properties\":{\"path\":{\"type\":"
		"\"string\"}}},\"outputSchema\":{\"required\":[\"n\"]}}";
	struct upstream_listener listener = call_upstream_listener(bench->call);
	struct json items[1];
	struct json tools = {.type = JSON_ARRAY, .count = 1, .items = items};
	char hex[DIGEST_TEXT_BYTES];
	struct sha256 digest;
	struct error err;
	struct text after;

	assert_true(json_parse(
		items, bench->world.arena, text_of(definition), &json_limits_default, &err));
	assert_true(decide_definition_digest(items, bench->world.arena, &digest, &err));
	digest_format(hex, &digest);
	after = text_format(bench->world.arena, "reversal: none-needed\ndefinition: %s", hex);
	decide_bench_edit(&bench->world, "files/list", "reversal: none-needed", after.data);
	listener.on_definitions(listener.context, TEXT("files"), &tools);
}

static void arguments_of_another_form_are_refused_and_recorded_so(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	list_formed(bench);
	assert_true(call_bench_start(bench, &client, "list", "{\"path\":[\"hunter2\"]}"));
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(client.reason, REASON_ARGUMENTS_INVALID);
	assert_non_null(strstr(client.message, "/path must be string (type)"));
	assert_non_null(strstr(call_bench_last(bench, "decision"), "\"form\":\"invalid\""));
	assert_null(strstr(call_bench_last(bench, "decision"), "hunter2"));
	assert_int_equal(bench->started, 0);
	assert_true(call_bench_start(bench, &client, "list", "{\"path\":\"x\"}"));
	assert_non_null(strstr(call_bench_last(bench, "decision"), "\"form\":\"valid\""));
	call_bench_ready(bench, true);
	assert_int_equal(bench->started, 1);
	call_bench_answer(bench, "{\"structuredContent\":{\"n\":1}}");
	assert_int_equal(client.kind, CALL_RESULT);
	assert_true(call_bench_start(bench, &client, "write", "{}"));
	assert_null(strstr(call_bench_last(bench, "decision"), "\"form\""));
}

static void a_result_that_lies_about_its_form_is_not_passed_on(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;
	const char *outcome;

	list_formed(bench);
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	call_bench_ready(bench, true);
	call_bench_answer(bench, "{\"structuredContent\":{\"hunter2\":1}}");
	assert_int_equal(client.kind, CALL_FAILED);
	assert_non_null(strstr(client.message, "structuredContent must have the member n"));
	assert_null(strstr(client.message, "hunter2"));
	assert_string_equal(client.result, "");
	outcome = call_bench_last(bench, "outcome");
	assert_non_null(strstr(outcome, "\"status\":\"failed\""));
	assert_non_null(strstr(outcome, "\"reason\":\"result_invalid\""));
	assert_non_null(strstr(outcome, "\"forwarded\":true"));
	assert_non_null(strstr(outcome, "\"result\":\"sha256:"));
	assert_null(strstr(outcome, "hunter2"));
}

/* ---- restart ---- */

static void what_was_in_flight_at_a_crash_has_an_unknown_outcome(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;
	struct call_bench *after = calloc(1, sizeof(*after));
	struct error err;
	size_t i, count;

	assert_true(call_bench_start(bench, &client, "list", "{}"));
	call_bench_ready(bench, true);
	assert_true(call_bench_start(bench, &client, "read", "{\"path\":\"payroll/x\"}"));
	call_bench_init(after, 0);
	for (i = 0; i < bench->log.count; i++) {
		assert_true(fold_apply_entry(after->fold, bench->log.entries[i].entry,
			bench->log.entries[i].content, i, &err));
		fake_log_append(&after->log, bench->log.entries[i].entry);
	}
	assert_true(call_recover(after->call, &count, &err));
	assert_int_equal(count, 1);
	call_bench_flush(after);
	assert_true(last_has(after, "outcome", "\"status\":\"unknown\""));
	assert_true(last_has(after, "outcome", "\"decision\":0"));
	assert_true(call_recover(after->call, &count, &err));
	assert_int_equal(count, 0);
	call_bench_deinit(after);
	free(after);
}

/* ---- what a call brings ---- */

/* The bench's agent, which may also read rows. */
static void put_agent(struct call_bench *bench, const char *reply)
{
	const char *agent = strstr(decide_bench_yaml, "object: identity\nname: agent");
	const char *out = strstr(agent, "{to: reply, up-to: internal}");
	const char *line = strstr(agent, "  - {effect: read, tool: other/peek}");
	const char *behind = out + strlen("{to: reply, up-to: internal}");
	struct text whole = text_format(bench->world.arena,
		"%.*s%s%.*s  - {effect: read, tool: files/rows}\n%s", (int)(out - agent), agent,
		reply, (int)(line - behind), behind, line);

	assert_true(decide_bench_put(&bench->world, whole.data));
}

static void put_rows(struct call_bench *bench, const char *source)
{
	struct text whole = text_format(bench->world.arena,
		"object: data-source\nname: tickets\nunit: support\nsensitivity: confidential\n"
		"environment: staging\n%s---\n"
		"object: tool\nname: files/rows\neffect: read\nrisk: low\n"
		"reads: [{data-source: tickets}]\nobjects: 'rows[*].id'\n"
		"classification: 'rows[*].class'\n",
		source);

	assert_true(decide_bench_put(&bench->world, whole.data));
	put_agent(bench, "{to: reply, up-to: internal}");
}

/* Runs files/rows up to the server's answer. */
static void ask_for_rows(struct call_bench *bench, struct bench_client *client)
{
	assert_true(call_bench_start(bench, client, "rows", "{}"));
	call_bench_pump(bench);
	call_bench_ready(bench, true);
	assert_non_null(bench->request);
}

static void a_read_leaves_a_record_of_what_it_brought(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "read", TICKET));
	call_bench_pump(bench);
	assert_true(last_has(bench, "decision", "\"sources\":[\"tickets\"]"));
	call_bench_ready(bench, true);
	assert_int_equal(bench->request->ceiling, SENSITIVITY_UNLABELLED);
	call_bench_answer(bench, "{\"content\":[]}");
	call_bench_flush(bench);
	assert_true(last_has(bench, "outcome", "\"retrieval\":{\"objects\":\"unknown\""));
	assert_true(last_has(bench, "outcome", "\"query\":\"sha256:"));
	assert_true(last_has(bench, "outcome", "\"sources\":[\"tickets\"]"));
	assert_true(last_has(bench, "outcome", "\"sensitivity\":\"internal\""));
	assert_true(last_has(bench, "outcome", "\"trust\":\"untrusted\""));
}

static void a_call_that_reads_no_data_source_is_no_retrieval(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "list", "{}"));
	call_bench_pump(bench);
	call_bench_ready(bench, true);
	call_bench_answer(bench, "{\"content\":[]}");
	call_bench_flush(bench);
	assert_false(last_has(bench, "outcome", "retrieval"));
	assert_false(last_has(bench, "decision", "\"sources\""));
}

static void rows_up_to_the_ceiling_are_passed_on_and_recorded(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	put_rows(bench, "ids: open\n");
	ask_for_rows(bench, &client);
	assert_int_equal(bench->request->ceiling, SENSITIVITY_INTERNAL);
	assert_int_equal(bench->request->record, client.index);
	call_bench_answer(bench,
		"{\"structuredContent\":{\"rows\":[{\"id\":\"t-1\",\"class\":\"public\"},"
		"{\"id\":\"t-2\",\"class\":\"internal\"}]}}");
	assert_int_equal(client.kind, CALL_RESULT);
	call_bench_flush(bench);
	assert_true(last_has(bench, "outcome", "\"objects\":[\"t-1\",\"t-2\"]"));
	assert_true(last_has(bench, "outcome", "\"count\":2"));
	assert_true(last_has(bench, "outcome", "\"ceiling\":\"internal\""));
	assert_true(last_has(bench, "decision", "\"ceiling\":\"internal\""));
}

static void ids_are_digests_unless_their_source_opens_them(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	put_rows(bench, "");
	ask_for_rows(bench, &client);
	call_bench_answer(bench,
		"{\"structuredContent\":{\"rows\":[{\"id\":\"row-77\",\"class\":\"public\"}]}}");
	call_bench_flush(bench);
	assert_false(last_has(bench, "outcome", "row-77\""));
	assert_true(last_has(bench, "outcome", "\"objects\":[\"sha256:"));
}

static void an_open_id_that_is_too_long_is_a_digest(void **state)
{
	struct call_bench *bench = *state;
	char id[RETRIEVAL_ID_BYTES_MAX + 2];
	struct bench_client client;
	size_t length;

	put_rows(bench, "ids: open\n");
	for (length = RETRIEVAL_ID_BYTES_MAX; length <= RETRIEVAL_ID_BYTES_MAX + 1; length++) {
		struct text answer;

		memset(id, 'i', length);
		id[length] = '\0';
		answer = text_format(bench->world.arena,
			"{\"structuredContent\":{\"rows\":[{\"id\":\"%s\",\"class\":\"public\"}]}}",
			id);
		ask_for_rows(bench, &client);
		call_bench_answer(bench, answer.data);
		call_bench_flush(bench);
		assert_int_equal(last_has(bench, "outcome", id), length == RETRIEVAL_ID_BYTES_MAX);
	}
}

static void withheld(struct call_bench *bench, const char *answer, const char *why)
{
	struct bench_client client;

	ask_for_rows(bench, &client);
	call_bench_answer(bench, answer);
	assert_int_equal(client.replies, 1);
	assert_int_equal(client.kind, CALL_FAILED);
	assert_non_null(strstr(client.message, why));
	assert_null(strstr(client.message, "payroll of ana"));
	assert_string_equal(client.result, "");
	call_bench_flush(bench);
	assert_true(last_has(bench, "outcome", "\"status\":\"withheld\""));
	assert_true(last_has(bench, "outcome", "\"reason\":\"sensitivity\""));
	assert_true(last_has(bench, "outcome", "\"retrieval\":{"));
	assert_false(last_has(bench, "outcome", "payroll of ana"));
}

static void a_row_above_the_ceiling_is_withheld_with_all_others(void **state)
{
	struct call_bench *bench = *state;

	put_rows(bench, "ids: open\n");
	withheld(bench,
		"{\"structuredContent\":{\"rows\":[{\"id\":\"t-1\",\"class\":\"public\"},"
		"{\"id\":\"t-9\",\"class\":\"restricted\",\"text\":\"payroll of ana\"}]}}",
		"1 of its rows are above what may come here, or not labelled");
	assert_true(last_has(bench, "outcome", "\"sensitivity\":\"restricted\""));
	assert_int_equal(call_figures(bench->call).withheld, 1);
}

static void a_result_that_lies_about_its_type_is_withheld_and_recorded(void **state)
{
	struct call_bench *bench = *state;

	put_rows(bench, "ids: open\n");
	withheld(bench, "{\"structuredContent\":\"payroll of ana\"}", "has no rows");
	assert_true(last_has(bench, "outcome", "\"objects\":\"unknown\""));
	withheld(bench, "{\"content\":[{\"type\":\"text\",\"text\":\"payroll of ana\"}]}",
		"has no rows");
	withheld(bench,
		"{\"structuredContent\":{\"rows\":[]},\"content\":[{\"type\":\"text\","
		"\"text\":\"payroll of ana\"}]}",
		"says something else");
}

static void the_error_of_a_server_whose_rows_are_judged_is_withheld(void **state)
{
	struct call_bench *bench = *state;

	put_rows(bench, "ids: open\n");
	withheld(bench,
		"{\"isError\":true,\"content\":[{\"type\":\"text\",\"text\":\"payroll of ana\"}]}",
		"its text is withheld");
}

static void a_knowledge_base_that_is_down_is_a_clear_error_on_record(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	put_rows(bench, "ids: open\n");
	ask_for_rows(bench, &client);
	call_bench_answer(bench, NULL);
	assert_int_equal(client.kind, CALL_FAILED);
	call_bench_flush(bench);
	assert_true(last_has(bench, "outcome", "\"status\":\"failed\""));
	assert_true(last_has(bench, "outcome", "\"objects\":\"unknown\""));
}

static void no_notice_passes_before_the_rows_are_judged(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	put_rows(bench, "ids: open\n");
	ask_for_rows(bench, &client);
	call_bench_notice(bench);
	assert_int_equal(client.notices, 0);
	call_bench_answer(bench, "{\"structuredContent\":{\"rows\":[]}}");
	assert_int_equal(client.kind, CALL_RESULT);
}

static void another_ceiling_before_the_gate_refuses_the_call(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	put_rows(bench, "ids: open\n");
	assert_true(call_bench_start(bench, &client, "rows", "{}"));
	call_bench_pump(bench);
	put_agent(bench, "{to: reply, up-to: public}");
	call_bench_ready(bench, true);
	assert_null(bench->request);
	assert_int_equal(client.kind, CALL_REFUSED);
}

static void a_resource_that_says_to_be_another_is_withheld(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start_method(
		bench, &client, "t-1", "resources/read", "{\"uri\":\"kb://tickets/41\"}"));
	call_bench_pump(bench);
	call_bench_ready(bench, true);
	assert_true(bench->request->tells_record);
	call_bench_answer(
		bench, "{\"contents\":[{\"uri\":\"kb://payroll/1\",\"text\":\"payroll of ana\"}]}");
	assert_int_equal(client.kind, CALL_FAILED);
	assert_non_null(strstr(client.message, "another resource"));
	call_bench_flush(bench);
	assert_true(last_has(bench, "outcome", "\"status\":\"withheld\""));
	assert_true(last_has(bench, "outcome", "\"reason\":\"data_source\""));
	assert_false(last_has(bench, "outcome", "payroll of ana"));
}

static void a_resource_is_recorded_by_its_uri(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(decide_bench_put(&bench->world,
		"object: data-source\nname: tickets\nunit: support\nsensitivity: internal\n"
		"environment: staging\nids: open\n"));
	assert_true(call_bench_start_method(
		bench, &client, "t-1", "resources/read", "{\"uri\":\"kb://tickets/41\"}"));
	call_bench_pump(bench);
	call_bench_ready(bench, true);
	call_bench_answer(bench, "{\"contents\":[{\"uri\":\"kb://tickets/41\",\"text\":\"x\"}]}");
	assert_int_equal(client.kind, CALL_RESULT);
	call_bench_flush(bench);
	assert_true(last_has(bench, "outcome", "\"objects\":[\"kb://tickets/41\"]"));
	assert_true(last_has(bench, "outcome", "\"count\":1"));
}

/* ---- what servers ask ---- */

static void ask(struct call_bench *bench, const char *method, const struct upstream_request *in)
{
	assert_false(call_bench_server_asks(bench, method, NULL, in != NULL));
}

static void what_a_server_asks_of_a_client_is_refused_on_record(void **state)
{
	struct call_bench *bench = *state;

	ask(bench, "sampling/createMessage", NULL);
	assert_int_equal(call_bench_records(bench, "server-request"), 1);
	assert_true(last_has(bench, "server-request", "\"method\":\"sampling/createMessage\""));
	assert_true(last_has(bench, "server-request", "\"verdict\":\"deny\""));
	assert_true(last_has(bench, "server-request", "\"server\":\"files\""));
	assert_false(last_has(bench, "server-request", "\"task\""));
	assert_int_equal(call_figures(bench->call).server_requests, 1);
}

static void a_servers_own_words_are_in_no_record(void **state)
{
	struct call_bench *bench = *state;

	ask(bench, "elicitation/create; send me payroll", NULL);
	assert_true(last_has(bench, "server-request", "\"method\":\"other\""));
	assert_false(last_has(bench, "server-request", "payroll"));
}

static void a_servers_request_within_a_call_names_the_call(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "read", TICKET));
	call_bench_pump(bench);
	call_bench_ready(bench, true);
	ask(bench, "elicitation/create", bench->request);
	assert_true(last_has(bench, "server-request", "\"task\":\"t-1\""));
	assert_true(last_has(bench, "server-request", "\"decision\":"));
	assert_int_equal(client.notices, 0);
	call_bench_answer(bench, "{\"content\":[]}");
	assert_int_equal(client.kind, CALL_RESULT);
}

static void a_server_that_asks_without_end_fills_no_log(void **state)
{
	struct call_bench *bench = *state;
	int i;

	for (i = 0; i < SERVER_REQUESTS_PER_MINUTE_MAX; i++)
		ask(bench, "roots/list", NULL);
	assert_int_equal(
		call_bench_records(bench, "server-request"), SERVER_REQUESTS_PER_MINUTE_MAX);
	ask(bench, "roots/list", NULL);
	ask(bench, "roots/list", NULL);
	assert_int_equal(
		call_bench_records(bench, "server-request"), SERVER_REQUESTS_PER_MINUTE_MAX);
	bench->filling.pass(bench->filling.context, 62 * 1000);
	ask(bench, "roots/list", NULL);
	assert_true(last_has(bench, "server-request", "\"left-out\":2"));
}

#define CALL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static int run_first(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_has_its_word),
		CALL_TEST(a_resource_that_says_to_be_another_is_withheld),
		CALL_TEST(a_resource_is_recorded_by_its_uri),
		CALL_TEST(what_a_server_asks_of_a_client_is_refused_on_record),
		CALL_TEST(a_servers_own_words_are_in_no_record),
		CALL_TEST(a_servers_request_within_a_call_names_the_call),
		CALL_TEST(a_server_that_asks_without_end_fills_no_log),
		CALL_TEST(a_read_leaves_a_record_of_what_it_brought),
		CALL_TEST(a_call_that_reads_no_data_source_is_no_retrieval),
		CALL_TEST(rows_up_to_the_ceiling_are_passed_on_and_recorded),
		CALL_TEST(ids_are_digests_unless_their_source_opens_them),
		CALL_TEST(an_open_id_that_is_too_long_is_a_digest),
		CALL_TEST(a_row_above_the_ceiling_is_withheld_with_all_others),
		CALL_TEST(a_result_that_lies_about_its_type_is_withheld_and_recorded),
		CALL_TEST(the_error_of_a_server_whose_rows_are_judged_is_withheld),
		CALL_TEST(a_knowledge_base_that_is_down_is_a_clear_error_on_record),
		CALL_TEST(no_notice_passes_before_the_rows_are_judged),
		CALL_TEST(another_ceiling_before_the_gate_refuses_the_call),
		CALL_TEST(an_allowed_call_is_recorded_forwarded_and_answered),
		CALL_TEST(a_decision_record_holds_digests_and_no_values),
		CALL_TEST(a_decision_record_says_what_was_touched_and_where_values_came_from),
		CALL_TEST(a_decision_record_names_the_outputs_it_went_by),
		CALL_TEST(what_a_call_wrote_comes_back_from_a_trusted_source_unendorsed),
		CALL_TEST(what_a_call_read_by_is_no_writing),
		CALL_TEST(a_refused_call_is_recorded_and_never_reaches_the_server),
		CALL_TEST(no_refusal_records_what_was_in_the_arguments),
		CALL_TEST(a_list_shows_only_what_the_caller_could_use),
		CALL_TEST(an_unknown_task_is_not_taken),
		CALL_TEST(a_task_and_an_identity_have_a_share_of_the_calls_in_flight),
		CALL_TEST(a_call_that_is_not_taken_holds_no_share),
		CALL_TEST(calls_in_flight_have_a_limit),
		CALL_TEST(a_call_that_ends_with_the_service_is_freed),
		CALL_TEST(no_record_no_effect),
		CALL_TEST(a_server_that_cannot_start_is_an_answer_and_an_outcome),
		CALL_TEST(a_server_that_crashes_leaves_an_outcome_that_was_forwarded),
		CALL_TEST(every_wait_has_a_deadline),
		CALL_TEST(calls_that_wait_together_are_counted_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CALL_TEST(an_allowed_call_is_counted_once),
		CALL_TEST(an_abort_before_the_record_is_durable_sends_nothing),
		CALL_TEST(an_abort_while_the_server_starts_sends_nothing),
		CALL_TEST(an_abort_of_a_sent_call_cancels_it_and_records_its_outcome),
		CALL_TEST(an_abort_of_an_asked_call_leaves_the_question),
		CALL_TEST(an_abort_while_no_record_could_be_made_is_the_end),
		CALL_TEST(a_kill_needs_one_target_that_exists_and_a_reason),
		CALL_TEST(only_those_who_answer_for_an_identity_kill_it),
		CALL_TEST(only_those_who_answer_for_a_unit_kill_it),
		CALL_TEST(a_kill_that_is_durable_first_stops_a_decided_call),
		CALL_TEST(a_kill_while_the_server_starts_sends_nothing),
		CALL_TEST(a_kill_ends_what_is_under_way_and_says_so),
		CALL_TEST(a_kill_answers_who_waits_for_people),
		CALL_TEST(a_kill_between_readiness_and_the_gate_stops_the_call),
		CALL_TEST(a_stream_ends_with_its_task),
		CALL_TEST(a_stream_ends_when_its_task_expires),
		CALL_TEST(a_call_that_needs_approval_is_held_and_then_answered),
		CALL_TEST(a_yes_lets_the_held_call_go_once),
		CALL_TEST(a_retry_uses_the_approval_and_a_changed_call_does_not),
		CALL_TEST(a_no_refuses_the_held_call_and_every_retry),
		CALL_TEST(two_retries_at_once_use_the_approval_once),
		CALL_TEST(an_approval_whose_record_is_lost_is_given_back),
		CALL_TEST(an_approval_is_given_back_when_its_record_is_lost_too_late),
		CALL_TEST(an_outcome_that_no_log_takes_ends_the_call_in_the_end),
		CALL_TEST(an_outcome_that_is_not_taken_at_first_is_written_later),
		CALL_TEST(no_outcome_waits_for_a_log_that_has_failed),
		CALL_TEST(an_answer_opens_nothing_once_the_approver_lost_the_standing),
		CALL_TEST(an_approved_call_is_decided_again),
		CALL_TEST(a_guardrail_added_before_the_record_is_durable_stops_the_call),
		CALL_TEST(a_guardrail_added_while_the_server_starts_stops_the_call),
		CALL_TEST(a_change_that_leaves_it_allowed_lets_the_call_go),
		CALL_TEST(an_approval_does_not_survive_a_change_under_way),
		CALL_TEST(a_tool_that_is_not_as_pinned_is_not_called),
		CALL_TEST(arguments_of_another_form_are_refused_and_recorded_so),
		CALL_TEST(a_result_that_lies_about_its_form_is_not_passed_on),
		CALL_TEST(a_look_connects_the_server_and_calls_nothing),
		CALL_TEST(what_was_in_flight_at_a_crash_has_an_unknown_outcome),
	};
	int failed = run_first();

	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
