/* Numbers lead to texts by an array, texts to numbers by a table of open addresses that is
 * at most two thirds full; what is taken out is closed up (Knuth 6.4, algorithm R).
 *
 * Invariants: every text that is held is in the table exactly once; a number that is free is
 * in the list of free ones.  The key of the digests is no secret: who can write charters
 * could make this slow, and nothing else. */
#include "domain/charter/texts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"

enum { SLOTS_FIRST = 64, ITEMS_FIRST = 64 };

struct shared {
	uint32_t holds;
	uint32_t length;
	char bytes[];
};

struct text_slot {
	uint32_t hash;
	uint32_t number_plus_1; /* 0: free */
};

struct texts {
	size_t holders;
	struct shared **items; /* by number; NULL: free */
	uint32_t *free;        /* numbers to give again; room for as many as items */
	uint32_t items_count;
	uint32_t items_room;
	uint32_t free_count;
	struct text_slot *slots; /* a power of two of them */
	uint32_t slots_count;
	uint32_t used;
};

struct texts *texts_create(void)
{
	struct texts *texts = calloc(1, sizeof *texts);

	if (texts == NULL)
		return NULL;
	texts->holders = 1;
	texts->slots_count = SLOTS_FIRST;
	texts->slots = calloc(SLOTS_FIRST, sizeof *texts->slots);
	if (texts->slots == NULL)
		texts_release(&texts);
	return texts;
}

struct texts *texts_acquire(struct texts *texts)
{
	texts->holders++;
	return texts;
}

void texts_release(struct texts **texts)
{
	struct texts *released = *texts;

	*texts = NULL;
	if (released == NULL || --released->holders > 0)
		return;
	for (uint32_t i = 0; i < released->items_count; i++)
		free(released->items[i]);
	free((void *)released->items);
	free(released->free);
	free(released->slots);
	free(released);
}

static uint32_t hash_of(struct text t)
{
	static const uint8_t key[SIPHASH_KEY_BYTES] = {0};

	return (uint32_t)siphash_of(key, t.data, t.length).low;
}

static bool is_at(
	const struct texts *texts, const struct text_slot *slot, uint32_t hash, struct text t)
{
	const struct shared *item = texts->items[slot->number_plus_1 - 1];

	return slot->hash == hash && item->length == t.length &&
	       memcmp(item->bytes, t.data, t.length) == 0;
}

/* Where the text is, or where it would be put. */
static struct text_slot *find(const struct texts *texts, uint32_t hash, struct text t)
{
	uint32_t at = hash & (texts->slots_count - 1);

	while (texts->slots[at].number_plus_1 != 0 && !is_at(texts, &texts->slots[at], hash, t))
		at = (at + 1) & (texts->slots_count - 1);
	return &texts->slots[at];
}

static void put_slot(struct text_slot *slots, uint32_t count, struct text_slot put)
{
	uint32_t at = put.hash & (count - 1);

	while (slots[at].number_plus_1 != 0)
		at = (at + 1) & (count - 1);
	slots[at] = put;
}

static bool grow_slots(struct texts *texts)
{
	uint32_t count = texts->slots_count * 2;
	struct text_slot *slots;

	if (texts->used + 1 <= texts->slots_count / 3 * 2)
		return true;
	slots = calloc(count, sizeof *slots);
	if (slots == NULL)
		return false;
	for (uint32_t i = 0; i < texts->slots_count; i++)
		if (texts->slots[i].number_plus_1 != 0)
			put_slot(slots, count, texts->slots[i]);
	free(texts->slots);
	texts->slots = slots;
	texts->slots_count = count;
	return true;
}

static bool grow_items(struct texts *texts)
{
	uint32_t room = texts->items_room == 0 ? ITEMS_FIRST : texts->items_room * 2;
	void *items, *numbers;

	if (texts->free_count > 0 || texts->items_count < texts->items_room)
		return true;
	if (texts->items_count >= TEXTS_MAX)
		return false;
	items = realloc((void *)texts->items, room * sizeof *texts->items);
	if (items == NULL)
		return false;
	texts->items = items;
	numbers = realloc(texts->free, room * sizeof *texts->free);
	if (numbers == NULL)
		return false;
	texts->free = numbers;
	texts->items_room = room;
	return true;
}

static struct shared *share(struct text t)
{
	struct shared *item;

	if (t.length > UINT32_MAX - 1)
		return NULL;
	item = calloc(1, sizeof *item + t.length + 1);
	if (item == NULL)
		return NULL;
	item->holds = 1;
	item->length = (uint32_t)t.length;
	if (t.length > 0)
		memcpy(item->bytes, t.data, t.length);
	return item;
}

static bool add(struct texts *texts, uint32_t hash, struct text t, uint32_t *number)
{
	struct shared *item;

	if (!grow_items(texts) || !grow_slots(texts))
		return false;
	item = share(t);
	if (item == NULL)
		return false;
	*number = texts->free_count > 0 ? texts->free[--texts->free_count] : texts->items_count++;
	texts->items[*number] = item;
	put_slot(texts->slots, texts->slots_count, (struct text_slot){hash, *number + 1});
	texts->used++;
	return true;
}

bool texts_put(struct texts *texts, struct text t, uint32_t *number)
{
	uint32_t hash = hash_of(t);
	const struct text_slot *slot = find(texts, hash, t);

	if (slot->number_plus_1 == 0)
		return add(texts, hash, t, number);
	*number = slot->number_plus_1 - 1;
	if (texts->items[*number]->holds == UINT32_MAX)
		return false;
	texts->items[*number]->holds++;
	return true;
}

bool texts_find(const struct texts *texts, struct text t, uint32_t *number)
{
	const struct text_slot *slot = find(texts, hash_of(t), t);

	*number = slot->number_plus_1 - 1;
	return slot->number_plus_1 != 0;
}

/* Moves those up that would not be found over the gap. */
static void close_gap(struct texts *texts, uint32_t gap)
{
	uint32_t mask = texts->slots_count - 1;

	for (uint32_t at = (gap + 1) & mask; texts->slots[at].number_plus_1 != 0;
		at = (at + 1) & mask) {
		uint32_t wanted = texts->slots[at].hash & mask;

		if (((at - wanted) & mask) < ((at - gap) & mask))
			continue;
		texts->slots[gap] = texts->slots[at];
		gap = at;
	}
	texts->slots[gap] = (struct text_slot){0, 0};
}

void texts_drop(struct texts *texts, uint32_t number)
{
	struct shared *item = texts->items[number];
	struct text t = {item->bytes, item->length};

	assert(item->holds > 0);
	if (--item->holds > 0)
		return;
	close_gap(texts, (uint32_t)(find(texts, hash_of(t), t) - texts->slots));
	texts->used--;
	texts->items[number] = NULL;
	texts->free[texts->free_count++] = number;
	free(item);
}

struct text texts_get(const struct texts *texts, uint32_t number)
{
	const struct shared *item = texts->items[number];

	return (struct text){item->bytes, item->length};
}

size_t texts_count(const struct texts *texts)
{
	return texts->used;
}
