#include "cedar/parser.h"
#include "cedar/policy_set.h"
#include "support.h"

/* The ops of an expression; *value is the constant if that is all it is. */
static uint32_t ops_of(struct world *world, const char *text, struct cedar_value *value)
{
	struct program program = {.arena = cedar_arena_inner(world->arena)};
	const struct ast *ast;
	struct piece piece;

	if (!expression_parse(&ast, program.arena, cedar_text_of(text), &world->err) ||
		!program_compile(&program, &piece, ast, (struct cedar_text){NULL, 0}, &world->err))
		fail_msg("%s in %s", world->err.text, text);
	*value = (struct cedar_value){.type = CEDAR_NONE};
	if (piece.end - piece.start == 1 && program.ops[0].code == OP_PUSH)
		*value = program.constants[program.ops[0].index];
	return piece.end - piece.start;
}

static void what_would_fail_is_left_to_fail(void **state)
{
	static const char *const texts[] = {"9223372036854775807 + 1", "1 + \"a\" == 2", "!1",
		"-(-9223372036854775808)", "decimal(\"x\")", "decimal(\"x\") == 1", "1 < \"a\"",
		"[1].containsAll(1)", "1 like \"a\"", "1 is U", "(1).isEmpty()"};
	struct cedar_value value;
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_true(ops_of(&world, texts[i], &value) > 1);
		assert_fails(&world, texts[i]);
	}
	world_close(&world);
}

static void what_the_store_decides_is_no_constant(void **state)
{
	struct cedar_value value;
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_true(ops_of(&world, "U::\"a\" in U::\"b\"", &value) > 1);
	assert_true(ops_of(&world, "U::\"a\" has n", &value) > 1);
	assert_true(ops_of(&world, "U::\"a\".hasTag(\"t\")", &value) > 1);
	assert_true(ops_of(&world, "U::\"a\" is U in U::\"b\"", &value) > 1);
	assert_true(ops_of(&world, "principal == U::\"a\"", &value) > 1);
	world_close(&world);
}

static void operators_on_constants_are_computed_once(void **state)
{
	static const struct {
		const char *text, *value;
	} folded[] = {
		{"1 + 2 * 3 - -4", "11"},
		{"1 + 2 < 4", "true"},
		{"!(1 == 2)", "true"},
		{"\"abc\" like \"a*\"", "true"},
		{"U::\"a\" is U", "true"},
		{"[1 + 1, 2].contains(2)", "true"},
		{"[1, 1 + 0]", "[1]"},
		{"ip(\"127.0.0.1\").isLoopback()", "true"},
		{"datetime(\"2024-01-01\").offset(duration(\"1d\")) > datetime(\"2024-01-01\")",
			"true"},
		{"[].isEmpty() == true", "true"},
		{"1 != decimal(\"1.0\")", "true"},
	};
	struct cedar_value value;
	struct cedar_text text;
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	for (size_t i = 0; i < sizeof folded / sizeof folded[0]; i++) {
		if (ops_of(&world, folded[i].text, &value) != 1)
			fail_msg("not folded: %s", folded[i].text);
		text = cedar_value_format(world.arena, &value);
		assert_int_equal(text.length, strlen(folded[i].value));
		assert_memory_equal(text.data, folded[i].value, text.length);
		assert_value(&world, folded[i].text, folded[i].value);
	}
	world_close(&world);
}

/* What compiling sets in records in sets .. takes, the innermost of which fails. */
static size_t bytes_to_compile(int levels)
{
	struct arena *arena = arena_create(SUPPORT_ARENA_BYTES);
	struct program program = {.arena = arena};
	char text[8192];
	struct cedar_error err;
	const struct ast *ast;
	struct piece piece;
	size_t used = 0, before;

	for (int i = 0; i < levels; i++)
		used += (size_t)snprintf(
			text + used, sizeof text - used, i % 2 == 0 ? "[1,2,3,4,5,6,7,8," : "{b:");
	used += (size_t)snprintf(text + used, sizeof text - used, "decimal(\"x\")");
	for (int i = levels - 1; i >= 0; i--)
		used += (size_t)snprintf(
			text + used, sizeof text - used, i % 2 == 0 ? "]" : ",a:decimal(\"y\")}");
	assert_true(expression_parse(&ast, arena, cedar_text_of(text), &err));
	before = arena_handed_bytes(arena);
	assert_true(program_compile(&program, &piece, ast, (struct cedar_text){NULL, 0}, &err));
	assert_true(piece.end > 1);
	before = arena_handed_bytes(arena) - before;
	arena_destroy(&arena);
	return before;
}

static void a_constant_that_fails_is_folded_once_at_all_its_levels(void **state)
{
	(void)state;
	assert_true(bytes_to_compile(180) < 3 * bytes_to_compile(90));
}

/* Of a set with many other values in front of them. */
static size_t bytes_of_sums(struct world *world, int others)
{
	struct program program = {.arena = cedar_arena_inner(world->arena)};
	char text[CEDAR_POLICY_BYTES_MAX];
	size_t used = 0, before;
	const struct ast *ast;
	struct piece piece;

	used = (size_t)snprintf(text, sizeof text, "[0");
	for (int i = 0; i < others; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, ",context.a");
	for (int i = 0; i < 100; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, ",1+%d", i);
	(void)snprintf(text + used, sizeof text - used, "]");
	assert_true(expression_parse(&ast, program.arena, cedar_text_of(text), &world->err));
	before = arena_handed_bytes(program.arena);
	assert_true(
		program_compile(&program, &piece, ast, (struct cedar_text){NULL, 0}, &world->err));
	return arena_handed_bytes(program.arena) - before;
}

static void computing_takes_no_room_for_values_that_stand_before(void **state)
{
	struct world world;
	size_t few, many;

	(void)state;
	world_open(&world, NULL, NULL);
	few = bytes_of_sums(&world, 0);
	many = bytes_of_sums(&world, 900);
	/* For each of the others room for code and a path, and none for each sum. */
	assert_true(many < few + (size_t)900 * 400);
	world_close(&world);
}

static void the_rest_of_a_constant_that_fails_is_folded(void **state)
{
	struct cedar_value value;
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	/* each pushes a constant and the text of the call, or what follows it */
	assert_int_equal(ops_of(&world, "[{a: [1, 2]}, decimal(\"x\"), {b: [3, 4]}]", &value), 5);
	assert_int_equal(ops_of(&world, "[{b: [decimal(\"x\")], a: [1, 2]}]", &value), 6);
	assert_fails(&world, "[{b: [decimal(\"x\")], a: [1, 2]}]");
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_would_fail_is_left_to_fail),
		cmocka_unit_test(what_the_store_decides_is_no_constant),
		cmocka_unit_test(a_constant_that_fails_is_folded_once_at_all_its_levels),
		cmocka_unit_test(computing_takes_no_room_for_values_that_stand_before),
		cmocka_unit_test(the_rest_of_a_constant_that_fails_is_folded),
		cmocka_unit_test(operators_on_constants_are_computed_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
