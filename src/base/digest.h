#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/text.h"

enum { SHA256_BYTES = 32, DIGEST_TEXT_BYTES = 72 };

struct sha256 {
	uint8_t bytes[SHA256_BYTES];
};

/* SHA-256 of size bytes; of parts, one after the other.  Cannot fail (a
 * library that cannot hash ends the process). */
struct sha256 sha256_of(const void *data, size_t size);
struct sha256 sha256_of_parts(const struct text *parts, size_t count);
/* The same of bytes that come one after the other.  NULL: no memory. */
struct sha256_running;
struct sha256_running *sha256_begin(void) MUST_CHECK;
void sha256_add(struct sha256_running *running, const void *data, size_t size);
/* Of all so far; more may follow. */
struct sha256 sha256_so_far(const struct sha256_running *running);
void sha256_end(struct sha256_running **running); /* *running may be NULL */
bool sha256_equal(const struct sha256 *a, const struct sha256 *b);

/* HMAC-SHA-256 (RFC 2104). */
struct sha256 hmac_sha256(const uint8_t *key, size_t key_size, const void *data, size_t size);

/* "sha256:" and 64 hexadecimal digits, NUL-terminated. */
void digest_format(char out[DIGEST_TEXT_BYTES], const struct sha256 *digest);
bool digest_parse(struct text t, struct sha256 *out) MUST_CHECK;

/* CRC-32C (Castagnoli), as in iSCSI; seed 0 to start, or the last result. */
uint32_t crc32c(uint32_t seed, const void *data, size_t size);
/* The same without the processor's instruction. */
uint32_t crc32c_portable(uint32_t seed, const void *data, size_t size);

#endif
