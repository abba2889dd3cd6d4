#ifndef SERVICES_DECIDE_TIMES_H
#define SERVICES_DECIDE_TIMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/charter/terms.h"

/* How long decisions took, counted by the risk of their calls.  Fixed buckets: to count one costs
 * no memory.  In place in whoever counts; zero: none. */

enum { DECIDE_TIME_BUCKETS = 17 };

struct decide_times {
	uint64_t of[RISK_CRITICAL + 1][DECIDE_TIME_BUCKETS]; /* NONE: refused before it was known */
};

void decide_times_add(struct decide_times *times, enum risk_tier risk, uint64_t took_ns);
uint64_t decide_times_count(const struct decide_times *times, enum risk_tier risk);
/* What so many of a hundred took at most: the upper end of the bucket it falls into, in
 * microseconds; 0 of none.  What took longer than the last end counts as ten times that. */
int64_t decide_times_within_us(
	const struct decide_times *times, enum risk_tier risk, uint32_t percent);
/* [{risk, decisions, p50_us, p99_us, buckets: [{until_us, decisions}]}] of those there are; what
 * is above the last end has no until_us.  Lives in arena.  Errors: LIMIT. */
bool decide_times_json(const struct decide_times *times, struct arena *arena, struct json *out,
	struct error *err) MUST_CHECK;

#endif
