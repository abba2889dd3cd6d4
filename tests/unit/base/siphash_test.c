/* SipHash against its authors' published values and against OpenSSL's. */
#include "base/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/params.h>

enum { LONGEST = 300, OUT_BYTES = 16 };

static void fill(uint8_t *out, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)i;
}

static void another_key_or_text_gives_another_digest(void **state)
{
	uint8_t key[SIPHASH_KEY_BYTES];
	struct siphash one, other;

	(void)state;
	fill(key, sizeof key);
	one = siphash_of(key, "secret", 6);
	other = siphash_of(key, "secreT", 6);
	assert_false(siphash_equal(&one, &other));
	other = siphash_of(key, "secret\0", 7);
	assert_false(siphash_equal(&one, &other));
	key[15] ^= 1;
	other = siphash_of(key, "secret", 6);
	assert_false(siphash_equal(&one, &other));
}

/* vectors.h of the reference implementation, vectors_siphash128. */
static void the_published_digests_come_out(void **state)
{
	static const uint8_t none[OUT_BYTES] = {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
		0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93};
	static const uint8_t one[OUT_BYTES] = {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34,
		0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45};
	uint8_t key[SIPHASH_KEY_BYTES];
	struct siphash digest;

	(void)state;
	fill(key, sizeof key);
	digest = siphash_of(key, NULL, 0);
	assert_memory_equal(&digest, none, OUT_BYTES);
	digest = siphash_of(key, "", 1);
	assert_memory_equal(&digest, one, OUT_BYTES);
}

static void openssl_comes_to_the_same_at_every_length(void **state)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
	size_t size = OUT_BYTES, written;
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_size_t("size", &size), OSSL_PARAM_construct_end()};
	uint8_t key[SIPHASH_KEY_BYTES], data[LONGEST], out[OUT_BYTES];

	(void)state;
	assert_non_null(context);
	fill(key, sizeof key);
	fill(data, sizeof data);
	for (size_t length = 0; length <= LONGEST; length++) {
		struct siphash digest = siphash_of(key, data, length);

		assert_int_equal(EVP_MAC_init(context, key, sizeof key, parameters), 1);
		assert_int_equal(EVP_MAC_update(context, data, length), 1);
		assert_int_equal(EVP_MAC_final(context, out, &written, sizeof out), 1);
		assert_memory_equal(&digest, out, OUT_BYTES);
	}
	EVP_MAC_CTX_free(context);
	EVP_MAC_free(mac);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_key_or_text_gives_another_digest),
		cmocka_unit_test(the_published_digests_come_out),
		cmocka_unit_test(openssl_comes_to_the_same_at_every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
