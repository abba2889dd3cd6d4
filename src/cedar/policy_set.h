#ifndef CEDAR_POLICY_SET_H
#define CEDAR_POLICY_SET_H

#include "cedar/index.h"
#include "cedar/program.h"
#include "cedar/table.h"

/* Policy sets inside the library. */

struct stored_policy {
	struct policy_ast ast;
	struct cedar_text id;
	struct piece condition;   /* its clauses in the set's program */
	struct cedar_range range; /* of the whole */
};

/* What deciding reads of a policy first, one cache line each. */
struct gate {
	/* The one uid of an == or in; equal ones are the same pointer.  NULL: another
	 * kind of part. */
	const struct cedar_uid *uids[SCOPE_PARTS];
	uint8_t kinds[SCOPE_PARTS]; /* enum scope_kind */
	uint8_t effect;             /* enum cedar_effect */
	struct piece condition;
};

struct cedar_policy_set {
	struct arena *arena; /* holds all but policies and the table */
	struct stored_policy *policies;
	uint32_t count;
	uint32_t capacity;
	struct table ids; /* hash of the id to index in policies */
	struct program program;
	struct gate *gates; /* one for each policy, once sealed */
	struct index index; /* once sealed, if there are enough policies */
	bool is_indexed;
	bool is_sealed;
};

/* The place of source[start, end) of a policy. */
struct cedar_range stored_policy_range(
	const struct stored_policy *policy, uint32_t start, uint32_t end);
/* True if the part covers the variable's entity. */
bool scope_part_matches(const struct scope_part *part, enum ast_variable variable,
	const struct evaluation *evaluation);

#endif
