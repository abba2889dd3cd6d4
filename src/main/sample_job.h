#ifndef MAIN_SAMPLE_JOB_H
#define MAIN_SAMPLE_JOB_H

#include "base/error.h"
#include "base/loop.h"
#include "services/replay/sample.h"

/* Makes samples of decisions again, on a thread of its own, one at a time. */
struct sample_job;

struct sample_parts {
	struct loop *loop;
	const struct disk *disk;       /* any thread */
	const struct seal_key *master; /* opens the keys of contents */
	void *context;
	/* On the loop.  The result is borrowed. */
	void (*done)(void *context, const struct sample_result *result);
};

/* All borrowed; they outlive it.  Errors: LIMIT. */
bool sample_job_create(
	struct sample_job **out, const struct sample_parts *parts, struct error *err) MUST_CHECK;
/* Stops the one that runs, and waits for that; its done does not run.  On the loop. */
void sample_job_destroy(struct sample_job **job);
/* Of the decisions of the day before now.  Nothing, while one runs.  Errors: LIMIT. */
bool sample_job_start(struct sample_job *job, int64_t now_utc_ms, struct error *err) MUST_CHECK;

#endif
