#ifndef EDGES_OAUTH_OAUTH_H
#define EDGES_OAUTH_OAUTH_H

#include <stdbool.h>

#include "base/error.h"
#include "services/issue/issue.h"
#include "services/registry/registrar.h"
#include "wire/router.h"

/* The authorization server's door: /oauth/token, /oauth/revoke,
 * /oauth/introspect, /oauth/register, /oauth/jwks and the metadata documents. */
struct oauth;

enum {
	OAUTH_BODY_BYTES_MAX = 64 * 1024,
	OAUTH_PARAMETERS_MAX = 32,
};

/* issue and registrar are borrowed and outlive it.  Errors: LIMIT. */
bool oauth_create(struct oauth **out, struct issue *issue, struct registrar *registrar,
	struct error *err) MUST_CHECK;
/* After the server and the router that use its routes. */
void oauth_destroy(struct oauth **oauth);
/* Metadata tells of client certificates, which the listener asks for (RFC 8705 §3.3, §5). */
void oauth_offer_certificates(struct oauth *oauth);
/* Adds its routes.  Errors: those of router_add. */
bool oauth_add_routes(struct oauth *oauth, struct router *router, struct error *err) MUST_CHECK;

#endif
