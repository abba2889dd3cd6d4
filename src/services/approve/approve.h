#ifndef SERVICES_APPROVE_APPROVE_H
#define SERVICES_APPROVE_APPROVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "domain/answer/answer_proof.h"
#include "domain/call/call.h"
#include "domain/charter/registry.h"
#include "domain/decide/decision.h"
#include "domain/flow/flow_call.h"
#include "domain/task/task.h"
#include "services/registry/fold.h"

/* People's answers to exact calls.  Everything changes by records, in the fold;
 * one loop thread. */
struct approve;

enum approval_state {
	APPROVAL_NONE = 0,
	APPROVAL_PENDING,
	APPROVAL_APPROVED,
	APPROVAL_REJECTED,
	APPROVAL_STALE,
	APPROVAL_EXPIRED,
	APPROVAL_USED,
	APPROVAL_EDITED, /* a person would accept other arguments: another question */
};

enum {
	APPROVAL_ID_BYTES = 22, /* "a-" and 20 letters */
	APPROVAL_ANSWERS_MAX = 16,
	APPROVALS_MAX = 10000, /* held at once, those on their way to the log among them */
	APPROVAL_PENDING_PER_TASK_MAX = 32,
	APPROVAL_PENDING_PER_PERSON = 100, /* that one may answer, where nothing else is set */
	APPROVAL_PEOPLE_LOOKS_MAX = 64,    /* without room, before nobody counts as having some */
	/* At questions that wait, for each person anew, before nobody counts as having room: of
	 * the first person all are counted, however many there are. */
	APPROVAL_LOOKS_MAX = 2 * APPROVALS_MAX,
	/* Held, closed ones included, so that an identity leaves room for others. */
	APPROVALS_PER_IDENTITY_MAX = 1024,
	/* How long a question counts whose record was made, and is not known to be in the log. */
	APPROVAL_ASKING_MS_MAX = 60 * 1000,
	APPROVAL_REASON_BYTES_MAX = 1000,
	APPROVAL_SUMMARY_PEOPLE_MAX = 8,
	APPROVALS_LAST_MAX = 10000, /* identities and tools whose last approved call is known */
};

/* One person's answer. */
struct approval_answer {
	struct text person;
	bool is_yes;
	struct text reason;
	struct text key_id; /* that signed it; the answer counts while the person has that key */
	int64_t at_utc_ms;
	uint64_t index;
};

/* One task of the chain, the caller's first. */
struct approval_link {
	struct text task;
	struct text identity;
	struct text person; /* for whom; may be empty */
};

/* What was known when people were asked, as its record says: for the card. */
struct approval_facts {
	struct text environment;
	struct text effect;
	struct text sensitivity; /* of the data it reads; empty: none */
	bool is_untrusted;
	struct text label; /* highest the task had touched; empty: nothing */
	bool has_untrusted_content;
	struct text reversal;
	struct text risk;
	struct text origins; /* canonical JSON: where target arguments come from; may be empty */
	bool has_card;       /* what is sealed is {arguments, reason}, not the arguments alone */
};

/* One question, owned by the service; borrowed until the next fold. */
struct approval {
	struct text id;
	enum approval_state state;
	struct sha256 call_digest; /* of the call, keyed with the task's content key */
	struct sha256 arguments;   /* canonical arguments, keyed in the same way */
	struct text identity;
	struct text charter; /* "NAME@VERSION" it was asked under */
	struct text task;
	struct text person; /* for whom the task runs; may not answer; may be empty */
	const struct approval_link *chain; /* the persons of it may not answer either */
	size_t chain_count;
	struct approval_facts facts;
	struct text edits;  /* id of the question whose arguments a person changed; empty: none */
	struct text editor; /* who changed them */
	struct text edited; /* id of the question that takes its place; empty: none */
	struct text server;
	struct text tool; /* "server/name" */
	struct text method;
	const struct text *names; /* of context.approvals that are needed; sorted */
	size_t names_count;
	const struct text *units; /* of the server and the data it reads: data-owner/UNIT */
	size_t units_count;
	struct text entitlement; /* the line it would open */
	struct text clause;      /* what held it */
	struct text explanation; /* as the agent was told; no values */
	const struct text *policies;
	size_t policies_count;
	const struct approval_answer *answers;
	size_t answers_count;
	int64_t asked_at_utc_ms;
	int64_t expires_utc_ms; /* of the question, then of the answer */
	uint64_t asked_index;   /* leaf of approval-asked: names the contents */
	bool is_reserved;       /* a call that uses it is on its way to the log */
	uint32_t notices_lost;  /* that were to tell others of it */
	bool is_told;           /* that nobody answered: asking again is a new question */
};

struct approve_settings {
	int64_t question_ms; /* a question nobody answers in time is expired; default 1 h */
	int64_t answer_ms;   /* an approved call must be made within; default 15 min */
	/* Questions that wait for one person; default APPROVAL_PENDING_PER_PERSON. */
	uint32_t per_person_max;
};

/* What others are told, once it is durable. */
enum approval_event {
	APPROVAL_EVENT_NONE = 0,
	APPROVAL_EVENT_ASKED,
	APPROVAL_EVENT_ANSWERED, /* one more yes; others are missing */
	APPROVAL_EVENT_CLOSED,   /* state says how: approved, rejected, edited, ... */
};
/* "asked", "answered", "closed"; NULL for NONE. */
const char *approval_event_word(enum approval_event event);

struct break_glass; /* break_glass.h */

enum break_glass_event {
	BREAK_GLASS_EVENT_NONE = 0,
	BREAK_GLASS_EVENT_ASKED,
	BREAK_GLASS_EVENT_OPENED,
	BREAK_GLASS_EVENT_CLOSED,
	BREAK_GLASS_EVENT_REVIEWED,
	BREAK_GLASS_EVENT_OVERDUE, /* its review; once in the life of the process */
};
/* "asked" ... "overdue"; NULL for NONE. */
const char *break_glass_event_word(enum break_glass_event event);

struct approve_listener {
	void *context;
	/* From the fold's turn, never while it loads.  approval is borrowed. */
	void (*on_event)(void *context, enum approval_event event, const struct approval *approval);
	/* The same of break-glass; OVERDUE comes from the tick.  May be NULL. */
	void (*on_break_glass)(
		void *context, enum break_glass_event event, const struct break_glass *glass);
	/* A question was not asked: so many wait for this person already, and for each other
	 * who could have answered in their stead.  May be NULL. */
	void (*on_flooded)(void *context, struct text person, uint32_t open);
};

/* registry, tasks and fold are borrowed and outlive it; settings is copied.
 * Registers its handlers and projectors with the fold.  Errors: LIMIT. */
bool approve_create(struct approve **out, const struct registry *registry,
	const struct task_table *tasks, struct fold *fold, const struct approve_settings *settings,
	struct error *err) MUST_CHECK;
void approve_destroy(struct approve **approve);
/* Instead of per_person_max, from the next question on; what waits goes on waiting. */
void approve_bound_people(struct approve *approve, uint32_t per_person_max);

const struct approval *approval_find(const struct approve *approve, struct text id);
/* Next after (NULL: first), in the order asked. */
const struct approval *approval_next(const struct approve *approve, const struct approval *after);
/* What holds at now: expiry, and whether the answers still count. */
enum approval_state approval_state_now(
	const struct approve *approve, const struct approval *approval, int64_t now_utc_ms);

/* Why this person may not answer it; NULL if they may.  One sentence. */
const char *approve_refusal(
	const struct approve *approve, const struct approval *approval, struct text person);

/* Tells one listener from now on; it is copied.  NULL: nobody. */
void approve_listen(struct approve *approve, const struct approve_listener *listener);

/* `remit approve|reject ID`.  proof is what the person signed: it must be by a key they have
 * enrolled, for this approval and verb, and name exactly the call that is asked about.  done runs
 * on the loop once it is durable (err NULL) or could not be written.  False: not taken.  Errors:
 * NOT_FOUND, CONFLICT (not pending, another answer is on its way, signed for another call), INVALID
 * ("forbidden: ..." this person may not, or the proof does not hold), LIMIT, IO. */
struct approve_request {
	struct text id;
	struct text person; /* NAME of an authenticated person */
	enum answer_verb verb;
	struct answer_proof proof;
	struct text edited; /* EDIT only: the question that takes its place, which is on record */
	bool is_held;       /* by approve_answer_hold, for this answer */
	struct text reason;
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err);
};
bool approve_answer(struct approve *approve, const struct approve_request *request,
	struct error *err) MUST_CHECK;
/* Whether approve_answer would take it now; the same errors.  If so nobody else's answer is taken
 * until one that says is_held is done, or until approve_answer_release: for whoever has to write
 * another record first.  Time and who may answer are looked at again then. */
bool approve_answer_hold(struct approve *approve, const struct approve_request *request,
	struct error *err) MUST_CHECK;
/* Of one that is held and whose answer was not taken. */
void approve_answer_release(struct approve *approve, struct text id);

/* ---- for services/call ------------------------------------------------- */

/* The open question (PENDING or APPROVED, not reserved) about exactly this call,
 * or NULL. */
const struct approval *approve_find_call(
	const struct approve *approve, const struct sha256 *call_digest, int64_t now_utc_ms);

/* The latest question about exactly this call, if the answer was no: a person rejected or
 * edited it, or nobody answered in time and nobody was told so yet.  NULL: it was not. */
const struct approval *approve_find_refused(
	const struct approve *approve, const struct sha256 *call_digest, int64_t now_utc_ms);

/* A new question; everything is copied into the record. */
struct approve_question {
	const struct call *call;
	const struct decision *decision; /* ASK */
	struct text person;              /* of the task, may be empty */
	struct text charter;             /* "NAME@VERSION" */
	const struct text *units;
	size_t units_count;
	struct sha256 call_digest;
	struct sha256 arguments;
	struct text content; /* "sha256:..." of the sealed card */
	const struct approval_link *chain;
	size_t chain_count;
	enum sensitivity label; /* of the task */
	bool has_untrusted_content;
	const struct approval *edits; /* the question that a person changed; NULL: none */
	struct text editor;           /* that person */
	/* Of an edit, which no decision on record tells; else NULL. */
	const struct flow_origins *origins;
	int64_t now_utc_ms;
};
/* The approval-asked record, canonical, and the new id, both in arena.  The
 * question exists once the record is folded; until then, and for at most
 * APPROVAL_ASKING_MS_MAX, it counts in the bounds.  Errors: CONFLICT (whoever could answer
 * has as many to answer as one may: err says so to the agent), LIMIT (questions of the
 * task, approvals in all, arena). */
bool approve_asked_record(struct approve *approve, const struct approve_question *question,
	struct arena *arena, struct text *out_entry, struct text *out_id,
	struct error *err) MUST_CHECK;

/* The last call of this tool by this identity that people approved and that went, from the
 * record of its decision; NULL: none is known. */
struct approval_last {
	uint64_t index; /* of the decision: names the contents */
	int64_t at_utc_ms;
};
const struct approval_last *approve_last(
	const struct approve *approve, struct text identity, struct text tool);

/* Takes an approved question for one call that is on its way to the log.  False:
 * it is not approved (any more), or taken already.  The decision record that
 * names it makes it USED when folded; approve_release gives it back when that
 * record did not become durable. */
bool approve_reserve(
	struct approve *approve, const struct approval *approval, int64_t now_utc_ms) MUST_CHECK;
void approve_release(struct approve *approve, struct text id);

/* Writes approval-closed for what is expired or stale, forgets what was closed
 * long ago.  Called now and then from the loop. */
void approve_tick(struct approve *approve, int64_t now_utc_ms);

/* Waits for an approval to leave PENDING; embedded by the exchange.  on_change
 * runs from the fold's turn, once. */
struct approve_watch {
	struct text id;
	void *context;
	void (*on_change)(void *context, const struct approval *approval);
	struct approve_watch *next;  /* private */
	struct approve_watch **link; /* private */
};
void approve_watch_add(struct approve *approve, struct approve_watch *watch);
void approve_watch_remove(struct approve *approve, struct approve_watch *watch);

/* An approval as JSON for list and show: everything above, who may answer, and
 * what is still missing.  The complete canonical arguments are not in it: the
 * contents store has them (asked_index).  Errors: LIMIT. */
bool approval_json(struct json *out, struct arena *arena, const struct approve *approve,
	const struct approval *approval, int64_t now_utc_ms, struct error *err) MUST_CHECK;

/* What may leave for a chat or a mailbox: what it is about and who may answer, by name, at most
 * APPROVAL_SUMMARY_PEOPLE_MAX; never arguments, nor what the agent wrote.  Errors: LIMIT. */
bool approval_summary_json(struct json *out, struct arena *arena, const struct approve *approve,
	const struct approval *approval, int64_t now_utc_ms, struct error *err) MUST_CHECK;

/* Puts on record that others could not be told.  Errors: LIMIT, IO. */
struct approve_lost {
	struct text subject; /* id of what the event is about, or empty */
	struct text event;   /* "approval.asked", "finding.opened", ... */
	unsigned tries;
	const char *why;
};
bool approve_notice_lost(
	struct approve *approve, const struct approve_lost *lost, struct error *err) MUST_CHECK;

/* For metrics. */
struct approve_figures {
	size_t held;
	size_t pending;
	uint64_t notices_lost; /* since the start */
};
struct approve_figures approve_figures(const struct approve *approve);

const char *approval_state_word(enum approval_state value);

/* Whether the key that the proof names signed this request, of whatever verb, as the person's;
 * *out_key_id, in arena, says which it was.  Errors: INVALID ("forbidden: ..."), LIMIT. */
bool approve_check_signature(const struct approve *approve, struct text person,
	const struct answer_proof *proof, struct arena *arena, struct text *out_key_id,
	struct error *err) MUST_CHECK;

#endif
