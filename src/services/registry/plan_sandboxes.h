#ifndef SERVICES_REGISTRY_PLAN_SANDBOXES_H
#define SERVICES_REGISTRY_PLAN_SANDBOXES_H

#include "domain/charter/registry.h"

/* What a plan may say of sandboxes and their templates. */

/* True if the unit would have a template for sandboxes that is not the one in force
 * (in_force may be NULL).  Whether it is wider is not asked: of two conditions nobody can
 * tell. */
bool plan_has_new_template(const struct object *in_force, const struct object *after);

struct plan_sandbox {
	bool is_opening; /* by its template, not by a document of somebody's */
	struct text file;
};
/* Reports a charter that says it is a sandbox's and may not: of an identity that is none,
 * from another template or with a later end than in force, or wider than the template of its
 * unit.  Looks at nothing else. */
void plan_check_sandbox(const struct registry *registry, const struct object *object,
	const struct plan_sandbox *how, struct problems *problems);

#endif
