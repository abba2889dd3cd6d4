#include "main/graph_diff_run.h"

#include "domain/graph/history.h"
#include "edges/audit_files/audit_files.h"
#include "services/replay/log_walk.h"

/* Needs no keys: nothing that is sealed is opened. */

static bool feed(void *context, const struct log_entry *entry, struct error *err)
{
	return graph_history_feed(context, entry->entry, entry->content, err) ||
	       error_wrap(err, "record %llu", (unsigned long long)entry->index);
}

static bool walk(const struct cli_graph_diff *asked, const struct disk *disk, struct arena *arena,
	struct json *out, struct error *err)
{
	const struct log_progress progress = {asked->context, asked->progress};
	struct log_visitor visitor = {.visit = feed};
	struct graph_history *history = NULL;
	struct json report;
	bool ok;

	if (!graph_history_create(&history, asked->since_utc_ms, asked->until_utc_ms, err))
		return false;
	visitor.context = history;
	ok = log_walk(disk, &visitor, asked->progress == NULL ? NULL : &progress, err) &&
	     graph_history_report(history, arena, &report, err) &&
	     json_copy(out, arena, &report, err); /* its texts are the history's */
	graph_history_destroy(&history);
	return ok;
}

bool graph_diff_run(const struct cli_graph_diff *asked, struct arena *arena, struct json *out,
	struct error *err)
{
	struct audit_files *files = NULL;
	bool ok = audit_files_open(&files, asked->folder, err) &&
		  walk(asked, audit_files_disk(files), arena, out, err);

	audit_files_close(&files);
	return ok;
}
