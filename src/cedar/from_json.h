#ifndef CEDAR_FROM_JSON_H
#define CEDAR_FROM_JSON_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "remit/cedar.h"

/* The request's arena under the public library's name: the same object, so
 * either name may be used and it is destroyed once, by its owner. */
struct cedar_arena *cedar_arena_from(struct arena *arena);
struct cedar_text cedar_text_from(struct text t);
struct text cedar_text_to(struct cedar_text t);
/* Fills err with what the library says, and its place; false. */
bool error_set_cedar(struct error *err, const struct cedar_error *cause);

/* Called for each part of the JSON that Cedar cannot hold: null, a number with
 * a fraction or exponent, or a set member of either kind.  path has the member
 * names from the root down to the array or value (an array's items have its
 * path). */
typedef void cedar_lost_fn(void *closure, const struct text *path, size_t count);

/* Turns JSON into a value: objects to records, arrays to sets, integers to
 * longs, strings to strings; `__entity` and `__extn` have no meaning here.
 * What Cedar cannot hold is left out and reported to lost (may be NULL); if the
 * root itself is such, *out is CEDAR_NONE.  Strings are borrowed.
 * Errors: LIMIT. */
bool cedar_value_from_json(struct cedar_value *out, struct arena *arena, const struct json *json,
	cedar_lost_fn *lost, void *closure, struct cedar_error *err) MUST_CHECK;

#endif
