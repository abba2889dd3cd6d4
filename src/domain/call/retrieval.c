/* What a result brought.
 *
 * Invariant: FINE is said only where every value at the place of the classification
 * is a sensitivity up to the ceiling, and the result has no second part that says
 * something else.  What a server writes beside its rows is not judged. */

#include "domain/call/retrieval.h"

#include "domain/call/uri.h"
#include "domain/charter/place.h"

struct reading {
	struct retrieval *out;
	struct arena *arena;
	const struct retrieval_rule *rule;
	struct text *objects;
	bool is_elsewhere;
};

/* ---- which part of it ---- */

static const struct json *only_text(const struct json *content)
{
	const struct json *type, *text;

	if (content == NULL || content->type != JSON_ARRAY || content->count != 1 ||
		content->items[0].type != JSON_OBJECT)
		return NULL;
	type = json_find(&content->items[0], "type");
	text = json_find(&content->items[0], "text");
	return type != NULL && type->type == JSON_STRING && text_is(type->string, "text") &&
			       text != NULL && text->type == JSON_STRING
		       ? text
		       : NULL;
}

/* The JSON that the one text of a result is, or NULL. */
static const struct json *parsed_text(struct arena *arena, const struct json *result)
{
	const struct json *text = only_text(json_find(result, "content"));
	struct json *parsed = text == NULL ? NULL : arena_new(arena, struct json);
	struct error err;

	if (parsed == NULL || !json_parse(parsed, arena, text->string, &json_limits_default, &err))
		return NULL;
	return parsed;
}

/* NULL: there is none. */
static const struct json *body_of(struct arena *arena, const struct json *result, bool is_tool)
{
	const struct json *structured = json_find(result, "structuredContent");

	if (!is_tool)
		return result;
	return structured != NULL ? structured : parsed_text(arena, result);
}

static bool is_known_member(struct text name)
{
	return text_is(name, "content") || text_is(name, "structuredContent") ||
	       text_is(name, "isError");
}

/* Whether all of it was looked at: a text beside the structured content repeats it. */
static bool is_one_thing(struct arena *arena, const struct json *result)
{
	const struct json *structured = json_find(result, "structuredContent");
	const struct json *content = json_find(result, "content");
	const struct json *text, *parsed;
	uint32_t i;

	for (i = 0; i < result->count; i++)
		if (!is_known_member(result->members[i].name))
			return false;
	if (structured == NULL)
		return true;
	if (content == NULL || (content->type == JSON_ARRAY && content->count == 0))
		return true;
	text = only_text(content);
	if (text == NULL || json_is_written(structured, text->string, &json_limits_default))
		return text != NULL;
	parsed = parsed_text(arena, result);
	return parsed != NULL && json_equal(parsed, structured);
}

/* ---- how sensitive ---- */

static void see_class(void *context, const struct json *value)
{
	struct reading *reading = context;
	struct retrieval *out = reading->out;
	enum sensitivity class = value != NULL && value->type == JSON_STRING
					 ? sensitivity_of(value->string)
					 : SENSITIVITY_UNLABELLED;

	if (class == SENSITIVITY_UNLABELLED)
		class = SENSITIVITY_RESTRICTED;
	if (out->sensitivity == SENSITIVITY_UNLABELLED ||
		sensitivity_level(class) > sensitivity_level(out->sensitivity))
		out->sensitivity = class;
	if (reading->rule->ceiling == SENSITIVITY_UNLABELLED ||
		sensitivity_level(class) > sensitivity_level(reading->rule->ceiling))
		out->rows_above++;
	if (reading->rule->objects.length == 0)
		out->count++;
}

static enum retrieval_fault judge(
	struct reading *reading, const struct json *result, const struct json *body)
{
	const struct retrieval_rule *rule = reading->rule;

	if (rule->classification.length == 0)
		return RETRIEVAL_FINE;
	if (rule->is_tool && json_boolean_or(result, "isError", false))
		return RETRIEVAL_ERROR;
	if (body == NULL ||
		place_each(body, rule->classification, see_class, reading) != PLACE_FOUND)
		return RETRIEVAL_NOT_ROWS;
	if (rule->is_tool && !is_one_thing(reading->arena, result))
		return RETRIEVAL_AMBIGUOUS;
	return reading->out->rows_above > 0 ? RETRIEVAL_ABOVE : RETRIEVAL_FINE;
}

/* ---- which resource ---- */

static bool is_below(struct text uri, struct text asked)
{
	if (uri.length < asked.length || !text_equal((struct text){uri.data, asked.length}, asked))
		return false;
	return uri.length == asked.length || text_ends_with(asked, "/") ||
	       uri.data[asked.length] == '/';
}

static void see_uri(void *context, const struct json *value)
{
	struct reading *reading = context;
	struct text scheme;

	if (value == NULL || value->type != JSON_STRING ||
		!is_below(value->string, reading->rule->object) ||
		uri_breach(value->string, &scheme) != NULL)
		reading->is_elsewhere = true;
}

/* What is bound by its URI must not come with another one. */
static bool is_elsewhere(struct reading *reading, const struct json *result)
{
	if (reading->rule->is_resource)
		(void)place_each(result, TEXT("contents[*].uri"), see_uri, reading);
	return reading->is_elsewhere;
}

/* ---- which objects ---- */

/* An id is a text or a whole number; anything else is a lie about its type. */
static bool read_id(struct arena *arena, const struct json *value, struct text *out)
{
	if (value != NULL && value->type == JSON_INTEGER)
		*out = text_format(arena, "%lld", (long long)value->integer);
	else if (value != NULL && value->type == JSON_STRING)
		*out = value->string;
	else
		return false;
	return out->data != NULL;
}

static void see_object(void *context, const struct json *value)
{
	struct reading *reading = context;
	struct retrieval *out = reading->out;
	struct text id;

	out->count++;
	if (out->objects_count == RETRIEVAL_OBJECTS_MAX)
		return;
	if (read_id(reading->arena, value, &id))
		reading->objects[out->objects_count++] = id;
	else
		out->is_known = false;
}

static void read_objects(struct reading *reading, const struct json *body)
{
	const struct retrieval_rule *rule = reading->rule;
	struct retrieval *out = reading->out;

	out->objects = reading->objects;
	if (rule->objects.length == 0 && rule->object.length != 0) {
		reading->objects[out->objects_count++] = rule->object;
		out->is_known = true;
		if (rule->classification.length == 0)
			out->count = 1;
		return;
	}
	if (rule->objects.length == 0 || body == NULL)
		return;
	out->is_known = true;
	if (place_each(body, rule->objects, see_object, reading) == PLACE_MISSING)
		out->is_known = false;
	if (!out->is_known)
		out->objects_count = 0;
}

void retrieval_read(struct retrieval *out, struct arena *arena, const struct json *result,
	const struct retrieval_rule *rule)
{
	struct reading reading = {.out = out, .arena = arena, .rule = rule};
	const struct json *body;

	*out = (struct retrieval){.fault = RETRIEVAL_NOT_JUDGED};
	if (rule->objects.length == 0 && rule->object.length == 0 &&
		rule->classification.length == 0) {
		out->fault = RETRIEVAL_FINE; /* nothing is said of it */
		return;
	}
	reading.objects = arena_array(arena, struct text, RETRIEVAL_OBJECTS_MAX);
	if (reading.objects == NULL)
		return;
	body = rule->objects.length == 0 && rule->classification.length == 0
		       ? result
		       : body_of(arena, result, rule->is_tool);
	read_objects(&reading, body);
	out->fault = is_elsewhere(&reading, result) ? RETRIEVAL_ELSEWHERE
						    : judge(&reading, result, body);
}
