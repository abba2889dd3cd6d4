/* Making a revision out of another: each change puts one cell, and moves its entity
 * between the children of the parents it left and of those it has now; whoever's
 * parents changed, and all below, get their ancestors anew at the end.  Until then
 * nobody else sees the revision, so that whatever fails drops it whole. */
#include <assert.h>
#include <stdlib.h>

#include "cedar/revision.h"

struct changing {
	struct revision *next;
	struct name **moved; /* whose parents changed; held */
	size_t moved_count;
	struct cedar_error *err;
};

/* The parents of an entity, sorted, each once; borrowed. */
struct parents {
	const struct cedar_uid **list;
	size_t count;
};

static int order_parents(const void *a, const void *b)
{
	const struct cedar_uid *const *left = a, *const *right = b;

	return cedar_uid_compare(*left, *right);
}

static bool list_parents(
	struct parents *out, const struct entity_node *node, struct cedar_error *err)
{
	size_t count = node == NULL ? 0 : node->parent_count;
	size_t kept = 0;

	out->list = calloc(count + 1, sizeof *out->list);
	if (out->list == NULL)
		return cedar_fail_memory(err);
	for (size_t i = 0; i < count; i++)
		out->list[i] = &node->parents[i];
	if (count > 1)
		qsort((void *)out->list, count, sizeof *out->list, order_parents);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || !uid_equal(out->list[kept - 1], out->list[i]))
			out->list[kept++] = out->list[i];
	}
	out->count = kept;
	return true;
}

static bool has_parent(const struct parents *parents, const struct cedar_uid *uid)
{
	return parents->count > 0 &&
	       bsearch((const void *)&uid, (const void *)parents->list, parents->count,
		       sizeof *parents->list, order_parents) != NULL;
}

enum side { SIDE_LEFT = 0, SIDE_JOINED };

/* One child more or less; is_founded: the foundation lists it (R3). */
static bool move_child(struct changing *changing, const struct cedar_uid *parent,
	struct name *child, enum side side, bool is_founded)
{
	struct cell *cell;
	bool ok = true;

	if (!cell_create(&cell, changing->next, revision_find_cell(changing->next, parent), parent,
		    changing->err))
		return false;
	if (side == SIDE_JOINED) {
		cell->child_count++;
		shared_hold(&child->item.shared);
		ok = !is_founded && trie_put(&cell->children, &child->item);
		if (!ok)
			shared_release(&child->item.shared);
	} else {
		cell->child_count--;
		ok = !is_founded && trie_remove(&cell->children, &child->uid);
	}
	cell->node.is_parent = cell->child_count > 0;
	if (ok || is_founded)
		return revision_put(changing->next, cell, changing->err);
	shared_release(&cell->item.shared);
	return cedar_fail_memory(changing->err);
}

/* Of an entity before and after its change, and in the foundation. */
struct moving {
	struct parents before;
	struct parents after;
	struct parents founded;
};

/* Walks both sorted lists. */
static bool move_child_between(
	struct changing *changing, struct name *child, const struct moving *moving, bool *has_moved)
{
	const struct parents *before = &moving->before, *after = &moving->after;
	size_t b = 0, a = 0;

	while (b < before->count || a < after->count) {
		int order = b == before->count ? 1
			    : a == after->count
				    ? -1
				    : cedar_uid_compare(before->list[b], after->list[a]);
		const struct cedar_uid *parent = order > 0 ? after->list[a] : before->list[b];

		b += order <= 0;
		a += order >= 0;
		if (order == 0)
			continue;
		*has_moved = true;
		if (!move_child(changing, parent, child, order > 0 ? SIDE_JOINED : SIDE_LEFT,
			    has_parent(&moving->founded, parent)))
			return false;
	}
	return true;
}

/* Puts the cell with its record (NULL: absent) and takes both over. */
static bool put_record(
	struct changing *changing, struct cell *cell, struct record *record, struct moving *moving)
{
	const struct cedar_entities *store = changing->next->foundation->store;
	const struct entity_node *founded =
		cell->founded_plus_1 == 0 ? NULL : &store->nodes[cell->founded_plus_1 - 1];
	bool ok = list_parents(&moving->before, &cell->node, changing->err);

	cell_set_record(cell, record);
	if (ok && list_parents(&moving->after, &cell->node, changing->err) &&
		list_parents(&moving->founded, founded, changing->err))
		return revision_put(changing->next, cell, changing->err);
	shared_release(&cell->item.shared);
	return false;
}

static bool replace(struct changing *changing, struct cell *cell, struct record *record)
{
	struct record *old = cell->record; /* moving borrows from it */
	struct name *name = cell->name;
	struct moving moving = {.before = {NULL, 0}};
	bool has_moved = false;
	bool ok;

	if (old != NULL)
		shared_hold(&old->shared);
	shared_hold(&name->item.shared);
	ok = put_record(changing, cell, record, &moving) &&
	     move_child_between(changing, name, &moving, &has_moved);
	if (ok && has_moved)
		changing->moved[changing->moved_count++] = name;
	else
		shared_release(&name->item.shared);
	if (old != NULL)
		shared_release(&old->shared);
	free((void *)moving.before.list);
	free((void *)moving.after.list);
	free((void *)moving.founded.list);
	return ok;
}

static bool apply(struct changing *changing, const struct cedar_change *change)
{
	const struct cedar_uid *uid = change->put != NULL ? &change->put->uid : change->remove;
	struct record *record = NULL;
	struct cell *cell;

	if ((change->put == NULL) == (change->remove == NULL))
		return cedar_fail(changing->err, CEDAR_ERROR_INVALID,
			"a change must put or remove one entity");
	if (change->put != NULL && !record_create(&record, change->put, changing->err))
		return false;
	if (cell_create(&cell, changing->next, revision_find_cell(changing->next, uid), uid,
		    changing->err))
		return replace(changing, cell, record);
	if (record != NULL)
		shared_release(&record->shared);
	return false;
}

bool cedar_revision_change(const struct cedar_entities **out, const struct cedar_entities *before,
	const struct cedar_change *changes, size_t count, struct cedar_error *err)
{
	struct changing changing = {.err = err};
	bool ok;

	*out = NULL;
	assert(before->revision != NULL);
	changing.next = revision_create(before->revision, before->revision->foundation);
	changing.moved = calloc(count + 1, sizeof *changing.moved);
	ok = (changing.next != NULL && changing.moved != NULL) || cedar_fail_memory(err);
	for (size_t i = 0; ok && i < count; i++)
		ok = apply(&changing, &changes[i]);
	ok = ok && revision_descend(changing.next, changing.moved, changing.moved_count, err);
	for (size_t i = 0; i < changing.moved_count; i++)
		shared_release(&changing.moved[i]->item.shared);
	free((void *)changing.moved);
	if (ok)
		*out = &changing.next->entities;
	else if (changing.next != NULL)
		shared_release(&changing.next->shared);
	return ok;
}
