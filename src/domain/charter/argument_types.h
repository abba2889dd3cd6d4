#ifndef DOMAIN_CHARTER_ARGUMENT_TYPES_H
#define DOMAIN_CHARTER_ARGUMENT_TYPES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "remit/cedar.h"

/* What a policy takes the arguments of a call to be.  The shape of context.args is
 * the tool's, which a guardrail cannot know; but each use of a member says what it
 * must be for the policy to make sense.  With these types put into the schema the
 * policy is validated like any other, so nothing is taken on trust here: a wrong
 * guess makes a valid policy fail validation, never the other way round. */

enum {
	ARGUMENT_TYPES_NODES_MAX = 20000, /* parts of one policy that are looked at */
	ARGUMENT_TYPES_DEPTH_MAX = 64,    /* nesting of the arguments */
	ARGUMENT_TYPES_BYTES_MAX = 64 * 1024,
};

struct argument_types {
	struct text text;
	/* False: a record stands where something else does, so that a member may have
	 * been overlooked.  The policy must not be called valid. */
	bool is_consistent;
};

/* The record type of context.args as the policy at index uses it, in the syntax of
 * schemas: {"path": String, "size"?: Long}.  A member that the policy asks for with
 * `has` is optional, any other needed.  What only `has` asks for is a String here:
 * nothing depends on it.  {} if it reads no argument.  out lives in arena.
 * Errors: INVALID (arguments that would have to hold themselves), LIMIT. */
bool argument_types_of(struct argument_types *out, const struct cedar_policy_set *set, size_t index,
	struct arena *arena, struct error *err) MUST_CHECK;

/* The members of context.origins, in order of name, up to NULL. */
extern const char *const origin_members[];

#endif
