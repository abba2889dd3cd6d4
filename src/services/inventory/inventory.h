#ifndef SERVICES_INVENTORY_INVENTORY_H
#define SERVICES_INVENTORY_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "domain/graph/graph.h"
#include "domain/inventory/contain.h"
#include "domain/inventory/item.h"
#include "domain/inventory/scope.h"
#include "services/registry/fold.h"

/* What connectors saw at providers, on record.  An inventory comes in parts, which are durable
 * and mean nothing, and counts by one record, whole or not at all; the one before it stays, so
 * that it can be brought back.  Whoever listens hears of what changed, some of it a step.
 * Decides nothing.  Loop's thread. */
struct inventory_service;

enum {
	INVENTORY_CONNECTORS_MAX = 64,
	INVENTORY_LINES_BYTES_MAX = 2 * 1024 * 1024, /* handed over at once */
	INVENTORY_PART_BYTES_MAX = 128 * 1024,       /* of those, read in one step and one record */
	INVENTORY_PARTS_MAX = 16384,
	INVENTORY_ITEMS_MAX = 8 * 1024 * 1024,
	INVENTORY_STALE_S = 24 * 3600,
	INVENTORY_SKEW_S = 300, /* how far ahead of us a provider's clock may be */
	/* A newer inventory that lacks more than half of at least so many items is asked about:
	 * a provider that suddenly has nothing is broken more often than empty. */
	INVENTORY_SHRINK_MIN = 20,
	INVENTORY_EXAMPLES_MAX = 20,      /* of each kind of difference, in a plan */
	INVENTORY_SCAN_PARTS_MAX = 16,    /* looked through for one page */
	INVENTORY_SCAN_NODES_MAX = 20000, /* of the graph, for one page of drafts */
	INVENTORY_REASON_BYTES_MAX = 1000,
	CONTAINMENTS_MAX = 4096,
};
/* How long somebody may agree to what another asked for. */
#define INVENTORY_ASK_MS_MAX (INT64_C(30) * 24 * 3600 * 1000)

/* Reads what lies beside a record. */
struct inventory_contents {
	void *context;
	bool (*read)(void *context, uint64_t index, struct arena *arena, struct text *out,
		struct error *err);
};

/* Hears of what the inventories in force say, item by item, and only of what changed.  part
 * names the item: what was put under a name before is replaced.  Borrowed during the call. */
struct inventory_listener {
	void *context;
	bool (*put)(void *context, struct text connector, struct text part,
		const struct inventory_item *item, struct error *err);
	bool (*gone)(void *context, struct text connector, struct text part, struct error *err);
};

/* All borrowed; they outlive it.  Registers its handlers and projectors with the fold. */
struct inventory_parts {
	struct fold *fold;
	struct inventory_contents contents;
	/* There is something to do for inventory_step, now.  May be NULL. */
	void (*wake)(void *context);
	void *wake_context;
};
/* Errors: LIMIT. */
bool inventory_create(struct inventory_service **out, const struct inventory_parts *parts,
	struct error *err) MUST_CHECK;
/* After the fold's last completion. */
void inventory_destroy(struct inventory_service **service);
/* Before the first step.  Copied. */
void inventory_listen(struct inventory_service *service, const struct inventory_listener *listener);

/* Where drafts and containments are looked up; lent.  It has the layers that the listener is
 * told. */
void inventory_use_graph(struct inventory_service *service, const struct graph *graph);

/* One step of what is on its way: one part of an import, and of what the listener is told one
 * part, or a share of what is gone.  True: there is more to do; call it again soon.  False: it
 * costs next to nothing. */
bool inventory_step(struct inventory_service *service);

/* ---- importing ---- */

/* What an import is about.  Texts are borrowed until inventory_begin returns. */
struct inventory_begin {
	struct text connector;
	enum inventory_provider provider;
	int64_t taken_utc_s; /* when the provider said it */
	struct text actor;
	bool is_dry; /* nothing is written; only a plan can come of it */
};
/* Begins; what was begun for this connector before and not committed is dropped.  id is good
 * while the import is.  Errors: INVALID, LIMIT, IO. */
bool inventory_begin(struct inventory_service *service, const struct inventory_begin *begin,
	struct text *out_id, struct error *err) MUST_CHECK;

/* Anything that ends in a record; the caller's, in place until done ran. */
struct inventory_change {
	struct text connector;
	struct text import; /* id; of undo: empty */
	struct text actor;
	/* Of items: one a line, at most INVENTORY_LINES_BYTES_MAX; number from 1. */
	struct text lines;
	uint32_t number;
	/* Of a commit: what is let pass. */
	bool takes_older;
	bool takes_smaller;
	struct text reason;  /* of undo, of a containment */
	struct text account; /* of a containment: CONNECTOR/ID */
	/* Of a containment: the review that took the account, by its id, and whose item that
	 * was; empty: by hand, and it stays the review's that had it before. */
	struct text review;
	struct text identity;
	/* Of a containment: a connector calls its provider as soon as it is on record.  A daemon
	 * that ends before it is called is followed by one that looks how the account is. */
	bool is_calling;
	/* Of a release: the record by which somebody asked for it, which this agrees to; 0: none.
	 */
	uint64_t ask;
	void *context;
	/* Runs on the loop, once, never before the call returns, if that returned true. */
	void (*done)(struct inventory_change *change, uint64_t index, const struct error *err);
};
/* The next items, taken a step at a time; done hears when all are on record (index 0 of a dry
 * one), or what is wrong: then the whole import is dropped, and err names the line, counted over
 * all that were handed over.  Errors: NOT_FOUND (no such import), CONFLICT (another number, or
 * some are on their way), LIMIT. */
bool inventory_add(struct inventory_service *service, struct inventory_change *change,
	struct error *err) MUST_CHECK;
/* What committing would change: {connector, import, provider, taken, items, new, changed, gone,
 * same, examples: {new, changed, gone}}.  Errors: NOT_FOUND, INVALID (an edge's end is not
 * there), IO, LIMIT. */
bool inventory_plan(struct inventory_service *service, struct text connector, struct text import,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;
/* Puts it in force.  Errors: NOT_FOUND, CONFLICT (parts on their way, an older or much smaller
 * one that was not let pass, a dry one), INVALID, LIMIT, IO. */
bool inventory_commit(struct inventory_service *service, struct inventory_change *change,
	struct error *err) MUST_CHECK;
/* Brings the one before back.  Errors: NOT_FOUND (no inventory, or none before it), CONFLICT
 * (a change is on its way), INVALID (no reason), LIMIT, IO. */
bool inventory_undo(struct inventory_service *service, struct inventory_change *change,
	struct error *err) MUST_CHECK;

/* ---- looking ---- */

/* What is in force of one connector. */
struct inventory_status {
	struct text connector;
	struct text import;
	enum inventory_provider provider;
	int64_t taken_utc_s;
	int64_t at_utc_ms; /* of the record */
	struct text actor;
	uint64_t items;
	uint64_t index;
	bool has_previous;
	bool is_told;     /* the listener has heard all of it */
	const char *why;  /* what went wrong in telling; NULL: nothing */
	uint64_t refused; /* items that the listener did not take */
};
/* The first connector after `after` (empty: the first); false at the end. */
bool inventory_next(
	const struct inventory_service *service, struct text after, struct inventory_status *out);
bool inventory_find(const struct inventory_service *service, struct text connector,
	struct inventory_status *out);
bool inventory_is_stale(const struct inventory_status *status, int64_t now_utc_s);
/* {connector, provider, import, taken, imported, by, items, record, stale, previous, told, why?}.
 * Borrows.  Errors: LIMIT. */
bool inventory_json(struct json *out, struct arena *arena, const struct inventory_status *status,
	int64_t now_utc_s, struct error *err) MUST_CHECK;

/* Items in force, from the number `after` on (0: the first), at most count, of those only whose
 * line has words in it (empty: all): {items: [{number, item}], next?}.  A page that looks long is
 * cut: then it has next, and may be empty.  Errors: NOT_FOUND, IO, CORRUPT, LIMIT. */
struct inventory_page_asked {
	struct text connector;
	struct text words;
	uint64_t after;
	uint32_t count;
};
bool inventory_items(struct inventory_service *service, const struct inventory_page_asked *asked,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;

/* ---- what is nobody's ---- */

/* Accounts of the connector for which no identity stands, each with who might answer for it
 * (domain/inventory/draft.h): {items, next?}; after and next are numbers of this process.  A page
 * that looks long is cut as above.  Errors: LIMIT. */
bool inventory_drafts(const struct inventory_service *service,
	const struct inventory_page_asked *asked, struct arena *arena, struct json *out,
	struct error *err) MUST_CHECK;
/* One of them.  Errors: NOT_FOUND, CONFLICT (somebody stands for it), LIMIT. */
bool inventory_draft(const struct inventory_service *service, struct text account,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;

/* ---- stopping somebody at their provider ---- */

/* Puts on record that the account is to be stopped, or that it may act again.  Errors: NOT_FOUND,
 * INVALID (no reason), CONFLICT (of a release: it is being contained anew, or stopped at its
 * provider), LIMIT, IO. */
bool inventory_contain(struct inventory_service *service, struct inventory_change *change,
	struct error *err) MUST_CHECK;
bool inventory_release(struct inventory_service *service, struct inventory_change *change,
	struct error *err) MUST_CHECK;
/* The record by which it is contained now; INVENTORY_NOT_CONTAINED, too, while another is on its
 * way to the log. */
#define INVENTORY_NOT_CONTAINED UINT64_MAX
uint64_t inventory_contained_index(const struct inventory_service *service, struct text account);

/* Whom releases are asked of; a port that main fills.  A function that is NULL lets nobody. */
struct inventory_judged {
	struct text review;
	struct text identity;
	struct text account;
	struct text actor; /* "person:NAME" */
	/* Whom they would agree with, likewise; empty: nobody. */
	struct text asked_by;
};
struct inventory_judge {
	void *context;
	/* Errors: INVALID ("forbidden: "), LIMIT. */
	bool (*may_administer)(void *context, struct text actor, struct error *err);
	/* Whether they may judge what the review took there.  Errors: likewise. */
	bool (*may_judge)(void *context, const struct inventory_judged *judged, struct error *err);
};
void inventory_use_judge(struct inventory_service *service, const struct inventory_judge *judge);

/* Whether an account is being stopped at its provider: from when that is ordered until what the
 * provider answers is on record.  A port that services/connector fills, as long as it is there;
 * without it nothing is called. */
struct inventory_stopper {
	void *context;
	bool (*is_stopping)(void *context, struct text account);
};
void inventory_use_stopper(
	struct inventory_service *service, const struct inventory_stopper *stopper);

/* Whether the actor has it act again.  LET: then inventory_release is called, once its provider
 * gave it back.  ASKED: a review had it stopped; that they want it back is on its way to the
 * record, done runs, and another person who may judge that has to agree: change->ask is that
 * record, which counts for INVENTORY_ASK_MS_MAX, as long as its actor may ask, and until somebody
 * asks anew.  REFUSED: NOT_FOUND, INVALID (no reason, "forbidden: "), CONFLICT (another record
 * than change->ask asks for it, it is being contained anew, or, of what would be LET, stopped at
 * its provider), LIMIT, IO. */
enum inventory_release {
	INVENTORY_RELEASE_REFUSED = 0,
	INVENTORY_RELEASE_ASKED,
	INVENTORY_RELEASE_LET
};
enum inventory_release inventory_ask_release(struct inventory_service *service,
	struct inventory_change *change, struct error *err) MUST_CHECK;
/* Whether it has a reason, which both need.  Errors: INVALID. */
bool inventory_check_reason(const struct inventory_change *change, struct error *err) MUST_CHECK;

/* ---- a connector that may stop it calls there: what it does is on record before and after ---- */

/* What is put on record of a call, in place until done ran. */
struct inventory_calling {
	struct text account; /* CONNECTOR/ID */
	struct text actor;
	bool is_back; /* so that it may act again */
	/* Of what came of it (inventory_answered); said: the provider's words, shortened. */
	enum containment_answer answer;
	struct text said;
	uint32_t calls;   /* that were made, */
	uint32_t refused; /* of them, */
	uint32_t looks;
	void *context;
	/* As of struct inventory_change. */
	void (*done)(struct inventory_calling *calling, const struct error *err);
};
enum { INVENTORY_SAID_BYTES_MAX = 300 };
/* Before the first call.  Errors: NOT_FOUND (it is not contained), LIMIT, IO. */
bool inventory_called(struct inventory_service *service, struct inventory_calling *calling,
	struct error *err) MUST_CHECK;
/* Once it was asked again.  Errors: likewise. */
bool inventory_answered(struct inventory_service *service, struct inventory_calling *calling,
	struct error *err) MUST_CHECK;
/* Whether its provider was called, or is to be (change->is_calling), and its answer is not on
 * record. */
bool inventory_is_called(const struct inventory_service *service, struct text account);
/* The first containment after `after` of which that is so: a daemon that ended before the answer
 * left it.  False: none. */
bool inventory_next_called(const struct inventory_service *service, struct text after,
	struct text *out_account, bool *out_back);
/* Whether its provider was called since it is contained: looks alone are no call. */
bool inventory_was_called(const struct inventory_service *service, struct text account);
/* What its provider answered last, of a containment; NONE, too, where there is none. */
enum containment_answer inventory_answer(
	const struct inventory_service *service, struct text account);
/* Who consented to the account, as the graph has it; at most count, borrowed until it changes. */
size_t inventory_consenting(const struct inventory_service *service, struct text account,
	struct text *out, size_t count);

/* {account, state, meaning, intended, seen?, by, reason, review?, identity?, asked_by?, asked?,
 * asked_reason?, ask?, record, provider?, calls, dependants}:
 * how it stands by the inventory in force, what is to be done there, who acts through it.
 * Errors: NOT_FOUND, LIMIT. */
bool inventory_containment(const struct inventory_service *service, struct text account,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;
/* Up to count of them after the account `after`, a JSON array.  Errors: LIMIT. */
bool inventory_containments(const struct inventory_service *service, struct text after,
	uint32_t count, struct arena *arena, struct json *out, struct error *err) MUST_CHECK;

#endif
