/* Security event tokens.  The header's typ is required, so that no other token of the same
 * issuer is taken for one (RFC 8417 §4.7). */
#include "domain/token/security_event.h"

#include <string.h>

#include "domain/token/claims.h"

#define CAEP "https://schemas.openid.net/secevent/caep/event-type/"

static const struct {
	const char *code;
	const char *meaning;
} faults[] = {
#define SECURITY_EVENT_FAULT_ROW(name, code, meaning) [name] = {code, meaning},
	SECURITY_EVENT_FAULTS(SECURITY_EVENT_FAULT_ROW)
#undef SECURITY_EVENT_FAULT_ROW
};

const char *security_event_fault_code(enum security_event_fault fault)
{
	return faults[(size_t)fault < SECURITY_EVENT_FAULT_COUNT ? fault : SECURITY_EVENT_INVALID]
		.code;
}

const char *security_event_fault_meaning(enum security_event_fault fault)
{
	return faults[(size_t)fault < SECURITY_EVENT_FAULT_COUNT ? fault : SECURITY_EVENT_INVALID]
		.meaning;
}

const char *security_event_kind_word(enum security_event_kind kind)
{
	if (kind == EVENT_SESSION_REVOKED)
		return "session-revoked";
	return kind == EVENT_CREDENTIAL_CHANGE ? "credential-change" : "other";
}

/* ---- whom it is about ---- */

/* RFC 9493 §3.2.2 to §3.2.4: exactly the members of the form. */
static const struct subject_form {
	const char *word;
	enum security_subject_form form;
	const char *name;
	const char *const members[4];
} forms[] = {
	{"email", SUBJECT_EMAIL, "email", {"format", "email", NULL}},
	{"iss_sub", SUBJECT_ISSUER, "sub", {"format", "iss", "sub", NULL}},
	{"opaque", SUBJECT_OPAQUE, "id", {"format", "id", NULL}},
};

static bool is_name(struct text name)
{
	return name.length > 0 && name.length <= TOKEN_NAME_BYTES_MAX;
}

/* A form that is not ours names nobody; one of ours must be whole. */
static bool read_subject(struct security_subject *out, const struct json *subject)
{
	struct text format = json_text_or(subject, "format", "");
	struct error err;

	*out = (struct security_subject){0};
	if (format.length == 0)
		return false;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		if (!text_is(format, forms[i].word))
			continue;
		out->form = forms[i].form;
		out->name = json_text_or(subject, forms[i].name, "");
		out->issuer = json_text_or(subject, "iss", "");
		return json_only_members(subject, forms[i].members, &err) && is_name(out->name) &&
		       (out->form != SUBJECT_ISSUER || is_name(out->issuer));
	}
	return true;
}

/* ---- what has happened ---- */

/* CAEP 1.0 §3.2: making a credential takes nothing away. */
static bool read_change(enum security_event_kind *kind, const struct json *event)
{
	static const char *const taken[] = {"revoke", "update", "delete"};
	struct text change = json_text_or(event, "change_type", "");

	if (change.length == 0)
		return false;
	*kind = EVENT_OTHER;
	for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
		if (text_is(change, taken[i]))
			*kind = EVENT_CREDENTIAL_CHANGE;
	return *kind != EVENT_OTHER || text_is(change, "create");
}

static bool read_events(struct security_event *out, const struct json *events)
{
	const struct json_member *only;

	if (events == NULL || events->type != JSON_OBJECT || events->count != 1)
		return false;
	only = &events->members[0];
	out->type = only->name;
	if (only->value.type != JSON_OBJECT || !is_name(out->type))
		return false;
	if (text_is(out->type, CAEP "session-revoked"))
		out->kind = EVENT_SESSION_REVOKED;
	else if (text_is(out->type, CAEP "credential-change"))
		return read_change(&out->kind, &only->value);
	return true;
}

/* ---- the whole ---- */

static bool read_claims(struct security_event *out)
{
	const struct json *object = &out->jws.claims;
	const struct json *subject = json_find(object, "sub_id");

	out->issuer = json_text_or(object, "iss", "");
	out->id = json_text_or(object, "jti", "");
	out->issued_utc_s = json_integer_or(object, "iat", -1);
	return is_name(out->issuer) && out->id.length > 0 && out->id.length <= TOKEN_ID_BYTES_MAX &&
	       out->issued_utc_s >= 0 && json_find(object, "exp") == NULL &&
	       json_find(object, "sub") == NULL && subject != NULL &&
	       read_subject(&out->subject, subject) &&
	       read_events(out, json_find(object, "events"));
}

enum security_event_fault security_event_read(
	struct security_event *out, struct arena *arena, struct text compact)
{
	static const char *const types[] = {SECURITY_EVENT_TYPE, NULL};
	const struct jws_rules rules = {.types = types};

	*out = (struct security_event){0};
	if (jws_parse(&out->jws, arena, compact, &rules) != TOKEN_ACCEPTED ||
		out->jws.key_id.length == 0)
		return SECURITY_EVENT_INVALID;
	return read_claims(out) ? SECURITY_EVENT_ACCEPTED : SECURITY_EVENT_INVALID;
}

static bool is_for(const struct json *audience, struct text due)
{
	if (audience == NULL || due.length == 0)
		return false;
	if (audience->type == JSON_STRING)
		return text_equal(audience->string, due);
	if (audience->type != JSON_ARRAY || audience->count > SECURITY_EVENT_AUDIENCES_MAX)
		return false;
	for (uint32_t i = 0; i < audience->count; i++)
		if (audience->items[i].type == JSON_STRING &&
			text_equal(audience->items[i].string, due))
			return true;
	return false;
}

enum security_event_fault security_event_check(const struct security_event *event,
	const struct public_key *key, const struct security_event_rules *rules)
{
	if (jws_verify(&event->jws, key) != TOKEN_ACCEPTED)
		return SECURITY_EVENT_KEY;
	if (!is_for(json_find(&event->jws.claims, "aud"), rules->audience))
		return SECURITY_EVENT_AUDIENCE;
	if (event->issued_utc_s > rules->now_utc_s + TOKEN_SKEW_S ||
		event->issued_utc_s < rules->now_utc_s - SECURITY_EVENT_AGE_MAX_S)
		return SECURITY_EVENT_INVALID;
	return SECURITY_EVENT_ACCEPTED;
}
