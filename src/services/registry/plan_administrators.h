#ifndef SERVICES_REGISTRY_PLAN_ADMINISTRATORS_H
#define SERVICES_REGISTRY_PLAN_ADMINISTRATORS_H

#include "domain/charter/registry.h"
#include "services/registry/plan.h"
#include "services/registry/plan_guardrails.h"

/* Adds a problem to each change that takes the role from an administrator, if nobody would be
 * left who is one and can sign: then nobody could give it back but whoever is at the socket. */
void plan_check_administrators(
	struct plan *plan, const struct registry *registry, const struct plan_documents *documents);

#endif
