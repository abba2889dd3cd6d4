#ifndef MAIN_TURNS_H
#define MAIN_TURNS_H

#include "base/loop.h"

/* Has a service do its work a step a turn of the loop: soon again while there is more, seldom
 * while there is not.  In place in whoever keeps the service; zero: never started.  Loop's
 * thread. */
struct turns_work {
	/* One bounded step.  True: there is more to do. */
	bool (*step)(void *context);
	void *context;   /* outlives the turns */
	int64_t soon_ms; /* from one step to the next while there is more */
	int64_t rest_ms; /* while there is not */
};

struct turns {
	struct loop *loop;
	struct turns_work work;
	struct loop_timer timer;
};

/* The first step comes in delay_ms.  loop is borrowed and outlives it.  Errors: LIMIT. */
bool turns_start(struct turns *turns, struct loop *loop, const struct turns_work *work,
	int64_t delay_ms, struct error *err) MUST_CHECK;
/* The next step comes now.  Of what never started, nothing. */
void turns_wake(struct turns *turns);
/* No step any more.  Of what never started, too. */
void turns_stop(struct turns *turns);

#endif
