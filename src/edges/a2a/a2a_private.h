#ifndef EDGES_A2A_A2A_PRIVATE_H
#define EDGES_A2A_A2A_PRIVATE_H

#include "base/buffer.h"
#include "edges/a2a/a2a_door.h"
#include "wire/jsonrpc.h"

/* Shared inside edges/a2a: a2a_door.c (what comes in), a2a_call.c (one answer under way),
 * a2a_card.c (cards), a2a_reply.c (what errors look like). */

struct a2a_card_request;

struct a2a_door {
	struct a2a_door_settings settings;
	struct http_route routes[A2A_ROUTES];
	size_t call_count;
	struct a2a_card_request *cards;
	size_t card_count;
};

/* a2a_door.c */

/* True if the caller has a token for this peer; else it was answered. */
bool a2a_admit(struct a2a_door *door, struct http_exchange *exchange, struct issue_caller *caller);

/* a2a_call.c */

/* Hands one request over and answers the exchange, sooner or later. */
void a2a_call_begin(struct a2a_door *door, struct http_exchange *exchange,
	const struct jsonrpc_message *message, struct text task);

/* a2a_card.c */

void a2a_card_begin(
	struct a2a_door *door, struct http_exchange *exchange, const struct issue_caller *caller);
/* Those under way are forgotten. */
void a2a_cards_drop(struct a2a_door *door);

/* a2a_reply.c: one JSON-RPC answer in canonical JSON.  They fail as the buffer fails. */

/* What became of a request, as an error.  Not for RESULT. */
void a2a_format_failure(struct buffer *out, struct arena *arena, struct jsonrpc_id id,
	const struct call_reply *reply);
/* Of a request that services/call did not take. */
int64_t a2a_code_of_start(const struct error *err);
void a2a_respond(struct http_exchange *exchange, const struct buffer *message);
void a2a_respond_error(
	struct http_exchange *exchange, struct jsonrpc_id id, int64_t code, const char *text);

#endif
