/* What is handed to a peer, on the bench of calls: whose its tasks are, what its events bring, and
 * the token that a governed one gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/call/exchange.h"
#include "support/call_bench.h"

#define SERVER(more)                                                                               \
	"object: server\nname: writer\nunit: sales\nenvironment: staging\nspeaks: a2a\n"           \
	"transport: {url: 'https://writer.example/'" more "}\n---\n"                               \
	"object: tool\nname: writer/summarise\neffect: delegate\nup-to: internal\nrisk: low\n"     \
	"reversal: none-needed\n---\n"
#define AGENT(more)                                                                                \
	"object: identity\nname: agent\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"     \
	"backup-owner: bo\nunit: support\npurpose: Works on tickets\nenvironments: [staging]\n"    \
	"outputs: [{to: 'peer:writer', up-to: internal}]\n"                                        \
	"entitlements: [{effect: delegate, resource: 'peer:writer'}]\n" more
#define LINE "peers: [{identity: writer, effects: [read], up-to: internal}]\n"
#define EXCHANGED                                                                                  \
	", exchange: {grant: token-exchange, url: 'https://sts.example/t', audience: 'aud'}"
#define SEND                                                                                       \
	"{\"message\":{\"messageId\":\"m\",\"role\":\"ROLE_USER\",\"parts\":[{\"text\":\"a\"}]}}"
#define ABOUT(id) "{\"id\":\"" id "\"}"
#define TASK "{\"task\":{\"id\":\"p-1\",\"contextId\":\"c-1\"}}"

struct client {
	struct exchange *exchange;
	unsigned replies, events;
	enum call_reply_kind kind;
	enum reason reason;
	char message[1024];
};

/* The maker of tokens, which does what it is told. */
static struct maker {
	enum { MAKES_NOW, MAKES_LATER, MAKES_NOTHING, REFUSES } does;
	struct call_hand *hand;
	unsigned asked;
} maker; /* check-source: global: reset by each test's setup */

static bool make(void *context, struct text task, struct text peer, struct call_hand *hand,
	struct error *err)
{
	const struct error over = {.code = ERROR_CONFLICT, .text = "its task is over"};

	(void)context;
	assert_true(text_is(task, "t-1") && text_is(peer, "writer"));
	maker.asked++;
	maker.hand = hand;
	if (maker.does == REFUSES)
		return error_set(err, ERROR_LIMIT, "no room");
	if (maker.does == MAKES_NOW)
		hand->done(hand, TEXT("a-token"), NULL);
	else if (maker.does == MAKES_NOTHING)
		hand->done(hand, TEXT(""), &over);
	return true;
}

static int setup(void **state)
{
	struct call_bench *bench = calloc(1, sizeof *bench);

	assert_non_null(bench);
	maker = (struct maker){0};
	call_bench_init(bench, 0);
	assert_true(decide_bench_put(&bench->world, SERVER("") AGENT(LINE)));
	bench->call->ports.handing = (struct call_handing){.make = make};
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct call_bench *bench = *state;

	call_bench_deinit(bench);
	free(bench);
	return 0;
}

static void on_notice(void *context, struct text method, const struct json *params)
{
	struct client *client = context;

	(void)method;
	(void)params;
	client->events++;
}

static void on_reply(void *context, const struct call_reply *reply)
{
	struct client *client = context;

	client->replies++;
	client->exchange = NULL;
	client->kind = reply->kind;
	client->reason = reply->decision->reason;
	(void)snprintf(client->message, sizeof client->message, "%.*s", TEXT_ARGS(reply->message));
}

static bool start_for(struct call_bench *bench, struct client *client, const char *task,
	const char *method, const char *params)
{
	const struct call_client door = {
		.context = client, .on_notice = on_notice, .on_reply = on_reply};
	struct call_request request = {.task = text_of(task),
		.server = TEXT("writer"),
		.method = text_of(method),
		.is_peer = true};
	struct json value;
	struct error err;

	*client = (struct client){0};
	assert_true(
		json_parse(&value, bench->scratch, text_of(params), &json_limits_default, &err));
	request.params = &value;
	if (call_start(bench->call, &request, &door, &client->exchange, &err))
		return true;
	client->reason = (enum reason)0;
	(void)snprintf(client->message, sizeof client->message, "%s", err.text);
	return false;
}

/* As far as the peer is ready. */
static void start(struct call_bench *bench, struct client *client, const char *method)
{
	assert_true(start_for(bench, client, "t-1", method, SEND));
	call_bench_pump(bench);
	call_bench_ready(bench, true);
	call_bench_pump(bench);
}

static void event(struct call_bench *bench, const char *text)
{
	struct json value;
	struct error err;

	assert_true(json_parse(&value, bench->scratch, text_of(text), &json_limits_default, &err));
	bench->request->on_notice(bench->request->context, TEXT(""), &value);
	call_bench_pump(bench);
}

static void what_is_no_request_to_a_peer_is_not_taken(void **state)
{
	struct client client;

	assert_false(start_for(*state, &client, "t-1", "tools/call", "{}"));
	assert_false(start_for(*state, &client, "t-1", "SendMessage", "{}"));
	assert_false(start_for(*state, &client, "t-none", "SendMessage", SEND));
	assert_false(start_for(*state, &client, "t-1", "GetTask", ABOUT("p-1")));
	assert_non_null(strstr(client.message, "no task or context of this peer"));
}

static void a_task_of_the_peer_is_its_callers_from_the_event_that_names_it(void **state)
{
	struct call_bench *bench = *state;
	struct client client, other;

	start(bench, &client, "SendStreamingMessage");
	assert_non_null(bench->request);
	assert_true(text_is(bench->request->label, "public"));
	event(bench, TASK);
	assert_int_equal(client.events, 1);
	assert_true(start_for(bench, &other, "t-1", "GetTask", ABOUT("p-1")));
	call_abort(&other.exchange);
	decide_bench_open_task(&bench->world, "t-2", "agent", ENVIRONMENT_STAGING, NULL);
	assert_false(start_for(bench, &other, "t-2", "GetTask", ABOUT("p-1")));
	call_bench_answer(bench, TASK);
	assert_int_equal(client.kind, CALL_RESULT);
}

static void a_governed_peer_gets_the_token_that_was_made(void **state)
{
	struct call_bench *bench = *state;
	struct client client;

	start(bench, &client, "SendMessage");
	assert_int_equal(maker.asked, 1);
	assert_true(text_is(bench->request->subject_token, "a-token"));
	call_bench_answer(bench, TASK);
	assert_int_equal(client.kind, CALL_RESULT);
}

static void nothing_leaves_before_the_token_is_made(void **state)
{
	struct call_bench *bench = *state;
	struct client client;

	maker.does = MAKES_LATER;
	start(bench, &client, "SendMessage");
	assert_null(bench->request);
	maker.hand->done(maker.hand, TEXT("a-token"), NULL);
	call_bench_pump(bench);
	assert_true(text_is(bench->request->subject_token, "a-token"));
	call_bench_answer(bench, TASK);
	assert_int_equal(client.replies, 1);
}

static void without_a_token_nothing_leaves(void **state)
{
	struct call_bench *bench = *state;
	struct client client;

	for (int does = MAKES_NOTHING; does <= REFUSES; does++) {
		maker.does = does;
		start(bench, &client, "SendMessage");
		assert_int_equal(client.replies, 1);
		assert_int_equal(client.kind, CALL_FAILED);
		assert_null(bench->request);
	}
	maker.does = MAKES_LATER;
	start(bench, &client, "SendMessage");
	maker.hand->done(maker.hand, TEXT(""), &(struct error){.code = ERROR_IO, .text = "lost"});
	call_bench_pump(bench);
	assert_int_equal(client.kind, CALL_FAILED);
	assert_int_equal(bench->started, 0);
}

static void a_token_that_nobody_waits_for_any_more_is_dropped(void **state)
{
	struct call_bench *bench = *state;
	struct client client;

	maker.does = MAKES_LATER;
	start(bench, &client, "SendMessage");
	call_abort(&client.exchange);
	call_bench_pump(bench);
	maker.hand->done(maker.hand, TEXT("a-token"), NULL);
	call_bench_pump(bench);
	assert_int_equal(bench->started, 0);
	/* A kill meanwhile is seen before it leaves. */
	start(bench, &client, "SendMessage");
	assert_true(call_bench_kill(bench, NULL, "t-1"));
	call_bench_pump(bench);
	maker.hand->done(maker.hand, TEXT("a-token"), NULL);
	call_bench_pump(bench);
	assert_int_equal(client.replies, 1);
	assert_int_equal(bench->started, 0);
}

static void no_other_peer_gets_a_token(void **state)
{
	struct call_bench *bench = *state;
	struct client client;

	assert_true(decide_bench_put(&bench->world, AGENT("")));
	start(bench, &client, "SendMessage");
	assert_int_equal(bench->request->subject_token.length, 0);
	call_bench_answer(bench, TASK);
	assert_true(decide_bench_put(&bench->world, SERVER(", credential: 'file:/k'") AGENT(LINE)));
	start(bench, &client, "SendMessage");
	assert_int_equal(bench->request->subject_token.length, 0);
	call_bench_answer(bench, TASK);
	/* One that takes a provider token is another house's, and gets nothing of ours. */
	assert_true(decide_bench_put(&bench->world, SERVER(EXCHANGED) AGENT(LINE)));
	start(bench, &client, "SendMessage");
	assert_int_equal(bench->request->subject_token.length, 0);
	call_bench_answer(bench, TASK);
	assert_int_equal(maker.asked, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(what_is_no_request_to_a_peer_is_not_taken),
		CASE(without_a_token_nothing_leaves),
		CASE(nothing_leaves_before_the_token_is_made),
		CASE(a_token_that_nobody_waits_for_any_more_is_dropped),
		CASE(no_other_peer_gets_a_token),
		CASE(a_task_of_the_peer_is_its_callers_from_the_event_that_names_it),
		CASE(a_governed_peer_gets_the_token_that_was_made),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
