/* The sign of a long wait, on a terminal of the test's own. */
#include "edges/cli/waiting.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SHOWN_BYTES = 4096, PATIENCE_MS = 10000 };

struct terminal {
	int master;
	int slave;
	int kept;
	char shown[SHOWN_BYTES];
	size_t length;
};

static int setup(void **state)
{
	struct terminal *terminal = calloc(1, sizeof *terminal);
	char name[64];

	assert_non_null(terminal);
	terminal->master = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(terminal->master >= 0);
	assert_int_equal(grantpt(terminal->master), 0);
	assert_int_equal(unlockpt(terminal->master), 0);
	assert_int_equal(ptsname_r(terminal->master, name, sizeof name), 0);
	terminal->slave = open(name, O_RDWR | O_NOCTTY);
	terminal->kept = dup(STDERR_FILENO);
	assert_true(terminal->slave >= 0 && terminal->kept >= 0);
	*state = terminal;
	return 0;
}

static int teardown(void **state)
{
	struct terminal *terminal = *state;

	close(terminal->master);
	close(terminal->slave);
	close(terminal->kept);
	free(terminal);
	return 0;
}

static void use(const struct terminal *terminal)
{
	assert_int_equal(dup2(terminal->slave, STDERR_FILENO), STDERR_FILENO);
}

static void give_back(const struct terminal *terminal)
{
	assert_int_equal(dup2(terminal->kept, STDERR_FILENO), STDERR_FILENO);
}

/* Reads what is shown until it holds text; false after a while. */
static bool reads(struct terminal *terminal, const char *text, int patience_ms)
{
	struct pollfd poller = {.fd = terminal->master, .events = POLLIN};

	while (strstr(terminal->shown, text) == NULL) {
		ssize_t got;

		if (poll(&poller, 1, patience_ms) <= 0)
			return false;
		got = read(terminal->master, terminal->shown + terminal->length,
			sizeof terminal->shown - 1 - terminal->length);
		if (got <= 0)
			return false;
		terminal->length += (size_t)got;
	}
	return true;
}

static void a_long_wait_is_shown_and_wiped(void **state)
{
	struct terminal *terminal = *state;
	struct waiting *waiting;
	bool was_shown;

	use(terminal);
	waiting = waiting_start("asking the daemon", 0);
	was_shown = waiting != NULL && reads(terminal, "asking the daemon, 0 s", PATIENCE_MS);
	waiting_stop(&waiting);
	give_back(terminal);
	assert_true(was_shown);
	assert_null(waiting);
	assert_true(reads(terminal, "\r\033[K", PATIENCE_MS));
}

static void a_short_wait_shows_nothing(void **state)
{
	struct terminal *terminal = *state;
	struct waiting *waiting;

	use(terminal);
	waiting = waiting_start("asking the daemon", PATIENCE_MS * 10);
	waiting_stop(&waiting);
	give_back(terminal);
	assert_false(reads(terminal, "a", 0));
	assert_int_equal(terminal->length, 0);
}

static void without_a_terminal_nothing_is_started(void **state)
{
	struct terminal *terminal = *state;
	struct waiting *waiting;
	int nowhere = open("/dev/null", O_WRONLY);

	assert_true(nowhere >= 0);
	assert_int_equal(dup2(nowhere, STDERR_FILENO), STDERR_FILENO);
	waiting = waiting_start("asking the daemon", 0);
	give_back(terminal);
	close(nowhere);
	assert_null(waiting);
	waiting_stop(&waiting);
}

#define WAITING_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WAITING_TEST(a_long_wait_is_shown_and_wiped),
		WAITING_TEST(a_short_wait_shows_nothing),
		WAITING_TEST(without_a_terminal_nothing_is_started),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
