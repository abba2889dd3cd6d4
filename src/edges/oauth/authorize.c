/* GET /oauth/authorize (RFC 6749 §4.1.1, RFC 7636 §4.3): what an application asks of a person.
 *
 * A browser is sent back only to an address that the client's charter names.  Until that is known
 * every fault is the same page, whether such a client exists or not; from then on faults are the
 * client's to hear (RFC 6749 §4.1.2.1), with `iss` (RFC 9207). */
#include <stdio.h>
#include <string.h>

#include "edges/oauth/oauth_private.h"
#include "services/issue/consent.h"

enum { PAGE_BYTES_MAX = 8 * 1024, COOKIE_BYTES_MAX = 256, PLACE_BYTES_MAX = 128 };

static void answer_fault(struct http_exchange *exchange)
{
	struct buffer body;

	buffer_init(&body, PAGE_BYTES_MAX);
	buffer_append_string(&body,
		"</head><body><h1>This cannot be asked</h1><p>The address that brought you here "
		"does not "
		"name an application, and a way back to it, that may ask people here. Nothing "
		"was sent to it, and nothing has happened.</p>");
	oauth_answer_page(exchange, 400, &body);
	buffer_deinit(&body);
}

static void send_back(struct oauth *oauth, struct http_exchange *exchange, const struct form *form,
	const char *error, const char *description)
{
	const struct oauth_parameter parameters[] = {{"error", text_of(error)},
		{"error_description", text_of(description)}, {"state", form_find(form, "state")},
		{"iss", issue_issuer(oauth->issue)}};

	oauth_redirect(exchange, form_find(form, "redirect_uri"), parameters,
		sizeof parameters / sizeof *parameters);
}

/* What is not asked of the service; NULL: nothing is wrong. */
static const char *fault_of(const struct form *form, const char **out_description)
{
	struct text mode = form_find(form, "response_mode");

	*out_description = "this is not supported";
	if (form_find(form, "request").length > 0)
		return "request_not_supported";
	if (form_find(form, "request_uri").length > 0)
		return "request_uri_not_supported";
	if (!text_is(form_find(form, "response_type"), "code")) {
		*out_description = "response_type must be code";
		return form_find(form, "response_type").length > 0 ? "unsupported_response_type"
								   : "invalid_request";
	}
	if (mode.length > 0 && !text_is(mode, "query")) {
		*out_description = "response_mode must be query";
		return "invalid_request";
	}
	if (!text_is(form_find(form, "code_challenge_method"), "S256")) {
		*out_description = "code_challenge_method must be S256";
		return "invalid_request";
	}
	return NULL;
}

/* The page, for the browser that has the cookie: others know its address at most. */
static void show_page(struct oauth *oauth, struct http_exchange *exchange,
	const struct issue_consent_begun *begun)
{
	char name[OAUTH_COOKIE_NAME_BYTES], cookie[COOKIE_BYTES_MAX], place[PLACE_BYTES_MAX];
	const struct http_header headers[] = {{"Location", place}, {"Set-Cookie", cookie},
		{"Cache-Control", "no-store"}, {"Referrer-Policy", "no-referrer"}};

	oauth_cookie_name(oauth, text_of(begun->id), name);
	(void)snprintf(place, sizeof place, "/oauth/consent/%s", begun->id);
	(void)snprintf(cookie, sizeof cookie, "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s",
		name, begun->secret, ISSUE_CONSENT_WAIT_S + ISSUE_CODE_S,
		oauth_is_https(oauth) ? "; Secure" : "");
	http_respond(exchange,
		&(struct http_response){.status = 303, .headers = headers, .header_count = 4});
	explicit_bzero(cookie, sizeof cookie);
}

static void begin(struct oauth *oauth, struct http_exchange *exchange, const struct form *form)
{
	const struct issue_asked asked = {.client = form_find(form, "client_id"),
		.redirect = form_find(form, "redirect_uri"),
		.resource = form_find(form, "resource"),
		.scope = form_find(form, "scope"),
		.details = form_find(form, "authorization_details"),
		.purpose = form_find(form, "purpose"),
		.state = form_find(form, "state"),
		.challenge = form_find(form, "code_challenge"),
		.key = form_find(form, "dpop_jkt")};
	struct issue_consent_begun begun;
	char detail[ERROR_TEXT_BYTES];
	enum issue_refusal refusal = issue_consent_begin(oauth->issue, &asked, &begun, detail);

	if (refusal == ISSUE_GRANTED)
		show_page(oauth, exchange, &begun);
	else
		send_back(oauth, exchange, form, oauth_error_of(refusal).error, detail);
	explicit_bzero(&begun, sizeof begun);
}

bool oauth_read_query(const struct http_request *request, struct arena *arena, struct form *form)
{
	struct text target = request->target;
	struct error err = {0};

	if (target.length <= request->path.length)
		return false;
	return form_parse(form, arena, text_after(target, request->path.length + 1), &err);
}

void oauth_handle_authorize(void *context, struct http_exchange *exchange)
{
	struct oauth *oauth = context;
	struct arena *arena = http_exchange_arena(exchange);
	const char *description = NULL, *error = NULL;
	struct form form;

	if (arena == NULL) {
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
		return;
	}
	if (!oauth_read_query(http_exchange_request(exchange), arena, &form) ||
		!issue_knows_redirect(oauth->issue, form_find(&form, "client_id"),
			form_find(&form, "redirect_uri"))) {
		answer_fault(exchange);
		return;
	}
	error = fault_of(&form, &description);
	if (error != NULL)
		send_back(oauth, exchange, &form, error, description);
	else
		begin(oauth, exchange, &form);
}
