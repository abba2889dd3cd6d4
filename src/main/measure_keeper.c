#include "main/measure_keeper.h"

#include <stdio.h>

#include "base/log.h"
#include "services/measure/decision_times.h"

enum { MEASURE_WHAT_BYTES = 400 };

static bool take_times(void *context)
{
	struct measure_keeper *keeper = context;
	struct error err = {0};

	if (!measure_decision_times(keeper->parts.measures, keeper->parts.decide,
		    fold_stamp_utc_ms(keeper->parts.fold), &err))
		log_warn("decision_times_not_taken", LOG_STRING("why", err.text));
	return false;
}

/* ---- samples ---- */

static void report(const struct measure_keeper *keeper, const char *subject, const char *what)
{
	const struct finding_draft draft = {.kind = FINDING_REPLAY_DIFFERS,
		.subject = text_of(subject),
		.control = "G-43",
		.what = text_of(what)};
	struct error err = {0};

	if (!finding_report(keeper->parts.findings, &draft, &err))
		log_warn("replay_not_reported", LOG_STRING("subject", subject),
			LOG_STRING("why", err.text));
}

static void report_unmade(
	const struct measure_keeper *keeper, uint64_t index, enum replay_cause cause)
{
	char subject[FINDING_SUBJECT_BYTES_MAX], what[MEASURE_WHAT_BYTES];

	(void)snprintf(subject, sizeof subject, "record/%llu", (unsigned long long)index);
	(void)snprintf(what, sizeof what, "Record #%llu does not come out again: %s.",
		(unsigned long long)index, replay_cause_meaning(cause));
	report(keeper, subject, what);
}

/* A log that cannot be replayed to its end has a worse fault than one record; what only lacked
 * memory, or was read while the daemon ended, is tried again. */
static void report_failed(const struct measure_keeper *keeper, const struct error *err)
{
	char what[MEASURE_WHAT_BYTES];

	log_error("replay_sample_failed", LOG_STRING("why", err->text));
	if (err->code != ERROR_CORRUPT && err->code != ERROR_INVALID)
		return;
	(void)snprintf(what, sizeof what, "The records do not replay: %s.", err->text);
	report(keeper, "record/log", what);
}

static void on_sampled(void *context, const struct sample_result *result)
{
	const struct measure_keeper *keeper = context;
	const struct measure_taken taken = {.measure = MEASURE_REPLAY_DIFFERENCES,
		.value = (int64_t)result->unmade,
		.samples = result->made};
	struct error err = {0};

	if (result->is_stopped)
		return;
	if (result->err.code != ERROR_NONE) {
		report_failed(keeper, &result->err);
		return;
	}
	for (uint32_t i = 0; i < result->first_count; i++)
		report_unmade(keeper, result->first[i].index, result->first[i].cause);
	if (result->made == 0) /* says nothing: the one before it gets old */
		return;
	if (!measure_take(keeper->parts.measures, &taken, &err))
		log_warn("measure_not_taken", LOG_STRING("why", err.text));
}

static bool take_sample(void *context)
{
	struct measure_keeper *keeper = context;
	struct error err = {0};

	if (!sample_job_start(keeper->job, fold_stamp_utc_ms(keeper->parts.fold), &err))
		log_warn("replay_sample_not_begun", LOG_STRING("why", err.text));
	return false;
}

/* ---- starting ---- */

static int64_t first_ms(int64_t every_s)
{
	return (every_s < MEASURE_KEEPER_FIRST_S ? every_s : MEASURE_KEEPER_FIRST_S) * 1000;
}

bool measure_keeper_start(
	struct measure_keeper *keeper, const struct measure_keeper_parts *parts, struct error *err)
{
	const struct sample_parts sample = {
		parts->loop, parts->disk, parts->master, keeper, on_sampled};
	const int64_t times_ms = parts->times_every_s * 1000;
	const int64_t sample_ms = parts->sample_every_s * 1000;
	const struct turns_work times = {take_times, keeper, times_ms, times_ms};
	const struct turns_work samples = {take_sample, keeper, sample_ms, sample_ms};

	keeper->parts = *parts;
	return sample_job_create(&keeper->job, &sample, err) &&
	       turns_start(&keeper->times, parts->loop, &times, times_ms, err) &&
	       turns_start(&keeper->samples, parts->loop, &samples, first_ms(parts->sample_every_s),
		       err);
}

void measure_keeper_stop(struct measure_keeper *keeper)
{
	turns_stop(&keeper->times);
	turns_stop(&keeper->samples);
	sample_job_destroy(&keeper->job);
}
