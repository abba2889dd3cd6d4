/* The requests that are made: no more than the schema declares (schema_test.c), and
 * prepared once for all that is asked of them. */
#include "domain/decide/evaluation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cedar/text.h"
#include "support/decide_bench.h"

static struct decide_world world_of(const struct decide_bench *bench)
{
	return (struct decide_world){
		.registry = bench->registry,
		.tasks = bench->tasks,
		.definition = DEFINITION_UNPINNED,
		.now_utc_ms = bench->now_utc_ms,
	};
}

static void the_schema_declares_nothing_that_no_request_has(void **state)
{
	static const char *const declared[] = {"kind", "class", "risk", "owner", "unit",
		"environments", "server", "effect", "environment", "reversal", "sensitivity"};
	struct decide_bench bench;
	struct decide_world world;
	struct evaluation *evaluation;
	struct cedar_entity principal, resource;
	struct call call;

	(void)state;
	decide_bench_init(&bench);
	call = decide_bench_call(&bench, "files", "list", "{}");
	world = world_of(&bench);
	evaluation = decide_prepare(&world, &call, bench.arena);
	assert_non_null(evaluation);
	assert_true(cedar_entities_find(
		evaluation->entities, &evaluation->request.principal, &principal));
	assert_true(cedar_entities_find(
		evaluation->entities, &evaluation->request.resource, &resource));
	assert_int_equal(principal.attributes.count, 6);
	assert_int_equal(resource.attributes.count, 8);
	assert_int_equal(evaluation->request.context.count, 11);
	for (size_t i = 0; i < sizeof declared / sizeof *declared; i++)
		assert_true(
			cedar_value_find(&principal.attributes, cedar_text_of(declared[i])) !=
				NULL ||
			cedar_value_find(&resource.attributes, cedar_text_of(declared[i])) != NULL);
	decide_bench_deinit(&bench);
}

/* What the library promises of each value that it made, and what the request made itself. */
static void assert_well_made(const struct cedar_value *value)
{
	uint16_t depth = 0;

	for (uint32_t i = 0; value->type == CEDAR_RECORD && i < value->count; i++) {
		const struct cedar_member *member = &value->members[i];

		assert_well_made(&member->value);
		if (member->value.depth > depth)
			depth = member->value.depth;
		if (i > 0)
			assert_true(cedar_text_compare(member[-1].name, member->name) < 0);
		assert_ptr_equal(cedar_value_find(value, member->name), &member->value);
	}
	if (value->type == CEDAR_RECORD)
		assert_int_equal(value->depth, depth + 1);
}

static void each_record_of_a_context_is_in_order(void **state)
{
	static const struct flow_origins origins = {.worst = FLOW_TRUSTED};
	struct decide_bench bench;
	struct decide_world world;
	struct evaluation *evaluation;
	struct call call;

	(void)state;
	decide_bench_init(&bench);
	call = decide_bench_call(&bench, "files", "list", "{\"b\":{\"z\":1,\"a\":[2]},\"a\":3}");
	world = world_of(&bench);
	for (int i = 0; i < 2; i++) {
		world.origins = i == 0 ? NULL : &origins;
		evaluation = decide_prepare(&world, &call, bench.arena);
		assert_non_null(evaluation);
		assert_well_made(&evaluation->request.context);
	}
	decide_bench_deinit(&bench);
}

static void what_was_prepared_may_be_run_again(void **state)
{
	static const struct text owner = {"owner", 5};
	const struct approval_names approvals = {&owner, 1};
	struct decide_bench bench;
	struct decide_world world;
	struct evaluation *evaluation;
	struct decision decision;
	struct call call;

	(void)state;
	decide_bench_init(&bench);
	call = decide_bench_call(&bench, "files", "write", "{}");
	world = world_of(&bench);
	evaluation = decide_prepare(&world, &call, bench.arena);
	for (int i = 0; i < 2; i++) {
		decide_run(evaluation, NULL, DECIDE_SEARCH, &decision);
		assert_int_equal(decision.verdict, VERDICT_ASK);
		decide_run(evaluation, NULL, DECIDE_NO_SEARCH, &decision);
		assert_int_equal(decision.verdict, VERDICT_DENY);
		decide_run(evaluation, &approvals, DECIDE_NO_SEARCH, &decision);
		assert_int_equal(decision.verdict, VERDICT_ALLOW);
	}
	decide_bench_deinit(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_schema_declares_nothing_that_no_request_has),
		cmocka_unit_test(each_record_of_a_context_is_in_order),
		cmocka_unit_test(what_was_prepared_may_be_run_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
