/* A server behind a URL: streamable HTTP, MCP 2025-11-25.  Each message is one
 * POST, answered with JSON, with a stream of events, or with 202.  A GET stream,
 * where the server offers one, brings its notices; when it breaks, the list of
 * tools is read again, because a change may have been missed.
 *
 * A post outlives its wait: after the answer, or after a deadline, the server
 * may finish its stream until the post's own deadline; of more than
 * UPSTREAM_STRAYS_MAX such posts the oldest is cut, or an agent that gives its
 * calls up would take all descriptors.  It never outlives its connection's fall. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edges/upstream/upstream_private.h"

enum {
	NOTICE_DEADLINE_MS = 10000,
	FAREWELL_DEADLINE_MS = 2000,
	AFTER_ANSWER_MS = 1000,
	LISTEN_FIRST_MS = 1000,
	LISTEN_LAST_MS = 30000,
	HEADERS_MAX = 6,
	REASON_BYTES_MAX = 120, /* of a server's error text */
	REASON_ARENA_BYTES = 256 * 1024,
};

enum post_kind { POST_MESSAGE = 0, POST_LISTEN, POST_FAREWELL };

struct post {
	enum post_kind kind;
	struct upstream_edge *edge;
	struct connection *connection; /* NULL: it fell */
	struct post *next, **link;
	struct post *next_dead;
	struct upstream_wait *wait; /* NULL: nobody waits (any more) */
	struct http_call *call;
	struct credential_wait credential; /* it is sent when this has come */
	struct outbound_key key;
	struct buffer message;     /* until then */
	int64_t send_by_ms;        /* 0: there is no deadline */
	struct sse_parser *parser; /* NULL: the answer is no stream */
	struct buffer body;
	unsigned status;
	bool is_json;
};

void post_free(struct post *post)
{
	struct post **link = &post->edge->dead_posts;

	while (*link != NULL && *link != post)
		link = &(*link)->next_dead;
	if (*link == post)
		*link = post->next_dead;
	sse_parser_destroy(&post->parser);
	buffer_deinit(&post->body);
	buffer_deinit(&post->message);
	free(post);
}

/* Out of its list, silent, freed by the loop's driver: U7. */
static void post_discard(struct post *post)
{
	if (post->wait != NULL)
		post->wait->post = NULL;
	post->wait = NULL;
	post->connection = NULL;
	http_call_cancel(&post->call);
	credential_forget(&post->credential);
	if (post->link != NULL) {
		*post->link = post->next;
		if (post->next != NULL)
			post->next->link = post->link;
		post->link = NULL;
		post->next_dead = post->edge->dead_posts;
		post->edge->dead_posts = post;
	}
}

/* ---- what comes back ---- */

static bool on_event(void *context, const struct sse_event *event)
{
	struct post *post = context;

	if (post->connection == NULL)
		return false;
	if (event->data.length == 0 || /* a priming event has an id alone */
		(event->name.length > 0 && !text_is(event->name, "message")))
		return true;
	connection_take(post->connection, event->data, post->wait);
	return post->connection != NULL;
}

static void session_take(struct connection *connection, struct text session)
{
	size_t i;

	connection->session[0] = '\0';
	if (session.length == 0 || session.length >= sizeof connection->session)
		return; /* the server will refuse us without it, and say so */
	for (i = 0; i < session.length; i++)
		if (session.data[i] < 0x21 || session.data[i] > 0x7e)
			return;
	memcpy(connection->session, session.data, session.length);
	connection->session[session.length] = '\0';
}

static bool on_head(void *context, const struct http_reply *reply)
{
	struct post *post = context;
	struct text type = http_reply_header(reply, "Content-Type");
	struct error err;

	if (post->connection == NULL)
		return false;
	post->status = reply->status;
	if (post->wait != NULL && post->connection->state == CONNECTION_STARTING)
		session_take(post->connection, http_reply_header(reply, "Mcp-Session-Id"));
	post->is_json = text_starts_with(type, "application/json");
	if (reply->status == 200 && text_starts_with(type, "text/event-stream"))
		return sse_parser_create(
			&post->parser, UPSTREAM_MESSAGE_BYTES_MAX, on_event, post, &err);
	return true;
}

static bool on_body(void *context, struct text chunk)
{
	struct post *post = context;
	struct error err;

	if (post->parser != NULL)
		return sse_parser_feed(post->parser, chunk, &err);
	buffer_append_text(&post->body, chunk);
	return !buffer_failed(&post->body);
}

/* The server's own words, short, from a JSON-RPC error. */
static void reason_append(struct error *failure, struct text body)
{
	struct arena *arena = arena_create(REASON_ARENA_BYTES);
	struct jsonrpc_message message;
	struct jsonrpc_fault fault;
	size_t used = strlen(failure->text);

	if (arena != NULL && jsonrpc_parse(&message, arena, body, &json_limits_default, &fault) &&
		message.kind == JSONRPC_ERROR && message.error_message.length <= REASON_BYTES_MAX)
		(void)snprintf(failure->text + used, sizeof failure->text - used, ": %.*s",
			TEXT_ARGS(message.error_message));
	arena_destroy(&arena);
}

static struct error failure_of(const struct post *post, const struct http_reply *reply)
{
	const char *name = post->connection->name.data; /* NUL-terminated by its copy */
	struct error failure = reply->err;

	if (reply->err.code == ERROR_LIMIT)
		error_set(&failure, ERROR_LIMIT,
			"server %s sent a message over the limit of %d bytes, or broken events",
			name, UPSTREAM_MESSAGE_BYTES_MAX);
	else if (reply->err.code != ERROR_NONE)
		error_wrap(&failure, "server %s", name);
	else if (post->parser != NULL)
		error_set(&failure, ERROR_IO, "server %s ended its stream before the answer", name);
	else if (post->status == 404 && post->connection->session[0] != '\0')
		error_set(&failure, ERROR_IO, "server %s ended our session: try again", name);
	else if (post->status == 401 || post->status == 403)
		error_set(&failure, ERROR_IO,
			"server %s refused the gateway's credential (HTTP %u)", name, post->status);
	else
		error_set(&failure, ERROR_IO, "server %s answered HTTP %u", name, post->status);
	if (reply->err.code == ERROR_NONE && post->parser == NULL)
		reason_append(&failure, buffer_text(&post->body));
	failure.os_errno = 0;
	return failure;
}

/* True if the whole connection must fall with it: the server is down, or lost
 * our session, or talks nonsense; then its tools may have changed too. */
static bool is_fatal(const struct post *post, const struct http_reply *reply)
{
	if (reply->err.code != ERROR_NONE)
		return reply->err.code != ERROR_TIMEOUT;
	return post->status == 404 && post->connection->session[0] != '\0';
}

static void message_done(struct post *post, const struct http_reply *reply)
{
	struct connection *connection = post->connection;
	struct error failure;

	if (reply->err.code == ERROR_NONE && post->status == 200 && post->is_json) {
		connection_take(connection, buffer_text(&post->body), post->wait);
		if (post->connection == NULL || post->wait == NULL)
			return;
		error_set(&failure, ERROR_IO, "server %.*s answered another request than ours",
			TEXT_ARGS(connection->name));
		failure.os_errno = 0;
		connection_fall(connection, &failure);
		return;
	}
	if (post->wait == NULL && (post->status == 200 || post->status == 202))
		return; /* a notice that was taken, or a stream that ended after its answer */
	failure = failure_of(post, reply);
	if (post->wait != NULL && post->wait->kind != WAIT_OWN)
		wait_fail(post->wait, &failure,
			reply->is_sent && (post->status < 400 || post->status >= 500));
	else if (post->wait != NULL) {
		connection_fall(connection, &failure);
		return;
	}
	if (post->connection != NULL && is_fatal(post, reply))
		connection_fall(connection, &failure);
}

static void listen_done(struct post *post)
{
	struct connection *connection = post->connection;
	bool was_stream = post->parser != NULL;
	struct error failure;

	connection->listening = NULL;
	if (post->status == 404 && connection->session[0] != '\0') {
		error_set(&failure, ERROR_IO, "server %.*s ended our session",
			TEXT_ARGS(connection->name));
		failure.os_errno = 0;
		connection_fall(connection, &failure);
		return;
	}
	if (!was_stream)
		return; /* it offers none (405), or will not now: requests tell */
	if (connection->listen_backoff_ms < LISTEN_LAST_MS)
		connection->listen_backoff_ms = connection->listen_backoff_ms == 0
							? LISTEN_FIRST_MS
							: connection->listen_backoff_ms * 2;
	if (!loop_timer_start(connection->edge->settings.loop, &connection->listen_again,
		    connection->listen_backoff_ms))
		connection_log(connection, "no memory to listen for notices again");
}

static void on_done(void *context, const struct http_reply *reply)
{
	struct post *post = context;

	post->call = NULL;
	if (post->connection != NULL)
		credential_renounce(
			post->connection, &post->connection->carried, &post->key, post->status);
	if (post->connection != NULL && post->kind == POST_MESSAGE)
		message_done(post, reply);
	else if (post->connection != NULL && post->kind == POST_LISTEN)
		listen_done(post);
	post_discard(post);
}

/* ---- what goes out ---- */

static size_t headers_fill(struct http_header headers[HEADERS_MAX],
	const struct connection *connection, const struct post *post, const char *authorization)
{
	size_t count = 0;

	headers[count++] = (struct http_header){
		"Accept", post->kind == POST_LISTEN ? "text/event-stream"
						    : "application/json, text/event-stream"};
	if (post->kind == POST_MESSAGE)
		headers[count++] = (struct http_header){"Content-Type", "application/json"};
	if (connection->version[0] != '\0')
		headers[count++] =
			(struct http_header){"MCP-Protocol-Version", connection->version};
	if (connection->session[0] != '\0')
		headers[count++] = (struct http_header){"Mcp-Session-Id", connection->session};
	if (authorization != NULL)
		headers[count++] = (struct http_header){"Authorization", authorization};
	return count;
}

static const char *method_of(enum post_kind kind)
{
	switch (kind) {
	case POST_MESSAGE: return "POST";
	case POST_LISTEN: return "GET";
	case POST_FAREWELL: return "DELETE";
	}
	return "GET";
}

static bool post_send(struct post *post, const struct connection *connection, struct text message,
	int64_t deadline_ms, struct error *err)
{
	struct http_header headers[HEADERS_MAX];
	char *authorization = NULL;
	bool ok = false;

	if (connection->carried.reference.length > 0)
		authorization = authorization_make(
			connection, &connection->carried, &post->key, "Bearer ", err);
	if (connection->carried.reference.length == 0 || authorization != NULL)
		ok = http_client_send(connection->edge->settings.http,
			&(struct http_call_request){.method = method_of(post->kind),
				.url = connection->url,
				.headers = headers,
				.header_count =
					headers_fill(headers, connection, post, authorization),
				.body = message,
				.deadline_ms = (uint32_t)deadline_ms,
				.context = post,
				.on_head = on_head,
				.on_body = on_body,
				.on_done = on_done},
			&post->call, err);
	authorization_discard(authorization);
	return ok;
}

/* The credential did not come, so nothing was sent. */
static void post_fail_unsent(struct post *post, const struct error *err)
{
	struct connection *connection = post->connection;

	if (post->kind == POST_LISTEN)
		connection->listening = NULL;
	if (post->wait != NULL)
		connection_fall(connection, err); /* a request of our own: U8 */
	else
		connection_log(connection, "a notice was not sent: %s", err->text);
	post_discard(post);
}

static void on_credential(void *context, const struct error *err)
{
	struct post *post = context;
	const struct connection *connection = post->connection;
	int64_t left_ms = post->send_by_ms - loop_now_ms(post->edge->settings.loop);
	struct error failure;

	if (err != NULL) {
		failure = *err;
		error_wrap(&failure, "server %.*s: credential", TEXT_ARGS(connection->name));
		post_fail_unsent(post, &failure);
		return;
	}
	if (post->send_by_ms == 0)
		left_ms = 0;
	else if (left_ms < 1)
		left_ms = 1;
	if (!post_send(post, connection, buffer_text(&post->message), left_ms, &failure))
		post_fail_unsent(post, &failure);
}

/* Sends now, or when the credential has come.  What an agent asked for never
 * waits here: it was prepared, and was looked at for the last time (U8). */
static bool post_start(struct post *post, struct connection *connection, struct text message,
	int64_t deadline_ms, struct error *err)
{
	bool is_agents = post->wait != NULL && post->wait->kind == WAIT_REQUEST;

	if (is_agents || carried_is_at_hand(connection, &connection->carried, &post->key))
		return post_send(post, connection, message, deadline_ms, err);
	buffer_append_text(&post->message, message);
	if (buffer_failed(&post->message))
		return error_set(err, ERROR_LIMIT, "no memory for a request");
	if (deadline_ms > 0)
		post->send_by_ms = loop_now_ms(connection->edge->settings.loop) + deadline_ms;
	post->credential = (struct credential_wait){.context = post, .run = on_credential};
	return carried_want(connection, &connection->carried, &post->key, &post->credential, err) ||
	       error_wrap(err, "server %.*s: credential", TEXT_ARGS(connection->name));
}

static struct post *post_create(
	struct connection *connection, enum post_kind kind, struct post **list, struct error *err)
{
	struct post *post = calloc(1, sizeof *post);

	if (post == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for a request");
		return NULL;
	}
	post->kind = kind;
	post->edge = connection->edge;
	post->connection = kind == POST_FAREWELL ? NULL : connection;
	post->key = (struct outbound_key){.server = connection->name};
	buffer_init(&post->body, UPSTREAM_MESSAGE_BYTES_MAX);
	buffer_init(&post->message, UPSTREAM_MESSAGE_BYTES_MAX);
	post->next = *list;
	post->link = list;
	if (post->next != NULL)
		post->next->link = &post->next;
	*list = post;
	return post;
}

/* Nobody waits for one post more than before. */
static void strays_bound(struct connection *connection)
{
	struct post *post = connection->posts, *oldest = NULL;
	size_t count = 0;

	for (; post != NULL; post = post->next) /* the newest first */
		if (post->kind == POST_MESSAGE && post->wait == NULL) {
			oldest = post;
			count++;
		}
	if (count > UPSTREAM_STRAYS_MAX)
		post_discard(oldest);
}

static bool http_open(struct connection *connection, struct error *err)
{
	(void)err;
	connection->session[0] = '\0';
	connection->version[0] = '\0';
	return true;
}

static bool http_send(struct connection *connection, struct text message,
	struct upstream_wait *wait, struct error *err)
{
	struct loop *loop = connection->edge->settings.loop;
	struct post *post = post_create(connection, POST_MESSAGE, &connection->posts, err);
	int64_t deadline_ms = NOTICE_DEADLINE_MS;

	if (post == NULL)
		return false;
	if (wait != NULL)
		deadline_ms = wait->deadline_ms - loop_now_ms(loop) + AFTER_ANSWER_MS;
	if (deadline_ms < AFTER_ANSWER_MS)
		deadline_ms = AFTER_ANSWER_MS;
	if (deadline_ms > INT32_MAX)
		deadline_ms = INT32_MAX;
	post->wait = wait;
	if (wait != NULL)
		wait->post = post;
	if (!post_start(post, connection, message, deadline_ms, err)) {
		post_discard(post);
		return false;
	}
	if (wait == NULL)
		strays_bound(connection);
	return true;
}

static void http_forget(struct upstream_wait *wait)
{
	struct post *post = wait->post;

	post->wait = NULL;
	wait->post = NULL;
	if (credential_is_awaited(&post->credential))
		post_discard(post); /* it was not sent */
	else
		strays_bound(wait->connection);
}

static void http_ready(struct connection *connection)
{
	struct error err;
	struct post *post;

	if (connection->listening != NULL || loop_timer_is_armed(&connection->listen_again))
		return;
	post = post_create(connection, POST_LISTEN, &connection->posts, &err);
	if (post == NULL)
		return;
	connection->listening = post;
	if (!post_start(post, connection, (struct text){0}, 0, &err)) {
		connection->listening = NULL;
		post_discard(post);
	}
}

static void farewell(struct connection *connection)
{
	struct error err;
	struct post *post =
		post_create(connection, POST_FAREWELL, &connection->edge->farewells, &err);

	if (post != NULL &&
		!post_send(post, connection, (struct text){0}, FAREWELL_DEADLINE_MS, &err))
		post_discard(post);
}

static void http_close(struct connection *connection)
{
	connection->listening = NULL;
	loop_timer_stop(connection->edge->settings.loop, &connection->listen_again);
	while (connection->posts != NULL)
		post_discard(connection->posts);
	if (connection->session[0] != '\0' && !connection->edge->is_destroyed)
		farewell(connection);
	connection->session[0] = '\0';
}

void farewells_discard(struct upstream_edge *edge)
{
	while (edge->farewells != NULL)
		post_discard(edge->farewells);
}

const struct link http_link = {
	.open = http_open,
	.send = http_send,
	.forget = http_forget,
	.ready = http_ready,
	.close = http_close,
};
