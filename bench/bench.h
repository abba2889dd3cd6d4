#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What the benchmarks share: a clock, and one way to measure and print. */

static inline int64_t bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The resident set, as the system counts it; 0 where it does not say. */
static inline size_t bench_resident_bytes(void)
{
	char line[128];
	size_t kib = 0;
	FILE *file = fopen("/proc/self/status", "re");

	if (file == NULL)
		return 0;
	while (fgets(line, sizeof line, file) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = strtoul(line + 6, NULL, 10);
	(void)fclose(file);
	return kib * 1024;
}

static inline int bench_ascending(const void *left, const void *right)
{
	double a = *(const double *)left;
	double b = *(const double *)right;

	return (a > b) - (a < b);
}

enum { BENCH_SAMPLES = 400, BENCH_SAMPLE_NS = 500000 };

struct bench_figures {
	double p50_ns;
	double p99_ns;
};

/* Runs work(context) again and again, in samples long enough for the clock, and
 * gives the time of one run: median and 99th percentile over the samples. */
static inline struct bench_figures bench_run(void (*work)(void *context), void *context)
{
	static double samples[BENCH_SAMPLES];
	int64_t runs = 1;

	for (int64_t took = 0; took < BENCH_SAMPLE_NS; runs *= 2) {
		int64_t begun = bench_now_ns();

		for (int64_t i = 0; i < runs; i++)
			work(context);
		took = bench_now_ns() - begun;
	}
	for (int sample = 0; sample < BENCH_SAMPLES; sample++) {
		int64_t begun = bench_now_ns();

		for (int64_t i = 0; i < runs; i++)
			work(context);
		samples[sample] = (double)(bench_now_ns() - begun) / (double)runs;
	}
	qsort(samples, BENCH_SAMPLES, sizeof samples[0], bench_ascending);
	return (struct bench_figures){
		.p50_ns = samples[BENCH_SAMPLES / 2],
		.p99_ns = samples[BENCH_SAMPLES * 99 / 100],
	};
}

/* One line of figures, with how many times as fast as the peer that is; peer may be NULL,
 * then peer_ns is not used. */
static inline void bench_print(const char *bench, const char *name, struct bench_figures figures,
	const char *peer, double peer_ns)
{
	printf("{\"bench\":\"%s\",\"case\":\"%s\",\"p50_ns\":%.0f,\"p99_ns\":%.0f,"
	       "\"per_second\":%.0f",
		bench, name, figures.p50_ns, figures.p99_ns, 1e9 / figures.p50_ns);
	if (peer != NULL)
		printf(",\"peer\":\"%s\",\"ratio\":%.2f", peer, peer_ns / figures.p50_ns);
	printf("}\n");
	fflush(stdout);
}

#endif
