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
	assert_int_equal(charter_of(object)->peers[0].depth, PEER_DEPTH_MAX);
	assert_int_equal(charter_of(object)->peers[0].skills_count, 2);
	object_release(&object);
	for (int i = 1; i < PEER_TOOLS_MAX; i++)
		many = text_format(arena, "%.*s, t/a%d", TEXT_ARGS(many), i);
	object = taken(text_format(arena, LINE(", tools: [%.*s]"), TEXT_ARGS(many)).data);
	assert_int_equal(charter_of(object)->peers[0].tools_count, PEER_TOOLS_MAX);
	assert_int_equal(charter_of(object)->peers[0].depth, 0);
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
	const struct charter_peer *line = charter_find_peer(charter_of(object), TEXT("b"));

	(void)state;
	assert_null(charter_find_peer(charter_of(object), TEXT("c")));
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(what_is_no_line_is_refused),
		TEST(skills_are_bounded),
		TEST(a_line_covers_no_more_than_it_says),
		TEST(a_line_of_nothing_covers_nothing),
		TEST(the_bounds_of_a_line_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
