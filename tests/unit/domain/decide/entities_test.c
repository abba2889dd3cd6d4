/* What is kept of identities and tools: it follows every change of the registry, is never
 * taken from a trial, and has a bound past which decisions come to the same.  That kept
 * entities change no answer, each decision of the bench shows again. */
#include "domain/decide/evaluation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/decide/explanation.h"
#include "support/decide_bench.h"

enum { TOOLS = 64, IDENTITIES = ENTITY_TABLE_PAIRS_MAX / TOOLS };
_Static_assert(TOOLS *IDENTITIES == ENTITY_TABLE_PAIRS_MAX, "the last of them fills the table");

static int setup(void **state)
{
	static struct decide_bench bench;

	decide_bench_init(&bench);
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	decide_bench_deinit(*state);
	return 0;
}

static struct decide_world world_of(const struct decide_bench *bench)
{
	return (struct decide_world){
		.scope = DECIDE_FOR_QUESTION,
		.registry = bench->registry,
		.tasks = bench->tasks,
		.entities = bench->entities,
		.definition = DEFINITION_UNPINNED,
		.now_utc_ms = bench->now_utc_ms,
	};
}

enum told { IDENTITY = 0, TOOL };

/* An attribute of what the request of `files/list` is about, as a text. */
static struct cedar_text told(struct decide_bench *bench, enum told of, const char *name)
{
	const struct decide_world world = world_of(bench);
	struct call call = decide_bench_call(bench, "files", "list", "{}");
	struct evaluation *evaluation = decide_prepare(&world, &call, bench->arena);
	const struct cedar_value *value;
	struct cedar_entity entity;

	assert_non_null(evaluation);
	assert_true(cedar_entities_find(evaluation->entities,
		of == IDENTITY ? &evaluation->request.principal : &evaluation->request.resource,
		&entity));
	value = cedar_value_find(&entity.attributes, cedar_text_of(name));
	assert_non_null(value);
	return (struct cedar_text){value->string, value->count};
}

static void assert_told(struct cedar_text found, const char *expected)
{
	assert_int_equal(found.length, strlen(expected));
	assert_memory_equal(found.data, expected, found.length);
}

static void a_changed_identity_is_told_as_it_is_now(void **state)
{
	struct decide_bench *bench = *state;

	assert_told(told(bench, IDENTITY, "risk"), "low");
	decide_bench_edit(bench, "agent", "risk: low", "risk: high");
	assert_told(told(bench, IDENTITY, "risk"), "high");
	decide_bench_edit(bench, "agent", "owner: ana", "owner: cy");
	assert_told(told(bench, IDENTITY, "owner"), "cy");
}

static void a_changed_tool_server_or_data_source_is_told_as_it_is_now(void **state)
{
	struct decide_bench *bench = *state;

	assert_told(told(bench, TOOL, "risk"), "low");
	assert_true(decide_bench_put(bench, "object: tool\nname: files/list\neffect: read\n"
					    "risk: critical\nreversal: none-needed\n"
					    "reads: [{data-source: tickets}]\n"));
	assert_told(told(bench, TOOL, "risk"), "critical");
	assert_told(told(bench, TOOL, "sensitivity"), "internal");
	decide_bench_edit(bench, "tickets", "sensitivity: internal", "sensitivity: confidential");
	assert_told(told(bench, TOOL, "sensitivity"), "confidential");
	decide_bench_edit(bench, "files", "unit: support", "unit: sales");
	assert_told(told(bench, TOOL, "unit"), "sales");
}

static void the_same_pair_is_made_once(void **state)
{
	struct decide_bench *bench = *state;

	for (int i = 0; i < 3; i++)
		(void)decide_bench_ask(bench, "files", "list", "{}");
	assert_int_equal(entity_table_count(bench->entities), 1);
	(void)decide_bench_ask(bench, "files", "run", "{}");
	assert_int_equal(entity_table_count(bench->entities), 2);
}

static void a_method_without_a_tool_is_not_kept(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_method(bench, "files", "tools/list", "{}");

	assert_int_equal(
		decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL)->verdict, VERDICT_ALLOW);
	assert_int_equal(entity_table_count(bench->entities), 0);
}

/* The explanation of this refusal tries other tools and identities of the same name. */
static void what_a_trial_is_told_is_not_kept(void **state)
{
	struct decide_bench *bench = *state;
	struct decide_world world = world_of(bench);
	struct decide_explanation explanation;
	struct decision decision;
	struct call call;

	assert_true(decide_bench_put(bench, "object: policy\nname: org/low\ntext: |\n"
					    "  forbid (principal, action, resource)\n"
					    "  when { resource.risk == \"high\" };\n"));
	call = decide_bench_call(bench, "files", "run", "{}");
	decide(&world, &call, NULL, DECIDE_SEARCH, bench->arena, &decision);
	assert_int_equal(decision.reason, REASON_FORBIDDEN);
	decide_explain(&world, &(struct decide_said){&call, NULL, &decision}, DECIDE_REACH_ALL,
		bench->arena, &explanation);
	assert_int_equal(explanation.change.kind, CHANGE_ATTRIBUTE);
	assert_int_equal(entity_table_count(bench->entities), 1);
	decide(&world, &call, NULL, DECIDE_SEARCH, bench->arena, &decision);
	assert_int_equal(decision.reason, REASON_FORBIDDEN);
}

static void a_table_of_another_registry_is_not_asked(void **state)
{
	struct decide_bench *bench = *state;
	struct decide_world world = world_of(bench);
	struct call call = decide_bench_call(bench, "files", "list", "{}");
	struct registry *other;
	struct decision decision;
	struct error err;

	assert_true(registry_create(&other, &err));
	assert_true(entity_table_create(&world.entities, other, &err));
	decide(&world, &call, NULL, DECIDE_SEARCH, bench->arena, &decision);
	assert_int_equal(decision.verdict, VERDICT_ALLOW);
	assert_int_equal(entity_table_count(world.entities), 0);
	entity_table_destroy(&world.entities);
	registry_destroy(&other);
}

/* ---- the bound ---- */

static void put_many(struct decide_bench *bench)
{
	for (int i = 0; i < TOOLS; i++)
		assert_true(decide_bench_put(bench,
			text_format(bench->arena,
				"object: tool\nname: files/tool-%d\neffect: read\nrisk: low\n"
				"reversal: none-needed\n",
				i)
				.data));
	for (int i = 0; i <= IDENTITIES; i++)
		assert_true(decide_bench_put(bench,
			text_format(bench->arena,
				"object: identity\nname: agent-%d\nkind: agent\nclass: retrieve\n"
				"risk: low\nowner: ana\nbackup-owner: bo\nunit: support\n"
				"purpose: Reads\nenvironments: [staging]\n"
				"entitlements: [{effect: read, tool: files/tool-0}]\n"
				"expires: 2030-01-01\n",
				i)
				.data));
}

/* Of tool 0 it is allowed, of the others there is no line. */
static void ask_pair(struct decide_bench *bench, int identity, int tool)
{
	struct call call = decide_bench_call(
		bench, "files", text_format(bench->arena, "tool-%d", tool).data, "{}");
	const struct decide_world world = world_of(bench);
	struct decision decision;

	call.identity = text_format(bench->arena, "agent-%d", identity);
	decide(&world, &call, NULL, DECIDE_SEARCH, bench->arena, &decision);
	assert_int_equal(decision.reason, tool == 0 ? REASON_ALLOWED : REASON_NO_ENTITLEMENT);
}

static void past_its_bound_pairs_are_decided_without_being_kept(void **state)
{
	struct decide_bench *bench = *state;

	put_many(bench);
	for (int i = 0; i < ENTITY_TABLE_PAIRS_MAX - 1; i++)
		ask_pair(bench, i / TOOLS, i % TOOLS);
	assert_int_equal(entity_table_count(bench->entities), ENTITY_TABLE_PAIRS_MAX - 1);
	ask_pair(bench, IDENTITIES - 1, TOOLS - 1);
	assert_int_equal(entity_table_count(bench->entities), ENTITY_TABLE_PAIRS_MAX);
	ask_pair(bench, IDENTITIES, 0);
	ask_pair(bench, IDENTITIES, 1);
	assert_int_equal(entity_table_count(bench->entities), ENTITY_TABLE_PAIRS_MAX);
	ask_pair(bench, 0, 0);
	/* A change of anything empties it. */
	assert_true(decide_bench_put(bench, "object: unit\nname: third\n"));
	ask_pair(bench, IDENTITIES, 0);
	assert_int_equal(entity_table_count(bench->entities), 1);
}

/* ---- who has which role ---- */

static const struct role_holders *holders(struct decide_bench *bench)
{
	const struct decide_world world = world_of(bench);
	struct evaluation evaluation = {.world = &world, .arena = bench->arena};

	return evaluation_holders(&evaluation);
}

static void who_has_a_role_is_looked_up_once_while_the_registry_stands_still(void **state)
{
	struct decide_bench *bench = *state;
	const struct role_holders *first = holders(bench);

	assert_false(role_holders_may_have(first, TEXT("legal"), TEXT("support")));
	assert_ptr_equal(holders(bench), first);
	assert_true(
		decide_bench_put(bench, "object: person\nname: li\nunit: sales\nroles: [legal]\n"));
	assert_true(role_holders_may_have(holders(bench), TEXT("legal"), TEXT("sales")));
	assert_false(role_holders_may_have(holders(bench), TEXT("legal"), TEXT("support")));
}

/* The same answers as of each person by themselves. */
static void who_has_a_role_is_who_stands_for_it(void **state)
{
	static const char *const roles[] = {
		"owner", "backup-owner", "approver", "administrator", "administrator/", "legal"};
	static const char *const units[] = {"support", "sales", "org", "third", ""};
	struct decide_bench *bench = *state;
	const char *const people[] = {"ana", "bo", "cy", "eva"};

	for (size_t role = 0; role < sizeof roles / sizeof *roles; role++)
		for (size_t unit = 0; unit < sizeof units / sizeof *units; unit++) {
			bool stands = false;

			for (size_t i = 0; i < sizeof people / sizeof *people; i++)
				stands |= person_stands_for_role(
					registry_find(
						bench->registry, OBJECT_PERSON, text_of(people[i]))
						->in_force->person,
					text_of(roles[role]), text_of(units[unit]));
			assert_int_equal(role_holders_may_have(holders(bench), text_of(roles[role]),
						 text_of(units[unit])),
				stands);
		}
}

/* In one document, so that it is fast; each has a role of their own. */
static void put_holders(struct decide_bench *bench, int first, int end)
{
	static char people[DECISION_HOLDINGS_MAX * 64];
	size_t used = 0;

	for (int i = first; i < end; i++)
		used += (size_t)snprintf(people + used, sizeof people - used,
			"%sobject: person\nname: p%05d\nunit: support\nroles: [r%05d]\n",
			i == first ? "" : "---\n", i, i);
	assert_true(decide_bench_put(bench, people));
}

static void past_its_bound_anybody_may_have_a_role(void **state)
{
	struct decide_bench *bench = *state;
	int others = 6; /* of the bench's people */

	put_holders(bench, others, DECISION_HOLDINGS_MAX - 1);
	for (int count = DECISION_HOLDINGS_MAX - 1; count <= DECISION_HOLDINGS_MAX + 1; count++) {
		assert_int_equal(
			role_holders_may_have(holders(bench), TEXT("legal"), TEXT("support")),
			count > DECISION_HOLDINGS_MAX);
		assert_true(role_holders_may_have(holders(bench), TEXT("r00006"), TEXT("support")));
		put_holders(bench, count, count + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_changed_identity_is_told_as_it_is_now, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_changed_tool_server_or_data_source_is_told_as_it_is_now, setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_pair_is_made_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_method_without_a_tool_is_not_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_trial_is_told_is_not_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_table_of_another_registry_is_not_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(
			past_its_bound_pairs_are_decided_without_being_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(
			who_has_a_role_is_looked_up_once_while_the_registry_stands_still, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			who_has_a_role_is_who_stands_for_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
			past_its_bound_anybody_may_have_a_role, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
