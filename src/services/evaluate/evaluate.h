#ifndef SERVICES_EVALUATE_EVALUATE_H
#define SERVICES_EVALUATE_EVALUATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/application/application.h"
#include "domain/charter/registry.h"
#include "domain/decide/decision.h"
#include "services/approve/approve.h"
#include "services/decide/decide_service.h"
#include "services/record/contents.h"
#include "services/record/record.h"
#include "services/registry/fold.h"

/* Questions of others to a decision point: remit's own, which asks services/decide,
 * or an application's.  An answer has no effect here and is no grant; each request
 * leaves one record.  Loop's thread. */
struct evaluate;

enum {
	EVALUATE_ITEMS_MAX = 64,     /* questions of one request */
	EVALUATE_PAGE_DEFAULT = 100, /* results of a search at once */
	EVALUATE_PAGE_MAX = 1000,
	EVALUATE_CANDIDATES_MAX = 2000, /* decided for one page of a search */
	EVALUATE_BEHIND_MAX = 1024,     /* of them that nobody waits for */
	EVALUATE_IN_FLIGHT_MAX = 4096,  /* records on their way at once */
	EVALUATE_ID_BYTES = 24,
	EVALUATE_CONTENT_BYTES_MAX = 512 * 1024, /* of questions that are kept */
	/* Context and properties are read anew for each question they are part of: of one page of a
	 * search, or of one batch, as many bytes as this, counted each time (evaluate_read_bytes).
	 */
	EVALUATE_READ_BYTES_MAX = 4 * 1024 * 1024,
	/* Of arguments, compared with those of open approvals for one question. */
	EVALUATE_COMPARED_BYTES_MAX = 1024 * 1024,
};

/* Whether an answer waits until its record is durable. */
enum evaluate_durability { EVALUATE_AWAITED = 0, EVALUATE_BEHIND };

/* All borrowed; they outlive it. */
struct evaluate_parts {
	struct fold *fold;
	const struct registry *registry;
	struct decide_service *decide;
	const struct approve *approve;
	struct contents_port values;
	enum evaluate_durability durability;
};

/* Errors: LIMIT. */
bool evaluate_create(
	struct evaluate **out, const struct evaluate_parts *parts, struct error *err) MUST_CHECK;
/* Nothing may be on its way to the log any more.  No callback runs. */
void evaluate_destroy(struct evaluate **evaluate);

/* Who asks, by an access token for this very point, and where. */
struct evaluate_asker {
	struct text application; /* empty: remit's own point */
	struct text identity;
	struct text task;
	enum environment environment;
	int64_t expires_utc_s; /* of the task */
};

/* Only ADMITTED may ask anything. */
enum evaluate_admission { EVALUATE_REFUSED = 0, EVALUATE_UNKNOWN, EVALUATE_ADMITTED };
/* Whether the application is in force and names the identity; remit's own point takes
 * everybody who has a token for it. */
enum evaluate_admission evaluate_admit(
	const struct evaluate *evaluate, const struct evaluate_asker *asker);

/* How questions to the application are read; to remit's own point, and where none is in
 * force, as 1.0 says. */
enum application_reads evaluate_reads(const struct evaluate *evaluate, struct text application);

/* One answer.  Texts live in the arena or the registry: good until the loop's turn
 * ends. */
struct evaluate_answer {
	enum verdict verdict; /* ASK: requestable, and no yes */
	struct text reason;   /* a word of enum reason, or of enum application_reason */
	struct text explanation;
	struct text needed;
	const struct text *policies;
	size_t policies_count;
	const struct text *approvals; /* ASK: what people must say */
	size_t approvals_count;
	struct text approval; /* an open approval of exactly this call; or empty */
};

/* Decides, in memory of its own: however many are asked, each has the same.
 * remit's own point: the subject is the asking identity, Cedar's effect the action, the
 * resource a tool, context.args its arguments (of a model: as decide_ask says); the environment is
 * the token's.  Errors: INVALID (context says what only remit may say; with "forbidden: " first:
 * about another identity), LIMIT. */
bool evaluate_decide(struct evaluate *evaluate, const struct evaluate_asker *asker,
	const struct application_question *question, struct arena *arena,
	struct evaluate_answer *out, struct error *err) MUST_CHECK;

/* What deciding reads of a question: its context, and the properties of action, subject and
 * resource, in their canonical form.  Errors: LIMIT. */
bool evaluate_read_bytes(struct evaluate *evaluate, const struct application_question *question,
	uint64_t *out, struct error *err) MUST_CHECK;

enum evaluate_part { EVALUATE_SUBJECTS = 0, EVALUATE_RESOURCES, EVALUATE_ACTIONS };

/* Where a page begins; {0}: at the start.  Of the registered tools behind a name, so that it holds
 * over changes of the registry; of all else at a number. */
struct evaluate_place {
	struct text after; /* the tool that was looked at last */
	uint64_t index;    /* of the candidate to begin with */
};

/* One page.  Of the part that is searched only type and properties are looked at. */
struct evaluate_search {
	const struct application_question *question;
	enum evaluate_part part;
	uint32_t limit;             /* 1 to EVALUATE_PAGE_MAX */
	struct evaluate_place from; /* the start, or next of the page before */
};
struct evaluate_page {
	const struct application_candidate *items; /* actions: only ids */
	size_t count;
	struct evaluate_place next; /* {0}: no more.  Its text lives as an answer's */
};
/* Exactly those for which evaluate_decide would say yes, of the tools registered or the
 * entities of the application's document.  Errors: as evaluate_decide. */
bool evaluate_search(struct evaluate *evaluate, const struct evaluate_asker *asker,
	const struct evaluate_search *search, struct arena *arena, struct evaluate_page *out,
	struct error *err) MUST_CHECK;
/* What places depend on: the application's version; of remit's own point, nothing (0).  Another
 * number: begin the search anew. */
uint64_t evaluate_state(const struct evaluate *evaluate, struct text application);

/* What one request left to be recorded. */
struct evaluate_result {
	const struct application_question *question; /* NULL: it could not be decided */
	enum verdict verdict;
	struct text reason;
	const struct text *policies;
	size_t policies_count;
};
struct evaluate_summary {
	const char *endpoint;       /* "evaluation", "search/subject" */
	struct text id;             /* evaluation_id */
	const struct json *request; /* as received; only its keyed digest is recorded */
	const struct evaluate_result *results;
	size_t results_count;
	bool is_search;
	uint64_t found; /* of a search */
};

/* Who waits for a record.  done runs once, when it is durable (err NULL) or lost. */
struct evaluate_waiter {
	void (*done)(void *context, const struct error *err);
	void *context;
};
/* Hands over one record; all that summary names is borrowed during the call.  If the
 * application keeps questions, they are sealed beside it, so that they can be decided again:
 * those of a batch with large defaults may be longer than EVALUATE_CONTENT_BYTES_MAX, which is
 * INVALID.  EVALUATE_BEHIND, and fewer than EVALUATE_BEHIND_MAX on their way: *is_done is
 * true on return and done never runs; else it is false.  False: nothing was taken, and nothing may
 * be answered.  Errors: INVALID, LIMIT, IO, INTERNAL. */
bool evaluate_record(struct evaluate *evaluate, const struct evaluate_asker *asker,
	const struct evaluate_summary *summary, const struct evaluate_waiter *waiter, bool *is_done,
	struct error *err) MUST_CHECK;

#endif
