#include "main/friction_run.h"

#include "domain/friction/friction.h"
#include "edges/audit_files/audit_files.h"
#include "services/replay/log_walk.h"

/* Needs no keys: nothing that is sealed is opened. */

static bool feed(void *context, const struct log_entry *entry, struct error *err)
{
	return friction_feed(context, entry->entry, entry->content, err) ||
	       error_wrap(err, "record %llu", (unsigned long long)entry->index);
}

static bool count(const struct cli_friction *asked, const struct disk *disk, struct arena *arena,
	struct json *out, struct error *err)
{
	const struct friction_options options = {asked->unit, asked->since_utc_ms};
	const struct log_progress progress = {asked->context, asked->progress};
	struct log_visitor visitor = {.visit = feed};
	struct friction *friction = NULL;
	bool ok;

	if (!friction_create(&friction, &options, err))
		return false;
	visitor.context = friction;
	ok = log_walk(disk, &visitor, asked->progress == NULL ? NULL : &progress, err) &&
	     friction_report(friction, arena, out, err);
	friction_destroy(&friction);
	return ok;
}

bool friction_run(
	const struct cli_friction *asked, struct arena *arena, struct json *out, struct error *err)
{
	struct audit_files *files = NULL;
	bool ok = audit_files_open(&files, asked->folder, err) &&
		  count(asked, audit_files_disk(files), arena, out, err);

	audit_files_close(&files);
	return ok;
}
