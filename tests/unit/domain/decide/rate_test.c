#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain/decide/rate.h"

#define NOW INT64_C(1800000000123)

static void add(struct rate *rate, int64_t now_utc_ms, int times)
{
	while (times-- > 0)
		rate_add(rate, now_utc_ms);
}

static void zero_is_no_calls(void **state)
{
	const struct rate rate = {0};

	(void)state;
	assert_int_equal(rate_count(&rate, 0), 0);
	assert_int_equal(rate_count(&rate, NOW), 0);
}

static void the_turn_of_the_minute_starts_nothing_anew(void **state)
{
	struct rate rate = {0};
	int64_t minute = INT64_C(1800000000000); /* a whole one */

	(void)state;
	assert_int_equal(minute % 60000, 0);
	add(&rate, minute - 1, 60);
	assert_int_equal(rate_count(&rate, minute), 60);
	assert_int_equal(rate_count(&rate, minute + 59999), 60);
}

static void a_call_counts_for_60_seconds_and_not_for_61(void **state)
{
	struct rate rate = {0};

	(void)state;
	add(&rate, NOW, 1);
	assert_int_equal(rate_count(&rate, NOW), 1);
	assert_int_equal(rate_count(&rate, NOW + RATE_SPAN_MS), 1);
	assert_int_equal(rate_count(&rate, NOW + RATE_SPAN_MS + RATE_SLOT_MS), 0);
	/* Counting changes nothing. */
	assert_int_equal(rate_count(&rate, NOW), 1);
}

static void each_second_leaves_by_itself(void **state)
{
	struct rate rate = {0};

	(void)state;
	for (int i = 0; i < RATE_SLOTS; i++)
		add(&rate, NOW + i * RATE_SLOT_MS, i + 1);
	for (int i = 0; i <= RATE_SLOTS; i++) {
		int left = RATE_SLOTS * (RATE_SLOTS + 1) / 2 - i * (i + 1) / 2;

		assert_int_equal(
			rate_count(&rate, NOW + (RATE_SLOTS - 1 + i) * RATE_SLOT_MS), left);
	}
}

static void a_clock_that_goes_back_frees_nothing(void **state)
{
	struct rate rate = {0};

	(void)state;
	add(&rate, NOW, 5);
	assert_int_equal(rate_count(&rate, NOW - 3600000), 5);
	add(&rate, NOW - 3600000, 1);
	assert_int_equal(rate_count(&rate, NOW), 6);
	assert_int_equal(rate_count(&rate, NOW + RATE_SPAN_MS), 6);
	assert_int_equal(rate_count(&rate, INT64_MAX), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_is_no_calls),
		cmocka_unit_test(the_turn_of_the_minute_starts_nothing_anew),
		cmocka_unit_test(a_call_counts_for_60_seconds_and_not_for_61),
		cmocka_unit_test(each_second_leaves_by_itself),
		cmocka_unit_test(a_clock_that_goes_back_frees_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
