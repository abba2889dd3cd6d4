#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"

/* A growing run of bytes with a hard limit.  Appends never fail one by one:
 * the first that would pass the limit or finds no memory marks the buffer as
 * failed, later ones do nothing, and the owner asks buffer_failed() once at
 * the end.  The caller owns the struct; {0} is not valid, use buffer_init. */
struct buffer {
	char *data;
	size_t length;
	size_t capacity;
	size_t limit_bytes;
	bool failed;
	bool is_borrowed; /* data is the caller's */
	bool is_secret;   /* cleared wherever it leaves */
};

void buffer_init(struct buffer *buffer, size_t limit_bytes);
/* Begins in the caller's memory, which must outlive it; what does not fit there moves to
 * memory of its own. */
void buffer_init_in(struct buffer *buffer, size_t limit_bytes, char *memory, size_t size);
/* What it holds is cleared where it moves from and before it is given back, the caller's
 * memory too.  Holds until the next buffer_init. */
void buffer_keep_secret(struct buffer *buffer);
/* Frees the memory; the struct may be initialised again. */
void buffer_deinit(struct buffer *buffer);
/* Length 0, not failed; keeps the memory. */
void buffer_reset(struct buffer *buffer);
bool buffer_failed(const struct buffer *buffer);
/* What was written so far; borrowed until the next append. */
struct text buffer_text(const struct buffer *buffer);

/* Room for more bytes after length; false marks the buffer as failed. */
bool buffer_reserve(struct buffer *buffer, size_t more);

static inline bool buffer_has_room(const struct buffer *buffer, size_t more)
{
	return !buffer->failed && more <= buffer->capacity - buffer->length &&
	       more <= buffer->limit_bytes - buffer->length;
}

static inline void buffer_append(struct buffer *buffer, const void *data, size_t length)
{
	if (length == 0 || (!buffer_has_room(buffer, length) && !buffer_reserve(buffer, length)))
		return;
	memcpy(buffer->data + buffer->length, data, length);
	buffer->length += length;
}

static inline void buffer_append_byte(struct buffer *buffer, char byte)
{
	if (buffer_has_room(buffer, 1) || buffer_reserve(buffer, 1))
		buffer->data[buffer->length++] = byte;
}

void buffer_append_text(struct buffer *buffer, struct text t);
/* What could move the cursor, hide or forge a line becomes '?': for what strangers wrote. */
void buffer_append_visible(struct buffer *buffer, struct text t);
void buffer_append_string(struct buffer *buffer, const char *string);
void buffer_append_int64(struct buffer *buffer, int64_t value);
void buffer_append_format(struct buffer *buffer, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Drops the first count bytes and moves the rest to the front. */
void buffer_consume(struct buffer *buffer, size_t count);

#endif
