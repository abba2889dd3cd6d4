/* Opening: recover, check what was promised, write genesis or nothing, write
 * start, sign.
 *
 * Three memories must agree with what the segments hold: the checkpoint file,
 * the signer's own last head, and known_size.  A log that falls short of any of
 * them, or has another root at their size, is not opened: going on would sign a
 * fork or forget what was acknowledged. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "services/record/record_private.h"

enum {
	ENTRY_ARENA_BYTES = 8 * 1024 * 1024,
	CHECKPOINT_FILE_BYTES_MAX = 64 * 1024,
	VKEY_BYTES_MAX = 1024,
};

static const char *const folders[] = {"audit", "audit/segments", "audit/tile"};

static void fill_defaults(struct record_log_options *options)
{
	if (options->segment_bytes == 0)
		options->segment_bytes = RECORD_SEGMENT_BYTES_DEFAULT;
	if (options->queue_entries == 0)
		options->queue_entries = RECORD_QUEUE_ENTRIES_DEFAULT;
	if (options->queue_bytes == 0)
		options->queue_bytes = RECORD_QUEUE_BYTES_DEFAULT;
	if (options->checkpoint_interval_ms == 0)
		options->checkpoint_interval_ms = RECORD_CHECKPOINT_INTERVAL_MS_DEFAULT;
}

static bool check_options(const struct record_log_options *options, struct error *err)
{
	if (options->segment_bytes < RECORD_SEGMENT_BYTES_MIN)
		return error_set(err, ERROR_INVALID, "segments of less than %d bytes",
			RECORD_SEGMENT_BYTES_MIN);
	if (options->segment_bytes > (uint64_t)1 << 30)
		return error_set(err, ERROR_INVALID, "segments of more than 1 GiB");
	return true;
}

static bool make_folders(const struct disk *disk, struct error *err)
{
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		if (!disk->make_dir(disk->context, folders[i], err))
			return false;
	}
	return disk->sync_dir(disk->context, "audit", err) &&
	       disk->sync_dir(disk->context, ".", err);
}

/* The published checkpoint; size 0 if there is none. */
static bool read_checkpoint(
	const struct record_log_options *options, struct tree_head *out, struct error *err)
{
	struct arena *arena = arena_create(ENTRY_ARENA_BYTES);
	struct checkpoint checkpoint;
	struct text note;
	bool ok = false;

	*out = (struct tree_head){0};
	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a checkpoint");
	if (!disk_read_file(options->disk, "audit/checkpoint", CHECKPOINT_FILE_BYTES_MAX, arena,
		    &note, err)) {
		ok = err->code == ERROR_NOT_FOUND;
		goto done;
	}
	ok = checkpoint_open(&checkpoint, arena, note, options->signer->key, 1, err);
	if (!ok) {
		error_wrap(err, "audit/checkpoint");
		err->code = ERROR_CORRUPT;
		goto done;
	}
	*out = checkpoint.head;
done:
	arena_destroy(&arena);
	return ok;
}

/* --- what recovery finds --------------------------------------------------------- */

static bool visit_start(void *context, struct segments *segments, struct error *err)
{
	struct record_log *log = context;

	log->recovering = segments;
	log->has_resumed = publisher_resume(log->publisher, segments, err);
	return log->has_resumed;
}

/* Time goes on from the latest record, and the origin is the last restore's,
 * whatever the segment it lies in is labelled with. */
static bool remember(struct record_log *log, struct text entry, struct error *err)
{
	struct arena *arena = arena_create(ENTRY_ARENA_BYTES);
	struct error ignored = {0};
	struct envelope envelope;
	struct json record;
	bool ok = true;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	if (envelope_parse(&envelope, &record, arena, entry, &ignored)) {
		if (envelope.at_utc_ms > atomic_load(&log->last_stamp_utc_ms))
			atomic_store(&log->last_stamp_utc_ms, envelope.at_utc_ms);
		if (envelope.type == RECORD_RESTORE)
			ok = segments_set_origin(
				log->recovering, json_text_or(&record, "origin", ""), err);
	}
	arena_destroy(&arena);
	return ok;
}

static bool visit_entry(
	void *context, struct text entry, const struct sha256 *leaf, struct error *err)
{
	struct record_log *log = context;
	struct error later = {0};

	if (!remember(log, entry, err))
		return false;
	if (!publisher_add(log->publisher, entry, leaf, err))
		return false;
	if (!publisher_flush(log->publisher, &later))
		atomic_fetch_add(&log->publish_errors, 1);
	return true;
}

static bool try_recover(struct record_log *log, const struct segments_required *required,
	const struct tree_head *signed_head, struct error *err)
{
	const struct record_log_options *options = &log->options;
	struct segments_visitor visitor = {log, visit_start, visit_entry};

	log->has_resumed = false;
	if (publisher_open(&log->publisher, options->disk, options->signer, signed_head, err) &&
		segments_open(&log->segments, options->disk, options->segment_bytes, required,
			&visitor, err))
		return true;
	publisher_close(&log->publisher);
	return false;
}

/* Tiles that recovery would go on from may be missing (a restored folder, a
 * folder deleted by hand): they are made again from the first segment on. */
static bool recover_tree(struct record_log *log, struct segments_required *required,
	const struct tree_head *signed_head, struct error *err)
{
	if (try_recover(log, required, signed_head, err))
		return true;
	if (log->has_resumed || required->from_start ||
		(err->code != ERROR_NOT_FOUND && err->code != ERROR_CORRUPT))
		return false;
	required->from_start = true;
	return try_recover(log, required, signed_head, err);
}

static bool recover(struct record_log *log, struct error *err)
{
	const struct record_log_options *options = &log->options;
	struct tree_head heads[2];
	struct segments_required required = {.size = options->known_size};
	struct error counted = {0};
	struct tree_head last;

	if (log->restore != NULL)
		heads[0] = log->restore->head;
	else if (!read_checkpoint(options, &heads[0], err))
		return false;
	if (!options->signer->last(options->signer->context, &last, err))
		return error_wrap(err, "signer");
	required.heads = heads;
	required.head_count = heads[0].size > 0;
	required.from_start = log->restore != NULL;
	if (last.size > 0)
		heads[required.head_count++] = last;
	if (!recover_tree(log, &required, &last, err))
		return false;
	if (!publisher_recovered(log->publisher, &counted))
		atomic_fetch_add(&log->publish_errors, 1);
	return true;
}

/* --- first records --------------------------------------------------------------- */

static bool write_record(
	struct record_log *log, struct arena *arena, struct json_builder *record, struct error *err)
{
	struct json value;
	struct text entry;

	if (!json_object_seal(record, &value, err))
		return false;
	entry = json_canonical_text(arena, &value);
	if (entry.data == NULL || entry.length > RECORD_ENTRY_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "the record is too long");
	return record_write_now(log, entry, err);
}

static void start_record(struct record_log *log, struct json_builder *record, struct arena *arena,
	enum record_type type)
{
	struct envelope common = {
		.at_utc_ms = record_stamp_utc_ms(log), .type = type, .actor = TEXT("remit")};

	envelope_start(record, arena, &common);
	json_put_text(record, "version", log->options.version);
}

static bool write_genesis(struct record_log *log, struct arena *arena, struct error *err)
{
	const struct note_key *key = log->options.signer->key;
	struct json_builder record, empty;
	struct json keys;
	struct buffer vkey;
	bool ok = false;

	buffer_init(&vkey, VKEY_BYTES_MAX);
	json_array_start(&empty, arena);
	if (!json_array_seal(&empty, &keys, err))
		goto done;
	if (log->options.public_keys.length > 0 &&
		!json_parse(&keys, arena, log->options.public_keys, &json_limits_default, err))
		goto done;
	note_key_format(&vkey, key);
	start_record(log, &record, arena, RECORD_GENESIS);
	json_put_integer(&record, "format", 1);
	json_put_cstring(&record, "origin", key->name);
	json_put_text(&record, "vkey", buffer_text(&vkey));
	json_put(&record, "keys", keys);
	ok = segments_set_origin(log->segments, text_of(key->name), err) &&
	     write_record(log, arena, &record, err);
done:
	buffer_deinit(&vkey);
	return ok;
}

/* From here on the log is the new origin's; the old checkpoint is named whole, so
 * that everybody can see what this log continues. */
static bool write_restore(struct record_log *log, struct arena *arena, struct error *err)
{
	const struct note_key *key = log->options.signer->key;
	struct json_builder record;
	struct buffer vkey;
	bool ok;

	if (strcmp(segments_origin(log->segments), key->name) == 0)
		return error_set(err, ERROR_CONFLICT, "a restored log needs a new origin");
	buffer_init(&vkey, VKEY_BYTES_MAX);
	note_key_format(&vkey, key);
	start_record(log, &record, arena, RECORD_RESTORE);
	json_put_cstring(&record, "origin", key->name);
	json_put_text(&record, "vkey", buffer_text(&vkey));
	json_put_text(&record, "from", text_copy(arena, text_of(segments_origin(log->segments))));
	json_put_text(&record, "checkpoint", log->restore->note);
	ok = segments_set_origin(log->segments, text_of(key->name), err) &&
	     write_record(log, arena, &record, err);
	buffer_deinit(&vkey);
	return ok;
}

static bool write_first_records(struct record_log *log, struct error *err)
{
	struct arena *arena = arena_create(ENTRY_ARENA_BYTES);
	struct json_builder record;
	bool ok = false;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	if (segments_size(log->segments) == 0) {
		if (!write_genesis(log, arena, err))
			goto done;
	} else if (log->restore != NULL) {
		if (!write_restore(log, arena, err))
			goto done;
	} else if (strcmp(segments_origin(log->segments), log->options.signer->key->name) != 0) {
		error_set(err, ERROR_INVALID, "the log is %s, but the signer's is %s",
			segments_origin(log->segments), log->options.signer->key->name);
		goto done;
	}
	start_record(log, &record, arena, RECORD_START);
	ok = write_record(log, arena, &record, err);
done:
	arena_destroy(&arena);
	return ok;
}

bool record_write_stop(struct record_log *log, struct error *err)
{
	struct arena *arena = arena_create(ENTRY_ARENA_BYTES);
	struct json_builder record;
	bool ok;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	start_record(log, &record, arena, RECORD_STOP);
	ok = write_record(log, arena, &record, err);
	arena_destroy(&arena);
	return ok;
}

/* DIR/audit.vkey, for those who verify. */
static bool write_vkey(const struct record_log_options *options, struct error *err)
{
	struct buffer vkey;
	bool ok;

	buffer_init(&vkey, VKEY_BYTES_MAX);
	note_key_format(&vkey, options->signer->key);
	buffer_append_byte(&vkey, '\n');
	ok = !buffer_failed(&vkey) &&
	     disk_replace_file(options->disk, ".", "audit.vkey", buffer_text(&vkey), err);
	buffer_deinit(&vkey);
	return ok;
}

static struct record_log *create(const struct record_log_options *options)
{
	struct record_log *log = calloc(1, sizeof *log);
	pthread_condattr_t monotonic;

	if (log == NULL)
		return NULL;
	log->options = *options;
	fill_defaults(&log->options);
	log->entries = calloc(SEGMENTS_BATCH_ENTRIES_MAX, sizeof *log->entries);
	pthread_mutex_init(&log->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&log->wake, &monotonic);
	pthread_cond_init(&log->grown, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (log->entries == NULL)
		record_log_close(&log);
	return log;
}

/* A disk without room for tiles must not keep a kill from being recorded: only
 * a fork is an error here, the rest is tried again by the writer. */
static bool publish_first(struct record_log *log, struct error *err)
{
	struct error later = {0};

	if (!write_vkey(&log->options, &later))
		atomic_fetch_add(&log->publish_errors, 1);
	return record_publish(log, err);
}

static bool open_with(struct record_log **out, const struct record_log_options *options,
	const struct record_restore *restore, struct error *err)
{
	struct record_log *log = create(options);
	bool ok = false;

	*out = NULL;
	if (log == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the log");
	log->restore = restore;
	if (!check_options(&log->options, err) || !make_folders(options->disk, err) ||
		!options->disk->lock(options->disk->context, "audit/lock", err) ||
		!key_file_open(&log->key_file, options->disk, err) || !recover(log, err) ||
		!write_first_records(log, err) || !publish_first(log, err))
		goto done;
	log->restore = NULL;
	*out = log;
	log = NULL;
	ok = true;
done:
	record_log_close(&log);
	return ok;
}

bool record_log_open_stepped(
	struct record_log **out, const struct record_log_options *options, struct error *err)
{
	return open_with(out, options, NULL, err);
}

bool record_log_open_restored(struct record_log **out, const struct record_log_options *options,
	const struct record_restore *restore, struct error *err)
{
	return open_with(out, options, restore, err) &&
	       (record_writer_start(*out, err) || (record_log_close(out), false));
}

bool record_log_open(
	struct record_log **out, const struct record_log_options *options, struct error *err)
{
	if (!record_log_open_stepped(out, options, err))
		return false;
	if (record_writer_start(*out, err))
		return true;
	record_log_close(out);
	return false;
}
