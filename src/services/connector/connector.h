#ifndef SERVICES_CONNECTOR_CONNECTOR_H
#define SERVICES_CONNECTOR_CONNECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "domain/charter/connector.h"
#include "domain/charter/registry.h"
#include "domain/inventory/export.h"
#include "domain/inventory/stop.h"
#include "services/finding/finding.h"
#include "services/inventory/inventory.h"

/* Registered connectors, which ask their providers themselves: each brings a new inventory as
 * often as its document says, or when somebody asks for it.  What it brings is an import like any
 * other, whole or not at all.  Loop's thread. */
struct connector_service;

enum {
	CONNECTORS_MAX = 32,            /* that ask; others are warned of in the log */
	CONNECTOR_REFRESHES_MAX = 2,    /* under way at once; others wait */
	CONNECTOR_LOOK_MS = 1000,       /* how often the registry is looked at */
	CONNECTOR_DEADLINE_MS = 60000,  /* of one request */
	CONNECTOR_REFRESH_MS = 7200000, /* of one refresh, whole */
	CONNECTOR_TRIES_MAX = 6,        /* of one request that is told to come later */
	CONNECTOR_WAIT_MS = 1000,       /* where it is not told when, doubled each time */
	CONNECTOR_WAIT_MS_MAX = 600000, /* that Retry-After may ask for */
	CONNECTOR_AGAIN_MS = 60000,     /* after a refresh that failed, doubled each time */
	CONNECTOR_TOLD_MS = 200,        /* between looks whether the last import was told */
	CONNECTOR_JITTER_PART = 10,     /* a refresh begins up to a tenth of its interval late */
	CONNECTOR_SILENT_INTERVALS = 3, /* without an inventory are a finding */
	CONNECTOR_STOPPING_MAX = 8,     /* accounts that are called for at once; others wait */
	CONNECTOR_STOPPINGS_MAX = 1024, /* accounts that are being stopped at once */
	CONNECTOR_SAID_BYTES_MAX = 200, /* of what a provider says of a refusal */
};

/* X(value, word, what it means). */
/* clang-format off */
#define CONNECTOR_STATES(X) \
	X(CONNECTOR_RESTING, "resting", "nothing is under way") \
	X(CONNECTOR_ASKING, "asking", "its provider is asked, page by page") \
	X(CONNECTOR_WAITING, "waiting", "its provider said when to ask again") \
	X(CONNECTOR_READING, "reading", "what came is read") \
	X(CONNECTOR_IMPORTING, "importing", "what came is put on record")
#define CONNECTOR_OUTCOMES(X) \
	X(CONNECTOR_DONE, "done", "a new inventory is in force") \
	X(CONNECTOR_FAILED, "failed", "nothing of it counts; why says what was wrong") \
	X(CONNECTOR_STOPPED, "stopped", "it would take most of the inventory away, and asks")
/* clang-format on */
enum connector_state {
#define X(name, word, meaning) name,
	CONNECTOR_STATES(X)
#undef X
		CONNECTOR_STATE_COUNT
};
enum connector_outcome {
	CONNECTOR_NEVER = 0,
#define X(name, word, meaning) name,
	CONNECTOR_OUTCOMES(X)
#undef X
		CONNECTOR_OUTCOME_COUNT
};
const char *connector_state_word(enum connector_state value);
/* NULL for NEVER. */
const char *connector_outcome_word(enum connector_outcome value);

/* ---- the port: how one request is made ---- */

/* Borrowed during begin. */
struct connector_question {
	const struct connector *connector; /* whose credential, certificate and leave count */
	const char *method;
	const char *url;
	struct text body; /* JSON, or nothing: .data NULL */
	size_t bytes_max; /* of the answer */
	uint32_t deadline_ms;
	bool is_containing; /* the credential for that counts, where there is one */
};
/* What came back; borrowed. */
struct connector_answer {
	unsigned status;
	struct text body;
	struct text link; /* the header fields; empty: absent */
	struct text retry_after;
};
/* One under way, in its owner. */
struct connector_fetch {
	/* err code NONE: the answer is whole, whatever its status. */
	void (*done)(struct connector_fetch *fetch, const struct connector_answer *answer,
		const struct error *err);
	void *context;
	void *edge; /* the edge's own, while it is under way */
};
struct connector_fetcher {
	void *context;
	/* done runs later, once, never before this returns.  Errors: INVALID, LIMIT, and those of
	 * the credential. */
	bool (*begin)(void *context, const struct connector_question *question,
		struct connector_fetch *fetch, struct error *err);
	/* done does not run any more. */
	void (*cancel)(void *context, struct connector_fetch *fetch);
};

/* ---- the port: pages are read where nothing waits for it ---- */

/* In place until done ran or, of one that was cancelled, drop was called. */
struct connector_reading {
	enum inventory_provider provider;
	const struct export_page *pages;
	size_t pages_count;
	struct buffer lines; /* the owner's, initialised */
	uint32_t unknown_scopes;
	uint32_t unnamed;
	struct error err; /* code NONE: lines are whole */
	void (*done)(struct connector_reading *reading);
	/* It was cancelled, and nobody reads in it any more: frees it and what it points to. */
	void (*drop)(struct connector_reading *reading);
	void *context;
};
/* What a thread does; it touches nothing but the reading. */
void connector_read_pages(struct connector_reading *reading);
struct connector_reader {
	void *context;
	/* Errors: CONFLICT (as many are being read as may be: again later), LIMIT. */
	bool (*begin)(void *context, struct connector_reading *reading, struct error *err);
	/* Takes the reading over, waits for nothing; done does not run any more, but drop, before
	 * this returns or later. */
	void (*cancel)(void *context, struct connector_reading *reading);
};

/* All borrowed; they outlive it. */
struct connector_parts {
	struct loop *loop;
	struct fold *fold; /* the time */
	const struct registry *registry;
	struct inventory_service *inventory;
	struct finding_service *finding;
	struct connector_fetcher fetcher;
	struct connector_reader reader;
};
/* Errors: LIMIT. */
bool connector_service_create(struct connector_service **out, const struct connector_parts *parts,
	struct error *err) MUST_CHECK;
/* From now on; when all is loaded.  Errors: LIMIT. */
bool connector_service_start(struct connector_service *service, struct error *err) MUST_CHECK;
/* After the fold's last completion. */
void connector_service_destroy(struct connector_service **service);

/* Begins a refresh now.  Errors: NOT_FOUND (no such connector is in force), CONFLICT (one is
 * under way), LIMIT. */
struct connector_refresh_asked {
	struct text connector;
	struct text actor;
	bool takes_smaller;
};
bool connector_refresh(struct connector_service *service,
	const struct connector_refresh_asked *asked, struct error *err) MUST_CHECK;

/* ---- stopping an account at its provider (docs/inventories.md) ---- */

/* Whether a connector that is in force may, and its provider has a call for it. */
bool connector_can_contain(
	struct connector_service *service, struct text account, enum stop_direction direction);
/* Texts are copied. */
struct connector_contain_asked {
	struct text account; /* CONNECTOR/ID, which is contained (inventory_contain) */
	struct text actor;
	struct text reason; /* of STOP_BACK, which releases it once its provider says so */
	/* Of connector_stop: which review took it, and whose item that was. */
	struct text review;
	struct text identity;
	enum stop_direction direction;
	void *context;
	/* Runs on the loop, once, never before the call returns, if that returned true: the
	 * intention is on record (err NULL), and its provider is being called.  May be NULL. */
	void (*done)(void *context, const struct error *err);
};
/* What comes of it is on record (inventory_answered), and a finding where the account is not
 * proven stopped.  Errors: NOT_FOUND, INVALID (it may not, or cannot), CONFLICT (it is under
 * way), LIMIT, IO. */
bool connector_contain(struct connector_service *service,
	const struct connector_contain_asked *asked, struct error *err) MUST_CHECK;

/* The same, its intention included, for a review that took its access away.  done runs once, later
 * or before this returns: err NULL, the intention is on record, and the call, if there is one.
 * False: no connector may, or (must_be_reversible) what is done could not be had back; then
 * nothing is done, and done does not run.  Where its provider cannot be called now (it is being
 * given back, too many wait) the intention alone is on record, and a finding. */
bool connector_stop(struct connector_service *service, const struct connector_contain_asked *asked,
	bool must_be_reversible);

/* {connector, provider, may, state, meaning, list?, pages, bytes, started?, outcome?, ended?,
 * why?, items?, unknown_scopes?, unnamed?, failures, next?, silent}.  Borrows.  Errors:
 * NOT_FOUND, LIMIT. */
bool connector_json(const struct connector_service *service, struct text name, struct arena *arena,
	struct json *out, struct error *err) MUST_CHECK;
/* Of all, in order of name: an array. */
bool connector_list_json(const struct connector_service *service, struct arena *arena,
	struct json *out, struct error *err) MUST_CHECK;

#endif
