#include "cedar/program.h"

#include "support.h"

static const char entities[] =
	"[{\"uid\":{\"type\":\"U\",\"id\":\"p\"},\"attrs\":{\"name\":\"pat\",\"level\":3,"
	"\"boss\":{\"__entity\":{\"type\":\"U\",\"id\":\"q\"}}},"
	"\"parents\":[{\"type\":\"G\",\"id\":\"g\"}],\"tags\":{\"t\":1}},"
	"{\"uid\":{\"type\":\"U\",\"id\":\"q\"},\"attrs\":{\"name\":\"quinn\"},\"parents\":[]}]";
static const char context[] =
	"{\"n\":7,\"s\":\"x\",\"set\":[1,2,3],\"r\":{\"a\":{\"b\":1}},\"yes\":true}";

static void operators_refuse_values_of_other_types(void **state)
{
	static const char *const bad[] = {"1 + true", "\"a\" + \"b\"", "1 - \"a\"", "true * 1",
		"-true", "!1", "1 < \"a\"", "\"a\" < \"b\"", "true < false",
		"decimal(\"1.0\") < decimal(\"2.0\")",
		"datetime(\"2024-01-01\") < duration(\"1s\")", "1 in U::\"p\"", "principal in 1",
		"principal in [1]", "principal in [U::\"p\", 1]", "1.a", "[].a", "\"a\".length",
		"1 has a", "[] has a", "1 is U", "principal is U in 1", "1 like \"1\"",
		"1.contains(1)", "[1].containsAll(1)", "{a: 1}.containsAny([])", "1.isEmpty()",
		"principal.getTag(1)", "context.getTag(\"t\")", "1.hasTag(\"t\")",
		"if 1 then 2 else 3", "1 && true", "true && 1", "false || 1", "1 || true"};
	struct world world;

	(void)state;
	world_open(&world, entities, context);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (*world_value(&world, bad[i]) != '!')
			fail_msg("%s gave %s", bad[i], world.text);
		assert_int_equal(world.err.code, CEDAR_ERROR_EVALUATION);
		assert_int_equal(world.err.line, 1);
	}
	world_close(&world);
}

static void overflow_is_an_error(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_fails(&world, "9223372036854775807 + 1");
	assert_fails(&world, "-9223372036854775808 - 1");
	assert_fails(&world, "-(-9223372036854775808)");
	assert_fails(&world, "4611686018427387904 * 2");
	assert_value(&world, "9223372036854775807 - 1 + 1", "9223372036854775807");
	assert_value(&world, "4611686018427387904 * -2", "-9223372036854775808");
	world_close(&world);
}

static void what_is_absent_is_an_error_to_read_and_false_to_ask_for(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, entities, context);
	assert_fails(&world, "principal.none");
	assert_fails(&world, "resource.name");
	assert_fails(&world, "U::\"nobody\".name");
	assert_fails(&world, "context.none");
	assert_fails(&world, "principal.getTag(\"none\")");
	assert_fails(&world, "resource.getTag(\"t\")");
	assert_value(&world, "principal has none", "false");
	assert_value(&world, "resource has name", "false");
	assert_value(&world, "principal.hasTag(\"none\")", "false");
	assert_value(&world, "resource.hasTag(\"t\")", "false");
	assert_value(&world, "principal.getTag(\"t\") == 1 && principal.hasTag(\"t\")", "true");
	assert_value(&world, "principal.boss.name", "\"quinn\"");
	assert_value(&world, "context has r.a.b && principal has boss.name", "true");
	assert_value(&world, "context has r.x.b", "false");
	assert_value(&world, "principal has boss.boss.name", "false");
	assert_fails(&world, "context has n.a");
	world_close(&world);
}

static void short_circuits_hide_what_they_skip(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_value(&world, "false && 1", "false");
	assert_value(&world, "false && context.none", "false");
	assert_value(&world, "true || context.none", "true");
	assert_value(&world, "true && false && context.none", "false");
	assert_value(&world, "if true then 1 else context.none", "1");
	assert_value(&world, "if false then context.none else 2", "2");
	assert_value(&world, "U::\"a\" is V in context.none", "false");
	assert_fails(&world, "context.none && false");
	assert_fails(&world, "context.none || true");
	assert_fails(&world, "U::\"a\" is U in context.none");
	world_close(&world);
}

static void membership_is_reflexive_and_transitive(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, entities, NULL);
	assert_value(&world, "principal in principal", "true");
	assert_value(&world, "principal in G::\"g\"", "true");
	assert_value(&world, "principal in [G::\"x\", G::\"g\"]", "true");
	assert_value(&world, "principal in []", "false");
	assert_value(&world, "G::\"g\" in principal", "false");
	assert_value(&world, "principal is U in G::\"g\"", "true");
	assert_value(&world, "principal is G", "false");
	world_close(&world);
}

static void equality_is_total_and_sets_ignore_order(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, context);
	assert_value(&world, "1 == \"1\"", "false");
	assert_value(&world, "1 != true", "true");
	assert_value(&world, "[1, 2, 2] == [2, 1]", "true");
	assert_value(&world, "context.set == [3, 1 + 1, 1]", "true");
	assert_value(&world, "{a: 1, b: [context.n]} == {b: [7], a: 1}", "true");
	assert_value(&world, "[1].contains(1) && ![1].contains(\"1\")", "true");
	assert_value(&world, "context.set.containsAll([1, 3]) && [].isEmpty()", "true");
	assert_value(&world, "context.set.containsAny([9, 3]) && !context.set.isEmpty()", "true");
	assert_value(&world, "context.set.containsAny([]) || ![].containsAll([])", "false");
	assert_value(&world, "decimal(\"1.0\") == decimal(\"1.00\")", "true");
	world_close(&world);
}

static void constants_that_would_fail_do_so_only_when_reached(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_value(&world, "true || [decimal(\"x\")].isEmpty()", "true");
	assert_fails(&world, "[decimal(\"x\")].isEmpty()");
	assert_fails(&world, "{a: ip(\"x\")}.a == 1");
	world_close(&world);
}

static void a_value_that_grows_too_deep_is_an_error_not_a_crash(void **state)
{
	char json[2 * CEDAR_DEPTH_MAX + 16];
	struct world world;

	(void)state;
	(void)snprintf(json, sizeof json, "{\"d\":");
	memset(json + 5, '[', CEDAR_DEPTH_MAX - 1);
	memset(json + 4 + CEDAR_DEPTH_MAX, ']', CEDAR_DEPTH_MAX - 1);
	memcpy(json + 3 + 2 * CEDAR_DEPTH_MAX, "}", 2);
	world_open(&world, NULL, json);
	assert_value(&world, "[context.d].isEmpty()", "false");
	assert_fails(&world, "[[context.d]].isEmpty()");
	assert_fails(&world, "{a: {b: context.d}} == 1");
	world_close(&world);
}

/* `variable in path` and `path == constant` are ops of their own. */
static void fused_operators_fail_where_their_parts_would(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, "{\"n\":1,\"g\":[],\"r\":{}}");
	assert_fails(&world, "principal in context.none");
	assert_non_null(strstr(world.text, "\"none\""));
	assert_int_equal(world.err.column, 14);
	assert_fails(&world, "principal in context.r.none.more");
	assert_int_equal(world.err.column, 14);
	assert_fails(&world, "principal in context.n");
	assert_int_equal(world.err.column, 1);
	assert_fails(&world, "principal in context.n.m");
	assert_fails(&world, "context in context.g");
	assert_fails(&world, "principal in resource.a");
	assert_value(&world, "principal in context.g", "false");
	assert_fails(&world, "context.none == 1");
	assert_fails(&world, "1 != context.none");
	assert_value(&world, "context.n == 1", "true");
	assert_value(&world, "1 != context.n", "false");
	assert_value(&world, "context.n == decimal(\"1.0\")", "false");
	assert_fails(&world, "context.n == decimal(\"x\")");
	world_close(&world);
}

static void without_a_request_variables_are_an_error(void **state)
{
	struct cedar_expression *expression;
	struct cedar_value value;
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_true(cedar_expression_parse(
		&expression, CEDAR_TEXT("1 == 1\n|| context.a"), &world.err));
	assert_true(
		cedar_evaluate_expression(expression, NULL, NULL, world.arena, &value, &world.err));
	cedar_expression_destroy(&expression);
	assert_true(cedar_expression_parse(
		&expression, CEDAR_TEXT("1 == 2\n|| context.a"), &world.err));
	assert_false(
		cedar_evaluate_expression(expression, NULL, NULL, world.arena, &value, &world.err));
	assert_int_equal(world.err.code, CEDAR_ERROR_EVALUATION);
	assert_int_equal(world.err.line, 2);
	assert_int_equal(world.err.column, 4);
	cedar_expression_destroy(&expression);
	world_close(&world);
}

/* [context, context, ...] with that many items, which cannot be folded. */
static struct cedar_error holds_values(size_t count)
{
	static const char item[] = "context,";
	char *text = test_malloc(count * (sizeof item - 1) + 16);
	struct cedar_expression *expression;
	struct cedar_error err = {0};
	size_t at = 1;

	text[0] = '[';
	for (size_t i = 0; i < count; i++, at += sizeof item - 1)
		memcpy(text + at, item, sizeof item - 1);
	memcpy(text + at, "]", 2);
	if (!cedar_expression_parse(&expression, cedar_text_of(text), &err))
		assert_null(expression);
	cedar_expression_destroy(&expression);
	test_free(text);
	return err;
}

static void the_stack_of_values_is_bounded(void **state)
{
	struct cedar_error err;

	(void)state;
	assert_int_equal(holds_values(CEDAR_STACK_VALUES_MAX - 1).code, CEDAR_ERROR_NONE);
	assert_int_equal(holds_values(CEDAR_STACK_VALUES_MAX).code, CEDAR_ERROR_NONE);
	err = holds_values(CEDAR_STACK_VALUES_MAX + 1);
	assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
	assert_int_equal(err.line, 1); /* the item that is one too many */
	assert_int_equal(err.column, 2 + CEDAR_STACK_VALUES_MAX * strlen("context,"));
}

static void more_values_than_the_first_stack_holds_are_kept_in_scratch(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, context);
	assert_value(&world,
		"[context.n+1,context.n+2,context.n+3,context.n+4,context.n+5,context.n+6,context."
		"n+7,"
		"context.n+8,context.n+9,context.n+10,context.n+11,context.n+12,context.n+13,"
		"context.n+14,context.n+15,context.n+16,context.n+17,context.n+18,context.n+19,"
		"context.n+20,context.n+21,context.n+22,context.n+23,context.n+24,context.n+25,"
		"context.n+26,context.n+27,context.n+28,context.n+29,context.n+30,context.n+31,"
		"context.n+32,context.n+33,context.n+34].contains(41)",
		"true");
	world_close(&world);
}

static void the_error_of_a_policy_is_utf8(void **state)
{
	struct world world;
	struct cedar_policy_set *set;
	struct cedar_answer answer;
	char text[1024];

	(void)state;
	world_open(&world, NULL, "{}");
	for (int before = 0; before < 4; before++) {
		size_t used = (size_t)snprintf(text, sizeof text,
			"permit(principal, action, resource) when { context[\"%.*s", before,
			"xxxx");

		for (int i = 0; i < 100; i++)
			used += (size_t)snprintf(
				text + used, sizeof text - used, "\xF0\x9F\x98\x80");
		(void)snprintf(text + used, sizeof text - used, "\"] };");
		set = set_of(text);
		assert_true(cedar_authorize(
			set, world.entities, &world.request, world.arena, &answer, &world.err));
		assert_int_equal(answer.error_count, 1);
		assert_int_equal(
			utf8_valid_length(answer.errors[0].text), answer.errors[0].text.length);
		cedar_policy_set_destroy(&set);
	}
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operators_refuse_values_of_other_types),
		cmocka_unit_test(overflow_is_an_error),
		cmocka_unit_test(what_is_absent_is_an_error_to_read_and_false_to_ask_for),
		cmocka_unit_test(short_circuits_hide_what_they_skip),
		cmocka_unit_test(membership_is_reflexive_and_transitive),
		cmocka_unit_test(equality_is_total_and_sets_ignore_order),
		cmocka_unit_test(constants_that_would_fail_do_so_only_when_reached),
		cmocka_unit_test(a_value_that_grows_too_deep_is_an_error_not_a_crash),
		cmocka_unit_test(fused_operators_fail_where_their_parts_would),
		cmocka_unit_test(without_a_request_variables_are_an_error),
		cmocka_unit_test(the_error_of_a_policy_is_utf8),
		cmocka_unit_test(the_stack_of_values_is_bounded),
		cmocka_unit_test(more_values_than_the_first_stack_holds_are_kept_in_scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
