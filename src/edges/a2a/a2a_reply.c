/* What a client is told in place of a result: JSON-RPC errors as A2A 1.0 has them, with data in
 * the form of google.rpc.ErrorInfo, whose domain says that it is remit who speaks. */
#include <stdio.h>

#include "base/json.h"
#include "edges/a2a/a2a_private.h"

enum { ERROR_BYTES_MAX = 64 * 1024, NUMBER_BYTES = 24 };

static const char error_type[] = "type.googleapis.com/google.rpc.ErrorInfo";
static const char domain[] = "remit";

/* Values are texts, as the type has it. */
static bool put_metadata(
	struct json_builder *info, const struct call_reply *reply, struct error *err)
{
	const struct decision *decision = reply->decision;
	struct json_builder metadata;
	struct json sealed;

	json_object_start(&metadata, info->arena);
	json_put_text_unless_empty(&metadata, "approval", reply->approval);
	json_put_text_unless_empty(&metadata, "entitlement", decision->entitlement);
	json_put_text_unless_empty(&metadata, "needed", decision->needed);
	if (decision->policies_count > 0)
		json_put_text(&metadata, "policy", decision->policies[0]);
	if (reply->is_recorded)
		json_put_text(&metadata, "record",
			text_format(info->arena, "%llu", (unsigned long long)reply->index));
	if (!json_object_seal(&metadata, &sealed, err))
		return false;
	json_put(info, "metadata", sealed);
	return true;
}

/* data: [{@type, domain, metadata, reason}]. */
static bool make_data(
	struct json *out, struct arena *arena, const struct call_reply *reply, struct error *err)
{
	struct json_builder info, list;
	struct json sealed;

	json_object_start(&info, arena);
	json_put_cstring(&info, "@type", error_type);
	json_put_cstring(&info, "domain", domain);
	json_put_cstring(&info, "reason", reason_word(reply->decision->reason));
	if (!put_metadata(&info, reply, err) || !json_object_seal(&info, &sealed, err))
		return false;
	json_array_start(&list, arena);
	json_add(&list, sealed);
	return json_array_seal(&list, out, err);
}

static void format_refusal(struct buffer *out, struct arena *arena, struct jsonrpc_id id,
	const struct call_reply *reply)
{
	int64_t code = reply->kind == CALL_ASKED ? A2A_APPROVAL_NEEDED : A2A_REFUSED;
	struct json data;
	struct error err;
	/* Still a refusal, only without its details. */
	bool has_data = make_data(&data, arena, reply, &err);

	jsonrpc_format_error(out, id, code, reply->message, has_data ? &data : NULL);
}

/* The peer's own words, under a code that cannot be taken for remit's. */
static void format_peer_error(struct buffer *out, struct jsonrpc_id id, const struct json *error)
{
	int64_t code = json_integer_or(error, "code", A2A_PEER_ERROR);
	struct text message = json_text_or(error, "message", "the peer answered an error");

	if (code >= A2A_CODE_FIRST && code <= A2A_CODE_LAST)
		code = A2A_PEER_ERROR;
	/* Its data might say that they are remit's. */
	jsonrpc_format_error(out, id, code, message, NULL);
}

void a2a_format_failure(struct buffer *out, struct arena *arena, struct jsonrpc_id id,
	const struct call_reply *reply)
{
	switch (reply->kind) {
	case CALL_REFUSED:
	case CALL_ASKED: format_refusal(out, arena, id, reply); break;
	case CALL_ERROR: format_peer_error(out, id, reply->error); break;
	case CALL_FAILED:
	case CALL_STOPPED: /* never of a peer */
	case CALL_RESULT:
		jsonrpc_format_error(out, id, A2A_PEER_FAILED, reply->message, NULL);
		break;
	}
}

int64_t a2a_code_of_start(const struct error *err)
{
	if (err->code == ERROR_INVALID)
		return JSONRPC_INVALID_PARAMS;
	if (err->code == ERROR_CONFLICT)
		return A2A_TASK_NOT_FOUND;
	return err->code == ERROR_NOT_FOUND ? A2A_REFUSED : A2A_BUSY;
}

void a2a_respond(struct http_exchange *exchange, const struct buffer *message)
{
	const struct http_header no_store = {"Cache-Control", "no-store"};

	if (buffer_failed(message))
		http_exchange_abort(exchange);
	else
		http_respond(exchange, &(struct http_response){.status = 200,
					       .content_type = "application/json",
					       .body = buffer_text(message),
					       .headers = &no_store,
					       .header_count = 1});
}

void a2a_respond_error(
	struct http_exchange *exchange, struct jsonrpc_id id, int64_t code, const char *text)
{
	struct buffer message;

	buffer_init(&message, ERROR_BYTES_MAX);
	jsonrpc_format_error(&message, id, code, text_of(text), NULL);
	a2a_respond(exchange, &message);
	buffer_deinit(&message);
}
