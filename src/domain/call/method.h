#ifndef DOMAIN_CALL_METHOD_H
#define DOMAIN_CALL_METHOD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "domain/charter/terms.h"

/* Every method an MCP or A2A client may send, what a server may ask of a client, and every path
 * of a provider's API, and what the gateway does with it.  A method that is not in this table
 * is denied.  Sources: MCP 2025-11-25, A2A 1.0. */

enum method_route {
	METHOD_DENIED = 0, /* unknown, or known and not let through */
	METHOD_LOCAL,      /* the gateway answers it itself; no upstream, no decision:
			    * initialize, ping, the notifications of the session */
	METHOD_FILTERED,   /* decided as a read of the server's lists; the answer shows
			    * only what the caller could use: tools/list, resources/list,
			    * resources/templates/list, prompts/list */
	METHOD_TOOL,       /* decided by the tool's registered effect: tools/call */
	METHOD_MODEL,      /* decided as `generate` on a model; never an MCP client's: the
			    * request of a provider's API, named by its path */
	METHOD_PEER,       /* decided as `delegate` on a peer, by the skill it is about; the
			    * request of an A2A client, named by its method; never an MCP
			    * client's */
	METHOD_RESOURCE,   /* decided like a tool: resources/read of files is the tool
			    * files/resources.read, its params the arguments */
	METHOD_ASKED,      /* likewise, but a server asks it of an agent's client; of a client
			    * it is denied: elicitation/create is files/elicitation.create */
};

struct method {
	const char *name; /* "tools/call" */
	enum method_route route;
	enum effect effect; /* NONE where the tool says it */
};

/* The row of a method; never NULL: an unknown one has the route DENIED. */
const struct method *method_find(struct text name);
/* The same by the name the registry knows it by, with dots for some or all of its
 * slashes: "resources.read".  A2A's are known by the skill they are about. */
const struct method *method_find_dotted(struct text name);
/* The rows in order of their names; NULL beyond the last. */
const struct method *method_at(size_t index);
/* True for what brings data and is no tool: resources/read, prompts/get,
 * completion/complete.  It must be bound to a data source. */
bool method_is_retrieval(const struct method *method);
/* True for what calls pass by as by a tool, though no server defines it: resources/read,
 * elicitation/create and their like. */
bool method_has_door(const struct method *method);
/* True for what a server asks of a client: sampling/createMessage, elicitation/create. */
bool method_is_asked(const struct method *method);
/* True for a client's notification ("notifications/..."), which has no answer. */
bool method_is_notification(struct text name);

#endif
