/* Whether a filter holds.  What is not there is equal to null alone; a comparison with a list
 * holds if one value does (RFC 7644 §3.4.2.2). */
#include <string.h>

#include "base/time.h"
#include "domain/scim/filter.h"

static char folded(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* As memcmp, with or without the case of ASCII letters. */
static int compare_bytes(const char *a, const char *b, size_t length, bool is_exact)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char x = (unsigned char)(is_exact ? a[i] : folded(a[i]));
		unsigned char y = (unsigned char)(is_exact ? b[i] : folded(b[i]));

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

static int compare_texts(struct text a, struct text b, bool is_exact)
{
	size_t shorter = a.length < b.length ? a.length : b.length;
	int order = compare_bytes(a.data, b.data, shorter, is_exact);

	if (order != 0 || a.length == b.length)
		return order;
	return a.length < b.length ? -1 : 1;
}

static bool has_at(struct text whole, size_t at, struct text part, bool is_exact)
{
	return compare_bytes(whole.data + at, part.data, part.length, is_exact) == 0;
}

static bool contains(enum scim_operator how, struct text whole, struct text part, bool is_exact)
{
	if (part.length > whole.length)
		return false;
	if (how == SCIM_SW)
		return has_at(whole, 0, part, is_exact);
	if (how == SCIM_EW)
		return has_at(whole, whole.length - part.length, part, is_exact);
	for (size_t at = 0; at + part.length <= whole.length; at++)
		if (has_at(whole, at, part, is_exact))
			return true;
	return false;
}

static bool holds_order(enum scim_operator how, int order)
{
	switch ((int)how) {
	case SCIM_EQ: return order == 0;
	case SCIM_NE: return order != 0;
	case SCIM_GT: return order > 0;
	case SCIM_GE: return order >= 0;
	case SCIM_LT: return order < 0;
	case SCIM_LE: return order <= 0;
	default: return false;
	}
}

static int order_of(const struct scim_attribute *attribute, struct text value, struct text wanted)
{
	int64_t a, b;

	if (attribute->type == SCIM_DATETIME && time_parse_utc_ms(value, &a) &&
		time_parse_utc_ms(wanted, &b))
		return a < b ? -1 : a > b;
	return compare_texts(value, wanted, (attribute->flags & SCIM_EXACT) != 0);
}

static bool holds_of_text(
	const struct scim_filter *filter, const struct scim_attribute *attribute, struct text value)
{
	bool is_exact = (attribute->flags & SCIM_EXACT) != 0;

	if (filter->how == SCIM_CO || filter->how == SCIM_SW || filter->how == SCIM_EW)
		return contains(filter->how, value, filter->value.string, is_exact);
	return holds_order(filter->how, order_of(attribute, value, filter->value.string));
}

/* One value that is no list. */
static bool holds_of_value(const struct scim_filter *filter, const struct scim_attribute *attribute,
	const struct json *value)
{
	const struct json *inner;

	if (attribute->type == SCIM_COMPLEX) { /* its `value` is meant */
		attribute =
			scim_attribute_find(attribute->subs, attribute->subs_count, TEXT("value"));
		inner = json_find(value, "value");
		return attribute != NULL && inner != NULL &&
		       holds_of_value(filter, attribute, inner);
	}
	if (filter->value.type == JSON_NULL)
		return filter->how == SCIM_NE;
	if (value->type == JSON_BOOLEAN && filter->value.type == JSON_BOOLEAN)
		return (value->boolean == filter->value.boolean) == (filter->how == SCIM_EQ);
	return value->type == JSON_STRING && filter->value.type == JSON_STRING &&
	       holds_of_text(filter, attribute, value->string);
}

static bool is_empty(const struct json *value)
{
	return value == NULL || value->type == JSON_NULL ||
	       ((value->type == JSON_ARRAY || value->type == JSON_OBJECT) && value->count == 0) ||
	       (value->type == JSON_STRING && value->string.length == 0);
}

static bool is_absent_ok(const struct scim_filter *filter)
{
	bool is_null = filter->value.type == JSON_NULL;

	return is_null ? filter->how == SCIM_EQ : filter->how == SCIM_NE;
}

/* A value that is there, or each of a list. */
static bool holds_of(const struct scim_filter *filter, const struct scim_attribute *attribute,
	const struct json *value)
{
	if (filter->how == SCIM_PR)
		return !is_empty(value);
	if (value == NULL || is_empty(value))
		return is_absent_ok(filter);
	if (value->type != JSON_ARRAY)
		return holds_of_value(filter, attribute, value);
	for (uint32_t i = 0; i < value->count; i++)
		if (holds_of_value(filter, attribute, &value->items[i]))
			return true;
	return false;
}

const struct json *scim_path_find(const struct scim_path *path, const struct json *resource)
{
	const struct json *at = resource;

	if (path->schema != NULL && path->schema->urn[0] != '\0' &&
		text_starts_with(
			text_of(path->schema->urn), "urn:ietf:params:scim:schemas:extension"))
		at = json_find(at, path->schema->urn);
	if (at != NULL && path->attribute != NULL)
		at = json_find(at, path->attribute->name);
	return at;
}

/* A sub-attribute, of the value or of each value of a list. */
static bool holds_of_sub(const struct scim_filter *filter, const struct json *value)
{
	const struct scim_attribute *sub = filter->path.sub;

	if (value == NULL || value->type != JSON_ARRAY)
		return holds_of(filter, sub, value == NULL ? NULL : json_find(value, sub->name));
	if (value->count == 0)
		return holds_of(filter, sub, NULL);
	for (uint32_t i = 0; i < value->count; i++)
		if (holds_of(filter, sub, json_find(&value->items[i], sub->name)))
			return true;
	return false;
}

static bool holds_within(const struct scim_filter *filter, const struct json *value)
{
	for (uint32_t i = 0; value != NULL && value->type == JSON_ARRAY && i < value->count; i++)
		if (scim_filter_holds_of(filter->left, &value->items[i]))
			return true;
	return false;
}

/* Both walks are as deep as the tree, which is bounded when it is read. */
bool scim_filter_holds(const struct scim_filter *filter, const struct json *resource)
{
	const struct json *value;

	switch ((int)filter->how) {
	case SCIM_AND:
		return scim_filter_holds(filter->left, resource) &&
		       scim_filter_holds(filter->right, resource);
	case SCIM_OR:
		return scim_filter_holds(filter->left, resource) ||
		       scim_filter_holds(filter->right, resource);
	case SCIM_NOT: return !scim_filter_holds(filter->left, resource);
	default: break;
	}
	value = scim_path_find(&filter->path, resource);
	if (filter->how == SCIM_WITHIN)
		return holds_within(filter, value);
	return filter->path.sub != NULL ? holds_of_sub(filter, value)
					: holds_of(filter, filter->path.attribute, value);
}

bool scim_filter_holds_of(const struct scim_filter *filter, const struct json *value)
{
	switch ((int)filter->how) {
	case SCIM_AND:
		return scim_filter_holds_of(filter->left, value) &&
		       scim_filter_holds_of(filter->right, value);
	case SCIM_OR:
		return scim_filter_holds_of(filter->left, value) ||
		       scim_filter_holds_of(filter->right, value);
	case SCIM_NOT: return !scim_filter_holds_of(filter->left, value);
	default: break;
	}
	return filter->path.sub != NULL &&
	       holds_of(filter, filter->path.sub, json_find(value, filter->path.sub->name));
}

struct text scim_filter_wants(const struct scim_filter *filter, const char *attribute)
{
	if (filter == NULL || filter->how != SCIM_EQ || filter->path.sub != NULL ||
		filter->path.attribute == NULL || filter->value.type != JSON_STRING ||
		strcmp(filter->path.attribute->name, attribute) != 0)
		return TEXT("");
	return filter->value.string;
}
