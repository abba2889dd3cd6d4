/* The engine on libcurl's multi interface, driven by the loop's watches and one
 * timer.
 *
 * libcurl must not be entered from its own callbacks, so while one runs
 * (depth > 0) a new call is queued and a cancelled one is marked; both are
 * settled when libcurl has returned.  Invariants:
 *  C1  on_done runs outside libcurl, at most once, never after a cancel;
 *  C2  a call is freed only outside libcurl;
 *  C3  a watch is taken out of the loop before its descriptor is closed, so its
 *      number cannot be someone else's by then. */
#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clearing.h"
#include "wire/http_client_private.h"

enum { POOLED_CONNECTIONS_MAX = 64, HEADER_LINE_BYTES_MAX = 16 * 1024 };

struct curl_call {
	struct http_call call;
	struct http_curl *curl; /* NULL in http_fetch */
	struct curl_call *newer, *older;
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
	bool is_barred;  /* the address it would connect to */
};

struct http_socket {
	struct http_curl *curl;
	struct http_socket *newer, *older;
	struct loop_watch watch;
};

struct http_curl {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer timer;
	struct curl_call *newest;
	struct http_socket *newest_socket;
	int depth; /* calls into libcurl under way */
	bool has_unsettled;
};

/* ---- libcurl's callbacks for one call ---- */

static struct http_reply reply_of(struct curl_call *call)
{
	struct http_reply reply = {.call = &call->call};
	long status = 0, sent_bytes = 0;

	(void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
	reply.is_sent = sent_bytes > 0;
	reply.status = status > 0 ? (unsigned)status : 0;
	return reply;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct curl_call *call = context;
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
	struct curl_call *call = context;
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

/* The last moment in which the address is known and nothing was sent there. */
static curl_socket_t on_open_socket(
	void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct curl_call *call = context;

	(void)purpose;
	if (!http_address_is_public(&address->addr)) {
		call->is_barred = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- preparing ---- */

static bool header_add(
	struct curl_call *call, const char *name, const char *value, struct error *err)
{
	struct buffer line;
	struct curl_slist *longer = NULL;

	buffer_init(&line, HEADER_LINE_BYTES_MAX);
	buffer_append_string(&line, name);
	buffer_append_string(&line, *value == '\0' ? ";" : ": "); /* ";": sent empty */
	buffer_append_string(&line, value);
	buffer_append_byte(&line, '\0');
	if (!buffer_failed(&line))
		longer = curl_slist_append(call->headers, line.data);
	if (line.data != NULL)
		explicit_bzero(line.data, line.capacity);
	buffer_deinit(&line);
	if (longer == NULL)
		return error_set(err, ERROR_LIMIT, "the header field %.64s is too long", name);
	call->headers = longer;
	return true;
}

/* Fields that libcurl would add by itself. */
static bool headers_suppress(struct curl_call *call, bool has_type, struct error *err)
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
	struct curl_call *call, const struct http_call_request *request, struct error *err)
{
	bool has_type = false;
	size_t i;

	for (i = 0; i < request->header_count; i++) {
		has_type |= strcasecmp(request->headers[i].name, "Content-Type") == 0;
		if (!header_add(call, request->headers[i].name, request->headers[i].value, err))
			return false;
	}
	return headers_suppress(call, has_type, err);
}

/* Each option that can fail for lack of memory is counted. */
static bool options_set(struct curl_call *call, const struct http_call_request *request)
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

/* A pooled connection was looked at by nobody. */
static bool public_only_set(struct curl_call *call)
{
	CURL *easy = call->easy;

	return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK;
}

static bool method_set(struct curl_call *call, const struct http_call_request *request)
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

/* A field may hold a credential. */
static void headers_clear(struct curl_slist *headers)
{
	struct curl_slist *field;

	for (field = headers; field != NULL; field = field->next)
		explicit_bzero(field->data, strlen(field->data));
	curl_slist_free_all(headers);
}

static void call_free(struct curl_call *call)
{
	if (call == NULL)
		return;
	if (call->easy != NULL)
		curl_easy_cleanup(call->easy);
	headers_clear(call->headers);
	if (call->body.data != NULL)
		explicit_bzero(call->body.data, call->body.capacity);
	buffer_deinit(&call->body);
	buffer_deinit(&call->reply_body);
	free(call);
}

static bool call_prepare(
	struct curl_call *call, const struct http_call_request *request, struct error *err)
{
	size_t reply_max = request->reply_bytes_max;

	call->request = *request;
	buffer_init(&call->body, request->body.length);
	buffer_init(&call->reply_body, reply_max > 0 ? reply_max : HTTP_REPLY_BYTES_DEFAULT);
	buffer_append_text(&call->body, request->body);
	call->easy = curl_easy_init();
	if (call->easy == NULL || buffer_failed(&call->body))
		return error_set(err, ERROR_LIMIT, "no memory for a request");
	if (!headers_prepare(call, request, err))
		return false;
	if (!options_set(call, request) || !method_set(call, request) ||
		(request->is_public_only && !public_only_set(call)))
		return error_set(err, ERROR_INVALID, "the HTTP client does not take this request");
	call->request.url = NULL; /* borrowed for the call */
	call->request.headers = NULL;
	call->request.body = (struct text){0};
	return true;
}

static const struct http_engine curl_engine;

/* NULL and err, if it cannot be. */
static struct curl_call *call_create(const struct http_call_request *request, struct error *err)
{
	struct curl_call *call = calloc(1, sizeof *call);

	if (call == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for a request");
		return NULL;
	}
	call->call.engine = &curl_engine;
	if (!call_prepare(call, request, err)) {
		call_free(call);
		call = NULL;
	}
	return call;
}

static void outcome_set(struct http_reply *reply, const struct curl_call *call, CURLcode code)
{
	const char *why = call->failure[0] != '\0' ? call->failure : curl_easy_strerror(code);

	if (code == CURLE_OK)
		return;
	if (call->is_refused)
		error_set(&reply->err, ERROR_LIMIT, "the answer was refused: it is too large");
	else if (call->is_barred)
		error_set(&reply->err, ERROR_INVALID, "its address is not public");
	else if (code == CURLE_OPERATION_TIMEDOUT)
		error_set(&reply->err, ERROR_TIMEOUT, "%s", why);
	else if (code == CURLE_COULDNT_CONNECT && call->request.unix_path != NULL)
		error_set(&reply->err, ERROR_IO, "nothing answers there");
	else if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
		error_set(&reply->err, ERROR_INVALID, "%s", why);
	else
		error_set(&reply->err, ERROR_IO, "%s", why);
}

/* ---- the engine in the loop ---- */

static void engine_settle(struct http_curl *curl);

static void engine_act(struct http_curl *curl, curl_socket_t fd, int events)
{
	int running;

	curl->depth++;
	(void)curl_multi_socket_action(curl->multi, fd, events, &running);
	curl->depth--;
	engine_settle(curl);
}

static void on_timer(struct loop_timer *timer)
{
	engine_act(timer->context, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_wanted(CURLM *multi, long delay_ms, void *context)
{
	struct http_curl *curl = context;

	(void)multi;
	if (delay_ms < 0) {
		loop_timer_stop(curl->loop, &curl->timer);
		return 0;
	}
	return loop_timer_start(curl->loop, &curl->timer, delay_ms) ? 0 : -1;
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
	engine_act(socket->curl, watch->fd, ready);
}

static void socket_forget(struct http_socket *socket)
{
	struct http_curl *curl = socket->curl;

	loop_watch_remove(curl->loop, &socket->watch);
	if (socket->newer != NULL)
		socket->newer->older = socket->older;
	else
		curl->newest_socket = socket->older;
	if (socket->older != NULL)
		socket->older->newer = socket->newer;
	free(socket);
}

static struct http_socket *socket_remember(struct http_curl *curl, curl_socket_t fd)
{
	struct http_socket *socket = calloc(1, sizeof *socket);

	if (socket == NULL)
		return NULL;
	socket->curl = curl;
	socket->watch =
		(struct loop_watch){.fd = fd, .on_event = on_socket_event, .context = socket};
	socket->older = curl->newest_socket;
	if (socket->older != NULL)
		socket->older->newer = socket;
	curl->newest_socket = socket;
	(void)curl_multi_assign(curl->multi, fd, socket);
	return socket;
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
	struct http_curl *curl = context;
	struct http_socket *socket = known;
	unsigned events = 0;
	struct error err;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (socket != NULL)
			socket_forget(socket);
		(void)curl_multi_assign(curl->multi, fd, NULL);
		return 0;
	}
	if (socket == NULL)
		socket = socket_remember(curl, fd);
	if (socket == NULL)
		return -1;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= LOOP_READ;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= LOOP_WRITE;
	if (socket->watch.is_watched)
		return loop_watch_change(curl->loop, &socket->watch, events, &err) ? 0 : -1;
	socket->watch.events = events;
	return loop_watch_add(curl->loop, &socket->watch, &err) ? 0 : -1;
}

static int on_socket_close(void *context, curl_socket_t fd)
{
	struct http_curl *curl = context;
	struct http_socket *socket;

	for (socket = curl->newest_socket; socket != NULL; socket = socket->older)
		if (socket->watch.fd == fd)
			loop_watch_remove(curl->loop, &socket->watch); /* C3 */
	return close(fd);
}

static void call_unlink(struct curl_call *call)
{
	struct http_curl *curl = call->curl;

	if (call->is_added)
		(void)curl_multi_remove_handle(curl->multi, call->easy);
	if (call->newer != NULL)
		call->newer->older = call->older;
	else
		curl->newest = call->older;
	if (call->older != NULL)
		call->older->newer = call->newer;
}

static void call_fail(struct curl_call *call, CURLcode code)
{
	struct http_reply reply = reply_of(call);

	outcome_set(&reply, call, code);
	reply.body = buffer_text(&call->reply_body);
	if (!call->is_cancelled)
		call->request.on_done(call->request.context, &reply);
	call_unlink(call);
	call_free(call);
}

static void done_deliver(struct http_curl *curl)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(curl->multi, &left)) != NULL) {
		CURLcode code = message->data.result;
		char *call = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
		call_fail((struct curl_call *)(void *)call, code); /* C1 */
	}
}

/* A call that was cancelled or sent while libcurl ran, or NULL. */
static struct curl_call *unsettled_find(struct http_curl *curl)
{
	struct curl_call *call = curl->newest;

	while (call != NULL && call->is_added && !call->is_cancelled)
		call = call->older;
	return call;
}

/* What had to wait for libcurl to return: C2. */
static void engine_settle(struct http_curl *curl)
{
	struct curl_call *call;

	if (curl->depth > 0)
		return;
	curl->depth++; /* on_done may send and cancel: both wait for this walk */
	done_deliver(curl);
	while (curl->has_unsettled) {
		call = unsettled_find(curl);
		if (call == NULL)
			curl->has_unsettled = false;
		else if (call->is_cancelled) {
			call_unlink(call);
			call_free(call);
		} else {
			call->is_added = curl_multi_add_handle(curl->multi, call->easy) == CURLM_OK;
			if (!call->is_added)
				call_fail(call, CURLE_OUT_OF_MEMORY);
		}
	}
	curl->depth--;
}

bool http_curl_create(struct http_curl **out, struct loop *loop, struct error *err)
{
	struct http_curl *curl = calloc(1, sizeof *curl);

	*out = NULL;
	if (curl == NULL ||
		curl_global_init_mem(CURL_GLOBAL_DEFAULT, clearing_malloc, clearing_free,
			clearing_realloc, clearing_strdup, clearing_calloc) != CURLE_OK) {
		free(curl);
		return error_set(err, ERROR_LIMIT, "no memory for the HTTP client");
	}
	curl->loop = loop;
	curl->timer = (struct loop_timer){.on_due = on_timer, .context = curl};
	curl->multi = curl_multi_init();
	if (curl->multi == NULL) {
		http_curl_destroy(&curl);
		return error_set(err, ERROR_LIMIT, "no memory for the HTTP client");
	}
	(void)curl_multi_setopt(curl->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
	(void)curl_multi_setopt(curl->multi, CURLMOPT_SOCKETDATA, curl);
	(void)curl_multi_setopt(curl->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
	(void)curl_multi_setopt(curl->multi, CURLMOPT_TIMERDATA, curl);
	(void)curl_multi_setopt(curl->multi, CURLMOPT_MAXCONNECTS, (long)POOLED_CONNECTIONS_MAX);
	*out = curl;
	return true;
}

void http_curl_destroy(struct http_curl **handle)
{
	struct http_curl *curl = *handle;

	if (curl == NULL)
		return;
	assert(curl->depth == 0);
	while (curl->newest != NULL) {
		struct curl_call *call = curl->newest;

		call_unlink(call);
		call_free(call);
	}
	if (curl->multi != NULL)
		(void)curl_multi_cleanup(curl->multi);
	while (curl->newest_socket != NULL)
		socket_forget(curl->newest_socket);
	loop_timer_stop(curl->loop, &curl->timer);
	curl_global_cleanup();
	free(curl);
	*handle = NULL;
}

bool http_curl_send(struct http_curl *curl, const struct http_call_request *request,
	struct http_call **out, struct error *err)
{
	struct curl_call *call = call_create(request, err);

	if (call == NULL)
		return false;
	(void)curl_easy_setopt(call->easy, CURLOPT_CLOSESOCKETFUNCTION, on_socket_close);
	(void)curl_easy_setopt(call->easy, CURLOPT_CLOSESOCKETDATA, curl);
	call->curl = curl;
	call->older = curl->newest;
	if (call->older != NULL)
		call->older->newer = call;
	curl->newest = call;
	if (curl->depth > 0)
		curl->has_unsettled = true;
	else {
		call->is_added = true;
		if (curl_multi_add_handle(curl->multi, call->easy) != CURLM_OK) {
			call->is_added = false;
			call_unlink(call);
			call_free(call);
			return error_set(err, ERROR_LIMIT, "no memory for a request");
		}
	}
	*out = &call->call;
	return true;
}

static void engine_cancel(struct http_call *handle)
{
	struct curl_call *call = (struct curl_call *)(void *)handle;

	call->is_cancelled = true;
	if (call->curl->depth > 0) {
		call->curl->has_unsettled = true; /* engine_settle frees it */
		return;
	}
	call_unlink(call);
	call_free(call);
}

static struct text engine_header(const struct http_call *handle, const char *name)
{
	const struct curl_call *call = (const struct curl_call *)(const void *)handle;
	struct curl_header *header;

	if (curl_easy_header(call->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return (struct text){0};
	return text_of(header->value);
}

static const struct http_engine curl_engine = {.cancel = engine_cancel, .header = engine_header};

/* ---- one call, waited for ---- */

static bool head_copy(
	struct http_fetch_head *head, struct arena *arena, const struct http_reply *reply)
{
	head->content_type = text_copy(arena, http_reply_header(reply, "Content-Type"));
	head->etag = text_copy(arena, http_reply_header(reply, "ETag"));
	if (head->extra_name != NULL)
		head->extra = text_copy(arena, http_reply_header(reply, head->extra_name));
	head->location = text_copy(arena, http_reply_header(reply, "Location"));
	return head->content_type.data != NULL && head->etag.data != NULL &&
	       head->location.data != NULL;
}

bool http_fetch(struct http_reply *reply, struct http_fetch_head *head, struct arena *arena,
	const struct http_call_request *request, struct error *err)
{
	struct curl_call *call = NULL;
	bool ok = false;

	*reply = (struct http_reply){0};
	if (http_request_check(request, err))
		call = call_create(request, err);
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
