#ifndef CEDAR_DOCUMENT_H
#define CEDAR_DOCUMENT_H

#include "cedar/value.h"

/* JSON as Cedar's entity and context files use it (RFC 8259), read strictly:
 * UTF-8, no name twice, nothing after the value, bounded depth, integers only.
 * Unlike base/json it keeps NUL inside strings, which Cedar allows. */

enum document_type {
	DOCUMENT_NULL = 0,
	DOCUMENT_BOOLEAN,
	DOCUMENT_INTEGER,
	DOCUMENT_STRING,
	DOCUMENT_ARRAY,
	DOCUMENT_OBJECT,
};

/* One value; parts are linked in source order. */
struct document {
	enum document_type type;
	uint32_t at; /* byte offset in the source, for errors */
	uint32_t count;
	struct cedar_text name; /* if it is a member of an object */
	struct document *next;
	union {
		bool boolean;
		int64_t integer;
		struct cedar_text string;
		struct document *first;
	};
};

/* Parses json into the arena.  Strings without escapes are borrowed from json.
 * Errors: INVALID with line and column, LIMIT. */
bool document_parse(struct document **out, struct arena *arena, struct cedar_text json,
	struct cedar_error *err) MUST_CHECK;

/* The same with another bound on nesting than CEDAR_DEPTH_MAX.  Whoever walks the
 * result must not recurse, or must count. */
bool document_parse_deep(struct document **out, struct arena *arena, struct cedar_text json,
	uint32_t depth_max, struct cedar_error *err) MUST_CHECK;

/* The member of an object, or NULL. */
const struct document *document_find_name(const struct document *object, struct cedar_text name);
static inline const struct document *document_find(const struct document *object, const char *name)
{
	return document_find_name(object, (struct cedar_text){name, strlen(name)});
}

/* What the readers of values and entities share. */
struct document_reader {
	struct arena *arena;
	struct cedar_text source;
	struct cedar_error *err;
};
/* Fills the error at the document's place and returns false. */
bool document_fail(
	const struct document_reader *reader, const struct document *at, const char *what);
/* Turns a document into a value: {"__entity": {type, id}} and
 * {"__extn": {fn, arg}} are read, null is refused. */
bool document_value(const struct document_reader *reader, const struct document *document,
	struct cedar_value *out) MUST_CHECK;
/* {type, id}, or that under "__entity". */
bool document_uid(const struct document_reader *reader, const struct document *document,
	struct cedar_uid *out) MUST_CHECK;
/* The same as a value. */
bool document_entity_value(const struct document_reader *reader, const struct document *document,
	struct cedar_value *out) MUST_CHECK;
/* {fn, arg}, or {fn: "offset", args: [..]}: what stands under "__extn". */
bool document_call(const struct document_reader *reader, const struct document *call,
	struct cedar_value *out) MUST_CHECK;
/* The uid and parents of an entity, whose attrs and tags are objects, not yet read. */
bool document_entity_frame(const struct document_reader *reader, const struct document *object,
	struct cedar_entity *out) MUST_CHECK;
/* {uid, attrs, parents, tags?}; what it points to lives in the reader's arena. */
bool document_entity(const struct document_reader *reader, const struct document *object,
	struct cedar_entity *out) MUST_CHECK;

#endif
