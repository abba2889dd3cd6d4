#include "domain/inventory/converting.h"

void flow_put(struct converting *c, const struct flow *flow)
{
	const struct inventory_item account = {.node = GRAPH_NODE_ACCOUNT,
		.id = flow->id,
		.kind = KIND_WORKFLOW,
		.title = flow->title,
		.place = flow->place,
		.is = GRAPH_NODE_IS_AUTONOMOUS | (flow->is_off ? (uint32_t)GRAPH_NODE_IS_OFF : 0),
		.created_s = flow->created_s,
		.used_s = flow->used_s};

	converting_put(c, &account);
	converting_put_person(c, GRAPH_EDGE_CREATED, flow->creator, flow->id, flow->created_s);
}

static struct text connection_id(struct converting *c, struct text id)
{
	return converting_format(c, "connection/%.*s", TEXT_ARGS(id));
}

void flow_put_connection(struct converting *c, const struct flow_connection *connection)
{
	const struct inventory_scope all = {.resource = connection->service,
		.effects = 1u << EFFECT_READ | 1u << EFFECT_WRITE | 1u << EFFECT_EXECUTE,
		.is_known = true};
	struct inventory_item item = {.node = GRAPH_NODE_ACCOUNT,
		.id = connection_id(c, connection->id),
		.kind = KIND_INTEGRATION,
		.title = connection->title,
		.is = connection->is_off ? (uint32_t)GRAPH_NODE_IS_OFF : 0,
		.created_s = connection->created_s};
	struct inventory_item edge = {
		.from = converting_format(c, "account:%.*s", TEXT_ARGS(item.id)),
		.scope = TEXT("whatever its credential may"),
		.since_s = connection->created_s};

	converting_put(c, &item);
	converting_put_scope(c, &edge, &all);
	converting_put_person(
		c, GRAPH_EDGE_CREATED, connection->creator, item.id, connection->created_s);
	edge = (struct inventory_item){.edge = GRAPH_EDGE_OPENS,
		.from = converting_format(c, "credential:%.*s", TEXT_ARGS(item.id)),
		.to = edge.from};
	item.node = GRAPH_NODE_CREDENTIAL;
	item.kind = KIND_NONE;
	item.is |= GRAPH_NODE_IS_STATIC;
	converting_put(c, &item);
	converting_put(c, &edge);
}

void flow_put_use(struct converting *c, struct text flow, struct text connection, struct text why)
{
	const struct inventory_item edge = {.edge = GRAPH_EDGE_USES,
		.from = converting_format(c, "account:%.*s", TEXT_ARGS(flow)),
		.to = converting_format(c, "account:connection/%.*s", TEXT_ARGS(connection)),
		.why = why};

	converting_put(c, &edge);
}

void flow_put_step(struct converting *c, const struct flow_step *step)
{
	const struct inventory_scope opens = {
		.resource = step->service, .effects = step->effects, .is_known = true};
	const struct inventory_item edge = {
		.from = converting_format(c, "account:%.*s", TEXT_ARGS(step->flow)),
		.scope = step->scope,
		.why = TEXT("a step of the flow")};

	if (step->service.length > 0)
		converting_put_scope(c, &edge, &opens);
}
