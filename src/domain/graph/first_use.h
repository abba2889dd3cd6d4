#ifndef DOMAIN_GRAPH_FIRST_USE_H
#define DOMAIN_GRAPH_FIRST_USE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

/* When an identity was first let use a tool, a model or data, by records of decisions. */

struct first_uses;

/* NULL: no memory. */
struct first_uses *first_uses_create(void) MUST_CHECK;
void first_uses_destroy(struct first_uses **uses);
/* The next record of type decision.  Errors: LIMIT. */
bool first_uses_feed(struct first_uses *uses, const struct json *record, struct arena *scratch,
	struct error *err) MUST_CHECK;
/* Each that began after the time, as {difference: "first-used", layer, from, to, first_used}, in
 * order of its ends, up to most; how many there are.  Errors: LIMIT. */
bool first_uses_tell(const struct first_uses *uses, int64_t after_utc_ms, size_t most,
	struct json_builder *items, int64_t *total, struct error *err) MUST_CHECK;

#endif
