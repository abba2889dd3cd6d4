#ifndef DOMAIN_GENERATION_EVENTS_H
#define DOMAIN_GENERATION_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

/* Server-sent events cut out of a stream with their own bytes, so that what was looked at
 * can be passed on exactly as it came (WHATWG HTML 9.2; line ends LF, CRLF or CR). */

enum { GENERATION_EVENT_BYTES_MAX = 1024 * 1024 }; /* of one event, its line ends included */

struct generation_event {
	struct text raw;  /* up to and with the blank line that ends it */
	struct text name; /* of its last `event` field; empty: none */
	struct text data; /* its `data` lines, joined by newlines; .data is NULL without one */
};

struct generation_events {
	struct buffer pending; /* what has no end yet */
	struct buffer data;    /* of the event at hand */
	size_t scanned;        /* of pending: where a line begins, before which no event ends */
	size_t taken;          /* of pending: handed out by the last call */
};

void generation_events_init(struct generation_events *events);
void generation_events_deinit(struct generation_events *events);

/* Takes bytes of the stream. Errors: LIMIT (one event too large, or no memory). */
bool generation_events_put(
	struct generation_events *events, struct text chunk, struct error *err) MUST_CHECK;
/* The next whole event; false: there is none yet, or no memory (then LIMIT is set, else
 * err->code is NONE).  Borrowed until the next call. */
bool generation_events_next(struct generation_events *events, struct generation_event *out,
	struct error *err) MUST_CHECK;
/* Bytes of an event that has not ended. */
size_t generation_events_pending(const struct generation_events *events);

#endif
