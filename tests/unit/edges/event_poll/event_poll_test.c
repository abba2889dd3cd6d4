/* One request for events over loopback: what it carries, and what is not followed or waited for. */
#include "../../wire/talk.h"

#include "edges/event_poll/event_poll.h"
#include "wire/http_server.h"

enum { BODY_BYTES_MAX = 1000, DEADLINE_MS = 300 };

struct bench {
	struct loop *loop;
	struct http_client *client;
	struct http_server *server;
	struct event_poll *poll;
	struct secrets *secrets;
	char folder[64];
	char url[128];
	/* What came. */
	unsigned asked;
	char method[16], body[128], authorization[128], type[64];
	/* The answer. */
	struct signals_fetch fetch;
	unsigned answers;
	char got[BODY_BYTES_MAX + 2];
	struct error err;
};

static void keep(char *out, size_t size, struct text value)
{
	(void)snprintf(out, size, "%.*s", TEXT_ARGS(value));
}

static void on_request(void *context, struct http_exchange *exchange)
{
	static const struct http_header away = {"Location", "/events"};
	static char large[BODY_BYTES_MAX + 1];
	const struct http_request *request = http_exchange_request(exchange);
	struct http_response response = {.status = 200, .body = TEXT("{\"sets\":{}}")};
	struct bench *bench = context;

	bench->asked++;
	keep(bench->method, sizeof bench->method, request->method);
	keep(bench->body, sizeof bench->body, request->body);
	keep(bench->authorization, sizeof bench->authorization,
		http_header_find(exchange, "Authorization"));
	keep(bench->type, sizeof bench->type, http_header_find(exchange, "Content-Type"));
	memset(large, 'x', sizeof large);
	if (text_is(request->path, "/hangs"))
		return;
	if (text_is(request->path, "/down"))
		response.status = 503;
	if (text_is(request->path, "/away")) {
		response.status = 307;
		response.headers = &away;
		response.header_count = 1;
	}
	if (text_is(request->path, "/most"))
		response.body = (struct text){large, BODY_BYTES_MAX};
	if (text_is(request->path, "/more"))
		response.body = (struct text){large, BODY_BYTES_MAX + 1};
	http_respond(exchange, &response);
}

static int setup(void **state)
{
	const struct seal_key master = {{1}};
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err = {0};

	assert_non_null(bench);
	memcpy(bench->folder, "/tmp/event-poll-test-XXXXXX", 28);
	assert_non_null(mkdtemp(bench->folder));
	assert_true(secrets_open(&bench->secrets, bench->folder, &master, &err));
	assert_true(secrets_set(bench->secrets, TEXT("hub"), TEXT("token-of-the-hub"), &err));
	assert_true(loop_create(&bench->loop, &err));
	assert_true(http_server_create(&bench->server, bench->loop,
		&(struct http_server_settings){
			.tcp_address = "127.0.0.1:0", .on_request = on_request, .context = bench},
		&err));
	assert_true(http_client_create(&bench->client, bench->loop, &err));
	assert_true(event_poll_create(&bench->poll, bench->client, bench->secrets, &err));
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	event_poll_destroy(&bench->poll);
	http_client_destroy(&bench->client);
	http_server_destroy(&bench->server);
	loop_destroy(&bench->loop);
	assert_true(secrets_remove(bench->secrets, TEXT("hub"), &err));
	secrets_close(&bench->secrets);
	(void)rmdir(bench->folder);
	free(bench);
	return 0;
}

static void on_done(struct signals_fetch *fetch, struct text body, const struct error *err)
{
	struct bench *bench = fetch->context;

	bench->answers++;
	bench->err = *err;
	keep(bench->got, sizeof bench->got, body);
	loop_stop(bench->loop);
}

static bool begin(struct bench *bench, const char *path, struct signals_question question)
{
	struct signals_fetcher port = event_poll_port(bench->poll);

	(void)snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%u%s",
		(unsigned)http_server_port(bench->server), path);
	question.url = bench->url;
	question.body = TEXT("{\"ack\":[]}");
	question.bytes_max = BODY_BYTES_MAX;
	question.deadline_ms = DEADLINE_MS;
	bench->fetch = (struct signals_fetch){.done = on_done, .context = bench};
	bench->answers = 0;
	error_clear(&bench->err);
	return port.begin(port.context, &question, &bench->fetch, &bench->err);
}

static void ask(struct bench *bench, const char *path)
{
	struct error err = {0};

	assert_true(begin(bench, path,
		(struct signals_question){
			.private_addresses = ISSUER_ALLOWED, .credential = TEXT("hub")}));
	assert_int_equal(bench->answers, 0);
	assert_true(loop_run(bench->loop, &err));
	assert_int_equal(bench->answers, 1);
}

static void what_is_no_good_answer_is_an_error(void **state)
{
	struct bench *bench = *state;

	ask(bench, "/down");
	assert_int_equal(bench->err.code, ERROR_IO);
	ask(bench, "/away");
	assert_int_equal(bench->err.code, ERROR_INVALID);
	assert_int_equal(bench->asked, 2); /* it was not followed */
	ask(bench, "/more");
	assert_int_equal(bench->err.code, ERROR_LIMIT);
	ask(bench, "/most");
	assert_int_equal(bench->err.code, ERROR_NONE);
	ask(bench, "/hangs");
	assert_int_equal(bench->err.code, ERROR_TIMEOUT);
}

static void without_leave_no_private_address_is_asked(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	assert_true(begin(bench, "/events", (struct signals_question){0}));
	assert_true(loop_run(bench->loop, &err));
	assert_int_equal(bench->err.code, ERROR_INVALID);
	assert_int_equal(bench->asked, 0);
}

static void without_its_token_nothing_is_asked(void **state)
{
	struct bench *bench = *state;

	assert_false(begin(bench, "/events",
		(struct signals_question){
			.private_addresses = ISSUER_ALLOWED, .credential = TEXT("none")}));
	assert_int_equal(bench->err.code, ERROR_NOT_FOUND);
	assert_null(bench->fetch.edge);
}

static void a_request_is_json_with_the_token(void **state)
{
	struct bench *bench = *state;

	ask(bench, "/events");
	assert_int_equal(bench->err.code, ERROR_NONE);
	assert_string_equal(bench->got, "{\"sets\":{}}");
	assert_string_equal(bench->method, "POST");
	assert_string_equal(bench->body, "{\"ack\":[]}");
	assert_string_equal(bench->type, "application/json");
	assert_string_equal(bench->authorization, "Bearer token-of-the-hub");
}

static void one_that_is_cancelled_is_told_to_nobody(void **state)
{
	struct bench *bench = *state;
	struct signals_fetcher port = event_poll_port(bench->poll);

	assert_true(begin(
		bench, "/hangs", (struct signals_question){.private_addresses = ISSUER_ALLOWED}));
	port.cancel(port.context, &bench->fetch);
	port.cancel(port.context, &bench->fetch); /* of none: nothing */
	ask(bench, "/events");
	assert_string_equal(bench->authorization, "Bearer token-of-the-hub");
	assert_true(begin(
		bench, "/hangs", (struct signals_question){.private_addresses = ISSUER_ALLOWED}));
}

int main(void)
{
#define POLL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		POLL_TEST(what_is_no_good_answer_is_an_error),
		POLL_TEST(without_leave_no_private_address_is_asked),
		POLL_TEST(without_its_token_nothing_is_asked),
		POLL_TEST(a_request_is_json_with_the_token),
		POLL_TEST(one_that_is_cancelled_is_told_to_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
