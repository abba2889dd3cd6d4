#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/call/share.h"

enum { SHARE_MAX = 3 };

static int setup(void **state)
{
	struct share_table *table = NULL;
	struct error err = {0};

	assert_true(share_table_create(&table, 4, &err));
	*state = table;
	return 0;
}

static int teardown(void **state)
{
	struct share_table *table = *state;

	share_table_destroy(&table);
	assert_null(table);
	share_table_destroy(&table); /* nothing more to do */
	return 0;
}

static void nobody_holds_more_than_their_share(void **state)
{
	struct share_table *table = *state;
	struct share *held[SHARE_MAX + 1], *other;
	struct error err = {0};
	size_t i;

	for (i = 0; i < SHARE_MAX; i++)
		assert_true(share_take(&held[i], table, TEXT("greedy"), SHARE_MAX, &err));
	assert_false(share_take(&held[SHARE_MAX], table, TEXT("greedy"), SHARE_MAX, &err));
	assert_null(held[SHARE_MAX]);
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_string_equal(err.text, "3 calls of greedy are in flight already");
	assert_true(share_take(&other, table, TEXT("other"), SHARE_MAX, &err));
	share_give(table, &held[0]);
	assert_null(held[0]);
	assert_true(share_take(&held[0], table, TEXT("greedy"), SHARE_MAX, &err));
	for (i = 0; i < SHARE_MAX; i++)
		share_give(table, &held[i]);
	assert_int_equal(share_table_count(table), 1);
	share_give(table, &other);
	assert_int_equal(share_table_count(table), 0);
}

static void a_share_of_nothing_is_nothing(void **state)
{
	struct share_table *table = *state;
	struct share *share = NULL;
	struct error err = {0};

	assert_false(share_take(&share, table, TEXT("a"), 0, &err));
	assert_int_equal(share_table_count(table), 0);
	share_give(table, &share); /* takes NULL */
}

/* More names than slots, given back in another order than taken. */
static void names_do_not_get_into_each_others_way(void **state)
{
	enum { NAMES = 64 };
	struct share_table *table = *state;
	struct share *held[NAMES];
	struct error err = {0};
	char name[16];
	size_t i;

	for (i = 0; i < NAMES; i++) {
		snprintf(name, sizeof name, "t-%zu", i);
		assert_true(share_take(&held[i], table, text_of(name), 1, &err));
	}
	for (i = 0; i < NAMES; i++)
		share_give(table, &held[i * 37 % NAMES]);
	assert_int_equal(share_table_count(table), 0);
	assert_true(share_take(&held[0], table, TEXT("t-0"), 1, &err));
	share_give(table, &held[0]);
	assert_true(share_take(&held[0], table, TEXT("left"), 1, &err)); /* goes with the table */
}

int main(void)
{
#define SHARE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		SHARE_TEST(nobody_holds_more_than_their_share),
		SHARE_TEST(a_share_of_nothing_is_nothing),
		SHARE_TEST(names_do_not_get_into_each_others_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
