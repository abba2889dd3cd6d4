/* How the registry's records become state, and rows.
 *
 * Rows, by (kind, key):
 *   registry-object    KIND/NAME@VERSION  a version in force or waiting
 *   registry-state     KIND/NAME          what of them holds, and the versions given
 *   registry-kill      NAME               the last kill of an identity
 *   registry-revision  revision           the revision, and whether founded
 *   person-key         PERSON/KID         a key, or the end of one whose kid is remembered
 *   admin-code         DIGEST             a code not yet used
 *   identity-invited   DIGEST             an invitation not yet used
 * Rows are folded in order of (index, kind), so an object comes before the state
 * that names it. */
#include "domain/charter/registry_fold.h"
#include "services/registry/registrar_private.h"

#include <string.h>

/* While loading, policies come row by row: they are compiled once, at its end. */
static bool fold_in(struct registrar *registrar, const struct json *record, struct error *err)
{
	return registry_fold(registrar->registry, record, registrar->scratch, err) &&
	       (fold_is_loading(registrar->fold) || registry_settle(registrar->registry, err));
}

/* ---- founding ---- */

static void look_who_can_sign(struct registrar *registrar)
{
	if (!registrar->is_joined)
		registrar->is_joined = registrar_count_signers(registrar) >= 2;
	if (registrar->is_joined && !registrar->is_founded)
		registrar->is_founded = registrar_count_administrators(registrar) >= 2;
}

/* Who makes the second administrator able to sign ends the founding, and the second
 * person the time alone; every later record says so, and neither ever begins again. */
static void note_founding(struct registrar *registrar, const struct json *record)
{
	if (json_boolean_or(record, "founded", false))
		registrar->is_founded = true;
	if (registrar->is_founded || json_boolean_or(record, "joined", false))
		registrar->is_joined = true;
	if (!fold_is_loading(registrar->fold))
		look_who_can_sign(registrar); /* else once everything is there */
}

/* ---- handlers ---- */

static bool fold_registry(void *state, const struct json *record, uint64_t index, struct error *err)
{
	(void)index;
	if (!fold_in(state, record, err))
		return false;
	registrar_forget_invite(state, record);
	note_founding(state, record);
	return true;
}

static bool fold_invite(void *state, const struct json *record, uint64_t index, struct error *err)
{
	(void)index;
	if (!registrar_fold_invite(state, record, err))
		return false;
	note_founding(state, record);
	return fold_in(state, record, err);
}

static void forget_code(struct registrar *registrar, const struct sha256 *digest)
{
	size_t kept = 0;

	for (size_t i = 0; i < registrar->codes_count; i++)
		if (!sha256_equal(&registrar->codes[i].digest, digest))
			registrar->codes[kept++] = registrar->codes[i];
	registrar->codes_count = kept;
}

static void forget_old_codes(struct registrar *registrar, int64_t now_utc_ms)
{
	size_t kept = 0;

	for (size_t i = 0; i < registrar->codes_count; i++)
		if (registrar->codes[i].expires_utc_ms > now_utc_ms)
			registrar->codes[kept++] = registrar->codes[i];
	registrar->codes_count = kept;
}

static bool fold_person_key(
	void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct registrar *registrar = state;
	struct sha256 code;

	(void)index;
	if (!fold_in(registrar, record, err))
		return false;
	if (digest_parse(json_text_or(record, "code", ""), &code))
		forget_code(registrar, &code);
	note_founding(registrar, record);
	return true;
}

static bool fold_admin_code(
	void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct registrar *registrar = state;
	struct text person = json_text_or(record, "person", "");
	struct one_time_code code = {
		.expires_utc_ms = json_integer_or(record, "expires_utc_ms", 0)};

	(void)index;
	if (!digest_parse(json_text_or(record, "code", ""), &code.digest) ||
		person.length > PERSON_NAME_BYTES_MAX)
		return error_set(err, ERROR_CORRUPT, "a code without its digest");
	memcpy(code.person, person.length == 0 ? "" : person.data, person.length);
	forget_old_codes(registrar, json_integer_or(record, "at", 0));
	forget_code(registrar, &code.digest);
	if (registrar->codes_count == CODES_MAX) { /* the oldest gives way */
		struct sha256 oldest = registrar->codes[0].digest;

		forget_code(registrar, &oldest);
	}
	registrar->codes[registrar->codes_count++] = code;
	note_founding(registrar, record);
	return fold_in(registrar, record, err);
}

static bool fold_kill(void *state, const struct json *record, uint64_t index, struct error *err)
{
	(void)index;
	return fold_in(state, record, err);
}

static bool finish_loading(void *state, struct error *err)
{
	struct registrar *registrar = state;
	if (!registry_settle(registrar->registry, err))
		return false;
	look_who_can_sign(registrar);
	return true;
}

/* ---- rows ---- */

static struct text object_key(struct arena *arena, const struct json *change, uint32_t version)
{
	struct text kind = json_text_or(change, "kind", "");
	struct text name = json_text_or(change, "name", "");

	if (version == 0)
		return text_format(arena, "%.*s/%.*s", TEXT_ARGS(kind), TEXT_ARGS(name));
	return text_format(arena, "%.*s/%.*s@%u", TEXT_ARGS(kind), TEXT_ARGS(name), version);
}

/* A row's body: a registry record with one change, which has all members of the
 * change but those left out; op is set. */
static void put_change_row(struct projection *projection, const char *row_kind, struct text key,
	const struct json *record, const struct json *change)
{
	bool is_object = text_is(text_of(row_kind), "registry-object");
	struct arena *arena = projection_arena(projection);
	struct json_builder body, one, list;
	struct json sealed_change, sealed_list, sealed;
	struct error err = {0};

	json_object_start(&one, arena);
	for (uint32_t i = 0; i < change->count; i++) {
		const struct json_member *member = &change->members[i];

		if (text_is(member->name, "op") || text_is(member->name, "drops") ||
			text_is(member->name, "widens") ||
			(!is_object && text_is(member->name, "object")))
			continue;
		json_put_named(&one, member->name, member->value);
	}
	json_put_cstring(&one, "op", is_object ? "hold" : "set");
	json_array_start(&list, arena);
	json_object_start(&body, arena);
	json_put_cstring(&body, "type", "registry");
	json_put_integer(&body, "at", json_integer_or(record, "at", 0));
	json_put_integer(&body, "revision", json_integer_or(record, "revision", 0));
	if (!json_object_seal(&one, &sealed_change, &err)) {
		projection_put(projection, row_kind, key, NULL);
		return;
	}
	json_add(&list, sealed_change);
	if (!json_array_seal(&list, &sealed_list, &err)) {
		projection_put(projection, row_kind, key, NULL);
		return;
	}
	json_put(&body, "changes", sealed_list);
	projection_put(
		projection, row_kind, key, json_object_seal(&body, &sealed, &err) ? &sealed : NULL);
}

static void project_change(
	struct projection *projection, const struct json *record, const struct json *change)
{
	struct arena *arena = projection_arena(projection);
	const struct json *drops = json_find(change, "drops");

	for (uint32_t i = 0; drops != NULL && drops->type == JSON_ARRAY && i < drops->count; i++)
		projection_delete(projection, "registry-object",
			object_key(arena, change, (uint32_t)drops->items[i].integer));
	if (json_find(change, "object") != NULL)
		put_change_row(projection, "registry-object",
			object_key(arena, change, registry_change_number(change, "version")),
			record, change);
	put_change_row(projection, "registry-state", object_key(arena, change, 0), record, change);
	if (text_is(json_text_or(change, "op", ""), "remove") &&
		text_is(json_text_or(change, "kind", ""), "person"))
		projection_delete_prefix(projection, "person-key",
			text_format(arena, "%.*s/", TEXT_ARGS(json_text_or(change, "name", ""))));
}

static void project_changes(struct projection *projection, const struct json *record)
{
	const struct json *changes = json_find(record, "changes");
	struct json_builder body;
	struct json sealed;
	struct error err = {0};

	for (uint32_t i = 0; changes != NULL && changes->type == JSON_ARRAY && i < changes->count;
		i++)
		project_change(projection, record, &changes->items[i]);
	json_object_start(&body, projection_arena(projection));
	json_put_cstring(&body, "type", "registry");
	json_put_integer(&body, "revision", json_integer_or(record, "revision", 0));
	json_put_boolean(&body, "founded", json_boolean_or(record, "founded", false));
	json_put_boolean(&body, "joined", json_boolean_or(record, "joined", false));
	projection_put(projection, "registry-revision", TEXT("revision"),
		json_object_seal(&body, &sealed, &err) ? &sealed : NULL);
}

static void project_registry(const struct json *record, struct projection *projection)
{
	struct text code = json_text_or(record, "code", "");

	project_changes(projection, record);
	if (code.length > 0)
		projection_delete(projection, "identity-invited", code);
}

/* A decision may change nothing of the registry. */
static void project_reviewed(const struct json *record, struct projection *projection)
{
	if (json_find(record, "changes") != NULL)
		project_changes(projection, record);
}

static void project_invite(const struct json *record, struct projection *projection)
{
	project_changes(projection, record);
	projection_put(projection, "identity-invited", json_text_or(record, "code", ""), record);
}

/* The key's row is the record without the changes, which have rows of their
 * own. */
static void put_key_row(struct projection *projection, struct text key, const struct json *record)
{
	struct json_builder body;
	struct json sealed;
	struct error err = {0};

	json_object_start(&body, projection_arena(projection));
	for (uint32_t i = 0; i < record->count; i++)
		if (!text_is(record->members[i].name, "changes"))
			json_put_named(&body, record->members[i].name, record->members[i].value);
	projection_put(projection, "person-key", key,
		json_object_seal(&body, &sealed, &err) ? &sealed : NULL);
}

static void delete_dropped_keys(
	struct projection *projection, const struct json *record, struct text person)
{
	const struct json *drops = json_find(record, "drops");

	for (uint32_t i = 0; drops != NULL && drops->type == JSON_ARRAY && i < drops->count; i++)
		projection_delete(projection, "person-key",
			text_format(projection_arena(projection), "%.*s/%.*s", TEXT_ARGS(person),
				TEXT_ARGS(drops->items[i].string)));
}

static void project_person_key(const struct json *record, struct projection *projection)
{
	struct text person = json_text_or(record, "person", "");
	struct text kid = json_text_or(record, "kid", "");
	struct text code = json_text_or(record, "code", "");
	struct text key = text_format(
		projection_arena(projection), "%.*s/%.*s", TEXT_ARGS(person), TEXT_ARGS(kid));

	project_changes(projection, record);
	delete_dropped_keys(projection, record, person);
	if (code.length > 0)
		projection_delete(projection, "admin-code", code);
	if (text_is(json_text_or(record, "verb", ""), "revoke"))
		projection_delete(projection, "person-key", key);
	else
		put_key_row(projection, key, record);
}

static void project_admin_code(const struct json *record, struct projection *projection)
{
	project_changes(projection, record);
	projection_put(projection, "admin-code", json_text_or(record, "code", ""), record);
}

static void project_kill(const struct json *record, struct projection *projection)
{
	struct text identity = json_text_or(record, "identity", "");
	struct text target = json_text_or(record, "target", "identity");

	if (text_is(target, "unit"))
		projection_put(projection, "registry-kill",
			text_format(projection_arena(projection), "unit/%.*s",
				TEXT_ARGS(json_text_or(record, "unit", ""))),
			record);
	else if (text_is(target, "identity") && identity.length > 0 &&
		 json_find(record, "task") == NULL)
		projection_put(projection, "registry-kill", identity, record);
}

bool registrar_register(struct registrar *registrar, struct error *err)
{
	const struct fold_handler handlers[] = {
		{"registry", fold_registry, finish_loading, registrar},
		{"state", fold_registry, NULL, registrar},
		{"review-decided", fold_registry, NULL, registrar},
		{"person-key", fold_person_key, NULL, registrar},
		{"admin-code", fold_admin_code, NULL, registrar},
		{"identity-invited", fold_invite, NULL, registrar},
		{"kill", fold_kill, NULL, registrar},
	};
	static const struct fold_projector projectors[] = {
		{"registry", project_registry},
		{"state", project_registry},
		{"review-decided", project_reviewed},
		{"person-key", project_person_key},
		{"admin-code", project_admin_code},
		{"identity-invited", project_invite},
		{"kill", project_kill},
	};

	for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
		if (!fold_add(registrar->fold, &handlers[i], err))
			return false;
	for (size_t i = 0; i < sizeof projectors / sizeof *projectors; i++)
		if (!fold_add_projector(registrar->fold, &projectors[i], err))
			return false;
	return true;
}

const struct one_time_code *registrar_find_code(
	const struct registrar *registrar, const struct sha256 *digest, int64_t now_utc_ms)
{
	for (size_t i = 0; i < registrar->codes_count; i++)
		if (sha256_equal(&registrar->codes[i].digest, digest) &&
			registrar->codes[i].expires_utc_ms > now_utc_ms)
			return &registrar->codes[i];
	return NULL;
}
