#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/generation/request.h"
#include "domain/generation/usage.h"

#define DAY_MS INT64_C(86400000)

struct fixture {
	struct arena *arena;
	struct usage_table *table;
	struct error err;
};

static const struct usage_scope scope = {{"t-1", 3}, {"agent", 5}, {"support", 7}};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture.arena = arena_create(1 << 20);
	*state = &fixture;
	return fixture.arena == NULL || !usage_table_create(&fixture.table, &fixture.err);
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	usage_table_destroy(&fixture->table);
	arena_destroy(&fixture->arena);
	return 0;
}

static bool fold(struct fixture *fixture, int64_t day, const char *root, const char *rest)
{
	struct text text = text_format(fixture->arena,
		"{\"type\":\"outcome\",\"at\":%lld,\"identity\":\"agent\",\"generation\":{"
		"\"root\":\"%s\",\"unit\":\"support\",\"used\":%s}}",
		(long long)(day * DAY_MS + 5), root, rest);
	struct json record;

	assert_true(json_parse(&record, fixture->arena, text, &json_limits_default, &fixture->err));
	return usage_table_fold(fixture->table, &record, &fixture->err);
}

#define USED "{\"requests\":1,\"tokens\":10,\"spend\":3}"

static void what_is_no_use_of_a_model_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct json record;

	assert_true(json_parse(&record, fixture->arena, TEXT("{\"type\":\"outcome\",\"at\":1}"),
		&json_limits_default, &fixture->err));
	assert_true(usage_table_fold(fixture->table, &record, &fixture->err));
	assert_int_equal(usage_table_now(fixture->table, &scope, 1).unit.requests, 0);
}

static void a_record_that_cannot_be_ours_is_refused(void **state)
{
	struct fixture *fixture = *state;

	assert_false(fold(fixture, 1, "t-1", "{\"requests\":-1}"));
	assert_int_equal(fixture->err.code, ERROR_CORRUPT);
	assert_false(fold(fixture, 1, "", USED));
	assert_int_equal(fixture->err.code, ERROR_CORRUPT);
}

static void a_task_counts_all_and_the_others_the_day(void **state)
{
	struct fixture *fixture = *state;
	struct usage_now now;

	assert_true(fold(fixture, 100, "t-1", USED));
	assert_true(fold(fixture, 100, "t-2", USED));
	assert_true(fold(fixture, 101, "t-1", USED));
	now = usage_table_now(fixture->table, &scope, 101 * DAY_MS);
	assert_int_equal(now.task.tokens, 20);
	assert_int_equal(now.identity.tokens, 10);
	assert_int_equal(now.unit.spend, 3);
	now = usage_table_now(fixture->table, &scope, 102 * DAY_MS);
	assert_int_equal(now.task.requests, 2);
	assert_int_equal(now.identity.requests, 0);
	assert_int_equal(now.unit.requests, 0);
}

static void what_is_held_counts_until_it_is_let_go(void **state)
{
	struct fixture *fixture = *state;
	const struct usage more = {1, 50, 7}, less = {1, 20, 2};
	struct usage_hold hold, other;

	assert_true(fold(fixture, 100, "t-1", USED));
	assert_true(usage_hold_begin(&hold, fixture->table, &scope, 100 * DAY_MS, &fixture->err));
	assert_true(usage_hold_begin(&other, fixture->table, &scope, 100 * DAY_MS, &fixture->err));
	usage_hold_set(&hold, &more);
	usage_hold_set(&other, &less);
	assert_int_equal(usage_hold_now(&hold, 100 * DAY_MS).task.tokens, 80);
	usage_hold_set(&hold, &less);
	assert_int_equal(usage_table_now(fixture->table, &scope, 100 * DAY_MS).unit.tokens, 50);
	usage_hold_end(&hold);
	usage_hold_end(&hold); /* nothing is held twice */
	assert_int_equal(usage_table_now(fixture->table, &scope, 100 * DAY_MS).unit.tokens, 30);
	usage_hold_end(&other);
}

static void what_is_held_over_midnight_counts_for_the_new_day(void **state)
{
	struct fixture *fixture = *state;
	const struct usage held = {1, 50, 7};
	struct usage_hold hold;

	assert_true(usage_hold_begin(&hold, fixture->table, &scope, 100 * DAY_MS, &fixture->err));
	usage_hold_set(&hold, &held);
	assert_true(fold(fixture, 105, "t-9", USED)); /* sweeps what nobody holds */
	assert_int_equal(usage_hold_now(&hold, 105 * DAY_MS).identity.tokens, 60);
	assert_int_equal(usage_hold_now(&hold, 105 * DAY_MS).task.tokens, 50);
	usage_hold_end(&hold);
}

static void a_task_of_the_day_before_yesterday_is_forgotten(void **state)
{
	struct fixture *fixture = *state;

	assert_true(fold(fixture, 100, "t-1", USED));
	assert_true(fold(fixture, 101, "t-2", USED));
	assert_int_equal(usage_table_now(fixture->table, &scope, 101 * DAY_MS).task.tokens, 10);
	assert_true(fold(fixture, 102, "t-2", USED));
	assert_int_equal(usage_table_now(fixture->table, &scope, 102 * DAY_MS).task.tokens, 0);
}

static void a_price_is_rounded_up_and_never_overflows(void **state)
{
	const struct server_model model = {
		.has_prices = true, .input_price = 150000, .output_price = 600000};
	const struct server_model dear = {
		.has_prices = true, .input_price = PRICE_MOST, .output_price = PRICE_MOST};
	const struct server_model unknown = {.input_price = 5};

	(void)state;
	assert_int_equal(usage_price(&model, 0, 0), 0);
	assert_int_equal(usage_price(&model, 1, 0), 1);
	assert_int_equal(usage_price(&model, 1000, 1000), 750);
	assert_int_equal(usage_price(&unknown, 1000, 1000), 0);
	assert_int_equal(usage_price(NULL, 1000, 1000), 0);
	assert_int_equal(usage_price(&dear, GENERATION_TOKENS_MOST, GENERATION_TOKENS_MOST),
		INT64_C(2000000000000));
}

static void a_budget_is_over_one_past_its_number(void **state)
{
	const struct budget budget = {.requests = 3, .tokens = 100, .spend = 50}, none = {0};
	const struct usage used = {2, 90, 40};

	(void)state;
	assert_null(budget_breach(&budget, &used, &(struct usage){1, 10, 10}));
	assert_string_equal(budget_breach(&budget, &used, &(struct usage){2, 0, 0}), "requests");
	assert_string_equal(budget_breach(&budget, &used, &(struct usage){1, 11, 0}), "tokens");
	assert_string_equal(budget_breach(&budget, &used, &(struct usage){1, 0, 11}), "spend");
	assert_null(budget_breach(&none, &used, &(struct usage){1, 1 << 30, 1 << 30}));
}

static void usage_is_written_and_read_alike(void **state)
{
	struct fixture *fixture = *state;
	const struct usage usage = {1, 2, 3};
	struct usage again;
	struct json value;

	assert_true(usage_json(&value, fixture->arena, &usage, &fixture->err));
	again = usage_of_json(&value);
	assert_memory_equal(&again, &usage, sizeof usage);
	again = usage_of_json(NULL);
	assert_int_equal(again.tokens, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_no_use_of_a_model_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_record_that_cannot_be_ours_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_task_counts_all_and_the_others_the_day, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_held_counts_until_it_is_let_go, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_held_over_midnight_counts_for_the_new_day, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_task_of_the_day_before_yesterday_is_forgotten, setup, teardown),
		cmocka_unit_test(a_price_is_rounded_up_and_never_overflows),
		cmocka_unit_test(a_budget_is_over_one_past_its_number),
		cmocka_unit_test_setup_teardown(usage_is_written_and_read_alike, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
