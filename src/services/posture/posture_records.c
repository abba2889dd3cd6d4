/* Reading the records, some of them a turn, behind those who write them.
 *
 * What a step finds is on record before the next one begins, with where the watch stands then
 * (posture_found.c), and so are the figures of a day; a start goes on from the last of these: it
 * reads again what the watch remembered there, and tells nothing of it (domain/control); before
 * that, all records, if what is registered has changed since. */
#include "services/posture/posture_private.h"

#include <string.h>

#include "base/log.h"
#include "domain/charter/registry_fold.h"

enum {
	FOUND_ARENA_BYTES_MAX = 1024 * 1024,
	RECALL_PARSED = 32, /* as many of POSTURE_RECALLS as a record counts that is parsed */
};

/* One step, with the record of what it finds. */
struct reading {
	struct fold_record *record;
	struct json_builder items;
	bool has_failed;
};

static bool reading_create(struct reading *out, struct posture *posture)
{
	struct error err;

	*out = (struct reading){0};
	if (!fold_record_create(&out->record, posture->parts.fold, FOUND_ARENA_BYTES_MAX, &err))
		return false;
	json_array_start(&out->items, out->record->arena);
	return true;
}

static void on_violated(
	void *context, enum record_check check, uint64_t index, struct text identity)
{
	struct posture *posture = context;
	struct reading *reading = posture->reading;
	struct json_builder item;
	struct json sealed;
	struct error err;

	json_object_start(&item, reading->record->arena);
	json_put_cstring(&item, "check", record_check_word(check));
	json_put_text_unless_empty(&item, "identity", text_copy(reading->record->arena, identity));
	json_put_integer(&item, "record", (int64_t)index);
	if (json_object_seal(&item, &sealed, &err))
		json_add(&reading->items, sealed);
	else
		reading->has_failed = true;
}

/* ---- what was found ---- */

/* What is not on record is found again. */
static void begin_again(struct posture *posture, const char *why)
{
	log_warn("records_not_read", LOG_STRING("why", why));
	record_watch_destroy(&posture->watch);
}

static void on_written(void *context, uint64_t index, const struct error *err)
{
	struct posture *posture = context;

	(void)index;
	posture->is_writing_found = false;
	if (err != NULL)
		begin_again(posture, err->text);
}

/* Takes the record. */
static bool submit_found(struct posture *posture, struct reading *reading, struct error *err)
{
	struct fold_record *record = reading->record;
	struct json items;

	record->context = posture;
	record->done = on_written;
	fold_record_start(record, "records-violated", TEXT("remit"));
	if (reading->has_failed || !json_array_seal(&reading->items, &items, err)) {
		error_set(err, ERROR_LIMIT, "no memory for what violates");
		goto failed;
	}
	json_put(&record->object, "items", items);
	if (posture_put_watch(posture, &record->object, err))
		return fold_record_send(&record, err);
failed:
	fold_record_destroy(&record);
	return false;
}

/* Takes the step over. */
static void write_found(struct posture *posture, struct reading *reading)
{
	struct error err = {0};

	posture->is_writing_found = true;
	if (submit_found(posture, reading, &err))
		return;
	posture->is_writing_found = false;
	begin_again(posture, err.text);
}

/* ---- reading ---- */

static bool open_log(struct posture *posture, uint64_t from, struct error *err)
{
	posture->records_next = from;
	return posture->parts.log.open(posture->parts.log.context, from, err);
}

/* From where it stood; before that, where what is registered has changed since, from the first
 * record on, for how it was. */
static bool begin(struct posture *posture, struct error *err)
{
	const struct record_watch_listener listener = {.context = posture, .violated = on_violated};

	/* A remit of before kept no day: what has changed until now is not known as it was. */
	if (posture->stood.has_no_day)
		posture->stood.day.sure_utc_ms =
			fold_stamp_utc_ms(posture->parts.fold) + RECORD_DAY_PAST_MS;
	if (!record_watch_create(
		    &posture->watch, posture->parts.registry, &listener, &posture->stood, err))
		return false;
	posture->is_recalling = record_watch_past(posture->watch) > 0;
	return open_log(
		posture, posture->is_recalling ? 0 : record_watch_from(&posture->stood), err);
}

/* With what lies beside the entry, where that is wanted. */
static bool read_record(const struct posture *posture, struct arena *arena, struct text entry,
	uint64_t index, struct json *out, struct error *err)
{
	const struct posture_log *log = &posture->parts.log;
	struct text content = TEXT("");

	if (!registry_entry_wants_content(entry) || log->content == NULL)
		return json_parse(out, arena, entry, &json_limits_default, err);
	return log->content(log->context, index, arena, &content, err) &&
	       registry_entry_read(out, arena, entry, content, err);
}

/* Canonical JSON spells it in one way only; what others hold of them is quoted. */
static bool has_changes(struct text entry)
{
	static const char said[] = "\"changes\":[";

	return registry_entry_wants_content(entry) ||
	       memmem(entry.data, entry.length, said, sizeof said - 1) != NULL;
}

/* One record of before; false also where they end. */
static bool recall_one(
	struct posture *posture, struct arena *arena, uint32_t *left, struct error *err)
{
	struct text entry;
	struct json record;
	uint64_t index;
	bool is_end = false;

	if (posture->records_next >= record_watch_past(posture->watch)) {
		posture->is_recalling = false;
		(void)open_log(posture, record_watch_from(&posture->stood), err);
		return false;
	}
	if (!posture->parts.log.next(posture->parts.log.context, &entry, &index, &is_end, err))
		return false;
	posture->records_next = is_end ? record_watch_past(posture->watch) : index + 1;
	(*left)--;
	if (is_end || !has_changes(entry))
		return true;
	*left -= *left < RECALL_PARSED ? *left : RECALL_PARSED;
	return read_record(posture, arena, entry, index, &record, err) &&
	       record_watch_recall(posture->watch, &record, err);
}

static void recall_some(struct posture *posture, struct error *err)
{
	struct arena *arena = arena_create_small(REGISTRY_ENTRY_ARENA_BYTES_MAX, 65536);
	uint32_t left = POSTURE_RECALLS;

	while (arena != NULL && left > 0 && recall_one(posture, arena, &left, err))
		arena_reset(arena);
	arena_destroy(&arena);
}

/* One record; false also at the end. */
static bool read_one(struct posture *posture, struct arena *arena, struct error *err)
{
	struct text entry;
	struct json record;
	uint64_t index;
	bool is_end = false;

	if (!posture->parts.log.next(posture->parts.log.context, &entry, &index, &is_end, err))
		return false;
	if (is_end) {
		posture->is_changed |= posture->read_utc_ms == 0;
		posture->read_utc_ms = fold_stamp_utc_ms(posture->parts.fold);
		return false;
	}
	posture->records_next = index + 1;
	posture->records++;
	return read_record(posture, arena, entry, index, &record, err) &&
	       record_watch_feed(posture->watch, &record, index, err);
}

/* True: there are more. */
static bool read_some(struct posture *posture, struct reading *reading, struct error *err)
{
	struct arena *arena = arena_create_small(REGISTRY_ENTRY_ARENA_BYTES_MAX, 65536);
	uint32_t left = POSTURE_RECORDS;

	posture->reading = reading;
	while (arena != NULL && left > 0 && reading->items.count < POSTURE_FOUND &&
		read_one(posture, arena, err)) {
		arena_reset(arena);
		left--;
	}
	posture->reading = NULL;
	arena_destroy(&arena);
	return left == 0 || reading->items.count >= POSTURE_FOUND;
}

bool posture_read_records(struct posture *posture)
{
	struct reading reading;
	struct error err = {0};
	bool has_more;

	if (posture->parts.log.next == NULL ||
		name_table_count(posture->found) >= POSTURE_FOUND_MAX)
		return false;
	if (posture->is_writing_found)
		return true;
	if (posture->watch == NULL && !begin(posture, &err)) {
		begin_again(posture, err.text);
		return false;
	}
	if (posture->is_recalling) {
		recall_some(posture, &err);
		if (err.code != ERROR_NONE)
			begin_again(posture, err.text);
		return err.code == ERROR_NONE;
	}
	if (!reading_create(&reading, posture))
		return false;
	has_more = read_some(posture, &reading, &err);
	if (err.code == ERROR_NONE && reading.items.count > 0) {
		write_found(posture, &reading);
		return has_more;
	}
	fold_record_destroy(&reading.record);
	if (err.code != ERROR_NONE) {
		begin_again(posture, err.text);
		return false;
	}
	return has_more;
}
