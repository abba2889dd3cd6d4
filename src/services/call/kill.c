/* Kill: one record, and whatever hangs below the node is refused from then on. */
#include "domain/charter/lifecycle.h"
#include "domain/charter/nearest.h"
#include "services/call/exchange.h"

enum { KILL_ARENA_BYTES = 16 * 1024 };

/* What one waits for, in the arena of its record. */
struct killing {
	struct call_service *service;
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err);
};

static void on_killed(void *context, uint64_t index, const struct error *err)
{
	struct killing *killing = context;

	if (err == NULL)
		killing->service->figures.killed++;
	if (killing->done != NULL)
		killing->done(killing->context, index, err);
}

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
	struct fold_record *record;
	struct killing *killing;
	struct json document;

	if (!kill_is_well_formed(kill, err) || !may_kill(service, kill, err) ||
		!fold_record_create(&record, service->ports.fold, KILL_ARENA_BYTES, err))
		return false;
	killing = arena_new(record->arena, struct killing);
	if (killing == NULL) {
		fold_record_destroy(&record);
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	}
	*killing = (struct killing){service, kill->context, kill->done};
	record->context = killing;
	record->done = on_killed;
	record->change.append.urgency = RECORD_RESERVED;
	if (task_kill_record(&document, record->arena, service->ports.tasks, &what, err))
		return fold_record_send_json(&record, &document, err);
	fold_record_destroy(&record);
	return false;
}
