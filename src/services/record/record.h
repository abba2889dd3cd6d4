#ifndef SERVICES_RECORD_RECORD_H
#define SERVICES_RECORD_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/text.h"
#include "domain/audit/checkpoint.h"
#include "domain/audit/envelope.h"
#include "services/record/disk.h"
#include "services/record/signer.h"

/* The audit log as the rest of the product sees it: submit an entry, hear back
 * once it is durable.  One writer thread, group commit (README.md here). */
struct record_log;

enum {
	RECORD_ENTRY_BYTES_MAX = 65535, /* C2SP tlog-tiles: a bundle's length field is 16 bits */
	RECORD_CONTENT_BYTES_MAX = 16 * 1024 * 1024,
	RECORD_LINGER_MS = 5,
};

/* What still fits when the disk is full. */
enum record_urgency {
	RECORD_ORDINARY = 0, /* refused while only the reserve is left */
	RECORD_RESERVED,     /* kill, suspend, end, shutdown: may use the reserve */
};

/* A task's wrapped key and its place, to be durable before the entry is. */
enum { CONTENT_KEY_SLOT_BYTES = 128 };
struct content_key_slot {
	bool is_used;
	bool is_erasure;
	uint64_t position; /* in the file of keys, in slots */
	uint8_t bytes[CONTENT_KEY_SLOT_BYTES];
};

/* One entry on its way.  Embedded in the submitter's object, which must stay in
 * place until done ran. */
struct record_append {
	struct text entry; /* canonical JSON, borrowed until done */
	/* So that entry need not be read and checked: the value it is the
	 * json_canonical_text of, or the common members of what a json_writer wrote.  Both
	 * are borrowed until record_submit returns; both NULL: it is read. */
	const struct json *record;
	const struct envelope *common;
	struct text content; /* optional bytes kept beside the log, borrowed until done */
	struct content_key_slot content_key; /* contents_attach; {0} if not used */
	enum record_urgency urgency;
	/* Nobody waits for it: it may wait RECORD_LINGER_MS for a batch of others. */
	bool may_linger;
	struct loop *loop; /* done runs on this loop's thread; NULL: on the writer's */
	void (*done)(struct record_append *append);
	void *context;
	/* Filled before done runs. */
	bool is_durable; /* false: err says why, and the entry has no effect */
	uint64_t index;  /* leaf index in the log */
	struct error err;
	struct loop_post post;        /* private */
	struct sha256 content_digest; /* private */
	struct record_append *next;   /* private */
};

/* Hands the entry to the writer.  False: nothing was taken and done will not
 * run (LIMIT: queue full, disk full, or entry too large; INVALID: not a
 * canonical record, or content whose hash the entry does not name; IO: the log has failed).  Safe
 * from any thread. Entries of one thread become durable in the order submitted, and their done
 * functions run in that order. */
bool record_submit(
	struct record_log *log, struct record_append *append, struct error *err) MUST_CHECK;

/* The time to write into the next record: max(wall clock, last given), in
 * milliseconds since 1970 UTC.  Safe from any thread. */
int64_t record_stamp_utc_ms(struct record_log *log);

/* True once a write or sync failed: nothing will ever be acknowledged again by
 * this process.  Safe from any thread. */
bool record_has_failed(const struct record_log *log);

/* --- opening and closing ------------------------------------------------ */

enum {
	RECORD_SEGMENT_BYTES_DEFAULT = 32 * 1024 * 1024,
	RECORD_SEGMENT_BYTES_MIN = 64 * 1024,
	RECORD_SEGMENT_RESERVE_BYTES =
		256 * 1024, /* kept for RECORD_RESERVED; less in small segments */
	RECORD_QUEUE_ENTRIES_DEFAULT = 8192,
	RECORD_QUEUE_BYTES_DEFAULT = 64 * 1024 * 1024,
	RECORD_CHECKPOINT_INTERVAL_MS_DEFAULT = 400,
};

/* Zero members take the defaults above.  Everything pointed to must outlive the
 * log. */
struct record_log_options {
	const struct disk *disk;                /* rooted at the data folder */
	const struct checkpoint_signer *signer; /* its key names the origin */
	int64_t (*wall_utc_ms)(void *context);  /* NULL: the system's clock */
	int64_t (*monotonic_ms)(void *context); /* NULL: the system's clock */
	void *clock_context;                    /* of both */
	struct text version;                    /* of the product, for genesis and start */
	struct text public_keys;                /* canonical JSON array for genesis; empty: [] */
	uint64_t known_size; /* entries somebody was told of (the store's applied_through) */
	uint64_t segment_bytes;
	uint64_t queue_bytes;
	uint32_t queue_entries;
	uint32_t checkpoint_interval_ms;
};

/* Recovers the log in disk or creates it, writes genesis or nothing, then one
 * `start` record, both durable on return, and under a signed checkpoint unless
 * signing or publishing failed: that is counted, and done later.  Refuses
 * (CORRUPT) a log that is shorter than, or differs from, the checkpoint, the
 * signer's last head or known_size.
 * Errors: CORRUPT, CONFLICT (open elsewhere), INVALID, LIMIT, IO. */
bool record_log_open(struct record_log **out, const struct record_log_options *options,
	struct error *err) MUST_CHECK;

/* Takes no more entries, makes those taken durable, signs a last checkpoint,
 * joins the writer, frees *log.  Call it before the loops of pending appends
 * end.  *log may be NULL. */
void record_log_close(struct record_log **log);

/* --- reading: safe from any thread --------------------------------------- */

struct record_entry {
	uint64_t index;
	struct text entry; /* in the caller's arena */
	bool has_content;
};

/* Durable entries. */
uint64_t record_log_size(const struct record_log *log);

/* Waits until the log has more than size entries, failed, was interrupted, or
 * timeout_ms passed; the size now.  For the projector's thread. */
uint64_t record_log_wait(struct record_log *log, uint64_t size, uint32_t timeout_ms);
/* Ends every wait now and from now on. */
void record_log_interrupt(struct record_log *log);

/* One entry by its index.  Errors: NOT_FOUND, LIMIT, IO, CORRUPT. */
bool record_read(struct record_log *log, uint64_t index, struct arena *arena,
	struct record_entry *out, struct error *err) MUST_CHECK;
/* The bytes kept beside entry index, as submitted.  Errors: those of record_read;
 * NOT_FOUND if it has none. */
bool record_read_content(struct record_log *log, uint64_t index, struct arena *arena,
	struct text *out, struct error *err) MUST_CHECK;

/* Entries in order from an index on.  One thread at a time. */
struct record_reader;
bool record_reader_open(struct record_reader **out, struct record_log *log, uint64_t from,
	struct error *err) MUST_CHECK;
/* *is_end: no further durable entry for now; call again later.  out->entry is
 * borrowed until the next call. */
bool record_reader_next(struct record_reader *reader, struct record_entry *out, bool *is_end,
	struct error *err) MUST_CHECK;
void record_reader_close(struct record_reader **reader);

/* --- checkpoints and receipts -------------------------------------------- */

/* The newest signed checkpoint.  Errors: NOT_FOUND (none yet), LIMIT. */
bool record_checkpoint(struct record_log *log, struct arena *arena, struct text *out_note,
	struct tree_head *out_head, struct error *err) MUST_CHECK;

/* Appends the receipt of entry index under the newest checkpoint.  Errors:
 * NOT_FOUND (no such entry, or none signed over it yet: within a second),
 * LIMIT, IO, CORRUPT. */
bool record_receipt(
	struct record_log *log, uint64_t index, struct buffer *out, struct error *err) MUST_CHECK;

/* Figures for metrics. */
struct record_log_status {
	uint64_t size;           /* durable entries */
	uint64_t signed_size;    /* under the newest checkpoint */
	uint64_t batches;        /* flushed by this process */
	uint64_t flush_ns;       /* spent writing and syncing them */
	uint64_t refused;        /* submits refused for a full queue or disk */
	uint64_t publish_errors; /* tile or checkpoint writes that will be retried */
	uint32_t queued;
	bool is_full; /* only RECORD_RESERVED entries are taken */
	bool has_failed;
	bool is_forked; /* the signer knows another log: nothing more is signed */
};
void record_log_status(struct record_log *log, struct record_log_status *out);

#endif
