/* Keys of people whom a registered issuer knows.
 *
 * N1  What the id_token was judged by (the issuer's document, and the person's, which says what
 *     the issuer calls them) must be in force when the key is enrolled.
 * N2  A kid is enrolled once for as long as its id_token is of use: the nonce of the token is
 *     the kid, so a token that is shown again enrols nothing, also after its key was ended.
 * N3  What was over for long is forgotten by the next record of the same person. */
#include <string.h>

#include "services/registry/registrar_private.h"

enum { KEY_KEPT_MS = 24 * 3600 * 1000 }; /* after its end, for answers that it signed */

static bool is_in_force(const struct registrar *registrar, const struct registrar_request *request)
{
	const struct registry_entry *issuer =
		registry_find(registrar->registry, OBJECT_ISSUER, request->sign_in.issuer);
	const struct registry_entry *person =
		registry_find(registrar->registry, OBJECT_PERSON, request->name);

	return person != NULL && person->in_force != NULL &&
	       sha256_equal(&person->in_force->digest, &request->sign_in.person_digest) &&
	       text_equal(person->in_force->person->sign_in_issuer, request->sign_in.issuer) &&
	       issuer != NULL && issuer->in_force != NULL &&
	       sha256_equal(&issuer->in_force->digest, &request->sign_in.issuer_digest);
}

static bool may_sign_in(const struct registrar *registrar, const struct registrar_request *request,
	struct error *err)
{
	const struct person *person = registry_find_person(registrar->registry, request->name);
	const struct people_resource self = {.kind = OBJECT_PERSON,
		.name = request->name,
		.unit = person->unit,
		.person = person};

	return registry_may_about(registrar->registry, request->actor, PEOPLE_SIGN_IN, &self, err);
}

/* ---- room ---- */

static int64_t end_of(const struct person_key *key)
{
	return key->ended_utc_ms != 0 ? key->ended_utc_ms : key->expires_utc_ms;
}

static bool may_forget(const struct person_key *key, int64_t now_utc_ms, int64_t kept_ms)
{
	return key->useless_utc_ms != 0 && person_key_is_over(key, now_utc_ms) &&
	       now_utc_ms >= key->useless_utc_ms && now_utc_ms >= end_of(key) + kept_ms;
}

/* The kids that may be forgotten; where that leaves no room, all that are over. */
static bool choose_drops(struct registrar *registrar, const struct registry_entry *entry,
	struct json *out, struct error *err)
{
	int64_t now_utc_ms = fold_stamp_utc_ms(registrar->fold);
	struct json_builder list;

	for (int64_t kept_ms = KEY_KEPT_MS;; kept_ms = 0) {
		size_t left = entry->keys_count;

		json_array_start(&list, registrar->arena);
		for (size_t i = 0; i < entry->keys_count; i++)
			if (may_forget(&entry->keys[i], now_utc_ms, kept_ms)) {
				json_add(&list, json_string(entry->keys[i].kid));
				left--;
			}
		if (!json_array_seal(&list, out, err))
			return false;
		if (left < REGISTRY_KEYS_PER_PERSON_MAX)
			return true;
		if (kept_ms == 0)
			return error_set(err, ERROR_LIMIT,
				"a person has at most %d keys: log out where you are done",
				REGISTRY_KEYS_PER_PERSON_MAX);
	}
}

/* ---- signing in ---- */

static bool write_sign_in(
	struct registrar *registrar, struct registrar_request *request, struct error *err)
{
	const struct registry_entry *entry =
		registry_find(registrar->registry, OBJECT_PERSON, request->name);
	struct json_builder record;
	struct json drops;

	if (!choose_drops(registrar, entry, &drops, err))
		return false;
	registrar_record_start(registrar, &record, "person-key", request->actor);
	json_put_cstring(&record, "verb", "enrol");
	json_put_text(&record, "person", request->name);
	json_put_cstring(&record, "kid", request->kid_issued);
	json_put(&record, "jwk", request->jwk);
	json_put_text(&record, "issuer", request->sign_in.issuer);
	json_put_integer(&record, "expires_utc_ms", request->sign_in.expires_utc_ms);
	json_put_integer(&record, "useless_utc_ms", request->sign_in.useless_utc_ms);
	if (drops.count > 0)
		json_put(&record, "drops", drops);
	return registrar_record_finish(registrar, &record, NULL, 0, err);
}

static enum prepared_as prepare_sign_in(
	struct registrar *registrar, struct registrar_request *request)
{
	struct error err = {0};

	if (!is_in_force(registrar, request))
		return registrar_forbid(
			request, "what they signed in by has changed: sign in again");
	if (!may_sign_in(registrar, request, &err) ||
		!registrar_check_key(registrar, request, &err))
		return registrar_refuse(request, &err);
	if (!text_is(request->kid, request->kid_issued))
		return registrar_forbid(request, "the id_token is of another key");
	if (request->sign_in.expires_utc_ms <= fold_stamp_utc_ms(registrar->fold))
		return registrar_forbid(request, "the key would be over already");
	return write_sign_in(registrar, request, &err) ? PREPARED_RECORD
						       : registrar_refuse(request, &err);
}

/* ---- ends ---- */

bool registrar_write_key_end(struct registrar *registrar, const struct registrar_request *request,
	const struct person_key *key, struct error *err)
{
	struct json_builder record;

	registrar_record_start(registrar, &record, "person-key", request->actor);
	json_put_cstring(&record, "verb", "end");
	json_put_text(&record, "person", request->name);
	json_put_text(&record, "kid", key->kid);
	json_put_text(&record, "issuer", key->issuer);
	json_put_integer(&record, "enrolled_utc_ms", key->enrolled_utc_ms);
	json_put_integer(&record, "expires_utc_ms", key->expires_utc_ms);
	json_put_integer(&record, "useless_utc_ms", key->useless_utc_ms);
	json_put_text_unless_empty(&record, "reason", request->reason);
	return registrar_record_finish(registrar, &record, NULL, 0, err);
}

static enum prepared_as prepare_end(struct registrar *registrar, struct registrar_request *request)
{
	const struct registry_entry *entry =
		registry_find(registrar->registry, OBJECT_PERSON, request->name);
	int64_t now_utc_ms = fold_stamp_utc_ms(registrar->fold);
	struct error err = {0};

	if (!text_is(request->actor, "remit"))
		return registrar_forbid(request, "only remit itself may");
	for (size_t i = entry == NULL ? 0 : entry->keys_count; i-- > 0;) {
		const struct person_key *key = &entry->keys[i];

		if (key->useless_utc_ms == 0 || person_key_is_over(key, now_utc_ms) ||
			(request->sign_in.issuer.length > 0 &&
				!text_equal(key->issuer, request->sign_in.issuer)))
			continue;
		return registrar_write_key_end(registrar, request, key, &err)
			       ? PREPARED_RECORD
			       : registrar_refuse(request, &err);
	}
	return PREPARED_NOTHING;
}

enum prepared_as registrar_prepare_sign_in(
	struct registrar *registrar, struct registrar_request *request)
{
	return request->verb == REGISTRAR_SIGN_IN ? prepare_sign_in(registrar, request)
						  : prepare_end(registrar, request);
}
