/* Randomness as far as a test can see it, and the form of identifiers. */
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void what_is_not_an_identifier_is_refused(void **state)
{
	static const char *const bad[] = {"", "t-", "t-0123456789abcdefghj", "0123456789abcdefghjk",
		"a-0123456789abcdefghjk", "t-0123456789abcdefghjkm", "t-0123456789abcdefghil",
		"t-0123456789ABCDEFGHJK", "t-0123456789abcdefgh/k", "t-0123456789abcdefghju"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(random_id_is(text_of(bad[i]), "t-"));
	assert_false(random_id_is(TEXT("t-0123456789abcdefgh\0k"), "t-"));
	assert_true(random_id_is(TEXT("t-0123456789abcdefghjk"), "t-"));
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, RANDOM_ID_BYTES);
}

static void identifiers_are_well_formed_and_differ(void **state)
{
	enum { COUNT = 5000 };
	char(*ids)[RANDOM_ID_BYTES] = calloc(COUNT, sizeof *ids);
	size_t i;

	(void)state;
	assert_non_null(ids);
	for (i = 0; i < COUNT; i++) {
		random_id(ids[i], "a-");
		assert_true(random_id_is(text_of(ids[i]), "a-"));
	}
	qsort(ids, COUNT, sizeof *ids, compare);
	for (i = 1; i < COUNT; i++)
		assert_true(strcmp(ids[i - 1], ids[i]) != 0);
	free(ids);
}

static void identifiers_fetched_ahead_differ_too(void **state)
{
	enum { COUNT = 3 * RANDOM_AHEAD_IDS + 1 };
	static char ids[COUNT][RANDOM_ID_BYTES];
	struct random_ahead ahead = {0};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT; i++) {
		random_id_ahead(ids[i], "e-", &ahead);
		assert_true(random_id_is(text_of(ids[i]), "e-"));
	}
	assert_int_equal(ahead.left, (RANDOM_AHEAD_IDS - 1) * RANDOM_ID_LETTERS);
	qsort(ids, COUNT, sizeof *ids, compare);
	for (i = 1; i < COUNT; i++)
		assert_true(strcmp(ids[i - 1], ids[i]) != 0);
}

/* Each of 256 values is expected 400 times; a fair source stays within ten
 * standard deviations (20 each) of it. */
static void every_byte_value_comes_about_as_often(void **state)
{
	static uint8_t bytes[256 * 400];
	unsigned counts[256] = {0};
	size_t i;

	(void)state;
	random_bytes(bytes, sizeof bytes);
	for (i = 0; i < sizeof bytes; i++)
		counts[bytes[i]]++;
	for (i = 0; i < 256; i++)
		assert_in_range(counts[i], 200, 600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_an_identifier_is_refused),
		cmocka_unit_test(identifiers_are_well_formed_and_differ),
		cmocka_unit_test(identifiers_fetched_ahead_differ_too),
		cmocka_unit_test(every_byte_value_comes_about_as_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
