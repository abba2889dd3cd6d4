/* Laws of outputs, over random charters and calls: a lower label never turns an allow into a
 * deny; a line more never denies what was allowed, save one with a target of its own or
 * that names its recipient; a line less never lets data above public go; and what the
 * caller may send out, its chain may, too. */

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

enum { WORLDS = 150, CALLS = 20, LINES_MAX = 8, LEVELS = 4 };

static const char *const levels[LEVELS] = {"public", "internal", "confidential", "restricted"};
static const char *const tools[] = {"put", "send", "fetch", "share"};
static const char *const effects[] = {"write", "write", "read", "execute"};
static const char *const globs[] = {"", "*", "a/*", "*/b", "https://example.com/*", "a/b"};
static const char *const recipients[] = {
	"ana@example.com", "person:di@example.com", "*@example.com", "*@*", "person:bo"};
static const char *const arguments[] = {"{}", "{\"path\":\"a/b\"}", "{\"path\":[\"a/b\",\"a/c\"]}",
	"{\"to\":\"ana@example.com\"}", "{\"to\":[\"di@example.com\",\"x@example.org\"]}",
	"{\"to\":\"bo\",\"path\":\"a/c\"}", "{\"at\":\"https://example.com/x\"}",
	"{\"at\":\"https://example.org/x\",\"path\":\"x/b\"}", "{\"to\":[],\"at\":[]}"};
static const char world_yaml[] =
	"object: person\nname: di@example.com\nunit: support\nclearance: internal\n---\n"
	"object: tool\nname: files/put\neffect: write\nrisk: low\n"
	"targets: [{argument: path, as: path}]\n---\n"
	"object: tool\nname: files/send\neffect: write\nrisk: low\n"
	"targets: [{argument: to, as: recipient}]\n---\n"
	"object: tool\nname: files/fetch\neffect: read\nrisk: low\n"
	"targets: [{argument: at, as: url}, {argument: path, as: path}]\n---\n"
	"object: tool\nname: files/share\neffect: execute\nrisk: low\n"
	"targets: [{argument: to, as: recipient}, {argument: path, as: object},\n"
	"  {argument: at, as: url}]\n";

/* A line of outputs: of a tool, at a glob, or of a recipient. */
struct line {
	unsigned tool; /* COUNT(tools): a recipient */
	unsigned where;
	unsigned level;
};

static struct line random_line(void)
{
	struct line line = {.tool = pick(COUNT(tools) + 1), .level = pick(LEVELS)};

	line.where = pick(line.tool == COUNT(tools) ? COUNT(recipients) : COUNT(globs));
	return line;
}

static bool is_twin(const struct line *a, const struct line *b)
{
	return a->tool == b->tool && a->where == b->where;
}

static bool has_twin(const struct line *lines, unsigned count, const struct line *line)
{
	for (unsigned i = 0; i < count; i++)
		if (is_twin(&lines[i], line))
			return true;
	return false;
}

static void put_agent(
	struct decide_bench *bench, const char *name, const struct line *lines, unsigned count)
{
	struct text outputs = TEXT(""), entitlements = TEXT(""), document;
	unsigned i;

	for (i = 0; i < count; i++) {
		bool is_tool = lines[i].tool < COUNT(tools);
		const char *glob = is_tool ? globs[lines[i].where] : "";

		outputs = text_format(bench->arena, "%.*s, {to: '%s%s', up-to: %s%s%s%s}",
			TEXT_ARGS(outputs), is_tool ? "files/" : "",
			is_tool ? tools[lines[i].tool] : recipients[lines[i].where],
			levels[lines[i].level], glob[0] == '\0' ? "" : ", target: '", glob,
			glob[0] == '\0' ? "" : "'");
	}
	for (i = 0; i < COUNT(tools); i++)
		entitlements = text_format(bench->arena, "%.*s{effect: %s, tool: files/%s}, ",
			TEXT_ARGS(entitlements), effects[i], tools[i]);
	document = text_format(bench->arena,
		"object: identity\nname: %s\nkind: agent\nclass: execute\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"
		"outputs: [{to: reply, up-to: restricted}%.*s]\n"
		"entitlements: [%.*s]\npeers: [%s]\nexpires: 2030-01-01\n",
		name, TEXT_ARGS(outputs), TEXT_ARGS(entitlements),
		strcmp(name, "parent") != 0
			? ""
			: "{identity: agent, effects: [read, write, execute], up-to: restricted}");
	if (!decide_bench_put(bench, document.data))
		fail_msg("%s", document.data);
}

/* t-public, t-internal, ...: tasks that have read so much; and one below a parent's. */
static void open_tasks(struct decide_bench *bench)
{
	for (unsigned i = 0; i < LEVELS; i++) {
		struct text task = text_format(bench->arena, "t-%s", levels[i]);
		struct text below = text_format(bench->arena, "t-%s-below", levels[i]);
		struct text record = text_format(bench->arena,
			"{\"type\":\"decision\",\"task\":\"%s\",\"verdict\":\"allow\","
			"\"sensitivity\":\"%s\"}",
			below.data, levels[i]);

		decide_bench_open_task(bench, task.data, "parent", ENVIRONMENT_STAGING, "");
		decide_bench_open_task(bench, below.data, "agent", ENVIRONMENT_STAGING, task.data);
		decide_bench_fold(bench, record.data);
		task = text_format(bench->arena, "t-%s-alone", levels[i]);
		decide_bench_open_task(bench, task.data, "agent", ENVIRONMENT_STAGING, "");
		record = text_format(bench->arena,
			"{\"type\":\"decision\",\"task\":\"%s\",\"verdict\":\"allow\","
			"\"sensitivity\":\"%s\"}",
			task.data, levels[i]);
		decide_bench_fold(bench, record.data);
	}
}

static bool allows(
	struct decide_bench *bench, const struct call *call, unsigned level, const char *which)
{
	struct call one = *call;
	const struct decision *decision;

	one.task = text_format(bench->arena, "t-%s-%s", levels[level], which);
	decision = decide_bench_decide(bench, &one, DECIDE_NO_SEARCH, NULL);
	if (decision->verdict != VERDICT_ALLOW)
		assert_int_equal(decision->reason, REASON_OUTPUT);
	return decision->verdict == VERDICT_ALLOW;
}

struct seen {
	unsigned allowed[LEVELS], refused[LEVELS], narrowed;
};

static void check_levels(
	struct decide_bench *bench, const struct call *call, bool before[LEVELS], struct seen *seen)
{
	for (unsigned level = 0; level < LEVELS; level++) {
		bool below = allows(bench, call, level, "below");

		before[level] = allows(bench, call, level, "alone");
		seen->allowed[level] += before[level];
		seen->refused[level] += !before[level];
		assert_true(before[level] || !below);
		seen->narrowed += before[level] && !below;
		/* The less it has read, the more may go. */
		assert_true(level == 0 || before[level - 1] || !before[level]);
	}
}

/* Whether a line may lower what another one lets go. */
static bool is_specific(const struct line *line)
{
	if (line->tool == COUNT(tools))
		return recipients[line->where][0] != '*' || strcmp(recipients[line->where], "*@*");
	return globs[line->where][0] != '\0';
}

static void check_world(struct decide_bench *bench, struct seen *seen)
{
	struct line lines[LINES_MAX + 1], parent[LINES_MAX], extra = random_line();
	unsigned count = 0, parents = 0, i, level;
	bool before[CALLS][LEVELS];
	struct call calls[CALLS];

	for (i = 0; i < LINES_MAX; i++) {
		lines[count] = random_line();
		count += !has_twin(lines, count, &lines[count]) && !is_twin(&extra, &lines[count]);
		parent[parents] = random_line();
		parents += !has_twin(parent, parents, &parent[parents]);
	}
	put_agent(bench, "agent", lines, count);
	put_agent(bench, "parent", parent, parents);
	for (i = 0; i < CALLS; i++) {
		calls[i] = decide_bench_call(bench, "files", tools[pick(COUNT(tools))],
			arguments[pick(COUNT(arguments))]);
		check_levels(bench, &calls[i], before[i], seen);
	}
	lines[count] = extra;
	put_agent(bench, "agent", lines, count + 1);
	for (i = 0; i < CALLS; i++)
		for (level = 0; level < LEVELS; level++)
			assert_true(is_specific(&extra) || !before[i][level] ||
				    allows(bench, &calls[i], level, "alone"));
	put_agent(bench, "agent", NULL, 0);
	for (i = 0; i < CALLS; i++)
		for (level = 1; level < LEVELS; level++)
			if (text_is(calls[i].tool, "files/put"))
				assert_false(allows(bench, &calls[i], level, "alone"));
}

static void what_goes_out_only_narrows(void **state)
{
	uint64_t seed = seed_of_run(), worlds = worlds_given(WORLDS);
	struct seen seen = {{0}, {0}, 0};

	(void)state;
	for (uint64_t world = 0; world < worlds; world++) {
		struct decide_bench bench;

		seed_with(seed + world);
		decide_bench_init(&bench);
		assert_true(decide_bench_put(&bench, world_yaml));
		put_agent(&bench, "parent", NULL, 0);
		put_agent(&bench, "agent", NULL, 0);
		open_tasks(&bench);
		check_world(&bench, &seen);
		decide_bench_deinit(&bench);
	}
	for (unsigned level = 0; level < LEVELS; level++) {
		printf("%s: %u allowed, %u refused\n", levels[level], seen.allowed[level],
			seen.refused[level]);
		if (worlds >= WORLDS)
			assert_true(seen.allowed[level] > 0 && seen.refused[level] > 0);
	}
	printf("refused by the chain alone: %u\n", seen.narrowed);
	if (worlds >= WORLDS)
		assert_true(seen.narrowed > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_out_only_narrows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
