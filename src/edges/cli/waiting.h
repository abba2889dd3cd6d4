#ifndef EDGES_CLI_WAITING_H
#define EDGES_CLI_WAITING_H

#include <stdint.h>

/* Shows that something takes long: after delay_ms a line on standard error that
 * counts the seconds, wiped when it is over.  Nothing is shown where standard
 * error is not a terminal. */
struct waiting;

enum { WAITING_DELAY_MS = 1000 };

/* NULL where there is nothing to show it on; the wait goes on without it. */
struct waiting *waiting_start(const char *what, uint32_t delay_ms);
/* *waiting may be NULL. */
void waiting_stop(struct waiting **waiting);

#endif
