#ifndef SERVICES_RECORD_BACKUP_H
#define SERVICES_RECORD_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "services/record/disk.h"
#include "services/record/record.h"

/* One file that holds a consistent copy of a data folder
 * (docs/formats/backup.md). */

/* A further file to put in: a copy nobody writes to (a VACUUM INTO of the
 * store), and the name it shall have. */
struct backup_extra {
	const char *path; /* where to read it, relative to the data folder */
	const char *name; /* its path when restored */
};

struct backup_extras {
	const struct backup_extra *items;
	size_t count;
};

struct backup_summary {
	uint64_t entries; /* of the log in the backup */
	uint64_t files;
	uint64_t bytes;
};

/* Where the backup goes or comes from; an edge fills it. */
struct backup_stream {
	void *context;
	bool (*write)(void *context, const void *bytes, size_t size, struct error *err);
	/* *got is less than size only at the end. */
	bool (*read)(void *context, void *out, size_t size, size_t *got, struct error *err);
};

/* Copies the running log, its checkpoint, keys and extras.  Does not stop the
 * writer; runs on any thread and reads files, so not on the loop's.
 * Errors: IO, LIMIT, CORRUPT. */
bool backup_write(struct record_log *log, const struct disk *disk, struct backup_extras extras,
	const struct backup_stream *stream, struct backup_summary *out,
	struct error *err) MUST_CHECK;

/* Unpacks into an empty data folder.  Does not open the log: continue with
 * backup_finish_restore.  Errors: CONFLICT (not empty), CORRUPT, IO, LIMIT. */
bool backup_unpack(const struct disk *disk, const struct backup_stream *stream,
	struct backup_summary *out, struct error *err) MUST_CHECK;

/* Opens the unpacked log under options->signer, which must have a new key and
 * origin, and appends `task-ended` for every open task and a `restore` record
 * that names the old checkpoint.  After it old receipts stay valid under the
 * old key, and the old origin cannot be continued from here.
 * Errors: those of record_log_open. */
bool backup_finish_restore(const struct record_log_options *options, uint64_t *out_tasks_ended,
	struct error *err) MUST_CHECK;

#endif
