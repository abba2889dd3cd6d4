#include "cedar/words.h"

#include "cedar/from_json.h"
#include "support.h"

static const struct {
	const char *written;
	const char *said;
} rows[] = {
	{"context.args.amount < 100", "argument amount is less than 100"},
	{"context.args.amount <= 100", "argument amount is at most 100"},
	{"context.args.amount > 100", "argument amount is more than 100"},
	{"!(context.args.amount >= 100)", "argument amount is not at least 100"},
	{"context.environment == \"prod\"", "the environment is \"prod\""},
	{"context.environment != \"prod\"", "the environment is not \"prod\""},
	{"!(context.environment != \"prod\")", "the environment is \"prod\""},
	{"context.approvals.contains(\"owner\")", "\"owner\" has approved"},
	{"!context.approvals.contains(\"owner\")", "\"owner\" has not approved"},
	{"[\"a\", \"b\"].contains(context.args.x)", "argument x is one of [\"a\", \"b\"]"},
	{"![\"a\"].contains(context.args.x)", "argument x is none of [\"a\"]"},
	{"context.chain.contains(\"x\")", "the chain has \"x\""},
	{"context.secrets.containsAny([\"own\"])",
		"the list of secrets in its arguments has any of [\"own\"]"},
	{"!context.secrets.containsAny([\"own\"])",
		"the list of secrets in its arguments has none of [\"own\"]"},
	{"context.secrets.isEmpty()", "the list of secrets in its arguments is empty"},
	{"context.args has path", "argument path is given"},
	{"!(context has args.a.b)", "argument a.b is not given"},
	{"context.args.path like \"tickets/*.md\"", "argument path is like \"tickets/*.md\""},
	{"!(context.args.path like \"*\\*\")", "argument path is not like \"*\\*\""},
	{"!(context.args has \"path is like \\\"tickets/*\\\" and argument force\")",
		"argument \"path is like \\\"tickets/*\\\" and argument force\" is not given"},
	{"context.args[\"a.b\"].c == 1", "argument \"a.b\".c is 1"},
	{"context.args[\"\"] == 1", "argument \"\" is 1"},
	{"context[\"is\"] has \"a\\nb\"", "context.\"is\".\"a\\nb\" is given"},
	{"principal[\"unit is here or\"] == 1", "the identity's \"unit is here or\" is 1"},
	{"context.labels.untrusted", "the task has read untrusted content"},
	{"!context.labels.untrusted", "the task has read no untrusted content"},
	{"context.labels.sensitivity == \"restricted\"",
		"the task's sensitivity is \"restricted\""},
	{"context.first", "it is the first use of the tool"},
	{"context.origins.recipient == \"untrusted\"",
		"the origin of its recipient is \"untrusted\""},
	{"context.task.age < 5", "the task's age is less than 5"},
	{"context.risk == \"high\"", "the call's risk is \"high\""},
	{"context.args == context", "context.args is the context"},
	{"context.other.x == 1", "context.other.x is 1"},
	{"principal in Unit::\"support\"", "the identity is in Unit::\"support\""},
	{"!(principal is Identity)", "the identity is not of type Identity"},
	{"!(principal is Identity in Unit::\"a\")",
		"not (the identity is of type Identity and in Unit::\"a\")"},
	{"resource.unit == \"sales\"", "the tool's unit is \"sales\""},
	{"context.args.dry", "argument dry is true"},
	{"!context.args.dry", "argument dry is not true"},
	{"false", "false"},
	{"context.args.a + 1 < 2", "(context.args.a + 1) is less than 2"},
	{"context.args.a == 1 && (context.args.b == 2 || context.args.c == 3)",
		"argument a is 1 and (argument b is 2 or argument c is 3)"},
	{"!(context.args.a == 1 && context.args.b == 2)",
		"not (argument a is 1 and argument b is 2)"},
	{"!!(context.args.a == 1)", "argument a is 1"},
	{"if context.args.a then context.args.b == 1 else true",
		"if argument a is true then argument b is 1 else true"},
	/* The longest path that is named, and one that is too long. */
	{"context.args.a.b.c.d.e.f.g == 1", "argument a.b.c.d.e.f.g is 1"},
	{"context.args.a.b.c.d.e.f.g.h == 1", "(context.args.a.b.c.d.e.f.g.h) is 1"},
	{"ip(context.args.ip).isLoopback()", "ip(context.args.ip).isLoopback() is true"},
};

static void a_condition_is_said_as_a_person_reads_it(void **state)
{
	struct arena *arena = arena_create(1 << 20);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct cedar_error err = {0};
		struct cedar_text out;

		arena_reset(arena);
		if (!cedar_words(&out, arena, cedar_text_from(text_of(rows[i].written)), &err))
			fail_msg("%s: %s", rows[i].written, err.text);
		assert_string_equal(text_copy(arena, cedar_text_to(out)).data, rows[i].said);
	}
	arena_destroy(&arena);
}

static void what_is_no_condition_has_no_words(void **state)
{
	struct arena *arena = arena_create(1 << 20);
	struct cedar_error err = {0};
	struct cedar_text out;

	(void)state;
	assert_false(cedar_words(&out, arena, CEDAR_TEXT("context.a =="), &err));
	assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	assert_null(out.data);
	arena_destroy(&arena);
}

/* As deep as text may nest. */
static void the_deepest_condition_is_said(void **state)
{
	struct arena *arena = arena_create(1 << 20);
	char deep[2 * CEDAR_DEPTH_MAX + 32] = "";
	struct cedar_error err = {0};
	struct cedar_text out;
	size_t length = 0;

	(void)state;
	for (int i = 0; i < CEDAR_DEPTH_MAX / 4; i++)
		length += (size_t)snprintf(deep + length, sizeof deep - length, "!(");
	length += (size_t)snprintf(deep + length, sizeof deep - length, "context.first");
	for (int i = 0; i < CEDAR_DEPTH_MAX / 4; i++)
		length += (size_t)snprintf(deep + length, sizeof deep - length, ")");
	assert_true(cedar_words(&out, arena, cedar_text_from(text_of(deep)), &err));
	assert_int_equal(out.length, strlen("it is the first use of the tool"));
	arena_destroy(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_condition_is_said_as_a_person_reads_it),
		cmocka_unit_test(what_is_no_condition_has_no_words),
		cmocka_unit_test(the_deepest_condition_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
