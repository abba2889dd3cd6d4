#ifndef DOMAIN_CALL_PEER_REQUEST_H
#define DOMAIN_CALL_PEER_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

/* What is asked of a peer in A2A 1.0: the params of its JSON-RPC methods, read strictly.  They
 * become arguments, which are what is decided, recorded and bound; what the peer gets is made
 * of the arguments again, so nothing leaves that was not decided on.
 *
 * Arguments of a message, all but parts only where they are there:
 *   parts       the parts, as they came
 *   text        what the text parts say, a line each
 *   data        the value of the one data part
 *   urls        of the parts that only say where a file lies
 *   task        the peer's task it continues;  context, references: likewise
 *   metadata    of the request, less remit's own;  message: of the message
 *   modes, history, immediate   of its configuration
 * Of the other methods: task, and history. */

enum {
	PEER_PARTS_MAX = 64,
	PEER_REFERENCES_MAX = 16,
	PEER_MODES_MAX = 16,
	PEER_ID_BYTES_MAX = 128, /* of a task or a context of the peer */
	PEER_HISTORY_MAX = 1000, /* messages of a task that are asked for */
};

/* The protocol that is spoken, and how a client says so. */
#define PEER_VERSION "1.0"
#define PEER_VERSION_HEADER "A2A-Version"

struct peer_request {
	struct text skill;   /* metadata, remit/skill; empty: not said */
	struct text reason;  /* metadata, remit/reason: for people */
	struct text task;    /* the peer's; empty: none yet */
	struct text context; /* likewise */
	const struct text *references;
	uint32_t references_count;
	struct json arguments;
};

/* A method that sends a message, not one about a task that is there. */
bool peer_method_sends(struct text method);
/* A method that is answered by a stream. */
bool peer_method_streams(struct text method);

/* Whether the params ask that the peer sends elsewhere, which is never let through. */
bool peer_request_pushes(const struct json *params);
/* Values live in arena and params.  Errors: INVALID, LIMIT. */
bool peer_request_read(struct peer_request *out, struct arena *arena, struct text method,
	const struct json *params, struct error *err) MUST_CHECK;

/* What the peer is told beside the arguments. */
struct peer_told {
	struct text message; /* the id of the message; of no other use */
	struct text task;    /* remit's */
	struct text label;   /* the most sensitive that it has read */
	uint64_t record;
};
/* The params that the peer gets.  Errors: LIMIT, INVALID (no arguments of such a request). */
bool peer_request_params(struct json *out, struct arena *arena, struct text method,
	const struct json *arguments, const struct peer_told *told, struct error *err) MUST_CHECK;

#endif
