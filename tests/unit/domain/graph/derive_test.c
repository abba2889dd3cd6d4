#include "domain/graph/derive.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/documents.h"

#define HEAD                                                                                       \
	"'object':'identity','name':'a1','kind':'agent','class':'update','risk':'high',"           \
	"'owner':'ana','backup-owner':'bo','unit':'support','purpose':'p',"                        \
	"'environments':['staging']"
#define POINT                                                                                      \
	"'kty':'EC','crv':'P-256','x':'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',"              \
	"'y':'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0'"

struct fixture {
	struct arena *arena;
	struct arena *scratch;
	struct graph *graph;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	struct error err = {0};

	fixture->arena = arena_create(64 << 20);
	fixture->scratch = arena_create(1 << 20);
	assert_true(graph_create(&fixture->graph, &err));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	graph_validate(fixture->graph);
	graph_destroy(&fixture->graph);
	arena_destroy(&fixture->arena);
	arena_destroy(&fixture->scratch);
	free(fixture);
	return 0;
}

static void derive_entry(struct fixture *fixture, const struct registry_entry *entry)
{
	struct graph_grant grant = {TEXT("person:eva"), 1000};
	struct error err = {0};

	if (!graph_derive(fixture->graph, entry, &grant, fixture->scratch, &err))
		fail_msg("%s", err.text);
}

/* The object, in force as version 3, its identity in the state. */
static void derive_in(struct fixture *fixture, const char *written, enum identity_state state)
{
	struct object *object = object_of(fixture->arena, written);
	struct registry_entry entry = {.kind = object->kind,
		.name = object->name,
		.in_force = object,
		.state = state,
		.more = &registry_nothing_more};

	object->version = 3;
	derive_entry(fixture, &entry);
	drop_object(object);
}

static void derive(struct fixture *fixture, const char *written)
{
	derive_in(fixture, written, IDENTITY_ACTIVE);
}

static struct graph_node node_of(
	struct fixture *fixture, enum graph_node_kind kind, const char *name)
{
	struct graph_node node;

	if (!graph_find(fixture->graph, kind, text_of(name), &node))
		fail_msg("no %s", name);
	return node;
}

struct wanted {
	graph_id to;
	enum graph_edge_kind kind;
	struct graph_edge found;
	char scope[64];
	char why[64];
	char by[64];
};

static bool note_wanted(void *context, const struct graph_edge *edge)
{
	struct wanted *wanted = context;

	if (edge->to != wanted->to || edge->kind != wanted->kind)
		return true;
	wanted->found = *edge;
	(void)snprintf(wanted->scope, sizeof wanted->scope, "%.*s", TEXT_ARGS(edge->scope));
	(void)snprintf(wanted->why, sizeof wanted->why, "%.*s", TEXT_ARGS(edge->why));
	(void)snprintf(wanted->by, sizeof wanted->by, "%.*s", TEXT_ARGS(edge->by));
	return false;
}

static struct wanted edge_of(
	struct fixture *fixture, graph_id from, enum graph_edge_kind kind, graph_id to)
{
	struct wanted wanted = {.to = to, .kind = kind};

	graph_each_out(fixture->graph, from, GRAPH_EDGE_NONE, note_wanted, &wanted);
	return wanted;
}

static const char agent[] = "{" HEAD ",'expires':'2027-01-01',"
			    "'entitlements':[{'effect':'read','tool':'files/read'},"
			    "{'effect':'read','resource':'data-source:tickets'}],"
			    "'keys':[{'environment':'staging','jwk':{" POINT "}}]}";

static void an_entry_with_nothing_says_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct registry_entry entry = {
		.kind = OBJECT_IDENTITY, .more = &registry_nothing_more, .name = TEXT("a1")};

	derive_entry(fixture, &entry);
	entry.kind = OBJECT_POLICY;
	derive_entry(fixture, &entry);
	assert_int_equal(graph_node_count(fixture->graph), 0);
}

static void what_waits_has_an_owner_and_may_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct object *object = object_of(fixture->arena, agent);
	struct registry_entry entry = {.kind = OBJECT_IDENTITY,
		.more = &registry_nothing_more,
		.name = TEXT("a1"),
		.waiting = object,
		.waiting_version = 1,
		.waiting_state = IDENTITY_DRAFT};
	struct graph_node node;

	derive_entry(fixture, &entry);
	drop_object(object);
	node = node_of(fixture, GRAPH_NODE_IDENTITY, "a1");
	assert_true((node.flags & GRAPH_NODE_IS_OFF) != 0);
	assert_int_equal(graph_outs(fixture->graph, node.id), 1); /* its unit */
	assert_int_equal(graph_ins(fixture->graph, node.id), 2);  /* its people */
}

static void what_is_suspended_may_nothing_and_keeps_its_key(void **state)
{
	struct fixture *fixture = *state;
	struct graph_node node;

	derive(fixture, agent);
	derive_in(fixture, agent, IDENTITY_SUSPENDED);
	node = node_of(fixture, GRAPH_NODE_IDENTITY, "a1");
	assert_true((node.flags & GRAPH_NODE_IS_OFF) != 0);
	assert_int_equal(graph_outs(fixture->graph, node.id), 2);
	assert_false(graph_find(fixture->graph, GRAPH_NODE_TOOL, TEXT("files/read"), &node));
}

static void a_charter_says_who_granted_what_and_why(void **state)
{
	struct fixture *fixture = *state;
	struct graph_node node;
	struct wanted may;

	derive(fixture, agent);
	node = node_of(fixture, GRAPH_NODE_IDENTITY, "a1");
	assert_int_equal(node.flags, GRAPH_NODE_IS_KNOWN);
	assert_int_equal(node.identity_kind, KIND_AGENT);
	assert_int_equal(node.risk, RISK_HIGH);
	assert_true(text_is(node.version, "3"));
	assert_int_equal(node.expires_s, 1798761600);
	may = edge_of(fixture, node.id, GRAPH_EDGE_MAY,
		node_of(fixture, GRAPH_NODE_DATA_SOURCE, "tickets").id);
	assert_string_equal(may.scope, "entitlements/1");
	assert_string_equal(may.why, "charter@3");
	assert_string_equal(may.by, "person:eva");
	assert_int_equal(may.found.since_s, 1000);
	assert_int_equal(may.found.until_s, 1798761600);
	assert_int_equal(may.found.effects, 1 << EFFECT_READ);
	assert_int_equal(may.found.origin, GRAPH_ORIGIN_DECLARED);
	may = edge_of(
		fixture, node_of(fixture, GRAPH_NODE_PERSON, "ana").id, GRAPH_EDGE_OWNS, node.id);
	assert_string_equal(may.scope, "owner");
}

static uint32_t owners_of(struct fixture *fixture, graph_id identity, enum graph_edge_kind kind)
{
	return edge_of(fixture, node_of(fixture, GRAPH_NODE_PERSON, "bo").id, kind, identity)
		.found.kind;
}

static void whoever_acknowledged_it_owns_it_and_backs_nobody(void **state)
{
	struct fixture *fixture = *state;
	struct object *object = object_of(fixture->arena, agent);
	struct registry_more more = registry_nothing_more;
	struct registry_entry entry = {.kind = object->kind,
		.name = object->name,
		.in_force = object,
		.state = IDENTITY_ACTIVE,
		.more = &more};
	struct graph_node ana;
	graph_id identity;

	derive_entry(fixture, &entry);
	identity = node_of(fixture, GRAPH_NODE_IDENTITY, "a1").id;
	assert_int_equal(owners_of(fixture, identity, GRAPH_EDGE_BACKS), GRAPH_EDGE_BACKS);
	more.owner_in_force = TEXT("bo");
	derive_entry(fixture, &entry);
	assert_int_equal(owners_of(fixture, identity, GRAPH_EDGE_OWNS), GRAPH_EDGE_OWNS);
	assert_int_equal(owners_of(fixture, identity, GRAPH_EDGE_BACKS), GRAPH_EDGE_NONE);
	assert_false(graph_find(fixture->graph, GRAPH_NODE_PERSON, TEXT("ana"), &ana));
	drop_object(object);
}

static void whoever_has_a_key_is_the_identity(void **state)
{
	struct fixture *fixture = *state;
	struct graph_node key, identity;

	derive(fixture, agent);
	identity = node_of(fixture, GRAPH_NODE_IDENTITY, "a1");
	/* RFC 7638 of the point. */
	key = node_of(
		fixture, GRAPH_NODE_CREDENTIAL, "key/oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
	assert_true((key.flags & GRAPH_NODE_IS_STATIC) != 0);
	assert_int_equal(key.expires_s, 1798761600);
	assert_true(text_equal(key.fingerprint, key.name));
	assert_int_not_equal(edge_of(fixture, identity.id, GRAPH_EDGE_HOLDS, key.id).found.id, 0);
	assert_int_not_equal(edge_of(fixture, key.id, GRAPH_EDGE_OPENS, identity.id).found.id, 0);
}

static void a_server_is_opened_by_its_secret(void **state)
{
	struct fixture *fixture = *state;
	struct graph_node secret;

	derive(fixture, "{'object':'server','name':'s','unit':'u','environment':'dev',"
			"'transport':{'url':'https://h','credential':'vault:kv/key#f'}}");
	derive(fixture, "{'object':'server','name':'t','unit':'u','environment':'dev',"
			"'transport':{'url':'https://i','credential':'vault:kv/key#f'}}");
	derive(fixture, "{'object':'server','name':'v','unit':'u','environment':'dev',"
			"'transport':{'url':'https://j','credential':'env:TOKEN'}}");
	secret = node_of(fixture, GRAPH_NODE_CREDENTIAL, "secret/vault:kv/key#f");
	assert_int_equal(graph_outs(fixture->graph, secret.id), 2);
	assert_true((secret.flags & GRAPH_NODE_IS_MANAGED) != 0);
	secret = node_of(fixture, GRAPH_NODE_CREDENTIAL, "secret/env:TOKEN");
	assert_true((secret.flags & GRAPH_NODE_IS_MANAGED) == 0);
	assert_true(text_is(node_of(fixture, GRAPH_NODE_SERVER, "s").place, "https://h"));
}

static void a_tool_reads_data_that_somebody_keeps(void **state)
{
	struct fixture *fixture = *state;
	struct graph_node tool, source, person;

	derive(fixture, "{'object':'tool','name':'s/"
			"t','effect':'read','reads':[{'data-source':'tickets'}]}");
	derive(fixture, "{'object':'data-source','name':'tickets','unit':'u','custodian':'cy',"
			"'sensitivity':'confidential','environment':'prod','location':'eu'}");
	tool = node_of(fixture, GRAPH_NODE_TOOL, "s/t");
	source = node_of(fixture, GRAPH_NODE_DATA_SOURCE, "tickets");
	person = node_of(fixture, GRAPH_NODE_PERSON, "cy");
	assert_int_equal(source.sensitivity, SENSITIVITY_CONFIDENTIAL);
	assert_true(text_is(source.place, "eu"));
	assert_string_equal(
		edge_of(fixture, tool.id, GRAPH_EDGE_READS, source.id).scope, "reads/0");
	assert_int_not_equal(edge_of(fixture, person.id, GRAPH_EDGE_KEEPS, source.id).found.id, 0);
	assert_int_not_equal(edge_of(fixture, node_of(fixture, GRAPH_NODE_SERVER, "s").id,
				     GRAPH_EDGE_OFFERS, tool.id)
				     .found.id,
		0);
}

static void who_left_is_marked_so(void **state)
{
	struct fixture *fixture = *state;

	derive(fixture, "{'object':'person','name':'ana','unit':'u','left':'2026-11-01'}");
	assert_int_equal(node_of(fixture, GRAPH_NODE_PERSON, "ana").flags,
		GRAPH_NODE_IS_KNOWN | GRAPH_NODE_HAS_LEFT);
	derive(fixture, "{'object':'person','name':'ana','unit':'u'}");
	assert_int_equal(node_of(fixture, GRAPH_NODE_PERSON, "ana").flags, GRAPH_NODE_IS_KNOWN);
}

static void times_stay_within_what_the_graph_can_say(void **state)
{
	(void)state;
	assert_int_equal(graph_time_of(0), 0);
	assert_int_equal(graph_time_of(-5), 1);
	assert_int_equal(graph_time_of(INT64_C(1) << 40), UINT32_MAX);
	assert_true(text_is(graph_person_of(TEXT("person:ana")), "ana"));
	assert_true(text_is(graph_person_of(TEXT("ana")), "ana"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_entry_with_nothing_says_nothing),
		TEST(what_waits_has_an_owner_and_may_nothing),
		TEST(what_is_suspended_may_nothing_and_keeps_its_key),
		TEST(a_charter_says_who_granted_what_and_why),
		TEST(whoever_acknowledged_it_owns_it_and_backs_nobody),
		TEST(whoever_has_a_key_is_the_identity),
		TEST(a_server_is_opened_by_its_secret),
		TEST(a_tool_reads_data_that_somebody_keeps),
		TEST(who_left_is_marked_so),
		TEST(times_stay_within_what_the_graph_can_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
