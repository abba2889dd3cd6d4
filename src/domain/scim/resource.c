#include "domain/scim/resource.h"

struct reading {
	struct arena *arena;
	struct scim_fault *fault;
	const char *within; /* name of the complex attribute, or NULL */
};

static bool no_memory(struct scim_fault *fault)
{
	return scim_fail(fault, 503, NULL, "no memory for a resource");
}

static bool wrong(
	const struct reading *reading, const struct scim_attribute *attribute, const char *what)
{
	return scim_fail(reading->fault, 400, "invalidValue", "%s%s%s: %s",
		reading->within == NULL ? "" : reading->within, reading->within == NULL ? "" : ".",
		attribute->name, what);
}

/* The member by its name in any case; false: it is there twice. */
static bool find_member(const struct reading *reading, const struct json *object, struct text name,
	const struct json **out)
{
	*out = NULL;
	for (uint32_t i = 0; i < object->count; i++) {
		if (!scim_same_letters(object->members[i].name, name))
			continue;
		if (*out != NULL)
			return scim_fail(reading->fault, 400, "invalidSyntax",
				"\"%.*s\" is there twice", TEXT_ARGS(name));
		*out = &object->members[i].value;
	}
	return true;
}

static bool is_unassigned(const struct json *value)
{
	return value == NULL || value->type == JSON_NULL ||
	       ((value->type == JSON_ARRAY || value->type == JSON_OBJECT) && value->count == 0);
}

/* ---- values ---- */

static bool is_canonical(const struct scim_attribute *attribute, struct text value)
{
	const char *const *word = attribute->values;

	while (word != NULL && *word != NULL && !scim_same_letters(text_of(*word), value))
		word++;
	return word == NULL || *word != NULL;
}

static bool read_text(const struct reading *reading, const struct scim_attribute *attribute,
	const struct json *value, struct json *out)
{
	if (value->type != JSON_STRING)
		return wrong(reading, attribute, "a string is expected");
	if (value->string.length > SCIM_VALUE_BYTES_MAX)
		return wrong(reading, attribute, "is longer than 1024 bytes");
	for (size_t i = 0; i < value->string.length; i++)
		if ((unsigned char)value->string.data[i] < ' ')
			return wrong(reading, attribute, "has a control character");
	if (!is_canonical(attribute, value->string))
		return wrong(reading, attribute, "is none of its canonical values");
	*out = json_string(value->string);
	return true;
}

static bool read_fields(const struct reading *reading, const struct scim_attribute *attributes,
	size_t count, const struct json *written, struct json_builder *out);

static bool read_complex(const struct reading *reading, const struct scim_attribute *attribute,
	const struct json *value, struct json *out)
{
	struct reading inner = *reading;
	struct json_builder object;
	struct error err = {0};

	if (value->type != JSON_OBJECT)
		return wrong(reading, attribute, "an object is expected");
	inner.within = attribute->name;
	json_object_start(&object, reading->arena);
	return read_fields(&inner, attribute->subs, attribute->subs_count, value, &object) &&
	       (json_object_seal(&object, out, &err) || no_memory(reading->fault));
}

/* Complex attributes have no complex ones in them, so this is two levels deep. */
static bool read_value(const struct reading *reading, const struct scim_attribute *attribute,
	const struct json *value, struct json *out)
{
	if (attribute->type == SCIM_COMPLEX)
		return read_complex(reading, attribute, value, out);
	if (attribute->type != SCIM_BOOLEAN)
		return read_text(reading, attribute, value, out);
	if (value->type != JSON_BOOLEAN)
		return wrong(reading, attribute, "true or false is expected");
	*out = json_boolean(value->boolean);
	return true;
}

static size_t items_max(const struct scim_attribute *attribute)
{
	return text_is(text_of(attribute->name), "members") ? SCIM_MEMBERS_MAX : SCIM_EMAILS_MAX;
}

static bool check_primary(const struct reading *reading, const struct scim_attribute *attribute,
	const struct json *list)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < list->count; i++)
		count += json_boolean_or(&list->items[i], "primary", false);
	return count <= 1 || wrong(reading, attribute, "two are primary");
}

static bool read_list(const struct reading *reading, const struct scim_attribute *attribute,
	const struct json *value, struct json *out)
{
	struct json_builder list;
	struct error err = {0};

	if (value->type != JSON_ARRAY)
		return wrong(reading, attribute, "a list is expected");
	if (value->count > items_max(attribute))
		return scim_fail(reading->fault, 413, NULL, "%s: more than %zu values",
			attribute->name, items_max(attribute));
	json_array_start(&list, reading->arena);
	for (uint32_t i = 0; i < value->count; i++) {
		struct json item = json_null();

		if (!read_value(reading, attribute, &value->items[i], &item))
			return false;
		if (!is_unassigned(&item))
			json_add(&list, item);
	}
	return (json_array_seal(&list, out, &err) || no_memory(reading->fault)) &&
	       check_primary(reading, attribute, out);
}

static bool read_field(const struct reading *reading, const struct scim_attribute *attribute,
	const struct json *written, struct json_builder *out)
{
	const struct json *value;
	struct json read = json_null();

	if ((attribute->flags & SCIM_READ_ONLY) != 0)
		return true;
	if (!find_member(reading, written, text_of(attribute->name), &value))
		return false;
	if (is_unassigned(value))
		return (attribute->flags & SCIM_REQUIRED) == 0 ||
		       wrong(reading, attribute, "is missing");
	if ((attribute->flags & SCIM_MULTI) != 0 ? !read_list(reading, attribute, value, &read)
						 : !read_value(reading, attribute, value, &read))
		return false;
	if ((attribute->flags & SCIM_REQUIRED) != 0 && read.type == JSON_STRING &&
		read.string.length == 0)
		return wrong(reading, attribute, "is empty");
	if (!is_unassigned(&read))
		json_put(out, attribute->name, read);
	return true;
}

static bool read_fields(const struct reading *reading, const struct scim_attribute *attributes,
	size_t count, const struct json *written, struct json_builder *out)
{
	for (size_t i = 0; i < count; i++)
		if (!read_field(reading, &attributes[i], written, out))
			return false;
	return true;
}

/* ---- the whole ---- */

static bool read_extension(const struct reading *reading, const struct scim_schema *extension,
	const struct json *written, struct json_builder *out, bool *has_extension)
{
	struct json_builder object;
	struct error err = {0};
	const struct json *value;
	struct json read = json_null();

	*has_extension = false;
	if (extension == NULL)
		return true;
	if (!find_member(reading, written, text_of(extension->urn), &value))
		return false;
	if (is_unassigned(value))
		return true;
	if (value->type != JSON_OBJECT)
		return scim_fail(reading->fault, 400, "invalidValue", "%s: an object is expected",
			extension->urn);
	json_object_start(&object, reading->arena);
	if (!read_fields(
		    reading, extension->attributes, extension->attributes_count, value, &object))
		return false;
	if (!json_object_seal(&object, &read, &err))
		return no_memory(reading->fault);
	*has_extension = read.count > 0;
	if (*has_extension)
		json_put(out, extension->urn, read);
	return true;
}

static bool put_schemas(const struct reading *reading, const struct scim_resource_type *type,
	bool has_extension, struct json_builder *out)
{
	struct json_builder list;
	struct error err = {0};
	struct json sealed;

	json_array_start(&list, reading->arena);
	json_add(&list, json_cstring(type->schema->urn));
	if (has_extension)
		json_add(&list, json_cstring(type->extension->urn));
	if (!json_array_seal(&list, &sealed, &err))
		return no_memory(reading->fault);
	json_put(out, "schemas", sealed);
	return true;
}

bool scim_has_schema(const struct json *body, const char *urn)
{
	const struct json *schemas = json_find(body, "schemas");

	for (uint32_t i = 0; schemas != NULL && schemas->type == JSON_ARRAY && i < schemas->count;
		i++)
		if (schemas->items[i].type == JSON_STRING &&
			scim_same_letters(schemas->items[i].string, text_of(urn)))
			return true;
	return false;
}

bool scim_resource_read(struct json *out, struct arena *arena,
	const struct scim_resource_type *type, const struct json *written, struct scim_fault *fault)
{
	const struct reading reading = {.arena = arena, .fault = fault};
	const struct scim_attribute *external = scim_attribute_find(
		scim_common.attributes, scim_common.attributes_count, TEXT("externalId"));
	struct json_builder object;
	struct error err = {0};
	bool has_extension;

	if (written->type != JSON_OBJECT)
		return scim_fail(fault, 400, "invalidSyntax", "the body must be a JSON object");
	if (!scim_has_schema(written, type->schema->urn))
		return scim_fail(
			fault, 400, "invalidValue", "schemas: must name %s", type->schema->urn);
	json_object_start(&object, arena);
	if (!read_field(&reading, external, written, &object) ||
		!read_fields(&reading, type->schema->attributes, type->schema->attributes_count,
			written, &object) ||
		!read_extension(&reading, type->extension, written, &object, &has_extension) ||
		!put_schemas(&reading, type, has_extension, &object))
		return false;
	return json_object_seal(&object, out, &err) || no_memory(fault);
}

bool scim_with(struct json *out, struct arena *arena, const struct json *object, const char *name,
	const struct json *value, struct error *err)
{
	struct json_builder builder;
	bool is_put = value == NULL;

	json_object_start(&builder, arena);
	for (uint32_t i = 0; object != NULL && i < object->count; i++) {
		const struct json_member *member = &object->members[i];

		if (!text_is(member->name, name)) {
			json_put_named(&builder, member->name, member->value);
		} else if (!is_put) {
			json_put(&builder, name, *value);
			is_put = true;
		}
	}
	if (!is_put)
		json_put(&builder, name, *value);
	return json_object_seal(&builder, out, err);
}
