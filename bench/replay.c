/* What making a recorded decision again costs a core.  "evaluate": the rules that are
 * written in Cedar, for calls whose inputs are decoded and whose request is built; "build":
 * the other rules, and that request; "decide again": both, which is the bar; "all": from the bytes
 * of the log, decided as it was and as it would be.  In time of the processor, as others may use
 * the machine. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/yaml.h"
#include "domain/replay/replay.h"
#include "support/recorded_calls.h"

enum {
	DECISIONS = 50000,
	GUARDRAILS = 100,
	CALLS = 4, /* of a round */
	BATCH = 500,
	BATCHES = 200,
	PER_SECOND_LEAST = 1000000
};

static bool open_sealed(void *context, struct text sealed, struct arena *arena,
	struct text *out_plain, struct error *err)
{
	(void)context;
	(void)arena;
	(void)err;
	*out_plain = sealed;
	return true;
}

/* As a row, so that the table says it too. */
_Noreturn static void give_up(const char *what)
{
	printf("{\"bench\":\"replay\",\"case\":\"all\",\"failed\":\"%s\"}\n", what);
	exit(1);
}

static void must(bool ok, const struct error *err)
{
	if (ok)
		return;
	fprintf(stderr, "%s\n", err->text);
	exit(1);
}

static void add_policy(
	struct arena *arena, const struct object **objects, size_t *count, const char *yaml)
{
	struct problems problems = {.arena = arena};
	struct yaml_documents documents;
	struct object *object;
	struct error err = {0};

	must(yaml_parse(&documents, arena, text_of(yaml), "bench", &json_limits_default, &err),
		&err);
	if (!object_parse(&object, &documents.items[0], TEXT("bench"), &problems))
		give_up("a policy of its own is none");
	objects[(*count)++] = object;
}

/* The guardrails of bench/decide, and one that refuses a quarter of the calls. */
static size_t fill_candidate(struct arena *arena, const struct object **objects)
{
	size_t count = 0;

	for (int i = 0; i < GUARDRAILS; i++)
		add_policy(arena, objects, &count,
			text_format(arena,
				"object: policy\nname: org/rule-%d\ntext: |\n"
				"  forbid (principal, action, resource)\n"
				"  when { resource.environment == \"prod\" && context.args has n%d "
				"&& context.args.n%d > %d };\n",
				i, i, i, i)
				.data);
	add_policy(arena, objects, &count,
		"object: policy\nname: org/stop\ntext: |\n"
		"  forbid (principal, action, resource == Tool::\"files/list\");\n");
	return count;
}

static uint64_t processor_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* An entry of the log to come: a decision of it again, that has seen all before it. */
static struct replay_entry again(
	struct arena *arena, const struct fake_entry *decision, uint64_t index)
{
	static const char member[] = "\"seen\":";
	const char *end = decision->entry.data + decision->entry.length;
	const char *seen =
		memmem(decision->entry.data, decision->entry.length, member, sizeof member - 1);
	const char *rest;
	struct text entry;

	if (seen == NULL)
		give_up("a decision does not say what it has seen");
	seen += sizeof member - 1;
	for (rest = seen; rest < end && *rest >= '0' && *rest <= '9';)
		rest++;
	entry = text_format(arena, "%.*s%" PRIu64 "%.*s", (int)(seen - decision->entry.data),
		decision->entry.data, index, (int)(end - rest), rest);
	return (struct replay_entry){index, entry, decision->content};
}

/* The log, and then its last decisions again and again: those that were made when all that
 * was read had been read, as what the task has read decides, too. */
static struct replay_entry *entries_make(
	struct arena *arena, const struct fake_log *log, size_t *out_count)
{
	struct replay_entry *entries =
		arena_array(arena, struct replay_entry, log->count + DECISIONS);
	size_t decisions[CALLS], count = 0;

	for (size_t i = 0; entries != NULL && i < log->count; i++) {
		struct text entry = log->entries[i].entry;

		entries[i] = (struct replay_entry){i, entry, log->entries[i].content};
		if (memmem(entry.data, entry.length, "\"type\":\"decision\"", 17) != NULL)
			decisions[count++ % CALLS] = i;
	}
	if (count < CALLS)
		give_up("there are fewer decisions than calls");
	for (size_t i = 0; i < DECISIONS; i++)
		entries[log->count + i] =
			again(arena, &log->entries[decisions[i % CALLS]], log->count + i);
	*out_count = log->count + DECISIONS;
	return entries;
}

static void print(const char *name, uint64_t ns, uint64_t count)
{
	uint64_t each = ns / (count == 0 ? 1 : count);

	printf("{\"bench\":\"replay\",\"case\":\"%s\",\"mean_ns\":%" PRIu64
	       ",\"per_second\":%" PRIu64 "}\n",
		name, each, each == 0 ? 0 : UINT64_C(1000000000) / each);
}

static void measure(const struct recorded_calls *calls, const struct replay_candidate *candidate)
{
	const struct replay_options options = {.candidate = candidate, .open_sealed = open_sealed};
	struct replay *replay = NULL;
	struct replay_figures figures;
	struct arena *arena = arena_create((size_t)256 << 20);
	struct replay_entry *entries;
	struct error err = {0};
	uint64_t begun;
	size_t count;

	must(replay_create(&replay, &options, &err), &err);
	entries = entries_make(arena, &calls->bench.log, &count);
	begun = processor_ns();
	for (size_t i = 0; i < count; i++)
		must(replay_feed(replay, &entries[i], &err), &err);
	begun = processor_ns() - begun;
	figures = replay_figures_of(replay);
	if (figures.decisions.causes[REPLAY_DONE] != figures.decisions.asked)
		give_up("not every decision was made again");
	if (figures.decisions.changed == 0)
		give_up("the guardrails change no decision");
	print("all, 101 guardrails", begun, figures.decisions.asked);
	replay_destroy(&replay);
	arena_destroy(&arena);
}

/* Prepares and then runs a batch of calls of the bench's own world. */
static void run_batch(const struct decide_world worlds[2], const struct call calls[2],
	struct arena *arena, uint64_t ns[2])
{
	static struct evaluation *prepared[BATCH];
	struct decision decision;
	uint64_t begun = processor_ns(), built;

	for (int i = 0; i < BATCH; i++)
		prepared[i] = decide_prepare(&worlds[i % 2], &calls[i % 2], arena);
	built = processor_ns();
	for (int i = 0; i < BATCH; i++) {
		decide_run(prepared[i], NULL, DECIDE_SEARCH, &decision);
		if (decision.verdict != VERDICT_ALLOW)
			give_up("a call of its own is not allowed");
	}
	ns[0] += processor_ns() - built;
	ns[1] += built - begun;
	arena_reset(arena);
}

/* The bar of the issue: decided again, from what was loaded, the request included. */
static bool print_bar(const char *name, const uint64_t ns[2])
{
	uint64_t each = (ns[0] + ns[1]) / ((uint64_t)BATCH * BATCHES);
	uint64_t per_second = UINT64_C(1000000000) / (each == 0 ? 1 : each);

	printf("{\"bench\":\"replay\",\"case\":\"%s\",\"mean_ns\":%" PRIu64
	       ",\"per_second\":%" PRIu64 ",\"bar_per_second\":%d,\"met\":%s}\n",
		name, each, per_second, PER_SECOND_LEAST,
		per_second >= PER_SECOND_LEAST ? "true" : "false");
	return per_second >= PER_SECOND_LEAST;
}

static bool measure_parts(struct decide_bench *bench, int guardrails)
{
	struct arena *arena = arena_create((size_t)64 << 20);
	struct call calls[2] = {
		decide_bench_call(bench, "files", "read", "{\"path\":\"tickets/1\"}"),
		decide_bench_call(bench, "files", "run", "{\"n\":3}")};
	const struct tool *tool = registry_find_tool(bench->registry, calls[0].tool);
	struct decide_world worlds[2];
	struct entity_table *entities;
	uint64_t ns[2] = {0};
	char name[64];
	struct error err;

	tool_reads_destroy(&bench->reads);
	must(tool_reads_compile(&bench->reads, tool, &err), &err);
	must(entity_table_create(&entities, bench->registry, &err), &err);
	worlds[1] = (struct decide_world){.registry = bench->registry,
		.tasks = bench->tasks,
		.entities = entities,
		.definition = DEFINITION_UNPINNED,
		.now_utc_ms = bench->now_utc_ms};
	worlds[0] = worlds[1];
	worlds[0].reads = bench->reads;
	for (int i = 0; i < BATCHES; i++)
		run_batch(worlds, calls, arena, ns);
	(void)snprintf(name, sizeof name, "evaluate, %d guardrail%s", guardrails,
		guardrails == 1 ? "" : "s");
	print(name, ns[0], (uint64_t)BATCH * BATCHES);
	(void)snprintf(
		name, sizeof name, "build, %d guardrail%s", guardrails, guardrails == 1 ? "" : "s");
	print(name, ns[1], (uint64_t)BATCH * BATCHES);
	entity_table_destroy(&entities);
	arena_destroy(&arena);
	(void)snprintf(name, sizeof name, "decide again, %d guardrail%s", guardrails,
		guardrails == 1 ? "" : "s");
	return print_bar(name, ns);
}

static void put_guardrails(
	struct decide_bench *bench, const struct object *const *objects, int count)
{
	for (int i = 0; i < count; i++) {
		struct text yaml =
			text_format(bench->arena, "object: policy\nname: %.*s\ntext: '%.*s'\n",
				TEXT_ARGS(objects[i]->name), TEXT_ARGS(objects[i]->policy->text));

		if (!decide_bench_put(bench, yaml.data))
			give_up("a guardrail of its own cannot be put");
	}
}

int main(void)
{
	static const struct object *objects[GUARDRAILS + 1];
	struct replay_candidate candidate = {.objects = objects};
	struct recorded_calls calls;
	bool is_met;

	recorded_calls_init(&calls);
	for (int round = 0; round < 2; round++) {
		recorded_calls_call(&calls, "read", "{\"path\":\"tickets/1\"}");
		recorded_calls_call(&calls, "list", "{}");
		recorded_calls_call(&calls, "run", "{\"n\":3}");
		recorded_calls_call(&calls, "read", "{\"path\":\"tickets/2\",\"head\":10}");
	}
	candidate.count = fill_candidate(calls.arena, objects);
	is_met = measure_parts(&calls.bench.world, 1);
	measure(&calls, &candidate);
	put_guardrails(&calls.bench.world, objects, GUARDRAILS);
	is_met &= measure_parts(&calls.bench.world, GUARDRAILS + 1);
	for (size_t i = 0; i < candidate.count; i++)
		object_release(&objects[i]);
	recorded_calls_deinit(&calls);
	return is_met ? 0 : 1;
}
