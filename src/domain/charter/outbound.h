#ifndef DOMAIN_CHARTER_OUTBOUND_H
#define DOMAIN_CHARTER_OUTBOUND_H

#include <stdint.h>

#include "base/text.h"
#include "domain/charter/federation.h"

/* How remit comes to what a server is sent, where no secret is kept for it: it says who acts in
 * an identity token of its own, and a token service gives a provider token for that
 * (docs/federation-out.md).  Plain data. */

/* What a reference begins with that names a token service; no other reference does. */
#define OUTBOUND_REFERENCE "exchange:"

enum {
	OUTBOUND_PARAMETERS_MAX = 8,
	OUTBOUND_URL_BYTES_MAX = 400, /* so that "exchange:URL" is a reference (credential.h) */
	OUTBOUND_VALUE_BYTES_MAX = 512,
	OUTBOUND_NAME_BYTES_MAX = 64,
};

/* NONE: nothing is exchanged. */
enum outbound_grant {
	OUTBOUND_NONE = 0,
	OUTBOUND_TOKEN_EXCHANGE,   /* RFC 8693 */
	OUTBOUND_CLIENT_ASSERTION, /* RFC 7523 §2.2 */
	OUTBOUND_JWT_BEARER,       /* RFC 7523 §2.1 */
};

/* Zero is the default of each. */
enum outbound_token { OUTBOUND_TOKEN_DEFAULT = 0, OUTBOUND_TOKEN_JWT, OUTBOUND_TOKEN_ID };
enum outbound_body { OUTBOUND_BODY_DEFAULT = 0, OUTBOUND_BODY_FORM, OUTBOUND_BODY_JSON };

/* Whose a provider token is: nobody else's requests carry it.  NONE is nobody's. */
enum outbound_per {
	OUTBOUND_PER_NONE = 0,
	OUTBOUND_PER_SERVER, /* of an MCP server, whose connection all share */
	OUTBOUND_PER_IDENTITY,
	OUTBOUND_PER_TASK,
};

struct outbound_parameter {
	struct text name;
	struct text value;
};

struct outbound_exchange {
	enum outbound_grant grant;
	struct text url;       /* of the token service */
	struct text ca_file;   /* who answers for its certificate; empty: the system */
	struct text audience;  /* `aud` of the identity token, letter by letter */
	struct text target;    /* `audience` of a token exchange; empty: the same */
	struct text scope;     /* may be empty */
	struct text client_id; /* of a client assertion */
	enum outbound_token token_type;
	enum outbound_body body;
	const struct outbound_parameter *parameters; /* sent as they are */
	uint32_t parameters_count;
	enum outbound_per per;
	enum issuer_leave private_addresses; /* it may lie at one */
};

/* "token-exchange" ...; NULL for NONE. */
const char *outbound_grant_word(enum outbound_grant value);
/* "server" ...; NULL for NONE. */
const char *outbound_per_word(enum outbound_per value);

#endif
