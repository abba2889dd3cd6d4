#ifndef TESTS_SUPPORT_DISK_LOG_H
#define TESTS_SUPPORT_DISK_LOG_H

#include "audit_support.h"
#include "base/seal.h"
#include "services/record/contents.h"
#include "services/record/segments.h"
#include "services/registry/fold.h"
#include "services/registry/projector.h"
#include "simulated_disk.h"

/* The real log and the real contents on the disk that forgets, as ports for the
 * fold, the projector and the calls; opened again and again over what crashes
 * leave.  It remembers what was promised: every entry that was acknowledged, or
 * that somebody saw durable, must be there, as it was, for ever. */

enum { DISK_LOG_ENTRIES_MAX = 16384 };

/* Who steps the writer: its own thread, as in the daemon, or the test, so that a
 * seed gives the same run every time. */
enum disk_log_writer { DISK_LOG_STEPPED = 0, DISK_LOG_THREAD };

struct disk_log {
	struct simulated_disk *disk;
	struct test_signer signer;
	struct seal_key master;
	_Atomic int64_t clock_utc_ms;
	/* While it is open: */
	enum disk_log_writer writer;
	struct loop *loop;
	struct record_log *log;
	struct contents *contents;
	size_t pending; /* submitted, and done has not run */
	bool is_settling;
	void (*on_own_work)(bool begins); /* see call_bench.h; or NULL */
	/* Promised, over all openings: */
	struct sha256 known[DISK_LOG_ENTRIES_MAX];
	bool is_known[DISK_LOG_ENTRIES_MAX];
	uint64_t known_size;
	/* Acknowledged, over all openings; below it the log is in the state, too. */
	uint64_t folded_size;
	uint64_t acknowledged;
};

void disk_log_init(struct disk_log *log);
void disk_log_deinit(struct disk_log *log);

/* Opens contents and log; what is done runs on loop.  known_size as in
 * record_log_options.  Errors: those of record_log_open. */
bool disk_log_open(struct disk_log *log, enum disk_log_writer writer, struct loop *loop,
	uint64_t known_size, struct error *err) MUST_CHECK;
/* Every append taken is answered; the loop must run them yet. */
void disk_log_close(struct disk_log *log);
/* The power is gone, and the disk holds what a crash left by seed. */
void disk_log_crash(struct disk_log *log, uint64_t seed);

struct fold_log disk_log_port(struct disk_log *log);
struct projector_log disk_log_reader(struct disk_log *log);
/* Writes until nothing is pending, and runs what is done.  Context is the log. */
void disk_log_settle(void *context);
/* The wall clock goes on, or back. */
void disk_log_pass(void *context, int64_t ms);

/* Whoever saw the entry durable: it must never be another. */
void disk_log_promise(struct disk_log *log, uint64_t index, struct text entry);

/* What would be there after any power cut at this moment, read by the code that
 * recovers logs. */
struct durable_image {
	struct simulated_disk *disk;
	struct segments *segments;
	struct segment_walk *walk;
	struct contents *contents;
};
void durable_image_open(struct durable_image *image, struct disk_log *log);
/* The next entry with its content; false at the end. */
bool durable_image_next(struct durable_image *image, struct segment_found *out);
void durable_image_close(struct durable_image *image);

#endif
