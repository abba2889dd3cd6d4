#include "domain/graph/excess.h"

#include <string.h>

enum {
	/* Unknown effects count as all that a provider knows. */
	EFFECTS_SEEN = 1 << EFFECT_READ | 1 << EFFECT_WRITE | 1 << EFFECT_EXECUTE,
	KINDS_SEEN = 1 << GRAPH_EDGE_USES | 1 << GRAPH_EDGE_HOLDS | 1 << GRAPH_EDGE_OPENS |
		     1 << GRAPH_EDGE_MAY,
};

struct excess {
	const struct graph *graph;
	const struct charter *charter;
	graph_time now_s;
	struct graph_excess *out;
	/* One resource being judged. */
	struct graph_node resource;
	uint32_t effects; /* that reach it */
	uint32_t left;    /* of these, what some data source that it is does not have declared */
	graph_id data_source; /* the last such one */
	enum sensitivity sensitivity;
	bool is_mapped;
};

/* ---- where it begins ---- */

struct starting {
	const struct graph *graph;
	struct graph_question *question;
	bool is_short; /* of room for another */
};

static bool add_start(struct starting *starting, graph_id node)
{
	struct graph_question *question = starting->question;

	if (question->starts_count < GRAPH_STARTS_MAX)
		question->starts[question->starts_count++] = node;
	else
		starting->is_short = true;
	return !starting->is_short;
}

/* Not its charter's own keys: they open itself. */
static bool add_seen(void *context, const struct graph_edge *edge)
{
	struct starting *starting = context;

	if (edge->origin == GRAPH_ORIGIN_SEEN &&
		(edge->kind == GRAPH_EDGE_USES || edge->kind == GRAPH_EDGE_HOLDS))
		return add_start(starting, edge->to);
	return true;
}

/* False: there are more than fit. */
static bool find_starts(
	const struct graph *graph, const struct charter *charter, struct graph_question *question)
{
	struct starting starting = {.graph = graph, .question = question};
	struct graph_node node;

	for (uint32_t i = 0; i < charter->accounts_count; i++)
		if (graph_find(graph, GRAPH_NODE_ACCOUNT, charter->accounts[i], &node))
			(void)add_start(&starting, node.id);
	if (graph_find(graph, GRAPH_NODE_IDENTITY, charter->name, &node))
		graph_each_out(graph, node.id, GRAPH_EDGE_NONE, add_seen, &starting);
	return !starting.is_short;
}

/* ---- what is declared ---- */

static bool covers(enum sensitivity up_to, enum sensitivity sensitivity)
{
	return sensitivity_level(up_to) >= sensitivity_level(sensitivity) &&
	       up_to != SENSITIVITY_UNLABELLED;
}

struct reader {
	graph_id data_source;
	bool reads;
};

static bool note_reads(void *context, const struct graph_edge *edge)
{
	struct reader *reader = context;

	reader->reads = edge->to == reader->data_source;
	return !reader->reads;
}

static bool tool_reads(const struct graph *graph, struct text tool, graph_id data_source)
{
	struct reader reader = {data_source, false};
	struct graph_node node;

	if (graph_find(graph, GRAPH_NODE_TOOL, tool, &node))
		graph_each_out(graph, node.id, GRAPH_EDGE_READS, note_reads, &reader);
	return reader.reads;
}

static bool line_counts(const struct excess *excess, const struct entitlement *line)
{
	return (excess->effects >> line->effect & 1) != 0 &&
	       !is_expired(line->expires_utc_s, (int64_t)excess->now_s);
}

/* The effects on the data source that lines of the charter say. */
static uint32_t declared(const struct excess *excess, const struct graph_node *source)
{
	const struct charter_data_source *line =
		charter_find_data_source(excess->charter, source->name);
	uint32_t effects = 0;

	if (line == NULL || !covers(line->up_to, excess->sensitivity))
		return 0;
	effects |= 1U << EFFECT_READ;
	for (uint32_t i = 0; i < excess->charter->entitlements_count; i++) {
		const struct entitlement *entitlement = &excess->charter->entitlements[i];

		if (entitlement->resource_kind == RESOURCE_TOOL &&
			line_counts(excess, entitlement) &&
			tool_reads(excess->graph, entitlement->resource, source->id))
			effects |= 1U << entitlement->effect;
	}
	return effects;
}

/* The more sensitive of what its provider says and what the data source does. */
static enum sensitivity stricter(enum sensitivity seen, enum sensitivity declared_as)
{
	if (seen == SENSITIVITY_UNLABELLED)
		return declared_as;
	return sensitivity_level(seen) > sensitivity_level(declared_as) ? seen : declared_as;
}

static bool judge_source(void *context, const struct graph_edge *edge)
{
	struct excess *excess = context;
	struct graph_node source;
	uint32_t left;

	if (!graph_node(excess->graph, edge->to, &source))
		return true;
	excess->is_mapped = true;
	excess->sensitivity = stricter(excess->resource.sensitivity, source.sensitivity);
	left = excess->effects & ~declared(excess, &source);
	if (left != 0)
		excess->data_source = source.id;
	excess->left |= left;
	return true;
}

/* ---- what is too much ---- */

/* The account at which its MAY begins. */
static void put_item(struct excess *excess, const struct graph_reached *reached)
{
	struct graph_excess *out = excess->out;

	if (out->total++ >= GRAPH_EXCESS_MAX)
		return;
	out->items[out->count++] = (struct graph_excess_item){
		.resource = reached->node,
		.data_source = excess->data_source,
		.account = reached->before,
		.edge = reached->edge,
		.effects = excess->left,
		.sensitivity = excess->sensitivity,
	};
}

static void judge(struct excess *excess, const struct graph_reached *reached)
{
	if (!graph_node(excess->graph, reached->node, &excess->resource) || reached->hops == 0)
		return;
	excess->effects = reached->effects & EFFECTS_SEEN;
	excess->left = 0;
	excess->is_mapped = false;
	excess->data_source = 0;
	excess->sensitivity = excess->resource.sensitivity;
	if (excess->resource.kind == GRAPH_NODE_DATA_SOURCE) {
		struct graph_edge itself = {.to = reached->node};

		(void)judge_source(excess, &itself);
	} else if (excess->resource.kind == GRAPH_NODE_RESOURCE) {
		graph_each_out(excess->graph, reached->node, GRAPH_EDGE_AT, judge_source, excess);
	} else {
		return;
	}
	if (!excess->is_mapped)
		excess->left = excess->effects;
	if (excess->left != 0)
		put_item(excess, reached);
}

void graph_excess_of(struct graph_search *search, const struct graph *graph,
	const struct charter *charter, graph_time now_s, struct graph_excess *out)
{
	struct graph_question question = {.now_s = now_s, .kinds = KINDS_SEEN};
	struct excess excess = {.graph = graph, .charter = charter, .now_s = now_s, .out = out};
	bool has_all;

	out->count = 0;
	out->total = 0;
	has_all = find_starts(graph, charter, &question);
	graph_search_run(search, graph, &question, &out->is_cut);
	out->is_cut = out->is_cut || !has_all;
	for (size_t i = 0; i < graph_reached_count(search); i++) {
		struct graph_reached reached = graph_reached_at(search, i);

		judge(&excess, &reached);
	}
}
