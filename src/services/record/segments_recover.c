/* Recovery of the segment files (invariants: segments.c).
 *
 * 1. The last file may have been prepared but never used, or lost its first
 *    batch: then it is removed.
 * 2. Reading starts at the newest segment that begins at or before every head
 *    that was promised, and before which all tiles are durable; its first frame
 *    holds the tree so far.
 * 3. Every batch must be whole and in its place; only after the last one of the
 *    last file may anything else lie, and then it is a torn batch and zeroed.
 * 4. The tree must have the promised root at each promised size. */
#include "services/record/segments.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/record/segments_private.h"

enum {
	READ_STEP_BYTES = 1024 * 1024,
	NAME_DIGITS = 10,
	NAMES_ARENA_BYTES = 256 * 1024 * 1024,
};

/* --- recovery --------------------------------------------------------------- */

static int compare_numbers(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static bool number_of_name(struct text name, uint64_t *out)
{
	*out = 0;
	if (name.length != NAME_DIGITS)
		return false;
	for (size_t i = 0; i < name.length; i++) {
		if (name.data[i] < '0' || name.data[i] > '9')
			return false;
		*out = *out * 10 + (uint64_t)(name.data[i] - '0');
	}
	return *out > 0;
}

/* Sorted numbers of the files; they must be 1, 2, 3 … without a gap. */
static bool list_numbers(
	const struct disk *disk, struct arena *arena, size_t *out_count, struct error *err)
{
	struct text *names;
	uint64_t *numbers;
	size_t name_count, count = 0;

	if (!disk->list(disk->context, SEGMENTS_FOLDER, arena, &names, &name_count, err))
		return false;
	numbers = arena_array(arena, uint64_t, name_count + 1);
	if (numbers == NULL || name_count > SEGMENTS_MAX)
		return error_set(err, ERROR_LIMIT, "too many segments");
	for (size_t i = 0; i < name_count; i++)
		count += number_of_name(names[i], &numbers[count]);
	qsort(numbers, count, sizeof *numbers, compare_numbers);
	for (size_t i = 0; i < count; i++) {
		if (numbers[i] != i + 1)
			return error_set(err, ERROR_CORRUPT, "segment %zu is missing", i + 1);
	}
	*out_count = count;
	return true;
}

bool segments_count(const struct disk *disk, uint64_t *out, struct error *err)
{
	struct arena *arena = arena_create(NAMES_ARENA_BYTES);
	size_t count = 0;
	bool ok = arena != NULL ? list_numbers(disk, arena, &count, err)
				: error_set(err, ERROR_LIMIT, "no memory for names of segments");

	arena_destroy(&arena);
	*out = count;
	return ok && (count > 0 || error_set(err, ERROR_NOT_FOUND, "there is no segment"));
}

/* A segment in memory. */
struct image {
	uint8_t *bytes;
	size_t size;
};

static bool image_read_file(
	const struct disk *disk, int file, struct image *image, struct error *err)
{
	uint64_t size;
	size_t got = 0;

	if (!disk->size(disk->context, file, &size, err))
		return false;
	image->bytes = calloc(1, (size_t)size + 1);
	if (image->bytes == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a segment");
	while (image->size < size) {
		size_t step = size - image->size < READ_STEP_BYTES ? (size_t)size - image->size
								   : READ_STEP_BYTES;

		if (!disk->read(disk->context, (struct disk_place){file, image->size},
			    image->bytes + image->size, step, &got, err))
			return false;
		if (got == 0)
			break;
		image->size += got;
	}
	image->size = image->size / FRAME_BATCH_ALIGN_BYTES * FRAME_BATCH_ALIGN_BYTES;
	return true;
}

static bool image_read(
	const struct disk *disk, uint64_t number, struct image *image, struct error *err)
{
	char path[SEGMENT_PATH_BYTES];
	int file;
	bool ok;

	segment_path(path, number);
	if (!disk->open(disk->context, path, DISK_READ_DURABLE, &file, err))
		return false;
	ok = image_read_file(disk, file, image, err);
	disk->close(disk->context, file);
	return ok;
}

/* The first frame of a segment's file, checked alone. */
struct head {
	uint8_t bytes[FRAME_HEADER_BYTES + FRAME_SEGMENT_PAYLOAD_BYTES_MAX];
	struct frame frame;
	struct frame_segment segment;
};

static bool head_decode(struct head *head, size_t size, uint64_t number)
{
	return frame_read(head->bytes, size, &head->frame) == FRAME_OK &&
	       head->frame.kind == FRAME_SEGMENT &&
	       frame_segment_decode(&head->segment, head->frame.payload) &&
	       head->segment.number == number && head->segment.frontier.size == head->frame.index;
}

static bool head_read(
	const struct disk *disk, uint64_t number, struct head *head, struct error *err)
{
	char path[SEGMENT_PATH_BYTES];
	size_t got;
	int file;
	bool ok;

	segment_path(path, number);
	if (!disk->open(disk->context, path, DISK_READ, &file, err))
		return false;
	ok = disk->read(disk->context, (struct disk_place){file, 0}, head->bytes,
		sizeof head->bytes, &got, err);
	disk->close(disk->context, file);
	if (ok && !head_decode(head, got, number))
		ok = error_set(
			err, ERROR_CORRUPT, "segment %" PRIu64 ": damaged first frame", number);
	return ok;
}

/* How far recovery has got. */
struct recovery {
	struct segments *segments;
	const struct segments_required *required;
	const struct segments_visitor *visitor;
	size_t file_count;
};

static bool check_heads(const struct recovery *recovery, struct error *err)
{
	const struct merkle_frontier *frontier = &recovery->segments->frontier;
	struct sha256 root;

	for (size_t i = 0; i < recovery->required->head_count; i++) {
		const struct tree_head *head = &recovery->required->heads[i];

		if (head->size != frontier->size)
			continue;
		root = merkle_root(frontier);
		if (!sha256_equal(&root, &head->root))
			return error_set(err, ERROR_CORRUPT,
				"the log differs from what was signed at size %" PRIu64,
				head->size);
	}
	return true;
}

static bool take_head(struct recovery *recovery, const struct frame *frame, struct error *err)
{
	struct segments *segments = recovery->segments;
	struct frame_segment head;
	struct sha256 ours, theirs;

	if (!frame_segment_decode(&head, frame->payload) || head.number != segments->number ||
		head.frontier.size != frame->index)
		return error_set(err, ERROR_CORRUPT, "segment %" PRIu64 ": wrong first frame",
			segments->number);
	ours = merkle_root(&segments->frontier);
	theirs = merkle_root(&head.frontier);
	if (!sha256_equal(&ours, &theirs))
		return error_set(err, ERROR_CORRUPT,
			"segment %" PRIu64 ": does not continue the tree", segments->number);
	return segments_set_origin(segments, head.origin, err);
}

static bool take_frame(struct recovery *recovery, const struct frame *frame, struct error *err)
{
	struct segments *segments = recovery->segments;
	struct sha256 leaf;

	if (frame->kind == FRAME_SEGMENT)
		return take_head(recovery, frame, err);
	if (frame->kind != FRAME_ENTRY)
		return true;
	leaf = merkle_leaf_hash(frame->payload);
	merkle_append(&segments->frontier, &leaf);
	return check_heads(recovery, err) &&
	       recovery->visitor->entry(recovery->visitor->context, frame->payload, &leaf, err);
}

static bool take_batches(struct recovery *recovery, const struct image *image,
	enum frame_fault *fault, struct error *err)
{
	struct segments *segments = recovery->segments;
	struct frame_fault_place place;
	struct frame_batch batch;
	struct frame frame;

	segments->offset = 0;
	*fault = FRAME_END;
	while (segments->offset < image->size) {
		size_t cursor = 0;
		uint64_t first_index = segments->chain.index;

		*fault = frame_batch_read(image->bytes, image->size, (size_t)segments->offset,
			&segments->chain, &batch, &place);
		if (*fault != FRAME_OK)
			return true;
		while (frame_next(image->bytes, &batch, &cursor, &frame)) {
			if (!take_frame(recovery, &frame, err))
				return false;
		}
		segments_table_mark(segments, first_index, segments->offset);
		segments->offset += batch.size;
		*fault = FRAME_END;
	}
	return true;
}

static bool image_is_zero_from(const struct image *image, uint64_t offset)
{
	for (size_t at = (size_t)offset; at < image->size; at++) {
		if (image->bytes[at] != 0)
			return false;
	}
	return true;
}

/* Zeroes what lies after the last whole batch, and makes durable what a killed
 * process had written but not synced. */
static bool cut_tail(struct segments *segments, const struct image *image, struct error *err)
{
	const struct disk *disk = segments->disk;

	if (frame_finds_later_batch(
		    image->bytes, image->size, (size_t)segments->offset, &segments->chain))
		return error_set(err, ERROR_CORRUPT,
			"segment %" PRIu64 ": damage at offset %" PRIu64 " before whole batches",
			segments->number, segments->offset);
	if (!image_is_zero_from(image, segments->offset) &&
		!segments_write_zeros(disk, segments->file, segments->offset, image->size, err))
		return false;
	return disk->sync(disk->context, segments->file, err);
}

static bool keep_active(struct segments *segments, const struct image *image, struct error *err)
{
	char path[SEGMENT_PATH_BYTES];

	segment_path(path, segments->number);
	if (!segments->disk->open(segments->disk->context, path, DISK_WRITE, &segments->file, err))
		return false;
	segments->file_size = image->size;
	return cut_tail(segments, image, err);
}

static bool recover_segment(struct recovery *recovery, uint64_t number, struct error *err)
{
	struct segments *segments = recovery->segments;
	struct image image = {0};
	enum frame_fault fault = FRAME_OK;
	bool ok = false;

	segments->number = number;
	if (!image_read(segments->disk, number, &image, err) ||
		!take_batches(recovery, &image, &fault, err))
		goto done;
	if (number == recovery->file_count)
		ok = keep_active(segments, &image, err);
	else if (!image_is_zero_from(&image, segments->offset))
		ok = error_set(err, ERROR_CORRUPT, "segment %" PRIu64 ": %s at offset %" PRIu64,
			number, frame_fault_text(fault), segments->offset);
	else
		ok = true;
done:
	free(image.bytes);
	return ok;
}

/* True if the file starts with a whole batch, whatever it continues. */
static bool image_is_used(const struct image *image)
{
	struct frame_fault_place place;
	struct frame_batch batch;
	struct frame_chain chain;
	struct frame frame;

	if (frame_read(image->bytes, image->size, &frame) != FRAME_OK)
		return false;
	chain = (struct frame_chain){frame.sequence, frame.index, frame.previous};
	return frame_batch_read(image->bytes, image->size, 0, &chain, &batch, &place) == FRAME_OK;
}

static bool remove_file(const struct disk *disk, uint64_t number, struct error *err)
{
	char path[SEGMENT_PATH_BYTES];

	segment_path(path, number);
	return disk->remove(disk->context, path, err) &&
	       disk->sync_dir(disk->context, SEGMENTS_FOLDER, err);
}

/* Removes the last file if nothing acknowledged can be in it. */
static bool drop_unused(struct recovery *recovery, struct error *err)
{
	const struct disk *disk = recovery->segments->disk;
	struct frame_chain none = {0};
	struct image image = {0};
	bool ok = false;

	if (recovery->file_count == 0)
		return true;
	if (!image_read(disk, recovery->file_count, &image, err))
		goto done;
	ok = true;
	if (image_is_used(&image))
		goto done;
	if (frame_finds_later_batch(image.bytes, image.size, FRAME_BATCH_ALIGN_BYTES, &none))
		ok = error_set(err, ERROR_CORRUPT, "segment %zu: damaged first batch",
			recovery->file_count);
	else
		ok = remove_file(disk, recovery->file_count--, err);
done:
	free(image.bytes);
	return ok;
}

/* Entries every promised head covers: reading may start here. */
static uint64_t promised_by_all(const struct segments_required *required)
{
	uint64_t size = required->head_count == 0 || required->from_start ? 0 : UINT64_MAX;

	for (size_t i = 0; i < required->head_count; i++)
		size = required->heads[i].size < size ? required->heads[i].size : size;
	return size;
}

/* Fills the table and leaves *start at the segment to read first. */
static bool read_heads(struct recovery *recovery, uint64_t *start, struct error *err)
{
	struct segments *segments = recovery->segments;
	uint64_t promised = promised_by_all(recovery->required);
	struct head head;

	*start = 1;
	if (recovery->file_count > 0) {
		if (!head_read(segments->disk, recovery->file_count, &head, err))
			return false;
		promised = head.segment.tiled < promised ? head.segment.tiled : promised;
	}
	for (uint64_t number = 1; number <= recovery->file_count; number++) {
		if (!head_read(segments->disk, number, &head, err) ||
			!segments_table_add(segments, number, head.frame.index, err))
			return false;
		if (number > 1 && head.segment.frontier.size > promised)
			continue;
		*start = number;
		segments->chain = (struct frame_chain){
			head.frame.sequence, head.frame.index, head.frame.previous};
		segments->frontier = head.segment.frontier;
	}
	return true;
}

static bool check_first(const struct recovery *recovery, struct error *err)
{
	const struct segments *segments = recovery->segments;
	struct sha256 zeros = {0};

	if (segments->chain.sequence == 0 &&
		(segments->chain.index != 0 || !sha256_equal(&segments->chain.previous, &zeros)))
		return error_set(err, ERROR_CORRUPT, "the first segment does not start the log");
	return check_heads(recovery, err);
}

static bool check_length(const struct recovery *recovery, struct error *err)
{
	uint64_t size = recovery->segments->frontier.size, promised = recovery->required->size;

	for (size_t i = 0; i < recovery->required->head_count; i++) {
		if (recovery->required->heads[i].size > promised)
			promised = recovery->required->heads[i].size;
	}
	if (size >= promised)
		return true;
	return error_set(err, ERROR_CORRUPT,
		"the log has %" PRIu64 " entries, but %" PRIu64 " were promised", size, promised);
}

bool segments_recover(struct segments *segments, const struct segments_required *required,
	const struct segments_visitor *visitor, struct error *err)
{
	struct recovery recovery = {segments, required, visitor, 0};
	struct arena *arena = arena_create(NAMES_ARENA_BYTES);
	uint64_t start;
	bool ok = false;

	if (arena == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for the names of segments");
		goto done;
	}
	if (!list_numbers(segments->disk, arena, &recovery.file_count, err) ||
		!drop_unused(&recovery, err) || !read_heads(&recovery, &start, err) ||
		!check_first(&recovery, err))
		goto done;
	for (uint64_t number = 1; number < start; number++)
		segments->table[number - 1].is_partial = true;
	atomic_store(&segments->size, segments->frontier.size);
	if (!visitor->begin(visitor->context, segments, err))
		goto done;
	for (uint64_t number = start; number <= recovery.file_count; number++) {
		if (!recover_segment(&recovery, number, err))
			goto done;
	}
	ok = check_length(&recovery, err);
	segments_note_extent(segments);
	atomic_store(&segments->size, segments->frontier.size);
done:
	arena_destroy(&arena);
	return ok;
}
