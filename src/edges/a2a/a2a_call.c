/* One request under way.  The events of a stream are written as they come; what ends it before
 * its end is a JSON-RPC error, in an event if one was written and else alone.
 *
 * Invariants:
 *  A1  a call is freed by its HTTP exchange's end, never before: events and the reply find
 *      it, or were aborted first;
 *  A2  after the exchange ended, services/call calls no function of this call;
 *  A3  a client that reads more slowly than HTTP's bound allows is cut off, so no answer
 *      grows here;
 *  A4  the id that answers carry is in the exchange's arena, for a stream lets the body go. */
#include <stdlib.h>

#include "domain/call/peer_request.h"
#include "edges/a2a/a2a_private.h"
#include "wire/sse.h"

enum { REPLY_BYTES_MAX = 16 * 1024 * 1024 };

struct a2a_call {
	struct a2a_door *door;
	struct http_exchange *http;
	struct exchange *exchange; /* NULL: replied, aborted, or refused */
	struct jsonrpc_id id;
	bool wants_stream;
	bool is_stream;   /* and it has begun */
	bool is_answered; /* nothing more is written */
};

static void on_closed(void *context, enum http_closed how)
{
	struct a2a_call *call = context;

	(void)how;
	call_abort(&call->exchange); /* A2; nothing if it was answered */
	call->door->call_count--;
	free(call);
}

static void stream_write(struct a2a_call *call, struct text bytes)
{
	const struct http_header headers[] = {
		{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};

	if (!call->is_stream) {
		call->is_stream = true;
		call->is_answered =
			!http_stream_start(call->http, &(struct http_response){.status = 200,
							       .content_type = "text/event-stream",
							       .body = bytes,
							       .headers = headers,
							       .header_count = 2});
	} else if (!http_stream_write(call->http, bytes)) {
		call->is_answered = true;
		http_exchange_abort(call->http); /* A3 */
	}
}

static void event_write(struct a2a_call *call, const struct buffer *message)
{
	struct buffer event;

	buffer_init(&event, REPLY_BYTES_MAX + 64);
	sse_format(&event, &(struct sse_event){.data = buffer_text(message), .retry_ms = -1});
	if (buffer_failed(message) || buffer_failed(&event)) {
		call->is_answered = true;
		http_exchange_abort(call->http);
	} else
		stream_write(call, buffer_text(&event));
	buffer_deinit(&event);
}

static void on_notice(void *context, struct text method, const struct json *params)
{
	struct a2a_call *call = context;
	struct buffer message;

	(void)method;
	if (call->is_answered || !call->wants_stream)
		return;
	buffer_init(&message, REPLY_BYTES_MAX);
	jsonrpc_format_result(&message, call->id, params);
	event_write(call, &message);
	buffer_deinit(&message);
}

/* The last event of a stream was written when it came. */
static void write_last(
	struct a2a_call *call, const struct call_reply *reply, const struct buffer *message)
{
	bool is_result = reply->kind == CALL_RESULT;

	if (!call->is_stream && !(call->wants_stream && is_result)) {
		a2a_respond(call->http, message);
		return;
	}
	if (!call->is_stream || !is_result)
		event_write(call, message);
	if (!call->is_answered)
		http_stream_end(call->http);
}

static void on_reply(void *context, const struct call_reply *reply)
{
	struct a2a_call *call = context;
	struct arena *arena = http_exchange_arena(call->http);
	struct buffer message;

	call->exchange = NULL;
	if (call->is_answered)
		return;
	buffer_init(&message, REPLY_BYTES_MAX);
	if (reply->kind == CALL_RESULT && reply->result_text.length != 0)
		jsonrpc_format_result_text(&message, call->id, reply->result_text);
	else if (reply->kind == CALL_RESULT)
		jsonrpc_format_result(&message, call->id, reply->result);
	else
		a2a_format_failure(&message, arena, call->id, reply);
	write_last(call, reply, &message);
	call->is_answered = true;
	buffer_deinit(&message);
}

/* False: no memory. */
static bool id_keep(struct a2a_call *call, struct jsonrpc_id id)
{
	struct arena *arena = http_exchange_arena(call->http);

	call->id = id;
	if (id.kind != JSONRPC_ID_STRING)
		return true;
	if (arena == NULL)
		return false;
	call->id.string = text_copy(arena, id.string);
	return call->id.string.data != NULL;
}

void a2a_call_begin(struct a2a_door *door, struct http_exchange *exchange,
	const struct jsonrpc_message *message, struct text task)
{
	const struct call_request request = {.task = task,
		.server = http_path_value(exchange, "peer"),
		.method = message->method,
		.params = message->params,
		.is_peer = true};
	struct a2a_call *call = NULL;
	struct error err;

	if (door->call_count < A2A_CALLS_MAX)
		call = calloc(1, sizeof *call);
	if (call == NULL) {
		a2a_respond_error(
			exchange, message->id, A2A_BUSY, "too many answers are under way");
		return;
	}
	*call = (struct a2a_call){.door = door,
		.http = exchange,
		.wants_stream = peer_method_streams(message->method)};
	door->call_count++;
	http_exchange_watch(
		exchange, &(struct http_exchange_events){.context = call, .on_closed = on_closed});
	if (!id_keep(call, message->id))
		error_set(&err, ERROR_LIMIT, "no memory for an answer");
	else if (call_start(door->settings.calls, &request,
			 &(struct call_client){
				 .context = call, .on_notice = on_notice, .on_reply = on_reply},
			 &call->exchange, &err))
		return;
	call->is_answered = true;
	a2a_respond_error(exchange, message->id, a2a_code_of_start(&err), err.text);
}

size_t a2a_door_calls(const struct a2a_door *door)
{
	return door->call_count;
}
