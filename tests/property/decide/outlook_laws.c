/* Outlooks against trying every pair: over random worlds, whatever arguments and
 * approvals a call has and whatever its task has read, decide allows it exactly if the outlook says
 * so; and no explanation or hint that is recorded holds a value of an argument.  What changes do is
 * tried in change_laws.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fnmatch.h>

#include "cedar/from_json.h"
#include "domain/decide/explanation.h"
#include "domain/decide/outlook.h"
#include "support/decide_bench.h"
#include "support/seeded.h"

enum { WORLDS = 120, IDENTITIES = 3, LINES_MAX = 6, APPROVALS = 4 };

static const char *const conditions[] = {"true", "false", "context.args.path like \"tickets/*\"",
	"context.args.n > 3", "context.args has n && context.args.n < 9",
	"context.approvals.contains(\"owner\")",
	"context.args.n == 1 || context.approvals.contains(\"owner\")",
	"context.environment == \"staging\"", "context.environment == \"prod\"",
	"context.labels.untrusted == false", "resource.risk == \"low\"",
	"context.args has n && resource.risk == \"high\"",
	"if context.args has n then context.args.n != 5 else principal.class == \"execute\""};
static const char *const forbids[] = {"when { context.args has n && context.args.n == 5 }",
	"when { context.args.n == 5 }", "unless { context.approvals.contains(\"owner\") }",
	"when { resource.effect == \"execute\" } unless { context.approvals.contains(\"second\") }",
	"when { context.args.path like \"tickets/4*\" }",
	"when { principal.class == \"execute\" && resource.risk == \"high\" }",
	"when { resource.none == 1 }", "when { false }"};
static const char *const tools[] = {
	"read", "list", "rows", "resources.read", "write", "run", "mail"};
static const char *const effects[] = {"read", "read", "read", "read", "write", "execute", "write"};
/* A tool whose rows are judged one by one. */
static const char rows[] = "object: tool\nname: files/rows\neffect: read\nrisk: low\n"
			   "reads: [{data-source: tickets}]\nclassification: 'r[*].c'\n";
static const char writes[] = "object: tool\nname: files/write\neffect: write\nrisk: medium\n"
			     "targets: [{argument: path, as: path}]\n";
static const char *const levels[] = {"public", "internal", "confidential", "restricted"};
static const char *const globs[] = {"", "*", "tickets/*", "*/41"};
/* Well-formed, and all that Cedar can hold. */
static const char *const arguments[] = {"{}", "{\"path\":\"tickets/41\"}",
	"{\"path\":\"payroll/1\"}", "{\"path\":\"other/1\"}", "{\"path\":\"tickets/4\",\"n\":5}",
	"{\"n\":1}", "{\"uri\":\"kb://tickets/41\"}", "{\"uri\":\"kb://payroll/1\"}",
	"{\"uri\":\"kb://elsewhere\",\"n\":1}", "{\"n\":7,\"path\":\"tickets/1\"}",
	"{\"n\":\"text\"}", "{\"to\":\"ana@desk.example\"}", "{\"to\":\"bo@elsewhere.example\"}"};
static const char *const recipients[] = {"ana@desk.example", "*@desk.example", "*@*"};
static const char *const names[APPROVALS] = {"owner", "backup-owner", "second", "role/approver"};

/* Lines of outputs for what writes and runs: each place at most once. */
static struct text random_outputs(struct decide_bench *bench)
{
	struct text lines = TEXT("");
	unsigned i, tool;

	for (tool = 4; tool < COUNT(tools); tool++)
		for (i = 0; i < COUNT(globs); i++)
			if (pick(3) == 0)
				lines = text_format(bench->arena,
					"%.*s, {to: files/%s, up-to: %s%s%s%s}", TEXT_ARGS(lines),
					tools[tool], levels[pick(COUNT(levels))],
					i == 0 ? "" : ", target: '", globs[i], i == 0 ? "" : "'");
	for (i = 0; i < COUNT(recipients); i++)
		if (pick(2) == 0)
			lines = text_format(bench->arena, "%.*s, {to: '%s', up-to: %s}",
				TEXT_ARGS(lines), recipients[i], levels[pick(COUNT(levels))]);
	return lines;
}

static void put_identity(struct decide_bench *bench, int index)
{
	static const char *const classes[] = {"execute", "update", "retrieve"};
	unsigned i, use_class = pick(COUNT(classes));
	struct text lines = TEXT(""), outputs = random_outputs(bench);
	struct text document;

	for (i = pick(LINES_MAX); i > 0; i--) {
		unsigned tool = pick(use_class == 0 ? 7 : use_class == 1 ? 5 : 4);

		lines = text_format(bench->arena,
			"%.*s  - {effect: %s, tool: files/%s, when: '%s'%s%s}\n", TEXT_ARGS(lines),
			effects[tool], tools[tool], conditions[pick(COUNT(conditions))],
			pick(3) == 0 ? ", approvals: [second]" : "",
			pick(6) == 0 ? ", expires: 2026-01-01" : "");
	}
	document = text_format(bench->arena,
		"object: identity\nname: i%d\nkind: agent\nclass: %s\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: %s\npurpose: p\nenvironments: [%s]\n"
		"data-sources: [{name: tickets, up-to: %s}]\noutputs: [{to: reply, up-to: "
		"%s}%.*s]\n"
		"entitlements:\n  - {effect: read, tool: other/peek}\n%.*sexpires: 2030-01-01\n",
		index, classes[use_class], pick(2) == 0 ? "support" : "sales",
		pick(5) == 0 ? "dev" : "staging", pick(4) == 0 ? "public" : "internal",
		pick(5) == 0 ? "public" : "internal", TEXT_ARGS(outputs), TEXT_ARGS(lines));
	if (!decide_bench_put(bench, document.data))
		fail_msg("%s", document.data);
}

static void put_forbid(struct decide_bench *bench, const char *name)
{
	struct text document = text_format(bench->arena,
		"object: policy\nname: %s\ntext: |\n  forbid (principal, action, resource) %s;\n",
		name, forbids[pick(COUNT(forbids))]);

	if (!decide_bench_put(bench, document.data))
		fail_msg("%s", document.data);
}

/* ---- evaluating an outlook ---- */

enum says { SAYS_NO = 0, SAYS_YES, SAYS_FAILED };

struct completion {
	struct decide_bench *bench;
	const struct call *call;
	const struct text *approvals;
	size_t approvals_count;
	struct task_labels labels;
};

static struct cedar_value texts_value(struct arena *arena, const struct text *texts, size_t count)
{
	struct cedar_value items[APPROVALS + 1], set;
	struct cedar_error err;
	size_t i;

	for (i = 0; i < count; i++)
		items[i] = cedar_value_string(cedar_text_from(texts[i]));
	assert_true(cedar_value_set(&set, cedar_arena_from(arena), items, count, &err));
	return set;
}

/* What docs/policies.md says a question's context is, made here once more. */
static struct cedar_value context_of(const struct completion *completion)
{
	struct arena *arena = completion->bench->arena;
	const char *place = environment_word(completion->call->environment);
	struct cedar_member labels[] = {
		{CEDAR_TEXT("sensitivity"), cedar_value_string(cedar_text_of(sensitivity_word(
						    completion->labels.sensitivity)))},
		{CEDAR_TEXT("untrusted"), cedar_value_bool(false)}};
	struct cedar_member members[5] = {{.name = CEDAR_TEXT("args")},
		{CEDAR_TEXT("environment"), cedar_value_string(cedar_text_of(place))},
		{CEDAR_TEXT("approvals"),
			texts_value(arena, completion->approvals, completion->approvals_count)},
		{.name = CEDAR_TEXT("labels")}, {.name = CEDAR_TEXT("generation")}};
	bool is_model = completion->call->route == METHOD_MODEL;
	struct cedar_value context;
	struct cedar_error err;

	assert_true(cedar_value_from_json(
		&members[0].value, arena, &completion->call->arguments, NULL, NULL, &err));
	assert_true(
		cedar_value_record(&members[3].value, cedar_arena_from(arena), labels, 2, &err));
	assert_true(!is_model || cedar_value_from_json(&members[4].value, arena,
					 &completion->call->generation, NULL, NULL, &err));
	assert_true(cedar_value_record(
		&context, cedar_arena_from(arena), members, is_model ? 5 : 4, &err));
	return context;
}

static enum says residual_says(
	const struct completion *completion, const struct cedar_residual *residual)
{
	struct cedar_request request = {.context = context_of(completion)};
	struct cedar_expression *expression;
	struct cedar_value value;
	struct cedar_error err;
	bool ok;

	switch (residual->kind) {
	case CEDAR_RESIDUAL_FALSE: return SAYS_NO;
	case CEDAR_RESIDUAL_TRUE: return SAYS_YES;
	case CEDAR_RESIDUAL_FAILED: return SAYS_FAILED;
	case CEDAR_RESIDUAL_CONDITION: break;
	}
	if (!cedar_expression_parse(&expression, residual->text, &err))
		fail_msg("%.*s: %s", (int)residual->text.length, residual->text.data, err.text);
	ok = cedar_evaluate_expression(expression, NULL, &request,
		cedar_arena_from(completion->bench->arena), &value, &err);
	cedar_expression_destroy(&expression);
	if (!ok || value.type != CEDAR_BOOL)
		return SAYS_FAILED;
	return value.boolean ? SAYS_YES : SAYS_NO;
}

static bool reads_allow(const struct completion *completion, const struct outlook *outlook)
{
	bool matched = outlook->reads_count == 0;
	size_t i;

	for (i = 0; i < outlook->reads_count; i++) {
		enum says says = residual_says(completion, &outlook->reads[i].left);

		if (says == SAYS_FAILED || (says == SAYS_YES && !outlook->reads[i].is_covered))
			return false;
		matched |= says == SAYS_YES;
	}
	return matched;
}

/* The lowest whose target is like the path, else the one without. */
static bool outputs_allow(const struct completion *completion, const struct outlook *outlook)
{
	/* Of the tools that outputs are about only this one has a target but recipients. */
	struct text path = text_is(completion->call->tool, "files/write")
				   ? json_text_or(&completion->call->arguments, "path", "")
				   : TEXT("");
	const char *value = text_copy(completion->bench->arena, path).data;
	bool found = false;
	int lowest = 0;
	size_t i;

	for (i = 0; i < outlook->outputs_count; i++) {
		const struct outlook_output *output = &outlook->outputs[i];
		int level = sensitivity_level(output->up_to);
		const char *glob = text_copy(completion->bench->arena, output->target).data;

		if (output->target.length == 0 ? found
					       : path.length == 0 || fnmatch(glob, value, 0) != 0)
			continue;
		lowest = found && lowest < level ? lowest : level;
		found = true;
	}
	return outlook->outputs_count == 0 ||
	       sensitivity_level(completion->labels.sensitivity) <= lowest;
}

/* By the line that names the recipient, else by the first of the others that is about it. */
static bool recipient_allows(
	const struct completion *completion, const struct outlook *outlook, struct text to)
{
	const struct outlook_recipient *found = NULL;
	size_t i;

	for (i = 0; i < outlook->recipients_count; i++) {
		const struct outlook_recipient *line = &outlook->recipients[i];
		struct text host = {line->to.data + 1, line->to.length - 1};

		if (text_equal(line->to, to)) {
			found = line;
			break;
		}
		if (found == NULL &&
			(text_is(line->to, "*@*") ||
				(line->to.data[0] == '*' && text_ends_with(to, host.data))))
			found = line;
	}
	return found != NULL &&
	       sensitivity_level(completion->labels.sensitivity) <= sensitivity_level(found->up_to);
}

static bool data_goes(const struct completion *completion, const struct outlook *outlook)
{
	struct text to = json_text_or(&completion->call->arguments, "to", "");

	if (!outlook->has_recipients || to.length == 0)
		return outputs_allow(completion, outlook);
	return recipient_allows(completion, outlook, to) &&
	       (outlook->only_recipients || outputs_allow(completion, outlook));
}

/* What outlook.h says of the five lists. */
static bool outlook_allows(const struct completion *completion, const struct outlook *outlook)
{
	bool permitted = false;
	size_t i;

	if (outlook->may != MAY_WHEN)
		return outlook->may == MAY_ALWAYS;
	for (i = 0; i < outlook->lines_count; i++)
		permitted |= residual_says(completion, &outlook->lines[i].left) == SAYS_YES;
	for (i = 0; i < outlook->forbids_count; i++)
		permitted &= residual_says(completion, &outlook->forbids[i].left) == SAYS_NO;
	return permitted && reads_allow(completion, outlook) && data_goes(completion, outlook);
}

/* ---- the law ---- */

struct seen {
	unsigned may[3];
	unsigned allowed, refused, changes[4];
};

static struct decide_world world_of(struct decide_bench *bench)
{
	return (struct decide_world){.scope = DECIDE_FOR_QUESTION,
		.registry = bench->registry,
		.tasks = bench->tasks,
		.reads = bench->reads,
		.definition = DEFINITION_UNPINNED,
		.now_utc_ms = bench->now_utc_ms};
}

static bool decide_allows(const struct completion *completion, struct decision *decision)
{
	struct decide_world world = world_of(completion->bench);
	struct approval_names approvals = {completion->approvals, completion->approvals_count};

	world.labels = &completion->labels;
	decide(&world, completion->call, &approvals, DECIDE_NO_SEARCH, completion->bench->arena,
		decision);
	return decision->verdict == VERDICT_ALLOW;
}

/* The texts that are recorded of a refusal hold no value of the arguments; each value
 * here is a text that stands in no rule. */
static void check_texts(struct decide_bench *bench, const struct call *call, struct seen *seen)
{
	struct decide_world world = world_of(bench);
	struct decide_explanation why;
	struct decision decision;

	decide(&world, call, NULL, DECIDE_SEARCH, bench->arena, &decision);
	decide_explain(&world, &(struct decide_said){call, NULL, &decision}, DECIDE_REACH_ALL,
		bench->arena, &why);
	assert_true(why.trials <= DECIDE_TRIALS_MAX);
	seen->changes[why.change.kind]++;
	assert_int_equal(decision.verdict == VERDICT_ASK, why.change.kind == CHANGE_APPROVAL);
	assert_null(
		strstr(text_format(bench->arena, "%.*s %.*s %.*s", TEXT_ARGS(decision.explanation),
			       TEXT_ARGS(decision.needed), TEXT_ARGS(why.hint))
				.data,
			"other/1"));
}

static void check_call(struct decide_bench *bench, const struct outlook *outlook, struct call *call,
	const char *written, struct seen *seen)
{
	struct text approvals[APPROVALS];
	struct completion completion = {bench, call, approvals, 0,
		{.sensitivity = (enum sensitivity)(SENSITIVITY_PUBLIC + (int)pick(4))}};
	struct decision decision;
	struct error err;
	unsigned i;

	assert_true(json_parse(
		&call->arguments, bench->arena, text_of(written), &json_limits_default, &err));
	call->arguments_text = text_of(written);
	for (i = 0; i < APPROVALS; i++)
		if (pick(2) == 0)
			approvals[completion.approvals_count++] = text_of(names[i]);
	if (decide_allows(&completion, &decision) != outlook_allows(&completion, outlook))
		fail_msg("%.*s on %.*s with %s: decide says %s, the outlook %s",
			TEXT_ARGS(call->identity), TEXT_ARGS(call->tool), written,
			reason_word(decision.reason), may_word(outlook->may));
	seen->allowed += decision.verdict == VERDICT_ALLOW;
	seen->refused += decision.verdict != VERDICT_ALLOW;
	check_texts(bench, call, seen);
}

/* A question names a method as it names a tool; a call of tools/call cannot. */
static struct call question(struct decide_bench *bench, unsigned tool)
{
	struct call call = decide_bench_call(bench, "files", "read", "{}");

	call.tool = text_format(bench->arena, "files/%s", tools[tool]);
	return call;
}

static void check_pair(struct decide_bench *bench, int identity, unsigned tool, struct seen *seen)
{
	struct call call = question(bench, tool);
	struct decide_world world;
	struct outlook outlook;
	struct error err;
	unsigned i;

	call.identity = text_format(bench->arena, "i%d", identity);
	call.task = TEXT("");
	tool_reads_destroy(&bench->reads);
	assert_true(tool_reads_compile(
		&bench->reads, registry_find_tool(bench->registry, call.tool), &err));
	world = world_of(bench);
	decide_outlook(&world, &call, bench->arena, &outlook);
	seen->may[outlook.may]++;
	for (i = 0; i < COUNT(arguments); i++)
		check_call(bench, &outlook, &call, arguments[i], seen);
}

static bool note_user(void *context, const struct registry_entry *entry)
{
	bool *found = context;

	found[entry->name.data[1] - '0'] = true;
	return true;
}

/* Who is asked about is found by the index: the others have no line at all. */
static void check_users(struct decide_bench *bench, unsigned tool)
{
	struct text name = text_format(bench->arena, "files/%s", tools[tool]);
	bool found[10] = {false};
	int i;

	registry_each_user(bench->registry, name, TEXT("agent"), note_user, found);
	for (i = 0; i < IDENTITIES; i++) {
		struct call call = question(bench, tool);
		struct decide_world world = world_of(bench);
		struct outlook outlook;

		call.identity = text_format(bench->arena, "i%d", i);
		decide_outlook(&world, &call, bench->arena, &outlook);
		if (!found[i])
			assert_int_equal(outlook.may, MAY_NEVER);
	}
}

static void outlooks_agree_with_trying_every_pair(void **state)
{
	uint64_t seed = seed_of_run(), worlds = worlds_given(WORLDS);
	struct seen seen = {{0}, 0, 0, {0}};
	int identity;
	unsigned tool;

	(void)state;
	for (uint64_t world = 0; world < worlds; world++) {
		struct decide_bench bench;

		seed_with(seed + world);
		decide_bench_init(&bench);
		assert_true(decide_bench_put(&bench, rows) && decide_bench_put(&bench, writes));
		for (identity = 0; identity < IDENTITIES; identity++)
			put_identity(&bench, identity);
		put_forbid(&bench, "org/one");
		if (pick(2) == 0)
			put_forbid(&bench, "support/two");
		if (pick(3) == 0)
			put_forbid(&bench, "sales/three");
		for (tool = 0; tool < COUNT(tools); tool++) {
			for (identity = 0; identity < IDENTITIES; identity++)
				check_pair(&bench, identity, tool, &seen);
			check_users(&bench, tool);
		}
		decide_bench_deinit(&bench);
	}
	printf("outlooks: %u never, %u when, %u always; calls: %u allowed, %u not; changes: "
	       "%u none, %u approval, %u attribute, %u entitlement\n",
		seen.may[0], seen.may[1], seen.may[2], seen.allowed, seen.refused, seen.changes[0],
		seen.changes[1], seen.changes[2], seen.changes[3]);
	for (tool = 0; tool < 3 && worlds >= WORLDS; tool++)
		assert_true(seen.may[tool] > 0);
	for (tool = 0; tool < 4 && worlds >= WORLDS; tool++)
		assert_true(seen.changes[tool] > 0);
}

/* ---- models and peers ---- */

static const char *const far_conditions[] = {"true", "false",
	"context.generation.prompt_tokens < 100", "!context.generation.stream",
	"context.generation has max_tokens && context.generation.max_tokens <= 50",
	"context.generation.tools.contains(\"run\") || context.approvals.contains(\"owner\")",
	"context.args has text && context.args.text like \"a*\"", "context.args.text == \"b\"",
	"context.approvals.containsAll([\"owner\", \"second\"])", "resource.risk == \"low\""};
static const char *const far_forbids[] = {"when { context has generation }",
	"when { context has generation && context.generation.stream }",
	"when { context.generation.tools.contains(\"run\") }",
	"when { context.args has text && context.args.text == \"b\" }",
	"unless { context.approvals.contains(\"owner\") }",
	"when { principal.class == \"retrieve\" && resource.effect == \"generate\" }",
	"when { resource.effect == \"delegate\" && resource.skill == \"sum\" }", "when { false }"};
static const char *const generations[] = {
	"{\"api\":\"openai\",\"prompt_tokens\":1,\"provider_tools\":[],\"stream\":false,"
	"\"tools\":[]}",
	"{\"api\":\"openai\",\"prompt_tokens\":500,\"provider_tools\":[],\"stream\":true,"
	"\"tools\":[\"run\"]}",
	"{\"api\":\"openai\",\"max_tokens\":50,\"prompt_tokens\":99,\"provider_tools\":[],"
	"\"stream\":false,\"tools\":[\"run\",\"read\"]}",
	"{\"api\":\"openai\",\"max_tokens\":51,\"prompt_tokens\":100,\"provider_tools\":[],"
	"\"stream\":false,\"tools\":[\"read\"]}"};
static const char *const messages[] = {"{}", "{\"text\":\"a1\"}", "{\"text\":\"b\"}"};

static void put_far(struct decide_bench *bench)
{
	struct text lines = TEXT(""), model = TEXT(""), peer = TEXT(""), output = TEXT("");
	struct arena *arena = bench->arena;

	for (unsigned i = pick(4); i > 0; i--)
		lines = text_format(arena, "%.*s  - {effect: %s, when: '%s'%s}\n", TEXT_ARGS(lines),
			pick(2) == 0 ? "generate, resource: 'model:open/m'"
				     : "delegate, resource: 'peer:far'",
			far_conditions[pick(COUNT(far_conditions))],
			pick(4) == 0 ? ", approvals: [second]" : "");
	if (pick(4) != 0)
		model = pick(4) == 0 ? TEXT("{provider: open, name: m}")
				     : text_format(arena, "{provider: open, name: m, up-to: %s}",
					       levels[pick(COUNT(levels))]);
	if (pick(2) == 0)
		peer = text_format(arena, "{identity: far, effects: [read], up-to: %s%s}",
			levels[pick(COUNT(levels))], pick(3) == 0 ? ", skills: [sum]" : "");
	if (pick(2) == 0)
		output = text_format(arena, "{to: 'peer:far', up-to: %s}%s",
			levels[pick(COUNT(levels))],
			pick(2) == 0 ? "" : ", {to: far/sum, up-to: public}");
	lines = text_format(arena,
		"object: server\nname: open\nunit: support\nenvironment: staging\nspeaks: openai\n"
		"transport: {url: 'https://models.example/'}\n"
		"models: [{name: m, up-to: %s}]\n---\n"
		"object: server\nname: far\nunit: support\nenvironment: staging\nspeaks: a2a\n"
		"transport: {url: 'https://far.example/'}\n---\n"
		"object: tool\nname: far/sum\neffect: delegate\nup-to: %s\nrisk: low\n---\n"
		"object: tool\nname: far/tell\neffect: delegate\nup-to: %s\nrisk: low\n---\n"
		"object: identity\nname: i0\nkind: agent\nclass: %s\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"
		"model: [%.*s]\npeers: [%.*s]\noutputs: [%.*s]\nentitlements:\n"
		"  - {effect: read, tool: other/peek}\n%.*s",
		levels[pick(COUNT(levels))], levels[pick(COUNT(levels))],
		levels[pick(COUNT(levels))], pick(2) == 0 ? "retrieve" : "execute",
		TEXT_ARGS(model), TEXT_ARGS(peer), TEXT_ARGS(output), TEXT_ARGS(lines));
	if (!decide_bench_put(bench, lines.data))
		fail_msg("%s", lines.data);
	lines = text_format(arena,
		"object: policy\nname: org/one\ntext: |\n  forbid (principal, action, resource) "
		"%s;\n",
		far_forbids[pick(COUNT(far_forbids))]);
	if (!decide_bench_put(bench, lines.data))
		fail_msg("%s", lines.data);
}

static void check_far(struct decide_bench *bench, const char *server, const char *name,
	const char *const *requests, size_t count, struct seen *seen)
{
	bool is_model = strcmp(server, "open") == 0;
	struct call call = decide_bench_call(bench, server, name, "{}");
	struct decide_world world;
	struct outlook outlook;
	struct error err;

	call.identity = TEXT("i0");
	call.task = TEXT("");
	call.route = is_model ? METHOD_MODEL : METHOD_PEER;
	call.effect = is_model ? EFFECT_GENERATE : EFFECT_DELEGATE;
	call.method = is_model ? TEXT("chat/completions") : TEXT("SendMessage");
	call.generation = (struct json){.type = JSON_OBJECT};
	tool_reads_destroy(&bench->reads);
	world = world_of(bench);
	decide_outlook(&world, &call, bench->arena, &outlook);
	seen->may[outlook.may]++;
	for (size_t i = 0; i < 4 * count; i++) {
		const char *request = requests[i % count];

		if (is_model)
			assert_true(json_parse(&call.generation, bench->arena, text_of(request),
				&json_limits_default, &err));
		check_call(bench, &outlook, &call, is_model ? "{}" : request, seen);
	}
}

static void outlooks_of_models_and_peers_agree_with_trying(void **state)
{
	uint64_t seed = seed_of_run(), worlds = 2 * worlds_given(WORLDS);
	struct seen seen = {{0}, 0, 0, {0}};

	(void)state;
	for (uint64_t world = 0; world < worlds; world++) {
		struct decide_bench bench;

		seed_with(seed + world);
		decide_bench_init(&bench);
		put_far(&bench);
		check_far(&bench, "open", "m", generations, COUNT(generations), &seen);
		check_far(&bench, "far", "sum", messages, COUNT(messages), &seen);
		check_far(&bench, "far", "tell", messages, COUNT(messages), &seen);
		decide_bench_deinit(&bench);
	}
	printf("models and peers: %u never, %u when, %u always; calls: %u allowed, %u not\n",
		seen.may[0], seen.may[1], seen.may[2], seen.allowed, seen.refused);
	for (unsigned may = MAY_NEVER; may <= MAY_WHEN && worlds >= 2 * WORLDS; may++)
		assert_true(seen.may[may] > 0);
	assert_true(worlds < 2 * WORLDS || (seen.allowed > 0 && seen.refused > 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outlooks_agree_with_trying_every_pair),
		cmocka_unit_test(outlooks_of_models_and_peers_agree_with_trying),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
