/* Laws of decisions, over random policies in random worlds. */
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
	WORLDS = 2500,
	REQUESTS = 8,
	POLICIES_MAX = 6,
	TEXT_BYTES = 1 << 20,
	ARENA_BYTES = 64 << 20,
};

struct world {
	struct generator generator;
	char *policies[POLICIES_MAX]; /* one text each */
	uint32_t policy_count;
	struct cedar_entities *entities;
	struct cedar_arena *arena;
	struct cedar_request request;
	unsigned allowed, denied, failed; /* what law_order has seen */
};

static char *copy_text(const struct generator *generator)
{
	char *copy = malloc(generator->length + 1);

	assert_non_null(copy);
	memcpy(copy, generator->text, generator->length + 1);
	return copy;
}

static void world_fill(struct world *world)
{
	struct cedar_error err;

	world->policy_count = 1 + generator_below(&world->generator, POLICIES_MAX);
	for (uint32_t i = 0; i < world->policy_count; i++) {
		generator_reset(&world->generator);
		generate_policy(&world->generator);
		world->policies[i] = copy_text(&world->generator);
	}
	generator_reset(&world->generator);
	generate_entities(&world->generator);
	assert_true(cedar_entities_create(&world->entities, &err));
	if (!cedar_entities_add_json(world->entities, cedar_text_of(world->generator.text), &err) ||
		!cedar_entities_seal(world->entities, &err))
		fail_msg("%s: %s", err.text, world->generator.text);
}

static struct cedar_text one_of(struct world *world, const char *a, const char *b, const char *c)
{
	const char *const names[] = {a, b, c};

	return cedar_text_of(names[generator_below(&world->generator, 3)]);
}

static void world_ask(struct world *world)
{
	struct cedar_error err;

	cedar_arena_reset(world->arena);
	generator_reset(&world->generator);
	generate_context(&world->generator);
	world->request.principal =
		cedar_uid_of(one_of(world, "U", "U", "N::G"), one_of(world, "a", "b", "c"));
	world->request.action = cedar_uid_of(CEDAR_TEXT("Action"), one_of(world, "a", "b", "c"));
	world->request.resource =
		cedar_uid_of(one_of(world, "R", "R", "U"), one_of(world, "a", "b", "c"));
	if (!cedar_value_parse_json(&world->request.context, world->arena,
		    cedar_text_of(world->generator.text), &err))
		fail_msg("%s: %s", err.text, world->generator.text);
}

static void world_empty(struct world *world)
{
	for (uint32_t i = 0; i < world->policy_count; i++)
		free(world->policies[i]);
	cedar_entities_destroy(&world->entities);
}

/* The policies that keep says, first to last or last to first, with their ids
 * fixed by their place in the world. */
static struct cedar_policy_set *build(
	const struct world *world, const char *extra, bool is_reversed, bool with_permits)
{
	static const char *const ids[] = {"p0", "p1", "p2", "p3", "p4", "p5", "extra"};
	struct cedar_policy_set *set;
	struct cedar_error err;

	assert_true(cedar_policy_set_create(&set, &err));
	for (uint32_t i = 0; i <= world->policy_count; i++) {
		uint32_t at = is_reversed ? world->policy_count - i : i;
		const char *text = at == world->policy_count ? extra : world->policies[at];
		struct cedar_text id =
			cedar_text_of(at == world->policy_count ? ids[POLICIES_MAX] : ids[at]);
		struct cedar_naming naming = {.ids = &id, .id_count = 1};

		if (text == NULL || (!with_permits && strstr(text, "permit(") != NULL))
			continue;
		if (!cedar_policy_set_add_text(set, cedar_text_of(text), &naming, &err))
			fail_msg("%u:%u: %s in %s", err.line, err.column, err.text, text);
	}
	assert_true(cedar_policy_set_seal(set, &err));
	return set;
}

static struct cedar_answer ask(const struct world *world, const struct cedar_policy_set *set)
{
	struct cedar_answer answer;
	struct cedar_error err;

	if (!cedar_authorize(set, world->entities, &world->request, world->arena, &answer, &err))
		fail_msg("%s", err.text);
	return answer;
}

static bool names_id(const struct cedar_policy_set *set, const struct cedar_answer *answer,
	struct cedar_text id, bool among_errors)
{
	size_t count = among_errors ? answer->error_count : answer->reason_count;

	for (size_t i = 0; i < count; i++) {
		uint32_t index = among_errors ? answer->errors[i].policy : answer->reasons[i];
		struct cedar_text found = cedar_policy_set_get(set, index).id;

		if (found.length == id.length && memcmp(found.data, id.data, id.length) == 0)
			return true;
	}
	return false;
}

static void check_same(const struct cedar_policy_set *a, const struct cedar_answer *from_a,
	const struct cedar_policy_set *b, const struct cedar_answer *from_b)
{
	assert_int_equal(from_a->decision, from_b->decision);
	assert_int_equal(from_a->reason_count, from_b->reason_count);
	assert_int_equal(from_a->error_count, from_b->error_count);
	for (size_t i = 0; i < cedar_policy_set_count(a); i++) {
		struct cedar_text id = cedar_policy_set_get(a, i).id;

		assert_int_equal(names_id(a, from_a, id, false), names_id(b, from_b, id, false));
		assert_int_equal(names_id(a, from_a, id, true), names_id(b, from_b, id, true));
	}
}

/* Calls law for every world and request. */
static void for_all(void **state, void (*law)(struct world *world))
{
	struct world *world = *state;
	uint64_t worlds = worlds_given(WORLDS);

	for (uint64_t i = 0; i < worlds; i++) {
		world_fill(world);
		for (int r = 0; r < REQUESTS; r++) {
			world_ask(world);
			law(world);
		}
		world_empty(world);
	}
}

static void law_no_permit(struct world *world)
{
	struct cedar_policy_set *set = build(world, NULL, false, false);
	struct cedar_answer answer = ask(world, set);

	assert_int_equal(answer.decision, CEDAR_DENY);
	cedar_policy_set_destroy(&set);
}

static void nothing_is_allowed_when_every_permit_is_removed(void **state)
{
	for_all(state, law_no_permit);
}

static void law_forbid_all(struct world *world)
{
	struct cedar_policy_set *set =
		build(world, "forbid(principal, action, resource);", false, true);
	struct cedar_answer answer = ask(world, set);

	assert_int_equal(answer.decision, CEDAR_DENY);
	assert_true(names_id(set, &answer, CEDAR_TEXT("extra"), false));
	cedar_policy_set_destroy(&set);
}

static void appending_a_forbid_of_everything_denies_everything(void **state)
{
	for_all(state, law_forbid_all);
}

static void law_permit_all(struct world *world)
{
	struct cedar_policy_set *bare = build(world, NULL, false, true);
	struct cedar_policy_set *set =
		build(world, "permit(principal, action, resource);", false, true);
	struct cedar_answer before = ask(world, bare), after = ask(world, set);
	size_t forbids = 0;

	for (size_t i = 0; i < before.reason_count; i++)
		forbids += cedar_policy_set_get(bare, before.reasons[i]).effect == CEDAR_FORBID;
	assert_int_equal(after.decision, forbids == 0 ? CEDAR_ALLOW : CEDAR_DENY);
	if (forbids > 0)
		assert_int_equal(after.reason_count, forbids);
	cedar_policy_set_destroy(&bare);
	cedar_policy_set_destroy(&set);
}

static void a_satisfied_forbid_beats_a_permit_of_everything(void **state)
{
	for_all(state, law_permit_all);
}

static void law_order(struct world *world)
{
	struct cedar_policy_set *forward = build(world, NULL, false, true);
	struct cedar_policy_set *backward = build(world, NULL, true, true);
	struct cedar_answer first = ask(world, forward), second = ask(world, backward);
	struct cedar_answer again = ask(world, forward);

	check_same(forward, &first, backward, &second);
	check_same(forward, &first, forward, &again);
	world->allowed += first.decision == CEDAR_ALLOW;
	world->denied += first.decision == CEDAR_DENY && first.reason_count > 0;
	world->failed += first.error_count > 0;
	cedar_policy_set_destroy(&forward);
	cedar_policy_set_destroy(&backward);
}

static void the_order_of_policies_changes_nothing(void **state)
{
	const struct world *world = *state;
	uint64_t worlds = worlds_given(WORLDS);

	for_all(state, law_order);
	/* The laws would say little of worlds where little happens. */
	printf("%u allowed, %u forbidden, %u with errors\n", world->allowed, world->denied,
		world->failed);
	assert_true(worlds < share_of(WORLDS) || world->allowed > worlds / 10);
	assert_true(worlds < share_of(WORLDS) || world->denied > worlds / 10);
	assert_true(worlds < share_of(WORLDS) || world->failed > worlds / 10);
}

/* The world with each policy in normal form. */
static struct cedar_policy_set *reprint(struct world *world, const struct cedar_policy_set *set)
{
	struct cedar_policy_set *again;
	struct cedar_error err;

	assert_true(cedar_policy_set_create(&again, &err));
	for (size_t i = 0; i < cedar_policy_set_count(set); i++) {
		struct cedar_text id = cedar_policy_set_get(set, i).id;
		struct cedar_naming naming = {.ids = &id, .id_count = 1};
		struct cedar_text text = cedar_policy_format(set, i, world->arena), twice;

		if (!cedar_policy_set_add_text(again, text, &naming, &err))
			fail_msg("%s: %.*s", err.text, (int)text.length, text.data);
		twice = cedar_policy_format(again, i, world->arena);
		assert_int_equal(text.length, twice.length);
		assert_memory_equal(text.data, twice.data, text.length);
	}
	assert_true(cedar_policy_set_seal(again, &err));
	return again;
}

static void law_print(struct world *world)
{
	struct cedar_policy_set *set = build(world, NULL, false, true);
	struct cedar_policy_set *printed = reprint(world, set);
	struct cedar_answer first = ask(world, set), second = ask(world, printed);

	check_same(set, &first, printed, &second);
	cedar_policy_set_destroy(&set);
	cedar_policy_set_destroy(&printed);
}

static void a_printed_policy_is_the_same_policy(void **state)
{
	for_all(state, law_print);
}

static void law_explain(struct world *world)
{
	for (uint32_t i = 0; i < world->policy_count; i++) {
		struct cedar_policy_set *set;
		struct cedar_explanation explanation;
		struct cedar_answer answer;
		struct cedar_error err;

		assert_true(cedar_policy_set_parse(
			&set, cedar_text_of(world->policies[i]), NULL, &err));
		answer = ask(world, set);
		assert_true(cedar_explain_policy(set, 0, world->entities, &world->request,
			world->arena, &explanation, &err));
		assert_int_equal(
			explanation.outcome == CEDAR_OUTCOME_SATISFIED, answer.reason_count == 1);
		assert_int_equal(
			explanation.outcome == CEDAR_OUTCOME_ERROR, answer.error_count == 1);
		assert_int_equal(explanation.outcome == CEDAR_OUTCOME_PRINCIPAL ||
					 explanation.outcome == CEDAR_OUTCOME_ACTION ||
					 explanation.outcome == CEDAR_OUTCOME_RESOURCE,
			!cedar_policy_applies(set, 0, world->entities, &world->request));
		cedar_policy_set_destroy(&set);
	}
}

/* The decisive part, and it alone, says what the outcome says. */
static void check_account(const struct cedar_account *account)
{
	const struct cedar_part *part = &account->parts[account->decisive];

	assert_int_equal(account->outcome == CEDAR_OUTCOME_SATISFIED,
		account->decisive == account->part_count);
	for (size_t i = 0; i < account->part_count; i++) {
		enum cedar_part_result neutral = account->parts[i].kind == CEDAR_PART_UNLESS
							 ? CEDAR_PART_FALSE
							 : CEDAR_PART_TRUE;

		if (i < account->decisive)
			assert_int_equal(account->parts[i].result, neutral);
		if (i > account->decisive)
			assert_int_equal(account->parts[i].result, CEDAR_PART_NOT_REACHED);
	}
	if (account->decisive < account->part_count) {
		assert_int_not_equal(part->result, CEDAR_PART_NOT_REACHED);
		assert_int_equal(
			part->result == CEDAR_PART_FAILED, account->outcome == CEDAR_OUTCOME_ERROR);
	}
}

static void law_account(struct world *world)
{
	for (uint32_t i = 0; i < world->policy_count; i++) {
		struct cedar_policy_set *set;
		struct cedar_explanation explanation;
		struct cedar_account account;
		struct cedar_error err;

		assert_true(cedar_policy_set_parse(
			&set, cedar_text_of(world->policies[i]), NULL, &err));
		assert_true(cedar_explain_policy(set, 0, world->entities, &world->request,
			world->arena, &explanation, &err));
		assert_true(cedar_account_policy(
			set, 0, world->entities, &world->request, world->arena, &account, &err));
		assert_int_equal(account.outcome, explanation.outcome);
		check_account(&account);
		cedar_policy_set_destroy(&set);
	}
}

static void an_account_agrees_with_the_explanation(void **state)
{
	for_all(state, law_account);
}

static void an_explanation_agrees_with_the_decision(void **state)
{
	for_all(state, law_explain);
}

struct adding {
	struct cedar_entities *to;
	struct cedar_error err;
};

static bool add_entity(void *closure, const struct cedar_entity *entity)
{
	struct adding *adding = closure;

	assert_true(cedar_entities_add(adding->to, entity, &adding->err));
	return true;
}

/* The world's entities and one more. */
static struct cedar_entities *store_with(
	const struct world *world, const struct cedar_entity *added)
{
	struct adding adding;

	assert_true(cedar_entities_create(&adding.to, &adding.err));
	cedar_entities_visit(world->entities, add_entity, &adding);
	(void)add_entity(&adding, added);
	assert_true(cedar_entities_seal(adding.to, &adding.err));
	return adding.to;
}

/* Every policy answers the same with either, whether it decides or not. */
static void check_stores(const struct world *world, const struct cedar_entities *a,
	const struct cedar_entities *b, const struct cedar_policy_set *set)
{
	struct cedar_answer from_a, from_b;
	struct cedar_error err;

	assert_true(cedar_authorize(set, a, &world->request, world->arena, &from_a, &err));
	assert_true(cedar_authorize(set, b, &world->request, world->arena, &from_b, &err));
	check_same(set, &from_a, set, &from_b);
	for (size_t i = 0; i < cedar_policy_set_count(set); i++) {
		struct cedar_explanation one, other;

		assert_true(
			cedar_explain_policy(set, i, a, &world->request, world->arena, &one, &err));
		assert_true(cedar_explain_policy(
			set, i, b, &world->request, world->arena, &other, &err));
		assert_int_equal(one.outcome, other.outcome);
	}
}

/* Policies seldom get as far as a tag: the entity itself. */
static void check_found(const struct cedar_entities *entities, const struct cedar_entity *added)
{
	struct cedar_entity found;

	assert_true(cedar_entities_find(entities, &added->uid, &found));
	assert_true(cedar_value_equal(&found.attributes, &added->attributes));
	assert_true(cedar_value_equal(&found.tags, &added->tags));
	assert_int_equal(found.parent_count, added->parent_count);
	for (size_t i = 0; i < found.parent_count; i++)
		assert_true(cedar_uid_equal(&found.parents[i], &added->parents[i]));
}

/* The overlay of one entity says the same as a store that holds it too, and so does an
 * overlay of nothing over that. */
static void law_overlay(struct world *world)
{
	struct cedar_policy_set *set = build(world, NULL, false, true);
	struct cedar_uid parent = cedar_uid_of(CEDAR_TEXT("N::G"), CEDAR_TEXT("b"));
	struct cedar_entity added = {.uid = cedar_uid_of(CEDAR_TEXT("U"), CEDAR_TEXT("new")),
		.attributes = world->request.context,
		.tags = world->request.context,
		.parents = &parent,
		.parent_count = 1};
	struct cedar_entities *store = store_with(world, &added);
	const struct cedar_entities *overlay, *nothing;
	struct cedar_error err;

	world->request.principal = added.uid;
	assert_true(
		cedar_entities_overlay(&overlay, world->arena, world->entities, &added, 1, &err));
	assert_true(cedar_entities_overlay(&nothing, world->arena, overlay, NULL, 0, &err));
	check_stores(world, store, overlay, set);
	check_stores(world, overlay, nothing, set);
	check_found(store, &added);
	check_found(overlay, &added);
	check_found(nothing, &added);
	assert_true(cedar_entities_in(nothing, &added.uid, &parent));
	cedar_entities_destroy(&store);
	cedar_policy_set_destroy(&set);
}

static void an_overlay_says_what_a_store_says(void **state)
{
	for_all(state, law_overlay);
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
		cmocka_unit_test(nothing_is_allowed_when_every_permit_is_removed),
		cmocka_unit_test(appending_a_forbid_of_everything_denies_everything),
		cmocka_unit_test(a_satisfied_forbid_beats_a_permit_of_everything),
		cmocka_unit_test(the_order_of_policies_changes_nothing),
		cmocka_unit_test(a_printed_policy_is_the_same_policy),
		cmocka_unit_test(an_explanation_agrees_with_the_decision),
		cmocka_unit_test(an_account_agrees_with_the_explanation),
		cmocka_unit_test(an_overlay_says_what_a_store_says),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
