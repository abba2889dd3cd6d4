/* JSON-RPC messages: what is refused, with which code, and what is read. */
#include "wire/jsonrpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct refused {
	const char *text;
	int64_t code;
	const char *id; /* as printed */
};

static const struct refused refused[] = {
	{"", JSONRPC_PARSE_ERROR, "null"},
	{"{", JSONRPC_PARSE_ERROR, "null"},
	{"{}x", JSONRPC_PARSE_ERROR, "null"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"a\"}", JSONRPC_PARSE_ERROR, "null"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\\u0000\"}", JSONRPC_PARSE_ERROR, "null"},
	{"[]", JSONRPC_INVALID_REQUEST, "null"},
	{"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\"}]", JSONRPC_INVALID_REQUEST, "null"},
	{"1", JSONRPC_INVALID_REQUEST, "null"},
	{"{}", JSONRPC_INVALID_REQUEST, "null"},
	{"{\"id\":1,\"method\":\"a\"}", JSONRPC_INVALID_REQUEST, "1"},
	{"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"a\"}", JSONRPC_INVALID_REQUEST, "1"},
	{"{\"jsonrpc\":2.0,\"id\":\"x\",\"method\":\"a\"}", JSONRPC_INVALID_REQUEST, "\"x\""},
	{"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"a\"}", JSONRPC_INVALID_REQUEST, "null"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"a\"}", JSONRPC_INVALID_REQUEST, "null"},
	{"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"a\"}", JSONRPC_INVALID_REQUEST, "null"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":1}", JSONRPC_INVALID_REQUEST, "1"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\"}", JSONRPC_INVALID_REQUEST, "1"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":1}", JSONRPC_INVALID_REQUEST,
		"1"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":null}", JSONRPC_INVALID_REQUEST,
		"1"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"extra\":1}", JSONRPC_INVALID_REQUEST,
		"1"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"result\":1}", JSONRPC_INVALID_REQUEST,
		"1"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1}", JSONRPC_INVALID_REQUEST, "1"},
	{"{\"jsonrpc\":\"2.0\",\"result\":1}", JSONRPC_INVALID_REQUEST, "null"},
	{"{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":1}", JSONRPC_INVALID_REQUEST, "null"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1,\"params\":{}}", JSONRPC_INVALID_REQUEST, "1"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1,\"error\":{\"code\":1,\"message\":\"\"}}",
		JSONRPC_INVALID_REQUEST, "1"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1}}", JSONRPC_INVALID_REQUEST, "1"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1.5,\"message\":\"\"}}",
		JSONRPC_INVALID_REQUEST, "1"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"\",\"more\":1}}",
		JSONRPC_INVALID_REQUEST, "1"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":[]}", JSONRPC_INVALID_REQUEST, "1"},
};

static int setup(void **state)
{
	*state = arena_create(1024 * 1024);
	return *state == NULL;
}

static int teardown(void **state)
{
	struct arena *arena = *state;

	arena_destroy(&arena);
	return 0;
}

static struct jsonrpc_message parse(struct arena *arena, const char *text)
{
	struct jsonrpc_message message;
	struct jsonrpc_fault fault;

	if (!jsonrpc_parse(&message, arena, text_of(text), &json_limits_default, &fault))
		fail_msg("%s: %s", text, fault.err.text);
	return message;
}

static void a_text_that_is_no_message_is_refused_with_its_code_and_id(void **state)
{
	size_t i;

	for (i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct jsonrpc_message message;
		struct jsonrpc_fault fault;
		struct buffer out;
		char expected[64] = "{\"error\":{\"code\":0,\"message\":\"\"},\"id\":";

		if (jsonrpc_parse(&message, *state, text_of(refused[i].text), &json_limits_default,
			    &fault))
			fail_msg("taken: %s", refused[i].text);
		assert_int_equal(message.kind, JSONRPC_NONE);
		if (fault.code != refused[i].code)
			fail_msg("%s: code %d", refused[i].text, (int)fault.code);
		assert_int_not_equal(fault.err.code, ERROR_NONE);
		buffer_init(&out, 4096);
		jsonrpc_format_error(&out, fault.id, 0, TEXT(""), NULL);
		strncat(expected, refused[i].id, 10);
		strncat(expected, ",", 2);
		if (strncmp(out.data, expected, strlen(expected)) != 0)
			fail_msg("%s: id in %.*s", refused[i].text, TEXT_ARGS(buffer_text(&out)));
		buffer_deinit(&out);
	}
}

static void an_id_or_method_beyond_its_bound_is_refused(void **state)
{
	char text[1024];
	size_t length;

	for (length = 256; length <= 257; length++) {
		struct jsonrpc_message message;
		struct jsonrpc_fault fault;

		(void)snprintf(text, sizeof text,
			"{\"jsonrpc\":\"2.0\",\"id\":\"%0*d\",\"method\":\"a\"}", (int)length, 0);
		assert_int_equal(jsonrpc_parse(&message, *state, text_of(text),
					 &json_limits_default, &fault),
			length <= JSONRPC_ID_BYTES_MAX);
		(void)snprintf(text, sizeof text,
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%0*d\"}", (int)length, 0);
		assert_int_equal(jsonrpc_parse(&message, *state, text_of(text),
					 &json_limits_default, &fault),
			length <= JSONRPC_METHOD_BYTES_MAX);
	}
}

static void the_four_kinds_are_told_apart(void **state)
{
	struct jsonrpc_message message;

	message = parse(
		*state, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"m\",\"params\":{\"a\":1}}");
	assert_int_equal(message.kind, JSONRPC_REQUEST);
	assert_int_equal(message.id.integer, 7);
	assert_int_equal(json_integer_or(message.params, "a", 0), 1);
	message = parse(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"m\"}");
	assert_int_equal(message.kind, JSONRPC_NOTIFICATION);
	assert_null(message.params);
	message = parse(*state, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":null}");
	assert_int_equal(message.kind, JSONRPC_RESULT);
	assert_int_equal(message.result->type, JSON_NULL);
	message = parse(*state,
		"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-1,\"message\":\"no\"}}");
	assert_int_equal(message.kind, JSONRPC_ERROR);
	assert_int_equal(message.error_code, -1);
	assert_int_equal(message.id.kind, JSONRPC_ID_NONE);
}

static void an_id_one_and_an_id_text_one_differ(void **state)
{
	struct jsonrpc_message number =
		parse(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}");
	struct jsonrpc_message text =
		parse(*state, "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"method\":\"m\"}");

	assert_false(jsonrpc_id_equal(number.id, text.id));
	assert_true(jsonrpc_id_equal(number.id, jsonrpc_id_of_integer(1)));
	assert_false(jsonrpc_id_equal((struct jsonrpc_id){0}, (struct jsonrpc_id){0}));
}

static void what_is_formatted_is_read_back(void **state)
{
	struct jsonrpc_message message =
		parse(*state, "{\"jsonrpc\":\"2.0\",\"id\":\"q\\\"\",\"method\":\"m\",\"params\":{"
			      "\"b\":1,\"a\":2}}");
	struct buffer out;

	buffer_init(&out, 4096);
	jsonrpc_format_request(&out, message.id, message.method, message.params);
	jsonrpc_format_notification(&out, message.method, NULL);
	jsonrpc_format_result(&out, message.id, message.params);
	jsonrpc_format_result(&out, message.id, NULL);
	jsonrpc_format_error(&out, message.id, -5, TEXT("no"), message.params);
	buffer_append_byte(&out, '\0');
	assert_string_equal(out.data,
		"{\"id\":\"q\\\"\",\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":{\"a\":2,\"b\":"
		"1}}"
		"{\"jsonrpc\":\"2.0\",\"method\":\"m\"}"
		"{\"id\":\"q\\\"\",\"jsonrpc\":\"2.0\",\"result\":{\"a\":2,\"b\":1}}"
		"{\"id\":\"q\\\"\",\"jsonrpc\":\"2.0\",\"result\":{}}"
		"{\"error\":{\"code\":-5,\"data\":{\"a\":2,\"b\":1},\"message\":\"no\"},"
		"\"id\":\"q\\\"\",\"jsonrpc\":\"2.0\"}");
	buffer_deinit(&out);
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(a_text_that_is_no_message_is_refused_with_its_code_and_id),
		WITH(an_id_or_method_beyond_its_bound_is_refused),
		WITH(an_id_one_and_an_id_text_one_differ),
		WITH(the_four_kinds_are_told_apart),
		WITH(what_is_formatted_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
