/* The state machine of one server (README.md): connect, initialize, list, then
 * pass requests and answers. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/call/mcp_version.h"
#include "domain/charter/credential.h"
#include "edges/upstream/upstream_private.h"

enum {
	ARENA_BYTES = 256 * 1024,                             /* name and transport */
	MESSAGE_ARENA_BYTES = 8 * UPSTREAM_MESSAGE_BYTES_MAX, /* a message as values */
	LISTING_ARENA_BYTES = 64 * 1024 * 1024,
	INITIALIZE_ARENA_BYTES = 16 * 1024,
	STEADY_MS = 10000, /* READY this long, and the backoff is forgotten */
	LOG_BYTES_MAX = 512,
};

static const struct json_limits message_limits = {
	.size_bytes = UPSTREAM_MESSAGE_BYTES_MAX, .depth = 64, .values = 400000};

void connection_log(const struct connection *connection, const char *format, ...)
{
	const struct upstream_edge_settings *settings = &connection->edge->settings;
	char line[LOG_BYTES_MAX];
	va_list args;

	if (settings->on_log == NULL)
		return;
	va_start(args, format);
	(void)vsnprintf(line, sizeof line, format, args);
	va_end(args);
	settings->on_log(settings->log_context, connection->name, text_of(line));
}

/* ---- falling ---- */

static bool was_sent(const struct upstream_wait *wait)
{
	return wait->kind == WAIT_REQUEST; /* start() drops what it cannot send */
}

static void backoff_start(struct connection *connection)
{
	struct loop *loop = connection->edge->settings.loop;
	int64_t now_ms = loop_now_ms(loop);
	bool was_steady =
		connection->ready_since_ms > 0 && now_ms - connection->ready_since_ms >= STEADY_MS;

	if (connection->backoff_ms == 0 || was_steady)
		connection->backoff_ms = UPSTREAM_BACKOFF_FIRST_MS;
	else if (connection->backoff_ms < UPSTREAM_BACKOFF_LAST_MS / 2)
		connection->backoff_ms *= 2;
	else
		connection->backoff_ms = UPSTREAM_BACKOFF_LAST_MS;
	connection->retry_at_ms = now_ms + connection->backoff_ms;
	connection->ready_since_ms = 0;
	if (connection->has_been_ready && !connection->edge->is_stopped &&
		!loop_timer_start(loop, &connection->retry, connection->backoff_ms))
		connection_log(connection, "no memory for a retry: the next call tries");
}

/* The waits of now; what a callback adds meanwhile is not among them. */
static void waits_fail(struct connection *connection, const struct error *failure)
{
	struct upstream_wait *doomed = connection->waits;

	connection->waits = NULL;
	if (doomed != NULL)
		doomed->link = &doomed;
	while (doomed != NULL) { /* a callback may cancel others of the list */
		struct upstream_wait *wait = doomed;

		if (wait->kind == WAIT_OWN)
			wait_drop(wait); /* it served this connection alone */
		else
			wait_fail(wait, failure, was_sent(wait));
	}
}

void connection_fall(struct connection *connection, const struct error *failure)
{
	const struct upstream_listener *listener = &connection->edge->listener;

	connection->failure = *failure;
	connection->state = CONNECTION_IDLE;
	connection->epoch++;
	connection->link->close(connection);
	arena_destroy(&connection->listing_arena);
	connection_log(connection, "%s", failure->text);
	backoff_start(connection);
	if (connection->has_definitions && listener->on_gone != NULL)
		listener->on_gone(listener->context, connection->name);
	connection->has_definitions = false;
	asks_drop(connection);
	waits_fail(connection, failure);
}

static void fall_by_nonsense(struct connection *connection, const char *what)
{
	struct error failure;

	error_set(&failure, ERROR_IO, "server %.*s answered nonsense: %s",
		TEXT_ARGS(connection->name), what);
	failure.os_errno = 0;
	connection_fall(connection, &failure);
}

/* ---- ready ---- */

static void connection_ready(struct connection *connection)
{
	struct upstream_wait *wait = connection->waits;
	uint64_t epoch = connection->epoch;

	connection->state = CONNECTION_READY;
	connection->has_been_ready = true;
	connection->ready_since_ms = loop_now_ms(connection->edge->settings.loop);
	connection->link->ready(connection);
	while (wait != NULL) {
		if (wait->kind == WAIT_READY && !credential_is_awaited(&wait->credential)) {
			wait_ready(wait);
			if (connection->epoch != epoch || connection->state != CONNECTION_READY)
				return;
			wait = connection->waits; /* a callback may have changed the list */
		} else
			wait = wait->next;
	}
}

void connection_define(struct connection *connection, const struct json *tools)
{
	const struct upstream_listener *listener = &connection->edge->listener;

	connection->has_definitions = true;
	if (listener->on_definitions != NULL)
		listener->on_definitions(listener->context, connection->name, tools);
	if (connection->state != CONNECTION_READY)
		connection_ready(connection);
}

/* ---- listing ---- */

static bool list_next_page(
	struct connection *connection, const struct json *cursor, struct error *err);

static void list_done(struct connection *connection)
{
	const struct upstream_listener *listener = &connection->edge->listener;
	struct arena *arena = connection->listing_arena;
	struct json tools;
	struct error err;

	if (!json_array_seal(&connection->listing, &tools, &err)) {
		connection_fall(connection, &err);
		return;
	}
	connection->listing_arena = NULL;
	connection->has_definitions = true;
	if (listener->on_definitions != NULL)
		listener->on_definitions(listener->context, connection->name, &tools);
	arena_destroy(&arena);
	connection_ready(connection);
}

/* One page into the list; false if it is no page. */
static bool list_add_page(
	struct connection *connection, const struct json *result, struct error *err)
{
	const struct json *tools = json_find(result, "tools");
	uint32_t i;

	if (tools == NULL || tools->type != JSON_ARRAY)
		return error_set(err, ERROR_INVALID, "tools/list without tools");
	connection->listed_count += tools->count;
	if (connection->listed_count > UPSTREAM_TOOLS_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d tools", UPSTREAM_TOOLS_MAX);
	for (i = 0; i < tools->count; i++) {
		struct json tool;

		if (!json_copy(&tool, connection->listing_arena, &tools->items[i], err))
			return false;
		json_add(&connection->listing, tool);
	}
	return true;
}

static bool list_start(struct connection *connection, struct error *err)
{
	connection->state = CONNECTION_LISTING;
	connection->is_list_stale = false;
	connection->listed_count = 0;
	connection->page_count = 0;
	arena_destroy(&connection->listing_arena);
	connection->listing_arena = arena_create(LISTING_ARENA_BYTES);
	if (connection->listing_arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a list of tools");
	json_array_start(&connection->listing, connection->listing_arena);
	return list_next_page(connection, NULL, err);
}

static void list_begin(struct connection *connection)
{
	struct error err;

	if (!connection->has_tools) { /* the list is empty, and that is known */
		connection->listing_arena = arena_create(LISTING_ARENA_BYTES);
		if (connection->listing_arena == NULL) {
			error_set(&err, ERROR_LIMIT, "no memory for a list of tools");
			connection_fall(connection, &err);
			return;
		}
		json_array_start(&connection->listing, connection->listing_arena);
		list_done(connection);
	} else if (!list_start(connection, &err))
		connection_fall(connection, &err);
}

static void on_page(struct connection *connection, const struct upstream_answer *answer)
{
	const struct json *cursor;
	struct error err;

	if (answer->result == NULL) {
		fall_by_nonsense(connection, "an error to tools/list");
		return;
	}
	if (!list_add_page(connection, answer->result, &err)) {
		fall_by_nonsense(connection, err.text);
		return;
	}
	cursor = json_find(answer->result, "nextCursor");
	if (cursor != NULL && cursor->type == JSON_STRING) {
		if (!list_next_page(connection, cursor, &err))
			connection_fall(connection, &err);
	} else if (connection->is_list_stale)
		list_begin(connection);
	else
		list_done(connection);
}

static bool own_request(struct connection *connection, struct text method,
	const struct json *params,
	void (*on_own)(struct connection *connection, const struct upstream_answer *answer),
	struct error *err)
{
	int64_t deadline_ms = loop_now_ms(connection->edge->settings.loop) + UPSTREAM_CONNECT_MS;
	struct upstream_wait *wait = wait_create(connection, WAIT_OWN, deadline_ms, err);

	if (wait == NULL)
		return false;
	wait->on_own = on_own;
	if (wait_send(wait, method, params, err))
		return true;
	wait_drop(wait);
	return false;
}

static bool list_next_page(
	struct connection *connection, const struct json *cursor, struct error *err)
{
	struct json_member member = {.name = TEXT("cursor")};
	struct json params = {.type = JSON_OBJECT, .members = &member};

	if (++connection->page_count > UPSTREAM_PAGES_MAX)
		return error_set(
			err, ERROR_LIMIT, "tools/list has more than %d pages", UPSTREAM_PAGES_MAX);
	if (cursor != NULL) {
		member.value = *cursor;
		params.count = 1;
	}
	return own_request(connection, TEXT("tools/list"), &params, on_page, err);
}

/* ---- initializing ---- */

static bool version_take(struct connection *connection, const struct json *result)
{
	struct text version = json_text_or(result, "protocolVersion", "");

	if (!mcp_version_is_spoken(version))
		return false;
	memcpy(connection->version, version.data, version.length);
	connection->version[version.length] = '\0';
	return true;
}

static void on_initialized(struct connection *connection, const struct upstream_answer *answer)
{
	const struct json *capabilities;
	struct error err;

	if (answer->result == NULL) {
		fall_by_nonsense(connection, "an error to initialize");
		return;
	}
	if (!version_take(connection, answer->result)) {
		fall_by_nonsense(connection, "it speaks no protocol version known here");
		return;
	}
	capabilities = json_find(answer->result, "capabilities");
	connection->has_tools = capabilities != NULL && json_find(capabilities, "tools") != NULL;
	if (!connection->link->send(connection,
		    TEXT("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"), NULL,
		    &err)) {
		connection_fall(connection, &err);
		return;
	}
	list_begin(connection);
}

static bool initialize_send(struct connection *connection, struct error *err)
{
	struct arena *arena = arena_create(INITIALIZE_ARENA_BYTES);
	struct json_member about[] = {
		{TEXT("name"), json_cstring("remit")},
		{TEXT("version"), json_cstring("0.1.0")},
	};
	struct json_member members[] = {
		{TEXT("protocolVersion"), json_cstring(MCP_VERSION_NEWEST)},
		{TEXT("capabilities"), {.type = JSON_OBJECT}},
		{TEXT("clientInfo"), {.type = JSON_OBJECT, .count = 2, .members = about}},
	};
	struct json params = {.type = JSON_OBJECT, .count = 3, .members = members};
	bool ok = arena != NULL || error_set(err, ERROR_LIMIT, "no memory to connect");

	connection->may_ask = asks_of(connection);
	connection->given_up_until_ms = 0;
	ok = ok && asks_capabilities(&members[1].value, arena, connection->may_ask, err) && /* U4 */
	     own_request(connection, TEXT("initialize"), &params, on_initialized, err);
	arena_destroy(&arena);
	return ok;
}

bool connection_open(struct connection *connection, struct error *err)
{
	int64_t left_ms = connection->retry_at_ms - loop_now_ms(connection->edge->settings.loop);

	if (connection->state != CONNECTION_IDLE)
		return true;
	if (left_ms > 0) {
		*err = connection->failure;
		return error_wrap(err, "not tried again for %lld ms", (long long)left_ms);
	}
	loop_timer_stop(connection->edge->settings.loop, &connection->retry);
	connection->epoch++;
	connection->state = CONNECTION_STARTING;
	if (connection->link->open(connection, err)) {
		if (connection->speaks == SPEAKS_A2A)
			return true;                    /* it is ready when its card is read */
		if (connection->speaks != SPEAKS_MCP) { /* there is nothing to say first */
			connection_ready(connection);
			return true;
		}
		if (initialize_send(connection, err))
			return true;
	}
	connection->state = CONNECTION_IDLE;
	connection->link->close(connection);
	connection->failure = *err;
	backoff_start(connection);
	return false;
}

/* ---- messages ---- */

static void answer_request(struct connection *connection, const struct jsonrpc_message *message,
	struct upstream_wait *origin)
{
	struct buffer reply;
	struct error err;

	if (!text_is(message->method, "ping")) {
		ask_take(connection, message, origin);
		return;
	}
	buffer_init(&reply, 4096);
	jsonrpc_format_result(&reply, message->id, NULL);
	if (!connection->link->send(connection, buffer_text(&reply), NULL, &err))
		connection_log(connection, "%s", err.text);
	buffer_deinit(&reply);
}

/* The request a notification belongs to, or NULL: U5. */
static struct upstream_wait *wait_of_notice(const struct connection *connection,
	const struct jsonrpc_message *message, struct upstream_wait *origin)
{
	const struct json *token;
	struct upstream_wait *wait;

	if (text_is(message->method, "notifications/message"))
		return origin;
	if (!text_is(message->method, "notifications/progress") || message->params == NULL)
		return NULL;
	token = json_find(message->params, "progressToken");
	if (token == NULL || token->type != JSON_INTEGER)
		return NULL;
	wait = wait_find(connection, token->integer);
	return wait != NULL && (origin == NULL || origin == wait) ? wait : NULL;
}

static void take_notification(struct connection *connection, const struct jsonrpc_message *message,
	struct upstream_wait *origin)
{
	struct upstream_wait *wait;

	if (text_is(message->method, "notifications/tools/list_changed")) {
		if (connection->state == CONNECTION_READY)
			list_begin(connection);
		else
			connection->is_list_stale = true;
		return;
	}
	if (text_is(message->method, "notifications/cancelled")) {
		ask_cancelled(connection, message->params);
		return;
	}
	wait = wait_of_notice(connection, message, origin);
	if (wait != NULL && wait->kind == WAIT_REQUEST &&
		(wait->request.wants_progress || origin != NULL) && wait->request.on_notice != NULL)
		wait->request.on_notice(wait->request.context, message->method, message->params);
}

static void take_answer(struct connection *connection, const struct jsonrpc_message *message)
{
	struct upstream_wait *wait = NULL;

	if (message->id.kind == JSONRPC_ID_INTEGER)
		wait = wait_find(connection, message->id.integer);
	if (wait == NULL) { /* U2 */
		connection_log(connection, "an answer nobody waits for was dropped");
		return;
	}
	if (message->kind == JSONRPC_RESULT && message->result->type != JSON_OBJECT) {
		fall_by_nonsense(connection, "a result that is no object");
		return;
	}
	wait_answer(wait,
		&(struct upstream_answer){.result = message->result,
			.error = message->kind == JSONRPC_ERROR ? json_find(message->whole, "error")
								: NULL});
}

void connection_take(struct connection *connection, struct text text, struct upstream_wait *origin)
{
	struct jsonrpc_message message;
	struct jsonrpc_fault fault;

	arena_reset(connection->message_arena);
	if (!jsonrpc_parse(&message, connection->message_arena, text, &message_limits, &fault)) {
		fall_by_nonsense(connection, fault.err.text);
		return;
	}
	switch (message.kind) {
	case JSONRPC_REQUEST: answer_request(connection, &message, origin); break;
	case JSONRPC_NOTIFICATION: take_notification(connection, &message, origin); break;
	case JSONRPC_RESULT:
	case JSONRPC_ERROR: take_answer(connection, &message); break;
	case JSONRPC_NONE: assert(false);
	}
}

/* ---- the table ---- */

static void on_retry(struct loop_timer *timer)
{
	struct connection *connection = timer->context;
	struct error err;

	connection->retry_at_ms = 0; /* the timer decides, not the clock's rounding */
	if (!connection_open(connection, &err)) {
		connection_log(connection, "%s", err.text);
		waits_fail(connection, &err);
	}
}

static bool carried_copy(
	struct carried *out, struct arena *arena, struct text identity, struct text reference)
{
	struct credential credential;
	struct error err;

	out->is_fetched = credential_parse(&credential, reference, &err) &&
			  credential.kind == CREDENTIAL_VAULT;
	out->identity = text_copy(arena, identity);
	out->reference = text_copy(arena, reference);
	return out->identity.data != NULL && out->reference.data != NULL;
}

static bool credentials_copy(struct connection *connection, const struct server *server)
{
	struct arena *arena = connection->arena;
	const struct server_credential *from = server->credentials;

	if (!carried_copy(&connection->carried, arena, TEXT(""), server->credential))
		return false;
	connection->carried.is_exchanged = server->exchange.grant != OUTBOUND_NONE;
	if (server->credentials_count == 0)
		return true;
	connection->of_identities_count = server->credentials_count;
	connection->of_identities = arena_array(arena, struct carried, server->credentials_count);
	for (uint32_t i = 0; connection->of_identities != NULL && i < server->credentials_count;
		i++)
		if (!carried_copy(&connection->of_identities[i], arena, from[i].identity,
			    from[i].credential))
			return false;
	return connection->of_identities != NULL;
}

static const struct link *link_of(enum speaks speaks)
{
	if (speaks == SPEAKS_A2A)
		return &peer_link;
	return speaks == SPEAKS_MCP ? &http_link : &provider_link;
}

static bool transport_copy(struct connection *connection, const struct server *server)
{
	struct arena *arena = connection->arena;
	uint32_t i;

	connection->name = text_copy(arena, server->name);
	if (connection->name.data == NULL || !credentials_copy(connection, server))
		return false;
	if (server->transport == TRANSPORT_HTTP) {
		connection->speaks = server->speaks;
		connection->link = link_of(server->speaks);
		connection->url = arena_copy_text(arena, server->url.data, server->url.length);
		return connection->url != NULL;
	}
	connection->link = &stdio_link;
	connection->arguments = arena_array(arena, const char *, server->arguments_count + 1);
	for (i = 0; connection->arguments != NULL && i < server->arguments_count; i++) {
		connection->arguments[i] = arena_copy_text(
			arena, server->arguments[i].data, server->arguments[i].length);
		if (connection->arguments[i] == NULL)
			return false;
	}
	return connection->arguments != NULL;
}

static void on_listen_again(struct loop_timer *timer)
{
	struct connection *connection = timer->context;

	if (connection->state == CONNECTION_READY)
		list_begin(connection); /* a change may have been missed */
}

static struct connection *connection_create(
	struct upstream_edge *edge, const struct server *server, struct error *err)
{
	struct connection *connection = calloc(1, sizeof *connection);

	if (connection != NULL) {
		connection->edge = edge;
		connection->arena = arena_create(ARENA_BYTES);
		connection->message_arena = arena_create(MESSAGE_ARENA_BYTES);
		connection->retry = (struct loop_timer){.on_due = on_retry, .context = connection};
		connection->listen_again =
			(struct loop_timer){.on_due = on_listen_again, .context = connection};
		buffer_init(&connection->line, UPSTREAM_MESSAGE_BYTES_MAX);
	}
	if (connection == NULL || connection->arena == NULL || connection->message_arena == NULL ||
		!transport_copy(connection, server)) {
		connection_free(connection);
		error_set(err, ERROR_LIMIT, "no memory for server %.*s", TEXT_ARGS(server->name));
		return NULL;
	}
	connection->next = edge->connections;
	edge->connections = connection;
	return connection;
}

static bool carries_the_same(const struct connection *connection, const struct server *server)
{
	if (!text_equal(connection->carried.reference, server->credential) ||
		connection->of_identities_count != server->credentials_count)
		return false;
	for (uint32_t i = 0; i < server->credentials_count; i++)
		if (!text_equal(connection->of_identities[i].identity,
			    server->credentials[i].identity) ||
			!text_equal(connection->of_identities[i].reference,
				server->credentials[i].credential))
			return false;
	return true;
}

static bool is_same_transport(const struct connection *connection, const struct server *server)
{
	uint32_t i;

	if (!carries_the_same(connection, server))
		return false;
	if (server->transport == TRANSPORT_HTTP)
		return connection->url != NULL && connection->speaks == server->speaks &&
		       text_is(server->url, connection->url);
	if (connection->link != &stdio_link)
		return false;
	for (i = 0; i < server->arguments_count; i++)
		if (connection->arguments[i] == NULL ||
			!text_is(server->arguments[i], connection->arguments[i]))
			return false;
	return connection->arguments[i] == NULL;
}

struct connection *connection_of(struct upstream_edge *edge, struct text name, struct error *err)
{
	const struct server *server = edge->settings.find_server(edge->settings.find_context, name);
	struct connection *connection = edge->connections;

	while (connection != NULL && !text_equal(connection->name, name))
		connection = connection->next;
	if (connection != NULL && (server == NULL || !is_same_transport(connection, server))) {
		connection_retire(connection);
		connection = NULL;
	}
	if (server == NULL || server->transport == TRANSPORT_NONE) {
		error_set(err, ERROR_NOT_FOUND, "no server %.*s is registered", TEXT_ARGS(name));
		return NULL;
	}
	return connection != NULL ? connection : connection_create(edge, server, err);
}

const struct carried *connection_carried(
	const struct connection *connection, struct text identity, struct error *err)
{
	for (uint32_t i = 0; i < connection->of_identities_count; i++)
		if (text_equal(connection->of_identities[i].identity, identity))
			return &connection->of_identities[i];
	if (connection->of_identities_count == 0 || connection->carried.reference.length > 0)
		return &connection->carried;
	error_set(err, ERROR_NOT_FOUND, "server %.*s: credential: there is none for this identity",
		TEXT_ARGS(connection->name));
	return NULL;
}

void connection_retire(struct connection *connection)
{
	struct upstream_edge *edge = connection->edge;
	struct connection **link = &edge->connections;
	struct error failure;

	while (*link != connection)
		link = &(*link)->next;
	*link = connection->next;
	connection->next_dead = edge->dead;
	edge->dead = connection;
	connection->has_been_ready = false; /* it does not come again */
	error_set(&failure, ERROR_IO, "server %.*s was disconnected", TEXT_ARGS(connection->name));
	failure.os_errno = 0;
	connection_fall(connection, &failure);
	loop_timer_stop(edge->settings.loop, &connection->retry);
}

void connection_free(struct connection *connection)
{
	if (connection == NULL)
		return;
	if (connection->link != NULL)
		connection->link->close(connection);
	while (connection->waits != NULL)
		wait_drop(connection->waits);
	asks_drop(connection);
	peer_free(connection);
	loop_timer_stop(connection->edge->settings.loop, &connection->retry);
	loop_timer_stop(connection->edge->settings.loop, &connection->listen_again);
	arena_destroy(&connection->listing_arena);
	arena_destroy(&connection->message_arena);
	arena_destroy(&connection->arena);
	buffer_deinit(&connection->line);
	free(connection);
}
