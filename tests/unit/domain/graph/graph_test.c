#include "domain/graph/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/charter/charter.h"

enum { DAY_S = 86400 };

static int set_up(void **state)
{
	struct graph *graph;
	struct error err = {0};

	assert_true(graph_create(&graph, &err));
	*state = graph;
	return 0;
}

static int tear_down(void **state)
{
	struct graph *graph = *state;

	graph_validate(graph);
	graph_destroy(&graph);
	assert_null(graph);
	graph_destroy(&graph);
	return 0;
}

static void begin(struct graph *graph, const char *layer, const char *part)
{
	struct error err = {0};

	if (!graph_part_begin(graph, text_of(layer), text_of(part), &err))
		fail_msg("%s", err.text);
}

static graph_id name_of(struct graph *graph, enum graph_node_kind kind, const char *name)
{
	struct error err = {0};
	graph_id id;

	assert_true(graph_name_node(graph, kind, text_of(name), &id, &err));
	assert_int_not_equal(id, 0);
	return id;
}

static graph_id put(struct graph *graph, const struct graph_node *node)
{
	struct error err = {0};
	graph_id id;

	if (!graph_put_node(graph, node, &id, &err))
		fail_msg("%s", err.text);
	return id;
}

static void join(struct graph *graph, enum graph_edge_kind kind, graph_id from, graph_id to)
{
	struct error err = {0};
	struct graph_edge edge = {
		.kind = kind, .from = from, .to = to, .effects = 1U << EFFECT_READ};

	if (!graph_put_edge(graph, &edge, &err))
		fail_msg("%s", err.text);
}

static bool count_one(void *context, const struct graph_edge *edge)
{
	(void)edge;
	++*(size_t *)context;
	return true;
}

static void an_empty_graph_has_nothing(void **state)
{
	struct graph *graph = *state;
	struct graph_node node;
	struct graph_edge edge;
	size_t seen = 0;

	assert_false(graph_find(graph, GRAPH_NODE_IDENTITY, TEXT("a"), &node));
	assert_false(graph_node(graph, 0, &node));
	assert_false(graph_node(graph, 1, &node));
	assert_false(graph_next(graph, GRAPH_NODE_NONE, 0, &node));
	assert_false(graph_next(graph, GRAPH_NODE_IDENTITY, 0, &node));
	assert_false(graph_next(graph, GRAPH_NODE_IDENTITY, 7, &node));
	assert_false(graph_edge(graph, 1, &edge));
	graph_each_out(graph, 9, GRAPH_EDGE_NONE, count_one, &seen);
	graph_each_in(graph, 0, GRAPH_EDGE_NONE, count_one, &seen);
	assert_false(graph_each_out_after(graph, 0, 9, count_one, &seen));
	assert_int_equal(seen, 0);
	assert_int_equal(graph_node_count(graph) + graph_edge_count(graph), 0);
}

static void a_text_that_is_too_long_is_refused(void **state)
{
	struct graph *graph = *state;
	static char bytes[GRAPH_NAME_BYTES_MAX + 1];
	struct graph_node node = {.kind = GRAPH_NODE_PERSON};
	struct graph_edge edge = {.kind = GRAPH_EDGE_BELONGS};
	struct error err = {0};
	graph_id id;

	memset(bytes, 'n', sizeof bytes);
	assert_false(graph_part_begin(
		graph, TEXT("aws"), (struct text){bytes, GRAPH_NAME_BYTES_MAX + 1}, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	begin(graph, "aws", "p");
	node.name = (struct text){bytes, GRAPH_NAME_BYTES_MAX + 1};
	assert_false(graph_put_node(graph, &node, &id, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	node.name.length--;
	edge.from = put(graph, &node);
	edge.to = name_of(graph, GRAPH_NODE_UNIT, "u");
	edge.scope = (struct text){bytes, GRAPH_NAME_BYTES_MAX + 1};
	assert_false(graph_put_edge(graph, &edge, &err));
	edge.scope.length--;
	assert_true(graph_put_edge(graph, &edge, &err));
	node.title = (struct text){bytes, GRAPH_NAME_BYTES_MAX + 1};
	assert_false(graph_put_node(graph, &node, &id, &err));
	node.name.length = 0;
	node.title.length = 0;
	assert_false(graph_put_node(graph, &node, &id, &err));
	graph_part_end(graph);
	assert_false(graph_part_begin(graph, TEXT(""), TEXT("p"), &err));
	assert_int_equal(err.code, ERROR_INVALID);
}

static void an_edge_joins_only_kinds_that_it_can(void **state)
{
	struct graph *graph = *state;
	struct graph_edge edge = {.kind = GRAPH_EDGE_OWNS};
	struct error err = {0};

	begin(graph, "aws", "p");
	edge.from = name_of(graph, GRAPH_NODE_UNIT, "u");
	edge.to = name_of(graph, GRAPH_NODE_IDENTITY, "i");
	assert_false(graph_put_edge(graph, &edge, &err));
	assert_string_equal(err.text, "\"owns\" does not join unit and identity");
	edge.from = name_of(graph, GRAPH_NODE_PERSON, "ana");
	assert_true(graph_put_edge(graph, &edge, &err));
	edge.kind = GRAPH_EDGE_NONE;
	assert_false(graph_put_edge(graph, &edge, &err));
	edge.kind = GRAPH_EDGE_OWNS;
	edge.to = 99;
	assert_false(graph_put_edge(graph, &edge, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	graph_part_end(graph);
	assert_int_equal(graph_edge_count(graph), 1);
}

static void there_are_so_many_layers_and_no_more(void **state)
{
	struct graph *graph = *state;
	struct error err = {0};
	char name[16];

	for (int i = 0; i < GRAPH_LAYERS_MAX; i++) {
		(void)snprintf(name, sizeof name, "layer-%d", i);
		begin(graph, name, "p");
		graph_part_end(graph);
	}
	assert_false(graph_part_begin(graph, TEXT("other"), TEXT("p"), &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	begin(graph, "layer-7", "p");
	graph_part_end(graph);
}

static void a_name_that_only_an_edge_has_is_not_known(void **state)
{
	struct graph *graph = *state;
	struct graph_node node;
	graph_id before;

	begin(graph, "aws", "p");
	before = name_of(graph, GRAPH_NODE_PERSON, "ana");
	join(graph, GRAPH_EDGE_OWNS, before, name_of(graph, GRAPH_NODE_ACCOUNT, "aws/x"));
	graph_part_end(graph);
	assert_true(graph_find(graph, GRAPH_NODE_PERSON, TEXT("ana"), &node));
	assert_int_equal(node.flags, 0);
	begin(graph, "aws", "p");
	graph_part_end(graph);
	assert_false(graph_find(graph, GRAPH_NODE_PERSON, TEXT("ana"), &node));
	begin(graph, "entra", "p");
	(void)put(graph, &(struct graph_node){.kind = GRAPH_NODE_PERSON, .name = TEXT("ana")});
	graph_part_end(graph);
	assert_true(graph_find(graph, GRAPH_NODE_PERSON, TEXT("ana"), &node));
	assert_int_equal(node.id, before);
	assert_int_equal(node.flags, GRAPH_NODE_IS_KNOWN);
}

static void the_registrys_word_counts_before_a_connectors(void **state)
{
	struct graph *graph = *state;
	struct graph_node node = {
		.kind = GRAPH_NODE_PERSON, .name = TEXT("ana"), .title = TEXT("seen")};

	begin(graph, "aws", "p");
	(void)put(graph, &node);
	graph_part_end(graph);
	begin(graph, GRAPH_LAYER_REGISTRY, "person/ana");
	node.title = TEXT("declared");
	(void)put(graph, &node);
	graph_part_end(graph);
	assert_true(graph_find(graph, GRAPH_NODE_PERSON, TEXT("ana"), &node));
	assert_true(text_is(node.title, "declared"));
	begin(graph, GRAPH_LAYER_REGISTRY, "person/ana");
	graph_part_end(graph);
	assert_true(graph_find(graph, GRAPH_NODE_PERSON, TEXT("ana"), &node));
	assert_true(text_is(node.title, "seen"));
}

static bool note_credential(void *context, graph_id credential)
{
	graph_id *found = context;

	while (*found != 0)
		found++;
	*found = credential;
	return true;
}

static void credentials_with_one_secret_are_found_together(void **state)
{
	struct graph *graph = *state;
	struct graph_node node = {.kind = GRAPH_NODE_CREDENTIAL, .fingerprint = TEXT("f1")};
	graph_id ids[3];
	graph_id found[5] = {0};

	begin(graph, "aws", "p");
	node.name = TEXT("aws/k1");
	ids[0] = put(graph, &node);
	node.name = TEXT("aws/k2");
	ids[1] = put(graph, &node);
	node.name = TEXT("aws/k3");
	node.fingerprint = TEXT("f2");
	ids[2] = put(graph, &node);
	graph_part_end(graph);
	graph_each_fingerprint(graph, TEXT("f1"), note_credential, found);
	assert_true((found[0] == ids[0] && found[1] == ids[1]) ||
		    (found[0] == ids[1] && found[1] == ids[0]));
	assert_int_equal(found[2], 0);
	memset(found, 0, sizeof found);
	graph_each_fingerprint(graph, TEXT(""), note_credential, found);
	graph_each_fingerprint(graph, TEXT("f3"), note_credential, found);
	assert_int_equal(found[0], 0);
	graph_each_fingerprint(graph, TEXT("f2"), note_credential, found);
	assert_int_equal(found[0], ids[2]);
}

struct page {
	graph_id seen[8];
	size_t count;
	size_t most;
};

static bool note_edge(void *context, const struct graph_edge *edge)
{
	struct page *page = context;

	page->seen[page->count++] = edge->id;
	return page->count < page->most;
}

static void edges_are_read_in_pages(void **state)
{
	struct graph *graph = *state;
	struct page all = {.most = 8};
	struct page some = {.most = 2};
	graph_id tool;

	begin(graph, GRAPH_LAYER_REGISTRY, "p");
	tool = name_of(graph, GRAPH_NODE_TOOL, "s/t");
	for (int i = 0; i < 5; i++) {
		char name[] = {'i', (char)('0' + i), '\0'};

		join(graph, GRAPH_EDGE_MAY, name_of(graph, GRAPH_NODE_IDENTITY, name), tool);
	}
	graph_part_end(graph);
	assert_int_equal(graph_ins(graph, tool), 5);
	assert_true(graph_each_in_after(graph, tool, 0, note_edge, &all));
	while (some.count < 5) {
		graph_id after = some.count == 0 ? 0 : some.seen[some.count - 1];

		some.most = some.count + 2;
		assert_true(graph_each_in_after(graph, tool, after, note_edge, &some));
	}
	assert_memory_equal(all.seen, some.seen, sizeof all.seen);
	assert_false(graph_each_out_after(graph, tool, all.seen[0], note_edge, &some));
	begin(graph, GRAPH_LAYER_REGISTRY, "p");
	graph_part_end(graph);
	assert_false(graph_each_in_after(graph, tool, all.seen[0], note_edge, &some));
}

static bool note(struct graph *graph, graph_id from, graph_id to, graph_time at_s, uint32_t count)
{
	struct graph_used used = {
		.from = from, .to = to, .way = EFFECT_READ, .at_s = at_s, .count = count};
	struct error err = {0};

	return graph_note_use(graph, &used, &err);
}

static void uses_outlive_what_was_used(void **state)
{
	struct graph *graph = *state;
	struct graph_edge edge;
	struct page page = {.most = 1};
	struct error err = {0};
	graph_id from = name_of(graph, GRAPH_NODE_IDENTITY, "i");
	graph_id to = name_of(graph, GRAPH_NODE_TOOL, "s/t");

	assert_true(note(graph, from, to, 1000 * DAY_S, 3));
	assert_false(graph_is_joined(graph, from, to));
	assert_int_equal(graph_use_count(graph), 1);
	for (int again = 0; again < 2; again++) {
		begin(graph, GRAPH_LAYER_REGISTRY, "p");
		join(graph, GRAPH_EDGE_MAY, from, to);
		graph_part_end(graph);
		page.count = 0;
		graph_each_out(graph, from, GRAPH_EDGE_MAY, note_edge, &page);
		assert_true(graph_edge(graph, page.seen[0], &edge));
		assert_int_equal(edge.used_s, 1000 * DAY_S);
		assert_int_equal(edge.uses, 3);
	}
	assert_true(graph_is_joined(graph, from, to));
	assert_false(graph_is_joined(graph, to, from));
	assert_false(graph_note_use(
		graph, &(struct graph_used){.from = from, .at_s = 1, .count = 1}, &err));
	assert_int_equal(err.code, ERROR_INVALID);
}

static void a_use_counts_for_thirteen_weeks(void **state)
{
	struct graph *graph = *state;
	struct graph_use use;
	struct error err = {0};
	graph_id from = name_of(graph, GRAPH_NODE_IDENTITY, "i");
	graph_id to = name_of(graph, GRAPH_NODE_TOOL, "s/t");
	graph_id other = name_of(graph, GRAPH_NODE_TOOL, "s/u");
	graph_time week = 7 * DAY_S;

	assert_true(note(graph, from, to, 100 * week, 70000));
	assert_true(graph_find_use(graph, from, to, EFFECT_READ, &use));
	assert_int_equal(graph_use_total(graph, &use), 70000);
	assert_true(note(graph, from, other, 112 * week, 1));
	assert_int_equal(graph_use_total(graph, &use), 70000);
	assert_true(note(graph, from, other, 113 * week, 1));
	assert_int_equal(graph_use_total(graph, &use), 0);
	/* What is older than the ring tells only when. */
	assert_true(note(graph, from, other, 1 * week, 1));
	assert_true(graph_find_use(graph, from, other, EFFECT_READ, &use));
	assert_int_equal(graph_use_total(graph, &use), 2);
	assert_int_equal(use.last_s, 113 * week);
	/* And it can be put back. */
	assert_true(graph_put_use(graph, &use, &err));
	assert_int_equal(graph_use_count(graph), 2);
}

/* A count is kept in a byte while it fits. */
static void a_count_of_uses_is_exact_at_a_byte_and_past_it(void **state)
{
	static const uint32_t counts[] = {254, 1, 1, UINT32_MAX - 257, 1, 1};
	static const uint32_t sums[] = {254, 255, 256, UINT32_MAX - 1, UINT32_MAX, UINT32_MAX};
	struct graph *graph = *state;
	struct graph_use use;
	graph_id from = name_of(graph, GRAPH_NODE_IDENTITY, "i");
	graph_id to = name_of(graph, GRAPH_NODE_TOOL, "s/t");
	graph_time week = 7 * DAY_S;

	assert_true(note(graph, from, to, 99 * week, 7));
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		assert_true(note(graph, from, to, 100 * week, counts[i]));
		assert_true(graph_find_use(graph, from, to, EFFECT_READ, &use));
		assert_int_equal(use.counts[100 % GRAPH_USE_WEEKS], sums[i]);
		assert_int_equal(use.counts[99 % GRAPH_USE_WEEKS], 7);
		graph_validate(graph);
	}
	/* Small again, once the large week is over. */
	assert_true(note(graph, from, to, 113 * week, 9));
	assert_true(graph_find_use(graph, from, to, EFFECT_READ, &use));
	assert_int_equal(use.counts[113 % GRAPH_USE_WEEKS], 9);
	assert_int_equal(use.week, 113);
	assert_int_equal(graph_use_total(graph, &use), 9);
}

static struct graph_use note_in(struct graph *graph, graph_time at_s, uint32_t task,
	enum environment environment, enum effect effect)
{
	const struct graph_used used = {
		.from = name_of(graph, GRAPH_NODE_IDENTITY, "i"),
		.to = name_of(graph, GRAPH_NODE_TOOL, "s/t"),
		.way = EFFECT_READ,
		.at_s = at_s,
		.at_ms = 999,
		.count = 1,
		.task = task,
		.environment = environment,
		.effect = effect,
	};
	struct graph_use use;
	struct error err = {0};

	assert_true(graph_note_use(graph, &used, &err));
	assert_true(graph_find_use(graph, used.from, used.to, used.way, &use));
	return use;
}

static void where_and_for_what_counts_for_thirteen_weeks(void **state)
{
	struct graph *graph = *state;
	graph_time week = 7 * DAY_S;
	struct graph_use_sum sum;
	struct graph_use use;

	(void)note_in(graph, 100 * week, 1, ENVIRONMENT_PROD, EFFECT_WRITE);
	use = note_in(graph, 112 * week, 1, ENVIRONMENT_DEV, EFFECT_READ);
	graph_use_sum(&use, 112 * week, &sum);
	assert_int_equal(sum.uses, 2);
	assert_int_equal(sum.environments,
		environment_bit(ENVIRONMENT_DEV) | environment_bit(ENVIRONMENT_PROD));
	assert_int_equal(sum.effects, 1U << EFFECT_READ | 1U << EFFECT_WRITE);
	/* A week on without a use, and with one. */
	graph_use_sum(&use, 113 * week, &sum);
	assert_int_equal(sum.uses, 1);
	assert_int_equal(sum.environments, environment_bit(ENVIRONMENT_DEV));
	assert_int_equal(sum.effects, 1U << EFFECT_READ);
	use = note_in(graph, 113 * week, 1, ENVIRONMENT_NONE, EFFECT_NONE);
	assert_int_equal(use.environments[ENVIRONMENT_PROD], 0);
	assert_int_equal(use.environments[ENVIRONMENT_DEV], 2);
	/* What comes late is no younger for that, and what is too old is nowhere. */
	use = note_in(graph, 110 * week, 1, ENVIRONMENT_STAGING, EFFECT_EXECUTE);
	assert_int_equal(use.environments[ENVIRONMENT_STAGING], 4);
	use = note_in(graph, 100 * week, 1, ENVIRONMENT_PROD, EFFECT_WRITE);
	assert_int_equal(use.environments[ENVIRONMENT_PROD], 0);
	assert_int_equal(use.last_s, 113 * week);
	assert_int_equal(use.last_ms, 999);
	graph_use_sum(&use, 126 * week, &sum);
	assert_int_equal(sum.uses | sum.environments | sum.effects, 0);
}

static void tasks_are_told_apart_up_to_a_most(void **state)
{
	struct graph *graph = *state;
	uint32_t mark = graph_task_mark(TEXT("t-1"));
	struct graph_use use = note_in(graph, DAY_S, 0, ENVIRONMENT_DEV, EFFECT_READ);

	assert_true(mark != 0 && mark != graph_task_mark(TEXT("t-2")));
	assert_true(graph_task_mark(TEXT("")) != 0);
	assert_int_equal(use.tasks, 0);
	use = note_in(graph, DAY_S, mark, ENVIRONMENT_DEV, EFFECT_READ);
	use = note_in(graph, DAY_S, mark, ENVIRONMENT_DEV, EFFECT_READ);
	assert_int_equal(use.tasks, 1);
	for (uint32_t i = 1; i < UINT16_MAX; i++)
		use = note_in(graph, DAY_S, mark + i, ENVIRONMENT_DEV, EFFECT_READ);
	assert_int_equal(use.tasks, UINT16_MAX);
	use = note_in(graph, DAY_S, mark, ENVIRONMENT_DEV, EFFECT_READ);
	assert_int_equal(use.tasks, UINT16_MAX);
}

/* An edge tells the uses that it lets. */
static void uses_are_told_apart_by_effect(void **state)
{
	struct graph *graph = *state;
	graph_id from = name_of(graph, GRAPH_NODE_IDENTITY, "i");
	graph_id to = name_of(graph, GRAPH_NODE_TOOL, "s/t");
	struct graph_used wrote = {
		.from = from, .to = to, .way = EFFECT_WRITE, .at_s = 9 * DAY_S, .count = 5};
	struct page page = {.most = 1};
	struct graph_edge edge;
	struct graph_use use;
	struct error err = {0};

	assert_true(note(graph, from, to, 8 * DAY_S, 3));
	assert_true(graph_note_use(graph, &wrote, &err));
	assert_int_equal(graph_use_count(graph), 2);
	begin(graph, GRAPH_LAYER_REGISTRY, "p");
	join(graph, GRAPH_EDGE_MAY, from, to);
	graph_part_end(graph);
	graph_each_out(graph, from, GRAPH_EDGE_MAY, note_edge, &page);
	assert_true(graph_edge(graph, page.seen[0], &edge));
	assert_int_equal(edge.uses, 3);
	assert_int_equal(edge.used_s, 8 * DAY_S);
	assert_false(graph_find_use(graph, from, to, EFFECT_NONE, &use));
	assert_int_equal(graph_use_number(graph, from, to, EFFECT_EXECUTE), 0);
	assert_int_equal(graph_last_use(graph, from), 9 * DAY_S);
	assert_int_equal(graph_last_use(graph, 99), 0);
	wrote.way = EFFECT_DELEGATE + 1;
	assert_false(graph_note_use(graph, &wrote, &err));
}

static void what_nothing_says_any_more_keeps_its_name(void **state)
{
	struct graph *graph = *state;
	graph_id id = name_of(graph, GRAPH_NODE_TOOL, "s/t");
	enum graph_node_kind kind;
	struct graph_node node;
	struct text name;

	assert_false(graph_node(graph, id, &node));
	assert_int_equal(graph_number_of(graph, GRAPH_NODE_TOOL, TEXT("s/t")), id);
	assert_int_equal(graph_number_of(graph, GRAPH_NODE_TOOL, TEXT("s/u")), 0);
	assert_true(graph_name_of(graph, id, &kind, &name));
	assert_true(kind == GRAPH_NODE_TOOL && text_is(name, "s/t"));
	assert_false(graph_name_of(graph, id + 1, &kind, &name));
	assert_false(graph_name_of(graph, 0, &kind, &name));
}

static graph_id grant(struct graph *graph, graph_id from, graph_id to, const char *by)
{
	struct graph_edge edge = {.kind = GRAPH_EDGE_MAY,
		.from = from,
		.to = to,
		.by = text_of(by),
		.why = TEXT("charter@3"),
		.since_s = 5,
		.until_s = 9};
	struct page page = {.most = 1};
	struct error err = {0};

	assert_true(graph_put_edge(graph, &edge, &err));
	graph_each_in(graph, to, GRAPH_EDGE_MAY, note_edge, &page);
	return page.seen[0];
}

static void edges_of_one_grant_have_each_its_own_terms(void **state)
{
	struct graph *graph = *state;
	graph_id from = name_of(graph, GRAPH_NODE_IDENTITY, "i");
	graph_id one = name_of(graph, GRAPH_NODE_TOOL, "s/t");
	graph_id two = name_of(graph, GRAPH_NODE_TOOL, "s/u");
	struct graph_edge edge;
	graph_id first, second;

	begin(graph, GRAPH_LAYER_REGISTRY, "p");
	first = grant(graph, from, one, "person:ana");
	second = grant(graph, from, two, "person:ana");
	graph_part_end(graph);
	graph_validate(graph);
	begin(graph, GRAPH_LAYER_REGISTRY, "p");
	assert_int_equal(grant(graph, from, one, "person:bo"), first);
	assert_int_equal(grant(graph, from, two, "person:ana"), second);
	graph_part_end(graph);
	assert_true(graph_edge(graph, first, &edge));
	assert_true(text_is(edge.by, "person:bo"));
	assert_int_equal(edge.since_s, 5);
	assert_true(graph_edge(graph, second, &edge));
	assert_true(text_is(edge.by, "person:ana"));
	assert_true(text_is(edge.why, "charter@3"));
	assert_int_equal(edge.until_s, 9);
	graph_validate(graph);
	begin(graph, GRAPH_LAYER_REGISTRY, "p");
	graph_part_end(graph); /* nothing holds them any more */
}

/* A part's name is kept in two pieces, and means what it is as a whole. */
static void parts_come_in_the_order_of_their_whole_names(void **state)
{
	static const char *const parts[] = {"x", "x-y", "x/", "x/a", "x/a/b", "xa"};
	struct graph *graph = *state;
	struct graph_node node;

	for (size_t at = sizeof parts / sizeof *parts; at-- > 0;) {
		begin(graph, "cloud", parts[at]);
		(void)put(graph, &(struct graph_node){.kind = GRAPH_NODE_ACCOUNT,
					 .name = TEXT("cloud/a"),
					 .title = text_of(parts[at])});
		graph_part_end(graph);
		assert_true(graph_find(graph, GRAPH_NODE_ACCOUNT, TEXT("cloud/a"), &node));
		assert_true(text_is(node.title, parts[at]));
	}
}

static void every_kind_has_one_word(void **state)
{
	(void)state;
	for (int kind = 1; kind <= GRAPH_NODE_MODEL; kind++)
		assert_int_equal(graph_node_kind_of(
					 text_of(graph_node_kind_word((enum graph_node_kind)kind))),
			kind);
	for (int kind = 1; kind <= GRAPH_EDGE_AT; kind++)
		assert_int_equal(graph_edge_kind_of(
					 text_of(graph_edge_kind_word((enum graph_edge_kind)kind))),
			kind);
	assert_null(graph_node_kind_word(GRAPH_NODE_NONE));
	assert_null(graph_edge_kind_word((enum graph_edge_kind)99));
	assert_int_equal(graph_node_kind_of(TEXT("")), GRAPH_NODE_NONE);
	assert_int_equal(graph_edge_kind_of(TEXT("owned")), GRAPH_EDGE_NONE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_graph_has_nothing),
		TEST(a_text_that_is_too_long_is_refused),
		TEST(an_edge_joins_only_kinds_that_it_can),
		TEST(there_are_so_many_layers_and_no_more),
		TEST(a_name_that_only_an_edge_has_is_not_known),
		TEST(the_registrys_word_counts_before_a_connectors),
		TEST(credentials_with_one_secret_are_found_together),
		TEST(edges_are_read_in_pages),
		TEST(uses_outlive_what_was_used),
		TEST(a_use_counts_for_thirteen_weeks),
		TEST(a_count_of_uses_is_exact_at_a_byte_and_past_it),
		TEST(where_and_for_what_counts_for_thirteen_weeks),
		TEST(tasks_are_told_apart_up_to_a_most),
		TEST(uses_are_told_apart_by_effect),
		TEST(what_nothing_says_any_more_keeps_its_name),
		TEST(edges_of_one_grant_have_each_its_own_terms),
		TEST(parts_come_in_the_order_of_their_whole_names),
		cmocka_unit_test(every_kind_has_one_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
