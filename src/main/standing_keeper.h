#ifndef MAIN_STANDING_KEEPER_H
#define MAIN_STANDING_KEEPER_H

#include "main/turns.h"
#include "services/finding/finding.h"

enum {
	STANDING_KEEPER_MS = 500,
	STANDING_KEEPER_SOON_MS = 5, /* while there is more to look at */
};

/* Has findings look for standing access, a step a turn, and write what was lost.  Loop's thread.
 * loop and findings are borrowed and outlive the turns.  Errors: LIMIT. */
bool standing_keeper_start(struct turns *turns, struct loop *loop, struct finding_service *findings,
	struct error *err) MUST_CHECK;

#endif
