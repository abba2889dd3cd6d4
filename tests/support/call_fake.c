/* The bench filled with a log in memory, and the law by what that log holds. */
#include "support/call_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* What was sealed, which is as it came. */
static bool open_content(
	void *context, uint64_t index, struct arena *arena, struct text *out, struct error *err)
{
	struct call_bench *bench = context;

	*out = (struct text){0};
	if (index >= bench->log.count || bench->log.entries[index].content.length == 0)
		return error_set(err, ERROR_NOT_FOUND, "nothing lies there");
	*out = text_copy(arena, bench->log.entries[index].content);
	return out->data != NULL || error_set(err, ERROR_LIMIT, "no room");
}

/* ---- the law ---------------------------------------------------------------------- */

static bool is_decision_for(
	struct arena *arena, const struct fake_entry *entry, const struct upstream_request *request)
{
	const struct json *arguments = text_is(request->method, "tools/call")
					       ? json_find(request->params, "arguments")
					       : request->params;
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
		struct text canonical = request->body.length > 0 ? request->body
					: arguments == NULL      ? TEXT("{}")
							    : json_canonical_text(arena, arguments);

		found = value_digest(json_text_or(&record, "task", ""), canonical);
		is_for = sha256_equal(&named, &found);
	}
	return is_for;
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
static void check_law(void *context, const struct upstream_request *request)
{
	struct call_bench *bench = context;
	size_t i;

	call_bench_own_work(bench, true);
	for (i = 0; i < bench->log.count; i++)
		if (!bench->sent_on[i] &&
			is_decision_for(bench->law, &bench->log.entries[i], request))
			break;
	call_bench_own_work(bench, false);
	if (i == bench->log.count) {
		fprintf(stderr, "the server received a request that was not allowed and durable\n");
		abort();
	}
	bench->sent_on[i] = true;
	check_approval(bench, i);
}

static bool fold_kill(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct call_bench *bench = state;
	uint64_t epoch = (uint64_t)json_integer_or(record, "epoch", 0);
	enum task_target target = task_target_of(json_text_or(record, "target", ""));

	(void)index;
	if (target == TASK_TARGET_UNIT)
		return registry_set_unit_killed(
			bench->world.registry, json_text_or(record, "unit", ""), epoch, err);
	if (target != TASK_TARGET_IDENTITY)
		return true;
	return registry_set_killed(
		bench->world.registry, json_text_or(record, "identity", ""), epoch, err);
}

/* ---- the filling ------------------------------------------------------------------ */

static void settle(void *context)
{
	fake_log_flush(&((struct call_bench *)context)->log);
}

static void pass(void *context, int64_t ms)
{
	((struct call_bench *)context)->log.now_utc_ms += ms;
}

static void make_fold(struct call_bench *bench, struct fold **out)
{
	const struct fold_log port = fake_log_port(&bench->log);
	const struct fold_handler kill = {.type = "kill", .apply = fold_kill, .state = bench};
	struct error err;

	must(fold_create(out, &port, bench->loop, &err), &err);
	must(fold_add(*out, &kill, &err), &err);
}

static const char *const people[] = {"ana", "bo", "cy", "eva", NULL};

void call_bench_init(struct call_bench *bench, int64_t hold_ms)
{
	struct call_filling filling = {
		.context = bench,
		.values = {bench, digest_value, seal_value, attach_key},
		.contents = {bench, open_content},
		.settle = settle,
		.pass = pass,
		.check = check_law,
		.check_context = bench,
	};
	struct error err;

	call_bench_open(bench);
	decide_bench_init(&bench->world);
	people_enrol(bench->world.registry, people, bench->world.arena);
	fake_log_init(&bench->log);
	arena_destroy(&bench->log.arena);
	bench->log.arena = call_bench_arena();
	bench->log.now_utc_ms = bench->world.now_utc_ms;
	bench->log.is_held = true; /* the log answers from the loop, never at once */
	make_fold(bench, &filling.fold);
	filling.registry = bench->world.registry;
	filling.tasks = bench->world.tasks;
	call_bench_attach(bench, &filling, hold_ms);
	must(fold_finish_loading(bench->fold, &err), &err);
}

void call_bench_deinit(struct call_bench *bench)
{
	struct fold *fold = bench->fold;

	bench->log.loses = true;
	fake_log_flush(&bench->log);
	call_bench_pump(bench);
	call_bench_detach(bench);
	fold_destroy(&fold);
	fake_log_deinit(&bench->log);
	decide_bench_deinit(&bench->world);
	call_bench_close(bench);
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
