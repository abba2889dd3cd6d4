/* Families of refresh tokens. */
#include "domain/token/refresh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TASK "t-0123456789abcdefghjk"

static struct refresh_table *table;

static int start(void **state)
{
	struct error err = {0};

	(void)state;
	return refresh_table_create(&table, &err) ? 0 : 1;
}

static int end(void **state)
{
	(void)state;
	refresh_table_destroy(&table);
	return 0;
}

/* The token of TASK whose secret is this byte, again and again. */
static struct text token_of(char out[REFRESH_TOKEN_BYTES_MAX], uint8_t byte, struct sha256 *digest)
{
	uint8_t secret[REFRESH_SECRET_BYTES];

	memset(secret, byte, sizeof secret);
	refresh_token_write(out, TEXT(TASK), secret, digest);
	return text_of(out);
}

static void begin(uint8_t byte)
{
	char token[REFRESH_TOKEN_BYTES_MAX];
	struct refresh_family family = {
		.task = TEXT(TASK), .audience = TEXT("http://x/mcp/files"), .until_utc_s = 100};
	struct error err = {0};

	(void)token_of(token, byte, &family.digest);
	assert_true(refresh_begin(table, &family, &err));
}

static enum refresh_state look(uint8_t byte)
{
	char token[REFRESH_TOKEN_BYTES_MAX];
	struct sha256 digest;

	return refresh_look(table, token_of(token, byte, &digest));
}

static void rotate(uint8_t used, uint8_t next)
{
	char token[REFRESH_TOKEN_BYTES_MAX];
	struct sha256 from, to;
	struct error err = {0};

	(void)token_of(token, used, &from);
	(void)token_of(token, next, &to);
	assert_true(refresh_rotate(table, TEXT(TASK), &from, &to, &err));
}

static void what_is_no_token_of_ours_is_unknown(void **state)
{
	static const char *const bad[] = {"", ".", TASK, TASK ".", "." TASK,
		TASK ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		TASK ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		TASK ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
		"t-0123456789abcdefghj.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"x-0123456789abcdefghjk.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		TASK ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "a.b.c"};
	struct text task;

	(void)state;
	begin(1);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(refresh_token_read(text_of(bad[i]), &task));
		assert_int_equal(refresh_look(table, text_of(bad[i])), REFRESH_UNKNOWN);
	}
}

static void a_stranger_who_knows_the_task_has_nothing(void **state)
{
	(void)state;
	begin(1);
	assert_int_equal(look(2), REFRESH_UNKNOWN);
	assert_int_equal(look(1), REFRESH_GOOD);
}

static void each_is_good_once(void **state)
{
	(void)state;
	begin(1);
	rotate(1, 2);
	assert_int_equal(look(1), REFRESH_USED);
	assert_int_equal(look(2), REFRESH_GOOD);
	for (uint8_t i = 2; i < 40; i++)
		rotate(i, i + 1);
	for (uint8_t i = 1; i < 40; i++)
		assert_int_equal(look(i), REFRESH_USED);
	assert_int_equal(look(40), REFRESH_GOOD);
	assert_int_equal(refresh_find(table, TEXT(TASK))->uses, 39);
}

static void one_whose_use_is_being_recorded_is_used(void **state)
{
	(void)state;
	begin(1);
	refresh_find(table, TEXT(TASK))->is_on_its_way = true;
	assert_int_equal(look(1), REFRESH_USED);
	rotate(1, 2);
	assert_int_equal(look(2), REFRESH_GOOD);
}

static void a_use_of_another_than_the_good_one_changes_nothing(void **state)
{
	(void)state;
	begin(1);
	rotate(7, 8);
	assert_int_equal(look(1), REFRESH_GOOD);
	assert_int_equal(look(8), REFRESH_UNKNOWN);
	rotate(1, 2);
	rotate(1, 3);
	assert_int_equal(look(2), REFRESH_GOOD);
	assert_int_equal(look(3), REFRESH_UNKNOWN);
}

static void beginning_again_changes_nothing(void **state)
{
	(void)state;
	begin(1);
	rotate(1, 2);
	begin(1);
	assert_int_equal(look(1), REFRESH_USED);
	assert_int_equal(look(2), REFRESH_GOOD);
	assert_int_equal(refresh_table_count(table), 1);
}

static void what_is_over_is_forgotten(void **state)
{
	(void)state;
	begin(1);
	refresh_sweep(table, 100);
	assert_int_equal(look(1), REFRESH_GOOD);
	refresh_sweep(table, 101);
	assert_int_equal(look(1), REFRESH_UNKNOWN);
	begin(1);
	refresh_end(table, TEXT(TASK));
	refresh_end(table, TEXT(TASK));
	assert_int_equal(look(1), REFRESH_UNKNOWN);
}

/* Random uses of random tokens: never are two good at once, and none becomes good again. */
static void of_a_family_never_two_are_good(void **state)
{
	const char *given = getenv("REMIT_SEED");
	unsigned seed = given == NULL ? 20261126u : (unsigned)strtoul(given, NULL, 10);
	bool was_good[256] = {false};

	(void)state;
	print_message("seed %u\n", seed);
	begin(0);
	for (int round = 0; round < 2000; round++) {
		unsigned good = 0;
		uint8_t from, to;

		seed = seed * 1664525u + 1013904223u;
		from = (uint8_t)(seed >> 24);
		to = (uint8_t)(seed >> 16);
		if (look(from) == REFRESH_GOOD && look(to) != REFRESH_UNKNOWN)
			continue; /* secrets are random: none comes twice */
		was_good[from] |= look(from) == REFRESH_GOOD;
		rotate(from, to);
		for (unsigned i = 0; i < 256; i++) {
			bool is_good = look((uint8_t)i) == REFRESH_GOOD;

			good += is_good;
			assert_false(is_good && was_good[i]);
		}
		assert_int_equal(good, 1);
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		CASE(what_is_no_token_of_ours_is_unknown),
		CASE(a_stranger_who_knows_the_task_has_nothing),
		CASE(each_is_good_once),
		CASE(one_whose_use_is_being_recorded_is_used),
		CASE(a_use_of_another_than_the_good_one_changes_nothing),
		CASE(beginning_again_changes_nothing),
		CASE(what_is_over_is_forgotten),
		CASE(of_a_family_never_two_are_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
