/* The same parameters as a form and as JSON; the answer is JSON either way. */
#include "domain/federation/sts.h"

#include <strings.h>

#include "base/json.h"

#define GRANT_EXCHANGE "urn:ietf:params:oauth:grant-type:token-exchange"
#define GRANT_BEARER "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define ASSERTION_JWT "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define TYPE_PREFIX "urn:ietf:params:oauth:token-type:"

static const struct json_limits limits = {
	.size_bytes = STS_REPLY_BYTES_MAX, .depth = 8, .values = 200};

/* ---- the request ---- */

struct writer {
	struct buffer *out;
	enum outbound_body body;
	bool has_some;
};

/* RFC 6749 appendix B; everything but RFC 3986's unreserved letters is escaped. */
static void put_escaped(struct buffer *out, struct text value)
{
	for (size_t i = 0; i < value.length; i++) {
		unsigned char byte = (unsigned char)value.data[i];
		bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
				(byte >= '0' && byte <= '9') || byte == '-' || byte == '.' ||
				byte == '_' || byte == '~';

		if (is_plain)
			buffer_append_byte(out, (char)byte);
		else
			buffer_append_format(out, "%%%02X", byte);
	}
}

static void put(struct writer *writer, struct text name, struct text value)
{
	bool is_json = writer->body == OUTBOUND_BODY_JSON;

	if (value.length == 0)
		return;
	if (writer->has_some)
		buffer_append_byte(writer->out, is_json ? ',' : '&');
	writer->has_some = true;
	if (is_json) {
		json_append_string(writer->out, name);
		buffer_append_byte(writer->out, ':');
		json_append_string(writer->out, value);
	} else {
		put_escaped(writer->out, name);
		buffer_append_byte(writer->out, '=');
		put_escaped(writer->out, value);
	}
}

static void put_exchange(
	struct writer *writer, const struct outbound_exchange *exchange, struct text token)
{
	put(writer, TEXT("grant_type"), TEXT(GRANT_EXCHANGE));
	put(writer, TEXT("audience"),
		exchange->target.length > 0 ? exchange->target : exchange->audience);
	put(writer, TEXT("requested_token_type"), TEXT(TYPE_PREFIX "access_token"));
	put(writer, TEXT("subject_token_type"),
		exchange->token_type == OUTBOUND_TOKEN_ID ? TEXT(TYPE_PREFIX "id_token")
							  : TEXT(TYPE_PREFIX "jwt"));
	put(writer, TEXT("subject_token"), token);
}

static void put_client(
	struct writer *writer, const struct outbound_exchange *exchange, struct text token)
{
	put(writer, TEXT("grant_type"), TEXT("client_credentials"));
	put(writer, TEXT("client_id"), exchange->client_id);
	put(writer, TEXT("client_assertion_type"), TEXT(ASSERTION_JWT));
	put(writer, TEXT("client_assertion"), token);
}

void sts_request(struct buffer *out, const struct outbound_exchange *exchange, struct text token)
{
	struct writer writer = {.out = out, .body = exchange->body};
	bool is_json = exchange->body == OUTBOUND_BODY_JSON;

	if (is_json)
		buffer_append_byte(out, '{');
	if (exchange->grant == OUTBOUND_TOKEN_EXCHANGE)
		put_exchange(&writer, exchange, token);
	else if (exchange->grant == OUTBOUND_CLIENT_ASSERTION)
		put_client(&writer, exchange, token);
	else {
		put(&writer, TEXT("grant_type"), TEXT(GRANT_BEARER));
		put(&writer, TEXT("assertion"), token);
	}
	put(&writer, TEXT("scope"), exchange->scope);
	for (uint32_t i = 0; i < exchange->parameters_count; i++)
		put(&writer, exchange->parameters[i].name, exchange->parameters[i].value);
	if (is_json)
		buffer_append_byte(out, '}');
}

const char *sts_content_type(const struct outbound_exchange *exchange)
{
	return exchange->body == OUTBOUND_BODY_JSON ? "application/json"
						    : "application/x-www-form-urlencoded";
}

/* ---- the answer ---- */

/* Fit for a header field, whoever wrote it. */
static bool is_token(struct text token)
{
	for (size_t i = 0; i < token.length; i++)
		if (token.data[i] < 0x21 || token.data[i] > 0x7e)
			return false;
	return token.length > 0 && token.length <= STS_TOKEN_BYTES_MAX;
}

static bool is_bearer(struct text type)
{
	return type.length == 6 && strncasecmp(type.data, "bearer", 6) == 0;
}

/* RFC 8693 §2.2.1: an exchange says what it gave. */
static bool is_type(const struct outbound_exchange *exchange, const struct json *answer)
{
	const struct json *type = json_find(answer, "issued_token_type");

	if (type == NULL)
		return exchange->grant != OUTBOUND_TOKEN_EXCHANGE;
	return type->type == JSON_STRING && (text_is(type->string, TYPE_PREFIX "access_token") ||
						    text_is(type->string, TYPE_PREFIX "jwt"));
}

static bool read_expiry(struct sts_answer *out, const struct json *answer)
{
	const struct json *expires = json_find(answer, "expires_in");

	out->expires_s = -1;
	if (expires == NULL)
		return true;
	if (expires->type != JSON_INTEGER || expires->integer < 0)
		return false;
	out->expires_s = expires->integer;
	return true;
}

bool sts_read(struct sts_answer *out, struct arena *arena, const struct outbound_exchange *exchange,
	struct text body, struct error *err)
{
	struct json answer;
	struct error ignored;

	*out = (struct sts_answer){0};
	if (!json_parse(&answer, arena, body, &limits, &ignored) || answer.type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "the token service answered no JSON object");
	if (!is_bearer(json_text_or(&answer, "token_type", "")))
		return error_set(err, ERROR_INVALID, "the token service gave no bearer token");
	if (!is_type(exchange, &answer))
		return error_set(
			err, ERROR_INVALID, "the token service gave another type of token");
	if (!read_expiry(out, &answer))
		return error_set(
			err, ERROR_INVALID, "the token service gave a token without an end");
	out->token = json_text_or(&answer, "access_token", "");
	return is_token(out->token) ||
	       error_set(err, ERROR_INVALID, "the token service gave no token of 1 to %d bytes",
		       STS_TOKEN_BYTES_MAX);
}

static bool is_fault(struct text word)
{
	for (size_t i = 0; i < word.length; i++)
		if ((word.data[i] < 'a' || word.data[i] > 'z') && word.data[i] != '_')
			return false;
	return word.length > 0 && word.length <= STS_FAULT_BYTES_MAX;
}

void sts_read_fault(struct error *out, struct arena *arena, unsigned status, struct text body)
{
	struct text word = {0};
	struct json answer;
	struct error ignored;

	if (status / 100 == 3) {
		error_set(out, ERROR_INVALID,
			"the token service sends us elsewhere (HTTP %u), which is not followed",
			status);
		return;
	}
	if (json_parse(&answer, arena, body, &limits, &ignored) && answer.type == JSON_OBJECT)
		word = json_text_or(&answer, "error", "");
	if (is_fault(word))
		error_set(out, ERROR_IO, "the token service refused (HTTP %u): %.*s", status,
			TEXT_ARGS(word));
	else
		error_set(out, ERROR_IO, "the token service answered HTTP %u", status);
}
