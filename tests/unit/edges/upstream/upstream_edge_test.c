/* Upstream servers over stdio (fake_server.c) and over HTTP (a server in this
 * very loop): what works, and every way it can fail. */
#include "../../wire/talk.h"

#include "edges/upstream/upstream_edge.h"
#include "wire/http_server.h"

#include <signal.h>

enum { DEADLINE_MS = 10000 };

enum { QUESTIONS_KEPT = 8 };

struct bench {
	struct loop *loop;
	struct http_client *client;
	struct upstream_edge *edge;
	struct upstream port;
	struct upstream_wait *wait;
	struct server server;
	struct text arguments[3];
	struct secrets *secrets;
	char folder[32];
	char url[128];
	char log[8192];
	char credential[64]; /* that left last: its reference, a blank, its value */
	bool has_logged;
	const char *wanted_log;
	/* the confiner */
	bool is_hold_refused;
	bool is_entry_refused;
	int holds;
	int releases;
	/* ready */
	bool is_ready_done;
	struct error ready_err;
	/* answer */
	int answers;
	bool is_answered;
	char result[4096];
	char error_text[1024];
	struct error failure;
	bool is_unknown;
	char notices[1024];
	/* listener */
	int definition_calls;
	int gone_calls;
	char asked[256]; /* "SERVER METHOD;", " within" if a call was known */
	bool takes_questions;
	enum upstream_objection objection; /* if it takes none */
	uint64_t questions[QUESTIONS_KEPT];
	size_t question_count;
	unsigned withdrawn;
	uint64_t last_withdrawn;
	bool is_withdrawn;
	unsigned asks;            /* the server may ask by now */
	enum sensitivity ceiling; /* of the next calls */
	char definitions[1024];
	bool has_new_definitions;
	/* the HTTP server */
	struct http_server *http;
	const char *http_mode;
	struct http_exchange *listening;
	int held; /* requests that get no answer and are not given up */
	bool has_held, has_cancelled, has_closed;
	int lists;
	char methods[4096]; /* "POST initialize s= v= a=;" ... */
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

	(void)server;
	(void)snprintf(bench->log + used, sizeof bench->log - used, "%.*s\n", TEXT_ARGS(line));
	bench->has_logged |= bench->wanted_log != NULL && strstr(bench->log, bench->wanted_log);
}

static void on_definitions(void *context, struct text server, const struct json *tools)
{
	struct bench *bench = context;
	struct buffer out;

	(void)server;
	buffer_init(&out, sizeof bench->definitions - 1);
	json_canonical(&out, tools);
	(void)snprintf(bench->definitions, sizeof bench->definitions, "%.*s",
		TEXT_ARGS(buffer_text(&out)));
	buffer_deinit(&out);
	bench->definition_calls++;
	bench->has_new_definitions = bench->definition_calls > 1;
}

static void on_gone(void *context, struct text server)
{
	struct bench *bench = context;

	(void)server;
	bench->gone_calls++;
}

static bool on_asked(
	void *context, const struct upstream_ask *question, enum upstream_objection *objection)
{
	struct bench *bench = context;
	size_t used = strlen(bench->asked);

	bench->questions[bench->question_count++ % QUESTIONS_KEPT] = question->number;
	(void)snprintf(bench->asked + used, sizeof bench->asked - used, "%.*s %.*s%s;",
		TEXT_ARGS(question->server), TEXT_ARGS(question->method),
		question->request == NULL ? "" : " within");
	*objection = bench->objection;
	return bench->takes_questions;
}

static void on_withdrawn(void *context, uint64_t number)
{
	struct bench *bench = context;

	bench->withdrawn++;
	bench->last_withdrawn = number;
	bench->is_withdrawn = true;
}

static unsigned find_asks(void *context, struct text name)
{
	const struct bench *bench = context;

	return text_equal(name, bench->server.name) ? bench->asks : 0;
}

/* ---- the confiner: a stand-in that counts ---- */

static const char *enter(const void *held)
{
	const struct bench *bench = held;

	errno = EACCES;
	return bench->is_entry_refused ? "something it must not have" : NULL;
}

static bool hold(void *context, const struct upstream_child *child, struct upstream_hold *out,
	struct error *err)
{
	struct bench *bench = context;

	assert_true(text_is(child->server, "fake"));
	assert_int_equal(access(child->program, X_OK), 0);
	assert_string_equal(child->arguments[0], bench->arguments[0].data);
	if (bench->is_hold_refused)
		return error_set(err, ERROR_IO, "this kernel cannot");
	bench->holds++;
	*out = (struct upstream_hold){.home = "/nonexistent/fake", .enter = enter, .held = bench};
	return true;
}

static void release(void *held)
{
	struct bench *bench = held;

	bench->releases++;
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err;

	assert_non_null(bench);
	assert_true(loop_create(&bench->loop, &err));
	assert_true(http_client_create(&bench->client, bench->loop, &err));
	bench->server = (struct server){.name = TEXT("fake"),
		.transport = TRANSPORT_STDIO,
		.arguments = bench->arguments,
		.arguments_count = 2};
	bench->arguments[0] = text_of(getenv("FAKE_SERVER"));
	bench->arguments[1] = TEXT("good");
	assert_true(upstream_edge_create(&bench->edge,
		&(struct upstream_edge_settings){.loop = bench->loop,
			.http = bench->client,
			.find_server = find_server,
			.find_context = bench,
			.find_asks = find_asks,
			.directory = "/",
			.search_path = "/usr/bin:/bin",
			.confiner = {bench, hold, release},
			.on_log = on_log,
			.log_context = bench},
		&err));
	upstream_edge_listen(bench->edge, &(struct upstream_listener){.context = bench,
						  .on_definitions = on_definitions,
						  .on_request = on_asked,
						  .on_withdrawn = on_withdrawn,
						  .on_gone = on_gone});
	bench->port = upstream_edge_port(bench->edge);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	upstream_edge_destroy(&bench->edge);
	http_client_destroy(&bench->client);
	http_server_destroy(&bench->http);
	loop_destroy(&bench->loop);
	free(bench);
	return 0;
}

/* ---- using the port ---- */

static void on_ready(void *context, const struct error *err)
{
	struct bench *bench = context;

	bench->is_ready_done = true;
	bench->ready_err = err == NULL ? (struct error){0} : *err;
}

static bool prepare(struct bench *bench, int64_t deadline_ms, struct error *err)
{
	const struct upstream_ready ready = {.context = bench, .run = on_ready};

	bench->is_ready_done = false;
	if (!bench->port.prepare(bench->port.context, bench->server.name,
		    loop_now_ms(bench->loop) + deadline_ms, &ready, &bench->wait, err))
		return false;
	assert_false(bench->is_ready_done); /* never from within */
	talk_run_until(bench->loop, &bench->is_ready_done);
	*err = bench->ready_err;
	return bench->ready_err.code == ERROR_NONE;
}

static void connect_server(struct bench *bench)
{
	struct error err = {0};

	if (!prepare(bench, DEADLINE_MS, &err))
		fail_msg("not ready: %s", err.text);
}

static void print(char *out, size_t size, const struct json *value)
{
	struct buffer text;

	buffer_init(&text, 64 * 1024);
	if (value != NULL)
		json_canonical(&text, value);
	(void)snprintf(out, size, "%.*s", TEXT_ARGS(buffer_text(&text)));
	buffer_deinit(&text);
}

static void on_notice(void *context, struct text method, const struct json *params)
{
	struct bench *bench = context;
	size_t used = strlen(bench->notices);

	(void)snprintf(bench->notices + used, sizeof bench->notices - used, "%.*s %d;",
		TEXT_ARGS(method), (int)json_integer_or(params, "progress", -1));
}

static void on_answer(void *context, const struct upstream_answer *answer)
{
	struct bench *bench = context;

	bench->answers++;
	bench->is_answered = true;
	print(bench->result, sizeof bench->result, answer->result);
	print(bench->error_text, sizeof bench->error_text, answer->error);
	bench->failure = answer->failure == NULL ? (struct error){0} : *answer->failure;
	bench->is_unknown = answer->is_unknown;
}

static bool start(
	struct bench *bench, const struct json *params, int64_t deadline_ms, struct error *err)
{
	bench->is_answered = false;
	return bench->port.start(bench->port.context,
		&(struct upstream_request){.server = bench->server.name,
			.method = TEXT("tools/call"),
			.params = params,
			.wants_progress = bench->ceiling == SENSITIVITY_UNLABELLED,
			.ceiling = bench->ceiling,
			.tells_record = bench->ceiling != SENSITIVITY_UNLABELLED,
			.record = 77,
			.deadline_ms = loop_now_ms(bench->loop) + deadline_ms,
			.context = bench,
			.on_notice = on_notice,
			.on_answer = on_answer},
		&bench->wait, err);
}

static void call_tool_until(struct bench *bench, const char *tool, int64_t deadline_ms)
{
	struct json_member members[] = {
		{TEXT("name"), json_cstring(tool)}, {TEXT("_meta"), {.type = JSON_OBJECT}}};
	struct json params = {.type = JSON_OBJECT, .count = 2, .members = members};
	struct error err = {0};

	if (!start(bench, &params, deadline_ms, &err))
		fail_msg("not started: %s", err.text);
	assert_false(bench->is_answered);
	talk_run_until(bench->loop, &bench->is_answered);
}

static void call_tool(struct bench *bench, const char *tool)
{
	call_tool_until(bench, tool, DEADLINE_MS);
}

static void assert_failed(struct bench *bench, enum error_code code, const char *text)
{
	if (bench->failure.code != code || strstr(bench->failure.text, text) == NULL)
		fail_msg("%s: %s; result %s", error_code_name(bench->failure.code),
			bench->failure.text, bench->result);
	assert_string_equal(bench->result, "");
	assert_string_equal(bench->error_text, "");
}

/* ---- both kinds of server ---- */

static void an_unregistered_server_is_not_found(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	bench->server.name = TEXT("other");
	assert_false(bench->port.prepare(bench->port.context, TEXT("fake"), INT64_MAX,
		&(struct upstream_ready){.context = bench, .run = on_ready}, &bench->wait, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_null(bench->wait);
}

static void nothing_leaves_before_the_server_is_ready(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	assert_false(start(bench, NULL, DEADLINE_MS, &err));
	assert_int_equal(err.code, ERROR_IO);
	assert_null(bench->wait);
}

/* ---- stdio: starting ---- */

static void a_server_that_cannot_start_is_refused_with_its_reason(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	bench->arguments[0] = TEXT("no-such-program");
	assert_false(prepare(bench, DEADLINE_MS, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_false(prepare(bench, DEADLINE_MS, &err)); /* at once again: backed off */
	assert_non_null(strstr(err.text, "not tried again"));
	assert_non_null(strstr(err.text, "no-such-program"));
}

static void a_server_that_cannot_be_confined_is_not_started(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	bench->is_hold_refused = true;
	assert_false(prepare(bench, DEADLINE_MS, &err));
	assert_non_null(strstr(err.text, "server fake: this kernel cannot"));
	assert_int_equal(bench->releases, 0);
}

static void a_child_that_cannot_give_up_what_it_must_never_runs(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	bench->is_entry_refused = true;
	bench->arguments[1] = TEXT("good");
	assert_false(prepare(bench, DEADLINE_MS, &err));
	assert_non_null(strstr(err.text, "something it must not have: Permission denied"));
	assert_int_equal(bench->holds, 1);
	assert_int_equal(bench->releases, 1);
}

static void each_start_is_held_anew_and_let_go(void **state)
{
	struct bench *bench = *state;

	connect_server(bench);
	assert_int_equal(bench->holds, 1);
	assert_int_equal(bench->releases, 1);
	call_tool(bench, "home");
	assert_string_equal(bench->result, "{\"home\":\"/nonexistent/fake\"}");
}

struct bad_start {
	const char *mode;
	const char *text;
};

static const struct bad_start bad_starts[] = {
	{"crash", "ended with status 4"},
	{"error", "an error to initialize"},
	{"old", "protocol version"},
	{"banner", "nonsense"},
};

static void a_server_that_starts_wrongly_is_told_apart(void **state)
{
	size_t i;

	for (i = 0; i < sizeof bad_starts / sizeof bad_starts[0]; i++) {
		struct bench *bench = *state;
		struct error err = {0};

		bench->arguments[1] = text_of(bad_starts[i].mode);
		assert_false(prepare(bench, DEADLINE_MS, &err));
		if (strstr(err.text, bad_starts[i].text) == NULL)
			fail_msg("%s: %s", bad_starts[i].mode, err.text);
		assert_int_equal(bench->definition_calls, 0);
		assert_int_equal(bench->gone_calls, 0);
	}
}

static void a_server_that_does_not_initialize_is_given_up_at_the_deadline(void **state)
{
	const char *const modes[] = {"silent", "nonsense"}; /* the second answers another id */
	struct bench *bench = *state;
	size_t i;

	for (i = 0; i < 2; i++) {
		struct error err = {0};

		bench->arguments[1] = text_of(modes[i]);
		assert_false(prepare(bench, 30, &err));
		assert_int_equal(err.code, ERROR_TIMEOUT);
	}
}

static void a_server_without_tools_is_ready_with_none(void **state)
{
	struct bench *bench = *state;

	bench->arguments[1] = TEXT("none");
	connect_server(bench);
	assert_string_equal(bench->definitions, "[]");
}

static void all_pages_of_tools_are_handed_over_before_ready(void **state)
{
	struct bench *bench = *state;

	connect_server(bench);
	assert_string_equal(bench->definitions, "[{\"name\":\"echo\"},{\"name\":\"list1\"}]");
	connect_server(bench); /* READY already: answered from the loop, not listed again */
	assert_int_equal(bench->definition_calls, 1);
}

/* ---- stdio: calls ---- */

static void a_call_gets_its_own_answer(void **state)
{
	struct bench *bench = *state;

	connect_server(bench);
	call_tool(bench, "echo");
	assert_int_equal(bench->failure.code, ERROR_NONE);
	assert_non_null(strstr(bench->result, "\"name\":\"echo\""));
	assert_non_null(strstr(bench->result, "\"_meta\":{\"progressToken\":4}"));
	assert_int_equal(bench->answers, 1);
}

static void an_error_of_the_server_is_passed_on_as_one(void **state)
{
	struct bench *bench = *state;

	connect_server(bench);
	call_tool(bench, "error");
	assert_string_equal(bench->error_text, "{\"code\":-32602,\"message\":\"bad\"}");
	assert_int_equal(bench->failure.code, ERROR_NONE);
}

static void our_environment_does_not_reach_the_server(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(setenv("UPSTREAM_TEST_SECRET", "x", 1), 0);
	connect_server(bench);
	call_tool(bench, "environment");
	assert_string_equal(bench->result, "{\"clean\":true}");
}

struct bad_answer {
	const char *tool;
	enum error_code code;
	const char *text;
};

static const struct bad_answer bad_answers[] = {
	{"crash", ERROR_IO, "ended with status 3"},
	{"nonsense", ERROR_IO, "answered nonsense"},
	{"batch", ERROR_IO, "answered nonsense"},
	{"huge", ERROR_LIMIT, "over the limit of 8388608 bytes"},
};

static void a_bad_answer_is_a_clear_failure_and_the_server_comes_again(void **state)
{
	struct bench *bench = *state;
	size_t i;

	for (i = 0; i < sizeof bad_answers / sizeof bad_answers[0]; i++) {
		connect_server(bench); /* waits for the backoff */
		call_tool(bench, bad_answers[i].tool);
		assert_failed(bench, bad_answers[i].code, bad_answers[i].text);
		assert_true(bench->is_unknown);
		assert_int_equal(bench->gone_calls, i + 1);
	}
	connect_server(bench);
	call_tool(bench, "echo");
	assert_int_equal(bench->failure.code, ERROR_NONE);
}

static void a_slow_answer_is_a_timeout_and_is_cancelled_at_the_server(void **state)
{
	struct bench *bench = *state;

	connect_server(bench);
	bench->wanted_log = "cancelled 4\n";
	call_tool_until(bench, "silent", 30);
	assert_failed(bench, ERROR_TIMEOUT, "did not answer in time");
	assert_true(bench->is_unknown);
	talk_run_until(bench->loop, &bench->has_logged);
	call_tool(bench, "echo"); /* the others go on */
	assert_int_equal(bench->failure.code, ERROR_NONE);
}

static void an_answer_to_another_request_is_dropped(void **state)
{
	struct bench *bench = *state;

	connect_server(bench);
	call_tool_until(bench, "wrong-id", 100);
	assert_failed(bench, ERROR_TIMEOUT, "did not answer in time");
	assert_int_equal(bench->gone_calls, 0);
	assert_non_null(strstr(bench->log, "an answer nobody waits for"));
}

static void a_second_answer_to_one_request_is_dropped(void **state)
{
	struct bench *bench = *state;

	connect_server(bench);
	call_tool(bench, "twice");
	assert_string_equal(bench->result, "{\"n\":1}");
	call_tool(bench, "echo");
	assert_int_equal(bench->answers, 2);
	assert_non_null(strstr(bench->log, "an answer nobody waits for"));
}

static void a_cancelled_call_says_nothing_more(void **state)
{
	struct bench *bench = *state;
	struct json_member member = {TEXT("name"), json_cstring("echo")};
	struct json params = {.type = JSON_OBJECT, .count = 1, .members = &member};
	struct error err;

	connect_server(bench);
	assert_true(start(bench, &params, DEADLINE_MS, &err));
	bench->port.cancel(bench->port.context, &bench->wait);
	assert_null(bench->wait);
	bench->port.cancel(bench->port.context, &bench->wait);
	bench->wanted_log = "cancelled 4\n";
	talk_run_until(bench->loop, &bench->has_logged);
	assert_int_equal(bench->answers, 0);
}

static void progress_reaches_its_own_call_and_nothing_else_does(void **state)
{
	struct bench *bench = *state;

	connect_server(bench);
	call_tool(bench, "progress");
	assert_string_equal(bench->notices, "notifications/progress 1;");
}

static void a_question_of_the_server_is_refused(void **state)
{
	struct bench *bench = *state;

	connect_server(bench);
	bench->wanted_log = "answered {\"error\":{\"code\":-32601,";
	call_tool_until(bench, "ask", 500);
	if (!bench->has_logged)
		talk_run_until(bench->loop, &bench->has_logged);
	assert_non_null(strstr(bench->log, "\"id\":\"q1\""));
	assert_string_equal(bench->asked, "fake sampling/createMessage within;");
}

static void expect_objection(
	struct bench *bench, enum upstream_objection objection, const char *code, const char *words)
{
	char wanted[64];

	(void)snprintf(wanted, sizeof wanted, "answered {\"error\":{\"code\":%s,", code);
	bench->objection = objection;
	connect_server(bench);
	bench->wanted_log = wanted;
	call_tool_until(bench, "ask", 500);
	if (!bench->has_logged)
		talk_run_until(bench->loop, &bench->has_logged);
	assert_non_null(strstr(bench->log, "\"id\":\"q1\""));
	assert_non_null(strstr(bench->log, words));
}

static void a_question_of_another_form_is_told_from_one_nobody_may_ask(void **state)
{
	expect_objection(*state, UPSTREAM_OBJECTS_TO_PARAMS, "-32602", "has not the form");
}

static void a_server_is_told_that_it_is_the_client_that_cannot_answer(void **state)
{
	expect_objection(*state, UPSTREAM_OBJECTS_TO_CLIENT, "-32601",
		"client did not say that it can answer this:");
}

static void a_server_is_told_that_it_is_the_mode_that_the_client_cannot_answer(void **state)
{
	expect_objection(*state, UPSTREAM_OBJECTS_TO_MODE, "-32602",
		"client did not say that it can answer this mode:");
}

static bool tell(struct bench *bench, uint64_t number, const struct upstream_reply *reply)
{
	struct error err = {0};

	return bench->port.respond(bench->port.context, number, reply, &err);
}

static void a_question_that_is_taken_is_answered_once(void **state)
{
	struct bench *bench = *state;
	struct json_member member = {TEXT("action"), json_cstring("decline")};
	const struct json result = {.type = JSON_OBJECT, .count = 1, .members = &member};

	bench->takes_questions = true;
	connect_server(bench);
	call_tool_until(bench, "ask", 500); /* nobody answers the call: it is given up */
	assert_int_equal(bench->question_count, 1);
	bench->wanted_log = "answered {\"id\":\"q1\",\"jsonrpc\":\"2.0\",\"result\":"
			    "{\"action\":\"decline\"}}";
	assert_true(tell(bench, bench->questions[0], &(struct upstream_reply){.result = &result}));
	if (!bench->has_logged)
		talk_run_until(bench->loop, &bench->has_logged);
	/* Not open any more, and none that ever was: nothing is sent, which the next call
	 * would show as nonsense. */
	assert_true(tell(bench, bench->questions[0], &(struct upstream_reply){.result = &result}));
	assert_true(tell(bench, 4711, &(struct upstream_reply){.result = &result}));
	call_tool(bench, "echo");
	assert_int_equal(bench->failure.code, ERROR_NONE);
}

static void a_refusal_and_a_clients_error_are_told_apart(void **state)
{
	struct bench *bench = *state;
	struct json_member members[] = {
		{TEXT("code"), json_integer(-7)}, {TEXT("message"), json_cstring("not now")}};
	const struct json error = {.type = JSON_OBJECT, .count = 2, .members = members};

	bench->takes_questions = true;
	connect_server(bench);
	call_tool_until(bench, "ask", 500);
	bench->wanted_log = "\"code\":-7,\"message\":\"not now\"";
	assert_true(tell(bench, bench->questions[0], &(struct upstream_reply){.error = &error}));
	if (!bench->has_logged)
		talk_run_until(bench->loop, &bench->has_logged);
	call_tool_until(bench, "ask", 500);
	bench->has_logged = false;
	bench->wanted_log = "\"code\":-1,\"message\":\"no\"";
	assert_true(tell(bench, bench->questions[1], &(struct upstream_reply){.refusal = "no"}));
	if (!bench->has_logged)
		talk_run_until(bench->loop, &bench->has_logged);
}

static void after_a_call_was_given_up_nobody_knows_which_one_asks(void **state)
{
	struct bench *bench = *state;

	bench->takes_questions = true;
	connect_server(bench);
	call_tool_until(bench, "ask", 500);
	call_tool_until(bench, "ask", 500);
	assert_string_equal(
		bench->asked, "fake sampling/createMessage within;fake sampling/createMessage;");
}

static void what_a_server_takes_back_is_withdrawn(void **state)
{
	struct bench *bench = *state;

	bench->takes_questions = true;
	connect_server(bench);
	call_tool(bench, "ask-twice");
	assert_int_equal(bench->question_count, 2);
	assert_int_equal(bench->withdrawn, 1);
	assert_int_equal(bench->last_withdrawn, bench->questions[0]);
}

static void the_questions_of_a_server_that_is_gone_are_withdrawn(void **state)
{
	struct bench *bench = *state;

	bench->takes_questions = true;
	connect_server(bench);
	call_tool(bench, "ask-and-crash");
	assert_int_equal(bench->withdrawn, 1);
	assert_int_equal(bench->last_withdrawn, bench->questions[0]);
	assert_true(tell(bench, bench->questions[0], &(struct upstream_reply){.refusal = "late"}));
}

static void more_questions_than_the_bound_are_refused(void **state)
{
	struct bench *bench = *state;

	bench->takes_questions = true;
	connect_server(bench);
	call_tool(bench, "ask-often"); /* one more than the bound */
	assert_int_equal(bench->question_count, UPSTREAM_ASKS_MAX);
}

static void a_server_is_told_what_it_may_ask(void **state)
{
	struct bench *bench = *state;

	connect_server(bench);
	call_tool(bench, "capabilities");
	assert_string_equal(bench->result, "{}");
	bench->asks = UPSTREAM_ASKS_ELICITATION;
	connect_server(bench); /* it may ask more by now: connected anew */
	call_tool(bench, "capabilities");
	assert_string_equal(bench->result, "{\"elicitation\":{\"form\":{},\"url\":{}}}");
	bench->asks = UPSTREAM_ASKS_SAMPLING | UPSTREAM_ASKS_ELICITATION;
	connect_server(bench);
	call_tool(bench, "capabilities");
	assert_string_equal(
		bench->result, "{\"elicitation\":{\"form\":{},\"url\":{}},\"sampling\":{}}");
	assert_int_equal(bench->holds, 3);
	bench->asks = 0; /* less is a matter of rules */
	connect_server(bench);
	assert_int_equal(bench->holds, 3);
}

static void a_server_is_told_the_ceiling_and_the_record_by_remit_alone(void **state)
{
	struct json_member claims[] = {{TEXT("remit/ceiling"), json_cstring("restricted")},
		{TEXT("remit/record"), json_cstring("1")}};
	struct json_member members[] = {{TEXT("name"), json_cstring("echo")},
		{TEXT("_meta"), {.type = JSON_OBJECT, .count = 2, .members = claims}}};
	struct json params = {.type = JSON_OBJECT, .count = 2, .members = members};
	struct bench *bench = *state;
	struct error err = {0};

	connect_server(bench);
	bench->ceiling = SENSITIVITY_INTERNAL;
	assert_true(start(bench, &params, DEADLINE_MS, &err));
	talk_run_until(bench->loop, &bench->is_answered);
	assert_string_equal(bench->result,
		"{\"_meta\":{\"remit/ceiling\":\"internal\",\"remit/record\":77},"
		"\"name\":\"echo\"}");
}

static void a_changed_list_is_read_again_before_the_next_call(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	connect_server(bench);
	call_tool(bench, "change");
	assert_false(start(bench, NULL, DEADLINE_MS, &err)); /* U3 */
	connect_server(bench);
	assert_int_equal(bench->definition_calls, 2);
	assert_non_null(strstr(bench->definitions, "list2"));
	call_tool(bench, "echo");
	assert_int_equal(bench->failure.code, ERROR_NONE);
}

static void another_registration_replaces_the_connection(void **state)
{
	struct bench *bench = *state;

	connect_server(bench);
	bench->arguments[1] = TEXT("none");
	connect_server(bench);
	assert_int_equal(bench->gone_calls, 1);
	assert_string_equal(bench->definitions, "[]");
}

static void stopping_fails_what_is_under_way(void **state)
{
	struct bench *bench = *state;
	struct json_member member = {TEXT("name"), json_cstring("silent")};
	struct json params = {.type = JSON_OBJECT, .count = 1, .members = &member};
	struct error err;

	connect_server(bench);
	assert_true(start(bench, &params, DEADLINE_MS, &err));
	upstream_edge_stop(bench->edge);
	assert_true(bench->is_answered);
	assert_int_equal(bench->failure.code, ERROR_IO);
	assert_false(prepare(bench, DEADLINE_MS, &err));
}

/* ---- HTTP ---- */

static void respond(struct http_exchange *exchange, unsigned status, const char *type,
	const char *body, const char *session)
{
	http_respond(exchange, &(struct http_response){.status = status,
				       .content_type = type,
				       .body = text_of(body),
				       .headers = &(struct http_header){"Mcp-Session-Id", session},
				       .header_count = session == NULL ? 0 : 1});
}

static void on_held_closed(void *context, enum http_closed how)
{
	struct bench *bench = context;

	(void)how;
	bench->held--;
	bench->has_closed = true;
}

static void hold_unanswered(struct bench *bench, struct http_exchange *exchange)
{
	bench->held++;
	bench->has_held = true;
	http_exchange_watch(exchange,
		&(struct http_exchange_events){.context = bench, .on_closed = on_held_closed});
}

enum { PINGS = UPSTREAM_STRAYS_MAX + 50 };

/* The answer, and then more questions than one could answer. */
static void respond_pings(struct http_exchange *exchange, long long id)
{
	struct buffer body;
	int i;

	buffer_init(&body, 64 * 1024);
	buffer_append_format(
		&body, "data: {\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{}}\n\n", id);
	for (i = 0; i < PINGS; i++)
		buffer_append_format(
			&body, "data: {\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"ping\"}\n\n", i);
	buffer_append_byte(&body, '\0');
	assert_false(buffer_failed(&body));
	respond(exchange, 200, "text/event-stream", body.data, NULL);
	buffer_deinit(&body);
}

static void http_answer(
	struct bench *bench, struct http_exchange *exchange, const char *method, long long id)
{
	char body[1024];
	const char *mode = bench->http_mode;

	if (strcmp(method, "initialize") == 0) {
		(void)snprintf(body, sizeof body,
			"{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"protocolVersion\":\"2025-"
			"06-18\","
			"\"capabilities\":{\"tools\":{}},\"serverInfo\":{}}}",
			id);
		respond(exchange, 200, "application/json", body,
			strcmp(mode, "stateless") == 0 ? NULL : "session-1");
	} else if (strcmp(method, "tools/list") == 0) {
		bench->lists++;
		(void)snprintf(body, sizeof body,
			"event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":%lld,\n"
			"data: \"result\":{\"tools\":[{\"name\":\"list%d\"}]}}\n\n",
			id, bench->lists);
		respond(exchange, 200, "text/event-stream", body, NULL);
	} else if (strcmp(mode, "gone") == 0) {
		bench->http_mode = "good";
		respond(exchange, 404, "text/plain", "no", NULL);
	} else if (strcmp(mode, "busy") == 0)
		respond(exchange, 503, "application/json",
			"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":1,\"message\":\"too "
			"busy\"}}",
			NULL);
	else if (strcmp(mode, "unauthorized") == 0)
		respond(exchange, 401, NULL, "", NULL);
	else if (strcmp(mode, "html") == 0)
		respond(exchange, 200, "text/html", "<p>hello</p>", NULL);
	else if (strcmp(mode, "other-id") == 0)
		respond(exchange, 200, "application/json",
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", NULL);
	else if (strcmp(mode, "short-stream") == 0)
		respond(exchange, 200, "text/event-stream", "id: 1\ndata:\n\n", NULL);
	else if (strcmp(mode, "cut") == 0)
		http_exchange_abort(exchange);
	else if (strcmp(mode, "never") == 0 || method[0] == '\0')
		hold_unanswered(bench, exchange);
	else if (strcmp(mode, "pings") == 0)
		respond_pings(exchange, id);
	else if (strcmp(mode, "asks") == 0) {
		(void)snprintf(body, sizeof body,
			"data: {\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"elicitation/create\","
			"\"params\":{}}\n\n"
			"data: {\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"fine\":true}}\n\n",
			id);
		respond(exchange, 200, "text/event-stream", body, NULL);
	} else {
		(void)snprintf(body, sizeof body,
			"data: "
			"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
			"{\"progressToken\":%lld,\"progress\":1}}\n\n"
			"data: "
			"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
			"message\",\"params\":{}}\n\n"
			"data: {\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"fine\":true}}\n\n",
			id, id);
		respond(exchange, 200, "text/event-stream", body, NULL);
	}
}

static void note_request(struct bench *bench, struct http_exchange *exchange, struct text method)
{
	size_t used = strlen(bench->methods);

	(void)snprintf(bench->methods + used, sizeof bench->methods - used,
		"%.*s %.*s s=%.*s v=%.*s a=%.*s;",
		TEXT_ARGS(http_exchange_request(exchange)->method), TEXT_ARGS(method),
		TEXT_ARGS(http_header_find(exchange, "Mcp-Session-Id")),
		TEXT_ARGS(http_header_find(exchange, "MCP-Protocol-Version")),
		TEXT_ARGS(http_header_find(exchange, "Authorization")));
}

static void on_listening_closed(void *context, enum http_closed how)
{
	struct bench *bench = context;

	(void)how;
	bench->listening = NULL;
}

static void on_request(void *context, struct http_exchange *exchange)
{
	struct bench *bench = context;
	const struct http_request *request = http_exchange_request(exchange);
	struct json message;
	struct text method;
	struct error err;
	char name[64];

	if (!text_is(request->method, "POST")) {
		note_request(bench, exchange, (struct text){0});
		if (text_is(request->method, "DELETE") ||
			strcmp(bench->http_mode, "stateless") == 0) {
			respond(exchange, text_is(request->method, "DELETE") ? 200 : 405, NULL, "",
				NULL);
			return;
		}
		bench->listening = exchange;
		http_exchange_watch(exchange, &(struct http_exchange_events){.context = bench,
						      .on_closed = on_listening_closed});
		(void)http_stream_start(exchange, &(struct http_response){.status = 200,
							  .content_type = "text/event-stream"});
		return;
	}
	assert_true(json_parse(&message, http_exchange_arena(exchange), request->body,
		&json_limits_default, &err));
	method = json_text_or(&message, "method", "");
	note_request(bench, exchange, method);
	(void)snprintf(name, sizeof name, "%.*s", TEXT_ARGS(method));
	bench->has_cancelled |= text_is(method, "notifications/cancelled");
	if (json_find(&message, "id") == NULL)
		respond(exchange, 202, NULL, "", NULL);
	else
		http_answer(bench, exchange, name, json_integer_or(&message, "id", -1));
}

static void use_http(struct bench *bench, const char *mode)
{
	struct error err;

	bench->http_mode = mode;
	assert_true(http_server_create(&bench->http, bench->loop,
		&(struct http_server_settings){
			.tcp_address = "127.0.0.1:0", .on_request = on_request, .context = bench},
		&err));
	(void)snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%u/mcp",
		http_server_port(bench->http));
	bench->server.transport = TRANSPORT_HTTP;
	bench->server.url = text_of(bench->url);
}

static void an_http_server_is_connected_with_session_and_version(void **state)
{
	struct bench *bench = *state;

	use_http(bench, "good");
	connect_server(bench);
	call_tool(bench, "any");
	assert_string_equal(bench->result, "{\"fine\":true}");
	assert_string_equal(bench->notices, "notifications/progress 1;notifications/message -1;");
	assert_non_null(strstr(bench->methods, "POST initialize s= v= a=;"));
	assert_non_null(strstr(
		bench->methods, "POST notifications/initialized s=session-1 v=2025-06-18 a=;"));
	assert_non_null(strstr(bench->methods, "POST tools/list s=session-1 v=2025-06-18 a=;"));
	assert_non_null(strstr(bench->methods, "POST tools/call s=session-1 v=2025-06-18 a=;"));
	assert_non_null(strstr(bench->methods, "GET  s=session-1 v=2025-06-18 a=;"));
}

static void a_server_without_sessions_or_a_get_stream_will_do(void **state)
{
	struct bench *bench = *state;

	use_http(bench, "stateless");
	connect_server(bench);
	call_tool(bench, "any");
	assert_string_equal(bench->result, "{\"fine\":true}");
	assert_non_null(strstr(bench->methods, "POST tools/call s= v=2025-06-18 a=;"));
}

static void a_changed_list_is_heard_on_the_get_stream(void **state)
{
	struct bench *bench = *state;

	use_http(bench, "good");
	connect_server(bench);
	call_tool(bench, "any");
	assert_non_null(bench->listening);
	assert_true(http_stream_write(bench->listening,
		TEXT("data: "
		     "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n")));
	talk_run_until(bench->loop, &bench->has_new_definitions);
	assert_string_equal(bench->definitions, "[{\"name\":\"list2\"}]");
}

static void over_http_a_question_belongs_to_the_call_it_came_in(void **state)
{
	struct bench *bench = *state;

	use_http(bench, "good");
	connect_server(bench);
	call_tool(bench, "any");
	assert_non_null(bench->listening);
	bench->http_mode = "asks";
	call_tool(bench, "any");
	assert_string_equal(bench->asked, "fake elicitation/create within;");
	bench->asked[0] = '\0';
	assert_true(http_stream_write(bench->listening,
		TEXT("data: {\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"roots/list\"}\n\n"
		     "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}"
		     "\n\n")));
	bench->has_new_definitions = false;
	talk_run_until(bench->loop, &bench->has_new_definitions);
	assert_string_equal(bench->asked, "fake roots/list;"); /* of no call */
}

struct bad_http {
	const char *mode;
	enum error_code code;
	const char *text;
	bool is_unknown;
	int gone_calls;
};

static const struct bad_http bad_http[] = {
	{"gone", ERROR_IO, "ended our session", false, 1},
	{"busy", ERROR_IO, "HTTP 503: too busy", true, 0},
	{"unauthorized", ERROR_IO, "refused the gateway's credential (HTTP 401)", false, 0},
	{"html", ERROR_IO, "answered HTTP 200", true, 0},
	{"other-id", ERROR_IO, "another request", true, 1},
	{"short-stream", ERROR_IO, "ended its stream", true, 0},
	{"cut", ERROR_IO, "server fake", true, 1},
};

static void a_bad_http_answer_is_a_clear_failure(void **state)
{
	struct bench *bench = *state;
	size_t i;

	use_http(bench, "good");
	for (i = 0; i < sizeof bad_http / sizeof bad_http[0]; i++) {
		connect_server(bench);
		bench->gone_calls = 0;
		bench->http_mode = bad_http[i].mode;
		call_tool(bench, "any");
		bench->http_mode = "good";
		assert_failed(bench, bad_http[i].code, bad_http[i].text);
		assert_int_equal(bench->is_unknown, bad_http[i].is_unknown);
		assert_int_equal(bench->gone_calls, bad_http[i].gone_calls);
	}
	connect_server(bench);
	call_tool(bench, "any");
	assert_int_equal(bench->failure.code, ERROR_NONE);
}

static void an_http_server_that_does_not_answer_is_a_timeout(void **state)
{
	struct bench *bench = *state;

	use_http(bench, "good");
	connect_server(bench);
	bench->http_mode = "never";
	call_tool_until(bench, "any", 30);
	assert_failed(bench, ERROR_TIMEOUT, "did not answer in time");
	assert_true(bench->is_unknown);
	assert_int_equal(bench->gone_calls, 0);
}

/* A call that its agent gives up while the server is at work. */
static void abandon(struct bench *bench)
{
	struct json_member member = {TEXT("name"), json_cstring("any")};
	struct json params = {.type = JSON_OBJECT, .count = 1, .members = &member};
	struct error err = {0};

	bench->has_held = false;
	bench->has_cancelled = false;
	if (!start(bench, &params, 3 * TALK_GUARD_MS, &err))
		fail_msg("not started: %s", err.text);
	talk_run_until(bench->loop, &bench->has_held);
	bench->port.cancel(bench->port.context, &bench->wait);
	talk_run_until(bench->loop, &bench->has_cancelled);
}

/* Else an agent that starts calls and gives them up would take all descriptors. */
static void only_so_many_requests_that_nobody_waits_for_are_kept(void **state)
{
	struct bench *bench = *state;
	int i;

	use_http(bench, "good");
	connect_server(bench);
	bench->http_mode = "never";
	for (i = 0; i < UPSTREAM_STRAYS_MAX - 1; i++) /* and the notice of the last one */
		abandon(bench);
	assert_false(bench->has_closed);
	assert_int_equal(bench->held, UPSTREAM_STRAYS_MAX - 1);
	abandon(bench);
	talk_run_until(bench->loop, &bench->has_closed);
	assert_int_equal(bench->held, UPSTREAM_STRAYS_MAX - 1);
	bench->http_mode = "good";
	call_tool(bench, "any"); /* the others go on */
	assert_int_equal(bench->failure.code, ERROR_NONE);
}

static void a_server_that_asks_without_end_gets_only_so_many_answers_at_once(void **state)
{
	struct bench *bench = *state;
	int i;

	use_http(bench, "pings");
	connect_server(bench);
	call_tool(bench, "any");
	assert_string_equal(bench->result, "{}");
	talk_run_until(bench->loop, &bench->has_held);
	bench->http_mode = "good";
	for (i = 0; i < PINGS; i++) /* until all have come that will */
		call_tool(bench, "any");
	assert_in_range(bench->held, 1, UPSTREAM_STRAYS_MAX);
}

static void an_http_server_that_is_down_is_refused_with_its_reason(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	use_http(bench, "good");
	http_server_destroy(&bench->http);
	assert_false(prepare(bench, DEADLINE_MS, &err));
	assert_int_equal(err.code, ERROR_IO);
	assert_non_null(strstr(err.text, "server fake"));
}

static void the_credential_is_sent_to_the_server_and_shown_nowhere(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(setenv("UPSTREAM_TEST_KEY", "key-of-test", 1), 0);
	use_http(bench, "good");
	bench->server.credential = TEXT("env:UPSTREAM_TEST_KEY");
	bench->secrets = NULL;
	{
		struct error err = {0};

		assert_false(prepare(bench, DEADLINE_MS, &err)); /* no secrets are kept */
		assert_int_equal(err.code, ERROR_NOT_FOUND);
	}
	assert_null(strstr(bench->log, "key-of-test"));
}

static void on_credential_used(void *context, struct text reference, struct text value)
{
	struct bench *bench = context;

	(void)snprintf(bench->credential, sizeof bench->credential, "%.*s %.*s",
		TEXT_ARGS(reference), TEXT_ARGS(value));
}

static int setup_sealed(void **state)
{
	struct bench *bench;
	struct seal_key key = {{1}};
	struct error err;

	setup(state);
	bench = *state;
	upstream_edge_destroy(&bench->edge);
	memcpy(bench->folder, "/tmp/upstream-XXXXXX", 21);
	assert_non_null(mkdtemp(bench->folder));
	assert_true(secrets_open(&bench->secrets, bench->folder, &key, &err));
	assert_true(upstream_edge_create(&bench->edge,
		&(struct upstream_edge_settings){.loop = bench->loop,
			.http = bench->client,
			.find_server = find_server,
			.find_context = bench,
			.secrets = bench->secrets,
			.credentials = {bench, on_credential_used},
			.on_log = on_log,
			.log_context = bench},
		&err));
	upstream_edge_listen(bench->edge,
		&(struct upstream_listener){
			.context = bench, .on_request = on_asked, .on_withdrawn = on_withdrawn});
	bench->port = upstream_edge_port(bench->edge);
	return 0;
}

static int teardown_sealed(void **state)
{
	struct bench *bench = *state;

	upstream_edge_destroy(&bench->edge);
	secrets_close(&bench->secrets);
	assert_int_equal(rmdir(bench->folder), 0);
	return teardown(state);
}

static void a_credential_goes_with_every_request(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(setenv("UPSTREAM_TEST_KEY", "key-of-test", 1), 0);
	use_http(bench, "good");
	bench->server.credential = TEXT("env:UPSTREAM_TEST_KEY");
	connect_server(bench);
	call_tool(bench, "any");
	assert_string_equal(bench->result, "{\"fine\":true}");
	assert_non_null(strstr(bench->methods, "POST initialize s= v= a=Bearer key-of-test;"));
	assert_non_null(strstr(
		bench->methods, "POST tools/call s=session-1 v=2025-06-18 a=Bearer key-of-test;"));
	assert_null(strstr(bench->log, "key-of-test"));
	assert_string_equal(bench->credential, "env:UPSTREAM_TEST_KEY key-of-test");
}

static void a_refusal_that_cannot_be_sent_leaves_room_for_the_next_question(void **state)
{
	struct bench *bench = *state;

	bench->takes_questions = true;
	use_http(bench, "asks");
	bench->server.credential = TEXT("env:UPSTREAM_TEST_KEY");
	assert_int_equal(setenv("UPSTREAM_TEST_KEY", "key-of-test", 1), 0);
	connect_server(bench);
	for (int i = 0; i <= UPSTREAM_ASKS_MAX; i++) {
		assert_int_equal(setenv("UPSTREAM_TEST_KEY", "key-of-test", 1), 0);
		call_tool(bench, "any");
		assert_int_equal(bench->question_count, 1);
		assert_int_equal(setenv("UPSTREAM_TEST_KEY", "no\nheader", 1), 0);
		assert_false(tell(
			bench, bench->questions[0], &(struct upstream_reply){.refusal = "no"}));
		bench->question_count = 0;
	}
}

/* Then whoever decides says no, which ends it. */
static void a_clients_words_that_cannot_be_sent_leave_the_question_open(void **state)
{
	struct bench *bench = *state;
	const struct json result = {.type = JSON_OBJECT};

	bench->takes_questions = true;
	use_http(bench, "asks");
	bench->server.credential = TEXT("env:UPSTREAM_TEST_KEY");
	assert_int_equal(setenv("UPSTREAM_TEST_KEY", "key-of-test", 1), 0);
	connect_server(bench);
	call_tool(bench, "any");
	assert_int_equal(setenv("UPSTREAM_TEST_KEY", "no\nheader", 1), 0);
	assert_false(tell(bench, bench->questions[0], &(struct upstream_reply){.result = &result}));
	assert_false(tell(bench, bench->questions[0], &(struct upstream_reply){.refusal = "no"}));
	assert_true(tell(bench, bench->questions[0], &(struct upstream_reply){.refusal = "no"}));
}

static void a_credential_that_cannot_be_read_is_explained_in_the_log_alone(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	use_http(bench, "good");
	bench->server.credential = TEXT("file:/no/such/key");
	assert_false(prepare(bench, DEADLINE_MS, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_string_equal(
		err.text, "server fake: credential: it cannot be read: the log says why");
	assert_non_null(strstr(bench->log, "credential: file:/no/such/key: No such file"));
	assert_string_equal(bench->methods, "");
}

static void a_credential_never_leaves_in_the_clear(void **state)
{
	struct bench *bench = *state;
	const char *const urls[] = {"http://192.0.2.1/mcp", "http://127.0.0.1.example/mcp",
		"http://127.0.0.1@192.0.2.1/", "http://localhost.example:80/"};
	size_t i;

	bench->server.transport = TRANSPORT_HTTP;
	bench->server.credential = TEXT("env:UPSTREAM_TEST_KEY");
	for (i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		struct error err = {0};

		bench->server.url = text_of(urls[i]);
		assert_false(prepare(bench, DEADLINE_MS, &err));
		assert_int_equal(err.code, ERROR_INVALID);
		assert_non_null(strstr(err.text, "https only"));
	}
}

static void stopping_ends_the_session_at_the_server(void **state)
{
	struct bench *bench = *state;
	struct error err;

	use_http(bench, "good");
	connect_server(bench);
	upstream_edge_stop(bench->edge);
	while (strstr(bench->methods, "DELETE  s=session-1") == NULL) {
		struct loop_timer soon = {.on_due = talk_on_guard};
		struct talk talk = {.loop = bench->loop};

		soon.context = &talk;
		assert_true(loop_timer_start(bench->loop, &soon, 1));
		assert_true(loop_run(bench->loop, &err));
	}
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
/* clang-format off */
#define SEALED(name) cmocka_unit_test_setup_teardown(name, setup_sealed, teardown_sealed)
/* clang-format on */

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(an_unregistered_server_is_not_found),
		WITH(nothing_leaves_before_the_server_is_ready),
		WITH(a_server_that_cannot_start_is_refused_with_its_reason),
		WITH(a_server_that_cannot_be_confined_is_not_started),
		WITH(a_child_that_cannot_give_up_what_it_must_never_runs),
		WITH(each_start_is_held_anew_and_let_go),
		WITH(a_server_that_starts_wrongly_is_told_apart),
		WITH(a_server_that_does_not_initialize_is_given_up_at_the_deadline),
		WITH(a_server_without_tools_is_ready_with_none),
		WITH(all_pages_of_tools_are_handed_over_before_ready),
		WITH(a_call_gets_its_own_answer),
		WITH(an_error_of_the_server_is_passed_on_as_one),
		WITH(our_environment_does_not_reach_the_server),
		WITH(a_bad_answer_is_a_clear_failure_and_the_server_comes_again),
		WITH(a_slow_answer_is_a_timeout_and_is_cancelled_at_the_server),
		WITH(an_answer_to_another_request_is_dropped),
		WITH(a_second_answer_to_one_request_is_dropped),
		WITH(a_cancelled_call_says_nothing_more),
		WITH(progress_reaches_its_own_call_and_nothing_else_does),
		WITH(a_question_of_the_server_is_refused),
		WITH(a_question_of_another_form_is_told_from_one_nobody_may_ask),
		WITH(a_server_is_told_that_it_is_the_client_that_cannot_answer),
		WITH(a_server_is_told_that_it_is_the_mode_that_the_client_cannot_answer),
		WITH(a_question_that_is_taken_is_answered_once),
		WITH(a_refusal_and_a_clients_error_are_told_apart),
		WITH(after_a_call_was_given_up_nobody_knows_which_one_asks),
		WITH(what_a_server_takes_back_is_withdrawn),
		WITH(the_questions_of_a_server_that_is_gone_are_withdrawn),
		WITH(more_questions_than_the_bound_are_refused),
		WITH(a_server_is_told_what_it_may_ask),
		WITH(over_http_a_question_belongs_to_the_call_it_came_in),
		WITH(a_server_is_told_the_ceiling_and_the_record_by_remit_alone),
		WITH(a_changed_list_is_read_again_before_the_next_call),
		WITH(another_registration_replaces_the_connection),
		WITH(stopping_fails_what_is_under_way),
		WITH(an_http_server_is_connected_with_session_and_version),
		WITH(a_server_without_sessions_or_a_get_stream_will_do),
		WITH(a_changed_list_is_heard_on_the_get_stream),
		WITH(a_bad_http_answer_is_a_clear_failure),
		WITH(an_http_server_that_does_not_answer_is_a_timeout),
		WITH(only_so_many_requests_that_nobody_waits_for_are_kept),
		WITH(a_server_that_asks_without_end_gets_only_so_many_answers_at_once),
		WITH(an_http_server_that_is_down_is_refused_with_its_reason),
		WITH(the_credential_is_sent_to_the_server_and_shown_nowhere),
		SEALED(a_credential_goes_with_every_request),
		SEALED(a_refusal_that_cannot_be_sent_leaves_room_for_the_next_question),
		SEALED(a_clients_words_that_cannot_be_sent_leave_the_question_open),
		SEALED(a_credential_that_cannot_be_read_is_explained_in_the_log_alone),
		SEALED(a_credential_never_leaves_in_the_clear),
		WITH(stopping_ends_the_session_at_the_server),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
