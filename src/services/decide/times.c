#include "services/decide/times.h"

enum { NS_PER_US = 1000 };

/* A millisecond is an end, so that "within a millisecond" is counted and not rounded. */
static const int64_t ends_us[DECIDE_TIME_BUCKETS - 1] = {10, 20, 50, 100, 200, 500, 1000, 2000,
	5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000};

static int64_t end_of(int bucket)
{
	return bucket < DECIDE_TIME_BUCKETS - 1 ? ends_us[bucket]
						: 10 * ends_us[DECIDE_TIME_BUCKETS - 2];
}

void decide_times_add(struct decide_times *times, enum risk_tier risk, uint64_t took_ns)
{
	int bucket = 0;

	while (bucket < DECIDE_TIME_BUCKETS - 1 && took_ns > (uint64_t)ends_us[bucket] * NS_PER_US)
		bucket++;
	times->of[risk][bucket]++;
}

uint64_t decide_times_count(const struct decide_times *times, enum risk_tier risk)
{
	uint64_t count = 0;

	for (int i = 0; i < DECIDE_TIME_BUCKETS; i++)
		count += times->of[risk][i];
	return count;
}

int64_t decide_times_within_us(
	const struct decide_times *times, enum risk_tier risk, uint32_t percent)
{
	uint64_t count = decide_times_count(times, risk), seen = 0;

	for (int i = 0; i < DECIDE_TIME_BUCKETS; i++) {
		seen += times->of[risk][i];
		if (seen > 0 && seen * 100 >= count * percent)
			return end_of(i);
	}
	return 0;
}

static bool put_buckets(
	struct json_builder *object, const uint64_t counts[DECIDE_TIME_BUCKETS], struct error *err)
{
	struct json_builder list;
	struct json sealed;

	json_array_start(&list, object->arena);
	for (int i = 0; i < DECIDE_TIME_BUCKETS; i++) {
		struct json_builder one;

		if (counts[i] == 0)
			continue;
		json_object_start(&one, object->arena);
		json_put_integer(&one, "decisions", (int64_t)counts[i]);
		if (i < DECIDE_TIME_BUCKETS - 1)
			json_put_integer(&one, "until_us", ends_us[i]);
		if (!json_object_seal(&one, &sealed, err))
			return false;
		json_add(&list, sealed);
	}
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(object, "buckets", sealed);
	return true;
}

bool decide_times_json(
	const struct decide_times *times, struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder list;
	struct json sealed;

	json_array_start(&list, arena);
	for (int risk = RISK_NONE; risk <= RISK_CRITICAL; risk++) {
		uint64_t count = decide_times_count(times, risk);
		struct json_builder one;

		if (count == 0)
			continue;
		json_object_start(&one, arena);
		json_put_cstring(&one, "risk", risk == RISK_NONE ? "none" : risk_tier_word(risk));
		json_put_integer(&one, "decisions", (int64_t)count);
		json_put_integer(&one, "p50_us", decide_times_within_us(times, risk, 50));
		json_put_integer(&one, "p99_us", decide_times_within_us(times, risk, 99));
		if (!put_buckets(&one, times->of[risk], err) ||
			!json_object_seal(&one, &sealed, err))
			return false;
		json_add(&list, sealed);
	}
	return json_array_seal(&list, out, err);
}
