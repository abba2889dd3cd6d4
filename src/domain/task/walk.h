#ifndef DOMAIN_TASK_WALK_H
#define DOMAIN_TASK_WALK_H

#include "domain/task/task.h"

/* The tasks that one kill ended, after it was folded: those that lived when it came, by what
 * the table knows.  Told in steps, so that no loop is held by a node with many below it.  While
 * a walk is there nothing is forgotten (task_table_sweep). */
struct task_walk;

/* The kill, as its record says it; texts are borrowed until the walk is destroyed. */
struct task_walked {
	enum task_target target; /* of a token: no task ended */
	struct text unit;
	struct text identity;
	struct text instance;
	struct text task;
	int64_t epoch;
	int64_t at_utc_ms;
	uint64_t record; /* its leaf */
};
typedef void task_visit(void *context, const struct task *task);

/* Errors: LIMIT. */
bool task_walk_create(struct task_walk **out, struct task_table *table,
	const struct task_walked *kill, struct error *err) MUST_CHECK;
/* Looks at nodes_max nodes at most and visits those it ended, each once, parents first.
 * False: that was all. */
bool task_walk_step(struct task_walk *walk, size_t nodes_max, task_visit *visit, void *context);
void task_walk_destroy(struct task_walk **walk);

#endif
