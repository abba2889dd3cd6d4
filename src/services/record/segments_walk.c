/* Reading entries in order.
 *
 * A walk reads through one window of the segment's file.  It never reads an
 * entry at or above the durable size, so what it reads no longer changes; each
 * frame it hands out has passed its checksum. */
#include "services/record/segments.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "services/record/segments_private.h"

enum { WINDOW_BYTES = 128 * 1024 };

struct segment_walk {
	struct segments *segments;
	enum segment_want want;
	uint64_t index;  /* of the next entry to hand out */
	size_t position; /* in the table of segments */
	int file;
	uint64_t offset; /* of the next frame */
	uint8_t *window;
	size_t window_capacity;
	uint64_t window_offset;
	size_t window_size;
	uint64_t window_entries; /* durable when the window was read: below it all is final */
	uint8_t *content;        /* a copy, as the window may move before the entry is read */
	size_t content_capacity;
	size_t content_size;
	bool has_content;
};

/* Makes at least size bytes at offset visible, fewer at the file's end. */
static bool window_at(struct segment_walk *walk, uint64_t offset, size_t size, struct error *err)
{
	const struct disk *disk = walk->segments->disk;
	size_t want = size > WINDOW_BYTES ? size : WINDOW_BYTES;

	if (offset >= walk->window_offset &&
		offset + size <= walk->window_offset + walk->window_size)
		return true;
	if (want > walk->window_capacity) {
		uint8_t *window = realloc(walk->window, want);

		if (window == NULL)
			return error_set(err, ERROR_LIMIT, "no memory to read a segment");
		walk->window = window;
		walk->window_capacity = want;
	}
	walk->window_offset = offset;
	walk->window_size = 0;
	return disk->read(disk->context, (struct disk_place){walk->file, offset}, walk->window,
		want, &walk->window_size, err);
}

static bool walk_corrupt(const struct segment_walk *walk, enum frame_fault fault, struct error *err)
{
	return error_set(err, ERROR_CORRUPT, "segment %zu at offset %" PRIu64 ": %s",
		walk->position + 1, walk->offset, frame_fault_text(fault));
}

/* Reads the next frame's header, moving over padding.  FRAME_END: no more in
 * this segment. */
static bool walk_header(
	struct segment_walk *walk, struct frame *out, enum frame_fault *fault, struct error *err)
{
	if (!window_at(walk, walk->offset, FRAME_HEADER_BYTES, err))
		return false;
	*fault = FRAME_END;
	if (walk->window_offset + walk->window_size >= walk->offset + FRAME_HEADER_BYTES)
		*fault =
			frame_read_header(walk->window + (walk->offset - walk->window_offset), out);
	if (*fault != FRAME_OK && *fault != FRAME_END)
		return walk_corrupt(walk, *fault, err);
	return true;
}

static bool walk_payload(struct segment_walk *walk, struct frame *frame, struct error *err)
{
	size_t size = frame_size(frame->payload.length), have;
	enum frame_fault fault;

	if (!window_at(walk, walk->offset, size, err))
		return false;
	have = (size_t)(walk->window_offset + walk->window_size - walk->offset);
	fault = frame_read(walk->window + (walk->offset - walk->window_offset), have, frame);
	return fault == FRAME_OK || walk_corrupt(walk, fault, err);
}

static void walk_pass(struct segment_walk *walk, const struct frame *frame)
{
	walk->offset += frame_size(frame->payload.length);
	if (frame->flags & FRAME_LAST_OF_BATCH)
		walk->offset = frame_batch_size((size_t)walk->offset);
}

static bool keep_content(struct segment_walk *walk, struct text payload, struct error *err)
{
	if (payload.length > walk->content_capacity) {
		uint8_t *content = realloc(walk->content, payload.length);

		if (content == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for a content");
		walk->content = content;
		walk->content_capacity = payload.length;
	}
	memcpy(walk->content, payload.data, payload.length);
	walk->content_size = payload.length;
	return true;
}

/* Opens the file of the segment at position and starts at its mark before index. */
static bool walk_enter(struct segment_walk *walk, size_t position, struct error *err)
{
	struct segments *segments = walk->segments;
	const struct disk *disk = segments->disk;
	char path[SEGMENT_PATH_BYTES];
	const struct segment *segment;
	bool is_there;

	if (walk->file >= 0)
		disk->close(disk->context, walk->file);
	walk->file = -1;
	walk->position = position;
	walk->offset = 0;
	walk->window_size = 0;
	pthread_mutex_lock(&segments->lock);
	is_there = position < segments->count;
	segment = is_there ? &segments->table[position] : NULL;
	for (uint32_t i = is_there ? segment->mark_count : 0; i-- > 0;) {
		if (segment->marks[i].index <= walk->index) {
			walk->offset = segment->marks[i].offset;
			break;
		}
	}
	pthread_mutex_unlock(&segments->lock);
	if (!is_there)
		return error_set(
			err, ERROR_CORRUPT, "entry %" PRIu64 " is in no segment", walk->index);
	segment_path(path, position + 1);
	return disk->open(disk->context, path, DISK_READ, &walk->file, err);
}

/* The segment that holds index: the last one that starts at or before it. */
static size_t find_segment(struct segments *segments, uint64_t index)
{
	size_t low = 0, high;

	pthread_mutex_lock(&segments->lock);
	high = segments->count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (segments->table[middle].first_index <= index)
			low = middle;
		else
			high = middle;
	}
	pthread_mutex_unlock(&segments->lock);
	return low;
}

/* Marks a segment that recovery did not read, by its headers. */
static bool load_marks(struct segment_walk *walk, struct error *err)
{
	struct segments *segments = walk->segments;
	struct segment fresh = {0}, *segment;
	enum frame_fault fault;
	struct frame frame;

	walk->offset = 0;
	for (;;) {
		if (!walk_header(walk, &frame, &fault, err)) {
			free(fresh.marks);
			return false;
		}
		if (fault == FRAME_END)
			break;
		if (frame.flags & FRAME_FIRST_OF_BATCH)
			(void)segment_mark(&fresh, frame.index, walk->offset);
		walk_pass(walk, &frame);
	}
	pthread_mutex_lock(&segments->lock);
	segment = &segments->table[walk->position];
	if (segment->is_partial) {
		segment->marks = fresh.marks;
		segment->mark_count = fresh.mark_count;
		segment->mark_capacity = fresh.mark_capacity;
		segment->is_partial = false;
		fresh.marks = NULL;
	}
	pthread_mutex_unlock(&segments->lock);
	free(fresh.marks);
	return true;
}

static bool walk_start(struct segment_walk *walk, struct error *err)
{
	struct segments *segments = walk->segments;
	size_t position = find_segment(segments, walk->index);
	bool is_partial;

	pthread_mutex_lock(&segments->lock);
	is_partial = segments->table[position].is_partial;
	pthread_mutex_unlock(&segments->lock);
	if (!walk_enter(walk, position, err))
		return false;
	return !is_partial || (load_marks(walk, err) && walk_enter(walk, position, err));
}

bool segment_walk_open(struct segment_walk **out, struct segments *segments, uint64_t from,
	enum segment_want want, struct error *err)
{
	struct segment_walk *walk = calloc(1, sizeof *walk);

	*out = NULL;
	if (walk == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to read the log");
	walk->segments = segments;
	walk->want = want;
	walk->index = from;
	walk->file = -1;
	*out = walk;
	return true;
}

/* Moves to the next frame worth looking at; *out has its payload. */
static bool walk_frame(struct segment_walk *walk, struct frame *out, struct error *err)
{
	enum frame_fault fault;

	for (;;) {
		if (!walk_header(walk, out, &fault, err))
			return false;
		if (fault == FRAME_END) {
			if (!walk_enter(walk, walk->position + 1, err))
				return false;
			continue;
		}
		if (out->index > walk->index)
			return walk_corrupt(walk, FRAME_BAD_INDEX, err);
		if (out->index == walk->index && out->kind == FRAME_CONTENT &&
			walk->want == SEGMENT_ENTRIES)
			walk->has_content = true;
		else if (out->index == walk->index && out->kind != FRAME_SEGMENT)
			return walk_payload(walk, out, err);
		walk_pass(walk, out);
	}
}

bool segment_walk_next(
	struct segment_walk *walk, struct segment_found *out, bool *is_end, struct error *err)
{
	struct frame frame;

	*is_end = walk->index >= segments_size(walk->segments);
	if (*is_end)
		return true;
	if (walk->index >= walk->window_entries) {
		walk->window_size = 0;
		walk->window_entries = segments_size(walk->segments);
	}
	if (walk->file < 0 && !walk_start(walk, err))
		return false;
	walk->has_content = false;
	walk->content_size = 0;
	for (;;) {
		if (!walk_frame(walk, &frame, err))
			return false;
		walk_pass(walk, &frame);
		if (frame.kind == FRAME_ENTRY)
			break;
		walk->has_content = true;
		if (!keep_content(walk, frame.payload, err))
			return false;
	}
	*out = (struct segment_found){
		.index = walk->index++, .entry = frame.payload, .has_content = walk->has_content};
	if (walk->has_content && walk->want == SEGMENT_ENTRIES_AND_CONTENT)
		out->content = (struct text){(const char *)walk->content, walk->content_size};
	return true;
}

void segment_walk_close(struct segment_walk **walk)
{
	struct segment_walk *closing = *walk;

	*walk = NULL;
	if (closing == NULL)
		return;
	if (closing->file >= 0)
		closing->segments->disk->close(closing->segments->disk->context, closing->file);
	free(closing->window);
	free(closing->content);
	free(closing);
}
