#include "edges/scim/scim_private.h"

#include <stdio.h>
#include <string.h>

#define CONTENT_TYPE "application/scim+json"
#define URN_ERROR "urn:ietf:params:scim:api:messages:2.0:Error"

void scim_start_message(struct json_builder *object, struct arena *arena, const char *urn)
{
	struct text *kept = arena_new(arena, struct text);

	json_object_start(object, arena);
	if (kept == NULL) {
		object->failed = true;
		return;
	}
	*kept = text_of(urn);
	json_put_texts(object, "schemas", kept, 1);
}

bool scim_fault_json(
	struct json *out, struct arena *arena, const struct scim_fault *fault, struct error *err)
{
	struct json_builder object;
	struct text status = text_format(arena, "%u", fault->status);

	if (status.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an answer");
	scim_start_message(&object, arena, URN_ERROR);
	json_put_text(&object, "status", status);
	if (fault->type != NULL)
		json_put_cstring(&object, "scimType", fault->type);
	json_put_text(&object, "detail", text_copy(arena, text_of(fault->detail)));
	return json_object_seal(&object, out, err);
}

/* ---- ends ---- */

static void respond(struct scim_exchange *exchange, const struct http_response *response)
{
	exchange->is_answered = true;
	if (exchange->http != NULL)
		http_respond(exchange->http, response);
}

static bool write_body(
	struct scim_exchange *exchange, const struct json *body, struct http_response *response)
{
	response->content_type = CONTENT_TYPE;
	response->body = json_canonical_text(exchange->arena, body);
	if (response->body.data != NULL)
		return true;
	exchange->is_answered = true;
	if (exchange->http != NULL)
		http_respond_problem(
			exchange->http, 503, "Service Unavailable", "no memory for the answer");
	return false;
}

/* Why a token is missing, how long a stopped directory waits (RFC 6750 §3, RFC 6585 §4). */
static size_t headers_for(unsigned status, struct http_header *out)
{
	size_t count = 0;

	out[count++] = (struct http_header){"Cache-Control", "no-store"};
	if (status == 401)
		out[count++] = (struct http_header){
			"WWW-Authenticate", "Bearer realm=\"remit directories\""};
	if (status == 429)
		out[count++] = (struct http_header){"Retry-After", "3600"};
	return count;
}

void scim_answer_fault(struct scim_exchange *exchange, const struct scim_fault *fault)
{
	struct http_header headers[3];
	struct http_response response = {.status = fault->status, .headers = headers};
	struct json body;
	struct error err;

	response.header_count = headers_for(fault->status, headers);
	if (!scim_fault_json(&body, exchange->arena, fault, &err))
		body = (struct json){.type = JSON_OBJECT};
	if (write_body(exchange, &body, &response))
		respond(exchange, &response);
}

void scim_answer_status(
	struct scim_exchange *exchange, unsigned status, const char *type, const char *detail)
{
	struct scim_fault fault;

	scim_fail(&fault, status, type, "%s", detail);
	scim_answer_fault(exchange, &fault);
}

void scim_answer_json(struct scim_exchange *exchange, unsigned status, const struct json *body)
{
	static const struct http_header headers[] = {{"Cache-Control", "no-store"}};
	struct http_response response = {.status = status, .headers = headers, .header_count = 1};

	if (write_body(exchange, body, &response))
		respond(exchange, &response);
}

void scim_answer_nothing(struct scim_exchange *exchange)
{
	const struct http_response response = {.status = 204};

	respond(exchange, &response);
}

static const char *header_text(struct arena *arena, struct text value)
{
	return arena_copy_text(arena, value.data, value.length);
}

void scim_answer_resource(
	struct scim_exchange *exchange, unsigned status, const struct json *resource)
{
	const struct json *meta = json_find(resource, "meta");
	struct http_header headers[4] = {{"Cache-Control", "no-store"}};
	struct http_response response = {.status = status, .headers = headers};
	struct json shown;
	struct error err;

	headers[1] = (struct http_header){
		"ETag", header_text(exchange->arena, json_text_or(meta, "version", ""))};
	headers[2] = (struct http_header){
		"Location", header_text(exchange->arena, json_text_or(meta, "location", ""))};
	response.header_count = status == 201 ? 3 : 2;
	if (headers[1].value == NULL || headers[2].value == NULL ||
		!scim_select(&shown, exchange->arena, exchange->type, resource,
			&exchange->selection, &err)) {
		scim_answer_status(exchange, 503, NULL, "no memory for the answer");
		return;
	}
	if (write_body(exchange, &shown, &response))
		respond(exchange, &response);
}
