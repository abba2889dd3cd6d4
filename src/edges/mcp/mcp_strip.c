/* What remit says of a call, it says under names that begin with "remit/" in
 * `_meta`.  A server says nothing there: such members are taken out of whatever
 * it sends, at any depth, so that no list of the places where MCP allows `_meta`
 * has to be kept in step.  Depth is bounded by the parser.
 *
 * What has none of them, which is nearly everything, is not copied. */
#include "edges/mcp/mcp_private.h"

static const char mark_prefix[] = "remit/";

static bool is_mark(const struct json *meta, const struct json_member *member)
{
	return meta != NULL && text_starts_with(member->name, mark_prefix);
}

/* The value itself where it is the `_meta` of its object, else NULL. */
static const struct json *as_meta(const struct json_member *member)
{
	return text_is(member->name, "_meta") ? &member->value : NULL;
}

/* meta is value where it is a `_meta`, else NULL. */
static bool has_marks(const struct json *value, const struct json *meta)
{
	for (uint32_t i = 0; value->type == JSON_ARRAY && i < value->count; i++)
		if (has_marks(&value->items[i], NULL))
			return true;
	for (uint32_t i = 0; value->type == JSON_OBJECT && i < value->count; i++)
		if (is_mark(meta, &value->members[i]) ||
			has_marks(&value->members[i].value, as_meta(&value->members[i])))
			return true;
	return false;
}

static bool copy_without(struct json *out, struct arena *arena, const struct json *value,
	const struct json *meta, struct error *err);

static bool copy_array(
	struct json *out, struct arena *arena, const struct json *value, struct error *err)
{
	struct json_builder built;
	struct json item;

	json_array_start(&built, arena);
	for (uint32_t i = 0; i < value->count; i++) {
		if (!copy_without(&item, arena, &value->items[i], NULL, err))
			return false;
		json_add(&built, item);
	}
	return json_array_seal(&built, out, err);
}

static bool copy_object(struct json *out, struct arena *arena, const struct json *value,
	const struct json *meta, struct error *err)
{
	struct json_builder built;
	struct json kept;

	json_object_start(&built, arena);
	for (uint32_t i = 0; i < value->count; i++) {
		const struct json_member *member = &value->members[i];

		if (is_mark(meta, member))
			continue;
		if (!copy_without(&kept, arena, &member->value, as_meta(member), err))
			return false;
		json_put_named(&built, member->name, kept);
	}
	return json_object_seal(&built, out, err);
}

/* Strings are not copied. */
static bool copy_without(struct json *out, struct arena *arena, const struct json *value,
	const struct json *meta, struct error *err)
{
	if (value->type == JSON_ARRAY)
		return copy_array(out, arena, value, err);
	if (value->type == JSON_OBJECT)
		return copy_object(out, arena, value, meta, err);
	*out = *value;
	return true;
}

bool strip_marks(struct json *out, struct arena *arena, const struct json *value, struct error *err)
{
	if (has_marks(value, NULL))
		return copy_without(out, arena, value, NULL, err);
	*out = *value;
	return true;
}
