#ifndef TESTS_SUPPORT_HOW_MANY_H
#define TESTS_SUPPORT_HOW_MANY_H

#include <stdint.h>
#include <stdlib.h>

/* How much of what is many in the large is played: what the environment says. */

/* The variable of the environment, or otherwise. */
static inline uint64_t number_given(const char *name, uint64_t otherwise)
{
	const char *given = getenv(name);

	return given == NULL ? otherwise : strtoull(given, NULL, 10);
}

/* Every how many of what is many a slow build plays: REMIT_SHARE, or each. */
static inline uint64_t share_given(void)
{
	uint64_t share = number_given("REMIT_SHARE", 1);

	return share == 0 ? 1 : share;
}

/* How many of so many that is. */
static inline uint64_t share_of(uint64_t whole)
{
	return whole / share_given() + (whole % share_given() != 0);
}

/* REMIT_CASES, or the share of as many as otherwise. */
static inline uint64_t cases_given(uint64_t otherwise)
{
	return number_given("REMIT_CASES", share_of(otherwise));
}

/* Of what is random in the large: a night's REMIT_CASES is for what takes microseconds. */
enum { WORLDS_TIMES_MAX = 100 };

/* REMIT_CASES, at most a hundred times as many as otherwise. */
static inline uint64_t worlds_given(uint64_t otherwise)
{
	uint64_t worlds = cases_given(otherwise);

	return worlds < otherwise * WORLDS_TIMES_MAX ? worlds : otherwise * WORLDS_TIMES_MAX;
}

#endif
