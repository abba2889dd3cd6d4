/* Where data may go: tools and their targets, recipients, persons. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/decide_bench.h"

enum { TARGET_BYTES_MAX = 4096 }; /* CARRIED_TARGET_BYTES_MAX */

static int bench_setup(void **state)
{
	static struct decide_bench bench;

	decide_bench_init(&bench);
	*state = &bench;
	return 0;
}

static int bench_teardown(void **state)
{
	decide_bench_deinit(*state);
	return 0;
}

static void expect(const struct decision *decision, enum reason reason)
{
	if (decision->reason != reason)
		fail_msg("%s, not %s: %.*s", reason_word(decision->reason), reason_word(reason),
			TEXT_ARGS(decision->explanation));
	assert_int_equal(decision->verdict == VERDICT_ALLOW, reason == REASON_ALLOWED);
}

static void expect_of(
	struct decide_bench *bench, const char *tool, const char *arguments, enum reason reason)
{
	expect(decide_bench_ask(bench, "files", tool, arguments), reason);
}

/* The task has read so sensitive data. */
static void has_read(struct decide_bench *bench, const char *sensitivity)
{
	char record[160];

	(void)snprintf(record, sizeof record,
		"{\"type\":\"decision\",\"task\":\"t-1\",\"verdict\":\"allow\","
		"\"sensitivity\":\"%s\"}",
		sensitivity);
	decide_bench_fold(bench, record);
}

#define AGENT_OUTPUTS "{to: files/write, up-to: internal}, {to: files/run, up-to: internal}]"

/* Puts these lines beside the reply's. */
static void let_go(struct decide_bench *bench, const char *lines)
{
	char outputs[2048];

	(void)snprintf(outputs, sizeof outputs, "%s]", lines);
	decide_bench_edit(bench, "agent", AGENT_OUTPUTS, outputs);
}

/* A tool that writes, with these targets. */
static void put_tool(
	struct decide_bench *bench, const char *name, const char *effect, const char *targets)
{
	char tool[512];

	(void)snprintf(tool, sizeof tool,
		"object: tool\nname: files/%s\neffect: %s\nrisk: low\ntargets: %s\n"
		"reversal: none-needed\n",
		name, effect, targets);
	assert_true(decide_bench_put(bench, tool));
}

/* ---- tools -------------------------------------------------------------------------- */

static void only_public_data_goes_where_no_line_covers_it(void **state)
{
	struct decide_bench *bench = *state;

	let_go(bench, "{to: files/write, up-to: internal}");
	expect_of(bench, "run", "{}", REASON_ALLOWED);
	has_read(bench, "public");
	expect_of(bench, "run", "{}", REASON_ALLOWED);
	has_read(bench, "internal");
	expect_of(bench, "run", "{}", REASON_OUTPUT);
	assert_non_null(strstr(bench->decision.explanation.data,
		"The charter agent@2 does not let internal data go to files/run."));
	assert_non_null(strstr(bench->decision.needed.data,
		"An output to files/run up to internal in the charter of agent, approved."));
}

/* Where it may go is said; what is refused there, too, is not. */
static void a_refusal_names_the_targets_the_charter_lets_it_go_to(void **state)
{
	struct decide_bench *bench = *state;

	put_tool(bench, "run", "execute", "[{argument: path, as: path}]");
	has_read(bench, "confidential");
	let_go(bench, "{to: files/run, up-to: internal}, "
		      "{to: files/run, up-to: internal, target: 'b/*'}, "
		      "{to: files/write, up-to: restricted, target: 'c/*'}, "
		      "{to: files/run, up-to: confidential, target: 'reports/*'}");
	expect_of(bench, "run", "{\"path\":\"elsewhere/x\"}", REASON_OUTPUT);
	assert_string_equal(bench->decision.explanation.data,
		"The charter agent@2 does not let confidential data go to files/run, only to "
		"targets like reports/*.");
	assert_string_equal(bench->decision.needed.data,
		"A call to targets like reports/* alone, or an output to files/run up to "
		"confidential in the charter of agent, approved.");
	expect_of(bench, "run", "{\"path\":\"reports/x\"}", REASON_ALLOWED);
}

static void a_refusal_names_only_so_many_targets(void **state)
{
	struct decide_bench *bench = *state;
	char lines[1024] = "{to: files/run, up-to: internal}";
	size_t used = strlen(lines);

	put_tool(bench, "run", "execute", "[{argument: path, as: path}]");
	has_read(bench, "confidential");
	for (int i = 0; i <= OUTPUT_GLOBS_TOLD_MAX; i++) {
		used += (size_t)snprintf(lines + used, sizeof lines - used,
			", {to: files/run, up-to: confidential, target: '%d/*'}", i);
		if (i + 1 < OUTPUT_GLOBS_TOLD_MAX)
			continue;
		let_go(bench, lines);
		expect_of(bench, "run", "{\"path\":\"x\"}", REASON_OUTPUT);
		assert_int_equal(strstr(bench->decision.explanation.data, " and others.") != NULL,
			i + 1 > OUTPUT_GLOBS_TOLD_MAX);
		assert_null(strstr(bench->decision.explanation.data, "4/*"));
	}
}

/* Nor more than there is room for: each that is named is whole, and so is the sentence. */
static void a_refusal_names_targets_while_there_is_room(void **state)
{
	struct decide_bench *bench = *state;
	char glob[QUOTED_BYTES_MAX + 1];

	put_tool(bench, "run", "execute", "[{argument: path, as: path}]");
	has_read(bench, "confidential");
	for (size_t more = 0; more <= 1; more++) {
		for (size_t i = 0; i < sizeof glob; i++)
			glob[i] = 'g';
		glob[QUOTED_BYTES_MAX - 3 + more] = '\0';
		let_go(bench, text_format(bench->arena,
				      "{to: files/run, up-to: confidential, target: '%s'}, "
				      "{to: files/run, up-to: confidential, target: 'h/*'}",
				      glob)
				      .data);
		expect_of(bench, "run", "{\"path\":\"x\"}", REASON_OUTPUT);
		assert_int_equal(
			strstr(bench->decision.explanation.data, "h/*") != NULL, more == 0);
		assert_int_equal(strstr(bench->decision.explanation.data, "g and others.") != NULL,
			more == 1);
		assert_non_null(strstr(bench->decision.needed.data, "agent, approved."));
	}
}

/* Of targets as long as they may be, the one that keeps it back and those that would do. */
static void long_targets_leave_the_sentence_whole(void **state)
{
	struct decide_bench *bench = *state;
	char glob[GLOB_BYTES_MAX + 1] = "";

	put_tool(bench, "run", "execute", "[{argument: path, as: path}]");
	has_read(bench, "confidential");
	for (size_t i = 0; i < GLOB_BYTES_MAX - 1; i++)
		glob[i] = 'g';
	let_go(bench, text_format(bench->arena,
			      "{to: files/run, up-to: confidential, target: '%sx'}, "
			      "{to: files/run, up-to: public, target: '%s*'}",
			      glob, glob)
			      .data);
	expect_of(bench, "run", text_format(bench->arena, "{\"path\":\"%s\"}", glob).data,
		REASON_OUTPUT);
	assert_non_null(
		strstr(bench->decision.explanation.data, "g\u2026, only to targets like g"));
	assert_non_null(strstr(bench->decision.explanation.data, "g\u2026."));
	assert_non_null(strstr(bench->decision.needed.data, "in the charter of agent, approved."));
}

static void a_line_covers_its_tool_up_to_its_level(void **state)
{
	struct decide_bench *bench = *state;

	has_read(bench, "internal");
	expect_of(bench, "run", "{}", REASON_ALLOWED);
	has_read(bench, "confidential");
	expect_of(bench, "run", "{}", REASON_OUTPUT);
	let_go(bench, "{to: files/run, up-to: confidential}");
	expect_of(bench, "run", "{}", REASON_ALLOWED);
	has_read(bench, "restricted");
	expect_of(bench, "run", "{}", REASON_OUTPUT);
}

static void what_nobody_labelled_goes_nowhere_but_by_a_line_up_to_restricted(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_edit(bench, "tickets", "sensitivity: internal\n", "");
	decide_bench_edit(
		bench, "files/run", "risk: high", "risk: high\nreads: [{data-source: tickets}]");
	expect_of(bench, "run", "{}", REASON_SENSITIVITY);
	let_go(bench, "{to: files/run, up-to: confidential}");
	has_read(bench, "restricted");
	decide_bench_edit(bench, "files/run", "risk: high", "risk: high");
	expect_of(bench, "run", "{}", REASON_OUTPUT);
	let_go(bench, "{to: files/run, up-to: restricted}");
	expect_of(bench, "run", "{}", REASON_ALLOWED);
}

static void what_the_call_itself_reads_is_carried_too(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_edit(
		bench, "files/run", "risk: high", "risk: high\nreads: [{data-source: tickets}]");
	expect_of(bench, "run", "{}", REASON_ALLOWED);
	let_go(bench, "{to: files/run, up-to: public}");
	expect_of(bench, "run", "{}", REASON_OUTPUT);
}

static void a_read_carries_nothing_to_its_own_server(void **state)
{
	struct decide_bench *bench = *state;

	has_read(bench, "restricted");
	expect_of(bench, "list", "{}", REASON_ALLOWED);
	expect_of(bench, "read", "{\"path\":\"tickets/1\"}", REASON_ALLOWED);
	put_tool(bench, "list", "read",
		"[{argument: a, as: account}, {argument: o, as: object}, {argument: p, as: path}]");
	expect_of(bench, "list", "{\"a\":\"x\",\"o\":\"y\",\"p\":\"z\"}", REASON_ALLOWED);
}

static void a_read_of_a_url_carries_what_its_task_has_read(void **state)
{
	struct decide_bench *bench = *state;

	put_tool(bench, "list", "read", "[{argument: at, as: url}]");
	expect_of(bench, "list", "{\"at\":\"https://example.com/\"}", REASON_ALLOWED);
	has_read(bench, "internal");
	expect_of(bench, "list", "{}", REASON_ALLOWED);
	expect_of(bench, "list", "{\"at\":[]}", REASON_ALLOWED);
	expect_of(bench, "list", "{\"at\":\"https://example.com/\"}", REASON_OUTPUT);
	expect_of(bench, "list", "{\"at\":[\"https://example.com/\"]}", REASON_OUTPUT);
	let_go(bench, "{to: files/list, up-to: internal}");
	expect_of(bench, "list", "{\"at\":\"https://example.com/\"}", REASON_ALLOWED);
}

static void a_line_of_another_tool_covers_nothing(void **state)
{
	struct decide_bench *bench = *state;

	let_go(bench, "{to: files/write, up-to: restricted}, {to: other/peek, up-to: restricted}");
	expect_of(bench, "run", "{}", REASON_ALLOWED);
	has_read(bench, "internal");
	expect_of(bench, "run", "{}", REASON_OUTPUT);
}

static void each_identity_of_the_chain_must_let_it_go(void **state)
{
	struct decide_bench *bench = *state;
	struct call call;
	static const char parent[] =
		"object: identity\nname: parent\nkind: agent\nclass: execute\nrisk: low\n"
		"owner: ana\nbackup-owner: bo\nunit: support\npurpose: p\n"
		"environments: [staging]\noutputs: [{to: files/run, up-to: %s}]\n"
		"entitlements: [{effect: execute, tool: files/run}]\n"
		"peers: [{identity: agent, effects: [read, write, execute], up-to: restricted}]\n"
		"expires: 2030-01-01\n";
	char yaml[512];

	(void)snprintf(yaml, sizeof yaml, parent, "public");
	assert_true(decide_bench_put(bench, yaml));
	decide_bench_open_task(bench, "t-0", "parent", ENVIRONMENT_STAGING, "");
	decide_bench_open_task(bench, "t-2", "agent", ENVIRONMENT_STAGING, "t-0");
	call = decide_bench_call(bench, "files", "run", "{}");
	call.task = TEXT("t-2");
	expect(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_ALLOWED);
	decide_bench_fold(bench, "{\"type\":\"decision\",\"task\":\"t-2\",\"verdict\":\"allow\","
				 "\"sensitivity\":\"internal\"}");
	expect(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_OUTPUT);
	assert_non_null(strstr(bench->decision.explanation.data, "parent@1"));
	(void)snprintf(yaml, sizeof yaml, parent, "internal");
	assert_true(decide_bench_put(bench, yaml));
	expect(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_ALLOWED);
}

/* ---- targets of tools ---------------------------------------------------------------- */

#define WRITE_TARGETS "[{argument: path, as: path}, {argument: at, as: url}]"

static void a_line_with_a_target_covers_only_targets_like_it(void **state)
{
	struct decide_bench *bench = *state;

	put_tool(bench, "run", "execute", WRITE_TARGETS);
	let_go(bench, "{to: files/run, up-to: internal, target: 'reports/*'}");
	has_read(bench, "internal");
	expect_of(bench, "run", "{\"path\":\"reports/a\"}", REASON_ALLOWED);
	expect_of(bench, "run", "{\"path\":\"report/a\"}", REASON_OUTPUT);
	expect_of(bench, "run", "{\"path\":\"x/reports/a\"}", REASON_OUTPUT);
	expect_of(bench, "run", "{\"path\":[\"reports/a\",\"b\"]}", REASON_OUTPUT);
	expect_of(bench, "run", "{\"path\":[\"reports/a\",\"reports/b\"]}", REASON_ALLOWED);
	expect_of(bench, "run", "{\"path\":\"reports/a\",\"at\":\"https://example.com/\"}",
		REASON_OUTPUT);
	/* Without a target it is like none. */
	expect_of(bench, "run", "{}", REASON_OUTPUT);
	expect_of(bench, "run", "{\"path\":[]}", REASON_OUTPUT);
}

static void a_line_whose_target_matches_goes_first_and_the_lowest_of_several(void **state)
{
	struct decide_bench *bench = *state;

	put_tool(bench, "run", "execute", WRITE_TARGETS);
	has_read(bench, "internal");
	let_go(bench, "{to: files/run, up-to: internal},"
		      " {to: files/run, up-to: public, target: 'outbox/*'}");
	expect_of(bench, "run", "{\"path\":\"a\"}", REASON_ALLOWED);
	expect_of(bench, "run", "{\"path\":\"outbox/a\"}", REASON_OUTPUT);
	assert_non_null(
		strstr(bench->decision.explanation.data, "to files/run at targets like outbox/*."));
	let_go(bench, "{to: files/run, up-to: public},"
		      " {to: files/run, up-to: restricted, target: '*'},"
		      " {to: files/run, up-to: internal, target: '*/vault/*'}");
	expect_of(bench, "run", "{\"path\":\"a\"}", REASON_ALLOWED);
	has_read(bench, "confidential");
	expect_of(bench, "run", "{\"path\":\"a\"}", REASON_ALLOWED);
	expect_of(bench, "run", "{\"path\":\"a/vault/b\"}", REASON_OUTPUT);
	expect_of(bench, "run", "{}", REASON_OUTPUT);
}

static void a_star_stands_for_anything_also_nothing(void **state)
{
	static const struct {
		const char *glob;
		const char *path;
		enum reason reason;
	} cases[] = {
		{"*", "a", REASON_ALLOWED},
		{"a", "a", REASON_ALLOWED},
		{"a", "ab", REASON_OUTPUT},
		{"a*", "a", REASON_ALLOWED},
		{"*a", "ba", REASON_ALLOWED},
		{"*a", "bab", REASON_OUTPUT},
		{"a*b*c", "axbxbxc", REASON_ALLOWED},
		{"a*b*c", "axcxb", REASON_OUTPUT},
		{"**a**", "a", REASON_ALLOWED},
		{"a?", "ab", REASON_OUTPUT},
		{"A", "a", REASON_OUTPUT},
	};
	struct decide_bench *bench = *state;
	size_t i;

	put_tool(bench, "run", "execute", WRITE_TARGETS);
	has_read(bench, "internal");
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		char lines[128], arguments[64];

		(void)snprintf(lines, sizeof lines,
			"{to: files/run, up-to: internal, target: '%s'}", cases[i].glob);
		(void)snprintf(arguments, sizeof arguments, "{\"path\":\"%s\"}", cases[i].path);
		let_go(bench, lines);
		expect_of(bench, "run", arguments, cases[i].reason);
	}
}

static void a_number_is_like_its_digits(void **state)
{
	struct decide_bench *bench = *state;

	put_tool(bench, "run", "execute", "[{argument: account, as: account}]");
	has_read(bench, "internal");
	let_go(bench, "{to: files/run, up-to: internal, target: '42*'}");
	expect_of(bench, "run", "{\"account\":421}", REASON_ALLOWED);
	expect_of(bench, "run", "{\"account\":142}", REASON_OUTPUT);
	expect_of(bench, "run", "{\"account\":[42,-42]}", REASON_OUTPUT);
}

static void a_longer_target_than_the_most_is_like_nothing(void **state)
{
	struct decide_bench *bench = *state;
	static char arguments[TARGET_BYTES_MAX + 64];
	size_t length;

	put_tool(bench, "run", "execute", "[{argument: path, as: object}]");
	has_read(bench, "internal");
	let_go(bench, "{to: files/run, up-to: internal, target: 'a*'}");
	for (length = TARGET_BYTES_MAX; length <= TARGET_BYTES_MAX + 1; length++) {
		size_t start = strlen("{\"path\":\"");

		memcpy(arguments, "{\"path\":\"", start);
		memset(arguments + start, 'a', length);
		memcpy(arguments + start + length, "\"}", 3);
		expect_of(bench, "run", arguments,
			length <= TARGET_BYTES_MAX ? REASON_ALLOWED : REASON_OUTPUT);
	}
}

/* ---- recipients ------------------------------------------------------------------------ */

static void a_line_of_its_recipients_is_enough_for_a_mail(void **state)
{
	struct decide_bench *bench = *state;

	let_go(bench, "{to: 'bo@example.com', up-to: internal}");
	has_read(bench, "internal");
	expect_of(bench, "mail", "{\"to\":\"bo@example.com\"}", REASON_ALLOWED);
	expect_of(bench, "mail", "{\"to\":[\"bo@example.com\"]}", REASON_ALLOWED);
}

static void without_a_recipient_it_goes_to_the_tool(void **state)
{
	struct decide_bench *bench = *state;

	expect_of(bench, "mail", "{}", REASON_ALLOWED);
	has_read(bench, "internal");
	expect_of(bench, "mail", "{}", REASON_OUTPUT);
	expect_of(bench, "mail", "{\"to\":[]}", REASON_OUTPUT);
	let_go(bench, "{to: files/mail, up-to: internal}");
	expect_of(bench, "mail", "{}", REASON_ALLOWED);
	expect_of(bench, "mail", "{\"to\":\"bo@example.com\"}", REASON_OUTPUT);
}

static void with_other_targets_beside_the_recipient_it_goes_to_both(void **state)
{
	struct decide_bench *bench = *state;

	put_tool(bench, "mail", "write",
		"[{argument: to, as: recipient}, {argument: file, as: path}]");
	has_read(bench, "internal");
	let_go(bench, "{to: 'bo@example.com', up-to: internal}");
	expect_of(bench, "mail", "{\"to\":\"bo@example.com\",\"file\":\"a\"}", REASON_OUTPUT);
	let_go(bench, "{to: 'bo@example.com', up-to: internal},"
		      " {to: files/mail, up-to: internal, target: a}");
	expect_of(bench, "mail", "{\"to\":\"bo@example.com\",\"file\":\"a\"}", REASON_ALLOWED);
	expect_of(bench, "mail", "{\"to\":\"bo@example.com\",\"file\":\"b\"}", REASON_OUTPUT);
}

static void no_recipient_passes_for_another_kind_of_output(void **state)
{
	static const char *const values[] = {"reply", "files/mail", "person:ana", "peer:agent"};
	struct decide_bench *bench = *state;
	size_t i;

	let_go(bench, "{to: files/mail, up-to: restricted}, {to: 'peer:agent', up-to: restricted}");
	for (i = 0; i < sizeof values / sizeof *values; i++) {
		char arguments[64];

		(void)snprintf(arguments, sizeof arguments, "{\"to\":\"%s\"}", values[i]);
		expect_of(bench, "mail", arguments, REASON_OUTPUT);
	}
}

/* ---- persons ---------------------------------------------------------------------------- */

static void a_person_is_a_recipient_of_exactly_that_name(void **state)
{
	struct decide_bench *bench = *state;

	expect_of(bench, "mail", "{\"to\":\"ana\"}", REASON_ALLOWED);
	expect_of(bench, "mail", "{\"to\":\"Ana\"}", REASON_OUTPUT);
	expect_of(bench, "mail", "{\"to\":\"bo\"}", REASON_OUTPUT);
	expect_of(bench, "mail", "{\"to\":\"ana@example.com\"}", REASON_OUTPUT);
	has_read(bench, "internal");
	expect_of(bench, "mail", "{\"to\":\"ana\"}", REASON_OUTPUT);
}

static void nobody_gets_more_than_their_clearance(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench,
		"object: person\nname: di@example.com\nunit: support\nclearance: internal\n---\n"
		"object: person\nname: ed@example.com\nunit: support\n"));
	let_go(bench, "{to: 'person:di@example.com', up-to: restricted},"
		      " {to: 'person:ed@example.com', up-to: restricted}");
	has_read(bench, "internal");
	expect_of(bench, "mail", "{\"to\":\"di@example.com\"}", REASON_ALLOWED);
	has_read(bench, "confidential");
	expect_of(bench, "mail", "{\"to\":\"di@example.com\"}", REASON_OUTPUT);
	assert_non_null(
		strstr(bench->decision.explanation.data, "not cleared for confidential data"));
	/* What somebody is cleared for is nothing to tell an agent. */
	assert_null(strstr(bench->decision.explanation.data, "internal"));
	assert_null(strstr(bench->decision.explanation.data, "di@"));
	/* Where nobody gave them one, the line alone counts. */
	expect_of(bench, "mail", "{\"to\":\"ed@example.com\"}", REASON_ALLOWED);
	/* Whatever line names them, and however it is spelled. */
	let_go(bench, "{to: '*@example.com', up-to: restricted}");
	expect_of(bench, "mail", "{\"to\":\"di@example.com\"}", REASON_OUTPUT);
	expect_of(bench, "mail", "{\"to\":\"DI@Example.com\"}", REASON_OUTPUT);
	expect_of(bench, "mail", "{\"to\":\"somebody@example.com\"}", REASON_ALLOWED);
	let_go(bench, "{to: 'di@example.com', up-to: restricted}");
	expect_of(bench, "mail", "{\"to\":\"di@example.com\"}", REASON_OUTPUT);
}

#define BENCH_TEST(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

/* ---- which lines ---------------------------------------------------------------------- */

/* What the last decision let out, "reply/0/internal tool/-1/public". */
static void expect_outputs(const struct decide_bench *bench, const char *wanted)
{
	struct decision_output outputs[DECISION_OUTPUTS_MAX];
	size_t count = decision_outputs_of(&bench->decision, outputs), used = 0;
	char said[2048] = "";

	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(said + used, sizeof said - used, "%s%s/%d/%s",
			i == 0 ? "" : " ", outputs[i].to, outputs[i].line,
			sensitivity_word(outputs[i].data));
	assert_string_equal(said, wanted);
}

static void each_output_is_named_by_the_line_that_lets_it_go(void **state)
{
	struct decide_bench *bench = *state;

	expect_of(bench, "read", "{\"path\":\"tickets/1\"}", REASON_ALLOWED);
	expect_outputs(bench, "reply/0/internal");
	expect_of(bench, "list", "{}", REASON_ALLOWED);
	expect_outputs(bench, "");
	let_go(bench, "{to: files/write, up-to: internal}");
	expect_of(bench, "run", "{}", REASON_ALLOWED);
	expect_outputs(bench, "tool/-1/public");
	let_go(bench, "{to: files/run, up-to: internal}");
	has_read(bench, "internal");
	expect_of(bench, "run", "{}", REASON_ALLOWED);
	expect_outputs(bench, "tool/2/internal");
}

static void recipients_are_named_by_their_lines_and_each_once(void **state)
{
	struct decide_bench *bench = *state;

	let_go(bench, "{to: a@x.org, up-to: public}, {to: '*@x.org', up-to: public}");
	expect_of(bench, "mail", "{\"to\":[\"a@x.org\",\"b@x.org\",\"c@x.org\",\"ana\"]}",
		REASON_ALLOWED);
	expect_outputs(bench, "recipient/1/public recipient/2/public recipient/3/public");
}

/* A charter has as many lines as a decision can name. */
static void the_last_line_of_a_full_charter_is_named(void **state)
{
	struct decide_bench *bench = *state;
	char lines[8192] = "", outputs[8200];
	size_t used = 0;

	for (int i = 2; i < CHARTER_LIST_MAX; i++)
		used += (size_t)snprintf(lines + used, sizeof lines - used,
			"%s{to: 'n%d@x.org', up-to: public}", i == 2 ? "" : ", ", i);
	(void)snprintf(outputs, sizeof outputs, "%s]", lines);
	decide_bench_edit(bench, "agent", AGENT_OUTPUTS, outputs);
	expect_of(bench, "mail", "{\"to\":\"n63@x.org\"}", REASON_ALLOWED);
	expect_outputs(bench, "recipient/63/public");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(only_public_data_goes_where_no_line_covers_it),
		BENCH_TEST(a_line_covers_its_tool_up_to_its_level),
		BENCH_TEST(a_refusal_names_the_targets_the_charter_lets_it_go_to),
		BENCH_TEST(a_refusal_names_only_so_many_targets),
		BENCH_TEST(a_refusal_names_targets_while_there_is_room),
		BENCH_TEST(long_targets_leave_the_sentence_whole),
		BENCH_TEST(what_nobody_labelled_goes_nowhere_but_by_a_line_up_to_restricted),
		BENCH_TEST(what_the_call_itself_reads_is_carried_too),
		BENCH_TEST(a_read_carries_nothing_to_its_own_server),
		BENCH_TEST(a_read_of_a_url_carries_what_its_task_has_read),
		BENCH_TEST(a_line_of_another_tool_covers_nothing),
		BENCH_TEST(each_identity_of_the_chain_must_let_it_go),
		BENCH_TEST(a_line_with_a_target_covers_only_targets_like_it),
		BENCH_TEST(a_line_whose_target_matches_goes_first_and_the_lowest_of_several),
		BENCH_TEST(a_star_stands_for_anything_also_nothing),
		BENCH_TEST(a_number_is_like_its_digits),
		BENCH_TEST(a_longer_target_than_the_most_is_like_nothing),
		BENCH_TEST(a_line_of_its_recipients_is_enough_for_a_mail),
		BENCH_TEST(without_a_recipient_it_goes_to_the_tool),
		BENCH_TEST(with_other_targets_beside_the_recipient_it_goes_to_both),
		BENCH_TEST(no_recipient_passes_for_another_kind_of_output),
		BENCH_TEST(a_person_is_a_recipient_of_exactly_that_name),
		BENCH_TEST(nobody_gets_more_than_their_clearance),
		BENCH_TEST(each_output_is_named_by_the_line_that_lets_it_go),
		BENCH_TEST(recipients_are_named_by_their_lines_and_each_once),
		BENCH_TEST(the_last_line_of_a_full_charter_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
