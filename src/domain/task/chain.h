#ifndef DOMAIN_TASK_CHAIN_H
#define DOMAIN_TASK_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "domain/task/task.h"

/* The identities on the path of a task.  Tasks of one identity that follow each
 * other on it are one link; a task of another identity below is a hop: the one
 * above has handed work on.  Pure; borrowed from the table. */

/* Identities in one chain, the first included. */
enum { CHAIN_IDENTITIES_MAX = 8 };

struct chain {
	/* From the first task's identity to the one of the task itself. */
	struct text links[CHAIN_IDENTITIES_MAX];
	size_t count;
};

/* Fills out.  False: the path holds more than CHAIN_IDENTITIES_MAX links, or an
 * identity twice; then nothing may be done below it. */
bool chain_of(struct chain *out, const struct task *task) MUST_CHECK;

/* Whether a task of the identity may hang below parent (NULL: at the root): it is
 * of the same identity, or of one that is not on the path yet, which has room.
 * Errors: CONFLICT (it is on the path already), LIMIT. */
bool chain_may_take(const struct task *parent, struct text identity, struct error *err) MUST_CHECK;

#endif
