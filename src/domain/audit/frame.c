/* Frames on disk, little-endian (docs/formats/frames.md):
 *
 *	 0  magic "RMTF"
 *	 4  kind            u8
 *	 5  flags           u8
 *	 6  zero            u16
 *	 8  payload length  u32
 *	12  CRC32C          u32, over the header with this field zero, and the payload
 *	16  sequence        u64
 *	24  index           u64
 *	32  previous        32 bytes
 *	64  payload, then zeros to a multiple of 8
 *
 * Invariants:
 *  1. A batch starts at a multiple of 4096, its first frame is flagged first,
 *     its last one last, and all frames of it carry the same previous hash.
 *  2. Sequence rises by one from frame to frame over all segments; index by
 *     one after each entry.
 *  3. Every byte between frames is zero.
 *  4. A content frame is followed, in its batch, by the entry that names it. */
#include "domain/audit/frame.h"

#include <assert.h>
#include <string.h>

enum {
	AT_KIND = 4,
	AT_FLAGS = 5,
	AT_ZERO = 6,
	AT_LENGTH = 8,
	AT_CHECKSUM = 12,
	AT_SEQUENCE = 16,
	AT_INDEX = 24,
	AT_PREVIOUS = 32,
	SEGMENT_FIXED_BYTES = 8 + 8 + 8 + 2, /* number, size, tiled, origin length */
};

static const uint8_t magic[4] = {'R', 'M', 'T', 'F'};

static void put_number(uint8_t *out, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		out[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_number(const uint8_t *in, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = bytes; i-- > 0;)
		value = value << 8 | in[i];
	return value;
}

static size_t round_up(size_t size, size_t to)
{
	return (size + to - 1) / to * to;
}

size_t frame_size(size_t payload_bytes)
{
	return round_up(FRAME_HEADER_BYTES + payload_bytes, FRAME_ALIGN_BYTES);
}

size_t frame_batch_size(size_t size)
{
	return round_up(size, FRAME_BATCH_ALIGN_BYTES);
}

static uint32_t frame_checksum(const uint8_t header[FRAME_HEADER_BYTES], struct text payload)
{
	uint8_t copy[FRAME_HEADER_BYTES];

	memcpy(copy, header, sizeof copy);
	put_number(copy + AT_CHECKSUM, 0, 4);
	return crc32c(crc32c(0, copy, sizeof copy), payload.data, payload.length);
}

void frame_write(uint8_t *out, const struct frame *frame)
{
	size_t used = FRAME_HEADER_BYTES + frame->payload.length;

	assert(frame->payload.length <= FRAME_PAYLOAD_BYTES_MAX);
	memset(out, 0, FRAME_HEADER_BYTES);
	memcpy(out, magic, sizeof magic);
	out[AT_KIND] = (uint8_t)frame->kind;
	out[AT_FLAGS] = (uint8_t)frame->flags;
	put_number(out + AT_LENGTH, frame->payload.length, 4);
	put_number(out + AT_SEQUENCE, frame->sequence, 8);
	put_number(out + AT_INDEX, frame->index, 8);
	memcpy(out + AT_PREVIOUS, frame->previous.bytes, SHA256_BYTES);
	put_number(out + AT_CHECKSUM, frame_checksum(out, frame->payload), 4);
	if (frame->payload.length > 0)
		memcpy(out + FRAME_HEADER_BYTES, frame->payload.data, frame->payload.length);
	memset(out + used, 0, frame_size(frame->payload.length) - used);
}

struct sha256 frame_batch_hash(const uint8_t *batch, size_t size)
{
	return sha256_of(batch, size);
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

enum frame_fault frame_read_header(const uint8_t *at, struct frame *out)
{
	if (memcmp(at, magic, sizeof magic) != 0)
		return is_zero(at, FRAME_HEADER_BYTES) ? FRAME_END : FRAME_BAD_MAGIC;
	if (at[AT_KIND] < FRAME_SEGMENT || at[AT_KIND] > FRAME_CONTENT ||
		at[AT_FLAGS] > (FRAME_FIRST_OF_BATCH | FRAME_LAST_OF_BATCH) ||
		get_number(at + AT_ZERO, 2) != 0)
		return FRAME_BAD_HEADER;
	out->kind = (enum frame_kind)at[AT_KIND];
	out->flags = at[AT_FLAGS];
	out->sequence = get_number(at + AT_SEQUENCE, 8);
	out->index = get_number(at + AT_INDEX, 8);
	memcpy(out->previous.bytes, at + AT_PREVIOUS, SHA256_BYTES);
	out->payload = (struct text){NULL, (size_t)get_number(at + AT_LENGTH, 4)};
	return out->payload.length <= FRAME_PAYLOAD_BYTES_MAX ? FRAME_OK : FRAME_BAD_LENGTH;
}

enum frame_fault frame_read(const uint8_t *bytes, size_t size, struct frame *out)
{
	enum frame_fault fault;
	size_t used;

	if (size < FRAME_HEADER_BYTES)
		return is_zero(bytes, size) ? FRAME_END : FRAME_BAD_HEADER;
	fault = frame_read_header(bytes, out);
	if (fault != FRAME_OK)
		return fault;
	if (frame_size(out->payload.length) > size)
		return FRAME_BAD_LENGTH;
	out->payload.data = (const char *)bytes + FRAME_HEADER_BYTES;
	if (get_number(bytes + AT_CHECKSUM, 4) != frame_checksum(bytes, out->payload))
		return FRAME_BAD_CHECKSUM;
	used = FRAME_HEADER_BYTES + out->payload.length;
	return is_zero(bytes + used, frame_size(out->payload.length) - used) ? FRAME_OK
									     : FRAME_BAD_PADDING;
}

/* What a frame must be, by its place in the log. */
static enum frame_fault frame_check_place(const struct frame *frame,
	const struct frame_chain *chain, size_t offset, bool is_first, bool after_content)
{
	bool is_flagged_first = (frame->flags & FRAME_FIRST_OF_BATCH) != 0;
	bool is_last = (frame->flags & FRAME_LAST_OF_BATCH) != 0;

	if (frame->sequence != chain->sequence)
		return FRAME_BAD_SEQUENCE;
	if (frame->index != chain->index)
		return FRAME_BAD_INDEX;
	if (!sha256_equal(&frame->previous, &chain->previous))
		return FRAME_BAD_CHAIN;
	if (is_flagged_first != is_first || (frame->kind == FRAME_SEGMENT) != (offset == 0))
		return FRAME_BAD_ORDER;
	if ((after_content && frame->kind != FRAME_ENTRY) ||
		(frame->kind == FRAME_CONTENT && is_last))
		return FRAME_BAD_ORDER;
	return FRAME_OK;
}

static enum frame_fault batch_finish(
	const uint8_t *segment, size_t size, size_t end, struct frame_batch *out)
{
	size_t padded;

	out->frames_size = end - out->offset;
	out->size = frame_batch_size(out->frames_size);
	padded = out->offset + out->size;
	if (padded > size)
		return FRAME_BAD_LENGTH;
	return is_zero(segment + end, padded - end) ? FRAME_OK : FRAME_BAD_PADDING;
}

enum frame_fault frame_batch_read(const uint8_t *segment, size_t size, size_t offset,
	struct frame_chain *chain, struct frame_batch *out, struct frame_fault_place *place)
{
	struct frame_chain next = *chain;
	struct frame frame = {0};
	size_t at = offset;
	enum frame_fault fault;

	assert(offset % FRAME_BATCH_ALIGN_BYTES == 0 && offset <= size);
	*out = (struct frame_batch){.offset = offset};
	do {
		bool after_content = frame.kind == FRAME_CONTENT;

		*place = (struct frame_fault_place){at, next.index};
		fault = frame_read(segment + at, size - at, &frame);
		if (fault == FRAME_END && at != offset)
			fault = FRAME_BAD_MAGIC; /* the batch is not complete */
		if (fault == FRAME_OK)
			fault = frame_check_place(&frame, &next, at, at == offset, after_content);
		if (fault != FRAME_OK)
			return fault;
		next.sequence++;
		next.index += frame.kind == FRAME_ENTRY;
		out->entry_count += frame.kind == FRAME_ENTRY;
		at += frame_size(frame.payload.length);
	} while (!(frame.flags & FRAME_LAST_OF_BATCH));
	*place = (struct frame_fault_place){at, next.index};
	fault = batch_finish(segment, size, at, out);
	if (fault != FRAME_OK)
		return fault;
	next.previous = frame_batch_hash(segment + offset, out->frames_size);
	*chain = next;
	return FRAME_OK;
}

bool frame_next(
	const uint8_t *segment, const struct frame_batch *batch, size_t *cursor, struct frame *out)
{
	size_t end = batch->offset + batch->frames_size;
	enum frame_fault fault;

	if (*cursor < batch->offset)
		*cursor = batch->offset;
	if (*cursor >= end)
		return false;
	fault = frame_read(segment + *cursor, end - *cursor, out);
	assert(fault == FRAME_OK); /* frame_batch_read has seen this batch */
	*cursor += frame_size(out->payload.length);
	return true;
}

bool frame_finds_later_batch(
	const uint8_t *segment, size_t size, size_t offset, const struct frame_chain *chain)
{
	struct frame frame;

	for (size_t at = round_up(offset, FRAME_BATCH_ALIGN_BYTES); at < size;
		at += FRAME_BATCH_ALIGN_BYTES) {
		if (frame_read(segment + at, size - at, &frame) == FRAME_OK &&
			(frame.flags & FRAME_FIRST_OF_BATCH) && frame.sequence > chain->sequence)
			return true;
	}
	return false;
}

size_t frame_segment_encode(uint8_t *out, const struct frame_segment *segment)
{
	size_t at = SEGMENT_FIXED_BYTES;

	assert(segment->origin.length <= 512);
	put_number(out, segment->number, 8);
	put_number(out + 8, segment->frontier.size, 8);
	put_number(out + 16, segment->tiled, 8);
	put_number(out + 24, segment->origin.length, 2);
	memcpy(out + at, segment->origin.data, segment->origin.length);
	at += segment->origin.length;
	for (unsigned level = 0; level < MERKLE_LEVELS_MAX; level++) {
		if (!(segment->frontier.size >> level & 1))
			continue;
		memcpy(out + at, segment->frontier.right_edge[level].bytes, SHA256_BYTES);
		at += SHA256_BYTES;
	}
	assert(at <= FRAME_SEGMENT_PAYLOAD_BYTES_MAX);
	return at;
}

bool frame_segment_decode(struct frame_segment *out, struct text payload)
{
	const uint8_t *in = (const uint8_t *)payload.data;
	struct frame_segment segment = {0};
	size_t at, origin_length, edges;

	if (payload.length < SEGMENT_FIXED_BYTES)
		return false;
	segment.number = get_number(in, 8);
	segment.frontier.size = get_number(in + 8, 8);
	segment.tiled = get_number(in + 16, 8);
	origin_length = (size_t)get_number(in + 24, 2);
	edges = (size_t)__builtin_popcountll(segment.frontier.size);
	if (payload.length != SEGMENT_FIXED_BYTES + origin_length + edges * SHA256_BYTES)
		return false;
	segment.origin = (struct text){payload.data + SEGMENT_FIXED_BYTES, origin_length};
	at = SEGMENT_FIXED_BYTES + origin_length;
	for (unsigned level = 0; level < MERKLE_LEVELS_MAX; level++) {
		if (!(segment.frontier.size >> level & 1))
			continue;
		memcpy(segment.frontier.right_edge[level].bytes, in + at, SHA256_BYTES);
		at += SHA256_BYTES;
	}
	*out = segment;
	return true;
}

const char *frame_fault_text(enum frame_fault fault)
{
	switch (fault) {
	case FRAME_OK: return "no fault";
	case FRAME_END: return "end of the log";
	case FRAME_BAD_MAGIC: return "no frame where one must be";
	case FRAME_BAD_HEADER: return "damaged frame header";
	case FRAME_BAD_LENGTH: return "frame longer than its segment";
	case FRAME_BAD_CHECKSUM: return "checksum differs";
	case FRAME_BAD_SEQUENCE: return "frame out of sequence";
	case FRAME_BAD_INDEX: return "entry out of sequence";
	case FRAME_BAD_CHAIN: return "does not follow the batch before it";
	case FRAME_BAD_PADDING: return "padding is not zero";
	case FRAME_BAD_ORDER: return "frame out of place";
	case FRAME_FAULT_COUNT: break;
	}
	return "unknown fault";
}
