#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/call/peer_request.h"

enum { ROOM_BYTES = 4 * 1024 * 1024, TEXT_BYTES = 64 * 1024 };

static int setup(void **state)
{
	*state = arena_create(ROOM_BYTES);
	return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	struct arena *arena = *state;

	arena_destroy(&arena);
	return 0;
}

static struct json parse(struct arena *arena, const char *text)
{
	struct json out;
	struct error err;

	assert_true(json_parse(&out, arena, text_of(text), &json_limits_default, &err));
	return out;
}

static bool read(
	struct arena *arena, const char *method, const char *params, struct peer_request *out)
{
	struct json value = parse(arena, params);
	struct error err;

	return peer_request_read(out, arena, text_of(method), &value, &err);
}

static void refuse(struct arena *arena, const char *method, const char *params)
{
	struct peer_request request;

	if (read(arena, method, params, &request))
		fail_msg("taken: %s", params);
}

#define MESSAGE(parts) "{\"messageId\":\"m\",\"role\":\"ROLE_USER\",\"parts\":" parts "}"
#define SEND(parts) "{\"message\":" MESSAGE(parts) "}"

static void a_message_with_what_nobody_looks_at_is_refused(void **state)
{
	static const char *const wrong[] = {"[]", "{}", "{\"message\":null}", SEND("[]"),
		SEND("null"), SEND("[1]"), SEND("[{}]"), SEND("[{\"text\":1}]"),
		SEND("[{\"text\":\"a\",\"raw\":\"YQ==\"}]"), SEND("[{\"text\":\"a\",\"x\":1}]"),
		SEND("[{\"data\":1},{\"data\":2}]"),
		"{\"tenant\":\"t\",\"message\":" MESSAGE("[{\"text\":\"a\"}]") "}",
		"{\"more\":1,\"message\":" MESSAGE("[{\"text\":\"a\"}]") "}",
		"{\"metadata\":[],\"message\":" MESSAGE("[{\"text\":\"a\"}]") "}",
		"{\"metadata\":{\"remit/record\":1},\"message\":" MESSAGE("[{\"text\":\"a\"}]") "}",
		"{\"configuration\":1,\"message\":" MESSAGE("[{\"text\":\"a\"}]") "}",
		"{\"configuration\":{\"blocking\":true},\"message\":" MESSAGE(
			"[{\"text\":\"a\"}]") "}",
		"{\"configuration\":{\"taskPushNotificationConfig\":{}},\"message\":" MESSAGE(
			"[{\"text\":\"a\"}]") "}",
		"{\"configuration\":{\"historyLength\":1001},\"message\":" MESSAGE(
			"[{\"text\":\"a\"}]") "}",
		"{\"message\":{\"role\":\"ROLE_USER\",\"parts\":[{\"text\":\"a\"}]}}",
		"{\"message\":{\"messageId\":\"m\",\"parts\":[{\"text\":\"a\"}]}}",
		"{\"message\":{\"messageId\":\"m\",\"role\":\"ROLE_AGENT\","
		"\"parts\":[{\"text\":\"a\"}]}}",
		"{\"message\":{\"messageId\":\"m\",\"role\":\"ROLE_USER\",\"taskId\":\"a b\","
		"\"parts\":[{\"text\":\"a\"}]}}",
		"{\"message\":{\"messageId\":\"m\",\"role\":\"ROLE_USER\",\"extensions\":[\"x\"],"
		"\"parts\":[{\"text\":\"a\"}]}}"};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		refuse(*state, "SendMessage", wrong[i]);
}

static void a_request_about_a_task_names_it(void **state)
{
	struct peer_request request;

	refuse(*state, "GetTask", "{}");
	refuse(*state, "GetTask", "{\"id\":\"\"}");
	refuse(*state, "GetTask", "{\"id\":1}");
	refuse(*state, "CancelTask", "{\"id\":\"t\",\"x\":1}");
	assert_true(read(*state, "GetTask", "{\"id\":\"t\",\"historyLength\":3}", &request));
	assert_true(text_is(request.task, "t"));
}

static const char *repeated(
	char *out, const char *before, const char *part, size_t count, const char *after)
{
	size_t at = (size_t)snprintf(out, TEXT_BYTES, "%s", before);

	for (size_t i = 0; i < count; i++)
		at += (size_t)snprintf(out + at, TEXT_BYTES - at, "%s%s", i == 0 ? "" : ",", part);
	(void)snprintf(out + at, TEXT_BYTES - at, "%s", after);
	return out;
}

static void each_bound_holds_at_its_limit_and_not_past_it(void **state)
{
	static const char before[] =
		"{\"message\":{\"messageId\":\"m\",\"role\":\"ROLE_USER\",\"parts\":[";
	static const char references[] = "{\"message\":{\"messageId\":\"m\",\"role\":\"ROLE_USER\","
					 "\"parts\":[{\"text\":\"a\"}],\"referenceTaskIds\":[";
	static const char modes[] = "{\"message\":" MESSAGE(
		"[{\"text\":\"a\"}]") ",\"configuration\":{\"acceptedOutputModes\":[";
	static char text[TEXT_BYTES];
	char id[PEER_ID_BYTES_MAX + 32];
	struct peer_request request;

	assert_true(read(*state, "SendMessage",
		repeated(text, before, "{\"text\":\"a\"}", PEER_PARTS_MAX, "]}}"), &request));
	refuse(*state, "SendMessage",
		repeated(text, before, "{\"text\":\"a\"}", PEER_PARTS_MAX + 1, "]}}"));
	assert_true(read(*state, "SendMessage",
		repeated(text, references, "\"r\"", PEER_REFERENCES_MAX, "]}}"), &request));
	refuse(*state, "SendMessage",
		repeated(text, references, "\"r\"", PEER_REFERENCES_MAX + 1, "]}}"));
	assert_true(read(*state, "SendMessage",
		repeated(text, modes, "\"a/b\"", PEER_MODES_MAX, "]}}"), &request));
	refuse(*state, "SendMessage", repeated(text, modes, "\"a/b\"", PEER_MODES_MAX + 1, "]}}"));
	for (int more = 0; more <= 1; more++) {
		(void)snprintf(id, sizeof id, "{\"id\":\"%0*d\"}", PEER_ID_BYTES_MAX + more, 7);
		assert_int_equal(read(*state, "GetTask", id, &request), more == 0);
	}
	for (int more = -1; more <= 1; more++) {
		(void)snprintf(id, sizeof id, "{\"id\":\"t\",\"historyLength\":%d}",
			PEER_HISTORY_MAX + more);
		assert_int_equal(read(*state, "GetTask", id, &request), more < 1);
	}
	refuse(*state, "GetTask", "{\"id\":\"t\",\"historyLength\":-1}");
}

static void arguments_are(
	struct arena *arena, const struct peer_request *request, const char *expected)
{
	struct json value = parse(arena, expected);

	assert_string_equal(json_canonical_text(arena, &request->arguments).data,
		json_canonical_text(arena, &value).data);
}

static void what_a_message_says_becomes_arguments(void **state)
{
	struct peer_request request;

	assert_true(read(*state, "SendMessage",
		"{\"message\":{\"messageId\":\"m\",\"role\":\"ROLE_USER\",\"taskId\":\"t\","
		"\"contextId\":\"c\",\"parts\":[{\"text\":\"a\"},{\"text\":\"b\"},"
		"{\"data\":{\"n\":1}},{\"url\":\"https://x.example\"}],\"metadata\":{\"k\":1}},"
		"\"configuration\":{\"acceptedOutputModes\":[\"text/plain\"],"
		"\"returnImmediately\":true},\"metadata\":{\"remit/skill\":\"s\","
		"\"remit/reason\":\"because\",\"own\":2}}",
		&request));
	assert_true(text_is(request.skill, "s"));
	assert_true(text_is(request.reason, "because"));
	assert_true(text_is(request.context, "c"));
	arguments_are(*state, &request,
		"{\"context\":\"c\",\"data\":{\"n\":1},\"immediate\":true,\"message\":{\"k\":1},"
		"\"metadata\":{\"own\":2},\"modes\":[\"text/plain\"],\"parts\":[{\"text\":\"a\"},"
		"{\"text\":\"b\"},{\"data\":{\"n\":1}},{\"url\":\"https://x.example\"}],"
		"\"task\":\"t\",\"text\":\"a\\nb\",\"urls\":[\"https://x.example\"]}");
}

/* The id of a message is a client's own: it is no part of what is decided. */
static void the_same_message_is_the_same_call_under_any_id(void **state)
{
	struct peer_request one, other;

	assert_true(read(*state, "SendMessage", SEND("[{\"text\":\"a\"}]"), &one));
	assert_true(read(*state, "SendMessage",
		"{\"message\":{\"messageId\":\"other\",\"role\":\"ROLE_USER\","
		"\"parts\":[{\"text\":\"a\"}]}}",
		&other));
	assert_true(json_equal(&one.arguments, &other.arguments));
}

static void the_peer_gets_what_was_decided_and_what_remit_says(void **state)
{
	const struct peer_told told = {TEXT("remit-7"), TEXT("t-1"), TEXT("internal"), 7};
	struct peer_request request;
	struct json params, expected;
	struct error err;

	assert_true(read(*state, "SendMessage",
		"{\"message\":{\"messageId\":\"m\",\"role\":\"ROLE_USER\",\"parts\":"
		"[{\"text\":\"a\"}],\"contextId\":\"c\"},\"metadata\":{\"remit/skill\":\"s\","
		"\"own\":2},\"configuration\":{\"historyLength\":4}}",
		&request));
	assert_true(peer_request_params(
		&params, *state, TEXT("SendMessage"), &request.arguments, &told, &err));
	expected = parse(*state,
		"{\"configuration\":{\"historyLength\":4},\"message\":{\"contextId\":\"c\","
		"\"messageId\":\"remit-7\",\"parts\":[{\"text\":\"a\"}],\"role\":\"ROLE_USER\"},"
		"\"metadata\":{\"own\":2,\"remit/label\":\"internal\",\"remit/record\":7,"
		"\"remit/task\":\"t-1\"}}");
	assert_string_equal(json_canonical_text(*state, &params).data,
		json_canonical_text(*state, &expected).data);
	assert_true(read(*state, "GetTask", "{\"id\":\"t\"}", &request));
	assert_true(peer_request_params(
		&params, *state, TEXT("GetTask"), &request.arguments, &told, &err));
	assert_string_equal(json_canonical_text(*state, &params).data, "{\"id\":\"t\"}");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_message_with_what_nobody_looks_at_is_refused),
		TEST(a_request_about_a_task_names_it),
		TEST(each_bound_holds_at_its_limit_and_not_past_it),
		TEST(what_a_message_says_becomes_arguments),
		TEST(the_same_message_is_the_same_call_under_any_id),
		TEST(the_peer_gets_what_was_decided_and_what_remit_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
