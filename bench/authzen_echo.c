/* The same HTTP library with nothing behind it: what bench/authzen measures a
 * decision point beside.  Answers POST /echo with a decision that nobody made.
 *
 * Usage: authzen-echo.  Prints its port on a line of its own; ends with its
 * standard input. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "wire/router.h"

static void echo(void *context, struct http_exchange *exchange)
{
	const struct http_response response = {.status = 200,
		.content_type = "application/json",
		.body = TEXT("{\"decision\":true}")};

	(void)context;
	http_respond(exchange, &response);
}

static void on_input(struct loop_watch *watch, unsigned events)
{
	char byte;

	(void)events;
	if (read(watch->fd, &byte, 1) <= 0)
		loop_stop(watch->context);
}

int main(void)
{
	const struct http_route route = {"POST", "/echo", echo, NULL};
	struct http_server_settings settings = {
		.tcp_address = "127.0.0.1:0", .on_request = router_on_request};
	struct loop_watch input = {.fd = STDIN_FILENO, .events = LOOP_READ, .on_event = on_input};
	struct http_server *server = NULL;
	struct router *router = NULL;
	struct loop *loop = NULL;
	struct error err = {0};
	bool ok = loop_create(&loop, &err) && router_create(&router, &err) &&
		  router_add(router, &route, 1, &err);

	settings.context = router;
	input.context = loop;
	ok = ok && http_server_create(&server, loop, &settings, &err) &&
	     loop_watch_add(loop, &input, &err);
	if (ok) {
		(void)printf("%u\n", (unsigned)http_server_port(server));
		(void)fflush(stdout);
		ok = loop_run(loop, &err);
	}
	if (!ok)
		(void)fprintf(stderr, "authzen-echo: %s\n", err.text);
	http_server_destroy(&server);
	router_destroy(&router);
	loop_destroy(&loop);
	return ok ? 0 : 1;
}
