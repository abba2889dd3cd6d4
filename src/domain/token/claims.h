#ifndef DOMAIN_TOKEN_CLAIMS_H
#define DOMAIN_TOKEN_CLAIMS_H

#include <stdint.h>

#include "base/json.h"
#include "base/text.h"
#include "domain/token/reason.h"

/* The registered claims (RFC 7519 §4.1): read with exact types, then held
 * against what one place requires. */

enum {
	TOKEN_SKEW_S = 60,
	TOKEN_ID_BYTES_MAX = 128,
	TOKEN_NAME_BYTES_MAX = 512, /* iss, sub, aud */
};

/* Borrowed.  Texts have .data NULL, times are -1, where the claim is absent. */
struct claims {
	struct text issuer;
	struct text subject;
	struct text audience; /* a string, or an array of exactly one */
	struct text id;
	int64_t expires_utc_s;
	int64_t not_before_utc_s;
	int64_t issued_utc_s;
};

/* ACCEPTED if every registered claim that is there has its type and range:
 * times are integers from 0 to the end of year 9999. */
enum token_reason claims_read(struct claims *out, const struct json *object) MUST_CHECK;

/* The same, whatever the audience is: it is left out. */
enum token_reason claims_read_but_audience(
	struct claims *out, const struct json *object) MUST_CHECK;

/* Zero is the strictest: the claim must be there and equal the rule's text,
 * which no claim does when it is empty. */
enum claim_need {
	CLAIM_EQUAL = 0,
	CLAIM_PRESENT, /* any text that is not empty */
	CLAIM_UNCHECKED,
};

struct claims_rules {
	int64_t now_utc_s;
	int64_t skew_s; /* for exp: refused at exp + skew; nbf, iat: later than now + skew */
	int64_t lifetime_max_s; /* exp - iat (without iat: exp - now), at most */
	enum claim_need issuer_need;
	struct text issuer;
	enum claim_need subject_need;
	struct text subject;
	enum claim_need audience_need;
	struct text audience;
	enum claim_need id_need; /* EQUAL never holds: use PRESENT */
};

/* ACCEPTED if the claims hold at the rules' moment.  exp is always required. */
enum token_reason claims_check(
	const struct claims *claims, const struct claims_rules *rules) MUST_CHECK;

#endif
