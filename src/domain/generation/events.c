/* Where an event ends, and what its fields say.
 *
 * Invariant: `taken` bytes at the front of pending were handed out by the last call of
 * next and are dropped by the one after it, so that what was handed out stays in place. */
#include "domain/generation/events.h"

#include <string.h>

void generation_events_init(struct generation_events *events)
{
	*events = (struct generation_events){0};
	buffer_init(&events->pending, 2 * GENERATION_EVENT_BYTES_MAX);
	buffer_init(&events->data, GENERATION_EVENT_BYTES_MAX);
}

void generation_events_deinit(struct generation_events *events)
{
	buffer_deinit(&events->pending);
	buffer_deinit(&events->data);
}

size_t generation_events_pending(const struct generation_events *events)
{
	return events->pending.length - events->taken;
}

static void drop_taken(struct generation_events *events)
{
	if (events->taken == 0)
		return;
	buffer_consume(&events->pending, events->taken);
	events->scanned -= events->taken;
	events->taken = 0;
}

bool generation_events_put(struct generation_events *events, struct text chunk, struct error *err)
{
	drop_taken(events);
	buffer_append_text(&events->pending, chunk);
	return !buffer_failed(&events->pending) ||
	       error_set(err, ERROR_LIMIT, "the events of the stream find no room");
}

/* Bytes of the line end at `at`: 0 if there is none, or it cannot be told yet. */
static size_t line_end(struct text text, size_t at)
{
	if (text.data[at] == '\n')
		return 1;
	if (text.data[at] != '\r' || at + 1 == text.length)
		return 0; /* an LF may follow */
	return text.data[at + 1] == '\n' ? 2 : 1;
}

/* The bytes of the first event, or 0.  A blank line is a line end at its own start. */
static size_t find_end(struct generation_events *events)
{
	struct text text = buffer_text(&events->pending);
	size_t at = events->scanned;

	while (at < text.length) {
		const char *newline = memchr(text.data + at, '\n', text.length - at);
		const char *carriage = memchr(text.data + at, '\r', text.length - at);
		size_t first = newline == NULL ? text.length : (size_t)(newline - text.data);
		size_t size;

		if (carriage != NULL && (size_t)(carriage - text.data) < first)
			first = (size_t)(carriage - text.data);
		if (first == text.length)
			return 0; /* the line goes on */
		size = line_end(text, first);
		if (size == 0)
			return 0;
		if (first == at)
			return first + size;
		at = first + size;
		events->scanned = at;
	}
	return 0;
}

/* ---- fields ---- */

static struct text take_line(struct text *rest)
{
	struct text line = *rest;
	size_t end = 0;

	while (end < rest->length && rest->data[end] != '\n' && rest->data[end] != '\r')
		end++;
	line.length = end;
	if (end < rest->length && rest->data[end] == '\r' && end + 1 < rest->length &&
		rest->data[end + 1] == '\n')
		end++;
	end += end < rest->length;
	*rest = (struct text){rest->data + end, rest->length - end};
	return line;
}

/* True if the line is the field; *value is what it says. */
static bool is_field(struct text line, const char *name, struct text *value)
{
	size_t length = strlen(name);

	if (!text_starts_with(line, name) || (line.length > length && line.data[length] != ':'))
		return false;
	*value = TEXT("");
	if (line.length > length + 1)
		*value = (struct text){line.data + length + 1, line.length - length - 1};
	if (value->length > 0 && value->data[0] == ' ')
		*value = (struct text){value->data + 1, value->length - 1};
	return true;
}

/* What is no field, no comment and not empty some clients would read otherwise: one that
 * begins with a byte order mark, say. */
static bool is_known_line(struct text line)
{
	struct text value;

	return line.length == 0 || line.data[0] == ':' || is_field(line, "event", &value) ||
	       is_field(line, "data", &value) || is_field(line, "id", &value) ||
	       is_field(line, "retry", &value);
}

static bool read_fields(
	struct generation_events *events, struct generation_event *event, struct error *err)
{
	struct text rest = event->raw, value;
	bool has_data = false;

	buffer_reset(&events->data);
	while (rest.length > 0) {
		struct text line = take_line(&rest);

		if (!is_known_line(line))
			return error_set(
				err, ERROR_INVALID, "a line of the stream is no field of an event");
		if (is_field(line, "event", &value))
			event->name = value;
		if (!is_field(line, "data", &value))
			continue;
		if (has_data)
			buffer_append_byte(&events->data, '\n');
		buffer_append_text(&events->data, value);
		has_data = true;
	}
	if (has_data)
		event->data = events->data.length > 0 ? buffer_text(&events->data) : TEXT("");
	return !buffer_failed(&events->data) ||
	       error_set(err, ERROR_LIMIT, "the events of the stream find no room");
}

bool generation_events_next(
	struct generation_events *events, struct generation_event *out, struct error *err)
{
	size_t size;

	*out = (struct generation_event){0};
	*err = (struct error){0};
	drop_taken(events);
	size = find_end(events);
	if (size > GENERATION_EVENT_BYTES_MAX ||
		(size == 0 && events->pending.length > GENERATION_EVENT_BYTES_MAX))
		return error_set(err, ERROR_LIMIT, "an event is longer than %d bytes",
			GENERATION_EVENT_BYTES_MAX);
	if (size == 0)
		return false;
	events->taken = size;
	events->scanned = size;
	out->raw = (struct text){events->pending.data, size};
	return read_fields(events, out, err);
}
