/* Escapes of string literals and of patterns, and the matching of patterns.
 * Both readers decode into one block as long as the literal: an escape is never
 * shorter than what it stands for. */
#include <string.h>

#include "cedar/lexer.h"

#include "base/text.h"

enum { UNICODE_DIGITS_MAX = 6 };

/* Reads one literal; fails at `at`. */
struct unescaper {
	struct cedar_text source;
	uint32_t at;
	uint32_t end; /* of the closing quote */
	char *out;
	size_t length;
	struct cedar_error *err;
};

static bool unescape_fail(struct unescaper *reader, uint32_t start, const char *what)
{
	return cedar_fail_at(reader->err, reader->source, start, "%s", what);
}

static void put_code(struct unescaper *reader, uint32_t code)
{
	reader->length += utf8_encode(reader->out + reader->length, code);
}

/* After \x: two digits, at most 7F. */
static bool read_byte_escape(struct unescaper *reader, uint32_t start)
{
	int high, low;

	if (reader->end - reader->at < 2)
		return unescape_fail(reader, start, "\\x needs two hexadecimal digits");
	high = text_hex_digit(reader->source.data[reader->at]);
	low = text_hex_digit(reader->source.data[reader->at + 1]);
	if (high < 0 || low < 0)
		return unescape_fail(reader, start, "\\x needs two hexadecimal digits");
	if (high > 7)
		return unescape_fail(reader, start, "\\x goes up to 7F; write \\u{..}");
	put_code(reader, (uint32_t)(high * 16 + low));
	reader->at += 2;
	return true;
}

/* After \u: {1 to 6 digits}, underscores between them. */
static bool read_unicode_escape(struct unescaper *reader, uint32_t start)
{
	uint32_t code = 0, digits = 0;

	if (reader->at >= reader->end || reader->source.data[reader->at] != '{')
		return unescape_fail(reader, start, "\\u needs {");
	for (reader->at++; reader->at < reader->end; reader->at++) {
		char byte = reader->source.data[reader->at];
		int value = text_hex_digit(byte);

		if (byte == '}')
			break;
		if (byte == '_' && digits > 0)
			continue;
		if (value < 0 || ++digits > UNICODE_DIGITS_MAX)
			return unescape_fail(
				reader, start, "\\u{} needs 1 to 6 hexadecimal digits");
		code = code * 16 + (uint32_t)value;
	}
	if (reader->at >= reader->end || digits == 0)
		return unescape_fail(reader, start, "\\u{} needs 1 to 6 hexadecimal digits");
	if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return unescape_fail(reader, start, "\\u{} is not a character");
	reader->at++;
	put_code(reader, code);
	return true;
}

/* After a backslash. */
static bool read_escape(struct unescaper *reader)
{
	static const char names[] = "nrt\\0'\"", meanings[] = "\n\r\t\\\0'\"";
	uint32_t start = reader->at - 1;
	char byte = reader->source.data[reader->at];
	const char *name = byte == '\0' ? NULL : strchr(names, byte);

	reader->at++;
	if (name != NULL) {
		reader->out[reader->length++] = meanings[name - names];
		return true;
	}
	if (byte == 'x')
		return read_byte_escape(reader, start);
	if (byte == 'u')
		return read_unicode_escape(reader, start);
	return unescape_fail(reader, start, "an escape the language does not have");
}

static bool unescaper_init(struct unescaper *reader, struct arena *arena, struct cedar_text source,
	const struct token *token, struct cedar_error *err)
{
	*reader = (struct unescaper){
		.source = source, .at = token->start + 1, .end = token->end - 1, .err = err};
	/* One byte spare: an empty literal still has an address. */
	reader->out = arena_array(arena, char, token->end - token->start);
	return reader->out != NULL || cedar_fail_memory(err);
}

/* Reads one character of a string; a bare star is one. */
static bool read_character(struct unescaper *reader)
{
	char byte = reader->source.data[reader->at++];

	if (byte == '\\')
		return read_escape(reader);
	if (byte == '\r')
		return unescape_fail(reader, reader->at - 1, "a bare carriage return: write \\r");
	reader->out[reader->length++] = byte;
	return true;
}

static bool is_plain(struct cedar_text text)
{
	return text.length == 0 || (memchr(text.data, '\\', text.length) == NULL &&
					   memchr(text.data, '\r', text.length) == NULL);
}

bool string_unescape(struct cedar_text *out, struct arena *arena, struct cedar_text source,
	const struct token *token, struct cedar_error *err)
{
	struct unescaper reader;

	*out = (struct cedar_text){source.data + token->start + 1, token->end - token->start - 2};
	if (is_plain(*out))
		return true;
	*out = (struct cedar_text){NULL, 0};
	if (!unescaper_init(&reader, arena, source, token, err))
		return false;
	while (reader.at < reader.end) {
		if (!read_character(&reader))
			return false;
	}
	*out = (struct cedar_text){reader.out, reader.length};
	return true;
}

/* At least as many as there may be wildcards: one may also be written as an escape. */
static uint32_t count_stars(const struct unescaper *reader)
{
	uint32_t count = 0;

	for (uint32_t at = reader->at; at < reader->end; at++) {
		char byte = reader->source.data[at];

		count += byte == '*' || byte == '\\';
	}
	return count;
}

/* One character of a pattern.  A star is a wildcard however it is written, by its
 * code too; only \* stands for itself. */
static bool read_pattern_character(struct unescaper *reader, bool *is_wildcard)
{
	const char *at = reader->source.data + reader->at;

	*is_wildcard = false;
	if (at[0] == '\\' && at[1] == '*') {
		reader->out[reader->length++] = '*';
		reader->at += 2;
		return true;
	}
	if (!read_character(reader))
		return false;
	*is_wildcard = reader->out[reader->length - 1] == '*';
	reader->length -= *is_wildcard;
	return true;
}

bool pattern_unescape(struct like_pattern *out, struct arena *arena, struct cedar_text source,
	const struct token *token, struct cedar_error *err)
{
	struct unescaper reader;
	struct cedar_text *pieces;
	uint32_t count = 0;
	size_t piece_start = 0;

	*out = (struct like_pattern){NULL, 0};
	if (!unescaper_init(&reader, arena, source, token, err))
		return false;
	pieces = arena_array(arena, struct cedar_text, count_stars(&reader) + 1);
	if (pieces == NULL)
		return cedar_fail_memory(err);
	while (reader.at < reader.end) {
		bool is_wildcard;

		if (!read_pattern_character(&reader, &is_wildcard))
			return false;
		if (!is_wildcard)
			continue;
		pieces[count++] =
			(struct cedar_text){reader.out + piece_start, reader.length - piece_start};
		piece_start = reader.length;
	}
	pieces[count++] =
		(struct cedar_text){reader.out + piece_start, reader.length - piece_start};
	*out = (struct like_pattern){pieces, count};
	return true;
}

/* The first place of piece in text from `at` on, or length + 1. */
static size_t find_piece(struct cedar_text text, size_t at, struct cedar_text piece)
{
	const char *found;

	if (piece.length == 0)
		return at;
	found = memmem(text.data + at, text.length - at, piece.data, piece.length);
	return found == NULL ? text.length + 1 : (size_t)(found - text.data);
}

/* The first piece is anchored at the start, the last at the end; each piece
 * between them takes its first place, which leaves the most room for the rest. */
bool pattern_matches(const struct like_pattern *pattern, struct cedar_text text)
{
	struct cedar_text first = pattern->pieces[0];
	struct cedar_text last = pattern->pieces[pattern->count - 1];
	size_t at = first.length;

	if (pattern->count == 1)
		return cedar_text_equal(first, text);
	if (text.length < first.length + last.length ||
		!cedar_text_equal(first, (struct cedar_text){text.data, first.length}) ||
		!cedar_text_equal(last,
			(struct cedar_text){text.data + text.length - last.length, last.length}))
		return false;
	text.length -= last.length;
	for (uint32_t i = 1; i + 1 < pattern->count; i++) {
		at = find_piece(text, at, pattern->pieces[i]);
		if (at > text.length)
			return false;
		at += pattern->pieces[i].length;
	}
	return at <= text.length;
}
