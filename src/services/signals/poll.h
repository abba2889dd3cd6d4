#ifndef SERVICES_SIGNALS_POLL_H
#define SERVICES_SIGNALS_POLL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "domain/charter/registry.h"
#include "services/signals/signals.h"

/* Fetches security events where a registered issuer says so (RFC 8936), each as one that was
 * pushed.  One that was taken is acknowledged with the next request, and one that never will be
 * is told as an error; what is neither comes again.  Loop's thread. */
struct signals_poller;

enum {
	SIGNALS_POLLS_MAX = 32,           /* issuers that are polled */
	SIGNALS_POLL_EVENTS_MAX = 32,     /* asked for, and taken, at once */
	SIGNALS_POLL_BYTES_MAX = 1 << 20, /* of an answer */
	SIGNALS_POLL_MS = 60 * 1000,      /* the longest that an answer is waited for */
	SIGNALS_POLL_GAP_MS = 200,        /* between two requests, */
	SIGNALS_POLL_RETRY_MS = 1000,     /* after the first that failed, doubled up to */
	SIGNALS_POLL_RETRY_MS_MAX = 5 * 60 * 1000,
	SIGNALS_POLL_LOOK_MS = 1000, /* how often the registry is looked at */
};

/* ---- the port: how one request is made ---- */

/* Borrowed during begin. */
struct signals_question {
	const char *url;
	const char *ca_file;    /* NULL: the system's roots */
	struct text credential; /* reference to a bearer token; empty: none */
	enum issuer_leave private_addresses;
	struct text body; /* JSON */
	size_t bytes_max;
	uint32_t deadline_ms;
};

/* One under way, in its owner. */
struct signals_fetch {
	/* err code NONE: body is whole, borrowed.  TIMEOUT: nobody had anything to say. */
	void (*done)(struct signals_fetch *fetch, struct text body, const struct error *err);
	void *context;
	void *edge; /* the edge's own, while it is under way */
};

struct signals_fetcher {
	void *context;
	/* done runs later, once, never before this returns.  Errors: INVALID, LIMIT, and those of
	 * the credential. */
	bool (*begin)(void *context, const struct signals_question *question,
		struct signals_fetch *fetch, struct error *err);
	/* done does not run any more. */
	void (*cancel)(void *context, struct signals_fetch *fetch);
};

/* All borrowed; they outlive it. */
struct signals_poller_parts {
	struct loop *loop;
	const struct registry *registry;
	struct signals *signals;
	struct signals_fetcher fetcher;
	/* Hears how each request went (why NULL: well), by the issuer's name; or NULL. */
	void (*on_polled)(void *context, struct text issuer, const char *why);
	void *context;
};

/* Begins at once.  Errors: LIMIT. */
bool signals_poller_create(struct signals_poller **out, const struct signals_poller_parts *parts,
	struct error *err) MUST_CHECK;
/* After the fold's last completion and services/signals, whose answers come to it. */
void signals_poller_destroy(struct signals_poller **poller);

#endif
