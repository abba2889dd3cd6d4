/* Break-glass: who opens it, what it opens, for how long, and what comes after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/approve/break_glass.h"
#include "support/call_bench.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

struct breaking {
	struct call_bench bench;
	struct error err;
	char id[32];
	unsigned done;
	unsigned told[8]; /* events */
};

static void on_event(void *context, enum approval_event event, const struct approval *approval)
{
	(void)context;
	(void)event;
	(void)approval;
}

static void on_break_glass(
	void *context, enum break_glass_event event, const struct break_glass *glass)
{
	struct breaking *breaking = context;

	assert_true(glass->id.length > 0);
	breaking->told[event]++;
}

static int setup(void **state)
{
	static struct breaking breaking;
	const struct approve_listener listener = {
		.context = &breaking, .on_event = on_event, .on_break_glass = on_break_glass};

	memset(&breaking, 0, sizeof breaking);
	call_bench_init(&breaking.bench, 0);
	approve_listen(breaking.bench.approve, &listener);
	decide_bench_fold(&breaking.bench.world,
		"{\"type\":\"task-opened\",\"at\":1,\"task\":\"t-l\",\"identity\":\"agent\","
		"\"charter-version\":1,\"environment\":\"staging\",\"deadline\":1900000000000,"
		"\"identity-epoch\":0}");
	*state = &breaking;
	return 0;
}

static int teardown(void **state)
{
	struct breaking *breaking = *state;

	call_bench_deinit(&breaking->bench);
	return 0;
}

static void on_done(void *context, uint64_t index, const struct error *err)
{
	struct breaking *breaking = context;

	(void)index;
	breaking->done += err == NULL;
}

static struct answer_proof sign(struct breaking *breaking, const char *person)
{
	const struct people_answer answer = {.person = person,
		.verb = ANSWER_APPROVE,
		.approval = TEXT("x"),
		.reason = "r",
		.now_utc_ms = breaking->bench.log.now_utc_ms};

	return people_sign(breaking->bench.scratch, &answer);
}

static bool submit(struct breaking *breaking, struct break_glass_request request)
{
	bool ok;

	breaking->err = (struct error){0};
	if (request.proof.signature.length == 0 && request.person.length != 0)
		request.proof = sign(breaking, request.person.data);
	request.arena = breaking->bench.scratch;
	request.context = breaking;
	request.done = on_done;
	ok = break_glass_submit(breaking->bench.approve, &request, &breaking->err);
	if (ok)
		(void)snprintf(
			breaking->id, sizeof breaking->id, "%.*s", TEXT_ARGS(request.out_id));
	call_bench_flush(&breaking->bench);
	return ok;
}

static struct break_glass_request opening(const char *person, bool is_alone)
{
	return (struct break_glass_request){.verb = BREAK_GLASS_VERB_OPEN,
		.person = text_of(person),
		.identity = TEXT("agent"),
		.ticket = TEXT("INC-7"),
		.reason = TEXT("the owner is on a plane"),
		.is_alone = is_alone};
}

static bool step(struct breaking *breaking, enum break_glass_verb verb, const char *person)
{
	return submit(breaking, (struct break_glass_request){.verb = verb,
					.person = text_of(person),
					.id = text_of(breaking->id),
					.reason = TEXT("found in order")});
}

static void open_by_two(struct breaking *breaking)
{
	assert_true(submit(breaking, opening("bo", false)));
	assert_true(step(breaking, BREAK_GLASS_VERB_AGREE, "eva"));
}

static const struct break_glass *glass_of(struct breaking *breaking)
{
	return break_glass_find(breaking->bench.approve, text_of(breaking->id));
}

static bool is_open(struct breaking *breaking)
{
	const struct break_glass *glass = glass_of(breaking);

	return glass != NULL &&
	       break_glass_is_open(breaking->bench.approve, glass, breaking->bench.log.now_utc_ms);
}

/* Requests that reached the server by one call. */
static unsigned reach(struct breaking *breaking, const char *tool, const char *arguments)
{
	struct call_bench *bench = &breaking->bench;
	unsigned before = bench->started;
	struct bench_client client;
	char params[256];

	(void)snprintf(
		params, sizeof params, "{\"name\":\"%s\",\"arguments\":%s}", tool, arguments);
	assert_true(call_bench_start_method(bench, &client, "t-l", "tools/call", params));
	call_bench_ready(bench, true);
	call_bench_answer(bench, "{}");
	call_bench_flush(bench);
	return bench->started - before;
}

static void pass(struct breaking *breaking, int64_t ms)
{
	breaking->bench.log.now_utc_ms += ms;
	approve_tick(breaking->bench.approve, breaking->bench.log.now_utc_ms);
	call_bench_flush(&breaking->bench);
}

/* ---- who ---- */

static void nobody_opens_it_without_answering_for_the_identity(void **state)
{
	struct breaking *breaking = *state;

	assert_false(submit(breaking, opening("cy", true))); /* approver of sales */
	assert_false(submit(breaking, opening("nobody", true)));
	assert_false(submit(breaking, opening("agent", true)));
	assert_int_equal(breaking->err.code, ERROR_INVALID);
	assert_null(break_glass_next(breaking->bench.approve, NULL));
}

static void nobody_opens_it_unsigned_or_by_anothers_key(void **state)
{
	struct breaking *breaking = *state;
	struct break_glass_request request = opening("bo", true);

	request.proof = sign(breaking, "ana");
	assert_false(submit(breaking, request));
	request.proof = sign(breaking, "bo");
	request.proof.body = TEXT("{}");
	assert_false(submit(breaking, request));
	request.proof = (struct answer_proof){.signature = TEXT("a.b.c"), .body = TEXT("{}")};
	assert_false(submit(breaking, request));
}

static void it_takes_a_reason_a_ticket_and_at_most_an_hour(void **state)
{
	static char long_text[APPROVAL_REASON_BYTES_MAX + 2];
	struct breaking *breaking = *state;
	struct break_glass_request request = opening("bo", true);
	int64_t end_utc_ms;

	memset(long_text, 'x', sizeof long_text - 1);
	request.reason = TEXT("");
	assert_false(submit(breaking, request));
	request.reason = text_of(long_text);
	assert_false(submit(breaking, request));
	request = opening("bo", true);
	request.ticket = TEXT("");
	assert_false(submit(breaking, request));
	request.ticket = (struct text){long_text, BREAK_GLASS_TICKET_BYTES_MAX + 1};
	assert_false(submit(breaking, request));
	request = opening("bo", true);
	request.minutes = BREAK_GLASS_MINUTES_MAX + 1;
	assert_false(submit(breaking, request));
	request.minutes = -1;
	assert_false(submit(breaking, request));
	request.minutes = BREAK_GLASS_MINUTES_MAX;
	request.reason = (struct text){long_text, APPROVAL_REASON_BYTES_MAX};
	request.ticket = (struct text){long_text, BREAK_GLASS_TICKET_BYTES_MAX};
	assert_true(submit(breaking, request));
	end_utc_ms = glass_of(breaking)->expires_utc_ms;
	assert_true(end_utc_ms - glass_of(breaking)->asked_at_utc_ms <= HOUR_MS + 2);
	assert_true(
		break_glass_is_open(breaking->bench.approve, glass_of(breaking), end_utc_ms - 1));
	assert_false(break_glass_is_open(breaking->bench.approve, glass_of(breaking), end_utc_ms));
}

static void what_is_not_there_is_not_opened(void **state)
{
	struct breaking *breaking = *state;
	struct break_glass_request request = opening("bo", true);

	request.identity = TEXT("none");
	assert_false(submit(breaking, request));
	request = opening("bo", true);
	request.tool = TEXT("files/none");
	assert_false(submit(breaking, request));
	request = opening("bo", true);
	request.task = TEXT("t-none");
	assert_false(submit(breaking, request));
	breaking->id[0] = '\0';
	assert_false(step(breaking, BREAK_GLASS_VERB_CLOSE, "bo"));
	assert_int_equal(breaking->err.code, ERROR_NOT_FOUND);
}

/* What it would open is what a sandbox has no approvals for: real data, other places. */
static void nobody_opens_it_for_a_sandbox(void **state)
{
	struct breaking *breaking = *state;
	const struct registry_entry *entry =
		registry_find_identity(breaking->bench.world.registry, TEXT("agent"));
	struct charter *charter = (struct charter *)(uintptr_t)charter_of(entry->in_force);

	charter->sandbox.template_version = 1;
	assert_false(submit(breaking, opening("bo", true)));
	assert_non_null(strstr(breaking->err.text, "a sandbox has no break-glass"));
	charter->sandbox.template_version = 0;
	assert_true(submit(breaking, opening("bo", true)));
}

static void two_people_open_it_and_not_one_twice(void **state)
{
	struct breaking *breaking = *state;

	assert_true(submit(breaking, opening("bo", false)));
	assert_false(is_open(breaking));
	assert_int_equal(reach(breaking, "write", "{}"), 0);
	assert_false(step(breaking, BREAK_GLASS_VERB_AGREE, "bo"));
	assert_false(step(breaking, BREAK_GLASS_VERB_AGREE, "cy"));
	assert_true(step(breaking, BREAK_GLASS_VERB_AGREE, "eva"));
	assert_true(is_open(breaking));
	assert_false(step(breaking, BREAK_GLASS_VERB_AGREE, "ana"));
	assert_int_equal(glass_of(breaking)->review_due_utc_ms, 0);
	assert_int_equal(breaking->told[BREAK_GLASS_EVENT_ASKED], 1);
	assert_int_equal(breaking->told[BREAK_GLASS_EVENT_OPENED], 1);
}

static void a_second_person_agrees_soon_or_never(void **state)
{
	struct breaking *breaking = *state;

	assert_true(submit(breaking, opening("bo", false)));
	breaking->bench.log.now_utc_ms += BREAK_GLASS_AGREE_MS;
	assert_false(step(breaking, BREAK_GLASS_VERB_AGREE, "eva"));
	pass(breaking, 1);
	assert_null(glass_of(breaking));
}

/* ---- what ---- */

static void it_stands_in_for_approvals_and_marks_what_went(void **state)
{
	struct breaking *breaking = *state;

	assert_int_equal(reach(breaking, "write", "{\"a\":1}"), 0);
	open_by_two(breaking);
	assert_int_equal(reach(breaking, "write", "{\"a\":1}"), 1);
	assert_int_equal(reach(breaking, "write", "{\"a\":2}"), 1);
	assert_non_null(strstr(call_bench_last(&breaking->bench, "decision"), breaking->id));
	assert_non_null(strstr(call_bench_last(&breaking->bench, "outcome"), breaking->id));
	assert_non_null(strstr(call_bench_last(&breaking->bench, "break-glass-opened"), "INC-7"));
	assert_true(step(breaking, BREAK_GLASS_VERB_CLOSE, "ana"));
	assert_int_equal(reach(breaking, "write", "{\"a\":3}"), 0);
	assert_null(glass_of(breaking));
}

static void it_opens_no_guardrail_that_no_approval_opens(void **state)
{
	struct breaking *breaking = *state;

	open_by_two(breaking);
	assert_true(decide_bench_put(&breaking->bench.world,
		"object: policy\nname: org/stop\ntext: |\n"
		"  forbid (principal, action == Action::\"write\", resource);\n"));
	assert_int_equal(reach(breaking, "write", "{}"), 0);
}

static void it_opens_no_line_that_the_charter_does_not_have(void **state)
{
	struct breaking *breaking = *state;

	open_by_two(breaking);
	decide_bench_edit(&breaking->bench.world, "agent",
		"  - {effect: write, tool: files/write, approvals: [owner]}\n", "");
	assert_int_equal(reach(breaking, "write", "{}"), 0);
}

static void it_opens_nothing_of_a_suspended_or_killed_identity(void **state)
{
	struct breaking *breaking = *state;

	open_by_two(breaking);
	decide_bench_set_state(&breaking->bench.world, "agent", IDENTITY_SUSPENDED);
	assert_int_equal(reach(breaking, "write", "{}"), 0);
	assert_false(submit(breaking, opening("ana", true)));
	decide_bench_set_state(&breaking->bench.world, "agent", IDENTITY_ACTIVE);
	assert_int_equal(reach(breaking, "write", "{}"), 1);
	/* A kill is its end, whatever comes after. */
	assert_true(call_bench_kill(&breaking->bench, "agent", ""));
	decide_bench_set_state(&breaking->bench.world, "agent", IDENTITY_ACTIVE);
	assert_false(is_open(breaking));
}

static void it_does_not_undo_a_persons_no(void **state)
{
	struct breaking *breaking = *state;
	struct bench_client client;

	assert_true(call_bench_start_method(&breaking->bench, &client, "t-l", "tools/call",
		"{\"name\":\"write\",\"arguments\":{\"a\":1}}"));
	assert_true(call_bench_approve(&breaking->bench, client.approval, "ana", false));
	open_by_two(breaking);
	assert_int_equal(reach(breaking, "write", "{\"a\":1}"), 0);
}

static void it_is_for_one_identity_tool_and_task(void **state)
{
	struct breaking *breaking = *state;
	struct break_glass_request request = opening("bo", true);

	request.tool = TEXT("files/run");
	assert_true(submit(breaking, request));
	assert_int_equal(reach(breaking, "write", "{}"), 0);
	assert_true(step(breaking, BREAK_GLASS_VERB_CLOSE, "bo"));
	request.tool = TEXT("files/write");
	request.task = TEXT("t-1");
	assert_true(submit(breaking, request));
	assert_int_equal(reach(breaking, "write", "{}"), 0);
	request.task = TEXT("t-l");
	assert_true(submit(breaking, request));
	assert_int_equal(reach(breaking, "write", "{}"), 1);
}

static void what_another_unit_must_approve_it_does_not_open(void **state)
{
	struct breaking *breaking = *state;

	assert_true(decide_bench_put(&breaking->bench.world,
		"object: policy\nname: org/ask\ntext: |\n"
		"  forbid (principal, action == Action::\"execute\", resource)\n"
		"  unless { context.approvals.contains(\"data-owner/support\") };\n"));
	open_by_two(breaking); /* bo and eva own no data of support */
	assert_int_equal(reach(breaking, "run", "{}"), 0);
	assert_true(submit(breaking, opening("ana", true))); /* who does */
	assert_int_equal(reach(breaking, "run", "{}"), 1);
}

static void nobody_opens_it_for_what_is_done_on_their_own_behalf(void **state)
{
	struct breaking *breaking = *state;
	struct break_glass_request request = opening("ana", true);
	struct bench_client client;

	decide_bench_fold(&breaking->bench.world,
		"{\"type\":\"task-opened\",\"at\":1,\"task\":\"t-ana\",\"identity\":\"agent\","
		"\"charter-version\":1,\"environment\":\"staging\",\"deadline\":1900000000000,"
		"\"identity-epoch\":0,\"person\":\"ana\"}");
	request.task = TEXT("t-ana");
	assert_false(submit(breaking, request));
	/* Nor by leaving the task out. */
	assert_true(submit(breaking, opening("ana", true)));
	assert_true(call_bench_start_method(&breaking->bench, &client, "t-ana", "tools/call",
		"{\"name\":\"write\",\"arguments\":{}}"));
	assert_int_equal(client.kind, CALL_ASKED);
	assert_int_equal(reach(breaking, "write", "{}"), 1);
}

static void one_that_was_closed_under_way_lets_nothing_go(void **state)
{
	struct breaking *breaking = *state;
	struct bench_client client;

	open_by_two(breaking);
	assert_true(call_bench_start_method(&breaking->bench, &client, "t-l", "tools/call",
		"{\"name\":\"write\",\"arguments\":{}}"));
	assert_true(step(breaking, BREAK_GLASS_VERB_CLOSE, "ana"));
	call_bench_ready(&breaking->bench, true);
	assert_int_equal(breaking->bench.started, 0);
	assert_int_equal(client.kind, CALL_REFUSED);
}

/* ---- after ---- */

static void one_who_was_alone_is_reviewed_by_another(void **state)
{
	struct breaking *breaking = *state;

	assert_true(submit(breaking, opening("bo", true)));
	assert_false(step(breaking, BREAK_GLASS_VERB_REVIEW, "ana")); /* it is open */
	pass(breaking, 20 * MINUTE_MS);
	assert_int_equal(glass_of(breaking)->state, BREAK_GLASS_CLOSED);
	assert_false(step(breaking, BREAK_GLASS_VERB_REVIEW, "bo"));
	assert_false(step(breaking, BREAK_GLASS_VERB_REVIEW, "cy"));
	assert_true(step(breaking, BREAK_GLASS_VERB_REVIEW, "ana"));
	assert_null(glass_of(breaking));
	assert_non_null(strstr(
		call_bench_last(&breaking->bench, "break-glass-reviewed"), "found in order"));
	assert_true(submit(breaking, opening("bo", true)));
}

static void without_a_review_in_time_its_opener_opens_none(void **state)
{
	struct breaking *breaking = *state;

	assert_true(submit(breaking, opening("bo", true)));
	pass(breaking, 20 * MINUTE_MS);
	pass(breaking, BREAK_GLASS_REVIEW_MS - 10 * MINUTE_MS);
	assert_int_equal(break_glass_figures(breaking->bench.approve).overdue, 0);
	pass(breaking, 10 * MINUTE_MS);
	pass(breaking, MINUTE_MS);
	assert_int_equal(break_glass_figures(breaking->bench.approve).overdue, 1);
	assert_int_equal(breaking->told[BREAK_GLASS_EVENT_OVERDUE], 1);
	assert_false(submit(breaking, opening("bo", true)));
	assert_non_null(strstr(breaking->err.text, "not reviewed in time"));
	assert_false(submit(breaking, opening("bo", false)));
	/* Another may; and a late review ends it. */
	(void)snprintf(breaking->id, sizeof breaking->id, "%.*s",
		TEXT_ARGS(break_glass_next(breaking->bench.approve, NULL)->id));
	assert_true(step(breaking, BREAK_GLASS_VERB_REVIEW, "ana"));
	assert_true(submit(breaking, opening("bo", true)));
}

static void only_so_many_are_held(void **state)
{
	struct breaking *breaking = *state;

	for (int i = 0; i < BREAK_GLASS_HELD_MAX; i++)
		assert_true(submit(breaking, opening("bo", true)));
	assert_false(submit(breaking, opening("ana", true)));
	assert_int_equal(breaking->err.code, ERROR_LIMIT);
	assert_int_equal(break_glass_figures(breaking->bench.approve).open, BREAK_GLASS_HELD_MAX);
}

static void the_log_alone_gives_the_same_break_glass(void **state)
{
	struct breaking *breaking = *state;
	struct call_bench *after = calloc(1, sizeof *after);
	const struct break_glass *glass;
	struct json shown;
	struct text text;
	struct error err;

	open_by_two(breaking);
	assert_true(submit(breaking, opening("ana", true)));
	assert_true(step(breaking, BREAK_GLASS_VERB_CLOSE, "ana"));
	call_bench_init(after, 0);
	for (size_t i = 0; i < breaking->bench.log.count; i++)
		assert_true(fold_apply_entry(after->fold, breaking->bench.log.entries[i].entry,
			breaking->bench.log.entries[i].content, i, &err));
	glass = break_glass_next(after->approve, NULL);
	assert_int_equal(glass->state, BREAK_GLASS_OPEN);
	assert_true(text_is(glass->second, "eva"));
	assert_true(break_glass_json(&shown, breaking->bench.scratch, after->approve, glass, &err));
	text = json_canonical_text(breaking->bench.scratch, &shown);
	assert_non_null(strstr(text.data, "\"ticket\":\"INC-7\""));
	glass = break_glass_next(after->approve, glass);
	assert_int_equal(glass->state, BREAK_GLASS_CLOSED);
	assert_true(glass->review_due_utc_ms > 0);
	assert_null(break_glass_next(after->approve, glass));
	call_bench_deinit(after);
	free(after);
}

#define GLASS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GLASS_TEST(nobody_opens_it_without_answering_for_the_identity),
		GLASS_TEST(nobody_opens_it_unsigned_or_by_anothers_key),
		GLASS_TEST(it_takes_a_reason_a_ticket_and_at_most_an_hour),
		GLASS_TEST(what_is_not_there_is_not_opened),
		GLASS_TEST(nobody_opens_it_for_a_sandbox),
		GLASS_TEST(two_people_open_it_and_not_one_twice),
		GLASS_TEST(a_second_person_agrees_soon_or_never),
		GLASS_TEST(it_stands_in_for_approvals_and_marks_what_went),
		GLASS_TEST(it_opens_no_guardrail_that_no_approval_opens),
		GLASS_TEST(it_opens_no_line_that_the_charter_does_not_have),
		GLASS_TEST(it_opens_nothing_of_a_suspended_or_killed_identity),
		GLASS_TEST(it_does_not_undo_a_persons_no),
		GLASS_TEST(it_is_for_one_identity_tool_and_task),
		GLASS_TEST(what_another_unit_must_approve_it_does_not_open),
		GLASS_TEST(nobody_opens_it_for_what_is_done_on_their_own_behalf),
		GLASS_TEST(one_that_was_closed_under_way_lets_nothing_go),
		GLASS_TEST(one_who_was_alone_is_reviewed_by_another),
		GLASS_TEST(without_a_review_in_time_its_opener_opens_none),
		GLASS_TEST(only_so_many_are_held),
		GLASS_TEST(the_log_alone_gives_the_same_break_glass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
