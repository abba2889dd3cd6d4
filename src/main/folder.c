#include "main/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

enum { VERSION_TEXT_BYTES = 24 };

/* docs/man/remitd.8 says what each is. */
static const char *const own_words[] = {"audit", "journal", "keys", "listen", "lock", "log",
	"remit", "secrets", "servers", "version"};

bool folder_is_own(struct text name)
{
	size_t i;

	if (text_starts_with(name, "."))
		return true;
	for (i = 0; i < sizeof own_words / sizeof own_words[0]; i++) {
		size_t length = strlen(own_words[i]);

		if (!text_starts_with(name, own_words[i]))
			continue;
		if (name.length == length || name.data[length] == '.' || name.data[length] == '-')
			return true;
	}
	return false;
}

static bool io_failure(struct error *err, const char *path, const char *what)
{
	return error_set(err, ERROR_IO, "%s: cannot %s: %s", path, what, strerror(errno));
}

static bool check_mode(const char *path, struct error *err)
{
	struct stat status;

	if (lstat(path, &status) != 0)
		return io_failure(err, path, "be looked at");
	if (!S_ISDIR(status.st_mode))
		return error_set(err, ERROR_INVALID, "%s: is not a folder", path);
	if (status.st_uid != geteuid())
		return error_set(err, ERROR_INVALID, "%s: belongs to user %u; remitd runs as %u",
			path, (unsigned)status.st_uid, (unsigned)geteuid());
	if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return error_set(err, ERROR_INVALID,
			"%s: others may open it (mode %03o): run chmod 700 on it", path,
			(unsigned)(status.st_mode & 0777));
	return true;
}

static bool take_lock(struct folder *folder, struct error *err)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/lock", folder->path) >= (int)sizeof path)
		return error_set(err, ERROR_LIMIT, "%s: the path is too long", folder->path);
	folder->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	if (folder->lock_fd < 0)
		return io_failure(err, path, "be opened");
	if (flock(folder->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno == EWOULDBLOCK)
		return error_set(
			err, ERROR_CONFLICT, "%s: another remitd holds this folder", folder->path);
	return io_failure(err, path, "be locked");
}

/* The version written in the folder; 0 where there is none yet. */
static bool read_version(const struct folder *folder, int64_t *version, struct error *err)
{
	char path[PATH_MAX];
	char content[VERSION_TEXT_BYTES];
	size_t got;
	bool ok;
	int fd;

	*version = 0;
	(void)snprintf(path, sizeof path, "%s/version", folder->path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? true : io_failure(err, path, "be opened");
	ok = file_read_all(fd, content, sizeof content, &got) || io_failure(err, path, "be read");
	close(fd);
	if (!ok)
		return false;
	if (got < 2 || content[got - 1] != '\n' ||
		!text_to_int64((struct text){content, got - 1}, version) || *version < 1)
		return error_set(err, ERROR_CORRUPT, "%s: does not hold a version number", path);
	return true;
}

static bool check_version(const struct folder *folder, struct error *err)
{
	char text[VERSION_TEXT_BYTES];
	int64_t version;

	if (!read_version(folder, &version, err))
		return false;
	if (version > FOLDER_VERSION)
		return error_set(err, ERROR_CONFLICT,
			"%s: was written by a newer remitd (folder version %lld, this one knows "
			"%d)",
			folder->path, (long long)version, FOLDER_VERSION);
	if (version == FOLDER_VERSION)
		return true;
	(void)snprintf(text, sizeof text, "%d\n", FOLDER_VERSION);
	return folder_write(folder, "version", text, err);
}

bool folder_open(struct folder *out, const char *path, struct error *err)
{
	*out = (struct folder){.path = path, .lock_fd = -1};
	if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST)
		return io_failure(err, path, "be created");
	if (check_mode(path, err) && take_lock(out, err) && check_version(out, err))
		return true;
	folder_close(out);
	return false;
}

void folder_close(struct folder *folder)
{
	if (folder->lock_fd >= 0)
		close(folder->lock_fd);
	folder->lock_fd = -1;
}

const char *folder_path(const struct folder *folder, struct arena *arena, const char *name)
{
	return text_format(arena, "%s/%s", folder->path, name).data;
}

bool folder_write(
	const struct folder *folder, const char *name, const char *text, struct error *err)
{
	int fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return io_failure(err, folder->path, "be opened");
	ok = file_put(fd, name, text_of(text), err) || error_wrap(err, "%s", folder->path);
	close(fd);
	return ok;
}
