/* remit: the command line. */

#include "edges/cli/cli.h"
#include "main/backup_job.h"
#include "main/friction_run.h"
#include "main/graph_diff_run.h"
#include "main/replay_run.h"
#include "main/version.h"

int main(int argc, char **argv)
{
	const struct cli_offline offline = {.version = REMIT_VERSION,
		.restore = restore_run,
		.replay = replay_run,
		.friction = friction_run,
		.graph_diff = graph_diff_run};

	return cli_run(argc, argv, &offline);
}
