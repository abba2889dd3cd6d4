/* How long decisions took is taken when there is something to say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/measure/decision_times.h"
#include "support/call_bench.h"

struct bench {
	struct call_bench calls;
	struct fake_log log;
	struct fold *fold;
	struct measure_service *measures;
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct fold_log port;
	struct error err = {0};

	assert_non_null(bench);
	call_bench_init(&bench->calls, 0);
	fake_log_init(&bench->log);
	bench->log.now_utc_ms = 1700000000000;
	port = fake_log_port(&bench->log);
	assert_true(fold_create(&bench->fold, &port, bench->calls.loop, &err));
	assert_true(measure_service_create(&bench->measures, bench->fold, &err));
	assert_true(fold_finish_loading(bench->fold, &err));
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	fold_destroy(&bench->fold);
	measure_service_destroy(&bench->measures);
	fake_log_deinit(&bench->log);
	call_bench_deinit(&bench->calls);
	free(bench);
	return 0;
}

static struct measure_stand take(struct bench *bench)
{
	struct error err = {0};

	if (!measure_decision_times(
		    bench->measures, bench->calls.decide, bench->log.now_utc_ms, &err))
		fail_msg("%s", err.text);
	return measure_stand(bench->measures, MEASURE_DECISION_TIME);
}

static void call(struct bench *bench, const char *tool)
{
	struct bench_client client;

	assert_true(call_bench_start(&bench->calls, &client, tool, "{}"));
}

static void where_nothing_was_decided_nothing_is_taken(void **state)
{
	assert_int_equal(take(*state).kept, 0);
}

/* How long it took depends on the machine; that it took some time does not. */
static void decisions_of_low_risk_are_measured_and_counted_anew(void **state)
{
	struct bench *bench = *state;
	struct measure_stand stand;

	call(bench, "list");
	call(bench, "list");
	call(bench, "run"); /* of another risk */
	stand = take(bench);
	assert_int_equal(stand.kept, 1);
	assert_int_equal(stand.samples, 2);
	assert_true(stand.value >= 10);
	assert_int_equal(take(bench).kept, 1); /* and none since then */
}

static void of_another_risk_alone_nothing_is_taken(void **state)
{
	struct bench *bench = *state;

	call(bench, "run");
	assert_int_equal(take(bench).kept, 0);
}

static void where_it_is_quiet_it_is_said_twice_a_day(void **state)
{
	struct bench *bench = *state;
	struct measure_stand stand;

	call(bench, "list");
	assert_int_equal(take(bench).kept, 1);
	bench->log.now_utc_ms += DECISION_TIMES_IDLE_MS - 1000;
	assert_int_equal(take(bench).kept, 1);
	bench->log.now_utc_ms += 1000;
	stand = take(bench);
	assert_int_equal(stand.kept, 2);
	assert_int_equal(stand.value, 0);
	assert_int_equal(stand.samples, 0);
}

static void what_could_not_be_taken_goes_on_being_counted(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	call(bench, "list");
	bench->log.refuses = true;
	assert_false(measure_decision_times(
		bench->measures, bench->calls.decide, bench->log.now_utc_ms, &err));
	bench->log.refuses = false;
	call(bench, "list");
	assert_int_equal(take(bench).samples, 2);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(where_nothing_was_decided_nothing_is_taken),
		CASE(decisions_of_low_risk_are_measured_and_counted_anew),
		CASE(of_another_risk_alone_nothing_is_taken),
		CASE(where_it_is_quiet_it_is_said_twice_a_day),
		CASE(what_could_not_be_taken_goes_on_being_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
