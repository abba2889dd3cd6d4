#include "domain/charter/narrow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/yaml.h"

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

static const char head[] =
	"object: identity\nname: a\nkind: agent\nclass: execute\nrisk: low\nowner: ana\n"
	"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [dev, prod]\n";

static const struct object *parse(const char *more)
{
	struct problems *problems = arena_new(arena, struct problems);
	struct text yaml = text_format(arena, "%s%s\n", head, more);
	struct yaml_documents documents;
	struct object *object = NULL;
	struct error err = {0};

	problems->arena = arena;
	assert_true(yaml_parse(&documents, arena, yaml, "f.yaml", &json_limits_default, &err));
	if (!object_parse(&object, &documents.items[0], TEXT("f.yaml"), problems))
		fail_msg("%s: %.*s: %.*s", more, TEXT_ARGS(problems->items[0].field),
			TEXT_ARGS(problems->items[0].what));
	return object;
}

static void wider(const char *before, const char *after)
{
	const struct object *old = parse(before), *new = parse(after);
	struct error err = {0};

	if (charter_is_narrower(new, old, &err))
		fail_msg("taken for narrower: %s than %s", after, before);
	assert_int_equal(err.code, ERROR_INVALID);
	object_release(&old);
	object_release(&new);
}

static void narrower(const char *before, const char *after)
{
	const struct object *old = parse(before), *new = parse(after);
	struct error err = {0};

	if (!charter_is_narrower(new, old, &err))
		fail_msg("%s: %s than %s", err.text, after, before);
	object_release(&old);
	object_release(&new);
}

#define LINES(lines) "entitlements: [" lines "]"
#define READ "{effect: read, tool: f/r}"
#define WRITE "{effect: write, tool: f/w}"

static void what_gives_more_is_not_narrower(void **state)
{
	(void)state;
	wider(LINES(READ), LINES(READ ", " WRITE));
	wider(LINES(READ), LINES("{effect: write, tool: f/r}"));
	wider(LINES("{effect: read, tool: f/r, expires: 2030-01-01}"), LINES(READ));
	wider(LINES("{effect: read, tool: f/r, expires: 2030-01-01}"),
		LINES("{effect: read, tool: f/r, expires: 2030-01-02}"));
	wider(LINES("{effect: read, tool: f/r, approvals: [owner]}"), LINES(READ));
	wider(LINES("{effect: read, tool: f/r, when: 'context.args.a == 1'}"), LINES(READ));
	wider(LINES("{effect: read, tool: f/r, when: 'context.args.a == 1'}"),
		LINES("{effect: read, tool: f/r, when: 'context.args.a == 2'}"));
	wider(LINES("{effect: read, tool: f/r, uses: 2}"), LINES(READ));
	wider(LINES("{effect: read, tool: f/r, uses: 2}"),
		LINES("{effect: read, tool: f/r, uses: 3}"));
}

/* What only looks like "the old and more". */
static void a_condition_that_is_no_conjunction_is_not_narrower(void **state)
{
	(void)state;
	wider(LINES("{effect: read, tool: f/r, when: 'context.args.a == 1'}"),
		LINES("{effect: read, tool: f/r, when: '(context.args.a == 1) && (true) || "
		      "true'}"));
	wider(LINES("{effect: read, tool: f/r, when: 'context.args.a == 1'}"),
		LINES("{effect: read, tool: f/r, when: '(context.args.a == 1) || [\"dev\"]"
		      ".contains(context.environment)'}"));
}

/* Uses are counted by the place of a line: elsewhere they begin anew. */
static void a_line_with_uses_that_moves_is_not_narrower(void **state)
{
	(void)state;
	wider(LINES(READ ", {effect: write, tool: f/w, uses: 1}"),
		LINES("{effect: write, tool: f/w, uses: 1}"));
}

static void peers_that_reach_more_are_not_narrower(void **state)
{
	static const char old[] =
		"peers: [{identity: b, effects: [read], up-to: internal, depth: 1, "
		"tools: [f/r], skills: [s]}]";

	(void)state;
	wider(old, "peers: [{identity: c, effects: [read], up-to: internal}]");
	wider(old, "peers: [{identity: b, effects: [read, write], up-to: internal, depth: 1, "
		   "tools: [f/r], skills: [s]}]");
	wider(old, "peers: [{identity: b, effects: [read], up-to: confidential, depth: 1, "
		   "tools: [f/r], skills: [s]}]");
	wider(old, "peers: [{identity: b, effects: [read], up-to: internal, depth: 2, "
		   "tools: [f/r], skills: [s]}]");
	wider(old, "peers: [{identity: b, effects: [read], up-to: internal, depth: 1, "
		   "skills: [s]}]");
	wider(old, "peers: [{identity: b, effects: [read], up-to: internal, depth: 1, "
		   "tools: [f/r, f/w], skills: [s]}]");
	wider(old, "peers: [{identity: b, effects: [read], up-to: internal, depth: 1, "
		   "tools: [f/r]}]");
	/* A reach gives what the charter itself does not. */
	wider("peers: [{identity: b, effects: [read], up-to: internal}]",
		"peers: [{identity: b, effects: [read], up-to: internal, tools: [f/r]}]");
}

#define ASK "{effect: delegate, resource: 'peer:p'}"
#define HELD "peers: [{identity: p, effects: [read], up-to: internal, depth: 1}]"

/* Without the line under peers the entitlement would hold for every skill and all data. */
static void a_peer_whose_entitlement_stays_is_not_taken_out(void **state)
{
	const char *both = LINES(READ ", " ASK) "\n" HELD;

	(void)state;
	wider(both, LINES(READ ", " ASK));
	narrower(both, LINES(READ));
	narrower(both, LINES(READ) "\n" HELD);
	narrower(LINES(READ ", " ASK), LINES(READ ", " ASK));
}

static void any_other_field_must_stay_as_it_is(void **state)
{
	static const char *const others[] = {"limits: {task: 5m}", "binding: dpop",
		"expires: 2030-01-01", "review: 90d", "impact: none",
		"data-sources: [{name: t, up-to: public}]",
		"outputs: [{to: reply, up-to: public}]"};

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		wider("", others[i]);
		wider(others[i], "");
	}
	wider("limits: {task: 15m}", "limits: {task: 5m}");
}

static void lines_that_go_or_shrink_are_narrower(void **state)
{
	(void)state;
	narrower(LINES(READ ", " WRITE), LINES(READ ", " WRITE));
	narrower(LINES(READ ", " WRITE), LINES(WRITE));
	narrower(LINES(READ ", " WRITE), "");
	narrower(LINES(READ), LINES("{effect: read, tool: f/r, expires: 2030-01-01}"));
	narrower(LINES(READ), LINES("{effect: read, tool: f/r, approvals: [owner]}"));
	narrower(LINES(READ), LINES("{effect: read, tool: f/r, when: 'context.args.a == 1'}"));
	narrower(LINES("{effect: read, tool: f/r, when: 'context.args.a == 1'}"),
		LINES("{effect: read, tool: f/r, when: '(context.args.a == 1) && [\"dev\"]"
		      ".contains(context.environment)'}"));
	narrower(LINES(READ), LINES("{effect: read, tool: f/r, uses: 9}"));
	narrower(LINES(READ ", {effect: write, tool: f/w, uses: 5}"),
		LINES("{effect: read, tool: f/r, expires: 2020-01-01}, "
		      "{effect: write, tool: f/w, uses: 4}"));
	narrower("peers: [{identity: b, effects: [read, write], up-to: internal, depth: 2}]",
		"peers: [{identity: b, effects: [read], up-to: public, depth: 1, skills: [s]}]");
	narrower("peers: [{identity: b, effects: [read], up-to: internal, tools: [f/r, f/w]}]",
		"peers: [{identity: b, effects: [read], up-to: internal, tools: [f/w]}]");
}

/* ---- editing ---- */

struct edited {
	enum charter_part part;
	const char *line; /* YAML flow */
	enum charter_edit_how how;
	const char *with;
};

static struct json flow(const char *yaml)
{
	struct yaml_documents documents;
	struct error err = {0};

	assert_true(yaml_parse(&documents, arena, text_of(yaml), "f", &json_limits_default, &err));
	return documents.items[0];
}

static bool edit(const struct json *document, const struct edited *edited, struct json *out)
{
	struct json line = flow(edited->line);
	struct json with = edited->with == NULL ? json_null() : flow(edited->with);
	const struct charter_edit one = {{edited->part, &line}, edited->how, &with};
	const struct charter_edits edits = {&one, 1, 1800000000};
	struct error err = {0};
	bool ok = charter_edit(out, arena, document, &edits, &err);

	assert_int_equal(err.code, ok ? ERROR_NONE : ERROR_CONFLICT);
	return ok;
}

static void a_line_that_is_not_there_as_it_was_is_a_conflict(void **state)
{
	static const struct edited edits[] = {
		{CHARTER_PART_ENTITLEMENT, "{effect: read, tool: f/x}", CHARTER_EDIT_TAKE_OUT,
			NULL},
		{CHARTER_PART_ENTITLEMENT, "{effect: read, tool: f/r, uses: 1}",
			CHARTER_EDIT_TAKE_OUT, NULL},
		{CHARTER_PART_PEER, "{identity: b}", CHARTER_EDIT_TAKE_OUT, NULL},
		{CHARTER_PART_ACTING, "{people: [unit:support]}", CHARTER_EDIT_TAKE_OUT, NULL},
	};
	const struct object *object = parse(LINES(READ));
	struct json out;

	(void)state;
	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++)
		assert_false(edit(&object->as_read, &edits[i], &out));
	object_release(&object);
}

static void what_was_taken_out_can_be_put_back(void **state)
{
	const struct edited take = {CHARTER_PART_ENTITLEMENT, READ, CHARTER_EDIT_TAKE_OUT, NULL};
	const struct edited back = {CHARTER_PART_ENTITLEMENT, READ, CHARTER_EDIT_PUT_BACK, NULL};
	const struct object *object = parse(LINES(READ));
	struct json out, again;

	(void)state;
	assert_true(edit(&object->as_read, &take, &out));
	assert_null(json_find(&out, "entitlements"));
	assert_true(edit(&out, &back, &again));
	assert_true(json_equal(&again, &object->as_read));
	object_release(&object);
}

static void a_line_among_lines_with_uses_keeps_its_place_and_ends(void **state)
{
	const struct edited take = {CHARTER_PART_ENTITLEMENT, READ, CHARTER_EDIT_TAKE_OUT, NULL};
	const struct edited back = {CHARTER_PART_ENTITLEMENT, READ, CHARTER_EDIT_PUT_BACK, NULL};
	const struct object *object = parse(LINES(READ ", {effect: write, tool: f/w, uses: 1}"));
	const struct json *lines;
	struct json out, again;

	(void)state;
	assert_true(edit(&object->as_read, &take, &out));
	lines = json_find(&out, "entitlements");
	assert_int_equal(lines->count, 2);
	assert_true(text_is(json_text_or(&lines->items[0], "expires", ""), "2027-01-15T08:00:00Z"));
	assert_true(edit(&out, &back, &again));
	assert_true(json_equal(&again, &object->as_read));
	object_release(&object);
}

static void a_line_is_replaced_in_its_place(void **state)
{
	const struct edited put = {CHARTER_PART_ENTITLEMENT, READ, CHARTER_EDIT_REPLACE,
		"{effect: read, tool: f/r, approvals: [owner]}"};
	const struct object *object = parse(LINES(READ ", " WRITE));
	struct json out;

	(void)state;
	assert_true(edit(&object->as_read, &put, &out));
	assert_non_null(json_find(&json_find(&out, "entitlements")->items[0], "approvals"));
	object_release(&object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_gives_more_is_not_narrower),
		cmocka_unit_test(a_condition_that_is_no_conjunction_is_not_narrower),
		cmocka_unit_test(a_line_with_uses_that_moves_is_not_narrower),
		cmocka_unit_test(peers_that_reach_more_are_not_narrower),
		cmocka_unit_test(a_peer_whose_entitlement_stays_is_not_taken_out),
		cmocka_unit_test(any_other_field_must_stay_as_it_is),
		cmocka_unit_test(lines_that_go_or_shrink_are_narrower),
		cmocka_unit_test(a_line_that_is_not_there_as_it_was_is_a_conflict),
		cmocka_unit_test(what_was_taken_out_can_be_put_back),
		cmocka_unit_test(a_line_among_lines_with_uses_keeps_its_place_and_ends),
		cmocka_unit_test(a_line_is_replaced_in_its_place),
	};

	return cmocka_run_group_tests(tests, start, end);
}
