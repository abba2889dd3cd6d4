#ifndef SERVICES_ISSUE_TOKEN_SIGNER_H
#define SERVICES_ISSUE_TOKEN_SIGNER_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/signature.h"
#include "domain/token/access_token.h"

/* The port to whoever holds the token signing key (edges/signer). */
struct token_signer {
	void *context;
	/* The key tokens are verified with; lives as long as the signer. */
	const struct public_key *key;
	/* Appends the signed token, or refuses what no token of ours may say
	 * (INVALID: lifetime, audience, issuer, task).  Errors: INVALID, LIMIT, IO. */
	bool (*sign)(void *context, const struct access_token *token, struct buffer *out,
		struct error *err);
};

#endif
