#include "domain/task/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_word_is_kept_once_for_as_long_as_somebody_uses_it(void **state)
{
	struct name_slots words = {0};
	struct word *one, *two;
	struct error err;

	(void)state;
	assert_true(word_take(&words, TEXT("files/read"), &one, &err));
	assert_true(word_take(&words, TEXT("files/read"), &two, &err));
	assert_ptr_equal(one, two);
	assert_int_equal(words.count, 1);
	word_drop(&words, &one);
	assert_null(one);
	assert_true(text_is(word_text(two), "files/read"));
	word_drop(&words, &two);
	assert_int_equal(words.count, 0);
	word_drop(&words, &two);
	names_deinit(&words);
}

static void the_empty_text_is_no_word(void **state)
{
	struct name_slots words = {0};
	struct word *none;
	struct error err;

	(void)state;
	assert_true(word_take(&words, TEXT(""), &none, &err));
	assert_null(none);
	assert_int_equal(word_text(none).length, 0);
	names_deinit(&words);
}

static void names_are_found_whatever_comes_and_goes(void **state)
{
	struct name_slots words = {0};
	struct word *kept[500];
	struct error err;
	char name[16];

	(void)state;
	for (int i = 0; i < 500; i++) {
		(void)snprintf(name, sizeof name, "w%d", i);
		assert_true(word_take(&words, text_of(name), &kept[i], &err));
	}
	for (int i = 0; i < 500; i += 2)
		word_drop(&words, &kept[i]);
	for (int i = 0; i < 500; i++) {
		(void)snprintf(name, sizeof name, "w%d", i);
		assert_int_equal(names_find(&words, text_of(name)) != NULL, i % 2);
	}
	names_deinit(&words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_is_kept_once_for_as_long_as_somebody_uses_it),
		cmocka_unit_test(the_empty_text_is_no_word),
		cmocka_unit_test(names_are_found_whatever_comes_and_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
