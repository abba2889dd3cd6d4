#ifndef MAIN_LIVING_KEEPER_H
#define MAIN_LIVING_KEEPER_H

#include "main/turns.h"
#include "services/living/living.h"

enum {
	LIVING_KEEPER_MS = 500,
	LIVING_KEEPER_SOON_MS = 5, /* while there is more to look at */
};

/* Has living records look for what falls due, a step a turn.  Loop's thread.  loop and
 * living are borrowed and outlive the turns.  Errors: LIMIT. */
bool living_keeper_start(struct turns *turns, struct loop *loop, struct living_service *living,
	struct error *err) MUST_CHECK;

#endif
