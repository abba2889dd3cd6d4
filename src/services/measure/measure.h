#ifndef SERVICES_MEASURE_MEASURE_H
#define SERVICES_MEASURE_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/control/measure.h"
#include "services/registry/fold.h"

/* What was measured while remit ran, by records: the last MEASURES_KEPT values of each measure,
 * over starts.  It decides nothing.  Loop's thread. */
struct measure_service;

enum { MEASURE_DETAILS_BYTES_MAX = 8192 /* canonical */ };

/* Registers its handlers and projectors with the fold, which is borrowed.  Errors: LIMIT. */
bool measure_service_create(
	struct measure_service **out, struct fold *fold, struct error *err) MUST_CHECK;
/* After the fold's last completion. */
void measure_service_destroy(struct measure_service **service);

/* One value.  It counts once its record is durable. */
struct measure_taken {
	enum control_measure measure;
	int64_t value;              /* in the measure's unit; not negative */
	uint64_t samples;           /* that it was made of */
	const struct json *details; /* an object, copied; NULL: none */
};
/* Errors: CONFLICT (the one before it is on its way), INVALID, LIMIT, those of fold_submit. */
bool measure_take(struct measure_service *service, const struct measure_taken *taken,
	struct error *err) MUST_CHECK;

/* How a measure stands. */
struct measure_stand {
	uint32_t kept;        /* 0: it was never taken */
	int64_t value;        /* what they say (measure_tell) */
	uint64_t samples;     /* of the last one */
	int64_t taken_utc_ms; /* when the last one was */
	bool is_over;         /* value is more than it may be */
};
struct measure_stand measure_stand(
	const struct measure_service *service, enum control_measure measure);

#endif
