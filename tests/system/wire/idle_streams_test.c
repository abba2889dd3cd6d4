/* What an idle stream costs: resident memory of this process (server and raw
 * clients in one; the clients hold no memory of their own) before and after a
 * thousand GET streams.  The bar is 16 KiB a connection. */
#include "../../unit/wire/talk.h"

#include "wire/http_server.h"

#include <sys/resource.h>

enum { STREAMS = 1000, KIB_PER_STREAM_MAX = 16, DESCRIPTORS = 2 * STREAMS + 64 };

struct streams {
	struct loop *loop;
	struct http_server *server;
	int opened;
	int wanted;
	int closed;
	bool is_enough;
	bool are_gone;
	int fds[STREAMS];
};

static void on_closed(void *context, enum http_closed how)
{
	struct streams *streams = context;

	(void)how;
	streams->closed++;
	streams->are_gone = streams->closed == STREAMS;
}

static void on_request(void *context, struct http_exchange *exchange)
{
	struct streams *streams = context;

	http_exchange_watch(exchange,
		&(struct http_exchange_events){.context = streams, .on_closed = on_closed});
	assert_true(http_stream_start(exchange, &(struct http_response){.status = 200,
							.content_type = "text/event-stream",
							.body = TEXT(": \n\n")}));
	streams->opened++;
	streams->is_enough = streams->opened == streams->wanted;
}

static long resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages = 0, resident = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%ld %ld", &pages, &resident), 2);
	(void)fclose(file);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void streams_open(struct streams *streams)
{
	static const char request[] =
		"GET /mcp/files HTTP/1.1\r\nHost: 127.0.0.1:8470\r\nAccept: text/event-stream\r\n"
		"Authorization: Bearer "
		"0123456789012345678901234567890123456789012345678901234567890123456789012345678901"
		"234567"
		"0123456789012345678901234567890123456789012345678901234567890123456789012345678901"
		"234567"
		"0123456789012345678901234567890123456789012345678901234567890123456789012345678901"
		"234567"
		"\r\nMcp-Session-Id: s-00000000000000000000\r\n\r\n";
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(http_server_port(streams->server))};
	int i;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (i = 0; i < STREAMS; i++) {
		streams->fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(
			connect(streams->fds[i], (struct sockaddr *)&address, sizeof address), 0);
		assert_int_equal(send(streams->fds[i], request, sizeof request - 1, MSG_NOSIGNAL),
			sizeof request - 1);
		/* The backlog is shorter than the crowd: let the server take these. */
		streams->wanted = i + 1;
		streams->is_enough = false;
		if ((i + 1) % 100 == 0)
			talk_run_until(streams->loop, &streams->is_enough);
	}
}

static void an_idle_stream_costs_at_most_sixteen_kib(void **state)
{
	struct streams *streams = calloc(1, sizeof *streams);
	struct rlimit limit = {0};
	struct error err;
	long before_kib, after_kib;
	int i;

	(void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	free(streams);
	print_message("skipped: a sanitizer's memory is not ours\n");
	skip();
#endif
	assert_non_null(streams);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur < DESCRIPTORS) {
		limit.rlim_cur = DESCRIPTORS;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	}
	assert_true(loop_create(&streams->loop, &err));
	assert_true(http_server_create(&streams->server, streams->loop,
		&(struct http_server_settings){
			.tcp_address = "127.0.0.1:0", .on_request = on_request, .context = streams},
		&err));
	before_kib = resident_kib();
	streams_open(streams);
	after_kib = resident_kib();
	print_message("%d idle streams: %.1f KiB each\n", STREAMS,
		(double)(after_kib - before_kib) / STREAMS);
	assert_true(after_kib - before_kib <= (long)KIB_PER_STREAM_MAX * STREAMS);
	for (i = 0; i < STREAMS; i++)
		(void)close(streams->fds[i]);
	talk_run_until(streams->loop, &streams->are_gone);
	http_server_destroy(&streams->server);
	loop_destroy(&streams->loop);
	free(streams);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_stream_costs_at_most_sixteen_kib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
