#include "cedar/index.h"
#include "cedar/index_inner.h"
#include "cedar/policy_set.h"
#include "support.h"
enum { FOUND_MAX = 64 };

struct found {
	uint32_t policies[FOUND_MAX];
	uint32_t count;
	uint32_t stop_after; /* lists; 0: never */
	uint32_t lists;
};

static bool note(void *closure, const uint32_t *policies, uint32_t count)
{
	struct found *found = closure;

	for (uint32_t i = 0; i < count; i++) {
		assert_true(found->count < FOUND_MAX);
		found->policies[found->count++] = policies[i];
	}
	return ++found->lists != found->stop_after;
}

static bool walk(struct world *world, const struct cedar_policy_set *set, struct found *found)
{
	struct cedar_uid uids[SCOPE_PARTS];
	struct evaluation evaluation = {.scratch = cedar_arena_inner(world->arena)};

	assert_true(set->is_indexed);
	assert_true(evaluation_init_hashed(
		&evaluation, world->entities, &world->request, uids, &world->err));
	return index_walk(&set->index, &set->program, &evaluation, note, found);
}

/* What is found, as text: "0 3", in the order of policies. */
static const char *found_in(struct world *world, const char *policies)
{
	struct cedar_policy_set *set = set_of(policies);
	struct found found = {.count = 0};
	size_t used = 0;

	assert_true(walk(world, set, &found));
	world->text[0] = '\0';
	for (uint32_t policy = 0; policy < set->count; policy++) {
		bool is_there = false;

		for (uint32_t i = 0; i < found.count; i++)
			is_there |= found.policies[i] == policy;
		if (is_there)
			used += (size_t)snprintf(world->text + used, sizeof world->text - used,
				"%s%u", used == 0 ? "" : " ", policy);
	}
	cedar_policy_set_destroy(&set);
	return world->text;
}

#define ANY "(principal, action, resource)"
#define WHEN(condition) "forbid" ANY " when { " condition " };"
/* Eight that name something else, so that the set is indexed. */
#define OTHERS                                                                                     \
	"permit(principal == U::\"1\", action, resource);"                                         \
	"permit(principal == U::\"2\", action, resource);"                                         \
	"permit(principal in U::\"3\", action, resource);"                                         \
	"permit(principal, action, resource == R::\"4\");"                                         \
	"permit(principal, action, resource in R::\"5\");"                                         \
	"permit(principal, action == Action::\"6\", resource);"                                    \
	"permit(principal is X, action, resource);"                                                \
	"permit(principal, action in [], resource);"

static const char entities[] = "[{\"uid\":{\"type\":\"U\",\"id\":\"p\"},\"attrs\":{\"n\":1},"
			       "\"parents\":[{\"type\":\"G\",\"id\":\"g\"}]}]";

static void what_names_something_else_is_not_found(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, entities, "{\"n\":1,\"s\":\"abc\",\"r\":{\"x\":1}}");
	assert_string_equal(found_in(&world, OTHERS), "");
	assert_string_equal(found_in(&world, OTHERS WHEN("context.n == 2")), "");
	assert_string_equal(found_in(&world, OTHERS WHEN("\"b\" == context.s")), "");
	/* Fewer policies than the record has members are not worth a look-up. */
	assert_string_equal(found_in(&world, OTHERS WHEN("context has m")), "8");
	assert_string_equal(found_in(&world, OTHERS WHEN("context has m") WHEN("context has o")
						     WHEN("context has p")),
		"");
	assert_string_equal(found_in(&world, OTHERS WHEN("principal has m")), "");
	assert_string_equal(found_in(&world, OTHERS WHEN("context.s like \"ac*\"")), "");
	assert_string_equal(found_in(&world, OTHERS WHEN("context.s like \"abcd*\"")), "");
	assert_string_equal(found_in(&world, OTHERS WHEN("context has r && context.n == 2")), "");
	assert_string_equal(found_in(&world, OTHERS WHEN("context.n == 2 && context has r")), "");
	world_close(&world);
}

static void what_the_request_has_is_found(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, entities, "{\"n\":1,\"s\":\"abc\",\"r\":{\"x\":1}}");
	assert_string_equal(
		found_in(&world, OTHERS "permit(principal == U::\"p\", action, resource);"), "8");
	assert_string_equal(
		found_in(&world, OTHERS "permit(principal in G::\"g\", action, resource);"), "8");
	assert_string_equal(
		found_in(&world, OTHERS "permit(principal is U in G::\"g\", action, resource);"),
		"8");
	assert_string_equal(
		found_in(&world, OTHERS "permit(principal, action, resource is R);"), "8");
	assert_string_equal(found_in(&world, OTHERS "permit(principal, action in [Action::\"b\", "
						    "Action::\"a\"], resource);"),
		"8");
	assert_string_equal(found_in(&world, OTHERS WHEN("context.n == 1")), "8");
	assert_string_equal(found_in(&world, OTHERS WHEN("context has n")), "8");
	assert_string_equal(found_in(&world, OTHERS WHEN("principal has n")), "8");
	assert_string_equal(found_in(&world, OTHERS WHEN("context.s like \"ab*c\"")), "8");
	assert_string_equal(found_in(&world, OTHERS WHEN("context has r && context.n == 1")), "8");
	assert_string_equal(found_in(&world, OTHERS WHEN("context.n > 0")), "8");
	assert_string_equal(found_in(&world, OTHERS "forbid" ANY ";"), "8");
	world_close(&world);
}

/* Each of them fails, and each must be in the answer's errors. */
static void what_cannot_be_asked_finds_all_that_ask_it(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, entities, "{\"n\":1}");
	assert_string_equal(
		found_in(&world, OTHERS WHEN("context.m == 2") WHEN("context.m == 3")), "8 9");
	assert_string_equal(found_in(&world, OTHERS WHEN("context.n like \"a*\"")
						     WHEN("context.n like \"b*\"")),
		"8 9");
	assert_string_equal(
		found_in(&world, OTHERS WHEN("context.n has a") WHEN("context.n has b")), "8 9");
	assert_string_equal(found_in(&world, OTHERS WHEN("context.m == 1 && context.n == 5")), "8");
	assert_string_equal(found_in(&world, OTHERS WHEN("context has n && context.m == 5")), "8");
	world_close(&world);
}

static void an_unless_hides_nothing(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, entities, "{\"n\":1}");
	assert_string_equal(
		found_in(&world, OTHERS "forbid" ANY " unless { context.n == 2 };"), "8");
	assert_string_equal(
		found_in(&world, OTHERS "forbid" ANY " unless { false } when { context.n == 2 };"),
		"8");
	world_close(&world);
}

static void a_walk_ends_when_it_is_told_to(void **state)
{
	struct cedar_policy_set *set =
		set_of(OTHERS "forbid" ANY ";permit(principal == U::\"p\", action, resource);");
	struct found found = {.stop_after = 1};
	struct world world;

	(void)state;
	world_open(&world, entities, NULL);
	assert_false(walk(&world, set, &found));
	assert_int_equal(found.lists, 1);
	cedar_policy_set_destroy(&set);
	world_close(&world);
}

/* 32 bytes of a prefix are looked at; what differs later is found too much, and
 * still not satisfied. */
static void a_long_prefix_is_looked_at_in_part(void **state)
{
	static const char same[] = "0123456789abcdef0123456789abcdef";
	char policies[2048], context[128];
	struct world world;

	(void)state;
	for (int length = INDEX_PREFIX_BYTES_MAX - 1; length <= INDEX_PREFIX_BYTES_MAX + 1;
		length++) {
		(void)snprintf(context, sizeof context, "{\"s\":\"%.*s-\"}", length - 1, same);
		world_open(&world, NULL, context);
		(void)snprintf(policies, sizeof policies,
			OTHERS WHEN("context.s like \"%.*s+*\"") WHEN("context.s like \"%.*s-*\""),
			length - 1, same, length - 1, same);
		assert_string_equal(
			found_in(&world, policies), length <= INDEX_PREFIX_BYTES_MAX ? "9" : "8 9");
		assert_answer(&world, policies, "deny [9] []");
		world_close(&world);
	}
}

/* Lists of up to eight actions are filed under each of them, longer ones are not
 * filed by action at all. */
static void a_long_list_of_actions_is_asked_anyway(void **state)
{
	char policies[4096], list[256];
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	for (int count = 7; count <= 9; count++) {
		size_t used = 0;

		for (int i = 0; i < count; i++)
			used += (size_t)snprintf(list + used, sizeof list - used,
				"%sAction::\"x%d\"", i == 0 ? "" : ", ", i);
		(void)snprintf(policies, sizeof policies,
			OTHERS "permit(principal, action in [%s], resource);", list);
		assert_string_equal(found_in(&world, policies), count <= 8 ? "" : "8");
		assert_answer(&world, policies, "deny [] []");
	}
	world_close(&world);
}

/* Each asks something of its own; the third and the last are satisfied, all others fail, as
 * the context lacks what they ask; the last two ask what the first one asks. */
static void answer_different_questions(int count)
{
	static char policies[(INDEX_GROUPS_MAX + 8) * 64];
	char context[64];
	struct cedar_policy_set *set;
	struct cedar_answer answer;
	struct world world;
	size_t used = 0;

	(void)snprintf(context, sizeof context, "{\"q3\":1,\"q%d\":1}", count - 1);
	world_open(&world, NULL, context);
	for (int i = 0; i < count + 2; i++)
		used += (size_t)snprintf(policies + used, sizeof policies - used,
			"permit" ANY " when { context.q%d == 1 };", i < count ? i : 0);
	set = set_of(policies);
	assert_int_equal(
		set->index.group_count, count < INDEX_GROUPS_MAX ? count : INDEX_GROUPS_MAX);
	assert_true(cedar_authorize(set, NULL, &world.request, world.arena, &answer, &world.err));
	assert_int_equal(answer.decision, CEDAR_ALLOW);
	assert_int_equal(answer.reason_count, 2);
	assert_int_equal(answer.reasons[0], 3);
	assert_int_equal(answer.reasons[1], count - 1);
	assert_int_equal(answer.error_count, count);
	cedar_policy_set_destroy(&set);
	world_close(&world);
}

/* Past the limit the rest is asked one by one. */
static void too_many_different_questions_are_still_answered(void **state)
{
	(void)state;
	for (int more = -1; more <= 6; more++)
		answer_different_questions(INDEX_GROUPS_MAX + more);
}

/* All paths are read by both policies; those past the limit are not kept from the first
 * for the second. */
static void a_path_past_those_that_are_kept_is_read_again(void **state)
{
	char tests[2048], policies[8192], context[2048];
	struct world world;

	(void)state;
	for (int count = EVALUATION_PATHS_MAX - 1; count <= EVALUATION_PATHS_MAX + 1; count++) {
		size_t tested = 0, given = 0;

		for (int i = 0; i < count; i++) {
			tested += (size_t)snprintf(tests + tested, sizeof tests - tested,
				"%scontext.p%d + 0 == %d", i == 0 ? "" : " && ", i, i);
			given += (size_t)snprintf(context + given, sizeof context - given,
				"%s\"p%d\":%d", i == 0 ? "{" : ",", i, i);
		}
		(void)snprintf(context + given, sizeof context - given, "}");
		(void)snprintf(policies, sizeof policies,
			"permit" ANY " when { %s };"
			"permit" ANY " when { %s };"
			"permit" ANY " when { %s && context.p%d == 0 };",
			tests, tests, tests, count - 1);
		world_open(&world, NULL, context);
		assert_answer(&world, policies, "allow [0 1] []");
		world_close(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_names_something_else_is_not_found),
		cmocka_unit_test(what_the_request_has_is_found),
		cmocka_unit_test(what_cannot_be_asked_finds_all_that_ask_it),
		cmocka_unit_test(an_unless_hides_nothing),
		cmocka_unit_test(a_walk_ends_when_it_is_told_to),
		cmocka_unit_test(a_long_prefix_is_looked_at_in_part),
		cmocka_unit_test(a_long_list_of_actions_is_asked_anyway),
		cmocka_unit_test(too_many_different_questions_are_still_answered),
		cmocka_unit_test(a_path_past_those_that_are_kept_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
