#ifndef CEDAR_TABLE_H
#define CEDAR_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"

/* position + 1 is stored: 0 marks a free slot. */
struct table_slot {
	uint64_t hash;
	uint32_t position_plus_1;
};

/* A hash index from 64-bit hashes to positions in an array kept elsewhere.  It
 * holds hashes only: the caller confirms each candidate.  {0} is empty. */
struct table {
	struct table_slot *slots; /* a power of two of them, at most half used */
	uint32_t slot_count;
	uint32_t used;
	struct arena *arena; /* where slots live; NULL: on the heap, freed by deinit */
};

void table_deinit(struct table *table);
/* Forgets every entry and keeps the room. */
void table_clear(struct table *table);
/* Makes room for count entries in all; false without memory. */
bool table_reserve(struct table *table, uint32_t count) MUST_CHECK;
/* There must be room.  The same hash may be put more than once. */
void table_put(struct table *table, uint64_t hash, uint32_t position);

/* What slot `at` < slot_count holds; false if it is free. */
bool table_slot(const struct table *table, uint32_t at, uint64_t *hash, uint32_t *position);

/* Candidates with that hash, one a call, until false. */
struct table_cursor {
	uint64_t hash;
	uint32_t at;
};
static inline struct table_cursor table_start(const struct table *table, uint64_t hash)
{
	return (struct table_cursor){
		hash, table->slot_count == 0 ? 0 : (uint32_t)hash & (table->slot_count - 1)};
}
static inline bool table_next(
	const struct table *table, struct table_cursor *cursor, uint32_t *position)
{
	if (table->slot_count == 0)
		return false;
	while (table->slots[cursor->at].position_plus_1 != 0) {
		const struct table_slot *slot = &table->slots[cursor->at];

		cursor->at = (cursor->at + 1) & (table->slot_count - 1);
		if (slot->hash == cursor->hash) {
			*position = slot->position_plus_1 - 1;
			return true;
		}
	}
	return false;
}

#endif
