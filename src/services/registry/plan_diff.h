#ifndef SERVICES_REGISTRY_PLAN_DIFF_H
#define SERVICES_REGISTRY_PLAN_DIFF_H

#include <stdbool.h>

#include "services/registry/plan.h"

enum { PLAN_FIELDS_MAX = 1000 }; /* of one change; where more differ, members are told whole */

/* Fills change->fields with each field that differs between before and after;
 * none unless there are both.  None is left out.  What is told points into both.
 * Errors: LIMIT. */
bool plan_diff(struct plan_change *change, struct arena *arena, struct error *err) MUST_CHECK;

#endif
