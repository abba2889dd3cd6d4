#ifndef EDGES_KEY_FETCH_KEY_FETCH_H
#define EDGES_KEY_FETCH_KEY_FETCH_H

#include "base/error.h"
#include "base/loop.h"
#include "services/trust/trust.h"
#include "wire/http_client.h"

/* Fetches issuers' keys: GET of one URL, without following where it sends us, or a file of
 * this machine that nobody else may write.  Loop's thread. */
struct key_fetcher;

/* Both are borrowed.  Errors: LIMIT. */
bool key_fetcher_create(struct key_fetcher **out, struct loop *loop, struct http_client *http,
	struct error *err) MUST_CHECK;
/* After the trust service that asks it. */
void key_fetcher_destroy(struct key_fetcher **fetcher);
struct trust_fetcher key_fetcher_port(struct key_fetcher *fetcher);

#endif
