#ifndef DOMAIN_TOKEN_REQUEST_SIGNATURE_H
#define DOMAIN_TOKEN_REQUEST_SIGNATURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/private_key.h"
#include "domain/token/jws.h"

/* How a person signs one request to the control API:
 *   Authorization: Remit-Signed <compact JWS>
 * typ remit-request+jwt, kid = RFC 7638 thumbprint; iss = the person, aud = the
 * installation, htm, htu (the whole URL as the signer reaches it), iat, jti, body =
 * base64url SHA-256 of the body (docs/formats/request-signature.md).
 *
 * aud alone would not do: it is what the other end calls itself, and a hostile
 * installation could call itself like another and pass the request on.  htu is
 * what the signer dialled, so it cannot. */

#define REQUEST_SIGNATURE_SCHEME "Remit-Signed"
#define REQUEST_SIGNATURE_TYPE "remit-request+jwt"
/* What stands before the path in htu where the way is the daemon's socket. */
#define REQUEST_SIGNATURE_SOCKET "http://localhost"

enum { REQUEST_SIGNATURE_WINDOW_S = 60 }; /* iat may differ from our clock by this */

/* The request that is signed.  Borrowed. */
struct signed_request {
	struct text audience; /* the installation: the origin of its log; never empty */
	struct text method;
	struct text url; /* where it is sent, with path and query exactly as sent */
	struct text body;
};

/* What a signature says; nothing in it is believed before it is checked. */
struct request_signature {
	struct jws jws;
	struct text person;
	struct text key_id;
	struct text id; /* jti */
	int64_t issued_utc_s;
};

/* Reads the value of an Authorization header. */
enum token_reason request_signature_parse(
	struct request_signature *out, struct arena *arena, struct text authorization) MUST_CHECK;

/* ACCEPTED if key signed exactly this request and iat is within the window of
 * now.  Whose key it is and whether jti is new is the caller's to check. */
enum token_reason request_signature_check(const struct request_signature *signature,
	const struct public_key *key, const struct signed_request *request,
	int64_t now_utc_s) MUST_CHECK;

/* Appends the header's value, with a fresh jti.  Errors: LIMIT. */
bool request_signature_build(struct buffer *out, const struct private_key *key, struct text person,
	const struct signed_request *request, int64_t now_utc_s, struct error *err) MUST_CHECK;

#endif
