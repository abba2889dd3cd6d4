/* Sessions and heartbeats over loopback. */
#include "../../wire/talk.h"

#include "edges/oauth/oauth.h"
#include "edges/oauth/session.h"
#include "support/issuing.h"

enum { REQUEST_BYTES_MAX = 16 * 1024 };

struct bench {
	struct issuing issuing;
	struct loop *loop;
	struct router *router;
	struct http_server *server;
	struct oauth *oauth;
	char request[REQUEST_BYTES_MAX];
	struct text watched; /* the task that is waited for */
	bool is_over;
};

static int start(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct http_server_settings settings = {
		.tcp_address = "127.0.0.1:0", .on_request = router_on_request};
	struct error err = {0};

	assert_non_null(bench);
	issuing_init(&bench->issuing);
	assert_true(loop_create(&bench->loop, &err));
	assert_true(router_create(&bench->router, &err));
	assert_true(oauth_create(
		&bench->oauth, bench->issuing.issue, bench->issuing.governed.registrar, &err));
	assert_true(oauth_add_routes(bench->oauth, bench->router, &err));
	settings.context = bench->router;
	assert_true(http_server_create(&bench->server, bench->loop, &settings, &err));
	*state = bench;
	return 0;
}

static int end(void **state)
{
	struct bench *bench = *state;

	http_server_destroy(&bench->server);
	router_destroy(&bench->router);
	oauth_destroy(&bench->oauth);
	loop_destroy(&bench->loop);
	issuing_deinit(&bench->issuing);
	free(bench);
	return 0;
}

/* Says the line with the token, and waits for the head of the answer. */
static int ask(struct bench *bench, struct talk *talk, const char *line, struct text token)
{
	int status = 0;

	(void)snprintf(bench->request, sizeof bench->request,
		"%s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s%.*s%sContent-Length: 0\r\n\r\n", line,
		token.length > 0 ? "Authorization: Bearer " : "", TEXT_ARGS(token),
		token.length > 0 ? "\r\n" : "");
	talk_open(talk, bench->loop, http_server_port(bench->server));
	talk_say(talk, bench->request, strlen(bench->request));
	talk_wait(talk, "\r\n\r\n");
	(void)sscanf(talk->got, "HTTP/1.1 %d", &status);
	return status;
}

static int ask_once(struct bench *bench, const char *line, struct text token)
{
	struct talk talk;
	int status = ask(bench, &talk, line, token);

	talk_close(&talk);
	return status;
}

static struct text open_session(struct bench *bench)
{
	bench->issuing.session = TEXT("connection");
	assert_true(issuing_open_good(&bench->issuing));
	return bench->issuing.token;
}

static int64_t look(struct loop_driver *driver)
{
	struct bench *bench = driver->context;
	const struct task *task = task_find(bench->issuing.tasks, bench->watched);

	bench->is_over = task->recorded_state == TASK_ENDED;
	return bench->is_over ? 0 : -1;
}

static void whoever_has_no_token_that_holds_begins_no_session(void **state)
{
	struct bench *bench = *state;
	struct text token;

	assert_int_equal(ask_once(bench, "GET /oauth/session", TEXT("")), 401);
	assert_int_equal(ask_once(bench, "GET /oauth/session", TEXT("no.token.here")), 401);
	assert_int_equal(ask_once(bench, "POST /oauth/heartbeat", TEXT("")), 401);
	token = open_session(bench);
	issuing_kill(&bench->issuing, NULL, bench->issuing.task);
	assert_int_equal(ask_once(bench, "GET /oauth/session", token), 401);
	assert_int_equal(ask_once(bench, "POST /oauth/heartbeat", token), 401);
}

static void a_task_without_a_session_has_no_stream(void **state)
{
	struct bench *bench = *state;

	assert_true(issuing_open_good(&bench->issuing));
	assert_int_equal(ask_once(bench, "GET /oauth/session", bench->issuing.token), 401);
	assert_int_equal(issuing_ask(&bench->issuing, bench->issuing.token), TOKEN_ACCEPTED);
}

static void the_task_and_all_below_it_end_with_the_connection(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	struct loop_driver driver = {.turn = look, .context = bench};
	struct text token = open_session(bench), below;
	struct talk talk;

	bench->watched = issuing->parent = issuing->task;
	issuing->session = TEXT("");
	assert_true(issuing_open_good(issuing));
	below = issuing->token;
	assert_int_equal(ask(bench, &talk, "GET /oauth/session", token), 200);
	issuing_pass(issuing, TASK_SESSION_ATTACH_MS / 1000 + 1);
	assert_int_equal(issuing_ask(issuing, token), TOKEN_ACCEPTED);
	talk_close(&talk);
	loop_driver_add(bench->loop, &driver);
	talk_run_until(bench->loop, &bench->is_over);
	loop_driver_remove(bench->loop, &driver);
	assert_int_equal(issuing_ask(issuing, token), TOKEN_TASK_NOT_LIVE);
	assert_int_equal(issuing_ask(issuing, below), TOKEN_TASK_NOT_LIVE);
}

static void the_stream_ends_with_the_task(void **state)
{
	struct bench *bench = *state;
	struct text token = open_session(bench);
	struct talk talk;

	assert_int_equal(ask(bench, &talk, "GET /oauth/session", token), 200);
	issuing_kill(&bench->issuing, NULL, bench->issuing.task);
	assert_true(issue_expire(bench->issuing.issue));
	talk_wait(&talk, "\r\n0\r\n\r\n");
	talk_close(&talk);
}

static void a_heartbeat_counts_as_use(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;

	issuing_limit(issuing, "{task: 10m, idle: 10s}");
	assert_true(issuing_open_good(issuing));
	for (int i = 0; i < 5; i++) {
		issuing_pass(issuing, 9);
		assert_int_equal(ask_once(bench, "POST /oauth/heartbeat", issuing->token), 204);
	}
	issuing_pass(issuing, 10);
	assert_int_equal(ask_once(bench, "POST /oauth/heartbeat", issuing->token), 401);
}

int main(void)
{
#define SESSION_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		SESSION_TEST(whoever_has_no_token_that_holds_begins_no_session),
		SESSION_TEST(a_task_without_a_session_has_no_stream),
		SESSION_TEST(the_task_and_all_below_it_end_with_the_connection),
		SESSION_TEST(the_stream_ends_with_the_task),
		SESSION_TEST(a_heartbeat_counts_as_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
