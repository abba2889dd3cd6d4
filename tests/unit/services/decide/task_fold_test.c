#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/decide/decide_service.h"
#include "support/fake_log.h"
#include "support/memory_store.h"

/* What the rows of the store keep of tasks, when rows are all there is. */

struct fixture {
	struct fake_log log;
	struct memory_store *store;
	struct fold *fold;
	struct task_table *tasks;
};

static void make_table(struct fixture *fixture)
{
	const struct fold_log port = fake_log_port(&fixture->log);
	struct error err;

	assert_true(task_table_create(&fixture->tasks, 100, &err));
	assert_true(fold_create(&fixture->fold, &port, NULL, &err));
	assert_true(task_fold_register(fixture->fold, fixture->tasks, &err));
}

static int setup(void **state)
{
	static struct fixture fixture;

	fake_log_init(&fixture.log);
	fixture.store = memory_store_create();
	make_table(&fixture);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	fold_destroy(&fixture->fold);
	task_table_destroy(&fixture->tasks);
	memory_store_destroy(&fixture->store);
	fake_log_deinit(&fixture->log);
	return 0;
}

static void append(struct fixture *fixture, const char *entry)
{
	fake_log_append(&fixture->log, text_of(entry));
}

/* A new table that hears of the store's rows alone. */
static void start_again(struct fixture *fixture)
{
	const struct store store = memory_store_port(fixture->store);
	const struct projector_log log = fake_log_reader(&fixture->log);
	struct error err;
	bool was_rebuilt;

	assert_true(projector_catch_up(fixture->fold, &store, &log, &was_rebuilt, &err));
	fold_destroy(&fixture->fold);
	task_table_destroy(&fixture->tasks);
	make_table(fixture);
	assert_true(projector_catch_up(fixture->fold, &store, &log, &was_rebuilt, &err));
}

static const char parent_opened[] =
	"{\"at\":1,\"charter-version\":1,\"deadline\":1900000000000,"
	"\"environment\":\"staging\",\"identity\":\"agent\",\"identity-epoch\":0,"
	"\"task\":\"t-1\",\"type\":\"task-opened\"}";
static const char child_opened[] =
	"{\"at\":2,\"charter-version\":1,\"deadline\":1900000000000,"
	"\"environment\":\"staging\",\"identity\":\"agent\",\"identity-epoch\":0,"
	"\"parent\":\"t-1\",\"parent-epoch\":0,\"task\":\"t-2\",\"type\":\"task-opened\"}";
static const char child_reads[] =
	"{\"at\":3,\"chain\":[\"t-2\",\"t-1\"],\"sensitivity\":\"confidential\","
	"\"task\":\"t-2\",\"tool\":\"m/one\",\"type\":\"decision\",\"untrusted\":true,"
	"\"verdict\":\"allow\"}";
static const char child_reads_again[] =
	"{\"at\":3,\"chain\":[\"t-2\",\"t-1\"],\"sensitivity\":\"confidential\","
	"\"task\":\"t-2\",\"tool\":\"m/two\",\"type\":\"decision\",\"untrusted\":true,"
	"\"verdict\":\"allow\"}";
static const char child_ended[] =
	"{\"at\":4,\"identity\":\"agent\",\"state\":\"ended\",\"task\":\"t-2\","
	"\"type\":\"task-ended\"}";

static void what_a_child_read_stays_with_its_parent_when_the_child_has_ended(void **state)
{
	struct fixture *fixture = *state;
	const struct task *parent;

	append(fixture, parent_opened);
	append(fixture, child_opened);
	append(fixture, child_reads);
	append(fixture, child_reads_again);
	append(fixture, child_ended);
	start_again(fixture);
	assert_null(task_find(fixture->tasks, TEXT("t-2")));
	parent = task_find(fixture->tasks, TEXT("t-1"));
	assert_non_null(parent);
	assert_int_equal(parent->label, SENSITIVITY_CONFIDENTIAL);
	assert_true(parent->has_untrusted_content);
	assert_int_equal(task_label_source(parent).record, 2);
	assert_true(text_is(task_label_source(parent).tool, "m/one"));
	assert_int_equal(task_untrusted_source(parent).record, 2);
	assert_true(text_is(task_untrusted_source(parent).tool, "m/one"));
}

static void what_a_task_read_stays_with_it(void **state)
{
	struct fixture *fixture = *state;
	const struct task *child;

	append(fixture, parent_opened);
	append(fixture, child_opened);
	append(fixture, child_reads);
	start_again(fixture);
	child = task_find(fixture->tasks, TEXT("t-2"));
	assert_non_null(child);
	assert_int_equal(child->label, SENSITIVITY_CONFIDENTIAL);
	assert_true(child->has_untrusted_content);
	assert_int_equal(child->parent->label, SENSITIVITY_CONFIDENTIAL);
}

static void the_child_of_a_task_that_ended_is_not_revived(void **state)
{
	struct fixture *fixture = *state;

	append(fixture, parent_opened);
	append(fixture, child_opened);
	append(fixture, "{\"at\":4,\"identity\":\"agent\",\"state\":\"ended\",\"task\":\"t-1\","
			"\"type\":\"task-ended\"}");
	start_again(fixture);
	assert_false(task_is_live(task_find(fixture->tasks, TEXT("t-2")), 10));
}

static void kills_of_every_node_are_kept_by_the_rows(void **state)
{
	struct fixture *fixture = *state;
	const struct task *first;

	append(fixture, parent_opened);
	append(fixture, "{\"at\":2,\"charter-version\":1,\"deadline\":1900000000000,"
			"\"environment\":\"staging\",\"identity\":\"b\",\"identity-epoch\":0,"
			"\"instance\":\"pod-1\",\"instance-epoch\":0,\"task\":\"t-3\","
			"\"type\":\"task-opened\",\"unit\":\"sales\",\"unit-epoch\":0}");
	append(fixture, "{\"at\":4,\"epoch\":1,\"identity\":\"agent\",\"target\":\"token\","
			"\"task\":\"t-1\",\"token\":\"one\",\"type\":\"kill\"}");
	append(fixture, "{\"at\":4,\"epoch\":1,\"target\":\"unit\",\"type\":\"kill\","
			"\"unit\":\"support\"}");
	append(fixture, "{\"at\":4,\"epoch\":1,\"identity\":\"b\",\"instance\":\"pod-1\","
			"\"target\":\"instance\",\"type\":\"kill\"}");
	start_again(fixture);
	first = task_find(fixture->tasks, TEXT("t-1"));
	assert_true(task_is_live(first, 10));
	assert_true(task_token_is_revoked(first, TEXT("one")));
	assert_int_equal(task_unit_epoch(fixture->tasks, TEXT("support")), 1);
	assert_int_equal(task_identity_epoch(fixture->tasks, TEXT("b")), 0);
	assert_int_equal(task_instance_epoch(fixture->tasks, TEXT("b"), TEXT("pod-1")), 1);
	assert_false(task_is_live(task_find(fixture->tasks, TEXT("t-3")), 10));
}

static const char child_takes[] =
	"{\"at\":3,\"chain\":[\"t-2\",\"t-1\"],\"takes\":[{\"identity\":\"agent\",\"line\":4}],"
	"\"task\":\"t-2\",\"type\":\"decision\",\"verdict\":\"allow\"}";

static void what_was_used_of_lines_stays_with_the_first_task_until_it_ends(void **state)
{
	static const struct line_key key = {{"t-1", 3}, {"agent", 5}, 4};
	struct fixture *fixture = *state;

	append(fixture, parent_opened);
	append(fixture, child_opened);
	for (int i = 0; i < 12; i++) /* rows with more than one digit, too */
		append(fixture, child_takes);
	append(fixture, child_ended);
	start_again(fixture);
	assert_int_equal(task_line_used(fixture->tasks, &key), 12);
	append(fixture, "{\"at\":4,\"identity\":\"agent\",\"state\":\"ended\",\"task\":\"t-1\","
			"\"type\":\"task-ended\"}");
	start_again(fixture);
	assert_int_equal(task_line_used(fixture->tasks, &key), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_a_child_read_stays_with_its_parent_when_the_child_has_ended, setup,
			teardown),
		cmocka_unit_test_setup_teardown(what_a_task_read_stays_with_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_was_used_of_lines_stays_with_the_first_task_until_it_ends, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			the_child_of_a_task_that_ended_is_not_revived, setup, teardown),
		cmocka_unit_test_setup_teardown(
			kills_of_every_node_are_kept_by_the_rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
