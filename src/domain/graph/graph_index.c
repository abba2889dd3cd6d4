/* Open addressing, one step at a time; at most three of four slots are taken.  Removing
 * moves back what follows, so there are no marks to skip. */
#include "domain/graph/graph_index.h"

#include <assert.h>
#include <stdlib.h>

enum { SLOTS_MIN = 64 };

void graph_index_deinit(struct graph_index *index)
{
	free(index->slots);
	*index = (struct graph_index){0};
}

uint32_t graph_index_find(const struct graph_index *index, const struct graph_index_rules *rules,
	const void *owner, uint32_t hash, const void *key)
{
	uint32_t mask = index->capacity - 1;

	if (index->capacity == 0)
		return 0;
	for (uint32_t at = hash & mask; index->slots[at] != 0; at = (at + 1) & mask)
		if (rules->is(owner, index->slots[at], key))
			return index->slots[at];
	return 0;
}

static void place(struct graph_index *index, uint32_t hash, uint32_t number)
{
	uint32_t mask = index->capacity - 1;
	uint32_t at = hash & mask;

	while (index->slots[at] != 0)
		at = (at + 1) & mask;
	index->slots[at] = number;
}

static bool grow(
	struct graph_index *index, const struct graph_index_rules *rules, const void *owner)
{
	struct graph_index grown = {.capacity = SLOTS_MIN};

	if (index->capacity > 0)
		grown.capacity = index->capacity * 2;
	grown.slots = calloc(grown.capacity, sizeof *grown.slots);
	if (grown.slots == NULL)
		return false;
	for (uint32_t at = 0; at < index->capacity; at++)
		if (index->slots[at] != 0)
			place(&grown, rules->hash_of(owner, index->slots[at]), index->slots[at]);
	grown.count = index->count;
	free(index->slots);
	*index = grown;
	return true;
}

bool graph_index_add(struct graph_index *index, const struct graph_index_rules *rules,
	const void *owner, uint32_t number)
{
	if ((uint64_t)index->count * 4 >= (uint64_t)index->capacity * 3 &&
		!grow(index, rules, owner))
		return false;
	place(index, rules->hash_of(owner, number), number);
	index->count++;
	return true;
}

/* What stands behind the hole and would be looked for before it moves into it. */
static void close_hole(struct graph_index *index, const struct graph_index_rules *rules,
	const void *owner, uint32_t hole)
{
	uint32_t mask = index->capacity - 1;

	for (uint32_t at = (hole + 1) & mask; index->slots[at] != 0; at = (at + 1) & mask) {
		uint32_t home = rules->hash_of(owner, index->slots[at]) & mask;

		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		index->slots[hole] = index->slots[at];
		index->slots[at] = 0;
		hole = at;
	}
}

void graph_index_remove(struct graph_index *index, const struct graph_index_rules *rules,
	const void *owner, uint32_t number)
{
	uint32_t mask = index->capacity - 1;
	uint32_t at = rules->hash_of(owner, number) & mask;

	while (index->slots[at] != number) {
		assert(index->slots[at] != 0);
		at = (at + 1) & mask;
	}
	index->slots[at] = 0;
	index->count--;
	close_hole(index, rules, owner, at);
}

size_t graph_index_bytes(const struct graph_index *index)
{
	return index->capacity * sizeof *index->slots;
}
