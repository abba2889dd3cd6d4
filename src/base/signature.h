#ifndef BASE_SIGNATURE_H
#define BASE_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"

/* Public keys and signatures (RFC 7518 §3, RFC 8037), over OpenSSL.  A key is
 * parsed once and knows its one algorithm, so that no message can choose. */

/* NONE verifies nothing. */
enum signature_algorithm {
	SIGNATURE_NONE = 0,
	SIGNATURE_ES256,   /* ECDSA P-256, SHA-256; r and s of 32 bytes each */
	SIGNATURE_ES384,   /* ECDSA P-384, SHA-384; r and s of 48 bytes each */
	SIGNATURE_RS256,   /* RSASSA-PKCS1-v1_5, SHA-256 */
	SIGNATURE_PS256,   /* RSASSA-PSS, SHA-256, MGF1 SHA-256, salt of 32 bytes */
	SIGNATURE_ED25519, /* RFC 8032, pure */
};

enum {
	SIGNATURE_BYTES_MAX = 512, /* RSA of 4096 bits */
	ED25519_KEY_BYTES = 32,
	ED25519_SIGNATURE_BYTES = 64,
	EC_COORDINATE_BYTES_MAX = 48, /* P-384 */
	RSA_MODULUS_BITS_MIN = 2048,
	RSA_MODULUS_BITS_MAX = 4096,
};

/* "ES256" ... "Ed25519" (RFC 7518, RFC 9864); NULL for NONE. */
const char *signature_algorithm_name(enum signature_algorithm algorithm);
/* The algorithm of that exact name; "EdDSA" also means Ed25519.  NONE if it is
 * none of them. */
enum signature_algorithm signature_algorithm_of(struct text name);

/* A key that signatures are checked with.  Immutable; any thread. */
struct public_key;

/* All: the caller owns *out; on failure it is NULL.  Errors: INVALID (not a
 * point of the curve, modulus or exponent out of bounds, other algorithm), LIMIT. */
bool public_key_from_ed25519(struct public_key **out, const uint8_t key[ED25519_KEY_BYTES],
	struct error *err) MUST_CHECK;
/* ES256 or ES384; x and y big-endian, exactly 32 or 48 bytes each. */
bool public_key_from_ec(struct public_key **out, enum signature_algorithm algorithm, struct text x,
	struct text y, struct error *err) MUST_CHECK;
/* RS256 or PS256; n and e big-endian without leading zero.  e is odd, from
 * 65537 to 2^32 - 1. */
bool public_key_from_rsa(struct public_key **out, enum signature_algorithm algorithm, struct text n,
	struct text e, struct error *err) MUST_CHECK;
/* A SubjectPublicKeyInfo in PEM; RSA keys get the algorithm named, which must
 * fit the key in any case.  One key, nothing after it but blanks. */
bool public_key_from_pem(struct public_key **out, struct text pem,
	enum signature_algorithm algorithm, struct error *err) MUST_CHECK;

enum signature_algorithm public_key_algorithm(const struct public_key *key);

/* The numbers of the key, borrowed from it: EC x and y, Ed25519 x, RSA n and e;
 * the others are empty. */
struct public_key_numbers {
	struct text x;
	struct text y;
	struct text n;
	struct text e;
};
void public_key_numbers(const struct public_key *key, struct public_key_numbers *out);

/* True only if signature (raw r||s for ECDSA) is the key's over message.  Out
 * of memory is false. */
bool public_key_verify(
	const struct public_key *key, struct text message, struct text signature) MUST_CHECK;

/* Same algorithm and numbers. */
bool public_key_equal(const struct public_key *a, const struct public_key *b);

/* Frees *key and sets it to NULL.  *key may be NULL. */
void public_key_destroy(struct public_key **key);

#endif
