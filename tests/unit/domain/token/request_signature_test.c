#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/token/request_signature.h"

enum { NOW_S = 1793491200, HEADER_BYTES_MAX = 8192 };

static const struct signed_request request = {
	.audience = {"remit-one", 9},
	.method = {"POST", 4},
	.url = {"https://remit.example/v1/apply?draft=1", 38},
	.body = {"{\"a\":1}", 7},
};

static struct private_key *key;
static struct buffer header;

static int sign_one(void **state)
{
	struct error err = {0};

	(void)state;
	buffer_init(&header, HEADER_BYTES_MAX);
	return !private_key_generate(&key, SIGNATURE_ES256, &err) ||
	       !request_signature_build(
		       &header, key, TEXT("ana@example.com"), &request, NOW_S, &err);
}

static int drop_one(void **state)
{
	(void)state;
	private_key_destroy(&key);
	buffer_deinit(&header);
	return 0;
}

static enum token_reason check(
	struct text text, const struct signed_request *what, int64_t now_utc_s)
{
	struct arena *arena = arena_create(TOKEN_ARENA_BYTES_MAX);
	struct request_signature signature;
	enum token_reason reason = request_signature_parse(&signature, arena, text);

	if (reason == TOKEN_ACCEPTED)
		reason = request_signature_check(
			&signature, private_key_public(key), what, now_utc_s);
	if (reason == TOKEN_ACCEPTED)
		assert_true(text_is(signature.person, "ana@example.com"));
	arena_destroy(&arena);
	return reason;
}

static void another_request_is_refused(void **state)
{
	struct signed_request other = request;

	(void)state;
	other.method = TEXT("PUT");
	assert_int_equal(check(buffer_text(&header), &other, NOW_S), TOKEN_METHOD);
	other = request;
	other.url = TEXT("https://remit.example/v1/apply?draft=0");
	assert_int_equal(check(buffer_text(&header), &other, NOW_S), TOKEN_TARGET);
	other.url = TEXT("https://remit.example/v1/apply");
	assert_int_equal(check(buffer_text(&header), &other, NOW_S), TOKEN_TARGET);
	other = request;
	other.body = TEXT("{\"a\":2}");
	assert_int_equal(check(buffer_text(&header), &other, NOW_S), TOKEN_BODY);
	other.body = TEXT("");
	assert_int_equal(check(buffer_text(&header), &other, NOW_S), TOKEN_BODY);
}

static void another_installation_is_refused(void **state)
{
	static const char *const elsewhere[] = {"https://other.example/v1/apply?draft=1",
		"http://remit.example/v1/apply?draft=1",
		"https://remit.example:443/v1/apply?draft=1",
		REQUEST_SIGNATURE_SOCKET "/v1/apply?draft=1", "/v1/apply?draft=1", ""};
	struct signed_request other = request;

	(void)state;
	other.audience = TEXT("remit-two");
	assert_int_equal(check(buffer_text(&header), &other, NOW_S), TOKEN_AUDIENCE);
	other.audience = TEXT("remit-on");
	assert_int_equal(check(buffer_text(&header), &other, NOW_S), TOKEN_AUDIENCE);
	/* Whatever it calls itself, it is not where the request was sent. */
	other = request;
	for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++) {
		other.url = text_of(elsewhere[i]);
		assert_int_equal(check(buffer_text(&header), &other, NOW_S), TOKEN_TARGET);
	}
}

static void an_installation_without_a_name_accepts_nothing(void **state)
{
	struct signed_request nameless = request;
	struct buffer out;
	struct error err = {0};

	(void)state;
	nameless.audience = (struct text){0};
	buffer_init(&out, HEADER_BYTES_MAX);
	assert_true(request_signature_build(
		&out, key, TEXT("ana@example.com"), &nameless, NOW_S, &err));
	assert_int_equal(check(buffer_text(&out), &nameless, NOW_S), TOKEN_AUDIENCE);
	assert_int_equal(check(buffer_text(&out), &request, NOW_S), TOKEN_AUDIENCE);
	buffer_deinit(&out);
}

static void a_signature_holds_only_around_its_moment(void **state)
{
	(void)state;
	assert_int_equal(check(buffer_text(&header), &request, NOW_S + 61), TOKEN_TOO_OLD);
	assert_int_equal(check(buffer_text(&header), &request, NOW_S - 61), TOKEN_ISSUED_IN_FUTURE);
	assert_int_equal(check(buffer_text(&header), &request, NOW_S + 60), TOKEN_ACCEPTED);
	assert_int_equal(check(buffer_text(&header), &request, NOW_S - 60), TOKEN_ACCEPTED);
}

static void the_scheme_is_exact(void **state)
{
	struct text whole = buffer_text(&header);
	struct text bare = {
		whole.data + strlen("Remit-Signed "), whole.length - strlen("Remit-Signed ")};
	char other[HEADER_BYTES_MAX];

	(void)state;
	assert_int_equal(check(bare, &request, NOW_S), TOKEN_SCHEME);
	assert_int_equal(check(TEXT(""), &request, NOW_S), TOKEN_SCHEME);
	assert_int_equal(check(TEXT("Remit-Signed"), &request, NOW_S), TOKEN_SCHEME);
	assert_int_equal(check(TEXT("Remit-Signed "), &request, NOW_S), TOKEN_PARTS);
	snprintf(other, sizeof other, "Bearer %.*s", TEXT_ARGS(bare));
	assert_int_equal(check(text_of(other), &request, NOW_S), TOKEN_SCHEME);
	snprintf(other, sizeof other, "Remit-Signed  %.*s", TEXT_ARGS(bare));
	assert_int_equal(check(text_of(other), &request, NOW_S), TOKEN_BASE64);
}

static void another_key_did_not_sign_it(void **state)
{
	struct private_key *other = NULL;
	struct private_key *own = key;
	struct error err = {0};

	(void)state;
	assert_true(private_key_generate(&other, SIGNATURE_ES256, &err));
	key = other;
	assert_int_equal(check(buffer_text(&header), &request, NOW_S), TOKEN_SIGNATURE);
	key = own;
	private_key_destroy(&other);
}

/* Claims as given, signed by the right key. */
static enum token_reason check_claims(const char *type, const char *id, const char *claims)
{
	struct arena *arena = arena_create(TOKEN_ARENA_BYTES_MAX);
	struct error err = {0};
	struct buffer out;
	struct json value;
	enum token_reason reason;

	buffer_init(&out, HEADER_BYTES_MAX);
	assert_true(json_parse(&value, arena, text_of(claims), &json_limits_default, &err));
	buffer_append_string(&out, "Remit-Signed ");
	assert_true(jws_sign(&out, key, type, text_of(id), &value, &err));
	reason = check(buffer_text(&out), &request, NOW_S);
	buffer_deinit(&out);
	arena_destroy(&arena);
	return reason;
}

static void every_claim_is_needed(void **state)
{
	static const char type[] = REQUEST_SIGNATURE_TYPE;

	(void)state;
	assert_int_equal(
		check_claims(type, "k", "{\"jti\":\"1\",\"iat\":1793491200}"), TOKEN_ISSUER);
	assert_int_equal(check_claims(type, "k", "{\"iss\":\"a\",\"iat\":1793491200}"), TOKEN_ID);
	assert_int_equal(
		check_claims(type, "k", "{\"iss\":\"a\",\"jti\":\"1\"}"), TOKEN_ISSUED_MISSING);
	assert_int_equal(
		check_claims(type, "k", "{\"iss\":\"a\",\"jti\":\"1\",\"iat\":1793491200}"),
		TOKEN_AUDIENCE);
	assert_int_equal(check_claims(type, "k",
				 "{\"iss\":\"a\",\"jti\":\"1\",\"iat\":1793491200,"
				 "\"aud\":[\"remit-one\"]}"),
		TOKEN_AUDIENCE);
	assert_int_equal(check_claims(type, "k",
				 "{\"iss\":\"a\",\"jti\":\"1\",\"iat\":1793491200,"
				 "\"aud\":\"remit-one\"}"),
		TOKEN_METHOD);
	assert_int_equal(check_claims(type, "k",
				 "{\"iss\":\"a\",\"jti\":\"1\",\"iat\":1793491200,"
				 "\"aud\":\"remit-one\",\"htm\":\"POST\"}"),
		TOKEN_TARGET);
	assert_int_equal(check_claims(type, "k",
				 "{\"iss\":\"a\",\"jti\":\"1\",\"iat\":1793491200,"
				 "\"aud\":\"remit-one\",\"htm\":\"POST\","
				 "\"htu\":\"https://remit.example/v1/apply?draft=1\"}"),
		TOKEN_BODY);
	assert_int_equal(check_claims(type, "", "{\"iss\":\"a\",\"jti\":\"1\",\"iat\":1793491200}"),
		TOKEN_KEY_ID);
	assert_int_equal(
		check_claims("JWT", "k", "{\"iss\":\"a\",\"jti\":\"1\",\"iat\":1793491200}"),
		TOKEN_TYPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_request_is_refused),
		cmocka_unit_test(another_installation_is_refused),
		cmocka_unit_test(an_installation_without_a_name_accepts_nothing),
		cmocka_unit_test(the_scheme_is_exact),
		cmocka_unit_test(another_key_did_not_sign_it),
		cmocka_unit_test(every_claim_is_needed),
		cmocka_unit_test(a_signature_holds_only_around_its_moment),
	};

	return cmocka_run_group_tests(tests, sign_one, drop_one);
}
