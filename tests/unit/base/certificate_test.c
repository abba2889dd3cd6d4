#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/certificate.h"
#include "support/self_signed.h"

enum { STARTS_S = 1800000000, ENDS_S = 1800003600 };

struct bench {
	struct private_key *key;
	struct private_key *other;
	struct self_signed made;
};

static int open_bench(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err = {0};

	assert_non_null(bench);
	assert_true(private_key_generate(&bench->key, SIGNATURE_ES256, &err));
	assert_true(private_key_generate(&bench->other, SIGNATURE_ES256, &err));
	self_signed_make(&bench->made, bench->key, STARTS_S, ENDS_S);
	*state = bench;
	return 0;
}

static int close_bench(void **state)
{
	struct bench *bench = *state;

	private_key_destroy(&bench->key);
	private_key_destroy(&bench->other);
	free(bench);
	return 0;
}

static void what_is_not_exactly_one_certificate_is_none(void **state)
{
	static char large[CERTIFICATE_BYTES_MAX + 1];
	struct bench *bench = *state;
	struct text der = bench->made.der;
	const struct text wrong[] = {
		{"", 0},
		{NULL, 0},
		{der.data, der.length - 1},
		{der.data, der.length + 1}, /* a zero byte follows */
		{der.data + 1, der.length - 1},
		text_of(bench->made.pem),
		{large, sizeof large},
	};
	struct certificate_life life;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct error err = {0};

		assert_false(certificate_read_life(&life, wrong[i], &err));
		assert_int_equal(err.code, ERROR_INVALID);
		assert_false(certificate_has_key(wrong[i], private_key_public(bench->key)));
	}
}

static void a_certificate_has_its_own_key_and_no_other(void **state)
{
	struct bench *bench = *state;

	assert_true(certificate_has_key(bench->made.der, private_key_public(bench->key)));
	assert_false(certificate_has_key(bench->made.der, private_key_public(bench->other)));
}

static void a_certificate_lives_from_its_first_second_to_its_last(void **state)
{
	struct bench *bench = *state;
	struct certificate_life life;
	struct error err = {0};

	assert_true(certificate_read_life(&life, bench->made.der, &err));
	assert_int_equal(life.starts_utc_s, STARTS_S);
	assert_int_equal(life.ends_utc_s, ENDS_S + 1);
}

/* Any one byte changed: never another key, never a crash. */
static void a_changed_certificate_has_not_another_key(void **state)
{
	struct bench *bench = *state;
	struct certificate_life life;
	struct error err = {0};

	for (size_t i = 0; i < bench->made.der.length; i++) {
		bench->made.bytes[i] ^= 0x41;
		assert_false(
			certificate_has_key(bench->made.der, private_key_public(bench->other)));
		(void)!certificate_read_life(&life, bench->made.der, &err);
		bench->made.bytes[i] ^= 0x41;
	}
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(what_is_not_exactly_one_certificate_is_none),
		WITH(a_certificate_has_its_own_key_and_no_other),
		WITH(a_certificate_lives_from_its_first_second_to_its_last),
		WITH(a_changed_certificate_has_not_another_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
