#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/private_key.h"
#include "domain/federation/key_source.h"
#include "domain/token/jwk.h"
#include "domain/token/key_set.h"

#define RFC7638_N                                                                                  \
	"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"  \
	"BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-"          \
	"65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdk" \
	"t-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"

enum { ROOM_BYTES = 16 << 20, SET_BYTES = 1 << 20 };

struct world {
	struct arena *arena;
	struct text key; /* the members of an EC key, without braces */
};

static int start(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct private_key *key = NULL;
	struct error err = {0};
	struct json jwk;

	assert_non_null(world);
	world->arena = arena_create(ROOM_BYTES);
	assert_true(private_key_generate(&key, SIGNATURE_ES256, &err));
	assert_true(jwk_format(&jwk, world->arena, private_key_public(key), &err));
	world->key = text_format(world->arena,
		"\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%.*s\",\"y\":\"%.*s\"",
		TEXT_ARGS(json_text_or(&jwk, "x", "")), TEXT_ARGS(json_text_or(&jwk, "y", "")));
	private_key_destroy(&key);
	*state = world;
	return 0;
}

static int end(void **state)
{
	struct world *world = *state;

	arena_destroy(&world->arena);
	free(world);
	return 0;
}

static const struct issuer oidc = {.speaks = ISSUER_SPEAKS_OIDC,
	.source = ISSUER_SOURCE_JWKS_URL,
	.algorithms = 1u << SIGNATURE_ES256 | 1u << SIGNATURE_RS256 | 1u << SIGNATURE_PS256};
static const struct issuer spiffe = {.speaks = ISSUER_SPEAKS_SPIFFE,
	.source = ISSUER_SOURCE_BUNDLE_URL,
	.algorithms = 1u << SIGNATURE_ES256};

/* {"keys":[{KEY MORE}, ...]}: how many count; -1: the set is refused. */
static int count_of(struct world *world, const struct issuer *issuer, const char *more)
{
	struct text set =
		text_format(world->arena, "{\"keys\":[{%.*s%s}]}", TEXT_ARGS(world->key), more);
	struct issuer_keys *keys = NULL;
	struct error err = {0};
	int count = -1;

	if (issuer_keys_parse(&keys, issuer, set, &err))
		count = (int)issuer_keys_count(keys);
	else
		assert_true(keys == NULL && err.code != ERROR_NONE);
	issuer_keys_destroy(&keys);
	return count;
}

static void a_key_that_does_not_count_is_passed_over_or_refuses_the_set(void **state)
{
	static const char *const refused[] = {",\"d\":\"AAAA\"", ",\"k\":\"AAAA\"",
		",\"use\":\"enc\"", ",\"key_ops\":[\"sign\"]", ",\"alg\":\"ES384\"",
		",\"alg\":\"HS256\"", ",\"alg\":\"none\"", "},1,{"};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		assert_int_equal(count_of(world, &oidc, refused[i]), -1);
	assert_int_equal(count_of(world, &oidc, ""), 1);
	assert_int_equal(
		count_of(world, &oidc, ",\"x5c\":[1],\"future\":{},\"key_ops\":[\"verify\",\"x\"]"),
		1);
	/* What is beside it and no key is passed over. */
	assert_int_equal(count_of(world, &oidc, ",\"kid\":\"a\"},{\"kty\":\"oct\"},{\"kty\":7"), 1);
	assert_int_equal(count_of(world, &oidc,
				 ",\"kid\":\"a\"},{\"kty\":\"EC\",\"crv\":\"P-256\","
				 "\"x\":\"AAAA\",\"y\":\"AAAA\",\"kid\":\"b\""),
		1);
}

static void two_keys_of_one_kid_refuse_the_set(void **state)
{
	struct world *world = *state;
	struct text twice = text_format(
		world->arena, ",\"kid\":\"a\"},{%.*s,\"kid\":\"a\"", TEXT_ARGS(world->key));
	struct text two = text_format(
		world->arena, ",\"kid\":\"a\"},{%.*s,\"kid\":\"b\"", TEXT_ARGS(world->key));

	assert_int_equal(count_of(world, &oidc, twice.data), -1);
	assert_int_equal(count_of(world, &oidc, two.data), 2);
}

static void a_bundles_keys_say_their_use_and_kid(void **state)
{
	struct world *world = *state;

	assert_int_equal(count_of(world, &spiffe, ""), -1);
	assert_int_equal(count_of(world, &spiffe, ",\"kid\":\"a\""), -1);
	assert_int_equal(count_of(world, &spiffe, ",\"use\":\"jwt-svid\""), -1);
	assert_int_equal(count_of(world, &spiffe, ",\"kid\":\"a\",\"use\":\"sig\""), -1);
	assert_int_equal(count_of(world, &spiffe, ",\"kid\":\"a\",\"use\":\"jwt-svid\""), 1);
	assert_int_equal(count_of(world, &spiffe, ",\"use\":\"x509-svid\",\"x5c\":[\"AAAA\"]"), 0);
	assert_int_equal(
		count_of(world, &spiffe, ",\"use\":\"x509-svid\",\"x5c\":[\"AAAA\",\"AAAA\"]"), -1);
}

/* A set of count keys, each of its own kid. */
static bool parses(struct world *world, unsigned count)
{
	struct buffer set;
	struct issuer_keys *keys = NULL;
	struct error err = {0};
	bool is_ok;

	buffer_init(&set, SET_BYTES);
	buffer_append_string(&set, "{\"keys\":[");
	for (unsigned i = 0; i < count; i++)
		buffer_append_format(&set, "%s{%.*s,\"kid\":\"k%u\"}", i == 0 ? "" : ",",
			TEXT_ARGS(world->key), i);
	buffer_append_string(&set, "]}");
	is_ok = issuer_keys_parse(&keys, &oidc, buffer_text(&set), &err);
	issuer_keys_destroy(&keys);
	buffer_deinit(&set);
	return is_ok;
}

static void a_set_has_so_many_keys_and_bytes(void **state)
{
	struct world *world = *state;
	struct issuer_keys *keys = NULL;
	struct error err = {0};
	char *bytes = calloc(1, ISSUER_KEYS_BYTES_MAX + 2);
	struct text set = text_format(world->arena, "{\"keys\":[{%.*s}]}", TEXT_ARGS(world->key));

	assert_true(parses(world, ISSUER_KEYS_MAX));
	assert_false(parses(world, ISSUER_KEYS_MAX + 1));
	assert_false(parses(world, 0));
	assert_non_null(bytes);
	memset(bytes, ' ', ISSUER_KEYS_BYTES_MAX + 1);
	memcpy(bytes, set.data, set.length);
	assert_true(
		issuer_keys_parse(&keys, &oidc, (struct text){bytes, ISSUER_KEYS_BYTES_MAX}, &err));
	issuer_keys_destroy(&keys);
	assert_false(issuer_keys_parse(
		&keys, &oidc, (struct text){bytes, ISSUER_KEYS_BYTES_MAX + 1}, &err));
	free(bytes);
}

static void a_bundle_has_so_many_roots(void **state)
{
	struct world *world = *state;
	struct issuer_keys *keys = NULL;
	struct error err = {0};
	struct buffer set;
	size_t roots = 0;

	for (unsigned more = 0; more < 2; more++) {
		buffer_init(&set, SET_BYTES);
		buffer_append_string(
			&set, "{\"spiffe_refresh_hint\":60,\"keys\":[{\"use\":\"sig\"}");
		for (unsigned i = 0; i < ISSUER_ROOTS_MAX + more; i++)
			buffer_append_string(
				&set, ",{\"kty\":\"EC\",\"use\":\"x509-svid\",\"x5c\":[\"AAAA\"]}");
		buffer_append_string(&set, "]}");
		assert_int_equal(
			issuer_keys_parse(&keys, &spiffe, buffer_text(&set), &err), more == 0);
		if (keys != NULL) {
			(void)issuer_keys_roots(keys, &roots);
			assert_int_equal(roots, ISSUER_ROOTS_MAX);
			assert_int_equal(issuer_keys_refresh_s(keys), 60);
		}
		issuer_keys_destroy(&keys);
		buffer_deinit(&set);
	}
	(void)world;
}

static void a_key_is_found_by_kid_and_algorithm(void **state)
{
	struct world *world = *state;
	struct issuer_keys *keys = NULL;
	struct error err = {0};
	struct text set = text_format(
		world->arena, "{\"keys\":[{%.*s,\"kid\":\"a\"}]}", TEXT_ARGS(world->key));
	struct text two =
		text_format(world->arena, "{\"keys\":[{%.*s,\"kid\":\"a\"},{%.*s,\"kid\":\"b\"}]}",
			TEXT_ARGS(world->key), TEXT_ARGS(world->key));

	assert_true(issuer_keys_parse(&keys, &oidc, set, &err));
	assert_non_null(issuer_keys_find(keys, TEXT("a"), SIGNATURE_ES256));
	assert_null(issuer_keys_find(keys, TEXT("b"), SIGNATURE_ES256));
	assert_null(issuer_keys_find(keys, TEXT(""), SIGNATURE_ES256));
	assert_null(issuer_keys_find(keys, TEXT("a"), SIGNATURE_RS256));
	assert_non_null(issuer_keys_find(keys, (struct text){NULL, 0}, SIGNATURE_ES256));
	issuer_keys_destroy(&keys);
	assert_true(issuer_keys_parse(&keys, &oidc, two, &err));
	assert_null(issuer_keys_find(keys, (struct text){NULL, 0}, SIGNATURE_ES256));
	issuer_keys_destroy(&keys);
}

static void an_rsa_key_without_alg_is_for_those_that_are_pinned(void **state)
{
	struct world *world = *state;
	struct issuer_keys *keys = NULL;
	struct error err = {0};
	struct text set;

	set = text_format(world->arena,
		"{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s\",\"kid\":\"r\"}]}",
		RFC7638_N);
	assert_true(issuer_keys_parse(&keys, &oidc, set, &err));
	assert_non_null(issuer_keys_find(keys, TEXT("r"), SIGNATURE_RS256));
	assert_non_null(issuer_keys_find(keys, TEXT("r"), SIGNATURE_PS256));
	issuer_keys_destroy(&keys);
	assert_false(issuer_keys_parse(&keys, &spiffe, set, &err));
}

static void a_configuration_is_its_issuers_own(void **state)
{
	static const char *const wrong[] = {"", "[]", "{}",
		"{\"issuer\":\"https://a/\",\"jwks_uri\":\"https://a/k\"}",
		"{\"issuer\":\"https://b\",\"jwks_uri\":\"https://a/k\"}",
		"{\"issuer\":[\"https://a\"],\"jwks_uri\":\"https://a/k\"}",
		"{\"issuer\":\"https://a\"}", "{\"issuer\":\"https://a\",\"jwks_uri\":1}",
		"{\"issuer\":\"https://a\",\"issuer\":\"https://a\",\"jwks_uri\":\"https://a/k\"}"};
	struct world *world = *state;
	struct error err = {0};
	struct text url;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_false(issuer_discovery_parse(
			&url, world->arena, text_of(wrong[i]), TEXT("https://a"), &err));
	assert_false(issuer_discovery_parse(&url, world->arena,
		TEXT("{\"issuer\":\"\",\"jwks_uri\":\"https://a/k\"}"), TEXT(""), &err));
	assert_true(issuer_discovery_parse(&url, world->arena,
		TEXT("{\"issuer\":\"https://a\",\"jwks_uri\":\"https://a/k\"}"), TEXT("https://a"),
		&err));
	assert_true(text_is(url, "https://a/k"));
}

static void keys_come_over_https_or_from_this_machine_by_leave(void **state)
{
	static const char *const local[] = {"http://127.0.0.1:80/k", "http://[::1]/k",
		"http://localhost", "http://localhost:1/k"};
	static const char *const never[] = {"http://id.example/k", "http://127.0.0.1.evil/k",
		"http://localhost.evil/k", "ftp://a", "file:///etc/passwd", "http://127.0.0.10/",
		""};
	struct issuer issuer = {.private_addresses = ISSUER_REFUSED};

	(void)state;
	assert_true(issuer_may_fetch(&issuer, TEXT("https://id.example/k")));
	for (size_t i = 0; i < 4; i++)
		assert_false(issuer_may_fetch(&issuer, text_of(local[i])));
	issuer.private_addresses = ISSUER_ALLOWED;
	for (size_t i = 0; i < 4; i++)
		assert_true(issuer_may_fetch(&issuer, text_of(local[i])));
	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		assert_false(issuer_may_fetch(&issuer, text_of(never[i])));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_key_that_does_not_count_is_passed_over_or_refuses_the_set),
		TEST(two_keys_of_one_kid_refuse_the_set),
		TEST(a_bundles_keys_say_their_use_and_kid),
		TEST(a_set_has_so_many_keys_and_bytes),
		TEST(a_bundle_has_so_many_roots),
		TEST(a_key_is_found_by_kid_and_algorithm),
		TEST(an_rsa_key_without_alg_is_for_those_that_are_pinned),
		TEST(a_configuration_is_its_issuers_own),
		TEST(keys_come_over_https_or_from_this_machine_by_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
