/* The GET stream: kept open with a comment every quarter of a minute, ended when
 * its session ends.  Nothing of a server comes on it: a notice that cannot be
 * tied to a request of this task goes to nobody (edges/upstream, U5).  What comes on it is
 * remit's own: that people have answered. */
#include <stdlib.h>

#include "edges/mcp/mcp_private.h"

enum { NOTICE_BYTES_MAX = 4096 };

struct mcp_stream {
	struct mcp_door *door;
	struct mcp_session *session; /* NULL: it ended */
	struct mcp_stream *next, **link;
	struct http_exchange *exchange;
	struct loop_timer keep_alive;
};

static void stream_unlink(struct mcp_stream *stream)
{
	if (stream->link == NULL)
		return;
	*stream->link = stream->next;
	if (stream->next != NULL)
		stream->next->link = stream->link;
	stream->link = NULL;
	stream->session = NULL;
	loop_timer_stop(stream->door->settings.loop, &stream->keep_alive);
}

static void on_closed(void *context, enum http_closed how)
{
	struct mcp_stream *stream = context;

	(void)how;
	stream->door->stream_count--;
	stream_unlink(stream);
	free(stream);
}

static void on_keep_alive(struct loop_timer *timer)
{
	struct mcp_stream *stream = timer->context;

	/* A peer that does not read what little there is will be found by TCP. */
	if (!http_stream_write(stream->exchange, TEXT(": \n\n")) ||
		!loop_timer_start(stream->door->settings.loop, timer, MCP_KEEP_ALIVE_MS))
		http_exchange_abort(stream->exchange);
}

static bool stream_start(struct mcp_stream *stream)
{
	const struct http_header headers[] = {
		{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};

	return loop_timer_start(
		       stream->door->settings.loop, &stream->keep_alive, MCP_KEEP_ALIVE_MS) &&
	       http_stream_start(stream->exchange, &(struct http_response){.status = 200,
							   .content_type = "text/event-stream",
							   .body = TEXT(": \n\n"),
							   .headers = headers,
							   .header_count = 2});
}

void stream_begin(struct mcp_session *session, struct http_exchange *exchange)
{
	struct mcp_stream *stream = NULL;

	if (session->door->stream_count < MCP_STREAMS_MAX)
		stream = calloc(1, sizeof *stream);
	if (stream == NULL) {
		http_respond_problem(exchange, 503, "too many streams", "try again later");
		return;
	}
	stream->door = session->door;
	stream->session = session;
	stream->exchange = exchange;
	stream->keep_alive = (struct loop_timer){.on_due = on_keep_alive, .context = stream};
	stream->next = session->streams;
	stream->link = &session->streams;
	if (stream->next != NULL)
		stream->next->link = &stream->next;
	session->streams = stream;
	session->door->stream_count++;
	http_exchange_watch(exchange,
		&(struct http_exchange_events){.context = stream, .on_closed = on_closed});
	if (!stream_start(stream))
		http_exchange_abort(exchange); /* on_closed frees it */
}

void streams_tell(struct mcp_session *session, struct text method, const struct json *params)
{
	struct buffer message, event;

	buffer_init(&message, NOTICE_BYTES_MAX);
	buffer_init(&event, NOTICE_BYTES_MAX);
	jsonrpc_format_notification(&message, method, params);
	sse_format(&event,
		&(struct sse_event){
			.name = TEXT("message"), .data = buffer_text(&message), .retry_ms = -1});
	for (struct mcp_stream *stream = session->streams; stream != NULL && !buffer_failed(&event);
		stream = stream->next)
		if (!http_stream_write(stream->exchange, buffer_text(&event)))
			continue; /* full: whoever comes back is told as well */
	buffer_deinit(&message);
	buffer_deinit(&event);
}

void streams_end(struct mcp_session *session)
{
	while (session->streams != NULL) {
		struct mcp_stream *stream = session->streams;

		stream_unlink(stream);
		http_stream_end(stream->exchange);
	}
}
