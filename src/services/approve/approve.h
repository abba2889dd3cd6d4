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
#include "domain/call/call.h"
#include "domain/charter/registry.h"
#include "domain/decide/decision.h"
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
};

enum {
	APPROVAL_ID_BYTES = 22, /* "a-" and 20 letters */
	APPROVAL_ANSWERS_MAX = 16,
	APPROVALS_MAX = 10000, /* held at once */
	APPROVAL_PENDING_PER_TASK_MAX = 32,
	/* Held, closed ones included, so that an identity leaves room for others. */
	APPROVALS_PER_IDENTITY_MAX = 1024,
	APPROVAL_REASON_BYTES_MAX = 1000,
};

/* One person's answer. */
struct approval_answer {
	struct text person;
	bool is_yes;
	struct text reason;
	int64_t at_utc_ms;
	uint64_t index;
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
	struct json origins;     /* where the values came from (flow_call.h); null: not told */
	const struct text *policies;
	size_t policies_count;
	const struct approval_answer *answers;
	size_t answers_count;
	int64_t asked_at_utc_ms;
	int64_t expires_utc_ms; /* of the question, then of the answer */
	uint64_t asked_index;   /* leaf of approval-asked: names the contents */
	bool is_reserved;       /* a call that uses it is on its way to the log */
};

struct approve_settings {
	int64_t question_ms; /* a question nobody answers in time is expired; default 1 h */
	int64_t answer_ms;   /* an approved call must be made within; default 15 min */
};

/* registry, tasks and fold are borrowed and outlive it; settings is copied.
 * Registers its handlers and projectors with the fold.  Errors: LIMIT. */
bool approve_create(struct approve **out, const struct registry *registry,
	const struct task_table *tasks, struct fold *fold, const struct approve_settings *settings,
	struct error *err) MUST_CHECK;
void approve_destroy(struct approve **approve);

const struct approval *approval_find(const struct approve *approve, struct text id);
/* Next after (NULL: first), in the order asked. */
const struct approval *approval_next(const struct approve *approve, const struct approval *after);
/* What holds at now: expiry, and whether the answers still count. */
enum approval_state approval_state_now(
	const struct approve *approve, const struct approval *approval, int64_t now_utc_ms);

/* Why this person may not answer it; NULL if they may.  One sentence. */
const char *approve_refusal(
	const struct approve *approve, const struct approval *approval, struct text person);

/* `remit approve|reject ID`.  done runs on the loop once it is durable (err
 * NULL) or could not be written.  False: not taken.  Errors: NOT_FOUND,
 * CONFLICT (not pending, another answer is on its way), INVALID ("forbidden: ..." this person
 * may not), LIMIT, IO. */
struct approve_request {
	struct text id;
	struct text person; /* NAME of an authenticated person */
	bool is_yes;
	struct text reason;
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err);
};
bool approve_answer(struct approve *approve, const struct approve_request *request,
	struct error *err) MUST_CHECK;

/* ---- for services/call ------------------------------------------------- */

/* The open question (PENDING or APPROVED, not reserved) about exactly this call,
 * or NULL. */
const struct approval *approve_find_call(
	const struct approve *approve, const struct sha256 *call_digest, int64_t now_utc_ms);

/* The latest question about exactly this call, if a person rejected it; NULL. */
const struct approval *approve_find_rejected(
	const struct approve *approve, const struct sha256 *call_digest);

/* A new question; everything is copied into the record. */
struct approve_question {
	const struct call *call;
	const struct decision *decision;    /* ASK */
	const struct flow_origins *origins; /* of the call's values; NULL: not told */
	struct text person;                 /* of the task, may be empty */
	struct text charter;                /* "NAME@VERSION" */
	const struct text *units;
	size_t units_count;
	struct sha256 call_digest;
	struct sha256 arguments;
	struct text content; /* "sha256:..." of the sealed arguments */
	int64_t now_utc_ms;
};
/* The approval-asked record, canonical, and the new id, both in arena.  The
 * question exists once the record is folded.  Errors: LIMIT (questions of the
 * task, approvals in all, arena). */
bool approve_asked_record(const struct approve *approve, const struct approve_question *question,
	struct arena *arena, struct text *out_entry, struct text *out_id,
	struct error *err) MUST_CHECK;

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

const char *approval_state_word(enum approval_state value);

#endif
