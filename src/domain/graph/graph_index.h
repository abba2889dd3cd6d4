#ifndef DOMAIN_GRAPH_GRAPH_INDEX_H
#define DOMAIN_GRAPH_GRAPH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* Numbers (never 0) by what their owner says they are found by. */

struct graph_index_rules {
	uint32_t (*hash_of)(const void *owner, uint32_t number);
	bool (*is)(const void *owner, uint32_t number, const void *key);
};

struct graph_index {
	uint32_t *slots;
	uint32_t capacity; /* a power of two, or 0 */
	uint32_t count;
};

void graph_index_deinit(struct graph_index *index);
/* The number of the key, or 0. */
uint32_t graph_index_find(const struct graph_index *index, const struct graph_index_rules *rules,
	const void *owner, uint32_t hash, const void *key);
/* Its key must not be there.  False without memory; nothing changed then. */
bool graph_index_add(struct graph_index *index, const struct graph_index_rules *rules,
	const void *owner, uint32_t number) MUST_CHECK;
/* While its record still says its key.  It must be there. */
void graph_index_remove(struct graph_index *index, const struct graph_index_rules *rules,
	const void *owner, uint32_t number);
size_t graph_index_bytes(const struct graph_index *index);

/* Mixes two numbers into a hash. */
static inline uint32_t graph_index_mix(uint32_t a, uint32_t b)
{
	uint64_t x = ((uint64_t)a << 32 | b) * UINT64_C(0x9e3779b97f4a7c15);

	x ^= x >> 29;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	return (uint32_t)(x >> 32);
}

#endif
