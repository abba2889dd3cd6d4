#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "domain/call/call.h"
#include "domain/charter/object.h"

static int arena_setup(void **state)
{
	*state = arena_create(8 * 1024 * 1024);
	return *state == NULL ? -1 : 0;
}

static int arena_teardown(void **state)
{
	arena_destroy((struct arena **)state);
	return 0;
}

static struct json parse(struct arena *arena, const char *text)
{
	struct json value;
	struct error err = {0};

	if (!json_parse(&value, arena, text_of(text), &json_limits_default, &err))
		fail_msg("%s", err.text);
	return value;
}

static struct call_draft draft(const char *method, const struct json *params)
{
	return (struct call_draft){
		.identity = TEXT("summariser"),
		.task = TEXT("t-1"),
		.environment = ENVIRONMENT_STAGING,
		.server = TEXT("files"),
		.method = text_of(method),
		.params = params,
	};
}

static struct call build(struct arena *arena, const char *method, const char *params_text)
{
	struct json params = parse(arena, params_text);
	struct call_draft one = draft(method, &params);
	struct error err = {0};
	struct call call;

	if (!call_build(&call, arena, &one, &err))
		fail_msg("%s", err.text);
	return call;
}

static void refuse(struct arena *arena, const char *method, const char *params_text)
{
	struct json params = parse(arena, params_text);
	struct call_draft one = draft(method, &params);
	struct error err = {0};
	struct call call;

	assert_false(call_build(&call, arena, &one, &err));
	assert_int_equal(err.code, ERROR_INVALID);
}

/* ---- building ---- */

static void each_side_may_send_its_own_methods_alone(void **state)
{
	static const struct {
		const char *method, *tool;
		enum call_side side;
		enum method_route route;
	} rows[] = {
		{"elicitation/create", "files/elicitation.create", CALL_OF_CLIENT, METHOD_DENIED},
		{"elicitation/create", "files/elicitation.create", CALL_OF_SERVER, METHOD_ASKED},
		{"sampling/createMessage", "files/sampling.createMessage", CALL_OF_SERVER,
			METHOD_ASKED},
		{"resources/read", "files/resources.read", CALL_OF_SERVER, METHOD_DENIED},
		{"roots/list", "files/roots.list", CALL_OF_SERVER, METHOD_DENIED},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct json params = parse(*state, "{\"message\":\"m\",\"_meta\":{\"a\":1}}");
		struct call_draft one = draft(rows[i].method, &params);
		struct error err = {0};
		struct call call;

		one.side = rows[i].side;
		assert_true(call_build(&call, *state, &one, &err));
		assert_int_equal(call.route, rows[i].route);
		assert_true(text_is(call.tool, rows[i].tool));
		assert_true(text_is(call.arguments_text, "{\"message\":\"m\"}"));
	}
	refuse(*state, "tools/call", "{\"name\":\"elicitation.create\"}");
	refuse(*state, "tools/call", "{\"name\":\"sampling.createMessage\"}");
}

static void params_that_are_not_what_the_method_wants_are_refused(void **state)
{
	refuse(*state, "tools/call", "[]");
	refuse(*state, "tools/call", "{}");
	refuse(*state, "tools/call", "{\"name\":7}");
	refuse(*state, "tools/call", "{\"name\":\"\"}");
	refuse(*state, "tools/call", "{\"name\":\"x\",\"arguments\":[]}");
	refuse(*state, "tools/call", "{\"name\":\"x\",\"arguments\":null}");
	refuse(*state, "resources/read", "\"x\"");
}

static void a_tool_cannot_pass_for_a_method(void **state)
{
	refuse(*state, "tools/call", "{\"name\":\"resources/read\"}");
	refuse(*state, "tools/call", "{\"name\":\"tools/list\"}");
	refuse(*state, "tools/call", "{\"name\":\"resources.read\"}");
	refuse(*state, "tools/call", "{\"name\":\"resources.templates/list\"}");
}

static void a_tool_call_is_named_by_server_and_tool(void **state)
{
	struct call call =
		build(*state, "tools/call", "{\"name\":\"read\",\"arguments\":{\"b\":1,\"a\":2}}");

	assert_true(text_is(call.tool, "files/read"));
	assert_int_equal(call.route, METHOD_TOOL);
	assert_int_equal(call.effect, EFFECT_NONE);
	assert_true(text_is(call.arguments_text, "{\"a\":2,\"b\":1}"));
}

/* {"name":"...","arguments":{"a":"..."}} */
static bool builds(
	struct arena *arena, size_t name_bytes, size_t arguments_bytes, struct error *err)
{
	static const size_t beside = sizeof "{\"a\":\"\"}" - 1;
	static const struct json_limits limits = {
		.size_bytes = 2 * CALL_ARGUMENTS_BYTES_MAX, .depth = 8, .values = 8};
	char *name = arena_array(arena, char, name_bytes + 1);
	char *value = arena_array(arena, char, arguments_bytes - beside + 1);
	struct json params;
	struct call_draft one = draft("tools/call", &params);
	struct text written;
	struct call call;

	assert_true(name != NULL && value != NULL);
	memset(name, 'n', name_bytes);
	memset(value, 'v', arguments_bytes - beside);
	written = text_format(arena, "{\"name\":\"%s\",\"arguments\":{\"a\":\"%s\"}}", name, value);
	assert_true(json_parse(&params, arena, written, &limits, err));
	return call_build(&call, arena, &one, err);
}

static void a_call_names_its_tool_and_has_arguments_up_to_the_bounds(void **state)
{
	struct arena *arena = *state;
	struct error err = {0};

	for (int more = -1; more <= 1; more++) {
		assert_int_equal(
			builds(arena, (size_t)(TOOL_NAME_BYTES_MAX + more), 16, &err), more < 1);
		arena_reset(arena);
	}
	assert_int_equal(err.code, ERROR_INVALID);
	for (int more = -1; more <= 1; more++) {
		assert_int_equal(builds(arena, 1, (size_t)(CALL_ARGUMENTS_BYTES_MAX + more), &err),
			more < 1);
		arena_reset(arena);
	}
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_non_null(strstr(err.text, "longer than 1048576 bytes"));
}

static void another_method_is_known_as_a_tool_of_its_server(void **state)
{
	struct call call =
		build(*state, "resources/read", "{\"uri\":\"x\",\"_meta\":{\"progressToken\":1}}");

	assert_true(text_is(call.tool, "files/resources.read"));
	assert_int_equal(call.effect, EFFECT_READ);
	assert_true(text_is(call.arguments_text, "{\"uri\":\"x\"}"));
}

static void nothing_undecided_is_forwarded(void **state)
{
	struct call tool = build(*state, "tools/call",
		"{\"name\":\"read\",\"arguments\":{\"a\":1},"
		"\"_meta\":{\"progressToken\":1,\"x\":\"out of sight\"}}");
	struct call resource = build(
		*state, "resources/read", "{\"uri\":\"x\",\"_meta\":{\"x\":\"out of sight\"}}");
	struct text forwarded = json_canonical_text(*state, &tool.params);

	assert_true(text_is(forwarded, "{\"arguments\":{\"a\":1},\"name\":\"read\"}"));
	forwarded = json_canonical_text(*state, &resource.params);
	assert_true(text_equal(forwarded, resource.arguments_text));
}

static void a_member_no_rule_sees_is_refused(void **state)
{
	refuse(*state, "tools/call", "{\"name\":\"read\",\"task\":{\"ttl\":1}}");
	refuse(*state, "tools/call", "{\"name\":\"read\",\"Arguments\":{}}");
	refuse(*state, "tools/call", "{\"name\":\"read\",\"arguments\":{},\"\":0}");
}

static void missing_params_are_an_empty_object(void **state)
{
	struct call_draft one = draft("tools/list", NULL);
	struct error err = {0};
	struct call call;

	assert_true(call_build(&call, *state, &one, &err));
	assert_int_equal(call.route, METHOD_FILTERED);
	assert_true(text_is(call.arguments_text, "{}"));
}

static void a_full_arena_is_a_limit_and_no_crash(void **state)
{
	struct json params =
		parse(*state, "{\"name\":\"read\",\"arguments\":{\"a\":[1,2,{\"b\":\"c\"}]}}");
	struct call_draft one = draft("tools/call", &params);
	size_t limit;

	for (limit = 16; limit <= 65536; limit *= 2) {
		struct arena *small = arena_create(limit);
		struct error err = {0};
		struct call call;

		if (!call_build(&call, small, &one, &err))
			assert_int_equal(err.code, ERROR_LIMIT);
		arena_destroy(&small);
	}
}

/* ---- targets ---- */

static bool target_holds(struct arena *arena, enum target_form form, const char *json_value)
{
	struct tool_target target = {.argument = TEXT("to"), .form = form};
	struct tool tool = {.targets = &target, .targets_count = 1};
	struct text text =
		text_format(arena, "{\"name\":\"read\",\"arguments\":{\"to\":%s}}", json_value);
	struct call call = build(arena, "tools/call", text.data);
	struct error err = {0};
	bool holds = call_targets_check(&call, &tool, &err);

	if (!holds) {
		assert_int_equal(err.code, ERROR_INVALID);
		assert_non_null(strstr(err.text, "argument to"));
	}
	return holds;
}

static void refused_paths_are_refused(void **state)
{
	static const char *const paths[] = {"\"\"", "\".\"", "\"..\"", "\"tickets/../private\"",
		"\"tickets/./x\"", "\"tickets//x\"", "\"tickets/\"", "\"~/x\"", "\"~root/x\"",
		"\"a\\\\b\"", "\"a\\u0001b\"", "\"a\\nb\"", "\"/..\"", "\"//etc\"", "\"/a/../b\"",
		"\"a/%2e%2e/b\"", "\"a/.%2E/b\"", "\"a/..%2fb\"", "\"a/..%5Cb\"", "7", "null", "{}",
		"[\"a\",\"../b\"]", "[7]"};
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (target_holds(*state, TARGET_PATH, paths[i]))
			fail_msg("%s passed", paths[i]);
}

static void direct_paths_pass(void **state)
{
	static const char *const paths[] = {"\"tickets/41.txt\"", "\"a\"", "\"/\"", "\"/a/b\"",
		"\"a/...\"", "\"a/..b\"", "\"a/b~\"", "\"é/ü\"", "[]", "[\"a\",\"b/c\"]"};
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (!target_holds(*state, TARGET_PATH, paths[i]))
			fail_msg("%s was refused", paths[i]);
}

static void refused_urls_are_refused(void **state)
{
	static const char *const urls[] = {"\"\"", "\"x\"", "\"ftp://a/b\"", "\"file:///etc\"",
		"\"http://\"", "\"https:///x\"", "\"http://u@h/x\"", "\"http://h/a/../b\"",
		"\"http://h/a/%2e%2e/b\"", "\"http://h/a/..%2F..%2fb\"", "\"http://h/..%5cb\"",
		"\"http://h/a b\"", "\"http://h\\\\x\"", "\"http://h/\\n\"", "\"http://:80/\"",
		"\"javascript:x\"", "\"HTTP://h/x\""};
	size_t i;

	for (i = 0; i < sizeof(urls) / sizeof(*urls); i++)
		if (target_holds(*state, TARGET_URL, urls[i]))
			fail_msg("%s passed", urls[i]);
}

static void direct_urls_pass(void **state)
{
	assert_true(target_holds(*state, TARGET_URL, "\"https://example.com\""));
	assert_true(target_holds(*state, TARGET_URL, "\"https://example.com/a/b?c=../d#e\""));
	assert_true(target_holds(*state, TARGET_URL, "\"https://example.com/a%20b?c=d%2Fe\""));
	assert_true(target_holds(*state, TARGET_URL, "\"http://[::1]:80/x/\""));
}

static void a_recipient_is_one_recipient(void **state)
{
	assert_true(target_holds(*state, TARGET_RECIPIENT, "\"ana@example.com\""));
	assert_true(target_holds(*state, TARGET_RECIPIENT, "[\"ana@example.com\",\"bo\"]"));
	assert_false(target_holds(*state, TARGET_RECIPIENT, "\"\""));
	assert_false(target_holds(*state, TARGET_RECIPIENT, "\"a@x, b@y\""));
	assert_false(target_holds(*state, TARGET_RECIPIENT, "\"a@x\\nBcc: b@y\""));
	assert_false(target_holds(*state, TARGET_RECIPIENT, "\"A <a@x>\""));
}

static void accounts_and_objects_are_names(void **state)
{
	assert_true(target_holds(*state, TARGET_ACCOUNT, "\"DE 12 34\""));
	assert_true(target_holds(*state, TARGET_OBJECT, "\"invoice 7\""));
	assert_false(target_holds(*state, TARGET_ACCOUNT, "\"\""));
	assert_false(target_holds(*state, TARGET_OBJECT, "\"a\\u0007\""));
	assert_false(target_holds(*state, TARGET_NONE, "\"a\""));
}

static void an_absent_target_is_fine(void **state)
{
	struct tool_target target = {.argument = TEXT("other"), .form = TARGET_PATH};
	struct tool tool = {.targets = &target, .targets_count = 1};
	struct call call =
		build(*state, "tools/call", "{\"name\":\"read\",\"arguments\":{\"to\":\"..\"}}");
	struct error err = {0};

	assert_true(call_targets_check(&call, &tool, &err));
}

static void a_nul_in_a_target_built_by_code_is_refused(void **state)
{
	struct tool_target target = {.argument = TEXT("to"), .form = TARGET_PATH};
	struct tool tool = {.targets = &target, .targets_count = 1};
	struct json_member member = {TEXT("to"), json_string((struct text){"a\0b", 3})};
	struct call call = {.arguments = {.type = JSON_OBJECT, .count = 1}};
	struct error err = {0};

	(void)state;
	call.arguments.members = &member;
	assert_false(call_targets_check(&call, &tool, &err));
}

/* ---- the digest ---- */

static const struct text chain[] = {{"t-1", 3}, {"t-0", 3}};
static const struct text policies[] = {{"p1", 2}, {"p2", 2}};
static const struct text policies_turned[] = {{"p2", 2}, {"p1", 2}};
static const struct text names[] = {{"owner", 5}, {"second", 6}};
static const struct text names_turned[] = {{"second", 6}, {"owner", 5}};

static struct call_binding binding(void)
{
	return (struct call_binding){
		.chain = chain,
		.chain_count = 2,
		.charter = TEXT("summariser@3"),
		.definition = TEXT("sha256:00"),
		.entitlement = TEXT("charter/summariser@3/entitlements/0"),
		.policies = policies,
		.policies_count = 2,
		.approvals = names,
		.approvals_count = 2,
		.objects = sha256_of("objects", 7),
		.label = SENSITIVITY_INTERNAL,
	};
}

static struct sha256 digest(
	struct arena *arena, const struct call *call, const struct call_binding *one)
{
	struct sha256 out;
	struct error err = {0};

	if (!call_digest(&out, arena, call, one, &err))
		fail_msg("%s", err.text);
	return out;
}

static void the_digest_does_not_see_spelling_or_order(void **state)
{
	struct call a = build(
		*state, "tools/call", "{\"name\":\"w\",\"arguments\":{\"a\":1,\"b\":\"\\u0041\"}}");
	struct call b = build(*state, "tools/call",
		"{\"_meta\":{\"progressToken\":9}, "
		"\"arguments\":{\"b\":\"A\",\"a\":1},\"name\":\"w\"}");
	struct call_binding one = binding(), turned = binding();
	struct sha256 first = digest(*state, &a, &one);
	struct sha256 second;

	turned.policies = policies_turned;
	turned.approvals = names_turned;
	second = digest(*state, &b, &turned);
	assert_true(sha256_equal(&first, &second));
}

static void any_other_change_changes_the_digest(void **state)
{
	const char *params = "{\"name\":\"w\",\"arguments\":{\"a\":1}}";
	struct call call = build(*state, "tools/call", params);
	struct call_binding one = binding();
	struct sha256 first = digest(*state, &call, &one);
	struct call calls[8];
	struct call_binding bindings[11];
	size_t i;

	for (i = 0; i < 8; i++)
		calls[i] = call;
	calls[0].identity = TEXT("other");
	calls[1].task = TEXT("t-2");
	calls[2].environment = ENVIRONMENT_PROD;
	calls[3].server = TEXT("memory");
	calls[4].method = TEXT("resources/read");
	calls[5].tool = TEXT("files/other");
	calls[6] = build(*state, "tools/call", "{\"name\":\"w\",\"arguments\":{\"a\":2}}");
	calls[7] = build(*state, "tools/call", "{\"name\":\"w\",\"arguments\":{\"a\":1.0}}");
	for (i = 0; i < 11; i++)
		bindings[i] = one;
	bindings[0].chain_count = 1;
	bindings[1].charter = TEXT("summariser@4");
	bindings[2].definition = TEXT("sha256:01");
	bindings[3].entitlement = TEXT("charter/summariser@3/entitlements/1");
	bindings[4].policies_count = 1;
	bindings[5].policies_count = 0;
	bindings[6].definition = TEXT("");
	bindings[7].approvals_count = 1;
	bindings[8].objects = sha256_of("another", 7);
	bindings[9].label = SENSITIVITY_CONFIDENTIAL;
	bindings[10].has_untrusted_content = true;
	for (i = 0; i < 8; i++) {
		struct sha256 other = digest(*state, &calls[i], &one);

		if (sha256_equal(&first, &other))
			fail_msg("call %zu has the same digest", i);
	}
	for (i = 0; i < 11; i++) {
		struct sha256 other = digest(*state, &call, &bindings[i]);

		if (sha256_equal(&first, &other))
			fail_msg("binding %zu has the same digest", i);
	}
}

#define ARENA_TEST(name) cmocka_unit_test_setup_teardown(name, arena_setup, arena_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(each_side_may_send_its_own_methods_alone),
		ARENA_TEST(params_that_are_not_what_the_method_wants_are_refused),
		ARENA_TEST(a_tool_cannot_pass_for_a_method),
		ARENA_TEST(a_tool_call_is_named_by_server_and_tool),
		ARENA_TEST(a_call_names_its_tool_and_has_arguments_up_to_the_bounds),
		ARENA_TEST(another_method_is_known_as_a_tool_of_its_server),
		ARENA_TEST(nothing_undecided_is_forwarded),
		ARENA_TEST(a_member_no_rule_sees_is_refused),
		ARENA_TEST(missing_params_are_an_empty_object),
		ARENA_TEST(a_full_arena_is_a_limit_and_no_crash),
		ARENA_TEST(refused_paths_are_refused),
		ARENA_TEST(direct_paths_pass),
		ARENA_TEST(refused_urls_are_refused),
		ARENA_TEST(direct_urls_pass),
		ARENA_TEST(a_recipient_is_one_recipient),
		ARENA_TEST(accounts_and_objects_are_names),
		ARENA_TEST(an_absent_target_is_fine),
		ARENA_TEST(a_nul_in_a_target_built_by_code_is_refused),
		ARENA_TEST(the_digest_does_not_see_spelling_or_order),
		ARENA_TEST(any_other_change_changes_the_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
