/* Reading the graph (see graph.c). */
#include "domain/graph/graph_private.h"

uint64_t graph_generation(const struct graph *graph)
{
	return graph->generation;
}

size_t graph_node_count(const struct graph *graph)
{
	return graph->live;
}

size_t graph_edge_count(const struct graph *graph)
{
	return graph->links.live;
}

size_t graph_use_count(const struct graph *graph)
{
	return graph->uses.live;
}

size_t graph_held_bytes(const struct graph *graph)
{
	return sizeof *graph + graph_texts_bytes(&graph->texts) +
	       graph_pages_bytes(&graph->vertices) + graph_pages_bytes(&graph->statements) +
	       graph_pages_bytes(&graph->links) + graph_pages_bytes(&graph->parts) +
	       graph_pages_bytes(&graph->terms) + graph_pages_bytes(&graph->uses) +
	       graph_pages_bytes(&graph->wide) + graph_index_bytes(&graph->by_name) +
	       graph_index_bytes(&graph->by_terms) + graph_index_bytes(&graph->by_part) +
	       graph_index_bytes(&graph->by_fingerprint) + graph_index_bytes(&graph->by_ends);
}

/* ---- nodes ---- */

static void fill_statement(
	const struct graph *graph, const struct graph_statement *statement, struct graph_node *out)
{
	out->title = graph_texts_get(&graph->texts, statement->title);
	out->publisher = graph_texts_get(&graph->texts, statement->publisher);
	out->fingerprint = graph_texts_get(&graph->texts, statement->fingerprint);
	out->place = graph_texts_get(&graph->texts, statement->place);
	out->version = graph_texts_get(&graph->texts, statement->version);
	out->flags = statement->flags | GRAPH_NODE_IS_KNOWN;
	out->identity_kind = (enum identity_kind)statement->identity_kind;
	out->risk = (enum risk_tier)statement->risk;
	out->sensitivity = (enum sensitivity)statement->sensitivity;
	out->environments = statement->environments;
	out->created_s = statement->created_s;
	out->expires_s = statement->expires_s;
	out->used_s = statement->used_s;
}

bool graph_node(const struct graph *graph, graph_id id, struct graph_node *out)
{
	const struct graph_vertex *vertex;

	*out = (struct graph_node){0};
	if (id == 0 || id >= graph->vertices.next)
		return false;
	vertex = vertex_at(graph, id);
	if (!vertex_is_live(vertex))
		return false;
	out->id = id;
	out->kind = (enum graph_node_kind)vertex->kind;
	out->name = graph_texts_get(&graph->texts, vertex->name);
	if (vertex->statement != 0)
		fill_statement(graph, statement_at(graph, vertex->statement), out);
	return true;
}

bool graph_find(const struct graph *graph, enum graph_node_kind kind, struct text name,
	struct graph_node *out)
{
	return graph_node(graph, graph_find_vertex(graph, kind, name), out);
}

graph_id graph_number_of(const struct graph *graph, enum graph_node_kind kind, struct text name)
{
	return graph_find_vertex(graph, kind, name);
}

bool graph_name_of(
	const struct graph *graph, graph_id id, enum graph_node_kind *kind, struct text *name)
{
	if (id == 0 || id >= graph->vertices.next)
		return false;
	*kind = (enum graph_node_kind)vertex_at(graph, id)->kind;
	*name = graph_texts_get(&graph->texts, vertex_at(graph, id)->name);
	return true;
}

/* The number behind `after`, of the kind or of any; 0 at the end. */
static graph_id number_behind(const struct graph *graph, enum graph_node_kind kind, graph_id after)
{
	if (kind == GRAPH_NODE_NONE)
		return after + 1 < graph->vertices.next ? after + 1 : 0;
	if (after == 0)
		return graph->first_of_kind[kind];
	return vertex_at(graph, after)->next_of_kind;
}

bool graph_next(const struct graph *graph, enum graph_node_kind kind, graph_id after,
	struct graph_node *out)
{
	*out = (struct graph_node){0};
	if (after >= graph->vertices.next ||
		(after != 0 && kind != GRAPH_NODE_NONE && vertex_at(graph, after)->kind != kind))
		return false;
	do
		after = number_behind(graph, kind, after);
	while (after != 0 && !graph_node(graph, after, out));
	return after != 0;
}

void graph_each_fingerprint(const struct graph *graph, struct text fingerprint,
	bool (*visit)(void *context, graph_id credential), void *context)
{
	uint32_t at = graph_find_alike(graph, graph_texts_find(&graph->texts, fingerprint));

	while (at != 0) {
		const struct graph_statement *statement = statement_at(graph, at);
		const struct graph_vertex *vertex = vertex_at(graph, statement->node);

		if (vertex->statement == at && vertex->kind == GRAPH_NODE_CREDENTIAL &&
			!visit(context, statement->node))
			return;
		at = statement->next_alike;
	}
}

/* ---- edges ---- */

static graph_time later(graph_time left, graph_time right)
{
	return left > right ? left : right;
}

static uint32_t more(uint32_t left, uint32_t right)
{
	return left > right ? left : right;
}

void graph_fill_edge(const struct graph *graph, uint32_t number, struct graph_edge *out)
{
	const struct graph_link *link = link_at(graph, number);
	const struct graph_layer *layer = &graph->layers[link->layer];
	const struct graph_terms terms = graph_terms_get(graph, link->terms);
	graph_time last_s;
	uint32_t total;

	*out = (struct graph_edge){
		.id = number,
		.kind = (enum graph_edge_kind)link->kind,
		.from = link->from,
		.to = link->to,
		.origin = layer->origin,
		.effects = link->effects,
		.scope = graph_texts_get(&graph->texts, link->scope),
		.by = graph_texts_get(&graph->texts, terms.by),
		.why = graph_texts_get(&graph->texts, terms.why),
		.since_s = terms.since_s,
		.until_s = terms.until_s,
		.used_s = terms.used_s,
		.uses = terms.uses,
		.layer = graph_texts_get(&graph->texts, layer->name),
	};
	if (!graph_use_seen(graph, link, &last_s, &total))
		return;
	out->used_s = later(out->used_s, last_s);
	out->uses = more(out->uses, total);
}

bool graph_edge(const struct graph *graph, graph_id id, struct graph_edge *out)
{
	*out = (struct graph_edge){0};
	if (id == 0 || id >= graph->links.next || link_at(graph, id)->kind == GRAPH_EDGE_NONE)
		return false;
	graph_fill_edge(graph, id, out);
	return true;
}

typedef bool visit_edge(void *context, const struct graph_edge *edge);

static void walk_out(const struct graph *graph, uint32_t at, enum graph_edge_kind kind,
	visit_edge *visit, void *context)
{
	struct graph_edge edge;

	for (; at != 0; at = link_at(graph, at)->next_out) {
		if (kind != GRAPH_EDGE_NONE && link_at(graph, at)->kind != kind)
			continue;
		graph_fill_edge(graph, at, &edge);
		if (!visit(context, &edge))
			return;
	}
}

static void walk_in(const struct graph *graph, uint32_t at, enum graph_edge_kind kind,
	visit_edge *visit, void *context)
{
	struct graph_edge edge;

	for (; at != 0; at = link_at(graph, at)->next_in) {
		if (kind != GRAPH_EDGE_NONE && link_at(graph, at)->kind != kind)
			continue;
		graph_fill_edge(graph, at, &edge);
		if (!visit(context, &edge))
			return;
	}
}

static bool is_vertex(const struct graph *graph, graph_id id)
{
	return id != 0 && id < graph->vertices.next;
}

static bool is_link(const struct graph *graph, graph_id id)
{
	return id < graph->links.next && link_at(graph, id)->kind != GRAPH_EDGE_NONE;
}

void graph_each_out(const struct graph *graph, graph_id from, enum graph_edge_kind kind,
	visit_edge *visit, void *context)
{
	if (is_vertex(graph, from))
		walk_out(graph, vertex_at(graph, from)->out, kind, visit, context);
}

void graph_each_in(const struct graph *graph, graph_id to, enum graph_edge_kind kind,
	visit_edge *visit, void *context)
{
	if (is_vertex(graph, to))
		walk_in(graph, vertex_at(graph, to)->in, kind, visit, context);
}

bool graph_each_out_after(
	const struct graph *graph, graph_id from, graph_id after, visit_edge *visit, void *context)
{
	if (after == 0) {
		graph_each_out(graph, from, GRAPH_EDGE_NONE, visit, context);
		return true;
	}
	if (!is_link(graph, after) || link_at(graph, after)->from != from)
		return false;
	walk_out(graph, link_at(graph, after)->next_out, GRAPH_EDGE_NONE, visit, context);
	return true;
}

bool graph_each_in_after(
	const struct graph *graph, graph_id to, graph_id after, visit_edge *visit, void *context)
{
	if (after == 0) {
		graph_each_in(graph, to, GRAPH_EDGE_NONE, visit, context);
		return true;
	}
	if (!is_link(graph, after) || link_at(graph, after)->to != to)
		return false;
	walk_in(graph, link_at(graph, after)->next_in, GRAPH_EDGE_NONE, visit, context);
	return true;
}

size_t graph_outs(const struct graph *graph, graph_id from)
{
	return is_vertex(graph, from) ? vertex_at(graph, from)->outs : 0;
}

size_t graph_ins(const struct graph *graph, graph_id to)
{
	return is_vertex(graph, to) ? vertex_at(graph, to)->ins : 0;
}

static bool joins_out(const struct graph *graph, graph_id from, graph_id to)
{
	uint32_t at = vertex_at(graph, from)->out;

	while (at != 0 && link_at(graph, at)->to != to)
		at = link_at(graph, at)->next_out;
	return at != 0;
}

static bool joins_in(const struct graph *graph, graph_id from, graph_id to)
{
	uint32_t at = vertex_at(graph, to)->in;

	while (at != 0 && link_at(graph, at)->from != from)
		at = link_at(graph, at)->next_in;
	return at != 0;
}

bool graph_is_joined(const struct graph *graph, graph_id from, graph_id to)
{
	if (!is_vertex(graph, from) || !is_vertex(graph, to))
		return false;
	return graph_outs(graph, from) <= graph_ins(graph, to) ? joins_out(graph, from, to)
							       : joins_in(graph, from, to);
}
