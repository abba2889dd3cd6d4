#ifndef SERVICES_RECORD_SEGMENTS_PRIVATE_H
#define SERVICES_RECORD_SEGMENTS_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "services/record/segments.h"

#define SEGMENTS_FOLDER "audit/segments"

/* Where a batch starts; about one for every 64 KiB. */
struct segment_mark {
	uint64_t index; /* of its first entry */
	uint64_t offset;
};

struct segment {
	uint64_t number;
	uint64_t first_index;
	struct segment_mark *marks;
	uint32_t mark_count;
	uint32_t mark_capacity;
	bool is_partial; /* not scanned at open: marks still to be read */
};

struct segments {
	const struct disk *disk;
	uint64_t segment_bytes;
	char origin[SEGMENTS_ORIGIN_BYTES_MAX + 1];

	/* the writer's */
	uint64_t tiled;
	struct frame_chain chain;
	struct merkle_frontier frontier;
	uint64_t number; /* of the active segment; 0 before the first */
	int file;        /* -1: none */
	uint64_t file_size;
	uint64_t offset; /* where the next batch goes */
	int next_file;   /* -1: none */
	uint64_t next_size;
	bool next_is_ready;
	uint8_t *batch;
	size_t batch_capacity;

	/* everybody's */
	_Atomic uint64_t size;
	pthread_mutex_t lock;
	struct segment_extent extent;
	struct segment *table;
	size_t count;
	size_t capacity;
};

/* Appends a segment to the table.  Errors: LIMIT. */
bool segments_table_add(struct segments *segments, uint64_t number, uint64_t first_index,
	struct error *err) MUST_CHECK;
/* Marks a batch of the segment being read or written.  A mark that finds no
 * memory only makes later reads slower. */
void segments_table_mark(struct segments *segments, uint64_t index, uint64_t offset);

void segments_note_extent(struct segments *segments);

bool segments_write_zeros(const struct disk *disk, int file, uint64_t from, uint64_t to,
	struct error *err) MUST_CHECK;

bool segments_recover(struct segments *segments, const struct segments_required *required,
	const struct segments_visitor *visitor, struct error *err) MUST_CHECK;

/* Adds a mark unless one is near.  False when out of memory. */
bool segment_mark(struct segment *segment, uint64_t index, uint64_t offset);

#endif
