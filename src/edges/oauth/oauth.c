/* The authorization server's door, and its token endpoint. */
#include "edges/oauth/oauth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/token/client_assertion.h"
#include "edges/oauth/oauth_private.h"
#include "edges/oauth/session.h"

_Static_assert((int)OAUTH_BODY_BYTES_MAX == (int)FORM_BYTES_MAX, "one bound");
_Static_assert((int)OAUTH_PARAMETERS_MAX == (int)FORM_PARAMETERS_MAX, "one bound");

/* ---- POST /oauth/token ---- */

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

/* RFC 7523 §2.1: what the identity's own key signed is grant and proof in one. */
static bool take_jwt_bearer(
	struct issue_request *request, const struct form *form, struct form_fault *fault)
{
	request->assertion = form_find(form, "assertion");
	request->assertion_use = ISSUE_ASSERTION_GRANTS;
	request->client = form_find(form, "client_id");
	request->parent = form_find(form, "parent");
	if (request->assertion.length == 0)
		fault->description = "assertion is missing";
	else if (form_find(form, "client_assertion").length > 0)
		fault->description = "the assertion is grant and proof: leave out "
				     "client_assertion";
	return fault->description == NULL;
}

/* CIBA Core §10.1: the token of a task that people were asked about. */
static bool take_claim(
	struct issue_request *request, const struct form *form, struct form_fault *fault)
{
	request->wish = ISSUE_WISH_CLAIM;
	request->may_act = TEXT(""); /* what the task is, was said when it was opened */
	request->claim = form_find(form, "auth_req_id");
	if (request->claim.length == 0)
		fault->description = "auth_req_id is missing";
	return fault->description == NULL;
}

/* RFC 8693 §2.1: a task below the one of the token that is brought.  Either of resource and
 * audience names the place; of two different ones no token can be for both. */
static bool take_token_exchange(
	struct issue_request *request, const struct form *form, struct form_fault *fault)
{
	struct text audience = form_find(form, "audience");

	if (request->resource.length == 0)
		request->resource = audience;
	if (audience.length > 0 && !text_equal(audience, request->resource)) {
		fault->error = "invalid_target";
		fault->description = "resource and audience name two places";
		return false;
	}
	request->is_exchange = true;
	request->exchange = (struct issue_exchange){
		.subject_token = form_find(form, "subject_token"),
		.subject_token_type = form_find(form, "subject_token_type"),
		.actor_token = form_find(form, "actor_token"),
		.actor_token_type = form_find(form, "actor_token_type"),
		.requested_token_type = form_find(form, "requested_token_type"),
	};
	return true;
}

/* A public client only says who it is (RFC 6749 §3.2.1): the verifier, or the token, is all that
 * it has. */
static bool take_either_client(
	struct issue_request *request, const struct form *form, struct form_fault *fault)
{
	if (form_find(form, "client_assertion").length > 0)
		return oauth_take_client(request, form, fault);
	request->client = form_find(form, "client_id");
	if (request->client.length == 0)
		fault->description = "client_id is missing";
	return fault->description == NULL;
}

/* RFC 6749 §4.1.3, RFC 7636 §4.5. */
static bool take_code(
	struct issue_request *request, const struct form *form, struct form_fault *fault)
{
	request->is_code = true;
	request->may_act = TEXT("");
	request->code = (struct issue_code){.code = form_find(form, "code"),
		.redirect = form_find(form, "redirect_uri"),
		.verifier = form_find(form, "code_verifier")};
	if (request->code.code.length == 0)
		fault->description = "code is missing";
	else if (request->code.redirect.length == 0)
		fault->description = "redirect_uri is missing";
	else if (request->code.verifier.length == 0)
		fault->description = "code_verifier is missing";
	else
		return take_either_client(request, form, fault);
	return false;
}

/* RFC 6749 §6. */
static bool take_refresh(
	struct issue_request *request, const struct form *form, struct form_fault *fault)
{
	request->wish = ISSUE_WISH_REFRESH;
	request->may_act = TEXT("");
	request->refresh = form_find(form, "refresh_token");
	if (request->refresh.length == 0) {
		fault->description = "refresh_token is missing";
		return false;
	}
	return take_either_client(request, form, fault);
}

/* What proves whoever asks. */
enum proof_of_client { PROOF_BESIDE = 0, PROOF_IS_GRANT, PROOF_IS_TAKEN };

static const struct grant {
	const char *type;
	take_grant *take;
	enum proof_of_client proof;
} grants[] = {
	{"authorization_code", take_code, PROOF_IS_TAKEN},
	{"refresh_token", take_refresh, PROOF_IS_TAKEN},
	{"client_credentials", take_client_credentials, PROOF_BESIDE},
	{JWT_BEARER_GRANT_TYPE, take_jwt_bearer, PROOF_IS_GRANT},
	{"urn:openid:params:grant-type:ciba", take_claim, PROOF_BESIDE},
	{"urn:ietf:params:oauth:grant-type:token-exchange", take_token_exchange, PROOF_BESIDE},
};
enum { GRANTS_COUNT = sizeof grants / sizeof grants[0] };

bool oauth_grants(struct json *out, struct arena *arena, struct error *err)
{
	struct json_builder array;

	json_array_start(&array, arena);
	for (size_t i = 0; i < GRANTS_COUNT; i++)
		json_add(&array, json_string(text_of(grants[i].type)));
	return json_array_seal(&array, out, err);
}

static bool token_body(struct json *out, struct pending *pending, struct error *err)
{
	const struct issue_request *request = &pending->request;
	struct json_builder object;

	json_object_start(&object, pending->arena);
	json_put_text(&object, "access_token", request->token);
	if (request->is_exchange)
		json_put_cstring(&object, "issued_token_type", TOKEN_TYPE_ACCESS);
	json_put_cstring(&object, "token_type", request->bound == BINDING_DPOP ? "DPoP" : "Bearer");
	json_put_integer(&object, "expires_in", request->lifetime_s);
	json_put_text_unless_empty(&object, "refresh_token", request->refresh_granted);
	json_put_text(&object, "scope", request->scope_granted);
	json_put_text(&object, "task", request->task);
	json_put_integer(&object, "record", (int64_t)request->index);
	if (request->details_granted.length > 0) {
		struct json details;

		if (!json_parse(&details, pending->arena, request->details_granted,
			    &json_limits_default, err))
			return false;
		json_put(&object, "authorization_details", details);
	}
	return json_object_seal(&object, out, err);
}

/* What does not prove whoever asks is told in the grant's own word: RFC 6749 §5.2, RFC 7521
 * §4.1.1. */
static struct oauth_error error_for(const struct pending *pending)
{
	struct oauth_error error = oauth_error_of(pending->request.refusal);

	if (error.status == 401 && pending->grant->proof == PROOF_IS_GRANT)
		return (struct oauth_error){400, "invalid_grant"};
	return error;
}

static void answer_issue(struct pending *pending)
{
	const struct issue_request *request = &pending->request;
	bool is_granted = request->refusal == ISSUE_GRANTED;
	struct oauth_error error = error_for(pending);
	char nonce[ISSUE_NONCE_BYTES];
	struct json body;
	struct oauth_answer answer = {.status = is_granted ? 200 : error.status, .body = &body};
	struct error err = {0};

	if (request->proof.data != NULL) {
		issue_nonce(pending->oauth->issue, nonce);
		answer.nonce = nonce;
	}
	if (is_granted ? token_body(&body, pending, &err)
		       : oauth_error_body(
				 &body, pending->arena, error.error, request->detail, &err))
		oauth_answer_whole(pending->exchange, pending->arena, &answer);
	else
		http_respond_problem(pending->exchange, 503, "Service Unavailable", err.text);
}

static void on_issued(struct issue_request *request)
{
	struct pending *pending = request->context;

	if (oauth_pending_is_open(pending))
		answer_issue(pending);
}

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

bool oauth_has_grant(struct text type)
{
	return find_grant(type) != NULL;
}

bool oauth_take_client(
	struct issue_request *request, const struct form *form, struct form_fault *fault)
{
	request->assertion = form_find(form, "client_assertion");
	request->client = form_find(form, "client_id");
	if (request->assertion.length == 0 && request->certificate.length > 0)
		return true; /* RFC 8705 §2: the connection says it all */
	if (!find_form(form_find(form, "client_assertion_type"), &request->assertion_form)) {
		fault->status = 401;
		fault->error = "invalid_client";
		fault->description = "client_assertion_type must be " CLIENT_ASSERTION_TYPE;
	}
	return fault->description == NULL;
}

void oauth_take_wishes(struct issue_request *request, const struct form *form)
{
	request->resource = form_find(form, "resource");
	request->scope = form_find(form, "scope");
	request->purpose = form_find(form, "purpose");
	request->details = form_find(form, "authorization_details");
	request->instance = form_find(form, "instance");
	request->session = form_find(form, "session");
}

static bool fill_request(struct pending *pending, const struct form *form, struct form_fault *fault)
{
	struct issue_request *request = &pending->request;
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
	oauth_take_wishes(request, form);
	request->may_act = form_find(form, "may_act");
	pending->grant = grant;
	if (form_find(form, "client_secret").length > 0) {
		fault->description = "there are no client secrets here: use private_key_jwt";
		return false;
	}
	return (grant->proof != PROOF_BESIDE || oauth_take_client(request, form, fault)) &&
	       grant->take(request, form, fault);
}

static bool take_above(struct pending *pending)
{
	struct issue_request *request = &pending->request;

	_Static_assert((int)ISSUE_CERTIFICATES_ABOVE_MAX == (int)HTTP_CERTIFICATES_ABOVE_MAX,
		"what is shown is taken");
	for (size_t i = 0; i < HTTP_CERTIFICATES_ABOVE_MAX; i++) {
		struct text above = http_exchange_certificate_above(pending->exchange, i);
		struct text *copy = &request->certificates_above[i];

		if (above.length == 0)
			return true;
		*copy = text_copy(pending->arena, above);
		if (copy->data == NULL)
			return false;
		request->certificates_above_count++;
	}
	return true;
}

/* What the token is to be bound to, as far as the connection and the head say; false: fault
 * says what is wrong.  Copied, because the exchange may end before the request. */
bool oauth_take_binding(struct pending *pending, struct form_fault *fault)
{
	struct http_exchange *exchange = pending->exchange;
	struct issue_request *request = &pending->request;
	struct text proof, certificate = http_exchange_certificate(exchange);
	bool is_whole;

	*fault = (struct form_fault){400, "invalid_dpop_proof", NULL};
	if (!http_header_single(exchange, "DPoP", &proof)) {
		fault->description = "more than one DPoP field was sent"; /* RFC 9449 §4.3 */
		return false;
	}
	request->path = text_copy(pending->arena, http_exchange_request(exchange)->path);
	if (proof.data != NULL)
		request->proof = text_copy(pending->arena, proof);
	if (certificate.length > 0)
		request->certificate = text_copy(pending->arena, certificate);
	is_whole = take_above(pending);
	if (request->path.data != NULL && (request->proof.data != NULL) == (proof.data != NULL) &&
		request->certificate.length == certificate.length && is_whole)
		return true;
	*fault = (struct form_fault){503, "temporarily_unavailable", "no memory"};
	return false;
}

static void handle_token(void *context, struct http_exchange *exchange)
{
	struct oauth *oauth = context;
	struct pending *pending = oauth_pending_create(oauth, exchange);
	struct form_fault fault;
	struct form form;

	if (pending == NULL) {
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
		return;
	}
	/* Whatever is answered here and now needs no waiting for the service. */
	pending->is_answered = true;
	if (http_header_find(exchange, "Authorization").data != NULL) {
		oauth_answer_error(exchange, pending->arena, 401, "invalid_client",
			"prove yourself by client_assertion (private_key_jwt), not by a header");
	} else if (oauth_read_form(exchange, &form, pending->arena)) {
		if (!oauth_take_binding(pending, &fault) || !fill_request(pending, &form, &fault)) {
			oauth_answer_error(exchange, pending->arena, fault.status, fault.error,
				fault.description);
			return;
		}
		pending->is_answered = false;
		pending->request.done = on_issued;
		pending->request.context = pending;
		issue_open_task(oauth->issue, &pending->request);
	}
}

/* ---- the door ---- */

bool oauth_create(
	struct oauth **out, struct issue *issue, struct registrar *registrar, struct error *err)
{
	struct oauth *oauth = calloc(1, sizeof *oauth);

	*out = NULL;
	if (oauth == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the token door");
	oauth->issue = issue;
	oauth->registry = registrar_registry(registrar);
	oauth->registrar = registrar;
	*out = oauth;
	return true;
}

void oauth_offer_certificates(struct oauth *oauth)
{
	oauth->offers_certificates = true;
}

void oauth_destroy(struct oauth **oauth)
{
	if (*oauth == NULL)
		return;
	while ((*oauth)->pending != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself off the list */
		oauth_pending_free((*oauth)->pending);
	free(*oauth);
	*oauth = NULL;
}

bool oauth_add_routes(struct oauth *oauth, struct router *router, struct error *err)
{
	const struct http_route routes[OAUTH_ROUTES] = {
		{"POST", "/oauth/token", handle_token, oauth},
		{"GET", "/oauth/authorize", oauth_handle_authorize, oauth},
		{"GET", "/oauth/consent/{id}", oauth_handle_consent, oauth},
		{"POST", "/oauth/revoke", oauth_handle_revoke, oauth},
		{"POST", "/oauth/bc-authorize", oauth_handle_backchannel, oauth},
		{"POST", "/oauth/register", oauth_handle_register, oauth},
		{"POST", "/oauth/introspect", oauth_handle_introspect, oauth},
		{"GET", "/oauth/jwks", oauth_handle_keys, oauth},
		{"GET", "/oauth/session", oauth_handle_session, oauth->issue},
		{"POST", "/oauth/heartbeat", oauth_handle_heartbeat, oauth->issue},
		{"GET", "/.well-known/oauth-authorization-server", oauth_handle_server_metadata,
			oauth},
		/* RFC 8414 §5: where clients of OpenID Connect look for the same. */
		{"GET", "/.well-known/openid-configuration", oauth_handle_server_metadata, oauth},
		{"GET", "/.well-known/oauth-protected-resource/a2a/{peer}",
			oauth_handle_peer_resource, oauth},
		{"GET", "/.well-known/oauth-protected-resource/llm/{server}",
			oauth_handle_provider_resource, oauth},
		{"GET", "/.well-known/oauth-protected-resource/mcp/{server}",
			oauth_handle_server_resource, oauth},
		{"GET", "/.well-known/oauth-protected-resource", oauth_handle_point_resource,
			oauth},
		{"GET", "/.well-known/oauth-protected-resource/applications/{application}",
			oauth_handle_point_resource, oauth},
	};

	/* The router borrows them for as long as it lives. */
	memcpy(oauth->routes, routes, sizeof routes);
	return router_add(router, oauth->routes, OAUTH_ROUTES, err);
}
