#ifndef MAIN_GRAPH_DIFF_RUN_H
#define MAIN_GRAPH_DIFF_RUN_H

#include "edges/cli/cli.h"

/* cli_offline.graph_diff: makes the graph at two times again from the log of a data folder,
 * beside its daemon. */
bool graph_diff_run(const struct cli_graph_diff *asked, struct arena *arena, struct json *out,
	struct error *err);

#endif
