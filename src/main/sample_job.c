/* The thread touches the disk (any thread) and what is its own; it ends by posting to the loop,
 * where the result is told and the thread is joined. */
#include "main/sample_job.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct sample_job {
	struct sample_parts parts;
	pthread_t thread;
	bool is_running;
	_Atomic bool is_stopped;
	int64_t now_utc_ms;
	struct sample_result result; /* the thread's, until the post */
	struct loop_post post;
};

static void *run(void *context)
{
	struct sample_job *job = context;
	const struct sample_of of = {
		job->parts.disk, job->parts.master, job->now_utc_ms, &job->is_stopped};

	sample_run(&of, &job->result);
	loop_post(job->parts.loop, &job->post);
	return NULL;
}

static void on_done(struct loop_post *post)
{
	struct sample_job *job = post->context;

	(void)pthread_join(job->thread, NULL);
	job->is_running = false;
	job->parts.done(job->parts.context, &job->result);
}

bool sample_job_create(struct sample_job **out, const struct sample_parts *parts, struct error *err)
{
	struct sample_job *job = calloc(1, sizeof *job);

	*out = job;
	if (job == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for samples");
	job->parts = *parts;
	job->post = (struct loop_post){.run = on_done, .context = job};
	return true;
}

void sample_job_destroy(struct sample_job **job)
{
	if (*job == NULL)
		return;
	atomic_store(&(*job)->is_stopped, true);
	if ((*job)->is_running) {
		(void)pthread_join((*job)->thread, NULL);
		loop_post_cancel((*job)->parts.loop, &(*job)->post);
	}
	free(*job);
	*job = NULL;
}

bool sample_job_start(struct sample_job *job, int64_t now_utc_ms, struct error *err)
{
	if (job->is_running)
		return true;
	job->now_utc_ms = now_utc_ms;
	if (pthread_create(&job->thread, NULL, run, job) != 0)
		return error_set(err, ERROR_LIMIT, "no thread for a sample");
	job->is_running = true;
	return true;
}
