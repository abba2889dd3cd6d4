#ifndef EDGES_CONNECTOR_FETCH_CONNECTOR_FETCH_H
#define EDGES_CONNECTOR_FETCH_CONNECTOR_FETCH_H

#include "base/error.h"
#include "base/loop.h"
#include "services/connector/connector.h"
#include "services/settings/secrets.h"
#include "wire/http_client.h"

/* Asks providers for registered connectors: over TLS that is verified, at public addresses unless
 * the document allows others, without following where one is sent.  The credential is read when a
 * request leaves and stands in it alone; an answer that has it is no answer.  A client of
 * OAuth 2.0 gets its token first (RFC 6749 §4.4), which is kept in memory until it ends.  Loop's
 * thread. */
struct connector_fetch_edge;

enum {
	CONNECTOR_TOKENS_MAX = 32, /* kept at once; more are asked for anew */
	CONNECTOR_TOKEN_BYTES_MAX = 16 * 1024,
	CONNECTOR_TOKEN_ANSWER_BYTES_MAX = 64 * 1024,
	CONNECTOR_TOKEN_EARLY_MS = 60000, /* before its end it counts as ended */
	CONNECTOR_ECHO_BYTES_MIN = 8,     /* shorter secrets are not looked for in answers */
};

/* Who waits for a secret that lies in a vault; in its owner, zero at first. */
struct connector_wait {
	void *context;
	/* Once, from the loop.  err is NULL if find has a value now. */
	void (*run)(void *context, const struct error *err);
	void *held; /* the port's own; NULL: nothing is waited for */
};
/* The port to secrets that lie in a vault ("vault:..."). */
struct connector_vault {
	void *context;
	/* The value, if it is at hand: borrowed for this turn of the loop. */
	bool (*find)(void *context, struct text reference, struct text *out);
	/* Errors: INVALID (it is not set up), IO, LIMIT; then wait does not run. */
	bool (*want)(void *context, struct text reference, struct connector_wait *wait,
		struct error *err);
	/* wait does not run any more. */
	void (*forget)(void *context, struct connector_wait *wait);
	/* A provider did not take the value. */
	void (*renounce)(void *context, struct text reference);
};

/* All are borrowed.  learn (may be NULL) is told each secret that leaves; holds (likewise) says
 * whether an answer has one of ours in another spelling than it was sent in.  Errors: LIMIT. */
struct connector_fetch_parts {
	struct loop *loop;
	struct http_client *http;
	const struct secrets *secrets;
	struct connector_vault vault;
	void (*learn)(void *context, struct text reference, struct text secret);
	bool (*holds)(void *context, struct text answer);
	void *context;
};
bool connector_fetch_create(struct connector_fetch_edge **out,
	const struct connector_fetch_parts *parts, struct error *err) MUST_CHECK;
/* After the service that asks it. */
void connector_fetch_destroy(struct connector_fetch_edge **edge);
struct connector_fetcher connector_fetch_port(struct connector_fetch_edge *edge);

#endif
