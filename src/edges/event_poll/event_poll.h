#ifndef EDGES_EVENT_POLL_EVENT_POLL_H
#define EDGES_EVENT_POLL_EVENT_POLL_H

#include "base/error.h"
#include "base/loop.h"
#include "services/settings/secrets.h"
#include "services/signals/poll.h"
#include "wire/http_client.h"

/* Asks issuers for security events (RFC 8936): POST of JSON, with a bearer token where one is
 * registered, without following where it sends us.  Loop's thread. */
struct event_poll;

/* All are borrowed.  Errors: LIMIT. */
bool event_poll_create(struct event_poll **out, struct http_client *http,
	const struct secrets *secrets, struct error *err) MUST_CHECK;
/* After the poller that asks it. */
void event_poll_destroy(struct event_poll **poll);
struct signals_fetcher event_poll_port(struct event_poll *poll);

#endif
