#ifndef DOMAIN_TOKEN_CLIENT_ASSERTION_H
#define DOMAIN_TOKEN_CLIENT_ASSERTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/private_key.h"
#include "domain/token/claims.h"
#include "domain/token/jws.h"

/* What a client proves itself with at the token endpoint (RFC 7523 §3,
 * private_key_jwt): iss = sub = client, aud = the issuer alone, exp, jti. */

#define CLIENT_ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define JWT_BEARER_GRANT_TYPE "urn:ietf:params:oauth:grant-type:jwt-bearer"

/* A JWT-SVID in its place (draft-ietf-oauth-spiffe-client-auth). */
#define SVID_ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe"

enum {
	CLIENT_ASSERTION_LIFETIME_MAX_S = 300,
	CLIENT_ASSERTION_LIFETIME_S = 60, /* of those we build */
};

/* A parsed assertion; nothing in it is believed before client_assertion_check. */
struct client_assertion {
	struct jws jws;
	struct claims claims;
};

/* typ may be absent, "JWT" or "client-authentication+jwt". */
enum token_reason client_assertion_parse(
	struct client_assertion *out, struct arena *arena, struct text compact) MUST_CHECK;
/* The same of one that is a grant (RFC 7523 §2.1), whose own typ is
 * "authorization-grant+jwt": what says that it is the one is never taken as the other. */
enum token_reason grant_assertion_parse(
	struct client_assertion *out, struct arena *arena, struct text compact) MUST_CHECK;

/* ACCEPTED if key signed it for issuer, by and about client, and it holds now. */
enum token_reason client_assertion_check(const struct client_assertion *assertion,
	const struct public_key *key, struct text client, struct text issuer,
	int64_t now_utc_s) MUST_CHECK;

/* Appends an assertion with a fresh jti; kid is the key's thumbprint.
 * Errors: LIMIT. */
bool client_assertion_build(struct buffer *out, const struct private_key *key, struct text client,
	struct text issuer, int64_t now_utc_s, struct error *err) MUST_CHECK;

#endif
