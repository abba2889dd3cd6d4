#include "cedar/like.h"

#include "support.h"

enum { MANY = 12 };

/* Twelve conditions that are indexed: permits for everybody, as parts and as a text. */
static struct cedar_policy_set *pattern_of(struct cedar_policy_set **named)
{
	static const char *const starts[] = {"context.n == ", "context has n",
		"context.s like \"*x\" || context.n > ", "context.n + 1 > "};
	struct cedar_policy_set *pattern;
	struct cedar_scope any = {0};
	struct cedar_error err;

	assert_true(cedar_policy_set_create(&pattern, &err));
	assert_true(cedar_policy_set_create(named, &err));
	for (int i = 0; i < MANY; i++) {
		char when[64], id[16], user[16], line[16];
		struct cedar_uid principal,
			resource = cedar_uid_of(CEDAR_TEXT("R"), CEDAR_TEXT("r"));
		struct cedar_scope scope = {.principal = &principal, .resource = &resource};

		(void)snprintf(when, sizeof when, "%s%d", starts[i % 4], i / 4);
		(void)snprintf(id, sizeof id, "own%d", i);
		(void)snprintf(user, sizeof user, "u%d", i % 5);
		(void)snprintf(line, sizeof line, "%d", i);
		principal = cedar_uid_of(CEDAR_TEXT("U"), cedar_text_of(user));
		assert_true(cedar_policy_set_add_permit(
			pattern, cedar_text_of(line), &any, cedar_text_of(when), &err));
		assert_true(cedar_policy_set_add_permit(
			*named, cedar_text_of(id), &scope, cedar_text_of(when), &err));
	}
	assert_true(cedar_policy_set_seal(pattern, &err));
	assert_true(cedar_policy_set_seal(*named, &err));
	return pattern;
}

/* The same scopes and ids again, over the pattern. */
static struct cedar_policy_set *like(const struct cedar_policy_set *pattern)
{
	struct cedar_like likes[MANY];
	struct cedar_uid principals[MANY],
		resource = cedar_uid_of(CEDAR_TEXT("R"), CEDAR_TEXT("r"));
	char ids[MANY][16], users[MANY][16];
	struct cedar_policy_set *set;
	struct cedar_error err;

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(ids[i], sizeof ids[i], "own%d", i);
		(void)snprintf(users[i], sizeof users[i], "u%d", i % 5);
		principals[i] = cedar_uid_of(CEDAR_TEXT("U"), cedar_text_of(users[i]));
		likes[i] = (struct cedar_like){
			cedar_text_of(ids[i]), {&principals[i], NULL, &resource}};
	}
	assert_true(cedar_policy_set_like(&set, pattern, likes, &err));
	return set;
}

static void assert_same_answer(struct world *world, const struct cedar_policy_set *left,
	const struct cedar_policy_set *right)
{
	struct cedar_answer a, b;

	assert_true(cedar_authorize(left, NULL, &world->request, world->arena, &a, &world->err));
	assert_true(cedar_authorize(right, NULL, &world->request, world->arena, &b, &world->err));
	assert_int_equal(a.decision, b.decision);
	assert_int_equal(a.reason_count, b.reason_count);
	assert_int_equal(a.error_count, b.error_count);
	for (size_t i = 0; i < a.reason_count; i++)
		assert_int_equal(a.reasons[i], b.reasons[i]);
	for (size_t i = 0; i < a.error_count; i++) {
		assert_int_equal(a.errors[i].policy, b.errors[i].policy);
		assert_int_equal(a.errors[i].range.start, b.errors[i].range.start);
		assert_int_equal(a.errors[i].range.length, b.errors[i].range.length);
	}
}

static void assert_same_account(struct world *world, const struct cedar_policy_set *left,
	const struct cedar_policy_set *right, size_t index)
{
	struct cedar_policy a = cedar_policy_set_get(left, index);
	struct cedar_policy b = cedar_policy_set_get(right, index);
	struct cedar_text text = cedar_policy_format(left, index, world->arena);
	struct cedar_account told, ought;

	assert_int_equal(a.id.length, b.id.length);
	assert_memory_equal(a.id.data, b.id.data, a.id.length);
	assert_int_equal(a.source.length, b.source.length);
	assert_memory_equal(a.source.data, b.source.data, a.source.length);
	assert_memory_equal(&a.range, &b.range, sizeof a.range);
	assert_memory_equal(
		text.data, cedar_policy_format(right, index, world->arena).data, text.length);
	assert_true(cedar_account_policy(
		left, index, NULL, &world->request, world->arena, &told, &world->err));
	assert_true(cedar_account_policy(
		right, index, NULL, &world->request, world->arena, &ought, &world->err));
	assert_int_equal(told.outcome, ought.outcome);
	assert_int_equal(told.part_count, ought.part_count);
	assert_int_equal(told.decisive, ought.decisive);
	for (size_t i = 0; i < told.part_count; i++) {
		assert_memory_equal(
			&told.parts[i].range, &ought.parts[i].range, sizeof(struct cedar_range));
		assert_int_equal(told.parts[i].result, ought.parts[i].result);
	}
}

static void an_id_given_twice_is_refused(void **state)
{
	struct cedar_policy_set *named, *pattern = pattern_of(&named), *set;
	struct cedar_like likes[MANY];
	struct cedar_error err;

	(void)state;
	for (int i = 0; i < MANY; i++)
		likes[i] = (struct cedar_like){.id = CEDAR_TEXT("same")};
	assert_false(cedar_policy_set_like(&set, pattern, likes, &err));
	assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	assert_null(set);
	cedar_policy_set_destroy(&pattern);
	cedar_policy_set_destroy(&named);
}

static void a_scope_without_a_type_is_refused(void **state)
{
	struct cedar_uid bad = cedar_uid_of(CEDAR_TEXT("no type"), CEDAR_TEXT("x"));
	struct cedar_policy_set *pattern = set_of("permit(principal, action, resource);"), *set;
	struct cedar_like one = {CEDAR_TEXT("a"), {.action = &bad}};
	struct cedar_error err;

	(void)state;
	assert_false(cedar_policy_set_like(&set, pattern, &one, &err));
	assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	assert_null(set);
	cedar_policy_set_destroy(&pattern);
}

static void a_set_of_no_policies_has_others_like_it(void **state)
{
	struct cedar_policy_set *pattern = set_of(""), *set;
	struct cedar_error err;
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_true(cedar_policy_set_like(&set, pattern, NULL, &err));
	assert_int_equal(cedar_policy_set_count(set), 0);
	assert_same_answer(&world, set, pattern);
	cedar_policy_set_destroy(&set);
	cedar_policy_set_destroy(&pattern);
	world_close(&world);
}

static void it_answers_and_explains_as_if_compiled_on_its_own(void **state)
{
	static const char *const contexts[] = {"{}", "{\"n\":0}", "{\"n\":2,\"s\":\"x1\"}",
		"{\"n\":\"no\",\"n1\":1}", "{\"n\":9223372036854775807,\"s\":\"x2y\",\"n0\":1}"};
	struct cedar_policy_set *named, *pattern = pattern_of(&named);
	struct cedar_policy_set *first = like(pattern), *second = like(pattern);
	struct world world;

	(void)state;
	for (size_t c = 0; c < sizeof contexts / sizeof contexts[0]; c++) {
		for (int user = 0; user < 6; user++) {
			char id[16];

			(void)snprintf(id, sizeof id, "u%d", user);
			world_open(&world, NULL, contexts[c]);
			world.request.principal = cedar_uid_of(CEDAR_TEXT("U"), cedar_text_of(id));
			assert_same_answer(&world, first, named);
			assert_same_answer(&world, second, named);
			for (size_t i = 0; i < MANY; i++)
				assert_same_account(&world, first, named, i);
			world_close(&world);
		}
	}
	cedar_policy_set_destroy(&first);
	cedar_policy_set_destroy(&second);
	cedar_policy_set_destroy(&pattern);
	cedar_policy_set_destroy(&named);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_given_twice_is_refused),
		cmocka_unit_test(a_scope_without_a_type_is_refused),
		cmocka_unit_test(a_set_of_no_policies_has_others_like_it),
		cmocka_unit_test(it_answers_and_explains_as_if_compiled_on_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
