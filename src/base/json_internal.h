#ifndef BASE_JSON_INTERNAL_H
#define BASE_JSON_INTERNAL_H

#include "base/json.h"

/* Shared by the json_*.c files and yaml.c; nobody else includes it. */

typedef int json_order(struct text a, struct text b);

/* Sorts in place, n log n in the worst case, without memory of its own. */
void json_sort_members(const struct json_member **members, size_t count, json_order *order);

/* Sets *twice to the name that occurs more than once, or {0}.  Uses arena only
 * for large objects.  False when it is full. */
bool json_find_twice(struct arena *arena, const struct json_member *members, size_t count,
	struct text *twice) MUST_CHECK;

#endif
