#ifndef SERVICES_CALL_EXCHANGE_H
#define SERVICES_CALL_EXCHANGE_H

#include "domain/call/retrieval.h"
#include "domain/charter/name_table.h"
#include "services/call/call_service.h"
#include "services/call/peer_tasks.h"
#include "services/call/question.h"
#include "services/call/share.h"
#include "services/registry/fold_record.h"

/* Private to services/call: one call in flight.
 *
 *             START        DURABLE            ANSWERED_BY_PEOPLE
 *   received ───────▶ decided ────▶ (verdict)      ┌──────────────┐
 *                        ▲          │ deny: reply ─┼─▶ answered   │
 *                        │          │ ask ─────────▼──▶ asked ────┘ decided again
 *                        │          │ allow              │ hold over: reply ─▶ answered
 *                        │          ▼
 *                        │       recorded ──READY──▶ prepared ──▶ forwarded
 *                        │                  (gate: live, active, not quarantined)
 *                        │                                          │ NOTICE
 *                        │          outcome ◀──ANSWER── streaming ◀─┤
 *                        │             ▲                            │
 *                        │             └────────ANSWER──────────────┘
 *                        │             │ OUTCOME_DONE
 *                        │             ▼
 *                        └─────     answered
 *
 * From each state: ABORT (the client went away), REVOKED (kill, end, suspend),
 * DEADLINE.  What was recorded as allowed always gets an outcome, forwarded or
 * not; a wait that the log or the server still holds ends in `aborted`.
 * The table itself is in exchange.c, one row a state. */

/* clang-format off */
#define EXCHANGE_STATES(X)                                             \
	X(EXCHANGE_RECEIVED,  "received")                              \
	X(EXCHANGE_DECIDED,   "decided")   /* its record is on its way */ \
	X(EXCHANGE_RECORDED,  "recorded")  /* allowed; the server gets ready */ \
	X(EXCHANGE_ASKED,     "asked")     /* people are asked */      \
	X(EXCHANGE_PREPARED,  "prepared")  /* at the gate */           \
	X(EXCHANGE_FORWARDED, "forwarded") /* sent, nothing came back yet */ \
	X(EXCHANGE_STREAMING, "streaming") /* notices came */          \
	X(EXCHANGE_OUTCOME,   "outcome")   /* replied; the outcome is on its way */ \
	X(EXCHANGE_ANSWERED,  "answered")  /* nothing waits */         \
	X(EXCHANGE_ABORTED,   "aborted")   /* the log still holds our record */

#define EXCHANGE_EVENTS(X)                                             \
	X(EVENT_START)                                                 \
	X(EVENT_DURABLE)       /* the decision is in the log */        \
	X(EVENT_NOT_DURABLE)   /* it never will be */                  \
	X(EVENT_PEOPLE)        /* the approval changed */              \
	X(EVENT_READY)         /* the server is ready */               \
	X(EVENT_NOT_READY)                                             \
	X(EVENT_NOTICE)                                                \
	X(EVENT_ANSWER)        /* the server answered, or cannot */    \
	X(EVENT_DEADLINE)                                              \
	X(EVENT_ABORT)                                                 \
	X(EVENT_REVOKED)                                               \
	X(EVENT_OUTCOME_DONE)  /* the outcome is in the log */         \
	X(EVENT_OUTCOME_LOST)  /* it is not: it may be tried again */
/* clang-format on */

enum exchange_state {
#define X(name, word) name,
	EXCHANGE_STATES(X)
#undef X
		EXCHANGE_STATE_COUNT
};

enum exchange_event {
#define X(name) name,
	EXCHANGE_EVENTS(X)
#undef X
		EXCHANGE_EVENT_COUNT
};

const char *exchange_state_word(enum exchange_state state);

/* An outcome that the log does not take is handed to it again, the first time after so long, then
 * twice as late each time; after two minutes it is left to the next start, which writes `unknown`.
 */
enum { OUTCOME_TRIES_MAX = 8, OUTCOME_AGAIN_MS = 1000 };

/* What became of an allowed call. */
struct outcome {
	const char *status; /* docs/formats/records.md, outcome */
	enum reason reason; /* why it was not forwarded after all, or NONE */
	bool is_forwarded;
	bool has_result; /* the two below are of it */
	bool is_error;
	struct text result; /* canonical; empty if it is too large to be digested */
};

/* Secrets that were seen in a call. */
struct secrets_seen {
	uint32_t count;
	struct text fingerprints[SECRET_SEEN_MAX]; /* of remit's own, "f-..." */
	uint32_t fingerprints_count;
};

struct generation;
struct peer_exchange;

/* A server's request of an agent's client, in its exchange (asking.c): there the server is
 * the door, and the client what is called. */
struct asking {
	struct exchange *within; /* the call it belongs to; NULL: that is over */
	struct exchange *next;   /* of the same call */
	struct exchange **link;  /* NULL: not in its list */
	uint64_t record;         /* the decision of that call */
	uint64_t edge_number;    /* of what the server asked, at edges/upstream */
	uint64_t number;         /* what the client is asked under */
	bool is_open;            /* the client has it */
};

struct exchange {
	struct call_service *service;
	enum exchange_state state;
	struct arena *arena; /* everything of the call */
	struct exchange *next;
	struct exchange **link;              /* NULL: not in the list */
	struct exchange *next_ended;         /* freed after it */
	struct share *of_task, *of_identity; /* held from its start to its end */
	/* The door; NULL once it was answered or went away. */
	const struct call_client *client;
	struct call_client client_copy;
	bool wants_progress;
	/* The call and what was decided. */
	struct call call;
	struct secrets_seen sent; /* in the arguments */
	struct secrets_seen got;  /* in what the server sent */
	struct decision decision;
	struct decide_inputs inputs; /* of decision */
	struct flow_origins origins; /* likewise: of the call's values */
	uint64_t seen;               /* entries folded when it was made */
	struct decision shown;       /* to the door */
	struct text break_glass;     /* id of the one that lets it go; empty: none */
	struct text reason;          /* the agent's own words, for people; may be empty */
	struct text approval;        /* id asked or used; empty: none */
	struct json *accepted;       /* arguments a person would accept instead; NULL: none */
	bool is_reserved;            /* the approval is reserved by this exchange */
	struct uses_hold uses;       /* of lines with `uses`, while its record is under way */
	bool is_recorded;            /* the decision is durable, at index */
	uint64_t index;
	/* What it brings, where it reads data sources (exchange_retrieval.c). */
	bool is_retrieval;
	bool has_open_ids;
	struct retrieval_rule retrieval_rule;
	struct retrieval retrieval; /* zero until there is a result */
	uint32_t digested_ids;      /* a bit for each of its ids that is a digest already */
	struct sha256 query;        /* keyed digest of the arguments */
	/* Waits. */
	int64_t deadline_ms; /* monotonic; INT64_MAX: none */
	int64_t started_ms;
	struct fold_change asked;   /* approval-asked */
	struct fold_change decided; /* decision */
	struct fold_change outcome; /* outcome */
	unsigned changes_in_flight; /* of the three */
	struct approve_watch watch;
	struct loop_post people_post;
	bool is_people_posted;
	struct loop_post failed_post;
	bool is_failed_posted;
	struct loop_post outcome_post;
	bool is_outcome_posted;
	struct generation *generation; /* of a request to a model; else NULL */
	struct peer_exchange *peer;    /* of what is handed to a peer; else NULL */
	struct asking *asking;         /* of what a server asks; else NULL */
	unsigned abilities;            /* of the client */
	struct exchange *asks;         /* what the server asks within it */
	unsigned asks_open, asks_made;
	struct outcome what_became; /* of the call; waits for the reply to leave */
	unsigned outcome_tries;     /* in vain */
	struct loop_post release_post;
	struct upstream_wait *wait;
	struct upstream_request request; /* what the edge borrows until it answers */
	/* What the event brings; set for its duration. */
	const struct upstream_answer *answer;
	const struct error *failure;
	struct text notice_method;
	const struct json *notice_params;
	const struct upstream_bytes *bytes;
};

/* generation.c: what is particular to a request to a model. */

/* Makes the call of a draft whose params are the body.  Errors: INVALID, LIMIT. */
bool generation_build(
	struct exchange *exchange, const struct call_draft *draft, struct error *err) MUST_CHECK;
/* Holds what the request will cost at least, against all budgets, before it is recorded.
 * Errors: NOT_FOUND, LIMIT. */
bool generation_hold(struct exchange *exchange, struct error *err) MUST_CHECK;
/* Keeps for the record which credential it leaves with.  Errors: NOT_FOUND, LIMIT. */
bool generation_note_credential(struct exchange *exchange, struct error *err) MUST_CHECK;
/* Tells the prompts to whoever hears them; the decision is durable. */
void generation_tell_prompts(struct exchange *exchange);
/* Takes bytes of the provider, and passes on what may pass.  Errors: those of
 * generation_answer_feed; CONFLICT: stopped, and generation_stop says why. */
bool generation_take(struct exchange *exchange, const struct upstream_bytes *bytes,
	struct error *err) MUST_CHECK;
/* The provider is done: an answer, or false, and status is the one to pass on, or 0 for a
 * failure that err tells. */
bool generation_finish(struct exchange *exchange, const struct upstream_answer *answer,
	unsigned *status, struct error *err) MUST_CHECK;
/* Makes the exchange's decision say why the answer was stopped. */
enum reason generation_stop(struct exchange *exchange);
/* What the provider said of its error, for the client; in the exchange's arena. */
struct text generation_error_message(struct exchange *exchange);
/* Nothing of it is under way any more: gives back what it held, and its memory. */
void generation_release(struct exchange *exchange);
/* The members of the two records.  Errors: LIMIT, and those of the values port. */
bool generation_put_inputs(
	struct exchange *exchange, struct json_builder *record, struct error *err) MUST_CHECK;
bool generation_put_outcome(struct exchange *exchange, struct json_builder *record,
	const struct outcome *outcome, struct error *err) MUST_CHECK;

/* peer.c: what is particular to what is handed to a peer. */

/* Makes the call of a draft whose params are A2A's.  Errors: INVALID; CONFLICT (a task of the
 * peer that is not the caller's); NOT_FOUND, LIMIT. */
bool peer_build(
	struct exchange *exchange, const struct call_draft *draft, struct error *err) MUST_CHECK;
/* Has the token made that the peer is to get, if it is one that gets any.  False: it is on its
 * way, and the event READY or NOT_READY comes again. */
bool peer_is_handed(struct exchange *exchange) MUST_CHECK;
/* That token; empty: none. */
struct text peer_token(const struct exchange *exchange);
/* What its task has read so far, as the peer is told. */
struct text peer_label(const struct exchange *exchange);
/* Tasks and contexts that a result or an event names belong to the caller from now on. */
void peer_note(struct exchange *exchange, const struct json *result);
/* Searches the texts of an event as the next piece of theirs.  Errors: CONFLICT (it completes
 * a secret of remit's), LIMIT. */
bool peer_follow(struct exchange *exchange, const struct json *event, struct error *err) MUST_CHECK;
void peer_release(struct exchange *exchange);

/* exchange.c */
void exchange_event(struct exchange *exchange, enum exchange_event event);
/* Whether its authority still holds; else the event REVOKED. */
void exchange_check_live(struct exchange *exchange);

/* exchange_record.c: canonical records in the exchange's arena.  Errors: LIMIT,
 * and those of the values port. */
bool exchange_decision_record(struct exchange *exchange, struct error *err) MUST_CHECK;
bool exchange_outcome_record(
	struct exchange *exchange, const struct outcome *outcome, struct error *err) MUST_CHECK;
/* exchange_retrieval.c */
/* When the call leaves.  ALLOWED, or why it may not: its tool is not what was decided
 * about any more, or no memory. */
enum reason exchange_retrieval_prepare(struct exchange *exchange) MUST_CHECK;
/* True where its rows are judged one by one, so that nothing passes before. */
bool exchange_is_judged(const struct exchange *exchange);
/* True where the server is told the record, so that its own log can name it. */
bool exchange_tells_record(const struct exchange *exchange);
/* Looks at the server's result while it is borrowed (NULL: an error).  False: it must
 * not be passed on, and exchange_retrieval_say says why, without a word of it. */
bool exchange_retrieval_take(struct exchange *exchange, const struct json *result) MUST_CHECK;
void exchange_retrieval_say(const struct exchange *exchange, struct error *err);
/* The member `retrieval` of an outcome.  Errors: LIMIT. */
bool exchange_retrieval_record(
	struct json_builder *record, struct exchange *exchange, struct error *err) MUST_CHECK;

/* Keeps the server's result for the outcome, which has its digest, while it is borrowed. */
void exchange_outcome_keep(
	struct exchange *exchange, const struct json *result, struct outcome *outcome);
/* The whole text a model or a person reads; never empty. */
struct text exchange_message(
	struct exchange *exchange, enum call_reply_kind kind, const struct error *failure);

/* exchange_secrets.c */
/* Looks at the arguments, for policies and the record.  Errors: INVALID (a secret stands
 * where it would be recorded). */
bool exchange_look(struct exchange *exchange, struct error *err) MUST_CHECK;
/* *out is what the agent may have of what the server sent; false: nothing. */
bool exchange_pass(struct exchange *exchange, enum secret_place place, const struct json *from,
	struct json *out) MUST_CHECK;
/* Likewise of what a server asks, which exchange_look has counted. */
bool exchange_pass_asked(
	struct exchange *exchange, const struct json *from, struct json *out) MUST_CHECK;
/* The kinds of secrets that stay in a value when it is passed on; nothing is reported. */
unsigned exchange_kinds_left(struct exchange *exchange, const struct json *value);
/* The kinds of secrets in the arguments of a call that is only asked about. */
void exchange_look_at(struct exchange *exchange, struct call *call);
/* False: a piece of a model's answer holds a secret of remit's. */
bool exchange_pass_bytes(struct exchange *exchange, struct text bytes) MUST_CHECK;
/* The same of the next piece of a text that comes in pieces.  Errors: CONFLICT (it completes
 * a secret of remit's), LIMIT (no memory). */
bool exchange_follow(struct exchange *exchange, struct secret_strand *strand, struct text piece,
	struct error *err) MUST_CHECK;
/* A sentence of ours with words of the server's in it. */
struct text exchange_pass_text(struct exchange *exchange, struct text text);

/* Why a server's request was refused before any rule of a charter was asked. */
/* clang-format off */
#define ASK_REFUSALS(X)                                                        \
	X(ASK_NOT_PASSED,     "method")       /* never passed on: roots/list */ \
	X(ASK_NOT_REGISTERED, "not-registered") /* no tool is called so */     \
	X(ASK_NO_CALL,        "no-call")      /* of no call under way, or of several */ \
	X(ASK_JUDGED,         "judged")       /* the rows of that call are not judged yet */ \
	X(ASK_NOT_ABLE,       "not-able")     /* the client did not say that it can */ \
	X(ASK_MALFORMED,      "malformed")                                     \
	X(ASK_TOO_MANY,       "too-many")     /* of that call, or nothing has room */
/* clang-format on */
enum ask_refusal {
#define X(name, word) name,
	ASK_REFUSALS(X)
#undef X
};
const char *ask_refusal_word(enum ask_refusal cause);

/* What an exchange is started with. */
struct exchange_offer {
	const struct call_request *request;
	const struct call_client *client;
	const struct asking *asking; /* copied; NULL: it is an agent's call */
};

/* asking.c: what is particular to what a server asks. */

/* Gives what a server asks to the rules.  False: it belongs to nothing, or cannot be asked,
 * and cause says why; nothing was done. */
bool asking_start(struct call_service *service, const struct upstream_ask *asked,
	enum ask_refusal *cause) MUST_CHECK;
/* What the server hears of a cause. */
enum upstream_objection asking_objection(const struct upstream_ask *asked, enum ask_refusal cause);
/* To the client.  Errors: LIMIT, IO, INVALID (a secret, or it would speak as remit),
 * CONFLICT (the call is over). */
bool asking_forward(struct exchange *exchange, struct error *err) MUST_CHECK;
/* The client is told that nobody waits. */
void asking_withdraw(struct exchange *exchange);
/* Of the client's answer what has the form that was asked for.  Errors: INVALID, LIMIT. */
bool asking_read(struct exchange *exchange, const struct upstream_answer *answer, struct json *out,
	struct error *err) MUST_CHECK;
/* Answers the server.  Errors: as respond of the port. */
bool asking_respond(struct exchange *exchange, const struct upstream_reply *reply,
	struct error *err) MUST_CHECK;
/* The exchange is over; its call knows nothing of it any more. */
void asking_release(struct exchange *exchange);
/* The call is over: so is all that was asked within it, and the server is told. */
void asking_end_all(struct exchange *within);

/* server_request.c: puts on record that a server's request was refused. */
enum { SERVER_REQUESTS_PER_MINUTE_MAX = 60 }; /* records of one server; the rest is counted */
struct server_request {
	struct text server;
	struct text method;
	enum ask_refusal cause;
	const struct exchange *exchange; /* of the call it came in; NULL: not known */
};
/* Counts one more of the server in this minute.  False: there were too many, and nothing is
 * to be recorded of it. */
bool server_request_count(struct call_service *service, struct text server) MUST_CHECK;
void server_request_refuse(struct call_service *service, const struct server_request *request);

/* call_service.c */
/* Takes a call over, of an agent or (asking) of its server.  As call_start. */
bool exchange_start(struct call_service *service, const struct exchange_offer *offer,
	struct exchange **out, struct error *err) MUST_CHECK;
/* Its places among those of its task and identity are free again. */
void exchange_give_share(struct exchange *exchange);
/* Frees one that left the list, at the loop's next turn or with the service. */
void exchange_release_later(struct exchange *exchange);
struct in_flight;
struct call_service {
	struct call_ports ports;
	struct call_settings settings;
	struct call_figures figures;
	struct exchange *exchanges;
	/* Left the list above, the first one first; freed at the loop's next turn. */
	struct exchange *ended;
	struct exchange *last_ended;
	struct share_table *tasks;      /* exchanges of each */
	struct share_table *identities; /* exchanges of each */
	struct call_stream *streams;
	struct name_table *in_flight; /* decimal index -> struct in_flight */
	struct name_table *asked;     /* server -> what it asked by itself */
	uint64_t asks_made;           /* numbers that clients were asked under */
	struct peer_tasks *peer_tasks;
	struct loop_timer timer;
	struct loop_post live_post;
	bool is_live_posted;
	int64_t approve_tick_ms;
};

#endif
