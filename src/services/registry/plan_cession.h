#ifndef SERVICES_REGISTRY_PLAN_CESSION_H
#define SERVICES_REGISTRY_PLAN_CESSION_H

#include "domain/charter/registry.h"
#include "services/registry/custodians.h"

/* Changes that take a server or a tool out of a unit's hands (domain/charter/cession.h), as plans
 * tell them. */

struct plan_cession {
	const struct registry *registry;
	struct custodians *custodians; /* of it */
	struct arena *arena;
	struct text actor;  /* who asks */
	struct text author; /* of what is asked about; of a change that is planned, the actor */
	bool is_founding;   /* then nobody is asked: one administrator gives roles alone */
};

/* Whether the entry stays as it is until a unit has agreed that it becomes `after`, or (NULL)
 * goes: the actor does not answer for each unit that it leaves.  True also without memory. */
bool plan_cession_waits(const struct plan_cession *asked, const struct registry_entry *entry,
	const struct object *after) MUST_CHECK;
/* Who could agree for one of the units, with a key, the author apart; at most
 * PLAN_APPROVERS_MAX, in the arena.  Errors: LIMIT. */
bool plan_cession_names(const struct plan_cession *asked, const struct registry_entry *entry,
	const struct object *after, const struct text **out, size_t *count,
	struct error *err) MUST_CHECK;

#endif
