/* Connectors and their sets.  What survives a restart is in records (inventory_fold.c); what is
 * staged or told is this process's. */
#include "services/inventory/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "services/inventory/inventory_private.h"

/* ---- sets ---- */

struct inventory_set *set_create(struct text id)
{
	struct inventory_set *set = calloc(1, sizeof *set);

	if (set != NULL && id.length < sizeof set->id)
		memcpy(set->id, id.data, id.length);
	return set;
}

void set_destroy(struct inventory_set **set)
{
	if (*set == NULL)
		return;
	free((*set)->parts);
	free(*set);
	*set = NULL;
}

bool set_add_part(struct inventory_set *set, const struct set_part *part, struct error *err)
{
	uint32_t capacity = set->parts_capacity == 0 ? 16 : 2 * set->parts_capacity;
	struct set_part *parts;

	if (set->parts_count >= INVENTORY_PARTS_MAX)
		return error_set(
			err, ERROR_LIMIT, "an inventory has at most %d parts", INVENTORY_PARTS_MAX);
	if (set->parts_count == set->parts_capacity) {
		parts = realloc(set->parts, capacity * sizeof *parts);
		if (parts == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for an inventory");
		set->parts = parts;
		set->parts_capacity = capacity;
	}
	set->parts[set->parts_count++] = *part;
	return true;
}

void telling_destroy(struct telling **telling)
{
	if (*telling == NULL)
		return;
	inventory_index_destroy(&(*telling)->index);
	free((*telling)->parts);
	free(*telling);
	*telling = NULL;
}

/* ---- connectors ---- */

static size_t place_of(const struct inventory_service *service, struct text name, bool *is_there)
{
	size_t at = 0;

	*is_there = false;
	while (at < service->connectors_count) {
		int order = text_compare(text_of(service->connectors[at]->name), name);

		*is_there = order == 0;
		if (order >= 0)
			break;
		at++;
	}
	return at;
}

struct inventory_connector *connector_find(
	const struct inventory_service *service, struct text name)
{
	bool is_there;
	size_t at = place_of(service, name, &is_there);

	return is_there ? service->connectors[at] : NULL;
}

struct inventory_connector *connector_need(
	struct inventory_service *service, struct text name, struct error *err)
{
	struct inventory_connector *connector;
	bool is_there;
	size_t at = place_of(service, name, &is_there);

	if (is_there)
		return service->connectors[at];
	if (!inventory_is_connector(name)) {
		error_set(err, ERROR_INVALID,
			"a connector's name is 1 to %d small letters, digits and dashes, from a "
			"letter",
			INVENTORY_CONNECTOR_BYTES_MAX);
		return NULL;
	}
	connector = service->connectors_count < INVENTORY_CONNECTORS_MAX
			    ? calloc(1, sizeof *connector)
			    : NULL;
	if (connector == NULL) {
		error_set(err, ERROR_LIMIT, "no room for more than %d connectors",
			INVENTORY_CONNECTORS_MAX);
		return NULL;
	}
	memcpy(connector->name, name.data, name.length);
	memmove(&service->connectors[at + 1], &service->connectors[at],
		(service->connectors_count - at) * sizeof(struct inventory_connector *));
	service->connectors[at] = connector;
	service->connectors_count++;
	return connector;
}

static void connector_destroy(struct inventory_connector *connector)
{
	while (connector->loose != NULL) {
		struct inventory_set *set = connector->loose;

		connector->loose = set->next;
		set_destroy(&set);
	}
	set_destroy(&connector->current);
	set_destroy(&connector->previous);
	staging_destroy(&connector->staging);
	telling_destroy(&connector->telling);
	inventory_index_destroy(&connector->index);
	free(connector);
}

/* ---- the service ---- */

bool inventory_create(
	struct inventory_service **out, const struct inventory_parts *parts, struct error *err)
{
	struct inventory_service *service = calloc(1, sizeof *service);

	*out = service;
	if (service == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for inventories");
	service->parts = *parts;
	random_bytes(service->key, sizeof service->key);
	service->arena = arena_create(PART_ARENA_BYTES_MAX);
	if (service->arena == NULL)
		error_set(err, ERROR_LIMIT, "no memory for inventories");
	else if (inventory_register(service, err) && containments_register(service, err))
		return true;
	inventory_destroy(out);
	return false;
}

void inventory_destroy(struct inventory_service **service)
{
	if (*service == NULL)
		return;
	for (size_t i = 0; i < (*service)->connectors_count; i++)
		connector_destroy((*service)->connectors[i]);
	containments_destroy(*service);
	arena_destroy(&(*service)->arena);
	free(*service);
	*service = NULL;
}

void inventory_listen(struct inventory_service *service, const struct inventory_listener *listener)
{
	service->listener = *listener;
}

bool part_read(struct inventory_service *service, uint64_t index, struct arena *arena,
	struct text *out, struct error *err)
{
	const struct inventory_contents *contents = &service->parts.contents;

	return contents->read(contents->context, index, arena, out, err);
}

bool next_line(struct text *text, struct text *out_line)
{
	if (text->length == 0)
		return false;
	*out_line = text_cut(text, '\n');
	return true;
}

bool inventory_step(struct inventory_service *service)
{
	bool is_busy = false;

	for (size_t i = 0; i < service->connectors_count; i++)
		is_busy |= staging_step(service, service->connectors[i]);
	for (size_t i = 0; i < service->connectors_count; i++)
		if (telling_step(service, service->connectors[i]))
			return true; /* one a step */
	return is_busy;
}
