#ifndef MAIN_READING_THREAD_H
#define MAIN_READING_THREAD_H

#include "services/connector/connector.h"

/* Reads what connectors brought in a thread of its own, one inventory at a time: that is work of
 * seconds.  All of it is called on the loop's thread. */
struct reading_thread;

/* loop is borrowed, and outlives it.  Errors: LIMIT. */
bool reading_thread_create(
	struct reading_thread **out, struct loop *loop, struct error *err) MUST_CHECK;
/* The port that the service of connectors wants; good as long as the thread is. */
struct connector_reader reading_thread_port(struct reading_thread *thread);
/* One that is under way is waited for, and its done does not run.  NULL, too. */
void reading_thread_destroy(struct reading_thread **thread);

#endif
