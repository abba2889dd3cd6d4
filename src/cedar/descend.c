/* Ancestors after a change.  Whoever is below a changed entity is met once, depth
 * first, and kept in the order of leaving: children before parents.  Read backwards
 * it has parents first, and each takes its ancestors from them.  Who is entered while
 * it is open is its own ancestor: such a loop leads through a changed entity, so it is
 * always seen.  The cost follows the entities below and their ancestors. */
#include <assert.h>
#include <stdlib.h>

#include "cedar/revision.h"
#include "cedar/sort.h"

/* From so many on, each that is gathered is looked up among those before. */
enum { ROOM_FIRST = 16, ROOM_MAX = 1 << 30, LOOKED_UP_FROM = 4096 };

enum state { STATE_NEW = 0, STATE_OPEN, STATE_LEFT };

/* A step of the walk: enter an entity, or leave it. */
struct step {
	const struct cedar_uid *uid;
	bool leaves;
};

struct met {
	const struct cedar_uid *uid; /* of a name or the foundation: cells come and go */
	const struct cell *cell;     /* the revision's when it was entered, or NULL */
	enum state state;
};

/* An ancestor, and what keeps it alive. */
struct forebear {
	struct ancestor ancestor;
	struct name *name;
};

struct descent {
	struct revision *revision;
	struct cedar_error *err;
	struct step *steps; /* a stack */
	uint32_t step_count;
	uint32_t step_capacity;
	struct met *met;
	uint32_t met_count;
	uint32_t met_capacity;
	struct table table; /* uid to index in met */
	uint32_t *left;     /* indexes in met */
	uint32_t left_count;
	uint32_t left_capacity;
	struct forebear *gathered; /* for one entity */
	uint32_t gathered_count;
	uint32_t gathered_capacity;
	struct table taken; /* uid to index in gathered, where they are looked up; or empty */
	bool has_cycle;
	bool is_in_order; /* children are gone through by name, so that a cycle is told alike */
};

/* Room for `more` after count items; NULL without memory, and items stays. */
static void *make_room(void *items, uint32_t count, uint32_t more, uint32_t *capacity, size_t size)
{
	uint32_t larger = *capacity == 0 ? ROOM_FIRST : *capacity;
	void *moved;

	if (count + (uint64_t)more > ROOM_MAX)
		return NULL;
	while (larger < count + more)
		larger *= 2;
	if (larger == *capacity)
		return items;
	moved = realloc(items, larger * size);
	if (moved != NULL)
		*capacity = larger;
	return moved;
}

static bool push(struct descent *descent, const struct cedar_uid *uid, bool leaves)
{
	struct step *steps = make_room(
		descent->steps, descent->step_count, 1, &descent->step_capacity, sizeof *steps);

	if (steps == NULL)
		return cedar_fail_memory(descent->err);
	descent->steps = steps;
	steps[descent->step_count++] = (struct step){uid, leaves};
	return true;
}

/* Who was met with that uid; met now if need be.  NULL without memory. */
static struct met *meet(struct descent *descent, const struct cedar_uid *uid)
{
	struct table_cursor cursor = table_start(&descent->table, cedar_uid_hash(uid));
	struct met *met;
	uint32_t position;

	while (table_next(&descent->table, &cursor, &position)) {
		assert(descent->met != NULL);
		if (uid_equal(descent->met[position].uid, uid))
			return &descent->met[position];
	}
	met = make_room(descent->met, descent->met_count, 1, &descent->met_capacity, sizeof *met);
	if (met == NULL)
		return NULL;
	descent->met = met;
	if (!table_reserve(&descent->table, descent->met_count + 1))
		return NULL;
	table_put(&descent->table, cedar_uid_hash(uid), descent->met_count);
	met = &met[descent->met_count++];
	*met = (struct met){uid, NULL, STATE_NEW};
	return met;
}

static bool push_name(void *closure, struct trie_item *item)
{
	return push(closure, item->uid, false);
}

/* The children that the foundation lists, as long as they still name the parent. */
static bool push_founded(struct descent *descent, uint32_t index, const struct cedar_uid *parent)
{
	const struct revision *revision = descent->revision;
	const struct foundation *foundation = revision->foundation;

	for (uint32_t i = foundation->first[index]; i < foundation->first[index + 1]; i++) {
		const struct cedar_uid *uid =
			&foundation->store->nodes[foundation->children[i]].uid;
		const struct cell *cell = revision_find_cell(revision, uid);

		if ((cell == NULL || cell_has_parent(cell, parent)) && !push(descent, uid, false))
			return false;
	}
	return true;
}

static bool push_any_order(
	struct descent *descent, const struct cedar_uid *uid, const struct cell *cell)
{
	const struct revision *revision = descent->revision;
	const struct entity_node *node;

	if (cell != NULL)
		return cell->child_count == 0 ||
		       ((cell->founded_plus_1 == 0 ||
				push_founded(descent, cell->founded_plus_1 - 1, uid)) &&
			       trie_visit(cell->children, push_name, descent));
	node = entities_find_here(revision->foundation->store, uid);
	return node == NULL ||
	       push_founded(descent, (uint32_t)(node - revision->foundation->store->nodes), uid);
}

static int by_name(const void *a, const void *b)
{
	const struct step *left = a, *right = b;

	return cedar_uid_compare(left->uid, right->uid);
}

static bool push_children(
	struct descent *descent, const struct cedar_uid *uid, const struct cell *cell)
{
	uint32_t first = descent->step_count;

	if (!push_any_order(descent, uid, cell))
		return false;
	if (descent->is_in_order)
		sort_items(descent->steps + first, descent->step_count - first,
			sizeof *descent->steps, by_name);
	return true;
}

static bool leave(struct descent *descent, const struct cedar_uid *uid)
{
	struct met *met = meet(descent, uid);
	uint32_t *left = make_room(
		descent->left, descent->left_count, 1, &descent->left_capacity, sizeof *left);

	if (left != NULL)
		descent->left = left;
	if (met == NULL || left == NULL)
		return cedar_fail_memory(descent->err);
	met->state = STATE_LEFT;
	left[descent->left_count++] = (uint32_t)(met - descent->met);
	return true;
}

/* Those entered last are below those before, down from the uid to itself. */
static bool fail_cycle(struct descent *descent, const struct cedar_uid *uid)
{
	size_t at = descent->step_count;

	descent->has_cycle = true;
	entities_fail_cycle(uid, descent->err);
	while (at-- > 0 && !(descent->steps[at].leaves && uid_equal(descent->steps[at].uid, uid))) {
		if (descent->steps[at].leaves &&
			!entities_tell_cycle(descent->steps[at].uid, descent->err))
			break;
	}
	return false;
}

static bool enter(struct descent *descent, const struct cedar_uid *uid)
{
	struct met *met = meet(descent, uid);

	if (met == NULL)
		return cedar_fail_memory(descent->err);
	if (met->state == STATE_LEFT)
		return true;
	if (met->state == STATE_OPEN)
		return fail_cycle(descent, uid);
	met->state = STATE_OPEN;
	met->cell = revision_find_cell(descent->revision, uid);
	return push(descent, uid, true) && push_children(descent, uid, met->cell);
}

static bool walk(struct descent *descent)
{
	while (descent->step_count > 0) {
		struct step step = descent->steps[--descent->step_count];
		bool ok = step.leaves ? leave(descent, step.uid) : enter(descent, step.uid);

		if (!ok)
			return false;
	}
	return true;
}

static int order_forebears(const void *a, const void *b)
{
	const struct forebear *left = a, *right = b;

	return ancestor_order(&left->ancestor, &right->ancestor);
}

/* Sorts what was gathered and leaves each once. */
static void settle_gathered(struct descent *descent)
{
	struct forebear *gathered = descent->gathered;
	uint32_t kept = 0;

	if (descent->gathered_count > 1)
		qsort(gathered, descent->gathered_count, sizeof *gathered, order_forebears);
	for (uint32_t i = 0; i < descent->gathered_count; i++) {
		if (kept == 0 || order_forebears(&gathered[kept - 1], &gathered[i]) != 0)
			gathered[kept++] = gathered[i];
	}
	descent->gathered_count = kept;
}

/* True if it was gathered before, as far as that is looked up. */
static bool is_taken(const struct descent *descent, const struct ancestor *ancestor)
{
	struct table_cursor cursor = table_start(&descent->taken, ancestor->hash);
	uint32_t position;

	while (table_next(&descent->taken, &cursor, &position)) {
		if (uid_equal(descent->gathered[position].ancestor.uid, ancestor->uid))
			return true;
	}
	return false;
}

/* Of several parents with many ancestors nearly all may be the same ones: from here on
 * each is gathered once. */
static bool begin_look_up(struct descent *descent)
{
	settle_gathered(descent);
	if (!table_reserve(&descent->taken, descent->gathered_count))
		return cedar_fail_memory(descent->err);
	for (uint32_t i = 0; i < descent->gathered_count; i++)
		table_put(&descent->taken, descent->gathered[i].ancestor.hash, i);
	return true;
}

static bool gather(struct descent *descent, struct ancestor ancestor, struct name *name)
{
	bool looks_up = descent->taken.slot_count > 0;
	struct forebear *gathered;

	if (looks_up && is_taken(descent, &ancestor))
		return true;
	gathered = make_room(descent->gathered, descent->gathered_count, 1,
		&descent->gathered_capacity, sizeof *gathered);
	if (gathered == NULL)
		return cedar_fail_memory(descent->err);
	descent->gathered = gathered;
	if (looks_up && !table_reserve(&descent->taken, descent->gathered_count + 1))
		return cedar_fail_memory(descent->err);
	if (looks_up)
		table_put(&descent->taken, ancestor.hash, descent->gathered_count);
	gathered[descent->gathered_count++] = (struct forebear){ancestor, name};
	return true;
}

/* The parent and its ancestors; it is a cell or the foundation's (E1). */
static bool gather_parent(struct descent *descent, const struct cedar_uid *uid)
{
	const struct revision *revision = descent->revision;
	const struct cell *cell = revision_find_cell(revision, uid);
	const struct entity_node *node =
		cell != NULL ? &cell->node : entities_find_here(revision->foundation->store, uid);
	struct lineage *lineage = cell == NULL ? NULL : cell->lineage;
	struct ancestor itself = {node->uid.hash, cell != NULL ? &cell->name->uid : &node->uid};

	if (is_taken(descent, &itself)) /* and so are its own */
		return true;
	if (!gather(descent, itself, cell == NULL ? NULL : cell->name))
		return false;
	for (uint32_t i = 0; i < node->ancestor_count; i++) {
		if (!gather(descent, node->ancestors[i],
			    lineage == NULL ? NULL : lineage->names[i]))
			return false;
	}
	return true;
}

static struct lineage *make_lineage(const struct descent *descent)
{
	struct lineage *lineage = lineage_create(descent->gathered_count);

	for (uint32_t i = 0; lineage != NULL && i < lineage->count; i++) {
		const struct forebear *forebear = &descent->gathered[i];

		lineage->list[i] = forebear->ancestor;
		lineage->names[i] = forebear->name;
		if (forebear->name != NULL)
			shared_hold(&forebear->name->item.shared);
	}
	return lineage;
}

/* Its parents have their ancestors. */
static bool renew(struct descent *descent, const struct met *met)
{
	struct lineage *lineage;
	struct cell *cell;

	if (!cell_create(&cell, descent->revision, met->cell, met->uid, descent->err))
		return false;
	descent->gathered_count = 0;
	table_deinit(&descent->taken);
	for (uint32_t i = 0; i < cell->node.parent_count; i++) {
		if (i > 0 && descent->gathered_count >= LOOKED_UP_FROM &&
			descent->taken.slot_count == 0 && !begin_look_up(descent))
			goto fail;
		if (!gather_parent(descent, &cell->node.parents[i]))
			goto fail;
	}
	settle_gathered(descent);
	lineage = make_lineage(descent);
	if (lineage == NULL) {
		cedar_fail_memory(descent->err);
		goto fail;
	}
	cell_set_lineage(cell, lineage);
	return revision_put(descent->revision, cell, descent->err);
fail:
	shared_release(&cell->item.shared);
	return false;
}

static bool walk_all(struct descent *descent, struct name *const *changed, size_t count)
{
	bool ok = true;

	for (size_t i = 0; ok && i < count; i++)
		ok = push(descent, &changed[i]->uid, false) && walk(descent);
	return ok;
}

/* Children lie by their hashes, which are others in each process: which way round the cycle was
 * met must not be told.  Sorting all that is gone through would cost what has none. */
static bool walk_again_in_order(struct descent *descent, struct name *const *changed, size_t count)
{
	descent->is_in_order = true;
	descent->step_count = descent->met_count = descent->left_count = 0;
	table_deinit(&descent->table);
	descent->table = (struct table){0};
	return walk_all(descent, changed, count);
}

bool revision_descend(struct revision *revision, struct name *const *changed, size_t count,
	struct cedar_error *err)
{
	struct descent descent = {.revision = revision, .err = err};
	bool ok = walk_all(&descent, changed, count);

	if (!ok && descent.has_cycle)
		ok = walk_again_in_order(&descent, changed, count);
	while (ok && descent.left_count > 0)
		ok = renew(&descent, &descent.met[descent.left[--descent.left_count]]);
	table_deinit(&descent.table);
	table_deinit(&descent.taken);
	free(descent.steps);
	free(descent.met);
	free(descent.left);
	free(descent.gathered);
	return ok;
}
