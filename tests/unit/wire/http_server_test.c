/* The HTTP server over loopback, by bytes of our own. */
#include "talk.h"

#include "wire/http_server.h"
#include "wire/router.h"

enum { BODY_MAX = 64 * 1024 };

struct bench {
	struct loop *loop;
	struct router *router;
	struct http_server *server;
	struct talk talk;
	struct http_exchange *held;
	struct loop_timer later;
	char folder[32];
	char socket_path[64];
	int calls;
	int calls_at_first; /* when the first exchange was over */
	int wanted;         /* closed_count where all are over */
	int closed_count;
	enum http_closed closed_how;
	bool has_closed;
	bool has_drained;
	size_t taken_bytes;
	char seen[8192]; /* what the handler saw */
};

static void note_closed(void *context, enum http_closed how)
{
	struct bench *bench = context;

	if (bench->closed_count++ == 0)
		bench->calls_at_first = bench->calls;
	bench->closed_how = how;
	bench->has_closed = bench->closed_count >= bench->wanted;
	bench->held = NULL;
}

static void note_drained(void *context)
{
	struct bench *bench = context;

	bench->has_drained = true;
}

static void watch(struct bench *bench, struct http_exchange *exchange)
{
	http_exchange_watch(exchange,
		&(struct http_exchange_events){
			.context = bench, .on_closed = note_closed, .on_drained = note_drained});
}

static void answer_seen(struct bench *bench, struct http_exchange *exchange)
{
	http_respond(exchange, &(struct http_response){.status = 200,
				       .content_type = "text/plain",
				       .body = text_of(bench->seen),
				       .headers = &(struct http_header){"X-Test", "yes"},
				       .header_count = 1});
}

/* Answers with method, path value, query q, header X-In and body. */
static void handle_echo(void *context, struct http_exchange *exchange)
{
	struct bench *bench = context;
	const struct http_request *request = http_exchange_request(exchange);
	struct text q, name = http_path_value(exchange, "name");
	struct text header = http_header_find(exchange, "x-in");

	bench->calls++;
	watch(bench, exchange);
	(void)http_query_find(exchange, "q", &q);
	(void)snprintf(bench->seen, sizeof bench->seen, "%.*s|%.*s|%.*s|%.*s|%.*s|%s|%d",
		TEXT_ARGS(request->method), TEXT_ARGS(name), TEXT_ARGS(q), TEXT_ARGS(header),
		TEXT_ARGS(request->body), request->peer.address,
		request->peer.is_local && request->peer.uid == getuid() &&
			request->peer.pid == getpid());
	answer_seen(bench, exchange);
}

/* Answers an empty text, with others if q is there. */
static void handle_gathered(void *context, struct http_exchange *exchange)
{
	struct bench *bench = context;
	struct text q;

	bench->calls++;
	watch(bench, exchange);
	http_respond(exchange, &(struct http_response){.status = 200,
				       .body = TEXT("done"),
				       .may_gather = http_query_find(exchange, "q", &q)});
}

static void handle_target(void *context, struct http_exchange *exchange)
{
	struct bench *bench = context;

	(void)snprintf(bench->seen, sizeof bench->seen, "%.*s|%.*s",
		TEXT_ARGS(http_exchange_request(exchange)->target),
		TEXT_ARGS(http_path_value(exchange, "rest")));
	answer_seen(bench, exchange);
}

static void handle_hold(void *context, struct http_exchange *exchange)
{
	struct bench *bench = context;

	bench->calls++;
	bench->held = exchange;
	watch(bench, exchange);
	loop_stop(bench->loop);
}

static void handle_stream(void *context, struct http_exchange *exchange)
{
	handle_hold(context, exchange);
	assert_true(http_stream_start(exchange, &(struct http_response){.status = 200,
							.content_type = "text/event-stream",
							.body = TEXT("first\n")}));
}

static const char *const methods[] = {"GET", "POST"};

static void start(struct bench *bench, const struct http_server_settings *settings)
{
	static struct http_route routes[11];
	struct error err = {0};
	size_t i;

	for (i = 0; i < 2; i++)
		routes[i] = (struct http_route){methods[i], "/echo/{name}", handle_echo, bench};
	routes[2] = (struct http_route){"GET", "/target/{rest...}", handle_target, bench};
	routes[3] = (struct http_route){"GET", "/hold", handle_hold, bench};
	routes[4] = (struct http_route){"GET", "/stream", handle_stream, bench};
	routes[5] = (struct http_route){"GET", "/echo/fixed", handle_target, bench};
	routes[6] = (struct http_route){"GET", "/{name}/of/anybody", handle_echo, bench};
	assert_true(loop_create(&bench->loop, &err));
	assert_true(router_create(&bench->router, &err));
	routes[7] = (struct http_route){"GET", "/gathered", handle_gathered, bench};
	routes[8] = (struct http_route){NULL, "/door/{rest...}", handle_target, bench};
	routes[9] = (struct http_route){"POST", "/door/{rest...}", handle_echo, bench};
	routes[10] = (struct http_route){"PUT", "/door/open", handle_echo, bench};
	assert_true(router_add(bench->router, routes, 11, &err));
	if (!http_server_create(&bench->server, bench->loop, settings, &err))
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err = {0};

	assert_non_null(bench);
	memcpy(bench->folder, "/tmp/http-test-XXXXXX", 22);
	assert_non_null(mkdtemp(bench->folder));
	(void)snprintf(bench->socket_path, sizeof bench->socket_path, "%s/s", bench->folder);
	assert_true(router_create(&bench->router, &err));
	router_destroy(&bench->router);
	*state = bench;
	return 0;
}

static void on_request(void *context, struct http_exchange *exchange)
{
	struct bench *bench = context;

	router_dispatch(bench->router, exchange);
}

static int setup_served(void **state)
{
	struct bench *bench;

	setup(state);
	bench = *state;
	start(bench, &(struct http_server_settings){.tcp_address = "127.0.0.1:0",
			     .unix_path = bench->socket_path,
			     .body_bytes_max = BODY_MAX,
			     .stream_bytes_max = BODY_MAX,
			     .on_request = on_request,
			     .context = bench});
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	if (bench->talk.got != NULL)
		talk_close(&bench->talk);
	http_server_destroy(&bench->server);
	router_destroy(&bench->router);
	if (bench->loop != NULL)
		loop_destroy(&bench->loop);
	assert_int_equal(access(bench->socket_path, F_OK), -1); /* nothing left behind */
	(void)rmdir(bench->folder);
	free(bench);
	return 0;
}

/* Sends bytes and gives the whole answer. */
static const char *ask_bytes(struct bench *bench, const char *bytes, size_t size)
{
	if (bench->talk.got != NULL)
		talk_close(&bench->talk);
	talk_open(&bench->talk, bench->loop, http_server_port(bench->server));
	talk_say(&bench->talk, bytes, size);
	talk_wait(&bench->talk, NULL);
	return bench->talk.got;
}

static const char *ask(struct bench *bench, const char *request)
{
	return ask_bytes(bench, request, strlen(request));
}

static void assert_status(const char *answer, const char *status)
{
	char expected[32];

	(void)snprintf(expected, sizeof expected, "HTTP/1.1 %s", status);
	if (strncmp(answer, expected, strlen(expected)) != 0)
		fail_msg("expected %s, got: %s", status, answer);
}

/* What is refused before any handler sees it. */
struct bad {
	const char *name;
	const char *request;
	const char *status;
};

#define END "Connection: close\r\n\r\n"
static const struct bad bad_requests[] = {
	{"no Host", "GET /echo/a HTTP/1.1\r\n" END, "400"},
	{"two Hosts", "GET /echo/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n" END, "400"},
	{"length and encoding",
		"POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"400"},
	{"encoding and length",
		"POST /echo/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
		"Content-Length: 5\r\n\r\n0\r\n\r\n",
		"400"},
	{"two lengths",
		"POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: "
		"2\r\n\r\nab",
		"400"},
	{"two equal lengths",
		"POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: "
		"1\r\n\r\na",
		"400"},
	{"a list of lengths", "POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na",
		"400"},
	{"a signed length", "POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
		"400"},
	{"a negative length", "POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\na",
		"400"},
	{"an unknown encoding",
		"POST /echo/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"400"},
	{"chunked twice",
		"POST /echo/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, "
		"chunked\r\n\r\n0\r\n\r\n",
		"400"},
	{"two Authorizations",
		"GET /echo/a HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nauthorization: y\r\n" END,
		"400"},
	{"two types",
		"GET /echo/a HTTP/1.1\r\nHost: a\r\nContent-Type: x\r\nContent-Type: y\r\n" END,
		"400"},
	{"a folded field", "GET /echo/a HTTP/1.1\r\nHost: a\r\nX-In: a\r\n b\r\n" END, "400"},
	{"a blank before the colon", "GET /echo/a HTTP/1.1\r\nHost: a\r\nX-In : a\r\n" END, "400"},
	{"a name with a bracket", "GET /echo/a HTTP/1.1\r\nHost: a\r\nX(In: a\r\n" END, "400"},
	{"a control byte", "GET /echo/a HTTP/1.1\r\nHost: a\r\nX-In: a\x01z\r\n" END, "400"},
	{"a delete byte", "GET /echo/a HTTP/1.1\r\nHost: a\r\nX-In: a\x7fz\r\n" END, "400"},
	{"an absolute target", "GET http://a/echo/a HTTP/1.1\r\nHost: a\r\n" END, "400"},
	{"a climbing path", "GET /echo/../hold HTTP/1.1\r\nHost: a\r\n" END, "400"},
	{"a hidden climb", "GET /target/x/%2e%2E/y HTTP/1.1\r\nHost: a\r\n" END, "400"},
	{"an encoded NUL", "GET /echo/a%00b HTTP/1.1\r\nHost: a\r\n" END, "400"},
	{"an encoded line end", "GET /echo/a%0ab HTTP/1.1\r\nHost: a\r\n" END, "400"},
	{"half an encoding", "GET /echo/a%4 HTTP/1.1\r\nHost: a\r\n" END, "400"},
	{"no hexadecimal", "GET /echo/a%4g HTTP/1.1\r\nHost: a\r\n" END, "400"},
	{"bad UTF-8", "GET /echo/a%c3 HTTP/1.1\r\nHost: a\r\n" END, "400"},
	{"bad UTF-8 in the query", "GET /echo/a?q=%ff HTTP/1.1\r\nHost: a\r\n" END, "400"},
	{"a NUL in the query", "GET /echo/a?q=%00 HTTP/1.1\r\nHost: a\r\n" END, "400"},
	{"an unknown path", "GET /nothing HTTP/1.1\r\nHost: a\r\n" END, "404"},
	{"one that ends alike", "GET /bold HTTP/1.1\r\nHost: a\r\n" END, "404"},
	{"too little for the rest", "GET /target HTTP/1.1\r\nHost: a\r\n" END, "404"},
	{"nothing for the rest", "GET /target/ HTTP/1.1\r\nHost: a\r\n" END, "404"},
	{"an empty segment", "GET /echo/ HTTP/1.1\r\nHost: a\r\n" END, "404"},
	{"one segment too many", "GET /echo/a/b HTTP/1.1\r\nHost: a\r\n" END, "404"},
	{"a wrong method", "DELETE /echo/a HTTP/1.1\r\nHost: a\r\n" END, "405"},
	{"too long a body", "POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n",
		"413"},
};

static void bad_requests_are_refused_before_any_handler(void **state)
{
	struct bench *bench = *state;
	size_t i;

	for (i = 0; i < sizeof bad_requests / sizeof bad_requests[0]; i++) {
		const char *answer = ask(bench, bad_requests[i].request);

		if (strncmp(answer + 9, bad_requests[i].status, 3) != 0)
			fail_msg("%s: expected %s, got: %s", bad_requests[i].name,
				bad_requests[i].status, answer);
	}
	assert_int_equal(bench->calls, 0);
}

/* Wherever it stands in a long value: those are looked at by eight bytes. */
static void a_control_byte_is_found_at_each_place_of_a_value(void **state)
{
	static const char bad[] = {0x01, 0x0b, 0x1f, 0x7f};
	struct bench *bench = *state;
	char request[128], value[] = "0123456789abcdef\t\xc3\xa4 ~z";
	size_t length = sizeof value - 1;

	for (size_t at = 0; at < length * sizeof bad; at++) {
		char kept = value[at % length];

		value[at % length] = bad[at / length];
		(void)snprintf(request, sizeof request,
			"GET /echo/a HTTP/1.1\r\nHost: a\r\nX-In: %s\r\n" END, value);
		assert_status(ask(bench, request), "400");
		value[at % length] = kept;
	}
	assert_int_equal(bench->calls, 0);
	(void)snprintf(request, sizeof request,
		"GET /echo/a HTTP/1.1\r\nHost: a\r\nX-In: %s\r\n" END, value);
	assert_status(ask(bench, request), "200");
}

static void a_nul_in_a_header_field_is_refused(void **state)
{
	struct bench *bench = *state;
	static const char request[] = "GET /echo/a HTTP/1.1\r\nHost: a\r\nX-In: good\0evil\r\n" END;
	const char *answer = ask_bytes(bench, request, sizeof request - 1);

	assert_status(answer, "400");
	assert_int_equal(bench->calls, 0);
}

static void a_refused_frame_is_never_followed_by_a_next_request(void **state)
{
	struct bench *bench = *state;

	assert_status(ask(bench, "POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
				 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
				 "GET /echo/smuggled HTTP/1.1\r\nHost: a\r\n" END),
		"400");
	assert_null(strstr(bench->talk.got, "smuggled"));
	assert_int_equal(bench->calls, 0);
}

static void a_405_names_the_methods_of_the_path(void **state)
{
	struct bench *bench = *state;
	const char *answer = ask(bench, "PUT /echo/a HTTP/1.1\r\nHost: a\r\n" END);

	assert_status(answer, "405");
	assert_non_null(strstr(answer, "Allow: GET, HEAD, POST\r\n"));
	assert_non_null(strstr(answer, "application/problem+json"));
}

static void a_route_of_any_method_takes_what_no_other_does(void **state)
{
	static const struct {
		const char *line;
		const char *due;
	} rows[] = {{"PUT /door/open", "PUT|"}, {"POST /door/open", "POST|"},
		{"DELETE /door/open", "/door/open|open"}, {"POST /door/ajar", "POST|"},
		{"PURGE /door/a/b", "/door/a/b|a/b"}};
	struct bench *bench = *state;
	char request[128];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		(void)snprintf(
			request, sizeof request, "%s HTTP/1.1\r\nHost: a\r\n" END, rows[i].line);
		assert_status(ask(bench, request), "200");
		if (strncmp(bench->seen, rows[i].due, strlen(rows[i].due)) != 0)
			fail_msg("%s: %s", rows[i].line, bench->seen);
	}
}

static void fill_header_request(char *out, size_t size, size_t header_bytes)
{
	int used = snprintf(out, size, "GET /echo/a HTTP/1.1\r\nHost: a\r\nX-Big: ");

	memset(out + used, 'x', header_bytes);
	(void)snprintf(
		out + (size_t)used + header_bytes, size - (size_t)used - header_bytes, "\r\n" END);
}

static void headers_pass_up_to_the_pool_and_no_further(void **state)
{
	struct bench *bench = *state;
	char *request = calloc(1, 64 * 1024);

	assert_non_null(request);
	fill_header_request(request, 64 * 1024, 7000);
	assert_status(ask(bench, request), "200");
	fill_header_request(request, 64 * 1024, 9000);
	assert_status(ask(bench, request), "431");
	assert_int_equal(bench->calls, 1);
	free(request);
}

static const char *ask_parameters(struct bench *bench, size_t count)
{
	char request[1024];
	int used = snprintf(request, sizeof request, "GET /echo/a?");

	memset(request + used, '&', count);
	(void)snprintf(request + (size_t)used + count, sizeof request - (size_t)used - count,
		" HTTP/1.1\r\nHost: a\r\n" END);
	return ask(bench, request);
}

/* Also so many that the library would have no room for them. */
static void parameters_pass_up_to_their_limit_and_no_further(void **state)
{
	struct bench *bench = *state;

	assert_status(ask_parameters(bench, HTTP_QUERY_PARAMETERS_MAX - 1), "200");
	assert_int_equal(bench->calls, 1);
	assert_status(ask_parameters(bench, HTTP_QUERY_PARAMETERS_MAX), "400");
	for (size_t count = 100; count <= 900; count += 100)
		assert_status(ask_parameters(bench, count), "400");
	assert_int_equal(bench->calls, 1);
}

static void a_target_passes_up_to_its_limit(void **state)
{
	struct bench *bench = *state;
	char *request = calloc(1, 64 * 1024);
	size_t length;

	assert_non_null(request);
	for (length = HTTP_TARGET_BYTES_MAX; length <= HTTP_TARGET_BYTES_MAX + 1; length++) {
		int used = snprintf(request, 64 * 1024, "GET /target/");

		memset(request + used, 'x', length - 8);
		(void)snprintf(
			request + (size_t)used + length - 8, 100, " HTTP/1.1\r\nHost: a\r\n" END);
		assert_status(ask(bench, request), length > HTTP_TARGET_BYTES_MAX ? "414" : "200");
	}
	free(request);
}

static void a_body_passes_up_to_its_limit(void **state)
{
	struct bench *bench = *state;
	char *request = calloc(1, 2 * BODY_MAX);
	int used = snprintf(request, 200,
		"POST /echo/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: "
		"%d\r\n\r\n",
		BODY_MAX);

	assert_non_null(request);
	memset(request + used, 'x', BODY_MAX);
	assert_status(ask(bench, request), "200");
	assert_int_equal(bench->calls, 1);
	free(request);
}

static void a_chunked_body_beyond_the_limit_is_refused_with_413(void **state)
{
	struct bench *bench = *state;
	char *request = calloc(1, 4 * BODY_MAX);
	int used = snprintf(request, 200,
		"POST /echo/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
		"Transfer-Encoding: chunked\r\n\r\n%x\r\n",
		BODY_MAX + 1);

	assert_non_null(request);
	memset(request + used, 'x', BODY_MAX + 1);
	memcpy(request + used + BODY_MAX + 1, "\r\n0\r\n\r\n", 7);
	assert_status(ask(bench, request), "413");
	assert_int_equal(bench->calls, 0);
	free(request);
}

static void a_request_reaches_its_handler_whole(void **state)
{
	struct bench *bench = *state;
	const char *answer = ask(bench,
		"POST /echo/files%2Fread?q=a%20b+c&z=1 HTTP/1.1\r\nHost: a\r\nX-In: in\r\n"
		"Connection: close\r\nTransfer-Encoding: "
		"chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");

	assert_status(answer, "200");
	assert_non_null(strstr(answer, "POST|files/read|a b c|in|abcde|127.0.0.1|0"));
	assert_non_null(strstr(answer, "X-Test: yes"));
	assert_int_equal(bench->closed_how, HTTP_CLOSED_ANSWERED);
	assert_int_equal(bench->closed_count, 1);
}

static void the_target_is_kept_exactly_as_it_came(void **state)
{
	struct bench *bench = *state;
	const char *answer = ask(bench, "GET /target/a%2fb/c?x=%41&y HTTP/1.1\r\nHost: a\r\n" END);

	assert_non_null(strstr(answer, "/target/a%2fb/c?x=%41&y|a/b/c"));
}

static void a_route_may_begin_with_a_name_and_end_with_the_rest(void **state)
{
	struct bench *bench = *state;
	const char *answer = ask(bench, "GET /hold/of/anybody HTTP/1.1\r\nHost: a\r\n" END);

	assert_status(answer, "200");
	assert_non_null(strstr(answer, "hold"));
	answer = ask(bench, "GET /target/of/anybody/else HTTP/1.1\r\nHost: a\r\n" END);
	assert_status(answer, "200");
	assert_non_null(strstr(answer, "of/anybody/else"));
}

static void a_literal_route_wins_over_a_name(void **state)
{
	struct bench *bench = *state;

	assert_non_null(
		strstr(ask(bench, "GET /echo/fixed HTTP/1.1\r\nHost: a\r\n" END), "/echo/fixed|"));
}

static void a_parameter_given_twice_is_not_found(void **state)
{
	struct bench *bench = *state;

	assert_non_null(
		strstr(ask(bench, "GET /echo/a?q=1&q=2 HTTP/1.1\r\nHost: a\r\n" END), "GET|a|||"));
}

enum { CROWD_MAX = HTTP_GATHERED_MAX + 2 };

static void crowd_join(const struct bench *bench, int *crowd, int count)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(http_server_port(bench->server))};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < count; i++) {
		crowd[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(crowd[i], (struct sockaddr *)&address, sizeof address), 0);
	}
}

/* Everybody asks before the server looks; it has answered when this returns. */
static void crowd_ask(struct bench *bench, const int *crowd, int count, const char *target)
{
	char request[128], answer[1024];

	(void)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
	bench->calls = bench->closed_count = 0;
	bench->has_closed = false;
	bench->wanted = count;
	for (int i = 0; i < count; i++)
		assert_int_equal(send(crowd[i], request, strlen(request), MSG_NOSIGNAL),
			(ssize_t)strlen(request));
	talk_run_until(bench->loop, &bench->has_closed);
	for (int i = 0; i < count; i++) {
		ssize_t got = recv(crowd[i], answer, sizeof answer - 1, MSG_DONTWAIT);

		assert_true(got > 0);
		answer[got] = '\0';
		assert_status(answer, "200");
		assert_string_equal(answer + got - 4, "done");
	}
}

static void so_many_answers_of_a_turn_wait_for_each_other(void **state)
{
	static const struct {
		const char *target;
		int count, calls_at_first;
	} cases[] = {
		{"/gathered", 3, 1},
		{"/gathered?q=1", 1, 1},
		{"/gathered?q=1", HTTP_GATHERED_MAX, HTTP_GATHERED_MAX},
		{"/gathered?q=1", HTTP_GATHERED_MAX + 1, HTTP_GATHERED_MAX + 1},
		{"/gathered?q=1", HTTP_GATHERED_MAX + 2, HTTP_GATHERED_MAX + 1},
	};
	struct bench *bench = *state;
	int crowd[CROWD_MAX];

	crowd_join(bench, crowd, CROWD_MAX);
	crowd_ask(bench, crowd, CROWD_MAX, "/gathered"); /* accepted from here on */
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		crowd_ask(bench, crowd, cases[i].count, cases[i].target);
		assert_int_equal(bench->calls, cases[i].count);
		assert_int_equal(bench->calls_at_first, cases[i].calls_at_first);
	}
	for (int i = 0; i < CROWD_MAX; i++)
		(void)close(crowd[i]);
}

static void requests_sent_at_once_are_answered_in_order(void **state)
{
	struct bench *bench = *state;
	static const char three[] = "GET /gathered?q=1 HTTP/1.1\r\nHost: a\r\n\r\n"
				    "GET /echo/two HTTP/1.1\r\nHost: a\r\n\r\n"
				    "GET /gathered?q=3 HTTP/1.1\r\nHost: a\r\n" END;
	const char *answer = ask_bytes(bench, three, sizeof three - 1);
	const char *first = strstr(answer, "\r\n\r\ndone");
	const char *second = first == NULL ? NULL : strstr(first, "GET|two|");

	assert_non_null(second);
	assert_non_null(strstr(second, "\r\n\r\ndone"));
	assert_int_equal(bench->calls, 3);
}

static void an_answer_that_waits_for_others_may_lose_its_peer(void **state)
{
	struct bench *bench = *state;
	static const char gone[] = "GET /gathered?q=1 HTTP/1.1\r\nHost: a\r\n\r\n";
	struct linger at_once = {1, 0};
	int crowd[1];

	crowd_join(bench, crowd, 1);
	bench->wanted = 1;
	assert_int_equal(send(crowd[0], gone, sizeof gone - 1, MSG_NOSIGNAL), sizeof gone - 1);
	assert_int_equal(setsockopt(crowd[0], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
	(void)close(crowd[0]);
	assert_status(ask(bench, "GET /gathered?q=1 HTTP/1.1\r\nHost: a\r\n" END), "200");
}

static void a_peer_on_the_unix_socket_is_known_by_its_credentials(void **state)
{
	struct bench *bench = *state;
	static const char request[] = "GET /echo/a HTTP/1.1\r\nHost: a\r\n" END;

	talk_open_local(&bench->talk, bench->loop, bench->socket_path);
	talk_say(&bench->talk, request, sizeof request - 1);
	talk_wait(&bench->talk, NULL);
	assert_status(bench->talk.got, "200");
	assert_non_null(strstr(bench->talk.got, "|local|1"));
}

static void one_connection_serves_many_requests(void **state)
{
	struct bench *bench = *state;
	static const char two[] = "GET /echo/one HTTP/1.1\r\nHost: a\r\n\r\n"
				  "GET /echo/two HTTP/1.1\r\nHost: a\r\n" END;

	ask_bytes(bench, two, sizeof two - 1);
	assert_non_null(strstr(bench->talk.got, "GET|one|"));
	assert_non_null(strstr(bench->talk.got, "GET|two|"));
	assert_int_equal(bench->calls, 2);
}

static void hold(struct bench *bench, const char *request)
{
	struct error err;

	talk_open(&bench->talk, bench->loop, http_server_port(bench->server));
	talk_say(&bench->talk, request, strlen(request));
	assert_true(loop_run(bench->loop, &err)); /* the handler stops it */
	assert_non_null(bench->held);
}

static void a_held_request_can_be_answered_later(void **state)
{
	struct bench *bench = *state;

	hold(bench, "GET /hold HTTP/1.1\r\nHost: a\r\n" END);
	http_respond(bench->held, &(struct http_response){.status = 202, .body = TEXT("finally")});
	talk_wait(&bench->talk, NULL);
	assert_status(bench->talk.got, "202");
	assert_non_null(strstr(bench->talk.got, "finally"));
	assert_int_equal(bench->closed_how, HTTP_CLOSED_ANSWERED);
}

static void the_abort_of_a_held_request_is_reported_at_once(void **state)
{
	struct bench *bench = *state;

	hold(bench, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	talk_close(&bench->talk);
	talk_run_until(bench->loop, &bench->has_closed);
	assert_int_equal(bench->closed_how, HTTP_CLOSED_BY_PEER);
	assert_int_equal(bench->closed_count, 1);
}

static void a_header_with_a_line_end_cuts_the_connection_unanswered(void **state)
{
	struct bench *bench = *state;

	hold(bench, "GET /hold HTTP/1.1\r\nHost: a\r\n" END);
	http_respond(bench->held,
		&(struct http_response){.status = 200,
			.headers = &(struct http_header){"X-Bad", "a\r\nSet-Cookie: x"},
			.header_count = 1});
	talk_wait(&bench->talk, NULL);
	assert_int_equal(bench->talk.got_count, 0);
}

static void a_stream_delivers_what_is_written_and_ends(void **state)
{
	struct bench *bench = *state;

	hold(bench, "GET /stream HTTP/1.1\r\nHost: a\r\n" END);
	talk_wait(&bench->talk, "first\n");
	assert_true(http_stream_write(bench->held, TEXT("second\n")));
	talk_wait(&bench->talk, "second\n");
	assert_true(bench->has_drained);
	http_stream_end(bench->held);
	talk_wait(&bench->talk, NULL);
	assert_non_null(strstr(bench->talk.got, "\r\n0\r\n\r\n"));
	assert_int_equal(bench->closed_how, HTTP_CLOSED_ANSWERED);
}

static void a_connection_whose_client_is_done_is_closed_at_once(void **state)
{
	static const char request[] = "GET /echo/a HTTP/1.1\r\nHost: a\r\n\r\n";
	struct bench *bench = *state;

	talk_open(&bench->talk, bench->loop, http_server_port(bench->server));
	assert_int_equal(send(bench->talk.fd, request, sizeof request - 1, MSG_NOSIGNAL),
		sizeof request - 1);
	assert_int_equal(shutdown(bench->talk.fd, SHUT_WR), 0); /* no "Connection: close" */
	talk_wait(&bench->talk, NULL);
	assert_status(bench->talk.got, "200");
}

static void a_stream_that_is_cut_has_no_proper_end(void **state)
{
	struct bench *bench = *state;

	hold(bench, "GET /stream HTTP/1.1\r\nHost: a\r\n" END);
	talk_wait(&bench->talk, "first\n");
	http_exchange_abort(bench->held);
	talk_wait(&bench->talk, NULL);
	assert_null(strstr(bench->talk.got, "\r\n0\r\n\r\n"));
	assert_int_equal(bench->closed_how, HTTP_CLOSED_BY_PEER);
}

static void a_stream_takes_no_more_than_its_bound(void **state)
{
	struct bench *bench = *state;
	char *block = calloc(1, BODY_MAX);

	assert_non_null(block);
	memset(block, 'x', BODY_MAX);
	hold(bench, "GET /stream HTTP/1.1\r\nHost: a\r\n" END);
	talk_wait(&bench->talk, "first\n");
	assert_true(http_stream_write(bench->held, (struct text){block, BODY_MAX - 1}));
	assert_false(http_stream_write(bench->held, (struct text){block, 2}));
	assert_int_equal(http_stream_pending(bench->held), BODY_MAX - 1);
	assert_true(http_stream_write(bench->held, (struct text){block, 1}));
	assert_false(http_stream_write(bench->held, (struct text){block, 1}));
	http_stream_end(bench->held);
	talk_wait(&bench->talk, NULL);
	assert_true(bench->talk.got_count > BODY_MAX);
	free(block);
}

static void the_abort_of_an_idle_stream_is_reported(void **state)
{
	struct bench *bench = *state;

	hold(bench, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
	talk_wait(&bench->talk, "first\n");
	talk_close(&bench->talk);
	talk_run_until(bench->loop, &bench->has_closed);
	assert_int_equal(bench->closed_how, HTTP_CLOSED_BY_PEER);
}

static void stopping_the_server_closes_what_is_held(void **state)
{
	struct bench *bench = *state;

	hold(bench, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	http_server_destroy(&bench->server);
	assert_int_equal(bench->closed_count, 1);
	assert_int_equal(bench->closed_how, HTTP_CLOSED_BY_PEER);
}

static void a_socket_in_use_is_not_taken_over(void **state)
{
	struct bench *bench = *state;
	struct http_server *second;
	struct error err = {0};

	assert_false(http_server_create(&second, bench->loop,
		&(struct http_server_settings){
			.unix_path = bench->socket_path, .on_request = on_request},
		&err));
	assert_null(second);
	assert_int_equal(err.code, ERROR_CONFLICT);
	assert_int_equal(access(bench->socket_path, F_OK), 0);
}

static void a_full_listener_leaves_the_socket_to_its_user(void **state)
{
	enum { CONNECTIONS = 2 };
	struct bench *bench = *state;
	struct talk idle[CONNECTIONS], waiting;
	static const char request[] = "GET /echo/a HTTP/1.1\r\nHost: a\r\n" END;
	static const char held[] = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n";
	struct error err;

	start(bench, &(struct http_server_settings){.tcp_address = "127.0.0.1:0",
			     .unix_path = bench->socket_path,
			     .connections_max = CONNECTIONS,
			     .on_request = on_request,
			     .context = bench});
	for (size_t i = 0; i < CONNECTIONS; i++) {
		talk_open(&idle[i], bench->loop, http_server_port(bench->server));
		talk_say(&idle[i], held, strlen(held));
		assert_true(loop_run(bench->loop, &err)); /* until it is held */
	}
	assert_int_equal(bench->calls, CONNECTIONS);
	talk_open(&waiting, bench->loop, http_server_port(bench->server)); /* one past */
	talk_say(&waiting, request, strlen(request));
	talk_open_local(&bench->talk, bench->loop, bench->socket_path);
	talk_say(&bench->talk, request, strlen(request));
	talk_wait(&bench->talk, NULL);
	assert_status(bench->talk.got, "200");
	assert_string_equal(waiting.got, "");
	talk_close(&idle[0]);
	talk_wait(&waiting, NULL);
	assert_status(waiting.got, "200");
	talk_close(&idle[1]);
	talk_close(&waiting);
}

static void an_address_that_is_none_is_refused_by_name(void **state)
{
	static const char *const wrong[] = {
		"127.0.0.1", "localhost:80", ":80", "127.0.0.1:", "127.0.0.1:x", "999.1.1.1:80"};
	struct bench *bench = *state;
	size_t i;

	for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct http_server *server;
		struct error err = {0};

		assert_false(http_server_create(&server, bench->loop,
			&(struct http_server_settings){
				.tcp_address = wrong[i], .on_request = on_request},
			&err));
		assert_null(server);
		assert_int_equal(err.code, ERROR_INVALID);
	}
}

#define SERVED(name) cmocka_unit_test_setup_teardown(name, setup_served, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(bad_requests_are_refused_before_any_handler),
		SERVED(a_control_byte_is_found_at_each_place_of_a_value),
		SERVED(a_nul_in_a_header_field_is_refused),
		SERVED(a_refused_frame_is_never_followed_by_a_next_request),
		SERVED(a_405_names_the_methods_of_the_path),
		SERVED(a_route_of_any_method_takes_what_no_other_does),
		SERVED(headers_pass_up_to_the_pool_and_no_further),
		SERVED(a_target_passes_up_to_its_limit),
		SERVED(parameters_pass_up_to_their_limit_and_no_further),
		SERVED(a_body_passes_up_to_its_limit),
		SERVED(a_chunked_body_beyond_the_limit_is_refused_with_413),
		SERVED(a_request_reaches_its_handler_whole),
		SERVED(the_target_is_kept_exactly_as_it_came),
		SERVED(a_route_may_begin_with_a_name_and_end_with_the_rest),
		SERVED(a_literal_route_wins_over_a_name),
		SERVED(a_parameter_given_twice_is_not_found),
		SERVED(so_many_answers_of_a_turn_wait_for_each_other),
		SERVED(requests_sent_at_once_are_answered_in_order),
		SERVED(an_answer_that_waits_for_others_may_lose_its_peer),
		SERVED(a_peer_on_the_unix_socket_is_known_by_its_credentials),
		SERVED(one_connection_serves_many_requests),
		SERVED(a_held_request_can_be_answered_later),
		SERVED(the_abort_of_a_held_request_is_reported_at_once),
		SERVED(a_header_with_a_line_end_cuts_the_connection_unanswered),
		SERVED(a_stream_delivers_what_is_written_and_ends),
		SERVED(a_connection_whose_client_is_done_is_closed_at_once),
		SERVED(a_stream_that_is_cut_has_no_proper_end),
		SERVED(a_stream_takes_no_more_than_its_bound),
		SERVED(the_abort_of_an_idle_stream_is_reported),
		SERVED(stopping_the_server_closes_what_is_held),
		SERVED(a_socket_in_use_is_not_taken_over),
		cmocka_unit_test_setup_teardown(
			a_full_listener_leaves_the_socket_to_its_user, setup, teardown),
		SERVED(an_address_that_is_none_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
