#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/seal.h"

enum { PLAIN_BYTES = 5, SEALED_BYTES = PLAIN_BYTES + SEAL_OVERHEAD_BYTES };

static const struct text plain = {"hello", PLAIN_BYTES};

static void seal(struct seal_key *key, uint8_t out[SEALED_BYTES])
{
	struct error err = {0};

	assert_true(seal_key_generate(key, &err));
	assert_true(seal_encrypt(key, plain, TEXT("about"), out, &err));
}

static struct text sealed_text(const uint8_t *bytes, size_t size)
{
	return (struct text){(const char *)bytes, size};
}

static void any_changed_byte_is_refused_and_nothing_handed_over(void **state)
{
	struct seal_key key;
	uint8_t sealed[SEALED_BYTES], out[PLAIN_BYTES];
	const uint8_t nothing[PLAIN_BYTES] = {0};
	struct error err = {0};

	(void)state;
	seal(&key, sealed);
	for (size_t i = 0; i < sizeof sealed; i++) {
		memset(out, 'x', sizeof out);
		sealed[i] ^= 0x80;
		assert_false(seal_decrypt(
			&key, sealed_text(sealed, sizeof sealed), TEXT("about"), out, &err));
		assert_int_equal(err.code, ERROR_CORRUPT);
		assert_memory_equal(out, nothing, sizeof out);
		sealed[i] ^= 0x80;
	}
}

static void another_key_or_context_does_not_open_it(void **state)
{
	struct seal_key key, other;
	uint8_t sealed[SEALED_BYTES], out[PLAIN_BYTES];
	struct text whole = sealed_text(sealed, sizeof sealed);
	struct error err = {0};

	(void)state;
	seal(&key, sealed);
	assert_true(seal_key_generate(&other, &err));
	assert_false(seal_decrypt(&other, whole, TEXT("about"), out, &err));
	assert_false(seal_decrypt(&key, whole, TEXT("about "), out, &err));
	assert_false(seal_decrypt(&key, whole, TEXT(""), out, &err));
	assert_true(seal_decrypt(&key, whole, TEXT("about"), out, &err));
	assert_memory_equal(out, plain.data, PLAIN_BYTES);
}

static void what_is_cut_short_is_refused(void **state)
{
	struct seal_key key;
	uint8_t sealed[SEALED_BYTES], out[PLAIN_BYTES];
	struct error err = {0};

	(void)state;
	seal(&key, sealed);
	for (size_t size = 0; size < sizeof sealed; size++)
		assert_false(
			seal_decrypt(&key, sealed_text(sealed, size), TEXT("about"), out, &err));
}

static void nothing_at_all_can_be_sealed(void **state)
{
	struct seal_key key;
	uint8_t sealed[SEAL_OVERHEAD_BYTES], out[1] = {7};
	struct error err = {0};

	(void)state;
	assert_true(seal_key_generate(&key, &err));
	assert_true(seal_encrypt(&key, TEXT(""), TEXT(""), sealed, &err));
	assert_true(seal_decrypt(&key, sealed_text(sealed, sizeof sealed), TEXT(""), out, &err));
	sealed[SEAL_OVERHEAD_BYTES - 1] ^= 1;
	assert_false(seal_decrypt(&key, sealed_text(sealed, sizeof sealed), TEXT(""), out, &err));
	assert_int_equal(out[0], 7);
}

static void the_same_text_is_never_sealed_alike(void **state)
{
	struct seal_key key;
	uint8_t first[SEALED_BYTES], second[SEALED_BYTES];
	struct error err = {0};

	(void)state;
	seal(&key, first);
	assert_true(seal_encrypt(&key, plain, TEXT("about"), second, &err));
	assert_memory_not_equal(first, second, SEAL_NONCE_BYTES);
	assert_memory_not_equal(first + SEAL_NONCE_BYTES, second + SEAL_NONCE_BYTES, PLAIN_BYTES);
}

static void a_cleared_key_is_zero(void **state)
{
	const struct seal_key zero = {0};
	struct seal_key key;
	struct error err = {0};

	(void)state;
	assert_true(seal_key_generate(&key, &err));
	assert_memory_not_equal(&key, &zero, sizeof key);
	seal_key_clear(&key);
	assert_memory_equal(&key, &zero, sizeof key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_changed_byte_is_refused_and_nothing_handed_over),
		cmocka_unit_test(another_key_or_context_does_not_open_it),
		cmocka_unit_test(what_is_cut_short_is_refused),
		cmocka_unit_test(nothing_at_all_can_be_sealed),
		cmocka_unit_test(the_same_text_is_never_sealed_alike),
		cmocka_unit_test(a_cleared_key_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
