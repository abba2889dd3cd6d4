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
	uint32_t template_plus_1; /* of a link: its template's index + 1 */
};

/* What deciding reads of a policy first, one cache line each. */
struct gate {
	/* The one uid of an == or in; equal ones are the same pointer.  NULL: another
	 * kind of part. */
	const struct cedar_uid *uids[SCOPE_PARTS];
	uint8_t kinds[SCOPE_PARTS]; /* enum scope_kind */
	uint8_t asked[SCOPE_PARTS]; /* where an answer about the uid is kept, see authorize.c */
	uint8_t effect;             /* enum cedar_effect */
	struct piece condition;
};

/* Answers kept while one request is decided: one about the principal, one about
 * the resource, and of the actions, of which sets name few, several. */
/* check-source: bound: a table of all there are */
enum { ASKED_ACTIONS = 8, ASKED_MAX = ASKED_ACTIONS + 2 };

struct cedar_policy_set {
	struct arena *arena; /* holds all but policies, templates and their tables */
	struct stored_policy *policies;
	uint32_t count;
	uint32_t capacity;
	struct table ids;                /* hash of the id to index in policies */
	struct stored_policy *templates; /* no id is both a policy's and a template's */
	uint32_t template_count;
	uint32_t template_capacity;
	struct table template_ids;
	struct program program;
	struct gate *gates; /* one for each policy, once sealed */
	struct index index; /* once sealed, if there are enough policies */
	bool is_indexed;
	bool is_sealed;
};

/* What a failed call must restore. */
struct checkpoint {
	uint32_t count;
	uint32_t template_count;
	uint32_t op_count;
	uint32_t constant_count;
	uint32_t path_count;
	uint32_t stack_max;
};
struct checkpoint policy_set_checkpoint(const struct cedar_policy_set *set);
void policy_set_roll_back(struct cedar_policy_set *set, const struct checkpoint *checkpoint);

/* Makes room for more.  Errors: LIMIT. */
bool policy_set_reserve(struct cedar_policy_set *set, uint32_t policies, uint32_t templates,
	struct cedar_error *err) MUST_CHECK;
/* Errors: INVALID if the id is taken or not UTF-8, at no place. */
bool policy_set_check_id(const struct cedar_policy_set *set, struct cedar_text id,
	struct cedar_error *err) MUST_CHECK;
/* The same of the entities of a scope. */
bool policy_set_check_scope(const struct cedar_scope *scope, struct cedar_error *err) MUST_CHECK;
/* Adds a compiled policy or template.  There must be room. */
void policy_set_put(struct cedar_policy_set *set, const struct stored_policy *policy);
struct cedar_policy stored_policy_describe(const struct stored_policy *policy);
/* The place of source[start, end) of a policy. */
struct cedar_range stored_policy_range(
	const struct stored_policy *policy, uint32_t start, uint32_t end);
/* True if the part covers the variable's entity. */
bool scope_part_matches(const struct scope_part *part, enum ast_variable variable,
	const struct evaluation *evaluation);

#endif
