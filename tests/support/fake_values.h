#ifndef TESTS_SUPPORT_FAKE_VALUES_H
#define TESTS_SUPPORT_FAKE_VALUES_H

#include "services/evaluate/evaluate.h"

/* Digests that are of the task and the value, and contents that are kept unsealed: a test
 * opens them again by copying. */
extern const struct contents_port fake_values;

#endif
