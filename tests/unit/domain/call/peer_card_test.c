#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/call/peer_card.h"

enum { ROOM_BYTES = 4 * 1024 * 1024 };

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

#define INTERFACE(url, version)                                                                    \
	"{\"url\":\"" url "\",\"protocolBinding\":\"JSONRPC\",\"protocolVersion\":\"" version "\"" \
	"}"
#define CARD                                                                                       \
	"{\"name\":\"Writer\",\"description\":\"\",\"version\":\"1\","                             \
	"\"supportedInterfaces\":[" INTERFACE("https://peer.example/rpc",                          \
		"1.0") "],"                                                                        \
		       "\"capabilities\":{\"streaming\":true,\"pushNotifications\":true,"          \
		       "\"extensions\":[{\"uri\":\"x\"}]},\"securitySchemes\":{\"own\":{}},"       \
		       "\"unknown\":1,"                                                            \
		       "\"defaultInputModes\":[\"text/plain\",\"\"],\"defaultOutputModes\":[],"    \
		       "\"skills\":[{\"id\":\"a\",\"name\":\"A\",\"description\":\"Does "          \
		       "a\",\"tags\":[\"t\"],"                                                     \
		       "\"examples\":[]},{\"id\":\"b\",\"name\":\"B\",\"description\":\"Does "     \
		       "b\",\"tags\":[]}],"                                                        \
		       "\"signatures\":[{\"protected\":\"p\",\"signature\":\"s\"}]}"

static void a_card_that_sends_elsewhere_has_no_endpoint(void **state)
{
	static const char *const wrong[] = {"{}", "{\"supportedInterfaces\":{}}",
		"{\"supportedInterfaces\":[]}",
		"{\"supportedInterfaces\":[" INTERFACE("https://evil.example/", "1.0") "]}",
		"{\"supportedInterfaces\":[" INTERFACE("http://peer.example/", "1.0") "]}",
		"{\"supportedInterfaces\":[" INTERFACE("https://peer.example:444/", "1.0") "]}",
		"{\"supportedInterfaces\":[" INTERFACE(
			"https://peer.example@evil.example/", "1.0") "]}",
		"{\"supportedInterfaces\":[" INTERFACE(
			"https://peer.example.evil.example/", "1.0") "]}",
		"{\"supportedInterfaces\":[" INTERFACE("https://peer.example/ x", "1.0") "]}",
		"{\"supportedInterfaces\":[" INTERFACE("https://peer.example\\\\evil", "1.0") "]}",
		"{\"supportedInterfaces\":[" INTERFACE("https://peer.example/", "0.3") "]}",
		"{\"supportedInterfaces\":[{\"url\":\"https://peer.example/\","
		"\"protocolBinding\":\"GRPC\",\"protocolVersion\":\"1.0\"}]}",
		"{\"supportedInterfaces\":[{\"url\":\"https://peer.example/\",\"tenant\":\"t\","
		"\"protocolBinding\":\"JSONRPC\",\"protocolVersion\":\"1.0\"}]}"};
	struct text endpoint;
	struct error err;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct json card = parse(*state, wrong[i]);

		if (peer_card_endpoint(&endpoint, &card, TEXT("https://peer.example/"), &err))
			fail_msg("taken: %s", wrong[i]);
	}
}

static void the_endpoint_is_the_first_that_speaks_our_version(void **state)
{
	struct json card =
		parse(*state, "{\"supportedInterfaces\":[" INTERFACE("https://evil.example/",
				      "0.3") "," INTERFACE("https://peer.example/rpc", "1.0") "]}");
	struct text endpoint;
	struct error err;

	assert_true(peer_card_endpoint(&endpoint, &card, TEXT("https://peer.example/base"), &err));
	assert_true(text_is(endpoint, "https://peer.example/rpc"));
}

static struct text definitions_of(struct arena *arena, const char *text)
{
	struct json card = parse(arena, text), out;
	struct error err;

	if (!peer_card_definitions(&out, arena, &card, &err))
		return (struct text){0};
	return json_canonical_text(arena, &out);
}

static void a_card_without_skills_is_none(void **state)
{
	static char many[PEER_CARD_SKILLS_MAX * 16 + 64];

	assert_null(definitions_of(*state, "[]").data);
	assert_null(definitions_of(*state, "{}").data);
	assert_null(definitions_of(*state, "{\"skills\":{}}").data);
	assert_null(definitions_of(*state, "{\"skills\":[{}]}").data);
	assert_null(definitions_of(*state, "{\"skills\":[{\"id\":\"\"}]}").data);
	for (size_t count = PEER_CARD_SKILLS_MAX; count <= PEER_CARD_SKILLS_MAX + 1; count++) {
		size_t at = (size_t)snprintf(many, sizeof many, "{\"skills\":[");

		for (size_t i = 0; i < count; i++)
			at += (size_t)snprintf(many + at, sizeof many - at, "%s{\"id\":\"%zu\"}",
				i == 0 ? "" : ",", i);
		(void)snprintf(many + at, sizeof many - at, "]}");
		assert_int_equal(
			definitions_of(*state, many).data != NULL, count == PEER_CARD_SKILLS_MAX);
	}
}

/* The definition of the skill `a`, when `before` in the card is `after`. */
static struct text definition_with(struct arena *arena, const char *before, const char *after)
{
	static char changed[4096];
	const char *at = strstr(CARD, before);
	struct json card, out;
	struct error err;

	assert_non_null(at);
	(void)snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - CARD), CARD, after,
		at + strlen(before));
	card = parse(arena, changed);
	assert_true(peer_card_definitions(&out, arena, &card, &err));
	return json_canonical_text(arena, &out.items[0]);
}

static void any_change_but_of_other_skills_and_signatures_changes_a_definition(void **state)
{
	static const char *const pinned[][2] = {{"Writer", "Other"}, {"\"unknown\":1", "\"u\":1"},
		{"https://peer.example/rpc", "https://peer.example/other"},
		{"\"own\":{}", "\"none\":{}"}, {"Does a", "Does c"},
		{"\"tags\":[\"t\"]", "\"tags\":[]"}};
	struct text as_it_is = definition_with(*state, "Writer", "Writer");

	for (size_t i = 0; i < sizeof pinned / sizeof *pinned; i++)
		assert_false(
			text_equal(as_it_is, definition_with(*state, pinned[i][0], pinned[i][1])));
	assert_true(text_equal(as_it_is, definition_with(*state, "Does b", "Does d")));
	assert_true(text_equal(
		as_it_is, definition_with(*state, "\"protected\":\"p\"", "\"protected\":\"q\"")));
}

static void a_card_is_shown_with_our_address_and_nothing_that_is_empty(void **state)
{
	struct json card = parse(*state, CARD);
	struct json skills = parse(*state, "{\"tools\":[{\"name\":\"b\"}]}");
	const struct peer_showing showing = {.url = TEXT("https://remit.example/a2a/writer"),
		.token_url = TEXT("https://remit.example/oauth/token"),
		.metadata_url = TEXT("https://remit.example/meta"),
		.scope = TEXT("call"),
		.skills = &skills};
	struct json shown;
	struct error err;

	assert_true(peer_card_show(&shown, *state, &card, &showing, &err));
	assert_string_equal(json_canonical_text(*state, &shown).data,
		"{\"capabilities\":{\"extendedAgentCard\":false,\"pushNotifications\":false,"
		"\"streaming\":true},\"defaultInputModes\":[\"text/plain\"],\"name\":\"Writer\","
		"\"securityRequirements\":[{\"schemes\":{\"remit\":{\"list\":[\"call\"]}}}],"
		"\"securitySchemes\":{\"remit\":{\"oauth2SecurityScheme\":{\"flows\":"
		"{\"clientCredentials\":{\"scopes\":{\"call\":\"Calls within the task's "
		"authority\"},\"tokenUrl\":\"https://remit.example/oauth/token\"}},"
		"\"oauth2MetadataUrl\":\"https://remit.example/meta\"}}},"
		"\"skills\":[{\"description\":\"Does b\",\"id\":\"b\",\"name\":\"B\"}],"
		"\"supportedInterfaces\":[{\"protocolBinding\":\"JSONRPC\","
		"\"protocolVersion\":\"1.0\",\"url\":\"https://remit.example/a2a/writer\"}],"
		"\"version\":\"1\"}");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_card_that_sends_elsewhere_has_no_endpoint),
		TEST(the_endpoint_is_the_first_that_speaks_our_version),
		TEST(a_card_without_skills_is_none),
		TEST(any_change_but_of_other_skills_and_signatures_changes_a_definition),
		TEST(a_card_is_shown_with_our_address_and_nothing_that_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
