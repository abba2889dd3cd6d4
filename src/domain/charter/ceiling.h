#ifndef DOMAIN_CHARTER_CEILING_H
#define DOMAIN_CHARTER_CEILING_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "domain/charter/charter.h"
#include "domain/charter/object.h"

/* Charters and guardrails, compiled for deciding. */

struct cedar_policy_set; /* remit/cedar.h */

/* What one charter permits, as one policy set: each entitlement is one permit
 * whose id is "charter/NAME@VERSION/entitlements/NUMBER" and whose scope is the
 * identity, the effect and the resource.  Class, risk, environment and the ends
 * of charter and entitlement are not in it: domain/decide checks them. */
struct ceiling;

enum { CEILINGS_COMPILED_MAX = 8192 };

/* What the ceilings of many identities share: the conditions that several have, and room for
 * CEILINGS_COMPILED_MAX of them to be compiled at once.  One thread at a time uses it. */
struct ceilings;

/* Errors: LIMIT. */
bool ceilings_create(struct ceilings **out, struct error *err) MUST_CHECK;
/* Every ceiling of it must be destroyed. */
void ceilings_destroy(struct ceilings **pool);
size_t ceilings_shapes_count(const struct ceilings *pool);
size_t ceilings_compiled_count(const struct ceilings *pool);

/* identity: an object with a charter, borrowed for the ceiling's life; version goes into the ids.
 * pool must outlive the ceiling; NULL: it stands alone.  Errors: INVALID (a condition is not an
 * expression, or uses context.approvals other than to ask for more), LIMIT. */
bool ceiling_compile(struct ceiling **out, struct ceilings *pool, const struct object *identity,
	uint32_t version, struct error *err) MUST_CHECK;
void ceiling_destroy(struct ceiling **ceiling);
/* The policy at each place is the line of that number.  Good until other ceilings of the pool
 * are asked, as many as may be compiled: copy what is kept.  NULL: there is no memory. */
const struct cedar_policy_set *ceiling_policies(struct ceiling *ceiling);
/* The line that a policy of it came from; good as long as the charter is (charter_of). */
const struct entitlement *ceiling_entitlement(const struct ceiling *ceiling, size_t number);

/* Forbid-only policies of the organisation or of one unit, as one set. */
struct guardrails;

/* policies: objects of kind policy, in order of name.  Errors: INVALID (not
 * Cedar; a permit; context.approvals used so that more of it allows less; err
 * starts with the policy's name), LIMIT. */
bool guardrails_compile(struct guardrails **out, const struct object *const *policies, size_t count,
	struct error *err) MUST_CHECK;
void guardrails_destroy(struct guardrails **guardrails);
const struct cedar_policy_set *guardrails_policies(const struct guardrails *guardrails);
/* The policy a determining forbid came from, by its id; NULL if none. */
const struct policy *guardrails_policy_of(
	const struct guardrails *guardrails, struct text policy_id);

/* The Cedar type and id a resource is known by to policies: Tool, DataSource,
 * Model or Peer; NULL for NONE. */
const char *resource_type_name(enum resource_kind kind);

/* True if text is exactly one Cedar expression that uses context.approvals, if
 * at all, only so that more of it allows more.  Errors: INVALID, LIMIT. */
bool condition_check(struct text text, struct error *err) MUST_CHECK;
/* The same, and it does not read context.approvals at all.  Errors: INVALID,
 * LIMIT. */
bool condition_check_without_approvals(struct text text, struct error *err) MUST_CHECK;
/* True if text is one or more Cedar policies that only forbid, and use
 * context.approvals only so that more of it allows more.  Errors: INVALID with
 * "line N: ", LIMIT. */
bool guardrail_check(struct text text, struct error *err) MUST_CHECK;

#endif
