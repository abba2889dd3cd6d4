#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/flow/flow_form.h"

enum { FORMS_BYTES = 64 * 1024 };

/* What was visited, each with a bar behind it. */
static char seen[FORMS_BYTES];
static size_t visits;

static void note(void *closure, struct text form)
{
	size_t length = strlen(seen);

	(void)closure;
	visits++;
	assert_true(length + form.length + 2 <= sizeof seen);
	memcpy(seen + length, form.data, form.length);
	memcpy(seen + length + form.length, "|", 2);
}

static void start(void)
{
	seen[0] = '\0';
	visits = 0;
}

static const char *forms_of(const char *text)
{
	struct arena *arena = arena_create(FORMS_BYTES);

	start();
	if (!flow_forms_each(arena, text_of(text), note, NULL))
		note(NULL, TEXT("and more"));
	arena_destroy(&arena);
	return seen;
}

static const char *parts_of(const char *token)
{
	start();
	if (!flow_parts_each(text_of(token), note, NULL))
		note(NULL, TEXT("and more"));
	return seen;
}

static void what_no_escape_stands_in_has_one_form(void **state)
{
	(void)state;
	assert_string_equal(forms_of(""), "|");
	assert_string_equal(forms_of("50% of it"), "50% of it|");
	assert_string_equal(forms_of("\\d+ \\"), "\\d+ \\|");
	assert_string_equal(forms_of("\\u00 \\uxyzw %4 %zz"), "\\u00 \\uxyzw %4 %zz|");
	/* Half a pair is no letter. */
	assert_string_equal(forms_of("\\ud83d \\ude00 \\ud83d\\u0abc"),
		"\\ud83d \\ude00 \\ud83d\\u0abc|\\ud83d \\ude00 \\ud83d\xe0\xaa\xbc|");
}

static void escapes_of_each_kind_are_undone_by_themselves_and_together(void **state)
{
	(void)state;
	assert_string_equal(forms_of("a\\nb\\\"\\/"), "a\\nb\\\"\\/|a\nb\"/|");
	assert_string_equal(forms_of("\\u0040\\u007f\\u0080\\u07ff\\u0800\\uFFFF"),
		"\\u0040\\u007f\\u0080\\u07ff\\u0800\\uFFFF|"
		"@\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf|");
	assert_string_equal(forms_of("\\ud83d\\ude00"), "\\ud83d\\ude00|\xf0\x9f\x98\x80|");
	assert_string_equal(forms_of("\\n%40"), "\\n%40|\n%40|\n@|\\n@|\n@|");
}

static void the_most_layers_are_undone_and_one_more_is_told(void **state)
{
	char text[64] = "%40";

	(void)state;
	for (int layers = 1; layers <= FLOW_LAYERS_MAX + 1; layers++) {
		(void)forms_of(text);
		assert_int_equal(strstr(seen, "and more|") == NULL, layers <= FLOW_LAYERS_MAX);
		assert_int_equal(strstr(seen, "|@|") != NULL, layers <= FLOW_LAYERS_MAX);
		memmove(text + 3, text + 1, strlen(text));
		memcpy(text, "%25", 3);
	}
}

static void a_form_there_is_no_memory_for_is_told(void **state)
{
	struct arena *arena = arena_create(1);

	(void)state;
	assert_false(flow_forms_each(arena, TEXT("a%40b"), note, NULL));
	arena_destroy(&arena);
}

static void a_word_without_marks_has_no_parts(void **state)
{
	(void)state;
	assert_string_equal(parts_of("a-b_c.d@e~1%20"), "");
	assert_string_equal(parts_of("a+b"), "");
	assert_string_equal(parts_of(""), "");
	assert_false(flow_has_parts(TEXT("a-b_c.d@e+f~1%20")));
	assert_true(flow_has_parts(TEXT("a/b")));
	assert_true(flow_has_parts(TEXT("a:b")));
}

static void parts_reach_to_the_next_mark_to_the_next_and_and_to_the_end(void **state)
{
	(void)state;
	assert_string_equal(parts_of("EMAIL:a@x.org"), "EMAIL|EMAIL:a@x.org|a@x.org|");
	assert_string_equal(parts_of("a=b&c=d"), "a|a=b|a=b&c=d|b|b&c=d|c|c=d|d|");
	assert_string_equal(parts_of("n=a+b"), "n|n=a+b|a|a+b|b|");
	assert_string_equal(
		parts_of("https://x.org/a"), "https|https://x.org/a|//x.org/a|x.org|x.org/a|a|");
	assert_string_equal(parts_of("m:a@b.c?s=d"), "m|m:a@b.c?s=d|a@b.c|a@b.c?s=d|s|s=d|d|");
	assert_string_equal(parts_of("C:\\a"), "C|C:\\a|\\a|a|");
}

static void a_ruler_has_no_parts(void **state)
{
	char ruler[4 * FLOW_PARTS_MAX + 1];

	(void)state;
	memset(ruler, '=', sizeof ruler - 1);
	ruler[sizeof ruler - 1] = '\0';
	(void)parts_of(ruler);
	assert_null(strstr(seen, "and more"));
	assert_true(visits <= 1);
}

static void the_most_parts_are_visited_and_one_more_is_told(void **state)
{
	char token[8 * FLOW_PARTS_MAX];

	(void)state;
	for (size_t more = 0; more <= 1; more++) {
		size_t length = 0;

		for (size_t i = 1; i < FLOW_PARTS_MAX + more; i++)
			length += (size_t)snprintf(token + length, sizeof token - length, "a:");
		(void)snprintf(token + length, sizeof token - length, "a");
		(void)parts_of(token);
		assert_int_equal(strstr(seen, "and more") != NULL, more);
	}
	/* From one '&' to the next. */
	for (size_t i = 0; i < FLOW_PARTS_MAX + 9; i++)
		memcpy(token + i * 4, "a=b&", 5);
	(void)parts_of(token);
	assert_null(strstr(seen, "and more"));
}

static void what_is_longer_than_a_path_may_be_is_not_parted_at_slashes(void **state)
{
	char token[FLOW_PATH_BYTES_MAX + 2];

	(void)state;
	memset(token, 'a', sizeof token);
	memcpy(token + FLOW_PATH_BYTES_MAX - 2, "/b", 3);
	assert_non_null(strstr(parts_of(token), "|b|"));
	memcpy(token + FLOW_PATH_BYTES_MAX - 2, "a/b", 4);
	assert_string_equal(parts_of(token), "");
}

static size_t visited_bytes;

static void tally(void *closure, struct text form)
{
	(void)closure;
	visited_bytes += form.length;
}

/* Else one long word would hold up everybody. */
static void the_parts_of_a_long_word_are_some_times_its_length_whatever_is_in_it(void **state)
{
	static const char *const patterns[] = {"=", "a:", "a=b&", "a=b+c+", "a+b=", "a&b=c+", "/a"};
	static char token[1 << 16];

	(void)state;
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		for (size_t at = 0; at < sizeof token; at++)
			token[at] = patterns[i][at % strlen(patterns[i])];
		visited_bytes = 0;
		(void)!flow_parts_each((struct text){token, sizeof token}, tally, NULL);
		assert_true(visited_bytes <= 2 * (FLOW_PARTS_MAX + 1) * sizeof token);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_escape_stands_in_has_one_form),
		cmocka_unit_test(escapes_of_each_kind_are_undone_by_themselves_and_together),
		cmocka_unit_test(the_most_layers_are_undone_and_one_more_is_told),
		cmocka_unit_test(a_form_there_is_no_memory_for_is_told),
		cmocka_unit_test(a_word_without_marks_has_no_parts),
		cmocka_unit_test(parts_reach_to_the_next_mark_to_the_next_and_and_to_the_end),
		cmocka_unit_test(a_ruler_has_no_parts),
		cmocka_unit_test(the_most_parts_are_visited_and_one_more_is_told),
		cmocka_unit_test(what_is_longer_than_a_path_may_be_is_not_parted_at_slashes),
		cmocka_unit_test(
			the_parts_of_a_long_word_are_some_times_its_length_whatever_is_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
