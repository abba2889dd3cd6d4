#ifndef MAIN_CANARY_ROAD_H
#define MAIN_CANARY_ROAD_H

#include "services/canary/canary.h"
#include "services/evaluate/evaluate.h"
#include "services/finding/finding.h"
#include "services/issue/issue.h"
#include "services/measure/measure.h"

/* The canary's way through the daemon: an assertion by its own key, a task like any other's, a
 * question to remit's own decision point, a kill by its holder. */
struct canary_walk;

/* All borrowed; they outlive it. */
struct canary_walk_parts {
	struct issue *issue;
	struct evaluate *evaluate;
	struct finding_service *finding;
	struct measure_service *measures;
	const char *identity;
	const char *key_file; /* PEM, as `remit keys` leaves it */
};

/* Errors: those of private_key_load. */
bool canary_walk_create(struct canary_walk **out, const struct canary_walk_parts *parts,
	struct error *err) MUST_CHECK;
/* After the fold's last completion and the canary. */
void canary_walk_destroy(struct canary_walk **walk);
struct canary_road canary_walk_road(struct canary_walk *walk);

#endif
