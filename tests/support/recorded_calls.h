#ifndef TESTS_SUPPORT_RECORDED_CALLS_H
#define TESTS_SUPPORT_RECORDED_CALLS_H

#include "support/call_bench.h"

/* The whole path of a call whose log holds its registry and tasks too, so that what it
 * decided can be made again from the log alone.  Arguments lie unsealed. */
struct recorded_calls {
	struct call_bench bench;
	struct arena *arena;
	uint64_t recorded; /* revision of the registry that the log holds */
};

void recorded_calls_init(struct recorded_calls *calls);
void recorded_calls_deinit(struct recorded_calls *calls);
/* Writes what the bench did to its registry without the log. */
void recorded_calls_registry(struct recorded_calls *calls);
/* Calls files/TOOL of t-1 to its end. */
void recorded_calls_call(struct recorded_calls *calls, const char *tool, const char *arguments);

#endif
