#include "cedar/trie.h"

#include <stdlib.h>

#include "support.h"

enum { MANY = 3000, EQUAL_HASHES = 70, NAME_BYTES = 16 };

static unsigned alive;

struct thing {
	struct trie_item item;
	struct cedar_uid uid;
	char name[NAME_BYTES];
	unsigned value;
};

static void destroy_thing(struct shared *shared)
{
	alive--;
	free(shared);
}

/* hash 0: its own */
static struct thing *thing_of(unsigned number, uint64_t hash, unsigned value)
{
	struct thing *thing = calloc(1, sizeof *thing);

	assert_non_null(thing);
	alive++;
	shared_init(&thing->item.shared, destroy_thing);
	(void)snprintf(thing->name, sizeof thing->name, "%u", number);
	thing->uid = cedar_uid_of(CEDAR_TEXT("T"), cedar_text_of(thing->name));
	if (hash != 0)
		thing->uid.hash = hash;
	thing->item.uid = &thing->uid;
	thing->value = value;
	return thing;
}

static void put(struct shared **root, unsigned number, uint64_t hash, unsigned value)
{
	assert_true(trie_put(root, &thing_of(number, hash, value)->item));
}

/* The value of that number, or 0. */
static unsigned value_of(struct shared *root, unsigned number, uint64_t hash)
{
	char name[NAME_BYTES];
	struct cedar_uid uid;
	const struct thing *thing;

	(void)snprintf(name, sizeof name, "%u", number);
	uid = cedar_uid_of(CEDAR_TEXT("T"), cedar_text_of(name));
	if (hash != 0)
		uid.hash = hash;
	thing = (const struct thing *)trie_find(root, &uid);
	return thing == NULL ? 0 : thing->value;
}

static void take(struct shared **root, unsigned number, uint64_t hash)
{
	struct thing *thing = thing_of(number, hash, 0);

	assert_true(trie_remove(root, &thing->uid));
	shared_release(&thing->item.shared);
}

static bool count_item(void *closure, struct trie_item *item)
{
	unsigned *left = closure;

	return item->uid != NULL && (*left)-- > 1;
}

static void nothing_is_found_in_an_empty_trie_and_nothing_taken_out(void **state)
{
	struct shared *root = NULL;

	(void)state;
	assert_int_equal(value_of(root, 1, 0), 0);
	take(&root, 1, 0);
	assert_null(root);
	put(&root, 1, 0, 7);
	take(&root, 2, 0);
	assert_int_equal(value_of(root, 1, 0), 7);
	take(&root, 1, 0);
	assert_null(root);
	assert_int_equal(alive, 0);
}

static void an_item_replaces_the_one_with_its_uid(void **state)
{
	struct shared *root = NULL;

	(void)state;
	for (unsigned i = 1; i <= MANY; i++)
		put(&root, i, 0, i);
	for (unsigned i = 1; i <= MANY; i++)
		put(&root, i, 0, 2 * i);
	assert_int_equal(alive, MANY);
	for (unsigned i = 1; i <= MANY; i++)
		assert_int_equal(value_of(root, i, 0), 2 * i);
	assert_int_equal(value_of(root, MANY + 1, 0), 0);
	shared_release(root);
	assert_int_equal(alive, 0);
}

static void what_another_holds_stays_as_it_was(void **state)
{
	struct shared *old = NULL, *new;

	(void)state;
	for (unsigned i = 1; i <= MANY; i++)
		put(&old, i, 0, i);
	new = old;
	shared_hold(new);
	for (unsigned i = 1; i <= MANY; i += 3)
		put(&new, i, 0, 9 * i);
	for (unsigned i = 2; i <= MANY; i += 3)
		take(&new, i, 0);
	put(&new, MANY + 1, 0, 1);
	for (unsigned i = 1; i <= MANY; i++) {
		unsigned expected = i % 3 == 1 ? 9 * i : i % 3 == 2 ? 0 : i;

		assert_int_equal(value_of(old, i, 0), i);
		assert_int_equal(value_of(new, i, 0), expected);
	}
	assert_int_equal(value_of(old, MANY + 1, 0), 0);
	shared_release(old);
	assert_int_equal(value_of(new, 1, 0), 9);
	shared_release(new);
	assert_int_equal(alive, 0);
}

static void what_is_put_and_taken_out_leaves_nothing_behind(void **state)
{
	struct shared *root = NULL;

	(void)state;
	for (unsigned i = 1; i <= MANY; i++)
		put(&root, i, 0, i);
	for (unsigned i = MANY; i > 1; i--)
		take(&root, i, 0);
	assert_false(root->is_branch);
	assert_int_equal(value_of(root, 1, 0), 1);
	take(&root, 1, 0);
	assert_null(root);
	assert_int_equal(alive, 0);
}

/* Hashes that are equal, and such as differ in the last bits only. */
static void equal_hashes_are_told_apart(void **state)
{
	static const uint64_t hashes[] = {1, UINT64_MAX, UINT64_C(1) << 63 | 1};
	struct shared *root = NULL, *old;
	unsigned left = 3 * EQUAL_HASHES;

	(void)state;
	for (unsigned i = 1; i <= EQUAL_HASHES; i++) {
		for (unsigned h = 0; h < 3; h++)
			put(&root, i, hashes[h], 10 * i + h);
	}
	assert_false(trie_visit(root, count_item, &left));
	assert_int_equal(left, 0);
	old = root;
	shared_hold(old);
	for (unsigned i = 2; i <= EQUAL_HASHES; i++)
		take(&root, i, hashes[0]);
	for (unsigned i = 1; i <= EQUAL_HASHES; i++) {
		assert_int_equal(value_of(old, i, 1), 10 * i);
		assert_int_equal(value_of(root, i, 1), i == 1 ? 10 : 0);
		assert_int_equal(value_of(root, i, hashes[1]), 10 * i + 1);
		assert_int_equal(value_of(root, i, hashes[2]), 10 * i + 2);
	}
	assert_int_equal(value_of(root, EQUAL_HASHES + 1, 1), 0);
	shared_release(old);
	shared_release(root);
	assert_int_equal(alive, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_found_in_an_empty_trie_and_nothing_taken_out),
		cmocka_unit_test(an_item_replaces_the_one_with_its_uid),
		cmocka_unit_test(what_another_holds_stays_as_it_was),
		cmocka_unit_test(what_is_put_and_taken_out_leaves_nothing_behind),
		cmocka_unit_test(equal_hashes_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
