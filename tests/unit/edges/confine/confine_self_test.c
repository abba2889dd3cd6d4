#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "edges/confine/confine_self.h"

/* Exit status of a child that entered: a bit for each thing it still has. */
static int left_after_entering(void)
{
	struct error err;
	struct rlimit core;
	int left = 0;

	if (!confine_self(&err))
		return 64;
	left |= prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 1;
	left |= prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 2;
	left |= getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0 ? 0 : 4;
	left |= umask(0) == (S_IRWXG | S_IRWXO) ? 0 : 8;
	return left;
}

static void nothing_that_is_given_up_is_left(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(left_after_entering());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_that_is_given_up_is_left)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
