#ifndef DOMAIN_FEDERATION_STS_H
#define DOMAIN_FEDERATION_STS_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "domain/charter/outbound.h"

/* What is said to a token service, and what it answers (RFC 6749 §5, RFC 7523 §2, RFC 8693 §2).
 * Pure. */

enum {
	STS_TOKEN_BYTES_MAX = 8 * 1024,
	STS_REPLY_BYTES_MAX = 64 * 1024,
	STS_FAULT_BYTES_MAX = 40, /* of the word it refuses with */
};

/* The body of the request, with an identity token in it: the caller clears it. */
void sts_request(
	struct buffer *out, const struct outbound_exchange *exchange, struct text identity_token);
/* "application/json" or that of a form. */
const char *sts_content_type(const struct outbound_exchange *exchange);

struct sts_answer {
	struct text token; /* visible ASCII; in the arena or the body */
	int64_t expires_s; /* -1: it does not say */
};
/* A bearer token, of a type that was asked for.  err holds nothing of the body.
 * Errors: INVALID, LIMIT. */
bool sts_read(struct sts_answer *out, struct arena *arena, const struct outbound_exchange *exchange,
	struct text body, struct error *err) MUST_CHECK;
/* Why it gave none: its word, where it is one (RFC 6749 §5.2), and the status. */
void sts_read_fault(struct error *out, struct arena *arena, unsigned status, struct text body);

#endif
