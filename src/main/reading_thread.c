/* A thread touches nothing but its reading; it ends by posting to the loop, where it is joined and
 * the service hears of it, or, of one that was cancelled, the reading is dropped. */
#include "main/reading_thread.h"

#include <pthread.h>
#include <stdlib.h>

/* One reading and its thread. */
struct job {
	struct reading_thread *owner;
	struct connector_reading *reading;
	bool is_cancelled; /* of the loop's thread, as all but what reading points to */
	pthread_t thread;
	struct loop_post post;
	struct job *next;
};

struct reading_thread {
	struct loop *loop;
	struct job *jobs; /* the newest first */
	unsigned jobs_count;
};

static void *read_pages(void *context)
{
	struct job *job = context;

	connector_read_pages(job->reading);
	loop_post(job->owner->loop, &job->post);
	return NULL;
}

static void unlink_job(struct reading_thread *thread, const struct job *job)
{
	struct job **link = &thread->jobs;

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	thread->jobs_count--;
}

/* It has posted, so its thread is at its end. */
static void on_read(struct loop_post *post)
{
	struct job *job = post->context;
	struct connector_reading *reading = job->reading;
	bool is_cancelled = job->is_cancelled;

	(void)pthread_join(job->thread, NULL);
	unlink_job(job->owner, job);
	free(job);
	if (is_cancelled)
		reading->drop(reading);
	else
		reading->done(reading);
}

/* The one that somebody waits for; NULL: none. */
static struct job *awaited(const struct reading_thread *thread)
{
	for (struct job *job = thread->jobs; job != NULL; job = job->next)
		if (!job->is_cancelled)
			return job;
	return NULL;
}

static bool begin(void *context, struct connector_reading *reading, struct error *err)
{
	struct reading_thread *thread = context;
	struct job *job;

	if (awaited(thread) != NULL || thread->jobs_count == READING_THREADS_MAX)
		return error_set(err, ERROR_CONFLICT, "another inventory is being read");
	job = calloc(1, sizeof *job);
	if (job == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to read an inventory");
	*job = (struct job){.owner = thread,
		.reading = reading,
		.post = {.run = on_read, .context = job},
		.next = thread->jobs};
	if (pthread_create(&job->thread, NULL, read_pages, job) != 0) {
		free(job);
		return error_set(err, ERROR_LIMIT, "no thread to read an inventory");
	}
	thread->jobs = job;
	thread->jobs_count++;
	return true;
}

static void cancel(void *context, struct connector_reading *reading)
{
	struct job *job = awaited(context);

	if (job != NULL && job->reading == reading)
		job->is_cancelled = true;
}

bool reading_thread_create(struct reading_thread **out, struct loop *loop, struct error *err)
{
	struct reading_thread *thread = calloc(1, sizeof *thread);

	*out = thread;
	if (thread == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to read inventories");
	thread->loop = loop;
	return true;
}

struct connector_reader reading_thread_port(struct reading_thread *thread)
{
	return (struct connector_reader){thread, begin, cancel};
}

unsigned reading_thread_count(const struct reading_thread *thread)
{
	return thread->jobs_count;
}

static void end_job(struct reading_thread *thread, struct job *job)
{
	(void)pthread_join(job->thread, NULL);
	loop_post_cancel(thread->loop, &job->post);
	unlink_job(thread, job);
	if (job->is_cancelled)
		job->reading->drop(job->reading);
	free(job);
}

void reading_thread_destroy(struct reading_thread **thread)
{
	if (*thread == NULL)
		return;
	while ((*thread)->jobs != NULL)
		end_job(*thread, (*thread)->jobs);
	free(*thread);
	*thread = NULL;
}
