#ifndef SERVICES_REGISTRY_PLAN_ACCOUNTS_H
#define SERVICES_REGISTRY_PLAN_ACCOUNTS_H

#include "domain/charter/registry.h"
#include "services/registry/plan.h"
#include "services/registry/plan_guardrails.h"

/* An account at a provider is one identity's: else nobody could say who acted. */

/* Adds a problem to each identity of the documents that claims an account which another one
 * claims, in them or in force.  Errors: LIMIT. */
bool plan_check_accounts(struct plan *plan, const struct registry *registry,
	const struct plan_documents *documents, struct error *err) MUST_CHECK;

/* The identity in force, other than the charter's own, that has one of its accounts; *account is
 * which.  NULL: none has. */
const struct registry_entry *accounts_taken(
	const struct registry *registry, const struct charter *charter, struct text *account);

#endif
