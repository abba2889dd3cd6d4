#include "main/inventory_keeper.h"

#include "domain/inventory/layer.h"
#include "services/record/record.h"

enum { SCRATCH_BYTES_MAX = 1024 * 1024 };

static bool read_content(
	void *context, uint64_t index, struct arena *arena, struct text *out, struct error *err)
{
	return record_read_content(context, index, arena, out, err);
}

static void wake(void *context)
{
	struct inventory_keeper *keeper = context;

	turns_wake(&keeper->turns);
}

bool inventory_keeper_make(struct inventory_keeper *keeper, struct loop *loop, struct fold *fold,
	struct record_log *log, struct error *err)
{
	const struct inventory_parts parts = {.fold = fold,
		.contents = {log, read_content},
		.wake = wake,
		.wake_context = keeper};

	*keeper = (struct inventory_keeper){.loop = loop};
	return inventory_create(&keeper->service, &parts, err);
}

/* ---- the graph's layers ---- */

static bool put(void *context, struct text connector, struct text part,
	const struct inventory_item *item, struct error *err)
{
	const struct inventory_keeper *keeper = context;
	const struct inventory_layer_part where = {connector, part};

	return inventory_layer_put(keeper->graph, &where, item, keeper->scratch, err);
}

static bool gone(void *context, struct text connector, struct text part, struct error *err)
{
	const struct inventory_keeper *keeper = context;
	const struct inventory_layer_part where = {connector, part};

	return inventory_layer_remove(keeper->graph, &where, err);
}

bool inventory_keeper_join(struct inventory_keeper *keeper, struct graph *graph, struct error *err)
{
	const struct inventory_listener listener = {keeper, put, gone};

	keeper->graph = graph;
	keeper->scratch = arena_create(SCRATCH_BYTES_MAX);
	if (keeper->scratch == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for inventories");
	inventory_listen(keeper->service, &listener);
	inventory_use_graph(keeper->service, graph);
	return true;
}

static bool step(void *context)
{
	return inventory_step(context);
}

bool inventory_keeper_start(struct inventory_keeper *keeper, struct error *err)
{
	const struct turns_work work = {
		step, keeper->service, INVENTORY_KEEPER_SOON_MS, INVENTORY_KEEPER_MS};

	return turns_start(&keeper->turns, keeper->loop, &work, 0, err);
}

void inventory_keeper_stop(struct inventory_keeper *keeper)
{
	turns_stop(&keeper->turns);
	inventory_destroy(&keeper->service);
	arena_destroy(&keeper->scratch);
}
