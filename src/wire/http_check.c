/* What a request must be before any handler sees it (http_server.h lists it).
 * The library below has parsed the head already, so some faults are no longer
 * visible one by one: a NUL ends a value early, folded lines are joined.  What
 * remains visible is how long the head was.  H1: the head is never longer than
 * its fields written plainly; the difference would be bytes nobody looked at. */
#include "wire/http_private.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { FIELD_EXTRA_BYTES = 4 }; /* ": " and CR LF */

struct head {
	struct http_refusal refusal;
	unsigned hosts, lengths, encodings, authorizations, content_types;
	const char *length;
	const char *encoding;
	size_t plain_bytes;
};

static const struct http_refusal refusal_none = {0, NULL, NULL};

static struct http_refusal bad_request(const char *detail)
{
	return (struct http_refusal){MHD_HTTP_BAD_REQUEST, "bad request", detail};
}

/* RFC 9110 §5.6.2 */
static bool is_token(const char *name)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	if (*name == '\0')
		return false;
	for (; *name != '\0'; name++) {
		bool is_plain = (*name >= '0' && *name <= '9') || (*name >= 'A' && *name <= 'Z') ||
				(*name >= 'a' && *name <= 'z');

		if (!is_plain && strchr(others, *name) == NULL)
			return false;
	}
	return true;
}

/* RFC 9110 §5.5: visible bytes, blanks, tabs, and bytes above 127. */
static bool is_value_byte(unsigned char byte)
{
	return (byte >= ' ' && byte != 0x7f) || byte == '\t';
}

/* Eight bytes at once: whether one of them is below a blank, or DEL. */
static bool has_control(const char *bytes)
{
	const uint64_t ones = 0x0101010101010101u, high = ones * 0x80;
	uint64_t word, deletes;

	memcpy(&word, bytes, sizeof word);
	deletes = word ^ ones * 0x7f;
	return ((((word - ones * ' ') & ~word) | ((deletes - ones) & ~deletes)) & high) != 0;
}

/* A token is hundreds of bytes long. */
static bool is_field_value(struct text value)
{
	size_t i = 0;

	while (i < value.length) {
		if (value.length - i >= sizeof(uint64_t) && !has_control(value.data + i))
			i += sizeof(uint64_t);
		else if (is_value_byte((unsigned char)value.data[i]))
			i++;
		else
			return false;
	}
	return true;
}

/* RFC 9110 §7.2, loosely: a name or address and perhaps a port, nothing else. */
static bool is_host(const char *value)
{
	static const char others[] = "-._~%[]:";

	if (*value == ':')
		return false;
	for (; *value != '\0'; value++)
		if (!isalnum((unsigned char)*value) && strchr(others, *value) == NULL)
			return false;
	return true;
}

/* Every method registered with IANA is of capital letters and hyphens. */
static bool is_method(struct text method)
{
	size_t i;

	for (i = 0; i < method.length; i++)
		if ((method.data[i] < 'A' || method.data[i] > 'Z') && method.data[i] != '-')
			return false;
	return method.length > 0;
}

static void count_known(struct head *head, const char *name, const char *value)
{
	if (strcasecmp(name, "Host") == 0) {
		head->hosts++;
		if (!is_host(value))
			head->refusal = bad_request("Host is no host");
	} else if (strcasecmp(name, "Authorization") == 0)
		head->authorizations++;
	else if (strcasecmp(name, "Content-Type") == 0)
		head->content_types++;
	else if (strcasecmp(name, "Content-Length") == 0) {
		head->lengths++;
		head->length = value;
	} else if (strcasecmp(name, "Transfer-Encoding") == 0) {
		head->encodings++;
		head->encoding = value;
	}
}

static enum MHD_Result check_field(
	void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct head *head = context;
	struct text text = {value, value == NULL ? 0 : strlen(value)};

	(void)kind;
	if (name == NULL || value == NULL || !is_token(name))
		head->refusal = bad_request("a header field has no proper name");
	else if (!is_field_value(text))
		head->refusal = bad_request("a header field holds a control byte");
	if (head->refusal.status != 0)
		return MHD_NO;
	count_known(head, name, value);
	if (head->refusal.status != 0)
		return MHD_NO;
	head->plain_bytes += strlen(name) + text.length + FIELD_EXTRA_BYTES;
	return MHD_YES;
}

static struct http_refusal check_length(const struct http_exchange *exchange, const char *length)
{
	int64_t bytes;

	if (!text_to_int64(text_of(length), &bytes) || bytes < 0)
		return bad_request("Content-Length is not a number");
	if ((uint64_t)bytes > exchange->server->settings.body_bytes_max)
		return (struct http_refusal){MHD_HTTP_CONTENT_TOO_LARGE, "content too large",
			"the body is longer than this server takes"};
	return refusal_none;
}

/* RFC 9112 §6.1, §6.3 */
static struct http_refusal check_framing(
	const struct http_exchange *exchange, const struct head *head, bool is_1_0)
{
	if (head->encodings > 0 && head->lengths > 0)
		return bad_request("Content-Length with Transfer-Encoding");
	if (head->lengths > 1 || head->encodings > 1)
		return bad_request("the length of the body is given twice");
	if (head->encodings > 0 && (is_1_0 || strcasecmp(head->encoding, "chunked") != 0))
		return bad_request("Transfer-Encoding is not chunked");
	if (head->lengths > 0)
		return check_length(exchange, head->length);
	return refusal_none;
}

/* The byte that %XX at position i stands for, or -1. */
static int decode_percent(struct text encoded, size_t i)
{
	int high, low;

	if (encoded.length - i < 3)
		return -1;
	high = text_hex_digit(encoded.data[i + 1]);
	low = text_hex_digit(encoded.data[i + 2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool http_decode(
	struct http_exchange *exchange, struct text encoded, bool is_form, struct text *out)
{
	char *room = exchange->memory + exchange->target_size + exchange->decoded_used;
	size_t used = 0, i;

	*out = (struct text){0};
	if (encoded.length > exchange->target_size - exchange->decoded_used)
		return false;
	for (i = 0; i < encoded.length; i++) {
		int byte = (unsigned char)encoded.data[i];

		if (byte == '+' && is_form)
			byte = ' ';
		else if (byte == '%') {
			byte = decode_percent(encoded, i);
			i += 2;
		}
		if (byte < ' ' || byte == 0x7f) /* -1 too */
			return false;
		room[used++] = (char)byte;
	}
	*out = (struct text){room, used};
	exchange->decoded_used += used;
	return text_is_utf8(*out);
}

/* True if the segment, decoded, is a name and not a way to climb. */
static bool is_segment_plain(struct http_exchange *exchange, struct text segment)
{
	size_t used_before = exchange->decoded_used;
	struct text decoded;
	bool is_plain = http_decode(exchange, segment, false, &decoded) && !text_is(decoded, ".") &&
			!text_is(decoded, "..");

	exchange->decoded_used = used_before;
	return is_plain;
}

/* RFC 9112 §3.2.1: the origin form only. */
static struct http_refusal check_target(struct http_exchange *exchange)
{
	struct text rest = exchange->request.path;

	if (exchange->request.target.length > HTTP_TARGET_BYTES_MAX)
		return (struct http_refusal){MHD_HTTP_URI_TOO_LONG, "URI too long",
			"the request target is longer than 4096 bytes"};
	if (rest.length == 0 || rest.data[0] != '/')
		return bad_request("the request target does not start with '/'");
	while (rest.length > 0) {
		struct text segment = {rest.data + 1, rest.length - 1};
		ptrdiff_t slash = text_find_byte(segment, '/');

		if (slash >= 0)
			segment.length = (size_t)slash;
		if (!is_segment_plain(exchange, segment))
			return bad_request("the path is not plain UTF-8, properly encoded, "
					   "without \".\" and \"..\"");
		rest.data += segment.length + 1;
		rest.length -= segment.length + 1;
	}
	return refusal_none;
}

static struct http_refusal check_query(struct http_exchange *exchange)
{
	size_t used_before = exchange->decoded_used, path_bytes = exchange->request.path.length;
	struct text query = exchange->request.target, decoded;
	size_t pairs = 1, i;
	bool is_good;

	query = (struct text){query.data + path_bytes, query.length - path_bytes};
	is_good = http_decode(exchange, query, true, &decoded);
	exchange->decoded_used = used_before;
	for (i = 0; i < query.length; i++)
		pairs += query.data[i] == '&';
	if (is_good && pairs <= HTTP_QUERY_PARAMETERS_MAX)
		return refusal_none;
	return bad_request("the query is not plain UTF-8, properly encoded, "
			   "of at most 64 parameters");
}

/* H1.  The request line is method, target and version with two blanks and CR LF;
 * an empty line ends the head. */
static bool has_hidden_bytes(
	const struct http_exchange *exchange, const struct head *head, const char *version)
{
	const union MHD_ConnectionInfo *size = MHD_get_connection_info(
		exchange->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	size_t plain = head->plain_bytes + exchange->request.method.length +
		       exchange->request.target.length + strlen(version) + 6;

	return size == NULL || size->header_size > plain;
}

struct http_refusal http_check_head(struct http_exchange *exchange, const char *version)
{
	struct head head = {.refusal = refusal_none};
	bool is_1_0 = strcmp(version, "HTTP/1.0") == 0;

	if (!is_1_0 && strcmp(version, "HTTP/1.1") != 0)
		return (struct http_refusal){MHD_HTTP_HTTP_VERSION_NOT_SUPPORTED,
			"HTTP version not supported", "this server speaks HTTP/1.1"};
	if (!is_method(exchange->request.method))
		return bad_request("the method is not of capital letters");
	(void)MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, check_field, &head);
	if (head.refusal.status != 0)
		return head.refusal;
	if (head.hosts > 1 || (head.hosts == 0 && !is_1_0))
		return bad_request("there must be exactly one Host field");
	if (head.authorizations > 1 || head.content_types > 1)
		return bad_request("Authorization and Content-Type may be given once");
	if (has_hidden_bytes(exchange, &head, version))
		return bad_request("a header field is folded, padded or holds NUL");
	head.refusal = check_framing(exchange, &head, is_1_0);
	if (head.refusal.status == 0)
		head.refusal = check_target(exchange);
	return head.refusal.status != 0 ? head.refusal : check_query(exchange);
}
