/* Initial access tokens (RFC 7591 §3): a person lets one client register itself once, as a
 * draft that this person owns.
 *
 * V1  An invitation is on record by its digest alone, holds for an hour, and is used by the
 *     registry record that names it.
 * V2  All words of the charter are the person's; of the client there is its key and nothing
 *     else, and the charter permits nothing. */
#include <string.h>

#include "base/buffer.h"
#include "base/yaml.h"
#include "domain/audit/envelope.h"
#include "services/registry/registrar_private.h"

/* ---- may they ---- */

static size_t count_of(const struct registrar *registrar, struct text owner, int64_t now_utc_ms)
{
	size_t count = 0;

	for (size_t i = 0; i < registrar->invites_count; i++)
		count += registrar->invites[i].expires_utc_ms > now_utc_ms &&
			 text_is(owner, registrar->invites[i].owner);
	return count;
}

static bool is_free(const struct registrar *registrar, struct text name, struct error *err)
{
	const struct registry_entry *entry =
		registry_find(registrar->registry, OBJECT_IDENTITY, name);

	return entry == NULL || entry->version == 0 ||
	       error_set(err, ERROR_CONFLICT, "an identity %.*s is or was there already",
		       TEXT_ARGS(name));
}

static bool has_room(const struct registrar *registrar, const struct registrar_request *request,
	struct error *err)
{
	int64_t now_utc_ms = fold_stamp_utc_ms(registrar->fold);
	size_t held = 0;

	for (size_t i = 0; i < registrar->invites_count; i++)
		held += registrar->invites[i].expires_utc_ms > now_utc_ms;
	if (held >= INVITES_MAX)
		return error_set(err, ERROR_LIMIT, "%d invitations are out already", INVITES_MAX);
	if (request->sandbox.purpose.length > INVITE_PURPOSE_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "purpose: longer than %d bytes",
			INVITE_PURPOSE_BYTES_MAX);
	return count_of(registrar, actor_person(request->actor), now_utc_ms) <
		       INVITES_PER_PERSON_MAX ||
	       error_set(err, ERROR_CONFLICT,
		       "%d invitations of this person are out, the most at once: they end after "
		       "an hour",
		       INVITES_PER_PERSON_MAX);
}

/* ---- the charter ---- */

static void put_environment(struct json_builder *charter, enum environment environment)
{
	struct text word = text_of(environment_word(environment));

	json_put_texts(charter, "environments",
		&(struct text){text_copy(charter->arena, word).data, word.length}, 1);
}

static bool put_key(
	struct json_builder *charter, const struct registrar_request *request, struct error *err)
{
	struct json_builder key, keys;
	struct json one, all;

	if (request->jwk.type != JSON_OBJECT)
		return true;
	json_object_start(&key, charter->arena);
	json_put_cstring(&key, "environment", environment_word(request->sandbox.environment));
	json_put(&key, "jwk", request->jwk);
	json_array_start(&keys, charter->arena);
	if (!json_object_seal(&key, &one, err))
		return false;
	json_add(&keys, one);
	if (!json_array_seal(&keys, &all, err))
		return false;
	json_put(charter, "keys", all);
	return true;
}

static bool charter_yaml(struct text *out, struct registrar *registrar,
	const struct registrar_request *request, const struct person *owner, struct error *err)
{
	struct json_builder charter;
	struct buffer yaml;
	struct json sealed;

	json_object_start(&charter, registrar->arena);
	json_put_cstring(&charter, "object", "identity");
	json_put_text(&charter, "name", request->name);
	json_put_cstring(&charter, "kind", "agent");
	json_put_cstring(&charter, "class", "summarise");
	json_put_cstring(&charter, "risk", "critical"); /* until people have said another */
	json_put_text(&charter, "owner", owner->name);
	json_put_text(&charter, "backup-owner", request->sandbox.backup_owner);
	json_put_text(&charter, "unit", owner->unit);
	json_put_text(&charter, "purpose", request->sandbox.purpose);
	put_environment(&charter, request->sandbox.environment);
	json_put_texts(&charter, "entitlements", NULL, 0);
	if (!put_key(&charter, request, err) || !json_object_seal(&charter, &sealed, err))
		return false;
	buffer_init(&yaml, PLAN_BYTES_MAX);
	yaml_format(&yaml, &sealed);
	*out = text_copy(registrar->arena, buffer_text(&yaml));
	buffer_deinit(&yaml);
	return out->data != NULL || error_set(err, ERROR_LIMIT, "no memory for a charter");
}

/* Whatever would be wrong with the draft is wrong now: of the person, too. */
static bool plan_draft(
	struct registrar *registrar, struct registrar_request *request, struct error *err)
{
	const struct person *owner = registry_person_of(registrar->registry, request->actor);
	struct plan_source *source = arena_new(registrar->arena, struct plan_source);

	if (owner == NULL)
		return error_set(
			err, ERROR_INVALID, "forbidden: a person must answer for the identity");
	if (source == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a charter");
	*source = (struct plan_source){.file = TEXT("invitation")};
	request->sources = source;
	request->sources_count = 1;
	request->options = (struct plan_options){.is_draft = true};
	return is_free(registrar, request->name, err) &&
	       charter_yaml(&source->yaml, registrar, request, owner, err) &&
	       registrar_plan(registrar, request, err) &&
	       registrar_check_actor(registrar, request, err);
}

/* ---- inviting ---- */

static bool write_invitation(
	struct registrar *registrar, struct registrar_request *request, struct error *err)
{
	int64_t expires_utc_ms =
		fold_stamp_utc_ms(registrar->fold) + (int64_t)CODE_LIFETIME_S * 1000;
	struct json_builder record;
	struct text digest = registrar_make_code(registrar, request, expires_utc_ms);

	registrar_record_start(registrar, &record, "identity-invited", request->actor);
	json_put_text(&record, "identity", request->name);
	json_put_text(&record, "backup_owner", request->sandbox.backup_owner);
	json_put_text(&record, "purpose", request->sandbox.purpose);
	json_put_cstring(&record, "environment", environment_word(request->sandbox.environment));
	json_put_text(&record, "code", digest);
	json_put_integer(&record, "expires_utc_ms", expires_utc_ms);
	return registrar_record_finish(registrar, &record, NULL, 0, err);
}

static enum prepared_as prepare_invite(
	struct registrar *registrar, struct registrar_request *request)
{
	struct error err = {0};

	request->jwk = json_null();
	if (request->sandbox.environment == ENVIRONMENT_NONE)
		request->sandbox.environment = ENVIRONMENT_DEV;
	if (!has_room(registrar, request, &err) || !plan_draft(registrar, request, &err) ||
		!write_invitation(registrar, request, &err))
		return registrar_refuse(request, &err);
	return PREPARED_RECORD;
}

/* ---- registering ---- */

static const struct invite *find(const struct registrar *registrar, const struct sha256 *digest)
{
	int64_t now_utc_ms = fold_stamp_utc_ms(registrar->fold);

	for (size_t i = 0; i < registrar->invites_count; i++)
		if (sha256_equal(&registrar->invites[i].digest, digest) &&
			registrar->invites[i].expires_utc_ms > now_utc_ms)
			return &registrar->invites[i];
	return NULL;
}

bool registrar_has_invite(const struct registrar *registrar, const struct sha256 *digest)
{
	return find(registrar, digest) != NULL;
}

/* The request becomes the inviting person's, with the client's key. */
static bool take_invitation(struct registrar *registrar, struct registrar_request *request,
	const struct invite *invite, struct error *err)
{
	struct arena *arena = registrar->arena;

	request->actor = text_format(arena, "person:%s", invite->owner);
	request->name = text_copy(arena, text_of(invite->identity));
	request->sandbox = (struct sandbox_wish){
		.backup_owner = text_copy(arena, text_of(invite->backup_owner)),
		.purpose = text_copy(arena, text_of(invite->purpose)),
		.environment = invite->environment,
	};
	memcpy(request->name_issued, invite->identity, sizeof request->name_issued);
	digest_format(request->code_used, &invite->digest);
	return (request->actor.data != NULL && request->name.data != NULL &&
		       request->sandbox.backup_owner.data != NULL &&
		       request->sandbox.purpose.data != NULL) ||
	       error_set(err, ERROR_LIMIT, "no memory for a charter");
}

static enum prepared_as prepare_register(
	struct registrar *registrar, struct registrar_request *request)
{
	const struct invite *invite = NULL;
	struct sha256 digest;
	struct error err = {0};

	if (registrar_digest_of_code(request->code, &digest))
		invite = find(registrar, &digest);
	if (invite == NULL)
		return registrar_forbid(request, REGISTRAR_NO_INVITE);
	if (request->jwk.type != JSON_OBJECT) {
		error_set(&err, ERROR_INVALID, "the key is not a mapping");
		return registrar_refuse(request, &err);
	}
	if (!take_invitation(registrar, request, invite, &err) ||
		!plan_draft(registrar, request, &err) ||
		!registrar_write_plan(registrar, request, &err))
		return registrar_refuse(request, &err);
	return PREPARED_RECORD;
}

enum prepared_as registrar_prepare_invite(
	struct registrar *registrar, struct registrar_request *request)
{
	return request->verb == REGISTRAR_INVITE ? prepare_invite(registrar, request)
						 : prepare_register(registrar, request);
}

/* ---- the fold ---- */

void registrar_forget_invite(struct registrar *registrar, const struct json *record)
{
	struct sha256 digest;
	size_t kept = 0;

	if (!digest_parse(json_text_or(record, "code", ""), &digest))
		return;
	for (size_t i = 0; i < registrar->invites_count; i++)
		if (!sha256_equal(&registrar->invites[i].digest, &digest))
			registrar->invites[kept++] = registrar->invites[i];
	registrar->invites_count = kept;
}

/* Those that are over give way; of those that are not, the oldest. */
static void make_room(struct registrar *registrar, int64_t now_utc_ms)
{
	size_t kept = 0;

	for (size_t i = 0; i < registrar->invites_count; i++)
		if (registrar->invites[i].expires_utc_ms > now_utc_ms)
			registrar->invites[kept++] = registrar->invites[i];
	registrar->invites_count = kept;
	if (kept < INVITES_MAX)
		return;
	memmove(&registrar->invites[0], &registrar->invites[1],
		(INVITES_MAX - 1) * sizeof registrar->invites[0]);
	registrar->invites_count--;
}

static bool keep(char *out, size_t size, struct text value)
{
	if (value.length == 0 || value.length >= size)
		return false;
	memcpy(out, value.data, value.length);
	return true;
}

bool registrar_fold_invite(
	struct registrar *registrar, const struct json *record, struct error *err)
{
	struct invite invite = {.expires_utc_ms = json_integer_or(record, "expires_utc_ms", 0),
		.environment = environment_of(json_text_or(record, "environment", ""))};

	if (!digest_parse(json_text_or(record, "code", ""), &invite.digest) ||
		invite.environment == ENVIRONMENT_NONE ||
		!keep(invite.owner, sizeof invite.owner,
			actor_person(json_text_or(record, "actor", ""))) ||
		!keep(invite.identity, sizeof invite.identity,
			json_text_or(record, "identity", "")) ||
		!keep(invite.backup_owner, sizeof invite.backup_owner,
			json_text_or(record, "backup_owner", "")) ||
		!keep(invite.purpose, sizeof invite.purpose, json_text_or(record, "purpose", "")))
		return error_set(err, ERROR_CORRUPT, "an invitation is malformed");
	registrar_forget_invite(registrar, record);
	make_room(registrar, json_integer_or(record, "at", 0));
	registrar->invites[registrar->invites_count++] = invite;
	return true;
}
