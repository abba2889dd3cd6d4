#ifndef EDGES_MCP_MCP_PRIVATE_H
#define EDGES_MCP_MCP_PRIVATE_H

#include "base/random.h"
#include "domain/charter/charter.h"
#include "domain/task/task.h"
#include "edges/mcp/mcp_door.h"
#include "wire/jsonrpc.h"
#include "wire/sse.h"

/* Shared inside edges/mcp: mcp_door.c (what comes in), mcp_session.c, mcp_call.c
 * (one request in flight), mcp_stream.c (the GET stream). */

enum { SESSION_BUCKETS = 1024, SERVER_NAME_BYTES_MAX = 256 };

struct mcp_call;
struct mcp_stream;

/* A client's session: an id that only its task may use, at one server. */
struct mcp_session {
	struct mcp_door *door;
	struct mcp_session *next; /* in its bucket */
	struct mcp_session *older, *newer;
	char id[RANDOM_ID_BYTES];
	char task[TASK_ID_BYTES + 1];
	char identity[CHARTER_NAME_BYTES_MAX + 1];
	char server[SERVER_NAME_BYTES_MAX];
	int64_t used_ms;
	struct call_stream life;   /* ends with its task */
	bool is_watched;           /* life is with services/call */
	struct issue_session held; /* of a task that lives as long as its sessions do */
	unsigned abilities;        /* of its client: enum ask_ability */
	size_t ask_count;          /* what its client is asked just now */
	struct mcp_call *calls;
	size_t call_count;
	struct mcp_stream *streams;
};

struct mcp_door {
	struct mcp_door_settings settings;
	struct http_route routes[3];
	struct mcp_session *buckets[SESSION_BUCKETS];
	struct mcp_session *newest;
	struct loop_timer sweep;
	size_t session_count;
	size_t stream_count;
	size_t call_count;
	struct leaving *leavings; /* clients that wait for the end of their sessions */
};

/* mcp_session.c */

/* Errors: LIMIT, NOT_FOUND (the task is not live). */
bool session_create(struct mcp_session **out, struct mcp_door *door,
	const struct issue_caller *caller, struct text server, struct error *err) MUST_CHECK;
/* The session, if it is this task's at this server; else NULL. */
struct mcp_session *session_find(
	struct mcp_door *door, struct text id, struct text task, struct text server);
/* Ends its streams; its calls go on, without it. */
void session_end(struct mcp_session *session);
/* The same, by its client's wish: waiter hears when what ends with it is on record.  Errors: as
 * issue_session_leave; the session has gone all the same. */
bool session_leave(
	struct mcp_session *session, struct issue_end_waiter waiter, struct error *err) MUST_CHECK;
void session_sweep_start(struct mcp_door *door);

/* mcp_call.c */

/* Hands one request to services/call and answers the exchange, sooner or later. */
void call_begin(struct mcp_session *session, struct http_exchange *exchange,
	const struct jsonrpc_message *message);
/* notifications/cancelled: the client does not want the answer any more. */
void call_cancel(struct mcp_session *session, const struct json *params);
/* The client's answer to what a server asked.  False: nothing of that id waits. */
bool call_take_answer(struct mcp_session *session, const struct jsonrpc_message *message);
/* The session is gone; its calls are not. */
void calls_release(struct mcp_session *session);

/* mcp_stream.c */

void stream_begin(struct mcp_session *session, struct http_exchange *exchange);
void streams_end(struct mcp_session *session);
/* A notification on every stream of the session.  One that does not fit is dropped. */
void streams_tell(struct mcp_session *session, struct text method, const struct json *params);

/* mcp_strip.c */

/* What a server sent, without what only remit may say: the members of any
 * `_meta` that begin with "remit/".  Borrows from value; copies nothing where
 * there are none.  Errors: LIMIT. */
bool strip_marks(struct json *out, struct arena *arena, const struct json *value,
	struct error *err) MUST_CHECK;

/* mcp_reply.c: one JSON-RPC answer in canonical JSON.  They fail as the buffer fails. */

/* The request that is answered. */
struct reply_to {
	struct jsonrpc_id id;
	struct text method;
	/* Where people read how to answer an approval, up to its id; empty: the client cannot
	 * have one open it, so the agent is told to come back. */
	struct text page;
};
/* Errors: LIMIT (arena full). */
bool reply_format(struct buffer *out, struct arena *arena, const struct reply_to *to,
	const struct call_reply *reply, struct error *err) MUST_CHECK;
void respond_message(struct http_exchange *exchange, unsigned status, const struct buffer *message);
void respond_error(struct http_exchange *exchange, unsigned status, struct jsonrpc_id id,
	int64_t code, const char *text);

#endif
