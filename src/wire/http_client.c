/* libcurl's multi interface, driven by the loop's watches and one timer.
 *
 * libcurl must not be entered from its own callbacks, so while one runs
 * (depth > 0) a new call is queued and a cancelled one is marked; both are
 * settled when libcurl has returned.  Invariants:
 *  C1  on_done runs outside libcurl, at most once, never after a cancel;
 *  C2  a call is freed only outside libcurl;
 *  C3  a watch is taken out of the loop before its descriptor is closed, so its
 *      number cannot be someone else's by then. */
#include "wire/http_client.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"

enum { POOLED_CONNECTIONS_MAX = 64, HEADER_LINE_BYTES_MAX = 16 * 1024 };

struct http_call {
	struct http_client *client; /* NULL in http_fetch */
	struct http_call *newer, *older;
	CURL *easy;
	struct curl_slist *headers;
	struct http_call_request request; /* texts not kept */
	struct buffer body;               /* of the request */
	struct buffer reply_body;
	char failure[CURL_ERROR_SIZE];
	bool is_added;
	bool is_cancelled;
	bool has_head;
	bool is_refused; /* by on_head, on_body or the limit */
};

struct http_socket {
	struct http_client *client;
	struct http_socket *newer, *older;
	struct loop_watch watch;
};

struct http_client {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer timer;
	struct http_call *newest;
	struct http_socket *newest_socket;
	int depth; /* calls into libcurl under way */
	bool has_unsettled;
};

/* ---- libcurl's callbacks for one call ---- */

static struct http_reply reply_of(struct http_call *call)
{
	struct http_reply reply = {.call = call};
	long status = 0, sent_bytes = 0;

	(void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
	reply.is_sent = sent_bytes > 0;
	reply.status = status > 0 ? (unsigned)status : 0;
	return reply;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct http_call *call = context;
	struct http_reply reply;
	bool is_end = size * count <= 2 && (bytes[0] == '\r' || bytes[0] == '\n');

	if (!is_end || call->has_head || call->is_cancelled)
		return size * count;
	reply = reply_of(call);
	if (reply.status < 200) /* 1xx: the real head follows */
		return size * count;
	call->has_head = true;
	if (call->request.on_head == NULL || call->request.on_head(call->request.context, &reply))
		return size * count;
	call->is_refused = true;
	return 0;
}

static size_t on_write(char *bytes, size_t size, size_t count, void *context)
{
	struct http_call *call = context;
	struct text chunk = {bytes, size * count};

	if (call->is_cancelled)
		return 0;
	if (call->request.on_body != NULL)
		call->is_refused = !call->request.on_body(call->request.context, chunk);
	else {
		buffer_append_text(&call->reply_body, chunk);
		call->is_refused = buffer_failed(&call->reply_body);
	}
	return call->is_refused || call->is_cancelled ? 0 : chunk.length;
}

/* ---- preparing ---- */

static bool is_line(const char *value)
{
	return strpbrk(value, "\r\n") == NULL;
}

static bool header_add(
	struct http_call *call, const char *name, const char *value, struct error *err)
{
	struct buffer line;
	struct curl_slist *longer = NULL;

	if (*name == '\0' || !is_line(name) || !is_line(value) || strchr(name, ':') != NULL)
		return error_set(err, ERROR_INVALID, "a header field holds a line end");
	buffer_init(&line, HEADER_LINE_BYTES_MAX);
	buffer_append_string(&line, name);
	buffer_append_string(&line, *value == '\0' ? ";" : ": "); /* ";": sent empty */
	buffer_append_string(&line, value);
	buffer_append_byte(&line, '\0');
	if (!buffer_failed(&line))
		longer = curl_slist_append(call->headers, line.data);
	buffer_deinit(&line);
	if (longer == NULL)
		return error_set(err, ERROR_LIMIT, "the header field %.64s is too long", name);
	call->headers = longer;
	return true;
}

/* Fields that libcurl would add by itself. */
static bool headers_suppress(struct http_call *call, bool has_type, struct error *err)
{
	struct curl_slist *longer = curl_slist_append(call->headers, "Expect:");

	if (longer != NULL)
		call->headers = longer;
	if (longer != NULL && !has_type) {
		longer = curl_slist_append(call->headers, "Content-Type:");
		call->headers = longer != NULL ? longer : call->headers;
	}
	return longer != NULL || error_set(err, ERROR_LIMIT, "no memory for a request");
}

static bool headers_prepare(
	struct http_call *call, const struct http_call_request *request, struct error *err)
{
	bool has_type = false;
	size_t i;

	if (request->header_count > HTTP_CLIENT_HEADERS_MAX)
		return error_set(
			err, ERROR_LIMIT, "more than %d header fields", HTTP_CLIENT_HEADERS_MAX);
	for (i = 0; i < request->header_count; i++) {
		has_type |= strcasecmp(request->headers[i].name, "Content-Type") == 0;
		if (!header_add(call, request->headers[i].name, request->headers[i].value, err))
			return false;
	}
	return headers_suppress(call, has_type, err);
}

/* Each option that can fail for lack of memory is counted. */
static bool options_set(struct http_call *call, const struct http_call_request *request)
{
	CURL *easy = call->easy;
	long connect_ms = request->connect_timeout_ms > 0 ? (long)request->connect_timeout_ms
							  : (long)HTTP_CONNECT_DEFAULT_MS;
	int failed = 0;

	failed |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_URL, request->url) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) !=
		  CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms) != CURLE_OK;
	failed |=
		curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->deadline_ms) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->failure) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_PRIVATE, call) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, call) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, call) != CURLE_OK;
	if (request->unix_path != NULL)
		failed |= curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_path) !=
			  CURLE_OK;
	if (request->ca_file != NULL)
		failed |= curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file) != CURLE_OK;
	return failed == 0;
}

static bool method_set(struct http_call *call, const struct http_call_request *request)
{
	CURL *easy = call->easy;

	if (strcmp(request->method, "HEAD") == 0)
		return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
	if (request->body.data != NULL || strcmp(request->method, "POST") == 0) {
		const char *bytes = call->body.length > 0 ? call->body.data : "";

		if (curl_easy_setopt(easy, CURLOPT_POST, 1L) != CURLE_OK ||
			curl_easy_setopt(easy, CURLOPT_POSTFIELDS, bytes) != CURLE_OK ||
			curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				(curl_off_t)call->body.length) != CURLE_OK)
			return false;
	}
	return curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK;
}

static void call_free(struct http_call *call)
{
	if (call == NULL)
		return;
	if (call->easy != NULL)
		curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	if (call->body.data != NULL)
		explicit_bzero(call->body.data, call->body.capacity);
	buffer_deinit(&call->body);
	buffer_deinit(&call->reply_body);
	free(call);
}

static bool call_prepare(
	struct http_call *call, const struct http_call_request *request, struct error *err)
{
	size_t reply_max = request->reply_bytes_max;

	call->request = *request;
	buffer_init(&call->body, request->body.length);
	buffer_init(&call->reply_body, reply_max > 0 ? reply_max : HTTP_REPLY_BYTES_DEFAULT);
	buffer_append_text(&call->body, request->body);
	call->easy = curl_easy_init();
	if (call->easy == NULL || buffer_failed(&call->body))
		return error_set(err, ERROR_LIMIT, "no memory for a request");
	if (!is_line(request->url) || !is_line(request->method))
		return error_set(err, ERROR_INVALID, "not a URL");
	if (!headers_prepare(call, request, err))
		return false;
	if (!options_set(call, request) || !method_set(call, request))
		return error_set(err, ERROR_INVALID, "the HTTP client does not take this request");
	call->request.url = NULL; /* borrowed for the call */
	call->request.headers = NULL;
	call->request.body = (struct text){0};
	return true;
}

/* NULL and err, if it cannot be. */
static struct http_call *call_create(const struct http_call_request *request, struct error *err)
{
	struct http_call *call = calloc(1, sizeof *call);

	if (call == NULL)
		error_set(err, ERROR_LIMIT, "no memory for a request");
	else if (!call_prepare(call, request, err)) {
		call_free(call);
		call = NULL;
	}
	return call;
}

static void outcome_set(struct http_reply *reply, const struct http_call *call, CURLcode code)
{
	const char *why = call->failure[0] != '\0' ? call->failure : curl_easy_strerror(code);

	if (code == CURLE_OK)
		return;
	if (call->is_refused)
		error_set(&reply->err, ERROR_LIMIT, "the answer was refused: it is too large");
	else if (code == CURLE_OPERATION_TIMEDOUT)
		error_set(&reply->err, ERROR_TIMEOUT, "%s", why);
	else if (code == CURLE_COULDNT_CONNECT && call->request.unix_path != NULL)
		error_set(&reply->err, ERROR_IO, "nothing answers on its socket");
	else if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
		error_set(&reply->err, ERROR_INVALID, "%s", why);
	else
		error_set(&reply->err, ERROR_IO, "%s", why);
}

/* ---- the client in the loop ---- */

static void client_settle(struct http_client *client);

static void client_act(struct http_client *client, curl_socket_t fd, int events)
{
	int running;

	client->depth++;
	(void)curl_multi_socket_action(client->multi, fd, events, &running);
	client->depth--;
	client_settle(client);
}

static void on_timer(struct loop_timer *timer)
{
	client_act(timer->context, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_wanted(CURLM *multi, long delay_ms, void *context)
{
	struct http_client *client = context;

	(void)multi;
	if (delay_ms < 0) {
		loop_timer_stop(client->loop, &client->timer);
		return 0;
	}
	return loop_timer_start(client->loop, &client->timer, delay_ms) ? 0 : -1;
}

static void on_socket_event(struct loop_watch *watch, unsigned events)
{
	struct http_socket *socket = watch->context;
	int ready = 0;

	if (events & LOOP_READ)
		ready |= CURL_CSELECT_IN;
	if (events & LOOP_WRITE)
		ready |= CURL_CSELECT_OUT;
	if (events & LOOP_HANGUP)
		ready |= CURL_CSELECT_ERR;
	client_act(socket->client, watch->fd, ready);
}

static void socket_forget(struct http_socket *socket)
{
	struct http_client *client = socket->client;

	loop_watch_remove(client->loop, &socket->watch);
	if (socket->newer != NULL)
		socket->newer->older = socket->older;
	else
		client->newest_socket = socket->older;
	if (socket->older != NULL)
		socket->older->newer = socket->newer;
	free(socket);
}

static struct http_socket *socket_remember(struct http_client *client, curl_socket_t fd)
{
	struct http_socket *socket = calloc(1, sizeof *socket);

	if (socket == NULL)
		return NULL;
	socket->client = client;
	socket->watch =
		(struct loop_watch){.fd = fd, .on_event = on_socket_event, .context = socket};
	socket->older = client->newest_socket;
	if (socket->older != NULL)
		socket->older->newer = socket;
	client->newest_socket = socket;
	(void)curl_multi_assign(client->multi, fd, socket);
	return socket;
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
	struct http_client *client = context;
	struct http_socket *socket = known;
	unsigned events = 0;
	struct error err;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (socket != NULL)
			socket_forget(socket);
		(void)curl_multi_assign(client->multi, fd, NULL);
		return 0;
	}
	if (socket == NULL)
		socket = socket_remember(client, fd);
	if (socket == NULL)
		return -1;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= LOOP_READ;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= LOOP_WRITE;
	if (socket->watch.is_watched)
		return loop_watch_change(client->loop, &socket->watch, events, &err) ? 0 : -1;
	socket->watch.events = events;
	return loop_watch_add(client->loop, &socket->watch, &err) ? 0 : -1;
}

static int on_socket_close(void *context, curl_socket_t fd)
{
	struct http_client *client = context;
	struct http_socket *socket;

	for (socket = client->newest_socket; socket != NULL; socket = socket->older)
		if (socket->watch.fd == fd)
			loop_watch_remove(client->loop, &socket->watch); /* C3 */
	return close(fd);
}

static void call_unlink(struct http_call *call)
{
	struct http_client *client = call->client;

	if (call->is_added)
		(void)curl_multi_remove_handle(client->multi, call->easy);
	if (call->newer != NULL)
		call->newer->older = call->older;
	else
		client->newest = call->older;
	if (call->older != NULL)
		call->older->newer = call->newer;
}

static void call_fail(struct http_call *call, CURLcode code)
{
	struct http_reply reply = reply_of(call);

	outcome_set(&reply, call, code);
	reply.body = buffer_text(&call->reply_body);
	if (!call->is_cancelled)
		call->request.on_done(call->request.context, &reply);
	call_unlink(call);
	call_free(call);
}

static void done_deliver(struct http_client *client)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
		CURLcode code = message->data.result;
		char *call = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
		call_fail((struct http_call *)(void *)call, code); /* C1 */
	}
}

/* A call that was cancelled or sent while libcurl ran, or NULL. */
static struct http_call *unsettled_find(struct http_client *client)
{
	struct http_call *call = client->newest;

	while (call != NULL && call->is_added && !call->is_cancelled)
		call = call->older;
	return call;
}

/* What had to wait for libcurl to return: C2. */
static void client_settle(struct http_client *client)
{
	struct http_call *call;

	if (client->depth > 0)
		return;
	client->depth++; /* on_done may send and cancel: both wait for this walk */
	done_deliver(client);
	while (client->has_unsettled) {
		call = unsettled_find(client);
		if (call == NULL)
			client->has_unsettled = false;
		else if (call->is_cancelled) {
			call_unlink(call);
			call_free(call);
		} else {
			call->is_added =
				curl_multi_add_handle(client->multi, call->easy) == CURLM_OK;
			if (!call->is_added)
				call_fail(call, CURLE_OUT_OF_MEMORY);
		}
	}
	client->depth--;
}

bool http_client_create(struct http_client **out, struct loop *loop, struct error *err)
{
	struct http_client *client = calloc(1, sizeof *client);

	*out = NULL;
	if (client == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(client);
		return error_set(err, ERROR_LIMIT, "no memory for the HTTP client");
	}
	client->loop = loop;
	client->timer = (struct loop_timer){.on_due = on_timer, .context = client};
	client->multi = curl_multi_init();
	if (client->multi == NULL) {
		http_client_destroy(&client);
		return error_set(err, ERROR_LIMIT, "no memory for the HTTP client");
	}
	(void)curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
	(void)curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	(void)curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
	(void)curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	(void)curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)POOLED_CONNECTIONS_MAX);
	*out = client;
	return true;
}

void http_client_destroy(struct http_client **handle)
{
	struct http_client *client = *handle;

	if (client == NULL)
		return;
	assert(client->depth == 0);
	while (client->newest != NULL) {
		struct http_call *call = client->newest;

		call_unlink(call);
		call_free(call);
	}
	if (client->multi != NULL)
		(void)curl_multi_cleanup(client->multi);
	while (client->newest_socket != NULL)
		socket_forget(client->newest_socket);
	loop_timer_stop(client->loop, &client->timer);
	curl_global_cleanup();
	free(client);
	*handle = NULL;
}

bool http_client_send(struct http_client *client, const struct http_call_request *request,
	struct http_call **out, struct error *err)
{
	struct http_call *call;

	if (out != NULL)
		*out = NULL;
	assert(request->on_done != NULL);
	call = call_create(request, err);
	if (call == NULL)
		return false;
	(void)curl_easy_setopt(call->easy, CURLOPT_CLOSESOCKETFUNCTION, on_socket_close);
	(void)curl_easy_setopt(call->easy, CURLOPT_CLOSESOCKETDATA, client);
	call->client = client;
	call->older = client->newest;
	if (call->older != NULL)
		call->older->newer = call;
	client->newest = call;
	if (client->depth > 0)
		client->has_unsettled = true;
	else {
		call->is_added = true;
		if (curl_multi_add_handle(client->multi, call->easy) != CURLM_OK) {
			call->is_added = false;
			call_unlink(call);
			call_free(call);
			return error_set(err, ERROR_LIMIT, "no memory for a request");
		}
	}
	if (out != NULL)
		*out = call;
	return true;
}

void http_call_cancel(struct http_call **handle)
{
	struct http_call *call = *handle;

	if (call == NULL)
		return;
	*handle = NULL;
	call->is_cancelled = true;
	if (call->client->depth > 0) {
		call->client->has_unsettled = true; /* client_settle frees it */
		return;
	}
	call_unlink(call);
	call_free(call);
}

struct text http_reply_header(const struct http_reply *reply, const char *name)
{
	struct curl_header *header;

	if (reply->call == NULL || curl_easy_header(reply->call->easy, name, 0, CURLH_HEADER, -1,
					   &header) != CURLHE_OK)
		return (struct text){0};
	return text_of(header->value);
}

/* ---- one call, waited for ---- */

static bool head_copy(
	struct http_fetch_head *head, struct arena *arena, const struct http_reply *reply)
{
	head->content_type = text_copy(arena, http_reply_header(reply, "Content-Type"));
	head->etag = text_copy(arena, http_reply_header(reply, "ETag"));
	head->location = text_copy(arena, http_reply_header(reply, "Location"));
	return head->content_type.data != NULL && head->etag.data != NULL &&
	       head->location.data != NULL;
}

bool http_fetch(struct http_reply *reply, struct http_fetch_head *head, struct arena *arena,
	const struct http_call_request *request, struct error *err)
{
	struct http_call *call = call_create(request, err);
	bool ok = false;

	*reply = (struct http_reply){0};
	if (call == NULL)
		return false;
	outcome_set(reply, call, curl_easy_perform(call->easy));
	if (reply->err.code != ERROR_NONE) {
		*err = reply->err;
		goto done;
	}
	*reply = reply_of(call);
	reply->body = text_copy(arena, buffer_text(&call->reply_body));
	ok = reply->body.data != NULL && (head == NULL || head_copy(head, arena, reply));
	reply->call = NULL;
	if (!ok)
		error_set(err, ERROR_LIMIT, "no memory for the answer");
done:
	call_free(call);
	return ok;
}
