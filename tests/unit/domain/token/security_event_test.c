#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/token/claims.h"
#include "domain/token/security_event.h"

enum { NOW_S = 1793491200, ARENA_BYTES = 1024 * 1024 };

#define SENDER "https://idp.example"
#define US "http://127.0.0.1:8470"
#define CAEP "https://schemas.openid.net/secevent/caep/event-type/"
#define ANA "\"sub_id\":{\"format\":\"email\",\"email\":\"ana@example.com\"}"
#define REVOKED "\"events\":{\"" CAEP "session-revoked\":{}}"
#define COMMON "\"iss\":\"" SENDER "\",\"jti\":\"one\",\"iat\":1793491200,\"aud\":\"" US "\","
#define GOOD "{" COMMON ANA "," REVOKED "}"

struct fixture {
	struct arena *arena;
	struct private_key *key;
	struct security_event event;
};

static int start(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	struct error err;

	assert_non_null(fixture);
	fixture->arena = arena_create(ARENA_BYTES);
	assert_true(private_key_generate(&fixture->key, SIGNATURE_ES256, &err));
	*state = fixture;
	return 0;
}

static int end(void **state)
{
	struct fixture *fixture = *state;

	private_key_destroy(&fixture->key);
	arena_destroy(&fixture->arena);
	free(fixture);
	return 0;
}

static struct text sign(
	struct fixture *fixture, const char *type, const char *kid, const char *json)
{
	struct json claims;
	struct buffer out;
	struct error err;
	struct text made;

	assert_true(json_parse(&claims, fixture->arena, text_of(json), &json_limits_default, &err));
	buffer_init(&out, TOKEN_BYTES_MAX);
	assert_true(jws_sign(&out, fixture->key, type, text_of(kid), &claims, &err));
	made = text_copy(fixture->arena, buffer_text(&out));
	buffer_deinit(&out);
	return made;
}

static enum security_event_fault read(struct fixture *fixture, const char *json)
{
	return security_event_read(
		&fixture->event, fixture->arena, sign(fixture, SECURITY_EVENT_TYPE, "k", json));
}

static enum security_event_fault check_at(
	struct fixture *fixture, const char *json, int64_t now_s, const char *audience)
{
	const struct security_event_rules rules = {text_of(audience), now_s};
	enum security_event_fault fault = read(fixture, json);

	return fault != SECURITY_EVENT_ACCEPTED ? fault
						: security_event_check(&fixture->event,
							  private_key_public(fixture->key), &rules);
}

static void another_token_of_the_issuer_is_no_event(void **state)
{
	struct fixture *fixture = *state;
	struct security_event event;

	assert_int_equal(
		security_event_read(&event, fixture->arena, sign(fixture, "JWT", "k", GOOD)),
		SECURITY_EVENT_INVALID);
	assert_int_equal(security_event_read(&event, fixture->arena,
				 sign(fixture, SECURITY_EVENT_TYPE, "", GOOD)),
		SECURITY_EVENT_INVALID);
	assert_int_equal(security_event_read(&event, fixture->arena, TEXT("no token")),
		SECURITY_EVENT_INVALID);
}

static void what_is_not_one_whole_event_is_refused(void **state)
{
	static const char *const wrong[] = {"{" COMMON ANA "}", "{" COMMON REVOKED "}",
		"{" COMMON ANA ",\"events\":{}}", "{" COMMON ANA ",\"events\":[]}",
		"{" COMMON ANA ",\"events\":{\"a\":{},\"b\":{}}}",
		"{" COMMON ANA ",\"events\":{\"" CAEP "session-revoked\":true}}",
		"{" COMMON ANA "," REVOKED ",\"exp\":1893491200}",
		"{" COMMON ANA "," REVOKED ",\"sub\":\"ana\"}",
		"{" COMMON "\"sub_id\":{\"email\":\"a@b.c\"}," REVOKED "}",
		"{" COMMON "\"sub_id\":{\"format\":\"email\"}," REVOKED "}",
		"{" COMMON "\"sub_id\":{\"format\":\"email\",\"email\":\"a\",\"x\":1}," REVOKED "}",
		"{" COMMON "\"sub_id\":{\"format\":\"iss_sub\",\"sub\":\"a\"}," REVOKED "}",
		"{" COMMON ANA ",\"events\":{\"" CAEP "credential-change\":{}}}",
		"{" COMMON ANA ",\"events\":{\"" CAEP
		"credential-change\":{\"change_type\":\"lost\"}}}",
		"{\"iss\":\"" SENDER "\",\"iat\":1793491200,\"aud\":\"" US "\"," ANA "," REVOKED
		"}",
		"{\"iss\":\"" SENDER "\",\"jti\":\"one\",\"aud\":\"" US "\"," ANA "," REVOKED "}",
		"{\"jti\":\"one\",\"iat\":1793491200,\"aud\":\"" US "\"," ANA "," REVOKED "}"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (read(fixture, wrong[i]) != SECURITY_EVENT_INVALID)
			fail_msg("taken: %s", wrong[i]);
}

static void an_event_for_others_is_not_ours(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(
		check_at(fixture, GOOD, NOW_S, "http://127.0.0.1:8471"), SECURITY_EVENT_AUDIENCE);
	assert_int_equal(check_at(fixture, GOOD, NOW_S, ""), SECURITY_EVENT_AUDIENCE);
	assert_int_equal(check_at(fixture,
				 "{\"iss\":\"" SENDER "\",\"jti\":\"one\",\"iat\":1793491200," ANA
				 "," REVOKED "}",
				 NOW_S, US),
		SECURITY_EVENT_AUDIENCE);
}

static void an_event_of_the_future_or_of_long_ago_is_refused(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(
		check_at(fixture, GOOD, NOW_S - TOKEN_SKEW_S, US), SECURITY_EVENT_ACCEPTED);
	assert_int_equal(
		check_at(fixture, GOOD, NOW_S - TOKEN_SKEW_S - 1, US), SECURITY_EVENT_INVALID);
	assert_int_equal(check_at(fixture, GOOD, NOW_S + SECURITY_EVENT_AGE_MAX_S, US),
		SECURITY_EVENT_ACCEPTED);
	assert_int_equal(check_at(fixture, GOOD, NOW_S + SECURITY_EVENT_AGE_MAX_S + 1, US),
		SECURITY_EVENT_INVALID);
}

static void an_event_that_another_key_signed_is_refused(void **state)
{
	const struct security_event_rules rules = {TEXT(US), NOW_S};
	struct fixture *fixture = *state;
	struct private_key *other = NULL;
	struct error err;

	assert_int_equal(read(fixture, GOOD), SECURITY_EVENT_ACCEPTED);
	assert_true(private_key_generate(&other, SIGNATURE_ES256, &err));
	assert_int_equal(security_event_check(&fixture->event, private_key_public(other), &rules),
		SECURITY_EVENT_KEY);
	private_key_destroy(&other);
}

static void as_many_audiences_as_the_bound_are_read_and_none_more(void **state)
{
	struct fixture *fixture = *state;
	char json[2048];

	for (int count = SECURITY_EVENT_AUDIENCES_MAX; count <= SECURITY_EVENT_AUDIENCES_MAX + 1;
		count++) {
		(void)snprintf(json, sizeof json,
			"{\"iss\":\"" SENDER "\",\"jti\":\"one\",\"iat\":1793491200," ANA
			"," REVOKED ",\"aud\":[");
		for (int i = 1; i < count; i++)
			(void)snprintf(json + strlen(json), sizeof json - strlen(json), "\"x\",");
		(void)snprintf(json + strlen(json), sizeof json - strlen(json), "\"" US "\"]}");
		assert_int_equal(check_at(fixture, json, NOW_S, US),
			count == SECURITY_EVENT_AUDIENCES_MAX ? SECURITY_EVENT_ACCEPTED
							      : SECURITY_EVENT_AUDIENCE);
	}
}

static void what_happened_and_to_whom_is_read(void **state)
{
	static const struct {
		const char *json;
		enum security_event_kind kind;
		enum security_subject_form form;
		const char *name;
	} rows[] = {
		{GOOD, EVENT_SESSION_REVOKED, SUBJECT_EMAIL, "ana@example.com"},
		{"{" COMMON "\"sub_id\":{\"format\":\"opaque\",\"id\":\"deployer\"}," REVOKED "}",
			EVENT_SESSION_REVOKED, SUBJECT_OPAQUE, "deployer"},
		{"{" COMMON "\"sub_id\":{\"format\":\"iss_sub\",\"iss\":\"" US
		 "\",\"sub\":\"deployer\"}," REVOKED "}",
			EVENT_SESSION_REVOKED, SUBJECT_ISSUER, "deployer"},
		{"{" COMMON
		 "\"sub_id\":{\"format\":\"phone_number\",\"phone_number\":\"+1\"}," REVOKED "}",
			EVENT_SESSION_REVOKED, SUBJECT_NONE, ""},
		{"{" COMMON ANA ",\"events\":{\"" CAEP
		 "credential-change\":{\"change_type\":\"revoke\"}}}",
			EVENT_CREDENTIAL_CHANGE, SUBJECT_EMAIL, "ana@example.com"},
		{"{" COMMON ANA ",\"events\":{\"" CAEP
		 "credential-change\":{\"change_type\":\"create\"}}}",
			EVENT_OTHER, SUBJECT_EMAIL, "ana@example.com"},
		{"{" COMMON ANA ",\"events\":{\"urn:other\":{}}}", EVENT_OTHER, SUBJECT_EMAIL,
			"ana@example.com"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(
			check_at(fixture, rows[i].json, NOW_S, US), SECURITY_EVENT_ACCEPTED);
		assert_int_equal(fixture->event.kind, rows[i].kind);
		assert_int_equal(fixture->event.subject.form, rows[i].form);
		assert_true(text_is(fixture->event.subject.name, rows[i].name));
	}
}

static void a_fault_of_no_code_is_an_invalid_request(void **state)
{
	(void)state;
	assert_string_equal(security_event_fault_code(SECURITY_EVENT_INVALID), "invalid_request");
	assert_string_equal(
		security_event_fault_code(SECURITY_EVENT_FAULT_COUNT), "invalid_request");
	assert_string_equal(security_event_fault_code(SECURITY_EVENT_KEY), "invalid_key");
	assert_non_null(security_event_fault_meaning(SECURITY_EVENT_FAULT_COUNT));
}

int main(void)
{
#define EVENT_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		EVENT_TEST(another_token_of_the_issuer_is_no_event),
		EVENT_TEST(what_is_not_one_whole_event_is_refused),
		EVENT_TEST(an_event_for_others_is_not_ours),
		EVENT_TEST(an_event_of_the_future_or_of_long_ago_is_refused),
		EVENT_TEST(an_event_that_another_key_signed_is_refused),
		EVENT_TEST(as_many_audiences_as_the_bound_are_read_and_none_more),
		EVENT_TEST(what_happened_and_to_whom_is_read),
		EVENT_TEST(a_fault_of_no_code_is_an_invalid_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
