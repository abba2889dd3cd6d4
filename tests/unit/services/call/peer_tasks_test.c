#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/call/peer_tasks.h"

enum { COUNT_MAX = 6, OF_IDENTITY_MAX = 4 };

/* check-source: global: nothing changes it; a task's parent is no const */
static struct task root = {.id = {"t-root", 6}, .identity = {"agent", 5}};
static const struct task below = {.id = {"t-below", 7}, .identity = {"agent", 5}, .parent = &root};
static const struct task elsewhere = {.id = {"t-else", 6}, .identity = {"agent", 5}};
static const struct task of_another = {
	.id = {"t-another", 9}, .identity = {"another", 7}, .parent = &root};

static int setup(void **state)
{
	struct peer_tasks *tasks = NULL;
	struct error err = {0};

	assert_true(peer_tasks_create(&tasks, COUNT_MAX, OF_IDENTITY_MAX, &err));
	*state = tasks;
	return 0;
}

static int teardown(void **state)
{
	struct peer_tasks *tasks = *state;

	peer_tasks_destroy(&tasks);
	assert_null(tasks);
	peer_tasks_destroy(&tasks); /* nothing more to do */
	return 0;
}

static struct peer_name name_of(const char *id)
{
	return (struct peer_name){PEER_TASK, TEXT("writer"), text_of(id)};
}

static bool is_known(struct peer_tasks *tasks, const char *id, const struct task *task)
{
	struct peer_name name = name_of(id);

	return peer_tasks_find(tasks, &name, task).data != NULL;
}

static void note(struct peer_tasks *tasks, const char *id, const struct task *task)
{
	struct peer_name name = name_of(id);

	assert_true(peer_tasks_note(tasks, &name, task, TEXT("summarise")));
}

static void what_was_not_noted_is_nobodys(void **state)
{
	static char long_id[2000];
	struct peer_name name = name_of("");

	assert_false(is_known(*state, "one", &root));
	assert_false(is_known(*state, "", &root));
	assert_false(peer_tasks_note(*state, &name, &root, TEXT("s")));
	name.id = (struct text){long_id, sizeof long_id};
	assert_false(peer_tasks_note(*state, &name, &root, TEXT("s")));
}

static void it_belongs_to_its_identity_within_its_tree(void **state)
{
	struct peer_name name = name_of("one");

	note(*state, "one", &below);
	assert_true(is_known(*state, "one", &root));
	assert_true(is_known(*state, "one", &below));
	assert_false(is_known(*state, "one", &elsewhere));
	assert_false(is_known(*state, "one", &of_another));
	assert_true(text_is(peer_tasks_find(*state, &name, &root), "summarise"));
	name.thing = PEER_CONTEXT;
	assert_null(peer_tasks_find(*state, &name, &root).data);
	name = (struct peer_name){PEER_TASK, TEXT("other"), TEXT("one")};
	assert_null(peer_tasks_find(*state, &name, &root).data);
}

/* A peer that says the id of another's task does not give it away. */
static void what_is_known_stays_whose_it_is(void **state)
{
	note(*state, "one", &root);
	note(*state, "one", &of_another);
	assert_true(is_known(*state, "one", &root));
	assert_false(is_known(*state, "one", &of_another));
	assert_int_equal(peer_tasks_count(*state), 1);
}

static void the_oldest_of_the_same_identity_gives_way(void **state)
{
	char id[8];

	note(*state, "other", &of_another);
	for (int i = 0; i <= OF_IDENTITY_MAX; i++) {
		(void)snprintf(id, sizeof id, "%d", i);
		note(*state, id, &root);
		assert_true(is_known(*state, "0", &root) == (i < OF_IDENTITY_MAX));
	}
	assert_true(is_known(*state, "1", &root));
	assert_true(is_known(*state, "other", &of_another));
	assert_int_equal(peer_tasks_count(*state), OF_IDENTITY_MAX + 1);
}

static void of_all_the_oldest_gives_way(void **state)
{
	char id[8], who[8];

	for (int i = 0; i <= COUNT_MAX; i++) {
		struct task task = {.id = TEXT("t-x")};

		(void)snprintf(id, sizeof id, "%d", i);
		(void)snprintf(who, sizeof who, "i%d", i);
		task.identity = text_of(who);
		note(*state, id, &task);
		assert_true(peer_tasks_count(*state) <= COUNT_MAX);
	}
	assert_int_equal(peer_tasks_count(*state), COUNT_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_not_noted_is_nobodys),
		TEST(it_belongs_to_its_identity_within_its_tree),
		TEST(what_is_known_stays_whose_it_is),
		TEST(the_oldest_of_the_same_identity_gives_way),
		TEST(of_all_the_oldest_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
