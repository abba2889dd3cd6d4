/* In the order of OpenID Connect Core 1.0 §3.1.3.7: signature, iss, times, aud, azp, nonce, acr,
 * auth_time; then what the registered issuer asks for. */
#include "domain/federation/id_token.h"

#include "domain/federation/match.h"

static const char *const types[] = {"JWT", NULL};
/* Says by which certificate it was signed: Entra. */
static const char *const ignored[] = {"x5t", "x5t#S256", NULL};

enum token_reason id_token_read(struct id_token *out, struct arena *arena, struct text compact)
{
	const struct jws_rules rules = {
		.types = types, .type_need = JWS_TYPE_OPTIONAL, .ignored = ignored};
	enum token_reason reason;

	*out = (struct id_token){0};
	reason = jws_parse(&out->jws, arena, compact, &rules);
	return reason == TOKEN_ACCEPTED ? claims_read_but_audience(&out->claims, &out->jws.claims)
					: reason;
}

static bool is_text(const struct json *value, struct text due)
{
	return value != NULL && value->type == JSON_STRING && due.length > 0 &&
	       text_equal(value->string, due);
}

static bool holds(const struct json *list, struct text due)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (is_text(&list->items[i], due))
			return true;
	return false;
}

/* The client is among those it is for; with others, azp must say that it is meant. */
static enum token_reason check_audience(const struct json *claims, struct text client)
{
	const struct json *audience = json_find(claims, "aud");
	const struct json *party = json_find(claims, "azp");
	bool is_list = audience != NULL && audience->type == JSON_ARRAY;

	if (is_list ? audience->count > ID_TOKEN_AUDIENCES_MAX || !holds(audience, client)
		    : !is_text(audience, client))
		return TOKEN_AUDIENCE;
	if (party == NULL)
		return is_list && audience->count > 1 ? TOKEN_PARTY : TOKEN_ACCEPTED;
	return is_text(party, client) ? TOKEN_ACCEPTED : TOKEN_PARTY;
}

static enum token_reason check_times(const struct id_token *token, int64_t now_utc_s)
{
	if (token->claims.issued_utc_s < 0)
		return TOKEN_ISSUED_MISSING;
	return token->claims.issued_utc_s < now_utc_s - ID_TOKEN_AGE_S_MAX ? TOKEN_TOO_OLD
									   : TOKEN_ACCEPTED;
}

static enum token_reason check_age(const struct json *claims, const struct id_token_rules *rules)
{
	const struct json *since = json_find(claims, "auth_time");
	int64_t max_age_s = rules->issuer->people.max_age_s;

	if (max_age_s == 0)
		return TOKEN_ACCEPTED;
	if (since == NULL || since->type != JSON_INTEGER || since->integer < 0 ||
		since->integer > rules->now_utc_s + TOKEN_SKEW_S ||
		since->integer < rules->now_utc_s - max_age_s - TOKEN_SKEW_S)
		return TOKEN_LOGIN_AGE;
	return TOKEN_ACCEPTED;
}

/* One of the classes, and every method, that the issuer's document lists. */
static enum token_reason check_way(const struct json *claims, const struct issuer_people *people)
{
	const struct json *acr = json_find(claims, "acr"), *amr = json_find(claims, "amr");
	bool is_met = people->acr_count == 0;

	for (uint32_t i = 0; i < people->acr_count; i++)
		is_met = is_met || is_text(acr, people->acr[i]);
	for (uint32_t i = 0; i < people->amr_count; i++)
		is_met = is_met && amr != NULL && amr->type == JSON_ARRAY &&
			 holds(amr, people->amr[i]);
	return is_met ? TOKEN_ACCEPTED : TOKEN_LOGIN_WAY;
}

static bool is_value(const struct json *value, const struct json *due)
{
	if (value == NULL || value->type != due->type)
		return false;
	if (due->type == JSON_STRING)
		return text_equal(value->string, due->string);
	if (due->type == JSON_BOOLEAN)
		return value->boolean == due->boolean;
	return due->type == JSON_INTEGER && value->integer == due->integer;
}

static enum token_reason check_required(
	const struct json *claims, const struct issuer_people *people)
{
	for (uint32_t i = 0; i < people->require_count; i++)
		if (!is_value(federation_find_claim(claims, people->require[i].name),
			    &people->require[i].is))
			return TOKEN_LOGIN_CLAIM;
	return TOKEN_ACCEPTED;
}

static enum token_reason check_login(
	const struct id_token *token, const struct id_token_rules *rules)
{
	const struct json *claims = &token->jws.claims;
	enum token_reason reason = check_times(token, rules->now_utc_s);

	if (reason == TOKEN_ACCEPTED)
		reason = check_audience(claims, rules->issuer->people.client);
	if (reason == TOKEN_ACCEPTED && !is_text(json_find(claims, "nonce"), rules->nonce))
		reason = TOKEN_LOGIN_NONCE;
	if (reason == TOKEN_ACCEPTED)
		reason = check_age(claims, rules);
	if (reason == TOKEN_ACCEPTED)
		reason = check_way(claims, &rules->issuer->people);
	return reason == TOKEN_ACCEPTED ? check_required(claims, &rules->issuer->people) : reason;
}

static enum token_reason take_name(
	const struct id_token *token, const struct issuer *issuer, struct text *name)
{
	const struct json *value = federation_find_claim(&token->jws.claims, issuer->people.claim);

	if (value == NULL || value->type != JSON_STRING || value->string.length == 0 ||
		value->string.length > FEDERATION_VALUE_BYTES_MAX)
		return TOKEN_PERSON;
	*name = value->string;
	return TOKEN_ACCEPTED;
}

enum token_reason id_token_check(const struct id_token *token, const struct public_key *key,
	const struct id_token_rules *rules, struct text *name)
{
	const struct claims_rules common = {
		.now_utc_s = rules->now_utc_s,
		.skew_s = TOKEN_SKEW_S,
		.lifetime_max_s = rules->issuer->lifetime_s,
		.issuer = rules->issuer->url,
		.subject_need = CLAIM_PRESENT,
		.audience_need = CLAIM_UNCHECKED, /* check_audience */
		.id_need = CLAIM_UNCHECKED,
	};
	enum token_reason reason = jws_verify(&token->jws, key);

	*name = TEXT("");
	if (reason == TOKEN_ACCEPTED)
		reason = claims_check(&token->claims, &common);
	if (reason == TOKEN_ACCEPTED)
		reason = check_login(token, rules);
	return reason == TOKEN_ACCEPTED ? take_name(token, rules->issuer, name) : reason;
}

int64_t id_token_useless_utc_s(const struct id_token *token)
{
	int64_t aged = token->claims.issued_utc_s + ID_TOKEN_AGE_S_MAX + 1;
	int64_t ended = token->claims.expires_utc_s + TOKEN_SKEW_S;

	return aged < ended ? aged : ended;
}
