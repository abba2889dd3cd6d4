#ifndef SERVICES_OUTBOUND_OUTBOUND_H
#define SERVICES_OUTBOUND_OUTBOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/text.h"
#include "domain/charter/registry.h"
#include "domain/federation/sts.h"
#include "domain/task/task.h"
#include "services/issue/identity_signer.h"
#include "services/registry/fold.h"

/* Provider tokens: what servers are sent for which no secret is kept.  remit says who acts in an
 * identity token, a token service gives a provider token for it, which is kept in memory until
 * shortly before its end, and never longer than what it was got for lasts.  There is no other
 * way to the server: where no token is to be had nothing is sent.  Loop's thread. */
struct outbound;
struct outbound_entry;

enum {
	OUTBOUND_ENTRIES_MAX = 256,     /* kept, or being got, at once */
	OUTBOUND_PER_IDENTITY_MAX = 64, /* of these; those of servers are nobody's share */
	OUTBOUND_LIFETIME_S_MIN = 10,
	OUTBOUND_LIFETIME_S_MAX = 3600,    /* one that lives longer is got again */
	OUTBOUND_LIFETIME_S_DEFAULT = 300, /* where the service does not say */
	OUTBOUND_MARGIN_MS_MAX = 30 * 1000,
	OUTBOUND_DEADLINE_MS = 5000,      /* of one question to a token service */
	OUTBOUND_BACKOFF_FIRST_MS = 1000, /* after a failure; doubled for each */
	OUTBOUND_BACKOFF_LAST_MS = 60 * 1000,
	OUTBOUND_RENOUNCE_MS = 10 * 1000, /* between two exchanges because of a 401 */
	OUTBOUND_LOOK_MS = 1000,
};

/* ---- the port: how a token service is asked ---- */

/* Borrowed during begin. */
struct outbound_question {
	const char *url;
	const char *ca_file; /* NULL: the system's roots */
	const char *content_type;
	struct text body;
	enum issuer_leave private_addresses;
	size_t bytes_max;
	uint32_t deadline_ms;
};

/* Borrowed during done; whoever gives it clears the body. */
struct outbound_answer {
	unsigned status;
	struct text body;
	struct error err; /* code NONE: the answer is whole */
};

/* One question under way, in its owner. */
struct outbound_asking {
	void (*done)(struct outbound_asking *asking, const struct outbound_answer *answer);
	void *context;
	void *edge; /* the edge's own, while it is under way */
};

struct outbound_asker {
	void *context;
	/* done runs later, once, never before this returns.  Errors: INVALID, LIMIT. */
	bool (*begin)(void *context, const struct outbound_question *question,
		struct outbound_asking *asking, struct error *err);
	/* done does not run any more. */
	void (*cancel)(void *context, struct outbound_asking *asking);
};

/* All borrowed; they outlive it. */
struct outbound_parts {
	struct loop *loop;
	struct fold *fold;
	const struct registry *registry;
	const struct task_table *tasks;
	struct identity_signer signer;
	struct outbound_asker asker;
	/* NULL: the loop's and the system's clock. */
	int64_t (*monotonic_ms)(void *context);
	int64_t (*wall_utc_ms)(void *context);
	void *clock_context;
	/* Hears of each provider token before anybody has it; or NULL.  It is borrowed. */
	void (*on_token)(void *context, struct text token, int64_t expires_utc_s);
	void *token_context;
};

/* Registers with the fold what may end a token.  Errors: LIMIT. */
bool outbound_create(
	struct outbound **out, const struct outbound_parts *parts, struct error *err) MUST_CHECK;
/* Clears every token; after those who wait, and the fold's last completion. */
void outbound_destroy(struct outbound **handle);
/* Until then nothing is exchanged.  Copied.  Errors: LIMIT. */
bool outbound_set_issuer(
	struct outbound *outbound, struct text issuer, struct error *err) MUST_CHECK;

/* ---- asking ---- */

/* For whose request: borrowed. */
struct outbound_key {
	struct text server;
	struct text identity;
	enum environment environment;
	struct text task;
};

/* Somebody who waits.  In its owner; zeroed before the first use. */
struct outbound_wait {
	void *context;
	/* Once, from the loop.  err is NULL if outbound_find has a token now. */
	void (*run)(void *context, const struct error *err);
	struct outbound_entry *entry; /* private; NULL: nothing is waited for */
	struct outbound_wait *next, **link;
};

/* The token, if it is at hand: borrowed for this turn of the loop. */
bool outbound_find(
	struct outbound *outbound, const struct outbound_key *key, struct text *out) MUST_CHECK;
/* True if it is at hand and need not be got again before a use just now. */
bool outbound_is_fresh(struct outbound *outbound, const struct outbound_key *key);
/* Gets the token, unless that is being done, and runs wait at its end.  False: wait does not
 * run.  Errors: INVALID (the server has no exchange), CONFLICT (its task is over), LIMIT, or
 * why the last exchange failed, a moment ago. */
bool outbound_want(struct outbound *outbound, const struct outbound_key *key,
	struct outbound_wait *wait, struct error *err) MUST_CHECK;
/* wait does not run any more; it may wait for nothing. */
void outbound_forget(struct outbound_wait *wait);
/* The server did not take the token (401): the next want gets another, unless that was done
 * within OUTBOUND_RENOUNCE_MS. */
void outbound_renounce(struct outbound *outbound, const struct outbound_key *key);

/* Drops what is over.  Runs by itself; for tests. */
void outbound_look(struct outbound *outbound);

/* What is known of the server's tokens, for people: how many are held, when the last was got,
 * until when, what went wrong last. */
struct outbound_status {
	size_t held;
	int64_t exchanged_utc_ms; /* 0: never, by this process */
	int64_t until_utc_ms;     /* of the one that lasts longest; 0: none is held */
	const char *error;        /* NULL: the last exchange went well, or there was none */
};
void outbound_status_of(
	const struct outbound *outbound, struct text server, struct outbound_status *out);

#endif
