/* Lines that let through so many calls of a task: which one a call goes by, and what is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/decide_bench.h"

static int bench_setup(void **state)
{
	struct decide_bench *bench = calloc(1, sizeof *bench);

	if (bench == NULL)
		return -1;
	decide_bench_init(bench);
	*state = bench;
	return 0;
}

static int bench_teardown(void **state)
{
	decide_bench_deinit(*state);
	free(*state);
	return 0;
}

static void lines(struct decide_bench *bench, const char *lines)
{
	decide_bench_edit(bench, "agent", "{effect: read, tool: files/list}", lines);
}

/* The agent's line was used so often. */
static void used(struct decide_bench *bench, uint32_t line, int64_t used)
{
	struct line_use *use = arena_new(bench->arena, struct line_use);

	*use = (struct line_use){TEXT("agent"), line, used};
	bench->uses = use;
	bench->uses_count = 1;
}

static const struct decision *list(struct decide_bench *bench)
{
	return decide_bench_ask(bench, "files", "list", "{}");
}

static void expect_taken(
	const struct decision *decision, size_t at, const char *identity, uint32_t line)
{
	assert_true(at < decision->uses_count);
	assert_true(text_is(decision->uses[at].identity, identity));
	assert_int_equal(decision->uses[at].line, line);
}

static void what_was_used_as_often_as_it_may_be_is_refused(void **state)
{
	struct decide_bench *bench = *state;
	const struct decision *decision;

	lines(bench, "{effect: read, tool: files/list, uses: 2}");
	used(bench, 2, 2);
	decision = list(bench);
	assert_int_equal(decision->verdict, VERDICT_DENY);
	assert_int_equal(decision->reason, REASON_ENTITLEMENT_USED);
	assert_int_equal(decision->uses_count, 0);
	assert_true(text_is(decision->entitlement, "charter/agent@2/entitlements/2"));
	assert_true(text_is(decision->explanation,
		"charter/agent@2/entitlements/2 is used up: it lets through 2 calls of a task "
		"and those below it."));
	assert_true(text_is(decision->needed,
		"A task of its own for what is left to do, or more `uses` for "
		"charter/agent@2/entitlements/2, approved."));
	used(bench, 2, INT64_MAX);
	assert_int_equal(list(bench)->reason, REASON_ENTITLEMENT_USED);
}

static void what_is_left_is_taken_one_by_one(void **state)
{
	struct decide_bench *bench = *state;

	lines(bench, "{effect: read, tool: files/list, uses: 2}");
	assert_int_equal(list(bench)->verdict, VERDICT_ALLOW);
	assert_int_equal(bench->decision.uses_count, 1);
	expect_taken(&bench->decision, 0, "agent", 2);
	assert_int_equal(bench->decision.uses[0].used, 0);
	used(bench, 2, 1);
	assert_int_equal(list(bench)->verdict, VERDICT_ALLOW);
	assert_int_equal(bench->decision.uses[0].used, 1);
}

static void other_lines_and_other_charters_do_not_count(void **state)
{
	struct decide_bench *bench = *state;
	struct line_use uses[] = {{TEXT("agent"), 3, 9}, {TEXT("other"), 2, 9}};

	lines(bench, "{effect: read, tool: files/list, uses: 1}");
	bench->uses = uses;
	bench->uses_count = 2;
	assert_int_equal(list(bench)->verdict, VERDICT_ALLOW);
}

static void a_line_without_uses_takes_nothing_and_goes_first(void **state)
{
	struct decide_bench *bench = *state;

	used(bench, 2, 1000);
	assert_int_equal(list(bench)->verdict, VERDICT_ALLOW);
	assert_int_equal(bench->decision.uses_count, 0);
	lines(bench, "{effect: read, tool: files/list, uses: 1}\n"
		     "  - {effect: read, tool: files/list}");
	assert_int_equal(list(bench)->verdict, VERDICT_ALLOW);
	assert_int_equal(bench->decision.uses_count, 0);
	assert_true(text_ends_with(bench->decision.entitlement, "/entitlements/3"));
}

static void the_next_line_goes_on_where_the_first_is_used_up(void **state)
{
	struct decide_bench *bench = *state;

	lines(bench, "{effect: read, tool: files/list, uses: 1}\n"
		     "  - {effect: read, tool: files/list, uses: 5}");
	assert_int_equal(list(bench)->verdict, VERDICT_ALLOW);
	expect_taken(&bench->decision, 0, "agent", 2);
	used(bench, 2, 1);
	assert_int_equal(list(bench)->verdict, VERDICT_ALLOW);
	expect_taken(&bench->decision, 0, "agent", 3);
}

static void people_are_asked_where_a_line_of_theirs_goes_on(void **state)
{
	struct decide_bench *bench = *state;
	const char *names[] = {"owner", NULL};
	struct call call = decide_bench_call(bench, "files", "list", "{}");

	lines(bench, "{effect: read, tool: files/list, uses: 1}\n"
		     "  - {effect: read, tool: files/list, approvals: [owner], uses: 1}");
	assert_int_equal(list(bench)->verdict, VERDICT_ALLOW);
	used(bench, 2, 1);
	assert_int_equal(list(bench)->verdict, VERDICT_ASK);
	assert_int_equal(bench->decision.uses_count, 0);
	decide_bench_decide(bench, &call, DECIDE_NO_SEARCH, names);
	assert_int_equal(bench->decision.verdict, VERDICT_ALLOW);
	expect_taken(&bench->decision, 0, "agent", 3);
}

static void nobody_is_asked_about_a_line_that_is_used_up(void **state)
{
	struct decide_bench *bench = *state;

	lines(bench, "{effect: read, tool: files/list, approvals: [owner], uses: 1}");
	assert_int_equal(list(bench)->verdict, VERDICT_ASK);
	used(bench, 2, 1);
	assert_int_equal(list(bench)->verdict, VERDICT_DENY);
	assert_int_equal(bench->decision.reason, REASON_ENTITLEMENT_USED);
	assert_int_equal(bench->decision.approvals_count, 0);
}

static void what_is_refused_for_something_else_takes_nothing(void **state)
{
	struct decide_bench *bench = *state;

	lines(bench, "{effect: read, tool: files/list, uses: 1}");
	assert_true(decide_bench_put(bench, "object: policy\nname: org/never\ntext: |\n"
					    "  forbid (principal, action, resource);\n"));
	assert_int_equal(list(bench)->reason, REASON_FORBIDDEN);
	assert_int_equal(bench->decision.uses_count, 0);
}

static void each_charter_of_the_chain_lets_it_through_once_more(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "files", "list", "{}");
	struct line_use uses[] = {{TEXT("parent"), 0, 1}};

	assert_true(decide_bench_put(bench,
		"object: identity\nname: parent\nkind: agent\nclass: execute\nrisk: low\n"
		"owner: ana\nbackup-owner: bo\nunit: support\npurpose: p\n"
		"environments: [staging]\noutputs: [{to: reply, up-to: internal}]\n"
		"entitlements: [{effect: read, tool: files/list, uses: 1}]\n"
		"peers: [{identity: agent, effects: [read, write, execute], up-to: restricted}]\n"
		"expires: 2030-01-01\n"));
	decide_bench_open_task(bench, "t-up", "parent", ENVIRONMENT_STAGING, "");
	decide_bench_open_task(bench, "t-mid", "parent", ENVIRONMENT_STAGING, "t-up");
	decide_bench_open_task(bench, "t-low", "agent", ENVIRONMENT_STAGING, "t-mid");
	decide_bench_open_task(bench, "t-low-2", "agent", ENVIRONMENT_STAGING, "t-low");
	lines(bench, "{effect: read, tool: files/list, uses: 4}");
	/* A charter that is twice in the chain lets it through once. */
	call.task = TEXT("t-low-2");
	decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL);
	assert_int_equal(bench->decision.verdict, VERDICT_ALLOW);
	assert_int_equal(bench->decision.uses_count, 2);
	expect_taken(&bench->decision, 0, "agent", 2);
	expect_taken(&bench->decision, 1, "parent", 0);
	bench->uses = uses;
	bench->uses_count = 1;
	decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL);
	assert_int_equal(bench->decision.reason, REASON_ENTITLEMENT_USED);
	assert_non_null(strstr(bench->decision.explanation.data, "charter/parent@1"));
	assert_int_equal(bench->decision.uses_count, 0);
	/* In its own tasks the agent still may. */
	assert_int_equal(list(bench)->verdict, VERDICT_ALLOW);
}

static void a_line_that_has_ended_is_not_used(void **state)
{
	struct decide_bench *bench = *state;

	lines(bench, "{effect: read, tool: files/list, uses: 1, expires: 2027-01-01}");
	assert_int_equal(list(bench)->reason, REASON_ENTITLEMENT_EXPIRED);
}

#define BENCH_TEST(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(what_was_used_as_often_as_it_may_be_is_refused),
		BENCH_TEST(what_is_left_is_taken_one_by_one),
		BENCH_TEST(other_lines_and_other_charters_do_not_count),
		BENCH_TEST(a_line_without_uses_takes_nothing_and_goes_first),
		BENCH_TEST(the_next_line_goes_on_where_the_first_is_used_up),
		BENCH_TEST(people_are_asked_where_a_line_of_theirs_goes_on),
		BENCH_TEST(nobody_is_asked_about_a_line_that_is_used_up),
		BENCH_TEST(what_is_refused_for_something_else_takes_nothing),
		BENCH_TEST(each_charter_of_the_chain_lets_it_through_once_more),
		BENCH_TEST(a_line_that_has_ended_is_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
