#ifndef BENCH_CEDAR_WORLD_H
#define BENCH_CEDAR_WORLD_H

#include <stdbool.h>

/* A world of a million entities: what it costs to change one of them, by the entities
 * below it, and that the memory for a million changes does not grow with the next
 * million.  Prints its lines; false if a bar is missed. */
bool world_run(void);

#endif
