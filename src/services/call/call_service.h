#ifndef SERVICES_CALL_CALL_SERVICE_H
#define SERVICES_CALL_CALL_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "domain/decide/decision.h"
#include "services/call/upstream.h"

/* Every call of an agent, from the door to the answer.  One loop thread. */
struct call_service;
struct exchange;

/* What the door hands in: the token is verified, the JSON-RPC frame parsed.
 * Borrowed during call_start only: what outlives it is copied. */
struct call_request {
	struct text task;   /* of the verified token; its live state is read here */
	struct text server; /* the server of the path; the audience is checked */
	struct text method;
	const struct json *params; /* or NULL */
	bool wants_progress;       /* the client sent a progress token */
};

/* What the door sends back.  Borrowed during on_reply. */
struct call_reply {
	enum call_reply_kind {
		CALL_REFUSED = 0, /* decision says why; nothing reached the server */
		CALL_ASKED,       /* as REFUSED: people must approve; approval names it */
		CALL_FAILED,      /* allowed, but no answer: error says why */
		CALL_RESULT,      /* result, from the server */
		CALL_ERROR,       /* the server's JSON-RPC error object */
	} kind;
	const struct decision *decision; /* never NULL */
	bool is_recorded;                /* index is set */
	uint64_t index;                  /* leaf of the decision record */
	struct text approval;            /* id, for ASKED */
	struct text message;             /* for REFUSED, ASKED, FAILED: whole text for a
					  * model or person to read */
	const struct json *result;
	const struct json *error;
	const struct error *failure; /* FAILED, and refusals by a fault of ours; or NULL */
};

/* The door's side of one call. */
struct call_client {
	void *context;
	/* A notification that belongs to the call, any number before the reply. */
	void (*on_notice)(void *context, struct text method, const struct json *params);
	/* Exactly once, never from within call_start, unless call_abort was called. */
	void (*on_reply)(void *context, const struct call_reply *reply);
};

/* Takes a call over.  *out is valid until on_reply ran or call_abort was
 * called.  False: not taken (LIMIT: exchanges_max in flight, or too large;
 * INVALID: params are not what the method wants; NOT_FOUND: no such task). */
bool call_start(struct call_service *service, const struct call_request *request,
	const struct call_client *client, struct exchange **out, struct error *err) MUST_CHECK;

/* The client went away or cancelled.  No callback runs any more.  What was
 * already sent is cancelled at the server and still gets its outcome recorded.
 * *exchange becomes NULL; it may be NULL. */
void call_abort(struct exchange **exchange);

/* Long-lived streams (the GET stream of /mcp/SERVER).  The door embeds one per
 * stream; on_closed runs once, from the loop, when its task is no longer live:
 * killed, ended or expired. */
struct call_stream {
	struct text task; /* must outlive the stream */
	void (*on_closed)(struct call_stream *stream, struct text reason);
	struct call_stream *next;  /* private */
	struct call_stream **link; /* private */
};
/* False: the task is not live. */
bool call_stream_add(struct call_service *service, struct call_stream *stream) MUST_CHECK;
void call_stream_remove(struct call_service *service, struct call_stream *stream);

/* Ends an identity's or a task's authority now: exactly one of the two is
 * given.  One record; done runs on the loop once it is durable (err NULL) or
 * could not be written.  Errors: NOT_FOUND, INVALID, LIMIT, IO. */
struct call_kill {
	struct text identity;
	struct text task;
	struct text reason;
	struct text actor; /* "person:NAME", "uid:N" */
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err);
};
bool call_kill_submit(
	struct call_service *service, const struct call_kill *kill, struct error *err) MUST_CHECK;

/* To be given to edges/upstream by main. */
struct upstream_listener call_upstream_listener(struct call_service *service);

#endif
