#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "edges/confine/confine.h"
#include "edges/confine/confine_keeper.h"

enum { ALLOWED = 0, NOT_ENTERED = 200 };

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	memcpy(folder, "/tmp/keeper-test-XXXXXX", 24);
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
	char path[96];

	(void)state;
	(void)snprintf(path, sizeof path, "%s/key", folder);
	(void)unlink(path);
	return rmdir(folder);
}

/* What came of an attempt behind the walls: ALLOWED, an errno, or minus a signal. */
static int try(int (*attempt)(void))
{
	pid_t child;
	int status;

	(void)fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct error err;

		if (!confine_keeper_files(folder, &err) || !confine_keeper_calls(&err))
			_exit(NOT_ENTERED);
		_exit(attempt() >= 0 ? ALLOWED : errno);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int open_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int open_local_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int open_pair(void)
{
	int pair[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static int connect_somewhere(void)
{
	const struct sockaddr to = {.sa_family = AF_INET};

	return connect(0, &to, sizeof to);
}

static int run_program(void)
{
	return execl("/bin/true", "true", (char *)NULL);
}

static int make_child(void)
{
	return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static int trace_parent(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static void network_programs_and_other_processes_end_it(void **state)
{
	int (*const attempts[])(void) = {open_socket, open_local_socket, open_pair,
		connect_somewhere, run_program, make_child, trace_parent};

	(void)state;
	for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
		assert_int_equal(try(attempts[i]), -SIGSYS);
}

static int signal_parent(void)
{
	return kill(getppid(), 0);
}

static int raise_limit(void)
{
	const struct rlimit more = {64, 64};

	return setrlimit(RLIMIT_NOFILE, &more);
}

static int change_folder(void)
{
	return chdir("/");
}

static int make_link(void)
{
	return symlink("/etc/passwd", "key");
}

static void what_is_in_no_list_is_refused(void **state)
{
	int (*const attempts[])(void) = {signal_parent, raise_limit, change_folder, make_link};

	(void)state;
	for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
		assert_int_equal(try(attempts[i]), EPERM);
}

static int read_elsewhere(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static int write_elsewhere(void)
{
	return open("/tmp/keeper-test-elsewhere", O_WRONLY | O_CREAT, 0600);
}

static void no_file_outside_the_folder_can_be_opened(void **state)
{
	struct confine_features features;

	(void)state;
	confine_probe(&features);
	if (features.landlock_version == 0)
		skip(); /* this kernel has no Landlock */
	assert_int_equal(try(read_elsewhere), EACCES);
	assert_int_equal(try(write_elsewhere), EACCES);
}

static int keep_a_file(void)
{
	char fresh[96], path[96];
	int fd;

	(void)snprintf(fresh, sizeof fresh, "%s/.new", folder);
	(void)snprintf(path, sizeof path, "%s/key", folder);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, "k", 1) != 1 || fsync(fd) != 0)
		return -1;
	(void)close(fd);
	return rename(fresh, path);
}

static int make_folder_below(void)
{
	char path[96];

	(void)snprintf(path, sizeof path, "%s/below", folder);
	return mkdir(path, 0700);
}

static void in_the_folder_files_are_kept_and_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(try(keep_a_file), ALLOWED);
	assert_int_equal(try(make_folder_below), EPERM);
}

int main(void)
{
#define KEEPER_TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		KEEPER_TEST(network_programs_and_other_processes_end_it),
		KEEPER_TEST(what_is_in_no_list_is_refused),
		KEEPER_TEST(no_file_outside_the_folder_can_be_opened),
		KEEPER_TEST(in_the_folder_files_are_kept_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
