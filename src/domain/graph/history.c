#include "domain/graph/history.h"

#include <stdlib.h>

#include "domain/charter/registry_fold.h"
#include "domain/graph/derive.h"

enum { FOLD_ARENA_BYTES_MAX = 64 * 1024 * 1024, BEFORE = 0, AFTER = 1, TIMES = 2 };

struct graph_history {
	int64_t ends_utc_ms[TIMES];
	struct registry *registry;
	struct graph *graphs[TIMES];
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
	history->entry = arena_create(FOLD_ARENA_BYTES_MAX);
	history->scratch = arena_create(FOLD_ARENA_BYTES_MAX);
	if (history->entry != NULL && history->scratch != NULL &&
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

bool graph_history_feed(
	struct graph_history *history, struct text entry, struct text content, struct error *err)
{
	struct json record;
	int64_t at_utc_ms;

	arena_reset(history->entry);
	if (!registry_entry_read(&record, history->entry, entry, content, err))
		return false;
	at_utc_ms = json_integer_or(&record, "at", 0);
	if (!changes_registry(json_text_or(&record, "type", "")) ||
		at_utc_ms > history->ends_utc_ms[AFTER])
		return true;
	if (!registry_fold(history->registry, &record, history->scratch, err))
		return false;
	for (int time = BEFORE; time < TIMES; time++)
		if (at_utc_ms <= history->ends_utc_ms[time] &&
			!graph_derive_record(history->graphs[time], history->registry, &record,
				history->scratch, err))
			return false;
	return true;
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

static void put_effects(struct json_builder *object, uint32_t effects)
{
	struct text words[EFFECT_DELEGATE + 1];
	uint32_t count = 0;

	for (int effect = EFFECT_READ; effect <= EFFECT_DELEGATE; effect++)
		if ((effects >> effect & 1) != 0)
			words[count++] = text_of(effect_word((enum effect)effect));
	if (count > 0)
		json_put_texts(object, "effects", words, count);
}

static void tell(struct differing *differing, const char *difference, const struct graph_edge *edge)
{
	struct json_builder object;
	struct json sealed;

	if (differing->items.count >= GRAPH_DIFFERENCES_MAX)
		return;
	json_object_start(&object, differing->arena);
	json_put_cstring(&object, "difference", difference);
	put_end(differing, &object, "from", edge->from);
	json_put_cstring(&object, "kind", graph_edge_kind_word(edge->kind));
	put_end(differing, &object, "to", edge->to);
	put_effects(&object, edge->effects);
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

bool graph_history_report(const struct graph_history *history, struct arena *arena,
	struct json *out, struct error *err)
{
	struct differing differing = {.one = history->graphs[AFTER],
		.other = history->graphs[BEFORE],
		.is_after = true,
		.arena = arena,
		.err = err};
	struct json_builder object;
	struct json items;

	json_array_start(&differing.items, arena);
	compare(&differing);
	differing.one = history->graphs[BEFORE];
	differing.other = history->graphs[AFTER];
	differing.is_after = false;
	compare(&differing);
	if (differing.has_failed || !json_array_seal(&differing.items, &items, err))
		return false;
	json_object_start(&object, arena);
	json_put_integer(&object, "new", differing.new_count);
	json_put_integer(&object, "gone", differing.gone);
	json_put_integer(&object, "changed", differing.changed);
	json_put(&object, "items", items);
	return json_object_seal(&object, out, err);
}
