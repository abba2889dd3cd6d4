/* Metrics and their text. */
#include "base/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { DECISIONS, TASKS, LATENCY, COUNT };

static const char *const verdicts[] = {"allow", "deny", NULL};
static const struct metric_definition table[COUNT] = {
	[DECISIONS] = {"remit_decisions_total", "Decisions made.", METRIC_COUNTER, "verdict",
		verdicts},
	[TASKS] = {"remit_open_tasks", "Open tasks.", METRIC_GAUGE, NULL, NULL},
	[LATENCY] = {"remit_decide_seconds", "Time to decide.", METRIC_HISTOGRAM, NULL, NULL},
};

static int setup(void **state)
{
	struct error err = {0};

	return metrics_create((struct metrics **)state, table, COUNT, &err) ? 0 : -1;
}

static int teardown(void **state)
{
	metrics_destroy((struct metrics **)state);
	assert_null(*state);
	return 0;
}

static void nothing_counted_is_zero(void **state)
{
	assert_true(metrics_value(*state, DECISIONS, 1) == 0);
	assert_true(metrics_value(*state, TASKS, 0) == 0);
	assert_true(metrics_value(*state, LATENCY, 0) == 0);
}

static void series_are_counted_apart(void **state)
{
	metrics_add(*state, DECISIONS, 0, 3);
	metrics_add(*state, DECISIONS, 1, 1);
	metrics_set(*state, TASKS, 0, 5);
	metrics_set(*state, TASKS, 0, -2);
	assert_true(metrics_value(*state, DECISIONS, 0) == 3);
	assert_true(metrics_value(*state, DECISIONS, 1) == 1);
	assert_true(metrics_value(*state, TASKS, 0) == -2);
}

static void has_line(const struct buffer *out, const char *line)
{
	if (strstr(out->data, line) == NULL)
		fail_msg("missing: %s in\n%s", line, out->data);
}

static void the_text_is_that_of_prometheus(void **state)
{
	struct buffer out;

	metrics_add(*state, DECISIONS, 1, 2);
	metrics_observe_ns(*state, LATENCY, 0, 50000);
	metrics_observe_ns(*state, LATENCY, 0, 50001);
	metrics_observe_ns(*state, LATENCY, 0, 11000000000);
	buffer_init(&out, 100000);
	metrics_format(*state, &out);
	buffer_append_byte(&out, '\0');
	assert_false(buffer_failed(&out));
	has_line(&out, "# HELP remit_decisions_total Decisions made.\n"
		       "# TYPE remit_decisions_total counter\n"
		       "remit_decisions_total{verdict=\"allow\"} 0\n"
		       "remit_decisions_total{verdict=\"deny\"} 2\n");
	has_line(&out, "# TYPE remit_open_tasks gauge\nremit_open_tasks 0\n");
	has_line(&out, "# TYPE remit_decide_seconds histogram\n"
		       "remit_decide_seconds_bucket{le=\"0.00005\"} 1\n"
		       "remit_decide_seconds_bucket{le=\"0.0001\"} 2\n");
	has_line(&out, "remit_decide_seconds_bucket{le=\"10\"} 2\n"
		       "remit_decide_seconds_bucket{le=\"+Inf\"} 3\n"
		       "remit_decide_seconds_sum 11.000100001\n"
		       "remit_decide_seconds_count 3\n");
	buffer_deinit(&out);
}

#define METRICS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		METRICS_TEST(nothing_counted_is_zero),
		METRICS_TEST(series_are_counted_apart),
		METRICS_TEST(the_text_is_that_of_prometheus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
