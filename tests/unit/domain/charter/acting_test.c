/* For whom an identity may act, and where browsers go back to. */
#include "domain/charter/acting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "domain/charter/object.h"

#define CHARTER                                                                                    \
	"{\"object\":\"identity\",\"name\":\"a1\",\"kind\":\"assistant\",\"class\":\"retrieve\","  \
	"\"risk\":\"low\",\"owner\":\"ana\",\"backup-owner\":\"bo\",\"unit\":\"support\","         \
	"\"purpose\":\"Helps\",\"environments\":[\"staging\"]%s}"
#define CLAUSE(people, redirects, more)                                                            \
	",\"acts-for\":{\"people\":[" people "],\"redirect-uris\":[" redirects                     \
	"],\"environment\":\"staging\"" more "}"
#define PEOPLE "\"person:ana\",\"unit:sales\""
#define REDIRECTS "\"https://app.example/back\",\"http://127.0.0.1/back\",\"http://[::1]:9/b?x=1\""

static struct arena *arena;
static struct object *object;

static int start(void **state)
{
	(void)state;
	arena = arena_create(1 << 24);
	return arena == NULL;
}

static int end(void **state)
{
	const struct object *held = object;

	(void)state;
	object_release(&held);
	object = NULL;
	arena_destroy(&arena);
	return 0;
}

static bool parse(const char *more)
{
	struct problems problems = {.arena = arena};
	const struct object *held = object;
	struct error err = {0};
	struct json document;
	bool is_ok;

	object_release(&held);
	object = NULL;
	assert_true(json_parse(
		&document, arena, text_format(arena, CHARTER, more), &json_limits_default, &err));
	is_ok = object_parse(&object, &document, TEXT("f"), &problems);
	return is_ok;
}

static void without_the_clause_it_acts_for_nobody(void **state)
{
	const struct person ana = {.name = TEXT("ana"), .unit = TEXT("sales")};

	(void)state;
	assert_true(parse(""));
	assert_false(charter_acts_for(charter_of(object), &ana));
	assert_false(charter_acts_for(NULL, &ana));
	assert_false(charter_has_redirect(charter_of(object), TEXT("https://app.example/back")));
}

static void a_clause_must_name_people_addresses_and_an_environment(void **state)
{
	static const char *const bad[] = {CLAUSE("", REDIRECTS, ""), CLAUSE(PEOPLE, "", ""),
		CLAUSE("\"ana\"", REDIRECTS, ""), CLAUSE("\"role:owner\"", REDIRECTS, ""),
		CLAUSE("\"unit:\"", REDIRECTS, ""), CLAUSE("\"person:a b\"", REDIRECTS, ""),
		CLAUSE(PEOPLE, "\"http://app.example/back\"", ""),
		CLAUSE(PEOPLE, "\"https://*.example/back\"", ""),
		CLAUSE(PEOPLE, "\"https://app.example/#x\"", ""),
		CLAUSE(PEOPLE, REDIRECTS, ",\"refresh\":\"59s\""),
		CLAUSE(PEOPLE, REDIRECTS, ",\"refresh\":\"86401s\""),
		CLAUSE(PEOPLE, REDIRECTS, ",\"remember\":true"),
		",\"acts-for\":{\"people\":[" PEOPLE "],\"redirect-uris\":[" REDIRECTS "]}",
		",\"acts-for\":{\"people\":[" PEOPLE "],\"redirect-uris\":[" REDIRECTS
		"],\"environment\":\"prod\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (parse(bad[i]))
			fail_msg("%s", bad[i]);
	assert_true(parse(CLAUSE(PEOPLE, REDIRECTS, "")));
	assert_int_equal(charter_of(object)->acts_for.refresh_s, 0);
	assert_true(parse(CLAUSE(PEOPLE, REDIRECTS, ",\"refresh\":\"60s\"")));
	assert_true(parse(CLAUSE(PEOPLE, REDIRECTS, ",\"refresh\":\"24h\"")));
	assert_int_equal(charter_of(object)->acts_for.refresh_s, ACTING_REFRESH_S_MAX);
}

/* A clause with so many of either. */
static bool parse_many(unsigned people, unsigned redirects)
{
	struct buffer text;
	bool is_ok;

	buffer_init(&text, 64 * 1024);
	buffer_append_string(&text, ",\"acts-for\":{\"environment\":\"staging\",\"people\":[");
	for (unsigned i = 0; i < people; i++)
		buffer_append_format(&text, "%s\"person:p%u\"", i == 0 ? "" : ",", i);
	buffer_append_string(&text, "],\"redirect-uris\":[");
	for (unsigned i = 0; i < redirects; i++)
		buffer_append_format(&text, "%s\"https://a%u.example/\"", i == 0 ? "" : ",", i);
	buffer_append(&text, "]}", 3);
	is_ok = parse(buffer_text(&text).data);
	buffer_deinit(&text);
	return is_ok;
}

static void lists_have_their_bounds(void **state)
{
	(void)state;
	assert_true(parse_many(ACTING_PEOPLE_MAX, ACTING_REDIRECTS_MAX));
	assert_false(parse_many(ACTING_PEOPLE_MAX + 1, 1));
	assert_false(parse_many(1, ACTING_REDIRECTS_MAX + 1));
}

static void it_acts_for_those_that_are_named(void **state)
{
	const struct person people[] = {{.name = TEXT("ana"), .unit = TEXT("support")},
		{.name = TEXT("cy"), .unit = TEXT("sales")},
		{.name = TEXT("bo"), .unit = TEXT("support")},
		{.name = TEXT("sales"), .unit = TEXT("ana")}};

	(void)state;
	assert_true(parse(CLAUSE(PEOPLE, REDIRECTS, "")));
	assert_true(charter_acts_for(charter_of(object), &people[0]));
	assert_true(charter_acts_for(charter_of(object), &people[1]));
	assert_false(charter_acts_for(charter_of(object), &people[2]));
	assert_false(charter_acts_for(charter_of(object), &people[3]));
	assert_false(charter_acts_for(charter_of(object), NULL));
}

static void addresses_are_compared_letter_by_letter(void **state)
{
	static const char *const good[] = {"https://app.example/back", "http://127.0.0.1/back",
		"http://127.0.0.1:1/back", "http://127.0.0.1:65535/back", "http://[::1]/b?x=1",
		"http://[::1]:80/b?x=1"};
	static const char *const bad[] = {"https://app.example/back/",
		"https://app.example:443/back", "HTTPS://app.example/back",
		"https://app.example/%62ack", "http://127.0.0.1/back?",
		"http://127.0.0.1:00080/back", "http://127.0.0.1:/back",
		"http://127.0.0.1:1:2/back", "http://127.0.0.1:1x/back", "http://[::1]/back",
		"http://localhost/back", "http://127.0.0.10/back", "http://127.0.0.1.evil/back",
		"http://x@127.0.0.1/back", "https://127.0.0.1/back", ""};

	(void)state;
	assert_true(parse(CLAUSE(PEOPLE, REDIRECTS, "")));
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!charter_has_redirect(charter_of(object), text_of(good[i])))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (charter_has_redirect(charter_of(object), text_of(bad[i])))
			fail_msg("%s", bad[i]);
}

static void an_address_has_its_bound(void **state)
{
	char text[ACTING_REDIRECT_BYTES_MAX + 2];

	(void)state;
	memset(text, 'a', sizeof text);
	memcpy(text, "https://", 8);
	text[ACTING_REDIRECT_BYTES_MAX] = '\0';
	assert_true(redirect_is_wellformed(text_of(text)));
	text[ACTING_REDIRECT_BYTES_MAX] = 'a';
	text[ACTING_REDIRECT_BYTES_MAX + 1] = '\0';
	assert_false(redirect_is_wellformed(text_of(text)));
}

static void one_without_a_way_to_prove_itself_is_public(void **state)
{
	(void)state;
	assert_true(parse(CLAUSE(PEOPLE, REDIRECTS, "")));
	assert_true(charter_is_public(charter_of(object)));
	assert_true(parse(CLAUSE(PEOPLE, REDIRECTS,
		"") ",\"keys\":[{\"environment\":\"staging\","
		    "\"certificate\":\"sha256:"
		    "0000000000000000000000000000000000000000000000000000000000000000\"}]"));
	assert_false(charter_is_public(charter_of(object)));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		CASE(without_the_clause_it_acts_for_nobody),
		CASE(a_clause_must_name_people_addresses_and_an_environment),
		CASE(lists_have_their_bounds),
		CASE(it_acts_for_those_that_are_named),
		CASE(addresses_are_compared_letter_by_letter),
		CASE(an_address_has_its_bound),
		CASE(one_without_a_way_to_prove_itself_is_public),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
