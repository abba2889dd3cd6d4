#include "domain/charter/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/yaml.h"
#include "domain/charter/registry.h"

static struct arena *arena;

static int start(void **state)
{
	(void)state;
	arena = arena_create((size_t)64 << 20);
	return arena == NULL;
}

static int end(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

/* The object, or NULL where something is wrong with it; what says the first problem. */
static const struct object *parse(const char *yaml, const char **what)
{
	struct problems *problems = arena_new(arena, struct problems);
	struct yaml_documents documents;
	struct object *object = NULL;
	struct error err = {0};

	problems->arena = arena;
	assert_true(
		yaml_parse(&documents, arena, text_of(yaml), "f.yaml", &json_limits_default, &err));
	if (object_parse(&object, &documents.items[0], TEXT("f.yaml"), problems))
		return object;
	*what = problems->items[0].what.data;
	return NULL;
}

static struct text charter_yaml(const char *peers)
{
	return text_format(arena,
		"object: identity\nname: a\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [dev]\npeers: [%s]\n",
		peers);
}

static void refused(const char *peers)
{
	const char *what = NULL;

	if (parse(charter_yaml(peers).data, &what) != NULL)
		fail_msg("taken: %s", peers);
	assert_non_null(what);
}

static const struct object *taken(const char *peers)
{
	const char *what = "";
	const struct object *object = parse(charter_yaml(peers).data, &what);

	if (object == NULL)
		fail_msg("%s: %s", peers, what);
	return object;
}

#define LINE(more) "{identity: b, effects: [read], up-to: internal" more "}"

static void what_is_no_line_is_refused(void **state)
{
	struct text many = TEXT("t/a");

	(void)state;
	refused("{identity: b, effects: [read]}");
	refused("{identity: b, up-to: internal}");
	refused("{identity: b, effects: [delegate], up-to: internal}");
	refused("{identity: a, effects: [read], up-to: internal}"); /* itself */
	refused(LINE("") ", " LINE(""));
	refused(LINE(", depth: -1"));
	refused(LINE(", depth: 7"));
	refused(LINE(", tools: ['*']"));
	refused(LINE(", tools: ['*/read']"));
	refused(LINE(", tools: ['files/']"));
	refused(LINE(", tools: [files]"));
	refused(LINE(", tools: []"));
	refused(LINE(", skills: []"));
	for (int i = 0; i < PEER_TOOLS_MAX; i++)
		many = text_format(arena, "%.*s, t/a%d", TEXT_ARGS(many), i);
	refused(text_format(arena, LINE(", tools: [%.*s]"), TEXT_ARGS(many)).data);
}

static void the_bounds_of_a_line_are_taken(void **state)
{
	struct text many = TEXT("t/a");
	const struct object *object;

	(void)state;
	assert_int_equal(PEER_DEPTH_MAX, 6);
	object = taken(LINE(", depth: 6, skills: [search, 'to write']"));
	assert_int_equal(object->charter->peers[0].depth, PEER_DEPTH_MAX);
	assert_int_equal(object->charter->peers[0].skills_count, 2);
	object_release(&object);
	for (int i = 1; i < PEER_TOOLS_MAX; i++)
		many = text_format(arena, "%.*s, t/a%d", TEXT_ARGS(many), i);
	object = taken(text_format(arena, LINE(", tools: [%.*s]"), TEXT_ARGS(many)).data);
	assert_int_equal(object->charter->peers[0].tools_count, PEER_TOOLS_MAX);
	assert_int_equal(object->charter->peers[0].depth, 0);
	object_release(&object);
}

static void skills_are_bounded(void **state)
{
	struct text many = TEXT("s"), name = TEXT("");
	const struct object *object;

	(void)state;
	for (int i = 1; i < PEER_SKILLS_MAX; i++)
		many = text_format(arena, "%.*s, s%d", TEXT_ARGS(many), i);
	object = taken(text_format(arena, LINE(", skills: [%.*s]"), TEXT_ARGS(many)).data);
	object_release(&object);
	refused(text_format(arena, LINE(", skills: [%.*s, more]"), TEXT_ARGS(many)).data);
	for (int i = 0; i < PEER_SKILL_BYTES_MAX; i++)
		name = text_format(arena, "%.*sx", TEXT_ARGS(name));
	object = taken(text_format(arena, LINE(", skills: [%.*s]"), TEXT_ARGS(name)).data);
	object_release(&object);
	refused(text_format(arena, LINE(", skills: [%.*sx]"), TEXT_ARGS(name)).data);
}

static void a_line_covers_no_more_than_it_says(void **state)
{
	const struct object *object = taken(LINE(", tools: [files/read, 'crm/get_*']"));
	const struct charter_peer *line = charter_find_peer(object->charter, TEXT("b"));

	(void)state;
	assert_null(charter_find_peer(object->charter, TEXT("c")));
	assert_non_null(line);
	assert_false(peer_covers(line, SENSITIVITY_CONFIDENTIAL));
	assert_false(peer_covers(line, SENSITIVITY_UNLABELLED));
	assert_true(peer_covers(line, SENSITIVITY_INTERNAL));
	assert_false(peer_has_effect(line, EFFECT_WRITE));
	assert_false(peer_has_effect(line, EFFECT_NONE));
	assert_true(peer_has_effect(line, EFFECT_READ));
	assert_false(peer_reaches(line, TEXT("files/read_all")));
	assert_false(peer_reaches(line, TEXT("crm/put")));
	assert_true(peer_reaches(line, TEXT("files/read")));
	assert_true(peer_reaches(line, TEXT("crm/get_one")));
	object_release(&object);
}

static void a_line_of_nothing_covers_nothing(void **state)
{
	const struct charter_peer line = {.identity = TEXT("b")};

	(void)state;
	assert_false(peer_covers(&line, SENSITIVITY_PUBLIC));
	for (int effect = EFFECT_NONE; effect <= EFFECT_DELEGATE; effect++)
		assert_false(peer_has_effect(&line, (enum effect)effect));
	assert_false(peer_has_reach(&line));
	assert_false(peer_reaches(&line, TEXT("files/read")));
}

static void consents_are_sorted_and_name_a_unit_once(void **state)
{
	struct text consents = TEXT("");

	(void)state;
	assert_false(consents_has(consents, TEXT("sales")));
	assert_false(consents_has(TEXT("sales-east"), TEXT("sales")));
	consents = consents_with(arena, consents, TEXT("sales"));
	consents = consents_with(arena, consents, TEXT("finance"));
	consents = consents_with(arena, consents, TEXT("legal"));
	assert_true(text_is(consents, "finance legal sales"));
	consents = consents_with(arena, consents, TEXT("legal"));
	assert_true(text_is(consents, "finance legal sales"));
	assert_true(consents_has(consents, TEXT("legal")));
	assert_false(consents_has(consents, TEXT("egal")));
	assert_false(consents_has(consents, TEXT("")));
}

/* ---- whose reach it is ---- */

static const struct object **objects;
static size_t objects_count;

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

static void put(const char *yaml)
{
	const char *what = "";
	const struct object *object = parse(yaml, &what);

	if (object == NULL)
		fail_msg("%s", what);
	objects[objects_count++] = object;
}

static void clear(void)
{
	for (size_t i = 0; i < objects_count; i++)
		object_release(&objects[i]);
	objects_count = 0;
}

static bool units_of(const char *peers, struct text *out)
{
	const struct reference_world world = {.find = find, .each_name = each_name};
	const struct object *object = taken(peers);
	struct error err = {0};
	bool is_ok = charter_reach_units(out, arena, object->charter, &world, &err);

	object_release(&object);
	return is_ok;
}

static void a_reach_is_into_units_of_servers_and_of_what_tools_read(void **state)
{
	struct text units;

	(void)state;
	objects = arena_array(arena, const struct object *, 64);
	put("object: server\nname: files\nunit: support\nenvironment: dev\n"
	    "transport: {stdio: [x]}\n");
	put("object: server\nname: books\nunit: finance\nenvironment: dev\n"
	    "transport: {stdio: [x]}\n");
	put("object: data-source\nname: staff\nunit: people\nenvironment: dev\n");
	put("object: tool\nname: files/read\neffect: read\nreads: [{data-source: staff}]\n");
	put("object: tool\nname: files/list\neffect: read\n");
	assert_true(units_of(LINE(""), &units));
	assert_int_equal(units.length, 0);
	assert_true(units_of(LINE(", tools: [files/list]"), &units));
	assert_int_equal(units.length, 0); /* its own */
	assert_true(units_of(LINE(", tools: [files/read]"), &units));
	assert_true(text_is(units, "people"));
	assert_true(units_of(LINE(", tools: ['files/*', 'books/*']"), &units));
	assert_true(text_is(units, "finance people"));
	assert_true(units_of(LINE(", tools: [nowhere/read]"), &units));
	assert_int_equal(units.length, 0);
	clear();
}

static void a_reach_is_into_so_many_units_and_not_one_more(void **state)
{
	struct text units, globs = TEXT("s0/a");

	(void)state;
	objects = arena_array(arena, const struct object *, 64);
	for (int i = 0; i <= CONSENT_UNITS_MAX; i++)
		put(text_format(arena,
			"object: server\nname: s%d\nunit: u%d\nenvironment: dev\n"
			"transport: {stdio: [x]}\n",
			i, i)
				.data);
	for (int i = 1; i < CONSENT_UNITS_MAX; i++)
		globs = text_format(arena, "%.*s, s%d/a", TEXT_ARGS(globs), i);
	assert_true(units_of(
		text_format(arena, LINE(", tools: [%.*s]"), TEXT_ARGS(globs)).data, &units));
	globs = text_format(arena, "%.*s, s%d/a", TEXT_ARGS(globs), CONSENT_UNITS_MAX);
	assert_false(units_of(
		text_format(arena, LINE(", tools: [%.*s]"), TEXT_ARGS(globs)).data, &units));
	clear();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(what_is_no_line_is_refused),
		TEST(skills_are_bounded),
		TEST(a_line_covers_no_more_than_it_says),
		TEST(a_line_of_nothing_covers_nothing),
		TEST(consents_are_sorted_and_name_a_unit_once),
		TEST(a_reach_is_into_units_of_servers_and_of_what_tools_read),
		TEST(a_reach_is_into_so_many_units_and_not_one_more),
		TEST(the_bounds_of_a_line_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
