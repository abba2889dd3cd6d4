#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "domain/token/jws.h"

/* Forms only: no signature here is any.  jws_verify and jws_sign are tested with
 * what uses them. */

enum { ARENA_BYTES = 1024 * 1024, KEY_ID_BYTES_MAX = 128 };

static const char *const types[] = {"JWT", "at+jwt", NULL};
static const struct jws_rules required = {.types = types};
static const struct jws_rules optional = {.types = types, .type_need = JWS_TYPE_OPTIONAL};

static int start(void **state)
{
	*state = arena_create(ARENA_BYTES);
	return *state == NULL;
}

static int end(void **state)
{
	struct arena *arena = *state;

	arena_destroy(&arena);
	return 0;
}

static struct text coded(struct arena *arena, const char *plain)
{
	struct text out = base64url_text(arena, plain, strlen(plain));

	assert_non_null(out.data);
	return out;
}

static enum token_reason parse(struct arena *arena, const char *header, const char *claims,
	const struct jws_rules *rules, struct jws *out)
{
	struct text compact = text_format(arena, "%.*s.%.*s.AAAA", TEXT_ARGS(coded(arena, header)),
		TEXT_ARGS(coded(arena, claims)));

	assert_non_null(compact.data);
	return jws_parse(out, arena, compact, rules);
}

static void expect(
	void **state, const char *header, const struct jws_rules *rules, enum token_reason reason)
{
	struct jws out;

	assert_int_equal(parse(*state, header, "{}", rules, &out), reason);
}

static void an_algorithm_is_a_known_name(void **state)
{
	expect(state, "{\"typ\":\"JWT\"}", &required, TOKEN_ALGORITHM);
	expect(state, "{\"alg\":1,\"typ\":\"JWT\"}", &required, TOKEN_ALGORITHM);
	expect(state, "{\"alg\":\"none\",\"typ\":\"JWT\"}", &required, TOKEN_ALGORITHM);
	expect(state, "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", &required, TOKEN_ALGORITHM);
	expect(state, "{\"alg\":\"ES256\",\"typ\":\"JWT\"}", &required, TOKEN_ACCEPTED);
}

static void a_member_nobody_asked_for_is_refused(void **state)
{
	expect(state, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"crit\":[]}", &required,
		TOKEN_HEADER_MEMBER);
	expect(state, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"jwk\":{}}", &required,
		TOKEN_HEADER_MEMBER);
}

static void a_key_id_is_short_and_printable(void **state)
{
	char header[KEY_ID_BYTES_MAX + 64];
	char id[KEY_ID_BYTES_MAX + 2];
	struct jws out;

	expect(state, "{\"alg\":\"ES256\",\"kid\":1,\"typ\":\"JWT\"}", &required, TOKEN_KEY_ID);
	expect(state, "{\"alg\":\"ES256\",\"kid\":\"\",\"typ\":\"JWT\"}", &required, TOKEN_KEY_ID);
	expect(state, "{\"alg\":\"ES256\",\"kid\":\"a b\",\"typ\":\"JWT\"}", &required,
		TOKEN_KEY_ID);
	expect(state, "{\"alg\":\"ES256\",\"kid\":\"a\\u007f\",\"typ\":\"JWT\"}", &required,
		TOKEN_KEY_ID);
	assert_int_equal(parse(*state, "{\"alg\":\"ES256\",\"kid\":\"!~\",\"typ\":\"JWT\"}", "{}",
				 &required, &out),
		TOKEN_ACCEPTED);
	assert_true(text_is(out.key_id, "!~"));
	memset(id, 'k', sizeof(id));
	snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%.*s\",\"typ\":\"JWT\"}",
		KEY_ID_BYTES_MAX, id);
	expect(state, header, &required, TOKEN_ACCEPTED);
	snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%.*s\",\"typ\":\"JWT\"}",
		KEY_ID_BYTES_MAX + 1, id);
	expect(state, header, &required, TOKEN_KEY_ID);
}

static void a_type_is_there_when_it_is_due_and_one_of_those_due(void **state)
{
	expect(state, "{\"alg\":\"ES256\"}", &required, TOKEN_TYPE);
	expect(state, "{\"alg\":\"ES256\"}", &optional, TOKEN_ACCEPTED);
	expect(state, "{\"alg\":\"ES256\",\"typ\":1}", &optional, TOKEN_TYPE);
	expect(state, "{\"alg\":\"ES256\",\"typ\":\"jwt\"}", &optional, TOKEN_TYPE);
	expect(state, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}", &required, TOKEN_ACCEPTED);
	expect(state, "{\"alg\":\"ES256\",\"typ\":\"JWT\"}", &(struct jws_rules){.types = NULL},
		TOKEN_TYPE);
}

static void header_and_claims_are_strict_objects(void **state)
{
	static const char header[] = "{\"alg\":\"ES256\",\"typ\":\"JWT\"}";
	struct jws out;

	expect(state, "[]", &required, TOKEN_HEADER_JSON);
	expect(state, "{\"alg\":\"ES256\",\"alg\":\"ES256\",\"typ\":\"JWT\"}", &required,
		TOKEN_HEADER_JSON);
	assert_int_equal(parse(*state, header, "[]", &required, &out), TOKEN_CLAIMS_JSON);
	assert_int_equal(parse(*state, header, "{", &required, &out), TOKEN_CLAIMS_JSON);
	assert_int_equal(
		parse(*state, header, "{\"exp\":1,\"exp\":2}", &required, &out), TOKEN_CLAIMS_JSON);
	assert_int_equal(parse(*state, header, "{\"exp\":9223372036854775808}", &required, &out),
		TOKEN_NUMBER_RANGE);
	expect(state, "{\"alg\":9223372036854775808,\"typ\":\"JWT\"}", &required,
		TOKEN_HEADER_JSON);
}

static void a_token_has_three_parts(void **state)
{
	static const char *const others[] = {"", ".", "..", "e30", "e30.e30", ".e30.AAAA",
		"e30..AAAA", "e30.e30.AAAA.AAAA", "e30.e30.AAAA."};
	struct jws out;

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_int_equal(
			jws_parse(&out, *state, text_of(others[i]), &required), TOKEN_PARTS);
}

static void a_token_has_a_bound(void **state)
{
	char *bytes = arena_array(*state, char, TOKEN_BYTES_MAX + 1);
	struct text compact = {bytes, TOKEN_BYTES_MAX};
	struct jws out;

	assert_non_null(bytes);
	memset(bytes, 'A', TOKEN_BYTES_MAX + 1);
	assert_int_equal(jws_parse(&out, *state, compact, &required), TOKEN_PARTS);
	compact.length++;
	assert_int_equal(jws_parse(&out, *state, compact, &required), TOKEN_TOO_LARGE);
}

#define JWS_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		JWS_TEST(an_algorithm_is_a_known_name),
		JWS_TEST(a_member_nobody_asked_for_is_refused),
		JWS_TEST(a_key_id_is_short_and_printable),
		JWS_TEST(a_type_is_there_when_it_is_due_and_one_of_those_due),
		JWS_TEST(header_and_claims_are_strict_objects),
		JWS_TEST(a_token_has_three_parts),
		JWS_TEST(a_token_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
