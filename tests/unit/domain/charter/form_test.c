#include "domain/charter/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/documents.h"

static struct text filled(char *bytes, size_t length)
{
	memset(bytes, 'a', length);
	return (struct text){bytes, length};
}

static void a_name_holds_only_its_letters(void **state)
{
	static const char *const bad[] = {"", "-a", ".a", "_a", "A", "a b", "a/b", "a\x01",
		"\xc3\xa4", "a:b", "a@b", " a", "a\n"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(name_is_plain(text_of(bad[i])));
	assert_false(name_is_plain((struct text){"a\0b", 3}));
	assert_true(name_is_plain(TEXT("a")));
	assert_true(name_is_plain(TEXT("0-a.b_c")));
}

static void names_are_bounded(void **state)
{
	char bytes[400];

	(void)state;
	assert_true(name_is_plain(filled(bytes, 63)));
	assert_true(name_is_plain(filled(bytes, 64)));
	assert_false(name_is_plain(filled(bytes, 65)));
	assert_true(name_is_person(filled(bytes, 253)));
	assert_true(name_is_person(filled(bytes, 254)));
	assert_false(name_is_person(filled(bytes, 255)));
}

static void a_tool_is_a_server_and_a_tool(void **state)
{
	char bytes[200];

	(void)state;
	assert_false(name_is_tool(TEXT("files")));
	assert_false(name_is_tool(TEXT("files/")));
	assert_false(name_is_tool(TEXT("/read")));
	assert_false(name_is_tool(TEXT("files/a/b")));
	assert_false(name_is_tool(TEXT("files/a b")));
	assert_true(name_is_tool(TEXT("files/Read_text.File-2")));
	filled(bytes, sizeof bytes);
	bytes[1] = '/';
	assert_true(name_is_tool((struct text){bytes, 2 + 128}));
	assert_false(name_is_tool((struct text){bytes, 2 + 129}));
	assert_false(name_is_policy(TEXT("org")));
	assert_false(name_is_policy(TEXT("org/A")));
	assert_true(name_is_policy(TEXT("org/no-prod")));
}

static void only_real_days_are_times(void **state)
{
	static const char *const bad[] = {"", "2027", "2027-6-30", "2027-06-31", "2027-02-29",
		"1969-12-31", "2027-13-01", "2027-00-01", "2027-06-00", "2027-06-30 ",
		"2027-06-30T12:00", "2027-06-30T24:00:00Z", "2027-06-30T12:60:00Z",
		"2027-06-30T12:00:00", "2027-06-30T12:00:00+00:00", "02027-06-30", "2100-02-29"};
	int64_t utc_s;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (time_of_text(text_of(bad[i]), &utc_s))
			fail_msg("%s was taken", bad[i]);
	assert_true(time_of_text(TEXT("1970-01-01"), &utc_s));
	assert_int_equal(utc_s, 0);
	assert_true(time_of_text(TEXT("2027-06-30"), &utc_s));
	assert_int_equal(utc_s, 1814313600);
	assert_true(time_of_text(TEXT("2000-02-29"), &utc_s));
	assert_int_equal(utc_s, 951782400);
	assert_true(time_of_text(TEXT("2027-06-30T23:59:59Z"), &utc_s));
	assert_int_equal(utc_s, 1814313600 + 86399);
	assert_true(time_of_text(TEXT("9999-12-31"), &utc_s));
	assert_int_equal(utc_s, 253402214400);
}

static void a_private_key_is_named_as_one(void **state)
{
	struct arena *arena = arena_create(1 << 20);
	static const char point[] = "'x':'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',"
				    "'y':'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'";
	char written[400];
	struct json key;

	(void)state;
	(void)snprintf(written, sizeof written, "{'kty':'EC','crv':'P-256',%s}", point);
	key = document_of(arena, written);
	assert_null(key_fault(&key));
	(void)snprintf(written, sizeof written, "{'kty':'EC','crv':'P-256',%s,'d':'AA'}", point);
	key = document_of(arena, written);
	assert_non_null(strstr(key_fault(&key), "private"));
	(void)snprintf(written, sizeof written, "{'kty':'EC','crv':'P-384',%s}", point);
	key = document_of(arena, written);
	assert_non_null(key_fault(&key));
	key = document_of(arena, "{'kty':'EC','crv':'P-256','x':'AA','y':'AA'}");
	assert_non_null(key_fault(&key));
	key = document_of(arena, "{'kty':'oct','k':'AA'}");
	assert_non_null(strstr(key_fault(&key), "private"));
	key = document_of(arena, "[]");
	assert_non_null(key_fault(&key));
	arena_destroy(&arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_holds_only_its_letters),
		cmocka_unit_test(names_are_bounded),
		cmocka_unit_test(a_tool_is_a_server_and_a_tool),
		cmocka_unit_test(only_real_days_are_times),
		cmocka_unit_test(a_private_key_is_named_as_one),
	};

	return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
