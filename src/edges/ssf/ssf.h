#ifndef EDGES_SSF_SSF_H
#define EDGES_SSF_SSF_H

#include <stdbool.h>

#include "base/error.h"
#include "services/signals/signals.h"
#include "wire/router.h"

/* The door of security events that others push (RFC 8935): POST /ssf/events. */
struct ssf;

/* signals is borrowed and outlives it.  Errors: LIMIT. */
bool ssf_create(struct ssf **out, struct signals *signals, struct error *err) MUST_CHECK;
/* After the server and the router that use its route. */
void ssf_destroy(struct ssf **ssf);
/* Errors: those of router_add. */
bool ssf_add_routes(struct ssf *ssf, struct router *router, struct error *err) MUST_CHECK;

#endif
