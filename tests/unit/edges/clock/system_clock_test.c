#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "edges/clock/system_clock.h"

static void the_wall_clock_is_the_systems(void **state)
{
	int64_t before_ms = (int64_t)time(NULL) * 1000;
	int64_t now_ms = system_clock.wall_utc_ms(NULL);

	(void)state;
	assert_true(now_ms >= before_ms);
	assert_true(now_ms <= (int64_t)(time(NULL) + 1) * 1000);
}

static void the_monotonic_clock_never_goes_back(void **state)
{
	int64_t last = system_clock.monotonic_ms(NULL);

	(void)state;
	for (int i = 0; i < 10000; i++) {
		int64_t now = system_clock.monotonic_ms(NULL);

		assert_true(now >= last);
		last = now;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_wall_clock_is_the_systems),
		cmocka_unit_test(the_monotonic_clock_never_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
