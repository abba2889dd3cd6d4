#ifndef SERVICES_ISSUE_ISSUE_H
#define SERVICES_ISSUE_ISSUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/loop.h"
#include "domain/charter/registry.h"
#include "domain/task/task.h"
#include "domain/token/binding.h"
#include "domain/token/reason.h"
#include "domain/token/request_signature.h"
#include "services/issue/token_keys.h"
#include "services/issue/token_signer.h"
#include "services/registry/fold.h"
#include "services/trust/trust.h"

/* The token service: who gets a task and its token, who a token belongs to now,
 * when a task ends, and who signed a request.  Loop's thread. */
struct issue;

enum {
	ISSUE_OPENINGS_MAX = 256, /* openings on their way to the log at once */
	ISSUE_OPENINGS_PER_IDENTITY_MAX = ISSUE_OPENINGS_MAX / 4,
	ISSUE_WAITING_MAX = 128, /* of the openings, those that wait for an issuer's keys */
	ISSUE_ENDINGS_MAX = 256,
	ISSUE_INTROSPECTIONS_MAX = 256,  /* proofs of who asks on their way to the log at once */
	ISSUE_CACHE_ENTRIES = 4096,      /* verified tokens remembered */
	ISSUE_KEYS_CACHED = 1024,        /* parsed keys of identities and persons remembered */
	ISSUE_CERTIFICATES_CACHED = 512, /* of clients, what they say remembered */
	ISSUE_EXPIRY_MS = 1000,          /* how often expired tasks get their record */
	ISSUE_SESSIONS_MAX = 16384,      /* connections that hold tasks */
	ISSUE_SESSION_KEEP_MS = 15 * 1000,
	ISSUE_PURPOSE_BYTES_MAX = 500,
	ISSUE_CERTIFICATES_ABOVE_MAX = 3, /* between a client's certificate and its root */
	ISSUE_MESSAGE_BYTES_MAX = 200,
	ISSUE_CLAIMS_MAX = 1024,            /* tasks that wait for people, at once */
	ISSUE_CLAIMS_PER_IDENTITY_MAX = 32, /* of those */
	ISSUE_CLAIM_INTERVAL_S = 5,         /* between two polls; more for who is too fast */
	ISSUE_CLAIM_WAIT_S_MAX = 24 * 3600, /* of requested_expiry */
	ISSUE_TOKEN_BYTES_MAX = 4096,       /* of a token we issue */
	ISSUE_NONCE_SLOT_S = 300,           /* a nonce is taken in its slot and the next one */
	ISSUE_NONCE_BYTES = 23,             /* 22 letters and NUL */
};

/* Where a DPoP proof must have a nonce of ours.  Whatever is chosen, one without must have
 * been signed after this process started, which knows no id of the one before. */
enum issue_nonces {
	ISSUE_NONCES_ALWAYS = 0,
	ISSUE_NONCES_TOKENS, /* where tokens are asked for, not where they are used */
	ISSUE_NONCES_NEVER,
};

/* Two had what one should have.  Borrowed. */
struct issue_reuse {
	struct text task;
	struct text identity;
	struct text person;
	struct text why;
};

/* All borrowed; they outlive it. */
struct issue_parts {
	struct loop *loop;
	struct fold *fold;
	const struct registry *registry;
	struct task_table *tasks;
	struct token_signer signer;
	struct trust_service *trust; /* NULL: no issuer but ourselves */
	/* The origin of the log, which names this installation: what people sign
	 * their requests for.  Empty: none is accepted. */
	struct text installation;
	enum issue_nonces nonces;
	int64_t (*wall_utc_ms)(void *context); /* NULL: the system's clock */
	void *clock_context;
	/* Hears of each token that is signed, before anybody has it, and of each that is
	 * accepted and was not remembered; or NULL.  The token is borrowed. */
	void (*on_token)(void *context, struct text token, int64_t expires_utc_s);
	void *token_context;
	/* Hears that a code or refresh token was shown twice: its task ends.  Or NULL. */
	void (*on_reuse)(void *context, const struct issue_reuse *reuse);
	void *reuse_context;
	int64_t key_overlap_ms; /* 0: TOKEN_KEY_OVERLAP_MS */
};

/* Registers its handlers (the one-time ids in task-opened) and projector with
 * the fold.  Errors: LIMIT. */
bool issue_create(
	struct issue **out, const struct issue_parts *parts, struct error *err) MUST_CHECK;
/* After the fold's last completion. */
void issue_destroy(struct issue **issue);

/* False while no token would be signed: nothing is opened, what is open goes on. */
bool issue_can_sign(const struct issue *issue);

/* The issuer identifier, "http://127.0.0.1:8470": known once the port is.  Until
 * then nothing is issued or accepted.  Copied.  Errors: INVALID, LIMIT. */
bool issue_set_issuer(struct issue *issue, struct text issuer, struct error *err) MUST_CHECK;
struct text issue_issuer(const struct issue *issue);
/* The resource URL of a server, ISSUER/mcp/NAME: the audience of its tokens. */
struct text issue_audience(const struct issue *issue, struct arena *arena, struct text server);
/* The URL of a provider of models, ISSUER/llm/NAME, likewise. */
struct text issue_provider_audience(
	const struct issue *issue, struct arena *arena, struct text provider);
/* The URL of a peer, ISSUER/a2a/NAME, likewise. */
struct text issue_peer_audience(const struct issue *issue, struct arena *arena, struct text peer);
/* The URL of a decision point, the audience of the tokens it takes: an application's,
 * ISSUER/applications/NAME, or with an empty name remit's own, ISSUER. */
struct text issue_point_audience(
	const struct issue *issue, struct arena *arena, struct text application);
/* Begins to give expired tasks their record and to forget dead ones. */
bool issue_start(struct issue *issue, struct error *err) MUST_CHECK;
/* What issue_start does every second, and sooner after a false: not all that is due was
 * done.  For tests and for the last moment. */
bool issue_expire(struct issue *issue);

/* ---- opening a task (RFC 6749 §4.4 with RFC 7523 §2.2) ---- */

/* clang-format off */
#define ISSUE_REFUSALS(X) \
	X(ISSUE_REFUSED, "refused", "it was refused") \
	X(ISSUE_GRANTED, "granted", "the task is open") \
	X(ISSUE_ASSERTION, "assertion", "the assertion does not hold") \
	X(ISSUE_CLIENT_UNPROVEN, "client_unproven", \
		"no key of a registered identity of this name signed the assertion") \
	X(ISSUE_CLIENT_MISMATCH, "client_mismatch", "client_id is not the assertion's sub") \
	X(ISSUE_KEYS, "keys", "the keys of the assertion's issuer are not at hand: try again") \
	X(ISSUE_REPLAYED, "replayed", "the assertion was used before: sign a new one") \
	X(ISSUE_NOT_ACTIVE, "not_active", "the identity is not active") \
	X(ISSUE_UNGOVERNED, "ungoverned", \
		"the identity has no owner, backup owner or purpose in force") \
	X(ISSUE_CHARTER_EXPIRED, "charter_expired", "the identity's charter has ended") \
	X(ISSUE_ENVIRONMENT, "environment", "the key's environment is not in the charter") \
	X(ISSUE_AUDIENCE_MISSING, "audience_missing", \
		"resource is missing: name the server's or decision point's URL") \
	X(ISSUE_AUDIENCE_UNKNOWN, "audience_unknown", \
		"resource is not the URL of a registered server or decision point") \
	X(ISSUE_SCOPE, "scope", "the only scope is: call") \
	X(ISSUE_DETAILS, "details", \
		"authorization_details are malformed, or wider than the parent's") \
	X(ISSUE_PURPOSE, "purpose", "the purpose is too long or not plain text") \
	X(ISSUE_PARENT, "parent", "the parent task cannot have this child") \
	X(ISSUE_INSTANCE, "instance", \
		"instance is at most 64 bytes of letters, digits, '.', '_' and '-'") \
	X(ISSUE_INSTANCE_KILLED, "instance_killed", \
		"this instance was killed: nothing is opened under its name any more") \
	X(ISSUE_SESSION, "session", "the only sessions are: connection, mcp") \
	X(ISSUE_LIMIT, "limit", "a limit of the charter is reached") \
	X(ISSUE_MESSAGE, "message", "the binding_message is too long or not plain text") \
	X(ISSUE_NOT_ONE_CALL, "not_one_call", \
		"authorization_details must list exactly one call of the server that resource is") \
	X(ISSUE_PENDING, "pending", "people have not answered yet") \
	X(ISSUE_TOO_OFTEN, "too_often", "it was asked again before the interval was over") \
	X(ISSUE_DENIED, "denied", "it was refused") \
	X(ISSUE_CLAIM_OVER, "claim_over", "nobody answered in time") \
	X(ISSUE_CLAIM_UNKNOWN, "claim_unknown", "this identity has no such auth_req_id open") \
	X(ISSUE_CHALLENGE, "challenge", \
		"code_challenge must be there, and the one that S256 makes") \
	X(ISSUE_CODE, "code", \
		"the code is none, is over, was shown before, or is not for this request") \
	X(ISSUE_REFRESH, "refresh", \
		"the refresh token is none, is over, or was used before") \
	X(ISSUE_TOKEN_TYPE, "token_type", \
		"a type of token is missing, or is none that is exchanged here") \
	X(ISSUE_SUBJECT_TOKEN, "subject_token", "the subject token does not hold") \
	X(ISSUE_ACTOR_TOKEN, "actor_token", \
		"the actor token does not prove the client that asks") \
	X(ISSUE_DELEGATION, "delegation", \
		"the subject token was not handed on to this client") \
	X(ISSUE_CHAIN, "chain", "the chain of identities cannot go on here") \
	X(ISSUE_MAY_ACT, "may_act", "may_act must name a peer of the charter in force") \
	X(ISSUE_PROOF, "proof", "the DPoP proof does not hold") \
	X(ISSUE_NONCE, "nonce", "the DPoP proof needs the nonce of this answer") \
	X(ISSUE_CERTIFICATE, "certificate", "the client certificate does not hold") \
	X(ISSUE_BINDING, "binding", "the charter asks for a bound token") \
	X(ISSUE_BUSY, "busy", "too much is on its way: try again") \
	X(ISSUE_NOT_RECORDED, "not_recorded", \
		"the task could not be recorded, so it was not opened") \
	X(ISSUE_NOT_SIGNED, "not_signed", "the token could not be signed")
/* clang-format on */

/* Only GRANTED is a yes. */
enum issue_refusal {
#define ISSUE_REFUSAL_MEMBER(name, word, meaning) name,
	ISSUE_REFUSALS(ISSUE_REFUSAL_MEMBER)
#undef ISSUE_REFUSAL_MEMBER
		ISSUE_REFUSAL_COUNT
};
const char *issue_refusal_word(enum issue_refusal refusal);
const char *issue_refusal_meaning(enum issue_refusal refusal);

/* What an assertion is said to be. */
enum issue_assertion_form {
	ISSUE_ASSERTION_JWT = 0, /* RFC 7523 §2.2: by the identity's key, or a registered issuer */
	ISSUE_ASSERTION_SVID,    /* a JWT-SVID, whatever its `iss` */
};

/* What the assertion is: the client's proof beside another grant (RFC 7523 §2.2), or grant and
 * proof in one (§2.1). */
enum issue_assertion_use { ISSUE_ASSERTION_PROVES = 0, ISSUE_ASSERTION_GRANTS };

/* What is asked for.  ASK opens a task for exactly one call, has people asked about it, and
 * gives a claim instead of a token; CLAIM gives the token of that task once they said yes
 * (OpenID Connect CIBA Core, poll mode).  REFRESH gives another token of a task that is open
 * (RFC 6749 §6). */
enum issue_wish { ISSUE_WISH_TOKEN = 0, ISSUE_WISH_ASK, ISSUE_WISH_CLAIM, ISSUE_WISH_REFRESH };

/* The types of tokens that are exchanged here (RFC 8693 §3): ours, by either name. */
#define TOKEN_TYPE_ACCESS "urn:ietf:params:oauth:token-type:access_token"
#define TOKEN_TYPE_JWT "urn:ietf:params:oauth:token-type:jwt"

/* A token exchange (RFC 8693 §2.1); empty: not given. */
struct issue_exchange {
	struct text subject_token;
	struct text subject_token_type;
	struct text actor_token;
	struct text actor_token_type;
	struct text requested_token_type;
};

/* A code that a person's consent gave (RFC 6749 §4.1.3, RFC 7636 §4.5). */
struct issue_code {
	struct text code;
	struct text redirect;
	struct text verifier;
};

/* One request for a task and its token.  The caller owns it and what it points
 * to until done ran. */
struct issue_request {
	struct text assertion; /* compact JWS */
	enum issue_assertion_use assertion_use;
	enum issue_assertion_form assertion_form;
	/* The connection's client certificate, DER (RFC 8705); empty: none. */
	struct text certificate;
	/* Those the client sent above it, each to be verified; of those that there are. */
	struct text certificates_above[ISSUE_CERTIFICATES_ABOVE_MAX];
	size_t certificates_above_count;
	struct text client;   /* client_id, or empty */
	struct text resource; /* audience */
	struct text scope;    /* may be empty */
	struct text purpose;  /* of the task; may be empty */
	struct text details;  /* authorization_details (RFC 9396), JSON; may be empty */
	struct text parent;   /* a live task of the same identity and environment, or empty */
	enum issue_wish wish;
	struct text message;  /* ASK: the client's words, for people; may be empty */
	int64_t wait_s;       /* ASK: the longest it would wait; 0: as long as the task lives */
	struct text claim;    /* CLAIM: auth_req_id */
	struct text may_act;  /* a peer that alone may exchange the token; or empty */
	struct text instance; /* which of the identity's runs asks; may be empty */
	struct text session;  /* "connection" or "mcp": what the task ends with; or empty */
	bool is_exchange;     /* what follows is what the task hangs on, instead of parent */
	struct issue_exchange exchange;
	bool is_code; /* what follows says what the task is for, and for whom */
	struct issue_code code;
	struct text refresh; /* REFRESH: the token */
	struct text path;    /* of the endpoint: with the issuer before it, the proof's htu */
	struct text proof;   /* the DPoP field's value (RFC 9449); .data NULL: none */
	void (*done)(struct issue_request *request);
	void *context;
	/* The answer, filled before done runs. */
	enum issue_refusal refusal;
	char detail[ERROR_TEXT_BYTES]; /* the whole sentence, for the client */
	enum token_reason reason;      /* where refusal is ASSERTION or PROOF */
	struct text token;             /* below: only if GRANTED; good until done returns */
	struct text task;
	struct text scope_granted;
	struct text details_granted; /* the task's own, or of the nearest above it; may be empty */
	enum binding bound;
	int64_t lifetime_s;
	struct text refresh_granted; /* a refresh token; empty: none */
	struct text claim_granted;   /* ASK */
	int64_t interval_s;          /* ASK */
	uint64_t index;              /* of the task-opened record; CLAIM: of the proof's */
};

/* Verifies, records, then signs.  done runs exactly once: before this returns
 * when refused at once, else from the loop. */
void issue_open_task(struct issue *issue, struct issue_request *request);
/* Whoever asks has gone: an opening that only waits for keys ends now, refused; any other goes
 * on.  Its done may run before this returns. */
void issue_abandon_opening(struct issue *issue, struct issue_request *request);

/* ---- asking people ---- */

/* What people said; NO is zero. */
enum issue_answer {
	ISSUE_ANSWER_NO = 0,
	ISSUE_ANSWER_PENDING,
	ISSUE_ANSWER_YES,
	ISSUE_ANSWER_OVER, /* nobody answered in time, or the question is of no use any more */
};

enum { ISSUE_QUESTION_BYTES = 32 };

/* One question on its way; the caller owns it until done ran. */
struct issue_question {
	struct text task; /* open, for exactly one call */
	struct text message;
	void (*done)(struct issue_question *question);
	void *context;
	/* The answer, filled before done runs. */
	enum issue_answer answer;      /* PENDING: people are asked; YES: nobody need be */
	char id[ISSUE_QUESTION_BYTES]; /* PENDING */
	struct error err;              /* why NO */
};

/* The port to whoever asks people, which main fills. */
struct issue_people {
	void *context;
	/* done runs exactly once, before this returns or from the loop. */
	void (*ask)(void *context, struct issue_question *question);
	/* What holds now. */
	enum issue_answer (*answer)(void *context, struct text id);
};
/* Copied.  Without it nothing is asked. */
void issue_set_people(struct issue *issue, const struct issue_people *people);

/* ---- using a token ---- */

/* Who calls.  Texts are the task table's: good until the loop's next turn. */
struct issue_caller {
	struct text task;
	struct text identity;
	enum environment environment;
	int64_t expires_utc_s;
};

/* What came with a request that uses a token.  Borrowed. */
struct issue_presented {
	struct text authorization; /* the Authorization field; or empty */
	struct text token;         /* instead, a token that stands elsewhere: counts as Bearer */
	struct text proof;         /* the DPoP field (RFC 9449); empty: none, or not just one */
	struct text method;        /* of the request, for the proof */
	struct text path;          /* as received, without its query */
	const struct sha256 *certificate; /* digest of the connection's; NULL: none (RFC 8705) */
	/* Filled where the answer is PROOF: what is wrong with the proof. */
	enum token_reason proof_reason;
};

/* ACCEPTED only if we issued the token for audience, it has not expired, its
 * task is live and its identity active, all read now; it came as it is bound, and is bound as
 * the charter asks.  A token seen before costs one digest and no signature check; one bound
 * to a key the signature of its proof.  Nothing presented is NOT_CHECKED. */
enum token_reason issue_authenticate_header(struct issue *issue, struct issue_presented *presented,
	struct text audience, struct issue_caller *out) MUST_CHECK;
/* The same of a token that came with nothing else. */
enum token_reason issue_authenticate(struct issue *issue, struct text token, struct text audience,
	struct issue_caller *out) MUST_CHECK;

/* What an answer of 401 says of why. */
struct issue_refused {
	enum token_reason reason; /* NOT_CHECKED when there was no token */
	enum token_reason proof_reason;
};
/* Appends the value of WWW-Authenticate for a 401 of /mcp/SERVER (RFC 6750 §3,
 * RFC 9449 §7.1, RFC 9728 §5.1). */
void issue_challenge(const struct issue *issue, struct text server,
	const struct issue_refused *refused, struct buffer *out);
/* The same of a provider of models, which has no metadata. */
void issue_provider_challenge(
	const struct issue *issue, const struct issue_refused *refused, struct buffer *out);
/* The same for a peer. */
void issue_peer_challenge(const struct issue *issue, struct text peer,
	const struct issue_refused *refused, struct buffer *out);
/* The same for a decision point (empty: remit's own). */
void issue_point_challenge(const struct issue *issue, struct text application,
	const struct issue_refused *refused, struct buffer *out);

/* The nonce of now, for a field DPoP-Nonce (RFC 9449 §8): of an answer to whoever came, or
 * will come, with a proof.  It is nobody's secret. */
void issue_nonce(const struct issue *issue, char out[ISSUE_NONCE_BYTES]);
/* True if such an answer needs one. */
bool issue_wants_nonce(const struct issue_refused *refused);

/* The same of a token for whichever audience it is. */
enum token_reason issue_authenticate_holder(struct issue *issue, struct issue_presented *presented,
	struct issue_caller *out) MUST_CHECK;

/* ---- sessions ---- */

/* Who waits for an end to be on record.  done runs once it is durable and in force (err is NULL)
 * or failed, perhaps before the call that took it returned; NULL: nobody waits. */
struct issue_end_waiter {
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err);
};

/* One connection that holds a task opened with session=connection.  Whoever keeps the
 * connection embeds it. */
struct issue_session {
	/* Its task is over: the connection may go.  From the loop; it is no session any more. */
	void (*on_over)(struct issue_session *session);
	/* About every ISSUE_SESSION_KEEP_MS, to find out whether the peer is there.  May end
	 * the session. */
	void (*on_keep)(struct issue_session *session);
	void *context;
	/* Private. */
	struct issue *issue;
	struct issue_session *next;
	struct issue_session **link; /* NULL: it is none */
	char task[TASK_ID_BYTES + 1];
};
/* Begins one for the token of the header.  ACCEPTED, or why not: TASK_NOT_LIVE also for a task
 * without a session, NO_ROOM past ISSUE_SESSIONS_MAX. */
enum token_reason issue_session_begin(struct issue *issue, struct issue_presented *presented,
	struct issue_session *session) MUST_CHECK;
/* The same for a task that was looked at already, whose sessions are of MCP.  NOT_CHECKED: of
 * no other is anything held. */
enum token_reason issue_session_hold(
	struct issue *issue, struct text task, struct issue_session *session) MUST_CHECK;
/* The connection has gone: with the last of its task that ends, and all below it.  Of what is no
 * session: nothing. */
void issue_session_end(struct issue_session *session);
/* The same, said by its client, who hears when what ends with it is on record: waiter's done runs
 * once, before this returns where nothing ends.  False: the task is refused from here on, and its
 * end will be tried again, but is not on its way.  Errors: LIMIT, IO. */
bool issue_session_leave(struct issue_session *session, struct issue_end_waiter waiter,
	struct error *err) MUST_CHECK;

/* ---- what a token is now (RFC 7662) ---- */

/* One question.  The caller owns it and what it points to until done ran. */
struct issue_introspection {
	/* Who asks: assertion and client of it, as in a request for a task.  Its answer is in
	 * refusal (GRANTED: there is one), detail and reason. */
	struct issue_request asker;
	/* Used instead, where it has an Authorization field: a token of ours for the issuer
	 * itself. */
	struct issue_presented presented;
	struct text token; /* asked about; whatever it is */
	struct arena *arena;
	void (*done)(struct issue_introspection *asked);
	void *context;
	struct json answer; /* in arena: what it says and is, or {"active": false} */
};

/* Whose client asks, or the tool-server that its audience is, is told what the token says
 * while it opens what it is for; nobody is told anything else.  done runs exactly once:
 * before this returns, or from the loop. */
void issue_introspect(struct issue *issue, struct issue_introspection *asked);

/* ---- handing on ---- */

enum { ISSUE_HAND_S = 300 }; /* how long a peer has to exchange its token */

/* A token for a peer that work is handed to: it opens nothing but an exchange by that peer, for
 * a task below this one.  The caller owns it until done ran: before issue_hand_on returns, or
 * from the loop. */
struct issue_hand {
	void (*done)(struct issue_hand *hand);
	void *context;
	/* The answer: signing.is_signed, signing.token (good until done returns), signing.err
	 * (CONFLICT: the task is over; and the signer's). */
	struct token_signing signing;
	int64_t expires_utc_s;
	struct issue *issue; /* private */
};
void issue_hand_on(
	struct issue *issue, struct text task, struct text peer, struct issue_hand *hand);

/* ---- tasks ---- */

/* context of these five is the struct issue: they fill struct api_tasks. */
bool issue_task_show(
	void *context, struct text id, struct arena *arena, struct json *out, struct error *err);
bool issue_task_list(void *context, struct text after, uint32_t count, struct arena *arena,
	struct json *out, struct error *err);
/* The path of a task from its first one, as a JSON array (docs/formats/tokens.md): whose each
 * is, over which line it was handed on, what it may do by the charters in force, and what was
 * narrowed.  Errors: NOT_FOUND (also of what was forgotten since), LIMIT. */
bool issue_task_hops(
	void *context, struct text id, struct arena *arena, struct json *out, struct error *err);
/* Ends one task; done runs on the loop once it is durable (err is NULL) or
 * failed.  False: nothing was taken.  Errors: NOT_FOUND, CONFLICT (not open),
 * INVALID with "forbidden: " (neither may the actor kill the identity nor is it
 * the identity), LIMIT, IO. */
bool issue_task_end(void *context, struct text id, struct text actor, void *done_context,
	void (*done)(void *done_context, uint64_t index, const struct error *err),
	struct error *err);

/* Whose tasks end.  NONE: nobody's. */
enum issue_whose {
	ISSUE_WHOSE_NONE = 0,
	ISSUE_WHOSE_PERSON,   /* those opened for the person */
	ISSUE_WHOSE_IDENTITY, /* those of the identity */
	ISSUE_WHOSE_WORKLOAD, /* those that a registered issuer's word opened, for this subject */
};

/* Ends all tasks of somebody.  The caller owns it and what it points to until done ran. */
struct issue_sweep {
	enum issue_whose whose;
	struct text issuer; /* of WORKLOAD: its registered name */
	struct text name;
	struct text reason; /* for the records */
	void (*done)(struct issue_sweep *sweep);
	void *context;
	/* The answer, filled before done runs. */
	bool is_done; /* none is left, and that is durable; else err says why not */
	uint32_t tasks;
	struct error err;
	/* Private. */
	struct issue *issue;
	struct issue_sweep *next;
	char at[TASK_ID_BYTES + 1]; /* the last one looked at; empty: begin anew */
	uint32_t on_their_way;      /* records */
	bool is_over;               /* nothing more is looked at */
	bool is_looking;
};

enum { ISSUE_SWEEPS_MAX = 64 };

/* Looks through all tasks, some a turn of the loop, until none of these is open: also of those
 * whose record was on its way.  done runs once, before this returns or from the loop. */
void issue_sweep(struct issue *issue, struct issue_sweep *sweep);
/* One turn of all; false: nothing is left to look at.  Runs by itself where there is a loop. */
bool issue_sweeps_run(struct issue *issue);

/* ---- receipts of kills ---- */

/* The record that says what the kill ended, made after it, a part each turn; all its pages are on
 * record.  Errors: NOT_FOUND (not made yet, not by this process, or a page of it was lost). */
bool issue_receipt_of(void *context, uint64_t kill, uint64_t *out_record, struct error *err);
/* How many tasks the receipt on record of the kill of that task lists; 0: none is at hand. */
uint64_t issue_receipt_lists(const struct issue *issue, struct text task);
/* One turn of it; false: nothing is left to do before a page is on record.  Runs by itself where
 * there is a loop. */
bool issue_receipts_run(struct issue *issue);

/* Ends the task of a token of ours, for whoever holds it (RFC 7009), or of one that was handed to
 * a peer (issue_hand_on) the token alone.  Until waiter hears of it the token opens what it did.
 * False: nothing was taken.  Errors: NOT_FOUND (not a token that opens anything), CONFLICT (its
 * task is over), LIMIT, IO. */
bool issue_revoke(struct issue *issue, struct text token, struct issue_end_waiter waiter,
	struct error *err) MUST_CHECK;

/* Ends one token of ours alone, which anybody who holds it may; its task goes on.  Otherwise the
 * same.  Errors: NOT_FOUND (not a token that opens anything), LIMIT (TASK_REVOKED_TOKENS_MAX of
 * the task: end the task), IO. */
bool issue_revoke_token(struct issue *issue, struct text token, struct issue_end_waiter waiter,
	struct error *err) MUST_CHECK;

/* Kills the task of a token, for whoever holds it: the record of a kill, with its receipt.  Does
 * not wait for it.  Errors: as issue_revoke. */
bool issue_kill_task(
	struct issue *issue, struct text token, struct text reason, struct error *err) MUST_CHECK;

/* ---- the keys of tokens; context is the struct issue: they fill struct api_token_keys ---- */

/* As token_keys_list and token_keys_rotate. */
bool issue_keys_list(void *context, struct arena *arena, struct json *out, struct error *err);
bool issue_keys_rotate(void *context, const struct token_key_rotation *asked, struct error *err);
/* The key set others verify our tokens with (RFC 7517 §5).  Errors: LIMIT. */
bool issue_key_set(const struct issue *issue, struct arena *arena, struct json *out,
	struct error *err) MUST_CHECK;

/* ---- persons ---- */

/* Gives the person whose enrolled key signed exactly this request, for this
 * installation and the way it came, once, in arena.  jwk NULL: an enrolled key of the person named;
 * else this very key must have signed (enrolment), and the person is only what the signature
 * claims. Errors: INVALID (why it does not hold), LIMIT. */
struct issue_signed {
	struct text authorization;
	struct text method;
	struct text target; /* path and query exactly as received */
	struct text body;
	bool is_local; /* came by the socket; else the issuer is where it came */
	const struct json *jwk;
};
bool issue_verify_request(struct issue *issue, const struct issue_signed *what, struct arena *arena,
	struct text *out_person, struct error *err) MUST_CHECK;

/* Figures for metrics. */
struct issue_status {
	uint64_t tasks_opened; /* by this process */
	uint64_t openings_refused;
	uint64_t tokens_verified; /* signatures checked */
	uint64_t tokens_repeated; /* found in the cache */
	uint64_t tokens_refused;
	uint64_t requests_refused;
};
void issue_status(const struct issue *issue, struct issue_status *out);

#endif
