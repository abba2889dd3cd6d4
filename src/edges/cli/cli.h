#ifndef EDGES_CLI_CLI_H
#define EDGES_CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* What is done without a daemon, by other edges; main fills it. */
struct cli_offline {
	const char *version; /* of this program; static */
	/* Unpacks the backup at path into the data folder; says how many tasks were
	 * ended.  Errors: NOT_FOUND, CONFLICT (the folder is not empty), any. */
	bool (*restore)(
		const char *path, const char *folder, uint64_t *out_tasks_ended, struct error *err);
};

/* The command line: one table of commands (commands.c), each a thin client of
 * the control API.  Results go to standard output, everything else to standard
 * error.  Returns the exit status (enum cli_exit in command.h). */
int cli_run(int argc, char *const *argv, const struct cli_offline *offline);

#endif
