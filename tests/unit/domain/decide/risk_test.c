/* The risk of a call is the worst of five, each raised alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "domain/decide/decide.h"
#include "support/decide_bench.h"

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

static void expect_risk(const struct decision *decision, enum risk_tier risk, const char *from)
{
	assert_int_equal(decision->risk, risk);
	assert_string_equal(decision->risk_from, from);
}

static void it_is_not_known_of_what_is_refused_before(void **state)
{
	const struct decision *decision = decide_bench_ask(*state, "files", "nothing", "{}");

	assert_int_equal(decision->risk, RISK_NONE);
	assert_null(decision->risk_from);
}

static void the_identity_and_nothing_worse(void **state)
{
	expect_risk(decide_bench_ask(*state, "files", "list", "{}"), RISK_LOW, "identity");
	decide_bench_edit(*state, "agent", "risk: low", "risk: critical");
	expect_risk(decide_bench_ask(*state, "files", "run", "{}"), RISK_CRITICAL, "identity");
}

static void the_tool_and_one_of_which_nobody_said_it_is_critical(void **state)
{
	expect_risk(decide_bench_ask(*state, "files", "run", "{}"), RISK_HIGH, "tool");
	decide_bench_edit(*state, "files/list", "risk: low\n", "");
	expect_risk(decide_bench_ask(*state, "files", "list", "{}"), RISK_CRITICAL, "tool");
}

/* A source of that sensitivity, that the charter covers. */
static void relabel(struct decide_bench *bench, const char *sensitivity)
{
	struct text line = text_format(bench->arena, "sensitivity: %s%c", sensitivity, 0);

	decide_bench_edit(bench, "tickets", "sensitivity: internal", line.data);
	decide_bench_edit(bench, "agent",
		"data-sources: [{name: tickets, up-to: internal}]\n"
		"outputs: [{to: reply, up-to: internal}",
		"data-sources: [{name: tickets, up-to: restricted}]\n"
		"outputs: [{to: reply, up-to: restricted}");
}

static void the_data_it_reads(void **state)
{
	expect_risk(decide_bench_ask(*state, "files", "read", TICKET), RISK_LOW, "identity");
	relabel(*state, "confidential");
	expect_risk(decide_bench_ask(*state, "files", "read", TICKET), RISK_MEDIUM, "data");
	relabel(*state, "restricted");
	expect_risk(decide_bench_ask(*state, "files", "read", TICKET), RISK_HIGH, "data");
}

static void the_data_its_task_has_read_once_it_may_carry_it_away(void **state)
{
	decide_bench_edit(*state, "agent", "{to: files/write, up-to: internal}",
		"{to: files/write, up-to: restricted}");
	decide_bench_fold(*state, "{\"type\":\"decision\",\"verdict\":\"allow\",\"task\":\"t-1\","
				  "\"sensitivity\":\"restricted\"}");
	expect_risk(decide_bench_ask(*state, "files", "list", "{}"), RISK_LOW, "identity");
	expect_risk(decide_bench_ask(*state, "files", "write", "{}"), RISK_HIGH, "data");
}

static void the_data_a_task_above_has_read(void **state)
{
	struct decide_bench *bench = *state;
	struct call call;

	decide_bench_edit(bench, "agent", "{to: files/write, up-to: internal}",
		"{to: files/write, up-to: restricted}");
	decide_bench_fold(bench, "{\"type\":\"decision\",\"verdict\":\"allow\",\"task\":\"t-1\","
				 "\"sensitivity\":\"restricted\"}");
	decide_bench_open_task(bench, "t-2", "agent", ENVIRONMENT_STAGING, "t-1");
	call = decide_bench_call(bench, "files", "write", "{}");
	call.task = TEXT("t-2");
	expect_risk(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), RISK_HIGH, "data");
}

static void production_to_look_at_and_to_change(void **state)
{
	struct decide_bench *bench = *state;
	struct call call;

	decide_bench_edit(bench, "files", "environment: staging", "environment: prod");
	decide_bench_edit(
		bench, "agent", "environments: [staging]", "environments: [staging, prod]");
	decide_bench_open_task(bench, "t-2", "agent", ENVIRONMENT_PROD, "");
	call = decide_bench_call(bench, "files", "list", "{}");
	call.task = TEXT("t-2");
	call.environment = ENVIRONMENT_PROD;
	expect_risk(
		decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), RISK_MEDIUM, "environment");
	call = decide_bench_call(bench, "files", "write", "{}");
	call.task = TEXT("t-2");
	call.environment = ENVIRONMENT_PROD;
	expect_risk(
		decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), RISK_HIGH, "environment");
}

static void those_it_acts_for(void **state)
{
	struct decide_bench *bench = *state;
	struct call call;

	decide_bench_open_task(bench, "t-2", "agent", ENVIRONMENT_STAGING, "t-1");
	call = decide_bench_call(bench, "files", "list", "{}");
	call.task = TEXT("t-2");
	expect_risk(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), RISK_LOW, "identity");
	assert_true(decide_bench_put(bench,
		"object: identity\nname: boss\nkind: agent\nclass: execute\nrisk: high\nowner: "
		"ana\n"
		"backup-owner: bo\nunit: support\npurpose: Hands on\nenvironments: [staging]\n"
		"entitlements: [{effect: read, tool: files/list}]\n"));
	decide_bench_open_task(bench, "t-3", "boss", ENVIRONMENT_STAGING, "");
	decide_bench_open_task(bench, "t-4", "agent", ENVIRONMENT_STAGING, "t-3");
	call.task = TEXT("t-4");
	expect_risk(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), RISK_HIGH, "chain");
}

static void policies_read_it(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench,
		"object: policy\nname: org/high\ntext: |\n"
		"  forbid (principal, action, resource) when { context.risk == \"high\" };\n"));
	assert_int_equal(decide_bench_ask(bench, "files", "list", "{}")->verdict, VERDICT_ALLOW);
	assert_int_equal(decide_bench_ask(bench, "files", "run", "{}")->reason, REASON_FORBIDDEN);
}

static void policies_read_how_old_the_task_is(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench,
		"object: policy\nname: org/fresh\ntext: |\n"
		"  forbid (principal, action, resource) when { context.task.age > 60 };\n"));
	bench->now_utc_ms += 60999;
	assert_int_equal(decide_bench_ask(bench, "files", "list", "{}")->verdict, VERDICT_ALLOW);
	bench->now_utc_ms += 1;
	assert_int_equal(decide_bench_ask(bench, "files", "list", "{}")->reason, REASON_FORBIDDEN);
}

static void policies_read_the_concerns_of_the_tool_and_of_its_data(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench,
		"object: policy\nname: org/money\ntext: |\n"
		"  forbid (principal, action, resource) when { "
		"resource.concerns.containsAny([\"money\", \"customer-data\"]) };\n"));
	assert_int_equal(decide_bench_ask(bench, "files", "read", TICKET)->verdict, VERDICT_ALLOW);
	decide_bench_edit(bench, "tickets", "trust: untrusted",
		"trust: untrusted\nconcerns: [customer-data]");
	assert_int_equal(
		decide_bench_ask(bench, "files", "read", TICKET)->reason, REASON_FORBIDDEN);
	assert_int_equal(decide_bench_ask(bench, "files", "list", "{}")->verdict, VERDICT_ALLOW);
	decide_bench_edit(bench, "files/list", "risk: low", "risk: low\nconcerns: [money]");
	assert_int_equal(decide_bench_ask(bench, "files", "list", "{}")->reason, REASON_FORBIDDEN);
}

static void policies_read_whether_it_is_the_first_use_that_was_let_through(void **state)
{
	static const char *const owner[] = {"owner", NULL};
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "files", "list", "{}");

	assert_true(decide_bench_put(bench,
		"object: policy\nname: org/first\ntext: |\n"
		"  forbid (principal, action, resource) when { context.first }\n"
		"  unless { context.approvals.contains(\"owner\") };\n"));
	assert_int_equal(decide_bench_ask(bench, "files", "list", "{}")->verdict, VERDICT_ASK);
	assert_int_equal(
		decide_bench_decide(bench, &call, DECIDE_SEARCH, owner)->verdict, VERDICT_ALLOW);
	assert_true(bench->decision.is_first);
	decide_bench_fold(bench, "{\"type\":\"decision\",\"verdict\":\"allow\",\"first\":true,"
				 "\"break-glass\":\"g-1\","
				 "\"identity\":\"agent\",\"tool\":\"files/list\"}");
	decide_bench_fold(bench, "{\"type\":\"decision\",\"verdict\":\"ask\",\"first\":true,"
				 "\"identity\":\"agent\",\"tool\":\"files/list\"}");
	decide_bench_fold(bench, "{\"type\":\"decision\",\"verdict\":\"allow\",\"first\":true,"
				 "\"identity\":\"boss\",\"tool\":\"files/list\"}");
	decide_bench_fold(bench, "{\"type\":\"decision\",\"verdict\":\"allow\",\"first\":true,"
				 "\"identity\":\"agent\",\"tool\":\"files/run\"}");
	assert_int_equal(decide_bench_ask(bench, "files", "list", "{}")->verdict, VERDICT_ASK);
	decide_bench_fold(bench, "{\"type\":\"decision\",\"verdict\":\"allow\",\"first\":true,"
				 "\"identity\":\"agent\",\"tool\":\"files/list\"}");
	assert_int_equal(decide_bench_ask(bench, "files", "list", "{}")->verdict, VERDICT_ALLOW);
	assert_false(bench->decision.is_first);
}

static void a_concern_nobody_knows_is_refused(void **state)
{
	assert_false(decide_bench_put(
		*state, "object: tool\nname: files/list\neffect: read\nconcerns: [gold]\n"));
	assert_false(decide_bench_put(
		*state, "object: tool\nname: files/list\neffect: read\nconcerns: []\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_not_known_of_what_is_refused_before),
		TEST(the_identity_and_nothing_worse),
		TEST(the_tool_and_one_of_which_nobody_said_it_is_critical),
		TEST(the_data_it_reads),
		TEST(the_data_its_task_has_read_once_it_may_carry_it_away),
		TEST(the_data_a_task_above_has_read),
		TEST(production_to_look_at_and_to_change),
		TEST(those_it_acts_for),
		TEST(policies_read_it),
		TEST(policies_read_how_old_the_task_is),
		TEST(policies_read_the_concerns_of_the_tool_and_of_its_data),
		TEST(policies_read_whether_it_is_the_first_use_that_was_let_through),
		TEST(a_concern_nobody_knows_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
