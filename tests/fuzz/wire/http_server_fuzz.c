/* Laws of the HTTP server: whatever bytes come, a request that reaches the
 * handler has one framing, one Host, a plain method and target, fields without
 * control bytes and a body within its bound; its exchange is closed exactly once;
 * and no connection outlives its client. */
#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/http_server.h"

enum { BODY_BYTES_MAX = 4096, PATIENCE_MS = 2, HANG_MS = 5000 };

struct fuzz {
	struct loop *loop;
	struct http_server *server;
	struct loop_watch watch;
	struct loop_timer patience; /* half a request is waited for: the client leaves */
	struct loop_timer hang;
	struct loop_driver driver;
	long handled;
	long closed;
};

static void on_closed(void *context, enum http_closed how)
{
	struct fuzz *fuzz = context;

	(void)how;
	fuzz->closed++;
}

static void check_text(struct text t)
{
	for (size_t i = 0; i < t.length; i++)
		assert((unsigned char)t.data[i] >= ' ' || t.data[i] == '\t');
}

static void on_request(void *context, struct http_exchange *exchange)
{
	static const char *const single[] = {
		"Host", "Content-Length", "Transfer-Encoding", "Authorization", "Content-Type"};
	struct fuzz *fuzz = context;
	const struct http_request *request = http_exchange_request(exchange);
	struct text value, q;

	fuzz->handled++;
	for (size_t i = 0; i < sizeof(single) / sizeof(*single); i++) {
		if (!http_header_single(exchange, single[i], &value))
			abort();
		check_text(value);
	}
	assert(http_header_find(exchange, "Content-Length").data == NULL ||
		http_header_find(exchange, "Transfer-Encoding").data == NULL);
	assert(request->path.length > 0 && request->path.data[0] == '/');
	assert(request->target.length <= HTTP_TARGET_BYTES_MAX);
	assert(request->body.length <= BODY_BYTES_MAX);
	for (size_t i = 0; i < request->method.length; i++)
		assert(request->method.data[i] == '-' ||
			(request->method.data[i] >= 'A' && request->method.data[i] <= 'Z'));
	check_text(request->target);
	if (http_query_find(exchange, "q", &q))
		assert(text_is_utf8(q) && text_find_byte(q, '\0') < 0);
	http_exchange_watch(
		exchange, &(struct http_exchange_events){.context = fuzz, .on_closed = on_closed});
	if (http_path_value_add(exchange, TEXT("path"), request->path))
		assert(text_is_utf8(http_path_value(exchange, "path")));
	http_respond(exchange, &(struct http_response){.status = 200, .body = TEXT("fine")});
}

static void client_leave(struct fuzz *fuzz)
{
	loop_watch_remove(fuzz->loop, &fuzz->watch);
	(void)close(fuzz->watch.fd);
	fuzz->watch.fd = -1;
	loop_timer_stop(fuzz->loop, &fuzz->patience);
}

static void on_readable(struct loop_watch *watch, unsigned events)
{
	struct fuzz *fuzz = watch->context;
	char bytes[4096];
	ssize_t got = recv(watch->fd, bytes, sizeof bytes, 0);

	(void)events;
	if (got <= 0)
		client_leave(fuzz);
}

static void on_patience(struct loop_timer *timer)
{
	client_leave(timer->context);
}

/* Ends the run once the server has let go of the client, too. */
static int64_t on_turn(struct loop_driver *driver)
{
	struct fuzz *fuzz = driver->context;

	if (fuzz->watch.fd < 0 && http_server_connection_count(fuzz->server) == 0)
		loop_stop(fuzz->loop);
	return fuzz->watch.fd < 0 ? 0 : -1;
}

static void on_hang(struct loop_timer *timer)
{
	(void)timer;
	abort(); /* the server keeps a client that is gone */
}

static struct fuzz *fuzz_create(void)
{
	struct fuzz *fuzz = calloc(1, sizeof *fuzz);
	struct error err;

	(void)signal(SIGPIPE, SIG_IGN);
	if (fuzz == NULL || !loop_create(&fuzz->loop, &err) ||
		!http_server_create(&fuzz->server, fuzz->loop,
			&(struct http_server_settings){.tcp_address = "127.0.0.1:0",
				.body_bytes_max = BODY_BYTES_MAX,
				.on_request = on_request,
				.context = fuzz},
			&err))
		abort();
	fuzz->hang = (struct loop_timer){.on_due = on_hang};
	fuzz->patience = (struct loop_timer){.on_due = on_patience, .context = fuzz};
	fuzz->driver = (struct loop_driver){.turn = on_turn, .context = fuzz};
	loop_driver_add(fuzz->loop, &fuzz->driver);
	return fuzz;
}

static int client_open(struct fuzz *fuzz)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(http_server_port(fuzz->server))};
	struct linger hard = {.l_onoff = 1}; /* leaves no port behind in TIME_WAIT */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard) < 0)
		abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz *fuzz; /* check-source: global: one server for all runs */
	struct error err;
	int fd;

	if (fuzz == NULL)
		fuzz = fuzz_create();
	fd = client_open(fuzz);
	if (send(fd, data, size, MSG_NOSIGNAL) < 0 || shutdown(fd, SHUT_WR) < 0 ||
		fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		abort();
	fuzz->watch = (struct loop_watch){
		.fd = fd, .events = LOOP_READ, .on_event = on_readable, .context = fuzz};
	if (!loop_watch_add(fuzz->loop, &fuzz->watch, &err) ||
		!loop_timer_start(fuzz->loop, &fuzz->hang, HANG_MS) ||
		!loop_timer_start(fuzz->loop, &fuzz->patience, PATIENCE_MS) ||
		!loop_run(fuzz->loop, &err))
		abort();
	loop_timer_stop(fuzz->loop, &fuzz->hang);
	assert(fuzz->closed == fuzz->handled);
	return 0;
}
