/* Explanations part by part, comparisons and residuals. */
#include "support.h"

#include "cedar/comparison.h"

#include <stdlib.h>

#define ANY "(principal, action, resource)"

static bool is(struct cedar_text text, const char *expected)
{
	return text.length == strlen(expected) &&
	       (text.length == 0 || memcmp(text.data, expected, text.length) == 0);
}

#define assert_text(text, expected)                                                                \
	do {                                                                                       \
		struct cedar_text got_text = (text);                                               \
		if (!is(got_text, (expected)))                                                     \
			fail_msg("%.*s", (int)got_text.length, got_text.data);                     \
	} while (0)

/* ---- parts ---- */

struct told {
	struct world world;
	struct cedar_policy_set *set;
	struct cedar_account account;
};

static void tell(struct told *told, const char *context, const char *policy)
{
	world_open(&told->world, NULL, context);
	told->set = set_of(policy);
	assert_true(cedar_account_policy(told->set, 0, told->world.entities, &told->world.request,
		told->world.arena, &told->account, &told->world.err));
}

static void told_close(struct told *told)
{
	cedar_policy_set_destroy(&told->set);
	world_close(&told->world);
}

static void what_comes_after_the_decisive_part_is_not_reached(void **state)
{
	struct told told;
	const struct cedar_part *parts;

	(void)state;
	tell(&told, "{\"n\":1}",
		"permit(principal == U::\"p\", action, resource)\n"
		"when { context.n == 1 && context.n > 7 && context.none == 1 }\n"
		"unless { context.n == 1 };");
	parts = told.account.parts;
	assert_int_equal(told.account.outcome, CEDAR_OUTCOME_WHEN_FALSE);
	assert_int_equal(told.account.part_count, 5);
	assert_int_equal(told.account.decisive, 2);
	assert_int_equal(parts[0].kind, CEDAR_PART_PRINCIPAL);
	assert_int_equal(parts[0].result, CEDAR_PART_TRUE);
	assert_text(parts[0].text, "principal == U::\"p\"");
	assert_int_equal(parts[1].result, CEDAR_PART_TRUE);
	assert_int_equal(parts[2].result, CEDAR_PART_FALSE);
	assert_int_equal(parts[2].range.line, 2);
	assert_int_equal(parts[2].range.column, 26);
	assert_int_equal(parts[2].operand_count, 1);
	assert_text(parts[2].operands[0].text, "context.n");
	assert_text(parts[2].operands[0].value, "1");
	assert_int_equal(parts[3].result, CEDAR_PART_NOT_REACHED);
	assert_int_equal(parts[3].operand_count, 0);
	assert_int_equal(parts[4].result, CEDAR_PART_NOT_REACHED);
	assert_int_equal(parts[4].kind, CEDAR_PART_UNLESS);
	assert_int_equal(parts[4].clause, 1);
	told_close(&told);
}

static void a_scope_that_does_not_match_leaves_conditions_unreached(void **state)
{
	struct told told;

	(void)state;
	tell(&told, "{}",
		"permit(principal, action == Action::\"b\", resource) when { context.x };");
	assert_int_equal(told.account.outcome, CEDAR_OUTCOME_ACTION);
	assert_int_equal(told.account.part_count, 2);
	assert_int_equal(told.account.parts[0].result, CEDAR_PART_FALSE);
	assert_int_equal(told.account.parts[1].result, CEDAR_PART_NOT_REACHED);
	told_close(&told);
}

static void a_part_that_fails_says_what_failed_and_where(void **state)
{
	struct told told;

	(void)state;
	tell(&told, "{\"n\":1}", "permit" ANY " when { context.n == 1 && context.m like \"a*\" };");
	assert_int_equal(told.account.outcome, CEDAR_OUTCOME_ERROR);
	assert_int_equal(told.account.parts[1].result, CEDAR_PART_FAILED);
	assert_text(told.account.parts[1].error, "there is no attribute \"m\"");
	assert_text(told.account.parts[1].text, "context.m like \"a*\"");
	told_close(&told);
	tell(&told, "{\"n\":1}", "permit" ANY " when { context.n };");
	assert_int_equal(told.account.parts[0].result, CEDAR_PART_FAILED);
	assert_text(told.account.parts[0].error, "expected a bool, not a long");
	assert_text(told.account.parts[0].operands[0].value, "1");
	told_close(&told);
}

static void values_are_told_as_far_as_they_were_read(void **state)
{
	struct told told;
	const struct cedar_part *part;

	(void)state;
	tell(&told, "{\"a\":1,\"b\":2,\"c\":3}",
		"permit" ANY
		" when { (context.a == 2 && context.none) || (context.b == 3 || context.c < 1) };");
	part = &told.account.parts[0];
	assert_int_equal(part->result, CEDAR_PART_FALSE);
	assert_int_equal(part->operand_count, 3);
	assert_text(part->operands[0].text, "context.a");
	assert_text(part->operands[1].text, "context.b");
	assert_text(part->operands[2].value, "3");
	told_close(&told);
}

static void a_satisfied_policy_has_no_decisive_part(void **state)
{
	struct told told;

	(void)state;
	tell(&told, "{}", "\n permit" ANY " when { true } unless { false || false };");
	assert_int_equal(told.account.outcome, CEDAR_OUTCOME_SATISFIED);
	assert_int_equal(told.account.part_count, 3);
	assert_int_equal(told.account.decisive, 3);
	assert_int_equal(told.account.range.line, 2);
	assert_int_equal(told.account.range.column, 2);
	told_close(&told);
}

/* when { true && ... && LAST } with `count` operands. */
static char *policy_of(uint32_t count, const char *last)
{
	static char text[CEDAR_POLICY_BYTES_MAX];
	size_t length = (size_t)snprintf(text, sizeof text, "permit" ANY " when { ");

	for (uint32_t i = 1; i < count; i++)
		length += (size_t)snprintf(text + length, sizeof text - length, "true && ");
	(void)snprintf(text + length, sizeof text - length, "%s };", last);
	return text;
}

static void parts_beyond_the_most_are_cut_but_not_the_decisive_one(void **state)
{
	struct told told;

	(void)state;
	tell(&told, "{\"n\":1}", policy_of(CEDAR_PARTS_MAX, "context.n == 2"));
	assert_false(told.account.is_cut);
	assert_int_equal(told.account.decisive, CEDAR_PARTS_MAX - 1);
	told_close(&told);
	tell(&told, "{\"n\":1}", policy_of(CEDAR_PARTS_MAX + 1, "context.n == 2"));
	assert_true(told.account.is_cut);
	assert_int_equal(told.account.part_count, CEDAR_PARTS_MAX);
	assert_int_equal(told.account.decisive, CEDAR_PARTS_MAX - 1);
	assert_text(told.account.parts[CEDAR_PARTS_MAX - 1].text, "context.n == 2");
	told_close(&told);
}

static void values_beyond_the_most_are_left_out(void **state)
{
	char text[1024] = "permit" ANY " when { context.n == 2";
	struct told told;

	(void)state;
	for (int i = 1; i < CEDAR_OPERANDS_MAX; i++)
		(void)strncat(text, " || context.n == 2", sizeof text - strlen(text) - 1);
	(void)strncat(text, " };", sizeof text - strlen(text) - 1);
	tell(&told, "{\"n\":1}", text);
	assert_int_equal(told.account.parts[0].operand_count, CEDAR_OPERANDS_MAX);
	told_close(&told);
	text[strlen(text) - 3] = '\0';
	(void)strncat(text, " || context.n == 3 };", sizeof text - strlen(text) - 1);
	tell(&told, "{\"n\":1}", text);
	assert_int_equal(told.account.parts[0].operand_count, CEDAR_OPERANDS_MAX);
	told_close(&told);
}

/* What accounting takes for a policy with so many satisfied parts. */
static size_t bytes_of_parts(uint32_t count)
{
	static char text[CEDAR_POLICY_BYTES_MAX];
	size_t used = (size_t)snprintf(text, sizeof text, "permit" ANY " when { true");
	struct told told;
	size_t bytes;

	for (uint32_t i = 1; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, " && context.n == 1");
	(void)snprintf(text + used, sizeof text - used, " };");
	tell(&told, "{\"n\":1}", text);
	assert_int_equal(told.account.outcome, CEDAR_OUTCOME_SATISFIED);
	assert_int_equal(told.account.is_cut, count > CEDAR_PARTS_MAX);
	bytes = arena_handed_bytes(cedar_arena_inner(told.world.arena));
	told_close(&told);
	return bytes;
}

/* Of those it is enough to know that they are satisfied: no place, no values. */
static void parts_that_are_not_told_are_only_evaluated(void **state)
{
	size_t told = bytes_of_parts(60) - bytes_of_parts(10);
	size_t not_told = bytes_of_parts(250) - bytes_of_parts(200);

	(void)state;
	assert_true(2 * not_told < told);
}

static void a_long_value_is_cut_between_two_letters(void **state)
{
	char context[512];
	struct told told;
	struct cedar_text value;

	(void)state;
	/* With its quotes the first value fits exactly. */
	(void)snprintf(context, sizeof context, "{\"s\":\"%0*d\"}", CEDAR_OPERAND_BYTES_MAX - 2, 0);
	tell(&told, context, "permit" ANY " when { context.s == \"\" };");
	value = told.account.parts[0].operands[0].value;
	assert_int_equal(value.length, CEDAR_OPERAND_BYTES_MAX);
	assert_memory_equal(value.data + value.length - 2, "0\"", 2);
	told_close(&told);
	(void)snprintf(context, sizeof context, "{\"s\":\"%0*d\u00e9%0*d\"}",
		CEDAR_OPERAND_BYTES_MAX - 5, 0, 9, 0);
	tell(&told, context, "permit" ANY " when { context.s == \"\" };");
	value = told.account.parts[0].operands[0].value;
	assert_int_equal(value.length, CEDAR_OPERAND_BYTES_MAX - 1);
	assert_memory_equal(value.data + value.length - 4, "0...", 4);
	told_close(&told);
}

static void values_are_told_only_while_source_is_left(void **state)
{
	static char text[CEDAR_POLICY_BYTES_MAX];
	struct told told;

	(void)state;
	/* Both sides of the comparison are as long as what may be evaluated again. */
	(void)snprintf(text, sizeof text, "permit" ANY " when { [context.n, %*d] == [] };",
		CEDAR_ACCOUNT_BYTES_MAX - (int)strlen("[context.n, ][]"), 1);
	tell(&told, "{\"n\":1}", text);
	assert_int_equal(told.account.parts[0].operand_count, 2);
	told_close(&told);
	(void)snprintf(text, sizeof text, "permit" ANY " when { [context.n, %*d] == [] };",
		CEDAR_ACCOUNT_BYTES_MAX + 1 - (int)strlen("[context.n, ][]"), 1);
	tell(&told, "{\"n\":1}", text);
	assert_int_equal(told.account.outcome, CEDAR_OUTCOME_WHEN_FALSE);
	assert_int_equal(told.account.parts[0].operand_count, 1);
	told_close(&told);
}

static void without_memory_there_is_no_account(void **state)
{
	struct cedar_arena *small = cedar_arena_create(64);
	struct cedar_account account;
	struct world world;
	struct cedar_policy_set *set = set_of("permit" ANY " when { context.n == 1 };");

	(void)state;
	world_open(&world, NULL, "{\"n\":1}");
	assert_false(cedar_account_policy(
		set, 0, world.entities, &world.request, small, &account, &world.err));
	assert_int_equal(world.err.code, CEDAR_ERROR_LIMIT);
	assert_int_equal(account.part_count, 0);
	cedar_policy_set_destroy(&set);
	cedar_arena_destroy(&small);
	world_close(&world);
}

/* ---- comparisons ---- */

/* The first part's relation, and a value that makes it `wanted` as Cedar source; ""
 * if none is known. */
static const char *solved(const char *condition, bool wanted)
{
	static char text[256];
	char policy[512];
	struct told told;
	struct cedar_value value;
	struct cedar_text shown = {"", 0};

	(void)snprintf(policy, sizeof policy, "permit" ANY " when { %s };", condition);
	tell(&told, "{}", policy);
	if (cedar_comparison_solve(
		    &told.account.parts[0].comparison, wanted, told.world.arena, &value))
		shown = cedar_value_format(told.world.arena, &value);
	(void)snprintf(text, sizeof text, "%.*s", (int)shown.length, shown.data);
	told_close(&told);
	return text;
}

static void what_is_no_simple_comparison_has_no_solution(void **state)
{
	(void)state;
	assert_string_equal(solved("context.a == context.b", true), "");
	assert_string_equal(solved("context == 1", true), "");
	assert_string_equal(solved("context.a + 1 == 2", true), "");
	assert_string_equal(solved("context has a", true), "");
	assert_string_equal(solved("[context.b].contains(context.a)", true), "");
	assert_string_equal(solved("[].contains(context.a)", true), "");
	assert_string_equal(solved("context has a", false), "");
	assert_string_equal(solved("context.a like \"*\"", false), "");
	assert_string_equal(solved("[].contains(context.a)", false), "");
	assert_string_equal(solved("[true, false].contains(context.a)", false), "");
	assert_string_equal(solved("[-9223372036854775807 - 1].contains(context.a)", false), "");
	assert_string_equal(solved("[principal].contains(context.a)", false), "");
	assert_string_equal(solved("context.a > 9223372036854775807", true), "");
	assert_string_equal(solved("context.a.contains(1)", true), "");
}

static void a_simple_comparison_is_turned(void **state)
{
	(void)state;
	assert_string_equal(solved("context.a.b == \"x\"", true), "\"x\"");
	assert_string_equal(solved("\"x\" == context.a", true), "\"x\"");
	assert_string_equal(solved("context.a < 3", true), "2");
	assert_string_equal(solved("context.a < 3", false), "3");
	assert_string_equal(solved("3 < context.a", true), "4");
	assert_string_equal(solved("context.a >= 3", true), "3");
	assert_string_equal(solved("context.a >= 3", false), "2");
	assert_string_equal(solved("context.a != 3", true), "2");
	assert_string_equal(solved("context.a == 3", false), "2");
	assert_string_equal(solved("!(context.a == 3)", true), "2");
	assert_string_equal(solved("context.a", true), "true");
	assert_string_equal(solved("!context.a", true), "false");
	assert_string_equal(solved("context.a like \"t/*.txt\"", true), "\"t/x.txt\"");
	assert_string_equal(solved("!(context.a like \"t*\")", false), "\"tx\"");
	assert_string_equal(solved("[1, 2].contains(context.a)", true), "1");
	assert_string_equal(solved("context.a == \"b\"", false), "\"x\"");
	assert_string_equal(solved("context.a == \"x\"", false), "\"y\"");
	assert_string_equal(solved("context.a like \"x*\"", false), "\"y\"");
	assert_string_equal(solved("context.a like \"?*\"", false), "\"x\"");
	assert_string_equal(solved("[\"x\", \"z\", \"y\"].contains(context.a)", false), "\"a\"");
	assert_string_equal(solved("[2, 3, 1].contains(context.a)", false), "0");
	assert_string_equal(solved("[true].contains(context.a)", false), "false");
}

static void without_memory_there_is_no_comparison(void **state)
{
	static const struct ast variable = {.kind = AST_VARIABLE, .detail = AST_CONTEXT};
	static const struct ast *const children[] = {&variable};
	static const struct cedar_text names[] = {{"a", 1}};
	static const struct ast path = {
		.kind = AST_GET, .count = 1, .children = children, .name_count = 1, .names = names};
	struct arena *arena = arena_create(1024);

	(void)state;
	assert_int_equal(
		comparison_of(arena, &path, CEDAR_TEXT("")).relation, CEDAR_RELATION_EQUAL);
	while (arena_alloc(arena, 1, 1) != NULL)
		;
	assert_int_equal(comparison_of(arena, &path, CEDAR_TEXT("")).relation, CEDAR_RELATION_NONE);
	arena_destroy(&arena);
}

static void a_comparison_says_what_it_compares(void **state)
{
	struct told told;
	const struct cedar_comparison *comparison;

	(void)state;
	tell(&told, "{}", "permit" ANY " when { !((context.a[\"b c\"]) like \"x\\*y*\") };");
	comparison = &told.account.parts[0].comparison;
	assert_int_equal(comparison->relation, CEDAR_RELATION_NOT_LIKE);
	assert_text(comparison->variable, "context");
	assert_int_equal(comparison->name_count, 2);
	assert_text(comparison->names[0], "a");
	assert_text(comparison->names[1], "b c");
	assert_text(comparison->pattern, "x\\*y*");
	told_close(&told);
}

static void a_part_says_of_which_comparisons_it_is_made(void **state)
{
	const struct cedar_part *part;
	struct told told;

	(void)state;
	tell(&told, "{}",
		"permit" ANY " when { context.a == 1 || !(context.b.c has d.e && context.f < 3) || "
		"context.a == context.f };");
	part = &told.account.parts[0];
	assert_int_equal(part->comparison.relation, CEDAR_RELATION_NONE);
	assert_int_equal(part->comparison_count, 3);
	assert_int_equal(part->comparisons[0].relation, CEDAR_RELATION_EQUAL);
	assert_int_equal(part->comparisons[1].relation, CEDAR_RELATION_HAS_NOT);
	assert_int_equal(part->comparisons[1].name_count, 4);
	assert_text(part->comparisons[1].names[1], "c");
	assert_text(part->comparisons[1].names[3], "e");
	assert_int_equal(part->comparisons[2].relation, CEDAR_RELATION_GREATER_EQUAL);
	told_close(&told);
	tell(&told, "{}", "permit" ANY " when { context.a == context.b };");
	assert_int_equal(told.account.parts[0].comparison_count, 0);
	told_close(&told);
}

static void only_so_many_comparisons_of_a_part_are_told(void **state)
{
	(void)state;
	for (size_t count = CEDAR_COMPARISONS_MAX - 1; count <= CEDAR_COMPARISONS_MAX + 1;
		count++) {
		char policy[512];
		int length = snprintf(policy, sizeof policy, "permit" ANY " when { context.a == 0");
		struct told told;

		for (size_t i = 1; i < count; i++)
			length += snprintf(policy + length, sizeof policy - (size_t)length,
				" || context.a == 0");
		(void)snprintf(policy + length, sizeof policy - (size_t)length, " };");
		tell(&told, "{}", policy);
		assert_int_equal(told.account.parts[0].comparison_count,
			count > CEDAR_COMPARISONS_MAX ? CEDAR_COMPARISONS_MAX : count);
		told_close(&told);
	}
}

/* ---- residuals ---- */

/* The residual of the condition of a permit with context {k: 1, s: "x", l: [1]}, x
 * and y unknown, and the resource if `open_resource`. */
static const char *residual_of(const char *policy, bool open_resource)
{
	static const struct cedar_text unknowns[] = {{"x", 1}, {"y", 1}};
	static char text[1024];
	struct cedar_residual residual;
	struct cedar_policy_set *set = set_of(policy);
	struct world world;
	struct cedar_partial partial = {.unknowns = unknowns, .unknown_count = 2};

	world_open(&world, NULL, "{\"k\":1,\"s\":\"x\",\"l\":[1]}");
	partial.principal = &world.request.principal;
	partial.action = &world.request.action;
	partial.resource = open_resource ? NULL : &world.request.resource;
	partial.context = world.request.context;
	assert_true(cedar_policy_residual(
		set, 0, world.entities, &partial, world.arena, &residual, &world.err));
	(void)snprintf(text, sizeof text, "%s%.*s%s",
		residual.kind == CEDAR_RESIDUAL_TRUE     ? "TRUE"
		: residual.kind == CEDAR_RESIDUAL_FALSE  ? "FALSE"
		: residual.kind == CEDAR_RESIDUAL_FAILED ? "FAILED"
							 : "",
		(int)residual.text.length, residual.text.data,
		residual.kind == CEDAR_RESIDUAL_CONDITION && !residual.may_fail ? " SAFE" : "");
	cedar_policy_set_destroy(&set);
	world_close(&world);
	return text;
}

#define WHEN(condition) residual_of("permit" ANY " when { " condition " };", false)

static void what_may_fail_is_never_dropped(void **state)
{
	(void)state;
	assert_string_equal(WHEN("context.x && false"), "context.x && false");
	assert_string_equal(WHEN("context.x || true"), "context.x || true");
	assert_string_equal(WHEN("context.x && context.none"), "context.x && context.none");
	assert_string_equal(WHEN("(context.x && true) == 1"), "(context.x && true) == 1");
	assert_string_equal(WHEN("context.x"), "context.x && true");
	assert_string_equal(WHEN("context.none && context.x"), "FAILED");
	assert_string_equal(WHEN("context.k && context.x"), "FAILED");
	assert_string_equal(WHEN("context.x + context.none == 1"), "FAILED");
	assert_string_equal(WHEN("context.k"), "FAILED");
}

static void what_is_known_is_evaluated(void **state)
{
	(void)state;
	assert_string_equal(residual_of("permit" ANY ";", true), "TRUE");
	assert_string_equal(WHEN("context.k == 1"), "TRUE");
	assert_string_equal(WHEN("context.k == 2 && context.x"), "FALSE");
	assert_string_equal(WHEN("context.k == 1 || context.x"), "TRUE");
	assert_string_equal(WHEN("context.x > context.k"), "context.x > 1");
	assert_string_equal(WHEN("context.l.contains(context.x)"), "context.l.contains(context.x)");
	assert_string_equal(
		WHEN("context.k == 1 && context.x == context.s && true"), "context.x == \"x\"");
	assert_string_equal(
		WHEN("if context.k == 1 then context.y == 2 else context.none"), "context.y == 2");
	assert_string_equal(WHEN("if context has x then context.k == 1 else context.k == 2"),
		"if context has x then true else false");
	assert_string_equal(WHEN("context has x && context has k && context has x.z"),
		"context has x && context has x.z");
	assert_string_equal(WHEN("context has x || false"), "context has x SAFE");
	assert_string_equal(WHEN("context == {}"), "context == {}");
	assert_string_equal(residual_of("permit" ANY " unless { context.x == 1 };", false),
		"!(context.x == 1)");
}

static void a_scope_that_is_unknown_becomes_a_condition(void **state)
{
	(void)state;
	assert_string_equal(
		residual_of("permit(principal == U::\"q\", action, resource);", true), "FALSE");
	assert_string_equal(
		residual_of("permit(principal == U::\"p\", action, resource == R::\"r\");", true),
		"resource == R::\"r\" SAFE");
	assert_string_equal(residual_of("permit" ANY " when { resource in R::\"r\" };", true),
		"resource in R::\"r\" SAFE");
	assert_string_equal(residual_of("permit" ANY " when { resource in context.s };", true),
		"resource in \"x\"");
	assert_string_equal(residual_of("permit(principal, action, resource in R::\"r\")"
					" when { context.k == 1 };",
				    true),
		"resource in R::\"r\" SAFE");
	assert_string_equal(
		residual_of("permit(principal, action, resource is R in R::\"r\");", true),
		"resource is R in R::\"r\" SAFE");
	assert_string_equal(residual_of("permit(principal, action, resource is R)"
					" when { resource.n == context.k };",
				    true),
		"resource is R && resource.n == 1");
}

/* when { context.x == 0 && ... } with `count` operands, and one unknown more than
 * there may be if `count` is 0. */
static enum cedar_error_code residual_error(uint32_t count, size_t unknown_count)
{
	static struct cedar_text unknowns[CEDAR_UNKNOWNS_MAX + 1];
	static char text[CEDAR_POLICY_BYTES_MAX];
	size_t length = (size_t)snprintf(text, sizeof text, "permit" ANY " when { true");
	struct cedar_partial partial = {.unknowns = unknowns, .unknown_count = unknown_count};
	struct cedar_residual residual;
	struct cedar_policy_set *set;
	struct world world;

	for (size_t i = 0; i <= CEDAR_UNKNOWNS_MAX; i++)
		unknowns[i] = CEDAR_TEXT("x");
	for (uint32_t i = 0; i < count; i++)
		length += (size_t)snprintf(
			text + length, sizeof text - length, " && context.x == %u", i);
	(void)snprintf(text + length, sizeof text - length, " };");
	set = set_of(text);
	world_open(&world, NULL, NULL);
	partial.principal = &world.request.principal;
	if (cedar_policy_residual(
		    set, 0, world.entities, &partial, world.arena, &residual, &world.err)) {
		world.err.code = CEDAR_ERROR_NONE;
		assert_int_equal(residual.condition_count, count);
	}
	cedar_policy_set_destroy(&set);
	world_close(&world);
	return world.err.code;
}

static void a_residual_is_bounded(void **state)
{
	(void)state;
	assert_int_equal(residual_error(1000, 1), CEDAR_ERROR_NONE);
	assert_int_equal(residual_error(1, CEDAR_UNKNOWNS_MAX), CEDAR_ERROR_NONE);
	assert_int_equal(residual_error(1, CEDAR_UNKNOWNS_MAX + 1), CEDAR_ERROR_LIMIT);
}

/* A text of `length` bytes that is left of a policy of fewer. */
static enum cedar_error_code residual_of_length(size_t length)
{
	static const struct cedar_text unknowns[] = {{"x", 1}};
	static char context[CEDAR_POLICY_BYTES_MAX + 64];
	struct cedar_policy_set *set = set_of("permit" ANY " when { context.x == context.s };");
	struct cedar_partial partial = {.unknowns = unknowns, .unknown_count = 1};
	struct cedar_residual residual;
	struct world world;

	(void)snprintf(context, sizeof context, "{\"s\":\"%0*d\"}",
		(int)(length - strlen("context.x == \"\"")), 0);
	world_open(&world, NULL, context);
	partial.context = world.request.context;
	world.err.code = CEDAR_ERROR_NONE;
	if (cedar_policy_residual(
		    set, 0, world.entities, &partial, world.arena, &residual, &world.err))
		assert_int_equal(residual.text.length, length);
	cedar_policy_set_destroy(&set);
	world_close(&world);
	return world.err.code;
}

static void a_residual_is_no_longer_than_a_policy(void **state)
{
	(void)state;
	assert_int_equal(residual_of_length(CEDAR_POLICY_BYTES_MAX), CEDAR_ERROR_NONE);
	assert_int_equal(residual_of_length(CEDAR_POLICY_BYTES_MAX + 1), CEDAR_ERROR_LIMIT);
}

static void a_member_that_is_known_and_unknown_is_refused(void **state)
{
	static const struct cedar_text unknowns[] = {{"k", 1}};
	struct cedar_partial partial = {.unknowns = unknowns, .unknown_count = 1};
	struct cedar_policy_set *set = set_of("permit" ANY ";");
	struct cedar_residual residual;
	struct world world;

	(void)state;
	world_open(&world, NULL, "{\"k\":1}");
	partial.context = world.request.context;
	assert_false(cedar_policy_residual(
		set, 0, world.entities, &partial, world.arena, &residual, &world.err));
	assert_int_equal(world.err.code, CEDAR_ERROR_INVALID);
	assert_int_equal(residual.kind, CEDAR_RESIDUAL_FALSE);
	cedar_policy_set_destroy(&set);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_after_the_decisive_part_is_not_reached),
		cmocka_unit_test(a_scope_that_does_not_match_leaves_conditions_unreached),
		cmocka_unit_test(a_part_that_fails_says_what_failed_and_where),
		cmocka_unit_test(values_are_told_as_far_as_they_were_read),
		cmocka_unit_test(a_satisfied_policy_has_no_decisive_part),
		cmocka_unit_test(parts_beyond_the_most_are_cut_but_not_the_decisive_one),
		cmocka_unit_test(values_beyond_the_most_are_left_out),
		cmocka_unit_test(parts_that_are_not_told_are_only_evaluated),
		cmocka_unit_test(a_long_value_is_cut_between_two_letters),
		cmocka_unit_test(values_are_told_only_while_source_is_left),
		cmocka_unit_test(without_memory_there_is_no_account),
		cmocka_unit_test(what_is_no_simple_comparison_has_no_solution),
		cmocka_unit_test(a_simple_comparison_is_turned),
		cmocka_unit_test(without_memory_there_is_no_comparison),
		cmocka_unit_test(a_comparison_says_what_it_compares),
		cmocka_unit_test(a_part_says_of_which_comparisons_it_is_made),
		cmocka_unit_test(only_so_many_comparisons_of_a_part_are_told),
		cmocka_unit_test(what_may_fail_is_never_dropped),
		cmocka_unit_test(what_is_known_is_evaluated),
		cmocka_unit_test(a_scope_that_is_unknown_becomes_a_condition),
		cmocka_unit_test(a_residual_is_bounded),
		cmocka_unit_test(a_residual_is_no_longer_than_a_policy),
		cmocka_unit_test(a_member_that_is_known_and_unknown_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
