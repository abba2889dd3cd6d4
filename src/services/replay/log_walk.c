/* Segments in order, each read whole, batch after batch. */
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
	uint64_t done_bytes;
	uint64_t total_bytes;
	uint8_t *bytes; /* of one segment */
	size_t size;
	size_t capacity;
	bool is_over; /* a batch that is not whole: nothing may follow */
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

/* Adds up the segments; *count is how many there are. */
static bool measure(struct log_reader *reader, uint64_t *count)
{
	uint64_t size;
	int file;

	for (*count = 0; *count < SEGMENTS_MAX; (*count)++) {
		if (!open_segment(reader, *count + 1, &file, &size))
			break;
		reader->disk->close(reader->disk->context, file);
		reader->total_bytes += size;
	}
	if (*count == 0)
		return error_wrap(reader->err, "no log is here");
	if (reader->err->code != ERROR_NONE && reader->err->code != ERROR_NOT_FOUND)
		return false;
	*reader->err = (struct error){0}; /* the one after the last is not there */
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

static bool feed_segment(struct log_reader *reader, uint64_t number)
{
	struct frame_fault_place place;
	struct frame_batch batch;
	size_t offset = 0;

	while (offset < reader->size) {
		enum frame_fault fault = frame_batch_read(
			reader->bytes, reader->size, offset, &reader->chain, &batch, &place);

		if (fault == FRAME_END)
			break;
		if (fault != FRAME_OK && frame_finds_later_batch(reader->bytes, reader->size,
						 offset, &reader->chain))
			return error_set(reader->err, ERROR_CORRUPT,
				"segment %llu at offset %zu: %s", (unsigned long long)number,
				place.offset, frame_fault_text(fault));
		reader->is_over = fault != FRAME_OK;
		if (reader->is_over)
			break;
		if (!feed_batch(reader, &batch))
			return false;
		offset = batch.offset + batch.size;
		if (reader->progress != NULL)
			reader->progress->run(reader->progress->context,
				reader->done_bytes + offset, reader->total_bytes);
	}
	reader->done_bytes += reader->size;
	return true;
}

/* Behind a batch that is not whole there may be a segment made ready, of zeros. */
static bool check_follows(struct log_reader *reader, uint64_t number)
{
	struct frame frame;

	if (!reader->is_over || reader->size < FRAME_HEADER_BYTES ||
		frame_read_header(reader->bytes, &frame) == FRAME_END)
		return true;
	return error_set(reader->err, ERROR_CORRUPT,
		"segment %llu follows a batch that is not whole", (unsigned long long)number);
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
		ok = read_segment(&reader, number) && check_follows(&reader, number) &&
		     feed_segment(&reader, number);
	free(reader.bytes);
	return ok;
}
