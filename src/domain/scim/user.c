/* The profile in a person's document holds the attributes that remit has no use of its own for,
 * as the directory wrote them, and when the resource was made and changed. */
#include "domain/scim/user.h"

#include "base/time.h"

static const char *const profile_members[] = {"name", "displayName", "title", "active", "emails"};

enum { PROFILE_MEMBERS = sizeof profile_members / sizeof *profile_members };

struct text scim_person_name(struct arena *arena, struct text user_name)
{
	char *copy = arena_copy_text(arena, user_name.data, user_name.length);

	for (size_t i = 0; copy != NULL && i < user_name.length; i++)
		if (copy[i] >= 'A' && copy[i] <= 'Z')
			copy[i] = (char)(copy[i] - 'A' + 'a');
	return (struct text){copy, copy == NULL ? 0 : user_name.length};
}

bool scim_user_is_active(const struct json *resource, bool otherwise)
{
	return json_boolean_or(resource, "active", otherwise);
}

struct text scim_user_department(const struct json *resource)
{
	return json_text_or(json_find(resource, SCIM_URN_ENTERPRISE), "department", "");
}

/* ---- as a resource ---- */

static void put_schemas(struct json_builder *object, const struct json *enterprise)
{
	struct json_builder list;
	struct json sealed;
	struct error err;

	json_array_start(&list, object->arena);
	json_add(&list, json_cstring(SCIM_URN_USER));
	if (enterprise != NULL)
		json_add(&list, json_cstring(SCIM_URN_ENTERPRISE));
	if (json_array_seal(&list, &sealed, &err))
		json_put(object, "schemas", sealed);
	else
		object->failed = true;
}

static void put_profile(struct json_builder *object, const struct person *person)
{
	const struct json *profile = &person->directory.profile;

	for (int i = 0; i < PROFILE_MEMBERS; i++) {
		const struct json *value = json_find(profile, profile_members[i]);

		if (value != NULL && value->type == JSON_BOOLEAN && person_has_left(person))
			json_put_boolean(object, profile_members[i], false);
		else if (value != NULL)
			json_put(object, profile_members[i], *value);
	}
}

bool scim_user_resource(
	struct json *out, struct arena *arena, const struct person *person, struct error *err)
{
	const struct json *enterprise = json_find(&person->directory.profile, "enterprise");
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_text_unless_empty(&object, "externalId", person->directory.external_id);
	json_put_text(&object, "userName", person->directory.user_name);
	put_profile(&object, person);
	if (enterprise != NULL)
		json_put(&object, SCIM_URN_ENTERPRISE, *enterprise);
	put_schemas(&object, enterprise);
	return json_object_seal(&object, out, err);
}

static bool meta_json(
	struct json *out, struct arena *arena, const struct scim_meta *meta, struct error *err)
{
	struct json_builder object;
	struct text location = text_format(arena, "%.*s%s/%.*s", TEXT_ARGS(meta->shown.base),
		meta->type->endpoint, TEXT_ARGS(meta->id));
	struct text version =
		text_format(arena, "W/\"%llu\"", (unsigned long long)meta->shown.revision);

	if (location.data == NULL || version.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a resource");
	json_object_start(&object, arena);
	json_put_cstring(&object, "resourceType", meta->type->name);
	json_put_text_unless_empty(&object, "created", meta->created);
	json_put_text_unless_empty(&object, "lastModified", meta->modified);
	json_put_text(&object, "location", location);
	json_put_text(&object, "version", version);
	return json_object_seal(&object, out, err);
}

bool scim_put_meta(struct json *out, struct arena *arena, const struct json *resource,
	const struct scim_meta *meta, struct error *err)
{
	struct json_builder object;
	struct json about;

	if (!meta_json(&about, arena, meta, err))
		return false;
	json_object_start(&object, arena);
	json_put_text(&object, "id", meta->id);
	for (uint32_t i = 0; i < resource->count; i++)
		json_put_named(&object, resource->members[i].name, resource->members[i].value);
	json_put(&object, "meta", about);
	return json_object_seal(&object, out, err);
}

bool scim_user_shown(struct json *out, struct arena *arena, const struct person *person,
	const struct scim_shown *shown, struct error *err)
{
	const struct scim_meta meta = {.type = &scim_user_type,
		.id = person->directory.id,
		.created = json_text_or(&person->directory.profile, "created", ""),
		.modified = json_text_or(&person->directory.profile, "modified", ""),
		.shown = *shown};
	struct json resource;

	return scim_user_resource(&resource, arena, person, err) &&
	       scim_put_meta(out, arena, &resource, &meta, err);
}

/* ---- as a document ---- */

static bool no_memory(struct scim_fault *fault)
{
	return scim_fail(fault, 503, NULL, "no memory for a person");
}

static struct text time_text(struct arena *arena, int64_t utc_ms)
{
	char written[TIME_TEXT_BYTES];

	time_format_utc_ms(written, utc_ms);
	return text_copy(arena, text_of(written));
}

/* Whole seconds, as documents have them. */
static struct text second_text(struct arena *arena, int64_t utc_ms)
{
	char written[TIME_TEXT_BYTES];

	time_format_utc_ms(written, utc_ms);
	return text_format(arena, "%.19sZ", written);
}

/* Whether the directory says what it said before. */
static bool is_same(struct arena *arena, const struct scim_provision *provision)
{
	struct json before;
	struct error err;

	return provision->person != NULL && provision->person->directory.id.length > 0 &&
	       scim_user_resource(&before, arena, provision->person, &err) &&
	       json_equal(&before, provision->resource);
}

static bool profile_json(struct json *out, struct arena *arena,
	const struct scim_provision *provision, struct scim_fault *fault)
{
	const struct json *enterprise = json_find(provision->resource, SCIM_URN_ENTERPRISE);
	struct text now = time_text(arena, provision->now_utc_ms), created = now, modified = now;
	struct json_builder object;
	struct error err;

	if (provision->person != NULL && provision->person->directory.id.length > 0)
		created = json_text_or(&provision->person->directory.profile, "created", "");
	if (is_same(arena, provision))
		modified = json_text_or(&provision->person->directory.profile, "modified", "");
	json_object_start(&object, arena);
	for (int i = 0; i < PROFILE_MEMBERS; i++) {
		const struct json *value = json_find(provision->resource, profile_members[i]);

		if (value != NULL)
			json_put(&object, profile_members[i], *value);
	}
	if (enterprise != NULL)
		json_put(&object, "enterprise", *enterprise);
	json_put_text_unless_empty(&object, "created", created);
	json_put_text_unless_empty(&object, "modified", modified);
	return json_object_seal(&object, out, &err) || no_memory(fault);
}

static bool check_size(struct arena *arena, const struct json *profile, struct scim_fault *fault)
{
	struct text written = json_canonical_text(arena, profile);

	if (written.data == NULL)
		return no_memory(fault);
	return written.length <= PERSON_PROFILE_BYTES_MAX ||
	       scim_fail(fault, 413, NULL, "more than %d bytes are said of one person",
		       PERSON_PROFILE_BYTES_MAX);
}

static bool directory_json(struct json *out, struct arena *arena,
	const struct scim_provision *provision, struct scim_fault *fault)
{
	struct json_builder object;
	struct json profile;
	struct error err;

	json_object_start(&object, arena);
	json_put_text(&object, "name", provision->directory);
	if (provision->resource != NULL) {
		if (!profile_json(&profile, arena, provision, fault) ||
			!check_size(arena, &profile, fault))
			return false;
		json_put_text(&object, "id", provision->id);
		json_put_text(
			&object, "user-name", json_text_or(provision->resource, "userName", ""));
		json_put_text_unless_empty(&object, "external-id",
			json_text_or(provision->resource, "externalId", ""));
		json_put(&object, "profile", profile);
	}
	return json_object_seal(&object, out, &err) || no_memory(fault);
}

static bool will_be_here(const struct scim_provision *provision)
{
	bool is_here = provision->person == NULL || !person_has_left(provision->person);

	/* Whoever comes back to the directory is here again. */
	if (provision->person != NULL && provision->person->directory.id.length == 0)
		is_here = true;
	return provision->resource != NULL && scim_user_is_active(provision->resource, is_here);
}

static bool put_roles(struct json_builder *document, const struct scim_provision *provision,
	struct scim_fault *fault)
{
	bool stays = text_equal(provision->unit, provision->person->unit);
	const struct json *roles = json_find(provision->before, "roles");
	const struct json *clearance = json_find(provision->before, "clearance");
	struct json_builder list;
	struct json sealed;
	struct error err;

	if (stays && roles != NULL)
		json_put(document, "roles", *roles);
	if (stays && clearance != NULL)
		json_put(document, "clearance", *clearance);
	if (stays || !person_has_role(provision->person, "administrator"))
		return true;
	json_array_start(&list, document->arena);
	json_add(&list, json_cstring("administrator"));
	if (!json_array_seal(&list, &sealed, &err))
		return no_memory(fault);
	json_put(document, "roles", sealed);
	return true;
}

/* Of who is here and was before; nobody brings anything along from an earlier time. */
static bool put_rights(struct json_builder *document, const struct scim_provision *provision,
	bool is_here, struct scim_fault *fault)
{
	const struct json *sign_in = json_find(provision->before, "sign-in");

	if (is_here && provision->person != NULL && !person_has_left(provision->person) &&
		!put_roles(document, provision, fault))
		return false;
	if (sign_in != NULL)
		json_put(document, "sign-in", *sign_in);
	return true;
}

static void put_left(
	struct json_builder *document, const struct scim_provision *provision, bool is_here)
{
	const struct json *left = json_find(provision->before, "left");

	if (is_here)
		return;
	if (left != NULL) {
		json_put(document, "left", *left);
		return;
	}
	json_put_text(document, "left", second_text(document->arena, provision->now_utc_ms));
}

bool scim_person_document(struct json *out, struct arena *arena,
	const struct scim_provision *provision, struct scim_fault *fault)
{
	bool is_here = will_be_here(provision);
	struct json_builder document;
	struct json directory;
	struct error err;

	if (!directory_json(&directory, arena, provision, fault))
		return false;
	json_object_start(&document, arena);
	json_put_cstring(&document, "object", "person");
	json_put_text(&document, "name", provision->name);
	json_put_text(&document, "unit", provision->unit);
	if (!put_rights(&document, provision, is_here, fault))
		return false;
	put_left(&document, provision, is_here);
	json_put(&document, "directory", directory);
	return json_object_seal(&document, out, &err) || no_memory(fault);
}
