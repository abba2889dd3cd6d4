/* Segments in order, each read whole, batch after batch.
 *
 * A writer may be at work meanwhile.  It writes batches in order and segments in order, so what
 * lies behind a batch was written after it: where something does, and the batch is not whole, it
 * was read too early, and is whole if it is read again.  Only what then is as it was is a fault. */
#include "services/replay/log_walk.h"

#include <stdlib.h>

#include "domain/audit/frame.h"
#include "services/record/segments.h"

enum { SEGMENT_BYTES_MAX = 1024 * 1024 * 1024 };

struct log_reader {
	const struct disk *disk;
	const struct log_visitor *visitor;
	const struct log_progress *progress;
	struct frame_chain chain;
	uint64_t done_bytes; /* of the segments before the one that is fed */
	uint64_t fed_bytes;  /* the size of the one that was fed last */
	uint64_t total_bytes;
	uint8_t *bytes; /* of one segment */
	size_t size;
	size_t capacity;
	size_t stopped; /* where batches of the segment that was fed last end */
	bool is_over;   /* a batch that is not whole: nothing may follow */
	struct error *err;
};

static bool open_segment(struct log_reader *reader, uint64_t number, int *file, uint64_t *size)
{
	const struct disk *disk = reader->disk;
	char path[SEGMENT_PATH_BYTES];

	segment_path(path, number);
	if (!disk->open(disk->context, path, DISK_READ, file, reader->err))
		return false;
	if (disk->size(disk->context, *file, size, reader->err))
		return true;
	disk->close(disk->context, *file);
	return false;
}

/* A writer that makes two segments while names are read may show only the second of them. */
static bool count_segments(struct log_reader *reader, uint64_t *count)
{
	return segments_count(reader->disk, count, reader->err) ||
	       (reader->err->code == ERROR_CORRUPT &&
		       segments_count(reader->disk, count, reader->err));
}

/* Adds up the segments; *count is how many there are. */
static bool measure(struct log_reader *reader, uint64_t *count)
{
	uint64_t size;
	int file;

	if (!count_segments(reader, count))
		return error_wrap(reader->err, "no whole log is here");
	for (uint64_t number = 1; number <= *count; number++) {
		if (!open_segment(reader, number, &file, &size))
			return false;
		reader->disk->close(reader->disk->context, file);
		reader->total_bytes += size;
	}
	*reader->err = (struct error){0};
	return true;
}

static bool bytes_reserve(struct log_reader *reader, uint64_t size)
{
	uint8_t *bytes;

	if (size > SEGMENT_BYTES_MAX)
		return error_set(reader->err, ERROR_LIMIT, "a segment of the log is too large");
	if (size <= reader->capacity)
		return true;
	bytes = realloc(reader->bytes, size);
	if (bytes == NULL)
		return error_set(reader->err, ERROR_LIMIT, "no memory to read the log");
	reader->bytes = bytes;
	reader->capacity = size;
	return true;
}

static bool read_segment(struct log_reader *reader, uint64_t number)
{
	const struct disk *disk = reader->disk;
	uint64_t size;
	bool ok;
	int file;

	if (!open_segment(reader, number, &file, &size))
		return false;
	ok = bytes_reserve(reader, size) &&
	     disk->read(disk->context, (struct disk_place){file, 0}, reader->bytes, size,
		     &reader->size, reader->err);
	disk->close(disk->context, file);
	return ok;
}

static bool feed_batch(struct log_reader *reader, const struct frame_batch *batch)
{
	struct text content = {0};
	struct frame frame;
	size_t cursor = batch->offset;

	while (frame_next(reader->bytes, batch, &cursor, &frame)) {
		struct log_entry entry = {frame.index, frame.payload, content};

		if (frame.kind == FRAME_CONTENT)
			content = frame.payload;
		if (frame.kind != FRAME_ENTRY)
			continue;
		if (!reader->visitor->visit(reader->visitor->context, &entry, reader->err))
			return false;
		content = (struct text){0};
	}
	return true;
}

static void tell_progress(struct log_reader *reader, size_t offset)
{
	uint64_t done = reader->done_bytes + offset;

	if (reader->progress == NULL)
		return;
	if (done > reader->total_bytes) /* it grew */
		done = reader->total_bytes;
	reader->progress->run(reader->progress->context, done, reader->total_bytes);
}

/* Batches from where it stopped, as long as they are whole. */
static bool feed_whole(struct log_reader *reader, enum frame_fault *fault, size_t *at)
{
	struct frame_fault_place place = {0};
	struct frame_batch batch;

	*fault = FRAME_END;
	while (reader->stopped < reader->size) {
		*fault = frame_batch_read(reader->bytes, reader->size, reader->stopped,
			&reader->chain, &batch, &place);
		if (*fault != FRAME_OK)
			break;
		if (!feed_batch(reader, &batch))
			return false;
		reader->stopped = batch.offset + batch.size;
		tell_progress(reader, reader->stopped);
		*fault = FRAME_END;
	}
	*at = place.offset;
	return true;
}

static bool has_more(const struct log_reader *reader)
{
	return frame_finds_later_batch(
		reader->bytes, reader->size, reader->stopped, &reader->chain);
}

/* From where it stopped; what was read too early is read again, as long as that brings more. */
static bool feed_rest(struct log_reader *reader, uint64_t number)
{
	enum frame_fault fault;
	size_t before, at;
	bool is_again = false;

	for (;;) {
		before = reader->stopped;
		if (!feed_whole(reader, &fault, &at))
			return false;
		reader->is_over = fault != FRAME_END;
		if (!has_more(reader))
			return true;
		if (is_again && reader->stopped == before)
			break;
		is_again = true;
		if (!read_segment(reader, number))
			return false;
	}
	if (fault == FRAME_END) { /* nothing, where something is behind it */
		fault = FRAME_BAD_MAGIC;
		at = reader->stopped;
	}
	return error_set(reader->err, ERROR_CORRUPT, "segment %llu at offset %zu: %s",
		(unsigned long long)number, at, frame_fault_text(fault));
}

/* Whether something was written to the segment, and it does not continue what was fed. */
static bool is_ahead(const struct log_reader *reader)
{
	struct frame_chain chain = reader->chain;
	struct frame_fault_place place;
	struct frame_batch batch;
	struct frame frame;

	if (reader->size < FRAME_HEADER_BYTES ||
		frame_read_header(reader->bytes, &frame) == FRAME_END)
		return false; /* made ready, of zeros */
	return reader->is_over ||
	       frame_batch_read(reader->bytes, reader->size, 0, &chain, &batch, &place) != FRAME_OK;
}

/* The segment before was written to the end since it was read. */
static bool catch_up(struct log_reader *reader, uint64_t number)
{
	if (number == 1 || !is_ahead(reader))
		return true;
	reader->done_bytes -= reader->fed_bytes;
	if (!read_segment(reader, number - 1) || !feed_rest(reader, number - 1))
		return false;
	reader->done_bytes += reader->size;
	if (reader->is_over)
		return error_set(reader->err, ERROR_CORRUPT,
			"segment %llu follows a batch that is not whole",
			(unsigned long long)number);
	return read_segment(reader, number);
}

static bool feed_segment(struct log_reader *reader, uint64_t number)
{
	if (!read_segment(reader, number) || !catch_up(reader, number))
		return false;
	reader->stopped = 0;
	if (!feed_rest(reader, number))
		return false;
	reader->fed_bytes = reader->size;
	reader->done_bytes += reader->size;
	return true;
}

bool log_walk(const struct disk *disk, const struct log_visitor *visitor,
	const struct log_progress *progress, struct error *err)
{
	struct log_reader reader = {
		.disk = disk, .visitor = visitor, .progress = progress, .err = err};
	uint64_t count;
	bool ok;

	*err = (struct error){0};
	ok = measure(&reader, &count);
	for (uint64_t number = 1; ok && number <= count; number++)
		ok = feed_segment(&reader, number);
	free(reader.bytes);
	return ok;
}
