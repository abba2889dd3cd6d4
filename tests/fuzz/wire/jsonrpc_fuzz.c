/* Laws of the JSON-RPC reader: a text that is no message gets a code of the
 * standard and a reason; a message has what its kind needs, and writing it and
 * reading it again gives the same message. */
#include <assert.h>
#include <string.h>

#include "wire/jsonrpc.h"

enum { ROOM_BYTES = 1 << 22 };

static void check_kind(const struct jsonrpc_message *message)
{
	assert(message->kind != JSONRPC_NONE);
	if (message->kind == JSONRPC_REQUEST)
		assert(message->id.kind != JSONRPC_ID_NONE && message->method.length > 0);
	if (message->kind == JSONRPC_NOTIFICATION)
		assert(message->id.kind == JSONRPC_ID_NONE && message->method.length > 0);
	if (message->kind == JSONRPC_RESULT)
		assert(message->id.kind != JSONRPC_ID_NONE && message->result != NULL);
	assert(message->id.string.length <= JSONRPC_ID_BYTES_MAX);
	assert(message->method.length <= JSONRPC_METHOD_BYTES_MAX);
}

static void write_message(struct buffer *out, const struct jsonrpc_message *message)
{
	switch (message->kind) {
	case JSONRPC_REQUEST:
		jsonrpc_format_request(out, message->id, message->method, message->params);
		break;
	case JSONRPC_NOTIFICATION:
		jsonrpc_format_notification(out, message->method, message->params);
		break;
	case JSONRPC_RESULT: jsonrpc_format_result(out, message->id, message->result); break;
	case JSONRPC_ERROR:
		jsonrpc_format_error(out, message->id, message->error_code, message->error_message,
			message->error_data);
		break;
	case JSONRPC_NONE: break;
	}
}

static void check_again(struct arena *arena, const struct jsonrpc_message *message)
{
	struct jsonrpc_message again;
	struct jsonrpc_fault fault;
	struct buffer out;

	buffer_init(&out, ROOM_BYTES);
	write_message(&out, message);
	if (!buffer_failed(&out) && buffer_text(&out).length < json_limits_default.size_bytes) {
		assert(jsonrpc_parse(
			&again, arena, buffer_text(&out), &json_limits_default, &fault));
		assert(again.kind == message->kind);
		/* No id is equal to none, not even to itself. */
		assert(again.id.kind == message->id.kind);
		assert(message->id.kind == JSONRPC_ID_NONE ||
			jsonrpc_id_equal(again.id, message->id));
		assert(text_equal(again.method, message->method));
	}
	buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	struct text text = {(const char *)data, size};
	struct jsonrpc_message message;
	struct jsonrpc_fault fault = {0};

	if (arena == NULL)
		return 0;
	if (jsonrpc_parse(&message, arena, text, &json_limits_default, &fault)) {
		check_kind(&message);
		check_again(arena, &message);
	} else {
		assert(fault.code == JSONRPC_PARSE_ERROR || fault.code == JSONRPC_INVALID_REQUEST);
		assert(fault.err.code != ERROR_NONE && fault.err.text[0] != '\0');
	}
	arena_destroy(&arena);
	return 0;
}
