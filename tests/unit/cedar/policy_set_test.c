#include "cedar/policy_set.h"

#include "support.h"

#define ANY "(principal, action, resource)"

static void nothing_is_allowed_without_a_permit(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_answer(&world, "", "deny [] []");
	assert_answer(&world, "forbid" ANY " when { false };", "deny [] []");
	assert_answer(&world, "permit" ANY " when { false };", "deny [] []");
	assert_answer(&world, "permit" ANY " unless { true };", "deny [] []");
	world_close(&world);
}

static void a_forbid_beats_every_permit(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_answer(&world, "permit" ANY ";forbid" ANY ";permit" ANY ";", "deny [1] []");
	assert_answer(&world, "permit" ANY ";forbid" ANY " when { false };permit" ANY ";",
		"allow [0 2] []");
	assert_answer(&world, "forbid" ANY ";permit" ANY ";forbid" ANY ";", "deny [0 2] []");
	world_close(&world);
}

static void a_policy_that_fails_decides_nothing_and_is_reported(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_answer(&world, "permit" ANY " when { context.x };", "deny [] [0]");
	assert_answer(&world, "permit" ANY ";forbid" ANY " when { context.x };", "allow [0] [1]");
	assert_answer(&world, "forbid" ANY ";permit" ANY " when { 1 };", "deny [0] [1]");
	assert_answer(&world, "permit" ANY " unless { 1 };", "deny [] [0]");
	assert_answer(&world, "permit" ANY " when { false } when { context.x };", "deny [] []");
	assert_answer(&world, "permit" ANY " when { true } unless { context.x };", "deny [] [0]");
	world_close(&world);
}

static void an_error_names_its_place_in_the_policy_text(void **state)
{
	struct cedar_policy_set *set =
		set_of("permit" ANY ";\npermit" ANY "\n  when { true && context.x.y };");
	struct cedar_answer answer;
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_true(cedar_authorize(set, NULL, &world.request, world.arena, &answer, &world.err));
	assert_int_equal(answer.error_count, 1);
	assert_int_equal(answer.errors[0].range.line, 3);
	assert_int_equal(answer.errors[0].range.column, 18);
	assert_int_equal(answer.errors[0].range.length, strlen("context.x"));
	assert_non_null(strstr(answer.errors[0].text.data, "\"x\""));
	cedar_policy_set_destroy(&set);
	world_close(&world);
}

static void every_form_of_scope_is_checked(void **state)
{
	static const char entities[] = "[{\"uid\":{\"type\":\"U\",\"id\":\"p\"},\"attrs\":{},"
				       "\"parents\":[{\"type\":\"G\",\"id\":\"g\"}]},"
				       "{\"uid\":{\"type\":\"Action\",\"id\":\"a\"},\"attrs\":{},"
				       "\"parents\":[{\"type\":\"Action\",\"id\":\"all\"}]}]";
	static const char *const matching[] = {"(principal == U::\"p\", action, resource)",
		"(principal in G::\"g\", action, resource)", "(principal is U, action, resource)",
		"(principal is U in G::\"g\", action, resource)",
		"(principal in U::\"p\", action == Action::\"a\", resource)",
		"(principal, action in Action::\"all\", resource)",
		"(principal, action in [Action::\"b\", Action::\"a\"], resource)",
		"(principal, action, resource == R::\"r\")", "(principal, action, resource is R)"};
	static const char *const missing[] = {"(principal == U::\"q\", action, resource)",
		"(principal == G::\"g\", action, resource)",
		"(principal in G::\"h\", action, resource)", "(principal is G, action, resource)",
		"(principal is G in G::\"g\", action, resource)",
		"(principal is U in G::\"h\", action, resource)",
		"(principal, action == Action::\"all\", resource)",
		"(principal, action in [], resource)",
		"(principal, action in [Action::\"b\"], resource)",
		"(principal, action, resource == R::\"R\")", "(principal, action, resource is U)"};
	struct world world;
	char policy[256];

	(void)state;
	world_open(&world, entities, NULL);
	for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
		(void)snprintf(policy, sizeof policy, "permit%s;", missing[i]);
		assert_answer(&world, policy, "deny [] []");
	}
	for (size_t i = 0; i < sizeof matching / sizeof matching[0]; i++) {
		(void)snprintf(policy, sizeof policy, "permit%s;", matching[i]);
		assert_answer(&world, policy, "allow [0] []");
	}
	world_close(&world);
}

static void a_failed_addition_leaves_the_set_as_it_was(void **state)
{
	struct cedar_text ids[] = {CEDAR_TEXT("a"), CEDAR_TEXT("b"), CEDAR_TEXT("a")};
	struct cedar_naming naming = {.ids = ids, .id_count = 3};
	struct cedar_policy_set *set;
	struct cedar_answer answer;
	struct world world;
	size_t index;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_true(cedar_policy_set_create(&set, &world.err));
	assert_true(cedar_policy_set_add_text(
		set, CEDAR_TEXT("permit" ANY " when { 1 == 1 };"), NULL, &world.err));
	assert_false(cedar_policy_set_add_text(set,
		CEDAR_TEXT("forbid" ANY ";forbid" ANY ";\nforbid" ANY ";"), &naming, &world.err));
	assert_non_null(strstr(world.err.text, "taken"));
	assert_int_equal(world.err.line, 2);
	naming.id_count = 2;
	assert_false(
		cedar_policy_set_add_text(set, CEDAR_TEXT("forbid" ANY ";"), &naming, &world.err));
	assert_false(cedar_policy_set_add_text(
		set, CEDAR_TEXT("forbid" ANY ";forbid"), NULL, &world.err));
	assert_int_equal(cedar_policy_set_count(set), 1);
	assert_false(cedar_policy_set_find(set, ids[0], &index));
	assert_true(cedar_policy_set_seal(set, &world.err));
	assert_true(cedar_authorize(set, NULL, &world.request, world.arena, &answer, &world.err));
	assert_int_equal(answer.decision, CEDAR_ALLOW);
	cedar_policy_set_destroy(&set);
	world_close(&world);
}

static void ids_come_from_position_prefix_or_list(void **state)
{
	struct cedar_text ids[] = {CEDAR_TEXT("x"), CEDAR_TEXT("y")};
	struct cedar_naming prefix = {.prefix = CEDAR_TEXT("org/p#")};
	struct cedar_naming list = {.ids = ids, .id_count = 2};
	struct cedar_policy_set *set;
	struct cedar_error err;
	size_t index;

	(void)state;
	assert_true(cedar_policy_set_create(&set, &err));
	assert_true(cedar_policy_set_add_text(
		set, CEDAR_TEXT("@id(\"z\") permit" ANY ";"), NULL, &err));
	assert_true(cedar_policy_set_add_text(set, CEDAR_TEXT("permit" ANY ";"), &prefix, &err));
	assert_true(cedar_policy_set_add_text(
		set, CEDAR_TEXT("permit" ANY ";forbid" ANY ";"), &list, &err));
	assert_true(cedar_text_is(cedar_policy_set_get(set, 0).id, "policy0"));
	assert_true(cedar_text_is(cedar_policy_set_get(set, 1).id, "org/p#1"));
	assert_true(cedar_policy_set_find(set, CEDAR_TEXT("y"), &index));
	assert_int_equal(index, 3);
	assert_false(cedar_policy_set_find(set, CEDAR_TEXT("z"), &index));
	assert_true(cedar_policy_set_find_effect(set, CEDAR_FORBID, &index));
	assert_int_equal(index, 3);
	cedar_policy_set_destroy(&set);
}

static void a_policy_is_listed_with_annotations_and_source(void **state)
{
	struct cedar_policy_set *set =
		set_of("// first\n  @a(\"1\") @b\npermit" ANY ";\nforbid" ANY ";");
	struct cedar_policy first = cedar_policy_set_get(set, 0);
	struct cedar_policy second = cedar_policy_set_get(set, 1);

	(void)state;
	assert_int_equal(first.effect, CEDAR_PERMIT);
	assert_int_equal(first.annotation_count, 2);
	assert_true(cedar_text_is(first.annotations[0].value, "1"));
	assert_int_equal(first.annotations[1].value.length, 0);
	assert_int_equal(first.range.line, 2);
	assert_int_equal(first.range.column, 3);
	assert_true(cedar_text_is(first.source, "@a(\"1\") @b\npermit" ANY ";"));
	assert_int_equal(second.effect, CEDAR_FORBID);
	assert_int_equal(second.range.line, 4);
	cedar_policy_set_destroy(&set);
}

static void a_permit_of_parts_covers_exactly_its_parts(void **state)
{
	struct world world;
	struct cedar_policy_set *set;
	struct cedar_scope any = {0};
	struct cedar_scope exact;
	struct cedar_answer answer;

	(void)state;
	world_open(&world, NULL, "{\"n\":1}");
	exact = (struct cedar_scope){
		&world.request.principal, &world.request.action, &world.request.resource};
	assert_true(cedar_policy_set_create(&set, &world.err));
	assert_true(cedar_policy_set_add_permit(
		set, CEDAR_TEXT("a"), &exact, CEDAR_TEXT("context.n == 1"), &world.err));
	assert_true(cedar_policy_set_add_permit(
		set, CEDAR_TEXT("b"), &any, CEDAR_TEXT("context.n == 2"), &world.err));
	assert_true(cedar_policy_set_add_permit(
		set, CEDAR_TEXT("c"), &any, CEDAR_TEXT(""), &world.err));
	assert_false(cedar_policy_set_add_permit(
		set, CEDAR_TEXT("c"), &any, CEDAR_TEXT(""), &world.err));
	assert_true(cedar_policy_set_seal(set, &world.err));
	assert_true(cedar_authorize(set, NULL, &world.request, world.arena, &answer, &world.err));
	assert_int_equal(answer.reason_count, 2);
	assert_int_equal(answer.reasons[0], 0);
	assert_int_equal(answer.reasons[1], 2);
	world.request.resource.id = CEDAR_TEXT("other");
	world.request.resource.hash = 0;
	assert_false(cedar_policy_applies(set, 0, NULL, &world.request));
	assert_true(cedar_policy_applies(set, 1, NULL, &world.request));
	cedar_policy_set_destroy(&set);
	world_close(&world);
}

static void a_full_scratch_arena_denies_with_an_error(void **state)
{
	struct cedar_policy_set *set = set_of("permit" ANY ";");
	struct cedar_arena *tiny = cedar_arena_create(8);
	struct cedar_answer answer;
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_false(cedar_authorize(set, NULL, &world.request, tiny, &answer, &world.err));
	assert_int_equal(world.err.code, CEDAR_ERROR_LIMIT);
	assert_int_equal(answer.decision, CEDAR_DENY);
	assert_int_equal(answer.reason_count, 0);
	world.request.context = cedar_value_long(1);
	assert_false(cedar_authorize(set, NULL, &world.request, world.arena, &answer, &world.err));
	assert_int_equal(world.err.code, CEDAR_ERROR_INVALID);
	cedar_arena_destroy(&tiny);
	cedar_policy_set_destroy(&set);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_allowed_without_a_permit),
		cmocka_unit_test(a_forbid_beats_every_permit),
		cmocka_unit_test(a_policy_that_fails_decides_nothing_and_is_reported),
		cmocka_unit_test(an_error_names_its_place_in_the_policy_text),
		cmocka_unit_test(every_form_of_scope_is_checked),
		cmocka_unit_test(a_failed_addition_leaves_the_set_as_it_was),
		cmocka_unit_test(ids_come_from_position_prefix_or_list),
		cmocka_unit_test(a_policy_is_listed_with_annotations_and_source),
		cmocka_unit_test(a_permit_of_parts_covers_exactly_its_parts),
		cmocka_unit_test(a_full_scratch_arena_denies_with_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
