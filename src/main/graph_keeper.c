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

bool graph_keeper_create(struct graph_service **out, const struct graph_parts *parts,
	struct registrar *registrar, struct error *err)
{
	struct excess_port port = {.live = live, .check = check};

	if (!graph_service_create(out, parts, err))
		return false;
	port.context = *out;
	registrar_use_excess(registrar, &port);
	return true;
}

static bool step(void *context)
{
	return graph_keep_counts(context);
}

bool graph_keeper_start(
	struct turns *turns, struct loop *loop, struct graph_service *graph, struct error *err)
{
	const struct turns_work work = {step, graph, GRAPH_KEEPER_SOON_MS, GRAPH_KEEPER_MS};

	return turns_start(turns, loop, &work, 0, err);
}
