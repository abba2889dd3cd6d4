#ifndef DOMAIN_CALL_PEER_CARD_H
#define DOMAIN_CALL_PEER_CARD_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

/* The agent card of a peer (A2A 1.0): where its requests go, what is pinned of it, and what
 * remit shows in its place. */

enum {
	PEER_CARD_BYTES_MAX = 256 * 1024,
	PEER_CARD_SKILLS_MAX = 256, /* of one card */
};

/* Where requests go: the URL of its JSON-RPC interface of version 1.0.  It must be of the same
 * origin as base, which was registered: a card does not send elsewhere.  Borrowed from the
 * card.  Errors: INVALID. */
bool peer_card_endpoint(
	struct text *out, const struct json *card, struct text base, struct error *err) MUST_CHECK;

/* A list of definitions as tools have them, one a skill, named by its id.  Each holds all the
 * card says but the other skills and the signatures, so that any other change of the card
 * changes every one of them.  Errors: INVALID, LIMIT. */
bool peer_card_definitions(struct json *out, struct arena *arena, const struct json *card,
	struct error *err) MUST_CHECK;

/* What the card is shown with. */
struct peer_showing {
	struct text url;          /* the peer's, here */
	struct text token_url;    /* where tokens for it are had */
	struct text metadata_url; /* RFC 8414 */
	struct text scope;
	const struct json *skills; /* ids, of definitions: {"tools": [{"name": ID}]} */
};
/* The card in the form that is signed: members that A2A 1.0 names and none that is empty, the
 * peer's interfaces and ways of authentication replaced by remit's, those skills only, no
 * extensions and no signatures.  Errors: INVALID, LIMIT. */
bool peer_card_show(struct json *out, struct arena *arena, const struct json *card,
	const struct peer_showing *showing, struct error *err) MUST_CHECK;

#endif
