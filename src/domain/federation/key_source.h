#ifndef DOMAIN_FEDERATION_KEY_SOURCE_H
#define DOMAIN_FEDERATION_KEY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/signature.h"
#include "domain/charter/federation.h"

/* What a key source says: a JSON Web Key Set (RFC 7517 §5) or a SPIFFE bundle.  As the RFC
 * has it, keys of a kind, use or algorithm that does not count here are passed over, and so
 * are members that are not known; private members refuse the whole, and so do two keys of
 * one kid and algorithm. */

enum {
	ISSUER_KEYS_MAX = 64,  /* that count */
	ISSUER_ROOTS_MAX = 32, /* certificates of a bundle */
	ISSUER_ROOT_BYTES_MAX = 16 * 1024,
};

/* Immutable. */
struct issuer_keys;

/* By the issuer's kind and algorithms.  At least one key or root counts.  The caller owns
 * *out; on failure it is NULL.  Errors: INVALID, CONFLICT, LIMIT. */
bool issuer_keys_read(struct issuer_keys **out, const struct issuer *issuer,
	const struct json *document, struct error *err) MUST_CHECK;
/* The same of an answer's bytes, at most ISSUER_KEYS_BYTES_MAX. */
bool issuer_keys_parse(struct issuer_keys **out, const struct issuer *issuer, struct text bytes,
	struct error *err) MUST_CHECK;
void issuer_keys_destroy(struct issuer_keys **keys);

/* The key of that kid and algorithm; without a kid (.data is NULL) the only one of the
 * algorithm.  NULL: none. */
const struct public_key *issuer_keys_find(
	const struct issuer_keys *keys, struct text id, enum signature_algorithm algorithm);
size_t issuer_keys_count(const struct issuer_keys *keys);
/* Certificates that X.509-SVIDs end in, DER. */
const struct text *issuer_keys_roots(const struct issuer_keys *keys, size_t *count);
/* spiffe_refresh_hint; 0: none. */
int64_t issuer_keys_refresh_s(const struct issuer_keys *keys);

/* Where an OpenID configuration (OIDC Discovery 1.0 §4) says that keys are, in arena.  Its
 * issuer must be url, byte for byte.  Errors: INVALID, LIMIT. */
bool issuer_discovery_parse(struct text *out, struct arena *arena, struct text bytes,
	struct text url, struct error *err) MUST_CHECK;

/* True if keys of the issuer may be fetched from there: https, or http to this machine where
 * private addresses are allowed. */
bool issuer_may_fetch(const struct issuer *issuer, struct text url);

#endif
