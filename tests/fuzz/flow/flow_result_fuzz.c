/* Laws of a trace, any bytes being a server's answer: the bytes up to the first NUL are the
 * text of its content, those behind its structuredContent.  It ends, keeps to its bytes,
 * and never endorses what the call itself brought, nor anything at all where the
 * tool's lines and data are a stranger's. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "domain/flow/flow_trace.h"

enum { BYTES_MAX = 64 * 1024, ARENA_BYTES_MAX = 64 * 1024 * 1024 };

static const char opened[] =
	"{\"at\":1,\"charter-version\":1,\"deadline\":1900000000000,\"environment\":\"staging\","
	"\"identity\":\"agent\",\"identity-epoch\":0,\"purpose\":\"write to "
	"p@x.org\",\"task\":\"t\","
	"\"type\":\"task-opened\"}";

struct bench {
	struct arena *arena;
	struct task_table *tasks;
	struct flow_traces *traces;
};

static struct json parsed(struct bench *bench, struct text text)
{
	struct json value;
	struct error err;

	if (!json_parse(&value, bench->arena, text, &json_limits_default, &err))
		value = json_null();
	return value;
}

static void make_result(struct bench *bench, const uint8_t *data, size_t size, struct json *out)
{
	const uint8_t *end = memchr(data, 0, size);
	size_t length = end == NULL ? size : (size_t)(end - data);
	struct text rest = {(const char *)data + length + 1, end == NULL ? 0 : size - length - 1};
	struct json structured = parsed(bench, rest), block, content;
	struct json_builder object, list, result;
	struct error err;

	json_object_start(&object, bench->arena);
	json_put_cstring(&object, "type", "text");
	json_put_text(&object, "text", (struct text){(const char *)data, length});
	json_array_start(&list, bench->arena);
	if (!json_object_seal(&object, &block, &err))
		abort();
	json_add(&list, block);
	json_object_start(&result, bench->arena);
	if (!json_array_seal(&list, &content, &err))
		abort();
	json_put(&result, "content", content);
	if (structured.type != JSON_NULL)
		json_put(&result, "structuredContent", structured);
	if (!json_object_seal(&result, out, &err))
		abort();
}

static void add(struct bench *bench, const struct json *result, enum trust trust)
{
	static const struct tool_result lines[] = {{{"a.*.b", 5}, TRUST_UNTRUSTED},
		{{"a", 1}, TRUST_TRUSTED}, {{"*.*", 3}, TRUST_UNTRUSTED}};
	struct tool tool = {.results = lines, .results_count = trust == TRUST_TRUSTED ? 3 : 0};
	struct json arguments = parsed(bench, TEXT("{\"q\":\"evil@x.org 77\"}"));
	struct flow_brought brought = {
		.task = task_find(bench->tasks, TEXT("t")),
		.tool = &tool,
		.trust = trust,
		.arguments = &arguments,
		.result = result,
		.record = 5,
	};

	flow_traces_add(bench->traces, &brought);
	assert(flow_traces_bytes(bench->traces) <= BYTES_MAX);
}

static enum flow_origin find(const struct bench *bench, struct text value)
{
	struct flow_asker asker = {bench->traces, task_find(bench->tasks, TEXT("t")), NULL, 0};

	return flow_find(&asker, value).origin;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct flow_key key = {1, 2};
	struct text all = {(const char *)data, size};
	struct bench bench = {.arena = arena_create(ARENA_BYTES_MAX)};
	struct json record, result;
	struct error err;

	assert(bench.arena != NULL && task_table_create(&bench.tasks, 4, &err) &&
		flow_traces_create(&bench.traces, &key, BYTES_MAX, &err));
	record = parsed(&bench, text_of(opened));
	assert(task_table_fold(bench.tasks, &record, 0, &err));
	make_result(&bench, data, size, &result);
	add(&bench, &result, TRUST_UNTRUSTED);
	assert(find(&bench, all) != FLOW_TRUSTED);
	add(&bench, &result, TRUST_TRUSTED);
	assert(find(&bench, TEXT("evil@x.org")) <= FLOW_UNTRUSTED);
	assert(find(&bench, TEXT("77")) <= FLOW_UNTRUSTED);
	assert(find(&bench, TEXT("p@x.org")) == FLOW_REQUEST);
	flow_traces_forget(bench.traces, TEXT("t"));
	assert(flow_traces_bytes(bench.traces) == 0);
	flow_traces_destroy(&bench.traces);
	task_table_destroy(&bench.tasks);
	arena_destroy(&bench.arena);
	return 0;
}
