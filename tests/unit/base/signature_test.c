#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/private_key.h"
#include "base/signature.h"

/* RFC 8032 §7.1, TEST 2. */
static const uint8_t rfc8032_key[ED25519_KEY_BYTES] = {0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89,
	0x5a, 0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e, 0xbc, 0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4,
	0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c};
static const uint8_t rfc8032_signature[] = {0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8, 0x72,
	0x0e, 0x82, 0x0b, 0x5f, 0x64, 0x25, 0x40, 0xa2, 0xb2, 0x7b, 0x54, 0x16, 0x50, 0x3f, 0x8f,
	0xb3, 0x76, 0x22, 0x23, 0xeb, 0xdb, 0x69, 0xda, 0x08, 0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99,
	0x6e, 0x45, 0x8f, 0x36, 0x13, 0xd0, 0xf1, 0x1d, 0x8c, 0x38, 0x7b, 0x2e, 0xae, 0xb4, 0x30,
	0x2a, 0xee, 0xb0, 0x0d, 0x29, 0x16, 0x12, 0xbb, 0x0c, 0x00};

/* The order of P-256 (FIPS 186-4 D.1.2.3). */
static const uint8_t p256_order[32] = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca,
	0xc2, 0xfc, 0x63, 0x25, 0x51};

static struct text bytes_of(const void *data, size_t size)
{
	return (struct text){data, size};
}

static struct private_key *new_key(enum signature_algorithm algorithm)
{
	struct private_key *key = NULL;
	struct error err = {0};

	assert_true(private_key_generate(&key, algorithm, &err));
	return key;
}

static void a_changed_message_or_signature_is_refused(void **state)
{
	static const enum signature_algorithm algorithms[] = {SIGNATURE_ES256, SIGNATURE_ED25519};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct private_key *key = new_key(algorithms[i]);
		const struct public_key *half = private_key_public(key);
		uint8_t signature[SIGNATURE_BYTES_MAX];
		size_t size = 0;
		struct error err = {0};

		assert_true(private_key_sign(key, TEXT("yes"), signature, &size, &err));
		assert_int_equal(size, 64);
		assert_true(public_key_verify(half, TEXT("yes"), bytes_of(signature, size)));
		assert_false(public_key_verify(half, TEXT("yet"), bytes_of(signature, size)));
		for (size_t byte = 0; byte < size; byte++) {
			signature[byte] ^= 1;
			assert_false(
				public_key_verify(half, TEXT("yes"), bytes_of(signature, size)));
			signature[byte] ^= 1;
		}
		assert_false(public_key_verify(half, TEXT("yes"), bytes_of(signature, size - 1)));
		assert_false(public_key_verify(half, TEXT("yes"), bytes_of(signature, size + 1)));
		assert_false(public_key_verify(half, TEXT("yes"), bytes_of(signature, 0)));
		private_key_destroy(&key);
		assert_null(key);
	}
}

static void ecdsa_numbers_out_of_range_are_refused(void **state)
{
	struct private_key *key = new_key(SIGNATURE_ES256);
	const struct public_key *half = private_key_public(key);
	uint8_t good[SIGNATURE_BYTES_MAX], bad[64] = {0};
	size_t size = 0;
	struct error err = {0};

	(void)state;
	assert_true(private_key_sign(key, TEXT("m"), good, &size, &err));
	assert_false(public_key_verify(half, TEXT("m"), bytes_of(bad, 64))); /* r = s = 0 */
	memcpy(bad, good, 32);
	assert_false(public_key_verify(half, TEXT("m"), bytes_of(bad, 64))); /* s = 0 */
	memset(bad, 0, 32);
	memcpy(bad + 32, good + 32, 32);
	assert_false(public_key_verify(half, TEXT("m"), bytes_of(bad, 64))); /* r = 0 */
	memcpy(bad, p256_order, 32);
	assert_false(public_key_verify(half, TEXT("m"), bytes_of(bad, 64))); /* r = n */
	memcpy(bad, good, 32);
	memcpy(bad + 32, p256_order, 32);
	assert_false(public_key_verify(half, TEXT("m"), bytes_of(bad, 64))); /* s = n */
	memset(bad, 0xff, 64);
	assert_false(public_key_verify(half, TEXT("m"), bytes_of(bad, 64)));
	private_key_destroy(&key);
}

static void a_point_off_the_curve_is_no_key(void **state)
{
	struct private_key *key = new_key(SIGNATURE_ES256);
	struct public_key_numbers numbers;
	struct public_key *made = NULL;
	struct error err = {0};
	char y[32], zero[48] = {0};

	(void)state;
	public_key_numbers(private_key_public(key), &numbers);
	memcpy(y, numbers.y.data, 32);
	y[31] = (char)(y[31] ^ 1);
	assert_false(public_key_from_ec(&made, SIGNATURE_ES256, numbers.x, bytes_of(y, 32), &err));
	assert_null(made);
	assert_int_equal(err.code, ERROR_INVALID);
	assert_false(public_key_from_ec(
		&made, SIGNATURE_ES256, bytes_of(zero, 32), bytes_of(zero, 32), &err));
	/* The other curve, and lengths that are not the curve's. */
	assert_false(public_key_from_ec(&made, SIGNATURE_ES384, numbers.x, numbers.y, &err));
	assert_false(public_key_from_ec(
		&made, SIGNATURE_ES384, bytes_of(zero, 48), bytes_of(zero, 48), &err));
	assert_false(public_key_from_ec(
		&made, SIGNATURE_ES256, bytes_of(numbers.x.data, 31), numbers.y, &err));
	assert_false(public_key_from_ec(&made, SIGNATURE_RS256, numbers.x, numbers.y, &err));
	assert_true(public_key_from_ec(&made, SIGNATURE_ES256, numbers.x, numbers.y, &err));
	assert_true(public_key_equal(made, private_key_public(key)));
	public_key_destroy(&made);
	private_key_destroy(&key);
}

static bool is_rsa_key(const char *n, size_t n_size, struct text e)
{
	struct public_key *made = NULL;
	struct error err = {0};
	bool is_key = public_key_from_rsa(&made, SIGNATURE_RS256, bytes_of(n, n_size), e, &err);

	assert_int_equal(is_key, made != NULL);
	assert_int_equal(is_key, err.code == ERROR_NONE);
	public_key_destroy(&made);
	return is_key;
}

/* A composite without small factors, as far as OpenSSL looks. */
static bool has_modulus_of(char *n, size_t size)
{
	memset(n, 0xff, size);
	for (int i = 0; i < 128; i++) {
		n[size - 1] = (char)(0xff - 2 * i);
		if (is_rsa_key(n, size, bytes_of("\1\0\1", 3)))
			return true;
	}
	return false;
}

static void weak_rsa_numbers_are_no_key(void **state)
{
	static char n[513];
	struct text e = bytes_of("\1\0\1", 3);
	struct public_key *made = NULL;
	struct error err = {0};

	(void)state;
	assert_false(has_modulus_of(n, 255));
	assert_false(has_modulus_of(n, 513));
	assert_true(has_modulus_of(n, 512));
	assert_true(has_modulus_of(n, 256));
	assert_true(is_rsa_key(n, 256, e));
	assert_false(public_key_from_rsa(&made, SIGNATURE_ES256, bytes_of(n, 256), e, &err));
	assert_false(is_rsa_key(n, 256, bytes_of("\3", 1)));
	assert_false(is_rsa_key(n, 256, bytes_of("\1\0\2", 3)));
	assert_false(is_rsa_key(n, 256, bytes_of("\0\1\0\1", 4)));
	assert_false(is_rsa_key(n, 256, bytes_of("\1\0\0\0\1", 5)));
	assert_false(is_rsa_key(n, 256, TEXT("")));
	n[0] = 0x7f; /* 2047 bits */
	assert_false(is_rsa_key(n, 256, e));
	n[0] = (char)0xff;
	n[255] = (char)(n[255] & ~1); /* even */
	assert_false(is_rsa_key(n, 256, e));
}

static void the_example_of_rfc_8032_verifies(void **state)
{
	struct public_key *key = NULL;
	struct error err = {0};

	(void)state;
	assert_true(public_key_from_ed25519(&key, rfc8032_key, &err));
	assert_int_equal(public_key_algorithm(key), SIGNATURE_ED25519);
	assert_true(public_key_verify(
		key, TEXT("r"), bytes_of(rfc8032_signature, sizeof rfc8032_signature)));
	assert_false(public_key_verify(
		key, TEXT("s"), bytes_of(rfc8032_signature, sizeof rfc8032_signature)));
	public_key_destroy(&key);
	public_key_destroy(&key);
}

static void algorithm_names_are_exact(void **state)
{
	(void)state;
	assert_int_equal(signature_algorithm_of(TEXT("none")), SIGNATURE_NONE);
	assert_int_equal(signature_algorithm_of(TEXT("es256")), SIGNATURE_NONE);
	assert_int_equal(signature_algorithm_of(TEXT("HS256")), SIGNATURE_NONE);
	assert_int_equal(signature_algorithm_of(TEXT("ES256 ")), SIGNATURE_NONE);
	assert_int_equal(signature_algorithm_of(TEXT("")), SIGNATURE_NONE);
	assert_int_equal(signature_algorithm_of(TEXT("EdDSA")), SIGNATURE_ED25519);
	assert_string_equal(signature_algorithm_name(SIGNATURE_ED25519), "Ed25519");
	assert_null(signature_algorithm_name(SIGNATURE_NONE));
}

/* ---- files ---- */

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	memcpy(folder, "/tmp/signature-test-XXXXXX", 27);
	return mkdtemp(folder) == NULL;
}

static int drop_folder(void **state)
{
	static const char *const files[] = {"/key", "/link", "/text"};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char path[128];

		snprintf(path, sizeof path, "%s%s", folder, files[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static void a_key_others_can_read_is_refused(void **state)
{
	static const mode_t modes[] = {0640, 0604, 0620, 0602, 0601, 0610, 0660, 0777};
	struct private_key *key = new_key(SIGNATURE_ED25519), *loaded = NULL;
	struct error err = {0};
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/key", folder);
	assert_true(private_key_save(key, path, &err));
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_false(private_key_load(&loaded, path, &err));
		assert_null(loaded);
		assert_int_equal(err.code, ERROR_INVALID);
	}
	assert_int_equal(chmod(path, 0600), 0);
	assert_true(private_key_load(&loaded, path, &err));
	assert_true(public_key_equal(private_key_public(key), private_key_public(loaded)));
	private_key_destroy(&loaded);
	private_key_destroy(&key);
	unlink(path);
}

static void a_saved_key_is_0600_and_never_overwritten(void **state)
{
	struct private_key *key = new_key(SIGNATURE_ES256), *loaded = NULL;
	struct error err = {0};
	struct stat file;
	char path[128];
	mode_t old = umask(0);

	(void)state;
	snprintf(path, sizeof path, "%s/key", folder);
	assert_true(private_key_save(key, path, &err));
	umask(old);
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_mode & 07777, 0600);
	assert_false(private_key_save(key, path, &err));
	assert_int_equal(err.code, ERROR_CONFLICT);
	assert_true(private_key_load(&loaded, path, &err));
	assert_true(public_key_equal(private_key_public(key), private_key_public(loaded)));
	private_key_destroy(&loaded);
	private_key_destroy(&key);
	unlink(path);
}

static void links_folders_and_nonsense_are_no_key(void **state)
{
	struct private_key *key = new_key(SIGNATURE_ES256), *loaded = NULL;
	struct error err = {0};
	char path[128], other[128];
	FILE *file = NULL;

	(void)state;
	snprintf(path, sizeof path, "%s/key", folder);
	snprintf(other, sizeof other, "%s/link", folder);
	assert_false(private_key_load(&loaded, path, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_true(private_key_save(key, path, &err));
	assert_int_equal(symlink(path, other), 0);
	assert_false(private_key_load(&loaded, other, &err));
	assert_false(private_key_load(&loaded, folder, &err));
	snprintf(other, sizeof other, "%s/text", folder);
	file = fopen(other, "w");
	assert_non_null(file);
	fputs("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", file);
	fclose(file);
	assert_int_equal(chmod(other, 0600), 0);
	assert_false(private_key_load(&loaded, other, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_int_equal(truncate(other, PRIVATE_KEY_FILE_BYTES_MAX + 1), 0);
	assert_false(private_key_load(&loaded, other, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_null(loaded);
	private_key_destroy(&key);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_changed_message_or_signature_is_refused),
		cmocka_unit_test(ecdsa_numbers_out_of_range_are_refused),
		cmocka_unit_test(a_point_off_the_curve_is_no_key),
		cmocka_unit_test(weak_rsa_numbers_are_no_key),
		cmocka_unit_test(algorithm_names_are_exact),
		cmocka_unit_test(a_key_others_can_read_is_refused),
		cmocka_unit_test(links_folders_and_nonsense_are_no_key),
		cmocka_unit_test(a_saved_key_is_0600_and_never_overwritten),
		cmocka_unit_test(the_example_of_rfc_8032_verifies),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
