/* remit-verify --replay, the program itself, on logs of a daemon that lies and one that
 * does not: real keys, real contents, a real folder, every record properly chained and
 * signed.  What the daemon decided the bench of calls decided. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "domain/audit/verify.h"
#include "edges/audit_files/audit_files.h"
#include "edges/signer/signer.h"
#include "services/record/contents.h"
#include "services/record/segments.h"
#include "support/recorded_calls.h"

enum {
	AHEAD = 2, /* genesis and start come before what the bench recorded */
	OUTPUT_BYTES = 64 * 1024,
	APPENDS_MAX = 100,
	ARGUMENTS_MAX = 16,
};

static const char *program; /* remit-verify */

/* What the daemon writes otherwise than it was. */
struct lie {
	const char *record; /* in the first record that has this … */
	const char *before; /* … this becomes … */
	const char *after;  /* … this; NULL: no lie */
};

struct fixture {
	struct recorded_calls calls;
	struct audit_files *files;
	struct signer *signer;
	struct checkpoint_signer checkpoints;
	struct contents *contents;
	struct record_log *log;
	struct record_append appends[APPENDS_MAX];
	size_t count;
	char folder[64];
	char out[OUTPUT_BYTES]; /* what the program printed */
};

static void must(bool ok, const struct error *err)
{
	if (!ok)
		fail_msg("%s", err->text);
}

/* ---- the log ---- */

static void on_done(struct record_append *append)
{
	if (!append->is_durable)
		abort();
}

static void submit(struct fixture *fixture, struct text entry, struct text content, bool has_key)
{
	struct record_append *append = &fixture->appends[fixture->count++];
	struct error err = {0};

	assert_true(fixture->count < APPENDS_MAX);
	append->entry = entry;
	append->content = content;
	append->done = on_done;
	if (has_key)
		must(contents_attach(fixture->contents, TEXT("t-1"), append, &err), &err);
	must(record_submit(fixture->log, append, &err), &err);
}

/* The record as the daemon would have written it here: its arguments sealed, and the
 * entry it had seen counted with those that are ahead. */
static struct text record_here(
	struct fixture *fixture, const struct fake_entry *entry, struct text *sealed)
{
	struct arena *arena = fixture->calls.arena;
	struct content_sealed content = {0};
	struct json_builder builder;
	struct json record, whole;
	struct error err = {0};

	must(json_parse(&record, arena, entry->entry, &json_limits_default, &err), &err);
	if (entry->content.length > 0)
		must(contents_seal(
			     fixture->contents, TEXT("t-1"), entry->content, arena, &content, &err),
			&err);
	json_object_start(&builder, arena);
	for (uint32_t i = 0; i < record.count; i++) {
		const struct json_member *member = &record.members[i];

		if (text_is(member->name, "seen"))
			json_put_integer(&builder, "seen", member->value.integer + AHEAD);
		else if (text_is(member->name, "content"))
			json_put_digest(&builder, "content", &content.digest);
		else
			json_put_named(&builder, member->name, member->value);
	}
	must(json_object_seal(&builder, &whole, &err), &err);
	*sealed = content.bytes;
	return json_canonical_text(arena, &whole);
}

static struct text lie_in(struct fixture *fixture, struct text entry, struct lie *lie)
{
	const char *at;

	if (lie->after == NULL ||
		memmem(entry.data, entry.length, lie->record, strlen(lie->record)) == NULL)
		return entry;
	at = memmem(entry.data, entry.length, lie->before, strlen(lie->before));
	if (at == NULL)
		return entry;
	entry = text_format(fixture->calls.arena, "%.*s%s%s", (int)(at - entry.data), entry.data,
		lie->after, at + strlen(lie->before));
	lie->after = NULL;
	return entry;
}

static void open_log(struct fixture *fixture)
{
	char keys[128];
	const struct signer_settings settings = {.folder = keys};
	struct record_log_options options = {.version = TEXT("t")};
	struct error err = {0};

	(void)snprintf(keys, sizeof keys, "%s/keys", fixture->folder);
	must(signer_open(&fixture->signer, &settings, &err), &err);
	must(audit_files_open(&fixture->files, fixture->folder, &err), &err);
	fixture->checkpoints = signer_checkpoints(fixture->signer);
	options.disk = audit_files_disk(fixture->files);
	options.signer = &fixture->checkpoints;
	must(record_log_open(&fixture->log, &options, &err), &err);
	must(contents_open(
		     &fixture->contents, options.disk, signer_master_key(fixture->signer), &err),
		&err);
}

static void write_log(struct fixture *fixture, struct lie lie)
{
	const struct fake_log *log = &fixture->calls.bench.log;

	for (size_t i = 0; i < log->count; i++) {
		struct text sealed;
		struct text entry = record_here(fixture, &log->entries[i], &sealed);

		submit(fixture, lie_in(fixture, entry, &lie), sealed, sealed.length > 0);
	}
	assert_null(lie.after); /* it was told */
	record_log_close(&fixture->log);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	struct recorded_calls *calls = &fixture->calls;

	recorded_calls_init(calls);
	recorded_calls_call(calls, "read", "{\"path\":\"tickets/1\"}");
	recorded_calls_call(calls, "read", "{\"path\":\"payroll/1\"}");
	recorded_calls_call(calls, "read", "{\"path\":7}");
	recorded_calls_call(calls, "list", "{\"n\":null}");
	recorded_calls_call(calls, "nothing", "{}");
	recorded_calls_call(calls, "run", "{\"a\":[1,2,{\"b\":\"c\"}]}");
	recorded_calls_call(calls, "write", "{}");
	(void)snprintf(fixture->folder, sizeof fixture->folder, "/tmp/remit-verify-XXXXXX");
	if (mkdtemp(fixture->folder) == NULL)
		return -1;
	open_log(fixture);
	*state = fixture;
	return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *ftw)
{
	(void)status;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	record_log_close(&fixture->log);
	contents_close(&fixture->contents);
	audit_files_close(&fixture->files);
	signer_close(&fixture->signer);
	recorded_calls_deinit(&fixture->calls);
	(void)nftw(fixture->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(fixture);
	return 0;
}

/* ---- the program ---- */

static int run(struct fixture *fixture, const char *const *arguments)
{
	size_t size = 0;
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		(void)dup2(ends[1], 1);
		(void)dup2(ends[1], 2);
		(void)close(ends[0]);
		(void)execv(program, (char **)(uintptr_t)arguments);
		_exit(127);
	}
	(void)close(ends[1]);
	assert_true(file_read_all(ends[0], fixture->out, OUTPUT_BYTES - 1, &size));
	fixture->out[size] = '\0';
	(void)close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Its exit status; keys: NULL, or the folder's name below the data folder. */
static int verify(struct fixture *fixture, const char *keys, const char *output)
{
	char audit[128], folder[128];
	const char *arguments[ARGUMENTS_MAX] = {
		"remit-verify", "--replay", "--key", NULL, "-o", output, audit, NULL, NULL, NULL};
	struct buffer key;
	int status;

	buffer_init(&key, 4096);
	note_key_format(&key, fixture->checkpoints.key);
	buffer_append_byte(&key, '\0');
	arguments[3] = key.data;
	(void)snprintf(audit, sizeof audit, "%s/audit", fixture->folder);
	(void)snprintf(folder, sizeof folder, "%s/%s", fixture->folder, keys == NULL ? "" : keys);
	if (keys != NULL) {
		arguments[7] = "--keys";
		arguments[8] = folder;
	}
	status = run(fixture, arguments);
	buffer_deinit(&key);
	return status;
}

static void assert_says(const struct fixture *fixture, const char *expected)
{
	if (strstr(fixture->out, expected) == NULL)
		fail_msg("it does not say %s:\n%s", expected, fixture->out);
}

static void path_of(const struct fixture *fixture, const char *name, char out[128])
{
	(void)snprintf(out, 128, "%s/%s", fixture->folder, name);
}

/* ---- the tests ---- */

static void a_decision_that_was_flipped_is_found(void **state)
{
	struct fixture *fixture = *state;

	write_log(fixture, (struct lie){"\"reason\":\"data_source\"", "\"verdict\":\"deny\"",
				   "\"verdict\":\"allow\""});
	if (verify(fixture, "keys", "text") != 1)
		fail_msg("%s", fixture->out);
	assert_says(fixture, "sound: ");
	assert_says(fixture, "NOT AS RECORDED: 1 of 7 decisions made again\n");
	assert_says(fixture, "agent, files/read: another verdict: recorded allow (data_source), "
			     "made again deny (");
	assert_says(fixture, "as recorded: 6 of 7 decisions\n");
	assert_int_equal(verify(fixture, "keys", "json"), 1);
	assert_says(fixture, "\"result\":\"differs\"");
	assert_says(fixture, "\"what\":\"verdict\"");
}

static void a_reason_that_is_not_so_is_found(void **state)
{
	struct fixture *fixture = *state;

	write_log(fixture, (struct lie){"\"tool\":\"files/list\"", "\"reason\":\"allowed\"",
				   "\"reason\":\"none\""});
	assert_int_equal(verify(fixture, "keys", "text"), 1);
	assert_says(fixture, "another reason: recorded allow (none), made again allow (allowed)");
}

static void what_a_log_says_moves_nothing_on_the_screen(void **state)
{
	struct fixture *fixture = *state;

	write_log(fixture, (struct lie){"\"tool\":\"files/list\"", "\"identity\":\"agent\"",
				   "\"identity\":\"a\\u001b[31m\xe2\x80\xaeg\""});
	assert_int_equal(verify(fixture, "keys", "text"), 1);
	assert_says(fixture, ", a?[31m?g, files/list: another verdict: recorded allow (");
	assert_null(strchr(fixture->out, 0x1b));
	assert_null(strstr(fixture->out, "\xe2\x80\xae"));
}

static void a_charter_that_was_not_in_force_is_found(void **state)
{
	struct fixture *fixture = *state;

	write_log(fixture, (struct lie){"\"type\":\"registry\"", "\"class\":\"execute\"",
				   "\"class\":\"summarise\""});
	assert_int_equal(verify(fixture, "keys", "text"), 1);
	assert_says(fixture, "NOT AS RECORDED: ");
}

static void a_change_that_cannot_have_been_taken_is_found(void **state)
{
	struct fixture *fixture = *state;

	write_log(
		fixture, (struct lie){"\"type\":\"registry\"", "\"in_force\":1", "\"in_force\":7"});
	assert_int_equal(verify(fixture, "keys", "text"), 1);
	assert_says(fixture, "NOT AS RECORDED: record #");
	assert_int_equal(verify(fixture, "keys", "json"), 1);
	assert_says(fixture, "\"failure\":\"");
}

static void without_keys_nothing_is_called_as_recorded(void **state)
{
	struct fixture *fixture = *state;

	write_log(fixture, (struct lie){0});
	assert_int_equal(verify(fixture, NULL, "text"), 2);
	assert_says(fixture, "NOT REPLAYED: 7 of 7 decisions\n"
			     "  7 sealed: its arguments are sealed, and no keys were given\n");
	assert_null(strstr(fixture->out, "as recorded"));
	assert_int_equal(verify(fixture, NULL, "json"), 2);
	assert_says(fixture, "\"not_replayed\":{\"sealed\":7}");
	assert_says(fixture, "\"result\":\"some\"");
}

static void what_was_erased_is_told_apart(void **state)
{
	struct fixture *fixture = *state;
	const struct fake_log *log = &fixture->calls.bench.log;
	struct record_append *erased;
	struct error err = {0};

	for (size_t i = 0; i < log->count; i++) {
		struct text sealed;
		struct text entry = record_here(fixture, &log->entries[i], &sealed);

		submit(fixture, entry, sealed, sealed.length > 0);
	}
	erased = &fixture->appends[fixture->count++];
	erased->entry = TEXT("{\"actor\":\"uid:0\",\"at\":9000000000000,\"task\":\"t-1\","
			     "\"type\":\"erased\"}");
	erased->done = on_done;
	must(contents_erase(fixture->contents, TEXT("t-1"), erased, &err), &err);
	must(record_submit(fixture->log, erased, &err), &err);
	record_log_close(&fixture->log);
	assert_int_equal(verify(fixture, "keys", "text"), 2);
	assert_says(fixture, "  7 erased: ");
}

static void keys_of_another_installation_open_nothing(void **state)
{
	struct fixture *fixture = *state;
	const char other[] = "0123456789abcdef0123456789abcdef";
	char path[128];
	int file;

	write_log(fixture, (struct lie){0});
	path_of(fixture, "keys/master.key", path);
	file = open(path, O_WRONLY | O_TRUNC);
	assert_true(file >= 0 && file_write_all(file, other, sizeof other - 1));
	(void)close(file);
	assert_int_equal(verify(fixture, "keys", "text"), 2);
	assert_says(fixture, "  7 damaged: ");
	assert_int_equal(truncate(path, 31), 0);
	assert_int_equal(verify(fixture, "keys", "text"), 2);
	assert_says(fixture, "is not 32 bytes");
}

static void keys_that_others_may_read_or_that_are_not_there_are_refused(void **state)
{
	struct fixture *fixture = *state;
	char path[128];

	write_log(fixture, (struct lie){0});
	path_of(fixture, "keys/master.key", path);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(verify(fixture, "keys", "text"), 2);
	assert_says(fixture, "is no file that only its owner may read");
	assert_int_equal(verify(fixture, "nowhere", "text"), 2);
	assert_says(fixture, "No such file");
}

static void a_file_of_keys_that_is_too_large_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char path[128];

	write_log(fixture, (struct lie){0});
	path_of(fixture, "keys/contents", path);
	assert_int_equal(truncate(path, (off_t)AUDIT_FILE_BYTES_MAX + 1), 0);
	assert_int_equal(verify(fixture, "keys", "text"), 2);
	assert_says(fixture, "is too large");
}

static void of_bundles_alone_nothing_is_replayed(void **state)
{
	struct fixture *fixture = *state;
	char path[128];

	write_log(fixture, (struct lie){0});
	path_of(fixture, "audit/segments", path);
	assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	assert_int_equal(verify(fixture, "keys", "text"), 2);
	assert_says(fixture, "sound: ");
	assert_says(fixture, "NOT REPLAYED: what decisions were made from lies in the segments");
}

static void of_a_log_that_is_not_sound_nothing_is_said(void **state)
{
	struct fixture *fixture = *state;
	char path[128], name[SEGMENT_PATH_BYTES];
	int file;

	write_log(fixture, (struct lie){0});
	segment_path(name, 1);
	path_of(fixture, name, path);
	file = open(path, O_WRONLY);
	if (file < 0)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(pwrite(file, "x", 1, 600), 1);
	(void)close(file);
	assert_int_equal(verify(fixture, "keys", "text"), 1);
	assert_says(fixture, "NOT SOUND: ");
	assert_null(strstr(fixture->out, "as recorded"));
}

static void what_was_decided_so_is_as_recorded(void **state)
{
	struct fixture *fixture = *state;

	write_log(fixture, (struct lie){0});
	if (verify(fixture, "keys", "text") != 0)
		fail_msg("%s", fixture->out);
	assert_says(fixture, "as recorded: 7 of 7 decisions\n");
	assert_int_equal(verify(fixture, "keys", "json"), 0);
	assert_says(fixture, "\"result\":\"all\"");
	assert_says(fixture, "\"replayed\":7");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_decision_that_was_flipped_is_found),
		TEST(a_reason_that_is_not_so_is_found),
		TEST(what_a_log_says_moves_nothing_on_the_screen),
		TEST(a_charter_that_was_not_in_force_is_found),
		TEST(a_change_that_cannot_have_been_taken_is_found),
		TEST(without_keys_nothing_is_called_as_recorded),
		TEST(what_was_erased_is_told_apart),
		TEST(keys_of_another_installation_open_nothing),
		TEST(keys_that_others_may_read_or_that_are_not_there_are_refused),
		TEST(a_file_of_keys_that_is_too_large_is_refused),
		TEST(of_bundles_alone_nothing_is_replayed),
		TEST(of_a_log_that_is_not_sound_nothing_is_said),
		TEST(what_was_decided_so_is_as_recorded),
	};

	if (argc != 2) {
		fputs("usage: verify_replay_test REMIT-VERIFY\n", stderr);
		return 2;
	}
	program = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
