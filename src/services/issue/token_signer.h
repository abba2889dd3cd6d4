#ifndef SERVICES_ISSUE_TOKEN_SIGNER_H
#define SERVICES_ISSUE_TOKEN_SIGNER_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/signature.h"
#include "domain/token/access_token.h"

/* One question to the signer on its way; the caller owns it until done ran. */
struct token_signing {
	void (*done)(struct token_signing *signing);
	void *context;
	/* The answer, filled before done runs. */
	bool is_signed;
	struct text token; /* good until done returns; of a new key, its JWK */
	struct error err;  /* where it was not signed */
};

/* The port to whoever holds the token signing key (edges/signer). */
struct token_signer {
	void *context;
	/* The key it signed with when it was opened, to be copied; those that follow are on
	 * record. */
	const struct public_key *key;
	/* Signs, or refuses what no token of ours may say (INVALID: lifetime, audience,
	 * issuer, task).  token is borrowed for the call only.  done runs exactly once, on the
	 * caller's thread: before this returns, or from its loop.  Errors: INVALID, LIMIT,
	 * IO. */
	void (*sign)(
		void *context, const struct access_token *token, struct token_signing *signing);
	/* False while sign would refuse, whatever is asked.  NULL: it never would for that. */
	bool (*is_ready)(void *context);
	/* Makes the key that may come next, which signs nothing until it is used; token is its
	 * public half, a canonical JWK.  In place of one that was made and never used.  NULL,
	 * with use_key: keys are never changed.  Errors: CONFLICT (one waits for its time), IO,
	 * LIMIT. */
	void (*make_key)(void *context, struct token_signing *making);
	/* The key of this kid signs from this moment on; the one before is forgotten then.
	 * Saying it again changes nothing.  Errors: NOT_FOUND, CONFLICT (it signs earlier),
	 * INVALID (too far ahead), IO. */
	void (*use_key)(
		void *context, struct text kid, int64_t from_utc_ms, struct token_signing *using);
};

#endif
