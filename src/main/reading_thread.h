#ifndef MAIN_READING_THREAD_H
#define MAIN_READING_THREAD_H

#include "services/connector/connector.h"

/* Reads what connectors brought in a thread of its own, one inventory at a time: that is work of
 * seconds.  One that was cancelled goes on beside the next until its thread is at its end, and
 * nothing waits for it.  All of it is called on the loop's thread. */
struct reading_thread;

enum { READING_THREADS_MAX = 2 }; /* the cancelled among them */

/* loop is borrowed, and outlives it.  Errors: LIMIT. */
bool reading_thread_create(
	struct reading_thread **out, struct loop *loop, struct error *err) MUST_CHECK;
/* The port that the service of connectors wants; good as long as the thread is. */
struct connector_reader reading_thread_port(struct reading_thread *thread);
/* Threads that read, also for nobody. */
unsigned reading_thread_count(const struct reading_thread *thread);
/* Those under way are waited for, and no done runs.  NULL, too. */
void reading_thread_destroy(struct reading_thread **thread);

#endif
