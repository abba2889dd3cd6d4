#include "domain/charter/name_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Items are C strings. */
static struct text name_of(const void *item)
{
	return text_of(item);
}

static void what_was_not_put_is_not_found(void **state)
{
	struct name_set *set = name_set_create(name_of);
	char b[] = "b";

	(void)state;
	assert_null(name_set_find(set, TEXT("a")));
	assert_null(name_set_next(set, TEXT("")));
	assert_null(name_set_remove(set, TEXT("a")));
	assert_true(name_set_put(set, b));
	assert_null(name_set_find(set, TEXT("a")));
	assert_null(name_set_find(set, TEXT("c")));
	assert_null(name_set_remove(set, TEXT("bb")));
	assert_null(name_set_next(set, TEXT("b")));
	assert_string_equal(name_set_next(set, TEXT("a")), "b");
	name_set_destroy(&set, NULL);
	assert_null(set);
}

/* Against a plain list: every name, present or not, after each change; enough of them for
 * several runs to be cut, and removals that empty them. */
static void puts_and_removals_in_any_order_agree_with_a_list(void **state)
{
	enum { NAMES = 1000, STEPS = 60000 };
	static char names[NAMES][8];
	static bool is_there[NAMES];
	struct name_set *set = name_set_create(name_of);
	size_t count = 0;
	unsigned random = 12345;

	(void)state;
	for (int i = 0; i < NAMES; i++)
		(void)snprintf(names[i], sizeof names[i], "%03d", i);
	for (int step = 0; step < STEPS; step++) {
		unsigned turn = (unsigned)step / 10000; /* mostly puts, then mostly removals */
		unsigned at;
		int next;

		random = random * 1103515245U + 12345U;
		at = (random >> 8) % NAMES;
		if (is_there[at] && (turn % 2 == 1 || step % 8 == 0)) {
			assert_ptr_equal(name_set_remove(set, text_of(names[at])), names[at]);
			is_there[at] = false;
			count--;
		} else if (!is_there[at] && (turn % 2 == 0 || step % 8 == 0)) {
			assert_true(name_set_put(set, names[at]));
			is_there[at] = true;
			count++;
		}
		assert_int_equal(name_set_count(set), count);
		at = (random >> 16) % NAMES;
		assert_ptr_equal(
			name_set_find(set, text_of(names[at])), is_there[at] ? names[at] : NULL);
		for (next = (int)at + 1; next < NAMES && !is_there[next]; next++)
			continue;
		assert_ptr_equal(
			name_set_next(set, text_of(names[at])), next == NAMES ? NULL : names[next]);
	}
	for (int i = 0; i < NAMES; i++)
		assert_ptr_equal(
			name_set_remove(set, text_of(names[i])), is_there[i] ? names[i] : NULL);
	assert_int_equal(name_set_count(set), 0);
	assert_null(name_set_next(set, TEXT("")));
	name_set_destroy(&set, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_put_is_not_found),
		cmocka_unit_test(puts_and_removals_in_any_order_agree_with_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
