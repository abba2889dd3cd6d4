/* What the endpoints have in common: the frame of a form, and answers that nobody
 * may keep. */
#include <string.h>
#include <strings.h>

#include "edges/oauth/oauth_private.h"

static const struct http_header headers[] = {
	{"Cache-Control", "no-store"}, {"Pragma", "no-cache"},
	{"WWW-Authenticate", "Bearer realm=\"remit\""}, /* to who used a header: RFC 6749 §5.2 */
};
enum { HEADERS_ALWAYS = 2, HEADERS_CHALLENGED = 3, HEADERS_MAX = 4 };

void oauth_answer_whole(
	struct http_exchange *exchange, struct arena *arena, const struct oauth_answer *answer)
{
	bool is_challenged =
		answer->status == 401 && http_header_find(exchange, "Authorization").data != NULL;
	struct http_header fields[HEADERS_MAX];
	struct http_response response = {
		.status = answer->status,
		.content_type = "application/json",
		.body = json_canonical_text(arena, answer->body),
		.headers = fields,
		.header_count = is_challenged ? HEADERS_CHALLENGED : HEADERS_ALWAYS,
	};

	memcpy(fields, headers, sizeof headers);
	if (answer->nonce != NULL)
		fields[response.header_count++] = (struct http_header){"DPoP-Nonce", answer->nonce};
	if (response.body.data == NULL)
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
	else
		http_respond(exchange, &response);
}

void oauth_answer_json(struct http_exchange *exchange, struct arena *arena, unsigned status,
	const struct json *body)
{
	oauth_answer_whole(exchange, arena, &(struct oauth_answer){status, body, NULL});
}

bool oauth_error_body(struct json *out, struct arena *arena, const char *error,
	const char *description, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_cstring(&object, "error", error);
	json_put_cstring(&object, "error_description", description);
	return json_object_seal(&object, out, err);
}

void oauth_answer_error(struct http_exchange *exchange, struct arena *arena, unsigned status,
	const char *error, const char *description)
{
	struct json body;
	struct error err = {0};

	if (oauth_error_body(&body, arena, error, description, &err))
		oauth_answer_json(exchange, arena, status, &body);
	else
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
}

struct issue_presented oauth_presented_by(const struct http_exchange *exchange)
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
