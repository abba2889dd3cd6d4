#ifndef BENCH_CEDAR_PEERS_H
#define BENCH_CEDAR_PEERS_H

#include <stdbool.h>
#include <stddef.h>

/* Other engines on the same workloads, in the same run (bench/peers/README.md). */

/* One of our own figures. */
struct peers_figure {
	char title[64];
	double p50_ns;
	double p99_ns;
	double per_run; /* things done in it, for the rate: 1, or entities loaded */
};

/* Runs each peer of the folder `installed` on the workloads below root and prints its
 * figures with their ratio to ours.  One that is not there is skipped, and said so.
 * False if one fails, answers otherwise than expected, or a bar is missed. */
bool peers_run(
	const char *installed, const char *root, const struct peers_figure *ours, size_t count);

#endif
