#ifndef CEDAR_TEXT_H
#define CEDAR_TEXT_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/attr.h"
#include "remit/cedar.h"

/* What the files of cedar/ share about text: errors with a place, UTF-8,
 * hashing, and a writer.  Texts may hold NUL, so nothing here is a C string. */

/* Fills err and returns false. */
bool cedar_fail(struct cedar_error *err, enum cedar_error_code code, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* The same with the line and column of byte offset in source. */
bool cedar_fail_at(struct cedar_error *err, struct cedar_text source, size_t offset,
	const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The same with code LIMIT. */
bool cedar_limit_at(struct cedar_error *err, struct cedar_text source, size_t offset,
	const char *fmt, ...) PRINTF_LIKE(4, 5);
bool cedar_fail_memory(struct cedar_error *err);

/* The line and column of byte offset, both 1-based. */
void cedar_place(struct cedar_text source, size_t offset, uint32_t *line, uint32_t *column);

/* The bytes that a bound of the header is, which gives MiB. */
static inline size_t cedar_mib(size_t mib)
{
	return mib << 20;
}

static inline bool cedar_text_equal(struct cedar_text a, struct cedar_text b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* In line, so that the length of a literal is known where it is compared. */
static inline bool cedar_text_is(struct cedar_text a, const char *string)
{
	size_t length = strlen(string);

	return a.length == length && (length == 0 || memcmp(a.data, string, length) == 0);
}
/* Byte order; a prefix comes first.  Most texts differ in their first byte. */
int cedar_text_compare_all(struct cedar_text a, struct cedar_text b);
static inline int cedar_text_compare(struct cedar_text a, struct cedar_text b)
{
	if (a.length != 0 && b.length != 0 && a.data[0] != b.data[0])
		return (unsigned char)a.data[0] < (unsigned char)b.data[0] ? -1 : 1;
	return cedar_text_compare_all(a, b);
}
/* 8 bytes as they are in memory. */
static inline uint64_t cedar_word(const char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof word);
	return word;
}
/* Up to 8 bytes as a number, the first of them the lowest. */
static inline uint64_t cedar_load(const char *at, size_t bytes)
{
	uint64_t word = 0;

	memcpy(&word, at, bytes);
	return le64toh(word);
}
/* .data is NULL when the arena is full. */
struct cedar_text cedar_text_copy(struct arena *arena, struct cedar_text text) MUST_CHECK;
/* Never 0, and another one in each process: nothing that is shown may depend on it.
 * Equality must always be confirmed byte by byte. */
uint64_t cedar_text_hash(uint64_t seed, struct cedar_text text);
/* The same of two texts. */
uint64_t cedar_pair_hash(struct cedar_text a, struct cedar_text b);

/* Reads the code point at *cursor and moves it on; UTF8_BAD (and the cursor
 * stays) if the bytes there are not well-formed (RFC 3629). */
enum { UTF8_BAD = 0x110000, UTF8_BYTES_MAX = 4 };
uint32_t utf8_next(const char **cursor, const char *end);
/* Writes a valid code point; returns its bytes. */
size_t utf8_encode(char out[UTF8_BYTES_MAX], uint32_t code_point);
/* The offset of the first byte that is not well-formed, or the length. */
size_t utf8_valid_length(struct cedar_text text);

/* False with INVALID if the text is not UTF-8: "WHOSE: byte N of PART is not UTF-8". */
bool cedar_check_text(struct cedar_text text, const char *whose, const char *part,
	struct cedar_error *err) MUST_CHECK;

/* True if text is an identifier of the language; reserved words count. */
bool cedar_is_identifier(struct cedar_text text);
/* True for the words that can name nothing: true false if then else in is like
 * has __cedar. */
bool cedar_is_reserved(struct cedar_text text);
/* True for A::B::C of identifiers, none reserved, no blanks. */
bool cedar_is_type_name(struct cedar_text text);
/* True if the last part of a type's name is Action. */
bool cedar_is_action_type(struct cedar_text type);

/* Text that grows in an arena; the first failure is kept. */
struct cedar_writer {
	struct arena *arena;
	char *data;
	size_t length;
	size_t capacity;
	bool failed;
};
void cedar_write(struct cedar_writer *writer, struct cedar_text text);
void cedar_write_string(struct cedar_writer *writer, const char *string);
void cedar_write_int64(struct cedar_writer *writer, int64_t value);
/* "text" with the escapes of the language; is_pattern also escapes the star. */
void cedar_write_quoted(struct cedar_writer *writer, struct cedar_text text);
/* The escapes of quoted text without the quotes. */
void cedar_write_escaped(struct cedar_writer *writer, struct cedar_text text, bool is_pattern);
/* .data is NULL if a write failed. */
struct cedar_text cedar_writer_text(struct cedar_writer *writer);

#endif
