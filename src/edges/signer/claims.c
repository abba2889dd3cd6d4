/* What the signer lets a token say: one row a claim.  A claim without a row is not signed,
 * so whoever adds one to our tokens adds its row here. */
#include <string.h>

#include "base/random.h"
#include "domain/charter/form.h"
#include "domain/task/task.h"
#include "domain/token/access_token.h"
#include "domain/token/claims.h"
#include "edges/signer/signer_private.h"

enum {
	CLAIM_DETAILS_MAX = 64, /* of authorization_details */
	CLAIM_MAY_ACT_MEMBERS_MAX = 8,
	CLAIM_CONFIRMATION_BYTES = 43, /* base64url of 32 bytes */
};

typedef bool check_claim(const struct signer *signer, const struct json *value);

/* ---- places ---- */

bool signer_is_issuer(struct text issuer)
{
	return issuer.length > 0 && issuer.length < SIGNER_ISSUER_BYTES_MAX &&
	       !text_ends_with(issuer, "/") &&
	       (text_starts_with(issuer, "http://") || text_starts_with(issuer, "https://"));
}

/* A plain name below the folder of the issuer. */
static bool is_below(struct text rest, const char *folder)
{
	size_t length = strlen(folder);

	return text_starts_with(rest, folder) && name_is_plain(text_after(rest, length));
}

/* The issuer's own decision point, or what has a door below it. */
static bool is_audience(const char *issuer, struct text audience)
{
	static const char *const folders[] = {"/mcp/", "/llm/", "/a2a/", "/applications/"};
	size_t length = strlen(issuer);
	struct text rest;

	if (audience.length < length || memcmp(audience.data, issuer, length) != 0)
		return false;
	rest = text_after(audience, length);
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
		if (is_below(rest, folders[i]))
			return true;
	return rest.length == 0;
}

static bool check_issuer(const struct signer *signer, const struct json *value)
{
	return signer->issuer[0] != '\0' && text_is(value->string, signer->issuer);
}

static bool check_audience(const struct signer *signer, const struct json *value)
{
	return is_audience(signer->issuer, value->string);
}

/* ---- who, and what for ---- */

static bool check_name(const struct signer *signer, const struct json *value)
{
	(void)signer;
	return name_is_plain(value->string);
}

static bool check_principal(const struct signer *signer, const struct json *value)
{
	struct text name = value->string;

	(void)signer;
	/* Then somebody acts for them: check_together. */
	if (text_starts_with(name, ACCESS_TOKEN_PERSON))
		name = text_after(name, sizeof ACCESS_TOKEN_PERSON - 1);
	return name_is_person(name);
}

static bool check_id(const struct signer *signer, const struct json *value)
{
	(void)signer;
	return value->string.length > 0 && value->string.length <= TOKEN_ID_BYTES_MAX;
}

static bool check_task(const struct signer *signer, const struct json *value)
{
	(void)signer;
	return random_id_is(value->string, "t-");
}

static bool check_scope(const struct signer *signer, const struct json *value)
{
	(void)signer;
	return text_is(value->string, ACCESS_TOKEN_SCOPE);
}

static bool check_environment(const struct signer *signer, const struct json *value)
{
	(void)signer;
	return environment_of(value->string) != ENVIRONMENT_NONE;
}

/* RFC 8693 §4.1: {sub, act?}, no deeper than tasks are. */
static bool check_actor(const struct signer *signer, const struct json *value)
{
	static const char *const members[] = {"sub", "act", NULL};
	const struct json *at = value;
	struct error err;

	(void)signer;
	for (int depth = 0; at != NULL; depth++) {
		if (depth == TASK_DEPTH_MAX || at->type != JSON_OBJECT ||
			!json_only_members(at, members, &err) ||
			!name_is_person(json_text_or(at, "sub", "")))
			return false;
		at = json_find(at, "act");
	}
	return true;
}

/* RFC 8693 §4.4: texts that name somebody. */
static bool check_may_act(const struct signer *signer, const struct json *value)
{
	(void)signer;
	for (uint32_t i = 0; i < value->count; i++)
		if (value->members[i].value.type != JSON_STRING ||
			value->members[i].value.string.length > TOKEN_NAME_BYTES_MAX)
			return false;
	return value->count > 0 && value->count <= CLAIM_MAY_ACT_MEMBERS_MAX;
}

/* RFC 7800: one way to confirm, RFC 9449 §6.1 or RFC 8705 §3.1. */
static bool check_confirmation(const struct signer *signer, const struct json *value)
{
	const struct json_member *only = value->members;

	(void)signer;
	return value->count == 1 &&
	       (text_is(only->name, "jkt") || text_is(only->name, "x5t#S256")) &&
	       only->value.type == JSON_STRING &&
	       only->value.string.length == CLAIM_CONFIRMATION_BYTES;
}

/* RFC 9396 §2: objects with a type. */
static bool check_details(const struct signer *signer, const struct json *value)
{
	(void)signer;
	for (uint32_t i = 0; i < value->count; i++)
		if (json_text_or(&value->items[i], "type", "").length == 0)
			return false;
	return value->count > 0 && value->count <= CLAIM_DETAILS_MAX;
}

/* Of the task: counted by its kills. */
static bool check_epoch(const struct signer *signer, const struct json *value)
{
	(void)signer;
	return value->integer >= 0 && value->integer <= UINT32_MAX;
}

/* ---- when ---- */

static bool check_issued(const struct signer *signer, const struct json *value)
{
	int64_t now_utc_s = signer_now_utc_ms(signer) / 1000;

	return value->integer <= now_utc_s + TOKEN_SKEW_S &&
	       value->integer >= now_utc_s - TOKEN_SKEW_S;
}

/* Held against iat once both are known to be there. */
static bool check_expiry(const struct signer *signer, const struct json *value)
{
	(void)signer;
	return value->integer > 0;
}

/* ---- the table ---- */

enum need { CLAIM_NEEDED = 0, CLAIM_ALLOWED };

static const struct claim {
	const char *name;
	enum json_type type;
	enum need need;
	check_claim *check;
	const char *wrong;
} table[] = {
	{"iss", JSON_STRING, CLAIM_NEEDED, check_issuer, "not a token of this issuer"},
	{"sub", JSON_STRING, CLAIM_NEEDED, check_principal, "no subject"},
	{"client_id", JSON_STRING, CLAIM_NEEDED, check_name, "no client"},
	{"aud", JSON_STRING, CLAIM_NEEDED, check_audience, "not an audience of this issuer"},
	{"jti", JSON_STRING, CLAIM_NEEDED, check_id, "no id"},
	{"scope", JSON_STRING, CLAIM_NEEDED, check_scope, "another scope"},
	{"task", JSON_STRING, CLAIM_NEEDED, check_task, "no task"},
	{"epoch", JSON_INTEGER, CLAIM_NEEDED, check_epoch, "no epoch of a task"},
	{"environment", JSON_STRING, CLAIM_NEEDED, check_environment, "no environment"},
	{"iat", JSON_INTEGER, CLAIM_NEEDED, check_issued, "not issued now"},
	{"exp", JSON_INTEGER, CLAIM_NEEDED, check_expiry, "not a lifetime a token may have"},
	{"act", JSON_OBJECT, CLAIM_ALLOWED, check_actor, "not a chain of actors"},
	{"may_act", JSON_OBJECT, CLAIM_ALLOWED, check_may_act, "not who may act"},
	{"cnf", JSON_OBJECT, CLAIM_ALLOWED, check_confirmation, "not a confirmation"},
	{"authorization_details", JSON_ARRAY, CLAIM_ALLOWED, check_details, "not details"},
};
enum { TABLE_COUNT = sizeof table / sizeof table[0] };

static bool check_known(const struct json *claims, struct error *err)
{
	const char *names[TABLE_COUNT + 1] = {NULL};

	for (size_t i = 0; i < TABLE_COUNT; i++)
		names[i] = table[i].name;
	return json_only_members(claims, names, err);
}

static bool check_row(const struct signer *signer, const struct claim *row,
	const struct json *claims, struct error *err)
{
	const struct json *value = json_find(claims, row->name);

	if (value == NULL && row->need == CLAIM_ALLOWED)
		return true;
	if (value == NULL || value->type != row->type || !row->check(signer, value))
		return error_set(err, ERROR_INVALID, "%s", row->wrong);
	return true;
}

/* What two claims say together. */
static bool check_together(const struct json *claims, struct error *err)
{
	int64_t issued = json_integer_or(claims, "iat", 0);
	int64_t expires = json_integer_or(claims, "exp", 0);
	struct text client = json_text_or(claims, "client_id", "");
	const struct json *actor = json_find(claims, "act");
	struct text acts = json_text_or(actor == NULL ? claims : actor, "sub", "");

	if (expires <= issued || expires - issued > CHARTER_TASK_S_MAX)
		return error_set(err, ERROR_INVALID, "not a lifetime a token may have");
	if (!text_equal(client, acts))
		return error_set(err, ERROR_INVALID, "the client is not who acts");
	return true;
}

bool signer_check_claims(const struct signer *signer, const struct json *claims, struct error *err)
{
	if (claims->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "not the claims of an access token");
	if (!check_known(claims, err))
		return false;
	for (size_t i = 0; i < TABLE_COUNT; i++)
		if (!check_row(signer, &table[i], claims, err))
			return false;
	return check_together(claims, err);
}
