/* The map from text to pointers. */
#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 20000, KEY_BYTES = 16 };

static int setup(void **state)
{
	struct error err = {0};

	return map_create((struct map **)state, &err) ? 0 : -1;
}

static int teardown(void **state)
{
	map_destroy((struct map **)state);
	assert_null(*state);
	map_destroy((struct map **)state);
	return 0;
}

static void put(struct map *map, struct text key, void *value)
{
	struct error err = {0};

	assert_true(map_put(map, key, value, &err));
}

static void what_was_never_put_is_not_found(void **state)
{
	struct map *map = *state;

	assert_null(map_find(map, TEXT("a")));
	assert_null(map_remove(map, TEXT("a")));
	put(map, TEXT("a"), map);
	assert_null(map_find(map, TEXT("b")));
	assert_null(map_find(map, TEXT("a\0")));
	assert_null(map_find(map, TEXT("")));
	assert_int_equal(map_count(map), 1);
}

static void an_equal_key_replaces_the_value(void **state)
{
	struct map *map = *state;
	int values[2];
	size_t cursor = 0;
	struct text key;
	void *value;

	put(map, TEXT("a"), &values[0]);
	put(map, TEXT("b"), &values[0]);
	put(map, TEXT("a"), &values[1]);
	assert_int_equal(map_count(map), 2);
	assert_ptr_equal(map_find(map, TEXT("a")), &values[1]);
	assert_true(map_next(map, &cursor, &key, &value) && text_is(key, "a"));
	assert_ptr_equal(value, &values[1]);
}

static void a_removed_key_may_come_back_at_the_end(void **state)
{
	struct map *map = *state;
	size_t cursor = 0;
	struct text key;
	int values[3];
	void *value;

	put(map, TEXT("a"), &values[0]);
	put(map, TEXT("b"), &values[1]);
	assert_ptr_equal(map_remove(map, TEXT("a")), &values[0]);
	assert_null(map_find(map, TEXT("a")));
	put(map, TEXT("a"), &values[2]);
	assert_true(map_next(map, &cursor, &key, &value) && text_is(key, "b"));
	assert_true(map_next(map, &cursor, &key, &value) && text_is(key, "a"));
	assert_false(map_next(map, &cursor, &key, &value));
	assert_ptr_equal(value, &values[2]);
}

/* Random puts and removes beside a plain array. */
static void it_agrees_with_an_array_under_any_sequence(void **state)
{
	struct map *map = *state;
	static char keys[500][KEY_BYTES];
	static bool is_there[500];
	size_t expected = 0;
	unsigned seed = 12345;
	int i;

	for (i = 0; i < 500; i++)
		(void)snprintf(keys[i], KEY_BYTES, "key-%d", i);
	for (i = 0; i < MANY * 5; i++) {
		unsigned k;
		struct text key;

		seed = seed * 1103515245U + 12345U;
		k = (seed >> 16) % 500;
		key = text_of(keys[k]);
		if ((seed >> 8 & 3) == 0) {
			assert_int_equal(map_remove(map, key) != NULL, is_there[k]);
			expected -= is_there[k];
			is_there[k] = false;
		} else if ((seed >> 8 & 3) == 1) {
			put(map, key, keys[k]);
			expected += !is_there[k];
			is_there[k] = true;
		}
		assert_int_equal(map_find(map, key) != NULL, is_there[k]);
		assert_int_equal(map_count(map), expected);
	}
}

static void a_walk_gives_each_entry_once_in_order_and_may_remove(void **state)
{
	struct map *map = *state;
	char(*keys)[KEY_BYTES] = calloc(MANY, KEY_BYTES);
	size_t cursor = 0;
	struct text key;
	void *value;
	int i;

	assert_non_null(keys);
	for (i = 0; i < MANY; i++) {
		(void)snprintf(keys[i], KEY_BYTES, "k%d", i);
		put(map, text_of(keys[i]), keys[i]);
	}
	for (i = 0; map_next(map, &cursor, &key, &value); i++) {
		assert_ptr_equal(value, keys[i]);
		assert_ptr_equal(map_remove(map, key), keys[i]);
	}
	assert_int_equal(i, MANY);
	assert_int_equal(map_count(map), 0);
	free(keys);
}

/* Appendix A of the SipHash paper: key 00..0f, message 00..0e. */
static void the_published_hash_comes_out(void **state)
{
	uint8_t key[16];
	uint8_t message[15];
	uint8_t i;

	(void)state;
	for (i = 0; i < 16; i++)
		key[i] = i;
	for (i = 0; i < 15; i++)
		message[i] = i;
	assert_true(siphash(key, message, 15) == 0xa129ca6149be45e5U);
	assert_true(siphash(key, NULL, 0) == 0x726fdb47dd0e0e31U);
}

#define MAP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MAP_TEST(what_was_never_put_is_not_found),
		MAP_TEST(an_equal_key_replaces_the_value),
		MAP_TEST(a_removed_key_may_come_back_at_the_end),
		MAP_TEST(it_agrees_with_an_array_under_any_sequence),
		MAP_TEST(a_walk_gives_each_entry_once_in_order_and_may_remove),
		cmocka_unit_test(the_published_hash_comes_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
