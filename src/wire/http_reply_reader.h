#ifndef WIRE_HTTP_REPLY_READER_H
#define WIRE_HTTP_REPLY_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/text.h"

/* Reads one HTTP/1.1 answer (RFC 9112) from bytes as they come.  Strict: lines end
 * in CRLF, no folded fields, one Content-Length or one Transfer-Encoding: chunked
 * and never both, so what one reader takes for the end of an answer all do. */

enum {
	HTTP_REPLY_HEAD_BYTES_MAX = 16 * 1024, /* of one head, and of all trailers */
	HTTP_REPLY_FIELDS_MAX = 100,
	HTTP_REPLY_INTERIM_MAX = 8,      /* answers 1xx before the real one */
	HTTP_CHUNK_LINE_BYTES_MAX = 256, /* a chunk's size and extensions */
};

enum http_read {
	HTTP_READ_MORE = 0, /* all bytes were taken; the answer goes on */
	HTTP_READ_HEAD,     /* status and fields are there */
	HTTP_READ_BODY,     /* *chunk is a part of the body */
	HTTP_READ_DONE,     /* the answer is whole; what is left of bytes is not its */
	HTTP_READ_BAD,      /* not an answer; fault says why */
};

struct http_reply_reader {
	int phase;        /* private, as all that is not said to be read */
	bool is_bodiless; /* the request was HEAD */
	uint64_t left;    /* of the body or the chunk */
	size_t line_length;
	char line[HTTP_CHUNK_LINE_BYTES_MAX];
	struct buffer head;
	unsigned interim_count;
	/* Valid from HEAD on, to be read. */
	unsigned status;
	bool is_kept_alive;   /* the connection may serve another request afterwards */
	int64_t keep_alive_s; /* as the server promised (Keep-Alive: timeout=), or -1 */
	const char *fault;
};

void http_reply_reader_init(struct http_reply_reader *reader);
void http_reply_reader_deinit(struct http_reply_reader *reader);
/* Ready for the next answer; keeps its memory.  is_bodiless: to HEAD. */
void http_reply_reader_start(struct http_reply_reader *reader, bool is_bodiless);

/* Takes from *bytes up to the next event. */
enum http_read http_reply_read(
	struct http_reply_reader *reader, struct text *bytes, struct text *chunk);
/* The peer closed: true if that ends the answer. */
bool http_reply_ends_at_close(const struct http_reply_reader *reader);
/* The first field of this name, without blanks around it; empty if there is none. */
struct text http_reply_field(const struct http_reply_reader *reader, const char *name);

#endif
