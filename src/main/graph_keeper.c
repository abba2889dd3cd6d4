#include "main/graph_keeper.h"

static size_t live(void *context, const struct charter *charter, int64_t now_utc_s,
	struct arena *arena, struct text *first)
{
	return graph_excess_live(context, charter, now_utc_s, arena, first);
}

static bool check(
	void *context, const struct charter *charter, int64_t now_utc_s, struct error *err)
{
	return graph_check_excess(context, charter, now_utc_s, err);
}

bool graph_keeper_create(struct graph_service **out, const struct registry *registry,
	struct fold *fold, struct registrar *registrar, struct error *err)
{
	const struct graph_parts parts = {registry, fold};
	struct excess_port port = {.live = live, .check = check};

	if (!graph_service_create(out, &parts, err))
		return false;
	port.context = *out;
	registrar_use_excess(registrar, &port);
	return true;
}

static void on_due(struct loop_timer *timer)
{
	struct graph_keeper *keeper = timer->context;
	bool has_more = graph_keep_counts(keeper->graph);

	keeper->is_started = loop_timer_start(
		keeper->loop, timer, has_more ? GRAPH_KEEPER_SOON_MS : GRAPH_KEEPER_MS);
}

bool graph_keeper_start(struct graph_keeper *keeper, struct loop *loop, struct graph_service *graph,
	struct error *err)
{
	*keeper = (struct graph_keeper){.loop = loop, .graph = graph};
	keeper->timer = (struct loop_timer){.on_due = on_due, .context = keeper};
	keeper->is_started = loop_timer_start(loop, &keeper->timer, GRAPH_KEEPER_MS);
	return keeper->is_started || error_set(err, ERROR_LIMIT, "no memory for the graph");
}

void graph_keeper_stop(struct graph_keeper *keeper)
{
	if (keeper->is_started)
		loop_timer_stop(keeper->loop, &keeper->timer);
	keeper->is_started = false;
}
