/* One request in flight.  The HTTP answer is JSON when the reply comes soon and
 * alone; it becomes a stream of events as soon as there is a notice to pass on,
 * or after a quarter of a minute of silence (a person may be deciding), so that
 * nobody between us and the client gives up.
 *
 * Invariants:
 *  M1  a call is freed by its HTTP exchange's end, never before: replies and
 *      notices find it, or were aborted first;
 *  M2  after the exchange ended, services/call calls no function of this call;
 *  M3  what is kept of the request is in the exchange's arena, not in the body,
 *      which a stream lets go. */
#include <stdlib.h>

#include "domain/call/ask.h"
#include "domain/call/uri.h"
#include "edges/mcp/mcp_private.h"

enum { REPLY_BYTES_MAX = 16 * 1024 * 1024, NOTICE_BYTES_MAX = 1024 };

struct mcp_call {
	struct mcp_door *door;
	struct mcp_session *session; /* NULL: it ended */
	struct mcp_call *next, **link;
	struct http_exchange *http;
	struct exchange *exchange; /* NULL: replied, aborted, or refused */
	struct jsonrpc_id id;
	struct text method;
	const struct json *token; /* the client's progress token; NULL: none */
	struct loop_timer patience;
	bool is_stream;
	bool is_answered;
	bool opens_urls;
	uint64_t asks[CALL_ASKS_OPEN_MAX]; /* numbers that the client is to answer; 0: none */
};

static void call_unlink(struct mcp_call *call)
{
	if (call->link == NULL)
		return;
	*call->link = call->next;
	if (call->next != NULL)
		call->next->link = call->link;
	call->link = NULL;
	for (size_t i = 0; i < CALL_ASKS_OPEN_MAX; i++)
		call->session->ask_count -= call->asks[i] != 0;
	call->session->call_count--;
	call->session = NULL;
}

static void on_closed(void *context, enum http_closed how)
{
	struct mcp_call *call = context;

	(void)how;
	call_abort(&call->exchange); /* M2; nothing if it was answered */
	loop_timer_stop(call->door->settings.loop, &call->patience);
	call_unlink(call);
	call->door->call_count--;
	free(call);
}

/* ---- what goes back ---- */

static bool stream_ensure(struct mcp_call *call)
{
	const struct http_header headers[] = {
		{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};

	if (call->is_stream)
		return true;
	call->is_stream = true;
	call->is_answered =
		!http_stream_start(call->http, &(struct http_response){.status = 200,
						       .content_type = "text/event-stream",
						       .headers = headers,
						       .header_count = 2});
	return !call->is_answered;
}

static bool event_write(struct mcp_call *call, const struct buffer *message)
{
	struct buffer event;
	bool ok;

	buffer_init(&event, REPLY_BYTES_MAX + 64);
	sse_format(&event,
		&(struct sse_event){
			.name = TEXT("message"), .data = buffer_text(message), .retry_ms = -1});
	ok = !buffer_failed(&event) && http_stream_write(call->http, buffer_text(&event));
	buffer_deinit(&event);
	return ok;
}

static void message_send(struct mcp_call *call, const struct buffer *message)
{
	call->is_answered = true;
	loop_timer_stop(call->door->settings.loop, &call->patience);
	if (!call->is_stream)
		respond_message(call->http, 200, message);
	else if (event_write(call, message))
		http_stream_end(call->http);
	else
		http_exchange_abort(call->http); /* better broken than silently short */
}

static void on_reply(void *context, const struct call_reply *reply)
{
	struct mcp_call *call = context;
	struct arena *arena = http_exchange_arena(call->http);
	struct reply_to to = {.id = call->id, .method = call->method};
	struct buffer message;
	struct error err;

	call->exchange = NULL;
	if (call->is_answered)
		return;
	if (call->opens_urls && arena != NULL)
		to.page = text_format(arena, "%.*s/v1/approvals/",
			TEXT_ARGS(issue_issuer(call->door->settings.issue)));
	buffer_init(&message, REPLY_BYTES_MAX);
	if (arena == NULL || !reply_format(&message, arena, &to, reply, &err) ||
		buffer_failed(&message)) {
		buffer_reset(&message);
		jsonrpc_format_error(&message, call->id, JSONRPC_INTERNAL_ERROR,
			TEXT("the answer is too large to pass on"), NULL);
	}
	message_send(call, &message);
	buffer_deinit(&message);
}

static void on_patience(struct loop_timer *timer)
{
	struct mcp_call *call = timer->context;

	if (!stream_ensure(call))
		return;
	/* A full stream needs no comment to stay open. */
	if (!http_stream_write(call->http, TEXT(": \n\n")) ||
		!loop_timer_start(call->door->settings.loop, timer, MCP_KEEP_ALIVE_MS))
		return;
}

/* params with the client's own token in place of ours. */
static bool params_for_client(struct json *out, const struct mcp_call *call, struct arena *arena,
	const struct json *params, struct error *err)
{
	struct json_builder built;
	uint32_t i;

	json_object_start(&built, arena);
	for (i = 0; i < params->count; i++)
		if (!text_is(params->members[i].name, "progressToken"))
			json_put_named(&built, params->members[i].name, params->members[i].value);
	json_put(&built, "progressToken", *call->token);
	return json_object_seal(&built, out, err);
}

static void on_notice(void *context, struct text method, const struct json *params)
{
	struct mcp_call *call = context;
	struct arena *arena = arena_create(REPLY_BYTES_MAX);
	struct json with_token, stripped;
	struct buffer message;
	struct error err;

	buffer_init(&message, REPLY_BYTES_MAX);
	if (arena == NULL || call->is_answered)
		goto done;
	if (text_is(method, "notifications/progress")) {
		if (call->token == NULL || params == NULL || params->type != JSON_OBJECT ||
			!params_for_client(&with_token, call, arena, params, &err))
			goto done;
		params = &with_token;
	}
	if (params != NULL) {
		if (!strip_marks(&stripped, arena, params, &err))
			goto done;
		params = &stripped;
	}
	jsonrpc_format_notification(&message, method, params);
	/* A notice that does not fit is dropped: the reply counts. */
	if (!buffer_failed(&message) && stream_ensure(call) && !event_write(call, &message))
		goto done;
done:
	buffer_deinit(&message);
	arena_destroy(&arena);
}

/* ---- what the server asks of the client ---- */

/* The place of an open number; NULL: it is not. */
static uint64_t *ask_find(struct mcp_call *call, uint64_t number)
{
	for (size_t i = 0; i < CALL_ASKS_OPEN_MAX; i++)
		if (call->asks[i] == number)
			return &call->asks[i];
	return NULL;
}

static void ask_close(struct mcp_call *call, uint64_t *place)
{
	*place = 0;
	if (call->session != NULL)
		call->session->ask_count--;
}

static bool ask_write(struct mcp_call *call, const struct call_ask *ask, struct error *err)
{
	struct arena *arena = arena_create(REPLY_BYTES_MAX);
	struct json stripped;
	struct buffer message;
	bool ok;

	buffer_init(&message, REPLY_BYTES_MAX);
	ok = arena != NULL || error_set(err, ERROR_LIMIT, "no memory for a request");
	ok = ok && strip_marks(&stripped, arena, ask->params, err);
	if (ok)
		jsonrpc_format_request(&message, jsonrpc_id_of_integer((int64_t)ask->number),
			ask->method, &stripped);
	ok = ok &&
	     ((!buffer_failed(&message) && stream_ensure(call) && event_write(call, &message)) ||
		     error_set(err, ERROR_IO, "the client could not be asked"));
	buffer_deinit(&message);
	arena_destroy(&arena);
	return ok;
}

/* Only remit sends a person to its pages; an imitation of its address is refused too. */
static bool is_own_page(const struct mcp_call *call, const struct json *params)
{
	struct text url = json_text_or(params, "url", "");
	struct text own = issue_issuer(call->door->settings.issue);
	struct uri_place there, here;

	if (json_find(params, "url") == NULL || own.length == 0)
		return false;
	if (!uri_place_read(url, &there) ||
		(uri_place_read(own, &here) && uri_place_equal(&there, &here)))
		return true;
	url.length = url.length < own.length ? url.length : own.length;
	return text_equal(url, own);
}

static bool on_ask(void *context, const struct call_ask *ask, struct error *err)
{
	struct mcp_call *call = context;
	uint64_t *place = ask_find(call, 0);

	if (is_own_page(call, ask->params))
		return error_set(err, ERROR_INVALID, "a server sends nobody to a page of remit");
	if (call->is_answered || call->session == NULL || place == NULL ||
		call->session->ask_count >= MCP_ASKS_PER_SESSION_MAX)
		return error_set(err, ERROR_LIMIT, "the client is asked too much already");
	if (!ask_write(call, ask, err))
		return false;
	*place = ask->number;
	call->session->ask_count++;
	return true;
}

static void on_ask_over(void *context, uint64_t number)
{
	struct mcp_call *call = context;
	uint64_t *place = ask_find(call, number);
	struct json_member member = {TEXT("requestId"), json_integer((int64_t)number)};
	const struct json params = {.type = JSON_OBJECT, .count = 1, .members = &member};
	struct buffer message;

	if (place == NULL)
		return;
	ask_close(call, place);
	buffer_init(&message, NOTICE_BYTES_MAX);
	jsonrpc_format_notification(&message, TEXT("notifications/cancelled"), &params);
	/* A client that does not hear of it answers late, and is refused. */
	if (!call->is_answered && !buffer_failed(&message) && !event_write(call, &message))
		place = NULL;
	buffer_deinit(&message);
}

bool call_take_answer(struct mcp_session *session, const struct jsonrpc_message *message)
{
	struct call_answer answer = {0};
	uint64_t *place = NULL, number = (uint64_t)message->id.integer;
	struct mcp_call *call = session->calls;

	if (message->id.kind != JSONRPC_ID_INTEGER || message->id.integer <= 0)
		return false;
	while (call != NULL && (place = ask_find(call, number)) == NULL)
		call = call->next;
	if (call == NULL)
		return false;
	ask_close(call, place);
	if (message->kind == JSONRPC_RESULT)
		answer.result = message->result;
	else
		answer.error = json_find(message->whole, "error");
	return call->exchange != NULL && call_answer(call->exchange, number, &answer);
}

/* ---- what comes in ---- */

/* Copies what outlives the request's body: M3. */
static bool request_keep(struct mcp_call *call, const struct jsonrpc_message *message)
{
	struct arena *arena = http_exchange_arena(call->http);
	const struct json *meta =
		message->params == NULL ? NULL : json_find(message->params, "_meta");
	const struct json *token = meta == NULL ? NULL : json_find(meta, "progressToken");
	struct json *copy;
	struct error err;

	call->id = message->id;
	call->id.string = text_copy(arena, message->id.string);
	call->method = text_copy(arena, message->method);
	if (call->id.string.data == NULL || call->method.data == NULL)
		return false;
	if (token == NULL || (token->type != JSON_STRING && token->type != JSON_INTEGER))
		return true;
	copy = arena_new(arena, struct json);
	if (copy == NULL || !json_copy(copy, arena, token, &err))
		return false;
	call->token = copy;
	return true;
}

static struct mcp_call *call_create(struct mcp_session *session, struct http_exchange *exchange)
{
	struct mcp_call *call = NULL;

	if (session->call_count < MCP_CALLS_PER_SESSION_MAX)
		call = calloc(1, sizeof *call);
	if (call == NULL)
		return NULL;
	call->door = session->door;
	call->session = session;
	call->opens_urls = (session->abilities & ASK_URLS) != 0;
	call->http = exchange;
	call->patience = (struct loop_timer){.on_due = on_patience, .context = call};
	call->next = session->calls;
	call->link = &session->calls;
	if (call->next != NULL)
		call->next->link = &call->next;
	session->calls = call;
	session->call_count++;
	session->door->call_count++;
	return call;
}

static int64_t code_of(const struct error *err)
{
	switch (err->code) {
	case ERROR_INVALID: return JSONRPC_INVALID_PARAMS;
	case ERROR_LIMIT: return MCP_BUSY;
	case ERROR_NOT_FOUND: return MCP_REFUSED;
	case ERROR_NONE:
	case ERROR_CONFLICT:
	case ERROR_TIMEOUT:
	case ERROR_IO:
	case ERROR_CORRUPT:
	case ERROR_INTERNAL: break;
	}
	return JSONRPC_INTERNAL_ERROR;
}

static void call_refuse(struct mcp_call *call, int64_t code, const char *text)
{
	call->is_answered = true;
	loop_timer_stop(call->door->settings.loop, &call->patience);
	respond_error(call->http, 200, call->id, code, text);
}

void call_begin(struct mcp_session *session, struct http_exchange *exchange,
	const struct jsonrpc_message *message)
{
	struct mcp_call *call = call_create(session, exchange);
	struct error err;

	if (call == NULL) {
		respond_error(exchange, 200, message->id, MCP_BUSY,
			"too many requests of this session are in flight");
		return;
	}
	http_exchange_watch(
		exchange, &(struct http_exchange_events){.context = call, .on_closed = on_closed});
	if (!request_keep(call, message) ||
		!loop_timer_start(call->door->settings.loop, &call->patience, MCP_KEEP_ALIVE_MS)) {
		call_refuse(call, MCP_BUSY, "no memory for this request");
		return;
	}
	if (!call_start(session->door->settings.calls,
		    &(struct call_request){.task = text_of(session->task),
			    .server = text_of(session->server),
			    .method = call->method,
			    .params = message->params,
			    .wants_progress = call->token != NULL,
			    .abilities = session->abilities},
		    &(struct call_client){.context = call,
			    .on_notice = on_notice,
			    .on_ask = on_ask,
			    .on_ask_over = on_ask_over,
			    .on_reply = on_reply},
		    &call->exchange, &err))
		call_refuse(call, code_of(&err), err.text);
}

static bool id_of_json(struct jsonrpc_id *out, const struct json *value)
{
	*out = (struct jsonrpc_id){0};
	if (value != NULL && value->type == JSON_INTEGER)
		*out = jsonrpc_id_of_integer(value->integer);
	else if (value != NULL && value->type == JSON_STRING)
		*out = (struct jsonrpc_id){.kind = JSONRPC_ID_STRING, .string = value->string};
	return out->kind != JSONRPC_ID_NONE;
}

void call_cancel(struct mcp_session *session, const struct json *params)
{
	struct mcp_call *call = session->calls;
	struct jsonrpc_id id;

	if (params == NULL || !id_of_json(&id, json_find(params, "requestId")))
		return;
	while (call != NULL && (call->is_answered || !jsonrpc_id_equal(call->id, id)))
		call = call->next;
	if (call == NULL)
		return; /* late: it was answered */
	call_abort(&call->exchange);
	call->is_answered = true;
	loop_timer_stop(call->door->settings.loop, &call->patience);
	if (call->is_stream)
		http_stream_end(call->http);
	else
		http_respond(call->http, &(struct http_response){.status = 202});
}

void calls_release(struct mcp_session *session)
{
	while (session->calls != NULL)
		call_unlink(session->calls);
}
