/* The tables as JSON: Schemas, ResourceTypes, ServiceProviderConfig (RFC 7643 §5 to §7). */
#include "domain/scim/schema.h"

static void put_schemas(struct json_builder *object, const char *urn)
{
	struct text one = text_of(urn);
	struct text *kept = arena_new(object->arena, struct text);

	if (kept == NULL) {
		object->failed = true;
		return;
	}
	*kept = one;
	json_put_texts(object, "schemas", kept, 1);
}

static bool put_meta(
	struct json_builder *object, const char *type, struct text location, struct error *err)
{
	struct json_builder meta;
	struct json sealed;

	json_object_start(&meta, object->arena);
	json_put_cstring(&meta, "resourceType", type);
	json_put_text(&meta, "location", location);
	if (location.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a description");
	if (!json_object_seal(&meta, &sealed, err))
		return false;
	json_put(object, "meta", sealed);
	return true;
}

static bool seal_supported(
	struct json_builder *object, const char *name, bool is_supported, struct error *err)
{
	struct json_builder one;
	struct json sealed;

	json_object_start(&one, object->arena);
	json_put_boolean(&one, "supported", is_supported);
	if (!json_object_seal(&one, &sealed, err))
		return false;
	json_put(object, name, sealed);
	return true;
}

/* ---- attributes ---- */

static const char *type_word(enum scim_type type)
{
	static const char *const words[] = {[SCIM_STRING] = "string",
		[SCIM_BOOLEAN] = "boolean",
		[SCIM_INTEGER] = "integer",
		[SCIM_DATETIME] = "dateTime",
		[SCIM_REFERENCE] = "reference",
		[SCIM_COMPLEX] = "complex"};

	return words[type];
}

static bool put_list(
	struct json_builder *object, const char *name, const char *const *words, struct error *err)
{
	struct json_builder list;
	struct json sealed;

	json_array_start(&list, object->arena);
	for (; *words != NULL; words++)
		json_add(&list, json_cstring(*words));
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(object, name, sealed);
	return true;
}

static bool put_references(
	struct json_builder *object, const struct scim_attribute *attribute, struct error *err)
{
	const char *const words[] = {
		attribute->refers_to == NULL ? "uri" : attribute->refers_to, NULL};

	return attribute->type != SCIM_REFERENCE || put_list(object, "referenceTypes", words, err);
}

/* Complex ones hold sub-attributes, which hold none: two levels (RFC 7643 §2.3.8), three where
 * the schema of schemas describes itself. */
static bool attributes_json(struct json *out, struct arena *arena,
	const struct scim_attribute *attributes, size_t count, struct error *err);

/* cppcheck-suppress misra-c2012-17.2; the tables are that deep, and no deeper */
static bool attribute_json(struct json *out, struct arena *arena,
	const struct scim_attribute *attribute, struct error *err)
{
	unsigned flags = attribute->flags;
	struct json_builder object;
	struct json subs;

	json_object_start(&object, arena);
	json_put_cstring(&object, "name", attribute->name);
	json_put_cstring(&object, "type", type_word(attribute->type));
	json_put_boolean(&object, "multiValued", (flags & SCIM_MULTI) != 0);
	json_put_cstring(&object, "description", attribute->description);
	json_put_boolean(&object, "required", (flags & SCIM_REQUIRED) != 0);
	json_put_boolean(&object, "caseExact", (flags & SCIM_EXACT) != 0);
	json_put_cstring(
		&object, "mutability", (flags & SCIM_READ_ONLY) != 0 ? "readOnly" : "readWrite");
	json_put_cstring(&object, "returned", (flags & SCIM_ALWAYS) != 0 ? "always" : "default");
	json_put_cstring(&object, "uniqueness", (flags & SCIM_UNIQUE) != 0 ? "server" : "none");
	if ((attribute->values != NULL &&
		    !put_list(&object, "canonicalValues", attribute->values, err)) ||
		!put_references(&object, attribute, err))
		return false;
	if (attribute->subs_count > 0) {
		if (!attributes_json(&subs, arena, attribute->subs, attribute->subs_count, err))
			return false;
		json_put(&object, "subAttributes", subs);
	}
	return json_object_seal(&object, out, err);
}

static bool attributes_json(struct json *out, struct arena *arena,
	const struct scim_attribute *attributes, size_t count, struct error *err)
{
	struct json_builder list;

	json_array_start(&list, arena);
	for (size_t i = 0; i < count; i++) {
		struct json one;

		if (!attribute_json(&one, arena, &attributes[i], err))
			return false;
		json_add(&list, one);
	}
	return json_array_seal(&list, out, err);
}

bool scim_schema_json(struct json *out, struct arena *arena, const struct scim_schema *schema,
	struct text base, struct error *err)
{
	struct json_builder object;
	struct json attributes;

	if (!attributes_json(&attributes, arena, schema->attributes, schema->attributes_count, err))
		return false;
	json_object_start(&object, arena);
	put_schemas(&object, "urn:ietf:params:scim:schemas:core:2.0:Schema");
	json_put_cstring(&object, "id", schema->urn);
	json_put_cstring(&object, "name", schema->name);
	json_put_cstring(&object, "description", schema->description);
	json_put(&object, "attributes", attributes);
	return put_meta(&object, "Schema",
		       text_format(arena, "%.*s/Schemas/%s", TEXT_ARGS(base), schema->urn), err) &&
	       json_object_seal(&object, out, err);
}

/* ---- types of resources ---- */

static bool put_extension(
	struct json_builder *object, const struct scim_schema *extension, struct error *err)
{
	struct json_builder list, one;
	struct json sealed;

	if (extension == NULL)
		return true;
	json_object_start(&one, object->arena);
	json_put_cstring(&one, "schema", extension->urn);
	json_put_boolean(&one, "required", false);
	if (!json_object_seal(&one, &sealed, err))
		return false;
	json_array_start(&list, object->arena);
	json_add(&list, sealed);
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(object, "schemaExtensions", sealed);
	return true;
}

bool scim_resource_type_json(struct json *out, struct arena *arena,
	const struct scim_resource_type *type, struct text base, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	put_schemas(&object, "urn:ietf:params:scim:schemas:core:2.0:ResourceType");
	json_put_cstring(&object, "id", type->name);
	json_put_cstring(&object, "name", type->name);
	json_put_cstring(&object, "endpoint", type->endpoint);
	json_put_cstring(&object, "description", type->description);
	json_put_cstring(&object, "schema", type->schema->urn);
	return put_extension(&object, type->extension, err) &&
	       put_meta(&object, "ResourceType",
		       text_format(arena, "%.*s/ResourceTypes/%s", TEXT_ARGS(base), type->name),
		       err) &&
	       json_object_seal(&object, out, err);
}

/* ---- what the service can do ---- */

static bool put_bulk(
	struct json_builder *object, const struct scim_limits *limits, struct error *err)
{
	struct json_builder bulk, filter;
	struct json sealed;

	json_object_start(&bulk, object->arena);
	json_put_boolean(&bulk, "supported", true);
	json_put_integer(&bulk, "maxOperations", limits->operations_max);
	json_put_integer(&bulk, "maxPayloadSize", limits->bytes_max);
	if (!json_object_seal(&bulk, &sealed, err))
		return false;
	json_put(object, "bulk", sealed);
	json_object_start(&filter, object->arena);
	json_put_boolean(&filter, "supported", true);
	json_put_integer(&filter, "maxResults", limits->results_max);
	if (!json_object_seal(&filter, &sealed, err))
		return false;
	json_put(object, "filter", sealed);
	return true;
}

static bool put_schemes(struct json_builder *object, struct error *err)
{
	struct json_builder list, one;
	struct json sealed;

	json_object_start(&one, object->arena);
	json_put_cstring(&one, "type", "oauthbearertoken");
	json_put_cstring(&one, "name", "Bearer token");
	json_put_cstring(&one, "description",
		"The token of one directory, made by `remit scim token` (RFC 6750)");
	json_put_boolean(&one, "primary", true);
	if (!json_object_seal(&one, &sealed, err))
		return false;
	json_array_start(&list, object->arena);
	json_add(&list, sealed);
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(object, "authenticationSchemes", sealed);
	return true;
}

bool scim_provider_json(struct json *out, struct arena *arena, const struct scim_limits *limits,
	struct text base, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	put_schemas(&object, "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig");
	return seal_supported(&object, "patch", true, err) && put_bulk(&object, limits, err) &&
	       seal_supported(&object, "changePassword", false, err) &&
	       seal_supported(&object, "sort", true, err) &&
	       seal_supported(&object, "etag", true, err) && put_schemes(&object, err) &&
	       put_meta(&object, "ServiceProviderConfig",
		       text_format(arena, "%.*s/ServiceProviderConfig", TEXT_ARGS(base)), err) &&
	       json_object_seal(&object, out, err);
}
