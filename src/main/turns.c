#include "main/turns.h"

#include "base/log.h"

/* Without memory for the timer there is no next step: said, as nobody would miss it. */
static void wait_for(struct turns *turns, int64_t delay_ms)
{
	if (!loop_timer_start(turns->loop, &turns->timer, delay_ms))
		log_warn("turns_ended", LOG_STRING("why", "no memory for a timer"));
}

static void on_due(struct loop_timer *timer)
{
	struct turns *turns = timer->context;
	bool has_more = turns->work.step(turns->work.context);

	wait_for(turns, has_more ? turns->work.soon_ms : turns->work.rest_ms);
}

bool turns_start(struct turns *turns, struct loop *loop, const struct turns_work *work,
	int64_t delay_ms, struct error *err)
{
	*turns = (struct turns){.loop = loop, .work = *work};
	turns->timer = (struct loop_timer){.on_due = on_due, .context = turns};
	if (loop_timer_start(loop, &turns->timer, delay_ms))
		return true;
	turns->loop = NULL;
	return error_set(err, ERROR_LIMIT, "no memory for a timer");
}

void turns_wake(struct turns *turns)
{
	if (turns->loop != NULL)
		wait_for(turns, 0);
}

void turns_stop(struct turns *turns)
{
	if (turns->loop != NULL)
		loop_timer_stop(turns->loop, &turns->timer);
	turns->loop = NULL;
}
