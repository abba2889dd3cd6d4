#ifndef WIRE_ROUTER_H
#define WIRE_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "wire/http_server.h"

/* Which handler answers which method and path. */

enum { ROUTER_ROUTES_MAX = 512, ROUTER_SEGMENTS_MAX = 16 };

struct router;

/* pattern: "/v1/identities/{name}/approve"; a {name} matches one segment that
 * is not empty, and its value is decoded; "{rest...}", last only, matches one
 * segment or more, decoded.  A literal segment wins over {name}, {name} over
 * {rest...}.  HEAD is answered by the GET route.  method NULL is any: of two routes of one
 * shape, it takes what the other does not.  The row is copied; its
 * texts and context are borrowed while the router lives. */
struct http_route {
	const char *method;
	const char *pattern;
	void (*handle)(void *context, struct http_exchange *exchange);
	void *context;
};

/* Errors: LIMIT. */
bool router_create(struct router **out, struct error *err) MUST_CHECK;
/* Errors: INVALID (a bad pattern), CONFLICT (the same method and shape twice), LIMIT. */
bool router_add(struct router *router, const struct http_route *routes, size_t count,
	struct error *err) MUST_CHECK;
/* Calls the handler, or answers 404, or 405 with Allow. */
void router_dispatch(struct router *router, struct http_exchange *exchange);
/* For http_server_settings.on_request; context is the router. */
void router_on_request(void *context, struct http_exchange *exchange);
void router_destroy(struct router **router);

#endif
