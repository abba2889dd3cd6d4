#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"

/* JSON values (RFC 8259), read strictly: UTF-8 only, no duplicate member names
 * (compared after unescaping), no NUL in any string, bounded depth and size,
 * nothing after the value.  A number without fraction or exponent must fit an
 * int64 and keeps every digit; any other is a double, and must be finite. */

enum json_type {
	JSON_NULL = 0,
	JSON_BOOLEAN,
	JSON_INTEGER,
	JSON_DOUBLE,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/* How YAML wrote a text: as a block its lines are not those of the file (json_line_of). */
enum json_block {
	JSON_NO_BLOCK = 0, /* in quotes; also where it was not YAML */
	JSON_PLAIN,        /* without quotes: other readers may take it for a number */
	JSON_LITERAL_BLOCK,
	JSON_FOLDED_BLOCK,
};

struct json_member;

/* One value.  Immutable once built; everything it points to lives in the arena
 * it was read into, or in the text it was read from (strings without escapes
 * are not copied), so both must outlive it. */
struct json {
	enum json_type type;
	uint32_t line;  /* 1-based line in the source; 0 if built by code */
	uint32_t count; /* items of an array, members of an object */
	enum json_block block;
	union {
		bool boolean;
		int64_t integer;
		double number;
		struct text string;
		const struct json *items;
		const struct json_member *members; /* in source order */
	};
};

struct json_member {
	struct text name;
	struct json value;
};

struct json_limits {
	size_t size_bytes; /* longest text */
	uint32_t depth;    /* nested arrays and objects */
	uint32_t values;   /* values in all */
};

/* 1 MiB, 64 deep, 100,000 values. */
extern const struct json_limits json_limits_default;

/* Parses text.  On success *out is the value.  On failure *out is JSON_NULL
 * and err names the line and column and what was expected there.
 * Errors: INVALID, LIMIT. */
bool json_parse(struct json *out, struct arena *arena, struct text text,
	const struct json_limits *limits, struct error *err) MUST_CHECK;

/* The member's value, or NULL if object is not an object or has none so named.
 * Linear: objects are small. */
const struct json *json_find(const struct json *object, const char *name);
const struct json *json_find_text(const struct json *object, struct text name);

/* The member if it has the type asked for; otherwise the fallback. */
struct text json_text_or(const struct json *object, const char *name, const char *fallback);
int64_t json_integer_or(const struct json *object, const char *name, int64_t fallback);
bool json_boolean_or(const struct json *object, const char *name, bool fallback);

/* Fills *out with the required member; err says which is missing or what type
 * it should have.  Errors: INVALID. */
bool json_need_text(const struct json *object, const char *name, struct text *out,
	struct error *err) MUST_CHECK;
bool json_need_integer(
	const struct json *object, const char *name, int64_t *out, struct error *err) MUST_CHECK;

/* False and err names the first member of object that is not in the
 * NULL-terminated list.  Errors: INVALID. */
bool json_only_members(
	const struct json *object, const char *const *names, struct error *err) MUST_CHECK;

/* The line of the file on which a line of the value's text is, both from 1.  Exact in a literal
 * block; what YAML folds has other lines than the file, so of such a block, as of a text in
 * quotes, it is the one where the text begins.  text_line 0: the value's own line. */
uint32_t json_line_of(const struct json *value, uint32_t text_line);

/* Same type and value; member order does not matter; 1 and 1.0 differ. */
bool json_equal(const struct json *a, const struct json *b);

/* True: json_parse would read a value from text, within the limits, that json_equal says is
 * the same as this one, which json_parse read.  False says nothing: only the form without
 * blanks is known, members in the same order, escapes of two letters and no doubles.  Takes
 * no memory, and a small part of the time. */
bool json_is_written(
	const struct json *value, struct text text, const struct json_limits *limits) MUST_CHECK;

/* Appends the canonical form (RFC 8785: members sorted by UTF-16 code units,
 * shortest doubles, minimal escapes), except that an integer is written as its
 * digits and a double without fraction keeps ".0".  So two values have the same
 * bytes exactly when json_equal says they are equal, and json_parse gives an
 * equal value back.  Fails as the buffer fails, and for a string that is not UTF-8. */
void json_canonical(struct buffer *out, const struct json *value);
/* The same into the arena; .data is NULL when the arena is full. */
struct text json_canonical_text(struct arena *arena, const struct json *value) MUST_CHECK;
/* Of the canonical form, at most bytes_max long.  Errors: LIMIT. */
bool json_digest(struct sha256 *out, const struct json *value, size_t bytes_max,
	struct error *err) MUST_CHECK;
/* Appends a form for people: two blanks of indent, members in source order; what
 * cannot be seen (code_point_is_visible) is written as an escape. */
void json_pretty(struct buffer *out, const struct json *value);
/* Appends "..." with escapes. */
void json_append_string(struct buffer *out, struct text t);

/* Building a value by code.  Each returns by value; strings are borrowed. */
struct json json_null(void);
struct json json_boolean(bool value);
struct json json_integer(int64_t value);
struct json json_string(struct text value);
struct json json_cstring(const char *value);

/* Collects members or items, then seals them into the arena.  The first
 * failure is kept; seal reports it.  A name put twice is INVALID. */
struct json_builder {
	struct arena *arena;
	void *first_chunk;
	void *last_chunk;
	uint32_t count;
	bool failed;
};

void json_object_start(struct json_builder *builder, struct arena *arena);
void json_array_start(struct json_builder *builder, struct arena *arena);
/* name is borrowed and must outlive the value. */
void json_put(struct json_builder *object, const char *name, struct json value);
void json_put_text(struct json_builder *object, const char *name, struct text value);
void json_put_cstring(struct json_builder *object, const char *name, const char *value);
void json_put_integer(struct json_builder *object, const char *name, int64_t value);
void json_put_boolean(struct json_builder *object, const char *name, bool value);
void json_put_text_unless_empty(struct json_builder *object, const char *name, struct text value);
/* "sha256:" and hex, in the builder's arena. */
void json_put_digest(struct json_builder *object, const char *name, const struct sha256 *digest);
/* RFC 3339, in the builder's arena. */
void json_put_time(struct json_builder *object, const char *name, int64_t utc_ms);
void json_put_time_unless_zero(struct json_builder *object, const char *name, int64_t utc_ms);
/* An array of strings; texts are borrowed. */
void json_put_texts(
	struct json_builder *object, const char *name, const struct text *texts, size_t count);
void json_put_named(struct json_builder *object, struct text name, struct json value);
void json_add(struct json_builder *array, struct json value);
/* Errors: INVALID (a member that is there twice), LIMIT. */
bool json_object_seal(struct json_builder *builder, struct json *out, struct error *err) MUST_CHECK;
bool json_array_seal(struct json_builder *builder, struct json *out, struct error *err) MUST_CHECK;

/* A deep copy that lives in arena alone.  Errors: LIMIT. */
bool json_copy(struct json *out, struct arena *arena, const struct json *value,
	struct error *err) MUST_CHECK;

const char *json_type_name(enum json_type type);

#endif
