/* Errors in the words of both APIs, so that their clients raise what they raise for the
 * provider's own: 403 what is forbidden, 429 what is used up, 5xx what failed. */
#include "edges/llm/llm_private.h"

#include "base/json.h"
#include "domain/decide/decision.h"

enum {
	STATUS_BAD_REQUEST = 400,
	STATUS_UNAUTHORIZED = 401,
	STATUS_FORBIDDEN = 403,
	STATUS_NOT_FOUND = 404,
	STATUS_TOO_MANY = 429,
	STATUS_BAD_GATEWAY = 502,
	STATUS_UNAVAILABLE = 503,
	STATUS_TIMEOUT = 504,
	MESSAGE_BYTES_MAX = 64 * 1024,
};

static struct llm_error error_of_decision(const struct call_reply *reply)
{
	enum reason reason = reply->decision->reason;
	bool is_used_up = reason == REASON_BUDGET || reason == REASON_RATE_LIMIT;

	return (struct llm_error){
		.status = is_used_up ? STATUS_TOO_MANY : STATUS_FORBIDDEN,
		.code = reason_word(reason),
		.message = reply->message,
		.is_final = reason != REASON_RATE_LIMIT,
	};
}

/* An error of a provider is one here, too, whatever status it has; 407 is for proxies. */
static unsigned status_of_provider(unsigned status)
{
	return status < 400 || status > 599 || status == 407 ? STATUS_BAD_GATEWAY : status;
}

struct llm_error llm_error_of(const struct call_reply *reply)
{
	bool is_timeout = reply->failure != NULL && reply->failure->code == ERROR_TIMEOUT;

	switch (reply->kind) {
	case CALL_REFUSED:
		if (reply->failure != NULL)
			return (struct llm_error){.status = STATUS_UNAVAILABLE,
				.code = "not_recorded",
				.message = reply->message};
		return error_of_decision(reply);
	case CALL_STOPPED: return error_of_decision(reply);
	case CALL_ASKED:
		return (struct llm_error){.status = STATUS_FORBIDDEN,
			.code = reason_word(REASON_APPROVAL_NEEDED),
			.message = reply->message,
			.is_final = true};
	case CALL_ERROR:
		return (struct llm_error){.status = status_of_provider(reply->status),
			.code = "provider_error",
			.message = reply->message};
	case CALL_FAILED:
	case CALL_RESULT: break;
	}
	return (struct llm_error){.status = is_timeout ? STATUS_TIMEOUT : STATUS_BAD_GATEWAY,
		.code = "provider_failed",
		.message = reply->message,
		.is_final = true}; /* it may have been charged for */
}

struct llm_error llm_error_of_start(const struct error *err)
{
	struct llm_error out = {
		.status = STATUS_UNAVAILABLE, .code = "busy", .message = text_of(err->text)};

	if (err->code == ERROR_INVALID)
		out = (struct llm_error){.status = STATUS_BAD_REQUEST,
			.code = "invalid_request",
			.message = out.message,
			.is_final = true};
	else if (err->code == ERROR_NOT_FOUND)
		out = (struct llm_error){.status = STATUS_UNAUTHORIZED,
			.code = "task_unknown",
			.message = out.message,
			.is_final = true};
	return out;
}

static const char *anthropic_type(unsigned status)
{
	switch (status) {
	case STATUS_BAD_REQUEST: return "invalid_request_error";
	case STATUS_UNAUTHORIZED: return "authentication_error";
	case STATUS_FORBIDDEN: return "permission_error";
	case STATUS_NOT_FOUND: return "not_found_error";
	case STATUS_TOO_MANY: return "rate_limit_error";
	case STATUS_UNAVAILABLE: return "overloaded_error";
	case STATUS_TIMEOUT: return "timeout_error";
	default: return status < 500 ? "invalid_request_error" : "api_error";
	}
}

static const char *openai_type(unsigned status)
{
	switch (status) {
	case STATUS_UNAUTHORIZED: return "authentication_error";
	case STATUS_FORBIDDEN: return "permission_error";
	case STATUS_TOO_MANY: return "rate_limit_error";
	default: return status < 500 ? "invalid_request_error" : "server_error";
	}
}

static void format_error(struct buffer *out, enum speaks speaks, const struct llm_error *error)
{
	bool is_anthropic = speaks == SPEAKS_ANTHROPIC;

	buffer_append_string(out, "{\"error\":{\"code\":");
	json_append_string(out, text_of(error->code));
	buffer_append_string(out, ",\"message\":");
	json_append_string(out, error->message);
	buffer_append_string(out, is_anthropic ? ",\"type\":" : ",\"param\":null,\"type\":");
	json_append_string(out,
		text_of(is_anthropic ? anthropic_type(error->status) : openai_type(error->status)));
	buffer_append_string(out, is_anthropic ? "},\"type\":\"error\"}" : "}}");
}

void llm_respond_error(
	struct http_exchange *exchange, enum speaks speaks, const struct llm_error *error)
{
	/* Both clients try 429 and 5xx again by themselves, and look for this field first. */
	struct http_header fields[LLM_FIELDS_MAX + 1] = {{"x-should-retry", "false"}};
	size_t count = error->is_final ? 1 : 0;
	struct buffer body;

	for (size_t i = 0; i < error->field_count && i < LLM_FIELDS_MAX; i++)
		fields[count++] = error->fields[i];
	buffer_init(&body, MESSAGE_BYTES_MAX);
	format_error(&body, speaks, error);
	buffer_append_byte(&body, '\n');
	if (buffer_failed(&body))
		http_respond_problem(exchange, STATUS_UNAVAILABLE, "no memory", "try again later");
	else
		http_respond(exchange, &(struct http_response){.status = error->status,
					       .content_type = "application/json",
					       .body = buffer_text(&body),
					       .headers = fields,
					       .header_count = count});
	buffer_deinit(&body);
}

void llm_format_event(struct buffer *out, enum speaks speaks, const struct llm_error *error)
{
	buffer_append_string(out, speaks == SPEAKS_ANTHROPIC ? "event: error\ndata: " : "data: ");
	format_error(out, speaks, error);
	buffer_append_string(out, "\n\n");
}
