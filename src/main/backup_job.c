#include "main/backup_job.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "edges/audit_files/audit_files.h"
#include "edges/signer/signer.h"
#include "main/version.h"

/* One struct for the one job that may run.  The thread touches only the log (any
 * thread), the disk (any thread) and its own file; it ends by posting to the
 * loop, where the answer is given and the thread is joined. */

enum { SUMMARY_ARENA_BYTES_MAX = 64 * 1024, PATH_BYTES_MAX = 4096 };

struct backup_jobs {
	struct loop *loop;
	struct record_log *log;
	const struct disk *disk;
	bool is_running;
	pthread_t thread;
	char path[PATH_BYTES_MAX];
	int fd;
	void *done_context;
	void (*done)(void *done_context, const struct json *summary, const struct error *err);
	/* Written by the thread, read after the post. */
	bool is_written;
	struct backup_summary summary;
	struct error err;
	struct loop_post post;
};

static bool write_file(void *context, const void *bytes, size_t size, struct error *err)
{
	int fd = *(const int *)context;

	return file_write_all(fd, bytes, size) ||
	       error_set(err, ERROR_IO, "the backup cannot be written: %s", strerror(errno));
}

static bool read_file(void *context, void *out, size_t size, size_t *got, struct error *err)
{
	int fd = *(const int *)context;

	return file_read_all(fd, out, size, got) ||
	       error_set(err, ERROR_IO, "the backup cannot be read: %s", strerror(errno));
}

/* A file that is not whole is not left behind. */
static void finish_file(struct backup_jobs *jobs)
{
	if (jobs->is_written && fsync(jobs->fd) != 0)
		jobs->is_written =
			error_set(&jobs->err, ERROR_IO, "%s: cannot be made durable", jobs->path);
	close(jobs->fd);
	if (!jobs->is_written)
		(void)unlink(jobs->path);
}

static void *write_backup(void *context)
{
	struct backup_jobs *jobs = context;
	const struct backup_extras none = {0};
	const struct backup_stream stream = {.context = &jobs->fd, .write = write_file};

	jobs->is_written =
		backup_write(jobs->log, jobs->disk, none, &stream, &jobs->summary, &jobs->err);
	finish_file(jobs);
	loop_post(jobs->loop, &jobs->post);
	return NULL;
}

static bool summary_json(
	const struct backup_jobs *jobs, struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_cstring(&object, "path", jobs->path);
	json_put_integer(&object, "entries", (int64_t)jobs->summary.entries);
	json_put_integer(&object, "files", (int64_t)jobs->summary.files);
	json_put_integer(&object, "bytes", (int64_t)jobs->summary.bytes);
	return json_object_seal(&object, out, err);
}

static void on_written(struct loop_post *post)
{
	struct backup_jobs *jobs = post->context;
	struct arena *arena = arena_create(SUMMARY_ARENA_BYTES_MAX);
	struct error err = jobs->err;
	struct json summary;

	(void)pthread_join(jobs->thread, NULL);
	jobs->is_running = false;
	if (arena == NULL)
		(void)error_set(&err, ERROR_LIMIT, "no memory for the answer");
	else if (jobs->is_written && summary_json(jobs, arena, &summary, &err))
		err.code = ERROR_NONE;
	jobs->done(jobs->done_context, &summary, err.code == ERROR_NONE ? NULL : &err);
	arena_destroy(&arena);
}

bool backup_jobs_create(struct backup_jobs **out, struct loop *loop, struct record_log *log,
	const struct disk *disk, struct error *err)
{
	struct backup_jobs *jobs = calloc(1, sizeof *jobs);

	*out = jobs;
	if (jobs == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for backups");
	jobs->loop = loop;
	jobs->log = log;
	jobs->disk = disk;
	jobs->post = (struct loop_post){.run = on_written, .context = jobs};
	return true;
}

void backup_jobs_destroy(struct backup_jobs **jobs)
{
	if (*jobs == NULL)
		return;
	if ((*jobs)->is_running)
		(void)pthread_join((*jobs)->thread, NULL);
	free(*jobs);
	*jobs = NULL;
}

static bool take_path(struct backup_jobs *jobs, struct text path, struct error *err)
{
	if (path.length == 0 || path.data[0] != '/' || path.length >= sizeof jobs->path)
		return error_set(err, ERROR_INVALID, "path: an absolute path is expected");
	memcpy(jobs->path, path.data, path.length);
	jobs->path[path.length] = '\0';
	jobs->fd = open(jobs->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		S_IRUSR | S_IWUSR);
	if (jobs->fd < 0)
		return error_set(err,
			errno == EEXIST   ? ERROR_CONFLICT
			: errno == ENOENT ? ERROR_NOT_FOUND
					  : ERROR_IO,
			"%s: %s", jobs->path, strerror(errno));
	return true;
}

bool backup_jobs_write(void *context, struct text path, void *done_context,
	void (*done)(void *done_context, const struct json *summary, const struct error *err),
	struct error *err)
{
	struct backup_jobs *jobs = context;

	if (jobs->is_running)
		return error_set(err, ERROR_CONFLICT, "a backup is being written");
	if (!take_path(jobs, path, err))
		return false;
	jobs->done_context = done_context;
	jobs->done = done;
	jobs->err = (struct error){0};
	jobs->is_running = true;
	if (pthread_create(&jobs->thread, NULL, write_backup, jobs) == 0)
		return true;
	jobs->is_running = false;
	close(jobs->fd);
	(void)unlink(jobs->path);
	return error_set(err, ERROR_LIMIT, "no thread for the backup");
}

/* ---- restore ---- */

static bool open_restored_log(
	const struct disk *disk, const char *folder, uint64_t *out_tasks_ended, struct error *err)
{
	struct arena *arena = arena_create(SUMMARY_ARENA_BYTES_MAX);
	struct record_log_options options = {.disk = disk, .version = TEXT(REMIT_VERSION)};
	struct signer_settings settings = {0};
	struct checkpoint_signer checkpoints;
	struct signer *signer = NULL;
	bool ok = false;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to restore");
	settings.folder = text_format(arena, "%s/keys", folder).data;
	if (settings.folder != NULL && signer_retire_checkpoint_key(settings.folder, err) &&
		signer_open(&signer, &settings, err) &&
		signer_public_keys(signer, arena, &options.public_keys, err)) {
		checkpoints = signer_checkpoints(signer);
		options.signer = &checkpoints;
		ok = backup_finish_restore(&options, out_tasks_ended, err);
	}
	signer_close(&signer);
	arena_destroy(&arena);
	return ok;
}

bool restore_run(const char *path, const char *folder, uint64_t *out_tasks_ended, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const struct backup_stream stream = {.context = &fd, .read = read_file};
	struct audit_files *files = NULL;
	struct backup_summary summary;
	bool ok;

	if (fd < 0)
		return error_set(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "%s: %s", path,
			strerror(errno));
	ok = (mkdir(folder, S_IRWXU) == 0 || errno == EEXIST) ||
	     error_set(err, ERROR_IO, "%s: %s", folder, strerror(errno));
	ok = ok && audit_files_open(&files, folder, err) &&
	     (backup_unpack(audit_files_disk(files), &stream, &summary, err) ||
		     error_wrap(err, "%s", path)) &&
	     open_restored_log(audit_files_disk(files), folder, out_tasks_ended, err);
	audit_files_close(&files);
	close(fd);
	return ok;
}
