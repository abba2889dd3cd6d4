/* A hash array mapped trie.  Each level takes five bits of the hash; a branch has a
 * slot for each value that occurs, which holds an item or the next branch.  Below the
 * last bit equal hashes are one branch that is searched.
 *
 * T1 a branch that several hold never changes: it is copied, and its holder changes
 *    the copy.  A branch is one's own if each branch above it is;
 * T2 no branch is empty, and none holds one item alone. */
#include "cedar/trie.h"

#include <stdlib.h>

enum { LEVEL_BITS = 5, LEVEL_MASK = (1 << LEVEL_BITS) - 1, HASH_BITS = 64 };
enum { LEVELS_MAX = HASH_BITS / LEVEL_BITS + 3 }; /* branches, one of equal hashes, an item */

struct branch {
	struct shared shared;
	uint32_t bitmap; /* of the values that occur; not of equal hashes */
	uint32_t count;
	struct shared *slots[];
};

void shared_init(struct shared *shared, void (*destroy)(struct shared *shared))
{
	atomic_init(&shared->holders, 1);
	shared->is_branch = false;
	shared->destroy = destroy;
}

void shared_hold(struct shared *shared)
{
	if (shared != NULL)
		atomic_fetch_add_explicit(&shared->holders, 1, memory_order_relaxed);
}

void shared_release(struct shared *shared)
{
	if (shared != NULL &&
		atomic_fetch_sub_explicit(&shared->holders, 1, memory_order_acq_rel) == 1)
		shared->destroy(shared);
}

static struct trie_item *item_of(struct shared *slot)
{
	return (struct trie_item *)slot;
}

static struct branch *branch_of(struct shared *slot)
{
	return (struct branch *)slot;
}

static void destroy_branch(struct shared *shared)
{
	struct branch *branch = branch_of(shared);

	for (uint32_t i = 0; i < branch->count; i++)
		shared_release(branch->slots[i]);
	free(branch);
}

static struct branch *branch_create(uint32_t slots)
{
	struct branch *branch = calloc(1, sizeof *branch + slots * sizeof branch->slots[0]);

	if (branch == NULL)
		return NULL;
	shared_init(&branch->shared, destroy_branch);
	branch->shared.is_branch = true;
	return branch;
}

static uint32_t count_bits(uint32_t bits)
{
	bits -= bits >> 1 & 0x55555555U;
	bits = (bits & 0x33333333U) + (bits >> 2 & 0x33333333U);
	bits = (bits + (bits >> 4)) & 0x0f0f0f0fU;
	return bits * 0x01010101U >> 24;
}

/* The slot for a uid at a level, or where it would be; *has says which. */
static uint32_t find_slot(
	const struct branch *branch, const struct cedar_uid *uid, unsigned shift, bool *has)
{
	uint32_t bit;

	if (shift < HASH_BITS) {
		bit = 1U << (cedar_uid_hash(uid) >> shift & LEVEL_MASK);
		*has = (branch->bitmap & bit) != 0;
		return count_bits(branch->bitmap & (bit - 1));
	}
	for (uint32_t i = 0; i < branch->count; i++) {
		*has = uid_equal(item_of(branch->slots[i])->uid, uid);
		if (*has)
			return i;
	}
	*has = false;
	return branch->count;
}

struct trie_item *trie_find(struct shared *root, const struct cedar_uid *uid)
{
	bool has = true;

	for (unsigned shift = 0; root != NULL && root->is_branch; shift += LEVEL_BITS) {
		uint32_t slot = find_slot(branch_of(root), uid, shift, &has);

		if (!has)
			return NULL;
		root = branch_of(root)->slots[slot];
	}
	return root != NULL && uid_equal(item_of(root)->uid, uid) ? item_of(root) : NULL;
}

/* The branch at place, which its holder may change from now on (T1). */
static struct branch *own_branch(struct shared **place)
{
	struct branch *branch = branch_of(*place), *copy;

	if (atomic_load_explicit(&branch->shared.holders, memory_order_acquire) == 1)
		return branch;
	copy = branch_create(branch->count);
	if (copy == NULL)
		return NULL;
	copy->bitmap = branch->bitmap;
	copy->count = branch->count;
	for (uint32_t i = 0; i < branch->count; i++) {
		copy->slots[i] = branch->slots[i];
		shared_hold(copy->slots[i]);
	}
	shared_release(&branch->shared);
	*place = &copy->shared;
	return copy;
}

/* The item at place becomes a branch that holds it. */
static bool split_item(struct shared **place, unsigned shift)
{
	struct branch *branch = branch_create(1);

	if (branch == NULL)
		return false;
	if (shift < HASH_BITS)
		branch->bitmap = 1U << (cedar_uid_hash(item_of(*place)->uid) >> shift & LEVEL_MASK);
	branch->slots[0] = *place;
	branch->count = 1;
	*place = &branch->shared;
	return true;
}

/* A new slot in the branch at place, which is its holder's own. */
static bool insert_slot(
	struct shared **place, uint32_t slot, unsigned shift, struct trie_item *item)
{
	struct branch *small = branch_of(*place);
	size_t bytes = sizeof *small + (small->count + (size_t)1) * sizeof small->slots[0];
	struct branch *branch = realloc(small, bytes);

	if (branch == NULL)
		return false; /* the holder still has the small one */
	*place = &branch->shared;
	memmove(&branch->slots[slot + 1], &branch->slots[slot],
		(branch->count - slot) * sizeof branch->slots[0]);
	branch->slots[slot] = &item->shared;
	branch->count++;
	if (shift < HASH_BITS)
		branch->bitmap |= 1U << (cedar_uid_hash(item->uid) >> shift & LEVEL_MASK);
	return true;
}

static bool replace_item(struct shared **place, struct trie_item *item)
{
	shared_release(*place);
	*place = &item->shared;
	return true;
}

static void remove_slot(
	struct branch *branch, uint32_t slot, unsigned shift, const struct cedar_uid *uid)
{
	branch->count--;
	memmove(&branch->slots[slot], &branch->slots[slot + 1],
		(branch->count - slot) * sizeof branch->slots[0]);
	if (shift < HASH_BITS)
		branch->bitmap &= ~(1U << (cedar_uid_hash(uid) >> shift & LEVEL_MASK));
}

/* T2 for the branch at place; what its split made alone is an item again. */
static void fold(struct shared **place)
{
	struct branch *branch = branch_of(*place);

	if (branch->count == 1 && !branch->slots[0]->is_branch) {
		*place = branch->slots[0];
		free(branch);
	} else if (branch->count == 0) {
		*place = NULL;
		free(branch);
	}
}

bool trie_put(struct shared **root, struct trie_item *item)
{
	struct shared **place = root;
	bool has;

	for (unsigned shift = 0; *place != NULL; shift += LEVEL_BITS) {
		struct branch *branch;
		uint32_t slot;

		if (!(*place)->is_branch && uid_equal(item_of(*place)->uid, item->uid))
			return replace_item(place, item);
		if (!(*place)->is_branch && !split_item(place, shift))
			return false;
		branch = own_branch(place);
		if (branch == NULL)
			return false;
		slot = find_slot(branch, item->uid, shift, &has);
		if (!has)
			return insert_slot(place, slot, shift, item);
		place = &branch->slots[slot];
	}
	*place = &item->shared;
	return true;
}

bool trie_remove(struct shared **root, const struct cedar_uid *uid)
{
	struct shared **places[LEVELS_MAX] = {root};
	uint32_t slot = 0;
	unsigned depth = 0;
	bool has;

	if (trie_find(*root, uid) == NULL)
		return true;
	for (; (*places[depth])->is_branch; depth++) {
		struct branch *branch = own_branch(places[depth]);

		if (branch == NULL)
			return false;
		slot = find_slot(branch, uid, depth * LEVEL_BITS, &has);
		places[depth + 1] = &branch->slots[slot];
	}
	shared_release(*places[depth]);
	*places[depth] = NULL;
	if (depth > 0)
		remove_slot(branch_of(*places[depth - 1]), slot, (depth - 1) * LEVEL_BITS, uid);
	while (depth-- > 0)
		fold(places[depth]);
	return true;
}

bool trie_visit(
	struct shared *root, bool (*visit)(void *closure, struct trie_item *item), void *closure)
{
	if (root == NULL)
		return true;
	if (!root->is_branch)
		return visit(closure, item_of(root));
	for (uint32_t i = 0; i < branch_of(root)->count; i++) {
		if (!trie_visit(branch_of(root)->slots[i], visit, closure))
			return false;
	}
	return true;
}
