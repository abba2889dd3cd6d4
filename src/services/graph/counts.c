/* How often what was used, on record: `graph-uses`, of the pairs that were used since the last
 * time, with the record up to which that counts.  The last of a pass says from which record on
 * whoever starts has to read the log himself.  Folding an older one after a later changes
 * nothing: of each week the larger number stays.  Rows of the store: graph-count /
 * IDENTITY KIND:NAME[ EFFECT] its part of the last record; graph-counted / last the last pass. */
#include "services/graph/graph_private.h"

enum {
	COUNTS_ARENA_BYTES = 1024 * 1024,
	COUNTS_ENTRY_BYTES = 60000, /* an entry has at most 65,535 */
	ITEM_ROOM_BYTES = 3500,     /* two names and numbers */
	ITEM_BYTES = 450,           /* numbers and names of members */
};

/* ---- writing ---- */

struct counting {
	struct graph_service *service;
	struct fold_record *record;
	struct json_builder items;
	size_t bytes; /* about what the items take */
	bool has_failed;
};

static bool put_counts(struct json_builder *item, const struct graph_use *use)
{
	struct json_builder counts;
	struct json sealed;
	struct error err;

	json_array_start(&counts, item->arena);
	for (int i = 0; i < GRAPH_USE_WEEKS; i++)
		json_add(&counts, json_integer(use->counts[i]));
	if (!json_array_seal(&counts, &sealed, &err))
		return false;
	json_put(item, "counts", sealed);
	return true;
}

/* {"prod": the week in which it was last used there}. */
static bool put_weeks(struct json_builder *item, const char *name, const struct graph_use *use)
{
	bool is_effect = text_is(text_of(name), "effects");
	const uint8_t *ages = is_effect ? use->effects : use->environments;
	int most = is_effect ? EFFECT_DELEGATE : ENVIRONMENT_PROD;
	struct json_builder weeks;
	struct json sealed;
	struct error err;

	json_object_start(&weeks, item->arena);
	for (int i = 1; i <= most; i++)
		if (ages[i] != 0)
			json_put_integer(&weeks,
				is_effect ? effect_word((enum effect)i)
					  : environment_word((enum environment)i),
				use->week + 1 - ages[i]);
	if (!json_object_seal(&weeks, &sealed, &err))
		return false;
	if (sealed.count > 0)
		json_put(item, name, sealed);
	return true;
}

static bool put_numbers(struct json_builder *item, const struct graph_use *use)
{
	json_put_integer(item, "last", use->last_s);
	if (use->last_ms != 0)
		json_put_integer(item, "ms", use->last_ms);
	json_put_integer(item, "week", use->week);
	if (use->task != 0) {
		json_put_integer(item, "task", use->task);
		json_put_integer(item, "tasks", use->tasks);
	}
	return put_counts(item, use) && put_weeks(item, "environments", use) &&
	       put_weeks(item, "effects", use);
}

/* What was used keeps its name, whatever became of it. */
static bool put_item(struct counting *counting, const struct graph_use *use)
{
	const struct graph *graph = counting->service->graph;
	enum graph_node_kind from_kind, to_kind;
	struct text from, to;
	struct json_builder item;
	struct json sealed;
	struct error err;

	if (!graph_name_of(graph, use->from, &from_kind, &from) ||
		!graph_name_of(graph, use->to, &to_kind, &to))
		return false;
	json_object_start(&item, counting->record->arena);
	json_put_text(&item, "identity", from);
	json_put_text(&item, "to",
		text_format(counting->record->arena, "%s:%.*s", graph_node_kind_word(to_kind),
			TEXT_ARGS(to)));
	if (use->way != EFFECT_NONE)
		json_put_cstring(&item, "effect", effect_word(use->way));
	if (!put_numbers(&item, use) || !json_object_seal(&item, &sealed, &err))
		return false;
	json_add(&counting->items, sealed);
	counting->bytes += from.length + to.length + ITEM_BYTES;
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

/* What was not written is written by the next pass; until one is whole, whoever starts reads the
 * log from where the last whole one began. */
static void end_pass(struct graph_service *service)
{
	service->is_counting = false;
	service->counts_after = 0;
	if (!service->has_count_failed)
		service->counts_since_s = service->counts_begun_s;
}

static void on_written(void *context, uint64_t index, const struct error *err)
{
	struct graph_service *service = context;

	(void)index;
	service->is_count_written = false;
	if (err != NULL)
		service->has_count_failed = true;
	if (service->is_count_last || service->has_count_failed)
		end_pass(service);
}

static void put_pass(struct json_builder *record, const struct graph_service *service)
{
	json_put_integer(record, "begun", (int64_t)service->counts_begun_index);
	if (service->sure_utc_ms != 0)
		json_put_integer(record, "sure", service->sure_utc_ms);
	if (service->unnamed_utc_ms != 0)
		json_put_integer(record, "unnamed", service->unnamed_utc_ms);
}

/* Takes its record. */
static bool submit(struct counting *counting)
{
	struct graph_service *service = counting->service;
	struct fold_record *record = counting->record;
	struct json items;
	struct error err;

	if (counting->has_failed || !json_array_seal(&counting->items, &items, &err)) {
		fold_record_destroy(&record);
		return false;
	}
	record->context = service;
	record->done = on_written;
	fold_record_start(record, "graph-uses", TEXT("remit"));
	json_put(&record->object, "items", items);
	json_put_integer(&record->object, "through", (int64_t)graph_counted_next(service));
	if (service->is_count_last)
		put_pass(&record->object, service);
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
	service->is_count_last = service->counts_after == 0;
	if (!counting.has_failed && counting.items.count == 0 && !service->is_count_last) {
		fold_record_destroy(&counting.record);
		return;
	}
	service->is_count_written = true; /* what is submitted may be done before that returns */
	if (submit(&counting))
		return;
	service->is_count_written = false;
	service->has_count_failed = true;
	end_pass(service);
}

/* After so many records also where nothing was used: else each start reads them all again. */
static bool is_due(const struct graph_service *service)
{
	bool has_been_an_hour =
		graph_latest_use(service->graph) >= service->counts_begun_s + GRAPH_COUNTS_S;

	return (service->uses_noted > service->uses_begun && has_been_an_hour) ||
	       graph_counted_next(service) - service->counts_begun_index >= GRAPH_COUNTS_ENTRIES;
}

static void begin_pass(struct graph_service *service)
{
	service->is_counting = true;
	service->has_count_failed = false;
	service->counts_begun_s = graph_latest_use(service->graph);
	service->counts_begun_index = graph_counted_next(service);
	service->uses_begun = service->uses_noted;
	service->counts_after = 0;
}

bool graph_keep_counts(struct graph_service *service)
{
	if (!service->is_loaded || fold_has_failed(service->parts.fold))
		return false;
	if (!service->tail.is_done)
		return graph_tail_step(service);
	if (service->is_count_written)
		return service->is_counting;
	if (!service->is_counting) {
		if (!is_due(service))
			return false;
		begin_pass(service);
	}
	write_some(service);
	return service->is_counting;
}

/* ---- folding ---- */

static void read_weeks(const struct json *item, const char *name, uint16_t week, uint8_t *ages)
{
	const struct json *weeks = json_find(item, name);
	bool is_effect = text_is(text_of(name), "effects");

	for (uint32_t i = 0; weeks != NULL && weeks->type == JSON_OBJECT && i < weeks->count; i++) {
		const struct json_member *member = &weeks->members[i];
		int at = is_effect ? (int)effect_of(member->name)
				   : (int)environment_of(member->name);
		int64_t age = week + 1 - member->value.integer;

		if (at != 0 && member->value.type == JSON_INTEGER && age >= 1 &&
			age <= GRAPH_USE_WEEKS)
			ages[at] = (uint8_t)age;
	}
}

static void read_counts(const struct json *item, struct graph_use *out)
{
	const struct json *counts = json_find(item, "counts");

	for (uint32_t i = 0; counts != NULL && counts->type == JSON_ARRAY && i < counts->count &&
			     i < GRAPH_USE_WEEKS;
		i++)
		if (counts->items[i].type == JSON_INTEGER)
			out->counts[i] = (uint32_t)counts->items[i].integer;
	read_weeks(item, "environments", out->week, out->environments);
	read_weeks(item, "effects", out->week, out->effects);
}

/* Of a record of before only when it was used last: what it counts is counted anew. */
static struct graph_use read_use(const struct json *item, bool is_whole)
{
	struct graph_use use = {
		.way = effect_of(json_text_or(item, "effect", "")),
		.last_s = (graph_time)json_integer_or(item, "last", 0),
		.last_ms = (uint16_t)json_integer_or(item, "ms", 0),
		.week = (uint16_t)json_integer_or(item, "week", 0),
	};

	if (!is_whole)
		return use;
	use.task = (uint32_t)json_integer_or(item, "task", 0);
	use.tasks = (uint16_t)json_integer_or(item, "tasks", 0);
	read_counts(item, &use);
	return use;
}

static bool find_ends(struct graph *graph, const struct json *item, struct graph_use *use)
{
	struct text to = json_text_or(item, "to", "");
	ptrdiff_t colon = text_find_byte(to, ':');
	struct error ignored;

	return colon > 0 &&
	       graph_name_node(graph, GRAPH_NODE_IDENTITY, json_text_or(item, "identity", ""),
		       &use->from, &ignored) &&
	       graph_name_node(graph, graph_node_kind_of((struct text){to.data, (size_t)colon}),
		       text_after(to, (size_t)colon + 1), &use->to, &ignored);
}

static bool fold_item(struct graph_service *service, const struct json *item, int64_t through)
{
	struct graph_use use = read_use(item, through >= 0);
	struct error ignored;

	return find_ends(service->graph, item, &use) &&
	       graph_put_use(service->graph, &use, &ignored) &&
	       (through < 0 || graph_tail_note(&service->tail,
				       graph_use_number(service->graph, use.from, use.to, use.way),
				       (uint64_t)through));
}

static void fold_pass(struct graph_service *service, const struct json *record)
{
	int64_t begun = json_integer_or(record, "begun", -1);
	int64_t unnamed_utc_ms = json_integer_or(record, "unnamed", 0);

	graph_be_sure_from(service, json_integer_or(record, "sure", 0));
	if (unnamed_utc_ms > service->unnamed_utc_ms)
		service->unnamed_utc_ms = unnamed_utc_ms;
	if (begun < 0 || (service->tail.has_begun && (uint64_t)begun < service->tail.begun))
		return;
	service->tail.has_begun = true;
	service->tail.begun = (uint64_t)begun;
}

/* Of what this process wrote itself there is nothing to learn. */
static bool fold_uses(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct graph_service *service = state;
	const struct json *items = json_find(record, "items");
	int64_t through = json_integer_or(record, "through", -1);

	(void)index;
	(void)err;
	if (service->is_loaded)
		return true;
	for (uint32_t i = 0; items != NULL && items->type == JSON_ARRAY && i < items->count; i++)
		if (!fold_item(service, &items->items[i], through))
			graph_be_sure_from(service, json_integer_or(record, "at", 0));
	fold_pass(service, record);
	return true;
}

/* ---- rows ---- */

static struct text item_key(struct arena *arena, const struct json *item, struct text effect)
{
	struct text identity = json_text_or(item, "identity", "");
	struct text to = json_text_or(item, "to", "");

	if (effect.length == 0)
		return text_format(arena, "%.*s %.*s", TEXT_ARGS(identity), TEXT_ARGS(to));
	return text_format(
		arena, "%.*s %.*s %.*s", TEXT_ARGS(identity), TEXT_ARGS(to), TEXT_ARGS(effect));
}

/* Of a peer there is one without, too: who handed work to it. */
static bool is_by_effect(const struct json *item)
{
	struct text to = json_text_or(item, "to", "");

	return json_find(item, "effect") != NULL &&
	       (text_starts_with(to, "tool:") || text_starts_with(to, "model:"));
}

static void project_item(
	const struct json *record, const struct json *item, struct projection *projection)
{
	struct arena *arena = projection_arena(projection);
	struct text effect = json_text_or(item, "effect", "");
	struct json_builder row, list;
	struct json items, body;
	struct error err;

	json_array_start(&list, arena);
	json_add(&list, *item);
	if (!json_array_seal(&list, &items, &err))
		return;
	json_object_start(&row, arena);
	json_put_cstring(&row, "type", "graph-uses");
	json_put_integer(&row, "at", json_integer_or(record, "at", 0));
	json_put(&row, "items", items);
	if (json_find(record, "through") != NULL)
		json_put_integer(&row, "through", json_integer_or(record, "through", 0));
	if (!json_object_seal(&row, &body, &err))
		return;
	projection_put(projection, "graph-count", item_key(arena, item, effect), &body);
	if (is_by_effect(item)) /* of before uses were told apart so */
		projection_delete(projection, "graph-count", item_key(arena, item, TEXT("")));
}

static void project_pass(const struct json *record, struct projection *projection)
{
	static const char *const members[] = {"type", "at", "begun", "sure", "unnamed"};
	struct json_builder row;
	struct json body;
	struct error err;

	if (json_find(record, "begun") == NULL)
		return;
	json_object_start(&row, projection_arena(projection));
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const struct json *value = json_find(record, members[i]);

		if (value != NULL)
			json_put(&row, members[i], *value);
	}
	if (json_object_seal(&row, &body, &err))
		projection_put(projection, "graph-counted", TEXT("last"), &body);
	/* Of before the log was read for what no count tells. */
	projection_delete_prefix(projection, "graph-use", TEXT(""));
}

static void project_uses(const struct json *record, struct projection *projection)
{
	const struct json *items = json_find(record, "items");

	for (uint32_t i = 0; items != NULL && items->type == JSON_ARRAY && i < items->count; i++)
		project_item(record, &items->items[i], projection);
	project_pass(record, projection);
}

bool graph_register_counts(struct graph_service *service, struct error *err)
{
	const struct fold_handler handler = {
		.type = "graph-uses", .apply = fold_uses, .state = service};
	static const struct fold_projector projector = {"graph-uses", project_uses};

	return fold_add(service->parts.fold, &handler, err) &&
	       fold_add_projector(service->parts.fold, &projector, err);
}
