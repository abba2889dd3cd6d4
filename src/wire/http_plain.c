/* The engine for plain HTTP/1.1 to a numeric address: pooled connections, one call
 * at a time on each, watched in the loop from their opening to their end.
 *
 *   (new) ──▶ CONNECTING ──▶ BUSY ──answer whole──▶ IDLE ──▶ BUSY …
 *                  └───────────┴── fault, cancel, deadline ──▶ closed
 *
 * Invariants:
 *  H1  on_done runs from the loop, at most once, never after a cancel;
 *  H2  a request leaves at most once: what failed is reported, never sent again.
 *      So a kept connection is looked at before it is used, and given up a second
 *      before its server said it would;
 *  H3  a connection serves again only if its answer ended where it said, nothing
 *      came behind it and the whole request was sent;
 *  H4  a connection is freed only when none of its callbacks is under way, and no
 *      deferred work holds it;
 *  H5  the bytes of a request are cleared once they are sent, or will not be: they
 *      may hold a secret. */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "wire/http_client_private.h"
#include "wire/http_reply_reader.h"

enum {
	POOLED_CONNECTIONS_MAX = 64,
	IDLE_MS_MAX = 30000,
	READ_BYTES = 16 * 1024,
	HEAD_BYTES_MAX = 128 * 1024,
	REQUEST_OTHER_BYTES_MAX = 128, /* version, Host: and Content-Length: */
};

enum connection_state { CONNECTING = 0, BUSY, IDLE, CLOSED };

struct plain_connection;

struct plain_call {
	struct http_call call;
	struct plain_connection *connection;
	struct http_call_request request; /* texts not kept */
	struct buffer reply_body;
	bool is_over; /* on_done runs */
};

struct plain_connection {
	struct http_plain *plain;
	struct plain_connection *next, **link;
	enum connection_state state;
	struct http_place place; /* its texts are not kept */
	struct loop_watch watch;
	struct loop_timer timer; /* connecting, the call's deadline, or idle too long */
	int64_t deadline_ms;     /* of the call, monotonic; 0: none */
	struct plain_call *call; /* NULL when idle, or when it was cancelled */
	struct buffer out;
	size_t out_sent;
	struct http_reply_reader reader;
	struct error fault; /* reported by the deferred post */
	struct loop_post post;
	bool is_posted;
	unsigned depth; /* callbacks under way */
};

struct http_plain {
	struct loop *loop;
	struct plain_connection *idle; /* the one that rested last first */
	struct plain_connection *busy; /* all others that are not closed */
	size_t idle_count;
};

static const struct http_engine plain_engine;

/* ---- the end of a connection and of a call ---- */

static void out_clear(struct plain_connection *connection)
{
	if (connection->out.length > 0)
		explicit_bzero(connection->out.data, connection->out.length); /* H5 */
	buffer_reset(&connection->out);
	connection->out_sent = 0;
}

static void connection_link(struct plain_connection *connection, struct plain_connection **list)
{
	connection->next = *list;
	connection->link = list;
	if (connection->next != NULL)
		connection->next->link = &connection->next;
	*list = connection;
}

static void connection_unlink(struct plain_connection *connection)
{
	*connection->link = connection->next;
	if (connection->next != NULL)
		connection->next->link = connection->link;
}

static void connection_free(struct plain_connection *connection)
{
	if (connection->depth > 0 || connection->is_posted)
		return; /* H4: whoever holds it comes back here */
	out_clear(connection);
	buffer_deinit(&connection->out);
	http_reply_reader_deinit(&connection->reader);
	free(connection);
}

/* Closes it and takes it out of the pool; the caller frees it. */
static void connection_close(struct plain_connection *connection)
{
	struct http_plain *plain = connection->plain;

	if (connection->state == CLOSED)
		return;
	if (connection->state == IDLE)
		plain->idle_count--;
	connection->state = CLOSED;
	connection_unlink(connection);
	loop_timer_stop(plain->loop, &connection->timer);
	loop_watch_remove(plain->loop, &connection->watch);
	(void)close(connection->watch.fd);
}

static void call_free(struct plain_call *call)
{
	buffer_deinit(&call->reply_body);
	free(call);
}

static struct http_reply reply_of(const struct plain_call *call)
{
	const struct plain_connection *connection = call->connection;

	return (struct http_reply){.call = &call->call,
		.status = connection->reader.status,
		.is_sent = connection->out_sent > 0 || connection->reader.status > 0};
}

/* Tells the caller; the call is gone then.  The connection is not touched after
 * on_done, which may use or close it. */
static void call_finish(struct plain_call *call, const struct error *err)
{
	struct http_reply reply = reply_of(call);

	if (err != NULL)
		reply.err = *err;
	reply.body = buffer_text(&call->reply_body);
	call->connection->call = NULL;
	call->is_over = true;
	call->request.on_done(call->request.context, &reply); /* H1 */
	call_free(call);
}

/* The call fails, and its connection with it. */
static void connection_fail(struct plain_connection *connection, const struct error *err)
{
	struct plain_call *call = connection->call;

	connection_close(connection);
	connection->depth++;
	if (call != NULL)
		call_finish(call, err);
	connection->depth--;
	connection_free(connection);
}

static void fail_io(struct plain_connection *connection, const char *what, int os_errno)
{
	struct error err = {0};

	if (os_errno != 0)
		(void)error_set(&err, ERROR_IO, "%s: %s", what, strerror(os_errno));
	else
		(void)error_set(&err, ERROR_IO, "%s", what);
	connection_fail(connection, &err);
}

/* ---- idle ---- */

/* The answer is whole; the connection waits for the next call, or closes (H3). */
static void connection_rest(struct plain_connection *connection, bool is_clean)
{
	struct http_plain *plain = connection->plain;
	int64_t promised_ms = connection->reader.keep_alive_s < 0
				      ? IDLE_MS_MAX
				      : connection->reader.keep_alive_s * 1000 - 1000;
	int64_t idle_ms = promised_ms < IDLE_MS_MAX ? promised_ms : IDLE_MS_MAX;

	if (!is_clean || !connection->reader.is_kept_alive || idle_ms <= 0 ||
		connection->out_sent < connection->out.length ||
		plain->idle_count >= POOLED_CONNECTIONS_MAX ||
		!loop_timer_start(plain->loop, &connection->timer, idle_ms)) {
		connection_close(connection);
		return;
	}
	out_clear(connection);
	connection->state = IDLE;
	connection_unlink(connection);
	connection_link(connection, &plain->idle);
	plain->idle_count++;
}

/* True if nothing came and nobody closed while it rested (H2). */
static bool is_fresh(const struct plain_connection *connection)
{
	char byte;
	ssize_t got = recv(connection->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return got < 0 && (errno == EAGAIN);
}

static bool is_same_place(const struct http_place *a, const struct http_place *b)
{
	return a->address_size == b->address_size &&
	       memcmp(&a->address.storage, &b->address.storage, a->address_size) == 0;
}

/* A kept connection to the place, or NULL. */
static struct plain_connection *idle_find(struct http_plain *plain, const struct http_place *place)
{
	struct plain_connection *connection = plain->idle;

	while (connection != NULL) {
		struct plain_connection *next = connection->next;

		if (is_same_place(&connection->place, place) && is_fresh(connection)) {
			plain->idle_count--;
			connection->state = BUSY;
			connection_unlink(connection);
			connection_link(connection, &plain->busy);
			return connection;
		}
		if (is_same_place(&connection->place, place)) {
			connection_close(connection);
			connection_free(connection);
		}
		connection = next;
	}
	return NULL;
}

/* ---- reading ---- */

static bool head_deliver(struct plain_call *call)
{
	struct http_reply reply = reply_of(call);

	return call->request.on_head == NULL ||
	       call->request.on_head(call->request.context, &reply);
}

static bool body_deliver(struct plain_call *call, struct text chunk)
{
	if (call->request.on_body != NULL)
		return call->request.on_body(call->request.context, chunk);
	buffer_append_text(&call->reply_body, chunk);
	return !buffer_failed(&call->reply_body);
}

static void fail_refused(struct plain_connection *connection)
{
	struct error err = {0};

	(void)error_set(&err, ERROR_LIMIT, "the answer was refused: it is too large");
	connection_fail(connection, &err);
}

static void finish_whole(struct plain_connection *connection, bool is_clean)
{
	struct plain_call *call = connection->call;

	connection_rest(connection, is_clean);
	connection->depth++;
	call_finish(call, NULL);
	connection->depth--;
	if (connection->state == CLOSED)
		connection_free(connection);
}

/* One event of the reader; false once the connection is to be left alone. */
static bool event_deliver(struct plain_connection *connection, enum http_read read,
	struct text chunk, struct text rest)
{
	struct plain_call *call = connection->call;
	bool is_wanted = true;

	if (read == HTTP_READ_BAD) {
		fail_io(connection, connection->reader.fault, 0);
		return false;
	}
	if (read == HTTP_READ_DONE) {
		finish_whole(connection, rest.length == 0);
		return false;
	}
	connection->depth++;
	if (read == HTTP_READ_HEAD)
		is_wanted = head_deliver(call);
	else
		is_wanted = body_deliver(call, chunk);
	connection->depth--;
	if (connection->call != call) { /* cancelled inside */
		connection_free(connection);
		return false;
	}
	if (!is_wanted)
		fail_refused(connection);
	return is_wanted;
}

/* False once the connection is to be left alone. */
static bool bytes_take(struct plain_connection *connection, struct text bytes)
{
	for (;;) {
		struct text chunk;
		enum http_read read = http_reply_read(&connection->reader, &bytes, &chunk);

		if (read == HTTP_READ_MORE)
			return true;
		if (!event_deliver(connection, read, chunk, bytes))
			return false;
	}
}

static void on_end_of_input(struct plain_connection *connection)
{
	if (http_reply_ends_at_close(&connection->reader))
		finish_whole(connection, false);
	else
		fail_io(connection, "the server closed the connection before its answer was whole",
			0);
}

/* Not until there is no more: who sends faster than we read would have the loop to
 * itself.  The watch tells of the rest in the next turn. */
static void connection_read(struct plain_connection *connection)
{
	char block[READ_BYTES] NOT_ZEROED;
	size_t left = HTTP_CLIENT_TURN_BYTES_MAX / READ_BYTES;
	bool goes_on = true;

	while (goes_on && left-- > 0) {
		ssize_t got = recv(connection->watch.fd, block, sizeof block, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == EAGAIN))
			return;
		goes_on = false;
		if (got < 0)
			fail_io(connection, "cannot read the answer", errno);
		else if (got == 0)
			on_end_of_input(connection);
		else
			goes_on = bytes_take(connection, (struct text){block, (size_t)got}) &&
				  (size_t)got == sizeof block;
		if (got > 0)
			explicit_bzero(block, (size_t)got); /* H5 */
	}
}

/* ---- writing ---- */

static bool watch_set(struct plain_connection *connection, unsigned events, struct error *err)
{
	return loop_watch_change(connection->plain->loop, &connection->watch, events, err);
}

/* Sends what it can.  False: err says why the call cannot go on. */
static bool out_flush(struct plain_connection *connection, struct error *err)
{
	struct buffer *out = &connection->out;

	while (connection->out_sent < out->length) {
		ssize_t sent = send(connection->watch.fd, out->data + connection->out_sent,
			out->length - connection->out_sent, MSG_NOSIGNAL);

		if (sent >= 0)
			connection->out_sent += (size_t)sent;
		else if (errno == EAGAIN)
			return watch_set(connection, LOOP_READ | LOOP_WRITE | LOOP_HANGUP, err);
		else if (errno != EINTR)
			return error_set(
				err, ERROR_IO, "cannot send the request: %s", strerror(errno));
	}
	explicit_bzero(out->data, out->length); /* H5 */
	return watch_set(connection, LOOP_READ, err);
}

/* ---- the loop's events ---- */

/* Runs the timer for the call's deadline, if it has one. */
static bool deadline_start(struct plain_connection *connection, struct error *err)
{
	struct loop *loop = connection->plain->loop;
	int64_t left_ms = connection->deadline_ms - loop_now_ms(loop);

	if (connection->deadline_ms == 0) {
		loop_timer_stop(loop, &connection->timer);
		return true;
	}
	return loop_timer_start(loop, &connection->timer, left_ms > 0 ? left_ms : 0) ||
	       error_set(err, ERROR_LIMIT, "no memory for a deadline");
}

static void on_connected(struct plain_connection *connection)
{
	socklen_t size = sizeof(int);
	struct error err = {0};
	int fault = 0;

	if (getsockopt(connection->watch.fd, SOL_SOCKET, SO_ERROR, &fault, &size) < 0)
		fault = errno;
	if (fault != 0) {
		fail_io(connection, "cannot connect", fault);
		return;
	}
	connection->state = BUSY;
	if (!deadline_start(connection, &err) || !out_flush(connection, &err))
		connection_fail(connection, &err);
}

static void on_event(struct loop_watch *watch, unsigned events)
{
	struct plain_connection *connection = watch->context;
	struct error err = {0};

	if (connection->state == CONNECTING)
		on_connected(connection);
	else if (connection->state == IDLE) {
		connection_close(connection); /* nothing was asked: it closed, or babbles */
		connection_free(connection);
	} else if ((events & LOOP_WRITE) != 0 && !out_flush(connection, &err))
		connection_fail(connection, &err);
	else if ((events & (LOOP_READ | LOOP_HANGUP)) != 0)
		connection_read(connection);
}

static void on_due(struct loop_timer *timer)
{
	struct plain_connection *connection = timer->context;
	struct error err = {0};

	(void)error_set(&err, ERROR_TIMEOUT, "%s",
		connection->state == CONNECTING ? "no connection in time" : "no answer in time");
	connection_fail(connection, &err);
}

static void on_fault_post(struct loop_post *post)
{
	struct plain_connection *connection = post->context;

	connection->is_posted = false;
	if (connection->state == CLOSED)
		connection_free(connection);
	else
		connection_fail(connection, &connection->fault);
}

/* What http_plain_send found out too late to return it: H1. */
static void fault_defer(struct plain_connection *connection)
{
	connection->post = (struct loop_post){.run = on_fault_post, .context = connection};
	connection->is_posted = true;
	loop_defer(connection->plain->loop, &connection->post);
}

/* ---- a request ---- */

static void field_append(struct buffer *out, const char *name, const char *value)
{
	buffer_append_string(out, name);
	buffer_append(out, ": ", 2);
	buffer_append_string(out, value);
	buffer_append(out, "\r\n", 2);
}

/* At least what request_format appends: more room on the way would leave a copy in
 * freed memory (H5). */
static size_t request_bytes(const struct http_call_request *request, const struct http_place *place)
{
	size_t bytes = REQUEST_OTHER_BYTES_MAX + strlen(request->method) + place->target.length +
		       place->authority.length + request->body.length;
	size_t i;

	for (i = 0; i < request->header_count; i++)
		bytes += strlen(request->headers[i].name) + strlen(request->headers[i].value) +
			 strlen(": \r\n");
	return bytes;
}

static bool request_format(struct buffer *out, const struct http_call_request *request,
	const struct http_place *place, struct error *err)
{
	bool has_body = request->body.data != NULL || strcmp(request->method, "POST") == 0;
	size_t i;

	out->limit_bytes = HEAD_BYTES_MAX + request->body.length;
	if (!buffer_reserve(out, request_bytes(request, place)))
		return error_set(err, ERROR_LIMIT, "the request is too large");
	buffer_append_string(out, request->method);
	buffer_append_byte(out, ' ');
	buffer_append_text(out, place->target);
	buffer_append_string(out, " HTTP/1.1\r\nHost: ");
	buffer_append_text(out, place->authority);
	buffer_append(out, "\r\n", 2);
	for (i = 0; i < request->header_count; i++)
		field_append(out, request->headers[i].name, request->headers[i].value);
	if (has_body) {
		buffer_append_string(out, "Content-Length: ");
		buffer_append_int64(out, (int64_t)request->body.length);
		buffer_append(out, "\r\n", 2);
	}
	buffer_append(out, "\r\n", 2);
	buffer_append_text(out, request->body);
	return !buffer_failed(out) || error_set(err, ERROR_LIMIT, "the request is too large");
}

/* A connection on its way to the place.  NULL and err, if it cannot be. */
static struct plain_connection *connection_open(
	struct http_plain *plain, const struct http_place *place, struct error *err)
{
	struct plain_connection *connection = calloc(1, sizeof *connection);
	int on = 1;
	int fd;

	if (connection == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for a connection");
		return NULL;
	}
	fd = socket(place->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		error_set(err, ERROR_IO, "socket: %s", strerror(errno));
		free(connection);
		return NULL;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	connection->plain = plain;
	connection->place = *place;
	connection->watch = (struct loop_watch){
		.fd = fd, .events = LOOP_WRITE, .on_event = on_event, .context = connection};
	connection->timer = (struct loop_timer){.on_due = on_due, .context = connection};
	buffer_init(&connection->out, HEAD_BYTES_MAX);
	http_reply_reader_init(&connection->reader);
	connection_link(connection, &plain->busy);
	return connection;
}

static int64_t connect_ms_of(const struct http_call_request *request)
{
	int64_t connect_ms = request->connect_timeout_ms > 0 ? request->connect_timeout_ms
							     : HTTP_CONNECT_DEFAULT_MS;

	return request->deadline_ms > 0 && request->deadline_ms < connect_ms ? request->deadline_ms
									     : connect_ms;
}

static bool connection_start(struct plain_connection *connection,
	const struct http_call_request *request, struct error *err)
{
	struct loop *loop = connection->plain->loop;

	if (connect(connection->watch.fd, &connection->place.address.any,
		    connection->place.address_size) != 0 &&
		errno != EINPROGRESS) {
		(void)error_set(
			&connection->fault, ERROR_IO, "cannot connect: %s", strerror(errno));
		fault_defer(connection);
		return true;
	}
	return loop_watch_add(loop, &connection->watch, err) &&
	       (loop_timer_start(loop, &connection->timer, connect_ms_of(request)) ||
		       error_set(err, ERROR_LIMIT, "no memory for a deadline"));
}

/* The call leaves on a kept connection at once, on a new one when it stands. */
static bool request_start(struct plain_connection *connection,
	const struct http_call_request *request, struct error *err)
{
	struct loop *loop = connection->plain->loop;

	connection->deadline_ms =
		request->deadline_ms > 0 ? loop_now_ms(loop) + request->deadline_ms : 0;
	http_reply_reader_start(&connection->reader, strcmp(request->method, "HEAD") == 0);
	if (connection->state == CONNECTING)
		return connection_start(connection, request, err);
	if (!deadline_start(connection, err))
		return false;
	if (!out_flush(connection, &connection->fault))
		fault_defer(connection);
	return true;
}

static struct plain_call *call_create(const struct http_call_request *request)
{
	struct plain_call *call = calloc(1, sizeof *call);

	if (call == NULL)
		return NULL;
	call->call.engine = &plain_engine;
	call->request = *request;
	call->request.url = NULL; /* borrowed for the call */
	call->request.headers = NULL;
	call->request.body = (struct text){0};
	buffer_init(&call->reply_body,
		request->reply_bytes_max > 0 ? request->reply_bytes_max : HTTP_REPLY_BYTES_DEFAULT);
	return call;
}

bool http_plain_send(struct http_plain *plain, const struct http_call_request *request,
	const struct http_place *place, struct http_call **out, struct error *err)
{
	struct plain_connection *connection = idle_find(plain, place);
	struct plain_call *call = call_create(request);

	if (connection == NULL)
		connection = connection_open(plain, place, err);
	if (connection == NULL) {
		free(call);
		return false;
	}
	if (call == NULL)
		error_set(err, ERROR_LIMIT, "no memory for a request");
	else if (request_format(&connection->out, request, place, err) &&
		 request_start(connection, request, err)) {
		call->connection = connection;
		connection->call = call;
		*out = &call->call;
		return true;
	}
	free(call);
	connection_close(connection);
	connection_free(connection);
	return false;
}

static void engine_cancel(struct http_call *handle)
{
	struct plain_call *call = (struct plain_call *)(void *)handle;
	struct plain_connection *connection = call->connection;

	if (call->is_over)
		return; /* call_finish frees it */
	connection->call = NULL;
	call_free(call);
	connection_close(connection); /* its answer may still come */
	connection_free(connection);
}

static struct text engine_header(const struct http_call *handle, const char *name)
{
	const struct plain_call *call = (const struct plain_call *)(const void *)handle;

	return http_reply_field(&call->connection->reader, name);
}

static const struct http_engine plain_engine = {.cancel = engine_cancel, .header = engine_header};

/* ---- the engine ---- */

bool http_plain_create(struct http_plain **out, struct loop *loop, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the HTTP client");
	(*out)->loop = loop;
	return true;
}

static void list_discard(struct plain_connection *connection)
{
	while (connection != NULL) {
		struct plain_connection *next = connection->next;

		if (connection->call != NULL)
			call_free(connection->call);
		connection->call = NULL;
		connection_close(connection);
		assert(connection->depth == 0);
		connection_free(connection); /* a deferred post frees it otherwise */
		connection = next;
	}
}

void http_plain_destroy(struct http_plain **handle)
{
	if (*handle == NULL)
		return;
	list_discard((*handle)->idle);
	list_discard((*handle)->busy);
	free(*handle);
	*handle = NULL;
}
