#ifndef EDGES_CLOCK_SYSTEM_CLOCK_H
#define EDGES_CLOCK_SYSTEM_CLOCK_H

#include "base/time.h"

/* The system's clocks: CLOCK_REALTIME and CLOCK_MONOTONIC.  Safe from any
 * thread. */
void system_clock_init(struct clock *out);

#endif
