#ifndef EDGES_STS_STS_CLIENT_H
#define EDGES_STS_STS_CLIENT_H

#include "base/error.h"
#include "services/outbound/outbound.h"
#include "wire/http_client.h"

/* Asks token services: one POST, without following where it sends us, bounded in size and time;
 * what came is cleared once it was told.  Loop's thread. */
struct sts_client;

/* http is borrowed.  Errors: LIMIT. */
bool sts_client_create(
	struct sts_client **out, struct http_client *http, struct error *err) MUST_CHECK;
/* After the service that asks by it. */
void sts_client_destroy(struct sts_client **client);
struct outbound_asker sts_client_port(struct sts_client *client);

#endif
