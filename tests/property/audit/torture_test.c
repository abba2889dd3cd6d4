/* Every allocation of the log fails once: the first, then the second, and so on
 * until all succeed.  Each time: no crash, no leak, an error where one is due,
 * and whatever was acknowledged is there when the log is opened again. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit_support.h"
#include "domain/audit/receipt.h"
#include "services/record/contents.h"
#include "services/record/record_private.h"
#include "simulated_disk.h"

enum { NEVER = -1, ATTEMPTS_MAX = 20000, APPENDS = 6 };

static int countdown = NEVER; /* allocations left until one fails */
static int sheltered;         /* depth of calls whose memory is not the log's */
static long outstanding;
static bool was_reached;

/* The linker's names for the wrapped and the real functions. */
/* NOLINTBEGIN(bugprone-reserved-identifier) */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
void __wrap_free(void *memory);

static bool fails_now(void)
{
	if (countdown == NEVER || sheltered > 0 || countdown-- != 0)
		return false;
	was_reached = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	void *memory = fails_now() ? NULL : __real_malloc(size);

	outstanding += memory != NULL;
	return memory;
}

void *__wrap_calloc(size_t count, size_t size)
{
	void *memory = fails_now() ? NULL : __real_calloc(count, size);

	outstanding += memory != NULL;
	return memory;
}

void *__wrap_realloc(void *memory, size_t size)
{
	void *moved = fails_now() ? NULL : __real_realloc(memory, size);

	outstanding += memory == NULL && moved != NULL;
	return moved;
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
	void *moved = fails_now() ? NULL : __real_reallocarray(memory, count, size);

	outstanding += memory == NULL && moved != NULL;
	return moved;
}

void __wrap_free(void *memory)
{
	outstanding -= memory != NULL;
	__real_free(memory);
}
/* NOLINTEND(bugprone-reserved-identifier) */

void simulated_disk_guard(bool is_inside)
{
	sheltered += is_inside ? 1 : -1;
}

struct run {
	int at;
	struct simulated_disk *disk;
	struct test_signer signer;
	struct seal_key master;
	struct record_log *log;
	struct contents *contents;
	struct buffer entries[APPENDS];
	struct record_append appends[APPENDS];
	int answered;
	int taken;
};

static unsigned long acknowledged, refused;

static void broken(const struct run *run, const char *what, const struct error *err)
{
	fprintf(stderr, "allocation %d: %s: %s\n", run->at, what, err->text);
	abort();
}

/* A failure must say why. */
static bool judged(const struct run *run, bool ok, const char *what, const struct error *err)
{
	if (!ok && err->code == ERROR_NONE)
		broken(run, what, err);
	return ok;
}

static void done(struct record_append *append)
{
	struct run *run = append->context;

	run->answered++;
	if (append->is_durable)
		acknowledged++;
	else
		refused++;
}

static struct record_log_options options_of(struct run *run, struct simulated_disk *disk)
{
	return (struct record_log_options){.disk = simulated_disk_port(disk),
		.signer = &run->signer.port,
		.version = TEXT("t"),
		.segment_bytes = RECORD_SEGMENT_BYTES_MIN,
		.checkpoint_interval_ms = 1};
}

static void append_some(struct run *run)
{
	for (int i = 0; i < APPENDS; i++) {
		struct error err = {0};
		bool ok = i % 2 == 0 || judged(run,
						contents_attach(run->contents, TEXT("t-1"),
							&run->appends[i], &err),
						"attach", &err);

		ok = ok &&
		     judged(run, record_submit(run->log, &run->appends[i], &err), "submit", &err);
		run->taken += ok;
		for (int n = 0; n < 6; n++)
			(void)record_step(run->log);
	}
}

static void read_some(struct run *run)
{
	struct audit_source source = test_source_of(simulated_disk_port(run->disk));
	struct audit_demands demands = {
		.keys = &run->signer.key, .key_count = 1, .tail = AUDIT_ALLOW_TAIL};
	struct arena *arena = arena_create(1024 * 1024);
	struct audit_report report;
	struct record_entry entry;
	struct error err = {0};
	struct buffer receipt;

	if (arena == NULL)
		return;
	buffer_init(&receipt, RECEIPT_BYTES_MAX);
	(void)judged(run, record_read(run->log, 0, arena, &entry, &err), "read", &err);
	(void)judged(run, record_receipt(run->log, 0, &receipt, &err), "receipt", &err);
	/* a checkpoint may be late, but what is there must never look unsound */
	if (judged(run, audit_verify(&report, &source, &demands, &err), "verify", &err) &&
		report.fault != AUDIT_SOUND && report.fault != AUDIT_BAD_CHECKPOINT)
		broken(run, report.text, &err);
	buffer_deinit(&receipt);
	arena_destroy(&arena);
}

static void play(struct run *run)
{
	struct record_log_options options = options_of(run, run->disk);
	struct error err = {0};

	if (!judged(run, record_log_open_stepped(&run->log, &options, &err), "open", &err))
		return;
	if (judged(run, contents_open(&run->contents, options.disk, &run->master, &err), "contents",
		    &err)) {
		append_some(run);
		read_some(run);
	}
	record_log_close(&run->log);
	contents_close(&run->contents);
}

static void judge(struct run *run)
{
	struct record_log_options options = options_of(run, run->disk);
	struct arena *arena = arena_create(1024 * 1024);
	struct record_entry entry;
	struct error err = {0};

	if (run->answered != run->taken)
		broken(run, "a submission was not answered", &err);
	if (!record_log_open_stepped(&run->log, &options, &err))
		broken(run, "opening again", &err);
	for (int i = 0; i < APPENDS; i++) {
		if (run->appends[i].is_durable &&
			(!record_read(run->log, run->appends[i].index, arena, &entry, &err) ||
				!text_equal(entry.entry, run->appends[i].entry)))
			broken(run, "an acknowledged entry is gone", &err);
	}
	record_log_close(&run->log);
	arena_destroy(&arena);
}

static void attempt(int at)
{
	long before = outstanding;
	struct run *run = calloc(1, sizeof *run);
	struct error err = {0};

	if (run == NULL)
		abort();
	run->at = at;
	run->disk = simulated_disk_create();
	test_signer_init(&run->signer, "test/audit");
	if (!seal_key_generate(&run->master, &err))
		abort();
	for (uint64_t i = 0; i < APPENDS; i++) {
		buffer_init(&run->entries[i], 4096);
		test_entry_format(&run->entries[i], 1700000000000, i, 2000, NULL);
		run->appends[i] = (struct record_append){
			.entry = buffer_text(&run->entries[i]), .done = done, .context = run};
	}
	countdown = at;
	play(run);
	countdown = NEVER;
	judge(run);
	for (int i = 0; i < APPENDS; i++)
		buffer_deinit(&run->entries[i]);
	test_signer_deinit(&run->signer);
	simulated_disk_destroy(&run->disk);
	free(run);
	if (outstanding != before) {
		fprintf(stderr, "allocation %d: %ld leaked\n", at, outstanding - before);
		abort();
	}
}

int main(void)
{
	int at = 0;

	do {
		was_reached = false;
		attempt(at);
	} while (was_reached && ++at < ATTEMPTS_MAX);
	printf("%d allocations failed, %lu entries acknowledged, %lu refused\n", at, acknowledged,
		refused);
	return at > 60 && at < ATTEMPTS_MAX && acknowledged > 0 ? 0 : 1;
}
