/* One ring for each measure.  A record says its place in the ring, so the store keeps as many rows
 * as there are places, and a start reads no more than these. */
#include "services/measure/measure.h"

#include <stdlib.h>

#include "base/log.h"
#include "services/registry/fold_record.h"

enum { TAKE_ARENA_BYTES_MAX = 256 * 1024 };

struct ring {
	int64_t values[MEASURES_KEPT]; /* by place */
	uint32_t kept;
	uint32_t next; /* place of the next one */
	uint64_t samples;
	int64_t taken_utc_ms;
};

struct measure_service {
	struct fold *fold;
	struct ring rings[MEASURE_COUNT];
	bool is_on_its_way[MEASURE_COUNT]; /* a value, whose record is not durable yet */
};

/* ---- writing ---- */

static void on_written(void *context, uint64_t index, const struct error *err)
{
	bool *is_on_its_way = context;

	(void)index;
	*is_on_its_way = false;
	if (err != NULL)
		log_warn("measure_not_kept", LOG_STRING("why", err->text));
}

static bool put_details(struct fold_record *record, const struct json *details, struct error *err)
{
	struct json copy;

	if (details == NULL)
		return true;
	if (!json_copy(&copy, record->arena, details, err))
		return false;
	if (json_canonical_text(record->arena, &copy).length > MEASURE_DETAILS_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "details of a measure: at most %d bytes",
			MEASURE_DETAILS_BYTES_MAX);
	json_put(&record->object, "details", copy);
	return true;
}

static bool write_taken(
	struct measure_service *service, const struct measure_taken *taken, struct error *err)
{
	struct fold_record *record;

	if (!fold_record_create(&record, service->fold, TAKE_ARENA_BYTES_MAX, err))
		return false;
	record->context = &service->is_on_its_way[taken->measure];
	record->done = on_written;
	fold_record_start(record, "measured", TEXT("remit"));
	json_put_cstring(&record->object, "measure", measure_word(taken->measure));
	json_put_integer(&record->object, "value", taken->value);
	json_put_integer(&record->object, "samples", (int64_t)taken->samples);
	json_put_integer(&record->object, "place", service->rings[taken->measure].next);
	if (!put_details(record, taken->details, err)) {
		fold_record_destroy(&record);
		return false;
	}
	return fold_record_send(&record, err);
}

bool measure_take(
	struct measure_service *service, const struct measure_taken *taken, struct error *err)
{
	bool *is_on_its_way = &service->is_on_its_way[taken->measure];

	if (taken->measure == MEASURE_NONE || taken->value < 0)
		return error_set(err, ERROR_INVALID, "a measure is not negative");
	if (*is_on_its_way)
		return error_set(err, ERROR_CONFLICT, "the one before it is on its way");
	*is_on_its_way = true; /* what is sent may be done before that returns */
	if (write_taken(service, taken, err))
		return true;
	*is_on_its_way = false;
	return false;
}

/* ---- folding ---- */

/* A record of a later version may name another measure: it is none of ours. */
static bool fold_measured(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct measure_service *service = state;
	enum control_measure measure = measure_from_word(json_text_or(record, "measure", ""));
	int64_t place = json_integer_or(record, "place", -1);
	struct ring *ring = &service->rings[measure];

	(void)index;
	(void)err;
	if (measure == MEASURE_NONE || place < 0 || place >= MEASURES_KEPT)
		return true;
	ring->values[place] = json_integer_or(record, "value", 0);
	ring->kept += ring->kept < MEASURES_KEPT;
	ring->next = ((uint32_t)place + 1) % MEASURES_KEPT;
	ring->samples = (uint64_t)json_integer_or(record, "samples", 0);
	ring->taken_utc_ms = json_integer_or(record, "at", 0);
	return true;
}

static void project_measured(const struct json *record, struct projection *projection)
{
	struct text key = text_format(projection_arena(projection), "%.*s/%03lld",
		TEXT_ARGS(json_text_or(record, "measure", "")),
		(long long)json_integer_or(record, "place", 0));

	if (key.data != NULL)
		projection_put(projection, "measured", key, record);
}

bool measure_service_create(struct measure_service **out, struct fold *fold, struct error *err)
{
	static const struct fold_projector projector = {"measured", project_measured};
	struct measure_service *service = calloc(1, sizeof *service);
	const struct fold_handler handler = {
		.type = "measured", .apply = fold_measured, .state = service};

	*out = NULL;
	if (service == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for what is measured");
	service->fold = fold;
	if (!fold_add(fold, &handler, err) || !fold_add_projector(fold, &projector, err)) {
		measure_service_destroy(&service);
		return false;
	}
	*out = service;
	return true;
}

void measure_service_destroy(struct measure_service **service)
{
	if (*service == NULL)
		return;
	free(*service);
	*service = NULL;
}

/* ---- reading ---- */

struct measure_stand measure_stand(
	const struct measure_service *service, enum control_measure measure)
{
	const struct ring *ring = &service->rings[measure];
	struct measure_stand stand = {
		.kept = ring->kept, .samples = ring->samples, .taken_utc_ms = ring->taken_utc_ms};
	int64_t values[MEASURES_KEPT]; /* from the oldest on */
	uint32_t first = (ring->next + MEASURES_KEPT - ring->kept) % MEASURES_KEPT;

	for (uint32_t i = 0; i < ring->kept; i++)
		values[i] = ring->values[(first + i) % MEASURES_KEPT];
	stand.value = measure_tell(measure, values, ring->kept);
	stand.is_over = stand.value > measure_most(measure);
	return stand;
}
