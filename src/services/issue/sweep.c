/* Ends all tasks of somebody: one pass over the table, a thousand nodes a turn of the loop.
 *
 * S1  What is folded when the sweep begins is found by the pass; what is on its way to the log
 *     then is marked, gets no token and is ended once it is folded; what a person agreed to and
 *     was not opened is taken back.  What is asked for later is somebody's new task.
 * S2  A task below one that ends needs no record of its own.
 * S3  done is told of an end only when every record of it is durable. */
#include <string.h>

#include "services/issue/issue_private.h"

enum { NODES_A_TURN = 1000 };

/* ---- whose ---- */

/* "ISSUER SUBJECT", as a task has it. */
static bool is_vouched(const struct issue_sweep *sweep, struct text vouched)
{
	size_t behind = sweep->issuer.length + 1;

	return vouched.length == behind + sweep->name.length &&
	       text_equal((struct text){vouched.data, sweep->issuer.length}, sweep->issuer) &&
	       vouched.data[sweep->issuer.length] == ' ' &&
	       text_equal(text_after(vouched, behind), sweep->name);
}

static bool is_theirs(const struct issue_sweep *sweep, const struct task *task)
{
	if (sweep->name.length == 0) /* as what has none is nobody's */
		return false;
	switch (sweep->whose) {
	case ISSUE_WHOSE_PERSON: return text_equal(task_person(task), sweep->name);
	case ISSUE_WHOSE_IDENTITY: return text_equal(task->identity, sweep->name);
	case ISSUE_WHOSE_WORKLOAD: return is_vouched(sweep, task_vouched(task));
	case ISSUE_WHOSE_NONE: break;
	}
	return false;
}

static bool is_opening_theirs(const struct issue_sweep *sweep, const struct opening *opening)
{
	const struct proven *proven = &opening->proven;

	switch (sweep->whose) {
	case ISSUE_WHOSE_IDENTITY: return text_equal(proven->identity, sweep->name);
	case ISSUE_WHOSE_WORKLOAD:
		return text_equal(proven->issuer, sweep->issuer) &&
		       text_equal(proven->subject, sweep->name);
	case ISSUE_WHOSE_PERSON: return text_equal(opening->person, sweep->name);
	case ISSUE_WHOSE_NONE: break;
	}
	return false;
}

static void overtake(const struct issue_sweep *sweep)
{
	struct opening *opening = sweep->issue->openings;

	for (; opening != NULL; opening = opening->next)
		if (!opening->is_waiting && is_opening_theirs(sweep, opening))
			opening->is_overtaken = true;
	if (sweep->whose == ISSUE_WHOSE_PERSON && sweep->name.length > 0)
		issue_consents_take_back(sweep->issue, sweep->name);
}

/* S2. */
static bool is_top(const struct issue_sweep *sweep, const struct task *task)
{
	for (const struct task *above = task->parent; above != NULL; above = above->parent)
		if (is_theirs(sweep, above))
			return false;
	return true;
}

/* ---- the end of a sweep ---- */

static void unlink_sweep(struct issue_sweep *sweep)
{
	struct issue_sweep **link = &sweep->issue->sweeps;

	while (*link != NULL && *link != sweep)
		link = &(*link)->next;
	if (*link != NULL)
		*link = sweep->next;
}

static void settle(struct issue_sweep *sweep)
{
	if (!sweep->is_over || sweep->on_their_way > 0)
		return;
	unlink_sweep(sweep);
	sweep->is_done = sweep->err.code == ERROR_NONE;
	sweep->done(sweep);
}

static void post_turn(struct issue *issue);

static void on_ended(void *context, uint64_t index, const struct error *err)
{
	struct issue_sweep *sweep = context;

	(void)index;
	sweep->on_their_way--;
	if (err != NULL) {
		sweep->err = *err;
		sweep->is_over = true;
	}
	if (sweep->is_looking) /* a log that answers at once: the turn goes on with it */
		return;
	if (sweep->is_over)
		settle(sweep);
	else
		post_turn(sweep->issue);
}

/* ---- turns ---- */

/* False: there is no room now, and the task has to be looked at again. */
static bool end_one(struct issue_sweep *sweep, const struct task *task)
{
	struct error err = {0};

	sweep->on_their_way++;
	if (issue_end_for(sweep->issue, task->id, sweep->reason,
		    (struct issue_end_waiter){sweep, on_ended}, &err)) {
		sweep->tasks++;
		return true;
	}
	sweep->on_their_way--;
	if (err.code == ERROR_CONFLICT) /* its record is before ours in the log */
		return true;
	if (sweep->on_their_way == 0) {
		sweep->err = err;
		sweep->is_over = true;
	}
	return false;
}

static void keep_place(struct issue_sweep *sweep, const struct task *task)
{
	if (task->id.length > TASK_ID_BYTES)
		return;
	memcpy(sweep->at, task->id.data, task->id.length);
	sweep->at[task->id.length] = '\0';
}

/* From the last one looked at; from the start where that was forgotten meanwhile. */
static void look(struct issue_sweep *sweep)
{
	struct issue *issue = sweep->issue;
	const struct task *task = task_find(issue->parts.tasks, text_of(sweep->at));
	int64_t now_utc_ms = issue_now_utc_ms(issue);

	for (int i = 0; i < NODES_A_TURN && !sweep->is_over; i++) {
		task = task_next(issue->parts.tasks, task);
		if (task == NULL) {
			sweep->is_over = true;
			return;
		}
		if (is_theirs(sweep, task) && task_is_live(task, now_utc_ms) &&
			is_top(sweep, task) && !end_one(sweep, task))
			return;
		keep_place(sweep, task);
	}
}

/* One that has to wait for its own records goes on with them. */
static bool is_full(const struct issue_sweep *sweep)
{
	return sweep->on_their_way > 0 && sweep->issue->endings_count >= ISSUE_ENDINGS_MAX;
}

bool issue_sweeps_run(struct issue *issue)
{
	struct issue_sweep *next = NULL;
	bool is_more = false;

	for (struct issue_sweep *sweep = issue->sweeps; sweep != NULL; sweep = next) {
		next = sweep->next;
		sweep->is_looking = true;
		if (!sweep->is_over && !is_full(sweep))
			look(sweep);
		sweep->is_looking = false;
		is_more |= !sweep->is_over && !is_full(sweep);
		settle(sweep);
	}
	return is_more;
}

static void on_turn(struct loop_post *post)
{
	struct issue *issue = post->context;

	issue->is_sweep_posted = false;
	if (issue_sweeps_run(issue))
		post_turn(issue);
}

static void post_turn(struct issue *issue)
{
	if (issue->is_sweep_posted || issue->sweeps == NULL || issue->parts.loop == NULL)
		return;
	issue->sweep_post = (struct loop_post){.run = on_turn, .context = issue};
	issue->is_sweep_posted = true;
	loop_post(issue->parts.loop, &issue->sweep_post);
}

void issue_sweep(struct issue *issue, struct issue_sweep *sweep)
{
	unsigned count = 0;

	sweep->issue = issue;
	sweep->is_done = sweep->is_over = sweep->is_looking = false;
	sweep->tasks = sweep->on_their_way = 0;
	sweep->at[0] = '\0';
	error_clear(&sweep->err);
	for (struct issue_sweep *other = issue->sweeps; other != NULL; other = other->next)
		count++;
	if (count >= ISSUE_SWEEPS_MAX) {
		error_set(&sweep->err, ERROR_LIMIT, "too many ends are on their way");
		sweep->done(sweep);
		return;
	}
	overtake(sweep);
	sweep->next = issue->sweeps;
	issue->sweeps = sweep;
	post_turn(issue);
}

void issue_sweeps_drop(struct issue *issue)
{
	issue->sweeps = NULL;
}
