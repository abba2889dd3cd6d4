#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"

/* Secrets and contents at rest: AES-256-GCM (NIST SP 800-38D) with a random
 * nonce.  Sealed bytes are nonce || ciphertext || tag.  One key seals at most
 * 2^32 times; give each task or store its own. */

enum {
	SEAL_KEY_BYTES = 32,
	SEAL_NONCE_BYTES = 12,
	SEAL_TAG_BYTES = 16,
	SEAL_OVERHEAD_BYTES = SEAL_NONCE_BYTES + SEAL_TAG_BYTES,
	SEAL_PLAIN_BYTES_MAX = 1024 * 1024 * 1024,
};

/* Whoever holds one clears it with seal_key_clear; never copied into an arena. */
struct seal_key {
	uint8_t bytes[SEAL_KEY_BYTES];
};

/* Errors: INTERNAL (no randomness). */
bool seal_key_generate(struct seal_key *out, struct error *err) MUST_CHECK;
void seal_key_clear(struct seal_key *key);

/* Writes plain.length + SEAL_OVERHEAD_BYTES bytes to out, which may not overlap
 * plain.  context is authenticated, not stored: opening needs the same (what the
 * secret is for).  Errors: LIMIT, INTERNAL. */
bool seal_encrypt(const struct seal_key *key, struct text plain, struct text context, uint8_t *out,
	struct error *err) MUST_CHECK;

/* Writes sealed.length - SEAL_OVERHEAD_BYTES bytes to out.  On failure out is
 * cleared.  Errors: CORRUPT (changed, another key or context, too short), LIMIT. */
bool seal_decrypt(const struct seal_key *key, struct text sealed, struct text context, uint8_t *out,
	struct error *err) MUST_CHECK;

#endif
