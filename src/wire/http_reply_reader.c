/* An answer as a chain of phases:
 *
 *   HEAD ─┬─▶ LENGTH ──────────────────────────────▶ DONE
 *         ├─▶ SIZE ─▶ CHUNK ─▶ CHUNK_END ─▶ SIZE …
 *         │     └ 0 ─▶ TRAILER ─────────────────────▶ DONE
 *         ├─▶ CLOSE (until the peer closes)
 *         └─▶ DONE (no body)
 *
 * The head is gathered whole, then read once; the body passes through uncopied. */
#include "wire/http_reply_reader.h"

#include <string.h>
#include <strings.h>

enum phase { HEAD = 0, LENGTH, SIZE, CHUNK, CHUNK_END, TRAILER, CLOSE, DONE };

enum { SIZE_DIGITS_MAX = 15, STATUS_LINE_BYTES_MIN = 12 };

void http_reply_reader_init(struct http_reply_reader *reader)
{
	*reader = (struct http_reply_reader){.keep_alive_s = -1};
	buffer_init(&reader->head, HTTP_REPLY_HEAD_BYTES_MAX);
}

void http_reply_reader_deinit(struct http_reply_reader *reader)
{
	buffer_deinit(&reader->head);
}

void http_reply_reader_start(struct http_reply_reader *reader, bool is_bodiless)
{
	reader->phase = HEAD;
	reader->is_bodiless = is_bodiless;
	reader->left = 0;
	reader->line_length = 0;
	reader->interim_count = 0;
	reader->status = 0;
	reader->is_kept_alive = false;
	reader->keep_alive_s = -1;
	reader->fault = NULL;
	buffer_reset(&reader->head);
}

static enum http_read bad(struct http_reply_reader *reader, const char *fault)
{
	reader->fault = fault;
	return HTTP_READ_BAD;
}

/* ---- the head ---- */

/* The next line of the head without its CRLF; *head moves behind it. */
static struct text line_take(struct text *head)
{
	const char *end = head->length == 0 ? NULL : memmem(head->data, head->length, "\r\n", 2);
	struct text line = *head;

	if (end == NULL) {
		*head = (struct text){0};
		return line;
	}
	line.length = (size_t)(end - head->data);
	*head = text_after(*head, line.length + 2);
	return line;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static struct text trimmed(struct text t)
{
	while (t.length > 0 && is_blank(t.data[0]))
		t = text_after(t, 1);
	while (t.length > 0 && is_blank(t.data[t.length - 1]))
		t.length--;
	return t;
}

static bool name_is(struct text t, const char *name)
{
	return t.length == strlen(name) && strncasecmp(t.data, name, t.length) == 0;
}

/* NAME ":" VALUE; false if it is none.  RFC 9112 §5: no blank before the colon,
 * no fold, no control character. */
static bool field_split(struct text line, struct text *name, struct text *value)
{
	ptrdiff_t colon = text_find_byte(line, ':');
	size_t i;

	if (colon <= 0)
		return false;
	for (i = 0; i < line.length; i++) {
		unsigned char byte = (unsigned char)line.data[i];

		if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
			return false;
		if (i < (size_t)colon && (byte <= ' ' || byte > '~'))
			return false;
	}
	*name = (struct text){line.data, (size_t)colon};
	*value = trimmed(text_after(line, (size_t)colon + 1));
	return true;
}

/* Walks the fields of a whole head, the status line left out. */
struct fields {
	struct text rest;
};

static struct fields fields_of(const struct http_reply_reader *reader)
{
	struct fields fields = {.rest = buffer_text(&reader->head)};

	(void)line_take(&fields.rest);
	return fields;
}

/* False at the end, or at a line that is no field (then name is empty). */
static bool field_next(struct fields *fields, struct text *name, struct text *value)
{
	struct text line = line_take(&fields->rest);

	*name = (struct text){0};
	*value = (struct text){0};
	return line.length > 0 && field_split(line, name, value);
}

struct text http_reply_field(const struct http_reply_reader *reader, const char *name)
{
	struct fields fields = fields_of(reader);
	struct text found, value;

	while (field_next(&fields, &found, &value))
		if (name_is(found, name))
			return value;
	return (struct text){0};
}

/* What the fields say of the body and the connection. */
struct framing {
	unsigned lengths;
	unsigned encodings;
	bool is_chunked;
	bool is_closing;
	uint64_t length;
};

static bool length_read(struct text value, uint64_t *out)
{
	size_t i;

	*out = 0;
	if (value.length == 0 || value.length > 18)
		return false;
	for (i = 0; i < value.length; i++) {
		if (value.data[i] < '0' || value.data[i] > '9')
			return false;
		*out = *out * 10 + (uint64_t)(value.data[i] - '0');
	}
	return true;
}

static bool list_has(struct text list, const char *word)
{
	while (list.length > 0) {
		ptrdiff_t comma = text_find_byte(list, ',');
		struct text item = list;

		if (comma >= 0)
			item.length = (size_t)comma;
		if (name_is(trimmed(item), word))
			return true;
		list = text_after(list, comma < 0 ? list.length : (size_t)comma + 1);
	}
	return false;
}

/* "timeout=5, max=100" */
static int64_t keep_alive_read(struct text value)
{
	static const char word[] = "timeout=";
	const char *found = memmem(value.data, value.length, word, sizeof word - 1);
	int64_t seconds = 0;
	const char *digit;

	if (found == NULL)
		return -1;
	for (digit = found + sizeof word - 1;
		digit < value.data + value.length && *digit >= '0' && *digit <= '9'; digit++)
		if (seconds < 100000)
			seconds = seconds * 10 + (*digit - '0');
	return seconds;
}

static bool framing_add(struct http_reply_reader *reader, struct framing *framing, struct text name,
	struct text value)
{
	if (name_is(name, "Content-Length")) {
		framing->lengths++;
		return length_read(value, &framing->length);
	}
	if (name_is(name, "Transfer-Encoding")) {
		framing->encodings++;
		framing->is_chunked = name_is(value, "chunked");
		return framing->is_chunked;
	}
	if (name_is(name, "Connection"))
		framing->is_closing |= list_has(value, "close");
	else if (name_is(name, "Keep-Alive"))
		reader->keep_alive_s = keep_alive_read(value);
	return true;
}

static bool framing_read(struct http_reply_reader *reader, struct framing *framing)
{
	struct fields fields = fields_of(reader);
	struct text name, value;
	unsigned count = 0;

	while (field_next(&fields, &name, &value)) {
		if (++count > HTTP_REPLY_FIELDS_MAX)
			return false;
		if (!framing_add(reader, framing, name, value))
			return false;
	}
	/* the walk ends at the empty line alone; anything else is no field */
	return fields.rest.length == 0 && framing->lengths <= 1 && framing->encodings <= 1 &&
	       framing->lengths + framing->encodings <= 1;
}

/* "HTTP/1.1 200 OK" */
static bool status_read(struct http_reply_reader *reader, bool *is_old)
{
	struct text rest = buffer_text(&reader->head);
	struct text line = line_take(&rest);
	const char *at = line.data;
	int i;

	if (line.length < STATUS_LINE_BYTES_MIN || strncmp(at, "HTTP/1.", 7) != 0 ||
		(at[7] != '0' && at[7] != '1') || at[8] != ' ' ||
		(line.length > STATUS_LINE_BYTES_MIN && at[12] != ' '))
		return false;
	reader->status = 0;
	for (i = 9; i < 12; i++) {
		if (at[i] < '0' || at[i] > '9')
			return false;
		reader->status = reader->status * 10 + (unsigned)(at[i] - '0');
	}
	*is_old = at[7] == '0';
	return reader->status >= 100 && reader->status <= 599;
}

static void body_start(struct http_reply_reader *reader, const struct framing *framing)
{
	reader->left = framing->length;
	if (reader->is_bodiless || reader->status == 204 || reader->status == 304)
		reader->phase = DONE;
	else if (framing->is_chunked)
		reader->phase = SIZE;
	else if (framing->lengths == 1)
		reader->phase = framing->length == 0 ? DONE : LENGTH;
	else
		reader->phase = CLOSE;
}

static enum http_read interim_skip(struct http_reply_reader *reader)
{
	if (reader->status == 101 || ++reader->interim_count > HTTP_REPLY_INTERIM_MAX)
		return bad(reader, "an interim answer out of place");
	buffer_reset(&reader->head);
	return HTTP_READ_MORE;
}

static enum http_read head_read(struct http_reply_reader *reader)
{
	struct framing framing = {0};
	bool is_old = false;

	if (!status_read(reader, &is_old))
		return bad(reader, "its first line is no status line");
	if (reader->status < 200)
		return interim_skip(reader);
	if (!framing_read(reader, &framing) || (is_old && framing.encodings > 0))
		return bad(reader, "its head is malformed");
	body_start(reader, &framing);
	reader->is_kept_alive = !is_old && !framing.is_closing && reader->phase != CLOSE;
	return HTTP_READ_HEAD;
}

/* Gathers the head up to its empty line. */
static enum http_read head_take(struct http_reply_reader *reader, struct text *bytes)
{
	size_t had = reader->head.length, from = had < 3 ? 0 : had - 3, length;
	const char *end;

	length = HTTP_REPLY_HEAD_BYTES_MAX - had;
	if (length > bytes->length)
		length = bytes->length;
	buffer_append(&reader->head, bytes->data, length);
	if (buffer_failed(&reader->head))
		return bad(reader, "no memory for its head");
	end = memmem(reader->head.data + from, reader->head.length - from, "\r\n\r\n", 4);
	if (end == NULL) {
		*bytes = text_after(*bytes, length);
		return reader->head.length < HTTP_REPLY_HEAD_BYTES_MAX
			       ? HTTP_READ_MORE
			       : bad(reader, "its head is too large");
	}
	length = (size_t)(end - reader->head.data) + 4;
	*bytes = text_after(*bytes, length - had);
	/* What came along of the body may be a secret. */
	explicit_bzero(reader->head.data + length, reader->head.length - length);
	reader->head.length = length;
	return head_read(reader);
}

/* ---- the body ---- */

/* Up to left bytes of the body. */
static enum http_read body_take(
	struct http_reply_reader *reader, struct text *bytes, struct text *chunk, enum phase next)
{
	*chunk = *bytes;
	if (chunk->length > reader->left)
		chunk->length = (size_t)reader->left;
	*bytes = text_after(*bytes, chunk->length);
	reader->left -= chunk->length;
	if (reader->left == 0)
		reader->phase = (int)next;
	return HTTP_READ_BODY;
}

/* Gathers a line of the chunked coding; false: not whole yet, or (fault is set) bad. */
static bool chunk_line_take(struct http_reply_reader *reader, struct text *bytes)
{
	while (bytes->length > 0) {
		char byte = bytes->data[0];

		if (reader->line_length == sizeof reader->line) {
			reader->fault = "a line of its chunks is too long";
			return false;
		}
		*bytes = text_after(*bytes, 1);
		reader->line[reader->line_length++] = byte;
		if (byte != '\n')
			continue;
		if (reader->line_length < 2 || reader->line[reader->line_length - 2] != '\r') {
			reader->fault = "a line of its chunks does not end in CRLF";
			return false;
		}
		return true;
	}
	return false;
}

static enum http_read line_missing(const struct http_reply_reader *reader)
{
	return reader->fault == NULL ? HTTP_READ_MORE : HTTP_READ_BAD;
}

static enum http_read size_take(struct http_reply_reader *reader, struct text *bytes)
{
	size_t i = 0;

	if (!chunk_line_take(reader, bytes))
		return line_missing(reader);
	reader->left = 0;
	for (; text_hex_digit(reader->line[i]) >= 0; i++)
		reader->left = reader->left * 16 + (uint64_t)text_hex_digit(reader->line[i]);
	if (i == 0 || i > SIZE_DIGITS_MAX || strchr(";\r \t", reader->line[i]) == NULL)
		return bad(reader, "the size of a chunk is malformed");
	reader->line_length = 0;
	reader->phase = reader->left == 0 ? TRAILER : CHUNK;
	return HTTP_READ_MORE;
}

static enum http_read chunk_end_take(struct http_reply_reader *reader, struct text *bytes)
{
	if (!chunk_line_take(reader, bytes))
		return line_missing(reader);
	if (reader->line_length != 2)
		return bad(reader, "a chunk is longer than it says");
	reader->line_length = 0;
	reader->phase = SIZE;
	return HTTP_READ_MORE;
}

/* Trailers are passed over; left counts their bytes. */
static enum http_read trailer_take(struct http_reply_reader *reader, struct text *bytes)
{
	if (!chunk_line_take(reader, bytes))
		return line_missing(reader);
	reader->left += reader->line_length;
	if (reader->left > HTTP_REPLY_HEAD_BYTES_MAX)
		return bad(reader, "its trailers are too large");
	if (reader->line_length == 2)
		reader->phase = DONE;
	reader->line_length = 0;
	return HTTP_READ_MORE;
}

static enum http_read phase_take(
	struct http_reply_reader *reader, struct text *bytes, struct text *chunk)
{
	switch ((enum phase)reader->phase) {
	case HEAD: return head_take(reader, bytes);
	case LENGTH: return body_take(reader, bytes, chunk, DONE);
	case SIZE: return size_take(reader, bytes);
	case CHUNK: return body_take(reader, bytes, chunk, CHUNK_END);
	case CHUNK_END: return chunk_end_take(reader, bytes);
	case TRAILER: return trailer_take(reader, bytes);
	case CLOSE: reader->left = UINT64_MAX; return body_take(reader, bytes, chunk, CLOSE);
	case DONE: break;
	}
	return HTTP_READ_DONE;
}

enum http_read http_reply_read(
	struct http_reply_reader *reader, struct text *bytes, struct text *chunk)
{
	*chunk = (struct text){0};
	while (reader->phase != DONE) {
		enum http_read read;

		if (bytes->length == 0)
			return HTTP_READ_MORE;
		read = phase_take(reader, bytes, chunk);
		if (read != HTTP_READ_MORE)
			return read;
	}
	return HTTP_READ_DONE;
}

bool http_reply_ends_at_close(const struct http_reply_reader *reader)
{
	return reader->phase == CLOSE || reader->phase == DONE;
}
