/* The growing buffer and its limit. */
#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void nothing_is_appended_beyond_the_limit(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 4);
	buffer_append(&buffer, "abcd", 4);
	assert_false(buffer_failed(&buffer));
	buffer_append_byte(&buffer, 'e');
	assert_true(buffer_failed(&buffer));
	assert_true(text_is(buffer_text(&buffer), "abcd"));
	buffer_deinit(&buffer);
}

static void a_failed_buffer_stays_failed_until_reset(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 4);
	buffer_append_string(&buffer, "abcde");
	buffer_append_byte(&buffer, 'f');
	assert_true(buffer_failed(&buffer));
	assert_int_equal(buffer.length, 0);
	buffer_reset(&buffer);
	buffer_append_byte(&buffer, 'f');
	assert_false(buffer_failed(&buffer));
	assert_true(text_is(buffer_text(&buffer), "f"));
	buffer_deinit(&buffer);
}

static void what_does_not_fit_the_callers_memory_moves(void **state)
{
	char memory[8] = "........";
	struct buffer buffer;

	(void)state;
	buffer_init_in(&buffer, 600, memory, sizeof memory);
	buffer_append(&buffer, "abcdefgh", 8);
	assert_ptr_equal(buffer.data, memory);
	buffer_append_byte(&buffer, 'i');
	assert_ptr_not_equal(buffer.data, memory);
	assert_true(text_is(buffer_text(&buffer), "abcdefghi"));
	assert_memory_equal(memory, "abcdefgh", 8);
	while (buffer.length < 600)
		buffer_append_byte(&buffer, 'j');
	assert_false(buffer_failed(&buffer));
	buffer_append_byte(&buffer, 'k');
	assert_true(buffer_failed(&buffer));
	buffer_deinit(&buffer);
	buffer_init_in(&buffer, 4, memory, sizeof memory); /* the limit holds there too */
	buffer_append(&buffer, "abcde", 5);
	assert_true(buffer_failed(&buffer));
	buffer_deinit(&buffer);
}

/* The NUL that is written behind a format may be the byte too many. */
static void a_format_that_just_fits_the_callers_memory_moves(void **state)
{
	for (size_t before = 0; before <= 9; before++) {
		char memory[8] = "........";
		struct buffer buffer;

		(void)state;
		buffer_init_in(&buffer, 600, memory, sizeof memory);
		for (size_t i = 0; i < before; i++)
			buffer_append_byte(&buffer, 'a');
		buffer_append_format(&buffer, "%s", "bc");
		assert_false(buffer_failed(&buffer));
		assert_int_equal(buffer.length, before + 2);
		assert_memory_equal(buffer.data + before, "bc", 2);
		buffer_deinit(&buffer);
	}
}

static void appends_of_each_kind_follow_each_other(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 1000);
	buffer_append_int64(&buffer, INT64_MIN);
	buffer_append_byte(&buffer, ' ');
	buffer_append_int64(&buffer, 0);
	buffer_append_format(&buffer, " %s=%d ", "n", 3);
	buffer_append_text(&buffer, TEXT("t"));
	assert_true(text_is(buffer_text(&buffer), "-9223372036854775808 0 n=3 t"));
	buffer_consume(&buffer, 21);
	assert_true(text_is(buffer_text(&buffer), "0 n=3 t"));
	buffer_consume(&buffer, 7);
	assert_int_equal(buffer.length, 0);
	buffer_deinit(&buffer);
}

static void a_long_run_grows_to_the_last_byte_of_the_limit(void **state)
{
	struct buffer buffer;
	size_t i;

	(void)state;
	buffer_init(&buffer, 100001);
	for (i = 0; i < 100001; i++)
		buffer_append_byte(&buffer, (char)('a' + i % 26));
	assert_false(buffer_failed(&buffer));
	assert_int_equal(buffer.length, 100001);
	for (i = 0; i < 100001; i++)
		assert_int_equal(buffer.data[i], 'a' + i % 26);
	buffer_append_byte(&buffer, 'z');
	assert_true(buffer_failed(&buffer));
	buffer_deinit(&buffer);
}

static void what_moves_or_hides_is_no_longer_there(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out, 64);
	buffer_append_visible(&out, TEXT("a\x1b[2J\n\xe2\x80\xae"
					 "b\xff\xc3\xa9"));
	assert_true(text_is(buffer_text(&out), "a?[2J??b?\xc3\xa9"));
	buffer_deinit(&out);
}

static bool is_clear(const char *memory, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (memory[i] != 0)
			return false;
	return true;
}

static void what_is_secret_is_cleared_where_it_moves_from(void **state)
{
	char memory[16];
	struct buffer buffer;

	(void)state;
	buffer_init_in(&buffer, 600, memory, sizeof memory);
	buffer_keep_secret(&buffer);
	buffer_append_string(&buffer, "a-credential");
	buffer_append_string(&buffer, ", and what follows");
	assert_true(is_clear(memory, sizeof memory));
	assert_true(text_is(buffer_text(&buffer), "a-credential, and what follows"));
	buffer_deinit(&buffer);
}

static void what_is_secret_is_cleared_when_it_is_given_back(void **state)
{
	char memory[16] = {0};
	struct buffer buffer;

	(void)state;
	buffer_init_in(&buffer, 600, memory, sizeof memory);
	buffer_keep_secret(&buffer);
	buffer_append_string(&buffer, "a-credential");
	buffer_consume(&buffer, 4); /* what moved up stands twice */
	buffer_deinit(&buffer);
	assert_true(is_clear(memory, sizeof memory));
}

static void what_is_no_secret_stays_as_it_is(void **state)
{
	char memory[16] = {0};
	struct buffer buffer;

	(void)state;
	buffer_init_in(&buffer, 600, memory, sizeof memory);
	buffer_append_string(&buffer, "no credential");
	buffer_deinit(&buffer);
	assert_string_equal(memory, "no credential");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_appended_beyond_the_limit),
		cmocka_unit_test(a_failed_buffer_stays_failed_until_reset),
		cmocka_unit_test(what_does_not_fit_the_callers_memory_moves),
		cmocka_unit_test(a_format_that_just_fits_the_callers_memory_moves),
		cmocka_unit_test(appends_of_each_kind_follow_each_other),
		cmocka_unit_test(a_long_run_grows_to_the_last_byte_of_the_limit),
		cmocka_unit_test(what_moves_or_hides_is_no_longer_there),
		cmocka_unit_test(what_is_secret_is_cleared_where_it_moves_from),
		cmocka_unit_test(what_is_secret_is_cleared_when_it_is_given_back),
		cmocka_unit_test(what_is_no_secret_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
