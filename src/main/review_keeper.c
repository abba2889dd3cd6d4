#include "main/review_keeper.h"

#include <stdio.h>
#include <stdlib.h>

#include "domain/audit/envelope.h"

struct review_keeper {
	struct loop *loop;
	struct record_log *log;
	const struct registry *registry;
	struct review_service *service;
	struct notices *notices;
	const struct graph *graph;
	struct connector_service *connectors;
	struct turns turns;
};

static bool read_content(
	void *context, uint64_t index, struct arena *arena, struct text *out, struct error *err)
{
	struct review_keeper *keeper = context;

	return record_read_content(keeper->log, index, arena, out, err);
}

/* What an identity is or uses at providers, and what that may do there. */
struct inheriting {
	const struct graph *graph;
	bool (*visit)(void *context, const struct review_inherited *one);
	void *context;
	struct graph_node account;
	const struct text *wanted; /* the title whose account is looked for; NULL: each is told */
	bool is_found;
	uint32_t left;
	bool ok;
};

static enum effect heaviest(uint32_t effects)
{
	static const enum effect order[] = {
		EFFECT_EXECUTE, EFFECT_WRITE, EFFECT_DELEGATE, EFFECT_GENERATE, EFFECT_READ};

	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		if ((effects & (UINT32_C(1) << order[i])) != 0)
			return order[i];
	return EFFECT_NONE;
}

static bool goes_on(const struct inheriting *inheriting)
{
	return inheriting->ok && !inheriting->is_found && inheriting->left > 0;
}

static bool tell(struct inheriting *inheriting, const struct review_inherited *one)
{
	if (inheriting->wanted == NULL)
		inheriting->ok = inheriting->visit(inheriting->context, one);
	else
		inheriting->is_found = inheriting->account.kind == GRAPH_NODE_ACCOUNT &&
				       text_equal(*inheriting->wanted, one->title);
	inheriting->left--;
	return goes_on(inheriting);
}

static bool visit_right(void *context, const struct graph_edge *edge)
{
	struct inheriting *inheriting = context;
	struct graph_node to = {0};
	char title[2 * GRAPH_NAME_BYTES_MAX + 2];
	struct review_inherited one;

	(void)graph_node(inheriting->graph, edge->to, &to);
	(void)snprintf(title, sizeof title, "%.*s %.*s", TEXT_ARGS(inheriting->account.name),
		TEXT_ARGS(edge->scope.length > 0 ? edge->scope : to.name));
	one = (struct review_inherited){.title = text_of(title),
		.by = edge->by,
		.effect = heaviest(edge->effects),
		.sensitivity = to.sensitivity,
		.since_utc_ms = (int64_t)edge->since_s * 1000,
		.last_utc_ms = (int64_t)edge->used_s * 1000,
		.uses = edge->uses};
	return tell(inheriting, &one);
}

/* A credential that it holds there: whoever has it may act so. */
static bool visit_credential(void *context, const struct graph_edge *edge)
{
	struct inheriting *inheriting = context;
	struct graph_node credential = {0};
	char title[2 * GRAPH_NAME_BYTES_MAX + 8];
	struct review_inherited one;

	if (edge->origin != GRAPH_ORIGIN_SEEN ||
		!graph_node(inheriting->graph, edge->to, &credential))
		return true;
	(void)snprintf(title, sizeof title, "%.*s holds %.*s", TEXT_ARGS(inheriting->account.name),
		TEXT_ARGS(credential.name));
	one = (struct review_inherited){.title = text_of(title),
		.by = edge->by,
		.effect = EFFECT_DELEGATE,
		.since_utc_ms = (int64_t)edge->since_s * 1000,
		.last_utc_ms = (int64_t)edge->used_s * 1000,
		.uses = edge->uses};
	return tell(inheriting, &one);
}

static bool visit_account(void *context, const struct graph_edge *edge)
{
	struct inheriting *inheriting = context;

	if (!graph_node(inheriting->graph, edge->to, &inheriting->account) ||
		inheriting->account.kind != GRAPH_NODE_ACCOUNT)
		return true;
	graph_each_out(inheriting->graph, edge->to, GRAPH_EDGE_MAY, visit_right, inheriting);
	if (goes_on(inheriting))
		graph_each_out(inheriting->graph, edge->to, GRAPH_EDGE_HOLDS, visit_credential,
			inheriting);
	return goes_on(inheriting);
}

static void visit_all(
	const struct review_keeper *keeper, struct text identity, struct inheriting *inheriting)
{
	struct graph_node node;

	if (!graph_find(keeper->graph, GRAPH_NODE_IDENTITY, identity, &node))
		return;
	graph_each_out(keeper->graph, node.id, GRAPH_EDGE_IS, visit_account, inheriting);
	if (goes_on(inheriting))
		graph_each_out(keeper->graph, node.id, GRAPH_EDGE_USES, visit_account, inheriting);
	if (!goes_on(inheriting))
		return;
	inheriting->account = node;
	graph_each_out(keeper->graph, node.id, GRAPH_EDGE_HOLDS, visit_credential, inheriting);
}

static bool each_inherited(void *context, struct text identity,
	bool (*visit)(void *context, const struct review_inherited *one), void *visit_context,
	struct error *err)
{
	const struct review_keeper *keeper = context;
	struct inheriting inheriting = {.graph = keeper->graph,
		.visit = visit,
		.context = visit_context,
		.left = REVIEW_INHERITED_MAX,
		.ok = true};

	(void)err; /* visit has said it */
	visit_all(keeper, identity, &inheriting);
	return inheriting.ok;
}

/* What it only uses is somebody else's, who answers for it. */
static bool find_account(void *context, struct text identity, struct text title,
	struct arena *arena, struct text *out)
{
	const struct review_keeper *keeper = context;
	struct inheriting inheriting = {
		.graph = keeper->graph, .wanted = &title, .left = REVIEW_INHERITED_MAX, .ok = true};
	struct graph_node node;

	if (graph_find(keeper->graph, GRAPH_NODE_IDENTITY, identity, &node))
		graph_each_out(keeper->graph, node.id, GRAPH_EDGE_IS, visit_account, &inheriting);
	if (inheriting.is_found)
		*out = text_copy(arena, inheriting.account.name);
	return inheriting.is_found && out->data != NULL;
}

static bool stop_account(void *context, const struct review_stop *stop)
{
	const struct review_keeper *keeper = context;
	const struct connector_contain_asked asked = {.account = stop->account,
		.actor = stop->actor,
		.reason = stop->reason,
		.review = stop->review,
		.identity = stop->identity,
		.context = stop->context,
		.done = stop->done};

	return keeper->connectors != NULL &&
	       connector_stop(keeper->connectors, &asked, stop->must_be_reversible);
}

static void on_event(void *context, const struct review_notice *notice)
{
	struct review_keeper *keeper = context;

	if (keeper->notices != NULL)
		notices_tell_review(keeper->notices, notice);
}

static bool step(void *context)
{
	return review_step(context);
}

bool review_keeper_create(struct review_keeper **out, struct loop *loop, struct record_log *log,
	const struct review_parts *parts, struct error *err)
{
	struct review_keeper *keeper = calloc(1, sizeof *keeper);

	*out = NULL;
	if (keeper == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for reviews");
	*keeper = (struct review_keeper){.loop = loop, .log = log, .registry = parts->registry};
	if (!review_service_create(&keeper->service, parts, err)) {
		free(keeper);
		return false;
	}
	*out = keeper;
	return true;
}

bool review_keeper_start(struct review_keeper *keeper, struct notices *notices,
	const struct graph *graph, struct connector_service *connectors, struct error *err)
{
	const struct review_ports ports = {.log = keeper,
		.read_content = read_content,
		.providers = keeper,
		.each_inherited = each_inherited,
		.find_account = find_account,
		.stop_account = stop_account};
	const struct review_listener listener = {keeper, on_event};
	const struct turns_work work = {
		step, keeper->service, REVIEW_KEEPER_SOON_MS, REVIEW_KEEPER_MS};

	keeper->notices = notices;
	keeper->graph = graph;
	keeper->connectors = connectors;
	review_connect(keeper->service, &ports, &listener);
	return turns_start(&keeper->turns, keeper->loop, &work, 0, err);
}

void review_keeper_stop(struct review_keeper *keeper)
{
	if (keeper == NULL)
		return;
	keeper->notices = NULL;
	turns_stop(&keeper->turns);
}

void review_keeper_destroy(struct review_keeper **keeper)
{
	if (*keeper == NULL)
		return;
	review_keeper_stop(*keeper);
	review_service_destroy(&(*keeper)->service);
	free(*keeper);
	*keeper = NULL;
}

struct review_service *review_keeper_service(struct review_keeper *keeper)
{
	return keeper->service;
}

/* ---- whom releases are asked of ---- */

static bool may_administer(void *context, struct text actor, struct error *err)
{
	const struct review_keeper *keeper = context;
	const struct people_resource installation = {.about = PEOPLE_ABOUT_INSTALLATION};

	return registry_may_about(keeper->registry, actor, PEOPLE_ADMINISTER, &installation, err);
}

static bool may_judge(void *context, const struct inventory_judged *judged, struct error *err)
{
	const struct review_keeper *keeper = context;
	const struct review_given_back asked = {.review = judged->review,
		.identity = judged->identity,
		.account = judged->account,
		.person = actor_person(judged->actor),
		.asked_by = actor_person(judged->asked_by)};

	return review_may_give_back(keeper->service, &asked, err);
}

struct inventory_judge review_keeper_judge(struct review_keeper *keeper)
{
	return (struct inventory_judge){
		.context = keeper, .may_administer = may_administer, .may_judge = may_judge};
}
