#ifndef EDGES_CONFINE_CONFINE_KEEPER_H
#define EDGES_CONFINE_CONFINE_KEEPER_H

#include "base/attr.h"
#include "base/error.h"

/* Gives up, for a process that keeps keys, all that keeping them does not need.  Unlike a
 * server's (confine.h), its calls are a list of what is allowed: the program is ours. */

/* Files but those of folder (Landlock, where the kernel has it), capabilities, descriptors
 * beyond a few, and what confine_self gives up.  Called by the only thread there is; threads
 * made later have given it up as well.  Errors: IO. */
bool confine_keeper_files(const char *folder, struct error *err) MUST_CHECK;

/* System calls but those of a loop that reads, signs and answers: no network, no new
 * process, no exec, which end it; all else fails with EPERM.  For every thread; none can be
 * made after.  Errors: IO (no seccomp here). */
bool confine_keeper_calls(struct error *err) MUST_CHECK;

#endif
