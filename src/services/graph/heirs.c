/* Who gets at something by accounts and credentials at providers, and the way of each: who
 * granted it, until when, when last used.  All are found, so that pages agree; only those of the
 * page are told. */
#include "services/graph/graph_private.h"

#include "base/time.h"

/* ---- one way, edge after edge ---- */

static graph_time earlier(graph_time left, graph_time right)
{
	if (left == 0 || right == 0)
		return left + right;
	return left < right ? left : right;
}

/* A way is over with its first edge that is, and with a credential on it. */
static graph_time way_end(const struct graph_service *service, const struct graph_way *way)
{
	graph_time end_s = 0;

	for (size_t i = 0; i < way->count; i++) {
		struct graph_edge edge;
		struct graph_node node;

		(void)graph_edge(service->graph, way->edges[i], &edge);
		end_s = earlier(end_s, edge.until_s);
		if (graph_node(service->graph, edge.from, &node) &&
			node.kind == GRAPH_NODE_CREDENTIAL)
			end_s = earlier(end_s, node.expires_s);
	}
	return end_s;
}

/* The edge that lets it in: the last that says what may be done. */
static graph_id way_grant(const struct graph_service *service, const struct graph_way *way)
{
	struct graph_edge edge;
	size_t at = way->count;

	while (--at > 0)
		if (graph_edge(service->graph, way->edges[at], &edge) &&
			edge.kind == GRAPH_EDGE_MAY)
			break;
	return way->edges[at];
}

bool graph_edges_json(const struct graph_service *service, const graph_id *edges, size_t count,
	struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder list;

	json_array_start(&list, arena);
	for (size_t i = 0; i < count; i++) {
		struct json edge;

		if (!graph_edge_json(service, edges[i], arena, &edge, err))
			return false;
		json_add(&list, edge);
	}
	return json_array_seal(&list, out, err);
}

bool graph_put_way(const struct graph_service *service, const struct graph_way *way,
	struct arena *arena, struct json_builder *object, struct error *err)
{
	graph_id grant = way_grant(service, way);
	struct graph_edge edge;
	struct json path;

	(void)graph_edge(service->graph, grant, &edge);
	if (!graph_edges_json(service, way->edges, way->count, arena, &path, err))
		return false;
	json_put_text(object, "by", edge.by.length > 0 ? edge.by : TEXT("unknown"));
	json_put_text(object, "why", edge.why.length > 0 ? edge.why : TEXT("unknown"));
	graph_put_time(object, "since", edge.since_s, "unknown");
	graph_put_time(object, "until", way_end(service, way), "no end");
	graph_put_time(object, "used", edge.used_s, "never seen");
	json_put_integer(object, "used_times", edge.uses);
	json_put(object, "path", path);
	return true;
}

/* ---- who ---- */

/* What a question may be about: "server/tool", or KIND:NAME of what somebody gets at. */
static bool find_target(
	const struct graph_service *service, struct text resource, graph_id *out, struct error *err)
{
	ptrdiff_t colon = text_find_byte(resource, ':');
	struct text word = {resource.data, colon < 0 ? 0 : (size_t)colon};
	enum graph_node_kind kind = graph_node_kind_of(word);
	struct graph_node node;

	if (kind == GRAPH_NODE_NONE && graph_find(service->graph, GRAPH_NODE_TOOL, resource, &node))
		*out = node.id;
	else if (!graph_resolve(service, resource, out, err))
		return false;
	(void)graph_node(service->graph, *out, &node);
	return node.kind == GRAPH_NODE_TOOL || node.kind == GRAPH_NODE_MODEL ||
	       node.kind == GRAPH_NODE_DATA_SOURCE || node.kind == GRAPH_NODE_RESOURCE ||
	       node.kind == GRAPH_NODE_SERVER ||
	       error_set(err, ERROR_INVALID,
		       "name a tool (SERVER/TOOL), data-source:NAME, model:PROVIDER/NAME, "
		       "server:NAME or resource:CONNECTOR/ID");
}

/* From the heir to what was asked about.  False: the search ended before it knew all of it. */
static bool follow_way(
	const struct graph_service *service, const struct graph_heir *heir, struct graph_way *way)
{
	struct graph_reached at = {0};

	way->count = 0;
	if (heir->entry != 0)
		way->edges[way->count++] = heir->entry;
	for (graph_id node = heir->begins;
		way->count < GRAPH_WAY_HOPS_MAX && graph_reached_find(service->search, node, &at) &&
		at.edge != 0;
		node = at.before)
		way->edges[way->count++] = at.edge;
	return way->count > 0 && way->count == heir->hops;
}

static bool heir_json(const struct graph_service *service, const struct graph_heir *heir,
	const struct graph_way *way, struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder object;
	struct graph_node node;
	struct graph_edge last;

	(void)graph_node(service->graph, heir->node, &node);
	(void)graph_edge(service->graph, way->edges[way->count - 1], &last);
	json_object_start(&object, arena);
	json_put_cstring(&object, "access", "inherited");
	json_put_text(&object, "who", graph_reference(service, heir->node, arena));
	if (node.kind == GRAPH_NODE_IDENTITY)
		json_put_text(&object, "identity", node.name);
	json_put_text_unless_empty(&object, "title", node.title);
	json_put_integer(&object, "hops", heir->hops);
	json_put_text(&object, "through", graph_reference(service, last.from, arena));
	return graph_put_way(service, way, arena, &object, err) &&
	       json_object_seal(&object, out, err);
}

static bool heirs_json(const struct graph_service *service, const struct graph_who *asked,
	size_t count, struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder list;

	json_array_start(&list, arena);
	for (size_t i = asked->after; i < count && i - asked->after < asked->count; i++) {
		struct graph_way way;
		struct json one;

		if (!follow_way(service, &service->heirs[i], &way))
			continue; /* the answer says cut */
		if (!heir_json(service, &service->heirs[i], &way, arena, &one, err))
			return false;
		json_add(&list, one);
	}
	return json_array_seal(&list, out, err);
}

bool graph_who(struct graph_service *service, const struct graph_who *asked, struct arena *arena,
	struct json *out, struct error *err)
{
	struct graph_question question;
	struct json_builder object;
	struct json items;
	graph_id target;
	size_t count;
	bool is_cut;

	if (asked->effect == EFFECT_NONE || asked->resource.length == 0)
		return error_set(err, ERROR_INVALID, "name an effect and a resource");
	if (!find_target(service, asked->resource, &target, err))
		return false;
	question = graph_heirs_question(target, asked->effect, graph_time_of(asked->now_utc_s));
	graph_heirs(service->search, service->graph, &question, service->heirs, &count, &is_cut);
	if (!heirs_json(service, asked, count, arena, &items, err))
		return false;
	json_object_start(&object, arena);
	json_put(&object, "items", items);
	json_put_integer(&object, "total", (int64_t)count);
	if (count > asked->after && count - asked->after > asked->count)
		json_put_integer(&object, "next", (int64_t)asked->after + asked->count);
	if (is_cut || service->is_short)
		json_put_boolean(&object, "cut", true);
	return json_object_seal(&object, out, err);
}

/* ---- what a charter's line gives ---- */

struct line {
	const struct graph *graph;
	graph_id to;
	uint32_t effects;
	graph_id found;
};

static bool note_line(void *context, const struct graph_edge *edge)
{
	struct line *line = context;

	if (edge->to == line->to && edge->origin == GRAPH_ORIGIN_DECLARED &&
		(edge->effects & line->effects) != 0)
		line->found = edge->id;
	return line->found == 0;
}

bool graph_put_declared(const struct graph_service *service, struct text identity,
	const struct graph_who *asked, struct arena *arena, struct json_builder *object,
	struct error *err)
{
	struct line line = {.graph = service->graph, .effects = UINT32_C(1) << asked->effect};
	struct graph_way way = {.count = 1};
	struct graph_node from;
	struct error ignored;

	json_put_cstring(object, "access", "declared");
	if (!find_target(service, asked->resource, &line.to, &ignored) ||
		!graph_find(service->graph, GRAPH_NODE_IDENTITY, identity, &from))
		return true;
	graph_each_out(service->graph, from.id, GRAPH_EDGE_MAY, note_line, &line);
	way.edges[0] = line.found;
	return line.found == 0 || graph_put_way(service, &way, arena, object, err);
}
