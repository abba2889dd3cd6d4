/* Living records: the table of what is due, and records on their way to it. */
#include "services/living/living_private.h"

#include <stdlib.h>

bool living_create(struct living_service **out, const struct registry *registry, struct fold *fold,
	struct error *err)
{
	struct living_service *living = calloc(1, sizeof *living);

	*out = NULL;
	if (living == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for living records");
	living->registry = registry;
	living->fold = fold;
	living->nodes = name_table_create();
	living->changed = name_table_create();
	if (living->nodes == NULL || living->changed == NULL)
		error_set(err, ERROR_LIMIT, "no memory for living records");
	else if (living_register(living, err)) {
		*out = living;
		return true;
	}
	living_destroy(&living);
	return false;
}

void living_destroy(struct living_service **living)
{
	if (*living == NULL)
		return;
	name_table_destroy(&(*living)->nodes, living_node_destroy);
	name_table_destroy(&(*living)->changed, living_changed_destroy);
	free(*living);
	*living = NULL;
}

void living_node_destroy(void *value)
{
	struct living_node *node = value;

	if (node == NULL)
		return;
	for (uint32_t i = 0; i < node->dues_count; i++)
		free(node->dues[i].what);
	free(node->dues);
	free(node->kept_name);
	free(node);
}

void living_changed_destroy(void *value)
{
	struct living_changed *changed = value;

	if (changed == NULL)
		return;
	free(changed->kept_key);
	free(changed);
}

/* ---- looking ---- */

struct living_node *living_find(const struct living_service *living, struct text identity)
{
	return identity.length == 0 ? NULL : name_table_find(living->nodes, identity);
}

const struct living_due *living_find_due(const struct living_node *node, enum review_cause cause)
{
	for (uint32_t i = 0; node != NULL && i < node->dues_count; i++)
		if (node->dues[i].cause == cause)
			return &node->dues[i];
	return NULL;
}

int64_t living_looked_utc_ms(const struct living_service *living, struct text identity)
{
	const struct registry_entry *entry = registry_find_identity(living->registry, identity);
	const struct living_node *node = living_find(living, identity);
	int64_t in_force = entry == NULL ? 0 : entry->in_force_utc_ms;
	int64_t looked = node == NULL ? 0 : node->looked_utc_ms;

	return looked > in_force ? looked : in_force;
}

int64_t living_due_utc_ms(const struct living_service *living, struct text identity)
{
	const struct living_node *node = living_find(living, identity);
	int64_t earliest = 0;

	for (uint32_t i = 0; node != NULL && i < node->dues_count; i++)
		if (earliest == 0 || node->dues[i].due_utc_ms < earliest)
			earliest = node->dues[i].due_utc_ms;
	return earliest;
}

int64_t living_waiting_utc_ms(const struct living_service *living)
{
	const struct living_changed *changed = name_table_next(living->changed, TEXT(""));
	int64_t earliest = 0;

	for (; changed != NULL; changed = name_table_next(living->changed, changed->key))
		if (earliest == 0 || changed->since_utc_ms < earliest)
			earliest = changed->since_utc_ms;
	return earliest;
}

/* ---- records ---- */

static void on_done(void *context, uint64_t index, const struct error *err)
{
	struct living_work *work = context;

	work->living->in_flight--;
	if (err != NULL)
		work->living->pass.has_lost = true;
	if (work->done != NULL)
		work->done(work->context, index, err);
}

bool living_work_create(struct living_work **out, struct living_service *living, const char *type,
	struct text actor, struct error *err)
{
	struct fold_record *record;
	struct living_work *work;

	*out = NULL;
	if (!fold_record_create(&record, living->fold, LIVING_ARENA_BYTES_MAX, err))
		return false;
	work = arena_new(record->arena, struct living_work);
	if (work == NULL) {
		fold_record_destroy(&record);
		return error_set(err, ERROR_LIMIT, "no memory for what is due");
	}
	work->record = record;
	work->living = living;
	record->context = work;
	record->done = on_done;
	fold_record_start(record, type, actor);
	*out = work;
	return true;
}

void living_work_destroy(struct living_work *work)
{
	struct fold_record *record = work->record;

	fold_record_destroy(&record);
}

bool living_work_submit(struct living_work *work, struct error *err)
{
	struct fold_record *record = work->record;
	struct living_service *living = work->living;

	living->in_flight++; /* on_done may run before fold_record_send returns */
	if (fold_record_send(&record, err))
		return true;
	living->in_flight--;
	return false;
}
