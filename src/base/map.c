/* Entries lie densely in order of insertion; an open-addressed table of their
 * positions finds them.  A removed entry keeps its place as a gap until the next
 * growth, so that a walk may remove as it goes.
 *
 * Invariants:
 *  M1  slots is a power of two and at least twice entries_used, gaps included,
 *      so that every probe ends at a FREE slot;
 *  M2  each live entry is named by exactly one slot, reachable by probing from
 *      its hash without passing a FREE slot; a gap's slot says GONE. */
#include "base/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

enum { SLOTS_MIN = 16, ENTRIES_MAX = 1 << 30 };

static const uint32_t slot_free = 0;
static const uint32_t slot_gone = UINT32_MAX;

struct entry {
	struct text key;
	void *value; /* NULL: a gap */
	uint64_t hash;
};

struct map {
	uint8_t hash_key[16];
	struct entry *entries;
	uint32_t *slots; /* 0 free, UINT32_MAX gone, else position + 1 */
	size_t slots_count;
	size_t entries_used; /* with gaps */
	size_t live;
};

/* ---- SipHash-2-4 ---- */

struct sip {
	uint64_t v0;
	uint64_t v1;
	uint64_t v2;
	uint64_t v3;
};

static uint64_t rotate(uint64_t word, unsigned by)
{
	return word << by | word >> (64 - by);
}

static void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static uint64_t read_word(const uint8_t *bytes, size_t size)
{
	uint64_t word = 0;
	size_t i;

	for (i = 0; i < size; i++)
		word |= (uint64_t)bytes[i] << (8 * i);
	return word;
}

static void sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

uint64_t siphash(const uint8_t key[16], const void *data, size_t size)
{
	uint64_t k0 = read_word(key, 8);
	uint64_t k1 = read_word(key + 8, 8);
	struct sip s = {k0 ^ 0x736f6d6570736575U, k1 ^ 0x646f72616e646f6dU,
		k0 ^ 0x6c7967656e657261U, k1 ^ 0x7465646279746573U};
	const uint8_t *bytes = data;
	size_t rest = size;
	int i;

	for (; rest >= 8; bytes += 8, rest -= 8)
		sip_word(&s, read_word(bytes, 8));
	sip_word(&s, (uint64_t)size << 56 | read_word(bytes, rest));
	s.v2 ^= 0xFF;
	for (i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* ---- the table ---- */

bool map_create(struct map **out, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a map");
	random_bytes((*out)->hash_key, sizeof(*out)->hash_key);
	return true;
}

void map_destroy(struct map **map)
{
	if (*map == NULL)
		return;
	free((*map)->entries);
	free((*map)->slots);
	free(*map);
	*map = NULL;
}

static uint64_t hash_of(const struct map *map, struct text key)
{
	return siphash(map->hash_key, key.data, key.length);
}

/* The slot of key, or of the first free or gone one where it may go. */
static size_t slot_of(const struct map *map, struct text key, uint64_t hash, bool *is_found)
{
	size_t mask = map->slots_count - 1;
	size_t slot = hash & mask;
	size_t gone = SIZE_MAX;

	*is_found = false;
	for (; map->slots[slot] != slot_free; slot = (slot + 1) & mask) {
		const struct entry *entry;

		if (map->slots[slot] == slot_gone) {
			if (gone == SIZE_MAX)
				gone = slot;
			continue;
		}
		entry = &map->entries[map->slots[slot] - 1];
		if (entry->hash == hash && text_equal(entry->key, key)) {
			*is_found = true;
			return slot;
		}
	}
	return gone == SIZE_MAX ? slot : gone;
}

/* Copies the live entries, in order, into tables with room for one more. */
static bool rebuild(struct map *map)
{
	size_t slots_count = SLOTS_MIN;
	size_t used = 0;
	struct entry *entries;
	uint32_t *slots;
	size_t i;

	if (map->live >= ENTRIES_MAX)
		return false;
	while (slots_count / 4 < map->live + 1)
		slots_count *= 2;
	entries = calloc(slots_count / 2, sizeof *entries);
	slots = calloc(slots_count, sizeof *slots);
	if (entries == NULL || slots == NULL) {
		free(entries);
		free(slots);
		return false;
	}
	for (i = 0; i < map->entries_used; i++) {
		size_t slot = map->entries[i].hash & (slots_count - 1);

		if (map->entries[i].value == NULL)
			continue;
		while (slots[slot] != slot_free)
			slot = (slot + 1) & (slots_count - 1);
		entries[used++] = map->entries[i];
		slots[slot] = (uint32_t)used;
	}
	assert(used == map->live);
	free(map->entries);
	free(map->slots);
	map->entries = entries;
	map->slots = slots;
	map->slots_count = slots_count;
	map->entries_used = used;
	return true;
}

void *map_find(const struct map *map, struct text key)
{
	bool is_found;
	size_t slot;

	if (map->live == 0)
		return NULL;
	slot = slot_of(map, key, hash_of(map, key), &is_found);
	return is_found ? map->entries[map->slots[slot] - 1].value : NULL;
}

bool map_put(struct map *map, struct text key, void *value, struct error *err)
{
	uint64_t hash = hash_of(map, key);
	bool is_found = false;
	size_t slot = 0;

	assert(value != NULL);
	if (map->slots_count > 0)
		slot = slot_of(map, key, hash, &is_found);
	if (is_found) {
		struct entry *entry = &map->entries[map->slots[slot] - 1];

		entry->key = key;
		entry->value = value;
		return true;
	}
	if (map->entries_used >= map->slots_count / 2) {
		if (!rebuild(map))
			return error_set(err, ERROR_LIMIT, "no memory for a map of %zu entries",
				map->live + 1);
		slot = slot_of(map, key, hash, &is_found);
	}
	map->entries[map->entries_used++] = (struct entry){key, value, hash};
	map->slots[slot] = (uint32_t)map->entries_used;
	map->live++;
	return true;
}

void *map_remove(struct map *map, struct text key)
{
	struct entry *entry;
	bool is_found;
	size_t slot;
	void *value;

	if (map->live == 0)
		return NULL;
	slot = slot_of(map, key, hash_of(map, key), &is_found);
	if (!is_found)
		return NULL;
	entry = &map->entries[map->slots[slot] - 1];
	value = entry->value;
	*entry = (struct entry){0};
	map->slots[slot] = slot_gone;
	map->live--;
	return value;
}

size_t map_count(const struct map *map)
{
	return map->live;
}

bool map_next(const struct map *map, size_t *cursor, struct text *out_key, void **out_value)
{
	while (*cursor < map->entries_used) {
		const struct entry *entry = &map->entries[(*cursor)++];

		if (entry->value == NULL)
			continue;
		*out_key = entry->key;
		*out_value = entry->value;
		return true;
	}
	return false;
}
