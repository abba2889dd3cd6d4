#include "domain/charter/name_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void what_was_not_put_is_not_found(void **state)
{
	struct name_table *table = name_table_create();
	int value;

	(void)state;
	assert_null(name_table_find(table, TEXT("a")));
	assert_null(name_table_next(table, TEXT("")));
	assert_null(name_table_remove(table, TEXT("a")));
	assert_true(name_table_put(table, TEXT("a"), &value));
	assert_null(name_table_find(table, TEXT("aa")));
	assert_null(name_table_find(table, TEXT("")));
	assert_null(name_table_next(table, TEXT("a")));
	name_table_destroy(&table, NULL);
	assert_null(table);
}

static void names_come_in_byte_order(void **state)
{
	static const char *const names[] = {"b", "a/b", "a", "a-b", "ab"};
	static const char *const sorted[] = {"a", "a-b", "a/b", "ab", "b"};
	struct name_table *table = name_table_create();
	struct text after = {"", 0};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		assert_true(name_table_put(table, text_of(names[i]), (void *)(uintptr_t)names[i]));
	for (size_t i = 0; i < 5; i++) {
		const char *next = name_table_next(table, after);

		assert_string_equal(next, sorted[i]);
		after = text_of(next);
	}
	assert_null(name_table_next(table, after));
	name_table_destroy(&table, NULL);
}

/* Against a plain list: every name, present or not, after each change. */
static void puts_and_removals_in_any_order_agree_with_a_list(void **state)
{
	enum { NAMES = 200, STEPS = 20000 };
	struct name_table *table = name_table_create();
	char names[NAMES][8];
	bool is_there[NAMES] = {false};
	size_t count = 0;
	unsigned random = 12345;

	(void)state;
	for (int i = 0; i < NAMES; i++)
		(void)snprintf(names[i], sizeof names[i], "%03d", i);
	for (int step = 0; step < STEPS; step++) {
		size_t at = (random = random * 1103515245u + 12345u) / 65536u % NAMES;
		struct text name = text_of(names[at]);

		if (is_there[at])
			assert_ptr_equal(name_table_remove(table, name), names[at]);
		else
			assert_true(name_table_put(table, name, names[at]));
		is_there[at] = !is_there[at];
		count = is_there[at] ? count + 1 : count - 1;
		assert_int_equal(name_table_count(table), count);
		assert_ptr_equal(name_table_find(table, name), is_there[at] ? names[at] : NULL);
		if (step % 100 != 0)
			continue;
		for (size_t i = 0, next = 0; i < NAMES; i++) {
			for (next = i + 1; next < NAMES && !is_there[next]; next++)
				;
			assert_ptr_equal(name_table_next(table, text_of(names[i])),
				next < NAMES ? names[next] : NULL);
		}
	}
	name_table_destroy(&table, NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_put_is_not_found),
		cmocka_unit_test(names_come_in_byte_order),
		cmocka_unit_test(puts_and_removals_in_any_order_agree_with_a_list),
	};

	return cmocka_run_group_tests_name("name_table", tests, NULL, NULL);
}
