#include "cedar/parser.h"

#include <stdlib.h>

#include "cedar/ast.h"
#include "cedar/print.h"
#include "support.h"

static const char scope[] = "permit(principal, action, resource)";

/* True if the policies are refused; *err says where. */
static bool refuses(const char *policies, struct cedar_error *err)
{
	struct cedar_policy_set *set;
	bool ok = cedar_policy_set_parse(&set, cedar_text_of(policies), NULL, err);

	if (!ok)
		assert_null(set);
	cedar_policy_set_destroy(&set);
	return !ok;
}

static void malformed_policies_are_refused(void **state)
{
	static const char *const bad[] = {
		"permit(principal, action, resource)",
		"permit(principal, action, resource);;",
		"allow(principal, action, resource);",
		"permit(principal, action);",
		"permit(action, principal, resource);",
		"permit(principal, action, resource, context);",
		"permit(principal == User, action, resource);",
		"permit(principal in [User::\"a\"], action, resource);",
		"permit(principal, action is Action, resource);",
		"permit(principal, action == Other::\"a\", resource);",
		"permit(principal, action in [Action::\"a\" Action::\"b\"], resource);",
		"permit(principal is User::\"a\", action, resource);",
		"permit(principal == if::\"a\", action, resource);",
		"permit(principal == __cedar::T::\"a\", action, resource);",
		"permit(principal, action, resource) when {};",
		"permit(principal, action, resource) when { true }",
		"permit(principal, action, resource) if { true };",
		"permit(principal, action, resource) when true;",
		"@a @a permit(principal, action, resource);",
		"@a(\"x\" permit(principal, action, resource);",
		"@a(1) permit(principal, action, resource);",
		"@ permit(principal, action, resource);",
		"permit(principal == ?resource, action, resource);",
		"permit(principal == ?other, action, resource);",
		"permit(principal, action, resource in ?principal);",
		"permit(principal, action == ?action, resource);",
		"permit(principal, action in [?principal], resource);",
		"permit(principal is ?principal, action, resource);",
		"permit(?principal, action, resource);",
		"permit(principal, action, resource) when { ?resource == 1 };",
		"permit(principal == ?principal, action, resource) when { principal in ?principal "
		"};",
		"\xFFpermit(principal, action, resource);",
	};
	struct cedar_error err;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (!refuses(bad[i], &err))
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(err.code, CEDAR_ERROR_INVALID);
		assert_true(err.line >= 1 && err.column >= 1);
	}
}

static void malformed_expressions_are_refused(void **state)
{
	static const char *const bad[] = {"", " ", "1 +", "+ 1", "1 < 2 < 3", "a", "true false",
		"1 == 2 == 3", "1 = 1", "1 / 2", "1 % 2", "!!!!!true", "-----1", "!-1", "-!true",
		"9223372036854775808", "-9223372036854775809", "-(9223372036854775808)",
		"99999999999999999999999", "if true then 1", "if true else 1", "(1", "1)", "[1",
		"[1,,2]", "[,]", "{a 1}", "{a: 1, a: 2}", "{a: 1, \"a\": 2}", "{if: 1}", "{1: 2}",
		"foo(1)", "lessThan(1, 2)", "principal.foo()", "principal.contains()",
		"[1].contains(1, 2)", "[].isEmpty(1)", "principal.decimal(\"1.0\")", "principal.in",
		"principal.", "principal[a]", "principal[1]", "principal(1)", "principal has",
		"principal has 1", "principal has a.1", "principal has a.\"b\"", "principal has if",
		"principal like 1", "principal like \"a\" + \"b\"", "principal is",
		"principal is \"a\"", "principal is A::\"a\"", "principal is A is B", "A::B",
		"A::\"a\"::\"b\"", "principal::\"a\".b.c(", "true && ", "|| true", "\"a", "1 in",
		"resource in if", "{\"a\": }", "context as x", "true; true"};
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (*world_value(&world, bad[i]) != '?')
			fail_msg("accepted: %s", bad[i]);
	}
	world_close(&world);
}

static void an_error_names_line_column_and_what_was_expected(void **state)
{
	struct cedar_error err;

	(void)state;
	assert_true(refuses("permit(principal, action, resource)\nwhen { 1 == };", &err));
	assert_int_equal(err.line, 2);
	assert_int_equal(err.column, 13);
	assert_non_null(strstr(err.text, "expected"));
	assert_non_null(strstr(err.text, "}"));
}

static void what_is_no_method_is_named_where_it_stands(void **state)
{
	struct cedar_error err;

	(void)state;
	assert_true(
		refuses("permit(principal, action, resource)\nwhen { principal. foo (1) };", &err));
	assert_string_equal(err.text, "`foo` is no method");
	assert_int_equal(err.line, 2);
	assert_int_equal(err.column, 19);
	assert_true(refuses("permit(principal, action, resource) when { \"::1\".ip() };", &err));
	assert_string_equal(err.text, "`ip` is no method");
}

static void a_condition_cannot_close_the_clause_it_stands_in(void **state)
{
	static const char *const bad[] = {"true } unless { false", "true };", "true // }\n}",
		"true); permit(principal", " ", "true, true"};
	struct cedar_policy_set *set;
	struct cedar_scope any = {0};
	struct cedar_error err;

	(void)state;
	assert_true(cedar_policy_set_create(&set, &err));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(cedar_policy_set_add_permit(
			set, CEDAR_TEXT("x"), &any, cedar_text_of(bad[i]), &err));
		assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	}
	assert_int_equal(cedar_policy_set_count(set), 0);
	cedar_policy_set_destroy(&set);
}

/* depth brackets around true, as a condition. */
static bool parses_nested(size_t depth)
{
	size_t length = 2 * depth + 4;
	char *text = malloc(length);
	struct cedar_expression *expression;
	struct cedar_error err;
	bool ok;

	assert_non_null(text);
	memset(text, '(', depth);
	memcpy(text + depth, "true", 4);
	memset(text + depth + 4, ')', depth);
	ok = cedar_expression_parse(&expression, (struct cedar_text){text, length}, &err);
	if (!ok)
		assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
	cedar_expression_destroy(&expression);
	free(text);
	return ok;
}

static void nesting_ends_at_the_depth_limit(void **state)
{
	(void)state;
	assert_true(parses_nested(CEDAR_DEPTH_MAX - 2));
	assert_true(parses_nested(CEDAR_DEPTH_MAX - 1));
	assert_false(parses_nested(CEDAR_DEPTH_MAX));
	assert_false(parses_nested(30000));
}

/* context.a.a.a... with that many accesses. */
static bool parses_chain(const char *first, const char *next, size_t count)
{
	size_t length = strlen(first) + count * strlen(next), at = strlen(first);
	char *text = malloc(length + 1);
	struct cedar_expression *expression;
	struct cedar_error err;
	bool ok;

	assert_non_null(text);
	memcpy(text, first, at + 1);
	for (size_t i = 0; i < count; i++, at += strlen(next))
		memcpy(text + at, next, strlen(next));
	ok = cedar_expression_parse(&expression, (struct cedar_text){text, length}, &err);
	if (!ok)
		assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
	cedar_expression_destroy(&expression);
	free(text);
	return ok;
}

static void chains_that_nest_end_at_the_depth_limit(void **state)
{
	(void)state;
	assert_true(parses_chain("context", ".a", CEDAR_DEPTH_MAX - 1));
	assert_false(parses_chain("context", ".a", CEDAR_DEPTH_MAX));
	assert_true(parses_chain("1", " + 1", CEDAR_DEPTH_MAX - 1));
	assert_false(parses_chain("1", " + 1", CEDAR_DEPTH_MAX));
}

static void long_chains_of_and_and_or_are_flat(void **state)
{
	(void)state;
	assert_true(parses_chain("true", " && true", 5000));
	assert_true(parses_chain("true", " || true", 5000));
	assert_false(parses_chain("true", " && true", 9000)); /* too many bytes */
}

static void an_expression_ends_at_its_byte_limit(void **state)
{
	static char text[CEDAR_POLICY_BYTES_MAX + 1];
	struct cedar_expression *expression;
	struct cedar_error err;

	(void)state;
	memset(text, ' ', sizeof text);
	text[0] = '1';
	assert_true(cedar_expression_parse(
		&expression, (struct cedar_text){text, CEDAR_POLICY_BYTES_MAX}, &err));
	cedar_expression_destroy(&expression);
	assert_false(cedar_expression_parse(
		&expression, (struct cedar_text){text, CEDAR_POLICY_BYTES_MAX + 1}, &err));
	assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
}

static void an_operator_of_one_operand_stands_four_times_at_most(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_string_equal(world_value(&world, "!!!!true"), "true");
	assert_string_equal(world_value(&world, "----1"), "1");
	assert_int_equal(*world_value(&world, "!!!!!true"), '?');
	assert_int_equal(*world_value(&world, "-----1"), '?');
	world_close(&world);
}

static void a_policy_ends_at_its_byte_limit(void **state)
{
	size_t fixed = strlen(scope) + strlen(" when { \"\" == \"\" };");
	char *text = malloc(CEDAR_POLICY_BYTES_MAX + 2);

	(void)state;
	assert_non_null(text);
	for (int more = 0; more < 2; more++) {
		size_t fill = CEDAR_POLICY_BYTES_MAX - fixed + (size_t)more;
		struct cedar_policy_set *set;
		struct cedar_error err;
		int head = snprintf(text, 100, "%s when { \"", scope);
		bool ok;

		memset(text + head, 'x', fill);
		memcpy(text + head + fill, "\" == \"\" };", 10);
		ok = cedar_policy_set_parse(
			&set, (struct cedar_text){text, (size_t)head + fill + 10}, NULL, &err);
		assert_int_equal(ok, more == 0);
		if (!ok)
			assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
		cedar_policy_set_destroy(&set);
	}
	free(text);
}

static void a_policy_text_ends_at_its_byte_limit(void **state)
{
	static const char policy[] = "permit(principal, action, resource);";
	char *text = malloc(CEDAR_TEXT_BYTES_MAX + 1);
	struct cedar_policy_set *set;
	struct cedar_error err;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', CEDAR_TEXT_BYTES_MAX + 1);
	memcpy(text, policy, strlen(policy));
	for (size_t length = CEDAR_TEXT_BYTES_MAX - 1; length <= CEDAR_TEXT_BYTES_MAX; length++) {
		assert_true(cedar_policy_set_parse(
			&set, (struct cedar_text){text, length}, NULL, &err));
		assert_int_equal(cedar_policy_set_count(set), 1);
		cedar_policy_set_destroy(&set);
	}
	assert_false(cedar_policy_set_parse(
		&set, (struct cedar_text){text, CEDAR_TEXT_BYTES_MAX + 1}, NULL, &err));
	assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
	free(text);
}

/* The normal form of one policy. */
static const char *printed(struct world *world, const char *policy)
{
	struct cedar_policy_set *set = set_of(policy);
	struct cedar_text text = cedar_policy_format(set, 0, world->arena);

	assert_non_null(text.data);
	(void)snprintf(world->text, sizeof world->text, "%.*s", (int)text.length, text.data);
	cedar_policy_set_destroy(&set);
	return world->text;
}

static void printing_keeps_only_the_brackets_that_matter(void **state)
{
	static const char *const same[] = {"-9223372036854775808", "-(5)", "-(-5)", "(-5).a",
		"-(-(5))", "!(!true)", "(1 + 2) * 3", "1 - (2 - 3)", "1 - 2 - 3", "1 * (2 * 3)",
		"(if true then 1 else 2) + 3", "if true then 1 else if false then 2 else 3",
		"(true && false) || true", "true && (false && true)", "(1 < 2) == true",
		"!(context has a.b)", "context.a[\"b c\"].contains(1)", "context has \"b c\"",
		"principal is A::B in [A::\"x\"]", "\"a\" like \"\\**\\n*\"",
		"{a: 1, \"in\": [], \"\": {}}", "ip(\"::1\").isInRange(ip(\"::/0\"))",
		"decimal(\"1.0\").lessThan(decimal(\"2.0\"))", "context.isEmpty()",
		"principal.getTag(\"a\") != principal.hasTag(\"b\")",
		"[A::\"\\\"\"].containsAll([]) && [1].containsAny([2])"};
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		struct cedar_expression *expression;
		struct cedar_text text;

		assert_true(
			cedar_expression_parse(&expression, cedar_text_of(same[i]), &world.err));
		text = cedar_expression_format(expression, world.arena);
		(void)snprintf(world.text, sizeof world.text, "%.*s", (int)text.length, text.data);
		if (strcmp(same[i], "(true && false) || true") == 0)
			assert_string_equal(world.text, "true && false || true");
		else
			assert_string_equal(world.text, same[i]);
		cedar_expression_destroy(&expression);
	}
	world_close(&world);
}

/* Brackets around an entity of a scope, or around a list, mean nothing. */
static void a_scope_takes_brackets(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_string_equal(
		printed(&world, "permit(principal == (User::\"a\"), action in ([(Action::\"x\"),"
				"((Action::\"y\")),]), resource is R in ((G::\"g\")));"),
		"permit (\n  principal == User::\"a\",\n"
		"  action in [Action::\"x\", Action::\"y\"],\n  resource is R in G::\"g\"\n);\n");
	assert_string_equal(
		printed(&world, "permit(principal in((G::\"g\")), action ==(Action::\"x\"),"
				"resource);"),
		"permit (\n  principal in G::\"g\",\n  action == Action::\"x\",\n  resource\n);\n");
	assert_string_equal(
		printed(&world, "permit(principal, action in((([]))), resource in(G::\"g\"));"),
		"permit (\n  principal,\n  action in [],\n  resource in G::\"g\"\n);\n");
	world_close(&world);
}

static void brackets_of_a_scope_are_balanced_and_where_they_may_stand(void **state)
{
	static const char *const scopes[] = {"principal == (U::\"a\", action, resource",
		"principal == U::\"a\"), action, resource", "principal == (), action, resource",
		"principal is (U), action, resource", "(principal), action, resource",
		"principal in ([U::\"a\"]), action, resource",
		"principal, action == ([Action::\"x\"]), resource",
		"principal, action in [[Action::\"x\"]], resource",
		"principal, action in [([Action::\"x\"])], resource",
		"principal, action in ([Action::\"x\")], resource",
		"principal, action in (U::\"x\"), resource"};
	struct cedar_policy_set *set;
	struct cedar_error err;

	(void)state;
	for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
		char text[200];

		(void)snprintf(text, sizeof text, "permit(%s);", scopes[i]);
		assert_false(cedar_policy_set_parse(&set, cedar_text_of(text), NULL, &err));
		assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	}
}

static void brackets_of_a_scope_end_at_the_depth_limit(void **state)
{
	(void)state;
	for (int depth = CEDAR_DEPTH_MAX - 1; depth <= CEDAR_DEPTH_MAX + 1; depth++) {
		struct cedar_policy_set *set;
		struct cedar_error err;
		char text[2 * CEDAR_DEPTH_MAX + 80];
		int used = snprintf(text, sizeof text, "permit(principal, action, resource == ");

		memset(text + used, '(', (size_t)depth);
		used += depth;
		used += snprintf(text + used, sizeof text - (size_t)used, "R::\"r\"");
		memset(text + used, ')', (size_t)depth);
		(void)snprintf(text + used + depth, sizeof text - (size_t)(used + depth), ");");
		assert_int_equal(cedar_policy_set_parse(&set, cedar_text_of(text), NULL, &err),
			depth <= CEDAR_DEPTH_MAX);
		if (depth <= CEDAR_DEPTH_MAX)
			cedar_policy_set_destroy(&set);
		else
			assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
	}
}

/* Only \* is a star that stands for itself. */
static void a_star_written_by_its_code_is_a_wildcard(void **state)
{
	static const char *const wild[] = {"\"abc\" like \"a\\u{2a}c\"",
		"\"abc\" like \"a\\u{00_00_2A}c\"", "\"abc\" like \"a\\x2ac\"",
		"\"a*c\" like \"a\\x2ac\"", "\"abc\" like \"\\x2A\\u{2a}*\\x2ac\"",
		"\"a*bc\" like \"a\\*\\x2ac\"", "\"a\\\\x2ac\" like \"a\\\\x2ac\""};
	struct cedar_expression *expression;
	struct cedar_text text;
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++)
		assert_value(&world, wild[i], "true");
	assert_value(&world, "\"abc\" like \"a\\*c\"", "false");
	assert_value(&world, "\"abc\" like \"a\\\\x2ac\"", "false");
	assert_true(cedar_expression_parse(
		&expression, CEDAR_TEXT("\"a\" like \"a\\x2a\\*\\u{2a}\""), &world.err));
	text = cedar_expression_format(expression, world.arena);
	(void)snprintf(world.text, sizeof world.text, "%.*s", (int)text.length, text.data);
	assert_string_equal(world.text, "\"a\" like \"a*\\**\"");
	cedar_expression_destroy(&expression);
	world_close(&world);
}

static void a_policy_is_printed_in_normal_form(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_string_equal(
		printed(&world, "@if @b(\"x\\\"\")forbid(principal is A :: B in C::\"d\",action "
				"in[Action::\"a\",N::Action::\"b\",],resource==R::\"r\",)"
				"unless{(true)}when{1==1};"),
		"@if\n@b(\"x\\\"\")\nforbid (\n  principal is A::B in C::\"d\",\n"
		"  action in [Action::\"a\", N::Action::\"b\"],\n  resource == R::\"r\"\n)\n"
		"unless { true }\nwhen { 1 == 1 };\n");
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_policies_are_refused),
		cmocka_unit_test(malformed_expressions_are_refused),
		cmocka_unit_test(an_error_names_line_column_and_what_was_expected),
		cmocka_unit_test(what_is_no_method_is_named_where_it_stands),
		cmocka_unit_test(a_condition_cannot_close_the_clause_it_stands_in),
		cmocka_unit_test(nesting_ends_at_the_depth_limit),
		cmocka_unit_test(chains_that_nest_end_at_the_depth_limit),
		cmocka_unit_test(long_chains_of_and_and_or_are_flat),
		cmocka_unit_test(an_expression_ends_at_its_byte_limit),
		cmocka_unit_test(an_operator_of_one_operand_stands_four_times_at_most),
		cmocka_unit_test(a_policy_ends_at_its_byte_limit),
		cmocka_unit_test(a_policy_text_ends_at_its_byte_limit),
		cmocka_unit_test(printing_keeps_only_the_brackets_that_matter),
		cmocka_unit_test(a_scope_takes_brackets),
		cmocka_unit_test(brackets_of_a_scope_are_balanced_and_where_they_may_stand),
		cmocka_unit_test(brackets_of_a_scope_end_at_the_depth_limit),
		cmocka_unit_test(a_star_written_by_its_code_is_a_wildcard),
		cmocka_unit_test(a_policy_is_printed_in_normal_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
