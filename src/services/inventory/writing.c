/* Records of one connector, on their way to the log. */
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "services/inventory/inventory_private.h"

void inventory_work_destroy(struct inventory_work **work)
{
	if (*work == NULL)
		return;
	arena_destroy(&(*work)->arena);
	buffer_deinit(&(*work)->content);
	free(*work);
	*work = NULL;
}

struct inventory_work *inventory_work_create(
	struct inventory_service *service, struct inventory_connector *connector, struct error *err)
{
	struct inventory_work *work = calloc(1, sizeof *work);

	if (work == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for a record");
		return NULL;
	}
	buffer_init(&work->content, LINES_BYTES_MAX);
	work->service = service;
	work->connector = connector;
	work->change.context = work;
	work->arena = arena_create_small(RECORD_ARENA_BYTES_MAX, 4096);
	if (work->arena != NULL)
		return work;
	inventory_work_destroy(&work);
	error_set(err, ERROR_LIMIT, "no memory for a record");
	return NULL;
}

void inventory_record_start(struct json_builder *record, struct inventory_work *work,
	const char *type, struct text actor)
{
	json_object_start(record, work->arena);
	json_put_integer(record, "at", fold_stamp_utc_ms(work->service->parts.fold));
	json_put_cstring(record, "type", type);
	json_put_text(record, "actor", actor);
	json_put_cstring(record, "connector", work->connector->name);
}

bool inventory_work_submit(
	struct inventory_work *work, struct json_builder *record, struct error *err)
{
	struct json sealed;

	if (!json_object_seal(record, &sealed, err))
		return false;
	work->change.entry = json_canonical_text(work->arena, &sealed);
	if (work->change.entry.data == NULL)
		return error_set(err, ERROR_LIMIT, "no room for a record");
	return fold_submit(work->service->parts.fold, &work->change, err);
}

void inventory_work_answer(struct inventory_work *work)
{
	struct inventory_change *asked = work->asked;
	uint64_t index = work->change.index;
	struct error err = work->change.err;
	bool is_durable = work->change.is_durable;

	inventory_work_destroy(&work);
	if (asked != NULL)
		asked->done(asked, index, is_durable ? NULL : &err);
}

bool inventory_put_drops(const struct inventory_connector *connector, struct json_builder *record,
	const char *keep, struct error *err)
{
	struct json_builder list;
	struct json names;
	uint32_t count = 0;

	json_array_start(&list, record->arena);
	for (const struct inventory_set *set = connector->loose; set != NULL && count < LOOSE_MAX;
		set = set->next)
		if (keep == NULL || strcmp(set->id, keep) != 0) {
			json_add(&list, json_cstring(set->id));
			count++;
		}
	if (keep != NULL && connector->previous != NULL)
		json_add(&list, json_cstring(connector->previous->id));
	if (!json_array_seal(&list, &names, err))
		return false;
	if (names.count > 0)
		json_put(record, "drops", names);
	return true;
}

void inventory_put_time(struct json_builder *object, const char *name, int64_t utc_ms)
{
	char time[TIME_TEXT_BYTES];

	time_format_utc_ms(time, utc_ms);
	json_put_text(object, name, text_copy(object->arena, text_of(time)));
}
