#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/private_key.h"
#include "domain/token/jwk.h"
#include "domain/token/key_set.h"

enum { ARENA_BYTES = 256 * 1024 };

/* RFC 7638 §3.1. */
#define RFC7638_N                                                                                  \
	"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"  \
	"BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-"          \
	"65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdk" \
	"t-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"

/* RFC 8037 appendix A.2. */
#define RFC8037_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"

/* RFC 7517 appendix A.1. */
#define P256_X "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"
#define P256_Y "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
#define P256 "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\""

static struct arena *arena;

static int open_arena(void **state)
{
	(void)state;
	arena = arena_create(ARENA_BYTES);
	return arena == NULL;
}

static int close_arena(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

static struct json json_of(const char *text)
{
	struct json value;
	struct error err = {0};

	assert_true(json_parse(&value, arena, text_of(text), &json_limits_default, &err));
	return value;
}

static bool is_key(const char *text)
{
	struct json value = json_of(text);
	struct public_key *key = NULL;
	struct error err = {0};
	bool is_ok = jwk_parse(&key, &value, &err);

	assert_int_equal(is_ok, key != NULL);
	assert_int_equal(is_ok, err.code == ERROR_NONE);
	public_key_destroy(&key);
	return is_ok;
}

static void private_members_are_refused(void **state)
{
	static const char *const texts[] = {
		"{" P256 ",\"d\":\"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE\"}",
		"{\"kty\":\"oct\",\"k\":\"AAAA\"}",
		"{" P256 ",\"k\":\"AAAA\"}",
		"{" P256 ",\"p\":\"AAAA\"}",
		"{" P256 ",\"oth\":[]}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "\",\"d\":\"\"}",
	};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_false(is_key(texts[i]));
}

static void what_is_not_exactly_a_key_is_refused(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"\"EC\"",
		"{" P256 ",\"x5c\":[\"AAAA\"]}",
		"{" P256 ",\"x5u\":\"https://host.example\"}",
		"{" P256 ",\"use\":\"enc\"}",
		"{" P256 ",\"use\":7}",
		"{" P256 ",\"alg\":\"ES384\"}",
		"{" P256 ",\"alg\":\"none\"}",
		"{" P256 ",\"alg\":7}",
		"{" P256 ",\"key_ops\":[\"sign\"]}",
		"{" P256 ",\"key_ops\":[\"verify\",\"sign\"]}",
		"{" P256 ",\"key_ops\":\"verify\"}",
		"{\"kty\":\"ec\",\"crv\":\"P-256\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}",
		"{\"kty\":\"EC\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_Y "\",\"y\":\"" P256_X "\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "=\",\"y\":\"" P256_Y "\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":7,\"y\":\"" P256_Y "\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
		"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" RFC8037_X "\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "\",\"y\":\"AAAA\"}",
		"{\"kty\":\"RSA\",\"n\":\"" RFC7638_N "\",\"e\":\"AQAB\"}",
		"{\"kty\":\"RSA\",\"alg\":\"RS384\",\"n\":\"" RFC7638_N "\",\"e\":\"AQAB\"}",
		"{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
		"{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"" RFC7638_N "\",\"e\":\"Aw\"}",
	};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_false(is_key(texts[i]));
	assert_true(is_key("{" P256 "}"));
	assert_true(is_key(
		"{" P256
		",\"kid\":\"1\",\"use\":\"sig\",\"alg\":\"ES256\",\"key_ops\":[\"verify\"]}"));
	assert_true(is_key(
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "\",\"alg\":\"EdDSA\"}"));
}

static void assert_thumbprint(const char *text, const char *expected)
{
	struct json value = json_of(text);
	struct public_key *key = NULL;
	struct error err = {0};
	char thumbprint[JWK_THUMBPRINT_BYTES];

	assert_true(jwk_parse(&key, &value, &err));
	assert_true(jwk_thumbprint(thumbprint, key, &err));
	assert_string_equal(thumbprint, expected);
	public_key_destroy(&key);
}

static void thumbprints_are_those_of_the_standards(void **state)
{
	(void)state;
	assert_thumbprint("{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"" RFC7638_N
			  "\",\"e\":\"AQAB\"}",
		"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	assert_thumbprint("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "\"}",
		"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

static void a_key_that_is_printed_reads_as_the_same_key(void **state)
{
	static const enum signature_algorithm algorithms[] = {SIGNATURE_ES256, SIGNATURE_ED25519};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct private_key *key = NULL;
		struct public_key *read = NULL;
		struct error err = {0};
		struct json value;

		assert_true(private_key_generate(&key, algorithms[i], &err));
		assert_true(jwk_format(&value, arena, private_key_public(key), &err));
		assert_null(json_find(&value, "d"));
		assert_true(jwk_parse(&read, &value, &err));
		assert_true(public_key_equal(read, private_key_public(key)));
		public_key_destroy(&read);
		private_key_destroy(&key);
	}
}

static void a_set_with_one_bad_key_is_refused_whole(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"{\"keys\":{}}",
		"{\"keys\":[],\"more\":1}",
		"{\"keys\":[{" P256 "},{}]}",
		"{\"keys\":[{" P256 ",\"kid\":\"\"}]}",
		"{\"keys\":[{" P256 ",\"kid\":7}]}",
		"{\"keys\":[{" P256 ",\"kid\":\"a\"},{" P256 ",\"kid\":\"a\"}]}",
	};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct json value = json_of(texts[i]);
		struct key_set set;
		struct error err = {0};

		assert_false(key_set_parse(&set, &value, &err));
		assert_int_equal(set.count, 0);
		assert_null(set.entries);
		assert_int_not_equal(err.code, ERROR_NONE);
	}
}

static void a_set_finds_its_keys_by_exact_kid(void **state)
{
	struct json value = json_of("{\"keys\":[{" P256 ",\"kid\":\"a\"},{" P256 "}]}");
	struct json printed;
	struct key_set set, again;
	struct error err = {0};

	(void)state;
	assert_true(key_set_parse(&set, &value, &err));
	assert_non_null(key_set_find(&set, TEXT("a")));
	assert_non_null(key_set_find(&set, TEXT("cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s")));
	assert_null(key_set_find(&set, TEXT("A")));
	assert_null(key_set_find(&set, TEXT("")));
	assert_true(key_set_format(&printed, arena, &set, &err));
	assert_true(key_set_parse(&again, &printed, &err));
	assert_int_equal(again.count, 2);
	key_set_deinit(&again);
	key_set_deinit(&set);
	key_set_deinit(&set);
}

static void a_set_holds_its_limit_and_no_more(void **state)
{
	struct key_set set = {0};
	struct error err = {0};
	struct json value = json_of("{" P256 "}");

	(void)state;
	for (int i = 0; i <= KEY_SET_KEYS_MAX; i++) {
		struct public_key *key = NULL;
		struct text id = text_format(arena, "k%d", i);

		assert_true(jwk_parse(&key, &value, &err));
		assert_int_equal(key_set_add(&set, id, key, &err), i < KEY_SET_KEYS_MAX);
	}
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_int_equal(set.count, KEY_SET_KEYS_MAX);
	key_set_deinit(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(private_members_are_refused),
		cmocka_unit_test(what_is_not_exactly_a_key_is_refused),
		cmocka_unit_test(thumbprints_are_those_of_the_standards),
		cmocka_unit_test(a_key_that_is_printed_reads_as_the_same_key),
		cmocka_unit_test(a_set_with_one_bad_key_is_refused_whole),
		cmocka_unit_test(a_set_finds_its_keys_by_exact_kid),
		cmocka_unit_test(a_set_holds_its_limit_and_no_more),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
