/* The face of the HTTP client: what both engines must not send, and which of the
 * two a request goes by. */
#include "wire/http_client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "wire/http_client_private.h"

enum { HOST_BYTES_MAX = INET6_ADDRSTRLEN, PORT_DEFAULT = 80, METHOD_BYTES_MAX = 16 };

struct http_client {
	struct http_curl *curl;
	struct http_plain *plain;
};

/* ---- checks ---- */

static bool is_line(const char *value)
{
	return strpbrk(value, "\r\n") == NULL;
}

static bool method_is_word(const char *method)
{
	size_t length = strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return length > 0 && length <= METHOD_BYTES_MAX && method[length] == '\0';
}

bool http_request_check(const struct http_call_request *request, struct error *err)
{
	size_t i;

	if (request->header_count > HTTP_CLIENT_HEADERS_MAX)
		return error_set(
			err, ERROR_LIMIT, "more than %d header fields", HTTP_CLIENT_HEADERS_MAX);
	if (!is_line(request->url) || !method_is_word(request->method))
		return error_set(err, ERROR_INVALID, "not a URL or not a method");
	for (i = 0; i < request->header_count; i++) {
		const struct http_header *header = &request->headers[i];

		if (header->name[0] == '\0' || !is_line(header->name) || !is_line(header->value) ||
			strchr(header->name, ':') != NULL)
			return error_set(err, ERROR_INVALID, "a header field holds a line end");
	}
	return true;
}

/* ---- places ---- */

static bool is_printable(const char *url)
{
	for (; *url != '\0'; url++)
		if (*url <= ' ' || *url > '~')
			return false;
	return true;
}

/* "127.0.0.1" or "::1" (without its brackets) into the address. */
static bool host_read(const char *host, bool is_v6, uint16_t port, struct http_place *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&out->address.storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&out->address.storage;

	if (is_v6) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		out->address_size = sizeof *v6;
		return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons(port);
	out->address_size = sizeof *v4;
	return inet_pton(AF_INET, host, &v4->sin_addr) == 1;
}

static bool port_read(struct text digits, uint16_t *out)
{
	int64_t port;

	if (digits.length == 0 || digits.data[0] == '+' || digits.data[0] == '-' ||
		!text_to_int64(digits, &port) || port < 1 || port > UINT16_MAX)
		return false;
	*out = (uint16_t)port;
	return true;
}

/* HOST, HOST:PORT, [V6] or [V6]:PORT. */
static bool authority_read(struct text authority, struct http_place *out)
{
	bool is_v6 = authority.length > 0 && authority.data[0] == '[';
	ptrdiff_t end = text_find_byte(authority, is_v6 ? ']' : ':');
	struct text host = authority, rest = {0};
	char name[HOST_BYTES_MAX];
	uint16_t port = PORT_DEFAULT;

	if (is_v6 && end < 0)
		return false;
	if (end >= 0) {
		size_t skip = (size_t)end + (is_v6 ? 1 : 0);

		host.length = (size_t)end;
		rest = (struct text){authority.data + skip, authority.length - skip};
	}
	if (is_v6)
		host = (struct text){host.data + 1, host.length - 1};
	if (host.length >= sizeof name || (rest.length > 0 && rest.data[0] != ':') ||
		(rest.length > 0 &&
			!port_read((struct text){rest.data + 1, rest.length - 1}, &port)))
		return false;
	memcpy(name, host.data, host.length);
	name[host.length] = '\0';
	return host_read(name, is_v6, port, out);
}

bool http_place_read(const char *url, struct http_place *out)
{
	static const char scheme[] = "http://";
	const char *authority = url + sizeof scheme - 1;
	size_t length;

	*out = (struct http_place){0};
	if (strncmp(url, scheme, sizeof scheme - 1) != 0 || !is_printable(url) ||
		strpbrk(url, "@#\\") != NULL)
		return false;
	length = strcspn(authority, "/?");
	out->authority = (struct text){authority, length};
	out->target = text_of(authority + length);
	if (out->target.length == 0)
		out->target = TEXT("/");
	return out->target.data[0] == '/' && authority_read(out->authority, out);
}

/* ---- the client ---- */

bool http_client_create(struct http_client **out, struct loop *loop, struct error *err)
{
	struct http_client *client = calloc(1, sizeof *client);

	*out = NULL;
	if (client == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the HTTP client");
	if (!http_curl_create(&client->curl, loop, err) ||
		!http_plain_create(&client->plain, loop, err)) {
		http_client_destroy(&client);
		return false;
	}
	*out = client;
	return true;
}

void http_client_destroy(struct http_client **handle)
{
	if (*handle == NULL)
		return;
	http_plain_destroy(&(*handle)->plain);
	http_curl_destroy(&(*handle)->curl);
	free(*handle);
	*handle = NULL;
}

bool http_client_send(struct http_client *client, const struct http_call_request *request,
	struct http_call **out, struct error *err)
{
	struct http_call *call;
	struct http_place place;
	bool ok;

	if (out != NULL)
		*out = NULL;
	assert(request->on_done != NULL);
	if (!http_request_check(request, err))
		return false;
	if (request->unix_path == NULL && !request->is_public_only &&
		http_place_read(request->url, &place))
		ok = http_plain_send(client->plain, request, &place, &call, err);
	else
		ok = http_curl_send(client->curl, request, &call, err);
	if (ok && out != NULL)
		*out = call;
	return ok;
}

void http_call_cancel(struct http_call **handle)
{
	struct http_call *call = *handle;

	*handle = NULL;
	if (call != NULL)
		call->engine->cancel(call);
}

struct text http_reply_header(const struct http_reply *reply, const char *name)
{
	if (reply->call == NULL)
		return (struct text){0};
	return reply->call->engine->header(reply->call, name);
}
