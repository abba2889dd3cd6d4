/* A revision decides as a store made from scratch.  After each batch of random changes
 * the newest revision and a store filled with what ought to be in it must give the
 * same answers, reasons and errors, have the same ancestors and take the same
 * overlays; a batch that would make a cycle is refused where sealing the store is.
 * Some older revisions are kept and asked again. */
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
	WORLDS = 150,
	BATCHES = 30,
	BATCH_MAX = 4,
	REQUESTS = 6,
	POLICIES_MAX = 24,
	UIDS = 8,
	FIRST_ACTION = 6,
	PARENTS_MAX = 3,
	KEPT = 4,
	TEXT_BYTES = 1 << 20,
	ARENA_BYTES = 64 << 20,
};

/* What ought to be: each entity that is there, alone in a store. */
struct model {
	struct cedar_entities *of[UIDS];
};

/* A revision and its twin from scratch. */
struct pair {
	const struct cedar_entities *revision;
	struct cedar_entities *twin;
};

struct world {
	struct generator generator;
	struct cedar_arena *arena;
	struct cedar_policy_set *set;
	struct cedar_uid uids[UIDS];
	struct model model;
	struct pair kept[KEPT]; /* the newest first */
	unsigned allowed, failed, cycles, overlaid;
};

static void put_uid(struct world *world, const struct cedar_uid *uid)
{
	char text[64];

	(void)snprintf(text, sizeof text, "{\"type\":\"%.*s\",\"id\":\"%.*s\"}",
		(int)uid->type.length, uid->type.data, (int)uid->id.length, uid->id.data);
	generator_put(&world->generator, text);
}

/* Mostly upwards, or most batches would be cycles; actions, which are the last, only so,
 * because nothing but an action groups actions. */
static size_t random_parent(struct generator *generator, size_t uid)
{
	if (uid < FIRST_ACTION && generator_below(generator, 12) == 0)
		return generator_below(generator, UIDS);
	return uid + generator_below(generator, (uint32_t)(UIDS - uid));
}

/* A store with one entity of that uid. */
static struct cedar_entities *random_entity(struct world *world, size_t uid)
{
	struct generator *generator = &world->generator;
	uint32_t parents = generator_below(generator, PARENTS_MAX + 1);
	struct cedar_entities *store;
	struct cedar_error err;

	generator_reset(generator);
	generator_put(generator, "[{\"uid\":");
	put_uid(world, &world->uids[uid]);
	generator_put(generator, ",\"attrs\":");
	generate_context(generator);
	generator_put(generator, ",\"tags\":");
	generate_context(generator);
	generator_put(generator, ",\"parents\":[");
	for (uint32_t i = 0; i < parents; i++) {
		generator_put(generator, i == 0 ? "" : ",");
		put_uid(world, &world->uids[random_parent(generator, uid)]);
	}
	generator_put(generator, "]}]");
	assert_true(cedar_entities_create(&store, &err));
	if (!cedar_entities_add_json(store, cedar_text_of(generator->text), &err))
		fail_msg("%s in %s", err.text, generator->text);
	return store;
}

static struct cedar_entity entity_of(
	const struct world *world, struct cedar_entities *store, size_t uid)
{
	struct cedar_entity entity;

	assert_true(cedar_entities_find(store, &world->uids[uid], &entity));
	return entity;
}

/* A sealed store of the whole model, or NULL if it has a cycle. */
static struct cedar_entities *build(const struct world *world, const struct model *model)
{
	struct cedar_entities *store;
	struct cedar_error err;

	assert_true(cedar_entities_create(&store, &err));
	for (size_t i = 0; i < UIDS; i++) {
		struct cedar_entity entity;

		if (model->of[i] == NULL)
			continue;
		entity = entity_of(world, model->of[i], i);
		assert_true(cedar_entities_add(store, &entity, &err));
	}
	if (!cedar_entities_seal(store, &err)) {
		assert_int_equal(err.code, CEDAR_ERROR_INVALID);
		cedar_entities_destroy(&store);
	}
	return store;
}

static void check_answer(struct world *world, const struct cedar_entities *revision,
	const struct cedar_entities *twin, const struct cedar_request *request)
{
	struct cedar_answer is, ought;
	struct cedar_error err;

	assert_true(cedar_authorize(world->set, revision, request, world->arena, &is, &err));
	assert_true(cedar_authorize(world->set, twin, request, world->arena, &ought, &err));
	assert_int_equal(is.decision, ought.decision);
	assert_int_equal(is.reason_count, ought.reason_count);
	assert_int_equal(is.error_count, ought.error_count);
	for (size_t i = 0; i < is.reason_count; i++)
		assert_int_equal(is.reasons[i], ought.reasons[i]);
	for (size_t i = 0; i < is.error_count; i++) {
		assert_int_equal(is.errors[i].policy, ought.errors[i].policy);
		assert_int_equal(is.errors[i].range.start, ought.errors[i].range.start);
		assert_int_equal(is.errors[i].text.length, ought.errors[i].text.length);
		assert_memory_equal(is.errors[i].text.data, ought.errors[i].text.data,
			is.errors[i].text.length);
	}
	world->allowed += is.decision == CEDAR_ALLOW;
	world->failed += is.error_count > 0;
}

static void check_requests(struct world *world, const struct pair *pair)
{
	static const char *const actions[] = {"a", "b", "c"};

	for (int i = 0; i < REQUESTS; i++) {
		struct cedar_request request = {.context = {.type = CEDAR_NONE}};
		const char *type, *id;
		struct cedar_error err;

		generator_reset(&world->generator);
		generate_context(&world->generator);
		assert_true(cedar_value_parse_json(&request.context, world->arena,
			cedar_text_of(world->generator.text), &err));
		generate_uid(&world->generator, &type, &id);
		request.principal = cedar_uid_of(cedar_text_of(type), cedar_text_of(id));
		request.action = cedar_uid_of(CEDAR_TEXT("Action"),
			cedar_text_of(actions[generator_below(&world->generator, 3)]));
		generate_uid(&world->generator, &type, &id);
		request.resource = cedar_uid_of(cedar_text_of(type), cedar_text_of(id));
		check_answer(world, pair->revision, pair->twin, &request);
	}
}

static bool names_parent(const struct cedar_entity *entity, const struct cedar_uid *parent)
{
	for (size_t i = 0; i < entity->parent_count; i++) {
		if (cedar_uid_equal(&entity->parents[i], parent))
			return true;
	}
	return false;
}

static bool count_one(void *closure, const struct cedar_entity *entity)
{
	size_t *count = closure;

	(*count)++;
	return entity->uid.type.length > 0;
}

/* Everything that can be asked of a store without a policy. */
static void check_contents(const struct world *world, const struct pair *pair)
{
	size_t visited = 0;

	assert_int_equal(cedar_entities_count(pair->revision), cedar_entities_count(pair->twin));
	cedar_entities_visit(pair->revision, count_one, &visited);
	assert_int_equal(visited, cedar_entities_count(pair->twin));
	for (size_t i = 0; i < UIDS; i++) {
		const struct cedar_uid *uid = &world->uids[i];
		struct cedar_entity is, ought;
		bool has = cedar_entities_find(pair->revision, uid, &is);

		assert_int_equal(has, cedar_entities_find(pair->twin, uid, &ought));
		assert_true(cedar_value_equal(&is.attributes, &ought.attributes));
		assert_true(cedar_value_equal(&is.tags, &ought.tags));
		for (size_t p = 0; p < UIDS; p++) {
			const struct cedar_uid *other = &world->uids[p];

			assert_int_equal(names_parent(&is, other), names_parent(&ought, other));
			assert_int_equal(cedar_entities_in(pair->revision, uid, other),
				cedar_entities_in(pair->twin, uid, other));
		}
	}
}

/* An overlay of one entity over each: both are refused, or both decide alike. */
static void check_overlay(struct world *world, const struct pair *pair)
{
	size_t uid = generator_below(&world->generator, UIDS);
	struct cedar_entities *store = random_entity(world, uid);
	struct cedar_entity entity = entity_of(world, store, uid);
	struct pair over = {NULL, NULL};
	const struct cedar_entities *twin;
	struct cedar_error err;
	bool ok = cedar_entities_overlay(
		&over.revision, world->arena, pair->revision, &entity, 1, &err);
	struct cedar_request request = {.principal = entity.uid,
		.action = world->uids[UIDS - 1],
		.resource = world->uids[generator_below(&world->generator, UIDS)]};

	assert_int_equal(
		ok, cedar_entities_overlay(&twin, world->arena, pair->twin, &entity, 1, &err));
	for (size_t i = 0; ok && i < UIDS; i++)
		assert_int_equal(cedar_entities_in(over.revision, &entity.uid, &world->uids[i]),
			cedar_entities_in(twin, &entity.uid, &world->uids[i]));
	if (ok)
		check_answer(world, over.revision, twin, &request);
	world->overlaid += ok;
	cedar_entities_destroy(&store);
}

static void check_pair(struct world *world, const struct pair *pair)
{
	cedar_arena_reset(world->arena);
	check_contents(world, pair);
	check_requests(world, pair);
	check_overlay(world, pair);
}

static void drop_pair(struct pair *pair)
{
	cedar_revision_release(&pair->revision);
	cedar_entities_destroy(&pair->twin);
}

static void keep_pair(struct world *world, struct pair pair)
{
	drop_pair(&world->kept[KEPT - 1]);
	memmove(&world->kept[1], &world->kept[0], (KEPT - 1) * sizeof world->kept[0]);
	world->kept[0] = pair;
}

/* Random changes, and the model after them, which owns what is in fresh. */
static size_t draw_batch(struct world *world, struct cedar_change *changes,
	struct cedar_entity *entities, struct cedar_entities **fresh, struct model *after)
{
	size_t count = 1 + generator_below(&world->generator, BATCH_MAX);

	for (size_t i = 0; i < count; i++) {
		size_t uid = generator_below(&world->generator, UIDS);

		fresh[i] = NULL;
		if (generator_below(&world->generator, 4) == 0) {
			changes[i] = (struct cedar_change){.remove = &world->uids[uid]};
		} else {
			fresh[i] = random_entity(world, uid);
			entities[i] = entity_of(world, fresh[i], uid);
			changes[i] = (struct cedar_change){.put = &entities[i]};
		}
		after->of[uid] = fresh[i];
	}
	return count;
}

static bool has_store(const struct model *model, const struct cedar_entities *store)
{
	for (size_t i = 0; i < UIDS; i++) {
		if (model->of[i] == store)
			return true;
	}
	return false;
}

/* Destroys what is in the one and not in the other. */
static void drop_rest(struct cedar_entities **stores, size_t count, const struct model *still)
{
	for (size_t i = 0; i < count; i++) {
		if (!has_store(still, stores[i]))
			cedar_entities_destroy(&stores[i]);
	}
}

static void change(struct world *world)
{
	struct cedar_change changes[BATCH_MAX];
	struct cedar_entity entities[BATCH_MAX];
	struct cedar_entities *fresh[BATCH_MAX];
	struct model before = world->model;
	struct model after = before;
	size_t count = draw_batch(world, changes, entities, fresh, &after);
	struct pair next = {NULL, build(world, &after)};
	struct cedar_error err;
	bool ok = cedar_revision_change(
		&next.revision, world->kept[0].revision, changes, count, &err);

	assert_int_equal(ok, next.twin != NULL);
	if (ok) {
		keep_pair(world, next);
		drop_rest(before.of, UIDS, &after);
		world->model = after;
	} else {
		assert_null(next.revision);
		assert_int_equal(err.code, CEDAR_ERROR_INVALID);
		world->cycles++;
	}
	drop_rest(fresh, count, &world->model);
}

static void open_world(struct world *world)
{
	struct cedar_entities *store = NULL;
	struct pair first = {NULL, NULL};
	struct cedar_error err;
	uint32_t policies = 1 + generator_below(&world->generator, POLICIES_MAX);

	assert_true(cedar_policy_set_create(&world->set, &err));
	for (uint32_t i = 0; i < policies; i++) {
		generator_reset(&world->generator);
		if (i % 2 == 0)
			generate_policy(&world->generator);
		else
			generate_indexable_policy(&world->generator);
		assert_true(cedar_policy_set_add_text(
			world->set, cedar_text_of(world->generator.text), NULL, &err));
	}
	assert_true(cedar_policy_set_seal(world->set, &err));
	while (store == NULL) {
		drop_rest(world->model.of, UIDS, &(struct model){.of = {NULL}});
		for (size_t i = 0; i < UIDS; i++)
			world->model.of[i] = generator_below(&world->generator, 3) == 0
						     ? NULL
						     : random_entity(world, i);
		store = build(world, &world->model);
	}
	first.twin = build(world, &world->model);
	assert_true(cedar_revision_first(&first.revision, &store, &err));
	assert_null(store);
	keep_pair(world, first);
}

static void close_world(struct world *world)
{
	for (size_t i = 0; i < KEPT; i++)
		drop_pair(&world->kept[i]);
	drop_rest(world->model.of, UIDS, &(struct model){.of = {NULL}});
	world->model = (struct model){.of = {NULL}};
	cedar_policy_set_destroy(&world->set);
}

static void a_revision_answers_like_a_store_made_from_scratch(void **state)
{
	struct world *world = *state;
	uint64_t worlds = worlds_given(WORLDS);

	for (uint64_t i = 0; i < worlds; i++) {
		open_world(world);
		for (int b = 0; b < BATCHES; b++) {
			change(world);
			check_pair(world, &world->kept[0]);
			if (world->kept[KEPT - 1].revision != NULL)
				check_pair(world, &world->kept[KEPT - 1]);
		}
		close_world(world);
	}
	printf("%u allowed, %u with errors, %u cycles, %u overlaid\n", world->allowed,
		world->failed, world->cycles, world->overlaid);
	assert_true(worlds < WORLDS || world->allowed > worlds);
	assert_true(worlds < WORLDS || world->failed > worlds);
	assert_true(worlds < WORLDS || world->cycles > worlds);
	assert_true(worlds < WORLDS || world->overlaid > worlds);
}

static int setup(void **state)
{
	static const char *const types[] = {"U", "U", "R", "R", "N::G", "N::G", "Action", "Action"};
	struct world *world = calloc(1, sizeof *world);

	if (world == NULL)
		return -1;
	world->generator.state = generator_seed();
	world->generator.capacity = TEXT_BYTES;
	world->generator.text = malloc(TEXT_BYTES);
	world->arena = cedar_arena_create(ARENA_BYTES);
	for (size_t i = 0; i < UIDS; i++)
		world->uids[i] = cedar_uid_of(
			cedar_text_of(types[i]), cedar_text_of(i % 2 == 0 ? "a" : "b"));
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
		cmocka_unit_test(a_revision_answers_like_a_store_made_from_scratch),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
