#ifndef MAIN_FRICTION_RUN_H
#define MAIN_FRICTION_RUN_H

#include "edges/cli/cli.h"

/* cli_offline.friction: counts over the log of a data folder, beside its daemon. */
bool friction_run(
	const struct cli_friction *asked, struct arena *arena, struct json *out, struct error *err);

#endif
