/* Access tokens of RFC 9068, ours alone: what one place writes the other reads. */
#include "domain/token/access_token.h"

#include "domain/token/claims.h"

bool access_token_claims(
	struct json *out, struct arena *arena, const struct access_token *token, struct error *err)
{
	struct json_builder claims;

	json_object_start(&claims, arena);
	json_put_text(&claims, "iss", token->issuer);
	json_put_text(&claims, "sub", token->identity);
	json_put_text(&claims, "client_id", token->identity);
	json_put_text(&claims, "aud", token->audience);
	json_put_text(&claims, "jti", token->id);
	json_put_text(&claims, "scope", token->scope);
	json_put_text(&claims, "task", token->task);
	json_put_cstring(&claims, "environment", environment_word(token->environment));
	json_put_integer(&claims, "iat", token->issued_utc_s);
	json_put_integer(&claims, "exp", token->expires_utc_s);
	return token_binding_put(&claims, &token->binding, err) &&
	       json_object_seal(&claims, out, err);
}

static enum token_reason read_own(
	struct access_token *out, const struct claims *claims, const struct json *object)
{
	struct error err = {0};
	struct text client, environment;
	enum token_reason reason;

	if (!json_need_text(object, "client_id", &client, &err) ||
		!json_need_text(object, "task", &out->task, &err) ||
		!json_need_text(object, "scope", &out->scope, &err) ||
		!json_need_text(object, "environment", &environment, &err))
		return TOKEN_CLAIM_TYPE;
	if (claims->issued_utc_s < 0)
		return TOKEN_ISSUED_MISSING;
	if (!text_equal(client, claims->subject))
		return TOKEN_SUBJECT;
	out->environment = environment_of(environment);
	if (out->environment == ENVIRONMENT_NONE)
		return TOKEN_CLAIM_TYPE;
	reason = token_binding_read(&out->binding, object);
	if (reason != TOKEN_ACCEPTED)
		return reason;
	out->issuer = claims->issuer;
	out->identity = claims->subject;
	out->audience = claims->audience;
	out->id = claims->id;
	out->issued_utc_s = claims->issued_utc_s;
	out->expires_utc_s = claims->expires_utc_s;
	return TOKEN_ACCEPTED;
}

enum token_reason access_token_check(struct access_token *out, struct arena *arena,
	struct text compact, const struct public_key *key, const struct access_token_rules *rules)
{
	static const char *const types[] = {ACCESS_TOKEN_TYPE, NULL};
	const struct jws_rules header = {.types = types};
	/* Our own clock wrote these times: exp gets no grace, and iat is held
	 * against a clock that may have been set back a little. */
	struct claims_rules strict = {
		.now_utc_s = rules->now_utc_s,
		.lifetime_max_s = rules->lifetime_max_s,
		.issuer = rules->issuer,
		.subject_need = CLAIM_PRESENT,
		.audience = rules->audience,
		.id_need = CLAIM_PRESENT,
	};
	struct claims claims;
	struct jws jws;
	enum token_reason reason = jws_parse(&jws, arena, compact, &header);

	*out = (struct access_token){0};
	if (reason == TOKEN_ACCEPTED)
		reason = jws_verify(&jws, key);
	if (reason == TOKEN_ACCEPTED)
		reason = claims_read(&claims, &jws.claims);
	if (reason != TOKEN_ACCEPTED)
		return reason;
	reason = claims_check(&claims, &strict);
	if (reason == TOKEN_ISSUED_IN_FUTURE &&
		claims.issued_utc_s <= rules->now_utc_s + TOKEN_SKEW_S) {
		strict.now_utc_s = claims.issued_utc_s;
		reason = claims_check(&claims, &strict);
	}
	return reason == TOKEN_ACCEPTED ? read_own(out, &claims, &jws.claims) : reason;
}
