#include "support/call_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WARM_BYTES = 2 * 1024 * 1024 };

static void must(bool ok, const struct error *err)
{
	if (ok)
		return;
	fprintf(stderr, "%s\n", err->text);
	abort();
}

/* ---- the values port: a digest with the task as its key, no secrecy --------- */

static struct sha256 value_digest(struct text task, struct text value)
{
	return hmac_sha256((const uint8_t *)task.data, task.length, value.data, value.length);
}

static bool digest_value(
	void *context, struct text task, struct text value, struct sha256 *out, struct error *err)
{
	struct call_bench *bench = context;

	if (bench->digest_fails)
		return error_set(err, ERROR_IO, "no key");
	*out = value_digest(task, value);
	return true;
}

static bool seal_value(void *context, struct text task, struct text plain, struct arena *arena,
	struct content_sealed *out, struct error *err)
{
	struct call_bench *bench = context;

	(void)task;
	if (bench->seal_fails)
		return error_set(err, ERROR_IO, "cannot seal");
	out->bytes = text_copy(arena, plain);
	if (out->bytes.data == NULL)
		return error_set(err, ERROR_LIMIT, "no room");
	out->digest = sha256_of(plain.data, plain.length);
	return true;
}

static bool attach_key(
	void *context, struct text task, struct record_append *append, struct error *err)
{
	struct call_bench *bench = context;

	(void)task;
	(void)append;
	return !bench->attach_fails || error_set(err, ERROR_IO, "cannot attach");
}

/* ---- the server, and the law ---------------------------------------------------- */

static bool is_decision_for(
	struct arena *arena, const struct fake_entry *entry, const struct upstream_request *request)
{
	const struct json *arguments = json_find(request->params, "arguments");
	struct sha256 named, found;
	struct json record;
	struct error err;
	bool is_for = false;

	if (arena == NULL || !json_parse(&record, arena, entry->entry, &json_limits_default, &err))
		abort();
	if (text_is(json_text_or(&record, "type", ""), "decision") &&
		text_is(json_text_or(&record, "verdict", ""), "allow") &&
		text_equal(json_text_or(&record, "server", ""), request->server) &&
		text_equal(json_text_or(&record, "method", ""), request->method) &&
		digest_parse(json_text_or(&record, "arguments", ""), &named)) {
		struct text canonical =
			arguments == NULL ? TEXT("{}") : json_canonical_text(arena, arguments);

		found = value_digest(json_text_or(&record, "task", ""), canonical);
		is_for = sha256_equal(&named, &found);
	}
	return is_for;
}

static void own_work(const struct call_bench *bench, bool begins)
{
	if (bench->on_own_work != NULL)
		bench->on_own_work(begins);
}

/* One approval, one request. */
static void check_approval(struct call_bench *bench, size_t index)
{
	static const char name[] = "\"approval\":\"";
	struct text entry = bench->log.entries[index].entry;
	const char *at = memmem(entry.data, entry.length, name, strlen(name));
	size_t i;

	if (at == NULL)
		return;
	snprintf(bench->used[index], sizeof(bench->used[index]), "%.*s", APPROVAL_ID_BYTES,
		at + strlen(name));
	for (i = 0; i < bench->log.count; i++)
		if (i != index && strcmp(bench->used[i], bench->used[index]) == 0) {
			fprintf(stderr, "an approval opened two requests\n");
			abort();
		}
}

/* No durable ALLOW of its own, no request: the law. */
static void check_law(struct call_bench *bench, const struct upstream_request *request)
{
	size_t i;

	own_work(bench, true);
	for (i = 0; i < bench->log.count; i++)
		if (!bench->sent_on[i] &&
			is_decision_for(bench->law, &bench->log.entries[i], request))
			break;
	own_work(bench, false);
	if (i == bench->log.count) {
		fprintf(stderr, "the server received a request that was not allowed and durable\n");
		abort();
	}
	bench->sent_on[i] = true;
	check_approval(bench, i);
}

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

	check_law(bench, request);
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
	own_work(bench, true);
	if (result == NULL) {
		answer.failure = &failure;
		answer.is_unknown = true;
	} else {
		must(json_parse(
			     &value, bench->scratch, text_of(result), &json_limits_default, &err),
			&err);
		answer.result = &value;
	}
	own_work(bench, false);
	request->on_answer(request->context, &answer);
	call_bench_pump(bench);
}

/* ---- the bench -------------------------------------------------------------------- */

static bool fold_kill(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct call_bench *bench = state;

	(void)index;
	if (json_find(record, "task") != NULL)
		return true;
	return registry_set_killed(bench->world.registry, json_text_or(record, "identity", ""),
		(uint64_t)json_integer_or(record, "epoch", 0), err);
}

static void make_services(struct call_bench *bench, int64_t hold_ms)
{
	const struct fold_log port = fake_log_port(&bench->log);
	const struct fold_handler kill = {.type = "kill", .apply = fold_kill, .state = bench};
	const struct approve_settings approvals = {0};
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

	must(loop_create(&bench->loop, &err), &err);
	must(fold_create(&bench->fold, &port, bench->loop, &err), &err);
	must(fold_add(bench->fold, &kill, &err), &err);
	must(task_fold_register(bench->fold, bench->world.tasks, &err), &err);
	must(decide_service_create(&bench->decide, bench->world.registry, bench->world.tasks, &err),
		&err);
	must(approve_create(&bench->approve, bench->world.registry, bench->world.tasks, bench->fold,
		     &approvals, &err),
		&err);
	ports = (struct call_ports){
		.loop = bench->loop,
		.fold = bench->fold,
		.registry = bench->world.registry,
		.tasks = bench->world.tasks,
		.decide = bench->decide,
		.approve = bench->approve,
		.upstream = {bench, prepare, start, cancel},
		.values = {bench, digest_value, seal_value, attach_key},
	};
	must(call_service_create(&bench->call, &ports, &settings, &err), &err);
	must(fold_finish_loading(bench->fold, &err), &err);
}

/* One block large enough for the bench's own needs. */
static struct arena *warm_arena(size_t size_bytes)
{
	struct arena *arena = arena_create((size_t)1 << 30);

	if (arena == NULL || arena_alloc(arena, 1, size_bytes) == NULL)
		abort();
	arena_reset(arena);
	return arena;
}

void call_bench_init(struct call_bench *bench, int64_t hold_ms)
{
	memset(bench, 0, sizeof(*bench));
	bench->scratch = warm_arena(WARM_BYTES);
	bench->law = warm_arena(WARM_BYTES);
	decide_bench_init(&bench->world);
	fake_log_init(&bench->log);
	arena_destroy(&bench->log.arena);
	bench->log.arena = warm_arena(WARM_BYTES);
	bench->log.now_utc_ms = bench->world.now_utc_ms;
	bench->log.is_held = true; /* the log answers from the loop, never at once */
	make_services(bench, hold_ms);
	bench->now_ms = loop_now_ms(bench->loop);
}

void call_bench_deinit(struct call_bench *bench)
{
	bench->log.loses = true;
	fake_log_flush(&bench->log);
	call_bench_pump(bench);
	call_service_destroy(&bench->call);
	approve_destroy(&bench->approve);
	decide_service_destroy(&bench->decide);
	fold_destroy(&bench->fold);
	loop_destroy(&bench->loop);
	fake_log_deinit(&bench->log);
	decide_bench_deinit(&bench->world);
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
			fake_log_flush(&bench->log);
		loop_post(bench->loop, &post);
		must(loop_run(bench->loop, &err), &err);
	}
}

void call_bench_flush(struct call_bench *bench)
{
	fake_log_flush(&bench->log);
	call_bench_pump(bench);
	fake_log_flush(&bench->log);
	call_bench_pump(bench);
}

void call_bench_wait(struct call_bench *bench, int64_t ms)
{
	bench->now_ms += ms;
	bench->log.now_utc_ms += ms;
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
		buffer_deinit(&buffer);
	}
}

bool call_bench_start_method(struct call_bench *bench, struct bench_client *client,
	const char *task, const char *method, const char *params_text)
{
	const struct call_client door = {
		.context = client, .on_notice = on_notice, .on_reply = on_reply};
	struct call_request request = {
		.task = text_of(task),
		.server = TEXT("files"),
		.method = text_of(method),
		.wants_progress = true,
	};
	struct json params;
	struct error err;

	memset(client, 0, sizeof(*client));
	own_work(bench, true);
	must(json_parse(&params, bench->scratch, text_copy(bench->scratch, text_of(params_text)),
		     &json_limits_default, &err),
		&err);
	own_work(bench, false);
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

static void on_done(void *context, uint64_t index, const struct error *err)
{
	struct call_bench *bench = context;

	(void)index;
	bench->answers++;
	bench->is_answer_ok = err == NULL;
}

bool call_bench_approve(struct call_bench *bench, const char *id, const char *person, bool is_yes)
{
	const struct approve_request request = {
		.id = text_of(id),
		.person = text_of(person),
		.is_yes = is_yes,
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

static bool is_type(const struct fake_entry *entry, const char *type)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "\"type\":\"%s\"", type);
	return memmem(entry->entry.data, entry->entry.length, wanted, strlen(wanted)) != NULL;
}

unsigned call_bench_records(const struct call_bench *bench, const char *type)
{
	unsigned count = 0;
	size_t i;

	for (i = 0; i < bench->log.count; i++)
		count += is_type(&bench->log.entries[i], type);
	return count;
}

const char *call_bench_last(const struct call_bench *bench, const char *type)
{
	size_t i;

	for (i = bench->log.count; i-- > 0;)
		if (is_type(&bench->log.entries[i], type))
			return bench->log.entries[i].entry.data;
	return "";
}
