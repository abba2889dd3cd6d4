#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/token/claims.h"

enum { ARENA_BYTES = 64 * 1024, NOW_S = 1000 };

static const long long time_max_utc_s = 253402300799; /* the last second of 9999 */

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

static enum token_reason read_from(void **state, const char *source, struct claims *out)
{
	struct error err = {0};
	struct json object;

	assert_true(json_parse(&object, *state, text_of(source), &json_limits_default, &err));
	return claims_read(out, &object);
}

static void expect(void **state, const char *source, enum token_reason reason)
{
	struct claims out;

	assert_int_equal(read_from(state, source, &out), reason);
}

static void a_claim_of_another_type_is_refused(void **state)
{
	static const char *const wrong[] = {"{\"iss\":1}", "{\"sub\":[]}", "{\"jti\":{}}",
		"{\"aud\":1}", "{\"aud\":[1]}", "{\"exp\":\"1\"}", "{\"nbf\":1.5}",
		"{\"iat\":null}"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		expect(state, wrong[i], TOKEN_CLAIM_TYPE);
	expect(state, "[]", TOKEN_CLAIMS_JSON);
}

static void there_is_one_audience(void **state)
{
	struct claims out;

	expect(state, "{\"aud\":[]}", TOKEN_AUDIENCE);
	expect(state, "{\"aud\":[\"a\",\"b\"]}", TOKEN_AUDIENCE);
	assert_int_equal(read_from(state, "{\"aud\":[\"a\"]}", &out), TOKEN_ACCEPTED);
	assert_true(text_is(out.audience, "a"));
	assert_int_equal(read_from(state, "{\"aud\":\"a\"}", &out), TOKEN_ACCEPTED);
	assert_true(text_is(out.audience, "a"));
}

static void names_and_ids_have_their_bounds(void **state)
{
	char value[TOKEN_NAME_BYTES_MAX + 2];
	char source[sizeof(value) + 32];

	memset(value, 'n', sizeof(value));
	snprintf(source, sizeof(source), "{\"iss\":\"%.*s\"}", TOKEN_NAME_BYTES_MAX, value);
	expect(state, source, TOKEN_ACCEPTED);
	snprintf(source, sizeof(source), "{\"iss\":\"%.*s\"}", TOKEN_NAME_BYTES_MAX + 1, value);
	expect(state, source, TOKEN_CLAIM_TYPE);
	snprintf(source, sizeof(source), "{\"aud\":\"%.*s\"}", TOKEN_NAME_BYTES_MAX + 1, value);
	expect(state, source, TOKEN_CLAIM_TYPE);
	snprintf(source, sizeof(source), "{\"jti\":\"%.*s\"}", TOKEN_ID_BYTES_MAX, value);
	expect(state, source, TOKEN_ACCEPTED);
	snprintf(source, sizeof(source), "{\"jti\":\"%.*s\"}", TOKEN_ID_BYTES_MAX + 1, value);
	expect(state, source, TOKEN_ID);
}

static void a_time_lies_between_1970_and_9999(void **state)
{
	char source[64];

	expect(state, "{\"exp\":-1}", TOKEN_NUMBER_RANGE);
	expect(state, "{\"nbf\":-9223372036854775808}", TOKEN_NUMBER_RANGE);
	expect(state, "{\"iat\":9223372036854775807}", TOKEN_NUMBER_RANGE);
	expect(state, "{\"exp\":0}", TOKEN_ACCEPTED);
	snprintf(source, sizeof(source), "{\"exp\":%lld}", time_max_utc_s);
	expect(state, source, TOKEN_ACCEPTED);
	snprintf(source, sizeof(source), "{\"exp\":%lld}", time_max_utc_s + 1);
	expect(state, source, TOKEN_NUMBER_RANGE);
}

static enum token_reason check(int64_t expires, int64_t not_before, int64_t issued)
{
	const struct claims claims = {
		.expires_utc_s = expires, .not_before_utc_s = not_before, .issued_utc_s = issued};
	const struct claims_rules rules = {.now_utc_s = NOW_S,
		.skew_s = 60,
		.lifetime_max_s = 600,
		.issuer_need = CLAIM_UNCHECKED,
		.subject_need = CLAIM_UNCHECKED,
		.audience_need = CLAIM_UNCHECKED,
		.id_need = CLAIM_UNCHECKED};

	return claims_check(&claims, &rules);
}

static void times_hold_to_their_second(void **state)
{
	(void)state;
	assert_int_equal(check(-1, -1, -1), TOKEN_EXPIRY_MISSING);
	assert_int_equal(check(NOW_S - 60, -1, -1), TOKEN_EXPIRED);
	assert_int_equal(check(NOW_S - 59, -1, -1), TOKEN_ACCEPTED);
	assert_int_equal(check(NOW_S + 100, NOW_S + 61, -1), TOKEN_NOT_YET_VALID);
	assert_int_equal(check(NOW_S + 100, NOW_S + 60, -1), TOKEN_ACCEPTED);
	assert_int_equal(check(NOW_S + 100, -1, NOW_S + 61), TOKEN_ISSUED_IN_FUTURE);
	assert_int_equal(check(NOW_S + 100, -1, NOW_S + 60), TOKEN_ACCEPTED);
}

static void a_lifetime_counts_from_issue_or_else_from_now(void **state)
{
	(void)state;
	assert_int_equal(check(NOW_S + 100, -1, NOW_S - 500), TOKEN_ACCEPTED);
	assert_int_equal(check(NOW_S + 101, -1, NOW_S - 500), TOKEN_LIFETIME);
	assert_int_equal(check(NOW_S + 600, -1, -1), TOKEN_ACCEPTED);
	assert_int_equal(check(NOW_S + 601, -1, -1), TOKEN_LIFETIME);
}

static void an_empty_claim_equals_no_empty_rule(void **state)
{
	const struct claims claims = {.expires_utc_s = NOW_S + 1,
		.not_before_utc_s = -1,
		.issued_utc_s = -1,
		.issuer = TEXT("i")};
	struct claims_rules rules = {.now_utc_s = NOW_S,
		.lifetime_max_s = 10,
		.issuer = TEXT("i"),
		.audience_need = CLAIM_UNCHECKED,
		.id_need = CLAIM_UNCHECKED};

	(void)state;
	assert_int_equal(claims_check(&claims, &rules), TOKEN_SUBJECT);
	rules.subject_need = CLAIM_PRESENT;
	assert_int_equal(claims_check(&claims, &rules), TOKEN_SUBJECT);
	rules.subject_need = CLAIM_UNCHECKED;
	assert_int_equal(claims_check(&claims, &rules), TOKEN_ACCEPTED);
	rules.issuer = TEXT("j");
	assert_int_equal(claims_check(&claims, &rules), TOKEN_ISSUER);
	rules.issuer_need = CLAIM_PRESENT;
	rules.id_need = CLAIM_PRESENT;
	assert_int_equal(claims_check(&claims, &rules), TOKEN_ID);
}

#define CLAIMS_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIMS_TEST(a_claim_of_another_type_is_refused),
		CLAIMS_TEST(there_is_one_audience),
		CLAIMS_TEST(names_and_ids_have_their_bounds),
		CLAIMS_TEST(a_time_lies_between_1970_and_9999),
		CLAIMS_TEST(times_hold_to_their_second),
		CLAIMS_TEST(a_lifetime_counts_from_issue_or_else_from_now),
		CLAIMS_TEST(an_empty_claim_equals_no_empty_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
