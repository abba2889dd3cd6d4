#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "domain/call/ask.h"

#define ELICIT TEXT("elicitation/create")
#define SAMPLE TEXT("sampling/createMessage")
#define ALL (ASK_SAMPLING | ASK_FORMS | ASK_URLS)
#define TEXT_BLOCK "{\"type\":\"text\",\"text\":\"x\"}"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_create(64 * 1024 * 1024);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

static struct json parse(const char *text)
{
	const struct json_limits limits = {
		.size_bytes = 8 * 1024 * 1024, .depth = 64, .values = 100000};
	struct json value;
	struct error err;

	if (!json_parse(&value, arena, text_copy(arena, text_of(text)), &limits, &err))
		fail_msg("%s: %.60s", err.text, text);
	return value;
}

static enum error_code check(struct text method, const char *params, unsigned abilities)
{
	struct json value = parse(params);
	struct error err = {0};

	if (ask_check(method, &value, abilities, &err))
		return ERROR_NONE;
	assert_null(strstr(err.text, "secretword")); /* what a server wrote is in no error */
	return err.code;
}

/* A form with these properties. */
static enum error_code check_form(const char *properties)
{
	struct text params = text_format(arena,
		"{\"message\":\"secretword?\",\"requestedSchema\":{\"type\":\"object\","
		"\"properties\":{%s}}}",
		properties);

	return check(ELICIT, params.data, ALL);
}

static enum error_code check_messages(const char *messages)
{
	struct text params = text_format(arena, "{\"maxTokens\":1,\"messages\":[%s]}", messages);

	return check(SAMPLE, params.data, ALL);
}

/* text n times, with commas between, and a number for each "#". */
static const char *repeat(const char *text, int count)
{
	struct buffer out;
	struct text all;

	buffer_init(&out, 4 * 1024 * 1024);
	for (int i = 0; i < count; i++) {
		if (i > 0)
			buffer_append_byte(&out, ',');
		for (const char *at = text; *at != '\0'; at++)
			if (*at == '#')
				buffer_append_int64(&out, i);
			else
				buffer_append_byte(&out, *at);
	}
	all = text_copy(arena, buffer_text(&out));
	buffer_deinit(&out);
	return all.data;
}

/* ---- what clients can do ---- */

static unsigned abilities_of(const char *capabilities)
{
	struct json value = parse(capabilities);

	return ask_abilities(&value);
}

static void a_client_can_what_it_declared_and_no_more(void **state)
{
	(void)state;
	assert_int_equal(ask_abilities(NULL), 0);
	assert_int_equal(abilities_of("[]"), 0);
	assert_int_equal(abilities_of("{}"), 0);
	assert_int_equal(abilities_of("{\"sampling\":true,\"elicitation\":1}"), 0);
	assert_int_equal(abilities_of("{\"sampling\":{}}"), ASK_SAMPLING);
	assert_int_equal(abilities_of("{\"elicitation\":{}}"), ASK_FORMS);
	assert_int_equal(abilities_of("{\"elicitation\":{\"form\":{}}}"), ASK_FORMS);
	assert_int_equal(abilities_of("{\"elicitation\":{\"url\":{}}}"), ASK_URLS);
	assert_int_equal(abilities_of("{\"elicitation\":{\"url\":1}}"), 0);
	assert_int_equal(
		abilities_of("{\"elicitation\":{\"form\":{},\"url\":{}}}"), ASK_FORMS | ASK_URLS);
}

static void what_a_client_cannot_do_is_not_asked_of_it(void **state)
{
	(void)state;
	assert_int_equal(check(SAMPLE, "{}", ASK_FORMS | ASK_URLS), ERROR_NOT_FOUND);
	assert_int_equal(
		check(ELICIT, "{\"message\":\"m\"}", ASK_SAMPLING | ASK_URLS), ERROR_NOT_FOUND);
	assert_int_equal(
		check(ELICIT, "{\"message\":\"m\",\"mode\":\"url\"}", ASK_FORMS), ERROR_NOT_FOUND);
	assert_int_equal(check(TEXT("roots/list"), "{}", ALL), ERROR_NOT_FOUND);
}

/* ---- sampling ---- */

static void a_sampling_of_another_form_is_refused(void **state)
{
	static const char *const bad[] = {
		"[]",
		"{}",
		"{\"messages\":[{\"role\":\"user\",\"content\":" TEXT_BLOCK "}]}",
		"{\"maxTokens\":0,\"messages\":[{\"role\":\"user\",\"content\":" TEXT_BLOCK "}]}",
		"{\"maxTokens\":\"9\",\"messages\":[{\"role\":\"user\",\"content\":" TEXT_BLOCK
		"}]}",
		"{\"maxTokens\":9,\"messages\":{}}",
		"{\"maxTokens\":9,\"messages\":[]}",
		"{\"maxTokens\":9,\"tools\":[],\"messages\":[{\"role\":\"user\","
		"\"content\":" TEXT_BLOCK "}]}",
		"{\"maxTokens\":9,\"task\":{},\"messages\":[{\"role\":\"user\","
		"\"content\":" TEXT_BLOCK "}]}",
		"{\"maxTokens\":9,\"includeContext\":\"allServers\",\"messages\":[{\"role\":"
		"\"user\",\"content\":" TEXT_BLOCK "}]}",
		"{\"maxTokens\":9,\"includeContext\":1,\"messages\":[{\"role\":\"user\","
		"\"content\":" TEXT_BLOCK "}]}",
		"{\"maxTokens\":9,\"secretword\":1,\"messages\":[{\"role\":\"user\","
		"\"content\":" TEXT_BLOCK "}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(check(SAMPLE, bad[i], ALL), ERROR_INVALID);
	assert_int_equal(check_messages("7"), ERROR_INVALID);
	assert_int_equal(
		check_messages("{\"role\":\"system\",\"content\":" TEXT_BLOCK "}"), ERROR_INVALID);
	assert_int_equal(check_messages("{\"role\":\"user\"}"), ERROR_INVALID);
	assert_int_equal(check_messages("{\"role\":\"user\",\"content\":\"x\"}"), ERROR_INVALID);
	assert_int_equal(check_messages("{\"role\":\"user\",\"content\":{\"type\":\"tool_use\"}}"),
		ERROR_INVALID);
	assert_int_equal(
		check_messages("{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":1}}"),
		ERROR_INVALID);
	assert_int_equal(check_messages("{\"role\":\"user\",\"content\":" TEXT_BLOCK ",\"x\":1}"),
		ERROR_INVALID);
}

static void messages_and_blocks_are_bounded(void **state)
{
	static const char message[] = "{\"role\":\"user\",\"content\":" TEXT_BLOCK "}";

	(void)state;
	assert_int_equal(check_messages(repeat(message, ASK_MESSAGES_MAX)), ERROR_NONE);
	assert_int_equal(check_messages(repeat(message, ASK_MESSAGES_MAX + 1)), ERROR_INVALID);
	for (int count = ASK_BLOCKS_MAX; count <= ASK_BLOCKS_MAX + 1; count++) {
		struct text one = text_format(
			arena, "{\"role\":\"user\",\"content\":[%s]}", repeat(TEXT_BLOCK, count));

		assert_int_equal(check_messages(one.data),
			count <= ASK_BLOCKS_MAX ? ERROR_NONE : ERROR_INVALID);
	}
}

static void a_sampling_of_mcp_passes(void **state)
{
	(void)state;
	assert_int_equal(
		check(SAMPLE,
			"{\"_meta\":{},\"maxTokens\":9,\"systemPrompt\":\"s\",\"temperature\":0.1,"
			"\"includeContext\":\"thisServer\",\"stopSequences\":[\"x\"],\"metadata\":"
			"{},\"modelPreferences\":{\"hints\":[]},\"messages\":[{\"role\":\"user\","
			"\"content\":{\"type\":\"image\",\"data\":\"aGk=\",\"mimeType\":\"image/"
			"png\"}},{\"role\":\"assistant\",\"content\":[" TEXT_BLOCK "]}]}",
			ASK_SAMPLING),
		ERROR_NONE);
}

/* ---- elicitation ---- */

static void a_form_that_is_not_flat_is_refused(void **state)
{
	static const char *const bad[] = {
		"\"a\":1",
		"\"a\":{}",
		"\"a\":{\"type\":\"object\",\"properties\":{}}",
		"\"a\":{\"type\":\"null\"}",
		"\"a\":{\"type\":[\"string\"]}",
		"\"a\":{\"$ref\":\"#\"}",
		"\"a\":{\"type\":\"string\",\"$ref\":\"#\"}",
		"\"a\":{\"type\":\"string\",\"pattern\":\"(a+)+\"}",
		"\"a\":{\"type\":\"string\",\"format\":\"password\"}",
		"\"a\":{\"type\":\"string\",\"format\":1}",
		"\"a\":{\"type\":\"string\",\"title\":1}",
		"\"a\":{\"type\":\"string\",\"enum\":[1]}",
		"\"a\":{\"type\":\"string\",\"enum\":[]}",
		"\"a\":{\"type\":\"string\",\"minLength\":\"1\"}",
		"\"a\":{\"type\":\"string\",\"oneOf\":[{\"title\":\"x\"}]}",
		"\"a\":{\"type\":\"string\",\"oneOf\":[{\"const\":\"x\",\"type\":\"object\"}]}",
		"\"a\":{\"type\":\"boolean\",\"minimum\":1}",
		"\"a\":{\"type\":\"array\"}",
		"\"a\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}",
		"\"a\":{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{}}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (check_form(bad[i]) != ERROR_INVALID)
			fail_msg("passed: %s", bad[i]);
	assert_int_equal(check_form("\"a\":{\"type\":\"array\",\"items\":{\"enum\":[\"x\"],"
				    "\"anyOf\":[{\"const\":\"x\"}]}}"),
		ERROR_INVALID);
}

static void a_form_of_mcp_passes(void **state)
{
	(void)state;
	assert_int_equal(check_form(""), ERROR_NONE);
	assert_int_equal(
		check_form(
			"\"a\":{\"type\":\"string\",\"title\":\"A\",\"description\":\"d\","
			"\"minLength\":1,\"maxLength\":9,\"format\":\"email\",\"default\":\"x\"},"
			"\"b\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9},"
			"\"c\":{\"type\":\"number\",\"default\":0.5},"
			"\"d\":{\"type\":\"boolean\",\"default\":true},"
			"\"e\":{\"type\":\"string\",\"enum\":[\"x\",\"y\"],\"enumNames\":[\"X\","
			"\"Y\"]},"
			"\"f\":{\"type\":\"string\",\"oneOf\":[{\"const\":\"x\",\"title\":\"X\"}]},"
			"\"g\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":2,\"items\":"
			"{\"type\":\"string\",\"enum\":[\"x\"]}},"
			"\"h\":{\"type\":\"array\",\"items\":{\"anyOf\":[{\"const\":\"x\","
			"\"title\":\"X\"}]}}"),
		ERROR_NONE);
}

static void fields_choices_and_the_message_are_bounded(void **state)
{
	(void)state;
	for (int more = 0; more <= 1; more++) {
		enum error_code wanted = more == 0 ? ERROR_NONE : ERROR_INVALID;
		struct text choices =
			text_format(arena, "\"a\":{\"type\":\"string\",\"enum\":[%s]}",
				repeat("\"c#\"", ASK_CHOICES_MAX + more));
		struct text message = text_format(arena,
			"{\"message\":\"%0*d\",\"requestedSchema\":{\"type\":\"object\","
			"\"properties\":{}}}",
			ASK_MESSAGE_BYTES_MAX + more, 0);

		assert_int_equal(
			check_form(repeat("\"f#\":{\"type\":\"boolean\"}", ASK_FIELDS_MAX + more)),
			wanted);
		assert_int_equal(check_form(choices.data), wanted);
		assert_int_equal(check(ELICIT, message.data, ALL), wanted);
	}
}

#define URL_ASK(url)                                                                               \
	"{\"message\":\"m\",\"mode\":\"url\",\"elicitationId\":\"1\",\"url\":\"" url "\"}"

static void an_elicitation_of_another_form_is_refused(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"message\":\"\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{}}}",
		"{\"message\":7,\"requestedSchema\":{\"type\":\"object\",\"properties\":{}}}",
		"{\"message\":\"m\"}",
		"{\"message\":\"m\",\"requestedSchema\":{\"properties\":{}}}",
		"{\"message\":\"m\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{},"
		"\"additionalProperties\":true}}",
		"{\"message\":\"m\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{},"
		"\"required\":\"a\"}}",
		"{\"message\":\"m\",\"mode\":\"other\",\"requestedSchema\":{\"type\":\"object\","
		"\"properties\":{}}}",
		"{\"message\":\"m\",\"mode\":1,\"requestedSchema\":{\"type\":\"object\","
		"\"properties\":{}}}",
		"{\"message\":\"m\",\"task\":{},\"requestedSchema\":{\"type\":\"object\","
		"\"properties\":{}}}",
		"{\"message\":\"m\",\"mode\":\"url\",\"url\":\"https://a.org/\"}",
		"{\"message\":\"m\",\"mode\":\"url\",\"elicitationId\":\"1\"}",
		"{\"message\":\"m\",\"mode\":\"url\",\"elicitationId\":\"1\",\"url\":"
		"\"http://a.org/\"}",
		"{\"message\":\"m\",\"mode\":\"url\",\"elicitationId\":\"1\",\"url\":"
		"\"https://me@a.org/\"}",
		"{\"message\":\"m\",\"mode\":\"url\",\"elicitationId\":\"1\",\"url\":"
		"\"https://a.org/\",\"requestedSchema\":{}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (check(ELICIT, bad[i], ALL) != ERROR_INVALID)
			fail_msg("passed: %s", bad[i]);
	assert_int_equal(check(ELICIT,
				 "{\"message\":\"m\",\"mode\":\"url\",\"elicitationId\":\"1\","
				 "\"url\":\"https://a.org/pay\"}",
				 ASK_URLS),
		ERROR_NONE);
}

/* What leads elsewhere than it seems, or has another spelling. */
static void a_url_that_is_not_plain_is_refused(void **state)
{
	static const char *const bad[] = {
		URL_ASK("https:///a.org/pay"),
		URL_ASK("https://"),
		URL_ASK("https://?x"),
		URL_ASK("https://:443/pay"),
		URL_ASK("https://a.org./pay"),
		URL_ASK("https://a.org.:443/pay"),
		URL_ASK("https://a..org/pay"),
		URL_ASK("https://.a.org/pay"),
		URL_ASK("https://a.org:/pay"),
		URL_ASK("https://a.org:0443/pay"),
		URL_ASK("https://a.org:0/pay"),
		URL_ASK("https://a.org:65536/pay"),
		URL_ASK("https://a.org:-1/pay"),
		URL_ASK("https://a.org:4 43/pay"),
		URL_ASK("https://a.org:443:443/pay"),
		URL_ASK("https://[::1/pay"),
		URL_ASK("https://[::1]443/pay"),
		URL_ASK("https://[]/pay"),
		URL_ASK("https://[a.org]/pay"),
		URL_ASK("https://[::1].a.org/pay"),
		URL_ASK("https://2130706433/pay"),
		URL_ASK("https://0x7f.1/pay"),
		URL_ASK("https://127.1/pay"),
		URL_ASK("https://0177.0.0.1/pay"),
		URL_ASK("https://a.0x1/pay"),
		URL_ASK("https://a!b/pay"),
	};
	static const char *const good[] = {
		URL_ASK("https://a.org"),
		URL_ASK("https://a.org:8443/pay?x=1"),
		URL_ASK("https://a.org:65535/pay"),
		URL_ASK("https://3com.example/pay"),
		URL_ASK("https://192.0.2.7/pay"),
		URL_ASK("https://192.0.2.7:1?x"),
		URL_ASK("https://a-1.b--2.example/"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (check(ELICIT, bad[i], ASK_URLS) != ERROR_INVALID)
			fail_msg("passed: %s", bad[i]);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (check(ELICIT, good[i], ASK_URLS) != ERROR_NONE)
			fail_msg("did not pass: %s", good[i]);
}

/* ---- answers ---- */

/* What the server gets, or the error's code in words. */
static const char *answer(struct text method, const char *params, const char *result)
{
	struct json asked = parse(params), given = parse(result), out;
	const struct ask_answer read = {method, &asked, &given};
	struct error err = {0};

	if (!ask_answer_read(&out, arena, &read, &err))
		return error_code_name(err.code);
	return text_format(arena, "%.*s", TEXT_ARGS(json_canonical_text(arena, &out))).data;
}

static const char city[] =
	"{\"message\":\"m\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"city\":"
	"{\"type\":\"string\",\"maxLength\":4}},\"required\":[\"city\"]}}";

static void content_that_the_form_did_not_ask_for_is_refused(void **state)
{
	static const char *const bad[] = {
		"[]",
		"{}",
		"{\"action\":\"yes\"}",
		"{\"action\":\"accept\"}",
		"{\"action\":\"accept\",\"content\":[]}",
		"{\"action\":\"accept\",\"content\":{}}",
		"{\"action\":\"accept\",\"content\":{\"city\":1}}",
		"{\"action\":\"accept\",\"content\":{\"city\":\"Bergen\"}}",
		"{\"action\":\"accept\",\"content\":{\"city\":\"Oslo\",\"pin\":\"1\"}}",
		"{\"action\":\"accept\",\"content\":{\"city\":{\"deep\":1}}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_string_equal(answer(ELICIT, city, bad[i]), error_code_name(ERROR_INVALID));
}

static void what_mcp_does_not_name_is_left_out_of_an_answer(void **state)
{
	(void)state;
	assert_string_equal(
		answer(ELICIT, city,
			"{\"_meta\":{\"remit/record\":1},\"action\":\"accept\",\"content\":"
			"{\"city\":\"Oslo\"},\"more\":1}"),
		"{\"action\":\"accept\",\"content\":{\"city\":\"Oslo\"}}");
	assert_string_equal(
		answer(ELICIT, city, "{\"action\":\"cancel\",\"content\":{\"city\":\"Oslo\"}}"),
		"{\"action\":\"cancel\"}");
	assert_string_equal(answer(ELICIT,
				    "{\"message\":\"m\",\"mode\":\"url\",\"elicitationId\":\"1\","
				    "\"url\":\"https://a.org/\"}",
				    "{\"action\":\"accept\",\"content\":{\"card\":\"4711\"}}"),
		"{\"action\":\"accept\"}");
	assert_string_equal(
		answer(SAMPLE, "{}",
			"{\"role\":\"assistant\",\"model\":\"m\",\"content\":" TEXT_BLOCK
			",\"stopReason\":\"endTurn\",\"context\":[1]}"),
		"{\"content\":{\"text\":\"x\",\"type\":\"text\"},\"model\":\"m\",\"role\":"
		"\"assistant\",\"stopReason\":\"endTurn\"}");
}

static void a_sampled_message_of_another_form_is_refused(void **state)
{
	static const char *const bad[] = {
		"{\"role\":\"assistant\",\"content\":" TEXT_BLOCK "}",
		"{\"role\":\"tool\",\"model\":\"m\",\"content\":" TEXT_BLOCK "}",
		"{\"role\":\"assistant\",\"model\":\"m\"}",
		"{\"role\":\"assistant\",\"model\":\"m\",\"content\":{\"type\":\"tool_use\"}}",
		"{\"role\":\"assistant\",\"model\":\"m\",\"stopReason\":1,\"content\":" TEXT_BLOCK
		"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_string_equal(answer(SAMPLE, "{}", bad[i]), error_code_name(ERROR_INVALID));
}

static void an_answer_is_bounded(void **state)
{
	static const char around[] =
		"{\"content\":{\"text\":\"\",\"type\":\"text\"},\"model\":\"m\",\"role\":\"user\"}";

	(void)state;
	for (int more = 0; more <= 1; more++) {
		int length = ASK_ANSWER_BYTES_MAX - (int)strlen(around) + more;
		struct text result = text_format(arena,
			"{\"content\":{\"text\":\"%0*d\",\"type\":\"text\"},\"model\":\"m\","
			"\"role\":\"user\"}",
			length, 0);
		const char *got = answer(SAMPLE, "{}", result.data);

		if (more == 0)
			assert_int_equal(strlen(got), ASK_ANSWER_BYTES_MAX);
		else
			assert_string_equal(got, error_code_name(ERROR_LIMIT));
	}
}

static void of_an_error_code_and_message_are_kept(void **state)
{
	struct json error = parse("{\"code\":-1,\"message\":\"no\",\"data\":{\"why\":\"x\"}}"), out;
	struct error err;

	(void)state;
	assert_true(ask_error_read(&out, arena, &error, &err));
	assert_true(text_is(json_canonical_text(arena, &out), "{\"code\":-1,\"message\":\"no\"}"));
}

static void an_error_is_bounded_like_an_answer(void **state)
{
	static const char around[] = "{\"code\":-1,\"message\":\"\"}";

	(void)state;
	for (int more = 0; more <= 1; more++) {
		int length = ASK_ANSWER_BYTES_MAX - (int)strlen(around) + more;
		struct json error = parse(
			text_format(arena, "{\"code\":-1,\"message\":\"%0*d\"}", length, 0).data);
		struct json out;
		struct error err = {0};

		assert_int_equal(ask_error_read(&out, arena, &error, &err), more == 0);
		assert_int_equal(err.code, more == 0 ? ERROR_NONE : ERROR_LIMIT);
	}
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(a_client_can_what_it_declared_and_no_more),
		WITH(what_a_client_cannot_do_is_not_asked_of_it),
		WITH(a_sampling_of_another_form_is_refused),
		WITH(messages_and_blocks_are_bounded),
		WITH(a_sampling_of_mcp_passes),
		WITH(a_form_that_is_not_flat_is_refused),
		WITH(a_form_of_mcp_passes),
		WITH(fields_choices_and_the_message_are_bounded),
		WITH(an_elicitation_of_another_form_is_refused),
		WITH(a_url_that_is_not_plain_is_refused),
		WITH(content_that_the_form_did_not_ask_for_is_refused),
		WITH(what_mcp_does_not_name_is_left_out_of_an_answer),
		WITH(a_sampled_message_of_another_form_is_refused),
		WITH(an_answer_is_bounded),
		WITH(of_an_error_code_and_message_are_kept),
		WITH(an_error_is_bounded_like_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
