/* Bytes are gathered to a line, lines to an event, an empty line ends it.
 * Line ends are LF, CR, or CR LF, and a chunk may end between CR and LF.
 * Invariants: line and data together stay below 2 * event_bytes_max; after the
 * first failure nothing more is taken (is_broken). */
#include "wire/sse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES_MAX = 256, ID_BYTES_MAX = 1024 };

struct sse_parser {
	bool (*on_event)(void *context, const struct sse_event *event);
	void *context;
	struct buffer line;
	struct buffer event_data;
	struct buffer name;
	struct buffer id;
	int64_t retry_ms;
	bool has_data;
	bool has_id;
	bool is_after_cr;
	bool is_started; /* the byte order mark may only come before */
	bool is_broken;
};

bool sse_parser_create(struct sse_parser **out, size_t event_bytes_max,
	bool (*on_event)(void *context, const struct sse_event *event), void *context,
	struct error *err)
{
	struct sse_parser *parser = calloc(1, sizeof *parser);

	*out = NULL;
	if (parser == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an event stream");
	parser->on_event = on_event;
	parser->context = context;
	parser->retry_ms = -1;
	buffer_init(&parser->line, event_bytes_max);
	buffer_init(&parser->event_data, event_bytes_max);
	buffer_init(&parser->name, NAME_BYTES_MAX);
	buffer_init(&parser->id, ID_BYTES_MAX);
	*out = parser;
	return true;
}

void sse_parser_destroy(struct sse_parser **parser)
{
	if (*parser == NULL)
		return;
	buffer_deinit(&(*parser)->line);
	buffer_deinit(&(*parser)->event_data);
	buffer_deinit(&(*parser)->name);
	buffer_deinit(&(*parser)->id);
	free(*parser);
	*parser = NULL;
}

static void event_reset(struct sse_parser *parser)
{
	buffer_reset(&parser->event_data);
	buffer_reset(&parser->name);
	buffer_reset(&parser->id);
	parser->has_data = false;
	parser->has_id = false;
	parser->retry_ms = -1;
}

static bool event_deliver(struct sse_parser *parser, struct error *err)
{
	struct sse_event event = {.name = buffer_text(&parser->name),
		.data = buffer_text(&parser->event_data),
		.retry_ms = parser->retry_ms};
	bool is_welcome = true;

	if (parser->has_data && event.data.data == NULL)
		event.data.data = "";
	if (!parser->has_data)
		event.data = (struct text){0};
	if (parser->has_id)
		event.id = parser->id.length > 0 ? buffer_text(&parser->id) : TEXT("");
	if (parser->has_data || parser->retry_ms >= 0)
		is_welcome = parser->on_event(parser->context, &event);
	event_reset(parser);
	return is_welcome || error_set(err, ERROR_INVALID, "event stream: event refused");
}

static void field_retry(struct sse_parser *parser, struct text value)
{
	int64_t retry_ms;

	if (text_to_int64(value, &retry_ms) && retry_ms >= 0)
		parser->retry_ms = retry_ms;
}

static void field_take(struct sse_parser *parser, struct text name, struct text value)
{
	if (text_is(name, "data")) {
		if (parser->has_data)
			buffer_append_byte(&parser->event_data, '\n');
		parser->has_data = true;
		buffer_append_text(&parser->event_data, value);
	} else if (text_is(name, "event")) {
		buffer_reset(&parser->name);
		buffer_append_text(&parser->name, value);
	} else if (text_is(name, "id")) {
		buffer_reset(&parser->id);
		buffer_append_text(&parser->id, value);
		parser->has_id = true;
	} else if (text_is(name, "retry"))
		field_retry(parser, value);
}

static bool line_take(struct sse_parser *parser, struct error *err)
{
	struct text line = buffer_text(&parser->line), name = line, value = {0};
	ptrdiff_t colon;

	if (line.length == 0)
		return event_deliver(parser, err);
	if (!text_is_utf8(line) || text_find_byte(line, '\0') >= 0)
		return error_set(err, ERROR_INVALID, "event stream: a line is not plain UTF-8");
	colon = text_find_byte(line, ':');
	if (colon == 0)
		return true; /* a comment */
	if (colon > 0) {
		name.length = (size_t)colon;
		value = (struct text){line.data + colon + 1, line.length - name.length - 1};
		if (text_starts_with(value, " "))
			value = (struct text){value.data + 1, value.length - 1};
	}
	field_take(parser, name, value);
	if (buffer_failed(&parser->event_data) || buffer_failed(&parser->name) ||
		buffer_failed(&parser->id))
		return error_set(err, ERROR_LIMIT,
			"event stream: an event is longer than %zu bytes",
			parser->event_data.limit_bytes);
	return true;
}

/* A run without line ends. */
static bool run_take(struct sse_parser *parser, struct text run, struct error *err)
{
	buffer_append_text(&parser->line, run);
	if (buffer_failed(&parser->line))
		return error_set(err, ERROR_LIMIT, "event stream: a line is longer than %zu bytes",
			parser->line.limit_bytes);
	return true;
}

static size_t run_length(struct text t)
{
	size_t i = 0;

	while (i < t.length && t.data[i] != '\n' && t.data[i] != '\r')
		i++;
	return i;
}

static bool line_end(struct sse_parser *parser, struct error *err)
{
	static const char mark[] = "\xef\xbb\xbf";
	bool ok;

	if (!parser->is_started && text_starts_with(buffer_text(&parser->line), mark))
		buffer_consume(&parser->line, 3);
	parser->is_started = true;
	ok = line_take(parser, err);
	buffer_reset(&parser->line);
	return ok;
}

static bool chunk_take(struct sse_parser *parser, struct text chunk, struct error *err)
{
	while (chunk.length > 0) {
		size_t run = run_length(chunk);
		bool is_lf_of_cr = parser->is_after_cr && chunk.data[0] == '\n';

		if (!run_take(parser, (struct text){chunk.data, run}, err))
			return false;
		if (run < chunk.length) {
			parser->is_after_cr = chunk.data[run] == '\r';
			if (!is_lf_of_cr && !line_end(parser, err))
				return false;
			run++;
		} else
			parser->is_after_cr = false;
		chunk = (struct text){chunk.data + run, chunk.length - run};
	}
	return true;
}

bool sse_parser_feed(struct sse_parser *parser, struct text chunk, struct error *err)
{
	if (parser->is_broken)
		return error_set(err, ERROR_INVALID, "event stream: broken before");
	parser->is_broken = !chunk_take(parser, chunk, err);
	return !parser->is_broken;
}

static void format_field(struct buffer *out, const char *name, struct text value)
{
	assert(text_find_byte(value, '\n') < 0 && text_find_byte(value, '\r') < 0);
	buffer_append_string(out, name);
	buffer_append_string(out, ": ");
	buffer_append_text(out, value);
	buffer_append_byte(out, '\n');
}

static void format_data(struct buffer *out, struct text rest)
{
	for (;;) {
		size_t run = run_length(rest);
		bool is_crlf = run + 1 < rest.length && rest.data[run] == '\r' &&
			       rest.data[run + 1] == '\n';

		format_field(out, "data", (struct text){rest.data, run});
		if (run == rest.length)
			return;
		run += is_crlf ? 2 : 1;
		rest = (struct text){rest.data + run, rest.length - run};
	}
}

void sse_format(struct buffer *out, const struct sse_event *event)
{
	if (event->name.length > 0)
		format_field(out, "event", event->name);
	if (event->id.data != NULL)
		format_field(out, "id", event->id);
	if (event->retry_ms >= 0)
		buffer_append_format(out, "retry: %lld\n", (long long)event->retry_ms);
	if (event->data.data != NULL)
		format_data(out, event->data);
	buffer_append_byte(out, '\n');
}

void sse_format_comment(struct buffer *out, const char *comment)
{
	buffer_append_string(out, ": ");
	buffer_append_string(out, comment);
	buffer_append_string(out, "\n\n");
}
