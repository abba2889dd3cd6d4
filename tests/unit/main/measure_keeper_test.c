/* What becomes of a sample that was made, by a job that the test answers for. */
#include "main/measure_keeper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/governed.h"

enum { EVERY_S = 3600 };

struct sample_job {
	struct sample_parts parts;
};

bool sample_job_create(struct sample_job **out, const struct sample_parts *parts, struct error *err)
{
	(void)err;
	*out = calloc(1, sizeof **out);
	assert_non_null(*out);
	(*out)->parts = *parts;
	return true;
}

void sample_job_destroy(struct sample_job **job)
{
	free(*job);
	*job = NULL;
}

bool sample_job_start(struct sample_job *job, int64_t now_utc_ms, struct error *err)
{
	(void)job;
	(void)now_utc_ms;
	(void)err;
	fail_msg("no time went by");
	return false;
}

struct bench {
	struct governed governed;
	struct finding_service *findings;
	struct measure_service *measures;
	struct loop *loop;
	struct measure_keeper keeper;
};

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct measure_keeper_parts parts;
	struct error err = {0};

	assert_non_null(bench);
	governed_init_loading(&bench->governed);
	assert_true(finding_service_create(
		&bench->findings, bench->governed.registry, bench->governed.fold, &err));
	assert_true(measure_service_create(&bench->measures, bench->governed.fold, &err));
	assert_true(loop_create(&bench->loop, &err));
	assert_true(fold_finish_loading(bench->governed.fold, &err));
	parts = (struct measure_keeper_parts){.loop = bench->loop,
		.fold = bench->governed.fold,
		.measures = bench->measures,
		.findings = bench->findings,
		.times_every_s = EVERY_S,
		.sample_every_s = EVERY_S};
	assert_true(measure_keeper_start(&bench->keeper, &parts, &err));
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	measure_keeper_stop(&bench->keeper);
	governed_deinit(&bench->governed);
	finding_service_destroy(&bench->findings);
	measure_service_destroy(&bench->measures);
	loop_destroy(&bench->loop);
	free(bench);
	return 0;
}

static struct measure_stand sampled(struct bench *bench, const struct sample_result *result)
{
	const struct sample_parts *parts = &bench->keeper.job->parts;

	parts->done(parts->context, result);
	fake_log_flush(&bench->governed.log);
	return measure_stand(bench->measures, MEASURE_REPLAY_DIFFERENCES);
}

/* Nothing was looked at, so nothing is said: what was said before becomes old. */
static void a_sample_of_nothing_is_not_taken(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(sampled(bench, &(struct sample_result){.made = 0}).kept, 0);
	assert_int_equal(sampled(bench, &(struct sample_result){.made = 1}).kept, 1);
	assert_int_equal(sampled(bench, &(struct sample_result){.made = 0}).kept, 1);
}

static void what_differs_in_a_sample_is_counted(void **state)
{
	struct bench *bench = *state;
	struct measure_stand stand =
		sampled(bench, &(struct sample_result){.made = 5, .unmade = 2});

	assert_int_equal(stand.value, 2);
	assert_int_equal(stand.samples, 5);
	assert_true(stand.is_over);
}

static void a_sample_that_was_stopped_or_failed_is_not_taken(void **state)
{
	struct bench *bench = *state;
	struct sample_result failed = {.made = 5};

	(void)error_set(&failed.err, ERROR_LIMIT, "no memory");
	assert_int_equal(sampled(bench, &failed).kept, 0);
	assert_int_equal(
		sampled(bench, &(struct sample_result){.made = 5, .is_stopped = true}).kept, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_sample_of_nothing_is_not_taken),
		TEST(what_differs_in_a_sample_is_counted),
		TEST(a_sample_that_was_stopped_or_failed_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
