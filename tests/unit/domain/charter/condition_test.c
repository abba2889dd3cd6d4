#include "domain/charter/condition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cedar/words.h"

static bool has_words(struct arena *arena, const char *condition)
{
	return condition_words(arena, text_of(condition)).length > 0;
}

static void what_is_no_condition_has_no_words(void **state)
{
	(void)state;
	assert_false(has_words(*state, ""));
	assert_false(has_words(*state, "context.args.x =="));
	assert_true(has_words(*state, "context.args.x == 1"));
}

static void programs_get_it_as_it_is_written_and_people_in_words(void **state)
{
	struct json_builder object;
	struct error err = {0};
	struct json out;

	json_object_start(&object, *state);
	condition_put(&object, TEXT("context.first"));
	assert_true(json_object_seal(&object, &out, &err));
	assert_true(text_is(json_text_or(&out, "when", ""), "context.first"));
	assert_true(text_is(json_text_or(&out, "words", ""), "it is the first use of the tool"));
	json_object_start(&object, *state);
	condition_put(&object, TEXT(""));
	assert_true(json_object_seal(&object, &out, &err));
	assert_int_equal(out.count, 0);
	json_object_start(&object, *state);
	condition_put(&object, TEXT("1 +"));
	assert_true(json_object_seal(&object, &out, &err));
	assert_int_equal(out.count, 1); /* as it is written, all the same */
}

/* So many comparisons joined by and. */
static char *long_condition(size_t count)
{
	static const char one[] = "context.args.a == 1 && ";
	size_t each = sizeof one - 1;
	char *text = calloc(1, count * each + sizeof "context.first");

	for (size_t i = 0; i < count; i++)
		memcpy(text + i * each, one, each);
	memcpy(text + count * each, "context.first", sizeof "context.first");
	return text;
}

/* Whether words are found in so much memory. */
static bool fits(size_t bytes, const char *text)
{
	struct arena *arena = arena_create_small(bytes, 4096);
	struct cedar_text words;
	struct cedar_error err;
	bool ok;

	assert_non_null(arena);
	ok = cedar_words(&words, arena, cedar_text_of(text), &err);
	arena_destroy(&arena);
	return ok;
}

/* Nothing is cut, it has words or has none. */
static void what_takes_too_much_has_no_words(void **state)
{
	size_t has = 1, lacks = 100000;

	while (has + 1 < lacks) {
		size_t middle = (has + lacks) / 2;
		char *text = long_condition(middle);

		*(has_words(*state, text) ? &has : &lacks) = middle;
		free(text);
		arena_reset(*state);
	}
	assert_true(has > 500); /* any that people write */
	assert_true(lacks == has + 1 && lacks < 100000);
	for (size_t count = has - 1; count <= lacks; count++) {
		char *text = long_condition(count);

		assert_int_equal(fits(CONDITION_WORDS_BYTES_MAX, text), count < lacks);
		assert_true(fits(2 * CONDITION_WORDS_BYTES_MAX, text));
		assert_int_equal(has_words(*state, text), count < lacks);
		free(text);
	}
}

static int set_up(void **state)
{
	*state = arena_create(64 << 20);
	return *state == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	struct arena *arena = *state;

	arena_destroy(&arena);
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_no_condition_has_no_words),
		TEST(programs_get_it_as_it_is_written_and_people_in_words),
		TEST(what_takes_too_much_has_no_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
