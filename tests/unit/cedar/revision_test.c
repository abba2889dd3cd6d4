#include "cedar/revision.h"

#include "support.h"

enum { CHAIN = 20 };

static const char firm[] =
	"[{\"uid\":{\"type\":\"U\",\"id\":\"p\"},\"attrs\":{\"level\":1},\"parents\":["
	"{\"type\":\"G\",\"id\":\"team\"}]},"
	"{\"uid\":{\"type\":\"U\",\"id\":\"q\"},\"attrs\":{},\"parents\":["
	"{\"type\":\"G\",\"id\":\"team\"},{\"type\":\"G\",\"id\":\"team\"}]},"
	"{\"uid\":{\"type\":\"G\",\"id\":\"team\"},\"attrs\":{},\"parents\":["
	"{\"type\":\"G\",\"id\":\"unit\"}]}]";

static struct cedar_uid uid_of(const char *type, const char *id)
{
	return cedar_uid_of(cedar_text_of(type), cedar_text_of(id));
}

static const struct cedar_entities *first_of(const char *json)
{
	const struct cedar_entities *revision;
	struct cedar_entities *store;
	struct cedar_error err;

	assert_true(cedar_entities_create(&store, &err));
	assert_true(cedar_entities_add_json(store, cedar_text_of(json), &err));
	assert_true(cedar_entities_seal(store, &err));
	assert_true(cedar_revision_first(&revision, &store, &err));
	assert_null(store);
	return revision;
}

/* Type::"id" with one parent, or none if parent is NULL. */
struct one {
	struct cedar_entity entity;
	struct cedar_uid parent;
};

static const struct cedar_entity *one_of(
	struct one *one, const char *type, const char *id, const char *parent)
{
	one->entity = (struct cedar_entity){.uid = uid_of(type, id)};
	if (parent != NULL) {
		one->parent = uid_of("G", parent);
		one->entity.parents = &one->parent;
		one->entity.parent_count = 1;
	}
	return &one->entity;
}

/* *now becomes the next revision. */
static bool change(const struct cedar_entities **now, const struct cedar_change *changes,
	size_t count, struct cedar_error *err)
{
	const struct cedar_entities *next;

	if (!cedar_revision_change(&next, *now, changes, count, err)) {
		assert_null(next);
		return false;
	}
	cedar_revision_release(now);
	*now = next;
	return true;
}

static bool put(const struct cedar_entities **now, const char *type, const char *id,
	const char *parent, struct cedar_error *err)
{
	struct one one;

	return change(now, &(struct cedar_change){.put = one_of(&one, type, id, parent)}, 1, err);
}

static void take(const struct cedar_entities **now, const char *type, const char *id)
{
	struct cedar_uid uid = uid_of(type, id);
	struct cedar_error err;

	assert_true(change(now, &(struct cedar_change){.remove = &uid}, 1, &err));
}

static bool is_in(const struct cedar_entities *entities, const char *id, const char *group)
{
	struct cedar_uid uid = uid_of("U", id), ancestor = uid_of("G", group);

	return cedar_entities_in(entities, &uid, &ancestor);
}

static bool is_there(const struct cedar_entities *entities, const char *type, const char *id)
{
	struct cedar_uid uid = uid_of(type, id);
	struct cedar_entity found;

	return cedar_entities_find(entities, &uid, &found);
}

static void a_change_that_puts_and_removes_or_neither_is_refused(void **state)
{
	const struct cedar_entities *now = first_of(firm);
	struct cedar_uid uid = uid_of("U", "p");
	struct cedar_error err;
	struct one one;
	struct cedar_change both = {one_of(&one, "U", "x", NULL), &uid};

	(void)state;
	assert_false(change(&now, &both, 1, &err));
	assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	assert_false(change(&now, &(struct cedar_change){NULL, NULL}, 1, &err));
	assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	cedar_revision_release(&now);
}

static void attributes_that_are_no_record_are_refused(void **state)
{
	const struct cedar_entities *now = first_of(firm);
	struct cedar_entity bad = {.uid = uid_of("U", "x"), .attributes = cedar_value_bool(true)};
	struct cedar_error err;

	(void)state;
	assert_false(change(&now, &(struct cedar_change){.put = &bad}, 1, &err));
	assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	assert_false(is_there(now, "U", "x"));
	cedar_revision_release(&now);
}

static void a_cycle_is_refused_and_what_was_stays_in_force(void **state)
{
	const struct cedar_entities *now = first_of(firm);
	struct cedar_error err;

	(void)state;
	assert_false(put(&now, "G", "team", "team", &err));
	assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	assert_non_null(strstr(err.text, "its own ancestor"));
	assert_false(put(&now, "G", "unit", "team", &err));
	assert_true(put(&now, "G", "unit", "firm", &err));
	assert_false(put(&now, "G", "firm", "team", &err));
	assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	assert_string_equal(err.text,
		"the entity G::\"firm\" is its own ancestor, in G::\"team\", in G::\"unit\"");
	assert_true(is_in(now, "p", "firm"));
	assert_false(is_there(now, "G", "firm"));
	assert_int_equal(cedar_entities_count(now), 4);
	cedar_revision_release(&now);
}

static void a_batch_with_a_cycle_changes_nothing_at_all(void **state)
{
	const struct cedar_entities *now = first_of(firm);
	struct one a, b, c;
	struct cedar_change changes[] = {
		{.put = one_of(&a, "U", "new", "team")}, {.put = one_of(&b, "G", "unit", "team")}};
	struct cedar_error err;

	(void)state;
	assert_false(change(&now, changes, 2, &err));
	assert_false(is_there(now, "U", "new"));
	/* Not a cycle once the second is made: only the end counts. */
	changes[0].put = one_of(&c, "G", "team", NULL);
	assert_true(change(&now, changes, 2, &err));
	changes[0].put = one_of(&b, "G", "unit", NULL);
	changes[1].put = one_of(&c, "G", "team", "unit");
	assert_true(change(&now, changes, 2, &err));
	assert_true(is_in(now, "p", "unit"));
	cedar_revision_release(&now);
}

static void whoever_reads_an_older_revision_keeps_it(void **state)
{
	const struct cedar_entities *old = first_of(firm);
	const struct cedar_entities *now = cedar_revision_hold(old);
	struct cedar_uid uid = uid_of("U", "p");
	struct cedar_entity before, after;
	struct cedar_error err;

	(void)state;
	assert_true(cedar_entities_find(old, &uid, &before));
	assert_true(put(&now, "U", "p", NULL, &err));
	assert_true(put(&now, "G", "team", "other", &err));
	assert_true(is_in(old, "p", "unit"));
	assert_false(is_in(now, "p", "team"));
	assert_false(is_in(now, "q", "unit"));
	assert_true(is_in(now, "q", "other"));
	assert_true(cedar_entities_find(old, &uid, &after));
	assert_int_equal(after.attributes.count, 1);
	assert_int_equal(before.attributes.members, after.attributes.members);
	cedar_revision_release(&old);
	assert_null(old);
	cedar_revision_release(&old);
	assert_true(is_in(now, "q", "other"));
	cedar_revision_release(&now);
}

static void a_parent_that_is_removed_is_a_parent_that_is_not_there(void **state)
{
	const struct cedar_entities *now = first_of(firm);
	struct cedar_error err;

	(void)state;
	take(&now, "G", "team");
	assert_false(is_there(now, "G", "team"));
	assert_true(is_in(now, "p", "team"));
	assert_false(is_in(now, "p", "unit"));
	assert_int_equal(cedar_entities_count(now), 2);
	take(&now, "G", "team");
	take(&now, "G", "never");
	assert_int_equal(cedar_entities_count(now), 2);
	assert_true(put(&now, "G", "team", "unit", &err));
	assert_true(is_in(now, "p", "unit"));
	cedar_revision_release(&now);
}

static void ancestors_follow_through_new_and_old_entities(void **state)
{
	const struct cedar_entities *now = first_of(firm);
	struct cedar_error err;

	(void)state;
	assert_true(put(&now, "U", "r", "squad", &err));
	assert_true(put(&now, "G", "squad", "team", &err));
	assert_true(is_in(now, "r", "unit"));
	assert_true(put(&now, "G", "unit", "firm", &err));
	assert_true(is_in(now, "r", "firm") && is_in(now, "p", "firm") && is_in(now, "q", "firm"));
	/* Away from the team, and back. */
	assert_true(put(&now, "U", "p", "squad", &err));
	assert_true(put(&now, "U", "p", "team", &err));
	take(&now, "G", "unit");
	assert_false(is_in(now, "r", "firm") || is_in(now, "p", "firm") || is_in(now, "q", "firm"));
	assert_true(is_in(now, "p", "unit"));
	cedar_revision_release(&now);
}

static void parents_that_were_put_are_found_sorted_and_once(void **state)
{
	const struct cedar_entities *now = first_of("[]");
	struct cedar_uid parents[] = {
		uid_of("G", "b"), uid_of("H", "a"), uid_of("G", "a"), uid_of("G", "b")};
	struct cedar_entity entity = {
		.uid = uid_of("U", "x"), .parents = parents, .parent_count = 4};
	struct cedar_entity found;
	struct cedar_error err;

	(void)state;
	assert_true(change(&now, &(struct cedar_change){.put = &entity}, 1, &err));
	assert_true(cedar_entities_find(now, &entity.uid, &found));
	assert_int_equal(found.parent_count, 3);
	assert_true(cedar_uid_equal(&found.parents[0], &parents[2]));
	assert_true(cedar_uid_equal(&found.parents[1], &parents[0]));
	assert_true(cedar_uid_equal(&found.parents[2], &parents[1]));
	take(&now, "U", "x");
	assert_int_equal(cedar_entities_count(now), 0);
	assert_null(now->revision->cells);
	cedar_revision_release(&now);
}

static bool adds_level(void *closure, const struct cedar_entity *entity)
{
	size_t *seen = closure;

	return entity->uid.id.length > 0 && ++*seen < 3;
}

static void a_visit_sees_every_entity_once_until_it_ends(void **state)
{
	const struct cedar_entities *now = first_of(firm);
	struct cedar_error err;
	size_t seen = 0;

	(void)state;
	assert_true(put(&now, "U", "new", "team", &err));
	take(&now, "U", "q");
	cedar_entities_visit(now, adds_level, &seen);
	assert_int_equal(seen, 3);
	seen = 0;
	take(&now, "U", "p");
	cedar_entities_visit(now, adds_level, &seen);
	assert_int_equal(seen, 2);
	cedar_revision_release(&now);
}

static void a_revision_decides_like_any_store(void **state)
{
	static const char policies[] =
		"permit(principal in G::\"unit\", action, resource) when { principal.level < 3 };";
	struct cedar_member level = {CEDAR_TEXT("level"), cedar_value_long(7)};
	const struct cedar_entities *now = first_of(firm);
	struct cedar_entities *own;
	struct cedar_error err;
	struct one one;
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	own = world.entities;
	world.entities = (struct cedar_entities *)(uintptr_t)now;
	assert_answer(&world, policies, "allow [0] []");
	one_of(&one, "U", "p", "team");
	one.entity.attributes = (struct cedar_value){
		.type = CEDAR_RECORD, .depth = 1, .count = 1, .members = &level};
	assert_true(change(&now, &(struct cedar_change){.put = &one.entity}, 1, &err));
	world.entities = (struct cedar_entities *)(uintptr_t)now;
	assert_answer(&world, policies, "deny [] []");
	take(&now, "U", "p");
	world.entities = (struct cedar_entities *)(uintptr_t)now;
	assert_answer(&world, policies, "deny [] []");
	cedar_revision_release(&now);
	world.entities = own;
	world_close(&world);
}

static void a_revision_is_validated_with_what_changed(void **state)
{
	const struct cedar_entities *now = first_of(firm);
	struct cedar_schema *schema;
	struct cedar_error err;

	(void)state;
	assert_true(cedar_schema_parse(
		&schema, CEDAR_TEXT("entity G in [G]; entity U in [G] = {level?: Long};"), &err));
	assert_true(cedar_validate_entities(schema, now, &err));
	assert_true(put(&now, "X", "x", "team", &err));
	assert_false(cedar_validate_entities(schema, now, &err));
	assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	take(&now, "X", "x");
	assert_true(cedar_validate_entities(schema, now, &err));
	cedar_schema_destroy(&schema);
	cedar_revision_release(&now);
}

/* A chain of entities has 0, 1, 2… ancestors. */
static void more_ancestors_than_the_limit_are_refused(void **state)
{
	const struct cedar_entities *now = first_of("[]");
	uint64_t most = CHAIN * (CHAIN - 1) / 2;
	char id[8], parent[8];
	struct cedar_error err;

	(void)state;
	assert_int_equal(now->revision->foundation->ancestors_max, CEDAR_REVISION_ANCESTORS_MAX);
	now->revision->foundation->ancestors_max = most;
	for (int i = 0; i < CHAIN; i++) {
		(void)snprintf(id, sizeof id, "%d", i);
		(void)snprintf(parent, sizeof parent, "%d", i - 1);
		assert_true(put(&now, "G", id, i == 0 ? NULL : parent, &err));
	}
	assert_int_equal(now->revision->ancestor_count, most);
	assert_false(put(&now, "G", "one-too-many", "0", &err));
	assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
	take(&now, "G", id);
	assert_true(put(&now, "G", "another", "0", &err));
	cedar_revision_release(&now);
}

static void more_entities_than_the_limit_are_refused(void **state)
{
	enum { MAX = 20 };
	const struct cedar_entities *now = first_of("[]");
	char id[8];
	struct cedar_error err;

	(void)state;
	assert_int_equal(now->revision->foundation->store->entities_max, CEDAR_ENTITIES_MAX);
	now->revision->foundation->store->entities_max = MAX;
	for (int i = 0; i < MAX; i++) {
		(void)snprintf(id, sizeof id, "%d", i);
		assert_true(put(&now, "G", id, NULL, &err));
	}
	assert_false(put(&now, "G", "one-too-many", NULL, &err));
	assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
	assert_int_equal(cedar_entities_count(now), MAX);
	take(&now, "G", id);
	assert_true(put(&now, "G", "another", NULL, &err));
	cedar_revision_release(&now);
}

static void two_revisions_can_come_from_one(void **state)
{
	const struct cedar_entities *left = first_of(firm);
	const struct cedar_entities *right = cedar_revision_hold(left);
	struct cedar_error err;

	(void)state;
	assert_true(put(&left, "U", "p", "left", &err));
	assert_true(put(&right, "U", "p", "right", &err));
	assert_true(put(&left, "G", "left", "unit", &err));
	assert_true(is_in(left, "p", "left") && is_in(left, "p", "unit"));
	assert_true(is_in(right, "p", "right") && !is_in(right, "p", "unit"));
	cedar_revision_release(&left);
	cedar_revision_release(&right);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_that_puts_and_removes_or_neither_is_refused),
		cmocka_unit_test(attributes_that_are_no_record_are_refused),
		cmocka_unit_test(a_cycle_is_refused_and_what_was_stays_in_force),
		cmocka_unit_test(a_batch_with_a_cycle_changes_nothing_at_all),
		cmocka_unit_test(more_ancestors_than_the_limit_are_refused),
		cmocka_unit_test(more_entities_than_the_limit_are_refused),
		cmocka_unit_test(whoever_reads_an_older_revision_keeps_it),
		cmocka_unit_test(a_parent_that_is_removed_is_a_parent_that_is_not_there),
		cmocka_unit_test(ancestors_follow_through_new_and_old_entities),
		cmocka_unit_test(parents_that_were_put_are_found_sorted_and_once),
		cmocka_unit_test(a_visit_sees_every_entity_once_until_it_ends),
		cmocka_unit_test(a_revision_decides_like_any_store),
		cmocka_unit_test(a_revision_is_validated_with_what_changed),
		cmocka_unit_test(two_revisions_can_come_from_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
