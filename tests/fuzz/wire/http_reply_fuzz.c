/* Laws of the reader of HTTP answers: how the bytes are cut makes no difference, it
 * takes what it says it takes, and what it refuses it says why. */
#include <assert.h>

#include "base/buffer.h"
#include "wire/http_reply_reader.h"

enum { ROOM_BYTES = 1 << 22 };

/* Reads in pieces of step bytes; *seen gets statuses and bodies, *taken counts. */
static enum http_read read_in_steps(
	struct buffer *seen, struct text bytes, size_t step, size_t *taken)
{
	struct http_reply_reader reader;
	enum http_read read = HTTP_READ_MORE;
	size_t at = 0;

	http_reply_reader_init(&reader);
	http_reply_reader_start(&reader, false);
	*taken = 0;
	while (at < bytes.length && read != HTTP_READ_BAD && read != HTTP_READ_DONE) {
		size_t left = bytes.length - at;
		struct text part = {bytes.data + at, left < step ? left : step}, chunk;

		at += part.length;
		do {
			size_t before = part.length;

			read = http_reply_read(&reader, &part, &chunk);
			*taken += before - part.length;
			if (read == HTTP_READ_HEAD)
				buffer_append_int64(seen, reader.status);
			buffer_append_text(seen, chunk);
		} while (read == HTTP_READ_HEAD || read == HTTP_READ_BODY);
		assert(read != HTTP_READ_MORE || part.length == 0);
		assert((read == HTTP_READ_BAD) == (reader.fault != NULL));
	}
	http_reply_reader_deinit(&reader);
	return read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text bytes = {(const char *)data, size};
	struct buffer whole, cut;
	size_t whole_taken, cut_taken;
	enum http_read read;

	if (size == 0)
		return 0;
	buffer_init(&whole, ROOM_BYTES);
	buffer_init(&cut, ROOM_BYTES);
	read = read_in_steps(&whole, bytes, size, &whole_taken);
	assert(read == read_in_steps(&cut, bytes, 1 + data[0] % 7, &cut_taken));
	if (read != HTTP_READ_BAD) {
		assert(text_equal(buffer_text(&whole), buffer_text(&cut)));
		assert(whole_taken == cut_taken);
	}
	buffer_deinit(&whole);
	buffer_deinit(&cut);
	return 0;
}
