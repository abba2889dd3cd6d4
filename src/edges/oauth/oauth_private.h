#ifndef EDGES_OAUTH_OAUTH_PRIVATE_H
#define EDGES_OAUTH_OAUTH_PRIVATE_H

#include "domain/token/key_set.h"
#include "edges/oauth/address.h"
#include "edges/oauth/form.h"
#include "edges/oauth/oauth.h"

/* What the files of this folder share. */

enum { OAUTH_ROUTES = 17 };

struct grant;
struct pending;

struct oauth {
	struct issue *issue;
	const struct registry *registry;
	struct registrar *registrar;
	struct pending *pending; /* requests for a token */
	bool offers_certificates;
	struct http_route routes[OAUTH_ROUTES];
};

/* One request that waits for the service.  Ends when is_answered and is_closed. */
struct pending {
	struct oauth *oauth;
	struct http_exchange *exchange; /* NULL once the peer has gone */
	struct arena *arena;            /* the request's texts must outlive the exchange */
	/* What is asked: one of these. */
	struct issue_request request;
	struct issue_introspection introspection;
	struct registrar_request registration;
	const struct grant *grant; /* of a request for a token */
	bool is_answered;
	bool is_closed;
	struct pending *next;
};

/* pending.c: one that is watched; NULL: no memory. */
struct pending *oauth_pending_create(struct oauth *oauth, struct http_exchange *exchange);
void oauth_pending_free(struct pending *pending);
/* The answer is here.  False: nobody waits for it, and pending is gone. */
bool oauth_pending_is_open(struct pending *pending);

/* What a refusal is in the standards' own words. */
struct oauth_error {
	unsigned status;
	const char *error;
};
struct oauth_error oauth_error_of(enum issue_refusal refusal);

/* What is wrong with a form. */
struct form_fault {
	unsigned status;
	const char *error;
	const char *description;
};

/* oauth.c: how whoever asks proves itself; false: fault says what is wrong. */
bool oauth_take_client(
	struct issue_request *request, const struct form *form, struct form_fault *fault);
/* What the new task is to be. */
void oauth_take_wishes(struct issue_request *request, const struct form *form);

/* oauth.c: what the connection and the head say the token is to be bound to; likewise. */
bool oauth_take_binding(struct pending *pending, struct form_fault *fault);

/* answer.c: an answer about a DPoP proof brings the nonce of the next one (RFC 9449 §8.2). */
struct oauth_answer {
	unsigned status;
	const struct json *body;
	const char *nonce; /* NULL: none */
};
void oauth_answer_whole(
	struct http_exchange *exchange, struct arena *arena, const struct oauth_answer *answer);
/* RFC 6749 §5.2.  Errors: LIMIT. */
bool oauth_error_body(struct json *out, struct arena *arena, const char *error,
	const char *description, struct error *err) MUST_CHECK;
/* answer.c: an answer that nobody may keep; who used a header hears, with a 401, which
 * one is due (RFC 6749 §5.2). */
void oauth_answer_json(struct http_exchange *exchange, struct arena *arena, unsigned status,
	const struct json *body);
/* RFC 6749 §5.2. */
void oauth_answer_error(struct http_exchange *exchange, struct arena *arena, unsigned status,
	const char *error, const char *description);
/* The token of a request, and how it came. */
struct issue_presented oauth_presented_by(const struct http_exchange *exchange);
/* Checks the frame of a form request; false: it is answered. */
bool oauth_read_form(struct http_exchange *exchange, struct form *form, struct arena *arena);

/* consent_page.c: pages for people, who may not be led to click on them by others. */
void oauth_answer_page(struct http_exchange *exchange, unsigned status, const struct buffer *body);
/* To an address of a client, with these parameters (empty ones are left out). */
void oauth_redirect(struct http_exchange *exchange, struct text address,
	const struct oauth_parameter *parameters, size_t count);
/* authorize.c: the parameters of an address, strictly; false: there are none, or they are bad. */
bool oauth_read_query(
	const struct http_request *request, struct arena *arena, struct form *form) MUST_CHECK;
/* The name of the cookie of one wish, NUL-terminated. */
enum { OAUTH_COOKIE_NAME_BYTES = 64 };
void oauth_cookie_name(
	const struct oauth *oauth, struct text id, char out[OAUTH_COOKIE_NAME_BYTES]);
bool oauth_is_https(const struct oauth *oauth);

/* oauth.c: the grant types that the token endpoint knows, as an array. */
bool oauth_grants(struct json *out, struct arena *arena, struct error *err) MUST_CHECK;
bool oauth_has_grant(struct text type);

/* The endpoints; context is the struct oauth. */
void oauth_handle_revoke(void *context, struct http_exchange *exchange);
void oauth_handle_introspect(void *context, struct http_exchange *exchange);
void oauth_handle_backchannel(void *context, struct http_exchange *exchange);
void oauth_handle_register(void *context, struct http_exchange *exchange);
void oauth_handle_authorize(void *context, struct http_exchange *exchange);
void oauth_handle_consent(void *context, struct http_exchange *exchange);
void oauth_handle_keys(void *context, struct http_exchange *exchange);
void oauth_handle_server_metadata(void *context, struct http_exchange *exchange);
void oauth_handle_server_resource(void *context, struct http_exchange *exchange);
void oauth_handle_provider_resource(void *context, struct http_exchange *exchange);
void oauth_handle_peer_resource(void *context, struct http_exchange *exchange);
void oauth_handle_point_resource(void *context, struct http_exchange *exchange);

#endif
