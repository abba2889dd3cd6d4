#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"

/* Text to pointer.  Keys are borrowed and must outlive their entry; they may
 * come from strangers: the hash is keyed at random, so nobody can choose keys
 * that collide.  Iterates in order of insertion. */
struct map;

/* Errors: LIMIT. */
bool map_create(struct map **out, struct error *err) MUST_CHECK;
/* The values are the caller's to free.  *map may be NULL. */
void map_destroy(struct map **map);

/* The value, or NULL if there is none. */
void *map_find(const struct map *map, struct text key);
/* Adds the entry, or replaces the value (and the borrowed key) of an equal one,
 * which keeps its place in the order.  value is not NULL.  On failure nothing
 * changed.  Errors: LIMIT. */
bool map_put(struct map *map, struct text key, void *value, struct error *err) MUST_CHECK;
/* Takes the entry out and returns its value, or NULL if there was none. */
void *map_remove(struct map *map, struct text key);
size_t map_count(const struct map *map);

/* Walks in order of insertion: start with *cursor 0, until false.  The entry
 * just given may be removed; nothing may be put meanwhile. */
bool map_next(const struct map *map, size_t *cursor, struct text *out_key, void **out_value);

/* SipHash-2-4 (Aumasson, Bernstein), for those who need the hash alone. */
uint64_t siphash(const uint8_t key[16], const void *data, size_t size);

#endif
