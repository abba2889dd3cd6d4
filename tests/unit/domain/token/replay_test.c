#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/token/replay.h"

enum { NOW_S = 1793491200 };

static struct replay_table *table_of(size_t entries_max)
{
	struct replay_table *table = NULL;
	struct error err = {0};

	assert_true(replay_table_create(
		&table, &(struct replay_bounds){entries_max, entries_max}, &err));
	return table;
}

static bool note_for(struct replay_table *table, const char *owner, const struct sha256 *key,
	int64_t until_utc_s, int64_t now_utc_s)
{
	const struct replay_use use = {
		.key = *key, .owner = text_of(owner), .until_utc_s = until_utc_s};
	struct error err = {0};

	if (replay_note(table, &use, now_utc_s, &err))
		return true;
	assert_int_equal(err.code, ERROR_LIMIT);
	return false;
}

static bool note(struct replay_table *table, const struct sha256 *key, int64_t until_utc_s,
	int64_t now_utc_s)
{
	return note_for(table, "a1", key, until_utc_s, now_utc_s);
}

static struct sha256 numbered(uint64_t number)
{
	return replay_key(TEXT("issuer"), (struct text){(const char *)&number, sizeof number});
}

static void an_id_is_used_until_its_last_second(void **state)
{
	struct replay_table *table = table_of(8);
	struct sha256 key = replay_key(TEXT("a"), TEXT("1"));

	(void)state;
	assert_false(replay_is_used(table, &key, NOW_S));
	assert_true(note(table, &key, NOW_S + 10, NOW_S));
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

	(void)state;
	assert_false(sha256_equal(&first, &second));
	assert_true(note(table, &first, NOW_S + 10, NOW_S));
	assert_false(replay_is_used(table, &second, NOW_S));
	replay_table_destroy(&table);
}

static void noting_twice_keeps_the_later_end(void **state)
{
	struct replay_table *table = table_of(8);
	struct sha256 key = numbered(1);

	(void)state;
	assert_true(note(table, &key, NOW_S + 10, NOW_S));
	assert_true(note(table, &key, NOW_S + 5, NOW_S));
	assert_true(replay_is_used(table, &key, NOW_S + 10));
	assert_true(note(table, &key, NOW_S + 20, NOW_S));
	assert_true(replay_is_used(table, &key, NOW_S + 20));
	assert_int_equal(replay_table_count(table), 1);
	replay_table_destroy(&table);
}

static void a_full_table_refuses_rather_than_forgets(void **state)
{
	enum { ENTRIES = 100 };
	struct replay_table *table = table_of(ENTRIES);
	struct sha256 key;

	(void)state;
	for (uint64_t i = 0; i < ENTRIES; i++) {
		key = numbered(i);
		assert_true(note(table, &key, NOW_S + 10, NOW_S));
	}
	key = numbered(ENTRIES);
	assert_false(note(table, &key, NOW_S + 10, NOW_S));
	for (uint64_t i = 0; i < ENTRIES; i++) {
		key = numbered(i);
		assert_true(replay_is_used(table, &key, NOW_S));
	}
	/* Once they have passed there is room again. */
	key = numbered(ENTRIES);
	assert_true(note(table, &key, NOW_S + 30, NOW_S + 11));
	assert_int_equal(replay_table_count(table), ENTRIES - REPLAY_DROPS + 1);
	assert_true(replay_is_used(table, &key, NOW_S + 11));
	replay_table_destroy(&table);
}

static void who_has_used_their_share_takes_nobody_elses_place(void **state)
{
	enum { ENTRIES = 64, SHARE = 4 };
	struct replay_table *table = NULL;
	struct sha256 key = numbered(SHARE);
	struct error err = {0};

	(void)state;
	assert_true(replay_table_create(&table, &(struct replay_bounds){ENTRIES, SHARE}, &err));
	for (uint64_t i = 0; i < SHARE; i++) {
		key = numbered(i);
		assert_true(note_for(table, "greedy", &key, NOW_S + 10, NOW_S));
	}
	key = numbered(SHARE);
	assert_false(note_for(table, "greedy", &key, NOW_S + 10, NOW_S));
	assert_false(replay_is_used(table, &key, NOW_S));
	assert_true(note_for(table, "other", &key, NOW_S + 10, NOW_S));
	/* One that is known already takes no place more. */
	key = numbered(0);
	assert_true(note_for(table, "greedy", &key, NOW_S + 11, NOW_S));
	assert_int_equal(replay_table_count(table), SHARE + 1);
	/* What has passed is given back, and only that. */
	key = numbered(SHARE + 1);
	assert_true(note_for(table, "greedy", &key, NOW_S + 30, NOW_S + 11));
	assert_int_equal(replay_table_count(table), 2);
	replay_table_destroy(&table);
}

static void a_use_on_record_is_kept_beyond_the_share_and_counts(void **state)
{
	struct replay_table *table = NULL;
	struct replay_use use = {.owner = TEXT("a1"), .until_utc_s = NOW_S + 10};
	struct error err = {0};

	(void)state;
	assert_true(replay_table_create(&table, &(struct replay_bounds){3, 1}, &err));
	for (uint64_t i = 0; i < 3; i++) {
		use.key = numbered(i);
		assert_true(replay_keep(table, &use, NOW_S, &err));
		assert_true(replay_is_used(table, &use.key, NOW_S));
	}
	use.key = numbered(3);
	assert_false(note_for(table, "a1", &use.key, NOW_S + 10, NOW_S));
	assert_false(replay_keep(table, &use, NOW_S, &err)); /* the table itself is full */
	assert_int_equal(err.code, ERROR_LIMIT);
	replay_table_destroy(&table);
}

static void many_owners_each_keep_their_count(void **state)
{
	enum { OWNERS = 500, SHARE = 2 };
	struct replay_table *table = NULL;
	struct error err = {0};
	char owner[16];

	(void)state;
	assert_true(
		replay_table_create(&table, &(struct replay_bounds){OWNERS * SHARE, SHARE}, &err));
	for (uint64_t i = 0; i < OWNERS * SHARE; i++) {
		struct sha256 key = numbered(i);

		snprintf(owner, sizeof owner, "a%u", (unsigned)(i % OWNERS));
		assert_true(note_for(table, owner, &key, NOW_S + 10, NOW_S));
	}
	assert_int_equal(replay_table_count(table), OWNERS * SHARE);
	replay_table_destroy(&table);
}

static void what_has_passed_takes_no_room(void **state)
{
	struct replay_table *table = table_of(8);
	struct sha256 key = numbered(1);

	(void)state;
	assert_true(note(table, &key, NOW_S - 1, NOW_S));
	assert_int_equal(replay_table_count(table), 0);
	replay_table_destroy(&table);
}

/* Notes as many as the table takes, each good until another second, through some turns of the
 * clock; a plain list says what must come of each. */
static void it_is_what_a_list_would_be(void **state)
{
	enum { ENTRIES = 40, SHARE = 9, KEYS = 97, OWNERS = 7, STEPS = 20000 };
	struct replay_table *table = NULL;
	int64_t until[KEYS] = {0};
	uint64_t seed = 12345;
	int64_t now = NOW_S;
	struct error err = {0};

	(void)state;
	assert_true(replay_table_create(&table, &(struct replay_bounds){ENTRIES, SHARE}, &err));
	for (unsigned i = 0; i < STEPS; i++) {
		unsigned at = (unsigned)((seed = seed * 6364136223846793005u + 1) >> 33) % KEYS;
		int64_t end = now + (int64_t)((seed >> 40) % 20);
		struct sha256 key = numbered(at);
		char owner[2] = {(char)('a' + at % OWNERS), 0};
		size_t live = 0;
		size_t share = 0;
		bool is_noted = false;

		assert_int_equal(replay_is_used(table, &key, now), until[at] >= now);
		for (unsigned k = 0; k < KEYS; k++) {
			live += until[k] >= now;
			share += until[k] >= now && k % OWNERS == at % OWNERS;
		}
		is_noted = note_for(table, owner, &key, end, now);
		assert_int_equal(is_noted, until[at] >= now || (live < ENTRIES && share < SHARE));
		if (is_noted && until[at] < end)
			until[at] = end;
		now += (seed >> 50) % 3 == 0;
	}
	replay_table_destroy(&table);
}

static void a_note_drops_no_more_than_its_bound(void **state)
{
	enum { ENTRIES = 3 * REPLAY_DROPS_FULL };
	struct replay_table *table = table_of(ENTRIES);
	struct sha256 key = numbered(ENTRIES);

	(void)state;
	for (uint64_t i = 0; i < ENTRIES; i++) {
		struct sha256 one = numbered(i);

		assert_true(note(table, &one, NOW_S + 10, NOW_S));
	}
	assert_true(note(table, &key, NOW_S + 30, NOW_S + 11));
	assert_in_range(replay_table_count(table), ENTRIES - REPLAY_DROPS_FULL, ENTRIES - 1);
	replay_table_destroy(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_is_used_until_its_last_second),
		cmocka_unit_test(the_same_id_of_another_issuer_is_another),
		cmocka_unit_test(a_full_table_refuses_rather_than_forgets),
		cmocka_unit_test(who_has_used_their_share_takes_nobody_elses_place),
		cmocka_unit_test(a_use_on_record_is_kept_beyond_the_share_and_counts),
		cmocka_unit_test(many_owners_each_keep_their_count),
		cmocka_unit_test(noting_twice_keeps_the_later_end),
		cmocka_unit_test(what_has_passed_takes_no_room),
		cmocka_unit_test(it_is_what_a_list_would_be),
		cmocka_unit_test(a_note_drops_no_more_than_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
