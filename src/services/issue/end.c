/* Tasks after their opening: shown, listed, ended, and given their record when
 * their time is over.  A task is refused from its deadline on whether or not the
 * record is there yet: the record only tells. */
#include <stdlib.h>
#include <string.h>

#include "domain/charter/lifecycle.h"
#include "services/issue/issue_private.h"

enum { ENDING_ARENA_BYTES_MAX = 64 * 1024, SWEEP_NODES_MAX = 256 };

/* One task-ended record on its way. */
struct ending {
	struct issue *issue;
	struct arena *arena;
	struct fold_change change;
	struct text task;
	void *done_context;
	void (*done)(void *done_context, uint64_t index, const struct error *err); /* or NULL */
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

static bool is_ending(const struct issue *issue, struct text task)
{
	for (const struct ending *ending = issue->endings; ending != NULL; ending = ending->next)
		if (text_equal(ending->task, task))
			return true;
	return false;
}

static void on_recorded(struct fold_change *change)
{
	struct ending *ending = change->context;

	ending_unlink(ending);
	if (ending->done != NULL)
		ending->done(ending->done_context, change->index,
			change->is_durable ? NULL : &change->err);
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

/* Who waits for the end of a task; .done NULL: nobody. */
struct waiter {
	void *context;
	void (*done)(void *done_context, uint64_t index, const struct error *err);
};

static bool submit(struct issue *issue, const struct task_ending *what, struct waiter waiter,
	struct error *err)
{
	struct ending *ending = NULL;

	if (issue->endings_count == ISSUE_ENDINGS_MAX)
		return error_set(err, ERROR_LIMIT, "too many tasks are being ended");
	ending = calloc(1, sizeof *ending);
	if (ending == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to end a task");
	ending->issue = issue;
	ending->done = waiter.done;
	ending->done_context = waiter.context;
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
	return submit(issue, &what, (struct waiter){done_context, done}, err);
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

	return submit(issue, &what, (struct waiter){0}, &err);
}

void issue_abandon_task(struct issue *issue, struct text task, const char *reason)
{
	/* If even this cannot be recorded, the task ends by its deadline, and
	 * nobody holds a token for it. */
	(void)end_unattended(issue, task, TASK_ENDED, reason);
}

/* False: no more can be ended now. */
static bool end_over(struct issue *issue, const struct task *task, int64_t now_utc_ms)
{
	bool is_late = task->deadline_utc_ms <= now_utc_ms;

	if (task->recorded_state != TASK_OPEN || is_ending(issue, task->id))
		return true;
	if (is_late && task_state_now(task, now_utc_ms) == TASK_EXPIRED)
		return end_unattended(issue, task->id, TASK_EXPIRED, "");
	if (!is_late && issue_is_from_sandbox(issue, task))
		return end_unattended(
			issue, task->id, TASK_ENDED, "its identity is no sandbox any more");
	return true;
}

void issue_expire(struct issue *issue)
{
	int64_t now_utc_ms = issue_now_utc_ms(issue);
	const struct task *task = task_next(issue->parts.tasks, NULL);

	while (task != NULL && issue->endings_count < ISSUE_ENDINGS_MAX) {
		/* A log that makes records durable at once folds within submit; the
		 * node stays, because only the sweep below forgets. */
		const struct task *next = task_next(issue->parts.tasks, task);

		if (!end_over(issue, task, now_utc_ms))
			break;
		task = next;
	}
	if (issue->endings == NULL)
		task_table_sweep(issue->parts.tasks, now_utc_ms, ISSUE_KEEP_MS, SWEEP_NODES_MAX);
}

static void on_due(struct loop_timer *timer)
{
	struct issue *issue = timer->context;

	issue_expire(issue);
	issue->has_expiry = loop_timer_start(issue->parts.loop, timer, ISSUE_EXPIRY_MS);
}

bool issue_start(struct issue *issue, struct error *err)
{
	issue->expiry.on_due = on_due;
	issue->expiry.context = issue;
	issue->has_expiry = loop_timer_start(issue->parts.loop, &issue->expiry, ISSUE_EXPIRY_MS);
	return issue->has_expiry ? true
				 : error_set(err, ERROR_LIMIT, "no memory for the expiry timer");
}

/* ---- showing ---- */

/* null, or {record, tool} of the decision that first brought the label. */
static bool put_source(struct json_builder *object, const char *name,
	const struct task_label_source *source, struct error *err)
{
	struct json_builder builder;
	struct json value = json_null();

	if (source->is_known) {
		json_object_start(&builder, object->arena);
		json_put_integer(&builder, "record", (int64_t)source->record);
		json_put_text_unless_empty(&builder, "tool", source->tool);
		if (!json_object_seal(&builder, &value, err))
			return false;
	}
	json_put(object, name, value);
	return true;
}

static bool task_json(struct json *out, struct arena *arena, const struct task *task,
	int64_t now_utc_ms, struct error *err)
{
	const char *label = sensitivity_word(task->label);
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_text(&object, "id", task->id);
	json_put_text(&object, "identity", task->identity);
	json_put_cstring(&object, "state", task_state_word(task_state_now(task, now_utc_ms)));
	json_put_cstring(&object, "environment", environment_word(task->environment));
	json_put_integer(&object, "charter_version", (int64_t)task->charter_version);
	json_put_text(&object, "purpose", task->purpose);
	json_put_text(&object, "person", task->person);
	json_put(&object, "parent",
		task->parent == NULL ? json_null() : json_string(task->parent->id));
	json_put_integer(&object, "depth", task->depth);
	json_put_integer(&object, "opened", task->opened_at_utc_ms);
	json_put_integer(&object, "deadline", task->deadline_utc_ms);
	json_put(&object, "label", label == NULL ? json_null() : json_cstring(label));
	json_put_boolean(&object, "untrusted_content", task->has_untrusted_content);
	if (!put_source(&object, "label_source", &task->label_source, err) ||
		!put_source(&object, "untrusted_source", &task->untrusted_source, err))
		return false;
	json_put_integer(&object, "record", (int64_t)task->record_index);
	return json_object_seal(&object, out, err);
}

bool issue_task_show(
	void *context, struct text id, struct arena *arena, struct json *out, struct error *err)
{
	struct issue *issue = context;
	const struct task *task = task_find(issue->parts.tasks, id);
	struct json shown;

	if (task == NULL)
		return error_set(err, ERROR_NOT_FOUND, "no task has this id");
	/* The copy outlives the task. */
	return task_json(&shown, arena, task, issue_now_utc_ms(issue), err) &&
	       json_copy(out, arena, &shown, err);
}

static int compare_ids(const void *left, const void *right)
{
	const struct task *const *a = left;
	const struct task *const *b = right;

	return text_compare((*a)->id, (*b)->id);
}

/* The tasks after `after` in order of id; NULL without memory. */
static const struct task **sorted_tasks(
	const struct issue *issue, struct text after, struct arena *arena, size_t *count)
{
	size_t most = task_table_count(issue->parts.tasks);
	const struct task **tasks =
		(const struct task **)arena_array(arena, const struct task *, most + 1);
	const struct task *task = task_next(issue->parts.tasks, NULL);

	*count = 0;
	if (tasks == NULL)
		return NULL;
	for (; task != NULL && *count < most; task = task_next(issue->parts.tasks, task))
		if (text_compare(task->id, after) > 0)
			tasks[(*count)++] = task;
	qsort((void *)tasks, *count, sizeof *tasks, compare_ids);
	return tasks;
}

bool issue_task_list(void *context, struct text after, uint32_t count, struct arena *arena,
	struct json *out, struct error *err)
{
	const struct issue *issue = context;
	size_t found = 0;
	const struct task **tasks = sorted_tasks(issue, after, arena, &found);
	struct json_builder array;
	struct json item, all;

	if (tasks == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the list");
	json_array_start(&array, arena);
	for (size_t i = 0; i < found && i < count; i++) {
		if (!task_json(&item, arena, tasks[i], issue_now_utc_ms(issue), err))
			return false;
		json_add(&array, item);
	}
	return json_array_seal(&array, &all, err) && json_copy(out, arena, &all, err);
}
