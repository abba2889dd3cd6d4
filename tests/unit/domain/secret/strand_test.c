#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/secret/strand.h"

/* Made up, with what escapes are made of in its middle and at its end. */
#define SECRET "sk-Made-up-0123/ab%cd\\ef+4567=\\"

struct bench {
	struct fingerprint_key key;
	struct fingerprint_index *index;
	struct fingerprint fingerprints[2];
	struct secret_strand *strand;
	struct secret_spans spans;
	char *longest;
};

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err;

	for (size_t i = 0; i < sizeof bench->key.bytes; i++)
		bench->key.bytes[i] = (uint8_t)(7 * i + 1);
	assert_true(fingerprint_index_create(&bench->index, &bench->key, &err));
	assert_true(fingerprint_make(&bench->fingerprints[0], &bench->key, TEXT(SECRET), &err));
	assert_true(fingerprint_index_add(bench->index, &bench->fingerprints[0], 0, &err));
	bench->strand = secret_strand_create();
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	secret_strand_destroy(&bench->strand);
	assert_null(bench->strand);
	fingerprint_index_destroy(&bench->index);
	free(bench->longest);
	free(bench);
	return 0;
}

/* How many secrets the piece completes. */
static uint32_t found_in(struct bench *bench, const char *piece, size_t length)
{
	struct error err;

	bench->spans = (struct secret_spans){.count = 0};
	assert_true(secret_strand_find(
		bench->strand, bench->index, (struct text){piece, length}, &bench->spans, &err));
	return bench->spans.count;
}

static bool finds(struct bench *bench, const char *piece)
{
	return found_in(bench, piece, strlen(piece)) != 0;
}

static void begin_anew(struct bench *bench)
{
	secret_strand_destroy(&bench->strand);
	bench->strand = secret_strand_create();
}

static void all_of_a_secret_but_its_last_byte_is_none(void **state)
{
	struct bench *bench = *state;
	size_t length = strlen(SECRET) - 1;

	assert_int_equal(found_in(bench, SECRET, length), 0);
	assert_false(finds(bench, ""));
	assert_false(finds(bench, "another"));
	assert_false(finds(bench, SECRET + length));
}

static void a_secret_is_found_in_the_piece_that_completes_it_wherever_it_is_cut(void **state)
{
	static const char *const fronts[] = {"", "a", "ab", "abc", "the key is: ", "100 % of\n"};
	struct bench *bench = *state;
	const char *secret = SECRET;
	size_t length = strlen(secret);

	for (size_t front = 0; front < sizeof fronts / sizeof *fronts; front++)
		for (size_t first = 1; first < length; first++)
			for (size_t second = first; second < length; second++) {
				begin_anew(bench);
				assert_false(finds(bench, fronts[front]));
				assert_int_equal(found_in(bench, secret, first), 0);
				assert_int_equal(
					found_in(bench, secret + first, second - first), 0);
				assert_true(finds(bench, secret + second));
				assert_int_equal(bench->spans.items[0].what, 0);
			}
}

static void a_secret_is_found_byte_by_byte_in_every_spelling(void **state)
{
	static const char *const spelled[] = {SECRET,
		/* JSON within the text, percent, base64, base16, over lines */
		"sk-Made-up-0123\\/ab%cd\\\\ef+4567=\\\\",
		"sk-Made-up-0123\\u002fab\\u0025cd\\\\ef+4567=\\x5c",
		"%73k-Made-up-0123%2Fab%25cd%5Cef%2b4567%3D%5c",
		"c2stTWFkZS11cC0wMTIzL2FiJWNkXGVmKzQ1Njc9XA==",
		"736b2d4d6164652d75702d303132332f61622563645c65662b343536373d5c",
		"c2stTWFkZS11cC0wMTIz\nL2FiJWNkXGVmKzQ1\r\nNjc9XA=="};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++) {
		size_t length = strlen(spelled[i]), at = 0;

		begin_anew(bench);
		assert_false(finds(bench, "50 % of it:\n\\ "));
		while (at < length && found_in(bench, spelled[i] + at, 1) == 0)
			at++;
		/* The last letters of base64 say nothing of the secret. */
		if (at == length || at + 4 < length)
			fail_msg("%zu of %zu bytes of %s", at, length, spelled[i]);
	}
}

static void a_copy_goes_on_alone(void **state)
{
	struct bench *bench = *state;
	struct secret_strand *first = bench->strand;

	assert_int_equal(found_in(bench, SECRET, 20), 0);
	bench->strand = secret_strand_copy(first);
	assert_true(finds(bench, SECRET + 20));
	secret_strand_destroy(&bench->strand);
	bench->strand = first;
	assert_false(finds(bench, "x"));
	assert_false(finds(bench, SECRET + 20));
}

static void a_secret_that_becomes_known_meanwhile_is_found(void **state)
{
	struct bench *bench = *state;
	struct error err;

	assert_false(finds(bench, "another-secret-"));
	assert_true(fingerprint_make(
		&bench->fingerprints[1], &bench->key, TEXT("another-secret-0123456789"), &err));
	assert_true(fingerprint_index_add(bench->index, &bench->fingerprints[1], 1, &err));
	assert_false(finds(bench, "012345678"));
	assert_true(finds(bench, "9"));
	assert_int_equal(bench->spans.items[0].what, 1);
}

/* The longest there may be, in the spelling that makes most of it, behind much text. */
static void the_longest_secret_is_found_whole_and_not_without_its_last_byte(void **state)
{
	static const char digits[] = "0123456789abcdef";
	struct bench *bench = *state;
	size_t length = FINGERPRINT_SECRET_BYTES_MAX;
	uint64_t mixed = 1;
	struct error err;
	char *spelled = calloc(2, length);

	bench->longest = calloc(1, length);
	for (size_t i = 0; i < length; i++) {
		mixed = mixed * 6364136223846793005U + 1442695040888963407U;
		bench->longest[i] = (char)('A' + (mixed >> 40) % 57);
		spelled[2 * i] = digits[bench->longest[i] >> 4];
		spelled[2 * i + 1] = digits[bench->longest[i] & 15];
	}
	assert_true(fingerprint_make(
		&bench->fingerprints[1], &bench->key, (struct text){bench->longest, length}, &err));
	assert_true(fingerprint_index_add(bench->index, &bench->fingerprints[1], 1, &err));
	for (int i = 0; i < 30; i++)
		assert_int_equal(found_in(bench, SECRET " much text", 20), 0);
	for (int i = 0; i < 8; i++)
		assert_int_equal(found_in(bench, bench->longest, length - 1), 0);
	for (size_t at = 0; at < 2 * length - 7; at += 7)
		assert_int_equal(found_in(bench, spelled + at, 7), 0);
	assert_true(found_in(bench, spelled + (2 * length - 2 * length % 7), 2 * length % 7) > 0);
	free(spelled);
}

/* Whoever repeats the end of a secret makes no more work than the text is long; what ends
 * like it is then taken for one. */
static void the_end_of_a_secret_without_end_costs_no_more_than_its_length(void **state)
{
	struct bench *bench = *state;
	size_t pieces = 0;

	while (!finds(bench, &SECRET[8]) && pieces < 1000000)
		pieces++;
	assert_true(pieces < 1000000);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(all_of_a_secret_but_its_last_byte_is_none),
		CASE(a_secret_is_found_in_the_piece_that_completes_it_wherever_it_is_cut),
		CASE(a_secret_is_found_byte_by_byte_in_every_spelling),
		CASE(a_copy_goes_on_alone),
		CASE(a_secret_that_becomes_known_meanwhile_is_found),
		CASE(the_longest_secret_is_found_whole_and_not_without_its_last_byte),
		CASE(the_end_of_a_secret_without_end_costs_no_more_than_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
