/* A segment's bytes, as recovery and the verifier read them.  Laws: nothing is
 * read outside; a fault leaves the chain as it was; batches and frames lie where
 * they say, in order, without gaps; bundles and tile paths likewise.
 *
 * The checksum would stop nearly every mutation, so the first byte says whether
 * to put right ones in first. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "domain/audit/frame.h"
#include "domain/audit/tile.h"

enum { ROOM_BYTES = 64 * 1024 };

/* Makes the frames at the start of each 8 bytes that look like one pass their
 * checksum, by writing them again. */
static void mend(uint8_t *segment, size_t size)
{
	for (size_t at = 0; at + FRAME_HEADER_BYTES <= size; at += FRAME_ALIGN_BYTES) {
		struct frame frame;

		if (frame_read_header(segment + at, &frame) != FRAME_OK ||
			frame_size(frame.payload.length) > size - at)
			continue;
		frame.payload.data = (const char *)segment + at + FRAME_HEADER_BYTES;
		{
			size_t length = frame.payload.length;
			char *copy = calloc(1, length + 1);

			assert(copy != NULL);
			memcpy(copy, frame.payload.data, length);
			frame.payload.data = copy;
			frame_write(segment + at, &frame);
			free(copy);
			at += frame_size(length) - FRAME_ALIGN_BYTES;
		}
	}
}

static void read_batches(const uint8_t *segment, size_t size)
{
	struct frame_chain chain = {0}, before;
	struct frame_fault_place place;
	struct frame_batch batch;
	size_t offset = 0;

	while (offset < size) {
		size_t cursor = offset, frames = 0;
		struct frame frame;

		before = chain;
		if (frame_batch_read(segment, size, offset, &chain, &batch, &place) != FRAME_OK) {
			assert(memcmp(&before, &chain, sizeof chain) == 0);
			assert(place.offset >= offset && place.offset <= size);
			break;
		}
		assert(batch.offset == offset && batch.frames_size <= batch.size);
		while (frame_next(segment, &batch, &cursor, &frame)) {
			assert(frame.sequence == before.sequence + frames++);
			assert((const uint8_t *)frame.payload.data + frame.payload.length <=
				segment + size);
		}
		assert(chain.sequence == before.sequence + frames);
		assert(chain.index == before.index + batch.entry_count);
		offset += batch.size;
		assert(offset <= size);
	}
	if (offset <= size)
		(void)frame_finds_later_batch(segment, size, offset, &chain);
}

static void read_others(struct text t)
{
	struct text rest = t, entry;
	struct frame_segment head;
	struct tile tile;
	char path[TILE_PATH_BYTES];

	while (bundle_next(&rest, &entry))
		assert(entry.data + entry.length <= t.data + t.length);
	if (tile_path_parse(t, &tile)) {
		tile_path(path, &tile);
		assert(text_is(t, path));
	}
	if (frame_segment_decode(&head, t))
		assert(head.origin.length <= t.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room = frame_batch_size(size);
	uint8_t *segment;

	if (size < 1 || room > ROOM_BYTES)
		return 0;
	segment = calloc(1, room + 1);
	assert(segment != NULL);
	memcpy(segment, data + 1, size - 1);
	if (data[0] & 1)
		mend(segment, room);
	read_batches(segment, room);
	read_others((struct text){(const char *)data + 1, size - 1});
	free(segment);
	return 0;
}
