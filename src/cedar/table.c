/* Open addressing with linear probing, at most half full, so that a probe for
 * what is absent ends soon. */
#include "cedar/table.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_FIRST = 16, ENTRIES_MAX = 1 << 30 };

void table_deinit(struct table *table)
{
	if (table->arena == NULL)
		free(table->slots);
	*table = (struct table){0};
}

void table_clear(struct table *table)
{
	if (table->slot_count > 0)
		memset(table->slots, 0, table->slot_count * sizeof *table->slots);
	table->used = 0;
}

static void place(struct table *table, uint64_t hash, uint32_t position_plus_1)
{
	uint32_t at = (uint32_t)hash & (table->slot_count - 1);

	while (table->slots[at].position_plus_1 != 0)
		at = (at + 1) & (table->slot_count - 1);
	table->slots[at] = (struct table_slot){hash, position_plus_1};
}

bool table_reserve(struct table *table, uint32_t count)
{
	struct table larger = *table;
	uint32_t wanted = SLOTS_FIRST;

	if (count > ENTRIES_MAX)
		return false;
	while (wanted / 2 < count)
		wanted *= 2;
	if (wanted <= table->slot_count)
		return true;
	larger.slot_count = wanted;
	larger.slots = table->arena == NULL ? calloc(wanted, sizeof *larger.slots)
					    : arena_array(table->arena, struct table_slot, wanted);
	if (larger.slots == NULL)
		return false;
	for (uint32_t i = 0; i < table->slot_count; i++) {
		if (table->slots[i].position_plus_1 != 0)
			place(&larger, table->slots[i].hash, table->slots[i].position_plus_1);
	}
	if (table->arena == NULL)
		free(table->slots);
	*table = larger;
	return true;
}

void table_put(struct table *table, uint64_t hash, uint32_t position)
{
	place(table, hash, position + 1);
	table->used++;
}

bool table_slot(const struct table *table, uint32_t at, uint64_t *hash, uint32_t *position)
{
	const struct table_slot *slot = &table->slots[at];

	*hash = slot->hash;
	*position = slot->position_plus_1 - 1;
	return slot->position_plus_1 != 0;
}
