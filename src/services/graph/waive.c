/* What of an excess can be waived, and by whom: whoever writes the identity's charter, or answers
 * for the data, may ask; who answers for the data agrees, but neither who asked nor who wrote the
 * charter. */
#include "services/graph/graph_private.h"

/* ---- what ---- */

/* What is too much there now; of nothing there is no waiver for a later time. */
static bool find_waived(
	void *context, const struct waiver_request *request, struct waiver *out, struct error *err)
{
	struct graph_service *service = context;
	const struct registry_entry *identity =
		registry_find(service->parts.registry, OBJECT_IDENTITY, request->of);
	struct graph_node resource;

	if (identity == NULL)
		return error_set(err, ERROR_NOT_FOUND, "there is no such identity");
	if (!graph_find(service->graph, GRAPH_NODE_RESOURCE, request->object, &resource))
		return error_set(err, ERROR_NOT_FOUND, "no connector saw the resource");
	out->of = identity->name;
	out->object = resource.name;
	out->effects = graph_excess_effects(
		service, identity, resource.name, fold_stamp_utc_ms(service->parts.fold) / 1000);
	if (out->effects == 0)
		return error_set(err, ERROR_CONFLICT,
			"nothing is too much there, so there is nothing to waive: remit excess "
			"%.*s",
			TEXT_ARGS(identity->name));
	out->unit = registry_unit_of(service->parts.registry,
		identity->in_force != NULL ? identity->in_force : identity->waiting);
	return true;
}

/* ---- who ---- */

/* The data sources that the resource is, and whether the actor answers for each. */
struct answering {
	const struct graph_service *service;
	struct text actor;
	struct text proposers[2]; /* who may not consent: who asked, who wrote; may be empty */
	size_t sources;
	struct error *err;
	bool may;
};

static bool ask_source(void *context, const struct graph_edge *edge)
{
	struct answering *answering = context;
	const struct registry *registry = answering->service->parts.registry;
	const struct registry_entry *entry;
	struct people_resource resource;
	struct graph_node source;

	if (!graph_node(answering->service->graph, edge->to, &source))
		return true;
	entry = registry_find(registry, OBJECT_DATA_SOURCE, source.name);
	if (entry == NULL || entry->in_force == NULL)
		return true;
	answering->sources++;
	resource = registry_resource_of(registry, entry->in_force);
	for (size_t i = 0; i < 2 && answering->may; i++) {
		resource.proposer = answering->proposers[i];
		answering->may = registry_may_about(
			registry, answering->actor, PEOPLE_CONSENT, &resource, answering->err);
	}
	return answering->may;
}

static bool answers_for(struct answering *answering, const struct waiver *waiver, struct error *err)
{
	struct graph_node resource;

	answering->err = err;
	answering->may = true;
	if (!graph_find(answering->service->graph, GRAPH_NODE_RESOURCE, waiver->object, &resource))
		return error_set(err, ERROR_NOT_FOUND, "no connector sees the resource any more");
	graph_each_out(
		answering->service->graph, resource.id, GRAPH_EDGE_AT, ask_source, answering);
	if (!answering->may)
		return false;
	return answering->sources > 0 ||
	       error_set(err, ERROR_CONFLICT,
		       "no data source is `at` it, so nobody answers for it: register one first");
}

static bool may_write(
	const struct graph_service *service, struct text actor, struct text name, struct error *err)
{
	const struct registry *registry = service->parts.registry;
	const struct registry_entry *entry = registry_find(registry, OBJECT_IDENTITY, name);
	const struct people_resource gone = {.kind = OBJECT_IDENTITY, .name = name};

	if (entry != NULL)
		return registry_may(registry, actor, PEOPLE_WRITE, entry, err);
	return registry_may_about(registry, actor, PEOPLE_WRITE, &gone, err);
}

/* Of the charter that waits, else of that in force. */
static struct text author_of(const struct graph_service *service, struct text name)
{
	const struct registry_entry *entry =
		registry_find(service->parts.registry, OBJECT_IDENTITY, name);

	if (entry == NULL)
		return TEXT("");
	return entry->waiting_version != 0 ? entry->more->proposed_by : entry->authored_by;
}

static bool may_waive(void *context, const struct waiver_deed *deed, const struct waiver *waiver,
	struct error *err)
{
	const struct graph_service *service = context;
	struct answering answering = {.service = service, .actor = deed->actor};
	struct error unsaid;

	if (deed->verb != WAIVER_APPROVE)
		return may_write(service, deed->actor, waiver->of, err) ||
		       answers_for(&answering, waiver, &unsaid);
	answering.proposers[0] = deed->asker;
	answering.proposers[1] = author_of(service, waiver->of);
	return answers_for(&answering, waiver, err);
}

void graph_use_waivers(struct graph_service *service)
{
	const struct waiver_rules rules = {service, find_waived, may_waive};

	waiver_use(service->parts.waivers, WAIVER_OF_EXCESS, &rules);
}
