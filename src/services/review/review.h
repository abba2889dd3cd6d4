#ifndef SERVICES_REVIEW_REVIEW_H
#define SERVICES_REVIEW_REVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/answer/answer_proof.h"
#include "domain/review/review.h"
#include "services/approve/approve.h"
#include "services/finding/finding.h"
#include "services/graph/graph_service.h"
#include "services/living/living.h"
#include "services/registry/registrar.h"

/* Access reviews: people judge, item by item, what a frozen snapshot says that identities may
 * do; what they take away is taken in the same record.  No answer by the deadline takes it away
 * on trial.  Everything changes by records, in the fold; long work goes in steps; one loop
 * thread. */
struct review_service;

enum {
	REVIEWS_OPEN_MAX = 256,        /* gathering ones included */
	REVIEWS_KEPT_MAX = 1024,       /* closed ones are forgotten after, oldest first */
	REVIEW_ITEMS_MAX = 32768,      /* of one review */
	REVIEW_ITEMS_ALL_MAX = 262144, /* of all that are kept */
	REVIEW_NAME_BYTES_MAX = 100,
	REVIEW_REASON_BYTES_MAX = 1000,
	REVIEW_REVIEWERS_MAX = 16,
	REVIEW_DELEGATIONS_MAX = 64,
	REVIEW_DELEGATION_HOPS_MAX = 4,
	REVIEW_NUMBERS_MAX = 256, /* items named in one request */
	REVIEW_SIGNED_BYTES_MAX = 8192,
	REVIEW_REFUSED_MAX = 100, /* items of one request that are told with their reason */
	REVIEW_JOBS_MAX = 64,     /* requests under way */
	REVIEW_PART_ITEMS = 64,   /* frozen in one record, judged in one step */
	REVIEW_STEP_IDENTITIES = 64,
	REVIEW_STEP_ROWS = 512,         /* of a report, written in one step */
	REVIEW_EVENTS_MAX = 65536,      /* that wait for their small review */
	REVIEW_EVENT_SETTLE_MS = 60000, /* so that what belongs together is one review */
	REVIEW_TELL_AGAIN_MS = 300000,  /* an exception that nobody could be told of */
	REVIEW_PAGE_MAX = 500,
};

enum review_stage {
	REVIEW_STAGE_NONE = 0,
	REVIEW_STAGE_GATHERING, /* its snapshot is being made: no record of it yet */
	REVIEW_STAGE_FAILED,    /* there is nothing to review, or too much */
	REVIEW_STAGE_OPEN,
	REVIEW_STAGE_CLOSED,
	REVIEW_STAGE_COUNT,
};
const char *review_stage_word(enum review_stage stage);

/* When people are told that items wait. */
enum review_reminder {
	REVIEW_REMINDER_NONE = 0,
	REVIEW_REMINDER_HALF, /* of the time is over */
	REVIEW_REMINDER_DAY,  /* a day is left */
	REVIEW_REMINDER_END,  /* what was not answered is taken away */
	REVIEW_REMINDER_COUNT,
};
const char *review_reminder_word(enum review_reminder reminder);

/* Which identities; every member that is not empty must hold.  None: all. */
struct review_scope {
	struct text unit;
	enum risk_tier risk; /* this tier or above; NONE: any */
	struct text owner;
	struct text identity;
};

/* A port: what stands at providers for an identity.  main fills it; visit returns false to
 * end.  NULL: nothing is known of providers. */
struct review_inherited {
	struct text title; /* "google/1234 drive.readonly" */
	struct text by;    /* who granted it */
	enum effect effect;
	enum sensitivity sensitivity;
	int64_t since_utc_ms;
	int64_t last_utc_ms;
	int64_t uses;
};
struct review_stop {
	struct text account;
	struct text actor;
	struct text reason;
	struct text review;
	struct text identity; /* whose item it is */
	bool must_be_reversible;
	void *context;
	/* err NULL: that it is to be stopped is on record. */
	void (*done)(void *context, const struct error *err);
};
struct review_ports {
	void *log;
	bool (*read_content)(void *log, uint64_t index, struct arena *arena, struct text *out,
		struct error *err);
	void *providers;
	bool (*each_inherited)(void *providers, struct text identity,
		bool (*visit)(void *context, const struct review_inherited *one), void *context,
		struct error *err);
	/* Whose line an inherited item is: the account, copied into arena.  False: it is gone, or
	 * the identity only uses it. */
	bool (*find_account)(void *providers, struct text identity, struct text title,
		struct arena *arena, struct text *out);
	/* Has it stopped at its provider (services/connector): done runs once, later or before it
	 * returns.  False: nobody may, or (must_be_reversible) not so that it could be had back;
	 * done does not run.  Both may be NULL. */
	bool (*stop_account)(void *providers, const struct review_stop *stop);
};

/* Hears of reviews; a port that main fills. */
struct review_notice {
	const char *event; /* "opened" "half" "day" "end" "closed" */
	struct text review;
	struct text name;
	int64_t due_utc_ms;
	size_t items;
	size_t open;
	const struct text *reviewers;
	size_t reviewers_count;
};
struct review_listener {
	void *context;
	void (*on_event)(void *context, const struct review_notice *notice);
};

struct review_parts {
	struct registry *registry;
	struct registrar *registrar;
	struct fold *fold;
	const struct approve *approve;
	struct finding_service *finding;
	const struct living_service *living; /* knows what a review answers */
	const struct graph_service *graph;   /* counts what was used */
};
/* All borrowed.  Errors: LIMIT. */
bool review_service_create(struct review_service **out, const struct review_parts *parts,
	struct error *err) MUST_CHECK;
void review_service_destroy(struct review_service **service);
void review_connect(struct review_service *service, const struct review_ports *ports,
	const struct review_listener *listener);
/* When the snapshot was taken of the last review in which everything of the identity was settled;
 * 0: none is known.  One that was forgotten, and a start since, is not. */
int64_t review_judged_utc_ms(const struct review_service *service, struct text identity);
/* One step of whatever is under way: a snapshot, a deadline, a report.
 * True: call it again soon. */
bool review_step(struct review_service *service);

/* ---- what people do; done runs on the loop, later or before it returns ---- */

enum review_verb {
	REVIEW_VERB_NONE = 0,
	REVIEW_VERB_START, /* scope, name, days, reviewers; out_review */
	REVIEW_VERB_DECIDE,
	REVIEW_VERB_DELEGATE, /* to: another person judges instead */
	REVIEW_VERB_REPORT,
};
/* Of a list and of a decision by filter; what is empty or NONE holds of all. */
struct review_filter {
	bool has_state;
	enum review_state state;
	enum review_item_kind kind;
	enum review_choice advice;
	enum risk_tier risk; /* exactly */
	struct text identity;
	struct text unit;
};
struct review_request {
	enum review_verb verb;
	struct text person; /* NAME of an authenticated person */
	struct text review;
	struct review_scope scope; /* START */
	struct text name;
	int64_t days;
	enum review_cause cause; /* NONE: PERSON */
	const struct text *reviewers;
	size_t reviewers_count;
	enum review_choice choice; /* DECIDE */
	const uint32_t *numbers;   /* of items, from 1 */
	size_t numbers_count;
	const struct review_filter *filter; /* instead of numbers */
	struct text snapshot;               /* hash that the person was shown */
	struct text reason;
	struct text to;
	struct answer_proof proof;
	struct arena *arena; /* gets what is answered; outlives done */
	void *context;
	/* err NULL: answer is what came of it. */
	void (*done)(void *context, const struct json *answer, const struct error *err);
	struct text *answer_report; /* REPORT: gets its bytes, in arena */
};
/* False: not taken, done does not run.  Errors: NOT_FOUND, CONFLICT, INVALID (also
 * "forbidden: ..."), LIMIT, IO. */
bool review_submit(struct review_service *service, struct review_request *request,
	struct error *err) MUST_CHECK;

/* ---- looking ---- */

/* The reviews in order of id behind `after`, at most count, as a JSON array.  Errors: LIMIT. */
bool review_list(const struct review_service *service, struct text after, uint32_t count,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;
/* One, with figures.  Errors: NOT_FOUND, LIMIT. */
bool review_show(const struct review_service *service, struct text id, struct arena *arena,
	struct json *out, struct error *err) MUST_CHECK;
/* Its items behind number `after`, at most count, that the filter takes; *next is the number to
 * go on behind, 0 at the end.  Looks at no more than REVIEW_ITEMS_MAX rows, reads no more than
 * REVIEW_PAGE_MAX.  Errors: NOT_FOUND, LIMIT. */
struct review_items_query {
	struct text review;
	struct text person; /* whose it is to decide is told; may be empty */
	struct review_filter filter;
	uint32_t after;
	uint32_t count;
};
bool review_items(struct review_service *service, const struct review_items_query *asked,
	struct arena *arena, struct json *out, uint32_t *next, struct error *err) MUST_CHECK;

/* Whether the person may have back, at its provider, an account that the review had stopped for
 * the identity: who may judge what it took there, and neither owns the identity nor judges by a
 * delegation that one who does had part in.  Of a review that is not known any more, whoever may
 * judge the identity.  Errors: INVALID ("forbidden: "). */
struct review_given_back {
	struct text review;
	struct text identity;
	struct text account; /* CONNECTOR/ID */
	struct text person;
	/* Who wants it back; empty: nobody yet.  Neither judges by the other's delegation. */
	struct text asked_by;
};
bool review_may_give_back(const struct review_service *service,
	const struct review_given_back *asked, struct error *err) MUST_CHECK;

struct review_figures {
	size_t open;
	size_t items;   /* of all that are kept */
	size_t waiting; /* items that nobody settled yet */
};
struct review_figures review_figures(const struct review_service *service);

#endif
