/* Open addressing in 64 shares by the key's highest bits, so that growing moves a sixty-fourth
 * of the items at a time. */
#include "services/inventory/index.h"

#include <assert.h>
#include <stdlib.h>

enum { SHARE_FIRST = 64, SHARE_SHIFT = 58 };

struct share {
	struct inventory_index_entry *slots;
	size_t capacity; /* a power of two, or 0 */
	size_t used;
};

struct inventory_index {
	struct share shares[INVENTORY_INDEX_SHARES];
	uint64_t items;
};

struct inventory_index *inventory_index_create(void)
{
	return calloc(1, sizeof(struct inventory_index));
}

void inventory_index_destroy(struct inventory_index **index)
{
	if (*index == NULL)
		return;
	for (size_t i = 0; i < INVENTORY_INDEX_SHARES; i++)
		free((*index)->shares[i].slots);
	free(*index);
	*index = NULL;
}

uint64_t inventory_index_key(const uint8_t key[SIPHASH_KEY_BYTES], struct text item_key)
{
	struct siphash hash = siphash_of(key, item_key.data, item_key.length);

	return hash.low == 0 ? 1 : hash.low;
}

uint32_t inventory_index_digest(const uint8_t key[SIPHASH_KEY_BYTES], struct text line)
{
	return (uint32_t)siphash_of(key, line.data, line.length).high;
}

/* Its slot, or the free one where it would be.  The share has one. */
static struct inventory_index_entry *slot_of(const struct share *share, uint64_t key)
{
	size_t at = (size_t)key & (share->capacity - 1);

	while (share->slots[at].key != 0 && share->slots[at].key != key)
		at = (at + 1) & (share->capacity - 1);
	return &share->slots[at];
}

struct inventory_index_entry *inventory_index_find(
	const struct inventory_index *index, uint64_t key)
{
	const struct share *share = &index->shares[key >> SHARE_SHIFT];
	struct inventory_index_entry *slot;

	if (share->capacity == 0)
		return NULL;
	slot = slot_of(share, key);
	return slot->key == 0 ? NULL : slot;
}

static bool grow(struct share *share)
{
	struct inventory_index_entry *old = share->slots;
	size_t had = share->capacity;
	size_t capacity = had == 0 ? SHARE_FIRST : 2 * had;
	struct inventory_index_entry *slots;

	if (had > 0 && 4 * (share->used + 1) <= 3 * had)
		return true;
	slots = calloc(capacity, sizeof *slots);
	if (slots == NULL)
		return false;
	share->slots = slots;
	share->capacity = capacity;
	for (size_t i = 0; i < had; i++)
		if (old[i].key != 0)
			*slot_of(share, old[i].key) = old[i];
	free(old);
	return true;
}

struct inventory_index_entry *inventory_index_put(struct inventory_index *index, uint64_t key)
{
	struct share *share = &index->shares[key >> SHARE_SHIFT];
	struct inventory_index_entry *slot;

	assert(key != 0);
	if (!grow(share))
		return NULL;
	slot = slot_of(share, key);
	assert(slot->key == 0);
	slot->key = key;
	share->used++;
	return slot;
}

uint64_t inventory_index_count(const struct inventory_index *index)
{
	return index->items;
}

void inventory_index_counted(struct inventory_index *index)
{
	index->items++;
}

void inventory_index_each(const struct inventory_index *index, size_t share,
	bool (*visit)(void *context, const struct inventory_index_entry *entry), void *context)
{
	const struct share *one = &index->shares[share];

	for (size_t i = 0; i < one->capacity; i++)
		if (one->slots[i].key != 0 && !visit(context, &one->slots[i]))
			return;
}
