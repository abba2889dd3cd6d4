/* Putting an import in force, whole, and bringing the one before back: one record each. */
#include <stdlib.h>
#include <string.h>

#include "services/inventory/inventory_private.h"

/* ---- putting it in force ---- */

struct dangling {
	uint32_t line;
};

static bool find_dangling(void *context, const struct inventory_index_entry *entry)
{
	struct dangling *dangling = context;

	if (entry->line == 0 && (dangling->line == 0 || entry->digest < dangling->line))
		dangling->line = entry->digest;
	return true;
}

static bool check_whole(const struct staging *staging, struct error *err)
{
	struct dangling dangling = {0};

	if (staging->unresolved == 0)
		return true;
	for (size_t share = 0; share < INVENTORY_INDEX_SHARES; share++)
		inventory_index_each(staging->index, share, find_dangling, &dangling);
	return error_set(err, ERROR_INVALID,
		"line %u: an end of the edge is not in the inventory (%llu such names)",
		dangling.line, (unsigned long long)staging->unresolved);
}

/* Whoever compares must know all of what is in force. */
static bool check_told(const struct inventory_connector *connector, struct error *err)
{
	const char *current = connector->current == NULL ? "" : connector->current->id;

	if (connector->telling == NULL && strcmp(connector->told, current) == 0)
		return true;
	return error_set(err, ERROR_CONFLICT,
		"the inventory in force is still being read; try again in a moment");
}

static uint64_t gone_of(const struct inventory_connector *connector, const struct staging *staging)
{
	uint64_t old = connector->index == NULL ? 0 : inventory_index_count(connector->index);
	uint64_t kept = staging->same + staging->changed;

	return old > kept ? old - kept : 0;
}

/* Keys of items that are in force and not in what is staged, with the lines they stand in. */
struct gone_search {
	const struct inventory_index *staged;
	uint32_t lines[INVENTORY_EXAMPLES_MAX];
	size_t count;
};

static bool find_gone(void *context, const struct inventory_index_entry *entry)
{
	struct gone_search *search = context;
	const struct inventory_index_entry *same = inventory_index_find(search->staged, entry->key);

	if (entry->line != 0 && (same == NULL || same->line == 0))
		search->lines[search->count++] = entry->line;
	return search->count < INVENTORY_EXAMPLES_MAX;
}

/* The key of the item in that line of what is in force. */
static bool key_of_line(struct inventory_service *service, const struct inventory_set *set,
	uint32_t line, struct buffer *out, struct error *err)
{
	struct inventory_item item;
	struct text lines, found = {NULL, 0};
	uint32_t at = set->parts_count;

	while (at > 0 && set->parts[at - 1].before >= line)
		at--;
	arena_reset(service->arena);
	if (at == 0 || !part_read(service, set->parts[at - 1].index, service->arena, &lines, err))
		return at == 0 ? error_set(err, ERROR_CORRUPT, "no such line") : false;
	for (uint64_t i = set->parts[at - 1].before; i < line; i++)
		if (!next_line(&lines, &found))
			return error_set(err, ERROR_CORRUPT, "a part has too few items");
	if (!inventory_item_parse(&item, service->arena, found, err))
		return false;
	inventory_item_key(out, &item);
	return true;
}

static bool put_gone(struct inventory_service *service, struct inventory_connector *connector,
	struct json_builder *examples, struct error *err)
{
	struct gone_search search = {.staged = connector->staging->index};
	struct json_builder list;
	struct json names;

	json_array_start(&list, examples->arena);
	for (size_t share = 0; connector->index != NULL && share < INVENTORY_INDEX_SHARES &&
			       search.count < INVENTORY_EXAMPLES_MAX;
		share++)
		inventory_index_each(connector->index, share, find_gone, &search);
	for (size_t i = 0; i < search.count; i++) {
		struct buffer key;
		bool ok;

		buffer_init(&key, KEY_BYTES_MAX);
		ok = key_of_line(service, connector->current, search.lines[i], &key, err);
		if (ok)
			json_add(&list, json_string(text_copy(examples->arena, buffer_text(&key))));
		buffer_deinit(&key);
		if (!ok)
			return false;
	}
	if (!json_array_seal(&list, &names, err))
		return false;
	json_put(examples, "gone", names);
	return true;
}

static bool put_examples(
	struct json_builder *object, const char *name, const struct text *all, struct error *err)
{
	struct json_builder list;
	struct json names;

	json_array_start(&list, object->arena);
	for (size_t i = 0; i < INVENTORY_EXAMPLES_MAX && all[i].length > 0; i++)
		json_add(&list, json_string(text_copy(object->arena, all[i])));
	if (!json_array_seal(&list, &names, err))
		return false;
	json_put(object, name, names);
	return true;
}

static void put_figures(struct json_builder *object, const struct inventory_connector *connector,
	const struct staging *staging)
{
	json_put_integer(object, "changed", (int64_t)staging->changed);
	json_put_integer(object, "gone", (int64_t)gone_of(connector, staging));
	json_put_integer(object, "items", (int64_t)staging->lines);
	json_put_integer(object, "new", (int64_t)staging->added);
	json_put_cstring(object, "provider", inventory_provider_word(staging->provider));
	json_put_integer(object, "same", (int64_t)staging->same);
	json_put_integer(object, "taken", staging->taken_utc_s);
}

bool inventory_plan(struct inventory_service *service, struct text name, struct text import,
	struct arena *arena, struct json *out, struct error *err)
{
	struct staging *staging = staging_find(service, name, import, err);
	struct inventory_connector *connector = connector_find(service, name);
	struct json_builder object, examples;
	struct json sealed;

	if (staging == NULL || !check_whole(staging, err) || !check_told(connector, err))
		return false;
	json_object_start(&object, arena);
	json_put_cstring(&object, "connector", connector->name);
	json_put_cstring(&object, "import", staging->id);
	put_figures(&object, connector, staging);
	json_object_start(&examples, arena);
	if (!put_examples(&examples, "new", staging->new_examples, err) ||
		!put_examples(&examples, "changed", staging->changed_examples, err) ||
		!put_gone(service, connector, &examples, err) ||
		!json_object_seal(&examples, &sealed, err))
		return false;
	json_put(&object, "examples", sealed);
	return json_object_seal(&object, out, err);
}

static bool check_commit(const struct inventory_connector *connector,
	const struct inventory_change *change, struct error *err)
{
	const struct staging *staging = connector->staging;
	uint64_t gone = gone_of(connector, staging);

	if (staging->is_dry)
		return error_set(err, ERROR_CONFLICT, "a dry import cannot be put in force");
	if (staging->asked != NULL || connector->is_changing)
		return error_set(err, ERROR_CONFLICT, "a change of this connector is on its way");
	if (connector->current != NULL && !change->takes_older &&
		staging->taken_utc_s < connector->current->taken_utc_s)
		return error_set(err, ERROR_CONFLICT,
			"it is older than what is in force; --older takes it all the same");
	if (!change->takes_smaller && gone > 0 &&
		gone + staging->same + staging->changed >= INVENTORY_SHRINK_MIN &&
		gone > staging->same + staging->changed)
		return error_set(err, ERROR_CONFLICT,
			"%llu of %llu items would be gone, more than half: is the export whole? "
			"--smaller takes it all the same",
			(unsigned long long)gone,
			(unsigned long long)(gone + staging->same + staging->changed));
	return true;
}

static void on_changed(struct inventory_work *work, uint64_t index, const struct error *err)
{
	struct inventory_connector *connector = work->connector;

	connector->is_changing = false;
	if (connector->staging != NULL && strcmp(connector->staging->id, work->import) == 0)
		staging_destroy(&connector->staging);
	inventory_work_answer(work, index, err);
}

bool inventory_commit(
	struct inventory_service *service, struct inventory_change *change, struct error *err)
{
	struct staging *staging = staging_find(service, change->connector, change->import, err);
	struct inventory_connector *connector = connector_find(service, change->connector);
	struct json_builder *record;
	struct inventory_work *work;

	if (staging == NULL || !check_whole(staging, err) || !check_told(connector, err) ||
		!check_commit(connector, change, err))
		return false;
	work = inventory_work_create(service, connector, err);
	if (work == NULL)
		return false;
	work->asked = change;
	work->done = on_changed;
	memcpy(work->import, staging->id, sizeof work->import);
	record = inventory_record_start(work, "inventory-imported", change->actor);
	json_put_cstring(record, "import", work->import);
	json_put_integer(record, "parts", staging->parts);
	put_figures(record, connector, staging);
	connector->is_changing = true;
	if (inventory_put_drops(connector, record, work->import, err) &&
		inventory_work_submit(work, err))
		return true;
	connector->is_changing = false;
	inventory_work_destroy(&work);
	return false;
}

/* ---- bringing the one before back ---- */

static bool check_undo(const struct inventory_connector *connector,
	const struct inventory_change *change, struct error *err)
{
	if (connector == NULL || connector->current == NULL)
		return error_set(err, ERROR_NOT_FOUND, "this connector has no inventory");
	if (connector->previous == NULL)
		return error_set(err, ERROR_NOT_FOUND,
			"there is no inventory before this one: one step back is kept");
	if (change->reason.length == 0 || change->reason.length > INVENTORY_REASON_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "reason: text of 1 to %d bytes is needed",
			INVENTORY_REASON_BYTES_MAX);
	if (connector->is_changing)
		return error_set(err, ERROR_CONFLICT, "a change of this connector is on its way");
	return true;
}

bool inventory_undo(
	struct inventory_service *service, struct inventory_change *change, struct error *err)
{
	struct inventory_connector *connector = connector_find(service, change->connector);
	struct json_builder *record;
	struct inventory_work *work;

	if (!check_undo(connector, change, err))
		return false;
	work = inventory_work_create(service, connector, err);
	if (work == NULL)
		return false;
	work->asked = change;
	work->done = on_changed;
	record = inventory_record_start(work, "inventory-undone", change->actor);
	json_put_cstring(record, "import", connector->current->id);
	json_put_cstring(record, "to", connector->previous->id);
	json_put_text(record, "reason", change->reason);
	connector->is_changing = true;
	if (inventory_work_submit(work, err))
		return true;
	connector->is_changing = false;
	inventory_work_destroy(&work);
	return false;
}
