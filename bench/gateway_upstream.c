/* A fast MCP server over HTTP/1.1 that does nothing: what bench/gateway
 * measures everything against.  One thread, epoll, keep-alive; answers
 * initialize, tools/list and tools/call (one tool, repeat, and a fixed text) with
 * JSON.
 *
 * Usage: gateway-upstream PORT [ANSWERS].  Port 0 picks a free one; the port in use
 * is printed on a line of its own.  It ends with its standard input.  ANSWERS is a file
 * of lines `WORD RESULT`: the first WORD that stands in a request in quotation
 * marks says what is answered; @ID@ in it stands for the request's id.
 *
 * Not a server to copy: it trusts its client, and a request that does not fit
 * the buffer closes the connection. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	REQUEST_BYTES_MAX = 65536,
	ANSWER_BYTES_MAX = 65536,
	ANSWERS_MAX = 16,
	WORD_BYTES_MAX = 64,
	EVENTS_MAX = 64,
	ID_BYTES_MAX = 64,
	DESCRIPTORS_MAX = 256,
};

struct connection {
	int fd;
	size_t used;
	char bytes[REQUEST_BYTES_MAX + 1]; /* NUL-terminated at used */
};

#define CALL_RESULT "{\"content\":[{\"type\":\"text\",\"text\":\"done\"}]}"
#define LIST_RESULT                                                                                \
	"{\"tools\":[{\"name\":\"repeat\",\"description\":\"Repeat\",\"inputSchema\":"             \
	"{\"type\":\"object\"}}]}"
#define START_RESULT                                                                               \
	"{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}},"                     \
	"\"serverInfo\":{\"name\":\"bench\",\"version\":\"1\"}}"

struct prepared {
	char word[WORD_BYTES_MAX]; /* in quotation marks */
	char result[ANSWER_BYTES_MAX / 2];
};

static struct prepared prepared[ANSWERS_MAX];
static size_t prepared_count;

static void stop(const char *why)
{
	fprintf(stderr, "gateway-upstream: %s\n", why);
	exit(1);
}

static void read_answers(const char *path)
{
	static char line[ANSWER_BYTES_MAX / 2];
	FILE *file = fopen(path, "re");

	if (file == NULL)
		stop("its answers cannot be read");
	while (fgets(line, sizeof line, file) != NULL) {
		char *space = strchr(line, ' ');
		struct prepared *one = &prepared[prepared_count++];

		if (prepared_count > ANSWERS_MAX || space == NULL ||
			space - line > WORD_BYTES_MAX - 3)
			stop("its answers are too many, or not WORD RESULT");
		line[strcspn(line, "\n")] = '\0';
		*space = '\0';
		snprintf(one->word, sizeof one->word, "\"%.*s\"", WORD_BYTES_MAX - 3, line);
		snprintf(one->result, sizeof one->result, "%s", space + 1);
	}
	fclose(file);
}

static const char *result_for(const char *body)
{
	for (size_t i = 0; i < prepared_count; i++) {
		if (strstr(body, prepared[i].word) != NULL)
			return prepared[i].result;
	}
	if (strstr(body, "\"tools/call\"") != NULL)
		return CALL_RESULT;
	if (strstr(body, "\"initialize\"") != NULL)
		return START_RESULT;
	if (strstr(body, "\"tools/list\"") != NULL)
		return LIST_RESULT;
	return "{}";
}

/* Copies the value of the outermost "id"; false for a notification. */
static bool copy_id(char *out, const char *body)
{
	const char *found = strstr(body, "\"id\":");
	size_t length = 0;

	if (found == NULL)
		return false;
	found += strlen("\"id\":");
	while (*found == ' ')
		found++;
	while (length < ID_BYTES_MAX - 1 && found[length] != ',' && found[length] != '}' &&
		found[length] != '\0')
		length++;
	memcpy(out, found, length);
	out[length] = '\0';
	return true;
}

static bool send_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		bytes += sent;
		size -= (size_t)sent;
	}
	return true;
}

/* The result with the id in each place for it; the length that was written. */
static size_t fill(char *out, size_t size, const char *result, const char *id)
{
	size_t used = 0;
	const char *mark;

	while ((mark = strstr(result, "@ID@")) != NULL) {
		used += (size_t)snprintf(
			out + used, size - used, "%.*s%s", (int)(mark - result), result, id);
		if (used >= size)
			stop("an answer is too long");
		result = mark + 4;
	}
	used += (size_t)snprintf(out + used, size - used, "%s}", result);
	if (used >= size)
		stop("an answer is too long");
	return used;
}

static bool answer(int fd, const char *head, const char *body)
{
	static char json[ANSWER_BYTES_MAX - 256];
	static char out[ANSWER_BYTES_MAX];
	char id[ID_BYTES_MAX];
	int size;

	if (strncmp(head, "POST ", 5) != 0) {
		const char *refusal =
			"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n";
		return send_all(fd, refusal, strlen(refusal));
	}
	if (!copy_id(id, body)) {
		const char *taken = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
		return send_all(fd, taken, strlen(taken));
	}
	size = snprintf(json, sizeof json, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":", id);
	size += (int)fill(json + size, sizeof json - (size_t)size, result_for(body), id);
	size = snprintf(out, sizeof out,
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
		"%s",
		size, json);
	return send_all(fd, out, (size_t)size);
}

static size_t content_length(const char *head, const char *end)
{
	for (const char *line = head; line < end; line = strstr(line, "\r\n") + 2) {
		if (strncasecmp(line, "content-length:", 15) == 0)
			return strtoul(line + 15, NULL, 10);
	}
	return 0;
}

/* Answers every whole request in the buffer; false: close the connection. */
static bool answer_what_is_whole(struct connection *connection)
{
	for (;;) {
		char *end = strstr(connection->bytes, "\r\n\r\n");
		size_t whole;
		char kept;
		bool ok;

		if (end == NULL)
			return connection->used < REQUEST_BYTES_MAX;
		whole = (size_t)(end - connection->bytes) + 4 +
			content_length(connection->bytes, end);
		if (whole > REQUEST_BYTES_MAX)
			return false;
		if (connection->used < whole)
			return true;
		kept = connection->bytes[whole];
		connection->bytes[whole] = '\0';
		ok = answer(connection->fd, connection->bytes, end + 4);
		connection->bytes[whole] = kept;
		connection->used -= whole;
		memmove(connection->bytes, connection->bytes + whole, connection->used);
		connection->bytes[connection->used] = '\0';
		if (!ok)
			return false;
	}
}

static bool serve(struct connection *connection)
{
	ssize_t got = recv(connection->fd, connection->bytes + connection->used,
		REQUEST_BYTES_MAX - connection->used, 0);

	if (got <= 0)
		return false;
	connection->used += (size_t)got;
	connection->bytes[connection->used] = '\0';
	return answer_what_is_whole(connection);
}

static int open_listener(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 1024) != 0 ||
		getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
		perror("gateway-upstream");
		exit(1);
	}
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void watch(int poll_fd, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
		perror("gateway-upstream");
		exit(1);
	}
}

static void take_connection(int poll_fd, int listener, struct connection *connections)
{
	int on = 1;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (fd >= DESCRIPTORS_MAX) {
		close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	connections[fd].fd = fd;
	connections[fd].used = 0;
	watch(poll_fd, fd);
}

int main(int argc, char **argv)
{
	static struct connection connections[DESCRIPTORS_MAX];
	int listener = open_listener(argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 0);
	int poll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[EVENTS_MAX];

	if (argc > 2)
		read_answers(argv[2]);
	watch(poll_fd, listener);
	watch(poll_fd, STDIN_FILENO);
	for (;;) {
		int count = epoll_wait(poll_fd, events, EVENTS_MAX, -1);

		if (count < 0 && errno != EINTR)
			return 1;
		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;

			if (fd == STDIN_FILENO)
				return 0;
			if (fd == listener)
				take_connection(poll_fd, listener, connections);
			else if (!serve(&connections[fd]))
				close(fd);
		}
	}
}
