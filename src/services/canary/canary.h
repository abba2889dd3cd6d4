#ifndef SERVICES_CANARY_CANARY_H
#define SERVICES_CANARY_CANARY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/loop.h"
#include "base/text.h"
#include "domain/task/task.h"

/* Whether a kill ends what it should, tried again and again with an identity that may do nothing:
 * it opens tasks, each below the one before, asks one thing with each, the first is killed, and it
 * goes on asking with all of them, until all are refused; then it waits for the receipt of the kill
 * to list them all.  Loop's thread. */
struct canary;

enum {
	CANARY_EVERY_S_MIN = 1,
	CANARY_EVERY_S_MAX = 86400,
	CANARY_TASKS_MIN = 2, /* on the path: one that is killed, and one below it */
	CANARY_TASKS_MAX = TASK_DEPTH_MAX,
	CANARY_WAIT_MS = 5000,    /* for all tasks, and for all refusals: longer is a failure */
	CANARY_LOOK_MS = 1,       /* between two askings after the kill */
	CANARY_LIST_MS = 60000,   /* from the kill: a receipt that is later than that is none */
	CANARY_LIST_LOOK_MS = 10, /* between two looks for the receipt */
	CANARY_TOKEN_BYTES_MAX = 4096,
};

/* One task on its way; the canary's until done ran. */
struct canary_opening {
	void (*done)(struct canary_opening *opening);
	void *context;
	struct text parent; /* the task it hangs below; empty: none */
	/* The answer: a token and its task, good until done returns; empty: why says why not. */
	struct text token;
	struct text task;
	const char *why;
};

/* What a task passes through; main fills it with what every other task passes through. */
struct canary_road {
	void *context;
	/* done runs once, before this returns or from the loop. */
	void (*open)(void *context, struct canary_opening *opening);
	/* True: the token was taken and its call decided, whatever the decision. */
	bool (*ask)(void *context, struct text token);
	/* The task of the token is killed, by a record like any other, and all below it; not
	 * awaited. */
	bool (*kill)(void *context, struct text token, struct error *err);
	/* Of a monotonic clock. */
	int64_t (*now_ns)(void *context);
	int64_t (*now_utc_s)(void *context);
	/* What went wrong, for people; NULL: nothing did, this time. */
	void (*tell)(void *context, const char *why);
	/* A run went well: that long after the kill all its tasks were refused. */
	void (*measure)(void *context, int64_t took_ns, uint32_t tasks);
	/* How many tasks the receipt on record of the kill of this one lists; 0: there is none. */
	uint64_t (*listed)(void *context, struct text task);
	/* That long after the kill its receipt listed all; more than CANARY_LIST_MS: it did not. */
	void (*drilled)(void *context, int64_t took_ns, uint32_t tasks);
};

struct canary_figures {
	uint64_t runs; /* ended, well or not */
	uint64_t failures;
	bool is_failing;       /* the last one failed */
	int64_t success_utc_s; /* the last one that went well; 0: none yet */
	int64_t refused_ns;    /* from its kill until all its tasks were refused */
};

struct canary_plan {
	int64_t every_s; /* from the end of a run to the next; the first begins at once */
	int64_t tasks;   /* on the path, the one that is killed included */
};

/* loop is borrowed, NULL: nobody runs it but canary_begin's and canary_look's caller.  Errors:
 * LIMIT, INVALID. */
bool canary_create(struct canary **out, struct loop *loop, const struct canary_road *road,
	const struct canary_plan *plan, struct error *err) MUST_CHECK;
/* After the fold's last completion. */
void canary_destroy(struct canary **canary);
struct canary_figures canary_figures(const struct canary *canary);

/* What the timer does: begins a run; looks, while one is under way, how it stands. */
void canary_begin(struct canary *canary);
void canary_look(struct canary *canary);

#endif
