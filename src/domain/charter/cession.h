#ifndef DOMAIN_CHARTER_CESSION_H
#define DOMAIN_CHARTER_CESSION_H

#include "base/arena.h"
#include "base/error.h"
#include "domain/charter/registry.h"

/* What a new version of a server or tool, or its removal, takes out of a unit's hands: then a
 * line on it touches the unit no more (crossing.h), and nobody would be asked.  The unit a server
 * is of is its own; the units a tool's `reads` name are those of the data.  What belongs to the
 * organisation's own unit is shared by all, and leaves nobody. */

/* The units that it leaves, as consents are written (names, sorted), in arena.  before is what
 * is in force; after is NULL for a removal.  A line of `reads` that stands there, or that stands
 * under fewer conditions, takes nothing.  Errors: LIMIT. */
bool cession_units(struct text *out, struct arena *arena, const struct registry *registry,
	const struct object *before, const struct object *after, struct error *err) MUST_CHECK;

#endif
