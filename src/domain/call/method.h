#ifndef DOMAIN_CALL_METHOD_H
#define DOMAIN_CALL_METHOD_H

#include <stdbool.h>

#include "base/text.h"
#include "domain/charter/terms.h"

/* Every method an MCP client may send, and every path of a provider's API, and what the
 * gateway does with it.  A method that is not in this table is denied.  Source: MCP
 * 2025-11-25. */

enum method_route {
	METHOD_DENIED = 0, /* unknown, or known and not let through */
	METHOD_LOCAL,      /* the gateway answers it itself; no upstream, no decision:
			    * initialize, ping, the notifications of the session */
	METHOD_FILTERED,   /* decided as a read of the server's lists; the answer shows
			    * only what the caller could ever use: tools/list */
	METHOD_TOOL,       /* decided by the tool's registered effect: tools/call */
	METHOD_MODEL,      /* decided as `generate` on a model; never an MCP client's: the
			    * request of a provider's API, named by its path */
	METHOD_RESOURCE,   /* decided like a tool: resources/read of files is the tool
			    * files/resources.read, its params the arguments */
};

struct method {
	const char *name; /* "tools/call" */
	enum method_route route;
	enum effect effect; /* NONE where the tool says it */
};

/* The row of a method; never NULL: an unknown one has the route DENIED. */
const struct method *method_find(struct text name);
/* True for a client's notification ("notifications/..."), which has no answer. */
bool method_is_notification(struct text name);

#endif
