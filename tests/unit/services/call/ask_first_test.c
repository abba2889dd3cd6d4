/* People are asked about a call before it is made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/call_bench.h"

struct asking_one {
	struct call_bench bench;
	struct bench_client client;
	struct call_first first;
	unsigned answers;
};

static int setup(void **state)
{
	static struct asking_one asking;

	memset(&asking, 0, sizeof asking);
	call_bench_init(&asking.bench, 0);
	*state = &asking;
	return 0;
}

static int teardown(void **state)
{
	call_bench_deinit(&((struct asking_one *)*state)->bench);
	return 0;
}

/* A task of the agent for these details. */
static void open_for(struct asking_one *asking, const char *task, const char *details)
{
	struct json value;
	struct error err = {0};

	assert_true(json_parse(
		&value, asking->bench.world.arena, text_of(details), &json_limits_default, &err));
	decide_bench_open_task_for(&asking->bench.world, task, "", &value);
}

static void open_write(struct asking_one *asking, const char *task)
{
	open_for(asking, task,
		"[{\"type\":\"remit_tool\",\"tool\":\"files/write\","
		"\"arguments\":{\"amount\":[100]}}]");
}

static void on_first(struct call_first *first)
{
	++*(unsigned *)first->context;
}

static enum call_first_answer ask(struct asking_one *asking, const char *task)
{
	asking->answers = 0;
	asking->first = (struct call_first){.task = text_of(task),
		.message = TEXT("The invoice of May"),
		.context = &asking->answers,
		.done = on_first};
	call_ask_first(asking->bench.call, &asking->first);
	call_bench_flush(&asking->bench);
	assert_int_equal(asking->answers, 1);
	return asking->first.answer;
}

static enum call_reply_kind call(struct asking_one *asking, const char *task, const char *arguments)
{
	struct text params = text_format(
		asking->bench.scratch, "{\"name\":\"write\",\"arguments\":%s}", arguments);

	assert_true(call_bench_start_method(
		&asking->bench, &asking->client, task, "tools/call", params.data));
	call_bench_ready(&asking->bench, true);
	call_bench_answer(&asking->bench, "{}");
	call_bench_flush(&asking->bench);
	return asking->client.kind;
}

static void a_task_that_is_not_for_one_call_asks_nobody(void **state)
{
	struct asking_one *asking = *state;

	open_for(asking, "t-any", "[{\"type\":\"remit_tool\",\"tool\":\"files/write\"}]");
	assert_int_equal(ask(asking, "t-none"), CALL_FIRST_FAILED);
	assert_int_equal(ask(asking, "t-1"), CALL_FIRST_FAILED);
	assert_int_equal(ask(asking, "t-any"), CALL_FIRST_FAILED);
	assert_int_equal(asking->first.err.code, ERROR_INVALID);
	assert_int_equal(call_bench_records(&asking->bench, "approval-asked"), 0);
}

static void what_the_rules_refuse_or_let_through_is_not_asked(void **state)
{
	struct asking_one *asking = *state;

	open_for(asking, "t-list",
		"[{\"type\":\"remit_tool\",\"tool\":\"files/list\",\"arguments\":{}}]");
	open_for(asking, "t-nothing",
		"[{\"type\":\"remit_tool\",\"tool\":\"files/nothing\",\"arguments\":{}}]");
	assert_int_equal(ask(asking, "t-list"), CALL_FIRST_ALLOWED);
	assert_int_equal(ask(asking, "t-nothing"), CALL_FIRST_REFUSED);
	assert_true(strlen(asking->first.err.text) > 0);
	assert_int_equal(call_bench_records(&asking->bench, "approval-asked"), 0);
	assert_int_equal(asking->bench.started, 0);
}

static void a_question_that_is_not_durable_was_not_asked(void **state)
{
	struct asking_one *asking = *state;

	open_write(asking, "t-write");
	asking->bench.log.refuses = true;
	assert_int_equal(ask(asking, "t-write"), CALL_FIRST_FAILED);
	asking->bench.log.refuses = false;
	asking->bench.seal_fails = true;
	assert_int_equal(ask(asking, "t-write"), CALL_FIRST_FAILED);
}

static void a_yes_opens_that_call_of_that_task_once(void **state)
{
	struct asking_one *asking = *state;

	open_write(asking, "t-write");
	open_write(asking, "t-twin");
	assert_int_equal(ask(asking, "t-write"), CALL_FIRST_ASKED);
	assert_int_equal(asking->bench.started, 0);
	assert_true(call_bench_approve(&asking->bench, asking->first.approval, "ana", true));
	/* Neither another call, nor the same of another task. */
	assert_int_equal(call(asking, "t-write", "{\"amount\":101}"), CALL_REFUSED);
	assert_int_equal(call(asking, "t-twin", "{\"amount\":100}"), CALL_ASKED);
	assert_int_equal(call(asking, "t-write", "{\"amount\":100}"), CALL_RESULT);
	assert_int_equal(asking->bench.started, 1);
	assert_int_equal(call(asking, "t-write", "{\"amount\":100}"), CALL_ASKED);
	assert_int_equal(asking->bench.started, 1);
}

static void a_no_opens_nothing(void **state)
{
	struct asking_one *asking = *state;

	open_write(asking, "t-write");
	assert_int_equal(ask(asking, "t-write"), CALL_FIRST_ASKED);
	assert_true(call_bench_approve(&asking->bench, asking->first.approval, "ana", false));
	assert_int_not_equal(call(asking, "t-write", "{\"amount\":100}"), CALL_RESULT);
	assert_int_equal(asking->bench.started, 0);
}

static void who_was_asked_before_the_call_is_not_asked_again_by_it(void **state)
{
	struct asking_one *asking = *state;

	open_write(asking, "t-write");
	assert_int_equal(ask(asking, "t-write"), CALL_FIRST_ASKED);
	assert_int_equal(call(asking, "t-write", "{\"amount\":100}"), CALL_ASKED);
	assert_string_equal(asking->client.approval, asking->first.approval);
	assert_int_equal(call_bench_records(&asking->bench, "approval-asked"), 1);
}

int main(void)
{
#define FIRST_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		FIRST_TEST(a_task_that_is_not_for_one_call_asks_nobody),
		FIRST_TEST(what_the_rules_refuse_or_let_through_is_not_asked),
		FIRST_TEST(a_question_that_is_not_durable_was_not_asked),
		FIRST_TEST(a_yes_opens_that_call_of_that_task_once),
		FIRST_TEST(a_no_opens_nothing),
		FIRST_TEST(who_was_asked_before_the_call_is_not_asked_again_by_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
