/* What people are shown of a line and where the caret stands below it. */
#include "domain/charter/excerpt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int open_arena(void **state)
{
	*state = arena_create(64 * 1024 * 1024);
	return *state == NULL ? -1 : 0;
}

static int close_arena(void **state)
{
	struct arena *arena = *state;

	arena_destroy(&arena);
	return 0;
}

static const char *shown(struct arena *arena, const char *text, size_t start, size_t length)
{
	struct excerpt excerpt = excerpt_cut(arena, text_of(text), start, length);

	return excerpt_format(arena, &excerpt, "").data;
}

static void the_line_of_a_byte_is_shown_and_the_bytes_on_it_are_marked(void **state)
{
	assert_string_equal(shown(*state, "ab\ncd ef\ngh", 6, 2), "cd ef\n   ^~\n");
	assert_string_equal(shown(*state, "ab\ncd ef\ngh", 6, 4), "cd ef\n   ^~\n");
	assert_string_equal(shown(*state, "ab\ncd ef\ngh", 6, 0), "cd ef\n   ^\n");
	assert_string_equal(shown(*state, "ab\ncd ef\ngh", 0, 100), "ab\n^~\n");
	assert_string_equal(shown(*state, "ab\ncd", 2, 1), "ab\n  ^\n");
	assert_string_equal(shown(*state, "ab\ncd", 5, 1), "cd\n  ^\n");
	assert_string_equal(shown(*state, "ab\n", 3, 1), "\n^\n");
	assert_string_equal(shown(*state, "", 0, 1), "\n^\n");
	assert_string_equal(shown(*state, "a\tb", 2, 1), "a\tb\n \t^\n");
}

static void the_caret_counts_characters(void **state)
{
	assert_string_equal(
		shown(*state, "\xC3\xA9\xE2\x82\xAC.", 5, 1), "\xC3\xA9\xE2\x82\xAC.\n  ^\n");
	assert_string_equal(
		shown(*state, ".\xC3\xA9\xE2\x82\xAC.", 1, 5), ".\xC3\xA9\xE2\x82\xAC.\n ^~\n");
	/* What is no UTF-8 is one '?' a byte. */
	assert_string_equal(shown(*state, "\xC3(\xFF;", 3, 1), "?(?;\n   ^\n");
}

/* Lines of so many bytes with one that is marked, wherever it is. */
static void a_long_line_is_cut_around_the_caret(void **state)
{
	static const size_t lengths[] = {
		EXCERPT_BYTES_MAX - 1, EXCERPT_BYTES_MAX, EXCERPT_BYTES_MAX + 1, 1000};

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		for (size_t at = 0; at < lengths[i]; at++) {
			bool is_cut = lengths[i] > EXCERPT_BYTES_MAX;
			char line[1001] = "";
			struct excerpt excerpt;

			memset(line, 'a', lengths[i]);
			line[at] = 'x';
			excerpt = excerpt_cut(*state, text_of(line), at, 1);
			assert_int_equal(excerpt.source.data[excerpt.at], 'x');
			assert_int_equal(strstr(excerpt.source.data, "...") != NULL, is_cut);
			assert_true(excerpt.source.length <= EXCERPT_BYTES_MAX + 6);
			assert_true(is_cut || excerpt.source.length == lengths[i]);
			arena_reset(*state);
		}
}

static void a_long_line_is_cut_between_characters(void **state)
{
	enum { LETTERS = 300 };
	char line[2 * LETTERS + 1] = "";

	for (int i = 0; i < LETTERS; i++)
		memcpy(line + 2 * i, "\xC3\xA9", 2);
	for (size_t at = 0; at < LETTERS; at++) {
		struct excerpt excerpt = excerpt_cut(*state, text_of(line), 2 * at, 2);

		assert_true(text_is_utf8(excerpt.source));
		assert_null(strchr(excerpt.source.data, '?'));
		assert_memory_equal(excerpt.source.data + excerpt.at, "\xC3\xA9", 2);
		arena_reset(*state);
	}
}

static void a_place_is_a_byte_of_the_text(void **state)
{
	(void)state;
	assert_int_equal(excerpt_offset(TEXT("ab\ncd"), 1, 1), 0);
	assert_int_equal(excerpt_offset(TEXT("ab\ncd"), 2, 2), 4);
	assert_int_equal(excerpt_offset(TEXT("ab\ncd"), 2, 3), 5);
	assert_int_equal(excerpt_offset(TEXT("ab\ncd"), 2, 9), 5);
	assert_int_equal(excerpt_offset(TEXT("ab\ncd"), 7, 1), 5);
}

static void what_is_missing_at_the_end_is_missing_on_the_last_line(void **state)
{
	static const struct {
		const char *text;
		uint32_t line, column;             /* told */
		uint32_t line_after, column_after; /* shown */
	} places[] = {
		{"a &&\n", 2, 1, 1, 5},
		{"a\nb &&\n\n\n", 5, 1, 2, 5},
		{"a &&", 1, 5, 1, 5},
		{"a &&\nb\n", 1, 3, 1, 3},
		{"a\n\nb\n", 2, 1, 2, 1},
		{"\n", 2, 1, 1, 1},
		{"", 1, 1, 1, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		uint32_t line = places[i].line, column = places[i].column;

		excerpt_place_end(text_of(places[i].text), &line, &column);
		assert_int_equal(line, places[i].line_after);
		assert_int_equal(column, places[i].column_after);
	}
}

static void without_room_nothing_is_shown(void **state)
{
	struct arena *small = arena_create(4);
	struct excerpt excerpt;

	(void)state;
	assert_non_null(small);
	excerpt = excerpt_cut(small, TEXT("a line that is long"), 2, 1);
	assert_null(excerpt.source.data);
	assert_int_equal(excerpt_format(small, &excerpt, "").length, 0);
	excerpt.source = TEXT("a line that is long");
	excerpt.at = 9;
	excerpt.width = 1;
	assert_int_equal(excerpt_format(small, &excerpt, "").length, 0);
	arena_destroy(&small);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_line_of_a_byte_is_shown_and_the_bytes_on_it_are_marked),
		TEST(the_caret_counts_characters),
		TEST(a_long_line_is_cut_around_the_caret),
		TEST(a_long_line_is_cut_between_characters),
		TEST(a_place_is_a_byte_of_the_text),
		TEST(what_is_missing_at_the_end_is_missing_on_the_last_line),
		TEST(without_room_nothing_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
