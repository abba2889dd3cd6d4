/* Asks a token endpoint for tokens over kept connections, each request prepared before,
 * and reports how fast.
 *
 * Usage: token-client < plan.  The plan:
 *   port N
 *   connections N
 *   head HEADER-LINE       (request line and headers, in order, without length)
 *   bodies FILE            (one body a line, each sent once)
 * Each connection asks again when it has its answer.  Every answer must be a 200 with an
 * access_token, or it exits 1 and shows it.  Prints one JSON line: {"count",
 * "per_second", "p50_ns", "p99_ns"}. */
#include <arpa/inet.h>
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

#include "bench.h"

enum {
	CONNECTIONS_MAX = 256,
	HEAD_BYTES_MAX = 2048,
	REQUEST_BYTES_MAX = 16384,
	ANSWER_BYTES_MAX = 16384
};

struct connection {
	int64_t begun_ns;
	size_t used;
	char answer[ANSWER_BYTES_MAX + 1];
};

struct plan {
	uint16_t port;
	size_t connections;
	char head[HEAD_BYTES_MAX];
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
	else if (strncmp(line, "head ", 5) == 0 && used + strlen(line) < sizeof plan->head)
		(void)snprintf(plan->head + used, sizeof plan->head - used, "%s\r\n", line + 5);
	else
		stop("a line of the plan is none of port, connections, head, bodies");
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

static void ask(struct plan *plan, struct connection *connection, int fd)
{
	const char *body = plan->bodies[plan->sent++];
	char request[REQUEST_BYTES_MAX];
	int size = snprintf(request, sizeof request, "%sContent-Length: %zu\r\n\r\n%s", plan->head,
		strlen(body), body);

	if (size < 0 || (size_t)size >= sizeof request)
		stop("a request is too long");
	connection->used = 0;
	connection->begun_ns = bench_now_ns();
	if (send(fd, request, (size_t)size, MSG_NOSIGNAL) != size)
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

static void take_answer(struct plan *plan, struct connection *connection, int fd)
{
	ssize_t got = recv(
		fd, connection->answer + connection->used, ANSWER_BYTES_MAX - connection->used, 0);

	if (got <= 0)
		stop("a connection was closed");
	connection->used += (size_t)got;
	connection->answer[connection->used] = '\0';
	if (!is_whole(connection->answer, connection->used))
		return;
	if (strncmp(connection->answer, "HTTP/1.1 200", 12) != 0 ||
		strstr(connection->answer, "\"access_token\"") == NULL) {
		fprintf(stderr, "answered:\n%s\n", connection->answer);
		stop("an answer has no token");
	}
	plan->times_ns[plan->answered++] = (double)(bench_now_ns() - connection->begun_ns);
	if (plan->sent < plan->count)
		ask(plan, connection, fd);
}

static void run(struct plan *plan)
{
	static struct connection connections[CONNECTIONS_MAX];
	struct pollfd fds[CONNECTIONS_MAX];

	for (size_t i = 0; i < plan->connections; i++) {
		fds[i] = (struct pollfd){.fd = connect_to(plan->port), .events = POLLIN};
		ask(plan, &connections[i], fds[i].fd);
	}
	while (plan->answered < plan->count) {
		if (poll(fds, plan->connections, 60000) <= 0)
			stop("nobody answers");
		for (size_t i = 0; i < plan->connections; i++)
			if (fds[i].revents != 0)
				take_answer(plan, &connections[i], fds[i].fd);
	}
}

int main(void)
{
	static struct plan plan;
	int64_t begun_ns, took_ns;

	read_plan(&plan);
	begun_ns = bench_now_ns();
	run(&plan);
	took_ns = bench_now_ns() - begun_ns;
	qsort(plan.times_ns, plan.count, sizeof *plan.times_ns, bench_ascending);
	printf("{\"count\":%zu,\"per_second\":%.0f,\"p50_ns\":%.0f,\"p99_ns\":%.0f}\n", plan.count,
		(double)plan.count * 1e9 / (double)took_ns, plan.times_ns[plan.count / 2],
		plan.times_ns[plan.count * 99 / 100]);
	return 0;
}
