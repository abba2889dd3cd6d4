/* Registered claims.  Times are range-checked when read, so no later sum of two
 * of them and a lifetime can overflow. */
#include "domain/token/claims.h"

#include <stddef.h>

enum { ABSENT = -1 };
#define TIME_UTC_S_MAX INT64_C(253402300799) /* the last second of year 9999 */

static enum token_reason read_text(struct text *out, const struct json *object, const char *name)
{
	const struct json *value = json_find(object, name);

	*out = (struct text){0};
	if (value == NULL)
		return TOKEN_ACCEPTED;
	if (value->type != JSON_STRING)
		return TOKEN_CLAIM_TYPE;
	if (value->string.length > TOKEN_NAME_BYTES_MAX)
		return TOKEN_CLAIM_TYPE;
	*out = value->string;
	return TOKEN_ACCEPTED;
}

static enum token_reason read_id(struct text *out, const struct json *object)
{
	enum token_reason reason = read_text(out, object, "jti");

	return reason == TOKEN_ACCEPTED && out->length > TOKEN_ID_BYTES_MAX ? TOKEN_ID : reason;
}

static enum token_reason read_time(int64_t *out, const struct json *object, const char *name)
{
	const struct json *value = json_find(object, name);

	*out = ABSENT;
	if (value == NULL)
		return TOKEN_ACCEPTED;
	if (value->type != JSON_INTEGER)
		return TOKEN_CLAIM_TYPE;
	if (value->integer < 0 || value->integer > TIME_UTC_S_MAX)
		return TOKEN_NUMBER_RANGE;
	*out = value->integer;
	return TOKEN_ACCEPTED;
}

/* A string, or an array of exactly one; several audiences are one too many. */
static enum token_reason read_audience(struct text *out, const struct json *object)
{
	const struct json *value = json_find(object, "aud");

	*out = (struct text){0};
	if (value == NULL)
		return TOKEN_ACCEPTED;
	if (value->type == JSON_ARRAY) {
		if (value->count != 1)
			return TOKEN_AUDIENCE;
		value = &value->items[0];
	}
	if (value->type != JSON_STRING)
		return TOKEN_CLAIM_TYPE;
	if (value->string.length > TOKEN_NAME_BYTES_MAX)
		return TOKEN_CLAIM_TYPE;
	*out = value->string;
	return TOKEN_ACCEPTED;
}

static enum token_reason first_fault(const enum token_reason *reasons, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (reasons[i] != TOKEN_ACCEPTED)
			return reasons[i];
	return TOKEN_ACCEPTED;
}

enum token_reason claims_read_but_audience(struct claims *out, const struct json *object)
{
	enum token_reason reasons[6];

	*out = (struct claims){
		.expires_utc_s = ABSENT, .not_before_utc_s = ABSENT, .issued_utc_s = ABSENT};
	if (object->type != JSON_OBJECT)
		return TOKEN_CLAIMS_JSON;
	reasons[0] = read_text(&out->issuer, object, "iss");
	reasons[1] = read_text(&out->subject, object, "sub");
	reasons[2] = read_id(&out->id, object);
	reasons[3] = read_time(&out->expires_utc_s, object, "exp");
	reasons[4] = read_time(&out->not_before_utc_s, object, "nbf");
	reasons[5] = read_time(&out->issued_utc_s, object, "iat");
	return first_fault(reasons, sizeof reasons / sizeof reasons[0]);
}

enum token_reason claims_read(struct claims *out, const struct json *object)
{
	enum token_reason reasons[2];

	reasons[0] = claims_read_but_audience(out, object);
	if (reasons[0] == TOKEN_CLAIMS_JSON)
		return reasons[0];
	reasons[1] = read_audience(&out->audience, object);
	return first_fault(reasons, sizeof reasons / sizeof reasons[0]);
}

static enum token_reason check_times(const struct claims *claims, const struct claims_rules *rules)
{
	int64_t latest = rules->now_utc_s + rules->skew_s;
	int64_t start = claims->issued_utc_s == ABSENT ? rules->now_utc_s : claims->issued_utc_s;

	/* ABSENT is below every moment, so it passes these two. */
	if (claims->not_before_utc_s > latest)
		return TOKEN_NOT_YET_VALID;
	if (claims->issued_utc_s > latest)
		return TOKEN_ISSUED_IN_FUTURE;
	if (claims->expires_utc_s == ABSENT)
		return TOKEN_EXPIRY_MISSING;
	if (claims->expires_utc_s + rules->skew_s <= rules->now_utc_s)
		return TOKEN_EXPIRED;
	if (claims->expires_utc_s - start > rules->lifetime_max_s)
		return TOKEN_LIFETIME;
	return TOKEN_ACCEPTED;
}

static bool is_met(enum claim_need need, struct text claim, struct text due)
{
	if (need == CLAIM_UNCHECKED)
		return true;
	if (claim.length == 0)
		return false;
	return need == CLAIM_PRESENT || text_equal(claim, due);
}

enum token_reason claims_check(const struct claims *claims, const struct claims_rules *rules)
{
	enum token_reason reason = check_times(claims, rules);

	if (reason != TOKEN_ACCEPTED)
		return reason;
	if (!is_met(rules->issuer_need, claims->issuer, rules->issuer))
		return TOKEN_ISSUER;
	if (!is_met(rules->subject_need, claims->subject, rules->subject))
		return TOKEN_SUBJECT;
	if (!is_met(rules->audience_need, claims->audience, rules->audience))
		return TOKEN_AUDIENCE;
	if (!is_met(rules->id_need, claims->id, (struct text){0}))
		return TOKEN_ID;
	return TOKEN_ACCEPTED;
}
