/* Digests against published values: FIPS 180-4 examples, RFC 4231, RFC 3720. */
#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

#define ABC_DIGEST "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY_DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void is_written(const struct sha256 *digest, const char *expected)
{
	char text[DIGEST_TEXT_BYTES];

	digest_format(text, digest);
	assert_string_equal(text, expected);
}

static void a_digest_in_another_spelling_is_refused(void **state)
{
	struct sha256 digest;

	(void)state;
	assert_false(digest_parse(TEXT(""), &digest));
	assert_false(digest_parse(TEXT("sha256:"), &digest));
	assert_false(digest_parse(TEXT("sha256:ba7816"), &digest));
	assert_false(digest_parse(TEXT("SHA256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb"
				       "410ff61f20015ad"),
		&digest));
	assert_false(digest_parse(TEXT("sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb"
				       "410ff61f20015ad"),
		&digest));
	assert_false(digest_parse(TEXT(ABC_DIGEST "0"), &digest));
	assert_true(digest_parse(TEXT(ABC_DIGEST), &digest));
	is_written(&digest, ABC_DIGEST);
}

static void the_published_digests_come_out(void **state)
{
	const struct text parts[] = {TEXT("a"), {0}, TEXT("b"), TEXT("c")};
	struct sha256 whole = sha256_of("abc", 3);
	struct sha256 pieces = sha256_of_parts(parts, 4);
	struct sha256 nothing = sha256_of(NULL, 0);

	(void)state;
	is_written(&whole, ABC_DIGEST);
	is_written(&nothing, EMPTY_DIGEST);
	assert_true(sha256_equal(&whole, &pieces));
	assert_false(sha256_equal(&whole, &nothing));
	nothing = sha256_of_parts(NULL, 0);
	is_written(&nothing, EMPTY_DIGEST);
}

/* RFC 4231 §4.3, test case 2; the other by Python's hmac. */
static void the_published_codes_come_out(void **state)
{
	static const char data[] = "what do ya want for nothing?";
	struct sha256 code = hmac_sha256((const uint8_t *)"Jefe", 4, data, sizeof data - 1);

	(void)state;
	is_written(
		&code, "sha256:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	code = hmac_sha256((const uint8_t *)"", 0, NULL, 0);
	is_written(
		&code, "sha256:b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 4231 §4.7, test case 6. */
static void a_key_longer_than_a_block_is_hashed_first(void **state)
{
	static const char data[] = "Test Using Larger Than Block-Size Key - Hash Key First";
	uint8_t key[131];
	struct sha256 code;

	(void)state;
	memset(key, 0xaa, sizeof key);
	code = hmac_sha256(key, sizeof key, data, sizeof data - 1);
	is_written(
		&code, "sha256:60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* Python's hmac, key and data of the same 64 bytes. */
static void a_key_of_one_block_is_taken_as_it_is(void **state)
{
	uint8_t key[64];
	struct sha256 code;

	(void)state;
	memset(key, 'k', sizeof key);
	code = hmac_sha256(key, sizeof key, key, sizeof key);
	is_written(
		&code, "sha256:646f8cb2a11b1ab0d22b9f64c8aaa3ca6928e58f4c7ddc9c75afb49c50021cde");
}

/* RFC 3720 §B.4. */
static void the_published_checksums_come_out(void **state)
{
	uint8_t bytes[32] = {0};
	size_t i;

	(void)state;
	assert_int_equal(crc32c(0, bytes, 32), 0x8A9136AA);
	memset(bytes, 0xFF, 32);
	assert_int_equal(crc32c(0, bytes, 32), 0x62A8AB43);
	for (i = 0; i < 32; i++)
		bytes[i] = (uint8_t)i;
	assert_int_equal(crc32c(0, bytes, 32), 0x46DD794E);
	assert_int_equal(crc32c(0, "123456789", 9), 0xE3069283);
	assert_int_equal(crc32c(0, NULL, 0), 0);
}

static void the_instruction_and_the_table_agree(void **state)
{
	uint8_t bytes[300];
	size_t start;
	size_t length;

	(void)state;
	random_bytes(bytes, sizeof bytes);
	for (start = 0; start < 9; start++)
		for (length = 0; start + length <= sizeof bytes; length++)
			assert_int_equal(crc32c(7, bytes + start, length),
				crc32c_portable(7, bytes + start, length));
	assert_int_equal(crc32c(crc32c(0, bytes, 100), bytes + 100, 200), crc32c(0, bytes, 300));
}

static void bytes_that_come_one_after_the_other_have_the_digest_of_all(void **state)
{
	struct sha256_running *running = sha256_begin();
	struct sha256 some, all = sha256_of("abcdef", 6), first = sha256_of("abc", 3);

	(void)state;
	assert_non_null(running);
	sha256_add(running, "ab", 2);
	sha256_add(running, "c", 1);
	some = sha256_so_far(running);
	assert_true(sha256_equal(&some, &first));
	sha256_add(running, "", 0);
	sha256_add(running, "def", 3); /* to be asked is no end */
	some = sha256_so_far(running);
	assert_true(sha256_equal(&some, &all));
	sha256_end(&running);
	assert_null(running);
	sha256_end(&running);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_digest_in_another_spelling_is_refused),
		cmocka_unit_test(the_published_digests_come_out),
		cmocka_unit_test(bytes_that_come_one_after_the_other_have_the_digest_of_all),
		cmocka_unit_test(the_published_codes_come_out),
		cmocka_unit_test(a_key_longer_than_a_block_is_hashed_first),
		cmocka_unit_test(a_key_of_one_block_is_taken_as_it_is),
		cmocka_unit_test(the_published_checksums_come_out),
		cmocka_unit_test(the_instruction_and_the_table_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
