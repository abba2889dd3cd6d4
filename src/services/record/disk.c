/* Whole files over the disk port. */
#include "services/record/disk.h"

#include <stdio.h>
#include <string.h>

enum { PATH_BYTES_MAX = 512 };

static bool read_whole(const struct disk *disk, int file, uint64_t size, struct arena *arena,
	struct text *out, struct error *err)
{
	char *bytes = arena_array(arena, char, (size_t)size + 1);
	size_t got;

	if (bytes == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to read a file");
	if (!disk->read(
		    disk->context, (struct disk_place){file, 0}, bytes, (size_t)size, &got, err))
		return false;
	*out = (struct text){bytes, got};
	return true;
}

bool disk_read_file(const struct disk *disk, const char *path, size_t limit_bytes,
	struct arena *arena, struct text *out, struct error *err)
{
	uint64_t size;
	int file;
	bool ok;

	*out = (struct text){0};
	if (!disk->open(disk->context, path, DISK_READ, &file, err))
		return false;
	ok = disk->size(disk->context, file, &size, err);
	if (ok && size > limit_bytes)
		ok = error_set(err, ERROR_LIMIT, "%s: longer than %zu bytes", path, limit_bytes);
	ok = ok && read_whole(disk, file, size, arena, out, err);
	disk->close(disk->context, file);
	return ok;
}

bool disk_replace_file(const struct disk *disk, const char *folder, const char *path,
	struct text content, struct error *err)
{
	char fresh[PATH_BYTES_MAX];
	int file;
	bool ok;

	if (snprintf(fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh)
		return error_set(err, ERROR_LIMIT, "%s: path too long", path);
	if (!disk->open(disk->context, fresh, DISK_REPLACE, &file, err))
		return false;
	ok = disk->write(disk->context, (struct disk_place){file, 0}, content.data, content.length,
		     err) &&
	     disk->sync(disk->context, file, err);
	disk->close(disk->context, file);
	return ok && disk->rename(disk->context, fresh, path, err) &&
	       disk->sync_dir(disk->context, folder, err);
}
