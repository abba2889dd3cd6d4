/* Appending to the audit log: time from submit to the durable acknowledgement,
 * with 1, 16, 64 and 256 entries in flight, beside two peers on the same disk in
 * the same run: a bare loop of write and fdatasync into a preallocated file, and
 * one SQLite row per commit (WAL, synchronous FULL).
 *
 * usage: audit [--json] [--dir DIR] [--seconds N]
 *
 * The log does all it does in the product: check of the record, frame, leaf,
 * tree, tiles, and checkpoints signed by Ed25519.  One thread submits; done runs
 * on the writer's thread and submits the next entry. */
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "audit_support.h"
#include "bench.h"
#include "edges/audit_files/audit_files.h"

enum { ENTRY_BYTES = 512, SAMPLES_MAX = 2000000, IN_FLIGHT_MAX = 256, FILE_BYTES = 64 << 20 };

static double samples[SAMPLES_MAX];

struct settings {
	const char *folder;
	int64_t run_ns;
};

static struct bench_figures figures_of(size_t count)
{
	qsort(samples, count, sizeof samples[0], bench_ascending);
	return (struct bench_figures){
		.p50_ns = samples[count / 2], .p99_ns = samples[count * 99 / 100]};
}

static void print(const char *name, size_t count, int64_t took_ns, double peer_per_second)
{
	struct bench_figures figures = figures_of(count);
	double per_second = (double)count * 1e9 / (double)took_ns;

	printf("{\"bench\":\"audit\",\"case\":\"%s\",\"p50_ns\":%.0f,\"p99_ns\":%.0f,"
	       "\"per_second\":%.0f",
		name, figures.p50_ns, figures.p99_ns, per_second);
	if (peer_per_second > 0)
		printf(",\"peer\":\"fdatasync\",\"ratio\":%.2f", per_second / peer_per_second);
	printf("}\n");
	fflush(stdout);
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "audit bench: %s\n", what);
	exit(1);
}

/* --- peers --------------------------------------------------------------------- */

static double run_fdatasync(const struct settings *settings)
{
	static uint8_t zeros[1 << 20], block[4096];
	char path[4200];
	int64_t begun, now;
	size_t count = 0;
	int file;

	(void)snprintf(path, sizeof path, "%s/bare", settings->folder);
	file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	must(file >= 0, path);
	for (off_t at = 0; at < FILE_BYTES; at += (off_t)sizeof zeros)
		must(pwrite(file, zeros, sizeof zeros, at) == (ssize_t)sizeof zeros, "write");
	must(fsync(file) == 0, "sync");
	memset(block, 'x', sizeof block);
	begun = now = bench_now_ns();
	while (now - begun < settings->run_ns && count < SAMPLES_MAX) {
		off_t at = (off_t)(count * sizeof block % FILE_BYTES);
		int64_t before = now;

		must(pwrite(file, block, sizeof block, at) == (ssize_t)sizeof block, "write");
		must(fdatasync(file) == 0, "sync");
		now = bench_now_ns();
		samples[count++] = (double)(now - before);
	}
	(void)close(file);
	print("peer: 4 KiB write + fdatasync, preallocated", count, now - begun, 0);
	return (double)count * 1e9 / (double)(now - begun);
}

static void run_sqlite(const struct settings *settings, double peer_per_second)
{
	static char entry[ENTRY_BYTES];
	sqlite3_stmt *insert;
	int64_t begun, now;
	char path[4200];
	size_t count = 0;
	sqlite3 *store;

	(void)snprintf(path, sizeof path, "%s/peer.db", settings->folder);
	memset(entry, 'x', sizeof entry);
	must(sqlite3_open(path, &store) == SQLITE_OK, path);
	must(sqlite3_exec(store,
		     "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		     "CREATE TABLE entries(id INTEGER PRIMARY KEY, body BLOB)",
		     NULL, NULL, NULL) == SQLITE_OK,
		"create");
	must(sqlite3_prepare_v2(store, "INSERT INTO entries(body) VALUES(?)", -1, &insert, NULL) ==
			SQLITE_OK,
		"prepare");
	begun = now = bench_now_ns();
	while (now - begun < settings->run_ns && count < SAMPLES_MAX) {
		int64_t before = now;

		sqlite3_bind_blob(insert, 1, entry, sizeof entry, SQLITE_STATIC);
		must(sqlite3_step(insert) == SQLITE_DONE, "insert");
		sqlite3_reset(insert);
		now = bench_now_ns();
		samples[count++] = (double)(now - before);
	}
	sqlite3_finalize(insert);
	sqlite3_close(store);
	print("peer: SQLite row per commit, WAL, FULL", count, now - begun, peer_per_second);
}

/* --- the log --------------------------------------------------------------------- */

struct flight {
	struct record_append append;
	struct buffer entry;
	int64_t submitted_ns;
	struct flights *all;
};

struct flights {
	struct record_log *log;
	struct flight items[IN_FLIGHT_MAX];
	int64_t end_ns;
	size_t count; /* touched by the writer's thread alone once it runs */
	_Atomic unsigned active;
};

static void launch(struct flight *flight)
{
	struct error err = {0};

	flight->submitted_ns = bench_now_ns();
	must(record_submit(flight->all->log, &flight->append, &err), err.text);
}

static void landed(struct record_append *append)
{
	struct flight *flight = append->context;
	struct flights *all = flight->all;
	int64_t now = bench_now_ns();

	must(append->is_durable, append->err.text);
	if (all->count < SAMPLES_MAX)
		samples[all->count++] = (double)(now - flight->submitted_ns);
	if (now < all->end_ns && all->count < SAMPLES_MAX)
		launch(flight);
	else
		atomic_fetch_sub(&all->active, 1);
}

static void run_log(const struct settings *settings, struct record_log *log, unsigned in_flight,
	double peer_per_second)
{
	struct flights *all = calloc(1, sizeof *all);
	char name[64];
	int64_t begun;

	must(all != NULL, "no memory");
	all->log = log;
	all->active = in_flight;
	begun = bench_now_ns();
	all->end_ns = begun + settings->run_ns;
	for (unsigned i = 0; i < in_flight; i++) {
		struct flight *flight = &all->items[i];

		flight->all = all;
		buffer_init(&flight->entry, 2 * ENTRY_BYTES);
		test_entry_format(&flight->entry, 1700000000000, i, ENTRY_BYTES, NULL);
		flight->append = (struct record_append){
			.entry = buffer_text(&flight->entry), .done = landed, .context = flight};
	}
	for (unsigned i = 0; i < in_flight; i++)
		launch(&all->items[i]);
	while (atomic_load(&all->active) > 0)
		(void)record_log_wait(log, record_log_size(log), 20);
	(void)snprintf(name, sizeof name, "append, %u in flight", in_flight);
	print(name, all->count, bench_now_ns() - begun, peer_per_second);
	for (unsigned i = 0; i < in_flight; i++)
		buffer_deinit(&all->items[i].entry);
	free(all);
}

static void run_logs(const struct settings *settings, double peer_per_second)
{
	static const unsigned in_flight[] = {1, 16, 64, 256};
	struct record_log_options options = {.version = TEXT("bench")};
	struct audit_files *files;
	struct test_signer signer;
	struct record_log *log;
	struct error err = {0};

	test_signer_init(&signer, "bench");
	must(audit_files_open(&files, settings->folder, &err), err.text);
	options.disk = audit_files_disk(files);
	options.signer = &signer.port;
	must(record_log_open(&log, &options, &err), err.text);
	for (size_t i = 0; i < sizeof in_flight / sizeof in_flight[0]; i++)
		run_log(settings, log, in_flight[i], peer_per_second);
	record_log_close(&log);
	audit_files_close(&files);
	test_signer_deinit(&signer);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

int main(int argc, char **argv)
{
	char folder[4096];
	struct settings settings = {.folder = folder, .run_ns = 2000000000};
	const char *parent = "/var/tmp"; /* a disk, where /tmp may be memory */
	double peer_per_second;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc)
			parent = argv[++i];
		else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
			settings.run_ns = strtoll(argv[++i], NULL, 10) * 1000000000;
		else
			must(strcmp(argv[i], "--json") == 0, "unknown option");
	}
	(void)snprintf(folder, sizeof folder, "%s/remit-bench-XXXXXX", parent);
	must(mkdtemp(folder) != NULL, folder);
	peer_per_second = run_fdatasync(&settings);
	run_sqlite(&settings, peer_per_second);
	run_logs(&settings, peer_per_second);
	(void)nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}
