/* Fingerprints: what is found, in which spellings, and what is not. */
#include "domain/secret/fingerprint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/buffer.h"
#include "domain/secret/unescape.h"

static const struct fingerprint_key key = {"a key of chance, 32 bytes of it."};
#define SECRET "s3cret-Value/of+a_Server=42"

struct fixture {
	struct fingerprint_index *index;
	struct secret_scratch *scratch;
	struct fingerprint one;
	struct secret_spans spans;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	struct error err;

	assert_non_null(fixture);
	fixture->scratch = secret_scratch_create();
	assert_non_null(fixture->scratch);
	assert_true(fingerprint_index_create(&fixture->index, &key, &err));
	assert_true(fingerprint_make(&fixture->one, &key, TEXT(SECRET), &err));
	assert_true(fingerprint_index_add(fixture->index, &fixture->one, 7, &err));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	fingerprint_index_destroy(&fixture->index);
	secret_scratch_destroy(&fixture->scratch);
	free(fixture);
	return 0;
}

static uint32_t found(struct fixture *fixture, struct text text)
{
	memset(&fixture->spans, 0, sizeof fixture->spans);
	fingerprint_find(fixture->index, text, fixture->scratch, &fixture->spans);
	return fixture->spans.count;
}

static void is_found_at(struct fixture *fixture, const char *text, size_t start, size_t end)
{
	assert_int_equal(found(fixture, text_of(text)), 1);
	assert_int_equal(fixture->spans.items[0].start, start);
	assert_int_equal(fixture->spans.items[0].end, end);
	assert_int_equal(fixture->spans.items[0].kind, SECRET_OWN);
	assert_int_equal(fixture->spans.items[0].what, 7);
}

static void nothing_is_found_in_what_only_resembles_it(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(found(fixture, TEXT("")), 0);
	assert_int_equal(found(fixture, TEXT("a text of more than sixteen bytes")), 0);
	/* its end alone, its begin alone, one letter less, another case */
	assert_int_equal(found(fixture, TEXT("of+a_Server=42, and more of it")), 0);
	assert_int_equal(found(fixture, TEXT("s3cret-Value/of+a_Server=4")), 0);
	assert_int_equal(found(fixture, TEXT("3cret-Value/of+a_Server=42")), 0);
	assert_int_equal(found(fixture, TEXT("S3CRET-VALUE/OF+A_SERVER=42")), 0);
	assert_int_equal(found(fixture, TEXT("x3cret-Value/of+a_Server=42")), 0);
}

static void another_key_finds_nothing(void **state)
{
	static const struct fingerprint_key other = {"another key, 32 bytes of chance."};
	struct fixture *fixture = *state;
	struct fingerprint_index *index;
	struct error err;

	assert_true(fingerprint_index_create(&index, &other, &err));
	assert_true(fingerprint_index_add(index, &fixture->one, 7, &err));
	memset(&fixture->spans, 0, sizeof fixture->spans);
	fingerprint_find(index, TEXT("<" SECRET ">"), fixture->scratch, &fixture->spans);
	assert_int_equal(fixture->spans.count, 0);
	fingerprint_index_destroy(&index);
}

static void a_secret_too_short_or_too_long_has_no_fingerprint(void **state)
{
	static char longest[FINGERPRINT_SECRET_BYTES_MAX + 1];
	struct fingerprint fingerprint;
	struct error err;

	(void)state;
	memset(longest, 'x', sizeof longest);
	assert_false(fingerprint_make(&fingerprint, &key,
		(struct text){longest, FINGERPRINT_SECRET_BYTES_MIN - 1}, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_true(fingerprint_make(
		&fingerprint, &key, (struct text){longest, FINGERPRINT_SECRET_BYTES_MIN}, &err));
	assert_true(fingerprint_make(
		&fingerprint, &key, (struct text){longest, FINGERPRINT_SECRET_BYTES_MAX}, &err));
	assert_false(fingerprint_make(&fingerprint, &key,
		(struct text){longest, FINGERPRINT_SECRET_BYTES_MAX + 1}, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
}

static void a_secret_is_found_wherever_it_stands(void **state)
{
	struct fixture *fixture = *state;
	char text[100];

	for (size_t at = 0; at < 40; at++) {
		memset(text, '-', sizeof text);
		memcpy(text + at, SECRET, strlen(SECRET));
		text[at + strlen(SECRET)] = '\0';
		is_found_at(fixture, text, at, at + strlen(SECRET));
		text[at + strlen(SECRET)] = '-';
		text[sizeof text - 1] = '\0';
		is_found_at(fixture, text, at, at + strlen(SECRET));
	}
}

static void escapes_and_line_ends_hide_nothing(void **state)
{
	struct fixture *fixture = *state;

	is_found_at(fixture, "x s3cret-Value%2Fof%2ba_Server%3D42 y", 2, 35);
	is_found_at(fixture, "\"s3cret-Value\\/of+a_Server=42\"", 1, 29);
	is_found_at(fixture, "\"\\u0073\\u0033cret-Value/of+a_Server=42\"", 1, 38);
	is_found_at(fixture, "\\x733cret-Value/of+a_Server=4\\x32.", 0, 33);
	is_found_at(fixture, "s3cret-Val\nue/of+a_Ser\r\nver=42", 0, 30);
	is_found_at(fixture, "s3cret-Val\\nue/of+a_Server=42", 0, 29);
	/* what looks like an escape, but is the secret behind another byte */
	is_found_at(fixture, "%7s3cret-Value/of+a_Server=42", 2, 29);
	is_found_at(fixture, "\\%\\us3cret-Value/of+a_Server=42%", 4, 31);
	/* escapes of one kind beside the letters of the other */
	is_found_at(fixture, "100 % \"s3cret-Value\\/of+a_Server=42\"", 7, 35);
	is_found_at(fixture, "C:\\new\\ s3cret-Value%2Fof+a_Server=42", 8, 37);
}

static void what_an_escape_would_eat_is_found_as_it_is(void **state)
{
	static const char eaten[] = "nothing-but-a-secret-of-ours";
	struct fixture *fixture = *state;
	struct fingerprint fingerprint;
	struct error err;

	assert_true(fingerprint_make(&fingerprint, &key, text_of(eaten), &err));
	assert_true(fingerprint_index_add(fixture->index, &fingerprint, 8, &err));
	assert_int_equal(found(fixture, TEXT("\\nothing-but-a-secret-of-ours")), 1);
	assert_int_equal(fixture->spans.items[0].what, 8);
	fingerprint_index_remove(fixture->index, &fingerprint, 8);
}

static void base16_and_base64_hide_nothing(void **state)
{
	static const char around[] = "user:" SECRET ":more";
	struct fixture *fixture = *state;
	struct buffer out;

	buffer_init(&out, 1000);
	for (size_t from = 0; from <= 5; from++) {
		for (size_t less = 0; less <= 5; less++) {
			buffer_reset(&out);
			base64_append(&out, around + from, strlen(around) - from - less);
			assert_int_equal(found(fixture, buffer_text(&out)), 1);
			buffer_reset(&out);
			base64url_append(&out, around + from, strlen(around) - from - less);
			assert_int_equal(found(fixture, buffer_text(&out)), 1);
		}
	}
	buffer_reset(&out);
	hex_append(&out, around, strlen(around));
	assert_int_equal(found(fixture, buffer_text(&out)), 1);
	assert_int_equal(fixture->spans.items[0].start, 2 * 5);
	for (size_t i = 0; i < out.length; i++)
		if (out.data[i] >= 'a')
			out.data[i] = (char)(out.data[i] - 'a' + 'A');
	assert_int_equal(found(fixture, buffer_text(&out)), 1);
	buffer_deinit(&out);
}

static void a_key_of_many_lines_is_found_in_one_and_in_many(void **state)
{
	static const char lines[] = "line-one-of-a-secret\nline-two-of-it\n";
	struct fixture *fixture = *state;
	struct fingerprint fingerprint;
	struct error err;

	assert_true(fingerprint_make(&fingerprint, &key, text_of(lines), &err));
	assert_true(fingerprint_index_add(fixture->index, &fingerprint, 8, &err));
	assert_true(found(fixture, TEXT("a line-one-of-a-secret\nline-two-of-it\n b")) > 0);
	assert_true(found(fixture, TEXT("a line-one-of-a-secret\\nline-two-of-it\\n b")) > 0);
	assert_true(found(fixture, TEXT("a line-one-of-a-secretline-two-of-it b")) > 0);
	fingerprint_index_remove(fixture->index, &fingerprint, 8);
	assert_int_equal(found(fixture, TEXT("a line-one-of-a-secret\nline-two-of-it\n b")), 0);
}

/* Across the pieces in which escapes are undone. */
static void a_long_text_hides_nothing(void **state)
{
	enum { LONG = 5 * UNESCAPE_ROOM_BYTES };
	static const char escaped[] = "s3cret-Value%2Fof%2Ba_Server%3D42";
	struct fixture *fixture = *state;
	char *text = calloc(1, LONG);

	assert_non_null(text);
	for (size_t at = UNESCAPE_ROOM_BYTES - 40; at < LONG - 40;
		at += UNESCAPE_CARRY_BYTES / 3 + 1) {
		memset(text, 'x', LONG);
		text[3] = '\n';
		memcpy(text + at, escaped, strlen(escaped));
		assert_int_equal(found(fixture, (struct text){text, LONG}), 1);
		assert_int_equal(fixture->spans.items[0].start, at);
		assert_int_equal(fixture->spans.items[0].end, at + strlen(escaped));
	}
	free(text);
}

static void the_longest_secret_is_found_in_its_longest_spelling(void **state)
{
	enum { SIZE = FINGERPRINT_SECRET_BYTES_MAX };
	struct fixture *fixture = *state;
	char *secret = calloc(1, SIZE);
	struct fingerprint fingerprint;
	struct buffer out;
	struct error err;

	assert_non_null(secret);
	for (size_t i = 0; i < SIZE; i++)
		secret[i] = (char)('!' + i * i % 90);
	assert_true(fingerprint_make(&fingerprint, &key, (struct text){secret, SIZE}, &err));
	assert_true(fingerprint_index_add(fixture->index, &fingerprint, 8, &err));
	buffer_init(&out, 10 * SIZE);
	for (size_t i = 0; i < UNESCAPE_ROOM_BYTES + 11; i++)
		buffer_append_string(&out, i % 2 == 0 ? "\n" : ".");
	hex_append(&out, secret, SIZE);
	buffer_append_string(&out, " and more than nothing");
	assert_true(found(fixture, buffer_text(&out)) > 0);
	assert_int_equal(fixture->spans.items[0].what, 8);
	fingerprint_index_remove(fixture->index, &fingerprint, 8);
	buffer_deinit(&out);
	free(secret);
}

static void more_places_than_are_kept_are_told(void **state)
{
	struct fixture *fixture = *state;
	struct buffer out;

	buffer_init(&out, 100000);
	for (size_t i = 0; i < SECRET_SPANS_MAX; i++)
		buffer_append_string(&out, SECRET " ");
	assert_int_equal(found(fixture, buffer_text(&out)), SECRET_SPANS_MAX);
	assert_false(fixture->spans.is_full);
	buffer_append_string(&out, SECRET);
	assert_int_equal(found(fixture, buffer_text(&out)), SECRET_SPANS_MAX);
	assert_true(fixture->spans.is_full);
	buffer_deinit(&out);
}

/* Of whom only the end is repeated, until nothing more may be digested. */
static void a_text_made_of_ends_costs_no_more_than_it_should(void **state)
{
	enum { SIZE = FINGERPRINT_SECRET_BYTES_MAX, TIMES = 100000 };
	struct fixture *fixture = *state;
	char *secret = calloc(1, SIZE);
	struct fingerprint fingerprint;
	struct buffer out;
	struct error err;

	assert_non_null(secret);
	memset(secret, 'a', SIZE);
	memcpy(secret + SIZE - 20, "0123456789abcdefghij", 20);
	assert_true(fingerprint_make(&fingerprint, &key, (struct text){secret, SIZE}, &err));
	assert_true(fingerprint_index_add(fixture->index, &fingerprint, 8, &err));
	buffer_init(&out, 100 * TIMES);
	for (size_t i = 0; i < TIMES; i++)
		buffer_append_string(&out, "0123456789abcdefghij");
	/* 1.6 GB of digests otherwise; and it is refused rather than let through */
	assert_true(found(fixture, buffer_text(&out)) > 0);
	assert_true(fixture->spans.is_full);
	fingerprint_index_remove(fixture->index, &fingerprint, 8);
	buffer_deinit(&out);
	free(secret);
}

static void what_is_removed_is_not_found_and_the_rest_is(void **state)
{
	enum { MANY = 500 };
	struct fixture *fixture = *state;
	struct fingerprint *many = calloc(MANY, sizeof *many);
	char secret[64];
	struct error err;

	assert_non_null(many);
	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < MANY; i++) {
			snprintf(secret, sizeof secret, "secret number %06u of round", i);
			assert_true(fingerprint_make(&many[i], &key, text_of(secret), &err));
			assert_true(fingerprint_index_add(fixture->index, &many[i], 100 + i, &err));
		}
		for (uint32_t i = 0; i < MANY; i += 2)
			fingerprint_index_remove(fixture->index, &many[i], 100 + i);
		for (uint32_t i = 0; i < MANY; i++) {
			snprintf(secret, sizeof secret, "secret number %06u of round", i);
			assert_int_equal(found(fixture, text_of(secret)), i % 2);
		}
		is_found_at(fixture, SECRET, 0, strlen(SECRET));
		for (uint32_t i = 1; i < MANY; i += 2)
			fingerprint_index_remove(fixture->index, &many[i], 100 + i);
		assert_int_equal(found(fixture, text_of(secret)), 0);
	}
	free(many);
}

static void the_kinds_have_words(void **state)
{
	(void)state;
	assert_string_equal(secret_kind_word(SECRET_OWN), "own");
	assert_string_equal(secret_kind_word(SECRET_FOREIGN), "foreign");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_found_in_what_only_resembles_it),
		TEST(another_key_finds_nothing),
		TEST(a_secret_too_short_or_too_long_has_no_fingerprint),
		TEST(a_secret_is_found_wherever_it_stands),
		TEST(escapes_and_line_ends_hide_nothing),
		TEST(what_an_escape_would_eat_is_found_as_it_is),
		TEST(base16_and_base64_hide_nothing),
		TEST(a_key_of_many_lines_is_found_in_one_and_in_many),
		TEST(a_long_text_hides_nothing),
		TEST(the_longest_secret_is_found_in_its_longest_spelling),
		TEST(more_places_than_are_kept_are_told),
		TEST(a_text_made_of_ends_costs_no_more_than_it_should),
		TEST(what_is_removed_is_not_found_and_the_rest_is),
		TEST(the_kinds_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
