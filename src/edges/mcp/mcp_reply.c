/* How an answer of services/call looks to an agent.
 *
 * A refused tools/call is a result with isError, because that is what clients
 * show to the model; a refusal of any other method is a JSON-RPC error.  Both
 * carry the decision for programs: under _meta "remit/decision", or as data. */
#include <assert.h>

#include "edges/mcp/mcp_private.h"
#include "services/decide/decide_service.h"

static const char decision_key[] = "remit/decision";

/* Whether its clause is of a guardrail, or of the charter of an identity above: an agent may know
 * the lines of its own charter and which policy refused it, but not what others' say.  What
 * its own line permitted has that line for its policy, whoever refuses then. */
static bool hides_clause(const struct decision *decision)
{
	return decision->is_clause_of_other ||
	       (decision->policies_count > 0 &&
		       (!text_starts_with(decision->policies[0], "charter/") ||
			       !text_equal(decision->policies[0], decision->entitlement)));
}

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
		if (!hides_clause(reply->decision) || !text_is(decision.members[i].name, "clause"))
			json_put_named(&whole, decision.members[i].name, decision.members[i].value);
	if (reply->is_recorded)
		json_put_integer(&whole, "record", (int64_t)reply->index);
	if (reply->approval.length > 0)
		json_put_text(&whole, "approval", reply->approval);
	if (reply->accepted != NULL)
		json_put(&whole, "accepted", *reply->accepted);
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

/* data of -32042: what a person is to open, and the decision beside it. */
static bool elicitation_build(struct json *out, struct arena *arena, const struct reply_to *to,
	const struct call_reply *reply, struct error *err)
{
	struct json_builder data, list, one;
	struct json decision, sealed;

	if (!decision_build(&decision, arena, reply, err))
		return false;
	json_object_start(&one, arena);
	json_put_cstring(&one, "mode", "url");
	json_put_text(&one, "elicitationId", reply->approval);
	json_put_text(&one, "url",
		text_format(
			arena, "%.*s%.*s/how", TEXT_ARGS(to->page), TEXT_ARGS(reply->approval)));
	json_put_text(&one, "message", reply->message);
	if (!json_object_seal(&one, &sealed, err))
		return false;
	json_array_start(&list, arena);
	json_add(&list, sealed);
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_object_start(&data, arena);
	json_put(&data, "elicitations", sealed);
	json_put(&data, decision_key, decision);
	return json_object_seal(&data, out, err);
}

/* False: this client, or this reply, is not for it. */
static bool format_elicitation(struct buffer *out, struct arena *arena, const struct reply_to *to,
	const struct call_reply *reply)
{
	struct json data;
	struct error err;

	if (reply->kind != CALL_ASKED || to->page.length == 0 ||
		!elicitation_build(&data, arena, to, reply, &err))
		return false;
	jsonrpc_format_error(out, to->id, MCP_URL_NEEDED, reply->message, &data);
	return true;
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

/* True where the agent would take the error for ours.  -32601 means the same from
 * either, but with data it is ours. */
static bool is_like_ours(int64_t code, const struct json *details)
{
	return (code >= MCP_CODE_FIRST && code <= MCP_CODE_LAST) || code == MCP_URL_NEEDED ||
	       (code == JSONRPC_METHOD_NOT_FOUND && details != NULL);
}

/* What the server said, as data of an error that is plainly the server's. */
static bool wrap_details(struct json *out, struct arena *arena, int64_t code,
	const struct json *details, struct error *err)
{
	struct json_builder wrapped;

	json_object_start(&wrapped, arena);
	json_put_integer(&wrapped, "server-code", code);
	if (details != NULL)
		json_put(&wrapped, "server-data", *details);
	return json_object_seal(&wrapped, out, err);
}

/* The server's own error, as it came but for what only remit may say. */
static bool format_server_error(struct buffer *out, struct arena *arena, struct jsonrpc_id id,
	const struct json *error, struct error *err)
{
	int64_t code = json_integer_or(error, "code", MCP_SERVER_ERROR);
	const struct json *details = json_find(error, "data");
	struct json stripped, wrapped;

	if (details != NULL) {
		if (!strip_marks(&stripped, arena, details, err))
			return false;
		details = &stripped;
	}
	if (is_like_ours(code, details)) {
		if (!wrap_details(&wrapped, arena, code, details, err))
			return false;
		details = &wrapped;
		code = code == JSONRPC_METHOD_NOT_FOUND ? code : MCP_SERVER_ERROR;
	}
	jsonrpc_format_error(out, id, code,
		json_text_or(error, "message", "the server answered an error"), details);
	return true;
}

static bool format_result(struct buffer *out, struct arena *arena, struct jsonrpc_id id,
	const struct call_reply *reply, struct error *err)
{
	const struct json *result = reply->result;
	struct json stripped;

	if (!strip_marks(&stripped, arena, result, err))
		return false;
	if (reply->result_text.length != 0 && stripped.members == result->members)
		jsonrpc_format_result_text(out, id, reply->result_text);
	else
		jsonrpc_format_result(out, id, &stripped);
	return true;
}

bool reply_format(struct buffer *out, struct arena *arena, const struct reply_to *to,
	const struct call_reply *reply, struct error *err)
{
	switch (reply->kind) {
	case CALL_REFUSED:
	case CALL_ASKED:
		if (!format_elicitation(out, arena, to, reply))
			format_refusal(out, arena, to->id, to->method, reply);
		break;
	case CALL_STOPPED: /* never of a call */
	case CALL_FAILED:
		jsonrpc_format_error(out, to->id, MCP_SERVER_FAILED, reply->message, NULL);
		break;
	case CALL_RESULT: return format_result(out, arena, to->id, reply, err);
	case CALL_ERROR: return format_server_error(out, arena, to->id, reply->error, err);
	}
	return true;
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
