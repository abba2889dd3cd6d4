/* The road of one request: a token for this very point, the caller's right to ask,
 * strict JSON, then the endpoint; at last the record, and only then the answer.
 *
 * Invariants: (1) no endpoint is reached without a token and an admission; (2) an answer
 * leaves only once its record was taken (with `authzen-record: awaited`, is durable);
 * (3) a request is freed once it is both answered and closed. */
#include "edges/authzen/authzen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/random.h"
#include "edges/authzen/authzen_private.h"

#define FAILURE(message, status) "{\"error\":{\"message\":\"" message "\",\"status\":" status "}}"
#define NO_MEMORY FAILURE("no memory", "500")

enum { HEADERS_MAX = 4, CHALLENGE_BYTES_MAX = 2048, FORBIDDEN_LENGTH = sizeof "forbidden: " - 1 };

static const struct authzen_endpoint endpoints[AUTHZEN_ENDPOINTS] = {
	{"evaluation", "access_evaluation_endpoint", authzen_evaluation, EVALUATE_SUBJECTS},
	{"evaluations", "access_evaluations_endpoint", authzen_evaluations, EVALUATE_SUBJECTS},
	{"search/subject", "search_subject_endpoint", authzen_search, EVALUATE_SUBJECTS},
	{"search/resource", "search_resource_endpoint", authzen_search, EVALUATE_RESOURCES},
	{"search/action", "search_action_endpoint", authzen_search, EVALUATE_ACTIONS},
};

/* ---- a request's life ---- */

static void request_free(struct authzen_request *request)
{
	arena_destroy(&request->arena);
	free(request);
}

static void unlink_request(struct authzen_request *request)
{
	*request->link = request->next;
	if (request->next != NULL)
		request->next->link = request->link;
	request->authzen->pending_count--;
}

/* Keeps the memory for another, unless this one was large. */
static void request_end(struct authzen_request *request)
{
	struct authzen *authzen = request->authzen;
	struct arena *arena = request->arena;

	unlink_request(request);
	arena_reset(arena);
	if (authzen->spare_count == AUTHZEN_SPARE_MAX ||
		arena_held_bytes(arena) > AUTHZEN_SPARE_BYTES_MAX) {
		request_free(request);
		return;
	}
	*request = (struct authzen_request){.arena = arena, .next = authzen->spare};
	authzen->spare = request;
	authzen->spare_count++;
}

static void free_when_done(struct authzen_request *request)
{
	if (request->is_answered && request->is_closed)
		request_end(request);
}

static void on_closed(void *context, enum http_closed how)
{
	struct authzen_request *request = context;

	(void)how;
	request->is_closed = true;
	request->exchange = NULL;
	free_when_done(request);
}

/* An empty request: a spare one or a new one; NULL: no memory. */
static struct authzen_request *request_take(struct authzen *authzen)
{
	struct authzen_request *request = authzen->spare;

	if (request != NULL) {
		authzen->spare = request->next;
		authzen->spare_count--;
		return request;
	}
	request = calloc(1, sizeof *request);
	if (request == NULL)
		return NULL;
	request->arena = arena_create(AUTHZEN_ARENA_BYTES_MAX);
	if (request->arena != NULL)
		return request;
	free(request);
	return NULL;
}

static void link_request(struct authzen *authzen, struct authzen_request *request)
{
	request->authzen = authzen;
	request->next = authzen->pending;
	request->link = &authzen->pending;
	if (request->next != NULL)
		request->next->link = &request->next;
	authzen->pending = request;
	authzen->pending_count++;
}

static struct authzen_request *request_create(
	struct authzen_binding *binding, struct http_exchange *exchange)
{
	struct authzen *authzen = binding->authzen;
	struct authzen_request *request = NULL;
	struct http_exchange_events events = {.on_closed = on_closed};

	if (authzen->pending_count < AUTHZEN_PENDING_MAX)
		request = request_take(authzen);
	if (request == NULL)
		return NULL;
	link_request(authzen, request);
	request->endpoint = binding->endpoint;
	request->exchange = exchange;
	random_id_ahead(request->id, "e-", &authzen->ids);
	events.context = request;
	http_exchange_watch(exchange, &events);
	return request;
}

/* ---- answers ---- */

/* Fields of an answer of 401. */
struct challenge {
	const char *value; /* of WWW-Authenticate; NULL: none */
	const char *nonce; /* of DPoP-Nonce; NULL: none */
};

/* challenge: or NULL. */
static void respond(struct authzen_request *request, unsigned status, struct text body,
	const struct challenge *challenge)
{
	struct http_header headers[HEADERS_MAX] = {{"Cache-Control", "no-store"}};
	struct http_response response = {.status = status,
		.content_type = "application/json",
		.body = body,
		.headers = headers,
		.header_count = 1,
		.may_gather = true};

	if (request->request_id.data != NULL)
		headers[response.header_count++] =
			(struct http_header){"X-Request-ID", request->request_id.data};
	if (challenge != NULL && challenge->value != NULL)
		headers[response.header_count++] =
			(struct http_header){"WWW-Authenticate", challenge->value};
	if (challenge != NULL && challenge->nonce != NULL)
		headers[response.header_count++] =
			(struct http_header){"DPoP-Nonce", challenge->nonce};
	request->is_answered = true;
	if (request->exchange != NULL)
		http_respond(request->exchange, &response);
	free_when_done(request);
}

static void fail_challenging(struct authzen_request *request, unsigned status, const char *message,
	const struct challenge *challenge)
{
	struct json_builder error, object;
	struct text text = {0};
	struct json value;
	struct error err;

	json_object_start(&error, request->arena);
	json_put_integer(&error, "status", status);
	json_put_cstring(&error, "message", message);
	if (json_object_seal(&error, &value, &err)) {
		json_object_start(&object, request->arena);
		json_put(&object, "error", value);
		if (json_object_seal(&object, &value, &err))
			text = json_canonical_text(request->arena, &value);
	}
	if (text.data == NULL) {
		status = 500;
		text = TEXT(NO_MEMORY);
	}
	respond(request, status, text, challenge);
}

void authzen_fail(struct authzen_request *request, unsigned status, const char *message)
{
	fail_challenging(request, status, message, NULL);
}

unsigned authzen_status_of(const struct error *err)
{
	if (err->code != ERROR_INVALID)
		return 500;
	return strncmp(err->text, "forbidden: ", FORBIDDEN_LENGTH) == 0 ? 403 : 400;
}

const char *authzen_message_of(const struct error *err)
{
	return err->text + (authzen_status_of(err) == 403 ? FORBIDDEN_LENGTH : 0);
}

void authzen_fail_with(struct authzen_request *request, const struct error *err)
{
	authzen_fail(request, authzen_status_of(err), authzen_message_of(err));
}

static void fail_unrecorded(struct authzen_request *request, const struct error *err)
{
	if (err->code == ERROR_INVALID)
		authzen_fail_with(request, err);
	else
		authzen_fail(request, 500, "the evaluation could not be recorded");
}

static void on_recorded(void *context, const struct error *err)
{
	struct authzen_request *request = context;

	if (err != NULL)
		fail_unrecorded(request, err);
	else
		respond(request, 200, request->answer, NULL);
}

void authzen_answer_text(
	struct authzen_request *request, struct text body, struct evaluate_summary *summary)
{
	const struct evaluate_waiter waiter = {on_recorded, request};
	struct error err;
	bool is_done;

	request->answer = body;
	summary->endpoint = request->endpoint->name;
	summary->id = text_of(request->id);
	summary->request = &request->body;
	if (!evaluate_record(request->authzen->parts.evaluate, &request->asker, summary, &waiter,
		    &is_done, &err))
		fail_unrecorded(request, &err);
	else if (is_done)
		respond(request, 200, request->answer, NULL);
}

void authzen_answer(
	struct authzen_request *request, const struct json *body, struct evaluate_summary *summary)
{
	struct text text = json_canonical_text(request->arena, body);

	if (text.data == NULL)
		authzen_fail(request, 500, "no memory for the answer");
	else
		authzen_answer_text(request, text, summary);
}

/* ---- who asks ---- */

static const char *message_of(const struct issue_refused *refused)
{
	if (refused->reason == TOKEN_NOT_CHECKED)
		return "an access token for this decision point is needed";
	return token_reason_meaning(
		refused->reason == TOKEN_PROOF ? refused->proof_reason : refused->reason);
}

static void fail_unauthenticated(
	struct authzen_request *request, const struct issue_refused *refused)
{
	const struct issue *issue = request->authzen->parts.issue;
	struct challenge challenge = {NULL, NULL};
	char nonce[ISSUE_NONCE_BYTES];
	struct buffer value;

	buffer_init(&value, CHALLENGE_BYTES_MAX);
	issue_point_challenge(issue, request->asker.application, refused, &value);
	buffer_append_byte(&value, '\0');
	if (!buffer_failed(&value))
		challenge.value = value.data;
	if (issue_wants_nonce(refused)) {
		issue_nonce(issue, nonce);
		challenge.nonce = nonce;
	}
	fail_challenging(request, 401, message_of(refused), &challenge);
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

static bool keep_asker(struct authzen_request *request, const struct issue_caller *caller)
{
	request->asker.identity = text_copy(request->arena, caller->identity);
	request->asker.task = text_copy(request->arena, caller->task);
	request->asker.environment = caller->environment;
	request->asker.expires_utc_s = caller->expires_utc_s;
	if (request->asker.identity.data != NULL && request->asker.task.data != NULL)
		return true;
	authzen_fail(request, 500, "no memory for the request");
	return false;
}

/* False: answered. */
static bool admit(struct authzen_request *request)
{
	const struct authzen_parts *parts = &request->authzen->parts;
	struct issue_presented presented = presented_by(request->exchange);
	struct issue_refused refused = {TOKEN_NOT_CHECKED, TOKEN_NOT_CHECKED};
	struct text audience, authorization;
	struct issue_caller caller;

	request->asker.application =
		text_copy(request->arena, http_path_value(request->exchange, "application"));
	audience = issue_point_audience(parts->issue, request->arena, request->asker.application);
	if (request->asker.application.data == NULL || audience.data == NULL) {
		authzen_fail(request, 500, "no memory for the request");
		return false;
	}
	if (http_header_single(request->exchange, "Authorization", &authorization))
		refused.reason =
			issue_authenticate_header(parts->issue, &presented, audience, &caller);
	refused.proof_reason = presented.proof_reason;
	if (refused.reason == TOKEN_NO_ROOM) {
		authzen_fail(request, 500, token_reason_meaning(refused.reason));
		return false;
	}
	if (refused.reason != TOKEN_ACCEPTED) {
		fail_unauthenticated(request, &refused);
		return false;
	}
	if (!keep_asker(request, &caller))
		return false;
	request->reader = (struct authzen_reader){
		evaluate_reads(parts->evaluate, request->asker.application), request->arena};
	if (evaluate_admit(parts->evaluate, &request->asker) == EVALUATE_ADMITTED)
		return true;
	authzen_fail(request, 403, "this identity may not ask here");
	return false;
}

/* ---- what is asked ---- */

static bool is_plain(struct text value)
{
	for (size_t i = 0; i < value.length; i++)
		if (value.data[i] < ' ' || value.data[i] > '~')
			return false;
	return value.length > 0 && value.length <= AUTHZEN_REQUEST_ID_BYTES_MAX;
}

static bool read_request_id(struct authzen_request *request)
{
	struct text written;

	if (!http_header_single(request->exchange, "X-Request-ID", &written) ||
		(written.data != NULL && !is_plain(written))) {
		authzen_fail(request, 400,
			"X-Request-ID: one value of 1 to 256 printable ASCII bytes is expected");
		return false;
	}
	if (written.data != NULL)
		request->request_id = text_copy(request->arena, written);
	return true;
}

static const struct http_header no_store = {"Cache-Control", "no-store"};

/* Answers what is no question, or has no room to be one: with the id that came with it.
 * header: or NULL. */
static void respond_plainly(struct http_exchange *exchange, unsigned status, struct text body,
	const struct http_header *header)
{
	char id[AUTHZEN_REQUEST_ID_BYTES_MAX + 1];
	struct http_header headers[HEADERS_MAX];
	struct http_response response = {.status = status,
		.content_type = "application/json",
		.body = body,
		.headers = headers};
	struct text written;

	if (header != NULL)
		headers[response.header_count++] = *header;
	if (http_header_single(exchange, "X-Request-ID", &written) && written.data != NULL &&
		is_plain(written)) {
		(void)snprintf(id, sizeof id, "%.*s", TEXT_ARGS(written));
		headers[response.header_count++] = (struct http_header){"X-Request-ID", id};
	}
	http_respond(exchange, &response);
}

static bool is_json(struct text content_type)
{
	static const char json[] = "application/json";
	size_t length = sizeof json - 1;

	return content_type.length >= length && strncasecmp(content_type.data, json, length) == 0 &&
	       (content_type.length == length || content_type.data[length] == ';' ||
		       content_type.data[length] == ' ');
}

static bool read_body(struct authzen_request *request)
{
	const struct http_request *http = http_exchange_request(request->exchange);
	struct json_limits limits = json_limits_default;
	struct text content_type;
	struct error err;

	limits.size_bytes = AUTHZEN_BODY_BYTES_MAX;
	if (!http_header_single(request->exchange, "Content-Type", &content_type) ||
		!is_json(content_type)) {
		authzen_fail(request, 400, "Content-Type: application/json is expected");
		return false;
	}
	if (!json_parse(&request->body, request->arena, http->body, &limits, &err)) {
		authzen_fail(request, 400, err.text);
		return false;
	}
	if (request->body.type == JSON_OBJECT)
		return true;
	authzen_fail(request, 400, "the body is not an object");
	return false;
}

static void handle(void *context, struct http_exchange *exchange)
{
	struct authzen_request *request = request_create(context, exchange);

	if (request == NULL) {
		respond_plainly(exchange, 500, TEXT(NO_MEMORY), &no_store);
		return;
	}
	if (read_request_id(request) && admit(request) && read_body(request))
		request->endpoint->handle(request);
}

/* What is below a point and no endpoint's: of an endpoint, all methods but its own. */
static void handle_other(void *context, struct http_exchange *exchange)
{
	static const struct http_header allow = {"Allow", "POST"};
	bool is_post = text_is(http_exchange_request(exchange)->method, "POST");
	struct text rest = http_path_value(exchange, "rest");

	(void)context;
	for (size_t i = 0; !is_post && i < AUTHZEN_ENDPOINTS; i++) {
		if (!text_is(rest, endpoints[i].name))
			continue;
		respond_plainly(
			exchange, 405, TEXT(FAILURE("POST is expected here", "405")), &allow);
		return;
	}
	respond_plainly(exchange, 404, TEXT(FAILURE("no such path here", "404")), &no_store);
}

/* ---- metadata (section 9) ---- */

static bool make_metadata(
	struct json *out, struct arena *arena, struct text point, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_text(&object, "policy_decision_point", point);
	for (size_t i = 0; i < AUTHZEN_ENDPOINTS; i++) {
		struct text url = text_format(
			arena, "%.*s/access/v1/%s", TEXT_ARGS(point), endpoints[i].name);

		if (url.data == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for a document");
		json_put_text(&object, endpoints[i].member, url);
	}
	return json_object_seal(&object, out, err);
}

static void handle_metadata(void *context, struct http_exchange *exchange)
{
	const struct authzen *authzen = context;
	struct text application = http_path_value(exchange, "application");
	struct arena *arena = http_exchange_arena(exchange);
	struct text point = {0}, document = {0};
	struct error err;
	struct json body;

	if (application.length > 0 &&
		registry_find_application(authzen->parts.registry, application) == NULL) {
		respond_plainly(exchange, 404,
			TEXT(FAILURE("no such application is registered", "404")), &no_store);
		return;
	}
	if (arena != NULL)
		point = issue_point_audience(authzen->parts.issue, arena, application);
	if (point.data != NULL && make_metadata(&body, arena, point, &err))
		document = json_canonical_text(arena, &body);
	if (document.data == NULL)
		respond_plainly(exchange, 500, TEXT(NO_MEMORY), &no_store);
	else
		respond_plainly(exchange, 200, document, NULL);
}

/* ---- the door ---- */

bool authzen_create(struct authzen **out, const struct authzen_parts *parts, struct error *err)
{
	struct authzen *authzen = calloc(1, sizeof *authzen);

	*out = NULL;
	if (authzen == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the door of decision points");
	authzen->parts = *parts;
	for (size_t i = 0; i < AUTHZEN_ENDPOINTS; i++)
		authzen->bindings[i] = (struct authzen_binding){authzen, &endpoints[i]};
	if (!seal_key_generate(&authzen->page_key, err)) {
		authzen_destroy(&authzen);
		return false;
	}
	*out = authzen;
	return true;
}

static void requests_free(struct authzen_request *list)
{
	while (list != NULL) {
		struct authzen_request *request = list;

		list = request->next;
		request_free(request);
	}
}

void authzen_destroy(struct authzen **authzen)
{
	if (*authzen == NULL)
		return;
	requests_free((*authzen)->pending);
	requests_free((*authzen)->spare);
	seal_key_clear(&(*authzen)->page_key);
	free(*authzen);
	*authzen = NULL;
}

bool authzen_add_routes(struct authzen *authzen, struct router *router, struct error *err)
{
	static const char *const own[AUTHZEN_ENDPOINTS] = {"/access/v1/evaluation",
		"/access/v1/evaluations", "/access/v1/search/subject", "/access/v1/search/resource",
		"/access/v1/search/action"};
	static const char *const others[AUTHZEN_ENDPOINTS] = {
		"/applications/{application}/access/v1/evaluation",
		"/applications/{application}/access/v1/evaluations",
		"/applications/{application}/access/v1/search/subject",
		"/applications/{application}/access/v1/search/resource",
		"/applications/{application}/access/v1/search/action"};
	static const char *const rests[] = {
		"/access/v1/{rest...}", "/applications/{application}/access/v1/{rest...}"};
	static const char *const documents[] = {"/.well-known/authzen-configuration",
		"/.well-known/authzen-configuration/applications/{application}",
		"/applications/{application}/.well-known/authzen-configuration"};
	struct http_route routes[AUTHZEN_ROUTES];
	size_t count = 0;

	for (size_t i = 0; i < AUTHZEN_ENDPOINTS; i++) {
		routes[count++] =
			(struct http_route){"POST", own[i], handle, &authzen->bindings[i]};
		routes[count++] =
			(struct http_route){"POST", others[i], handle, &authzen->bindings[i]};
	}
	for (size_t i = 0; i < sizeof rests / sizeof *rests; i++)
		routes[count++] = (struct http_route){NULL, rests[i], handle_other, authzen};
	for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
		routes[count++] =
			(struct http_route){"GET", documents[i], handle_metadata, authzen};
	return router_add(router, routes, count, err);
}
