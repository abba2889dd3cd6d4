/* Errors: what is set, what is wrapped, what is cut. */
#include "base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void setting_an_error_returns_false_and_keeps_errno_for_io_only(void **state)
{
	struct error err = {0};

	(void)state;
	errno = ENOSPC;
	assert_false(error_set(&err, ERROR_IO, "write %s", "x"));
	assert_int_equal(err.code, ERROR_IO);
	assert_int_equal(err.os_errno, ENOSPC);
	assert_string_equal(err.text, "write x");
	assert_false(error_set(&err, ERROR_INVALID, "line %d", 7));
	assert_int_equal(err.os_errno, 0);
	assert_string_equal(err.text, "line 7");
}

static void wrapping_keeps_the_code_and_puts_the_context_before(void **state)
{
	struct error err = {0};

	(void)state;
	(void)error_set(&err, ERROR_NOT_FOUND, "no tool x");
	assert_false(error_wrap(&err, "charter %s", "a"));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_string_equal(err.text, "charter a: no tool x");
}

static void a_place_stands_before_the_text_until_another_error_is_set(void **state)
{
	struct error err = {0};

	(void)state;
	assert_false(error_set_at(&err, ERROR_INVALID, 2, 23, "no %s", "end"));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_string_equal(err.text, "line 2, column 23: no end");
	(void)error_wrap(&err, "rule");
	assert_string_equal(err.text, "rule: line 2, column 23: no end");
	assert_int_equal(err.line, 2);
	assert_int_equal(err.column, 23);
	(void)error_set_at(&err, ERROR_LIMIT, 1, 4, "%s", err.text);
	assert_string_equal(err.text, "line 1, column 4: rule: line 2, column 23: no end");
	(void)error_set(&err, ERROR_INVALID, "no end");
	assert_int_equal(err.line, 0);
	assert_int_equal(err.column, 0);
	(void)error_set_at(&err, ERROR_INVALID, 1, 1, "no end");
	error_clear(&err);
	assert_int_equal(err.line, 0);
	assert_int_equal(err.column, 0);
}

static void a_text_that_is_too_long_is_cut_and_says_so(void **state)
{
	struct error err = {0};
	char many[ERROR_TEXT_BYTES * 2];

	(void)state;
	memset(many, 'a', sizeof many - 1);
	many[sizeof many - 1] = '\0';
	(void)error_set(&err, ERROR_INVALID, "%s", many);
	assert_int_equal(strlen(err.text), ERROR_TEXT_BYTES - 1);
	(void)error_wrap(&err, "outer");
	assert_int_equal(strlen(err.text), ERROR_TEXT_BYTES - 1);
	assert_memory_equal(err.text, "outer: aaa", 10);
	assert_string_equal(err.text + ERROR_TEXT_BYTES - 4, "...");
	(void)error_wrap(&err, "%s", many);
	assert_int_equal(strlen(err.text), ERROR_TEXT_BYTES - 1);
}

static void a_text_that_is_cut_is_text(void **state)
{
	struct error err = {0};
	char many[ERROR_TEXT_BYTES * 2];

	(void)state;
	for (size_t i = 0; i < sizeof many - 2; i += 2)
		memcpy(many + i, "\u00e4", 2);
	many[sizeof many - 2] = '\0';
	for (int shift = 0; shift < 2; shift++) {
		(void)error_set(&err, ERROR_INVALID, "%.*s%s", shift, "x", many);
		assert_true(text_is_utf8(text_of(err.text)));
		assert_true(strlen(err.text) >= ERROR_TEXT_BYTES - 2);
		(void)error_wrap(&err, "outer");
		assert_true(text_is_utf8(text_of(err.text)));
		assert_true(text_ends_with(text_of(err.text), "..."));
		(void)error_wrap(&err, "outer%.*s", shift, "x");
		assert_true(text_is_utf8(text_of(err.text)));
	}
}

static void every_code_has_a_name_of_its_own(void **state)
{
	int a;
	int b;

	(void)state;
	for (a = ERROR_NONE; a <= ERROR_INTERNAL; a++) {
		assert_string_not_equal(error_code_name((enum error_code)a), "unknown");
		for (b = ERROR_NONE; b < a; b++)
			assert_string_not_equal(error_code_name((enum error_code)a),
				error_code_name((enum error_code)b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setting_an_error_returns_false_and_keeps_errno_for_io_only),
		cmocka_unit_test(wrapping_keeps_the_code_and_puts_the_context_before),
		cmocka_unit_test(a_place_stands_before_the_text_until_another_error_is_set),
		cmocka_unit_test(a_text_that_is_cut_is_text),
		cmocka_unit_test(a_text_that_is_too_long_is_cut_and_says_so),
		cmocka_unit_test(every_code_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
