#ifndef DOMAIN_TOKEN_JWK_H
#define DOMAIN_TOKEN_JWK_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/signature.h"

/* Public keys as JSON Web Keys (RFC 7517, 7518 §6, 8037).  EC P-256 and P-384,
 * OKP Ed25519, RSA. */

enum { JWK_THUMBPRINT_BYTES = 44 }; /* 43 letters and NUL */

/* Reads one public key.  Refused: private members, members that are not the
 * key's or `kid` `use` `alg` `key_ops`, a `use` other than "sig", a `key_ops`
 * other than ["verify"], an `alg` that is not the key's.  RSA needs `alg`.  `kid`
 * is not interpreted here.  The caller owns *out.  Errors: INVALID, LIMIT. */
bool jwk_parse(struct public_key **out, const struct json *value, struct error *err) MUST_CHECK;

/* The same of a key that stands beside the algorithm it was used with: one that names no
 * `alg` has that one, one that names another is refused. */
bool jwk_parse_as(struct public_key **out, const struct json *value,
	enum signature_algorithm algorithm, struct error *err) MUST_CHECK;

/* The key as a JWK with its required members only (RSA: and `alg`), in arena.
 * Errors: LIMIT. */
bool jwk_format(struct json *out, struct arena *arena, const struct public_key *key,
	struct error *err) MUST_CHECK;

/* RFC 7638, SHA-256, base64url, NUL-terminated.  Errors: LIMIT. */
bool jwk_thumbprint(
	char out[JWK_THUMBPRINT_BYTES], const struct public_key *key, struct error *err) MUST_CHECK;

#endif
