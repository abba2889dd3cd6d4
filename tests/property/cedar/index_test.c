/* The index changes nothing: what a set of many policies, templates and links
 * answers is what its policies answer one by one, each alone in a set that is too
 * small to be indexed; and of those that are no candidates of a request that is
 * partly unknown nothing is left.  Nor does JSON: a set written and read is the
 * same set. */
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

enum {
	WORLDS = 300,
	REQUESTS = 12,
	POLICIES_MAX = 40,
	TEMPLATES_MAX = 6,
	LINKS_MAX = 30,
	ALL_MAX = POLICIES_MAX + LINKS_MAX,
	TEXT_BYTES = 1 << 20,
	ARENA_BYTES = 64 << 20,
};

struct world {
	struct generator generator;
	struct cedar_arena *arena;
	struct cedar_policy_set *set;          /* all policies */
	struct cedar_policy_set *read;         /* the same through JSON */
	struct cedar_policy_set *one[ALL_MAX]; /* each alone */
	struct cedar_entities *entities;
	struct cedar_request request;
	uint32_t slots[TEMPLATES_MAX];
	uint32_t template_count;
	unsigned allowed, denied, failed, ruled_out, candidates;
};

static struct cedar_uid random_uid(struct world *world)
{
	const char *type, *id;

	generate_uid(&world->generator, &type, &id);
	return cedar_uid_of(cedar_text_of(type), cedar_text_of(id));
}

static void add_generated(struct world *world)
{
	struct cedar_error err;

	if (!cedar_policy_set_add_text(
		    world->set, cedar_text_of(world->generator.text), NULL, &err))
		fail_msg("%u:%u: %s in %s", err.line, err.column, err.text, world->generator.text);
}

static void add_policies(struct world *world)
{
	uint32_t count = 10 + generator_below(&world->generator, POLICIES_MAX - 10);

	for (uint32_t i = 0; i < count; i++) {
		generator_reset(&world->generator);
		if (generator_below(&world->generator, 3) == 0)
			generate_policy(&world->generator);
		else
			generate_indexable_policy(&world->generator);
		add_generated(world);
	}
	world->template_count = generator_below(&world->generator, TEMPLATES_MAX);
	for (uint32_t i = 0; i < world->template_count; i++) {
		generator_reset(&world->generator);
		world->slots[i] = generate_template(&world->generator);
		add_generated(world);
	}
}

static void add_links(struct world *world)
{
	uint32_t count =
		world->template_count == 0 ? 0 : generator_below(&world->generator, LINKS_MAX);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = generator_below(&world->generator, world->template_count);
		struct cedar_uid principal = random_uid(world), resource = random_uid(world);
		struct cedar_link link = {
			.template_id = cedar_policy_set_get_template(world->set, at).id};
		struct cedar_error err;
		char id[16];

		(void)snprintf(id, sizeof id, "link%u", i);
		link.id = cedar_text_of(id);
		link.principal = (world->slots[at] & CEDAR_SLOT_PRINCIPAL) != 0 ? &principal : NULL;
		link.resource = (world->slots[at] & CEDAR_SLOT_RESOURCE) != 0 ? &resource : NULL;
		if (!cedar_policy_set_link(world->set, &link, &err))
			fail_msg("%s", err.text);
	}
}

static void split(struct world *world)
{
	struct cedar_error err;

	for (size_t i = 0; i < cedar_policy_set_count(world->set); i++) {
		struct cedar_text text = cedar_policy_format(world->set, i, world->arena);

		if (!cedar_policy_set_parse(&world->one[i], text, NULL, &err))
			fail_msg("%s: %.*s", err.text, (int)text.length, text.data);
	}
}

static void pass_through_json(struct world *world)
{
	struct cedar_text json = cedar_policy_set_format_json(world->set, world->arena), again;
	struct cedar_error err;

	assert_true(cedar_policy_set_create(&world->read, &err));
	if (!cedar_policy_set_add_set_json(world->read, json, &err))
		fail_msg("%u:%u: %s in %.*s", err.line, err.column, err.text, (int)json.length,
			json.data);
	again = cedar_policy_set_format_json(world->read, world->arena);
	assert_int_equal(json.length, again.length);
	assert_memory_equal(json.data, again.data, json.length);
	assert_true(cedar_policy_set_seal(world->read, &err));
}

static void world_fill(struct world *world)
{
	struct cedar_error err;

	cedar_arena_reset(world->arena);
	assert_true(cedar_policy_set_create(&world->set, &err));
	add_policies(world);
	add_links(world);
	split(world);
	pass_through_json(world);
	assert_true(cedar_policy_set_seal(world->set, &err));
	generator_reset(&world->generator);
	generate_entities(&world->generator);
	assert_true(cedar_entities_create(&world->entities, &err));
	assert_true(cedar_entities_add_json(
		world->entities, cedar_text_of(world->generator.text), &err));
	assert_true(cedar_entities_seal(world->entities, &err));
}

static void world_empty(struct world *world)
{
	for (size_t i = 0; i < cedar_policy_set_count(world->set); i++)
		cedar_policy_set_destroy(&world->one[i]);
	cedar_policy_set_destroy(&world->set);
	cedar_policy_set_destroy(&world->read);
	cedar_entities_destroy(&world->entities);
}

static void world_ask(struct world *world)
{
	static const char *const actions[] = {"a", "b", "c"};
	struct cedar_error err;

	cedar_arena_reset(world->arena);
	generator_reset(&world->generator);
	generate_context(&world->generator);
	world->request.principal = random_uid(world);
	world->request.action = cedar_uid_of(CEDAR_TEXT("Action"),
		cedar_text_of(actions[generator_below(&world->generator, 3)]));
	world->request.resource = random_uid(world);
	assert_true(cedar_value_parse_json(
		&world->request.context, world->arena, cedar_text_of(world->generator.text), &err));
}

static bool lists(const struct cedar_answer *answer, size_t policy)
{
	for (size_t i = 0; i < answer->reason_count; i++) {
		if (answer->reasons[i] == policy)
			return true;
	}
	return false;
}

/* The error of that policy, or NULL. */
static const struct cedar_policy_error *error_of(const struct cedar_answer *answer, size_t policy)
{
	for (size_t i = 0; i < answer->error_count; i++) {
		if (answer->errors[i].policy == policy)
			return &answer->errors[i];
	}
	return NULL;
}

static void check_ascending(const struct cedar_answer *answer)
{
	for (size_t i = 1; i < answer->reason_count; i++)
		assert_true(answer->reasons[i - 1] < answer->reasons[i]);
	for (size_t i = 1; i < answer->error_count; i++)
		assert_true(answer->errors[i - 1].policy < answer->errors[i].policy);
}

static struct cedar_answer ask(const struct world *world, const struct cedar_policy_set *set)
{
	struct cedar_answer answer;
	struct cedar_error err;

	if (!cedar_authorize(set, world->entities, &world->request, world->arena, &answer, &err))
		fail_msg("%s", err.text);
	return answer;
}

static void law_json(const struct world *world)
{
	struct cedar_answer written = ask(world, world->set), read = ask(world, world->read);

	assert_int_equal(written.decision, read.decision);
	assert_int_equal(written.reason_count, read.reason_count);
	assert_int_equal(written.error_count, read.error_count);
	for (size_t i = 0; i < written.reason_count; i++)
		assert_int_equal(written.reasons[i], read.reasons[i]);
	for (size_t i = 0; i < written.error_count; i++)
		assert_int_equal(written.errors[i].policy, read.errors[i].policy);
}

static void law_one_by_one(struct world *world)
{
	struct cedar_answer all = ask(world, world->set), alone[ALL_MAX];
	size_t count = cedar_policy_set_count(world->set), forbids = 0, permits = 0;

	for (size_t i = 0; i < count; i++) {
		enum cedar_effect effect = cedar_policy_set_get(world->set, i).effect;

		alone[i] = ask(world, world->one[i]);
		forbids += effect == CEDAR_FORBID && alone[i].reason_count == 1;
		permits += effect == CEDAR_PERMIT && alone[i].reason_count == 1;
	}
	check_ascending(&all);
	assert_int_equal(all.decision, forbids == 0 && permits > 0 ? CEDAR_ALLOW : CEDAR_DENY);
	for (size_t i = 0; i < count; i++) {
		enum cedar_effect effect = cedar_policy_set_get(world->set, i).effect;
		bool decides = effect == CEDAR_FORBID || forbids == 0;
		const struct cedar_policy_error *error = error_of(&all, i);

		assert_int_equal(lists(&all, i), decides && alone[i].reason_count == 1);
		assert_int_equal(error != NULL, alone[i].error_count == 1);
		if (error != NULL) {
			assert_int_equal(error->text.length, alone[i].errors[0].text.length);
			assert_memory_equal(
				error->text.data, alone[i].errors[0].text.data, error->text.length);
		}
	}
	world->allowed += all.decision == CEDAR_ALLOW;
	world->denied += all.reason_count > 0 && all.decision == CEDAR_DENY;
	world->failed += all.error_count > 0;
}

/* The request without some members of its context, and rarely without a variable. */
static struct cedar_partial forget(struct world *world, struct cedar_text *unknowns)
{
	const struct cedar_request *request = &world->request;
	struct cedar_partial partial = {.principal = &request->principal,
		.action = &request->action,
		.resource = &request->resource,
		.unknowns = unknowns};
	struct cedar_member known[64];
	struct cedar_error err;
	size_t count = 0;

	for (uint32_t i = 0; i < request->context.count; i++) {
		if (generator_below(&world->generator, 3) == 0)
			unknowns[partial.unknown_count++] = request->context.members[i].name;
		else
			known[count++] = request->context.members[i];
	}
	if (generator_below(&world->generator, 20) == 0)
		partial.resource = NULL;
	assert_true(cedar_value_record(&partial.context, world->arena, known, count, &err));
	return partial;
}

static void law_candidates(struct world *world)
{
	struct cedar_text unknowns[CEDAR_UNKNOWNS_MAX];
	struct cedar_partial partial = forget(world, unknowns);
	struct cedar_candidates found;
	struct cedar_residual residual;
	struct cedar_error err;
	size_t at = 0;

	assert_true(cedar_partial_candidates(
		world->set, world->entities, &partial, world->arena, &found, &err));
	for (size_t i = 0; i < cedar_policy_set_count(world->set); i++) {
		if (at < found.count && found.policies[at] == i) {
			at++;
			continue;
		}
		world->ruled_out++;
		assert_true(cedar_policy_residual(
			world->set, i, world->entities, &partial, world->arena, &residual, &err));
		assert_int_equal(residual.kind, CEDAR_RESIDUAL_FALSE);
	}
	assert_int_equal(at, found.count);
	world->candidates += (unsigned)at;
}

static void an_indexed_set_answers_like_its_policies_one_by_one_and_through_json(void **state)
{
	struct world *world = *state;
	uint64_t worlds = worlds_given(WORLDS);

	for (uint64_t i = 0; i < worlds; i++) {
		world_fill(world);
		for (int r = 0; r < REQUESTS; r++) {
			world_ask(world);
			law_one_by_one(world);
			law_json(world);
			law_candidates(world);
		}
		world_empty(world);
	}
	printf("%u allowed, %u forbidden, %u with errors; %u candidates, %u ruled out\n",
		world->allowed, world->denied, world->failed, world->candidates, world->ruled_out);
	assert_true(worlds < WORLDS || world->allowed > worlds / 10);
	assert_true(worlds < WORLDS || world->denied > worlds / 10);
	assert_true(worlds < WORLDS || world->failed > worlds / 10);
	assert_true(worlds < WORLDS || world->ruled_out > world->candidates / 10);
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	if (world == NULL)
		return -1;
	world->generator.state = generator_seed();
	world->generator.capacity = TEXT_BYTES;
	world->generator.text = malloc(TEXT_BYTES);
	world->arena = cedar_arena_create(ARENA_BYTES);
	*state = world;
	return world->generator.text == NULL || world->arena == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	cedar_arena_destroy(&world->arena);
	free(world->generator.text);
	free(world);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_indexed_set_answers_like_its_policies_one_by_one_and_through_json),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
