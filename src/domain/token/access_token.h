#ifndef DOMAIN_TOKEN_ACCESS_TOKEN_H
#define DOMAIN_TOKEN_ACCESS_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "domain/charter/terms.h"
#include "domain/token/binding.h"
#include "domain/token/jws.h"

/* Our access tokens (RFC 9068) and what they say.  One token belongs to one task
 * and one audience.
 *
 * Who acts is client_id.  A task below another identity's says so (RFC 8693 §4.1): sub is
 * then the first of the path, the principal, and act.sub who acts, with those between
 * nested in it, the newest outermost.  What is done for a person, who consented to it, has
 * sub "person:NAME", and everybody on the path acts: client and person never read alike
 * (RFC 9068 §5). */

#define ACCESS_TOKEN_TYPE "at+jwt"
/* The one scope: to make calls, as far as the charter goes. */
#define ACCESS_TOKEN_SCOPE "call"
/* Before the name of a person in sub; no identity's name has a colon. */
#define ACCESS_TOKEN_PERSON "person:"

enum { ACCESS_TOKEN_ACTORS_MAX = 8 };

struct access_token {
	struct text issuer;
	struct text identity;  /* client_id: who acts; without actors, sub too */
	struct text principal; /* sub; empty: the identity */
	struct text person;    /* for whom it is all done: then sub is theirs; or empty */
	/* Those who act for the principal, the newest (the identity) first; 0: nobody does. */
	struct text actors[ACCESS_TOKEN_ACTORS_MAX];
	size_t actors_count;
	/* The one who may exchange it, and nobody may use it otherwise (RFC 8693 §4.4); empty:
	 * the claim is not there. */
	struct text may_act;
	struct text audience;
	struct text id; /* jti */
	struct text task;
	int64_t epoch; /* of the task when the token was made: another one and it is void */
	struct text scope;
	struct text details; /* authorization_details, JSON; empty: none; not read back */
	enum environment environment;
	struct token_binding binding; /* cnf */
	int64_t issued_utc_s;
	int64_t expires_utc_s;
};

/* The claims as a JSON object in arena.  Errors: LIMIT, INVALID (actors that are none). */
bool access_token_claims(struct json *out, struct arena *arena, const struct access_token *token,
	struct error *err) MUST_CHECK;

/* ACCEPTED if key signed compact as an access token of issuer for audience that
 * holds now; then out is what it says, borrowed from compact and arena. */
struct access_token_rules {
	struct text issuer;
	struct text audience;
	int64_t lifetime_max_s;
	int64_t now_utc_s;
};
enum token_reason access_token_check(struct access_token *out, struct arena *arena,
	struct text compact, const struct public_key *key,
	const struct access_token_rules *rules) MUST_CHECK;

#endif
