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
	struct json half;

	assert_true(charter_half(&half, arena, identity, text_of(unit), &world, &err));
	return half;
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
	/* What touches nobody, or somebody else, leaves it. */
	elsewhere = half_of(put_charter("entitlements: [{effect: read, tool: files/list}, "
					"{effect: read, tool: books/read}]\n" LINE("")),
		"finance");
	assert_true(is_same(&one, &elsewhere));
}

static void a_half_is_within_another_if_it_says_no_more(void **state)
{
	struct json both, one, other, renamed, again;

	(void)state;
	put_world();
	put("object: tool\nname: books/list\neffect: read\n");
	both = half_of(put_charter("entitlements: [{effect: read, tool: books/read}, "
				   "{effect: read, tool: books/list}]\n"),
		"finance");
	one = half_of(put_charter(TOOL("books/list")), "finance");
	other = half_of(put_charter("entitlements: [{effect: read, tool: books/list, "
				    "expires: '2027-01-01'}]\n"),
		"finance");
	renamed = half_of(put_charter_for("q", TOOL("books/list")), "finance");
	/* A line with `uses` that stands there twice may be used twice as often. */
	again = half_of(put_charter("entitlements: [{effect: read, tool: books/list}, "
				    "{effect: read, tool: books/list}]\n"),
		"finance");
	assert_false(half_is_within(&again, &one));
	assert_false(half_is_within(&again, &both));
	assert_true(half_is_within(&one, &again));
	assert_true(half_is_within(&one, &both));
	assert_true(half_is_within(&both, &both));
	assert_false(half_is_within(&both, &one));
	assert_false(half_is_within(&other, &both));
	assert_false(half_is_within(&renamed, &both));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(what_is_its_own_or_shared_by_all_touches_nobody),
		TEST(each_kind_of_line_touches_whose_it_is),
		TEST(a_reach_touches_servers_and_what_tools_read),
		TEST(a_charter_touches_so_many_units_and_not_one_more),
		TEST(a_unit_sees_its_lines_and_no_other),
		TEST(another_line_or_purpose_makes_another_digest),
		TEST(a_half_is_within_another_if_it_says_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
