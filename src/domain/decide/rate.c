/* A ring of counters.  Invariant: total is their sum, and those that are not of
 * the RATE_SLOTS seconds up to newest are zero. */
#include "domain/decide/rate.h"

/* The second of now, never before the newest. */
static int64_t second_of(const struct rate *rate, int64_t now_utc_ms)
{
	int64_t second = now_utc_ms / RATE_SLOT_MS;

	return second < rate->newest ? rate->newest : second;
}

/* The seconds that are over when `second` comes, counted from the oldest kept. */
static int64_t over_count(const struct rate *rate, int64_t second)
{
	int64_t passed = second - rate->newest;

	return passed > RATE_SLOTS ? RATE_SLOTS : passed;
}

/* The counter of the i-th second kept, oldest first. */
static uint32_t place_of(const struct rate *rate, int64_t i)
{
	return (uint32_t)((rate->newest + 1 + i) % RATE_SLOTS);
}

int64_t rate_count(const struct rate *rate, int64_t now_utc_ms)
{
	int64_t over = over_count(rate, second_of(rate, now_utc_ms));
	int64_t count = rate->total;

	for (int64_t i = 0; i < over; i++)
		count -= rate->counts[place_of(rate, i)];
	return count;
}

void rate_add(struct rate *rate, int64_t now_utc_ms)
{
	int64_t second = second_of(rate, now_utc_ms);
	int64_t over = over_count(rate, second);

	for (int64_t i = 0; i < over; i++) {
		uint32_t place = place_of(rate, i);

		rate->total -= rate->counts[place];
		rate->counts[place] = 0;
	}
	rate->newest = second;
	rate->counts[second % RATE_SLOTS]++;
	rate->total++;
}
