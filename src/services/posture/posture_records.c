/* Reading the records, some of them a turn, behind those who write them.
 *
 * It begins where the last day's figures say that it was, so a start reads a day again at most.
 * What violates a check is a finding about its record: records do not change, so a person closes
 * it, saying what came of it. */
#include "services/posture/posture_private.h"

#include "base/log.h"

enum { RECORDS_ARENA_BYTES_MAX = 16 * 1024 * 1024 };

static const struct control *control_of(const struct posture *posture, enum record_check check)
{
	for (uint32_t i = 0; i < catalogue_count(posture->catalogue); i++) {
		const struct control *control = catalogue_control(posture->catalogue, i);

		if ((control->records & (UINT32_C(1) << check)) != 0)
			return control;
	}
	return NULL;
}

static bool report(const struct posture *posture, enum record_check check, uint64_t index,
	struct text identity, struct error *err)
{
	struct arena *arena = arena_create_small(65536, 4096);
	const struct control *control = control_of(posture, check);
	struct finding_draft draft = {.kind = FINDING_RECORD_VIOLATES};
	struct json_builder object;
	struct json details;
	bool ok = false;

	if (arena == NULL || control == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a finding");
	draft.subject =
		text_format(arena, "%s/%llu", record_check_word(check), (unsigned long long)index);
	draft.control = text_copy(arena, control->id).data;
	draft.what = text_format(
		arena, "%s: record #%llu.", record_check_meaning(check), (unsigned long long)index);
	json_object_start(&object, arena);
	json_put_integer(&object, "record", (int64_t)index);
	json_put_cstring(&object, "check", record_check_word(check));
	json_put_text_unless_empty(&object, "identity", identity);
	json_put_cstring(&object, "severity", risk_tier_word(control->severity));
	json_put_text(&object, "command",
		text_format(arena, "remit trace %llu", (unsigned long long)index));
	if (draft.control != NULL && json_object_seal(&object, &details, err)) {
		draft.details = &details;
		ok = finding_report(posture->parts.findings, &draft, err);
	}
	arena_destroy(&arena);
	return ok;
}

static void on_violated(
	void *context, enum record_check check, uint64_t index, const struct json *record)
{
	const struct posture *posture = context;
	struct error err = {0};

	if (!report(posture, check, index, json_text_or(record, "identity", ""), &err))
		log_warn("record_not_reported", LOG_STRING("check", record_check_word(check)),
			LOG_STRING("why", err.text));
}

static bool begin(struct posture *posture, struct error *err)
{
	const struct record_watch_listener listener = {.context = posture, .violated = on_violated};

	posture->records_next = posture->records_from;
	return record_watch_create(&posture->watch, posture->parts.registry, &listener,
		       posture->records_from == 0, err) &&
	       posture->parts.log.open(posture->parts.log.context, posture->records_from, err);
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
	return json_parse(&record, arena, entry, &json_limits_default, err) &&
	       record_watch_feed(posture->watch, &record, index, err);
}

bool posture_read_records(struct posture *posture)
{
	struct error err = {0};
	struct arena *arena;
	uint32_t left = POSTURE_RECORDS;

	if (posture->parts.log.next == NULL)
		return false;
	if (posture->watch == NULL && !begin(posture, &err)) {
		log_warn("records_not_begun", LOG_STRING("why", err.text));
		record_watch_destroy(&posture->watch);
		return false;
	}
	arena = arena_create_small(RECORDS_ARENA_BYTES_MAX, 65536);
	while (arena != NULL && left > 0 && read_one(posture, arena, &err)) {
		arena_reset(arena);
		left--;
	}
	arena_destroy(&arena);
	if (err.code != ERROR_NONE)
		log_warn("records_not_read", LOG_STRING("why", err.text));
	return left == 0;
}
