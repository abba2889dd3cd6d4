#ifndef DOMAIN_TOKEN_BINDING_H
#define DOMAIN_TOKEN_BINDING_H

#include "base/digest.h"
#include "base/json.h"
#include "domain/charter/terms.h"
#include "domain/token/reason.h"

/* What a token is bound to (cnf, RFC 7800): the thumbprint of a key (`jkt`, RFC 9449 §6) or
 * of a client certificate (`x5t#S256`, RFC 8705 §3.1).  Both are SHA-256. */
struct token_binding {
	enum binding kind;
	struct sha256 thumbprint; /* unless kind is NONE */
};

enum { TOKEN_THUMBPRINT_LETTERS = 43 };

/* Adds cnf to the claims; nothing where kind is NONE.  Errors: INVALID (a kind that is none),
 * those of the builder. */
bool token_binding_put(struct json_builder *claims, const struct token_binding *binding,
	struct error *err) MUST_CHECK;
/* Reads cnf of the claims: NONE without it.  BOUND: it says anything but exactly one of the
 * two, so that what binds in a way nobody here can check is not taken for a bearer token. */
enum token_reason token_binding_read(
	struct token_binding *out, const struct json *claims) MUST_CHECK;

bool token_binding_equal(const struct token_binding *a, const struct token_binding *b);

/* The digest that 43 letters of base64url are; false if they are none. */
bool token_thumbprint_parse(struct sha256 *out, struct text encoded) MUST_CHECK;

#endif
