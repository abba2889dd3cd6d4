#ifndef DOMAIN_TOKEN_DPOP_H
#define DOMAIN_TOKEN_DPOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/signature.h"
#include "domain/token/jws.h"

/* DPoP proofs (RFC 9449 §4): a JWT that the holder of a key signs for one request.  Header
 * alg, jwk and typ (dpop+jwt), nothing else; claims htm, htu, iat, jti, and ath and nonce
 * where they are due.  The key is in the proof, so a proof says nothing about who: it shows
 * that whoever sends the request has the key a token is bound to. */

#define DPOP_TYPE "dpop+jwt"
/* What proofs may be signed with, for metadata: each is one that base/signature verifies. */
#define DPOP_ALGORITHMS "ES256 ES384 EdDSA Ed25519 PS256 RS256"

enum {
	DPOP_WINDOW_S = 60,        /* iat may differ from our clock by this */
	DPOP_URL_BYTES_MAX = 4096, /* of htu */
	DPOP_BYTES_MAX = 6 * 1024, /* of a proof; the longest key, RSA of 4096 bits, makes 2.5 KB */
};

/* A proof that is well-formed; nothing in it is believed before dpop_check.  Borrowed. */
struct dpop_proof {
	struct jws jws; /* jws.key is its key */
	struct text id; /* jti */
	struct text method;
	struct text url;
	struct text nonce;  /* empty: none */
	struct text access; /* ath; empty: none */
	int64_t issued_utc_s;
	int64_t expires_utc_s;    /* -1: none; no proof needs one */
	int64_t not_before_utc_s; /* likewise */
};

/* ACCEPTED if compact has the form of a proof. */
enum token_reason dpop_parse(
	struct dpop_proof *out, struct arena *arena, struct text compact) MUST_CHECK;

/* Its key: public, asymmetric, of the algorithm that the header names.  The caller owns
 * *out.  PROOF_KEY: it is none; NO_ROOM. */
enum token_reason dpop_key(struct public_key **out, const struct dpop_proof *proof) MUST_CHECK;

/* The request that a proof is for. */
struct dpop_request {
	struct text method;
	struct text url;   /* a query or fragment does not count */
	struct text token; /* the access token sent with it; empty: none, and no ath is due */
};

/* ACCEPTED if key signed the proof for this request, within the window of now.  Whether the
 * key is the due one, the nonce ours and jti new is the caller's to check. */
enum token_reason dpop_check(const struct dpop_proof *proof, const struct public_key *key,
	const struct dpop_request *request, int64_t now_utc_s) MUST_CHECK;

/* True if both are http or https URLs of the same place: scheme and host in any case, a
 * default port written or not, percent-encoding as RFC 3986 §6.2.2 has it, query and fragment
 * left out.  A URL with a user, or that is none, is the same as no other. */
bool dpop_is_same_url(struct text claimed, struct text due);

#endif
