/* Invariants: (1) depth counts what is open; (2) the last name of each open object is
 * below every name that may still follow there; (3) once failed, nothing is written. */
#include "base/json_writer.h"

#include "base/json_internal.h"

void json_writer_start(struct json_writer *writer, struct buffer *out)
{
	*writer = (struct json_writer){.out = out};
}

/* What comes before a value: a comma, and a name where one belongs. */
static bool begin(struct json_writer *writer, struct text name)
{
	struct json_writer_level *level;

	if (writer->failed)
		return false;
	if (writer->depth == 0) { /* one value at the top */
		bool is_first = !writer->levels[0].has_parts && name.data == NULL;

		writer->levels[0].has_parts = true;
		return is_first;
	}
	level = &writer->levels[writer->depth - 1];
	if (level->is_array != (name.data == NULL) ||
		(!level->is_array && level->has_parts && json_order_names(level->last, name) >= 0))
		return false;
	if (level->has_parts)
		buffer_append_byte(writer->out, ',');
	level->has_parts = true;
	level->last = name;
	if (name.data != NULL) {
		json_canonical_string(writer->out, name);
		buffer_append_byte(writer->out, ':');
	}
	return true;
}

static bool may_write(struct json_writer *writer, struct text name)
{
	writer->failed = !begin(writer, name);
	return !writer->failed;
}

static void open(struct json_writer *writer, struct text name, bool is_array)
{
	if (!may_write(writer, name))
		return;
	if (writer->depth == JSON_WRITER_DEPTH_MAX) {
		writer->failed = true;
		return;
	}
	writer->levels[writer->depth++] = (struct json_writer_level){.is_array = is_array};
	buffer_append_byte(writer->out, is_array ? '[' : '{');
}

void json_write_object(struct json_writer *writer, struct text name)
{
	open(writer, name, false);
}

void json_write_array(struct json_writer *writer, struct text name)
{
	open(writer, name, true);
}

void json_write_end(struct json_writer *writer)
{
	writer->failed = writer->failed || writer->depth == 0;
	if (writer->failed)
		return;
	writer->depth--;
	buffer_append_byte(writer->out, writer->levels[writer->depth].is_array ? ']' : '}');
	if (writer->depth == 0)
		writer->levels[0].has_parts = true; /* nothing may follow */
}

void json_write_text(struct json_writer *writer, struct text name, struct text value)
{
	if (may_write(writer, name))
		json_canonical_string(writer->out, value);
}

void json_write_integer(struct json_writer *writer, struct text name, int64_t value)
{
	if (may_write(writer, name))
		buffer_append_int64(writer->out, value);
}

void json_write_digest(struct json_writer *writer, struct text name, const struct sha256 *digest)
{
	char written[DIGEST_TEXT_BYTES];

	digest_format(written, digest);
	json_write_text(writer, name, text_of(written));
}

bool json_writer_finish(const struct json_writer *writer)
{
	return !writer->failed && writer->depth == 0 && writer->levels[0].has_parts &&
	       !buffer_failed(writer->out);
}
