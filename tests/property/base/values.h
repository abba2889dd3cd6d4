#ifndef TESTS_PROPERTY_BASE_VALUES_H
#define TESTS_PROPERTY_BASE_VALUES_H

#include <stdint.h>

#include "base/json.h"

/* Random JSON values from a seed: a small generator, so that a failing case can
 * be had again from the seed it printed. */
struct source {
	uint64_t state;
};

uint64_t source_next(struct source *source);
/* 0 .. bound - 1. */
uint32_t source_below(struct source *source, uint32_t bound);

/* REMIT_SEED, or one from the clock; printed, so that a failure can be had again. */
uint64_t seed_of_run(void);

enum value_flags { VALUES_WITHOUT_DOUBLES = 1 };

/* Any value of at most depth levels; an object has no name twice. */
struct json value_random(struct source *source, struct arena *arena, unsigned flags, int depth);
struct json object_random(struct source *source, struct arena *arena, unsigned flags, int depth);
/* The same value with the members of its objects in another order. */
struct json value_shuffled(struct source *source, struct arena *arena, const struct json *value);

#endif
