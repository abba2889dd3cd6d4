/* What was measured, by records: kept over starts, and no more than there is room for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/measure/measure.h"
#include "support/fake_log.h"

static const int64_t NOW_UTC_MS = INT64_C(1700000000) * 1000;

struct bench {
	struct fake_log log;
	struct loop *loop;
	struct fold *fold;
	struct measure_service *measures;
};

static void open_service(struct bench *bench)
{
	struct fold_log port = fake_log_port(&bench->log);
	struct error err = {0};

	assert_true(fold_create(&bench->fold, &port, bench->loop, &err));
	assert_true(measure_service_create(&bench->measures, bench->fold, &err));
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err = {0};

	assert_non_null(bench);
	fake_log_init(&bench->log);
	bench->log.now_utc_ms = NOW_UTC_MS;
	assert_true(loop_create(&bench->loop, &err));
	open_service(bench);
	assert_true(fold_finish_loading(bench->fold, &err));
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	fold_destroy(&bench->fold);
	measure_service_destroy(&bench->measures);
	loop_destroy(&bench->loop);
	fake_log_deinit(&bench->log);
	free(bench);
	return 0;
}

static bool take(struct bench *bench, int64_t value, struct error *err)
{
	const struct measure_taken taken = {
		.measure = MEASURE_KILL_TIME, .value = value, .samples = 3};

	return measure_take(bench->measures, &taken, err);
}

static void must_take(struct bench *bench, int64_t value)
{
	struct error err = {0};

	if (!take(bench, value, &err))
		fail_msg("%s", err.text);
}

static struct measure_stand stand(const struct bench *bench)
{
	return measure_stand(bench->measures, MEASURE_KILL_TIME);
}

static void what_was_never_taken_is_not_over(void **state)
{
	assert_int_equal(stand(*state).kept, 0);
	assert_int_equal(stand(*state).taken_utc_ms, 0);
	assert_false(stand(*state).is_over);
}

static void at_the_most_it_holds_and_above_it_does_not(void **state)
{
	struct bench *bench = *state;

	must_take(bench, measure_most(MEASURE_KILL_TIME));
	assert_false(stand(bench).is_over);
	assert_int_equal(stand(bench).samples, 3);
	assert_int_equal(stand(bench).taken_utc_ms, NOW_UTC_MS);
	must_take(bench, measure_most(MEASURE_KILL_TIME) + 1);
	assert_true(stand(bench).is_over);
	assert_int_equal(stand(bench).kept, 2);
}

/* What is on its way may be lost. */
static void it_counts_once_it_is_durable(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	bench->log.is_held = true;
	must_take(bench, 7);
	assert_int_equal(stand(bench).kept, 0);
	assert_false(take(bench, 8, &err)); /* would have the same place */
	assert_int_equal(err.code, ERROR_CONFLICT);
	fake_log_flush(&bench->log);
	assert_int_equal(stand(bench).kept, 1);
	bench->log.is_held = false;
	must_take(bench, 8);
	assert_int_equal(stand(bench).kept, 2);
}

static void what_is_lost_does_not_count_and_another_is_taken(void **state)
{
	struct bench *bench = *state;

	bench->log.loses = true;
	must_take(bench, 7);
	bench->log.loses = false;
	assert_int_equal(stand(bench).kept, 0);
	must_take(bench, 9);
	assert_int_equal(stand(bench).value, 9);
}

static void what_is_no_measure_is_refused(void **state)
{
	struct bench *bench = *state;
	const struct measure_taken none = {.value = 1};
	struct error err = {0};

	assert_false(take(bench, -1, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_false(measure_take(bench->measures, &none, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_int_equal(bench->log.count, 0);
}

static void details_are_bounded(void **state)
{
	struct bench *bench = *state;
	struct arena *arena = arena_create(64 * 1024);
	char text[MEASURE_DETAILS_BYTES_MAX + 2];
	struct json_builder object;
	struct json details;
	struct error err = {0};

	memset(text, 'x', sizeof text);
	for (int over = 0; over <= 1; over++) {
		struct measure_taken taken = {.measure = MEASURE_KILL_TIME, .details = &details};
		/* {"a":"..."} */
		struct text value = {text, MEASURE_DETAILS_BYTES_MAX - 8 + (size_t)over};

		json_object_start(&object, arena);
		json_put_text(&object, "a", value);
		assert_true(json_object_seal(&object, &details, &err));
		assert_true(measure_take(bench->measures, &taken, &err) == (over == 0));
	}
	assert_int_equal(err.code, ERROR_LIMIT);
	arena_destroy(&arena);
}

static void replay_log(struct bench *bench, size_t from)
{
	struct error err = {0};

	fold_destroy(&bench->fold);
	measure_service_destroy(&bench->measures);
	open_service(bench);
	for (size_t i = from; i < bench->log.count; i++)
		assert_true(fold_apply_entry(
			bench->fold, bench->log.entries[i].entry, TEXT(""), i, &err));
	assert_true(fold_finish_loading(bench->fold, &err));
}

/* The rows of the store are those of the last MEASURES_KEPT: a start has no more than them. */
static void a_start_knows_what_was_kept_and_goes_on(void **state)
{
	struct bench *bench = *state;

	must_take(bench, INT64_MAX / 2);
	must_take(bench, INT64_MAX / 2);
	assert_true(stand(bench).is_over);
	for (int i = 0; i < MEASURES_KEPT; i++)
		must_take(bench, i);
	assert_int_equal(stand(bench).kept, MEASURES_KEPT);
	assert_int_equal(stand(bench).value, MEASURES_KEPT - 2);
	replay_log(bench, 2);
	assert_int_equal(stand(bench).kept, MEASURES_KEPT);
	assert_int_equal(stand(bench).value, MEASURES_KEPT - 2);
	must_take(bench, 500);
	must_take(bench, 500);
	assert_int_equal(stand(bench).kept, MEASURES_KEPT);
	assert_int_equal(stand(bench).value, 500);
}

static void of_another_measure_or_place_a_record_means_nothing(void **state)
{
	struct bench *bench = *state;
	static const char *const strange[] = {
		"{\"actor\":\"remit\",\"at\":1,\"measure\":\"no-such\",\"place\":0,"
		"\"type\":\"measured\",\"value\":9}",
		"{\"actor\":\"remit\",\"at\":1,\"measure\":\"kill-time\",\"place\":128,"
		"\"type\":\"measured\",\"value\":9}",
		"{\"actor\":\"remit\",\"at\":1,\"measure\":\"kill-time\",\"place\":-1,"
		"\"type\":\"measured\",\"value\":9}",
	};

	for (size_t i = 0; i < sizeof strange / sizeof *strange; i++)
		fake_log_append(&bench->log, text_of(strange[i]));
	replay_log(bench, 0);
	assert_int_equal(stand(bench).kept, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(what_was_never_taken_is_not_over),
		CASE(at_the_most_it_holds_and_above_it_does_not),
		CASE(it_counts_once_it_is_durable),
		CASE(what_is_lost_does_not_count_and_another_is_taken),
		CASE(what_is_no_measure_is_refused),
		CASE(details_are_bounded),
		CASE(a_start_knows_what_was_kept_and_goes_on),
		CASE(of_another_measure_or_place_a_record_means_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
