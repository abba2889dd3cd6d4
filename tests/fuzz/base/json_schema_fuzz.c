/* Laws of JSON Schema: a schema that is refused leaves nothing and says why; what is decided
 * is decided the same again; {"not": S} holds where S does not, {"allOf": [S, true]} where S
 * does; what is said of a fault is text.  Input: a schema, a newline, a value. */
#include <assert.h>
#include <string.h>

#include "base/json_schema.h"

enum { ROOM_BYTES = 1 << 24, TEXT_BYTES_MAX = 1 << 14 };

static bool parse(struct json *out, struct arena *arena, struct text text)
{
	struct error err = {0};

	return json_parse(out, arena, text, &json_limits_default, &err);
}

static struct json_schema *compile(const struct json *source)
{
	struct json_schema *schema;
	struct error err = {0};

	if (json_schema_compile(&schema, source, &err))
		return schema;
	assert(schema == NULL && err.code != ERROR_NONE && err.text[0] != '\0');
	return NULL;
}

static enum json_schema_result ask(struct json_schema *schema, const struct json *value)
{
	struct json_schema_fault fault;
	enum json_schema_result result = json_schema_validate(schema, value, &fault);

	assert(fault.keyword != NULL && text_is_utf8(text_of(fault.pointer)) &&
		text_is_utf8(text_of(fault.text)));
	assert(result == JSON_SCHEMA_VALID || (fault.keyword[0] != '\0' && fault.text[0] != '\0'));
	assert(json_schema_validate(schema, value, NULL) == result);
	return result;
}

/* What {keyword: value} says, where it can be compiled. */
static enum json_schema_result ask_wrapped(
	struct arena *arena, const char *keyword, struct json inner, const struct json *value)
{
	enum json_schema_result result = JSON_SCHEMA_UNDECIDED;
	struct json_builder members;
	struct json_schema *schema;
	struct json source;
	struct error err;

	json_object_start(&members, arena);
	json_put(&members, keyword, inner);
	if (!json_object_seal(&members, &source, &err))
		return result;
	schema = compile(&source);
	if (schema != NULL)
		result = json_schema_validate(schema, value, NULL);
	json_schema_destroy(&schema);
	return result;
}

/* A reference from the root, an id, a dialect mean something else further in. */
static bool stands_alone(struct text source)
{
	return memmem(source.data, source.length, "$", 1) == NULL &&
	       memmem(source.data, source.length, "\\", 1) == NULL;
}

static void check_wrapped(struct arena *arena, const struct json *source,
	enum json_schema_result result, const struct json *value)
{
	const struct json pair[] = {*source, json_boolean(true)};
	const struct json both = {.type = JSON_ARRAY, .count = 2, .items = pair};
	enum json_schema_result not = ask_wrapped(arena, "not", *source, value);
	enum json_schema_result all = ask_wrapped(arena, "allOf", both, value);

	assert(not == JSON_SCHEMA_UNDECIDED || result == JSON_SCHEMA_UNDECIDED || not != result);
	assert(all == JSON_SCHEMA_UNDECIDED || result == JSON_SCHEMA_UNDECIDED || all == result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	struct text text = {(const char *)data, size};
	ptrdiff_t line = text_find_byte(text, '\n');
	struct json_schema *schema = NULL;
	struct json source;
	struct json value;

	if (arena == NULL || line < 0 || size > TEXT_BYTES_MAX ||
		!parse(&source, arena, (struct text){text.data, (size_t)line}) ||
		!parse(&value, arena, (struct text){text.data + line + 1, size - (size_t)line - 1}))
		goto done;
	schema = compile(&source);
	if (schema == NULL)
		goto done;
	if (stands_alone((struct text){text.data, (size_t)line}))
		check_wrapped(arena, &source, ask(schema, &value), &value);
	else
		(void)ask(schema, &value);
done:
	json_schema_destroy(&schema);
	arena_destroy(&arena);
	return 0;
}
