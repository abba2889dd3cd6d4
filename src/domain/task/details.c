/* What a task was opened for.
 *
 * D1  Whatever is not understood is refused: an unknown type or member might narrow.
 * D2  Covering is by equality alone: no pattern, no prefix, no default.
 * D3  An argument that is not named may not be there, where any is named. */
#include "domain/task/details.h"

#include <stdlib.h>

#include "base/buffer.h"

enum { DETAILS_ARENA_BYTES_MAX = 64 * 1024, DETAILS_FIRST_BYTES = 1024, DETAILS_DEPTH_MAX = 8 };

struct detail {
	struct text tool;
	enum effect effect;           /* NONE: whatever the tool's is */
	const struct json *arguments; /* name -> values; NULL: any arguments */
};

struct task_details {
	struct arena *arena; /* owns all but this struct */
	struct json array;
	struct text text;
	struct detail items[TASK_DETAILS_MAX];
	size_t count;
};

/* ---- reading ---- */

static bool check_values(struct text name, const struct json *values, struct error *err)
{
	if (values->type != JSON_ARRAY || values->count == 0)
		return error_set(
			err, ERROR_INVALID, "argument %.*s has no list of values", TEXT_ARGS(name));
	if (values->count > TASK_DETAIL_VALUES_MAX)
		return error_set(err, ERROR_LIMIT, "argument %.*s has more than %d values",
			TEXT_ARGS(name), TASK_DETAIL_VALUES_MAX);
	return true;
}

static bool read_arguments(struct detail *out, const struct json *value, struct error *err)
{
	if (value == NULL)
		return true;
	if (value->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "arguments is not an object");
	if (value->count > TASK_DETAIL_ARGUMENTS_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d arguments are named",
			TASK_DETAIL_ARGUMENTS_MAX);
	for (uint32_t i = 0; i < value->count; i++)
		if (!check_values(value->members[i].name, &value->members[i].value, err))
			return false;
	out->arguments = value;
	return true;
}

/* "server/name": what charters call it. */
static bool is_tool(struct text name)
{
	ptrdiff_t slash = text_find_byte(name, '/');

	return slash > 0 && (size_t)slash + 1 < name.length &&
	       name.length <= TASK_DETAIL_TOOL_BYTES_MAX;
}

static bool read_effect(struct detail *out, const struct json *value, struct error *err)
{
	if (value == NULL)
		return true;
	if (value->type == JSON_STRING)
		out->effect = effect_of(value->string);
	return out->effect != EFFECT_NONE ||
	       error_set(err, ERROR_INVALID, "effect is none that there is");
}

static bool read_detail(struct detail *out, const struct json *value, struct error *err)
{
	static const char *const names[] = {"type", "tool", "effect", "arguments", NULL};
	struct text type;

	*out = (struct detail){0};
	if (value->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "it is not an object");
	if (!json_need_text(value, "type", &type, err))
		return false;
	if (!text_is(type, TASK_DETAIL_TYPE))
		return error_set(err, ERROR_INVALID, "its type is not " TASK_DETAIL_TYPE);
	if (!json_only_members(value, names, err) ||
		!json_need_text(value, "tool", &out->tool, err))
		return false;
	if (!is_tool(out->tool))
		return error_set(err, ERROR_INVALID, "tool is not SERVER/NAME");
	return read_effect(out, json_find(value, "effect"), err) &&
	       read_arguments(out, json_find(value, "arguments"), err);
}

static bool read_all(struct task_details *details, struct error *err)
{
	const struct json *array = &details->array;

	if (array->type != JSON_ARRAY || array->count == 0)
		return error_set(err, ERROR_INVALID, "they are no array, or an empty one");
	if (array->count > TASK_DETAILS_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d are listed", TASK_DETAILS_MAX);
	for (; details->count < array->count; details->count++)
		if (!read_detail(
			    &details->items[details->count], &array->items[details->count], err))
			return error_wrap(err, "number %zu", details->count + 1);
	details->text = json_canonical_text(details->arena, array);
	if (details->text.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the details of a task");
	return details->text.length <= TASK_DETAILS_BYTES_MAX ||
	       error_set(err, ERROR_LIMIT, "they are longer than %d bytes", TASK_DETAILS_BYTES_MAX);
}

static bool make(struct task_details **out, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out != NULL)
		(*out)->arena = arena_create_small(DETAILS_ARENA_BYTES_MAX, DETAILS_FIRST_BYTES);
	if (*out != NULL && (*out)->arena != NULL)
		return true;
	task_details_destroy(out);
	error_set(err, ERROR_LIMIT, "no memory for the details of a task");
	return false;
}

bool task_details_create(struct task_details **out, const struct json *array, struct error *err)
{
	if (!make(out, err))
		return false;
	if (json_copy(&(*out)->array, (*out)->arena, array, err) && read_all(*out, err))
		return true;
	task_details_destroy(out);
	return false;
}

bool task_details_parse(struct task_details **out, struct text text, struct error *err)
{
	static const struct json_limits limits = {.size_bytes = TASK_DETAILS_BYTES_MAX * 2,
		.depth = DETAILS_DEPTH_MAX,
		.values = TASK_DETAILS_BYTES_MAX};
	struct text copy;

	if (!make(out, err))
		return false;
	/* What is parsed is borrowed from its text. */
	copy = text_copy((*out)->arena, text);
	if (copy.data == NULL)
		error_set(
			err, ERROR_LIMIT, "they are longer than %d bytes", TASK_DETAILS_BYTES_MAX);
	else if (json_parse(&(*out)->array, (*out)->arena, copy, &limits, err) &&
		 read_all(*out, err))
		return true;
	task_details_destroy(out);
	return false;
}

void task_details_destroy(struct task_details **details)
{
	if (*details == NULL)
		return;
	arena_destroy(&(*details)->arena);
	free(*details);
	*details = NULL;
}

const struct json *task_details_json(const struct task_details *details)
{
	return &details->array;
}

struct text task_details_text(const struct task_details *details)
{
	return details->text;
}

/* ---- covering ---- */

static bool holds(const struct json *values, const struct json *value)
{
	for (uint32_t i = 0; i < values->count; i++)
		if (json_equal(&values->items[i], value))
			return true;
	return false;
}

static bool fits(const struct detail *detail, const struct json *arguments)
{
	if (detail->arguments == NULL)
		return true;
	if (arguments->type != JSON_OBJECT || arguments->count != detail->arguments->count)
		return false;
	for (uint32_t i = 0; i < arguments->count; i++) {
		const struct json *values =
			json_find_text(detail->arguments, arguments->members[i].name);

		if (values == NULL || !holds(values, &arguments->members[i].value))
			return false;
	}
	return true;
}

bool task_details_cover(const struct task_details *details, const struct task_detail_call *call)
{
	for (size_t i = 0; i < details->count; i++) {
		const struct detail *detail = &details->items[i];

		if (text_equal(detail->tool, call->tool) &&
			(detail->effect == EFFECT_NONE || detail->effect == call->effect) &&
			fits(detail, call->arguments))
			return true;
	}
	return false;
}

bool task_details_one_call(const struct task_details *details, struct arena *arena,
	struct text *tool, struct json *arguments)
{
	const struct detail *detail = &details->items[0];
	struct json_builder object;
	struct error err = {0};

	if (details->count != 1 || detail->arguments == NULL)
		return false;
	json_object_start(&object, arena);
	for (uint32_t i = 0; i < detail->arguments->count; i++) {
		const struct json_member *member = &detail->arguments->members[i];

		if (member->value.count != 1)
			return false;
		json_put_named(&object, member->name, member->value.items[0]);
	}
	*tool = detail->tool;
	return json_object_seal(&object, arguments, &err);
}

/* ---- narrowing ---- */

static bool holds_all(const struct json *wide, const struct json *narrow)
{
	for (uint32_t i = 0; i < narrow->count; i++)
		if (!holds(wide, &narrow->items[i]))
			return false;
	return true;
}

static bool is_within(const struct detail *narrow, const struct detail *wide)
{
	if (!text_equal(narrow->tool, wide->tool) ||
		(wide->effect != EFFECT_NONE && narrow->effect != wide->effect))
		return false;
	if (wide->arguments == NULL)
		return true;
	if (narrow->arguments == NULL || narrow->arguments->count != wide->arguments->count)
		return false;
	for (uint32_t i = 0; i < narrow->arguments->count; i++) {
		const struct json *values =
			json_find_text(wide->arguments, narrow->arguments->members[i].name);

		if (values == NULL || !holds_all(values, &narrow->arguments->members[i].value))
			return false;
	}
	return true;
}

bool task_details_narrow(const struct task_details *narrow, const struct task_details *wide)
{
	for (size_t i = 0; i < narrow->count; i++) {
		bool is_inside = false;

		for (size_t j = 0; j < wide->count && !is_inside; j++)
			is_inside = is_within(&narrow->items[i], &wide->items[j]);
		if (!is_inside)
			return false;
	}
	return true;
}
