/* Laws of what a result brought, by a slower way: it is FINE only if every row says a
 * sensitivity up to the ceiling; ids are kept up to the limit and counted all; and a
 * URI that is taken has one spelling.
 *
 * The input: a result of tools/call, or, where it is no JSON, a URI. */
#include <assert.h>
#include <string.h>

#include "domain/call/retrieval.h"
#include "domain/call/uri.h"

enum { ROOM_BYTES = 1 << 24 };

static const struct retrieval_rule rule = {
	.is_tool = true,
	.objects = {"rows[*].id", 10},
	.classification = {"rows[*].class", 13},
	.ceiling = SENSITIVITY_INTERNAL,
};

/* What stands in `rows` of a body, if all of it may be seen. */
static bool is_clean(const struct json *body)
{
	const struct json *rows = json_find(body, "rows");

	if (rows == NULL || rows->type != JSON_ARRAY)
		return false;
	for (uint32_t i = 0; i < rows->count; i++) {
		const struct json *class = rows->items[i].type == JSON_OBJECT
						   ? json_find(&rows->items[i], "class")
						   : NULL;

		if (class == NULL || class->type != JSON_STRING ||
			(!text_is(class->string, "public") && !text_is(class->string, "internal")))
			return false;
	}
	return true;
}

static void check_result(struct arena *arena, const struct json *result)
{
	const struct json *structured = json_find(result, "structuredContent");
	struct retrieval got;

	retrieval_read(&got, arena, result, &rule);
	assert(got.objects_count <= RETRIEVAL_OBJECTS_MAX);
	assert(got.objects_count <= got.count);
	assert(got.is_known || got.objects_count == 0);
	if (got.fault != RETRIEVAL_FINE)
		return;
	assert(got.rows_above == 0);
	assert(!json_boolean_or(result, "isError", false));
	assert(structured == NULL || is_clean(structured));
	assert(sensitivity_level(got.sensitivity) <= 2 ||
		got.sensitivity == SENSITIVITY_UNLABELLED);
}

static void check_uri(struct text uri)
{
	struct text scheme;

	if (uri_breach(uri, &scheme) != NULL)
		return;
	assert(uri.length <= URI_BYTES_MAX);
	assert(scheme.length > 0 && scheme.length + 1 < uri.length);
	assert(text_find_byte(uri, '#') < 0 && text_find_byte(uri, '\\') < 0);
	assert(text_find_byte(uri, '\0') < 0);
	assert(!text_ends_with(uri, "/..") && !text_ends_with(uri, "/."));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text text = {(const char *)data, size};
	struct arena *arena = arena_create(ROOM_BYTES);
	struct json result;
	struct error err;

	if (arena == NULL)
		return 0;
	check_uri(text);
	if (json_parse(&result, arena, text, &json_limits_default, &err) &&
		result.type == JSON_OBJECT)
		check_result(arena, &result);
	arena_destroy(&arena);
	return 0;
}
