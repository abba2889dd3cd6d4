/* Backups (docs/formats/backup.md):
 *
 *	remit backup 1
 *	{"entries":N,...}
 *	file SIZE PATH      then the bytes, in chunks, each followed by its hash
 *	...
 *	end FILES           then the hash of the last chunk again
 *
 * Each chunk's hash is SHA-256 of the hash before it and the chunk, so order and
 * completeness are covered.
 *
 * Invariants:
 *  1. The copy is a prefix of the log: the durable extent is read once, first;
 *     of the active segment what lies beyond it is written as zeros.
 *  2. Everything an entry within the extent depends on (its content key) was
 *     durable before the extent was read, and is copied after. */
#include "services/record/backup.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "domain/task/task.h"
#include "services/record/record_private.h"

#define FIRST_LINE "remit backup 1\n"

enum {
	CHUNK_BYTES = 1024 * 1024,
	LINE_BYTES_MAX = 1024,
	PATH_BYTES_MAX = 256,
	NAMES_ARENA_BYTES = 64 * 1024 * 1024,
	RECORD_ARENA_BYTES = 8 * 1024 * 1024,
	TASKS_MAX = 16 * 1024 * 1024,
};

/* --- writing ------------------------------------------------------------------------- */

struct backup {
	const struct disk *disk;
	const struct backup_stream *stream;
	struct backup_summary *summary;
	struct sha256 chain;
	uint8_t *chunk; /* CHUNK_BYTES */
};

static bool put(struct backup *backup, const void *bytes, size_t size, struct error *err)
{
	backup->summary->bytes += size;
	return backup->stream->write(backup->stream->context, bytes, size, err);
}

static void chain_chunk(struct sha256 *chain, const void *bytes, size_t size)
{
	const struct text parts[] = {
		{(const char *)chain->bytes, SHA256_BYTES}, {(const char *)bytes, size}};

	*chain = sha256_of_parts(parts, 2);
}

static bool put_line(struct backup *backup, struct error *err, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
static bool put_line(struct backup *backup, struct error *err, const char *fmt, ...)
{
	char line[LINE_BYTES_MAX];
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	if (length < 0 || length >= (int)sizeof line)
		return error_set(err, ERROR_LIMIT, "a line of the backup is too long");
	chain_chunk(&backup->chain, line, (size_t)length);
	return put(backup, line, (size_t)length, err);
}

/* Bytes [0, keep) of the file, then zeros up to size. */
static bool put_bytes(
	struct backup *backup, int file, uint64_t keep, uint64_t size, struct error *err)
{
	const struct disk *disk = backup->disk;

	for (uint64_t at = 0; at < size; at += CHUNK_BYTES) {
		size_t step = size - at < CHUNK_BYTES ? (size_t)(size - at) : CHUNK_BYTES;
		size_t want = at >= keep         ? 0
			      : keep - at < step ? (size_t)(keep - at)
						 : step,
		       got = 0;

		memset(backup->chunk, 0, step);
		if (want > 0 && !disk->read(disk->context, (struct disk_place){file, at},
					backup->chunk, want, &got, err))
			return false;
		if (got != want)
			return error_set(err, ERROR_CORRUPT, "a file shrank during the backup");
		chain_chunk(&backup->chain, backup->chunk, step);
		if (!put(backup, backup->chunk, step, err) ||
			!put(backup, backup->chain.bytes, SHA256_BYTES, err))
			return false;
	}
	return true;
}

/* keep: UINT64_MAX for the whole file. */
static bool put_file(
	struct backup *backup, const char *path, const char *name, uint64_t keep, struct error *err)
{
	const struct disk *disk = backup->disk;
	uint64_t size;
	int file;
	bool ok;

	if (!disk->open(disk->context, path, DISK_READ, &file, err))
		return error_wrap(err, "%s", path);
	ok = disk->size(disk->context, file, &size, err) &&
	     put_line(backup, err, "file %" PRIu64 " %s\n", size, name) &&
	     put_bytes(backup, file, keep, size, err);
	disk->close(disk->context, file);
	backup->summary->files++;
	return ok || error_wrap(err, "%s", path);
}

static bool put_segments(
	struct backup *backup, const struct segment_extent *extent, struct error *err)
{
	char path[SEGMENT_PATH_BYTES];

	for (uint64_t number = 1; number <= extent->number; number++) {
		segment_path(path, number);
		if (!put_file(backup, path, path,
			    number == extent->number ? extent->offset : UINT64_MAX, err))
			return false;
	}
	return true;
}

static bool put_folder(struct backup *backup, const char *folder, struct error *err)
{
	const struct disk *disk = backup->disk;
	struct arena *arena = arena_create(NAMES_ARENA_BYTES);
	char path[PATH_BYTES_MAX];
	struct text *names;
	size_t count;
	bool ok = false;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the names of files");
	if (!disk->list(disk->context, folder, arena, &names, &count, err)) {
		ok = err->code == ERROR_NOT_FOUND;
		goto done;
	}
	for (size_t i = 0; i < count; i++) {
		if (text_ends_with(names[i], ".new") || text_starts_with(names[i], "."))
			continue; /* half written, by somebody else */
		(void)snprintf(path, sizeof path, "%s/%.*s", folder, TEXT_ARGS(names[i]));
		if (!put_file(backup, path, path, UINT64_MAX, err))
			goto done;
	}
	ok = true;
done:
	arena_destroy(&arena);
	return ok;
}

static bool put_note(struct backup *backup, struct text note, struct error *err)
{
	if (!put_line(backup, err, "file %zu audit/checkpoint\n", note.length))
		return false;
	chain_chunk(&backup->chain, note.data, note.length);
	backup->summary->files++;
	return put(backup, note.data, note.length, err) &&
	       put(backup, backup->chain.bytes, SHA256_BYTES, err);
}

static bool put_all(struct backup *backup, struct record_log *log, struct backup_extras extras,
	struct arena *arena, struct error *err)
{
	struct segment_extent extent;
	struct tree_head head;
	struct text note;

	if (!record_checkpoint(log, arena, &note, &head, err))
		return false;
	extent = segments_extent(log->segments);
	backup->summary->entries = extent.entries;
	if (!put_line(backup, err, "%s", FIRST_LINE) ||
		!put_line(backup, err, "{\"entries\":%" PRIu64 ",\"origin\":\"%s\"}\n",
			extent.entries, log->options.signer->key->name) ||
		!put_note(backup, note, err) || !put_segments(backup, &extent, err) ||
		!put_folder(backup, "keys", err) || !put_folder(backup, "secrets", err))
		return false;
	for (size_t i = 0; i < extras.count; i++) {
		if (!put_file(backup, extras.items[i].path, extras.items[i].name, UINT64_MAX, err))
			return false;
	}
	return put_line(backup, err, "end %" PRIu64 "\n", backup->summary->files) &&
	       put(backup, backup->chain.bytes, SHA256_BYTES, err);
}

bool backup_write(struct record_log *log, const struct disk *disk, struct backup_extras extras,
	const struct backup_stream *stream, struct backup_summary *out, struct error *err)
{
	struct backup backup = {.disk = disk, .stream = stream, .summary = out};
	struct arena *arena = arena_create(RECORD_ARENA_BYTES);
	bool ok = false;

	*out = (struct backup_summary){0};
	backup.chunk = calloc(1, CHUNK_BYTES);
	if (arena == NULL || backup.chunk == NULL)
		error_set(err, ERROR_LIMIT, "no memory for a backup");
	else
		ok = put_all(&backup, log, extras, arena, err);
	if (backup.chunk != NULL)
		explicit_bzero(backup.chunk, CHUNK_BYTES); /* keys passed through it */
	free(backup.chunk);
	arena_destroy(&arena);
	return ok;
}

/* --- unpacking ------------------------------------------------------------------------ */

static bool take(struct backup *backup, void *out, size_t size, struct error *err)
{
	size_t got;

	if (!backup->stream->read(backup->stream->context, out, size, &got, err))
		return false;
	backup->summary->bytes += got;
	return got == size || error_set(err, ERROR_CORRUPT, "the backup is cut short");
}

static bool take_line(struct backup *backup, char line[LINE_BYTES_MAX], struct error *err)
{
	size_t length = 0;

	do {
		if (length + 1 >= LINE_BYTES_MAX)
			return error_set(err, ERROR_CORRUPT, "a line of the backup is too long");
		if (!take(backup, line + length, 1, err))
			return false;
	} while (line[length++] != '\n');
	chain_chunk(&backup->chain, line, length);
	line[length - 1] = '\0';
	return strlen(line) == length - 1 ||
	       error_set(err, ERROR_CORRUPT, "a line of the backup holds NUL");
}

static bool take_hash(struct backup *backup, struct error *err)
{
	struct sha256 found;

	if (!take(backup, found.bytes, SHA256_BYTES, err))
		return false;
	return sha256_equal(&found, &backup->chain) ||
	       error_set(err, ERROR_CORRUPT, "the backup is damaged");
}

/* Relative, of plain names, none of them hidden or "..". */
static bool path_is_safe(const char *path)
{
	bool starts_name = true;

	if (*path == '\0' || strlen(path) >= PATH_BYTES_MAX)
		return false;
	for (; *path != '\0'; path++) {
		bool is_letter = (*path >= 'a' && *path <= 'z') || (*path >= 'A' && *path <= 'Z') ||
				 (*path >= '0' && *path <= '9') || *path == '-' || *path == '_';

		if (starts_name && !is_letter)
			return false;
		if (!is_letter && *path != '.' && *path != '/')
			return false;
		starts_name = *path == '/';
	}
	return !starts_name;
}

/* Makes the folders of path, each known to the one above it. */
static bool make_folders(const struct disk *disk, const char *path, struct error *err)
{
	char folder[PATH_BYTES_MAX], parent[PATH_BYTES_MAX] = ".";

	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		(void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
		if (!disk->make_dir(disk->context, folder, err) ||
			!disk->sync_dir(disk->context, parent, err))
			return false;
		memcpy(parent, folder, sizeof parent);
	}
	return true;
}

static bool take_bytes(struct backup *backup, int file, uint64_t size, struct error *err)
{
	const struct disk *disk = backup->disk;

	for (uint64_t at = 0; at < size; at += CHUNK_BYTES) {
		size_t step = size - at < CHUNK_BYTES ? (size_t)(size - at) : CHUNK_BYTES;

		if (!take(backup, backup->chunk, step, err))
			return false;
		chain_chunk(&backup->chain, backup->chunk, step);
		if (!take_hash(backup, err) ||
			!disk->write(disk->context, (struct disk_place){file, at}, backup->chunk,
				step, err))
			return false;
	}
	return disk->sync(disk->context, file, err);
}

static bool take_file(struct backup *backup, const char *path, uint64_t size, struct error *err)
{
	const struct disk *disk = backup->disk;
	const char *slash = strrchr(path, '/');
	char folder[PATH_BYTES_MAX] = ".";
	int file;
	bool ok;

	if (!path_is_safe(path))
		return error_set(err, ERROR_CORRUPT, "the backup names a path it may not");
	if (slash != NULL)
		(void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
	if (!make_folders(disk, path, err) ||
		!disk->open(disk->context, path, DISK_REPLACE, &file, err))
		return false;
	ok = take_bytes(backup, file, size, err);
	disk->close(disk->context, file);
	backup->summary->files++;
	return ok && disk->sync_dir(disk->context, folder, err);
}

static bool take_end(struct backup *backup, uint64_t files, struct error *err)
{
	if (files != backup->summary->files)
		return error_set(err, ERROR_CORRUPT, "the backup lacks files");
	return take_hash(backup, err);
}

static bool take_all(struct backup *backup, struct error *err)
{
	char line[LINE_BYTES_MAX];
	uint64_t number;
	int used = 0;

	if (!take_line(backup, line, err))
		return false;
	if (strcmp(line, "remit backup 1") != 0)
		return error_set(err, ERROR_CORRUPT, "not a backup of remit, or of a newer one");
	if (!take_line(backup, line, err))
		return false;
	/* NOLINTNEXTLINE(cert-err34-c): what overflows is a size no file has */
	if (sscanf(line, "{\"entries\":%" SCNu64 ",", &backup->summary->entries) != 1)
		return error_set(err, ERROR_CORRUPT, "the backup does not say what it holds");
	for (;;) {
		if (!take_line(backup, line, err))
			return false;
		/* NOLINTNEXTLINE(cert-err34-c): as above */
		if (sscanf(line, "end %" SCNu64 "%n", &number, &used) == 1 && line[used] == '\0')
			return take_end(backup, number, err);
		/* NOLINTNEXTLINE(cert-err34-c): as above */
		if (sscanf(line, "file %" SCNu64 " %n", &number, &used) != 1 || line[used] == '\0')
			return error_set(err, ERROR_CORRUPT, "the backup is damaged");
		if (!take_file(backup, line + used, number, err))
			return false;
	}
}

static bool check_empty(const struct disk *disk, struct arena *arena, struct error *err)
{
	struct text *names;
	size_t count;

	if (!disk->list(disk->context, ".", arena, &names, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		/* whoever restores holds the folder already */
		if (!text_is(names[i], "lock") && !text_is(names[i], "version"))
			return error_set(err, ERROR_CONFLICT, "the data folder is not empty");
	}
	return true;
}

bool backup_unpack(const struct disk *disk, const struct backup_stream *stream,
	struct backup_summary *out, struct error *err)
{
	struct backup backup = {.disk = disk, .stream = stream, .summary = out};
	struct arena *arena = arena_create(NAMES_ARENA_BYTES);
	bool ok = false;

	*out = (struct backup_summary){0};
	backup.chunk = calloc(1, CHUNK_BYTES);
	if (arena == NULL || backup.chunk == NULL)
		error_set(err, ERROR_LIMIT, "no memory for a backup");
	else
		ok = check_empty(disk, arena, err) && take_all(&backup, err);
	if (backup.chunk != NULL)
		explicit_bzero(backup.chunk, CHUNK_BYTES);
	free(backup.chunk);
	arena_destroy(&arena);
	return ok;
}

/* --- after unpacking --------------------------------------------------------------------- */

/* The old checkpoint; its signature is the old key's business, but the log must
 * have its root at its size. */
static bool read_old(
	const struct disk *disk, struct arena *arena, struct record_restore *out, struct error *err)
{
	struct checkpoint checkpoint;
	struct note note;

	if (!disk_read_file(
		    disk, "audit/checkpoint", LINE_BYTES_MAX * 64, arena, &out->note, err) ||
		!note_parse(&note, arena, out->note, err) ||
		!checkpoint_parse(&checkpoint, note.text, err))
		return error_wrap(err, "the backup's checkpoint");
	out->head = checkpoint.head;
	return true;
}

static bool fold_tasks(struct record_log *log, struct task_table *tasks, struct error *err)
{
	struct arena *arena = arena_create(RECORD_ARENA_BYTES);
	struct record_reader *reader = NULL;
	struct record_entry entry;
	struct json record;
	bool is_end = false, ok = false;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to read records");
	if (!record_reader_open(&reader, log, 0, err))
		goto done;
	while (!is_end) {
		arena_reset(arena);
		if (!record_reader_next(reader, &entry, &is_end, err))
			goto done;
		if (!is_end &&
			(!json_parse(&record, arena, entry.entry, &json_limits_default, err) ||
				!task_table_fold(tasks, &record, entry.index, err)))
			goto done;
	}
	ok = true;
done:
	record_reader_close(&reader);
	arena_destroy(&arena);
	return ok;
}

/* One `task-ended` on its way, while there is a writer. */
struct ending {
	struct record_append append;
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool is_done;
};

static void ending_done(struct record_append *append)
{
	struct ending *ending = append->context;

	pthread_mutex_lock(&ending->lock);
	ending->is_done = true;
	pthread_cond_signal(&ending->done);
	pthread_mutex_unlock(&ending->lock);
}

static bool append_and_wait(struct record_log *log, struct text entry, struct error *err)
{
	struct ending ending = {.append = {.entry = entry, .done = ending_done}};
	bool ok;

	ending.append.context = &ending;
	ending.append.urgency = RECORD_RESERVED;
	pthread_mutex_init(&ending.lock, NULL);
	pthread_cond_init(&ending.done, NULL);
	ok = record_submit(log, &ending.append, err);
	pthread_mutex_lock(&ending.lock);
	while (ok && !ending.is_done)
		pthread_cond_wait(&ending.done, &ending.lock);
	pthread_mutex_unlock(&ending.lock);
	if (ok && !ending.append.is_durable) {
		*err = ending.append.err;
		ok = false;
	}
	pthread_cond_destroy(&ending.done);
	pthread_mutex_destroy(&ending.lock);
	return ok;
}

static bool end_task(
	struct record_log *log, const struct task *task, struct arena *arena, struct error *err)
{
	struct envelope common = {.at_utc_ms = record_stamp_utc_ms(log),
		.type = RECORD_TASK_ENDED,
		.actor = TEXT("remit"),
		.task = task->id};
	struct json_builder record;
	struct json value;
	struct text entry;

	envelope_start(&record, arena, &common);
	json_put_text(&record, "identity", task->identity);
	json_put_cstring(&record, "state", task_state_word(TASK_REVOKED));
	json_put_cstring(&record, "reason", "restored from a backup");
	if (!json_object_seal(&record, &value, err))
		return false;
	entry = json_canonical_text(arena, &value);
	if (entry.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	return append_and_wait(log, entry, err);
}

static bool end_tasks(struct record_log *log, uint64_t *out_ended, struct error *err)
{
	struct arena *arena = arena_create(RECORD_ARENA_BYTES);
	struct task_table *tasks = NULL;
	bool ok = false;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for records");
	if (!task_table_create(&tasks, TASKS_MAX, err) || !fold_tasks(log, tasks, err))
		goto done;
	for (const struct task *task = task_next(tasks, NULL); task != NULL;
		task = task_next(tasks, task)) {
		if (task->recorded_state != TASK_OPEN)
			continue;
		arena_reset(arena);
		if (!end_task(log, task, arena, err))
			goto done;
		++*out_ended;
	}
	ok = true;
done:
	task_table_destroy(&tasks);
	arena_destroy(&arena);
	return ok;
}

bool backup_finish_restore(
	const struct record_log_options *options, uint64_t *out_tasks_ended, struct error *err)
{
	const struct disk *disk = options->disk;
	struct arena *arena = arena_create(RECORD_ARENA_BYTES);
	struct record_restore restore;
	struct record_log *log = NULL;
	bool ok = false;

	*out_tasks_ended = 0;
	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to restore");
	ok = read_old(disk, arena, &restore, err) &&
	     record_log_open_restored(&log, options, &restore, err) &&
	     end_tasks(log, out_tasks_ended, err);
	record_log_close(&log);
	arena_destroy(&arena);
	return ok;
}
