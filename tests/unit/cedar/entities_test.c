#include "cedar/entities.h"

#include <stdlib.h>

#include "cedar/entities_inner.h"
#include "support.h"

#define UID(type, id) "{\"type\":\"" type "\",\"id\":\"" id "\"}"
#define NODE(id, parents) "{\"uid\":" UID("T", id) ",\"attrs\":{},\"parents\":[" parents "]}"

static bool loads(const char *json, struct cedar_error *err)
{
	struct cedar_entities *entities;
	bool ok;

	assert_true(cedar_entities_create(&entities, err));
	ok = cedar_entities_add_json(entities, cedar_text_of(json), err) &&
	     cedar_entities_seal(entities, err);
	cedar_entities_destroy(&entities);
	return ok;
}

static struct cedar_uid t(const char *id)
{
	return cedar_uid_of(CEDAR_TEXT("T"), cedar_text_of(id));
}

static bool is_in(const struct cedar_entities *entities, const char *id, const char *ancestor)
{
	struct cedar_uid child = t(id), parent = t(ancestor);

	return cedar_entities_in(entities, &child, &parent);
}

static void malformed_entities_are_refused(void **state)
{
	static const char *const bad[] = {"{}", "[1]", "[{}]", "[{\"uid\":" UID("T", "a") "}]",
		"[{\"uid\":" UID("T", "a") ",\"attrs\":{}}]",
		"[{\"uid\":" UID("T", "a") ",\"attrs\":[],\"parents\":[]}]",
		"[{\"uid\":" UID("T", "a") ",\"attrs\":{},\"parents\":{}}]",
		"[{\"uid\":" UID("T", "a") ",\"attrs\":{\"a\":null},\"parents\":[]}]",
		"[{\"uid\":" UID("T", "a") ",\"attrs\":{},\"parents\":[],\"x\":1}]",
		"[{\"uid\":" UID("T", "a") ",\"attrs\":{},\"parents\":[],\"tags\":[]}]",
		"[{\"uid\":\"T::a\",\"attrs\":{},\"parents\":[]}]",
		"[{\"uid\":" UID("T:", "a") ",\"attrs\":{},\"parents\":[]}]",
		"[{\"uid\":" UID("Action", "a") ",\"attrs\":{},\"parents\":[" UID("T", "b") "]}]",
		"[{\"parents\":[" UID("N::Action", "b") "," UID(
			"MyAction", "b") "],\"attrs\":{},"
					 "\"uid\":" UID("N::Action", "a") "}]",
		"[" NODE("a", "") "," NODE("a", UID("T", "b")) "]"};
	struct cedar_error err;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (loads(bad[i], &err))
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	}
}

static void what_differs_from_the_entity_before_is_refused_where_it_stands(void **state)
{
	struct cedar_error err;

	(void)state;
	assert_false(loads(
		"[" NODE("b", "") ",\n" NODE("a", "") ",\n  " NODE("a", UID("T", "b")) "]", &err));
	assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	assert_string_equal(err.text, "two different entities T::\"a\"");
	assert_int_equal(err.line, 3);
	assert_int_equal(err.column, 3);
}

static void what_does_not_come_from_a_text_has_no_place(void **state)
{
	struct cedar_entities *store;
	struct cedar_error err;
	struct cedar_uid parent = t("b");
	struct cedar_entity entity = {.uid = t("a")};

	(void)state;
	assert_true(cedar_entities_create(&store, &err));
	assert_true(cedar_entities_add(store, &entity, &err));
	entity.parents = &parent;
	entity.parent_count = 1;
	assert_false(cedar_entities_add(store, &entity, &err));
	assert_int_equal(err.line, 0);
	cedar_entities_destroy(&store);
}

/* It may go through several texts, so it has names and no place. */
static void a_cycle_is_refused_whatever_its_length_and_told_by_its_names(void **state)
{
	static const char *const bad[][2] = {
		{"[" NODE("a", UID("T", "a")) "]", "the entity T::\"a\" is its own ancestor"},
		{"[" NODE("a", UID("T", "b")) "," NODE("b", UID("T", "a")) "]",
			"the entity T::\"a\" is its own ancestor, in T::\"b\""},
		{"[" NODE("a", UID("T", "b")) "," NODE("b", UID("T", "c")) "," NODE(
			 "c", UID("T", "d")) "," NODE("d", UID("T", "b")) "]",
			"the entity T::\"b\" is its own ancestor, in T::\"c\", in T::\"d\""}};
	struct cedar_error err;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(loads(bad[i][0], &err));
		assert_int_equal(err.code, CEDAR_ERROR_INVALID);
		assert_int_equal(err.line, 0);
		assert_string_equal(err.text, bad[i][1]);
	}
}

/* Of what does not fit in an error's text, that there is more is told. */
/* Nothing of a store that was left half done may decide. */
static void expect_unusable(struct cedar_entities *store)
{
	struct cedar_entity entity = {.uid = t("new")};
	struct cedar_error err;

	for (int i = 0; i < 2; i++) {
		err.code = CEDAR_ERROR_NONE;
		assert_false(cedar_entities_seal(store, &err));
		assert_int_equal(err.code, CEDAR_ERROR_INVALID);
		assert_non_null(strstr(err.text, "can only be destroyed"));
	}
	assert_false(cedar_entities_add(store, &entity, &err));
	assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	assert_false(cedar_entities_add_json(store, CEDAR_TEXT("[]"), &err));
	assert_int_equal(err.code, CEDAR_ERROR_INVALID);
}

static void a_store_with_a_cycle_can_only_be_destroyed(void **state)
{
	struct cedar_entities *store;
	struct cedar_error err;

	(void)state;
	assert_true(cedar_entities_create(&store, &err));
	assert_true(cedar_entities_add_json(store,
		CEDAR_TEXT("[" NODE("a", UID("T", "b")) "," NODE("b", UID("T", "a")) "]"), &err));
	assert_false(cedar_entities_seal(store, &err));
	expect_unusable(store);
	cedar_entities_destroy(&store);
}

static void a_store_that_has_part_of_a_text_can_only_be_destroyed(void **state)
{
	struct cedar_entities *store;
	struct cedar_error err;

	(void)state;
	assert_true(cedar_entities_create(&store, &err));
	assert_false(cedar_entities_add_json(store, CEDAR_TEXT("[" NODE("a", "") ",1]"), &err));
	expect_unusable(store);
	cedar_entities_destroy(&store);
}

static void an_entity_that_is_refused_leaves_the_store_as_it_was(void **state)
{
	struct cedar_uid parent = t("b"), wrong = t("\xff");
	struct cedar_entity entity = {.uid = t("a")}, found;
	struct cedar_entities *store;
	struct cedar_error err;

	(void)state;
	assert_true(cedar_entities_create(&store, &err));
	assert_true(cedar_entities_add(store, &entity, &err));
	entity.parent_count = 1;
	entity.parents = &wrong;
	assert_false(cedar_entities_add(store, &entity, &err));
	entity.parents = &parent;
	assert_false(cedar_entities_add(store, &entity, &err));
	assert_true(cedar_entities_seal(store, &err));
	assert_int_equal(cedar_entities_count(store), 1);
	assert_true(cedar_entities_find(store, &entity.uid, &found));
	assert_int_equal(found.parent_count, 0);
	cedar_entities_destroy(&store);
}

static void a_long_cycle_is_told_in_part(void **state)
{
	enum { LENGTH = 1000 };
	char names[LENGTH][8];
	struct cedar_uid uids[LENGTH];
	struct cedar_entities *store;
	struct cedar_error err;

	(void)state;
	assert_true(cedar_entities_create(&store, &err));
	for (int i = 0; i < LENGTH; i++) {
		(void)snprintf(names[i], sizeof names[i], "n%d", i);
		uids[i] = t(names[i]);
	}
	for (int i = 0; i < LENGTH; i++)
		assert_true(cedar_entities_add(store,
			&(struct cedar_entity){.uid = uids[i],
				.parents = &uids[(i + 1) % LENGTH],
				.parent_count = 1},
			&err));
	assert_false(cedar_entities_seal(store, &err));
	assert_non_null(strstr(err.text, "ancestor, in T::\"n1\", in T::\"n2\", in "));
	assert_string_equal(err.text + strlen(err.text) - strlen("\", in ..."), "\", in ...");
	cedar_entities_destroy(&store);
}

static void an_equal_duplicate_is_the_same_entity(void **state)
{
	struct cedar_error err;

	(void)state;
	assert_true(loads("[" NODE("a", UID("T", "b") "," UID("T", "c")) "," NODE(
				  "a", UID("T", "c") "," UID("T", "b")) "]",
		&err));
	assert_true(loads("[" NODE("a", UID("T", "b") "," UID("T", "c") "," UID("T", "b")) "," NODE(
				  "a", UID("T", "c") "," UID("T", "b")) "]",
		&err));
	assert_false(loads("[" NODE("a", UID("T", "b") "," UID("T", "b")) "," NODE(
				   "a", UID("T", "c") "," UID("T", "b")) "]",
		&err));
	assert_false(loads("[" NODE("a", UID("T", "b") "," UID("T", "c")) "," NODE(
				   "a", UID("T", "b") "," UID("T", "d")) "]",
		&err));
}

/* Few are looked through, many are sorted. */
static void a_parent_that_is_named_twice_is_kept_where_it_stands_first(void **state)
{
	enum { MANY = 100 };
	struct cedar_uid parents[MANY + 3];
	char ids[MANY][8];

	(void)state;
	for (size_t many = 3; many <= MANY; many += MANY - 3) {
		struct cedar_entity entity = {.uid = t("child"), .parents = parents}, found;
		struct cedar_entities *store;
		struct cedar_error err;

		for (size_t i = 0; i < many; i++) {
			(void)snprintf(ids[i], sizeof ids[i], "%zu", (i * 37) % MANY);
			parents[i + (i >= 2)] = t(ids[i]);
		}
		parents[2] = parents[0];
		parents[many + 1] = parents[many + 2] = parents[1];
		entity.parent_count = many + 3;
		assert_true(cedar_entities_create(&store, &err));
		assert_true(cedar_entities_add(store, &entity, &err));
		assert_true(cedar_entities_add(store, &entity, &err));
		assert_true(cedar_entities_seal(store, &err));
		assert_true(cedar_entities_find(store, &entity.uid, &found));
		assert_int_equal(found.parent_count, many);
		for (size_t i = 0; i < many; i++)
			assert_true(cedar_uid_equal(&found.parents[i], &parents[i + (i >= 2)]));
		cedar_entities_destroy(&store);
	}
}

static void the_hierarchy_is_closed_over_missing_parents_too(void **state)
{
	struct world world;

	(void)state;
	world_open(&world,
		"[" NODE("a", UID("T", "b")) "," NODE(
			"b", UID("T", "c") "," UID("T", "x")) "," NODE("c", "") "]",
		NULL);
	assert_true(is_in(world.entities, "a", "a"));
	assert_true(is_in(world.entities, "a", "b"));
	assert_true(is_in(world.entities, "a", "c"));
	assert_true(is_in(world.entities, "a", "x"));
	assert_true(is_in(world.entities, "unknown", "unknown"));
	assert_false(is_in(world.entities, "c", "a"));
	assert_false(is_in(world.entities, "b", "a"));
	assert_false(is_in(world.entities, "unknown", "a"));
	assert_int_equal(cedar_entities_count(world.entities), 3);
	world_close(&world);
}

/* n0 has the parents n1 … n<count>; x is nobody's. */
static void load_many_parents(struct cedar_entities **out, int count, int fillers)
{
	struct cedar_entity child = {.uid = t("n0")};
	static char names[64][8];
	static struct cedar_uid parents[64];
	struct cedar_error err;
	char filler[16];

	for (int i = 0; i < count; i++) {
		(void)snprintf(names[i], sizeof names[i], "n%d", i + 1);
		parents[i] = t(names[i]);
	}
	child.parents = parents;
	child.parent_count = (size_t)count;
	assert_true(cedar_entities_create(out, &err));
	assert_true(cedar_entities_add(*out, &child, &err));
	for (int i = 0; i < fillers; i++) {
		struct cedar_entity other = {.uid = t("")};

		(void)snprintf(filler, sizeof filler, "f%d", i);
		other.uid = t(filler);
		assert_true(cedar_entities_add(*out, &other, &err));
	}
	assert_true(cedar_entities_seal(*out, &err));
}

static void every_one_of_many_ancestors_is_found(void **state)
{
	/* With 40 parents, 1,408 nodes still have bits and 1,409 have none. */
	static const int fillers[] = {0, 1366, 1367, 1368, 2000};
	struct cedar_entities *entities;
	char id[16];

	(void)state;
	for (int count = 1; count <= 40; count++) {
		for (size_t f = 0; f < sizeof fillers / sizeof fillers[0]; f++) {
			load_many_parents(&entities, count, fillers[f]);
			for (int i = 1; i <= 40; i++) {
				(void)snprintf(id, sizeof id, "n%d", i);
				assert_int_equal(is_in(entities, "n0", id), i <= count);
			}
			cedar_entities_destroy(&entities);
		}
	}
}

enum { LAYERS = 4, WIDTH = 20 };

/* Of each layer, an entity has parents among the next one: some in common. */
static void load_layers(struct cedar_entities **out)
{
	struct cedar_error err;

	assert_true(cedar_entities_create(out, &err));
	for (int i = 0; i < LAYERS * WIDTH; i++) {
		char id[16], names[3][16];
		struct cedar_uid parents[3];
		struct cedar_entity entity = {.uid = t(""), .parents = parents};

		(void)snprintf(id, sizeof id, "%d", i);
		entity.uid = t(id);
		for (int p = 0; p < 3 && i < (LAYERS - 1) * WIDTH; p++) {
			(void)snprintf(names[p], sizeof names[p], "%d",
				(i / WIDTH + 1) * WIDTH + (i + 7 * p) % WIDTH);
			parents[entity.parent_count++] = t(names[p]);
		}
		assert_true(cedar_entities_add(*out, &entity, &err));
	}
	assert_true(cedar_entities_seal(*out, &err));
}

/* By the definition: a parent, or an ancestor of a parent. */
static bool is_above(int i, int other)
{
	bool found = false;

	for (int p = 0; p < 3 && i < (LAYERS - 1) * WIDTH && !found; p++) {
		int parent = (i / WIDTH + 1) * WIDTH + (i + 7 * p) % WIDTH;

		found = parent == other || is_above(parent, other);
	}
	return found;
}

static void ancestors_that_parents_have_in_common_are_found_once(void **state)
{
	struct cedar_entities *entities;
	char id[16], ancestor[16];

	(void)state;
	load_layers(&entities);
	for (int i = 0; i < LAYERS * WIDTH; i++) {
		struct cedar_uid uid;
		uint32_t count = 0;

		(void)snprintf(id, sizeof id, "%d", i);
		for (int other = 0; other < LAYERS * WIDTH; other++) {
			(void)snprintf(ancestor, sizeof ancestor, "%d", other);
			if (other != i)
				assert_int_equal(is_in(entities, id, ancestor), is_above(i, other));
			count += is_above(i, other);
		}
		uid = t(id);
		assert_int_equal(entities_find(entities, &uid)->ancestor_count, count);
	}
	cedar_entities_destroy(&entities);
}

enum { DEEP_LAYERS = 40, DEEP_WIDTH = 5 };

/* Each entity is in all of the next layer, and entity 0 of a layer in the last one, too,
 * which is listed first. */
static void ancestors_of_full_layers_are_all_found(void **state)
{
	static char ids[DEEP_LAYERS * DEEP_WIDTH][8];
	struct cedar_entities *entities;
	struct cedar_error err;

	(void)state;
	assert_true(cedar_entities_create(&entities, &err));
	for (int i = 0; i < DEEP_LAYERS * DEEP_WIDTH; i++)
		(void)snprintf(ids[i], sizeof ids[i], "%d", i);
	for (int i = 0; i < DEEP_LAYERS * DEEP_WIDTH; i++) {
		int next = (i / DEEP_WIDTH + 1) * DEEP_WIDTH;
		struct cedar_uid parents[DEEP_WIDTH + 1];
		struct cedar_entity entity = {.uid = t(ids[i]), .parents = parents};

		if (i % DEEP_WIDTH == 0 && next < (DEEP_LAYERS - 1) * DEEP_WIDTH)
			parents[entity.parent_count++] = t(ids[DEEP_LAYERS * DEEP_WIDTH - 1]);
		for (int p = next; p < next + DEEP_WIDTH && next < DEEP_LAYERS * DEEP_WIDTH; p++)
			parents[entity.parent_count++] = t(ids[p]);
		assert_true(cedar_entities_add(entities, &entity, &err));
	}
	assert_true(cedar_entities_seal(entities, &err));
	for (int i = 0; i < DEEP_LAYERS * DEEP_WIDTH; i++) {
		struct cedar_uid uid = t(ids[i]);
		int above = (DEEP_LAYERS - 1 - i / DEEP_WIDTH) * DEEP_WIDTH;

		assert_int_equal(entities_find(entities, &uid)->ancestor_count, above);
		for (int other = 0; other < DEEP_LAYERS * DEEP_WIDTH; other += 3)
			assert_int_equal(i != other && is_in(entities, ids[i], ids[other]),
				other / DEEP_WIDTH > i / DEEP_WIDTH);
	}
	cedar_entities_destroy(&entities);
}

/* What a store says about its own entities it knows by pointer. */
static void an_overlay_hides_an_entity_that_a_value_below_names(void **state)
{
	struct cedar_uid hidden = t("v");
	struct cedar_member member = {CEDAR_TEXT("n"), cedar_value_long(2)};
	struct cedar_entity added = {.uid = hidden};
	const struct cedar_entities *overlay;
	struct world world;

	(void)state;
	world_open(&world,
		"[{\"uid\":{\"type\":\"U\",\"id\":\"p\"},\"attrs\":{\"v\":{\"__entity\":" UID(
			"T", "v") "}},\"parents\":[]},{\"uid\":" UID("T", "v") ",\"attrs\":{"
									       "\"n\":1},"
									       "\"parents\":[]}]",
		NULL);
	assert_value(&world, "principal.v.n", "1");
	assert_true(cedar_value_record(&added.attributes, world.arena, &member, 1, &world.err));
	assert_true(cedar_entities_overlay(
		&overlay, world.arena, world.entities, &added, 1, &world.err));
	{
		struct cedar_expression *expression;
		struct cedar_value value;

		assert_true(cedar_expression_parse(
			&expression, CEDAR_TEXT("principal.v.n"), &world.err));
		assert_true(cedar_evaluate_expression(
			expression, overlay, &world.request, world.arena, &value, &world.err));
		assert_int_equal(value.integer, 2);
		cedar_expression_destroy(&expression);
	}
	world_close(&world);
}

static void a_long_chain_needs_no_stack(void **state)
{
	enum { LINKS = 2000 };
	struct cedar_entities *entities;
	struct cedar_error err;
	char id[16], parent[16];

	(void)state;
	assert_true(cedar_entities_create(&entities, &err));
	for (int i = 0; i < LINKS; i++) {
		struct cedar_uid above;
		struct cedar_entity entity = {0};

		(void)snprintf(id, sizeof id, "%d", i);
		(void)snprintf(parent, sizeof parent, "%d", i + 1);
		above = t(parent);
		entity.uid = t(id);
		entity.parents = &above;
		entity.parent_count = 1;
		assert_true(cedar_entities_add(entities, &entity, &err));
	}
	assert_true(cedar_entities_seal(entities, &err));
	(void)snprintf(parent, sizeof parent, "%d", LINKS);
	assert_true(is_in(entities, "0", parent));
	assert_false(is_in(entities, parent, "0"));
	cedar_entities_destroy(&entities);
}

static void an_overlay_adds_without_touching_what_is_below(void **state)
{
	struct cedar_uid parents[] = {t("b")};
	struct cedar_entity added[] = {{.uid = t("new"), .parents = parents, .parent_count = 1}};
	const struct cedar_entities *overlay;
	struct cedar_entity found;
	struct world world;

	(void)state;
	world_open(&world, "[" NODE("a", "") "," NODE("b", UID("T", "c")) "]", NULL);
	assert_true(cedar_entities_overlay(
		&overlay, world.arena, world.entities, added, 1, &world.err));
	assert_true(is_in(overlay, "new", "b"));
	assert_true(is_in(overlay, "new", "c"));
	assert_true(is_in(overlay, "b", "c"));
	assert_false(is_in(world.entities, "new", "b"));
	assert_false(cedar_entities_find(world.entities, &added[0].uid, &found));
	assert_true(cedar_entities_find(overlay, &added[0].uid, &found));
	world_close(&world);
}

static bool count_two(void *closure, const struct cedar_entity *entity)
{
	size_t *seen = closure;

	assert_int_equal(entity->uid.type.length, 1);
	assert_int_equal(entity->parent_count, *seen == 1 ? 1 : 0);
	return ++*seen < 2;
}

static void a_visit_gives_entities_in_their_order_with_their_parents(void **state)
{
	struct world world;
	struct cedar_entity found;
	struct cedar_uid b = t("b");
	size_t seen = 0;

	(void)state;
	world_open(
		&world, "[" NODE("a", "") "," NODE("b", UID("T", "c")) "," NODE("d", "") "]", NULL);
	cedar_entities_visit(world.entities, count_two, &seen);
	assert_int_equal(seen, 2);
	assert_true(cedar_entities_find(world.entities, &b, &found));
	assert_int_equal(found.parent_count, 1);
	assert_true(found.parents[0].id.data[0] == 'c');
	world_close(&world);
}

static void an_overlay_hides_only_what_is_nobodys_parent(void **state)
{
	struct cedar_uid parents[] = {t("c")};
	struct cedar_entity leaf = {.uid = t("a"), .parents = parents, .parent_count = 1};
	struct cedar_entity parent = {.uid = t("b")};
	struct cedar_entity missing = {.uid = t("x"), .parents = parents, .parent_count = 1};
	struct cedar_entity cycle[] = {{.uid = t("p"), .parents = &cycle[1].uid, .parent_count = 1},
		{.uid = t("q"), .parents = &cycle[0].uid, .parent_count = 1}};
	struct cedar_entity twice[] = {leaf, leaf};
	const struct cedar_entities *overlay;
	struct world world;

	(void)state;
	world_open(&world, "[" NODE("a", UID("T", "b")) "," NODE("b", UID("T", "x")) "]", NULL);
	assert_false(cedar_entities_overlay(
		&overlay, world.arena, world.entities, &parent, 1, &world.err));
	assert_null(overlay);
	assert_false(cedar_entities_overlay(
		&overlay, world.arena, world.entities, &missing, 1, &world.err));
	assert_false(cedar_entities_overlay(
		&overlay, world.arena, world.entities, cycle, 2, &world.err));
	assert_false(cedar_entities_overlay(
		&overlay, world.arena, world.entities, twice, 2, &world.err));
	missing.parent_count = 0;
	assert_true(cedar_entities_overlay(
		&overlay, world.arena, world.entities, &missing, 1, &world.err));
	assert_true(cedar_entities_overlay(
		&overlay, world.arena, world.entities, &leaf, 1, &world.err));
	assert_true(is_in(overlay, "a", "c"));
	assert_false(is_in(overlay, "a", "b"));
	assert_true(cedar_entities_overlay(&overlay, world.arena, NULL, cycle, 1, &world.err));
	assert_true(is_in(overlay, "p", "q"));
	world_close(&world);
}

static void an_entities_text_ends_at_its_byte_limit(void **state)
{
	char *text = malloc(CEDAR_ENTITIES_BYTES_MAX + 1);
	struct cedar_error err;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', CEDAR_ENTITIES_BYTES_MAX + 1);
	memcpy(text, "[]", 2);
	for (int more = -1; more <= 1; more++) {
		struct cedar_text json = {text, (size_t)(CEDAR_ENTITIES_BYTES_MAX + more)};
		struct cedar_entities *entities;

		assert_true(cedar_entities_create(&entities, &err));
		assert_int_equal(cedar_entities_add_json(entities, json, &err), more <= 0);
		if (more > 0)
			assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
		cedar_entities_destroy(&entities);
	}
	free(text);
}

/* A hash that anyone can compute, as entities had it once. */
static uint64_t fold(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

enum { BAD_BYTES = 16, BAD_IDS = 4096 };

/* An id whose second half cancels the hash of the first: all such ids had one hash. */
static void make_bad_id(char id[BAD_BYTES], uint64_t number)
{
	const uint64_t odd_1 = 0x9E3779B97F4A7C15, odd_2 = 0xD1B54A32D192ED03;
	uint64_t type =
		fold(odd_1 ^ (uint64_t)'T' ^ (uint64_t)'T' << 8 ^ (uint64_t)'T' << 16, odd_1 ^ 1);
	uint64_t half = fold(type ^ odd_1 ^ number, odd_2);

	memcpy(id, &number, sizeof number);
	memcpy(id + sizeof number, &half, sizeof half);
}

/* How many slots a look-up of each entry passes, in sum. */
static uint64_t count_probes(const struct table *table)
{
	uint64_t probes = 0, hash;
	uint32_t position;

	for (uint32_t at = 0; at < table->slot_count; at++) {
		if (table_slot(table, at, &hash, &position))
			probes += 1 + ((at - (uint32_t)hash) & (table->slot_count - 1));
	}
	return probes;
}

/* The next of them that is UTF-8: no store keeps another. */
static void find_bad_id(char id[BAD_BYTES], uint64_t *number)
{
	do
		make_bad_id(id, (*number)++);
	while (utf8_valid_length((struct cedar_text){id, BAD_BYTES}) < BAD_BYTES);
}

static void ids_made_to_collide_are_found_as_fast_as_others(void **state)
{
	static char ids[BAD_IDS][BAD_BYTES];
	struct cedar_entities *store;
	uint64_t number = 0;
	struct cedar_error err;

	(void)state;
	assert_true(cedar_entities_create(&store, &err));
	for (int i = 0; i < BAD_IDS; i++) {
		find_bad_id(ids[i], &number);
		assert_true(cedar_entities_add(store,
			&(struct cedar_entity){.uid = {CEDAR_TEXT("T"), {ids[i], BAD_BYTES}, 0}},
			&err));
	}
	assert_int_equal(store->table.used, BAD_IDS);
	/* At most half full, one and a half are to be expected of each. */
	assert_in_range(count_probes(&store->table), BAD_IDS, 4 * BAD_IDS);
	cedar_entities_destroy(&store);
}

static void add_with_parent(struct cedar_entities *store, int number, const char *parent,
	enum cedar_error_code expected)
{
	char name[16];
	struct cedar_uid above = t(parent);
	struct cedar_entity entity = {.parents = &above, .parent_count = 1};
	struct cedar_error err = {.code = CEDAR_ERROR_NONE};

	(void)snprintf(name, sizeof name, "%d", number);
	entity.uid = t(name);
	assert_int_equal(cedar_entities_add(store, &entity, &err), expected == CEDAR_ERROR_NONE);
	assert_int_equal(err.code, expected);
}

/* A store for so many, with `count` entities below one parent. */
static struct cedar_entities *store_of(uint32_t entities_max, int count, const char *parent)
{
	struct cedar_entities *store;
	struct cedar_error err;

	assert_true(cedar_entities_create(&store, &err));
	assert_int_equal(store->entities_max, CEDAR_ENTITIES_MAX);
	store->entities_max = entities_max;
	for (int i = 0; i < count; i++)
		add_with_parent(store, i, parent, CEDAR_ERROR_NONE);
	return store;
}

/* Ten million of them would take gigabytes, so the store is told of another bound. */
static void a_store_has_only_so_many_entities(void **state)
{
	enum { MAX = 20 };
	struct cedar_entities *store;
	struct cedar_error err;

	(void)state;
	for (int count = MAX - 1; count <= MAX; count++) {
		store = store_of(MAX, count, "none");
		/* Who is only named as a parent is one of them, once. */
		assert_int_equal(cedar_entities_seal(store, &err), count < MAX);
		if (count == MAX)
			assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
		cedar_entities_destroy(&store);
	}
	store = store_of(MAX, MAX - 1, "19");
	add_with_parent(store, MAX - 1, "20", CEDAR_ERROR_NONE);
	add_with_parent(store, MAX, "19", CEDAR_ERROR_LIMIT);
	cedar_entities_destroy(&store);
	/* However often they are named. */
	store = store_of(MAX, MAX - 1, "19");
	assert_true(cedar_entities_add(store, &(struct cedar_entity){.uid = t("19")}, &err));
	assert_true(cedar_entities_seal(store, &err));
	cedar_entities_destroy(&store);
}

/* So many that are there would take gigabytes: refused before one is read. */
static void an_entity_has_only_so_many_parents(void **state)
{
	struct cedar_entity entity = {
		.uid = t("a"), .parent_count = (size_t)CEDAR_ENTITIES_MAX + 1};
	struct cedar_entities *entities;
	const struct cedar_entities *over;
	struct cedar_arena *arena = cedar_arena_create(SUPPORT_ARENA_BYTES);
	struct cedar_error err;

	(void)state;
	assert_true(cedar_entities_create(&entities, &err));
	assert_false(cedar_entities_add(entities, &entity, &err));
	assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
	assert_false(cedar_entities_overlay(&over, arena, NULL, &entity, 1, &err));
	assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
	entity.parent_count = CEDAR_ENTITIES_MAX;
	assert_true(entities_check_shape(&entity, &err));
	cedar_arena_destroy(&arena);
	cedar_entities_destroy(&entities);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_entities_are_refused),
		cmocka_unit_test(what_differs_from_the_entity_before_is_refused_where_it_stands),
		cmocka_unit_test(what_does_not_come_from_a_text_has_no_place),
		cmocka_unit_test(a_cycle_is_refused_whatever_its_length_and_told_by_its_names),
		cmocka_unit_test(a_store_with_a_cycle_can_only_be_destroyed),
		cmocka_unit_test(a_store_that_has_part_of_a_text_can_only_be_destroyed),
		cmocka_unit_test(an_entity_that_is_refused_leaves_the_store_as_it_was),
		cmocka_unit_test(a_long_cycle_is_told_in_part),
		cmocka_unit_test(an_equal_duplicate_is_the_same_entity),
		cmocka_unit_test(a_parent_that_is_named_twice_is_kept_where_it_stands_first),
		cmocka_unit_test(the_hierarchy_is_closed_over_missing_parents_too),
		cmocka_unit_test(every_one_of_many_ancestors_is_found),
		cmocka_unit_test(ancestors_that_parents_have_in_common_are_found_once),
		cmocka_unit_test(ancestors_of_full_layers_are_all_found),
		cmocka_unit_test(an_overlay_hides_an_entity_that_a_value_below_names),
		cmocka_unit_test(a_long_chain_needs_no_stack),
		cmocka_unit_test(an_overlay_adds_without_touching_what_is_below),
		cmocka_unit_test(a_visit_gives_entities_in_their_order_with_their_parents),
		cmocka_unit_test(an_overlay_hides_only_what_is_nobodys_parent),
		cmocka_unit_test(an_entities_text_ends_at_its_byte_limit),
		cmocka_unit_test(ids_made_to_collide_are_found_as_fast_as_others),
		cmocka_unit_test(a_store_has_only_so_many_entities),
		cmocka_unit_test(an_entity_has_only_so_many_parents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
