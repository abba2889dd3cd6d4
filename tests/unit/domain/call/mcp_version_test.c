#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "domain/call/mcp_version.h"

static void no_other_version_is_spoken(void **state)
{
	static const char *const others[] = {
		"", "2024-11-05", "2025-11-2", "2025-11-250", "2025-11-26", "latest"};

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_false(mcp_version_is_spoken(text_of(others[i])));
}

static void the_newest_and_those_before_it_are_spoken(void **state)
{
	(void)state;
	assert_true(mcp_version_is_spoken(TEXT(MCP_VERSION_NEWEST)));
	assert_true(mcp_version_is_spoken(TEXT("2025-06-18")));
	assert_true(mcp_version_is_spoken(TEXT("2025-03-26")));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_other_version_is_spoken),
		cmocka_unit_test(the_newest_and_those_before_it_are_spoken),
	};

	return cmocka_run_group_tests_name("mcp_version", tests, NULL, NULL);
}
