#ifndef SERVICES_CALL_UPSTREAM_H
#define SERVICES_CALL_UPSTREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "domain/charter/terms.h"

/* The port through which a decided, recorded call leaves for a server.
 * Filled by edges/upstream; `start` is called by one function, forward() in
 * exchange.c.
 * Everything runs on the loop's thread.  No callback runs from within the
 * function of the port that was given it: always later, from the loop. */

/* The edge's own object for one wait; what the port hands out is valid until
 * its last callback returned or it was cancelled. */
struct upstream_wait;

/* Who wants to know that a server is ready. */
struct upstream_ready {
	void *context;
	/* Once.  err is NULL if the server is connected, initialized and its
	 * tool definitions were handed to upstream_definitions of the listener
	 * since it connected; else why not. */
	void (*run)(void *context, const struct error *err);
	/* Whose request is to follow, where, of which task; empty: nobody's; borrowed as long
	 * as the wait lasts. */
	struct text identity;
	enum environment environment;
	struct text task;
};

/* The answer to one request, borrowed during the callback. */
struct upstream_answer {
	const struct json *result;   /* NULL unless the server answered with one */
	const struct json *error;    /* NULL unless the server answered a JSON-RPC error */
	unsigned status;             /* of a provider that answered, HTTP; else 0 */
	const struct error *failure; /* NULL unless there was no answer: down,
				      * crashed, nonsense (IO), too large (LIMIT),
				      * deadline (TIMEOUT) */
	/* True if the request may have reached the server although there is no
	 * answer: then what it did is unknown. */
	bool is_unknown;
};

/* What a provider of models answers, as it comes; borrowed during the callback. */
struct upstream_bytes {
	unsigned status; /* HTTP */
	enum upstream_type {
		UPSTREAM_OTHER = 0,
		UPSTREAM_JSON,  /* application/json */
		UPSTREAM_EVENTS /* text/event-stream */
	} type;
	struct text bytes; /* the next of the body */
};

/* One request on behalf of an agent.  All texts and params are borrowed until
 * on_answer returned or the request was cancelled. */
struct upstream_request {
	struct text server;   /* name in the registry */
	struct text identity; /* whose it is: a provider may have a credential for it */
	enum environment environment;
	struct text task;
	struct text method;        /* "tools/call" */
	const struct json *params; /* an object or NULL; the edge puts its own
				    * progress token where wants_progress */
	bool wants_progress;
	/* What remit tells the server of a read, in `_meta`: as remit/ceiling how sensitive
	 * its rows may be (UNLABELLED: nothing), as remit/record the decision's number. */
	enum sensitivity ceiling;
	bool tells_record;
	uint64_t record;
	/* To a provider of models: method is the path below /v1, and this is sent instead of
	 * params.  Empty: to another server. */
	struct text body;
	/* To a peer: params are the arguments (domain/call/peer_request.h); beside record, what it
	 * is told of the task: its id above, and the most sensitive that it has read. */
	struct text label;
	/* To a peer that is governed here: the token that it may exchange for its own.  Sent
	 * instead of the server's credential; empty: none. */
	struct text subject_token;
	int64_t deadline_ms; /* monotonic, as loop_now_ms; a provider's next bytes may take
			      * as long again */
	void *context;
	/* A notification that belongs to this request (notifications/progress,
	 * notifications/message), any number of times before on_answer; of a peer each event
	 * of a stream, method empty, and the answer then has the last one. */
	void (*on_notice)(void *context, struct text method, const struct json *params);
	/* A provider's answer, any number of times before on_answer, which then brings no
	 * result and no error, but a status or a failure. */
	void (*on_bytes)(void *context, const struct upstream_bytes *bytes);
	/* Exactly once, unless cancelled. */
	void (*on_answer)(void *context, const struct upstream_answer *answer);
};

/* What a server asks of an agent's client by itself, borrowed during on_request. */
struct upstream_ask {
	uint64_t number; /* the edge's own, never used twice */
	struct text server;
	struct text method;
	const struct json *params; /* or NULL */
	/* The request it belongs to: the one in whose HTTP answer it came, over stdio the only
	 * one it can be about; NULL: not known. */
	const struct upstream_request *request;
};

/* What is wrong with what is not taken. */
enum upstream_objection {
	UPSTREAM_OBJECTS_TO_METHOD = 0, /* nobody may ask for that, or not here */
	UPSTREAM_OBJECTS_TO_PARAMS,     /* not in this form */
	UPSTREAM_OBJECTS_TO_CLIENT,     /* this client did not say that it can answer it */
	UPSTREAM_OBJECTS_TO_MODE,       /* this client can answer it, but not in this mode */
};

/* What the server is told.  The first that is not NULL counts. */
struct upstream_reply {
	const struct json *result; /* the client's */
	const struct json *error;  /* the client's: {code, message} */
	const char *refusal;       /* why there is none */
};

struct upstream {
	void *context;
	/* Connects the server if need be: starts its process or session, initializes
	 * it, lists its tools.  This is remit's own doing, on behalf of no agent.
	 * False: it cannot even be tried, and ready does not run.
	 * Errors: NOT_FOUND (not registered), IO, LIMIT. */
	bool (*prepare)(void *context, struct text server, int64_t deadline_ms,
		const struct upstream_ready *ready, struct upstream_wait **out, struct error *err);
	/* Sends the request.  False: nothing was sent and no callback runs.
	 * Errors: NOT_FOUND, IO, LIMIT. */
	bool (*start)(void *context, const struct upstream_request *request,
		struct upstream_wait **out, struct error *err);
	/* Gives up one wait: no callback runs any more; a request that was sent
	 * is cancelled at the server (notifications/cancelled).  *wait becomes
	 * NULL; it may be NULL.  May be called from within on_notice and on_bytes of the same
	 * wait. */
	void (*cancel)(void *context, struct upstream_wait **wait);
	/* Answers what on_request took.  A number that is not open any more (the
	 * server is gone, or took it back) is no error, and nothing is sent.  False: it could
	 * not be sent; it stays open.  Errors: IO, LIMIT. */
	bool (*respond)(void *context, uint64_t number, const struct upstream_reply *reply,
		struct error *err);
	/* The agent card of a peer that is ready, as it came, into arena.  May be NULL.
	 * Errors: IO, LIMIT. */
	bool (*card)(void *context, struct text server, struct arena *arena, struct json *out,
		struct error *err);
};

/* What edges/upstream reports unasked; filled by services/call
 * (call_upstream_listener) and given to the edge by main. */
struct upstream_listener {
	void *context;
	/* The tools a server defines, each time it listed them: at connect and
	 * after notifications/tools/list_changed.  tools is the array of
	 * definitions as received. */
	void (*on_definitions)(void *context, struct text server, const struct json *tools);
	/* A server asks something of the agent's client by itself (sampling/createMessage,
	 * elicitation/create ...).  True: it is answered by respond, later.  False: the edge
	 * refuses it, with this objection. */
	bool (*on_request)(void *context, const struct upstream_ask *asked,
		enum upstream_objection *objection);
	/* What was taken is not to be answered any more. */
	void (*on_withdrawn)(void *context, uint64_t number);
	/* A server is gone; its definitions are no longer known. */
	void (*on_gone)(void *context, struct text server);
};

#endif
