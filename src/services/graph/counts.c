/* How often what was used, on record: `graph-uses`, of the pairs that were used since the last
 * time.  Folding one twice, or after the decisions that it counts, changes nothing: of each week
 * the larger number stays.  Rows of the store: graph-count / IDENTITY KIND:NAME its part of the
 * last record. */
#include "services/graph/graph_private.h"

enum {
	COUNTS_ARENA_BYTES = 512 * 1024,
	COUNTS_ENTRY_BYTES = 60000, /* an entry has at most 65,535 */
	ITEM_ROOM_BYTES = 3000,     /* two names and numbers */
};

/* ---- writing ---- */

struct counting {
	struct graph_service *service;
	struct fold_record *record;
	struct json_builder items;
	size_t bytes; /* about what the items take */
	bool has_failed;
};

static bool put_counts(
	struct counting *counting, struct json_builder *item, const struct graph_use *use)
{
	struct json_builder counts;
	struct json sealed;
	struct error err;

	json_array_start(&counts, counting->record->arena);
	for (int i = 0; i < GRAPH_USE_WEEKS; i++)
		json_add(&counts, json_integer(use->counts[i]));
	if (!json_array_seal(&counts, &sealed, &err))
		return false;
	json_put(item, "counts", sealed);
	return true;
}

static bool put_item(struct counting *counting, const struct graph_use *use)
{
	struct graph_node from;
	struct text to = graph_reference(counting->service, use->to, counting->record->arena);
	struct json_builder item;
	struct json sealed;
	struct error err;

	if (!graph_node(counting->service->graph, use->from, &from) || to.length == 0)
		return true; /* neither is there any more */
	json_object_start(&item, counting->record->arena);
	json_put_text(&item, "identity", from.name);
	json_put_integer(&item, "last", use->last_s);
	json_put_text(&item, "to", to);
	json_put_integer(&item, "week", use->week);
	if (!put_counts(counting, &item, use) || !json_object_seal(&item, &sealed, &err))
		return false;
	json_add(&counting->items, sealed);
	counting->bytes += from.name.length + to.length + 200;
	return true;
}

static bool note_pair(void *context, const struct graph_use *use)
{
	struct counting *counting = context;

	if (use->last_s < counting->service->counts_since_s)
		return true;
	counting->has_failed = !put_item(counting, use);
	return !counting->has_failed && counting->items.count < GRAPH_COUNTS_A_RECORD &&
	       counting->bytes + ITEM_ROOM_BYTES < COUNTS_ENTRY_BYTES;
}

/* What was not written is written the next time its pair is used. */
static void on_written(void *context, uint64_t index, const struct error *err)
{
	struct graph_service *service = context;

	(void)index;
	(void)err;
	service->is_count_written = false;
}

/* Takes its record. */
static bool submit(struct counting *counting)
{
	struct fold_record *record = counting->record;
	struct json items;
	struct error err;

	if (counting->items.count == 0 || counting->has_failed ||
		!json_array_seal(&counting->items, &items, &err)) {
		fold_record_destroy(&record);
		return false;
	}
	record->context = counting->service;
	record->done = on_written;
	fold_record_start(record, "graph-uses", TEXT("remit"));
	json_put(&record->object, "items", items);
	return fold_record_send(&record, &err);
}

/* Looks at some pairs, and writes those that were used. */
static void write_some(struct graph_service *service)
{
	struct counting counting = {.service = service};
	struct error err;

	if (!fold_record_create(&counting.record, service->parts.fold, COUNTS_ARENA_BYTES, &err))
		return;
	json_array_start(&counting.items, counting.record->arena);
	service->counts_after = graph_each_use_after(
		service->graph, service->counts_after, GRAPH_COUNTS_LOOKS, note_pair, &counting);
	if (service->counts_after == 0) {
		service->is_counting = false;
		service->counts_since_s = service->counts_begun_s;
	}
	service->is_count_written = true; /* what is submitted may be done before that returns */
	if (!submit(&counting))
		service->is_count_written = false;
}

bool graph_keep_counts(struct graph_service *service)
{
	graph_time latest_s = graph_latest_use(service->graph);

	if (!service->is_loaded || fold_has_failed(service->parts.fold))
		return false;
	if (service->is_count_written)
		return service->is_counting;
	if (!service->is_counting) {
		if (latest_s < service->counts_begun_s + GRAPH_COUNTS_S)
			return false;
		service->is_counting = true;
		service->counts_begun_s = latest_s;
		service->counts_after = 0;
	}
	write_some(service);
	return service->is_counting;
}

/* ---- folding ---- */

static bool read_use(struct graph_service *service, const struct json *item, struct graph_use *out)
{
	const struct json *counts = json_find(item, "counts");
	struct text to = json_text_or(item, "to", "");
	ptrdiff_t colon = text_find_byte(to, ':');
	struct error ignored;

	*out = (struct graph_use){
		.last_s = (graph_time)json_integer_or(item, "last", 0),
		.week = (uint16_t)json_integer_or(item, "week", 0),
	};
	for (uint32_t i = 0; counts != NULL && counts->type == JSON_ARRAY && i < counts->count &&
			     i < GRAPH_USE_WEEKS;
		i++)
		if (counts->items[i].type == JSON_INTEGER)
			out->counts[i] = (uint16_t)counts->items[i].integer;
	return colon > 0 &&
	       graph_name_node(service->graph, GRAPH_NODE_IDENTITY,
		       json_text_or(item, "identity", ""), &out->from, &ignored) &&
	       graph_name_node(service->graph,
		       graph_node_kind_of((struct text){to.data, (size_t)colon}),
		       text_after(to, (size_t)colon + 1), &out->to, &ignored);
}

static bool fold_uses(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct graph_service *service = state;
	const struct json *items = json_find(record, "items");

	(void)index;
	(void)err;
	for (uint32_t i = 0; items != NULL && items->type == JSON_ARRAY && i < items->count; i++) {
		struct graph_use use;
		struct error ignored;

		if (!read_use(service, &items->items[i], &use) ||
			!graph_put_use(service->graph, &use, &ignored))
			service->uses_lost++;
	}
	return true;
}

static void project_item(const struct json *item, struct projection *projection)
{
	struct arena *arena = projection_arena(projection);
	struct json_builder row, list;
	struct json items, body;
	struct error err;

	json_array_start(&list, arena);
	json_add(&list, *item);
	if (!json_array_seal(&list, &items, &err))
		return;
	json_object_start(&row, arena);
	json_put_cstring(&row, "type", "graph-uses");
	json_put(&row, "items", items);
	if (json_object_seal(&row, &body, &err))
		projection_put(projection, "graph-count",
			text_format(arena, "%.*s %.*s",
				TEXT_ARGS(json_text_or(item, "identity", "")),
				TEXT_ARGS(json_text_or(item, "to", ""))),
			&body);
}

static void project_uses(const struct json *record, struct projection *projection)
{
	const struct json *items = json_find(record, "items");

	for (uint32_t i = 0; items != NULL && items->type == JSON_ARRAY && i < items->count; i++)
		project_item(&items->items[i], projection);
}

bool graph_register_counts(struct graph_service *service, struct error *err)
{
	const struct fold_handler handler = {
		.type = "graph-uses", .apply = fold_uses, .state = service};
	static const struct fold_projector projector = {"graph-uses", project_uses};

	return fold_add(service->parts.fold, &handler, err) &&
	       fold_add_projector(service->parts.fold, &projector, err);
}
