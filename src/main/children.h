#ifndef MAIN_CHILDREN_H
#define MAIN_CHILDREN_H

#include "base/attr.h"
#include "base/error.h"
#include "edges/confine/confine.h"
#include "edges/upstream/upstream_edge.h"
#include "services/settings/settings.h"

/* Joins edges/confine to edges/upstream: how servers over stdio are held. */

/* Says in the log what this kernel can hold them to, and makes the confiner.
 * settings and search_path are borrowed while it lives.  Errors: IO, LIMIT. */
bool children_open(struct confiner **out, const struct settings *settings, const char *search_path,
	struct error *err) MUST_CHECK;
/* The port; confiner must outlive it. */
struct upstream_confiner children_port(struct confiner *confiner);

#endif
