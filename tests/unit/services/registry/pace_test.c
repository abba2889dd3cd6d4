#include "services/registry/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NEXT = 1000, LAG_MAX = PACE_LAG_MAX, BUSY = PACE_BUSY_MIN };

static uint64_t target(uint64_t lag, uint64_t came, bool is_asked)
{
	const struct pace_view view = {NEXT, NEXT + lag, came, is_asked};

	return pace_target(&view);
}

static void a_store_that_has_all_has_nothing_to_do(void **state)
{
	(void)state;
	assert_int_equal(target(0, 0, false), NEXT);
	assert_int_equal(target(0, BUSY, true), NEXT);
}

/* Entries that the projector found before it was told of them. */
static void a_store_ahead_of_what_was_told_has_nothing_to_do(void **state)
{
	const struct pace_view view = {NEXT, NEXT - 1, 0, true};

	(void)state;
	assert_int_equal(pace_target(&view), NEXT);
}

static void it_gives_way_while_records_pour_in(void **state)
{
	(void)state;
	assert_int_equal(target(BUSY, BUSY, false), NEXT);
	assert_int_equal(target(BUSY, UINT64_MAX, false), NEXT);
}

static void it_carries_all_when_they_pause(void **state)
{
	(void)state;
	assert_int_equal(target(LAG_MAX + 7, BUSY - 1, false), NEXT + LAG_MAX + 7);
	assert_int_equal(target(1, 0, false), NEXT + 1);
}

static void it_carries_all_when_somebody_asks(void **state)
{
	(void)state;
	assert_int_equal(target(1, BUSY, true), NEXT + 1);
	assert_int_equal(target(LAG_MAX + 1, BUSY, true), NEXT + LAG_MAX + 1);
}

static void no_more_than_the_bound_is_put_off(void **state)
{
	(void)state;
	assert_int_equal(target(LAG_MAX - 1, BUSY, false), NEXT);
	assert_int_equal(target(LAG_MAX, BUSY, false), NEXT);
	assert_int_equal(target(LAG_MAX + 1, BUSY, false), NEXT + 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_store_that_has_all_has_nothing_to_do),
		cmocka_unit_test(a_store_ahead_of_what_was_told_has_nothing_to_do),
		cmocka_unit_test(it_gives_way_while_records_pour_in),
		cmocka_unit_test(it_carries_all_when_they_pause),
		cmocka_unit_test(it_carries_all_when_somebody_asks),
		cmocka_unit_test(no_more_than_the_bound_is_put_off),
	};

	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
