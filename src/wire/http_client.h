#ifndef WIRE_HTTP_CLIENT_H
#define WIRE_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/loop.h"
#include "base/text.h"
#include "wire/http.h"

/* HTTP/1.1 client in the loop, with pooled connections.  Follows no redirect,
 * reads no proxy from the environment, speaks http and https only, verifies
 * certificates. */

enum {
	HTTP_REPLY_BYTES_DEFAULT = 16 * 1024 * 1024,
	HTTP_CONNECT_DEFAULT_MS = 5000,
	HTTP_CLIENT_HEADERS_MAX = 32,
};

struct http_client;
struct http_call;

/* What came back; borrowed for the callback. */
struct http_reply {
	unsigned status;  /* 0 if no answer came */
	bool is_sent;     /* at least a part of the request left */
	struct text body; /* empty where on_body took it */
	const struct http_call *call;
	struct error err; /* code NONE: the answer is whole */
};

struct http_call_request {
	const char *method;
	const char *url;
	const char *unix_path; /* connect there instead; NULL: no */
	const char *ca_file;   /* NULL: the system's roots */
	const struct http_header *headers;
	size_t header_count;
	struct text body;            /* sent if .data is not NULL; copied */
	uint32_t connect_timeout_ms; /* 0: the default */
	uint32_t deadline_ms;        /* for the whole call; 0: none (streams) */
	size_t reply_bytes_max;      /* of the body in all, or 0: the default */
	/* Only to addresses of the world's, looked at when it connects, whatever a name
	 * resolved to before; by a connection of its own.  Else done with INVALID. */
	bool is_public_only;
	void *context;
	/* Status and header fields are there.  May be NULL.  False: cut the call
	 * (on_done runs with LIMIT). */
	bool (*on_head)(void *context, const struct http_reply *reply);
	/* Takes the body as it comes, then reply_bytes_max bounds nothing.  NULL:
	 * collect it.  False: cut the call (on_done runs with LIMIT). */
	bool (*on_body)(void *context, struct text chunk);
	/* Exactly once, unless cancelled; the call is gone once it returns. */
	void (*on_done)(void *context, const struct http_reply *reply);
};

/* Errors: LIMIT, INTERNAL. */
bool http_client_create(struct http_client **out, struct loop *loop, struct error *err) MUST_CHECK;
/* Cancels every call. */
void http_client_destroy(struct http_client **handle);

/* Starts a call; *out (may be NULL) serves to cancel it.  No callback runs
 * before this returns.  Errors: INVALID (url, header), LIMIT. */
bool http_client_send(struct http_client *client, const struct http_call_request *request,
	struct http_call **out, struct error *err) MUST_CHECK;
/* No callback runs any more.  Safe inside a callback of this call.  *call may be NULL. */
void http_call_cancel(struct http_call **handle);

/* A header field of the reply, first value; empty if absent.  Borrowed for the callback. */
struct text http_reply_header(const struct http_reply *reply, const char *name);

/* Does one call and waits: for the command line, where nothing else happens.
 * The reply's body is copied into arena, and reply->call is NULL; the field
 * Content-Type, ETag and Location are in *head (may be NULL).
 * Errors: INVALID, IO, TIMEOUT, LIMIT. */
struct http_fetch_head {
	struct text content_type;
	struct text etag;
	struct text location;
	const char *extra_name; /* of one more field, set before; NULL: none */
	struct text extra;
};
bool http_fetch(struct http_reply *reply, struct http_fetch_head *head, struct arena *arena,
	const struct http_call_request *request, struct error *err) MUST_CHECK;

#endif
