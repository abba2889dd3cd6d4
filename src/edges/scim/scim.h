#ifndef EDGES_SCIM_SCIM_H
#define EDGES_SCIM_SCIM_H

#include <stdbool.h>

#include "base/error.h"
#include "base/loop.h"
#include "services/directory/directory.h"
#include "wire/router.h"

/* The door of directories: SCIM 2.0 (RFC 7643, 7644) below /scim/v2/, by a bearer token of the
 * directory's own.  It reads, bounds and answers; what is done lives in services/directory. */
struct scim;

enum {
	SCIM_OPERATIONS_MAX = 1000,        /* of one bulk request */
	SCIM_BODY_BYTES_MAX = 1024 * 1024, /* of any request */
	SCIM_EXCHANGES_MAX = 64,           /* at once */
};

/* All borrowed, and outlive it.  Errors: LIMIT. */
bool scim_create(struct scim **out, struct directory_service *directories, struct loop *loop,
	struct error *err) MUST_CHECK;
/* After the server and the router that use its routes, and the log. */
void scim_destroy(struct scim **scim);
/* Errors: those of router_add. */
bool scim_add_routes(struct scim *scim, struct router *router, struct error *err) MUST_CHECK;

#endif
