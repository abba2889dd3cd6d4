#include "edges/clock/system_clock.h"

#include <stddef.h>
#include <time.h>

static int64_t read_ms(clockid_t which)
{
	struct timespec now;

	(void)clock_gettime(which, &now); /* cannot fail for these two */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t wall_utc_ms(void *context)
{
	(void)context;
	return read_ms(CLOCK_REALTIME);
}

static int64_t monotonic_ms(void *context)
{
	(void)context;
	return read_ms(CLOCK_MONOTONIC);
}

void system_clock_init(struct clock *out)
{
	*out = (struct clock){
		.context = NULL, .wall_utc_ms = wall_utc_ms, .monotonic_ms = monotonic_ms};
}
