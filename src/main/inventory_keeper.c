#include "main/inventory_keeper.h"

#include "services/record/record.h"

static bool read_content(
	void *context, uint64_t index, struct arena *arena, struct text *out, struct error *err)
{
	return record_read_content(context, index, arena, out, err);
}

static void wake(void *context)
{
	struct inventory_keeper *keeper = context;

	if (!keeper->is_started)
		return;
	loop_timer_stop(keeper->loop, &keeper->timer);
	keeper->is_started = loop_timer_start(keeper->loop, &keeper->timer, 0);
}

bool inventory_keeper_make(struct inventory_keeper *keeper, struct loop *loop, struct fold *fold,
	struct record_log *log, struct error *err)
{
	const struct inventory_parts parts = {.fold = fold,
		.contents = {log, read_content},
		.wake = wake,
		.wake_context = keeper};

	*keeper = (struct inventory_keeper){.loop = loop, .log = log};
	return inventory_create(&keeper->service, &parts, err);
}

static void on_due(struct loop_timer *timer)
{
	struct inventory_keeper *keeper = timer->context;
	bool has_more = inventory_step(keeper->service);

	keeper->is_started = loop_timer_start(
		keeper->loop, timer, has_more ? INVENTORY_KEEPER_SOON_MS : INVENTORY_KEEPER_MS);
}

bool inventory_keeper_start(struct inventory_keeper *keeper, struct error *err)
{
	keeper->timer = (struct loop_timer){.on_due = on_due, .context = keeper};
	keeper->is_started = loop_timer_start(keeper->loop, &keeper->timer, 0);
	return keeper->is_started
		       ? true
		       : error_set(err, ERROR_LIMIT, "no memory for the keeper of inventories");
}

void inventory_keeper_stop(struct inventory_keeper *keeper)
{
	if (keeper->is_started)
		loop_timer_stop(keeper->loop, &keeper->timer);
	keeper->is_started = false;
	inventory_destroy(&keeper->service);
}
