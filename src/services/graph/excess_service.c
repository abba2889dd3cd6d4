/* Effective minus declared, as people see it, and the gate of an approval. */
#include "services/graph/graph_private.h"

#include <stdio.h>

static struct text name_of(const struct graph_service *service, graph_id node)
{
	struct graph_node found;

	return graph_node(service->graph, node, &found) ? found.name : TEXT("");
}

static void look(struct graph_service *service, const struct charter *charter, int64_t now_utc_s)
{
	graph_excess_of(service->search, service->graph, charter, graph_time_of(now_utc_s),
		&service->excess);
}

static const struct waiver *waiver_of(const struct graph_service *service,
	const struct charter *charter, const struct graph_excess_item *item, int64_t now_utc_s)
{
	const struct waiver *waiver = waiver_live(service->parts.waivers, WAIVER_OF_EXCESS,
		charter->name, name_of(service, item->resource), now_utc_s);

	return waiver != NULL && (item->effects & ~waiver->effects) == 0 ? waiver : NULL;
}

static const struct object *judged(const struct registry_entry *entry)
{
	if (entry == NULL)
		return NULL;
	return entry->waiting != NULL ? entry->waiting : entry->in_force;
}

uint32_t graph_excess_effects(struct graph_service *service, const struct registry_entry *identity,
	struct text resource, int64_t now_utc_s)
{
	const struct object *object = judged(identity);
	uint32_t effects = 0;

	if (object == NULL)
		return 0;
	look(service, charter_of(object), now_utc_s);
	for (size_t i = 0; i < service->excess.count; i++)
		if (text_equal(name_of(service, service->excess.items[i].resource), resource))
			effects |= service->excess.items[i].effects;
	return effects;
}

/* ---- in words ---- */

static struct text words_of(const struct graph_service *service,
	const struct graph_excess_item *item, struct arena *arena)
{
	char effects[64] = "";
	size_t length = 0;

	for (int effect = EFFECT_READ; effect <= EFFECT_EXECUTE; effect++)
		if ((item->effects >> effect & 1) != 0)
			length += (size_t)snprintf(effects + length, sizeof effects - length,
				"%s%s", length == 0 ? "" : ", ", effect_word((enum effect)effect));
	return text_format(arena, "%s of %.*s by %.*s", effects,
		TEXT_ARGS(name_of(service, item->resource)),
		TEXT_ARGS(name_of(service, item->account)));
}

size_t graph_excess_live(struct graph_service *service, const struct charter *charter,
	int64_t now_utc_s, struct arena *arena, struct text *first)
{
	size_t live = 0;

	*first = TEXT("");
	look(service, charter, now_utc_s);
	for (size_t i = 0; i < service->excess.count; i++) {
		const struct graph_excess_item *item = &service->excess.items[i];

		if (waiver_of(service, charter, item, now_utc_s) != NULL)
			continue;
		if (live++ == 0)
			*first = words_of(service, item, arena);
	}
	return live + (service->excess.total - service->excess.count);
}

bool graph_has_excess(
	struct graph_service *service, const struct charter *charter, int64_t now_utc_s)
{
	struct text first;

	arena_reset(service->scratch);
	return graph_excess_live(service, charter, now_utc_s, service->scratch, &first) > 0 ||
	       service->excess.is_cut || service->is_short;
}

/* ---- the gate ---- */

/* Nothing that could not be looked at to the end is let through. */
bool graph_check_excess(struct graph_service *service, const struct charter *charter,
	int64_t now_utc_s, struct error *err)
{
	struct text first;
	size_t live;

	arena_reset(service->scratch);
	live = graph_excess_live(service, charter, now_utc_s, service->scratch, &first);
	if (service->excess.is_cut || service->is_short)
		return error_set(err, ERROR_CONFLICT,
			"its accounts reach more than can be looked at: remit excess %.*s",
			TEXT_ARGS(charter->name));
	if (live == 0)
		return true;
	return error_set(err, ERROR_CONFLICT,
		"it gets at what it does not declare: %.*s%s: remit excess %.*s",
		(int)(first.length < 100 ? first.length : 100), first.data,
		live > 1 ? ", and more" : "", TEXT_ARGS(charter->name));
}

/* ---- as JSON ---- */

static void put_waiver(
	struct json_builder *object, struct arena *arena, const struct waiver *waiver)
{
	struct json_builder said;
	struct json sealed;
	struct error err;

	if (waiver == NULL)
		return;
	json_object_start(&said, arena);
	json_put_text(&said, "waiver", text_copy(arena, waiver->id));
	json_put_text(&said, "by", text_copy(arena, waiver->by));
	json_put_text(&said, "approved_by", text_copy(arena, waiver->approved_by));
	json_put_text(&said, "reason", text_copy(arena, waiver->reason));
	json_put_time(&said, "until", waiver->until_utc_s * 1000);
	if (json_object_seal(&said, &sealed, &err))
		json_put(object, "waived", sealed);
}

static bool item_json(const struct graph_service *service, const struct graph_excess_item *item,
	const struct waiver *waiver, struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder object;
	struct json edge;

	if (!graph_edge_json(service, item->edge, arena, &edge, err))
		return false;
	json_object_start(&object, arena);
	json_put_text(&object, "resource", name_of(service, item->resource));
	json_put_text_unless_empty(&object, "data_source", name_of(service, item->data_source));
	effects_put(&object, "effects", item->effects);
	json_put_cstring(&object, "sensitivity",
		item->sensitivity == SENSITIVITY_UNLABELLED ? "unlabelled"
							    : sensitivity_word(item->sensitivity));
	json_put_text(&object, "account", name_of(service, item->account));
	json_put(&object, "edge", edge);
	put_waiver(&object, arena, waiver);
	return json_object_seal(&object, out, err);
}

static bool items_json(const struct graph_service *service, const struct charter *charter,
	int64_t now_utc_s, struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder list;

	json_array_start(&list, arena);
	for (size_t i = 0; i < service->excess.count; i++) {
		const struct graph_excess_item *item = &service->excess.items[i];
		struct json json;

		if (!item_json(service, item, waiver_of(service, charter, item, now_utc_s), arena,
			    &json, err))
			return false;
		json_add(&list, json);
	}
	return json_array_seal(&list, out, err);
}

bool graph_excess_json(struct graph_service *service, struct text identity, int64_t now_utc_s,
	struct arena *arena, struct json *out, struct error *err)
{
	const struct registry_entry *entry =
		registry_find(service->parts.registry, OBJECT_IDENTITY, identity);
	const struct object *object = judged(entry);
	struct json_builder answer;
	struct json items;
	struct text first;
	size_t live;

	if (object == NULL)
		return error_set(err, ERROR_NOT_FOUND, "no identity \"%.*s\" has a charter",
			(int)(identity.length < 64 ? identity.length : 64), identity.data);
	live = graph_excess_live(service, charter_of(object), now_utc_s, arena, &first);
	if (!items_json(service, charter_of(object), now_utc_s, arena, &items, err))
		return false;
	json_object_start(&answer, arena);
	json_put_text(&answer, "identity", entry->name);
	json_put_integer(&answer, "version", object->version);
	json_put_integer(&answer, "total", (int64_t)service->excess.total);
	json_put_integer(&answer, "live", (int64_t)live);
	json_put(&answer, "items", items);
	if (service->excess.is_cut || service->is_short)
		json_put_boolean(&answer, "cut", true);
	return json_object_seal(&answer, out, err);
}
