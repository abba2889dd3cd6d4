/* Tokens and codes by when they end: a heap, the first to end on top, so that a new one
 * finds room in a few steps and not by a look at all.
 *
 * Invariant: items[i]->end_at == i, and no item ends before its parent, (i - 1) / 2. */
#include <assert.h>

#include "services/detect/detector_private.h"

static void place(struct known_ends *ends, struct known *known, uint32_t at)
{
	ends->items[at] = known;
	known->end_at = at;
}

/* known goes to `at`, or above it while what is there ends later. */
static uint32_t rise(struct known_ends *ends, const struct known *known, uint32_t at)
{
	for (uint32_t parent; at > 0; at = parent) {
		parent = (at - 1) / 2;
		if (ends->items[parent]->ends_utc_ms <= known->ends_utc_ms)
			break;
		place(ends, ends->items[parent], at);
	}
	return at;
}

/* Or below it while what is there ends earlier. */
static uint32_t sink(struct known_ends *ends, const struct known *known, uint32_t at)
{
	for (uint32_t child; (child = 2 * at + 1) < ends->count; at = child) {
		if (child + 1 < ends->count &&
			ends->items[child + 1]->ends_utc_ms < ends->items[child]->ends_utc_ms)
			child++;
		if (ends->items[child]->ends_utc_ms >= known->ends_utc_ms)
			break;
		place(ends, ends->items[child], at);
	}
	return at;
}

void known_ends_put(struct known_ends *ends, struct known *known)
{
	assert(ends->count < DETECTOR_TOKENS_MAX);
	place(ends, known, rise(ends, known, ends->count++));
}

void known_ends_remove(struct known_ends *ends, const struct known *known)
{
	struct known *last = ends->items[ends->count - 1];

	assert(ends->items[known->end_at] == known);
	ends->count--;
	if (last != known)
		place(ends, last, sink(ends, last, rise(ends, last, known->end_at)));
}
