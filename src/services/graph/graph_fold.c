/* How records become the graph.
 *
 *   registry, state, person-key,  entries that changed are said anew, by who put them in force
 *   review-decided
 *   kill                          so are those it ended
 *
 * Rows of the store: graph-grant / KIND/NAME@VERSION who put that in force, and when.  While
 * records are loaded only these are kept in mind; when all are, every entry is said once. */
#include "services/graph/graph_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who put the version in force. */
struct grant {
	uint32_t version;
	graph_time since_s;
	char by[256];
};

void graph_forget_grants(struct graph_service *service)
{
	if (service->grants != NULL)
		name_table_destroy(&service->grants, free);
}

static struct text entry_key(char *buffer, size_t size, enum object_kind kind, struct text name)
{
	int length = snprintf(buffer, size, "%s/%.*s", object_kind_word(kind), TEXT_ARGS(name));

	return (struct text){buffer, length < 0 || (size_t)length >= size ? 0 : (size_t)length};
}

static graph_time time_of(const struct json *record)
{
	return graph_time_of(json_integer_or(record, "at", 0) / 1000);
}

/* ---- changes of the registry ---- */

static bool keep_grant(struct graph_service *service, const struct json *change,
	const struct graph_grant *made, struct error *err)
{
	char key[GRAPH_NAME_TEXT_BYTES];
	struct text name = entry_key(key, sizeof key,
		object_kind_of(json_text_or(change, "kind", "")), json_text_or(change, "name", ""));
	uint32_t version = (uint32_t)json_integer_or(change, "in_force", 0);
	struct grant *grant = name_table_find(service->grants, name);

	if (name.length == 0 || version == 0 || (grant != NULL && grant->version == version))
		return true;
	if (grant == NULL) {
		grant = calloc(1, sizeof *grant);
		if (grant == NULL || !name_table_put(service->grants, name, grant)) {
			free(grant);
			return error_set(err, ERROR_LIMIT, "no memory for the graph");
		}
	}
	grant->version = version;
	grant->since_s = made->since_s;
	(void)snprintf(grant->by, sizeof grant->by, "%.*s", TEXT_ARGS(made->by));
	return true;
}

static bool keep_grants(struct graph_service *service, const struct json *record, struct error *err)
{
	const struct json *changes = json_find(record, "changes");
	struct graph_grant made = {json_text_or(record, "actor", ""), time_of(record)};

	for (uint32_t i = 0; changes != NULL && changes->type == JSON_ARRAY && i < changes->count;
		i++)
		if (!keep_grant(service, &changes->items[i], &made, err))
			return false;
	return true;
}

static bool fold_changes(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct graph_service *service = state;
	struct error short_of;

	(void)index;
	if (!service->is_loaded)
		return keep_grants(service, record, err);
	/* A full graph is no reason to stop: it lets no charter in any more. */
	if (!graph_derive_record(
		    service->graph, service->parts.registry, record, service->scratch, &short_of))
		service->is_short = true;
	return true;
}

/* ---- the start ---- */

static bool derive_loaded(void *context, const struct registry_entry *entry)
{
	struct graph_service *service = context;
	char key[GRAPH_NAME_TEXT_BYTES];
	struct text name = entry_key(key, sizeof key, entry->kind, entry->name);
	const struct grant *grant =
		name.length == 0 ? NULL : name_table_find(service->grants, name);
	struct graph_grant made = {{NULL, 0}, 0};
	struct error short_of;

	if (grant != NULL && entry->in_force != NULL && grant->version == entry->in_force->version)
		made = (struct graph_grant){text_of(grant->by), grant->since_s};
	if (!graph_derive(service->graph, entry, &made, service->scratch, &short_of))
		service->is_short = true;
	return true;
}

static bool say_all(void *state, struct error *err)
{
	struct graph_service *service = state;

	(void)err;
	service->is_loaded = true;
	registry_each(service->parts.registry, OBJECT_NONE, TEXT(""), derive_loaded, service);
	graph_forget_grants(service);
	if (service->parts.log.next == NULL) {
		service->first_utc_ms = fold_stamp_utc_ms(service->parts.fold);
		service->counts_begun_s = graph_latest_use(service->graph);
		service->counts_since_s = service->counts_begun_s;
		graph_tail_end(&service->tail);
	}
	return true;
}

/* ---- rows ---- */

static struct text grant_key(struct arena *arena, const struct json *change, int64_t version)
{
	return text_format(arena, "%.*s/%.*s@%lld", TEXT_ARGS(json_text_or(change, "kind", "")),
		TEXT_ARGS(json_text_or(change, "name", "")), (long long)version);
}

/* {type, at, actor, changes: [{kind, name, in_force}]}: what keep_grant reads. */
static bool grant_row(
	struct json *out, struct arena *arena, const struct json *record, const struct json *change)
{
	struct json_builder row, list, kept;
	struct json sealed, changes;
	struct error err;

	json_object_start(&kept, arena);
	json_put_text(&kept, "kind", json_text_or(change, "kind", ""));
	json_put_text(&kept, "name", json_text_or(change, "name", ""));
	json_put_integer(&kept, "in_force", json_integer_or(change, "in_force", 0));
	json_array_start(&list, arena);
	if (!json_object_seal(&kept, &sealed, &err))
		return false;
	json_add(&list, sealed);
	if (!json_array_seal(&list, &changes, &err))
		return false;
	json_object_start(&row, arena);
	json_put_cstring(&row, "type", "graph-grant");
	json_put_integer(&row, "at", json_integer_or(record, "at", 0));
	json_put_text(&row, "actor", json_text_or(record, "actor", ""));
	json_put(&row, "changes", changes);
	return json_object_seal(&row, out, &err);
}

/* The first record with a version in force put it there; later ones leave it. */
static void project_change(
	const struct json *record, const struct json *change, struct projection *projection)
{
	struct arena *arena = projection_arena(projection);
	const struct json *drops = json_find(change, "drops");
	int64_t version = json_integer_or(change, "in_force", 0);
	struct json body;

	for (uint32_t i = 0; drops != NULL && drops->type == JSON_ARRAY && i < drops->count; i++)
		if (drops->items[i].type == JSON_INTEGER)
			projection_delete(projection, "graph-grant",
				grant_key(arena, change, drops->items[i].integer));
	if (version > 0 && grant_row(&body, arena, record, change))
		projection_put_first(
			projection, "graph-grant", grant_key(arena, change, version), &body);
}

static void project_changes(const struct json *record, struct projection *projection)
{
	const struct json *changes = json_find(record, "changes");

	for (uint32_t i = 0; changes != NULL && changes->type == JSON_ARRAY && i < changes->count;
		i++)
		project_change(record, &changes->items[i], projection);
}

bool graph_register(struct graph_service *service, struct error *err)
{
	const struct fold_handler handlers[] = {
		{.type = "registry", .apply = fold_changes, .loaded = say_all, .state = service},
		{.type = "state", .apply = fold_changes, .state = service},
		{.type = "review-decided", .apply = fold_changes, .state = service},
		{.type = "person-key", .apply = fold_changes, .state = service},
		{.type = "graph-grant", .apply = fold_changes, .state = service},
		{.type = "kill", .apply = fold_changes, .state = service},
	};
	static const struct fold_projector projectors[] = {
		{"registry", project_changes},
		{"state", project_changes},
		{"review-decided", project_changes},
	};

	for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
		if (!fold_add(service->parts.fold, &handlers[i], err))
			return false;
	for (size_t i = 0; i < sizeof projectors / sizeof *projectors; i++)
		if (!fold_add_projector(service->parts.fold, &projectors[i], err))
			return false;
	return true;
}
