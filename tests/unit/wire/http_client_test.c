/* The HTTP client, against our own server and against a raw socket that
 * answers nonsense. */
#include "talk.h"

#include "wire/http_client_private.h"
#include "wire/http_server.h"

#include <pthread.h>

struct bench {
	struct loop *loop;
	struct http_server *server;
	struct http_client *client;
	struct http_call *call;
	struct http_exchange *held;
	char folder[32];
	char socket_path[64];
	char url[128];
	char seen[4096]; /* by the server */
	char body[64 * 1024];
	size_t body_size;
	unsigned status;
	struct error err;
	char type[64];
	int done_count;
	bool is_done;
	bool is_closed;
	bool has_chunk;
	bool cancels_in_chunk;
	bool refuses_head;
	bool sends_again;
	bool answers_late;
};

static void note_closed(void *context, enum http_closed how)
{
	struct bench *bench = context;

	(void)how;
	bench->is_closed = true;
	bench->held = NULL;
}

static void on_request(void *context, struct http_exchange *exchange)
{
	struct bench *bench = context;
	const struct http_request *request = http_exchange_request(exchange);

	(void)snprintf(bench->seen, sizeof bench->seen, "%.*s %.*s|%.*s|%.*s|%.*s|%.*s",
		TEXT_ARGS(request->method), TEXT_ARGS(request->target),
		TEXT_ARGS(http_header_find(exchange, "X-One")),
		TEXT_ARGS(http_header_find(exchange, "Content-Type")),
		TEXT_ARGS(http_header_find(exchange, "Expect")), TEXT_ARGS(request->body));
	http_exchange_watch(exchange,
		&(struct http_exchange_events){.context = bench, .on_closed = note_closed});
	if (text_is(request->path, "/never")) {
		bench->held = exchange;
		return;
	}
	if (text_is(request->path, "/stream")) {
		bench->held = exchange;
		(void)http_stream_start(
			exchange, &(struct http_response){.status = 200, .body = TEXT("chunk")});
		return;
	}
	http_respond(exchange,
		&(struct http_response){.status = text_is(request->path, "/away") ? 302 : 201,
			.content_type = "text/plain",
			.body = TEXT("answer"),
			.headers = &(struct http_header){"Location", "/elsewhere"},
			.header_count = 1});
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err;

	assert_non_null(bench);
	memcpy(bench->folder, "/tmp/http-test-XXXXXX", 22);
	assert_non_null(mkdtemp(bench->folder));
	(void)snprintf(bench->socket_path, sizeof bench->socket_path, "%s/s", bench->folder);
	assert_true(loop_create(&bench->loop, &err));
	assert_true(http_server_create(&bench->server, bench->loop,
		&(struct http_server_settings){.tcp_address = "127.0.0.1:0",
			.unix_path = bench->socket_path,
			.on_request = on_request,
			.context = bench},
		&err));
	assert_true(http_client_create(&bench->client, bench->loop, &err));
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	http_client_destroy(&bench->client);
	http_server_destroy(&bench->server);
	loop_destroy(&bench->loop);
	(void)rmdir(bench->folder);
	free(bench);
	return 0;
}

static struct http_call_request request_of(struct bench *bench, const char *path);

static void note_done(void *context, const struct http_reply *reply)
{
	struct bench *bench = context;
	struct error err;

	bench->status = reply->status;
	bench->err = reply->err;
	if (reply->body.length > 0 && reply->body.length < sizeof bench->body) {
		memcpy(bench->body, reply->body.data, reply->body.length);
		bench->body_size = reply->body.length;
	}
	(void)snprintf(bench->type, sizeof bench->type, "%.*s",
		TEXT_ARGS(http_reply_header(reply, "content-type")));
	bench->done_count++;
	if (bench->sends_again) {
		struct http_call_request again = request_of(bench, "/again");

		bench->sends_again = false;
		assert_true(http_client_send(bench->client, &again, NULL, &err));
		return;
	}
	bench->is_done = true;
}

static bool note_chunk(void *context, struct text chunk)
{
	struct bench *bench = context;

	assert_true(bench->body_size + chunk.length < sizeof bench->body);
	memcpy(bench->body + bench->body_size, chunk.data, chunk.length);
	bench->body_size += chunk.length;
	bench->has_chunk = true;
	if (bench->cancels_in_chunk)
		http_call_cancel(&bench->call);
	return true;
}

static bool note_head(void *context, const struct http_reply *reply)
{
	struct bench *bench = context;

	bench->status = reply->status;
	return !bench->refuses_head;
}

static struct http_call_request request_of(struct bench *bench, const char *path)
{
	(void)snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%u%s",
		http_server_port(bench->server), path);
	return (struct http_call_request){.method = "GET",
		.url = bench->url,
		.deadline_ms = 10000,
		.context = bench,
		.on_done = note_done};
}

static void send_and_wait(struct bench *bench, const struct http_call_request *request)
{
	struct error err;

	assert_true(http_client_send(bench->client, request, &bench->call, &err));
	assert_int_equal(bench->done_count, 0); /* nothing runs before it returns */
	talk_run_until(bench->loop, &bench->is_done);
}

static void a_line_end_in_a_request_is_refused(void **state)
{
	struct bench *bench = *state;
	const struct http_header bad[] = {
		{"X-One", "a\r\nX-Two: b"}, {"X\n", "a"}, {"X: y", "a"}, {"", "a"}};
	struct http_call_request request = request_of(bench, "/x");
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct error err = {0};

		request.headers = &bad[i];
		request.header_count = 1;
		assert_false(http_client_send(bench->client, &request, &bench->call, &err));
		assert_int_equal(err.code, ERROR_INVALID);
		assert_null(bench->call);
	}
}

static void a_scheme_that_is_not_http_is_refused(void **state)
{
	struct bench *bench = *state;
	struct http_call_request request = request_of(bench, "");

	request.url = "file:///etc/passwd";
	send_and_wait(bench, &request);
	assert_int_equal(bench->err.code, ERROR_INVALID);
	assert_int_equal(bench->body_size, 0);
}

static void nobody_at_home_is_an_error(void **state)
{
	struct bench *bench = *state;
	struct http_call_request request = request_of(bench, "/x");

	http_server_destroy(&bench->server); /* the port is free now */
	send_and_wait(bench, &request);
	assert_int_equal(bench->err.code, ERROR_IO);
	assert_int_equal(bench->status, 0);
}

static void no_answer_by_the_deadline_is_a_timeout(void **state)
{
	struct bench *bench = *state;
	struct http_call_request request = request_of(bench, "/never");

	request.deadline_ms = 30;
	send_and_wait(bench, &request);
	assert_int_equal(bench->err.code, ERROR_TIMEOUT);
}

static void an_answer_beyond_its_bound_is_refused(void **state)
{
	struct bench *bench = *state;
	struct http_call_request request = request_of(bench, "/x");

	request.reply_bytes_max = 5;
	send_and_wait(bench, &request);
	assert_int_equal(bench->err.code, ERROR_LIMIT);
	bench->is_done = false;
	bench->done_count = 0;
	request.reply_bytes_max = 6;
	send_and_wait(bench, &request);
	assert_int_equal(bench->err.code, ERROR_NONE);
	assert_string_equal(bench->body, "answer");
}

static void a_head_can_be_refused(void **state)
{
	struct bench *bench = *state;
	struct http_call_request request = request_of(bench, "/x");

	request.on_head = note_head;
	bench->refuses_head = true;
	send_and_wait(bench, &request);
	assert_int_equal(bench->status, 201);
	assert_int_equal(bench->err.code, ERROR_LIMIT);
	assert_int_equal(bench->body_size, 0);
}

static void a_redirect_is_not_followed(void **state)
{
	struct bench *bench = *state;
	struct http_call_request request = request_of(bench, "/away");

	send_and_wait(bench, &request);
	assert_int_equal(bench->status, 302);
	assert_int_equal(strncmp(bench->seen, "GET /away|", 10), 0);
}

static void send_anew(struct bench *bench, const struct http_call_request *request)
{
	bench->is_done = false;
	bench->done_count = 0;
	send_and_wait(bench, request);
}

/* By a number and by a name that leads inside, also once a connection is pooled. */
static void a_request_for_the_world_does_not_go_inside(void **state)
{
	struct bench *bench = *state;
	struct http_call_request request = request_of(bench, "/a");
	char named[64];

	send_anew(bench, &request);
	assert_int_equal(bench->status, 201);
	(void)snprintf(
		named, sizeof named, "http://localhost:%u/b", http_server_port(bench->server));
	request.url = named;
	send_anew(bench, &request);
	assert_int_equal(bench->status, 201);
	memset(bench->seen, 0, sizeof bench->seen);
	request.is_public_only = true;
	send_anew(bench, &request);
	assert_int_equal(bench->status, 0);
	assert_int_equal(bench->err.code, ERROR_INVALID);
	request = request_of(bench, "/c");
	request.is_public_only = true;
	send_anew(bench, &request);
	assert_int_equal(bench->status, 0);
	assert_int_equal(bench->err.code, ERROR_INVALID);
	assert_string_equal(bench->seen, "");
}

static void a_request_arrives_whole_and_its_answer_too(void **state)
{
	struct bench *bench = *state;
	struct http_call_request request = request_of(bench, "/x?y=1");
	const struct http_header headers[] = {{"X-One", "1"}, {"Content-Type", "text/x"}};

	request.method = "PUT";
	request.headers = headers;
	request.header_count = 2;
	request.body = TEXT("body");
	send_and_wait(bench, &request);
	assert_string_equal(bench->seen, "PUT /x?y=1|1|text/x||body");
	assert_int_equal(bench->status, 201);
	assert_string_equal(bench->body, "answer");
	assert_string_equal(bench->type, "text/plain");
	assert_int_equal(bench->done_count, 1);
}

static void an_empty_post_has_no_type_of_its_own(void **state)
{
	struct bench *bench = *state;
	struct http_call_request request = request_of(bench, "/x");

	request.method = "POST";
	send_and_wait(bench, &request);
	assert_string_equal(bench->seen, "POST /x||||");
}

static void a_unix_socket_can_be_asked(void **state)
{
	struct bench *bench = *state;
	struct http_call_request request = request_of(bench, "/x");

	request.url = "http://localhost/local";
	request.unix_path = bench->socket_path;
	send_and_wait(bench, &request);
	assert_int_equal(bench->status, 201);
	assert_int_equal(strncmp(bench->seen, "GET /local|", 11), 0);
}

static void a_cancelled_call_says_nothing_more(void **state)
{
	struct bench *bench = *state;
	struct http_call_request request = request_of(bench, "/stream");
	struct error err;

	request.on_body = note_chunk;
	request.deadline_ms = 0;
	assert_true(http_client_send(bench->client, &request, &bench->call, &err));
	talk_run_until(bench->loop, &bench->has_chunk);
	http_call_cancel(&bench->call);
	assert_null(bench->call);
	http_call_cancel(&bench->call);
	talk_run_until(bench->loop, &bench->is_closed); /* the server sees it */
	assert_int_equal(bench->done_count, 0);
}

static void a_call_may_be_cancelled_by_its_own_chunk(void **state)
{
	struct bench *bench = *state;
	struct http_call_request request = request_of(bench, "/stream");
	struct error err;

	request.on_body = note_chunk;
	bench->cancels_in_chunk = true;
	assert_true(http_client_send(bench->client, &request, &bench->call, &err));
	talk_run_until(bench->loop, &bench->is_closed);
	assert_int_equal(bench->done_count, 0);
	assert_memory_equal(bench->body, "chunk", 5);
}

static void a_stream_that_breaks_is_an_error(void **state)
{
	struct bench *bench = *state;
	struct http_call_request request = request_of(bench, "/stream");
	struct error err;

	request.on_body = note_chunk;
	assert_true(http_client_send(bench->client, &request, &bench->call, &err));
	talk_run_until(bench->loop, &bench->has_chunk);
	http_exchange_abort(bench->held);
	talk_run_until(bench->loop, &bench->is_done);
	assert_int_equal(bench->err.code, ERROR_IO);
}

static void an_answer_may_send_the_next_request(void **state)
{
	struct bench *bench = *state;
	struct http_call_request request = request_of(bench, "/x");

	bench->sends_again = true;
	send_and_wait(bench, &request);
	assert_int_equal(bench->done_count, 2);
	assert_int_equal(strncmp(bench->seen, "GET /again|", 11), 0);
}

/* Runs the server while the main thread waits in http_fetch. */
static void *serve(void *context)
{
	struct bench *bench = context;
	struct error err;

	return loop_run(bench->loop, &err) ? context : NULL;
}

static void fetching_waits_for_the_answer(void **state)
{
	struct bench *bench = *state;
	struct http_call_request request = request_of(bench, "/away");
	struct arena *arena = arena_create(64 * 1024);
	struct http_fetch_head head;
	struct http_reply reply;
	struct error err = {0};
	pthread_t thread;
	void *result;

	assert_non_null(arena);
	assert_int_equal(pthread_create(&thread, NULL, serve, bench), 0);
	assert_true(http_fetch(&reply, &head, arena, &request, &err));
	request.url = "http://127.0.0.1:1/";
	assert_false(http_fetch(&reply, NULL, arena, &request, &err));
	assert_int_equal(err.code, ERROR_IO);
	loop_stop(bench->loop);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_ptr_equal(result, bench);
	assert_true(text_is(head.location, "/elsewhere"));
	assert_true(text_is(head.content_type, "text/plain"));
	arena_destroy(&arena);
}

/* ---- kept connections, against a server that answers from a script ---- */

struct script {
	const char *const *answers; /* one a request, NULL-terminated; "" closes instead */
	int listening;
	uint16_t port;
	int requests;
	int connections;
	pthread_t thread;
};

/* Reads a request's head; false when the client closed. */
static bool head_read(int fd)
{
	char bytes[4096];
	size_t used = 0;

	while (used < sizeof bytes && memmem(bytes, used, "\r\n\r\n", 4) == NULL) {
		ssize_t got = recv(fd, bytes + used, sizeof bytes - used, 0);

		if (got <= 0)
			return false;
		used += (size_t)got;
	}
	return true;
}

static void *play(void *context)
{
	struct script *script = context;
	const char *const *answer = script->answers;

	while (*answer != NULL) {
		int fd = accept(script->listening, NULL, NULL);

		script->connections++;
		for (; *answer != NULL && head_read(fd); answer++) {
			script->requests++;
			if (**answer == '\0') {
				answer++;
				break;
			}
			(void)send(fd, *answer, strlen(*answer), MSG_NOSIGNAL);
		}
		(void)close(fd);
	}
	return NULL;
}

static void script_start(struct script *script)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof address;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	script->listening = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(script->listening, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(script->listening, 8), 0);
	assert_int_equal(getsockname(script->listening, (struct sockaddr *)&address, &size), 0);
	script->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&script->thread, NULL, play, script), 0);
}

static void script_stop(struct script *script)
{
	assert_int_equal(pthread_join(script->thread, NULL), 0);
	(void)close(script->listening);
}

/* One call to the script's server. */
static void ask(struct bench *bench, const struct script *script)
{
	struct http_call_request request = request_of(bench, "/x");
	struct error err;

	(void)snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%u/x", script->port);
	bench->is_done = false;
	assert_true(http_client_send(bench->client, &request, NULL, &err));
	talk_run_until(bench->loop, &bench->is_done);
}

#define WHOLE "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static void a_request_that_got_no_answer_is_not_sent_again(void **state)
{
	static const char *const answers[] = {WHOLE, "", NULL};
	struct script script = {.answers = answers};

	script_start(&script);
	ask(*state, &script);
	ask(*state, &script); /* on the kept connection, which closes */
	script_stop(&script);
	assert_int_equal(((struct bench *)*state)->err.code, ERROR_IO);
	assert_int_equal(script.requests, 2);
	assert_int_equal(script.connections, 1);
}

/* Counts what one turn of the loop reads. */
struct turns {
	struct loop_driver driver;
	size_t now_bytes;
	size_t most_bytes;
	struct bench *bench;
};

static int64_t note_turn(struct loop_driver *driver)
{
	struct turns *turns = driver->context;

	if (turns->now_bytes > turns->most_bytes)
		turns->most_bytes = turns->now_bytes;
	turns->now_bytes = 0;
	return -1;
}

static bool count_chunk(void *context, struct text chunk)
{
	struct turns *turns = context;

	turns->now_bytes += chunk.length;
	return true;
}

static void end_turns(void *context, const struct http_reply *reply)
{
	struct turns *turns = context;

	note_done(turns->bench, reply);
}

enum { LONG_ANSWER_BYTES = 8 * 1024 * 1024 };

/* One that sends faster than we read would have the daemon to itself. */
static void a_server_that_sends_without_end_leaves_the_loop_its_turns(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n";
	struct turns turns = {.driver = {.turn = note_turn, .context = &turns}, .bench = *state};
	char *answer = calloc(1, sizeof head + LONG_ANSWER_BYTES);
	const char *answers[] = {answer, NULL};
	struct script script = {.answers = answers};
	struct http_call_request request = request_of(*state, "/x");
	struct error err;

	assert_non_null(answer);
	memcpy(answer, head, sizeof head - 1);
	memset(answer + sizeof head - 1, 'x', LONG_ANSWER_BYTES);
	script_start(&script);
	(void)snprintf(
		turns.bench->url, sizeof turns.bench->url, "http://127.0.0.1:%u/x", script.port);
	request.context = &turns;
	request.on_body = count_chunk;
	request.on_done = end_turns;
	loop_driver_add(turns.bench->loop, &turns.driver);
	assert_true(http_client_send(turns.bench->client, &request, NULL, &err));
	talk_run_until(turns.bench->loop, &turns.bench->is_done);
	loop_driver_remove(turns.bench->loop, &turns.driver);
	script_stop(&script);
	free(answer);
	assert_int_equal(turns.bench->err.code, ERROR_NONE);
	assert_in_range(turns.most_bytes, 1, HTTP_CLIENT_TURN_BYTES_MAX);
}

/* True if the text lies in the heap, freed or not; it is made here from its halves,
 * so that nothing but what is looked for holds it. */
static bool heap_has(const char *first, const char *second)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	size_t first_length = strlen(first), second_length = strlen(second);
	char line[512];
	bool is_found = false;

	assert_non_null(maps);
	while (fgets(line, sizeof line, maps) != NULL) {
		char *end;
		const char *at = (const char *)strtoul(line, &end, 16);
		const char *limit = (const char *)strtoul(end + 1, NULL, 16);

		if (strstr(line, "[heap]") == NULL)
			continue;
		while (!is_found && (size_t)(limit - at) > first_length + second_length &&
			(at = memmem(at, (size_t)(limit - at), first, first_length)) != NULL) {
			at += first_length;
			is_found = memcmp(at, second, second_length) == 0;
		}
	}
	assert_int_equal(fclose(maps), 0);
	return is_found;
}

static void what_a_request_held_is_not_left_in_freed_memory(void **state)
{
	static const char *const answers[] = {WHOLE, NULL};
	static const struct http_header secret = {"Authorization", "Bearer first-half second-half"};
	static const char body[100 * 1024];
	struct bench *bench = *state;
	struct script script = {.answers = answers};
	struct http_call_request request = request_of(bench, "/x");
	struct error err;

	script_start(&script);
	(void)snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%u/x", script.port);
	request.headers = &secret;
	request.header_count = 1;
	request.body = (struct text){body, sizeof body};
	assert_true(http_client_send(bench->client, &request, NULL, &err));
	talk_run_until(bench->loop, &bench->is_done);
	script_stop(&script);
	assert_false(heap_has("Bearer first-half", " second-half"));
}

static void bytes_behind_an_answer_end_the_connection(void **state)
{
	static const char *const answers[] = {WHOLE "HTTP/1.1 200 OK\r\n", WHOLE, NULL};
	struct script script = {.answers = answers};

	script_start(&script);
	ask(*state, &script);
	ask(*state, &script);
	script_stop(&script);
	assert_int_equal(((struct bench *)*state)->err.code, ERROR_NONE);
	assert_int_equal(script.connections, 2);
}

static void a_connection_serves_the_next_call_if_the_server_keeps_it(void **state)
{
	static const char *const answers[] = {WHOLE, WHOLE,
		"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", WHOLE,
		"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok", WHOLE,
		NULL};
	struct script script = {.answers = answers};
	int i;

	script_start(&script);
	for (i = 0; i < 6; i++) {
		ask(*state, &script);
		assert_int_equal(((struct bench *)*state)->err.code, ERROR_NONE);
	}
	script_stop(&script);
	assert_int_equal(script.connections, 3);
}

static void a_broken_answer_is_an_error_that_says_why(void **state)
{
	static const char *const answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
					      "Transfer-Encoding: chunked\r\n\r\nx",
		NULL};
	struct script script = {.answers = answers};
	struct bench *bench = *state;

	script_start(&script);
	ask(bench, &script);
	script_stop(&script);
	assert_int_equal(bench->err.code, ERROR_IO);
	assert_non_null(strstr(bench->err.text, "malformed"));
}

static void a_place_is_a_numeric_address_and_nothing_doubtful(void **state)
{
	static const char *const good[] = {"http://127.0.0.1", "http://127.0.0.1:1/x?y",
		"http://[::1]:65535/", "http://10.0.0.1/?a=b"};
	static const char *const bad[] = {"http://localhost/", "http://127.0.0.1:0/",
		"http://127.0.0.1:65536/", "http://127.0.0.1:+1/", "http://127.0.0.1:/",
		"http://u@127.0.0.1/", "http://127.0.0.1/#f", "http://127.1/", "http://[::1/",
		"http://[::1]x/", "http://127.0.0.1\\x/", "https://127.0.0.1/", "http:///x",
		"http://127.0.0.1/ x", "http://127.0.0.1?x"};
	struct http_place place;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(http_place_read(good[i], &place));
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (http_place_read(bad[i], &place))
			fail_msg("%s was taken", bad[i]);
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(a_line_end_in_a_request_is_refused),
		WITH(a_request_for_the_world_does_not_go_inside),
		WITH(a_scheme_that_is_not_http_is_refused),
		WITH(nobody_at_home_is_an_error),
		WITH(no_answer_by_the_deadline_is_a_timeout),
		WITH(an_answer_beyond_its_bound_is_refused),
		WITH(a_head_can_be_refused),
		WITH(a_redirect_is_not_followed),
		WITH(a_request_arrives_whole_and_its_answer_too),
		WITH(an_empty_post_has_no_type_of_its_own),
		WITH(a_unix_socket_can_be_asked),
		WITH(a_cancelled_call_says_nothing_more),
		WITH(a_call_may_be_cancelled_by_its_own_chunk),
		WITH(a_stream_that_breaks_is_an_error),
		WITH(an_answer_may_send_the_next_request),
		WITH(fetching_waits_for_the_answer),
		WITH(a_request_that_got_no_answer_is_not_sent_again),
		WITH(a_server_that_sends_without_end_leaves_the_loop_its_turns),
		WITH(what_a_request_held_is_not_left_in_freed_memory),
		WITH(bytes_behind_an_answer_end_the_connection),
		WITH(a_connection_serves_the_next_call_if_the_server_keeps_it),
		WITH(a_broken_answer_is_an_error_that_says_why),
		WITH(a_place_is_a_numeric_address_and_nothing_doubtful),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
