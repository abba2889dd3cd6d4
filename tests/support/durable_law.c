/* The law, by the durable image of the disk (durable_bench.h). */
#include "support/durable_law.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/call/method.h"

enum { APPROVALS_SEEN_MAX = 1024, LISTS_MAX = 2 /* w1's line says so */ };

void durable_law_broken(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "law broken: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	abort();
}

/* What is asked of the image, and what it said. */
struct inquiry {
	struct durable_bench *bench;
	const struct upstream_request *request;
	const struct durable_call *call; /* NULL: a request without arguments of its own */
	struct text arguments;           /* canonical, as the server got them */
	struct durable_image image;
	bool is_found;
	uint64_t index; /* of the decision */
	char approval[32];
	uint64_t opened; /* the first task-opened of the task and those above it */
	uint64_t ended;  /* the last acknowledged end of their authority; 0: none */
	char approvals[APPROVALS_SEEN_MAX][32];
	size_t approvals_count;
	unsigned lists; /* let through under the first task of the call, where w1 is in the chain */
};

/* What the server asks of a client, not an agent of the server. */
static bool is_ask(const struct upstream_request *request)
{
	return method_is_asked(method_find(request->method));
}

/* The call behind the arguments; they must be exactly those of the agent. */
static void find_call(struct inquiry *inquiry)
{
	const struct json *arguments = json_find(inquiry->request->params, "arguments");
	struct durable_bench *bench = inquiry->bench;
	int64_t number = arguments == NULL ? -1 : json_integer_or(arguments, "n", -1);

	inquiry->arguments =
		arguments == NULL ? TEXT("{}") : json_canonical_text(bench->bench.law, arguments);
	if (is_ask(inquiry->request))
		inquiry->arguments =
			json_canonical_text(bench->bench.law, inquiry->request->params);
	if (number < 0 && text_is(inquiry->request->method, "tools/call"))
		durable_law_broken("a call that no agent made");
	if (number < 0)
		return;
	if ((size_t)number >= bench->calls_count)
		durable_law_broken("a call that no agent made");
	inquiry->call = &bench->calls[number];
	if (!text_is(inquiry->arguments, inquiry->call->arguments))
		durable_law_broken("other arguments than the agent's");
	if (!text_is(json_text_or(inquiry->request->params, "name", ""), inquiry->call->tool))
		durable_law_broken("another tool than the agent's");
}

static bool is_of_task(const struct inquiry *inquiry, const struct json *record)
{
	const struct durable_bench *bench = inquiry->bench;
	char tool[64];

	if (inquiry->call == NULL)
		return true;
	snprintf(tool, sizeof tool, "files/%s", inquiry->call->tool);
	return text_is(json_text_or(record, "task", ""), bench->tasks[inquiry->call->task].id) &&
	       text_is(json_text_or(record, "identity", ""),
		       bench->tasks[inquiry->call->task].identity) &&
	       text_is(json_text_or(record, "tool", ""), tool);
}

/* The digest under the task's key, and the sealed values, both with the keys of
 * the image alone: they must be durable, too. */
static bool holds_arguments(
	struct inquiry *inquiry, const struct json *record, const struct segment_found *found)
{
	struct contents *contents = inquiry->image.contents;
	struct sha256 named, digest;
	struct error err = {0};
	struct text plain;

	if (!digest_parse(json_text_or(record, "arguments", ""), &named))
		return false;
	/* a task without a key in the image would get a new one here, and not match */
	if (!contents_digest(contents, json_text_or(record, "task", ""), inquiry->arguments,
		    &digest, &err) ||
		!sha256_equal(&named, &digest))
		return false;
	if (!found->has_content || found->content.data == NULL)
		durable_law_broken("decision %" PRIu64 " has no values beside it", found->index);
	if (!contents_open_sealed(
		    contents, found->content, inquiry->bench->bench.law, &plain, &err) ||
		!text_equal(plain, inquiry->arguments))
		durable_law_broken(
			"the values beside %" PRIu64 " are not the call's", found->index);
	return true;
}

static int32_t root_of(const struct durable_bench *bench, int32_t task)
{
	while (bench->tasks[task].parent >= 0)
		task = bench->tasks[task].parent;
	return task;
}

static bool has_w1(const struct durable_bench *bench, int32_t task)
{
	for (; task >= 0; task = bench->tasks[task].parent)
		if (strcmp(bench->tasks[task].identity, "w1") == 0)
			return true;
	return false;
}

static void count_list(struct inquiry *inquiry, const struct json *record)
{
	const struct durable_bench *bench = inquiry->bench;
	int32_t root, at = (int32_t)bench->tasks_count - 1;

	if (inquiry->call == NULL || !text_is(json_text_or(record, "tool", ""), "files/list"))
		return;
	root = root_of(bench, (int32_t)inquiry->call->task);
	while (at >= 0 && !text_is(json_text_or(record, "task", ""), bench->tasks[at].id))
		at--;
	if (at >= 0 && root_of(bench, at) == root && has_w1(bench, at))
		inquiry->lists++;
}

static void look_at_decision(
	struct inquiry *inquiry, const struct json *record, const struct segment_found *found)
{
	const struct upstream_request *request = inquiry->request;
	struct text approval = json_text_or(record, "approval", "");

	if (!text_is(json_text_or(record, "verdict", ""), "allow"))
		return;
	count_list(inquiry, record);
	if (approval.length != 0 && inquiry->approvals_count < APPROVALS_SEEN_MAX)
		snprintf(inquiry->approvals[inquiry->approvals_count++],
			sizeof inquiry->approvals[0], "%.*s", TEXT_ARGS(approval));
	if (inquiry->is_found || inquiry->bench->is_sent[found->index] ||
		!text_equal(json_text_or(record, "server", ""), request->server) ||
		!text_equal(json_text_or(record, "method", ""), request->method) ||
		!is_of_task(inquiry, record) || !holds_arguments(inquiry, record, found))
		return;
	inquiry->is_found = true;
	inquiry->index = found->index;
	snprintf(inquiry->approval, sizeof inquiry->approval, "%.*s", TEXT_ARGS(approval));
}

/* The task or one above it. */
static bool is_in_chain(const struct inquiry *inquiry, struct text task)
{
	const struct durable_bench *bench = inquiry->bench;
	int32_t at = (int32_t)inquiry->call->task;

	for (; at >= 0; at = bench->tasks[at].parent)
		if (text_is(task, bench->tasks[at].id))
			return true;
	return false;
}

/* What opens and what ends the authority of the call's task. */
static void look_at_authority(
	struct inquiry *inquiry, const struct json *record, const struct segment_found *found)
{
	struct text type = json_text_or(record, "type", "");
	struct text task = json_text_or(record, "task", "");
	bool is_kill = text_is(type, "kill");

	if (inquiry->call == NULL)
		return;
	if (task.length != 0 && !is_in_chain(inquiry, task))
		return;
	/* its own opening: one above it may be of an identity that was never killed */
	if (text_is(type, "task-opened") &&
		text_is(task, inquiry->bench->tasks[inquiry->call->task].id))
		inquiry->opened = found->index;
	/* what is durable but not acknowledged yet may lose the race */
	if (found->index >= inquiry->bench->log.folded_size)
		return;
	if (task.length != 0 && (is_kill || text_is(type, "task-ended")))
		inquiry->ended = found->index;
	/* a kill of the identity ends what was opened before */
	if (task.length == 0 && is_kill && inquiry->opened != 0 &&
		text_is(json_text_or(record, "identity", ""),
			inquiry->bench->tasks[inquiry->call->task].identity))
		inquiry->ended = found->index;
}

static void look_at(struct inquiry *inquiry, const struct segment_found *found)
{
	struct arena *arena = inquiry->bench->bench.law;
	struct error err = {0};
	struct json record;

	disk_log_promise(&inquiry->bench->log, found->index, found->entry);
	if (!json_parse(&record, arena, found->entry, &json_limits_default, &err))
		durable_law_broken("entry %" PRIu64 ": %s", found->index, err.text);
	if (text_is(json_text_or(&record, "type", ""), "decision"))
		look_at_decision(inquiry, &record, found);
	else
		look_at_authority(inquiry, &record, found);
}

/* One approval, one call. */
static void check_approval(const struct inquiry *inquiry)
{
	unsigned used = 0;

	for (size_t i = 0; i < inquiry->approvals_count; i++)
		used += strcmp(inquiry->approvals[i], inquiry->approval) == 0;
	if (inquiry->approval[0] != '\0' && used != 1)
		durable_law_broken("an approval opened %u calls", used);
	if (inquiry->call != NULL && strcmp(inquiry->call->tool, "write") == 0 &&
		inquiry->approval[0] == '\0')
		durable_law_broken("a call that needs people went without an approval");
}

void durable_law_check(void *context, const struct upstream_request *request)
{
	struct durable_bench *bench = context;
	struct inquiry *inquiry;
	struct segment_found found;

	call_bench_own_work(&bench->bench, true);
	inquiry = calloc(1, sizeof *inquiry);
	if (inquiry == NULL)
		abort();
	inquiry->bench = bench;
	inquiry->request = request;
	arena_reset(bench->bench.law);
	find_call(inquiry);
	durable_image_open(&inquiry->image, &bench->log);
	while (durable_image_next(&inquiry->image, &found))
		look_at(inquiry, &found);
	durable_image_close(&inquiry->image);
	if (!inquiry->is_found)
		durable_law_broken("the server received a request (%.*s) that is not allowed "
				   "in what is durable",
			TEXT_ARGS(inquiry->arguments));
	if (inquiry->ended != 0)
		durable_law_broken("a call after its task's end, entry %" PRIu64, inquiry->ended);
	check_approval(inquiry);
	if (inquiry->lists > LISTS_MAX)
		durable_law_broken("a line let %u calls of a task through", inquiry->lists);
	bench->used_up += inquiry->lists == LISTS_MAX;
	bench->is_sent[inquiry->index] = true;
	bench->is_forwarded[inquiry->index] =
		is_ask(request) ||
		(bench->bench.start_fault != FAULT_NOW && bench->bench.request == NULL);
	bench->requests++;
	free(inquiry);
	call_bench_own_work(&bench->bench, false);
}
