/* Approvals of a log, checked from the log alone: the bench's log as the daemon wrote it, and
 * with one thing in it otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/answer/answer_audit.h"
#include "services/approve/break_glass.h"
#include "support/call_bench.h"

struct bench {
	struct call_bench calls;
	struct answer_audit *audit;
	char id[32];
};

static int setup(void **state)
{
	static struct bench bench;

	bench.audit = NULL;
	call_bench_init(&bench.calls, 0);
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	answer_audit_destroy(&bench->audit);
	call_bench_deinit(&bench->calls);
	return 0;
}

static void call(struct bench *bench, const char *tool, const char *arguments)
{
	struct bench_client client;

	assert_true(call_bench_start(&bench->calls, &client, tool, arguments));
	call_bench_ready(&bench->calls, true);
	call_bench_answer(&bench->calls, "{}");
	call_bench_flush(&bench->calls);
	if (client.kind == CALL_ASKED)
		(void)snprintf(bench->id, sizeof bench->id, "%s", client.approval);
}

static void feed(struct bench *bench, uint64_t index, struct text entry)
{
	struct error err = {0};

	assert_true(answer_audit_feed(bench->audit, index, entry, &err));
}

static void feed_key_until(
	struct bench *bench, const char *person, const char *verb, const char *more)
{
	struct arena *arena = bench->calls.scratch;
	struct json jwk = people_jwk(arena, person);
	struct text kid = people_kid(arena, person);
	struct text key = json_canonical_text(arena, &jwk);

	feed(bench, 0,
		text_format(arena,
			"{\"type\":\"person-key\",\"verb\":\"%s\",\"person\":\"%s\",\"kid\":\"%.*"
			"s\","
			"\"jwk\":%.*s%s}",
			verb, person, TEXT_ARGS(kid), TEXT_ARGS(key), more));
}

static void feed_key(struct bench *bench, const char *person, const char *verb)
{
	feed_key_until(bench, person, verb, "");
}

/* Opens an audit that has seen where the log began and whose keys there are. */
static void begin(struct bench *bench)
{
	struct error err = {0};

	answer_audit_destroy(&bench->audit);
	assert_true(answer_audit_create(&bench->audit, &err));
	feed(bench, 0, TEXT("{\"type\":\"genesis\",\"origin\":\"" PEOPLE_INSTALLATION "\"}"));
	feed_key(bench, "ana", "enrol");
	feed_key(bench, "bo", "enrol");
}

/* Feeds what the bench recorded, `before` replaced by `after` in the first record of the
 * type. */
static struct answer_figures audited(
	struct bench *bench, const char *type, const char *before, const char *after)
{
	struct fake_log *log = &bench->calls.log;
	bool is_done = before == NULL;

	for (size_t i = 0; i < log->count; i++) {
		struct text entry =
			text_format(bench->calls.scratch, "%.*s", TEXT_ARGS(log->entries[i].entry));
		const char *at = is_done ? NULL : strstr(entry.data, before);

		if (at != NULL && strstr(entry.data, type) != NULL) {
			entry = text_format(bench->calls.scratch, "%.*s%s%s",
				(int)(at - entry.data), entry.data, after, at + strlen(before));
			is_done = true;
		}
		feed(bench, i, entry);
	}
	assert_true(is_done);
	return answer_audit_figures(bench->audit);
}

static struct answer_finding first_finding(struct bench *bench)
{
	const struct answer_finding *findings;

	assert_true(answer_audit_findings(bench->audit, &findings) > 0);
	return findings[0];
}

/* One call that was asked about, approved and made. */
static void approved(struct bench *bench)
{
	call(bench, "write", "{\"a\":1}");
	assert_true(call_bench_approve(&bench->calls, bench->id, "ana", true));
	call(bench, "write", "{\"a\":1}");
	assert_int_equal(bench->calls.started, 1);
}

static void what_the_person_signed_is_proven_and_what_it_opened_is_backed(void **state)
{
	struct bench *bench = *state;
	struct answer_figures figures;

	approved(bench);
	call(bench, "write", "{\"a\":2}");
	assert_true(call_bench_approve(&bench->calls, bench->id, "ana", false));
	begin(bench);
	figures = audited(bench, NULL, NULL, NULL);
	assert_int_equal(figures.answers, 2);
	assert_int_equal(figures.proven, 2);
	assert_int_equal(figures.uses, 1);
	assert_int_equal(figures.backed, 1);
	assert_int_equal(figures.findings, 0);
}

static void an_answer_that_was_tampered_with_is_found(void **state)
{
	static const struct {
		const char *before, *after;
		enum answer_fault fault;
	} lies[] = {
		{"\"actor\":\"person:ana\"", "\"actor\":\"person:bo\"", ANSWER_NOT_THEIRS},
		{"because\\\"}\"", "be cause\\\"}\"", ANSWER_FORGED},
		{"\"answer\":\"yes\"", "\"answer\":\"no\"", ANSWER_OTHER_PLACE},
		{"\"answer\":\"yes\"", "\"answer\":\"edited\"", ANSWER_OTHER_PLACE},
		{"\"at\":18", "\"at\":19", ANSWER_FORGED},
		{"\"signature\":\"", "\"signature\":\"A", ANSWER_MALFORMED},
	};
	struct bench *bench = *state;

	approved(bench);
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		struct answer_figures figures;

		begin(bench);
		figures = audited(bench, "approval-answered", lies[i].before, lies[i].after);
		if (figures.findings != 2) /* the answer, and what it opened */
			fail_msg("lie %zu: %u findings", i, (unsigned)figures.findings);
		assert_int_equal(first_finding(bench).fault, lies[i].fault);
		assert_int_equal(figures.backed, 0);
	}
}

static void a_question_about_another_call_is_not_the_one_that_was_answered(void **state)
{
	struct bench *bench = *state;

	approved(bench);
	begin(bench);
	assert_int_equal(
		audited(bench, "approval-asked", "\"call\":\"sha256:", "\"call\":\"sha256:0")
			.findings,
		2);
	assert_int_equal(first_finding(bench).fault, ANSWER_OTHER_CALL);
}

static void a_key_counts_from_its_enrolment_to_its_end(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	approved(bench);
	begin(bench);
	feed_key(bench, "ana", "revoke");
	assert_int_equal(audited(bench, NULL, NULL, NULL).findings, 2);
	assert_int_equal(first_finding(bench).fault, ANSWER_NOT_THEIRS);
	answer_audit_destroy(&bench->audit);
	assert_true(answer_audit_create(&bench->audit, &err));
	feed_key(bench, "ana", "enrol");
	assert_int_equal(audited(bench, NULL, NULL, NULL).findings, 2);
	assert_int_equal(first_finding(bench).fault, ANSWER_FORGED); /* no origin */
}

static void a_key_with_an_end_counts_until_then(void **state)
{
	struct bench *bench = *state;

	approved(bench);
	begin(bench);
	feed_key_until(bench, "ana", "enrol", ",\"expires_utc_ms\":1");
	assert_int_equal(audited(bench, NULL, NULL, NULL).findings, 2);
	assert_int_equal(first_finding(bench).fault, ANSWER_NOT_THEIRS);
	begin(bench);
	feed_key_until(bench, "ana", "enrol", ",\"expires_utc_ms\":253402300799000");
	assert_int_equal(audited(bench, NULL, NULL, NULL).findings, 0);
}

static void a_use_without_its_yes_is_found(void **state)
{
	struct bench *bench = *state;
	struct text entry = {0};

	approved(bench);
	begin(bench);
	assert_int_equal(
		audited(bench, "approval-answered", "\"names\":[\"owner\"]", "\"names\":[]").backed,
		0);
	assert_int_equal(first_finding(bench).misuse, ANSWER_USE_UNCOVERED);
	begin(bench);
	(void)audited(bench, "\"verdict\":\"allow\"", "\"tool\":\"files/write\"",
		"\"tool\":\"files/mail\"");
	assert_int_equal(first_finding(bench).misuse, ANSWER_USE_OTHER);
	begin(bench);
	(void)audited(bench, "\"verdict\":\"allow\"",
		"\"arguments\":\"sha256:", "\"arguments\":\"sha256:0");
	assert_int_equal(first_finding(bench).misuse, ANSWER_USE_OTHER);
	begin(bench);
	(void)audited(bench, "\"verdict\":\"allow\"", "\"approval\":\"a-", "\"approval\":\"a-x");
	assert_int_equal(first_finding(bench).misuse, ANSWER_USE_UNKNOWN);
	begin(bench);
	assert_int_equal(audited(bench, NULL, NULL, NULL).findings, 0);
	entry = text_of(call_bench_last(&bench->calls, "decision"));
	feed(bench, 99, entry);
	assert_int_equal(first_finding(bench).misuse, ANSWER_USE_AGAIN);
	assert_int_equal(first_finding(bench).index, 99);
	assert_true(strlen(answer_misuse_meaning(ANSWER_USE_REFUSED)) > 0);
}

static void an_answer_of_before_it_was_signed_is_not_proven(void **state)
{
	struct bench *bench = *state;
	struct answer_figures figures;

	approved(bench);
	begin(bench);
	figures = audited(bench, "approval-answered", "\"signature\":", "\"signed-once\":");
	assert_int_equal(figures.unsigned_answers, 1);
	assert_int_equal(figures.proven, 0);
	assert_int_equal(figures.backed, 0);
}

static void on_done(void *context, uint64_t index, const struct error *err)
{
	(void)context;
	(void)index;
	assert_null(err);
}

static void a_break_glass_is_held_against_what_it_let_go(void **state)
{
	struct bench *bench = *state;
	const struct people_answer signs = {.person = "bo",
		.verb = ANSWER_APPROVE,
		.approval = TEXT("x"),
		.reason = "r",
		.now_utc_ms = bench->calls.log.now_utc_ms};
	struct break_glass_request request = {.verb = BREAK_GLASS_VERB_OPEN,
		.person = TEXT("bo"),
		.identity = TEXT("agent"),
		.tool = TEXT("files/write"),
		.ticket = TEXT("INC-7"),
		.reason = TEXT("the owner is away"),
		.is_alone = true,
		.proof = people_sign(bench->calls.scratch, &signs),
		.arena = bench->calls.scratch,
		.done = on_done};
	struct answer_figures figures;
	struct error err;

	assert_true(break_glass_submit(bench->calls.approve, &request, &err));
	call_bench_flush(&bench->calls);
	call(bench, "write", "{}");
	assert_int_equal(bench->calls.started, 1);
	begin(bench);
	figures = audited(bench, NULL, NULL, NULL);
	assert_int_equal(figures.broken, 1);
	assert_int_equal(figures.findings, 0);
	begin(bench);
	assert_int_equal(audited(bench, "break-glass-opened", "\"actor\":\"person:bo\"",
				 "\"actor\":\"person:ana\"")
				 .findings,
		2);
	assert_int_equal(first_finding(bench).fault, ANSWER_NOT_THEIRS);
	begin(bench);
	assert_int_equal(audited(bench, "break-glass-opened", "\"tool\":\"files/write\"",
				 "\"tool\":\"files/read\"")
				 .findings,
		1);
	assert_int_equal(first_finding(bench).misuse, ANSWER_USE_GLASS);
	begin(bench);
	assert_int_equal(audited(bench, "\"type\":\"decision\"", "\"decided\":18", "\"decided\":98")
				 .findings,
		1);
}

static void what_is_no_record_is_passed_over(void **state)
{
	static const char *const entries[] = {"", "[]", "{", "{\"type\":\"approval-answered\"}",
		"{\"type\":\"approval-asked\",\"names\":3}", "{\"type\":\"person-key\"}",
		"{\"type\":\"person-key\",\"kid\":\"k\",\"jwk\":[]}",
		"{\"type\":\"decision\",\"verdict\":\"allow\"}"};
	struct bench *bench = *state;

	begin(bench);
	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
		feed(bench, i, text_of(entries[i]));
	for (size_t i = 0; i < 2 * ANSWER_AUDIT_FINDINGS_MAX; i++)
		feed(bench, i, TEXT("{\"type\":\"approval-answered\",\"approval\":\"a-1\"}"));
	assert_int_equal(
		answer_audit_figures(bench->audit).findings, 2 * ANSWER_AUDIT_FINDINGS_MAX + 1);
}

#define AUDIT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AUDIT_TEST(what_the_person_signed_is_proven_and_what_it_opened_is_backed),
		AUDIT_TEST(an_answer_that_was_tampered_with_is_found),
		AUDIT_TEST(a_question_about_another_call_is_not_the_one_that_was_answered),
		AUDIT_TEST(a_key_counts_from_its_enrolment_to_its_end),
		AUDIT_TEST(a_key_with_an_end_counts_until_then),
		AUDIT_TEST(a_use_without_its_yes_is_found),
		AUDIT_TEST(an_answer_of_before_it_was_signed_is_not_proven),
		AUDIT_TEST(a_break_glass_is_held_against_what_it_let_go),
		AUDIT_TEST(what_is_no_record_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
