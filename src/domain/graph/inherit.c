/* From an identity: a search forward, from where its ways begin.  From what is reached: a search
 * back along the same edges, and then, of each that was found, which identities begin there: the
 * farthest first, so that of each it is known whether a way that is told goes through it.  An
 * identity that is found on the way itself (by a key that opens it) only leads on: what it may
 * there it may by its charter. */
#include "domain/graph/inherit.h"

#include <stdlib.h>

#include "domain/graph/graph_private.h"

enum {
	KINDS_INHERITED = 1 << GRAPH_EDGE_USES | 1 << GRAPH_EDGE_HOLDS | 1 << GRAPH_EDGE_OPENS |
			  1 << GRAPH_EDGE_MAY | 1 << GRAPH_EDGE_AT,
};

/* Whether a way of the identity before it begins behind it. */
static bool is_entry(const struct graph *graph, const struct graph_link *link, graph_time now_s)
{
	graph_time until_s = graph_terms_get(graph, link->terms).until_s;
	bool is_seen = graph->layers[link->layer].origin == GRAPH_ORIGIN_SEEN &&
		       (link->kind == GRAPH_EDGE_USES || link->kind == GRAPH_EDGE_HOLDS);

	return (is_seen || link->kind == GRAPH_EDGE_IS) &&
	       vertex_at(graph, link->from)->kind == GRAPH_NODE_IDENTITY &&
	       (now_s == 0 || until_s == 0 || until_s > now_s);
}

/* ---- what one inherits ---- */

static uint32_t first_out(const struct graph *graph, graph_id node)
{
	return node == 0 || node >= graph->vertices.next ? 0 : vertex_at(graph, node)->out;
}

bool graph_inherit_question(
	const struct graph *graph, graph_id identity, graph_time now_s, struct graph_question *out)
{
	*out = (struct graph_question){.now_s = now_s, .kinds = KINDS_INHERITED};
	for (uint32_t at = first_out(graph, identity); at != 0; at = link_at(graph, at)->next_out) {
		if (!is_entry(graph, link_at(graph, at), now_s))
			continue;
		if (out->starts_count == GRAPH_STARTS_MAX)
			return false;
		out->starts[out->starts_count++] = link_at(graph, at)->to;
	}
	return true;
}

graph_id graph_inherit_entry(
	const struct graph *graph, graph_id identity, graph_id start, graph_time now_s)
{
	uint32_t at = first_out(graph, identity);

	while (at != 0 &&
		(link_at(graph, at)->to != start || !is_entry(graph, link_at(graph, at), now_s)))
		at = link_at(graph, at)->next_out;
	return at;
}

/* ---- who inherits it ---- */

struct finding {
	const struct graph *graph;
	graph_time now_s;
	struct graph_heir *heirs;
	size_t count;
	size_t looked; /* edges */
	bool is_full;  /* of room, or of looks */
};

static void add_heir(
	struct finding *finding, graph_id node, graph_id entry, const struct graph_reached *begins)
{
	finding->is_full = finding->is_full || finding->count == GRAPH_HEIRS_MAX;
	if (finding->is_full)
		return;
	finding->heirs[finding->count++] = (struct graph_heir){
		.node = node,
		.begins = begins->node,
		.entry = entry,
		.hops = begins->hops + (entry == 0 ? 0 : 1),
	};
}

/* Every identity whose way begins there; false: none does. */
static bool add_identities(struct finding *finding, const struct graph_reached *begins)
{
	const struct graph *graph = finding->graph;
	size_t before = finding->count;

	for (uint32_t at = vertex_at(graph, begins->node)->in; at != 0 && !finding->is_full;
		at = link_at(graph, at)->next_in) {
		finding->is_full = finding->looked++ == GRAPH_SEARCH_EDGES_MAX;
		if (is_entry(graph, link_at(graph, at), finding->now_s))
			add_heir(finding, link_at(graph, at)->from, at, begins);
	}
	return finding->count > before;
}

/* A key that an identity's charter has, or a secret that remit sends: whoever should have it is
 * told as who declares it. */
static bool is_own(const struct graph *graph, const struct graph_reached *reached)
{
	const struct graph_link *link = link_at(graph, reached->edge);

	return link->kind == GRAPH_EDGE_OPENS &&
	       graph->layers[link->layer].origin == GRAPH_ORIGIN_DECLARED;
}

/* Whether a way that is told begins at it, or goes through it.  What is reached, and identities
 * on the way, are no heirs so. */
static bool is_on_a_way(struct finding *finding, const struct graph_reached *reached)
{
	uint8_t kind = vertex_at(finding->graph, reached->node)->kind;

	if (reached->edge == 0 || (kind != GRAPH_NODE_ACCOUNT && kind != GRAPH_NODE_CREDENTIAL))
		return reached->is_passed;
	if (add_identities(finding, reached) || reached->is_passed)
		return true;
	if (is_own(finding->graph, reached))
		return false;
	add_heir(finding, reached->node, 0, reached);
	return true;
}

static int by_node(const void *left, const void *right)
{
	const struct graph_heir *a = left, *b = right;

	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	if (a->hops != b->hops)
		return a->hops < b->hops ? -1 : 1;
	return (a->entry > b->entry) - (a->entry < b->entry);
}

static int by_hops(const void *left, const void *right)
{
	const struct graph_heir *a = left, *b = right;

	if (a->hops != b->hops)
		return a->hops < b->hops ? -1 : 1;
	return (a->node > b->node) - (a->node < b->node);
}

/* The nearest way of each. */
static size_t keep_one_each(struct graph_heir *heirs, size_t count)
{
	size_t kept = 0;

	qsort(heirs, count, sizeof *heirs, by_node);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || heirs[kept - 1].node != heirs[i].node)
			heirs[kept++] = heirs[i];
	qsort(heirs, kept, sizeof *heirs, by_hops);
	return kept;
}

struct graph_question graph_heirs_question(graph_id target, enum effect effect, graph_time now_s)
{
	return (struct graph_question){
		.direction = GRAPH_BACK,
		.starts = {target},
		.starts_count = 1,
		.now_s = now_s,
		.kinds = KINDS_INHERITED,
		.effects = UINT32_C(1) << effect,
	};
}

void graph_heirs(struct graph_search *search, const struct graph *graph,
	const struct graph_question *question, struct graph_heir heirs[GRAPH_HEIRS_MAX],
	size_t *count, bool *is_cut)
{
	struct finding finding = {.graph = graph, .now_s = question->now_s, .heirs = heirs};

	graph_search_run(search, graph, question, is_cut);
	for (size_t i = graph_reached_count(search); i-- > 0 && !finding.is_full;) {
		struct graph_reached reached = graph_reached_at(search, i);

		if (is_on_a_way(&finding, &reached))
			graph_pass(search, reached.node);
	}
	*count = keep_one_each(heirs, finding.count);
	*is_cut = *is_cut || finding.is_full;
}
