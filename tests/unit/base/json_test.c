/* The strict JSON reader, the canonical form and the builder. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_BYTES = 64 * 1024 * 1024 };

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

static void refuses(void **state, struct text text, enum error_code code)
{
	struct error err = {0};
	struct json value = {.type = JSON_BOOLEAN};

	if (json_parse(&value, *state, text, &json_limits_default, &err))
		fail_msg("accepted: %.*s", TEXT_ARGS(text));
	assert_int_equal(err.code, code);
	assert_int_equal(value.type, JSON_NULL);
}

static struct json reads(void **state, struct text text)
{
	struct error err = {0};
	struct json value;

	if (!json_parse(&value, *state, text, &json_limits_default, &err))
		fail_msg("%.*s: %s", TEXT_ARGS(text), err.text);
	return value;
}

static void writes(void **state, struct text text, const char *canonical)
{
	struct json value = reads(state, text);
	struct text out = json_canonical_text(*state, &value);

	assert_non_null(out.data);
	assert_string_equal(out.data, canonical);
}

static void what_is_not_json_is_refused(void **state)
{
	static const char *const bad[] = {"", " ", "{", "}", "[", "]", "[1,]", "[,1]", "[1 2]",
		"{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}", "{1:2}", "tru", "True",
		"nul", "NaN", "Infinity", "-", "+1", "01", "-01", ".5", "1.", "1.e1", "1e", "1e+",
		"0x10", "1_0", "\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"",
		"\"\t\"", "\"\n\"", "1 1", "{} {}", "[1] x", "// c\n1", "/**/1", "\xEF\xBB\xBF{}",
		"[1}", "{\"a\":1]", "\"a\\"};
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		refuses(state, text_of(bad[i]), ERROR_INVALID);
	refuses(state, TEXT("1\0"), ERROR_INVALID);
	refuses(state, TEXT("\"a\0b\""), ERROR_INVALID);
}

static void nul_by_escape_is_refused(void **state)
{
	refuses(state, TEXT("\"admin\\u0000x\""), ERROR_INVALID);
	refuses(state, TEXT("{\"a\\u0000\":1}"), ERROR_INVALID);
}

static void half_surrogates_are_refused(void **state)
{
	refuses(state, TEXT("\"\\ud800\""), ERROR_INVALID);
	refuses(state, TEXT("\"\\udc00\""), ERROR_INVALID);
	refuses(state, TEXT("\"\\ud800\\u0041\""), ERROR_INVALID);
	refuses(state, TEXT("\"\\ud800x\""), ERROR_INVALID);
	refuses(state, TEXT("\"\\ud83d\\ud83d\""), ERROR_INVALID);
	writes(state, TEXT("\"\\uD83D\\uDE00\""), "\"\xF0\x9F\x98\x80\"");
}

static void bad_utf8_is_refused_anywhere_in_a_string(void **state)
{
	refuses(state, TEXT("\"\xC0\x80\""), ERROR_INVALID);
	refuses(state, TEXT("\"12345678\xED\xA0\x80\""), ERROR_INVALID);
	refuses(state, TEXT("\"\\n\xFF\""), ERROR_INVALID);
	refuses(state, TEXT("{\"\x80\":1}"), ERROR_INVALID);
	refuses(state, TEXT("\"\xE2\x82\""), ERROR_INVALID);
}

static void a_name_written_twice_is_refused(void **state)
{
	refuses(state, TEXT("{\"a\":1,\"a\":1}"), ERROR_INVALID);
	refuses(state, TEXT("{\"a\":1,\"b\":2,\"\\u0061\":3}"), ERROR_INVALID);
	refuses(state, TEXT("[{\"x\":{\"\":0,\"\":0}}]"), ERROR_INVALID);
}

/* One more member than fits the small check, the twin first and last. */
static void a_twin_among_many_members_is_found(void **state)
{
	struct buffer text;
	int i;

	buffer_init(&text, 100000);
	buffer_append_string(&text, "{\"m0\":0");
	for (i = 1; i < 500; i++)
		buffer_append_format(&text, ",\"m%d\":%d", i, i);
	buffer_append_string(&text, "}");
	assert_int_equal(reads(state, buffer_text(&text)).count, 500);
	text.length--;
	buffer_append_string(&text, ",\"m0\":1}");
	refuses(state, buffer_text(&text), ERROR_INVALID);
	buffer_deinit(&text);
}

static void errors_name_line_and_column(void **state)
{
	struct error err = {0};
	struct json value;

	assert_false(json_parse(
		&value, *state, TEXT("{\n  \"\xC3\xA9\": x\n}"), &json_limits_default, &err));
	assert_string_equal(err.text, "line 2, column 8: expected a value");
}

static void integers_beyond_64_bits_are_refused(void **state)
{
	refuses(state, TEXT("9223372036854775808"), ERROR_INVALID);
	refuses(state, TEXT("-9223372036854775809"), ERROR_INVALID);
	refuses(state, TEXT("123456789012345678901234567890"), ERROR_INVALID);
	refuses(state, TEXT("1e400"), ERROR_INVALID);
	refuses(state, TEXT("-1e400"), ERROR_INVALID);
	writes(state, TEXT("9223372036854775807"), "9223372036854775807");
	writes(state, TEXT("-9223372036854775808"), "-9223372036854775808");
	writes(state, TEXT("9007199254740993"), "9007199254740993");
	writes(state, TEXT("-0"), "0");
}

static void limits_hold_at_their_exact_value(void **state)
{
	struct json_limits limits = {.size_bytes = 9, .depth = 2, .values = 3};
	struct error err = {0};
	struct json value;

	assert_true(json_parse(&value, *state, TEXT("[[1]]"), &limits, &err));
	assert_false(json_parse(&value, *state, TEXT("[[[]]]"), &limits, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_true(json_parse(&value, *state, TEXT("[1,2]    "), &limits, &err));
	assert_false(json_parse(&value, *state, TEXT("[1,2,3]"), &limits, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_false(json_parse(&value, *state, TEXT("[1,2]     "), &limits, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
}

static void depth_is_bounded_whatever_the_limits_say(void **state)
{
	struct json_limits limits = {.size_bytes = 1 << 20, .depth = 1 << 20, .values = 1 << 20};
	static char text[100000];
	struct error err = {0};
	struct json value;

	memset(text, '[', sizeof text);
	assert_false(json_parse(&value, *state, (struct text){text, sizeof text}, &limits, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
}

static void a_full_arena_is_an_error(void **state)
{
	struct arena *small = arena_create(64);
	struct error err = {0};
	struct json value;

	(void)state;
	assert_non_null(small);
	assert_false(json_parse(
		&value, small, TEXT("{\"a\":[1,2,3],\"b\":[4,5]}"), &json_limits_default, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	arena_destroy(&small);
}

static void values_keep_their_types_and_lines(void **state)
{
	struct json value = reads(
		state, TEXT("{\"i\": 1,\n\"d\": 1.0,\n\n\"s\": \"x\", \"t\": true, \"f\": false,\n"
			    "\"n\": null, \"a\": [], \"o\": {}}"));

	assert_int_equal(value.count, 8);
	assert_int_equal(json_find(&value, "i")->type, JSON_INTEGER);
	assert_int_equal(json_find(&value, "d")->type, JSON_DOUBLE);
	assert_int_equal(json_find(&value, "d")->line, 2);
	assert_int_equal(json_find(&value, "s")->line, 4);
	assert_int_equal(json_find(&value, "n")->line, 5);
	assert_true(json_boolean_or(&value, "t", false));
	assert_false(json_boolean_or(&value, "f", true));
	assert_true(json_boolean_or(&value, "s", true));
	assert_int_equal(json_integer_or(&value, "d", 7), 7);
	assert_true(text_is(json_text_or(&value, "s", "y"), "x"));
	assert_true(text_is(json_text_or(&value, "i", "y"), "y"));
	assert_null(json_find(&value, "missing"));
	assert_null(json_find(json_find(&value, "a"), "x"));
	assert_null(json_find(NULL, "x"));
}

static void more_values_than_the_frame_holds_are_kept_in_order(void **state)
{
	struct buffer text;
	struct json value;
	int64_t i;

	buffer_init(&text, 1000000);
	buffer_append_string(&text, "[[0");
	for (i = 1; i < 5000; i++)
		buffer_append_format(&text, ",%d", (int)i);
	buffer_append_string(&text, "],{\"a\":[1]}]");
	value = reads(state, buffer_text(&text));
	assert_int_equal(value.items[0].count, 5000);
	for (i = 0; i < 5000; i++)
		assert_true(value.items[0].items[i].integer == i);
	assert_int_equal(json_find(&value.items[1], "a")->items[0].integer, 1);
	buffer_deinit(&text);
}

static void missing_and_mistyped_members_are_named(void **state)
{
	static const char *const known[] = {"a", "b", NULL};
	struct json value = reads(state, TEXT("{\"a\":1,\"c\":2}"));
	struct error err = {0};
	struct text text;
	int64_t number;

	assert_false(json_need_text(&value, "b", &text, &err));
	assert_string_equal(err.text, "member \"b\" is missing");
	assert_false(json_need_text(&value, "a", &text, &err));
	assert_string_equal(err.text, "member \"a\" must be a string, not an integer");
	assert_true(json_need_integer(&value, "a", &number, &err) && number == 1);
	assert_false(json_only_members(&value, known, &err));
	assert_string_equal(err.text, "unknown member \"c\"");
}

/* RFC 8785 §3.2.3 and its appendix B, with the two documented differences. */
static void bytes_that_are_no_text_have_no_canonical_form(void **state)
{
	struct json_member member = {.name = TEXT("n"), .value = json_string(TEXT("caf\xc3"))};
	struct json object = {.type = JSON_OBJECT, .count = 1, .members = &member};

	assert_null(json_canonical_text(*state, &object).data);
	member = (struct json_member){.name = TEXT("\xff"), .value = json_null()};
	assert_null(json_canonical_text(*state, &object).data);
	member.name = TEXT("caf\xc3\xa9 long enough for words");
	assert_non_null(json_canonical_text(*state, &object).data);
}

/* One byte of every value, in every place of texts around the length of a word. */
static void a_string_is_escaped_wherever_it_needs_it(void **state)
{
	char text[24];
	struct json value;
	struct text written;

	for (size_t length = 1; length <= 20; length++)
		for (size_t place = 0; place < length; place++)
			for (int byte = 0; byte < 256; byte++) {
				struct buffer out;

				memset(text, 'a', length);
				text[place] = (char)byte;
				value = json_string((struct text){text, length});
				buffer_init(&out, 64);
				json_append_string(&out, (struct text){text, length});
				written = json_canonical_text(*state, &value);
				if (byte < 0x80)
					assert_true(text_equal(written, buffer_text(&out)));
				else
					assert_null(written.data);
				buffer_deinit(&out);
			}
}

static void the_canonical_form_is_that_of_rfc_8785(void **state)
{
	writes(state,
		TEXT("{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage "
		     "Return\",\"\\ufb33\":\"Hebrew\","
		     "\"1\":\"One\",\"\\ud83d\\ude00\":\"Emoji\",\"\\u0080\":\"Control\","
		     "\"\\u00f6\":\"Latin\"}"),
		"{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xC2\x80\":\"Control\","
		"\"\xC3\xB6\":\"Latin\",\"\xE2\x82\xAC\":\"Euro Sign\","
		"\"\xF0\x9F\x98\x80\":\"Emoji\",\"\xEF\xAC\xB3\":\"Hebrew\"}");
	writes(state, TEXT("[333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001]"),
		"[333333333.3333333,1e+30,4.5,0.002,1e-27]");
	writes(state,
		TEXT("\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/"
		     "\\b\\f\\t\\u007f\""),
		"\"\xE2\x82\xAC$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\\b\\f\\t\x7F\"");
	writes(state, TEXT(" { \"b\" : [ ] , \"a\" : { } } "), "{\"a\":{},\"b\":[]}");
}

static void doubles_are_written_shortest(void **state)
{
	static const struct {
		uint64_t bits;
		const char *text;
	} cases[] = {{0x0000000000000000, "0.0"}, {0x8000000000000000, "0.0"},
		{0x0000000000000001, "5e-324"}, {0x8000000000000001, "-5e-324"},
		{0x7fefffffffffffff, "1.7976931348623157e+308"},
		{0xffefffffffffffff, "-1.7976931348623157e+308"},
		{0x4340000000000000, "9007199254740992.0"},
		{0x4430000000000000, "295147905179352830000.0"},
		{0x44b52d02c7e14af5, "9.999999999999997e+22"}, {0x44b52d02c7e14af6, "1e+23"},
		{0x44b52d02c7e14af7, "1.0000000000000001e+23"},
		{0x444b1ae4d6e2ef4e, "999999999999999700000.0"},
		{0x444b1ae4d6e2ef4f, "999999999999999900000.0"}, {0x444b1ae4d6e2ef50, "1e+21"},
		{0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"}, {0x3eb0c6f7a0b5ed8d, "0.000001"},
		{0x41b3de4355555553, "333333333.3333332"},
		{0x41b3de4355555554, "333333333.33333325"},
		{0x41b3de4355555555, "333333333.3333333"},
		{0x41b3de4355555556, "333333333.3333334"},
		{0x41b3de4355555557, "333333333.33333343"},
		{0xbecbf647612f3696, "-0.0000033333333333333333"},
		{0x43143ff3c1cb0959, "1424953923781206.2"},
		{0x3d30000000000000, "5.684341886080802e-14"}};
	struct buffer out;
	size_t i;

	(void)state;
	buffer_init(&out, 100);
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json value = {.type = JSON_DOUBLE};

		memcpy(&value.number, &cases[i].bits, sizeof value.number);
		buffer_reset(&out);
		json_canonical(&out, &value);
		buffer_append_byte(&out, '\0');
		assert_string_equal(out.data, cases[i].text);
	}
	buffer_deinit(&out);
}

static void members_in_any_order_are_equal_and_types_matter(void **state)
{
	struct json a = reads(state, TEXT("{\"x\":1,\"y\":[true,null]}"));
	struct json b = reads(state, TEXT("{\"y\":[true,null],\"x\":1}"));
	struct json c = reads(state, TEXT("{\"y\":[true,null],\"x\":1.0}"));
	struct json d = reads(state, TEXT("{\"y\":[true,null],\"x\":1,\"z\":0}"));
	struct json e = reads(state, TEXT("{\"y\":[null,true],\"x\":1}"));

	assert_true(json_equal(&a, &b));
	assert_false(json_equal(&a, &c));
	assert_false(json_equal(&a, &d));
	assert_false(json_equal(&a, &e));
}

static const char written[] = "{\"b\":[1,-9223372036854775808,{},[]],\"a\":\"\\\"\\\\\\n\\t\xC3\xA9"
			      " and more than a word\",\"c\":[true,false,null]}";

static void a_text_that_differs_anywhere_is_not_the_value_written(void **state)
{
	struct json value = reads(state, text_of(written));
	char text[sizeof written];
	size_t i;

	for (i = 0; i + 1 < sizeof written; i++) {
		memcpy(text, written, sizeof written);
		text[i] ^= 1;
		if (json_is_written(&value, text_of(text), &json_limits_default))
			fail_msg("taken for the same: %s", text);
		assert_false(
			json_is_written(&value, (struct text){written, i}, &json_limits_default));
	}
	assert_false(json_is_written(&value, TEXT(""), &json_limits_default));
}

static void other_forms_of_a_value_are_left_to_who_parses(void **state)
{
	static const char *const forms[][2] = {{"[1]", "[1] "}, {"[1]", "[ 1]"}, {"1.0", "1.0"},
		{"0", "-0"}, {"12", "12.0"}, {"12", "12e0"}, {"\"a\"", "\"\\u0061\""},
		{"\"/\"", "\"\\/\""}, {"\"\\u001f\"", "\"\\u001f\""}, {"[1]", "[1]]"},
		{"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"}, {"\"\\n\"", "\"\n\""},
		{"{\"a\":1}", "{\"a\":1,\"a\":1}"}, {"[]", "{}"}, {"{}", "[]"}, {"null", "nul"}};
	size_t i;

	for (i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct json value = reads(state, text_of(forms[i][0]));

		if (json_is_written(&value, text_of(forms[i][1]), &json_limits_default))
			fail_msg("taken for the same: %s", forms[i][1]);
	}
}

static void a_text_beyond_the_limits_is_no_value_written(void **state)
{
	const struct json_limits fitting = {.size_bytes = 9, .depth = 2, .values = 5};
	struct json_limits limits[3] = {fitting, fitting, fitting};
	struct json value = reads(state, TEXT("[[1,2,3]]"));
	size_t i;

	assert_true(json_is_written(&value, TEXT("[[1,2,3]]"), &fitting));
	limits[0].size_bytes--;
	limits[1].depth--;
	limits[2].values--;
	for (i = 0; i < sizeof limits / sizeof *limits; i++)
		assert_false(json_is_written(&value, TEXT("[[1,2,3]]"), &limits[i]));
}

static void a_value_is_known_by_the_form_all_write(void **state)
{
	struct json value = reads(state, text_of(written));

	assert_true(json_is_written(&value, text_of(written), &json_limits_default));
}

static void many_members_are_sorted_too(void **state)
{
	struct buffer text;
	struct json value;
	struct text canonical;
	struct json again;
	uint32_t i;

	buffer_init(&text, 100000);
	buffer_append_string(&text, "{\"999\":0");
	for (i = 0; i < 100; i++)
		buffer_append_format(&text, ",\"%03u\":%u", 100 - i, i);
	buffer_append_string(&text, "}");
	value = reads(state, buffer_text(&text));
	canonical = json_canonical_text(*state, &value);
	again = reads(state, canonical);
	assert_true(json_equal(&value, &again));
	for (i = 1; i < again.count; i++)
		assert_true(text_compare(again.members[i - 1].name, again.members[i].name) < 0);
	buffer_deinit(&text);
}

static void a_built_value_is_what_was_put_in(void **state)
{
	struct json_builder object;
	struct json_builder array;
	struct error err = {0};
	struct json items;
	struct json value;
	int i;

	json_array_start(&array, *state);
	for (i = 0; i < 20; i++)
		json_add(&array, json_integer(i));
	assert_true(json_array_seal(&array, &items, &err));
	json_object_start(&object, *state);
	json_put_cstring(&object, "s", "text");
	json_put_integer(&object, "i", -1);
	json_put_boolean(&object, "b", true);
	json_put(&object, "n", json_null());
	json_put(&object, "a", items);
	assert_true(json_object_seal(&object, &value, &err));
	assert_string_equal(json_canonical_text(*state, &value).data,
		"{\"a\":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19],"
		"\"b\":true,\"i\":-1,\"n\":null,\"s\":\"text\"}");
	json_object_start(&object, *state);
	assert_true(json_object_seal(&object, &value, &err));
	assert_string_equal(json_canonical_text(*state, &value).data, "{}");
}

static void what_many_records_hold_is_put_in_one_form(void **state)
{
	const struct text names[] = {TEXT("x"), TEXT("y")};
	const struct sha256 digest = {{0}};
	struct json_builder object;
	struct error err = {0};
	struct json value;

	json_object_start(&object, *state);
	json_put_texts(&object, "names", names, 2);
	json_put_texts(&object, "none", NULL, 0);
	json_put_text_unless_empty(&object, "absent", TEXT(""));
	json_put_text_unless_empty(&object, "here", TEXT("z"));
	json_put_digest(&object, "of", &digest);
	json_put_time(&object, "when", 0);
	json_put_time_unless_zero(&object, "never", 0);
	json_put_time_unless_zero(&object, "seen", 1700000000123);
	assert_true(json_object_seal(&object, &value, &err));
	assert_string_equal(json_canonical_text(*state, &value).data,
		"{\"here\":\"z\",\"names\":[\"x\",\"y\"],\"none\":[],\"of\":\"sha256:"
		"0000000000000000000000000000000000000000000000000000000000000000\","
		"\"seen\":\"2023-11-14T22:13:20.123Z\",\"when\":\"1970-01-01T00:00:00.000Z\"}");
}

static void a_name_put_twice_is_refused_when_sealed(void **state)
{
	struct json_builder object;
	struct error err = {0};
	struct json value;

	json_object_start(&object, *state);
	json_put_integer(&object, "a", 1);
	json_put_integer(&object, "a", 1);
	assert_false(json_object_seal(&object, &value, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_int_equal(value.type, JSON_NULL);
}

static void a_builder_without_room_fails_at_the_seal(void **state)
{
	struct arena *small = arena_create(16);
	struct json_builder object;
	struct error err = {0};
	struct json value;

	(void)state;
	assert_non_null(small);
	json_object_start(&object, small);
	json_put_integer(&object, "a", 1);
	assert_false(json_object_seal(&object, &value, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	json_object_start(&object, small);
	json_put_digest(&object, "a", &(struct sha256){{0}});
	assert_false(json_object_seal(&object, &value, &err));
	json_object_start(&object, small);
	json_put_time(&object, "a", 1);
	assert_false(json_object_seal(&object, &value, &err));
	arena_destroy(&small);
}

static void a_copy_outlives_its_source(void **state)
{
	char source[] = "{\"name\":[\"value\",{\"a\":1.5}],\"e\":[],\"s\":\"\"}";
	struct json value = reads(state, text_of(source));
	struct json copy;
	struct error err = {0};

	assert_true(json_copy(&copy, *state, &value, &err));
	memset(source, 'x', sizeof source);
	assert_string_equal(json_canonical_text(*state, &copy).data,
		"{\"e\":[],\"name\":[\"value\",{\"a\":1.5}],\"s\":\"\"}");
}

static void the_form_for_people_reads_back_equal(void **state)
{
	struct json value = reads(state, TEXT("{\"b\":[1,{\"c\":[]}],\"a\":\"x\"}"));
	struct buffer out;
	struct json again;

	buffer_init(&out, 1000);
	json_pretty(&out, &value);
	again = reads(state, buffer_text(&out));
	assert_true(json_equal(&value, &again));
	assert_true(text_is(buffer_text(&out), "{\n  \"b\": [\n    1,\n    {\n      \"c\": []\n"
					       "    }\n  ],\n  \"a\": \"x\"\n}"));
	buffer_deinit(&out);
}

#define JSON_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(what_is_not_json_is_refused),
		JSON_TEST(nul_by_escape_is_refused),
		JSON_TEST(half_surrogates_are_refused),
		JSON_TEST(bad_utf8_is_refused_anywhere_in_a_string),
		JSON_TEST(a_name_written_twice_is_refused),
		JSON_TEST(a_twin_among_many_members_is_found),
		JSON_TEST(errors_name_line_and_column),
		JSON_TEST(integers_beyond_64_bits_are_refused),
		JSON_TEST(limits_hold_at_their_exact_value),
		JSON_TEST(depth_is_bounded_whatever_the_limits_say),
		JSON_TEST(a_full_arena_is_an_error),
		JSON_TEST(values_keep_their_types_and_lines),
		JSON_TEST(more_values_than_the_frame_holds_are_kept_in_order),
		JSON_TEST(missing_and_mistyped_members_are_named),
		JSON_TEST(bytes_that_are_no_text_have_no_canonical_form),
		JSON_TEST(a_string_is_escaped_wherever_it_needs_it),
		JSON_TEST(the_canonical_form_is_that_of_rfc_8785),
		JSON_TEST(doubles_are_written_shortest),
		JSON_TEST(members_in_any_order_are_equal_and_types_matter),
		JSON_TEST(a_text_that_differs_anywhere_is_not_the_value_written),
		JSON_TEST(other_forms_of_a_value_are_left_to_who_parses),
		JSON_TEST(a_text_beyond_the_limits_is_no_value_written),
		JSON_TEST(a_value_is_known_by_the_form_all_write),
		JSON_TEST(many_members_are_sorted_too),
		JSON_TEST(a_built_value_is_what_was_put_in),
		JSON_TEST(what_many_records_hold_is_put_in_one_form),
		JSON_TEST(a_name_put_twice_is_refused_when_sealed),
		JSON_TEST(a_builder_without_room_fails_at_the_seal),
		JSON_TEST(a_copy_outlives_its_source),
		JSON_TEST(the_form_for_people_reads_back_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
