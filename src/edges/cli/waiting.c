/* A thread of its own, since the request blocks the command line's only other
 * one.  It touches nothing but this struct and standard error. */
#include "edges/cli/waiting.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 200, LINE_BYTES = 128 };

struct waiting {
	const char *what; /* borrowed */
	uint32_t delay_ms;
	pthread_t thread;
	pthread_mutex_t lock; /* protects is_over */
	pthread_cond_t over;
	bool is_over;
};

static struct timespec moment_in(uint32_t ms)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += (time_t)(ms / 1000);
	at.tv_nsec += (long)(ms % 1000) * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

/* True once it is over; false after ms. */
static bool wait_for_end(struct waiting *waiting, uint32_t ms)
{
	struct timespec until = moment_in(ms);
	bool is_over;
	int status = 0;

	(void)pthread_mutex_lock(&waiting->lock);
	while (!waiting->is_over && status == 0)
		status = pthread_cond_timedwait(&waiting->over, &waiting->lock, &until);
	is_over = waiting->is_over;
	(void)pthread_mutex_unlock(&waiting->lock);
	return is_over;
}

static void show(const char *line, int length)
{
	if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0)
		return; /* nobody looks */
}

static void *run(void *context)
{
	static const char marks[] = "|/-\\";
	struct waiting *waiting = context;
	uint32_t shown_ms = waiting->delay_ms;
	char line[LINE_BYTES];
	unsigned tick = 0;

	if (wait_for_end(waiting, waiting->delay_ms))
		return NULL;
	do {
		show(line, snprintf(line, sizeof line, "\r%c %.64s, %u s ", marks[tick++ % 4],
				   waiting->what, shown_ms / 1000));
		shown_ms += TICK_MS;
	} while (!wait_for_end(waiting, TICK_MS));
	show(line, snprintf(line, sizeof line, "\r\033[K"));
	return NULL;
}

static bool waiting_init(struct waiting *waiting)
{
	pthread_condattr_t attributes;
	bool ok = pthread_condattr_init(&attributes) == 0;

	if (!ok)
		return false;
	ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
	     pthread_cond_init(&waiting->over, &attributes) == 0;
	(void)pthread_condattr_destroy(&attributes);
	return ok && pthread_mutex_init(&waiting->lock, NULL) == 0;
}

struct waiting *waiting_start(const char *what, uint32_t delay_ms)
{
	struct waiting *waiting;

	if (!isatty(STDERR_FILENO))
		return NULL;
	waiting = calloc(1, sizeof *waiting);
	if (waiting == NULL)
		return NULL;
	waiting->what = what;
	waiting->delay_ms = delay_ms;
	if (!waiting_init(waiting) || pthread_create(&waiting->thread, NULL, run, waiting) != 0) {
		free(waiting);
		return NULL;
	}
	return waiting;
}

void waiting_stop(struct waiting **waiting)
{
	struct waiting *it = *waiting;

	*waiting = NULL;
	if (it == NULL)
		return;
	(void)pthread_mutex_lock(&it->lock);
	it->is_over = true;
	(void)pthread_cond_signal(&it->over);
	(void)pthread_mutex_unlock(&it->lock);
	(void)pthread_join(it->thread, NULL);
	(void)pthread_cond_destroy(&it->over);
	(void)pthread_mutex_destroy(&it->lock);
	free(it);
}
