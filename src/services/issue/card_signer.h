#ifndef SERVICES_ISSUE_CARD_SIGNER_H
#define SERVICES_ISSUE_CARD_SIGNER_H

#include "base/json.h"
#include "services/issue/token_signer.h"

/* The port to whoever holds the key that tokens are signed with (edges/signer): cards are signed
 * with it, too, so that the key set at /oauth/jwks verifies both.  */
struct card_signer {
	void *context;
	/* Signs the canonical form of the card, or refuses what is no card of a peer here
	 * (INVALID: an interface elsewhere, a member of a token, signatures).  card is borrowed
	 * for the call only.  done runs exactly once, on the caller's thread: before this
	 * returns, or from its loop; then token is "PROTECTED..SIGNATURE" (RFC 7515 appendix F).
	 * Errors: INVALID, LIMIT, IO. */
	void (*sign)(void *context, const struct json *card, struct token_signing *signing);
};

#endif
