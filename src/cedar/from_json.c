/* JSON of a call to values.  Recursion is bounded by CEDAR_DEPTH_MAX; deeper
 * parts are reported as lost, like everything else Cedar cannot hold. */
#include "cedar/from_json.h"

#include "cedar/value.h"

struct conversion {
	struct arena *arena;
	cedar_lost_fn *lost;
	void *closure;
	struct cedar_error *err;
	struct text *path; /* of CEDAR_DEPTH_MAX */
	size_t path_count;
	uint32_t depth;
};

static bool convert(
	struct conversion *conversion, const struct json *json, struct cedar_value *out);

struct cedar_arena *cedar_arena_from(struct arena *arena)
{
	return (struct cedar_arena *)arena;
}

struct cedar_text cedar_text_from(struct text t)
{
	return (struct cedar_text){t.data, t.length};
}

struct text cedar_text_to(struct cedar_text t)
{
	return (struct text){t.data, t.length};
}

bool error_set_cedar(struct error *err, const struct cedar_error *cause)
{
	enum error_code code = cause->code == CEDAR_ERROR_LIMIT ? ERROR_LIMIT : ERROR_INVALID;

	return cause->line == 0
		       ? error_set(err, code, "%s", cause->text)
		       : error_set_at(err, code, cause->line, cause->column, "%s", cause->text);
}

static void lose(const struct conversion *conversion)
{
	if (conversion->lost != NULL)
		conversion->lost(conversion->closure, conversion->path, conversion->path_count);
}

static bool convert_array(
	struct conversion *conversion, const struct json *json, struct cedar_value *out)
{
	struct cedar_value *items = arena_array(conversion->arena, struct cedar_value, json->count);
	uint32_t kept = 0;

	if (items == NULL)
		return cedar_fail_memory(conversion->err);
	for (uint32_t i = 0; i < json->count; i++) {
		if (!convert(conversion, &json->items[i], &items[kept]))
			return false;
		kept += items[kept].type != CEDAR_NONE;
	}
	return cedar_set_seal(out, items, kept, conversion->err);
}

static bool convert_object(
	struct conversion *conversion, const struct json *json, struct cedar_value *out)
{
	struct cedar_member *members =
		arena_array(conversion->arena, struct cedar_member, json->count);
	uint32_t kept = 0;

	if (members == NULL)
		return cedar_fail_memory(conversion->err);
	for (uint32_t i = 0; i < json->count; i++) {
		members[kept].name = cedar_text_from(json->members[i].name);
		conversion->path[conversion->path_count++] = json->members[i].name;
		if (!convert(conversion, &json->members[i].value, &members[kept].value))
			return false;
		conversion->path_count--;
		kept += members[kept].value.type != CEDAR_NONE;
	}
	return cedar_record_seal(out, members, kept, conversion->err);
}

static bool convert_container(
	struct conversion *conversion, const struct json *json, struct cedar_value *out)
{
	bool ok;

	if (conversion->depth == CEDAR_DEPTH_MAX) {
		lose(conversion);
		return true;
	}
	conversion->depth++;
	ok = json->type == JSON_ARRAY ? convert_array(conversion, json, out)
				      : convert_object(conversion, json, out);
	conversion->depth--;
	return ok;
}

static bool convert(struct conversion *conversion, const struct json *json, struct cedar_value *out)
{
	*out = (struct cedar_value){.type = CEDAR_NONE};
	switch (json->type) {
	case JSON_BOOLEAN: *out = cedar_value_bool(json->boolean); return true;
	case JSON_INTEGER: *out = cedar_value_long(json->integer); return true;
	case JSON_STRING: *out = cedar_value_string(cedar_text_from(json->string)); return true;
	case JSON_ARRAY:
	case JSON_OBJECT: return convert_container(conversion, json, out);
	case JSON_NULL:
	case JSON_DOUBLE: break;
	}
	lose(conversion);
	return true;
}

bool cedar_value_from_json(struct cedar_value *out, struct arena *arena, const struct json *json,
	cedar_lost_fn *lost, void *closure, struct cedar_error *err)
{
	NOT_ZEROED struct text path[CEDAR_DEPTH_MAX];
	struct conversion conversion = {
		.arena = arena, .lost = lost, .closure = closure, .err = err, .path = path};

	if (convert(&conversion, json, out))
		return true;
	*out = (struct cedar_value){.type = CEDAR_NONE};
	return false;
}
