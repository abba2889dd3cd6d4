#ifndef SERVICES_MEASURE_DECISION_TIMES_H
#define SERVICES_MEASURE_DECISION_TIMES_H

#include "services/decide/decide_service.h"
#include "services/measure/measure.h"

enum { DECISION_TIMES_IDLE_MS = 12 * 3600 * 1000 };

/* Takes how long 99 of 100 decisions of low risk took since it was taken last, with the times of
 * all, and counts anew.  Where there were none of low risk it is taken only if it was before, and
 * DECISION_TIMES_IDLE_MS ago: then nothing was slow.  Errors: those of measure_take; then they go
 * on being counted. */
bool measure_decision_times(struct measure_service *measures, struct decide_service *decide,
	int64_t now_utc_ms, struct error *err) MUST_CHECK;

#endif
