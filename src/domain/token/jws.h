#ifndef DOMAIN_TOKEN_JWS_H
#define DOMAIN_TOKEN_JWS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/private_key.h"
#include "base/signature.h"
#include "domain/token/reason.h"

/* Compact JWS (RFC 7515 §3.1), strictly: three parts of canonical base64url,
 * strict JSON objects, a header of alg, kid and typ only (in a proof alg, jwk and typ; and what
 * its rules ignore).  Nothing else is a token here: no JWE, no JSON form, no crit. */

enum {
	TOKEN_BYTES_MAX = 16 * 1024,
	TOKEN_DEPTH_MAX = 16,
	TOKEN_VALUES_MAX = 1024,
	TOKEN_ARENA_BYTES_MAX = 256 * 1024, /* enough to parse any token */
};

/* Which typ is due. */
struct jws_rules {
	const char *const *types; /* NULL-terminated; compared byte for byte */
	enum jws_type_need {
		JWS_TYPE_REQUIRED = 0,
		JWS_TYPE_OPTIONAL, /* absent, or one of types */
		/* Required, in a proof: jwk, the key that signed it, stands there, and no kid
		 * (RFC 9449 §4.2).  Nowhere else may a token bring its key. */
		JWS_TYPE_OF_PROOF,
	} type_need;
	/* Names of header members that may be there and say nothing here, NULL-terminated; or NULL.
	 */
	const char *const *ignored;
};

/* A token that is well-formed; nothing in it is believed yet.  Borrowed from the
 * text and the arena. */
struct jws {
	struct text signing_input; /* the bytes that are signed */
	struct text signature;
	enum signature_algorithm algorithm; /* as the header claims, never NONE */
	struct text key_id;                 /* .data is NULL if the header has none */
	struct text type;                   /* .data is NULL if the header has none */
	struct json key;                    /* jwk; JSON_NULL unless it is a proof's */
	struct json claims;                 /* an object */
};

/* ACCEPTED if compact is well-formed and its typ is due. */
enum token_reason jws_parse(struct jws *out, struct arena *arena, struct text compact,
	const struct jws_rules *rules) MUST_CHECK;

/* The kid of a token's header, in arena, to find the key that jws_verify needs; empty where
 * it has none.  Nothing else of it is looked at. */
enum token_reason jws_find_key_id(
	struct text *out, struct arena *arena, struct text compact) MUST_CHECK;

/* ACCEPTED if key, whose own algorithm the header must name, signed it. */
enum token_reason jws_verify(const struct jws *jws, const struct public_key *key) MUST_CHECK;

/* Appends a token over claims, signed by key; key_id may be empty (no kid).
 * Errors: LIMIT. */
bool jws_sign(struct buffer *out, const struct private_key *key, const char *type,
	struct text key_id, const struct json *claims, struct error *err) MUST_CHECK;

#endif
