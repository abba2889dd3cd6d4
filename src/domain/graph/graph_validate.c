/* Asserts what graph.c promises. */
#include "domain/graph/graph_private.h"

#include <assert.h>

static void validate_edges(const struct graph *graph, uint32_t number)
{
	const struct graph_vertex *vertex = vertex_at(graph, number);
	uint32_t outs = 0;
	uint32_t ins = 0;

	for (uint32_t at = vertex->out, last = 0; at != 0; outs++) {
		const struct graph_link *link = link_at(graph, at);

		assert(link->from == number && link->last_out == last);
		last = at;
		at = link->next_out;
	}
	for (uint32_t at = vertex->in, last = 0; at != 0; ins++) {
		const struct graph_link *link = link_at(graph, at);

		assert(link->to == number && link->last_in == last);
		last = at;
		at = link->next_in;
	}
	assert(outs == vertex->outs && ins == vertex->ins);
}

static void validate_statements(const struct graph *graph, uint32_t number)
{
	uint32_t at = vertex_at(graph, number)->statement;

	while (at != 0) {
		const struct graph_statement *statement = statement_at(graph, at);

		assert(statement->node == number && !statement->is_old);
		assert(graph_find_statement(graph, number, statement->part) == at);
		if (statement->fingerprint != 0)
			assert(graph_find_alike(graph, statement->fingerprint) != 0);
		at = statement->next_of_node;
	}
}

static void validate_vertices(const struct graph *graph)
{
	size_t live = 0;

	for (uint32_t number = 1; number < graph->vertices.next; number++) {
		const struct graph_vertex *vertex = vertex_at(graph, number);

		if (vertex->kind == GRAPH_NODE_NONE)
			continue;
		assert(graph_find_vertex(graph, (enum graph_node_kind)vertex->kind,
			       graph_texts_get(&graph->texts, vertex->name)) == number);
		assert(!vertex->is_touched);
		live += vertex_is_live(vertex) ? 1 : 0;
		validate_edges(graph, number);
		validate_statements(graph, number);
	}
	assert(live == graph->live);
}

static void validate_terms(const struct graph *graph)
{
	size_t held = 0;
	size_t holds = 0;

	for (uint32_t number = 1; number < graph->links.next; number++)
		held += link_at(graph, number)->kind != GRAPH_EDGE_NONE &&
			link_at(graph, number)->terms != 0;
	for (uint32_t number = 1; number < graph->terms.next; number++) {
		const struct graph_terms *terms = terms_at(graph, number);

		/* What was given back begins with the chain of such, and says nothing else. */
		if (graph_index_find(&graph->by_terms, &graph_terms_rules, graph,
			    graph_terms_rules.hash_of(graph, number), terms) == number)
			holds += terms->holds;
	}
	assert(held == holds && graph->by_terms.count == graph->terms.live);
}

static void validate_uses(const struct graph *graph)
{
	size_t wide = 0;

	for (uint32_t number = 1; number < graph->uses.next; number++)
		wide += use_at(graph, number)->to != 0 && use_at(graph, number)->is_wide;
	assert(wide == graph->wide.live);
	assert(graph->uses.live == graph->by_ends.count);
}

static void validate_part(const struct graph *graph, uint32_t number, size_t totals[2])
{
	const struct graph_part *part = part_at(graph, number);
	uint32_t last = 0;

	assert(part->statement != 0 || part->link != 0);
	for (uint32_t at = part->statement; at != 0; totals[0]++) {
		assert(statement_at(graph, at)->part == number);
		at = statement_at(graph, at)->next_of_part;
	}
	for (uint32_t at = part->link; at != 0; totals[1]++) {
		assert(link_at(graph, at)->layer == part->layer);
		last = at;
		at = link_at(graph, at)->next_of_part;
	}
	assert(part->last_link == last);
}

void graph_validate(const struct graph *graph)
{
	size_t totals[2] = {0, 0};
	size_t parts = 0;

	assert(graph->open == 0 && graph->old == 0 && graph->touched == 0);
	validate_vertices(graph);
	for (size_t layer = 0; layer < graph->layers_count; layer++)
		for (uint32_t at = graph->layers[layer].part; at != 0; parts++) {
			assert(part_at(graph, at)->layer == layer);
			validate_part(graph, at, totals);
			at = part_at(graph, at)->next;
		}
	assert(parts == graph->parts.live && parts == graph->by_part.count);
	assert(totals[0] == graph->statements.live && totals[1] == graph->links.live);
	validate_terms(graph);
	validate_uses(graph);
}
