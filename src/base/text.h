#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/attr.h"

/* A borrowed run of UTF-8 text: length bytes, not NUL-terminated.  {0} is the
 * empty text. */
struct text {
	const char *data;
	size_t length;
};

/* The text of a string literal, known at compile time. */
#define TEXT(literal) ((struct text){"" literal, sizeof(literal) - 1})
/* For printf's "%.*s": printf("%.*s", TEXT_ARGS(t)). */
#define TEXT_ARGS(t) ((int)(t).length), ((t).data)

/* A view of a NUL-terminated string; string may be NULL (the empty text). */
static inline struct text text_of(const char *string)
{
	return (struct text){string, string == NULL ? 0 : strlen(string)};
}

static inline bool text_equal(struct text a, struct text b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static inline bool text_is(struct text a, const char *string)
{
	return text_equal(a, text_of(string));
}

/* What follows the first count bytes, of which there are at least so many. */
static inline struct text text_after(struct text whole, size_t count)
{
	return (struct text){whole.data + count, whole.length - count};
}

/* 0 to 15; -1: it is none. */
static inline int text_hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

/* Byte order, as memcmp; <0, 0, >0. */
int text_compare(struct text a, struct text b);
bool text_starts_with(struct text whole, const char *prefix);
bool text_ends_with(struct text whole, const char *suffix);
/* Index of the first byte, or -1. */
ptrdiff_t text_find_byte(struct text whole, char byte);
/* What is before the first byte; all, if there is none. */
struct text text_before(struct text whole, char byte);
/* The same, off *rest, and the byte with it. */
struct text text_cut(struct text *rest, char byte);

/* True if value is like the glob, in which "*" stands for any bytes, also none. */
bool text_is_like(struct text glob, struct text value);

/* True if every byte belongs to well-formed UTF-8 (RFC 3629): no overlong
 * forms, no surrogates, nothing above U+10FFFF.  NUL counts as valid here. */
bool text_is_utf8(struct text t);

/* Bytes of the well-formed UTF-8 sequence that data starts with (1 to 4), or 0
 * if it starts with none; looks at no more than length bytes. */
size_t utf8_sequence_size(const char *text, size_t length);

/* The first of its bytes, at most bytes_max, without a letter of which some are past them.  Of
 * well-formed UTF-8 it is well-formed, also where the end of t itself stands within a letter. */
struct text text_head(struct text t, size_t bytes_max);

/* The code point of one well-formed sequence of size bytes. */
uint32_t utf8_code_point(const char *data, size_t size);
/* False for what a reader cannot see or that moves what he sees: controls (C0,
 * DEL, C1), line and paragraph separators, zero-width and direction marks, the
 * byte order mark, tag letters, noncharacters.  For showing a stranger's text. */
bool code_point_is_visible(uint32_t code);

/* A NUL-terminated copy in arena; .data is NULL when the arena is full. */
struct text text_copy(struct arena *arena, struct text t) MUST_CHECK;
/* The parts, one after the other, likewise. */
struct text text_concat(struct arena *arena, const struct text *parts, size_t count) MUST_CHECK;
/* printf into arena; .data is NULL when the arena is full. */
struct text text_format(struct arena *arena, const char *fmt, ...) MUST_CHECK PRINTF_LIKE(2, 3);

/* Reads a whole decimal integer ("-12"), no blanks, no plus, no leading zero.
 * False if it is not one or does not fit. */
bool text_to_int64(struct text t, int64_t *out) MUST_CHECK;
/* Reads "90d" "15m" "30s" "12h" into seconds.  False if not of that form. */
bool text_to_duration_s(struct text t, int64_t *out_s) MUST_CHECK;

#endif
