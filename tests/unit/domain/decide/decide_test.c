#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/decide/decision.h"
#include "domain/decide/evaluation.h"
#include "support/decide_bench.h"

/* Each rule is tried in a world in which nothing else refuses: the same call is
 * allowed before the world is changed and, its twin, after it is changed back. */

#define TICKET "{\"path\":\"tickets/41.txt\"}"

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

static void expect_reason(const struct decision *decision, enum verdict verdict, enum reason reason)
{
	if (decision->verdict != verdict || decision->reason != reason)
		fail_msg("%s %s, not %s %s: %.*s", verdict_word(decision->verdict),
			reason_word(decision->reason), verdict_word(verdict), reason_word(reason),
			TEXT_ARGS(decision->explanation));
}

static void expect_allowed(const struct decision *decision)
{
	expect_reason(decision, VERDICT_ALLOW, REASON_ALLOWED);
}

static void expect_denied(const struct decision *decision, enum reason reason)
{
	expect_reason(decision, VERDICT_DENY, reason);
	assert_int_not_equal(decision->explanation.length, 0);
	assert_int_not_equal(decision->needed.length, 0);
}

/* Changes one document, expects the refusal, changes it back. */
static void refuses_after(struct decide_bench *bench, const char *name, const char *before,
	const char *after, enum reason reason)
{
	expect_allowed(decide_bench_ask(bench, "files", "read", TICKET));
	decide_bench_edit(bench, name, before, after);
	expect_denied(decide_bench_ask(bench, "files", "read", TICKET), reason);
	decide_bench_edit(bench, name, before, before);
	expect_allowed(decide_bench_ask(bench, "files", "read", TICKET));
}

/* ---- who ---- */

static void an_unknown_identity_is_denied(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "files", "list", "{}");

	expect_allowed(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL));
	call.identity = TEXT("nobody");
	expect_denied(
		decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_IDENTITY_UNKNOWN);
}

static void an_identity_that_is_not_active_is_denied(void **state)
{
	static const enum identity_state states[] = {IDENTITY_SUSPENDED, IDENTITY_RETIRED};
	struct decide_bench *bench = *state;
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(*states); i++) {
		decide_bench_set_state(bench, "agent", states[i]);
		expect_denied(
			decide_bench_ask(bench, "files", "list", "{}"), REASON_IDENTITY_NOT_ACTIVE);
		if (states[i] == IDENTITY_RETIRED)
			break;
		decide_bench_set_state(bench, "agent", IDENTITY_ACTIVE);
		expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
	}
}

static void an_expired_charter_is_denied(void **state)
{
	refuses_after(*state, "agent", "expires: 2030-01-01", "expires: 2027-01-01",
		REASON_CHARTER_EXPIRED);
}

static void a_charter_ends_in_the_second_it_says(void **state)
{
	struct decide_bench *bench = *state;
	const struct registry_entry *entry =
		registry_find(bench->registry, OBJECT_IDENTITY, TEXT("agent"));
	int64_t end_ms = charter_of(entry->in_force)->expires_utc_s * 1000;

	bench->now_utc_ms = end_ms - 1000;
	decide_bench_open_task(bench, "t-9", "agent", ENVIRONMENT_STAGING, "");
	struct call call = decide_bench_call(bench, "files", "list", "{}");
	call.task = TEXT("t-9");
	bench->now_utc_ms = end_ms - 1;
	expect_allowed(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL));
	bench->now_utc_ms = end_ms;
	expect_denied(
		decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_CHARTER_EXPIRED);
}

/* ---- task ---- */

static void a_call_without_its_own_open_task_is_denied(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "files", "list", "{}");

	call.task = TEXT("t-7");
	expect_denied(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_TASK_UNKNOWN);
	call.task = TEXT("");
	expect_denied(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_TASK_UNKNOWN);
	decide_bench_put(bench, "object: identity\nname: twin\nkind: agent\nclass: execute\n"
				"risk: low\nowner: ana\nbackup-owner: bo\nunit: support\n"
				"purpose: p\nenvironments: [staging]\n"
				"entitlements: [{effect: read, tool: files/list}]\n"
				"expires: 2030-01-01\n");
	call.task = TEXT("t-1");
	call.identity = TEXT("twin");
	expect_denied(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_TASK_UNKNOWN);
	decide_bench_open_task(bench, "t-7", "twin", ENVIRONMENT_STAGING, "");
	call.task = TEXT("t-7");
	expect_allowed(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL));
}

static void a_caller_cannot_say_its_environment(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "files", "list", "{}");

	decide_bench_edit(
		bench, "agent", "environments: [staging]", "environments: [staging, prod]");
	expect_allowed(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL));
	call.environment = ENVIRONMENT_PROD;
	expect_denied(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_TASK_UNKNOWN);
}

static void a_task_that_is_over_is_denied(void **state)
{
	struct decide_bench *bench = *state;

	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
	bench->now_utc_ms += 900000;
	expect_denied(decide_bench_ask(bench, "files", "list", "{}"), REASON_TASK_NOT_LIVE);
	bench->now_utc_ms -= 1;
	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
	decide_bench_fold(bench, "{\"type\":\"kill\",\"target\":\"identity\","
				 "\"identity\":\"agent\",\"epoch\":1}");
	expect_denied(decide_bench_ask(bench, "files", "list", "{}"), REASON_TASK_NOT_LIVE);
}

static void a_task_for_one_call_makes_no_other(void **state)
{
	struct decide_bench *bench = *state;
	struct call list = decide_bench_call(bench, "files", "list", "{}");
	struct call names = decide_bench_method(bench, "files", "tools/list", "{}");
	struct json details;
	struct error err = {0};

	assert_true(json_parse(&details, bench->arena,
		TEXT("[{\"type\":\"remit_tool\",\"tool\":\"files/list\","
		     "\"effect\":\"write\"}]"),
		&json_limits_default, &err));
	decide_bench_open_task_for(bench, "t-other", "", &details);
	assert_true(json_parse(&details, bench->arena,
		TEXT("[{\"type\":\"remit_tool\",\"tool\":\"files/list\","
		     "\"arguments\":{\"dir\":[1]}},{\"type\":\"remit_tool\",\"tool\":"
		     "\"files/list\",\"effect\":\"read\",\"arguments\":{}}]"),
		&json_limits_default, &err));
	decide_bench_open_task_for(bench, "t-this", "", &details);
	list.task = TEXT("t-other");
	expect_denied(decide_bench_decide(bench, &list, DECIDE_SEARCH, NULL), REASON_TASK_DETAILS);
	list.task = TEXT("t-this");
	expect_allowed(decide_bench_decide(bench, &list, DECIDE_SEARCH, NULL));
	/* What there is may be seen: the list shows what the charter lets it use. */
	names.task = TEXT("t-other");
	assert_int_not_equal(decide_bench_decide(bench, &names, DECIDE_SEARCH, NULL)->reason,
		REASON_TASK_DETAILS);
}

/* ---- what ---- */

static void a_method_no_rule_knows_is_denied(void **state)
{
	static const char *const methods[] = {"resources/subscribe", "tasks/list", "nonsense",
		"initialize", "ping", "sampling/createMessage"};
	struct decide_bench *bench = *state;
	struct call call;
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		call = decide_bench_method(bench, "files", methods[i], "{}");
		expect_denied(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL),
			REASON_METHOD_UNKNOWN);
	}
}

static void a_known_method_is_decided_like_a_tool(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_method(
		bench, "files", "resources/read", "{\"uri\":\"kb://tickets/41\"}");

	expect_allowed(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL));
	assert_int_equal(bench->decision.sensitivity, SENSITIVITY_INTERNAL);
	assert_int_equal(bench->decision.sources_count, 1);
	assert_true(text_is(bench->decision.sources[0], "tickets"));
	call = decide_bench_method(bench, "files", "prompts/get", "{\"name\":\"x\"}");
	expect_denied(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_TOOL_UNKNOWN);
}

static enum reason read_resource(struct decide_bench *bench, const char *uri)
{
	struct text params = text_format(bench->arena, "{\"uri\":\"%s\"}", uri);
	struct call call = decide_bench_method(bench, "files", "resources/read", params.data);

	return decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL)->reason;
}

static void a_resource_outside_its_data_sources_is_denied(void **state)
{
	struct decide_bench *bench = *state;

	assert_int_equal(read_resource(bench, "kb://elsewhere/1"), REASON_DATA_SOURCE);
	assert_int_equal(read_resource(bench, "kb://payroll/1"), REASON_DATA_SOURCE);
	assert_int_equal(
		read_resource(bench, "kb://tickets/../payroll/1"), REASON_TARGET_MALFORMED);
	assert_int_equal(
		read_resource(bench, "kb://tickets/%2E%2E/payroll/1"), REASON_TARGET_MALFORMED);
	assert_int_equal(read_resource(bench, "kb://tickets/41"), REASON_ALLOWED);
}

static void a_scheme_its_server_does_not_name_is_denied(void **state)
{
	struct decide_bench *bench = *state;

	assert_int_equal(read_resource(bench, "file:///tickets/41"), REASON_TARGET_MALFORMED);
	decide_bench_edit(bench, "files", "schemes: [kb]\n", "");
	assert_int_equal(read_resource(bench, "kb://tickets/41"), REASON_TARGET_MALFORMED);
}

static void a_resource_without_a_uri_is_denied(void **state)
{
	static const char *const params[] = {
		"{}", "{\"uri\":7}", "{\"uri\":[\"kb://tickets/41\"]}"};
	struct decide_bench *bench = *state;
	size_t i;

	for (i = 0; i < sizeof(params) / sizeof(*params); i++) {
		struct call call = decide_bench_method(bench, "files", "resources/read", params[i]);

		expect_denied(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL),
			REASON_TARGET_MALFORMED);
	}
}

static void a_method_that_brings_data_must_be_bound(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_edit(bench, "files/resources.read",
		"reads:\n  - {data-source: tickets, uri: 'kb://tickets/*'}\n"
		"  - {data-source: payroll, uri: 'kb://payroll/*'}\n",
		"");
	assert_int_equal(read_resource(bench, "kb://tickets/41"), REASON_DATA_SOURCE);
	assert_non_null(strstr(bench->decision.explanation.data, "bound to no data source"));
}

static void a_prompt_is_bound_by_its_name(void **state)
{
	struct decide_bench *bench = *state;
	struct call call;

	assert_true(decide_bench_put(bench,
		"object: tool\nname: files/prompts.get\neffect: read\nrisk: low\n"
		"reads: [{data-source: tickets, prompt: 'triage-*'}]\n"));
	decide_bench_edit(bench, "agent", "tool: other/peek}",
		"tool: other/peek}\n  - {effect: read, tool: files/prompts.get}");
	call = decide_bench_method(bench, "files", "prompts/get", "{\"name\":\"triage-1\"}");
	expect_allowed(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL));
	call = decide_bench_method(bench, "files", "prompts/get", "{\"name\":\"payroll\"}");
	expect_denied(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_DATA_SOURCE);
	call = decide_bench_method(bench, "files", "prompts/get", "{}");
	expect_denied(
		decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_COULD_NOT_EVALUATE);
}

static struct text replaced(
	struct decide_bench *bench, const char *whole, const char *before, const char *after)
{
	const char *at = strstr(whole, before);

	assert_non_null(at);
	return text_format(
		bench->arena, "%.*s%s%s", (int)(at - whole), whole, after, at + strlen(before));
}

/* A tool whose rows are judged, and an identity that may read them up to that. */
static void put_rows(struct decide_bench *bench, const char *up_to, const char *reply)
{
	struct text line =
		text_format(bench->arena, "internal}, {name: payroll, up-to: %s}", up_to);
	struct text out = text_format(bench->arena, "{to: reply, up-to: %s}", reply);
	const char *agent = strstr(decide_bench_yaml, "object: identity\nname: agent");
	struct text whole = replaced(bench, agent, "internal}", line.data);

	whole = replaced(bench, whole.data, "{to: reply, up-to: internal}", out.data);
	whole = replaced(bench, whole.data, "tool: other/peek}",
		"tool: other/peek}\n  - {effect: read, tool: files/rows}");
	assert_true(decide_bench_put(bench,
		"object: tool\nname: files/rows\neffect: read\nrisk: low\n"
		"reads: [{data-source: payroll}]\nclassification: 'rows[*].class'\n"));
	assert_true(decide_bench_put(bench, whole.data));
}

static void rows_that_are_judged_may_come_up_to_the_lower_of_source_and_reply(void **state)
{
	struct decide_bench *bench = *state;

	put_rows(bench, "confidential", "internal");
	expect_allowed(decide_bench_ask(bench, "files", "rows", "{}"));
	assert_int_equal(bench->decision.ceiling, SENSITIVITY_INTERNAL);
	assert_int_equal(bench->decision.sensitivity, SENSITIVITY_INTERNAL);
	put_rows(bench, "public", "restricted");
	expect_allowed(decide_bench_ask(bench, "files", "rows", "{}"));
	assert_int_equal(bench->decision.ceiling, SENSITIVITY_PUBLIC);
	put_rows(bench, "restricted", "restricted");
	expect_allowed(decide_bench_ask(bench, "files", "rows", "{}"));
	assert_int_equal(bench->decision.ceiling, SENSITIVITY_RESTRICTED);
	assert_int_equal(bench->decision.sensitivity, SENSITIVITY_RESTRICTED);
}

static void the_chain_lowers_the_ceiling(void **state)
{
	struct decide_bench *bench = *state;
	struct text boss;
	struct call call;

	put_rows(bench, "public", "internal");
	boss = replaced(bench, strstr(decide_bench_yaml, "object: identity\nname: agent"),
		"name: agent",
		"name: boss\npeers: [{identity: agent, effects: [read], up-to: restricted}]");
	boss = replaced(bench, boss.data, "internal}", "internal}, {name: payroll, up-to: public}");
	boss = replaced(bench, boss.data, "tool: other/peek}",
		"tool: other/peek}\n  - {effect: read, tool: files/rows}");
	assert_true(decide_bench_put(bench, boss.data));
	put_rows(bench, "confidential", "internal");
	decide_bench_open_task(bench, "t-8", "boss", ENVIRONMENT_STAGING, NULL);
	decide_bench_open_task(bench, "t-9", "agent", ENVIRONMENT_STAGING, "t-8");
	call = decide_bench_call(bench, "files", "rows", "{}");
	expect_allowed(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL));
	assert_int_equal(bench->decision.ceiling, SENSITIVITY_INTERNAL);
	call.task = TEXT("t-9");
	expect_allowed(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL));
	assert_int_equal(bench->decision.ceiling, SENSITIVITY_PUBLIC);
	assert_int_equal(bench->decision.sensitivity, SENSITIVITY_PUBLIC);
}

static void rows_that_are_not_judged_count_as_their_source(void **state)
{
	struct decide_bench *bench = *state;

	put_rows(bench, "confidential", "restricted");
	assert_true(
		decide_bench_put(bench, "object: tool\nname: files/rows\neffect: read\nrisk: low\n"
					"reads: [{data-source: payroll}]\n"));
	expect_denied(decide_bench_ask(bench, "files", "rows", "{}"), REASON_SENSITIVITY);
	assert_int_equal(bench->decision.ceiling, SENSITIVITY_UNLABELLED);
}

static void an_unknown_server_or_tool_is_denied(void **state)
{
	struct decide_bench *bench = *state;

	expect_denied(decide_bench_ask(bench, "nowhere", "list", "{}"), REASON_SERVER_UNKNOWN);
	expect_denied(decide_bench_ask(bench, "files", "nothing", "{}"), REASON_TOOL_UNKNOWN);
}

static void a_tool_of_another_server_is_denied(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "files", "list", "{}");

	call.server = TEXT("other");
	expect_denied(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_TOOL_UNKNOWN);
}

static void another_effect_than_the_tools_is_denied(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "files", "list", "{}");

	call.effect = EFFECT_READ;
	expect_allowed(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL));
	call.effect = EFFECT_WRITE;
	expect_denied(
		decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_EFFECT_MISMATCH);
}

static void a_tool_that_is_not_as_pinned_is_denied(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_edit(bench, "files/list", "reversal: none-needed",
		"reversal: none-needed\ndefinition: sha256:"
		"0000000000000000000000000000000000000000000000000000000000000001");
	bench->definition = DEFINITION_MATCHES;
	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
	bench->definition = DEFINITION_UNSEEN;
	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
	bench->definition = DEFINITION_DIFFERS;
	expect_denied(decide_bench_ask(bench, "files", "list", "{}"), REASON_TOOL_QUARANTINED);
	bench->definition = DEFINITION_UNPINNED;
	expect_denied(decide_bench_ask(bench, "files", "list", "{}"), REASON_TOOL_QUARANTINED);
}

static void a_tool_without_a_pin_that_imitates_one_is_denied(void **state)
{
	static const enum definition_state states[] = {
		DEFINITION_RENAMED, DEFINITION_SHADOWED, DEFINITION_LOOK_ALIKE};
	struct decide_bench *bench = *state;
	const struct decision *decision;

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		bench->definition = states[i];
		decision = decide_bench_ask(bench, "files", "list", "{}");
		expect_denied(decision, REASON_TOOL_QUARANTINED);
		assert_non_null(strstr(decision->needed.data, "definition show files/list"));
		assert_null(strstr(decision->explanation.data, "sha256:"));
	}
	bench->definition = DEFINITION_UNREADABLE; /* says nothing where there is no pin */
	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
	bench->definition = DEFINITION_UNPINNED;
	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
}

static void arguments_that_do_not_fit_the_pinned_definition_are_denied(void **state)
{
	struct decide_bench *bench = *state;

	bench->definition = DEFINITION_MATCHES;
	bench->arguments = ARGUMENTS_INVALID; /* of what is not pinned they mean nothing */
	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
	decide_bench_edit(bench, "files/list", "reversal: none-needed",
		"reversal: none-needed\ndefinition: sha256:"
		"0000000000000000000000000000000000000000000000000000000000000001");
	expect_denied(decide_bench_ask(bench, "files", "list", "{}"), REASON_ARGUMENTS_INVALID);
	bench->arguments = ARGUMENTS_UNDECIDED;
	expect_denied(decide_bench_ask(bench, "files", "list", "{}"), REASON_COULD_NOT_EVALUATE);
	bench->definition = DEFINITION_UNSEEN; /* looked at again before it is forwarded */
	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
	bench->definition = DEFINITION_UNREADABLE;
	expect_denied(decide_bench_ask(bench, "files", "list", "{}"), REASON_TOOL_QUARANTINED);
	bench->definition = DEFINITION_MATCHES;
	bench->arguments = ARGUMENTS_VALID;
	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
	bench->arguments = ARGUMENTS_UNCHECKED;
	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
}

static void a_malformed_target_is_denied_before_anything_is_evaluated(void **state)
{
	struct decide_bench *bench = *state;

	expect_allowed(decide_bench_ask(bench, "files", "read", TICKET));
	expect_denied(
		decide_bench_ask(bench, "files", "read", "{\"path\":\"tickets/../payroll/x\"}"),
		REASON_TARGET_MALFORMED);
	expect_denied(
		decide_bench_ask(bench, "files", "read", "{\"path\":7}"), REASON_TARGET_MALFORMED);
}

/* ---- where ---- */

static void an_environment_outside_the_charter_is_denied(void **state)
{
	struct decide_bench *bench = *state;

	refuses_after(
		bench, "files", "environment: staging", "environment: test", REASON_ENVIRONMENT);
	refuses_after(bench, "agent", "environments: [staging]", "environments: [prod]",
		REASON_ENVIRONMENT);
}

/* ---- the ceiling ---- */

static void the_class_is_a_ceiling_whatever_the_lines_say(void **state)
{
	static const struct {
		enum use_class use_class;
		const char *tool;
		bool is_allowed;
	} rows[] = {
		{CLASS_SUMMARISE, "list", true},
		{CLASS_RETRIEVE, "list", true},
		{CLASS_SUMMARISE, "mail", false},
		{CLASS_RETRIEVE, "mail", false},
		{CLASS_UPDATE, "run", false},
		{CLASS_EXECUTE, "run", true},
	};
	struct decide_bench *bench = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		decide_bench_set_class(bench, "agent", rows[i].use_class);
		if (rows[i].is_allowed)
			expect_allowed(decide_bench_ask(bench, "files", rows[i].tool, "{}"));
		else
			expect_denied(decide_bench_ask(bench, "files", rows[i].tool, "{}"),
				REASON_CLASS_CEILING);
	}
}

static void what_no_line_permits_is_denied(void **state)
{
	struct decide_bench *bench = *state;

	refuses_after(bench, "agent",
		"  - {effect: read, tool: files/read, when: 'context.args.path like \"*s/*\"'}\n",
		"", REASON_NO_ENTITLEMENT);
	refuses_after(bench, "agent", "'context.args.path like \"*s/*\"'",
		"'context.args.path like \"x/*\"'", REASON_NO_ENTITLEMENT);
}

/* Nor is an approval named that would open nothing. */
static void expect_no_approval_named(struct decide_bench *bench)
{
	const struct decision *decision;

	decide_bench_edit(bench, "agent", "{effect: write, tool: files/write, approvals: [owner]}",
		"{effect: write, tool: files/write, approvals: [owner], "
		"when: 'context.args.path like \"x/*\"'}");
	decision = decide_bench_ask(bench, "files", "write", TICKET);
	expect_denied(decision, REASON_NO_ENTITLEMENT);
	assert_true(text_is(decision->clause, "context.args.path like \"x/*\""));
	assert_true(text_is(decision->needed,
		"Arguments for which context.args.path like \"x/*\", or a wider line in the "
		"charter, approved."));
	decision = decide_bench_ask(bench, "files", "write", "{\"path\":\"x/1\"}");
	expect_reason(decision, VERDICT_ASK, REASON_APPROVAL_NEEDED);
	assert_true(text_is(decision->approvals[0], "owner"));
}

static void a_refusal_says_which_clause_is_false(void **state)
{
	struct decide_bench *bench = *state;
	const struct decision *decision;

	decide_bench_edit(bench, "agent", "'context.args.path like \"*s/*\"'",
		"'context.environment == \"staging\" && context.args.path like \"x/*\"'");
	decision = decide_bench_ask(bench, "files", "read", TICKET);
	expect_denied(decision, REASON_NO_ENTITLEMENT);
	assert_true(text_is(decision->entitlement, "charter/agent@2/entitlements/0"));
	assert_true(text_is(decision->clause, "context.args.path like \"x/*\""));
	expect_no_approval_named(bench);
}

static void an_expired_line_is_denied(void **state)
{
	struct decide_bench *bench = *state;

	refuses_after(bench, "agent",
		"{effect: read, tool: files/read, when: 'context.args.path like \"*s/*\"'}",
		"{effect: read, tool: files/read, expires: 2027-01-01}",
		REASON_ENTITLEMENT_EXPIRED);
	decide_bench_edit(bench, "agent",
		"{effect: read, tool: files/read, when: 'context.args.path like \"*s/*\"'}",
		"{effect: read, tool: files/read, expires: 2027-01-01}\n"
		"  - {effect: read, tool: files/read}");
	expect_allowed(decide_bench_ask(bench, "files", "read", TICKET));
	assert_true(text_ends_with(bench->decision.entitlement, "/entitlements/1"));
}

static void a_line_that_cannot_be_evaluated_and_was_the_only_hope_is_denied(void **state)
{
	struct decide_bench *bench = *state;

	refuses_after(bench, "agent", "'context.args.path like \"*s/*\"'",
		"'context.args.size < 10'", REASON_COULD_NOT_EVALUATE);
	decide_bench_edit(bench, "agent",
		"{effect: read, tool: files/read, when: 'context.args.path like \"*s/*\"'}",
		"{effect: read, tool: files/read, when: 'context.args.size < 10'}\n"
		"  - {effect: read, tool: files/read}");
	expect_allowed(decide_bench_ask(bench, "files", "read", TICKET));
}

/* ---- the data ---- */

static void a_data_source_outside_the_charter_is_denied(void **state)
{
	struct decide_bench *bench = *state;

	refuses_after(bench, "agent", "data-sources: [{name: tickets, up-to: internal}]",
		"data-sources: [{name: payroll, up-to: restricted}]", REASON_DATA_SOURCE);
	expect_denied(decide_bench_ask(bench, "files", "read", "{\"path\":\"payroll/x\"}"),
		REASON_DATA_SOURCE);
}

static void data_that_no_source_covers_is_denied(void **state)
{
	struct decide_bench *bench = *state;

	expect_denied(decide_bench_ask(bench, "files", "read", "{\"path\":\"secrets/x\"}"),
		REASON_DATA_SOURCE);
	decide_bench_edit(bench, "files/read", "'context.args.path like \"tickets/*\"'",
		"'context.args.path like \"secrets/*\"'");
	expect_allowed(decide_bench_ask(bench, "files", "read", "{\"path\":\"secrets/x\"}"));
}

static void data_above_the_charters_level_is_denied(void **state)
{
	struct decide_bench *bench = *state;

	refuses_after(bench, "agent", "{name: tickets, up-to: internal}",
		"{name: tickets, up-to: public}", REASON_SENSITIVITY);
	refuses_after(bench, "tickets", "sensitivity: internal", "sensitivity: confidential",
		REASON_SENSITIVITY);
}

/* A call of a task for di, who has this clearance. */
static const struct decision *ask_for_di(struct decide_bench *bench, const char *clearance)
{
	char yaml[128];
	struct call call = decide_bench_call(bench, "files", "read", "{\"path\":\"tickets/1\"}");

	(void)snprintf(yaml, sizeof yaml, "object: person\nname: di\nunit: support\n%s", clearance);
	assert_true(decide_bench_put(bench, yaml));
	call.task = TEXT("t-di");
	return decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL);
}

static void data_above_the_clearance_of_its_person_is_denied(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_open_task_of(bench, "t-di", "di");
	expect_denied(ask_for_di(bench, "clearance: public\n"), REASON_SENSITIVITY);
	/* And an agent is not told up to where they are cleared. */
	assert_true(text_is(bench->decision.explanation,
		"It reads data source tickets, and the person that the task is for is not cleared "
		"for it."));
	assert_true(text_is(bench->decision.needed,
		"A person who is cleared for data source tickets, or less sensitive data."));
	expect_allowed(ask_for_di(bench, "clearance: internal\n"));
	expect_allowed(ask_for_di(bench, ""));
	decide_bench_edit(bench, "agent", "{name: tickets, up-to: internal}",
		"{name: tickets, up-to: public}");
	expect_denied(ask_for_di(bench, "clearance: restricted\n"), REASON_SENSITIVITY);
}

static void unlabelled_data_counts_as_restricted(void **state)
{
	struct decide_bench *bench = *state;

	refuses_after(bench, "tickets", "sensitivity: internal\n", "", REASON_SENSITIVITY);
	decide_bench_edit(bench, "tickets", "sensitivity: internal\n", "");
	decide_bench_edit(bench, "agent",
		"data-sources: [{name: tickets, up-to: internal}]\n"
		"outputs: [{to: reply, up-to: internal}",
		"data-sources: [{name: tickets, up-to: restricted}]\n"
		"outputs: [{to: reply, up-to: restricted}");
	expect_allowed(decide_bench_ask(bench, "files", "read", TICKET));
	assert_int_equal(bench->decision.sensitivity, SENSITIVITY_RESTRICTED);
}

static void a_reads_line_that_cannot_be_evaluated_is_denied(void **state)
{
	refuses_after(*state, "files/read", "'context.args.path like \"payroll/*\"'",
		"'context.args.other like \"payroll/*\"'", REASON_COULD_NOT_EVALUATE);
}

static void an_answer_may_carry_only_what_the_reply_may(void **state)
{
	struct decide_bench *bench = *state;

	refuses_after(bench, "agent", "{to: reply, up-to: internal}", "{to: reply, up-to: public}",
		REASON_OUTPUT);
	refuses_after(bench, "agent", "{to: reply, up-to: internal}, ", "", REASON_OUTPUT);
}

static void a_recipient_gets_only_what_the_charter_lets_go_there(void **state)
{
	struct decide_bench *bench = *state;

	expect_allowed(decide_bench_ask(bench, "files", "mail", "{\"to\":\"ana\"}"));
	expect_denied(decide_bench_ask(bench, "files", "mail", "{\"to\":\"bo\"}"), REASON_OUTPUT);
	expect_denied(decide_bench_ask(bench, "files", "mail", "{\"to\":[\"ana\",\"bo\"]}"),
		REASON_OUTPUT);
	expect_allowed(decide_bench_ask(bench, "files", "mail", "{\"to\":[\"ana\"]}"));
	decide_bench_fold(bench, "{\"type\":\"decision\",\"task\":\"t-1\",\"verdict\":\"allow\","
				 "\"sensitivity\":\"internal\"}");
	expect_denied(decide_bench_ask(bench, "files", "mail", "{\"to\":\"ana\"}"), REASON_OUTPUT);
}

static void a_recipient_gets_no_more_of_what_the_same_call_reads(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_edit(
		bench, "files/mail", "targets:", "reads: [{data-source: tickets}]\ntargets:");
	expect_denied(decide_bench_ask(bench, "files", "mail", "{\"to\":\"ana\"}"), REASON_OUTPUT);
	decide_bench_edit(bench, "agent", "{to: 'person:ana', up-to: public}",
		"{to: 'person:ana', up-to: internal}");
	expect_allowed(decide_bench_ask(bench, "files", "mail", "{\"to\":\"ana\"}"));
}

static void what_was_read_is_named_in_the_decision(void **state)
{
	struct decide_bench *bench = *state;

	expect_allowed(decide_bench_ask(bench, "files", "read", TICKET));
	assert_int_equal(bench->decision.sensitivity, SENSITIVITY_INTERNAL);
	assert_true(bench->decision.is_untrusted);
	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
	assert_int_equal(bench->decision.sensitivity, SENSITIVITY_UNLABELLED);
	assert_false(bench->decision.is_untrusted);
}

/* ---- guardrails ---- */

static void a_guardrail_of_any_unit_concerned_forbids(void **state)
{
	static const char *const names[] = {"org/stop", "support/stop", "sales/stop"};
	struct decide_bench *bench = *state;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct text on = text_format(bench->arena,
			"object: policy\nname: %s\ntext: |\n"
			"  forbid (principal, action == Action::\"read\", resource)\n"
			"  when { context.args.path like \"tickets/*\" };\n",
			names[i]);
		struct text off = text_format(bench->arena,
			"object: policy\nname: %s\ntext: |\n"
			"  forbid (principal, action == Action::\"generate\", resource);\n",
			names[i]);

		expect_allowed(decide_bench_ask(bench, "other", "peek", TICKET));
		assert_true(decide_bench_put(bench, on.data));
		expect_denied(decide_bench_ask(bench, "other", "peek", TICKET), REASON_FORBIDDEN);
		assert_true(text_starts_with(bench->decision.policies[0], "policy/"));
		assert_int_not_equal(bench->decision.clause.length, 0);
		assert_true(decide_bench_put(bench, off.data));
	}
}

static void a_unit_that_is_not_concerned_forbids_nothing(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench, "object: policy\nname: sales/stop\ntext: |\n"
					    "  forbid (principal, action, resource);\n"));
	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
	expect_denied(decide_bench_ask(bench, "other", "peek", "{}"), REASON_FORBIDDEN);
}

static void a_guardrail_that_cannot_be_evaluated_denies(void **state)
{
	struct decide_bench *bench = *state;

	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
	assert_true(decide_bench_put(bench, "object: policy\nname: org/broken\ntext: |\n"
					    "  forbid (principal, action, resource)\n"
					    "  when { context.args.amount > 10 };\n"));
	expect_denied(decide_bench_ask(bench, "files", "list", "{}"), REASON_COULD_NOT_EVALUATE);
	expect_allowed(decide_bench_ask(bench, "files", "list", "{\"amount\":1}"));
	expect_denied(
		decide_bench_ask(bench, "files", "list", "{\"amount\":11}"), REASON_FORBIDDEN);
}

static void policies_see_the_world_as_documented(void **state)
{
	static const char *const conditions[] = {
		"principal.kind == \"agent\"",
		"principal.class == \"execute\"",
		"principal.risk == \"low\"",
		"principal.owner == \"ana\"",
		"principal.unit == \"support\"",
		"principal.environments.contains(\"staging\")",
		"principal in Unit::\"support\"",
		"resource == Tool::\"files/read\"",
		"resource.server == \"files\"",
		"resource.effect == \"read\"",
		"resource.risk == \"low\"",
		"resource.environment == \"staging\"",
		"resource.reversal == \"none-needed\"",
		"resource.unit == \"support\"",
		"resource.sensitivity == \"restricted\"",
		"resource in Server::\"files\"",
		"resource in Unit::\"support\"",
		"action == Action::\"read\"",
		"context.args.path == \"tickets/41.txt\"",
		"context.binding == \"none\"",
		"context.environment == \"staging\"",
		"context.task.id == \"t-1\"",
		"context.task.depth == 1",
		"context.labels.sensitivity == \"public\"",
		"context.labels.untrusted == false",
		"context.origins.path == \"unknown\"",
		"context.origins.worst == \"unknown\"",
		"context.chain.contains(\"agent\")",
	};
	struct decide_bench *bench = *state;
	size_t i;

	for (i = 0; i < sizeof(conditions) / sizeof(*conditions); i++) {
		struct text document = text_format(bench->arena,
			"object: policy\nname: org/stop\ntext: |\n"
			"  forbid (principal, action, resource) when { %s };\n",
			conditions[i]);

		assert_true(decide_bench_put(bench, document.data));
		decide_bench_ask(bench, "files", "read", TICKET);
		if (bench->decision.reason != REASON_FORBIDDEN)
			fail_msg("%s: %s", conditions[i], reason_word(bench->decision.reason));
	}
}

static void policies_see_what_the_token_of_the_task_is_bound_to(void **state)
{
	static const char *const words[] = {"none", "dpop", "mtls"};
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench, "object: policy\nname: org/stop\ntext: |\n"
					    "  forbid (principal, action, resource)\n"
					    "  when { context.binding == \"none\" };\n"));
	decide_bench_ask(bench, "files", "read", TICKET); /* leaves the tool's reads */
	assert_int_equal(bench->decision.reason, REASON_FORBIDDEN);
	for (size_t i = 0; i < 3; i++) {
		struct text record = text_format(bench->arena,
			"{\"actor\":\"remit\",\"at\":%lld,\"binding\":\"%s\",\"charter-version\":1,"
			"\"deadline\":%lld,\"environment\":\"staging\",\"identity\":\"agent\","
			"\"identity-epoch\":0,\"task\":\"t-b%zu\",\"type\":\"task-opened\"}",
			(long long)bench->now_utc_ms, words[i],
			(long long)bench->now_utc_ms + 900000, i);
		struct call call = decide_bench_call(bench, "files", "read", TICKET);
		struct decide_world world = {
			.registry = bench->registry,
			.tasks = bench->tasks,
			.reads = bench->reads,
			.definition = DEFINITION_UNPINNED,
			.arguments = ARGUMENTS_UNCHECKED,
			.now_utc_ms = bench->now_utc_ms,
		};
		struct decision decision;

		decide_bench_fold(bench, record.data);
		call.task = text_format(bench->arena, "t-b%zu", i);
		decide(&world, &call, NULL, DECIDE_NO_SEARCH, bench->arena, &decision);
		assert_int_equal(decision.reason == REASON_FORBIDDEN, i == 0);
	}
}

/* ---- labels and origins ---- */

static void forbid(struct decide_bench *bench, const char *condition)
{
	struct text document = text_format(bench->arena,
		"object: policy\nname: org/stop\ntext: |\n"
		"  forbid (principal, action, resource) when { %s };\n",
		condition);

	assert_true(decide_bench_put(bench, document.data));
}

static struct decision mail_from(struct decide_bench *bench, const struct flow_origins *origins)
{
	struct call call = decide_bench_call(bench, "files", "mail", "{\"to\":\"ana\"}");
	struct decide_world world = {
		.registry = bench->registry,
		.tasks = bench->tasks,
		.origins = origins,
		.definition = DEFINITION_UNPINNED,
		.now_utc_ms = bench->now_utc_ms,
	};
	struct decision decision;

	decide(&world, &call, NULL, DECIDE_SEARCH, bench->arena, &decision);
	return decision;
}

static void a_guardrail_is_told_where_a_value_came_from_and_says_so(void **state)
{
	struct decide_bench *bench = *state;
	struct flow_origins origins = {
		.form = {[TARGET_RECIPIENT] = FLOW_TRUSTED},
		.worst = FLOW_TRUSTED,
		.addresses = FLOW_NONE,
		.targets = {{TEXT("to"), {FLOW_TRUSTED, true, 17}}},
		.targets_count = 1,
	};
	struct decision decision;

	forbid(bench, "[\"unknown\", \"untrusted\"].contains(context.origins.recipient)");
	decision = mail_from(bench, &origins);
	expect_allowed(&decision);
	origins.form[TARGET_RECIPIENT] = FLOW_UNTRUSTED;
	origins.targets[0].found.origin = FLOW_UNTRUSTED;
	decision = mail_from(bench, &origins);
	expect_reason(&decision, VERDICT_DENY, REASON_FORBIDDEN);
	assert_non_null(strstr(decision.explanation.data,
		"The value of argument to came from an untrusted field of record #17."));
	/* Nothing known is the worst. */
	decision = mail_from(bench, NULL);
	expect_reason(&decision, VERDICT_DENY, REASON_FORBIDDEN);
	/* A policy that does not look says nothing of it. */
	forbid(bench, "context.labels.untrusted == false");
	decision = mail_from(bench, &origins);
	expect_reason(&decision, VERDICT_DENY, REASON_FORBIDDEN);
	assert_null(strstr(decision.explanation.data, "record #17"));
}

static void a_field_that_strangers_write_makes_what_was_read_untrusted(void **state)
{
	struct decide_bench *bench = *state;

	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
	assert_false(bench->decision.is_untrusted);
	assert_false(bench->decision.is_source_trusted);
	decide_bench_edit(bench, "files/list", "risk: low",
		"risk: low\nresults: [{field: 'a.*', trust: untrusted}]");
	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
	assert_true(bench->decision.is_untrusted);
	decide_bench_edit(bench, "files/list", "risk: low",
		"risk: low\nresults: [{field: a, trust: trusted}]");
	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
	assert_false(bench->decision.is_untrusted);
}

static void a_task_below_does_not_shed_the_labels_of_those_above(void **state)
{
	struct decide_bench *bench = *state;
	struct call call;

	decide_bench_open_task(bench, "t-2", "agent", ENVIRONMENT_STAGING, "t-1");
	decide_bench_fold(bench, "{\"type\":\"decision\",\"task\":\"t-1\",\"verdict\":\"allow\","
				 "\"sensitivity\":\"internal\",\"untrusted\":true}");
	forbid(bench, "context.labels.untrusted && context.labels.sensitivity == \"internal\"");
	call = decide_bench_call(bench, "files", "list", "{}");
	call.task = TEXT("t-2");
	expect_denied(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_FORBIDDEN);
	assert_true(bench->decision.labels.has_untrusted_content);
	assert_int_equal(bench->decision.labels.sensitivity, SENSITIVITY_INTERNAL);
	assert_true(bench->decision.labels.untrusted_source.is_known);
	/* Nor what may go to a recipient. */
	decide_bench_edit(bench, "agent", "person:ana", "person:bo");
	call = decide_bench_call(bench, "files", "mail", "{\"to\":\"bo\"}");
	call.task = TEXT("t-2");
	expect_denied(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_OUTPUT);
}

static void a_line_may_be_about_anybody_at_a_host(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_edit(bench, "agent", "{to: 'person:ana', up-to: public}",
		"{to: '*@example.com', up-to: public}");
	expect_allowed(decide_bench_ask(bench, "files", "mail", "{\"to\":\"ana@EXAMPLE.com\"}"));
	expect_denied(decide_bench_ask(bench, "files", "mail", "{\"to\":\"ana@example.org\"}"),
		REASON_OUTPUT);
	expect_denied(decide_bench_ask(bench, "files", "mail", "{\"to\":\"@example.com\"}"),
		REASON_OUTPUT);
	expect_denied(decide_bench_ask(bench, "files", "mail", "{\"to\":\"a@b@example.com\"}"),
		REASON_OUTPUT);
	expect_denied(decide_bench_ask(bench, "files", "mail", "{\"to\":\"ana\"}"), REASON_OUTPUT);
	decide_bench_edit(
		bench, "agent", "{to: 'person:ana', up-to: public}", "{to: '*@*', up-to: public}");
	expect_allowed(decide_bench_ask(bench, "files", "mail", "{\"to\":\"ana@example.org\"}"));
	expect_denied(decide_bench_ask(bench, "files", "mail", "{\"to\":\"a@\"}"), REASON_OUTPUT);
}

/* ---- what Cedar cannot hold ---- */

static void an_argument_cedar_cannot_hold_denies_if_a_rule_mentions_it(void **state)
{
	static const char *const arguments[] = {"{\"amount\":null}", "{\"amount\":1.5}",
		"{\"amount\":[1,null]}", "{\"amount\":{\"x\":1.5}}"};
	struct decide_bench *bench = *state;
	size_t i;

	for (i = 0; i < sizeof(arguments) / sizeof(*arguments); i++)
		expect_allowed(decide_bench_ask(bench, "files", "list", arguments[i]));
	assert_true(decide_bench_put(bench,
		"object: policy\nname: org/amount\ntext: |\n"
		"  forbid (principal, action, resource)\n"
		"  when { context.args has amount && context.args.amount == 7 };\n"));
	for (i = 0; i < sizeof(arguments) / sizeof(*arguments); i++)
		expect_denied(decide_bench_ask(bench, "files", "list", arguments[i]),
			REASON_COULD_NOT_EVALUATE);
	expect_allowed(decide_bench_ask(bench, "files", "list", "{\"other\":null}"));
	expect_allowed(decide_bench_ask(bench, "files", "list", "{\"amount\":1}"));
}

static void an_unrepresentable_argument_in_a_line_or_a_reads_line_denies(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_edit(bench, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list, when: '!(context.args has n)'}");
	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
	expect_denied(decide_bench_ask(bench, "files", "list", "{\"n\":null}"),
		REASON_COULD_NOT_EVALUATE);
	decide_bench_edit(bench, "files/read", "'context.args.path like \"payroll/*\"'",
		"'context.args has n'");
	expect_denied(
		decide_bench_ask(bench, "files", "read", "{\"path\":\"tickets/1\",\"n\":1.5}"),
		REASON_COULD_NOT_EVALUATE);
}

static void more_lost_arguments_than_can_be_kept_deny_any_mention(void **state)
{
	struct decide_bench *bench = *state;
	char arguments[2048];

	for (int count = LOST_PATHS_MAX - 1; count <= LOST_PATHS_MAX + 1; count++) {
		size_t length = 1;

		arguments[0] = '{';
		for (int i = 0; i < count; i++)
			length += (size_t)snprintf(arguments + length, sizeof(arguments) - length,
				"%s\"a%d\":null", i == 0 ? "" : ",", i);
		snprintf(arguments + length, sizeof(arguments) - length, "}");
		decide_bench_edit(bench, "agent", "{effect: read, tool: files/list}",
			"{effect: read, tool: files/list}");
		expect_allowed(decide_bench_ask(bench, "files", "list", arguments));
		decide_bench_edit(bench, "agent", "{effect: read, tool: files/list}",
			"{effect: read, tool: files/list, when: '!(context.args has zz)'}");
		decide_bench_ask(bench, "files", "list", arguments);
		if (count <= LOST_PATHS_MAX)
			expect_allowed(&bench->decision);
		else
			expect_denied(&bench->decision, REASON_COULD_NOT_EVALUATE);
	}
}

/* All that forbid decide; only so many are named. */
static void only_so_many_determining_policies_are_named(void **state)
{
	struct decide_bench *bench = *state;

	for (int count = 1; count <= DECISION_POLICIES_MAX + 1; count++) {
		char policy[256];

		snprintf(policy, sizeof(policy),
			"object: policy\nname: org/f%d\ntext: |\n"
			"  forbid (principal, action, resource) when { context.args has n };\n",
			count);
		assert_true(decide_bench_put(bench, policy));
		if (count < DECISION_POLICIES_MAX - 1)
			continue;
		expect_denied(
			decide_bench_ask(bench, "files", "list", "{\"n\":1}"), REASON_FORBIDDEN);
		assert_int_equal(bench->decision.policies_count,
			count < DECISION_POLICIES_MAX ? count : DECISION_POLICIES_MAX);
	}
}

/* ---- rate ---- */

static void the_calls_of_a_minute_run_out(void **state)
{
	struct decide_bench *bench = *state;

	bench->calls_last_minute = 59;
	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
	bench->calls_last_minute = 60;
	expect_denied(decide_bench_ask(bench, "files", "list", "{}"), REASON_RATE_LIMIT);
	decide_bench_edit(bench, "agent", ", calls-per-minute: 60", "");
	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
}

/* ---- the chain ---- */

static const char parent_yaml[] =
	"object: identity\nname: parent\nkind: agent\nclass: execute\nrisk: low\nowner: ana\n"
	"backup-owner: bo\nunit: sales\npurpose: p\nenvironments: [staging]\n"
	"data-sources: [{name: tickets, up-to: internal}]\n"
	"entitlements: [{effect: read, tool: files/read}, {effect: read, tool: files/list}]\n"
	"peers: [{identity: agent, effects: [read, write, execute], up-to: restricted}]\n"
	"expires: 2030-01-01\n";

static void each_identity_of_the_chain_must_be_permitted(void **state)
{
	struct decide_bench *bench = *state;
	struct call call;

	assert_true(decide_bench_put(bench, parent_yaml));
	decide_bench_open_task(bench, "t-0", "parent", ENVIRONMENT_STAGING, "");
	decide_bench_open_task(bench, "t-2", "agent", ENVIRONMENT_STAGING, "t-0");
	call = decide_bench_call(bench, "files", "list", "{}");
	call.task = TEXT("t-2");
	expect_allowed(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL));
	assert_true(text_starts_with(bench->decision.entitlement, "charter/agent@"));
	call = decide_bench_call(bench, "files", "run", "{}");
	expect_allowed(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL));
	call.task = TEXT("t-2");
	expect_denied(
		decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_NO_ENTITLEMENT);
	assert_non_null(strstr(bench->decision.explanation.data, "parent"));
}

static void a_link_of_the_chain_refuses_for_its_own_reasons(void **state)
{
	static const struct {
		const char *before;
		const char *after;
		enum reason reason;
	} rows[] = {
		{"class: execute", "class: update", REASON_ALLOWED},
		{"environments: [staging]", "environments: [prod]", REASON_ENVIRONMENT},
		{"expires: 2030-01-01", "expires: 2027-01-01", REASON_CHARTER_EXPIRED},
		{"up-to: internal", "up-to: public", REASON_SENSITIVITY},
	};
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "files", "read", TICKET);
	size_t i;

	assert_true(decide_bench_put(bench, parent_yaml));
	decide_bench_open_task(bench, "t-0", "parent", ENVIRONMENT_STAGING, "");
	decide_bench_open_task(bench, "t-2", "agent", ENVIRONMENT_STAGING, "t-0");
	call.task = TEXT("t-2");
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *at = strstr(parent_yaml, rows[i].before);
		struct text edited = text_format(bench->arena, "%.*s%s%s", (int)(at - parent_yaml),
			parent_yaml, rows[i].after, at + strlen(rows[i].before));

		assert_true(decide_bench_put(bench, edited.data));
		decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL);
		assert_int_equal(bench->decision.reason, rows[i].reason);
	}
	assert_true(decide_bench_put(bench, parent_yaml));
	expect_allowed(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL));
	decide_bench_set_state(bench, "parent", IDENTITY_SUSPENDED);
	expect_denied(
		decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_IDENTITY_NOT_ACTIVE);
}

static void a_guardrail_of_a_links_unit_forbids(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "files", "list", "{}");

	assert_true(decide_bench_put(bench, parent_yaml));
	decide_bench_open_task(bench, "t-0", "parent", ENVIRONMENT_STAGING, "");
	decide_bench_open_task(bench, "t-2", "agent", ENVIRONMENT_STAGING, "t-0");
	assert_true(decide_bench_put(bench, "object: policy\nname: sales/stop\ntext: |\n"
					    "  forbid (principal, action, resource);\n"));
	expect_allowed(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL));
	call.task = TEXT("t-2");
	expect_denied(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_FORBIDDEN);
}

/* ---- approvals ---- */

static void expect_names(const struct decision *decision, const char *const *names)
{
	size_t i;

	expect_reason(decision, VERDICT_ASK, REASON_APPROVAL_NEEDED);
	for (i = 0; names[i] != NULL; i++)
		if (i >= decision->approvals_count || !text_is(decision->approvals[i], names[i]))
			fail_msg("name %zu is not %s", i, names[i]);
	assert_int_equal(decision->approvals_count, i);
}

static void a_line_that_wants_approval_asks_for_exactly_it(void **state)
{
	static const char *const owner[] = {"owner", NULL};
	static const char *const wrong[] = {"backup-owner", "role/approver", "second", NULL};
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "files", "write", "{}");

	expect_names(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), owner);
	assert_true(text_is(bench->decision.entitlement, "charter/agent@1/entitlements/1"));
	expect_denied(
		decide_bench_decide(bench, &call, DECIDE_NO_SEARCH, NULL), REASON_NO_ENTITLEMENT);
	expect_denied(
		decide_bench_decide(bench, &call, DECIDE_NO_SEARCH, wrong), REASON_NO_ENTITLEMENT);
	expect_allowed(decide_bench_decide(bench, &call, DECIDE_NO_SEARCH, owner));
}

static void a_guardrail_may_ask_for_more_people(void **state)
{
	static const char *const both[] = {"data-owner/support", "owner", NULL};
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench,
		"object: policy\nname: org/ask\ntext: |\n"
		"  forbid (principal, action == Action::\"write\", resource)\n"
		"  unless { context.approvals.contains(\"data-owner/support\") };\n"));
	expect_names(decide_bench_ask(bench, "files", "write", "{}"), both);
}

#define UNLESS(policy, effect, names)                                                              \
	"object: policy\nname: " policy "\ntext: |\n"                                              \
	"  forbid (principal, action == Action::\"" effect "\", resource)\n"                       \
	"  unless { context.approvals." names " };\n"

/* Any word may be a role: it is asked for as the guardrails say it. */
static void a_role_that_only_a_guardrail_names_is_asked(void **state)
{
	static const char *const legal[] = {"role/legal", NULL};
	static const char *const both[] = {"role/legal", "role/press", NULL};
	static const char *const owner[] = {"owner", NULL};
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "files", "run", "{}");

	assert_true(
		decide_bench_put(bench, UNLESS("org/ask", "execute", "contains(\"role/legal\")")));
	expect_names(decide_bench_ask(bench, "files", "run", "{}"), legal);
	assert_true(text_is(bench->decision.policies[0], "policy/org/ask@1"));
	expect_allowed(decide_bench_decide(bench, &call, DECIDE_NO_SEARCH, legal));
	expect_allowed(decide_bench_ask(bench, "files", "list", "{}"));
	/* Of another set, which is asked once the first is content. */
	assert_true(decide_bench_put(
		bench, UNLESS("support/ask", "execute", "contains(\"role/press\")")));
	expect_names(decide_bench_ask(bench, "files", "run", "{}"), both);
	/* And no more than is needed: whom remit knows by itself comes first. */
	assert_true(decide_bench_put(bench,
		UNLESS("support/ask", "execute", "containsAny([\"role/press\", \"role/legal\"])")));
	expect_names(decide_bench_ask(bench, "files", "run", "{}"), legal);
	assert_true(decide_bench_put(bench,
		UNLESS("org/ask", "execute",
			"containsAny([\"role/legal\", \"owner\"])") "---\n" UNLESS("support/ask",
			"execute", "contains(\"owner\")")));
	expect_names(decide_bench_ask(bench, "files", "run", "{}"), owner);
}

static void a_policy_that_does_not_refuse_names_nobody(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench,
		UNLESS("org/ask", "write",
			"contains(\"role/legal\")") "---\n"
						    "object: policy\nname: org/stop\ntext: |\n"
						    "  forbid (principal, action == "
						    "Action::\"execute\", resource);\n"));
	expect_denied(decide_bench_ask(bench, "files", "run", "{}"), REASON_FORBIDDEN);
	/* Of data and units that the call does not touch nobody may say yes. */
	assert_true(decide_bench_put(bench,
		UNLESS("org/stop", "execute", "contains(\"data-owner/legal\")") "---\n" UNLESS(
			"org/ask", "write", "contains(\"unit/legal\")")));
	expect_denied(decide_bench_ask(bench, "files", "run", "{}"), REASON_FORBIDDEN);
	expect_denied(decide_bench_ask(bench, "files", "write", "{}"), REASON_NO_ENTITLEMENT);
}

/* With the approval it does not come to what it cannot judge. */
static void a_role_by_which_a_guardrail_can_judge_is_asked(void **state)
{
	static const char *const legal[] = {"role/legal", NULL};
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench,
		UNLESS("org/ask", "execute", "contains(\"role/legal\") || context.args.n == 1")));
	expect_names(decide_bench_ask(bench, "files", "run", "{}"), legal);
	expect_allowed(decide_bench_ask(bench, "files", "run", "{\"n\":1}"));
}

static void a_role_in_the_condition_of_a_line_is_asked(void **state)
{
	static const char *const names[] = {"role/legal", "unit/press", NULL};
	struct decide_bench *bench = *state;

	decide_bench_edit(bench, "agent", "{effect: execute, tool: files/run}",
		"{effect: execute, tool: files/run, when: 'context.approvals.containsAll("
		"[\"role/legal\", \"unit/press\"])'}");
	expect_names(decide_bench_ask(bench, "files", "run", "{}"), names);
}

static void a_role_that_a_charter_above_names_is_asked(void **state)
{
	static const char *const names[] = {"role/legal", "role/press", NULL};
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "files", "list", "{}");

	assert_true(decide_bench_put(bench,
		"object: identity\nname: parent\nkind: agent\nclass: execute\nrisk: low\nowner: "
		"ana\n"
		"backup-owner: bo\nunit: sales\npurpose: p\nenvironments: [staging]\n"
		"entitlements: [{effect: read, tool: files/list, approvals: [role/press]}]\n"
		"peers: [{identity: agent, effects: [read], up-to: restricted}]\n---\n" UNLESS(
			"sales/ask", "read", "contains(\"role/legal\")")));
	decide_bench_open_task(bench, "t-0", "parent", ENVIRONMENT_STAGING, "");
	decide_bench_open_task(bench, "t-2", "agent", ENVIRONMENT_STAGING, "t-0");
	call.task = TEXT("t-2");
	expect_names(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), names);
}

/* The charter above, with these lines on files/list; the call is below it. */
static struct call call_below(struct decide_bench *bench, const char *lines)
{
	struct call call = decide_bench_call(bench, "files", "list", "{}");

	assert_true(decide_bench_put(bench,
		text_format(bench->arena,
			"object: identity\nname: parent\nkind: agent\nclass: execute\nrisk: low\n"
			"owner: ana\nbackup-owner: bo\nunit: sales\npurpose: p\n"
			"environments: [staging]\nentitlements:\n%s"
			"peers: [{identity: agent, effects: [read], up-to: restricted}]\n",
			lines)
			.data));
	decide_bench_open_task(bench, "t-0", "parent", ENVIRONMENT_STAGING, "");
	decide_bench_open_task(bench, "t-2", "agent", ENVIRONMENT_STAGING, "t-0");
	call.task = TEXT("t-2");
	return call;
}

static void an_expired_line_of_a_charter_above_hides_no_question(void **state)
{
	static const char *const press[] = {"role/press", NULL};
	struct decide_bench *bench = *state;
	struct call call = call_below(bench,
		"  - {effect: read, tool: files/list, approvals: [owner], expires: 2027-01-01}\n"
		"  - {effect: read, tool: files/list, approvals: [role/press]}\n");

	expect_names(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), press);
}

/* Nor is anybody asked for it: it has ended, whoever says yes. */
static void an_expired_line_hides_no_question(void **state)
{
	static const char *const owner[] = {"owner", NULL};
	static const char *const press[] = {"role/press", NULL};
	struct decide_bench *bench = *state;

	decide_bench_edit(bench, "agent", "{effect: execute, tool: files/run}",
		"{effect: execute, tool: files/run, expires: 2027-01-01}\n"
		"  - {effect: execute, tool: files/run, approvals: [owner]}");
	expect_names(decide_bench_ask(bench, "files", "run", "{}"), owner);
	decide_bench_edit(bench, "agent", "{effect: execute, tool: files/run}",
		"{effect: execute, tool: files/run, approvals: [owner], expires: 2027-01-01}\n"
		"  - {effect: execute, tool: files/run, when: 'context.approvals.contains("
		"\"role/press\")'}");
	expect_names(decide_bench_ask(bench, "files", "run", "{}"), press);
}

static void what_only_expired_lines_permit_is_no_question(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_edit(bench, "agent", "{effect: execute, tool: files/run}",
		"{effect: execute, tool: files/run, expires: 2027-01-01}\n"
		"  - {effect: execute, tool: files/run, approvals: [role/press], expires: "
		"2027-01-01}");
	expect_denied(decide_bench_ask(bench, "files", "run", "{}"), REASON_ENTITLEMENT_EXPIRED);
	assert_true(text_ends_with(bench->decision.explanation, "/entitlements/3 has expired."));
	assert_true(text_starts_with(bench->decision.needed, "A later end for charter/agent@2/"));
}

static bool needed_has(const struct decide_bench *bench, const char *words)
{
	return strstr(bench->decision.needed.data, words) != NULL;
}

static void a_role_that_nobody_has_is_said(void **state)
{
	static const char *const people[] = {
		"object: person\nname: li\nunit: sales\nroles: [legal]\n",
		"object: person\nname: li\nunit: support\nroles: [legal]\nleft: 2026-01-01\n",
		"object: person\nname: li\nunit: support\nroles: [legals]\n"};
	struct decide_bench *bench = *state;

	assert_true(
		decide_bench_put(bench, UNLESS("org/ask", "execute", "contains(\"role/legal\")")));
	for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
		decide_bench_ask(bench, "files", "run", "{}");
		assert_true(needed_has(bench,
			"Approval of exactly this call by: role/legal. Nobody in unit support or "
			"in org has the role legal."));
		assert_true(decide_bench_put(bench, people[i]));
	}
	assert_true(decide_bench_put(
		bench, "object: person\nname: li\nunit: support\nroles: [press, legal]\n"));
	decide_bench_ask(bench, "files", "run", "{}");
	assert_true(needed_has(bench, "by: role/legal."));
	assert_false(needed_has(bench, "Nobody"));
	assert_true(
		decide_bench_put(bench, "object: person\nname: li\nunit: org\nroles: [legal]\n"));
	decide_bench_ask(bench, "files", "run", "{}");
	assert_false(needed_has(bench, "Nobody"));
}

static void a_role_that_somebody_has_is_asked_before_one_that_nobody_has(void **state)
{
	static const char *const auditor[] = {"role/auditor", NULL};
	static const char *const legal[] = {"role/legal", NULL};
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench,
		UNLESS("org/ask", "execute", "containsAny([\"role/auditor\", \"role/legal\"])")));
	expect_names(decide_bench_ask(bench, "files", "run", "{}"), auditor);
	assert_true(needed_has(
		bench, "by: role/auditor. Nobody in unit support or in org has the role auditor."));
	assert_true(decide_bench_put(
		bench, "object: person\nname: li\nunit: support\nroles: [legal]\n"));
	expect_names(decide_bench_ask(bench, "files", "run", "{}"), legal);
	assert_false(needed_has(bench, "Nobody"));
	assert_true(
		decide_bench_put(bench, "object: person\nname: mo\nunit: org\nroles: [auditor]\n"));
	expect_names(decide_bench_ask(bench, "files", "run", "{}"), auditor);
	assert_false(needed_has(bench, "Nobody"));
}

static void a_role_of_remits_own_is_asked_before_others(void **state)
{
	static const char *const security[] = {"role/security", NULL};
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench,
		UNLESS("org/ask", "execute", "containsAny([\"role/legal\", \"role/security\"])")));
	assert_true(decide_bench_put(
		bench, "object: person\nname: li\nunit: support\nroles: [legal, security]\n"));
	expect_names(decide_bench_ask(bench, "files", "run", "{}"), security);
}

/* In one document, so that it is fast. */
static void put_people(struct decide_bench *bench, int first, int end)
{
	static char people[DECISION_PEOPLE_MAX * 48];
	size_t used = 0;

	for (int i = first; i < end; i++)
		used += (size_t)snprintf(people + used, sizeof people - used,
			"%sobject: person\nname: p%05d\nunit: support\n", i == first ? "" : "---\n",
			i);
	assert_true(decide_bench_put(bench, people));
}

static void so_many_people_are_looked_at_for_a_role(void **state)
{
	struct decide_bench *bench = *state;
	int others = 4; /* people of the bench */

	assert_true(
		decide_bench_put(bench, UNLESS("org/ask", "execute", "contains(\"role/legal\")")));
	put_people(bench, others, DECISION_PEOPLE_MAX - 1);
	for (int count = DECISION_PEOPLE_MAX - 1; count <= DECISION_PEOPLE_MAX + 1; count++) {
		expect_reason(decide_bench_ask(bench, "files", "run", "{}"), VERDICT_ASK,
			REASON_APPROVAL_NEEDED);
		assert_int_equal(needed_has(bench, "Nobody"), count <= DECISION_PEOPLE_MAX);
		put_people(bench, count, count + 1);
	}
}

/* A policy that wants so many roles, from that number on. */
static void put_many_roles(struct decide_bench *bench, const char *policy, int first, int count)
{
	struct text list = TEXT("");

	for (int i = first; i < first + count; i++)
		list = text_format(bench->arena, "%.*s%s\"role/r%02d\"", TEXT_ARGS(list),
			i == first ? "" : ", ", i);
	list = text_format(bench->arena,
		"object: policy\nname: %s\ntext: |\n"
		"  forbid (principal, action == Action::\"execute\", resource)\n"
		"  unless { context.approvals.containsAll([%.*s]) };\n",
		policy, TEXT_ARGS(list));
	assert_true(decide_bench_put(bench, list.data));
}

static void no_more_people_are_asked_than_a_question_holds(void **state)
{
	struct decide_bench *bench = *state;

	put_many_roles(bench, "org/ask", 0, 8);
	for (int count = DECISION_APPROVALS_MAX - 1; count <= DECISION_APPROVALS_MAX + 1; count++) {
		put_many_roles(bench, "support/ask", 8, count - 8);
		decide_bench_ask(bench, "files", "run", "{}");
		if (count <= DECISION_APPROVALS_MAX) {
			expect_reason(&bench->decision, VERDICT_ASK, REASON_APPROVAL_NEEDED);
			assert_int_equal(bench->decision.approvals_count, count);
		} else
			expect_denied(&bench->decision, REASON_FORBIDDEN);
	}
}

/* Of what refuses; whom remit knows itself are 9 here: the unit's data owner and people, and seven
 * whose names it has. */
static void so_many_names_are_tried(void **state)
{
	struct decide_bench *bench = *state;
	int known = 9;

	assert_true(decide_bench_put(bench,
		"object: policy\nname: org/c\ntext: |\n"
		"  forbid (principal, action == Action::\"execute\", resource)\n"
		"  unless { context.approvals.contains(\"role/last\") };\n"));
	put_many_roles(bench, "org/a", 0, 10);
	for (int count = DECISION_NAMES_TRIED_MAX - 1; count <= DECISION_NAMES_TRIED_MAX + 1;
		count++) {
		struct text any = TEXT("\"owner\"");

		for (int i = 0; i < count - known - 11; i++)
			any = text_format(bench->arena, "%.*s, \"role/any%d\"", TEXT_ARGS(any), i);
		any = text_format(bench->arena,
			"object: policy\nname: org/b\ntext: |\n"
			"  forbid (principal, action == Action::\"execute\", resource)\n"
			"  when { !context.approvals.containsAny([%.*s]) ||"
			" !context.approvals.contains(\"role/r00\") };\n",
			TEXT_ARGS(any));
		assert_true(decide_bench_put(bench, any.data));
		decide_bench_ask(bench, "files", "run", "{}");
		if (count <= DECISION_NAMES_TRIED_MAX) {
			expect_reason(&bench->decision, VERDICT_ASK, REASON_APPROVAL_NEEDED);
			assert_int_equal(bench->decision.approvals_count, 12);
		} else
			expect_denied(&bench->decision, REASON_FORBIDDEN);
	}
}

/* Lines before the one that asks for fewer: the first opens the call with three names, the others
 * never. */
static void put_lines_before_fewer(struct decide_bench *bench, int count)
{
	struct text lines = TEXT("  - {effect: write, tool: files/write, approvals: [owner, "
				 "second, backup-owner]}\n");

	for (int i = 0; i < count; i++)
		lines = text_format(bench->arena,
			"%.*s  - {effect: write, tool: files/write, approvals: [owner], when: "
			"'context.args.n == "
			"%d'}\n",
			TEXT_ARGS(lines), i);
	lines = text_format(bench->arena,
		"%.*s  - {effect: write, tool: files/write, approvals: [role/approver]}\n",
		TEXT_ARGS(lines));
	decide_bench_edit(bench, "agent",
		"  - {effect: write, tool: files/write, approvals: [owner]}\n", lines.data);
}

/* Of two lines the one that takes fewer people, whichever the charter has first; of so many. */
static void a_line_that_asks_for_fewer_is_asked_for(void **state)
{
	struct decide_bench *bench = *state;

	for (int before = 0; before <= DECISION_LINES_TRIED_MAX; before++) {
		put_lines_before_fewer(bench, before);
		decide_bench_ask(bench, "files", "write", "{\"n\":-1}");
		expect_reason(&bench->decision, VERDICT_ASK, REASON_APPROVAL_NEEDED);
		if (before < DECISION_LINES_TRIED_MAX) {
			assert_int_equal(bench->decision.approvals_count, 1);
			assert_true(text_is(bench->decision.approvals[0], "role/approver"));
		} else
			assert_int_equal(bench->decision.approvals_count, 3);
	}
	/* Not for a role that nobody has. */
	decide_bench_edit(bench, "agent",
		"  - {effect: write, tool: files/write, approvals: [owner]}\n",
		"  - {effect: write, tool: files/write, approvals: [owner, second]}\n"
		"  - {effect: write, tool: files/write, approvals: [role/juggler]}\n");
	decide_bench_ask(bench, "files", "write", "{}");
	assert_int_equal(bench->decision.approvals_count, 2);
}

static void what_held_the_call_is_named_with_the_question(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench,
		"object: policy\nname: org/ask\ntext: |\n"
		"  forbid (principal, action == Action::\"execute\", resource)\n"
		"  unless { context.approvals.containsAll([\"owner\", \"second\"]) };\n"));
	decide_bench_ask(bench, "files", "run", "{}");
	assert_int_equal(bench->decision.verdict, VERDICT_ASK);
	assert_int_equal(bench->decision.policies_count, 1);
	assert_true(text_is(bench->decision.policies[0], "policy/org/ask@1"));
	assert_int_equal(bench->decision.approvals_count, 2);
}

static void a_choice_of_people_asks_for_one(void **state)
{
	static const char *const owner[] = {"owner", NULL};
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench,
		"object: policy\nname: org/ask\ntext: |\n"
		"  forbid (principal, action == Action::\"execute\", resource)\n"
		"  unless { context.approvals.containsAny([\"backup-owner\", \"owner\"]) };\n"));
	expect_names(decide_bench_ask(bench, "files", "run", "{}"), owner);
}

static void nobody_is_asked_where_no_approval_would_help(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_set_class(bench, "agent", CLASS_RETRIEVE);
	expect_denied(decide_bench_ask(bench, "files", "write", "{}"), REASON_CLASS_CEILING);
	decide_bench_edit(bench, "agent", "class: execute", "class: execute");
	assert_true(decide_bench_put(bench, "object: policy\nname: org/never\ntext: |\n"
					    "  forbid (principal, action, resource);\n"));
	expect_denied(decide_bench_ask(bench, "files", "write", "{}"), REASON_NO_ENTITLEMENT);
}

static void a_line_that_wants_approval_is_found_beside_one_that_errs(void **state)
{
	static const char *const owner[] = {"owner", NULL};
	struct decide_bench *bench = *state;

	decide_bench_edit(bench, "agent", "{effect: write, tool: files/write, approvals: [owner]}",
		"{effect: write, tool: files/write, when: 'context.args.x < 1'}\n"
		"  - {effect: write, tool: files/write, approvals: [owner]}");
	expect_names(decide_bench_ask(bench, "files", "write", "{}"), owner);
}

/* ---- lists ---- */

static void a_list_is_for_those_who_could_use_something_of_the_server(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_method(bench, "other", "tools/list", "{}");

	expect_allowed(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL));
	decide_bench_edit(bench, "agent", "  - {effect: read, tool: other/peek}\n", "");
	expect_denied(
		decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_NO_ENTITLEMENT);
	decide_bench_edit(bench, "agent", "tool: other/peek}", "tool: other/peek}");
	assert_true(decide_bench_put(bench, "object: policy\nname: sales/stop\ntext: |\n"
					    "  forbid (principal, action, resource);\n"));
	expect_denied(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_FORBIDDEN);
}

static bool is_visible(struct decide_bench *bench, const char *name)
{
	return decide_is_visible(bench->registry, TEXT("agent"),
		registry_find_tool(bench->registry, text_of(name)), bench->now_utc_ms);
}

static void only_what_could_ever_be_used_is_visible(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(is_visible(bench, "files/read"));
	assert_true(is_visible(bench, "files/write")); /* once people approve */
	decide_bench_set_class(bench, "agent", CLASS_RETRIEVE);
	assert_true(is_visible(bench, "files/read"));
	assert_false(is_visible(bench, "files/write"));
	decide_bench_edit(bench, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list, expires: 2027-01-01}");
	assert_false(is_visible(bench, "files/list"));
	decide_bench_edit(bench, "agent", "expires: 2030-01-01", "expires: 2027-01-01");
	assert_false(is_visible(bench, "files/read"));
	decide_bench_edit(bench, "agent", "environments: [staging]", "environments: [prod]");
	assert_false(is_visible(bench, "files/read"));
	decide_bench_edit(bench, "agent", "class: execute", "class: execute");
	decide_bench_set_state(bench, "agent", IDENTITY_SUSPENDED);
	assert_false(is_visible(bench, "files/read"));
}

/* ---- memory, words, zero ---- */

static void a_full_arena_denies_and_never_crashes(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "files", "read", TICKET);
	const struct tool *tool = registry_find_tool(bench->registry, call.tool);
	struct tool_reads *reads;
	struct error err;
	size_t limit;
	bool was_allowed = false;

	assert_true(tool_reads_compile(&reads, tool, &err));
	for (limit = 64; limit < 200000; limit += 64) {
		struct decide_world world = {
			.registry = bench->registry,
			.tasks = bench->tasks,
			.reads = reads,
			.definition = DEFINITION_UNPINNED,
			.now_utc_ms = bench->now_utc_ms,
		};
		struct arena *small = arena_create(limit);
		struct decision decision = {.verdict = VERDICT_ALLOW};

		decide(&world, &call, NULL, DECIDE_SEARCH, small, &decision);
		assert_int_not_equal(decision.verdict, VERDICT_ASK);
		assert_true(decision.verdict == VERDICT_DENY || limit > 1024);
		assert_int_equal(
			decision.verdict == VERDICT_ALLOW, decision.reason == REASON_ALLOWED);
		assert_false(was_allowed && decision.verdict == VERDICT_DENY);
		was_allowed = decision.verdict == VERDICT_ALLOW;
		arena_destroy(&small);
	}
	assert_true(was_allowed);
	tool_reads_destroy(&reads);
}

static void a_tool_with_lines_that_were_not_compiled_denies(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "files", "read", TICKET);
	struct decide_world world = {
		.registry = bench->registry,
		.tasks = bench->tasks,
		.definition = DEFINITION_UNPINNED,
		.now_utc_ms = bench->now_utc_ms,
	};

	decide(&world, &call, NULL, DECIDE_SEARCH, bench->arena, &bench->decision);
	expect_denied(&bench->decision, REASON_NO_MEMORY);
}

static void a_cleared_decision_refuses(void **state)
{
	struct decision decision = {0};

	(void)state;
	assert_int_equal(decision.verdict, VERDICT_DENY);
	assert_int_equal(decision.reason, REASON_NONE);
	assert_string_equal(verdict_word((enum verdict)99), "deny");
	assert_string_equal(reason_word((enum reason)999), "none");
	assert_int_equal(reason_of(TEXT("forbidden")), REASON_FORBIDDEN);
	assert_int_equal(reason_of(TEXT("unheard-of")), REASON_NONE);
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

/* ---- run ---- */

static int run_chains_and_people(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(the_calls_of_a_minute_run_out),
		BENCH_TEST(each_identity_of_the_chain_must_be_permitted),
		BENCH_TEST(a_link_of_the_chain_refuses_for_its_own_reasons),
		BENCH_TEST(a_guardrail_of_a_links_unit_forbids),
		BENCH_TEST(a_line_that_wants_approval_asks_for_exactly_it),
		BENCH_TEST(a_guardrail_may_ask_for_more_people),
		BENCH_TEST(a_role_that_only_a_guardrail_names_is_asked),
		BENCH_TEST(a_policy_that_does_not_refuse_names_nobody),
		BENCH_TEST(a_role_by_which_a_guardrail_can_judge_is_asked),
		BENCH_TEST(a_role_in_the_condition_of_a_line_is_asked),
		BENCH_TEST(a_role_that_a_charter_above_names_is_asked),
		BENCH_TEST(an_expired_line_of_a_charter_above_hides_no_question),
		BENCH_TEST(an_expired_line_hides_no_question),
		BENCH_TEST(what_only_expired_lines_permit_is_no_question),
		BENCH_TEST(a_role_that_nobody_has_is_said),
		BENCH_TEST(a_role_of_remits_own_is_asked_before_others),
		BENCH_TEST(a_role_that_somebody_has_is_asked_before_one_that_nobody_has),
		BENCH_TEST(so_many_people_are_looked_at_for_a_role),
		BENCH_TEST(so_many_names_are_tried),
		BENCH_TEST(a_line_that_asks_for_fewer_is_asked_for),
		BENCH_TEST(no_more_people_are_asked_than_a_question_holds),
		BENCH_TEST(what_held_the_call_is_named_with_the_question),
		BENCH_TEST(a_choice_of_people_asks_for_one),
		BENCH_TEST(nobody_is_asked_where_no_approval_would_help),
		BENCH_TEST(a_line_that_wants_approval_is_found_beside_one_that_errs),
		BENCH_TEST(a_list_is_for_those_who_could_use_something_of_the_server),
		BENCH_TEST(only_what_could_ever_be_used_is_visible),
		BENCH_TEST(a_full_arena_denies_and_never_crashes),
		BENCH_TEST(a_tool_with_lines_that_were_not_compiled_denies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(an_unknown_identity_is_denied),
		BENCH_TEST(an_identity_that_is_not_active_is_denied),
		BENCH_TEST(an_expired_charter_is_denied),
		BENCH_TEST(a_charter_ends_in_the_second_it_says),
		BENCH_TEST(a_call_without_its_own_open_task_is_denied),
		BENCH_TEST(a_caller_cannot_say_its_environment),
		BENCH_TEST(a_task_for_one_call_makes_no_other),
		BENCH_TEST(a_task_that_is_over_is_denied),
		BENCH_TEST(a_method_no_rule_knows_is_denied),
		BENCH_TEST(a_known_method_is_decided_like_a_tool),
		BENCH_TEST(a_resource_outside_its_data_sources_is_denied),
		BENCH_TEST(a_scheme_its_server_does_not_name_is_denied),
		BENCH_TEST(a_resource_without_a_uri_is_denied),
		BENCH_TEST(a_method_that_brings_data_must_be_bound),
		BENCH_TEST(a_prompt_is_bound_by_its_name),
		BENCH_TEST(rows_that_are_judged_may_come_up_to_the_lower_of_source_and_reply),
		BENCH_TEST(the_chain_lowers_the_ceiling),
		BENCH_TEST(rows_that_are_not_judged_count_as_their_source),
		BENCH_TEST(an_unknown_server_or_tool_is_denied),
		BENCH_TEST(a_tool_of_another_server_is_denied),
		BENCH_TEST(another_effect_than_the_tools_is_denied),
		BENCH_TEST(a_tool_that_is_not_as_pinned_is_denied),
		BENCH_TEST(a_tool_without_a_pin_that_imitates_one_is_denied),
		BENCH_TEST(arguments_that_do_not_fit_the_pinned_definition_are_denied),
		BENCH_TEST(a_malformed_target_is_denied_before_anything_is_evaluated),
		BENCH_TEST(an_environment_outside_the_charter_is_denied),
		BENCH_TEST(the_class_is_a_ceiling_whatever_the_lines_say),
		BENCH_TEST(what_no_line_permits_is_denied),
		BENCH_TEST(a_refusal_says_which_clause_is_false),
		BENCH_TEST(an_expired_line_is_denied),
		BENCH_TEST(a_line_that_cannot_be_evaluated_and_was_the_only_hope_is_denied),
		BENCH_TEST(a_data_source_outside_the_charter_is_denied),
		BENCH_TEST(data_that_no_source_covers_is_denied),
		BENCH_TEST(data_above_the_charters_level_is_denied),
		BENCH_TEST(data_above_the_clearance_of_its_person_is_denied),
		BENCH_TEST(unlabelled_data_counts_as_restricted),
		BENCH_TEST(a_reads_line_that_cannot_be_evaluated_is_denied),
		BENCH_TEST(an_answer_may_carry_only_what_the_reply_may),
		BENCH_TEST(a_recipient_gets_only_what_the_charter_lets_go_there),
		BENCH_TEST(a_recipient_gets_no_more_of_what_the_same_call_reads),
		BENCH_TEST(a_guardrail_is_told_where_a_value_came_from_and_says_so),
		BENCH_TEST(a_field_that_strangers_write_makes_what_was_read_untrusted),
		BENCH_TEST(a_task_below_does_not_shed_the_labels_of_those_above),
		BENCH_TEST(a_line_may_be_about_anybody_at_a_host),
		BENCH_TEST(what_was_read_is_named_in_the_decision),
		BENCH_TEST(a_guardrail_of_any_unit_concerned_forbids),
		BENCH_TEST(policies_see_what_the_token_of_the_task_is_bound_to),
		BENCH_TEST(a_unit_that_is_not_concerned_forbids_nothing),
		BENCH_TEST(a_guardrail_that_cannot_be_evaluated_denies),
		BENCH_TEST(policies_see_the_world_as_documented),
		BENCH_TEST(an_argument_cedar_cannot_hold_denies_if_a_rule_mentions_it),
		BENCH_TEST(an_unrepresentable_argument_in_a_line_or_a_reads_line_denies),
		BENCH_TEST(more_lost_arguments_than_can_be_kept_deny_any_mention),
		BENCH_TEST(only_so_many_determining_policies_are_named),
		cmocka_unit_test(a_cleared_decision_refuses),
	};

	return run_chains_and_people() + cmocka_run_group_tests(tests, NULL, NULL);
}
