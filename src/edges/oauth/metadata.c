/* What is told to whoever asks: the server's metadata, its keys, and the metadata of
 * what tokens are for.  Made for each answer from what holds now. */
#include "domain/token/dpop.h"
#include "domain/token/key_set.h"
#include "edges/oauth/oauth_private.h"

/* Keys of charters sign by ES256; those of registered issuers, whose tokens stand for a client's
 * own, by any of the others. */
#define CLIENT_ALGORITHMS "ES256 ES384 RS256 PS256 Ed25519"

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
	struct json list;

	if (!oauth_grants(&list, object->arena, err))
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

/* Words with one blank between them, as an array. */
static bool put_words(
	struct json_builder *object, const char *name, struct text words, struct error *err)
{
	struct json_builder array;
	struct json list;

	json_array_start(&array, object->arena);
	while (words.length > 0) {
		ptrdiff_t blank = text_find_byte(words, ' ');
		size_t length = blank < 0 ? words.length : (size_t)blank;
		size_t taken = blank < 0 ? length : length + 1;

		json_add(&array, json_string((struct text){words.data, length}));
		words = (struct text){words.data + taken, words.length - taken};
	}
	if (!json_array_seal(&array, &list, err))
		return false;
	json_put(object, name, list);
	return true;
}

/* RFC 8705 §3.3 and §5: the endpoints themselves take certificates. */
static bool put_certificates(struct json_builder *object, struct text issuer, struct error *err)
{
	struct json_builder aliases;
	struct json sealed;

	json_put_boolean(object, "tls_client_certificate_bound_access_tokens", true);
	json_object_start(&aliases, object->arena);
	if (!put_url(&aliases, "token_endpoint", issuer, "/oauth/token", err) ||
		!put_url(&aliases, "revocation_endpoint", issuer, "/oauth/revoke", err) ||
		!json_object_seal(&aliases, &sealed, err))
		return false;
	json_put(object, "mtls_endpoint_aliases", sealed);
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
	json_put_boolean(&object, "authorization_response_iss_parameter_supported", true);
	return put_url(&object, "authorization_endpoint", issuer, "/oauth/authorize", err) &&
	       put_list(&object, "code_challenge_methods_supported", TEXT("S256"), err) &&
	       put_list(&object, "response_modes_supported", TEXT("query"), err) &&
	       put_url(&object, "token_endpoint", issuer, "/oauth/token", err) &&
	       put_url(&object, "revocation_endpoint", issuer, "/oauth/revoke", err) &&
	       put_url(&object, "backchannel_authentication_endpoint", issuer,
		       "/oauth/bc-authorize", err) &&
	       put_list(&object, "backchannel_token_delivery_modes_supported", TEXT("poll"), err) &&
	       put_url(&object, "registration_endpoint", issuer, "/oauth/register", err) &&
	       put_url(&object, "introspection_endpoint", issuer, "/oauth/introspect", err) &&
	       put_url(&object, "jwks_uri", issuer, "/oauth/jwks", err) &&
	       put_grants(&object, err) &&
	       put_list(&object, "response_types_supported", TEXT("code"), err) &&
	       put_list(&object, "scopes_supported", TEXT(ACCESS_TOKEN_SCOPE), err) &&
	       put_words(&object, "token_endpoint_auth_methods_supported",
		       oauth->offers_certificates
			       ? TEXT("none private_key_jwt self_signed_tls_client_auth")
			       : TEXT("none private_key_jwt"),
		       err) &&
	       put_words(
		       &object, "dpop_signing_alg_values_supported", TEXT(DPOP_ALGORITHMS), err) &&
	       (!oauth->offers_certificates || put_certificates(&object, issuer, err)) &&
	       put_words(&object, "token_endpoint_auth_signing_alg_values_supported",
		       TEXT(CLIENT_ALGORITHMS), err) &&
	       put_list(&object, "revocation_endpoint_auth_methods_supported", TEXT("none"), err) &&
	       put_list(&object, "introspection_endpoint_auth_methods_supported",
		       TEXT("private_key_jwt"), err) &&
	       put_list(&object, "introspection_endpoint_auth_signing_alg_values_supported",
		       TEXT("ES256"), err) &&
	       put_list(&object, "authorization_details_types_supported", TEXT(TASK_DETAIL_TYPE),
		       err) &&
	       json_object_seal(&object, out, err);
}

static bool make_keys(struct json *out, struct oauth *oauth, struct arena *arena, struct error *err)
{
	return issue_key_set(oauth->issue, arena, out, err);
}

void oauth_handle_server_metadata(void *context, struct http_exchange *exchange)
{
	answer_document(context, exchange, make_server_metadata);
}

void oauth_handle_keys(void *context, struct http_exchange *exchange)
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
	       put_words(
		       &object, "dpop_signing_alg_values_supported", TEXT(DPOP_ALGORITHMS), err) &&
	       put_list(&object, "scopes_supported", TEXT(ACCESS_TOKEN_SCOPE), err) &&
	       put_list(&object, "authorization_details_types_supported", TEXT(TASK_DETAIL_TYPE),
		       err) &&
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

enum door { DOOR_OF_SERVERS = 0, DOOR_OF_PROVIDERS };

/* The registered server of that name at the door of what it speaks. */
static void answer_server(const struct oauth *oauth, struct http_exchange *exchange, enum door door)
{
	struct text name = http_path_value(exchange, "server");
	const struct server *server = registry_find_server(oauth->registry, name);
	struct arena *arena = http_exchange_arena(exchange);
	struct text resource = {0};

	if (server == NULL || (server->speaks == SPEAKS_MCP) != (door == DOOR_OF_SERVERS)) {
		http_respond_problem(exchange, 404, "Not Found", "no such server is registered");
		return;
	}
	if (arena != NULL && door == DOOR_OF_SERVERS)
		resource = issue_audience(oauth->issue, arena, name);
	else if (arena != NULL)
		resource = issue_provider_audience(oauth->issue, arena, name);
	answer_resource(oauth, exchange, resource, name);
}

void oauth_handle_server_resource(void *context, struct http_exchange *exchange)
{
	answer_server(context, exchange, DOOR_OF_SERVERS);
}

void oauth_handle_provider_resource(void *context, struct http_exchange *exchange)
{
	answer_server(context, exchange, DOOR_OF_PROVIDERS);
}

void oauth_handle_peer_resource(void *context, struct http_exchange *exchange)
{
	const struct oauth *oauth = context;
	struct text peer = http_path_value(exchange, "peer");
	const struct server *server = registry_find_server(oauth->registry, peer);
	struct arena *arena = http_exchange_arena(exchange);
	struct text resource = {0};

	if (server == NULL || server->speaks != SPEAKS_A2A) {
		http_respond_problem(exchange, 404, "Not Found", "no such peer is registered");
		return;
	}
	if (arena != NULL)
		resource = issue_peer_audience(oauth->issue, arena, peer);
	answer_resource(oauth, exchange, resource, peer);
}

/* A decision point: an application, or remit's own where the path names none. */
void oauth_handle_point_resource(void *context, struct http_exchange *exchange)
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
