#ifndef CEDAR_BOUNDED_H
#define CEDAR_BOUNDED_H

#include "base/attr.h"
#include "remit/cedar.h"

/* cedar_validate by the newest rule with a limit of steps of the caller's own, for
 * where it must not take long.  Errors: LIMIT. */
bool cedar_validate_within(const struct cedar_policy_set *set, const struct cedar_schema *schema,
	uint64_t steps_max, struct cedar_arena *arena, struct cedar_validation *out,
	struct cedar_error *err) MUST_CHECK;

#endif
