#ifndef SERVICES_ISSUE_ISSUE_PRIVATE_H
#define SERVICES_ISSUE_ISSUE_PRIVATE_H

#include "base/certificate_chain.h"
#include "base/digest.h"
#include "base/random.h"
#include "domain/token/access_token.h"
#include "domain/token/claims.h"
#include "domain/token/client_assertion.h"
#include "domain/token/dpop.h"
#include "domain/token/jwk.h"
#include "domain/token/refresh.h"
#include "domain/token/replay.h"
#include "services/issue/issue.h"
#include "services/registry/fold_record.h"

/* What the files of this folder share. */

/* Why a task with a session is over. */
#define ISSUE_SESSION_GONE "its connection has gone"
#define ISSUE_MCP_SESSION_GONE "its session of MCP has gone"

enum {
	ISSUE_ISSUER_BYTES_MAX = 256,
	ISSUE_ASSERTIONS_MAX = 65536, /* one-time ids of client assertions kept */
	ISSUE_SEARCH_MAX = 1000,      /* identities looked at for one that a token does not name */
	ISSUE_REQUESTS_MAX = 16384,   /* one-time ids of signed requests kept */
	/* Of those, what one identity or person may hold: a sixteenth.  An id of its
	 * own is kept for 7 minutes at most, so an identity that opens 9 tasks a second
	 * has room, which is more than TASKS_PER_IDENTITY_MAX lets it keep up; a
	 * person's is kept for a minute: 17 requests a second. */
	ISSUE_ASSERTIONS_PER_IDENTITY_MAX = ISSUE_ASSERTIONS_MAX / 16,
	ISSUE_REQUESTS_PER_PERSON_MAX = ISSUE_REQUESTS_MAX / 16,
	RECEIPTS_MAX = 256,   /* being made at once */
	RECEIPTS_KEPT = 1024, /* found by their kill */
	RECEIPT_PAGE_TASKS = 250,
	RECEIPT_TASKS_MAX = 200000, /* listed; all are counted */
	/* One-time ids of DPoP proofs: each call brings one, kept for a minute. */
	ISSUE_PROOFS_MAX = 131072,
	/* An eighth: 273 calls a second of one identity, all the time. */
	ISSUE_PROOFS_PER_IDENTITY_MAX = ISSUE_PROOFS_MAX / 8,
	ISSUE_PROOF_KEYS_CACHED = 1024,
	KEYS_OF_A_SET = 4,
	ISSUE_NONCE_KEY_BYTES = 32,
	TOKEN_CACHE_WAYS = 4,
	TOKEN_CACHE_SETS = ISSUE_CACHE_ENTRIES / TOKEN_CACHE_WAYS,
};

/* A key as a charter or a person's entry spells it, parsed once. */
struct cached_key {
	struct sha256 digest; /* of the JWK's canonical text */
	struct public_key *key;
	char thumbprint[JWK_THUMBPRINT_BYTES];
};

/* A token whose signature held.  All else is looked at again at each use. */
struct cached_token {
	struct sha256 digest; /* of the compact text */
	struct sha256 audience;
	struct token_binding binding;
	int64_t expires_utc_s; /* 0: a free place */
	uint32_t epoch;        /* of the task, as the token says */
	char task[TASK_ID_BYTES + 1];
	char id[TASK_TOKEN_ID_BYTES_MAX + 1]; /* jti */
	bool is_for_exchange; /* may_act names who may exchange it, and nobody may use it */
};

/* A kill, and the record that counts what it ended. */
struct kept_receipt {
	uint64_t kill;
	uint64_t record;
	uint64_t listed;
	char task[TASK_ID_BYTES + 1]; /* that was killed; of another target empty */
};

struct answering;
struct claim;
struct consent;
struct ending;
struct issue_sweep;
struct looking;
struct opening;
struct receipt_job;

struct issue {
	struct issue_parts parts;
	char issuer[ISSUE_ISSUER_BYTES_MAX]; /* empty until set */
	struct replay_table *assertions;
	struct replay_table *requests;
	struct token_keys *token_keys;
	struct replay_table *proofs;
	uint8_t nonce_key[ISSUE_NONCE_KEY_BYTES]; /* of this process */
	int64_t created_utc_s;
	struct cached_key keys[ISSUE_KEYS_CACHED];
	/* Keys of proofs, apart from those that stand in the registry. */
	struct cached_key *proof_keys;
	struct cached_certificate *certificates;         /* ISSUE_CERTIFICATES_CACHED of them */
	struct cached_token (*tokens)[TOKEN_CACHE_WAYS]; /* TOKEN_CACHE_SETS of them */
	uint32_t next_way;
	/* The audience asked for last, and its digest: callers ask again and again. */
	char last_audience[TOKEN_NAME_BYTES_MAX];
	size_t last_audience_length; /* 0: none */
	struct sha256 last_audience_digest;
	struct arena *scratch; /* of one token check; empty between calls */
	struct loop_timer expiry;
	bool has_expiry;
	char patrolled[TASK_ID_BYTES + 1]; /* the last one looked at; empty: begin anew */
	struct ending *endings;
	uint32_t endings_count;
	struct issue_sweep *sweeps; /* whose tasks are being ended; theirs who asked */
	struct loop_post sweep_post;
	bool is_sweep_posted;
	struct issue_session *sessions;
	uint32_t sessions_count;
	int64_t kept_utc_ms;          /* sessions, the last time */
	struct receipt_job *receipts; /* being made, the first first */
	uint32_t receipts_count;
	struct loop_post receipt_post;
	bool is_receipt_posted;
	struct kept_receipt kept[RECEIPTS_KEPT]; /* the last ones, in a ring */
	size_t kept_count;                       /* ever */
	struct loop_post look_post;
	bool is_look_posted;
	struct opening *openings;
	uint32_t openings_count;
	struct claim *claims; /* claims.c */
	uint32_t claims_count;
	struct consent *consents; /* consent.c */
	uint32_t consents_count;
	struct answering *answerings; /* consent_answer.c */
	struct refresh_table *refreshes;
	int64_t refreshes_swept_utc_s;
	struct issue_people people;
	uint32_t waiting_count; /* of them, for keys */
	struct looking *lookings;
	uint32_t lookings_count;
	struct issue_status status;
};

/* Who proved itself, and how: for the record that it opens. */
struct proven {
	const struct registry_entry *entry; /* an identity's; good until the next fold */
	const struct charter *charter;      /* likewise */
	struct text identity;               /* this and key_id: in the arena */
	enum environment environment;
	struct text key_id;          /* thumbprint of the key that signed, or of the certificate */
	struct replay_use use;       /* what was used once for it; until_utc_s 0: nothing */
	int64_t ends_utc_s;          /* what proved it holds until then; 0: that is not known */
	struct text issuer;          /* whose word it was; empty: its own key's */
	struct text subject;         /* as that issuer calls it */
	struct sha256 issuer_digest; /* as it was registered then */
	uint32_t rule;               /* of the charter, that was met */
};

/* What a token exchange (exchange.c) rests on. */
struct exchanged {
	struct text parent;   /* the subject token's task; in the arena, as the next */
	struct text token_id; /* its jti */
};

/* bound.c: what the token of a request is to be bound to. */
struct issue_binding {
	bool has_proof;
	struct dpop_proof proof; /* parsed; in the arena */
	struct token_binding bound;
};

/* One request on its way to the log. */
struct opening {
	struct issue *issue;
	struct issue_request *request;
	struct arena *arena;
	struct fold_change change;
	struct token_signing signing;
	struct trust_wait wait;
	bool is_waiting;   /* for keys */
	bool is_overtaken; /* what ends its task came while its record was on its way */
	char task[RANDOM_ID_BYTES];
	struct proven proven; /* its entry and charter only until the record is submitted */
	struct issue_binding binding;
	struct text audience;
	struct task_details *details; /* NULL: none of its own */
	int64_t issued_utc_s;
	int64_t expires_utc_s;
	struct text parent;         /* a task it hangs below, or empty */
	struct exchanged exchanged; /* of an exchange */
	int64_t parent_end_utc_s;   /* where there is a parent */
	int64_t task_end_utc_s;     /* the token's end, or later where it may be refreshed */
	struct text person;         /* CODE: who consented; as the next five */
	struct text key_due;        /* thumbprint that it must be bound to; or empty */
	char consent[RANDOM_ID_BYTES];
	uint64_t consent_record;
	char refresh[REFRESH_TOKEN_BYTES_MAX]; /* the token that is given; empty: none */
	struct sha256 refresh_digest;
	struct claim *claim;            /* CLAIM: found once its proof is on record */
	struct issue_question question; /* ASK */
	struct opening *next;
};

/* open.c: the steps of the one road. */
void issue_opening_unlink(struct opening *opening);
/* Answers and frees it. */
void issue_opening_finish(struct opening *opening);
/* The identity's risk and when the token ends, for the record that gives it. */
void issue_put_life(struct json_builder *record, const struct opening *opening);
/* Its task lives and its identity may act. */
bool issue_may_act_now(const struct opening *opening);
void issue_sign_token(struct opening *opening);
bool issue_is_plain(struct text words, size_t length_max);

/* claims.c: ASK, before its task is opened, and once it is; CLAIM, once its proof is on
 * record.  Each of the latter two ends the opening, now or later. */
bool issue_check_asking(struct opening *opening) MUST_CHECK;
void issue_ask_people(struct opening *opening);
void issue_redeem(struct opening *opening);
void issue_claims_drop(struct issue *issue);

/* introspect.c: the canonical assertion-used record of a proof, in arena.  Errors: LIMIT. */
struct proof_of {
	const struct proven *proven;
	const char *what; /* "introspect", "claim" */
};
bool issue_proof_record(struct text *out, struct issue *issue, struct arena *arena,
	const struct proof_of *proof, struct error *err) MUST_CHECK;

/* Only DONE is a yes. */
enum proving_outcome {
	PROVING_REFUSED = 0, /* the request says why */
	PROVING_DONE,
	PROVING_WAITS, /* for keys: ask again once wait ran */
};

/* consent.c. */
void issue_consents_drop(struct issue *issue);
/* Forgets what is over. */
void issue_consents_tend(struct issue *issue);
void issue_answerings_drop(struct issue *issue);
/* What the person agreed to and no task was opened by, nor will be. */
void issue_consents_take_back(struct issue *issue, struct text person);
/* True for base64url of 32 bytes. */
bool issue_is_digest_text(struct text value) MUST_CHECK;

/* code.c: who asks, where nothing but a code or a refresh token says it. */
bool issue_is_public(const struct issue_request *request);
/* False: a certificate must prove it. */
bool issue_prove_public(struct issue *issue, struct arena *arena, struct issue_request *request,
	struct proven *out, enum proving_outcome *outcome) MUST_CHECK;
/* What the code is for becomes what the request asks for; the code is spent. */
bool issue_take_code(struct opening *opening) MUST_CHECK;
/* Once it is known what the token is bound to. */
bool issue_check_code_key(struct opening *opening) MUST_CHECK;
/* From here on a second use ends this task. */
void issue_name_code_task(struct opening *opening);
bool issue_code_is_sound(const struct opening *opening);

/* refresh.c: the record of a use; false without an error: the request is refused. */
bool issue_make_refresh(struct opening *opening, struct error *err) MUST_CHECK;
void issue_make_refresh_token(struct opening *opening, struct text task);
/* Its record did not become durable. */
void issue_refresh_failed(struct opening *opening);
void issue_end_reused(struct issue *issue, struct text id, const char *why);
bool issue_fold_refresh(void *state, const struct json *record, uint64_t index, struct error *err);
void issue_project_refresh(const struct json *record, struct projection *projection);
void issue_refreshes_tend(struct issue *issue);
bool issue_revoke_refresh(struct issue *issue, struct text token, struct issue_end_waiter waiter,
	struct error *err) MUST_CHECK;
/* True for the good one of a task of asker that lives. */
bool issue_look_at_refresh(const struct issue *issue, struct text token, struct text asker,
	const struct task **out_task, const struct refresh_family **out_family) MUST_CHECK;

/* Nobody is proven who is not registered; whether they may act is asked by others.  What can be
 * used once is used.  wait NULL: nothing waits. */
enum proving_outcome issue_prove(struct issue *issue, struct arena *arena,
	struct issue_request *request, struct trust_wait *wait, struct proven *out) MUST_CHECK;
/* federated.c: by the word of a registered issuer.  False: it is nobody's that is registered,
 * and nothing was done. */
bool issue_prove_federated(struct issue *issue, struct arena *arena, struct issue_request *request,
	struct trust_wait *wait, struct proven *out, enum proving_outcome *outcome) MUST_CHECK;
/* False once the issuer whose word it was is not in force as it was. */
bool issue_is_trusted(const struct issue *issue, const struct proven *proven);
/* Notes the use for the identity; false: the request is refused. */
bool issue_use_once(struct issue *issue, struct issue_request *request,
	const struct replay_use *use) MUST_CHECK;
/* Refuses the assertion for this reason, in words that tell strangers nothing.  Always false. */
bool issue_refuse_assertion(struct issue_request *request, enum token_reason reason);
/* The charter that keys and rules are read in: in force, or else what waits; NULL: neither. */
const struct charter *issue_charter_of(const struct registry_entry *entry);
/* Gives the request its answer, detail (or NULL) behind what the refusal means.  Always false,
 * so that a check can end in one line. */
bool issue_refuse(struct issue_request *request, enum issue_refusal refusal, const char *detail);

/* Openings on their way to the log that are of the identity, or below the parent; the other
 * is empty. */
size_t issue_count_openings(const struct issue *issue, struct text identity, struct text parent);
/* What the request asks of its task beside its end, and the charter's limits on how many
 * tasks there are.  False: it is refused, and says why. */
bool issue_check_limits(const struct issue *issue, struct issue_request *request,
	const struct proven *proven, struct text parent) MUST_CHECK;

/* prove_certificate.c: the same by the certificate that the connection's peer showed it has the
 * key of (RFC 8705 §2.2): one that the charter names, or whose key it names. */
bool issue_prove_certificate(struct issue *issue, struct arena *arena,
	struct issue_request *request, struct proven *out) MUST_CHECK;

/* Reads the proof, before anybody is proven, so that whoever lacks a nonce has not used up an
 * assertion.  False: request is refused. */
bool issue_read_proof(struct issue *issue, struct arena *arena, struct issue_request *request,
	struct issue_binding *out) MUST_CHECK;
/* Checks it, in the share of whoever is proven, and that the charter takes such a token. */
bool issue_bind(struct issue *issue, struct issue_request *request, const struct proven *proven,
	struct issue_binding *binding) MUST_CHECK;
/* The token that is presented, and as what. */
struct issue_shown {
	struct text token;
	bool is_dpop; /* not Bearer */
};
/* ACCEPTED if what is presented may use a token of identity that is bound so. */
enum token_reason issue_check_bound(struct issue *issue, struct issue_presented *presented,
	const struct issue_shown *shown, const struct token_binding *bound,
	struct text identity) MUST_CHECK;

/* The key of a proof, parsed once; NULL: *reason says why.  Good until the next call. */
const struct cached_key *issue_proof_key(struct issue *issue, struct arena *arena,
	const struct dpop_proof *proof, enum token_reason *reason);

int64_t issue_now_utc_ms(const struct issue *issue);
/* True while nothing may be issued or accepted. */
bool issue_is_closed(const struct issue *issue);

/* The parsed key of a JWK, good until the next call; NULL if it is none.
 * Errors: INVALID, LIMIT. */
const struct cached_key *issue_key(
	struct issue *issue, struct arena *arena, const struct json *jwk, struct error *err);

/* What a client's certificate says, read once (certificates.c); as certificate_read_life,
 * certificate_read and certificate_has_key. */
struct cached_certificate *issue_certificates_create(void);
bool issue_certificate_life(struct issue *issue, struct arena *arena, struct text der,
	struct certificate_life *out, struct error *err) MUST_CHECK;
bool issue_certificate_facts(struct issue *issue, struct arena *arena, struct text der,
	struct certificate_facts *out, struct error *err) MUST_CHECK;
bool issue_certificate_has_key(
	struct issue *issue, struct arena *arena, struct text der, const struct cached_key *key);

/* The server that audience is the URL of, or the empty text. */
struct text issue_server_of(const struct issue *issue, struct text audience);
/* True if audience is the URL of a server, an application in force, or remit's own. */
bool issue_is_audience(const struct issue *issue, struct text audience);

/* IDENTITY_NOT_ACTIVE unless the identity may act now: active, charter in force
 * and not over. */
enum token_reason issue_identity_state(const struct issue *issue, struct text identity);

/* True for a task that was opened while its identity was a sandbox, and is none now. */
bool issue_is_from_sandbox(const struct issue *issue, const struct task *task);

/* A kill: its receipt is made from the next turn on. */
bool issue_fold_kill(void *state, const struct json *record, uint64_t index, struct error *err);
bool issue_fold_receipt(void *state, const struct json *record, uint64_t index, struct error *err);
void issue_receipts_post(struct issue *issue);
void issue_receipts_drop(struct issue *issue);

/* The records of what is over by now, as many as may be on their way at once. */
void issue_end_due(struct issue *issue);
/* After kills and ends: sessions whose task is over are over. */
bool issue_fold_look(void *state, const struct json *record, uint64_t index, struct error *err);
/* Sessions whose task is over, and, when it is time, whether the peers are there. */
void issue_sessions_look(struct issue *issue);
void issue_sessions_drop(struct issue *issue);

/* ACCEPTED if the identity's charter in force acts for the person, who is registered. */
enum token_reason issue_person_state(
	const struct issue *issue, struct text identity, struct text person);
/* The same of a task, and that its person has not left since it was opened; ACCEPTED also of one
 * for nobody. */
enum token_reason issue_task_person_state(const struct issue *issue, const struct task *task);
/* ACCEPTED if the task and each above it is live and not over, none is from a sandbox that was,
 * and each identity on its path may act now. */
enum token_reason issue_task_state(const struct issue *issue, const struct task *task);

/* Whether a token of this epoch and jti, of a live task, was not ended alone. */
bool issue_token_is_in_force(const struct task *task, int64_t epoch, struct text id);
/* As issue_authenticate, of whatever may open something some time: also of a token that is only
 * there to be exchanged, whose task is over while the record of its end is still to come, or whose
 * identity or person may not act now. */
enum token_reason issue_authenticate_to_end(struct issue *issue, struct text token,
	struct text audience, struct issue_caller *out) MUST_CHECK;

/* Who acts for whom in the task: fills the parties of a token for it.  False: its path is
 * no chain. */
bool issue_name_parties(struct access_token *out, const struct task *task) MUST_CHECK;

/* True if the token says of the task what is so. */
bool issue_token_is_of_task(const struct access_token *token, const struct task *task) MUST_CHECK;

/* Of an exchange.  False: refused, and request says why.  What the subject token and the world say
 * decides, never which parameters there are. */
bool issue_check_exchange(struct issue *issue, struct arena *arena, struct issue_request *request,
	const struct proven *proven, struct exchanged *out) MUST_CHECK;
/* False: refused.  The one that a token is handed on to must be a peer of who asks for it. */
bool issue_check_may_act(struct issue_request *request, const struct proven *proven) MUST_CHECK;

/* Ends a task that could not be handed over; nobody waits for it. */
void issue_abandon_task(struct issue *issue, struct text task, const char *reason);
/* The session of MCP that held the task has gone.  Waits also where it is being ended already. */
bool issue_end_let_go(struct issue *issue, struct text task, struct issue_end_waiter waiter,
	struct error *err) MUST_CHECK;
/* A task is to end.  False: nothing was taken; CONFLICT: it is being ended. */
bool issue_end_for(struct issue *issue, struct text task, struct text reason,
	struct issue_end_waiter waiter, struct error *err) MUST_CHECK;
/* The same by the identity that holds it, who waits also where it is being ended already.
 * Errors: as issue_task_end. */
bool issue_end_held(struct issue *issue, struct text task, struct text actor,
	struct issue_end_waiter waiter, struct error *err) MUST_CHECK;
void issue_sweeps_drop(struct issue *issue);

/* Openings, endings and questions that are still on their way: no longer call anybody. */
void issue_openings_drop(struct issue *issue);
void issue_endings_drop(struct issue *issue);
void issue_lookings_drop(struct issue *issue);

/* False unless the token opens now what it says it is for; then who holds it, and its
 * claims in arena. */
bool issue_look_at(struct issue *issue, struct text token, struct arena *arena,
	struct issue_caller *out, struct json *claims);

/* How whoever asked was proven, as records keep it: {key, replay, until}.  Errors: LIMIT. */
bool issue_proof(struct json *out, struct arena *arena, const struct proven *proven,
	const struct token_binding *bound, struct error *err) MUST_CHECK;

/* The one-time id in a record of a proof, or the row it left in the store. */
bool issue_fold_assertion(
	void *state, const struct json *record, uint64_t index, struct error *err);
void issue_project_assertion(const struct json *record, struct projection *projection);

#endif
