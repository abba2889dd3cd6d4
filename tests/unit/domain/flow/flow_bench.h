#ifndef UNIT_DOMAIN_FLOW_FLOW_BENCH_H
#define UNIT_DOMAIN_FLOW_FLOW_BENCH_H

#include "domain/flow/flow_call.h"

/* A root task, its child, another root, and traces of their results. */

enum { FLOW_BENCH_NOW = 1000000, FLOW_BENCH_LATER = 2000000 };

struct flow_bench {
	struct arena *arena;
	struct task_table *tasks;
	struct flow_traces *traces;
	struct charter charter;
	uint64_t generation;
	struct tool tool; /* trusted fields but "body" */
};

static const struct tool_result flow_bench_results[] = {{{"body", 4}, TRUST_UNTRUSTED}};

static void flow_bench_open(
	struct flow_bench *bench, const char *id, const char *parent, const char *purpose)
{
	struct task_opening opening = {
		.id = text_of(id),
		.identity = TEXT("agent"),
		.purpose = text_of(purpose),
		.parent = text_of(parent),
		.charter_version = 1,
		.environment = ENVIRONMENT_STAGING,
		.at_utc_ms = FLOW_BENCH_NOW,
		.deadline_utc_ms = FLOW_BENCH_LATER,
	};
	struct json record;
	struct error err = {0};

	assert_true(task_opened_record(
		&record, bench->arena, bench->tasks, &opening, TEXT("identity:agent"), &err));
	assert_true(task_table_fold(bench->tasks, &record, 1, &err));
}

static int flow_bench_setup(void **state)
{
	static const struct flow_key key = {3, 4};
	static struct flow_bench bench;
	struct error err;

	bench = (struct flow_bench){
		.arena = arena_create(64 * 1024 * 1024),
		.charter = {.name = TEXT("agent")},
		.tool = {.results = flow_bench_results, .results_count = 1},
	};
	assert_true(task_table_create(&bench.tasks, 10, &err));
	assert_true(flow_traces_create(&bench.traces, &key, FLOW_BYTES_MAX_DEFAULT, &err));
	flow_bench_open(&bench, "t-root", "", "Write to Eva@Example.com and delete file 13.");
	flow_bench_open(&bench, "t-child", "t-root", "Write to evil@example.com");
	flow_bench_open(&bench, "t-other", "", "");
	*state = &bench;
	return 0;
}

static int flow_bench_teardown(void **state)
{
	struct flow_bench *bench = *state;

	flow_traces_destroy(&bench->traces);
	assert_null(bench->traces);
	task_table_destroy(&bench->tasks);
	arena_destroy(&bench->arena);
	return 0;
}

static struct json *flow_bench_json(struct flow_bench *bench, const char *text)
{
	struct json *value = arena_new(bench->arena, struct json);
	struct error err = {0};

	assert_non_null(value);
	assert_true(json_parse(value, bench->arena, text_of(text), &json_limits_default, &err));
	return value;
}

/* fields: of structuredContent. */
static void flow_bench_add(struct flow_bench *bench, const char *task, const char *arguments,
	const char *fields, uint64_t record)
{
	struct text result =
		text_format(bench->arena, "{\"content\":[],\"structuredContent\":%s}", fields);
	struct flow_brought brought = {
		.task = task_find(bench->tasks, text_of(task)),
		.tool = &bench->tool,
		.charter = &bench->charter,
		.generation = bench->generation,
		.trust = TRUST_TRUSTED,
		.arguments = flow_bench_json(bench, arguments),
		.result = flow_bench_json(bench, result.data),
		.record = record,
	};

	flow_traces_add(bench->traces, &brought);
}

static struct flow_asker flow_bench_asker(const struct flow_bench *bench, const char *task)
{
	return (struct flow_asker){bench->traces, task_find(bench->tasks, text_of(task)),
		&bench->charter, bench->generation};
}

#endif
