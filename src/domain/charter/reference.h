#ifndef DOMAIN_CHARTER_REFERENCE_H
#define DOMAIN_CHARTER_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/charter/object.h"
#include "domain/charter/problem.h"

/* What an object says about others: do they exist, and do the two fit? */

/* The objects as they would be.  A struct of functions, so that a plan can lay
 * its documents over the registry. */
struct reference_world {
	void *context;
	/* What would be in force, or waiting, under the name; NULL: nothing. */
	const struct object *(*find)(void *context, enum object_kind kind, struct text name);
	/* The names of that kind, for suggestions: calls visit until it returns
	 * false.  May be NULL. */
	void (*each_name)(void *context, enum object_kind kind,
		bool (*visit)(void *visitor, struct text name), void *visitor);
	int64_t now_utc_s;
};

/* Reports every reference of object to something that is not there or does not
 * fit: unknown person, unit, server, tool, data source, identity, model; a line on a
 * model that `model` does not list; an entitlement whose effect is not the tool's; a tool or data
 * source of an environment the charter does not cover; an end that has passed. */
void references_check(const struct object *object, const struct reference_world *world,
	struct text file, struct problems *problems);

/* True if object names (kind, name). */
bool object_refers_to(const struct object *object, enum object_kind kind, struct text name);

#endif
