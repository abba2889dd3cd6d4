#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/decide/decide.h"
#include "support/decide_bench.h"

/* boss → mid → agent, where agent is the one of decide_bench and may do most things. */

#define TICKET "{\"path\":\"tickets/1\"}"
#define TO_MID(more) "{identity: mid, effects: [read, write, execute], up-to: internal" more "}"
#define TO_AGENT(more) "{identity: agent, effects: [read, write, execute], up-to: internal" more "}"

/* With something of its charter put in the place of what is there. */
static void put_changed(struct decide_bench *bench, const char *name, const char *peers,
	const char *before, const char *after)
{
	struct text yaml = text_format(bench->arena,
		"object: identity\nname: %s\nkind: agent\nclass: execute\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"
		"data-sources: [{name: tickets, up-to: internal}]\n"
		"outputs: [{to: reply, up-to: internal}, {to: files/run, up-to: internal}]\n"
		"entitlements: [{effect: read, tool: files/read}, {effect: read, tool: "
		"files/list},\n"
		"  {effect: execute, tool: files/run}]\n"
		"peers: [%s]\nexpires: 2030-01-01\n",
		name, peers);
	const char *at = strstr(yaml.data, before);

	assert_non_null(at);
	yaml = text_format(bench->arena, "%.*s%s%s", (int)(at - yaml.data), yaml.data, after,
		at + strlen(before));
	assert_true(decide_bench_put(bench, yaml.data));
}

static void put(struct decide_bench *bench, const char *name, const char *peers)
{
	put_changed(bench, name, peers, "", "");
}

static int start(void **state)
{
	static struct decide_bench bench;

	decide_bench_init(&bench);
	put(&bench, "boss", TO_MID(", depth: 1"));
	put(&bench, "mid", TO_AGENT(""));
	decide_bench_open_task(&bench, "t-boss", "boss", ENVIRONMENT_STAGING, "");
	decide_bench_open_task(&bench, "t-mid", "mid", ENVIRONMENT_STAGING, "t-boss");
	decide_bench_open_task(&bench, "t-low", "agent", ENVIRONMENT_STAGING, "t-mid");
	*state = &bench;
	return 0;
}

static int end(void **state)
{
	decide_bench_deinit(*state);
	return 0;
}

static const struct decision *ask_of(
	struct decide_bench *bench, const char *server, const char *tool, const char *arguments)
{
	struct call call = decide_bench_call(bench, server, tool, arguments);

	call.task = TEXT("t-low");
	return decide_bench_decide(bench, &call, DECIDE_NO_SEARCH, NULL);
}

static const struct decision *ask(
	struct decide_bench *bench, const char *tool, const char *arguments)
{
	return ask_of(bench, "files", tool, arguments);
}

static void allowed(const struct decision *decision)
{
	if (decision->verdict != VERDICT_ALLOW)
		fail_msg("%s: %.*s", reason_word(decision->reason),
			TEXT_ARGS(decision->explanation));
}

/* Refused for this, and the sentence names the link. */
static void refused(const struct decision *decision, enum reason reason, const char *link)
{
	assert_int_equal(decision->verdict, VERDICT_DENY);
	assert_string_equal(reason_word(decision->reason), reason_word(reason));
	if (strstr(decision->explanation.data, link) == NULL)
		fail_msg("no %s in: %.*s", link, TEXT_ARGS(decision->explanation));
	assert_true(decision->needed.length > 0);
}

/* ---- lines ---- */

/* Refused for this by the line, and neither sentence says what the line says. */
static void untold(const struct decision *decision, enum reason reason, const char *line,
	const char *what_it_says)
{
	refused(decision, reason, line);
	if (strstr(decision->explanation.data, what_it_says) != NULL ||
		strstr(decision->needed.data, what_it_says) != NULL)
		fail_msg("%s in: %.*s / %.*s", what_it_says, TEXT_ARGS(decision->explanation),
			TEXT_ARGS(decision->needed));
}

static void what_a_line_above_says_is_not_told(void **state)
{
	struct decide_bench *bench = *state;
	const struct decision *decision;

	put_changed(bench, "mid", TO_AGENT(""), "tool: files/read}",
		"tool: files/read, when: 'context.args.path like \"tickets/9*\"'}");
	decision = ask(bench, "read", TICKET);
	untold(decision, REASON_NO_ENTITLEMENT, "charter/mid@2/entitlements/0", "tickets/9");
	assert_string_equal(decision->entitlement.data, "charter/mid@2/entitlements/0");
	assert_non_null(strstr(decision->clause.data, "tickets/9"));
	/* By which the door knows whose it is. */
	assert_true(decision->is_clause_of_other);
	assert_non_null(strstr(decision->needed.data, "the record tells people"));
	allowed(ask(bench, "read", "{\"path\":\"tickets/91\"}"));
}

/* Nor where people were sought who would open the caller's own line first. */
static void what_a_line_above_says_is_not_told_after_a_search(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "files", "read", TICKET);
	const struct decision *decision;

	decide_bench_edit(bench, "agent",
		"tool: files/read, when: 'context.args.path like \"*s/*\"'}",
		"tool: files/read, approvals: [owner]}");
	put_changed(bench, "mid", TO_AGENT(""), "tool: files/read}",
		"tool: files/read, when: 'context.args.path like \"tickets/9*\"'}");
	call.task = TEXT("t-low");
	decision = decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL);
	untold(decision, REASON_NO_ENTITLEMENT, "charter/mid@2/entitlements/0", "tickets/9");
	assert_non_null(strstr(decision->clause.data, "tickets/9"));
	assert_true(decision->is_clause_of_other);
}

static void has_read_internal(struct decide_bench *bench)
{
	decide_bench_fold(bench, "{\"type\":\"decision\",\"task\":\"t-boss\",\"verdict\":\"allow\","
				 "\"sensitivity\":\"internal\"}");
}

static void what_outputs_and_data_above_say_is_not_told(void **state)
{
	struct decide_bench *bench = *state;
	static const char falcon[] = "{\"path\":\"x-falcon-y\"}";

	put_changed(
		bench, "mid", TO_AGENT(""), "tickets, up-to: internal", "tickets, up-to: public");
	untold(ask(bench, "read", TICKET), REASON_SENSITIVITY, "mid@2", "public");
	refused(ask(bench, "read", TICKET), REASON_SENSITIVITY, "(data-sources[0])");
	put(bench, "mid", TO_AGENT(""));
	assert_true(decide_bench_put(bench,
		"object: tool\nname: files/run\neffect: execute\nrisk: high\n"
		"targets: [{argument: path, as: path}]\nreversal: irreversible\n"));
	has_read_internal(bench);
	allowed(ask(bench, "run", falcon));
	put_changed(bench, "boss", TO_MID(", depth: 1"), "{to: files/run, up-to: internal}",
		"{to: files/run, up-to: internal},"
		" {to: files/run, up-to: public, target: '*falcon*'}");
	untold(ask(bench, "run", falcon), REASON_OUTPUT, "boss@2", "falcon");
	untold(ask(bench, "run", falcon), REASON_OUTPUT, "files/run (outputs[2])", "public");
	put_changed(bench, "boss", TO_MID(", depth: 1"), "{to: files/run, up-to: internal}",
		"{to: files/run, up-to: internal, target: '*falcon*'}");
	untold(ask(bench, "run", "{\"path\":\"a\"}"), REASON_OUTPUT, "boss@3", "falcon");
}

static void how_often_a_line_above_may_be_used_is_not_told(void **state)
{
	struct decide_bench *bench = *state;
	struct line_use uses[] = {{TEXT("mid"), 1, 37}};

	put_changed(bench, "mid", TO_AGENT(""), "files/list}", "files/list, uses: 37}");
	allowed(ask(bench, "list", "{}"));
	bench->uses = uses;
	bench->uses_count = 1;
	untold(ask(bench, "list", "{}"), REASON_ENTITLEMENT_USED, "charter/mid@2/entitlements/1",
		"37");
}

#define MODEL "{effect: generate, resource: 'model:open/m'}"

static void what_a_model_line_above_says_is_not_told(void **state)
{
	struct decide_bench *bench = *state;
	struct call call;

	assert_true(decide_bench_put(bench,
		"object: server\nname: open\nunit: support\nenvironment: staging\nspeaks: openai\n"
		"transport: {url: 'https://models.example/'}\n"
		"models: [{name: m, up-to: restricted}]\n"));
	decide_bench_edit(bench, "agent", "entitlements:\n",
		"model: [{provider: open, name: m, up-to: internal}]\nentitlements:\n  - " MODEL
		"\n");
	put_changed(bench, "boss",
		"{identity: mid, effects: [generate], up-to: internal, depth: 1}",
		"entitlements: [",
		"model: [{provider: open, name: m, up-to: internal}]\nentitlements: [" MODEL ", ");
	put_changed(bench, "mid", "{identity: agent, effects: [generate], up-to: internal}",
		"entitlements: [",
		"model: [{provider: open, name: m, up-to: public}]\nentitlements: [" MODEL ", ");
	call = decide_bench_generation(
		bench, "open", "chat/completions", "{\"model\":\"m\",\"messages\":[]}");
	call.task = TEXT("t-low");
	allowed(decide_bench_decide(bench, &call, DECIDE_NO_SEARCH, NULL));
	has_read_internal(bench);
	untold(decide_bench_decide(bench, &call, DECIDE_NO_SEARCH, NULL), REASON_SENSITIVITY,
		"mid@2", "public");
	refused(&bench->decision, REASON_SENSITIVITY, "(model[0])");
}

static void who_answers_for_a_link_and_its_class_are_not_told(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_set_class(bench, "boss", CLASS_RETRIEVE);
	untold(ask(bench, "run", "{}"), REASON_CLASS_CEILING, "boss@1", "retrieve");
	assert_true(decide_bench_put(bench, "object: person\nname: dora\nunit: support\n"
					    "left: 2026-01-15T07:43:20Z\n"));
	put_changed(bench, "boss", TO_MID(", depth: 1"), "owner: ana", "owner: dora");
	untold(ask(bench, "run", "{}"), REASON_OWNER_GONE, "boss", "dora");
	untold(ask(bench, "run", "{}"), REASON_OWNER_GONE, "boss", "2026");
	untold(ask(bench, "run", "{}"), REASON_OWNER_GONE, "boss", "owner bo");
}

static void a_link_without_a_line_has_handed_on_nothing(void **state)
{
	struct decide_bench *bench = *state;

	allowed(ask(bench, "list", "{}"));
	put(bench, "mid", "");
	refused(ask(bench, "list", "{}"), REASON_PEER, "mid@2");
	put(bench, "mid", "{identity: boss, effects: [read], up-to: internal}");
	refused(ask(bench, "list", "{}"), REASON_PEER, "mid@3");
	put(bench, "mid", TO_AGENT(""));
	allowed(ask(bench, "list", "{}"));
}

static void what_only_lists_needs_the_line_too(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_method(bench, "files", "tools/list", "{}");

	call.task = TEXT("t-low");
	allowed(decide_bench_decide(bench, &call, DECIDE_NO_SEARCH, NULL));
	put(bench, "boss", "");
	refused(decide_bench_decide(bench, &call, DECIDE_NO_SEARCH, NULL), REASON_PEER, "boss@2");
}

static void the_first_link_that_refuses_is_named(void **state)
{
	struct decide_bench *bench = *state;

	put(bench, "boss", "");
	put(bench, "mid", "");
	refused(ask(bench, "list", "{}"), REASON_PEER, "boss@2");
	decide_bench_set_state(bench, "mid", IDENTITY_SUSPENDED);
	refused(ask(bench, "list", "{}"), REASON_PEER, "boss@2");
	put(bench, "boss", TO_MID(", depth: 1"));
	refused(ask(bench, "list", "{}"), REASON_IDENTITY_NOT_ACTIVE, "mid");
}

static void a_line_hands_on_no_other_effect(void **state)
{
	struct decide_bench *bench = *state;

	allowed(ask(bench, "run", "{}"));
	put(bench, "mid", "{identity: agent, effects: [read, write], up-to: internal}");
	refused(ask(bench, "run", "{}"), REASON_PEER, "no execute");
	allowed(ask(bench, "list", "{}"));
}

static void nothing_above_the_line_goes_along(void **state)
{
	struct decide_bench *bench = *state;

	allowed(ask(bench, "read", TICKET));
	put(bench, "boss", "{identity: mid, effects: [read, execute], up-to: public, depth: 1}");
	untold(ask(bench, "read", TICKET), REASON_PEER, "no internal data", "public");
	/* What was read goes along with what is written or run. */
	allowed(ask(bench, "run", "{}"));
	has_read_internal(bench);
	untold(ask(bench, "run", "{}"), REASON_PEER, "no internal data", "public");
	allowed(ask(bench, "list", "{}"));
}

static void it_is_handed_on_as_often_as_each_line_says(void **state)
{
	struct decide_bench *bench = *state;

	put(bench, "boss", TO_MID(""));
	refused(ask(bench, "list", "{}"), REASON_PEER, "boss@2");
	put(bench, "boss", TO_MID(", depth: 1"));
	allowed(ask(bench, "list", "{}"));
}

static void tasks_of_one_identity_in_a_row_are_one_hop(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "files", "list", "{}");

	decide_bench_open_task(bench, "t-again", "agent", ENVIRONMENT_STAGING, "t-low");
	call.task = TEXT("t-again");
	allowed(decide_bench_decide(bench, &call, DECIDE_NO_SEARCH, NULL));
}

/* ---- itself, or its reach ---- */

static void without_a_reach_each_link_may_do_it_itself(void **state)
{
	struct decide_bench *bench = *state;
	struct call own = decide_bench_call(bench, "other", "peek", "{}");

	allowed(decide_bench_decide(bench, &own, DECIDE_NO_SEARCH, NULL));
	refused(ask_of(bench, "other", "peek", "{}"), REASON_NO_ENTITLEMENT, "boss@1");
}

static void a_reach_hands_on_what_is_in_it_and_nothing_else(void **state)
{
	struct decide_bench *bench = *state;

	put(bench, "boss", TO_MID(", depth: 1, tools: ['files/ma*', files/list]"));
	put(bench, "mid", TO_AGENT(", tools: [files/mail, files/run]"));
	refused(ask(bench, "list", "{}"), REASON_PEER, "mid@2");
	refused(ask(bench, "run", "{}"), REASON_PEER, "boss@2");
	refused(ask(bench, "read", TICKET), REASON_PEER, "boss@2");
	/* Neither of the two may send mail itself. */
	allowed(ask(bench, "mail", "{}"));
}

static void a_reach_is_consented_by_whose_tool_it_is(void **state)
{
	struct decide_bench *bench = *state;

	put(bench, "boss", TO_MID(", depth: 1, tools: [other/peek]"));
	put(bench, "mid", TO_AGENT(", tools: [other/peek]"));
	decide_bench_consent(bench, "boss", ""); /* nor to the lines they may have themselves */
	decide_bench_consent(bench, "mid", "");
	refused(ask_of(bench, "other", "peek", "{}"), REASON_PEER, "Unit sales");
	decide_bench_consent(bench, "boss", "finance sales");
	refused(ask_of(bench, "other", "peek", "{}"), REASON_PEER, "mid@2");
	/* To this line, and not to another of it. */
	decide_bench_agree(bench, "mid", "sales", "e0-2,d0,p1");
	refused(ask_of(bench, "other", "peek", "{}"), REASON_PEER, "peers[0]");
	decide_bench_agree(bench, "mid", "sales", "p0");
	allowed(ask_of(bench, "other", "peek", "{}"));
	/* A consent is to one version. */
	put(bench, "boss", TO_MID(", depth: 1, tools: [other/peek, files/list]"));
	decide_bench_consent(bench, "boss", "");
	refused(ask_of(bench, "other", "peek", "{}"), REASON_PEER, "boss@3");
}

/* What came into force before all lines were asked about goes by the names that were kept. */
static void of_before_a_reach_goes_by_the_units_name(void **state)
{
	struct decide_bench *bench = *state;
	const struct registry_entry *entry;
	struct registry_change change = {.kind = OBJECT_IDENTITY,
		.name = TEXT("boss"),
		.state = IDENTITY_ACTIVE,
		.units_asked = UNITS_BEFORE};
	struct error err = {0};

	put(bench, "boss", TO_MID(", depth: 1, tools: [other/peek]"));
	put(bench, "mid", TO_AGENT(", tools: [other/peek]"));
	decide_bench_consent(bench, "mid", "sales");
	entry = registry_find(bench->registry, OBJECT_IDENTITY, TEXT("boss"));
	change.version = change.in_force = entry->version;
	change.revision = ++bench->revision;
	assert_true(registry_set(bench->registry, &change, &err));
	refused(ask_of(bench, "other", "peek", "{}"), REASON_PEER, "Unit sales");
	change.consents = TEXT("finance sales");
	change.revision = ++bench->revision;
	assert_true(registry_set(bench->registry, &change, &err));
	allowed(ask_of(bench, "other", "peek", "{}"));
	change.units_asked = UNITS_ASKED;
	change.revision = ++bench->revision;
	assert_true(registry_set(bench->registry, &change, &err));
	refused(ask_of(bench, "other", "peek", "{}"), REASON_PEER, "Unit sales");
}

static void a_reach_is_consented_by_whose_data_it_is(void **state)
{
	struct decide_bench *bench = *state;
	static const char payroll[] = "{\"path\":\"payroll/s/1\"}";

	decide_bench_edit(bench, "agent", "{name: tickets, up-to: internal}",
		"{name: tickets, up-to: internal}, {name: payroll, up-to: restricted}");
	assert_true(decide_bench_put(bench,
		"object: data-source\nname: payroll\nunit: sales\ncustodian: cy\n"
		"sensitivity: internal\ntrust: trusted\nenvironment: staging\n"));
	put(bench, "boss", TO_MID(", depth: 1, tools: [files/read]"));
	put(bench, "mid", TO_AGENT(", tools: [files/read]"));
	decide_bench_consent(bench, "boss", "");
	decide_bench_consent(bench, "mid", "");
	refused(ask(bench, "read", payroll), REASON_PEER, "Unit sales");
	allowed(ask(bench, "read", TICKET)); /* their own */
	decide_bench_consent(bench, "boss", "sales");
	decide_bench_consent(bench, "mid", "sales");
	allowed(ask(bench, "read", payroll));
}

static void no_reach_goes_past_class_place_or_guardrail(void **state)
{
	struct decide_bench *bench = *state;

	put(bench, "boss", TO_MID(", depth: 1, tools: [files/mail]"));
	put(bench, "mid", TO_AGENT(", tools: [files/mail]"));
	allowed(ask(bench, "mail", "{}"));
	decide_bench_set_class(bench, "boss", CLASS_RETRIEVE);
	refused(ask(bench, "mail", "{}"), REASON_CLASS_CEILING, "boss");
	decide_bench_set_class(bench, "boss", CLASS_EXECUTE);
	assert_true(decide_bench_put(bench, "object: policy\nname: org/not-boss\ntext: |\n"
					    "  forbid (principal == Identity::\"boss\", action == "
					    "Action::\"write\", resource);\n"));
	refused(ask(bench, "mail", "{}"), REASON_FORBIDDEN, "org/not-boss");
}

static void a_reach_is_no_right_of_the_one_that_hands_on(void **state)
{
	struct decide_bench *bench = *state;
	struct call own = decide_bench_call(bench, "files", "mail", "{}");

	put(bench, "boss", TO_MID(", depth: 1, tools: [files/mail]"));
	own.identity = TEXT("boss");
	own.task = TEXT("t-boss");
	refused(decide_bench_decide(bench, &own, DECIDE_NO_SEARCH, NULL), REASON_NO_ENTITLEMENT,
		"boss");
}

static void the_last_may_do_it_by_its_own_charter_or_not_at_all(void **state)
{
	struct decide_bench *bench = *state;

	put(bench, "boss", TO_MID(", depth: 1, tools: ['files/*']"));
	put(bench, "mid", TO_AGENT(", tools: ['files/*']"));
	decide_bench_edit(bench, "agent", "  - {effect: execute, tool: files/run}\n", "");
	refused(ask(bench, "run", "{}"), REASON_NO_ENTITLEMENT, "agent");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(what_a_line_above_says_is_not_told),
		TEST(what_a_line_above_says_is_not_told_after_a_search),
		TEST(what_outputs_and_data_above_say_is_not_told),
		TEST(how_often_a_line_above_may_be_used_is_not_told),
		TEST(what_a_model_line_above_says_is_not_told),
		TEST(who_answers_for_a_link_and_its_class_are_not_told),
		TEST(a_link_without_a_line_has_handed_on_nothing),
		TEST(what_only_lists_needs_the_line_too),
		TEST(the_first_link_that_refuses_is_named),
		TEST(a_line_hands_on_no_other_effect),
		TEST(nothing_above_the_line_goes_along),
		TEST(it_is_handed_on_as_often_as_each_line_says),
		TEST(without_a_reach_each_link_may_do_it_itself),
		TEST(a_reach_hands_on_what_is_in_it_and_nothing_else),
		TEST(a_reach_is_consented_by_whose_tool_it_is),
		TEST(of_before_a_reach_goes_by_the_units_name),
		TEST(a_reach_is_consented_by_whose_data_it_is),
		TEST(no_reach_goes_past_class_place_or_guardrail),
		TEST(a_reach_is_no_right_of_the_one_that_hands_on),
		TEST(the_last_may_do_it_by_its_own_charter_or_not_at_all),
		TEST(tasks_of_one_identity_in_a_row_are_one_hop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
