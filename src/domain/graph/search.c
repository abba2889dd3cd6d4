/* Breadth first, over a table of its own: what one search marked is stale for the next by the
 * number of the search, so nothing is cleared.
 *
 * A node is looked at again when more effects come to it than before, or by fewer hops; so it
 * ends, and does not hang on the order of edges.  Then every edge of a shortest way is kept
 * (steps), so that all shortest paths can be told. */
#include "domain/graph/search.h"

#include <stdlib.h>

#include "domain/graph/graph_private.h"

enum { SLOTS = 2 * GRAPH_SEARCH_NODES_MAX, EFFECTS_ALL = 0x3f };

/* One node that was reached. */
struct found {
	graph_id node;
	uint32_t step; /* the first of its shortest ways */
	uint8_t hops;
	uint8_t effects;
	bool is_waiting; /* in the queue */
	bool is_passed;
};

/* One edge of a shortest way, in a chain with others to the same node. */
struct step {
	graph_id edge;
	uint32_t before; /* found, by number */
	uint32_t next;
};

struct slot {
	uint32_t search;
	uint32_t found;
};

struct graph_search {
	uint32_t number;
	struct slot slots[SLOTS];
	struct found found[GRAPH_SEARCH_NODES_MAX];
	size_t found_count;
	struct step steps[GRAPH_SEARCH_EDGES_MAX + 1]; /* from 1 */
	size_t steps_count;
	uint32_t queue[GRAPH_SEARCH_NODES_MAX]; /* a ring; nobody waits twice */
	size_t queue_first;
	size_t queue_count;
	size_t looked; /* edges */
	bool is_cut;
	const struct graph *graph;
	const struct graph_question *question;
};

_Static_assert((SLOTS & (SLOTS - 1)) == 0, "slots are a power of two");

bool graph_search_create(struct graph_search **out, struct error *err)
{
	*out = calloc(1, sizeof **out);
	return *out != NULL || error_set(err, ERROR_LIMIT, "no memory for a search");
}

void graph_search_destroy(struct graph_search **search)
{
	free(*search);
	*search = NULL;
}

bool graph_edge_kind_carries(enum graph_edge_kind kind)
{
	const uint32_t kinds = 1U << GRAPH_EDGE_IS | 1U << GRAPH_EDGE_USES |
			       1U << GRAPH_EDGE_HOLDS | 1U << GRAPH_EDGE_OPENS |
			       1U << GRAPH_EDGE_HANDS | 1U << GRAPH_EDGE_MAY |
			       1U << GRAPH_EDGE_READS | 1U << GRAPH_EDGE_OFFERS |
			       1U << GRAPH_EDGE_AT | 1U << GRAPH_EDGE_OWNS | 1U << GRAPH_EDGE_KEEPS;

	return (kinds >> kind & 1) != 0;
}

/* ---- what was found ---- */

/* The slot of the node, or the free one where it would be. */
static struct slot *slot_of(struct graph_search *search, graph_id node)
{
	uint32_t at = graph_index_mix(node, 0) & (SLOTS - 1);

	while (search->slots[at].search == search->number &&
		search->found[search->slots[at].found].node != node)
		at = (at + 1) & (SLOTS - 1);
	return &search->slots[at];
}

static void queue_put(struct graph_search *search, uint32_t number)
{
	struct found *found = &search->found[number];

	if (found->is_waiting)
		return;
	found->is_waiting = true;
	search->queue[(search->queue_first + search->queue_count++) % GRAPH_SEARCH_NODES_MAX] =
		number;
}

static uint32_t queue_take(struct graph_search *search)
{
	uint32_t number = search->queue[search->queue_first];

	search->queue_first = (search->queue_first + 1) % GRAPH_SEARCH_NODES_MAX;
	search->queue_count--;
	search->found[number].is_waiting = false;
	return number;
}

/* The node's number among those found, new or not; false: there is no room. */
static bool find_or_add(struct graph_search *search, graph_id node, uint32_t hops, uint32_t *out)
{
	struct slot *slot = slot_of(search, node);

	if (slot->search == search->number) {
		*out = slot->found;
		return true;
	}
	if (search->found_count == GRAPH_SEARCH_NODES_MAX)
		return false;
	*out = (uint32_t)search->found_count++;
	*slot = (struct slot){search->number, *out};
	search->found[*out] = (struct found){.node = node, .hops = (uint8_t)hops};
	return true;
}

static bool find_number(const struct graph_search *search, graph_id node, uint32_t *out)
{
	uint32_t at = graph_index_mix(node, 0) & (SLOTS - 1);

	for (; search->slots[at].search == search->number; at = (at + 1) & (SLOTS - 1)) {
		*out = search->slots[at].found;
		if (search->found[*out].node == node)
			return true;
	}
	return false;
}

/* ---- what counts ---- */

static bool is_among(const graph_id *ids, size_t count, graph_id id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static bool has_ended(const struct graph_search *search, uint32_t end_s)
{
	return search->question->now_s != 0 && end_s != 0 && end_s <= search->question->now_s;
}

static bool is_back(const struct graph_search *search)
{
	return search->question->direction == GRAPH_BACK;
}

static uint32_t far_end(const struct graph_search *search, const struct graph_link *link)
{
	return is_back(search) ? link->from : link->to;
}

/* Whether anybody gets further from here. */
static bool is_live(const struct graph_search *search, graph_id node)
{
	const struct graph_vertex *vertex = vertex_at(search->graph, node);
	const struct graph_statement *statement;

	if (vertex->statement == 0 ||
		(vertex->kind != GRAPH_NODE_ACCOUNT && vertex->kind != GRAPH_NODE_CREDENTIAL))
		return true;
	statement = statement_at(search->graph, vertex->statement);
	if (vertex->kind == GRAPH_NODE_ACCOUNT)
		return (statement->flags & GRAPH_NODE_IS_OFF) == 0;
	return !has_ended(search, statement->expires_s);
}

static bool carries(const struct graph_search *search, uint32_t number)
{
	const struct graph_question *question = search->question;
	const struct graph_link *link = link_at(search->graph, number);

	if (!graph_edge_kind_carries((enum graph_edge_kind)link->kind) ||
		(question->kinds != 0 && (question->kinds >> link->kind & 1) == 0))
		return false;
	return !has_ended(search, graph_terms_get(search->graph, link->terms).until_s) &&
	       !is_among(question->without_edges, question->without_edges_count, number) &&
	       !is_among(question->without_nodes, question->without_nodes_count,
		       far_end(search, link)) &&
	       (!is_back(search) || is_live(search, link->from));
}

/* What may be done behind the edge: MAY says it, HANDS cuts it, data that a tool reads is
 * read; other edges take along what there is. */
static uint32_t effects_behind(const struct graph_link *link, uint32_t before)
{
	switch (link->kind) {
	case GRAPH_EDGE_MAY:
	case GRAPH_EDGE_HANDS:
	case GRAPH_EDGE_OFFERS: return link->effects == 0 ? before : before & link->effects;
	case GRAPH_EDGE_READS:
	case GRAPH_EDGE_KEEPS: return 1U << EFFECT_READ;
	default: return before;
	}
}

/* The same from its other end: with which effects before it one has these behind it. */
static uint32_t effects_before(const struct graph_link *link, uint32_t behind)
{
	if (link->kind != GRAPH_EDGE_READS && link->kind != GRAPH_EDGE_KEEPS)
		return effects_behind(link, behind);
	return (behind >> EFFECT_READ & 1) != 0 ? EFFECTS_ALL : 0;
}

static uint32_t effects_across(
	const struct graph_search *search, const struct graph_link *link, uint32_t effects)
{
	return is_back(search) ? effects_before(link, effects) : effects_behind(link, effects);
}

/* ---- looking ---- */

static uint32_t first_link(const struct graph_search *search, graph_id node)
{
	const struct graph_vertex *vertex = vertex_at(search->graph, node);

	return is_back(search) ? vertex->in : vertex->out;
}

static uint32_t next_link(const struct graph_search *search, uint32_t link)
{
	return is_back(search) ? link_at(search->graph, link)->next_in
			       : link_at(search->graph, link)->next_out;
}

/* One edge of one that was found.  False: there is no room to go on. */
typedef bool follow_edge(struct graph_search *search, uint32_t from, uint32_t edge);

/* Whoever gets more effects, or by fewer hops, than was known is looked at again. */
static bool follow(struct graph_search *search, uint32_t from, uint32_t edge)
{
	const struct graph_link *link = link_at(search->graph, edge);
	uint32_t hops = search->found[from].hops + 1U;
	uint32_t effects = effects_across(search, link, search->found[from].effects);
	uint32_t number;
	struct found *found;

	if (effects == 0)
		return true;
	if (!find_or_add(search, far_end(search, link), hops, &number))
		return false;
	found = &search->found[number];
	if ((found->effects | effects) == found->effects && hops >= found->hops)
		return true;
	found->effects |= (uint8_t)effects;
	if (hops < found->hops)
		found->hops = (uint8_t)hops;
	queue_put(search, number);
	return true;
}

/* Once all hops and effects are known: whether the edge is the last of a shortest way. */
static bool keep_step(struct graph_search *search, uint32_t from, uint32_t edge)
{
	const struct graph_link *link = link_at(search->graph, edge);
	struct slot *slot = slot_of(search, far_end(search, link));
	struct found *found = &search->found[slot->found];
	uint32_t number;

	if (slot->search != search->number || found->hops != search->found[from].hops + 1U ||
		effects_across(search, link, search->found[from].effects) == 0)
		return true;
	if (search->steps_count == GRAPH_SEARCH_EDGES_MAX)
		return false;
	number = (uint32_t)++search->steps_count;
	search->steps[number] = (struct step){edge, from, found->step};
	found->step = number;
	return true;
}

/* Looking back, it is the edge's other end that leads on or does not. */
static bool leads_on(const struct graph_search *search, graph_id node)
{
	return is_back(search) || is_live(search, node);
}

static void look_at(struct graph_search *search, uint32_t number, follow_edge *each)
{
	graph_id node = search->found[number].node;

	if (!leads_on(search, node))
		return;
	for (uint32_t at = first_link(search, node); at != 0; at = next_link(search, at)) {
		if (search->looked++ >= GRAPH_SEARCH_EDGES_MAX ||
			(carries(search, at) && !each(search, number, at))) {
			search->is_cut = true;
			return;
		}
	}
}

static void put_starts(struct graph_search *search)
{
	const struct graph_question *question = search->question;

	for (size_t i = 0; i < question->starts_count; i++) {
		graph_id start = question->starts[i];
		uint32_t number;

		if (start == 0 || start >= search->graph->vertices.next ||
			is_among(question->without_nodes, question->without_nodes_count, start) ||
			!find_or_add(search, start, 0, &number))
			continue;
		search->found[number].effects =
			question->effects == 0 ? EFFECTS_ALL
					       : (uint8_t)(question->effects & EFFECTS_ALL);
		queue_put(search, number);
	}
}

static uint32_t hops_of(const struct graph_search *search)
{
	uint32_t hops = search->question->hops;

	return hops == 0 || hops > GRAPH_PATH_HOPS_MAX ? GRAPH_PATH_HOPS_MAX : hops;
}

/* Not what is as far away as the end that was asked for, or as one may go. */
static bool is_worth_a_look(const struct graph_search *search, uint32_t number)
{
	uint32_t hops = search->found[number].hops;
	uint32_t to;

	if (hops >= hops_of(search))
		return false;
	return search->question->to == 0 || !find_number(search, search->question->to, &to) ||
	       hops < search->found[to].hops;
}

/* Whether authority goes on where no search does, or that took too long to tell. */
static bool goes_further(struct graph_search *search, uint32_t number)
{
	const struct found *found = &search->found[number];

	if (found->hops < GRAPH_PATH_HOPS_MAX || search->question->to != 0 ||
		!leads_on(search, found->node))
		return false;
	for (uint32_t at = first_link(search, found->node); at != 0; at = next_link(search, at))
		if (search->looked++ >= GRAPH_SEARCH_EDGES_MAX ||
			(carries(search, at) && effects_across(search, link_at(search->graph, at),
							found->effects) != 0))
			return true;
	return false;
}

static void forget(struct graph_search *search)
{
	if (++search->number == 0) { /* after 2^32 searches all marks are cleared once */
		for (size_t i = 0; i < SLOTS; i++)
			search->slots[i].search = 0;
		search->number = 1;
	}
	search->found_count = 0;
	search->steps_count = 0;
	search->queue_first = 0;
	search->queue_count = 0;
	search->looked = 0;
	search->is_cut = false;
}

void graph_search_run(struct graph_search *search, const struct graph *graph,
	const struct graph_question *question, bool *is_cut)
{
	forget(search);
	search->graph = graph;
	search->question = question;
	put_starts(search);
	while (search->queue_count > 0) {
		uint32_t number = queue_take(search);

		if (is_worth_a_look(search, number))
			look_at(search, number, follow);
	}
	for (uint32_t number = 0; number < search->found_count && !search->is_cut; number++)
		search->is_cut = goes_further(search, number);
	search->looked = 0;
	for (uint32_t number = 0; number < search->found_count; number++)
		if (is_worth_a_look(search, number))
			look_at(search, number, keep_step);
	search->question = NULL;
	*is_cut = search->is_cut;
}

/* ---- telling ---- */

size_t graph_reached_count(const struct graph_search *search)
{
	return search->found_count;
}

struct graph_reached graph_reached_at(const struct graph_search *search, size_t number)
{
	const struct found *found = &search->found[number];
	const struct step *step = &search->steps[found->step];

	return (struct graph_reached){
		.node = found->node,
		.hops = found->hops,
		.effects = found->effects,
		.edge = found->step == 0 ? 0 : step->edge,
		.before = found->step == 0 ? 0 : search->found[step->before].node,
		.is_passed = found->is_passed,
	};
}

bool graph_reached_find(const struct graph_search *search, graph_id node, struct graph_reached *out)
{
	uint32_t number;

	*out = (struct graph_reached){0};
	if (search->number == 0 || !find_number(search, node, &number))
		return false;
	*out = graph_reached_at(search, number);
	return true;
}

void graph_pass(struct graph_search *search, graph_id node)
{
	uint32_t number;

	if (search->number == 0 || !find_number(search, node, &number))
		return;
	for (uint32_t at = search->found[number].step; at != 0; at = search->steps[at].next)
		search->found[search->steps[at].before].is_passed = true;
}

/* Ways from one node back to a start, one after the other. */
struct walk {
	const struct graph_search *search;
	struct graph_path *paths;
	size_t paths_max;
	size_t paths_count;
	uint64_t total;
	uint32_t at[GRAPH_PATH_HOPS_MAX + 1]; /* steps, the last first */
};

enum { PATHS_COUNTED_MAX = 100000 };

static void tell_path(struct walk *walk, size_t count)
{
	struct graph_path *path = &walk->paths[walk->paths_count];

	walk->total++;
	if (walk->paths_count == walk->paths_max)
		return;
	walk->paths_count++;
	path->count = count;
	for (size_t i = 0; i < count; i++)
		path->edges[i] = walk->search->steps[walk->at[count - 1 - i]].edge;
}

static uint32_t first_step(const struct walk *walk, uint32_t step)
{
	return walk->search->found[walk->search->steps[step].before].step;
}

/* Depth first over the chains of steps; what it holds is one way. */
static void walk_back(struct walk *walk, uint32_t first)
{
	size_t depth = 1;

	walk->at[0] = first;
	while (depth > 0 && walk->total < PATHS_COUNTED_MAX) {
		uint32_t step = walk->at[depth - 1];

		if (step == 0) {
			depth--;
			if (depth > 0)
				walk->at[depth - 1] = walk->search->steps[walk->at[depth - 1]].next;
			continue;
		}
		if (walk->search->found[walk->search->steps[step].before].hops == 0) {
			tell_path(walk, depth);
			walk->at[depth - 1] = walk->search->steps[step].next;
			continue;
		}
		walk->at[depth++] = first_step(walk, step);
	}
}

uint64_t graph_paths(const struct graph_search *search, graph_id to, struct graph_path *paths,
	size_t paths_max, size_t *paths_count)
{
	struct walk walk = {.search = search, .paths = paths, .paths_max = paths_max};
	uint32_t number;

	*paths_count = 0;
	if (search->number == 0 || !find_number(search, to, &number))
		return 0;
	if (search->found[number].step != 0)
		walk_back(&walk, search->found[number].step);
	*paths_count = walk.paths_count;
	return walk.total;
}
