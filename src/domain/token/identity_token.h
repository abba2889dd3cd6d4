#ifndef DOMAIN_TOKEN_IDENTITY_TOKEN_H
#define DOMAIN_TOKEN_IDENTITY_TOKEN_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "domain/charter/terms.h"

/* Identity tokens: what remit tells a token service of others about who acts (docs/formats/
 * tokens.md).  They open nothing here: no door takes their type, their audience is never one of
 * ours, and no word of an issuer of our own name counts. */

/* That of the tokens clouds take; ours for ourselves have "at+jwt". */
#define IDENTITY_TOKEN_TYPE "JWT"

enum {
	IDENTITY_TOKEN_S = 120,     /* how long one lives */
	IDENTITY_TOKEN_S_MAX = 300, /* the most that is signed */
	IDENTITY_TOKEN_AUDIENCE_BYTES_MAX = 512,
};

/* identity or server is empty: a token is of one of them. */
struct identity_token {
	struct text issuer;
	struct text audience;
	struct text id; /* jti */
	struct text identity;
	struct text server;
	enum environment environment;
	struct text unit; /* may be empty */
	struct text task; /* empty: of no task alone */
	int64_t issued_utc_s;
	int64_t expires_utc_s;
};

/* "identity:NAME:environment:E" or "server:NAME:environment:E", in arena; names have no colon,
 * so one text is one subject. */
struct text identity_token_subject(struct arena *arena, const struct identity_token *token);
/* The claims as a JSON object in arena.  Errors: LIMIT. */
bool identity_token_claims(struct json *out, struct arena *arena,
	const struct identity_token *token, struct error *err) MUST_CHECK;

#endif
