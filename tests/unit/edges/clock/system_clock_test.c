/* The system's clocks behind the port. */
#include "edges/clock/system_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static void the_wall_clock_is_the_systems(void **state)
{
	struct clock clock;
	int64_t before_ms = (int64_t)time(NULL) * 1000;
	int64_t now_ms;

	(void)state;
	system_clock_init(&clock);
	now_ms = clock.wall_utc_ms(clock.context);
	/* time() may be a tick behind; a step of the clock here is not our fault. */
	assert_true(now_ms >= before_ms - 1000 && now_ms < before_ms + 60000);
}

static void the_monotonic_clock_never_goes_back(void **state)
{
	struct clock clock;
	int64_t last_ms;

	(void)state;
	system_clock_init(&clock);
	last_ms = clock.monotonic_ms(clock.context);
	for (int i = 0; i < 10000; i++) {
		int64_t now_ms = clock.monotonic_ms(clock.context);

		assert_true(now_ms >= last_ms);
		last_ms = now_ms;
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
