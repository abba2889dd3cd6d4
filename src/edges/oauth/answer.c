/* What the endpoints have in common: the frame of a form, and answers that nobody
 * may keep. */
#include <strings.h>

#include "edges/oauth/oauth_private.h"

static const struct http_header headers[] = {
	{"Cache-Control", "no-store"}, {"Pragma", "no-cache"},
	{"WWW-Authenticate", "Bearer realm=\"remit\""}, /* to who used a header: RFC 6749 §5.2 */
};
enum { HEADERS_ALWAYS = 2, HEADERS_CHALLENGED = 3 };

void oauth_answer_json(struct http_exchange *exchange, struct arena *arena, unsigned status,
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

void oauth_answer_error(struct http_exchange *exchange, struct arena *arena, unsigned status,
	const char *error, const char *description)
{
	struct json_builder object;
	struct json body;
	struct error err = {0};

	json_object_start(&object, arena);
	json_put_cstring(&object, "error", error);
	json_put_cstring(&object, "error_description", description);
	if (json_object_seal(&object, &body, &err))
		oauth_answer_json(exchange, arena, status, &body);
	else
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
}

static bool is_form(struct text content_type)
{
	static const char form[] = "application/x-www-form-urlencoded";
	size_t length = sizeof form - 1;

	return content_type.length >= length && strncasecmp(content_type.data, form, length) == 0 &&
	       (content_type.length == length || content_type.data[length] == ';' ||
		       content_type.data[length] == ' ');
}

bool oauth_read_form(struct http_exchange *exchange, struct form *form, struct arena *arena)
{
	const struct http_request *http = http_exchange_request(exchange);
	struct error err = {0};

	if (!is_form(http_header_find(exchange, "Content-Type"))) {
		oauth_answer_error(exchange, arena, 400, "invalid_request",
			"Content-Type must be application/x-www-form-urlencoded");
		return false;
	}
	if (http->target.length != http->path.length) {
		oauth_answer_error(exchange, arena, 400, "invalid_request",
			"parameters belong in the body, never in the address");
		return false;
	}
	if (!form_parse(form, arena, http->body, &err)) {
		oauth_answer_error(exchange, arena, err.code == ERROR_LIMIT ? 413 : 400,
			"invalid_request", err.text);
		return false;
	}
	return true;
}
