#ifndef SERVICES_REGISTRY_PLAN_GUARDRAILS_H
#define SERVICES_REGISTRY_PLAN_GUARDRAILS_H

#include "domain/charter/registry.h"
#include "services/registry/plan.h"

enum {
	/* Text of all guardrails in force of one unit.  Each may be as it must be and all of
	 * them together too much: what could not be compiled must not come on record. */
	UNIT_POLICIES_BYTES_MAX = 16 * 1024 * 1024,
};

/* Where documents came from. */
struct plan_documents {
	const struct object *const *objects;
	const struct text *files; /* of each */
	size_t count;
};

/* The place of one of them, for problems. */
struct place plan_place_of(const struct plan_documents *documents, const struct object *object);

/* Compiles the guardrails of each unit of which the plan changes one, as they would be
 * with all it proposes and with what it puts in force at once, and adds a problem where
 * they cannot be; what is in force stays.  Errors: LIMIT. */
bool plan_check_guardrails(struct plan *plan, const struct registry *registry,
	const struct plan_documents *documents, struct error *err) MUST_CHECK;

#endif
