#ifndef DOMAIN_DECIDE_RATE_H
#define DOMAIN_DECIDE_RATE_H

#include <stdint.h>

/* How many calls there were in the last minute, in constant memory: one counter
 * a second.  Time is that of records, in ms since 1970; where it seems to go
 * back, it stands still.
 *
 * What it counts at a moment is every call of the 60 seconds before it and none
 * older than 61.  So whoever lets a call through only while rate_count is below N
 * lets at most N through in any 60 seconds, wherever they begin, and refuses none
 * of whom fewer than N went through in the 61 seconds before it. */

enum {
	RATE_SLOT_MS = 1000,
	RATE_SPAN_MS = 60 * 1000,
	RATE_SLOTS = RATE_SPAN_MS / RATE_SLOT_MS + 1, /* the newest is not over yet */
};

/* Zero is no calls. */
struct rate {
	int64_t newest; /* its latest second, since 1970 */
	int64_t total;
	uint32_t counts[RATE_SLOTS]; /* of a second, at its number modulo RATE_SLOTS */
};

/* Calls of the last minute, as above. */
int64_t rate_count(const struct rate *rate, int64_t now_utc_ms);
/* One more, at now. */
void rate_add(struct rate *rate, int64_t now_utc_ms);

#endif
