#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char fresh_prefix[] = ".new-";

bool file_read_all(int fd, void *out, size_t capacity, size_t *out_size)
{
	*out_size = 0;
	while (*out_size < capacity) {
		ssize_t got = read(fd, (char *)out + *out_size, capacity - *out_size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0;
		*out_size += (size_t)got;
	}
	return true;
}

bool file_write_all(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size > 0) {
		ssize_t put = write(fd, at, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		at += put;
		size -= (size_t)put;
	}
	return true;
}

static bool io_error(struct error *err, const char *what, const char *path)
{
	int os_errno = errno;

	error_set(err, ERROR_IO, "cannot %s %s: %s", what, path, strerror(os_errno));
	err->os_errno = os_errno;
	return false;
}

/* Closes it in any case; errno is that of the first failure. */
static bool write_and_close(int fd, struct text bytes)
{
	bool ok = fchmod(fd, S_IRUSR | S_IWUSR) == 0 &&
		  file_write_all(fd, bytes.data, bytes.length) && fsync(fd) == 0;
	int os_errno = errno;

	if (close(fd) != 0 && ok)
		return false;
	errno = os_errno;
	return ok;
}

/* A new file only becomes a fact with its folder's sync. */
static bool sync_folder_of(const char *path, struct error *err)
{
	char copy[PATH_MAX];
	bool ok;
	int fd;

	if (strlen(path) >= sizeof copy)
		return error_set(err, ERROR_LIMIT, "the path %s is too long", path);
	memcpy(copy, path, strlen(path) + 1);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = (fd >= 0 && fsync(fd) == 0) || io_error(err, "sync the folder of", path);
	if (fd >= 0)
		(void)close(fd);
	return ok;
}

bool file_create(const char *path, struct text bytes, struct error *err)
{
	int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);

	if (fd < 0 && errno == EEXIST)
		return error_set(err, ERROR_CONFLICT, "%s exists already", path);
	if (fd < 0 && errno == ENOENT)
		return error_set(
			err, ERROR_NOT_FOUND, "cannot create %s: there is no such folder", path);
	if (fd < 0)
		return io_error(err, "create", path);
	if (!write_and_close(fd, bytes)) {
		io_error(err, "write", path);
		(void)unlink(path);
		return false;
	}
	return sync_folder_of(path, err);
}

bool file_put(int folder_fd, const char *name, struct text bytes, struct error *err)
{
	char fresh[sizeof fresh_prefix + FILE_NAME_BYTES_MAX];
	int fd;

	if (strlen(name) > FILE_NAME_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "the name %s is too long", name);
	(void)snprintf(fresh, sizeof fresh, "%s%s", fresh_prefix, name);
	fd = openat(folder_fd, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		S_IRUSR | S_IWUSR);
	if (fd < 0)
		return io_error(err, "write", name);
	if (write_and_close(fd, bytes) && renameat(folder_fd, fresh, folder_fd, name) == 0)
		return fsync(folder_fd) == 0 || io_error(err, "sync the folder of", name);
	io_error(err, "write", name);
	(void)unlinkat(folder_fd, fresh, 0);
	return false;
}
