#ifndef MAIN_BACKUP_JOB_H
#define MAIN_BACKUP_JOB_H

#include "base/error.h"
#include "base/json.h"
#include "base/loop.h"
#include "services/record/backup.h"

/* Writes a backup of the running daemon on a thread of its own, one at a time:
 * it reads the whole log, which the loop must not wait for.  The store is not in
 * it: it is rebuilt from the log. */
struct backup_jobs;

/* All borrowed; they outlive it.  Errors: LIMIT. */
bool backup_jobs_create(struct backup_jobs **out, struct loop *loop, struct record_log *log,
	const struct disk *disk, struct error *err) MUST_CHECK;
/* Waits for the one that runs; its done does not run.  Before the log closes. */
void backup_jobs_destroy(struct backup_jobs **jobs);

/* Starts writing a new file (0600) at the absolute path; done runs on the loop
 * with {entries, files, bytes} or why not.  Fills struct api_backups.  Errors:
 * INVALID, CONFLICT (the file exists, or one is being written), IO, LIMIT. */
bool backup_jobs_write(void *context, struct text path, void *done_context,
	void (*done)(void *done_context, const struct json *summary, const struct error *err),
	struct error *err);

/* Unpacks a backup file into an empty or new data folder and ends its open tasks
 * under a new origin (`remit restore`).  *out_tasks_ended says how many.  Errors:
 * those of backup_unpack and backup_finish_restore. */
bool restore_run(const char *path, const char *folder, uint64_t *out_tasks_ended,
	struct error *err) MUST_CHECK;

#endif
