/* People's keys and the one-time codes that let them enrol one. */
#include "services/registry/registrar_private.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/random.h"
#include "domain/charter/form.h"
#include "domain/charter/nearest.h"

enum { CODE_LETTERS = 20, CODE_GROUP = 4 };

/* ---- codes ---- */

/* 100 random bits as XXXX-XXXX-XXXX-XXXX-XXXX, Crockford's letters. */
static void make_code(char out[CODE_TEXT_BYTES])
{
	static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	unsigned char bytes[CODE_LETTERS];
	size_t at = 0;

	random_bytes(bytes, sizeof bytes);
	for (size_t i = 0; i < CODE_LETTERS; i++) {
		if (i > 0 && i % CODE_GROUP == 0)
			out[at++] = '-';
		out[at++] = letters[bytes[i] % 32];
	}
	out[at] = '\0';
	explicit_bzero(bytes, sizeof bytes);
}

/* What people type, as it was made: upper case, without blanks at the ends. */
bool registrar_digest_of_code(struct text typed, struct sha256 *out)
{
	char code[CODE_TEXT_BYTES];
	size_t at = 0;

	for (size_t i = 0; i < typed.length; i++) {
		char c = typed.data[i];

		if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
			continue;
		if (at == sizeof code - 1)
			return false;
		code[at++] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	}
	*out = sha256_of(code, at);
	explicit_bzero(code, sizeof code);
	return at > 0;
}

struct text registrar_make_code(
	struct registrar *registrar, struct registrar_request *request, int64_t expires_utc_ms)
{
	char written[DIGEST_TEXT_BYTES];
	struct sha256 digest;

	make_code(request->issued_code);
	if (registrar->codes_heard.issued != NULL)
		registrar->codes_heard.issued(registrar->codes_heard.context,
			text_of(request->issued_code), expires_utc_ms);
	digest = sha256_of(request->issued_code, strlen(request->issued_code));
	digest_format(written, &digest);
	return text_copy(registrar->arena, text_of(written));
}

static bool write_code(struct registrar *registrar, struct registrar_request *request,
	struct text person, int64_t lifetime_s, struct error *err)
{
	struct json_builder record;
	int64_t expires_utc_ms = fold_stamp_utc_ms(registrar->fold) + lifetime_s * 1000;
	struct text digest = registrar_make_code(registrar, request, expires_utc_ms);

	registrar_record_start(registrar, &record, "admin-code", request->actor);
	json_put_cstring(&record, "verb", "issue");
	json_put_text(&record, "person", person);
	json_put_text(&record, "code", digest);
	json_put_integer(&record, "expires_utc_ms", expires_utc_ms);
	return registrar_record_finish(registrar, &record, NULL, 0, err);
}

static bool may_administer(
	const struct registrar *registrar, const struct registrar_request *request)
{
	static const struct people_resource installation = {.about = PEOPLE_ABOUT_INSTALLATION};
	struct error err;

	return registry_may_about(
		registrar->registry, request->actor, PEOPLE_ADMINISTER, &installation, &err);
}

static bool is_here(const struct registrar *registrar, struct text name)
{
	const struct person *person = registry_find_person(registrar->registry, name);

	return person != NULL && !person_has_left(person);
}

static enum prepared_as prepare_issue(
	struct registrar *registrar, struct registrar_request *request)
{
	struct error err = {0};

	if (!may_administer(registrar, request))
		return registrar_forbid(request, "an administrator must issue codes");
	if (registry_find_person(registrar->registry, request->name) == NULL) {
		(void)name_unknown(registrar->registry, OBJECT_PERSON, request->name, &err);
		return registrar_refuse(request, &err);
	}
	if (!is_here(registrar, request->name))
		return registrar_forbid(request, "the person has left");
	if (!write_code(registrar, request, request->name, CODE_LIFETIME_S, &err))
		return registrar_refuse(request, &err);
	return PREPARED_RECORD;
}

static enum prepared_as prepare_bootstrap(
	struct registrar *registrar, struct registrar_request *request)
{
	struct error err = {0};

	if (!text_is(request->actor, "remit") && !text_starts_with(request->actor, "uid:"))
		return registrar_forbid(request, "only the socket's own users may");
	if (registrar_has_administrator(registrar))
		return registrar_forbid(request, "there is an administrator already; ask them");
	if (!write_code(registrar, request, (struct text){"", 0}, CODE_BOOTSTRAP_LIFETIME_S, &err))
		return registrar_refuse(request, &err);
	return PREPARED_RECORD;
}

/* ---- keys ---- */

/* RFC 7638 §3: the required members in order of name, without blanks. */
static struct text thumbprint_of(struct arena *arena, const struct json *jwk)
{
	struct text input = text_format(arena,
		"{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%.*s\",\"y\":\"%.*s\"}",
		TEXT_ARGS(json_text_or(jwk, "x", "")), TEXT_ARGS(json_text_or(jwk, "y", "")));
	struct sha256 digest;

	if (input.data == NULL)
		return input;
	digest = sha256_of(input.data, input.length);
	return base64url_text(arena, digest.bytes, sizeof digest.bytes);
}

bool registrar_check_key(
	struct registrar *registrar, struct registrar_request *request, struct error *err)
{
	const char *fault = key_fault(&request->jwk);
	const struct person_key *taken;
	struct text kid;

	if (fault != NULL)
		return error_set(err, ERROR_INVALID, "the key %s", fault);
	kid = thumbprint_of(registrar->arena, &request->jwk);
	if (kid.data == NULL || kid.length >= sizeof request->kid_issued)
		return error_set(err, ERROR_LIMIT, "no memory for a key");
	memcpy(request->kid_issued, kid.data, kid.length);
	(void)registry_find_key(registrar->registry, kid, &taken);
	if (taken != NULL)
		return error_set(err, ERROR_CONFLICT, "the key is enrolled already");
	return true;
}

static bool has_room(const struct registrar *registrar, const struct registrar_request *request,
	struct error *err)
{
	const struct registry_entry *entry =
		registry_find(registrar->registry, OBJECT_PERSON, request->name);

	return entry == NULL || entry->keys_count < REGISTRY_KEYS_PER_PERSON_MAX ||
	       error_set(err, ERROR_LIMIT, "a person has at most %d keys: revoke one",
		       REGISTRY_KEYS_PER_PERSON_MAX);
}

/* The roles of a document with administrator among them. */
static bool roles_with_administrator(struct registrar *registrar, const struct object *person,
	struct json *out, struct error *err)
{
	struct json_builder roles;

	json_array_start(&roles, registrar->arena);
	for (uint32_t i = 0; person != NULL && i < person->person->roles_count; i++)
		json_add(&roles, json_string(person->person->roles[i]));
	json_add(&roles, json_cstring("administrator"));
	return json_array_seal(&roles, out, err);
}

/* The first administrator as a document: the person as they are, with the role,
 * or a new one of the organisation's unit. */
static bool administrator_document(struct registrar *registrar, struct text name,
	const struct object *person, struct json *out, struct error *err)
{
	struct json_builder document;
	struct json roles;

	if (!roles_with_administrator(registrar, person, &roles, err))
		return false;
	json_object_start(&document, registrar->arena);
	json_put_cstring(&document, "object", "person");
	json_put_text(&document, "name", name);
	json_put_text(&document, "unit",
		person != NULL ? person->person->unit : TEXT(REGISTRY_ORGANISATION));
	json_put(&document, "roles", roles);
	if (person != NULL && person->person->clearance != SENSITIVITY_UNLABELLED)
		json_put_cstring(
			&document, "clearance", sensitivity_word(person->person->clearance));
	return json_object_seal(&document, out, err);
}

/* Makes the first administrator part of the record, unless they are one. */
static bool write_administrator(struct registrar *registrar, struct text name,
	struct written_change *written, struct object **object, struct error *err)
{
	const struct registry_entry *entry =
		registry_find(registrar->registry, OBJECT_PERSON, name);
	const struct object *person = entry == NULL ? NULL : entry->in_force;
	struct problems *problems = arena_new(registrar->arena, struct problems);
	struct json document;

	if (person != NULL && person_has_role(person->person, "administrator"))
		return true;
	if (problems == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a person");
	problems->arena = registrar->arena;
	if (!administrator_document(registrar, name, person, &document, err))
		return false;
	if (!object_parse(object, &document, TEXT("login"), problems))
		return error_set(err, ERROR_INVALID, "%.*s: %.*s",
			TEXT_ARGS(problems->items[0].field), TEXT_ARGS(problems->items[0].what));
	if (entry != NULL)
		*written = written_change_of(registrar, entry);
	written->change.kind = OBJECT_PERSON;
	written->change.name = name;
	written->object = *object;
	written->change.version++;
	written_change_drop(written, written->change.in_force);
	written_change_drop_waiting(written);
	written->change.in_force = written->change.version;
	return true;
}

static bool write_enrolment(struct registrar *registrar, struct registrar_request *request,
	const struct one_time_code *code, struct error *err)
{
	char written_digest[DIGEST_TEXT_BYTES];
	struct written_change written = {0};
	struct object *object = NULL;
	const struct object *held;
	struct json_builder record;
	struct text actor = text_format(registrar->arena, "person:%.*s", TEXT_ARGS(request->name));
	bool ok;

	if (actor.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a key");
	if (code->person[0] == '\0' &&
		!write_administrator(registrar, request->name, &written, &object, err))
		return false;
	digest_format(written_digest, &code->digest);
	registrar_record_start(registrar, &record, "person-key", actor);
	json_put_cstring(&record, "verb", "enrol");
	json_put_text(&record, "person", request->name);
	json_put_cstring(&record, "kid", request->kid_issued);
	json_put(&record, "jwk", request->jwk);
	json_put_text(&record, "code", text_copy(registrar->arena, text_of(written_digest)));
	ok = registrar_record_finish(registrar, &record, &written, object == NULL ? 0 : 1, err);
	held = object;
	object_release(&held);
	return ok;
}

/* Somebody who left and came back begins with a new code. */
static bool is_from_before(const struct registrar *registrar, const struct one_time_code *code)
{
	const struct registry_entry *person =
		registry_find(registrar->registry, OBJECT_PERSON, text_of(code->person));

	return person != NULL && person->more->keys_since_utc_ms != 0 &&
	       code->expires_utc_ms - (int64_t)CODE_LIFETIME_S * 1000 <=
		       person->more->keys_since_utc_ms;
}

static enum prepared_as prepare_enrol(
	struct registrar *registrar, struct registrar_request *request)
{
	const struct one_time_code *code = NULL;
	struct sha256 digest;
	struct error err = {0};

	if (registrar_digest_of_code(request->code, &digest))
		code = registrar_find_code(registrar, &digest, fold_stamp_utc_ms(registrar->fold));
	if (code == NULL)
		return registrar_forbid(request, REGISTRAR_NO_CODE);
	if (code->person[0] == '\0' && registrar_has_administrator(registrar))
		return registrar_forbid(request, "there is an administrator already; ask them");
	if (code->person[0] != '\0' && !text_is(request->name, code->person))
		return registrar_forbid(request, "the code is another person's");
	if (code->person[0] != '\0' && !is_here(registrar, request->name))
		return registrar_forbid(request, "the code's person is not registered any more");
	if (is_from_before(registrar, code))
		return registrar_forbid(request, "the code is from before its person left");
	if (!registrar_check_key(registrar, request, &err) || !has_room(registrar, request, &err) ||
		!write_enrolment(registrar, request, code, &err))
		return registrar_refuse(request, &err);
	return PREPARED_RECORD;
}

static enum prepared_as prepare_revoke(
	struct registrar *registrar, struct registrar_request *request)
{
	const struct registry_entry *owner;
	const struct person_key *key;
	struct json_builder record;
	struct error err = {0};
	struct text self = text_format(registrar->arena, "person:%.*s", TEXT_ARGS(request->name));

	if (!may_administer(registrar, request) &&
		(self.data == NULL || !text_equal(self, request->actor)))
		return registrar_forbid(request, "an administrator or the person must");
	owner = registry_find_key(registrar->registry, request->kid, &key);
	if (owner == NULL || !text_equal(owner->name, request->name)) {
		error_set(&err, ERROR_NOT_FOUND, "%.*s has no such key", TEXT_ARGS(request->name));
		return registrar_refuse(request, &err);
	}
	if (key->useless_utc_ms != 0)
		return registrar_write_key_end(registrar, request, key, &err)
			       ? PREPARED_RECORD
			       : registrar_refuse(request, &err);
	registrar_record_start(registrar, &record, "person-key", request->actor);
	json_put_cstring(&record, "verb", "revoke");
	json_put_text(&record, "person", request->name);
	json_put_text(&record, "kid", request->kid);
	if (!registrar_record_finish(registrar, &record, NULL, 0, &err))
		return registrar_refuse(request, &err);
	return PREPARED_RECORD;
}

enum prepared_as registrar_prepare_key(
	struct registrar *registrar, struct registrar_request *request)
{
	switch (request->verb) {
	case REGISTRAR_ISSUE_CODE: return prepare_issue(registrar, request);
	case REGISTRAR_BOOTSTRAP: return prepare_bootstrap(registrar, request);
	case REGISTRAR_ENROL: return prepare_enrol(registrar, request);
	case REGISTRAR_REVOKE_KEY: return prepare_revoke(registrar, request);
	case REGISTRAR_SIGN_IN:
	case REGISTRAR_END_KEY: return registrar_prepare_sign_in(registrar, request);
	case REGISTRAR_NONE:
	case REGISTRAR_APPLY:
	case REGISTRAR_PROPOSE:
	case REGISTRAR_APPROVE:
	case REGISTRAR_CONSENT:
	case REGISTRAR_ACCEPT:
	case REGISTRAR_REJECT:
	case REGISTRAR_SUSPEND:
	case REGISTRAR_REACTIVATE:
	case REGISTRAR_RETIRE:
	case REGISTRAR_OPEN_SANDBOX:
	case REGISTRAR_REVIEW:
	case REGISTRAR_INVITE:
	case REGISTRAR_ACKNOWLEDGE:
	case REGISTRAR_REGISTER: break;
	}
	return registrar_forbid(request, "no such change");
}

enum prepared_as registrar_prepare(struct registrar *registrar, struct registrar_request *request)
{
	if (request->reason.length > REASON_BYTES_MAX || !text_is_utf8(request->reason) ||
		text_find_byte(request->reason, '\0') >= 0) {
		struct error err = {0};

		error_set(&err, ERROR_INVALID, "a reason is at most %d bytes of UTF-8",
			REASON_BYTES_MAX);
		return registrar_refuse(request, &err);
	}
	switch (request->verb) {
	case REGISTRAR_APPLY: return registrar_prepare_apply(registrar, request);
	case REGISTRAR_PROPOSE:
	case REGISTRAR_APPROVE:
	case REGISTRAR_CONSENT:
	case REGISTRAR_ACCEPT:
	case REGISTRAR_REJECT:
	case REGISTRAR_SUSPEND:
	case REGISTRAR_REACTIVATE:
	case REGISTRAR_RETIRE: return registrar_prepare_step(registrar, request);
	case REGISTRAR_REVIEW: return registrar_prepare_review(registrar, request);
	case REGISTRAR_OPEN_SANDBOX: return registrar_prepare_sandbox(registrar, request);
	case REGISTRAR_ACKNOWLEDGE: return registrar_prepare_acknowledge(registrar, request);
	case REGISTRAR_INVITE:
	case REGISTRAR_REGISTER: return registrar_prepare_invite(registrar, request);
	case REGISTRAR_NONE:
	case REGISTRAR_ISSUE_CODE:
	case REGISTRAR_BOOTSTRAP:
	case REGISTRAR_ENROL:
	case REGISTRAR_SIGN_IN:
	case REGISTRAR_END_KEY:
	case REGISTRAR_REVOKE_KEY: break;
	}
	return registrar_prepare_key(registrar, request);
}
