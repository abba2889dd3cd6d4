/* The law of calls per minute, over random calls: never more than N in any 60
 * seconds, and none refused of whom fewer than N went through in the 61 before. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "domain/decide/rate.h"
#include "support/seeded.h"

enum { RUNS = 400, CALLS = 3000 };

/* Mostly in bursts, sometimes around the turn of a second or a minute, sometimes
 * after a long rest, and never as evenly as a clock. */
static int64_t next_ms(int64_t now_utc_ms)
{
	switch (pick(8)) {
	case 0: return now_utc_ms + pick(1000);
	case 1: return now_utc_ms + pick(20000);
	case 2: return now_utc_ms / 1000 * 1000 + 1000 - pick(2);
	case 3: return now_utc_ms / 60000 * 60000 + 60000 - pick(2);
	case 4: return now_utc_ms + (pick(50) == 0 ? pick(200000) : 0);
	default: return now_utc_ms + pick(3);
	}
}

/* How many of the calls let through are younger than this at now. */
static int64_t younger_than(const int64_t *times, size_t count, int64_t now_utc_ms, int64_t age_ms)
{
	int64_t younger = 0;

	while (count > 0 && times[count - 1] > now_utc_ms - age_ms) {
		younger++;
		count--;
	}
	return younger;
}

static void run(int64_t limit)
{
	static int64_t times[CALLS]; /* check-source: global: a test's own list */
	struct rate rate = {0};
	int64_t now = INT64_C(1800000000000) + pick(120000);
	size_t count = 0;

	for (int i = 0; i < CALLS; i++) {
		int64_t counted, last;

		now = next_ms(now);
		counted = rate_count(&rate, now);
		assert_in_range(counted, younger_than(times, count, now, 60000),
			younger_than(times, count, now, 61000));
		if (counted >= limit)
			continue;
		rate_add(&rate, now);
		times[count++] = now;
		/* Any 60 seconds are at their fullest when they end with a call. */
		last = younger_than(times, count, now, 60000);
		assert_true(last <= limit);
	}
	assert_true(count > 0);
}

static void no_minute_has_more_calls_than_it_may(void **state)
{
	uint64_t seed = seed_of_run(), runs = worlds_given(RUNS);

	(void)state;
	for (uint64_t i = 0; i < runs; i++) {
		seed_with(seed + i);
		run(1 + pick(100));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_minute_has_more_calls_than_it_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
