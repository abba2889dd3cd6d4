#include "domain/task/use.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct line_key first = {{"t-1", 3}, {"a", 1}, 0};
static const struct line_key second = {{"t-1", 3}, {"a", 1}, 1};
static const struct line_key other = {{"t-11", 4}, {"a", 1}, 0};

static struct line_uses *make(void)
{
	struct line_uses *uses;
	struct error err;

	assert_true(line_uses_create(&uses, &err));
	return uses;
}

static void what_can_be_no_key_counts_as_used_up_and_is_not_counted(void **state)
{
	struct line_uses *uses = make();
	char bytes[LINE_USE_KEY_BYTES_MAX];
	struct line_key long_key = {TEXT("t-1"), {bytes, 0}, 7};
	const struct line_key keys[] = {
		{TEXT(""), TEXT("a"), 0}, {TEXT("t-1"), TEXT(""), 0}, {TEXT("t 1"), TEXT("a"), 0}};
	struct error err;

	(void)state;
	memset(bytes, 'x', sizeof bytes);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		assert_true(line_uses_find(uses, &keys[i]) == INT64_MAX);
		assert_false(line_uses_add(uses, &keys[i], &err));
		assert_int_equal(err.code, ERROR_INVALID);
		line_uses_take_back(uses, &keys[i]);
		line_uses_forget(uses, keys[i].root);
	}
	/* "t-1", a blank, the name, a blank, "7" and the end of the text. */
	long_key.identity.length = LINE_USE_KEY_BYTES_MAX - 6;
	assert_false(line_uses_add(uses, &long_key, &err));
	assert_true(line_uses_find(uses, &long_key) == INT64_MAX);
	long_key.identity.length--;
	assert_true(line_uses_add(uses, &long_key, &err));
	assert_int_equal(line_uses_find(uses, &long_key), 1);
	assert_int_equal(line_uses_count(uses), 1);
	line_uses_destroy(&uses);
}

static void no_more_lines_are_counted_than_there_is_room_for(void **state)
{
	struct line_uses *uses = make();
	struct error err;

	(void)state;
	assert_false(line_uses_is_full(uses, LINE_USES_MAX - 1));
	assert_true(line_uses_is_full(uses, LINE_USES_MAX));
	assert_true(line_uses_is_full(uses, SIZE_MAX));
	assert_true(line_uses_add(uses, &first, &err));
	assert_false(line_uses_is_full(uses, LINE_USES_MAX - 2));
	assert_true(line_uses_is_full(uses, LINE_USES_MAX - 1));
	line_uses_destroy(&uses);
}

static void each_line_of_each_task_counts_for_itself(void **state)
{
	struct line_uses *uses = make();
	struct error err;

	(void)state;
	assert_int_equal(line_uses_find(uses, &first), 0);
	assert_true(line_uses_add(uses, &first, &err));
	assert_true(line_uses_add(uses, &first, &err));
	assert_true(line_uses_add(uses, &other, &err));
	assert_int_equal(line_uses_find(uses, &first), 2);
	assert_int_equal(line_uses_find(uses, &second), 0);
	assert_int_equal(line_uses_find(uses, &other), 1);
	line_uses_destroy(&uses);
}

static void a_record_counts_once(void **state)
{
	struct line_uses *uses = make();
	struct error err;

	(void)state;
	assert_true(line_uses_fold(uses, &first, 7, &err));
	assert_true(line_uses_fold(uses, &first, 7, &err));
	assert_int_equal(line_uses_find(uses, &first), 1);
	assert_true(line_uses_fold(uses, &first, 8, &err));
	assert_true(line_uses_fold(uses, &second, 7, &err));
	assert_true(line_uses_fold(uses, &first, 7, &err));
	assert_int_equal(line_uses_find(uses, &first), 2);
	assert_int_equal(line_uses_find(uses, &second), 1);
	line_uses_destroy(&uses);
}

static void what_is_taken_back_is_there_again_and_never_more(void **state)
{
	struct line_uses *uses = make();
	struct error err;

	(void)state;
	line_uses_take_back(uses, &first);
	assert_int_equal(line_uses_find(uses, &first), 0);
	assert_true(line_uses_add(uses, &first, &err));
	assert_true(line_uses_add(uses, &first, &err));
	line_uses_take_back(uses, &first);
	assert_int_equal(line_uses_find(uses, &first), 1);
	line_uses_take_back(uses, &first);
	assert_int_equal(line_uses_find(uses, &first), 0);
	assert_int_equal(line_uses_count(uses), 0);
	line_uses_destroy(&uses);
}

static void a_task_is_forgotten_alone(void **state)
{
	struct line_uses *uses = make();
	struct error err;

	(void)state;
	assert_true(line_uses_add(uses, &first, &err));
	assert_true(line_uses_add(uses, &second, &err));
	assert_true(line_uses_add(uses, &other, &err));
	line_uses_forget(uses, TEXT("t"));
	assert_int_equal(line_uses_count(uses), 3);
	line_uses_forget(uses, TEXT("t-1"));
	assert_int_equal(line_uses_count(uses), 1);
	assert_int_equal(line_uses_find(uses, &first), 0);
	assert_int_equal(line_uses_find(uses, &other), 1);
	line_uses_destroy(&uses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_can_be_no_key_counts_as_used_up_and_is_not_counted),
		cmocka_unit_test(no_more_lines_are_counted_than_there_is_room_for),
		cmocka_unit_test(each_line_of_each_task_counts_for_itself),
		cmocka_unit_test(a_record_counts_once),
		cmocka_unit_test(what_is_taken_back_is_there_again_and_never_more),
		cmocka_unit_test(a_task_is_forgotten_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
