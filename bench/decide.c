/* What one decision costs: a repeated call of an open task under 100 guardrails,
 * everything else already in memory. */
#include "bench.h"

#include <string.h>

#include "support/decide_bench.h"

enum { GUARDRAILS = 100 };

struct work {
	struct decide_world world;
	struct call call;
	struct arena *arena;
	enum verdict expected;
};

static void run(void *context)
{
	struct work *work = context;
	struct decision decision;

	arena_reset(work->arena);
	decide(&work->world, &work->call, NULL, DECIDE_SEARCH, work->arena, &decision);
	if (decision.verdict != work->expected)
		abort();
}

static void put_guardrails(struct decide_bench *bench)
{
	int i;

	for (i = 0; i < GUARDRAILS; i++) {
		struct text document = text_format(bench->arena,
			"object: policy\nname: org/rule-%d\ntext: |\n"
			"  forbid (principal, action, resource)\n"
			"  when { resource.environment == \"prod\" && context.args has n%d &&\n"
			"         context.args.n%d > %d };\n",
			i, i, i, i);

		if (!decide_bench_put(bench, document.data))
			abort();
	}
}

static void measure(struct decide_bench *bench, const char *name, const char *tool,
	const char *arguments, enum verdict expected)
{
	struct work work = {.expected = expected};
	struct bench_figures figures;
	const struct tool *registered;
	struct error err;

	work.call = decide_bench_call(bench, "files", tool, arguments);
	work.arena = arena_create(4 * 1024 * 1024);
	registered = registry_find_tool(bench->registry, work.call.tool);
	tool_reads_destroy(&bench->reads);
	if (work.arena == NULL || registered == NULL ||
		(registered->reads_count != 0 &&
			!tool_reads_compile(&bench->reads, registered, &err)))
		abort();
	work.world = (struct decide_world){
		.registry = bench->registry,
		.tasks = bench->tasks,
		.reads = bench->reads,
		.entities = bench->entities,
		.definition = DEFINITION_UNPINNED,
		.now_utc_ms = bench->now_utc_ms,
	};
	figures = bench_run(run, &work);
	bench_print("decide", name, figures, NULL, 0);
	arena_destroy(&work.arena);
}

int main(void)
{
	struct decide_bench bench;

	decide_bench_init(&bench);
	measure(&bench, "allow, 1 guardrail", "read", "{\"path\":\"tickets/1\"}", VERDICT_ALLOW);
	put_guardrails(&bench);
	measure(&bench, "allow, 101 guardrails", "read", "{\"path\":\"tickets/1\"}", VERDICT_ALLOW);
	measure(&bench, "deny by data source, 101 guardrails", "read", "{\"path\":\"payroll/1\"}",
		VERDICT_DENY);
	measure(&bench, "ask, 101 guardrails", "write", "{}", VERDICT_ASK);
	decide_bench_deinit(&bench);
	return 0;
}
