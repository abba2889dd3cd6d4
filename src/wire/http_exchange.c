/* One request and its answer.  States: RECEIVING → HANDLED → ANSWERED.
 *
 * Between HANDLED and an answer, and while a stream has nothing to send, the
 * connection is suspended in the library, which then does not look at it; so
 * its descriptor is also watched here, for the peer's hangup alone.
 * Invariants:
 *  X1  on_closed runs once, from the library's completion callback, never
 *      inside a call of http_server.h (destroy excepted);
 *  X2  a suspended exchange is resumed by exactly one of: an answer, stream
 *      bytes, the end of a stream, a hangup, an abort, the server's end;
 *  X3  an exchange that is cut sends no further byte. */
#include "base/json.h"
#include "wire/http_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void http_exchange_resume(struct http_exchange *exchange)
{
	if (!exchange->is_suspended)
		return;
	exchange->is_suspended = false;
	exchange->listener->needs_run = true;
	MHD_resume_connection(exchange->connection);
}

static void cut(struct http_exchange *exchange)
{
	exchange->is_cut = true;
	loop_watch_remove(exchange->server->loop, &exchange->hangup);
	http_exchange_resume(exchange);
}

static void on_hangup(struct loop_watch *watch, unsigned events)
{
	if (events & LOOP_HANGUP)
		cut(watch->context);
}

void http_exchange_suspend(struct http_exchange *exchange)
{
	const union MHD_ConnectionInfo *socket;
	struct error err;

	MHD_suspend_connection(exchange->connection);
	exchange->is_suspended = true;
	if (exchange->hangup.is_watched)
		return;
	socket = MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	exchange->hangup = (struct loop_watch){.fd = socket == NULL ? -1 : socket->connect_fd,
		.events = LOOP_HANGUP,
		.on_event = on_hangup,
		.context = exchange};
	if (!loop_watch_add(exchange->server->loop, &exchange->hangup, &err))
		cut(exchange); /* a peer nobody watches could hold memory for ever */
}

/* ---- the request ---- */

const struct http_request *http_exchange_request(const struct http_exchange *exchange)
{
	return &exchange->request;
}

struct text http_header_find(const struct http_exchange *exchange, const char *name)
{
	return text_of(MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name));
}

struct single {
	const char *name;
	struct text value;
	unsigned count;
};

static enum MHD_Result count_single(
	void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct single *single = context;

	(void)kind;
	/* most differ in their first letter; a token's letters differ in this bit by case */
	if (((*name ^ *single->name) & ~0x20) == 0 && strcasecmp(name, single->name) == 0) {
		single->count++;
		single->value = text_of(value);
	}
	return MHD_YES;
}

bool http_header_single(const struct http_exchange *exchange, const char *name, struct text *out)
{
	struct single single = {.name = name};

	(void)MHD_get_connection_values(
		exchange->connection, MHD_HEADER_KIND, count_single, &single);
	*out = single.count == 1 ? single.value : (struct text){0};
	return single.count <= 1;
}

bool http_type_is_json(struct text type)
{
	static const char json[] = "application/json";
	size_t length = sizeof json - 1;

	return type.length >= length && strncasecmp(type.data, json, length) == 0 &&
	       (type.length == length || strchr("; \t", type.data[length]) != NULL);
}

struct arena *http_exchange_arena(struct http_exchange *exchange)
{
	if (exchange->arena == NULL)
		exchange->arena = arena_create(HTTP_ARENA_BYTES_MAX);
	return exchange->arena;
}

static void query_add(struct http_exchange *exchange, struct text pair)
{
	ptrdiff_t equals = text_find_byte(pair, '=');
	struct text name = pair, value = {0};
	struct http_named *query = &exchange->queries[exchange->query_count];

	if (equals >= 0) {
		name.length = (size_t)equals;
		value = (struct text){pair.data + equals + 1, pair.length - name.length - 1};
	}
	if (http_decode(exchange, name, true, &query->name) &&
		http_decode(exchange, value, true, &query->value))
		exchange->query_count++;
}

/* http_check.c has refused what does not decode and what is too much. */
static void query_read(struct http_exchange *exchange)
{
	size_t skipped = exchange->request.path.length + 1;
	struct text rest = exchange->request.target;

	exchange->is_query_read = true;
	if (rest.length <= skipped || http_exchange_arena(exchange) == NULL)
		return;
	exchange->queries =
		arena_array(exchange->arena, struct http_named, HTTP_QUERY_PARAMETERS_MAX);
	if (exchange->queries == NULL)
		return;
	rest = (struct text){rest.data + skipped, rest.length - skipped};
	while (rest.length > 0 && exchange->query_count < HTTP_QUERY_PARAMETERS_MAX) {
		ptrdiff_t end = text_find_byte(rest, '&');
		size_t taken = end < 0 ? rest.length : (size_t)end + 1;

		if (end != 0)
			query_add(exchange,
				(struct text){rest.data, end < 0 ? rest.length : (size_t)end});
		rest = (struct text){rest.data + taken, rest.length - taken};
	}
}

bool http_query_find(struct http_exchange *exchange, const char *name, struct text *out)
{
	unsigned count = 0;
	size_t i;

	*out = (struct text){0};
	if (!exchange->is_query_read)
		query_read(exchange);
	for (i = 0; i < exchange->query_count; i++)
		if (text_is(exchange->queries[i].name, name)) {
			*out = exchange->queries[i].value;
			count++;
		}
	if (count != 1)
		*out = (struct text){0};
	return count == 1;
}

bool http_query_name(struct http_exchange *exchange, size_t index, struct text *out)
{
	*out = (struct text){0};
	if (!exchange->is_query_read)
		query_read(exchange);
	if (index >= exchange->query_count)
		return false;
	*out = exchange->queries[index].name;
	return true;
}

bool http_path_value_add(struct http_exchange *exchange, struct text name, struct text value)
{
	struct http_named *named = &exchange->path_values[exchange->path_value_count];

	if (exchange->path_value_count == HTTP_PATH_VALUES_MAX ||
		!http_decode(exchange, value, false, &named->value))
		return false;
	named->name = name;
	exchange->path_value_count++;
	return true;
}

struct text http_path_value(const struct http_exchange *exchange, const char *name)
{
	size_t i;

	for (i = 0; i < exchange->path_value_count; i++)
		if (text_is(exchange->path_values[i].name, name))
			return exchange->path_values[i].value;
	return (struct text){0};
}

/* ---- the answer ---- */

static bool response_add_headers(struct MHD_Response *response, const struct http_response *answer)
{
	size_t i;

	if (answer->content_type != NULL &&
		MHD_add_response_header(response, "Content-Type", answer->content_type) != MHD_YES)
		return false;
	for (i = 0; i < answer->header_count; i++)
		if (MHD_add_response_header(
			    response, answer->headers[i].name, answer->headers[i].value) != MHD_YES)
			return false; /* no memory, or a line end inside */
	return true;
}

/* The answer waits for the library to ask; without one it is cut. */
static void answer_set(
	struct http_exchange *exchange, unsigned status, struct MHD_Response *response)
{
	assert(exchange->state == EXCHANGE_HANDLED && exchange->response == NULL);
	exchange->state = EXCHANGE_ANSWERED;
	exchange->status = status;
	exchange->response = response;
	if (response == NULL)
		exchange->is_cut = true;
	http_exchange_resume(exchange);
}

void http_respond(struct http_exchange *exchange, const struct http_response *answer)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		answer->body.length, (void *)(uintptr_t)answer->body.data, MHD_RESPMEM_MUST_COPY);

	if (response != NULL && !response_add_headers(response, answer)) {
		MHD_destroy_response(response);
		response = NULL;
	}
	exchange->may_gather = answer->may_gather;
	answer_set(exchange, answer->status, response);
}

void http_respond_problem(
	struct http_exchange *exchange, unsigned status, const char *title, const char *detail)
{
	struct buffer body;

	buffer_init(&body, 64 * 1024);
	buffer_append_string(&body, "{\"detail\":");
	json_append_string(&body, text_of(detail));
	buffer_append_format(&body, ",\"status\":%u,\"title\":", status);
	json_append_string(&body, text_of(title));
	buffer_append_string(&body, "}\n");
	http_respond(exchange,
		&(struct http_response){.status = status,
			.content_type = "application/problem+json",
			.body = buffer_failed(&body) ? (struct text){0} : buffer_text(&body)});
	buffer_deinit(&body);
}

void http_exchange_abort(struct http_exchange *exchange)
{
	exchange->state = EXCHANGE_ANSWERED;
	cut(exchange);
}

/* ---- streams ---- */

static void pending_release(struct http_exchange *exchange)
{
	size_t limit_bytes = exchange->pending.limit_bytes;

	exchange->pending_sent = 0;
	if (exchange->pending.capacity > HTTP_STREAM_BLOCK_BYTES) {
		buffer_deinit(&exchange->pending); /* an idle stream holds no buffer */
		buffer_init(&exchange->pending, limit_bytes);
	} else
		buffer_reset(&exchange->pending);
}

/* The library asks for more of a stream. */
static ssize_t stream_read(void *context, uint64_t position, char *out, size_t size)
{
	struct http_exchange *exchange = context;
	size_t left = exchange->pending.length - exchange->pending_sent;

	(void)position;
	if (exchange->is_cut)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (left == 0 && exchange->is_stream_ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (left == 0) {
		http_exchange_suspend(exchange);
		return 0;
	}
	if (left > size)
		left = size;
	memcpy(out, exchange->pending.data + exchange->pending_sent, left);
	exchange->pending_sent += left;
	if (exchange->pending_sent < exchange->pending.length)
		return (ssize_t)left;
	pending_release(exchange);
	if (exchange->events.on_drained != NULL)
		exchange->events.on_drained(exchange->events.context);
	return (ssize_t)left;
}

bool http_stream_start(struct http_exchange *exchange, const struct http_response *answer)
{
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, HTTP_STREAM_BLOCK_BYTES, stream_read, exchange, NULL);

	if (response != NULL && !response_add_headers(response, answer)) {
		MHD_destroy_response(response);
		response = NULL;
	}
	buffer_init(&exchange->pending, exchange->server->settings.stream_bytes_max);
	buffer_append_text(&exchange->pending, answer->body);
	if (response != NULL && buffer_failed(&exchange->pending)) {
		MHD_destroy_response(response);
		response = NULL;
	}
	exchange->is_stream = true;
	buffer_deinit(&exchange->body);
	exchange->request.body = (struct text){0};
	answer_set(exchange, answer->status, response);
	return response != NULL;
}

size_t http_stream_pending(const struct http_exchange *exchange)
{
	return exchange->pending.length - exchange->pending_sent;
}

bool http_stream_write(struct http_exchange *exchange, struct text bytes)
{
	size_t length = exchange->pending.length;

	assert(exchange->is_stream && !exchange->is_stream_ended);
	if (exchange->is_cut)
		return false;
	if (bytes.length > exchange->pending.limit_bytes - http_stream_pending(exchange))
		return false;
	buffer_consume(&exchange->pending, exchange->pending_sent);
	length -= exchange->pending_sent;
	exchange->pending_sent = 0;
	buffer_append_text(&exchange->pending, bytes);
	if (buffer_failed(&exchange->pending)) { /* no memory: what was queued stays */
		exchange->pending.failed = false;
		exchange->pending.length = length;
		return false;
	}
	http_exchange_resume(exchange);
	return true;
}

void http_stream_end(struct http_exchange *exchange)
{
	assert(exchange->is_stream);
	exchange->is_stream_ended = true;
	http_exchange_resume(exchange);
}

void http_exchange_watch(struct http_exchange *exchange, const struct http_exchange_events *events)
{
	exchange->events = *events;
}

enum MHD_Result http_exchange_queue(struct http_exchange *exchange)
{
	struct MHD_Response *response = exchange->response;
	enum MHD_Result result;

	exchange->response = NULL;
	if (exchange->is_cut || response == NULL) {
		if (response != NULL)
			MHD_destroy_response(response);
		return MHD_NO;
	}
	result = MHD_queue_response(exchange->connection, exchange->status, response);
	MHD_destroy_response(response); /* the library holds its own reference */
	return result;
}

void http_exchange_free(struct http_exchange *exchange, enum http_closed how)
{
	loop_watch_remove(exchange->server->loop, &exchange->hangup);
	exchange->is_cut = true;
	if (exchange->events.on_closed != NULL)
		exchange->events.on_closed(exchange->events.context, how);
	if (exchange->newer != NULL)
		exchange->newer->older = exchange->older;
	else
		exchange->server->newest = exchange->older;
	if (exchange->older != NULL)
		exchange->older->newer = exchange->newer;
	if (exchange->response != NULL)
		MHD_destroy_response(exchange->response);
	buffer_deinit(&exchange->body);
	buffer_deinit(&exchange->pending);
	arena_destroy(&exchange->arena);
	free(exchange);
}
