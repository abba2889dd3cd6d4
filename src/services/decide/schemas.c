/* The schemas of tools' definitions: arguments and results against what was pinned.
 *
 * Only a definition that is as pinned says what arguments and results are: somebody has
 * looked at it.  Its schemas are compiled from the canonical text that the pin covers, when
 * they are first asked for, and kept as long as the definition is. */

#include "services/decide/decide_private.h"

/* As large as one that is kept may be, and one that is pinned. */
static const struct json_limits schema_limits = {
	.size_bytes = 4 * DEFINITION_TEXTS_BYTES_MAX, .depth = 64, .values = 400000};

enum { SCHEMA_READING_BYTES_MAX = 64 * 1024 * 1024 };

/* True without the member. */
static bool read_schema(const struct json *definition, const char *member, struct json_schema **out,
	struct error *err)
{
	const struct json *source = json_find(definition, member);

	return source == NULL || json_schema_compile(out, source, err) ||
	       error_wrap(err, "%s", member);
}

/* Errors: INVALID, LIMIT. */
static bool read_schemas(struct definition *definition, struct arena *arena, struct error *err)
{
	struct json parsed;

	if (definition->canonical.length == 0)
		return error_set(err, ERROR_LIMIT, "the definition is too large to be kept");
	return json_parse(&parsed, arena, definition->canonical, &schema_limits, err) &&
	       read_schema(&parsed, "inputSchema", &definition->input, err) &&
	       read_schema(&parsed, "outputSchema", &definition->output, err);
}

enum schemas_state definition_read_schemas(struct definition *definition)
{
	struct arena *arena;
	struct error err = {0};

	if (definition->schemas != SCHEMAS_UNREAD)
		return definition->schemas;
	arena = arena_create_small(SCHEMA_READING_BYTES_MAX, 4096);
	if (arena == NULL)
		return SCHEMAS_REFUSED; /* for now */
	definition->schemas =
		read_schemas(definition, arena, &err) ? SCHEMAS_READ : SCHEMAS_REFUSED;
	arena_destroy(&arena);
	return definition->schemas;
}

/* Read once more for the sentence: it is rarely asked for. */
struct text definition_problem(struct definition *definition, struct arena *arena)
{
	struct arena *scratch;
	struct error err = {0};

	if (definition_read_schemas(definition) == SCHEMAS_READ)
		return TEXT("");
	scratch = arena_create_small(SCHEMA_READING_BYTES_MAX, 4096);
	if (scratch == NULL)
		return TEXT("there was no memory to read them");
	json_schema_destroy(&definition->input);
	json_schema_destroy(&definition->output);
	if (read_schemas(definition, scratch, &err))
		definition->schemas = SCHEMAS_READ; /* there was no memory before */
	arena_destroy(&scratch);
	return text_copy(arena, text_of(err.text));
}

/* The definition of the call's tool where it is as pinned and can be used; NULL. */
static struct definition *pinned_definition(
	const struct decide_service *service, const struct call *call)
{
	const struct tool *tool = registry_find_tool(service->registry, call->tool);
	struct definition *definition = definition_of(service, call->tool);

	if (call->route != METHOD_TOOL || tool == NULL || !tool->has_definition ||
		definition == NULL || !definition->has_digest ||
		!sha256_equal(&definition->digest, &tool->definition))
		return NULL;
	return definition_read_schemas(definition) == SCHEMAS_READ ? definition : NULL;
}

/* "PLACE must … (keyword)"; empty without memory. */
static struct text fault_text(
	struct arena *arena, const char *whole, const struct json_schema_fault *fault)
{
	struct text text = text_format(arena, "%s %s (%s)",
		fault->pointer[0] == '\0' ? whole : fault->pointer, fault->text, fault->keyword);

	return text.data == NULL ? TEXT("") : text;
}

enum arguments_state decide_arguments(const struct decide_service *service, const struct call *call,
	struct arena *arena, struct text *fault)
{
	struct definition *definition = pinned_definition(service, call);
	struct json_schema_fault found;

	*fault = TEXT("");
	if (definition == NULL)
		return ARGUMENTS_UNCHECKED;
	if (definition->input == NULL)
		return ARGUMENTS_VALID;
	switch (json_schema_validate(definition->input, &call->arguments, &found)) {
	case JSON_SCHEMA_VALID: return ARGUMENTS_VALID;
	case JSON_SCHEMA_INVALID:
		*fault = fault_text(arena, "the arguments", &found);
		return ARGUMENTS_INVALID;
	case JSON_SCHEMA_UNDECIDED:
	default: *fault = fault_text(arena, "the arguments", &found); return ARGUMENTS_UNDECIDED;
	}
}

bool decide_result_fits(struct decide_service *service, const struct call *call,
	const struct json *result, struct arena *arena, struct text *fault)
{
	struct definition *definition = pinned_definition(service, call);
	const struct json *structured = json_find(result, "structuredContent");
	struct json_schema_fault found;

	*fault = TEXT("");
	if (definition == NULL || definition->output == NULL ||
		json_boolean_or(result, "isError", false))
		return true;
	if (structured == NULL) {
		*fault = TEXT("it has no structuredContent");
		return false;
	}
	if (json_schema_validate(definition->output, structured, &found) == JSON_SCHEMA_VALID)
		return true;
	*fault = fault_text(arena, "structuredContent", &found);
	return false;
}
