#include "services/registry/fold_record.h"

#include <stdlib.h>

enum { FIRST_BYTES = 4096 };

void fold_record_destroy(struct fold_record **record)
{
	if (*record == NULL)
		return;
	arena_destroy(&(*record)->arena);
	free(*record);
	*record = NULL;
}

static void on_done(struct fold_change *change)
{
	struct fold_record *record = change->context;

	if (record->done != NULL)
		record->done(
			record->context, change->index, change->is_durable ? NULL : &change->err);
	fold_record_destroy(&record);
}

bool fold_record_create(
	struct fold_record **out, struct fold *fold, size_t limit_bytes, struct error *err)
{
	struct fold_record *record = calloc(1, sizeof *record);

	*out = NULL;
	if (record != NULL)
		record->arena = arena_create_small(limit_bytes, FIRST_BYTES);
	if (record == NULL || record->arena == NULL) {
		fold_record_destroy(&record);
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	}
	record->fold = fold;
	record->change.done = on_done;
	record->change.context = record;
	*out = record;
	return true;
}

void fold_record_start(struct fold_record *record, const char *type, struct text actor)
{
	record->at_utc_ms = fold_stamp_utc_ms(record->fold);
	json_object_start(&record->object, record->arena);
	json_put_integer(&record->object, "at", record->at_utc_ms);
	json_put_cstring(&record->object, "type", type);
	json_put_text(&record->object, "actor", actor);
	record->object.failed |= actor.data == NULL;
}

bool fold_record_send_json(
	struct fold_record **record, const struct json *document, struct error *err)
{
	struct fold_record *one = *record;

	*record = NULL; /* on_done may free it before fold_submit returns */
	one->change.entry = json_canonical_text(one->arena, document);
	if (one->change.entry.data == NULL)
		error_set(err, ERROR_LIMIT, "no room for a record");
	else if (fold_submit(one->fold, &one->change, err))
		return true;
	fold_record_destroy(&one);
	return false;
}

bool fold_record_send(struct fold_record **record, struct error *err)
{
	struct json sealed;

	if (json_object_seal(&(*record)->object, &sealed, err))
		return fold_record_send_json(record, &sealed, err);
	fold_record_destroy(record);
	return false;
}
