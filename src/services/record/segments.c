/* Appending to and recovering the segment files.
 *
 * A segment is a file preallocated with zeros.  Batches fill it from the front,
 * each synced before the next is written, so at any moment at most one batch
 * (the last) is not durable.
 *
 * Invariants:
 *  1. A batch is written only after the one before it was synced.  So what
 *     follows damage can be told from a torn tail: if any later batch is whole,
 *     something acknowledged was damaged, and recovery refuses.
 *  2. What recovery cut off is zeroed and synced before anything is appended:
 *     every byte after the last batch is zero.
 *  3. A segment's file is complete, synced and known to its folder before the
 *     first batch goes into it.
 *  4. The first frame of a segment holds the tree's right edge, so that recovery
 *     can start at any segment; it is believed only if the tree it leads to has
 *     the roots that were promised.
 *  5. lock guards the table of segments and their marks; size is atomic and is
 *     raised last, so a reader that sees a size finds all entries below it. */
#include "services/record/segments.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/record/segments_private.h"

enum {
	ZERO_STEP_BYTES = 256 * 1024,
	MARK_EVERY_BYTES = 64 * 1024,
};

static const uint8_t zeros[ZERO_STEP_BYTES];

void segment_path(char out[SEGMENT_PATH_BYTES], uint64_t number)
{
	(void)snprintf(out, SEGMENT_PATH_BYTES, SEGMENTS_FOLDER "/%010" PRIu64, number);
}

const char *segments_origin(const struct segments *segments)
{
	return segments->origin;
}

bool segments_set_origin(struct segments *segments, struct text origin, struct error *err)
{
	if (origin.length > SEGMENTS_ORIGIN_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "the origin is too long");
	memcpy(segments->origin, origin.data, origin.length);
	segments->origin[origin.length] = '\0';
	return true;
}

void segments_set_tiled(struct segments *segments, uint64_t tiled)
{
	segments->tiled = tiled;
}

const struct merkle_frontier *segments_frontier(const struct segments *segments)
{
	return &segments->frontier;
}

void segments_note_extent(struct segments *segments)
{
	pthread_mutex_lock(&segments->lock);
	segments->extent = (struct segment_extent){
		segments->number, segments->offset, segments->frontier.size};
	pthread_mutex_unlock(&segments->lock);
}

struct segment_extent segments_extent(struct segments *segments)
{
	struct segment_extent extent;

	pthread_mutex_lock(&segments->lock);
	extent = segments->extent;
	pthread_mutex_unlock(&segments->lock);
	return extent;
}

uint64_t segments_size(const struct segments *segments)
{
	return atomic_load(&segments->size);
}

/* --- the table of segments ------------------------------------------------ */

bool segments_table_add(
	struct segments *segments, uint64_t number, uint64_t first_index, struct error *err)
{
	struct segment *table;
	bool ok = true;

	pthread_mutex_lock(&segments->lock);
	if (segments->count == segments->capacity) {
		size_t capacity = segments->capacity == 0 ? 16 : 2 * segments->capacity;

		table = reallocarray(segments->table, capacity, sizeof *table);
		if (table == NULL) {
			ok = error_set(err, ERROR_LIMIT, "no memory for the table of segments");
			goto done;
		}
		segments->table = table;
		segments->capacity = capacity;
	}
	segments->table[segments->count++] =
		(struct segment){.number = number, .first_index = first_index};
done:
	pthread_mutex_unlock(&segments->lock);
	return ok;
}

bool segment_mark(struct segment *segment, uint64_t index, uint64_t offset)
{
	struct segment_mark *marks;

	if (segment->mark_count > 0 &&
		offset < segment->marks[segment->mark_count - 1].offset + MARK_EVERY_BYTES)
		return true;
	if (segment->mark_count == segment->mark_capacity) {
		uint32_t capacity = segment->mark_capacity == 0 ? 8 : 2 * segment->mark_capacity;

		marks = reallocarray(segment->marks, capacity, sizeof *marks);
		if (marks == NULL)
			return false;
		segment->marks = marks;
		segment->mark_capacity = capacity;
	}
	segment->marks[segment->mark_count++] = (struct segment_mark){index, offset};
	return true;
}

void segments_table_mark(struct segments *segments, uint64_t index, uint64_t offset)
{
	pthread_mutex_lock(&segments->lock);
	(void)segment_mark(&segments->table[segments->number - 1], index, offset);
	pthread_mutex_unlock(&segments->lock);
}

/* --- files ------------------------------------------------------------------ */

bool segments_write_zeros(
	const struct disk *disk, int file, uint64_t from, uint64_t to, struct error *err)
{
	while (from < to) {
		size_t step = to - from < ZERO_STEP_BYTES ? (size_t)(to - from) : ZERO_STEP_BYTES;

		if (!disk->write(disk->context, (struct disk_place){file, from}, zeros, step, err))
			return false;
		from += step;
	}
	return true;
}

static bool prepare_open(struct segments *segments, struct error *err)
{
	const struct disk *disk = segments->disk;
	char path[SEGMENT_PATH_BYTES];

	if (segments->next_file >= 0)
		return true;
	segment_path(path, segments->number + 1);
	segments->next_size = 0;
	segments->next_is_ready = false;
	return disk->open(disk->context, path, DISK_REPLACE, &segments->next_file, err);
}

static bool prepare_finish(struct segments *segments, struct error *err)
{
	const struct disk *disk = segments->disk;

	if (!disk->sync(disk->context, segments->next_file, err) ||
		!disk->sync_dir(disk->context, SEGMENTS_FOLDER, err))
		return false;
	segments->next_is_ready = true;
	return true;
}

/* The file is made anew after any failure: nothing in it is of value yet. */
static bool prepare_fail(struct segments *segments)
{
	if (segments->next_file >= 0)
		segments->disk->close(segments->disk->context, segments->next_file);
	segments->next_file = -1;
	return false;
}

bool segments_prepare(struct segments *segments, bool *is_ready, struct error *err)
{
	uint64_t to = segments->next_size + ZERO_STEP_BYTES;

	*is_ready = segments->next_file >= 0 && segments->next_is_ready;
	if (*is_ready)
		return true;
	if (!prepare_open(segments, err))
		return prepare_fail(segments);
	to = to < segments->segment_bytes ? to : segments->segment_bytes;
	if (!segments_write_zeros(
		    segments->disk, segments->next_file, segments->next_size, to, err))
		return prepare_fail(segments);
	segments->next_size = to;
	if (to == segments->segment_bytes && !prepare_finish(segments, err))
		return prepare_fail(segments);
	*is_ready = segments->next_is_ready;
	return true;
}

/* Cost of the frame each segment starts with. */
static size_t segment_frame_cost(const struct segments *segments)
{
	uint8_t payload[FRAME_SEGMENT_PAYLOAD_BYTES_MAX];
	struct frame_segment head = {.number = segments->number,
		.origin = text_of(segments->origin),
		.tiled = segments->tiled,
		.frontier = segments->frontier};

	return frame_size(frame_segment_encode(payload, &head));
}

bool segments_rotate(struct segments *segments, size_t need, struct error *err)
{
	uint64_t size = frame_batch_size(need + FRAME_SEGMENT_PAYLOAD_BYTES_MAX);
	bool is_ready = false;

	while (!is_ready) {
		if (!segments_prepare(segments, &is_ready, err))
			return false;
	}
	if (size > segments->next_size) {
		segments->next_is_ready = false;
		if (!segments_write_zeros(
			    segments->disk, segments->next_file, segments->next_size, size, err) ||
			!prepare_finish(segments, err))
			return prepare_fail(segments);
		segments->next_size = size;
	}
	if (!segments_table_add(segments, segments->number + 1, segments->chain.index, err))
		return false;
	if (segments->file >= 0)
		segments->disk->close(segments->disk->context, segments->file);
	segments->number++;
	segments->file = segments->next_file;
	segments->file_size = segments->next_size;
	segments->offset = 0;
	segments->next_file = -1;
	return true;
}

/* --- appending ---------------------------------------------------------------- */

size_t segments_cost(const struct segment_entry *entry)
{
	size_t cost = frame_size(entry->entry.length);

	return entry->content.length > 0 ? cost + frame_size(entry->content.length) : cost;
}

size_t segments_room(const struct segments *segments)
{
	size_t room, taken;

	if (segments->file < 0)
		return 0;
	room = (size_t)(segments->file_size - segments->offset);
	taken = segments->offset == 0 ? segment_frame_cost(segments) : 0;
	return room > taken ? room - taken : 0;
}

static bool batch_reserve(struct segments *segments, size_t size, struct error *err)
{
	uint8_t *batch;

	if (size <= segments->batch_capacity)
		return true;
	batch = realloc(segments->batch, size);
	if (batch == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a batch of %zu bytes", size);
	segments->batch = batch;
	segments->batch_capacity = size;
	return true;
}

/* The batch being put together. */
struct builder {
	uint8_t *bytes;
	size_t size;
	struct frame_chain chain;
};

static void builder_add(
	struct builder *builder, enum frame_kind kind, struct text payload, bool is_last)
{
	struct frame frame = {.kind = kind,
		.flags = (builder->size == 0 ? FRAME_FIRST_OF_BATCH : 0U) |
			 (is_last ? FRAME_LAST_OF_BATCH : 0U),
		.sequence = builder->chain.sequence++,
		.index = builder->chain.index,
		.previous = builder->chain.previous,
		.payload = payload};

	frame_write(builder->bytes + builder->size, &frame);
	builder->size += frame_size(payload.length);
	builder->chain.index += kind == FRAME_ENTRY;
}

static void builder_add_segment(struct builder *builder, const struct segments *segments)
{
	uint8_t payload[FRAME_SEGMENT_PAYLOAD_BYTES_MAX];
	struct frame_segment head = {.number = segments->number,
		.origin = text_of(segments->origin),
		.tiled = segments->tiled,
		.frontier = segments->frontier};
	size_t size = frame_segment_encode(payload, &head);

	builder_add(builder, FRAME_SEGMENT, (struct text){(const char *)payload, size}, false);
}

static bool write_batch(struct segments *segments, size_t frames_size, struct error *err)
{
	const struct disk *disk = segments->disk;
	size_t size = frame_batch_size(frames_size);
	struct disk_place to = {segments->file, segments->offset};

	memset(segments->batch + frames_size, 0, size - frames_size);
	return disk->write(disk->context, to, segments->batch, size, err) &&
	       disk->sync(disk->context, segments->file, err);
}

bool segments_write(
	struct segments *segments, struct segment_entry *entries, size_t count, struct error *err)
{
	size_t need = segments->offset == 0 ? segment_frame_cost(segments) : 0;
	struct builder builder = {.chain = segments->chain};
	struct merkle_frontier frontier = segments->frontier;

	for (size_t i = 0; i < count; i++)
		need += segments_cost(&entries[i]);
	need = frame_batch_size(need);
	if (count == 0 || need > segments->file_size - segments->offset)
		return error_set(err, ERROR_INTERNAL, "a batch does not fit its segment");
	if (!batch_reserve(segments, need, err))
		return false;
	builder.bytes = segments->batch;
	if (segments->offset == 0)
		builder_add_segment(&builder, segments);
	for (size_t i = 0; i < count; i++) {
		if (entries[i].content.length > 0)
			builder_add(&builder, FRAME_CONTENT, entries[i].content, false);
		builder_add(&builder, FRAME_ENTRY, entries[i].entry, i + 1 == count);
		entries[i].leaf = merkle_leaf_hash(entries[i].entry);
		merkle_append(&frontier, &entries[i].leaf);
	}
	if (!write_batch(segments, builder.size, err))
		return false;
	segments_table_mark(segments, segments->chain.index, segments->offset);
	builder.chain.previous = frame_batch_hash(segments->batch, builder.size);
	segments->chain = builder.chain;
	segments->frontier = frontier;
	segments->offset += frame_batch_size(builder.size);
	segments_note_extent(segments);
	atomic_store(&segments->size, frontier.size);
	return true;
}

/* --- opening and closing ------------------------------------------------------ */

bool segments_open(struct segments **out, const struct disk *disk, uint64_t segment_bytes,
	const struct segments_required *required, const struct segments_visitor *visitor,
	struct error *err)
{
	struct segments *segments = calloc(1, sizeof *segments);
	bool ok = false;

	*out = NULL;
	if (segments == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the log");
	segments->disk = disk;
	segments->segment_bytes = frame_batch_size((size_t)segment_bytes);
	segments->file = -1;
	segments->next_file = -1;
	pthread_mutex_init(&segments->lock, NULL);
	if (!segments_recover(segments, required, visitor, err))
		goto done;
	*out = segments;
	segments = NULL;
	ok = true;
done:
	segments_close(&segments);
	return ok;
}

void segments_close(struct segments **segments)
{
	struct segments *closing = *segments;

	*segments = NULL;
	if (closing == NULL)
		return;
	if (closing->file >= 0)
		closing->disk->close(closing->disk->context, closing->file);
	(void)prepare_fail(closing);
	for (size_t i = 0; i < closing->count; i++)
		free(closing->table[i].marks);
	free(closing->table);
	free(closing->batch);
	pthread_mutex_destroy(&closing->lock);
	free(closing);
}
