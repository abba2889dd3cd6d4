/* Tarjan's strongly connected components with a stack of its own.  A component is
 * finished after all that it leads to, so its row is the union of rows that are
 * done: one pass over the edges, each a union of rows.  The nodes of a component
 * share a row. */
#include <string.h>

#include "cedar/schema_inner.h"

enum { BITS = 64 };

struct closing {
	struct arena *arena;
	const struct closure_graph *graph;
	const uint64_t **rows;
	uint32_t *cyclic;
	uint32_t *order; /* 0: not met; else 1 + the position in the walk */
	uint32_t *lowest;
	uint32_t *next_edge;
	uint32_t *open;    /* nodes being walked, from the root down */
	uint32_t *pending; /* nodes whose component is not finished */
	bool *is_pending;
	uint32_t open_count;
	uint32_t pending_count;
	uint32_t met;
};

static bool prepare(struct closing *closing)
{
	uint32_t count = closing->graph->count;

	closing->order = arena_array(closing->arena, uint32_t, count);
	closing->lowest = arena_array(closing->arena, uint32_t, count);
	closing->next_edge = arena_array(closing->arena, uint32_t, count);
	closing->open = arena_array(closing->arena, uint32_t, count);
	closing->pending = arena_array(closing->arena, uint32_t, count);
	closing->is_pending = arena_array(closing->arena, bool, count);
	return closing->order != NULL && closing->lowest != NULL && closing->next_edge != NULL &&
	       closing->open != NULL && closing->pending != NULL && closing->is_pending != NULL;
}

static void open_node(struct closing *closing, uint32_t node)
{
	closing->order[node] = ++closing->met;
	closing->lowest[node] = closing->met;
	closing->next_edge[node] = closing->graph->starts[node];
	closing->open[closing->open_count++] = node;
	closing->pending[closing->pending_count++] = node;
	closing->is_pending[node] = true;
}

static void unite(uint64_t *row, const uint64_t *other, size_t words)
{
	for (size_t i = 0; other != NULL && i < words; i++)
		row[i] |= other[i];
}

/* Adds what the node leads to; rows of its own component are still NULL. */
static void add_edges(const struct closing *closing, uint32_t node, uint64_t *row)
{
	const struct closure_graph *graph = closing->graph;
	size_t words = (graph->count + BITS - 1) / BITS;

	for (uint32_t e = graph->starts[node]; e < graph->starts[node + 1]; e++) {
		uint32_t target = graph->edges[e];

		row[target / BITS] |= (uint64_t)1 << target % BITS;
		unite(row, closing->rows[target], words);
	}
}

static bool finish_component(struct closing *closing, uint32_t root)
{
	const struct closure_graph *graph = closing->graph;
	uint32_t first = closing->pending_count;
	bool has_edges = false;
	uint64_t *row = NULL;

	do {
		uint32_t node = closing->pending[--first];

		closing->is_pending[node] = false;
		has_edges |= graph->starts[node] < graph->starts[node + 1];
	} while (closing->pending[first] != root);
	if (has_edges) {
		row = arena_array(closing->arena, uint64_t, (graph->count + BITS - 1) / BITS);
		if (row == NULL)
			return false;
	}
	for (uint32_t i = first; row != NULL && i < closing->pending_count; i++)
		add_edges(closing, closing->pending[i], row);
	for (uint32_t i = first; i < closing->pending_count; i++)
		closing->rows[closing->pending[i]] = row;
	if (schema_bit(row, root))
		*closing->cyclic = root;
	closing->pending_count = first;
	return true;
}

/* Follows one edge of the node opened last, or leaves it. */
static bool step(struct closing *closing)
{
	uint32_t node = closing->open[closing->open_count - 1], target;

	if (closing->next_edge[node] < closing->graph->starts[node + 1]) {
		target = closing->graph->edges[closing->next_edge[node]++];
		if (closing->order[target] == 0)
			open_node(closing, target);
		else if (closing->is_pending[target] &&
			 closing->order[target] < closing->lowest[node])
			closing->lowest[node] = closing->order[target];
		return true;
	}
	closing->open_count--;
	if (closing->open_count > 0) {
		uint32_t parent = closing->open[closing->open_count - 1];

		if (closing->lowest[node] < closing->lowest[parent])
			closing->lowest[parent] = closing->lowest[node];
	}
	return closing->lowest[node] != closing->order[node] || finish_component(closing, node);
}

bool closure_compute(struct arena *arena, const struct closure_graph *graph, const uint64_t **rows,
	uint32_t *cyclic)
{
	struct closing closing = {.arena = arena, .graph = graph, .rows = rows, .cyclic = cyclic};

	*cyclic = graph->count;
	if (!prepare(&closing))
		return false;
	for (uint32_t i = 0; i < graph->count; i++) {
		if (closing.order[i] == 0)
			open_node(&closing, i);
		while (closing.open_count > 0) {
			if (!step(&closing))
				return false;
		}
	}
	return true;
}
