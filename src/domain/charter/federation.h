#ifndef DOMAIN_CHARTER_FEDERATION_H
#define DOMAIN_CHARTER_FEDERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/text.h"
#include "domain/charter/terms.h"

/* Whose word counts about who somebody is: an issuer is registered, and a rule of a
 * charter says which of its tokens are this identity (docs/federation.md).  Plain data; what
 * a token comes to is domain/federation's. */

enum {
	FEDERATION_RULES_MAX = 32,          /* of one charter */
	FEDERATION_CLAIMS_MAX = 16,         /* of one rule, beside the subject */
	FEDERATION_VALUE_BYTES_MAX = 512,   /* of a subject, a claim, an audience */
	FEDERATION_NAME_BYTES_MAX = 256,    /* of a claim, as a pointer too */
	FEDERATION_DEPTH_MAX = 8,           /* names in a pointer of a rule */
	ISSUER_URL_BYTES_MAX = 512,         /* as in a token: claims.h */
	ISSUER_PATH_BYTES_MAX = 1024,       /* of a file of keys */
	ISSUER_KEYS_BYTES_MAX = 256 * 1024, /* of a key source's answer */
	ISSUER_LIFETIME_S_MIN = 60,
	ISSUER_LIFETIME_S_MAX = 86400,
	ISSUER_LIFETIME_S_DEFAULT = 3600,
	SIGN_IN_REQUIRE_MAX = 16,      /* claims that an issuer requires of people */
	SIGN_IN_LIST_MAX = 8,          /* acr, amr, scopes */
	SIGN_IN_KEY_S_MIN = 5 * 60,    /* how long a key lasts that was enrolled by signing in */
	SIGN_IN_KEY_S_MAX = 24 * 3600, /* a day: whoever left is out by the next one */
	SIGN_IN_KEY_S_DEFAULT = 8 * 3600,
	SIGN_IN_MAX_AGE_S_MAX = 24 * 3600, /* since a person last proved who they are */
};

/* What its tokens look like, and what a rule must hold on to.  NONE speaks for nobody. */
enum issuer_speaks {
	ISSUER_SPEAKS_NONE = 0,
	ISSUER_SPEAKS_OIDC,
	ISSUER_SPEAKS_SPIFFE,
	ISSUER_SPEAKS_KUBERNETES,
	ISSUER_SPEAKS_GITHUB,
};

/* Where its keys lie.  NONE has none. */
enum issuer_source {
	ISSUER_SOURCE_NONE = 0,
	ISSUER_SOURCE_DISCOVERED, /* its OpenID configuration says where */
	ISSUER_SOURCE_JWKS_URL,
	ISSUER_SOURCE_BUNDLE_URL, /* SPIFFE */
	ISSUER_SOURCE_INLINE,
	ISSUER_SOURCE_FILE,
};

/* Whom an issuer's events may be about (docs/formats/security-events.md). */
enum issuer_subject {
	ISSUER_SUBJECT_NONE = 0,
	ISSUER_SUBJECT_PEOPLE,     /* persons, by email or what it calls them */
	ISSUER_SUBJECT_WORKLOADS,  /* whoever opened a task by its word, by their `sub` */
	ISSUER_SUBJECT_IDENTITIES, /* identities, by the name they have here */
};

/* Which security events of an issuer are taken; types 0: none. */
struct issuer_events {
	uint32_t types;         /* bits 1 << enum security_event_kind */
	uint32_t subjects;      /* bits 1 << enum issuer_subject */
	struct text audience;   /* that they must have; empty: remit's own URL */
	struct text poll;       /* where they are fetched; empty: they are pushed */
	struct text credential; /* reference to the token that is shown there; empty: none */
};

/* Zero is refused. */
enum issuer_leave { ISSUER_REFUSED = 0, ISSUER_ALLOWED };

/* A claim of an id_token and exactly what it must be: a text, a whole number, true or false. */
struct sign_in_claim {
	struct text name; /* as of a federation_claim */
	struct json is;
};

/* That people sign in through an issuer (OpenID Connect Core 1.0).  Without a client none do. */
struct issuer_people {
	struct text client; /* `aud` of its id_tokens: what it calls remit */
	struct text claim;  /* which one says who somebody is */
	const struct sign_in_claim *require;
	uint32_t require_count;
	int64_t key_lasts_s;    /* of a key that is enrolled by signing in */
	int64_t max_age_s;      /* since auth_time; 0: it is not looked at */
	const struct text *acr; /* one of them; none: it is not looked at */
	uint32_t acr_count;
	const struct text *amr; /* each of them */
	uint32_t amr_count;
	const struct text *scopes; /* asked for beside openid */
	uint32_t scopes_count;
};

struct issuer {
	struct text name;
	struct text unit;
	enum issuer_speaks speaks;
	struct text url; /* `iss` of its tokens; SPIFFE: may be empty */
	enum issuer_source source;
	struct text jwks_url;
	struct text bundle_url;
	struct json jwks; /* INLINE: an object */
	struct text file;
	struct text ca_file;      /* who answers for the source's certificate; empty: the system */
	uint32_t algorithms;      /* bits 1 << enum signature_algorithm */
	struct text audience;     /* that its tokens must have; empty: remit's own URL */
	int64_t lifetime_s;       /* the longest a token may live */
	struct text trust_domain; /* SPIFFE */
	enum issuer_leave private_addresses; /* its source may lie at one */
	enum issuer_leave reuse;             /* a token may be used until it ends */
	struct issuer_people people;
	struct issuer_events events;
};

/* A claim and what it must be: exactly one of is and prefix.  A name that begins with a
 * slash is a JSON pointer (RFC 6901) through objects, any other one member. */
struct federation_claim {
	struct text name;
	struct text is;
	struct text prefix;
};

/* Tokens of this issuer with this subject and these claims are the identity, in that
 * environment.  Exactly one of subject and subject_prefix. */
struct federation_rule {
	struct text issuer;
	enum environment environment;
	struct text subject;
	struct text subject_prefix;
	const struct federation_claim *claims;
	uint32_t claims_count;
};

/* "oidc" ...; NULL for NONE. */
const char *issuer_speaks_word(enum issuer_speaks value);
/* "discovered", "jwks-url", "bundle-url", "jwks", "file"; NULL for NONE. */
const char *issuer_source_word(enum issuer_source value);

#endif
