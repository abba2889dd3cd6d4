/* Token services over HTTP: what is sent, not followed, not read, not waited for. */
#include "../../wire/talk.h"

#include "edges/sts/sts_client.h"
#include "wire/http_server.h"

enum { BODY_BYTES_MAX = 1000, DEADLINE_MS = 300 };

struct bench {
	struct loop *loop;
	struct http_client *client;
	struct http_server *server;
	struct sts_client *sts;
	struct outbound_asker port;
	struct outbound_asking asking;
	char url[128];
	unsigned asked;
	char sent[64];
	bool is_done;
	unsigned done_count, status;
	size_t size;
	struct error err;
};

static void on_request(void *context, struct http_exchange *exchange)
{
	struct bench *bench = context;
	const struct http_request *request = http_exchange_request(exchange);
	static char large[BODY_BYTES_MAX + 1];
	struct http_response response = {.status = 200, .body = TEXT("{}")};
	struct http_header header = {"Location", "/other"};

	bench->asked++;
	memset(large, 'x', sizeof large);
	(void)snprintf(bench->sent, sizeof bench->sent, "%.*s %.*s", TEXT_ARGS(request->method),
		TEXT_ARGS(request->body));
	if (text_is(request->path, "/hangs"))
		return;
	if (text_is(request->path, "/away")) {
		response.status = 307;
		response.headers = &header;
		response.header_count = 1;
	} else if (text_is(request->path, "/no"))
		response.status = 400;
	else if (text_is(request->path, "/most"))
		response.body = (struct text){large, BODY_BYTES_MAX};
	else if (text_is(request->path, "/more"))
		response.body = (struct text){large, BODY_BYTES_MAX + 1};
	http_respond(exchange, &response);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err;

	assert_non_null(bench);
	assert_true(loop_create(&bench->loop, &err));
	assert_true(http_server_create(&bench->server, bench->loop,
		&(struct http_server_settings){
			.tcp_address = "127.0.0.1:0", .on_request = on_request, .context = bench},
		&err));
	assert_true(http_client_create(&bench->client, bench->loop, &err));
	assert_true(sts_client_create(&bench->sts, bench->client, &err));
	bench->port = sts_client_port(bench->sts);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	sts_client_destroy(&bench->sts);
	http_client_destroy(&bench->client);
	http_server_destroy(&bench->server);
	loop_destroy(&bench->loop);
	free(bench);
	return 0;
}

static void on_done(struct outbound_asking *asking, const struct outbound_answer *answer)
{
	struct bench *bench = asking->context;

	assert_null(asking->edge);
	bench->is_done = true;
	bench->done_count++;
	bench->err = answer->err;
	bench->status = answer->status;
	bench->size = answer->body.length;
}

static void begin(struct bench *bench, const char *path, enum issuer_leave leave)
{
	const struct outbound_question question = {.url = bench->url,
		.content_type = "application/json",
		.body = TEXT("{\"a\":1}"),
		.private_addresses = leave,
		.bytes_max = BODY_BYTES_MAX,
		.deadline_ms = DEADLINE_MS};
	struct error err;

	(void)snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%u%s",
		http_server_port(bench->server), path);
	bench->is_done = false;
	bench->done_count = 0;
	bench->asking = (struct outbound_asking){.done = on_done, .context = bench};
	assert_true(bench->port.begin(bench->port.context, &question, &bench->asking, &err));
	assert_int_equal(bench->done_count, 0); /* nothing runs before it returns */
}

static enum error_code ask(struct bench *bench, const char *path)
{
	begin(bench, path, ISSUER_ALLOWED);
	talk_run_until(bench->loop, &bench->is_done);
	assert_int_equal(bench->done_count, 1);
	return bench->err.code;
}

static void what_comes_back_is_told_and_bounded(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(ask(bench, "/token"), ERROR_NONE);
	assert_string_equal(bench->sent, "POST {\"a\":1}");
	assert_int_equal(bench->status, 200);
	assert_int_equal(bench->size, 2);
	assert_int_equal(ask(bench, "/no"), ERROR_NONE);
	assert_int_equal(bench->status, 400);
	assert_int_equal(ask(bench, "/most"), ERROR_NONE);
	assert_int_equal(bench->size, BODY_BYTES_MAX);
	assert_int_equal(ask(bench, "/more"), ERROR_LIMIT);
	assert_int_equal(ask(bench, "/hangs"), ERROR_TIMEOUT);
}

static void where_it_sends_us_is_not_followed(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(ask(bench, "/away"), ERROR_NONE);
	assert_int_equal(bench->status, 307);
	assert_int_equal(bench->asked, 1);
}

static void a_place_inside_is_not_asked_without_leave(void **state)
{
	struct bench *bench = *state;

	begin(bench, "/token", ISSUER_REFUSED);
	talk_run_until(bench->loop, &bench->is_done);
	assert_int_equal(bench->err.code, ERROR_INVALID);
	assert_int_equal(bench->asked, 0);
}

static void what_was_cancelled_says_nothing_more(void **state)
{
	struct bench *bench = *state;

	begin(bench, "/hangs", ISSUER_ALLOWED);
	bench->port.cancel(bench->port.context, &bench->asking);
	bench->port.cancel(bench->port.context, &bench->asking);
	assert_int_equal(ask(bench, "/token"), ERROR_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_comes_back_is_told_and_bounded),
		TEST(where_it_sends_us_is_not_followed),
		TEST(a_place_inside_is_not_asked_without_leave),
		TEST(what_was_cancelled_says_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
