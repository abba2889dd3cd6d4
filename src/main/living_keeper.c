#include "main/living_keeper.h"

static void on_due(struct loop_timer *timer)
{
	struct living_keeper *keeper = timer->context;
	bool has_more = living_step(keeper->living);

	keeper->is_started = loop_timer_start(
		keeper->loop, timer, has_more ? LIVING_KEEPER_SOON_MS : LIVING_KEEPER_MS);
}

bool living_keeper_start(struct living_keeper *keeper, struct loop *loop,
	struct living_service *living, struct error *err)
{
	*keeper = (struct living_keeper){.loop = loop, .living = living};
	keeper->timer = (struct loop_timer){.on_due = on_due, .context = keeper};
	keeper->is_started = loop_timer_start(loop, &keeper->timer, 0);
	return keeper->is_started ? true
				  : error_set(err, ERROR_LIMIT, "no memory for living records");
}

void living_keeper_stop(struct living_keeper *keeper)
{
	if (keeper->is_started)
		loop_timer_stop(keeper->loop, &keeper->timer);
	keeper->is_started = false;
}
