/* Tasks after their opening: ended, and given their record when their time is
 * over.  A task is refused from its deadline on whether or not the record is
 * there yet: the record only tells. */
#include <stdlib.h>
#include <string.h>

#include "domain/charter/lifecycle.h"
#include "services/issue/issue_private.h"

enum {
	ENDING_ARENA_BYTES_MAX = 64 * 1024,
	SWEEP_NODES_MAX = 256,
	PATROL_NODES = 1000, /* looked at in one turn for what no clock brings up */
	RETRY_MS = 5000,     /* after which an end that was not recorded is tried again */
	EXPIRY_BUSY_MS = 10, /* until the next turn while more is due than one may end */
};

struct waiting {
	struct issue_end_waiter waiter;
	struct waiting *next;
};

/* One task-ended record on its way. */
struct ending {
	struct issue *issue;
	struct arena *arena;
	struct fold_change change;
	struct text task;
	struct waiting first;
	struct waiting *others; /* that came while it was on its way; in arena */
	struct ending *next;
};

static void ending_free(struct ending *ending)
{
	arena_destroy(&ending->arena);
	free(ending);
}

static void ending_unlink(struct ending *ending)
{
	struct ending **link = &ending->issue->endings;

	while (*link != NULL && *link != ending)
		link = &(*link)->next;
	if (*link != NULL) {
		*link = ending->next;
		ending->issue->endings_count--;
	}
}

void issue_endings_drop(struct issue *issue)
{
	while (issue->endings != NULL) {
		struct ending *ending = issue->endings;

		issue->endings = ending->next;
		ending_free(ending);
	}
}

static struct ending *find_ending(const struct issue *issue, struct text task)
{
	struct ending *ending = issue->endings;

	while (ending != NULL && !text_equal(ending->task, task))
		ending = ending->next;
	return ending;
}

static bool is_ending(const struct issue *issue, struct text task)
{
	return find_ending(issue, task) != NULL;
}

static void on_recorded(struct fold_change *change)
{
	struct ending *ending = change->context;
	const struct error *err = change->is_durable ? NULL : &change->err;

	ending_unlink(ending);
	ending->first.next = ending->others;
	for (const struct waiting *one = &ending->first; one != NULL; one = one->next)
		if (one->waiter.done != NULL)
			one->waiter.done(one->waiter.context, change->index, err);
	ending_free(ending);
}

static bool make_record(struct ending *ending, const struct task_ending *what, struct error *err)
{
	struct json record;

	ending->task = text_copy(ending->arena, what->task);
	if (!task_ended_record(&record, ending->arena, ending->issue->parts.tasks, what, err))
		return false;
	ending->change.entry = json_canonical_text(ending->arena, &record);
	if (ending->task.data == NULL || ending->change.entry.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	return true;
}

static bool submit(struct issue *issue, const struct task_ending *what,
	struct issue_end_waiter waiter, struct error *err)
{
	struct ending *ending = NULL;

	if (issue->endings_count == ISSUE_ENDINGS_MAX)
		return error_set(err, ERROR_LIMIT, "too many tasks are being ended");
	ending = calloc(1, sizeof *ending);
	if (ending == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to end a task");
	ending->issue = issue;
	ending->first.waiter = waiter;
	ending->arena = arena_create(ENDING_ARENA_BYTES_MAX);
	if (ending->arena == NULL) {
		error_set(err, ERROR_LIMIT, "no memory to end a task");
		goto failed;
	}
	if (!make_record(ending, what, err))
		goto failed;
	ending->change.done = on_recorded;
	ending->change.context = ending;
	ending->change.append.urgency = RECORD_RESERVED;
	ending->next = issue->endings;
	issue->endings = ending;
	issue->endings_count++;
	if (fold_submit(issue->parts.fold, &ending->change, err))
		return true;
	ending_unlink(ending);
failed:
	ending_free(ending);
	return false;
}

/* People who may kill an identity may end its tasks, and who holds a token may end
 * its own. */
static bool may_end(
	const struct issue *issue, const struct task *task, struct text actor, struct error *err)
{
	const struct registry_entry *entry =
		registry_find_identity(issue->parts.registry, task->identity);
	struct text holder = actor;

	if (text_starts_with(actor, "identity:")) {
		holder.data += sizeof "identity:" - 1;
		holder.length -= sizeof "identity:" - 1;
		return text_equal(holder, task->identity) ||
		       error_set(err, ERROR_INVALID, "forbidden: the task is another identity's");
	}
	if (entry != NULL && registry_may(issue->parts.registry, actor, PEOPLE_KILL, entry, err))
		return true;
	return error_set(err, ERROR_INVALID, "forbidden: this actor may not end the task");
}

bool issue_task_end(void *context, struct text id, struct text actor, void *done_context,
	void (*done)(void *done_context, uint64_t index, const struct error *err),
	struct error *err)
{
	struct issue *issue = context;
	const struct task *task = task_find(issue->parts.tasks, id);
	enum task_state state = task_state_now(task, issue_now_utc_ms(issue));
	const struct task_ending what = {
		.task = id,
		.state = TASK_ENDED,
		.actor = actor,
		.at_utc_ms = fold_stamp_utc_ms(issue->parts.fold),
	};

	if (task == NULL)
		return error_set(err, ERROR_NOT_FOUND, "no task has this id");
	if (!may_end(issue, task, actor, err))
		return false;
	if (state != TASK_OPEN)
		return error_set(err, ERROR_CONFLICT, "the task is %s", task_state_word(state));
	if (is_ending(issue, id))
		return error_set(err, ERROR_CONFLICT, "the task is being ended");
	return submit(issue, &what, (struct issue_end_waiter){done_context, done}, err);
}

/* Waits with who ends it already. */
static bool join(struct ending *ending, struct issue_end_waiter waiter, struct error *err)
{
	struct waiting *waiting = arena_new(ending->arena, struct waiting);

	if (waiting == NULL)
		return error_set(err, ERROR_LIMIT, "too many wait for the end of this task");
	*waiting = (struct waiting){.waiter = waiter, .next = ending->others};
	ending->others = waiting;
	return true;
}

bool issue_end_held(struct issue *issue, struct text task, struct text actor,
	struct issue_end_waiter waiter, struct error *err)
{
	struct ending *ending = find_ending(issue, task);

	return ending != NULL
		       ? join(ending, waiter, err)
		       : issue_task_end(issue, task, actor, waiter.context, waiter.done, err);
}

static bool end_unattended(
	struct issue *issue, struct text task, enum task_state state, const char *reason)
{
	const struct task_ending what = {
		.task = task,
		.state = state,
		.reason = text_of(reason),
		.actor = TEXT("remit"),
		.at_utc_ms = fold_stamp_utc_ms(issue->parts.fold),
	};
	struct error err = {0};

	return submit(issue, &what, (struct issue_end_waiter){0}, &err);
}

bool issue_end_for(struct issue *issue, struct text task, struct text reason,
	struct issue_end_waiter waiter, struct error *err)
{
	const struct task_ending what = {
		.task = task,
		.state = TASK_ENDED,
		.reason = reason,
		.actor = TEXT("remit"),
		.at_utc_ms = fold_stamp_utc_ms(issue->parts.fold),
	};

	if (is_ending(issue, task))
		return error_set(err, ERROR_CONFLICT, "the task is being ended");
	return submit(issue, &what, waiter, err);
}

bool issue_end_let_go(
	struct issue *issue, struct text task, struct issue_end_waiter waiter, struct error *err)
{
	struct ending *ending = find_ending(issue, task);

	return ending != NULL
		       ? join(ending, waiter, err)
		       : issue_end_for(issue, task, TEXT(ISSUE_MCP_SESSION_GONE), waiter, err);
}

void issue_abandon_task(struct issue *issue, struct text task, const char *reason)
{
	/* If even this cannot be recorded, the task ends by its deadline, and
	 * nobody holds a token for it. */
	(void)end_unattended(issue, task, TASK_ENDED, reason);
}

/* What a task is over by; its state, and the words of the record. */
static bool end_over(struct issue *issue, const struct task *task, enum task_over over)
{
	static const char *const reasons[] = {
		[TASK_OVER_DEADLINE] = "",
		[TASK_OVER_IDLE] = "idle",
		[TASK_OVER_SESSION] = ISSUE_SESSION_GONE,
		[TASK_OVER_FORFEIT] = "its code or a refresh token of it was used twice",
	};
	bool is_ended = over == TASK_OVER_SESSION || over == TASK_OVER_FORFEIT;

	if (over == TASK_OVER_SESSION && task_session(task) == TASK_SESSION_MCP)
		return end_unattended(issue, task->id, TASK_ENDED, ISSUE_MCP_SESSION_GONE);
	return end_unattended(issue, task->id, is_ended ? TASK_ENDED : TASK_EXPIRED, reasons[over]);
}

/* What is over by the clock.  False: more is due than may be ended now. */
static bool end_due(struct issue *issue, int64_t now_utc_ms)
{
	enum task_over over;
	const struct task *task = task_table_due(issue->parts.tasks, now_utc_ms, &over);

	for (; task != NULL; task = task_table_due(issue->parts.tasks, now_utc_ms, &over)) {
		if (issue->endings_count >= ISSUE_ENDINGS_MAX)
			return false;
		/* Before the end is submitted: a log that makes records durable at once folds
		 * within. */
		task_put_off(issue->parts.tasks, task, now_utc_ms + RETRY_MS);
		if (!is_ending(issue, task->id) && !end_over(issue, task, over))
			return true;
	}
	return true;
}

void issue_end_due(struct issue *issue)
{
	/* What does not fit now is due again by the timer. */
	(void)end_due(issue, issue_now_utc_ms(issue));
}

/* Why a task that no clock ends is over: by what the registry says now; NULL: it is not. */
static const char *void_reason(const struct issue *issue, const struct task *task)
{
	if (issue_is_from_sandbox(issue, task))
		return "its identity is no sandbox any more";
	if (issue_task_person_state(issue, task) != TOKEN_ACCEPTED)
		return "its person is gone, or its charter does not act for them any more";
	return NULL;
}

/* Such tasks, a few at a time. */
static void patrol(struct issue *issue, int64_t now_utc_ms)
{
	const struct task *task = task_find(issue->parts.tasks, text_of(issue->patrolled));
	const char *why = NULL;

	for (int i = 0; i < PATROL_NODES && issue->endings_count < ISSUE_ENDINGS_MAX; i++) {
		task = task_next(issue->parts.tasks, task);
		if (task == NULL)
			break;
		why = task->recorded_state == TASK_OPEN ? void_reason(issue, task) : NULL;
		if (why != NULL && task_is_live(task, now_utc_ms) && !is_ending(issue, task->id) &&
			!end_unattended(issue, task->id, TASK_ENDED, why))
			break;
	}
	issue->patrolled[0] = '\0';
	if (task != NULL && task->id.length <= TASK_ID_BYTES) {
		memcpy(issue->patrolled, task->id.data, task->id.length);
		issue->patrolled[task->id.length] = '\0';
	}
}

bool issue_expire(struct issue *issue)
{
	int64_t now_utc_ms = issue_now_utc_ms(issue);
	bool is_all = end_due(issue, now_utc_ms);

	token_keys_tend(issue->token_keys);
	issue_sessions_look(issue);
	issue_consents_tend(issue);
	issue_refreshes_tend(issue);
	patrol(issue, now_utc_ms);
	if (issue->endings == NULL)
		is_all &= task_table_sweep(issue->parts.tasks, now_utc_ms, TASK_KEEP_MS,
				  SWEEP_NODES_MAX) < SWEEP_NODES_MAX;
	return is_all;
}

static void on_due(struct loop_timer *timer)
{
	struct issue *issue = timer->context;
	int64_t wait_ms = issue_expire(issue) ? ISSUE_EXPIRY_MS : EXPIRY_BUSY_MS;

	issue->has_expiry = loop_timer_start(issue->parts.loop, timer, wait_ms);
}

bool issue_start(struct issue *issue, struct error *err)
{
	task_table_start(issue->parts.tasks, fold_stamp_utc_ms(issue->parts.fold));
	issue->expiry.on_due = on_due;
	issue->expiry.context = issue;
	issue->has_expiry = loop_timer_start(issue->parts.loop, &issue->expiry, ISSUE_EXPIRY_MS);
	return issue->has_expiry ? true
				 : error_set(err, ERROR_LIMIT, "no memory for the expiry timer");
}
