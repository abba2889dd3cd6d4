/* Laws of the joined graph, against plain lists of what each part says:
 *   - what can be read is what the parts say now, whatever they said before;
 *   - the order in which parts came does not matter;
 *   - every node that looks other than before was touched, and saying a part again touches none;
 *   - a layer's round takes back what was not said in it, and nothing else;
 *   - uses are counted by week, whatever is said anew;
 *   - every invariant holds after every change.
 * The seed is printed; REMIT_SEED repeats a run. */
#include <assert.h>
#include <string.h>

#include "domain/graph/graph.h"
#include "support/seeded.h"

enum {
	HISTORIES = 40,
	STEPS = 120,
	LAYERS = 4,
	PARTS = 5,
	SAID_MAX = 6,
	NAMES = 5,
	KINDS = 4,
	NODES = NAMES * KINDS,
};

static const char *const layer_names[LAYERS] = {"registry", "aws", "entra", "recorded"};
static const char *const part_names[PARTS] = {"a", "b", "c", "d", "e"};
static const enum graph_node_kind kinds[KINDS] = {
	GRAPH_NODE_IDENTITY, GRAPH_NODE_ACCOUNT, GRAPH_NODE_CREDENTIAL, GRAPH_NODE_PERSON};
static const char *const names[NAMES] = {"n0", "n1", "n2", "n3", "n4"};
static const char *const titles[] = {"", "one", "two"};

static const struct {
	enum graph_edge_kind kind;
	unsigned from; /* of kinds */
	unsigned to;
} forms[] = {
	{GRAPH_EDGE_IS, 0, 1},
	{GRAPH_EDGE_USES, 1, 1},
	{GRAPH_EDGE_HANDS, 0, 0},
	{GRAPH_EDGE_OPENS, 2, 1},
	{GRAPH_EDGE_OWNS, 3, 0},
};

struct said_node {
	unsigned node; /* kind * NAMES + name */
	unsigned title;
	uint32_t flags;
	unsigned fingerprint;
};

struct said_edge {
	unsigned form;
	unsigned from; /* of names */
	unsigned to;
	unsigned scope;
	unsigned by;
};

struct said {
	struct said_node nodes[SAID_MAX];
	unsigned nodes_count;
	struct said_edge edges[SAID_MAX];
	unsigned edges_count;
};

struct world {
	struct graph *graph;
	struct said said[LAYERS][PARTS];
	bool is_heard[NODES];
	graph_id ids[NODES]; /* once they were found */
	uint64_t views[NODES];
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ (value + 1)) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	return hash ^ hash >> 31;
}

static uint64_t mix_text(uint64_t hash, struct text text)
{
	for (size_t i = 0; i < text.length; i++)
		hash = mix(hash, (unsigned char)text.data[i]);
	return mix(hash, text.length);
}

/* ---- what the parts say ---- */

static struct said random_said(void)
{
	struct said said = {.nodes_count = pick(SAID_MAX + 1), .edges_count = pick(SAID_MAX + 1)};

	for (unsigned i = 0; i < said.nodes_count; i++)
		said.nodes[i] = (struct said_node){(unsigned)pick(NODES),
			(unsigned)pick(COUNT(titles)), (uint32_t)pick(4) * 2, (unsigned)pick(3)};
	for (unsigned i = 0; i < said.edges_count; i++)
		said.edges[i] =
			(struct said_edge){(unsigned)pick(COUNT(forms)), (unsigned)pick(NAMES),
				(unsigned)pick(NAMES), (unsigned)pick(3), (unsigned)pick(3)};
	return said;
}

static struct text node_name(unsigned node)
{
	return text_of(names[node % NAMES]);
}

static void must(bool ok)
{
	assert(ok);
}

static void put_node(struct graph *graph, const struct said_node *said)
{
	struct error err;
	graph_id id;
	struct graph_node node = {
		.kind = kinds[said->node / NAMES],
		.name = node_name(said->node),
		.title = text_of(titles[said->title]),
		.flags = said->flags,
		.fingerprint = text_of(titles[said->fingerprint]),
	};

	must(graph_put_node(graph, &node, &id, &err));
}

static void put_edge(struct graph *graph, const struct said_edge *said)
{
	struct error err;
	struct graph_edge edge = {
		.kind = forms[said->form].kind,
		.scope = text_of(titles[said->scope]),
		.by = text_of(titles[said->by]),
	};

	must(graph_name_node(graph, kinds[forms[said->form].from], text_of(names[said->from]),
		&edge.from, &err));
	must(graph_name_node(
		graph, kinds[forms[said->form].to], text_of(names[said->to]), &edge.to, &err));
	must(graph_put_edge(graph, &edge, &err));
}

static void say(struct graph *graph, unsigned layer, unsigned part, const struct said *said)
{
	struct error err;

	must(graph_part_begin(graph, text_of(layer_names[layer]), text_of(part_names[part]), &err));
	for (unsigned i = 0; i < said->nodes_count; i++)
		put_node(graph, &said->nodes[i]);
	for (unsigned i = 0; i < said->edges_count; i++)
		put_edge(graph, &said->edges[i]);
	graph_part_end(graph);
}

/* ---- how a node looks, by the lists and by the graph ---- */

/* The part's last word of the node. */
static const struct said_node *said_of(const struct said *said, unsigned node)
{
	for (unsigned i = said->nodes_count; i-- > 0;)
		if (said->nodes[i].node == node)
			return &said->nodes[i];
	return NULL;
}

/* layer_names are in order of rank but for the third and fourth, which are too. */
static const struct said_node *winner(const struct world *world, unsigned node)
{
	for (unsigned layer = 0; layer < LAYERS; layer++)
		for (unsigned part = 0; part < PARTS; part++) {
			const struct said_node *found = said_of(&world->said[layer][part], node);

			if (found != NULL)
				return found;
		}
	return NULL;
}

static uint64_t edge_hash(const struct said_edge *edge, unsigned layer)
{
	uint64_t hash = mix(forms[edge->form].kind, edge->from);

	hash = mix_text(mix(hash, edge->to), text_of(titles[edge->scope]));
	hash = mix_text(hash, text_of(titles[edge->by]));
	return mix_text(hash, text_of(layer_names[layer]));
}

static uint64_t edges_said(const struct world *world, unsigned node)
{
	uint64_t sum = 0;

	for (unsigned layer = 0; layer < LAYERS; layer++)
		for (unsigned part = 0; part < PARTS; part++)
			for (unsigned i = 0; i < world->said[layer][part].edges_count; i++) {
				const struct said_edge *edge = &world->said[layer][part].edges[i];

				if (forms[edge->form].from * NAMES + edge->from == node)
					sum += edge_hash(edge, layer);
				if (forms[edge->form].to * NAMES + edge->to == node)
					sum += 3 * edge_hash(edge, layer);
			}
	return sum;
}

static uint64_t node_hash(struct text title, uint32_t flags, struct text fingerprint)
{
	return mix_text(mix_text(mix(7, flags), title), fingerprint);
}

static uint64_t view_said(const struct world *world, unsigned node)
{
	const struct said_node *said = winner(world, node);
	uint64_t edges = edges_said(world, node);

	if (said == NULL)
		return edges == 0 ? 0 : mix(edges, 1);
	return mix(edges, node_hash(text_of(titles[said->title]), said->flags | 1,
				  text_of(titles[said->fingerprint])));
}

struct sum {
	const struct graph *graph;
	uint64_t total;
	uint64_t times;
};

static unsigned name_number(const struct graph *graph, graph_id id)
{
	struct graph_node node;
	unsigned number = 0;

	must(graph_node(graph, id, &node));
	while (!text_is(node.name, names[number]))
		number++;
	return number;
}

static bool add_edge(void *context, const struct graph_edge *edge)
{
	struct sum *sum = context;
	uint64_t hash = mix(edge->kind, name_number(sum->graph, edge->from));

	hash = mix_text(mix(hash, name_number(sum->graph, edge->to)), edge->scope);
	hash = mix_text(mix_text(hash, edge->by), edge->layer);
	sum->total += sum->times * hash;
	return true;
}

static uint64_t view_seen(const struct graph *graph, unsigned node)
{
	struct graph_node found;
	struct sum sum = {graph, 0, 1};

	if (!graph_find(graph, kinds[node / NAMES], node_name(node), &found))
		return 0;
	graph_each_out(graph, found.id, GRAPH_EDGE_NONE, add_edge, &sum);
	sum.times = 3;
	graph_each_in(graph, found.id, GRAPH_EDGE_NONE, add_edge, &sum);
	if ((found.flags & GRAPH_NODE_IS_KNOWN) == 0)
		return mix(sum.total, 1);
	return mix(sum.total, node_hash(found.title, found.flags, found.fingerprint));
}

static void compare(const struct world *world, const struct graph *graph)
{
	size_t edges = 0;
	size_t nodes = 0;

	graph_validate(graph);
	for (unsigned node = 0; node < NODES; node++) {
		assert(view_seen(graph, node) == view_said(world, node));
		nodes += view_said(world, node) != 0 ? 1 : 0;
	}
	for (unsigned layer = 0; layer < LAYERS; layer++)
		for (unsigned part = 0; part < PARTS; part++)
			edges += world->said[layer][part].edges_count;
	assert(graph_edge_count(graph) == edges);
	assert(graph_node_count(graph) == nodes);
}

/* ---- who was told ---- */

static graph_id find_id(const struct graph *graph, unsigned node)
{
	struct graph_node found;

	return graph_find(graph, kinds[node / NAMES], node_name(node), &found) ? found.id : 0;
}

static void hear(void *context, graph_id id)
{
	struct world *world = context;

	for (unsigned node = 0; node < NODES; node++)
		if (world->ids[node] == id || find_id(world->graph, node) == id)
			world->is_heard[node] = true;
}

static void check_heard(struct world *world)
{
	for (unsigned node = 0; node < NODES; node++) {
		uint64_t view = view_seen(world->graph, node);

		assert(view == world->views[node] || world->is_heard[node]);
		world->views[node] = view;
		if (find_id(world->graph, node) != 0)
			world->ids[node] = find_id(world->graph, node);
	}
	memset(world->is_heard, 0, sizeof world->is_heard);
}

/* ---- one step ---- */

static void step_say(struct world *world)
{
	unsigned layer = (unsigned)pick(LAYERS);
	unsigned part = (unsigned)pick(PARTS);

	if (pick(8) == 0)
		world->said[layer][part] = (struct said){0};
	else if (pick(4) != 0)
		world->said[layer][part] = random_said();
	say(world->graph, layer, part, &world->said[layer][part]);
}

static void step_say_again(struct world *world)
{
	unsigned layer = (unsigned)pick(LAYERS);
	unsigned part = (unsigned)pick(PARTS);
	const struct said *said = &world->said[layer][part];
	uint64_t generation;

	/* A node said twice in one part looks different in between. */
	for (unsigned i = 0; i < said->nodes_count; i++)
		if (said_of(said, said->nodes[i].node) != &said->nodes[i])
			return;
	generation = graph_generation(world->graph);
	say(world->graph, layer, part, said);
	assert(graph_generation(world->graph) == generation);
}

static void step_layer(struct world *world)
{
	unsigned layer = (unsigned)pick(LAYERS);
	bool is_round = pick(2) == 0;
	struct error err;

	if (is_round)
		must(graph_layer_begin(world->graph, text_of(layer_names[layer]), &err));
	for (unsigned part = 0; part < PARTS; part++) {
		if (is_round && pick(2) == 0)
			say(world->graph, layer, part, &world->said[layer][part]);
		else
			world->said[layer][part] = (struct said){0};
	}
	must(is_round ? graph_layer_end(world->graph, text_of(layer_names[layer]), &err)
		      : graph_layer_remove(world->graph, text_of(layer_names[layer]), &err));
}

static void compare_reordered(const struct world *world)
{
	struct graph *other;
	struct error err;
	unsigned start = (unsigned)pick(LAYERS * PARTS);

	must(graph_create(&other, &err));
	for (unsigned i = 0; i < LAYERS * PARTS; i++) {
		unsigned at = (start + i * 7) % (LAYERS * PARTS);

		say(other, at / PARTS, at % PARTS, &world->said[at / PARTS][at % PARTS]);
	}
	compare(world, other);
	graph_destroy(&other);
}

static void run_history(void)
{
	struct world world = {0};
	struct graph_listener listener = {&world, hear};
	struct error err;

	must(graph_create(&world.graph, &err));
	graph_listen(world.graph, &listener);
	for (unsigned step = 0; step < STEPS; step++) {
		switch (pick(8)) {
		case 0: step_layer(&world); break;
		case 1: step_say_again(&world); break;
		default: step_say(&world);
		}
		compare(&world, world.graph);
		check_heard(&world);
	}
	compare_reordered(&world);
	graph_destroy(&world.graph);
}

/* ---- uses ---- */

enum { DAYS = 400, DAY_S = 86400, USES = 60 };

static void run_uses(void)
{
	struct graph *graph;
	struct error err;
	graph_id from, to;
	graph_time latest = 0;
	unsigned days[USES];
	uint32_t expected = 0;
	struct graph_use use;

	must(graph_create(&graph, &err));
	must(graph_name_node(graph, GRAPH_NODE_IDENTITY, TEXT("i"), &from, &err));
	must(graph_name_node(graph, GRAPH_NODE_TOOL, TEXT("s/t"), &to, &err));
	for (unsigned i = 0; i < USES; i++) {
		days[i] = 1000 + (unsigned)pick(DAYS);
		must(graph_note_use(graph,
			&(struct graph_used){
				.from = from, .to = to, .at_s = days[i] * DAY_S, .count = 2},
			&err));
		latest = days[i] * DAY_S > latest ? days[i] * DAY_S : latest;
	}
	for (unsigned i = 0; i < USES; i++)
		if (days[i] / 7 + GRAPH_USE_WEEKS > latest / (7 * DAY_S))
			expected += 2;
	must(graph_find_use(graph, from, to, EFFECT_NONE, &use));
	assert(use.last_s == latest && graph_use_total(graph, &use) == expected);
	/* What was kept, older or not, put back, counts nothing twice. */
	must(graph_put_use(graph, &use, &err));
	use.week = (uint16_t)(use.week - pick(20));
	must(graph_find_use(graph, from, to, EFFECT_NONE, &use) &&
		graph_use_total(graph, &use) == expected);
	graph_validate(graph);
	graph_destroy(&graph);
}

int main(void)
{
	uint64_t histories = worlds_given(HISTORIES);

	seed_with(seed_of_run());
	for (uint64_t i = 0; i < histories; i++) {
		run_history();
		run_uses();
	}
	printf("%llu histories of the graph hold\n", (unsigned long long)histories);
	return 0;
}
