#include "domain/charter/crossing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/yaml.h"
#include "domain/charter/peer.h"
#include "domain/charter/registry.h"

/* What a of unit support says, and whom that touches. */

static struct arena *arena;
static const struct object **objects;
static size_t objects_count;

static const struct object *parse(const char *yaml)
{
	struct problems *problems = arena_new(arena, struct problems);
	struct yaml_documents documents;
	struct object *object = NULL;
	struct error err = {0};

	problems->arena = arena;
	assert_true(
		yaml_parse(&documents, arena, text_of(yaml), "f.yaml", &json_limits_default, &err));
	if (!object_parse(&object, &documents.items[0], TEXT("f.yaml"), problems))
		fail_msg("%s", problems->items[0].what.data);
	return object;
}

static const struct object *find(void *context, enum object_kind kind, struct text name)
{
	(void)context;
	for (size_t i = 0; i < objects_count; i++)
		if (objects[i]->kind == kind && text_equal(objects[i]->name, name))
			return objects[i];
	return NULL;
}

static void each_name(void *context, enum object_kind kind,
	bool (*visit)(void *visitor, struct text name), void *visitor)
{
	(void)context;
	for (size_t i = 0; i < objects_count; i++)
		if (objects[i]->kind == kind && !visit(visitor, objects[i]->name))
			return;
}

static const struct reference_world world = {.find = find, .each_name = each_name};

static const struct object *put(const char *yaml)
{
	objects[objects_count] = parse(yaml);
	return objects[objects_count++];
}

static void put_server(const char *name, const char *unit)
{
	put(text_format(arena,
		"object: server\nname: %s\nunit: %s\nenvironment: dev\ntransport: {stdio: [x]}\n",
		name, unit)
			.data);
}

static int start(void **state)
{
	(void)state;
	arena = arena_create((size_t)64 << 20);
	if (arena == NULL)
		return 1;
	objects = arena_array(arena, const struct object *, 64);
	objects_count = 0;
	return objects == NULL;
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < objects_count; i++)
		object_release(&objects[i]);
	arena_destroy(&arena);
	return 0;
}

static void put_world(void)
{
	put_server("files", "support");
	put_server("books", "finance");
	put_server("shared", "org");
	put("object: server\nname: models\nunit: platform\nenvironment: dev\nspeaks: openai\n"
	    "transport: {url: 'https://models.example'}\nmodels: [{name: m1, up-to: internal}]\n");
	put("object: data-source\nname: staff\nunit: people\nenvironment: dev\n");
	put("object: data-source\nname: news\nunit: org\nenvironment: dev\n");
	put("object: tool\nname: files/read\neffect: read\nreads: [{data-source: staff}]\n");
	put("object: tool\nname: files/list\neffect: read\n");
	put("object: tool\nname: books/read\neffect: read\n");
	put("object: tool\nname: shared/read\neffect: read\nreads: [{data-source: news}]\n");
	put("object: identity\nname: b\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
	    "backup-owner: bo\nunit: sales\npurpose: p\nenvironments: [dev]\n");
}

static const struct object *put_charter_for(const char *purpose, const char *lines)
{
	return put(text_format(arena,
		"object: identity\nname: a\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: %s\nenvironments: [dev]\n%s",
		purpose, lines)
			   .data);
}

static const struct object *put_charter(const char *lines)
{
	return put_charter_for("p", lines);
}

static bool units_of(const char *lines, struct text *out)
{
	struct error err = {0};

	return charter_crossed_units(out, arena, charter_of(put_charter(lines)), &world, &err);
}

static void touches(const char *lines, const char *expected)
{
	struct text units;

	assert_true(units_of(lines, &units));
	if (!text_is(units, expected))
		fail_msg("%s touches \"%.*s\", not \"%s\"", lines, TEXT_ARGS(units), expected);
}

#define LINE(more) "peers: [{identity: b, effects: [read], up-to: internal" more "}]\n"
#define TOOL(name) "entitlements: [{effect: read, tool: " name "}]\n"

/* ---- whom lines touch ---- */

static void what_is_its_own_or_shared_by_all_touches_nobody(void **state)
{
	(void)state;
	put_world();
	touches("", "");
	touches(TOOL("files/list"), "");
	touches(TOOL("shared/read"), "");
	touches("data-sources: [{name: news, up-to: internal}]\n", "");
	touches(TOOL("nowhere/read"), "");
}

static void each_kind_of_line_touches_whose_it_is(void **state)
{
	(void)state;
	put_world();
	touches(TOOL("books/read"), "finance");
	touches(TOOL("files/read"), "people"); /* by what it reads */
	touches("data-sources: [{name: staff, up-to: internal}]\n", "people");
	touches("entitlements: [{effect: read, resource: 'data-source:staff'}]\n", "people");
	touches("model: [{provider: models, name: m1}]\n", "platform");
	touches("entitlements: [{effect: generate, resource: 'model:models/m1'}]\n", "platform");
	touches("entitlements: [{effect: delegate, resource: 'peer:b'}]\n", "sales");
	touches(LINE(""), "sales");
	touches(TOOL("books/read") LINE(""), "finance sales");
}

static void put_connector(const char *name, const char *unit)
{
	put(text_format(arena,
		"object: connector\nname: %s\nunit: %s\nowner: ana\nprovider: n8n\n"
		"url: 'https://n8n.example'\ncredential: k\nmay: [read]\n",
		name, unit)
			.data);
}

/* Whoever claims it first would else have its reviews stop it. */
static void an_account_touches_whose_connector_knows_it(void **state)
{
	(void)state;
	put_world();
	put_connector("flows", "platform");
	put_connector("mine", "support");
	put_connector("all", "org");
	touches("accounts: ['flows/1']\n", "platform");
	touches("accounts: ['mine/1', 'all/1', 'nowhere/1']\n", "");
	touches("accounts: ['mine/1', 'flows/user/1']\n", "platform");
}

static void a_reach_touches_servers_and_what_tools_read(void **state)
{
	(void)state;
	put_world();
	touches(LINE(", tools: [files/list]"), "sales"); /* its own, but for the peer */
	touches(LINE(", tools: [files/read]"), "people sales");
	touches(LINE(", tools: ['files/*', 'books/*']"), "finance people sales");
	touches(LINE(", tools: [nowhere/read]"), "sales");
	touches(LINE(", tools: [shared/read]"), "org sales"); /* a peer may more than it */
}

static void a_charter_touches_so_many_units_and_not_one_more(void **state)
{
	struct text units, lines = TEXT("{effect: read, tool: s0/a}");

	(void)state;
	for (int i = 0; i <= CONSENT_UNITS_MAX; i++)
		put_server(text_format(arena, "s%d", i).data, text_format(arena, "u%d", i).data);
	for (int i = 1; i < CONSENT_UNITS_MAX; i++)
		lines = text_format(
			arena, "%.*s, {effect: read, tool: s%d/a}", TEXT_ARGS(lines), i);
	assert_true(units_of(
		text_format(arena, "entitlements: [%.*s]\n", TEXT_ARGS(lines)).data, &units));
	lines = text_format(
		arena, "%.*s, {effect: read, tool: s%d/a}", TEXT_ARGS(lines), CONSENT_UNITS_MAX);
	assert_false(units_of(
		text_format(arena, "entitlements: [%.*s]\n", TEXT_ARGS(lines)).data, &units));
}

/* ---- halves ---- */

static struct json half_of(const struct object *identity, const char *unit)
{
	struct error err = {0};
	struct half half;

	assert_true(charter_half(&half, arena, identity, text_of(unit), &world, &err));
	return half.document;
}

static bool is_same(const struct json *one, const struct json *other)
{
	struct error err = {0};
	struct sha256 first, second;

	assert_true(json_digest(&first, one, OBJECT_BYTES_MAX, &err));
	assert_true(json_digest(&second, other, OBJECT_BYTES_MAX, &err));
	return sha256_equal(&first, &second);
}

static void a_unit_sees_its_lines_and_no_other(void **state)
{
	const struct object *identity;
	struct json half, none;
	const struct json *lines;

	(void)state;
	put_world();
	identity = put_charter("entitlements: [{effect: read, tool: books/read}, "
			       "{effect: read, tool: files/list}]\n" LINE(""));
	half = half_of(identity, "finance");
	assert_true(text_is(json_text_or(&half, "identity", ""), "a"));
	lines = json_find(&half, "lines");
	assert_int_equal(lines->count, 1);
	assert_int_equal(json_find(lines, "entitlements")->count, 1);
	none = half_of(identity, "people");
	assert_int_equal(json_find(&none, "lines")->count, 0);
}

static void another_line_or_purpose_makes_another_digest(void **state)
{
	struct json one, wider, other, elsewhere;

	(void)state;
	put_world();
	one = half_of(put_charter(TOOL("books/read")), "finance");
	wider = half_of(put_charter("entitlements: [{effect: read, tool: books/read, "
				    "when: 'true'}]\n"),
		"finance");
	assert_false(is_same(&one, &wider));
	other = half_of(put_charter_for("q", TOOL("books/read")), "finance");
	assert_false(is_same(&one, &other));
	/* What touches nobody, or somebody else, leaves it, and so does the order. */
	put("object: tool\nname: books/list\neffect: read\n");
	wider = half_of(put_charter("entitlements: [{effect: read, tool: books/read}, "
				    "{effect: read, tool: books/list}]\n"),
		"finance");
	other = half_of(put_charter("entitlements: [{effect: read, tool: books/list}, "
				    "{effect: read, tool: books/read}]\n"),
		"finance");
	assert_true(is_same(&wider, &other));
	elsewhere = half_of(put_charter("entitlements: [{effect: read, tool: files/list}, "
					"{effect: read, tool: books/read}]\n" LINE("")),
		"finance");
	assert_true(is_same(&one, &elsewhere));
}

/* ---- what was agreed to, in another version ---- */

static struct lines_of lines_of(const struct object *identity, const char *unit)
{
	struct error err = {0};
	struct half half;

	assert_true(charter_half(&half, arena, identity, text_of(unit), &world, &err));
	return (struct lines_of){identity, half.lines};
}

/* Whether all that finance has in the one goes no further than what it has in the other. */
static bool is_no_more(const struct object *after, const struct object *before)
{
	const struct lines_of now = lines_of(after, "finance");
	const struct lines_of then = lines_of(before, "finance");
	struct half_carried found;
	struct error err = {0};

	assert_true(half_carry(&found, arena, &now, &then, &err));
	assert_true(half_lines_within(&found.found, &now.lines));
	assert_true(half_lines_within(&found.lost, &then.lines));
	return half_lines_within(&now.lines, &found.found);
}

static const struct object *put_lines(const char *lines)
{
	return put_charter(text_format(arena, "entitlements: [%s]\n", lines).data);
}

#define READ "{effect: read, tool: books/read"
#define LIST "{effect: read, tool: books/list"

static void what_says_no_more_is_carried(void **state)
{
	const struct object *both, *one, *ends, *again;

	(void)state;
	put_world();
	put("object: tool\nname: books/list\neffect: read\n");
	both = put_lines(READ "}, " LIST "}");
	one = put_lines(LIST "}");
	ends = put_lines(LIST ", expires: '2027-01-01'}");
	again = put_lines(LIST "}, " LIST "}");
	assert_true(is_no_more(both, both));
	assert_true(is_no_more(one, both)); /* at another place */
	assert_true(is_no_more(ends, both));
	assert_true(is_no_more(put_lines(LIST ", when: 'context.args.n < 5'}"), one));
	assert_true(is_no_more(put_lines(LIST ", approvals: [owner]}"), one));
	assert_true(is_no_more(put_lines("{effect: read, tool: files/list}, " LIST "}"), one));
	assert_false(is_no_more(both, one));
	assert_false(is_no_more(one, ends));
	assert_false(is_no_more(one, put_lines(READ "}")));
	/* A line stands for one: of one with `uses` two may be used twice as often. */
	assert_true(is_no_more(one, again));
	assert_false(is_no_more(again, one));
	assert_false(is_no_more(again, both));
}

static void what_it_is_for_is_the_same_or_nothing_is_carried(void **state)
{
	static const char *const others[][2] = {{"unit: support", "unit: sales"},
		{"purpose: p", "purpose: q"}, {"kind: agent", "kind: workflow"},
		{"class: update", "class: execute"}, {"risk: low", "risk: high"},
		{"environments: [dev]", "environments: [dev, prod]"}};
	const char *yaml = "object: identity\nname: a\nkind: agent\nclass: update\nrisk: low\n"
			   "owner: ana\nbackup-owner: bo\nunit: support\npurpose: p\n"
			   "environments: [dev]\n" TOOL("books/read");
	const struct object *before;

	(void)state;
	put_world();
	before = put(yaml);
	assert_true(is_no_more(put(yaml), before));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		const char *at = strstr(yaml, others[i][0]);

		assert_non_null(at);
		assert_false(is_no_more(put(text_format(arena, "%.*s%s%s", (int)(at - yaml), yaml,
						others[i][1], at + strlen(others[i][0]))
							.data),
			before));
	}
}

/* The bounds of each list, one more and one less. */
static void each_list_is_carried_line_by_line(void **state)
{
	const struct lines_of wide = {
		put_charter("data-sources: [{name: staff, up-to: internal}]\n"
			    "model: [{provider: models, name: m1}]\n" LINE(", depth: 2")),
		{{0}}};
	struct lines_of before = wide, after;
	const struct object *less, *more;
	struct half_carried found;
	struct error err = {0};

	(void)state;
	half_lines_add(&before.lines, HALF_DATA_SOURCES, 0);
	half_lines_add(&before.lines, HALF_MODELS, 0);
	half_lines_add(&before.lines, HALF_PEERS, 0);
	less = put_charter("data-sources: [{name: staff, up-to: public}]\n"
			   "model: [{provider: models, name: m1}]\n" LINE(", depth: 1"));
	more = put_charter(
		"data-sources: [{name: staff, up-to: confidential}]\n"
		"model: [{provider: models, name: m1, up-to: internal}]\n" LINE(", depth: 3"));
	after = (struct lines_of){less, before.lines};
	assert_true(half_carry(&found, arena, &after, &before, &err));
	assert_memory_equal(&found.found, &before.lines, sizeof found.found);
	after.identity = more;
	assert_true(half_carry(&found, arena, &after, &before, &err));
	assert_true(half_lines_is_empty(&found.found));
}

#define OUTPUTS(list) READS "outputs: [" list "]\n"
#define READS "entitlements: [" READ "}]\n"
#define CONFIDENTIAL_REPLY "{to: reply, up-to: confidential}"

/* Where agreed data may go is agreed to with them. */
static void outputs_that_go_further_carry_nothing(void **state)
{
	static const char *const further[] = {
		OUTPUTS("{to: reply, up-to: restricted}"),
		OUTPUTS(CONFIDENTIAL_REPLY ", {to: '*@rival.example', up-to: public}"),
		OUTPUTS("{to: 'person:eve', up-to: public}"),
		OUTPUTS("{to: 'peer:b', up-to: public}"),
		OUTPUTS("{to: books/read, up-to: public}"),
		OUTPUTS("{to: '*@*', up-to: internal}"),
		OUTPUTS("{to: 'a@notours.example', up-to: internal}"),
		OUTPUTS("{to: files/list, up-to: internal}"),
	};
	static const char *const no_further[] = {
		READS,
		OUTPUTS(CONFIDENTIAL_REPLY),
		OUTPUTS("{to: reply, up-to: internal}"),
		OUTPUTS("{to: 'a@ours.example', up-to: internal}, " CONFIDENTIAL_REPLY),
		OUTPUTS("{to: '*@ours.example', up-to: public}"),
		OUTPUTS("{to: files/list, up-to: public, target: 'in/*'}"),
	};
	const struct object *before;

	(void)state;
	put_world();
	before = put_charter(
		OUTPUTS(CONFIDENTIAL_REPLY ", {to: '*@ours.example', up-to: internal}"
					   ", {to: files/list, up-to: internal, target: 'in/*'}"));
	for (size_t i = 0; i < sizeof further / sizeof further[0]; i++)
		assert_false(is_no_more(put_charter(further[i]), before));
	for (size_t i = 0; i < sizeof no_further / sizeof no_further[0]; i++)
		assert_true(is_no_more(put_charter(no_further[i]), before));
	before = put_charter(OUTPUTS("{to: '*@*', up-to: internal}"));
	assert_true(
		is_no_more(put_charter(OUTPUTS("{to: 'a@b.example', up-to: internal}")), before));
	assert_false(is_no_more(
		put_charter(OUTPUTS("{to: 'person:a@b.example', up-to: public}")), before));
}

/* A model's provider gets; nothing of its unit's comes in. */
static void outputs_are_of_halves_that_bring_something_in(void **state)
{
	const struct object *before, *after;
	struct json half;
	struct lines_of was, now;
	struct half_carried found;
	struct error err = {0};

	(void)state;
	put_world();
	half = half_of(put_charter(OUTPUTS(CONFIDENTIAL_REPLY)), "finance");
	assert_int_equal(json_find(&half, "outputs")->count, 1);
	half = half_of(put_charter(READS), "finance");
	assert_null(json_find(&half, "outputs"));
	before = put_charter("model: [{provider: models, name: m1}]\n");
	after = put_charter("model: [{provider: models, name: m1}]\n"
			    "outputs: [" CONFIDENTIAL_REPLY "]\n");
	was = (struct lines_of){before, {{0}}};
	half_lines_add(&was.lines, HALF_MODELS, 0);
	now = (struct lines_of){after, was.lines};
	assert_true(half_carry(&found, arena, &now, &was, &err));
	assert_memory_equal(&found.found, &was.lines, sizeof found.found);
}

/* Without its line under peers an entitlement on a peer lets any skill be asked for. */
static void an_entitlement_on_a_peer_is_not_carried_without_its_line(void **state)
{
	static const char entitlement[] =
		"entitlements: [{effect: delegate, resource: 'peer:b'}]\n";
	const struct object *held = put_charter(
		"entitlements: [{effect: delegate, resource: 'peer:b'}]\n" LINE(", skills: [add]"));
	const struct object *alone = put_charter(entitlement);
	struct lines_of before = {held, {{0}}}, after = {alone, {{0}}};
	struct half_carried found;
	struct error err = {0};

	(void)state;
	half_lines_add(&before.lines, HALF_ENTITLEMENTS, 0);
	half_lines_add(&before.lines, HALF_PEERS, 0);
	half_lines_add(&after.lines, HALF_ENTITLEMENTS, 0);
	assert_true(half_carry(&found, arena, &after, &before, &err));
	assert_true(half_lines_is_empty(&found.found));
	assert_true(half_carry(&found, arena, &before, &before, &err));
	assert_memory_equal(&found.found, &before.lines, sizeof found.found);
}

/* It must not pass for one that touches nobody. */
static void a_peer_whose_charter_is_lost_is_no_answer(void **state)
{
	struct object *lost;
	const struct object *identity;
	const struct charter *body;
	struct text units;
	struct error err = {0};

	(void)state;
	put_world();
	identity = put_charter_for("p", "entitlements: [{effect: delegate, resource: 'peer:b'}]\n");
	lost = (struct object *)(uintptr_t)find(NULL, OBJECT_IDENTITY, TEXT("b"));
	body = lost->body;
	lost->body = &charter_lost;
	assert_false(charter_crossed_units(&units, arena, charter_of(identity), &world, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	lost->body = body;
	assert_true(charter_crossed_units(&units, arena, charter_of(identity), &world, &err));
	assert_true(text_is(units, "sales"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(what_is_its_own_or_shared_by_all_touches_nobody),
		TEST(a_peer_whose_charter_is_lost_is_no_answer),
		TEST(each_kind_of_line_touches_whose_it_is),
		TEST(an_account_touches_whose_connector_knows_it),
		TEST(a_reach_touches_servers_and_what_tools_read),
		TEST(a_charter_touches_so_many_units_and_not_one_more),
		TEST(a_unit_sees_its_lines_and_no_other),
		TEST(another_line_or_purpose_makes_another_digest),
		TEST(what_says_no_more_is_carried),
		TEST(what_it_is_for_is_the_same_or_nothing_is_carried),
		TEST(each_list_is_carried_line_by_line),
		TEST(outputs_that_go_further_carry_nothing),
		TEST(outputs_are_of_halves_that_bring_something_in),
		TEST(an_entitlement_on_a_peer_is_not_carried_without_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
