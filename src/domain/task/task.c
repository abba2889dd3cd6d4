/* The task forest: where nodes lie, and what holds of one now.
 *
 * Nodes hang in four structures at once: a hash table by id, a list of those of their
 * identity in the order opened, their parent's list of children, and a heap by time
 * (task_due.c).  What many share, its epoch included, is an anchor which they point to.
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

#include "domain/task/task_private.h"

enum { PATH_MAX_NODES = TASK_DEPTH_MAX };

/* ---- memory ---- */

bool task_table_create(struct task_table **out, size_t tasks_max, struct error *err)
{
	struct task_table *table = calloc(1, sizeof *table);

	*out = table;
	if (table == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the table of tasks");
	table->bounds = (struct task_bounds){tasks_max, TASKS_PER_IDENTITY_MAX_DEFAULT};
	table->units = name_table_create();
	table->identities = name_table_create();
	table->instances = name_table_create();
	if (table->units == NULL || table->identities == NULL || table->instances == NULL)
		error_set(err, ERROR_LIMIT, "no memory for the table of tasks");
	else if (touches_create(&table->touches, err) && line_uses_create(&table->uses, err))
		return true;
	task_table_destroy(out);
	return false;
}

void task_table_bound(struct task_table *table, const struct task_bounds *bounds)
{
	table->bounds = *bounds;
}

static void notes_free(struct task_table *table, struct notes **notes)
{
	if (*notes == NULL)
		return;
	word_drop(&table->words, &(*notes)->label.tool);
	word_drop(&table->words, &(*notes)->untrusted.tool);
	while ((*notes)->revoked != NULL) {
		struct revoked *first = (*notes)->revoked;

		(*notes)->revoked = first->next;
		free(first);
	}
	free(*notes);
	*notes = NULL;
}

void node_free(struct task_table *table, struct node *node)
{
	struct task_details *details = node->details;

	task_details_destroy(&details);
	word_drop(&table->words, &node->person);
	word_drop(&table->words, &node->brought);
	notes_free(table, &node->notes);
	free(node);
}

static void nodes_free(struct task_table *table)
{
	for (size_t i = 0; i < table->tasks.slots_count; i++) {
		while (table->tasks.slots[i] != NULL) {
			struct named *named = table->tasks.slots[i];

			table->tasks.slots[i] = named->next;
			node_free(table, (struct node *)named);
		}
	}
	names_deinit(&table->tasks);
}

void task_table_destroy(struct task_table **table)
{
	if (*table == NULL)
		return;
	nodes_free(*table);
	names_deinit(&(*table)->words);
	due_deinit(*table);
	name_table_destroy(&(*table)->units, free);
	name_table_destroy(&(*table)->identities, free);
	name_table_destroy(&(*table)->instances, free);
	touches_destroy(&(*table)->touches);
	line_uses_destroy(&(*table)->uses);
	free(*table);
	*table = NULL;
}

struct notes *node_notes(struct node *node)
{
	if (node->notes == NULL)
		node->notes = calloc(1, sizeof *node->notes);
	return node->notes;
}

/* ---- anchors ---- */

struct anchor *anchor_find(const struct name_table *anchors, struct text name)
{
	return name.length == 0 ? NULL : name_table_find(anchors, name);
}

bool anchor_get(
	struct name_table *anchors, struct text name, struct anchor **out, struct error *err)
{
	struct anchor *anchor = anchor_find(anchors, name);

	*out = anchor;
	if (anchor != NULL || name.length == 0)
		return true;
	anchor = calloc(1, sizeof *anchor + name.length);
	if (anchor == NULL || !name_table_put(anchors, name, anchor)) {
		free(anchor);
		return error_set(err, ERROR_LIMIT, "no memory for an epoch");
	}
	memcpy(anchor->bytes, name.data, name.length);
	anchor->name = (struct text){anchor->bytes, name.length};
	*out = anchor;
	return true;
}

struct text instance_key(
	char bytes[INSTANCE_KEY_BYTES_MAX], struct text identity, struct text instance)
{
	size_t length = identity.length + 1 + instance.length;

	if (identity.length == 0 || instance.length == 0 || length > INSTANCE_KEY_BYTES_MAX)
		return (struct text){0};
	memcpy(bytes, identity.data, identity.length);
	bytes[identity.length] = '/';
	memcpy(bytes + identity.length + 1, instance.data, instance.length);
	return (struct text){bytes, length};
}

/* ---- looking ---- */

struct node *node_of(const struct task *task)
{
	/* Every struct task handed out is the member of a node of ours. */
	return (struct node *)((uintptr_t)task - offsetof(struct node, task));
}

struct node *node_find(const struct task_table *table, struct text id)
{
	return (struct node *)names_find(&table->tasks, id);
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

/* The first task of the first identity after one that has any. */
static const struct node *first_after(const struct task_table *table, struct text identity)
{
	const struct anchor *anchor = name_table_next(table->identities, identity);

	while (anchor != NULL && anchor->oldest == NULL)
		anchor = name_table_next(table->identities, anchor->name);
	return anchor == NULL ? NULL : anchor->oldest;
}

const struct task *task_next(const struct task_table *table, const struct task *after)
{
	const struct node *node = after == NULL ? NULL : node_of(after)->younger;

	if (node == NULL)
		node = first_after(table, after == NULL ? TEXT("") : after->identity);
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

struct text task_person(const struct task *task)
{
	return word_text(node_of(task)->person);
}

struct text task_unit(const struct task *task)
{
	const struct anchor *unit = node_of(task)->unit;

	return unit == NULL ? TEXT("") : unit->name;
}

struct text task_instance(const struct task *task)
{
	const struct anchor *instance = node_of(task)->instance;

	return instance == NULL ? TEXT("") : text_after(instance->name, task->identity.length + 1);
}

/* ---- what holds now ---- */

bool node_is_brought_by_killed(const struct node *node)
{
	return node->brought != NULL && node->task.parent != NULL &&
	       task_token_is_revoked(node->task.parent, word_text(node->brought));
}

/* Whether a kill of anything it hangs on came after it was opened. */
static bool is_killed_above(const struct node *node)
{
	const struct task *task = &node->task;

	return task->identity_epoch != node->owner->epoch ||
	       (node->unit != NULL && node->unit_epoch != node->unit->epoch) ||
	       (node->instance != NULL && node->instance_epoch != node->instance->epoch) ||
	       (task->parent != NULL && (task->parent_epoch != task->parent->epoch ||
						node_is_brought_by_killed(node)));
}

/* What one node says for itself, without those above it. */
static enum task_state node_state(const struct node *node, int64_t now_utc_ms)
{
	if (node->task.recorded_state != TASK_OPEN)
		return node->task.recorded_state;
	if (is_killed_above(node))
		return TASK_REVOKED;
	return now_utc_ms >= node->task.deadline_utc_ms ? TASK_EXPIRED : TASK_OPEN;
}

enum task_state task_state_now(const struct task *task, int64_t now_utc_ms)
{
	uint32_t steps = 0;

	if (task == NULL)
		return TASK_NONE;
	for (; task != NULL; task = task->parent) {
		enum task_state state = node_state(node_of(task), now_utc_ms);

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

bool task_token_is_revoked(const struct task *task, struct text token)
{
	const struct notes *notes = node_of(task)->notes;
	const struct revoked *one = notes == NULL ? NULL : notes->revoked;

	for (; one != NULL; one = one->next)
		if (text_equal((struct text){one->id, one->length}, token))
			return true;
	return false;
}

bool task_last_call(const struct task *task, uint64_t *out_record)
{
	uint64_t last_call = node_of(task)->last_call;

	*out_record = last_call == 0 ? 0 : last_call - 1;
	return last_call != 0;
}

/* Youngest first, for those are the likeliest to live. */
size_t task_count_live(
	const struct task_table *table, struct text identity, int64_t now_utc_ms, size_t most)
{
	const struct anchor *owner = anchor_find(table->identities, identity);
	const struct node *node = owner == NULL ? NULL : owner->youngest;
	size_t count = 0;

	for (; node != NULL && count < most; node = node->older)
		count += task_is_live(&node->task, now_utc_ms);
	return count;
}

size_t task_count_live_children(const struct task *task, int64_t now_utc_ms, size_t most)
{
	const struct task *child = task_first_child(task);
	size_t count = 0;

	for (; child != NULL && count < most; child = task_next_sibling(child))
		count += task_is_live(child, now_utc_ms);
	return count;
}

/* ---- labels ---- */

static struct task_label_source source_of(const struct source *source)
{
	return (struct task_label_source){
		source->is_known, source->record, word_text(source->tool)};
}

struct task_label_source task_label_source(const struct task *task)
{
	const struct notes *notes = node_of(task)->notes;

	return notes == NULL ? (struct task_label_source){0} : source_of(&notes->label);
}

struct task_label_source task_untrusted_source(const struct task *task)
{
	const struct notes *notes = node_of(task)->notes;

	return notes == NULL ? (struct task_label_source){0} : source_of(&notes->untrusted);
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
		struct task_label_source label = task_label_source(task);
		struct task_label_source untrusted = task_untrusted_source(task);

		if (task->label > labels.sensitivity ||
			(task->label == labels.sensitivity &&
				is_earlier(&label, &labels.sensitivity_source))) {
			labels.sensitivity = task->label;
			labels.sensitivity_source = label;
		}
		if (is_earlier(&untrusted, &labels.untrusted_source))
			labels.untrusted_source = untrusted;
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

/* ---- epochs, lines, touches ---- */

static uint64_t epoch_of(const struct name_table *anchors, struct text name)
{
	const struct anchor *anchor = anchor_find(anchors, name);

	return anchor == NULL ? 0 : anchor->epoch;
}

uint64_t task_identity_epoch(const struct task_table *table, struct text identity)
{
	return epoch_of(table->identities, identity);
}

uint64_t task_unit_epoch(const struct task_table *table, struct text unit)
{
	return epoch_of(table->units, unit);
}

uint64_t task_instance_epoch(
	const struct task_table *table, struct text identity, struct text instance)
{
	char bytes[INSTANCE_KEY_BYTES_MAX];

	return epoch_of(table->instances, instance_key(bytes, identity, instance));
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

static const char *const target_words[] = {
	[TASK_TARGET_UNIT] = "unit",
	[TASK_TARGET_IDENTITY] = "identity",
	[TASK_TARGET_INSTANCE] = "instance",
	[TASK_TARGET_TASK] = "task",
	[TASK_TARGET_TOKEN] = "token",
};

const char *task_target_word(enum task_target target)
{
	return (size_t)target < sizeof target_words / sizeof *target_words ? target_words[target]
									   : NULL;
}

enum task_target task_target_of(struct text word)
{
	for (size_t i = TASK_TARGET_UNIT; i < sizeof target_words / sizeof *target_words; i++)
		if (text_is(word, target_words[i]))
			return (enum task_target)i;
	return TASK_TARGET_NONE;
}
