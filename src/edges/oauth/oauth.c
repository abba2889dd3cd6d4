/* The authorization server's door.  Metadata and keys are made for each answer
 * from what holds now; a token request lives until both its answer and its
 * connection are over. */
#include "edges/oauth/oauth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "domain/token/client_assertion.h"
#include "domain/token/jwk.h"
#include "domain/token/key_set.h"
#include "edges/oauth/form.h"

_Static_assert((int)OAUTH_BODY_BYTES_MAX == (int)FORM_BYTES_MAX, "one bound");
_Static_assert((int)OAUTH_PARAMETERS_MAX == (int)FORM_PARAMETERS_MAX, "one bound");

enum { PENDING_ARENA_BYTES_MAX = 512 * 1024, OAUTH_ROUTES = 7 };

struct pending;

struct oauth {
	struct issue *issue;
	const struct registry *registry;
	struct key_set keys; /* the token key's public half */
	struct pending *pending;
	struct http_route routes[OAUTH_ROUTES];
};

/* One request for a token.  Ends when is_answered and is_closed. */
struct pending {
	struct oauth *oauth;
	struct http_exchange *exchange; /* NULL once the peer has gone */
	struct arena *arena;            /* the request's texts must outlive the exchange */
	struct issue_request request;
	bool is_answered;
	bool is_closed;
	struct pending *next;
};

/* ---- answers ---- */

static const struct http_header headers[] = {
	{"Cache-Control", "no-store"}, {"Pragma", "no-cache"},
	{"WWW-Authenticate", "Bearer realm=\"remit\""}, /* to who used a header: RFC 6749 §5.2 */
};
enum { HEADERS_ALWAYS = 2, HEADERS_CHALLENGED = 3 };

static void answer_json(struct http_exchange *exchange, struct arena *arena, unsigned status,
	const struct json *body)
{
	bool is_challenged =
		status == 401 && http_header_find(exchange, "Authorization").data != NULL;
	struct http_response response = {
		.status = status,
		.content_type = "application/json",
		.body = json_canonical_text(arena, body),
		.headers = headers,
		.header_count = is_challenged ? HEADERS_CHALLENGED : HEADERS_ALWAYS,
	};

	if (response.body.data == NULL)
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
	else
		http_respond(exchange, &response);
}

/* RFC 6749 §5.2. */
static void answer_error(struct http_exchange *exchange, struct arena *arena, unsigned status,
	const char *error, const char *description)
{
	struct json_builder object;
	struct json body;
	struct error err = {0};

	json_object_start(&object, arena);
	json_put_cstring(&object, "error", error);
	json_put_cstring(&object, "error_description", description);
	if (json_object_seal(&object, &body, &err))
		answer_json(exchange, arena, status, &body);
	else
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
}

/* ---- POST /oauth/token ---- */

struct oauth_error {
	unsigned status;
	const char *error;
};

static struct oauth_error error_of(enum issue_refusal refusal)
{
	switch (refusal) {
	case ISSUE_ASSERTION:
	case ISSUE_CLIENT_UNPROVEN:
	case ISSUE_CLIENT_MISMATCH:
	case ISSUE_REPLAYED: return (struct oauth_error){401, "invalid_client"};
	case ISSUE_NOT_ACTIVE:
	case ISSUE_UNGOVERNED:
	case ISSUE_CHARTER_EXPIRED:
	case ISSUE_ENVIRONMENT: return (struct oauth_error){400, "unauthorized_client"};
	case ISSUE_AUDIENCE_MISSING:
	case ISSUE_AUDIENCE_UNKNOWN: return (struct oauth_error){400, "invalid_target"};
	case ISSUE_SCOPE: return (struct oauth_error){400, "invalid_scope"};
	case ISSUE_PURPOSE:
	case ISSUE_PARENT: return (struct oauth_error){400, "invalid_request"};
	case ISSUE_KEYS:
	case ISSUE_BUSY:
	case ISSUE_NOT_RECORDED:
	case ISSUE_NOT_SIGNED: return (struct oauth_error){503, "temporarily_unavailable"};
	case ISSUE_REFUSED:
	case ISSUE_GRANTED:
	case ISSUE_REFUSAL_COUNT: break;
	}
	return (struct oauth_error){400, "invalid_request"};
}

static void pending_free(struct pending *pending)
{
	struct pending **link = &pending->oauth->pending;

	while (*link != NULL && *link != pending)
		link = &(*link)->next;
	if (*link != NULL)
		*link = pending->next;
	arena_destroy(&pending->arena);
	free(pending);
}

static void on_closed(void *context, enum http_closed how)
{
	struct pending *pending = context;

	(void)how;
	pending->is_closed = true;
	pending->exchange = NULL;
	if (pending->is_answered)
		pending_free(pending);
	else
		issue_abandon_opening(pending->oauth->issue, &pending->request);
}

static bool token_body(struct json *out, struct pending *pending, struct error *err)
{
	const struct issue_request *request = &pending->request;
	struct json_builder object;

	json_object_start(&object, pending->arena);
	json_put_text(&object, "access_token", request->token);
	json_put_cstring(&object, "token_type", "Bearer");
	json_put_integer(&object, "expires_in", request->lifetime_s);
	json_put_text(&object, "scope", request->scope_granted);
	json_put_text(&object, "task", request->task);
	json_put_integer(&object, "record", (int64_t)request->index);
	return json_object_seal(&object, out, err);
}

static void answer_issue(struct pending *pending)
{
	const struct issue_request *request = &pending->request;
	struct oauth_error error = error_of(request->refusal);
	struct error err = {0};
	struct json body;

	if (request->refusal != ISSUE_GRANTED)
		answer_error(pending->exchange, pending->arena, error.status, error.error,
			request->detail);
	else if (token_body(&body, pending, &err))
		answer_json(pending->exchange, pending->arena, 200, &body);
	else
		http_respond_problem(pending->exchange, 503, "Service Unavailable", err.text);
}

static void on_issued(struct issue_request *request)
{
	struct pending *pending = request->context;

	pending->is_answered = true;
	if (pending->is_closed)
		pending_free(pending);
	else
		answer_issue(pending);
}

static bool is_form(struct text content_type)
{
	static const char form[] = "application/x-www-form-urlencoded";
	size_t length = sizeof form - 1;

	return content_type.length >= length && strncasecmp(content_type.data, form, length) == 0 &&
	       (content_type.length == length || content_type.data[length] == ';' ||
		       content_type.data[length] == ' ');
}

/* Fills the request from the form; NULL, or what is wrong with it. */
struct form_fault {
	unsigned status;
	const char *error;
	const char *description;
};

/* ---- grants ---- */

/* What each grant takes of the form beside what all take; false: fault says what is wrong. */
typedef bool take_grant(
	struct issue_request *request, const struct form *form, struct form_fault *fault);

/* RFC 6749 §4.4: a task of one's own. */
static bool take_client_credentials(
	struct issue_request *request, const struct form *form, struct form_fault *fault)
{
	(void)fault;
	request->parent = form_find(form, "parent");
	return true;
}

static const struct grant {
	const char *type;
	take_grant *take;
} grants[] = {
	{"client_credentials", take_client_credentials},
};
enum { GRANTS_COUNT = sizeof grants / sizeof grants[0] };

static const struct grant *find_grant(struct text type)
{
	for (size_t i = 0; i < GRANTS_COUNT; i++)
		if (text_is(type, grants[i].type))
			return &grants[i];
	return NULL;
}

/* What a client assertion may be. */
static bool find_form(struct text type, enum issue_assertion_form *out)
{
	*out = text_is(type, SVID_ASSERTION_TYPE) ? ISSUE_ASSERTION_SVID : ISSUE_ASSERTION_JWT;
	return *out == ISSUE_ASSERTION_SVID || text_is(type, CLIENT_ASSERTION_TYPE);
}

/* How whoever asks proves itself. */
static bool take_client(
	struct issue_request *request, const struct form *form, struct form_fault *fault)
{
	if (form_find(form, "client_secret").length > 0) {
		fault->description = "there are no client secrets here: use private_key_jwt";
	} else if (!find_form(form_find(form, "client_assertion_type"), &request->assertion_form)) {
		fault->status = 401;
		fault->error = "invalid_client";
		fault->description = "client_assertion_type must be " CLIENT_ASSERTION_TYPE;
	}
	request->assertion = form_find(form, "client_assertion");
	request->client = form_find(form, "client_id");
	return fault->description == NULL;
}

static bool fill_request(
	struct issue_request *request, const struct form *form, struct form_fault *fault)
{
	struct text type = form_find(form, "grant_type");
	const struct grant *grant = find_grant(type);

	*fault = (struct form_fault){400, "invalid_request", NULL};
	if (type.length == 0) {
		fault->description = "grant_type is missing";
		return false;
	}
	if (grant == NULL) {
		fault->error = "unsupported_grant_type";
		fault->description = "this grant_type is not supported: see "
				     "/.well-known/oauth-authorization-server";
		return false;
	}
	request->resource = form_find(form, "resource");
	request->scope = form_find(form, "scope");
	request->purpose = form_find(form, "purpose");
	return take_client(request, form, fault) && grant->take(request, form, fault);
}

/* Checks the frame of a form request; false: it is answered. */
static bool read_form(struct http_exchange *exchange, struct form *form, struct arena *arena)
{
	const struct http_request *http = http_exchange_request(exchange);
	struct error err = {0};

	if (!is_form(http_header_find(exchange, "Content-Type"))) {
		answer_error(exchange, arena, 400, "invalid_request",
			"Content-Type must be application/x-www-form-urlencoded");
		return false;
	}
	if (http->target.length != http->path.length) {
		answer_error(exchange, arena, 400, "invalid_request",
			"parameters belong in the body, never in the address");
		return false;
	}
	if (!form_parse(form, arena, http->body, &err)) {
		answer_error(exchange, arena, err.code == ERROR_LIMIT ? 413 : 400,
			"invalid_request", err.text);
		return false;
	}
	return true;
}

static struct pending *pending_create(struct oauth *oauth, struct http_exchange *exchange)
{
	const struct http_exchange_events events = {.on_closed = on_closed};
	struct http_exchange_events watched = events;
	struct pending *pending = calloc(1, sizeof *pending);

	if (pending == NULL)
		return NULL;
	pending->arena = arena_create(PENDING_ARENA_BYTES_MAX);
	if (pending->arena == NULL) {
		free(pending);
		return NULL;
	}
	pending->oauth = oauth;
	pending->exchange = exchange;
	pending->request.done = on_issued;
	pending->request.context = pending;
	pending->next = oauth->pending;
	oauth->pending = pending;
	watched.context = pending;
	http_exchange_watch(exchange, &watched);
	return pending;
}

static void handle_token(void *context, struct http_exchange *exchange)
{
	struct oauth *oauth = context;
	struct pending *pending = pending_create(oauth, exchange);
	struct form_fault fault;
	struct form form;

	if (pending == NULL) {
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
		return;
	}
	/* Whatever is answered here and now needs no waiting for the service. */
	pending->is_answered = true;
	if (http_header_find(exchange, "Authorization").data != NULL) {
		answer_error(exchange, pending->arena, 401, "invalid_client",
			"prove yourself by client_assertion (private_key_jwt), not by a header");
	} else if (read_form(exchange, &form, pending->arena)) {
		if (!fill_request(&pending->request, &form, &fault)) {
			answer_error(exchange, pending->arena, fault.status, fault.error,
				fault.description);
			return;
		}
		pending->is_answered = false;
		issue_open_task(oauth->issue, &pending->request);
	}
}

/* ---- POST /oauth/revoke (RFC 7009) ---- */

static void handle_revoke(void *context, struct http_exchange *exchange)
{
	struct oauth *oauth = context;
	struct arena *arena = http_exchange_arena(exchange);
	struct json nothing;
	struct json_builder object;
	struct error err = {0};
	struct form form;

	if (arena == NULL) {
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
		return;
	}
	if (!read_form(exchange, &form, arena))
		return;
	if (form_find(&form, "token").length == 0) {
		answer_error(exchange, arena, 400, "invalid_request", "token is missing");
		return;
	}
	/* Who holds the token may end it; one that ends nothing is no error. */
	if (!issue_revoke(oauth->issue, form_find(&form, "token"), &err) &&
		err.code != ERROR_NOT_FOUND && err.code != ERROR_CONFLICT) {
		answer_error(exchange, arena, 503, "temporarily_unavailable", err.text);
		return;
	}
	json_object_start(&object, arena);
	if (json_object_seal(&object, &nothing, &err))
		answer_json(exchange, arena, 200, &nothing);
	else
		http_respond_problem(exchange, 503, "Service Unavailable", err.text);
}

/* ---- documents ---- */

/* How a document is made; false: no memory. */
typedef bool make_document(
	struct json *out, struct oauth *oauth, struct arena *arena, struct error *err);

static void answer_document(
	struct oauth *oauth, struct http_exchange *exchange, make_document *make)
{
	struct arena *arena = http_exchange_arena(exchange);
	struct error err = {0};
	struct json body;
	struct http_response response = {.status = 200, .content_type = "application/json"};

	if (arena == NULL || !make(&body, oauth, arena, &err)) {
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
		return;
	}
	response.body = json_canonical_text(arena, &body);
	if (response.body.data == NULL)
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
	else
		http_respond(exchange, &response);
}

/* One string in an array. */
static bool put_list(
	struct json_builder *object, const char *name, struct text only, struct error *err)
{
	struct json_builder array;
	struct json list;

	json_array_start(&array, object->arena);
	if (only.length > 0)
		json_add(&array, json_string(only));
	if (!json_array_seal(&array, &list, err))
		return false;
	json_put(object, name, list);
	return true;
}

static bool put_grants(struct json_builder *object, struct error *err)
{
	struct json_builder array;
	struct json list;

	json_array_start(&array, object->arena);
	for (size_t i = 0; i < GRANTS_COUNT; i++)
		json_add(&array, json_string(text_of(grants[i].type)));
	if (!json_array_seal(&array, &list, err))
		return false;
	json_put(object, "grant_types_supported", list);
	return true;
}

static bool put_url(struct json_builder *object, const char *name, struct text issuer,
	const char *path, struct error *err)
{
	struct text url = text_format(object->arena, "%.*s%s", TEXT_ARGS(issuer), path);

	if (url.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a document");
	json_put_text(object, name, url);
	return true;
}

/* RFC 8414 §2. */
static bool make_server_metadata(
	struct json *out, struct oauth *oauth, struct arena *arena, struct error *err)
{
	struct text issuer = issue_issuer(oauth->issue);
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_text(&object, "issuer", issuer);
	return put_url(&object, "token_endpoint", issuer, "/oauth/token", err) &&
	       put_url(&object, "revocation_endpoint", issuer, "/oauth/revoke", err) &&
	       put_url(&object, "jwks_uri", issuer, "/oauth/jwks", err) &&
	       put_grants(&object, err) &&
	       put_list(&object, "response_types_supported", TEXT(""), err) &&
	       put_list(&object, "scopes_supported", TEXT(ACCESS_TOKEN_SCOPE), err) &&
	       put_list(&object, "token_endpoint_auth_methods_supported", TEXT("private_key_jwt"),
		       err) &&
	       put_list(&object, "token_endpoint_auth_signing_alg_values_supported", TEXT("ES256"),
		       err) &&
	       put_list(&object, "revocation_endpoint_auth_methods_supported", TEXT("none"), err) &&
	       json_object_seal(&object, out, err);
}

static bool make_keys(struct json *out, struct oauth *oauth, struct arena *arena, struct error *err)
{
	return key_set_format(out, arena, &oauth->keys, err);
}

static void handle_server_metadata(void *context, struct http_exchange *exchange)
{
	answer_document(context, exchange, make_server_metadata);
}

static void handle_keys(void *context, struct http_exchange *exchange)
{
	answer_document(context, exchange, make_keys);
}

/* RFC 9728 §2. */
static bool make_resource_metadata(struct json *out, const struct oauth *oauth,
	struct text resource, struct text name, struct arena *arena, struct error *err)
{
	struct json_builder object;

	if (resource.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a document");
	json_object_start(&object, arena);
	json_put_text(&object, "resource", resource);
	json_put_text(&object, "resource_name", name);
	return put_list(&object, "authorization_servers", issue_issuer(oauth->issue), err) &&
	       put_list(&object, "bearer_methods_supported", TEXT("header"), err) &&
	       put_list(&object, "scopes_supported", TEXT(ACCESS_TOKEN_SCOPE), err) &&
	       json_object_seal(&object, out, err);
}

/* resource is its URL; without data: no memory. */
static void answer_resource(const struct oauth *oauth, struct http_exchange *exchange,
	struct text resource, struct text name)
{
	struct arena *arena = http_exchange_arena(exchange);
	struct http_response response = {.status = 200, .content_type = "application/json"};
	struct error err = {0};
	struct json body;

	if (arena != NULL && make_resource_metadata(&body, oauth, resource, name, arena, &err))
		response.body = json_canonical_text(arena, &body);
	if (response.body.data == NULL)
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
	else
		http_respond(exchange, &response);
}

static void handle_server_resource(void *context, struct http_exchange *exchange)
{
	const struct oauth *oauth = context;
	struct text server = http_path_value(exchange, "server");
	struct arena *arena = http_exchange_arena(exchange);
	struct text resource = {0};

	if (registry_find_server(oauth->registry, server) == NULL) {
		http_respond_problem(exchange, 404, "Not Found", "no such server is registered");
		return;
	}
	if (arena != NULL)
		resource = issue_audience(oauth->issue, arena, server);
	answer_resource(oauth, exchange, resource, server);
}

/* A decision point: an application, or remit's own where the path names none. */
static void handle_point_resource(void *context, struct http_exchange *exchange)
{
	const struct oauth *oauth = context;
	struct text application = http_path_value(exchange, "application");
	struct arena *arena = http_exchange_arena(exchange);
	struct text resource = {0};

	if (application.length > 0 &&
		registry_find_application(oauth->registry, application) == NULL) {
		http_respond_problem(
			exchange, 404, "Not Found", "no such application is registered");
		return;
	}
	if (arena != NULL)
		resource = issue_point_audience(oauth->issue, arena, application);
	answer_resource(
		oauth, exchange, resource, application.length > 0 ? application : TEXT("remit"));
}

/* ---- the door ---- */

static bool add_token_key(struct oauth *oauth, const struct public_key *key, struct error *err)
{
	struct public_key_numbers numbers;
	struct public_key *copy = NULL;
	char thumbprint[JWK_THUMBPRINT_BYTES];

	public_key_numbers(key, &numbers);
	return jwk_thumbprint(thumbprint, key, err) &&
	       public_key_from_ec(&copy, public_key_algorithm(key), numbers.x, numbers.y, err) &&
	       key_set_add(&oauth->keys, text_of(thumbprint), copy, err);
}

bool oauth_create(struct oauth **out, struct issue *issue, const struct registry *registry,
	const struct public_key *token_key, struct error *err)
{
	struct oauth *oauth = calloc(1, sizeof *oauth);

	*out = NULL;
	if (oauth == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the token door");
	oauth->issue = issue;
	oauth->registry = registry;
	if (!add_token_key(oauth, token_key, err)) {
		oauth_destroy(&oauth);
		return false;
	}
	*out = oauth;
	return true;
}

void oauth_destroy(struct oauth **oauth)
{
	if (*oauth == NULL)
		return;
	while ((*oauth)->pending != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself off the list */
		pending_free((*oauth)->pending);
	key_set_deinit(&(*oauth)->keys);
	free(*oauth);
	*oauth = NULL;
}

bool oauth_add_routes(struct oauth *oauth, struct router *router, struct error *err)
{
	const struct http_route routes[OAUTH_ROUTES] = {
		{"POST", "/oauth/token", handle_token, oauth},
		{"POST", "/oauth/revoke", handle_revoke, oauth},
		{"GET", "/oauth/jwks", handle_keys, oauth},
		{"GET", "/.well-known/oauth-authorization-server", handle_server_metadata, oauth},
		{"GET", "/.well-known/oauth-protected-resource/mcp/{server}",
			handle_server_resource, oauth},
		{"GET", "/.well-known/oauth-protected-resource", handle_point_resource, oauth},
		{"GET", "/.well-known/oauth-protected-resource/applications/{application}",
			handle_point_resource, oauth},
	};

	/* The router borrows them for as long as it lives. */
	memcpy(oauth->routes, routes, sizeof routes);
	return router_add(router, oauth->routes, OAUTH_ROUTES, err);
}
