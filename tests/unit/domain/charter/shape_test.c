#include "domain/charter/shape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "domain/charter/ceiling.h"
#include "remit/cedar.h"

static struct entitlement line_of(uint32_t number, const char *resource, const char *when)
{
	return (struct entitlement){.number = number,
		.effect = EFFECT_READ,
		.resource_kind = RESOURCE_TOOL,
		.resource = text_of(resource),
		.when = text_of(when)};
}

static struct shapes *new_shapes(void)
{
	struct shapes *shapes;
	struct error err = {0};

	assert_true(shapes_create(&shapes, &err));
	return shapes;
}

static struct shape *shape_of(
	struct shapes *shapes, const struct entitlement *lines, uint32_t count)
{
	struct shape *shape;
	struct error err = {0};

	if (!shape_acquire(&shape, shapes, lines, count, &err))
		fail_msg("%s", err.text);
	return shape;
}

static void a_line_without_effect_or_resource_is_refused_also_in_a_shape_that_is_there(void **state)
{
	struct entitlement lines[] = {line_of(0, "s/t", ""), line_of(1, "s/t", "")};
	struct shapes *shapes = new_shapes();
	struct shape *shape, *other;
	struct error err = {0};

	(void)state;
	lines[1].effect = EFFECT_NONE;
	assert_false(shape_acquire(&shape, shapes, lines, 2, &err));
	assert_null(shape);
	lines[1].effect = EFFECT_READ;
	shape = shape_of(shapes, lines, 2);
	lines[1].resource_kind = RESOURCE_NONE;
	assert_false(shape_acquire(&other, shapes, lines, 2, &err));
	assert_null(other);
	assert_int_equal(err.code, ERROR_INVALID);
	assert_non_null(strstr(err.text, "entitlements[1]"));
	shape_release(&shape);
	assert_int_equal(shapes_count(shapes), 0);
	shapes_destroy(&shapes);
}

static void a_condition_that_is_none_is_refused_with_its_line(void **state)
{
	static const char *const bad[] = {
		"true) || (true", "1 +", "!context.approvals.contains(\"x\")"};
	struct shapes *shapes = new_shapes();

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct entitlement lines[] = {line_of(0, "s/t", "true"), line_of(1, "s/t", bad[i])};
		struct error err = {0};
		struct shape *shape;

		assert_false(shape_acquire(&shape, shapes, lines, 2, &err));
		assert_int_equal(err.code, ERROR_INVALID);
		assert_non_null(strstr(err.text, "entitlements[1]"));
		assert_int_equal(shapes_count(shapes), 0);
	}
	shapes_destroy(&shapes);
}

static void lines_that_demand_the_same_share_whatever_they_are_about(void **state)
{
	struct entitlement one[] = {line_of(0, "s/a", "context.n == 1"), line_of(1, "s/b", "")};
	struct entitlement two[] = {line_of(0, "s/c", "context.n == 1"), line_of(1, "d", "")};
	struct shapes *shapes = new_shapes();
	struct shape *first, *second, *alone;

	(void)state;
	two[0].effect = EFFECT_WRITE;
	two[1].resource_kind = RESOURCE_DATA_SOURCE;
	first = shape_of(shapes, one, 2);
	second = shape_of(shapes, two, 2);
	alone = shape_of(NULL, one, 2);
	assert_ptr_equal(first, second);
	assert_ptr_not_equal(first, alone);
	assert_int_equal(shapes_count(shapes), 1);
	shape_release(&first);
	assert_null(first);
	assert_int_equal(cedar_policy_set_count(shape_policies(second)), 2);
	assert_true(text_is(shape_line(second, 0)->when, "context.n == 1"));
	shape_release(&second);
	shape_release(&second);
	shape_release(&alone);
	assert_int_equal(shapes_count(shapes), 0);
	shapes_destroy(&shapes);
}

static void lines_that_demand_anything_else_do_not_share(void **state)
{
	struct text x[] = {text_of("x")}, xy[] = {text_of("x"), text_of("y")};
	struct entitlement lines[][2] = {
		{line_of(0, "s/t", "true"), line_of(1, "s/t", "false")},
		{line_of(0, "s/t", "false"), line_of(1, "s/t", "true")},
		{line_of(0, "s/t", "truefalse"), line_of(1, "s/t", "")},
		{line_of(0, "s/t", "true "), line_of(1, "s/t", "false")},
		{line_of(0, "s/t", "true"), line_of(1, "s/t", "false")},
		{line_of(0, "s/t", "true"), line_of(1, "s/t", "false")},
		{line_of(0, "s/t", "context.approvals.contains(\"x\")"), line_of(1, "s/t", "")},
		{line_of(0, "s/t", ""), line_of(1, "s/t", "")},
	};
	enum { COUNT = sizeof lines / sizeof *lines };
	struct shapes *shapes = new_shapes();
	struct shape *held[COUNT], *shorter;

	(void)state;
	lines[2][0].when = text_of("true || false");
	lines[4][1].approvals = x;
	lines[4][1].approvals_count = 1;
	lines[5][1].approvals = xy;
	lines[5][1].approvals_count = 2;
	lines[7][0].approvals = x;
	lines[7][0].approvals_count = 1;
	for (size_t i = 0; i < COUNT; i++) {
		held[i] = shape_of(shapes, lines[i], 2);
		assert_int_equal(shapes_count(shapes), i + 1);
	}
	shorter = shape_of(shapes, lines[0], 1);
	assert_int_equal(shapes_count(shapes), COUNT + 1);
	for (size_t i = 0; i < COUNT; i++)
		shape_release(&held[i]);
	shape_release(&shorter);
	assert_int_equal(shapes_count(shapes), 0);
	shapes_destroy(&shapes);
}

/* Enough lines to be indexed. */
enum { LINES = 12 };

/* A charter of lines, on one resource. */
struct lines_charter {
	struct object object;
	struct charter charter;
	struct entitlement lines[LINES];
};

static struct ceiling *ceiling_of(
	struct lines_charter *out, struct ceilings *pool, const char *name, const char *resource)
{
	static struct text approvals[] = {{"owner", 5}};
	struct ceiling *ceiling;
	struct error err = {0};

	out->object = (struct object){.kind = OBJECT_IDENTITY, .body = &out->charter};
	out->charter = (struct charter){
		.name = text_of(name), .entitlements = out->lines, .entitlements_count = LINES};
	for (uint32_t i = 0; i < LINES; i++) {
		out->lines[i] = line_of(i, resource,
			i % 3 == 0   ? ""
			: i % 3 == 1 ? "context.n == 1 // so"
				     : "context has m && context.m > 2");
		out->lines[i].approvals = approvals;
		out->lines[i].approvals_count = i % 4 == 1;
	}
	if (!ceiling_compile(&ceiling, pool, &out->object, 7, &err))
		fail_msg("%s", err.text);
	return ceiling;
}

static void assert_same_policy(const struct cedar_policy_set *left,
	const struct cedar_policy_set *right, size_t index, struct cedar_arena *arena)
{
	struct cedar_policy a = cedar_policy_set_get(left, index);
	struct cedar_policy b = cedar_policy_set_get(right, index);
	struct cedar_text one = cedar_policy_format(left, index, arena);
	struct cedar_text other = cedar_policy_format(right, index, arena);

	assert_int_equal(a.id.length, b.id.length);
	assert_memory_equal(a.id.data, b.id.data, a.id.length);
	assert_memory_equal(&a.range, &b.range, sizeof a.range);
	assert_int_equal(a.source.length, b.source.length);
	assert_memory_equal(a.source.data, b.source.data, a.source.length);
	assert_int_equal(one.length, other.length);
	assert_memory_equal(one.data, other.data, one.length);
}

static void a_shared_ceiling_is_its_identitys_own_in_everything_that_is_told(void **state)
{
	struct lines_charter charters[3];
	struct ceilings *pool;
	struct error err = {0};
	struct ceiling *first, *second, *alone;
	struct cedar_arena *arena = cedar_arena_create(1 << 20);

	(void)state;
	assert_true(ceilings_create(&pool, &err));
	first = ceiling_of(&charters[0], pool, "first", "s/one");
	second = ceiling_of(&charters[1], pool, "second", "s/two");
	alone = ceiling_of(&charters[2], NULL, "second", "s/two");
	assert_int_equal(ceilings_shapes_count(pool), 1);
	assert_non_null(ceiling_policies(first));
	ceiling_destroy(&first);
	for (size_t i = 0; i < LINES; i++)
		assert_same_policy(ceiling_policies(second), ceiling_policies(alone), i, arena);
	assert_int_equal(ceiling_entitlement(second, 11)->number, 11);
	assert_true(text_is(ceiling_entitlement(second, 11)->resource, "s/two"));
	ceiling_destroy(&second);
	ceiling_destroy(&alone);
	assert_int_equal(ceilings_shapes_count(pool), 0);
	cedar_arena_destroy(&arena);
	ceilings_destroy(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_line_without_effect_or_resource_is_refused_also_in_a_shape_that_is_there),
		cmocka_unit_test(a_condition_that_is_none_is_refused_with_its_line),
		cmocka_unit_test(lines_that_demand_anything_else_do_not_share),
		cmocka_unit_test(lines_that_demand_the_same_share_whatever_they_are_about),
		cmocka_unit_test(a_shared_ceiling_is_its_identitys_own_in_everything_that_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
