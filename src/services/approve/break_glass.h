#ifndef SERVICES_APPROVE_BREAK_GLASS_H
#define SERVICES_APPROVE_BREAK_GLASS_H

#include "domain/decide/decide.h"
#include "services/approve/approve.h"

/* Break-glass: for some minutes, calls of one identity that wait for people go without their
 * answer.  It stands in for approvals alone, and only for those that its people could have
 * given: what a charter's line, a guardrail, a suspension, a kill or a person's no forbids, it
 * does not open.  Two people open it, or one who is reviewed by another within a day.
 * Everything changes by records, in the fold; one loop thread. */

enum {
	BREAK_GLASS_ID_BYTES = 22, /* "g-" and 20 letters */
	BREAK_GLASS_MINUTES_MAX = 60,
	BREAK_GLASS_MINUTES_DEFAULT = 15,
	BREAK_GLASS_HELD_MAX = 256, /* at once, those that wait for a review too */
	BREAK_GLASS_TICKET_BYTES_MAX = 200,
	BREAK_GLASS_REVIEW_MS = 24 * 60 * 60 * 1000,
	BREAK_GLASS_AGREE_MS = 15 * 60 * 1000, /* for the second person to agree */
};

/* ASKED: one person has, another must agree.  REVIEWED is the end of one that was opened
 * alone; CLOSED of the others. */
enum break_glass_state {
	BREAK_GLASS_NONE = 0,
	BREAK_GLASS_ASKED,
	BREAK_GLASS_OPEN,
	BREAK_GLASS_CLOSED,
	BREAK_GLASS_REVIEWED,
};
const char *break_glass_state_word(enum break_glass_state value);

/* Owned by the service; borrowed until the next fold. */
struct break_glass {
	struct text id;
	enum break_glass_state state; /* as recorded; what holds now: break_glass_is_open */
	struct text identity;
	struct text unit; /* of the identity */
	struct text tool; /* "server/name"; empty: any */
	struct text task; /* empty: any */
	struct text reason;
	struct text ticket;
	struct text opener;
	struct text second; /* who agreed; empty: opened alone, or nobody has yet */
	struct text reviewer;
	bool is_alone;
	int64_t minutes;
	uint64_t epoch; /* of the identity's kills when it was asked for */
	int64_t asked_at_utc_ms;
	int64_t expires_utc_ms;    /* ASKED: of the question; OPEN: of itself */
	int64_t review_due_utc_ms; /* 0: no review is needed */
	uint64_t index;            /* of the record that opened it */
};

const struct break_glass *break_glass_find(const struct approve *approve, struct text id);
/* Next after (NULL: first), in the order asked. */
const struct break_glass *break_glass_next(
	const struct approve *approve, const struct break_glass *after);
bool break_glass_is_open(
	const struct approve *approve, const struct break_glass *glass, int64_t now_utc_ms);
/* It was opened alone, is over, and nobody has reviewed it in time. */
bool break_glass_is_overdue(const struct break_glass *glass, int64_t now_utc_ms);

/* What a person wants of one.  proof is on record as they signed it.  done runs on the loop
 * once it is durable or could not be written.  Errors: NOT_FOUND, CONFLICT (its state), INVALID
 * (also "forbidden: ..."), LIMIT, IO. */
enum break_glass_verb {
	BREAK_GLASS_VERB_NONE = 0,
	BREAK_GLASS_VERB_OPEN, /* alone, or asks for a second person */
	BREAK_GLASS_VERB_AGREE,
	BREAK_GLASS_VERB_CLOSE,
	BREAK_GLASS_VERB_REVIEW,
};
struct break_glass_request {
	enum break_glass_verb verb;
	struct text person;
	struct text id;       /* of the one meant; not for OPEN */
	struct text identity; /* the rest is for OPEN */
	struct text tool;
	struct text task;
	struct text ticket;
	struct text reason; /* and for REVIEW: what was found */
	int64_t minutes;    /* 0: the default */
	bool is_alone;
	struct answer_proof proof;
	struct arena *arena; /* gets out_id */
	struct text out_id;  /* of the one opened or asked for */
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err);
};
bool break_glass_submit(
	struct approve *approve, struct break_glass_request *request, struct error *err) MUST_CHECK;

/* The one that lets this call go without answers to these names; NULL: none does. */
struct break_glass_call {
	const struct call *call;
	const struct approval_link *chain;
	size_t chain_count;
	const struct text *units; /* of the server and the data, for data-owner/UNIT */
	size_t units_count;
	struct approval_names names;
	int64_t now_utc_ms;
};
const struct break_glass *break_glass_for_call(
	const struct approve *approve, const struct break_glass_call *asked);

struct break_glass_figures {
	size_t open;
	size_t overdue;
};
struct break_glass_figures break_glass_figures(const struct approve *approve);

/* As JSON for list and answers.  Errors: LIMIT. */
bool break_glass_json(struct json *out, struct arena *arena, const struct approve *approve,
	const struct break_glass *glass, struct error *err) MUST_CHECK;

#endif
