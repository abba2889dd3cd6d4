/* Closing an entity hierarchy: each node gets all its ancestors, in one walk
 * that visits parents before children (depth first, with a stack of its own).
 * A parent that is being visited when it is met again is a cycle.
 *
 * A node's ancestors are its parents and theirs.  They are gathered in one
 * scratch array, sorted and copied without repetition. */
#include <stdlib.h>
#include <string.h>

#include "cedar/entities_inner.h"

enum visit { VISIT_NEW = 0, VISIT_OPEN, VISIT_DONE };

enum { GATHERED_FIRST = 64, SORT_INSERTING_MAX = 16, FRAMES_ON_STACK = 16 };

/* An open node and the first of its parents not yet looked at. */
struct frame {
	uint32_t index;
	uint32_t next_parent;
};

struct closing {
	struct cedar_entities *entities;
	struct frame *stack; /* each node is open at most once */
	uint32_t depth;
	struct ancestor *gathered; /* `first` until more are needed, then on the heap */
	struct ancestor first[GATHERED_FIRST];
	size_t gathered_count;
	size_t gathered_capacity;
	struct cedar_error *err;
};

/* E1: every parent becomes a node here or is one below. */
static void add_placeholders(struct cedar_entities *entities)
{
	uint32_t given = entities->count;

	for (uint32_t i = 0; i < given; i++) {
		for (uint32_t p = 0; p < entities->nodes[i].parent_count; p++) {
			struct cedar_uid uid = entities->nodes[i].parents[p];
			struct entity_node *node = entities_find_here(entities, &uid);

			if (node == NULL && entities_find(entities->below, &uid) == NULL) {
				uid.hash = cedar_uid_hash(&uid);
				table_put(&entities->table, uid.hash, entities->count);
				node = &entities->nodes[entities->count++];
				*node = (struct entity_node){.uid = uid};
			}
			if (node != NULL)
				node->is_parent = true;
		}
	}
}

static bool gather(struct closing *closing, const struct ancestor *ancestors, uint32_t count)
{
	size_t need = closing->gathered_count + count;
	size_t capacity = closing->gathered_capacity;
	struct ancestor *larger;

	if (need > capacity) {
		while (capacity < need)
			capacity *= 2;
		larger = calloc(1, capacity * sizeof *larger);
		if (larger == NULL)
			return cedar_fail_memory(closing->err);
		memcpy(larger, closing->gathered, closing->gathered_count * sizeof *larger);
		if (closing->gathered != closing->first)
			free(closing->gathered);
		closing->gathered = larger;
		closing->gathered_capacity = capacity;
	}
	if (count > 0)
		memcpy(closing->gathered + closing->gathered_count, ancestors,
			count * sizeof *ancestors);
	closing->gathered_count = need;
	return true;
}

int ancestor_order(const struct ancestor *a, const struct ancestor *b)
{
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return cedar_uid_compare(a->uid, b->uid);
}

static int order_ancestors(const void *a, const void *b)
{
	return ancestor_order(a, b);
}

static void sort_ancestors(struct ancestor *ancestors, size_t count)
{
	if (count > SORT_INSERTING_MAX) {
		qsort(ancestors, count, sizeof *ancestors, order_ancestors);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		struct ancestor moved = ancestors[i];
		size_t at = i;

		for (; at > 0 && order_ancestors(&ancestors[at - 1], &moved) > 0; at--)
			ancestors[at] = ancestors[at - 1];
		ancestors[at] = moved;
	}
}

/* The parent wherever it is; E1 says it is somewhere. */
static const struct entity_node *find_parent(
	const struct cedar_entities *entities, const struct cedar_uid *uid)
{
	const struct entity_node *node = entities_find_here(entities, uid);

	return node != NULL ? node : entities_find(entities->below, uid);
}

static bool keep_gathered(struct closing *closing, struct entity_node *node)
{
	struct ancestor *kept;
	uint32_t count = 0;

	sort_ancestors(closing->gathered, closing->gathered_count);
	for (size_t i = 0; i < closing->gathered_count; i++) {
		if (count == 0 ||
			order_ancestors(&closing->gathered[count - 1], &closing->gathered[i]) != 0)
			closing->gathered[count++] = closing->gathered[i];
	}
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
	for (uint32_t p = 0; p < node->parent_count; p++) {
		const struct entity_node *parent =
			find_parent(closing->entities, &node->parents[p]);
		struct ancestor itself = {cedar_uid_hash(&parent->uid), &parent->uid};

		if (!gather(closing, &itself, 1) ||
			!gather(closing, parent->ancestors, parent->ancestor_count))
			return false;
	}
	return keep_gathered(closing, node);
}

bool entities_fail_cycle(const struct cedar_uid *uid, struct cedar_error *err)
{
	return cedar_fail(err, CEDAR_ERROR_INVALID, "the entity %.*s::\"%.*s\" is its own ancestor",
		(int)uid->type.length, uid->type.data, (int)uid->id.length, uid->id.data);
}

static void open_node(struct closing *closing, struct entity_node *node)
{
	node->visit = VISIT_OPEN;
	closing->stack[closing->depth++] =
		(struct frame){(uint32_t)(node - closing->entities->nodes), 0};
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
			return entities_fail_cycle(&parent->uid, closing->err);
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

	add_placeholders(entities);
	closing.entities = entities;
	closing.err = err;
	closing.depth = 0;
	closing.gathered = closing.first;
	closing.gathered_count = 0;
	closing.gathered_capacity = GATHERED_FIRST;
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
	if (closing.gathered != closing.first)
		free(closing.gathered);
	return ok;
}
