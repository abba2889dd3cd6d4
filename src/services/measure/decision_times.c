#include "services/measure/decision_times.h"

enum { TIMES_ARENA_BYTES_MAX = 128 * 1024, LOW_PERCENT = 99 };

static bool is_due(const struct measure_service *measures, uint64_t low, int64_t now_utc_ms)
{
	struct measure_stand stand = measure_stand(measures, MEASURE_DECISION_TIME);

	return low > 0 ||
	       (stand.kept > 0 && now_utc_ms - stand.taken_utc_ms >= DECISION_TIMES_IDLE_MS);
}

static bool put_details(
	const struct decide_times *times, struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder object;
	struct json list;

	if (!decide_times_json(times, arena, &list, err))
		return false;
	json_object_start(&object, arena);
	json_put(&object, "times", list);
	return json_object_seal(&object, out, err);
}

bool measure_decision_times(struct measure_service *measures, struct decide_service *decide,
	int64_t now_utc_ms, struct error *err)
{
	const struct decide_times *times = decide_service_times(decide);
	struct measure_taken taken = {.measure = MEASURE_DECISION_TIME,
		.value = decide_times_within_us(times, RISK_LOW, LOW_PERCENT),
		.samples = decide_times_count(times, RISK_LOW)};
	struct arena *arena;
	struct json details;
	bool ok;

	if (!is_due(measures, taken.samples, now_utc_ms))
		return true;
	arena = arena_create_small(TIMES_ARENA_BYTES_MAX, 4096);
	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the times of decisions");
	taken.details = &details;
	ok = put_details(times, arena, &details, err) && measure_take(measures, &taken, err);
	if (ok)
		decide_service_forget_times(decide);
	arena_destroy(&arena);
	return ok;
}
