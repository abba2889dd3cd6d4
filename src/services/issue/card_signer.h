#ifndef SERVICES_ISSUE_CARD_SIGNER_H
#define SERVICES_ISSUE_CARD_SIGNER_H

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

/* One agent card on its way to be signed; the caller owns it until done ran. */
struct card_signing {
	void (*done)(struct card_signing *signing);
	void *context;
	/* The answer, filled before done runs. */
	bool is_signed;
	struct text protected; /* the two parts of a JWS (RFC 7515 §7.2.2); good until done returns
				*/
	struct text signature;
	struct error err; /* where it was not signed */
};

/* The port to whoever holds the key that tokens are signed with (edges/signer): cards are signed
 * with it, too, so that the key set at /oauth/jwks verifies both.  */
struct card_signer {
	void *context;
	/* Signs the canonical form of the card, or refuses what is no card of a peer here
	 * (INVALID: an interface elsewhere, a member of a token, signatures).  card is borrowed
	 * for the call only.  done runs exactly once, on the caller's thread: before this
	 * returns, or from its loop.  Errors: INVALID, LIMIT, IO. */
	void (*sign)(void *context, const struct json *card, struct card_signing *signing);
};

#endif
