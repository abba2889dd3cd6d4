#ifndef SERVICES_REGISTRY_PLAN_ISSUERS_H
#define SERVICES_REGISTRY_PLAN_ISSUERS_H

#include "domain/charter/registry.h"
#include "services/registry/plan.h"
#include "services/registry/plan_guardrails.h"

/* Adds a problem to each issuer of the documents whose URL or trust domain another one has, in
 * them or in the registry: neither's word would count. */
void plan_check_issuers(
	struct plan *plan, const struct registry *registry, const struct plan_documents *documents);

/* Adds a problem to each person of the documents whom an issuer would call as it calls another
 * one: neither could sign in.  Errors: LIMIT. */
bool plan_check_sign_ins(struct plan *plan, const struct registry *registry,
	const struct plan_documents *documents, struct error *err) MUST_CHECK;

#endif
