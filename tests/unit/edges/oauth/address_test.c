/* Where a browser is sent back to. */
#include "edges/oauth/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_address(const char *address, const char *state, const char *due)
{
	const struct oauth_parameter parameters[] = {
		{"error", TEXT("")}, {"state", text_of(state)}, {"iss", TEXT("http://i:1")}};
	struct buffer out;

	buffer_init(&out, 4096);
	oauth_append_address(&out, text_of(address), parameters, 3);
	assert_false(buffer_failed(&out));
	assert_true(text_is(buffer_text(&out), due));
	buffer_deinit(&out);
}

static void a_value_ends_no_header_and_begins_no_parameter(void **state)
{
	(void)state;
	assert_address("https://a/b", "x\r\nSet-Cookie: y",
		"https://a/b?state=x%0D%0ASet-Cookie%3A%20y&iss=http%3A%2F%2Fi%3A1");
	assert_address("https://a/b", "x&code=y#z",
		"https://a/b?state=x%26code%3Dy%23z&iss=http%3A%2F%2Fi%3A1");
	assert_address(
		"https://a/b", "\xc3\xa4", "https://a/b?state=%C3%A4&iss=http%3A%2F%2Fi%3A1");
}

static void a_query_that_is_registered_stays(void **state)
{
	(void)state;
	assert_address("https://a/b?c=d", "x", "https://a/b?c=d&state=x&iss=http%3A%2F%2Fi%3A1");
}

static void what_is_empty_is_left_out(void **state)
{
	(void)state;
	assert_address("https://a/b", "", "https://a/b?iss=http%3A%2F%2Fi%3A1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_ends_no_header_and_begins_no_parameter),
		cmocka_unit_test(a_query_that_is_registered_stays),
		cmocka_unit_test(what_is_empty_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
