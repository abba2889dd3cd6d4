/* What people ask the graph: bounded, in pages, and it says where it stopped. */
#include "services/graph/graph_private.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is asked ---- */

static bool add_without(struct graph_service *service, struct text one,
	struct graph_question *question, struct error *err)
{
	int64_t number;

	if (question->without_edges_count == GRAPH_WITHOUT_MAX ||
		question->without_nodes_count == GRAPH_WITHOUT_MAX)
		return error_set(
			err, ERROR_INVALID, "without has at most %d of a kind", GRAPH_WITHOUT_MAX);
	if (text_to_int64(one, &number)) {
		struct graph_edge edge;

		if (number <= 0 || number > UINT32_MAX ||
			!graph_edge(service->graph, (graph_id)number, &edge))
			return error_set(err, ERROR_NOT_FOUND, "there is no edge %lld (any more)",
				(long long)number);
		question->without_edges[question->without_edges_count++] = (graph_id)number;
		return true;
	}
	return graph_resolve(
		service, one, &question->without_nodes[question->without_nodes_count++], err);
}

static bool read_without(struct graph_service *service, struct text without,
	struct graph_question *question, struct error *err)
{
	while (without.length > 0) {
		struct text one = text_cut(&without, '|');

		if (one.length > 0 && !add_without(service, one, question, err))
			return false;
	}
	return true;
}

static bool read_question(struct graph_service *service, const struct graph_asked *asked,
	struct graph_question *question, struct error *err)
{
	*question = (struct graph_question){
		.now_s = graph_time_of(asked->now_utc_s),
		.hops = asked->hops,
		.starts_count = 1,
	};
	return graph_resolve(service, asked->from, &question->starts[0], err) &&
	       (asked->to.length == 0 || graph_resolve(service, asked->to, &question->to, err)) &&
	       read_without(service, asked->without, question, err);
}

/* ---- path ---- */

static bool paths_json(const struct graph_service *service, const struct graph_path *paths,
	size_t count, struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder list;

	json_array_start(&list, arena);
	for (size_t i = 0; i < count; i++) {
		struct json path;

		if (!graph_edges_json(service, paths[i].edges, paths[i].count, arena, &path, err))
			return false;
		json_add(&list, path);
	}
	return json_array_seal(&list, out, err);
}

bool graph_path(struct graph_service *service, const struct graph_asked *asked, struct arena *arena,
	struct json *out, struct error *err)
{
	struct graph_path *paths = arena_array(arena, struct graph_path, GRAPH_PATHS_MAX);
	struct graph_question question;
	struct graph_reached reached;
	struct json_builder object;
	struct json list;
	size_t count;
	uint64_t total;
	bool is_cut;

	if (paths == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an answer");
	if (!read_question(service, asked, &question, err))
		return false;
	graph_search_run(service->search, service->graph, &question, &is_cut);
	total = graph_paths(service->search, question.to, paths, GRAPH_PATHS_MAX, &count);
	if (!paths_json(service, paths, count, arena, &list, err))
		return false;
	json_object_start(&object, arena);
	json_put_text(&object, "from", graph_reference(service, question.starts[0], arena));
	json_put_text(&object, "to", graph_reference(service, question.to, arena));
	if (graph_reached_find(service->search, question.to, &reached)) {
		json_put_integer(&object, "hops", reached.hops);
		effects_put(&object, "effects", reached.effects);
	}
	json_put_integer(&object, "total", (int64_t)total);
	json_put(&object, "paths", list);
	if (is_cut || service->is_short)
		json_put_boolean(&object, "cut", true);
	return json_object_seal(&object, out, err);
}

/* ---- reach ---- */

/* One thing that was reached, with what makes it worse than another. */
struct item {
	struct graph_reached reached;
	int weight;
};

/* What is reached of itself says little: people, units, and what only leads on. */
static bool is_target(enum graph_node_kind kind)
{
	return kind == GRAPH_NODE_TOOL || kind == GRAPH_NODE_DATA_SOURCE ||
	       kind == GRAPH_NODE_RESOURCE || kind == GRAPH_NODE_MODEL ||
	       kind == GRAPH_NODE_SERVER || kind == GRAPH_NODE_ACCOUNT ||
	       kind == GRAPH_NODE_IDENTITY || kind == GRAPH_NODE_CREDENTIAL;
}

/* Sensitive data that can be changed first; data before what leads to it. */
static int weigh(const struct graph_node *node, uint32_t effects)
{
	bool is_data = node->kind == GRAPH_NODE_DATA_SOURCE || node->kind == GRAPH_NODE_RESOURCE;
	int weight = is_data ? 100 * sensitivity_level(node->sensitivity) : 0;

	if (node->kind == GRAPH_NODE_TOOL)
		weight = 20 * risk_tier_level(node->risk);
	if ((effects >> EFFECT_EXECUTE & 1) != 0)
		weight += 3;
	if ((effects >> EFFECT_WRITE & 1) != 0)
		weight += 2;
	return weight + (int)((effects >> EFFECT_READ & 1));
}

static int worst_first(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return (a->reached.node > b->reached.node) - (a->reached.node < b->reached.node);
}

struct reaching {
	struct graph_service *service;
	struct arena *arena;
	struct item *items;
	size_t count;
	uint32_t kinds[GRAPH_NODE_MODEL + 1];
	uint32_t effects[EFFECT_DELEGATE + 1];
	uint32_t sensitivities[SENSITIVITY_RESTRICTED + 1];
	graph_id heir; /* whose inherited ways are told; 0: of none */
	graph_time now_s;
};

/* False: a start, or what is no answer by itself. */
static bool is_told(const struct graph_service *service, const struct graph_reached *reached,
	struct graph_node *node)
{
	return reached->hops > 0 && graph_node(service->graph, reached->node, node) &&
	       is_target(node->kind);
}

static int64_t count_targets(const struct graph_service *service)
{
	int64_t total = 0;

	for (size_t i = 0; i < graph_reached_count(service->search); i++) {
		struct graph_reached reached = graph_reached_at(service->search, i);
		struct graph_node node;

		total += is_told(service, &reached, &node);
	}
	return total;
}

static void add_item(struct reaching *reaching, const struct graph_reached *reached)
{
	struct graph_node node;

	if (!is_told(reaching->service, reached, &node))
		return;
	reaching->items[reaching->count++] =
		(struct item){*reached, weigh(&node, reached->effects)};
	reaching->kinds[node.kind]++;
	for (int effect = EFFECT_READ; effect <= EFFECT_DELEGATE; effect++)
		reaching->effects[effect] += reached->effects >> effect & 1;
	if (node.kind == GRAPH_NODE_DATA_SOURCE || node.kind == GRAPH_NODE_RESOURCE)
		reaching->sensitivities[node.sensitivity]++;
}

static bool collect(struct reaching *reaching, struct error *err)
{
	size_t count = graph_reached_count(reaching->service->search);

	reaching->items = arena_array(reaching->arena, struct item, count + 1);
	if (reaching->items == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an answer");
	for (size_t i = 0; i < count; i++) {
		struct graph_reached reached = graph_reached_at(reaching->service->search, i);

		add_item(reaching, &reached);
	}
	qsort(reaching->items, reaching->count, sizeof *reaching->items, worst_first);
	return true;
}

/* The way from the identity to what it inherits. */
static bool put_inherited(const struct reaching *reaching, const struct graph_reached *reached,
	struct json_builder *object, struct error *err)
{
	const struct graph_service *service = reaching->service;
	struct graph_reached at = *reached;
	struct graph_way way = {.count = reached->hops + 1};

	for (size_t i = way.count - 1; i > 0; i--) {
		way.edges[i] = at.edge;
		(void)graph_reached_find(service->search, at.before, &at);
	}
	way.edges[0] =
		graph_inherit_entry(service->graph, reaching->heir, at.node, reaching->now_s);
	json_put_cstring(object, "access", "inherited");
	return graph_put_way(service, &way, reaching->arena, object, err);
}

static bool item_json(const struct reaching *reaching, const struct item *item, struct json *out,
	struct error *err)
{
	const struct graph_service *service = reaching->service;
	struct json_builder object;
	struct json edge;
	struct graph_node node;

	(void)graph_node(service->graph, item->reached.node, &node);
	if (!graph_edge_json(service, item->reached.edge, reaching->arena, &edge, err))
		return false;
	json_object_start(&object, reaching->arena);
	json_put_text(
		&object, "what", graph_reference(service, item->reached.node, reaching->arena));
	json_put_text_unless_empty(&object, "title", node.title);
	effects_put(&object, "effects", item->reached.effects);
	if (sensitivity_word(node.sensitivity) != NULL)
		json_put_cstring(&object, "sensitivity", sensitivity_word(node.sensitivity));
	json_put_integer(&object, "hops", item->reached.hops);
	json_put_text(&object, "through",
		graph_reference(service, item->reached.before, reaching->arena));
	json_put(&object, "edge", edge);
	if (reaching->heir != 0 && !put_inherited(reaching, &item->reached, &object, err))
		return false;
	return json_object_seal(&object, out, err);
}

static bool counts_json(
	const struct reaching *reaching, struct json_builder *out, struct error *err)
{
	struct json_builder kinds, effects, levels;
	struct json sealed;

	json_object_start(&kinds, reaching->arena);
	for (int kind = 1; kind <= GRAPH_NODE_MODEL; kind++)
		if (reaching->kinds[kind] > 0)
			json_put_integer(&kinds, graph_node_kind_word((enum graph_node_kind)kind),
				reaching->kinds[kind]);
	if (!json_object_seal(&kinds, &sealed, err))
		return false;
	json_put(out, "counts", sealed);
	json_object_start(&effects, reaching->arena);
	for (int effect = EFFECT_READ; effect <= EFFECT_DELEGATE; effect++)
		if (reaching->effects[effect] > 0)
			json_put_integer(&effects, effect_word((enum effect)effect),
				reaching->effects[effect]);
	if (!json_object_seal(&effects, &sealed, err))
		return false;
	json_put(out, "effects", sealed);
	json_object_start(&levels, reaching->arena);
	for (int level = 0; level <= SENSITIVITY_RESTRICTED; level++)
		if (reaching->sensitivities[level] > 0)
			json_put_integer(&levels,
				level == 0 ? "unlabelled"
					   : sensitivity_word((enum sensitivity)level),
				reaching->sensitivities[level]);
	if (!json_object_seal(&levels, &sealed, err))
		return false;
	json_put(out, "sensitivity", sealed);
	return true;
}

static bool items_json(const struct reaching *reaching, const struct graph_asked *asked,
	struct json *out, struct error *err)
{
	struct json_builder list;

	json_array_start(&list, reaching->arena);
	for (size_t i = asked->after; i < reaching->count && i < asked->after + asked->count; i++) {
		struct json item;

		if (!item_json(reaching, &reaching->items[i], &item, err))
			return false;
		json_add(&list, item);
	}
	return json_array_seal(&list, out, err);
}

static bool reach_json(const struct reaching *reaching, const struct graph_asked *asked,
	graph_id start, struct json_builder *object, struct error *err)
{
	struct json items;

	json_object_start(object, reaching->arena);
	json_put_text(object, "node", graph_reference(reaching->service, start, reaching->arena));
	json_put_integer(object, "total", (int64_t)reaching->count);
	if (!counts_json(reaching, object, err) || !items_json(reaching, asked, &items, err))
		return false;
	json_put(object, "items", items);
	if (asked->after + asked->count < reaching->count)
		json_put_text(object, "next",
			text_format(reaching->arena, "%llu",
				(unsigned long long)asked->after + asked->count));
	return true;
}

/* As it was asked, from where what it inherits begins; false: not from everywhere. */
static bool ask_inherited(const struct graph_service *service, struct graph_question *question)
{
	struct graph_question inherited;
	bool has_all = graph_inherit_question(
		service->graph, question->starts[0], question->now_s, &inherited);

	question->kinds = inherited.kinds;
	question->starts_count = inherited.starts_count;
	memcpy(question->starts, inherited.starts, sizeof inherited.starts);
	return has_all;
}

bool graph_reach(struct graph_service *service, const struct graph_asked *asked,
	struct arena *arena, struct json *out, struct error *err)
{
	struct reaching reaching = {
		.service = service, .arena = arena, .now_s = graph_time_of(asked->now_utc_s)};
	struct graph_question question;
	struct json_builder object;
	bool has_all = true;
	graph_id start;
	bool is_cut;

	if (!read_question(service, asked, &question, err))
		return false;
	start = question.starts[0];
	if (asked->is_inherited) {
		has_all = ask_inherited(service, &question);
		reaching.heir = start;
	}
	graph_search_run(service->search, service->graph, &question, &is_cut);
	if (!collect(&reaching, err) || !reach_json(&reaching, asked, start, &object, err))
		return false;
	if (is_cut || !has_all || service->is_short)
		json_put_boolean(&object, "cut", true);
	return json_object_seal(&object, out, err);
}

bool graph_inherited(struct graph_service *service, struct text identity, int64_t now_utc_s,
	struct arena *arena, struct json *out, struct error *err)
{
	struct graph_question question;
	struct json_builder object;
	struct graph_node node;
	bool is_cut = false;
	int64_t total = 0;

	if (graph_find(service->graph, GRAPH_NODE_IDENTITY, identity, &node)) {
		bool has_all = graph_inherit_question(
			service->graph, node.id, graph_time_of(now_utc_s), &question);

		graph_search_run(service->search, service->graph, &question, &is_cut);
		is_cut = is_cut || !has_all;
		total = count_targets(service);
	}
	json_object_start(&object, arena);
	json_put_integer(&object, "total", total);
	if (is_cut || service->is_short)
		json_put_boolean(&object, "cut", true);
	return json_object_seal(&object, out, err);
}

/* ---- show ---- */

/* A walk over edges of every kind, both ways. */
struct showing {
	const struct graph_service *service;
	struct arena *arena;
	graph_id *nodes;
	size_t nodes_count;
	struct json_builder edges;
	graph_id *seen; /* edges */
	size_t seen_count;
	size_t skipped;
	const struct graph_asked *asked;
	struct error *err;
	bool has_failed;
	bool is_cut;
};

static bool is_among(const graph_id *ids, size_t count, graph_id id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static void add_node(struct showing *showing, graph_id node)
{
	if (is_among(showing->nodes, showing->nodes_count, node))
		return;
	if (showing->nodes_count == GRAPH_SHOWN_MAX)
		showing->is_cut = true;
	else
		showing->nodes[showing->nodes_count++] = node;
}

static bool show_edge(void *context, const struct graph_edge *edge)
{
	struct showing *showing = context;
	struct json json;

	if (is_among(showing->seen, showing->seen_count, edge->id))
		return true;
	if (showing->seen_count == (size_t)showing->asked->after + showing->asked->count) {
		showing->is_cut = true;
		return false;
	}
	showing->seen[showing->seen_count++] = edge->id;
	add_node(showing, edge->from);
	add_node(showing, edge->to);
	if (showing->seen_count <= showing->asked->after)
		return true;
	showing->has_failed =
		!graph_edge_json(showing->service, edge->id, showing->arena, &json, showing->err);
	if (!showing->has_failed)
		json_add(&showing->edges, json);
	return !showing->has_failed;
}

static void show_around(struct showing *showing, graph_id start, uint32_t hops)
{
	size_t from = 0;

	add_node(showing, start);
	for (uint32_t hop = 0; hop < hops && !showing->has_failed && !showing->is_cut; hop++) {
		size_t until = showing->nodes_count;

		for (; from < until && !showing->has_failed && !showing->is_cut; from++) {
			graph_each_out(showing->service->graph, showing->nodes[from],
				GRAPH_EDGE_NONE, show_edge, showing);
			if (!showing->has_failed && !showing->is_cut)
				graph_each_in(showing->service->graph, showing->nodes[from],
					GRAPH_EDGE_NONE, show_edge, showing);
		}
	}
}

static bool check_show(const struct graph_asked *asked, struct error *err)
{
	if (asked->hops > GRAPH_SHOW_HOPS_MAX)
		return error_set(err, ERROR_INVALID, "hops: 1 to %d", GRAPH_SHOW_HOPS_MAX);
	if (asked->after > GRAPH_SHOWN_MAX)
		return error_set(err, ERROR_INVALID,
			"after: at most %d edges around one node are shown; ask about another one",
			GRAPH_SHOWN_MAX);
	return true;
}

static bool showing_start(struct showing *showing, struct error *err)
{
	showing->nodes = arena_array(showing->arena, graph_id, GRAPH_SHOWN_MAX);
	showing->seen =
		arena_array(showing->arena, graph_id, (size_t)GRAPH_SHOWN_MAX + GRAPH_PAGE_MAX + 1);
	json_array_start(&showing->edges, showing->arena);
	return (showing->nodes != NULL && showing->seen != NULL) ||
	       error_set(err, ERROR_LIMIT, "no memory for an answer");
}

bool graph_show(struct graph_service *service, const struct graph_asked *asked, struct arena *arena,
	struct json *out, struct error *err)
{
	struct showing showing = {.service = service, .arena = arena, .asked = asked, .err = err};
	struct json_builder object;
	struct json node, edges;
	graph_id start;

	if (!check_show(asked, err) || !graph_resolve(service, asked->from, &start, err) ||
		!showing_start(&showing, err) ||
		!graph_node_json(service, start, arena, &node, err))
		return false;
	show_around(&showing, start, asked->hops == 0 ? 1 : asked->hops);
	if (showing.has_failed || !json_array_seal(&showing.edges, &edges, err))
		return false;
	json_object_start(&object, arena);
	json_put(&object, "node", node);
	json_put(&object, "items", edges);
	if (showing.is_cut && showing.seen_count < GRAPH_SHOWN_MAX)
		json_put_text(&object, "next",
			text_format(arena, "%llu", (unsigned long long)showing.seen_count));
	if (showing.is_cut || service->is_short)
		json_put_boolean(&object, "cut", true);
	return json_object_seal(&object, out, err);
}
