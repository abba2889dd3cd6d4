#ifndef EDGES_OAUTH_SESSION_H
#define EDGES_OAUTH_SESSION_H

#include "services/issue/issue.h"
#include "wire/http_server.h"

/* The life of a task: GET /oauth/session, a stream that the client keeps open and with which
 * a task opened with session=connection ends, and POST /oauth/heartbeat, which counts as a use
 * of the task.  context of both is the struct issue. */

void oauth_handle_session(void *context, struct http_exchange *exchange);
void oauth_handle_heartbeat(void *context, struct http_exchange *exchange);

#endif
