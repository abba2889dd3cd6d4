#ifndef SERVICES_CALL_PEER_TASKS_H
#define SERVICES_CALL_PEER_TASKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"
#include "domain/task/task.h"

/* Private to services/call: whose the tasks and contexts of peers are.  One that was made
 * within a tree of tasks here belongs to its identity there, and to nobody else: what it
 * brings was made of what that tree has read.  In memory alone, so after a restart nobody's
 * is known, and each is refused. */

enum {
	PEER_TASKS_MAX = 65536,
	PEER_TASKS_OF_IDENTITY_MAX = PEER_TASKS_MAX / 16, /* the oldest of its own give way */
};

struct peer_tasks;

enum peer_thing { PEER_TASK = 0, PEER_CONTEXT };

/* Names one; texts are borrowed. */
struct peer_name {
	enum peer_thing thing;
	struct text peer;
	struct text id; /* at the peer */
};

/* Errors: LIMIT. */
bool peer_tasks_create(struct peer_tasks **out, size_t count_max, size_t of_identity_max,
	struct error *err) MUST_CHECK;
void peer_tasks_destroy(struct peer_tasks **tasks);

/* Notes that the call of this task and skill brought it.  What is known already stays whose
 * it is.  False: no memory; then it is nobody's. */
bool peer_tasks_note(struct peer_tasks *tasks, const struct peer_name *name,
	const struct task *task, struct text skill) MUST_CHECK;
/* The skill that it is of, where it belongs to the identity and tree of the task; .data is
 * NULL where it does not, or is not known.  Borrowed until the next note. */
struct text peer_tasks_find(
	const struct peer_tasks *tasks, const struct peer_name *name, const struct task *task);
size_t peer_tasks_count(const struct peer_tasks *tasks);

#endif
