#ifndef SERVICES_REPLAY_REPLAY_LOG_H
#define SERVICES_REPLAY_REPLAY_LOG_H

#include "domain/replay/replay.h"
#include "services/record/disk.h"

/* Feeds a log on disk to a replay, from its first entry on.  It only reads, claims
 * nothing, and may run beside the daemon: what it reads has passed its checksums and
 * chains to what is before it, and a last batch that is not whole yet is the end.
 * Signatures it does not check: remit-verify does.
 * progress (may be NULL) is told how much of it was read, now and then.
 * Errors: NOT_FOUND (no log there), CORRUPT, LIMIT, IO. */
struct replay_progress {
	void *context;
	void (*run)(void *context, uint64_t done_bytes, uint64_t total_bytes);
};
bool replay_log(struct replay *replay, const struct disk *disk,
	const struct replay_progress *progress, struct error *err) MUST_CHECK;

#endif
