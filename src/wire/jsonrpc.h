#ifndef WIRE_JSONRPC_H
#define WIRE_JSONRPC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

/* JSON-RPC 2.0 messages, one at a time, as MCP 2025-11-25 narrows them: no
 * batches, an id is a string or an integer, never null in a request. */

enum {
	JSONRPC_PARSE_ERROR = -32700,
	JSONRPC_INVALID_REQUEST = -32600,
	JSONRPC_METHOD_NOT_FOUND = -32601,
	JSONRPC_INVALID_PARAMS = -32602,
	JSONRPC_INTERNAL_ERROR = -32603,
};

enum { JSONRPC_ID_BYTES_MAX = 256, JSONRPC_METHOD_BYTES_MAX = 256 };

enum jsonrpc_id_kind { JSONRPC_ID_NONE = 0, JSONRPC_ID_INTEGER, JSONRPC_ID_STRING };

/* Printed as null when the kind is NONE. */
struct jsonrpc_id {
	enum jsonrpc_id_kind kind;
	int64_t integer;
	struct text string; /* borrowed */
};

enum jsonrpc_kind {
	JSONRPC_NONE = 0,
	JSONRPC_REQUEST,
	JSONRPC_NOTIFICATION,
	JSONRPC_RESULT,
	JSONRPC_ERROR,
};

struct jsonrpc_message {
	enum jsonrpc_kind kind;
	struct jsonrpc_id id; /* NONE in a notification, and in an error to an unknown request */
	struct text method;   /* request, notification */
	const struct json *params; /* object or array; NULL if absent */
	const struct json *result; /* RESULT */
	int64_t error_code;        /* ERROR */
	struct text error_message;
	const struct json *error_data; /* NULL if absent */
	const struct json *whole;
};

/* Why a text is no message, ready to be answered. */
struct jsonrpc_fault {
	int64_t code;         /* PARSE_ERROR or INVALID_REQUEST */
	struct jsonrpc_id id; /* NONE if it could not be told */
	struct error err;     /* what is wrong, and where */
};

/* Reads one message strictly: "jsonrpc":"2.0", no member that JSON-RPC does not
 * name, result or error but not both.  Values live in arena and text. */
bool jsonrpc_parse(struct jsonrpc_message *out, struct arena *arena, struct text text,
	const struct json_limits *limits, struct jsonrpc_fault *fault) MUST_CHECK;

bool jsonrpc_id_equal(struct jsonrpc_id a, struct jsonrpc_id b);
struct jsonrpc_id jsonrpc_id_of_integer(int64_t value);

/* Append one message in canonical JSON, without a line end.  They fail as the
 * buffer fails.  params and details may be NULL; result NULL is {}. */
void jsonrpc_format_request(
	struct buffer *out, struct jsonrpc_id id, struct text method, const struct json *params);
void jsonrpc_format_notification(struct buffer *out, struct text method, const struct json *params);
void jsonrpc_format_result(struct buffer *out, struct jsonrpc_id id, const struct json *result);
/* The same of a result that is canonical text already. */
void jsonrpc_format_result_text(struct buffer *out, struct jsonrpc_id id, struct text result);
void jsonrpc_format_error(struct buffer *out, struct jsonrpc_id id, int64_t code,
	struct text message, const struct json *details);

#endif
