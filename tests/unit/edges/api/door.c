#include "door.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { REPLY_LIMIT_S = 20 };

struct door {
	char folder[64];
	char socket_path[96];
	struct loop *loop;
	struct router *router;
	struct api *api;
	struct http_server *server;
	uint16_t port;
	pthread_t thread;
};

/* Believes "Remit-Signed ok:NAME", and with a key in the body "enrolling". */
static bool verify(void *context, const struct api_signed *what, struct arena *arena,
	struct text *out_person, struct error *err)
{
	static const char good[] = "Remit-Signed ok:";
	struct text rest = what->authorization;

	(void)context;
	if (what->jwk != NULL) {
		*out_person = TEXT("new");
		return text_is(rest, "Remit-Signed enrolling") ||
		       error_set(err, ERROR_INVALID, "not signed by the key in the body");
	}
	if (!text_starts_with(rest, good))
		return error_set(err, ERROR_INVALID, "the signature does not hold");
	rest.data += sizeof good - 1;
	rest.length -= sizeof good - 1;
	*out_person = text_copy(arena, rest);
	return true;
}

static void *run(void *context)
{
	struct door *door = context;
	struct error err = {0};

	if (!loop_run(door->loop, &err))
		abort();
	return NULL;
}

const char *door_folder(const struct door *door)
{
	return door->folder;
}

uint16_t door_port(const struct door *door)
{
	return door->port;
}

struct door *door_open(const struct api_signatures *signatures, const struct http_route *routes,
	size_t routes_count)
{
	struct door *door = calloc(1, sizeof *door);
	struct api_services services = {.signatures.verify = verify};
	struct http_server_settings settings = {
		.tcp_address = "127.0.0.1:0", .on_request = router_on_request};
	struct error err = {0};

	assert_non_null(door);
	(void)snprintf(door->folder, sizeof door->folder, "/tmp/remit-api-XXXXXX");
	assert_non_null(mkdtemp(door->folder));
	(void)snprintf(door->socket_path, sizeof door->socket_path, "%s/remit.sock", door->folder);
	settings.unix_path = door->socket_path;
	assert_true(loop_create(&door->loop, &err));
	assert_true(router_create(&door->router, &err));
	settings.context = door->router;
	services.loop = door->loop;
	if (signatures != NULL)
		services.signatures = *signatures;
	if (routes_count > 0)
		assert_true(router_add(door->router, routes, routes_count, &err));
	assert_true(api_create(&door->api, &services, &err));
	if (!api_add_routes(door->api, door->router, &err))
		fail_msg("%s", err.text);
	if (!http_server_create(&door->server, door->loop, &settings, &err))
		fail_msg("%s", err.text);
	door->port = http_server_port(door->server);
	assert_int_equal(pthread_create(&door->thread, NULL, run, door), 0);
	return door;
}

void door_close(struct door **door)
{
	loop_stop((*door)->loop);
	(void)pthread_join((*door)->thread, NULL);
	http_server_destroy(&(*door)->server);
	router_destroy(&(*door)->router);
	api_destroy(&(*door)->api);
	loop_destroy(&(*door)->loop);
	(void)unlink((*door)->socket_path);
	(void)rmdir((*door)->folder);
	free(*door);
	*door = NULL;
}

static int connect_to(const struct door *door, enum door_way way)
{
	struct sockaddr_in tcp = {.sin_family = AF_INET,
		.sin_port = htons(door->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = REPLY_LIMIT_S};
	int fd = socket(way == BY_TCP ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	(void)snprintf(local.sun_path, sizeof local.sun_path, "%s", door->socket_path);
	if (way == BY_TCP)
		assert_int_equal(connect(fd, (struct sockaddr *)&tcp, sizeof tcp), 0);
	else
		assert_int_equal(connect(fd, (struct sockaddr *)&local, sizeof local), 0);
	return fd;
}

static void send_all(int fd, struct text bytes)
{
	while (bytes.length > 0) {
		ssize_t sent = send(fd, bytes.data, bytes.length, MSG_NOSIGNAL);

		if (sent <= 0)
			return; /* refused early: the answer says why */
		bytes.data += sent;
		bytes.length -= (size_t)sent;
	}
}

static void send_request(int fd, const struct door_request *request)
{
	const char *type =
		request->content_type == NULL ? "application/json" : request->content_type;
	struct buffer head;

	buffer_init(&head, 1 << 16);
	buffer_append_format(&head, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
		request->method, request->target);
	if (request->signer != NULL)
		buffer_append_format(&head, "Authorization: Remit-Signed %s\r\n", request->signer);
	if (request->headers != NULL)
		buffer_append_string(&head, request->headers);
	if (request->body.data != NULL)
		buffer_append_format(&head, "Content-Type: %s\r\nContent-Length: %zu\r\n", type,
			request->body.length);
	buffer_append_string(&head, "\r\n");
	assert_false(buffer_failed(&head));
	send_all(fd, buffer_text(&head));
	buffer_deinit(&head);
	send_all(fd, request->body);
}

static void read_head(struct door_reply *reply, const char *head)
{
	const char *type = strcasestr(head, "\r\ncontent-type: ");

	assert_int_equal(sscanf(head, "HTTP/1.1 %u ", &reply->status), 1);
	reply->content_type[0] = '\0';
	if (type != NULL)
		(void)sscanf(type + 16, "%63[^\r\n;]", reply->content_type);
}

void door_send(struct door *door, const struct door_request *request, struct door_reply *reply)
{
	static char bytes[sizeof reply->body + 8192];
	int fd = connect_to(door, request->way);
	size_t length = 0;
	ssize_t got;
	char *body;

	send_request(fd, request);
	while ((got = recv(fd, bytes + length, sizeof bytes - 1 - length, 0)) > 0)
		length += (size_t)got;
	(void)close(fd);
	bytes[length] = '\0';
	body = strstr(bytes, "\r\n\r\n");
	if (body == NULL)
		fail_msg("%s %s: no answer", request->method, request->target);
	*body = '\0';
	body += 4;
	read_head(reply, bytes);
	reply->body_length = length - (size_t)(body - bytes);
	memcpy(reply->body, body, reply->body_length);
	reply->body[reply->body_length] = '\0';
}

int door_start(struct door *door, const struct door_request *request)
{
	int fd = connect_to(door, request->way);

	send_request(fd, request);
	return fd;
}
