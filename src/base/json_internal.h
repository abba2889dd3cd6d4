#ifndef BASE_JSON_INTERNAL_H
#define BASE_JSON_INTERNAL_H

#include <stdint.h>

#include "base/json.h"

#define JSON_HIGH_BITS UINT64_C(0x8080808080808080)

/* Eight bytes at a time: the high bit of each byte that a string must escape (a
 * quote, a backslash, below 0x20).  (x - n) & ~x marks bytes below n; a borrow can
 * only mark bytes behind one that is rightly marked, so the first is exact. */
static inline uint64_t json_special_bytes(uint64_t word)
{
	const uint64_t ones = 0x0101010101010101U;
	uint64_t quote = word ^ (ones * '"');
	uint64_t slash = word ^ (ones * '\\');

	return (((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
		       ((word - ones * 0x20) & ~word)) &
	       JSON_HIGH_BITS;
}

/* Shared by the json_*.c files and yaml.c; nobody else includes it. */

typedef int json_order(struct text a, struct text b);

/* Sorts in place, n log n in the worst case, without memory of its own. */
void json_sort_members(const struct json_member **members, size_t count, json_order *order);

/* The order of names in the canonical form: by UTF-16 code units. */
int json_order_names(struct text a, struct text b);
/* A text in the canonical form; fails out if it is no UTF-8. */
void json_canonical_string(struct buffer *out, struct text t);

/* Sets *twice to the name that occurs more than once, or {0}.  Uses arena only
 * for large objects.  False when it is full. */
bool json_find_twice(struct arena *arena, const struct json_member *members, size_t count,
	struct text *twice) MUST_CHECK;

#endif
