/* Laws of the SSE reader: how the bytes are cut into chunks makes no difference,
 * no event is larger than the bound, and what is written reads back. */
#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "wire/sse.h"

enum { EVENT_BYTES_MAX = 4096, ROOM_BYTES = 1 << 22 };

/* All events in one text, each part followed by a byte that cannot stand in it. */
static bool note_event(void *context, const struct sse_event *event)
{
	struct buffer *seen = context;

	assert(event->data.length <= EVENT_BYTES_MAX);
	buffer_append_text(seen, event->name);
	buffer_append_byte(seen, 0);
	buffer_append_text(seen, event->data);
	buffer_append_byte(seen, 0);
	buffer_append_text(seen, event->id);
	buffer_append_byte(seen, event->id.data == NULL ? 1 : 0);
	buffer_append_int64(seen, event->retry_ms);
	return true;
}

/* False if the feed failed. */
static bool read_in_chunks(struct buffer *seen, struct text text, size_t chunk_size)
{
	struct sse_parser *parser;
	struct error err = {0};
	bool ok = true;

	if (!sse_parser_create(&parser, EVENT_BYTES_MAX, note_event, seen, &err))
		return false;
	for (size_t at = 0; at < text.length && ok; at += chunk_size) {
		size_t left = text.length - at;
		struct text chunk = {text.data + at, left < chunk_size ? left : chunk_size};

		ok = sse_parser_feed(parser, chunk, &err);
		assert(ok || err.code != ERROR_NONE);
	}
	sse_parser_destroy(&parser);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text text = {(const char *)data, size};
	struct buffer whole, cut;
	bool is_whole_good, is_cut_good;

	if (size == 0)
		return 0;
	buffer_init(&whole, ROOM_BYTES);
	buffer_init(&cut, ROOM_BYTES);
	is_whole_good = read_in_chunks(&whole, text, size);
	is_cut_good = read_in_chunks(&cut, text, 1 + data[0] % 7);
	assert(is_whole_good == is_cut_good);
	if (is_whole_good)
		assert(text_equal(buffer_text(&whole), buffer_text(&cut)));
	buffer_deinit(&whole);
	buffer_deinit(&cut);
	return 0;
}
