/* What kept values say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "domain/control/measure.h"

static void of_none_nothing_is_said(void **state)
{
	(void)state;
	assert_int_equal(measure_tell(MEASURE_KILL_TIME, NULL, 0), 0);
}

/* Who sorts them may not lose one: the worst of fewer than a hundred counts. */
static void of_a_few_the_worst_counts_wherever_it_stands(void **state)
{
	int64_t values[5];

	(void)state;
	for (int worst = 0; worst < 5; worst++) {
		for (int i = 0; i < 5; i++)
			values[i] = i == worst ? INT64_MAX : i;
		assert_true(measure_tell(MEASURE_KILL_TIME, values, 5) == INT64_MAX);
	}
}

static void of_a_hundred_the_worst_one_is_left_out(void **state)
{
	int64_t values[MEASURES_KEPT];

	(void)state;
	for (int i = 0; i < MEASURES_KEPT; i++)
		values[i] = MEASURES_KEPT - i; /* the worst is the oldest */
	assert_int_equal(measure_tell(MEASURE_KILL_TIME, values, 99), MEASURES_KEPT);
	assert_int_equal(measure_tell(MEASURE_KILL_TIME, values, 100), MEASURES_KEPT - 1);
	assert_int_equal(measure_tell(MEASURE_KILL_TIME, values, MEASURES_KEPT), MEASURES_KEPT - 1);
	values[1] = values[2] = MEASURES_KEPT; /* three of 128 are more than one in a hundred */
	assert_int_equal(measure_tell(MEASURE_KILL_TIME, values, MEASURES_KEPT), MEASURES_KEPT);
}

static void each_measure_has_its_words(void **state)
{
	(void)state;
	assert_null(measure_word(MEASURE_NONE));
	assert_int_equal(measure_from_word(TEXT("")), MEASURE_NONE);
	assert_int_equal(measure_from_word(TEXT("kill-times")), MEASURE_NONE);
	for (int i = MEASURE_NONE + 1; i < MEASURE_COUNT; i++) {
		assert_int_equal(measure_from_word(text_of(measure_word(i))), i);
		assert_non_null(measure_meaning(i));
		assert_non_null(measure_unit(i));
		assert_non_null(measure_untaken(i));
		assert_true(measure_most(i) >= 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_none_nothing_is_said),
		cmocka_unit_test(of_a_few_the_worst_counts_wherever_it_stands),
		cmocka_unit_test(of_a_hundred_the_worst_one_is_left_out),
		cmocka_unit_test(each_measure_has_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
