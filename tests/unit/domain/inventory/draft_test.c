/* Who might answer for an account, who depends on it, and whether it was stopped. */
#include "domain/inventory/draft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/inventory/contain.h"
#include "domain/inventory/layer.h"

enum { ARENA_BYTES = 1 << 22 };

struct fixture {
	struct arena *arena;
	struct arena *scratch;
	struct graph *graph;
	int parts;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	struct error err;

	fixture->arena = arena_create(ARENA_BYTES);
	fixture->scratch = arena_create(ARENA_BYTES);
	assert_true(graph_create(&fixture->graph, &err));
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	graph_destroy(&fixture->graph);
	arena_destroy(&fixture->arena);
	arena_destroy(&fixture->scratch);
	free(fixture);
	return 0;
}

static void see(struct fixture *fixture, const char *part, const struct inventory_item *item)
{
	const struct inventory_layer_part at = {TEXT("google"), text_of(part)};
	struct error err = {0};

	if (!inventory_layer_put(fixture->graph, &at, item, fixture->scratch, &err))
		fail_msg("%s", err.text);
}

static void see_edge(struct fixture *fixture, enum graph_edge_kind kind, const char *from,
	const char *to, graph_time used_s)
{
	const struct inventory_item edge = {.edge = kind,
		.from = text_of(from),
		.to = text_of(to),
		.used_s = used_s,
		.effects = kind == GRAPH_EDGE_MAY ? 1u << EFFECT_READ : 0};
	struct text part = text_format(fixture->arena, "e%d", fixture->parts++);

	see(fixture, part.data, &edge);
}

static void see_account(struct fixture *fixture, const char *id, uint32_t flags)
{
	const struct inventory_item account = {
		.node = GRAPH_NODE_ACCOUNT, .id = text_of(id), .kind = KIND_OAUTH_APP, .is = flags};

	see(fixture, id, &account);
}

static struct graph_node account_of(struct fixture *fixture, const char *name)
{
	struct graph_node node;

	assert_true(graph_find(fixture->graph, GRAPH_NODE_ACCOUNT, text_of(name), &node));
	return node;
}

static void assert_suggested(
	const struct suggestions *all, size_t at, const char *person, enum suggestion_ground ground)
{
	assert_true(at < all->count);
	if (!text_is(all->items[at].person, person) || all->items[at].ground != ground)
		fail_msg("%.*s %s", TEXT_ARGS(all->items[at].person),
			suggestion_ground_word(all->items[at].ground));
}

static void nobody_is_suggested_where_nobody_is_known(void **state)
{
	struct fixture *fixture = *state;
	struct suggestions all;
	struct graph_node node;

	see_account(fixture, "app", 0);
	node = account_of(fixture, "google/app");
	inventory_suggest(fixture->graph, &node, &all);
	assert_int_equal(all.count, 0);
	assert_true(inventory_is_unknown(fixture->graph, &node));
}

static void whoever_created_it_comes_last(void **state)
{
	struct fixture *fixture = *state;
	struct suggestions all;
	struct graph_node node;

	see_account(fixture, "app", 0);
	see_edge(fixture, GRAPH_EDGE_CREATED, "person:cy", "account:app", 0);
	see_edge(fixture, GRAPH_EDGE_CONSENTED, "person:bo", "account:app", 900);
	see_edge(fixture, GRAPH_EDGE_CONSENTED, "person:ana", "account:app", 100);
	see_edge(fixture, GRAPH_EDGE_CONSENTED, "person:ana", "account:app", 200);
	see_edge(fixture, GRAPH_EDGE_OWNS, "person:dan", "account:app", 0);
	node = account_of(fixture, "google/app");
	inventory_suggest(fixture->graph, &node, &all);
	assert_int_equal(all.count, 4);
	assert_suggested(&all, 0, "dan", SUGGESTION_OWNER);
	assert_suggested(&all, 1, "ana", SUGGESTION_GRANTS);
	assert_int_equal(all.items[1].count, 2);
	assert_int_equal(all.items[1].of, 3);
	assert_suggested(&all, 2, "bo", SUGGESTION_USED);
	assert_int_equal(all.items[2].at_s, 900);
	assert_suggested(&all, 3, "cy", SUGGESTION_CREATOR);
}

static void who_has_left_comes_behind_everybody(void **state)
{
	struct fixture *fixture = *state;
	const struct graph_node left = {
		.kind = GRAPH_NODE_PERSON, .name = TEXT("dan"), .flags = GRAPH_NODE_HAS_LEFT};
	struct suggestions all;
	struct graph_node node;
	struct error err;
	graph_id id;

	see_account(fixture, "app", 0);
	see_edge(fixture, GRAPH_EDGE_OWNS, "person:dan", "account:app", 0);
	see_edge(fixture, GRAPH_EDGE_CREATED, "person:cy", "account:app", 0);
	assert_true(graph_part_begin(
		fixture->graph, TEXT(GRAPH_LAYER_REGISTRY), TEXT("person/dan"), &err));
	assert_true(graph_put_node(fixture->graph, &left, &id, &err));
	graph_part_end(fixture->graph);
	node = account_of(fixture, "google/app");
	inventory_suggest(fixture->graph, &node, &all);
	assert_suggested(&all, 0, "cy", SUGGESTION_CREATOR);
	assert_suggested(&all, 1, "dan", SUGGESTION_OWNER);
	assert_true(all.items[1].has_left);
}

static void a_flows_connection_is_the_flows(void **state)
{
	struct fixture *fixture = *state;
	struct graph_node node;

	see_account(fixture, "flow", 0);
	see_account(fixture, "connection", 0);
	see_edge(fixture, GRAPH_EDGE_USES, "account:flow", "account:connection", 0);
	node = account_of(fixture, "google/connection");
	assert_false(inventory_is_unknown(fixture->graph, &node));
	node = account_of(fixture, "google/flow");
	assert_true(inventory_is_unknown(fixture->graph, &node));
	/* What is only named by an edge is nobody's to adopt. */
	see_edge(fixture, GRAPH_EDGE_USES, "account:flow", "account:ghost", 0);
	node = account_of(fixture, "google/ghost");
	assert_false(inventory_is_unknown(fixture->graph, &node));
}

static void a_draft_says_what_it_reaches_and_no_more_than_fits(void **state)
{
	struct fixture *fixture = *state;
	struct graph_node node;
	struct error err;
	struct json draft;

	see_account(fixture, "app", GRAPH_NODE_IS_EXTERNAL);
	for (int i = 0; i <= DRAFT_REACHES_MAX; i++)
		see_edge(fixture, GRAPH_EDGE_MAY, "account:app",
			text_format(fixture->arena, "resource:r%d", i).data, 0);
	for (int i = 0; i <= DRAFT_SUGGESTIONS_MAX; i++)
		see_edge(fixture, GRAPH_EDGE_OWNS,
			text_format(fixture->arena, "person:p%d", i).data, "account:app", 0);
	node = account_of(fixture, "google/app");
	assert_true(inventory_draft_json(&draft, fixture->arena, fixture->graph, &node, &err));
	assert_int_equal(json_find(&draft, "reaches")->count, DRAFT_REACHES_MAX);
	assert_int_equal(json_find(&draft, "suggestions")->count, DRAFT_SUGGESTIONS_MAX);
	assert_true(json_boolean_or(&draft, "external", false));
}

static void dependants_are_found_at_any_distance_and_rings_end(void **state)
{
	struct fixture *fixture = *state;
	struct error err;
	struct json list;

	see_account(fixture, "a", 0);
	see_edge(fixture, GRAPH_EDGE_USES, "identity:x", "account:a", 0);
	see_edge(fixture, GRAPH_EDGE_USES, "account:b", "account:a", 0);
	see_edge(fixture, GRAPH_EDGE_USES, "account:a", "account:b", 0);
	see_edge(fixture, GRAPH_EDGE_HANDS, "identity:y", "identity:x", 0);
	assert_true(inventory_dependants(
		&list, fixture->arena, fixture->graph, account_of(fixture, "google/a").id, &err));
	assert_int_equal(list.count, 3);
}

static void dependants_have_a_most(void **state)
{
	struct fixture *fixture = *state;
	struct error err;
	struct json list;

	see_account(fixture, "a", 0);
	for (int i = 0; i <= DRAFT_DEPENDANTS_MAX; i++)
		see_edge(fixture, GRAPH_EDGE_USES,
			text_format(fixture->arena, "identity:x%d", i).data, "account:a", 0);
	assert_true(inventory_dependants(
		&list, fixture->arena, fixture->graph, account_of(fixture, "google/a").id, &err));
	assert_int_equal(list.count, DRAFT_DEPENDANTS_MAX);
}

/* ---- containment ---- */

static enum containment_state state_at(
	struct fixture *fixture, int64_t taken_utc_s, int64_t now_utc_s)
{
	const struct containment_times times = {
		.intended_utc_s = 1000, .taken_utc_s = taken_utc_s, .now_utc_s = now_utc_s};

	return containment_state_of(fixture->graph, TEXT("google/app"), &times);
}

static void only_an_inventory_taken_later_says_that_it_is_over(void **state)
{
	struct fixture *fixture = *state;

	/* Not there, and still not believed. */
	assert_int_equal(state_at(fixture, 0, 1000), CONTAINMENT_INTENDED);
	assert_int_equal(state_at(fixture, 1000, 1001), CONTAINMENT_INTENDED);
	assert_int_equal(state_at(fixture, 999, 1000 + CONTAINMENT_SILENT_S), CONTAINMENT_INTENDED);
	assert_int_equal(
		state_at(fixture, 999, 1001 + CONTAINMENT_SILENT_S), CONTAINMENT_UNREACHABLE);
	assert_int_equal(state_at(fixture, 1001, 1001), CONTAINMENT_GONE);
	see_account(fixture, "app", 0);
	assert_int_equal(state_at(fixture, 1001, 1001), CONTAINMENT_CONTAINED);
	see_edge(fixture, GRAPH_EDGE_MAY, "account:app", "resource:r", 0);
	assert_int_equal(state_at(fixture, 1001, 1001), CONTAINMENT_LIVE);
	see_account(fixture, "app", GRAPH_NODE_IS_OFF);
	assert_int_equal(state_at(fixture, 1001, 1001), CONTAINMENT_CONTAINED);
}

static void every_provider_says_how_its_accounts_are_stopped(void **state)
{
	static const struct {
		enum inventory_provider provider;
		const char *account, *first;
		bool has_undo;
	} rows[] = {
		{PROVIDER_GOOGLE, "google/c1", "block c1", true},
		{PROVIDER_MICROSOFT, "entra/sp", "servicePrincipals/sp", true},
		{PROVIDER_GITHUB, "github/installation/7", "installation 7", true},
		{PROVIDER_GITHUB, "github/credential/8", "credential-authorizations/8", false},
		{PROVIDER_GITHUB, "github/deploy-key/9", "keys/9", false},
		{PROVIDER_SLACK, "slack/A1", "app_id=A1", true},
		{PROVIDER_N8N, "n8n/w1", "workflows/w1/deactivate", true},
		{PROVIDER_N8N, "n8n/connection/c1", "remove c1", false},
		{PROVIDER_ZAPIER, "zapier/z", "Zap z off", true},
		{PROVIDER_POWER_AUTOMATE, "pa/f", "-FlowName f", true},
	};
	struct fixture *fixture = *state;
	struct error err;
	struct json calls;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct text call;

		assert_true(containment_calls(
			&calls, fixture->arena, rows[i].provider, text_of(rows[i].account), &err));
		assert_true(calls.count > 0);
		call = json_text_or(&calls.items[0], "call", "");
		if (memmem(call.data, call.length, rows[i].first, strlen(rows[i].first)) == NULL)
			fail_msg("%s: %.*s", rows[i].account, TEXT_ARGS(call));
		assert_int_equal(json_find(&calls.items[0], "undo") != NULL, rows[i].has_undo);
		assert_non_null(json_find(&calls.items[0], "limit"));
	}
	assert_true(
		containment_calls(&calls, fixture->arena, PROVIDER_ITEMS, TEXT("cloud/sa"), &err));
	assert_int_equal(calls.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_is_suggested_where_nobody_is_known),
		TEST(whoever_created_it_comes_last),
		TEST(who_has_left_comes_behind_everybody),
		TEST(a_flows_connection_is_the_flows),
		TEST(a_draft_says_what_it_reaches_and_no_more_than_fits),
		TEST(dependants_are_found_at_any_distance_and_rings_end),
		TEST(dependants_have_a_most),
		TEST(only_an_inventory_taken_later_says_that_it_is_over),
		TEST(every_provider_says_how_its_accounts_are_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
