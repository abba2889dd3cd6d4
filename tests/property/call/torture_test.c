/* The law when memory runs out: the Nth allocation fails, for every N, on the
 * way of a call that is allowed, and of those that people approve, edit or break the
 * glass for. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/approve/break_glass.h"
#include "support/call_bench.h"

static long countdown = -1; /* -1: nothing fails */
static bool has_failed;
static bool is_spared;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool fails_now(void)
{
	if (is_spared || countdown < 0 || countdown-- != 0)
		return false;
	has_failed = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails_now() ? NULL : __real_realloc(memory, size);
}

static void spare(bool begins)
{
	is_spared = begins;
}

typedef void scenario(struct call_bench *bench, struct bench_client *client);

static void allowed(struct call_bench *bench, struct bench_client *client)
{
	(void)call_bench_start(bench, client, "read", "{\"path\":\"tickets/1\"}");
	call_bench_flush(bench);
	call_bench_ready(bench, true);
	call_bench_answer(bench, "{\"content\":[]}");
	call_bench_flush(bench);
}

static void approved(struct call_bench *bench, struct bench_client *client)
{
	const struct approval *approval;
	char id[32] = "";

	(void)call_bench_start(bench, client, "write", "{\"a\":1}");
	call_bench_flush(bench);
	approval = approval_next(bench->approve, NULL);
	if (approval != NULL)
		snprintf(id, sizeof(id), "%.*s", TEXT_ARGS(approval->id));
	(void)call_bench_approve(bench, id, "ana", true);
	call_bench_flush(bench);
	call_bench_ready(bench, true);
	call_bench_answer(bench, "{\"content\":[]}");
	call_bench_flush(bench);
}

static void first_id(struct call_bench *bench, char id[32])
{
	const struct approval *approval = approval_next(bench->approve, NULL);

	id[0] = '\0';
	if (approval != NULL)
		(void)snprintf(id, 32, "%.*s", TEXT_ARGS(approval->id));
}

/* A person accepts other arguments, and the agent does as it is told. */
static void edited(struct call_bench *bench, struct bench_client *client)
{
	static struct bench_client second;
	struct call_edit edit = {.person = TEXT("ana"), .arena = bench->scratch};
	struct json patch;
	struct error err;
	char id[32], next[32] = "";

	(void)call_bench_start(bench, client, "write", "{\"a\":1}");
	call_bench_flush(bench);
	first_id(bench, id);
	spare(true);
	assert_true(
		json_parse(&patch, bench->scratch, TEXT("{\"a\":2}"), &json_limits_default, &err));
	spare(false);
	edit.id = text_of(id);
	edit.with = &patch;
	edit.proof = call_bench_proof(bench, id, "ana", ANSWER_EDIT);
	if (call_edit_submit(bench->call, &edit, &err))
		(void)snprintf(next, sizeof next, "%.*s", TEXT_ARGS(edit.approval));
	call_bench_flush(bench);
	(void)call_bench_approve(bench, next, "ana", true);
	(void)call_bench_start(bench, &second, "write", "{\"a\":2}");
	call_bench_flush(bench);
	call_bench_ready(bench, true);
	call_bench_answer(bench, "{\"content\":[]}");
	call_bench_flush(bench);
}

/* One person breaks the glass, and the call goes. */
static void broken(struct call_bench *bench, struct bench_client *client)
{
	struct break_glass_request request = {.verb = BREAK_GLASS_VERB_OPEN,
		.person = TEXT("bo"),
		.identity = TEXT("agent"),
		.ticket = TEXT("INC-7"),
		.reason = TEXT("nobody is awake"),
		.is_alone = true,
		.proof = call_bench_proof(bench, "g", "bo", ANSWER_APPROVE),
		.arena = bench->scratch};
	struct error err;

	if (!break_glass_submit(bench->approve, &request, &err))
		return; /* no memory for it: the call would wait for people */
	call_bench_flush(bench);
	(void)call_bench_start(bench, client, "write", "{\"a\":1}");
	call_bench_flush(bench);
	call_bench_ready(bench, true);
	call_bench_answer(bench, "{\"content\":[]}");
	call_bench_flush(bench);
}

static void killed(struct call_bench *bench, struct bench_client *client)
{
	(void)call_bench_start(bench, client, "list", "{}");
	call_bench_flush(bench);
	(void)call_bench_kill(bench, "agent", "");
	call_bench_flush(bench);
	call_bench_ready(bench, true);
}

/* The server asks a person within a call, who answers. */
static void asked(struct call_bench *bench, struct bench_client *client)
{
	static const char form[] = "{\"message\":\"m\",\"requestedSchema\":{\"type\":\"object\","
				   "\"properties\":{\"a\":{\"type\":\"string\"}}}}";

	call_bench_own_work(bench, true);
	assert_true(decide_bench_put(&bench->world,
		"object: tool\nname: files/elicitation.create\neffect: write\nrisk: low\n"
		"reversal: none-needed\n"));
	decide_bench_edit(&bench->world, "agent", "entitlements:\n",
		"entitlements:\n  - {effect: write, tool: files/elicitation.create}\n");
	call_bench_own_work(bench, false);
	(void)call_bench_start(bench, client, "list", "{}");
	call_bench_flush(bench);
	call_bench_ready(bench, true);
	if (bench->request != NULL)
		(void)call_bench_server_asks(bench, "elicitation/create", form, true);
	if (client->asks > 0)
		(void)call_bench_client_answers(bench, client, client->ask,
			"{\"action\":\"accept\",\"content\":{\"a\":\"x\"}}");
	if (!has_failed)
		assert_non_null(strstr(bench->response, "\"a\":\"x\""));
	call_bench_answer(bench, "{\"content\":[]}");
	call_bench_flush(bench);
}

/* ---- a request to a model ---- */

static void on_bytes(void *context, bool is_stream, struct text bytes)
{
	struct bench_client *client = context;

	(void)is_stream;
	(void)bytes;
	assert_int_equal(client->replies, 0);
}

static void on_reply(void *context, const struct call_reply *reply)
{
	struct bench_client *client = context;

	assert_int_equal(client->replies++, 0);
	client->kind = reply->kind;
}

static bool ask_model(struct call_bench *bench, struct bench_client *client)
{
	static const char body[] = "{\"model\":\"m\",\"stream\":true,\"messages\":[]}";
	const struct call_client door = {
		.context = client, .on_bytes = on_bytes, .on_reply = on_reply};
	struct call_request request = {.task = TEXT("t-1"),
		.server = TEXT("open"),
		.method = TEXT("chat/completions"),
		.is_generation = true};
	struct json params;
	struct error err;

	call_bench_own_work(bench, true);
	assert_true(decide_bench_put(&bench->world,
		"object: server\nname: open\nunit: sales\nenvironment: staging\n"
		"speaks: openai\ntransport: {url: 'https://models.example/'}\n"
		"models: [{name: m, up-to: internal}]\n---\n"
		"object: identity\nname: agent\nkind: agent\nclass: retrieve\nrisk: low\n"
		"owner: ana\nbackup-owner: bo\nunit: support\npurpose: p\n"
		"environments: [staging]\nmodel: [{provider: open, name: m}]\n"
		"entitlements: [{effect: generate, resource: 'model:open/m'}]\n"));
	assert_true(json_parse(&params, bench->scratch, text_of(body), &json_limits_default, &err));
	call_bench_own_work(bench, false);
	request.params = &params;
	return call_start(bench->call, &request, &door, &client->exchange, &err);
}

static void generated(struct call_bench *bench, struct bench_client *client)
{
	static const char stream[] =
		"data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,"
		"\"function\":{\"name\":\"files__list\",\"arguments\":\"{}\"}}]}}]}\n\n";
	const struct upstream_bytes bytes = {200, UPSTREAM_EVENTS, text_of(stream)};

	if (!ask_model(bench, client))
		return;
	call_bench_flush(bench);
	call_bench_ready(bench, true);
	if (bench->request != NULL)
		bench->request->on_bytes(bench->request->context, &bytes);
	call_bench_flush(bench);
	if (bench->request != NULL)
		call_bench_answer(bench, NULL);
	call_bench_flush(bench);
}

/* Returns false once nothing failed any more. */
static bool run_with_failure(long n, scenario *play, unsigned *started)
{
	struct call_bench *bench = calloc(1, sizeof(*bench));
	struct bench_client client = {0};

	call_bench_init(bench, 60000);
	bench->on_own_work = spare;
	has_failed = false;
	countdown = n;
	play(bench, &client);
	countdown = -1;
	*started = bench->started;
	call_bench_wait(bench, 120000);
	call_bench_flush(bench);
	call_bench_wait(bench, 120000);
	call_bench_flush(bench);
	assert_int_equal(call_figures(bench->call).in_flight, 0);
	call_bench_deinit(bench);
	free(bench);
	return has_failed;
}

static void try_every_failure(scenario *play, unsigned started_at_the_end)
{
	unsigned started = 0;
	long n = 0;

	while (run_with_failure(n, play, &started)) {
		n++;
		assert_true(started <= 1);
		assert_true(n < 5000);
	}
	assert_int_equal(started, started_at_the_end);
	assert_true(n > 5);
	printf("%ld failures\n", n);
}

static void an_allowed_call_survives_any_failure_of_memory(void **state)
{
	(void)state;
	try_every_failure(allowed, 1);
}

static void an_approved_call_survives_any_failure_of_memory(void **state)
{
	(void)state;
	try_every_failure(approved, 1);
}

static void an_edit_survives_any_failure_of_memory(void **state)
{
	(void)state;
	try_every_failure(edited, 1);
}

static void break_glass_survives_any_failure_of_memory(void **state)
{
	(void)state;
	try_every_failure(broken, 1);
}

static void a_kill_survives_any_failure_of_memory(void **state)
{
	(void)state;
	try_every_failure(killed, 0);
}

static void what_a_server_asks_survives_any_failure_of_memory(void **state)
{
	(void)state;
	try_every_failure(asked, 1);
}

static void a_request_to_a_model_survives_any_failure_of_memory(void **state)
{
	(void)state;
	try_every_failure(generated, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_allowed_call_survives_any_failure_of_memory),
		cmocka_unit_test(an_approved_call_survives_any_failure_of_memory),
		cmocka_unit_test(an_edit_survives_any_failure_of_memory),
		cmocka_unit_test(break_glass_survives_any_failure_of_memory),
		cmocka_unit_test(a_kill_survives_any_failure_of_memory),
		cmocka_unit_test(what_a_server_asks_survives_any_failure_of_memory),
		cmocka_unit_test(a_request_to_a_model_survives_any_failure_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
