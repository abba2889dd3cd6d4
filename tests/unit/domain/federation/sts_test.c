#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/federation/sts.h"

enum { ARENA_BYTES = 1 << 20, ROOM_BYTES = 32 * 1024 };

#define TYPE "\"issued_token_type\":\"urn:ietf:params:oauth:token-type:"

static bool reads(enum outbound_grant grant, const char *body)
{
	const struct outbound_exchange exchange = {.grant = grant};
	struct arena *arena = arena_create(ARENA_BYTES);
	struct sts_answer answer;
	struct error err;
	bool is_read = sts_read(&answer, arena, &exchange, text_of(body), &err);

	arena_destroy(&arena);
	return is_read;
}

static void what_is_no_provider_token_is_not_taken(void **state)
{
	static const char *const wrong[] = {"", "[]", "{}", "{\"access_token\":\"t\"}",
		"{\"token_type\":\"Bearer\"}", "{\"access_token\":\"\",\"token_type\":\"Bearer\"}",
		"{\"access_token\":1,\"token_type\":\"Bearer\"}",
		"{\"access_token\":\"t\",\"token_type\":\"N_A\"}",
		"{\"access_token\":\"t\",\"token_type\":\"Bearerx\"}",
		"{\"access_token\":\"a b\",\"token_type\":\"Bearer\"}",
		"{\"access_token\":\"a\\nb\",\"token_type\":\"Bearer\"}",
		"{\"access_token\":\"\\u00e9\",\"token_type\":\"Bearer\"}",
		"{\"access_token\":\"t\",\"access_token\":\"u\",\"token_type\":\"Bearer\"}",
		"{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"expires_in\":-1}",
		"{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"expires_in\":\"60\"}",
		"{\"access_token\":\"t\",\"token_type\":\"Bearer\"," TYPE "refresh_token\"}",
		"{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"issued_token_type\":1}"};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (reads(OUTBOUND_JWT_BEARER, wrong[i]))
			fail_msg("taken: %s", wrong[i]);
	assert_true(
		reads(OUTBOUND_JWT_BEARER, "{\"access_token\":\"t\",\"token_type\":\"bEARER\"}"));
	/* An exchange must say what it gave (RFC 8693 §2.2.1). */
	assert_false(reads(
		OUTBOUND_TOKEN_EXCHANGE, "{\"access_token\":\"t\",\"token_type\":\"Bearer\"}"));
	assert_true(reads(OUTBOUND_TOKEN_EXCHANGE,
		"{\"access_token\":\"t\",\"token_type\":\"Bearer\"," TYPE "jwt\"}"));
}

static void a_token_has_a_largest_size(void **state)
{
	static const char head[] = "{\"token_type\":\"Bearer\",\"access_token\":\"";
	char *body = calloc(1, ROOM_BYTES);
	size_t length = sizeof head - 1 + STS_TOKEN_BYTES_MAX;

	(void)state;
	assert_non_null(body);
	memcpy(body, head, sizeof head - 1);
	memset(body + sizeof head - 1, 'a', STS_TOKEN_BYTES_MAX + 1);
	memcpy(body + length, "\"}", 2);
	assert_true(reads(OUTBOUND_JWT_BEARER, body));
	memcpy(body + length, "a\"}", 3);
	assert_false(reads(OUTBOUND_JWT_BEARER, body));
	free(body);
}

static void check_request(const struct outbound_exchange *exchange, const char *due)
{
	struct buffer out;

	buffer_init(&out, ROOM_BYTES);
	sts_request(&out, exchange, TEXT("h.c.s"));
	assert_false(buffer_failed(&out));
	assert_int_equal(buffer_text(&out).length, strlen(due));
	assert_memory_equal(out.data, due, strlen(due));
	buffer_deinit(&out);
}

static void a_request_says_what_the_grant_asks_for(void **state)
{
	const struct outbound_parameter parameters[] = {{TEXT("rule"), TEXT("a&b=c")}};
	struct outbound_exchange exchange = {.grant = OUTBOUND_JWT_BEARER,
		.body = OUTBOUND_BODY_JSON,
		.audience = TEXT("aud"),
		.parameters = parameters,
		.parameters_count = 1};

	(void)state;
	check_request(&exchange, "{\"grant_type\":\"urn:ietf:params:oauth:grant-type:jwt-bearer\","
				 "\"assertion\":\"h.c.s\",\"rule\":\"a&b=c\"}");
	assert_string_equal(sts_content_type(&exchange), "application/json");
	exchange.grant = OUTBOUND_CLIENT_ASSERTION;
	exchange.body = OUTBOUND_BODY_DEFAULT;
	exchange.client_id = TEXT("me");
	exchange.scope = TEXT("x y");
	check_request(&exchange,
		"grant_type=client_credentials&client_id=me&client_assertion_type=urn%3Aietf%3A"
		"params%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=h.c.s&"
		"scope=x%20y&rule=a%26b%3Dc");
	assert_string_equal(sts_content_type(&exchange), "application/x-www-form-urlencoded");
}

static void a_refusal_tells_its_word_and_nothing_else(void **state)
{
	static const struct {
		unsigned status;
		const char *body;
		const char *due;
	} rows[] = {
		{400, "{\"error\":\"invalid_grant\",\"error_description\":\"pt-secret\"}",
			"the token service refused (HTTP 400): invalid_grant"},
		{400, "{\"error\":\"pt-SECRET\"}", "the token service answered HTTP 400"},
		{500, "<html>", "the token service answered HTTP 500"},
		{302, "{\"error\":\"x\"}",
			"the token service sends us elsewhere (HTTP 302), which is not followed"},
		{400, "{\"error\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
			"the token service refused (HTTP 400): "
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
		{400, "{\"error\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
			"the token service answered HTTP 400"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *arena = arena_create(ARENA_BYTES);
		struct error err;

		sts_read_fault(&err, arena, rows[i].status, text_of(rows[i].body));
		assert_string_equal(err.text, rows[i].due);
		arena_destroy(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_provider_token_is_not_taken),
		cmocka_unit_test(a_token_has_a_largest_size),
		cmocka_unit_test(a_request_says_what_the_grant_asks_for),
		cmocka_unit_test(a_refusal_tells_its_word_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
