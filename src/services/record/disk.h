#ifndef SERVICES_RECORD_DISK_H
#define SERVICES_RECORD_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"

/* The only way the log touches files: a port with a real filling
 * (edges/audit_files) and a simulated one that loses, reorders and tears what
 * was not synced (tests/support/simulated_disk.h).  Paths are relative to the
 * data folder, with "/" between parts and no "..".  Any thread may call. */

enum disk_mode {
	DISK_READ = 0,
	DISK_READ_DURABLE, /* past the page cache where the system can: recovery */
	DISK_WRITE,        /* read and write; created empty if absent, mode 0600 */
	DISK_REPLACE,      /* as DISK_WRITE, and emptied */
};

/* Bytes of an open file from an offset on. */
struct disk_place {
	int file;
	uint64_t offset;
};

struct disk {
	void *context;
	/* Errors: NOT_FOUND, IO. */
	bool (*open)(
		void *context, const char *path, enum disk_mode mode, int *file, struct error *err);
	void (*close)(void *context, int file);
	bool (*size)(void *context, int file, uint64_t *out_bytes, struct error *err);
	/* *got is less than size only at the end of the file. */
	bool (*read)(void *context, struct disk_place from, void *out, size_t size, size_t *got,
		struct error *err);
	/* All of size bytes, or an error and then any part of them. */
	bool (*write)(void *context, struct disk_place to, const void *bytes, size_t size,
		struct error *err);
	/* Returns once content and size are durable; the file may be open for reading
	 * only.  A failure is final for this
	 * file: what was written since the last sync may be lost. */
	bool (*sync)(void *context, int file, struct error *err);
	bool (*truncate)(void *context, int file, uint64_t size, struct error *err);
	/* Atomic, replaces the target; durable after sync_dir of both folders. */
	bool (*rename)(void *context, const char *from, const char *to, struct error *err);
	/* Of a file, or of an empty folder.  Errors: NOT_FOUND, IO. */
	bool (*remove)(void *context, const char *path, struct error *err);
	/* Makes created, renamed and removed names in the folder durable. */
	bool (*sync_dir)(void *context, const char *path, struct error *err);
	/* Mode 0700; no error if it exists. */
	bool (*make_dir)(void *context, const char *path, struct error *err);
	/* Names in the folder, unsorted, "." and ".." left out.  Errors: NOT_FOUND,
	 * LIMIT, IO. */
	bool (*list)(void *context, const char *path, struct arena *arena, struct text **out_names,
		size_t *out_count, struct error *err);
	/* Claims the data folder for this process until it ends.  Errors: CONFLICT
	 * (another process holds it), IO. */
	bool (*lock)(void *context, const char *path, struct error *err);
};

/* Fills out with the file's size bytes at most; the whole file, or LIMIT. */
bool disk_read_file(const struct disk *disk, const char *path, size_t limit_bytes,
	struct arena *arena, struct text *out, struct error *err) MUST_CHECK;

/* Replaces the file so that after a crash either the old or the new content is
 * there, whole; durable on return.  folder is where path lies. */
bool disk_replace_file(const struct disk *disk, const char *folder, const char *path,
	struct text content, struct error *err) MUST_CHECK;

#endif
