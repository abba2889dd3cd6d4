/* What may be handed to a peer: which skill, with which data, by which charter. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/decide_bench.h"

#define PEER                                                                                       \
	"object: server\nname: writer\nunit: sales\nenvironment: staging\nspeaks: a2a\n"           \
	"transport: {url: 'https://writer.example/'}\n---\n"                                       \
	"object: tool\nname: writer/summarise\neffect: delegate\nup-to: internal\nrisk: low\n"     \
	"reversal: none-needed\n---\n"                                                             \
	"object: tool\nname: writer/publish\neffect: delegate\nup-to: public\nrisk: low\n"         \
	"reversal: none-needed\n---\n"
#define AGENT_OF(class, outputs, lines)                                                            \
	"object: identity\nname: agent\nkind: agent\nclass: " class "\nrisk: low\nowner: ana\n"    \
								    "backup-owner: bo\nunit: "     \
								    "support\npurpose: Works on "  \
								    "tickets\nenvironments: "      \
								    "[staging]\n"                  \
								    "outputs: [" outputs           \
								    "]\nentitlements: [" lines     \
								    "]\n"
#define LINE "{effect: delegate, resource: 'peer:writer'}"
#define LINE_OF_ONE                                                                                \
	"{effect: delegate, resource: 'peer:writer', when: 'resource.skill == \"publish\"'}"

static int setup(void **state)
{
	static struct decide_bench bench;

	decide_bench_init(&bench);
	assert_true(decide_bench_put(
		&bench, PEER AGENT_OF("summarise", "{to: 'peer:writer', up-to: internal}", LINE)));
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	decide_bench_deinit(*state);
	return 0;
}

static struct call call_of(struct decide_bench *bench, const char *skill, const char *arguments)
{
	struct call call = decide_bench_call(bench, "writer", skill, arguments);

	call.method = TEXT("SendMessage");
	call.route = METHOD_PEER;
	call.effect = EFFECT_DELEGATE;
	return call;
}

static void must_be(struct decide_bench *bench, const char *skill, enum reason reason)
{
	struct call call = call_of(bench, skill, "{\"text\":\"a\"}");
	const struct decision *decision = decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL);

	if (decision->reason != reason)
		fail_msg("%s: %.*s", reason_word(decision->reason),
			TEXT_ARGS(decision->explanation));
	assert_int_equal(decision->verdict == VERDICT_ALLOW, reason == REASON_ALLOWED);
}

static void has_read(struct decide_bench *bench, const char *sensitivity)
{
	char record[160];

	(void)snprintf(record, sizeof record,
		"{\"type\":\"decision\",\"task\":\"t-1\",\"verdict\":\"allow\","
		"\"sensitivity\":\"%s\"}",
		sensitivity);
	decide_bench_fold(bench, record);
}

static void a_line_of_the_charter_permits_a_registered_skill(void **state)
{
	must_be(*state, "summarise", REASON_ALLOWED);
	must_be(*state, "delete", REASON_TOOL_UNKNOWN);
}

/* It lives on a server of sales, and is of people; its line under peers counts, too. */
static void whose_peer_it_is_agrees_to_each_line_on_it(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench,
		"object: identity\nname: writer\nkind: agent\nclass: update\nrisk: low\nowner: cy\n"
		"backup-owner: bo\nunit: people\npurpose: p\nenvironments: [staging]\n---\n"
		"object: identity\nname: agent\nkind: agent\nclass: summarise\nrisk: low\nowner: "
		"ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"
		"entitlements: [" LINE "]\n"
		"peers: [{identity: writer, effects: [read], up-to: internal}]\n"));
	must_be(bench, "summarise", REASON_ALLOWED);
	decide_bench_consent(bench, "agent", "");
	decide_bench_agree(bench, "agent", "sales", "e0");
	decide_bench_agree(bench, "agent", "people", "e0");
	must_be(bench, "summarise", REASON_CONSENT);
	assert_non_null(strstr(bench->decision.explanation.data, "to peers[0] of"));
	decide_bench_agree(bench, "agent", "people", "p0");
	must_be(bench, "summarise", REASON_CONSENT);
	decide_bench_agree(bench, "agent", "people", "e0,p0");
	must_be(bench, "summarise", REASON_ALLOWED);
	decide_bench_agree(bench, "agent", "sales", "p0");
	must_be(bench, "summarise", REASON_CONSENT);
	assert_non_null(strstr(bench->decision.explanation.data, "unit sales"));
}

/* Nobody knows whose it is, so nobody is known to have agreed. */
static void a_peer_whose_charter_is_lost_gets_nothing(void **state)
{
	struct decide_bench *bench = *state;
	const struct registry_entry *writer;
	struct object *lost;

	assert_true(decide_bench_put(bench,
		"object: identity\nname: writer\nkind: agent\nclass: update\nrisk: low\nowner: cy\n"
		"backup-owner: bo\nunit: people\npurpose: p\nenvironments: [staging]\n"));
	decide_bench_consent(bench, "agent", "");
	decide_bench_agree(bench, "agent", "sales", "e0");
	must_be(bench, "summarise", REASON_CONSENT);
	writer = registry_find(bench->registry, OBJECT_IDENTITY, TEXT("writer"));
	object_repack(writer->in_force);
	lost = (struct object *)(uintptr_t)writer->in_force;
	lost->body = &charter_lost;
	must_be(bench, "summarise", REASON_NO_MEMORY);
	lost->body = NULL;
}

static void without_a_line_nothing_is_handed_over(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench, AGENT_OF("execute", "", "")));
	must_be(bench, "summarise", REASON_NO_ENTITLEMENT);
	assert_non_null(
		strstr(bench->decision.needed.data, "{effect: delegate, resource: peer:writer}"));
}

static void a_line_may_be_about_one_skill(void **state)
{
	assert_true(decide_bench_put(*state, AGENT_OF("summarise", "", LINE_OF_ONE)));
	must_be(*state, "publish", REASON_ALLOWED);
	must_be(*state, "summarise", REASON_NO_ENTITLEMENT);
}

static void a_skill_gets_data_up_to_its_own_line_only(void **state)
{
	struct decide_bench *bench = *state;

	has_read(bench, "internal");
	must_be(bench, "summarise", REASON_ALLOWED);
	must_be(bench, "publish", REASON_SENSITIVITY);
	has_read(bench, "confidential");
	must_be(bench, "summarise", REASON_SENSITIVITY);
	assert_true(decide_bench_put(
		bench, AGENT_OF("summarise", "{to: 'peer:writer', up-to: restricted}", LINE)));
	must_be(bench, "summarise", REASON_SENSITIVITY);
}

static void a_charter_lets_only_public_data_go_where_no_output_covers_it(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench, AGENT_OF("summarise", "", LINE)));
	must_be(bench, "summarise", REASON_ALLOWED);
	has_read(bench, "internal");
	must_be(bench, "summarise", REASON_OUTPUT);
	assert_true(decide_bench_put(
		bench, AGENT_OF("summarise", "{to: writer/summarise, up-to: internal}", LINE)));
	must_be(bench, "summarise", REASON_ALLOWED);
	/* The line of the one skill goes before the peer's. */
	assert_true(decide_bench_put(bench, AGENT_OF("summarise",
						    "{to: 'peer:writer', up-to: internal}, {to: "
						    "writer/summarise, up-to: public}",
						    LINE)));
	must_be(bench, "summarise", REASON_OUTPUT);
}

static void what_a_peer_answers_is_untrusted_unless_its_lines_say_what_is_not(void **state)
{
	struct decide_bench *bench = *state;

	must_be(bench, "summarise", REASON_ALLOWED);
	assert_true(bench->decision.is_untrusted);
	assert_true(decide_bench_put(bench,
		"object: tool\nname: writer/summarise\neffect: delegate\nup-to: internal\nrisk: "
		"low\n"
		"results: [{field: '*', trust: trusted}]\nreversal: none-needed\n"));
	must_be(bench, "summarise", REASON_ALLOWED);
	assert_false(bench->decision.is_untrusted);
}

static void no_other_door_leads_to_a_peer_and_this_one_nowhere_else(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "writer", "summarise", "{}");

	assert_int_equal(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL)->reason,
		REASON_METHOD_UNKNOWN);
	call = call_of(bench, "summarise", "{}");
	call.server = TEXT("files");
	call.tool = TEXT("files/write");
	assert_int_equal(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL)->reason,
		REASON_METHOD_UNKNOWN);
}

static void policies_see_the_peer_its_skill_and_what_is_said(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = call_of(bench, "summarise", "{\"text\":\"a secret plan\"}");

	assert_true(decide_bench_put(bench,
		"object: policy\nname: org/plans\ntext: |\n"
		"  forbid(principal, action == Action::\"delegate\", resource == "
		"Peer::\"writer\")\n"
		"  when { resource.skill == \"summarise\" && context.args has text &&\n"
		"    context.args.text like \"*plan*\" };\n"));
	assert_int_equal(
		decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL)->reason, REASON_FORBIDDEN);
	must_be(bench, "summarise", REASON_ALLOWED);
}

static void a_skill_and_its_server_must_fit(void **state)
{
	struct decide_bench *bench = *state;

	/* Without up-to, and up-to where it means nothing. */
	assert_false(decide_bench_put(
		bench, "object: tool\nname: writer/other\neffect: delegate\nrisk: low\n"));
	assert_false(decide_bench_put(
		bench, "object: tool\nname: files/other\neffect: read\nup-to: public\n"));
	assert_false(decide_bench_put(bench,
		"object: server\nname: local\nunit: sales\nenvironment: staging\nspeaks: a2a\n"
		"transport: {stdio: [writer]}\n"));
	assert_false(decide_bench_put(bench,
		"object: server\nname: writer\nunit: sales\nenvironment: staging\nspeaks: a2a\n"
		"transport: {url: 'https://writer.example/'}\nmodels: [{name: m, up-to: "
		"public}]\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_peer_whose_charter_is_lost_gets_nothing),
		TEST(without_a_line_nothing_is_handed_over),
		TEST(a_line_of_the_charter_permits_a_registered_skill),
		TEST(whose_peer_it_is_agrees_to_each_line_on_it),
		TEST(a_line_may_be_about_one_skill),
		TEST(a_skill_gets_data_up_to_its_own_line_only),
		TEST(a_charter_lets_only_public_data_go_where_no_output_covers_it),
		TEST(what_a_peer_answers_is_untrusted_unless_its_lines_say_what_is_not),
		TEST(no_other_door_leads_to_a_peer_and_this_one_nowhere_else),
		TEST(policies_see_the_peer_its_skill_and_what_is_said),
		TEST(a_skill_and_its_server_must_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
