/* Strictness is the point: two readers of one message must not see two
 * messages.  So a member JSON-RPC does not name, a result beside an error, or a
 * null id are refused, not ignored. */
#include "wire/jsonrpc.h"

#include <stddef.h>

static const char *const members[] = {"jsonrpc", "id", "method", "params", "result", "error", NULL};
static const char *const error_members[] = {"code", "message", "data", NULL};

static bool fault_set(struct jsonrpc_fault *fault, int64_t code)
{
	fault->code = code;
	return false;
}

static bool refuse(struct jsonrpc_fault *fault, const char *what)
{
	error_set(&fault->err, ERROR_INVALID, "%s", what);
	return fault_set(fault, JSONRPC_INVALID_REQUEST);
}

/* False if there is an id that is none. */
static bool id_read(struct jsonrpc_id *out, const struct json *value)
{
	*out = (struct jsonrpc_id){0};
	if (value == NULL)
		return true;
	if (value->type == JSON_INTEGER) {
		*out = jsonrpc_id_of_integer(value->integer);
		return true;
	}
	if (value->type != JSON_STRING || value->string.length > JSONRPC_ID_BYTES_MAX)
		return false;
	*out = (struct jsonrpc_id){.kind = JSONRPC_ID_STRING, .string = value->string};
	return true;
}

static bool call_read(
	struct jsonrpc_message *out, const struct json *id, struct jsonrpc_fault *fault)
{
	const struct json *method = json_find(out->whole, "method");

	if (json_find(out->whole, "result") != NULL || json_find(out->whole, "error") != NULL)
		return refuse(fault, "a message has a method, or a result or error, not both");
	if (method->type != JSON_STRING || method->string.length == 0 ||
		method->string.length > JSONRPC_METHOD_BYTES_MAX)
		return refuse(fault, "method is not a string of 1 to 256 bytes");
	out->method = method->string;
	out->params = json_find(out->whole, "params");
	if (out->params != NULL && out->params->type != JSON_OBJECT &&
		out->params->type != JSON_ARRAY)
		return refuse(fault, "params is neither an object nor an array");
	if (id != NULL && out->id.kind == JSONRPC_ID_NONE)
		return refuse(fault, "the id of a request is a string or an integer");
	out->kind = id == NULL ? JSONRPC_NOTIFICATION : JSONRPC_REQUEST;
	return true;
}

static bool error_read(
	struct jsonrpc_message *out, const struct json *error, struct jsonrpc_fault *fault)
{
	struct error err = {0};

	if (error->type != JSON_OBJECT || !json_only_members(error, error_members, &err) ||
		!json_need_integer(error, "code", &out->error_code, &err) ||
		!json_need_text(error, "message", &out->error_message, &err))
		return refuse(fault, "error is not an object of code, message and data");
	out->error_data = json_find(error, "data");
	out->kind = JSONRPC_ERROR;
	return true;
}

static bool answer_read(
	struct jsonrpc_message *out, const struct json *id, struct jsonrpc_fault *fault)
{
	const struct json *error = json_find(out->whole, "error");

	out->result = json_find(out->whole, "result");
	if (json_find(out->whole, "params") != NULL)
		return refuse(fault, "params without a method");
	if (out->result != NULL && error != NULL)
		return refuse(fault, "a message has a result or an error, not both");
	if (out->result == NULL && error == NULL)
		return refuse(fault, "a message needs a method, a result or an error");
	if (error != NULL)
		return error_read(out, error, fault);
	if (id == NULL || out->id.kind == JSONRPC_ID_NONE)
		return refuse(fault, "a result needs the id of its request");
	out->kind = JSONRPC_RESULT;
	return true;
}

static bool message_read(struct jsonrpc_message *out, struct jsonrpc_fault *fault)
{
	const struct json *id = json_find(out->whole, "id");
	const struct json *version = json_find(out->whole, "jsonrpc");
	bool is_null = id != NULL && id->type == JSON_NULL;

	if (out->whole->type == JSON_ARRAY)
		return refuse(fault, "batches are not taken: send one message at a time");
	if (out->whole->type != JSON_OBJECT)
		return refuse(fault, "a message is a JSON object");
	if (!is_null && !id_read(&out->id, id))
		return refuse(fault, "id is neither an integer nor a string of at most 256 bytes");
	fault->id = out->id;
	if (version == NULL || version->type != JSON_STRING || !text_is(version->string, "2.0"))
		return refuse(fault, "jsonrpc is not \"2.0\"");
	if (!json_only_members(out->whole, members, &fault->err))
		return fault_set(fault, JSONRPC_INVALID_REQUEST);
	if (json_find(out->whole, "method") != NULL)
		return call_read(out, id, fault);
	return answer_read(out, id, fault);
}

bool jsonrpc_parse(struct jsonrpc_message *out, struct arena *arena, struct text text,
	const struct json_limits *limits, struct jsonrpc_fault *fault)
{
	struct json *whole = arena_new(arena, struct json);

	*out = (struct jsonrpc_message){0};
	*fault = (struct jsonrpc_fault){0};
	if (whole == NULL) {
		error_set(&fault->err, ERROR_LIMIT, "no memory for a message");
		return fault_set(fault, JSONRPC_INTERNAL_ERROR);
	}
	if (!json_parse(whole, arena, text, limits, &fault->err))
		return fault_set(fault, JSONRPC_PARSE_ERROR);
	out->whole = whole;
	if (message_read(out, fault))
		return true;
	*out = (struct jsonrpc_message){0};
	return false;
}

bool jsonrpc_id_equal(struct jsonrpc_id a, struct jsonrpc_id b)
{
	if (a.kind != b.kind || a.kind == JSONRPC_ID_NONE)
		return false;
	return a.kind == JSONRPC_ID_INTEGER ? a.integer == b.integer
					    : text_equal(a.string, b.string);
}

struct jsonrpc_id jsonrpc_id_of_integer(int64_t value)
{
	return (struct jsonrpc_id){.kind = JSONRPC_ID_INTEGER, .integer = value};
}

/* ---- writing; members in canonical order ---- */

static void append_id(struct buffer *out, struct jsonrpc_id id)
{
	buffer_append_string(out, "\"id\":");
	switch (id.kind) {
	case JSONRPC_ID_NONE: buffer_append_string(out, "null"); break;
	case JSONRPC_ID_INTEGER: buffer_append_int64(out, id.integer); break;
	case JSONRPC_ID_STRING: json_append_string(out, id.string); break;
	}
	buffer_append_byte(out, ',');
}

static void append_call(struct buffer *out, struct text method, const struct json *params)
{
	buffer_append_string(out, "\"jsonrpc\":\"2.0\",\"method\":");
	json_append_string(out, method);
	if (params != NULL) {
		buffer_append_string(out, ",\"params\":");
		json_canonical(out, params);
	}
	buffer_append_byte(out, '}');
}

void jsonrpc_format_request(
	struct buffer *out, struct jsonrpc_id id, struct text method, const struct json *params)
{
	buffer_append_byte(out, '{');
	append_id(out, id);
	append_call(out, method, params);
}

void jsonrpc_format_notification(struct buffer *out, struct text method, const struct json *params)
{
	buffer_append_byte(out, '{');
	append_call(out, method, params);
}

static void begin_result(struct buffer *out, struct jsonrpc_id id)
{
	buffer_append_byte(out, '{');
	append_id(out, id);
	buffer_append_string(out, "\"jsonrpc\":\"2.0\",\"result\":");
}

void jsonrpc_format_result(struct buffer *out, struct jsonrpc_id id, const struct json *result)
{
	begin_result(out, id);
	if (result == NULL)
		buffer_append_string(out, "{}");
	else
		json_canonical(out, result);
	buffer_append_byte(out, '}');
}

void jsonrpc_format_result_text(struct buffer *out, struct jsonrpc_id id, struct text result)
{
	begin_result(out, id);
	buffer_append_text(out, result);
	buffer_append_byte(out, '}');
}

void jsonrpc_format_error(struct buffer *out, struct jsonrpc_id id, int64_t code,
	struct text message, const struct json *details)
{
	buffer_append_string(out, "{\"error\":{\"code\":");
	buffer_append_int64(out, code);
	if (details != NULL) {
		buffer_append_string(out, ",\"data\":");
		json_canonical(out, details);
	}
	buffer_append_string(out, ",\"message\":");
	json_append_string(out, message);
	buffer_append_string(out, "},");
	append_id(out, id);
	buffer_append_string(out, "\"jsonrpc\":\"2.0\"}");
}
