/* What may be opened, and the records that open, end and kill. */
#include <assert.h>

#include "domain/task/chain.h"
#include "domain/task/task_private.h"

/* ---- may it ---- */

static bool opening_is_well_formed(const struct task_opening *opening, struct error *err)
{
	if (opening->id.length == 0 || opening->identity.length == 0)
		return error_set(err, ERROR_INVALID, "a task needs an id and an identity");
	if (opening->purpose.length > TASK_TEXT_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "the purpose is longer than %d bytes",
			TASK_TEXT_BYTES_MAX);
	if (opening->instance.length > TASK_INSTANCE_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "the instance is longer than %d bytes",
			TASK_INSTANCE_BYTES_MAX);
	if (opening->environment == ENVIRONMENT_NONE)
		return error_set(err, ERROR_INVALID, "a task needs an environment");
	if (opening->deadline_utc_ms <= opening->at_utc_ms)
		return error_set(err, ERROR_INVALID, "the deadline is not after the opening");
	return true;
}

static bool parent_may_open(
	const struct task *parent, const struct task_opening *opening, struct error *err)
{
	if (parent == NULL)
		return error_set(
			err, ERROR_NOT_FOUND, "no task %.*s is open", TEXT_ARGS(opening->parent));
	if (!task_is_live(parent, opening->at_utc_ms))
		return error_set(err, ERROR_CONFLICT, "task %.*s is %s", TEXT_ARGS(parent->id),
			task_state_word(task_state_now(parent, opening->at_utc_ms)));
	if (parent->depth >= TASK_DEPTH_MAX)
		return error_set(err, ERROR_LIMIT, "tasks nest at most %d deep", TASK_DEPTH_MAX);
	if (opening->deadline_utc_ms > parent->deadline_utc_ms)
		return error_set(err, ERROR_INVALID, "it would end after task %.*s, its parent",
			TEXT_ARGS(parent->id));
	return chain_may_take(parent, opening->identity, err);
}

static bool has_room(
	const struct task_table *table, const struct task_opening *opening, struct error *err)
{
	const struct anchor *owner = anchor_find(table->identities, opening->identity);

	if (table->tasks.count >= table->bounds.tasks_max)
		return error_set(
			err, ERROR_LIMIT, "%zu tasks are held already", table->tasks.count);
	if (owner != NULL && owner->held >= table->bounds.per_identity_max)
		return error_set(err, ERROR_LIMIT, "%u tasks of %.*s are held already", owner->held,
			TEXT_ARGS(opening->identity));
	return true;
}

bool task_may_open(
	const struct task_table *table, const struct task_opening *opening, struct error *err)
{
	if (!opening_is_well_formed(opening, err))
		return false;
	if (task_find(table, opening->id) != NULL)
		return error_set(err, ERROR_CONFLICT, "task %.*s exists", TEXT_ARGS(opening->id));
	/* Else whoever was killed would go on under the same name. */
	if (task_instance_epoch(table, opening->identity, opening->instance) > 0)
		return error_set(err, ERROR_CONFLICT, "instance %.*s of %.*s was killed",
			TEXT_ARGS(opening->instance), TEXT_ARGS(opening->identity));
	if (!has_room(table, opening, err))
		return false;
	if (opening->parent.length == 0)
		return true;
	return parent_may_open(task_find(table, opening->parent), opening, err);
}

/* ---- records ---- */

struct record_head {
	const char *type;
	int64_t at_utc_ms;
	struct text actor;
	struct text task;
};

static void record_start(
	struct json_builder *record, struct arena *arena, const struct record_head *head)
{
	json_object_start(record, arena);
	json_put_integer(record, "at", head->at_utc_ms);
	json_put_cstring(record, "type", head->type);
	json_put_text(record, "actor", head->actor);
	json_put_text_unless_empty(record, "task", head->task);
}

static void put_epochs(struct json_builder *record, const struct task_table *table,
	const struct task_opening *opening)
{
	const struct task *parent = task_find(table, opening->parent);

	json_put_integer(
		record, "identity-epoch", (int64_t)task_identity_epoch(table, opening->identity));
	if (opening->unit.length > 0) {
		json_put_text(record, "unit", opening->unit);
		json_put_integer(
			record, "unit-epoch", (int64_t)task_unit_epoch(table, opening->unit));
	}
	if (opening->instance.length > 0) {
		json_put_text(record, "instance", opening->instance);
		json_put_integer(record, "instance-epoch",
			(int64_t)task_instance_epoch(table, opening->identity, opening->instance));
	}
	if (parent != NULL) {
		json_put_text(record, "parent", parent->id);
		json_put_integer(record, "parent-epoch", parent->epoch);
		json_put_text(record, "parent-identity", parent->identity);
	}
}

bool task_opened_record(struct json *out, struct arena *arena, const struct task_table *table,
	const struct task_opening *opening, struct text actor, struct error *err)
{
	struct record_head head = {"task-opened", opening->at_utc_ms, actor, opening->id};
	struct json_builder record;

	if (!task_may_open(table, opening, err))
		return false;
	record_start(&record, arena, &head);
	json_put_text(&record, "identity", opening->identity);
	json_put_integer(&record, "charter-version", (int64_t)opening->charter_version);
	json_put_cstring(&record, "environment", environment_word(opening->environment));
	if (opening->binding != BINDING_NONE)
		json_put_cstring(&record, "binding", binding_word(opening->binding));
	json_put_integer(&record, "deadline", opening->deadline_utc_ms);
	put_epochs(&record, table, opening);
	if (opening->idle_s > 0)
		json_put_integer(&record, "idle", opening->idle_s);
	if (opening->session != TASK_SESSION_NONE)
		json_put_cstring(&record, "session", task_session_word(opening->session));
	json_put_text_unless_empty(&record, "person", opening->person);
	json_put_text_unless_empty(&record, "purpose", opening->purpose);
	if (opening->revision > 0)
		json_put_integer(&record, "revision", (int64_t)opening->revision);
	if (opening->details != NULL)
		json_put(&record, "details", *opening->details);
	return json_object_seal(&record, out, err);
}

bool task_ended_record(struct json *out, struct arena *arena, const struct task_table *table,
	const struct task_ending *ending, struct error *err)
{
	struct record_head head = {"task-ended", ending->at_utc_ms, ending->actor, ending->task};
	const struct task *task = task_find(table, ending->task);
	struct json_builder record;

	assert(ending->state == TASK_ENDED || ending->state == TASK_EXPIRED);
	if (task == NULL)
		return error_set(
			err, ERROR_NOT_FOUND, "no task %.*s is open", TEXT_ARGS(ending->task));
	if (task->recorded_state != TASK_OPEN)
		return error_set(err, ERROR_CONFLICT, "task %.*s is %s already",
			TEXT_ARGS(ending->task), task_state_word(task->recorded_state));
	record_start(&record, arena, &head);
	json_put_text(&record, "identity", task->identity);
	json_put_cstring(&record, "state", task_state_word(ending->state));
	json_put_text_unless_empty(&record, "reason", ending->reason);
	return json_object_seal(&record, out, err);
}

/* ---- kill ---- */

static bool instance_may_be_killed(
	const struct task_table *table, const struct task_kill *kill, struct error *err)
{
	char bytes[INSTANCE_KEY_BYTES_MAX];

	if (kill->instance.length > TASK_INSTANCE_BYTES_MAX ||
		instance_key(bytes, kill->identity, kill->instance).length == 0)
		return error_set(err, ERROR_INVALID, "no instance is named so");
	if (table->instances_killed >= INSTANCES_KILLED_MAX &&
		task_instance_epoch(table, kill->identity, kill->instance) == 0)
		return error_set(err, ERROR_LIMIT,
			"%zu killed instances are remembered: kill the identity",
			table->instances_killed);
	return true;
}

static bool token_may_be_killed(
	const struct task *task, const struct task_kill *kill, struct error *err)
{
	const struct notes *notes = node_of(task)->notes;

	if (kill->token.length == 0 || kill->token.length > TASK_TOKEN_ID_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "no token has this id");
	if (notes != NULL && notes->revoked_count >= TASK_REVOKED_TOKENS_MAX &&
		!task_token_is_revoked(task, kill->token))
		return error_set(err, ERROR_LIMIT,
			"%u tokens of the task are revoked: end the task", notes->revoked_count);
	return true;
}

static bool may_kill(
	const struct task_table *table, const struct task_kill *kill, struct error *err)
{
	const struct task *task = task_find(table, kill->task);

	switch (kill->target) {
	case TASK_TARGET_UNIT:
		return kill->unit.length > 0 ||
		       error_set(err, ERROR_INVALID, "the kill names no unit");
	case TASK_TARGET_IDENTITY:
		return kill->identity.length > 0 ||
		       error_set(err, ERROR_INVALID, "the kill names no identity");
	case TASK_TARGET_INSTANCE: return instance_may_be_killed(table, kill, err);
	case TASK_TARGET_TASK:
	case TASK_TARGET_TOKEN: break;
	case TASK_TARGET_NONE: return error_set(err, ERROR_INVALID, "the kill names no node");
	}
	if (task == NULL)
		return error_set(
			err, ERROR_NOT_FOUND, "no task %.*s is open", TEXT_ARGS(kill->task));
	return kill->target == TASK_TARGET_TASK || token_may_be_killed(task, kill, err);
}

/* Of the node that is killed; of a token, which has none, that of its task. */
static uint64_t epoch_after(const struct task_table *table, const struct task_kill *kill)
{
	const struct task *task = task_find(table, kill->task);

	switch (kill->target) {
	case TASK_TARGET_UNIT:
		return 1 + (uint64_t)(table->units_given > table->units_epoch ? table->units_given
									      : table->units_epoch);
	case TASK_TARGET_IDENTITY: return task_identity_epoch(table, kill->identity) + 1;
	case TASK_TARGET_INSTANCE:
		return task_instance_epoch(table, kill->identity, kill->instance) + 1;
	case TASK_TARGET_TASK:
	case TASK_TARGET_TOKEN:
	case TASK_TARGET_NONE: break;
	}
	return task == NULL ? 1 : (uint64_t)task->epoch + 1;
}

bool task_kill_record(struct json *out, struct arena *arena, struct task_table *table,
	const struct task_kill *kill, struct error *err)
{
	struct record_head head = {"kill", kill->at_utc_ms, kill->actor, kill->task};
	const struct task *task = task_find(table, kill->task);
	struct json_builder record;
	uint64_t epoch;

	if (!may_kill(table, kill, err))
		return false;
	epoch = epoch_after(table, kill);
	if (epoch > UINT32_MAX)
		return error_set(err, ERROR_LIMIT, "nothing can be killed that often");
	if (kill->target == TASK_TARGET_UNIT)
		table->units_given = (uint32_t)epoch;
	record_start(&record, arena, &head);
	json_put_cstring(&record, "target", task_target_word(kill->target));
	json_put_text_unless_empty(&record, "unit", kill->unit);
	json_put_text_unless_empty(
		&record, "identity", task != NULL ? task->identity : kill->identity);
	json_put_text_unless_empty(&record, "instance", kill->instance);
	json_put_text_unless_empty(&record, "token", kill->token);
	json_put_integer(&record, "epoch", (int64_t)epoch);
	json_put_text(&record, "reason", kill->reason);
	return json_object_seal(&record, out, err);
}
