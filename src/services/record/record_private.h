#ifndef SERVICES_RECORD_RECORD_PRIVATE_H
#define SERVICES_RECORD_RECORD_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "domain/audit/envelope.h"
#include "services/record/key_file.h"
#include "services/record/publisher.h"
#include "services/record/record.h"
#include "services/record/segments.h"

/* Appends in order of submission. */
struct record_queue {
	struct record_append *first;
	struct record_append *last;
	uint32_t count;
	uint32_t prompt_count; /* of those that may not linger */
	uint64_t bytes;
	int64_t lingers_until_ms; /* monotonic: when the first that lingers is due */
};

/* What a restored folder's log was before. */
struct record_restore {
	struct text note; /* its last checkpoint */
	struct tree_head head;
};

struct record_log {
	struct record_log_options options; /* defaults filled in */

	const struct record_restore *restore; /* while opening a restored log */
	bool has_resumed;                     /* the publisher has, while opening */
	struct segments *recovering;          /* while opening */

	/* the writer's */
	struct segments *segments;
	struct publisher *publisher;
	struct key_file *key_file;
	struct segment_entry *entries; /* SEGMENTS_BATCH_ENTRIES_MAX */
	bool is_disk_full;             /* the last try to prepare a segment found no room */
	int64_t prepare_after_ms;      /* monotonic: not before, once it has failed */
	int64_t publish_after_ms;      /* monotonic: next checkpoint */
	int64_t busy_until_ms;         /* monotonic: what lingers may still follow the last batch */
	_Atomic bool is_forked;        /* the signer refused: nothing more is signed */

	pthread_t writer;
	bool has_writer;
	pthread_mutex_t lock; /* guards all of this paragraph */
	pthread_cond_t wake;  /* the writer */
	pthread_cond_t grown; /* those in record_log_wait */
	struct record_queue queue;
	int64_t wakes_at_ms; /* monotonic; 0: the writer is awake and will look itself */
	bool is_closing;
	bool is_interrupted;

	_Atomic bool has_failed;
	_Atomic bool is_full;
	_Atomic int64_t last_stamp_utc_ms;
	_Atomic uint64_t batches;
	_Atomic uint64_t flush_ns;
	_Atomic uint64_t refused;
	_Atomic uint64_t publish_errors;
};

/* Milliseconds on the monotonic clock: the system's, and the log's own. */
int64_t record_now_ms(void);
int64_t record_log_now_ms(const struct record_log *log);

/* Opens without a thread; the caller then is the writer and calls record_step.
 * For tests that need every step in one order. */
bool record_log_open_stepped(struct record_log **out, const struct record_log_options *options,
	struct error *err) MUST_CHECK;
/* Opens what a backup was unpacked into, under a signer with a new origin.
 * Errors: those of record_log_open; CONFLICT (the origin is not new). */
bool record_log_open_restored(struct record_log **out, const struct record_log_options *options,
	const struct record_restore *restore, struct error *err) MUST_CHECK;

/* Writes what is queued, then does one piece of background work; false if there
 * was none. */
bool record_step(struct record_log *log);

/* True if err says that the disk has no room. */
bool record_is_full_disk(const struct error *err);

/* Starts the thread that record_log_close joins.  Errors: LIMIT. */
bool record_writer_start(struct record_log *log, struct error *err) MUST_CHECK;

/* Writes one entry as a batch of its own, on the calling thread, while there is
 * no writer.  Errors: those of segments_write. */
bool record_write_now(struct record_log *log, struct text entry, struct error *err) MUST_CHECK;

/* Writes the `stop` record, on the writer's thread.  Errors: those of
 * record_write_now. */
bool record_write_stop(struct record_log *log, struct error *err) MUST_CHECK;

/* Signs what is not signed yet.  Only CONFLICT is an error; anything else is
 * counted and tried again later. */
bool record_publish(struct record_log *log, struct error *err) MUST_CHECK;

#endif
