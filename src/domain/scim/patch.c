/* PATCH: one operation after the other on a resource that is built anew each time; all of them,
 * or none.  What came of it is read again, so nothing that POST would refuse gets in this way. */
#include "domain/scim/resource.h"

enum how { HOW_ADD, HOW_REPLACE, HOW_REMOVE };

struct patching {
	struct arena *arena;
	const struct scim_resource_type *type;
	struct json resource; /* so far */
	enum how how;
	struct scim_fault *fault;
};

static bool no_memory(struct patching *patching)
{
	return scim_fail(patching->fault, 503, NULL, "no memory for a change");
}

static bool is_extension(const struct patching *patching, const struct scim_path *path)
{
	return patching->type->extension != NULL && path->schema == patching->type->extension;
}

/* ---- values ---- */

/* "True" for true, as one directory writes it. */
static struct json as_type(const struct scim_attribute *attribute, const struct json *value)
{
	if (attribute->type != SCIM_BOOLEAN || value->type != JSON_STRING)
		return *value;
	if (scim_same_letters(value->string, TEXT("true")))
		return json_boolean(true);
	if (scim_same_letters(value->string, TEXT("false")))
		return json_boolean(false);
	return *value;
}

/* An object with the parts of another; parts that are null go. */
static bool merge(struct patching *patching, const struct scim_attribute *attribute,
	const struct json *into, const struct json *from, struct json *out)
{
	struct error err = {0};

	*out = into == NULL ? (struct json){.type = JSON_OBJECT} : *into;
	for (uint32_t i = 0; i < from->count; i++) {
		const struct scim_attribute *sub = scim_attribute_find(
			attribute->subs, attribute->subs_count, from->members[i].name);
		struct json value;

		if (sub == NULL)
			continue;
		value = as_type(sub, &from->members[i].value);
		if (!scim_with(out, patching->arena, out, sub->name,
			    value.type == JSON_NULL ? NULL : &value, &err))
			return no_memory(patching);
	}
	return true;
}

static bool set_part(struct patching *patching, const struct scim_attribute *sub,
	const struct json *object, const struct json *value, struct json *out)
{
	struct error err = {0};
	struct json typed = value == NULL ? json_null() : as_type(sub, value);

	return scim_with(out, patching->arena, object, sub->name,
		       typed.type == JSON_NULL ? NULL : &typed, &err) ||
	       no_memory(patching);
}

/* ---- lists ---- */

static bool same_value(const struct json *a, const struct json *b)
{
	const struct json *left = json_find(a, "value"), *right = json_find(b, "value");

	if (json_equal(a, b))
		return true;
	/* A member is who it is, whatever else is said of them. */
	return left != NULL && right != NULL && json_find(a, "primary") == NULL &&
	       json_find(b, "primary") == NULL && json_find(b, "type") == NULL &&
	       json_equal(left, right);
}

static bool has_value(const struct json *list, const struct json *value)
{
	for (uint32_t i = 0; list != NULL && list->type == JSON_ARRAY && i < list->count; i++)
		if (same_value(&list->items[i], value))
			return true;
	return false;
}

static bool is_primary(const struct json *value)
{
	return json_boolean_or(value, "primary", false);
}

/* Who becomes the primary one takes that from the others (RFC 7644 §3.5.2). */
static bool add_old(struct patching *patching, struct json_builder *list, const struct json *old,
	bool takes_primary)
{
	const struct json no = json_boolean(false);
	struct json changed = *old;
	struct error err = {0};

	if (takes_primary && is_primary(old) &&
		!scim_with(&changed, patching->arena, old, "primary", &no, &err))
		return no_memory(patching);
	json_add(list, changed);
	return true;
}

/* The values of an addition: one, or a list of them. */
static const struct json *values_of(const struct json *value, uint32_t *count)
{
	*count = value->type == JSON_ARRAY ? value->count : 1;
	return value->type == JSON_ARRAY ? value->items : value;
}

static bool typed_item(struct patching *patching, const struct scim_attribute *attribute,
	const struct json *value, struct json *out)
{
	*out = *value;
	return value->type != JSON_OBJECT || merge(patching, attribute, NULL, value, out);
}

static bool add_to_list(struct patching *patching, const struct scim_attribute *attribute,
	const struct json *list, const struct json *value, struct json *out)
{
	struct json_builder made;
	struct error err = {0};
	bool takes_primary = false;
	uint32_t count;
	const struct json *items = values_of(value, &count);

	json_array_start(&made, patching->arena);
	for (uint32_t i = 0; i < count; i++) {
		struct json item;

		if (!typed_item(patching, attribute, &items[i], &item))
			return false;
		takes_primary |= is_primary(&item);
	}
	for (uint32_t i = 0; list != NULL && list->type == JSON_ARRAY && i < list->count; i++)
		if (!add_old(patching, &made, &list->items[i], takes_primary))
			return false;
	for (uint32_t i = 0; i < count; i++) {
		struct json item;

		if (!typed_item(patching, attribute, &items[i], &item))
			return false;
		if (!has_value(list, &item))
			json_add(&made, item);
	}
	return json_array_seal(&made, out, &err) || no_memory(patching);
}

static bool replace_list(struct patching *patching, const struct scim_attribute *attribute,
	const struct json *value, struct json *out)
{
	return add_to_list(patching, attribute, NULL, value, out);
}

/* Those of the list that are not among the values; all of them without values. */
static bool remove_from_list(struct patching *patching, const struct json *list,
	const struct json *value, struct json *out)
{
	struct json_builder left;
	struct error err = {0};
	uint32_t count;
	const struct json *items = values_of(value, &count);

	json_array_start(&left, patching->arena);
	for (uint32_t i = 0; list != NULL && list->type == JSON_ARRAY && i < list->count; i++) {
		bool goes = false;

		for (uint32_t j = 0; j < count; j++)
			goes |= same_value(&list->items[i], &items[j]);
		if (!goes)
			json_add(&left, list->items[i]);
	}
	return json_array_seal(&left, out, &err) || no_memory(patching);
}

/* ---- values that a filter chooses ---- */

/* One that the filter describes: type eq "work" makes {type: work}. */
static bool describe(struct patching *patching, const struct scim_filter *filter, struct json *out)
{
	struct error err = {0};

	if (filter->how == SCIM_AND)
		return describe(patching, filter->left, out) &&
		       describe(patching, filter->right, out);
	if (filter->how != SCIM_EQ || filter->path.sub == NULL)
		return scim_fail(patching->fault, 400, "noTarget",
			"no value is like that, and none can be made of it");
	return scim_with(out, patching->arena, out, filter->path.sub->name, &filter->value, &err) ||
	       no_memory(patching);
}

/* What becomes of a chosen value; *stays false: it goes. */
static bool change_chosen(struct patching *patching, const struct scim_path *path,
	const struct json *old, const struct json *value, struct json *out, bool *stays)
{
	*stays = patching->how != HOW_REMOVE || path->sub != NULL;
	*out = *old;
	if (!*stays)
		return true;
	if (path->sub != NULL)
		return set_part(
			patching, path->sub, old, patching->how == HOW_REMOVE ? NULL : value, out);
	if (value->type != JSON_OBJECT)
		return scim_fail(patching->fault, 400, "invalidValue", "%s: an object is expected",
			path->attribute->name);
	return merge(patching, path->attribute, old, value, out);
}

/* Adds what the path describes. */
static bool make_chosen(struct patching *patching, const struct scim_path *path,
	const struct json *value, struct json_builder *list)
{
	struct json made = {.type = JSON_OBJECT}, full;
	bool stays;

	if (patching->how == HOW_REMOVE)
		return true;
	if (patching->how == HOW_REPLACE)
		return scim_fail(patching->fault, 400, "noTarget", "no value of %s is like that",
			path->attribute->name);
	if (!describe(patching, path->filter, &made) ||
		!change_chosen(patching, path, &made, value, &full, &stays))
		return false;
	json_add(list, full);
	return true;
}

static bool change_values(struct patching *patching, const struct scim_path *path,
	const struct json *list, const struct json *value, struct json *out)
{
	struct json_builder made;
	struct error err = {0};
	bool is_found = false;

	json_array_start(&made, patching->arena);
	for (uint32_t i = 0; list != NULL && list->type == JSON_ARRAY && i < list->count; i++) {
		struct json changed = list->items[i];
		bool stays = true;

		if (scim_filter_holds_of(path->filter, &list->items[i])) {
			is_found = true;
			if (!change_chosen(
				    patching, path, &list->items[i], value, &changed, &stays))
				return false;
		}
		if (stays)
			json_add(&made, changed);
	}
	if (!is_found && !make_chosen(patching, path, value, &made))
		return false;
	return json_array_seal(&made, out, &err) || no_memory(patching);
}

/* A part of every value of a list, or of the one value. */
static bool change_parts(struct patching *patching, const struct scim_path *path,
	const struct json *old, const struct json *value, struct json *out)
{
	const struct json none = {.type = JSON_OBJECT};
	struct json_builder made;
	struct error err = {0};

	if ((path->attribute->flags & SCIM_MULTI) == 0)
		return set_part(patching, path->sub, old == NULL ? &none : old, value, out);
	json_array_start(&made, patching->arena);
	for (uint32_t i = 0; old != NULL && old->type == JSON_ARRAY && i < old->count; i++) {
		struct json changed;

		if (!set_part(patching, path->sub, &old->items[i], value, &changed))
			return false;
		json_add(&made, changed);
	}
	return json_array_seal(&made, out, &err) || no_memory(patching);
}

/* ---- one path ---- */

/* The new value of the attribute; JSON_NULL: it goes. */
static bool change_attribute(struct patching *patching, const struct scim_path *path,
	const struct json *old, const struct json *value, struct json *out)
{
	const struct scim_attribute *attribute = path->attribute;
	bool is_list = (attribute->flags & SCIM_MULTI) != 0;

	if (path->filter != NULL)
		return change_values(patching, path, old, value, out);
	if (path->sub != NULL)
		return change_parts(
			patching, path, old, patching->how == HOW_REMOVE ? NULL : value, out);
	if (patching->how == HOW_REMOVE && is_list && value != NULL && value->type != JSON_NULL)
		return remove_from_list(patching, old, value, out);
	*out = json_null();
	if (patching->how == HOW_REMOVE || value->type == JSON_NULL)
		return true;
	if (is_list)
		return patching->how == HOW_ADD ? add_to_list(patching, attribute, old, value, out)
						: replace_list(patching, attribute, value, out);
	*out = as_type(attribute, value);
	return attribute->type != SCIM_COMPLEX || value->type != JSON_OBJECT ||
	       merge(patching, attribute, old, value, out);
}

static bool put_changed(struct patching *patching, const struct scim_path *path,
	const struct json *object, const struct json *value, struct json *out)
{
	struct json changed;
	struct error err = {0};

	if (!change_attribute(patching, path,
		    object == NULL ? NULL : json_find(object, path->attribute->name), value,
		    &changed))
		return false;
	return scim_with(out, patching->arena, object, path->attribute->name,
		       changed.type == JSON_NULL ? NULL : &changed, &err) ||
	       no_memory(patching);
}

static bool change_at(
	struct patching *patching, const struct scim_path *path, const struct json *value)
{
	const char *urn;
	struct error err = {0};
	struct json inner;

	if ((path->attribute->flags & SCIM_READ_ONLY) != 0 ||
		(path->sub != NULL && (path->sub->flags & SCIM_READ_ONLY) != 0))
		return scim_fail(patching->fault, 400, "mutability", "%s is read-only",
			path->attribute->name);
	if (!is_extension(patching, path))
		return put_changed(patching, path, &patching->resource, value, &patching->resource);
	urn = path->schema->urn;
	return put_changed(patching, path, json_find(&patching->resource, urn), value, &inner) &&
	       (scim_with(&patching->resource, patching->arena, &patching->resource, urn, &inner,
			&err) ||
		       no_memory(patching));
}

/* Each member of a value without path is a path of its own; what is not kept, or read-only, is
 * passed over, as in a whole resource. */
static bool change_members(
	struct patching *patching, const struct scim_schema *schema, const struct json *value);

static bool change_member(struct patching *patching, const struct scim_schema *schema,
	struct text name, const struct json *value)
{
	struct text prefix = text_of(schema == NULL ? "" : schema->urn);
	struct text whole = schema == NULL ? name
					   : text_format(patching->arena, "%.*s:%.*s",
						     TEXT_ARGS(prefix), TEXT_ARGS(name));
	struct scim_fault ignored;
	struct scim_path path;

	if (whole.data == NULL)
		return no_memory(patching);
	if (!scim_path_parse(&path, patching->arena, patching->type, whole, &ignored))
		return true;
	if (path.attribute == NULL)
		return schema == NULL ? change_members(patching, path.schema, value) : true;
	if ((path.attribute->flags & SCIM_READ_ONLY) != 0 ||
		text_is(text_of(path.attribute->name), "schemas"))
		return true;
	return change_at(patching, &path, value);
}

/* Twice at most: an extension within a value. */
static bool change_members(
	struct patching *patching, const struct scim_schema *schema, const struct json *value)
{
	if (value->type != JSON_OBJECT)
		return scim_fail(patching->fault, 400, "invalidValue",
			"the value of an operation without path is an object");
	for (uint32_t i = 0; i < value->count; i++)
		if (!change_member(
			    patching, schema, value->members[i].name, &value->members[i].value))
			return false;
	return true;
}

static bool remove_extension(struct patching *patching, const struct scim_schema *extension)
{
	struct error err = {0};

	return scim_with(&patching->resource, patching->arena, &patching->resource, extension->urn,
		       NULL, &err) ||
	       no_memory(patching);
}

/* ---- operations ---- */

static bool read_op(struct patching *patching, const struct json *operation)
{
	static const char *const words[] = {
		[HOW_ADD] = "add", [HOW_REPLACE] = "replace", [HOW_REMOVE] = "remove"};
	struct text op = json_text_or(operation, "op", "");

	for (int i = HOW_ADD; i <= HOW_REMOVE; i++)
		if (scim_same_letters(op, text_of(words[i]))) {
			patching->how = (enum how)i;
			return true;
		}
	return scim_fail(
		patching->fault, 400, "invalidSyntax", "op must be add, replace or remove");
}

static bool run_at(struct patching *patching, struct text text, const struct json *value)
{
	struct scim_path path;

	if (!scim_path_parse(&path, patching->arena, patching->type, text, patching->fault))
		return false;
	if (path.attribute != NULL && text_is(text_of(path.attribute->name), "schemas"))
		return true; /* they are made */
	if (patching->how != HOW_REMOVE && value == NULL)
		return scim_fail(patching->fault, 400, "invalidValue", "a value is missing");
	if (path.attribute != NULL)
		return change_at(patching, &path, value);
	return patching->how == HOW_REMOVE ? remove_extension(patching, path.schema)
					   : change_members(patching, path.schema, value);
}

static bool run(struct patching *patching, const struct json *operation)
{
	const struct json *path = json_find(operation, "path");
	const struct json *value = json_find(operation, "value");

	if (operation->type != JSON_OBJECT)
		return scim_fail(
			patching->fault, 400, "invalidSyntax", "an operation is an object");
	if (!read_op(patching, operation))
		return false;
	if (path != NULL && path->type == JSON_STRING && path->string.length > 0)
		return run_at(patching, path->string, value);
	if (path != NULL && path->type != JSON_STRING && path->type != JSON_NULL)
		return scim_fail(patching->fault, 400, "invalidPath", "a path is a string");
	if (patching->how == HOW_REMOVE)
		return scim_fail(patching->fault, 400, "noTarget", "remove needs a path");
	if (value == NULL)
		return scim_fail(patching->fault, 400, "invalidValue", "a value is missing");
	return change_members(patching, NULL, value);
}

bool scim_patch(struct json *out, struct arena *arena, const struct scim_resource_type *type,
	const struct json *resource, const struct json *body, struct scim_fault *fault)
{
	static const char urn[] = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
	struct patching patching = {
		.arena = arena, .type = type, .resource = *resource, .fault = fault};
	const struct json *operations = json_find(body, "Operations");

	if (operations == NULL)
		operations = json_find(body, "operations");
	if (!scim_has_schema(body, urn))
		return scim_fail(fault, 400, "invalidSyntax", "schemas: must name %s", urn);
	if (operations == NULL || operations->type != JSON_ARRAY || operations->count == 0)
		return scim_fail(fault, 400, "invalidSyntax", "Operations: a list is expected");
	if (operations->count > SCIM_PATCHES_MAX)
		return scim_fail(fault, 413, NULL, "more than %d operations", SCIM_PATCHES_MAX);
	for (uint32_t i = 0; i < operations->count; i++)
		if (!run(&patching, &operations->items[i]))
			return false;
	return scim_resource_read(out, arena, type, &patching.resource, fault);
}
