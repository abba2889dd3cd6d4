#include "main/replay_run.h"

#include <sys/stat.h>

#include "domain/replay/replay.h"
#include "edges/audit_files/audit_files.h"
#include "edges/signer/signer.h"
#include "services/record/contents.h"
#include "services/replay/log_walk.h"

/* The signer is opened for the key that wraps the contents' keys, and signs nothing.
 * It would make keys where there are none, so that they are there is looked at first. */

static bool open_sealed(void *context, struct text sealed, struct arena *arena,
	struct text *out_plain, struct error *err)
{
	return contents_open_sealed(context, sealed, arena, out_plain, err);
}

static bool has_keys(const char *folder, struct arena *arena, struct text *out, struct error *err)
{
	struct stat status;

	*out = text_format(arena, "%s/keys", folder);
	if (out->data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to replay in");
	if (stat(out->data, &status) == 0 && S_ISDIR(status.st_mode))
		return true;
	return error_set(err, ERROR_NOT_FOUND, "%s: is no data folder with its keys", folder);
}

static bool feed(void *context, const struct log_entry *entry, struct error *err)
{
	const struct replay_entry fed = {entry->index, entry->entry, entry->content};

	return replay_feed(context, &fed, err);
}

static bool replay_with(const struct cli_replay *asked, const struct disk *disk,
	struct contents *contents, struct arena *arena, struct json *out, struct error *err)
{
	const struct log_progress progress = {asked->context, asked->progress};
	const struct replay_options options = {.identity = asked->identity,
		.since_utc_ms = asked->since_utc_ms,
		.candidate = asked->candidate,
		.context = contents,
		.open_sealed = open_sealed};
	struct log_visitor visitor = {.visit = feed};
	struct replay *replay = NULL;
	struct json report;
	bool ok;

	if (!replay_create(&replay, &options, err))
		return false;
	visitor.context = replay;
	ok = log_walk(disk, &visitor, asked->progress == NULL ? NULL : &progress, err) &&
	     replay_report(replay, arena, &report, err) && json_copy(out, arena, &report, err);
	replay_destroy(&replay);
	return ok;
}

bool replay_run(
	const struct cli_replay *asked, struct arena *arena, struct json *out, struct error *err)
{
	struct signer_settings settings = {0};
	struct contents *contents = NULL;
	struct audit_files *files = NULL;
	struct signer *signer = NULL;
	struct text keys;
	bool ok;

	if (!has_keys(asked->folder, arena, &keys, err))
		return false;
	settings.folder = keys.data;
	ok = audit_files_open(&files, asked->folder, err) && signer_open(&signer, &settings, err) &&
	     contents_open(&contents, audit_files_disk(files), signer_master_key(signer), err) &&
	     replay_with(asked, audit_files_disk(files), contents, arena, out, err);
	contents_close(&contents);
	signer_close(&signer);
	audit_files_close(&files);
	return ok;
}
