/* Fixed records that point at each other by number; texts are kept once.
 *
 * Invariants:
 *  1. a vertex's edges are two chains, out and in, doubly linked, and counted;
 *  2. a vertex's statements stand in order of rank, and no part has two of them;
 *  3. every part but the open one says something;
 *  4. live counts the vertices that have a statement or an edge;
 *  5. the heads of statements alike are in by_fingerprint;
 *  6. terms are in by_terms, and held by as many edges as they count. */
#include "domain/graph/graph_private.h"

#include <assert.h>
#include <stdlib.h>

static uint32_t hash_vertex(const void *owner, uint32_t number)
{
	const struct graph_vertex *vertex = vertex_at(owner, number);
	struct graph_vertex_key key = {(enum graph_node_kind)vertex->kind, vertex->name};

	return graph_vertex_hash(&key);
}

static bool is_vertex(const void *owner, uint32_t number, const void *key)
{
	const struct graph_vertex *vertex = vertex_at(owner, number);
	const struct graph_vertex_key *wanted = key;

	return vertex->name == wanted->name && vertex->kind == (uint8_t)wanted->kind;
}

static uint32_t hash_named(const struct graph_part *part)
{
	return graph_index_mix(graph_index_mix(part->layer, part->kind), part->name);
}

static uint32_t hash_part(const void *owner, uint32_t number)
{
	return hash_named(part_at(owner, number));
}

static bool is_part(const void *owner, uint32_t number, const void *key)
{
	const struct graph_part *part = part_at(owner, number);
	const struct graph_part *wanted = key;

	return part->layer == wanted->layer && part->kind == wanted->kind &&
	       part->name == wanted->name;
}

const struct graph_index_rules graph_vertex_rules = {hash_vertex, is_vertex};
const struct graph_index_rules graph_part_rules = {hash_part, is_part};

uint32_t graph_vertex_hash(const struct graph_vertex_key *key)
{
	return graph_index_mix((uint32_t)key->kind, key->name);
}

bool graph_create(struct graph **out, struct error *err)
{
	struct graph *graph = calloc(1, sizeof *graph);

	*out = graph;
	if (graph == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a graph");
	graph_texts_init(&graph->texts);
	graph_pages_init(&graph->vertices, sizeof(struct graph_vertex), GRAPH_NODES_MAX);
	graph_pages_init(&graph->statements, sizeof(struct graph_statement), GRAPH_EDGES_MAX);
	graph_pages_init(&graph->links, sizeof(struct graph_link), GRAPH_EDGES_MAX);
	graph_pages_init(&graph->parts, sizeof(struct graph_part), GRAPH_EDGES_MAX);
	graph_pages_init(&graph->terms, sizeof(struct graph_terms), GRAPH_EDGES_MAX);
	graph_pages_init(&graph->uses, sizeof(struct graph_kept_use), GRAPH_USES_MAX);
	graph_pages_init(&graph->wide, sizeof(struct graph_wide_counts), GRAPH_USES_MAX);
	return true;
}

void graph_destroy(struct graph **graph)
{
	struct graph *one = *graph;

	if (one == NULL)
		return;
	graph_texts_deinit(&one->texts);
	graph_pages_deinit(&one->vertices);
	graph_pages_deinit(&one->statements);
	graph_pages_deinit(&one->links);
	graph_pages_deinit(&one->parts);
	graph_pages_deinit(&one->terms);
	graph_pages_deinit(&one->uses);
	graph_pages_deinit(&one->wide);
	graph_index_deinit(&one->by_name);
	graph_index_deinit(&one->by_part);
	graph_index_deinit(&one->by_terms);
	graph_index_deinit(&one->by_fingerprint);
	graph_index_deinit(&one->by_ends);
	free(one);
	*graph = NULL;
}

/* ---- layers and parts ---- */

static bool no_memory(struct error *err)
{
	return error_set(err, ERROR_LIMIT, "the graph has no memory");
}

static enum graph_origin origin_of(struct text layer)
{
	if (text_is(layer, GRAPH_LAYER_REGISTRY))
		return GRAPH_ORIGIN_DECLARED;
	return text_is(layer, GRAPH_LAYER_RECORDED) ? GRAPH_ORIGIN_RECORDED : GRAPH_ORIGIN_SEEN;
}

static bool find_layer(const struct graph *graph, struct text name, uint32_t *out)
{
	uint32_t number = graph_texts_find(&graph->texts, name);

	for (*out = 0; number != 0 && *out < graph->layers_count; ++*out)
		if (graph->layers[*out].name == number)
			return true;
	return false;
}

static bool check_name(struct text name, struct error *err)
{
	if (name.length == 0 || name.length > GRAPH_NAME_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "a name in the graph has 1 to %d bytes",
			GRAPH_NAME_BYTES_MAX);
	return true;
}

static bool find_or_add_layer(
	struct graph *graph, struct text name, uint32_t *out, struct error *err)
{
	struct graph_layer layer = {.origin = origin_of(name)};

	if (!check_name(name, err))
		return false;
	if (find_layer(graph, name, out))
		return true;
	if (graph->layers_count == GRAPH_LAYERS_MAX)
		return error_set(err, ERROR_LIMIT, "the graph has %d layers, the most it may have",
			GRAPH_LAYERS_MAX);
	if (!graph_texts_hold(&graph->texts, name, &layer.name))
		return no_memory(err);
	*out = (uint32_t)graph->layers_count;
	graph->layers[graph->layers_count++] = layer;
	return true;
}

static void part_link(struct graph *graph, uint32_t number)
{
	struct graph_part *part = part_at(graph, number);
	struct graph_layer *layer = &graph->layers[part->layer];

	part->next = layer->part;
	if (layer->part != 0)
		part_at(graph, layer->part)->last = number;
	layer->part = number;
}

static void release_name(struct graph *graph, const struct graph_part *part)
{
	graph_texts_release(&graph->texts, part->kind);
	graph_texts_release(&graph->texts, part->name);
}

static bool hold_name(struct graph *graph, struct text name, struct graph_part *out)
{
	ptrdiff_t slash = text_find_byte(name, '/');
	size_t kind_bytes = slash < 0 ? 0 : (size_t)slash + 1;
	struct text kind = {name.data, kind_bytes};
	struct text rest = {name.data + kind_bytes, name.length - kind_bytes};

	if (graph_texts_hold(&graph->texts, kind, &out->kind) &&
		graph_texts_hold(&graph->texts, rest, &out->name))
		return true;
	release_name(graph, out);
	return false;
}

static void part_remove(struct graph *graph, uint32_t number)
{
	struct graph_part *part = part_at(graph, number);

	graph_index_remove(&graph->by_part, &graph_part_rules, graph, number);
	if (part->next != 0)
		part_at(graph, part->next)->last = part->last;
	if (part->last != 0)
		part_at(graph, part->last)->next = part->next;
	else
		graph->layers[part->layer].part = part->next;
	release_name(graph, part);
	graph_pages_give(&graph->parts, number);
}

static bool add_part(struct graph *graph, const struct graph_part *wanted, uint32_t *out)
{
	struct graph_part *part;

	*out = graph_pages_take(&graph->parts);
	if (*out == 0)
		return false;
	part = part_at(graph, *out);
	*part = (struct graph_part){
		.kind = wanted->kind, .name = wanted->name, .layer = wanted->layer};
	if (!graph_index_add(&graph->by_part, &graph_part_rules, graph, *out)) {
		graph_pages_give(&graph->parts, *out);
		return false;
	}
	part_link(graph, *out);
	return true;
}

/* What the part said is old until it is said again. */
static void open_part(struct graph *graph, uint32_t number)
{
	struct graph_part *part = part_at(graph, number);

	for (uint32_t at = part->statement; at != 0;) {
		struct graph_statement *statement = statement_at(graph, at);

		statement->is_old = true;
		at = statement->next_of_part;
	}
	graph->old = part->link;
	part->link = 0;
	part->last_link = 0;
	part->round = graph->layers[part->layer].round;
	graph->open = number;
}

bool graph_part_begin(struct graph *graph, struct text layer, struct text part, struct error *err)
{
	struct graph_part wanted = {0};
	uint32_t number;

	assert(graph->open == 0);
	if (!check_name(part, err) || !find_or_add_layer(graph, layer, &wanted.layer, err))
		return false;
	if (!hold_name(graph, part, &wanted))
		return no_memory(err);
	number = graph_index_find(
		&graph->by_part, &graph_part_rules, graph, hash_named(&wanted), &wanted);
	if (number != 0) {
		release_name(graph, &wanted);
	} else if (!add_part(graph, &wanted, &number)) {
		release_name(graph, &wanted);
		return no_memory(err);
	}
	open_part(graph, number);
	return true;
}

/* ---- the end of a part ---- */

void graph_touch(struct graph *graph, uint32_t number)
{
	struct graph_vertex *vertex = vertex_at(graph, number);

	if (vertex->is_touched)
		return;
	vertex->is_touched = true;
	vertex->next_touched = graph->touched;
	graph->touched = number;
}

static void tell_touched(struct graph *graph)
{
	if (graph->touched != 0)
		graph->generation++;
	while (graph->touched != 0) {
		uint32_t number = graph->touched;
		struct graph_vertex *vertex = vertex_at(graph, number);

		graph->touched = vertex->next_touched;
		vertex->next_touched = 0;
		vertex->is_touched = false;
		for (size_t i = 0; i < graph->listeners_count; i++)
			graph->listeners[i]->touched(graph->listeners[i]->context, number);
	}
}

static void remove_old_statements(struct graph *graph, struct graph_part *part)
{
	uint32_t *link = &part->statement;

	while (*link != 0) {
		uint32_t number = *link;
		struct graph_statement *statement = statement_at(graph, number);

		if (!statement->is_old) {
			link = &statement->next_of_part;
			continue;
		}
		*link = statement->next_of_part;
		graph_remove_statement(graph, number);
	}
}

/* Takes away what the open part did not say again, and the part if it says nothing. */
static void close_part(struct graph *graph)
{
	struct graph_part *part = part_at(graph, graph->open);

	remove_old_statements(graph, part);
	while (graph->old != 0) {
		uint32_t number = graph->old;

		graph->old = link_at(graph, number)->next_of_part;
		graph_remove_link(graph, number);
	}
	if (part->statement == 0 && part->link == 0)
		part_remove(graph, graph->open);
	graph->open = 0;
}

void graph_part_end(struct graph *graph)
{
	assert(graph->open != 0);
	close_part(graph);
	tell_touched(graph);
}

/* ---- whole layers ---- */

/* Every part of the layer that was last begun before the round. */
static void remove_parts(struct graph *graph, uint32_t layer, uint32_t round)
{
	assert(graph->open == 0);
	for (uint32_t at = graph->layers[layer].part; at != 0;) {
		const struct graph_part *part = part_at(graph, at);
		uint32_t next = part->next;

		if (part->round < round) {
			open_part(graph, at);
			close_part(graph);
		}
		at = next;
	}
	tell_touched(graph);
}

bool graph_layer_remove(struct graph *graph, struct text layer, struct error *err)
{
	uint32_t number;

	(void)err;
	if (find_layer(graph, layer, &number))
		remove_parts(graph, number, ++graph->layers[number].round);
	return true;
}

bool graph_layer_begin(struct graph *graph, struct text layer, struct error *err)
{
	uint32_t number;

	if (!find_or_add_layer(graph, layer, &number, err))
		return false;
	graph->layers[number].round++;
	return true;
}

bool graph_layer_end(struct graph *graph, struct text layer, struct error *err)
{
	uint32_t number;

	if (!find_layer(graph, layer, &number))
		return error_set(err, ERROR_INTERNAL, "the layer was not begun");
	remove_parts(graph, number, graph->layers[number].round);
	return true;
}

void graph_listen(struct graph *graph, const struct graph_listener *listener)
{
	assert(graph->listeners_count < GRAPH_LISTENERS_MAX);
	graph->listeners[graph->listeners_count++] = listener;
}
