/* Revisions: what a store was when it was sealed, and a trie of cells for what has
 * changed since.  A revision is a store without nodes of its own (entities.c asks here
 * instead of its table), so deciding reads it as it reads any other.
 *
 * R1 a cell in the trie hides the foundation's node with its uid, also when it is
 *    absent; an absent one that is nobody's parent is kept only to hide one;
 * R2 a revision that was handed out never changes; what it shares with others is
 *    counted, and goes with the last of them;
 * R3 whoever names a parent is in the foundation's list of its children or in its
 *    cell's, never in both, and child_count says how many do. */
#include "cedar/revision.h"

#include <assert.h>
#include <stdlib.h>

/* Ancestors of all changed entities of a revision. */
static const uint64_t ANCESTORS_MAX = CEDAR_REVISION_ANCESTORS_MAX;

static void destroy_foundation(struct shared *shared)
{
	struct foundation *foundation = (struct foundation *)shared;

	cedar_entities_destroy(&foundation->store);
	free(foundation->first);
	free(foundation->children);
	free(foundation);
}

static void destroy_revision(struct shared *shared)
{
	struct revision *revision = (struct revision *)shared;

	shared_release(revision->cells);
	shared_release(&revision->foundation->shared);
	free(revision);
}

struct revision *revision_create(const struct revision *before, struct foundation *foundation)
{
	struct revision *revision = calloc(1, sizeof *revision);

	if (revision == NULL)
		return NULL;
	shared_init(&revision->shared, destroy_revision);
	revision->foundation = foundation;
	revision->entities.is_sealed = true;
	revision->entities.revision = revision;
	revision->entities.present_count = foundation->store->present_count;
	if (before != NULL) {
		revision->entities.present_count = before->entities.present_count;
		revision->cells = before->cells;
		revision->ancestor_count = before->ancestor_count;
	}
	shared_hold(revision->cells);
	shared_hold(&foundation->shared);
	return revision;
}

struct cell *revision_find_cell(const struct revision *revision, const struct cedar_uid *uid)
{
	return (struct cell *)trie_find(revision->cells, uid);
}

struct entity_node *revision_find(const struct revision *revision, const struct cedar_uid *uid)
{
	struct cell *cell = revision_find_cell(revision, uid);

	return cell != NULL ? &cell->node : entities_find_here(revision->foundation->store, uid);
}

struct visiting {
	bool (*visit)(void *closure, const struct entity_node *node);
	void *closure;
};

static bool visit_cell(void *closure, struct trie_item *item)
{
	const struct visiting *visiting = closure;
	const struct cell *cell = (const struct cell *)item;

	return cell->founded_plus_1 != 0 || visiting->visit(visiting->closure, &cell->node);
}

void revision_visit(const struct revision *revision,
	bool (*visit)(void *closure, const struct entity_node *node), void *closure)
{
	const struct cedar_entities *store = revision->foundation->store;
	struct visiting visiting = {visit, closure};

	for (uint32_t i = 0; i < store->count; i++) {
		const struct cell *cell = revision_find_cell(revision, &store->nodes[i].uid);

		if (!visit(closure, cell == NULL ? &store->nodes[i] : &cell->node))
			return;
	}
	trie_visit(revision->cells, visit_cell, &visiting);
}

/* Absent, nobody's parent, and nothing to hide (R1). */
static bool is_idle(const struct cell *cell)
{
	return !cell->node.is_present && cell->child_count == 0 && cell->founded_plus_1 == 0;
}

static bool check_limits(const struct revision *revision, uint64_t present, uint64_t ancestors,
	struct cedar_error *err)
{
	const struct cedar_entities *store = revision->foundation->store;

	if (present > store->entities_max)
		return cedar_fail(
			err, CEDAR_ERROR_LIMIT, "more than %u entities", store->entities_max);
	if (ancestors > revision->foundation->ancestors_max)
		return cedar_fail(err, CEDAR_ERROR_LIMIT,
			"more than %llu ancestors of changed entities",
			(unsigned long long)revision->foundation->ancestors_max);
	return true;
}

bool revision_put(struct revision *revision, struct cell *cell, struct cedar_error *err)
{
	uint32_t present = revision->entities.present_count;
	uint64_t ancestors = revision->ancestor_count;

	present -= cell->replaced_is_present;
	present += cell->node.is_present;
	ancestors -= cell->replaced_ancestors;
	ancestors += !is_idle(cell) && cell->lineage != NULL ? cell->lineage->count : 0;
	if (!check_limits(revision, present, ancestors, err))
		goto fail;
	if (is_idle(cell) ? !trie_remove(&revision->cells, &cell->name->uid)
			  : !trie_put(&revision->cells, &cell->item)) {
		cedar_fail_memory(err);
		goto fail;
	}
	if (is_idle(cell))
		shared_release(&cell->item.shared);
	revision->entities.present_count = present;
	revision->ancestor_count = ancestors;
	return true;
fail:
	shared_release(&cell->item.shared);
	return false;
}

/* The parent's index for each time that a node names one, in the order of naming. */
static void look_up_parents(const struct cedar_entities *store, uint32_t *parents)
{
	size_t at = 0;

	for (uint32_t i = 0; i < store->count; i++) {
		for (uint32_t p = 0; p < store->nodes[i].parent_count; p++) {
			const struct entity_node *parent =
				entities_find_here(store, &store->nodes[i].parents[p]);

			parents[at++] = (uint32_t)(parent - store->nodes); /* E1 */
		}
	}
}

/* Sorts the children by parent: first[i + 1] has grown from the start of parent i's to
 * their end when all are placed. */
static void place_children(struct foundation *foundation, const uint32_t *parents, size_t edges)
{
	const struct cedar_entities *store = foundation->store;
	uint32_t *starts = foundation->first + 1;
	uint32_t start = 0;
	size_t at = 0;

	for (size_t i = 0; i < edges; i++)
		starts[parents[i]]++;
	for (uint32_t i = 0; i < store->count; i++) {
		uint32_t count = starts[i];

		starts[i] = start;
		start += count;
	}
	for (uint32_t i = 0; i < store->count; i++) {
		for (uint32_t p = 0; p < store->nodes[i].parent_count; p++)
			foundation->children[starts[parents[at++]]++] = i;
	}
}

/* A child that names its parent twice stands there twice in a row. */
static void drop_repeated(struct foundation *foundation)
{
	uint32_t kept = 0, at = 0;

	for (uint32_t i = 0; i < foundation->store->count; i++) {
		uint32_t first = kept;

		for (; at < foundation->first[i + 1]; at++) {
			uint32_t child = foundation->children[at];

			if (kept == first || foundation->children[kept - 1] != child)
				foundation->children[kept++] = child;
		}
		foundation->first[i + 1] = kept;
	}
}

static bool list_children(struct foundation *foundation, struct cedar_error *err)
{
	size_t edges = entities_count_parents(foundation->store);
	uint32_t *parents = calloc(edges + 1, sizeof *parents);

	foundation->first = calloc((size_t)foundation->store->count + 1, sizeof *foundation->first);
	foundation->children = calloc(edges + 1, sizeof *foundation->children);
	if (parents == NULL || foundation->first == NULL || foundation->children == NULL) {
		free(parents);
		return cedar_fail_memory(err);
	}
	look_up_parents(foundation->store, parents);
	place_children(foundation, parents, edges);
	drop_repeated(foundation);
	free(parents);
	return true;
}

bool cedar_revision_first(
	const struct cedar_entities **out, struct cedar_entities **sealed, struct cedar_error *err)
{
	struct foundation *foundation = calloc(1, sizeof *foundation);
	struct revision *revision;

	*out = NULL;
	assert((*sealed)->is_sealed && (*sealed)->revision == NULL && (*sealed)->below == NULL);
	if (foundation == NULL)
		return cedar_fail_memory(err);
	shared_init(&foundation->shared, destroy_foundation);
	foundation->ancestors_max = ANCESTORS_MAX;
	foundation->store = *sealed;
	revision = list_children(foundation, err) ? revision_create(NULL, foundation) : NULL;
	if (revision == NULL) {
		foundation->store = NULL; /* still the caller's */
		shared_release(&foundation->shared);
		return cedar_fail_memory(err);
	}
	shared_release(&foundation->shared);
	*sealed = NULL;
	*out = &revision->entities;
	return true;
}

const struct cedar_entities *cedar_revision_hold(const struct cedar_entities *revision)
{
	shared_hold(&revision->revision->shared);
	return revision;
}

void cedar_revision_release(const struct cedar_entities **revision)
{
	if (*revision != NULL)
		shared_release(&(*revision)->revision->shared);
	*revision = NULL;
}
