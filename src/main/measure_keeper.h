#ifndef MAIN_MEASURE_KEEPER_H
#define MAIN_MEASURE_KEEPER_H

#include "main/sample_job.h"
#include "main/turns.h"
#include "services/decide/decide_service.h"
#include "services/finding/finding.h"
#include "services/measure/measure.h"
#include "services/registry/fold.h"

/* Takes what is measured of decisions, again and again: how long they took, and whether a sample of
 * them comes out again.  In place in main; zero: never started.  Loop's thread. */
struct measure_keeper_parts {
	struct loop *loop;
	struct fold *fold;
	struct measure_service *measures;
	struct decide_service *decide;
	struct finding_service *findings;
	const struct disk *disk;
	const struct seal_key *master;
	int64_t times_every_s;
	int64_t sample_every_s;
};

struct measure_keeper {
	struct measure_keeper_parts parts;
	struct turns times;
	struct turns samples;
	struct sample_job *job;
};

enum { MEASURE_KEEPER_FIRST_S = 300 /* from the start to the first sample, at most */ };

/* The parts are borrowed and outlive it.  Errors: LIMIT. */
bool measure_keeper_start(struct measure_keeper *keeper, const struct measure_keeper_parts *parts,
	struct error *err) MUST_CHECK;
/* Waits for the sample that runs, which stops.  Of what never started, too. */
void measure_keeper_stop(struct measure_keeper *keeper);

#endif
