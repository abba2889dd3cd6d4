#include "domain/task/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { NOW = 1000000, LATER = 2000000 };

struct bench {
	struct task_table *table;
	struct arena *arena;
	uint64_t next_index;
	char seen[1024];
};

static int setup(void **state)
{
	static struct bench bench;
	struct error err;

	bench = (struct bench){.arena = arena_create(1024 * 1024)};
	assert_non_null(bench.arena);
	assert_true(task_table_create(&bench.table, 10000, &err));
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	task_table_destroy(&bench->table);
	arena_destroy(&bench->arena);
	return 0;
}

static void fold(struct bench *bench, const struct json *record)
{
	struct error err = {0};

	if (!task_table_fold(bench->table, record, bench->next_index++, &err))
		fail_msg("%s", err.text);
	arena_reset(bench->arena);
}

static void open_task(struct bench *bench, const char *id, const char *identity, const char *parent)
{
	const struct task_opening one = {
		.id = text_of(id),
		.identity = text_of(identity),
		.unit = identity[0] == 'x' ? TEXT("sales") : TEXT("support"),
		.instance = identity[0] == 'a' ? TEXT("pod-1") : TEXT(""),
		.parent = text_of(parent),
		.environment = ENVIRONMENT_STAGING,
		.at_utc_ms = NOW,
		.deadline_utc_ms = LATER,
	};
	struct json record;
	struct error err = {0};

	assert_true(task_opened_record(
		&record, bench->arena, bench->table, &one, TEXT("identity:x"), &err));
	fold(bench, &record);
}

static void on_task(void *context, const struct task *task)
{
	struct bench *bench = context;
	size_t length = strlen(bench->seen);

	(void)snprintf(
		bench->seen + length, sizeof bench->seen - length, "%.*s ", TEXT_ARGS(task->id));
}

/* Kills, and walks so many nodes at a time. */
static void kill_and_walk(struct bench *bench, struct task_kill kill, size_t step)
{
	struct task_walked what = {.target = kill.target,
		.unit = kill.unit,
		.identity = kill.identity,
		.instance = kill.instance,
		.task = kill.task,
		.epoch = 1,
		.at_utc_ms = NOW,
		.record = bench->next_index};
	struct task_walk *walk;
	struct json record;
	struct error err;

	kill.reason = TEXT("test");
	kill.actor = TEXT("uid:0");
	kill.at_utc_ms = NOW;
	assert_true(task_kill_record(&record, bench->arena, bench->table, &kill, &err));
	fold(bench, &record);
	bench->seen[0] = '\0';
	assert_true(task_walk_create(&walk, bench->table, &what, &err));
	while (task_walk_step(walk, step, on_task, bench)) {
	}
	task_walk_destroy(&walk);
	assert_null(walk);
}

/* t-1 (a) ─ t-2 (b) ─ t-3 (x);  t-1 ─ t-4 (a);  t-5 (b);  t-6 (x) ─ t-7 (a) */
static void open_all(struct bench *bench)
{
	open_task(bench, "t-1", "a", "");
	open_task(bench, "t-2", "b", "t-1");
	open_task(bench, "t-3", "x", "t-2");
	open_task(bench, "t-4", "a", "t-1");
	open_task(bench, "t-5", "b", "");
	open_task(bench, "t-6", "x", "");
	open_task(bench, "t-7", "a", "t-6");
}

static void a_killed_token_ended_no_task(void **state)
{
	struct bench *bench = *state;

	open_all(bench);
	kill_and_walk(bench,
		(struct task_kill){
			.target = TASK_TARGET_TOKEN, .task = TEXT("t-1"), .token = TEXT("one")},
		1);
	assert_string_equal(bench->seen, "");
}

static void a_killed_task_ended_itself_and_those_below(void **state)
{
	struct bench *bench = *state;

	open_all(bench);
	kill_and_walk(
		bench, (struct task_kill){.target = TASK_TARGET_TASK, .task = TEXT("t-1")}, 1);
	assert_string_equal(bench->seen, "t-1 t-4 t-2 t-3 ");
}

static void a_killed_identity_ended_each_of_its_trees_once(void **state)
{
	struct bench *bench = *state;

	open_all(bench);
	kill_and_walk(bench,
		(struct task_kill){.target = TASK_TARGET_IDENTITY, .identity = TEXT("a")}, 2);
	assert_string_equal(bench->seen, "t-1 t-4 t-2 t-3 t-7 ");
}

static void a_killed_instance_ended_what_it_opened(void **state)
{
	struct bench *bench = *state;

	open_all(bench);
	kill_and_walk(bench,
		(struct task_kill){.target = TASK_TARGET_INSTANCE,
			.identity = TEXT("a"),
			.instance = TEXT("pod-1")},
		3);
	assert_string_equal(bench->seen, "t-1 t-4 t-2 t-3 t-7 ");
}

static void a_killed_unit_ended_what_its_identities_opened(void **state)
{
	struct bench *bench = *state;

	open_all(bench);
	kill_and_walk(bench,
		(struct task_kill){.target = TASK_TARGET_UNIT, .unit = TEXT("support")}, 1000);
	assert_string_equal(bench->seen, "t-1 t-4 t-2 t-3 t-7 t-5 ");
}

static void what_was_over_before_was_not_ended_by_it(void **state)
{
	struct bench *bench = *state;

	open_all(bench);
	kill_and_walk(
		bench, (struct task_kill){.target = TASK_TARGET_TASK, .task = TEXT("t-2")}, 1);
	assert_string_equal(bench->seen, "t-2 t-3 ");
	kill_and_walk(bench,
		(struct task_kill){.target = TASK_TARGET_IDENTITY, .identity = TEXT("a")}, 1);
	assert_string_equal(bench->seen, "t-1 t-4 t-7 ");
	kill_and_walk(
		bench, (struct task_kill){.target = TASK_TARGET_UNIT, .unit = TEXT("support")}, 1);
	assert_string_equal(bench->seen, "t-5 ");
	kill_and_walk(
		bench, (struct task_kill){.target = TASK_TARGET_UNIT, .unit = TEXT("sales")}, 1);
	assert_string_equal(bench->seen, "t-6 ");
}

static void nothing_is_forgotten_during_a_walk(void **state)
{
	struct bench *bench = *state;
	const struct task_walked what = {
		.target = TASK_TARGET_IDENTITY, .identity = TEXT("b"), .epoch = 1, .record = 99};
	struct task_walk *walk;
	struct error err;

	open_all(bench);
	assert_true(task_walk_create(&walk, bench->table, &what, &err));
	assert_int_equal(task_table_sweep(bench->table, LATER, 0, 99), 0);
	task_walk_destroy(&walk);
	assert_int_equal(task_table_sweep(bench->table, LATER, 0, 99), 7);
}

int main(void)
{
#define WALK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		WALK_TEST(a_killed_token_ended_no_task),
		WALK_TEST(a_killed_task_ended_itself_and_those_below),
		WALK_TEST(a_killed_identity_ended_each_of_its_trees_once),
		WALK_TEST(a_killed_instance_ended_what_it_opened),
		WALK_TEST(a_killed_unit_ended_what_its_identities_opened),
		WALK_TEST(what_was_over_before_was_not_ended_by_it),
		WALK_TEST(nothing_is_forgotten_during_a_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
