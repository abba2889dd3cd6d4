#include "base/buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_BYTES_MIN = 256 };

void buffer_init(struct buffer *buffer, size_t limit_bytes)
{
	*buffer = (struct buffer){.limit_bytes = limit_bytes};
}

void buffer_init_in(struct buffer *buffer, size_t limit_bytes, char *memory, size_t size)
{
	*buffer = (struct buffer){
		.data = memory, .capacity = size, .limit_bytes = limit_bytes, .is_borrowed = true};
}

void buffer_keep_secret(struct buffer *buffer)
{
	buffer->is_secret = true;
}

static void give_back(struct buffer *buffer)
{
	/* All of it: what was consumed may stand behind the length. */
	if (buffer->is_secret && buffer->data != NULL)
		explicit_bzero(buffer->data, buffer->capacity);
	if (!buffer->is_borrowed)
		free(buffer->data);
}

void buffer_deinit(struct buffer *buffer)
{
	give_back(buffer);
	*buffer = (struct buffer){.limit_bytes = buffer->limit_bytes};
}

void buffer_reset(struct buffer *buffer)
{
	buffer->length = 0;
	buffer->failed = false;
}

bool buffer_failed(const struct buffer *buffer)
{
	return buffer->failed;
}

struct text buffer_text(const struct buffer *buffer)
{
	return (struct text){buffer->data, buffer->length};
}

/* Moves what there is to capacity bytes of its own; false: no memory. */
static bool move_to(struct buffer *buffer, size_t capacity)
{
	/* realloc gives the old memory back as it is. */
	bool is_copied = buffer->is_borrowed || buffer->is_secret;
	char *data = is_copied ? malloc(capacity) : realloc(buffer->data, capacity);

	if (data == NULL)
		return false;
	if (is_copied && buffer->length > 0)
		memcpy(data, buffer->data, buffer->length);
	if (is_copied)
		give_back(buffer);
	buffer->data = data;
	buffer->capacity = capacity;
	buffer->is_borrowed = false;
	return true;
}

bool buffer_reserve(struct buffer *buffer, size_t more)
{
	size_t need;
	size_t capacity;

	if (buffer->failed)
		return false;
	if (__builtin_add_overflow(buffer->length, more, &need) || need > buffer->limit_bytes)
		return !(buffer->failed = true);
	if (need <= buffer->capacity)
		return true;
	capacity = buffer->capacity > SIZE_MAX / 2 ? need : buffer->capacity * 2;
	if (capacity < CAPACITY_BYTES_MIN)
		capacity = CAPACITY_BYTES_MIN;
	if (capacity < need)
		capacity = need;
	buffer->failed = !move_to(buffer, capacity);
	return !buffer->failed;
}

void buffer_append_text(struct buffer *buffer, struct text t)
{
	buffer_append(buffer, t.data, t.length);
}

void buffer_append_visible(struct buffer *buffer, struct text t)
{
	size_t size;

	for (size_t at = 0; at < t.length; at += size == 0 ? 1 : size) {
		size = utf8_sequence_size(t.data + at, t.length - at);
		if (size > 0 && code_point_is_visible(utf8_code_point(t.data + at, size)))
			buffer_append(buffer, t.data + at, size);
		else
			buffer_append_byte(buffer, '?');
	}
}

void buffer_append_string(struct buffer *buffer, const char *string)
{
	buffer_append(buffer, string, strlen(string));
}

void buffer_append_int64(struct buffer *buffer, int64_t value)
{
	char digits[24];
	size_t position = sizeof digits;
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	do {
		digits[--position] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		digits[--position] = '-';
	buffer_append(buffer, digits + position, sizeof digits - position);
}

void buffer_append_format(struct buffer *buffer, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (length < 0) {
		buffer->failed = true;
		return;
	}
	/* vsnprintf writes a NUL behind the text: room for it, inside the limit or not. */
	if (!buffer_reserve(buffer, (size_t)length))
		return;
	if (buffer->length + (size_t)length == buffer->capacity &&
		!move_to(buffer, buffer->capacity + 1)) {
		buffer->failed = true;
		return;
	}
	va_start(args, fmt);
	(void)vsnprintf(buffer->data + buffer->length, (size_t)length + 1, fmt, args);
	va_end(args);
	buffer->length += (size_t)length;
}

void buffer_consume(struct buffer *buffer, size_t count)
{
	assert(count <= buffer->length);
	buffer->length -= count;
	if (buffer->length > 0)
		memmove(buffer->data, buffer->data + count, buffer->length);
}
