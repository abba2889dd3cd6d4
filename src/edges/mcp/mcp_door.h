#ifndef EDGES_MCP_MCP_DOOR_H
#define EDGES_MCP_MCP_DOOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/loop.h"
#include "services/call/call_service.h"
#include "services/issue/issue.h"
#include "wire/router.h"

/* The agents' door, /mcp/SERVER: MCP 2025-11-25 over streamable HTTP.  It
 * checks form and token, and hands every request that is not answered here
 * (initialize, ping, the notices of the session) to services/call.  No rule
 * lives here.  docs/formats/mcp.md says what a refusal looks like. */

enum {
	MCP_SESSIONS_MAX = 8192,
	MCP_SESSIONS_PER_TASK_MAX = 64,
	MCP_SESSIONS_PER_IDENTITY_MAX = 2048,
	MCP_STREAMS_MAX = 4096,            /* GET streams, of all sessions */
	MCP_CALLS_PER_SESSION_MAX = 256,   /* requests in flight */
	MCP_ASKS_PER_SESSION_MAX = 32,     /* of servers, open with the client */
	MCP_SESSION_IDLE_MS = 3600 * 1000, /* without call or stream: forgotten */
	MCP_KEEP_ALIVE_MS = 15 * 1000,     /* a comment on a silent stream */
	MCP_ORIGINS_MAX = 32,
};

/* Codes of JSON-RPC errors of our own (from the range left to implementations).
 * An agent sees a code from MCP_CODE_FIRST to MCP_CODE_LAST from remit alone. */
enum {
	MCP_REFUSED = -32010,         /* data: the decision */
	MCP_APPROVAL_NEEDED = -32011, /* data: the decision, with the approval's id */
	MCP_SERVER_FAILED = -32012,   /* allowed, but no answer came from the server */
	MCP_BUSY = -32013,            /* too much in flight: try again */
	MCP_SERVER_ERROR = -32014,    /* the server's own, under a code of ours: data has it */
	MCP_URL_NEEDED = -32042,      /* of MCP: a person must open the URL in data (an approval) */
	MCP_CODE_FIRST = -32019,
	MCP_CODE_LAST = MCP_REFUSED,
};

struct mcp_door;

/* All borrowed while the door lives. */
struct mcp_door_settings {
	struct loop *loop;
	struct issue *issue;
	struct call_service *calls;
	/* Origins of web pages that may call, besides the issuer itself; anything
	 * else that names an Origin is refused. */
	const char *const *origins;
	size_t origin_count;
	const char *version; /* of this program, shown to clients */
};

/* Errors: LIMIT. */
bool mcp_door_create(struct mcp_door **out, const struct mcp_door_settings *settings,
	struct error *err) MUST_CHECK;
/* Adds POST, GET and DELETE of /mcp/{server}.  Errors: as router_add. */
bool mcp_door_route(struct mcp_door *door, struct router *router, struct error *err) MUST_CHECK;
/* After the HTTP server, before services/call. */
void mcp_door_destroy(struct mcp_door **door);

/* What a client was told to have a person open is done with: its sessions that can open one
 * hear notifications/elicitation/complete on their streams. */
void mcp_door_elicited(struct mcp_door *door, struct text task, struct text approval);

struct mcp_door_status {
	size_t sessions;
	size_t streams;
	size_t calls;
};
void mcp_door_status(const struct mcp_door *door, struct mcp_door_status *out);

#endif
