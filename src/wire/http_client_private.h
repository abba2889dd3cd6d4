#ifndef WIRE_HTTP_CLIENT_PRIVATE_H
#define WIRE_HTTP_CLIENT_PRIVATE_H

#include <sys/socket.h>

#include "wire/http_client.h"

/* Private to the HTTP client.  A request goes by one of two engines: plain HTTP
 * to a numeric address by our own (http_plain.c), which costs a tenth; all else
 * (TLS, names, proxies of none) by libcurl (http_curl.c). */

struct http_curl;
struct http_plain;

enum { HTTP_CLIENT_TURN_BYTES_MAX = 64 * 1024 }; /* read of one connection in one turn */

/* The first member of an engine's own call. */
struct http_call {
	const struct http_engine *engine;
};

struct http_engine {
	void (*cancel)(struct http_call *call);
	struct text (*header)(const struct http_call *call, const char *name);
};

/* Where a plain request goes. */
struct http_place {
	union {
		struct sockaddr any;
		struct sockaddr_storage storage;
	} address;
	socklen_t address_size;
	struct text authority; /* for the field Host; borrowed from the URL */
	struct text target;    /* path and query; borrowed from the URL, or "/" */
};

/* True if the plain engine takes this URL: http://, a numeric address, printable
 * ASCII, no user, no fragment. */
bool http_place_read(const char *url, struct http_place *out);

/* False for loopback, private, link-local and all other addresses that are not the world's. */
bool http_address_is_public(const struct sockaddr *address);

/* Errors: INVALID (a field with a line end, a method that is no word), LIMIT. */
bool http_request_check(const struct http_call_request *request, struct error *err) MUST_CHECK;

/* Errors: LIMIT, INTERNAL. */
bool http_curl_create(struct http_curl **out, struct loop *loop, struct error *err) MUST_CHECK;
void http_curl_destroy(struct http_curl **handle);
/* The request was checked.  Errors: INVALID, LIMIT. */
bool http_curl_send(struct http_curl *curl, const struct http_call_request *request,
	struct http_call **out, struct error *err) MUST_CHECK;

/* Errors: LIMIT. */
bool http_plain_create(struct http_plain **out, struct loop *loop, struct error *err) MUST_CHECK;
void http_plain_destroy(struct http_plain **handle);
/* The request was checked; place is of its URL.  Errors: LIMIT, IO. */
bool http_plain_send(struct http_plain *plain, const struct http_call_request *request,
	const struct http_place *place, struct http_call **out, struct error *err) MUST_CHECK;

#endif
