#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/federation/rule.h"

#define T(literal)                                                                                 \
	{                                                                                          \
		"" literal, sizeof(literal) - 1                                                    \
	}

static void a_claim_without_a_hold_is_refused(void **state)
{
	static const struct federation_claim wrong[] = {
		{T(""), T("a"), T("")},  /* no name */
		{T("a"), T(""), T("")},  /* no value */
		{T("a"), T("*"), T("")}, /* wildcards */
		{T("a"), T("b?"), T("")}, {T("a"), T(""), T("refs/*/")},
		{T("a"), T(""), T("org/name")},                           /* within a word */
		{T("a"), T(""), T("org/name9")}, {T("a"), T(""), T("/")}, /* marks alone */
		{T("a"), T(""), T(":-/")}, {T("/"), T("a"), T("")}, /* pointers that are none */
		{T("//a"), T("a"), T("")}, {T("/a/"), T("a"), T("")}, {T("/a~"), T("a"), T("")},
		{T("/a~2"), T("a"), T("")},
		{T("/1/2/3/4/5/6/7/8/9"), T("a"), T("")}, /* one deeper than the most */
	};
	static const struct federation_claim right[] = {
		{T("a"), T("b"), T("")},
		{T("kubernetes.io"), T("b"), T("")},
		{T("/kubernetes.io/namespace"), T("b"), T("")},
		{T("/a~1b/c~0d"), T("b"), T("")},
		{T("/1/2/3/4/5/6/7/8"), T("b"), T("")},
		{T("ref"), T(""), T("refs/heads/")},
		{T("ref"), T(""), T("release-")},
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_non_null(federation_claim_fault(&wrong[i]));
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
		assert_null(federation_claim_fault(&right[i]));
}

static void a_subject_is_whole_or_ends_at_a_part(void **state)
{
	static const struct federation_rule wrong[] = {
		{.subject = {NULL, 0}},
		{.subject = T("*")},
		{.subject = T("repo:org/*")},
		{.subject_prefix = T("repo:org/name")},
		{.subject_prefix = T("repo:org/name-")},
		{.subject_prefix = T("/")},
		{.subject_prefix = T(":")},
		{.subject_prefix = T("*/")},
	};
	static const struct federation_rule right[] = {
		{.subject = T("worker-7")},
		{.subject_prefix = T("repo:org/name:")},
		{.subject_prefix = T("team/")},
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_non_null(federation_subject_fault(&wrong[i]));
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
		assert_null(federation_subject_fault(&right[i]));
}

static const char *fault_of(enum issuer_speaks speaks, struct federation_rule rule)
{
	const struct issuer issuer = {
		.name = T("i"), .speaks = speaks, .trust_domain = T("td.example")};

	return federation_rule_fault(&issuer, &rule);
}

static void a_repository_is_held_by_its_numbers(void **state)
{
	static const struct federation_claim names[] = {
		{T("repository"), T("org/name"), T("")}, {T("repository_owner"), T("org"), T("")}};
	static const struct federation_claim one[] = {{T("repository_id"), T("1"), T("")}};
	static const struct federation_claim letters[] = {
		{T("repository_id"), T("1x"), T("")}, {T("repository_owner_id"), T("2"), T("")}};
	static const struct federation_claim prefix[] = {
		{T("repository_id"), T(""), T("1-")}, {T("repository_owner_id"), T("2"), T("")}};
	static const struct federation_claim both[] = {
		{T("repository_owner_id"), T("2"), T("")}, {T("repository_id"), T("1"), T("")}};
	struct federation_rule rule = {.subject_prefix = T("repo:org/name:")};

	(void)state;
	assert_non_null(fault_of(ISSUER_SPEAKS_GITHUB, rule));
	rule.claims = names;
	rule.claims_count = 2;
	assert_non_null(fault_of(ISSUER_SPEAKS_GITHUB, rule));
	rule.claims = letters;
	assert_non_null(fault_of(ISSUER_SPEAKS_GITHUB, rule));
	rule.claims = prefix;
	assert_non_null(fault_of(ISSUER_SPEAKS_GITHUB, rule));
	rule.claims = one;
	rule.claims_count = 1;
	assert_non_null(fault_of(ISSUER_SPEAKS_GITHUB, rule));
	rule.claims = both;
	rule.claims_count = 2;
	assert_null(fault_of(ISSUER_SPEAKS_GITHUB, rule));
	assert_non_null(fault_of(ISSUER_SPEAKS_NONE, rule));
}

static void a_service_account_has_a_namespace_and_a_name(void **state)
{
	static const struct federation_claim claims[] = {
		{T("/kubernetes.io/namespace"), T("agents"), T("")},
		{T("/kubernetes.io/serviceaccount/name"), T("a"), T("")}};
	static const char *const wrong[] = {"system:serviceaccount:agents", "a",
		"system:serviceaccount::a",
		"system:serviceaccount:agents:", "system:serviceaccount:agents:a:b",
		"system:node:agents:a"};
	struct federation_rule rule = {.subject = T("system:serviceaccount:agents:a")};

	(void)state;
	assert_null(fault_of(ISSUER_SPEAKS_KUBERNETES, rule));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		rule.subject = text_of(wrong[i]);
		assert_non_null(fault_of(ISSUER_SPEAKS_KUBERNETES, rule));
	}
	rule = (struct federation_rule){
		.subject_prefix = T("system:serviceaccount:agents:"), .claims = claims};
	assert_non_null(fault_of(ISSUER_SPEAKS_KUBERNETES, rule));
	rule.claims_count = 1;
	assert_non_null(fault_of(ISSUER_SPEAKS_KUBERNETES, rule));
	rule.claims_count = 2;
	assert_null(fault_of(ISSUER_SPEAKS_KUBERNETES, rule));
}

static void a_workload_is_of_its_issuers_trust_domain(void **state)
{
	static const struct {
		const char *subject, *prefix;
		bool is_right;
	} cases[] = {
		{"spiffe://td.example/a", "", true},
		{"", "spiffe://td.example/a/", true},
		{"spiffe://other.example/a", "", false},
		{"spiffe://td.example", "", false},
		{"worker", "", false},
		{"", "spiffe://td.example/", false},
		{"", "spiffe://td.example:", false},
		{"", "spiffe://", false},
		{"", "spiffe://td.example/a:", false},
		{"", "spiffe://td.example.evil/a/", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct federation_rule rule = {.subject = text_of(cases[i].subject),
			.subject_prefix = text_of(cases[i].prefix)};

		assert_int_equal(fault_of(ISSUER_SPEAKS_SPIFFE, rule) == NULL, cases[i].is_right);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_claim_without_a_hold_is_refused),
		cmocka_unit_test(a_subject_is_whole_or_ends_at_a_part),
		cmocka_unit_test(a_repository_is_held_by_its_numbers),
		cmocka_unit_test(a_service_account_has_a_namespace_and_a_name),
		cmocka_unit_test(a_workload_is_of_its_issuers_trust_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
