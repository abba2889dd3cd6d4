/* The disk port on a Linux file system.
 *
 * Recovery reads with O_DIRECT where the file system can: after a failed flush
 * the kernel may keep pages that never reached the device and call them clean,
 * so what the page cache says is no evidence.  Elsewhere (tmpfs) the cache is
 * asked to drop its clean pages first. */
#include "edges/audit_files/audit_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILE_MODE = 0600,
	FOLDER_MODE = 0700,
	DIRECT_ALIGN_BYTES = 4096,
	DIRECT_STEP_BYTES = 1024 * 1024,
	NAMES_FIRST = 64,
	NAMES_MAX = 4 * 1024 * 1024,
};

struct audit_files {
	struct disk disk;
	int folder;
	int lock; /* -1: not taken */
};

static bool fail(struct error *err, const char *what, const char *path)
{
	int saved = errno;
	enum error_code code = saved == ENOENT ? ERROR_NOT_FOUND : ERROR_IO;

	error_set(err, code, "%s %s: %s", what, path, strerror(saved));
	err->os_errno = saved;
	return false;
}

static int folder_of(void *context)
{
	return ((struct audit_files *)context)->folder;
}

static int open_retry(int folder, const char *path, int flags)
{
	int file;

	do {
		file = openat(folder, path, flags | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	} while (file < 0 && errno == EINTR);
	return file;
}

static int open_durable(int folder, const char *path)
{
	int file = open_retry(folder, path, O_RDONLY | O_DIRECT);

	if (file >= 0 || errno != EINVAL)
		return file;
	file = open_retry(folder, path, O_RDONLY);
	if (file >= 0)
		(void)posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
	return file;
}

static bool files_open(
	void *context, const char *path, enum disk_mode mode, int *file, struct error *err)
{
	int folder = folder_of(context);

	*file = -1;
	switch (mode) {
	case DISK_READ: *file = open_retry(folder, path, O_RDONLY); break;
	case DISK_READ_DURABLE: *file = open_durable(folder, path); break;
	case DISK_WRITE: *file = open_retry(folder, path, O_RDWR | O_CREAT); break;
	case DISK_REPLACE: *file = open_retry(folder, path, O_RDWR | O_CREAT | O_TRUNC); break;
	}
	return *file >= 0 || fail(err, "open", path);
}

static void files_close(void *context, int file)
{
	(void)context;
	(void)close(file); /* what had to be durable was synced */
}

static bool files_size(void *context, int file, uint64_t *out_bytes, struct error *err)
{
	struct stat status;

	(void)context;
	if (fstat(file, &status) != 0)
		return fail(err, "size of", "a file");
	*out_bytes = (uint64_t)status.st_size;
	return true;
}

static bool read_plain(
	struct disk_place from, uint8_t *out, size_t size, size_t *got, struct error *err)
{
	*got = 0;
	while (*got < size) {
		ssize_t count =
			pread(from.file, out + *got, size - *got, (off_t)(from.offset + *got));

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return fail(err, "read", "a file");
		if (count == 0)
			break;
		*got += (size_t)count;
	}
	return true;
}

/* Through an aligned buffer, as O_DIRECT demands. */
static bool read_direct(
	struct disk_place from, uint8_t *out, size_t size, size_t *got, struct error *err)
{
	void *bounce;
	bool ok = true;

	*got = 0;
	if (posix_memalign(&bounce, DIRECT_ALIGN_BYTES, DIRECT_STEP_BYTES) != 0)
		return error_set(err, ERROR_LIMIT, "no memory to read a file");
	while (ok && *got < size) {
		uint64_t at = from.offset + *got;
		size_t skip = (size_t)(at % DIRECT_ALIGN_BYTES), count, take;

		ok = read_plain((struct disk_place){from.file, at - skip}, bounce,
			DIRECT_STEP_BYTES, &count, err);
		if (!ok || count <= skip)
			break;
		take = count - skip < size - *got ? count - skip : size - *got;
		memcpy(out + *got, (uint8_t *)bounce + skip, take);
		*got += take;
		if (count < DIRECT_STEP_BYTES)
			break;
	}
	free(bounce);
	return ok;
}

static bool files_read(void *context, struct disk_place from, void *out, size_t size, size_t *got,
	struct error *err)
{
	int flags = fcntl(from.file, F_GETFL);

	(void)context;
	if (flags >= 0 && flags & O_DIRECT)
		return read_direct(from, out, size, got, err);
	return read_plain(from, out, size, got, err);
}

static bool files_write(
	void *context, struct disk_place to, const void *bytes, size_t size, struct error *err)
{
	size_t done = 0;

	(void)context;
	while (done < size) {
		ssize_t count = pwrite(to.file, (const uint8_t *)bytes + done, size - done,
			(off_t)(to.offset + done));

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return fail(err, "write", "a file");
		done += (size_t)count;
	}
	return true;
}

static bool files_sync(void *context, int file, struct error *err)
{
	(void)context;
	/* never repeated: after a failure the kernel may forget what it lost */
	return fdatasync(file) == 0 || fail(err, "sync", "a file");
}

static bool files_truncate(void *context, int file, uint64_t size, struct error *err)
{
	(void)context;
	return ftruncate(file, (off_t)size) == 0 || fail(err, "truncate", "a file");
}

static bool files_rename(void *context, const char *from, const char *to, struct error *err)
{
	int folder = folder_of(context);

	return renameat(folder, from, folder, to) == 0 || fail(err, "rename", from);
}

static bool files_remove(void *context, const char *path, struct error *err)
{
	int folder = folder_of(context);

	if (unlinkat(folder, path, 0) == 0)
		return true;
	if (errno == EISDIR && unlinkat(folder, path, AT_REMOVEDIR) == 0)
		return true;
	return fail(err, "remove", path);
}

static bool files_sync_dir(void *context, const char *path, struct error *err)
{
	int folder = openat(folder_of(context), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok;

	if (folder < 0)
		return fail(err, "open", path);
	ok = fsync(folder) == 0 || fail(err, "sync", path);
	(void)close(folder);
	return ok;
}

static bool files_make_dir(void *context, const char *path, struct error *err)
{
	if (mkdirat(folder_of(context), path, FOLDER_MODE) == 0 || errno == EEXIST)
		return true;
	return fail(err, "make folder", path);
}

/* A list of names that grows in an arena. */
struct names {
	struct arena *arena;
	struct text *items;
	size_t count;
	size_t capacity;
};

static bool names_add(struct names *names, const char *name, struct error *err)
{
	if (names->count == names->capacity) {
		size_t capacity = names->capacity == 0 ? NAMES_FIRST : 2 * names->capacity;
		struct text *items = capacity > NAMES_MAX
					     ? NULL
					     : arena_array(names->arena, struct text, capacity);

		if (items == NULL)
			return error_set(err, ERROR_LIMIT, "too many names in a folder");
		if (names->count > 0)
			memcpy(items, names->items, names->count * sizeof *items);
		names->items = items;
		names->capacity = capacity;
	}
	names->items[names->count] = text_copy(names->arena, text_of(name));
	if (names->items[names->count].data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the names of a folder");
	names->count++;
	return true;
}

static bool list_into(DIR *stream, struct names *names, const char *path, struct error *err)
{
	for (;;) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(stream);
		if (entry == NULL)
			return errno == 0 || fail(err, "list", path);
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (!names_add(names, entry->d_name, err))
			return false;
	}
}

static bool files_list(void *context, const char *path, struct arena *arena,
	struct text **out_names, size_t *out_count, struct error *err)
{
	struct names names = {.arena = arena};
	int folder = openat(folder_of(context), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream;
	bool ok;

	if (folder < 0)
		return fail(err, "open", path);
	stream = fdopendir(folder);
	if (stream == NULL) {
		(void)close(folder);
		return fail(err, "list", path);
	}
	ok = list_into(stream, &names, path, err);
	(void)closedir(stream);
	*out_names = names.items;
	*out_count = names.count;
	return ok;
}

static bool files_lock(void *context, const char *path, struct error *err)
{
	struct audit_files *files = context;
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int file;

	if (files->lock >= 0)
		return true; /* ours already */
	file = open_retry(files->folder, path, O_RDWR | O_CREAT);
	if (file < 0)
		return fail(err, "open", path);
	if (fcntl(file, F_OFD_SETLK, &whole) != 0) {
		(void)close(file);
		if (errno == EAGAIN || errno == EACCES)
			return error_set(err, ERROR_CONFLICT, "another process has the log open");
		return fail(err, "lock", path);
	}
	files->lock = file;
	return true;
}

static const struct disk port = {
	.open = files_open,
	.close = files_close,
	.size = files_size,
	.read = files_read,
	.write = files_write,
	.sync = files_sync,
	.truncate = files_truncate,
	.rename = files_rename,
	.remove = files_remove,
	.sync_dir = files_sync_dir,
	.make_dir = files_make_dir,
	.list = files_list,
	.lock = files_lock,
};

bool audit_files_open(struct audit_files **out, const char *folder, struct error *err)
{
	struct audit_files *files = calloc(1, sizeof *files);

	*out = NULL;
	if (files == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the data folder");
	files->disk = port;
	files->disk.context = files;
	files->lock = -1;
	files->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (files->folder < 0) {
		fail(err, "open", folder);
		free(files);
		return false;
	}
	*out = files;
	return true;
}

const struct disk *audit_files_disk(const struct audit_files *files)
{
	return &files->disk;
}

void audit_files_close(struct audit_files **files)
{
	struct audit_files *closing = *files;

	*files = NULL;
	if (closing == NULL)
		return;
	if (closing->lock >= 0)
		(void)close(closing->lock);
	(void)close(closing->folder);
	free(closing);
}
