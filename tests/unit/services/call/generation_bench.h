#ifndef TESTS_UNIT_SERVICES_CALL_GENERATION_BENCH_H
#define TESTS_UNIT_SERVICES_CALL_GENERATION_BENCH_H

/* A request to a model on the bench of calls: a client that keeps what it is sent, and a
 * provider that sends what a test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/generation/answer.h"
#include "services/call/exchange.h"
#include "support/call_bench.h"

#define WORLD                                                                                      \
	"object: server\nname: open\nunit: sales\nenvironment: staging\nspeaks: openai\n"          \
	"transport: {url: 'https://models.example/'}\n"                                            \
	"models: [{name: m-1, up-to: internal, input-price: 1000000, output-price: 1000000}]\n"    \
	"---\n"                                                                                    \
	"object: identity\nname: agent\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"     \
	"backup-owner: bo\nunit: support\npurpose: Works on tickets\nenvironments: [staging]\n"    \
	"model: [{provider: open, name: m-1, up-to: internal}]\n"                                  \
	"data-sources: [{name: tickets, up-to: internal}]\n"                                       \
	"outputs: [{to: reply, up-to: internal}]\n"                                                \
	"entitlements:\n"                                                                          \
	"  - {effect: generate, resource: 'model:open/m-1'}\n"                                     \
	"  - {effect: read, tool: files/read, when: 'context.args.path like \"*s/*\"'}\n"          \
	"limits: {task: 15m, budget-per-task: {tokens: 60, requests: 3}}\n"
#define BODY "{\"messages\":[{\"content\":\"secret words\",\"role\":\"user\"}],\"model\":\"m-1\"}"
#define STREAM                                                                                     \
	"{\"messages\":[{\"content\":\"hi\",\"role\":\"user\"}],\"model\":\"m-1\","                \
	"\"stream\":true}"
#define CHAT(delta) "data: {\"choices\":[{\"index\":0,\"delta\":" delta "}]}\n\n"
#define TEXT_OF(letters) CHAT("{\"content\":\"" letters "\"}")
#define TOOL_CALL(name, args)                                                                      \
	CHAT("{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"" name                        \
	     "\",\"arguments\":\"" args "\"}}]}")
#define DONE                                                                                       \
	"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"          \
	"data: [DONE]\n\n"

struct client {
	struct exchange *exchange;
	struct buffer bytes;
	unsigned replies;
	bool is_stream;
	enum call_reply_kind kind;
	enum reason reason;
	unsigned status;
	char message[2048];
};

static inline void on_bytes(void *context, bool is_stream, struct text bytes)
{
	struct client *client = context;

	assert_int_equal(client->replies, 0);
	client->is_stream = is_stream;
	buffer_append_text(&client->bytes, bytes);
}

static inline void on_reply(void *context, const struct call_reply *reply)
{
	struct client *client = context;

	client->replies++;
	client->exchange = NULL;
	client->kind = reply->kind;
	client->reason = reply->decision->reason;
	client->status = reply->status;
	(void)snprintf(client->message, sizeof client->message, "%.*s", TEXT_ARGS(reply->message));
}

static inline bool start_for(struct call_bench *bench, struct client *client, const char *method,
	const char *body, struct error *err)
{
	const struct call_client door = {
		.context = client, .on_bytes = on_bytes, .on_reply = on_reply};
	struct call_request request = {.task = TEXT("t-1"),
		.server = TEXT("open"),
		.method = text_of(method),
		.is_generation = true};
	struct json params;

	*client = (struct client){0};
	buffer_init(&client->bytes, 1 << 20);
	assert_true(json_parse(&params, bench->scratch, text_copy(bench->scratch, text_of(body)),
		&json_limits_default, err));
	request.params = &params;
	return call_start(bench->call, &request, &door, &client->exchange, err);
}

/* As far as the provider has the request. */
static inline void start(struct call_bench *bench, struct client *client, const char *body)
{
	struct error err;

	assert_true(start_for(bench, client, "chat/completions", body, &err));
	call_bench_pump(bench);
	call_bench_ready(bench, true);
	assert_non_null(bench->request);
}

static inline void send_as(
	struct call_bench *bench, unsigned status, enum upstream_type type, const char *bytes)
{
	const struct upstream_bytes piece = {status, type, text_of(bytes)};

	assert_non_null(bench->request);
	bench->request->on_bytes(bench->request->context, &piece);
	call_bench_pump(bench);
}

static inline void send(struct call_bench *bench, const char *bytes)
{
	send_as(bench, 200, UPSTREAM_EVENTS, bytes);
}

static inline void finish(struct call_bench *bench, unsigned status)
{
	const struct upstream_request *request = bench->request;

	bench->request = NULL;
	request->on_answer(request->context, &(struct upstream_answer){.status = status});
	call_bench_pump(bench);
	call_bench_flush(bench);
}

static inline bool outcome_has(struct call_bench *bench, const char *what)
{
	const char *outcome;

	call_bench_flush(bench);
	outcome = call_bench_last(bench, "outcome");
	if (strstr(outcome, what) == NULL)
		print_message("no %s in %s\n", what, outcome);
	return strstr(outcome, what) != NULL;
}

static inline void must_be_over(struct call_bench *bench, struct client *client)
{
	assert_int_equal(client->replies, 1);
	assert_int_equal(call_figures(bench->call).in_flight, 0);
	assert_null(bench->request);
	buffer_deinit(&client->bytes);
}

#endif
