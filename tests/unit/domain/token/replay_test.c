#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "domain/token/replay.h"

enum { NOW_S = 1793491200 };

static struct replay_table *table_of(size_t entries_max)
{
	struct replay_table *table = NULL;
	struct error err = {0};

	assert_true(replay_table_create(&table, entries_max, &err));
	return table;
}

static struct sha256 numbered(uint64_t number)
{
	return replay_key(TEXT("issuer"), (struct text){(const char *)&number, sizeof number});
}

static void an_id_is_used_until_its_last_second(void **state)
{
	struct replay_table *table = table_of(8);
	struct sha256 key = replay_key(TEXT("a"), TEXT("1"));
	struct error err = {0};

	(void)state;
	assert_false(replay_is_used(table, &key, NOW_S));
	assert_true(replay_note(table, &key, NOW_S + 10, NOW_S, &err));
	assert_true(replay_is_used(table, &key, NOW_S));
	assert_true(replay_is_used(table, &key, NOW_S + 10));
	assert_false(replay_is_used(table, &key, NOW_S + 11));
	replay_table_destroy(&table);
	assert_null(table);
}

static void the_same_id_of_another_issuer_is_another(void **state)
{
	struct replay_table *table = table_of(8);
	struct sha256 first = replay_key(TEXT("ab"), TEXT("c"));
	struct sha256 second = replay_key(TEXT("a"), TEXT("bc"));
	struct error err = {0};

	(void)state;
	assert_false(sha256_equal(&first, &second));
	assert_true(replay_note(table, &first, NOW_S + 10, NOW_S, &err));
	assert_false(replay_is_used(table, &second, NOW_S));
	replay_table_destroy(&table);
}

static void noting_twice_keeps_the_later_end(void **state)
{
	struct replay_table *table = table_of(8);
	struct sha256 key = numbered(1);
	struct error err = {0};

	(void)state;
	assert_true(replay_note(table, &key, NOW_S + 10, NOW_S, &err));
	assert_true(replay_note(table, &key, NOW_S + 5, NOW_S, &err));
	assert_true(replay_is_used(table, &key, NOW_S + 10));
	assert_true(replay_note(table, &key, NOW_S + 20, NOW_S, &err));
	assert_true(replay_is_used(table, &key, NOW_S + 20));
	assert_int_equal(replay_table_count(table), 1);
	replay_table_destroy(&table);
}

static void a_full_table_refuses_rather_than_forgets(void **state)
{
	enum { ENTRIES = 100 };
	struct replay_table *table = table_of(ENTRIES);
	struct sha256 key;
	struct error err = {0};

	(void)state;
	for (uint64_t i = 0; i < ENTRIES; i++) {
		key = numbered(i);
		assert_true(replay_note(table, &key, NOW_S + 10, NOW_S, &err));
	}
	key = numbered(ENTRIES);
	assert_false(replay_note(table, &key, NOW_S + 10, NOW_S, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	for (uint64_t i = 0; i < ENTRIES; i++) {
		key = numbered(i);
		assert_true(replay_is_used(table, &key, NOW_S));
	}
	/* Once they have passed there is room again. */
	key = numbered(ENTRIES);
	assert_true(replay_note(table, &key, NOW_S + 30, NOW_S + 11, &err));
	assert_int_equal(replay_table_count(table), 1);
	assert_true(replay_is_used(table, &key, NOW_S + 11));
	replay_table_destroy(&table);
}

static void what_has_passed_takes_no_room(void **state)
{
	struct replay_table *table = table_of(8);
	struct sha256 key = numbered(1);
	struct error err = {0};

	(void)state;
	assert_true(replay_note(table, &key, NOW_S - 1, NOW_S, &err));
	assert_int_equal(replay_table_count(table), 0);
	replay_table_destroy(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_is_used_until_its_last_second),
		cmocka_unit_test(the_same_id_of_another_issuer_is_another),
		cmocka_unit_test(a_full_table_refuses_rather_than_forgets),
		cmocka_unit_test(noting_twice_keeps_the_later_end),
		cmocka_unit_test(what_has_passed_takes_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
