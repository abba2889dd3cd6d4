/* Below WAIT_STEPS a bucket is a millisecond; from there on a power of two has WAIT_STEPS
 * buckets, so that one is a sixteenth of what it holds at most.  A wait counts as what the
 * last bucket ends with at most (two years), so that no number of a log overflows a sum. */
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

/* What counts of a wait: the same when it is added and when it is taken away. */
static int64_t counted_ms(int64_t wait_ms)
{
	int64_t longest_ms = bucket_end_ms(WAIT_BUCKETS - 1);

	if (wait_ms < 0)
		return 0;
	return wait_ms < longest_ms ? wait_ms : longest_ms;
}

void waits_add(struct waits *waits, int64_t wait_ms)
{
	waits->buckets[bucket_of(wait_ms)]++;
	waits->count++;
	waits->sum_ms += counted_ms(wait_ms);
}

void waits_remove(struct waits *waits, int64_t wait_ms)
{
	waits->buckets[bucket_of(wait_ms)]--;
	waits->count--;
	waits->sum_ms -= counted_ms(wait_ms);
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
