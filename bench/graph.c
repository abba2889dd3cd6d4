/* The joined graph at the size of a large organisation: a million identities, five million
 * entitlements, twenty million uses.  Prints how long it takes to build, what it holds, and the
 * questions' p50 and p99 over different starts. */
#include <assert.h>
#include <string.h>

#include "bench.h"
#include "domain/graph/excess.h"
#include "domain/graph/search.h"

enum {
	LINES = 5,
	TOOLS = 10000,
	SOURCES = 2000,
	PERSONS = 20000,
	UNITS = 200,
	RESOURCES = 50000,
	USES = 20 * 1000 * 1000,
	QUESTIONS = 2000,
	NOW_S = 1795000000,
	NAME_BYTES = 64,
};

static const uint64_t seed = 7;

struct estate {
	struct graph *graph;
	struct graph_search *search;
	uint32_t identities;
	graph_id *ids;
	graph_id tools[TOOLS];
	graph_id sources[SOURCES];
	uint64_t random;
};

static uint32_t pick(struct estate *estate, uint32_t count)
{
	estate->random = estate->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((estate->random >> 33) % count);
}

static void must(bool ok)
{
	if (!ok)
		abort();
}

static graph_id name(struct estate *estate, enum graph_node_kind kind, const char *form, uint32_t n)
{
	char written[NAME_BYTES];
	struct error err;
	graph_id id;

	(void)snprintf(written, sizeof written, "%s-%u", form, (unsigned)n);
	must(graph_name_node(estate->graph, kind, text_of(written), &id, &err));
	return id;
}

static graph_id say(struct estate *estate, enum graph_node_kind kind, const char *form, uint32_t n)
{
	char written[NAME_BYTES];
	struct error err;
	struct graph_node node = {.kind = kind,
		.risk = RISK_HIGH,
		.sensitivity = (enum sensitivity)(n % 5),
		.version = TEXT("3")};
	graph_id id;

	(void)snprintf(written, sizeof written, "%s-%u", form, (unsigned)n);
	node.name = text_of(written);
	must(graph_put_node(estate->graph, &node, &id, &err));
	return id;
}

static void join(
	struct estate *estate, enum graph_edge_kind kind, graph_id from, graph_id to, uint32_t line)
{
	static const char *const lines[] = {"entitlements/0", "entitlements/1", "entitlements/2",
		"entitlements/3", "entitlements/4", "owner"};
	struct error err;
	const struct graph_edge edge = {
		.kind = kind,
		.from = from,
		.to = to,
		.effects = kind == GRAPH_EDGE_MAY ? 1U << (1 + line % 3) : 0,
		.scope = text_of(lines[line]),
		.by = TEXT("person:eva"),
		.why = TEXT("charter@3"),
		.since_s = 1700000000,
	};

	must(graph_put_edge(estate->graph, &edge, &err));
}

static void begin(struct estate *estate, const char *layer, const char *form, uint32_t n)
{
	char part[NAME_BYTES];
	struct error err;

	(void)snprintf(part, sizeof part, "%s/%u", form, (unsigned)n);
	must(graph_part_begin(estate->graph, text_of(layer), text_of(part), &err));
}

/* As a charter is said: its people, its unit, its lines; every tenth acts through an account
 * and hands work on. */
static void say_identity(struct estate *estate, uint32_t n)
{
	graph_id id;

	begin(estate, GRAPH_LAYER_REGISTRY, "identity", n);
	id = say(estate, GRAPH_NODE_IDENTITY, "identity", n);
	estate->ids[n] = id;
	join(estate, GRAPH_EDGE_OWNS,
		name(estate, GRAPH_NODE_PERSON, "person", pick(estate, PERSONS)), id, LINES);
	join(estate, GRAPH_EDGE_BELONGS, id,
		name(estate, GRAPH_NODE_UNIT, "unit", pick(estate, UNITS)), LINES);
	for (uint32_t line = 0; line < LINES; line++)
		join(estate, GRAPH_EDGE_MAY, id, estate->tools[pick(estate, TOOLS)], line);
	if (n % 10 == 0) {
		join(estate, GRAPH_EDGE_IS, id, name(estate, GRAPH_NODE_ACCOUNT, "aws/account", n),
			LINES);
		join(estate, GRAPH_EDGE_HANDS, id,
			name(estate, GRAPH_NODE_IDENTITY, "identity",
				pick(estate, estate->identities)),
			LINES);
	}
	graph_part_end(estate->graph);
}

static void say_account(struct estate *estate, uint32_t n)
{
	graph_id id;

	begin(estate, "aws", "account", n);
	id = say(estate, GRAPH_NODE_ACCOUNT, "aws/account", n);
	for (uint32_t i = 0; i < 3; i++)
		join(estate, GRAPH_EDGE_MAY, id,
			name(estate, GRAPH_NODE_RESOURCE, "aws/resource", pick(estate, RESOURCES)),
			i);
	graph_part_end(estate->graph);
}

static void build(struct estate *estate)
{
	begin(estate, GRAPH_LAYER_REGISTRY, "all", 0);
	for (uint32_t i = 0; i < SOURCES; i++)
		estate->sources[i] = say(estate, GRAPH_NODE_DATA_SOURCE, "source", i);
	for (uint32_t i = 0; i < TOOLS; i++) {
		estate->tools[i] = say(estate, GRAPH_NODE_TOOL, "server/tool", i);
		join(estate, GRAPH_EDGE_READS, estate->tools[i],
			estate->sources[pick(estate, SOURCES)], LINES);
	}
	for (uint32_t i = 0; i < RESOURCES; i += 2)
		join(estate, GRAPH_EDGE_AT, name(estate, GRAPH_NODE_RESOURCE, "aws/resource", i),
			estate->sources[pick(estate, SOURCES)], LINES);
	graph_part_end(estate->graph);
	for (uint32_t n = 0; n < estate->identities; n++)
		say_identity(estate, n);
	for (uint32_t n = 0; n < estate->identities; n += 10)
		say_account(estate, n);
}

/* Each identity uses what it may; so there are as many pairs as lines at most, one more for how
 * it opens its tasks, and one where it hands work on. */
struct used {
	struct graph_edge edges[LINES + 1];
	uint32_t count;
};

static bool note_edge(void *context, const struct graph_edge *edge)
{
	struct used *used = context;

	if (edge->kind == GRAPH_EDGE_MAY || edge->kind == GRAPH_EDGE_HANDS)
		used->edges[used->count++] = *edge;
	return used->count < LINES + 1;
}

static void note(struct estate *estate, const struct graph_used *ends)
{
	static const enum environment environments[] = {ENVIRONMENT_STAGING, ENVIRONMENT_PROD};
	struct graph_used used = *ends;
	struct error err;

	used.at_s = NOW_S - pick(estate, 120 * 86400);
	used.at_ms = (uint16_t)pick(estate, 1000);
	used.count = 1;
	used.task = 1 + pick(estate, UINT32_MAX - 1);
	used.environment = environments[pick(estate, 2)];
	used.effect = EFFECT_READ;
	must(graph_note_use(estate->graph, &used, &err));
}

static enum effect way_of(const struct graph_edge *edge)
{
	for (int effect = EFFECT_READ; effect <= EFFECT_DELEGATE; effect++)
		if (edge->kind == GRAPH_EDGE_MAY && (edge->effects & 1U << effect) != 0)
			return (enum effect)effect;
	return EFFECT_NONE;
}

static void use(struct estate *estate, uint32_t uses)
{
	graph_id issuer = name(estate, GRAPH_NODE_CREDENTIAL, "issuer/clouds", 1);

	for (uint32_t i = 0; i < uses; i += 4) {
		graph_id id = estate->ids[pick(estate, estate->identities)];
		struct used used = {.count = 0};

		graph_each_out(estate->graph, id, GRAPH_EDGE_NONE, note_edge, &used);
		note(estate, &(struct graph_used){.from = id, .to = issuer});
		for (uint32_t j = 0; j < 3; j++) {
			const struct graph_edge *edge = &used.edges[pick(estate, used.count)];

			note(estate, &(struct graph_used){
					     .from = id, .to = edge->to, .way = way_of(edge)});
		}
	}
}

/* ---- figures ---- */

static void print_total(const struct estate *estate, const char *what, int64_t begun_ns)
{
	printf("{\"bench\":\"graph\",\"case\":\"%s\",\"seconds\":%.1f,\"nodes\":%zu,\"edges\":%zu,"
	       "\"uses\":%zu,\"held_mib\":%.0f,\"resident_mib\":%.0f}\n",
		what, (double)(bench_now_ns() - begun_ns) / 1e9, graph_node_count(estate->graph),
		graph_edge_count(estate->graph), graph_use_count(estate->graph),
		(double)graph_held_bytes(estate->graph) / (1024 * 1024),
		(double)bench_resident_bytes() / (1024 * 1024));
	fflush(stdout);
}

static void ask_path(struct estate *estate)
{
	struct graph_question question = {
		.starts = {name(estate, GRAPH_NODE_PERSON, "person", pick(estate, PERSONS))},
		.starts_count = 1,
		.to = estate->sources[pick(estate, SOURCES)],
		.now_s = NOW_S};
	struct graph_path paths[GRAPH_PATHS_MAX];
	size_t shown;
	bool is_cut;

	graph_search_run(estate->search, estate->graph, &question, &is_cut);
	(void)graph_paths(estate->search, question.to, paths, GRAPH_PATHS_MAX, &shown);
}

static void ask_reach_of(struct estate *estate, graph_id start)
{
	const struct graph_question question = {
		.starts = {start}, .starts_count = 1, .now_s = NOW_S};
	bool is_cut;

	graph_search_run(estate->search, estate->graph, &question, &is_cut);
}

static void ask_reach(struct estate *estate)
{
	ask_reach_of(estate, estate->ids[pick(estate, estate->identities)]);
}

static void ask_reach_of_person(struct estate *estate)
{
	ask_reach_of(estate, name(estate, GRAPH_NODE_PERSON, "person", pick(estate, PERSONS)));
}

static void ask_inherited(struct estate *estate)
{
	static struct graph_excess excess;
	char identity[NAME_BYTES], account[NAME_BYTES];
	uint32_t n = pick(estate, estate->identities) / 10 * 10;
	struct text accounts[1];
	struct charter charter = {.accounts = accounts, .accounts_count = 1};

	(void)snprintf(identity, sizeof identity, "identity-%u", (unsigned)n);
	(void)snprintf(account, sizeof account, "aws/account-%u", (unsigned)n);
	charter.name = text_of(identity);
	accounts[0] = text_of(account);
	graph_excess_of(estate->search, estate->graph, &charter, NOW_S, &excess);
}

static bool count_some(void *context, const struct graph_edge *edge)
{
	uint32_t *count = context;

	(void)edge;
	return ++*count < 100;
}

/* A page of who may use a tool, with when each last did. */
static void ask_who(struct estate *estate)
{
	uint32_t count = 0;

	graph_each_in(estate->graph, estate->tools[pick(estate, TOOLS)], GRAPH_EDGE_MAY, count_some,
		&count);
}

static void ask_can(struct estate *estate)
{
	uint32_t count = 0;

	graph_each_out(estate->graph, estate->ids[pick(estate, estate->identities)],
		GRAPH_EDGE_NONE, count_some, &count);
}

static void change_one(struct estate *estate)
{
	say_identity(estate, pick(estate, estate->identities));
}

static void use_one(struct estate *estate)
{
	note(estate, &(struct graph_used){.from = estate->ids[pick(estate, estate->identities)],
			     .to = estate->tools[pick(estate, TOOLS)],
			     .way = EFFECT_READ});
}

static void measure(struct estate *estate, const char *what, void (*question)(struct estate *))
{
	static double samples[QUESTIONS];
	struct bench_figures figures;

	for (int i = 0; i < QUESTIONS; i++) {
		int64_t begun_ns = bench_now_ns();

		question(estate);
		samples[i] = (double)(bench_now_ns() - begun_ns);
	}
	qsort(samples, QUESTIONS, sizeof *samples, bench_ascending);
	figures = (struct bench_figures){samples[QUESTIONS / 2], samples[QUESTIONS * 99 / 100]};
	bench_print("graph", what, figures, NULL, 0);
}

static void run(struct estate *estate)
{
	int64_t begun_ns = bench_now_ns();

	build(estate);
	print_total(estate, "build", begun_ns);
	begun_ns = bench_now_ns();
	use(estate, estate->identities < 1000000 ? estate->identities * 20 : USES);
	print_total(estate, "fold-uses", begun_ns);
	measure(estate, "can", ask_can);
	measure(estate, "who", ask_who);
	measure(estate, "path", ask_path);
	measure(estate, "reach", ask_reach);
	measure(estate, "reach-of-a-person", ask_reach_of_person);
	measure(estate, "excess", ask_inherited);
	measure(estate, "one-change", change_one);
	measure(estate, "one-use", use_one);
}

/* How many identities; a million unless it is said. */
int main(int argc, char **argv)
{
	struct estate *estate = calloc(1, sizeof *estate);
	struct error err;

	if (estate == NULL)
		return 1;
	estate->random = seed;
	estate->identities = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
	estate->ids = calloc(estate->identities + 1, sizeof *estate->ids);
	must(estate->ids != NULL && estate->identities > 0 && graph_create(&estate->graph, &err) &&
		graph_search_create(&estate->search, &err));
	run(estate);
	graph_search_destroy(&estate->search);
	graph_destroy(&estate->graph);
	free(estate->ids);
	free(estate);
	return 0;
}
