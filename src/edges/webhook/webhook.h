#ifndef EDGES_WEBHOOK_WEBHOOK_H
#define EDGES_WEBHOOK_WEBHOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/loop.h"
#include "services/settings/secrets.h"
#include "wire/http_client.h"

/* Tells one address of the operator's what happens to approvals, reviews and findings: POST of a
 * JSON summary, signed as Standard Webhooks has it (docs/formats/webhook.md), tried again with
 * growing pauses, and given up in the end, which is said.  It carries summaries and links, never
 * arguments; nothing that comes back is read. */
struct webhook;

enum {
	WEBHOOK_QUEUE_MAX = 1024,
	WEBHOOK_TRIES_MAX = 10,
	WEBHOOK_RETRY_MS = 1000,           /* before the second try; twice as long each time */
	WEBHOOK_RETRY_MS_MAX = 300 * 1000, /* and never longer */
	WEBHOOK_DEADLINE_MS = 10 * 1000,   /* of one try */
	WEBHOOK_BODY_BYTES_MAX = 64 * 1024,
	WEBHOOK_ID_BYTES_MAX = 64,
	WEBHOOK_EVENT_BYTES_MAX = 64,
};

/* One notice.  id is the same for the same event, however often it is sent, so that whoever
 * gets it can tell; subject is what it is about.  Copied. */
struct webhook_notice {
	struct text id;    /* visible ASCII */
	struct text event; /* "approval.asked" */
	struct text subject;
	struct json body; /* an object; id, event and at are put before its members */
	bool is_minor;    /* others go first, and have the second half of the queue */
};

/* A notice that was given up; borrowed during the call. */
struct webhook_letter {
	struct text id;
	struct text event;
	struct text subject;
	unsigned tries;
	const char *why;
};

/* All borrowed while it lives. */
struct webhook_settings {
	struct loop *loop;
	struct http_client *http;
	const char *url; /* https, or http to this machine */
	const struct secrets *secrets;
	struct text secret; /* a reference (domain/charter/credential.h); no vault: */
	int64_t retry_ms;   /* 0: WEBHOOK_RETRY_MS */
	void *context;
	int64_t (*utc_ms)(void *context);
	/* From the loop; may be NULL. */
	void (*on_lost)(void *context, const struct webhook_letter *letter);
};

/* Errors: LIMIT, and those of secrets_resolve: the secret must be there now. */
bool webhook_create(struct webhook **out, const struct webhook_settings *settings,
	struct error *err) MUST_CHECK;
/* What is queued is forgotten; whoever told it tells it anew at the next start, if it must be. */
void webhook_destroy(struct webhook **webhook);

/* Queues it; what finds no place is lost at once, and said so.  False: it is minor and found none,
 * and nothing was said. */
bool webhook_put(struct webhook *webhook, const struct webhook_notice *notice);

struct webhook_status {
	size_t queued;
	uint64_t delivered;
	uint64_t retried;
	uint64_t lost;
};
struct webhook_status webhook_status(const struct webhook *webhook);

#endif
