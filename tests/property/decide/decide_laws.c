/* Laws of decide, over random worlds and calls: it is a function; a forbid more
 * never allows more; an approval more never allows less; a chain never allows
 * more than its last link; whom a question names is as few as can be, and what is no question no
 * approval would open; a line, a class or a level less never allows more, nor does a line
 * that was used more often. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/decide_bench.h"
#include "support/seeded.h"

enum { WORLDS = 60, CALLS = 25, LINES_MAX = 5, USES_MAX = 3 };

static const char *const conditions[] = {
	"true",
	"context.args.path like \"tickets/*\"",
	"context.args.n > 3",
	"context.args has n && context.args.n < 9",
	"context.approvals.contains(\"owner\")",
	"context.approvals.containsAll([\"owner\", \"second\"])",
	"context.approvals.containsAny([\"role/approver\", \"backup-owner\"])",
	"context.approvals.contains(\"role/legal\")",
	"context.approvals.containsAny([\"role/press\", \"second\"])",
	"context.environment == \"staging\"",
	"context.labels.untrusted == false",
	"resource.risk == \"low\"",
	"!(context.args has n)",
	"context.chain.contains(\"agent\")",
	"context.args.n == 1 || context.approvals.contains(\"owner\")",
};
static const char *const forbids[] = {
	"when { context.args has n && context.args.n == 5 }",
	"when { context.args.n == 5 }",
	"unless { context.approvals.contains(\"owner\") }",
	"when { resource.effect == \"execute\" } unless { context.approvals.contains(\"second\") }",
	"unless { context.approvals.contains(\"role/legal\") }",
	"unless { context.approvals.containsAll([\"role/press\", \"role/legal\"]) || "
	"context.approvals.contains(\"backup-owner\") }",
	"when { context.args.path like \"tickets/4*\" }",
	"when { principal.class == \"execute\" && resource.risk == \"high\" }",
	"",
};
static const char *const tools[] = {"read", "list", "write", "run", "mail"};
static const char *const effects[] = {"read", "read", "write", "execute", "write"};
static const char *const arguments[] = {"{}", "{\"path\":\"tickets/41\"}",
	"{\"path\":\"payroll/1\"}", "{\"path\":\"tickets/41\",\"n\":5}", "{\"n\":1}",
	"{\"n\":null}", "{\"n\":2.5,\"path\":\"tickets/1\"}", "{\"to\":\"ana\"}",
	"{\"path\":\"../x\"}"};
static const char *const uses[USES_MAX + 1] = {"", ", uses: 1", ", uses: 2", ", uses: 3"};
static const char *const names[] = {
	"owner", "backup-owner", "second", "role/approver", "role/legal", "role/press"};

/* A charter as a list of lines, so that one can be left out. */
struct charter_draft {
	unsigned tool[LINES_MAX];
	unsigned condition[LINES_MAX];
	unsigned uses[LINES_MAX]; /* 0: any number */
	bool has_ended[LINES_MAX];
	unsigned count;
	const char *up_to;
};

static void charter_put(struct decide_bench *bench, const char *name,
	const struct charter_draft *draft, unsigned left_out)
{
	struct text lines = TEXT("");
	struct text document;
	unsigned i;

	for (i = 0; i < draft->count; i++)
		if (i != left_out)
			lines = text_format(bench->arena,
				"%.*s  - {effect: %s, tool: files/%s, when: '%s'%s%s}\n",
				TEXT_ARGS(lines), effects[draft->tool[i]], tools[draft->tool[i]],
				conditions[draft->condition[i]], uses[draft->uses[i]],
				draft->has_ended[i] ? ", expires: 2027-01-01" : "");
	document = text_format(bench->arena,
		"object: identity\nname: %s\nkind: agent\nclass: execute\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"
		"data-sources: [{name: tickets, up-to: %s}]\n"
		"outputs: [{to: reply, up-to: internal}, {to: 'person:ana', up-to: public}]\n"
		"entitlements:\n  - {effect: read, tool: other/peek}\n%.*s"
		"peers: [%s]\nexpires: 2030-01-01\n",
		name, draft->up_to, TEXT_ARGS(lines),
		strcmp(name, "parent") != 0
			? ""
			: "{identity: agent, effects: [read, write, execute], up-to: restricted}");
	if (!decide_bench_put(bench, document.data))
		fail_msg("%s", document.data);
}

static struct charter_draft charter_draft(void)
{
	struct charter_draft draft = {.count = 1 + pick(LINES_MAX)};
	unsigned i;

	draft.up_to = pick(4) == 0 ? "public" : "internal";
	for (i = 0; i < draft.count; i++) {
		draft.tool[i] = pick(COUNT(tools));
		draft.condition[i] = pick(2) * pick(COUNT(conditions)); /* half: true */
		draft.uses[i] = pick(2) * pick(USES_MAX + 1);
		draft.has_ended[i] = pick(4) == 0;
	}
	return draft;
}

static void forbid_put(struct decide_bench *bench, const char *name, const char *condition)
{
	struct text document = text_format(bench->arena,
		"object: policy\nname: %s\ntext: |\n  forbid (principal, action, resource) %s;\n",
		name, condition);

	if (!decide_bench_put(bench, document.data))
		fail_msg("%s", document.data);
}

static int rank(const struct decision *decision)
{
	switch (decision->verdict) {
	case VERDICT_DENY: return 0;
	case VERDICT_ASK: return 1;
	case VERDICT_ALLOW: return 2;
	}
	return -1;
}

/* What came up in all worlds. */
static struct {
	unsigned ranks[3]; /* of the calls as they are */
	unsigned questions;
	unsigned opened; /* denied calls and questions that approvals let through */
	unsigned used_up;
	unsigned narrowed; /* by a rule more, a line less, or less that may be read or done */
} seen;

static int rank_of(struct decide_bench *bench, const struct call *call, const char *const *given)
{
	const struct decision *decision = decide_bench_decide(bench, call, DECIDE_SEARCH, given);
	int result = rank(decision);
	enum reason reason = decision->reason;

	assert_int_equal(result == 2, reason == REASON_ALLOWED);
	assert_int_equal(result == 1, reason == REASON_APPROVAL_NEEDED);
	assert_int_equal(result == 1, decision->approvals_count != 0);
	return result;
}

static struct call random_call(struct decide_bench *bench)
{
	return decide_bench_call(
		bench, "files", tools[pick(COUNT(tools))], arguments[pick(COUNT(arguments))]);
}

static void check_function(struct decide_bench *bench, const struct call *call)
{
	struct decision first = *decide_bench_decide(bench, call, DECIDE_SEARCH, NULL);
	const struct decision *second = decide_bench_decide(bench, call, DECIDE_SEARCH, NULL);

	assert_int_equal(first.verdict, second->verdict);
	assert_int_equal(first.reason, second->reason);
	assert_true(text_equal(first.entitlement, second->entitlement));
	assert_true(text_equal(first.explanation, second->explanation));
	assert_int_equal(first.approvals_count, second->approvals_count);
}

/* ASK's names open the call; each one less does not. */
static void check_question(struct decide_bench *bench, const struct call *call)
{
	struct decision asked = *decide_bench_decide(bench, call, DECIDE_SEARCH, NULL);
	const char *given[DECISION_APPROVALS_MAX + 1];
	size_t i, left_out, count;

	if (asked.verdict != VERDICT_ASK)
		return;
	seen.questions++;
	for (left_out = 0; left_out <= asked.approvals_count; left_out++) {
		for (i = 0, count = 0; i < asked.approvals_count; i++)
			if (i != left_out)
				given[count++] = text_copy(bench->arena, asked.approvals[i]).data;
		given[count] = NULL;
		decide_bench_decide(bench, call, DECIDE_NO_SEARCH, given);
		assert_int_equal(bench->decision.verdict == VERDICT_ALLOW,
			left_out == asked.approvals_count);
	}
}

/* What is denied, and not asked, no approvals would have let through. */
static void check_denial(struct decide_bench *bench, const struct call *call)
{
	const char *given[COUNT(names) + 1] = {NULL};

	if (rank_of(bench, call, NULL) != 0)
		return;
	for (unsigned i = 0; i < COUNT(names); i++)
		given[i] = names[i];
	decide_bench_decide(bench, call, DECIDE_NO_SEARCH, given);
	assert_int_not_equal(bench->decision.verdict, VERDICT_ALLOW);
}

static void check_more_approvals(struct decide_bench *bench, const struct call *call)
{
	const char *given[COUNT(names) + 1] = {NULL};
	int before = rank_of(bench, call, given);
	unsigned i;

	for (i = 0; i < COUNT(names); i++) {
		int after;

		given[i] = names[i];
		after = rank_of(bench, call, given);
		assert_true(after >= before);
		seen.opened += after > before;
		before = after;
	}
}

/* Of each line one use more, over and over, until nothing is left of any; what is let through
 * takes of lines that had something left. */
static void check_uses(struct decide_bench *bench, const struct call *call)
{
	struct line_use used[2 * (LINES_MAX + 1)];
	int before = rank_of(bench, call, NULL), after;

	for (uint32_t i = 0; i < COUNT(used); i++)
		used[i] = (struct line_use){i % 2 == 0 ? TEXT("agent") : TEXT("parent"), i / 2, 0};
	bench->uses = used;
	bench->uses_count = COUNT(used);
	for (unsigned step = 0; step < COUNT(used) * USES_MAX; step++) {
		used[pick(COUNT(used))].used++;
		after = rank_of(bench, call, NULL);
		assert_true(after <= before);
		seen.used_up += after < before;
		assert_true(after == 2 || bench->decision.uses_count == 0);
		for (size_t i = 0; i < bench->decision.uses_count; i++)
			assert_true(bench->decision.uses[i].used < USES_MAX);
		before = after;
	}
	bench->uses = NULL;
	bench->uses_count = 0;
}

static void check_less(struct decide_bench *bench, const struct call *call, int before)
{
	int after = rank_of(bench, call, NULL);

	assert_true(after <= before);
	seen.narrowed += after < before;
}

static void check_world(struct decide_bench *bench)
{
	struct charter_draft draft = charter_draft();
	struct charter_draft parent = charter_draft();
	bool unjudged[CALLS];
	int before[CALLS], i;
	struct call calls[CALLS], below;

	forbid_put(bench, "org/one", forbids[pick(COUNT(forbids) - 1)]);
	charter_put(bench, "agent", &draft, LINES_MAX);
	charter_put(bench, "parent", &parent, LINES_MAX);
	for (i = 0; i < CALLS; i++) {
		calls[i] = random_call(bench);
		before[i] = rank_of(bench, &calls[i], NULL);
		seen.ranks[before[i]]++;
		unjudged[i] = bench->decision.reason == REASON_COULD_NOT_EVALUATE;
		check_function(bench, &calls[i]);
		check_question(bench, &calls[i]);
		check_denial(bench, &calls[i]);
		check_more_approvals(bench, &calls[i]);
		below = calls[i];
		below.task = TEXT("t-below");
		assert_true(rank_of(bench, &below, NULL) <= before[i]);
		check_question(bench, &below);
		check_denial(bench, &below);
		if (i % 4 == 0)
			check_uses(bench, i % 8 == 0 ? &calls[i] : &below);
	}
	forbid_put(bench, "support/two", forbids[pick(COUNT(forbids))]);
	for (i = 0; i < CALLS; i++)
		check_less(bench, &calls[i], before[i]);
	forbid_put(bench, "support/two", "when { false }");
	charter_put(bench, "agent", &draft, pick(draft.count));
	/* Save that a line which cannot be judged for these arguments refuses all. */
	for (i = 0; i < CALLS; i++)
		assert_true(unjudged[i] || rank_of(bench, &calls[i], NULL) <= before[i]);
	draft.up_to = "public";
	charter_put(bench, "agent", &draft, LINES_MAX);
	for (i = 0; i < CALLS; i++)
		check_less(bench, &calls[i], before[i]);
	decide_bench_set_class(bench, "agent", CLASS_RETRIEVE);
	for (i = 0; i < CALLS; i++)
		check_less(bench, &calls[i], before[i]);
}

static void authority_only_narrows(void **state)
{
	uint64_t seed = seed_of_run(), worlds = worlds_given(WORLDS);

	(void)state;
	for (uint64_t world = 0; world < worlds; world++) {
		struct decide_bench bench;
		struct charter_draft first;

		seed_with(seed + world);
		decide_bench_init(&bench);
		first = charter_draft();
		charter_put(&bench, "parent", &first, LINES_MAX);
		decide_bench_open_task(&bench, "t-above", "parent", ENVIRONMENT_STAGING, "");
		decide_bench_open_task(&bench, "t-below", "agent", ENVIRONMENT_STAGING, "t-above");
		check_world(&bench);
		decide_bench_deinit(&bench);
	}
	printf("%u denied, %u asked, %u allowed; %u questions, %u opened, %u used up, %u "
	       "narrowed\n",
		seen.ranks[0], seen.ranks[1], seen.ranks[2], seen.questions, seen.opened,
		seen.used_up, seen.narrowed);
	if (worlds < WORLDS)
		return;
	for (int i = 0; i < 3; i++)
		assert_true(seen.ranks[i] > worlds);
	assert_true(seen.questions > worlds && seen.opened > worlds);
	assert_true(seen.used_up > worlds / 20 && seen.narrowed > worlds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(authority_only_narrows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
