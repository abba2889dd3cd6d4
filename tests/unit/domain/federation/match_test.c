#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/federation/match.h"

#define T(literal)                                                                                 \
	{                                                                                          \
		"" literal, sizeof(literal) - 1                                                    \
	}

enum { ROOM_BYTES = 1 << 20 };

static const struct issuer oidc = {.name = T("id"), .speaks = ISSUER_SPEAKS_OIDC};

static enum federation_reason match(
	const struct federation_rule *rule, const char *subject, const char *claims)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	struct error err = {0};
	struct json value;
	enum federation_reason reason;

	assert_non_null(arena);
	assert_true(json_parse(&value, arena, text_of(claims), &json_limits_default, &err));
	reason = federation_match(&oidc, rule, text_of(subject), &value);
	arena_destroy(&arena);
	return reason;
}

static void nothing_but_the_subject_is_the_subject(void **state)
{
	const struct federation_rule exact = {.issuer = T("id"), .subject = T("a:b")};
	const struct federation_rule prefix = {.issuer = T("id"), .subject_prefix = T("a:")};
	static const char *const others[] = {"", "a", "A:b", "a:b ", " a:b", "a:bc", "a:"};

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_int_equal(match(&exact, others[i], "{}"), FEDERATION_SUBJECT);
	assert_int_equal(match(&exact, "a:b", "{}"), FEDERATION_MATCHED);
	assert_int_equal(match(&prefix, "a:", "{}"), FEDERATION_SUBJECT);
	assert_int_equal(match(&prefix, "ab:", "{}"), FEDERATION_SUBJECT);
	assert_int_equal(match(&prefix, "a:b", "{}"), FEDERATION_MATCHED);
}

static void every_claim_must_be_text_and_met(void **state)
{
	static const struct federation_claim claims[] = {
		{T("id"), T("12"), T("")}, {T("ref"), T(""), T("refs/heads/")}};
	const struct federation_rule rule = {
		.issuer = T("id"), .subject = T("s"), .claims = claims, .claims_count = 2};
	static const struct {
		const char *claims;
		enum federation_reason reason;
	} cases[] = {
		{"{}", FEDERATION_CLAIM_MISSING},
		{"{\"id\":\"12\"}", FEDERATION_CLAIM_MISSING},
		{"{\"id\":12,\"ref\":\"refs/heads/x\"}", FEDERATION_CLAIM_TYPE},
		{"{\"id\":[\"12\"],\"ref\":\"refs/heads/x\"}", FEDERATION_CLAIM_TYPE},
		{"{\"id\":null,\"ref\":\"refs/heads/x\"}", FEDERATION_CLAIM_TYPE},
		{"{\"id\":\"012\",\"ref\":\"refs/heads/x\"}", FEDERATION_CLAIM},
		{"{\"id\":\"12\",\"ref\":\"refs/heads/\"}", FEDERATION_CLAIM},
		{"{\"id\":\"12\",\"ref\":\"refs/headsx\"}", FEDERATION_CLAIM},
		{"{\"ID\":\"12\",\"ref\":\"refs/heads/x\"}", FEDERATION_CLAIM_MISSING},
		{"{\"id\":\"12\",\"ref\":\"refs/heads/x\"}", FEDERATION_MATCHED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(match(&rule, "s", cases[i].claims), cases[i].reason);
	/* A proof without claims has none. */
	assert_int_equal(federation_match(&oidc, &rule, TEXT("s"), NULL), FEDERATION_CLAIM_MISSING);
}

static void a_name_with_dots_is_one_name_and_a_pointer_goes_in(void **state)
{
	static const struct federation_claim pointer[] = {
		{T("/kubernetes.io/name~1space"), T("a"), T("")}};
	static const struct federation_claim name[] = {{T("kubernetes.io"), T("a"), T("")}};
	struct federation_rule rule = {
		.issuer = T("id"), .subject = T("s"), .claims = pointer, .claims_count = 1};

	(void)state;
	assert_int_equal(match(&rule, "s", "{\"kubernetes.io\":{\"name/space\":\"a\"}}"),
		FEDERATION_MATCHED);
	assert_int_equal(match(&rule, "s", "{\"kubernetes\":{\"io\":{\"name/space\":\"a\"}}}"),
		FEDERATION_CLAIM_MISSING);
	assert_int_equal(match(&rule, "s", "{\"/kubernetes.io/name~1space\":\"a\"}"),
		FEDERATION_CLAIM_MISSING);
	assert_int_equal(match(&rule, "s", "{\"kubernetes.io\":[{\"name/space\":\"a\"}]}"),
		FEDERATION_CLAIM_MISSING);
	rule.claims = name;
	assert_int_equal(match(&rule, "s", "{\"kubernetes.io\":\"a\"}"), FEDERATION_MATCHED);
	assert_int_equal(
		match(&rule, "s", "{\"kubernetes\":{\"io\":\"a\"}}"), FEDERATION_CLAIM_MISSING);
}

static void a_rule_of_another_issuer_or_with_a_fault_meets_nothing(void **state)
{
	const struct federation_rule other = {.issuer = T("other"), .subject = T("s")};
	const struct federation_rule wild = {.issuer = T("id"), .subject = T("*")};
	const struct federation_rule empty = {.issuer = T("id")};

	(void)state;
	assert_int_equal(match(&other, "s", "{}"), FEDERATION_VOID);
	assert_int_equal(match(&wild, "*", "{}"), FEDERATION_VOID);
	assert_int_equal(match(&empty, "", "{}"), FEDERATION_VOID);
}

static void every_reason_has_its_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= FEDERATION_REASON_COUNT; i++) {
		assert_true(strlen(federation_reason_word((enum federation_reason)i)) > 0);
		assert_true(strlen(federation_reason_meaning((enum federation_reason)i)) > 0);
	}
	assert_string_equal(federation_reason_word(FEDERATION_REASON_COUNT), "not_checked");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_but_the_subject_is_the_subject),
		cmocka_unit_test(every_claim_must_be_text_and_met),
		cmocka_unit_test(a_name_with_dots_is_one_name_and_a_pointer_goes_in),
		cmocka_unit_test(a_rule_of_another_issuer_or_with_a_fault_meets_nothing),
		cmocka_unit_test(every_reason_has_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
