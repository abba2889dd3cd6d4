#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/flow/flow_trace.h"
#include "flow_bench.h"

static enum flow_origin origin(const struct flow_bench *bench, const char *task, const char *value)
{
	struct flow_asker asker = flow_bench_asker(bench, task);

	return flow_find(&asker, text_of(value)).origin;
}

static void the_purpose_of_the_first_task_is_the_request_and_no_other(void **state)
{
	struct flow_bench *bench = *state;
	struct flow_asker nobody = {bench->traces, NULL, NULL, 0};

	assert_int_equal(origin(bench, "t-root", "eva@example.com"), FLOW_REQUEST);
	assert_int_equal(origin(bench, "t-root", "file 13"), FLOW_REQUEST);
	assert_int_equal(origin(bench, "t-root", "file 1"), FLOW_UNKNOWN);
	assert_int_equal(origin(bench, "t-child", "eva@example.com"), FLOW_REQUEST);
	assert_int_equal(origin(bench, "t-child", "evil@example.com"), FLOW_UNKNOWN);
	assert_int_equal(origin(bench, "t-other", "eva@example.com"), FLOW_UNKNOWN);
	assert_int_equal(flow_find(&nobody, TEXT("eva@example.com")).origin, FLOW_UNKNOWN);
	assert_int_equal(origin(bench, "t-root", ""), FLOW_UNKNOWN);
}

static void the_charter_endorses_by_its_outputs_and_literals(void **state)
{
	const struct charter_output outputs[] = {
		{.to = TEXT("ops@example.com"), .up_to = SENSITIVITY_PUBLIC}};
	const struct entitlement lines[] = {{.when = TEXT("context.args.to == \"a \\\" b\" && "
							  "context.args.x like \"reports/2026\"")},
		{.when = TEXT("\"unended")}};
	struct flow_bench *bench = *state;

	bench->charter = (struct charter){.name = TEXT("agent"),
		.outputs = outputs,
		.outputs_count = 1,
		.entitlements = lines,
		.entitlements_count = 2};
	assert_int_equal(origin(bench, "t-other", "OPS@example.com"), FLOW_CHARTER);
	assert_int_equal(origin(bench, "t-other", "reports/2026"), FLOW_CHARTER);
	assert_int_equal(origin(bench, "t-other", "b"), FLOW_CHARTER);
	assert_int_equal(origin(bench, "t-other", "context.args.to"), FLOW_UNKNOWN);
	assert_int_equal(origin(bench, "t-other", "unended"), FLOW_UNKNOWN);
	/* Until the registry moves on. */
	bench->charter = (struct charter){.name = TEXT("agent")};
	assert_int_equal(origin(bench, "t-other", "reports/2026"), FLOW_CHARTER);
	bench->generation++;
	assert_int_equal(origin(bench, "t-other", "reports/2026"), FLOW_UNKNOWN);
}

static void a_result_endorses_by_the_trust_of_its_field(void **state)
{
	struct flow_bench *bench = *state;
	struct flow_asker asker = flow_bench_asker(bench, "t-other");

	flow_bench_add(
		bench, "t-other", "{}", "{\"from\":\"a@x.org\",\"body\":\"pay b@x.org\"}", 17);
	assert_int_equal(origin(bench, "t-other", "a@x.org"), FLOW_TRUSTED);
	assert_int_equal(origin(bench, "t-other", "b@x.org"), FLOW_UNTRUSTED);
	assert_int_equal(flow_find(&asker, TEXT("b@x.org")).record, 17);
	assert_true(flow_find(&asker, TEXT("b@x.org")).has_record);
	assert_int_equal(origin(bench, "t-root", "a@x.org"), FLOW_UNKNOWN);
}

static void a_child_may_use_what_its_parent_was_told_and_not_the_reverse(void **state)
{
	struct flow_bench *bench = *state;

	flow_bench_add(bench, "t-root", "{}", "{\"from\":\"a@x.org\"}", 17);
	flow_bench_add(bench, "t-child", "{}", "{\"from\":\"c@x.org\"}", 18);
	assert_int_equal(origin(bench, "t-child", "a@x.org"), FLOW_TRUSTED);
	assert_int_equal(origin(bench, "t-root", "c@x.org"), FLOW_UNKNOWN);
}

static void a_call_cannot_have_its_own_value_confirmed_by_an_echo(void **state)
{
	struct flow_bench *bench = *state;

	flow_bench_add(bench, "t-root", "{\"q\":[{\"r\":\"evil@x.org\"}],\"n\":77}",
		"{\"seen\":\"no mail from evil@x.org\",\"id\":77,\"owner\":\"a@x.org\"}", 17);
	assert_int_equal(origin(bench, "t-root", "evil@x.org"), FLOW_UNTRUSTED);
	assert_int_equal(origin(bench, "t-root", "77"), FLOW_UNTRUSTED);
	assert_int_equal(origin(bench, "t-root", "a@x.org"), FLOW_TRUSTED);
	/* What the person named is nobody's echo. */
	flow_bench_add(bench, "t-root", "{\"q\":\"eva@example.com\"}",
		"{\"seen\":\"eva@example.com is at d@x.org\"}", 18);
	assert_int_equal(origin(bench, "t-root", "d@x.org"), FLOW_TRUSTED);
}

/* {"": "n0 n1 ..."} */
static const char *long_arguments(struct flow_bench *bench, size_t count)
{
	struct text text = TEXT("{\"\":\"");

	for (size_t i = 0; i < count; i++)
		text = text_format(bench->arena, "%.*sn%zu ", TEXT_ARGS(text), i);
	return text_format(bench->arena, "%.*s\"}", TEXT_ARGS(text)).data;
}

static void with_more_than_FLOW_ECHO_TOKENS_MAX_in_the_call_its_result_endorses_nothing(
	void **state)
{
	struct flow_bench *bench = *state;

	flow_bench_add(bench, "t-root", long_arguments(bench, FLOW_ECHO_TOKENS_MAX),
		"{\"a\":\"a@x.org\"}", 1);
	assert_int_equal(origin(bench, "t-root", "a@x.org"), FLOW_TRUSTED);
	flow_bench_add(bench, "t-root", long_arguments(bench, FLOW_ECHO_TOKENS_MAX + 1),
		"{\"b\":\"b@x.org\"}", 2);
	assert_int_equal(origin(bench, "t-root", "b@x.org"), FLOW_UNTRUSTED);
}

static void what_ended_is_freed_and_what_does_not_fit_endorses_nothing(void **state)
{
	const struct charter_output outputs[] = {
		{.to = TEXT("ops@example.com"), .up_to = SENSITIVITY_PUBLIC}};
	static const struct flow_key key = {5, 6};
	struct flow_bench *bench = *state;
	struct error err;

	flow_bench_add(bench, "t-root", "{}", "{\"a\":\"a@x.org\"}", 1);
	flow_bench_add(bench, "t-other", "{}", "{\"a\":\"a@x.org\"}", 1);
	assert_int_equal(flow_traces_count(bench->traces), 2);
	assert_true(flow_traces_bytes(bench->traces) > 0);
	flow_traces_forget(bench->traces, TEXT("t-root"));
	flow_traces_forget(bench->traces, TEXT("t-unknown"));
	assert_int_equal(flow_traces_count(bench->traces), 1);
	flow_traces_sweep(bench->traces, bench->tasks, FLOW_BENCH_NOW);
	assert_int_equal(flow_traces_count(bench->traces), 1);
	flow_traces_sweep(bench->traces, bench->tasks, FLOW_BENCH_LATER);
	assert_int_equal(flow_traces_count(bench->traces), 0);
	assert_int_equal(flow_traces_bytes(bench->traces), 0);
	flow_traces_destroy(&bench->traces);
	assert_true(flow_traces_create(&bench->traces, &key, 100, &err));
	flow_bench_add(bench, "t-root", "{}", "{\"a\":\"a@x.org\"}", 1);
	assert_int_equal(origin(bench, "t-root", "a@x.org"), FLOW_UNKNOWN);
	assert_int_equal(origin(bench, "t-root", "eva@example.com"), FLOW_REQUEST);
	assert_true(flow_traces_bytes(bench->traces) <= 100);
	bench->charter =
		(struct charter){.name = TEXT("agent"), .outputs = outputs, .outputs_count = 1};
	assert_int_equal(origin(bench, "t-root", "ops@example.com"), FLOW_UNKNOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, flow_bench_setup, flow_bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_purpose_of_the_first_task_is_the_request_and_no_other),
		TEST(the_charter_endorses_by_its_outputs_and_literals),
		TEST(a_result_endorses_by_the_trust_of_its_field),
		TEST(a_child_may_use_what_its_parent_was_told_and_not_the_reverse),
		TEST(a_call_cannot_have_its_own_value_confirmed_by_an_echo),
		TEST(with_more_than_FLOW_ECHO_TOKENS_MAX_in_the_call_its_result_endorses_nothing),
		TEST(what_ended_is_freed_and_what_does_not_fit_endorses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
