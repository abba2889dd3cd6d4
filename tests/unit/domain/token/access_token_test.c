#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "domain/token/access_token.h"
#include "domain/token/client_assertion.h"
#include "domain/token/reason.h"

enum { NOW_S = 1793491200, BYTES_MAX = 8192 };

static const struct access_token token = {
	.issuer = {"http://127.0.0.1:1", 18},
	.identity = {"deployer", 8},
	.audience = {"http://127.0.0.1:1/mcp/files", 28},
	.id = {"one", 3},
	.task = {"t-00000000000000000000", 22},
	.scope = {"call", 4},
	.environment = ENVIRONMENT_STAGING,
	.issued_utc_s = NOW_S,
	.expires_utc_s = NOW_S + 900,
};

static struct private_key *key;
static struct arena *arena;

static int start(void **state)
{
	struct error err = {0};

	(void)state;
	arena = arena_create(1024 * 1024);
	return arena == NULL || !private_key_generate(&key, SIGNATURE_ES256, &err);
}

static int end(void **state)
{
	(void)state;
	private_key_destroy(&key);
	arena_destroy(&arena);
	return 0;
}

static struct text sign(const char *type, const struct access_token *what)
{
	struct error err = {0};
	struct buffer out;
	struct json claims;
	struct text made;

	buffer_init(&out, BYTES_MAX);
	assert_true(access_token_claims(&claims, arena, what, &err));
	assert_true(jws_sign(&out, key, type, TEXT("k"), &claims, &err));
	made = text_copy(arena, buffer_text(&out));
	buffer_deinit(&out);
	return made;
}

static enum token_reason check(struct text compact, int64_t now_utc_s)
{
	const struct access_token_rules rules = {token.issuer, token.audience, 900, now_utc_s};
	struct access_token out;
	enum token_reason reason =
		access_token_check(&out, arena, compact, private_key_public(key), &rules);

	if (reason == TOKEN_ACCEPTED) {
		assert_true(text_equal(out.identity, token.identity));
		assert_true(text_equal(out.task, token.task));
		assert_int_equal(out.environment, token.environment);
		assert_int_equal(out.expires_utc_s, token.expires_utc_s);
	}
	return reason;
}

static void a_token_ends_at_its_second(void **state)
{
	struct text compact = sign(ACCESS_TOKEN_TYPE, &token);

	(void)state;
	assert_int_equal(check(compact, NOW_S + 900), TOKEN_EXPIRED);
	assert_int_equal(check(compact, NOW_S + 899), TOKEN_ACCEPTED);
	assert_int_equal(check(compact, NOW_S), TOKEN_ACCEPTED);
}

static void a_clock_set_back_a_minute_is_forgiven_no_more(void **state)
{
	struct text compact = sign(ACCESS_TOKEN_TYPE, &token);

	(void)state;
	assert_int_equal(check(compact, NOW_S - 60), TOKEN_ACCEPTED);
	assert_int_equal(check(compact, NOW_S - 61), TOKEN_ISSUED_IN_FUTURE);
}

/* The claims of token with these members put in or instead, signed. */
static enum token_reason check_with(const char *members)
{
	struct json claims, extra;
	struct json_builder object;
	struct error err = {0};
	struct buffer out;
	struct text made;

	assert_true(access_token_claims(&claims, arena, &token, &err));
	assert_true(json_parse(
		&extra, arena, text_copy(arena, text_of(members)), &json_limits_default, &err));
	json_object_start(&object, arena);
	for (uint32_t i = 0; i < claims.count; i++)
		if (json_find_text(&extra, claims.members[i].name) == NULL)
			json_put_named(&object, claims.members[i].name, claims.members[i].value);
	for (uint32_t i = 0; i < extra.count; i++)
		json_put_named(&object, extra.members[i].name, extra.members[i].value);
	assert_true(json_object_seal(&object, &claims, &err));
	buffer_init(&out, BYTES_MAX);
	assert_true(jws_sign(&out, key, ACCESS_TOKEN_TYPE, TEXT("k"), &claims, &err));
	made = text_copy(arena, buffer_text(&out));
	buffer_deinit(&out);
	return check(made, NOW_S);
}

static void actors_that_are_none_are_refused(void **state)
{
	(void)state;
	assert_int_equal(check_with("{\"act\":\"deployer\"}"), TOKEN_CLAIM_TYPE);
	assert_int_equal(check_with("{\"act\":{}}"), TOKEN_CLAIM_TYPE);
	assert_int_equal(check_with("{\"act\":{\"sub\":\"\"}}"), TOKEN_CLAIM_TYPE);
	assert_int_equal(check_with("{\"act\":{\"sub\":7}}"), TOKEN_CLAIM_TYPE);
	assert_int_equal(
		check_with("{\"act\":{\"sub\":\"deployer\",\"iss\":\"x\"}}"), TOKEN_CLAIM_TYPE);
	assert_int_equal(
		check_with("{\"act\":{\"sub\":\"deployer\",\"act\":null}}"), TOKEN_CLAIM_TYPE);
	/* Who acts is the outermost, and nobody else. */
	assert_int_equal(check_with("{\"act\":{\"sub\":\"other\"}}"), TOKEN_SUBJECT);
	assert_int_equal(check_with("{\"act\":{\"sub\":\"other\",\"act\":{\"sub\":\"deployer\"}}}"),
		TOKEN_SUBJECT);
	assert_int_equal(check_with("{\"sub\":\"boss\"}"), TOKEN_SUBJECT);
	assert_int_equal(
		check_with("{\"sub\":\"boss\",\"act\":{\"sub\":\"deployer\"}}"), TOKEN_ACCEPTED);
}

static void a_claim_of_who_may_act_names_one(void **state)
{
	(void)state;
	assert_int_equal(check_with("{\"may_act\":\"b\"}"), TOKEN_CLAIM_TYPE);
	assert_int_equal(check_with("{\"may_act\":{}}"), TOKEN_CLAIM_TYPE);
	assert_int_equal(check_with("{\"may_act\":{\"sub\":\"\"}}"), TOKEN_CLAIM_TYPE);
	assert_int_equal(check_with("{\"may_act\":{\"sub\":\"b\",\"act\":{\"sub\":\"c\"}}}"),
		TOKEN_CLAIM_TYPE);
	assert_int_equal(check_with("{\"may_act\":[{\"sub\":\"b\"}]}"), TOKEN_CLAIM_TYPE);
	assert_int_equal(check_with("{\"may_act\":{\"sub\":\"b\"}}"), TOKEN_ACCEPTED);
}

static void so_many_actors_are_read_and_not_one_more(void **state)
{
	struct access_token chained = token;
	struct text inner = TEXT("{\"sub\":\"x\"}");
	struct error err = {0};
	struct json claims;

	(void)state;
	chained.principal = TEXT("boss");
	chained.actors_count = ACCESS_TOKEN_ACTORS_MAX;
	chained.actors[0] = chained.identity;
	for (size_t i = 1; i < ACCESS_TOKEN_ACTORS_MAX; i++)
		chained.actors[i] = TEXT("between");
	assert_int_equal(check(sign(ACCESS_TOKEN_TYPE, &chained), NOW_S), TOKEN_ACCEPTED);
	for (size_t i = 1; i < ACCESS_TOKEN_ACTORS_MAX; i++)
		inner = text_format(arena, "{\"sub\":\"between\",\"act\":%.*s}", TEXT_ARGS(inner));
	inner = text_format(arena, "{\"sub\":\"boss\",\"act\":{\"sub\":\"deployer\",\"act\":%.*s}}",
		TEXT_ARGS(inner));
	assert_int_equal(check_with(inner.data), TOKEN_CLAIM_TYPE);
	/* Nor is such a one made. */
	chained.actors_count++;
	assert_false(access_token_claims(&claims, arena, &chained, &err));
	chained.actors_count = 1;
	chained.actors[0] = TEXT("other");
	assert_false(access_token_claims(&claims, arena, &chained, &err));
}

static void only_an_access_token_for_this_place_is_one(void **state)
{
	struct access_token other = token;

	(void)state;
	assert_int_equal(check(sign("JWT", &token), NOW_S), TOKEN_TYPE);
	other.audience = TEXT("http://127.0.0.1:1/mcp/file");
	assert_int_equal(check(sign(ACCESS_TOKEN_TYPE, &other), NOW_S), TOKEN_AUDIENCE);
	other = token;
	other.issuer = TEXT("http://127.0.0.1:2");
	assert_int_equal(check(sign(ACCESS_TOKEN_TYPE, &other), NOW_S), TOKEN_ISSUER);
	other = token;
	other.expires_utc_s++;
	assert_int_equal(check(sign(ACCESS_TOKEN_TYPE, &other), NOW_S), TOKEN_LIFETIME);
	other = token;
	other.id = TEXT("");
	assert_int_equal(check(sign(ACCESS_TOKEN_TYPE, &other), NOW_S), TOKEN_ID);
	other = token;
	other.identity = TEXT("");
	assert_int_equal(check(sign(ACCESS_TOKEN_TYPE, &other), NOW_S), TOKEN_SUBJECT);
}

static void an_assertion_is_no_access_token_nor_the_reverse(void **state)
{
	struct error err = {0};
	struct buffer out;
	struct client_assertion assertion;

	(void)state;
	buffer_init(&out, BYTES_MAX);
	assert_true(client_assertion_build(&out, key, token.identity, token.issuer, NOW_S, &err));
	assert_int_equal(check(buffer_text(&out), NOW_S), TOKEN_TYPE);
	assert_int_equal(client_assertion_parse(&assertion, arena, sign(ACCESS_TOKEN_TYPE, &token)),
		TOKEN_TYPE);
	buffer_deinit(&out);
}

static enum token_reason check_assertion(
	struct text compact, const char *client, const char *issuer, int64_t now_utc_s)
{
	struct client_assertion assertion;
	enum token_reason reason = client_assertion_parse(&assertion, arena, compact);

	return reason == TOKEN_ACCEPTED
		       ? client_assertion_check(&assertion, private_key_public(key),
				 text_of(client), text_of(issuer), now_utc_s)
		       : reason;
}

static void an_assertion_speaks_for_its_client_to_us_alone(void **state)
{
	struct error err = {0};
	struct buffer out;
	struct text compact;

	(void)state;
	buffer_init(&out, BYTES_MAX);
	assert_true(client_assertion_build(&out, key, TEXT("a"), TEXT("i"), NOW_S, &err));
	compact = buffer_text(&out);
	assert_int_equal(check_assertion(compact, "b", "i", NOW_S), TOKEN_ISSUER);
	assert_int_equal(check_assertion(compact, "", "i", NOW_S), TOKEN_ISSUER);
	assert_int_equal(check_assertion(compact, "a", "i/oauth/token", NOW_S), TOKEN_AUDIENCE);
	assert_int_equal(check_assertion(compact, "a", "i", NOW_S + 120), TOKEN_EXPIRED);
	assert_int_equal(check_assertion(compact, "a", "i", NOW_S - 61), TOKEN_ISSUED_IN_FUTURE);
	assert_int_equal(check_assertion(compact, "a", "i", NOW_S + 119), TOKEN_ACCEPTED);
	buffer_deinit(&out);
}

static void every_reason_has_its_words(void **state)
{
	(void)state;
	for (int i = 0; i < TOKEN_REASON_COUNT; i++) {
		enum token_reason reason = (enum token_reason)i;

		assert_non_null(token_reason_word(reason));
		assert_non_null(token_reason_meaning(reason));
		assert_non_null(token_layer_word(token_reason_layer(reason)));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(
				token_reason_word(reason), token_reason_word((enum token_reason)j));
		assert_int_equal(token_reason_layer(reason) == TOKEN_LAYER_NONE,
			reason == TOKEN_NOT_CHECKED || reason == TOKEN_ACCEPTED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actors_that_are_none_are_refused),
		cmocka_unit_test(a_claim_of_who_may_act_names_one),
		cmocka_unit_test(so_many_actors_are_read_and_not_one_more),
		cmocka_unit_test(only_an_access_token_for_this_place_is_one),
		cmocka_unit_test(an_assertion_is_no_access_token_nor_the_reverse),
		cmocka_unit_test(a_token_ends_at_its_second),
		cmocka_unit_test(a_clock_set_back_a_minute_is_forgiven_no_more),
		cmocka_unit_test(an_assertion_speaks_for_its_client_to_us_alone),
		cmocka_unit_test(every_reason_has_its_words),
	};

	return cmocka_run_group_tests(tests, start, end);
}
