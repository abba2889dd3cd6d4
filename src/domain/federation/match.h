#ifndef DOMAIN_FEDERATION_MATCH_H
#define DOMAIN_FEDERATION_MATCH_H

#include "base/json.h"
#include "domain/charter/federation.h"

/* Whether what an issuer says of somebody is what a rule wants.  Pure; the signature, the
 * audience and the times were looked at before. */

/* clang-format off */
#define FEDERATION_REASONS(X) \
	X(FEDERATION_NOT_CHECKED, "not_checked", "it was not checked") \
	X(FEDERATION_MATCHED, "matched", "the rule is met") \
	X(FEDERATION_VOID, "void", "the rule lacks what its issuer's kind needs") \
	X(FEDERATION_SUBJECT, "subject", "its subject is another one") \
	X(FEDERATION_CLAIM_MISSING, "claim_missing", "a claim of the rule is missing") \
	X(FEDERATION_CLAIM_TYPE, "claim_type", "a claim of the rule is no text") \
	X(FEDERATION_CLAIM, "claim", "a claim of the rule is another one")
/* clang-format on */

/* Only MATCHED is a yes. */
enum federation_reason {
#define FEDERATION_REASON_MEMBER(name, word, meaning) name,
	FEDERATION_REASONS(FEDERATION_REASON_MEMBER)
#undef FEDERATION_REASON_MEMBER
		FEDERATION_REASON_COUNT
};
/* Never NULL. */
const char *federation_reason_word(enum federation_reason reason);
const char *federation_reason_meaning(enum federation_reason reason);

/* What a proof says: subject is `sub`, or a certificate's SPIFFE ID; claims may be NULL,
 * where there are none. */
enum federation_reason federation_match(const struct issuer *issuer,
	const struct federation_rule *rule, struct text subject,
	const struct json *claims) MUST_CHECK;

/* The value of a claim, by one member's name or, with a slash in front, a JSON pointer through
 * objects; NULL: there is none. */
const struct json *federation_find_claim(const struct json *claims, struct text name);

#endif
