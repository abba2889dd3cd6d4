/* Outlooks of tools that carry out what the call itself reads: over all combinations of a few
 * lines, a call is allowed exactly if the outlook says so, and where none is, it says never. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/decide/outlook.h"
#include "support/decide_bench.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Three sources, and a line of the tool for each; the argument `a` says which. */
static const char sources[] =
	"object: data-source\nname: news\nunit: support\ncustodian: cy\nsensitivity: public\n"
	"trust: trusted\nenvironment: staging\n---\n"
	"object: data-source\nname: deals\nunit: support\ncustodian: cy\n"
	"sensitivity: confidential\ntrust: trusted\nenvironment: staging\n";
static const char *const reads[] = {"", "{data-source: tickets}",
	"{data-source: tickets, when: 'context.args has a'}",
	"{data-source: tickets, when: 'context.args has a'},"
	" {data-source: news, when: '!(context.args has a)'}",
	"{data-source: tickets, when: 'context.args has a'},"
	" {data-source: deals, when: '!(context.args has a)'}",
	"{data-source: tickets}, {data-source: deals, when: 'context.args has a'}"};
static const char *const places[] = {"effect: write",
	"effect: write\ntargets: [{argument: path, as: path}]",
	"effect: write\ntargets: [{argument: to, as: recipient}]",
	"effect: write\ntargets: [{argument: to, as: recipient}, {argument: path, as: path}]",
	"effect: read\ntargets: [{argument: url, as: url}]",
	"effect: read\ntargets: [{argument: url, as: url}]\nclassification: 'rows[*].class'"};
static const char *const outputs[] = {"", ", {to: files/sync, up-to: public}",
	", {to: files/sync, up-to: internal}", ", {to: files/sync, up-to: confidential}",
	", {to: files/sync, up-to: internal, target: 'x/*'}",
	", {to: '*@desk.example', up-to: internal}"};
static const char *const arguments[] = {"{}", "{\"a\":1}", "{\"path\":\"x/1\"}",
	"{\"a\":1,\"path\":\"x/1\"}", "{\"path\":\"y/1\"}", "{\"to\":\"z@desk.example\"}",
	"{\"a\":1,\"to\":\"z@desk.example\"}", "{\"url\":\"https://h.example/\"}"};

static void put(struct decide_bench *bench, struct text document)
{
	if (!decide_bench_put(bench, document.data))
		fail_msg("%s", document.data);
}

static void put_case(
	struct decide_bench *bench, const char *read, const char *place, const char *output)
{
	put(bench,
		text_format(bench->arena,
			"object: tool\nname: files/sync\nrisk: low\nreversal: restore\n%s\n%s%s%s",
			place, read[0] == '\0' ? "" : "reads: [", read,
			read[0] == '\0' ? "" : "]\n"));
	put(bench,
		text_format(bench->arena,
			"object: identity\nname: agent\nkind: agent\nclass: update\nrisk: low\n"
			"owner: ana\nbackup-owner: bo\nunit: support\npurpose: p\n"
			"environments: [staging]\ndata-sources: [{name: tickets, up-to: internal},"
			" {name: news, up-to: public}, {name: deals, up-to: confidential}]\n"
			"outputs: [{to: reply, up-to: confidential}%s]\nentitlements:\n"
			"  - {effect: %s, tool: files/sync}\nexpires: 2030-01-01\n",
			output, strstr(place, "effect: read") != NULL ? "read" : "write"));
}

static struct decide_world world_of(struct decide_bench *bench)
{
	return (struct decide_world){.scope = DECIDE_FOR_QUESTION,
		.registry = bench->registry,
		.tasks = bench->tasks,
		.reads = bench->reads,
		.definition = DEFINITION_UNPINNED,
		.now_utc_ms = bench->now_utc_ms};
}

/* ---- what outlook.h says of reads and outputs ---- */

static bool has(const struct call *call, const char *name)
{
	return json_find(&call->arguments, name) != NULL;
}

/* The level of what is read; 0: it may not be. */
static int level_read(const struct outlook *outlook, const struct call *call)
{
	int level = outlook->reads_count == 0 ? 1 : 0;

	for (size_t i = 0; i < outlook->reads_count; i++) {
		const struct outlook_read *read = &outlook->reads[i];
		bool is_read = read->left.kind == CEDAR_RESIDUAL_TRUE ||
			       (read->left.kind == CEDAR_RESIDUAL_CONDITION &&
				       has(call, "a") == (read->left.text.data[0] != '!'));

		if (is_read && !read->is_covered)
			return 0;
		if (is_read && sensitivity_level(read->sensitivity) > level)
			level = sensitivity_level(read->sensitivity);
	}
	return level;
}

static int level_of_output(const struct outlook *outlook, const struct call *call)
{
	struct text path = json_text_or(&call->arguments, "path", "");
	const struct outlook_output *last = &outlook->outputs[outlook->outputs_count - 1];

	if (outlook->outputs_count > 1 && text_starts_with(path, "x/"))
		return ceiling_level(outlook->outputs[0].up_to);
	return ceiling_level(last->up_to);
}

static bool outlook_allows(
	const struct outlook *outlook, const struct tool *tool, const struct call *call, int label)
{
	int level = level_read(outlook, call);
	bool names_somebody = outlook->has_recipients && has(call, "to");

	if (outlook->may == MAY_NEVER || level == 0)
		return false;
	level = label > level ? label : level;
	if (names_somebody && (outlook->recipients_count == 0 ||
				      level > ceiling_level(outlook->recipients[0].up_to)))
		return false;
	if ((names_somebody && outlook->only_recipients) ||
		(tool->effect == EFFECT_READ && !has(call, "url")))
		return true;
	return level <= level_of_output(outlook, call);
}

/* ---- the law ---- */

static bool decide_allows(struct decide_bench *bench, const struct call *call, int label)
{
	struct task_labels labels = {
		.sensitivity = (enum sensitivity)(SENSITIVITY_PUBLIC + label - 1)};
	struct decide_world world = world_of(bench);
	struct decision decision;

	world.labels = &labels;
	decide(&world, call, NULL, DECIDE_NO_SEARCH, bench->arena, &decision);
	return decision.verdict == VERDICT_ALLOW;
}

static void check_case(struct decide_bench *bench, const char *told, unsigned *may)
{
	const struct tool *tool = registry_find_tool(bench->registry, TEXT("files/sync"));
	struct call call = decide_bench_call(bench, "files", "sync", "{}");
	struct decide_world world;
	struct outlook outlook;
	unsigned allowed = 0;
	bool is_allowed, is_told;
	struct error err;

	tool_reads_destroy(&bench->reads);
	assert_true(tool_reads_compile(&bench->reads, tool, &err));
	world = world_of(bench);
	call.task = TEXT("");
	call.effect = tool->effect;
	decide_outlook(&world, &call, bench->arena, &outlook);
	may[outlook.may]++;
	for (size_t i = 0; i < COUNT(arguments); i++)
		for (int label = 1; label <= 3; label += 2) {
			assert_true(json_parse(&call.arguments, bench->arena, text_of(arguments[i]),
				&json_limits_default, &err));
			call.arguments_text = text_of(arguments[i]);
			is_allowed = decide_allows(bench, &call, label);
			is_told = outlook_allows(&outlook, tool, &call, label);
			/* Of rows that are judged one by one fewer may come than is told. */
			if (is_told ? !is_allowed : is_allowed && tool->classification.length == 0)
				fail_msg("%s with %s, label %d: the outlook says %s: %.*s", told,
					arguments[i], label, may_word(outlook.may),
					TEXT_ARGS(outlook.explanation));
			allowed += is_allowed;
		}
	if ((allowed == 0) != (outlook.may == MAY_NEVER))
		fail_msg("%s: %u allowed, the outlook says %s", told, allowed,
			may_word(outlook.may));
}

static void what_a_call_reads_counts_for_where_it_goes(void **state)
{
	unsigned may[3] = {0};
	struct decide_bench bench;

	(void)state;
	for (size_t i = 0; i < COUNT(reads); i++)
		for (size_t j = 0; j < COUNT(places); j++) {
			if (reads[i][0] == '\0' && strstr(places[j], "classification") != NULL)
				continue; /* it classifies rows of nothing */
			decide_bench_init(&bench);
			put(&bench, text_of(sources));
			for (size_t k = 0; k < COUNT(outputs); k++) {
				char told[512];

				(void)snprintf(told, sizeof told, "%s / %s / %s", reads[i],
					places[j], outputs[k]);
				put_case(&bench, reads[i], places[j], outputs[k]);
				check_case(&bench, told, may);
			}
			decide_bench_deinit(&bench);
		}
	printf("%u never, %u when, %u always\n", may[MAY_NEVER], may[MAY_WHEN], may[MAY_ALWAYS]);
	assert_true(may[MAY_NEVER] > 0 && may[MAY_WHEN] > 0);
}

static void a_tool_that_reads_more_than_may_go_to_it_may_never(void **state)
{
	struct call call;
	struct decide_bench bench;
	struct decide_world world;
	struct outlook outlook;
	struct error err;

	(void)state;
	decide_bench_init(&bench);
	put(&bench, text_of(sources));
	put_case(&bench, reads[1], places[0], "");
	assert_true(tool_reads_compile(
		&bench.reads, registry_find_tool(bench.registry, TEXT("files/sync")), &err));
	call = decide_bench_call(&bench, "files", "sync", "{}");
	world = world_of(&bench);
	decide_outlook(&world, &call, bench.arena, &outlook);
	assert_int_equal(outlook.may, MAY_NEVER);
	assert_int_equal(outlook.reason, REASON_OUTPUT);
	assert_true(text_is(outlook.explanation,
		"It reads data that is internal or more, and the charter agent@2 lets none of "
		"that go to files/sync."));
	decide_bench_deinit(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_call_reads_counts_for_where_it_goes),
		cmocka_unit_test(a_tool_that_reads_more_than_may_go_to_it_may_never),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
