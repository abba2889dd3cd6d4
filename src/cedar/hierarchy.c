/* Closing an entity hierarchy: each node gets all its ancestors, in one walk
 * that visits parents before children (depth first, with a stack of its own).
 * A parent that is being visited when it is met again is a cycle.
 *
 * A node's ancestors are its parents and theirs, which are sorted already.  They are
 * gathered in one scratch array, merged and copied without repetition.  Parents may have
 * nearly all of theirs in common: a node of this store is gathered once and marked, those
 * of a store below are left once whenever the scratch is full.  So its room follows the
 * ancestors of one node, not those of all its parents together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cedar/entities_inner.h"

enum visit { VISIT_NEW = 0, VISIT_OPEN, VISIT_DONE };

enum { GATHERED_FIRST = 64, SORT_INSERTING_MAX = 16, FRAMES_ON_STACK = 16, LOOK_UP_COST = 8 };

/* An open node and the first of its parents not yet looked at. */
struct frame {
	uint32_t index;
	uint32_t next_parent;
};

struct closing {
	struct cedar_entities *entities;
	struct frame *stack; /* each node is open at most once */
	uint32_t depth;
	struct ancestor *gathered; /* one half of the room, and the other */
	struct ancestor *spare;
	struct ancestor *room; /* `first` until more is needed, then on the heap */
	struct ancestor first[2 * GATHERED_FIRST];
	size_t gathered_count;
	size_t gathered_capacity;
	uint32_t mark; /* of the node that is being finished, as in gathered_for */
	struct cedar_error *err;
};

static bool add_placeholder(
	struct cedar_entities *entities, const struct cedar_uid *uid, struct cedar_error *err)
{
	struct entity_node node = {.uid = *uid};

	if (!entities_reserve(entities, 1, err))
		return false;
	node.uid.hash = cedar_uid_hash(uid);
	table_put(&entities->table, node.uid.hash, entities->count);
	entities->nodes[entities->count++] = node;
	return true;
}

/* E1: every parent becomes a node here or is one below. */
static bool add_placeholders(struct cedar_entities *entities, struct cedar_error *err)
{
	uint32_t given = entities->count;

	for (uint32_t i = 0; i < given; i++) {
		for (uint32_t p = 0; p < entities->nodes[i].parent_count; p++) {
			const struct cedar_uid *uid = &entities->nodes[i].parents[p];
			struct entity_node *node = entities_find_here(entities, uid);

			if (node == NULL && entities_find(entities->below, uid) == NULL) {
				if (!add_placeholder(entities, uid, err))
					return false;
				node = &entities->nodes[entities->count - 1];
			}
			if (node != NULL)
				node->is_parent = true;
		}
	}
	return true;
}

int ancestor_order(const struct ancestor *a, const struct ancestor *b)
{
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return cedar_uid_compare(a->uid, b->uid);
}

static void insert_ancestors(struct ancestor *ancestors, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct ancestor moved = ancestors[i];
		size_t at = i;

		for (; at > 0 && ancestor_order(&ancestors[at - 1], &moved) > 0; at--)
			ancestors[at] = ancestors[at - 1];
		ancestors[at] = moved;
	}
}

/* The end of what is in order from `at` < count on. */
static size_t run_end(const struct ancestor *ancestors, size_t at, size_t count)
{
	while (at + 1 < count && ancestor_order(&ancestors[at], &ancestors[at + 1]) <= 0)
		at++;
	return at + 1;
}

/* Two runs become one, in which what both have is there once. */
static size_t merge_runs(
	struct ancestor *out, const struct ancestor *runs, size_t middle, size_t end)
{
	size_t left = 0, right = middle, count = 0;

	while (left < middle && right < end) {
		int order = ancestor_order(&runs[left], &runs[right]);

		out[count++] = runs[order <= 0 ? left : right];
		left += order <= 0;
		right += order >= 0;
	}
	while (left < middle)
		out[count++] = runs[left++];
	while (right < end)
		out[count++] = runs[right++];
	return count;
}

/* Merges each two neighbours; false if there was one run only. */
static bool merge_once(struct closing *closing)
{
	struct ancestor *from = closing->gathered, *to = closing->spare;
	size_t all = closing->gathered_count, count = 0;
	size_t at = 0;

	if (run_end(from, 0, all) == all)
		return false;
	while (at < all) {
		size_t middle = run_end(from, at, all);
		size_t end = middle == all ? all : run_end(from, middle, all);

		count += merge_runs(to + count, from + at, middle - at, end - at);
		at = end;
	}
	closing->gathered = to;
	closing->spare = from;
	closing->gathered_count = count;
	return true;
}

/* Each parent is a run and so are its ancestors: there are few. */
static void sort_gathered(struct closing *closing)
{
	if (closing->gathered_count <= SORT_INSERTING_MAX)
		insert_ancestors(closing->gathered, closing->gathered_count);
	else
		while (merge_once(closing))
			continue;
}

/* The parent wherever it is; E1 says it is somewhere. */
static const struct entity_node *find_parent(
	const struct cedar_entities *entities, const struct cedar_uid *uid)
{
	const struct entity_node *node = entities_find_here(entities, uid);

	return node != NULL ? node : entities_find(entities->below, uid);
}

/* Sorts what was gathered and leaves each once. */
static void settle_gathered(struct closing *closing)
{
	size_t kept = 0;

	sort_gathered(closing);
	for (size_t i = 0; i < closing->gathered_count; i++) {
		if (kept == 0 ||
			ancestor_order(&closing->gathered[kept - 1], &closing->gathered[i]) != 0)
			closing->gathered[kept++] = closing->gathered[i];
	}
	closing->gathered_count = kept;
}

static bool grow_gathered(struct closing *closing, size_t capacity)
{
	struct ancestor *larger = calloc(2 * capacity, sizeof *larger);

	if (larger == NULL)
		return cedar_fail_memory(closing->err);
	memcpy(larger, closing->gathered, closing->gathered_count * sizeof *larger);
	if (closing->room != closing->first)
		free(closing->room);
	closing->room = closing->gathered = larger;
	closing->spare = larger + capacity;
	closing->gathered_capacity = capacity;
	return true;
}

/* Room for `more`, of which some may be there already.  Without a store below all are
 * nodes of this one, each once. */
static bool reserve_gathered(struct closing *closing, uint32_t more)
{
	size_t capacity = closing->gathered_capacity, most = SIZE_MAX / 2, need;

	if (closing->gathered_count + more <= capacity)
		return true;
	if (closing->entities->below == NULL)
		most = closing->entities->count;
	else
		settle_gathered(closing);
	need = closing->gathered_count + more < most ? closing->gathered_count + more : most;
	/* Half of it stays free, or the next few would be settled again. */
	while (capacity < need || (capacity < most && closing->gathered_count > capacity / 2))
		capacity *= 2;
	capacity = capacity < most ? capacity : most;
	return capacity <= closing->gathered_capacity || grow_gathered(closing, capacity);
}

/* True if the ancestor was gathered for the node before.  Of one below nobody knows. */
static bool is_gathered(struct closing *closing, const struct cedar_uid *uid)
{
	struct cedar_entities *entities = closing->entities;
	uintptr_t offset = (uintptr_t)uid - (uintptr_t)entities->nodes;
	struct entity_node *node;

	if (offset >= entities->count * sizeof *entities->nodes)
		return false;
	node = &entities->nodes[offset / sizeof *entities->nodes];
	if (node->gathered_for == closing->mark)
		return true;
	node->gathered_for = closing->mark;
	return false;
}

/* True if it is seen at little cost that all ancestors of the parent are there: its own
 * parents are, of which it has few.  Looking one up costs as much as LOOK_UP_COST marks. */
static bool has_all_gathered(const struct closing *closing, const struct entity_node *parent)
{
	const struct cedar_entities *entities = closing->entities;

	/* In an overlay a parent's parent may be hidden by another entity. */
	if (entities->below != NULL || parent->parent_count > parent->ancestor_count / LOOK_UP_COST)
		return false;
	for (uint32_t p = 0; p < parent->parent_count; p++) {
		const struct entity_node *node = entities_find_here(entities, &parent->parents[p]);

		if (node == NULL || node->gathered_for != closing->mark)
			return false;
	}
	return true;
}

/* The parent and its ancestors.  Of one that is there already all of them are. */
static bool gather_parent(struct closing *closing, const struct entity_node *parent)
{
	const struct ancestor itself = {cedar_uid_hash(&parent->uid), &parent->uid};

	if (is_gathered(closing, &parent->uid))
		return true;
	if (!reserve_gathered(closing, parent->ancestor_count + 1))
		return false;
	closing->gathered[closing->gathered_count++] = itself;
	if (has_all_gathered(closing, parent))
		return true;
	for (uint32_t i = 0; i < parent->ancestor_count; i++) {
		if (!is_gathered(closing, parent->ancestors[i].uid))
			closing->gathered[closing->gathered_count++] = parent->ancestors[i];
	}
	return true;
}

static bool keep_gathered(struct closing *closing, struct entity_node *node)
{
	struct ancestor *kept;
	uint32_t count;

	settle_gathered(closing);
	count = (uint32_t)closing->gathered_count;
	kept = arena_array(closing->entities->arena, struct ancestor, count);
	if (kept == NULL)
		return cedar_fail_memory(closing->err);
	if (count > 0)
		memcpy(kept, closing->gathered, count * sizeof *kept);
	for (uint32_t i = 0; i < count; i++)
		node->ancestor_filter |= entity_filter(kept[i].hash);
	node->ancestors = kept;
	node->ancestor_count = count;
	return true;
}

/* All parents are done: their ancestors and they themselves are the node's. */
static bool finish_node(struct closing *closing, struct entity_node *node)
{
	node->visit = VISIT_DONE;
	if (node->parent_count == 0)
		return true;
	closing->gathered_count = 0;
	closing->mark = (uint32_t)(node - closing->entities->nodes) + 1;
	for (uint32_t p = 0; p < node->parent_count; p++) {
		if (!gather_parent(closing, find_parent(closing->entities, &node->parents[p])))
			return false;
	}
	return keep_gathered(closing, node);
}

bool entities_fail_cycle(const struct cedar_uid *uid, struct cedar_error *err)
{
	return cedar_fail(err, CEDAR_ERROR_INVALID, "the entity %.*s::\"%.*s\" is its own ancestor",
		(int)uid->type.length, uid->type.data, (int)uid->id.length, uid->id.data);
}

bool entities_tell_cycle(const struct cedar_uid *uid, struct cedar_error *err)
{
	static const char form[] = ", in %.*s::\"%.*s\"", more[] = ", in ...";
	size_t used = strlen(err->text), left = sizeof err->text - used;
	size_t need = uid->type.length + uid->id.length + sizeof form;

	if (need + sizeof more < left) {
		(void)snprintf(err->text + used, left, form, (int)uid->type.length, uid->type.data,
			(int)uid->id.length, uid->id.data);
		return true;
	}
	if (sizeof more < left)
		(void)snprintf(err->text + used, left, more);
	return false;
}

static void open_node(struct closing *closing, struct entity_node *node)
{
	node->visit = VISIT_OPEN;
	closing->stack[closing->depth++] =
		(struct frame){(uint32_t)(node - closing->entities->nodes), 0};
}

/* What is open since the node is in it, and it in them. */
static bool fail_cycle(const struct closing *closing, const struct entity_node *node)
{
	const struct entity_node *nodes = closing->entities->nodes;
	uint32_t index = (uint32_t)(node - nodes), at = closing->depth;

	entities_fail_cycle(&node->uid, closing->err);
	while (at > 0 && closing->stack[at - 1].index != index)
		at--;
	for (; at < closing->depth; at++)
		if (!entities_tell_cycle(&nodes[closing->stack[at].index].uid, closing->err))
			break;
	return false;
}

/* Opens the frame's next parent that is new; *opened says if there was one. */
static bool open_parent(struct closing *closing, struct frame *frame, bool *opened)
{
	const struct entity_node *node = &closing->entities->nodes[frame->index];

	*opened = false;
	while (frame->next_parent < node->parent_count) {
		struct entity_node *parent =
			entities_find_here(closing->entities, &node->parents[frame->next_parent++]);

		if (parent == NULL || parent->visit == VISIT_DONE)
			continue;
		if (parent->visit == VISIT_OPEN)
			return fail_cycle(closing, parent);
		open_node(closing, parent);
		*opened = true;
		return true;
	}
	return true;
}

static bool close_from(struct closing *closing, uint32_t index)
{
	bool opened;

	open_node(closing, &closing->entities->nodes[index]);
	while (closing->depth > 0) {
		struct frame *frame = &closing->stack[closing->depth - 1];

		if (!open_parent(closing, frame, &opened))
			return false;
		if (opened)
			continue;
		if (!finish_node(closing, &closing->entities->nodes[frame->index]))
			return false;
		closing->depth--;
	}
	return true;
}

bool entities_close(struct cedar_entities *entities, struct cedar_error *err)
{
	NOT_ZEROED struct closing closing;
	struct frame few[FRAMES_ON_STACK];
	bool ok = false;

	if (!add_placeholders(entities, err))
		return false;
	closing.entities = entities;
	closing.err = err;
	closing.depth = 0;
	closing.room = closing.gathered = closing.first;
	closing.spare = closing.first + GATHERED_FIRST;
	closing.gathered_count = 0;
	closing.gathered_capacity = GATHERED_FIRST;
	closing.mark = 0;
	closing.stack = entities->count <= FRAMES_ON_STACK
				? few
				: calloc(entities->count, sizeof *closing.stack);
	if (closing.stack == NULL) {
		cedar_fail_memory(err);
		goto done;
	}
	for (uint32_t i = 0; i < entities->count; i++) {
		if (entities->nodes[i].visit == VISIT_NEW && !close_from(&closing, i))
			goto done;
	}
	ok = true;
done:
	if (closing.stack != few)
		free(closing.stack);
	if (closing.room != closing.first)
		free(closing.room);
	return ok;
}
