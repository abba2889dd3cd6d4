/*   rests ──▶ opens ──▶ (asks, is killed) ──▶ waits for its refusal ──▶ rests
 *
 * C1  A run goes well only if the call before the kill was taken and one after it was not.
 * C2  Each run ends, by its deadline at the latest.  A task that comes later than that is killed
 *     and counts for nothing. */
#include "services/canary/canary.h"

#include <stdlib.h>
#include <string.h>

enum canary_step { CANARY_RESTS = 0, CANARY_OPENS, CANARY_WAITS };
enum { NS_PER_MS = 1000000 };

struct canary {
	struct loop *loop;
	struct canary_road road;
	int64_t every_s;
	struct loop_timer timer;
	struct canary_opening opening;
	bool is_opening; /* done has not run */
	enum canary_step step;
	int64_t deadline_ns;
	int64_t killed_ns;
	char token[CANARY_TOKEN_BYTES_MAX];
	size_t token_length;
	struct canary_figures figures;
};

static int64_t now_ns(const struct canary *canary)
{
	return canary->road.now_ns(canary->road.context);
}

static struct text token_of(const struct canary *canary)
{
	return (struct text){canary->token, canary->token_length};
}

static void forget_token(struct canary *canary)
{
	explicit_bzero(canary->token, sizeof canary->token);
	canary->token_length = 0;
}

static void wait_for(struct canary *canary, int64_t ms)
{
	if (canary->loop == NULL)
		return;
	loop_timer_stop(canary->loop, &canary->timer);
	if (!loop_timer_start(canary->loop, &canary->timer, ms))
		canary->road.tell(canary->road.context, "no memory for its timer: it has stopped");
}

/* why NULL: it went well. */
static void finish(struct canary *canary, const char *why)
{
	canary->step = CANARY_RESTS;
	canary->figures.runs++;
	canary->figures.failures += why != NULL;
	canary->figures.is_failing = why != NULL;
	forget_token(canary);
	canary->road.tell(canary->road.context, why);
	wait_for(canary, canary->every_s * 1000);
}

static void kill_it(struct canary *canary)
{
	struct error err = {0};

	canary->killed_ns = now_ns(canary);
	canary->deadline_ns = canary->killed_ns + (int64_t)CANARY_WAIT_MS * NS_PER_MS;
	if (!canary->road.kill(canary->road.context, token_of(canary), &err)) {
		finish(canary, "its task could not be killed");
		return;
	}
	canary->step = CANARY_WAITS;
	wait_for(canary, CANARY_LOOK_MS);
}

static void on_opened(struct canary_opening *opening)
{
	struct canary *canary = opening->context;
	struct error unsaid = {0};

	canary->is_opening = false;
	if (canary->step != CANARY_OPENS) { /* C2 */
		if (opening->token.length > 0)
			(void)canary->road.kill(canary->road.context, opening->token, &unsaid);
		return;
	}
	if (opening->token.length == 0 || opening->token.length > sizeof canary->token) {
		finish(canary, opening->why != NULL ? opening->why : "it got no task");
		return;
	}
	memcpy(canary->token, opening->token.data, opening->token.length);
	canary->token_length = opening->token.length;
	if (!canary->road.ask(canary->road.context, token_of(canary)))
		finish(canary, "its call was refused before the kill");
	else
		kill_it(canary);
}

void canary_begin(struct canary *canary)
{
	if (canary->step != CANARY_RESTS || canary->is_opening) {
		wait_for(canary, canary->every_s * 1000);
		return;
	}
	canary->step = CANARY_OPENS;
	canary->is_opening = true;
	canary->deadline_ns = now_ns(canary) + (int64_t)CANARY_WAIT_MS * NS_PER_MS;
	canary->opening = (struct canary_opening){.done = on_opened, .context = canary};
	wait_for(canary, CANARY_WAIT_MS);
	canary->road.open(canary->road.context, &canary->opening);
}

void canary_look(struct canary *canary)
{
	int64_t at_ns = now_ns(canary);
	bool is_late = at_ns >= canary->deadline_ns;

	if (canary->step == CANARY_OPENS && is_late) {
		finish(canary, "it got no task in time");
	} else if (canary->step == CANARY_WAITS &&
		   !canary->road.ask(canary->road.context, token_of(canary))) {
		canary->figures.success_utc_s = canary->road.now_utc_s(canary->road.context);
		canary->figures.refused_ns = now_ns(canary) - canary->killed_ns;
		finish(canary, NULL);
	} else if (canary->step == CANARY_WAITS && is_late) {
		finish(canary, "its call was still taken after its task was killed");
	} else if (canary->step != CANARY_RESTS) {
		wait_for(canary, CANARY_LOOK_MS);
	}
}

static void on_due(struct loop_timer *timer)
{
	struct canary *canary = timer->context;

	if (canary->step == CANARY_RESTS)
		canary_begin(canary);
	else
		canary_look(canary);
}

struct canary_figures canary_figures(const struct canary *canary)
{
	return canary->figures;
}

bool canary_create(struct canary **out, struct loop *loop, const struct canary_road *road,
	int64_t every_s, struct error *err)
{
	struct canary *canary = NULL;

	*out = NULL;
	if (every_s < CANARY_EVERY_S_MIN || every_s > CANARY_EVERY_S_MAX)
		return error_set(err, ERROR_INVALID, "a canary runs every %d to %d seconds",
			CANARY_EVERY_S_MIN, CANARY_EVERY_S_MAX);
	canary = calloc(1, sizeof *canary);
	if (canary == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the canary");
	canary->loop = loop;
	canary->road = *road;
	canary->every_s = every_s;
	canary->timer = (struct loop_timer){.on_due = on_due, .context = canary};
	wait_for(canary, 0);
	*out = canary;
	return true;
}

void canary_destroy(struct canary **canary)
{
	if (*canary == NULL)
		return;
	if ((*canary)->loop != NULL)
		loop_timer_stop((*canary)->loop, &(*canary)->timer);
	forget_token(*canary);
	free(*canary);
	*canary = NULL;
}
