/* Identity tokens, which are for token services of others: what may be signed of them. */
#include <string.h>
#include <strings.h>

#include "base/random.h"
#include "domain/charter/form.h"
#include "domain/token/claims.h"
#include "domain/token/identity_token.h"
#include "edges/signer/signer_private.h"

enum { SUBJECT_BYTES_MAX = 192 };

/* Nothing at or below the issuer, however it is spelt: what opens nothing here. */
static bool is_of_others(const struct signer *signer, struct text audience)
{
	size_t length = strlen(signer->issuer);

	return audience.length > 0 && audience.length <= IDENTITY_TOKEN_AUDIENCE_BYTES_MAX &&
	       (audience.length < length ||
		       strncasecmp(audience.data, signer->issuer, length) != 0);
}

static bool check_subject(const struct json *claims, struct error *err)
{
	char room[SUBJECT_BYTES_MAX];
	struct text identity = json_text_or(claims, "identity", "");
	struct text server = json_text_or(claims, "server", "");
	struct text environment = json_text_or(claims, "environment", "");
	struct text name = identity.length > 0 ? identity : server;
	struct buffer due;
	bool is_due;

	if ((identity.length > 0) == (server.length > 0) || !name_is_plain(name) ||
		environment_of(environment) == ENVIRONMENT_NONE)
		return error_set(err, ERROR_INVALID, "not of one identity or server");
	buffer_init_in(&due, sizeof room, room, sizeof room);
	buffer_append_format(&due, "%s:%.*s:environment:%.*s",
		identity.length > 0 ? "identity" : "server", TEXT_ARGS(name),
		TEXT_ARGS(environment));
	is_due = !buffer_failed(&due) &&
		 text_equal(buffer_text(&due), json_text_or(claims, "sub", ""));
	buffer_deinit(&due);
	return is_due || error_set(err, ERROR_INVALID, "not the subject of who it names");
}

static bool check_times(const struct signer *signer, const struct json *claims, struct error *err)
{
	int64_t now_utc_s = signer_now_utc_ms(signer) / 1000;
	int64_t issued = json_integer_or(claims, "iat", 0);
	int64_t expires = json_integer_or(claims, "exp", 0);

	if (issued > now_utc_s + TOKEN_SKEW_S || issued < now_utc_s - TOKEN_SKEW_S)
		return error_set(err, ERROR_INVALID, "not issued now");
	if (expires <= issued || expires - issued > IDENTITY_TOKEN_S_MAX)
		return error_set(err, ERROR_INVALID, "not a lifetime an identity token may have");
	return true;
}

static bool check_names(const struct json *claims, struct error *err)
{
	const struct json *task = json_find(claims, "task");
	const struct json *unit = json_find(claims, "unit");
	struct text id = json_text_or(claims, "jti", "");

	if (id.length == 0 || id.length > TOKEN_ID_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "no id");
	if (task != NULL && (task->type != JSON_STRING || !random_id_is(task->string, "t-")))
		return error_set(err, ERROR_INVALID, "no task");
	if (unit != NULL && (unit->type != JSON_STRING || !name_is_plain(unit->string)))
		return error_set(err, ERROR_INVALID, "no unit");
	return true;
}

bool signer_check_identity(
	const struct signer *signer, const struct json *claims, struct error *err)
{
	static const char *const names[] = {"iss", "sub", "aud", "jti", "iat", "exp", "environment",
		"identity", "server", "unit", "task", NULL};

	if (claims->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "not the claims of an identity token");
	if (!json_only_members(claims, names, err))
		return false;
	if (signer->issuer[0] == '\0' || !text_is(json_text_or(claims, "iss", ""), signer->issuer))
		return error_set(err, ERROR_INVALID, "not a token of this issuer");
	if (!is_of_others(signer, json_text_or(claims, "aud", "")))
		return error_set(err, ERROR_INVALID, "not an audience of others");
	return check_subject(claims, err) && check_times(signer, claims, err) &&
	       check_names(claims, err);
}
