#include "support/call_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "domain/call/ask.h"

enum { WARM_BYTES = 2 * 1024 * 1024 };

static void must(bool ok, const struct error *err)
{
	if (ok)
		return;
	fprintf(stderr, "%s\n", err->text);
	abort();
}

void call_bench_own_work(const struct call_bench *bench, bool begins)
{
	if (bench->on_own_work != NULL)
		bench->on_own_work(begins);
}

/* One block large enough for the bench's own needs. */
struct arena *call_bench_arena(void)
{
	struct arena *arena = arena_create((size_t)1 << 30);

	if (arena == NULL || arena_alloc(arena, 1, WARM_BYTES) == NULL)
		abort();
	arena_reset(arena);
	return arena;
}

/* ---- the server ------------------------------------------------------------------- */

static bool prepare(void *context, struct text server, int64_t deadline_ms,
	const struct upstream_ready *ready, struct upstream_wait **out, struct error *err)
{
	struct call_bench *bench = context;

	(void)server;
	(void)deadline_ms;
	if (bench->prepare_fault == FAULT_NOW)
		return error_set(err, ERROR_IO, "no such program");
	if (bench->is_prepare_pending)
		return error_set(err, ERROR_LIMIT, "the fake prepares one at a time");
	bench->prepared++;
	bench->ready = *ready;
	bench->is_prepare_pending = true;
	*out = (struct upstream_wait *)&bench->ready;
	return true;
}

static bool start(void *context, const struct upstream_request *request, struct upstream_wait **out,
	struct error *err)
{
	struct call_bench *bench = context;

	bench->filling.check(bench->filling.check_context, request);
	if (bench->start_fault == FAULT_NOW || bench->request != NULL)
		return error_set(err, ERROR_IO, "the pipe is closed");
	bench->started++;
	bench->request = request;
	*out = (struct upstream_wait *)&bench->request;
	return true;
}

static void cancel(void *context, struct upstream_wait **wait)
{
	struct call_bench *bench = context;

	if (*wait == NULL)
		return;
	bench->cancelled++;
	if (*wait == (struct upstream_wait *)&bench->request)
		bench->request = NULL;
	else
		bench->is_prepare_pending = false;
	*wait = NULL;
}

static void print_value(char *out, size_t size, const char *word, const struct json *value)
{
	struct buffer buffer;

	buffer_init(&buffer, size);
	json_canonical(&buffer, value);
	snprintf(out, size, "%s%.*s", word, TEXT_ARGS(buffer_text(&buffer)));
	buffer_deinit(&buffer);
}

static bool respond(
	void *context, uint64_t number, const struct upstream_reply *reply, struct error *err)
{
	struct call_bench *bench = context;

	if (bench->respond_fault == FAULT_NOW && reply->refusal == NULL)
		return error_set(err, ERROR_IO, "the pipe is closed");
	if (number == 0 || number > bench->question || number >= CALL_BENCH_REQUESTS_MAX ||
		bench->was_responded[number])
		abort(); /* each once */
	bench->was_responded[number] = true;
	bench->responses++;
	bench->responded = number;
	if (reply->result != NULL)
		print_value(bench->response, sizeof(bench->response), "result ", reply->result);
	else if (reply->error != NULL)
		print_value(bench->response, sizeof(bench->response), "error ", reply->error);
	else
		snprintf(bench->response, sizeof(bench->response), "refusal %s", reply->refusal);
	return true;
}

void call_bench_ready(struct call_bench *bench, bool is_ready)
{
	struct error err = {.code = ERROR_IO, .text = "it crashed"};

	if (!bench->is_prepare_pending)
		return;
	bench->is_prepare_pending = false;
	bench->ready.run(bench->ready.context, is_ready ? NULL : &err);
	call_bench_pump(bench);
}

void call_bench_notice(struct call_bench *bench)
{
	struct json params = {.type = JSON_OBJECT};

	if (bench->request != NULL)
		bench->request->on_notice(
			bench->request->context, TEXT("notifications/progress"), &params);
	call_bench_pump(bench);
}

void call_bench_answer(struct call_bench *bench, const char *result)
{
	const struct upstream_request *request = bench->request;
	struct error failure = {.code = ERROR_IO, .text = "it crashed"};
	struct upstream_answer answer = {0};
	struct json value;
	struct error err;

	if (request == NULL)
		return;
	bench->request = NULL;
	call_bench_own_work(bench, true);
	if (result == NULL) {
		answer.failure = &failure;
		answer.is_unknown = true;
	} else {
		must(json_parse(
			     &value, bench->scratch, text_of(result), &json_limits_default, &err),
			&err);
		answer.result = &value;
	}
	call_bench_own_work(bench, false);
	request->on_answer(request->context, &answer);
	call_bench_pump(bench);
}

/* ---- the bench -------------------------------------------------------------------- */

void call_bench_open(struct call_bench *bench)
{
	struct error err;

	memset(bench, 0, sizeof(*bench));
	bench->scratch = call_bench_arena();
	bench->law = call_bench_arena();
	must(loop_create(&bench->loop, &err), &err);
	bench->now_ms = loop_now_ms(bench->loop);
}

void call_bench_attach(
	struct call_bench *bench, const struct call_filling *filling, int64_t hold_ms)
{
	const struct approve_settings approvals = {.per_person_max = APPROVALS_MAX};
	const struct call_settings settings = {
		.hold_ms = hold_ms,
		.upstream_ms = 1000,
		.exchanges_max = CALL_BENCH_EXCHANGES_MAX,
		.exchanges_per_identity_max = CALL_BENCH_PER_IDENTITY_MAX,
		.exchanges_per_task_max = CALL_BENCH_PER_TASK_MAX,
		.arena_bytes = 4 * 1024 * 1024,
	};
	struct call_ports ports;
	struct error err;

	bench->filling = *filling;
	bench->fold = filling->fold;
	must(task_fold_register(bench->fold, filling->tasks, &err), &err);
	must(decide_service_create(&bench->decide, filling->registry, filling->tasks, &err), &err);
	must(decide_usage_register(bench->decide, bench->fold, &err), &err);
	must(approve_create(&bench->approve, filling->registry, filling->tasks, bench->fold,
		     &approvals, &err),
		&err);
	ports = (struct call_ports){
		.loop = bench->loop,
		.fold = bench->fold,
		.registry = filling->registry,
		.tasks = filling->tasks,
		.decide = bench->decide,
		.approve = bench->approve,
		.upstream = {bench, prepare, start, cancel, respond},
		.values = filling->values,
		.contents = filling->contents,
	};
	must(call_service_create(&bench->call, &ports, &settings, &err), &err);
}

void call_bench_detach(struct call_bench *bench)
{
	call_service_destroy(&bench->call);
	approve_destroy(&bench->approve);
	decide_service_destroy(&bench->decide);
	bench->fold = NULL;
}

void call_bench_close(struct call_bench *bench)
{
	loop_destroy(&bench->loop);
	arena_destroy(&bench->law);
	arena_destroy(&bench->scratch);
}

static void stop(struct loop_post *post)
{
	loop_stop(post->context);
}

void call_bench_pump(struct call_bench *bench)
{
	int round;

	/* What a post posts runs in a later turn. */
	for (round = 0; round < 4; round++) {
		struct loop_post post = {.run = stop, .context = bench->loop};
		struct error err;

		if (!bench->is_log_held)
			bench->filling.settle(bench->filling.context);
		loop_post(bench->loop, &post);
		must(loop_run(bench->loop, &err), &err);
	}
}

void call_bench_flush(struct call_bench *bench)
{
	bench->filling.settle(bench->filling.context);
	call_bench_pump(bench);
	bench->filling.settle(bench->filling.context);
	call_bench_pump(bench);
}

void call_bench_wait(struct call_bench *bench, int64_t ms)
{
	bench->now_ms += ms;
	bench->filling.pass(bench->filling.context, ms);
	call_tick(bench->call, bench->now_ms);
	call_bench_pump(bench);
}

static void on_notice(void *context, struct text method, const struct json *params)
{
	struct bench_client *client = context;

	(void)method;
	(void)params;
	if (client->replies != 0 || client->is_aborted)
		abort();
	client->notices++;
}

/* The law holds for what reaches a client as for what reaches a server. */
static bool on_ask(void *context, const struct call_ask *ask, struct error *err)
{
	struct bench_client *client = context;
	const struct call_filling *filling = &client->bench->filling;
	const struct upstream_request asked = {
		.server = TEXT("files"), .method = ask->method, .params = ask->params};

	if (client->replies != 0 || client->is_aborted || ask->number <= client->ask)
		abort();
	if (client->refuses_asks)
		return error_set(err, ERROR_LIMIT, "asked too much already");
	if (!client->bench->is_redacted)
		filling->check(filling->check_context, &asked);
	client->asks++;
	client->ask = ask->number;
	snprintf(client->ask_method, sizeof(client->ask_method), "%.*s", TEXT_ARGS(ask->method));
	print_value(client->ask_params, sizeof(client->ask_params), "", ask->params);
	return true;
}

static void on_ask_over(void *context, uint64_t number)
{
	struct bench_client *client = context;

	if (client->replies != 0 || client->is_aborted || number > client->ask)
		abort();
	client->asks_over++;
}

static void on_reply(void *context, const struct call_reply *reply)
{
	struct bench_client *client = context;

	if (client->replies != 0 || client->is_aborted)
		abort(); /* exactly one, and none after an abort */
	client->replies++;
	client->exchange = NULL;
	client->kind = reply->kind;
	client->verdict = reply->decision->verdict;
	client->reason = reply->decision->reason;
	client->is_recorded = reply->is_recorded;
	client->index = reply->index;
	snprintf(client->approval, sizeof(client->approval), "%.*s", TEXT_ARGS(reply->approval));
	snprintf(client->message, sizeof(client->message), "%.*s", TEXT_ARGS(reply->message));
	if (reply->result != NULL) {
		struct buffer buffer;

		buffer_init(&buffer, sizeof(client->result));
		json_canonical(&buffer, reply->result);
		snprintf(client->result, sizeof(client->result), "%.*s",
			TEXT_ARGS(buffer_text(&buffer)));
		client->has_result_text = reply->result_text.length != 0;
		if (client->has_result_text && !buffer_failed(&buffer) &&
			!text_equal(reply->result_text, buffer_text(&buffer)))
			abort();
		buffer_deinit(&buffer);
	}
}

bool call_bench_start_method(struct call_bench *bench, struct bench_client *client,
	const char *task, const char *method, const char *params_text)
{
	const struct call_client door = {.context = client,
		.on_notice = on_notice,
		.on_ask = on_ask,
		.on_ask_over = on_ask_over,
		.on_reply = on_reply};
	struct call_request request = {
		.abilities = bench->is_not_able ? 0 : ASK_SAMPLING | ASK_FORMS,
		.task = text_of(task),
		.server = TEXT("files"),
		.method = text_of(method),
		.wants_progress = true,
	};
	struct json params;
	struct error err;

	memset(client, 0, sizeof(*client));
	client->bench = bench;
	call_bench_own_work(bench, true);
	must(json_parse(&params, bench->scratch, text_copy(bench->scratch, text_of(params_text)),
		     &json_limits_default, &err),
		&err);
	call_bench_own_work(bench, false);
	request.params = &params;
	if (!call_start(bench->call, &request, &door, &client->exchange, &err))
		return false;
	if (!bench->is_log_held)
		call_bench_pump(bench);
	return true;
}

bool call_bench_start(struct call_bench *bench, struct bench_client *client, const char *tool,
	const char *arguments)
{
	struct text params =
		text_format(bench->scratch, "{\"name\":\"%s\",\"arguments\":%s}", tool, arguments);

	return call_bench_start_method(bench, client, "t-1", "tools/call", params.data);
}

void call_bench_abort(struct bench_client *client)
{
	client->is_aborted = true;
	call_abort(&client->exchange);
}

static const struct json *parse(struct call_bench *bench, const char *text)
{
	struct json *value = arena_new(bench->scratch, struct json);
	struct error err;

	call_bench_own_work(bench, true);
	must(json_parse(value, bench->scratch, text_copy(bench->scratch, text_of(text)),
		     &json_limits_default, &err),
		&err);
	call_bench_own_work(bench, false);
	return value;
}

bool call_bench_server_asks(
	struct call_bench *bench, const char *method, const char *params, bool is_within)
{
	struct upstream_listener listener = call_upstream_listener(bench->call);
	const struct upstream_ask question = {
		.number = ++bench->question,
		.server = TEXT("files"),
		.method = text_of(method),
		.params = params == NULL ? NULL : parse(bench, params),
		.request = is_within ? bench->request : NULL,
	};
	bool is_taken = listener.on_request(listener.context, &question, &bench->objection);

	if (!bench->is_log_held)
		call_bench_flush(bench);
	return is_taken;
}

bool call_bench_client_answers(
	struct call_bench *bench, struct bench_client *client, uint64_t number, const char *result)
{
	const struct call_answer answer = {.result = parse(bench, result)};
	bool is_awaited =
		client->exchange != NULL && call_answer(client->exchange, number, &answer);

	if (!bench->is_log_held)
		call_bench_flush(bench);
	return is_awaited;
}

static void on_done(void *context, uint64_t index, const struct error *err)
{
	struct call_bench *bench = context;

	(void)index;
	bench->answers++;
	bench->is_answer_ok = err == NULL;
}

struct answer_proof call_bench_proof(
	struct call_bench *bench, const char *id, const char *person, enum answer_verb verb)
{
	const struct approval *approval = approval_find(bench->approve, text_of(id));
	struct people_answer answer = {.person = person,
		.verb = verb,
		.approval = text_of(id),
		.reason = "because",
		.now_utc_ms = fold_stamp_utc_ms(bench->fold)};
	struct answer_proof proof;

	if (approval != NULL)
		answer.call = approval->call_digest;
	call_bench_own_work(bench, true);
	proof = people_sign(bench->scratch, &answer);
	call_bench_own_work(bench, false);
	return proof;
}

bool call_bench_approve(struct call_bench *bench, const char *id, const char *person, bool is_yes)
{
	enum answer_verb verb = is_yes ? ANSWER_APPROVE : ANSWER_REJECT;
	const struct approve_request request = {
		.id = text_of(id),
		.person = text_of(person),
		.verb = verb,
		.proof = call_bench_proof(bench, id, person, verb),
		.reason = TEXT("because"),
		.context = bench,
		.done = on_done,
	};
	struct error err;
	bool ok = approve_answer(bench->approve, &request, &err);

	if (!bench->is_log_held)
		call_bench_pump(bench);
	return ok;
}

bool call_bench_kill(struct call_bench *bench, const char *identity, const char *task)
{
	const struct call_kill kill = {
		.identity = text_of(identity),
		.task = text_of(task),
		.reason = TEXT("INC-7"),
		.actor = TEXT("uid:0"),
		.context = bench,
		.done = on_done,
	};
	struct error err;
	bool ok = call_kill_submit(bench->call, &kill, &err);

	if (!bench->is_log_held)
		call_bench_pump(bench);
	return ok;
}
