/* The thread touches nothing but the reading; it ends by posting to the loop, where it is joined
 * and the service hears of it. */
#include "main/reading_thread.h"

#include <pthread.h>
#include <stdlib.h>

struct reading_thread {
	struct loop *loop;
	struct connector_reading *reading; /* NULL: none */
	pthread_t thread;                  /* while there is one */
	struct loop_post post;
};

static void *read_pages(void *context)
{
	struct reading_thread *thread = context;

	connector_read_pages(thread->reading);
	loop_post(thread->loop, &thread->post);
	return NULL;
}

static struct connector_reading *join(struct reading_thread *thread)
{
	struct connector_reading *reading = thread->reading;

	(void)pthread_join(thread->thread, NULL);
	thread->reading = NULL;
	return reading;
}

static void on_read(struct loop_post *post)
{
	struct connector_reading *reading = join(post->context);

	reading->done(reading);
}

static bool begin(void *context, struct connector_reading *reading, struct error *err)
{
	struct reading_thread *thread = context;

	if (thread->reading != NULL)
		return error_set(err, ERROR_CONFLICT, "another inventory is being read");
	thread->reading = reading;
	if (pthread_create(&thread->thread, NULL, read_pages, thread) == 0)
		return true;
	thread->reading = NULL;
	return error_set(err, ERROR_LIMIT, "no thread to read an inventory");
}

/* A thread that was joined has posted. */
static void cancel(void *context, struct connector_reading *reading)
{
	struct reading_thread *thread = context;

	if (thread->reading == NULL || thread->reading != reading)
		return;
	(void)join(thread);
	loop_post_cancel(thread->loop, &thread->post);
}

bool reading_thread_create(struct reading_thread **out, struct loop *loop, struct error *err)
{
	struct reading_thread *thread = calloc(1, sizeof *thread);

	*out = thread;
	if (thread == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to read inventories");
	thread->loop = loop;
	thread->post = (struct loop_post){.run = on_read, .context = thread};
	return true;
}

struct connector_reader reading_thread_port(struct reading_thread *thread)
{
	return (struct connector_reader){thread, begin, cancel};
}

void reading_thread_destroy(struct reading_thread **thread)
{
	if (*thread == NULL)
		return;
	cancel(*thread, (*thread)->reading);
	free(*thread);
	*thread = NULL;
}
