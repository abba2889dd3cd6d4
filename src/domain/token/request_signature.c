/* Signed requests of persons: built by the command line, checked by the API.
 * The body's digest is always there, so a request without a body is bound to
 * having none. */
#include "domain/token/request_signature.h"

#include "base/base64.h"
#include "base/digest.h"
#include "base/random.h"
#include "domain/token/claims.h"
#include "domain/token/jwk.h"

enum { CLAIMS_ARENA_BYTES_MAX = 64 * 1024, BODY_DIGEST_LETTERS = 43 };

static const char scheme[] = REQUEST_SIGNATURE_SCHEME " ";

enum token_reason request_signature_parse(
	struct request_signature *out, struct arena *arena, struct text authorization)
{
	static const char *const types[] = {REQUEST_SIGNATURE_TYPE, NULL};
	const struct jws_rules rules = {.types = types};
	struct claims claims;
	struct text compact;
	enum token_reason reason;

	*out = (struct request_signature){0};
	if (!text_starts_with(authorization, scheme))
		return TOKEN_SCHEME;
	compact = (struct text){
		authorization.data + sizeof scheme - 1, authorization.length - (sizeof scheme - 1)};
	reason = jws_parse(&out->jws, arena, compact, &rules);
	if (reason == TOKEN_ACCEPTED)
		reason = claims_read(&claims, &out->jws.claims);
	if (reason != TOKEN_ACCEPTED)
		return reason;
	if (out->jws.key_id.data == NULL)
		return TOKEN_KEY_ID;
	if (claims.issuer.length == 0)
		return TOKEN_ISSUER;
	if (claims.id.length == 0)
		return TOKEN_ID;
	if (claims.issued_utc_s < 0)
		return TOKEN_ISSUED_MISSING;
	out->person = claims.issuer;
	out->key_id = out->jws.key_id;
	out->id = claims.id;
	out->issued_utc_s = claims.issued_utc_s;
	return TOKEN_ACCEPTED;
}

static bool is_claim(const struct json *claims, const char *name, struct text due)
{
	const struct json *value = json_find(claims, name);

	return value != NULL && value->type == JSON_STRING && text_equal(value->string, due);
}

static bool is_body(const struct json *claims, struct text body)
{
	const struct json *value = json_find(claims, "body");
	struct sha256 digest = sha256_of(body.data, body.length);
	struct sha256 claimed;
	size_t size = 0;

	return value != NULL && value->type == JSON_STRING &&
	       value->string.length == BODY_DIGEST_LETTERS &&
	       base64url_decode(value->string, claimed.bytes, sizeof claimed.bytes, &size) &&
	       size == sizeof claimed.bytes && sha256_equal(&claimed, &digest);
}

enum token_reason request_signature_check(const struct request_signature *signature,
	const struct public_key *key, const struct signed_request *request, int64_t now_utc_s)
{
	const struct json *claims = &signature->jws.claims;
	enum token_reason reason = jws_verify(&signature->jws, key);

	if (reason != TOKEN_ACCEPTED)
		return reason;
	if (signature->issued_utc_s > now_utc_s + REQUEST_SIGNATURE_WINDOW_S)
		return TOKEN_ISSUED_IN_FUTURE;
	if (signature->issued_utc_s < now_utc_s - REQUEST_SIGNATURE_WINDOW_S)
		return TOKEN_TOO_OLD;
	if (request->audience.length == 0 || !is_claim(claims, "aud", request->audience))
		return TOKEN_AUDIENCE;
	if (!is_claim(claims, "htm", request->method))
		return TOKEN_METHOD;
	if (!is_claim(claims, "htu", request->url))
		return TOKEN_TARGET;
	return is_body(claims, request->body) ? TOKEN_ACCEPTED : TOKEN_BODY;
}

static bool make_claims(struct json *out, struct arena *arena, struct text person,
	const struct signed_request *request, int64_t now_utc_s, struct error *err)
{
	struct sha256 digest = sha256_of(request->body.data, request->body.length);
	char id[RANDOM_ID_BYTES];
	struct json_builder claims;

	random_id(id, "");
	json_object_start(&claims, arena);
	json_put_text(&claims, "iss", person);
	json_put_text(&claims, "aud", request->audience);
	json_put_text(&claims, "htm", request->method);
	json_put_text(&claims, "htu", request->url);
	json_put_integer(&claims, "iat", now_utc_s);
	json_put_text(&claims, "jti", text_copy(arena, text_of(id)));
	json_put_text(&claims, "body", base64url_text(arena, digest.bytes, sizeof digest.bytes));
	return json_object_seal(&claims, out, err);
}

bool request_signature_build(struct buffer *out, const struct private_key *key, struct text person,
	const struct signed_request *request, int64_t now_utc_s, struct error *err)
{
	struct arena *arena = arena_create(CLAIMS_ARENA_BYTES_MAX);
	char thumbprint[JWK_THUMBPRINT_BYTES];
	struct json claims;
	bool is_ok = false;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a signature");
	if (!jwk_thumbprint(thumbprint, private_key_public(key), err) ||
		!make_claims(&claims, arena, person, request, now_utc_s, err))
		goto done;
	buffer_append_string(out, scheme);
	is_ok = jws_sign(out, key, REQUEST_SIGNATURE_TYPE, text_of(thumbprint), &claims, err);
done:
	arena_destroy(&arena);
	return is_ok;
}
