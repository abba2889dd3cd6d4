/* What comes in at /llm/PROVIDER/v1, checked from the outside inwards: who sends it (a
 * task's token, where clients of the provider put its key), whether the provider has this
 * path, its form (JSON); then it is handed on. */
#include "edges/llm/llm_door.h"

#include <stdlib.h>
#include <string.h>

#include "domain/charter/registry.h"
#include "domain/generation/request.h"
#include "edges/llm/llm_private.h"

enum { LIST_BYTES_MAX = 64 * 1024, CHALLENGE_BYTES_MAX = 2048 };

static const struct json_limits body_limits = {
	.size_bytes = GENERATION_BODY_BYTES_MAX, .depth = 64, .values = 400000};

static const struct {
	const char *path; /* below /v1 */
	enum speaks speaks;
} methods[] = {
	{"chat/completions", SPEAKS_OPENAI},
	{"responses", SPEAKS_OPENAI},
	{"messages", SPEAKS_ANTHROPIC},
	{"messages/count_tokens", SPEAKS_ANTHROPIC},
};

/* ---- who ---- */

/* A page of another origin has nothing to do here: its cookies count for nothing, but a
 * token in its script would be one that leaked. */
static bool is_from_page(const struct http_exchange *exchange)
{
	return http_header_find(exchange, "Origin").data != NULL;
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

/* The token stands where the client puts its provider's key. */
static struct issue_refused authenticate(const struct llm_door *door,
	struct http_exchange *exchange, struct text audience, struct issue_caller *caller)
{
	struct issue_presented presented = presented_by(exchange);
	struct issue_refused refused = {TOKEN_NOT_CHECKED, TOKEN_NOT_CHECKED};
	struct text key;

	if (!http_header_single(exchange, "x-api-key", &key))
		return refused;
	if (key.data != NULL && presented.authorization.data == NULL)
		presented.token = key;
	refused.reason =
		issue_authenticate_header(door->settings.issue, &presented, audience, caller);
	refused.proof_reason = presented.proof_reason;
	return refused;
}

/* Says in the provider's form why, and for clients that know tokens also in theirs. */
static void refuse_caller(const struct llm_door *door, struct http_exchange *exchange,
	enum speaks speaks, const struct issue_refused *refused)
{
	struct http_header fields[LLM_FIELDS_MAX] = {
		{"WWW-Authenticate", NULL}, {"DPoP-Nonce", NULL}};
	struct llm_error error = {401, "unauthorized",
		TEXT("Send the token of an open task for this provider's address, where a client "
		     "puts the provider's key."),
		true, fields, issue_wants_nonce(refused) ? 2 : 1};
	char nonce[ISSUE_NONCE_BYTES];
	struct buffer value;

	buffer_init(&value, CHALLENGE_BYTES_MAX);
	issue_provider_challenge(door->settings.issue, refused, &value);
	buffer_append_byte(&value, '\0');
	fields[0].value = value.data;
	fields[1].value = nonce;
	if (error.field_count == 2)
		issue_nonce(door->settings.issue, nonce);
	if (buffer_failed(&value))
		error.field_count = 0;
	llm_respond_error(exchange, speaks, &error);
	buffer_deinit(&value);
}

/* True if the caller has a token for this provider; else it was answered. */
static bool admit(struct llm_door *door, struct http_exchange *exchange, enum speaks speaks,
	struct issue_caller *caller)
{
	struct arena *arena = http_exchange_arena(exchange);
	const struct llm_error error = {.status = 403,
		.code = "forbidden",
		.message = TEXT("Pages may not call here."),
		.is_final = true};
	struct issue_refused refused = {TOKEN_NO_ROOM, TOKEN_NOT_CHECKED};
	struct text audience;

	if (is_from_page(exchange)) {
		llm_respond_error(exchange, speaks, &error);
		return false;
	}
	if (arena != NULL) {
		audience = issue_provider_audience(
			door->settings.issue, arena, http_path_value(exchange, "provider"));
		if (audience.data != NULL)
			refused = authenticate(door, exchange, audience, caller);
	}
	if (refused.reason == TOKEN_ACCEPTED)
		return true;
	refuse_caller(door, exchange, speaks, &refused);
	return false;
}

/* How the provider speaks; MCP: it is none. */
static enum speaks speaks_of(const struct llm_door *door, const struct http_exchange *exchange)
{
	const struct server *server = registry_find_server(
		door->settings.registry, http_path_value(exchange, "provider"));

	return server == NULL ? SPEAKS_MCP : server->speaks;
}

/* ---- requests ---- */

static void take_body(struct llm_door *door, struct http_exchange *exchange, enum speaks speaks,
	struct call_request *request)
{
	struct llm_error error = {
		.status = 400, .code = "invalid_request", .message = TEXT(""), .is_final = true};
	struct arena *arena = http_exchange_arena(exchange);
	struct json *body = arena == NULL ? NULL : arena_new(arena, struct json);
	struct error err = {0};

	if (!http_type_is_json(http_header_find(exchange, "Content-Type"))) {
		error.status = 415;
		error.message = TEXT("Content-Type must be application/json.");
		llm_respond_error(exchange, speaks, &error);
		return;
	}
	if (body == NULL || !json_parse(body, arena, http_exchange_request(exchange)->body,
				    &body_limits, &err)) {
		error.message = text_of(err.text);
		llm_respond_error(exchange, speaks, &error);
		return;
	}
	request->params = body;
	llm_call_begin(door, exchange, speaks, request);
}

static void handle_request(struct llm_door *door, struct http_exchange *exchange, size_t method)
{
	enum speaks speaks = speaks_of(door, exchange);
	struct llm_error error = {.status = 404,
		.code = "not_found",
		.message = TEXT("This provider has no such path here."),
		.is_final = true};
	struct issue_caller caller = {0};
	struct call_request request = {
		.server = http_path_value(exchange, "provider"),
		.method = text_of(methods[method].path),
		.is_generation = true,
	};

	if (!admit(door, exchange, methods[method].speaks, &caller))
		return;
	if (speaks != methods[method].speaks) {
		llm_respond_error(exchange, methods[method].speaks, &error);
		return;
	}
	request.task = caller.task;
	take_body(door, exchange, speaks, &request);
}

static void handle_chat(void *context, struct http_exchange *exchange)
{
	handle_request(context, exchange, 0);
}

static void handle_responses(void *context, struct http_exchange *exchange)
{
	handle_request(context, exchange, 1);
}

static void handle_messages(void *context, struct http_exchange *exchange)
{
	handle_request(context, exchange, 2);
}

static void handle_count(void *context, struct http_exchange *exchange)
{
	handle_request(context, exchange, 3);
}

/* ---- the list ---- */

static void append_model(
	struct buffer *out, enum speaks speaks, struct text provider, struct text name)
{
	buffer_append_string(out, "{\"id\":");
	json_append_string(out, name);
	if (speaks == SPEAKS_ANTHROPIC) {
		buffer_append_string(out, ",\"type\":\"model\",\"display_name\":");
		json_append_string(out, name);
		buffer_append_string(out, ",\"created_at\":\"1970-01-01T00:00:00Z\"}");
		return;
	}
	buffer_append_string(out, ",\"object\":\"model\",\"created\":0,\"owned_by\":");
	json_append_string(out, provider);
	buffer_append_string(out, "}");
}

static void append_list(struct buffer *out, enum speaks speaks, struct text provider,
	const struct text *names, size_t count)
{
	buffer_append_string(out, "{\"data\":[");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buffer_append_byte(out, ',');
		append_model(out, speaks, provider, names[i]);
	}
	if (speaks != SPEAKS_ANTHROPIC) {
		buffer_append_string(out, "],\"object\":\"list\"}\n");
		return;
	}
	buffer_append_string(out, "],\"first_id\":");
	if (count > 0)
		json_append_string(out, names[0]);
	else
		buffer_append_string(out, "null");
	buffer_append_string(out, ",\"last_id\":");
	if (count > 0)
		json_append_string(out, names[count - 1]);
	else
		buffer_append_string(out, "null");
	buffer_append_string(out, ",\"has_more\":false}\n");
}

/* What the caller's charter lists; the provider is not asked. */
static void handle_models(void *context, struct http_exchange *exchange)
{
	struct llm_door *door = context;
	enum speaks speaks = speaks_of(door, exchange);
	struct llm_error error = {
		.status = 503, .code = "busy", .message = TEXT("No memory for the list.")};
	struct issue_caller caller = {0};
	struct decide_viewer viewer = {.server = http_path_value(exchange, "provider")};
	const struct text *names;
	struct buffer body;
	struct error err;
	size_t count;

	if (!admit(door, exchange, speaks, &caller))
		return;
	viewer.identity = caller.identity;
	buffer_init(&body, LIST_BYTES_MAX);
	if (decide_models_visible(door->settings.decide, &viewer, http_exchange_arena(exchange),
		    &names, &count, &err))
		append_list(&body, speaks, viewer.server, names, count);
	if (body.length == 0 || buffer_failed(&body))
		llm_respond_error(exchange, speaks, &error);
	else
		http_respond(exchange, &(struct http_response){.status = 200,
					       .content_type = "application/json",
					       .body = buffer_text(&body)});
	buffer_deinit(&body);
}

/* ---- the door ---- */

bool llm_door_create(
	struct llm_door **out, const struct llm_door_settings *settings, struct error *err)
{
	struct llm_door *door = calloc(1, sizeof *door);

	*out = NULL;
	if (door == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the door to models");
	door->settings = *settings;
	door->routes[0] = (struct http_route){
		"POST", "/llm/{provider}/v1/chat/completions", handle_chat, door};
	door->routes[1] =
		(struct http_route){"POST", "/llm/{provider}/v1/messages", handle_messages, door};
	door->routes[2] = (struct http_route){
		"POST", "/llm/{provider}/v1/messages/count_tokens", handle_count, door};
	door->routes[3] =
		(struct http_route){"GET", "/llm/{provider}/v1/models", handle_models, door};
	door->routes[4] =
		(struct http_route){"POST", "/llm/{provider}/v1/responses", handle_responses, door};
	*out = door;
	return true;
}

bool llm_door_route(struct llm_door *door, struct router *router, struct error *err)
{
	return router_add(router, door->routes, LLM_ROUTES, err);
}

void llm_door_destroy(struct llm_door **door)
{
	free(*door);
	*door = NULL;
}

size_t llm_door_calls(const struct llm_door *door)
{
	return door->call_count;
}
