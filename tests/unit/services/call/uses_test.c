/* Lines that let through so many calls of a task, when calls are under way, lost, or judged
 * again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "services/call/exchange.h"
#include "support/call_bench.h"

static int setup(void **state)
{
	static struct call_bench bench;

	call_bench_init(&bench, 5000);
	decide_bench_edit(&bench.world, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list, uses: 2}");
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	call_bench_deinit(*state);
	return 0;
}

/* One call to its end. */
static enum reason list(struct call_bench *bench)
{
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "list", "{}"));
	if (client.replies == 0) {
		call_bench_ready(bench, true);
		call_bench_answer(bench, "{}");
	}
	call_bench_flush(bench);
	assert_int_equal(client.replies, 1);
	return client.reason;
}

static void so_many_calls_go_and_no_more(void **state)
{
	struct call_bench *bench = *state;

	assert_int_equal(list(bench), REASON_ALLOWED);
	assert_non_null(strstr(call_bench_last(bench, "decision"),
		"\"takes\":[{\"identity\":\"agent\",\"line\":2}]"));
	assert_null(strstr(call_bench_last(bench, "decision"), "\"uses\":"));
	assert_int_equal(list(bench), REASON_ALLOWED);
	assert_non_null(strstr(call_bench_last(bench, "decision"),
		"\"takes\":[{\"identity\":\"agent\",\"line\":2,\"used\":1}]"));
	assert_int_equal(list(bench), REASON_ENTITLEMENT_USED);
	assert_non_null(strstr(call_bench_last(bench, "decision"),
		"\"uses\":[{\"identity\":\"agent\",\"line\":2,\"used\":2}]"));
	assert_null(strstr(call_bench_last(bench, "decision"), "\"takes\":"));
	assert_int_equal(bench->started, 2);
}

static void another_task_begins_anew_and_one_below_does_not(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	decide_bench_open_task(&bench->world, "t-other", "agent", ENVIRONMENT_STAGING, "");
	decide_bench_open_task(&bench->world, "t-below", "agent", ENVIRONMENT_STAGING, "t-1");
	assert_int_equal(list(bench), REASON_ALLOWED);
	assert_int_equal(list(bench), REASON_ALLOWED);
	assert_true(call_bench_start_method(
		bench, &client, "t-below", "tools/call", "{\"name\":\"list\",\"arguments\":{}}"));
	assert_int_equal(client.reason, REASON_ENTITLEMENT_USED);
	assert_true(call_bench_start_method(
		bench, &client, "t-other", "tools/call", "{\"name\":\"list\",\"arguments\":{}}"));
	assert_int_equal(client.replies, 0);
	call_bench_abort(&client);
}

static void of_calls_at_once_only_as_many_take_what_is_left(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client clients[3];

	bench->is_log_held = true;
	for (int i = 0; i < 3; i++)
		assert_true(call_bench_start(bench, &clients[i], "list", "{}"));
	bench->is_log_held = false;
	call_bench_flush(bench);
	assert_int_equal(call_figures(bench->call).allowed, 2);
	assert_int_equal(clients[2].reason, REASON_ENTITLEMENT_USED);
	for (int i = 0; i < 2; i++)
		if (clients[i].replies == 0)
			call_bench_abort(&clients[i]);
	call_bench_flush(bench);
	/* Let through is used, whatever became of it. */
	assert_int_equal(list(bench), REASON_ENTITLEMENT_USED);
}

static void what_a_lost_record_held_is_given_back(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	for (int fault = 0; fault < 4; fault++) {
		bench->log.refuses = fault == 0;
		bench->log.loses = fault == 1;
		bench->digest_fails = fault == 2;
		bench->seal_fails = fault == 3;
		assert_true(call_bench_start(bench, &client, "list", "{}"));
		call_bench_pump(bench);
		assert_int_equal(client.kind, CALL_REFUSED);
		assert_false(client.is_recorded);
	}
	bench->seal_fails = false;
	assert_int_equal(call_figures(bench->call).in_flight, 0);
	assert_int_equal(list(bench), REASON_ALLOWED);
	assert_int_equal(list(bench), REASON_ALLOWED);
	assert_int_equal(list(bench), REASON_ENTITLEMENT_USED);
}

static void one_that_went_away_before_its_record_counts_once(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	bench->is_log_held = true;
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	call_bench_abort(&client);
	bench->is_log_held = false;
	call_bench_flush(bench);
	assert_int_equal(list(bench), REASON_ALLOWED);
	assert_int_equal(list(bench), REASON_ENTITLEMENT_USED);
}

static const char harmless_yaml[] = "object: policy\nname: org/more\ntext: |\n"
				    "  forbid (principal, action == Action::\"execute\", "
				    "resource);\n";

static void a_call_that_is_judged_again_does_not_count_against_itself(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_int_equal(list(bench), REASON_ALLOWED);
	/* Before its record is durable, and after: the last use is its own. */
	bench->is_log_held = true;
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	assert_true(decide_bench_put(&bench->world, harmless_yaml));
	bench->is_log_held = false;
	call_bench_flush(bench);
	assert_int_equal(client.replies, 0);
	assert_true(decide_bench_put(&bench->world, harmless_yaml));
	call_bench_ready(bench, true);
	assert_int_equal(bench->started, 2);
	call_bench_answer(bench, "{}");
	assert_int_equal(client.reason, REASON_ALLOWED);
}

static void a_charter_that_got_uses_under_way_lets_no_call_go_uncounted(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	decide_bench_edit(&bench->world, "agent", "name: agent\n", "name: agent\n");
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	decide_bench_edit(&bench->world, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list, uses: 9}");
	call_bench_ready(bench, true);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(client.reason, REASON_ENTITLEMENT_USED);
	assert_int_equal(bench->started, 0);
	assert_int_equal(list(bench), REASON_ALLOWED);
}

/* Decided again, a call is among those of its minute; that is no reason to count it nowhere. */
static void nor_does_one_go_so_that_fills_its_minute(void **state)
{
#define REST                                                                                       \
	"  - {effect: execute, tool: files/run}\n  - {effect: write, tool: files/mail}\n"          \
	"  - {effect: read, tool: files/resources.read}\n  - {effect: read, tool: other/peek}\n"   \
	"limits: {task: 15m, calls-per-minute: "
	struct call_bench *bench = *state;
	struct bench_client client;

	decide_bench_edit(&bench->world, "agent", "calls-per-minute: 60", "calls-per-minute: 1");
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	decide_bench_edit(&bench->world, "agent", "files/list}\n" REST "60}",
		"files/list, uses: 9}\n" REST "1}");
	call_bench_ready(bench, true);
	assert_int_equal(client.reason, REASON_ENTITLEMENT_USED);
	assert_int_equal(bench->started, 0);
#undef REST
}

static void a_new_version_of_the_charter_goes_on_counting(void **state)
{
	struct call_bench *bench = *state;

	assert_int_equal(list(bench), REASON_ALLOWED);
	decide_bench_edit(&bench->world, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list, uses: 1}");
	assert_int_equal(list(bench), REASON_ENTITLEMENT_USED);
}

static void an_approved_call_takes_one_and_its_question_none(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	decide_bench_edit(&bench->world, "agent", "{effect: write, tool: files/write,",
		"{effect: write, tool: files/write, uses: 1,");
	for (int i = 0; i < 2; i++) {
		assert_true(call_bench_start(bench, &client, "write", "{}"));
		call_bench_wait(bench, 6000);
		assert_int_equal(client.kind, i == 0 ? CALL_ASKED : CALL_REFUSED);
		if (i == 1)
			break;
		assert_null(strstr(call_bench_last(bench, "decision"), "\"takes\":"));
		assert_true(call_bench_approve(bench, client.approval, "ana", true));
		assert_true(call_bench_start(bench, &client, "write", "{}"));
		call_bench_ready(bench, true);
		call_bench_answer(bench, "{}");
		assert_int_equal(client.reason, REASON_ALLOWED);
	}
	/* Nobody is asked about what no answer would open. */
	assert_int_equal(client.reason, REASON_ENTITLEMENT_USED);
}

#define CALL_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CALL_TEST(so_many_calls_go_and_no_more),
		CALL_TEST(another_task_begins_anew_and_one_below_does_not),
		CALL_TEST(of_calls_at_once_only_as_many_take_what_is_left),
		CALL_TEST(what_a_lost_record_held_is_given_back),
		CALL_TEST(one_that_went_away_before_its_record_counts_once),
		CALL_TEST(a_call_that_is_judged_again_does_not_count_against_itself),
		CALL_TEST(a_charter_that_got_uses_under_way_lets_no_call_go_uncounted),
		CALL_TEST(nor_does_one_go_so_that_fills_its_minute),
		CALL_TEST(a_new_version_of_the_charter_goes_on_counting),
		CALL_TEST(an_approved_call_takes_one_and_its_question_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
