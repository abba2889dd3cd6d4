/* Kill: one record, and whatever hangs below the node is refused from then on. */
#include <stdlib.h>

#include "domain/charter/lifecycle.h"
#include "domain/charter/nearest.h"
#include "services/call/exchange.h"

enum { KILL_ARENA_BYTES = 16 * 1024 };

/* ---- one record of our own ---- */

void call_submission_destroy(struct submission **submission)
{
	if (*submission == NULL)
		return;
	arena_destroy(&(*submission)->arena);
	free(*submission);
	*submission = NULL;
}

static void on_submission_done(struct fold_change *change)
{
	struct submission *submission = change->context;

	if (submission->is_kill && change->is_durable)
		submission->service->figures.killed++;
	if (submission->done != NULL)
		submission->done(submission->context, change->index,
			change->is_durable ? NULL : &change->err);
	call_submission_destroy(&submission);
}

bool call_submission_create(
	struct submission **out, struct call_service *service, struct error *err)
{
	struct submission *submission = calloc(1, sizeof(*submission));

	*out = NULL;
	if (submission != NULL)
		submission->arena = arena_create(KILL_ARENA_BYTES);
	if (submission == NULL || submission->arena == NULL) {
		call_submission_destroy(&submission);
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	}
	submission->service = service;
	submission->change.done = on_submission_done;
	submission->change.context = submission;
	submission->change.append.urgency = RECORD_RESERVED;
	*out = submission;
	return true;
}

bool call_submission_send(
	struct submission **submission, const struct json *record, struct error *err)
{
	struct submission *one = *submission;

	one->change.entry = json_canonical_text(one->arena, record);
	if (one->change.entry.data == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the record");
	if (!fold_submit(one->service->ports.fold, &one->change, err))
		return false;
	*submission = NULL; /* on_submission_done frees it */
	return true;
}

/* ---- kill ---- */

/* NONE: it names no node, or two. */
static enum task_target target_of(const struct call_kill *kill)
{
	bool has_unit = kill->unit.length > 0;
	bool has_identity = kill->identity.length > 0;
	bool has_task = kill->task.length > 0;

	if (has_unit + has_identity + has_task != 1 ||
		(kill->instance.length > 0 && !has_identity) ||
		(kill->token.length > 0 && !has_task))
		return TASK_TARGET_NONE;
	if (has_unit)
		return TASK_TARGET_UNIT;
	if (has_identity)
		return kill->instance.length > 0 ? TASK_TARGET_INSTANCE : TASK_TARGET_IDENTITY;
	return kill->token.length > 0 ? TASK_TARGET_TOKEN : TASK_TARGET_TASK;
}

static bool kill_is_well_formed(const struct call_kill *kill, struct error *err)
{
	if (target_of(kill) == TASK_TARGET_NONE)
		return error_set(err, ERROR_INVALID,
			"a kill names a unit, an identity or an instance of it, or a task or a "
			"token of it");
	if (kill->reason.length == 0 || kill->reason.length > CALL_REASON_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "a kill needs a reason of at most %d bytes",
			CALL_REASON_BYTES_MAX);
	return true;
}

/* What is no identity is killed by those who may kill the identity it is of while that is active,
 * and a unit by those who answer for all of it. */
static bool may_kill(
	const struct call_service *service, const struct call_kill *kill, struct error *err)
{
	const struct registry *registry = service->ports.registry;
	const struct task *task = task_find(service->ports.tasks, kill->task);
	enum object_kind kind = kill->unit.length > 0 ? OBJECT_UNIT : OBJECT_IDENTITY;
	struct text name = kind == OBJECT_UNIT ? kill->unit : kill->identity;
	const struct registry_entry *entry = NULL;
	enum identity_state to;

	if (kill->task.length != 0 && task == NULL)
		return error_set(
			err, ERROR_NOT_FOUND, "no task %.*s is open", TEXT_ARGS(kill->task));
	if (task != NULL)
		name = task->identity;
	entry = registry_find(registry, kind, name);
	if (entry == NULL)
		return name_unknown(registry, kind, name, err);
	return lifecycle_step(LIFECYCLE_KILL,
		       target_of(kill) == TASK_TARGET_IDENTITY ? entry->state : IDENTITY_ACTIVE,
		       &to, err) &&
	       registry_may(registry, kill->actor, PEOPLE_KILL, entry, err);
}

bool call_kill_submit(struct call_service *service, const struct call_kill *kill, struct error *err)
{
	struct task_kill what = {
		.target = target_of(kill),
		.unit = kill->unit,
		.identity = kill->identity,
		.instance = kill->instance,
		.task = kill->task,
		.token = kill->token,
		.reason = kill->reason,
		.actor = kill->actor,
		.at_utc_ms = fold_stamp_utc_ms(service->ports.fold),
	};
	struct submission *submission = NULL;
	struct json record;
	bool ok;

	if (!kill_is_well_formed(kill, err) || !may_kill(service, kill, err) ||
		!call_submission_create(&submission, service, err))
		return false;
	submission->is_kill = true;
	submission->context = kill->context;
	submission->done = kill->done;
	ok = task_kill_record(&record, submission->arena, service->ports.tasks, &what, err) &&
	     call_submission_send(&submission, &record, err);
	call_submission_destroy(&submission);
	return ok;
}
