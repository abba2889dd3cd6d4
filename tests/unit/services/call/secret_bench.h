#ifndef TESTS_UNIT_SERVICES_CALL_SECRET_BENCH_H
#define TESTS_UNIT_SERVICES_CALL_SECRET_BENCH_H

/* The bench of calls with a detector, and the last thing that it saw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/call/exchange.h"
#include "support/call_bench.h"

/* In two parts, so that nobody who looks for secrets in this source finds one. */
#define FOREIGN                                                                                    \
	"ghp_"                                                                                     \
	"q7Zt2LxW9vBk4RmN8pYc1DfGhJ3sTaUe6XoV"

struct fixture {
	struct call_bench bench;
	struct detector *detector;
	unsigned sightings;
	enum secret_place place;
	char tool[64];
	char subject[64];
};

static inline void on_sighting(void *context, const struct secret_sighting *sighting)
{
	struct fixture *fixture = context;

	fixture->sightings++;
	fixture->place = sighting->place;
	(void)snprintf(fixture->tool, sizeof fixture->tool, "%.*s", TEXT_ARGS(sighting->tool));
	(void)snprintf(
		fixture->subject, sizeof fixture->subject, "%.*s", TEXT_ARGS(sighting->subject));
}

/* The detector knows that credential; hold_ms as in call_bench_init. */
static inline struct fixture *fixture_create(int64_t hold_ms, const char *name, const char *secret)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	const struct detector_settings settings = {.own = SECRETS_REDACTED,
		.foreign = SECRETS_PASSED,
		.sightings = {fixture, on_sighting}};
	struct error err;

	assert_non_null(fixture);
	call_bench_init(&fixture->bench, hold_ms);
	assert_true(detector_open(&fixture->detector, &settings, &err));
	detector_learn_credential(fixture->detector, text_of(name), text_of(secret));
	fixture->bench.call->ports.detector = fixture->detector;
	return fixture;
}

static inline int fixture_destroy(void **state)
{
	struct fixture *fixture = *state;

	call_bench_deinit(&fixture->bench);
	detector_close(&fixture->detector);
	free(fixture);
	return 0;
}

#endif
