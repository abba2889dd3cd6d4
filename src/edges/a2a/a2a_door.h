#ifndef EDGES_A2A_A2A_DOOR_H
#define EDGES_A2A_A2A_DOOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "services/call/call_service.h"
#include "services/issue/card_signer.h"
#include "services/issue/issue.h"
#include "wire/router.h"

/* The door to peers, /a2a/IDENTITY: A2A 1.0, JSON-RPC over POST with answers as JSON or as a
 * stream of events, and the peer's agent card, signed anew, at
 * /a2a/IDENTITY/.well-known/agent-card.json.  It checks form and token and hands each request
 * to services/call.  No rule lives here.  docs/a2a.md says what clients see. */

enum {
	A2A_ROUTES = 2,
	/* Answers under way: as many as there are calls, of which each identity has a share. */
	A2A_CALLS_MAX = CALL_EXCHANGES_MAX_DEFAULT,
	A2A_CARDS_MAX = 256, /* cards under way */
	/* Of those, of one identity: a peer that does not answer holds each for a while. */
	A2A_CARDS_PER_IDENTITY_MAX = A2A_CARDS_MAX / 8,
};

/* JSON-RPC codes: of A2A 1.0, and ours.  A client sees one from A2A_CODE_FIRST to A2A_CODE_LAST
 * from remit alone. */
enum {
	A2A_TASK_NOT_FOUND = -32001,
	A2A_PUSH_NOT_SUPPORTED = -32003,
	A2A_UNSUPPORTED_OPERATION = -32004,
	A2A_CONTENT_TYPE_NOT_SUPPORTED = -32005,
	A2A_EXTENDED_CARD_NOT_CONFIGURED = -32007,
	A2A_VERSION_NOT_SUPPORTED = -32009,
	A2A_REFUSED = -32010,         /* data: why, and the record */
	A2A_APPROVAL_NEEDED = -32011, /* likewise, with the approval's id */
	A2A_PEER_FAILED = -32012,     /* allowed, but no answer came from the peer */
	A2A_BUSY = -32013,            /* too much in flight: try again */
	A2A_PEER_ERROR = -32014,      /* the peer's own, under a code of ours */
	A2A_CODE_FIRST = -32019,
	A2A_CODE_LAST = A2A_REFUSED,
};

struct a2a_door;

/* All borrowed while the door lives. */
struct a2a_door_settings {
	struct issue *issue;
	struct call_service *calls;
	struct decide_service *decide;
	const struct registry *registry;
	struct card_signer signer;
	int64_t (*now_utc_ms)(void *context);
	void *clock_context;
};

/* Errors: LIMIT. */
bool a2a_door_create(struct a2a_door **out, const struct a2a_door_settings *settings,
	struct error *err) MUST_CHECK;
/* Adds its routes.  Errors: as router_add. */
bool a2a_door_route(struct a2a_door *door, struct router *router, struct error *err) MUST_CHECK;
/* After the HTTP server, before services/call. */
void a2a_door_destroy(struct a2a_door **door);

/* Answers under way. */
size_t a2a_door_calls(const struct a2a_door *door);

#endif
