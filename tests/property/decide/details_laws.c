/* The law of authorization_details, over random trees and calls: a task makes a call only if
 * its own list and that of each task above it have it, its list gives it nothing that it had
 * not without, and what may be opened below another lists no call that the other may not
 * make.  Lists are sets of (tool, path) here, and who is right is told by these sets. */

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

enum { WORLDS = 60, TASKS_MAX = 8, CALLS = 24 };

static const char *const tools[] = {"read", "list", "write"};
static const char *const paths[] = {"", "tickets/1", "tickets/2", "tickets/3"};
enum { TOOLS = COUNT(tools), PATHS = COUNT(paths) };

/* What one task was opened for.  A tool may be listed as it is: then all its paths are. */
struct listing {
	bool is_bound;
	bool has[TOOLS][PATHS];
};

static struct listing random_listing(void)
{
	struct listing listing = {.is_bound = pick(4) != 0};

	for (unsigned tool = 0; tool < TOOLS; tool++)
		for (unsigned path = 0; path < PATHS; path++)
			listing.has[tool][path] = pick(2) == 0;
	return listing;
}

static bool is_whole(const struct listing *listing, unsigned tool)
{
	for (unsigned path = 0; path < PATHS; path++)
		if (!listing->has[tool][path])
			return false;
	return true;
}

/* The details that say it; of no call at all, one that is never made. */
static struct text details_of(struct decide_bench *bench, const struct listing *listing)
{
	struct text list = TEXT("{\"type\":\"remit_tool\",\"tool\":\"none/none\"}");

	for (unsigned tool = 0; tool < TOOLS; tool++) {
		struct text values = TEXT("");

		if (is_whole(listing, tool) && pick(2) == 0) {
			list = text_format(bench->arena,
				"%.*s,{\"type\":\"remit_tool\",\"tool\":\"files/%s\"}",
				TEXT_ARGS(list), tools[tool]);
			continue;
		}
		if (listing->has[tool][0])
			list = text_format(bench->arena,
				"%.*s,{\"type\":\"remit_tool\",\"tool\":\"files/%s\","
				"\"arguments\":{}}",
				TEXT_ARGS(list), tools[tool]);
		for (unsigned path = 1; path < PATHS; path++)
			if (listing->has[tool][path])
				values =
					text_format(bench->arena, "%.*s%s\"%s\"", TEXT_ARGS(values),
						values.length > 0 ? "," : "", paths[path]);
		if (values.length > 0)
			list = text_format(bench->arena,
				"%.*s,{\"type\":\"remit_tool\",\"tool\":\"files/%s\","
				"\"arguments\":{\"path\":[%.*s]}}",
				TEXT_ARGS(list), tools[tool], TEXT_ARGS(values));
	}
	return text_format(bench->arena, "[%.*s]", TEXT_ARGS(list));
}

/* A tree of tasks, each below one that was opened before it. */
struct tree {
	struct listing listings[TASKS_MAX];
	unsigned parents[TASKS_MAX]; /* of itself: a root */
	char ids[TASKS_MAX][16];
	unsigned count;
};

static void open_one(struct decide_bench *bench, struct tree *tree)
{
	unsigned number = tree->count++;
	bool is_root = number == 0 || pick(4) == 0;
	struct json details;
	struct error err = {0};

	tree->parents[number] = is_root ? number : pick(number);
	tree->listings[number] = random_listing();
	(void)snprintf(tree->ids[number], sizeof tree->ids[number], "t-tree%u", number);
	if (!json_parse(&details, bench->arena, details_of(bench, &tree->listings[number]),
		    &json_limits_default, &err))
		fail_msg("%s", err.text);
	decide_bench_open_task_for(bench, tree->ids[number],
		is_root ? "" : tree->ids[tree->parents[number]],
		tree->listings[number].is_bound ? &details : NULL);
}

static bool is_listed(const struct tree *tree, unsigned task, unsigned tool, unsigned path)
{
	for (;; task = tree->parents[task]) {
		const struct listing *listing = &tree->listings[task];

		if (listing->is_bound && !listing->has[tool][path])
			return false;
		if (tree->parents[task] == task)
			return true;
	}
}

static unsigned allowed, refused; /* of all worlds */

static void check_call(struct decide_bench *bench, const struct tree *tree)
{
	unsigned task = pick(tree->count), tool = pick(TOOLS), path = pick(PATHS);
	struct text arguments =
		path == 0 ? TEXT("{}")
			  : text_format(bench->arena, "{\"path\":\"%s\"}", paths[path]);
	struct call call = decide_bench_call(bench, "files", tools[tool], arguments.data);
	enum verdict without = decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL)->verdict;
	const struct decision *decision;

	call.task = text_of(tree->ids[task]);
	decision = decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL);
	if (is_listed(tree, task, tool, path)) {
		assert_int_equal(decision->verdict, without);
		assert_true(decision->reason != REASON_TASK_DETAILS);
		allowed += decision->verdict == VERDICT_ALLOW;
		return;
	}
	assert_int_equal(decision->verdict, VERDICT_DENY);
	assert_int_equal(decision->reason, REASON_TASK_DETAILS);
	assert_true(decision->explanation.length > 0 && decision->needed.length > 0);
	refused++;
}

/* Some of the items of a list, as they stand there; of the rest nothing. */
static struct text part_of(struct decide_bench *bench, struct text list)
{
	struct text part = TEXT("");
	struct json items;
	struct error err = {0};

	if (!json_parse(&items, bench->arena, list, &json_limits_default, &err))
		fail_msg("%s", err.text);
	for (uint32_t i = 0; i < items.count; i++) {
		struct text item = json_canonical_text(bench->arena, &items.items[i]);

		if (i == 0 || pick(2) == 0)
			part = text_format(bench->arena, "%.*s%s%.*s", TEXT_ARGS(part),
				i == 0 ? "" : ",", TEXT_ARGS(item));
	}
	return text_format(bench->arena, "[%.*s]", TEXT_ARGS(part));
}

static unsigned narrower; /* of lists at random */

/* What narrows another has no call that the other has not; some of the items of a list
 * narrow it. */
static void check_narrowing(struct decide_bench *bench)
{
	struct listing wide = random_listing(), narrow = random_listing();
	struct text list = details_of(bench, &wide);
	struct task_details *outer = NULL, *inner = NULL, *part = NULL;
	struct error err = {0};

	assert_true(task_details_parse(&outer, list, &err));
	assert_true(task_details_parse(&part, part_of(bench, list), &err));
	for (unsigned tool = 0; tool < TOOLS; tool++)
		for (unsigned path = 0; path < PATHS; path++)
			narrow.has[tool][path] &= wide.has[tool][path] || pick(16) == 0;
	assert_true(task_details_parse(&inner, details_of(bench, &narrow), &err));
	assert_true(task_details_narrow(outer, outer));
	assert_true(task_details_narrow(part, outer));
	if (task_details_narrow(inner, outer)) {
		narrower++;
		for (unsigned tool = 0; tool < TOOLS; tool++)
			for (unsigned path = 0; path < PATHS; path++)
				assert_true(!narrow.has[tool][path] || wide.has[tool][path]);
	}
	task_details_destroy(&outer);
	task_details_destroy(&inner);
	task_details_destroy(&part);
}

static void a_task_makes_the_calls_that_its_whole_path_lists_and_no_other(void **state)
{
	uint64_t seed = seed_of_run(), worlds = worlds_given(WORLDS);

	(void)state;
	for (uint64_t world = 0; world < worlds; world++) {
		struct decide_bench bench;
		struct tree tree = {0};

		seed_with(seed + world);
		decide_bench_init(&bench);
		while (tree.count < TASKS_MAX)
			open_one(&bench, &tree);
		for (int i = 0; i < CALLS; i++)
			check_call(&bench, &tree);
		for (int i = 0; i < CALLS; i++)
			check_narrowing(&bench);
		decide_bench_deinit(&bench);
	}
	/* Both sides came up. */
	printf("%u allowed, %u refused, %u lists narrower\n", allowed, refused, narrower);
	if (worlds >= WORLDS)
		assert_true(allowed > worlds && refused > worlds && narrower > worlds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_task_makes_the_calls_that_its_whole_path_lists_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
