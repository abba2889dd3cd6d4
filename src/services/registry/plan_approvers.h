#ifndef SERVICES_REGISTRY_PLAN_APPROVERS_H
#define SERVICES_REGISTRY_PLAN_APPROVERS_H

#include "domain/charter/registry.h"
#include "services/registry/plan.h"

/* Who could approve what waits: people with a key.  What was found last is kept, since what
 * lies together in a plan is mostly of one unit.  Set the first two, zero the rest. */
struct plan_approvers {
	const struct registry *registry;
	struct arena *arena; /* of what is found */
	bool is_found;
	enum object_kind kind;
	struct text unit;
	const struct person *proposer;
	struct text found[PLAN_APPROVERS_MAX]; /* by role */
	size_t count;
	const struct text *kept;
};

/* True if people are named for this kind: an identity, a guardrail, an application. */
bool plan_has_approvers(enum object_kind kind);

/* At most PLAN_APPROVERS_MAX names in the arena, owners first, of those who may approve what
 * an actor proposed.  of: what is in force of it, whose people answer, else what waits.
 * Errors: LIMIT. */
bool plan_find_approvers(struct plan_approvers *all, const struct object *of, struct text proposer,
	const struct text **out, size_t *count, struct error *err) MUST_CHECK;

#endif
