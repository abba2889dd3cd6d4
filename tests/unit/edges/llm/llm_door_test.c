/* The door to models over loopback.  services/issue, services/call, services/decide and
 * the registry are fakes in this file, linked in their place: what is tested is what the
 * door makes of them. */
#include "../../wire/talk.h"

#include "domain/charter/registry.h"
#include "edges/llm/llm_door.h"
#include "edges/llm/llm_private.h"
#include "services/decide/decide_service.h"
#include "wire/http_server.h"

enum { REQUEST_BYTES_MAX = 16 * 1024 };

#define ISSUER "http://127.0.0.1:8470"
#define BODY "{\"model\":\"m-1\",\"messages\":[]}"

struct fakes {
	enum error_code start_code; /* NONE: it is taken */
	struct call_client client;
	bool has_call;
	bool was_aborted;
	bool is_generation;
	char method[64];
	char server[64];
	char task[64];
	bool stops_on_start;
	struct loop *loop;
};
static struct fakes fakes; /* check-source: global: reset by each test's setup */

struct exchange {
	int unused;
};
static struct exchange the_exchange; /* check-source: global: nothing is in it */

/* ---- the fakes ---- */

struct text issue_provider_audience(
	const struct issue *issue, struct arena *arena, struct text provider)
{
	(void)issue;
	return text_format(arena, ISSUER "/llm/%.*s", TEXT_ARGS(provider));
}

static enum token_reason answer_for(
	struct text token, struct text audience, struct issue_caller *out)
{
	if (!text_is(token, "good"))
		return TOKEN_SIGNATURE;
	if (!text_is(audience, ISSUER "/llm/open") && !text_is(audience, ISSUER "/llm/anth"))
		return TOKEN_AUDIENCE;
	*out = (struct issue_caller){.identity = TEXT("agent"), .task = TEXT("t-1")};
	return TOKEN_ACCEPTED;
}

enum token_reason issue_authenticate_header(struct issue *issue, struct issue_presented *presented,
	struct text audience, struct issue_caller *out)
{
	static const char scheme[] = "Bearer ";
	struct text authorization = presented->authorization;
	size_t length = sizeof scheme - 1;

	(void)issue;
	if (presented->token.length > 0)
		return answer_for(presented->token, audience, out);
	if (text_is(authorization, "DPoP stale"))
		return TOKEN_NONCE;
	if (!text_starts_with(authorization, scheme))
		return TOKEN_NOT_CHECKED;
	return answer_for((struct text){authorization.data + length, authorization.length - length},
		audience, out);
}

void issue_provider_challenge(
	const struct issue *issue, const struct issue_refused *refused, struct buffer *out)
{
	(void)issue;
	buffer_append_format(out, "Bearer reason=%d", (int)refused->reason);
}

bool issue_wants_nonce(const struct issue_refused *refused)
{
	return refused->reason == TOKEN_NONCE;
}

void issue_nonce(const struct issue *issue, char out[ISSUE_NONCE_BYTES])
{
	(void)issue;
	memcpy(out, "n-0123456789abcdefghij", ISSUE_NONCE_BYTES);
}

const struct server *registry_find_server(const struct registry *registry, struct text name)
{
	static const struct server servers[] = {
		{.name = {"open", 4}, .speaks = SPEAKS_OPENAI},
		{.name = {"anth", 4}, .speaks = SPEAKS_ANTHROPIC},
		{.name = {"files", 5}, .speaks = SPEAKS_MCP},
	};

	(void)registry;
	for (size_t i = 0; i < sizeof servers / sizeof *servers; i++)
		if (text_equal(servers[i].name, name))
			return &servers[i];
	return NULL;
}

bool decide_models_visible(const struct decide_service *service, const struct decide_viewer *viewer,
	struct arena *arena, const struct text **out, size_t *count, struct error *err)
{
	static const struct text names[] = {{"m-1", 3}, {"a/\"b", 4}};

	(void)service;
	(void)arena;
	(void)err;
	*out = names;
	*count = text_is(viewer->identity, "agent") ? 2 : 0;
	return true;
}

bool call_start(struct call_service *service, const struct call_request *request,
	const struct call_client *client, struct exchange **out, struct error *err)
{
	(void)service;
	*out = NULL;
	if (fakes.start_code != ERROR_NONE)
		return error_set(err, fakes.start_code, "not started");
	fakes.client = *client;
	fakes.has_call = true;
	fakes.is_generation = request->is_generation;
	(void)snprintf(fakes.method, sizeof fakes.method, "%.*s", TEXT_ARGS(request->method));
	(void)snprintf(fakes.task, sizeof fakes.task, "%.*s", TEXT_ARGS(request->task));
	(void)snprintf(fakes.server, sizeof fakes.server, "%.*s", TEXT_ARGS(request->server));
	*out = &the_exchange;
	if (fakes.stops_on_start)
		loop_stop(fakes.loop);
	return true;
}

void call_abort(struct exchange **exchange)
{
	if (*exchange == NULL)
		return;
	fakes.was_aborted = true;
	*exchange = NULL;
}

/* ---- the bench ---- */

struct bench {
	struct loop *loop;
	struct router *router;
	struct http_server *server;
	struct llm_door *door;
	struct talk talk;
	char request[REQUEST_BYTES_MAX];
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	const struct llm_door_settings settings = {0};
	struct error err;

	assert_non_null(bench);
	fakes = (struct fakes){0};
	assert_true(loop_create(&bench->loop, &err));
	fakes.loop = bench->loop;
	assert_true(router_create(&bench->router, &err));
	assert_true(llm_door_create(&bench->door, &settings, &err));
	assert_true(llm_door_route(bench->door, bench->router, &err));
	assert_true(http_server_create(&bench->server, bench->loop,
		&(struct http_server_settings){.tcp_address = "127.0.0.1:0",
			.stream_bytes_max = 64 * 1024,
			.on_request = router_on_request,
			.context = bench->router},
		&err));
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	if (bench->talk.got != NULL)
		talk_close(&bench->talk);
	http_server_destroy(&bench->server);
	assert_int_equal(llm_door_calls(bench->door), 0);
	llm_door_destroy(&bench->door);
	router_destroy(&bench->router);
	loop_destroy(&bench->loop);
	free(bench);
	return 0;
}

/* A POST of JSON, unless the head says otherwise. */
static void say(struct bench *bench, const char *target, const char *head, const char *body)
{
	(void)snprintf(bench->request, sizeof bench->request,
		"%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n%s",
		target, head, strlen(body), body);
	if (bench->talk.got != NULL)
		talk_close(&bench->talk);
	talk_open(&bench->talk, bench->loop, http_server_port(bench->server));
	talk_say(&bench->talk, bench->request, strlen(bench->request));
}

static const char *ask(struct bench *bench, const char *target, const char *head, const char *body)
{
	say(bench, target, head, body);
	talk_wait(&bench->talk, NULL);
	return bench->talk.got;
}

#define JSON "Content-Type: application/json\r\n"
#define GOOD "Authorization: Bearer good\r\n" JSON
#define CHAT "POST /llm/open/v1/chat/completions"
#define MESSAGES "POST /llm/anth/v1/messages"

static void assert_answer(const char *answer, int status, const char *part)
{
	if (strtol(answer + 9, NULL, 10) != status)
		fail_msg("expected %d, got: %s", status, answer);
	if (strstr(answer, part) == NULL)
		fail_msg("no %s in: %s", part, answer);
}

/* A request that services/call has. */
static void begin(struct bench *bench, const char *target)
{
	struct error err;

	fakes.stops_on_start = true;
	say(bench, target, GOOD, BODY);
	assert_true(loop_run(bench->loop, &err));
	fakes.stops_on_start = false;
	assert_true(fakes.has_call);
}

static void reply(enum call_reply_kind kind, enum reason reason, const struct error *failure)
{
	const struct decision decision = {.reason = reason};

	fakes.client.on_reply(fakes.client.context, &(struct call_reply){.kind = kind,
							    .decision = &decision,
							    .status = 418,
							    .message = TEXT("why \"not\""),
							    .failure = failure});
}

static void bytes(bool is_stream, const char *text)
{
	fakes.client.on_bytes(fakes.client.context, is_stream, text_of(text));
}

static const char *answer(struct bench *bench)
{
	talk_wait(&bench->talk, NULL);
	return bench->talk.got;
}

/* ---- who ---- */

static void whoever_has_no_token_for_the_provider_is_refused(void **state)
{
	struct bench *bench = *state;

	assert_answer(ask(bench, CHAT, JSON, BODY), 401, "\"type\":\"authentication_error\"");
	assert_answer(ask(bench, MESSAGES, JSON, BODY), 401, "\"type\":\"error\"");
	assert_answer(ask(bench, CHAT, "Authorization: Bearer bad\r\n" JSON, BODY), 401, "token");
	assert_answer(ask(bench, CHAT, "Authorization: Basic good\r\n" JSON, BODY), 401, "token");
	assert_answer(ask(bench, CHAT, "x-api-key: bad\r\n" JSON, BODY), 401, "token");
	assert_answer(ask(bench, CHAT, "x-api-key: good\r\nx-api-key: good\r\n" JSON, BODY), 401,
		"token");
	/* Authorization counts where both are there. */
	assert_answer(
		ask(bench, CHAT, "Authorization: Bearer bad\r\nx-api-key: good\r\n" JSON, BODY),
		401, "token");
	assert_answer(ask(bench, "POST /llm/files/v1/messages", GOOD, BODY), 401, "token");
	assert_answer(ask(bench, "GET /llm/open/v1/models", "", ""), 401, "token");
	assert_answer(ask(bench, CHAT, "Authorization: DPoP stale\r\n" JSON, BODY), 401,
		"DPoP-Nonce: n-0123456789abcdefghij");
	assert_answer(ask(bench, CHAT, JSON, BODY), 401, "WWW-Authenticate: Bearer reason=0");
	assert_answer(
		ask(bench, CHAT, GOOD "Origin: https://evil.example\r\n", BODY), 403, "Pages");
	assert_false(fakes.has_call);
}

static void the_token_may_stand_where_either_client_puts_its_key(void **state)
{
	struct bench *bench = *state;

	begin(bench, CHAT);
	assert_string_equal(fakes.task, "t-1");
	assert_string_equal(fakes.server, "open");
	assert_string_equal(fakes.method, "chat/completions");
	assert_true(fakes.is_generation);
	fakes.stops_on_start = true;
	say(bench, "POST /llm/anth/v1/messages/count_tokens", "x-api-key: good\r\n" JSON, BODY);
	assert_true(loop_run(bench->loop, &(struct error){0}));
	assert_string_equal(fakes.method, "messages/count_tokens");
}

/* ---- form ---- */

static void what_is_no_request_is_not_handed_on(void **state)
{
	static const char *const bodies[] = {"", "{", "{\"a\":1,\"a\":2}", "\xff"};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
		assert_answer(ask(bench, CHAT, GOOD, bodies[i]), 400, "invalid_request");
	assert_answer(
		ask(bench, CHAT, "Authorization: Bearer good\r\n", BODY), 415, "application/json");
	assert_answer(ask(bench, "POST /llm/open/v1/messages", GOOD, BODY), 404, "no such path");
	assert_answer(
		ask(bench, "POST /llm/anth/v1/chat/completions", GOOD, BODY), 404, "not_found");
	assert_false(fakes.has_call);
}

static void what_services_call_does_not_take_is_told(void **state)
{
	static const struct {
		enum error_code code;
		int status;
		const char *word;
	} cases[] = {{ERROR_INVALID, 400, "invalid_request"},
		{ERROR_NOT_FOUND, 401, "task_unknown"}, {ERROR_LIMIT, 503, "busy"}};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		fakes.start_code = cases[i].code;
		assert_answer(ask(bench, CHAT, GOOD, BODY), cases[i].status, cases[i].word);
	}
}

/* ---- answers ---- */

static void a_stream_passes_as_it_comes(void **state)
{
	struct bench *bench = *state;

	begin(bench, CHAT);
	bytes(true, "data: 1\n\n");
	talk_wait(&bench->talk, "data: 1\n\n");
	assert_answer(bench->talk.got, 200, "Content-Type: text/event-stream");
	assert_null(strstr(bench->talk.got, "data: 2"));
	bytes(true, "data: 2\n\n");
	reply(CALL_RESULT, REASON_ALLOWED, NULL);
	assert_answer(answer(bench), 200, "data: 2\n\n");
	assert_false(fakes.was_aborted);
}

static void an_answer_that_is_no_stream_passes_whole(void **state)
{
	struct bench *bench = *state;

	begin(bench, CHAT);
	bytes(false, "{\"x\": 1}");
	reply(CALL_RESULT, REASON_ALLOWED, NULL);
	assert_answer(answer(bench), 200, "{\"x\": 1}");
	assert_answer(bench->talk.got, 200, "Content-Type: application/json");
}

static void each_end_without_an_answer_has_its_status(void **state)
{
	static const struct error slow = {.code = ERROR_TIMEOUT}, down = {.code = ERROR_IO};
	static const struct {
		enum call_reply_kind kind;
		enum reason reason;
		const struct error *failure;
		int status;
		const char *openai, *anthropic;
	} cases[] = {
		{CALL_REFUSED, REASON_MODEL, NULL, 403, "permission_error", "permission_error"},
		{CALL_REFUSED, REASON_BUDGET, NULL, 429, "rate_limit_error", "rate_limit_error"},
		{CALL_REFUSED, REASON_RATE_LIMIT, NULL, 429, "rate_limit_error",
			"rate_limit_error"},
		{CALL_REFUSED, REASON_NONE, &down, 503, "server_error", "overloaded_error"},
		{CALL_ASKED, REASON_APPROVAL_NEEDED, NULL, 403, "approval_needed",
			"approval_needed"},
		{CALL_STOPPED, REASON_BUDGET, NULL, 429, "\"code\":\"budget\"",
			"\"code\":\"budget\""},
		{CALL_STOPPED, REASON_FORBIDDEN, NULL, 403, "\"code\":\"forbidden\"",
			"permission_error"},
		{CALL_FAILED, REASON_ALLOWED, &down, 502, "server_error", "api_error"},
		{CALL_FAILED, REASON_ALLOWED, &slow, 504, "server_error", "timeout_error"},
		{CALL_ERROR, REASON_ALLOWED, NULL, 418, "invalid_request_error",
			"invalid_request_error"},
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin(bench, CHAT);
		reply(cases[i].kind, cases[i].reason, cases[i].failure);
		assert_answer(answer(bench), cases[i].status, cases[i].openai);
		assert_answer(bench->talk.got, cases[i].status, "why \\\"not\\\"");
		begin(bench, MESSAGES);
		reply(cases[i].kind, cases[i].reason, cases[i].failure);
		assert_answer(answer(bench), cases[i].status, cases[i].anthropic);
	}
}

/* A client tries 429 again by itself, unless it is told that this helps nothing. */
static void what_trying_again_does_not_change_is_said(void **state)
{
	struct bench *bench = *state;

	begin(bench, CHAT);
	reply(CALL_REFUSED, REASON_BUDGET, NULL);
	assert_answer(answer(bench), 429, "x-should-retry: false");
	begin(bench, CHAT);
	reply(CALL_REFUSED, REASON_RATE_LIMIT, NULL);
	assert_null(strstr(answer(bench), "x-should-retry"));
}

static void a_stream_that_is_stopped_ends_with_an_error_event(void **state)
{
	struct bench *bench = *state;

	begin(bench, CHAT);
	bytes(true, "data: 1\n\n");
	reply(CALL_STOPPED, REASON_BUDGET, NULL);
	assert_answer(answer(bench), 200, "data: 1\n\n");
	assert_answer(bench->talk.got, 200, "data: {\"error\":{\"code\":\"budget\"");
	begin(bench, MESSAGES);
	bytes(true, "event: x\ndata: 1\n\n");
	reply(CALL_FAILED, REASON_ALLOWED, NULL);
	assert_answer(
		answer(bench), 200, "event: error\ndata: {\"error\":{\"code\":\"provider_failed\"");
	assert_answer(bench->talk.got, 200, "\"type\":\"error\"}\n\n");
}

static void a_client_that_does_not_read_is_cut_off(void **state)
{
	static char block[32 * 1024 + 1];
	struct bench *bench = *state;

	memset(block, 'x', sizeof block - 1);
	begin(bench, CHAT);
	for (int i = 0; i < 64; i++)
		bytes(true, block); /* the loop does not turn, so nothing leaves */
	(void)answer(bench);
	assert_true(fakes.was_aborted);
	assert_true(bench->talk.got_count < 64 * (sizeof block - 1));
}

static void a_client_that_goes_away_aborts_its_request(void **state)
{
	struct bench *bench = *state;

	begin(bench, CHAT);
	talk_close(&bench->talk);
	talk_run_until(bench->loop, &fakes.was_aborted);
	assert_true(fakes.was_aborted);
}

/* ---- the list, and the bound ---- */

static void the_list_has_the_form_of_each_api(void **state)
{
	struct bench *bench = *state;

	assert_answer(ask(bench, "GET /llm/open/v1/models", GOOD, ""), 200,
		"{\"data\":[{\"id\":\"m-1\",\"object\":\"model\",\"created\":0,\"owned_by\":"
		"\"open\"},"
		"{\"id\":\"a/\\\"b\"");
	assert_answer(bench->talk.got, 200, "\"object\":\"list\"}");
	assert_answer(ask(bench, "GET /llm/anth/v1/models", GOOD, ""), 200,
		"\"first_id\":\"m-1\",\"last_id\":\"a/\\\"b\",\"has_more\":false}");
}

static void so_many_answers_are_under_way_at_most(void **state)
{
	struct bench *bench = *state;

	/* The share of one identity leaves others room. */
	assert_true(LLM_CALLS_MAX >= 4 * CALL_EXCHANGES_PER_IDENTITY_MAX_DEFAULT);
	bench->door->call_count = LLM_CALLS_MAX;
	assert_answer(ask(bench, CHAT, GOOD, BODY), 503, "busy");
	bench->door->call_count = LLM_CALLS_MAX - 1;
	begin(bench, CHAT);
	bytes(false, "{}");
	reply(CALL_RESULT, REASON_ALLOWED, NULL);
	assert_answer(answer(bench), 200, "{}");
	bench->door->call_count = 0;
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(whoever_has_no_token_for_the_provider_is_refused),
		CASE(what_is_no_request_is_not_handed_on),
		CASE(what_services_call_does_not_take_is_told),
		CASE(each_end_without_an_answer_has_its_status),
		CASE(what_trying_again_does_not_change_is_said),
		CASE(a_stream_that_is_stopped_ends_with_an_error_event),
		CASE(a_client_that_does_not_read_is_cut_off),
		CASE(a_client_that_goes_away_aborts_its_request),
		CASE(so_many_answers_are_under_way_at_most),
		CASE(the_token_may_stand_where_either_client_puts_its_key),
		CASE(a_stream_passes_as_it_comes),
		CASE(an_answer_that_is_no_stream_passes_whole),
		CASE(the_list_has_the_form_of_each_api),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
