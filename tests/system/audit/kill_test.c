/* kill -9 of a real process that writes a real log on a real disk, with the real
 * signer: after each kill the log opens, holds every acknowledged entry at its
 * index, and verifies.
 *
 * (The page cache survives this, so it shows nothing about missing syncs: that
 * is what tests/property/audit/crash_test.c is for.) */
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit_support.h"
#include "edges/audit_files/audit_files.h"
#include "edges/signer/signer.h"

enum { ROUNDS = 25, IN_FLIGHT = 8, ENTRIES_MAX = 1000000 };

static uint64_t ids[ENTRIES_MAX]; /* by index; 0: not acknowledged */

/* What a child tells of each acknowledgement. */
struct acknowledged {
	uint64_t index;
	uint64_t id;
};

struct opened {
	struct audit_files *files;
	struct signer *signer;
	struct checkpoint_signer checkpoints;
	struct record_log *log;
};

static void must(bool ok, const char *what, const struct error *err)
{
	if (ok)
		return;
	fprintf(stderr, "%s: %s\n", what, err->text);
	abort();
}

static void open_all(struct opened *opened, const char *folder)
{
	char keys[256];
	struct signer_settings settings = {.folder = keys};
	struct record_log_options options = {
		.version = TEXT("t"), .segment_bytes = 1024 * 1024, .checkpoint_interval_ms = 10};
	struct error err = {0};

	(void)snprintf(keys, sizeof keys, "%s/keys", folder);
	must(signer_open(&opened->signer, &settings, &err), "signer", &err);
	must(audit_files_open(&opened->files, folder, &err), "folder", &err);
	opened->checkpoints = signer_checkpoints(opened->signer);
	options.disk = audit_files_disk(opened->files);
	options.signer = &opened->checkpoints;
	must(record_log_open(&opened->log, &options, &err), "log", &err);
}

static void close_all(struct opened *opened)
{
	record_log_close(&opened->log);
	audit_files_close(&opened->files);
	signer_close(&opened->signer);
}

/* --- the child --------------------------------------------------------------------- */

struct flight {
	struct record_append append;
	struct buffer entry;
	struct record_log *log;
	uint64_t id;
	int pipe;
};

static void launch(struct flight *flight)
{
	struct error err = {0};

	buffer_reset(&flight->entry);
	test_entry_format(&flight->entry, record_stamp_utc_ms(flight->log), flight->id,
		200 + flight->id % 900, NULL);
	flight->append.entry = buffer_text(&flight->entry);
	must(record_submit(flight->log, &flight->append, &err), "submit", &err);
}

static void landed(struct record_append *append)
{
	struct flight *flight = append->context;
	struct acknowledged told = {append->index, flight->id};

	if (!append->is_durable || write(flight->pipe, &told, sizeof told) != sizeof told)
		_exit(1);
	flight->id += IN_FLIGHT;
	launch(flight);
}

static void work(const char *folder, int pipe, uint64_t first_id)
{
	static struct flight flights[IN_FLIGHT];
	struct opened opened;

	open_all(&opened, folder);
	for (int i = 0; i < IN_FLIGHT; i++) {
		flights[i] = (struct flight){
			.log = opened.log, .id = first_id + (uint64_t)i, .pipe = pipe};
		flights[i].append.done = landed;
		flights[i].append.context = &flights[i];
		buffer_init(&flights[i].entry, 4096);
		launch(&flights[i]);
	}
	for (;;)
		pause();
}

/* --- the parent ----------------------------------------------------------------------- */

static void note(const struct acknowledged *told)
{
	if (told->index >= ENTRIES_MAX || ids[told->index] != 0) {
		fprintf(stderr, "index %" PRIu64 " was acknowledged twice\n", told->index);
		abort();
	}
	ids[told->index] = told->id;
}

/* Starts a child, lets it have `wanted` acknowledgements, kills it. */
static uint64_t kill_one(const char *folder, uint64_t first_id, uint64_t wanted)
{
	struct acknowledged told;
	uint64_t count = 0;
	int pipes[2], status;
	pid_t child;

	if (pipe(pipes) != 0)
		abort();
	child = fork();
	if (child == 0) {
		close(pipes[0]);
		work(folder, pipes[1], first_id);
	}
	close(pipes[1]);
	while (count < wanted && read(pipes[0], &told, sizeof told) == sizeof told) {
		note(&told);
		count++;
	}
	kill(child, SIGKILL);
	while (read(pipes[0], &told, sizeof told) == sizeof told) { /* told before it died */
		note(&told);
		count++;
	}
	close(pipes[0]);
	if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status))
		abort(); /* it ended by itself: something failed */
	return count;
}

static void judge(const char *folder)
{
	struct arena *arena = arena_create(1024 * 1024);
	struct audit_demands demands = {.key_count = 1};
	struct audit_source source;
	struct audit_report report;
	struct record_entry entry;
	struct opened opened;
	struct error err = {0};
	uint64_t id, size;

	open_all(&opened, folder);
	size = record_log_size(opened.log);
	for (uint64_t i = 0; i < ENTRIES_MAX; i++) {
		if (ids[i] == 0)
			continue;
		must(i < size && record_read(opened.log, i, arena, &entry, &err), "lost", &err);
		if (!test_entry_id(entry.entry, &id) || id != ids[i])
			abort();
		arena_reset(arena);
	}
	record_log_close(&opened.log);
	source = test_source_of(audit_files_disk(opened.files));
	demands.keys = opened.checkpoints.key;
	must(audit_verify(&report, &source, &demands, &err), "verify", &err);
	if (report.fault != AUDIT_SOUND) {
		fprintf(stderr, "%s in %s\n", report.text, report.file);
		abort();
	}
	close_all(&opened);
	arena_destroy(&arena);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

int main(void)
{
	char folder[] = "/tmp/remit-kill-XXXXXX";
	uint64_t acknowledgements = 0, random = (uint64_t)getpid(), seed = random;

	if (mkdtemp(folder) == NULL)
		return 1;
	for (uint64_t round = 0; round < ROUNDS; round++) {
		uint64_t first_id = 1 + round * 10000000;

		acknowledgements += kill_one(folder, first_id, test_random(&random) % 300);
		judge(folder);
	}
	(void)nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	printf("seed %" PRIu64 ": %d kills, %" PRIu64 " entries acknowledged, none lost\n", seed,
		ROUNDS, acknowledgements);
	return acknowledgements > 0 ? 0 : 1;
}
