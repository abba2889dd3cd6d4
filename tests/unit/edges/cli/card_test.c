/* The card a person decides on: complete, and nothing in it can pass for remit's own words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "edges/cli/card.h"

enum { TEXT_BYTES = 1 << 20 };

static struct arena *arena;
static struct buffer out;

static int setup(void **state)
{
	(void)state;
	arena = arena_create((size_t)1 << 26);
	buffer_init(&out, TEXT_BYTES);
	return arena == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	buffer_deinit(&out);
	arena_destroy(&arena);
	return 0;
}

static const char *shown(const char *arguments)
{
	struct error err = {0};
	struct json value;

	if (!json_parse(&value, arena, text_of(arguments), &json_limits_default, &err))
		fail_msg("%s", err.text);
	buffer_reset(&out);
	card_append_arguments(&out, &value);
	buffer_append_byte(&out, '\0');
	assert_false(buffer_failed(&out));
	return out.data;
}

static const char *who(const char *approval)
{
	struct error err = {0};
	struct json value;

	if (!json_parse(&value, arena, text_of(approval), &json_limits_default, &err))
		fail_msg("%s", err.text);
	buffer_reset(&out);
	card_append_who(&out, &value);
	buffer_append_byte(&out, '\0');
	return out.data;
}

static void a_task_that_an_agent_opened_is_shown_with_what_the_first_was_asked(void **state)
{
	const char *text =
		who("{\"identity\":\"i\",\"charter\":\"i@1\",\"request\":{\"task\":\"t-1\","
		    "\"person\":\"ana\",\"purpose\":\"Pay\\nState  approved\"}}");

	(void)state;
	assert_non_null(strstr(text,
		"For             nobody itself: an agent opened this task below the first\n"
		"First task      t-1, for ana\n"
		"It was asked    \"Pay\\nState  approved\"\n"));
	text = who("{\"identity\":\"i\",\"charter\":\"i@1\",\"person\":\"bo\",\"purpose\":\"p\","
		   "\"request\":{\"task\":\"t-1\"}}");
	assert_non_null(
		strstr(text, "For             bo\nTo what end     \"p\"\n"
			     "First task      t-1, for nobody: its identity's own purpose\n"));
	assert_null(strstr(text, "It was asked"));
	text = who("{\"identity\":\"i\",\"charter\":\"i@1\"}");
	assert_non_null(strstr(text, "For             nobody: the identity's own purpose\n"));
	assert_null(strstr(text, "First task"));
}

static void each_line_of_arguments_is_behind_a_bar(void **state)
{
	const char *text = shown("{\"a\":\"x\\nApproval  a-1\\r\\nState     approved\","
				 "\"b\\nMay answer\":[1,{\"c\":null}],\"e\":{},\"f\":[]}");

	(void)state;
	for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1)
		assert_memory_equal(at, "  | ", 4);
	assert_string_equal(text,
		"  | {\n"
		"  |   \"a\": \"x\\nApproval  a-1\\u000d\\nState     approved\",\n"
		"  |   \"b\\nMay answer\": [\n"
		"  |     1,\n"
		"  |     {\n"
		"  |       \"c\": null\n"
		"  |     }\n"
		"  |   ],\n"
		"  |   \"e\": {},\n"
		"  |   \"f\": []\n"
		"  | }\n");
}

static void what_moves_hides_or_turns_text_is_an_escape(void **state)
{
	const char *text =
		shown("{\"a\":\"\\u001b[2J\\u202eevil\\u202c\\u200b\\u0001\\u009b\\ufeff\","
		      "\"b\":\"\\udb40\\udc41\"}");

	(void)state;
	assert_non_null(strstr(text, "\\u001b[2J\\u202eevil\\u202c\\u200b\\u0001\\u009b\\ufeff"));
	assert_non_null(strstr(text, "\\U000e0041"));
	for (; *text != '\0'; text++)
		assert_true(*text == '\n' || ((unsigned char)*text >= ' ' && *text != 0x7F));
}

static void letters_that_look_alike_are_told_apart(void **state)
{
	/* The first a is Cyrillic. */
	const char *text = shown("{\"to\":\"p\xd0\xb0ypal.example\",\"plain\":\"paypal.example\"}");

	(void)state;
	assert_non_null(strstr(text, "\"p\xd0\xb0ypal.example\"   (in ASCII: "
				     "\"p\\u0430ypal.example\")"));
	assert_non_null(strstr(text, "\"plain\": \"paypal.example\"\n"));
}

static void a_quote_cannot_end_a_text_early(void **state)
{
	(void)state;
	assert_non_null(strstr(shown("{\"a\":\"x\\\", \\\"b\\\": \\\"y\\\\\"}"),
		"\"x\\\", \\\"b\\\": \\\"y\\\\\""));
}

static void nothing_is_cut(void **state)
{
	enum { LETTERS = 200000 };
	char *long_text = arena_array(arena, char, LETTERS + 16);

	(void)state;
	memcpy(long_text, "{\"a\":\"", 6);
	memset(long_text + 6, 'x', LETTERS);
	memcpy(long_text + 6 + LETTERS, "END\"}", 6);
	assert_non_null(strstr(shown(long_text), "xEND\"\n"));
	assert_true(strlen(out.data) > LETTERS);
}

#define CARD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CARD_TEST(each_line_of_arguments_is_behind_a_bar),
		CARD_TEST(a_task_that_an_agent_opened_is_shown_with_what_the_first_was_asked),
		CARD_TEST(what_moves_hides_or_turns_text_is_an_escape),
		CARD_TEST(letters_that_look_alike_are_told_apart),
		CARD_TEST(a_quote_cannot_end_a_text_early),
		CARD_TEST(nothing_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
