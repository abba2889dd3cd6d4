#ifndef DOMAIN_AUDIT_FRAME_H
#define DOMAIN_AUDIT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/digest.h"
#include "base/text.h"
#include "domain/audit/merkle.h"

/* Frames, batches and segments: the log as it lies on disk
 * (docs/formats/frames.md). */

enum {
	FRAME_HEADER_BYTES = 64,
	FRAME_ALIGN_BYTES = 8,          /* each frame starts at a multiple */
	FRAME_BATCH_ALIGN_BYTES = 4096, /* each batch starts at a multiple */
	FRAME_PAYLOAD_BYTES_MAX = 17 * 1024 * 1024,
	FRAME_SEGMENT_PAYLOAD_BYTES_MAX = 4096,
};

enum frame_kind {
	FRAME_NONE = 0, /* zeros: nothing was written here */
	FRAME_SEGMENT,  /* first of every segment: number, origin, right edge */
	FRAME_ENTRY,    /* one leaf of the tree */
	FRAME_CONTENT,  /* bytes the next entry names by their hash */
};

enum frame_flags { FRAME_FIRST_OF_BATCH = 1, FRAME_LAST_OF_BATCH = 2 };

struct frame {
	enum frame_kind kind;
	unsigned flags;         /* enum frame_flags */
	uint64_t sequence;      /* of this frame, over all segments, from 0 */
	uint64_t index;         /* of this entry; of the next one for other kinds */
	struct sha256 previous; /* hash of the previous batch; zeros before the first */
	struct text payload;    /* borrowed */
};

/* What the next frame must say to continue the log. {0} before the first. */
struct frame_chain {
	uint64_t sequence;
	uint64_t index;
	struct sha256 previous;
};

/* Bytes a frame takes, its padding to FRAME_ALIGN_BYTES included. */
size_t frame_size(size_t payload_bytes);
/* size rounded up to FRAME_BATCH_ALIGN_BYTES. */
size_t frame_batch_size(size_t size);

/* Writes frame_size(payload.length) bytes to out. */
void frame_write(uint8_t *out, const struct frame *frame);

/* The hash that links batches: of size bytes from the first frame to the end
 * of the last, without the padding to FRAME_BATCH_ALIGN_BYTES. */
struct sha256 frame_batch_hash(const uint8_t *batch, size_t size);

/* Why bytes are not a frame, or not the next batch. */
enum frame_fault {
	FRAME_OK = 0,
	FRAME_END, /* zeros, or the segment's end: no batch here */
	FRAME_BAD_MAGIC,
	FRAME_BAD_HEADER, /* kind, flags or reserved bytes */
	FRAME_BAD_LENGTH, /* beyond the limit or the segment */
	FRAME_BAD_CHECKSUM,
	FRAME_BAD_SEQUENCE,
	FRAME_BAD_INDEX,
	FRAME_BAD_CHAIN,
	FRAME_BAD_PADDING, /* not zero */
	FRAME_BAD_ORDER,   /* segment frame not first, content without entry */
	FRAME_FAULT_COUNT
};

const char *frame_fault_text(enum frame_fault fault);

/* Reads FRAME_HEADER_BYTES; out->payload has its length but no data, and the
 * checksum is not checked. */
enum frame_fault frame_read_header(const uint8_t *at, struct frame *out);

/* Reads the frame at the start of size bytes and checks it alone. */
enum frame_fault frame_read(const uint8_t *bytes, size_t size, struct frame *out);

/* One whole, valid batch within a segment. */
struct frame_batch {
	size_t offset;
	size_t frames_size; /* bytes of its frames */
	size_t size;        /* with padding: the next batch starts at offset + size */
	uint32_t entry_count;
};

/* Where the first bad frame starts, and which entry it is or precedes. */
struct frame_fault_place {
	size_t offset;
	uint64_t index;
};

/* Checks the batch at offset (a multiple of FRAME_BATCH_ALIGN_BYTES) of the
 * segment's size bytes against *chain.  FRAME_OK: *out is the batch and *chain
 * what must follow it.  Otherwise *chain is unchanged and *place is filled. */
enum frame_fault frame_batch_read(const uint8_t *segment, size_t size, size_t offset,
	struct frame_chain *chain, struct frame_batch *out, struct frame_fault_place *place);

/* The frame at *cursor within a batch read before, which then moves to the
 * next one.  False after the last. */
bool frame_next(
	const uint8_t *segment, const struct frame_batch *batch, size_t *cursor, struct frame *out);

/* True if a frame that could start another batch lies anywhere at or after
 * offset: then what is wrong before it is not a torn tail.  chain is what the
 * torn batch continues. */
bool frame_finds_later_batch(
	const uint8_t *segment, size_t size, size_t offset, const struct frame_chain *chain);

/* The payload of FRAME_SEGMENT. */
struct frame_segment {
	uint64_t number; /* of the segment, from 1 */
	struct text origin;
	uint64_t tiled; /* tiles and bundles of so many entries are known to be durable */
	struct merkle_frontier frontier; /* of the tree before its first entry */
};

/* Bytes written to out, which holds FRAME_SEGMENT_PAYLOAD_BYTES_MAX. */
size_t frame_segment_encode(uint8_t *out, const struct frame_segment *segment);
bool frame_segment_decode(struct frame_segment *out, struct text payload) MUST_CHECK;

#endif
