#include "domain/graph/search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "domain/graph/excess.h"
#include "domain/graph/inherit.h"

enum { NOW = 1000 };

struct fixture {
	struct graph *graph;
	struct graph_search *search;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	struct error err = {0};

	assert_true(graph_create(&fixture->graph, &err));
	assert_true(graph_search_create(&fixture->search, &err));
	assert_true(graph_part_begin(fixture->graph, TEXT("aws"), TEXT("p"), &err));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	graph_search_destroy(&fixture->search);
	assert_null(fixture->search);
	graph_destroy(&fixture->graph);
	free(fixture);
	return 0;
}

static graph_id node(struct fixture *fixture, enum graph_node_kind kind, unsigned number)
{
	char name[32];
	struct error err = {0};
	graph_id id;

	(void)snprintf(name, sizeof name, "n%u", number);
	assert_true(graph_name_node(fixture->graph, kind, text_of(name), &id, &err));
	return id;
}

static void join(struct fixture *fixture, const struct graph_edge *edge)
{
	struct error err = {0};

	if (!graph_put_edge(fixture->graph, edge, &err))
		fail_msg("%s", err.text);
}

static size_t reach(struct fixture *fixture, const struct graph_question *question, bool *is_cut)
{
	graph_search_run(fixture->search, fixture->graph, question, is_cut);
	return graph_reached_count(fixture->search);
}

static void before_any_search_nothing_is_reached(void **state)
{
	struct fixture *fixture = *state;
	struct graph_reached reached;
	struct graph_path path;
	size_t count;

	assert_false(graph_reached_find(fixture->search, 1, &reached));
	assert_int_equal(graph_paths(fixture->search, 1, &path, 1, &count), 0);
	assert_int_equal(count, 0);
}

static void what_is_off_or_has_ended_leads_nowhere(void **state)
{
	struct fixture *fixture = *state;
	struct graph_node off = {
		.kind = GRAPH_NODE_ACCOUNT, .name = TEXT("n1"), .flags = GRAPH_NODE_IS_OFF};
	struct graph_node expired = {
		.kind = GRAPH_NODE_CREDENTIAL, .name = TEXT("n2"), .expires_s = NOW};
	struct graph_question question = {.starts_count = 1, .now_s = NOW};
	struct error err = {0};
	graph_id account, credential, resource = node(fixture, GRAPH_NODE_RESOURCE, 3);
	bool is_cut;

	assert_true(graph_put_node(fixture->graph, &off, &account, &err));
	assert_true(graph_put_node(fixture->graph, &expired, &credential, &err));
	join(fixture,
		&(struct graph_edge){.kind = GRAPH_EDGE_MAY, .from = account, .to = resource});
	join(fixture,
		&(struct graph_edge){.kind = GRAPH_EDGE_MAY, .from = credential, .to = resource});
	join(fixture, &(struct graph_edge){.kind = GRAPH_EDGE_MAY,
			      .from = node(fixture, GRAPH_NODE_IDENTITY, 4),
			      .to = resource,
			      .until_s = NOW});
	question.starts[0] = account;
	assert_int_equal(reach(fixture, &question, &is_cut), 1);
	question.starts[0] = credential;
	assert_int_equal(reach(fixture, &question, &is_cut), 1);
	question.starts[0] = node(fixture, GRAPH_NODE_IDENTITY, 4);
	assert_int_equal(reach(fixture, &question, &is_cut), 1);
	question.now_s = NOW - 1;
	assert_int_equal(reach(fixture, &question, &is_cut), 2);
	question.starts[0] = credential;
	assert_int_equal(reach(fixture, &question, &is_cut), 2);
}

static void what_is_handed_on_has_no_other_effects(void **state)
{
	struct fixture *fixture = *state;
	graph_id one = node(fixture, GRAPH_NODE_IDENTITY, 1);
	graph_id other = node(fixture, GRAPH_NODE_IDENTITY, 2);
	graph_id tool = node(fixture, GRAPH_NODE_TOOL, 3);
	struct graph_question question = {.starts = {one}, .starts_count = 1};
	struct graph_reached reached;
	bool is_cut;

	join(fixture, &(struct graph_edge){.kind = GRAPH_EDGE_HANDS,
			      .from = one,
			      .to = other,
			      .effects = 1 << EFFECT_READ});
	join(fixture, &(struct graph_edge){.kind = GRAPH_EDGE_MAY,
			      .from = other,
			      .to = tool,
			      .effects = 1 << EFFECT_WRITE});
	assert_int_equal(reach(fixture, &question, &is_cut), 2);
	assert_false(graph_reached_find(fixture->search, tool, &reached));
	question.starts[0] = other;
	assert_int_equal(reach(fixture, &question, &is_cut), 2);
	assert_true(graph_reached_find(fixture->search, tool, &reached));
	assert_int_equal(reached.effects, 1 << EFFECT_WRITE);
}

static void a_path_has_so_many_hops_and_no_more(void **state)
{
	struct fixture *fixture = *state;
	struct graph_question question = {.starts_count = 1};
	struct graph_path path;
	size_t count;
	bool is_cut;

	for (unsigned i = 0; i <= GRAPH_PATH_HOPS_MAX; i++)
		join(fixture, &(struct graph_edge){.kind = GRAPH_EDGE_USES,
				      .from = node(fixture, GRAPH_NODE_ACCOUNT, i),
				      .to = node(fixture, GRAPH_NODE_ACCOUNT, i + 1)});
	question.starts[0] = node(fixture, GRAPH_NODE_ACCOUNT, 0);
	question.to = node(fixture, GRAPH_NODE_ACCOUNT, GRAPH_PATH_HOPS_MAX);
	(void)reach(fixture, &question, &is_cut);
	assert_int_equal(graph_paths(fixture->search, question.to, &path, 1, &count), 1);
	assert_int_equal(path.count, GRAPH_PATH_HOPS_MAX);
	question.to = node(fixture, GRAPH_NODE_ACCOUNT, GRAPH_PATH_HOPS_MAX + 1);
	(void)reach(fixture, &question, &is_cut);
	assert_int_equal(graph_paths(fixture->search, question.to, &path, 1, &count), 0);
	question.hops = 2;
	assert_int_equal(reach(fixture, &question, &is_cut), 3);
}

static void so_many_paths_are_shown_and_all_are_counted(void **state)
{
	struct fixture *fixture = *state;
	static struct graph_path paths[GRAPH_PATHS_MAX];
	struct graph_question question = {.starts_count = 1};
	size_t count;
	bool is_cut;

	for (unsigned i = 1; i <= GRAPH_PATHS_MAX + 1; i++) {
		join(fixture, &(struct graph_edge){.kind = GRAPH_EDGE_USES,
				      .from = node(fixture, GRAPH_NODE_ACCOUNT, 0),
				      .to = node(fixture, GRAPH_NODE_ACCOUNT, i)});
		join(fixture, &(struct graph_edge){.kind = GRAPH_EDGE_MAY,
				      .from = node(fixture, GRAPH_NODE_ACCOUNT, i),
				      .to = node(fixture, GRAPH_NODE_RESOURCE, 0)});
	}
	question.starts[0] = node(fixture, GRAPH_NODE_ACCOUNT, 0);
	question.to = node(fixture, GRAPH_NODE_RESOURCE, 0);
	(void)reach(fixture, &question, &is_cut);
	assert_int_equal(graph_paths(fixture->search, question.to, paths, GRAPH_PATHS_MAX, &count),
		GRAPH_PATHS_MAX + 1);
	assert_int_equal(count, GRAPH_PATHS_MAX);
	assert_false(is_cut);
}

/* So many edges to few resources, or to a resource each. */
static void fan_out(struct fixture *fixture, unsigned from, unsigned until, unsigned resources)
{
	for (unsigned i = from; i < until; i++)
		join(fixture, &(struct graph_edge){.kind = GRAPH_EDGE_MAY,
				      .from = node(fixture, GRAPH_NODE_ACCOUNT, 0),
				      .to = node(fixture, GRAPH_NODE_RESOURCE, i % resources)});
}

static void a_search_looks_at_so_many_edges_and_says_that_it_ended(void **state)
{
	struct fixture *fixture = *state;
	struct graph_question question = {.starts_count = 1};
	bool is_cut;

	fan_out(fixture, 0, GRAPH_SEARCH_EDGES_MAX, 100);
	question.starts[0] = node(fixture, GRAPH_NODE_ACCOUNT, 0);
	assert_int_equal(reach(fixture, &question, &is_cut), 101);
	assert_false(is_cut);
	fan_out(fixture, GRAPH_SEARCH_EDGES_MAX, GRAPH_SEARCH_EDGES_MAX + 1, 100);
	(void)reach(fixture, &question, &is_cut);
	assert_true(is_cut);
}

static void a_search_finds_so_many_nodes_and_says_that_it_ended(void **state)
{
	struct fixture *fixture = *state;
	struct graph_question question = {.starts_count = 1};
	bool is_cut;

	fan_out(fixture, 0, GRAPH_SEARCH_NODES_MAX - 1, GRAPH_SEARCH_NODES_MAX);
	question.starts[0] = node(fixture, GRAPH_NODE_ACCOUNT, 0);
	assert_int_equal(reach(fixture, &question, &is_cut), GRAPH_SEARCH_NODES_MAX);
	assert_false(is_cut);
	fan_out(fixture, GRAPH_SEARCH_NODES_MAX - 1, GRAPH_SEARCH_NODES_MAX,
		GRAPH_SEARCH_NODES_MAX);
	assert_int_equal(reach(fixture, &question, &is_cut), GRAPH_SEARCH_NODES_MAX);
	assert_true(is_cut);
}

static void so_much_excess_is_listed_and_all_is_counted(void **state)
{
	struct fixture *fixture = *state;
	static struct graph_excess excess;
	const struct text accounts[] = {TEXT("n0")};
	const struct charter charter = {
		.name = TEXT("i"), .accounts = accounts, .accounts_count = 1};

	fan_out(fixture, 0, GRAPH_EXCESS_MAX, GRAPH_EXCESS_MAX + 1);
	graph_excess_of(fixture->search, fixture->graph, &charter, NOW, &excess);
	assert_int_equal(excess.count, GRAPH_EXCESS_MAX);
	assert_int_equal(excess.total, GRAPH_EXCESS_MAX);
	fan_out(fixture, GRAPH_EXCESS_MAX, GRAPH_EXCESS_MAX + 1, GRAPH_EXCESS_MAX + 1);
	graph_excess_of(fixture->search, fixture->graph, &charter, NOW, &excess);
	assert_int_equal(excess.count, GRAPH_EXCESS_MAX);
	assert_int_equal(excess.total, GRAPH_EXCESS_MAX + 1);
	assert_false(excess.is_cut);
}

static void so_many_heirs_are_found_and_that_is_said(void **state)
{
	struct fixture *fixture = *state;
	static struct graph_heir heirs[GRAPH_HEIRS_MAX];
	graph_id account = node(fixture, GRAPH_NODE_ACCOUNT, 0);
	graph_id resource = node(fixture, GRAPH_NODE_RESOURCE, 0);
	struct graph_question question = graph_heirs_question(resource, EFFECT_READ, NOW);
	size_t count;
	bool is_cut;

	join(fixture,
		&(struct graph_edge){.kind = GRAPH_EDGE_MAY, .from = account, .to = resource});
	for (unsigned i = 0; i <= GRAPH_HEIRS_MAX; i++) {
		join(fixture, &(struct graph_edge){.kind = GRAPH_EDGE_IS,
				      .from = node(fixture, GRAPH_NODE_IDENTITY, i),
				      .to = account});
		if (i < GRAPH_HEIRS_MAX - 1)
			continue;
		graph_heirs(fixture->search, fixture->graph, &question, heirs, &count, &is_cut);
		assert_int_equal(count, GRAPH_HEIRS_MAX);
		assert_true(is_cut == (i == GRAPH_HEIRS_MAX));
	}
	assert_int_equal(heirs[0].hops, 2);
}

/* Some that consented, say: it is no way, and takes as long to see. */
static void so_many_edges_are_looked_at_for_heirs(void **state)
{
	struct fixture *fixture = *state;
	static struct graph_heir heirs[GRAPH_HEIRS_MAX];
	graph_id account = node(fixture, GRAPH_NODE_ACCOUNT, 0);
	graph_id resource = node(fixture, GRAPH_NODE_RESOURCE, 0);
	struct graph_question question = graph_heirs_question(resource, EFFECT_READ, NOW);
	size_t count;
	bool is_cut;

	join(fixture,
		&(struct graph_edge){.kind = GRAPH_EDGE_MAY, .from = account, .to = resource});
	for (unsigned i = 0; i < GRAPH_SEARCH_EDGES_MAX; i++) {
		join(fixture, &(struct graph_edge){.kind = GRAPH_EDGE_CONSENTED,
				      .from = node(fixture, GRAPH_NODE_PERSON, i % 100),
				      .to = account});
		if (i < GRAPH_SEARCH_EDGES_MAX - 2)
			continue;
		graph_heirs(fixture->search, fixture->graph, &question, heirs, &count, &is_cut);
		assert_int_equal(count, 1);
		assert_true(is_cut == (i == GRAPH_SEARCH_EDGES_MAX - 1));
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(before_any_search_nothing_is_reached),
		TEST(what_is_off_or_has_ended_leads_nowhere),
		TEST(what_is_handed_on_has_no_other_effects),
		TEST(a_path_has_so_many_hops_and_no_more),
		TEST(so_many_paths_are_shown_and_all_are_counted),
		TEST(a_search_looks_at_so_many_edges_and_says_that_it_ended),
		TEST(a_search_finds_so_many_nodes_and_says_that_it_ended),
		TEST(so_many_heirs_are_found_and_that_is_said),
		TEST(so_many_edges_are_looked_at_for_heirs),
		TEST(so_much_excess_is_listed_and_all_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
