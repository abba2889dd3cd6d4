/* How long decisions took, in buckets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/decide/times.h"

static void add(struct decide_times *times, uint64_t took_ns, int count)
{
	for (int i = 0; i < count; i++)
		decide_times_add(times, RISK_LOW, took_ns);
}

static void of_none_nothing_is_said(void **state)
{
	const struct decide_times none = {0};

	(void)state;
	assert_int_equal(decide_times_within_us(&none, RISK_LOW, 99), 0);
	assert_int_equal(decide_times_count(&none, RISK_LOW), 0);
}

/* A nanosecond more than a millisecond is more than a millisecond. */
static void a_millisecond_is_an_end(void **state)
{
	struct decide_times times = {0};

	(void)state;
	add(&times, 1000000, 1);
	assert_int_equal(decide_times_within_us(&times, RISK_LOW, 99), 1000);
	add(&times, 1000001, 1);
	assert_int_equal(decide_times_within_us(&times, RISK_LOW, 99), 2000);
}

static void one_in_a_hundred_is_left_out_and_two_are_not(void **state)
{
	struct decide_times times = {0};

	(void)state;
	add(&times, 5000, 99);
	add(&times, UINT64_C(400) * 1000 * 1000, 1);
	assert_int_equal(decide_times_within_us(&times, RISK_LOW, 99), 10);
	assert_int_equal(decide_times_within_us(&times, RISK_LOW, 100), 500000);
	add(&times, UINT64_C(400) * 1000 * 1000, 1);
	assert_int_equal(decide_times_within_us(&times, RISK_LOW, 99), 500000);
}

static void what_is_above_the_last_end_is_never_within_it(void **state)
{
	struct decide_times times = {0};

	(void)state;
	add(&times, UINT64_C(1000000) * 1000, 1);
	assert_int_equal(decide_times_within_us(&times, RISK_LOW, 99), 1000000);
	add(&times, UINT64_MAX, 1);
	assert_int_equal(decide_times_within_us(&times, RISK_LOW, 99), 10000000);
}

static void each_risk_is_counted_by_itself(void **state)
{
	struct decide_times times = {0};
	struct arena *arena = arena_create(64 * 1024);
	struct json list;
	struct error err;

	(void)state;
	add(&times, 5000, 3);
	decide_times_add(&times, RISK_HIGH, UINT64_MAX);
	decide_times_add(&times, RISK_NONE, 1);
	assert_int_equal(decide_times_count(&times, RISK_LOW), 3);
	assert_int_equal(decide_times_count(&times, RISK_MEDIUM), 0);
	assert_int_equal(decide_times_within_us(&times, RISK_LOW, 99), 10);
	assert_true(decide_times_json(&times, arena, &list, &err));
	assert_int_equal(list.count, 3);
	assert_true(text_is(json_text_or(&list.items[0], "risk", ""), "none"));
	assert_true(text_is(json_text_or(&list.items[1], "risk", ""), "low"));
	assert_int_equal(json_integer_or(&list.items[1], "decisions", 0), 3);
	assert_int_equal(json_find(&list.items[1], "buckets")->count, 1);
	assert_null(json_find(&json_find(&list.items[2], "buckets")->items[0], "until_us"));
	arena_destroy(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_none_nothing_is_said),
		cmocka_unit_test(a_millisecond_is_an_end),
		cmocka_unit_test(one_in_a_hundred_is_left_out_and_two_are_not),
		cmocka_unit_test(what_is_above_the_last_end_is_never_within_it),
		cmocka_unit_test(each_risk_is_counted_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
