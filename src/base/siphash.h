#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SipHash-2-4 with 128 bits (Aumasson and Bernstein, 2012): a keyed digest for short
 * texts that cannot be forged or foreseen without the key, a tenth of an HMAC's cost.
 * Never where a published digest is asked for. */

enum { SIPHASH_KEY_BYTES = 16 };

struct siphash {
	uint64_t low, high;
};

struct siphash siphash_of(const uint8_t key[SIPHASH_KEY_BYTES], const void *data, size_t size);
bool siphash_equal(const struct siphash *a, const struct siphash *b);

#endif
