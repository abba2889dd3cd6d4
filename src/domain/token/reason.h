#ifndef DOMAIN_TOKEN_REASON_H
#define DOMAIN_TOKEN_REASON_H

/* Why a token is taken or refused.  One list gives the enum, the words of the
 * record and the reference, the layer that speaks, and the sentence for people. */

/* clang-format off */
#define TOKEN_REASONS(X) \
	X(TOKEN_NOT_CHECKED, "not_checked", NONE, "it was not checked") \
	X(TOKEN_ACCEPTED, "accepted", NONE, "it holds") \
	X(TOKEN_TOO_LARGE, "too_large", ENCODING, "it is larger than 16 KiB") \
	X(TOKEN_PARTS, "parts", ENCODING, "it is not three parts with two dots") \
	X(TOKEN_BASE64, "base64", ENCODING, "a part is not strict base64url") \
	X(TOKEN_SCHEME, "scheme", ENCODING, "the header does not carry the scheme") \
	X(TOKEN_HEADER_JSON, "header_json", JSON, "its header is not a strict JSON object") \
	X(TOKEN_CLAIMS_JSON, "claims_json", JSON, "its claims are not a strict JSON object") \
	X(TOKEN_ALGORITHM, "algorithm", HEADER, "its alg is missing, unknown or not the key's") \
	X(TOKEN_HEADER_MEMBER, "header_member", HEADER, \
		"its header has a member other than alg, kid, typ (a proof: alg, jwk, typ)") \
	X(TOKEN_TYPE, "type", HEADER, "its typ is not the one expected here") \
	X(TOKEN_KEY_ID, "key_id", HEADER, "its kid is malformed, or missing where needed") \
	X(TOKEN_KEY_UNKNOWN, "key_unknown", HEADER, "no registered key has this kid") \
	X(TOKEN_PROOF_KEY, "proof_key", HEADER, \
		"its jwk is missing or private, or not a public key that is taken here") \
	X(TOKEN_SIGNATURE, "signature", SIGNATURE, "the key did not sign this") \
	X(TOKEN_NUMBER_RANGE, "number_range", CLAIMS, "a number is out of range") \
	X(TOKEN_CLAIM_TYPE, "claim_type", CLAIMS, "a claim has the wrong type") \
	X(TOKEN_NOT_YET_VALID, "not_yet_valid", CLAIMS, "its nbf is in the future") \
	X(TOKEN_ISSUED_IN_FUTURE, "issued_in_future", CLAIMS, "its iat is in the future") \
	X(TOKEN_ISSUED_MISSING, "issued_missing", CLAIMS, "it has no iat") \
	X(TOKEN_TOO_OLD, "too_old", CLAIMS, "its iat is too long ago") \
	X(TOKEN_EXPIRY_MISSING, "expiry_missing", CLAIMS, "it has no exp") \
	X(TOKEN_EXPIRED, "expired", CLAIMS, "it is past its exp") \
	X(TOKEN_LIFETIME, "lifetime", CLAIMS, "it lives longer than allowed") \
	X(TOKEN_ISSUER, "issuer", CLAIMS, "its iss is not the one expected here") \
	X(TOKEN_SUBJECT, "subject", CLAIMS, "its sub is not the one expected here") \
	X(TOKEN_AUDIENCE, "audience", CLAIMS, "its aud is not exactly this place") \
	X(TOKEN_ID, "id", CLAIMS, "its jti is missing, empty or too long") \
	X(TOKEN_METHOD, "method", CLAIMS, "it was signed for another method") \
	X(TOKEN_TARGET, "target", CLAIMS, "it was signed for another address, path or query") \
	X(TOKEN_BODY, "body", CLAIMS, "it was signed for another body") \
	X(TOKEN_ACCESS, "access", CLAIMS, "its ath is not the digest of this access token") \
	X(TOKEN_PARTY, "party", CLAIMS, "its azp is not the client that it is for") \
	X(TOKEN_LOGIN_NONCE, "login_nonce", CLAIMS, "its nonce is not that of this sign-in") \
	X(TOKEN_LOGIN_AGE, "login_age", CLAIMS, \
		"they proved who they are too long ago, or its auth_time does not say when") \
	X(TOKEN_LOGIN_WAY, "login_way", CLAIMS, \
		"they did not prove who they are in the way that is asked for (acr, amr)") \
	X(TOKEN_LOGIN_CLAIM, "login_claim", CLAIMS, \
		"a claim that is asked for is missing or another one") \
	X(TOKEN_BOUND, "bound", CLAIMS, "its cnf binds it in no way that is known here") \
	X(TOKEN_PERSON, "person", STATE, "it is of nobody who signs in here") \
	X(TOKEN_KEY_OVER, "key_over", STATE, "the key has ended: sign in again (remit login)") \
	X(TOKEN_REPLAYED, "replayed", STATE, "it was used before") \
	X(TOKEN_NONCE, "nonce", STATE, "it lacks the nonce of this answer: sign again with it") \
	X(TOKEN_PROOF, "proof", STATE, "the DPoP proof that came with it does not hold") \
	X(TOKEN_PROOF_MISSING, "proof_missing", STATE, \
		"it is bound to a key: send it as DPoP, with one proof by that key") \
	X(TOKEN_PROOF_UNDUE, "proof_undue", STATE, \
		"it is not bound to a key: send it as a Bearer token") \
	X(TOKEN_PROOF_OTHER, "proof_other", STATE, \
		"another key than the token's signed the proof") \
	X(TOKEN_CERTIFICATE, "certificate", STATE, \
		"it is bound to another client certificate than this connection's") \
	X(TOKEN_UNBOUND, "unbound", STATE, \
		"it is not bound as its charter asks: get one with DPoP or a client certificate") \
	X(TOKEN_BEFORE_START, "before_start", STATE, \
		"it was signed before, or in the second in which, the daemon started: sign again") \
	X(TOKEN_TASK_UNKNOWN, "task_unknown", STATE, "its task is not known") \
	X(TOKEN_TASK_NOT_LIVE, "task_not_live", STATE, "its task was ended, revoked or is over") \
	X(TOKEN_IDENTITY_NOT_ACTIVE, "identity_not_active", STATE, "its identity is not active") \
	X(TOKEN_PERSON_NOT_ACTIVE, "person_not_active", STATE, \
	  "the person it acts for is gone, or its charter does not act for them") \
	X(TOKEN_FOR_EXCHANGE, "for_exchange", STATE, \
	  "it was handed on to be exchanged, and opens nothing itself") \
	X(TOKEN_NO_ROOM, "no_room", STATE, "there was no memory or place to check it")
/* clang-format on */

/* Only ACCEPTED is a yes. */
enum token_reason {
#define TOKEN_REASON_MEMBER(name, word, layer, meaning) name,
	TOKEN_REASONS(TOKEN_REASON_MEMBER)
#undef TOKEN_REASON_MEMBER
		TOKEN_REASON_COUNT
};

/* Which layer spoke, from outside to inside. */
enum token_layer {
	TOKEN_LAYER_NONE = 0,
	TOKEN_LAYER_ENCODING,
	TOKEN_LAYER_JSON,
	TOKEN_LAYER_HEADER,
	TOKEN_LAYER_SIGNATURE,
	TOKEN_LAYER_CLAIMS,
	TOKEN_LAYER_STATE,
};

/* "expired"; never NULL. */
const char *token_reason_word(enum token_reason reason);
/* "it is past its exp"; never NULL. */
const char *token_reason_meaning(enum token_reason reason);
enum token_layer token_reason_layer(enum token_reason reason);
/* "none", "encoding" ... "state". */
const char *token_layer_word(enum token_layer layer);

#endif
