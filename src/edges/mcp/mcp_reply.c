/* How an answer of services/call looks to an agent.
 *
 * A refused tools/call is a result with isError, because that is what clients
 * show to the model; a refusal of any other method is a JSON-RPC error.  Both
 * carry the decision for programs: under _meta "remit/decision", or as data. */
#include <assert.h>

#include "edges/mcp/mcp_private.h"
#include "services/decide/decide_service.h"

static const char decision_key[] = "remit/decision";

/* The decision, with the record and the approval it led to. */
static bool decision_build(
	struct json *out, struct arena *arena, const struct call_reply *reply, struct error *err)
{
	struct json_builder whole;
	struct json decision;
	uint32_t i;

	if (!decision_json(&decision, arena, reply->decision, err))
		return false;
	json_object_start(&whole, arena);
	for (i = 0; i < decision.count; i++)
		json_put_named(&whole, decision.members[i].name, decision.members[i].value);
	if (reply->is_recorded)
		json_put_integer(&whole, "record", (int64_t)reply->index);
	if (reply->approval.length > 0)
		json_put_text(&whole, "approval", reply->approval);
	return json_object_seal(&whole, out, err);
}

static bool refused_result(struct json *out, struct arena *arena, const struct call_reply *reply,
	const struct json *decision, struct error *err)
{
	struct json_builder result, meta, content, item;
	struct json sealed_meta, sealed_content, sealed_item;

	json_object_start(&item, arena);
	json_put_cstring(&item, "type", "text");
	json_put_text(&item, "text", reply->message);
	if (!json_object_seal(&item, &sealed_item, err))
		return false;
	json_array_start(&content, arena);
	json_add(&content, sealed_item);
	json_object_start(&meta, arena);
	json_put(&meta, decision_key, *decision);
	if (!json_array_seal(&content, &sealed_content, err) ||
		!json_object_seal(&meta, &sealed_meta, err))
		return false;
	json_object_start(&result, arena);
	json_put(&result, "_meta", sealed_meta);
	json_put(&result, "content", sealed_content);
	json_put_boolean(&result, "isError", true);
	return json_object_seal(&result, out, err);
}

static int64_t refusal_code(const struct call_reply *reply)
{
	if (reply->kind == CALL_ASKED)
		return MCP_APPROVAL_NEEDED;
	return reply->decision->reason == REASON_METHOD_UNKNOWN ? JSONRPC_METHOD_NOT_FOUND
								: MCP_REFUSED;
}

static void format_refusal(struct buffer *out, struct arena *arena, struct jsonrpc_id id,
	struct text method, const struct call_reply *reply)
{
	struct json decision, result;
	struct error err;
	bool is_tool = text_is(method, "tools/call");

	if (!decision_build(&decision, arena, reply, &err) ||
		(is_tool && !refused_result(&result, arena, reply, &decision, &err)))
		/* Still a refusal, only without its details. */
		jsonrpc_format_error(out, id, refusal_code(reply), reply->message, NULL);
	else if (is_tool)
		jsonrpc_format_result(out, id, &result);
	else
		jsonrpc_format_error(out, id, refusal_code(reply), reply->message, &decision);
}

/* The server's own error, member for member as it came. */
static void format_server_error(struct buffer *out, struct jsonrpc_id id, const struct json *error)
{
	jsonrpc_format_error(out, id, json_integer_or(error, "code", MCP_SERVER_FAILED),
		json_text_or(error, "message", "the server answered an error"),
		json_find(error, "data"));
}

void reply_format(struct buffer *out, struct arena *arena, struct jsonrpc_id id, struct text method,
	const struct call_reply *reply)
{
	switch (reply->kind) {
	case CALL_REFUSED:
	case CALL_ASKED: format_refusal(out, arena, id, method, reply); break;
	case CALL_FAILED:
		jsonrpc_format_error(out, id, MCP_SERVER_FAILED, reply->message, NULL);
		break;
	case CALL_RESULT: jsonrpc_format_result(out, id, reply->result); break;
	case CALL_ERROR: format_server_error(out, id, reply->error); break;
	}
}

void respond_message(struct http_exchange *exchange, unsigned status, const struct buffer *message)
{
	const struct http_header no_store = {"Cache-Control", "no-store"};

	http_respond(exchange, &(struct http_response){.status = status,
				       .content_type = "application/json",
				       .body = buffer_text(message),
				       .headers = &no_store,
				       .header_count = 1});
}

void respond_error(struct http_exchange *exchange, unsigned status, struct jsonrpc_id id,
	int64_t code, const char *text)
{
	struct buffer message;

	buffer_init(&message, 8192);
	jsonrpc_format_error(&message, id, code, text_of(text), NULL);
	if (buffer_failed(&message))
		http_exchange_abort(exchange);
	else
		respond_message(exchange, status, &message);
	buffer_deinit(&message);
}
