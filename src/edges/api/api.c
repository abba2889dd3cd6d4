#include "edges/api/request.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/charter/form.h"
#include "domain/token/request_signature.h"
#include "edges/api/idempotency.h"
#include "services/sign_in/sign_in.h"

/* The road of one request, the same for every row of the table:
 *
 *   router ─▶ begin: own arena, watch the connection
 *          ─▶ admit: who asks (signature or socket), may they use this row
 *          ─▶ read: query, body, If-Match, Idempotency-Key
 *          ─▶ the row's handler ─▶ (a service, later) ─▶ api_answer…
 *
 * Invariants: (1) no handler runs before admit said yes.  (2) A request is freed
 * once it is both answered and closed, never before, so a service that answers
 * late finds it in place, and the texts it was given.  (3) An answer after the peer has gone is
 * kept for its Idempotency-Key and otherwise dropped. */

enum { KEY_TEXT_BYTES = 512, ETAG_BYTES = 32, HEADERS_MAX = 4 };

struct api_binding {
	struct api *api;
	const struct api_route *route;
	struct http_route row; /* borrowed by the router */
};

static void request_free(struct api_request *request)
{
	struct arena *arena = request->arena;

	if (request->kept_body != NULL)
		explicit_bzero(request->kept_body, request->kept_body_length);
	if (request->check != NULL)
		sign_in_check_deinit(request->check);
	if (request->route->verb != REGISTRAR_NONE)
		registrar_request_deinit(&request->work.registrar);
	arena_destroy(&arena);
}

static void free_when_done(struct api_request *request)
{
	if (request->is_answered && request->is_closed)
		request_free(request);
}

static void on_closed(void *context, enum http_closed how)
{
	struct api_request *request = context;

	(void)how;
	request->is_closed = true;
	request->exchange = NULL;
	free_when_done(request);
}

/* The key under which an answer is kept: the caller's word counts for the caller
 * alone. */
static struct sha256 idempotency_place(const struct api_request *request)
{
	const struct text parts[] = {request->actor, TEXT("\n"), request->idempotency_key};

	return sha256_of_parts(parts, 3);
}

/* A fault of ours may be tried again; a refused stranger leaves nothing, or
 * strangers would turn the answers of people out of the table. */
static bool is_forgotten(const struct api_request *request, unsigned status)
{
	return status >= 500 || (request->route->access == ACCESS_ENROLLING && status >= 400);
}

/* The answer with one more header, where there is something the whole unit must know. */
static void respond(struct api_request *request, const struct http_response *response)
{
	struct http_header headers[HEADERS_MAX];
	struct http_response whole = *response;
	struct text banner = api_break_glass_banner(request);
	size_t count = 0;

	for (; count < response->header_count && count < HEADERS_MAX - 1; count++)
		headers[count] = response->headers[count];
	if (banner.length > 0 && banner.data != NULL)
		headers[count++] = (struct http_header){"Remit-Break-Glass", banner.data};
	whole.headers = headers;
	whole.header_count = count;
	http_respond(request->exchange, &whole);
}

/* What the request cost is spent; tell the client once. */
static void answer_bytes(struct api_request *request, const struct http_response *response)
{
	assert(!request->is_answered);
	request->is_answered = true;
	if (request->idempotency_key.length > 0) {
		struct sha256 key = idempotency_place(request);

		if (is_forgotten(request, response->status))
			idempotency_forget(request->api->idempotency, &key);
		else
			idempotency_finish(
				request->api->idempotency, &key, response->status, response->body);
	}
	if (request->exchange != NULL)
		respond(request, response);
	free_when_done(request);
}

static void answer_with(struct api_request *request, struct http_response response)
{
	static const struct http_header no_store = {"Cache-Control", "no-store"};

	if (response.headers == NULL) {
		response.headers = &no_store;
		response.header_count = 1;
	}
	answer_bytes(request, &response);
}

void api_answer(struct api_request *request, unsigned status, const struct json *body)
{
	struct text text = json_canonical_text(request->arena, body);

	if (text.data == NULL) {
		api_answer_status(request, 503, "no memory for the answer");
		return;
	}
	answer_with(request,
		(struct http_response){
			.status = status, .content_type = "application/json", .body = text});
}

void api_answer_text(struct api_request *request, const char *content_type, struct text body)
{
	answer_with(request,
		(struct http_response){.status = 200, .content_type = content_type, .body = body});
}

void api_answer_revision(struct api_request *request, const struct json *body, uint64_t revision)
{
	struct text text = json_canonical_text(request->arena, body);
	char etag[ETAG_BYTES];
	const struct http_header headers[] = {{"Cache-Control", "no-store"}, {"ETag", etag}};

	if (text.data == NULL) {
		api_answer_status(request, 503, "no memory for the answer");
		return;
	}
	(void)snprintf(etag, sizeof etag, "\"%llu\"", (unsigned long long)revision);
	answer_with(request, (struct http_response){.status = 200,
				     .content_type = "application/json",
				     .body = text,
				     .headers = headers,
				     .header_count = 2});
}

void api_answer_change(struct api_request *request, uint64_t index, uint64_t revision)
{
	struct json_builder builder;
	struct error err;
	struct json body;

	json_object_start(&builder, request->arena);
	json_put_integer(&builder, "index", (int64_t)index);
	if (revision > 0)
		json_put_integer(&builder, "revision", (int64_t)revision);
	if (!json_object_seal(&builder, &body, &err))
		api_answer_problem(request, &err);
	else if (revision > 0)
		api_answer_revision(request, &body, revision);
	else
		api_answer(request, 200, &body);
}

void api_answer_recorded(void *context, uint64_t index, const struct error *err)
{
	if (err != NULL)
		api_answer_problem(context, err);
	else
		api_answer_change(context, index, 0);
}

struct answer_proof api_proof(const struct api_request *request)
{
	return (struct answer_proof){.signature = request->signature,
		.body = {request->kept_body, request->kept_body_length}};
}

int64_t api_now_utc_ms(const struct api_request *request)
{
	return fold_stamp_utc_ms(request->api->services.fold);
}

void api_answer_or_fail(
	struct api_request *request, bool ok, const struct json *body, const struct error *err)
{
	if (ok)
		api_answer(request, 200, body);
	else
		api_answer_problem(request, err);
}

void api_answer_page(struct api_request *request, bool ok, const struct json *items,
	struct text next, struct error *err)
{
	struct json_builder object;
	struct json body;

	json_object_start(&object, request->arena);
	if (ok)
		json_put(&object, "items", *items);
	json_put_text_unless_empty(&object, "next", next);
	api_answer_or_fail(request, ok && json_object_seal(&object, &body, err), &body, err);
}

void api_answer_long_page(
	struct api_request *request, struct json *items, uint32_t limit, uint64_t waiting)
{
	struct json_builder object;
	struct json body;
	struct error err;

	json_object_start(&object, request->arena);
	if (items->count > limit) {
		items->count = limit;
		json_put_text(&object, "next", json_text_or(&items->items[limit - 1], "id", ""));
	}
	json_put(&object, "items", *items);
	if (waiting > 0)
		json_put_integer(&object, "waiting", (int64_t)waiting);
	api_answer_or_fail(request, json_object_seal(&object, &body, &err), &body, &err);
}

void api_answer_status(struct api_request *request, unsigned status, const char *detail)
{
	struct buffer text;

	buffer_init(&text, 4096);
	buffer_append_string(&text, "{\"title\":");
	json_append_string(&text, text_of(api_status_title(status)));
	buffer_append_format(&text, ",\"status\":%u,\"detail\":", status);
	json_append_string(&text, text_of(detail));
	buffer_append_string(&text, "}");
	answer_with(request, (struct http_response){.status = status,
				     .content_type = "application/problem+json",
				     .body = buffer_text(&text)});
	buffer_deinit(&text);
}

void api_answer_problem(struct api_request *request, const struct error *err)
{
	const char *detail = err->text;

	if (err->code == ERROR_INVALID && api_status_of(err) == 403)
		detail += strlen("forbidden: ");
	api_answer_status(request, api_status_of(err), detail);
}

struct text api_path(const struct api_request *request, const char *name)
{
	return http_path_value(request->exchange, name);
}

struct text api_query(const struct api_request *request, const char *name)
{
	struct text value;

	return http_query_find(request->exchange, name, &value) ? value : (struct text){0};
}

bool api_page_size(struct api_request *request, uint32_t *out)
{
	struct text written = api_query(request, "limit");
	int64_t count = API_PAGE_DEFAULT;

	*out = API_PAGE_DEFAULT;
	if (written.length > 0 &&
		(!text_to_int64(written, &count) || count < 1 || count > API_PAGE_MAX)) {
		api_answer_status(request, 400, "limit: a whole number from 1 to 1000 is expected");
		return false;
	}
	*out = (uint32_t)count;
	return true;
}

bool api_need_text(struct api_request *request, const char *name, struct text *out)
{
	struct error err;

	if (json_need_text(&request->body, name, out, &err))
		return true;
	api_answer_problem(request, &err);
	return false;
}

bool api_read_moment(struct api_request *request, const char *name, int64_t *out_utc_s)
{
	const struct json *value = json_find(&request->body, name);
	struct text wrong;

	*out_utc_s = 0;
	if (value == NULL || (value->type == JSON_STRING && time_of_text(value->string, out_utc_s)))
		return true;
	wrong = text_format(request->arena,
		"%s: a day (2026-12-31) or a time (2026-12-31T12:00:00Z) is expected", name);
	api_answer_status(request, 400, wrong.data == NULL ? name : wrong.data);
	return false;
}

/* ---- who asks ---- */

static bool is_open_to_socket(enum api_access access)
{
	return access == ACCESS_READ || access == ACCESS_STOP || access == ACCESS_SOCKET;
}

static bool is_open_to_person(enum api_access access)
{
	return access == ACCESS_READ || access == ACCESS_STOP || access == ACCESS_PERSON ||
	       access == ACCESS_ADMINISTRATOR;
}

/* Some answers of people are put on record as they were signed. */
static bool keep_signature(struct api_request *request, struct text authorization)
{
	size_t scheme = sizeof REQUEST_SIGNATURE_SCHEME; /* and the blank behind it */

	if (authorization.length <= scheme)
		return true;
	request->signature = text_copy(request->arena,
		(struct text){authorization.data + scheme, authorization.length - scheme});
	return request->signature.data != NULL;
}

static bool verify_signature(
	struct api_request *request, struct text authorization, const struct json *jwk)
{
	const struct http_request *http = http_exchange_request(request->exchange);
	const struct api_signatures *signatures = &request->api->services.signatures;
	const struct api_signed what = {.authorization = authorization,
		.method = http->method,
		.target = http->target,
		.body = http->body,
		.is_local = http->peer.is_local,
		.jwk = jwk};
	struct error err;

	if (!signatures->verify(
		    signatures->context, &what, request->arena, &request->person, &err)) {
		api_answer_status(request, err.code == ERROR_LIMIT ? 503 : 401, err.text);
		return false;
	}
	request->actor = text_format(request->arena, "person:%.*s", TEXT_ARGS(request->person));
	if (request->actor.data != NULL && keep_signature(request, authorization))
		return true;
	api_answer_status(request, 503, "no memory for the request");
	return false;
}

static bool admit_person(struct api_request *request, struct text authorization)
{
	const struct registry *registry = registrar_registry(request->api->services.registrar);
	static const struct people_resource installation = {.about = PEOPLE_ABOUT_INSTALLATION};
	enum api_access access = request->route->access;
	struct error err;

	if (!is_open_to_person(access)) {
		api_answer_status(request, 403, "only the socket's own user may do this");
		return false;
	}
	if (!verify_signature(request, authorization, NULL))
		return false;
	if (access == ACCESS_ADMINISTRATOR && !registry_may_about(registry, request->actor,
						      PEOPLE_ADMINISTER, &installation, &err)) {
		api_answer_status(request, 403, "this needs the role administrator");
		return false;
	}
	return true;
}

static bool admit_socket(struct api_request *request, const struct http_peer *peer)
{
	if (!is_open_to_socket(request->route->access)) {
		api_answer_status(request, 401,
			"the socket alone may read, bootstrap, suspend and kill: sign the request "
			"with "
			"an enrolled key (remit login)");
		return false;
	}
	request->actor = text_format(request->arena, "uid:%u", (unsigned)peer->uid);
	if (request->actor.data != NULL)
		return true;
	api_answer_status(request, 503, "no memory for the request");
	return false;
}

static bool admit(struct api_request *request)
{
	const struct http_request *http = http_exchange_request(request->exchange);
	struct text authorization;

	if (request->route->access == ACCESS_ANYONE || request->route->access == ACCESS_ENROLLING)
		return true; /* an enrolling key is checked once the body is read */
	if (!http_header_single(request->exchange, "Authorization", &authorization)) {
		api_answer_status(request, 400, "Authorization is given more than once");
		return false;
	}
	if (authorization.data != NULL)
		return admit_person(request, authorization);
	if (http->peer.is_local)
		return admit_socket(request, &http->peer);
	api_answer_status(request, 401, "sign the request with an enrolled key (remit login)");
	return false;
}

static bool admit_enrolling(struct api_request *request)
{
	const struct json *jwk = json_find(&request->body, "jwk");
	struct text authorization;

	if (!http_header_single(request->exchange, "Authorization", &authorization) ||
		authorization.data == NULL || jwk == NULL) {
		api_answer_status(
			request, 401, "sign the request with the key that is in its body");
		return false;
	}
	return verify_signature(request, authorization, jwk);
}

/* ---- what is asked ---- */

static bool has_member(const struct api_route *route, struct text name)
{
	for (const char *const *member = route->members; *member != NULL; member++) {
		if (text_is(name, **member == '!' ? *member + 1 : *member))
			return true;
	}
	return false;
}

static bool check_members(struct api_request *request)
{
	char detail[KEY_TEXT_BYTES];

	for (uint32_t i = 0; i < request->body.count; i++) {
		struct text name = request->body.members[i].name;

		if (has_member(request->route, name))
			continue;
		(void)snprintf(detail, sizeof detail, "the body has an unknown member \"%.*s\"",
			(int)(name.length > 100 ? 100 : name.length), name.data);
		api_answer_status(request, 400, detail);
		return false;
	}
	for (const char *const *member = request->route->members; *member != NULL; member++) {
		const struct json *value = json_find(&request->body, *member + 1);
		bool is_empty =
			value != NULL && value->type == JSON_STRING && value->string.length == 0;

		if (**member != '!' || (value != NULL && !is_empty))
			continue;
		(void)snprintf(detail, sizeof detail,
			is_empty ? "the member \"%s\" of the body is empty"
				 : "the body lacks the member \"%s\"",
			*member + 1);
		api_answer_status(request, 400, detail);
		return false;
	}
	return true;
}

/* A service may hold texts of the body after the peer has gone, and the server's
 * copy with it.  This one may hold a secret: request_free clears it. */
static bool keep_body(struct api_request *request, struct text *body)
{
	request->kept_body = arena_copy_text(request->arena, body->data, body->length);
	if (request->kept_body == NULL)
		return false;
	request->kept_body_length = body->length;
	body->data = request->kept_body;
	return true;
}

static bool read_body(struct api_request *request)
{
	struct text body = http_exchange_request(request->exchange)->body;
	struct json_limits limits = json_limits_default;
	struct text content_type;
	struct error err;

	if (request->route->members == NULL || body.length == 0) {
		if (body.length > 0) {
			api_answer_status(request, 400, "this takes no body");
			return false;
		}
		return request->route->members == NULL || check_members(request);
	}
	if (!http_header_single(request->exchange, "Content-Type", &content_type) ||
		!http_type_is_json(content_type)) {
		api_answer_status(request, 415, "Content-Type: application/json is expected");
		return false;
	}
	if (!keep_body(request, &body)) {
		api_answer_status(request, 503, "no memory for the request");
		return false;
	}
	limits.size_bytes = body.length; /* the server has bounded it */
	if (!json_parse(&request->body, request->arena, body, &limits, &err)) {
		api_answer_problem(request, &err);
		return false;
	}
	if (request->body.type != JSON_OBJECT) {
		api_answer_status(request, 400, "the body is not an object");
		return false;
	}
	return check_members(request);
}

static bool read_if_match(struct api_request *request)
{
	unsigned flags = request->route->flags;
	struct text written;
	int64_t revision;

	if ((flags & (ROUTE_NEEDS_IF_MATCH | ROUTE_TAKES_IF_MATCH)) == 0)
		return true;
	if (!http_header_single(request->exchange, "If-Match", &written)) {
		api_answer_status(request, 400, "If-Match is given more than once");
		return false;
	}
	if (written.data == NULL) {
		if ((flags & ROUTE_NEEDS_IF_MATCH) == 0)
			return true;
		api_answer_status(
			request, 428, "If-Match: the ETag of what you have read is needed");
		return false;
	}
	if (written.length < 3 || written.data[0] != '"' ||
		!text_to_int64((struct text){written.data + 1, written.length - 2}, &revision) ||
		written.data[written.length - 1] != '"' || revision < 0) {
		api_answer_status(request, 400, "If-Match: one quoted ETag of ours is expected");
		return false;
	}
	request->has_if_match = true;
	request->if_match = (uint64_t)revision;
	return true;
}

/* Answers from the table where the key was used before. */
static bool begin_idempotent(struct api_request *request, struct text written)
{
	const struct http_request *http = http_exchange_request(request->exchange);
	const struct text parts[] = {
		http->method, TEXT("\n"), http->target, TEXT("\n"), http->body};
	struct sha256 fingerprint = sha256_of_parts(parts, 5);
	struct idempotency_answer answer;
	enum idempotency_state state;
	struct sha256 key;
	struct error err;

	request->idempotency_key = written;
	key = idempotency_place(request);
	if (!idempotency_begin(
		    request->api->idempotency, &key, &fingerprint, &state, &answer, &err)) {
		request->idempotency_key = (struct text){0};
		api_answer_problem(request, &err);
		return false;
	}
	if (state == IDEMPOTENCY_NEW) {
		request->idempotency_key = text_copy(request->arena, written);
		return true;
	}
	request->idempotency_key = (struct text){0};
	if (state == IDEMPOTENCY_DIFFERENT)
		api_answer_status(request, 422, "take a new key for a new request");
	else if (state == IDEMPOTENCY_RUNNING)
		api_answer_status(request, 409, "the first request with this key is still running");
	else
		answer_with(request,
			(struct http_response){.status = answer.status,
				.content_type = answer.status >= 400 ? "application/problem+json"
								     : "application/json",
				.body = answer.body});
	return false;
}

static bool read_idempotency_key(struct api_request *request)
{
	struct text written;

	if (strcmp(request->route->method, "POST") != 0)
		return true;
	if (!http_header_single(request->exchange, "Idempotency-Key", &written) ||
		written.data == NULL || written.length == 0 ||
		written.length > API_IDEMPOTENCY_KEY_BYTES_MAX) {
		api_answer_status(request, 400,
			"Idempotency-Key: one value of 1 to 128 bytes is needed on every POST");
		return false;
	}
	return begin_idempotent(request, written);
}

static struct api_request *request_begin(
	const struct api_binding *binding, struct http_exchange *exchange)
{
	struct arena *arena = arena_create(API_ARENA_BYTES_MAX);
	struct api_request *request = arena == NULL ? NULL : arena_new(arena, struct api_request);
	const struct http_exchange_events events = {.context = request, .on_closed = on_closed};

	if (request == NULL) {
		arena_destroy(&arena);
		http_respond_problem(
			exchange, 503, api_status_title(503), "no memory for the request");
		return NULL;
	}
	request->api = binding->api;
	request->route = binding->route;
	request->exchange = exchange;
	request->arena = arena;
	http_exchange_watch(exchange, &events);
	return request;
}

static void on_request(void *context, struct http_exchange *exchange)
{
	struct api_request *request = request_begin(context, exchange);

	if (request == NULL)
		return;
	if (admit(request) && api_check_query(request) && read_body(request) &&
		(request->route->access != ACCESS_ENROLLING || admit_enrolling(request)) &&
		read_if_match(request) && read_idempotency_key(request))
		request->route->handle(request);
}

bool api_create(struct api **out, const struct api_services *services, struct error *err)
{
	struct api *api = calloc(1, sizeof *api);

	*out = NULL;
	if (api != NULL)
		api->bindings = calloc(api_routes_count, sizeof *api->bindings);
	if (api == NULL || api->bindings == NULL) {
		api_destroy(&api);
		return error_set(err, ERROR_LIMIT, "no memory for the control API");
	}
	api->services = *services;
	if (!idempotency_create(&api->idempotency, err)) {
		api_destroy(&api);
		return false;
	}
	*out = api;
	return true;
}

void api_destroy(struct api **api)
{
	if (*api == NULL)
		return;
	idempotency_destroy(&(*api)->idempotency);
	free((*api)->bindings);
	free(*api);
	*api = NULL;
}

bool api_add_routes(struct api *api, struct router *router, struct error *err)
{
	for (size_t i = 0; i < api_routes_count; i++) {
		const struct api_route *route = &api_routes[i];
		struct api_binding *binding = &api->bindings[i];

		*binding = (struct api_binding){.api = api,
			.route = route,
			.row = {.method = route->method,
				.pattern = route->pattern,
				.handle = on_request,
				.context = binding}};
		if (!router_add(router, &binding->row, 1, err))
			return error_wrap(err, "%s %s", route->method, route->pattern);
	}
	return true;
}
