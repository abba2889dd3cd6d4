#ifndef BASE_JSON_WRITER_H
#define BASE_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/digest.h"
#include "base/text.h"

/* Writes a value straight in its canonical form (json_canonical), for what is written
 * often and never looked into.  It keeps no value: members are given in the order of the
 * canonical form, and one out of order, or twice, fails the writer, as does anything else
 * that would be no canonical JSON.  Nothing fails one by one: ask json_writer_finish. */

enum { JSON_WRITER_DEPTH_MAX = 8 };

struct json_writer {
	struct buffer *out;
	struct json_writer_level {
		bool is_array;
		bool has_parts;
		struct text last; /* the name written last, of an object */
	} levels[JSON_WRITER_DEPTH_MAX];
	unsigned depth;
	bool failed;
};

/* What is in out already stays before it.  out is borrowed until the writer is done. */
void json_writer_start(struct json_writer *writer, struct buffer *out);

/* Each writes a part of what was opened last: a member of an object, under its name, or
 * an item of an array, where name is {0}.  Names are borrowed until their object ends. */
void json_write_object(struct json_writer *writer, struct text name);
void json_write_array(struct json_writer *writer, struct text name);
void json_write_end(struct json_writer *writer); /* of the object or array */
void json_write_text(struct json_writer *writer, struct text name, struct text value);
void json_write_integer(struct json_writer *writer, struct text name, int64_t value);
void json_write_digest(struct json_writer *writer, struct text name, const struct sha256 *digest);

/* True if all that was opened has ended, in order and with room. */
bool json_writer_finish(const struct json_writer *writer);

#endif
