/* Laws of searching, over random graphs:
 *   - what is reached, in how many hops and with which effects, is what the plainest fixed
 *     point over a list of edges gives;
 *   - all shortest paths are counted, each one shown is one, and none twice;
 *   - taking an edge away never lets more be reached;
 * of what is inherited, over random estates:
 *   - who inherits something are those who are told it when asked what they inherit, by as many
 *     hops, along the way that is shown; each account or credential that gets at it is an heir or
 *     lies on the way of one (an identity may have several, of which the shortest is shown);
 * and of effective minus declared, over random estates:
 *   - a line more in the charter, and an account less, never adds excess;
 *   - nothing seen, no excess; what no data source is at is declared by nothing.
 * The seed is printed; REMIT_SEED repeats a run. */
#include <assert.h>
#include <string.h>

#include "domain/graph/excess.h"
#include "domain/graph/inherit.h"
#include "support/seeded.h"

enum { WORLDS = 300, ACTORS = 8, LINKS_MAX = 24, FAR = 99, NOW = 1000 };

static void must(bool ok)
{
	assert(ok);
}

struct world {
	struct graph *graph;
	struct graph_search *search;
	struct graph_edge edges[LINKS_MAX];
	size_t count;
	graph_id nodes[2 * ACTORS + 1]; /* accounts, then resources; by number from 1 */
};

static graph_id node_of(
	struct world *world, enum graph_node_kind kind, const char *prefix, unsigned number)
{
	char name[32];
	struct error err;
	graph_id id;

	(void)snprintf(name, sizeof name, "%s%u", prefix, number);
	must(graph_name_node(world->graph, kind, text_of(name), &id, &err));
	return id;
}

static void make_graph(struct world *world)
{
	struct error err;

	must(graph_create(&world->graph, &err));
	must(graph_part_begin(world->graph, TEXT("aws"), TEXT("p"), &err));
	for (unsigned i = 0; i < ACTORS; i++) {
		world->nodes[i] = node_of(world, GRAPH_NODE_ACCOUNT, "aws/a", i);
		world->nodes[ACTORS + i] = node_of(world, GRAPH_NODE_RESOURCE, "aws/r", i);
	}
	world->count = pick(LINKS_MAX);
	for (size_t i = 0; i < world->count; i++) {
		bool is_may = pick(3) == 0;
		struct graph_edge *edge = &world->edges[i];

		*edge = (struct graph_edge){
			.kind = is_may ? GRAPH_EDGE_MAY
				       : (pick(2) == 0 ? GRAPH_EDGE_USES : GRAPH_EDGE_HANDS),
			.from = world->nodes[pick(ACTORS)],
			.to = world->nodes[(is_may ? ACTORS : 0) + pick(ACTORS)],
			.until_s = pick(5) == 0 ? NOW - 1 + (graph_time)pick(3) : 0,
		};
		if (edge->kind != GRAPH_EDGE_USES)
			edge->effects = (uint32_t)pick(4) * 2;
		must(graph_put_edge(world->graph, edge, &err));
	}
	graph_part_end(world->graph);
}

static bool note_id(void *context, const struct graph_edge *edge)
{
	struct world *world = context;

	for (size_t i = 0; i < world->count; i++)
		if (world->edges[i].id == 0 && world->edges[i].from == edge->from &&
			world->edges[i].to == edge->to && world->edges[i].kind == edge->kind &&
			world->edges[i].effects == edge->effects &&
			world->edges[i].until_s == edge->until_s) {
			world->edges[i].id = edge->id;
			break;
		}
	return true;
}

static void learn_ids(struct world *world)
{
	for (unsigned i = 0; i < ACTORS; i++)
		graph_each_out(world->graph, world->nodes[i], GRAPH_EDGE_NONE, note_id, world);
}

/* ---- the plainest answer ---- */

struct plain {
	unsigned hops;
	uint32_t effects;
	uint64_t paths;
};

static bool edge_counts(const struct graph_edge *edge, graph_id without)
{
	return edge->id != without && (edge->until_s == 0 || edge->until_s > NOW);
}

static uint32_t effects_of(const struct graph_edge *edge, uint32_t before)
{
	return edge->effects == 0 ? before : before & edge->effects;
}

static void search_plainly(
	const struct world *world, graph_id start, graph_id without, struct plain *plain)
{
	bool changed = true;

	memset(plain, 0, (2 * ACTORS + 2) * sizeof *plain);
	for (unsigned i = 0; i <= 2 * ACTORS; i++)
		plain[i].hops = FAR;
	plain[start] = (struct plain){0, 0x3f, 1};
	while (changed) {
		changed = false;
		for (size_t i = 0; i < world->count; i++) {
			const struct graph_edge *edge = &world->edges[i];
			struct plain *from = &plain[edge->from];
			struct plain *to = &plain[edge->to];
			uint32_t effects = effects_of(edge, from->effects);

			if (from->hops == FAR || !edge_counts(edge, without) || effects == 0)
				continue;
			if ((to->effects | effects) != to->effects || from->hops + 1 < to->hops) {
				to->effects |= effects;
				to->hops = from->hops + 1 < to->hops ? from->hops + 1 : to->hops;
				changed = true;
			}
		}
	}
}

static bool is_prefix_valid(
	const struct world *world, const struct graph_path *path, graph_id start, graph_id end)
{
	graph_id at = start;

	for (size_t i = 0; i < path->count; i++) {
		struct graph_edge edge;

		must(graph_edge(world->graph, path->edges[i], &edge));
		if (edge.from != at)
			return false;
		at = edge.to;
	}
	return at == end;
}

static void check_paths(const struct world *world, graph_id start, graph_id end, unsigned hops)
{
	struct graph_path paths[GRAPH_PATHS_MAX];
	size_t shown;
	uint64_t total = graph_paths(world->search, end, paths, GRAPH_PATHS_MAX, &shown);

	assert(start == end ? total == 0 : total >= 1);
	assert(shown == (total < GRAPH_PATHS_MAX ? total : GRAPH_PATHS_MAX));
	for (size_t i = 0; i < shown; i++) {
		assert(paths[i].count == hops);
		assert(is_prefix_valid(world, &paths[i], start, end));
		for (size_t j = 0; j < i; j++)
			assert(memcmp(paths[i].edges, paths[j].edges,
				       hops * sizeof *paths[i].edges) != 0);
	}
}

static void run_search(struct world *world)
{
	struct plain plain[2 * ACTORS + 2], less[2 * ACTORS + 2];
	struct graph_question question = {
		.starts = {world->nodes[pick(ACTORS)]}, .starts_count = 1, .now_s = NOW};
	graph_id without = world->count == 0 ? 0 : world->edges[pick(world->count)].id;
	bool is_cut;

	search_plainly(world, question.starts[0], 0, plain);
	search_plainly(world, question.starts[0], without, less);
	graph_search_run(world->search, world->graph, &question, &is_cut);
	assert(!is_cut);
	for (graph_id node = 1; node <= 2 * ACTORS; node++) {
		struct graph_reached reached;
		bool found = graph_reached_find(world->search, node, &reached);

		assert(found == (plain[node].hops != FAR));
		assert((less[node].effects & ~plain[node].effects) == 0);
		if (!found)
			continue;
		assert(reached.hops == plain[node].hops);
		assert(reached.effects == plain[node].effects);
		check_paths(world, question.starts[0], node, reached.hops);
	}
	question.without_edges[question.without_edges_count++] = without;
	graph_search_run(world->search, world->graph, &question, &is_cut);
	for (graph_id node = 1; node <= 2 * ACTORS; node++) {
		struct graph_reached reached = {0};

		(void)graph_reached_find(world->search, node, &reached);
		assert(reached.effects == less[node].effects);
	}
}

/* ---- what is inherited, from both ends ---- */

enum { EACH = 4, JOINS = 24 };

struct estate {
	struct graph *graph;
	struct graph_search *search;
	graph_id identities[EACH];
	graph_id acting[2 * EACH]; /* accounts, then credentials */
	graph_id resources[EACH];
	struct graph_heir heirs[GRAPH_HEIRS_MAX];
	size_t count;
	uint64_t inherited; /* heirs there were, of all estates */
};

static void name_estate(struct estate *estate)
{
	struct world world = {.graph = estate->graph};

	for (unsigned i = 0; i < EACH; i++) {
		estate->identities[i] = node_of(&world, GRAPH_NODE_IDENTITY, "i", i);
		estate->acting[i] = node_of(&world, GRAPH_NODE_ACCOUNT, "aws/a", i);
		estate->acting[EACH + i] = node_of(&world, GRAPH_NODE_CREDENTIAL, "k", i);
		estate->resources[i] = node_of(&world, GRAPH_NODE_RESOURCE, "aws/r", i);
	}
}

static void put_any(struct estate *estate)
{
	static const enum graph_edge_kind kinds[] = {GRAPH_EDGE_IS, GRAPH_EDGE_USES,
		GRAPH_EDGE_HOLDS, GRAPH_EDGE_OPENS, GRAPH_EDGE_MAY, GRAPH_EDGE_HANDS};
	struct graph_edge edge = {
		.kind = kinds[pick(sizeof kinds / sizeof *kinds)],
		.from = pick(2) == 0 ? estate->identities[pick(EACH)]
				     : estate->acting[pick(2 * EACH)],
		.to = pick(2) == 0   ? estate->acting[pick(2 * EACH)]
		      : pick(2) == 0 ? estate->resources[pick(EACH)]
				     : estate->identities[pick(EACH)],
		.until_s = pick(8) == 0 ? NOW : 0,
	};
	struct error err;

	if (edge.kind == GRAPH_EDGE_MAY)
		edge.effects = (uint32_t)pick(4) * 2;
	(void)!graph_put_edge(estate->graph, &edge, &err); /* not all kinds join all */
}

static void make_estate(struct estate *estate)
{
	static const char *const layers[] = {GRAPH_LAYER_REGISTRY, "aws"};
	struct graph_node off = {.kind = GRAPH_NODE_ACCOUNT,
		.name = TEXT("aws/a0"),
		.flags = pick(2) == 0 ? GRAPH_NODE_IS_OFF : 0};
	struct error err;
	graph_id id;

	must(graph_create(&estate->graph, &err));
	for (int layer = 0; layer < 2; layer++) {
		must(graph_part_begin(estate->graph, text_of(layers[layer]), TEXT("p"), &err));
		name_estate(estate);
		must(layer == 0 || graph_put_node(estate->graph, &off, &id, &err));
		for (uint64_t left = pick(JOINS); left > 0; left--)
			put_any(estate);
		graph_part_end(estate->graph);
	}
}

static const struct graph_heir *heir_of(const struct estate *estate, graph_id node)
{
	for (size_t i = 0; i < estate->count; i++)
		if (estate->heirs[i].node == node)
			return &estate->heirs[i];
	return NULL;
}

/* What the node inherits, or gets at by itself, of the resource: by how many hops; 0: nothing. */
static uint32_t hops_forward(
	struct estate *estate, graph_id node, graph_id resource, enum effect effect)
{
	struct graph_question question;
	struct graph_reached reached;
	struct graph_node found;
	bool is_cut;

	must(graph_inherit_question(estate->graph, node, NOW, &question));
	if (graph_node(estate->graph, node, &found) && found.kind != GRAPH_NODE_IDENTITY) {
		question.starts[0] = node;
		question.starts_count = 1;
	}
	question.effects = UINT32_C(1) << effect;
	graph_search_run(estate->search, estate->graph, &question, &is_cut);
	assert(!is_cut);
	if (!graph_reached_find(estate->search, resource, &reached) || reached.effects == 0)
		return 0;
	return reached.hops + (found.kind == GRAPH_NODE_IDENTITY);
}

/* Each hop begins where the one before ended, and the last ends at the resource. */
static void check_way(const struct estate *estate, const struct graph_heir *heir, graph_id resource)
{
	graph_id at = heir->node;
	struct graph_edge edge;
	uint32_t hops = 0;

	if (heir->entry != 0) {
		must(graph_edge(estate->graph, heir->entry, &edge));
		assert(edge.from == at && edge.to == heir->begins);
		hops = 1;
	}
	at = heir->begins;
	while (at != resource) {
		struct graph_reached reached;

		must(graph_reached_find(estate->search, at, &reached));
		must(graph_edge(estate->graph, reached.edge, &edge));
		assert(edge.from == at && edge.to == reached.before);
		at = edge.to;
		hops++;
	}
	assert(hops == heir->hops);
}

/* Whether somebody's way begins at it: an identity's, or its own. */
static bool begins_a_way(const struct estate *estate, graph_id node)
{
	for (size_t i = 0; i < EACH; i++)
		if (graph_inherit_entry(estate->graph, estate->identities[i], node, NOW) != 0)
			return true;
	return heir_of(estate, node) != NULL;
}

/* Whether somebody's way begins at it, or goes through it and is as short as any. */
static bool lies_on_a_way(
	struct estate *estate, graph_id node, graph_id resource, enum effect effect)
{
	uint32_t left = hops_forward(estate, node, resource, effect);

	for (size_t i = 0; i < 2 * EACH; i++) {
		graph_id begins = estate->acting[i];

		if (begins_a_way(estate, begins) &&
			(begins == node ||
				(hops_forward(estate, begins, node, effect) > 0 &&
					hops_forward(estate, begins, node, effect) + left ==
						hops_forward(estate, begins, resource, effect))))
			return true;
	}
	return false;
}

/* A key of a charter, by which whoever has it is that identity. */
static bool is_own(struct estate *estate, graph_id node, graph_id resource, enum effect effect)
{
	struct graph_question question = graph_heirs_question(resource, effect, NOW);
	struct graph_reached reached;
	struct graph_edge edge;
	bool is_cut;

	graph_search_run(estate->search, estate->graph, &question, &is_cut);
	return graph_reached_find(estate->search, node, &reached) &&
	       graph_edge(estate->graph, reached.edge, &edge) && edge.kind == GRAPH_EDGE_OPENS &&
	       edge.origin == GRAPH_ORIGIN_DECLARED;
}

/* Everybody is asked from the other end. */
static void check_others(struct estate *estate, graph_id resource, enum effect effect)
{
	for (size_t i = 0; i < EACH; i++) {
		const struct graph_heir *heir = heir_of(estate, estate->identities[i]);
		uint32_t hops = hops_forward(estate, estate->identities[i], resource, effect);

		assert((heir == NULL ? 0 : heir->hops) == hops);
	}
	for (size_t i = 0; i < 2 * EACH; i++) {
		graph_id node = estate->acting[i];
		bool reaches = hops_forward(estate, node, resource, effect) > 0;

		assert(heir_of(estate, node) == NULL || reaches);
		assert(!reaches || lies_on_a_way(estate, node, resource, effect) ||
			is_own(estate, node, resource, effect));
	}
}

static void check_heirs(struct estate *estate, graph_id resource, enum effect effect)
{
	struct graph_question question = graph_heirs_question(resource, effect, NOW);
	bool is_cut;

	graph_heirs(
		estate->search, estate->graph, &question, estate->heirs, &estate->count, &is_cut);
	assert(!is_cut);
	estate->inherited += estate->count;
	for (size_t i = 0; i < estate->count; i++) {
		check_way(estate, &estate->heirs[i], resource);
		assert(i == 0 || estate->heirs[i - 1].hops <= estate->heirs[i].hops);
	}
	check_others(estate, resource, effect);
}

static void run_inherited(struct estate *estate)
{
	make_estate(estate);
	for (size_t i = 0; i < EACH; i++)
		check_heirs(
			estate, estate->resources[i], pick(2) == 0 ? EFFECT_READ : EFFECT_WRITE);
	graph_destroy(&estate->graph);
}

/* ---- effective minus declared ---- */

enum { SOURCES = 4, LINES = 4 };

static const char *const source_names[SOURCES] = {"d0", "d1", "d2", "d3"};
static const char *const tool_names[SOURCES] = {"s/t0", "s/t1", "s/t2", "s/t3"};
static const char *const account_names[] = {"aws/a0", "aws/a1", "aws/a2"};

static void declare_sources(struct world *world)
{
	struct error err;

	must(graph_part_begin(world->graph, TEXT(GRAPH_LAYER_REGISTRY), TEXT("all"), &err));
	for (unsigned i = 0; i < SOURCES; i++) {
		struct graph_node source = {.kind = GRAPH_NODE_DATA_SOURCE,
			.name = text_of(source_names[i]),
			.sensitivity = (enum sensitivity)pick(5)};
		struct graph_edge at = {
			.kind = GRAPH_EDGE_AT, .from = world->nodes[ACTORS + pick(ACTORS)]};
		struct graph_edge reads = {.kind = GRAPH_EDGE_READS};

		must(graph_put_node(world->graph, &source, &at.to, &err));
		must(graph_put_edge(world->graph, &at, &err));
		reads.to = at.to;
		must(graph_name_node(
			world->graph, GRAPH_NODE_TOOL, text_of(tool_names[i]), &reads.from, &err));
		must(graph_put_edge(world->graph, &reads, &err));
	}
	graph_part_end(world->graph);
}

/* Whether all of the first is in the second. */
static bool is_within(const struct graph_excess *less, const struct graph_excess *more)
{
	for (size_t i = 0; i < less->count; i++) {
		uint32_t left = less->items[i].effects;

		for (size_t j = 0; j < more->count; j++)
			if (more->items[j].resource == less->items[i].resource)
				left &= ~more->items[j].effects;
		if (left != 0)
			return false;
	}
	return true;
}

static bool note_any(void *context, const struct graph_edge *edge)
{
	(void)edge;
	*(bool *)context = true;
	return false;
}

static void check_unmapped(const struct world *world, const struct graph_excess *excess)
{
	for (size_t i = 0; i < graph_reached_count(world->search); i++) {
		struct graph_reached reached = graph_reached_at(world->search, i);
		bool is_mapped = false;
		struct graph_node node;
		size_t j = 0;

		must(graph_node(world->graph, reached.node, &node));
		graph_each_out(world->graph, reached.node, GRAPH_EDGE_AT, note_any, &is_mapped);
		if (node.kind != GRAPH_NODE_RESOURCE || is_mapped || (reached.effects & 0xe) == 0)
			continue;
		while (j < excess->count && excess->items[j].resource != reached.node)
			j++;
		assert(j < excess->count && excess->items[j].data_source == 0);
	}
}

static void run_excess(struct world *world)
{
	static struct graph_excess none, few, more, fewer_accounts;
	struct text accounts[3];
	struct charter_data_source sources[LINES];
	struct entitlement lines[LINES];
	struct charter charter = {.name = TEXT("i"), .accounts = accounts};

	declare_sources(world);
	for (unsigned i = 0; i < 3; i++)
		accounts[i] = text_of(account_names[i]);
	for (unsigned i = 0; i < LINES; i++) {
		sources[i] = (struct charter_data_source){
			text_of(source_names[i]), (enum sensitivity)pick(5)};
		lines[i] = (struct entitlement){.number = i,
			.effect = (enum effect)(1 + pick(3)),
			.resource_kind = RESOURCE_TOOL,
			.resource = text_of(tool_names[pick(SOURCES)]),
			.expires_utc_s = pick(4) == 0 ? NOW : 0};
	}
	charter.data_sources = sources;
	charter.entitlements = lines;
	graph_excess_of(world->search, world->graph, &charter, NOW, &none);
	assert(none.total == 0);
	charter.accounts_count = 3;
	charter.data_sources_count = (uint32_t)pick(LINES);
	charter.entitlements_count = (uint32_t)pick(LINES);
	graph_excess_of(world->search, world->graph, &charter, NOW, &more);
	check_unmapped(world, &more);
	charter.data_sources_count++;
	charter.entitlements_count++;
	graph_excess_of(world->search, world->graph, &charter, NOW, &few);
	assert(is_within(&few, &more));
	charter.accounts_count = 1;
	graph_excess_of(world->search, world->graph, &charter, NOW, &fewer_accounts);
	assert(is_within(&fewer_accounts, &few));
}

int main(void)
{
	uint64_t worlds = worlds_given(WORLDS);
	struct world world = {0};
	static struct estate estate;
	struct error err;

	seed_with(seed_of_run());
	must(graph_search_create(&world.search, &err));
	for (uint64_t i = 0; i < worlds; i++) {
		make_graph(&world);
		learn_ids(&world);
		for (int again = 0; again < 5; again++)
			run_search(&world);
		run_excess(&world);
		graph_destroy(&world.graph);
		memset(world.edges, 0, sizeof world.edges);
	}
	graph_search_destroy(&world.search);
	must(graph_search_create(&estate.search, &err));
	for (uint64_t i = 0; i < worlds * 10; i++)
		run_inherited(&estate);
	graph_search_destroy(&estate.search);
	assert(estate.inherited > worlds);
	printf("%llu graphs were searched\n", (unsigned long long)worlds);
	return 0;
}
