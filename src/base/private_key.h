#ifndef BASE_PRIVATE_KEY_H
#define BASE_PRIVATE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/signature.h"
#include "base/text.h"

/* A key that signs: ES256 or Ed25519.  Never printed, never in an arena; its
 * memory is cleared when it is destroyed.  Signing is safe from any thread. */
struct private_key;

enum { PRIVATE_KEY_FILE_BYTES_MAX = 8 * 1024 };

/* Before the first key: their numbers then lie in pages of their own, out of core dumps and
 * locked where the system allows it.  For a process that does little else with OpenSSL. */
void private_key_lock_memory(void);

/* ES256 or ED25519.  Errors: INVALID (another algorithm), LIMIT. */
bool private_key_generate(
	struct private_key **out, enum signature_algorithm algorithm, struct error *err) MUST_CHECK;

/* Reads a PEM file that holds one unencrypted PKCS#8 key (P-256 or Ed25519).
 * Refuses (INVALID) what is not a regular file, belongs to another user, or can
 * be read or written by group or others.  Errors: NOT_FOUND, INVALID, IO, LIMIT. */
bool private_key_load(struct private_key **out, const char *path, struct error *err) MUST_CHECK;

/* Writes a new file, mode 0600, durable on return, folder entry included; an
 * existing file is left alone (CONFLICT).  Errors: CONFLICT, IO, LIMIT. */
bool private_key_save(
	const struct private_key *key, const char *path, struct error *err) MUST_CHECK;

/* Its public half; lives as long as key. */
const struct public_key *private_key_public(const struct private_key *key);

/* Signs message into out, raw r||s for ES256.  *out_size is 64 for both
 * algorithms.  Errors: LIMIT, INTERNAL. */
bool private_key_sign(const struct private_key *key, struct text message,
	uint8_t out[SIGNATURE_BYTES_MAX], size_t *out_size, struct error *err) MUST_CHECK;

/* Clears and frees *key and sets it to NULL.  *key may be NULL. */
void private_key_destroy(struct private_key **key);

#endif
