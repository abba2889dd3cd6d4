#ifndef SERVICES_REGISTRY_PLAN_OUTPUTS_H
#define SERVICES_REGISTRY_PLAN_OUTPUTS_H

#include "services/registry/plan.h"

enum {
	PLAN_NOTES_MAX = 100,     /* charters that are told; of more, none */
	PLAN_NOTE_TOOLS_MAX = 16, /* tools that one note names */
};

/* The world as the plan would make it. */
typedef const struct object *plan_find(void *context, enum object_kind kind, struct text name);

/* Notes, for each charter that is created or changed, which tools its identity may call and is
 * refused as soon as its task has read what it may read, because no output lets that go
 * there.  Errors: LIMIT. */
bool plan_note_outputs(
	struct plan *plan, plan_find *find, void *context, struct error *err) MUST_CHECK;

#endif
