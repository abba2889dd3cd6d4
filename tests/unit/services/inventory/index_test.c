#include "services/inventory/index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { ITEMS = 100000 };

static const uint8_t key[SIPHASH_KEY_BYTES] = {1, 2, 3};

static uint64_t key_of(int number)
{
	char text[32];
	int length = snprintf(text, sizeof text, "node resource r%d", number);

	return inventory_index_key(key, (struct text){text, (size_t)length});
}

static bool count_entry(void *context, const struct inventory_index_entry *entry)
{
	(void)entry;
	(*(size_t *)context)++;
	return true;
}

static bool count_one(void *context, const struct inventory_index_entry *entry)
{
	(void)count_entry(context, entry);
	return false;
}

static void what_was_put_is_found_and_nothing_else(void **state)
{
	struct inventory_index *index = inventory_index_create();
	size_t seen = 0;

	(void)state;
	assert_null(inventory_index_find(index, key_of(0)));
	for (int i = 0; i < ITEMS; i++) {
		struct inventory_index_entry *entry = inventory_index_put(index, key_of(i));

		assert_non_null(entry);
		entry->line = (uint32_t)i + 1;
		inventory_index_counted(index);
	}
	for (int i = 0; i < ITEMS; i++)
		assert_int_equal(inventory_index_find(index, key_of(i))->line, i + 1);
	assert_null(inventory_index_find(index, key_of(ITEMS)));
	for (size_t share = 0; share < INVENTORY_INDEX_SHARES; share++)
		inventory_index_each(index, share, count_entry, &seen);
	assert_int_equal(seen, ITEMS);
	assert_int_equal(inventory_index_count(index), ITEMS);
	seen = 0;
	inventory_index_each(index, 0, count_one, &seen);
	assert_int_equal(seen, 1);
	inventory_index_destroy(&index);
	assert_null(index);
}

static void an_empty_one_has_nothing(void **state)
{
	struct inventory_index *index = inventory_index_create();
	size_t seen = 0;

	(void)state;
	inventory_index_each(index, 0, count_entry, &seen);
	assert_int_equal(seen, 0);
	assert_int_equal(inventory_index_count(index), 0);
	inventory_index_destroy(&index);
	inventory_index_destroy(&index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_has_nothing),
		cmocka_unit_test(what_was_put_is_found_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
