/* Text for the policy library.  Everything works on explicit lengths; the
 * writer doubles its block in the arena and leaves the old one behind. */
#include "cedar/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WRITER_BYTES_FIRST = 128, NUMBER_BYTES_MAX = 24 };

struct cedar_text cedar_text_of(const char *string)
{
	return (struct cedar_text){string, string == NULL ? 0 : strlen(string)};
}

/* Leaves out the bytes of characters that were cut, at the end or where a name is
 * shown in part. */
static void leave_out_cut(char *text)
{
	struct cedar_text rest = cedar_text_of(text);
	size_t valid = utf8_valid_length(rest);
	char *out = text + valid;

	while (valid < rest.length) {
		rest = (struct cedar_text){rest.data + valid + 1, rest.length - valid - 1};
		valid = utf8_valid_length(rest);
		memmove(out, rest.data, valid);
		out += valid;
	}
	*out = '\0';
}

static void PRINTF_LIKE(2, 0) tell(struct cedar_error *err, const char *fmt, va_list args)
{
	(void)vsnprintf(err->text, sizeof err->text, fmt, args);
	leave_out_cut(err->text);
}

bool cedar_fail(struct cedar_error *err, enum cedar_error_code code, const char *fmt, ...)
{
	va_list args;

	err->code = code;
	err->line = 0;
	err->column = 0;
	va_start(args, fmt);
	tell(err, fmt, args);
	va_end(args);
	return false;
}

bool cedar_fail_at(
	struct cedar_error *err, struct cedar_text source, size_t offset, const char *fmt, ...)
{
	va_list args;

	err->code = CEDAR_ERROR_INVALID;
	cedar_place(source, offset, &err->line, &err->column);
	va_start(args, fmt);
	tell(err, fmt, args);
	va_end(args);
	return false;
}

bool cedar_limit_at(
	struct cedar_error *err, struct cedar_text source, size_t offset, const char *fmt, ...)
{
	va_list args;

	err->code = CEDAR_ERROR_LIMIT;
	cedar_place(source, offset, &err->line, &err->column);
	va_start(args, fmt);
	tell(err, fmt, args);
	va_end(args);
	return false;
}

bool cedar_fail_memory(struct cedar_error *err)
{
	return cedar_fail(err, CEDAR_ERROR_LIMIT, "out of memory, or of what the arena may hold");
}

void cedar_place(struct cedar_text source, size_t offset, uint32_t *line, uint32_t *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < offset && i < source.length; i++) {
		if (source.data[i] == '\n') {
			(*line)++;
			*column = 1;
		} else {
			(*column)++;
		}
	}
}

/* Names are short and most begin alike: faster than a call. */
enum { WORDWISE_BYTES_MAX = 64 };

/* The first bytes are the highest; the last word may overlap the one before. */
static inline int compare_words(const char *a, const char *b, size_t length)
{
	uint64_t left, right;
	size_t at = 0;

	do {
		left = be64toh(cedar_word(a + at));
		right = be64toh(cedar_word(b + at));
		at = at + 16 <= length ? at + 8 : length - 8 > at ? length - 8 : length;
	} while (left == right && at < length);
	return (left > right) - (left < right);
}

int cedar_text_compare_all(struct cedar_text a, struct cedar_text b)
{
	size_t common = a.length < b.length ? a.length : b.length;
	int order = 0;

	if (common >= 8 && common <= WORDWISE_BYTES_MAX)
		order = compare_words(a.data, b.data, common);
	else if (common > 0)
		order = memcmp(a.data, b.data, common);
	if (order != 0)
		return order;
	return (a.length > b.length) - (a.length < b.length);
}

struct cedar_text cedar_text_copy(struct arena *arena, struct cedar_text text)
{
	char *copy = arena_copy_text(arena, text.data, text.length);

	return (struct cedar_text){copy, copy == NULL ? 0 : text.length};
}

/* The bytes of the sequence that starts with lead, and its payload bits. */
static int sequence_bytes(unsigned char lead, uint32_t *bits, uint32_t *least)
{
	if (lead < 0x80) {
		*bits = lead;
		*least = 0;
		return 1;
	}
	if ((lead & 0xE0) == 0xC0) {
		*bits = lead & 0x1F;
		*least = 0x80;
		return 2;
	}
	if ((lead & 0xF0) == 0xE0) {
		*bits = lead & 0x0F;
		*least = 0x800;
		return 3;
	}
	if ((lead & 0xF8) == 0xF0) {
		*bits = lead & 0x07;
		*least = 0x10000;
		return 4;
	}
	return 0;
}

uint32_t utf8_next(const char **cursor, const char *end)
{
	uint32_t code = 0, least = 0;
	int bytes = sequence_bytes((unsigned char)**cursor, &code, &least);

	if (bytes == 0 || end - *cursor < bytes)
		return UTF8_BAD;
	for (int i = 1; i < bytes; i++) {
		unsigned char next = (unsigned char)(*cursor)[i];

		if ((next & 0xC0) != 0x80)
			return UTF8_BAD;
		code = code << 6 | (next & 0x3F);
	}
	if (code < least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return UTF8_BAD;
	*cursor += bytes;
	return code;
}

size_t utf8_encode(char out[UTF8_BYTES_MAX], uint32_t code_point)
{
	if (code_point < 0x80) {
		out[0] = (char)code_point;
		return 1;
	}
	if (code_point < 0x800) {
		out[0] = (char)(0xC0 | code_point >> 6);
		out[1] = (char)(0x80 | (code_point & 0x3F));
		return 2;
	}
	if (code_point < 0x10000) {
		out[0] = (char)(0xE0 | code_point >> 12);
		out[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
		out[2] = (char)(0x80 | (code_point & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | code_point >> 18);
	out[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
	out[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
	out[3] = (char)(0x80 | (code_point & 0x3F));
	return 4;
}

/* Eight bytes of which one at least is no ASCII. */
static const uint64_t NOT_ASCII = 0x8080808080808080;

size_t utf8_valid_length(struct cedar_text text)
{
	const char *cursor = text.data, *end = text.data + text.length;

	if (text.length == 0)
		return 0;
	while (cursor < end) {
		if (end - cursor >= 8 && (cedar_load(cursor, 8) & NOT_ASCII) == 0)
			cursor += 8;
		else if (utf8_next(&cursor, end) == UTF8_BAD)
			break;
	}
	return (size_t)(cursor - text.data);
}

bool cedar_check_text(
	struct cedar_text text, const char *whose, const char *part, struct cedar_error *err)
{
	size_t valid = utf8_valid_length(text);

	return valid == text.length ||
	       cedar_fail(err, CEDAR_ERROR_INVALID, "%s: byte %zu of %s is not UTF-8", whose,
		       valid + 1, part);
}

static bool is_letter(char byte)
{
	return byte == '_' || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

bool cedar_is_identifier(struct cedar_text text)
{
	if (text.length == 0 || !is_letter(text.data[0]))
		return false;
	for (size_t i = 1; i < text.length; i++) {
		if (!is_letter(text.data[i]) && (text.data[i] < '0' || text.data[i] > '9'))
			return false;
	}
	return true;
}

bool cedar_is_reserved(struct cedar_text text)
{
	switch (text.length) {
	case 2:
		return cedar_text_is(text, "if") || cedar_text_is(text, "in") ||
		       cedar_text_is(text, "is");
	case 3: return cedar_text_is(text, "has");
	case 4:
		return cedar_text_is(text, "true") || cedar_text_is(text, "then") ||
		       cedar_text_is(text, "else") || cedar_text_is(text, "like");
	case 5: return cedar_text_is(text, "false");
	case 7: return cedar_text_is(text, "__cedar");
	default: return false;
	}
}

bool cedar_is_type_name(struct cedar_text text)
{
	size_t start = 0;

	for (size_t at = 0; at <= text.length; at++) {
		struct cedar_text part = {text.data + start, at - start};

		if (at < text.length && text.data[at] != ':')
			continue;
		if (!cedar_is_identifier(part) || cedar_is_reserved(part))
			return false;
		if (at == text.length)
			return true;
		if (at + 1 >= text.length || text.data[at + 1] != ':')
			return false;
		at++;
		start = at + 1;
	}
	return false;
}

bool cedar_is_action_type(struct cedar_text type)
{
	struct cedar_text last = CEDAR_TEXT("Action");
	size_t before = type.length - last.length;

	if (type.length < last.length || memcmp(type.data + before, last.data, last.length) != 0)
		return false;
	return before == 0 || type.data[before - 1] == ':';
}

static bool writer_grow(struct cedar_writer *writer, size_t more)
{
	size_t need, capacity = writer->capacity == 0 ? WRITER_BYTES_FIRST : writer->capacity;
	char *data;

	if (writer->failed)
		return false;
	if (__builtin_add_overflow(writer->length, more, &need) || need > SIZE_MAX / 4) {
		writer->failed = true;
		return false;
	}
	if (need <= writer->capacity)
		return true;
	while (capacity < need)
		capacity *= 2;
	data = arena_array(writer->arena, char, capacity);
	if (data == NULL) {
		writer->failed = true;
		return false;
	}
	if (writer->length > 0)
		memcpy(data, writer->data, writer->length);
	writer->data = data;
	writer->capacity = capacity;
	return true;
}

void cedar_write(struct cedar_writer *writer, struct cedar_text text)
{
	if (text.length == 0 || !writer_grow(writer, text.length))
		return;
	memcpy(writer->data + writer->length, text.data, text.length);
	writer->length += text.length;
}

void cedar_write_string(struct cedar_writer *writer, const char *string)
{
	cedar_write(writer, cedar_text_of(string));
}

void cedar_write_int64(struct cedar_writer *writer, int64_t value)
{
	char digits[NUMBER_BYTES_MAX];

	(void)snprintf(digits, sizeof digits, "%" PRId64, value);
	cedar_write_string(writer, digits);
}

/* The escape of one byte, or NULL if it stands for itself. */
static const char *escape_of(char byte, bool is_pattern)
{
	switch (byte) {
	case '\n': return "\\n";
	case '\r': return "\\r";
	case '\t': return "\\t";
	case '\0': return "\\0";
	case '\\': return "\\\\";
	case '"': return "\\\"";
	case '*': return is_pattern ? "\\*" : NULL;
	default: return NULL;
	}
}

void cedar_write_escaped(struct cedar_writer *writer, struct cedar_text text, bool is_pattern)
{
	for (size_t i = 0; i < text.length; i++) {
		const char *escape = escape_of(text.data[i], is_pattern);
		unsigned char byte = (unsigned char)text.data[i];
		char code[8];

		if (escape != NULL) {
			cedar_write_string(writer, escape);
		} else if (byte < 0x20 || byte == 0x7F) {
			(void)snprintf(code, sizeof code, "\\u{%x}", byte);
			cedar_write_string(writer, code);
		} else {
			cedar_write(writer, (struct cedar_text){text.data + i, 1});
		}
	}
}

void cedar_write_quoted(struct cedar_writer *writer, struct cedar_text text)
{
	cedar_write_string(writer, "\"");
	cedar_write_escaped(writer, text, false);
	cedar_write_string(writer, "\"");
}

struct cedar_text cedar_writer_text(struct cedar_writer *writer)
{
	if (!writer_grow(writer, 1)) /* so that .data is not NULL for the empty text */
		return (struct cedar_text){NULL, 0};
	return (struct cedar_text){writer->data, writer->length};
}
