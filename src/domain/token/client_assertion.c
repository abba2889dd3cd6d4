/* Client assertions of RFC 7523: read, checked, and built for our own clients. */
#include "domain/token/client_assertion.h"

#include "base/random.h"
#include "domain/token/jwk.h"

enum { CLAIMS_ARENA_BYTES_MAX = 16 * 1024 };

static enum token_reason parse(struct client_assertion *out, struct arena *arena,
	struct text compact, const char *const types[])
{
	const struct jws_rules rules = {.types = types, .type_need = JWS_TYPE_OPTIONAL};
	enum token_reason reason = jws_parse(&out->jws, arena, compact, &rules);

	return reason == TOKEN_ACCEPTED ? claims_read(&out->claims, &out->jws.claims) : reason;
}

enum token_reason client_assertion_parse(
	struct client_assertion *out, struct arena *arena, struct text compact)
{
	static const char *const types[] = {"JWT", "client-authentication+jwt", NULL};

	return parse(out, arena, compact, types);
}

enum token_reason grant_assertion_parse(
	struct client_assertion *out, struct arena *arena, struct text compact)
{
	static const char *const types[] = {"JWT", "authorization-grant+jwt", NULL};

	return parse(out, arena, compact, types);
}

enum token_reason client_assertion_check(const struct client_assertion *assertion,
	const struct public_key *key, struct text client, struct text issuer, int64_t now_utc_s)
{
	const struct claims_rules rules = {
		.now_utc_s = now_utc_s,
		.skew_s = TOKEN_SKEW_S,
		.lifetime_max_s = CLIENT_ASSERTION_LIFETIME_MAX_S,
		.issuer = client,
		.subject = client,
		.audience = issuer,
		.id_need = CLAIM_PRESENT,
	};
	enum token_reason reason = jws_verify(&assertion->jws, key);

	return reason == TOKEN_ACCEPTED ? claims_check(&assertion->claims, &rules) : reason;
}

bool client_assertion_build(struct buffer *out, const struct private_key *key, struct text client,
	struct text issuer, int64_t now_utc_s, struct error *err)
{
	struct arena *arena = arena_create(CLAIMS_ARENA_BYTES_MAX);
	char thumbprint[JWK_THUMBPRINT_BYTES];
	char id[RANDOM_ID_BYTES];
	struct json_builder claims;
	struct json object;
	bool is_ok = false;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an assertion");
	if (!jwk_thumbprint(thumbprint, private_key_public(key), err))
		goto done;
	random_id(id, "");
	json_object_start(&claims, arena);
	json_put_text(&claims, "iss", client);
	json_put_text(&claims, "sub", client);
	json_put_text(&claims, "aud", issuer);
	json_put_cstring(&claims, "jti", id);
	json_put_integer(&claims, "iat", now_utc_s);
	json_put_integer(&claims, "exp", now_utc_s + CLIENT_ASSERTION_LIFETIME_S);
	is_ok = json_object_seal(&claims, &object, err) &&
		jws_sign(out, key, "JWT", text_of(thumbprint), &object, err);
done:
	arena_destroy(&arena);
	return is_ok;
}
