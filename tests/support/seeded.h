#ifndef TESTS_SUPPORT_SEEDED_H
#define TESTS_SUPPORT_SEEDED_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "support/how_many.h"

/* Choices at random that can be had again, by the seed that was printed. */

static uint64_t random_state;

#define COUNT(array) ((unsigned)(sizeof(array) / sizeof(*(array))))

/* Below count, which is not 0. */
static inline unsigned pick(size_t count)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((random_state >> 33) % count);
}

/* Neighbouring seeds begin far apart: a generator as simple as this one would give
 * them nearly the same run. */
static inline void seed_with(uint64_t seed)
{
	seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9u;
	seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebu;
	random_state = seed ^ (seed >> 31);
}

/* REMIT_SEED, or the time; printed. */
static inline uint64_t seed_of_run(void)
{
	uint64_t seed = number_given("REMIT_SEED", (uint64_t)time(NULL));

	printf("REMIT_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

/* Where one of the places, from 1 on, that a share of them begins with: another one each run. */
static inline uint64_t place_of_run(void)
{
	return 1 + seed_of_run() % share_given();
}

#endif
