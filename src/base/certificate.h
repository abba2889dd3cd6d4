#ifndef BASE_CERTIFICATE_H
#define BASE_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/signature.h"
#include "base/text.h"

/* What one X.509 certificate in DER says, without asking whether anybody vouches for it. */

enum { CERTIFICATE_BYTES_MAX = 16 * 1024 };

/* From its first second to the first in which it is over. */
struct certificate_life {
	int64_t starts_utc_s;
	int64_t ends_utc_s;
};

/* Errors: INVALID (not one certificate and nothing else, no such time), LIMIT. */
bool certificate_read_life(
	struct certificate_life *out, struct text der, struct error *err) MUST_CHECK;

/* True if der is a certificate whose public key is this one. */
bool certificate_has_key(struct text der, const struct public_key *key);

#endif
