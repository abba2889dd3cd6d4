#include "domain/charter/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_word_far_from_all_has_no_suggestion(void **state)
{
	static const char *const words[] = {"read", "write", "execute", NULL};

	(void)state;
	assert_null(word_nearest(TEXT("banana"), words));
	assert_null(word_nearest(TEXT(""), words));
	assert_null(word_nearest(TEXT("xyad"), words)); /* two edits of four are too many */
}

static void a_word_too_long_to_compare_has_no_suggestion(void **state)
{
	static const char *const words[] = {"read", NULL};
	char longest[64];

	(void)state;
	memset(longest, 'a', sizeof longest);
	assert_null(word_nearest((struct text){longest, sizeof longest}, words));
	assert_null(word_nearest((struct text){longest, sizeof longest - 1}, words));
}

static void a_slip_is_answered_with_the_nearest_word(void **state)
{
	static const char *const words[] = {"read", "write", "execute", NULL};

	(void)state;
	assert_string_equal(word_nearest(TEXT("wirte"), words), "write");
	assert_string_equal(word_nearest(TEXT("reed"), words), "read");
	assert_string_equal(word_nearest(TEXT("raed"), words), "read"); /* one slip, not two */
	assert_string_equal(word_nearest(TEXT("erad"), words), "read");
	assert_string_equal(word_nearest(TEXT("exeucte"), words), "execute");
}

static void a_full_list_still_counts(void **state)
{
	static struct problems problems;
	struct arena *arena = arena_create(1 << 20);

	(void)state;
	assert_non_null(arena);
	problems = (struct problems){.arena = arena};
	for (unsigned i = 0; i < PROBLEMS_MAX + 5; i++)
		problem_add(&problems, (struct place){.line = i + 1}, "fix it", "wrong %u", i);
	assert_int_equal(problems.count, PROBLEMS_MAX);
	assert_int_equal(problems.total, PROBLEMS_MAX + 5);
	assert_true(text_is(problems.items[PROBLEMS_MAX - 1].what, "wrong 199"));
	assert_true(text_is(problems.items[0].remedy, "fix it"));
	arena_destroy(&arena);
}

static void an_arena_without_room_still_counts(void **state)
{
	static struct problems problems;
	struct arena *arena = arena_create(0);

	(void)state;
	problems = (struct problems){.arena = arena};
	problem_add(&problems, (struct place){0}, NULL, "wrong");
	assert_int_equal(problems.total, 1);
	assert_int_equal(problems.items[0].what.length, 0);
	arena_destroy(&arena);
}

static void a_long_text_says_that_it_was_cut(void **state)
{
	static struct problems problems;
	struct arena *arena = arena_create(1 << 20);
	char longest[PROBLEM_TEXT_BYTES + 100];

	(void)state;
	memset(longest, 'a', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	problems = (struct problems){.arena = arena};
	problem_add(&problems, (struct place){0}, NULL, "%s", longest);
	assert_int_equal(problems.items[0].what.length, PROBLEM_TEXT_BYTES - 1);
	assert_true(text_ends_with(problems.items[0].what, "..."));
	arena_destroy(&arena);
}

static void the_line_that_a_syntax_error_begins_with_goes_where_lines_go(void **state)
{
	static struct problems problems;
	struct arena *arena = arena_create(1 << 20);
	struct error cause;

	(void)state;
	problems = (struct problems){.arena = arena};
	(void)error_set(&cause, ERROR_INVALID, "a.yaml:12: not a mapping: x");
	problem_add_syntax(&problems, TEXT("a.yaml"), &cause);
	assert_int_equal(problems.items[0].line, 12);
	assert_true(text_is(problems.items[0].what, "not a mapping: x"));
	problem_add_syntax(&problems, TEXT("b.yaml"), &cause);
	assert_int_equal(problems.items[1].line, 0);
	assert_true(text_is(problems.items[1].what, "a.yaml:12: not a mapping: x"));
	arena_destroy(&arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_far_from_all_has_no_suggestion),
		cmocka_unit_test(a_word_too_long_to_compare_has_no_suggestion),
		cmocka_unit_test(a_slip_is_answered_with_the_nearest_word),
		cmocka_unit_test(a_full_list_still_counts),
		cmocka_unit_test(an_arena_without_room_still_counts),
		cmocka_unit_test(a_long_text_says_that_it_was_cut),
		cmocka_unit_test(the_line_that_a_syntax_error_begins_with_goes_where_lines_go),
	};

	return cmocka_run_group_tests_name("problem", tests, NULL, NULL);
}
