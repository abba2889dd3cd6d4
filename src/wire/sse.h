#ifndef WIRE_SSE_H
#define WIRE_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

/* Server-sent events (WHATWG HTML §9.2). */

struct sse_event {
	struct text name; /* empty: "message" */
	struct text data;
	struct text id;   /* .data NULL: none given with this event */
	int64_t retry_ms; /* -1: none */
};

struct sse_parser;

/* on_event gets each event with data, or with a retry alone (data.data is then
 * NULL); what it is lent lives for the call.  False from it ends the feed.
 * event_bytes_max bounds one line and one event's data.  Errors: LIMIT. */
bool sse_parser_create(struct sse_parser **out, size_t event_bytes_max,
	bool (*on_event)(void *context, const struct sse_event *event), void *context,
	struct error *err) MUST_CHECK;
/* Chunks may end anywhere.  After a failure every later feed fails.
 * Errors: LIMIT (event too large), INVALID (not UTF-8, NUL, or on_event said no). */
bool sse_parser_feed(struct sse_parser *parser, struct text chunk, struct error *err) MUST_CHECK;
void sse_parser_destroy(struct sse_parser **parser);

/* Appends one event; data may have line ends.  Name and id must have none
 * (asserted).  Fails as the buffer fails. */
void sse_format(struct buffer *out, const struct sse_event *event);
/* Appends a comment line, which keeps a connection alive. */
void sse_format_comment(struct buffer *out, const char *comment);

#endif
