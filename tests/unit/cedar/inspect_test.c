#include "cedar/inspect.h"

#include "cedar/from_json.h"
#include "support.h"

#define ANY "(principal, action, resource)"

struct paths {
	char text[512];
};

static void note_path(void *closure, const struct cedar_text *path, size_t count)
{
	struct paths *paths = closure;
	size_t used = strlen(paths->text);

	used += (size_t)snprintf(paths->text + used, sizeof paths->text - used, "[");
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(paths->text + used, sizeof paths->text - used, "%s%.*s",
			i == 0 ? "" : ".", (int)path[i].length, path[i].data);
	(void)snprintf(paths->text + used, sizeof paths->text - used, "]");
}

static void every_mention_of_context_is_visited(void **state)
{
	struct cedar_policy_set *set = set_of(
		"permit" ANY " when { context.a.b == 1 && context has c.d && context[\"e "
		"f\"].contains(context.g) }"
		" unless { (if true then context.h else context).i == [context] || principal.x };");
	struct paths paths = {""};

	(void)state;
	cedar_policy_visit_context(set, 0, note_path, &paths);
	assert_string_equal(paths.text, "[a.b][c.d][e f][g][h][][]");
	cedar_policy_set_destroy(&set);
}

static void note_text(void *closure, struct cedar_text text)
{
	note_path(closure, &text, 1);
}

static void each_text_that_a_set_is_asked_for_is_visited(void **state)
{
	struct cedar_policy_set *set = set_of(
		"forbid" ANY " when { !context.a.contains(\"x\") && context.b.contains(\"no\") }"
		" unless { if principal.z then context.a.containsAll([\"y\", \"z w\", 1]) else "
		"context.a.containsAny([]) || context.a.containsAny([\"x\"]) ||"
		" context.c.a.contains(\"no\") || principal.a.contains(\"no\") ||"
		" context.a.contains(context.b) || [\"no\"].contains(context.a) };");
	struct paths paths = {""};

	(void)state;
	cedar_policy_visit_asked(set, 0, CEDAR_TEXT("a"), note_text, &paths);
	assert_string_equal(paths.text, "[x][y][z w][x]");
	cedar_policy_set_destroy(&set);
}

static bool mentions(const char *condition, const char *first, const char *second)
{
	char policy[512];
	struct cedar_text path[] = {cedar_text_of(first), cedar_text_of(second)};
	struct cedar_policy_set *set;
	bool found;

	(void)snprintf(policy, sizeof policy, "permit" ANY " when { %s };", condition);
	set = set_of(policy);
	found = cedar_policy_mentions(set, 0, path, second == NULL ? 1 : 2);
	cedar_policy_set_destroy(&set);
	return found;
}

static void a_policy_mentions_what_it_may_read(void **state)
{
	(void)state;
	assert_false(mentions("context.args.b == 1", "args", "a"));
	assert_false(mentions("principal.args.a == 1", "args", "a"));
	assert_false(mentions("true", "args", "a"));
	assert_true(mentions("context.args.a == 1", "args", "a"));
	assert_true(mentions("context.args.a.deep == 1", "args", "a"));
	assert_true(mentions("context.args == {}", "args", "a"));
	assert_true(mentions("context == {}", "args", "a"));
	assert_true(mentions("context has args.a", "args", "a"));
	assert_true(mentions("context.args has a.b", "args", "a"));
	assert_true(mentions("context has args", "args", "a"));
	assert_true(mentions("context.args.b == 1", "args", NULL));
	assert_true(mentions("[context.args].isEmpty()", "args", "a"));
}

static bool is_monotone(const char *policy)
{
	struct cedar_policy_set *set = set_of(policy);
	struct cedar_error err = {.code = CEDAR_ERROR_NONE};
	bool ok = cedar_check_monotone_use(set, 0, CEDAR_TEXT("approvals"), &err);

	if (!ok)
		assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	cedar_policy_set_destroy(&set);
	return ok;
}

static void uses_that_could_let_more_approvals_allow_less_are_refused(void **state)
{
	static const char *const bad[] = {"permit" ANY
					  " when { !context.approvals.contains(\"owner\") };",
		"permit" ANY " unless { context.approvals.contains(\"owner\") };",
		"forbid" ANY " when { context.approvals.contains(\"owner\") };",
		"forbid" ANY " unless { !context.approvals.contains(\"owner\") };",
		"permit" ANY " when { context.approvals.isEmpty() };",
		"permit" ANY " when { context.approvals == [] };",
		"permit" ANY " when { [\"owner\"].containsAll(context.approvals) };",
		"permit" ANY " when { context.approvals.contains(principal.name) };",
		"permit" ANY " when { context.approvals.containsAny([\"a\", context.b]) };",
		"permit" ANY " when { context.approvals.containsAll(principal.names) };",
		"permit" ANY " when { context.approvals.contains(1) };",
		"permit" ANY " when { context.approvals.contains(\"a\") == true };",
		"permit" ANY
		" when { (if context.approvals.contains(\"a\") then false else true) };",
		"permit" ANY " when { [context.approvals.contains(\"a\")].contains(false) };",
		"permit" ANY " when { context has approvals };",
		"permit" ANY " when { context == {} };",
		"permit" ANY
		" when { (if true then context else context).approvals.contains(\"a\") };",
		"permit" ANY " when { {x: context.approvals}.x.contains(\"a\") };",
		"permit" ANY " when { context[\"approvals\"].isEmpty() };",
		"permit" ANY
		" when { (if true then !context.approvals.contains(\"a\") else true) };"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (is_monotone(bad[i]))
			fail_msg("accepted: %s", bad[i]);
	}
}

static void uses_that_only_grow_are_accepted(void **state)
{
	static const char *const good[] = {"permit" ANY
					   " when { context.approvals.contains(\"owner\") };",
		"permit" ANY
		" when { context[\"approvals\"].containsAll([\"owner\", \"second\"]) };",
		"permit" ANY " unless { !context.approvals.containsAny([\"owner\"]) };",
		"forbid" ANY " unless { context.approvals.contains(\"owner\") };",
		"forbid" ANY " when { context.x == 1 && !context.approvals.contains(\"owner\") };",
		"permit" ANY " when { true || (false && !(!context.approvals.contains(\"a\"))) };",
		"permit" ANY
		" when { (if context.x then context.approvals.contains(\"a\") else true) };",
		"permit" ANY " when { context.args.approvals == 1 && context has other };",
		"permit" ANY ";"};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		if (!is_monotone(good[i]))
			fail_msg("refused: %s", good[i]);
	}
}

static struct cedar_explanation explain(
	struct world *world, const char *policy, struct cedar_policy_set **set)
{
	struct cedar_explanation explanation;

	*set = set_of(policy);
	assert_true(cedar_explain_policy(*set, 0, world->entities, &world->request, world->arena,
		&explanation, &world->err));
	return explanation;
}

#define assert_explained(world, policy, expected, part)                                            \
	do {                                                                                       \
		struct cedar_policy_set *set;                                                      \
		struct cedar_explanation got = explain((world), (policy), &set);                   \
		assert_int_equal(got.outcome, (expected));                                         \
		if (!cedar_text_is_part(got.text, (part)))                                         \
			fail_msg("%.*s", (int)got.text.length, got.text.data);                     \
		cedar_policy_set_destroy(&set);                                                    \
	} while (0)

static bool cedar_text_is_part(struct cedar_text text, const char *expected)
{
	return text.length == strlen(expected) &&
	       (text.length == 0 || memcmp(text.data, expected, text.length) == 0);
}

static void the_first_part_that_settles_a_policy_is_named(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, "{\"n\":1}");
	assert_explained(&world, "permit" ANY " when { true };", CEDAR_OUTCOME_SATISFIED, "");
	assert_explained(&world, "permit(principal==U::\"q\", action, resource);",
		CEDAR_OUTCOME_PRINCIPAL, "principal == U::\"q\"");
	assert_explained(&world, "permit(principal, action == Action::\"b\", resource is X);",
		CEDAR_OUTCOME_ACTION, "action == Action::\"b\"");
	assert_explained(&world, "permit(principal, action, resource is X);",
		CEDAR_OUTCOME_RESOURCE, "resource is X");
	assert_explained(&world,
		"permit" ANY " when { context.n == 1 && (context.n == 2 && context.n == 3) };",
		CEDAR_OUTCOME_WHEN_FALSE, "context.n == 2");
	assert_explained(&world, "permit" ANY " unless { context.n == 2 || context.n == 1 };",
		CEDAR_OUTCOME_UNLESS_TRUE, "context.n == 1");
	assert_explained(&world, "permit" ANY " when { context.n == 1 && context.m.x == 2 };",
		CEDAR_OUTCOME_ERROR, "context.m");
	assert_explained(
		&world, "permit" ANY " when { context.n };", CEDAR_OUTCOME_ERROR, "context.n");
	world_close(&world);
}

static void an_explanation_counts_clauses_and_lines(void **state)
{
	struct world world;
	struct cedar_policy_set *set;
	struct cedar_explanation got;

	(void)state;
	world_open(&world, NULL, "{\"n\":1}");
	got = explain(&world, "\npermit" ANY "\nwhen { true }\nwhen { true && false };", &set);
	assert_int_equal(got.clause, 1);
	assert_int_equal(got.range.line, 4);
	assert_int_equal(got.range.column, 16);
	cedar_policy_set_destroy(&set);
	world_close(&world);
}

static void note_lost(void *closure, const struct text *path, size_t count)
{
	struct cedar_text names[8];

	assert_true(count <= 8);
	for (size_t i = 0; i < count; i++)
		names[i] = cedar_text_from(path[i]);
	note_path(closure, names, count);
}

static void what_cedar_cannot_hold_is_left_out_and_reported(void **state)
{
	struct arena *arena = arena_create(1 << 20);
	struct paths paths = {""};
	struct cedar_value value;
	struct cedar_text text;
	struct cedar_error err;
	struct error error;
	struct json json;

	(void)state;
	assert_true(json_parse(&json, arena,
		TEXT("{\"a\":null,\"b\":{\"c\":1.5,\"d\":2},\"e\":[1,null,{\"f\":1e3}],"
		     "\"__entity\":{\"type\":\"A\",\"id\":\"x\"}}"),
		&json_limits_default, &error));
	assert_true(cedar_value_from_json(&value, arena, &json, note_lost, &paths, &err));
	assert_string_equal(paths.text, "[a][b.c][e][e.f]");
	text = cedar_value_format(cedar_arena_from(arena), &value);
	assert_true(cedar_text_is_part(text, "{\"__entity\": {\"id\": \"x\", \"type\": \"A\"}, "
					     "\"b\": {\"d\": 2}, \"e\": [1, {}]}"));
	json = json_null();
	assert_true(cedar_value_from_json(&value, arena, &json, NULL, NULL, &err));
	assert_int_equal(value.type, CEDAR_NONE);
	arena_destroy(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mention_of_context_is_visited),
		cmocka_unit_test(each_text_that_a_set_is_asked_for_is_visited),
		cmocka_unit_test(a_policy_mentions_what_it_may_read),
		cmocka_unit_test(uses_that_could_let_more_approvals_allow_less_are_refused),
		cmocka_unit_test(uses_that_only_grow_are_accepted),
		cmocka_unit_test(the_first_part_that_settles_a_policy_is_named),
		cmocka_unit_test(an_explanation_counts_clauses_and_lines),
		cmocka_unit_test(what_cedar_cannot_hold_is_left_out_and_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
