/* Base64 both ways and hexadecimal.  RFC 4648 §10 for the vectors. */
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

static const char *const plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
static const char *const padded[] = {
	"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
static const char *const unpadded[] = {"", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"};

static void text_outside_the_alphabet_is_refused(void **state)
{
	static const char *const bad[] = {"A", "AAAAA", "Zg==", "Zg=", "Z g", " Zg", "Zg\n", "+A",
		"/A", "A\xC3", "Zm8=", "===="};
	uint8_t out[16];
	size_t size;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(base64url_decode(text_of(bad[i]), out, sizeof out, &size));
	assert_false(base64url_decode(TEXT("AA\0A"), out, sizeof out, &size));
}

static void padding_must_be_exact(void **state)
{
	static const char *const bad[] = {"Zg", "Zg=", "Zm8",
		"Zm9v=", "Zg===", "Z===", "====", "=Zg=", "Zg=A", "-A==", "_A=="};
	uint8_t out[16];
	size_t size;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(base64_decode(text_of(bad[i]), out, sizeof out, &size));
}

static void trailing_bits_must_be_zero(void **state)
{
	uint8_t out[16];
	size_t size;

	(void)state;
	assert_false(base64url_decode(TEXT("Zh"), out, sizeof out, &size));
	assert_false(base64url_decode(TEXT("Zm9"), out, sizeof out, &size));
	assert_false(base64_decode(TEXT("Zh=="), out, sizeof out, &size));
	assert_false(base64_decode(TEXT("Zm9="), out, sizeof out, &size));
}

static void the_vectors_of_rfc_4648_hold(void **state)
{
	struct buffer out;
	uint8_t bytes[16];
	size_t size;
	size_t i;

	(void)state;
	buffer_init(&out, 100);
	for (i = 0; i < sizeof plain / sizeof plain[0]; i++) {
		buffer_reset(&out);
		base64_append(&out, plain[i], strlen(plain[i]));
		assert_true(text_is(buffer_text(&out), padded[i]));
		buffer_reset(&out);
		base64url_append(&out, plain[i], strlen(plain[i]));
		assert_true(text_is(buffer_text(&out), unpadded[i]));
		assert_true(base64_decode(text_of(padded[i]), bytes, sizeof bytes, &size));
		assert_true(text_is((struct text){(char *)bytes, size}, plain[i]));
		assert_true(base64url_decode(text_of(unpadded[i]), bytes, sizeof bytes, &size));
		assert_true(text_is((struct text){(char *)bytes, size}, plain[i]));
	}
	buffer_deinit(&out);
}

static void nothing_is_written_beyond_the_capacity(void **state)
{
	uint8_t out[4] = {0, 0, 0, 0x55};
	size_t size;

	(void)state;
	assert_false(base64url_decode(TEXT("Zm9vYg"), out, 3, &size));
	assert_int_equal(size, 0);
	assert_true(base64url_decode(TEXT("Zm9v"), out, 3, &size));
	assert_int_equal(size, 3);
	assert_int_equal(out[3], 0x55);
}

static void every_length_comes_back(void **state)
{
	static uint8_t bytes[2000];
	static uint8_t back[2000];
	struct arena *arena = arena_create(1 << 20);
	struct buffer out;
	size_t length;
	size_t size;

	(void)state;
	assert_non_null(arena);
	random_bytes(bytes, sizeof bytes);
	buffer_init(&out, 1 << 16);
	for (length = 0; length < sizeof bytes; length += 1 + length / 7) {
		struct text text;

		arena_reset(arena);
		text = base64url_text(arena, bytes, length);
		buffer_reset(&out);
		base64url_append(&out, bytes, length);
		assert_true(text_equal(text, buffer_text(&out)));
		assert_true(base64url_decode(text, back, sizeof back, &size));
		assert_int_equal(size, length);
		assert_memory_equal(back, bytes, length);
		buffer_reset(&out);
		base64_append(&out, bytes, length);
		assert_true(base64_decode(buffer_text(&out), back, sizeof back, &size));
		assert_int_equal(size, length);
		assert_memory_equal(back, bytes, length);
	}
	buffer_deinit(&out);
	arena_destroy(&arena);
}

static void hexadecimal_needs_every_digit(void **state)
{
	uint8_t out[2];
	struct buffer text;

	(void)state;
	assert_false(hex_decode(TEXT("abc"), out, 2));
	assert_false(hex_decode(TEXT("abcde"), out, 2));
	assert_false(hex_decode(TEXT("abcdef"), out, 2));
	assert_false(hex_decode(TEXT("abcg"), out, 2));
	assert_true(hex_decode(TEXT("aBc1"), out, 2));
	assert_int_equal(out[0], 0xAB);
	assert_int_equal(out[1], 0xC1);
	buffer_init(&text, 100);
	hex_append(&text, out, 2);
	assert_true(text_is(buffer_text(&text), "abc1"));
	buffer_deinit(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_outside_the_alphabet_is_refused),
		cmocka_unit_test(padding_must_be_exact),
		cmocka_unit_test(trailing_bits_must_be_zero),
		cmocka_unit_test(the_vectors_of_rfc_4648_hold),
		cmocka_unit_test(nothing_is_written_beyond_the_capacity),
		cmocka_unit_test(every_length_comes_back),
		cmocka_unit_test(hexadecimal_needs_every_digit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
