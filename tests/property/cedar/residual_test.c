/* The law of residuals: whatever was unknown, once it is known, what is left of a
 * policy says what the whole policy says: satisfied, not satisfied, or failed.  So do
 * its conditions alone, where its scope covers the request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "generator.h"
#include "remit/cedar.h"
#include "support/how_many.h"

enum { WORLDS = 4000, COMPLETIONS = 12, TEXT_BYTES = 1 << 20, ARENA_BYTES = 64 << 20 };

struct world {
	struct generator generator;
	struct cedar_arena *arena;    /* of the world */
	struct cedar_arena *scratch;  /* of one completion */
	struct cedar_policy_set *set; /* one policy */
	struct cedar_entities *entities;
	struct cedar_request request; /* what is known of it is partial's */
	struct cedar_partial partial;
	struct cedar_residual residual;
	struct cedar_text unknowns[CEDAR_UNKNOWNS_MAX];
	unsigned kinds[4], satisfied, unsatisfied, failed, safe;
};

static struct cedar_uid random_uid(struct world *world)
{
	const char *type, *id;

	generate_uid(&world->generator, &type, &id);
	return cedar_uid_of(cedar_text_of(type), cedar_text_of(id));
}

static struct cedar_uid random_action(struct world *world)
{
	static const char *const ids[] = {"a", "b", "c"};

	return cedar_uid_of(
		CEDAR_TEXT("Action"), cedar_text_of(ids[generator_below(&world->generator, 3)]));
}

static struct cedar_value random_context(struct world *world, struct cedar_arena *arena)
{
	struct cedar_value context;
	struct cedar_error err;

	generator_reset(&world->generator);
	generate_context(&world->generator);
	if (!cedar_value_parse_json(&context, arena, cedar_text_of(world->generator.text), &err))
		fail_msg("%s: %s", err.text, world->generator.text);
	return context;
}

static bool is_unknown(const struct world *world, struct cedar_text name)
{
	for (size_t i = 0; i < world->partial.unknown_count; i++)
		if (world->unknowns[i].length == name.length &&
			memcmp(world->unknowns[i].data, name.data, name.length) == 0)
			return true;
	return false;
}

/* Members of from that are unknown (or known) as said, added to members. */
static size_t pick_members(const struct world *world, const struct cedar_value *from, bool unknown,
	struct cedar_member *members, size_t count)
{
	for (uint32_t i = 0; i < from->count; i++)
		if (is_unknown(world, from->members[i].name) == unknown)
			members[count++] = from->members[i];
	return count;
}

static struct cedar_value record_of(
	struct cedar_arena *arena, const struct cedar_member *members, size_t count)
{
	struct cedar_value record;
	struct cedar_error err;

	assert_true(cedar_value_record(&record, arena, members, count, &err));
	return record;
}

/* Names that contexts of the generator have, each unknown or not. */
static void forget_members(struct world *world)
{
	struct cedar_value sample = random_context(world, world->arena);
	struct cedar_member members[64];
	size_t count;

	world->partial.unknowns = world->unknowns;
	world->partial.unknown_count = 0;
	for (uint32_t i = 0; i < sample.count; i++)
		if (generator_below(&world->generator, 2) == 0)
			world->unknowns[world->partial.unknown_count++] = sample.members[i].name;
	sample = random_context(world, world->arena);
	count = pick_members(world, &sample, false, members, 0);
	world->partial.context = record_of(world->arena, members, count);
}

static void forget(struct world *world)
{
	struct cedar_request *request = &world->request;

	world->partial = (struct cedar_partial){.principal = &request->principal,
		.action = &request->action,
		.resource = &request->resource};
	request->principal = random_uid(world);
	request->action = random_action(world);
	request->resource = random_uid(world);
	if (generator_below(&world->generator, 3) == 0)
		world->partial.principal = NULL;
	if (generator_below(&world->generator, 4) == 0)
		world->partial.action = NULL;
	if (generator_below(&world->generator, 3) == 0)
		world->partial.resource = NULL;
	forget_members(world);
}

static void complete(struct world *world)
{
	struct cedar_member members[64];
	struct cedar_value other;
	size_t count;

	cedar_arena_reset(world->scratch);
	if (world->partial.principal == NULL)
		world->request.principal = random_uid(world);
	if (world->partial.action == NULL)
		world->request.action = random_action(world);
	if (world->partial.resource == NULL)
		world->request.resource = random_uid(world);
	other = random_context(world, world->scratch);
	count = pick_members(world, &world->partial.context, false, members, 0);
	count = pick_members(world, &other, true, members, count);
	world->request.context = record_of(world->scratch, members, count);
}

enum says { SAYS_NO = 0, SAYS_YES, SAYS_FAILED };

static enum says whole_says(struct world *world)
{
	struct cedar_answer answer;
	struct cedar_error err;

	if (!cedar_authorize(
		    world->set, world->entities, &world->request, world->scratch, &answer, &err))
		fail_msg("%s", err.text);
	return answer.error_count > 0 ? SAYS_FAILED : answer.reason_count > 0 ? SAYS_YES : SAYS_NO;
}

/* What an expression, written out and read again, says. */
static enum says text_says(struct world *world, struct cedar_text text)
{
	struct cedar_expression *expression;
	struct cedar_value value = {.type = CEDAR_NONE};
	struct cedar_error err = {.code = CEDAR_ERROR_NONE};
	bool ok;

	if (!cedar_expression_parse(&expression, text, &err))
		fail_msg("%s: %.*s", err.text, (int)text.length, text.data);
	ok = cedar_evaluate_expression(
		expression, world->entities, &world->request, world->scratch, &value, &err);
	cedar_expression_destroy(&expression);
	if (!ok && err.code != CEDAR_ERROR_EVALUATION)
		fail_msg("%s", err.text);
	if (!ok || value.type != CEDAR_BOOL)
		return SAYS_FAILED;
	return value.boolean ? SAYS_YES : SAYS_NO;
}

/* Its conditions one after the other say the same as the whole text. */
static enum says conditions_say(struct world *world)
{
	enum says says = SAYS_YES;

	for (size_t i = 0; i < world->residual.condition_count && says == SAYS_YES; i++)
		says = text_says(world, world->residual.conditions[i]);
	return says;
}

static enum says residual_says(struct world *world)
{
	switch (world->residual.kind) {
	case CEDAR_RESIDUAL_FALSE: return SAYS_NO;
	case CEDAR_RESIDUAL_TRUE: return SAYS_YES;
	case CEDAR_RESIDUAL_FAILED: return SAYS_FAILED;
	case CEDAR_RESIDUAL_CONDITION: break;
	}
	return text_says(world, world->residual.text);
}

static void check_completion(struct world *world)
{
	enum says expected = whole_says(world), found = residual_says(world);
	struct cedar_policy policy = cedar_policy_set_get(world->set, 0);

	if (expected != found)
		fail_msg("whole %d, residual %d: %.*s\nof %.*s", expected, found,
			(int)world->residual.text.length, world->residual.text.data,
			(int)policy.source.length, policy.source.data);
	if (world->residual.kind == CEDAR_RESIDUAL_CONDITION)
		assert_int_equal(conditions_say(world), expected);
	if (cedar_policy_applies(world->set, 0, world->entities, &world->request))
		assert_int_equal(text_says(world, cedar_policy_format_condition(
							  world->set, 0, world->scratch)),
			expected);
	if (!world->residual.may_fail && expected == SAYS_FAILED)
		fail_msg("it may not fail: %.*s\nof %.*s", (int)world->residual.text.length,
			world->residual.text.data, (int)policy.source.length, policy.source.data);
	world->satisfied += expected == SAYS_YES;
	world->unsatisfied += expected == SAYS_NO;
	world->failed += expected == SAYS_FAILED;
}

static void world_fill(struct world *world)
{
	struct cedar_error err;

	cedar_arena_reset(world->arena);
	generator_reset(&world->generator);
	if (generator_below(&world->generator, 2) == 0)
		generate_policy(&world->generator);
	else
		generate_indexable_policy(&world->generator);
	if (!cedar_policy_set_parse(&world->set, cedar_text_of(world->generator.text), NULL, &err))
		fail_msg("%s: %s", err.text, world->generator.text);
	generator_reset(&world->generator);
	generate_entities(&world->generator);
	assert_true(cedar_entities_create(&world->entities, &err));
	if (!cedar_entities_add_json(world->entities, cedar_text_of(world->generator.text), &err) ||
		!cedar_entities_seal(world->entities, &err))
		fail_msg("%s: %s", err.text, world->generator.text);
}

static void check_world(struct world *world)
{
	struct cedar_error err;

	world_fill(world);
	forget(world);
	if (!cedar_policy_residual(world->set, 0, world->entities, &world->partial, world->arena,
		    &world->residual, &err))
		fail_msg("%s", err.text);
	world->kinds[world->residual.kind]++;
	world->safe +=
		world->residual.kind == CEDAR_RESIDUAL_CONDITION && !world->residual.may_fail;
	for (int i = 0; i < COMPLETIONS; i++) {
		complete(world);
		check_completion(world);
	}
	cedar_policy_set_destroy(&world->set);
	cedar_entities_destroy(&world->entities);
}

static void a_residual_says_what_the_policy_says_once_all_is_known(void **state)
{
	static struct world world;
	uint64_t worlds = cases_given(WORLDS);

	(void)state;
	world.generator.state = generator_seed();
	world.generator.capacity = TEXT_BYTES;
	world.generator.text = malloc(TEXT_BYTES);
	world.arena = cedar_arena_create(ARENA_BYTES);
	world.scratch = cedar_arena_create(ARENA_BYTES);
	assert_true(world.generator.text != NULL && world.arena != NULL && world.scratch != NULL);
	for (uint64_t i = 0; i < worlds; i++)
		check_world(&world);
	printf("residuals: %u false, %u true, %u failed, %u conditions (%u cannot fail); "
	       "completions: %u satisfied, %u not, %u failed\n",
		world.kinds[0], world.kinds[1], world.kinds[2], world.kinds[3], world.safe,
		world.satisfied, world.unsatisfied, world.failed);
	/* The law says something only if each case is met. */
	for (int i = 0; i < 4; i++)
		assert_true(worlds < WORLDS || world.kinds[i] > 0);
	assert_true(worlds < WORLDS || (world.safe > 0 && world.failed > 0));
	cedar_arena_destroy(&world.arena);
	cedar_arena_destroy(&world.scratch);
	free(world.generator.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_residual_says_what_the_policy_says_once_all_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
