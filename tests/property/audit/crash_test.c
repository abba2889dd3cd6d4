/* Laws of the log under power cuts, on a disk that loses, tears and reorders
 * whatever was not synced:
 *
 *  1. acknowledged implies recovered, at the same index, with the same bytes;
 *  2. what is recovered is a prefix of what was submitted, in order;
 *  3. no fork is signed: the signer never has to refuse, and every head it ever
 *     signed is a head of the recovered tree;
 *  4. what is recovered verifies, by the verifier that trusts none of this.
 *
 * A life is one log that is cut and recovered again and again.  Everything
 * comes from the seed, which is printed when a law is broken. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit_support.h"
#include "services/record/record_private.h"
#include "simulated_disk.h"
#include "support/how_many.h"

enum {
	CRASHES_DEFAULT = 10000,
	CRASHES_PER_LIFE = 20,
	ENTRIES_MAX = 65536,
	PENDING_MAX = 8,
	ENTRY_BYTES_LIMIT = 8192,
};

/* One submission; the log borrows it until done. */
struct pending {
	struct record_append append;
	struct buffer entry;
	uint8_t content[3000];
	uint64_t id;
	bool is_busy;
	struct life *life;
};

struct life {
	uint64_t seed;
	uint64_t random;
	int64_t clock_ms;
	struct test_signer signer;
	struct simulated_disk *disk;
	struct record_log *log;
	struct pending pending[PENDING_MAX];
	uint64_t next_id;
	uint64_t ids[ENTRIES_MAX]; /* by index: what must be there; 0: not an entry of ours */
	bool is_known[ENTRIES_MAX];
	uint64_t known_size;
};

static uint64_t cuts, opens_cut, acknowledged, recovered;

static void broken(const struct life *life, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void broken(const struct life *life, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "law broken, seed %" PRIu64 ": ", life->seed);
	vfprintf(stderr, fmt, args);
	fprintf(stderr, "\n");
	va_end(args);
	abort();
}

static int64_t clock_now(void *context)
{
	struct life *life = context;

	return life->clock_ms += (int64_t)(test_random(&life->random) % 20);
}

static void know(struct life *life, uint64_t index, uint64_t id)
{
	if (index >= ENTRIES_MAX)
		broken(life, "index %" PRIu64 " out of bounds", index);
	if (life->is_known[index] && life->ids[index] != id)
		broken(life, "entry %" PRIu64 " was %" PRIu64 " and is %" PRIu64, index,
			life->ids[index], id);
	life->is_known[index] = true;
	life->ids[index] = id;
	if (index >= life->known_size)
		life->known_size = index + 1;
}

static void done(struct record_append *append)
{
	struct pending *pending = append->context;

	pending->is_busy = false;
	if (!append->is_durable)
		return;
	acknowledged++;
	know(pending->life, append->index, pending->id);
}

static void submit(struct life *life)
{
	struct pending *pending = NULL;
	struct text content;
	struct error err = {0};
	bool has_content = test_random(&life->random) % 4 == 0;

	for (int i = 0; i < PENDING_MAX; i++) {
		if (!life->pending[i].is_busy)
			pending = &life->pending[i];
	}
	if (pending == NULL)
		return;
	for (size_t i = 0; i < sizeof pending->content; i++)
		pending->content[i] = (uint8_t)(life->next_id * 31 + i);
	content = (struct text){
		(const char *)pending->content, 1 + test_random(&life->random) % 3000};
	pending->life = life;
	pending->id = life->next_id++;
	buffer_reset(&pending->entry);
	test_entry_format(&pending->entry, record_stamp_utc_ms(life->log), pending->id,
		100 + test_random(&life->random) % 2000, has_content ? &content : NULL);
	pending->append = (struct record_append){.entry = buffer_text(&pending->entry),
		.content = has_content ? content : (struct text){0},
		.done = done,
		.context = pending};
	pending->is_busy = record_submit(life->log, &pending->append, &err);
}

static struct record_log_options options_of(struct life *life, struct simulated_disk *disk)
{
	return (struct record_log_options){.disk = simulated_disk_port(disk),
		.signer = &life->signer.port,
		.wall_utc_ms = clock_now,
		.monotonic_ms = clock_now,
		.clock_context = life,
		.version = TEXT("test"),
		.segment_bytes = RECORD_SEGMENT_BYTES_MIN,
		.checkpoint_interval_ms = 40};
}

/* Works on the log until the power goes, or for long enough. */
static void work(struct life *life)
{
	uint64_t turns = test_random(&life->random) % 12;

	for (uint64_t turn = 0; turn < turns && !simulated_disk_is_cut(life->disk); turn++) {
		for (uint64_t n = test_random(&life->random) % 4; n > 0; n--)
			submit(life);
		for (uint64_t n = 1 + test_random(&life->random) % 6; n > 0; n--)
			(void)record_step(life->log);
	}
}

/* What an outsider would say, with the signer's key alone. */
static void verify(struct life *life, struct simulated_disk *disk)
{
	struct audit_source source = test_source_of(simulated_disk_port(disk));
	struct audit_demands demands = {.keys = &life->signer.key, .key_count = 1};
	struct audit_report report;
	struct error err = {0};

	if (!audit_verify(&report, &source, &demands, &err))
		broken(life, "verifying: %s", err.text);
	if (report.fault != AUDIT_SOUND)
		broken(life, "verifying: %s, %s at %" PRIu64, report.text, report.file,
			report.offset);
}

/* Reads all that a copy of the disk recovers to, and judges it. */
static void judge(struct life *life)
{
	struct simulated_disk *copy = simulated_disk_after_crash(life->disk, 1);
	struct record_log_options options = options_of(life, copy);
	struct record_reader *reader;
	struct record_entry entry;
	struct test_signer signer = life->signer;
	struct error err = {0};
	uint64_t id, last_id = 0, size;
	bool is_end;

	signer.port.context = &signer; /* what the copy signs is forgotten */
	options.signer = &signer.port;
	options.version = TEXT("judge");
	options.known_size = life->known_size;
	if (!record_log_open_stepped(&life->log, &options, &err))
		broken(life, "recovery: %s", err.text);
	size = record_log_size(life->log);
	if (!record_reader_open(&reader, life->log, 0, &err))
		broken(life, "reader: %s", err.text);
	for (uint64_t i = 0; i < size; i++) {
		if (!record_reader_next(reader, &entry, &is_end, &err) || is_end)
			broken(life, "reading %" PRIu64 ": %s", i, err.text);
		if (memmem(entry.entry.data, entry.entry.length, "\"judge\"", 7) != NULL) {
			size = i; /* from here on written by this opening */
			break;
		}
		if (!test_entry_id(entry.entry, &id))
			id = 0;
		if (id != 0 && id <= last_id)
			broken(life, "entry %" PRIu64 " out of order", i);
		if (id >= life->next_id)
			broken(life, "entry %" PRIu64 " was never submitted", i);
		last_id = id != 0 ? id : last_id;
		know(life, i, id);
		recovered++;
	}
	record_reader_close(&reader);
	record_log_close(&life->log);
	if (size < life->known_size)
		broken(life, "%" PRIu64 " entries known, %" PRIu64 " recovered", life->known_size,
			size);
	if (signer.conflict_count != 0)
		broken(life, "a fork was offered for signing");
	verify(life, copy);
	simulated_disk_destroy(&copy);
}

static void crash(struct life *life)
{
	struct simulated_disk *after;
	uint64_t range = test_random(&life->random) % 3 == 0 ? 60 : 400;
	uint64_t at =
		simulated_disk_operations(life->disk) + 1 + test_random(&life->random) % range;
	struct record_log_options options = options_of(life, life->disk);
	struct error err = {0};

	simulated_disk_cut_power_at(life->disk, at);
	if (record_log_open_stepped(&life->log, &options, &err))
		work(life);
	else if (!simulated_disk_is_cut(life->disk))
		broken(life, "opening: %s", err.text);
	else
		opens_cut++;
	simulated_disk_cut_power_at(life->disk, 1);
	if (life->log != NULL)
		(void)record_step(life->log); /* answers what is queued: nothing durable */
	record_log_close(&life->log);
	for (int i = 0; i < PENDING_MAX; i++) {
		if (life->pending[i].is_busy)
			broken(life, "a submission was never answered");
	}
	if (life->signer.conflict_count != 0)
		broken(life, "a fork was offered for signing");
	after = simulated_disk_after_crash(life->disk, test_random(&life->random));
	simulated_disk_destroy(&life->disk);
	life->disk = after;
	judge(life);
	cuts++;
}

static void live(struct life *life, uint64_t seed, uint64_t crashes)
{
	memset(life, 0, sizeof *life);
	life->seed = seed;
	life->random = seed;
	life->clock_ms = 1700000000000;
	life->next_id = 1;
	life->disk = simulated_disk_create();
	test_signer_init(&life->signer, "test/audit");
	for (int i = 0; i < PENDING_MAX; i++)
		buffer_init(&life->pending[i].entry, ENTRY_BYTES_LIMIT);
	for (uint64_t i = 0; i < crashes; i++)
		crash(life);
	for (int i = 0; i < PENDING_MAX; i++)
		buffer_deinit(&life->pending[i].entry);
	simulated_disk_destroy(&life->disk);
	test_signer_deinit(&life->signer);
}

/* usage: crash_test [CRASHES [FIRST_SEED]]; REMIT_CRASHES goes before the first,
 * REMIT_SEED is added to the second. */
int main(int argc, char **argv)
{
	uint64_t given = argc > 1 ? strtoull(argv[1], NULL, 10) : CRASHES_DEFAULT;
	uint64_t crashes = number_given("REMIT_CRASHES", share_of(given));
	uint64_t seed =
		(argc > 2 ? strtoull(argv[2], NULL, 10) : 1) + number_given("REMIT_SEED", 0);
	struct life *life = calloc(1, sizeof *life);

	if (life == NULL)
		return 1;
	for (; cuts < crashes; seed++)
		live(life, seed, CRASHES_PER_LIFE);
	free(life);
	printf("%" PRIu64 " crashes (%" PRIu64 " while opening), %" PRIu64
	       " entries acknowledged, %" PRIu64 " read back\n",
		cuts, opens_cut, acknowledged, recovered);
	/* a run that never acknowledged anything would prove nothing */
	return acknowledged > crashes && opens_cut > 0 ? 0 : 1;
}
