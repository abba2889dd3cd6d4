/* A chained hash table of counters.  Names are ids of tasks, which are ours and
 * random, and of identities, which people registered: nobody outside chooses
 * collisions.
 *
 * Invariant: a share in the table holds at least one. */
#include "services/call/share.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct share {
	struct share *next;
	struct share **link;
	size_t held;
	struct text name;
	char bytes[];
};

struct share_table {
	struct share **slots;
	size_t slots_count; /* a power of two */
	size_t count;
};

bool share_table_create(struct share_table **out, size_t slots, struct error *err)
{
	struct share_table *table = calloc(1, sizeof *table);

	*out = NULL;
	if (table != NULL) {
		table->slots_count = 1;
		while (table->slots_count < slots)
			table->slots_count *= 2;
		table->slots = calloc(table->slots_count, sizeof(struct share *));
	}
	if (table == NULL || table->slots == NULL) {
		share_table_destroy(&table);
		return error_set(err, ERROR_LIMIT, "no memory for shares");
	}
	*out = table;
	return true;
}

void share_table_destroy(struct share_table **table)
{
	if (*table == NULL)
		return;
	for (size_t i = 0; (*table)->slots != NULL && i < (*table)->slots_count; i++) {
		struct share *share = (*table)->slots[i];

		while (share != NULL) {
			struct share *next = share->next;

			free(share);
			share = next;
		}
	}
	free((*table)->slots);
	free(*table);
	*table = NULL;
}

/* FNV-1a. */
static struct share **slot_of(const struct share_table *table, struct text name)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < name.length; i++)
		hash = (hash ^ (unsigned char)name.data[i]) * 0x100000001b3u;
	hash ^= hash >> 29;
	return &table->slots[hash & (table->slots_count - 1)];
}

static struct share *share_create(struct share_table *table, struct share **slot, struct text name)
{
	struct share *share = calloc(1, sizeof *share + name.length + 1);

	if (share == NULL)
		return NULL;
	memcpy(share->bytes, name.data, name.length);
	share->name = (struct text){share->bytes, name.length};
	share->next = *slot;
	share->link = slot;
	if (share->next != NULL)
		share->next->link = &share->next;
	*slot = share;
	table->count++;
	return share;
}

bool share_take(struct share **out, struct share_table *table, struct text name, size_t share_max,
	struct error *err)
{
	struct share **slot = slot_of(table, name);
	struct share *share = *slot;

	*out = NULL;
	while (share != NULL && !text_equal(share->name, name))
		share = share->next;
	if ((share == NULL ? 0 : share->held) >= share_max)
		return error_set(err, ERROR_LIMIT, "%zu calls of %.*s are in flight already",
			share_max, TEXT_ARGS(name));
	if (share == NULL)
		share = share_create(table, slot, name);
	if (share == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a call");
	share->held++;
	*out = share;
	return true;
}

void share_give(struct share_table *table, struct share **share)
{
	struct share *given = *share;

	*share = NULL;
	if (given == NULL)
		return;
	assert(given->held > 0);
	if (--given->held > 0)
		return;
	*given->link = given->next;
	if (given->next != NULL)
		given->next->link = given->link;
	free(given);
	table->count--;
}

size_t share_table_count(const struct share_table *table)
{
	return table->count;
}
