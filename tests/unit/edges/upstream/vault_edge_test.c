/* A server whose credential lies in Vault: what waits for it, what does not, and
 * what is shown when it does not come.  Server and Vault are in this very loop. */
#include "vault_folder.h"

#include <signal.h>

enum { DEADLINE_MS = 10000, LONG_MS = 60000, WAITS = 20 };

struct ready {
	bool is_done;
	struct error err;
	struct upstream_wait *wait;
};

struct bench {
	struct loop *loop;
	struct http_client *client;
	struct fake_vault fake;
	struct vault_folder folder;
	struct vault_times times;
	struct upstream_edge *edge;
	struct upstream port;
	struct server server;
	struct ready readies[WAITS];
	struct upstream_wait *wait;
	bool is_answered;
	bool is_unknown;
	char result[256];
	struct error failure;
	/* the MCP server */
	struct http_server *http;
	const char *mode;
	char url[64];
	int requests;
	int lists;
	bool has_listed_again;
	struct http_exchange *held; /* a call, until release */
	bool is_held;
	long long held_id;
	char heard[4096]; /* "initialize Bearer x;" ... */
	int gone_calls;
	char log[4096];
};

static const struct server *find_server(void *context, struct text name)
{
	struct bench *bench = context;

	return text_equal(name, bench->server.name) ? &bench->server : NULL;
}

static void on_log(void *context, struct text server, struct text line)
{
	struct bench *bench = context;
	size_t used = strlen(bench->log);

	(void)snprintf(bench->log + used, sizeof bench->log - used, "%.*s %.*s\n",
		TEXT_ARGS(server), TEXT_ARGS(line));
}

static void on_gone(void *context, struct text server)
{
	struct bench *bench = context;

	(void)server;
	bench->gone_calls++;
}

/* ---- the MCP server ---- */

static const char *result_of(struct bench *bench, struct text method)
{
	if (text_is(method, "initialize"))
		return "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}}}";
	if (!text_is(method, "tools/list"))
		return "{\"fine\":true}";
	bench->has_listed_again = ++bench->lists > 1;
	return "{\"tools\":[{\"name\":\"any\"}]}";
}

static void answer(struct bench *bench, struct http_exchange *exchange, const struct json *message)
{
	struct text method = json_text_or(message, "method", "");
	char body[512];

	if (text_is(method, "tools/call") && strcmp(bench->mode, "unauthorized") == 0) {
		fake_vault_say(exchange, 401, "");
		return;
	}
	if (text_is(method, "tools/call") && strcmp(bench->mode, "hold") == 0) {
		bench->held = exchange;
		bench->held_id = json_integer_or(message, "id", -1);
		bench->is_held = true;
		return;
	}
	if (json_find(message, "id") == NULL) {
		http_respond(exchange, &(struct http_response){.status = 202});
		return;
	}
	(void)snprintf(body, sizeof body,
		"data: {\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":%s}\n\n",
		(long long)json_integer_or(message, "id", -1), result_of(bench, method));
	http_respond(exchange,
		&(struct http_response){
			.status = 200, .content_type = "text/event-stream", .body = text_of(body)});
}

/* Answers the call that is held, and says that the list of tools has changed. */
static void release(struct bench *bench)
{
	char body[512];

	(void)snprintf(body, sizeof body,
		"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n"
		"data: {\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"fine\":true}}\n\n",
		bench->held_id);
	http_respond(bench->held,
		&(struct http_response){
			.status = 200, .content_type = "text/event-stream", .body = text_of(body)});
}

static void on_request(void *context, struct http_exchange *exchange)
{
	struct bench *bench = context;
	const struct http_request *request = http_exchange_request(exchange);
	size_t used = strlen(bench->heard);
	struct json message = {0};
	struct error err;

	bench->requests++;
	if (text_is(request->method, "POST"))
		assert_true(json_parse(&message, http_exchange_arena(exchange), request->body,
			&json_limits_default, &err));
	(void)snprintf(bench->heard + used, sizeof bench->heard - used, "%.*s %.*s;",
		TEXT_ARGS(json_text_or(&message, "method", "-")),
		TEXT_ARGS(http_header_find(exchange, "Authorization")));
	if (text_is(request->method, "POST"))
		answer(bench, exchange, &message);
	else
		http_respond(exchange, &(struct http_response){.status = 405});
}

/* ---- bench ---- */

static void open_edge(struct bench *bench)
{
	struct error err;

	assert_true(upstream_edge_create(&bench->edge,
		&(struct upstream_edge_settings){.loop = bench->loop,
			.http = bench->client,
			.find_server = find_server,
			.find_context = bench,
			.secrets = bench->folder.secrets,
			.vault = {.url = bench->fake.url,
				.token_file = bench->folder.token_file,
				.times = &bench->times},
			.on_log = on_log,
			.log_context = bench},
		&err));
	upstream_edge_listen(
		bench->edge, &(struct upstream_listener){.context = bench, .on_gone = on_gone});
	bench->port = upstream_edge_port(bench->edge);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err;

	assert_non_null(bench);
	assert_true(loop_create(&bench->loop, &err));
	assert_true(http_client_create(&bench->client, bench->loop, &err));
	vault_folder_open(&bench->folder);
	fake_vault_start(&bench->fake, bench->loop);
	assert_true(http_server_create(&bench->http, bench->loop,
		&(struct http_server_settings){
			.tcp_address = "127.0.0.1:0", .on_request = on_request, .context = bench},
		&err));
	(void)snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%u/mcp",
		http_server_port(bench->http));
	bench->mode = "good";
	bench->times = vault_times_default;
	bench->server = (struct server){.name = TEXT("fake"),
		.transport = TRANSPORT_HTTP,
		.url = text_of(bench->url),
		.credential = TEXT("vault:kv/mcp/files#key")};
	open_edge(bench);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	upstream_edge_destroy(&bench->edge);
	http_client_destroy(&bench->client);
	http_server_destroy(&bench->http);
	http_server_destroy(&bench->fake.http);
	loop_destroy(&bench->loop);
	vault_folder_close(&bench->folder);
	assert_null(strstr(bench->log, "of-test"));
	assert_null(strstr(bench->heard, "token-of-test"));
	free(bench);
	return 0;
}

static void on_ready(void *context, const struct error *err)
{
	struct ready *ready = context;

	assert_false(ready->is_done);
	ready->is_done = true;
	ready->err = err == NULL ? (struct error){0} : *err;
}

static bool prepare_begin(struct bench *bench, size_t index, int64_t deadline_ms, struct error *err)
{
	struct ready *ready = &bench->readies[index];
	const struct upstream_ready wanted = {.context = ready, .run = on_ready};
	bool ok;

	*ready = (struct ready){0};
	ok = bench->port.prepare(bench->port.context, bench->server.name,
		loop_now_ms(bench->loop) + deadline_ms, &wanted, &ready->wait, err);
	assert_false(ready->is_done); /* never from within */
	return ok;
}

static bool prepare(struct bench *bench, int64_t deadline_ms, struct error *err)
{
	*err = (struct error){0};
	if (!prepare_begin(bench, 0, deadline_ms, err))
		return false;
	talk_run_until(bench->loop, &bench->readies[0].is_done);
	*err = bench->readies[0].err;
	assert_null(strstr(err->text, "of-test"));
	return err->code == ERROR_NONE;
}

static void connect_server(struct bench *bench)
{
	struct error err;

	if (!prepare(bench, DEADLINE_MS, &err))
		fail_msg("not ready: %s", err.text);
}

static void on_answer(void *context, const struct upstream_answer *given)
{
	struct bench *bench = context;
	struct buffer text;

	bench->is_answered = true;
	bench->is_unknown = given->is_unknown;
	bench->failure = given->failure == NULL ? (struct error){0} : *given->failure;
	buffer_init(&text, sizeof bench->result - 1);
	if (given->result != NULL)
		json_canonical(&text, given->result);
	(void)snprintf(bench->result, sizeof bench->result, "%.*s", TEXT_ARGS(buffer_text(&text)));
	buffer_deinit(&text);
}

static bool start(struct bench *bench, struct error *err)
{
	bench->is_answered = false;
	return bench->port.start(bench->port.context,
		&(struct upstream_request){.server = bench->server.name,
			.method = TEXT("tools/call"),
			.deadline_ms = loop_now_ms(bench->loop) + DEADLINE_MS,
			.context = bench,
			.on_answer = on_answer},
		&bench->wait, err);
}

static void call_tool(struct bench *bench)
{
	struct error err = {0};

	if (!start(bench, &err))
		fail_msg("not started: %s", err.text);
	talk_run_until(bench->loop, &bench->is_answered);
}

struct pause {
	struct loop_timer timer;
	bool is_over;
};

static void on_pause(struct loop_timer *timer)
{
	struct pause *pause = timer->context;

	pause->is_over = true;
}

static void turn(struct bench *bench, int64_t delay_ms)
{
	struct pause pause = {.timer = {.on_due = on_pause}};

	pause.timer.context = &pause;
	assert_true(loop_timer_start(bench->loop, &pause.timer, delay_ms));
	talk_run_until(bench->loop, &pause.is_over);
}

/* ---- tests ---- */

static void without_the_credential_nothing_is_sent_and_the_reason_is_clear(void **state)
{
	const char *const modes[] = {"sealed", "deleted", "nonsense", "huge"};
	const char *const reasons[] = {"Vault is sealed", "is deleted", "nonsense", "longer than"};
	struct bench *bench = *state;

	bench->times.again_ms = 0;
	for (size_t i = 0; i < 4; i++) {
		struct error err;

		bench->fake.mode = modes[i];
		bench->server.name = text_of(modes[i]); /* another connection: no backoff */
		assert_false(prepare(bench, DEADLINE_MS, &err));
		if (strstr(err.text, reasons[i]) == NULL ||
			strstr(err.text, ": credential: ") == NULL)
			fail_msg("%s: %s", modes[i], err.text);
	}
	assert_int_equal(bench->requests, 0);
}

static void a_vault_that_is_not_set_up_is_named(void **state)
{
	struct bench *bench = *state;
	struct error err;

	bench->fake.url[0] = '\0';
	upstream_edge_destroy(&bench->edge);
	assert_true(upstream_edge_create(&bench->edge,
		&(struct upstream_edge_settings){.loop = bench->loop,
			.http = bench->client,
			.find_server = find_server,
			.find_context = bench,
			.secrets = bench->folder.secrets},
		&err));
	bench->port = upstream_edge_port(bench->edge);
	assert_false(prepare(bench, DEADLINE_MS, &err));
	assert_non_null(strstr(err.text, "vault-url is not set"));
	assert_int_equal(bench->requests, 0);
}

static void a_slow_vault_is_given_up_at_the_callers_deadline(void **state)
{
	struct bench *bench = *state;
	struct error err;

	bench->fake.mode = "silent";
	assert_false(prepare(bench, 30, &err));
	assert_int_equal(err.code, ERROR_TIMEOUT);
	assert_int_equal(bench->requests, 0);
}

static void every_request_carries_the_credential_and_nothing_shows_it(void **state)
{
	struct bench *bench = *state;

	connect_server(bench);
	call_tool(bench);
	assert_string_equal(bench->result, "{\"fine\":true}");
	assert_non_null(strstr(bench->heard, "initialize Bearer value-of-test;"));
	assert_non_null(strstr(bench->heard, "notifications/initialized Bearer value-of-test;"));
	assert_non_null(strstr(bench->heard, "tools/list Bearer value-of-test;"));
	assert_non_null(strstr(bench->heard, "tools/call Bearer value-of-test;"));
	assert_int_equal(bench->fake.fetches, 1);
}

static void one_fetch_serves_all_calls_that_wait(void **state)
{
	struct bench *bench = *state;
	struct error err;

	bench->fake.mode = "silent";
	for (size_t i = 0; i < WAITS; i++)
		assert_true(prepare_begin(bench, i, DEADLINE_MS, &err));
	talk_run_until(bench->loop, &bench->fake.is_held);
	assert_int_equal(bench->requests, 0);
	fake_vault_good(&bench->fake, bench->fake.held);
	for (size_t i = 0; i < WAITS; i++) {
		talk_run_until(bench->loop, &bench->readies[i].is_done);
		assert_int_equal(bench->readies[i].err.code, ERROR_NONE);
	}
	assert_int_equal(bench->fake.fetches, 1);
}

static void a_connected_server_waits_for_a_new_value_too(void **state)
{
	struct bench *bench = *state;
	struct error err;

	bench->times.lifetime_ms = 50;
	connect_server(bench);
	turn(bench, 51);
	bench->fake.value = "other-of-test";
	bench->fake.mode = "silent";
	for (size_t i = 0; i < WAITS; i++)
		assert_true(prepare_begin(bench, i, DEADLINE_MS, &err));
	bench->port.cancel(bench->port.context, &bench->readies[1].wait);
	talk_run_until(bench->loop, &bench->fake.is_held);
	bench->port.cancel(bench->port.context, &bench->readies[2].wait);
	bench->times.lifetime_ms = LONG_MS;
	fake_vault_good(&bench->fake, bench->fake.held);
	talk_run_until(bench->loop, &bench->readies[0].is_done);
	talk_run_until(bench->loop, &bench->readies[WAITS - 1].is_done);
	assert_false(bench->readies[1].is_done);
	assert_false(bench->readies[2].is_done);
	call_tool(bench);
	assert_non_null(strstr(bench->heard, "tools/call Bearer other-of-test;"));
	assert_int_equal(bench->fake.fetches, 2);
	assert_int_equal(bench->gone_calls, 0);
}

static void a_call_is_not_sent_with_a_value_whose_time_is_over(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};
	int requests;

	bench->times.lifetime_ms = 50;
	connect_server(bench);
	turn(bench, 51);
	requests = bench->requests;
	assert_false(start(bench, &err));
	assert_non_null(strstr(err.text, "not at hand"));
	assert_null(bench->wait);
	bench->fake.mode = "sealed";
	assert_false(prepare(bench, DEADLINE_MS, &err));
	assert_non_null(strstr(err.text, "server fake: credential: Vault is sealed"));
	turn(bench, 1);
	assert_int_equal(bench->requests, requests);
	assert_int_equal(bench->gone_calls, 0); /* the server is well */
}

static void a_waiting_call_has_its_own_deadline(void **state)
{
	struct bench *bench = *state;
	struct error err;

	bench->times.lifetime_ms = 50;
	connect_server(bench);
	turn(bench, 51);
	bench->fake.mode = "silent";
	assert_false(prepare(bench, 30, &err));
	assert_int_equal(err.code, ERROR_TIMEOUT);
	assert_non_null(strstr(err.text, "the credential of server fake did not come in time"));
}

static void a_value_that_the_server_refuses_is_fetched_again_once_in_a_while(void **state)
{
	struct bench *bench = *state;

	bench->times.renounce_ms = LONG_MS;
	connect_server(bench);
	bench->mode = "unauthorized";
	call_tool(bench);
	assert_non_null(strstr(bench->failure.text, "refused the gateway's credential"));
	assert_false(bench->is_unknown);
	connect_server(bench);
	assert_int_equal(bench->fake.fetches, 1);
	bench->times.renounce_ms = 0;
	call_tool(bench);
	bench->fake.value = "other-of-test";
	bench->mode = "good";
	connect_server(bench);
	assert_int_equal(bench->fake.fetches, 2);
	call_tool(bench);
	assert_string_equal(bench->result, "{\"fine\":true}");
	assert_non_null(strstr(bench->heard, "tools/call Bearer other-of-test;"));
}

/* A call is on its way when the value lapses and the list of tools changes. */
static void lapse_and_change(struct bench *bench, const char *vault_mode)
{
	struct error err;

	bench->times.lifetime_ms = 200;
	bench->mode = "hold";
	connect_server(bench);
	assert_true(start(bench, &err));
	talk_run_until(bench->loop, &bench->is_held);
	turn(bench, 201);
	bench->fake.mode = vault_mode;
	bench->fake.value = "other-of-test";
	release(bench);
	talk_run_until(bench->loop, &bench->is_answered);
	assert_string_equal(bench->result, "{\"fine\":true}"); /* it was sent in time */
}

static void our_own_requests_wait_for_the_credential_when_it_lapsed(void **state)
{
	struct bench *bench = *state;

	lapse_and_change(bench, "good");
	talk_run_until(bench->loop, &bench->has_listed_again);
	assert_non_null(strstr(bench->heard, "tools/list Bearer other-of-test;"));
	assert_int_equal(bench->fake.fetches, 2);
	assert_int_equal(bench->gone_calls, 0);
	connect_server(bench);
}

static void a_list_that_cannot_be_read_makes_the_server_fall(void **state)
{
	struct bench *bench = *state;
	struct error err;

	bench->times.again_ms = LONG_MS;
	lapse_and_change(bench, "sealed");
	assert_false(prepare(bench, DEADLINE_MS, &err));
	assert_non_null(strstr(err.text, "server fake: credential: Vault is sealed"));
	assert_int_equal(bench->gone_calls, 1);
	assert_int_equal(bench->lists, 1);
}

static void another_registration_ends_what_waits(void **state)
{
	struct bench *bench = *state;
	struct error err;

	bench->fake.mode = "silent";
	assert_true(prepare_begin(bench, 0, DEADLINE_MS, &err));
	talk_run_until(bench->loop, &bench->fake.is_held);
	bench->server.credential = TEXT("vault:kv/mcp/files#other");
	bench->fake.mode = "good";
	assert_true(prepare_begin(bench, 1, DEADLINE_MS, &err));
	assert_true(bench->readies[0].is_done);
	assert_non_null(strstr(bench->readies[0].err.text, "disconnected"));
	talk_run_until(bench->loop, &bench->readies[1].is_done);
	assert_int_equal(bench->readies[1].err.code, ERROR_NONE);
	assert_null(strstr(bench->heard, "value-of-test"));
	assert_non_null(strstr(bench->heard, "Bearer o;"));
}

static void stopping_while_it_is_fetched_ends_every_wait(void **state)
{
	struct bench *bench = *state;
	struct error err;

	bench->fake.mode = "silent";
	assert_true(prepare_begin(bench, 0, DEADLINE_MS, &err));
	talk_run_until(bench->loop, &bench->fake.is_held);
	upstream_edge_stop(bench->edge);
	assert_true(bench->readies[0].is_done);
	assert_int_equal(bench->readies[0].err.code, ERROR_IO);
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(without_the_credential_nothing_is_sent_and_the_reason_is_clear),
		WITH(a_vault_that_is_not_set_up_is_named),
		WITH(a_slow_vault_is_given_up_at_the_callers_deadline),
		WITH(every_request_carries_the_credential_and_nothing_shows_it),
		WITH(one_fetch_serves_all_calls_that_wait),
		WITH(a_connected_server_waits_for_a_new_value_too),
		WITH(a_call_is_not_sent_with_a_value_whose_time_is_over),
		WITH(a_waiting_call_has_its_own_deadline),
		WITH(a_value_that_the_server_refuses_is_fetched_again_once_in_a_while),
		WITH(our_own_requests_wait_for_the_credential_when_it_lapsed),
		WITH(a_list_that_cannot_be_read_makes_the_server_fall),
		WITH(another_registration_ends_what_waits),
		WITH(stopping_while_it_is_fetched_ends_every_wait),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
