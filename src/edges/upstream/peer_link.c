/* A peer: an agent behind a URL that speaks A2A 1.0 by JSON-RPC.  Its card is read first, from
 * the well-known place below the URL, without a credential: it says where requests go and which
 * skills there are, which are handed on as definitions of tools are.  Each request is one POST,
 * answered with JSON or with a stream of events.
 *
 * An errand lives as long as its wait.  It may be forgotten from within a callback of its own
 * HTTP call; then it is freed when that callback returns.  To cut the HTTP call is all that a
 * peer is told: its task goes on there until somebody cancels it. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/call/peer_card.h"
#include "domain/call/peer_request.h"
#include "edges/upstream/upstream_private.h"

enum {
	URL_BYTES_MAX = 2200,
	HEADERS_MAX = 5,
	CARD_ARENA_BYTES = 8 * 1024 * 1024, /* a card and its definitions, as values */
	CARD_FRESH_MS = 60 * 1000,          /* so long it is not read again */
	ERRAND_ARENA_BYTES = 8 * UPSTREAM_MESSAGE_BYTES_MAX,
	STATUS_OK = 200,
	STATUS_UNAUTHORIZED = 401,
	STATUS_FORBIDDEN = 403,
	MESSAGE_ID_BYTES = 48,
};

static const char card_path[] = "/.well-known/agent-card.json";

static const struct json_limits card_limits = {
	.size_bytes = PEER_CARD_BYTES_MAX, .depth = 32, .values = 20000};
static const struct json_limits message_limits = {
	.size_bytes = UPSTREAM_MESSAGE_BYTES_MAX, .depth = 64, .values = 400000};

/* What is known of the agent. */
struct peer {
	struct http_call *call; /* that reads its card; NULL: none is under way */
	unsigned status;
	struct arena *arena; /* NULL: nothing is known */
	struct json card;
	char endpoint[URL_BYTES_MAX];
	int64_t read_ms;
};

/* ---- the card ---- */

static void card_fail(struct connection *connection, struct error *failure)
{
	error_wrap(failure, "server %.*s: agent card", TEXT_ARGS(connection->name));
	failure->os_errno = 0;
	if (connection->state == CONNECTION_READY)
		connection_log(connection, "%s", failure->text); /* the one there is stays */
	else
		connection_fall(connection, failure);
}

/* Takes the new card in place of the old one.  Errors: INVALID, LIMIT. */
static bool card_take(struct connection *connection, struct text body, struct error *err)
{
	struct peer *peer = connection->peer;
	struct arena *arena = arena_create(CARD_ARENA_BYTES);
	struct json definitions, card;
	struct text text, endpoint = {0};
	int64_t now_ms = loop_now_ms(connection->edge->settings.loop);
	bool ok = false;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory");
	text = text_copy(arena, body);
	if (text.data == NULL)
		error_set(err, ERROR_LIMIT, "no memory");
	else
		ok = json_parse(&card, arena, text, &card_limits, err) &&
		     peer_card_endpoint(&endpoint, &card, text_of(connection->url), err) &&
		     peer_card_definitions(&definitions, arena, &card, err);
	if (ok && endpoint.length >= sizeof peer->endpoint)
		ok = error_set(err, ERROR_LIMIT, "its URL is too long");
	if (!ok) {
		arena_destroy(&arena);
		return false;
	}
	arena_destroy(&peer->arena);
	peer->arena = arena;
	peer->card = card;
	peer->read_ms = now_ms;
	memcpy(peer->endpoint, endpoint.data, endpoint.length);
	peer->endpoint[endpoint.length] = '\0';
	connection_define(connection, &definitions);
	return true;
}

static bool on_card_head(void *context, const struct http_reply *reply)
{
	struct connection *connection = context;

	connection->peer->status = reply->status;
	return true;
}

static void on_card(void *context, const struct http_reply *reply)
{
	struct connection *connection = context;
	struct error failure = reply->err;

	connection->peer->call = NULL;
	if (failure.code == ERROR_NONE && connection->peer->status != STATUS_OK)
		error_set(&failure, ERROR_IO, "HTTP %u", connection->peer->status);
	if (failure.code != ERROR_NONE || !card_take(connection, reply->body, &failure))
		card_fail(connection, &failure);
}

static bool card_read(struct connection *connection, struct error *err)
{
	const struct http_header accept = {"Accept", "application/json"};
	size_t length = strlen(connection->url);
	char url[URL_BYTES_MAX];
	int written;

	while (length > 0 && connection->url[length - 1] == '/')
		length--;
	written = snprintf(url, sizeof url, "%.*s%s", (int)length, connection->url, card_path);
	if (written < 0 || (size_t)written >= sizeof url)
		return error_set(err, ERROR_LIMIT, "the URL of a peer is too long");
	connection->peer->status = 0;
	return http_client_send(connection->edge->settings.http,
		&(struct http_call_request){.method = "GET",
			.url = url,
			.headers = &accept,
			.header_count = 1,
			.deadline_ms = UPSTREAM_CONNECT_MS,
			.reply_bytes_max = PEER_CARD_BYTES_MAX,
			.context = connection,
			.on_head = on_card_head,
			.on_done = on_card},
		&connection->peer->call, err);
}

void peer_refresh(struct connection *connection)
{
	struct peer *peer = connection->peer;
	int64_t now_ms = loop_now_ms(connection->edge->settings.loop);
	struct error err;

	if (connection->speaks != SPEAKS_A2A || connection->state != CONNECTION_READY ||
		peer == NULL || peer->call != NULL || now_ms - peer->read_ms < CARD_FRESH_MS)
		return;
	peer->read_ms = now_ms; /* not at every call while it cannot be read */
	if (!card_read(connection, &err))
		connection_log(connection, "%s", err.text);
}

bool peer_card(
	void *context, struct text server, struct arena *arena, struct json *out, struct error *err)
{
	struct upstream_edge *edge = context;
	struct connection *connection = connection_of(edge, server, err);

	if (connection == NULL)
		return false;
	if (connection->speaks != SPEAKS_A2A || connection->state != CONNECTION_READY)
		return error_set(
			err, ERROR_IO, "peer %.*s is not connected just now", TEXT_ARGS(server));
	return json_copy(out, arena, &connection->peer->card, err);
}

void peer_free(struct connection *connection)
{
	if (connection->peer == NULL)
		return;
	http_call_cancel(&connection->peer->call);
	arena_destroy(&connection->peer->arena);
	free(connection->peer);
	connection->peer = NULL;
}

/* ---- errands ---- */

struct errand {
	struct upstream_wait *wait; /* NULL: forgotten */
	struct http_call *call;
	int64_t silence_ms; /* longest between two pieces of the answer */
	unsigned status;
	bool is_in_callback;
	bool is_json;
	struct sse_parser *parser; /* NULL: the answer is no stream */
	struct buffer body;
	struct arena *arena; /* of the last event */
	struct json last;
	bool has_event;
};

static void errand_free(struct errand *errand)
{
	http_call_cancel(&errand->call);
	sse_parser_destroy(&errand->parser);
	buffer_deinit(&errand->body);
	arena_destroy(&errand->arena);
	free(errand);
}

/* True while somebody waits. */
static bool errand_leave(struct errand *errand)
{
	errand->is_in_callback = false;
	if (errand->wait != NULL)
		return true;
	errand_free(errand);
	return false;
}

static void peer_forget(struct upstream_wait *wait)
{
	struct errand *errand = wait->errand;

	wait->errand = NULL;
	errand->wait = NULL;
	if (!errand->is_in_callback)
		errand_free(errand);
}

/* One JSON-RPC answer to our request.  Errors: INVALID, LIMIT. */
static bool answer_read(
	struct errand *errand, struct text text, struct jsonrpc_message *out, struct error *err)
{
	struct jsonrpc_fault fault;
	struct text kept;

	if (errand->arena == NULL)
		errand->arena = arena_create(ERRAND_ARENA_BYTES);
	if (errand->arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an answer");
	arena_reset(errand->arena);
	errand->has_event = false;
	kept = text_copy(errand->arena, text);
	if (kept.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an answer");
	if (!jsonrpc_parse(out, errand->arena, kept, &message_limits, &fault))
		return error_set(err, ERROR_INVALID, "%s", fault.err.text);
	if (!jsonrpc_id_equal(out->id, jsonrpc_id_of_integer(errand->wait->id)))
		return error_set(err, ERROR_INVALID, "it answered another request than ours");
	if (out->kind != JSONRPC_ERROR &&
		(out->kind != JSONRPC_RESULT || out->result->type != JSON_OBJECT))
		return error_set(err, ERROR_INVALID, "it is no answer, or one that is no object");
	return true;
}

static void errand_answer(struct errand *errand, const struct jsonrpc_message *message)
{
	bool is_error = message->kind == JSONRPC_ERROR;

	wait_answer(
		errand->wait, &(struct upstream_answer){.result = is_error ? NULL : message->result,
				      .error = is_error ? json_find(message->whole, "error") : NULL,
				      .status = errand->status});
}

static void errand_fail(struct errand *errand, const struct error *why)
{
	struct error failure = *why;
	struct upstream_wait *wait = errand->wait;

	failure.code = failure.code == ERROR_TIMEOUT ? ERROR_TIMEOUT : ERROR_IO;
	error_wrap(&failure, "peer %.*s", TEXT_ARGS(wait->connection->name));
	failure.os_errno = 0;
	connection_log(wait->connection, "%s", failure.text);
	wait_fail(wait, &failure, true);
}

/* An event is passed on; an error among them is the answer. */
static bool on_event(void *context, const struct sse_event *event)
{
	struct errand *errand = context;
	struct jsonrpc_message message = {0};
	struct error err = {0};

	if (errand->wait == NULL)
		return false;
	if (event->data.length == 0)
		return true;
	if (!answer_read(errand, event->data, &message, &err)) {
		errand_fail(errand, &err);
		return false;
	}
	if (message.kind == JSONRPC_ERROR || message.result == NULL) {
		errand_answer(errand, &message);
		return false;
	}
	errand->last = *message.result;
	errand->has_event = true;
	if (errand->wait->request.on_notice != NULL)
		errand->wait->request.on_notice(
			errand->wait->request.context, TEXT(""), &errand->last);
	return errand->wait != NULL;
}

static bool on_head(void *context, const struct http_reply *reply)
{
	struct errand *errand = context;
	struct text type = http_reply_header(reply, "Content-Type");
	struct error err;

	errand->status = reply->status;
	errand->is_json = text_starts_with(type, "application/json");
	if (reply->status == STATUS_OK && text_starts_with(type, "text/event-stream"))
		return sse_parser_create(
			&errand->parser, UPSTREAM_MESSAGE_BYTES_MAX, on_event, errand, &err);
	return true;
}

/* The answer goes on: the deadline is one of silence from now on. */
static bool on_body(void *context, struct text chunk)
{
	struct errand *errand = context;
	struct upstream_wait *wait = errand->wait;
	struct error err = {0};

	if (errand->parser == NULL) {
		buffer_append_text(&errand->body, chunk);
		return !buffer_failed(&errand->body);
	}
	if (!loop_timer_start(
		    wait->connection->edge->settings.loop, &wait->deadline, errand->silence_ms))
		assert(!"a timer that is armed has its place in the heap");
	errand->is_in_callback = true;
	if (!sse_parser_feed(errand->parser, chunk, &err) && errand->wait != NULL)
		errand_fail(errand, &err);
	return errand_leave(errand);
}

/* What a peer says of our credential is not for the client's eyes. */
static bool is_about_credential(unsigned status)
{
	return status == STATUS_UNAUTHORIZED || status == STATUS_FORBIDDEN;
}

static void on_done(void *context, const struct http_reply *reply)
{
	struct errand *errand = context;
	struct upstream_wait *wait = errand->wait;
	struct jsonrpc_message message = {0};
	struct error failure = reply->err;

	errand->call = NULL;
	errand->is_in_callback = true;
	credential_renounce(wait->connection, wait->carried, &wait->key, errand->status);
	if (failure.code == ERROR_NONE && is_about_credential(errand->status))
		error_set(&failure, ERROR_IO, "it refused the gateway's credential (HTTP %u)",
			errand->status);
	else if (failure.code == ERROR_NONE && errand->parser != NULL && !errand->has_event)
		error_set(&failure, ERROR_IO, "it ended its stream before the first event");
	else if (failure.code == ERROR_NONE && errand->parser == NULL && !errand->is_json)
		error_set(&failure, ERROR_IO, "it answered HTTP %u", errand->status);
	if (failure.code == ERROR_NONE && errand->parser != NULL)
		wait_answer(wait, &(struct upstream_answer){
					  .result = &errand->last, .status = errand->status});
	else if (failure.code == ERROR_NONE &&
		 answer_read(errand, buffer_text(&errand->body), &message, &failure))
		errand_answer(errand, &message);
	else
		errand_fail(errand, &failure);
	(void)errand_leave(errand);
}

/* ---- what goes out ---- */

static bool message_make(
	struct buffer *out, struct arena *arena, struct upstream_wait *wait, struct error *err)
{
	const struct upstream_request *request = &wait->request;
	char id[MESSAGE_ID_BYTES];
	struct peer_told told = {
		.task = request->task, .label = request->label, .record = request->record};
	struct json params;

	wait->id = ++wait->connection->next_id;
	(void)snprintf(id, sizeof id, "remit-%llu", (unsigned long long)request->record);
	told.message = text_of(id);
	if (!peer_request_params(&params, arena, request->method, request->params, &told, err))
		return false;
	jsonrpc_format_request(out, jsonrpc_id_of_integer(wait->id), request->method, &params);
	return !buffer_failed(out) ||
	       error_set(err, ERROR_LIMIT, "a request is longer than %d bytes",
		       UPSTREAM_MESSAGE_BYTES_MAX);
}

/* The token that the peer may exchange, else the server's own credential; NULL: neither. */
static bool authorization_of(const struct upstream_wait *wait, char **out, struct error *err)
{
	struct text token = wait->request.subject_token;
	size_t length = sizeof "Bearer " - 1 + token.length;

	*out = NULL;
	if (token.length == 0 && wait->carried->reference.length == 0)
		return true;
	if (token.length == 0) {
		*out = authorization_make(
			wait->connection, wait->carried, &wait->key, "Bearer ", err);
		return *out != NULL;
	}
	*out = calloc(1, length + 1);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a request");
	(void)snprintf(*out, length + 1, "Bearer %.*s", TEXT_ARGS(token));
	return true;
}

static bool errand_send(struct errand *errand, const struct upstream_wait *wait,
	struct text message, struct error *err)
{
	const struct connection *connection = wait->connection;
	char *authorization = NULL;
	struct http_header headers[HEADERS_MAX] = {
		{"Accept", peer_method_streams(wait->request.method) ? "text/event-stream"
								     : "application/json"},
		{"Content-Type", "application/json"}, {PEER_VERSION_HEADER, PEER_VERSION}};
	size_t count = 3;
	bool ok;

	if (!authorization_of(wait, &authorization, err))
		return false;
	if (authorization != NULL)
		headers[count++] = (struct http_header){"Authorization", authorization};
	ok = http_client_send(connection->edge->settings.http,
		&(struct http_call_request){.method = "POST",
			.url = connection->peer->endpoint,
			.headers = headers,
			.header_count = count,
			.body = message,
			.context = errand,
			.on_head = on_head,
			.on_body = on_body,
			.on_done = on_done},
		&errand->call, err);
	authorization_discard(authorization);
	return ok;
}

static struct errand *errand_create(const struct upstream_wait *wait)
{
	int64_t now_ms = loop_now_ms(wait->connection->edge->settings.loop);
	struct errand *errand = calloc(1, sizeof *errand);

	if (errand == NULL)
		return NULL;
	errand->silence_ms = wait->deadline_ms > now_ms ? wait->deadline_ms - now_ms : 1;
	buffer_init(&errand->body, UPSTREAM_MESSAGE_BYTES_MAX);
	return errand;
}

bool peer_send(struct upstream_wait *wait, struct error *err)
{
	struct arena *arena = arena_create(ERRAND_ARENA_BYTES);
	struct errand *errand = errand_create(wait);
	struct buffer message;
	bool ok = false;

	buffer_init(&message, UPSTREAM_MESSAGE_BYTES_MAX);
	if (arena == NULL || errand == NULL)
		error_set(err, ERROR_LIMIT, "no memory for a request");
	else
		ok = message_make(&message, arena, wait, err) &&
		     errand_send(errand, wait, buffer_text(&message), err);
	if (ok) {
		errand->wait = wait;
		wait->errand = errand;
	} else if (errand != NULL)
		errand_free(errand);
	buffer_deinit(&message);
	arena_destroy(&arena);
	return ok;
}

/* ---- the link ---- */

static bool peer_open(struct connection *connection, struct error *err)
{
	if (connection->peer == NULL)
		connection->peer = calloc(1, sizeof *connection->peer);
	if (connection->peer == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a peer");
	return card_read(connection, err);
}

/* Nothing but requests goes to a peer. */
static bool peer_say(struct connection *connection, struct text message, struct upstream_wait *wait,
	struct error *err)
{
	(void)message;
	(void)wait;
	return error_set(
		err, ERROR_INTERNAL, "peer %.*s gets requests alone", TEXT_ARGS(connection->name));
}

static void peer_ready(struct connection *connection)
{
	(void)connection;
}

static void peer_close(struct connection *connection)
{
	if (connection->peer != NULL)
		http_call_cancel(&connection->peer->call);
	/* Each wait that falls forgets its errand. */
}

const struct link peer_link = {
	.open = peer_open,
	.send = peer_say,
	.forget = peer_forget,
	.ready = peer_ready,
	.close = peer_close,
};
