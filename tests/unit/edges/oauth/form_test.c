#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "edges/oauth/form.h"

static enum error_code parse(struct form *form, struct arena *arena, struct text body)
{
	struct error err = {0};

	return form_parse(form, arena, body, &err) ? ERROR_NONE : err.code;
}

static void malformed_forms_are_refused(void **state)
{
	static const char *const bodies[] = {"a", "=b", "&", "a=1&", "&a=1", "a=1&&b=2", "a=%",
		"a=%4", "a=%4g", "a=%zz", "a=%00", "a=%0a", "a=%7f", "a=%ff", "a=%c0%af", "a=1&a=2",
		"a=1&%61=2", "a=\n", "a=\x80", "a=%ed%a0%80", "%=1"};
	struct arena *arena = arena_create(1024 * 1024);
	struct form form;

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
		assert_int_equal(parse(&form, arena, text_of(bodies[i])), ERROR_INVALID);
	assert_int_equal(parse(&form, arena, (struct text){"a=\0", 3}), ERROR_INVALID);
	arena_destroy(&arena);
}

static void names_and_values_are_decoded_once(void **state)
{
	struct arena *arena = arena_create(1024 * 1024);
	struct form form;

	(void)state;
	assert_int_equal(
		parse(&form, arena, TEXT("a=1+2&b=%2525&c%3Dd=x=y&e=&f=%C3%A9")), ERROR_NONE);
	assert_int_equal(form.count, 5);
	assert_true(text_is(form_find(&form, "a"), "1 2"));
	assert_true(text_is(form_find(&form, "b"), "%25"));
	assert_true(text_is(form_find(&form, "c=d"), "x=y"));
	assert_true(text_is(form_find(&form, "f"), "\xc3\xa9"));
	assert_int_equal(form_find(&form, "e").length, 0);
	assert_int_equal(form_find(&form, "A").length, 0);
	assert_int_equal(parse(&form, arena, TEXT("")), ERROR_NONE);
	assert_int_equal(form.count, 0);
	arena_destroy(&arena);
}

static void the_bounds_hold(void **state)
{
	static char body[FORM_BYTES_MAX + 1];
	struct arena *arena = arena_create(1024 * 1024);
	struct form form;
	size_t length = 0;

	(void)state;
	for (int i = 0; i < FORM_PARAMETERS_MAX; i++) {
		body[length++] = (char)('a' + i / 10);
		body[length++] = (char)('0' + i % 10);
		body[length++] = '=';
		body[length++] = '&';
	}
	assert_int_equal(parse(&form, arena, (struct text){body, length - 1}), ERROR_NONE);
	assert_int_equal(form.count, FORM_PARAMETERS_MAX);
	memcpy(body + length, "z=", 2);
	assert_int_equal(parse(&form, arena, (struct text){body, length + 2}), ERROR_LIMIT);
	memset(body, 'x', sizeof body);
	body[1] = '=';
	assert_int_equal(parse(&form, arena, (struct text){body, FORM_BYTES_MAX}), ERROR_NONE);
	assert_int_equal(parse(&form, arena, (struct text){body, FORM_BYTES_MAX + 1}), ERROR_LIMIT);
	arena_destroy(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_forms_are_refused),
		cmocka_unit_test(names_and_values_are_decoded_once),
		cmocka_unit_test(the_bounds_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
