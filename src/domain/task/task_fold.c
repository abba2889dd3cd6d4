/* How durable records change the forest. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "domain/task/chain.h"
#include "domain/task/task_private.h"

/* What a task-opened record says, checked. */
struct opened {
	struct task_opening opening;
	int64_t identity_epoch;
	int64_t unit_epoch;
	int64_t instance_epoch;
	int64_t parent_epoch; /* -1: none */
	struct text brought;  /* the token that was exchanged; empty: none */
};

static bool is_epoch(int64_t value)
{
	return value >= 0 && value <= UINT32_MAX;
}

static bool opened_is_sound(const struct opened *opened)
{
	const struct task_opening *opening = &opened->opening;

	return opening->id.length > 0 && opening->identity.length > 0 &&
	       opening->charter_version <= UINT32_MAX && is_epoch(opened->identity_epoch) &&
	       is_epoch(opened->unit_epoch) && is_epoch(opened->instance_epoch) &&
	       opened->parent_epoch <= UINT32_MAX && opening->idle_s >= 0 &&
	       opening->idle_s <= CHARTER_TASK_S_MAX;
}

static bool opened_read(struct opened *out, const struct json *record, struct error *err)
{
	struct task_opening *opening = &out->opening;
	int64_t version;

	*out = (struct opened){0};
	if (!json_need_text(record, "task", &opening->id, err) ||
		!json_need_text(record, "identity", &opening->identity, err) ||
		!json_need_integer(record, "at", &opening->at_utc_ms, err) ||
		!json_need_integer(record, "deadline", &opening->deadline_utc_ms, err) ||
		!json_need_integer(record, "charter-version", &version, err) ||
		!json_need_integer(record, "identity-epoch", &out->identity_epoch, err))
		return false;
	opening->charter_version = (uint64_t)version;
	opening->environment = environment_of(json_text_or(record, "environment", ""));
	opening->binding = binding_of(json_text_or(record, "binding", ""));
	opening->unit = json_text_or(record, "unit", "");
	opening->instance = json_text_or(record, "instance", "");
	opening->parent = json_text_or(record, "parent", "");
	opening->person = json_text_or(record, "person", "");
	opening->purpose = json_text_or(record, "purpose", "");
	opening->details = json_find(record, "details");
	opening->idle_s = json_integer_or(record, "idle", 0);
	opening->has_session = text_is(json_text_or(record, "session", ""), "connection");
	out->unit_epoch = json_integer_or(record, "unit-epoch", 0);
	out->instance_epoch = json_integer_or(record, "instance-epoch", 0);
	out->parent_epoch = json_integer_or(record, "parent-epoch", -1);
	out->brought = json_text_or(record, "exchanged", "");
	return opened_is_sound(out) ||
	       error_set(err, ERROR_CORRUPT, "a task-opened record is malformed");
}

static struct text place_text(char **end, struct text source)
{
	struct text placed = {*end, source.length};

	if (source.length != 0)
		memcpy(*end, source.data, source.length);
	*end += source.length;
	return placed;
}

/* What it hangs on beside its parent.  An instance that is held by nobody goes with the
 * node (instance_release). */
static bool find_anchors(
	struct task_table *table, struct node *node, const struct opened *opened, struct error *err)
{
	const struct task_opening *opening = &opened->opening;
	char bytes[INSTANCE_KEY_BYTES_MAX];
	struct text key = instance_key(bytes, opening->identity, opening->instance);

	return anchor_get(table->identities, opening->identity, &node->owner, err) &&
	       anchor_get(table->units, opening->unit, &node->unit, err) &&
	       word_take(&table->words, opening->person, &node->person, err) &&
	       word_take(&table->words, opened->brought, &node->brought, err) &&
	       anchor_get(table->instances, key, &node->instance, err);
}

static struct node *node_create(const struct opened *opened, uint64_t index)
{
	const struct task_opening *opening = &opened->opening;
	struct node *node = calloc(1, sizeof *node + opening->id.length + opening->purpose.length);
	char *end = NULL;

	if (node == NULL)
		return NULL;
	end = node->texts;
	node->task = (struct task){
		.id = place_text(&end, opening->id),
		.purpose = place_text(&end, opening->purpose),
		.charter_version = (uint32_t)opening->charter_version,
		.environment = opening->environment,
		.binding = opening->binding,
		.opened_at_utc_ms = opening->at_utc_ms,
		.deadline_utc_ms = opening->deadline_utc_ms,
		.depth = 1,
		.identity_epoch = (uint32_t)opened->identity_epoch,
		.recorded_state = TASK_OPEN,
		.record_index = index,
	};
	node->unit_epoch = (uint32_t)opened->unit_epoch;
	node->instance_epoch = (uint32_t)opened->instance_epoch;
	node->idle_s = (uint32_t)opening->idle_s;
	node->has_session = opening->has_session;
	return node;
}

/* Hangs the node under its parent.  A parent that is unknown, forgotten, too deep or of a
 * chain that has no place for it leaves a task that is never live (invariant 3). */
static void node_attach(struct task_table *table, struct node *node, const struct opened *opened)
{
	struct error unsaid = {0};
	struct node *parent;

	if (opened->opening.parent.length == 0)
		return;
	parent = node_find(table, opened->opening.parent);
	if (parent == NULL || parent->task.depth >= TASK_DEPTH_MAX || opened->parent_epoch < 0 ||
		!chain_may_take(&parent->task, node->owner->name, &unsaid)) {
		node->task.recorded_state = TASK_REVOKED;
		return;
	}
	node->task.parent = &parent->task;
	node->task.parent_epoch = (uint32_t)opened->parent_epoch;
	node->task.depth = parent->task.depth + 1;
	node->sibling = parent->first_child;
	if (node->sibling != NULL)
		node->sibling->sibling_before = node;
	parent->first_child = node;
	parent->task.children_count++;
}

/* Into all that it is found by. */
static void node_enter(struct task_table *table, struct node *node)
{
	struct anchor *owner = node->owner;

	node->task.identity = owner->name;
	owner->held++;
	if (node->unit != NULL)
		node->unit->held++;
	if (node->instance != NULL)
		node->instance->held++;
	node->older = owner->youngest;
	if (node->older != NULL)
		node->older->younger = node;
	else
		owner->oldest = node;
	owner->youngest = node;
	names_insert(&table->tasks, &node->named, node->task.id);
	due_insert(table, node);
}

/* One that nobody holds and nobody killed need not be known. */
static void instance_release(struct task_table *table, struct anchor *instance)
{
	if (instance == NULL || instance->held > 0 || instance->epoch > 0)
		return;
	(void)name_table_remove(table->instances, instance->name);
	free(instance);
}

/* A task whose details cannot be read is never made: it could do more than it may. */
static bool node_take_details(
	struct node *node, const struct task_opening *opening, struct error *err)
{
	if (opening->details == NULL)
		return true;
	if (!task_details_create(&node->details, opening->details, err))
		return err->code == ERROR_INVALID ? error_set(err, ERROR_CORRUPT,
							    "the details of a task are malformed")
						  : false;
	node->task.details = node->details;
	return true;
}

static bool fold_opened(
	struct task_table *table, const struct json *record, uint64_t index, struct error *err)
{
	struct opened opened;
	struct node *node;

	if (!opened_read(&opened, record, err))
		return false;
	if (node_find(table, opened.opening.id) != NULL)
		return true;
	/* tasks_max is for task_may_open: what is durable is always folded. */
	if (!names_reserve(&table->tasks, err) || !due_reserve(table, err))
		return false;
	node = node_create(&opened, index);
	if (node == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a task");
	if (!node_take_details(node, &opened.opening, err) ||
		!find_anchors(table, node, &opened, err)) {
		instance_release(table, node->instance);
		node_free(table, node);
		return false;
	}
	node_attach(table, node, &opened);
	node_enter(table, node);
	return true;
}

static bool fold_ended(struct task_table *table, const struct json *record, struct error *err)
{
	struct text id, word;
	enum task_state state;
	struct node *node;

	if (!json_need_text(record, "task", &id, err) ||
		!json_need_text(record, "state", &word, err))
		return false;
	state = task_state_of(word);
	if (state != TASK_ENDED && state != TASK_EXPIRED && state != TASK_REVOKED)
		return error_set(err, ERROR_CORRUPT, "a task-ended record has no such state");
	node = node_find(table, id);
	if (node != NULL && node->task.recorded_state == TASK_OPEN) {
		node->task.recorded_state = state;
		due_update(table, node);
	}
	return true;
}

/* ---- kill ---- */

static void raise_epoch(uint32_t *epoch, int64_t to)
{
	if (to > *epoch)
		*epoch = (uint32_t)to;
}

static bool kill_task(struct task_table *table, struct text id, int64_t epoch)
{
	struct node *node = node_find(table, id);

	if (node == NULL)
		return true;
	raise_epoch(&node->task.epoch, epoch);
	node->task.recorded_state = TASK_REVOKED;
	due_update(table, node);
	return true;
}

static bool kill_anchor(
	struct name_table *anchors, struct text name, int64_t epoch, struct error *err)
{
	struct anchor *anchor;

	if (!anchor_get(anchors, name, &anchor, err))
		return false;
	if (anchor == NULL)
		return error_set(err, ERROR_CORRUPT, "a kill record names nothing");
	if (epoch > anchor->epoch)
		anchor->epoch_before = anchor->epoch;
	raise_epoch(&anchor->epoch, epoch);
	return true;
}

static bool kill_instance(
	struct task_table *table, const struct json *record, int64_t epoch, struct error *err)
{
	char bytes[INSTANCE_KEY_BYTES_MAX];
	struct text identity = json_text_or(record, "identity", "");
	struct text instance = json_text_or(record, "instance", "");
	bool is_first = task_instance_epoch(table, identity, instance) == 0;

	if (!kill_anchor(table->instances, instance_key(bytes, identity, instance), epoch, err))
		return false;
	table->instances_killed += is_first;
	return true;
}

static bool kill_token(struct task_table *table, const struct json *record, struct error *err)
{
	struct node *node = node_find(table, json_text_or(record, "task", ""));
	struct text token = json_text_or(record, "token", "");
	struct notes *notes = NULL;
	struct revoked *one = NULL;

	if (token.length == 0)
		return error_set(err, ERROR_CORRUPT, "a kill record names no token");
	if (node == NULL || task_token_is_revoked(&node->task, token))
		return true;
	notes = node_notes(node);
	one = notes == NULL ? NULL : calloc(1, sizeof *one + token.length);
	if (one == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a revoked token");
	memcpy(one->id, token.data, token.length);
	one->length = token.length;
	one->next = notes->revoked;
	notes->revoked = one;
	notes->revoked_count++;
	return true;
}

static bool fold_kill(struct task_table *table, const struct json *record, struct error *err)
{
	struct text target, name;
	int64_t epoch;

	if (!json_need_text(record, "target", &target, err) ||
		!json_need_integer(record, "epoch", &epoch, err))
		return false;
	if (epoch <= 0 || epoch > UINT32_MAX)
		return error_set(
			err, ERROR_CORRUPT, "a kill record has epoch %lld", (long long)epoch);
	switch (task_target_of(target)) {
	case TASK_TARGET_UNIT:
		if (!kill_anchor(table->units, json_text_or(record, "unit", ""), epoch, err))
			return false;
		raise_epoch(&table->units_epoch, epoch);
		return true;
	case TASK_TARGET_IDENTITY:
		return json_need_text(record, "identity", &name, err) &&
		       kill_anchor(table->identities, name, epoch, err);
	case TASK_TARGET_INSTANCE: return kill_instance(table, record, epoch, err);
	case TASK_TARGET_TASK:
		return json_need_text(record, "task", &name, err) && kill_task(table, name, epoch);
	case TASK_TARGET_TOKEN: return kill_token(table, record, err);
	case TASK_TARGET_NONE: break;
	}
	return error_set(err, ERROR_CORRUPT, "a kill record has no such target");
}

/* ---- decisions ---- */

static bool keep_source(struct task_table *table, struct source *out, const struct json *record,
	uint64_t index, struct error *err)
{
	struct text name = json_text_or(record, "tool", "");
	struct word *tool = NULL;

	if (name.length > TASK_LABEL_TOOL_BYTES_MAX)
		name.length = TASK_LABEL_TOOL_BYTES_MAX;
	if (!word_take(&table->words, name, &tool, err))
		return false;
	word_drop(&table->words, &out->tool);
	*out = (struct source){.record = index, .tool = tool, .is_known = true};
	return true;
}

/* Each line with `uses` that let the call through was used once more by the first task. */
static bool fold_uses(struct task_table *table, const struct task *task, const struct json *record,
	uint64_t index, struct error *err)
{
	const struct json *takes = json_find(record, "takes");
	struct line_key key = {.root = task_root(task)->id};

	if (takes == NULL)
		return true;
	if (takes->type != JSON_ARRAY)
		return error_set(err, ERROR_CORRUPT, "a decision takes no list of lines");
	for (uint32_t i = 0; i < takes->count; i++) {
		int64_t line = json_integer_or(&takes->items[i], "line", -1);

		key.identity = json_text_or(&takes->items[i], "identity", "");
		key.line = (uint32_t)line;
		if (line < 0 || line > UINT32_MAX || key.identity.length == 0)
			return error_set(err, ERROR_CORRUPT, "a decision takes what is no line");
		if (!line_uses_fold(table->uses, &key, index, err))
			return false;
	}
	return true;
}

/* One node on the path of the task that touched something. */
static bool label_node(struct task_table *table, struct node *node, const struct json *record,
	uint64_t index, struct error *err)
{
	enum sensitivity label = sensitivity_of(json_text_or(record, "sensitivity", ""));
	bool is_higher = label > node->task.label;
	bool is_untrusted =
		json_boolean_or(record, "untrusted", false) && !node->task.has_untrusted_content;
	struct notes *notes = NULL;

	if (!is_higher && !is_untrusted)
		return true;
	notes = node_notes(node);
	if (notes == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a label");
	if (is_higher) {
		if (!keep_source(table, &notes->label, record, index, err))
			return false;
		node->task.label = label;
	}
	if (is_untrusted) {
		if (!keep_source(table, &notes->untrusted, record, index, err))
			return false;
		node->task.has_untrusted_content = true;
	}
	return true;
}

/* Labels stick from the decision on, not from the outcome: by then the data may
 * have been read.  Every task above has seen what a task below it saw. */
static bool fold_decision(
	struct task_table *table, const struct json *record, uint64_t index, struct error *err)
{
	struct node *node = node_find(table, json_text_or(record, "task", ""));

	if (!text_is(json_text_or(record, "verdict", ""), "allow"))
		return true;
	/* What went by break-glass nobody answered for: the next is a first time still. */
	if (json_boolean_or(record, "first", false) && json_find(record, "break-glass") == NULL)
		touches_add(table->touches, json_text_or(record, "identity", ""),
			json_text_or(record, "tool", ""));
	if (node != NULL && !fold_uses(table, &node->task, record, index, err))
		return false;
	if (node != NULL && node->last_call < index + 1)
		node->last_call = index + 1;
	for (; node != NULL; node = node_parent(node))
		if (!label_node(table, node, record, index, err))
			return false;
	return true;
}

bool task_table_fold(
	struct task_table *table, const struct json *record, uint64_t index, struct error *err)
{
	struct text type = json_text_or(record, "type", "");

	if (text_is(type, "decision"))
		return fold_decision(table, record, index, err);
	if (text_is(type, "task-opened"))
		return fold_opened(table, record, index, err);
	if (text_is(type, "task-ended"))
		return fold_ended(table, record, err);
	if (text_is(type, "kill"))
		return fold_kill(table, record, err);
	return true;
}

/* ---- forgetting ---- */

static void leave_siblings(struct node *node)
{
	struct node *parent = node_of(node->task.parent); /* a sub-task: it has one */

	if (node->sibling_before != NULL)
		node->sibling_before->sibling = node->sibling;
	else
		parent->first_child = node->sibling;
	if (node->sibling != NULL)
		node->sibling->sibling_before = node->sibling_before;
	parent->task.children_count--;
}

static void leave_owner(struct node *node)
{
	struct anchor *owner = node->owner;

	owner->held--;
	if (node->older != NULL)
		node->older->younger = node->younger;
	else
		owner->oldest = node->younger;
	if (node->younger != NULL)
		node->younger->older = node->older;
	else
		owner->youngest = node->older;
}

void node_forget(struct task_table *table, struct node *node)
{
	assert(node->first_child == NULL);
	names_remove(&table->tasks, &node->named);
	due_remove(table, node);
	leave_owner(node);
	if (node->unit != NULL)
		node->unit->held--;
	if (node->instance != NULL) {
		node->instance->held--;
		instance_release(table, node->instance);
	}
	if (node->task.parent == NULL)
		line_uses_forget(table->uses, node->task.id);
	else
		leave_siblings(node);
	node_free(table, node);
}
