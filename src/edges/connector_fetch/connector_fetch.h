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

/* All are borrowed.  learn (may be NULL) is told each secret that leaves.  Errors: LIMIT. */
struct connector_fetch_parts {
	struct loop *loop;
	struct http_client *http;
	const struct secrets *secrets;
	void (*learn)(void *context, struct text reference, struct text secret);
	void *context;
};
bool connector_fetch_create(struct connector_fetch_edge **out,
	const struct connector_fetch_parts *parts, struct error *err) MUST_CHECK;
/* After the service that asks it. */
void connector_fetch_destroy(struct connector_fetch_edge **edge);
struct connector_fetcher connector_fetch_port(struct connector_fetch_edge *edge);

#endif
