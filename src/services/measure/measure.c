/* One ring for each measure.  A record says its place in the ring, so the store keeps as many rows
 * as there are places, and a start reads no more than these. */
#include "services/measure/measure.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "domain/audit/envelope.h"

enum { TAKE_ARENA_BYTES_MAX = 256 * 1024 };

struct ring {
	int64_t values[MEASURES_KEPT]; /* by place */
	uint32_t kept;
	uint32_t next; /* place of the next one */
	uint64_t samples;
	int64_t taken_utc_ms;
};

/* A value on its way; none while arena is NULL. */
struct taking {
	struct fold_change change;
	struct arena *arena;
};

struct measure_service {
	struct fold *fold;
	struct ring rings[MEASURE_COUNT];
	struct taking takings[MEASURE_COUNT];
};

/* ---- writing ---- */

static void on_written(struct fold_change *change)
{
	struct taking *taking = change->context;

	if (!change->is_durable)
		log_warn("measure_not_kept", LOG_STRING("why", change->err.text));
	arena_destroy(&taking->arena);
}

static bool make_record(const struct measure_service *service, const struct measure_taken *taken,
	struct taking *taking, struct error *err)
{
	const struct envelope common = {.at_utc_ms = fold_stamp_utc_ms(service->fold),
		.type = RECORD_MEASURED,
		.actor = TEXT("remit")};
	struct json_builder record;
	struct json details, sealed;

	envelope_start(&record, taking->arena, &common);
	json_put_cstring(&record, "measure", measure_word(taken->measure));
	json_put_integer(&record, "value", taken->value);
	json_put_integer(&record, "samples", (int64_t)taken->samples);
	json_put_integer(&record, "place", service->rings[taken->measure].next);
	if (taken->details != NULL) {
		if (!json_copy(&details, taking->arena, taken->details, err))
			return false;
		if (json_canonical_text(taking->arena, &details).length > MEASURE_DETAILS_BYTES_MAX)
			return error_set(err, ERROR_LIMIT, "details of a measure: at most %d bytes",
				MEASURE_DETAILS_BYTES_MAX);
		json_put(&record, "details", details);
	}
	if (!json_object_seal(&record, &sealed, err))
		return false;
	taking->change = (struct fold_change){.done = on_written, .context = taking};
	taking->change.entry = json_canonical_text(taking->arena, &sealed);
	return taking->change.entry.data != NULL ||
	       error_set(err, ERROR_LIMIT, "no memory for a measure");
}

bool measure_take(
	struct measure_service *service, const struct measure_taken *taken, struct error *err)
{
	struct taking *taking = &service->takings[taken->measure];

	if (taken->measure == MEASURE_NONE || taken->value < 0)
		return error_set(err, ERROR_INVALID, "a measure is not negative");
	if (taking->arena != NULL)
		return error_set(err, ERROR_CONFLICT, "the one before it is on its way");
	taking->arena = arena_create_small(TAKE_ARENA_BYTES_MAX, 4096);
	if (taking->arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a measure");
	if (make_record(service, taken, taking, err) &&
		fold_submit(service->fold, &taking->change, err))
		return true;
	arena_destroy(&taking->arena);
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
	for (int i = 0; i < MEASURE_COUNT; i++)
		arena_destroy(&(*service)->takings[i].arena);
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
