#ifndef MAIN_STANDING_KEEPER_H
#define MAIN_STANDING_KEEPER_H

#include "base/loop.h"
#include "services/finding/finding.h"

/* Has findings look for standing access, a step a turn.  Loop's thread. */
struct standing_keeper {
	struct loop *loop;
	struct finding_service *findings;
	struct loop_timer timer;
	bool is_started;
};

enum {
	STANDING_KEEPER_MS = 500,
	STANDING_KEEPER_SOON_MS = 5, /* while there is more to look at */
};

/* loop and findings are borrowed and outlive it.  Errors: LIMIT. */
bool standing_keeper_start(struct standing_keeper *keeper, struct loop *loop,
	struct finding_service *findings, struct error *err) MUST_CHECK;
/* Of one that never started, too. */
void standing_keeper_stop(struct standing_keeper *keeper);

#endif
