#include "domain/charter/vocabulary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "domain/flow/flow_origin.h"

static void an_attribute_has_its_words_alone(void **state)
{
	const struct vocabulary *environments = vocabulary_find(TEXT("environments"));

	(void)state;
	assert_null(vocabulary_find(TEXT("unit")));
	assert_null(vocabulary_find(TEXT("path")));
	assert_non_null(environments);
	assert_true(vocabulary_has(environments, TEXT("prod")));
	assert_false(vocabulary_has(environments, TEXT("production")));
	assert_false(vocabulary_has(environments, TEXT("")));
	assert_false(vocabulary_has(vocabulary_find(TEXT("api")), TEXT("mcp")));
	assert_true(vocabulary_has(vocabulary_find(TEXT("binding")), TEXT("none")));
}

static void a_name_of_an_approval_may_be_a_role(void **state)
{
	(void)state;
	assert_ptr_equal(vocabulary_find(TEXT("approvals")), &vocabulary_approvals);
	assert_true(vocabulary_has(&vocabulary_approvals, TEXT("role/approver")));
	assert_false(vocabulary_has(&vocabulary_approvals, TEXT("onwer")));
	assert_string_equal(vocabulary_nearest(&vocabulary_approvals, TEXT("onwer")), "owner");
}

static void the_nearest_word_is_one_of_its_own(void **state)
{
	(void)state;
	assert_string_equal(
		vocabulary_nearest(vocabulary_find(TEXT("risk")), TEXT("hihg")), "high");
	assert_null(vocabulary_nearest(vocabulary_find(TEXT("risk")), TEXT("wriet")));
	assert_string_equal(
		vocabulary_nearest(vocabulary_find(TEXT("effect")), TEXT("wriet")), "write");
}

static void origins_are_those_of_flows(void **state)
{
	enum flow_origin ignored;

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		if (vocabulary_origins.word_at(i) != NULL)
			assert_true(
				flow_origin_of(text_of(vocabulary_origins.word_at(i)), &ignored));
	for (int i = FLOW_UNKNOWN; i <= FLOW_NONE; i++)
		assert_true(vocabulary_has(
			&vocabulary_origins, text_of(flow_origin_word((enum flow_origin)i))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attribute_has_its_words_alone),
		cmocka_unit_test(a_name_of_an_approval_may_be_a_role),
		cmocka_unit_test(the_nearest_word_is_one_of_its_own),
		cmocka_unit_test(origins_are_those_of_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
