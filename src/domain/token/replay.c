/* An open-addressing hash table with linear probing and room for twice its
 * entries.  Keys are digests, so their first bytes are the hash; nobody can aim
 * them at one place without inverting SHA-256.
 *
 * 1. A slot with until_utc_s 0 is free; probing stops there.
 * 2. Nothing is deleted singly: dropping what has passed rebuilds the table in
 *    place of the old one, at most once per second of the clock.
 * 3. Each owner has at least one id, so there are never more owners than ids and
 *    a table of as many slots has room for them. */
#include "domain/token/replay.h"

#include <stdlib.h>
#include <string.h>

struct slot {
	struct sha256 key;
	int64_t until_utc_s;
	uint32_t owner; /* its place among the owners */
};

/* How many ids somebody has. */
struct owner {
	struct sha256 name;
	size_t count; /* 0: a free place */
};

struct replay_table {
	struct slot *slots;
	struct owner *owners;
	size_t slots_count; /* of both: a power of two, at least twice entries_max */
	struct replay_bounds bounds;
	size_t count;
	int64_t swept_utc_s;
};

bool replay_table_create(
	struct replay_table **out, const struct replay_bounds *bounds, struct error *err)
{
	struct replay_table *table = calloc(1, sizeof *table);
	size_t slots = 4;

	*out = NULL;
	while (slots / 2 < bounds->entries_max)
		slots *= 2;
	if (table != NULL) {
		table->slots = calloc(slots, sizeof *table->slots);
		table->owners = calloc(slots, sizeof *table->owners);
	}
	if (table == NULL || table->slots == NULL || table->owners == NULL) {
		replay_table_destroy(&table);
		return error_set(err, ERROR_LIMIT, "no memory for one-time ids");
	}
	table->slots_count = slots;
	table->bounds = *bounds;
	table->swept_utc_s = INT64_MIN;
	*out = table;
	return true;
}

void replay_table_destroy(struct replay_table **table)
{
	if (*table == NULL)
		return;
	free((*table)->slots);
	free((*table)->owners);
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

static size_t place_of(const struct replay_table *table, const struct sha256 *key)
{
	uint64_t hash = 0;

	memcpy(&hash, key->bytes, sizeof hash);
	return (size_t)hash & (table->slots_count - 1);
}

/* The key's slot, or the free one where it would go. */
static struct slot *find_slot(const struct replay_table *table, const struct sha256 *key)
{
	size_t at = place_of(table, key);

	while (table->slots[at].until_utc_s != 0 && !sha256_equal(&table->slots[at].key, key))
		at = (at + 1) & (table->slots_count - 1);
	return &table->slots[at];
}

/* The owner's place, or the free one where it would go. */
static struct owner *find_owner(const struct replay_table *table, const struct sha256 *name)
{
	size_t at = place_of(table, name);

	while (table->owners[at].count != 0 && !sha256_equal(&table->owners[at].name, name))
		at = (at + 1) & (table->slots_count - 1);
	return &table->owners[at];
}

bool replay_is_used(const struct replay_table *table, const struct sha256 *key, int64_t now_utc_s)
{
	const struct slot *slot = find_slot(table, key);

	return slot->until_utc_s != 0 && slot->until_utc_s >= now_utc_s;
}

static void place(
	struct replay_table *table, const struct replay_use *use, const struct sha256 *name)
{
	struct owner *owner = find_owner(table, name);

	owner->name = *name;
	owner->count++;
	*find_slot(table, &use->key) =
		(struct slot){use->key, use->until_utc_s, (uint32_t)(owner - table->owners)};
	table->count++;
}

/* Puts what has not passed into the tables, which are empty. */
static void place_rest(struct replay_table *table, const struct slot *slots,
	const struct owner *owners, int64_t now_utc_s)
{
	for (size_t i = 0; i < table->slots_count; i++) {
		const struct replay_use use = {
			.key = slots[i].key, .until_utc_s = slots[i].until_utc_s};

		if (use.until_utc_s != 0 && use.until_utc_s >= now_utc_s)
			place(table, &use, &owners[slots[i].owner].name);
	}
}

static void sweep(struct replay_table *table, int64_t now_utc_s)
{
	struct slot *slots = NULL;
	struct owner *owners = NULL;

	if (table->swept_utc_s == now_utc_s)
		return;
	slots = calloc(table->slots_count, sizeof *slots);
	owners = calloc(table->slots_count, sizeof *owners);
	if (slots != NULL && owners != NULL) {
		struct replay_table fresh = *table;

		fresh.slots = slots;
		fresh.owners = owners;
		fresh.count = 0;
		fresh.swept_utc_s = now_utc_s;
		place_rest(&fresh, table->slots, table->owners, now_utc_s);
		slots = table->slots;
		owners = table->owners;
		*table = fresh;
	}
	free(slots);
	free(owners);
}

static bool is_full(const struct replay_table *table, const struct sha256 *name, size_t share_max)
{
	return table->count >= table->bounds.entries_max ||
	       find_owner(table, name)->count >= share_max;
}

static bool note(struct replay_table *table, const struct replay_use *use, size_t share_max,
	int64_t now_utc_s, struct error *err)
{
	struct slot *slot = find_slot(table, &use->key);
	struct sha256 name;

	if (slot->until_utc_s != 0) {
		if (slot->until_utc_s < use->until_utc_s)
			slot->until_utc_s = use->until_utc_s;
		return true;
	}
	if (use->until_utc_s < now_utc_s || use->until_utc_s <= 0)
		return true; /* can never be accepted again anyway */
	name = sha256_of(use->owner.data, use->owner.length);
	if (is_full(table, &name, share_max))
		sweep(table, now_utc_s);
	if (is_full(table, &name, share_max))
		return error_set(err, ERROR_LIMIT, "too many one-time ids at once");
	place(table, use, &name);
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
