/* A provider of models behind a URL: one POST a request, whose answer is handed on byte by
 * byte as it comes.  There is no session and nothing to say first, so a connection is
 * ready as soon as its credential is at hand.
 *
 * A passage lives as long as its wait.  It may be forgotten from within a callback of its
 * own HTTP call (the client went away, a budget is over); then it is freed when that
 * callback returns.  To cut the HTTP call is all that a provider is told. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "edges/upstream/upstream_private.h"

enum {
	URL_BYTES_MAX = 2200,
	PASSAGE_HEADERS_MAX = 5,
	STATUS_UNAUTHORIZED = 401,
	STATUS_FORBIDDEN = 403,
	STATUS_SERVER_FAULT = 500,
};

/* The one version of its API that is spoken. */
static const char anthropic_version[] = "2023-06-01";

struct passage {
	struct upstream_wait *wait; /* NULL: forgotten */
	struct http_call *call;
	int64_t silence_ms; /* longest between two pieces of the answer */
	struct upstream_bytes head;
	bool is_in_callback;
};

static void passage_free(struct passage *passage)
{
	http_call_cancel(&passage->call);
	free(passage);
}

/* True while somebody waits. */
static bool passage_leave(struct passage *passage)
{
	passage->is_in_callback = false;
	if (passage->wait != NULL)
		return true;
	passage_free(passage);
	return false;
}

static void provider_forget(struct upstream_wait *wait)
{
	struct passage *passage = wait->passage;

	wait->passage = NULL;
	passage->wait = NULL;
	if (!passage->is_in_callback)
		passage_free(passage);
}

/* Without its parameters, in any case (RFC 9110 §8.3.1). */
static bool is_type(struct text field, const char *type)
{
	size_t length = strlen(type);

	return field.length >= length && strncasecmp(field.data, type, length) == 0 &&
	       (field.length == length || strchr("; \t", field.data[length]) != NULL);
}

/* What is compressed, which nobody asked for, is neither. */
static enum upstream_type type_of(const struct http_reply *reply)
{
	struct text type = http_reply_header(reply, "Content-Type");
	struct text encoding = http_reply_header(reply, "Content-Encoding");

	if (encoding.length > 0 && !is_type(encoding, "identity"))
		return UPSTREAM_OTHER;
	if (is_type(type, "text/event-stream"))
		return UPSTREAM_EVENTS;
	return is_type(type, "application/json") ? UPSTREAM_JSON : UPSTREAM_OTHER;
}

static bool on_head(void *context, const struct http_reply *reply)
{
	struct passage *passage = context;

	passage->head.status = reply->status;
	passage->head.type = type_of(reply);
	return true;
}

/* The answer goes on: the deadline is one of silence from now on. */
static bool on_body(void *context, struct text chunk)
{
	struct passage *passage = context;
	struct upstream_wait *wait = passage->wait;

	passage->is_in_callback = true;
	passage->head.bytes = chunk;
	if (!loop_timer_start(
		    wait->connection->edge->settings.loop, &wait->deadline, passage->silence_ms))
		assert(!"a timer that is armed has its place in the heap");
	wait->request.on_bytes(wait->request.context, &passage->head);
	return passage_leave(passage);
}

/* What a provider says of our credential is not for the client's eyes. */
static bool is_about_credential(unsigned status)
{
	return status == STATUS_UNAUTHORIZED || status == STATUS_FORBIDDEN;
}

static void on_done(void *context, const struct http_reply *reply)
{
	struct passage *passage = context;
	struct upstream_wait *wait = passage->wait;
	const struct connection *connection = wait->connection;
	struct error failure = reply->err;

	passage->call = NULL;
	credential_renounce(connection, wait->carried, &wait->key, passage->head.status);
	if (reply->err.code != ERROR_NONE)
		error_wrap(&failure, "provider %.*s", TEXT_ARGS(connection->name));
	else if (is_about_credential(passage->head.status))
		error_set(&failure, ERROR_IO,
			"provider %.*s refused the gateway's credential (HTTP %u)",
			TEXT_ARGS(connection->name), passage->head.status);
	if (failure.code == ERROR_NONE) {
		wait_answer(wait, &(struct upstream_answer){.status = passage->head.status});
		return;
	}
	failure.os_errno = 0;
	connection_log(connection, "%s", failure.text);
	wait_fail(wait, &failure, reply->is_sent && !is_about_credential(passage->head.status));
}

/* ---- what goes out ---- */

/* Keys go in a field of Anthropic's own, tokens that were exchanged for as bearers do. */
static bool has_api_key(const struct upstream_wait *wait)
{
	return wait->connection->speaks == SPEAKS_ANTHROPIC && !wait->carried->is_exchanged;
}

static size_t headers_fill(struct http_header headers[PASSAGE_HEADERS_MAX],
	const struct upstream_wait *wait, const char *authorization)
{
	size_t count = 0;
	bool is_anthropic = wait->connection->speaks == SPEAKS_ANTHROPIC;

	headers[count++] = (struct http_header){"Accept", "application/json, text/event-stream"};
	headers[count++] = (struct http_header){"Content-Type", "application/json"};
	if (is_anthropic)
		headers[count++] = (struct http_header){"anthropic-version", anthropic_version};
	if (authorization != NULL)
		headers[count++] = (struct http_header){
			has_api_key(wait) ? "x-api-key" : "Authorization", authorization};
	return count;
}

static bool url_make(char out[URL_BYTES_MAX], const struct upstream_wait *wait, struct error *err)
{
	const char *base = wait->connection->url;
	size_t length = strlen(base);
	int written;

	while (length > 0 && base[length - 1] == '/')
		length--;
	written = snprintf(out, URL_BYTES_MAX, "%.*s/v1/%.*s", (int)length, base,
		TEXT_ARGS(wait->request.method));
	return (written > 0 && written < URL_BYTES_MAX) ||
	       error_set(err, ERROR_LIMIT, "the URL of a provider is too long");
}

static bool passage_send(
	struct passage *passage, const struct upstream_wait *wait, struct error *err)
{
	const struct connection *connection = wait->connection;
	struct http_header headers[PASSAGE_HEADERS_MAX];
	char url[URL_BYTES_MAX];
	char *authorization = NULL;
	bool ok = false;

	if (!url_make(url, wait, err))
		return false;
	if (wait->carried->reference.length > 0)
		authorization = authorization_make(connection, wait->carried, &wait->key,
			has_api_key(wait) ? "" : "Bearer ", err);
	if (wait->carried->reference.length == 0 || authorization != NULL)
		ok = http_client_send(connection->edge->settings.http,
			&(struct http_call_request){.method = "POST",
				.url = url,
				.headers = headers,
				.header_count = headers_fill(headers, wait, authorization),
				.body = wait->request.body,
				.context = passage,
				.on_head = on_head,
				.on_body = on_body,
				.on_done = on_done},
			&passage->call, err);
	authorization_discard(authorization);
	return ok;
}

bool provider_send(struct upstream_wait *wait, struct error *err)
{
	int64_t now_ms = loop_now_ms(wait->connection->edge->settings.loop);
	struct passage *passage = calloc(1, sizeof *passage);

	if (passage == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a request");
	passage->silence_ms = wait->deadline_ms > now_ms ? wait->deadline_ms - now_ms : 1;
	if (!passage_send(passage, wait, err)) {
		passage_free(passage);
		return false;
	}
	passage->wait = wait;
	wait->passage = passage;
	return true;
}

/* ---- the link ---- */

static bool provider_open(struct connection *connection, struct error *err)
{
	(void)connection;
	(void)err;
	return true;
}

/* Nothing but requests goes to a provider. */
static bool provider_say(struct connection *connection, struct text message,
	struct upstream_wait *wait, struct error *err)
{
	(void)message;
	(void)wait;
	return error_set(err, ERROR_INTERNAL, "provider %.*s speaks no JSON-RPC",
		TEXT_ARGS(connection->name));
}

static void provider_ready(struct connection *connection)
{
	(void)connection;
}

static void provider_close(struct connection *connection)
{
	(void)connection; /* each wait that falls forgets its passage */
}

const struct link provider_link = {
	.open = provider_open,
	.send = provider_say,
	.forget = provider_forget,
	.ready = provider_ready,
	.close = provider_close,
};
