/* Asks a token endpoint for tokens over kept connections, each request prepared before,
 * and reports how fast.
 *
 * Usage: token-client < plan.  The plan:
 *   port N
 *   connections N
 *   head HEADER-LINE       (request line and headers, in order, without length)
 *   header NAME            (of one header more, whose value begins each line of bodies)
 *   tls CERTIFICATE KEY    (files in PEM: over TLS 1.3, shown to the server)
 *   tokens FILE            (gets the token of each answer, one a line)
 *   bodies FILE            (one body a line, each sent once)
 * Connections, and their handshakes, are made before the clock starts.  Each asks again when it has
 * its answer.  Every answer must be a 200 with an access_token, or it exits 1 and shows it.  Prints
 * one JSON line: {"count", "per_second", "p50_ns", "p99_ns"}. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "bench.h"

enum {
	CONNECTIONS_MAX = 256,
	HEAD_BYTES_MAX = 2048,
	REQUEST_BYTES_MAX = 16384,
	ANSWER_BYTES_MAX = 16384
};

struct connection {
	SSL *tls; /* NULL: plain */
	int fd;
	int64_t begun_ns;
	size_t used;
	char answer[ANSWER_BYTES_MAX + 1];
};

struct plan {
	uint16_t port;
	size_t connections;
	char head[HEAD_BYTES_MAX];
	char header[HEAD_BYTES_MAX]; /* empty: none more */
	SSL_CTX *tls;                /* NULL: plain */
	FILE *tokens;                /* NULL: not wanted */
	char **bodies;
	size_t count;
	size_t sent;
	size_t answered;
	double *times_ns;
};

static void stop(const char *why)
{
	fprintf(stderr, "token-client: %s\n", why);
	exit(1);
}

/* ---- the plan ---- */

static void read_bodies(struct plan *plan, const char *path)
{
	FILE *file = fopen(path, "r");
	size_t room = 0;
	char *line = NULL;

	if (file == NULL)
		stop("cannot read the bodies");
	for (size_t size = 0; getline(&line, &size, file) > 0; line = NULL, size = 0) {
		if (plan->count == room) {
			room = room == 0 ? 1024 : 2 * room;
			plan->bodies = realloc(plan->bodies, room * sizeof *plan->bodies);
			if (plan->bodies == NULL)
				stop("no memory");
		}
		line[strcspn(line, "\n")] = '\0';
		plan->bodies[plan->count++] = line;
	}
	free(line);
	fclose(file);
}

/* What the server is, is of no interest here: it is the one that was started. */
static void use_tls(struct plan *plan, char *files)
{
	char *key = strchr(files, ' ');

	plan->tls = SSL_CTX_new(TLS_client_method());
	if (key == NULL || plan->tls == NULL)
		stop("tls needs a certificate and a key");
	*key++ = '\0';
	if (SSL_CTX_set_min_proto_version(plan->tls, TLS1_3_VERSION) != 1 ||
		SSL_CTX_use_certificate_file(plan->tls, files, SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_use_PrivateKey_file(plan->tls, key, SSL_FILETYPE_PEM) != 1)
		stop("the certificate or its key cannot be used");
}

static void read_line(struct plan *plan, char *line)
{
	size_t used = strlen(plan->head);

	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "port ", 5) == 0)
		plan->port = (uint16_t)strtoul(line + 5, NULL, 10);
	else if (strncmp(line, "connections ", 12) == 0)
		plan->connections = strtoul(line + 12, NULL, 10);
	else if (strncmp(line, "bodies ", 7) == 0)
		read_bodies(plan, line + 7);
	else if (strncmp(line, "tls ", 4) == 0)
		use_tls(plan, line + 4);
	else if (strncmp(line, "header ", 7) == 0)
		(void)snprintf(plan->header, sizeof plan->header, "%s", line + 7);
	else if (strncmp(line, "tokens ", 7) == 0)
		plan->tokens = fopen(line + 7, "w");
	else if (strncmp(line, "head ", 5) == 0 && used + strlen(line) < sizeof plan->head)
		(void)snprintf(plan->head + used, sizeof plan->head - used, "%s\r\n", line + 5);
	else
		stop("a line of the plan is none of those");
}

static void read_plan(struct plan *plan)
{
	char line[HEAD_BYTES_MAX];

	while (fgets(line, sizeof line, stdin) != NULL)
		read_line(plan, line);
	if (plan->port == 0 || plan->connections == 0 || plan->connections > CONNECTIONS_MAX ||
		plan->count < plan->connections || plan->head[0] == '\0')
		stop("the plan needs port, head, connections, and as many bodies");
	plan->times_ns = calloc(plan->count, sizeof *plan->times_ns);
	if (plan->times_ns == NULL)
		stop("no memory");
}

/* ---- asking ---- */

static int connect_to(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		stop("cannot connect");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

static void connect_one(struct plan *plan, struct connection *connection)
{
	connection->fd = connect_to(plan->port);
	if (plan->tls == NULL)
		return;
	connection->tls = SSL_new(plan->tls);
	if (connection->tls == NULL || SSL_set_fd(connection->tls, connection->fd) != 1 ||
		SSL_connect(connection->tls) != 1)
		stop("no handshake");
}

static bool put(struct connection *connection, const char *bytes, size_t size)
{
	if (connection->tls != NULL)
		return SSL_write(connection->tls, bytes, (int)size) == (int)size;
	return send(connection->fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* 0: nothing yet (of TLS, what came was none of the answer); below: closed. */
static ssize_t get(struct connection *connection, char *bytes, size_t size)
{
	ssize_t got = connection->tls != NULL ? SSL_read(connection->tls, bytes, (int)size)
					      : recv(connection->fd, bytes, size, 0);

	if (got <= 0 && connection->tls != NULL &&
		SSL_get_error(connection->tls, (int)got) == SSL_ERROR_WANT_READ)
		return 0;
	return got > 0 ? got : -1;
}

static void ask(struct plan *plan, struct connection *connection)
{
	const char *body = plan->bodies[plan->sent++];
	const char *own = strchr(body, ' ');
	char more[REQUEST_BYTES_MAX / 2] = "";
	char request[REQUEST_BYTES_MAX];
	int size;

	if (plan->header[0] != '\0' && own != NULL) {
		(void)snprintf(
			more, sizeof more, "%s: %.*s\r\n", plan->header, (int)(own - body), body);
		body = own + 1;
	}
	size = snprintf(request, sizeof request, "%s%sContent-Length: %zu\r\n\r\n%s", plan->head,
		more, strlen(body), body);

	if (size < 0 || (size_t)size >= sizeof request)
		stop("a request is too long");
	connection->used = 0;
	connection->begun_ns = bench_now_ns();
	if (!put(connection, request, (size_t)size))
		stop("a request was not taken");
}

/* True once bytes hold a whole answer, by its length or its last chunk. */
static bool is_whole(const char *bytes, size_t used)
{
	const char *end = strstr(bytes, "\r\n\r\n");

	if (end == NULL)
		return false;
	for (const char *line = bytes; line < end; line = strstr(line, "\r\n") + 2)
		if (strncasecmp(line, "content-length:", 15) == 0)
			return used >= (size_t)(end - bytes) + 4 + strtoul(line + 15, NULL, 10);
	return used >= 5 && memcmp(bytes + used - 5, "0\r\n\r\n", 5) == 0;
}

static void keep_token(struct plan *plan, const char *answer)
{
	static const char before[] = "\"access_token\":\"";
	const char *token = strstr(answer, before);

	if (plan->tokens != NULL && token != NULL) {
		token += sizeof before - 1;
		fprintf(plan->tokens, "%.*s\n", (int)strcspn(token, "\""), token);
	}
}

/* True: it was whole, and the next may be asked for. */
static bool take_answer(struct plan *plan, struct connection *connection)
{
	ssize_t got = get(connection, connection->answer + connection->used,
		ANSWER_BYTES_MAX - connection->used);

	if (got < 0)
		stop("a connection was closed");
	connection->used += (size_t)got;
	connection->answer[connection->used] = '\0';
	if (!is_whole(connection->answer, connection->used))
		return false;
	if (strncmp(connection->answer, "HTTP/1.1 200", 12) != 0 ||
		strstr(connection->answer, "\"access_token\"") == NULL) {
		fprintf(stderr, "answered:\n%s\n", connection->answer);
		stop("an answer has no token");
	}
	plan->times_ns[plan->answered++] = (double)(bench_now_ns() - connection->begun_ns);
	keep_token(plan, connection->answer);
	return true;
}

/* Of TLS: reads must not wait for a whole record. */
static void connect_all(struct plan *plan, struct connection *connections, struct pollfd *fds)
{
	for (size_t i = 0; i < plan->connections; i++) {
		connect_one(plan, &connections[i]);
		if (plan->tls != NULL && fcntl(connections[i].fd, F_SETFL, O_NONBLOCK) != 0)
			stop("a connection cannot be kept from waiting");
		fds[i] = (struct pollfd){.fd = connections[i].fd, .events = POLLIN};
	}
}

static void run(struct plan *plan, struct connection *connections, struct pollfd *fds)
{
	for (size_t i = 0; i < plan->connections; i++)
		ask(plan, &connections[i]);
	while (plan->answered < plan->count) {
		if (poll(fds, plan->connections, 60000) <= 0)
			stop("nobody answers");
		for (size_t i = 0; i < plan->connections; i++)
			if (fds[i].revents != 0 && take_answer(plan, &connections[i]) &&
				plan->sent < plan->count)
				ask(plan, &connections[i]);
	}
}

int main(void)
{
	static struct plan plan;
	static struct connection connections[CONNECTIONS_MAX];
	struct pollfd fds[CONNECTIONS_MAX];
	int64_t begun_ns, took_ns;

	read_plan(&plan);
	connect_all(&plan, connections, fds);
	begun_ns = bench_now_ns();
	run(&plan, connections, fds);
	took_ns = bench_now_ns() - begun_ns;
	qsort(plan.times_ns, plan.count, sizeof *plan.times_ns, bench_ascending);
	printf("{\"count\":%zu,\"per_second\":%.0f,\"p50_ns\":%.0f,\"p99_ns\":%.0f}\n", plan.count,
		(double)plan.count * 1e9 / (double)took_ns, plan.times_ns[plan.count / 2],
		plan.times_ns[plan.count * 99 / 100]);
	return plan.tokens == NULL || fclose(plan.tokens) == 0 ? 0 : 1;
}
