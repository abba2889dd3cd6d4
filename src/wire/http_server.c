/* The listeners: libmicrohttpd with its epoll descriptor inside ours.
 *
 * The library runs in the loop's driver, at the end of a turn, when its
 * descriptor was ready, when an exchange was resumed, or when its own timeout
 * is due (asked after every run: large heads stall otherwise).  So every
 * callback of the library, and every free of an exchange, happens there.
 * Invariants:
 *  S1  no exchange outlives its connection: the completion callback frees it;
 *  S2  destroy resumes every suspended connection before it stops the library,
 *      which would abort the process otherwise;
 *  S3  a refused head is answered before its body is read, and the connection
 *      closes: bytes of a doubtful frame are never taken for a next request. */
#include "wire/http_private.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 511, ADDRESS_BYTES = 64, DISCARD_FACTOR = 4 };

static const char tls_priorities[] = "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

/* ---- the library's callbacks ---- */

static void peer_fill(struct http_exchange *exchange)
{
	struct http_peer *peer = &exchange->request.peer;
	const union MHD_ConnectionInfo *about;
	struct ucred credentials;
	socklen_t size = sizeof credentials;

	peer->uid = (uid_t)-1;
	peer->gid = (gid_t)-1;
	if (exchange->listener->is_local) {
		about = MHD_get_connection_info(
			exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		memcpy(peer->address, "local", sizeof "local");
		if (about == NULL || getsockopt(about->connect_fd, SOL_SOCKET, SO_PEERCRED,
					     &credentials, &size) < 0)
			return; /* is_local stays false: nobody in particular */
		peer->is_local = true;
		peer->pid = credentials.pid;
		peer->uid = credentials.uid;
		peer->gid = credentials.gid;
		return;
	}
	about = MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (about == NULL || about->client_addr == NULL)
		return;
	(void)getnameinfo(about->client_addr, sizeof(struct sockaddr_in6), peer->address,
		sizeof peer->address, NULL, 0, NI_NUMERICHOST);
}

/* The query is ours to take apart (http_check.c).  libmicrohttpd 0.9.75 would do so next, into the
 * memory of the connection; where that is used up it frees it, and goes on with it. */
static void keep_query(const char *target)
{
	char *query = strchr((char *)(uintptr_t)target, '?'); /* the library's own, and writable */

	if (query != NULL)
		query[1] = '\0';
}

/* The request line was read: target is as it came.  NULL: no memory. */
static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
	struct http_listener *listener = context;
	struct http_server *server = listener->server;
	size_t size = strlen(target) + 1;
	struct http_exchange *exchange = calloc(1, sizeof *exchange + 2 * size);
	struct http_request *request;
	ptrdiff_t question;

	if (exchange != NULL)
		memcpy(exchange->memory, target, size);
	keep_query(target);
	if (exchange == NULL)
		return NULL;
	exchange->server = server;
	exchange->listener = listener;
	exchange->connection = connection;
	exchange->target_size = size;
	request = &exchange->request;
	request->target = text_of(exchange->memory);
	question = text_find_byte(request->target, '?');
	request->path = request->target;
	if (question >= 0)
		request->path.length = (size_t)question;
	request->is_tls = listener->is_tls;
	buffer_init(&exchange->body, server->settings.body_bytes_max);
	buffer_keep_secret(&exchange->body); /* a credential, an assertion */
	buffer_init(&exchange->pending, 0);
	exchange->older = server->newest;
	if (server->newest != NULL)
		server->newest->newer = exchange;
	server->newest = exchange;
	return exchange;
}

static enum MHD_Result refuse(struct http_exchange *exchange, const struct http_refusal *refusal)
{
	exchange->state = EXCHANGE_HANDLED;
	http_respond_problem(exchange, refusal->status, refusal->title, refusal->detail);
	if (exchange->response != NULL)
		(void)MHD_add_response_header(exchange->response, "Connection", "close");
	return http_exchange_queue(exchange);
}

static enum MHD_Result receive_head(
	struct http_exchange *exchange, const char *method, const char *version)
{
	struct http_refusal refusal;

	exchange->is_head_checked = true;
	exchange->request.method = text_of(method);
	peer_fill(exchange);
	refusal = http_check_head(exchange, version);
	return refusal.status == 0 ? MHD_YES : refuse(exchange, &refusal);
}

/* Only a chunked body can be too large here; it is read on for a while, so that
 * the client hears why. */
static enum MHD_Result receive_body(struct http_exchange *exchange, const char *bytes, size_t *size)
{
	size_t limit = exchange->server->settings.body_bytes_max;

	if (!exchange->is_body_too_large && *size <= limit - exchange->body.length) {
		buffer_append(&exchange->body, bytes, *size);
		*size = 0;
		return buffer_failed(&exchange->body) ? MHD_NO : MHD_YES;
	}
	if (!exchange->is_body_too_large)
		exchange->pending_sent = 0; /* counts what is thrown away */
	exchange->is_body_too_large = true;
	exchange->pending_sent += *size;
	*size = 0;
	return exchange->pending_sent > limit * DISCARD_FACTOR ? MHD_NO : MHD_YES;
}

/* A sender that finds its reader asleep pays for waking it, about as much as for all
 * the rest.  So answers of one run leave one after the other at its end, when the first
 * has woken the reader of the others: the library asks again for a response that it was
 * not given. */
static enum MHD_Result send_or_hold(struct http_exchange *exchange)
{
	struct http_listener *listener = exchange->listener;

	if (!exchange->may_gather || listener->held == HTTP_GATHERED_MAX)
		return http_exchange_queue(exchange);
	listener->held++;
	return MHD_YES;
}

static enum MHD_Result handle(struct http_exchange *exchange)
{
	static const struct http_refusal too_large = {MHD_HTTP_CONTENT_TOO_LARGE,
		"content too large", "the body is longer than this server takes"};
	struct http_server *server = exchange->server;

	if (exchange->is_body_too_large) {
		exchange->pending_sent = 0;
		return refuse(exchange, &too_large);
	}
	if (server->is_closing)
		return MHD_NO;
	exchange->request.body = buffer_text(&exchange->body);
	exchange->state = EXCHANGE_HANDLED;
	server->settings.on_request(server->settings.context, exchange);
	if (exchange->state == EXCHANGE_ANSWERED)
		return send_or_hold(exchange);
	http_exchange_suspend(exchange);
	return MHD_YES;
}

/* NOLINTNEXTLINE(readability-function-size): the signature is the library's */
static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **slot) /* check-source: parameters: the signature is the library's */
{
	struct http_exchange *exchange = *slot;

	(void)context;
	(void)connection;
	(void)path;
	if (exchange == NULL)
		return MHD_NO;
	if (!exchange->is_head_checked)
		return receive_head(exchange, method, version);
	if (exchange->is_cut)
		return MHD_NO;
	if (exchange->state == EXCHANGE_ANSWERED)
		return http_exchange_queue(exchange);
	if (*upload_size > 0)
		return receive_body(exchange, upload, upload_size);
	if (exchange->state == EXCHANGE_RECEIVING)
		return handle(exchange);
	return MHD_YES;
}

/* A peer that closed its half with its last request said so in the same event as
 * that request, and the library has forgotten it; it would keep the connection
 * until the idle timeout. */
static void close_if_peer_has(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *about =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	char next;

	if (about != NULL && recv(about->connect_fd, &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		(void)shutdown(about->connect_fd, SHUT_RDWR); /* after what was sent */
}

static void on_completed(void *context, struct MHD_Connection *connection, void **slot,
	enum MHD_RequestTerminationCode code)
{
	struct http_exchange *exchange = *slot;
	bool is_whole = code == MHD_REQUEST_TERMINATED_COMPLETED_OK;

	(void)context;
	*slot = NULL;
	if (exchange == NULL)
		return;
	if (exchange->is_cut)
		is_whole = false;
	if (is_whole)
		close_if_peer_has(connection);
	http_exchange_free(exchange, is_whole ? HTTP_CLOSED_ANSWERED : HTTP_CLOSED_BY_PEER);
}

/* ---- in the loop ---- */

static void on_ready(struct loop_watch *watch, unsigned events)
{
	struct http_listener *listener = watch->context;

	(void)events;
	listener->needs_run = true;
}

static uint32_t listener_count(const struct http_listener *listener)
{
	const union MHD_DaemonInfo *about = listener->daemon == NULL
						    ? NULL
						    : MHD_get_daemon_info(listener->daemon,
							      MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return about == NULL ? 0 : about->num_connections;
}

/* A library that is full no longer listens, and takes it up again only when it is
 * run after a connection has gone: nothing else would wake it. */
static void listener_run(struct http_listener *listener, int64_t now_ms)
{
	uint32_t most = listener->server->settings.connections_max;
	bool was_full = listener->is_full;
	MHD_UNSIGNED_LONG_LONG wait_ms;

	listener->needs_run = false; /* a handler may ask for another */
	listener->held = 0;
	(void)MHD_run(listener->daemon);
	if (listener->held > 0)
		listener->needs_run = true;
	listener->is_full = listener_count(listener) >= most;
	if (was_full && !listener->is_full)
		listener->needs_run = true;
	listener->due_ms = -1;
	if (MHD_get_timeout(listener->daemon, &wait_ms) == MHD_YES)
		listener->due_ms = now_ms + (int64_t)wait_ms;
}

/* How long the listener may sleep: 0 not at all, -1 until something happens. */
static int64_t listener_wait_ms(const struct http_listener *listener, int64_t now_ms)
{
	if (listener->daemon == NULL)
		return -1;
	if (listener->needs_run)
		return 0;
	if (listener->due_ms < 0)
		return -1;
	return listener->due_ms > now_ms ? listener->due_ms - now_ms : 0;
}

static int64_t server_turn(struct loop_driver *driver)
{
	struct http_server *server = driver->context;
	int64_t now_ms = loop_now_ms(server->loop), shortest_ms = -1;
	int i;

	for (i = 0; i < 2; i++)
		if (listener_wait_ms(&server->listeners[i], now_ms) == 0)
			listener_run(&server->listeners[i], now_ms);
	for (i = 0; i < 2; i++) { /* the second may have given work to the first */
		int64_t wait_ms = listener_wait_ms(&server->listeners[i], now_ms);

		if (wait_ms >= 0 && (shortest_ms < 0 || wait_ms < shortest_ms))
			shortest_ms = wait_ms;
	}
	return shortest_ms;
}

/* ---- sockets ---- */

static bool address_split(
	const char *address, char host[ADDRESS_BYTES], const char **port, struct error *err)
{
	const char *colon = strrchr(address, ':');
	size_t length;

	if (colon == NULL)
		return error_set(err, ERROR_INVALID, "%s: no port: write ADDRESS:PORT", address);
	*port = colon + 1;
	length = (size_t)(colon - address);
	if (length >= 2 && address[0] == '[' && address[length - 1] == ']') {
		address++;
		length -= 2;
	}
	if (length == 0 || length >= ADDRESS_BYTES)
		return error_set(err, ERROR_INVALID, "not an address to listen on");
	memcpy(host, address, length);
	host[length] = '\0';
	return true;
}

static bool socket_listen(
	int *out, const struct sockaddr *address, socklen_t size, struct error *err)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;
	bool ok = false;

	*out = -1;
	if (fd < 0)
		return error_set(err, ERROR_IO, "socket: %s", strerror(errno));
	if (address->sa_family == AF_UNIX)
		ok = fchmod(fd, S_IRUSR | S_IWUSR) == 0; /* bind takes the mode from here */
	else
		ok = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
	ok = ok && bind(fd, address, size) == 0 && listen(fd, BACKLOG) == 0;
	if (ok)
		*out = fd;
	else {
		error_set(err, ERROR_IO, "cannot listen: %s", strerror(errno));
		(void)close(fd);
	}
	return ok;
}

static uint16_t port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = {0};
	socklen_t size = sizeof address;

	if (getsockname(fd, &address.any, &size) < 0)
		return 0;
	return ntohs(
		address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

static bool tcp_listen(int *out, const char *address, struct error *err)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char host[ADDRESS_BYTES];
	const char *port = "";
	bool ok;

	*out = -1;
	if (!address_split(address, host, &port, err))
		return false;
	if (*port == '\0' || getaddrinfo(host, port, &hints, &found) != 0)
		return error_set(err, ERROR_INVALID,
			"%s: not a numeric address and port to listen on", address);
	ok = socket_listen(out, found->ai_addr, found->ai_addrlen, err) ||
	     error_wrap(err, "%s", address);
	freeaddrinfo(found);
	return ok;
}

/* A socket file that nobody answers on is a leftover. */
static bool unix_clear(const struct sockaddr_un *address, struct error *err)
{
	struct stat about;
	int fd, result;

	if (lstat(address->sun_path, &about) < 0)
		return true;
	if (!S_ISSOCK(about.st_mode))
		return error_set(err, ERROR_CONFLICT, "a file that is no socket is in the way");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(err, ERROR_IO, "socket: %s", strerror(errno));
	result = connect(fd, (const struct sockaddr *)address, sizeof *address);
	(void)close(fd);
	if (result == 0 || errno != ECONNREFUSED)
		return error_set(err, ERROR_CONFLICT, "another process listens there");
	if (unlink(address->sun_path) < 0)
		return error_set(err, ERROR_IO, "unlink: %s", strerror(errno));
	return true;
}

static bool unix_listen(int *out, const char *path, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(path);

	*out = -1;
	if (length == 0 || length >= sizeof address.sun_path)
		return error_set(err, ERROR_INVALID, "%s: a socket path has 1 to %zu bytes", path,
			sizeof address.sun_path - 1);
	memcpy(address.sun_path, path, length + 1);
	if (!unix_clear(&address, err) ||
		!socket_listen(out, (const struct sockaddr *)&address, sizeof address, err))
		return error_wrap(err, "%s", path);
	return true;
}

/* ---- creation ---- */

static struct MHD_Daemon *daemon_start(
	struct http_listener *listener, int fd, const struct http_server_settings *settings)
{
	struct MHD_OptionItem options[] = {
		{MHD_OPTION_LISTEN_SOCKET, fd, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)settings->pool_bytes, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, settings->connections_max, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, settings->idle_timeout_s, NULL},
		{MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_target, listener},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, NULL},
		{MHD_OPTION_END, 0, NULL}, /* four places for TLS */
		{MHD_OPTION_END, 0, NULL},
		{MHD_OPTION_END, 0, NULL},
		{MHD_OPTION_END, 0, NULL},
		{MHD_OPTION_END, 0, NULL},
	};
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;

	if (listener->is_tls) {
		size_t i = sizeof options / sizeof options[0] - 5;

		flags |= MHD_USE_TLS;
		options[i] = (struct MHD_OptionItem){
			MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)settings->tls_certificate};
		options[i + 1] = (struct MHD_OptionItem){
			MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)settings->tls_key};
		options[i + 2] = (struct MHD_OptionItem){
			MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)tls_priorities};
		if (settings->asks_certificates)
			options[i + 3] = (struct MHD_OptionItem){MHD_OPTION_NOTIFY_CONNECTION,
				(intptr_t)http_certificate_notify, listener};
	}
	return MHD_start_daemon(flags, 0, NULL, NULL, on_access, listener, MHD_OPTION_ARRAY,
		options, MHD_OPTION_END);
}

/* Takes fd. */
static bool listener_open(struct http_listener *listener, int fd,
	const struct http_server_settings *settings, struct error *err)
{
	const union MHD_DaemonInfo *about;

	listener->due_ms = -1;
	listener->needs_run = true;
	listener->daemon = daemon_start(listener, fd, settings);
	if (listener->daemon == NULL) {
		(void)close(fd);
		return error_set(err, listener->is_tls ? ERROR_INVALID : ERROR_IO,
			listener->is_tls ? "the HTTP library refused the certificate or the key"
					 : "the HTTP library did not start");
	}
	about = MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (about == NULL)
		return error_set(err, ERROR_INTERNAL, "the HTTP library has no epoll");
	listener->watch = (struct loop_watch){.fd = about->epoll_fd,
		.events = LOOP_READ,
		.on_event = on_ready,
		.context = listener};
	return loop_watch_add(listener->server->loop, &listener->watch, err);
}

static bool listeners_open(struct http_server *server, struct error *err)
{
	const struct http_server_settings *settings = &server->settings;
	struct http_listener *tcp = &server->listeners[0], *local = &server->listeners[1];
	int fd;

	tcp->is_tls = settings->tls_certificate != NULL;
	local->is_local = true;
	if (settings->tcp_address != NULL) {
		if (!tcp_listen(&fd, settings->tcp_address, err))
			return false;
		server->port = port_of(fd);
		if (!listener_open(tcp, fd, settings, err))
			return error_wrap(err, "%s", settings->tcp_address);
	}
	if (settings->unix_path == NULL)
		return true;
	if (!unix_listen(&fd, settings->unix_path, err))
		return false;
	server->unix_path = strdup(settings->unix_path);
	return listener_open(local, fd, settings, err);
}

static void settings_complete(struct http_server_settings *settings)
{
	if (settings->pool_bytes == 0)
		settings->pool_bytes = HTTP_POOL_BYTES_DEFAULT;
	if (settings->body_bytes_max == 0)
		settings->body_bytes_max = HTTP_BODY_BYTES_DEFAULT;
	if (settings->stream_bytes_max == 0)
		settings->stream_bytes_max = HTTP_STREAM_BYTES_DEFAULT;
	if (settings->idle_timeout_s == 0)
		settings->idle_timeout_s = HTTP_IDLE_DEFAULT_S;
	if (settings->connections_max == 0)
		settings->connections_max = HTTP_CONNECTIONS_DEFAULT;
}

bool http_server_create(struct http_server **out, struct loop *loop,
	const struct http_server_settings *settings, struct error *err)
{
	struct http_server *server = calloc(1, sizeof *server);
	int i;

	*out = NULL;
	if (server == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the HTTP server");
	server->loop = loop;
	server->settings = *settings;
	settings_complete(&server->settings);
	for (i = 0; i < 2; i++)
		server->listeners[i].server = server;
	server->driver = (struct loop_driver){.turn = server_turn, .context = server};
	loop_driver_add(loop, &server->driver);
	if (!listeners_open(server, err)) {
		http_server_destroy(&server);
		return false;
	}
	server->settings.tcp_address = NULL; /* borrowed for the call */
	server->settings.unix_path = NULL;
	server->settings.tls_certificate = NULL;
	server->settings.tls_key = NULL;
	*out = server;
	return true;
}

void http_server_quiesce(struct http_server *server)
{
	int i;

	for (i = 0; i < 2; i++)
		if (server->listeners[i].daemon != NULL) {
			int fd = MHD_quiesce_daemon(server->listeners[i].daemon);

			if (fd >= 0)
				(void)close(fd);
		}
}

void http_server_destroy(struct http_server **server)
{
	struct http_exchange *exchange;
	int i;

	if (*server == NULL)
		return;
	(*server)->is_closing = true;
	for (exchange = (*server)->newest; exchange != NULL; exchange = exchange->older) {
		exchange->is_cut = true;
		http_exchange_resume(exchange); /* S2 */
	}
	for (i = 0; i < 2; i++) {
		loop_watch_remove((*server)->loop, &(*server)->listeners[i].watch);
		if ((*server)->listeners[i].daemon != NULL)
			MHD_stop_daemon((*server)->listeners[i].daemon);
	}
	assert((*server)->newest == NULL); /* S1 */
	loop_driver_remove((*server)->loop, &(*server)->driver);
	if ((*server)->unix_path != NULL)
		(void)unlink((*server)->unix_path);
	free((*server)->unix_path);
	free(*server);
	*server = NULL;
}

uint16_t http_server_port(const struct http_server *server)
{
	return server->port;
}

uint32_t http_server_connection_count(const struct http_server *server)
{
	uint32_t count = 0;
	int i;

	for (i = 0; i < 2; i++)
		count += listener_count(&server->listeners[i]);
	return count;
}
