/* Reading the log, waiting for it to grow, and receipts. */
#include <inttypes.h>
#include <stdlib.h>

#include "domain/audit/receipt.h"
#include "services/record/record_private.h"
#include "services/record/tile_nodes.h"

enum { NOTE_ARENA_BYTES = 256 * 1024, RECEIPT_ARENA_BYTES = 1024 * 1024 };

uint64_t record_log_size(const struct record_log *log)
{
	return segments_size(log->segments);
}

static struct timespec deadline_after(uint32_t timeout_ms)
{
	int64_t until = record_now_ms() + timeout_ms;

	return (struct timespec){until / 1000, until % 1000 * 1000000};
}

uint64_t record_log_wait(struct record_log *log, uint64_t size, uint32_t timeout_ms)
{
	struct timespec until = deadline_after(timeout_ms);
	int waited = 0;

	pthread_mutex_lock(&log->lock);
	while (waited == 0 && segments_size(log->segments) <= size && !log->is_interrupted &&
		!atomic_load(&log->has_failed))
		waited = pthread_cond_timedwait(&log->grown, &log->lock, &until);
	pthread_mutex_unlock(&log->lock);
	return segments_size(log->segments);
}

void record_log_interrupt(struct record_log *log)
{
	pthread_mutex_lock(&log->lock);
	log->is_interrupted = true;
	pthread_cond_broadcast(&log->grown);
	pthread_mutex_unlock(&log->lock);
}

/* One entry, with its content if wanted; *walk holds what *out borrows. */
static bool find_entry(struct record_log *log, uint64_t index, enum segment_want want,
	struct segment_walk **walk, struct segment_found *out, struct error *err)
{
	bool is_end;

	*walk = NULL;
	if (index >= segments_size(log->segments))
		return error_set(err, ERROR_NOT_FOUND, "no record %" PRIu64, index);
	if (!segment_walk_open(walk, log->segments, index, want, err) ||
		!segment_walk_next(*walk, out, &is_end, err)) {
		segment_walk_close(walk);
		return false;
	}
	return true;
}

bool record_read(struct record_log *log, uint64_t index, struct arena *arena,
	struct record_entry *out, struct error *err)
{
	struct segment_walk *walk;
	struct segment_found found;

	*out = (struct record_entry){0};
	if (!find_entry(log, index, SEGMENT_ENTRIES, &walk, &found, err))
		return false;
	out->index = index;
	out->has_content = found.has_content;
	out->entry = text_copy(arena, found.entry);
	segment_walk_close(&walk);
	if (out->entry.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	return true;
}

bool record_read_content(struct record_log *log, uint64_t index, struct arena *arena,
	struct text *out, struct error *err)
{
	struct segment_walk *walk;
	struct segment_found found;
	bool ok = true;

	*out = (struct text){0};
	if (!find_entry(log, index, SEGMENT_ENTRIES_AND_CONTENT, &walk, &found, err))
		return false;
	if (!found.has_content)
		ok = error_set(err, ERROR_NOT_FOUND, "record %" PRIu64 " has no content", index);
	else
		*out = text_copy(arena, found.content);
	segment_walk_close(&walk);
	if (ok && out->data == NULL)
		ok = error_set(err, ERROR_LIMIT, "no memory for a content");
	return ok;
}

struct record_reader {
	struct segment_walk *walk;
};

bool record_reader_open(
	struct record_reader **out, struct record_log *log, uint64_t from, struct error *err)
{
	struct record_reader *reader = calloc(1, sizeof *reader);

	*out = NULL;
	if (reader == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to read the log");
	if (!segment_walk_open(&reader->walk, log->segments, from, SEGMENT_ENTRIES, err)) {
		free(reader);
		return false;
	}
	*out = reader;
	return true;
}

bool record_reader_next(
	struct record_reader *reader, struct record_entry *out, bool *is_end, struct error *err)
{
	struct segment_found found;

	*out = (struct record_entry){0};
	if (!segment_walk_next(reader->walk, &found, is_end, err))
		return false;
	if (!*is_end)
		*out = (struct record_entry){found.index, found.entry, found.has_content};
	return true;
}

void record_reader_close(struct record_reader **reader)
{
	struct record_reader *closing = *reader;

	*reader = NULL;
	if (closing == NULL)
		return;
	segment_walk_close(&closing->walk);
	free(closing);
}

bool record_checkpoint(struct record_log *log, struct arena *arena, struct text *out_note,
	struct tree_head *out_head, struct error *err)
{
	*out_note = (struct text){0};
	return publisher_checkpoint(log->publisher, arena, out_note, out_head, err);
}

static bool prove(struct record_log *log, uint64_t size, struct receipt *receipt, struct error *err)
{
	struct tile_nodes *nodes;
	struct merkle_nodes port;
	bool ok;

	if (!tile_nodes_open(&nodes, log->options.disk, size, err))
		return false;
	port = tile_nodes_port(nodes);
	ok = merkle_prove_inclusion(&port, receipt->index, size, &receipt->proof, err);
	tile_nodes_close(&nodes);
	return ok;
}

bool record_receipt(struct record_log *log, uint64_t index, struct buffer *out, struct error *err)
{
	struct arena *arena = arena_create(RECEIPT_ARENA_BYTES + NOTE_ARENA_BYTES);
	struct receipt receipt = {.index = index};
	struct record_entry entry;
	struct tree_head head;
	bool ok = false;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a receipt");
	if (!record_read(log, index, arena, &entry, err) ||
		!record_checkpoint(log, arena, &receipt.checkpoint, &head, err))
		goto done;
	receipt.entry = entry.entry;
	if (index >= head.size) {
		error_set(err, ERROR_NOT_FOUND, "record %" PRIu64 " is not signed yet", index);
		goto done;
	}
	if (!prove(log, head.size, &receipt, err))
		goto done;
	receipt_format(out, &receipt);
	ok = !buffer_failed(out) || error_set(err, ERROR_LIMIT, "no memory for a receipt");
done:
	arena_destroy(&arena);
	return ok;
}
