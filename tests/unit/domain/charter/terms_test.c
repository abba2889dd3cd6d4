#include "domain/charter/terms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_word_of_no_vocabulary_has_the_zero_value(void **state)
{
	(void)state;
	assert_int_equal(effect_of(TEXT("raed")), EFFECT_NONE);
	assert_int_equal(effect_of(TEXT("")), EFFECT_NONE);
	assert_int_equal(effect_of(TEXT("READ")), EFFECT_NONE);
	assert_int_equal(effect_of((struct text){"read\0", 5}), EFFECT_NONE);
	assert_int_equal(use_class_of(TEXT("none")), CLASS_NONE);
	assert_int_equal(sensitivity_of(TEXT("secret")), SENSITIVITY_UNLABELLED);
	assert_int_equal(risk_tier_of(TEXT("lowest")), RISK_NONE);
	assert_int_equal(environment_of(TEXT("production")), ENVIRONMENT_NONE);
	assert_int_equal(identity_kind_of(TEXT("person")), KIND_NONE);
	assert_int_equal(identity_state_of(TEXT("open")), IDENTITY_NONE);
}

static void the_zero_value_has_no_word(void **state)
{
	(void)state;
	assert_null(effect_word(EFFECT_NONE));
	assert_null(use_class_word(CLASS_NONE));
	assert_null(sensitivity_word(SENSITIVITY_UNLABELLED));
	assert_null(risk_tier_word(RISK_NONE));
	assert_null(environment_word(ENVIRONMENT_NONE));
	assert_null(identity_kind_word(KIND_NONE));
	assert_null(identity_state_word(IDENTITY_NONE));
	assert_null(effect_word((enum effect)99));
}

static void every_word_gives_its_value_back(void **state)
{
	(void)state;
	for (unsigned i = EFFECT_READ; i <= EFFECT_DELEGATE; i++)
		assert_int_equal(effect_of(text_of(effect_word((enum effect)i))), i);
	for (unsigned i = CLASS_SUMMARISE; i <= CLASS_EXECUTE; i++)
		assert_int_equal(use_class_of(text_of(use_class_word((enum use_class)i))), i);
	for (unsigned i = SENSITIVITY_PUBLIC; i <= SENSITIVITY_RESTRICTED; i++)
		assert_int_equal(sensitivity_of(text_of(sensitivity_word((enum sensitivity)i))), i);
	for (unsigned i = RISK_LOW; i <= RISK_CRITICAL; i++)
		assert_int_equal(risk_tier_of(text_of(risk_tier_word((enum risk_tier)i))), i);
	for (unsigned i = ENVIRONMENT_DEV; i <= ENVIRONMENT_PROD; i++)
		assert_int_equal(environment_of(text_of(environment_word((enum environment)i))), i);
	for (unsigned i = KIND_AGENT; i <= KIND_TOOL_SERVER; i++)
		assert_int_equal(
			identity_kind_of(text_of(identity_kind_word((enum identity_kind)i))), i);
	for (unsigned i = IDENTITY_DRAFT; i <= IDENTITY_RETIRED; i++)
		assert_int_equal(
			identity_state_of(text_of(identity_state_word((enum identity_state)i))), i);
}

static void what_is_unlabelled_is_as_sensitive_as_restricted(void **state)
{
	(void)state;
	assert_int_equal(sensitivity_level(SENSITIVITY_UNLABELLED), 4);
	assert_int_equal(sensitivity_level(SENSITIVITY_RESTRICTED), 4);
	assert_int_equal(sensitivity_level(SENSITIVITY_CONFIDENTIAL), 3);
	assert_int_equal(sensitivity_level(SENSITIVITY_INTERNAL), 2);
	assert_int_equal(sensitivity_level(SENSITIVITY_PUBLIC), 1);
	assert_int_equal(sensitivity_level((enum sensitivity)77), 4);
}

static void a_class_permits_its_effects_only(void **state)
{
	static const bool expected[5][6] = {
		[CLASS_SUMMARISE] = {[EFFECT_READ] = true},
		[CLASS_RETRIEVE] = {[EFFECT_READ] = true},
		[CLASS_UPDATE] = {[EFFECT_READ] = true, [EFFECT_WRITE] = true},
		[CLASS_EXECUTE] =
			{[EFFECT_READ] = true, [EFFECT_WRITE] = true, [EFFECT_EXECUTE] = true},
	};

	(void)state;
	for (unsigned c = CLASS_NONE; c <= CLASS_EXECUTE; c++)
		for (unsigned e = EFFECT_NONE; e <= EFFECT_DELEGATE; e++)
			assert_int_equal(use_class_permits((enum use_class)c, (enum effect)e),
				expected[c][e]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_of_no_vocabulary_has_the_zero_value),
		cmocka_unit_test(the_zero_value_has_no_word),
		cmocka_unit_test(every_word_gives_its_value_back),
		cmocka_unit_test(what_is_unlabelled_is_as_sensitive_as_restricted),
		cmocka_unit_test(a_class_permits_its_effects_only),
	};

	return cmocka_run_group_tests_name("terms", tests, NULL, NULL);
}
