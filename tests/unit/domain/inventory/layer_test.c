#include "domain/inventory/layer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct fixture {
	struct arena *scratch;
	struct graph *graph;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	struct error err = {0};

	fixture->scratch = arena_create(1 << 16);
	assert_true(graph_create(&fixture->graph, &err));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	graph_validate(fixture->graph);
	graph_destroy(&fixture->graph);
	arena_destroy(&fixture->scratch);
	free(fixture);
	return 0;
}

static bool see(struct fixture *fixture, const char *part, const struct inventory_item *item)
{
	struct inventory_layer_part at = {TEXT("aws"), text_of(part)};
	struct error err = {0};
	bool ok = inventory_layer_put(fixture->graph, &at, item, fixture->scratch, &err);

	assert_int_equal(err.code, ok ? ERROR_NONE : ERROR_INVALID);
	return ok;
}

static struct graph_node node_of(
	struct fixture *fixture, enum graph_node_kind kind, const char *name)
{
	struct graph_node node;

	if (!graph_find(fixture->graph, kind, text_of(name), &node))
		fail_msg("no %s", name);
	return node;
}

static bool note_edge(void *context, const struct graph_edge *edge)
{
	*(struct graph_edge *)context = *edge;
	return false;
}

static void half_an_item_is_none(void **state)
{
	struct fixture *fixture = *state;
	const struct inventory_item wrong[] = {
		{.edge = GRAPH_EDGE_MAY, .from = TEXT("account:a"), .to = TEXT("resource")},
		{.edge = GRAPH_EDGE_MAY, .from = TEXT("account:a"), .to = TEXT("resource:")},
		{.edge = GRAPH_EDGE_MAY, .from = TEXT("thing:a"), .to = TEXT("resource:b")},
		{.edge = GRAPH_EDGE_MAY, .from = TEXT("person:a"), .to = TEXT("resource:b")},
		{.node = GRAPH_NODE_ACCOUNT,
			.id = TEXT("a"),
			.unit = TEXT("u"),
			.owner = {"x", GRAPH_NAME_BYTES_MAX + 1}},
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(see(fixture, "p", &wrong[i]));
	assert_int_equal(graph_node_count(fixture->graph), 0);
	assert_int_equal(graph_edge_count(fixture->graph), 0);
}

static void a_connector_has_no_name_of_ours(void **state)
{
	struct fixture *fixture = *state;
	struct inventory_layer_part at = {TEXT(GRAPH_LAYER_REGISTRY), TEXT("p")};
	const struct inventory_item item = {.node = GRAPH_NODE_PERSON, .id = TEXT("a")};
	struct error err = {0};

	assert_false(inventory_layer_put(fixture->graph, &at, &item, fixture->scratch, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	at.connector = TEXT(GRAPH_LAYER_RECORDED);
	assert_false(inventory_layer_remove(fixture->graph, &at, &err));
}

static void an_account_has_its_people_and_its_unit(void **state)
{
	struct fixture *fixture = *state;
	const struct inventory_item item = {
		.node = GRAPH_NODE_ACCOUNT,
		.id = TEXT("bot"),
		.title = TEXT("The bot"),
		.kind = KIND_WORKFLOW,
		.owner = TEXT("ana@example.com"),
		.creator = TEXT("bo@example.com"),
		.unit = TEXT("sales"),
		.is = GRAPH_NODE_IS_EXTERNAL,
		.created_s = 5,
	};
	struct graph_node node;
	struct graph_edge edge = {0};

	assert_true(see(fixture, "p", &item));
	node = node_of(fixture, GRAPH_NODE_ACCOUNT, "aws/bot");
	assert_true(text_is(node.title, "The bot"));
	assert_int_equal(node.flags, GRAPH_NODE_IS_EXTERNAL | GRAPH_NODE_IS_KNOWN);
	assert_int_equal(node.identity_kind, KIND_WORKFLOW);
	graph_each_in(fixture->graph, node.id, GRAPH_EDGE_CREATED, note_edge, &edge);
	assert_int_equal(edge.from, node_of(fixture, GRAPH_NODE_PERSON, "bo@example.com").id);
	assert_int_equal(edge.since_s, 5);
	assert_true(text_is(edge.layer, "aws"));
	assert_int_equal(edge.origin, GRAPH_ORIGIN_SEEN);
	assert_int_equal(graph_edge_count(fixture->graph), 3);
}

static void ends_are_ours_the_registrys_or_another_connectors(void **state)
{
	struct fixture *fixture = *state;
	struct inventory_item item = {
		.edge = GRAPH_EDGE_USES,
		.from = TEXT("identity:helper"),
		.to = TEXT("account:/entra/app"),
		.why = TEXT("admin consent"),
		.uses = 7,
	};
	struct graph_edge edge = {0};

	assert_true(see(fixture, "p", &item));
	graph_each_out(fixture->graph, node_of(fixture, GRAPH_NODE_IDENTITY, "helper").id,
		GRAPH_EDGE_USES, note_edge, &edge);
	assert_int_equal(edge.to, node_of(fixture, GRAPH_NODE_ACCOUNT, "entra/app").id);
	assert_int_equal(edge.uses, 7);
	assert_true(text_is(edge.why, "admin consent"));
	item.edge = GRAPH_EDGE_MAY;
	item.from = TEXT("account:bot");
	item.to = TEXT("resource:s3:::logs");
	assert_true(see(fixture, "q", &item));
	(void)node_of(fixture, GRAPH_NODE_RESOURCE, "aws/s3:::logs");
}

static void what_is_gone_is_taken_back(void **state)
{
	struct fixture *fixture = *state;
	struct inventory_layer_part at = {TEXT("aws"), TEXT("p")};
	const struct inventory_item item = {.node = GRAPH_NODE_RESOURCE, .id = TEXT("r")};
	struct error err = {0};

	assert_true(see(fixture, "p", &item));
	assert_true(inventory_layer_remove(fixture->graph, &at, &err));
	assert_int_equal(graph_node_count(fixture->graph), 0);
	assert_true(inventory_layer_remove(fixture->graph, &at, &err));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(half_an_item_is_none),
		TEST(a_connector_has_no_name_of_ours),
		TEST(an_account_has_its_people_and_its_unit),
		TEST(ends_are_ours_the_registrys_or_another_connectors),
		TEST(what_is_gone_is_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
