#ifndef DOMAIN_CHARTER_PLACE_H
#define DOMAIN_CHARTER_PLACE_H

#include <stdbool.h>

#include "base/json.h"
#include "base/text.h"

/* A place in a result, as a tool's line says it: names with dots between them, and behind
 * each may stand a star, "each of the list": "hits.*.id".  "hits[*].id" is the same. */

enum { PLACE_BYTES_MAX = 200, PLACE_STEPS_MAX = 8 };

/* True for 1 to PLACE_STEPS_MAX names of letters, digits, "_" and "-". */
bool place_is_wellformed(struct text place);

/* Sees one value at the place; NULL: an item of a list has none there. */
typedef void place_visit(void *context, const struct json *value);

/* MISSING: what stands before the first list is not there, or is not of the type that
 * the place says, so nothing was visited.  A list that is empty is found. */
enum place_found { PLACE_MISSING = 0, PLACE_FOUND };
enum place_found place_each(
	const struct json *root, struct text place, place_visit *visit, void *context);

#endif
