/* What a kill ended, told a few tasks at a time.
 *
 * From each task that the kill names itself, and that lies below no other such task, down
 * through all that lived when it came.  Nothing is forgotten while a walk is on its way, so a
 * cursor never dangles; what was opened later has a later record and is left out. */
#include "domain/task/walk.h"

#include <assert.h>
#include <stdlib.h>

#include "domain/task/task_private.h"

struct task_walk {
	struct task_table *table;
	struct task_walked kill;
	uint32_t before;              /* the epoch that the kill put out of force */
	const struct anchor *anchor;  /* that was killed; NULL: a task was */
	const struct anchor *owner;   /* whose tasks are looked at; NULL: no more */
	const struct node *candidate; /* of its list, not looked at yet */
	const struct node *top;       /* from where it goes down; NULL: nowhere now */
	const struct node *at;        /* below it, not looked at yet */
};

static bool is_named(const struct task_walk *walk, const struct node *node)
{
	if (walk->kill.target == TASK_TARGET_TASK)
		return node == walk->top;
	return node->owner == walk->anchor || node->unit == walk->anchor ||
	       node->instance == walk->anchor;
}

static bool held(const struct task_walk *walk, const struct anchor *anchor, uint32_t epoch)
{
	return anchor == NULL || epoch == (anchor == walk->anchor ? walk->before : anchor->epoch);
}

/* Whether the node itself lived when the kill came; those above it did. */
static bool was_live(const struct task_walk *walk, const struct node *node)
{
	const struct task *task = &node->task;
	bool is_target = walk->kill.target == TASK_TARGET_TASK && node == walk->top;
	bool is_below_target =
		walk->kill.target == TASK_TARGET_TASK && node_parent(node) == walk->top;

	if (task->record_index >= walk->kill.record ||
		task->deadline_utc_ms <= walk->kill.at_utc_ms)
		return false;
	if (!is_target && task->recorded_state != TASK_OPEN)
		return false;
	return !node_is_brought_by_killed(node) && held(walk, node->owner, task->identity_epoch) &&
	       held(walk, node->unit, node->unit_epoch) &&
	       held(walk, node->instance, node->instance_epoch) &&
	       (task->parent == NULL || is_target ||
		       task->parent_epoch ==
			       (is_below_target ? walk->before : task->parent->epoch));
}

/* A task that the kill names, below none that it names, where all above live. */
static bool is_top(const struct task_walk *walk, const struct node *node)
{
	const struct node *above = node_parent(node);

	if (!is_named(walk, node))
		return false;
	for (; above != NULL; above = node_parent(above))
		if (is_named(walk, above))
			return false;
	return node->task.parent == NULL || task_is_live(node->task.parent, walk->kill.at_utc_ms);
}

/* The next below top after one that is done with: not down into it. */
static const struct node *next_beside(const struct task_walk *walk, const struct node *node)
{
	while (node != NULL && node != walk->top) {
		if (node->sibling != NULL)
			return node->sibling;
		node = node_parent(node);
	}
	return NULL;
}

static void next_candidate(struct task_walk *walk)
{
	walk->candidate = walk->candidate == NULL ? NULL : walk->candidate->younger;
	while (walk->candidate == NULL && walk->owner != NULL) {
		/* Of a unit each identity has to be looked at; of others just one. */
		walk->owner = walk->kill.target == TASK_TARGET_UNIT
				      ? name_table_next(walk->table->identities, walk->owner->name)
				      : NULL;
		walk->candidate = walk->owner == NULL ? NULL : walk->owner->oldest;
	}
}

bool task_walk_step(struct task_walk *walk, size_t nodes_max, task_visit *visit, void *context)
{
	while (nodes_max-- > 0) {
		if (walk->at != NULL) {
			const struct node *node = walk->at;

			if (was_live(walk, node)) {
				visit(context, &node->task);
				walk->at = node->first_child != NULL ? node->first_child
								     : next_beside(walk, node);
			} else {
				walk->at = next_beside(walk, node);
			}
		} else if (walk->candidate != NULL) {
			if (is_top(walk, walk->candidate))
				walk->top = walk->at = walk->candidate;
			next_candidate(walk);
		} else {
			return false;
		}
	}
	return walk->at != NULL || walk->candidate != NULL;
}

static void start_at_anchor(struct task_walk *walk)
{
	const struct task_table *table = walk->table;
	char bytes[INSTANCE_KEY_BYTES_MAX];

	walk->owner = anchor_find(table->identities, walk->kill.identity);
	if (walk->kill.target == TASK_TARGET_IDENTITY)
		walk->anchor = walk->owner;
	else if (walk->kill.target == TASK_TARGET_INSTANCE)
		walk->anchor = anchor_find(table->instances,
			instance_key(bytes, walk->kill.identity, walk->kill.instance));
	else
		walk->anchor = anchor_find(table->units, walk->kill.unit);
	if (walk->kill.target == TASK_TARGET_UNIT)
		walk->owner = name_table_next(table->identities, TEXT(""));
	if (walk->anchor == NULL)
		walk->owner = NULL;
	else
		walk->before = walk->anchor->epoch_before;
	walk->candidate = walk->owner == NULL ? NULL : walk->owner->oldest;
	if (walk->candidate == NULL)
		next_candidate(walk);
}

bool task_walk_create(struct task_walk **out, struct task_table *table,
	const struct task_walked *kill, struct error *err)
{
	struct task_walk *walk = calloc(1, sizeof *walk);

	*out = walk;
	if (walk == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a receipt");
	walk->table = table;
	walk->kill = *kill;
	table->walks++;
	if (kill->target == TASK_TARGET_TASK) {
		walk->top = walk->at = node_find(table, kill->task);
		walk->before = kill->epoch > 0 ? (uint32_t)kill->epoch - 1 : 0;
	} else if (kill->target != TASK_TARGET_TOKEN && kill->target != TASK_TARGET_NONE) {
		start_at_anchor(walk);
	}
	return true;
}

void task_walk_destroy(struct task_walk **walk)
{
	if (*walk == NULL)
		return;
	assert((*walk)->table->walks > 0);
	(*walk)->table->walks--;
	free(*walk);
	*walk = NULL;
}
