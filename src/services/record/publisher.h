#ifndef SERVICES_RECORD_PUBLISHER_H
#define SERVICES_RECORD_PUBLISHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"
#include "domain/audit/checkpoint.h"
#include "services/record/disk.h"
#include "services/record/segments.h"
#include "services/record/signer.h"

/* Writes tiles, entry bundles and signed checkpoints behind the writer, on the
 * writer's thread.  All it writes can be made again from the segments, so
 * tiles are synced lazily, and a failure here is retried, not final. */
struct publisher;

enum {
	PUBLISHER_PENDING_BYTES_MAX = 64 * 1024 * 1024, /* tiles the disk did not take yet */
	PUBLISHER_UNSYNCED_MAX = 4096,                  /* files */
};

/* signed_head: of the newest checkpoint; size 0 if none.  signer and disk must
 * outlive it.  Errors: LIMIT. */
bool publisher_open(struct publisher **out, const struct disk *disk,
	const struct checkpoint_signer *signer, const struct tree_head *signed_head,
	struct error *err) MUST_CHECK;
void publisher_close(struct publisher **publisher);

/* Takes up at the tree of segments: the open tile of each level is read again
 * from older tiles and entries.  Errors: CORRUPT (they do not give this tree),
 * LIMIT, IO. */
bool publisher_resume(
	struct publisher *publisher, struct segments *segments, struct error *err) MUST_CHECK;

/* After the last entry that recovery read: repairs what a crash did to partial
 * tiles that were published.  May be left out after an error. */
bool publisher_recovered(struct publisher *publisher, struct error *err) MUST_CHECK;

/* Takes the next entry.  Errors: LIMIT: then nothing is published any more
 * until the log is opened again. */
bool publisher_add(struct publisher *publisher, struct text entry, const struct sha256 *leaf,
	struct error *err) MUST_CHECK;

/* Writes full tiles that are waiting.  May be repeated after an error. */
bool publisher_flush(struct publisher *publisher, struct error *err) MUST_CHECK;

/* Writes the open tiles and a signed checkpoint over all entries taken; nothing
 * to do if the newest one covers them.  May be repeated after an error, but
 * not after CONFLICT: the signer knows another log. */
bool publisher_publish(struct publisher *publisher, struct error *err) MUST_CHECK;

/* One small step of making tiles durable and of removing partial tiles that a
 * full one replaced; *is_tidy when nothing is left. */
bool publisher_tidy(struct publisher *publisher, bool *is_tidy, struct error *err) MUST_CHECK;

/* Entries under the newest checkpoint. */
uint64_t publisher_signed_size(const struct publisher *publisher);

/* Entries taken; files not synced; entries whose tiles are durable. */
uint64_t publisher_size(const struct publisher *publisher);
uint32_t publisher_unsynced(const struct publisher *publisher);
uint64_t publisher_tiled(const struct publisher *publisher);

/* The newest checkpoint and its head.  Safe from any thread.
 * Errors: NOT_FOUND, LIMIT. */
bool publisher_checkpoint(struct publisher *publisher, struct arena *arena, struct text *out_note,
	struct tree_head *out_head, struct error *err) MUST_CHECK;

#endif
