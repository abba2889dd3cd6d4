/* Receipts of kills: which tasks each ended, and the last call of each.
 *
 * A kill is acknowledged by its own record, whatever hangs below the node.  Then, a thousand
 * nodes a turn of the loop, the tasks it ended are told in records of type kill-receipt: pages
 * of tasks, and a last one that counts them.  Being records, they have an inclusion proof
 * like any other (record_receipt), which remit-verify checks offline.
 *
 * Invariant: the last page is sent when all others are durable, so none says that tasks are listed
 * which are on no record.  Where a page was lost there is no receipt, and the log says so. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "domain/task/walk.h"
#include "services/issue/issue_private.h"

enum {
	NODES_A_TURN = 1000,
	RECEIPT_ARENA_BYTES = 512 * 1024,
	WHAT_ARENA_BYTES = 4096,
};

struct page {
	struct fold_record *record;
	struct json_builder tasks;
	uint32_t count;
};

struct receipt_job {
	struct issue *issue;
	struct receipt_job *next;
	struct arena *arena; /* of the texts of what */
	struct task_walked what;
	struct task_walk *walk;
	struct page page; /* being filled; without a record: none yet */
	uint32_t pages;   /* on their way, or there */
	uint32_t waiting; /* of those, on their way: each has the job until it is done */
	uint64_t ended;   /* tasks */
	uint64_t listed;  /* of these, on pages */
	uint64_t last_call;
	bool has_last_call;
	bool is_walked;
	bool has_failed; /* it has no last page */
};

static void job_free(struct receipt_job *job)
{
	task_walk_destroy(&job->walk);
	fold_record_destroy(&job->page.record);
	arena_destroy(&job->arena);
	free(job);
}

static bool page_create(struct receipt_job *job, struct error *err)
{
	struct page *page = &job->page;

	*page = (struct page){0};
	if (!fold_record_create(&page->record, job->issue->parts.fold, RECEIPT_ARENA_BYTES, err))
		return false;
	json_array_start(&page->tasks, page->record->arena);
	return true;
}

/* ---- what a page says ---- */

static void put_node(struct json_builder *record, const struct task_walked *what)
{
	json_put_integer(record, "kill", (int64_t)what->record);
	json_put_cstring(record, "target", task_target_word(what->target));
	json_put_text_unless_empty(record, "unit", what->unit);
	json_put_text_unless_empty(record, "identity", what->identity);
	json_put_text_unless_empty(record, "instance", what->instance);
	json_put_integer(record, "epoch", what->epoch);
	/* The calls of these tasks are refused that were not decided before the kill. */
	json_put_integer(record, "refused-from", (int64_t)what->record);
}

/* is_last: with the count of all. */
static void put_page(
	struct json_builder *record, const struct receipt_job *job, struct json tasks, bool is_last)
{
	json_put_text_unless_empty(record, "task", job->what.task);
	put_node(record, &job->what);
	json_put_integer(record, "page", job->pages);
	json_put(record, "tasks", tasks);
	if (!is_last)
		return;
	json_put_integer(record, "ended", (int64_t)job->ended);
	json_put_integer(record, "listed", (int64_t)job->listed);
	if (job->has_last_call)
		json_put_integer(record, "last-call", (int64_t)job->last_call);
}

static void warn(uint64_t kill, const struct error *err)
{
	log_warn("receipt_not_recorded", LOG_NUMBER("kill", (int64_t)kill),
		LOG_TEXT("cause", text_of(err->text)));
}

static void fail(struct receipt_job *job, const struct error *err)
{
	warn(job->what.record, err);
	job->has_failed = true;
}

static void on_page(void *context, uint64_t index, const struct error *err)
{
	struct receipt_job *job = context;

	(void)index;
	if (err != NULL)
		fail(job, err);
	if (--job->waiting == 0)
		issue_receipts_post(job->issue);
}

/* context: the kill, in the record's arena, as the job is over. */
static void on_last_page(void *context, uint64_t index, const struct error *err)
{
	const uint64_t *kill = context;

	(void)index;
	if (err != NULL)
		warn(*kill, err);
}

static bool set_done(
	struct receipt_job *job, struct fold_record *record, bool is_last, struct error *err)
{
	uint64_t *kill;

	record->done = is_last ? on_last_page : on_page;
	record->context = job;
	if (!is_last)
		return true;
	kill = arena_new(record->arena, uint64_t);
	if (kill == NULL)
		return error_set(err, ERROR_LIMIT, "no room for a record");
	*kill = job->what.record;
	record->context = kill;
	return true;
}

/* Takes the page's record. */
static bool submit_page(struct receipt_job *job, bool is_last, struct error *err)
{
	struct fold_record *record;
	struct json tasks;

	if (job->page.record == NULL && !page_create(job, err))
		return false;
	record = job->page.record;
	job->page.record = NULL;
	job->pages++;
	if (!json_array_seal(&job->page.tasks, &tasks, err) ||
		!set_done(job, record, is_last, err)) {
		fold_record_destroy(&record);
		return false;
	}
	fold_record_start(record, "kill-receipt", TEXT("remit"));
	put_page(&record->object, job, tasks, is_last);
	return fold_record_send(&record, err);
}

static void send_page(struct receipt_job *job)
{
	struct error err;

	job->waiting++; /* on_page may run before it is sent */
	if (submit_page(job, false, &err))
		return;
	job->waiting--;
	fail(job, &err);
}

static void send_last_page(struct receipt_job *job)
{
	struct error err;

	if (!submit_page(job, true, &err))
		fail(job, &err);
}

/* {task, identity, last-call}: the last where a call is known. */
static void put_task(struct page *page, const struct task *task)
{
	struct json_builder object;
	struct json sealed;
	struct error err;
	uint64_t last;

	json_object_start(&object, page->record->arena);
	json_put_text(&object, "task", task->id);
	json_put_text(&object, "identity", task->identity);
	if (task_last_call(task, &last))
		json_put_integer(&object, "last-call", (int64_t)last);
	/* A page without room fails when it is sealed. */
	if (json_object_seal(&object, &sealed, &err))
		json_add(&page->tasks, sealed);
}

static void on_task(void *context, const struct task *task)
{
	struct receipt_job *job = context;
	struct error err;
	uint64_t last;

	job->ended++;
	if (task_last_call(task, &last) && (!job->has_last_call || last > job->last_call)) {
		job->last_call = last;
		job->has_last_call = true;
	}
	if (job->has_failed || job->listed >= RECEIPT_TASKS_MAX)
		return;
	if (job->page.record == NULL && !page_create(job, &err)) {
		fail(job, &err);
		return;
	}
	put_task(&job->page, task);
	job->listed++;
	if (++job->page.count == RECEIPT_PAGE_TASKS)
		send_page(job);
}

/* ---- turns ---- */

bool issue_receipts_run(struct issue *issue)
{
	struct receipt_job *job = issue->receipts;

	if (job == NULL)
		return false;
	if (!job->has_failed && !job->is_walked) {
		job->is_walked = !task_walk_step(job->walk, NODES_A_TURN, on_task, job);
		if (!job->is_walked)
			return true;
	}
	if (job->waiting > 0)
		return false; /* on_page gives it another turn */
	if (!job->has_failed)
		send_last_page(job);
	issue->receipts = job->next;
	issue->receipts_count--;
	job_free(job);
	return issue->receipts != NULL;
}

static void on_turn(struct loop_post *post)
{
	struct issue *issue = post->context;

	issue->is_receipt_posted = false;
	if (issue_receipts_run(issue))
		issue_receipts_post(issue);
}

void issue_receipts_post(struct issue *issue)
{
	if (issue->is_receipt_posted || issue->receipts == NULL || issue->parts.loop == NULL)
		return;
	issue->receipt_post = (struct loop_post){.run = on_turn, .context = issue};
	issue->is_receipt_posted = true;
	loop_post(issue->parts.loop, &issue->receipt_post);
}

void issue_receipts_drop(struct issue *issue)
{
	while (issue->receipts != NULL) {
		struct receipt_job *job = issue->receipts;

		issue->receipts = job->next;
		job_free(job);
	}
}

/* ---- from the log ---- */

static bool job_create(
	struct receipt_job **out, struct issue *issue, const struct json *kill, uint64_t index)
{
	struct receipt_job *job = calloc(1, sizeof *job);
	struct error err;

	*out = job;
	if (job == NULL || (job->arena = arena_create(WHAT_ARENA_BYTES)) == NULL)
		return false;
	job->issue = issue;
	job->what = (struct task_walked){
		.target = task_target_of(json_text_or(kill, "target", "")),
		.unit = text_copy(job->arena, json_text_or(kill, "unit", "")),
		.identity = text_copy(job->arena, json_text_or(kill, "identity", "")),
		.instance = text_copy(job->arena, json_text_or(kill, "instance", "")),
		.task = text_copy(job->arena, json_text_or(kill, "task", "")),
		.epoch = json_integer_or(kill, "epoch", 0),
		.at_utc_ms = json_integer_or(kill, "at", 0),
		.record = index,
	};
	return job->what.unit.data != NULL && job->what.identity.data != NULL &&
	       job->what.instance.data != NULL && job->what.task.data != NULL &&
	       task_walk_create(&job->walk, issue->parts.tasks, &job->what, &err);
}

/* A kill that was there at the start was told by the process before, or never is. */
bool issue_fold_kill(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct issue *issue = state;
	struct receipt_job **last = &issue->receipts;
	struct receipt_job *job = NULL;

	(void)err;
	if (fold_is_loading(issue->parts.fold))
		return true;
	if (issue->receipts_count >= RECEIPTS_MAX || !job_create(&job, issue, record, index)) {
		log_warn("receipt_not_begun", LOG_NUMBER("kill", (int64_t)index));
		if (job != NULL)
			job_free(job);
		return true;
	}
	while (*last != NULL)
		last = &(*last)->next;
	*last = job;
	issue->receipts_count++;
	issue_receipts_post(issue);
	return true;
}

bool issue_fold_receipt(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct issue *issue = state;
	struct kept_receipt *kept = NULL;
	struct text task;

	(void)err;
	if (json_find(record, "ended") == NULL)
		return true;
	kept = &issue->kept[issue->kept_count++ % RECEIPTS_KEPT];
	*kept = (struct kept_receipt){.kill = (uint64_t)json_integer_or(record, "kill", 0),
		.record = index,
		.listed = (uint64_t)json_integer_or(record, "listed", 0)};
	task = json_text_or(record, "task", "");
	if (text_is(json_text_or(record, "target", ""), "task") && task.length <= TASK_ID_BYTES)
		memcpy(kept->task, task.data, task.length);
	return true;
}

static size_t count_kept(const struct issue *issue)
{
	return issue->kept_count < RECEIPTS_KEPT ? issue->kept_count : RECEIPTS_KEPT;
}

uint64_t issue_receipt_lists(const struct issue *issue, struct text task)
{
	for (size_t i = 0; task.length > 0 && i < count_kept(issue); i++)
		if (text_is(task, issue->kept[i].task))
			return issue->kept[i].listed;
	return 0;
}

bool issue_receipt_of(void *context, uint64_t kill, uint64_t *out_record, struct error *err)
{
	const struct issue *issue = context;

	for (size_t i = 0; i < count_kept(issue); i++) {
		if (issue->kept[i].kill == kill) {
			*out_record = issue->kept[i].record;
			return true;
		}
	}
	return error_set(err, ERROR_NOT_FOUND,
		"no receipt of this kill is at hand: it is being made, could not be written, or "
		"was made before the last start (audit search --type kill-receipt)");
}
