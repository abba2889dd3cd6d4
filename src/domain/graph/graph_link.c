/* Edges: said by an open part, kept in two chains (see graph.c). */
#include "domain/graph/graph_private.h"

#include <assert.h>

/* How far a part's edge is looked for among those it said before: parts say things in the
 * order in which they did.  What is not found is made anew, and the old one goes. */
enum { LOOK_MAX = 64 };

static void enter_link(struct graph *graph, uint32_t number)
{
	struct graph_link *link = link_at(graph, number);
	struct graph_vertex *from = vertex_at(graph, link->from);
	struct graph_vertex *to = vertex_at(graph, link->to);

	graph->live += vertex_is_live(from) ? 0 : 1;
	link->next_out = from->out;
	if (from->out != 0)
		link_at(graph, from->out)->last_out = number;
	from->out = number;
	from->outs++;
	graph->live += vertex_is_live(to) ? 0 : 1;
	link->next_in = to->in;
	if (to->in != 0)
		link_at(graph, to->in)->last_in = number;
	to->in = number;
	to->ins++;
}

static void leave_out(struct graph *graph, const struct graph_link *link)
{
	struct graph_vertex *from = vertex_at(graph, link->from);

	if (link->next_out != 0)
		link_at(graph, link->next_out)->last_out = link->last_out;
	if (link->last_out != 0)
		link_at(graph, link->last_out)->next_out = link->next_out;
	else
		from->out = link->next_out;
	from->outs--;
	if (!vertex_is_live(from))
		graph->live--;
}

static void leave_in(struct graph *graph, const struct graph_link *link)
{
	struct graph_vertex *to = vertex_at(graph, link->to);

	if (link->next_in != 0)
		link_at(graph, link->next_in)->last_in = link->last_in;
	if (link->last_in != 0)
		link_at(graph, link->last_in)->next_in = link->next_in;
	else
		to->in = link->next_in;
	to->ins--;
	if (!vertex_is_live(to))
		graph->live--;
}

static void release_texts(struct graph *graph, const struct graph_link *link)
{
	graph_texts_release(&graph->texts, link->scope);
	graph_terms_release(graph, link->terms);
}

/* The part has taken it out of its own chain. */
void graph_remove_link(struct graph *graph, uint32_t number)
{
	const struct graph_link *link = link_at(graph, number);

	leave_out(graph, link);
	leave_in(graph, link);
	graph_touch(graph, link->from);
	graph_touch(graph, link->to);
	release_texts(graph, link);
	graph_pages_give(&graph->links, number);
}

/* At the end of what the open part says. */
static void say_link(struct graph *graph, uint32_t number)
{
	struct graph_part *part = part_at(graph, graph->open);

	link_at(graph, number)->next_of_part = 0;
	if (part->last_link == 0)
		part->link = number;
	else
		link_at(graph, part->last_link)->next_of_part = number;
	part->last_link = number;
}

/* Takes the edge that the part said before out of the old ones; 0: it did not. */
static uint32_t take_old(struct graph *graph, const struct graph_link *wanted)
{
	uint32_t *chain = &graph->old;

	for (int looked = 0; *chain != 0 && looked < LOOK_MAX; looked++) {
		uint32_t number = *chain;
		struct graph_link *link = link_at(graph, number);

		if (link->from == wanted->from && link->to == wanted->to &&
			link->kind == wanted->kind && link->scope == wanted->scope) {
			*chain = link->next_of_part;
			return number;
		}
		chain = &link->next_of_part;
	}
	return 0;
}

/* Takes what wanted holds over. */
static void change_link(struct graph *graph, uint32_t number, const struct graph_link *wanted)
{
	struct graph_link *link = link_at(graph, number);

	if (wanted->terms != link->terms || wanted->effects != link->effects) {
		graph_touch(graph, link->from);
		graph_touch(graph, link->to);
	}
	release_texts(graph, link); /* each was held once more for wanted */
	link->terms = wanted->terms;
	link->effects = wanted->effects;
}

/* The texts are held for as long as it takes to find the terms. */
static bool hold_terms(struct graph *graph, const struct graph_edge *edge, uint32_t *out)
{
	struct graph_terms terms = {.since_s = edge->since_s,
		.until_s = edge->until_s,
		.used_s = edge->used_s,
		.uses = edge->uses};
	bool ok = graph_texts_hold(&graph->texts, edge->by, &terms.by) &&
		  graph_texts_hold(&graph->texts, edge->why, &terms.why) &&
		  graph_terms_hold(graph, &terms, out);

	graph_texts_release(&graph->texts, terms.by);
	graph_texts_release(&graph->texts, terms.why);
	return ok;
}

static bool hold_texts(
	struct graph *graph, const struct graph_edge *edge, struct graph_link *wanted)
{
	if (graph_texts_hold(&graph->texts, edge->scope, &wanted->scope) &&
		hold_terms(graph, edge, &wanted->terms))
		return true;
	release_texts(graph, wanted);
	return false;
}

static bool check_texts(const struct graph_edge *edge, struct error *err)
{
	if (edge->scope.length > GRAPH_NAME_BYTES_MAX || edge->by.length > GRAPH_NAME_BYTES_MAX ||
		edge->why.length > GRAPH_NAME_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "a text in the graph has at most %d bytes",
			GRAPH_NAME_BYTES_MAX);
	return true;
}

static bool is_vertex(const struct graph *graph, graph_id id)
{
	return id != 0 && id < graph->vertices.next;
}

static bool check_edge(const struct graph *graph, const struct graph_edge *edge, struct error *err)
{
	const char *word = graph_edge_kind_word(edge->kind);
	enum graph_node_kind from, to;

	if (!is_vertex(graph, edge->from) || !is_vertex(graph, edge->to))
		return error_set(err, ERROR_INVALID, "an edge needs two nodes that are there");
	from = (enum graph_node_kind)vertex_at(graph, edge->from)->kind;
	to = (enum graph_node_kind)vertex_at(graph, edge->to)->kind;
	if (word == NULL || !graph_kinds_join(edge->kind, from, to))
		return error_set(err, ERROR_INVALID, "\"%s\" does not join %s and %s",
			word == NULL ? "" : word, graph_node_kind_word(from),
			graph_node_kind_word(to));
	return check_texts(edge, err);
}

static bool add_link(struct graph *graph, const struct graph_link *wanted)
{
	uint32_t number = graph_pages_take(&graph->links);

	if (number == 0)
		return false;
	*link_at(graph, number) = *wanted;
	enter_link(graph, number);
	say_link(graph, number);
	graph_touch(graph, wanted->from);
	graph_touch(graph, wanted->to);
	return true;
}

bool graph_put_edge(struct graph *graph, const struct graph_edge *edge, struct error *err)
{
	struct graph_link wanted = {
		.from = edge->from,
		.to = edge->to,
		.kind = (uint8_t)edge->kind,
		.effects = (uint8_t)edge->effects,
	};
	uint32_t number;

	assert(graph->open != 0);
	wanted.layer = (uint16_t)part_at(graph, graph->open)->layer;
	if (!check_edge(graph, edge, err))
		return false;
	if (!hold_texts(graph, edge, &wanted))
		return error_set(err, ERROR_LIMIT, "the graph has no room for more texts");
	number = take_old(graph, &wanted);
	if (number != 0) {
		change_link(graph, number, &wanted);
		say_link(graph, number);
		return true;
	}
	if (add_link(graph, &wanted))
		return true;
	release_texts(graph, &wanted);
	return error_set(err, ERROR_LIMIT, "the graph has no room for more edges");
}
