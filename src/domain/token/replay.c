/* An open-addressing hash table with linear probing and room for twice its
 * entries.  Keys are digests, so their first bytes are the hash; nobody can aim
 * them at one place without inverting SHA-256.
 *
 * 1. A slot with until_utc_s 0 is free; probing stops there.
 * 2. Nothing is deleted singly: dropping what has passed rebuilds the table in
 *    place of the old one, at most once per second of the clock. */
#include "domain/token/replay.h"

#include <stdlib.h>
#include <string.h>

struct slot {
	struct sha256 key;
	int64_t until_utc_s;
};

struct replay_table {
	struct slot *slots;
	size_t slots_count; /* a power of two, at least twice entries_max */
	size_t entries_max;
	size_t count;
	int64_t swept_utc_s;
};

bool replay_table_create(struct replay_table **out, size_t entries_max, struct error *err)
{
	struct replay_table *table = calloc(1, sizeof *table);
	size_t slots = 4;

	*out = NULL;
	while (slots / 2 < entries_max)
		slots *= 2;
	if (table != NULL)
		table->slots = calloc(slots, sizeof *table->slots);
	if (table == NULL || table->slots == NULL) {
		replay_table_destroy(&table);
		return error_set(err, ERROR_LIMIT, "no memory for one-time ids");
	}
	table->slots_count = slots;
	table->entries_max = entries_max;
	table->swept_utc_s = INT64_MIN;
	*out = table;
	return true;
}

void replay_table_destroy(struct replay_table **table)
{
	if (*table == NULL)
		return;
	free((*table)->slots);
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

/* The key's slot, or the free one where it would go. */
static struct slot *find_slot(const struct replay_table *table, const struct sha256 *key)
{
	uint64_t hash = 0;
	size_t at = 0;

	memcpy(&hash, key->bytes, sizeof hash);
	at = (size_t)hash & (table->slots_count - 1);
	while (table->slots[at].until_utc_s != 0 && !sha256_equal(&table->slots[at].key, key))
		at = (at + 1) & (table->slots_count - 1);
	return &table->slots[at];
}

bool replay_is_used(const struct replay_table *table, const struct sha256 *key, int64_t now_utc_s)
{
	const struct slot *slot = find_slot(table, key);

	return slot->until_utc_s != 0 && slot->until_utc_s >= now_utc_s;
}

static bool sweep(struct replay_table *table, int64_t now_utc_s)
{
	struct slot *old = table->slots;

	if (table->swept_utc_s == now_utc_s)
		return false;
	table->slots = calloc(table->slots_count, sizeof *table->slots);
	if (table->slots == NULL) {
		table->slots = old;
		return false;
	}
	table->swept_utc_s = now_utc_s;
	table->count = 0;
	for (size_t i = 0; i < table->slots_count; i++)
		if (old[i].until_utc_s != 0 && old[i].until_utc_s >= now_utc_s) {
			*find_slot(table, &old[i].key) = old[i];
			table->count++;
		}
	free(old);
	return true;
}

bool replay_note(struct replay_table *table, const struct sha256 *key, int64_t until_utc_s,
	int64_t now_utc_s, struct error *err)
{
	struct slot *slot = find_slot(table, key);

	if (slot->until_utc_s != 0) {
		if (slot->until_utc_s < until_utc_s)
			slot->until_utc_s = until_utc_s;
		return true;
	}
	if (until_utc_s < now_utc_s || until_utc_s <= 0)
		return true; /* can never be accepted again anyway */
	if (table->count == table->entries_max &&
		(!sweep(table, now_utc_s) || table->count == table->entries_max))
		return error_set(err, ERROR_LIMIT, "too many one-time ids at once");
	slot = find_slot(table, key);
	*slot = (struct slot){*key, until_utc_s};
	table->count++;
	return true;
}

size_t replay_table_count(const struct replay_table *table)
{
	return table->count;
}
