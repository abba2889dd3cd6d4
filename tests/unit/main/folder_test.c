/* The names in the data folder that are remit's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "main/folder.h"

static void each_name_that_remit_makes_is_its_own(void **state)
{
	static const char *const names[] = {"audit", "audit.vkey", "audit.vkey.new", "journal",
		"keys", "listen", "listen.new", "lock", "log", "log.1", "remit.db", "remit.db-wal",
		"remit.db-shm", "remit.db-journal", "remit.sock", "remit.yaml", "secrets",
		"servers", "version", "version.new", ".new-listen", "."};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (!folder_is_own(text_of(names[i])))
			fail_msg("%s", names[i]);
}

static void a_name_that_only_begins_like_one_is_free(void **state)
{
	static const char *const names[] = {
		"", "a", "desk", "key", "keysmith", "audits", "remitted", "logs", "xkeys", "Keys"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (folder_is_own(text_of(names[i])))
			fail_msg("%s", names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_name_that_remit_makes_is_its_own),
		cmocka_unit_test(a_name_that_only_begins_like_one_is_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
