/* The writer thread: group commit without a timer.
 *
 * It takes all that is queued, writes it as one batch, syncs, and posts one
 * completion to each loop; while the sync runs, the next batch gathers.
 *
 *	queue -> admitted | refused -> batch -> written, synced -> done on its loop
 *
 * Invariants:
 *  1. done runs once for every append taken, in order of submission.
 *  2. is_durable is set only after the sync of the batch, and of the key slots
 *     it depends on, succeeded.
 *  3. The first failed write or sync is final: has_failed is set, and all that
 *     is queued or comes later is told so.
 *  4. Ordinary entries leave a reserve in the active segment unless the next
 *     segment is ready; so on a full disk a kill still finds room.
 *  5. Background work (tiles, checkpoints, the next segment's file) is done in
 *     bounded steps between batches. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "services/record/record_private.h"

enum {
	PREPARE_RETRY_MS = 1000,
	BUSY_UNSYNCED_MAX = 2048, /* files; beyond it a busy writer tidies too */
	IDLE_WAIT_MS = 60 * 1000,
};

/* A batch being put together. */
struct batch {
	struct record_append *first;
	struct record_append *last;
	uint32_t count;
	size_t bytes;
};

static void deliver(struct loop_post *post)
{
	struct record_append *append = post->context;

	while (append != NULL) {
		struct record_append *next = append->next; /* done may free it */

		append->done(append);
		append = next;
	}
}

/* Takes the appends of one loop out of *list, in order. */
static struct record_append *take_loop(struct record_append **list, struct loop *loop)
{
	struct record_append *taken = NULL, **taken_end = &taken, **at = list;

	while (*at != NULL) {
		struct record_append *append = *at;

		if (append->loop != loop) {
			at = &append->next;
			continue;
		}
		*at = append->next;
		append->next = NULL;
		*taken_end = append;
		taken_end = &append->next;
	}
	return taken;
}

/* Runs done of every append in the list, with one post for each loop. */
static void complete(struct record_append *list)
{
	while (list != NULL) {
		struct loop *loop = list->loop;
		struct record_append *taken = take_loop(&list, loop);

		taken->post.run = deliver;
		taken->post.context = taken;
		if (loop == NULL)
			deliver(&taken->post);
		else
			loop_post(loop, &taken->post);
	}
}

static void complete_all(struct record_append *list, const struct error *err)
{
	for (struct record_append *append = list; append != NULL; append = append->next)
		append->err = *err;
	complete(list);
}

static void complete_one(struct record_append *append, const struct error *err)
{
	append->next = NULL;
	complete_all(append, err);
}

/* Nothing is acknowledged from here on. */
static void fail(struct record_log *log)
{
	atomic_store(&log->has_failed, true);
	pthread_mutex_lock(&log->lock);
	pthread_cond_broadcast(&log->grown);
	pthread_mutex_unlock(&log->lock);
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool flush_batch(struct record_log *log, struct batch *batch, struct error *err)
{
	struct record_append *append = batch->first;

	for (uint32_t i = 0; i < batch->count; i++, append = append->next) {
		assert(append != NULL);
		log->entries[i] = (struct segment_entry){append->content, append->entry, {{0}}};
	}
	return key_file_sync(log->key_file, err) &&
	       segments_write(log->segments, log->entries, batch->count, err);
}

static void tile_batch(struct record_log *log, uint32_t count)
{
	struct error ignored = {0};

	for (uint32_t i = 0; i < count; i++) {
		if (!publisher_add(log->publisher, log->entries[i].entry, &log->entries[i].leaf,
			    &ignored)) {
			atomic_fetch_add(&log->publish_errors, 1);
			return;
		}
	}
}

static void acknowledge(struct record_log *log, struct batch *batch)
{
	uint64_t index = segments_size(log->segments) - batch->count;

	for (struct record_append *append = batch->first; append != NULL; append = append->next) {
		append->index = index++;
		append->is_durable = true;
	}
	atomic_fetch_add(&log->batches, 1);
	complete(batch->first);
	pthread_mutex_lock(&log->lock);
	pthread_cond_broadcast(&log->grown);
	pthread_mutex_unlock(&log->lock);
}

/* Writes the batch, and tells its submitters; *batch is empty afterwards.
 * False: the log has failed. */
static bool finish_batch(struct record_log *log, struct batch *batch)
{
	struct error err = {0};
	uint64_t begun_ns = monotonic_ns();
	bool ok = true;

	if (batch->count == 0)
		return true;
	ok = flush_batch(log, batch, &err);
	atomic_fetch_add(&log->flush_ns, monotonic_ns() - begun_ns);
	if (ok) {
		/* before done runs, as that may free the entries */
		tile_batch(log, batch->count);
		acknowledge(log, batch);
	} else {
		fail(log);
		complete_all(batch->first, &err);
	}
	*batch = (struct batch){0};
	return ok;
}

static size_t reserve_bytes(const struct record_log *log)
{
	uint64_t quarter = log->options.segment_bytes / 4;

	return quarter < RECORD_SEGMENT_RESERVE_BYTES ? (size_t)quarter
						      : RECORD_SEGMENT_RESERVE_BYTES;
}

/* Works towards the next segment; false if the disk is full or failing. */
static bool prepare(struct record_log *log, bool *is_ready, struct error *err)
{
	if (log->is_disk_full && record_log_now_ms(log) < log->prepare_after_ms)
		return error_set(err, ERROR_LIMIT, "the disk is full");
	log->is_disk_full = !segments_prepare(log->segments, is_ready, err);
	if (log->is_disk_full)
		log->prepare_after_ms = record_log_now_ms(log) + PREPARE_RETRY_MS;
	else if (*is_ready)
		atomic_store(&log->is_full, false);
	return !log->is_disk_full;
}

static bool is_next_ready(struct record_log *log, struct error *err)
{
	bool is_ready = false;

	while (!is_ready) {
		if (!prepare(log, &is_ready, err))
			return false;
	}
	return true;
}

static bool refuse_full(struct record_log *log, struct error *err)
{
	atomic_fetch_add(&log->refused, 1);
	return error_set(err, ERROR_LIMIT, "the disk is full");
}

/* Makes room for one more entry of cost bytes, finishing the batch if it must.
 * False: err says why the entry is refused, or the log has failed. */
static bool make_room(struct record_log *log, struct batch *batch, size_t cost,
	enum record_urgency urgency, struct error *err)
{
	size_t room = segments_room(log->segments);
	bool is_big = batch->count > 0 && batch->bytes + cost > SEGMENTS_BATCH_BYTES_MAX;

	if (is_big || batch->count == SEGMENTS_BATCH_ENTRIES_MAX || batch->bytes + cost > room) {
		if (!finish_batch(log, batch))
			return error_set(err, ERROR_IO, "the log has failed");
		room = segments_room(log->segments);
	}
	if (urgency == RECORD_ORDINARY && batch->bytes + cost + reserve_bytes(log) > room &&
		!is_next_ready(log, err)) {
		atomic_store(&log->is_full, true);
		return refuse_full(log, err);
	}
	if (batch->bytes + cost <= room)
		return true;
	segments_set_tiled(log->segments, publisher_tiled(log->publisher));
	if (segments_rotate(log->segments, cost, err))
		return true;
	if (record_is_full_disk(err))
		return refuse_full(log, err);
	fail(log);
	return false;
}

static bool check_content(const struct record_append *append, struct error *err)
{
	struct sha256 digest;

	if (append->content.length == 0)
		return true;
	digest = sha256_of(append->content.data, append->content.length);
	if (!sha256_equal(&digest, &append->content_digest))
		return error_set(err, ERROR_INVALID, "record: the content is not the one named");
	return true;
}

static bool put_key(struct record_log *log, const struct record_append *append, struct error *err)
{
	if (!append->content_key.is_used || key_file_put(log->key_file, &append->content_key, err))
		return true;
	if (err->code == ERROR_IO)
		fail(log);
	return false;
}

/* Adds the append to the batch, or refuses it. */
static void admit(struct record_log *log, struct batch *batch, struct record_append *append)
{
	struct segment_entry entry = {.content = append->content, .entry = append->entry};
	struct error err = {0};
	size_t cost = segments_cost(&entry);

	if (atomic_load(&log->has_failed))
		error_set(&err, ERROR_IO, "the log has failed");
	else if (check_content(append, &err) &&
		 make_room(log, batch, cost, append->urgency, &err) && put_key(log, append, &err)) {
		append->next = NULL;
		if (batch->first == NULL)
			batch->first = append;
		else
			batch->last->next = append;
		batch->last = append;
		batch->count++;
		batch->bytes += cost;
		return;
	}
	/* those before it are answered first */
	(void)finish_batch(log, batch);
	complete_one(append, &err);
}

static void write_queued(struct record_log *log, struct record_append *append)
{
	struct batch batch = {0};

	while (append != NULL) {
		struct record_append *next = append->next;

		admit(log, &batch, append);
		append = next;
	}
	(void)finish_batch(log, &batch);
}

bool record_publish(struct record_log *log, struct error *err)
{
	if (log->is_forked || atomic_load(&log->has_failed))
		return true;
	if (publisher_publish(log->publisher, err))
		return true;
	atomic_fetch_add(&log->publish_errors, 1);
	log->is_forked = err->code == ERROR_CONFLICT;
	return !log->is_forked;
}

/* What went wrong is counted, and seen by whoever looks at the figures. */
static void publish_behind(struct record_log *log)
{
	struct error counted = {0};

	if (!record_publish(log, &counted))
		atomic_store(&log->is_forked, true);
}

static bool is_signed(struct record_log *log)
{
	return publisher_signed_size(log->publisher) == segments_size(log->segments);
}

/* Does one piece of work that can wait; false if there is none. */
static bool work_behind(struct record_log *log, bool is_busy)
{
	struct error ignored = {0};
	bool is_done = false;
	size_t room = segments_room(log->segments);
	int64_t now = record_log_now_ms(log);

	if (atomic_load(&log->has_failed))
		return false;
	if (!is_signed(log) && !log->is_forked && now >= log->publish_after_ms) {
		log->publish_after_ms = now + log->options.checkpoint_interval_ms;
		publish_behind(log);
		return true;
	}
	if (!publisher_flush(log->publisher, &ignored))
		atomic_fetch_add(&log->publish_errors, 1);
	if (room < log->options.segment_bytes / 4 * 3 && prepare(log, &is_done, &ignored) &&
		!is_done)
		return true;
	if (is_busy && publisher_unsynced(log->publisher) < BUSY_UNSYNCED_MAX)
		return false;
	return publisher_tidy(log->publisher, &is_done, &ignored) && !is_done;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* With the lock held: sleeps until there is something to do. */
static void wait_for_work(struct record_log *log)
{
	int64_t now = record_now_ms(), until = now + IDLE_WAIT_MS;
	struct timespec at;

	if (!is_signed(log) && !log->is_forked)
		until = earlier(until, log->publish_after_ms);
	if (log->queue.first != NULL)
		until = earlier(until, log->queue.lingers_until_ms);
	if (log->busy_until_ms > now) /* then what lingers need not wake it */
		until = earlier(until, log->busy_until_ms);
	at = (struct timespec){until / 1000, until % 1000 * 1000000};
	log->wakes_at_ms = until;
	pthread_cond_timedwait(&log->wake, &log->lock, &at);
	log->wakes_at_ms = 0;
}

/* With the lock held. */
static bool is_due(const struct record_log *log)
{
	const struct record_queue *queue = &log->queue;

	return queue->prompt_count > 0 ||
	       (queue->first != NULL && record_now_ms() >= queue->lingers_until_ms);
}

/* The whole queue; NULL if it is empty.  *is_closing: no more will come. */
static struct record_append *take_queue(struct record_log *log, bool may_wait, bool *is_closing)
{
	struct record_append *first;

	pthread_mutex_lock(&log->lock);
	if (may_wait && !is_due(log) && !log->is_closing)
		wait_for_work(log);
	first = log->queue.first;
	log->queue = (struct record_queue){0};
	*is_closing = log->is_closing;
	pthread_mutex_unlock(&log->lock);
	return first;
}

bool record_step(struct record_log *log)
{
	bool is_closing;
	struct record_append *taken = take_queue(log, false, &is_closing);

	write_queued(log, taken);
	return work_behind(log, taken != NULL) || taken != NULL;
}

/* Says that the end was in order, signs and tidies up what is left. */
static void finish(struct record_log *log)
{
	struct error ignored = {0};
	bool is_tidy = atomic_load(&log->has_failed);

	/* without room for it the log ends without: it is still whole */
	if (!is_tidy && !record_write_stop(log, &ignored) && !record_is_full_disk(&ignored))
		fail(log);
	publish_behind(log);
	while (!is_tidy && publisher_tidy(log->publisher, &is_tidy, &ignored))
		;
}

static void *run_writer(void *context)
{
	struct record_log *log = context;
	bool has_more = false, is_closing = false;

	while (!is_closing) {
		struct record_append *taken = take_queue(log, !has_more, &is_closing);

		write_queued(log, taken);
		if (taken != NULL)
			log->busy_until_ms = record_now_ms() + RECORD_LINGER_MS;
		has_more = work_behind(log, taken != NULL);
	}
	write_queued(log, take_queue(log, false, &is_closing));
	finish(log);
	return NULL;
}

bool record_writer_start(struct record_log *log, struct error *err)
{
	log->publish_after_ms = record_log_now_ms(log);
	if (pthread_create(&log->writer, NULL, run_writer, log) != 0)
		return error_set(err, ERROR_LIMIT, "no thread for the log's writer");
	log->has_writer = true;
	return true;
}

bool record_write_now(struct record_log *log, struct text entry, struct error *err)
{
	struct segment_entry item = {.entry = entry};

	if (segments_room(log->segments) < segments_cost(&item)) {
		segments_set_tiled(log->segments, publisher_tiled(log->publisher));
		if (!segments_rotate(log->segments, segments_cost(&item), err))
			return false;
	}
	if (!segments_write(log->segments, &item, 1, err))
		return false;
	if (!publisher_add(log->publisher, entry, &item.leaf, err))
		return false;
	return true;
}
