/* Below WAIT_STEPS a bucket is a millisecond; from there on a power of two has WAIT_STEPS
 * buckets, so that one is a sixteenth of what it holds at most. */
#include "domain/friction/friction_private.h"

static size_t bucket_of(int64_t wait_ms)
{
	uint64_t value = wait_ms < 0 ? 0 : (uint64_t)wait_ms;
	unsigned power = 0;
	size_t bucket;

	while (value >> power >= 2 * WAIT_STEPS)
		power++;
	bucket = power * WAIT_STEPS + (value >> power);
	return bucket < WAIT_BUCKETS ? bucket : WAIT_BUCKETS - 1;
}

/* The longest wait a bucket holds. */
static int64_t bucket_end_ms(size_t bucket)
{
	size_t power = bucket < 2 * WAIT_STEPS ? 0 : bucket / WAIT_STEPS - 1;
	int64_t step = (int64_t)(bucket - power * WAIT_STEPS);

	return ((step + 1) << power) - 1;
}

void waits_add(struct waits *waits, int64_t wait_ms)
{
	waits->buckets[bucket_of(wait_ms)]++;
	waits->count++;
	waits->sum_ms += wait_ms;
}

void waits_remove(struct waits *waits, int64_t wait_ms)
{
	waits->buckets[bucket_of(wait_ms)]--;
	waits->count--;
	waits->sum_ms -= wait_ms;
}

int64_t waits_percentile_ms(const struct waits *waits, unsigned part)
{
	uint64_t rank = (waits->count * part + 99) / 100;
	uint64_t seen = 0;

	for (size_t i = 0; i < WAIT_BUCKETS && rank > 0; i++) {
		seen += waits->buckets[i];
		if (seen >= rank)
			return bucket_end_ms(i);
	}
	return 0;
}
