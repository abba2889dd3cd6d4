/* Serves every request with the line "<METHOD TARGET BODY-LENGTH>", on a port it
 * prints, until its standard input ends.  For framing.mjs. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buffer.h"
#include "wire/http_server.h"

static void on_request(void *context, struct http_exchange *exchange)
{
	const struct http_request *request = http_exchange_request(exchange);
	struct buffer body;

	(void)context;
	buffer_init(&body, 16 * 1024);
	buffer_append_format(&body, "<%.*s %.*s %zu>", TEXT_ARGS(request->method),
		TEXT_ARGS(request->target), request->body.length);
	http_respond(exchange, &(struct http_response){.status = 200, .body = buffer_text(&body)});
	buffer_deinit(&body);
}

static void on_input(struct loop_watch *watch, unsigned events)
{
	char bytes[64];

	(void)events;
	if (read(watch->fd, bytes, sizeof bytes) <= 0)
		loop_stop(watch->context);
}

int main(void)
{
	struct loop *loop = NULL;
	struct http_server *server = NULL;
	struct error err;
	struct loop_watch input = {.fd = 0, .events = LOOP_READ, .on_event = on_input};
	int status = 1;

	(void)signal(SIGPIPE, SIG_IGN);
	if (loop_create(&loop, &err)) {
		input.context = loop;
		if (loop_watch_add(loop, &input, &err) &&
			http_server_create(&server, loop,
				&(struct http_server_settings){
					.tcp_address = "127.0.0.1:0", .on_request = on_request},
				&err)) {
			(void)printf("%u\n", http_server_port(server));
			(void)fflush(stdout);
			status = loop_run(loop, &err) ? 0 : 1;
		}
		http_server_destroy(&server);
	}
	loop_destroy(&loop);
	return status;
}
