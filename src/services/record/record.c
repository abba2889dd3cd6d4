/* Submitting, time, figures and closing (the thread: record_writer.c). */
#include "services/record/record.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "services/record/record_private.h"

enum { CHECK_ARENA_BYTES = 8 * 1024 * 1024 };

int64_t record_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool record_is_full_disk(const struct error *err)
{
	return err->os_errno == ENOSPC || err->os_errno == EDQUOT;
}

int64_t record_log_now_ms(const struct record_log *log)
{
	if (log->options.monotonic_ms != NULL)
		return log->options.monotonic_ms(log->options.clock_context);
	return record_now_ms();
}

/* Only canonical records with the common members enter: whatever else a bug
 * might submit would make the whole log fail verification for ever. */
static bool check_envelope(
	struct record_append *append, const struct envelope *envelope, struct error *err)
{
	if ((append->content.length > 0) != (envelope->content.data != NULL))
		return error_set(
			err, ERROR_INVALID, "record: content and its name must come together");
	if (append->content.length == 0 || digest_parse(envelope->content, &append->content_digest))
		return true;
	return error_set(err, ERROR_INVALID, "record: the content is not named by a hash");
}

static bool check_text(struct record_append *append, struct error *err)
{
	struct arena *arena = arena_create(CHECK_ARENA_BYTES);
	struct envelope envelope;
	bool ok;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to check a record");
	ok = envelope_parse(&envelope, NULL, arena, append->entry, err) &&
	     check_envelope(append, &envelope, err);
	arena_destroy(&arena);
	return ok;
}

/* A value is in canonical form once it is formatted so, and so is what a writer wrote; a
 * text may not be. */
static bool check_entry(struct record_append *append, struct error *err)
{
	struct envelope envelope;

	if (append->common != NULL)
		return envelope_check(append->common, err) &&
		       check_envelope(append, append->common, err);
	if (append->record == NULL)
		return check_text(append, err);
	return envelope_read(&envelope, append->record, err) &&
	       check_envelope(append, &envelope, err);
}

static bool check_size(const struct record_append *append, struct error *err)
{
	if (append->entry.length > RECORD_ENTRY_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "a record of %zu bytes (at most %d)",
			append->entry.length, RECORD_ENTRY_BYTES_MAX);
	if (append->content.length > RECORD_CONTENT_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "a content of %zu bytes (at most %d)",
			append->content.length, RECORD_CONTENT_BYTES_MAX);
	return true;
}

/* With the lock held. */
static bool enqueue(struct record_log *log, struct record_append *append, struct error *err)
{
	struct record_queue *queue = &log->queue;
	uint64_t bytes = append->entry.length + append->content.length;

	if (atomic_load(&log->has_failed))
		return error_set(err, ERROR_IO, "the log has failed");
	if (log->is_closing)
		return error_set(err, ERROR_LIMIT, "the log is closing");
	if (queue->count >= log->options.queue_entries ||
		queue->bytes + bytes > log->options.queue_bytes) {
		atomic_fetch_add(&log->refused, 1);
		return error_set(err, ERROR_LIMIT, "the log's queue is full");
	}
	append->next = NULL;
	if (queue->first == NULL)
		queue->first = append;
	else
		queue->last->next = append;
	queue->last = append;
	queue->count++;
	queue->bytes += bytes;
	if (!append->may_linger)
		queue->prompt_count++;
	else if (queue->lingers_until_ms == 0)
		queue->lingers_until_ms = record_now_ms() + RECORD_LINGER_MS;
	return true;
}

/* With the lock held: a sleeping writer must be woken for what is due before it
 * wakes by itself. */
static bool sleeps_too_long(const struct record_log *log)
{
	return log->queue.prompt_count > 0 || log->wakes_at_ms > log->queue.lingers_until_ms;
}

bool record_submit(struct record_log *log, struct record_append *append, struct error *err)
{
	bool ok, must_wake;

	append->is_durable = false;
	append->index = 0;
	error_clear(&append->err);
	if (!check_size(append, err) || !check_entry(append, err))
		return false;
	if (append->urgency == RECORD_ORDINARY && atomic_load(&log->is_full)) {
		atomic_fetch_add(&log->refused, 1);
		return error_set(err, ERROR_LIMIT, "the disk is full");
	}
	pthread_mutex_lock(&log->lock);
	ok = enqueue(log, append, err);
	must_wake = ok && sleeps_too_long(log);
	pthread_mutex_unlock(&log->lock);
	if (must_wake) /* once the lock is free: the writer wants it first */
		pthread_cond_signal(&log->wake);
	return ok;
}

static int64_t wall_utc_ms(const struct record_log *log)
{
	struct timespec now;

	if (log->options.wall_utc_ms != NULL)
		return log->options.wall_utc_ms(log->options.clock_context);
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t record_stamp_utc_ms(struct record_log *log)
{
	int64_t now = wall_utc_ms(log), last = atomic_load(&log->last_stamp_utc_ms);

	while (now > last) {
		if (atomic_compare_exchange_weak(&log->last_stamp_utc_ms, &last, now))
			return now;
	}
	return last;
}

bool record_has_failed(const struct record_log *log)
{
	return atomic_load(&log->has_failed);
}

void record_log_status(struct record_log *log, struct record_log_status *out)
{
	struct arena *arena = arena_create(128 * 1024);
	struct error ignored = {0};
	struct tree_head head = {0};
	struct text note;

	if (arena == NULL || !publisher_checkpoint(log->publisher, arena, &note, &head, &ignored))
		head.size = 0;
	arena_destroy(&arena);
	*out = (struct record_log_status){
		.size = segments_size(log->segments),
		.signed_size = head.size,
		.batches = atomic_load(&log->batches),
		.flush_ns = atomic_load(&log->flush_ns),
		.refused = atomic_load(&log->refused),
		.publish_errors = atomic_load(&log->publish_errors),
		.is_full = atomic_load(&log->is_full),
		.has_failed = atomic_load(&log->has_failed),
		.is_forked = atomic_load(&log->is_forked),
	};
	pthread_mutex_lock(&log->lock);
	out->queued = log->queue.count;
	pthread_mutex_unlock(&log->lock);
}

void record_log_close(struct record_log **log)
{
	struct record_log *closing = *log;

	*log = NULL;
	if (closing == NULL)
		return;
	if (closing->has_writer) {
		pthread_mutex_lock(&closing->lock);
		closing->is_closing = true;
		pthread_cond_signal(&closing->wake);
		pthread_mutex_unlock(&closing->lock);
		pthread_join(closing->writer, NULL);
	}
	publisher_close(&closing->publisher);
	segments_close(&closing->segments);
	key_file_close(&closing->key_file);
	free(closing->entries);
	pthread_cond_destroy(&closing->grown);
	pthread_cond_destroy(&closing->wake);
	pthread_mutex_destroy(&closing->lock);
	free(closing);
}
