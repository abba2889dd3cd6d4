#ifndef TESTS_SUPPORT_DURABLE_LAW_H
#define TESTS_SUPPORT_DURABLE_LAW_H

#include "support/durable_bench.h"

/* Private to durable_bench: aborts unless the disk's durable image allows this
 * request; context is the bench. */
void durable_law_check(void *context, const struct upstream_request *request);

void durable_law_broken(const char *format, ...) PRINTF_LIKE(1, 2) __attribute__((noreturn));

#endif
