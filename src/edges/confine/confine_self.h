#ifndef EDGES_CONFINE_CONFINE_SELF_H
#define EDGES_CONFINE_CONFINE_SELF_H

#include "base/attr.h"
#include "base/error.h"

/* Gives up, for this process and its children, what the daemon never needs:
 * gaining privileges by exec, core dumps, being traced by others of the same
 * user, files that others may read.  Called once, before the first key is
 * read.  Errors: IO. */
bool confine_self(struct error *err) MUST_CHECK;

#endif
