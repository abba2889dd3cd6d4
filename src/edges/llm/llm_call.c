/* One request under way.  What a model answers is written as it comes; what ends it before
 * its end is an error of the API while nothing was written, and an error event after.
 *
 * Invariants:
 *  L1  a call is freed by its HTTP exchange's end, never before: bytes and the reply find
 *      it, or were aborted first;
 *  L2  after the exchange ended, services/call calls no function of this call;
 *  L3  a client that reads more slowly than HTTP's bound allows is cut off, so no answer
 *      grows here. */
#include <stdlib.h>

#include "edges/llm/llm_private.h"

enum { EVENT_BYTES_MAX = 64 * 1024 };

struct llm_call {
	struct llm_door *door;
	struct http_exchange *http;
	struct exchange *exchange; /* NULL: replied, aborted, or refused */
	enum speaks speaks;
	bool is_stream;   /* and it has begun */
	bool is_answered; /* nothing more is written */
};

static void on_closed(void *context, enum http_closed how)
{
	struct llm_call *call = context;

	(void)how;
	call_abort(&call->exchange); /* L2; nothing if it was answered */
	call->door->call_count--;
	free(call);
}

static void stream_write(struct llm_call *call, struct text bytes)
{
	const struct http_header headers[] = {
		{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};

	if (!call->is_stream) {
		call->is_stream = true;
		call->is_answered = !http_stream_start(
			call->http, &(struct http_response){.status = 200,
					    .content_type = "text/event-stream; charset=utf-8",
					    .body = bytes,
					    .headers = headers,
					    .header_count = 2});
	} else if (!http_stream_write(call->http, bytes)) {
		call->is_answered = true;
		http_exchange_abort(call->http); /* L3 */
	}
}

static void on_bytes(void *context, bool is_stream, struct text bytes)
{
	struct llm_call *call = context;

	if (call->is_answered)
		return;
	if (is_stream) {
		stream_write(call, bytes);
		return;
	}
	call->is_answered = true;
	http_respond(call->http,
		&(struct http_response){
			.status = 200, .content_type = "application/json", .body = bytes});
}

/* What was written stays; the client learns that it is not all. */
static void stream_fail(struct llm_call *call, const struct llm_error *error)
{
	struct buffer event;

	buffer_init(&event, EVENT_BYTES_MAX);
	llm_format_event(&event, call->speaks, error);
	if (!buffer_failed(&event) && http_stream_write(call->http, buffer_text(&event)))
		http_stream_end(call->http);
	else
		http_exchange_abort(call->http);
	buffer_deinit(&event);
}

static void on_reply(void *context, const struct call_reply *reply)
{
	struct llm_call *call = context;
	struct llm_error error;

	call->exchange = NULL;
	if (call->is_answered)
		return;
	call->is_answered = true;
	if (reply->kind == CALL_RESULT) {
		http_stream_end(call->http); /* an answer that is no stream was written */
		return;
	}
	error = llm_error_of(reply);
	if (call->is_stream)
		stream_fail(call, &error);
	else
		llm_respond_error(call->http, call->speaks, &error);
}

void llm_call_begin(struct llm_door *door, struct http_exchange *exchange, enum speaks speaks,
	const struct call_request *request)
{
	struct llm_error error = {
		.status = 503, .code = "busy", .message = TEXT("Too many answers are under way.")};
	struct llm_call *call = NULL;
	struct error err;

	if (door->call_count < LLM_CALLS_MAX)
		call = calloc(1, sizeof *call);
	if (call == NULL) {
		llm_respond_error(exchange, speaks, &error);
		return;
	}
	*call = (struct llm_call){.door = door, .http = exchange, .speaks = speaks};
	door->call_count++;
	http_exchange_watch(
		exchange, &(struct http_exchange_events){.context = call, .on_closed = on_closed});
	if (call_start(door->settings.calls, request,
		    &(struct call_client){
			    .context = call, .on_bytes = on_bytes, .on_reply = on_reply},
		    &call->exchange, &err))
		return;
	call->is_answered = true;
	error = llm_error_of_start(&err);
	llm_respond_error(exchange, speaks, &error);
}
