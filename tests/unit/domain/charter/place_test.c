#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/charter/place.h"

struct seen {
	char text[256];
};

static void see(void *context, const struct json *value)
{
	struct seen *seen = context;
	size_t used = strlen(seen->text);
	struct text shown = value == NULL                ? TEXT("-")
			    : value->type == JSON_STRING ? value->string
							 : TEXT("?");

	(void)snprintf(seen->text + used, sizeof(seen->text) - used, "%.*s;", TEXT_ARGS(shown));
}

static enum place_found look(const char *json, const char *place, struct seen *seen)
{
	struct arena *arena = arena_create(64 * 1024);
	enum place_found found;
	struct json root;
	struct error err;

	*seen = (struct seen){0};
	assert_true(json_parse(&root, arena, text_of(json), &json_limits_default, &err));
	found = place_each(&root, text_of(place), see, seen);
	arena_destroy(&arena);
	return found;
}

static void a_place_that_is_malformed_is_none(void **state)
{
	static const char *const places[] = {"", ".", "a.", ".a", "a..b", "a[0]", "a[*]b", "[*]",
		"a b", "a/b", "a[*][*]", "\xc3\xa9", "*", "*.a", "a.*.*", "a[*].*", "a.*b"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(places) / sizeof(*places); i++)
		assert_false(place_is_wellformed(text_of(places[i])));
}

static void a_place_is_names_with_dots_and_lists(void **state)
{
	static const char *const places[] = {"a", "hits[*]", "hits[*].id", "a.b-c.d_e[*].F9",
		"hits.*", "hits.*.id", "a.*.b[*].c"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(places) / sizeof(*places); i++)
		assert_true(place_is_wellformed(text_of(places[i])));
}

static void a_place_has_a_limit_of_steps_and_bytes(void **state)
{
	char place[PLACE_BYTES_MAX + 2];

	(void)state;
	assert_int_equal(PLACE_STEPS_MAX, 8);
	assert_true(place_is_wellformed(TEXT("a.a.a.a.a.a.a.a")));
	assert_false(place_is_wellformed(TEXT("a.a.a.a.a.a.a.a.a")));
	memset(place, 'a', sizeof(place));
	assert_true(place_is_wellformed((struct text){place, PLACE_BYTES_MAX}));
	assert_false(place_is_wellformed((struct text){place, PLACE_BYTES_MAX + 1}));
}

static void what_is_not_where_the_place_says_is_missing(void **state)
{
	struct seen seen;

	(void)state;
	assert_int_equal(look("{\"a\":1}", "", &seen), PLACE_MISSING);
	assert_int_equal(look("{\"a\":1}", "b", &seen), PLACE_MISSING);
	assert_int_equal(look("{\"a\":1}", "a.b", &seen), PLACE_MISSING);
	assert_int_equal(look("{\"a\":{\"b\":1}}", "a[*].b", &seen), PLACE_MISSING);
	assert_int_equal(look("[1]", "a", &seen), PLACE_MISSING);
	assert_string_equal(seen.text, "");
}

static void each_item_of_a_list_is_seen_with_what_it_lacks(void **state)
{
	struct seen seen;

	(void)state;
	assert_int_equal(look("{\"a\":{\"b\":\"x\"}}", "a.b", &seen), PLACE_FOUND);
	assert_string_equal(seen.text, "x;");
	assert_int_equal(
		look("{\"r\":[{\"c\":\"x\"},{},7,{\"c\":1}]}", "r[*].c", &seen), PLACE_FOUND);
	assert_string_equal(seen.text, "x;-;-;?;");
	assert_int_equal(look("{\"r\":[{\"s\":[{\"c\":\"x\"},{\"c\":\"y\"}]},{\"s\":3}]}",
				 "r[*].s[*].c", &seen),
		PLACE_FOUND);
	assert_string_equal(seen.text, "x;y;-;");
	assert_int_equal(look("{\"r\":[{\"s\":[{\"c\":\"x\"},{\"c\":\"y\"}]},{\"s\":3}]}",
				 "r.*.s.*.c", &seen),
		PLACE_FOUND);
	assert_string_equal(seen.text, "x;y;-;");
	/* An object's members are no list. */
	assert_int_equal(look("{\"r\":{\"a\":{\"c\":\"x\"}}}", "r.*.c", &seen), PLACE_MISSING);
}

static void an_empty_list_is_found(void **state)
{
	struct seen seen;

	(void)state;
	assert_int_equal(look("{\"r\":[]}", "r[*].c", &seen), PLACE_FOUND);
	assert_string_equal(seen.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_that_is_malformed_is_none),
		cmocka_unit_test(a_place_is_names_with_dots_and_lists),
		cmocka_unit_test(a_place_has_a_limit_of_steps_and_bytes),
		cmocka_unit_test(what_is_not_where_the_place_says_is_missing),
		cmocka_unit_test(each_item_of_a_list_is_seen_with_what_it_lacks),
		cmocka_unit_test(an_empty_list_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
