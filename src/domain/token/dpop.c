/* DPoP proofs, from the outside inwards: form, key, signature, then what it is for. */
#include "domain/token/dpop.h"

#include <string.h>
#include <strings.h>

#include "domain/token/binding.h"
#include "domain/token/claims.h"
#include "domain/token/jwk.h"

static enum token_reason read_text(
	struct text *out, const struct json *claims, const char *name, size_t bytes_max)
{
	const struct json *value = json_find(claims, name);

	*out = (struct text){0};
	if (value == NULL)
		return TOKEN_ACCEPTED;
	if (value->type != JSON_STRING || value->string.length > bytes_max)
		return TOKEN_CLAIM_TYPE;
	*out = value->string;
	return TOKEN_ACCEPTED;
}

static enum token_reason read_own(struct dpop_proof *out)
{
	const struct json *claims = &out->jws.claims;
	enum token_reason reason = read_text(&out->method, claims, "htm", TOKEN_NAME_BYTES_MAX);

	if (reason == TOKEN_ACCEPTED)
		reason = read_text(&out->url, claims, "htu", DPOP_URL_BYTES_MAX);
	if (reason == TOKEN_ACCEPTED)
		reason = read_text(&out->nonce, claims, "nonce", TOKEN_NAME_BYTES_MAX);
	if (reason == TOKEN_ACCEPTED)
		reason = read_text(&out->access, claims, "ath", TOKEN_NAME_BYTES_MAX);
	return reason;
}

enum token_reason dpop_parse(struct dpop_proof *out, struct arena *arena, struct text compact)
{
	static const char *const types[] = {DPOP_TYPE, NULL};
	const struct jws_rules rules = {.types = types, .type_need = JWS_TYPE_OF_PROOF};
	struct claims claims;
	enum token_reason reason;

	*out = (struct dpop_proof){0};
	if (compact.length > DPOP_BYTES_MAX)
		return TOKEN_TOO_LARGE;
	reason = jws_parse(&out->jws, arena, compact, &rules);
	if (reason == TOKEN_ACCEPTED)
		reason = claims_read(&claims, &out->jws.claims);
	if (reason == TOKEN_ACCEPTED)
		reason = read_own(out);
	if (reason != TOKEN_ACCEPTED)
		return reason;
	if (claims.id.length == 0)
		return TOKEN_ID;
	if (claims.issued_utc_s < 0)
		return TOKEN_ISSUED_MISSING;
	out->id = claims.id;
	out->issued_utc_s = claims.issued_utc_s;
	out->expires_utc_s = claims.expires_utc_s;
	out->not_before_utc_s = claims.not_before_utc_s;
	return TOKEN_ACCEPTED;
}

enum token_reason dpop_key(struct public_key **out, const struct dpop_proof *proof)
{
	struct error err = {0};

	if (jwk_parse_as(out, &proof->jws.key, proof->jws.algorithm, &err))
		return TOKEN_ACCEPTED;
	return err.code == ERROR_LIMIT ? TOKEN_NO_ROOM : TOKEN_PROOF_KEY;
}

static enum token_reason check_times(const struct dpop_proof *proof, int64_t now_utc_s)
{
	if (proof->issued_utc_s > now_utc_s + DPOP_WINDOW_S)
		return TOKEN_ISSUED_IN_FUTURE;
	if (proof->issued_utc_s < now_utc_s - DPOP_WINDOW_S)
		return TOKEN_TOO_OLD;
	/* Nothing asks for these two; who writes them means them. */
	if (proof->expires_utc_s >= 0 && proof->expires_utc_s + TOKEN_SKEW_S <= now_utc_s)
		return TOKEN_EXPIRED;
	if (proof->not_before_utc_s > now_utc_s + TOKEN_SKEW_S)
		return TOKEN_NOT_YET_VALID;
	return TOKEN_ACCEPTED;
}

static bool is_for_token(const struct dpop_proof *proof, struct text token)
{
	struct sha256 due, claimed;

	if (token.length == 0)
		return true;
	due = sha256_of(token.data, token.length);
	return token_thumbprint_parse(&claimed, proof->access) && sha256_equal(&claimed, &due);
}

enum token_reason dpop_check(const struct dpop_proof *proof, const struct public_key *key,
	const struct dpop_request *request, int64_t now_utc_s)
{
	enum token_reason reason = jws_verify(&proof->jws, key);

	if (reason != TOKEN_ACCEPTED)
		return reason;
	/* A method's letter case counts (RFC 9110 §9.1). */
	if (request->method.length == 0 || !text_equal(proof->method, request->method))
		return TOKEN_METHOD;
	if (!dpop_is_same_url(proof->url, request->url))
		return TOKEN_TARGET;
	reason = check_times(proof, now_utc_s);
	if (reason != TOKEN_ACCEPTED)
		return reason;
	return is_for_token(proof, request->token) ? TOKEN_ACCEPTED : TOKEN_ACCESS;
}
