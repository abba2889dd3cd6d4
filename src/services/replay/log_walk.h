#ifndef SERVICES_REPLAY_LOG_WALK_H
#define SERVICES_REPLAY_LOG_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"
#include "services/record/disk.h"

struct log_entry {
	uint64_t index;
	struct text entry;
	struct text content; /* what lies beside it; empty: nothing */
};

/* Who is told each entry, in order; false ends the walk with its error. */
struct log_visitor {
	void *context;
	bool (*visit)(void *context, const struct log_entry *entry, struct error *err);
};

/* Walks a log on disk, from its first entry on.  It only reads, claims
 * nothing, and may run beside the daemon: what it reads has passed its checksums and
 * chains to what is before it, a last batch that is not whole yet is the end, and what was read
 * while it was written is read again. Signatures it does not check: remit-verify does. progress
 * (may be NULL) is told how much of it was read, now and then. Errors: NOT_FOUND (no log there),
 * CORRUPT, LIMIT, IO, the visitor's. */
struct log_progress {
	void *context;
	void (*run)(void *context, uint64_t done_bytes, uint64_t total_bytes);
};
bool log_walk(const struct disk *disk, const struct log_visitor *visitor,
	const struct log_progress *progress, struct error *err) MUST_CHECK;

#endif
