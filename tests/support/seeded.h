#ifndef TESTS_SUPPORT_SEEDED_H
#define TESTS_SUPPORT_SEEDED_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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

/* The variable of the environment, or otherwise. */
static inline uint64_t number_given(const char *name, uint64_t otherwise)
{
	const char *given = getenv(name);

	return given == NULL ? otherwise : strtoull(given, NULL, 10);
}

/* Of what is random in the large: a night's REMIT_CASES is for what takes microseconds. */
enum { WORLDS_TIMES_MAX = 100 };

/* REMIT_CASES, at most a hundred times as many as otherwise. */
static inline uint64_t worlds_given(uint64_t otherwise)
{
	uint64_t worlds = number_given("REMIT_CASES", otherwise);

	return worlds < otherwise * WORLDS_TIMES_MAX ? worlds : otherwise * WORLDS_TIMES_MAX;
}

/* REMIT_SEED, or the time; printed. */
static inline uint64_t seed_of_run(void)
{
	uint64_t seed = number_given("REMIT_SEED", (uint64_t)time(NULL));

	printf("REMIT_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

#endif
