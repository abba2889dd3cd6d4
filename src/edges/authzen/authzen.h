#ifndef EDGES_AUTHZEN_AUTHZEN_H
#define EDGES_AUTHZEN_AUTHZEN_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "domain/charter/registry.h"
#include "services/evaluate/evaluate.h"
#include "services/issue/issue.h"
#include "wire/router.h"

/* The door of the decision points: OpenID AuthZEN Authorization API 1.0
 * (docs/formats/authzen.md).  remit's own point is at /access/v1, an application's at
 * /applications/NAME/access/v1; each takes access tokens issued for its own URL alone. */
struct authzen;

enum {
	AUTHZEN_BODY_BYTES_MAX = 256 * 1024,
	AUTHZEN_TYPE_BYTES_MAX = 256,       /* of a subject or resource; an action's name */
	AUTHZEN_ID_BYTES_MAX = 1024,        /* of a subject or resource */
	AUTHZEN_REQUEST_ID_BYTES_MAX = 256, /* X-Request-ID */
	AUTHZEN_PENDING_MAX = 1024,         /* requests that wait for their record */
	/* check-source: bound: memory, far past what the greatest body needs */
	AUTHZEN_ARENA_BYTES_MAX = 32 * 1024 * 1024, /* one request and its answer */
};

/* All borrowed; they outlive it. */
struct authzen_parts {
	struct issue *issue;
	struct evaluate *evaluate;
	const struct registry *registry;
};

/* Errors: LIMIT, INTERNAL (no randomness). */
bool authzen_create(
	struct authzen **out, const struct authzen_parts *parts, struct error *err) MUST_CHECK;
/* After the server and the router that use its routes, and after the service. */
void authzen_destroy(struct authzen **authzen);
/* Adds its routes.  Errors: those of router_add. */
bool authzen_add_routes(
	struct authzen *authzen, struct router *router, struct error *err) MUST_CHECK;

#endif
