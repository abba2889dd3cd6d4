/* What was used since the last pass of counts went on record, read from the log at the start and
 * counted in its order; all that is folded meanwhile is read in its turn, too, so that nothing is
 * counted twice or out of its place.  A count that was put on record later than where the reading
 * begins says up to which record it counts.
 *
 * Where no pass is on record yet (all records are of before there were any), the weeks that count
 * are read. */
#include <stdlib.h>

#include "base/log.h"
#include "services/graph/graph_private.h"

enum { TAIL_ENTRIES = 128 }; /* read in one step */
#define DAY_MS INT64_C(86400000)

/* ---- counts on record ---- */

static bool make_room(struct graph_tail *tail, uint32_t number)
{
	size_t count = tail->through_count == 0 ? 1024 : tail->through_count;
	uint64_t *through;

	while (count <= number)
		count *= 2;
	if (count == tail->through_count)
		return true;
	through = reallocarray(tail->through, count, sizeof *through);
	if (through == NULL)
		return false;
	memset(through + tail->through_count, 0, (count - tail->through_count) * sizeof *through);
	tail->through = through;
	tail->through_count = count;
	return true;
}

bool graph_tail_note(struct graph_tail *tail, uint32_t number, uint64_t through)
{
	if (number == 0 || !make_room(tail, number))
		return false;
	if (through > tail->through[number])
		tail->through[number] = through;
	return true;
}

bool graph_tail_has(const struct graph_service *service, uint32_t number, uint64_t index)
{
	const struct graph_tail *tail = &service->tail;

	return !tail->is_done && number < tail->through_count && tail->through[number] > index;
}

/* ---- the log ---- */

static bool open_at(struct graph_service *service, uint64_t index, struct error *err)
{
	return service->parts.log.open(service->parts.log.context, index, err);
}

/* The next, borrowed until the one after; *is_there is false behind the last. */
static bool next_entry(
	struct graph_service *service, struct text *out, bool *is_there, struct error *err)
{
	const struct graph_log *log = &service->parts.log;
	bool is_end = false;
	uint64_t index;

	*is_there = false;
	if (!log->next(log->context, out, &index, &is_end, err))
		return false;
	*is_there = !is_end;
	return true;
}

static bool is_use(struct text entry)
{
	static const char *const types[] = {"\"type\":\"decision\"", "\"type\":\"task-opened\""};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (memmem(entry.data, entry.length, types[i], strlen(types[i])) != NULL)
			return true;
	return false;
}

/* When the entry was written; *is_there is false behind the last. */
static bool time_of(struct graph_service *service, uint64_t index, int64_t *at_utc_ms,
	bool *is_there, struct error *err)
{
	struct text entry;
	struct json record;
	bool ok = open_at(service, index, err) && next_entry(service, &entry, is_there, err);

	*at_utc_ms = 0;
	if (ok && *is_there) {
		ok = json_parse(&record, service->scratch, entry, &json_limits_default, err);
		*at_utc_ms = ok ? json_integer_or(&record, "at", 0) : 0;
	}
	arena_reset(service->scratch);
	return ok;
}

/* What is not there comes later. */
static bool is_before(struct graph_service *service, uint64_t index, int64_t since_utc_ms,
	bool *out, struct error *err)
{
	int64_t at_utc_ms;
	bool is_there;

	if (!time_of(service, index, &at_utc_ms, &is_there, err))
		return false;
	*out = is_there && at_utc_ms < since_utc_ms;
	return true;
}

/* The first entry of the weeks that count: times never fall. */
static bool find_first(struct graph_service *service, uint64_t *out, struct error *err)
{
	int64_t since_utc_ms = fold_stamp_utc_ms(service->parts.fold) - GRAPH_USE_DAYS * DAY_MS;
	uint64_t low = 0, high = 1024;
	bool is_low = true;

	while (is_low) {
		if (!is_before(service, high, since_utc_ms, &is_low, err))
			return false;
		low = is_low ? high + 1 : low;
		high = is_low ? high * 2 : high;
	}
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (!is_before(service, middle, since_utc_ms, &is_low, err))
			return false;
		low = is_low ? middle + 1 : low;
		high = is_low ? high : middle;
	}
	*out = low;
	return true;
}

/* What was used from where it begins on is written by the first pass. */
static bool begin(struct graph_service *service, struct error *err)
{
	struct graph_tail *tail = &service->tail;
	int64_t at_utc_ms;
	bool is_there;

	if (!time_of(service, 0, &service->first_utc_ms, &is_there, err))
		return false;
	if (!is_there)
		service->first_utc_ms = fold_stamp_utc_ms(service->parts.fold);
	tail->opened_again = UINT64_MAX;
	tail->next = tail->begun;
	if (!tail->has_begun && !find_first(service, &tail->next, err))
		return false;
	if (!time_of(service, tail->next, &at_utc_ms, &is_there, err))
		return false;
	service->counts_begun_index = tail->next;
	service->counts_since_s =
		is_there ? graph_time_of(at_utc_ms / 1000) : graph_latest_use(service->graph);
	service->counts_begun_s = service->counts_since_s;
	tail->is_begun = true;
	return open_at(service, tail->next, err);
}

static bool take(struct graph_service *service, struct text entry, struct error *err)
{
	struct json record;

	if (!is_use(entry))
		return true;
	if (!json_parse(&record, service->scratch, entry, &json_limits_default, err))
		return false;
	graph_note_record(service, &record, service->tail.next);
	arena_reset(service->scratch);
	return true;
}

/* At the end of what was written when it was opened there may be more by now. */
static bool end_or_open_again(struct graph_service *service, struct error *err)
{
	struct graph_tail *tail = &service->tail;

	if (tail->next >= fold_next_index(service->parts.fold)) {
		tail->is_done = true;
		return true;
	}
	if (tail->opened_again == tail->next)
		return error_set(err, ERROR_CORRUPT, "record %llu is not there",
			(unsigned long long)tail->next);
	tail->opened_again = tail->next;
	return open_at(service, tail->next, err);
}

/* Until nothing is behind: what is read before it is folded is not counted then. */
static bool read_some(struct graph_service *service, struct error *err)
{
	struct graph_tail *tail = &service->tail;

	for (int i = 0; i < TAIL_ENTRIES; i++, tail->next++) {
		struct text entry;
		bool is_there;

		if (!next_entry(service, &entry, &is_there, err))
			return false;
		if (!is_there)
			return end_or_open_again(service, err);
		if (!take(service, entry, err))
			return false;
	}
	return true;
}

uint64_t graph_counted_next(const struct graph_service *service)
{
	uint64_t next = fold_next_index(service->parts.fold);

	return next > service->tail.next ? next : service->tail.next;
}

void graph_tail_end(struct graph_tail *tail)
{
	free(tail->through);
	tail->through = NULL;
	tail->through_count = 0;
	tail->is_done = true;
}

/* What cannot be read may have been any use: nothing of before is sure then. */
bool graph_tail_step(struct graph_service *service)
{
	struct graph_tail *tail = &service->tail;
	struct error err = {0};
	bool ok = tail->is_begun || begin(service, &err);

	if (ok)
		ok = read_some(service, &err);
	if (!ok) {
		log_warn("graph_uses_unread", LOG_STRING("why", err.text));
		graph_be_sure_from(service, fold_stamp_utc_ms(service->parts.fold));
		tail->is_done = true;
	}
	if (!tail->is_done)
		return true;
	graph_tail_end(tail);
	if (service->parts.log.close != NULL)
		service->parts.log.close(service->parts.log.context);
	return false;
}
