/* Blocks of 64 KiB in units of 8 bytes; a text's number is its first unit's.  What is given
 * back is taken again for a text of as many units: lengths of names repeat. */
#include "domain/graph/graph_texts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"

enum { UNIT_BYTES = 8, BLOCK_SHIFT = 13, BLOCK_UNITS = 1 << BLOCK_SHIFT, BLOCKS_MIN = 16 };

struct slot {
	uint32_t holds; /* of a free one: the next free */
	uint32_t hash;
	uint16_t length;
	char bytes[];
};

enum { SLOT_BYTES = offsetof(struct slot, bytes) };

_Static_assert(
	(SLOT_BYTES + GRAPH_TEXT_BYTES_MAX + UNIT_BYTES - 1) / UNIT_BYTES <= GRAPH_TEXT_UNITS_MAX,
	"the longest text has a chain");

static struct slot *slot_at(const struct graph_texts *texts, uint32_t number)
{
	return (struct slot *)(void *)(texts->block[number >> BLOCK_SHIFT] +
				       (size_t)(number & (BLOCK_UNITS - 1)) * UNIT_BYTES);
}

static uint32_t units_of(size_t length)
{
	return (uint32_t)((SLOT_BYTES + length + UNIT_BYTES - 1) / UNIT_BYTES);
}

static uint32_t hash_text(struct text text)
{
	static const uint8_t key[SIPHASH_KEY_BYTES] = "graph of texts.";

	return (uint32_t)siphash_of(key, text.data, text.length).low;
}

static uint32_t hash_of(const void *owner, uint32_t number)
{
	return slot_at(owner, number)->hash;
}

static bool is_text(const void *owner, uint32_t number, const void *key)
{
	return text_equal(graph_texts_get(owner, number), *(const struct text *)key);
}

static const struct graph_index_rules rules = {hash_of, is_text};

void graph_texts_init(struct graph_texts *texts)
{
	*texts = (struct graph_texts){.next = 1};
}

void graph_texts_deinit(struct graph_texts *texts)
{
	for (size_t i = 0; i < texts->blocks; i++)
		free(texts->block[i]);
	free(texts->block);
	graph_index_deinit(&texts->index);
	*texts = (struct graph_texts){0};
}

static bool add_block(struct graph_texts *texts)
{
	if (texts->blocks == texts->capacity) {
		size_t capacity = texts->capacity == 0 ? BLOCKS_MIN : texts->capacity * 2;
		char **grown = realloc(texts->block, capacity * sizeof *grown);

		if (grown == NULL)
			return false;
		texts->block = grown;
		texts->capacity = capacity;
	}
	texts->block[texts->blocks] = calloc(BLOCK_UNITS, UNIT_BYTES);
	if (texts->block[texts->blocks] == NULL)
		return false;
	texts->blocks++;
	return true;
}

/* The number of so many units that nobody holds; 0 without memory. */
static uint32_t take(struct graph_texts *texts, uint32_t units)
{
	uint32_t number = texts->free[units];
	uint32_t left = BLOCK_UNITS - (texts->next & (BLOCK_UNITS - 1));

	if (number != 0) {
		texts->free[units] = slot_at(texts, number)->holds;
		return number;
	}
	if (units > left)
		texts->next += left;
	if (texts->next >> BLOCK_SHIFT >= texts->blocks && !add_block(texts))
		return 0;
	number = texts->next;
	texts->next += units;
	return number;
}

static void give(struct graph_texts *texts, uint32_t number)
{
	struct slot *slot = slot_at(texts, number);
	uint32_t units = units_of(slot->length);

	slot->holds = texts->free[units];
	texts->free[units] = number;
}

uint32_t graph_texts_find(const struct graph_texts *texts, struct text text)
{
	if (text.length == 0 || text.length > GRAPH_TEXT_BYTES_MAX)
		return 0;
	return graph_index_find(&texts->index, &rules, texts, hash_text(text), &text);
}

bool graph_texts_hold(struct graph_texts *texts, struct text text, uint32_t *out)
{
	struct slot *slot;

	*out = graph_texts_find(texts, text);
	graph_texts_hold_again(texts, *out);
	if (*out != 0 || text.length == 0)
		return true;
	assert(text.length <= GRAPH_TEXT_BYTES_MAX);
	*out = take(texts, units_of(text.length));
	if (*out == 0)
		return false;
	slot = slot_at(texts, *out);
	slot->holds = 1;
	slot->hash = hash_text(text);
	slot->length = (uint16_t)text.length;
	memcpy(slot->bytes, text.data, text.length);
	if (graph_index_add(&texts->index, &rules, texts, *out))
		return true;
	give(texts, *out);
	*out = 0;
	return false;
}

void graph_texts_hold_again(struct graph_texts *texts, uint32_t number)
{
	if (number != 0)
		slot_at(texts, number)->holds++;
}

void graph_texts_release(struct graph_texts *texts, uint32_t number)
{
	if (number == 0 || --slot_at(texts, number)->holds > 0)
		return;
	graph_index_remove(&texts->index, &rules, texts, number);
	give(texts, number);
}

struct text graph_texts_get(const struct graph_texts *texts, uint32_t number)
{
	const struct slot *slot;

	if (number == 0)
		return (struct text){"", 0};
	slot = slot_at(texts, number);
	return (struct text){slot->bytes, slot->length};
}

size_t graph_texts_bytes(const struct graph_texts *texts)
{
	return texts->blocks * BLOCK_UNITS * UNIT_BYTES + texts->capacity * sizeof *texts->block +
	       graph_index_bytes(&texts->index);
}
