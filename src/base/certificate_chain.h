#ifndef BASE_CERTIFICATE_CHAIN_H
#define BASE_CERTIFICATE_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/certificate.h"
#include "base/error.h"
#include "base/text.h"

/* X.509 certificates of clients, over OpenSSL: whose they are by their one URI, and whether
 * they hold (RFC 5280 §6). */

enum { CERTIFICATE_DEPTH_MAX = 4 };

struct certificate_facts {
	struct text uri;       /* the one subjectAltName of type URI, in the arena */
	int64_t start_utc_s;   /* notBefore */
	int64_t expires_utc_s; /* notAfter */
};

/* What it says; nothing of it is believed yet.  Exactly one URI (X.509-SVID §2).
 * Errors: INVALID, LIMIT. */
bool certificate_read(struct certificate_facts *out, struct arena *arena, struct text der,
	struct error *err) MUST_CHECK;

/* True if one of the roots, each an anchor whether it signed itself or not, signed it, by
 * way of the intermediates if need be, and it is a client's own: no CA, digitalSignature,
 * and of extended uses, where it has any, clientAuth.  Errors: INVALID, LIMIT. */
struct certificate_chain {
	struct text leaf; /* all DER */
	const struct text *intermediates;
	size_t intermediates_count;
	const struct text *roots;
	size_t roots_count;
	int64_t now_utc_s;
};
bool certificate_verify(const struct certificate_chain *chain, struct error *err) MUST_CHECK;

#endif
