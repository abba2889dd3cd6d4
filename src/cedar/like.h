#ifndef CEDAR_LIKE_H
#define CEDAR_LIKE_H

#include "base/attr.h"
#include "remit/cedar.h"

/* What a policy has of its own that is like another one. */
struct cedar_like {
	struct cedar_text id;
	struct cedar_scope scope;
};

/* A sealed set with the policies of `pattern`, in their order, each with an id and a scope
 * of its own instead of the ones it has there.  Effects, conditions, sources and the
 * compiled program are the pattern's, which must be sealed, have no templates, and
 * live as long.  likes has cedar_policy_set_count(pattern) items and is copied; a uid
 * that several name by one pointer is copied once.  Errors: INVALID (an id that
 * is taken or not UTF-8, a scope's entity without a type or whose id is not UTF-8), LIMIT. */
bool cedar_policy_set_like(struct cedar_policy_set **out, const struct cedar_policy_set *pattern,
	const struct cedar_like *likes, struct cedar_error *err) MUST_CHECK;

#endif
