#ifndef SERVICES_REGISTRY_PLAN_NOTES_H
#define SERVICES_REGISTRY_PLAN_NOTES_H

#include "domain/charter/reference.h"
#include "services/registry/custody.h"
#include "services/registry/plan.h"

enum { PLAN_MORE_NOTES_MAX = 100 }; /* beside those of outputs; more are not told */

/* The plan's notes with more behind them, while they are made. */
struct plan_noting {
	struct plan *plan;
	const struct registry *registry;
	const struct reference_world *world; /* as the plan would make it */
	const struct custody *custody;       /* of the actor; NULL: no unit is asked yet */
	const struct plan_change *change;    /* that is looked at */
	struct plan_note *notes;
	size_t count;
	size_t most;
	size_t sandboxes; /* of the unit that is looked at */
	bool has_failed;  /* no memory */
};

/* Adds one about the change, unless the same stands there. */
void plan_note_add(struct plan_noting *noting, const char *format, ...) PRINTF_LIKE(2, 3);

/* Notes what the changes say and cannot mean: lines of a charter or a template that never
 * permit or let go anything, a role that is nearly one of remit's, names in a guardrail of
 * what is not registered; sandboxes that stop because their template is taken away; and
 * custodians that a unit is asked about.  custody is the actor's; NULL: no unit is asked yet.
 * Errors: LIMIT. */
bool plan_note_more(struct plan *plan, const struct registry *registry,
	const struct reference_world *world, const struct custody *custody,
	struct error *err) MUST_CHECK;

/* The part of it about the guardrail in noting->change. */
void plan_note_names(struct plan_noting *noting);

#endif
