/* Records of one connector, on their way to the log. */
#include <stdlib.h>
#include <string.h>

#include "services/inventory/inventory_private.h"

void inventory_work_destroy(struct inventory_work **work)
{
	if (*work == NULL)
		return;
	fold_record_destroy(&(*work)->record);
	buffer_deinit(&(*work)->content);
	free(*work);
	*work = NULL;
}

static void on_done(void *context, uint64_t index, const struct error *err)
{
	struct inventory_work *work = context;

	work->done(work, index, err);
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
	if (fold_record_create(&work->record, service->parts.fold, RECORD_ARENA_BYTES_MAX, err)) {
		work->record->context = work;
		work->record->done = on_done;
		return work;
	}
	inventory_work_destroy(&work);
	return NULL;
}

struct json_builder *inventory_record_start(
	struct inventory_work *work, const char *type, struct text actor)
{
	struct json_builder *object = &work->record->object;

	fold_record_start(work->record, type, actor);
	json_put_cstring(object, "connector", work->connector->name);
	return object;
}

bool inventory_work_submit(struct inventory_work *work, struct error *err)
{
	struct fold_record *record = work->record;

	work->record = NULL; /* done may run, and free the work, before this returns */
	return fold_record_send(&record, err);
}

void inventory_work_answer(struct inventory_work *work, uint64_t index, const struct error *err)
{
	struct inventory_change *asked = work->asked;

	inventory_work_destroy(&work);
	if (asked != NULL)
		asked->done(asked, index, err);
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
