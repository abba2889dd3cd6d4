/* Holds idle streams of MCP sessions over TLS, and says when each was cut.
 *
 * Usage: kill-client PORT PATH CERTIFICATE KEY < TOKENS (one a line, a stream for each).
 * Prints `ready` once all are open, and when the last was cut one JSON line:
 * {"cut_ns": [...]}, of the monotonic clock. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "bench.h"

enum { STREAMS_MAX = 1024, TEXT_BYTES = 16384, TOKEN_BYTES_MAX = 4096, WAIT_MS = 120000 };

static const char initialize[] =
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
	"\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"bench\",\"version\":\"1\"}}"
	"}";

struct client {
	SSL_CTX *tls;
	uint16_t port;
	const char *path;
	size_t count;
	SSL *streams[STREAMS_MAX];
	struct pollfd fds[STREAMS_MAX];
	int64_t cut_ns[STREAMS_MAX];
};

static void stop(const char *why)
{
	fprintf(stderr, "kill-client: %s\n", why);
	exit(1);
}

static SSL *open_connection(const struct client *client, int *out_fd)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(client->port)};
	SSL *tls = SSL_new(client->tls);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || tls == NULL ||
		connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
		SSL_set_fd(tls, fd) != 1 || SSL_connect(tls) != 1)
		stop("cannot connect");
	*out_fd = fd;
	return tls;
}

/* Sends text, and reads until the answer has this in it. */
static void ask(SSL *tls, const char *text, const char *until, char answer[TEXT_BYTES])
{
	size_t used = 0;

	if (SSL_write(tls, text, (int)strlen(text)) <= 0)
		stop("a request was not taken");
	for (answer[0] = '\0'; strstr(answer, until) == NULL; answer[used] = '\0') {
		int got = used < TEXT_BYTES - 1
				  ? SSL_read(tls, answer + used, (int)(TEXT_BYTES - 1 - used))
				  : 0;

		if (got <= 0)
			stop("an answer ended early");
		used += (size_t)got;
	}
	if (strncmp(answer, "HTTP/1.1 200", 12) != 0)
		stop(answer);
}

/* The session that the answer begins. */
static void read_session(const char *answer, char session[128])
{
	static const char name[] = "\r\nMcp-Session-Id: ";
	const char *at = strcasestr(answer, name);

	if (at == NULL)
		stop("the answer names no session");
	at += sizeof name - 1;
	(void)snprintf(session, 128, "%.*s", (int)strcspn(at, "\r"), at);
}

static void open_stream(struct client *client, const char *token)
{
	char text[TEXT_BYTES], answer[TEXT_BYTES], session[128];
	size_t at = client->count++;
	SSL *tls = open_connection(client, &client->fds[at].fd);

	(void)snprintf(text, sizeof text,
		"POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAuthorization: Bearer %s\r\n"
		"Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		client->path, client->port, token, sizeof initialize - 1, initialize);
	ask(tls, text, "\"result\"", answer);
	read_session(answer, session);
	/* The answer may end behind what was looked for: the stream has a connection of its own. */
	SSL_free(tls);
	close(client->fds[at].fd);
	tls = open_connection(client, &client->fds[at].fd);
	(void)snprintf(text, sizeof text,
		"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAuthorization: Bearer %s\r\n"
		"Accept: text/event-stream\r\nMcp-Session-Id: %s\r\n"
		"MCP-Protocol-Version: 2025-11-25\r\n\r\n",
		client->path, client->port, token, session);
	ask(tls, text, "\r\n\r\n", answer);
	client->streams[at] = tls;
	client->fds[at].events = POLLIN;
}

static void open_all(struct client *client)
{
	char token[TOKEN_BYTES_MAX];

	while (client->count < STREAMS_MAX && fgets(token, sizeof token, stdin) != NULL) {
		token[strcspn(token, "\n")] = '\0';
		open_stream(client, token);
	}
	printf("ready\n");
	fflush(stdout);
}

/* An event that it was told is not the end; what ends it is the end of the chunks, or of the
 * connection. */
static bool is_cut(SSL *tls)
{
	char bytes[TEXT_BYTES];
	int got = SSL_read(tls, bytes, sizeof bytes);

	return got <= 0 || (got >= 5 && memcmp(bytes + got - 5, "0\r\n\r\n", 5) == 0);
}

static void wait_for_all(struct client *client)
{
	for (size_t left = client->count; left > 0;) {
		if (poll(client->fds, client->count, WAIT_MS) <= 0)
			stop("streams were not cut");
		for (size_t i = 0; i < client->count; i++) {
			if (client->fds[i].revents == 0 || !is_cut(client->streams[i]))
				continue;
			client->cut_ns[i] = bench_now_ns();
			client->fds[i].fd = -1; /* poll passes over it */
			left--;
		}
	}
}

int main(int argc, char **argv)
{
	static struct client client;

	if (argc != 5)
		stop("usage: kill-client PORT PATH CERTIFICATE KEY");
	client.port = (uint16_t)strtoul(argv[1], NULL, 10);
	client.path = argv[2];
	client.tls = SSL_CTX_new(TLS_client_method());
	if (client.tls == NULL ||
		SSL_CTX_use_certificate_file(client.tls, argv[3], SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_use_PrivateKey_file(client.tls, argv[4], SSL_FILETYPE_PEM) != 1)
		stop("the certificate or its key cannot be used");
	open_all(&client);
	wait_for_all(&client);
	printf("{\"cut_ns\":[");
	for (size_t i = 0; i < client.count; i++)
		printf("%s%lld", i == 0 ? "" : ",", (long long)client.cut_ns[i]);
	printf("]}\n");
	return 0;
}
