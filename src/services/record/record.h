#ifndef SERVICES_RECORD_RECORD_H
#define SERVICES_RECORD_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/text.h"

/* The audit log as the rest of the product sees it: submit an entry, hear back
 * once it is durable.  One writer thread, group commit (README.md here). */
struct record_log;

enum {
	RECORD_ENTRY_BYTES_MAX = 65535, /* C2SP tlog-tiles: a bundle's length field is 16 bits */
	RECORD_CONTENT_BYTES_MAX = 16 * 1024 * 1024,
};

/* One entry on its way.  Embedded in the submitter's object, which must stay in
 * place until done ran. */
struct record_append {
	struct text entry;   /* canonical JSON, borrowed until done */
	struct text content; /* optional bytes kept beside the log, borrowed until done */
	struct loop *loop;   /* done runs on this loop's thread */
	void (*done)(struct record_append *append);
	void *context;
	/* Filled before done runs. */
	bool is_durable; /* false: err says why, and the entry has no effect */
	uint64_t index;  /* leaf index in the log */
	struct error err;
	struct loop_post post;      /* private */
	struct record_append *next; /* private */
};

/* Hands the entry to the writer.  False: nothing was taken and done will not
 * run (LIMIT: queue full or entry too large; IO: the log has failed).  Safe from any thread.
 * Entries of one thread become durable in the order submitted, and their done
 * functions run in that order. */
bool record_submit(
	struct record_log *log, struct record_append *append, struct error *err) MUST_CHECK;

/* The time to write into the next record: max(wall clock, last given), in
 * milliseconds since 1970 UTC.  Safe from any thread. */
int64_t record_stamp_utc_ms(struct record_log *log);

/* True once a write or sync failed: nothing will ever be acknowledged again by
 * this process.  Safe from any thread. */
bool record_has_failed(const struct record_log *log);

#endif
