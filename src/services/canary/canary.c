/*   rests ──▶ opens, task below task ──▶ (all ask, the first is killed) ──▶ waits ──▶ lists ──▶
 * rests
 *
 * C1  A run goes well only if a call of each task was taken before the kill, and in one look after
 *     it none was.
 * C2  Each run ends, by its deadline at the latest.  A task that comes later than that is killed
 *     and counts for nothing; so is the first of a run that fails.
 * C3  Of each run in which all were refused it is told once how long the receipt took. */
#include "services/canary/canary.h"

#include <stdlib.h>
#include <string.h>

enum canary_step { CANARY_RESTS = 0, CANARY_OPENS, CANARY_WAITS, CANARY_LISTS };
enum { NS_PER_MS = 1000000 };

/* One task of the run. */
struct canary_task {
	char token[CANARY_TOKEN_BYTES_MAX];
	size_t token_length;
	char id[TASK_ID_BYTES + 1];
};

struct canary {
	struct loop *loop;
	struct canary_road road;
	struct canary_plan plan;
	struct loop_timer timer;
	struct canary_opening opening;
	bool is_opening; /* done has not run */
	enum canary_step step;
	int64_t deadline_ns;
	int64_t killed_ns;
	struct canary_task tasks[CANARY_TASKS_MAX]; /* each below the one before */
	uint32_t opened;
	struct canary_figures figures;
};

static int64_t now_ns(const struct canary *canary)
{
	return canary->road.now_ns(canary->road.context);
}

static struct text token_of(const struct canary *canary, uint32_t number)
{
	const struct canary_task *task = &canary->tasks[number];

	return (struct text){task->token, task->token_length};
}

static void forget_tasks(struct canary *canary)
{
	explicit_bzero(canary->tasks, sizeof canary->tasks);
	canary->opened = 0;
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
	forget_tasks(canary);
	canary->road.tell(canary->road.context, why);
	wait_for(canary, canary->plan.every_s * 1000);
}

/* What it opened ends, as far as it can. */
static void fail(struct canary *canary, const char *why)
{
	struct error unsaid = {0};

	if (canary->opened > 0)
		(void)canary->road.kill(canary->road.context, token_of(canary, 0), &unsaid);
	finish(canary, why);
}

/* How many are taken now; *is_first: the one that is killed is among them. */
static uint32_t ask_all(struct canary *canary, bool *is_first)
{
	uint32_t taken = 0;

	*is_first = false;
	for (uint32_t i = 0; i < canary->opened; i++) {
		bool is_taken = canary->road.ask(canary->road.context, token_of(canary, i));

		*is_first |= is_taken && i == 0;
		taken += is_taken;
	}
	return taken;
}

static void kill_first(struct canary *canary)
{
	struct error err = {0};

	canary->killed_ns = now_ns(canary);
	canary->deadline_ns = canary->killed_ns + (int64_t)CANARY_WAIT_MS * NS_PER_MS;
	if (!canary->road.kill(canary->road.context, token_of(canary, 0), &err)) {
		finish(canary, "its task could not be killed");
		return;
	}
	canary->step = CANARY_WAITS;
	wait_for(canary, CANARY_LOOK_MS);
}

/* False: it is no task. */
static bool keep_task(struct canary *canary, const struct canary_opening *opening)
{
	struct canary_task *task = &canary->tasks[canary->opened];

	if (opening->token.length == 0 || opening->token.length > sizeof task->token ||
		opening->task.length >= sizeof task->id)
		return false;
	memcpy(task->token, opening->token.data, opening->token.length);
	task->token_length = opening->token.length;
	memcpy(task->id, opening->task.data, opening->task.length);
	task->id[opening->task.length] = '\0';
	canary->opened++;
	return true;
}

/* The next below the one before; once all are there, the kill. */
static void open_next(struct canary *canary)
{
	bool is_first;

	if (canary->opened < canary->plan.tasks) {
		canary->is_opening = true;
		canary->opening.token = canary->opening.task = TEXT("");
		canary->opening.why = NULL;
		canary->opening.parent = canary->opened == 0
						 ? TEXT("")
						 : text_of(canary->tasks[canary->opened - 1].id);
		canary->road.open(canary->road.context, &canary->opening);
	} else if (ask_all(canary, &is_first) < canary->opened) {
		fail(canary, "its call was refused before the kill");
	} else {
		kill_first(canary);
	}
}

static void on_opened(struct canary_opening *opening)
{
	struct canary *canary = opening->context;
	struct error unsaid = {0};

	canary->is_opening = false;
	if (canary->step != CANARY_OPENS) { /* C2 */
		if (opening->token.length > 0)
			(void)canary->road.kill(canary->road.context, opening->token, &unsaid);
	} else if (keep_task(canary, opening)) {
		open_next(canary);
	} else {
		fail(canary, opening->why != NULL ? opening->why : "it got no task");
	}
}

void canary_begin(struct canary *canary)
{
	if (canary->step != CANARY_RESTS || canary->is_opening) {
		wait_for(canary, canary->plan.every_s * 1000);
		return;
	}
	canary->step = CANARY_OPENS;
	canary->deadline_ns = now_ns(canary) + (int64_t)CANARY_WAIT_MS * NS_PER_MS;
	canary->opening = (struct canary_opening){.done = on_opened, .context = canary};
	wait_for(canary, CANARY_WAIT_MS);
	open_next(canary);
}

/* The receipt comes by itself, after the kill. */
static void look_for_receipt(struct canary *canary)
{
	const int64_t most_ns = (int64_t)CANARY_LIST_MS * NS_PER_MS;
	int64_t took_ns = now_ns(canary) - canary->killed_ns;
	bool is_whole = canary->road.listed(canary->road.context, text_of(canary->tasks[0].id)) ==
			canary->opened;

	if (!is_whole && took_ns <= most_ns) {
		wait_for(canary, CANARY_LIST_LOOK_MS);
		return;
	}
	canary->road.drilled(canary->road.context, took_ns, canary->opened);
	finish(canary, NULL);
}

static void succeed(struct canary *canary)
{
	canary->figures.success_utc_s = canary->road.now_utc_s(canary->road.context);
	canary->figures.refused_ns = now_ns(canary) - canary->killed_ns;
	canary->road.measure(
		canary->road.context, canary->figures.refused_ns, (uint32_t)canary->plan.tasks);
	canary->step = CANARY_LISTS;
	look_for_receipt(canary);
}

static void look_for_refusals(struct canary *canary, bool is_late)
{
	bool is_first;

	if (ask_all(canary, &is_first) == 0)
		succeed(canary);
	else if (!is_late)
		wait_for(canary, CANARY_LOOK_MS);
	else
		fail(canary, is_first ? "its call was still taken after its task was killed"
				      : "the call of a task below was still taken after the kill");
}

void canary_look(struct canary *canary)
{
	bool is_late = now_ns(canary) >= canary->deadline_ns;

	if (canary->step == CANARY_WAITS)
		look_for_refusals(canary, is_late);
	else if (canary->step == CANARY_LISTS)
		look_for_receipt(canary);
	else if (canary->step == CANARY_OPENS && is_late)
		fail(canary, "it got no task in time");
	else if (canary->step == CANARY_OPENS)
		wait_for(canary, CANARY_LOOK_MS);
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

static bool check_plan(const struct canary_plan *plan, struct error *err)
{
	if (plan->every_s < CANARY_EVERY_S_MIN || plan->every_s > CANARY_EVERY_S_MAX)
		return error_set(err, ERROR_INVALID, "a canary runs every %d to %d seconds",
			CANARY_EVERY_S_MIN, CANARY_EVERY_S_MAX);
	if (plan->tasks < CANARY_TASKS_MIN || plan->tasks > CANARY_TASKS_MAX)
		return error_set(err, ERROR_INVALID, "a canary opens %d to %d tasks",
			CANARY_TASKS_MIN, CANARY_TASKS_MAX);
	return true;
}

bool canary_create(struct canary **out, struct loop *loop, const struct canary_road *road,
	const struct canary_plan *plan, struct error *err)
{
	struct canary *canary = NULL;

	*out = NULL;
	if (!check_plan(plan, err))
		return false;
	canary = calloc(1, sizeof *canary);
	if (canary == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the canary");
	canary->loop = loop;
	canary->road = *road;
	canary->plan = *plan;
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
	forget_tasks(*canary);
	free(*canary);
	*canary = NULL;
}
