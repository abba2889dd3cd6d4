#ifndef MAIN_REPLAY_RUN_H
#define MAIN_REPLAY_RUN_H

#include "edges/cli/cli.h"

/* Replays the log of a data folder with the keys that lie in it, beside the daemon or
 * without one; nothing is written.  Fills struct cli_offline.  Errors: NOT_FOUND (no
 * data folder there), CORRUPT, INVALID, IO, LIMIT. */
bool replay_run(const struct cli_replay *asked, struct arena *arena, struct json *out,
	struct error *err) MUST_CHECK;

#endif
