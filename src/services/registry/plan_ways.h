#ifndef SERVICES_REGISTRY_PLAN_WAYS_H
#define SERVICES_REGISTRY_PLAN_WAYS_H

#include "domain/charter/object.h"

/* Reports a server or a tool that no call could ever reach as it is written: a credential that
 * would leave in the clear, a tool that is named like a method and is none, is always refused,
 * or has another effect than the method.  Looks at no other kind. */
void plan_check_ways(const struct object *object, struct text file, struct problems *problems);

#endif
