/* JSON Schema: what the published suite (tests/contract/json_schema) does not ask: bounds,
 * what is refused, and what is said of it. */
#include "base/json_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_BYTES = 256 * 1024 * 1024 };

static int setup(void **state)
{
	*state = arena_create(ARENA_BYTES);
	return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	struct arena *arena = *state;

	arena_destroy(&arena);
	return 0;
}

static struct json read_json(struct arena *arena, const char *text)
{
	struct json value;
	struct error err = {0};

	if (!json_parse(&value, arena, text_of(text), &json_limits_default, &err))
		fail_msg("%s: %s", text, err.text);
	return value;
}

static struct json_schema *compiled(struct arena *arena, const char *text)
{
	struct json source = read_json(arena, text);
	struct json_schema *schema;
	struct error err = {0};

	if (!json_schema_compile(&schema, &source, &err))
		fail_msg("%s: %s", text, err.text);
	return schema;
}

static struct error refused(struct arena *arena, const struct json *source)
{
	struct json_schema *schema;
	struct error err = {0};

	assert_false(json_schema_compile(&schema, source, &err));
	assert_null(schema);
	assert_int_not_equal(err.code, ERROR_NONE);
	(void)arena;
	return err;
}

static struct error refused_text(struct arena *arena, const char *text)
{
	struct json source = read_json(arena, text);

	return refused(arena, &source);
}

static enum json_schema_result ask(
	struct arena *arena, const char *schema_text, const char *value_text)
{
	struct json_schema *schema = compiled(arena, schema_text);
	struct json value = read_json(arena, value_text);
	enum json_schema_result result = json_schema_validate(schema, &value, NULL);

	json_schema_destroy(&schema);
	return result;
}

/* ---- schemas that are refused ---------------------------------------------------------- */

static void a_reference_out_of_the_document_refuses_the_schema(void **state)
{
	static const char *const references[] = {"http://127.0.0.1:1/schema", "other.json",
		"https://json-schema.org/draft/2020-12/schema", "#/$defs/none", "#none",
		"file:///etc/passwd", "#/allOf/1", "#/type", "urn:x", "#%zz", "//host/x"};
	char text[256];

	for (size_t i = 0; i < sizeof references / sizeof references[0]; i++) {
		struct error err;

		snprintf(text, sizeof text,
			"{\"properties\":{\"a\":{\"$ref\":\"%s\"}},\"allOf\":[true],"
			"\"type\":\"object\"}",
			references[i]);
		err = refused_text(*state, text);
		assert_int_equal(err.code, ERROR_INVALID);
		assert_non_null(strstr(err.text, references[i]));
	}
}

static void a_known_keyword_with_a_wrong_value_refuses_the_schema(void **state)
{
	static const char *const wrong[] = {"[]", "1", "null", "{\"type\":1}",
		"{\"type\":\"text\"}", "{\"type\":[]}", "{\"type\":[\"string\",1]}",
		"{\"type\":[\"string\",\"text\"]}", "{\"enum\":1}", "{\"minimum\":\"1\"}",
		"{\"multipleOf\":0}", "{\"multipleOf\":-1}", "{\"minLength\":-1}",
		"{\"minLength\":1.5}", "{\"maxItems\":\"1\"}", "{\"required\":{}}",
		"{\"required\":[1]}", "{\"properties\":[]}", "{\"properties\":{\"a\":1}}",
		"{\"additionalProperties\":1}", "{\"allOf\":[]}", "{\"anyOf\":{}}",
		"{\"oneOf\":[1]}", "{\"not\":1}", "{\"uniqueItems\":1}", "{\"pattern\":1}",
		"{\"pattern\":\"(\"}", "{\"pattern\":\"(*UTF)a\"}",
		"{\"patternProperties\":{\"[\":true}}", "{\"items\":[true]}", "{\"$ref\":1}",
		"{\"$id\":1}", "{\"$id\":\"a#b\"}", "{\"$anchor\":1}", "{\"$dynamicAnchor\":1}",
		"{\"$schema\":\"http://json-schema.org/draft-04/schema#\"}",
		"{\"dependentRequired\":{\"a\":1}}", "{\"dependentSchemas\":{\"a\":1}}",
		"{\"$defs\":{\"a\":1}}", "{\"$defs\":1}", "{\"prefixItems\":true}",
		"{\"$defs\":{\"a\":{\"$anchor\":\"x\"},\"b\":{\"$anchor\":\"x\"}}}",
		"{\"$defs\":{\"a\":{\"$id\":\"x\"},\"b\":{\"$id\":\"x\"}}}"};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(refused_text(*state, wrong[i]).code, ERROR_INVALID);
}

static void a_refusal_says_where_in_the_schema(void **state)
{
	struct error err =
		refused_text(*state, "{\"properties\":{\"a\":{\"items\":{\"minLength\":-1}}}}");

	assert_string_equal(
		err.text, "properties: a: items: minLength: a whole number from 0 is expected");
}

static void draft_07_is_read_as_servers_send_it(void **state)
{
	static const char schema[] =
		"{\"$schema\":\"http://json-schema.org/draft-07/schema#\","
		"\"definitions\":{\"name\":{\"type\":\"string\"}},\"type\":\"object\","
		"\"properties\":{\"a\":{\"$ref\":\"#/definitions/name\",\"minLength\":9},"
		"\"b\":{\"items\":[{\"type\":\"integer\"}],\"additionalItems\":false}}}";

	assert_int_equal(ask(*state, schema, "{\"a\":\"x\",\"b\":[1]}"), JSON_SCHEMA_VALID);
	assert_int_equal(ask(*state, schema, "{\"a\":1}"), JSON_SCHEMA_INVALID);
	assert_int_equal(ask(*state, schema, "{\"b\":[1,2]}"), JSON_SCHEMA_INVALID);
	assert_int_equal(ask(*state, schema, "{\"b\":[\"1\"]}"), JSON_SCHEMA_INVALID);
}

static void format_is_an_annotation(void **state)
{
	assert_int_equal(
		ask(*state, "{\"format\":\"email\",\"contentEncoding\":\"base64\"}", "\"not one\""),
		JSON_SCHEMA_VALID);
}

/* ---- bounds ---------------------------------------------------------------------------- */

/* {"items":…} so many times around true. */
static struct json nested(struct arena *arena, int count)
{
	struct json inner = json_boolean(true);
	struct error err;

	while (count-- > 0) {
		struct json_builder object;

		json_object_start(&object, arena);
		json_put(&object, "items", inner);
		assert_true(json_object_seal(&object, &inner, &err));
	}
	return inner;
}

static void schemas_in_each_other_are_bounded(void **state)
{
	for (int count = JSON_SCHEMA_NESTING_MAX - 1; count <= JSON_SCHEMA_NESTING_MAX + 1;
		count++) {
		struct json source = nested(*state, count);
		struct json_schema *schema;
		struct error err = {0};
		bool ok = json_schema_compile(&schema, &source, &err);

		/* The innermost is one more. */
		assert_int_equal(ok, count + 1 <= JSON_SCHEMA_NESTING_MAX);
		if (!ok)
			assert_int_equal(err.code, ERROR_LIMIT);
		json_schema_destroy(&schema);
	}
}

/* An object of a keyword with so many members, each the same value. */
static struct json many(struct arena *arena, const char *keyword, int count, struct json each)
{
	struct json_builder object, members;
	struct json value;
	struct error err;

	json_object_start(&members, arena);
	for (int i = 0; i < count; i++)
		json_put_named(&members, text_format(arena, "p%d", i), each);
	assert_true(json_object_seal(&members, &value, &err));
	json_object_start(&object, arena);
	json_put(&object, keyword, value);
	assert_true(json_object_seal(&object, &value, &err));
	return value;
}

static void subschemas_are_bounded(void **state)
{
	for (int over = -1; over <= 1; over++) {
		struct json source = many(
			*state, "properties", JSON_SCHEMA_NODES_MAX - 1 + over, json_boolean(true));
		struct json_schema *schema;
		struct error err = {0};
		bool ok = json_schema_compile(&schema, &source, &err);

		assert_int_equal(ok, over <= 0);
		assert_int_equal(err.code, over <= 0 ? ERROR_NONE : ERROR_LIMIT);
		json_schema_destroy(&schema);
	}
}

static void patterns_are_bounded_in_number_and_length(void **state)
{
	static char bytes[JSON_SCHEMA_PATTERN_BYTES_MAX + 1];

	memset(bytes, 'a', sizeof bytes);
	for (int over = -1; over <= 1; over++) {
		struct json source = many(*state, "patternProperties",
			JSON_SCHEMA_PATTERNS_MAX + over, json_boolean(true));
		struct json_schema *schema;
		struct json_builder object;
		struct error err = {0};

		assert_int_equal(json_schema_compile(&schema, &source, &err), over <= 0);
		assert_int_equal(err.code, over <= 0 ? ERROR_NONE : ERROR_LIMIT);
		json_schema_destroy(&schema);
		json_object_start(&object, *state);
		json_put_text(&object, "pattern",
			(struct text){bytes, (size_t)(JSON_SCHEMA_PATTERN_BYTES_MAX + over)});
		error_clear(&err);
		assert_true(json_object_seal(&object, &source, &err));
		assert_int_equal(json_schema_compile(&schema, &source, &err), over <= 0);
		assert_int_equal(err.code, over <= 0 ? ERROR_NONE : ERROR_LIMIT);
		json_schema_destroy(&schema);
	}
}

/* A chain of references, each one level deeper. */
static struct json_schema *chain(struct arena *arena, int links)
{
	struct json_builder object, defs, link;
	struct json_schema *schema;
	struct json value;
	struct error err = {0};

	json_object_start(&defs, arena);
	for (int i = 0; i < links; i++) {
		json_object_start(&link, arena);
		if (i + 1 < links)
			json_put_text(&link, "$ref", text_format(arena, "#/$defs/d%d", i + 1));
		else
			json_put_cstring(&link, "type", "string");
		assert_true(json_object_seal(&link, &value, &err));
		json_put_named(&defs, text_format(arena, "d%d", i), value);
	}
	assert_true(json_object_seal(&defs, &value, &err));
	json_object_start(&object, arena);
	json_put(&object, "$defs", value);
	json_put_cstring(&object, "$ref", "#/$defs/d0");
	assert_true(json_object_seal(&object, &value, &err));
	assert_true(json_schema_compile(&schema, &value, &err));
	return schema;
}

static void validation_is_bounded_in_depth(void **state)
{
	const struct json value = json_cstring("x");
	struct json_schema_fault fault;

	for (int over = -1; over <= 1; over++) {
		struct json_schema *schema = chain(*state, JSON_SCHEMA_DEPTH_MAX - 1 + over);

		assert_int_equal(json_schema_validate(schema, &value, &fault),
			over <= 0 ? JSON_SCHEMA_VALID : JSON_SCHEMA_UNDECIDED);
		assert_string_equal(fault.keyword, over <= 0 ? "" : "depth");
		json_schema_destroy(&schema);
	}
	assert_int_equal(ask(*state, "{\"$ref\":\"#\"}", "1"), JSON_SCHEMA_UNDECIDED);
	assert_int_equal(ask(*state, "{\"not\":{\"$ref\":\"#\"}}", "1"), JSON_SCHEMA_UNDECIDED);
}

/* One step for the array and one for each item. */
static void validation_is_bounded_in_steps(void **state)
{
	struct json_schema *schema = compiled(*state, "{\"items\":{\"type\":\"null\"}}");
	struct json_schema_fault fault;

	for (int over = -1; over <= 1; over++) {
		uint32_t count = (uint32_t)(JSON_SCHEMA_STEPS_MAX - 1 + over);
		struct json value = {.type = JSON_ARRAY, .count = count};

		value.items = arena_array(*state, struct json, count);
		assert_non_null(value.items);
		assert_int_equal(json_schema_validate(schema, &value, &fault),
			over <= 0 ? JSON_SCHEMA_VALID : JSON_SCHEMA_UNDECIDED);
		assert_string_equal(fault.keyword, over <= 0 ? "" : "steps");
	}
	json_schema_destroy(&schema);
}

static void the_steps_of_one_validation_are_not_those_of_the_next(void **state)
{
	struct json_schema *schema = compiled(*state, "{\"items\":{\"type\":\"null\"}}");
	struct json value = {.type = JSON_ARRAY, .count = JSON_SCHEMA_STEPS_MAX / 2};

	value.items = arena_array(*state, struct json, value.count);
	for (int i = 0; i < 5; i++)
		assert_int_equal(json_schema_validate(schema, &value, NULL), JSON_SCHEMA_VALID);
	json_schema_destroy(&schema);
}

/* Branches that try everything: 2^n without a bound. */
static void what_would_take_for_ever_is_undecided(void **state)
{
	static const char schema[] =
		"{\"$defs\":{\"t\":{\"anyOf\":[{\"items\":{\"$ref\":\"#/$defs/t\"},"
		"\"minItems\":1,\"maxItems\":0},{\"items\":{\"$ref\":\"#/$defs/t\"},"
		"\"not\":{\"minItems\":0}},{\"items\":{\"$ref\":\"#/$defs/t\"},"
		"\"contains\":{\"$ref\":\"#/$defs/t\"},\"type\":\"string\"},"
		"{\"type\":\"array\",\"contains\":{\"allOf\":[{\"$ref\":\"#/$defs/t\"},"
		"{\"not\":{\"$ref\":\"#/$defs/t\"}}]}}]}},\"$ref\":\"#/$defs/t\"}";
	char value[81] = "";

	memset(value, '[', 40);
	memset(value + 40, ']', 40);
	assert_int_equal(ask(*state, schema, value), JSON_SCHEMA_UNDECIDED);
}

/* A hostile value for a careless expression, in a list of as many as it likes. */
static void a_match_is_bounded_and_then_undecided(void **state)
{
	struct json_schema *schema = compiled(*state, "{\"items\":{\"pattern\":\"^(a+)+$\"}}");
	struct json_schema_fault fault;
	struct json items[] = {
		json_cstring("aaaa"), json_cstring("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")};
	struct json value = {.type = JSON_ARRAY, .count = 1, .items = items};

	assert_int_equal(json_schema_validate(schema, &value, &fault), JSON_SCHEMA_VALID);
	value.count = 2;
	assert_int_equal(json_schema_validate(schema, &value, &fault), JSON_SCHEMA_UNDECIDED);
	assert_string_equal(fault.keyword, "pattern");
	assert_string_equal(fault.pointer, "/1");
	json_schema_destroy(&schema);
	/* Each match is far below JSON_SCHEMA_MATCH_LIMIT, all together are too many. */
	schema = compiled(*state, "{\"items\":{\"pattern\":\"^(a+)+$\"}}");
	value = (struct json){.type = JSON_ARRAY, .count = 2000};
	value.items = arena_array(*state, struct json, value.count);
	for (uint32_t i = 0; i < value.count; i++)
		((struct json *)(uintptr_t)value.items)[i] = json_cstring("aaaaaaaaaaa!");
	assert_int_equal(json_schema_validate(schema, &value, &fault), JSON_SCHEMA_INVALID);
	json_schema_destroy(&schema);
	schema = compiled(*state, "{\"contains\":{\"pattern\":\"^(a+)+$\"}}");
	assert_int_equal(json_schema_validate(schema, &value, &fault), JSON_SCHEMA_UNDECIDED);
	assert_string_equal(fault.keyword, "steps");
	json_schema_destroy(&schema);
}

static void a_large_list_without_two_alike_is_seen_quickly(void **state)
{
	struct json_schema *schema = compiled(*state, "{\"uniqueItems\":true}");
	struct json value = {.type = JSON_ARRAY, .count = 50000};
	struct json *items = arena_array(*state, struct json, value.count);

	assert_non_null(items);
	for (uint32_t i = 0; i < value.count; i++)
		items[i] = json_integer(i);
	value.items = items;
	assert_int_equal(json_schema_validate(schema, &value, NULL), JSON_SCHEMA_VALID);
	items[49999] = (struct json){.type = JSON_DOUBLE, .number = 17};
	assert_int_equal(json_schema_validate(schema, &value, NULL), JSON_SCHEMA_INVALID);
	json_schema_destroy(&schema);
}

/* ---- what is said ------------------------------------------------------------------------ */

static void a_fault_names_the_place_the_keyword_and_what_must_be(void **state)
{
	static const struct {
		const char *schema;
		const char *value;
		const char *pointer;
		const char *keyword;
		const char *text;
	} cases[] = {
		{"{\"type\":[\"string\",\"null\"]}", "1", "", "type", "must be null or string"},
		{"{\"properties\":{\"a/b\":{\"items\":{\"minimum\":3}}}}", "{\"a/b\":[4,2]}",
			"/a~1b/1", "minimum", "must be at least 3"},
		{"{\"maximum\":0.5}", "0.75", "", "maximum", "must be at most 0.5"},
		{"{\"required\":[\"path\"]}", "{}", "", "required", "must have the member path"},
		{"{\"additionalProperties\":false}", "{\"secret\":1}", "", "additionalProperties",
			"must not have members that the schema does not name"},
		{"{\"additionalProperties\":{\"type\":\"null\"}}", "{\"secret\":1}", "/*", "type",
			"must be null"},
		{"{\"propertyNames\":{\"maxLength\":3}}", "{\"secret\":1}", "", "propertyNames",
			"must have such members only as the schema lets be named"},
		{"{\"anyOf\":[{\"type\":\"null\"},{\"required\":[\"x\"]}]}", "{}", "", "anyOf",
			"must have one of the forms of the schema"},
		{"{\"allOf\":[{\"minLength\":2}]}", "\"\u00e9\"", "", "minLength",
			"must have at least so many characters: 2"},
		{"{\"enum\":[\"a\"]}", "\"secret\"", "", "enum",
			"must be one of the values of the schema"},
		{"{\"properties\":{\"a\":false}}", "{\"a\":1}", "/a", "false", "must not be there"},
		{"{\"unevaluatedProperties\":false}", "{\"secret\":1}", "", "unevaluatedProperties",
			"must not have members that the schema does not name"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json_schema *schema = compiled(*state, cases[i].schema);
		struct json value = read_json(*state, cases[i].value);
		struct json_schema_fault fault;

		assert_int_equal(json_schema_validate(schema, &value, &fault), JSON_SCHEMA_INVALID);
		assert_string_equal(fault.pointer, cases[i].pointer);
		assert_string_equal(fault.keyword, cases[i].keyword);
		assert_string_equal(fault.text, cases[i].text);
		json_schema_destroy(&schema);
	}
}

static void a_long_pointer_is_cut_between_letters(void **state)
{
	char schema[1024], value[1024], name[604] = "";
	struct json_schema_fault fault;
	struct json_schema *compiled_schema;
	struct json parsed;

	for (int i = 0; i < 200; i++)
		memcpy(name + 3 * i, "\u20ac", 4);
	snprintf(schema, sizeof schema, "{\"properties\":{\"%.*s\":{\"type\":\"null\"}}}", 597,
		name);
	snprintf(value, sizeof value, "{\"%.*s\":1}", 597, name);
	compiled_schema = compiled(*state, schema);
	parsed = read_json(*state, value);
	assert_int_equal(
		json_schema_validate(compiled_schema, &parsed, &fault), JSON_SCHEMA_INVALID);
	assert_true(text_is_utf8(text_of(fault.pointer)));
	assert_true(text_ends_with(text_of(fault.pointer), "..."));
	json_schema_destroy(&compiled_schema);
}

/* ---- numbers ------------------------------------------------------------------------------- */

static void numbers_are_compared_exactly(void **state)
{
	assert_int_equal(ask(*state, "{\"maximum\":9007199254740992.0}", "9007199254740993"),
		JSON_SCHEMA_INVALID);
	assert_int_equal(ask(*state, "{\"maximum\":9223372036854775807}", "9223372036854775808.0"),
		JSON_SCHEMA_INVALID);
	assert_int_equal(ask(*state, "{\"exclusiveMinimum\":-9223372036854775808}", "-9.3e18"),
		JSON_SCHEMA_INVALID);
	assert_int_equal(ask(*state, "{\"minimum\":3}", "3.0000000000000004"), JSON_SCHEMA_VALID);
	assert_int_equal(ask(*state, "{\"const\":1}", "1.0"), JSON_SCHEMA_VALID);
	assert_int_equal(ask(*state, "{\"const\":[0]}", "[-0.0]"), JSON_SCHEMA_VALID);
	assert_int_equal(ask(*state, "{\"type\":\"integer\"}", "1e3"), JSON_SCHEMA_VALID);
	assert_int_equal(ask(*state, "{\"type\":\"integer\"}", "1.5"), JSON_SCHEMA_INVALID);
}

static void multiples_are_those_of_the_decimals_as_written(void **state)
{
	assert_int_equal(ask(*state, "{\"multipleOf\":0.1}", "0.3"), JSON_SCHEMA_VALID);
	assert_int_equal(ask(*state, "{\"multipleOf\":0.01}", "19.99"), JSON_SCHEMA_VALID);
	assert_int_equal(ask(*state, "{\"multipleOf\":0.1}", "0.35"), JSON_SCHEMA_INVALID);
	assert_int_equal(ask(*state, "{\"multipleOf\":3}", "1e300"), JSON_SCHEMA_INVALID);
	assert_int_equal(ask(*state, "{\"multipleOf\":1e-300}", "1"), JSON_SCHEMA_VALID);
	assert_int_equal(ask(*state, "{\"multipleOf\":1e300}", "1"), JSON_SCHEMA_INVALID);
	assert_int_equal(ask(*state, "{\"multipleOf\":2}", "-4"), JSON_SCHEMA_VALID);
	assert_int_equal(ask(*state, "{\"multipleOf\":0.25}", "-0.75"), JSON_SCHEMA_VALID);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_reference_out_of_the_document_refuses_the_schema),
		TEST(a_known_keyword_with_a_wrong_value_refuses_the_schema),
		TEST(a_refusal_says_where_in_the_schema),
		TEST(draft_07_is_read_as_servers_send_it),
		TEST(format_is_an_annotation),
		TEST(schemas_in_each_other_are_bounded),
		TEST(subschemas_are_bounded),
		TEST(patterns_are_bounded_in_number_and_length),
		TEST(validation_is_bounded_in_depth),
		TEST(validation_is_bounded_in_steps),
		TEST(the_steps_of_one_validation_are_not_those_of_the_next),
		TEST(what_would_take_for_ever_is_undecided),
		TEST(a_match_is_bounded_and_then_undecided),
		TEST(a_large_list_without_two_alike_is_seen_quickly),
		TEST(a_fault_names_the_place_the_keyword_and_what_must_be),
		TEST(a_long_pointer_is_cut_between_letters),
		TEST(numbers_are_compared_exactly),
		TEST(multiples_are_those_of_the_decimals_as_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
