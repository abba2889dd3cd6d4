#include "domain/inventory/layer.h"

#include <string.h>

struct seeing {
	struct graph *graph;
	struct text connector;
	struct arena *scratch;
	struct error *err;
};

/* Whether nodes of the kind are the connector's own: people and what is registered are not. */
static bool is_own_kind(enum graph_node_kind kind)
{
	return kind == GRAPH_NODE_ACCOUNT || kind == GRAPH_NODE_CREDENTIAL ||
	       kind == GRAPH_NODE_RESOURCE;
}

/* "CONNECTOR/ID"; of a person the id; .data is NULL without memory. */
static struct text name_of(const struct seeing *seeing, enum graph_node_kind kind, struct text id)
{
	if (!is_own_kind(kind))
		return id;
	return text_format(
		seeing->scratch, "%.*s/%.*s", TEXT_ARGS(seeing->connector), TEXT_ARGS(id));
}

/* The node at an end of an edge. */
static bool find_end(struct seeing *seeing, struct text reference, graph_id *out)
{
	struct inventory_end end;
	struct text name;

	if (!inventory_end_read(&end, reference))
		return error_set(seeing->err, ERROR_INVALID, "\"%.*s\" is no end of an edge",
			(int)(reference.length < 80 ? reference.length : 80), reference.data);
	name = end.is_own ? name_of(seeing, end.kind, end.name) : end.name;
	if (name.data == NULL)
		return error_set(seeing->err, ERROR_LIMIT, "no memory for a name in the graph");
	return graph_name_node(seeing->graph, end.kind, name, out, seeing->err);
}

static bool see_edge(struct seeing *seeing, const struct inventory_item *item)
{
	struct graph_edge edge = {
		.kind = item->edge,
		.scope = item->scope,
		.by = item->by,
		.why = item->why,
		.effects = item->effects,
		.uses = item->uses,
		.since_s = item->since_s,
		.until_s = item->until_s,
		.used_s = item->used_s,
	};

	return find_end(seeing, item->from, &edge.from) && find_end(seeing, item->to, &edge.to) &&
	       graph_put_edge(seeing->graph, &edge, seeing->err);
}

/* Who or what of the kind is joined to the node, where somebody is named. */
static bool see_other(struct seeing *seeing, enum graph_node_kind kind, struct text name,
	const struct graph_edge *edge)
{
	struct graph_edge joined = *edge;
	graph_id other;

	if (name.length == 0)
		return true;
	if (!graph_name_node(seeing->graph, kind, name, &other, seeing->err))
		return false;
	if (joined.from == 0)
		joined.from = other;
	else
		joined.to = other;
	return graph_put_edge(seeing->graph, &joined, seeing->err);
}

static bool see_others(struct seeing *seeing, const struct inventory_item *item, graph_id id)
{
	struct graph_edge owns = {.kind = GRAPH_EDGE_OWNS, .to = id};
	struct graph_edge created = {
		.kind = GRAPH_EDGE_CREATED, .to = id, .since_s = item->created_s};
	struct graph_edge belongs = {.kind = GRAPH_EDGE_BELONGS, .from = id};

	return see_other(seeing, GRAPH_NODE_PERSON, item->owner, &owns) &&
	       see_other(seeing, GRAPH_NODE_PERSON, item->creator, &created) &&
	       see_other(seeing, GRAPH_NODE_UNIT, item->unit, &belongs);
}

static bool see_node(struct seeing *seeing, const struct inventory_item *item)
{
	struct graph_node node = {
		.kind = item->node,
		.name = name_of(seeing, item->node, item->id),
		.title = item->title,
		.flags = item->is,
		.identity_kind = item->kind,
		.sensitivity = item->sensitivity,
		.environments = item->environments,
		.created_s = item->created_s,
		.expires_s = item->expires_s,
		.used_s = item->used_s,
		.publisher = item->publisher,
		.fingerprint = item->fingerprint,
		.place = item->place,
		.version = item->version,
	};
	graph_id id;

	if (node.name.data == NULL)
		return error_set(seeing->err, ERROR_LIMIT, "no memory for a name in the graph");
	return graph_put_node(seeing->graph, &node, &id, seeing->err) &&
	       see_others(seeing, item, id);
}

static bool is_connectors(struct text connector, struct error *err)
{
	if (!text_is(connector, GRAPH_LAYER_REGISTRY) && !text_is(connector, GRAPH_LAYER_RECORDED))
		return true;
	return error_set(
		err, ERROR_INVALID, "no connector is called \"%.*s\"", TEXT_ARGS(connector));
}

bool inventory_layer_put(struct graph *graph, const struct inventory_layer_part *part,
	const struct inventory_item *item, struct arena *scratch, struct error *err)
{
	struct seeing seeing = {graph, part->connector, scratch, err};
	bool ok;

	arena_reset(scratch);
	if (!is_connectors(part->connector, err) ||
		!graph_part_begin(graph, part->connector, part->part, err))
		return false;
	ok = item->node == GRAPH_NODE_NONE ? see_edge(&seeing, item) : see_node(&seeing, item);
	graph_part_end(graph);
	if (!ok) {
		struct error ignored;

		/* Half an item is none. */
		if (graph_part_begin(graph, part->connector, part->part, &ignored))
			graph_part_end(graph);
	}
	return ok;
}

bool inventory_layer_remove(
	struct graph *graph, const struct inventory_layer_part *part, struct error *err)
{
	if (!is_connectors(part->connector, err) ||
		!graph_part_begin(graph, part->connector, part->part, err))
		return false;
	graph_part_end(graph);
	return true;
}
