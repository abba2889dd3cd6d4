#ifndef EDGES_CLOCK_SYSTEM_CLOCK_H
#define EDGES_CLOCK_SYSTEM_CLOCK_H

#include "base/time.h"

/* The system's clocks.  context is not used. */
extern const struct clock system_clock;

#endif
