#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "domain/generation/request.h"

struct fixture {
	struct arena *arena;
	struct generation_request request;
	struct error err;
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture.arena = arena_create((size_t)1 << 28);
	*state = &fixture;
	return fixture.arena == NULL;
}

static int teardown(void **state)
{
	arena_destroy(&((struct fixture *)*state)->arena);
	return 0;
}

static bool read_body(struct fixture *fixture, const char *method, const char *text)
{
	const struct json_limits limits = {(size_t)1 << 26, 64, 1 << 20};
	struct json body;

	assert_true(json_parse(&body, fixture->arena, text_copy(fixture->arena, text_of(text)),
		&limits, &fixture->err));
	return generation_request_read(
		&fixture->request, fixture->arena, text_of(method), &body, &fixture->err);
}

static const char *facts(struct fixture *fixture)
{
	return json_canonical_text(fixture->arena, &fixture->request.facts).data;
}

static void what_is_no_request_to_a_model_is_refused(void **state)
{
	static const char *const wrong[][2] = {
		{"embeddings", "{\"model\":\"m\",\"messages\":[]}"},
		{"messages", "[]"},
		{"messages", "{\"messages\":[]}"},
		{"messages", "{\"model\":\"a b\",\"messages\":[]}"},
		{"messages", "{\"model\":7,\"messages\":[]}"},
		{"messages", "{\"model\":\"m\"}"},
		{"messages", "{\"model\":\"m\",\"messages\":\"hi\"}"},
		/* Two names, of which a provider might take the other. */
		{"chat/completions",
			"{\"model\":\"m\",\"messages\":[],\"tools\":[{\"type\":"
			"\"function\",\"name\":\"a\",\"function\":{\"name\":\"b\"}}]}"},
		/* What lies with the provider. */
		{"responses",
			"{\"model\":\"m\",\"input\":[{\"type\":\"item_reference\",\"id\":\"i\"}]}"},
		{"responses", "{\"model\":\"m\",\"input\":[{\"content\":[{\"type\":\"input_file\","
			      "\"file_id\":\"f\"}]}]}"},
		{"chat/completions",
			"{\"model\":\"m\",\"messages\":[{\"content\":[{\"type\":\"file\","
			"\"file\":{\"file_id\":\"f\"}}]}]}"},
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_false(read_body(*state, wrong[i][0], wrong[i][1]));
		assert_int_equal(((struct fixture *)*state)->err.code, ERROR_INVALID);
	}
}

/* A provider might read another meaning into it than remit does. */
static void a_parameter_of_another_type_is_refused(void **state)
{
	static const char *const wrong[] = {"\"stream\":1", "\"stream\":\"true\"",
		"\"max_tokens\":\"9\"", "\"max_tokens\":1.5", "\"max_tokens\":-1",
		"\"max_tokens\":1000000001", "\"temperature\":\"hot\"", "\"temperature\":-0.1",
		"\"temperature\":1001", "\"tools\":{}", "\"tools\":[{}]", "\"tools\":[7]"};
	char body[256];

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		(void)snprintf(body, sizeof body, "{\"model\":\"m\",\"messages\":[],%s}", wrong[i]);
		assert_false(read_body(*state, "chat/completions", body));
	}
}

/* However it is spelt, it is no tool of the caller's. */
static void what_a_provider_runs_itself_is_told_apart(void **state)
{
	static const char *const ways[][2] = {
		{"\"tools\":[{\"type\":\"mcp\",\"server_url\":\"https://x\",\"name\":\"read\"}]",
			"mcp"},
		{"\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\"}]",
			"web_search_20250305"},
		{"\"web_search_options\":{}", "web_search_options"},
		{"\"mcp_servers\":[]", "mcp_servers"},
		{"\"plugins\":[{}]", "plugins"},
		{"\"container\":\"c\"", "container"},
	};
	char body[256], wanted[128];

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		(void)snprintf(
			body, sizeof body, "{\"model\":\"m\",\"messages\":[],%s}", ways[i][0]);
		(void)snprintf(wanted, sizeof wanted, "\"provider_tools\":[\"%s\"]", ways[i][1]);
		assert_true(read_body(*state, "messages", body));
		assert_non_null(strstr(facts(*state), wanted));
		assert_non_null(strstr(facts(*state), "\"tools\":[]"));
	}
	assert_true(read_body(*state, "messages",
		"{\"model\":\"m\",\"messages\":[],\"plugins\":null,\"tools\":[{\"type\":\"custom\","
		"\"custom\":{\"name\":\"c\"}}]}"));
	assert_non_null(strstr(facts(*state), "\"provider_tools\":[]"));
	assert_non_null(strstr(facts(*state), "\"tools\":[\"c\"]"));
}

/* It would bring what was not decided into the prompt, or an answer past us. */
static void what_a_provider_keeps_is_no_part_of_a_request(void **state)
{
	static const char *const kept[] = {"\"previous_response_id\":\"r\"",
		"\"conversation\":{\"id\":\"c\"}", "\"prompt\":{\"id\":\"p\"}",
		"\"background\":true"};
	char body[256];

	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		(void)snprintf(body, sizeof body, "{\"model\":\"m\",\"input\":\"hi\",%s}", kept[i]);
		assert_false(read_body(*state, "responses", body));
	}
	assert_true(read_body(*state, "responses",
		"{\"model\":\"m\",\"input\":\"hi\",\"previous_response_id\":null,"
		"\"background\":false,\"max_output_tokens\":7}"));
	assert_non_null(strstr(facts(*state), "\"max_tokens\":7"));
	assert_false(read_body(*state, "responses", "{\"model\":\"m\"}"));
	assert_false(
		read_body(*state, "chat/completions", "{\"model\":\"m\",\"messages\":\"hi\"}"));
}

static void policies_see_numbers_and_the_names_of_tools(void **state)
{
	struct fixture *fixture = *state;

	assert_true(read_body(fixture, "chat/completions",
		"{\"model\":\"m\",\"messages\":[],\"stream\":true,\"temperature\":0.7001,"
		"\"max_tokens\":5,\"max_completion_tokens\":9,"
		"\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a__b\"}}]}"));
	assert_true(fixture->request.is_stream);
	assert_non_null(strstr(facts(fixture), "\"api\":\"openai\""));
	assert_non_null(strstr(facts(fixture), "\"max_tokens\":9"));
	assert_non_null(strstr(facts(fixture), "\"stream\":true"));
	assert_non_null(strstr(facts(fixture), "\"temperature\":701"));
	assert_non_null(strstr(facts(fixture), "\"tools\":[\"a__b\"]"));
	assert_true(read_body(fixture, "messages",
		"{\"model\":\"m\",\"messages\":[],\"stream\":null,\"temperature\":null,"
		"\"tools\":[{\"name\":\"x\"},{\"type\":\"web_search\"}]}"));
	assert_false(fixture->request.is_stream);
	assert_non_null(strstr(facts(fixture), "\"provider_tools\":[\"web_search\"]"));
	assert_non_null(strstr(facts(fixture), "\"tools\":[\"x\"]"));
	assert_null(strstr(facts(fixture), "temperature"));
	assert_null(strstr(facts(fixture), "max_tokens"));
}

static void a_prompt_is_estimated_from_the_whole_body_rounded_up(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(generation_estimate(0), 0);
	assert_int_equal(generation_estimate(1), 1);
	assert_int_equal(generation_estimate(GENERATION_BYTES_PER_TOKEN), 1);
	assert_int_equal(generation_estimate(GENERATION_BYTES_PER_TOKEN + 1), 2);
	assert_true(read_body(fixture, "messages", "{ \"messages\":[], \"model\":\"m\" }"));
	assert_string_equal(fixture->request.canonical.data, "{\"messages\":[],\"model\":\"m\"}");
	assert_int_equal(fixture->request.prompt_tokens, 7);
}

static void a_body_has_its_bound(void **state)
{
	struct fixture *fixture = *state;
	size_t frame = strlen("{\"messages\":[\"\"],\"model\":\"m\"}");
	struct buffer body;

	for (size_t past = 0; past < 2; past++) {
		buffer_init(&body, GENERATION_BODY_BYTES_MAX + 128);
		buffer_append_string(&body, "{\"messages\":[\"");
		for (size_t i = frame; i < GENERATION_BODY_BYTES_MAX + past; i++)
			buffer_append_byte(&body, 'x');
		buffer_append_string(&body, "\"],\"model\":\"m\"}");
		buffer_append_byte(&body, '\0');
		assert_int_equal(read_body(fixture, "messages", body.data), past == 0);
		buffer_deinit(&body);
	}
}

static void a_request_offers_so_many_tools_at_most(void **state)
{
	struct fixture *fixture = *state;
	struct buffer body;

	for (int past = 0; past < 2; past++) {
		buffer_init(&body, 1 << 16);
		buffer_append_string(&body, "{\"model\":\"m\",\"messages\":[],\"tools\":[");
		for (int i = 0; i < GENERATION_TOOLS_OFFERED_MAX + past; i++)
			buffer_append_string(
				&body, i == 0 ? "{\"name\":\"t\"}" : ",{\"name\":\"t\"}");
		buffer_append_string(&body, "]}");
		buffer_append_byte(&body, '\0');
		assert_int_equal(read_body(fixture, "messages", body.data), past == 0);
		buffer_deinit(&body);
	}
}

struct heard {
	char text[512];
};

static void hear(void *context, struct text role, struct text text)
{
	struct heard *heard = context;
	size_t used = strlen(heard->text);

	(void)snprintf(heard->text + used, sizeof heard->text - used, "%.*s=%.*s;", TEXT_ARGS(role),
		TEXT_ARGS(text));
}

static void each_text_is_told_with_who_said_it(void **state)
{
	struct fixture *fixture = *state;
	struct heard heard = {""};
	struct json body;

	assert_true(json_parse(&body, fixture->arena,
		TEXT("{\"system\":[{\"type\":\"text\",\"text\":\"be kind\"}],\"messages\":["
		     "{\"role\":\"user\",\"content\":\"hi\"},7,{\"role\":\"assistant\"},"
		     "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"look\"},"
		     "{\"type\":\"tool_result\",\"content\":\"42\"},"
		     "{\"type\":\"tool_result\",\"content\":[{\"text\":\"43\"}]}]}]}"),
		&json_limits_default, &fixture->err));
	generation_each_message(&body, hear, &heard);
	assert_string_equal(heard.text, "system=be kind;user=hi;user=look;tool=42;tool=43;");
	assert_true(json_parse(&body, fixture->arena,
		TEXT("{\"instructions\":\"be kind\",\"input\":[{\"role\":\"user\",\"content\":["
		     "{\"type\":\"input_text\",\"text\":\"hi\"}]},{\"type\":\"function_call_"
		     "output\","
		     "\"output\":\"42\"}]}"),
		&json_limits_default, &fixture->err));
	heard.text[0] = '\0';
	generation_each_message(&body, hear, &heard);
	assert_string_equal(heard.text, "system=be kind;user=hi;tool=42;");
	assert_true(json_parse(&body, fixture->arena, TEXT("{\"input\":\"hi\"}"),
		&json_limits_default, &fixture->err));
	heard.text[0] = '\0';
	generation_each_message(&body, hear, &heard);
	assert_string_equal(heard.text, "user=hi;");
}

static void what_is_not_said_of_a_request_is_the_least(void **state)
{
	struct fixture *fixture = *state;
	struct json given = {.type = JSON_OBJECT}, facts;

	assert_true(
		generation_facts_least(&facts, fixture->arena, "openai", &given, &fixture->err));
	assert_true(text_is(json_canonical_text(fixture->arena, &facts),
		"{\"api\":\"openai\",\"prompt_tokens\":1,\"provider_tools\":[],"
		"\"stream\":false,\"tools\":[]}"));
	assert_true(json_parse(&given, fixture->arena,
		TEXT("{\"prompt_tokens\":7,\"temperature\":5,\"tools\":[\"a\"]}"),
		&json_limits_default, &fixture->err));
	assert_true(
		generation_facts_least(&facts, fixture->arena, "anthropic", &given, &fixture->err));
	assert_true(text_is(json_canonical_text(fixture->arena, &facts),
		"{\"api\":\"anthropic\",\"prompt_tokens\":7,\"provider_tools\":[],"
		"\"stream\":false,\"temperature\":5,\"tools\":[\"a\"]}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_request_to_a_model_is_refused),
		cmocka_unit_test(a_parameter_of_another_type_is_refused),
		cmocka_unit_test(what_a_provider_keeps_is_no_part_of_a_request),
		cmocka_unit_test(what_a_provider_runs_itself_is_told_apart),
		cmocka_unit_test(policies_see_numbers_and_the_names_of_tools),
		cmocka_unit_test(a_prompt_is_estimated_from_the_whole_body_rounded_up),
		cmocka_unit_test(a_body_has_its_bound),
		cmocka_unit_test(a_request_offers_so_many_tools_at_most),
		cmocka_unit_test(each_text_is_told_with_who_said_it),
		cmocka_unit_test(what_is_not_said_of_a_request_is_the_least),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
