#ifndef SERVICES_ISSUE_IDENTITY_SIGNER_H
#define SERVICES_ISSUE_IDENTITY_SIGNER_H

#include "domain/token/identity_token.h"
#include "services/issue/token_signer.h"

/* The port to whoever holds the key that tokens are signed with (edges/signer): identity tokens
 * are signed with it, too, so that others verify them with the key set at /oauth/jwks. */
struct identity_signer {
	void *context;
	/* Signs, or refuses what no identity token may say (INVALID: an audience of ours, a
	 * lifetime above IDENTITY_TOKEN_S_MAX, another member).  token is borrowed for the call
	 * only.  done runs exactly once, on the caller's thread: before this returns, or from
	 * its loop.  Errors: INVALID, LIMIT, IO. */
	void (*sign)(
		void *context, const struct identity_token *token, struct token_signing *signing);
};

#endif
