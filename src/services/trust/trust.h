#ifndef SERVICES_TRUST_TRUST_H
#define SERVICES_TRUST_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/loop.h"
#include "domain/charter/registry.h"
#include "domain/federation/key_source.h"
#include "services/outbound/outbound.h"

/* The keys of registered issuers: fetched, kept for a while, asked for.  Each issuer has a
 * source of its own; one that is down, slow, huge or wrong gives no key and holds up nobody
 * else.  Loop's thread. */
struct trust_service;

enum {
	TRUST_ISSUERS_MAX = 256,      /* whose keys are kept at once; the others' are not known */
	TRUST_WAITS_MAX = 16,         /* for one issuer's keys at once */
	TRUST_FRESH_S_MIN = 60,       /* keys are fetched again after what the source says, */
	TRUST_FRESH_S_MAX = 3600,     /* within these, */
	TRUST_FRESH_S_DEFAULT = 600,  /* or after this; */
	TRUST_STALE_S_MAX = 4 * 3600, /* and count so long after that where none come */
	TRUST_REFRESH_MS = 30 * 1000, /* between two fetches for a kid that is not there */
	TRUST_RETRY_MS = 10 * 1000,   /* after a fetch that failed */
	TRUST_FETCH_MS = 5000,        /* one fetch; keys that are discovered take two */
	TRUST_TICK_MS = 1000,
	TRUST_WHY_BYTES = ERROR_TEXT_BYTES,
};

/* ---- the port: how keys are fetched ---- */

/* What to fetch.  Borrowed during begin. */
struct trust_question {
	const char *url;     /* NULL: a file */
	const char *path;    /* of a file */
	const char *ca_file; /* NULL: the system's roots */
	enum issuer_leave private_addresses;
	size_t bytes_max;
	uint32_t deadline_ms;
};

/* Borrowed during done. */
struct trust_answer {
	struct text body;
	int64_t fresh_s;  /* how long the source says that it holds; -1: it says nothing */
	struct error err; /* code NONE: the answer is whole */
};

/* One fetch under way, in its owner. */
struct trust_fetch {
	void (*done)(struct trust_fetch *fetch, const struct trust_answer *answer);
	void *context;
	void *edge; /* the edge's own, while it is under way */
};

struct trust_fetcher {
	void *context;
	/* done runs later, once, never before this returns.  Errors: INVALID, LIMIT. */
	bool (*begin)(void *context, const struct trust_question *question,
		struct trust_fetch *fetch, struct error *err);
	/* done does not run any more. */
	void (*cancel)(void *context, struct trust_fetch *fetch);
};

/* All borrowed; they outlive it. */
struct trust_parts {
	struct loop *loop; /* NULL: nobody ticks but trust_tick's caller */
	const struct registry *registry;
	struct trust_fetcher fetcher;
	const struct outbound *const
		*outbound; /* whose state is listed, once it is there; or NULL */
	/* NULL: the loop's and the system's clock. */
	int64_t (*monotonic_ms)(void *context);
	int64_t (*wall_utc_ms)(void *context);
	void *clock_context;
};

/* Errors: LIMIT. */
bool trust_create(
	struct trust_service **out, const struct trust_parts *parts, struct error *err) MUST_CHECK;
/* After everybody who waits.  Fetches end without a word. */
void trust_destroy(struct trust_service **trust);
/* Fetches keys from now on, before anybody asks for them. */
bool trust_start(struct trust_service *trust, struct error *err) MUST_CHECK;
/* What trust_start does every second. */
void trust_tick(struct trust_service *trust);

/* ---- asking ---- */

/* Whose keys: by `iss`, or (where that is empty) by SPIFFE trust domain. */
struct trust_query {
	struct text issuer;
	struct text trust_domain;
	struct text key_id;                 /* .data NULL: the only key of the algorithm */
	enum signature_algorithm algorithm; /* NONE: roots are asked for */
};

enum trust_outcome {
	TRUST_UNKNOWN = 0, /* no such issuer, or it has no such key */
	TRUST_FOUND,
	TRUST_WAITS,   /* the wait's run comes later */
	TRUST_NO_KEYS, /* its keys are not to be had now */
};

/* Somebody who waits.  In its owner; zeroed before the first use. */
struct trust_wait {
	/* Once: then ask again, without a wait. */
	void (*run)(struct trust_wait *wait);
	void *context;
	struct trust_source *source; /* private; NULL: does not wait */
	struct trust_wait *next;     /* private */
};

/* Good until the loop's next turn and no later than the next question. */
struct trust_found {
	const struct issuer *issuer;
	const struct public_key *key; /* unless roots were asked for */
	const struct text *roots;
	size_t roots_count;
};

/* False for tokens of nobody that is registered: two issuers with one URL are nobody. */
bool trust_knows(struct trust_service *trust, const struct trust_query *query);
/* wait may be NULL: then nothing waits.  A kid that is not there is fetched once an
 * interval, whoever asks. */
enum trust_outcome trust_find(struct trust_service *trust, const struct trust_query *query,
	struct trust_wait *wait, struct trust_found *out) MUST_CHECK;
/* run does not come any more.  One that does not wait is left alone. */
void trust_forget(struct trust_wait *wait);
/* Remembers why a token of the issuer was refused, for people. */
void trust_note_refused(struct trust_service *trust, struct text issuer, const char *why);

/* Remembers how the last poll of its events went; why NULL: well. */
void trust_note_polled(struct trust_service *trust, struct text issuer, const char *why);

/* ---- showing ---- */

/* The whole table, in and out: issuers, servers that are sent credentials, identities with
 * keys or rules.  An id is "issuer/NAME", "server/NAME" or "identity/NAME"; up to count of
 * them after `after`, as a JSON array.  context is the struct trust_service.  Errors: LIMIT. */
bool trust_list(void *context, struct text after, uint32_t count, struct arena *arena,
	struct json *out, struct error *err);

#endif
