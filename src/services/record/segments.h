#ifndef SERVICES_RECORD_SEGMENTS_H
#define SERVICES_RECORD_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"
#include "domain/audit/checkpoint.h"
#include "domain/audit/frame.h"
#include "domain/audit/merkle.h"
#include "services/record/disk.h"

/* The segment files: recovery, appending batches, reading entries.  Appending is
 * the writer thread's alone; reading is safe from any thread. */
struct segments;

enum {
	SEGMENTS_BATCH_BYTES_MAX = 4 * 1024 * 1024, /* of a batch of more than one entry */
	SEGMENTS_BATCH_ENTRIES_MAX = 4096,
	SEGMENTS_ORIGIN_BYTES_MAX = 255,
	SEGMENTS_MAX = 1000 * 1000, /* files */
};

/* What somebody outside was promised: the log must hold each head as it is. */
struct segments_required {
	const struct tree_head *heads;
	size_t head_count;
	uint64_t size;   /* and at least so many entries */
	bool from_start; /* read every segment, so that all tiles can be made again */
};

/* What recovery tells as it reads.  Each may fail, and then recovery does. */
struct segments_visitor {
	void *context;
	/* Once, before the first entry it reads; those below segments_size may be
	 * walked already. */
	bool (*begin)(void *context, struct segments *segments, struct error *err);
	bool (*entry)(
		void *context, struct text entry, const struct sha256 *leaf, struct error *err);
};

/* Recovers what disk holds: the longest valid prefix, with a torn last batch
 * cut off and zeroed.  Reads from the newest segment that starts at or before
 * every required head.  An empty folder gives an empty log.
 * Errors: CORRUPT (damage that is no torn tail; shorter or other than required),
 * LIMIT, IO, those of visitor. */
bool segments_open(struct segments **out, const struct disk *disk, uint64_t segment_bytes,
	const struct segments_required *required, const struct segments_visitor *visitor,
	struct error *err) MUST_CHECK;
void segments_close(struct segments **segments);

/* The origin that segments from the next one on are labelled with; "" before
 * the first.  Errors: LIMIT. */
const char *segments_origin(const struct segments *segments);
bool segments_set_origin(
	struct segments *segments, struct text origin, struct error *err) MUST_CHECK;

/* Tiles and bundles of so many entries are durable: noted in the next segment's
 * first frame, so that recovery need not go back further. */
void segments_set_tiled(struct segments *segments, uint64_t tiled);

/* The tree of all entries that are durable.  Writer's thread. */
const struct merkle_frontier *segments_frontier(const struct segments *segments);
/* Safe from any thread. */
uint64_t segments_size(const struct segments *segments);

/* Where the durable batches end: number of the active segment (0: none) and
 * offset in it.  Safe from any thread. */
struct segment_extent {
	uint64_t number;
	uint64_t offset;
	uint64_t entries;
};
struct segment_extent segments_extent(struct segments *segments);

struct segment_entry {
	struct text content; /* .length 0: none */
	struct text entry;
	struct sha256 leaf; /* filled by segments_write */
};

/* Bytes an entry takes in a batch, and that are left in the active segment. */
size_t segments_cost(const struct segment_entry *entry);
size_t segments_room(const struct segments *segments);

/* One step towards the next segment's file (a bounded write of zeros), so that
 * rotating need not wait.  *is_ready when there is nothing to do.  Errors: IO
 * (os_errno ENOSPC: the disk is full; nothing is lost and it may be repeated). */
bool segments_prepare(struct segments *segments, bool *is_ready, struct error *err) MUST_CHECK;
/* Makes the next segment active, with room for need bytes.  Errors: as
 * segments_prepare. */
bool segments_rotate(struct segments *segments, size_t need, struct error *err) MUST_CHECK;

/* Writes the entries as one batch and syncs it.  They must fit segments_room.
 * After a failure nothing may be written any more. Errors: LIMIT, IO. */
bool segments_write(struct segments *segments, struct segment_entry *entries, size_t count,
	struct error *err) MUST_CHECK;

/* A walk over entries in order; one thread at a time. */
struct segment_walk;

struct segment_found {
	uint64_t index;
	struct text entry;
	bool has_content;
	struct text content; /* .data is NULL unless asked for */
};

enum segment_want { SEGMENT_ENTRIES = 0, SEGMENT_ENTRIES_AND_CONTENT };

/* Errors: LIMIT, IO, CORRUPT. */
bool segment_walk_open(struct segment_walk **out, struct segments *segments, uint64_t from,
	enum segment_want want, struct error *err) MUST_CHECK;
/* *is_end: all durable entries were seen; ask again later.  *out is borrowed
 * until the next call. */
bool segment_walk_next(struct segment_walk *walk, struct segment_found *out, bool *is_end,
	struct error *err) MUST_CHECK;
void segment_walk_close(struct segment_walk **walk);

/* "audit/segments/0000000001" */
enum { SEGMENT_PATH_BYTES = 40 };
void segment_path(char out[SEGMENT_PATH_BYTES], uint64_t number);
/* How many there are, on a disk that nobody need have opened.  Errors: NOT_FOUND (none), CORRUPT
 * (one is missing, and a later one is there), LIMIT, IO. */
bool segments_count(const struct disk *disk, uint64_t *out, struct error *err) MUST_CHECK;

#endif
