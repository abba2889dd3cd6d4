/* What comes in at /mcp/SERVER, checked from the outside inwards: where it comes
 * from (Origin), who sends it (token), its form (Accept, Content-Type, version,
 * JSON, JSON-RPC), its session; then it is answered here or handed on. */
#include "edges/mcp/mcp_door.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "domain/call/ask.h"
#include "domain/call/mcp_version.h"
#include "edges/mcp/mcp_private.h"

enum { CHALLENGE_BYTES_MAX = 2048 };

/* ---- who and from where ---- */

static bool is_origin_allowed(const struct mcp_door *door, struct text origin)
{
	size_t i;

	if (text_equal(origin, issue_issuer(door->settings.issue)))
		return true;
	for (i = 0; i < door->settings.origin_count; i++)
		if (text_is(origin, door->settings.origins[i]))
			return true;
	return false;
}

static void refuse_caller(struct mcp_door *door, struct http_exchange *exchange, struct text server,
	const struct issue_refused *refused)
{
	struct http_header fields[] = {{"WWW-Authenticate", NULL}, {"DPoP-Nonce", NULL}};
	char nonce[ISSUE_NONCE_BYTES];
	size_t count = issue_wants_nonce(refused) ? 2 : 1;
	struct buffer value;

	buffer_init(&value, CHALLENGE_BYTES_MAX);
	issue_challenge(door->settings.issue, server, refused, &value);
	buffer_append_byte(&value, '\0');
	fields[0].value = value.data;
	if (count == 2)
		issue_nonce(door->settings.issue, nonce);
	fields[1].value = nonce;
	http_respond(exchange,
		&(struct http_response){.status = 401,
			.content_type = "application/problem+json",
			.body = TEXT("{\"detail\":\"send the token of an open task, as a Bearer "
				     "token or "
				     "with a DPoP proof; the WWW-Authenticate field says where to "
				     "get one and what was "
				     "wrong\",\"status\":401,\"title\":\"unauthorized\"}\n"),
			.headers = fields,
			.header_count = buffer_failed(&value) ? 0 : count});
	buffer_deinit(&value);
}

/* What came with the request to show who sends it. */
static struct issue_presented presented_by(const struct http_exchange *exchange)
{
	const struct http_request *request = http_exchange_request(exchange);
	struct issue_presented presented = {
		.authorization = http_header_find(exchange, "Authorization"),
		.method = request->method,
		.path = request->path,
		.certificate = http_exchange_certificate_digest(exchange),
	};

	if (!http_header_single(exchange, "DPoP", &presented.proof))
		presented.proof = (struct text){0}; /* two are none: RFC 9449 §4.3 */
	return presented;
}

/* True if the request comes from where it may and from whom it says; else it
 * was answered. */
static bool admit(
	struct mcp_door *door, struct http_exchange *exchange, struct issue_caller *caller)
{
	struct text server = http_path_value(exchange, "server"), origin, audience;
	struct arena *arena = http_exchange_arena(exchange);
	struct issue_presented presented = presented_by(exchange);
	struct issue_refused refused = {TOKEN_NO_ROOM, TOKEN_NOT_CHECKED};

	if (!http_header_single(exchange, "Origin", &origin) ||
		(origin.data != NULL && !is_origin_allowed(door, origin))) {
		http_respond_problem(
			exchange, 403, "forbidden", "pages of this origin may not call here");
		return false;
	}
	if (arena != NULL) {
		audience = issue_audience(door->settings.issue, arena, server);
		if (audience.data != NULL)
			refused.reason = issue_authenticate_header(
				door->settings.issue, &presented, audience, caller);
	}
	if (refused.reason == TOKEN_ACCEPTED)
		return true;
	refused.proof_reason = presented.proof_reason;
	refuse_caller(door, exchange, server, &refused);
	return false;
}

/* ---- form ---- */

/* True if the list of media ranges admits the type (RFC 9110 §12.5.1); weights
 * are not weighed, but q=0 refuses. */
static bool accepts(struct text list, const char *type, const char *range)
{
	while (list.length > 0) {
		struct text item = text_cut(&list, ',');

		while (text_starts_with(item, " ") || text_starts_with(item, "\t"))
			item = (struct text){item.data + 1, item.length - 1};
		item = text_before(item, ';');
		while (text_ends_with(item, " ") || text_ends_with(item, "\t"))
			item.length--;
		if ((item.length == strlen(type) &&
			    strncasecmp(item.data, type, item.length) == 0) ||
			text_is(item, range) || text_is(item, "*/*"))
			return true;
	}
	return false;
}

static bool form_check(struct http_exchange *exchange)
{
	struct text accept = http_header_find(exchange, "Accept");
	struct text version = http_header_find(exchange, "MCP-Protocol-Version");
	struct jsonrpc_id none = {0};

	if (!accepts(accept, "application/json", "application/*") ||
		!accepts(accept, "text/event-stream", "text/*"))
		respond_error(exchange, 406, none, JSONRPC_INVALID_REQUEST,
			"Accept must name application/json and text/event-stream");
	else if (!http_type_is_json(http_header_find(exchange, "Content-Type")))
		respond_error(exchange, 415, none, JSONRPC_INVALID_REQUEST,
			"Content-Type must be application/json");
	else if (version.data != NULL && !mcp_version_is_spoken(version))
		respond_error(exchange, 400, none, JSONRPC_INVALID_REQUEST,
			"MCP-Protocol-Version names a version that is not spoken here");
	else
		return true;
	return false;
}

/* The session the request names, or NULL after answering 400 or 404. */
static struct mcp_session *session_of(
	struct mcp_door *door, struct http_exchange *exchange, const struct issue_caller *caller)
{
	struct mcp_session *session = NULL;
	struct text id;

	if (!http_header_single(exchange, "Mcp-Session-Id", &id) || id.data == NULL) {
		respond_error(exchange, 400, (struct jsonrpc_id){0}, JSONRPC_INVALID_REQUEST,
			"Mcp-Session-Id is missing or there twice: initialize first");
		return NULL;
	}
	session = session_find(door, id, caller->task, http_path_value(exchange, "server"));
	if (session == NULL)
		respond_error(exchange, 404, (struct jsonrpc_id){0}, JSONRPC_INVALID_REQUEST,
			"this session is not known: initialize again");
	return session;
}

/* ---- answered here ---- */

static void append_initialized(struct buffer *out, const struct mcp_door *door,
	const struct mcp_session *session, const struct jsonrpc_message *message)
{
	struct text asked = message->params == NULL
				    ? (struct text){0}
				    : json_text_or(message->params, "protocolVersion", "");

	buffer_append_string(out, "{\"jsonrpc\":\"2.0\",\"id\":");
	if (message->id.kind == JSONRPC_ID_INTEGER)
		buffer_append_int64(out, message->id.integer);
	else
		json_append_string(out, message->id.string);
	buffer_append_string(out,
		",\"result\":{\"capabilities\":{\"prompts\":{},\"resources\":{},\"tools\":{}},"
		"\"instructions\":\"Each call is decided by policy and recorded. A refused call "
		"says "
		"what was refused, by which rule, and what would be needed; do not repeat it "
		"unchanged.\",\"protocolVersion\":");
	json_append_string(out, mcp_version_is_spoken(asked) ? asked : TEXT(MCP_VERSION_NEWEST));
	buffer_append_string(out, ",\"serverInfo\":{\"name\":");
	json_append_string(out, text_of(session->server));
	buffer_append_string(out, ",\"version\":");
	json_append_string(out, text_of(door->settings.version));
	buffer_append_string(out, "}}}");
}

static void initialize(struct mcp_door *door, struct http_exchange *exchange,
	const struct issue_caller *caller, const struct jsonrpc_message *message)
{
	struct mcp_session *session;
	struct http_header header = {"Mcp-Session-Id", NULL};
	struct buffer body;
	struct error err;

	if (!session_create(&session, door, caller, http_path_value(exchange, "server"), &err)) {
		respond_error(exchange, 503, message->id, MCP_BUSY, err.text);
		return;
	}
	if (message->params != NULL)
		session->abilities = ask_abilities(json_find(message->params, "capabilities"));
	header.value = session->id;
	buffer_init(&body, 8192);
	append_initialized(&body, door, session, message);
	if (buffer_failed(&body)) {
		session_end(session);
		respond_error(exchange, 503, message->id, MCP_BUSY, "no memory for a session");
	} else
		http_respond(exchange, &(struct http_response){.status = 200,
					       .content_type = "application/json",
					       .body = buffer_text(&body),
					       .headers = &header,
					       .header_count = 1});
	buffer_deinit(&body);
}

static void take_request(struct mcp_door *door, struct http_exchange *exchange,
	const struct issue_caller *caller, const struct jsonrpc_message *message)
{
	struct mcp_session *session;
	struct buffer pong;

	if (text_is(message->method, "initialize")) {
		initialize(door, exchange, caller, message);
		return;
	}
	session = session_of(door, exchange, caller);
	if (session == NULL)
		return;
	if (message->params != NULL && message->params->type != JSON_OBJECT) {
		respond_error(exchange, 200, message->id, JSONRPC_INVALID_PARAMS,
			"params must be an object");
		return;
	}
	if (!text_is(message->method, "ping")) {
		call_begin(session, exchange, message);
		return;
	}
	buffer_init(&pong, 1024);
	jsonrpc_format_result(&pong, message->id, NULL);
	respond_message(exchange, 200, &pong);
	buffer_deinit(&pong);
}

/* The answer to what a server asked within a call of this session, and to nothing else. */
static void take_answer(struct mcp_door *door, struct http_exchange *exchange,
	const struct issue_caller *caller, const struct jsonrpc_message *message)
{
	struct mcp_session *session = session_of(door, exchange, caller);

	if (session == NULL)
		return;
	if (call_take_answer(session, message))
		http_respond(exchange, &(struct http_response){.status = 202});
	else
		respond_error(exchange, 400, (struct jsonrpc_id){0}, JSONRPC_INVALID_REQUEST,
			"nothing of this id waits for an answer in this session");
}

/* A notice has no answer, whatever it says; only a cancel does something. */
static void take_notice(struct mcp_door *door, struct http_exchange *exchange,
	const struct issue_caller *caller, const struct jsonrpc_message *message)
{
	struct mcp_session *session = session_of(door, exchange, caller);

	if (session == NULL)
		return;
	if (text_is(message->method, "notifications/cancelled"))
		call_cancel(session, message->params);
	http_respond(exchange, &(struct http_response){.status = 202});
}

/* ---- the three routes ---- */

static void handle_post(void *context, struct http_exchange *exchange)
{
	struct mcp_door *door = context;
	struct issue_caller caller = {0};
	struct jsonrpc_message message;
	struct jsonrpc_fault fault;

	if (!admit(door, exchange, &caller) || !form_check(exchange))
		return;
	if (!jsonrpc_parse(&message, http_exchange_arena(exchange),
		    http_exchange_request(exchange)->body, &json_limits_default, &fault)) {
		respond_error(exchange, 400, fault.id, fault.code, fault.err.text);
		return;
	}
	switch (message.kind) {
	case JSONRPC_REQUEST: take_request(door, exchange, &caller, &message); break;
	case JSONRPC_NOTIFICATION: take_notice(door, exchange, &caller, &message); break;
	case JSONRPC_RESULT:
	case JSONRPC_ERROR: take_answer(door, exchange, &caller, &message); break;
	case JSONRPC_NONE: http_exchange_abort(exchange); break;
	}
}

static void handle_get(void *context, struct http_exchange *exchange)
{
	struct mcp_door *door = context;
	struct issue_caller caller = {0};
	struct mcp_session *session;

	if (!admit(door, exchange, &caller))
		return;
	if (!accepts(http_header_find(exchange, "Accept"), "text/event-stream", "text/*")) {
		http_respond_problem(
			exchange, 406, "not acceptable", "Accept must name text/event-stream");
		return;
	}
	session = session_of(door, exchange, &caller);
	if (session != NULL)
		stream_begin(session, exchange);
}

/* ---- DELETE ---- */

/* A client that ends its session, until it is told and has gone. */
struct leaving {
	struct mcp_door *door;
	struct http_exchange *exchange; /* NULL: it has gone */
	bool is_answered;
	struct leaving *next;
};

static void leaving_free(struct leaving *leaving)
{
	struct leaving **link = &leaving->door->leavings;

	while (*link != leaving)
		link = &(*link)->next;
	*link = leaving->next;
	free(leaving);
}

static void on_leaving_closed(void *context, enum http_closed how)
{
	struct leaving *leaving = context;

	(void)how;
	leaving->exchange = NULL;
	if (leaving->is_answered)
		leaving_free(leaving);
}

/* A 204 says that what ended with the session is on record. */
static void on_left(void *context, uint64_t index, const struct error *err)
{
	struct leaving *leaving = context;

	(void)index;
	leaving->is_answered = true;
	if (leaving->exchange == NULL)
		leaving_free(leaving);
	else if (err == NULL)
		http_respond(leaving->exchange, &(struct http_response){.status = 204});
	else
		http_respond_problem(leaving->exchange, 503, "not on record", err->text);
}

static void leave(
	struct mcp_door *door, struct mcp_session *session, struct http_exchange *exchange)
{
	struct leaving *leaving = calloc(1, sizeof *leaving);
	const struct http_exchange_events events = {
		.context = leaving, .on_closed = on_leaving_closed};
	struct error err = {0};

	if (leaving == NULL) {
		http_respond_problem(exchange, 503, "no memory", "try again");
		return;
	}
	*leaving = (struct leaving){.door = door, .exchange = exchange, .next = door->leavings};
	door->leavings = leaving;
	http_exchange_watch(exchange, &events);
	if (!session_leave(session, (struct issue_end_waiter){leaving, on_left}, &err))
		on_left(leaving, 0, &err);
}

static void handle_delete(void *context, struct http_exchange *exchange)
{
	struct mcp_door *door = context;
	struct issue_caller caller = {0};
	struct mcp_session *session;

	if (!admit(door, exchange, &caller))
		return;
	session = session_of(door, exchange, &caller);
	if (session != NULL)
		leave(door, session, exchange);
}

bool mcp_door_create(
	struct mcp_door **out, const struct mcp_door_settings *settings, struct error *err)
{
	struct mcp_door *door = calloc(1, sizeof *door);

	*out = NULL;
	if (door == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the agents' door");
	if (settings->origin_count > MCP_ORIGINS_MAX) {
		free(door);
		return error_set(err, ERROR_LIMIT, "more than %d origins", MCP_ORIGINS_MAX);
	}
	door->settings = *settings;
	door->routes[0] = (struct http_route){"POST", "/mcp/{server}", handle_post, door};
	door->routes[1] = (struct http_route){"GET", "/mcp/{server}", handle_get, door};
	door->routes[2] = (struct http_route){"DELETE", "/mcp/{server}", handle_delete, door};
	*out = door;
	return true;
}

bool mcp_door_route(struct mcp_door *door, struct router *router, struct error *err)
{
	return router_add(router, door->routes, 3, err);
}

void mcp_door_destroy(struct mcp_door **door)
{
	if (*door == NULL)
		return;
	while ((*door)->newest != NULL)
		session_end((*door)->newest);
	for (struct leaving *one = (*door)->leavings, *next; one != NULL; one = next) {
		next = one->next;
		free(one);
	}
	loop_timer_stop((*door)->settings.loop, &(*door)->sweep);
	free(*door);
	*door = NULL;
}

void mcp_door_status(const struct mcp_door *door, struct mcp_door_status *out)
{
	*out = (struct mcp_door_status){.sessions = door->session_count,
		.streams = door->stream_count,
		.calls = door->call_count};
}
