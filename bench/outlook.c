/* What `remit can` and `remit who` cost at 10,000 identities and 1,000 tools, beside
 * trying each tool or identity by deciding one call (which says less: it says nothing
 * of other arguments); and what it costs to explain a refusal. */
#include "bench.h"

#include <string.h>

#include "services/decide/decide_service.h"
#include "support/decide_bench.h"

enum { IDENTITIES = 10000, TOOLS = 1000, LINES = 20, GUARDRAILS = 20, PAGE = 100 };

struct work {
	struct decide_bench *bench;
	struct decide_service *service;
	struct arena *arena;
	uint32_t next;
};

static void put(struct decide_bench *bench, struct text document)
{
	if (document.data == NULL || !decide_bench_put(bench, document.data))
		abort();
	arena_reset(bench->arena);
}

static void put_identity(struct decide_bench *bench, unsigned index)
{
	struct text lines = TEXT("");
	unsigned i;

	for (i = 0; i < LINES; i++)
		lines = text_format(bench->arena,
			"%.*s  - {effect: read, tool: files/t%u, when: 'context.args.n > %u'}\n",
			TEXT_ARGS(lines), (index * 7 + i * 13) % TOOLS, i);
	put(bench, text_format(bench->arena,
			   "object: identity\nname: i%u\nkind: agent\nclass: retrieve\nrisk: low\n"
			   "owner: ana\nbackup-owner: bo\nunit: support\npurpose: p\n"
			   "environments: [staging]\nentitlements:\n%.*sexpires: 2030-01-01\n",
			   index, TEXT_ARGS(lines)));
}

static void fill(struct decide_bench *bench)
{
	unsigned i;

	for (i = 0; i < TOOLS; i++)
		put(bench, text_format(bench->arena,
				   "object: tool\nname: files/t%u\neffect: read\nrisk: low\n"
				   "reversal: none-needed\n",
				   i));
	for (i = 0; i < IDENTITIES; i++)
		put_identity(bench, i);
	for (i = 0; i < GUARDRAILS; i++)
		put(bench, text_format(bench->arena,
				   "object: policy\nname: org/rule-%u\ntext: |\n"
				   "  forbid (principal, action, resource)\n"
				   "  when { resource.environment == \"prod\" && context.args.n > "
				   "%u };\n",
				   i, i));
}

static void run_can(void *context)
{
	struct work *work = context;
	struct json out;
	struct error err;
	struct decide_can asked = {.count = PAGE, .now_utc_ms = work->bench->now_utc_ms};

	arena_reset(work->arena);
	asked.identity = text_format(work->arena, "i%u", work->next++ % IDENTITIES);
	if (!decide_can(work->service, &asked, work->arena, &out, &err) ||
		json_find(&out, "items")->count != LINES)
		abort();
}

static void run_who(void *context)
{
	struct work *work = context;
	struct json out;
	struct error err;
	struct decide_who asked = {
		.effect = EFFECT_READ, .count = PAGE, .now_utc_ms = work->bench->now_utc_ms};

	arena_reset(work->arena);
	asked.resource = text_format(work->arena, "files/t%u", work->next++ % TOOLS);
	if (!decide_who(work->service, &asked, work->arena, &out, &err) ||
		json_find(&out, "items")->count != PAGE)
		abort();
}

/* A refusal by the condition of a line, with the argument that turns it. */
static void run_why(void *context)
{
	struct work *work = context;
	struct decide_question question = {.identity = TEXT("i0"),
		.effect = EFFECT_READ,
		.resource = TEXT("files/t0"),
		.now_utc_ms = work->bench->now_utc_ms};
	struct json arguments, out;
	struct error err;

	arena_reset(work->arena);
	if (!json_parse(&arguments, work->arena, TEXT("{\"n\":0}"), &json_limits_default, &err))
		abort();
	question.arguments = &arguments;
	if (!decide_why(work->service, &question, work->arena, &out, &err) ||
		!text_is(json_text_or(&out, "verdict", ""), "deny"))
		abort();
}

/* The agent's part of it: a forbidden call, with the hint. */
static void run_refusal(void *context)
{
	struct work *work = context;
	struct call call;
	struct decide_request request = {.call = &call,
		.search = work->next == 0 ? DECIDE_NO_SEARCH : DECIDE_SEARCH,
		.now_utc_ms = work->bench->now_utc_ms};
	struct decision decision;

	arena_reset(work->arena);
	arena_reset(work->bench->arena);
	call = decide_bench_call(work->bench, "files", "list", "{\"n\":1}");
	decide_call(work->service, &request, work->arena, &decision);
	if (decision.reason != REASON_FORBIDDEN)
		abort();
}

/* One call decided for each of count pairs. */
static void try_pairs(struct work *work, unsigned identities, unsigned tools)
{
	struct decide_world world = {.scope = DECIDE_FOR_QUESTION,
		.registry = work->bench->registry,
		.tasks = work->bench->tasks,
		.definition = DEFINITION_UNPINNED,
		.now_utc_ms = work->bench->now_utc_ms};
	struct decision decision;
	unsigned i, tool;

	for (i = 0; i < identities; i++) {
		for (tool = 0; tool < tools; tool++) {
			struct call call;

			arena_reset(work->arena);
			arena_reset(work->bench->arena);
			call = decide_bench_call(work->bench, "files",
				text_format(work->arena, "t%u", tool).data, "{\"n\":1}");
			call.identity = text_format(work->arena, "i%u", i);
			decide(&world, &call, NULL, DECIDE_NO_SEARCH, work->arena, &decision);
		}
	}
}

static void try_tools(void *context)
{
	try_pairs(context, 1, TOOLS);
}

static void try_identities(void *context)
{
	try_pairs(context, IDENTITIES, 1);
}

static double once_ns(void (*work)(void *context), void *context)
{
	struct timespec begun, ended;

	(void)clock_gettime(CLOCK_MONOTONIC, &begun);
	work(context);
	(void)clock_gettime(CLOCK_MONOTONIC, &ended);
	return (double)(ended.tv_sec - begun.tv_sec) * 1e9 +
	       (double)(ended.tv_nsec - begun.tv_nsec);
}

int main(void)
{
	struct decide_bench bench;
	struct work work = {.bench = &bench};
	struct bench_figures figures;
	struct error err;

	decide_bench_init(&bench);
	fill(&bench);
	work.arena = arena_create(64 * 1024 * 1024);
	if (work.arena == NULL ||
		!decide_service_create(&work.service, bench.registry, bench.tasks, &err))
		abort();
	figures = bench_run(run_can, &work);
	bench_print("outlook", "can: 20 tools of 1,000, 20 guardrails", figures,
		"deciding one call for each tool", once_ns(try_tools, &work));
	figures = bench_run(run_who, &work);
	bench_print("outlook", "who: a page of 100 of 10,000 identities", figures,
		"deciding one call for each identity", once_ns(try_identities, &work));
	figures = bench_run(run_why, &work);
	bench_print("outlook", "why: a refused line, with its change", figures, NULL, 0);
	put(&bench,
		text_format(bench.arena,
			"object: policy\nname: org/extra\ntext: |\n"
			"  forbid (principal, action, resource) when { context.args.n < 9 };\n"));
	work.next = 0;
	figures = bench_run(run_refusal, &work);
	bench_print("outlook", "a forbidden call, without a hint", figures, NULL, 0);
	work.next = 1;
	figures = bench_run(run_refusal, &work);
	bench_print("outlook", "a forbidden call, with its hint", figures, NULL, 0);
	decide_service_destroy(&work.service);
	arena_destroy(&work.arena);
	decide_bench_deinit(&bench);
	return 0;
}
