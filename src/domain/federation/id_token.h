#ifndef DOMAIN_FEDERATION_ID_TOKEN_H
#define DOMAIN_FEDERATION_ID_TOKEN_H

#include <stdint.h>

#include "base/arena.h"
#include "domain/charter/federation.h"
#include "domain/token/claims.h"
#include "domain/token/jws.h"

/* What an OpenID provider says of a person who has just signed in there: an id_token (OpenID
 * Connect Core 1.0 §2, §3.1.3.7).  Pure. */

enum {
	ID_TOKEN_AGE_S_MAX = 10 * 60, /* since iat: it is used at once or not at all */
	ID_TOKEN_AUDIENCES_MAX = 16,
};

/* Nothing of it is believed before id_token_check.  Borrowed from the text and the arena. */
struct id_token {
	struct jws jws;
	struct claims claims; /* without the audience */
};

/* ACCEPTED if compact has the form of one. */
enum token_reason id_token_read(
	struct id_token *out, struct arena *arena, struct text compact) MUST_CHECK;

struct id_token_rules {
	const struct issuer *issuer; /* with a client of people */
	struct text nonce;           /* that was sent; never empty */
	int64_t now_utc_s;
};

/* ACCEPTED if key signed it and everything that the rules' issuer asks for holds; *name is then
 * what it calls them, in the claim that says so. */
enum token_reason id_token_check(const struct id_token *token, const struct public_key *key,
	const struct id_token_rules *rules, struct text *name) MUST_CHECK;

/* From then on the token is refused for its age or its end, whatever else. */
int64_t id_token_useless_utc_s(const struct id_token *token);

#endif
