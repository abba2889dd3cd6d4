/* The law of charters that are unpacked when they are asked for: what is given up and unpacked
 * again decides the same.  Two worlds see the same random documents, states and calls; in one all
 * charters stay unpacked, in the other none, or one, outlives the turn. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/decide_bench.h"
#include "support/seeded.h"

enum { RUNS = 40, STEPS = 120, IDENTITIES = 6, DOCUMENT_BYTES_MAX = 4096 };

struct twins {
	struct decide_bench all;  /* keeps what it unpacked */
	struct decide_bench none; /* gives it up after each step */
	size_t kept_bytes;        /* that none keeps from step to step: of no charter, or of one */
	unsigned allowed;
	unsigned refused;
	size_t unpacked_most; /* that none had at the end of a step */
	size_t kept_most;     /* that all had */
};

static const char *const lines[] = {
	"  - {effect: read, tool: files/read}\n",
	"  - {effect: read, tool: files/read, when: 'context.args.path like \"*s/*\"'}\n",
	"  - {effect: write, tool: files/write, approvals: [owner]}\n",
	"  - {effect: write, tool: files/write, when: 'context.args.path == \"notes/a\"'}\n",
	"  - {effect: execute, tool: files/run, expires: 2026-01-01}\n",
	"  - {effect: read, tool: files/list, uses: 3}\n",
	"  - {effect: write, tool: files/mail}\n",
	"  - {effect: read, tool: other/peek}\n",
};
static const char *const limits[] = {"", "limits: {calls-per-minute: 1}\n", "limits: {task: 1h}\n"};
static const char *const outputs[] = {"", "outputs: [{to: reply, up-to: internal}]\n",
	"outputs: [{to: reply, up-to: public}, {to: files/write, up-to: internal}]\n"};
static const char *const sources[] = {"", "data-sources: [{name: tickets, up-to: internal}]\n"};
static const char *const peers[] = {
	"", "peers: [{identity: agent, effects: [read], up-to: internal, depth: 1}]\n"};
static const char *const ends[] = {"2030-01-01", "2026-06-01"};
static const char *const calls[][2] = {
	{"files", "read"},
	{"files", "write"},
	{"files", "run"},
	{"files", "list"},
	{"files", "mail"},
	{"other", "peek"},
};
static const char *const arguments[] = {
	"{\"path\":\"notes/a\"}", "{\"path\":\"b\"}", "{}", "{\"path\":\"tickets/7\"}"};

#define PICK(list) list[pick(COUNT(list))]

/* ---- what is done to both ---- */

static void write_identity(char *out, size_t size, unsigned identity)
{
	bool has_lines = pick(6) != 0;
	int length = snprintf(out, size,
		"object: identity\nname: i%u\nkind: agent\nclass: execute\nrisk: %s\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: number %u\n"
		"environments: [%s]\n%s%s%s%s%s",
		identity, pick(2) == 0 ? "low" : "high", pick(1000),
		pick(4) == 0 ? "prod" : "staging", PICK(limits), PICK(outputs), PICK(sources),
		PICK(peers), has_lines ? "entitlements:\n" : "");

	for (unsigned i = 0; has_lines && i < 1 + pick(5); i++)
		length += snprintf(out + length, size - (size_t)length, "%s", PICK(lines));
	length += snprintf(out + length, size - (size_t)length, "expires: %s\n", PICK(ends));
	assert_true((size_t)length < size);
}

static void change_identity(struct twins *twins, unsigned identity)
{
	char document[DOCUMENT_BYTES_MAX];

	write_identity(document, sizeof document, identity);
	assert_true(decide_bench_put(&twins->all, document));
	assert_true(decide_bench_put(&twins->none, document));
}

static void change_state(struct twins *twins, const char *name)
{
	enum identity_state state = pick(2) == 0 ? IDENTITY_SUSPENDED : IDENTITY_ACTIVE;

	if (registry_find_charter(twins->all.registry, text_of(name)) == NULL)
		return;
	decide_bench_set_state(&twins->all, name, state);
	decide_bench_set_state(&twins->none, name, state);
}

static void assert_same_texts(
	const struct text *left, size_t left_count, const struct text *right, size_t right_count)
{
	assert_int_equal(left_count, right_count);
	for (size_t i = 0; i < left_count; i++)
		assert_true(text_equal(left[i], right[i]));
}

static void assert_same(const struct decision *left, const struct decision *right)
{
	assert_int_equal(left->verdict, right->verdict);
	assert_int_equal(left->reason, right->reason);
	assert_int_equal(left->effect, right->effect);
	assert_true(text_equal(left->entitlement, right->entitlement));
	assert_true(text_equal(left->clause, right->clause));
	assert_true(text_equal(left->explanation, right->explanation));
	assert_true(text_equal(left->needed, right->needed));
	assert_int_equal(left->uses_count, right->uses_count);
	assert_int_equal(left->risk, right->risk);
	assert_int_equal(left->sensitivity, right->sensitivity);
	assert_int_equal(left->revision, right->revision);
	assert_same_texts(
		left->policies, left->policies_count, right->policies, right->policies_count);
	assert_same_texts(
		left->approvals, left->approvals_count, right->approvals, right->approvals_count);
}

/* By one of the identities, in its own task, or in one below the agent's. */
static const struct decision *ask(struct decide_bench *bench, const char *const *what,
	const char *argument, struct text name, struct text task)
{
	struct call call = decide_bench_call(bench, what[0], what[1], argument);

	call.identity = name;
	call.task = task;
	return decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL);
}

static void decide_both(struct twins *twins, struct text name, struct text task)
{
	const char *const *what = calls[pick(COUNT(calls))];
	const char *argument = PICK(arguments);
	const struct decision *left = ask(&twins->all, what, argument, name, task);
	const struct decision *right = ask(&twins->none, what, argument, name, task);

	assert_same(left, right);
	twins->allowed += left->verdict != VERDICT_DENY;
	twins->refused += left->verdict == VERDICT_DENY;
}

/* ---- steps ---- */

static void end_turn(struct twins *twins)
{
	size_t left;

	registry_tidy(twins->none.registry); /* those asked for may pass once */
	registry_tidy(twins->none.registry);
	left = registry_unpacked_count(twins->none.registry);
	if (left > twins->unpacked_most)
		twins->unpacked_most = left;
	assert_true(registry_unpacked_bytes(twins->none.registry) <= twins->kept_bytes);
}

static void step(struct twins *twins)
{
	unsigned identity = pick(IDENTITIES);
	struct text name = text_format(twins->all.arena, "i%u", identity);
	struct text task = text_format(twins->all.arena, "t-i%u", identity);

	switch (pick(8)) {
	case 0: change_identity(twins, identity); break;
	case 1: change_state(twins, name.data); break;
	case 2: decide_both(twins, name, TEXT("t-1")); break;
	case 3:
		decide_both(twins, name, task);
		decide_both(twins, TEXT("agent"), TEXT("t-1"));
		break;
	default: decide_both(twins, name, task);
	}
	end_turn(twins);
}

static void open_tasks(struct decide_bench *bench)
{
	for (unsigned i = 0; i < IDENTITIES; i++)
		decide_bench_open_task(bench, text_format(bench->arena, "t-i%u", i).data,
			text_format(bench->arena, "i%u", i).data, ENVIRONMENT_STAGING,
			i % 2 == 0 ? NULL : "t-1");
}

/* As many bytes as the agent's charter takes, which is larger than any other here. */
static size_t bytes_of_one(struct decide_bench *bench)
{
	size_t bytes;

	registry_bound(bench->registry, 0);
	registry_tidy(bench->registry);
	registry_tidy(bench->registry);
	assert_int_equal(registry_unpacked_count(bench->registry), 0);
	assert_non_null(registry_find_charter(bench->registry, TEXT("agent")));
	assert_int_equal(registry_unpacked_count(bench->registry), 1);
	bytes = registry_unpacked_bytes(bench->registry);
	registry_tidy(bench->registry);
	return bytes;
}

static void run(struct twins *twins, bool keeps_one)
{
	decide_bench_init(&twins->all);
	decide_bench_init(&twins->none);
	twins->kept_bytes = keeps_one ? bytes_of_one(&twins->none) : 0;
	registry_bound(twins->none.registry, twins->kept_bytes);
	for (unsigned i = 0; i < IDENTITIES; i++)
		change_identity(twins, i);
	open_tasks(&twins->all);
	open_tasks(&twins->none);
	for (unsigned i = 0; i < STEPS; i++)
		step(twins);
	if (registry_unpacked_count(twins->all.registry) > twins->kept_most)
		twins->kept_most = registry_unpacked_count(twins->all.registry);
	registry_validate(twins->none.registry);
	decide_bench_deinit(&twins->all);
	decide_bench_deinit(&twins->none);
}

static void what_is_unpacked_again_decides_the_same(void **state)
{
	uint64_t seed = seed_of_run(), runs = worlds_given(RUNS);
	struct twins twins = {.kept_bytes = 0};

	(void)state;
	for (uint64_t i = 0; i < runs; i++) {
		seed_with(seed + i);
		run(&twins, i % 2 == 1);
	}
	assert_true(twins.allowed > 0 && twins.refused > 0);
	assert_in_range(twins.unpacked_most, 1, IDENTITIES);
	assert_true(twins.kept_most > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_unpacked_again_decides_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
