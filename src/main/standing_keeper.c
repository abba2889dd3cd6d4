#include "main/standing_keeper.h"

static void on_due(struct loop_timer *timer)
{
	struct standing_keeper *keeper = timer->context;
	bool has_more = finding_look_standing(keeper->findings);

	keeper->is_started = loop_timer_start(
		keeper->loop, timer, has_more ? STANDING_KEEPER_SOON_MS : STANDING_KEEPER_MS);
}

bool standing_keeper_start(struct standing_keeper *keeper, struct loop *loop,
	struct finding_service *findings, struct error *err)
{
	*keeper = (struct standing_keeper){.loop = loop, .findings = findings};
	keeper->timer = (struct loop_timer){.on_due = on_due, .context = keeper};
	keeper->is_started = loop_timer_start(loop, &keeper->timer, 0);
	return keeper->is_started ? true
				  : error_set(err, ERROR_LIMIT, "no memory for standing access");
}

void standing_keeper_stop(struct standing_keeper *keeper)
{
	if (keeper->is_started)
		loop_timer_stop(keeper->loop, &keeper->timer);
	keeper->is_started = false;
}
