#include "base/text.h"

#include <assert.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int text_compare(struct text a, struct text b)
{
	size_t shorter = a.length < b.length ? a.length : b.length;
	int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);

	if (order != 0)
		return order;
	return a.length < b.length ? -1 : a.length > b.length;
}

bool text_starts_with(struct text whole, const char *prefix)
{
	struct text start = text_of(prefix);

	return whole.length >= start.length &&
	       text_equal((struct text){whole.data, start.length}, start);
}

bool text_ends_with(struct text whole, const char *suffix)
{
	struct text end = text_of(suffix);

	if (whole.length < end.length)
		return false;
	return text_equal((struct text){whole.data + (whole.length - end.length), end.length}, end);
}

ptrdiff_t text_find_byte(struct text whole, char byte)
{
	const char *found = whole.length == 0 ? NULL : memchr(whole.data, byte, whole.length);

	return found == NULL ? -1 : found - whole.data;
}

struct text text_before(struct text whole, char byte)
{
	ptrdiff_t at = text_find_byte(whole, byte);

	return (struct text){whole.data, at < 0 ? whole.length : (size_t)at};
}

struct text text_cut(struct text *rest, char byte)
{
	struct text first = text_before(*rest, byte);
	bool has_byte = first.length < rest->length;

	*rest = text_after(*rest, first.length + has_byte);
	return first;
}

/* The bounds of the second byte are those of RFC 3629 §4. */
size_t utf8_sequence_size(const char *text, size_t length)
{
	const unsigned char *data = (const unsigned char *)text;
	unsigned char lead = length == 0 ? 0xFF : data[0];
	unsigned char least = 0x80;
	unsigned char most = 0xBF;
	size_t need;

	if (lead < 0x80)
		return 1;
	if (lead < 0xC2 || lead > 0xF4)
		return 0;
	need = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
	if (need > length)
		return 0;
	if (lead == 0xE0)
		least = 0xA0; /* shorter forms exist */
	else if (lead == 0xED)
		most = 0x9F; /* surrogates */
	else if (lead == 0xF0)
		least = 0x90;
	else if (lead == 0xF4)
		most = 0x8F; /* above U+10FFFF */
	if (data[1] < least || data[1] > most)
		return 0;
	for (size_t i = 2; i < need; i++) {
		if ((data[i] & 0xC0) != 0x80)
			return 0;
	}
	return need;
}

bool text_is_like(struct text glob, struct text value)
{
	size_t at = 0, i = 0, star = glob.length, from = 0;

	while (i < value.length) {
		if (at < glob.length && glob.data[at] == '*') {
			star = at++;
			from = i;
		} else if (at < glob.length && glob.data[at] == value.data[i]) {
			at++;
			i++;
		} else if (star < glob.length) {
			at = star + 1;
			i = ++from;
		} else {
			return false;
		}
	}
	while (at < glob.length && glob.data[at] == '*')
		at++;
	return at == glob.length;
}

bool text_is_utf8(struct text t)
{
	size_t position = 0;

	while (position < t.length) {
		uint64_t eight;
		size_t step;

		if (t.length - position >= sizeof eight) {
			memcpy(&eight, t.data + position, sizeof eight);
			if ((eight & 0x8080808080808080U) == 0) {
				position += sizeof eight;
				continue;
			}
		}
		step = utf8_sequence_size(t.data + position, t.length - position);
		if (step == 0)
			return false;
		position += step;
	}
	return true;
}

struct text text_head(struct text t, size_t bytes_max)
{
	size_t end = t.length < bytes_max ? t.length : bytes_max;
	size_t lead = end;

	while (lead > 0 && end - lead < 3 && ((unsigned char)t.data[lead - 1] & 0xC0) == 0x80)
		lead--;
	if (lead > 0 && (unsigned char)t.data[lead - 1] >= 0xC0 &&
		utf8_sequence_size(t.data + lead - 1, end - lead + 1) != end - lead + 1)
		end = lead - 1;
	return (struct text){t.data, end};
}

uint32_t utf8_code_point(const char *data, size_t size)
{
	static const uint8_t lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	uint32_t code;

	assert(size >= 1 && size <= 4);
	code = (uint8_t)data[0] & lead_bits[size];
	for (size_t i = 1; i < size; i++)
		code = code << 6 | ((uint8_t)data[i] & 0x3F);
	return code;
}

bool code_point_is_visible(uint32_t code)
{
	static const struct {
		uint32_t first;
		uint32_t last;
	} hidden[] = {{0, 0x1F}, {0x7F, 0x9F}, {0xAD, 0xAD}, {0x61C, 0x61C}, {0x180E, 0x180E},
		{0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFDD0, 0xFDEF},
		{0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF}};

	if ((code & 0xFFFE) == 0xFFFE)
		return false;
	for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
		if (code >= hidden[i].first && code <= hidden[i].last)
			return false;
	}
	return true;
}

struct text text_copy(struct arena *arena, struct text t)
{
	char *copy = arena_copy_text(arena, t.data, t.length);

	return (struct text){copy, copy == NULL ? 0 : t.length};
}

struct text text_concat(struct arena *arena, const struct text *parts, size_t count)
{
	size_t length = 0, at = 0, i;
	char *memory;

	for (i = 0; i < count; i++)
		if (__builtin_add_overflow(length, parts[i].length, &length))
			return (struct text){0};
	memory = arena_array(arena, char, length + 1);
	if (memory == NULL)
		return (struct text){0};
	for (i = 0; i < count; i++) {
		if (parts[i].length > 0)
			memcpy(memory + at, parts[i].data, parts[i].length);
		at += parts[i].length;
	}
	return (struct text){memory, length};
}

struct text text_format(struct arena *arena, const char *fmt, ...)
{
	struct text out = {0};
	va_list args;
	char *memory;
	int length;

	va_start(args, fmt);
	length = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (length < 0)
		return out;
	memory = arena_alloc(arena, (size_t)length + 1, 1);
	if (memory == NULL)
		return out;
	va_start(args, fmt);
	(void)vsnprintf(memory, (size_t)length + 1, fmt, args);
	va_end(args);
	return (struct text){memory, (size_t)length};
}

bool text_to_int64(struct text t, int64_t *out)
{
	bool is_negative = t.length > 0 && t.data[0] == '-';
	size_t position = is_negative;
	int64_t value = 0; /* kept negative: its range is the larger one */

	if (position == t.length ||
		(t.data[position] == '0' && (t.length > position + 1 || is_negative)))
		return false;
	for (; position < t.length; position++) {
		char digit = t.data[position];

		if (digit < '0' || digit > '9' || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_sub_overflow(value, digit - '0', &value))
			return false;
	}
	if (!is_negative && value == INT64_MIN)
		return false;
	*out = is_negative ? value : -value;
	return true;
}

static int64_t unit_seconds(char unit)
{
	switch (unit) {
	case 's': return 1;
	case 'm': return 60;
	case 'h': return 3600;
	case 'd': return 86400;
	default: return 0;
	}
}

bool text_to_duration_s(struct text t, int64_t *out_s)
{
	int64_t count;
	int64_t unit_s;

	if (t.length < 2)
		return false;
	unit_s = unit_seconds(t.data[t.length - 1]);
	if (unit_s == 0 || !text_to_int64((struct text){t.data, t.length - 1}, &count) || count < 0)
		return false;
	return !__builtin_mul_overflow(count, unit_s, out_s);
}
