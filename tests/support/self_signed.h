#ifndef TESTS_SUPPORT_SELF_SIGNED_H
#define TESTS_SUPPORT_SELF_SIGNED_H

#include <stdint.h>

#include "base/private_key.h"
#include "base/text.h"

/* Self-signed certificates over P-256, for 127.0.0.1. */

enum { SELF_SIGNED_BYTES_MAX = 64 * 1024 };

struct self_signed {
	uint8_t bytes[SELF_SIGNED_BYTES_MAX];
	struct text der; /* in bytes */
	char pem[SELF_SIGNED_BYTES_MAX];
	char key_pem[SELF_SIGNED_BYTES_MAX];
};

/* One of exactly size bytes of DER, padded with a comment. */
void self_signed_of_size(struct self_signed *out, size_t size);

/* key NULL: a new one; key_pem is there only then.  From starts to ends (its last second),
 * seconds since 1970.  Ends the process when it cannot. */
void self_signed_make(struct self_signed *out, const struct private_key *key, int64_t starts_utc_s,
	int64_t ends_utc_s);

#endif
