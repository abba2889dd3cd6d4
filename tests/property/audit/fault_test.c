/* Every disk operation fails once, in each way: whatever the operation, the log
 * never acknowledges what it did not keep, every submission is answered, and
 * what is left recovers and verifies.
 *
 * The scenario opens a log, appends over a segment's end with contents and
 * their keys, publishes, tidies up and closes.  It is run for N = 1, 2, … with
 * operation N failing, until it no longer has N operations. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit_support.h"
#include "services/record/contents.h"
#include "services/record/record_private.h"
#include "simulated_disk.h"
#include "support/seeded.h"

enum { APPENDS = 40, ENTRY_BYTES_LIMIT = 8192 };

struct submission {
	struct record_append append;
	struct buffer entry;
	struct content_sealed sealed;
	bool was_taken;
	bool was_answered;
};

struct run {
	const char *fault;
	uint64_t at;
	struct simulated_disk *disk;
	struct test_signer signer;
	struct seal_key master;
	struct contents *contents;
	struct record_log *log;
	struct arena *arena;
	struct submission submissions[APPENDS];
	int64_t clock_ms;
};

static uint64_t acknowledged, refused, not_opened;

static void broken(const struct run *run, const char *what, const char *why)
{
	fprintf(stderr, "%s at operation %" PRIu64 ": %s: %s\n", run->fault, run->at, what, why);
	abort();
}

static int64_t clock_now(void *context)
{
	return ((struct run *)context)->clock_ms += 7;
}

static void done(struct record_append *append)
{
	struct submission *submission = append->context;

	submission->was_answered = true;
	if (append->is_durable)
		acknowledged++;
	else
		refused++;
}

/* Each entry has an id and every third a content. */
static void submit(struct run *run, uint64_t i)
{
	struct submission *submission = &run->submissions[i];
	struct text task = TEXT("t-0123456789abcdefghjk"), plain = TEXT("some value");
	struct error err = {0};
	bool has_content = i % 3 == 0;

	submission->append = (struct record_append){.done = done, .context = submission};
	if (has_content &&
		(!contents_seal(
			 run->contents, task, plain, run->arena, &submission->sealed, &err) ||
			!contents_attach(run->contents, task, &submission->append, &err)))
		return; /* the key's slot could not be read */
	test_entry_format(&submission->entry, record_stamp_utc_ms(run->log), i + 1, 3000,
		has_content ? &submission->sealed.bytes : NULL);
	submission->append.entry = buffer_text(&submission->entry);
	submission->append.content = submission->sealed.bytes;
	submission->was_taken = record_submit(run->log, &submission->append, &err);
}

static bool open_log(struct run *run, struct simulated_disk *disk, struct error *err)
{
	struct record_log_options options = {.disk = simulated_disk_port(disk),
		.signer = &run->signer.port,
		.wall_utc_ms = clock_now,
		.monotonic_ms = clock_now,
		.clock_context = run,
		.version = TEXT("t"),
		.segment_bytes = RECORD_SEGMENT_BYTES_MIN,
		.checkpoint_interval_ms = 50};

	return record_log_open_stepped(&run->log, &options, err);
}

static void play(struct run *run)
{
	struct error err = {0};

	if (!open_log(run, run->disk, &err)) {
		not_opened++;
		return;
	}
	if (contents_open(&run->contents, simulated_disk_port(run->disk), &run->master, &err)) {
		for (uint64_t i = 0; i < APPENDS; i++) {
			submit(run, i);
			for (uint64_t n = 0; n < 1 + i % 5; n++)
				(void)record_step(run->log);
		}
		for (int i = 0; i < 500 && record_step(run->log); i++)
			;
	}
	record_log_close(&run->log);
	contents_close(&run->contents);
}

static void check_entry(struct run *run, const struct submission *submission)
{
	struct record_entry entry;
	struct text sealed, plain;
	struct error err = {0};

	if (!record_read(run->log, submission->append.index, run->arena, &entry, &err))
		broken(run, "an acknowledged entry is gone", err.text);
	if (!text_equal(entry.entry, submission->append.entry))
		broken(run, "an acknowledged entry changed", "");
	if (submission->append.content.length == 0)
		return;
	if (!record_read_content(run->log, submission->append.index, run->arena, &sealed, &err) ||
		!contents_open_sealed(run->contents, sealed, run->arena, &plain, &err) ||
		!text_is(plain, "some value"))
		broken(run, "an acknowledged content is gone", err.text);
}

static void judge(struct run *run)
{
	struct simulated_disk *after = simulated_disk_after_crash(run->disk, run->at);
	struct audit_source source = test_source_of(simulated_disk_port(after));
	struct audit_demands demands = {.keys = &run->signer.key, .key_count = 1};
	struct audit_report report;
	struct error err = {0};

	if (!open_log(run, after, &err))
		broken(run, "recovery", err.text);
	if (!contents_open(&run->contents, simulated_disk_port(after), &run->master, &err))
		broken(run, "contents", err.text);
	for (int i = 0; i < APPENDS; i++) {
		struct submission *submission = &run->submissions[i];

		if (submission->was_taken && !submission->was_answered)
			broken(run, "a submission was not answered", "");
		if (submission->append.is_durable)
			check_entry(run, submission);
	}
	if (run->signer.conflict_count != 0)
		broken(run, "a fork was offered for signing", "");
	if (!audit_verify(&report, &source, &demands, &err) || report.fault != AUDIT_SOUND)
		broken(run, report.file, report.text);
	record_log_close(&run->log);
	contents_close(&run->contents);
	simulated_disk_destroy(&after);
}

/* False once the scenario has fewer than `at` operations. */
static bool try_fault(enum simulated_fault fault, const char *name, uint64_t at)
{
	struct run *run = calloc(1, sizeof *run);
	struct error err = {0};
	bool was_reached;

	if (run == NULL)
		abort();
	run->fault = name;
	run->at = at;
	run->clock_ms = 1700000000000;
	run->disk = simulated_disk_create();
	run->arena = arena_create(64 * 1024 * 1024);
	test_signer_init(&run->signer, "test/audit");
	if (run->arena == NULL || !seal_key_generate(&run->master, &err))
		abort();
	for (int i = 0; i < APPENDS; i++)
		buffer_init(&run->submissions[i].entry, ENTRY_BYTES_LIMIT);
	simulated_disk_fail_at(run->disk, at, fault);
	play(run);
	was_reached = simulated_disk_operations(run->disk) >= at;
	judge(run);
	for (int i = 0; i < APPENDS; i++)
		buffer_deinit(&run->submissions[i].entry);
	test_signer_deinit(&run->signer);
	arena_destroy(&run->arena);
	simulated_disk_destroy(&run->disk);
	free(run);
	return was_reached;
}

int main(void)
{
	static const struct {
		enum simulated_fault fault;
		const char *name;
	} faults[] = {{SIMULATED_EIO, "EIO"}, {SIMULATED_ENOSPC, "ENOSPC"},
		{SIMULATED_SHORT_WRITE, "short write"}};
	uint64_t runs = 0;

	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		for (uint64_t at = place_of_run(); try_fault(faults[i].fault, faults[i].name, at);
			at += share_given())
			runs++;
	}
	printf("%" PRIu64 " faults, %" PRIu64 " entries acknowledged, %" PRIu64 " refused, %" PRIu64
	       " logs not opened\n",
		runs, acknowledged, refused, not_opened);
	return runs > share_of(500) && acknowledged > runs && refused > 0 && not_opened > 0 ? 0 : 1;
}
