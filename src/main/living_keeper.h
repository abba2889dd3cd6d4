#ifndef MAIN_LIVING_KEEPER_H
#define MAIN_LIVING_KEEPER_H

#include "base/loop.h"
#include "services/living/living.h"

/* Has living records look for what falls due, a step a turn.  Loop's thread. */
struct living_keeper {
	struct loop *loop;
	struct living_service *living;
	struct loop_timer timer;
	bool is_started;
};

enum {
	LIVING_KEEPER_MS = 500,
	LIVING_KEEPER_SOON_MS = 5, /* while there is more to look at */
};

/* loop and living are borrowed and outlive it.  Errors: LIMIT. */
bool living_keeper_start(struct living_keeper *keeper, struct loop *loop,
	struct living_service *living, struct error *err) MUST_CHECK;
/* Of one that never started, too. */
void living_keeper_stop(struct living_keeper *keeper);

#endif
