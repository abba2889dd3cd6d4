/* POST /oauth/register (RFC 7591), closed but to who holds an invitation: what comes of it is
 * a draft of who gave that, with the client's key. */
#include <strings.h>

#include "edges/oauth/oauth_private.h"

static const struct json_limits limits = {
	.size_bytes = OAUTH_BODY_BYTES_MAX, .depth = 8, .values = 1024};

static bool invalid(struct form_fault *fault, const char *description)
{
	*fault = (struct form_fault){400, "invalid_client_metadata", description};
	return false;
}

/* What the client says of itself must be something that there is here; of names, pages and
 * contacts nothing is kept. */
static bool check_grants(const struct json *metadata, struct form_fault *fault)
{
	const struct json *grants = json_find(metadata, "grant_types");
	struct text method = json_text_or(metadata, "token_endpoint_auth_method", "");

	if (method.length > 0 && !text_is(method, "private_key_jwt"))
		return invalid(fault, "token_endpoint_auth_method must be private_key_jwt");
	if (grants == NULL)
		return true;
	if (grants->type != JSON_ARRAY)
		return invalid(fault, "grant_types is not an array");
	for (uint32_t i = 0; i < grants->count; i++)
		if (grants->items[i].type != JSON_STRING ||
			!oauth_has_grant(grants->items[i].string))
			return invalid(fault, "grant_types has one that is not supported here");
	return true;
}

/* The one key of jwks: where keys lie elsewhere nobody looks. */
static bool take_key(
	struct registrar_request *request, const struct json *metadata, struct form_fault *fault)
{
	const struct json *set = json_find(metadata, "jwks");
	const struct json *keys = set == NULL ? NULL : json_find(set, "keys");

	if (json_find(metadata, "jwks_uri") != NULL)
		return invalid(fault, "jwks_uri is not fetched: give jwks");
	if (keys == NULL || keys->type != JSON_ARRAY || keys->count != 1)
		return invalid(fault, "jwks must hold one public key, P-256");
	if (keys->items[0].type != JSON_OBJECT)
		return invalid(fault, "the key in jwks is not an object");
	request->jwk = keys->items[0];
	return true;
}

static bool read_metadata(struct pending *pending, struct text body, struct form_fault *fault)
{
	struct registrar_request *request = &pending->registration;
	struct json metadata;
	struct error err = {0};

	if (!json_parse(&metadata, pending->arena, body, &limits, &err) ||
		metadata.type != JSON_OBJECT)
		return invalid(fault, "the body is not a JSON object");
	return check_grants(&metadata, fault) && take_key(request, &metadata, fault);
}

/* RFC 7591 §3: the initial access token. */
static bool take_invitation(struct pending *pending, struct form_fault *fault)
{
	static const char scheme[] = "bearer ";
	struct text header = http_header_find(pending->exchange, "Authorization");
	size_t length = sizeof scheme - 1;

	*fault = (struct form_fault){
		401, "invalid_token", "registering needs an invitation: remit identity invite"};
	if (header.length <= length || strncasecmp(header.data, scheme, length) != 0)
		return false;
	pending->registration.code = text_copy(
		pending->arena, (struct text){header.data + length, header.length - length});
	return pending->registration.code.data != NULL;
}

/* RFC 7591 §3.2.1: what is registered, whatever was asked for. */
static bool registered(struct json *out, struct pending *pending, struct error *err)
{
	const struct registrar_request *request = &pending->registration;
	struct json_builder object, set, array;
	struct json grants, keys, key_set;

	json_array_start(&array, pending->arena);
	json_add(&array, request->jwk);
	if (!json_array_seal(&array, &keys, err))
		return false;
	json_object_start(&set, pending->arena);
	json_put(&set, "keys", keys);
	if (!json_object_seal(&set, &key_set, err) || !oauth_grants(&grants, pending->arena, err))
		return false;
	json_object_start(&object, pending->arena);
	json_put_cstring(&object, "client_id", request->name_issued);
	json_put_cstring(&object, "token_endpoint_auth_method", "private_key_jwt");
	json_put(&object, "grant_types", grants);
	json_put(&object, "jwks", key_set);
	json_put_cstring(&object, "state", "draft");
	json_put_integer(&object, "record", (int64_t)request->index);
	return json_object_seal(&object, out, err);
}

static struct form_fault fault_of(const struct registrar_request *request)
{
	if (request->is_forbidden)
		return (struct form_fault){401, "invalid_token", request->err.text};
	if (request->err.code == ERROR_LIMIT || request->err.code == ERROR_IO)
		return (struct form_fault){503, "temporarily_unavailable", request->err.text};
	return (struct form_fault){400, "invalid_client_metadata", request->err.text};
}

static void answer(struct pending *pending)
{
	const struct registrar_request *request = &pending->registration;
	struct form_fault fault = fault_of(request);
	struct error err = {0};
	struct json body;

	if (request->err.code != ERROR_NONE)
		oauth_answer_error(pending->exchange, pending->arena, fault.status, fault.error,
			fault.description);
	else if (registered(&body, pending, &err))
		oauth_answer_json(pending->exchange, pending->arena, 201, &body);
	else
		http_respond_problem(pending->exchange, 503, "Service Unavailable", err.text);
}

static void on_registered(struct registrar_request *request)
{
	struct pending *pending = request->context;

	if (oauth_pending_is_open(pending))
		answer(pending);
}

static void submit(struct pending *pending)
{
	struct registrar_request *request = &pending->registration;
	struct error err = {0};

	request->verb = REGISTRAR_REGISTER;
	request->done = on_registered;
	request->context = pending;
	pending->is_answered = false;
	if (registrar_submit(pending->oauth->registrar, request, &err))
		return;
	pending->is_answered = true;
	oauth_answer_error(
		pending->exchange, pending->arena, 503, "temporarily_unavailable", err.text);
}

void oauth_handle_register(void *context, struct http_exchange *exchange)
{
	struct pending *pending = oauth_pending_create(context, exchange);
	struct form_fault fault;
	struct text body;

	if (pending == NULL) {
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
		return;
	}
	pending->is_answered = true;
	body = text_copy(pending->arena, http_exchange_request(exchange)->body);
	if (body.data == NULL)
		oauth_answer_error(exchange, pending->arena, 413, "invalid_client_metadata",
			"the metadata is too long");
	else if (!take_invitation(pending, &fault) || !read_metadata(pending, body, &fault))
		oauth_answer_error(
			exchange, pending->arena, fault.status, fault.error, fault.description);
	else
		submit(pending);
}
