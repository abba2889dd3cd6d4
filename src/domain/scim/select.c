/* Which attributes are returned (RFC 7644 §3.9). */
#include "domain/scim/resource.h"

static struct text trimmed(struct text text)
{
	while (text.length > 0 && text.data[0] == ' ')
		text = text_after(text, 1);
	while (text.length > 0 && text.data[text.length - 1] == ' ')
		text.length--;
	return text;
}

/* The next name, without the comma behind it. */
static struct text take_name(struct text *rest)
{
	ptrdiff_t comma = text_find_byte(*rest, ',');
	struct text name = *rest;

	if (comma < 0) {
		*rest = TEXT("");
		return trimmed(name);
	}
	name.length = (size_t)comma;
	*rest = text_after(*rest, (size_t)comma + 1);
	return trimmed(name);
}

bool scim_selection_read(struct scim_selection *out, struct arena *arena,
	const struct scim_resource_type *type, struct text attributes, struct text excluded,
	struct scim_fault *fault)
{
	struct text rest = attributes.length > 0 ? attributes : excluded;
	struct scim_fault ignored;

	*out = (struct scim_selection){
		.is_exclusion = attributes.length == 0, .is_all = rest.length == 0};
	if (attributes.length > 0 && excluded.length > 0)
		return scim_fail(fault, 400, "invalidValue",
			"attributes and excludedAttributes exclude one another");
	while (rest.length > 0) {
		struct text name = take_name(&rest);

		if (out->count == SCIM_ATTRIBUTES_MAX)
			return scim_fail(fault, 400, "tooMany", "more than %d attributes",
				SCIM_ATTRIBUTES_MAX);
		if (name.length > 0 &&
			scim_path_parse(&out->paths[out->count], arena, type, name, &ignored))
			out->count++;
	}
	return true;
}

/* ---- cutting ---- */

struct cut {
	struct arena *arena;
	const struct scim_selection *selection;
	struct error *err;
};

/* Whether the whole attribute is named; *has_part if one of its parts is. */
static bool is_named(const struct cut *cut, const struct scim_schema *schema,
	const struct scim_attribute *attribute, bool *has_part)
{
	*has_part = false;
	for (size_t i = 0; i < cut->selection->count; i++) {
		const struct scim_path *path = &cut->selection->paths[i];

		if (path->schema != schema ||
			(path->attribute != NULL && path->attribute != attribute))
			continue;
		if (path->sub == NULL)
			return true;
		*has_part = true;
	}
	return false;
}

static bool is_part_named(const struct cut *cut, const struct scim_attribute *attribute,
	const struct scim_attribute *sub)
{
	for (size_t i = 0; i < cut->selection->count; i++)
		if (cut->selection->paths[i].attribute == attribute &&
			cut->selection->paths[i].sub == sub)
			return true;
	return false;
}

static bool cut_object(const struct cut *cut, const struct scim_attribute *attribute,
	const struct json *value, struct json *out)
{
	struct json_builder object;

	json_object_start(&object, cut->arena);
	for (size_t i = 0; i < attribute->subs_count; i++) {
		const struct scim_attribute *sub = &attribute->subs[i];
		const struct json *part = json_find(value, sub->name);

		if (part != NULL &&
			is_part_named(cut, attribute, sub) != cut->selection->is_exclusion)
			json_put(&object, sub->name, *part);
	}
	return json_object_seal(&object, out, cut->err);
}

static bool cut_value(const struct cut *cut, const struct scim_attribute *attribute,
	const struct json *value, struct json *out)
{
	struct json_builder list;

	if (value->type != JSON_ARRAY)
		return cut_object(cut, attribute, value, out);
	json_array_start(&list, cut->arena);
	for (uint32_t i = 0; i < value->count; i++) {
		struct json item;

		if (!cut_object(cut, attribute, &value->items[i], &item))
			return false;
		json_add(&list, item);
	}
	return json_array_seal(&list, out, cut->err);
}

static bool cut_fields(const struct cut *cut, const struct scim_schema *schema,
	const struct json *from, struct json_builder *out)
{
	for (size_t i = 0; i < schema->attributes_count; i++) {
		const struct scim_attribute *attribute = &schema->attributes[i];
		const struct json *value = json_find(from, attribute->name);
		bool has_part, is_whole;
		struct json kept;

		if (value == NULL)
			continue;
		is_whole = is_named(cut, schema, attribute, &has_part);
		if ((attribute->flags & SCIM_ALWAYS) != 0 ||
			(is_whole != cut->selection->is_exclusion && !has_part)) {
			json_put(out, attribute->name, *value);
			continue;
		}
		if (is_whole || !has_part)
			continue;
		if (!cut_value(cut, attribute, value, &kept))
			return false;
		json_put(out, attribute->name, kept);
	}
	return true;
}

static bool cut_extension(const struct cut *cut, const struct scim_schema *extension,
	const struct json *from, struct json_builder *out)
{
	const struct json *value = extension == NULL ? NULL : json_find(from, extension->urn);
	struct json_builder object;
	struct json sealed;

	if (value == NULL)
		return true;
	json_object_start(&object, cut->arena);
	if (!cut_fields(cut, extension, value, &object) ||
		!json_object_seal(&object, &sealed, cut->err))
		return false;
	if (sealed.count > 0)
		json_put(out, extension->urn, sealed);
	return true;
}

bool scim_select(struct json *out, struct arena *arena, const struct scim_resource_type *type,
	const struct json *resource, const struct scim_selection *selection, struct error *err)
{
	const struct cut cut = {arena, selection, err};
	struct json_builder object;

	if (selection->is_all) {
		*out = *resource;
		return true;
	}
	json_object_start(&object, arena);
	return cut_fields(&cut, &scim_common, resource, &object) &&
	       cut_fields(&cut, type->schema, resource, &object) &&
	       cut_extension(&cut, type->extension, resource, &object) &&
	       json_object_seal(&object, out, err);
}
