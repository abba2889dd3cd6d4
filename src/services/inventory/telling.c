/* What the listener hears.  One pass walks the parts of the set in force, tells what is new or
 * says something else than before, and then what is gone; what it knows afterwards is the new
 * index.  A set that is put in force meanwhile is told by the next pass. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/inventory/inventory_private.h"

struct told_line {
	struct inventory_service *service;
	struct inventory_connector *connector;
	struct telling *telling;
	struct buffer key;
	uint64_t line;
};

static const char *current_id(const struct inventory_connector *connector)
{
	return connector->current == NULL ? "" : connector->current->id;
}

static struct text part_name(char out[PART_NAME_BYTES], uint64_t key)
{
	(void)snprintf(out, PART_NAME_BYTES, "%016llx", (unsigned long long)key);
	return (struct text){out, PART_NAME_BYTES - 1};
}

static void note_refused(struct inventory_connector *connector, const struct error *err)
{
	connector->refused++;
	(void)snprintf(connector->why, sizeof connector->why, "%s", err->text);
}

static void tell_item(struct told_line *told, uint64_t key, const struct inventory_item *item)
{
	const struct inventory_listener *listener = &told->service->listener;
	char name[PART_NAME_BYTES];
	struct error err = {0};

	if (listener->put != NULL &&
		!listener->put(listener->context, text_of(told->connector->name),
			part_name(name, key), item, &err))
		note_refused(told->connector, &err);
}

static bool tell_line(struct told_line *told, struct text line, struct error *err)
{
	const struct inventory_index_entry *old = NULL;
	struct inventory_index_entry *entry;
	struct inventory_item item;
	uint32_t digest = inventory_index_digest(told->service->key, line);
	uint64_t key;

	if (!inventory_item_parse(&item, told->service->arena, line, err))
		return false;
	buffer_reset(&told->key);
	inventory_item_key(&told->key, &item);
	key = inventory_index_key(told->service->key, buffer_text(&told->key));
	entry = inventory_index_find(told->telling->index, key);
	if (entry != NULL)
		return error_set(err, ERROR_CORRUPT, "an item stands in it twice");
	entry = inventory_index_put(told->telling->index, key);
	if (entry == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an inventory");
	entry->digest = digest;
	entry->line = (uint32_t)++told->line;
	inventory_index_counted(told->telling->index);
	if (told->connector->index != NULL)
		old = inventory_index_find(told->connector->index, key);
	if (old == NULL || old->digest != digest)
		tell_item(told, key, &item);
	return true;
}

static bool tell_part(
	struct inventory_service *service, struct inventory_connector *connector, struct error *err)
{
	struct telling *telling = connector->telling;
	const struct set_part *part = &telling->parts[telling->next_part];
	struct told_line told = {.service = service,
		.connector = connector,
		.telling = telling,
		.line = part->before};
	struct text lines, line;
	bool ok;

	buffer_init(&told.key, KEY_BYTES_MAX);
	arena_reset(service->arena);
	ok = part_read(service, part->index, service->arena, &lines, err);
	while (ok && next_line(&lines, &line))
		ok = tell_line(&told, line, err);
	buffer_deinit(&told.key);
	arena_reset(service->arena);
	telling->next_part++;
	return ok;
}

struct gone_walk {
	struct inventory_service *service;
	struct inventory_connector *connector;
};

static bool tell_gone(void *context, const struct inventory_index_entry *entry)
{
	struct gone_walk *walk = context;
	const struct inventory_listener *listener = &walk->service->listener;
	char name[PART_NAME_BYTES];
	struct error err = {0};

	if (listener->gone != NULL &&
		inventory_index_find(walk->connector->telling->index, entry->key) == NULL &&
		!listener->gone(listener->context, text_of(walk->connector->name),
			part_name(name, entry->key), &err))
		note_refused(walk->connector, &err);
	return true;
}

static void tell_share(struct inventory_service *service, struct inventory_connector *connector)
{
	struct gone_walk walk = {service, connector};

	if (connector->index != NULL)
		inventory_index_each(
			connector->index, connector->telling->next_share, tell_gone, &walk);
	connector->telling->next_share++;
}

/* ---- passes ---- */

static bool begin_telling(struct inventory_connector *connector, struct error *err)
{
	struct telling *telling = calloc(1, sizeof *telling);
	const struct inventory_set *set = connector->current;
	size_t count = set == NULL ? 0 : set->parts_count;

	connector->telling = telling;
	if (telling != NULL) {
		telling->index = inventory_index_create();
		telling->parts = calloc(count + 1, sizeof *telling->parts);
	}
	if (telling == NULL || telling->index == NULL || telling->parts == NULL) {
		telling_destroy(&connector->telling);
		return error_set(err, ERROR_LIMIT, "no memory to read an inventory");
	}
	(void)snprintf(telling->id, sizeof telling->id, "%s", current_id(connector));
	if (count > 0)
		memcpy(telling->parts, set->parts, count * sizeof *telling->parts);
	telling->parts_count = (uint32_t)count;
	connector->refused = 0;
	connector->why[0] = '\0';
	return true;
}

static void end_telling(struct inventory_connector *connector)
{
	struct telling *telling = connector->telling;

	memcpy(connector->told, telling->id, sizeof connector->told);
	inventory_index_destroy(&connector->index);
	connector->index = telling->index;
	telling->index = NULL;
	telling_destroy(&connector->telling);
}

/* What cannot be read stays as it was told before, and is not tried again until another set is
 * in force. */
static void fail_telling(struct inventory_connector *connector, const struct error *err)
{
	(void)snprintf(connector->why, sizeof connector->why, "%s", err->text);
	if (connector->telling != NULL)
		memcpy(connector->told, connector->telling->id, sizeof connector->told);
	telling_destroy(&connector->telling);
}

static void step(struct inventory_service *service, struct inventory_connector *connector)
{
	struct telling *telling = connector->telling;
	struct error err = {0};

	if (telling == NULL) {
		if (!begin_telling(connector, &err))
			fail_telling(connector, &err);
		return;
	}
	if (telling->next_part < telling->parts_count) {
		if (!tell_part(service, connector, &err))
			fail_telling(connector, &err);
	} else if (telling->next_share < INVENTORY_INDEX_SHARES) {
		tell_share(service, connector);
	} else {
		end_telling(connector);
	}
}

bool telling_step(struct inventory_service *service, struct inventory_connector *connector)
{
	if (connector->telling == NULL && strcmp(connector->told, current_id(connector)) == 0)
		return false;
	step(service, connector);
	return true;
}
