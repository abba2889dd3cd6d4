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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

enum { PATH_BYTES = 128, PIECES = 2000, LARGE_BYTES = 1 << 20 };

struct fixture {
	char folder[PATH_BYTES];
	int folder_fd;
};

static int begin(void **state)
{
	static struct fixture fixture;

	snprintf(fixture.folder, sizeof fixture.folder, "/tmp/remit-file-XXXXXX");
	assert_non_null(mkdtemp(fixture.folder));
	fixture.folder_fd = open(fixture.folder, O_RDONLY | O_DIRECTORY);
	assert_true(fixture.folder_fd >= 0);
	*state = &fixture;
	return 0;
}

static int end(void **state)
{
	struct fixture *fixture = *state;
	char longest[FILE_NAME_BYTES_MAX + 1];

	memset(longest, 'n', FILE_NAME_BYTES_MAX);
	longest[FILE_NAME_BYTES_MAX] = '\0';
	(void)unlinkat(fixture->folder_fd, "file", 0);
	(void)unlinkat(fixture->folder_fd, "link", 0);
	(void)unlinkat(fixture->folder_fd, longest, 0);
	close(fixture->folder_fd);
	/* Fails where a test has left something else. */
	return rmdir(fixture->folder);
}

static const char *path_of(const struct fixture *fixture, const char *name)
{
	static char path[2 * PATH_BYTES];

	snprintf(path, sizeof path, "%s/%s", fixture->folder, name);
	return path;
}

static void holds(const struct fixture *fixture, const char *name, const char *expected)
{
	char content[64];
	size_t size = 0;
	struct stat about;
	int fd = openat(fixture->folder_fd, name, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &about), 0);
	assert_int_equal(about.st_mode & 07777, 0600);
	assert_true(file_read_all(fd, content, sizeof content, &size));
	close(fd);
	assert_int_equal(size, strlen(expected));
	assert_memory_equal(content, expected, size);
}

static bool is_absent(const struct fixture *fixture, const char *name)
{
	struct stat about;

	return fstatat(fixture->folder_fd, name, &about, AT_SYMLINK_NOFOLLOW) != 0 &&
	       errno == ENOENT;
}

/* ---- descriptors ---- */

static void on_signal(int number)
{
	(void)number;
}

/* Signals end system calls early from now on. */
static void be_interruptible(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
}

static void gone_well(pid_t child)
{
	int status;
	pid_t gone;

	do
		gone = waitpid(child, &status, 0);
	while (gone < 0 && errno == EINTR); /* its last signal */
	assert_int_equal(gone, child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* A byte at a time comes in, each with a signal. */
static void a_read_goes_on_over_signals_and_pieces(void **state)
{
	static char content[PIECES + 1];
	size_t size = 0;
	int ends[2];
	pid_t child;

	(void)state;
	be_interruptible();
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		for (int i = 0; i < PIECES; i++)
			if (kill(getppid(), SIGUSR1) != 0 || write(ends[1], "x", 1) != 1)
				_exit(1);
		_exit(0);
	}
	close(ends[1]);
	assert_true(file_read_all(ends[0], content, sizeof content, &size));
	close(ends[0]);
	gone_well(child);
	assert_int_equal(size, PIECES);
}

/* The pipe is full most of the time, so the signals cut writes short. */
static void a_write_goes_on_over_signals_and_pieces(void **state)
{
	static char content[LARGE_BYTES];
	int ends[2];
	pid_t child;

	(void)state;
	be_interruptible();
	for (size_t i = 0; i < sizeof content; i++)
		content[i] = (char)(i * 31 >> 3);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		char got[777];
		size_t at = 0;
		ssize_t size;

		close(ends[1]);
		while ((size = read(ends[0], got, sizeof got)) > 0) {
			if (at + (size_t)size > sizeof content ||
				memcmp(got, content + at, (size_t)size) != 0)
				_exit(1);
			at += (size_t)size;
			(void)kill(getppid(), SIGUSR1);
		}
		_exit(at == sizeof content ? 0 : 2);
	}
	close(ends[0]);
	assert_true(file_write_all(ends[1], content, sizeof content));
	close(ends[1]);
	gone_well(child);
}

static void a_full_buffer_ends_a_read_and_a_bad_descriptor_fails_it(void **state)
{
	char content[8] = "";
	size_t size = 9;
	int zeros = open("/dev/zero", O_RDONLY);

	(void)state;
	assert_true(file_read_all(zeros, content, sizeof content, &size));
	assert_int_equal(size, sizeof content);
	close(zeros);
	errno = 0;
	assert_false(file_read_all(-1, content, sizeof content, &size));
	assert_int_equal(errno, EBADF);
	assert_int_equal(size, 0);
}

static void a_device_without_room_fails_a_write(void **state)
{
	int full = open("/dev/full", O_WRONLY);

	(void)state;
	errno = 0;
	assert_false(file_write_all(full, "x", 1));
	assert_int_equal(errno, ENOSPC);
	assert_true(file_write_all(full, "", 0));
	close(full);
}

/* ---- files ---- */

static void what_exists_is_not_created_again(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};
	mode_t before = umask(0277); /* would make it unreadable, were it obeyed */

	assert_true(file_create(path_of(fixture, "file"), TEXT("first"), &err));
	umask(before);
	holds(fixture, "file", "first");
	assert_false(file_create(path_of(fixture, "file"), TEXT("second"), &err));
	assert_int_equal(err.code, ERROR_CONFLICT);
	assert_non_null(strstr(err.text, fixture->folder));
	holds(fixture, "file", "first");
}

static void a_link_is_not_created_through(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	assert_int_equal(symlinkat("file", fixture->folder_fd, "link"), 0);
	assert_false(file_create(path_of(fixture, "link"), TEXT("x"), &err));
	assert_int_equal(err.code, ERROR_CONFLICT);
	assert_true(is_absent(fixture, "file"));
}

static void a_file_in_no_folder_is_not_found(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	assert_false(file_create(path_of(fixture, "none/file"), TEXT("x"), &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_non_null(strstr(err.text, "none/file"));
}

static void a_file_is_put_new_and_instead_of_the_old_one(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	assert_true(file_put(fixture->folder_fd, "file", TEXT("a long first content"), &err));
	holds(fixture, "file", "a long first content");
	assert_true(file_put(fixture->folder_fd, "file", TEXT("second"), &err));
	holds(fixture, "file", "second");
	assert_true(is_absent(fixture, ".new-file"));
}

static void what_cannot_be_put_leaves_the_old_one_and_nothing_beside_it(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	assert_int_equal(mkdirat(fixture->folder_fd, "file", 0700), 0);
	assert_false(file_put(fixture->folder_fd, "file", TEXT("x"), &err));
	assert_int_equal(err.code, ERROR_IO);
	assert_int_equal(err.os_errno, EISDIR);
	assert_true(is_absent(fixture, ".new-file"));
	assert_int_equal(unlinkat(fixture->folder_fd, "file", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("file", fixture->folder_fd, ".new-file"), 0);
	assert_false(file_put(fixture->folder_fd, "file", TEXT("x"), &err));
	assert_int_equal(err.os_errno, ELOOP);
	assert_true(is_absent(fixture, "file"));
	assert_int_equal(unlinkat(fixture->folder_fd, ".new-file", 0), 0);
}

static void a_name_is_bounded(void **state)
{
	struct fixture *fixture = *state;
	char name[FILE_NAME_BYTES_MAX + 2] = "";
	struct error err = {0};

	memset(name, 'n', FILE_NAME_BYTES_MAX);
	assert_true(file_put(fixture->folder_fd, name, TEXT("x"), &err));
	holds(fixture, name, "x");
	name[FILE_NAME_BYTES_MAX] = 'n';
	assert_false(file_put(fixture->folder_fd, name, TEXT("x"), &err));
	assert_int_equal(err.code, ERROR_LIMIT);
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(what_exists_is_not_created_again),
		FILE_TEST(a_link_is_not_created_through),
		FILE_TEST(a_file_in_no_folder_is_not_found),
		FILE_TEST(what_cannot_be_put_leaves_the_old_one_and_nothing_beside_it),
		FILE_TEST(a_file_is_put_new_and_instead_of_the_old_one),
		FILE_TEST(a_name_is_bounded),
		cmocka_unit_test(a_read_goes_on_over_signals_and_pieces),
		cmocka_unit_test(a_write_goes_on_over_signals_and_pieces),
		cmocka_unit_test(a_full_buffer_ends_a_read_and_a_bad_descriptor_fails_it),
		cmocka_unit_test(a_device_without_room_fails_a_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
