/* A change that is shown does what it says: over random worlds, with pinned schemas, tools of two
 * targets and origins of their values, each change of a refusal is made in earnest (another call,
 * or another document put in force), and the call decided again must be allowed; with the approvals
 * that are asked for, too. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_schema.h"
#include "domain/decide/explanation.h"
#include "support/decide_bench.h"
#include "support/seeded.h"

enum { WORLDS = 150, TOOLS = 3, SAVE = 1, MAIL = 2, FORBIDS = 2 };

static const char *const tools[TOOLS] = {"list", "save", "mail"};
static const char *const effects[TOOLS] = {"read", "write", "write"};
static const char *const levels[] = {"public", "internal", "confidential", "restricted"};
static const char *const schemas[TOOLS] = {
	"{\"properties\":{\"n\":{\"type\":\"integer\",\"minimum\":4},\"mode\":{\"maxLength\":6}},"
	"\"required\":[\"n\"]}",
	"{\"properties\":{\"path\":{\"type\":\"string\",\"minLength\":3}},\"required\":[\"path\"]}",
	"{\"properties\":{\"to\":{\"type\":\"string\"},\"n\":{\"maximum\":9}},\"required\":[\"to\"]"
	"}",
};
static const char *const bodies[TOOLS] = {"effect: read\n",
	"effect: write\ntargets: [{argument: path, as: path}]\nreads:\n"
	"  - {data-source: tickets, when: 'context.args.path like \"tickets/*\"'}\n"
	"  - {data-source: payroll, when: 'context.args.path like \"payroll/*\"'}\n",
	"effect: write\ntargets: [{argument: to, as: recipient}, {argument: cc, as: recipient}]\n"};
static const char *const conditions[] = {"true", "context.args.n < 3", "context.args.n > 3",
	"context.args.n == 2 || context.args.n == 7", "context.args.mode == \"dry\"",
	"context.args.path like \"tickets/*\"", "!(context.args has force)",
	"context.approvals.contains(\"owner\")", "resource.risk == \"low\"",
	"principal.class == \"execute\"", "context.environment == \"prod\"",
	"context.args has mode && context.args.mode != \"danger\""};
static const char *const forbids[] = {"context.args has n && context.args.n < 5",
	"context.args has mode && context.args.mode != \"dry\"",
	"context.args has mode && context.args.mode == \"danger\"",
	"context.args has path && context.args.path like \"payroll/*\"",
	"context.args has mode && [\"danger\", \"x\"].contains(context.args.mode)",
	"context.args has force",
	"context.args has n && (context.args.n == 7 || context.args.n == 6)",
	"[\"unknown\", \"untrusted\"].contains(context.origins.worst)",
	"context.origins.recipient == \"untrusted\"", "context.origins.addresses == \"unknown\"",
	"resource.risk == \"medium\"", "principal.risk == \"low\" && resource.effect == \"write\"",
	"resource.reversal == \"irreversible\" && context.environment == \"staging\"", "false"};
static const char *const arguments[TOOLS][5] = {
	{"{\"n\":7}", "{\"n\":5,\"mode\":\"danger\"}", "{\"n\":4,\"force\":true}",
		"{\"n\":6,\"mode\":\"dry\",\"force\":false}", "{\"n\":900,\"mode\":\"x\"}"},
	{"{\"path\":\"tickets/41\"}", "{\"path\":\"payroll/1\"}", "{\"path\":\"other/1\"}",
		"{\"path\":\"tickets/1\",\"n\":7}", "{\"path\":\"payroll/1\",\"force\":1}"},
	{"{\"to\":\"ana\"}", "{\"to\":\"ana\",\"cc\":\"bo@x.example\"}",
		"{\"to\":\"bo@x.example\",\"n\":7}",
		"{\"to\":\"ana\",\"cc\":\"ana\",\"mode\":\"danger\"}",
		"{\"to\":\"bo@x.example\",\"cc\":\"bo@x.example\",\"force\":true}"}};

/* What the documents say, and the call is. */
struct estate {
	struct decide_bench *bench;
	const char *use_class, *risk, *environments, *server_environment, *clearance;
	const char *covers[2], *are[2]; /* tickets, payroll: the charter's line, and the label */
	const char *risks[TOOLS], *reversals[TOOLS];
	struct text outputs, lines;
	/* The call. */
	unsigned tool;
	struct call call;
	enum flow_origin to, cc, addresses;
	struct flow_origins origins;
};

static void put(struct estate *estate, struct text document)
{
	if (!decide_bench_put(estate->bench, document.data))
		fail_msg("%s", document.data);
}

static void put_identity(struct estate *estate)
{
	put(estate, text_format(estate->bench->arena,
			    "object: identity\nname: agent\nkind: agent\nclass: execute\nrisk: %s\n"
			    "owner: ana\nbackup-owner: bo\nunit: support\npurpose: p\n"
			    "environments: [%s]\ndata-sources: [{name: tickets, up-to: %s}%s%s%s]\n"
			    "outputs: [%.*s]\nentitlements:\n"
			    "  - {effect: read, tool: other/peek}\n%.*sexpires: 2030-01-01\n",
			    estate->risk, estate->environments, estate->covers[0],
			    estate->covers[1] == NULL ? "" : ", {name: payroll, up-to: ",
			    estate->covers[1] == NULL ? "" : estate->covers[1],
			    estate->covers[1] == NULL ? "" : "}", TEXT_ARGS(estate->outputs),
			    TEXT_ARGS(estate->lines)));
	if (strcmp(estate->use_class, "execute") != 0)
		decide_bench_set_class(
			estate->bench, "agent", use_class_of(text_of(estate->use_class)));
}

static void put_tools(struct estate *estate)
{
	for (unsigned i = 0; i < TOOLS; i++)
		put(estate,
			text_format(estate->bench->arena,
				"object: tool\nname: files/%s\nrisk: %s\nreversal: %s\n"
				"definition: sha256:%064d\n%s",
				tools[i], estate->risks[i], estate->reversals[i], 1, bodies[i]));
}

static void put_rest(struct estate *estate)
{
	put(estate, text_format(estate->bench->arena,
			    "object: server\nname: files\nunit: support\nenvironment: %s\n"
			    "transport: {stdio: [files-server, desk]}\n---\n"
			    "object: person\nname: ana\nunit: support\nroles: [owner]\n"
			    "clearance: %s\n---\n"
			    "object: data-source\nname: tickets\nunit: support\ncustodian: cy\n"
			    "sensitivity: %s\ntrust: untrusted\nenvironment: staging\n---\n"
			    "object: data-source\nname: payroll\nunit: support\ncustodian: cy\n"
			    "sensitivity: %s\ntrust: trusted\nenvironment: staging\n",
			    estate->server_environment, estate->clearance, estate->are[0],
			    estate->are[1]));
}

static void put_all(struct estate *estate)
{
	put_rest(estate);
	put_tools(estate);
	put_identity(estate);
}

static struct text random_lines(struct arena *arena)
{
	struct text lines = TEXT("");

	for (unsigned i = 2 + pick(7); i > 0; i--) {
		unsigned tool = pick(TOOLS);

		lines = text_format(arena, "%.*s  - {effect: %s, tool: files/%s, when: '%s'%s}\n",
			TEXT_ARGS(lines), effects[tool], tools[tool],
			conditions[pick(COUNT(conditions))],
			pick(4) == 0   ? ", approvals: [second, owner]"
			: pick(8) == 0 ? ", expires: 2026-01-01"
				       : "");
	}
	return lines;
}

/* What covers is wide more often than not, else nothing comes as far as the guardrails. */
static const char *most(void)
{
	return levels[pick(2) == 0 ? COUNT(levels) - 1 : pick(COUNT(levels))];
}

static struct text random_outputs(struct arena *arena)
{
	static const char *const places[] = {
		"reply", "files/save", "files/mail", "person:ana", "*@x.example"};
	struct text lines = TEXT("");

	for (unsigned i = 0; i < COUNT(places); i++)
		if (pick(5) != 0)
			lines = text_format(arena, "%.*s%s{to: '%s', up-to: %s}", TEXT_ARGS(lines),
				lines.length == 0 ? "" : ", ", places[i], most());
	return lines;
}

static void open_estate(struct estate *estate, struct decide_bench *bench)
{
	static const char *const risks[] = {"low", "medium", "high"};

	*estate = (struct estate){.bench = bench,
		.use_class = "execute",
		.risk = risks[pick(2)],
		.environments = pick(9) == 0 ? "dev" : "staging",
		.server_environment = "staging",
		.clearance = most(),
		.covers = {most(), pick(3) == 0 ? NULL : most()},
		.are = {levels[pick(COUNT(levels))], levels[pick(COUNT(levels))]},
		.outputs = random_outputs(bench->arena),
		.lines = random_lines(bench->arena)};
	for (unsigned i = 0; i < TOOLS; i++) {
		estate->risks[i] = risks[pick(COUNT(risks))];
		estate->reversals[i] = pick(2) == 0 ? "irreversible" : "restore";
	}
	put_all(estate);
	for (unsigned i = 0; i < FORBIDS; i++)
		put(estate, text_format(bench->arena,
				    "object: policy\nname: org/f%u\ntext: |\n"
				    "  forbid (principal, action, resource) when { %s };\n",
				    i, forbids[pick(COUNT(forbids))]));
}

/* ---- deciding ---- */

static enum arguments_state judge(
	void *context, const struct call *call, struct arena *arena, struct text *fault)
{
	struct json_schema *schema = context;

	(void)arena;
	*fault = TEXT("");
	return json_schema_validate(schema, &call->arguments, NULL) == JSON_SCHEMA_VALID
		       ? ARGUMENTS_VALID
		       : ARGUMENTS_INVALID;
}

static struct json_schema *schema_of(const struct estate *estate)
{
	static struct json_schema *compiled[TOOLS];
	struct json_schema **schema = &compiled[estate->tool];
	struct json source;
	struct error err;

	if (*schema == NULL)
		assert_true(json_parse(&source, estate->bench->arena,
				    text_of(schemas[estate->tool]), &json_limits_default, &err) &&
			    json_schema_compile(schema, &source, &err));
	return *schema;
}

static bool has_argument(const struct estate *estate, const char *name)
{
	return json_find(&estate->call.arguments, name) != NULL;
}

static void put_target(
	struct flow_origins *origins, const char *name, bool is_there, enum flow_origin origin)
{
	if (is_there)
		origins->targets[origins->targets_count++] =
			(struct flow_target){text_of(name), {origin, false, 0}};
}

static void fill_origins(struct estate *estate)
{
	bool has_to = has_argument(estate, "to"), has_cc = has_argument(estate, "cc");
	struct flow_origins *origins = &estate->origins;

	*origins = (struct flow_origins){.worst = FLOW_NONE, .addresses = FLOW_NONE};
	for (int form = TARGET_NONE; form <= TARGET_OBJECT; form++)
		origins->form[form] = FLOW_NONE;
	if (estate->tool == SAVE && has_argument(estate, "path"))
		origins->worst = origins->form[TARGET_PATH] = FLOW_REQUEST;
	put_target(origins, "path", estate->tool == SAVE, FLOW_REQUEST);
	if (estate->tool != MAIL)
		return;
	put_target(origins, "to", has_to, estate->to);
	put_target(origins, "cc", has_cc, estate->cc);
	put_target(origins, "", true, estate->addresses);
	origins->worst =
		flow_origin_worst(has_to ? estate->to : FLOW_NONE, has_cc ? estate->cc : FLOW_NONE);
	origins->form[TARGET_RECIPIENT] = origins->worst;
	origins->addresses = estate->addresses;
}

static struct decide_world world_of(struct estate *estate)
{
	struct decide_bench *bench = estate->bench;
	struct decide_world world = {.scope = DECIDE_FOR_QUESTION,
		.registry = bench->registry,
		.tasks = bench->tasks,
		.definition = DEFINITION_MATCHES,
		.judge = {judge, schema_of(estate)},
		.now_utc_ms = bench->now_utc_ms};
	struct text fault;
	struct error err;

	tool_reads_destroy(&bench->reads);
	assert_true(tool_reads_compile(
		&bench->reads, registry_find_tool(bench->registry, estate->call.tool), &err));
	world.reads = bench->reads;
	world.arguments = judge(world.judge.context, &estate->call, bench->arena, &fault);
	fill_origins(estate);
	world.origins = &estate->origins;
	return world;
}

/* ---- making a change ---- */

struct made {
	struct estate estate;
	struct approval_names approvals;
};

/* "x" for each star. */
static struct text text_like(struct arena *arena, struct text glob)
{
	char *text = arena_copy_text(arena, glob.data, glob.length);

	for (size_t i = 0; i < glob.length; i++)
		text[i] = text[i] == '*' ? 'x' : text[i];
	return (struct text){text, glob.length};
}

static bool is_met(const struct json *but, const char *text)
{
	for (uint32_t i = 0; but->type == JSON_ARRAY && i < but->count; i++)
		if (text_is(but->items[i].string, text))
			return true;
	return but->type == JSON_STRING && text_is_like(but->string, text_of(text));
}

/* The letter that docs/formats/why.md says is tried. */
static struct json letter_but(const struct json *but)
{
	static const char *const letters[] = {"x", "y", "z"};

	for (unsigned i = 0; i < COUNT(letters); i++)
		if (!is_met(but, letters[i]))
			return json_cstring(letters[i]);
	fail();
	return json_null();
}

static void set_argument(struct estate *estate, struct text name, struct json value)
{
	struct arena *arena = estate->bench->arena;
	const struct json *before = &estate->call.arguments;
	const struct json *like = json_find(&value, "like");
	struct json_builder object;
	struct json after;
	struct error err;

	if (like != NULL)
		value = json_string(text_like(arena, like->string));
	if (json_find(&value, "not") != NULL)
		value = letter_but(json_find(&value, "not"));
	if (json_find(&value, "not-like") != NULL)
		value = letter_but(json_find(&value, "not-like"));
	json_object_start(&object, arena);
	for (uint32_t i = 0; i < before->count; i++)
		if (!text_equal(before->members[i].name, name))
			json_put_named(&object, before->members[i].name, before->members[i].value);
	if (value.type != JSON_NULL)
		json_put_named(&object, name, value);
	assert_true(json_object_seal(&object, &after, &err));
	estate->call.arguments = after;
	estate->call.arguments_text = json_canonical_text(arena, &after);
}

static bool names(struct text what, const char *part)
{
	return strstr(what.data, part) != NULL; /* a copy, so it has an end */
}

static void set_origins(struct estate *estate, struct text what)
{
	if (names(what, "argument to"))
		estate->to = FLOW_REQUEST;
	if (names(what, "argument cc"))
		estate->cc = FLOW_REQUEST;
	if (names(what, "the addresses"))
		estate->addresses = FLOW_REQUEST;
}

static const char *word(struct estate *estate, const struct json *value)
{
	assert_int_equal(value->type, JSON_STRING);
	return text_copy(estate->bench->arena, value->string).data;
}

static const char *up_to(struct estate *estate, const struct json *value)
{
	return word(estate, json_find(value, "up-to"));
}

/* "output TO": the line of it is replaced, or there is one more. */
static void set_output(struct estate *estate, struct text to, const char *level)
{
	struct arena *arena = estate->bench->arena;
	struct text start = text_format(arena, "{to: '%.*s', up-to: ", TEXT_ARGS(to));
	const char *before = estate->outputs.data, *found = strstr(before, start.data);

	if (found == NULL)
		estate->outputs = text_format(arena, "%s%s%s%s}", before,
			before[0] == '\0' ? "" : ", ", start.data, level);
	else
		estate->outputs = text_format(arena, "%.*s%s%s%s", (int)(found - before), before,
			start.data, level, strchr(found, '}'));
}

static void add_line(struct estate *estate, const struct json *line)
{
	struct text when = json_text_or(line, "when", "true");

	estate->lines = text_format(estate->bench->arena,
		"%.*s  - {effect: %s, tool: files/%s, when: '%.*s'}\n", TEXT_ARGS(estate->lines),
		effects[estate->tool], tools[estate->tool], TEXT_ARGS(when));
}

/* What is said of the identity agent; false: it is nothing that is known here. */
static bool change_identity(struct estate *estate, struct text what, const struct json *to)
{
	if (text_is(what, "class"))
		estate->use_class = word(estate, to);
	else if (text_is(what, "risk"))
		estate->risk = word(estate, to);
	else if (text_is(what, "one more environment"))
		estate->environments = text_format(
			estate->bench->arena, "%s, %s", estate->environments, word(estate, to))
					       .data;
	else if (text_is(what, "data-source tickets"))
		estate->covers[0] = up_to(estate, to);
	else if (text_is(what, "data-source payroll"))
		estate->covers[1] = up_to(estate, to);
	else if (text_starts_with(what, "output "))
		set_output(estate, text_after(what, sizeof "output " - 1), up_to(estate, to));
	else if (text_is(what, "one more entitlement"))
		add_line(estate, to);
	else
		return false;
	return true;
}

/* The line that "charter/agent@V/entitlements/K: expires" names; the first is another tool's. */
static void end_later(struct estate *estate, struct text what)
{
	char *text =
		arena_copy_text(estate->bench->arena, estate->lines.data, estate->lines.length);
	char *line = text;

	for (long k = strtol(strrchr(what.data, '/') + 1, NULL, 10); k > 1; k--)
		line = strchr(line, '\n') + 1;
	strstr(line, "2026-")[2] = '3';
	estate->lines = (struct text){text, estate->lines.length};
}

/* What is said of other objects. */
static bool change_object(struct estate *estate, struct text what, const struct json *to)
{
	const char *value = word(estate, to);

	if (text_is(what, "person ana: clearance"))
		estate->clearance = value;
	else if (text_is(what, "server files: environment"))
		estate->server_environment = value;
	else if (text_is(what, "data-source tickets: sensitivity"))
		estate->are[0] = value;
	else if (text_is(what, "data-source payroll: sensitivity"))
		estate->are[1] = value;
	else if (text_starts_with(what, "tool ") && text_ends_with(what, ": risk"))
		estate->risks[estate->tool] = value;
	else if (text_starts_with(what, "tool ") && text_ends_with(what, ": reversal"))
		estate->reversals[estate->tool] = value;
	else if (text_starts_with(what, "charter/agent@") && text_ends_with(what, ": expires"))
		end_later(estate, what);
	else
		return false;
	return true;
}

static bool make_attribute(struct estate *estate, const struct decide_change *change)
{
	struct text what = change->what;

	if (text_starts_with(what, "argument "))
		set_argument(estate, text_after(what, sizeof "argument " - 1), change->to);
	else if (text_starts_with(what, "origin of "))
		set_origins(estate, what);
	else if (text_is(what, "environment of the call"))
		estate->call.environment = environment_of(change->to.string);
	else if (text_starts_with(what, "identity agent: "))
		return change_identity(
			estate, text_after(what, sizeof "identity agent: " - 1), &change->to);
	else
		return change_object(estate, what, &change->to);
	return true;
}

static void make(struct made *made, const struct decide_change *change)
{
	struct arena *arena = made->estate.bench->arena;
	struct text *given;

	if (change->kind != CHANGE_APPROVAL) {
		if (!make_attribute(&made->estate, change))
			fail_msg("nobody knows how to change %.*s", TEXT_ARGS(change->what));
		return;
	}
	given = arena_array(arena, struct text, change->to.count + 1);
	for (uint32_t i = 0; i < change->to.count; i++)
		given[i] = change->to.items[i].string;
	made->approvals = (struct approval_names){given, change->to.count};
}

static bool is_of_documents(const struct decide_change *change)
{
	return change->kind > CHANGE_APPROVAL && !text_starts_with(change->what, "argument ") &&
	       !text_starts_with(change->what, "origin of ") &&
	       !text_is(change->what, "environment of the call");
}

/* ---- the law ---- */

struct seen {
	unsigned allowed, changes[4], arguments, origins, documents;
};

static void note(struct seen *seen, const struct decide_change *change)
{
	seen->changes[change->kind]++;
	seen->arguments += text_starts_with(change->what, "argument ");
	seen->origins += text_starts_with(change->what, "origin of ");
	seen->documents += is_of_documents(change);
}

/* In earnest: what is changed in documents is in force meanwhile. */
static void check_change(struct estate *estate, const struct decide_change *change)
{
	struct made made = {.estate = *estate};
	struct decide_world world;
	struct decision decision;

	make(&made, change);
	if (is_of_documents(change))
		put_all(&made.estate);
	world = world_of(&made.estate);
	decide(&world, &made.estate.call, &made.approvals, DECIDE_NO_SEARCH, estate->bench->arena,
		&decision);
	if (decision.verdict != VERDICT_ALLOW)
		fail_msg("files/%s with %.*s: it is said that \"%.*s\", and then it is %s: %.*s",
			tools[estate->tool], TEXT_ARGS(estate->call.arguments_text),
			TEXT_ARGS(change->sentence), reason_word(decision.reason),
			TEXT_ARGS(decision.explanation));
	if (is_of_documents(change))
		put_all(estate);
}

static void check_call(struct estate *estate, const char *written, struct seen *seen)
{
	struct decide_bench *bench = estate->bench;
	struct decide_explanation why;
	struct decide_world world;
	struct decision decision;

	estate->call = decide_bench_call(bench, "files", tools[estate->tool], written);
	estate->call.task = TEXT("");
	estate->to = (enum flow_origin)pick(FLOW_NONE);
	estate->cc = (enum flow_origin)pick(FLOW_NONE);
	estate->addresses = flow_origin_worst(estate->to, estate->cc);
	world = world_of(estate);
	decide(&world, &estate->call, NULL, DECIDE_SEARCH, bench->arena, &decision);
	decide_explain(&world, &(struct decide_said){&estate->call, NULL, &decision},
		DECIDE_REACH_ALL, bench->arena, &why);
	seen->allowed += decision.verdict == VERDICT_ALLOW;
	assert_true(why.trials <= DECIDE_TRIALS_MAX);
	note(seen, &why.change);
	if (why.change.kind != CHANGE_NONE)
		check_change(estate, &why.change);
}

static void a_change_that_is_shown_does_what_it_says(void **state)
{
	uint64_t seed = seed_of_run(), worlds = worlds_given(WORLDS);
	struct seen seen = {0};

	(void)state;
	for (uint64_t world = 0; world < worlds; world++) {
		struct decide_bench bench;
		struct estate estate;

		seed_with(seed + world);
		decide_bench_init(&bench);
		open_estate(&estate, &bench);
		for (estate.tool = 0; estate.tool < TOOLS; estate.tool++)
			for (unsigned i = 0; i < COUNT(arguments[0]); i++)
				check_call(&estate, arguments[estate.tool][i], &seen);
		decide_bench_deinit(&bench);
	}
	printf("%u allowed; changes: %u none, %u approval, %u attribute, %u entitlement; %u of "
	       "arguments, %u of origins, %u of documents\n",
		seen.allowed, seen.changes[0], seen.changes[1], seen.changes[2], seen.changes[3],
		seen.arguments, seen.origins, seen.documents);
	for (unsigned kind = 0; kind < 4 && worlds >= WORLDS; kind++)
		assert_true(seen.changes[kind] > 0);
	assert_true(
		worlds < WORLDS || (seen.arguments > 0 && seen.origins > 0 && seen.documents > 0));
}

int main(void)
{
	const struct CMUnitTest tests_of_changes[] = {
		cmocka_unit_test(a_change_that_is_shown_does_what_it_says),
	};

	return cmocka_run_group_tests(tests_of_changes, NULL, NULL);
}
