/* The whole at scale: a million identities with five lines each and twenty million rows of use,
 * in the registry and in the graph.  What loading takes, in seconds and bytes; all checks; one
 * change with its checks; who may what, paths and reach.  Exits 1 where a bar is missed.
 * REMIT_IDENTITIES takes fewer, beside the same bars. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "bench.h"
#include "domain/control/check.h"
#include "domain/graph/derive.h"
#include "domain/graph/inherit.h"
#include "domain/graph/search.h"
#include "domain/inventory/layer.h"
#include "services/decide/decide_service.h"
#include "support/decide_bench.h"

enum {
	IDENTITIES = 1000000,
	LINES = 5,
	USES_OF_A_LINE = 4, /* rows: four weeks of each line */
	ACCOUNTS_OF = 10,   /* one identity of so many has an account, and that a credential */
	PEOPLE_OF = 40,     /* one person for so many identities */
	TOOLS = 5000,
	UNITS = 300,
	PAGE = 100,
	DAY_S = 86400,
	QUESTIONS = 2000,
	/* Bars. */
	ALL_CHECKS_S_MAX = 300,
	CHANGE_MS_MAX = 1000,
	QUESTION_MS_MAX = 50,
	RESIDENT_KIB_MAX = 2000 * 1000 * 1000 / 1024,
};

static const uint32_t at_s = 1793664000;

struct work {
	struct decide_bench bench;
	struct decide_service *service;
	struct graph *graph;
	struct graph_search *search;
	struct key_holders *holders;
	struct arena *arena;
	struct arena *scratch;
	uint32_t identities;
	uint32_t next;
	uint32_t missed;
	size_t violations;
	size_t touched_count;
	graph_id touched[256];
};

static _Noreturn void stop(const char *what, const struct error *err)
{
	(void)fprintf(stderr, "posture: %s: %s\n", what, err->text);
	abort();
}

/* ---- loading ---- */

static struct text name_of(struct arena *arena, uint32_t index)
{
	return text_format(arena, "unit-%u-agent-%u", index % UNITS, index);
}

static uint32_t tool_of(uint32_t index, uint32_t line)
{
	return (index * 7 + line * 13) % TOOLS;
}

static struct text lines_of(struct work *work, uint32_t index)
{
	static const char *const conditions[] = {"", ",\"when\":\"context.args.amount < 100\"", "",
		",\"when\":\"context.environment == \\\"staging\\\"\"", ""};
	struct text lines = TEXT("");

	for (uint32_t i = 0; i < LINES; i++)
		lines = text_format(work->arena,
			"%.*s%s{\"effect\":\"read\",\"tool\":\"server-%u/tool-%u\"%s}",
			TEXT_ARGS(lines), i == 0 ? "" : ",", tool_of(index, i) / 20,
			tool_of(index, i), conditions[(index + i) % 5]);
	return lines;
}

static struct text document_of(struct work *work, uint32_t index)
{
	uint32_t people = work->identities / PEOPLE_OF + 2;

	return text_format(work->arena,
		"{\"object\":\"identity\",\"name\":\"%.*s\",\"kind\":\"agent\","
		"\"class\":\"retrieve\",\"risk\":\"low\",\"owner\":\"person-%u@example.com\","
		"\"backup-owner\":\"person-%u@example.com\",\"unit\":\"unit-%u\","
		"\"purpose\":\"Answers what customers ask about their orders\","
		"\"environments\":[\"staging\"]%s%.*s%s,"
		"\"outputs\":[{\"to\":\"reply\",\"up-to\":\"internal\"}],"
		"\"entitlements\":[%.*s],\"expires\":\"2027-10-01\"%s}",
		TEXT_ARGS(name_of(work->arena, index)), index % people, (index + 1) % people,
		index % UNITS, index % ACCOUNTS_OF == 0 ? ",\"accounts\":[\"cloud/" : "",
		TEXT_ARGS(index % ACCOUNTS_OF == 0 ? text_format(work->arena, "sa-%u", index)
						   : TEXT("")),
		index % ACCOUNTS_OF == 0 ? "\"]" : "", TEXT_ARGS(lines_of(work, index)),
		index % 50 == 0 ? "" : ",\"impact\":\"somebody waits\",\"review\":\"90d\"");
}

static const struct registry_entry *put(struct work *work, struct text document, uint32_t version)
{
	static const struct graph_grant grant = {{"person:ana", 10}, 1793664000 - 300 * DAY_S};
	struct problems problems = {.arena = work->arena};
	struct registry_change change = {.version = version, .in_force = version};
	struct registry *registry = work->bench.registry;
	const struct registry_entry *entry;
	struct object *object;
	struct json json;
	struct error err = {0};

	if (!json_parse(&json, work->arena, document, &json_limits_default, &err) ||
		!object_parse(&object, &json, TEXT("bench"), &problems))
		stop("a document was not taken", &err);
	change.kind = object->kind;
	change.revision = ++work->bench.revision;
	change.state = object->kind == OBJECT_IDENTITY ? IDENTITY_ACTIVE : IDENTITY_NONE;
	if (!registry_hold(registry, object, version, change.revision, &err))
		stop("hold", &err);
	change.name = object->name;
	if (!registry_set(registry, &change, &err))
		stop("set", &err);
	entry = registry_find(registry, change.kind, change.name);
	if (!graph_derive(work->graph, entry, &grant, work->scratch, &err))
		stop("derive", &err);
	registry_tidy(registry); /* as at the end of a turn */
	arena_reset(work->arena);
	return entry;
}

static void see(struct work *work, const struct inventory_item *item, struct text part)
{
	const struct inventory_layer_part of = {TEXT("cloud"), part};
	struct error err = {0};

	if (!inventory_layer_put(work->graph, &of, item, work->scratch, &err))
		stop("see", &err);
}

/* An account, what it may, and a credential that it holds. */
static void see_account(struct work *work, uint32_t index)
{
	struct text id = text_format(work->arena, "sa-%u", index);
	struct text key = text_format(work->arena, "key-%u", index);
	struct inventory_item node = {.node = GRAPH_NODE_ACCOUNT,
		.id = id,
		.kind = KIND_SERVICE_ACCOUNT,
		.created_s = at_s - 400 * DAY_S,
		.used_s = at_s - index % 100 * DAY_S};
	struct inventory_item edge = {.edge = GRAPH_EDGE_MAY,
		.from = text_format(work->arena, "account:%.*s", TEXT_ARGS(id)),
		.to = text_format(work->arena, "data-source:source-%u", index % 1000),
		.scope = TEXT("storage.objectUser"),
		.effects = 1u << EFFECT_READ | 1u << EFFECT_WRITE,
		.since_s = at_s - 400 * DAY_S,
		.used_s = at_s - index % 100 * DAY_S,
		.uses = index % 7};

	see(work, &node, text_format(work->arena, "a%u", index));
	see(work, &edge, text_format(work->arena, "m%u", index));
	node = (struct inventory_item){.node = GRAPH_NODE_CREDENTIAL,
		.id = key,
		.fingerprint = text_format(work->arena, "f%u", index / ACCOUNTS_OF / 2 * 2),
		.is = GRAPH_NODE_IS_STATIC | GRAPH_NODE_IS_MANAGED,
		.expires_s = at_s + 100 * DAY_S};
	edge = (struct inventory_item){.edge = GRAPH_EDGE_HOLDS,
		.from = edge.from,
		.to = text_format(work->arena, "credential:%.*s", TEXT_ARGS(key))};
	see(work, &node, text_format(work->arena, "k%u", index));
	see(work, &edge, text_format(work->arena, "h%u", index));
	arena_reset(work->arena);
}

static void load_world(struct work *work)
{
	for (uint32_t i = 0; i < UNITS; i++)
		(void)put(work,
			text_format(work->arena, "{\"object\":\"unit\",\"name\":\"unit-%u\"}", i),
			1);
	for (uint32_t i = 0; i < work->identities / PEOPLE_OF + 2; i++)
		(void)put(work,
			text_format(work->arena,
				"{\"object\":\"person\",\"name\":\"person-%u@example.com\","
				"\"unit\":\"unit-%u\",\"roles\":[\"owner\"]}",
				i, i % UNITS),
			1);
	for (uint32_t i = 0; i < 1000; i++)
		(void)put(work,
			text_format(work->arena,
				"{\"object\":\"data-source\",\"name\":\"source-%u\","
				"\"unit\":\"unit-%u\",\"custodian\":\"person-%u@example.com\","
				"\"sensitivity\":\"internal\",\"environment\":\"staging\"}",
				i, i % UNITS, i % 20),
			1);
	for (uint32_t i = 0; i < TOOLS / 20; i++)
		(void)put(work,
			text_format(work->arena,
				"{\"object\":\"server\",\"name\":\"server-%u\",\"unit\":\"unit-%"
				"u\","
				"\"environment\":\"staging\",\"transport\":{\"stdio\":[\"x\"]}}",
				i, i % UNITS),
			1);
	for (uint32_t i = 0; i < TOOLS; i++)
		(void)put(work,
			text_format(work->arena,
				"{\"object\":\"tool\",\"name\":\"server-%u/tool-%u\","
				"\"effect\":\"read\",\"risk\":\"low\",\"reads\":"
				"[{\"data-source\":\"source-%u\"}],\"reversal\":\"none-needed\"}",
				i / 20, i, i % 1000),
			1);
}

static void load_identities(struct work *work)
{
	for (uint32_t i = 0; i < work->identities; i++) {
		uint32_t index = (uint32_t)((uint64_t)i * 7919 % work->identities);
		const struct registry_entry *entry = put(work, document_of(work, index), 1);

		if (!key_holders_note(work->holders, entry, work->scratch))
			abort();
		if (index % ACCOUNTS_OF == 0)
			see_account(work, index);
	}
}

/* Rows of use, as records of decisions bring them. */
static uint64_t load_usage(struct work *work)
{
	uint64_t rows = 0;

	for (uint32_t index = 0; index < work->identities; index++) {
		struct graph_node from, to;

		arena_reset(work->arena);
		if (!graph_find(
			    work->graph, GRAPH_NODE_IDENTITY, name_of(work->arena, index), &from))
			abort();
		for (uint32_t line = 0; line < LINES; line++) {
			uint32_t tool = tool_of(index, line);
			struct error err;

			if (!graph_find(work->graph, GRAPH_NODE_TOOL,
				    text_format(work->arena, "server-%u/tool-%u", tool / 20, tool),
				    &to))
				abort();
			for (uint32_t week = USES_OF_A_LINE; week > 0; week--, rows++)
				if (!graph_note_use(work->graph,
					    &(struct graph_used){.from = from.id,
						    .to = to.id,
						    .way = EFFECT_READ,
						    .at_s = at_s - (week * 7 + index % 60) * DAY_S,
						    .count = 1 + index % 9},
					    &err))
					stop("use", &err);
		}
	}
	return rows;
}

/* ---- rows ---- */

/* What closes a row: its bar, where it has one (most > 0), and whether it is met. */
static void print_bar(struct work *work, double is, double most, const char *unit)
{
	if (most > 0)
		printf(",\"bar\":\"%.0f %s\",\"met\":%s", most, unit,
			is <= most ? "true" : "false");
	printf("}\n");
	fflush(stdout);
	work->missed += most > 0 && is > most;
}

static void print_seconds(
	struct work *work, const char *what, int64_t begun_ns, double per, uint32_t seconds_max)
{
	double took_ns = (double)(bench_now_ns() - begun_ns);

	printf("{\"bench\":\"posture\",\"case\":\"%s\",\"seconds\":%.1f,\"mean_ns\":%.0f,"
	       "\"per_second\":%.0f,\"kib\":%zu",
		what, took_ns / 1e9, took_ns / per, per * 1e9 / took_ns,
		bench_resident_bytes() / 1024);
	print_bar(work, took_ns / 1e9, seconds_max, "s");
}

static void print_resident(struct work *work)
{
	size_t kib = bench_resident_bytes() / 1024;

	printf("{\"bench\":\"posture\",\"case\":\"resident in the end\",\"kib\":%zu", kib);
	print_bar(work, (double)kib, RESIDENT_KIB_MAX, "KiB");
}

/* Each question once, so that the slowest of them shows.  ms_max 0: no bar. */
static void measure(
	struct work *work, const char *what, uint32_t ms_max, void (*ask)(struct work *work))
{
	static double samples[QUESTIONS];
	double p99_ns;

	for (uint32_t i = 0; i < QUESTIONS; i++) {
		int64_t begun = bench_now_ns();

		work->next = (uint32_t)((uint64_t)i * 104729 % work->identities);
		ask(work);
		registry_tidy(work->bench.registry);
		samples[i] = (double)(bench_now_ns() - begun);
	}
	qsort(samples, QUESTIONS, sizeof samples[0], bench_ascending);
	p99_ns = samples[QUESTIONS * 99 / 100];
	printf("{\"bench\":\"posture\",\"case\":\"%s\",\"p50_ns\":%.0f,\"p99_ns\":%.0f", what,
		samples[QUESTIONS / 2], p99_ns);
	print_bar(work, p99_ns / 1e6, ms_max, "ms p99");
}

/* ---- checks ---- */

static struct control_world world_of(struct work *work)
{
	return (struct control_world){.registry = work->bench.registry,
		.graph = work->graph,
		.key_holders = work->holders,
		.now_utc_s = at_s,
		.scratch = work->scratch};
}

static bool check_one(void *context, const struct registry_entry *entry)
{
	struct work *work = context;
	struct control_world world = world_of(work);
	struct error err;
	check_set found;

	arena_reset(work->scratch);
	if (!check_entry(&world, entry, &found, &err))
		stop("check", &err);
	work->violations += (size_t)__builtin_popcountll(found);
	return true;
}

static void check_all(struct work *work)
{
	struct control_world world = world_of(work);
	struct graph_node node = {0};

	work->violations = 0;
	registry_each(work->bench.registry, OBJECT_NONE, TEXT(""), check_one, work);
	while (graph_next(work->graph, GRAPH_NODE_NONE, node.id, &node)) {
		check_set found;

		arena_reset(work->scratch);
		check_node(&world, &node, &found);
		work->violations += (size_t)__builtin_popcountll(found);
	}
}

static void note_touched(void *context, graph_id node)
{
	struct work *work = context;

	if (work->touched_count < sizeof work->touched / sizeof *work->touched)
		work->touched[work->touched_count++] = node;
}

/* One charter changes; whatever it touches is checked again. */
static void change_one(struct work *work)
{
	struct control_world world = world_of(work);
	const struct registry_entry *entry;

	work->touched_count = 0;
	entry = put(work, document_of(work, work->next), 2 + (uint32_t)work->bench.revision);
	(void)check_one(work, entry);
	for (size_t i = 0; i < work->touched_count; i++) {
		struct graph_node node;
		check_set found;

		arena_reset(work->scratch);
		if (graph_node(work->graph, work->touched[i], &node))
			check_node(&world, &node, &found);
	}
}

/* ---- questions ---- */

static void ask_can(struct work *work)
{
	struct decide_can asked = {.count = PAGE, .now_utc_ms = work->bench.now_utc_ms};
	struct json out;
	struct error err = {0};

	arena_reset(work->arena);
	asked.identity = name_of(work->arena, work->next);
	if (!decide_can(work->service, &asked, work->arena, &out, &err))
		stop("can", &err);
}

static void ask_who(struct work *work)
{
	struct decide_who asked = {
		.effect = EFFECT_READ, .count = PAGE, .now_utc_ms = work->bench.now_utc_ms};
	uint32_t tool = work->next % TOOLS;
	struct json out;
	struct error err = {0};

	arena_reset(work->arena);
	asked.resource = text_format(work->arena, "server-%u/tool-%u", tool / 20, tool);
	if (!decide_who(work->service, &asked, work->arena, &out, &err))
		stop("who", &err);
}

static graph_id node_of(struct work *work, enum graph_node_kind kind, struct text name)
{
	struct graph_node node;

	if (!graph_find(work->graph, kind, name, &node))
		abort();
	return node.id;
}

static void ask_path(struct work *work)
{
	struct graph_question question = {.starts_count = 1, .now_s = at_s};
	struct graph_path paths[4];
	size_t count;
	bool is_cut;

	arena_reset(work->arena);
	question.starts[0] = node_of(work, GRAPH_NODE_IDENTITY, name_of(work->arena, work->next));
	question.to = node_of(work, GRAPH_NODE_DATA_SOURCE,
		text_format(work->arena, "source-%u", tool_of(work->next, 2) % 1000));
	graph_search_run(work->search, work->graph, &question, &is_cut);
	if (graph_paths(work->search, question.to, paths, 4, &count) == 0)
		abort();
}

/* Who gets at data by accounts at providers: some hundreds of identities for each. */
static void ask_heirs(struct work *work)
{
	static struct graph_heir heirs[GRAPH_HEIRS_MAX];
	struct graph_question question;
	size_t count;
	bool is_cut;

	arena_reset(work->arena);
	question = graph_heirs_question(
		node_of(work, GRAPH_NODE_DATA_SOURCE,
			text_format(work->arena, "source-%u", work->next % 100 * 10)),
		EFFECT_READ, at_s);
	graph_heirs(work->search, work->graph, &question, heirs, &count, &is_cut);
	if (count == 0 || is_cut)
		abort();
}

/* What falls with one person: all they own, and what that reaches. */
static void ask_reach(struct work *work)
{
	struct graph_question question = {.starts_count = 1, .now_s = at_s};
	uint32_t people = work->identities / PEOPLE_OF + 2;
	bool is_cut;

	arena_reset(work->arena);
	question.starts[0] = node_of(work, GRAPH_NODE_PERSON,
		text_format(work->arena, "person-%u@example.com", work->next % people));
	graph_search_run(work->search, work->graph, &question, &is_cut);
	if (graph_reached_count(work->search) < LINES)
		abort();
}

int main(void)
{
	const char *given = getenv("REMIT_IDENTITIES");
	struct work work = {
		.identities = given == NULL ? IDENTITIES : (uint32_t)strtoul(given, NULL, 10)};
	const struct graph_listener listener = {&work, note_touched};
	struct error err;
	uint64_t rows;
	int64_t begun;

	decide_bench_init(&work.bench);
	work.arena = arena_create(64 * 1024 * 1024);
	work.scratch = arena_create(64 * 1024 * 1024);
	work.holders = key_holders_create();
	if (work.arena == NULL || work.scratch == NULL || work.holders == NULL ||
		work.identities < UNITS || !graph_create(&work.graph, &err) ||
		!graph_search_create(&work.search, &err))
		return 1;
	load_world(&work);
	begun = bench_now_ns();
	load_identities(&work);
	print_seconds(&work, "load identities of five lines", begun, work.identities, 0);
	begun = bench_now_ns();
	rows = load_usage(&work);
	print_seconds(&work, "load rows of use", begun, (double)rows, 0);
	if (!registry_settle(work.bench.registry, &err) ||
		!decide_service_create(&work.service, work.bench.registry, work.bench.tasks, &err))
		return 1;
	begun = bench_now_ns();
	check_all(&work);
	print_seconds(&work, "all checks", begun, work.identities, ALL_CHECKS_S_MAX);
	(void)fprintf(stderr, "posture: %zu nodes, %zu edges, %zu violations\n",
		graph_node_count(work.graph), graph_edge_count(work.graph), work.violations);
	graph_listen(work.graph, &listener);
	measure(&work, "one charter changed, with its checks", CHANGE_MS_MAX, change_one);
	measure(&work, "can", QUESTION_MS_MAX, ask_can);
	measure(&work, "who: a page of 100", QUESTION_MS_MAX, ask_who);
	measure(&work, "who inherits data", QUESTION_MS_MAX, ask_heirs);
	measure(&work, "path from an identity to data", QUESTION_MS_MAX, ask_path);
	measure(&work, "reach of a person", 0, ask_reach);
	print_resident(&work);
	return work.missed > 0; /* a gigabyte is the system's to take back */
}
