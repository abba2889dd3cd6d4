/* How records become inventories.
 *
 *   inventory-part      a part of an import, beside it: means nothing yet
 *   inventory-imported  the import is in force; the one before it stays as the previous
 *   inventory-undone    the previous one is in force again, and none is before it
 *   inventory-dropped   parts that were never put in force are forgotten
 *
 * Rows of the store: inventory-part / CONNECTOR/IMPORT/NUMBER is the part's record (its index
 * says beside which record the items lie), inventory / CONNECTOR/IMPORT the import's; both are
 * there for the current and the previous one. */
#include <string.h>

#include "services/inventory/inventory_private.h"

static bool corrupt(struct error *err, const char *what)
{
	return error_set(err, ERROR_CORRUPT, "an inventory record: %s", what);
}

static struct inventory_set *loose_find(const struct inventory_connector *connector, struct text id)
{
	struct inventory_set *set = connector->loose;

	while (set != NULL && !text_is(id, set->id))
		set = set->next;
	return set;
}

static struct inventory_set *loose_take(struct inventory_connector *connector, struct text id)
{
	struct inventory_set **link = &connector->loose;
	struct inventory_set *set;

	while (*link != NULL && !text_is(id, (*link)->id))
		link = &(*link)->next;
	set = *link;
	if (set == NULL)
		return NULL;
	*link = set->next;
	set->next = NULL;
	return set;
}

static struct inventory_set *loose_need(
	struct inventory_connector *connector, struct text id, struct error *err)
{
	struct inventory_set *set = loose_find(connector, id);

	if (set != NULL)
		return set;
	set = set_create(id);
	if (set == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for an inventory");
		return NULL;
	}
	set->next = connector->loose;
	connector->loose = set;
	return set;
}

static struct inventory_connector *connector_of(
	struct inventory_service *service, const struct json *record, struct error *err)
{
	return connector_need(service, json_text_or(record, "connector", ""), err);
}

static bool fold_part(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct inventory_connector *connector = connector_of(state, record, err);
	struct text id = json_text_or(record, "import", "");
	struct set_part part = {.index = index};
	struct inventory_set *set;

	if (connector == NULL)
		return false;
	if (!random_id_is(id, "i-"))
		return corrupt(err, "a part of no import");
	set = loose_need(connector, id, err);
	if (set == NULL)
		return false;
	if (json_integer_or(record, "part", 0) != (int64_t)set->parts_count + 1)
		return corrupt(err, "a part out of order");
	part.before = set->items;
	set->items += (uint64_t)json_integer_or(record, "items", 0);
	return set_add_part(set, &part, err);
}

static void drop_named(struct inventory_connector *connector, const struct json *record)
{
	const struct json *drops = json_find(record, "drops");

	for (uint32_t i = 0; drops != NULL && drops->type == JSON_ARRAY && i < drops->count; i++) {
		struct inventory_set *set;

		if (drops->items[i].type != JSON_STRING)
			continue;
		set = loose_take(connector, drops->items[i].string);
		set_destroy(&set);
	}
}

static bool fold_imported(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct inventory_connector *connector = connector_of(state, record, err);
	struct text id = json_text_or(record, "import", "");
	struct text actor = json_text_or(record, "actor", "");
	struct inventory_set *set;

	if (connector == NULL)
		return false;
	set = loose_need(connector, id, err); /* one without items has no part */
	if (set == NULL)
		return false;
	if (set->parts_count != (uint64_t)json_integer_or(record, "parts", -1) ||
		set->items != (uint64_t)json_integer_or(record, "items", -1))
		return corrupt(err, "an import without all of its parts");
	(void)loose_take(connector, id);
	set->provider = inventory_provider_of(json_text_or(record, "provider", ""));
	set->taken_utc_s = json_integer_or(record, "taken", 0);
	set->at_utc_ms = json_integer_or(record, "at", 0);
	set->index = index;
	memcpy(set->actor, actor.data,
		actor.length < ACTOR_BYTES_MAX ? actor.length : ACTOR_BYTES_MAX);
	set_destroy(&connector->previous);
	connector->previous = connector->current;
	connector->current = set;
	drop_named(connector, record);
	return true;
}

static bool fold_undone(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct inventory_connector *connector = connector_of(state, record, err);

	(void)index;
	if (connector == NULL)
		return false;
	if (connector->current == NULL ||
		!text_is(json_text_or(record, "import", ""), connector->current->id))
		return corrupt(err, "what is undone is not in force");
	set_destroy(&connector->current);
	connector->current = connector->previous;
	connector->previous = NULL;
	return true;
}

static bool fold_dropped(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct inventory_connector *connector = connector_of(state, record, err);

	(void)index;
	if (connector == NULL)
		return false;
	drop_named(connector, record);
	return true;
}

/* ---- rows ---- */

static void project_part(const struct json *record, struct projection *projection)
{
	struct text connector = json_text_or(record, "connector", "");
	struct text import = json_text_or(record, "import", "");
	struct text key =
		text_format(projection_arena(projection), "%.*s/%.*s/%05lld", TEXT_ARGS(connector),
			TEXT_ARGS(import), (long long)json_integer_or(record, "part", 0));

	projection_put(projection, "inventory-part", key, record);
}

static void project_gone(struct projection *projection, struct text connector, struct text import)
{
	struct arena *arena = projection_arena(projection);

	projection_delete(projection, "inventory",
		text_format(arena, "%.*s/%.*s", TEXT_ARGS(connector), TEXT_ARGS(import)));
	projection_delete_prefix(projection, "inventory-part",
		text_format(arena, "%.*s/%.*s/", TEXT_ARGS(connector), TEXT_ARGS(import)));
}

static void project_dropped(const struct json *record, struct projection *projection)
{
	struct text connector = json_text_or(record, "connector", "");
	const struct json *drops = json_find(record, "drops");

	for (uint32_t i = 0; drops != NULL && drops->type == JSON_ARRAY && i < drops->count; i++)
		if (drops->items[i].type == JSON_STRING)
			project_gone(projection, connector, drops->items[i].string);
}

static void project_imported(const struct json *record, struct projection *projection)
{
	struct text connector = json_text_or(record, "connector", "");
	struct text import = json_text_or(record, "import", "");

	projection_put(projection, "inventory",
		text_format(projection_arena(projection), "%.*s/%.*s", TEXT_ARGS(connector),
			TEXT_ARGS(import)),
		record);
	project_dropped(record, projection);
}

static void project_undone(const struct json *record, struct projection *projection)
{
	project_gone(projection, json_text_or(record, "connector", ""),
		json_text_or(record, "import", ""));
}

bool inventory_register(struct inventory_service *service, struct error *err)
{
	static const struct {
		const char *type;
		fold_apply *apply;
		fold_project *project;
	} rows[] = {
		{"inventory-part", fold_part, project_part},
		{"inventory-imported", fold_imported, project_imported},
		{"inventory-undone", fold_undone, project_undone},
		{"inventory-dropped", fold_dropped, project_dropped},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct fold_handler handler = {
			.type = rows[i].type, .apply = rows[i].apply, .state = service};
		const struct fold_projector projector = {rows[i].type, rows[i].project};

		if (!fold_add(service->parts.fold, &handler, err) ||
			!fold_add_projector(service->parts.fold, &projector, err))
			return false;
	}
	return true;
}
