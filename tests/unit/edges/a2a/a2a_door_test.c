/* The door to peers over loopback.  services/issue, services/call and services/decide are fakes
 * in this file, linked in their place: what is tested is what the door makes of them. */
#include "../../wire/talk.h"

#include "edges/a2a/a2a_door.h"
#include "edges/a2a/a2a_private.h"
#include "wire/http_server.h"

enum { REQUEST_BYTES_MAX = 16 * 1024 };

#define ISSUER "http://127.0.0.1:8470"
#define PARAMS "{\"id\":\"t\"}"
#define BODY "{\"jsonrpc\":\"2.0\",\"id\":\"one\",\"method\":\"GetTask\",\"params\":" PARAMS "}"
#define STREAM                                                                                     \
	"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"SendStreamingMessage\",\"params\":" PARAMS "}"

struct fakes {
	enum error_code start_code; /* NONE: it is taken */
	struct call_client client;
	bool has_call;
	bool was_aborted;
	char method[64];
	char server[64];
	char task[64];
	bool stops_on_start;
	struct loop *loop;
	struct call_look *look; /* that is under way */
	bool looks_later;
	const char *card; /* of the peer */
	bool signs_not;
	bool holds_secret; /* the card: nothing of it is shown */
};
static struct fakes fakes; /* check-source: global: reset by each test's setup */

struct exchange {
	int unused;
};
static struct exchange the_exchange; /* check-source: global: nothing is in it */

/* ---- the fakes ---- */

struct text issue_issuer(const struct issue *issue)
{
	(void)issue;
	return TEXT(ISSUER);
}

struct text issue_peer_audience(const struct issue *issue, struct arena *arena, struct text peer)
{
	(void)issue;
	return text_format(arena, ISSUER "/a2a/%.*s", TEXT_ARGS(peer));
}

enum token_reason issue_authenticate_header(struct issue *issue, struct issue_presented *presented,
	struct text audience, struct issue_caller *out)
{
	struct text authorization = presented->authorization;

	(void)issue;
	if (authorization.length == 0)
		return TOKEN_NOT_CHECKED;
	if (!text_is(audience, ISSUER "/a2a/writer"))
		return TOKEN_SIGNATURE;
	*out = (struct issue_caller){.identity = TEXT("agent"), .task = TEXT("t-1")};
	if (text_is(authorization, "Bearer another"))
		out->identity = TEXT("another");
	else if (!text_is(authorization, "Bearer good"))
		return TOKEN_SIGNATURE;
	return TOKEN_ACCEPTED;
}

bool issue_wants_nonce(const struct issue_refused *refused)
{
	return refused->reason == TOKEN_NONCE;
}

void issue_nonce(const struct issue *issue, char out[ISSUE_NONCE_BYTES])
{
	(void)issue;
	memcpy(out, "nonce", sizeof "nonce");
}

void issue_peer_challenge(const struct issue *issue, struct text peer,
	const struct issue_refused *refused, struct buffer *out)
{
	(void)issue;
	(void)refused;
	buffer_append_format(out, "Bearer peer=%.*s", TEXT_ARGS(peer));
}

bool decide_tools_visible(struct decide_service *service, const struct decide_viewer *viewer,
	const struct json *result, struct arena *arena, struct json *out, struct error *err)
{
	(void)service;
	(void)arena;
	(void)err;
	assert_true(text_is(viewer->server, "writer"));
	assert_true(text_is(viewer->identity, "agent") || text_is(viewer->identity, "another"));
	*out = *result;
	return true;
}

bool call_start(struct call_service *service, const struct call_request *request,
	const struct call_client *client, struct exchange **out, struct error *err)
{
	(void)service;
	*out = NULL;
	if (fakes.start_code != ERROR_NONE)
		return error_set(err, fakes.start_code, "not started");
	assert_true(request->is_peer && !request->is_generation);
	fakes.client = *client;
	fakes.has_call = true;
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

bool call_look_start(struct call_service *service, struct call_look *look, struct error *err)
{
	(void)service;
	if (fakes.card == NULL)
		return error_set(err, ERROR_NOT_FOUND, "no such peer");
	fakes.look = look;
	if (fakes.looks_later)
		loop_stop(fakes.loop);
	else
		look->done(look->context, NULL);
	return true;
}

bool call_card(const struct call_service *service, struct text peer, struct arena *arena,
	struct json *out, struct error *err)
{
	(void)service;
	assert_true(text_is(peer, "writer"));
	return json_parse(out, arena, text_of(fakes.card), &json_limits_default, err);
}

/* Says of the card that it was looked at. */
bool call_pass_card(const struct call_service *service, const struct call_card_scene *scene,
	struct arena *arena, const struct json *card, struct json *out)
{
	struct json_builder passed;
	struct error err;

	(void)service;
	assert_true(text_is(scene->task, "t-1") && text_is(scene->peer, "writer"));
	json_object_start(&passed, arena);
	for (uint32_t i = 0; i < card->count; i++)
		json_put_named(&passed, card->members[i].name, card->members[i].value);
	json_put_cstring(&passed, "looked", "at");
	return !fakes.holds_secret && json_object_seal(&passed, out, &err);
}

static void sign(void *context, const struct json *card, struct token_signing *signing)
{
	(void)context;
	assert_null(json_find(card, "signatures"));
	assert_non_null(json_find(card, "looked"));
	signing->is_signed = !fakes.signs_not;
	signing->token = TEXT("PROTECTED..SIGNATURE");
	signing->done(signing);
}

static int64_t now_utc_ms(void *context)
{
	(void)context;
	return 0;
}

/* ---- the bench ---- */

struct bench {
	struct loop *loop;
	struct router *router;
	struct http_server *server;
	struct a2a_door *door;
	struct talk talk;
	char request[REQUEST_BYTES_MAX];
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	const struct a2a_door_settings settings = {
		.signer = {.sign = sign}, .now_utc_ms = now_utc_ms};
	struct error err;

	assert_non_null(bench);
	fakes = (struct fakes){0};
	assert_true(loop_create(&bench->loop, &err));
	fakes.loop = bench->loop;
	assert_true(router_create(&bench->router, &err));
	assert_true(a2a_door_create(&bench->door, &settings, &err));
	assert_true(a2a_door_route(bench->door, bench->router, &err));
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
	assert_int_equal(a2a_door_calls(bench->door), 0);
	a2a_door_destroy(&bench->door);
	router_destroy(&bench->router);
	loop_destroy(&bench->loop);
	free(bench);
	return 0;
}

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
#define TOKEN "Authorization: Bearer good\r\n"
#define VERSION "A2A-Version: 1.0\r\n"
#define GOOD TOKEN JSON VERSION
#define PEER "POST /a2a/writer"
#define CARD "GET /a2a/writer/.well-known/agent-card.json"

static void assert_answer(const char *answer, int status, const char *part)
{
	if (strtol(answer + 9, NULL, 10) != status)
		fail_msg("expected %d, got: %s", status, answer);
	if (strstr(answer, part) == NULL)
		fail_msg("no %s in: %s", part, answer);
}

/* A request that services/call has. */
static void begin(struct bench *bench, const char *body)
{
	struct error err;

	fakes.stops_on_start = true;
	say(bench, PEER, GOOD, body);
	assert_true(loop_run(bench->loop, &err));
	fakes.stops_on_start = false;
	assert_true(fakes.has_call);
}

static void reply(enum call_reply_kind kind, enum reason reason, const char *value)
{
	const struct decision decision = {.reason = reason, .needed = TEXT("more")};
	struct arena *arena = arena_create(64 * 1024);
	struct json json;
	struct error err;

	assert_true(json_parse(&json, arena, text_of(value), &json_limits_default, &err));
	fakes.client.on_reply(fakes.client.context, &(struct call_reply){.kind = kind,
							    .decision = &decision,
							    .is_recorded = true,
							    .index = 12,
							    .result = &json,
							    .error = &json,
							    .message = TEXT("why \"not\"")});
	arena_destroy(&arena);
}

static void event(const char *value)
{
	struct arena *arena = arena_create(64 * 1024);
	struct json json;
	struct error err;

	assert_true(json_parse(&json, arena, text_of(value), &json_limits_default, &err));
	fakes.client.on_notice(fakes.client.context, TEXT(""), &json);
	arena_destroy(&arena);
}

static const char *answer(struct bench *bench)
{
	talk_wait(&bench->talk, NULL);
	return bench->talk.got;
}

/* ---- who ---- */

static void whoever_has_no_token_for_the_peer_is_refused(void **state)
{
	struct bench *bench = *state;

	assert_answer(ask(bench, PEER, JSON VERSION, BODY), 401, "Bearer peer=writer");
	assert_answer(ask(bench, PEER, "Authorization: Bearer bad\r\n" JSON VERSION, BODY), 401,
		"unauthorized");
	assert_answer(ask(bench, "POST /a2a/other", GOOD, BODY), 401, "unauthorized");
	assert_answer(ask(bench, CARD, "", ""), 401, "unauthorized");
	assert_answer(
		ask(bench, PEER, GOOD "Origin: https://evil.example\r\n", BODY), 403, "pages");
	assert_answer(ask(bench, CARD, TOKEN "Origin: null\r\n", ""), 403, "pages");
	assert_false(fakes.has_call);
}

/* ---- form ---- */

static void what_is_no_request_is_not_handed_on(void **state)
{
	static const struct {
		const char *body;
		const char *code;
	} rows[] = {{"", "-32700"}, {"{", "-32700"}, {"\xff", "-32700"},
		{"{\"jsonrpc\":\"2.0\",\"jsonrpc\":\"2.0\"}", "-32700"}, {"[]", "-32600"},
		{"{\"jsonrpc\":\"2.0\",\"method\":\"GetTask\"}", "-32600"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", "-32600"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"message/send\"}", "-32601"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}", "-32601"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"getTask\"}", "-32601"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ListTasks\"}", "-32004"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"GetExtendedAgentCard\"}", "-32007"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"CreateTaskPushNotificationConfig\"}",
			"-32003"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"SendMessage\",\"params\":"
		 "{\"configuration\":{\"taskPushNotificationConfig\":{}}}}",
			"-32003"}};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_answer(ask(bench, PEER, GOOD, rows[i].body), 200, rows[i].code);
	assert_answer(ask(bench, PEER, TOKEN VERSION, BODY), 200, "-32005");
	assert_false(fakes.has_call);
}

static void another_version_is_not_spoken(void **state)
{
	static const char *const heads[] = {TOKEN JSON, TOKEN JSON "A2A-Version: 0.3\r\n",
		TOKEN JSON "A2A-Version: 1\r\n", TOKEN JSON "A2A-Version: 1.00\r\n",
		TOKEN JSON "A2A-Version: 2.0\r\n", GOOD VERSION};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		assert_answer(ask(bench, PEER, heads[i], BODY), 200, "-32009");
	assert_false(fakes.has_call);
}

static void what_services_call_does_not_take_is_told(void **state)
{
	static const struct {
		enum error_code code;
		const char *told;
	} rows[] = {{ERROR_INVALID, "-32602"}, {ERROR_CONFLICT, "-32001"},
		{ERROR_NOT_FOUND, "-32010"}, {ERROR_LIMIT, "-32013"}};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		fakes.start_code = rows[i].code;
		assert_answer(ask(bench, PEER, GOOD, BODY), 200, rows[i].told);
		assert_answer(bench->talk.got, 200, "\"id\":\"one\"");
	}
}

/* ---- answers ---- */

static void a_refusal_says_why_and_where_it_is_on_record(void **state)
{
	struct bench *bench = *state;

	begin(bench, BODY);
	assert_string_equal(fakes.task, "t-1");
	assert_string_equal(fakes.server, "writer");
	assert_string_equal(fakes.method, "GetTask");
	reply(CALL_REFUSED, REASON_SENSITIVITY, "{}");
	assert_answer(answer(bench), 200,
		"{\"error\":{\"code\":-32010,\"data\":[{\"@type\":\"type.googleapis.com/"
		"google.rpc.ErrorInfo\",\"domain\":\"remit\",\"metadata\":{\"needed\":\"more\","
		"\"record\":\"12\"},\"reason\":\"sensitivity\"}],\"message\":\"why \\\"not\\\"\"},"
		"\"id\":\"one\",\"jsonrpc\":\"2.0\"}");
	begin(bench, BODY);
	reply(CALL_ASKED, REASON_APPROVAL_NEEDED, "{}");
	assert_answer(answer(bench), 200, "\"code\":-32011");
	begin(bench, BODY);
	reply(CALL_FAILED, REASON_ALLOWED, "{}");
	assert_answer(answer(bench), 200, "\"code\":-32012");
}

static void the_error_of_a_peer_cannot_pass_for_remits(void **state)
{
	struct bench *bench = *state;

	begin(bench, BODY);
	reply(CALL_ERROR, REASON_ALLOWED, "{\"code\":-32010,\"message\":\"no\",\"data\":[1]}");
	assert_answer(answer(bench), 200, "{\"error\":{\"code\":-32014,\"message\":\"no\"}");
	begin(bench, BODY);
	reply(CALL_ERROR, REASON_ALLOWED, "{\"code\":-32001,\"message\":\"none\"}");
	assert_answer(answer(bench), 200, "{\"error\":{\"code\":-32001,\"message\":\"none\"}");
}

static void a_result_passes_whole(void **state)
{
	struct bench *bench = *state;

	begin(bench, BODY);
	event("{\"ignored\":1}"); /* it asked for no stream */
	reply(CALL_RESULT, REASON_ALLOWED, "{\"id\":\"t\"}");
	assert_answer(answer(bench), 200,
		"{\"id\":\"one\",\"jsonrpc\":\"2.0\",\"result\":{\"id\":\"t\"}}");
	assert_answer(bench->talk.got, 200, "Content-Type: application/json");
	assert_null(strstr(bench->talk.got, "ignored"));
}

static void events_pass_as_they_come_and_the_last_one_once(void **state)
{
	struct bench *bench = *state;

	begin(bench, STREAM);
	event("{\"n\":1}");
	talk_wait(&bench->talk, "{\"n\":1}");
	assert_answer(bench->talk.got, 200, "Content-Type: text/event-stream");
	event("{\"n\":2}");
	reply(CALL_RESULT, REASON_ALLOWED, "{\"n\":2}");
	assert_answer(answer(bench), 200,
		"data: {\"id\":7,\"jsonrpc\":\"2.0\",\"result\":{\"n\":2}}\n\n");
	assert_null(strstr(strstr(bench->talk.got, "\"n\":2") + 1, "\"n\":2"));
	assert_false(fakes.was_aborted);
}

static void a_stream_that_fails_ends_with_the_error(void **state)
{
	struct bench *bench = *state;

	begin(bench, STREAM);
	event("{\"n\":1}");
	reply(CALL_FAILED, REASON_ALLOWED, "{}");
	assert_answer(answer(bench), 200, "data: {\"error\":{\"code\":-32012");
	/* Before the first event it is no stream. */
	begin(bench, STREAM);
	reply(CALL_REFUSED, REASON_SENSITIVITY, "{}");
	assert_answer(answer(bench), 200, "Content-Type: application/json");
	assert_answer(bench->talk.got, 200, "\"code\":-32010");
	/* One answer to who asked for a stream is a stream of one. */
	begin(bench, STREAM);
	reply(CALL_RESULT, REASON_ALLOWED, "{\"n\":1}");
	assert_answer(answer(bench), 200, "data: {\"id\":7");
}

static void a_client_that_goes_away_aborts_its_request(void **state)
{
	struct bench *bench = *state;

	begin(bench, STREAM);
	talk_close(&bench->talk);
	talk_run_until(bench->loop, &fakes.was_aborted);
	assert_true(fakes.was_aborted);
}

static void so_many_answers_and_cards_are_under_way_at_most(void **state)
{
	struct bench *bench = *state;

	/* The share of one identity leaves others room. */
	assert_true(A2A_CALLS_MAX >= 4 * CALL_EXCHANGES_PER_IDENTITY_MAX_DEFAULT);
	bench->door->call_count = A2A_CALLS_MAX;
	assert_answer(ask(bench, PEER, GOOD, BODY), 200, "-32013");
	bench->door->call_count = A2A_CALLS_MAX - 1;
	begin(bench, BODY);
	reply(CALL_RESULT, REASON_ALLOWED, "{}");
	assert_answer(answer(bench), 200, "\"result\"");
	bench->door->call_count = 0;
	fakes.card = "{\"name\":\"Writer\",\"skills\":[]}";
	bench->door->card_count = A2A_CARDS_MAX;
	assert_answer(ask(bench, CARD, TOKEN, ""), 503, "busy");
	bench->door->card_count = A2A_CARDS_MAX - 1;
	assert_answer(ask(bench, CARD, TOKEN, ""), 200, "Writer");
	bench->door->card_count = 0;
}

/* ---- cards ---- */

static void a_card_is_ours_with_our_signature(void **state)
{
	struct bench *bench = *state;

	fakes.card = "{\"name\":\"Writer\",\"skills\":[{\"id\":\"a\"}],"
		     "\"signatures\":[{\"protected\":\"theirs\"}],"
		     "\"supportedInterfaces\":[{\"url\":\"https://writer.example\"}]}";
	assert_answer(ask(bench, CARD, TOKEN, ""), 200,
		"\"signatures\":[{\"protected\":\"PROTECTED\",\"signature\":\"SIGNATURE\"}]");
	assert_answer(bench->talk.got, 200, "\"url\":\"" ISSUER "/a2a/writer\"");
	assert_null(strstr(bench->talk.got, "theirs"));
	assert_null(strstr(bench->talk.got, "writer.example"));
}

static void without_a_card_or_a_signature_nothing_is_shown(void **state)
{
	struct bench *bench = *state;

	assert_answer(ask(bench, CARD, TOKEN, ""), 502, "no card");
	fakes.card = "{\"skills\":1}";
	assert_answer(ask(bench, CARD, TOKEN, ""), 502, "no card");
	fakes.card = "{\"name\":\"Writer\",\"skills\":[]}";
	fakes.holds_secret = true;
	assert_answer(ask(bench, CARD, TOKEN, ""), 502, "no card");
	fakes.holds_secret = false;
	fakes.signs_not = true;
	assert_answer(ask(bench, CARD, TOKEN, ""), 503, "not signed");
}

/* The peer may be slow, and nobody waits any more. */
static void a_card_that_comes_late_is_shown_to_nobody(void **state)
{
	struct bench *bench = *state;
	struct error err;

	fakes.card = "{\"name\":\"Writer\",\"skills\":[]}";
	fakes.looks_later = true;
	say(bench, CARD, TOKEN, "");
	assert_true(loop_run(bench->loop, &err));
	assert_int_equal(bench->door->card_count, 1);
	talk_close(&bench->talk);
	http_server_destroy(&bench->server);
	assert_int_equal(bench->door->card_count, 1);
	fakes.look->done(fakes.look->context, NULL);
	assert_int_equal(bench->door->card_count, 0);
}

/* Whoever goes away while the peer is silent holds its place until the peer was given up. */
static void one_identity_does_not_hold_all_places_for_cards(void **state)
{
	struct bench *bench = *state;
	struct error err;

	fakes.card = "{\"name\":\"Writer\",\"skills\":[]}";
	fakes.looks_later = true;
	for (int i = 0; i < A2A_CARDS_PER_IDENTITY_MAX; i++) {
		say(bench, CARD, TOKEN, "");
		assert_true(loop_run(bench->loop, &err));
	}
	assert_answer(ask(bench, CARD, TOKEN, ""), 503, "busy");
	assert_int_equal(bench->door->card_count, A2A_CARDS_PER_IDENTITY_MAX);
	fakes.looks_later = false;
	assert_answer(ask(bench, CARD, "Authorization: Bearer another\r\n", ""), 200, "Writer");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(whoever_has_no_token_for_the_peer_is_refused),
		CASE(what_is_no_request_is_not_handed_on),
		CASE(another_version_is_not_spoken),
		CASE(what_services_call_does_not_take_is_told),
		CASE(a_refusal_says_why_and_where_it_is_on_record),
		CASE(the_error_of_a_peer_cannot_pass_for_remits),
		CASE(a_stream_that_fails_ends_with_the_error),
		CASE(a_client_that_goes_away_aborts_its_request),
		CASE(so_many_answers_and_cards_are_under_way_at_most),
		CASE(without_a_card_or_a_signature_nothing_is_shown),
		CASE(a_card_that_comes_late_is_shown_to_nobody),
		CASE(one_identity_does_not_hold_all_places_for_cards),
		CASE(a_result_passes_whole),
		CASE(events_pass_as_they_come_and_the_last_one_once),
		CASE(a_card_is_ours_with_our_signature),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
