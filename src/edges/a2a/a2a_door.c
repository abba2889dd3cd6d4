/* What comes in at /a2a/IDENTITY, checked from the outside inwards: where it comes from
 * (Origin), who sends it (token), its form (Content-Type, version, JSON, JSON-RPC), whether the
 * method is one that passes; then it is handed on. */
#include "edges/a2a/a2a_door.h"

#include <stdlib.h>
#include <string.h>

#include "domain/call/method.h"
#include "domain/call/peer_request.h"
#include "edges/a2a/a2a_private.h"

enum { CHALLENGE_BYTES_MAX = 2048 };

/* ---- who and from where ---- */

static void refuse_caller(
	struct a2a_door *door, struct http_exchange *exchange, const struct issue_refused *refused)
{
	struct http_header fields[] = {{"WWW-Authenticate", NULL}, {"DPoP-Nonce", NULL}};
	char nonce[ISSUE_NONCE_BYTES];
	size_t count = issue_wants_nonce(refused) ? 2 : 1;
	struct buffer value;

	buffer_init(&value, CHALLENGE_BYTES_MAX);
	issue_peer_challenge(
		door->settings.issue, http_path_value(exchange, "peer"), refused, &value);
	buffer_append_byte(&value, '\0');
	fields[0].value = value.data;
	if (count == 2)
		issue_nonce(door->settings.issue, nonce);
	fields[1].value = nonce;
	http_respond(exchange,
		&(struct http_response){.status = 401,
			.content_type = "application/problem+json",
			.body = TEXT("{\"detail\":\"send the token of an open task for this peer's "
				     "address, as a Bearer token or with a DPoP proof; the "
				     "WWW-Authenticate field says where to get one and what was "
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

bool a2a_admit(struct a2a_door *door, struct http_exchange *exchange, struct issue_caller *caller)
{
	struct arena *arena = http_exchange_arena(exchange);
	struct issue_presented presented = presented_by(exchange);
	struct issue_refused refused = {TOKEN_NO_ROOM, TOKEN_NOT_CHECKED};
	struct text audience;

	/* A page of another origin has nothing to do here: its cookies count for nothing, but a
	 * token in its script would be one that leaked. */
	if (http_header_find(exchange, "Origin").data != NULL) {
		http_respond_problem(exchange, 403, "forbidden", "pages may not call here");
		return false;
	}
	if (arena != NULL) {
		audience = issue_peer_audience(
			door->settings.issue, arena, http_path_value(exchange, "peer"));
		if (audience.data != NULL)
			refused.reason = issue_authenticate_header(
				door->settings.issue, &presented, audience, caller);
	}
	if (refused.reason == TOKEN_ACCEPTED)
		return true;
	refused.proof_reason = presented.proof_reason;
	refuse_caller(door, exchange, &refused);
	return false;
}

/* ---- form ---- */

static bool is_json(struct text type)
{
	return http_type_is_json(type) || text_is(type, "application/a2a+json");
}

/* "1.0", or a patch of it (A2A 1.0 §3.6); none counts as 0.3, which is not spoken. */
static bool is_version_spoken(const struct http_exchange *exchange)
{
	struct text version;

	return http_header_single(exchange, PEER_VERSION_HEADER, &version) &&
	       (text_is(version, PEER_VERSION) || text_starts_with(version, PEER_VERSION "."));
}

/* Why a method does not pass, where A2A has a code for it; 0: it may. */
static int64_t code_of_method(const struct jsonrpc_message *message, const char **why)
{
	static const struct {
		const char *method;
		int64_t code;
		const char *why;
	} refused[] = {
		{"ListTasks", A2A_UNSUPPORTED_OPERATION,
			"tasks are not listed here: the list would hold those of others"},
		{"GetExtendedAgentCard", A2A_EXTENDED_CARD_NOT_CONFIGURED,
			"the card at .well-known/agent-card.json is what there is"},
		{"CreateTaskPushNotificationConfig", A2A_PUSH_NOT_SUPPORTED, NULL},
		{"GetTaskPushNotificationConfig", A2A_PUSH_NOT_SUPPORTED, NULL},
		{"ListTaskPushNotificationConfigs", A2A_PUSH_NOT_SUPPORTED, NULL},
		{"DeleteTaskPushNotificationConfig", A2A_PUSH_NOT_SUPPORTED, NULL},
	};

	*why = "push notifications are not let through: they would go elsewhere";
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		if (!text_is(message->method, refused[i].method))
			continue;
		if (refused[i].why != NULL)
			*why = refused[i].why;
		return refused[i].code;
	}
	if (message->params != NULL && peer_request_pushes(message->params))
		return A2A_PUSH_NOT_SUPPORTED;
	*why = "no such method passes here";
	return method_find(message->method)->route == METHOD_PEER ? 0 : JSONRPC_METHOD_NOT_FOUND;
}

static bool form_check(struct http_exchange *exchange)
{
	struct jsonrpc_id none = {0};

	if (!is_json(http_header_find(exchange, "Content-Type")))
		a2a_respond_error(exchange, none, A2A_CONTENT_TYPE_NOT_SUPPORTED,
			"Content-Type must be application/json");
	else if (!is_version_spoken(exchange))
		a2a_respond_error(exchange, none, A2A_VERSION_NOT_SUPPORTED,
			PEER_VERSION_HEADER " must say " PEER_VERSION ", which is spoken here");
	else
		return true;
	return false;
}

/* ---- the routes ---- */

static void handle_post(void *context, struct http_exchange *exchange)
{
	struct a2a_door *door = context;
	struct issue_caller caller = {0};
	struct jsonrpc_message message;
	struct jsonrpc_fault fault;
	const char *why;
	int64_t code;

	if (!a2a_admit(door, exchange, &caller) || !form_check(exchange))
		return;
	if (!jsonrpc_parse(&message, http_exchange_arena(exchange),
		    http_exchange_request(exchange)->body, &json_limits_default, &fault)) {
		a2a_respond_error(exchange, fault.id, fault.code, fault.err.text);
		return;
	}
	if (message.kind != JSONRPC_REQUEST) {
		a2a_respond_error(exchange, (struct jsonrpc_id){0}, JSONRPC_INVALID_REQUEST,
			"only requests with an id are taken");
		return;
	}
	code = code_of_method(&message, &why);
	if (code != 0)
		a2a_respond_error(exchange, message.id, code, why);
	else
		a2a_call_begin(door, exchange, &message, caller.task);
}

static void handle_card(void *context, struct http_exchange *exchange)
{
	struct a2a_door *door = context;
	struct issue_caller caller = {0};

	if (a2a_admit(door, exchange, &caller))
		a2a_card_begin(door, exchange, &caller);
}

bool a2a_door_create(
	struct a2a_door **out, const struct a2a_door_settings *settings, struct error *err)
{
	struct a2a_door *door = calloc(1, sizeof *door);

	*out = NULL;
	if (door == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the door to peers");
	door->settings = *settings;
	door->routes[0] = (struct http_route){"POST", "/a2a/{peer}", handle_post, door};
	door->routes[1] = (struct http_route){
		"GET", "/a2a/{peer}/.well-known/agent-card.json", handle_card, door};
	*out = door;
	return true;
}

bool a2a_door_route(struct a2a_door *door, struct router *router, struct error *err)
{
	return router_add(router, door->routes, A2A_ROUTES, err);
}

void a2a_door_destroy(struct a2a_door **door)
{
	if (*door == NULL)
		return;
	a2a_cards_drop(*door);
	free(*door);
	*door = NULL;
}
