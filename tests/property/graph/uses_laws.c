/* Laws of the one count of uses, over random logs:
 *
 *   what it says of any pair is what a naive count over the log says;
 *   a restart at any record, with the store of then or without one, changes nothing of that;
 *   a pass that did not come on record whole, or one of before, changes nothing of it either;
 *   who handed work on where records do not say is unsure for as long as it may count, and
 *   what cannot be read is unknown up to there, never unused. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "domain/charter/charter.h"
#include "services/graph/graph_service.h"
#include "services/registry/projector.h"
#include "support/fake_log.h"
#include "support/memory_store.h"
#include "support/seeded.h"

enum {
	WORLDS = 60,
	STEPS = 150,
	IDENTITIES = 4,
	TOOLS = 3,
	TASKS = 24,
	USES_MAX = STEPS * 12,
	DAY_S = 86400,
	ENTRY_BYTES = 2000,
};
#define WEEK_MS (INT64_C(7) * DAY_S * 1000)
#define WINDOW_MS (GRAPH_USE_DAYS * INT64_C(1000) * DAY_S)

/* ---- what happened, as the model has it ---- */

struct happened {
	char from[32];
	enum graph_node_kind kind;
	char name[80];
	enum effect way;
	int64_t at_utc_ms;
	enum environment environment;
	enum effect effect;
	int task; /* number */
};

struct opened {
	int identity;
	int parent; /* -1: a root */
};

struct world {
	struct fake_log log;
	struct memory_store *memory;
	struct store store;
	struct arena *arena;
	struct happened *happened;
	size_t happened_count;
	struct opened tasks[TASKS];
	int tasks_count;
	int64_t first_utc_ms;
	int64_t unnamed_utc_ms;
	bool names_all;  /* records say who handed work on */
	int64_t pace_ms; /* the most between two records */
	/* The process that runs. */
	struct registry *registry;
	struct fold *fold;
	struct waiver_service *waivers;
	struct graph_service *graph;
	struct arena *read;
	uint64_t read_next;
	bool is_unreadable;
};

static void must(bool ok, const struct error *err)
{
	if (ok)
		return;
	fprintf(stderr, "%s\n", err->text);
	abort();
}

/* ---- the process ---- */

static bool open_log(void *context, uint64_t from, struct error *err)
{
	struct world *world = context;

	world->read_next = from;
	return !world->is_unreadable || error_set(err, ERROR_IO, "the disk is gone");
}

static bool next_of_log(
	void *context, struct text *entry, uint64_t *index, bool *is_end, struct error *err)
{
	struct world *world = context;

	if (world->is_unreadable)
		return error_set(err, ERROR_IO, "the disk is gone");
	*is_end = world->read_next >= world->log.count;
	if (*is_end)
		return true;
	*entry = world->log.entries[world->read_next].entry;
	*index = world->read_next++;
	return true;
}

static void stop(struct world *world)
{
	if (world->graph != NULL)
		graph_validate(graph_service_graph(world->graph));
	graph_service_destroy(&world->graph);
	waiver_service_destroy(&world->waivers);
	fold_destroy(&world->fold);
	registry_destroy(&world->registry);
}

/* The rest of the tail is read by whoever goes on. */
static void start(struct world *world)
{
	struct fold_log port = fake_log_port(&world->log);
	struct projector_log reader = fake_log_reader(&world->log);
	struct graph_parts parts = {
		.log = {.context = world, .open = open_log, .next = next_of_log}};
	struct error err = {0};
	bool was_rebuilt;

	must(registry_create(&world->registry, &err) &&
			fold_create(&world->fold, &port, NULL, &err) &&
			waiver_service_create(&world->waivers, world->fold, &err),
		&err);
	parts.registry = world->registry;
	parts.fold = world->fold;
	parts.waivers = world->waivers;
	must(graph_service_create(&world->graph, &parts, &err), &err);
	must(projector_catch_up(world->fold, &world->store, &reader, &was_rebuilt, &err), &err);
}

static void use_store(struct world *world)
{
	memory_store_destroy(&world->memory);
	world->memory = memory_store_create();
	world->store = memory_store_port(world->memory);
}

static void restart(struct world *world)
{
	stop(world);
	if (pick(3) == 0)
		use_store(world);
	start(world);
}

static void on_folded(struct fold_change *change)
{
	assert(change->is_durable);
}

static void put(struct world *world, struct text entry)
{
	struct fold_change change = {.entry = entry, .done = on_folded};
	struct error err = {0};

	must(fold_submit(world->fold, &change, &err), &err);
}

/* ---- writing the log, and the model beside it ---- */

static const char *const environments[] = {NULL, "dev", "test", "staging", "prod"};
static const char *const effects[] = {NULL, "read", "write", "execute", "generate", "delegate"};

/* The name is the text, and the number if there is one. */
static void happen(
	struct world *world, const struct happened *as, int from, const char *name, int number)
{
	struct happened *one = &world->happened[world->happened_count++];

	assert(world->happened_count <= USES_MAX);
	*one = *as;
	(void)snprintf(one->from, sizeof one->from, "i%d", from);
	if (number < 0)
		(void)snprintf(one->name, sizeof one->name, "%s", name);
	else
		(void)snprintf(one->name, sizeof one->name, "%s%d", name, number);
}

static void happen_hop(struct world *world, const struct happened *as, int above, int below)
{
	struct happened hop = *as;

	hop.kind = GRAPH_NODE_IDENTITY;
	hop.way = EFFECT_NONE;
	if (above != below)
		happen(world, &hop, above, "i", below);
}

static int64_t now(struct world *world)
{
	world->log.now_utc_ms += 1 + pick((size_t)world->pace_ms);
	return world->log.now_utc_ms;
}

static void open_task(struct world *world)
{
	int number = world->tasks_count;
	int parent = number == 0 || pick(2) == 0 ? -1 : (int)pick((size_t)number);
	struct happened as = {.at_utc_ms = now(world),
		.environment = (enum environment)(1 + pick(4)),
		.task = number,
		.kind = GRAPH_NODE_CREDENTIAL};
	bool by_key = pick(2) == 0, by_issuer = pick(3) == 0, for_person = pick(3) == 0;
	bool by_certificate = by_key && pick(2) == 0;
	bool is_named = pick(20) != 0 || world->names_all;
	char above[120] = "", proof[200] = "", person[40] = "";
	int identity = (int)pick(IDENTITIES), key = (int)pick(2);

	if (number == TASKS)
		return;
	world->tasks[world->tasks_count++] = (struct opened){identity, parent};
	if (parent >= 0 && is_named)
		(void)snprintf(above, sizeof above,
			"\"parent\":\"t-%d\",\"parent-identity\":\"i%d\",", parent,
			world->tasks[parent].identity);
	else if (parent >= 0)
		(void)snprintf(above, sizeof above, "\"parent\":\"t-%d\",", parent);
	(void)snprintf(proof, sizeof proof, "{%s%s%s}",
		by_certificate ? key == 0 ? "\"key\":\"sha256:0\"" : "\"key\":\"sha256:1\""
		: by_key       ? key == 0 ? "\"key\":\"k0\"" : "\"key\":\"k1\""
			       : "",
		by_key && by_issuer ? "," : "", by_issuer ? "\"issuer\":\"clouds\"" : "");
	if (for_person)
		(void)snprintf(person, sizeof person, "\"person\":\"eva\",");
	put(world, text_format(world->arena,
			   "{\"actor\":\"identity:i%d\",\"at\":%lld,\"environment\":\"%s\","
			   "\"identity\":\"i%d\",%s%s\"proof\":%s,\"task\":\"t-%d\","
			   "\"type\":\"task-opened\"}",
			   identity, (long long)as.at_utc_ms, environments[as.environment],
			   identity, above, person, proof, number));
	if (parent >= 0 && is_named)
		happen_hop(world, &as, world->tasks[parent].identity, identity);
	else if (parent >= 0)
		world->unnamed_utc_ms = as.at_utc_ms;
	if (by_key)
		happen(world, &as, identity, by_certificate ? "certificate/sha256:" : "key/k", key);
	if (by_issuer)
		happen(world, &as, identity, "issuer/clouds", -1);
	if (for_person)
		happen(world, &as, identity, "consent/people", -1);
	if (!by_key && !by_issuer && !for_person) {
		as.kind = GRAPH_NODE_IDENTITY;
		happen(world, &as, identity, "i", identity);
	}
}

/* The tasks of a chain, and whose they are, as a decision names them. */
static int chain_of(const struct world *world, int task, char *tasks, char *names, size_t size)
{
	int count = 0;

	tasks[0] = names[0] = '\0';
	for (; task >= 0; task = world->tasks[task].parent, count++) {
		size_t at = strlen(tasks);

		(void)snprintf(tasks + at, size - at, "%s\"t-%d\"", count > 0 ? "," : "", task);
		at = strlen(names);
		(void)snprintf(names + at, size - at, "%s\"i%d\"", count > 0 ? "," : "",
			world->tasks[task].identity);
	}
	return count;
}

static void happen_call(struct world *world, const struct happened *call, int tool, bool reads)
{
	int identity = world->tasks[call->task].identity;
	struct happened as = *call;

	as.kind = as.effect == EFFECT_GENERATE   ? GRAPH_NODE_MODEL
		  : as.effect == EFFECT_DELEGATE ? GRAPH_NODE_IDENTITY
						 : GRAPH_NODE_TOOL;
	as.way = as.effect;
	happen(world, &as, identity, as.effect == EFFECT_DELEGATE ? "i" : "s/t", tool);
	as.way = EFFECT_NONE;
	as.kind = GRAPH_NODE_DATA_SOURCE;
	if (reads)
		happen(world, &as, identity, "d", tool);
}

static void decide(struct world *world)
{
	char tasks[400], names[400];
	int task = (int)pick((size_t)world->tasks_count), tool = (int)pick(TOOLS);
	bool is_allowed = pick(5) != 0, reads = pick(3) == 0,
	     is_named = pick(40) != 0 || world->names_all;
	struct happened as = {.at_utc_ms = now(world),
		.environment = (enum environment)(1 + pick(4)),
		.effect = (enum effect)(1 + pick(5)),
		.task = task};
	int count = chain_of(world, task, tasks, names, sizeof tasks);
	bool tells = count > 1 && is_named;

	put(world,
		text_format(world->arena,
			"{\"actor\":\"identity:i%d\",\"at\":%lld,\"chain\":[%s],\"effect\":\"%s\","
			"\"environment\":\"%s\",%s%s%s\"identity\":\"i%d\",%s%s%s\"task\":\"t-%d\","
			"\"tool\":\"%s%d%s\",\"type\":\"decision\",\"verdict\":\"%s\"}",
			world->tasks[task].identity, (long long)as.at_utc_ms, tasks,
			effects[as.effect], environments[as.environment],
			tells ? "\"identities\":[" : "", tells ? names : "", tells ? "]," : "",
			world->tasks[task].identity, reads ? "\"sources\":[\"d" : "",
			reads ? (const char *[]){"0", "1", "2"}[tool] : "", reads ? "\"]," : "",
			task, as.effect == EFFECT_DELEGATE ? "i" : "s/t", tool,
			as.effect == EFFECT_DELEGATE ? "/skill" : "",
			is_allowed ? "allow" : "deny"));
	if (!is_allowed)
		return;
	happen_call(world, &as, tool, reads);
	if (count > 1 && !is_named)
		world->unnamed_utc_ms = as.at_utc_ms;
	for (; tells && world->tasks[task].parent >= 0; task = world->tasks[task].parent)
		happen_hop(world, &as, world->tasks[world->tasks[task].parent].identity,
			world->tasks[task].identity);
}

/* As it was written before there was one count: by no effect, with numbers nobody may trust. */
static void count_as_before(struct world *world)
{
	put(world, text_format(world->arena,
			   "{\"actor\":\"remit\",\"at\":%lld,\"items\":[{\"counts\":[9,9,9,9,9,9,9,"
			   "9,9,"
			   "9,9,9,9],\"identity\":\"i%u\",\"last\":%lld,\"to\":\"tool:s/t%u\","
			   "\"week\":%lld}],\"type\":\"graph-uses\"}",
			   (long long)now(world), pick(IDENTITIES),
			   (long long)(world->log.now_utc_ms / 1000 - 1), pick(TOOLS),
			   (long long)(world->log.now_utc_ms / WEEK_MS)));
}

/* ---- the naive count ---- */

static bool is_of(const struct happened *one, const struct graph_usage_asked *asked)
{
	return text_is(asked->identity, one->from) && one->kind == asked->kind &&
	       text_is(asked->name, one->name) && one->way == asked->way;
}

static struct graph_usage count_naively(
	const struct world *world, const struct graph_usage_asked *asked, int64_t *distinct)
{
	struct graph_usage out = {.known_utc_ms = asked->now_utc_ms - WINDOW_MS};
	uint32_t tasks = 0;
	int task = -1;

	if (world->first_utc_ms > out.known_utc_ms)
		out.known_utc_ms = world->first_utc_ms;
	for (size_t i = 0; i < world->happened_count; i++) {
		const struct happened *one = &world->happened[i];

		if (!is_of(one, asked))
			continue;
		out.tasks += one->task != task;
		task = one->task;
		if (one->at_utc_ms >= out.known_utc_ms)
			out.last_utc_ms = one->at_utc_ms;
		if (one->at_utc_ms / WEEK_MS + GRAPH_USE_WEEKS <= asked->now_utc_ms / WEEK_MS)
			continue;
		out.uses++;
		tasks |= UINT32_C(1) << one->task;
		out.environments |= environment_bit(one->environment);
		out.effects |= one->effect == EFFECT_NONE ? 0 : UINT32_C(1) << one->effect;
	}
	out.tasks = out.tasks > out.uses ? out.uses : out.tasks;
	*distinct = __builtin_popcount(tasks);
	return out;
}

static bool same(const struct graph_usage *a, const struct graph_usage *b)
{
	return a->known_utc_ms == b->known_utc_ms && a->last_utc_ms == b->last_utc_ms &&
	       a->uses == b->uses && a->environments == b->environments &&
	       a->effects == b->effects && a->is_unsure == b->is_unsure;
}

/* Those of before the weeks that count may be forgotten: then it is no more than there were
 * changes from one to another, and no less than there were. */
static bool same_tasks(const struct world *world, const struct graph_usage *found,
	const struct graph_usage *expected, int64_t distinct)
{
	if (world->log.now_utc_ms - world->first_utc_ms < WINDOW_MS - WEEK_MS)
		return found->tasks == expected->tasks;
	return found->tasks >= distinct && found->tasks <= expected->tasks;
}

static void compare(const struct world *world, const struct graph_usage_asked *asked)
{
	int64_t distinct;
	struct graph_usage expected = count_naively(world, asked, &distinct), found;
	bool is_hop = asked->kind == GRAPH_NODE_IDENTITY && asked->way == EFFECT_NONE;

	graph_usage(world->graph, asked, &found);
	expected.is_unsure = is_hop && world->unnamed_utc_ms != 0 &&
			     world->unnamed_utc_ms > asked->now_utc_ms - WINDOW_MS;
	if (same(&found, &expected) && same_tasks(world, &found, &expected, distinct))
		return;
	fprintf(stderr,
		"%.*s, %s %.*s by %d: known %lld %lld, last %lld %lld, uses %lld %lld, "
		"tasks %lld %lld, in %x %x, did %x %x, unsure %d %d\n",
		TEXT_ARGS(asked->identity), graph_node_kind_word(asked->kind),
		TEXT_ARGS(asked->name), (int)asked->way, (long long)found.known_utc_ms,
		(long long)expected.known_utc_ms, (long long)found.last_utc_ms,
		(long long)expected.last_utc_ms, (long long)found.uses, (long long)expected.uses,
		(long long)found.tasks, (long long)expected.tasks, found.environments,
		expected.environments, found.effects, expected.effects, found.is_unsure,
		expected.is_unsure);
	abort();
}

static void compare_last(const struct world *world, const char *identity)
{
	int64_t last_utc_ms = 0;

	for (size_t i = 0; i < world->happened_count; i++) {
		const struct happened *one = &world->happened[i];

		if (strcmp(one->from, identity) == 0 ||
			(one->kind == GRAPH_NODE_IDENTITY && strcmp(one->name, identity) == 0))
			last_utc_ms = one->at_utc_ms;
	}
	assert(graph_last_use_utc_ms(world->graph, text_of(identity)) >= last_utc_ms / 1000 * 1000);
}

/* By none is only the time of a record of before. */
static int is_by_effect(enum graph_node_kind kind)
{
	return kind == GRAPH_NODE_TOOL || kind == GRAPH_NODE_MODEL;
}

static void compare_all(struct world *world)
{
	static const char *const names[] = {"s/t0", "s/t1", "s/t2", "d0", "d1", "d2", "i0", "i1",
		"i2", "i3", "key/k0", "key/k1", "certificate/sha256:0", "certificate/sha256:1",
		"issuer/clouds", "consent/people"};
	static const enum graph_node_kind kinds[] = {GRAPH_NODE_TOOL, GRAPH_NODE_MODEL,
		GRAPH_NODE_DATA_SOURCE, GRAPH_NODE_IDENTITY, GRAPH_NODE_CREDENTIAL};
	struct graph_usage_asked asked = {.now_utc_ms = world->log.now_utc_ms};

	for (int i = 0; i < IDENTITIES; i++) {
		char identity[8];

		(void)snprintf(identity, sizeof identity, "i%d", i);
		asked.identity = text_of(identity);
		compare_last(world, identity);
		for (size_t kind = 0; kind < COUNT(kinds); kind++)
			for (size_t name = 0; name < COUNT(names); name++)
				for (int way = is_by_effect(kinds[kind]); way <= EFFECT_DELEGATE;
					way++) {
					asked.kind = kinds[kind];
					asked.name = text_of(names[name]);
					asked.way = (enum effect)way;
					compare(world, &asked);
				}
	}
}

/* ---- runs ---- */

static void count_up(struct world *world)
{
	while (!graph_is_counted(world->graph))
		(void)graph_keep_counts(world->graph);
}

/* A pass, which may end in the middle, for good or because the log did not take it. */
static void keep_counts(struct world *world)
{
	unsigned steps = pick(4);

	world->log.loses = pick(6) == 0;
	if (pick(4) == 0)
		world->log.now_utc_ms += (int64_t)GRAPH_COUNTS_S * 1000;
	while (steps-- > 0 && graph_keep_counts(world->graph))
		;
	world->log.loses = false;
}

static void begin(struct world *world)
{
	static const int64_t paces_ms[] = {1000, 3600 * 1000, INT64_C(40) * 3600 * 1000};

	*world = (struct world){
		.pace_ms = paces_ms[pick(COUNT(paces_ms))], .names_all = pick(2) == 0};
	fake_log_init(&world->log);
	world->log.now_utc_ms += (int64_t)pick(1000) * 3600 * 1000;
	world->arena = arena_create((size_t)1 << 26);
	world->happened = calloc(USES_MAX, sizeof *world->happened);
	assert(world->arena != NULL && world->happened != NULL);
	use_store(world);
	start(world);
	world->first_utc_ms = now(world);
	put(world,
		text_format(world->arena, "{\"actor\":\"remit\",\"at\":%lld,\"type\":\"genesis\"}",
			(long long)world->first_utc_ms));
	restart(world);
	open_task(world);
}

static void end(struct world *world)
{
	stop(world);
	memory_store_destroy(&world->memory);
	fake_log_deinit(&world->log);
	arena_destroy(&world->arena);
	free(world->happened);
}

static void run(void)
{
	struct world world;
	bool was_before = pick(3) == 0; /* begun before there was one count */

	begin(&world);
	for (int i = 0; i < STEPS; i++) {
		switch (pick(8)) {
		case 0: open_task(&world); break;
		case 1:
			if (was_before && i < STEPS / 2)
				count_as_before(&world);
			else
				keep_counts(&world);
			break;
		case 2:
			if (pick(3) == 0)
				restart(&world);
			break;
		default: decide(&world); break;
		}
		if (pick(10) == 0) {
			count_up(&world);
			compare_all(&world);
		}
	}
	restart(&world);
	count_up(&world);
	compare_all(&world);
	end(&world);
}

/* Nothing of before is taken for unused, and what comes is counted. */
static void run_unreadable(void)
{
	struct world world;
	struct graph_usage usage;
	struct graph_usage_asked asked = {.kind = GRAPH_NODE_TOOL,
		.identity = TEXT("i0"),
		.name = TEXT("s/t0"),
		.way = EFFECT_READ};

	begin(&world);
	for (int i = 0; i < 20; i++)
		decide(&world);
	world.is_unreadable = true;
	stop(&world);
	start(&world);
	assert(!graph_is_counted(world.graph));
	asked.now_utc_ms = world.log.now_utc_ms;
	graph_usage(world.graph, &asked, &usage);
	assert(usage.known_utc_ms == asked.now_utc_ms);
	count_up(&world);
	asked.now_utc_ms = now(&world) + 1000;
	graph_usage(world.graph, &asked, &usage);
	assert(usage.is_unsure && usage.last_utc_ms == 0);
	assert(usage.known_utc_ms > asked.now_utc_ms - world.pace_ms - 1100);
	end(&world);
}

int main(void)
{
	uint64_t worlds = worlds_given(WORLDS);

	seed_with(seed_of_run());
	for (uint64_t i = 0; i < worlds; i++) {
		run();
		if (i % 8 == 0)
			run_unreadable();
	}
	printf("%llu logs\n", (unsigned long long)worlds);
	return 0;
}
