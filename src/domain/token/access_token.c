/* Access tokens of RFC 9068, ours alone: what one place writes the other reads. */
#include "domain/token/access_token.h"

#include "domain/token/claims.h"

/* RFC 9396 §9.1. */
static bool put_details(struct json_builder *claims, struct text details, struct error *err)
{
	struct json value;

	if (details.length == 0)
		return true;
	if (!json_parse(&value, claims->arena, details, &json_limits_default, err))
		return false;
	json_put(claims, "authorization_details", value);
	return true;
}

/* {"sub": NAME, "act": inner}. */
static bool party(struct json *out, struct arena *arena, struct text name, const struct json *inner)
{
	struct json_builder object;
	struct error err = {0};

	json_object_start(&object, arena);
	json_put_text(&object, "sub", name);
	if (inner != NULL)
		json_put(&object, "act", *inner);
	return json_object_seal(&object, out, &err);
}

/* The oldest actor is innermost, so it is made first. */
static bool put_actors(
	struct json_builder *claims, struct arena *arena, const struct access_token *token)
{
	struct json made[2];
	const struct json *inner = NULL;

	for (size_t i = token->actors_count; i-- > 0;) {
		struct json *out = &made[i % 2];

		if (!party(out, arena, token->actors[i], inner))
			return false;
		inner = out;
	}
	if (inner != NULL)
		json_put(claims, "act", *inner);
	return true;
}

static bool put_parties(struct json_builder *claims, struct arena *arena,
	const struct access_token *token, struct error *err)
{
	struct json may_act;

	if (token->actors_count > ACCESS_TOKEN_ACTORS_MAX ||
		(token->actors_count > 0 && !text_equal(token->actors[0], token->identity)))
		return error_set(err, ERROR_INVALID, "not the actors of an access token");
	if (!put_actors(claims, arena, token))
		return error_set(err, ERROR_LIMIT, "no memory for a token's actors");
	if (token->may_act.length == 0)
		return true;
	if (!party(&may_act, arena, token->may_act, NULL))
		return error_set(err, ERROR_LIMIT, "no memory for a token's actors");
	json_put(claims, "may_act", may_act);
	return true;
}

static bool put_subject(
	struct json_builder *claims, const struct access_token *token, struct error *err)
{
	struct text subject = token->principal.length > 0 ? token->principal : token->identity;

	if (token->person.length > 0) {
		if (token->actors_count == 0)
			return error_set(err, ERROR_INVALID, "nobody acts for the person");
		subject = text_format(
			claims->arena, ACCESS_TOKEN_PERSON "%.*s", TEXT_ARGS(token->person));
		if (subject.data == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for a token's subject");
	}
	json_put_text(claims, "sub", subject);
	return true;
}

bool access_token_claims(
	struct json *out, struct arena *arena, const struct access_token *token, struct error *err)
{
	struct json_builder claims;

	json_object_start(&claims, arena);
	json_put_text(&claims, "iss", token->issuer);
	if (!put_subject(&claims, token, err))
		return false;
	json_put_text(&claims, "client_id", token->identity);
	json_put_text(&claims, "aud", token->audience);
	json_put_text(&claims, "jti", token->id);
	json_put_text(&claims, "scope", token->scope);
	json_put_text(&claims, "task", token->task);
	json_put_integer(&claims, "epoch", token->epoch);
	json_put_cstring(&claims, "environment", environment_word(token->environment));
	json_put_integer(&claims, "iat", token->issued_utc_s);
	json_put_integer(&claims, "exp", token->expires_utc_s);
	return put_details(&claims, token->details, err) &&
	       put_parties(&claims, arena, token, err) &&
	       token_binding_put(&claims, &token->binding, err) &&
	       json_object_seal(&claims, out, err);
}

/* A party is an object with a name and, of an actor, whom it acts after; nothing else. */
static enum token_reason read_party(const struct json *value, struct text *out_name)
{
	const struct json *name = value->type == JSON_OBJECT ? json_find(value, "sub") : NULL;

	if (name == NULL || name->type != JSON_STRING || name->string.length == 0 ||
		name->string.length > TOKEN_NAME_BYTES_MAX)
		return TOKEN_CLAIM_TYPE;
	*out_name = name->string;
	return TOKEN_ACCEPTED;
}

static enum token_reason read_actors(struct access_token *out, const struct json *object)
{
	const struct json *act = json_find(object, "act");

	for (; act != NULL; act = json_find(act, "act")) {
		struct text *place = &out->actors[out->actors_count];

		if (out->actors_count == ACCESS_TOKEN_ACTORS_MAX)
			return TOKEN_CLAIM_TYPE;
		if (read_party(act, place) != TOKEN_ACCEPTED ||
			act->count != (json_find(act, "act") == NULL ? 1u : 2u))
			return TOKEN_CLAIM_TYPE;
		out->actors_count++;
	}
	return TOKEN_ACCEPTED;
}

/* Who acts is the outermost actor, or without one the subject itself. */
static enum token_reason read_parties(struct access_token *out, const struct json *object)
{
	const struct json *may_act = json_find(object, "may_act");
	enum token_reason reason = read_actors(out, object);

	if (reason != TOKEN_ACCEPTED)
		return reason;
	if (!text_equal(out->identity, out->actors_count > 0 ? out->actors[0] : out->principal))
		return TOKEN_SUBJECT;
	if (may_act == NULL)
		return TOKEN_ACCEPTED;
	reason = read_party(may_act, &out->may_act);
	return reason == TOKEN_ACCEPTED && may_act->count != 1 ? TOKEN_CLAIM_TYPE : reason;
}

static enum token_reason read_own(
	struct access_token *out, const struct claims *claims, const struct json *object)
{
	struct error err = {0};
	struct text environment;
	enum token_reason reason;

	if (!json_need_text(object, "client_id", &out->identity, &err) ||
		!json_need_text(object, "task", &out->task, &err) ||
		!json_need_integer(object, "epoch", &out->epoch, &err) ||
		!json_need_text(object, "scope", &out->scope, &err) ||
		!json_need_text(object, "environment", &environment, &err))
		return TOKEN_CLAIM_TYPE;
	if (claims->issued_utc_s < 0)
		return TOKEN_ISSUED_MISSING;
	out->environment = environment_of(environment);
	if (out->environment == ENVIRONMENT_NONE)
		return TOKEN_CLAIM_TYPE;
	reason = token_binding_read(&out->binding, object);
	if (reason != TOKEN_ACCEPTED)
		return reason;
	out->issuer = claims->issuer;
	out->principal = claims->subject;
	if (text_starts_with(out->principal, ACCESS_TOKEN_PERSON))
		out->person = text_after(out->principal, sizeof ACCESS_TOKEN_PERSON - 1);
	out->audience = claims->audience;
	out->id = claims->id;
	out->issued_utc_s = claims->issued_utc_s;
	out->expires_utc_s = claims->expires_utc_s;
	return read_parties(out, object);
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
