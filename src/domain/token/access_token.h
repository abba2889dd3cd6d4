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
 * and one audience. */

#define ACCESS_TOKEN_TYPE "at+jwt"
/* The one scope: to make calls, as far as the charter goes. */
#define ACCESS_TOKEN_SCOPE "call"

struct access_token {
	struct text issuer;
	struct text identity; /* sub and client_id */
	struct text audience;
	struct text id; /* jti */
	struct text task;
	struct text scope;
	enum environment environment;
	struct token_binding binding; /* cnf */
	int64_t issued_utc_s;
	int64_t expires_utc_s;
};

/* The claims as a JSON object in arena.  Errors: LIMIT. */
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
