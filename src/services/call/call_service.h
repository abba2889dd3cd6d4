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
#include "domain/task/task.h"
#include "services/approve/approve.h"
#include "services/call/upstream.h"
#include "services/decide/decide_service.h"
#include "services/detect/detector.h"
#include "services/record/contents.h"
#include "services/registry/fold.h"

/* Every call of an agent, from the door to the answer.  One loop thread. */
struct call_service;
struct exchange;

enum {
	CALL_EXCHANGES_MAX_DEFAULT = 4096,
	/* Of those, what one identity and one task may hold, so that neither can
	 * take them from all others: a quarter, and a quarter of that. */
	CALL_EXCHANGES_PER_IDENTITY_MAX_DEFAULT = CALL_EXCHANGES_MAX_DEFAULT / 4,
	CALL_EXCHANGES_PER_TASK_MAX_DEFAULT = CALL_EXCHANGES_PER_IDENTITY_MAX_DEFAULT / 4,
	CALL_ARENA_BYTES_DEFAULT = 16 * 1024 * 1024, /* of one exchange */
	CALL_RECORD_MS = 30 * 1000,                  /* longest wait for the log */
	CALL_PREPARE_MS = 30 * 1000,                 /* longest wait for a server to start */
	CALL_HOLD_MS_DEFAULT = 20 * 1000,
	CALL_UPSTREAM_MS_DEFAULT = 120 * 1000,
	CALL_TICK_MS = 50, /* how exact deadlines are */
	/* What a server may have asked within one call: at once, and in all. */
	CALL_ASKS_OPEN_MAX = 4,
	CALL_ASKS_MAX = 64,
	CALL_REASON_BYTES_MAX = 1000,
};

/* What lies sealed beside a record, opened: what a person would accept is told to the agent.
 * open may be NULL: then it is told the approval's id alone.  Errors: NOT_FOUND, CORRUPT,
 * LIMIT, IO. */
struct call_contents {
	void *context;
	bool (*open)(void *context, uint64_t index, struct arena *arena, struct text *out,
		struct error *err);
};

/* What is done with a tool call that a model asks for and its identity may not make. */
enum call_tool_calls {
	CALL_TOOLS_BLOCK = 0, /* the answer ends before it */
	CALL_TOOLS_RECORD,    /* it is on record, and passes */
};

struct call_settings {
	enum call_tool_calls tool_calls;
	int64_t hold_ms;      /* how long an asked call waits; 0: answered at once */
	int64_t upstream_ms;  /* longest wait for an answer */
	size_t exchanges_max; /* in flight at once */
	size_t exchanges_per_identity_max;
	size_t exchanges_per_task_max;
	size_t arena_bytes; /* of one exchange */
};
extern const struct call_settings call_settings_default;

/* Who hears what is said to models: each text of a request that was let through, once, when
 * its decision is durable (generation_each_message says what a role is).  on_prompt NULL:
 * nobody. */
struct call_prompts {
	void *context;
	void (*on_prompt)(void *context, struct text task, struct text role, struct text text);
};

/* All borrowed; they outlive the service. */
/* What a peer that is governed here is handed: a token that it alone may exchange. */
struct call_hand {
	/* Once: before make returns, or from the loop.  token is empty where none was made; it is
	 * good until this returns. */
	void (*done)(struct call_hand *hand, struct text token, const struct error *err);
	void *context;
};

/* Who makes these tokens; make may be NULL: then no peer gets one. */
struct call_handing {
	void *context;
	/* False: none can be made, and done does not run.  Errors: LIMIT. */
	bool (*make)(void *context, struct text task, struct text peer, struct call_hand *hand,
		struct error *err);
};

struct call_ports {
	struct loop *loop;
	struct fold *fold;
	const struct registry *registry;
	struct task_table *tasks;
	struct decide_service *decide;
	struct approve *approve;
	struct upstream upstream;
	struct contents_port values;
	struct detector *detector; /* NULL: no secret is looked for */
	struct call_contents contents;
	struct call_prompts prompts;
	struct call_handing handing;
};

/* Registers its handlers and projectors with the fold: after those of registry,
 * tasks and approvals.  ports and settings are copied.  Errors: LIMIT. */
bool call_service_create(struct call_service **out, const struct call_ports *ports,
	const struct call_settings *settings, struct error *err) MUST_CHECK;
/* Takes the times of settings for the waits that begin from now on, and what becomes of the
 * tool calls of a model; what bounds memory stays as it was created. */
void call_service_change(struct call_service *service, const struct call_settings *settings);
/* Nothing may be in flight to the log any more (record_log_close).  No callback
 * runs. */
void call_service_destroy(struct call_service **service);

/* Once, when the fold has loaded and before any door opens: every call that was let
 * through and has no outcome gets the outcome `unknown`; *out_count says how
 * many.  Starts the deadlines' timer.  Errors: LIMIT, IO. */
bool call_recover(struct call_service *service, size_t *out_count, struct error *err) MUST_CHECK;

/* Passes every deadline that is due at now (monotonic, ms) and looks whether the
 * tasks of calls and streams still live.  Runs by itself every CALL_TICK_MS once
 * call_recover was called; tests call it. */
void call_tick(struct call_service *service, int64_t now_ms);

/* Counters since the start, for metrics. */
struct call_figures {
	uint64_t allowed;
	uint64_t denied;
	uint64_t asked;
	uint64_t unrecorded; /* refused because no record could be made */
	uint64_t forwarded;
	uint64_t answered; /* by the server, result or error */
	uint64_t failed;
	uint64_t withheld;        /* answered, and not passed on */
	uint64_t server_requests; /* of servers to clients */
	uint64_t server_asked;    /* of those, passed to the client */
	uint64_t aborted;
	uint64_t revoked;
	uint64_t killed;          /* kill records */
	uint64_t stopped;         /* answers of models, by a budget or a tool call */
	uint64_t secrets_own;     /* seen in arguments, answers and notices */
	uint64_t secrets_foreign; /* likewise */
	uint64_t secrets_logged;  /* values kept out of the daemon's log */
	size_t in_flight;
	size_t streams;
};
struct call_figures call_figures(const struct call_service *service);

/* What the door hands in: the token is verified, the JSON-RPC frame parsed.
 * Borrowed during call_start only: what outlives it is copied. */
struct call_request {
	struct text task;   /* of the verified token; its live state is read here */
	struct text server; /* the server of the path; the audience is checked */
	struct text method;
	const struct json *params; /* or NULL; of its _meta, "remit/reason" is for people */
	bool wants_progress;       /* the client sent a progress token */
	/* To a model: server is its provider, method the path below /v1 ("messages"), params
	 * the body.  Never said by an MCP client. */
	bool is_generation;
	/* To a peer: server is its name, method A2A's, params those of A2A. */
	bool is_peer;
	/* What the client can be asked (enum ask_ability in domain/call/ask.h). */
	unsigned abilities;
};

/* What the door sends back.  Borrowed during on_reply. */
struct call_reply {
	enum call_reply_kind {
		CALL_REFUSED = 0, /* decision says why; nothing reached the server */
		CALL_ASKED,       /* as REFUSED: people must approve; approval names it */
		CALL_FAILED,      /* allowed, but no answer: error says why */
		CALL_STOPPED,     /* a model's answer that began, and may not go on: decision
				   * says why */
		CALL_RESULT,      /* result, from the server */
		CALL_ERROR,       /* the server's JSON-RPC error object; of a provider the
				   * HTTP status, and its own words in message */
	} kind;
	const struct decision *decision; /* never NULL */
	bool is_recorded;                /* index is set */
	uint64_t index;                  /* leaf of the decision record */
	struct text approval;            /* id, for ASKED */
	const struct json *accepted;     /* REFUSED: arguments a person would accept; or NULL */
	struct text message;             /* for REFUSED, ASKED, FAILED: whole text for a
					  * model or person to read */
	const struct json *result;
	struct text result_text; /* it in canonical form, or empty: then who needs it makes it */
	const struct json *error;
	unsigned status;             /* of a provider's ERROR */
	const struct error *failure; /* FAILED, and refusals by a fault of ours; or NULL */
};

/* What a server asks, as the client may see it.  Borrowed during on_ask. */
struct call_ask {
	uint64_t number;
	struct text method; /* "elicitation/create" */
	const struct json *params;
};

/* The door's side of one call. */
struct call_client {
	void *context;
	/* A notification that belongs to the call, any number before the reply. */
	void (*on_notice)(void *context, struct text method, const struct json *params);
	/* The next bytes of a model's answer, exactly as they came, before the reply: RESULT
	 * then only says that they were all.  NULL where no model is asked. */
	void (*on_bytes)(void *context, bool is_stream, struct text bytes);
	/* The server asks something of the client within the call, and may: any number before
	 * the reply, each under a number that is never used twice, which call_answer brings
	 * back.  NULL: nothing can be asked.  False: it did not leave.  Errors: LIMIT, IO,
	 * INVALID (it would speak as remit). */
	bool (*on_ask)(void *context, const struct call_ask *ask, struct error *err);
	/* It is not to be answered any more; never after the reply. */
	void (*on_ask_over)(void *context, uint64_t number);
	/* Exactly once, never from within call_start, unless call_abort was called. */
	void (*on_reply)(void *context, const struct call_reply *reply);
};

/* Takes a call over.  *out is valid until on_reply ran or call_abort was
 * called.  False: not taken (LIMIT: exchanges_max in flight, or the identity's or
 * the task's share of them, or too large;
 * INVALID: params are not what the method wants, or a secret stands in a name; NOT_FOUND: no such
 * task; CONFLICT: a task of a peer that is not one of the caller's). */
bool call_start(struct call_service *service, const struct call_request *request,
	const struct call_client *client, struct exchange **out, struct error *err) MUST_CHECK;

/* What a client answers, borrowed: one of both. */
struct call_answer {
	const struct json *result;
	const struct json *error;
};
/* The client's answer to what the server asked within its call.  False: nothing of that
 * number waits (any more), and nothing was done. */
bool call_answer(struct exchange *within, uint64_t number, const struct call_answer *answer);

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

/* Ends a node's authority now, and all below it: a unit's, an identity's, one instance's of
 * an identity (both are given), a task's, or a token's of a task (both are given).  One
 * record, whatever hangs below; done runs on the loop once it is durable (err NULL) or
 * could not be written.  Errors: NOT_FOUND, INVALID (also "forbidden: " where
 * the actor may not), CONFLICT (a state that cannot be killed), LIMIT, IO. */
struct call_kill {
	struct text unit;
	struct text identity;
	struct text instance;
	struct text task;
	struct text token; /* jti */
	struct text reason;
	struct text actor; /* "person:NAME", "uid:N" */
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err);
};
bool call_kill_submit(
	struct call_service *service, const struct call_kill *kill, struct error *err) MUST_CHECK;

/* People are asked about the one call that a task was opened for (its details list exactly
 * one, task_details_one_call) before it is made: it is decided as it will be, and what they
 * answer is bound to exactly it, so it is answered and used like any other approval.  done
 * runs once, from the loop or before this returns. */
enum call_first_answer {
	CALL_FIRST_FAILED = 0, /* err says why */
	CALL_FIRST_REFUSED,    /* it would be refused whatever people say; err says why */
	CALL_FIRST_ASKED,      /* approval is the question's id, durable */
	CALL_FIRST_ALLOWED,    /* nobody needs to be asked */
};
struct call_first {
	struct text task;
	struct text message; /* the client's words, for people; may be empty */
	void *context;
	void (*done)(struct call_first *asked);
	enum call_first_answer answer;
	char approval[APPROVAL_ID_BYTES + 1];
	struct error err;
};
void call_ask_first(struct call_service *service, struct call_first *asked);

/* `remit approve ID --with ARGUMENTS`: a person would accept other arguments.  The question is
 * closed as edited, another about the same call with those arguments takes its place, which
 * people answer like any other, and the agent is told them.  with is merged into what was
 * asked (RFC 7396).  done, which may be NULL, runs on the loop once both are durable (err NULL) or
 * one could not be written: nothing is closed for a question that is not there.  Where that
 * question is there and the first could not be closed, the same edit finds it.  *approval, the id
 * of the new question, is copied into arena before this returns; all else that is said here
 * is copied.  Errors, of done too: as approve_answer; INVALID also where the arguments are the
 * same, or would be refused or allowed without anybody's approval. */
struct call_edit {
	struct text id;
	struct text person;
	struct text reason;
	struct answer_proof proof;
	const struct json *with; /* an object */
	struct arena *arena;
	struct text approval;
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err);
};
bool call_edit_submit(
	struct call_service *service, struct call_edit *edit, struct error *err) MUST_CHECK;

/* Connects a server as a call would, on behalf of no agent, so that the definitions
 * of its tools are known (decide_definitions_json).  look outlives done, which runs
 * once, from the loop: err is NULL once they are.  Errors: NOT_FOUND, IO, LIMIT; of
 * done also TIMEOUT after CALL_PREPARE_MS. */
struct call_look {
	struct text server;
	void *context;
	void (*done)(void *context, const struct error *err);
};
bool call_look_start(
	struct call_service *service, struct call_look *look, struct error *err) MUST_CHECK;

/* What the peer says of itself, its agent card as it came; it was looked at before.  Errors:
 * IO (it is not connected), LIMIT. */
bool call_card(const struct call_service *service, struct text peer, struct arena *arena,
	struct json *out, struct error *err) MUST_CHECK;

/* Who sees it, and whose it is. */
struct call_card_scene {
	struct text identity, task;
	struct text peer;
};
/* What the caller may have of a card that is shown: secrets are taken out of it as out of a
 * result, and told.  False: nothing of it. */
bool call_pass_card(const struct call_service *service, const struct call_card_scene *scene,
	struct arena *arena, const struct json *card, struct json *out) MUST_CHECK;

/* To be given to edges/upstream by main. */
struct upstream_listener call_upstream_listener(struct call_service *service);

#endif
