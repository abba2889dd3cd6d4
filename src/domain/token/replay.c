/* Entries and owners lie in pools and never move; two open-addressing tables with linear probing
 * find them by digest, and a binary heap has the entries by when they pass.  Keys are digests, so
 * their first bytes are the hash; nobody can aim them at one place without inverting SHA-256.
 *
 * 1. A slot of an index is a pool's number and one, or 0: free; probing stops there.  Taking one
 *    out moves those behind it that would not be found any more.
 * 2. Each note drops REPLAY_DROPS that have passed, and REPLAY_DROPS_FULL at most where there is no
 * room, so none costs what the table holds.
 * 3. Each owner has at least one id, so there are never more owners than ids. */
#include "domain/token/replay.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	struct sha256 key;
	int64_t until_utc_s;
	uint32_t owner; /* its place among the owners; of a free one the next free */
	uint32_t place; /* in the heap */
};

/* How many ids somebody has. */
struct owner {
	struct sha256 name;
	uint32_t count;
	uint32_t next; /* of a free one the next free */
};

struct replay_table {
	struct entry *entries;
	struct owner *owners;
	uint32_t *heap;
	uint32_t *entry_index;
	uint32_t *owner_index;
	size_t slots_count; /* of both indexes: a power of two, at least twice entries_max */
	uint32_t entries_used;
	uint32_t owners_used;
	uint32_t free_entry; /* number and one; 0: none */
	uint32_t free_owner;
	struct replay_bounds bounds;
	size_t count;
};

static bool reserve(struct replay_table *table)
{
	size_t room = table->bounds.entries_max;

	table->entries = calloc(room, sizeof *table->entries);
	table->owners = calloc(room, sizeof *table->owners);
	table->heap = calloc(room, sizeof *table->heap);
	table->entry_index = calloc(table->slots_count, sizeof *table->entry_index);
	table->owner_index = calloc(table->slots_count, sizeof *table->owner_index);
	return table->entries != NULL && table->owners != NULL && table->heap != NULL &&
	       table->entry_index != NULL && table->owner_index != NULL;
}

bool replay_table_create(
	struct replay_table **out, const struct replay_bounds *bounds, struct error *err)
{
	struct replay_table *table = calloc(1, sizeof *table);

	*out = NULL;
	if (table == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for one-time ids");
	table->bounds = *bounds;
	table->slots_count = 4;
	while (table->slots_count / 2 < bounds->entries_max)
		table->slots_count *= 2;
	if (!reserve(table)) {
		replay_table_destroy(&table);
		return error_set(err, ERROR_LIMIT, "no memory for one-time ids");
	}
	*out = table;
	return true;
}

void replay_table_destroy(struct replay_table **table)
{
	if (*table == NULL)
		return;
	free((*table)->entries);
	free((*table)->owners);
	free((*table)->heap);
	free((*table)->entry_index);
	free((*table)->owner_index);
	free(*table);
	*table = NULL;
}

struct sha256 replay_key(struct text issuer, struct text id)
{
	uint64_t length = issuer.length;
	const struct text parts[] = {
		{(const char *)&length, sizeof length},
		issuer,
		id,
	};

	return sha256_of_parts(parts, sizeof parts / sizeof parts[0]);
}

/* ---- the indexes ---- */

static size_t place_of(const struct replay_table *table, const struct sha256 *key)
{
	uint64_t hash = 0;

	memcpy(&hash, key->bytes, sizeof hash);
	return (size_t)hash & (table->slots_count - 1);
}

static const struct sha256 *key_at(
	const struct replay_table *table, const uint32_t *index, size_t at)
{
	uint32_t number = index[at] - 1;

	return index == table->entry_index ? &table->entries[number].key
					   : &table->owners[number].name;
}

/* Where the key stands, or the free slot where it would go. */
static size_t find_slot(
	const struct replay_table *table, const uint32_t *index, const struct sha256 *key)
{
	size_t at = place_of(table, key);

	while (index[at] != 0 && !sha256_equal(key_at(table, index, at), key))
		at = (at + 1) & (table->slots_count - 1);
	return at;
}

/* True if what should stand at home and stands at `at` may go to the hole before it. */
static bool may_go(size_t hole, size_t home, size_t at)
{
	return hole <= at ? home <= hole || home > at : home <= hole && home > at;
}

static void take_out(struct replay_table *table, uint32_t *index, const struct sha256 *key)
{
	size_t hole = find_slot(table, index, key);
	size_t at = hole;

	for (;;) {
		at = (at + 1) & (table->slots_count - 1);
		if (index[at] == 0)
			break;
		if (may_go(hole, place_of(table, key_at(table, index, at)), at)) {
			index[hole] = index[at];
			hole = at;
		}
	}
	index[hole] = 0;
}

/* ---- the heap ---- */

static void put(struct replay_table *table, size_t place, uint32_t number)
{
	table->heap[place] = number;
	table->entries[number].place = (uint32_t)place;
}

static int64_t until_at(const struct replay_table *table, size_t place)
{
	return table->entries[table->heap[place]].until_utc_s;
}

static void sift_up(struct replay_table *table, size_t place, uint32_t number)
{
	while (place > 0 && until_at(table, (place - 1) / 2) > table->entries[number].until_utc_s) {
		put(table, place, table->heap[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	put(table, place, number);
}

static void sift_down(struct replay_table *table, size_t place, uint32_t number)
{
	for (;;) {
		size_t below = 2 * place + 1;

		if (below + 1 < table->count && until_at(table, below + 1) < until_at(table, below))
			below++;
		if (below >= table->count ||
			until_at(table, below) >= table->entries[number].until_utc_s)
			break;
		put(table, place, table->heap[below]);
		place = below;
	}
	put(table, place, number);
}

/* ---- entries ---- */

/* Its number and one; 0: there is none. */
static uint32_t find_entry(const struct replay_table *table, const struct sha256 *key)
{
	return table->entry_index[find_slot(table, table->entry_index, key)];
}

bool replay_is_used(const struct replay_table *table, const struct sha256 *key, int64_t now_utc_s)
{
	uint32_t found = find_entry(table, key);

	return found != 0 && table->entries[found - 1].until_utc_s >= now_utc_s;
}

static void give_back_owner(struct replay_table *table, uint32_t number)
{
	struct owner *owner = &table->owners[number];

	if (--owner->count > 0)
		return;
	take_out(table, table->owner_index, &owner->name);
	owner->next = table->free_owner;
	table->free_owner = number + 1;
}

static void drop_first(struct replay_table *table)
{
	uint32_t number = table->heap[0];
	struct entry *entry = &table->entries[number];

	take_out(table, table->entry_index, &entry->key);
	give_back_owner(table, entry->owner);
	table->count--;
	if (table->count > 0)
		sift_down(table, 0, table->heap[table->count]);
	entry->owner = table->free_entry;
	table->free_entry = number + 1;
}

static void drop_passed(struct replay_table *table, int64_t now_utc_s, unsigned count_max)
{
	while (count_max-- > 0 && table->count > 0 && until_at(table, 0) < now_utc_s)
		drop_first(table);
}

/* The owner's number; one without ids is made. */
static uint32_t owner_of(struct replay_table *table, const struct sha256 *name)
{
	size_t at = find_slot(table, table->owner_index, name);
	uint32_t number = 0;

	if (table->owner_index[at] != 0)
		return table->owner_index[at] - 1;
	number = table->free_owner != 0 ? table->free_owner - 1 : table->owners_used++;
	if (table->free_owner != 0)
		table->free_owner = table->owners[number].next;
	table->owners[number] = (struct owner){.name = *name};
	table->owner_index[at] = number + 1;
	return number;
}

static void add(struct replay_table *table, const struct replay_use *use, const struct sha256 *name)
{
	uint32_t owner = owner_of(table, name);
	uint32_t number = table->free_entry != 0 ? table->free_entry - 1 : table->entries_used++;

	if (table->free_entry != 0)
		table->free_entry = table->entries[number].owner;
	table->entries[number] =
		(struct entry){.key = use->key, .until_utc_s = use->until_utc_s, .owner = owner};
	table->owners[owner].count++;
	table->entry_index[find_slot(table, table->entry_index, &use->key)] = number + 1;
	table->count++;
	sift_up(table, table->count - 1, number);
}

static bool is_full(const struct replay_table *table, const struct sha256 *name, size_t share_max)
{
	uint32_t number = table->owner_index[find_slot(table, table->owner_index, name)];

	return table->count >= table->bounds.entries_max ||
	       (number != 0 && table->owners[number - 1].count >= share_max);
}

static void keep_longer(struct replay_table *table, uint32_t number, int64_t until_utc_s)
{
	struct entry *entry = &table->entries[number];

	if (entry->until_utc_s >= until_utc_s)
		return;
	entry->until_utc_s = until_utc_s;
	sift_down(table, entry->place, number);
}

static bool note(struct replay_table *table, const struct replay_use *use, size_t share_max,
	int64_t now_utc_s, struct error *err)
{
	uint32_t found = find_entry(table, &use->key);
	struct sha256 name;

	if (found != 0) {
		keep_longer(table, found - 1, use->until_utc_s);
		return true;
	}
	if (use->until_utc_s < now_utc_s || use->until_utc_s <= 0)
		return true; /* can never be accepted again anyway */
	name = sha256_of(use->owner.data, use->owner.length);
	drop_passed(table, now_utc_s, REPLAY_DROPS);
	if (is_full(table, &name, share_max))
		drop_passed(table, now_utc_s, REPLAY_DROPS_FULL);
	if (is_full(table, &name, share_max))
		return error_set(err, ERROR_LIMIT, "too many one-time ids at once");
	add(table, use, &name);
	return true;
}

bool replay_note(struct replay_table *table, const struct replay_use *use, int64_t now_utc_s,
	struct error *err)
{
	return note(table, use, table->bounds.share_max, now_utc_s, err);
}

bool replay_keep(struct replay_table *table, const struct replay_use *use, int64_t now_utc_s,
	struct error *err)
{
	return note(table, use, SIZE_MAX, now_utc_s, err);
}

size_t replay_table_count(const struct replay_table *table)
{
	return table->count;
}
