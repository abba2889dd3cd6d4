#include "domain/graph/history.h"

#include <stdlib.h>

#include "domain/charter/effects.h"
#include "domain/charter/registry_fold.h"
#include "domain/graph/derive.h"
#include "domain/graph/first_use.h"
#include "domain/inventory/past.h"

enum { BEFORE = 0, AFTER = 1, TIMES = 2 };

struct graph_history {
	int64_t ends_utc_ms[TIMES];
	struct registry *registry;
	struct graph *graphs[TIMES];
	struct inventory_past *inventories;
	struct first_uses *uses;
	int64_t begins_utc_ms; /* the first record */
	struct arena *entry;
	struct arena *scratch;
};

bool graph_history_create(
	struct graph_history **out, int64_t since_utc_ms, int64_t until_utc_ms, struct error *err)
{
	struct graph_history *history = calloc(1, sizeof *history);

	*out = history;
	if (history == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a history");
	history->ends_utc_ms[BEFORE] = since_utc_ms;
	history->ends_utc_ms[AFTER] = until_utc_ms;
	history->entry = arena_create(REGISTRY_ENTRY_ARENA_BYTES_MAX);
	history->scratch = arena_create(REGISTRY_ENTRY_ARENA_BYTES_MAX);
	history->uses = first_uses_create();
	if (history->entry != NULL && history->scratch != NULL && history->uses != NULL &&
		inventory_past_create(&history->inventories, since_utc_ms, until_utc_ms, err) &&
		registry_create(&history->registry, err) &&
		graph_create(&history->graphs[BEFORE], err) &&
		graph_create(&history->graphs[AFTER], err))
		return true;
	graph_history_destroy(out);
	return error_set(err, ERROR_LIMIT, "no memory for a history");
}

void graph_history_destroy(struct graph_history **history)
{
	struct graph_history *one = *history;

	if (one == NULL)
		return;
	graph_destroy(&one->graphs[BEFORE]);
	graph_destroy(&one->graphs[AFTER]);
	registry_destroy(&one->registry);
	inventory_past_destroy(&one->inventories);
	first_uses_destroy(&one->uses);
	arena_destroy(&one->entry);
	arena_destroy(&one->scratch);
	free(one);
	*history = NULL;
}

static bool changes_registry(struct text type)
{
	return text_is(type, "registry") || text_is(type, "state") ||
	       text_is(type, "review-decided") || text_is(type, "person-key") ||
	       text_is(type, "admin-code") || text_is(type, "kill");
}

static bool feed_registry(struct graph_history *history, const struct json *record,
	int64_t at_utc_ms, struct error *err)
{
	if (!registry_fold(history->registry, record, history->scratch, err))
		return false;
	for (int time = BEFORE; time < TIMES; time++)
		if (at_utc_ms <= history->ends_utc_ms[time] &&
			!graph_derive_record(history->graphs[time], history->registry, record,
				history->scratch, err))
			return false;
	return true;
}

bool graph_history_feed(
	struct graph_history *history, struct text entry, struct text content, struct error *err)
{
	struct json record;
	int64_t at_utc_ms;

	arena_reset(history->entry);
	if (!registry_entry_read(&record, history->entry, entry, content, err))
		return false;
	at_utc_ms = json_integer_or(&record, "at", 0);
	if (history->begins_utc_ms == 0)
		history->begins_utc_ms = at_utc_ms;
	if (at_utc_ms > history->ends_utc_ms[AFTER])
		return true;
	if (changes_registry(json_text_or(&record, "type", "")))
		return feed_registry(history, &record, at_utc_ms, err);
	if (text_is(json_text_or(&record, "type", ""), "decision"))
		return first_uses_feed(history->uses, &record, history->scratch, err);
	return inventory_past_feed(history->inventories, &record, content, err);
}

/* ---- what differs ---- */

struct differing {
	const struct graph *one;   /* whose edges are looked for */
	const struct graph *other; /* there */
	bool is_after;             /* one is the later */
	struct arena *arena;
	struct json_builder items;
	int64_t new_count;
	int64_t gone;
	int64_t changed;
	struct error *err;
	bool has_failed;
};

/* The same edge in the other graph: names of its ends, kind and scope. */
struct twin {
	const struct graph *graph;
	const struct graph_edge *wanted;
	graph_id to;
	struct graph_edge found;
	bool is_found;
};

static bool note_twin(void *context, const struct graph_edge *edge)
{
	struct twin *twin = context;

	if (edge->to != twin->to || !text_equal(edge->scope, twin->wanted->scope))
		return true;
	twin->found = *edge;
	twin->is_found = true;
	return false;
}

static bool find_twin(
	const struct differing *differing, const struct graph_edge *edge, struct graph_edge *out)
{
	struct twin twin = {.graph = differing->other, .wanted = edge};
	struct graph_node from, to, their_from, their_to;

	if (!graph_node(differing->one, edge->from, &from) ||
		!graph_node(differing->one, edge->to, &to) ||
		!graph_find(differing->other, from.kind, from.name, &their_from) ||
		!graph_find(differing->other, to.kind, to.name, &their_to))
		return false;
	twin.to = their_to.id;
	graph_each_out(differing->other, their_from.id, edge->kind, note_twin, &twin);
	*out = twin.found;
	return twin.is_found;
}

static bool is_same(const struct graph_edge *one, const struct graph_edge *other)
{
	return one->effects == other->effects && one->until_s == other->until_s &&
	       text_equal(one->by, other->by) && one->since_s == other->since_s;
}

static void put_end(const struct differing *differing, struct json_builder *object,
	const char *name, graph_id id)
{
	struct graph_node node;

	if (graph_node(differing->one, id, &node))
		json_put_text(object, name,
			text_format(differing->arena, "%s:%.*s", graph_node_kind_word(node.kind),
				TEXT_ARGS(node.name)));
}

static void tell(struct differing *differing, const char *difference, const struct graph_edge *edge)
{
	struct json_builder object;
	struct json sealed;

	if (differing->items.count >= GRAPH_DIFFERENCES_MAX)
		return;
	json_object_start(&object, differing->arena);
	json_put_cstring(&object, "difference", difference);
	json_put_cstring(&object, "layer", GRAPH_LAYER_REGISTRY);
	put_end(differing, &object, "from", edge->from);
	json_put_cstring(&object, "kind", graph_edge_kind_word(edge->kind));
	put_end(differing, &object, "to", edge->to);
	effects_put(&object, "effects", edge->effects);
	json_put_text_unless_empty(&object, "scope", edge->scope);
	json_put_text_unless_empty(&object, "by", edge->by);
	json_put_text_unless_empty(&object, "why", edge->why);
	differing->has_failed = !json_object_seal(&object, &sealed, differing->err);
	if (!differing->has_failed)
		json_add(&differing->items, sealed);
}

static bool compare_edge(void *context, const struct graph_edge *edge)
{
	struct differing *differing = context;
	struct graph_edge twin;

	if (!find_twin(differing, edge, &twin)) {
		*(differing->is_after ? &differing->new_count : &differing->gone) += 1;
		tell(differing, differing->is_after ? "new" : "gone", edge);
	} else if (differing->is_after && !is_same(edge, &twin)) {
		differing->changed++;
		tell(differing, "changed", edge);
	}
	return !differing->has_failed;
}

static void compare(struct differing *differing)
{
	struct graph_node node = {0};

	while (!differing->has_failed &&
		graph_next(differing->one, GRAPH_NODE_NONE, node.id, &node))
		graph_each_out(differing->one, node.id, GRAPH_EDGE_NONE, compare_edge, differing);
}

/* ---- what connectors saw ---- */

/* "account:CONNECTOR/ID" of the connector's own; others have their names. */
static void put_seen_end(const struct differing *differing, struct json_builder *object,
	const char *name, struct text connector, struct text reference)
{
	struct inventory_end end;

	if (!inventory_end_read(&end, reference))
		return;
	if (!end.is_own || end.kind == GRAPH_NODE_PERSON)
		json_put_text(object, name, text_copy(differing->arena, reference));
	else
		json_put_text(object, name,
			text_format(differing->arena, "%s:%.*s/%.*s",
				graph_node_kind_word(end.kind), TEXT_ARGS(connector),
				TEXT_ARGS(end.name)));
}

static void put_seen_edge(const struct differing *differing, struct json_builder *object,
	const struct inventory_difference *difference)
{
	const struct inventory_item *item = difference->item;
	struct arena *arena = differing->arena;

	put_seen_end(differing, object, "from", difference->connector, item->from);
	json_put_cstring(object, "kind", graph_edge_kind_word(item->edge));
	put_seen_end(differing, object, "to", difference->connector, item->to);
	effects_put(object, "effects", item->effects);
	json_put_text_unless_empty(object, "scope", text_copy(arena, item->scope));
	json_put_text_unless_empty(object, "by", text_copy(arena, item->by));
	json_put_text_unless_empty(object, "why", text_copy(arena, item->why));
}

static void put_seen_node(const struct differing *differing, struct json_builder *object,
	const struct inventory_difference *difference)
{
	const struct inventory_item *item = difference->item;
	struct arena *arena = differing->arena;

	if (item->node == GRAPH_NODE_PERSON)
		json_put_text(
			object, "node", text_format(arena, "person:%.*s", TEXT_ARGS(item->id)));
	else
		json_put_text(object, "node",
			text_format(arena, "%s:%.*s/%.*s", graph_node_kind_word(item->node),
				TEXT_ARGS(difference->connector), TEXT_ARGS(item->id)));
	json_put_text_unless_empty(object, "title", text_copy(arena, item->title));
}

static void count(struct differing *differing, enum inventory_differs differs)
{
	differing->new_count += differs == INVENTORY_NEW;
	differing->gone += differs == INVENTORY_GONE;
	differing->changed += differs == INVENTORY_CHANGED;
}

static bool tell_seen(
	void *context, const struct inventory_difference *difference, struct error *err)
{
	static const char *const words[] = {[INVENTORY_NEW] = "new",
		[INVENTORY_GONE] = "gone",
		[INVENTORY_CHANGED] = "changed"};
	struct differing *differing = context;
	struct json_builder object;
	struct json sealed;

	count(differing, difference->differs);
	if (differing->items.count >= GRAPH_DIFFERENCES_MAX)
		return true;
	json_object_start(&object, differing->arena);
	json_put_cstring(&object, "difference", words[difference->differs]);
	json_put_text(&object, "layer", difference->connector);
	if (difference->item->node == GRAPH_NODE_NONE)
		put_seen_edge(differing, &object, difference);
	else
		put_seen_node(differing, &object, difference);
	json_put_time_unless_zero(&object, "first_seen", difference->first_utc_s * 1000);
	json_put_time_unless_zero(&object, "last_seen", difference->last_utc_s * 1000);
	if (difference->changes_count > 0)
		json_put_texts(&object, "changed", difference->changes, difference->changes_count);
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_add(&differing->items, sealed);
	return true;
}

static bool layers_json(const struct graph_history *history, struct arena *arena, struct json *out,
	struct error *err)
{
	struct inventory_past_layer layer = {0};
	struct json_builder list;

	json_array_start(&list, arena);
	while (inventory_past_next(history->inventories, layer.connector, &layer)) {
		struct json_builder object;
		struct json one;

		json_object_start(&object, arena);
		json_put_text(&object, "layer", layer.connector);
		json_put_time_unless_zero(&object, "since", layer.since_utc_s * 1000);
		json_put_time_unless_zero(&object, "until", layer.until_utc_s * 1000);
		json_put_time_unless_zero(&object, "first", layer.first_utc_s * 1000);
		json_put_integer(&object, "items", (int64_t)layer.items);
		json_put_boolean(&object, "compared", layer.since_utc_s != 0 && !layer.is_lost);
		if (!json_object_seal(&object, &one, err))
			return false;
		json_add(&list, one);
	}
	return json_array_seal(&list, out, err);
}

/* ---- the report ---- */

static bool compare_registry(struct differing *differing, const struct graph_history *history)
{
	for (int time = AFTER; time >= BEFORE; time--) {
		differing->one = history->graphs[time];
		differing->other = history->graphs[time == AFTER ? BEFORE : AFTER];
		differing->is_after = time == AFTER;
		compare(differing);
	}
	return !differing->has_failed;
}

static bool compare_all(
	struct differing *differing, const struct graph_history *history, int64_t *first_used)
{
	size_t told;

	if (!compare_registry(differing, history) ||
		!inventory_past_compare(history->inventories, tell_seen, differing, differing->err))
		return false;
	told = differing->items.count;
	return first_uses_tell(history->uses, history->ends_utc_ms[BEFORE],
		told < GRAPH_DIFFERENCES_MAX ? GRAPH_DIFFERENCES_MAX - told : 0, &differing->items,
		first_used, differing->err);
}

bool graph_history_report(const struct graph_history *history, struct arena *arena,
	struct json *out, struct error *err)
{
	struct differing differing = {.arena = arena, .err = err};
	struct json_builder object;
	struct json items, layers;
	int64_t first_used;

	json_array_start(&differing.items, arena);
	if (!compare_all(&differing, history, &first_used) ||
		!json_array_seal(&differing.items, &items, err) ||
		!layers_json(history, arena, &layers, err))
		return false;
	json_object_start(&object, arena);
	json_put_integer(&object, "new", differing.new_count);
	json_put_integer(&object, "gone", differing.gone);
	json_put_integer(&object, "changed", differing.changed);
	json_put_integer(&object, "first_used", first_used);
	if (history->begins_utc_ms > history->ends_utc_ms[BEFORE])
		json_put_time_unless_zero(&object, "begins", history->begins_utc_ms / 1000 * 1000);
	json_put(&object, "layers", layers);
	json_put(&object, "items", items);
	return json_object_seal(&object, out, err);
}
