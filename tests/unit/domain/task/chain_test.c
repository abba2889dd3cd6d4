#include "domain/task/chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct task_table *table;
static struct arena *arena;

static int start(void **state)
{
	struct error err = {0};

	(void)state;
	arena = arena_create(1 << 20);
	assert_non_null(arena);
	assert_true(task_table_create(&table, 100, &err));
	return 0;
}

static int end(void **state)
{
	(void)state;
	task_table_destroy(&table);
	arena_destroy(&arena);
	return 0;
}

/* True if the task may be opened; then it is. */
static bool open_task(const char *id, const char *identity, const char *parent)
{
	const struct task_opening opening = {.id = text_of(id),
		.identity = text_of(identity),
		.parent = text_of(parent),
		.environment = ENVIRONMENT_DEV,
		.at_utc_ms = 1000,
		.deadline_utc_ms = 9000};
	struct error err = {0};
	struct json record;

	return task_opened_record(&record, arena, table, &opening, TEXT("remit"), &err) &&
	       task_table_fold(table, &record, task_table_count(table), &err);
}

static const struct task *find(const char *id)
{
	return task_find(table, text_of(id));
}

/* Hangs a task below another one whatever task_may_open says of it. */
static void force(const char *id, const char *identity, const char *parent)
{
	struct text text = text_format(arena,
		"{\"type\":\"task-opened\",\"at\":1000,\"task\":\"%s\",\"identity\":\"%s\","
		"\"charter-version\":1,\"environment\":\"dev\",\"deadline\":9000,"
		"\"identity-epoch\":0,\"parent\":\"%s\",\"parent-epoch\":0}",
		id, identity, parent);
	struct error err = {0};
	struct json record;

	assert_true(json_parse(&record, arena, text, &json_limits_default, &err));
	assert_true(task_table_fold(table, &record, 99, &err));
}

static void an_identity_of_the_chain_gets_nothing_back(void **state)
{
	(void)state;
	assert_true(open_task("t-1", "a", ""));
	assert_true(open_task("t-2", "b", "t-1"));
	assert_true(open_task("t-3", "c", "t-2"));
	assert_false(open_task("t-4", "a", "t-3"));
	assert_false(open_task("t-4", "b", "t-3"));
	assert_true(open_task("t-4", "c", "t-3"));
	assert_null(find("t-5"));
}

static void a_record_of_a_loop_opens_what_is_never_live(void **state)
{
	(void)state;
	assert_true(open_task("t-1", "a", ""));
	assert_true(open_task("t-2", "b", "t-1"));
	force("t-3", "a", "t-2");
	assert_non_null(find("t-3"));
	assert_false(task_is_live(find("t-3"), 2000));
	assert_true(task_is_live(find("t-2"), 2000));
}

static void a_chain_holds_so_many_identities_and_not_one_more(void **state)
{
	static const char *const tasks[] = {
		"t-0", "t-1", "t-2", "t-3", "t-4", "t-5", "t-6", "t-7", "t-8"};
	static const char *const identities[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
	struct chain chain;

	(void)state;
	assert_int_equal(CHAIN_IDENTITIES_MAX, 8);
	for (size_t i = 0; i < CHAIN_IDENTITIES_MAX; i++)
		assert_true(open_task(tasks[i], identities[i], i == 0 ? "" : tasks[i - 1]));
	assert_false(open_task(tasks[CHAIN_IDENTITIES_MAX], "i", tasks[CHAIN_IDENTITIES_MAX - 1]));
	assert_true(chain_of(&chain, find("t-7")));
	assert_int_equal(chain.count, CHAIN_IDENTITIES_MAX);
	force("t-8", "i", "t-7");
	assert_false(task_is_live(find("t-8"), 2000));
}

static void tasks_of_one_identity_in_a_row_are_one_link(void **state)
{
	struct chain chain;

	(void)state;
	assert_true(open_task("t-1", "a", ""));
	assert_true(open_task("t-2", "a", "t-1"));
	assert_true(open_task("t-3", "b", "t-2"));
	assert_true(open_task("t-4", "b", "t-3"));
	assert_true(chain_of(&chain, find("t-4")));
	assert_int_equal(chain.count, 2);
	assert_true(text_is(chain.links[0], "a"));
	assert_true(text_is(chain.links[1], "b"));
	assert_true(chain_of(&chain, NULL));
	assert_int_equal(chain.count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(an_identity_of_the_chain_gets_nothing_back),
		TEST(a_record_of_a_loop_opens_what_is_never_live),
		TEST(a_chain_holds_so_many_identities_and_not_one_more),
		TEST(tasks_of_one_identity_in_a_row_are_one_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
