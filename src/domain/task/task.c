/* The task forest.
 *
 * Nodes hang in three structures at once: a hash table by id, a list in the
 * order opened, and their parent's list of children.  An identity has one
 * counter, its epoch, which every task of it points to.
 *
 * Invariants:
 *  1. A node's depth is its parent's plus one, at most TASK_DEPTH_MAX, so a
 *     look at the whole path is bounded.
 *  2. Epochs only grow, however often and in whatever order kills are folded.
 *  3. A node whose parent is unknown is never live: it is held as REVOKED.
 *  4. A node is forgotten only when it is dead and has no children, so a parent
 *     pointer never dangles.
 */

#include "domain/task/task.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "domain/task/chain.h"
#include "domain/task/touch.h"

/* What tasks and identities have in common: a name in a hash table. */
struct named {
	struct named *next;
	uint64_t hash;
	struct text name;
};

struct name_table {
	struct named **slots;
	size_t slots_count; /* a power of two */
	size_t count;
};

struct identity_epoch {
	struct named named; /* first: the table's node is the entry */
	uint64_t epoch;
	size_t held; /* tasks in the table, dead ones included */
};

struct node {
	struct named named; /* first */
	struct task task;
	struct task_details *details; /* owned; NULL: none */
	struct identity_epoch *owner;
	struct node *parent;
	struct node *first_child;
	struct node *sibling;
	struct node *sibling_before;
	struct node *older;
	struct node *younger;
	char label_tool[TASK_LABEL_TOOL_BYTES_MAX];
	char untrusted_tool[TASK_LABEL_TOOL_BYTES_MAX];
	char texts[]; /* id, identity, person, purpose */
};

struct task_table {
	struct name_table tasks;
	struct name_table identities;
	struct node *oldest;
	struct node *youngest;
	struct touches *touches;
	struct line_uses *uses;
	size_t tasks_max;
};

enum { SLOTS_MIN = 64, PATH_MAX_NODES = TASK_DEPTH_MAX };

/* ---- names --------------------------------------------------------------- */

/* FNV-1a.  Keys that are inserted are our own random ids and names that people
 * registered, so nobody outside chooses collisions. */
static uint64_t name_hash(struct text name)
{
	uint64_t hash = 0xcbf29ce484222325u;
	size_t i;

	for (i = 0; i < name.length; i++)
		hash = (hash ^ (unsigned char)name.data[i]) * 0x100000001b3u;
	return hash ^ (hash >> 29);
}

static struct named *name_find(const struct name_table *table, struct text name)
{
	uint64_t hash = name_hash(name);
	struct named *named;

	if (table->slots_count == 0)
		return NULL;
	for (named = table->slots[hash & (table->slots_count - 1)]; named; named = named->next)
		if (named->hash == hash && text_equal(named->name, name))
			return named;
	return NULL;
}

/* Makes room for one more, so that the insertion itself cannot fail. */
static bool name_reserve(struct name_table *table, struct error *err)
{
	size_t slots_count = table->slots_count == 0 ? SLOTS_MIN : table->slots_count * 2;
	struct named **slots;
	size_t i;

	if (table->count < table->slots_count)
		return true;
	slots = calloc(slots_count, sizeof(*slots));
	if (slots == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the table of tasks");
	for (i = 0; i < table->slots_count; i++) {
		struct named *named = table->slots[i];

		while (named != NULL) {
			struct named *next = named->next;
			struct named **slot = &slots[named->hash & (slots_count - 1)];

			named->next = *slot;
			*slot = named;
			named = next;
		}
	}
	free(table->slots);
	table->slots = slots;
	table->slots_count = slots_count;
	return true;
}

static void name_insert(struct name_table *table, struct named *named)
{
	struct named **slot;

	assert(table->count < table->slots_count);
	named->hash = name_hash(named->name);
	slot = &table->slots[named->hash & (table->slots_count - 1)];
	named->next = *slot;
	*slot = named;
	table->count++;
}

static void name_remove(struct name_table *table, struct named *named)
{
	struct named **link = &table->slots[named->hash & (table->slots_count - 1)];

	while (*link != named)
		link = &(*link)->next;
	*link = named->next;
	table->count--;
}

static void name_table_deinit(struct name_table *table)
{
	size_t i;

	for (i = 0; i < table->slots_count; i++) {
		while (table->slots[i] != NULL) {
			struct named *named = table->slots[i];

			table->slots[i] = named->next;
			free(named);
		}
	}
	free(table->slots);
}

/* ---- looking --------------------------------------------------------------- */

static struct node *node_of(const struct task *task)
{
	/* Every struct task handed out is the member of a node of ours. */
	return (struct node *)((uintptr_t)task - offsetof(struct node, task));
}

static struct node *node_find(const struct task_table *table, struct text id)
{
	return (struct node *)name_find(&table->tasks, id);
}

bool task_table_create(struct task_table **out, size_t tasks_max, struct error *err)
{
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the table of tasks");
	(*out)->tasks_max = tasks_max;
	if (touches_create(&(*out)->touches, err) && line_uses_create(&(*out)->uses, err))
		return true;
	task_table_destroy(out);
	return false;
}

void task_table_destroy(struct task_table **table)
{
	if (*table == NULL)
		return;
	for (struct node *node = (*table)->oldest; node != NULL; node = node->younger)
		task_details_destroy(&node->details);
	name_table_deinit(&(*table)->tasks);
	name_table_deinit(&(*table)->identities);
	touches_destroy(&(*table)->touches);
	line_uses_destroy(&(*table)->uses);
	free(*table);
	*table = NULL;
}

const struct task *task_find(const struct task_table *table, struct text id)
{
	const struct node *node = node_find(table, id);

	return node == NULL ? NULL : &node->task;
}

size_t task_table_count(const struct task_table *table)
{
	return table->tasks.count;
}

const struct task *task_next(const struct task_table *table, const struct task *after)
{
	const struct node *node = after == NULL ? table->oldest : node_of(after)->younger;

	return node == NULL ? NULL : &node->task;
}

const struct task *task_first_child(const struct task *task)
{
	const struct node *child = node_of(task)->first_child;

	return child == NULL ? NULL : &child->task;
}

const struct task *task_next_sibling(const struct task *task)
{
	const struct node *sibling = node_of(task)->sibling;

	return sibling == NULL ? NULL : &sibling->task;
}

/* What one node says for itself, without those above it. */
static enum task_state node_state(const struct node *node, int64_t now_utc_ms)
{
	const struct task *task = &node->task;

	if (task->recorded_state != TASK_OPEN)
		return task->recorded_state;
	if (task->identity_epoch != node->owner->epoch)
		return TASK_REVOKED;
	if (node->parent != NULL && task->parent_epoch != node->parent->task.epoch)
		return TASK_REVOKED;
	if (now_utc_ms >= task->deadline_utc_ms)
		return TASK_EXPIRED;
	return TASK_OPEN;
}

enum task_state task_state_now(const struct task *task, int64_t now_utc_ms)
{
	const struct node *node = task == NULL ? NULL : node_of(task);
	uint32_t steps = 0;

	if (task == NULL)
		return TASK_NONE;
	for (; node != NULL; node = node->parent) {
		enum task_state state = node_state(node, now_utc_ms);

		if (state != TASK_OPEN)
			return state;
		assert(steps < PATH_MAX_NODES);
		steps++;
	}
	return TASK_OPEN;
}

bool task_is_live(const struct task *task, int64_t now_utc_ms)
{
	return task_state_now(task, now_utc_ms) == TASK_OPEN;
}

/* Of two that brought the same, the first. */
static bool is_earlier(const struct task_label_source *source, const struct task_label_source *than)
{
	return source->is_known && (!than->is_known || source->record < than->record);
}

struct task_labels task_labels_of(const struct task *task)
{
	struct task_labels labels = {.sensitivity = SENSITIVITY_UNLABELLED};

	for (; task != NULL; task = task->parent) {
		if (task->label > labels.sensitivity ||
			(task->label == labels.sensitivity &&
				is_earlier(&task->label_source, &labels.sensitivity_source))) {
			labels.sensitivity = task->label;
			labels.sensitivity_source = task->label_source;
		}
		if (is_earlier(&task->untrusted_source, &labels.untrusted_source))
			labels.untrusted_source = task->untrusted_source;
		labels.has_untrusted_content |= task->has_untrusted_content;
	}
	return labels;
}

bool task_is_for(const struct task *task, const struct task_detail_call *call)
{
	for (; task != NULL; task = task->parent)
		if (task->details != NULL && !task_details_cover(task->details, call))
			return false;
	return true;
}

const struct task_details *task_details_of(const struct task *task)
{
	while (task != NULL && task->details == NULL)
		task = task->parent;
	return task == NULL ? NULL : task->details;
}

const struct task *task_root(const struct task *task)
{
	while (task->parent != NULL)
		task = task->parent;
	return task;
}

uint64_t task_identity_epoch(const struct task_table *table, struct text identity)
{
	const struct identity_epoch *entry =
		(const struct identity_epoch *)name_find(&table->identities, identity);

	return entry == NULL ? 0 : entry->epoch;
}

/* ---- records ----------------------------------------------------------------- */

static bool opening_is_well_formed(const struct task_opening *opening, struct error *err)
{
	if (opening->id.length == 0 || opening->identity.length == 0)
		return error_set(err, ERROR_INVALID, "a task needs an id and an identity");
	if (opening->purpose.length > TASK_TEXT_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "the purpose is longer than %d bytes",
			TASK_TEXT_BYTES_MAX);
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

bool task_may_open(
	const struct task_table *table, const struct task_opening *opening, struct error *err)
{
	const struct identity_epoch *owner;

	if (!opening_is_well_formed(opening, err))
		return false;
	if (task_find(table, opening->id) != NULL)
		return error_set(err, ERROR_CONFLICT, "task %.*s exists", TEXT_ARGS(opening->id));
	if (table->tasks.count >= table->tasks_max)
		return error_set(
			err, ERROR_LIMIT, "%zu tasks are held already", table->tasks.count);
	owner = (const struct identity_epoch *)name_find(&table->identities, opening->identity);
	if (owner != NULL && owner->held >= TASKS_PER_IDENTITY_MAX)
		return error_set(err, ERROR_LIMIT, "%zu tasks of %.*s are held already",
			owner->held, TEXT_ARGS(opening->identity));
	if (opening->parent.length == 0)
		return true;
	return parent_may_open(task_find(table, opening->parent), opening, err);
}

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

bool task_opened_record(struct json *out, struct arena *arena, const struct task_table *table,
	const struct task_opening *opening, struct text actor, struct error *err)
{
	struct record_head head = {"task-opened", opening->at_utc_ms, actor, opening->id};
	const struct task *parent = task_find(table, opening->parent);
	struct json_builder record;

	if (!task_may_open(table, opening, err))
		return false;
	record_start(&record, arena, &head);
	json_put_text(&record, "identity", opening->identity);
	json_put_integer(&record, "charter-version", (int64_t)opening->charter_version);
	json_put_cstring(&record, "environment", environment_word(opening->environment));
	json_put_integer(&record, "deadline", opening->deadline_utc_ms);
	json_put_integer(
		&record, "identity-epoch", (int64_t)task_identity_epoch(table, opening->identity));
	if (parent != NULL) {
		json_put_text(&record, "parent", parent->id);
		json_put_integer(&record, "parent-epoch", (int64_t)parent->epoch);
	}
	json_put_text_unless_empty(&record, "person", opening->person);
	json_put_text_unless_empty(&record, "purpose", opening->purpose);
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

bool task_kill_record(struct json *out, struct arena *arena, const struct task_table *table,
	const struct task_kill *kill, struct error *err)
{
	struct record_head head = {"kill", kill->at_utc_ms, kill->actor, kill->task};
	bool is_task = kill->task.length != 0;
	const struct task *task = is_task ? task_find(table, kill->task) : NULL;
	struct json_builder record;
	uint64_t epoch;

	assert(is_task != (kill->identity.length != 0));
	if (is_task && task == NULL)
		return error_set(
			err, ERROR_NOT_FOUND, "no task %.*s is open", TEXT_ARGS(kill->task));
	epoch = is_task ? task->epoch : task_identity_epoch(table, kill->identity);
	record_start(&record, arena, &head);
	json_put_cstring(&record, "target", is_task ? "task" : "identity");
	json_put_text(&record, "identity", is_task ? task->identity : kill->identity);
	json_put_integer(&record, "epoch", (int64_t)epoch + 1);
	json_put_text(&record, "reason", kill->reason);
	return json_object_seal(&record, out, err);
}

/* ---- folding ----------------------------------------------------------------- */

/* The identity's counter; made if it is the first we hear of it. */
static bool identity_get(
	struct task_table *table, struct text name, struct identity_epoch **out, struct error *err)
{
	struct identity_epoch *entry = (struct identity_epoch *)name_find(&table->identities, name);
	char *copy;

	*out = entry;
	if (entry != NULL)
		return true;
	if (!name_reserve(&table->identities, err))
		return false;
	entry = calloc(1, sizeof(*entry) + name.length);
	if (entry == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an identity's epoch");
	copy = (char *)(entry + 1);
	memcpy(copy, name.data, name.length);
	entry->named.name = (struct text){copy, name.length};
	name_insert(&table->identities, &entry->named);
	*out = entry;
	return true;
}

static struct text place_text(char **end, struct text source)
{
	struct text placed = {*end, source.length};

	if (source.length != 0)
		memcpy(*end, source.data, source.length);
	*end += source.length;
	return placed;
}

/* What a task-opened record says, checked. */
struct opened {
	struct task_opening opening;
	int64_t identity_epoch;
	int64_t parent_epoch;
};

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
	opening->parent = json_text_or(record, "parent", "");
	opening->person = json_text_or(record, "person", "");
	opening->purpose = json_text_or(record, "purpose", "");
	opening->details = json_find(record, "details");
	out->parent_epoch = json_integer_or(record, "parent-epoch", -1);
	if (version < 0 || out->identity_epoch < 0 || opening->id.length == 0 ||
		opening->identity.length == 0)
		return error_set(err, ERROR_CORRUPT, "a task-opened record is malformed");
	return true;
}

static struct node *node_create(const struct opened *opened, uint64_t index)
{
	const struct task_opening *opening = &opened->opening;
	size_t size = opening->id.length + opening->identity.length + opening->person.length +
		      opening->purpose.length;
	struct node *node = calloc(1, sizeof(*node) + size);
	char *end;

	if (node == NULL)
		return NULL;
	end = node->texts;
	node->task = (struct task){
		.id = place_text(&end, opening->id),
		.identity = place_text(&end, opening->identity),
		.person = place_text(&end, opening->person),
		.purpose = place_text(&end, opening->purpose),
		.charter_version = opening->charter_version,
		.environment = opening->environment,
		.opened_at_utc_ms = opening->at_utc_ms,
		.deadline_utc_ms = opening->deadline_utc_ms,
		.depth = 1,
		.identity_epoch = (uint64_t)opened->identity_epoch,
		.recorded_state = TASK_OPEN,
		.record_index = index,
	};
	node->named.name = node->task.id;
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
		!chain_may_take(&parent->task, node->task.identity, &unsaid)) {
		node->task.recorded_state = TASK_REVOKED;
		return;
	}
	node->parent = parent;
	node->task.parent = &parent->task;
	node->task.parent_epoch = (uint64_t)opened->parent_epoch;
	node->task.depth = parent->task.depth + 1;
	node->sibling = parent->first_child;
	if (node->sibling != NULL)
		node->sibling->sibling_before = node;
	parent->first_child = node;
	parent->task.children_count++;
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
	struct identity_epoch *owner;
	struct opened opened;
	struct node *node;

	if (!opened_read(&opened, record, err))
		return false;
	if (node_find(table, opened.opening.id) != NULL)
		return true;
	/* tasks_max is for task_may_open: what is durable is always folded. */
	if (!identity_get(table, opened.opening.identity, &owner, err) ||
		!name_reserve(&table->tasks, err))
		return false;
	node = node_create(&opened, index);
	if (node == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a task");
	if (!node_take_details(node, &opened.opening, err)) {
		free(node);
		return false;
	}
	node->owner = owner;
	owner->held++;
	name_insert(&table->tasks, &node->named);
	node_attach(table, node, &opened);
	node->older = table->youngest;
	if (node->older != NULL)
		node->older->younger = node;
	else
		table->oldest = node;
	table->youngest = node;
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
	if (node != NULL && node->task.recorded_state == TASK_OPEN)
		node->task.recorded_state = state;
	return true;
}

static bool kill_task(struct task_table *table, struct text id, uint64_t epoch)
{
	struct node *node = node_find(table, id);

	if (node == NULL)
		return true;
	if (epoch > node->task.epoch)
		node->task.epoch = epoch;
	node->task.recorded_state = TASK_REVOKED;
	return true;
}

static bool fold_kill(struct task_table *table, const struct json *record, struct error *err)
{
	struct text target, name;
	struct identity_epoch *owner;
	int64_t epoch;

	if (!json_need_text(record, "target", &target, err) ||
		!json_need_integer(record, "epoch", &epoch, err))
		return false;
	if (epoch <= 0)
		return error_set(
			err, ERROR_CORRUPT, "a kill record has epoch %lld", (long long)epoch);
	if (text_is(target, "task"))
		return json_need_text(record, "task", &name, err) &&
		       kill_task(table, name, (uint64_t)epoch);
	if (!text_is(target, "identity"))
		return error_set(err, ERROR_CORRUPT, "a kill record has no such target");
	if (!json_need_text(record, "identity", &name, err) ||
		!identity_get(table, name, &owner, err))
		return false;
	if ((uint64_t)epoch > owner->epoch)
		owner->epoch = (uint64_t)epoch;
	return true;
}

/* tool is where the name is to lie. */
static void keep_source(
	struct task_label_source *out, char *tool, const struct json *record, uint64_t index)
{
	struct text name = json_text_or(record, "tool", "");

	if (name.length > TASK_LABEL_TOOL_BYTES_MAX)
		name.length = TASK_LABEL_TOOL_BYTES_MAX;
	if (name.length != 0)
		memcpy(tool, name.data, name.length);
	*out = (struct task_label_source){true, index, {tool, name.length}};
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

/* Labels stick from the decision on, not from the outcome: by then the data may
 * have been read.  Every task above has seen what a task below it saw. */
static bool fold_decision(
	struct task_table *table, const struct json *record, uint64_t index, struct error *err)
{
	struct text verdict = json_text_or(record, "verdict", "");
	enum sensitivity label = sensitivity_of(json_text_or(record, "sensitivity", ""));
	bool is_untrusted = json_boolean_or(record, "untrusted", false);
	struct node *node = node_find(table, json_text_or(record, "task", ""));

	if (!text_is(verdict, "allow"))
		return true;
	/* What went by break-glass nobody answered for: the next is a first time still. */
	if (json_boolean_or(record, "first", false) && json_find(record, "break-glass") == NULL)
		touches_add(table->touches, json_text_or(record, "identity", ""),
			json_text_or(record, "tool", ""));
	if (node != NULL && !fold_uses(table, &node->task, record, index, err))
		return false;
	for (; node != NULL; node = node->parent) {
		struct task *task = &node->task;

		if (label > task->label) {
			task->label = label;
			keep_source(&task->label_source, node->label_tool, record, index);
		}
		if (is_untrusted && !task->has_untrusted_content) {
			task->has_untrusted_content = true;
			keep_source(&task->untrusted_source, node->untrusted_tool, record, index);
		}
	}
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

bool task_has_touched(const struct task_table *table, struct text identity, struct text tool)
{
	return touches_has(table->touches, identity, tool);
}

int64_t task_line_used(const struct task_table *table, const struct line_key *key)
{
	return line_uses_find(table->uses, key);
}

size_t task_lines_count(const struct task_table *table)
{
	return line_uses_count(table->uses);
}

/* ---- forgetting ---------------------------------------------------------------- */

static void node_detach(struct task_table *table, struct node *node)
{
	assert(node->first_child == NULL);
	name_remove(&table->tasks, &node->named);
	node->owner->held--;
	if (node->older != NULL)
		node->older->younger = node->younger;
	else
		table->oldest = node->younger;
	if (node->younger != NULL)
		node->younger->older = node->older;
	else
		table->youngest = node->older;
	if (node->parent == NULL) {
		line_uses_forget(table->uses, node->task.id);
		return;
	}
	if (node->sibling_before != NULL)
		node->sibling_before->sibling = node->sibling;
	else
		node->parent->first_child = node->sibling;
	if (node->sibling != NULL)
		node->sibling->sibling_before = node->sibling_before;
	node->parent->task.children_count--;
}

size_t task_table_sweep(
	struct task_table *table, int64_t now_utc_ms, int64_t keep_ms, size_t nodes_max)
{
	struct node *node = table->youngest;
	size_t swept = 0;

	/* Children are younger than parents, so this way leaves come first. */
	while (node != NULL && swept < nodes_max) {
		struct node *older = node->older;

		if (node->first_child == NULL && !task_is_live(&node->task, now_utc_ms) &&
			now_utc_ms >= node->task.deadline_utc_ms + keep_ms) {
			node_detach(table, node);
			task_details_destroy(&node->details);
			free(node);
			swept++;
		}
		node = older;
	}
	return swept;
}

/* ---- words ------------------------------------------------------------------------ */

static const char *const state_words[] = {
	[TASK_OPEN] = "open",
	[TASK_ENDED] = "ended",
	[TASK_REVOKED] = "revoked",
	[TASK_EXPIRED] = "expired",
};

const char *task_state_word(enum task_state value)
{
	return (size_t)value < sizeof(state_words) / sizeof(*state_words) ? state_words[value]
									  : NULL;
}

enum task_state task_state_of(struct text word)
{
	size_t i;

	for (i = TASK_OPEN; i < sizeof(state_words) / sizeof(*state_words); i++)
		if (text_is(word, state_words[i]))
			return (enum task_state)i;
	return TASK_NONE;
}
