#ifndef EDGES_CLI_CLI_H
#define EDGES_CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

struct replay_candidate; /* domain/replay/replay.h */

/* A replay of the log in a data folder. */
struct cli_replay {
	const char *folder;
	struct text identity; /* empty: all */
	int64_t since_utc_ms;
	const struct replay_candidate *candidate;
	void *context;
	void (*progress)(void *context, uint64_t done_bytes, uint64_t total_bytes); /* or NULL */
};

/* What governance cost people, by the log in a data folder. */
struct cli_friction {
	const char *folder;
	struct text unit; /* empty: all */
	int64_t since_utc_ms;
	void *context;
	void (*progress)(void *context, uint64_t done_bytes, uint64_t total_bytes); /* or NULL */
};

/* What differs in the graph between two times, by the log in a data folder. */
struct cli_graph_diff {
	const char *folder;
	int64_t since_utc_ms;
	int64_t until_utc_ms;
	void *context;
	void (*progress)(void *context, uint64_t done_bytes, uint64_t total_bytes); /* or NULL */
};

/* What is done without a daemon, by other edges; main fills it. */
struct cli_offline {
	const char *version; /* of this program; static */
	/* Unpacks the backup at path into the data folder; says how many tasks were
	 * ended.  Errors: NOT_FOUND, CONFLICT (the folder is not empty), any. */
	bool (*restore)(
		const char *path, const char *folder, uint64_t *out_tasks_ended, struct error *err);
	/* Replays the log of a data folder, beside its daemon or without one; *out is
	 * replay_report's, in arena.  Errors: NOT_FOUND, any. */
	bool (*replay)(const struct cli_replay *asked, struct arena *arena, struct json *out,
		struct error *err);
	/* *out is friction_report's, in arena.  Errors: NOT_FOUND, any. */
	bool (*friction)(const struct cli_friction *asked, struct arena *arena, struct json *out,
		struct error *err);
	/* *out is graph_history_report's, in arena.  Errors: NOT_FOUND, any. */
	bool (*graph_diff)(const struct cli_graph_diff *asked, struct arena *arena,
		struct json *out, struct error *err);
};

/* The command line: one table of commands (commands.c), each a thin client of
 * the control API, or offline where nothing of the daemon is needed.  Results go to standard
 * output, everything else to standard error.  Returns the exit status (enum cli_exit in command.h).
 */
int cli_run(int argc, char *const *argv, const struct cli_offline *offline);

#endif
