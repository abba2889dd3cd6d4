#ifndef SERVICES_ISSUE_TOKEN_SIGNER_H
#define SERVICES_ISSUE_TOKEN_SIGNER_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/signature.h"
#include "domain/token/access_token.h"

/* One token on its way to be signed; the caller owns it until done ran. */
struct token_signing {
	void (*done)(struct token_signing *signing);
	void *context;
	/* The answer, filled before done runs. */
	bool is_signed;
	struct text token; /* good until done returns */
	struct error err;  /* where it was not signed */
};

/* The port to whoever holds the token signing key (edges/signer). */
struct token_signer {
	void *context;
	/* The key tokens are verified with; lives as long as the signer. */
	const struct public_key *key;
	/* Signs, or refuses what no token of ours may say (INVALID: lifetime, audience,
	 * issuer, task).  token is borrowed for the call only.  done runs exactly once, on the
	 * caller's thread: before this returns, or from its loop.  Errors: INVALID, LIMIT,
	 * IO. */
	void (*sign)(
		void *context, const struct access_token *token, struct token_signing *signing);
};

#endif
