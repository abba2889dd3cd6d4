/* A person who would accept other arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/call/exchange.h"
#include "services/call/question.h"
#include "support/call_bench.h"

struct editing {
	struct call_bench bench;
	struct bench_client client;
	char asked[32];
	char edited[32];
	struct error err;
	unsigned done;
	struct error failure; /* what done was told last */
};

static int setup(void **state)
{
	static struct editing editing;

	memset(&editing, 0, sizeof editing);
	call_bench_init(&editing.bench, 0);
	*state = &editing;
	return 0;
}

static int teardown(void **state)
{
	call_bench_deinit(&((struct editing *)*state)->bench);
	return 0;
}

static enum call_reply_kind call(struct editing *editing, const char *arguments)
{
	assert_true(call_bench_start(&editing->bench, &editing->client, "write", arguments));
	call_bench_ready(&editing->bench, true);
	call_bench_answer(&editing->bench, "{}");
	call_bench_flush(&editing->bench);
	return editing->client.kind;
}

static void ask(struct editing *editing, const char *arguments)
{
	assert_int_equal(call(editing, arguments), CALL_ASKED);
	(void)snprintf(editing->asked, sizeof editing->asked, "%s", editing->client.approval);
}

static void on_done(void *context, uint64_t index, const struct error *err)
{
	struct editing *editing = context;

	(void)index;
	editing->failure = err == NULL ? (struct error){0} : *err;
	editing->done++;
}

static bool edit_with(
	struct editing *editing, const char *person, const char *with, struct answer_proof proof)
{
	struct call_bench *bench = &editing->bench;
	struct call_edit edit = {.id = text_of(editing->asked),
		.person = text_of(person),
		.reason = TEXT("less would do"),
		.proof = proof,
		.arena = bench->scratch,
		.context = editing,
		.done = on_done};
	struct json patch;
	bool ok;

	assert_true(json_parse(
		&patch, bench->scratch, text_of(with), &json_limits_default, &editing->err));
	edit.with = &patch;
	ok = call_edit_submit(bench->call, &edit, &editing->err);
	if (ok)
		(void)snprintf(
			editing->edited, sizeof editing->edited, "%.*s", TEXT_ARGS(edit.approval));
	if (!bench->is_log_held)
		call_bench_flush(bench);
	return ok;
}

static bool edit(struct editing *editing, const char *person, const char *with)
{
	return edit_with(editing, person, with,
		call_bench_proof(&editing->bench, editing->asked, person, ANSWER_EDIT));
}

static enum approval_state state_of(const struct editing *editing, const char *id)
{
	return approval_find(editing->bench.approve, text_of(id))->state;
}

static void who_may_not_answer_may_not_edit(void **state)
{
	struct editing *editing = *state;

	ask(editing, "{\"amount\":100}");
	assert_false(edit(editing, "bo", "{\"amount\":5}"));
	assert_int_equal(editing->err.code, ERROR_INVALID);
	assert_false(edit_with(editing, "ana", "{\"amount\":5}", (struct answer_proof){0}));
	assert_false(edit_with(editing, "ana", "{\"amount\":5}",
		call_bench_proof(&editing->bench, editing->asked, "ana", ANSWER_APPROVE)));
	assert_int_equal(state_of(editing, editing->asked), APPROVAL_PENDING);
	assert_int_equal(call_bench_records(&editing->bench, "approval-asked"), 1);
}

static void an_edit_that_changes_nothing_or_too_much_is_refused(void **state)
{
	struct editing *editing = *state;

	ask(editing, "{\"amount\":100}");
	assert_false(edit(editing, "ana", "{}"));
	assert_non_null(strstr(editing->err.text, "were asked about"));
	assert_true(decide_bench_put(&editing->bench.world,
		"object: policy\nname: org/small\ntext: |\n"
		"  forbid (principal, action == Action::\"write\", resource)\n"
		"  when { context.args has amount && context.args.amount > 1000 };\n"));
	assert_false(edit(editing, "ana", "{\"amount\":2000}"));
	assert_non_null(strstr(editing->err.text, "would be refused"));
	assert_int_equal(state_of(editing, editing->asked), APPROVAL_PENDING);
	assert_int_equal(call_bench_records(&editing->bench, "approval-asked"), 1);
}

static void an_edit_approves_nothing(void **state)
{
	struct editing *editing = *state;

	ask(editing, "{\"amount\":100}");
	assert_true(edit(editing, "ana", "{\"amount\":5}"));
	assert_int_equal(editing->done, 1);
	assert_int_equal(state_of(editing, editing->asked), APPROVAL_EDITED);
	assert_int_equal(state_of(editing, editing->edited), APPROVAL_PENDING);
	assert_int_equal(call(editing, "{\"amount\":5}"), CALL_ASKED);
	assert_string_equal(editing->client.approval, editing->edited);
	assert_int_equal(editing->bench.started, 0);
}

static void only_exactly_what_a_person_would_accept_passes(void **state)
{
	struct editing *editing = *state;

	ask(editing, "{\"amount\":100,\"note\":{\"a\":1,\"b\":2}}");
	assert_true(edit(editing, "ana", "{\"amount\":5,\"note\":{\"b\":null}}"));
	assert_true(call_bench_approve(&editing->bench, editing->edited, "ana", true));
	assert_int_equal(
		call(editing, "{\"amount\":100,\"note\":{\"a\":1,\"b\":2}}"), CALL_REFUSED);
	assert_int_equal(call(editing, "{\"amount\":6,\"note\":{\"a\":1}}"), CALL_ASKED);
	assert_int_equal(call(editing, "{\"amount\":5,\"note\":{\"a\":1,\"c\":2}}"), CALL_ASKED);
	assert_int_equal(editing->bench.started, 0);
	assert_int_equal(call(editing, "{ \"note\":{\"a\":1}, \"amount\":5 }"), CALL_RESULT);
	assert_int_equal(editing->bench.started, 1);
	assert_int_equal(call(editing, "{\"amount\":5,\"note\":{\"a\":1}}"), CALL_ASKED);
}

static void the_agent_is_told_the_exact_arguments_and_no_record_is(void **state)
{
	struct editing *editing = *state;

	ask(editing, "{\"amount\":100,\"to\":\"somewhere\"}");
	assert_true(edit(editing, "ana", "{\"amount\":57}"));
	assert_int_equal(call(editing, "{\"amount\":100,\"to\":\"somewhere\"}"), CALL_REFUSED);
	assert_non_null(strstr(editing->client.message, "{\"amount\":57,\"to\":\"somewhere\"}"));
	for (size_t i = 0; i < editing->bench.log.count; i++) {
		struct text entry = editing->bench.log.entries[i].entry;

		assert_null(memmem(entry.data, entry.length, "somewhere", 9));
	}
	assert_non_null(strstr(
		call_bench_last(&editing->bench, "approval-asked"), "\"actor\":\"person:ana\""));
	assert_non_null(strstr(
		call_bench_last(&editing->bench, "approval-answered"), "\"answer\":\"edited\""));
}

static void a_held_call_learns_of_the_edit_at_once(void **state)
{
	struct editing *editing = *state;
	struct call_bench *bench = &editing->bench;

	call_bench_deinit(bench);
	call_bench_init(bench, 60000);
	assert_true(call_bench_start(bench, &editing->client, "write", "{\"amount\":100}"));
	assert_int_equal(editing->client.replies, 0);
	(void)snprintf(editing->asked, sizeof editing->asked, "%.*s",
		TEXT_ARGS(approval_next(bench->approve, NULL)->id));
	assert_true(edit(editing, "ana", "{\"amount\":5}"));
	call_bench_flush(bench);
	assert_int_equal(editing->client.kind, CALL_REFUSED);
	assert_non_null(strstr(editing->client.message, "{\"amount\":5}"));
}

static void an_edit_whose_records_are_lost_leaves_the_question_open(void **state)
{
	struct editing *editing = *state;
	struct call_bench *bench = &editing->bench;

	ask(editing, "{\"amount\":100}");
	bench->log.refuses = true;
	assert_false(edit(editing, "ana", "{\"amount\":5}"));
	bench->log.refuses = false;
	assert_int_equal(state_of(editing, editing->asked), APPROVAL_PENDING);
	assert_true(edit(editing, "ana", "{\"amount\":5}"));
	assert_int_equal(state_of(editing, editing->asked), APPROVAL_EDITED);
}

static void lose_one(struct editing *editing, const char *type)
{
	editing->bench.log.loses_type = type;
	editing->bench.log.loses_count = 1;
}

/* The larger of the two records finds no room on the disk, the smaller one would. */
static void an_edit_whose_question_is_lost_alone_closes_nothing(void **state)
{
	struct editing *editing = *state;

	ask(editing, "{\"amount\":100}");
	lose_one(editing, "approval-asked");
	assert_true(edit(editing, "ana", "{\"amount\":5}"));
	assert_int_equal(editing->done, 1);
	assert_int_equal(editing->failure.code, ERROR_IO);
	assert_int_equal(call_bench_records(&editing->bench, "approval-answered"), 0);
	assert_null(approval_find(editing->bench.approve, text_of(editing->edited)));
	assert_int_equal(state_of(editing, editing->asked), APPROVAL_PENDING);
	assert_true(edit(editing, "ana", "{\"amount\":5}"));
	assert_int_equal(editing->failure.code, ERROR_NONE);
	assert_int_equal(state_of(editing, editing->asked), APPROVAL_EDITED);
	assert_int_equal(state_of(editing, editing->edited), APPROVAL_PENDING);
}

static void an_edit_whose_answer_is_lost_alone_is_done_by_trying_again(void **state)
{
	struct editing *editing = *state;
	char first[32];

	ask(editing, "{\"amount\":100}");
	lose_one(editing, "approval-answered");
	assert_true(edit(editing, "ana", "{\"amount\":5}"));
	assert_int_equal(editing->failure.code, ERROR_IO);
	assert_int_equal(state_of(editing, editing->asked), APPROVAL_PENDING);
	(void)snprintf(first, sizeof first, "%s", editing->edited);
	assert_true(edit(editing, "ana", "{\"amount\":5}"));
	assert_int_equal(editing->failure.code, ERROR_NONE);
	assert_string_equal(editing->edited, first);
	assert_int_equal(call_bench_records(&editing->bench, "approval-asked"), 2);
	assert_int_equal(state_of(editing, editing->asked), APPROVAL_EDITED);
}

/* From when the question is on its way until the answer is there. */
static void nobody_else_answers_while_an_edit_is_on_its_way(void **state)
{
	struct editing *editing = *state;
	struct call_bench *bench = &editing->bench;

	ask(editing, "{\"amount\":100}");
	bench->is_log_held = true;
	assert_true(edit(editing, "ana", "{\"amount\":5}"));
	assert_int_equal(editing->done, 0);
	assert_false(call_bench_approve(bench, editing->asked, "ana", true));
	assert_false(edit(editing, "ana", "{\"amount\":7}"));
	assert_int_equal(editing->err.code, ERROR_CONFLICT);
	bench->is_log_held = false;
	call_bench_flush(bench);
	assert_int_equal(editing->done, 1);
	assert_int_equal(state_of(editing, editing->asked), APPROVAL_EDITED);
	assert_int_equal(call_bench_records(bench, "approval-asked"), 2);
}

/* Whoever may answer when the edit is taken may not when its question is there. */
static void an_edit_of_what_ran_out_on_the_way_closes_nothing(void **state)
{
	struct editing *editing = *state;
	struct call_bench *bench = &editing->bench;

	ask(editing, "{\"amount\":100}");
	bench->is_log_held = true;
	assert_true(edit(editing, "ana", "{\"amount\":5}"));
	bench->log.now_utc_ms += 2 * 60 * 60 * 1000;
	bench->is_log_held = false;
	call_bench_flush(bench);
	assert_int_equal(editing->done, 1);
	assert_int_equal(editing->failure.code, ERROR_CONFLICT);
	assert_int_equal(call_bench_records(bench, "approval-answered"), 0);
}

/* A tool with a target that the charter endorses by one value; what nobody endorses is
 * forbidden, and no approval lifts that. */
static void endorse_one_path(struct editing *editing)
{
	struct decide_bench *world = &editing->bench.world;

	decide_bench_edit(world, "agent", "{to: files/write, up-to: internal}",
		"{to: files/write, up-to: internal},"
		" {to: files/write, up-to: internal, target: vault/known}");
	assert_true(decide_bench_put(world,
		"object: tool\nname: files/write\neffect: write\nrisk: medium\n"
		"targets: [{argument: path, as: path}]\nreversal: restore\n---\n"
		"object: policy\nname: org/known\ntext: |\n"
		"  forbid (principal, action == Action::\"write\", resource)\n"
		"  when { context.origins.path == \"unknown\" };\n"));
}

static void an_edit_is_decided_by_where_its_values_came_from(void **state)
{
	struct editing *editing = *state;

	endorse_one_path(editing);
	ask(editing, "{\"path\":\"vault/known\",\"amount\":100}");
	assert_false(edit(editing, "ana", "{\"path\":\"vault/other\"}"));
	assert_non_null(strstr(editing->err.text, "would be refused"));
	assert_true(edit(editing, "ana", "{\"amount\":5}"));
	assert_non_null(strstr(
		call_bench_last(&editing->bench, "approval-asked"), "\"origins\":{\"from\":"));
	assert_true(text_is(
		approval_find(editing->bench.approve, text_of(editing->edited))->facts.origins,
		"{\"from\":[{\"argument\":\"path\",\"origin\":\"charter\"}],\"path\":"
		"\"charter\"}"));
	assert_true(call_bench_approve(&editing->bench, editing->edited, "ana", true));
	assert_int_equal(call(editing, "{\"path\":\"vault/known\",\"amount\":5}"), CALL_RESULT);
}

/* ---- secrets ---- */

#define KEY "a-credential-of-files-0123456789"

static void learn_key(struct editing *editing, struct detector **detector)
{
	const struct detector_settings settings = {.own = SECRETS_REDACTED};

	assert_true(detector_open(detector, &settings, &editing->err));
	detector_learn_credential(*detector, TEXT("files-key"), TEXT(KEY));
	editing->bench.call->ports.detector = *detector;
}

static void no_secret_is_written_into_an_edit(void **state)
{
	struct editing *editing = *state;
	struct detector *detector;

	learn_key(editing, &detector);
	ask(editing, "{\"amount\":100}");
	assert_false(edit(editing, "ana", "{\"note\":{\"a\":\"" KEY "\"}}"));
	assert_int_equal(editing->err.code, ERROR_INVALID);
	assert_non_null(strstr(editing->err.text, "holds a secret"));
	assert_null(strstr(editing->err.text, KEY));
	assert_int_equal(state_of(editing, editing->asked), APPROVAL_PENDING);
	assert_true(edit(editing, "ana", "{\"amount\":5}"));
	editing->bench.call->ports.detector = NULL;
	detector_close(&detector);
}

static void a_guardrail_sees_the_secret_that_an_edit_leaves_in(void **state)
{
	struct editing *editing = *state;
	struct detector *detector;

	learn_key(editing, &detector);
	ask(editing, "{\"amount\":100,\"note\":\"" KEY "\"}");
	assert_true(decide_bench_put(&editing->bench.world,
		"object: policy\nname: org/keep\ntext: |\n"
		"  forbid (principal, action, resource)\n"
		"  when { context.secrets.contains(\"own\") };\n"));
	assert_false(edit(editing, "ana", "{\"amount\":5}"));
	assert_non_null(strstr(editing->err.text, "would be refused"));
	assert_true(edit(editing, "ana", "{\"note\":null}"));
	editing->bench.call->ports.detector = NULL;
	detector_close(&detector);
}

static void a_long_text_is_cut_before_a_letter(void **state)
{
	(void)state;
	assert_true(text_is(call_shortened(TEXT("ab\xc3\xa4"), 4), "ab\xc3\xa4"));
	assert_true(text_is(call_shortened(TEXT("ab\xc3\xa4"), 3), "ab"));
}

#define EDIT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EDIT_TEST(who_may_not_answer_may_not_edit),
		EDIT_TEST(an_edit_that_changes_nothing_or_too_much_is_refused),
		EDIT_TEST(an_edit_approves_nothing),
		EDIT_TEST(only_exactly_what_a_person_would_accept_passes),
		EDIT_TEST(the_agent_is_told_the_exact_arguments_and_no_record_is),
		EDIT_TEST(a_held_call_learns_of_the_edit_at_once),
		EDIT_TEST(an_edit_whose_records_are_lost_leaves_the_question_open),
		EDIT_TEST(an_edit_whose_question_is_lost_alone_closes_nothing),
		EDIT_TEST(an_edit_whose_answer_is_lost_alone_is_done_by_trying_again),
		EDIT_TEST(nobody_else_answers_while_an_edit_is_on_its_way),
		EDIT_TEST(an_edit_of_what_ran_out_on_the_way_closes_nothing),
		EDIT_TEST(an_edit_is_decided_by_where_its_values_came_from),
		EDIT_TEST(no_secret_is_written_into_an_edit),
		EDIT_TEST(a_guardrail_sees_the_secret_that_an_edit_leaves_in),
		EDIT_TEST(a_long_text_is_cut_before_a_letter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
