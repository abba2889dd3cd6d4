/* A replay that is fed by the check of the log: what is not sound is not believed, and
 * what could not be made again is counted and never called sound. */
#include "main/verify_replay.h"

#include "main/verify_charter.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "domain/audit/content.h"
#include "domain/replay/replay.h"

enum { REPORT_BYTES_MAX = 16 * 1024 * 1024 };

struct verify_replay {
	struct replay *replay;
	struct replay_options options;
	struct audit_visitor visitor;
	struct content_keys *keys; /* NULL: none were given */
	char *slots;               /* what the keys lie in */
	struct error failure;      /* of the first record that could not be taken */
	uint64_t failed_at;
	bool lacks_contents; /* read from bundles, which hold none */
	const char *charter; /* whose is told; NULL: nobody's */
};

static const char *const result_words[] = {
	[VERIFY_REPLAYED_SOME] = "some",
	[VERIFY_REPLAYED_ALL] = "all",
	[VERIFY_REPLAYED_DIFFERS] = "differs",
};

/* ---- keys ---- */

static bool fail(struct error *err, const char *folder, const char *name)
{
	int saved = errno;

	return error_set(err, saved == ENOENT || saved == ENOTDIR ? ERROR_NOT_FOUND : ERROR_IO,
		"%s/%s: %s", folder, name, strerror(saved));
}

/* A regular file that only its owner may read. */
static bool open_secret(
	const char *folder, const char *name, int *file, struct stat *status, struct error *err)
{
	int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*file = at < 0 ? -1 : openat(at, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (*file < 0)
		(void)fail(err, folder, name);
	if (at >= 0)
		(void)close(at);
	if (*file < 0)
		return false;
	if (fstat(*file, status) == 0 && S_ISREG(status->st_mode) && (status->st_mode & 077) == 0)
		return true;
	(void)close(*file);
	*file = -1;
	return error_set(
		err, ERROR_INVALID, "%s/%s: is no file that only its owner may read", folder, name);
}

static bool read_master(const char *folder, struct seal_key *out, struct error *err)
{
	struct stat status;
	size_t size = 0;
	bool ok;
	int file;

	if (!open_secret(folder, "master.key", &file, &status, err))
		return false;
	ok = status.st_size == SEAL_KEY_BYTES &&
	     file_read_all(file, out->bytes, SEAL_KEY_BYTES, &size) && size == SEAL_KEY_BYTES;
	(void)close(file);
	return ok || error_set(err, ERROR_INVALID, "%s/master.key: is not %d bytes", folder,
			     SEAL_KEY_BYTES);
}

/* The wrapped keys; none were made yet where there is no file. */
static bool read_slots(
	struct verify_replay *replay, const char *folder, struct text *out, struct error *err)
{
	struct stat status;
	size_t size = 0;
	bool ok;
	int file;

	*out = (struct text){0};
	if (!open_secret(folder, "contents", &file, &status, err))
		return err->code == ERROR_NOT_FOUND;
	ok = status.st_size <= AUDIT_FILE_BYTES_MAX;
	if (!ok)
		error_set(err, ERROR_LIMIT, "%s/contents: is too large", folder);
	replay->slots = ok ? calloc(1, (size_t)status.st_size + 1) : NULL;
	if (ok && replay->slots == NULL)
		ok = error_set(err, ERROR_LIMIT, "no memory for content keys");
	if (ok && !file_read_all(file, replay->slots, (size_t)status.st_size, &size))
		ok = fail(err, folder, "contents");
	(void)close(file);
	*out = (struct text){replay->slots, size};
	return ok;
}

static bool read_keys(struct verify_replay *replay, const char *folder, struct error *err)
{
	struct seal_key master = {0};
	struct text slots;
	bool ok = read_master(folder, &master, err) && read_slots(replay, folder, &slots, err) &&
		  content_keys_create(&replay->keys, slots, &master, err);

	seal_key_clear(&master);
	return ok;
}

static bool open_sealed(void *context, struct text sealed, struct arena *arena,
	struct text *out_plain, struct error *err)
{
	return content_keys_open(context, sealed, arena, out_plain, err);
}

/* ---- the replay ---- */

static bool take_entry(void *context, const struct audit_entry *entry, struct error *err)
{
	struct verify_replay *replay = context;
	const struct replay_entry fed = {entry->index, entry->entry, entry->content};

	if (!entry->has_contents) {
		replay->lacks_contents = true;
		return true;
	}
	if (replay->failure.code != ERROR_NONE ||
		replay_feed(replay->replay, &fed, &replay->failure))
		return true;
	replay->failed_at = entry->index;
	*err = replay->failure;
	return replay->failure.code != ERROR_LIMIT; /* no verdict for want of memory */
}

bool verify_replay_open(struct verify_replay **out, const char *keys, struct error *err)
{
	struct verify_replay *replay = calloc(1, sizeof *replay);

	*out = NULL;
	if (replay == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to replay in");
	replay->visitor = (struct audit_visitor){replay, take_entry};
	if (keys == NULL || read_keys(replay, keys, err)) {
		replay->options.context = replay->keys;
		replay->options.open_sealed = replay->keys == NULL ? NULL : open_sealed;
		if (replay_create(&replay->replay, &replay->options, err)) {
			*out = replay;
			return true;
		}
	}
	verify_replay_close(&replay);
	return false;
}

void verify_replay_ask_charter(struct verify_replay *replay, const char *identity)
{
	replay->charter = identity;
}

void verify_replay_close(struct verify_replay **replay)
{
	if (*replay == NULL)
		return;
	replay_destroy(&(*replay)->replay);
	content_keys_destroy(&(*replay)->keys);
	free((*replay)->slots);
	free(*replay);
	*replay = NULL;
}

const struct audit_visitor *verify_replay_visitor(const struct verify_replay *replay)
{
	return &replay->visitor;
}

static uint64_t count_of(const struct replay_figures *figures, enum replay_cause cause)
{
	return figures->decisions.causes[cause] + figures->evaluations.causes[cause];
}

enum verify_replayed verify_replay_result(const struct verify_replay *replay)
{
	struct replay_figures figures = replay_figures_of(replay->replay);
	uint64_t made;

	if (replay->failure.code != ERROR_NONE || count_of(&figures, REPLAY_DIFFERS) > 0)
		return VERIFY_REPLAYED_DIFFERS;
	/* What an application does not keep, by the version in force, is nobody's to make. */
	made = count_of(&figures, REPLAY_DONE) + count_of(&figures, REPLAY_NOT_KEPT);
	return replay->lacks_contents || made < figures.decisions.asked + figures.evaluations.asked
		       ? VERIFY_REPLAYED_SOME
		       : VERIFY_REPLAYED_ALL;
}

/* ---- saying it ---- */

static void append_side(struct buffer *out, const struct json *difference, const char *name)
{
	const struct json *side = json_find(difference, name);

	buffer_append_visible(out, json_text_or(side, "verdict", ""));
	buffer_append_string(out, " (");
	buffer_append_visible(out, json_text_or(side, "reason", ""));
	buffer_append_string(out, ")");
}

static void append_difference(struct buffer *out, const struct json *difference)
{
	struct text tool = json_text_or(difference, "tool", "");

	if (tool.length == 0)
		tool = json_text_or(difference, "application", "");
	buffer_append_format(
		out, "  record #%" PRId64 ", ", json_integer_or(difference, "record", 0));
	buffer_append_visible(out, json_text_or(difference, "identity", ""));
	buffer_append_string(out, ", ");
	buffer_append_visible(out, tool);
	buffer_append_format(
		out, ": another %.*s: recorded ", TEXT_ARGS(json_text_or(difference, "what", "")));
	append_side(out, difference, "before");
	buffer_append_string(out, ", made again ");
	append_side(out, difference, "after");
	buffer_append_string(out, "\n");
}

static void append_differences(struct buffer *out, const struct verify_replay *replay)
{
	struct arena *arena = arena_create(REPORT_BYTES_MAX);
	const struct json *list = NULL;
	struct json report;
	struct error err;

	if (arena != NULL && replay_report(replay->replay, arena, &report, &err))
		list = json_find(&report, "differences");
	for (uint32_t i = 0; list != NULL && i < list->count; i++)
		append_difference(out, &list->items[i]);
	arena_destroy(&arena);
}

static void append_not_replayed(
	struct buffer *out, const struct replay_counts *counts, const char *name)
{
	uint64_t judged = counts->causes[REPLAY_DONE] + counts->causes[REPLAY_DIFFERS];

	if (judged == counts->asked)
		return;
	buffer_append_format(out, "NOT REPLAYED: %" PRIu64 " of %" PRIu64 " %s\n",
		counts->asked - judged, counts->asked, name);
	for (int i = REPLAY_DONE + 1; i < REPLAY_CAUSES_COUNT; i++)
		if (i != REPLAY_DIFFERS && counts->causes[i] > 0)
			buffer_append_format(out, "  %" PRIu64 " %s: %s\n", counts->causes[i],
				replay_cause_word((enum replay_cause)i),
				replay_cause_meaning((enum replay_cause)i));
}

static void append_counts(struct buffer *out, const struct replay_counts *counts, const char *name)
{
	uint64_t done = counts->causes[REPLAY_DONE], differ = counts->causes[REPLAY_DIFFERS];

	if (differ > 0)
		buffer_append_format(out,
			"NOT AS RECORDED: %" PRIu64 " of %" PRIu64 " %s made again\n", differ,
			differ + done, name);
	append_not_replayed(out, counts, name);
	if (done > 0 || counts->asked == 0)
		buffer_append_format(out, "as recorded: %" PRIu64 " of %" PRIu64 " %s\n", done,
			counts->asked, name);
}

void verify_replay_append(struct buffer *out, const struct verify_replay *replay)
{
	struct replay_figures figures = replay_figures_of(replay->replay);
	const struct registry *registry;
	struct error err;

	if (replay->lacks_contents) {
		buffer_append_string(out, "NOT REPLAYED: what decisions were made from lies in the "
					  "segments, which are not here\n");
		return;
	}
	if (replay->failure.code != ERROR_NONE) {
		buffer_append_format(out,
			"NOT AS RECORDED: record #%" PRIu64 " cannot have been taken: ",
			replay->failed_at);
		buffer_append_visible(out, text_of(replay->failure.text));
		buffer_append_string(out, "\n");
	}
	if (replay->charter != NULL && replay_finish(replay->replay, &registry, &err))
		verify_charter_append(out, registry, replay->charter);
	append_counts(out, &figures.decisions, "decisions");
	if (figures.evaluations.asked > 0)
		append_counts(out, &figures.evaluations, "evaluations");
	append_differences(out, replay);
}

void verify_replay_append_json(struct buffer *out, const struct verify_replay *replay)
{
	struct arena *arena = arena_create(REPORT_BYTES_MAX);
	const struct registry *registry;
	struct json_builder whole;
	struct json report, sealed;
	struct error err;

	if (arena == NULL || !replay_report(replay->replay, arena, &report, &err)) {
		buffer_append_string(out, "null");
		arena_destroy(&arena);
		return;
	}
	json_object_start(&whole, arena);
	for (uint32_t i = 0; i < report.count; i++)
		json_put_named(&whole, report.members[i].name, report.members[i].value);
	json_put_cstring(&whole, "result", result_words[verify_replay_result(replay)]);
	if (replay->charter != NULL && replay_finish(replay->replay, &registry, &err))
		verify_charter_put(&whole, registry, replay->charter);
	if (replay->failure.code != ERROR_NONE) {
		json_put_cstring(&whole, "failure", replay->failure.text);
		json_put_integer(&whole, "failed_at", (int64_t)replay->failed_at);
	}
	if (json_object_seal(&whole, &sealed, &err))
		json_canonical(out, &sealed);
	else
		buffer_append_string(out, "null");
	arena_destroy(&arena);
}
