/* The verifier, on logs the real writer made on a simulated disk. */
#include "domain/audit/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "audit_support.h"
#include "domain/audit/tile_check.h"
#include "services/record/record_private.h"
#include "simulated_disk.h"

enum { ENTRIES = 300 };

struct fixture {
	struct simulated_disk *disk;
	struct test_signer signer;
	struct record_log *log;
	struct arena *arena;
	struct text seen;
};

static int64_t never(void *context)
{
	(void)context;
	return 0; /* no checkpoint but the first and the last */
}

static bool open_log(struct fixture *fixture)
{
	struct record_log_options options = {.disk = simulated_disk_port(fixture->disk),
		.signer = &fixture->signer.port,
		.monotonic_ms = never,
		.version = TEXT("t"),
		.segment_bytes = RECORD_SEGMENT_BYTES_MIN};
	struct error err = {0};

	return record_log_open_stepped(&fixture->log, &options, &err);
}

static void nothing(struct record_append *append)
{
	assert_true(append->is_durable);
}

static void append(struct fixture *fixture, uint64_t id)
{
	struct record_append append = {.done = nothing};
	struct text content = TEXT("sealed bytes of some length");
	struct buffer entry;
	struct error err = {0};

	buffer_init(&entry, 4096);
	test_entry_format(
		&entry, record_stamp_utc_ms(fixture->log), id, 150, id % 10 == 0 ? &content : NULL);
	append.entry = buffer_text(&entry);
	append.content = id % 10 == 0 ? content : (struct text){0};
	assert_true(record_submit(fixture->log, &append, &err));
	(void)record_step(fixture->log);
	buffer_deinit(&entry);
}

static void publish(struct fixture *fixture)
{
	struct error err = {0};

	assert_true(record_publish(fixture->log, &err));
}

static void read_seen(struct fixture *fixture)
{
	struct error err = {0};

	assert_true(disk_read_file(simulated_disk_port(fixture->disk), "audit/checkpoint", 4096,
		fixture->arena, &fixture->seen, &err));
}

static int set_up(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof fixture);
	fixture.disk = simulated_disk_create();
	fixture.arena = arena_create(1024 * 1024);
	test_signer_init(&fixture.signer, "log.test");
	assert_true(open_log(&fixture));
	for (uint64_t i = 0; i < ENTRIES; i++) {
		append(&fixture, i);
		if (i == 99) {
			publish(&fixture);
			read_seen(&fixture);
		}
	}
	publish(&fixture);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	record_log_close(&fixture->log);
	test_signer_deinit(&fixture->signer);
	simulated_disk_destroy(&fixture->disk);
	arena_destroy(&fixture->arena);
	return 0;
}

static struct audit_report verify_as(struct fixture *fixture, const struct audit_demands *demands)
{
	struct audit_source source = test_source_of(simulated_disk_port(fixture->disk));
	struct audit_report report;
	struct error err = {0};

	if (!audit_verify(&report, &source, demands, &err))
		fail_msg("%s", err.text);
	return report;
}

static struct audit_report verify(struct fixture *fixture)
{
	struct audit_demands demands = {.keys = &fixture->signer.key, .key_count = 1};

	return verify_as(fixture, &demands);
}

static void a_log_made_by_the_writer_is_sound(void **state)
{
	struct audit_report report = verify(*state);

	if (report.fault != AUDIT_SOUND)
		fail_msg("%s %s %s", audit_fault_name(report.fault), report.text, report.file);
	assert_int_equal(report.head.size, ENTRIES + 2);
	assert_int_equal(report.entries, ENTRIES + 2);
	assert_true(report.segments > 1);
	assert_string_equal(report.origin, "log.test");
}

/* Flips a bit in about `wanted` places of the file, always in its first and
 * last bytes; each must be found, in this file. */
static void flip_all(struct fixture *fixture, const char *path, uint64_t wanted)
{
	const struct disk *disk = simulated_disk_port(fixture->disk);
	struct error err = {0};
	uint64_t size, step;
	int file;

	assert_true(disk->open(disk->context, path, DISK_READ, &file, &err));
	assert_true(disk->size(disk->context, file, &size, &err));
	disk->close(disk->context, file);
	step = size / wanted + 1;
	for (uint64_t at = 0; at < size;
		at = at + step < size || at == size - 1 ? at + step : size - 1) {
		struct audit_report report;

		assert_true(simulated_disk_flip(fixture->disk, path, at, at % 8));
		report = verify(fixture);
		if (report.fault == AUDIT_SOUND)
			fail_msg("a flipped bit at %s %llu was not found", path,
				(unsigned long long)at);
		if (strcmp(report.file, path + strlen("audit/")) != 0)
			fail_msg("a flip in %s was reported as %s in %s", path, report.text,
				report.file);
		assert_true(simulated_disk_flip(fixture->disk, path, at, at % 8));
	}
}

static void one_flipped_bit_in_any_file_is_found_there(void **state)
{
	struct fixture *fixture = *state;

	flip_all(fixture, "audit/checkpoint", 40);
	flip_all(fixture, "audit/segments/0000000001", 150);
	flip_all(fixture, "audit/segments/0000000002", 60);
	flip_all(fixture, "audit/tile/0/000", 60);
	flip_all(fixture, "audit/tile/0/001.p/46", 30);
	flip_all(fixture, "audit/tile/1/000.p/1", 32);
	flip_all(fixture, "audit/tile/entries/000", 60);
	flip_all(fixture, "audit/tile/entries/001.p/46", 60);
	assert_int_equal(verify(fixture).fault, AUDIT_SOUND);
}

static void a_damaged_frame_is_named_with_its_record(void **state)
{
	struct fixture *fixture = *state;
	struct audit_report report;

	/* entry 2 has content; entry 3 is the third batch: its payload */
	assert_true(
		simulated_disk_flip(fixture->disk, "audit/segments/0000000001", 3 * 4096 + 100, 1));
	report = verify(fixture);
	assert_int_equal(report.fault, AUDIT_BAD_FRAME);
	assert_string_equal(report.file, "segments/0000000001");
	assert_int_equal(report.offset, 3 * 4096);
	assert_true(report.has_index && report.has_record);
	assert_int_equal(report.index, 3);
	assert_string_equal(report.type, "outcome");
}

static void a_damaged_bundle_is_named_with_its_record(void **state)
{
	struct fixture *fixture = *state;
	struct audit_report report;

	assert_true(simulated_disk_flip(fixture->disk, "audit/tile/entries/001.p/46", 160, 0));
	report = verify(fixture);
	assert_int_equal(report.fault, AUDIT_BAD_TILE);
	assert_true(report.has_index && report.has_record);
	assert_int_equal(report.index, 257);
	assert_string_equal(report.type, "outcome");
	assert_true(report.has_offset && report.offset == 160);
}

static void another_key_does_not_vouch(void **state)
{
	struct fixture *fixture = *state;
	struct test_signer other;
	struct audit_demands demands = {.key_count = 1};
	struct audit_report report;

	test_signer_init(&other, "log.test");
	demands.keys = &other.key;
	report = verify_as(fixture, &demands);
	assert_int_equal(report.fault, AUDIT_BAD_CHECKPOINT);
	test_signer_deinit(&other);
}

static void unsigned_entries_are_a_fault_unless_allowed(void **state)
{
	struct fixture *fixture = *state;
	struct audit_demands demands = {
		.keys = &fixture->signer.key, .key_count = 1, .tail = AUDIT_ALLOW_TAIL};
	struct audit_report report;

	append(fixture, 1000);
	report = verify(fixture);
	assert_int_equal(report.fault, AUDIT_TAIL);
	report = verify_as(fixture, &demands);
	assert_int_equal(report.fault, AUDIT_SOUND);
	assert_int_equal(report.entries, report.head.size + 1);
}

/* A log that is written and published while it is verified: before its operation number `at`. */
struct growing {
	struct audit_source source;
	struct fixture *fixture;
	int at;
};

static void grow(struct growing *growing)
{
	if (--growing->at != 0)
		return;
	for (uint64_t i = 0; i < 300; i++)
		append(growing->fixture, 2000 + i);
	publish(growing->fixture);
}

static bool growing_read(
	void *context, const char *path, struct arena *arena, struct text *out, struct error *err)
{
	struct growing *growing = context;

	grow(growing);
	return growing->source.read(growing->source.context, path, arena, out, err);
}

static bool growing_list(void *context, const char *path, struct arena *arena,
	struct audit_name **out_names, size_t *out_count, struct error *err)
{
	struct growing *growing = context;

	grow(growing);
	return growing->source.list(
		growing->source.context, path, arena, out_names, out_count, err);
}

static void what_is_published_meanwhile_is_no_fault(void **state)
{
	struct fixture *fixture = *state;
	struct audit_demands demands = {
		.keys = &fixture->signer.key, .key_count = 1, .tail = AUDIT_ALLOW_TAIL};
	struct growing growing = {
		.source = test_source_of(simulated_disk_port(fixture->disk)), .fixture = fixture};
	const struct audit_source source = {&growing, growing_read, growing_list};
	struct audit_report report;
	struct error err = {0};

	for (int at = 1; at <= 40; at++) {
		growing.at = at;
		if (!audit_verify(&report, &source, &demands, &err))
			fail_msg("%s", err.text);
		if (report.fault != AUDIT_SOUND)
			fail_msg("%d: %s %s %s", at, audit_fault_name(report.fault), report.text,
				report.file);
		assert_true(growing.at <= 0); /* it had so many operations */
	}
}

static void a_torn_tail_is_a_fault_unless_allowed(void **state)
{
	struct fixture *fixture = *state;
	struct audit_demands demands = {
		.keys = &fixture->signer.key, .key_count = 1, .tail = AUDIT_ALLOW_TAIL};
	struct audit_report report;

	append(fixture, 1001);
	/* the newest batch, wherever it lies: damage the first byte of its payload */
	for (uint64_t at = 0; at < RECORD_SEGMENT_BYTES_MIN; at += 4096) {
		char path[SEGMENT_PATH_BYTES];

		for (uint64_t number = 1; number < 40; number++) {
			segment_path(path, number);
			if (!simulated_disk_flip(fixture->disk, path, at + 70, 0))
				break;
			report = verify(fixture);
			if (report.fault == AUDIT_TAIL && report.has_torn_tail) {
				report = verify_as(fixture, &demands);
				assert_int_equal(report.fault, AUDIT_SOUND);
				assert_true(report.has_torn_tail);
				return;
			}
			assert_true(simulated_disk_flip(fixture->disk, path, at + 70, 0));
		}
	}
	fail_msg("no torn tail was found");
}

static void a_rollback_behind_a_seen_checkpoint_is_found(void **state)
{
	struct fixture *fixture = *state;
	struct audit_demands demands = {.keys = &fixture->signer.key, .key_count = 1};
	struct simulated_disk *old, *now;

	while (record_step(fixture->log)) /* tiles are synced lazily */
		;
	old = simulated_disk_after_crash(fixture->disk, 1);
	for (uint64_t i = 0; i < 5; i++)
		append(fixture, 2000 + i);
	publish(fixture);
	read_seen(fixture);
	demands.seen = fixture->seen;
	assert_int_equal(verify_as(fixture, &demands).fault, AUDIT_SOUND);
	now = fixture->disk;
	fixture->disk = old;
	assert_int_equal(verify(fixture).fault, AUDIT_SOUND); /* in itself it is whole */
	assert_int_equal(verify_as(fixture, &demands).fault, AUDIT_ROLLED_BACK);
	fixture->disk = now;
	simulated_disk_destroy(&old);
}

static void a_seen_checkpoint_of_another_history_is_a_fork(void **state)
{
	struct fixture *fixture = *state;
	struct audit_demands demands = {.keys = &fixture->signer.key, .key_count = 1};
	struct tree_head other = {.size = 50, .root = sha256_of("x", 1)};
	struct merkle_proof proof = {0};
	struct buffer note;
	struct error err = {0};

	demands.seen = fixture->seen;
	assert_int_equal(verify_as(fixture, &demands).fault, AUDIT_SOUND);
	buffer_init(&note, 4096);
	fixture->signer.last = (struct tree_head){.root = merkle_empty_root()};
	assert_true(fixture->signer.port.sign(&fixture->signer, &other, &proof, &note, &err));
	demands.seen = buffer_text(&note);
	assert_int_equal(verify_as(fixture, &demands).fault, AUDIT_FORKED);
	buffer_deinit(&note);
}

static void missing_and_foreign_files_are_found(void **state)
{
	static const char *const needed[] = {"audit/checkpoint", "audit/segments/0000000001",
		"audit/segments/0000000002", "audit/tile/0/000", "audit/tile/0/001.p/46",
		"audit/tile/entries/000", "audit/tile/entries/001.p/46", "audit/tile/1/000.p/1"};
	static const char *const foreign[] = {"audit/notes", "audit/segments/0000000099",
		"audit/segments/x", "audit/tile/0/002", "audit/tile/0/001.p/47",
		"audit/tile/0/000.txt"};
	struct fixture *fixture = *state;
	const struct disk *disk = simulated_disk_port(fixture->disk);
	struct error err = {0};
	int file;

	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
		assert_true(disk->rename(disk->context, needed[i], "kept", &err));
		assert_int_not_equal(verify(fixture).fault, AUDIT_SOUND);
		assert_true(disk->rename(disk->context, "kept", needed[i], &err));
	}
	for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
		assert_true(disk->open(disk->context, foreign[i], DISK_WRITE, &file, &err));
		disk->close(disk->context, file);
		assert_int_not_equal(verify(fixture).fault, AUDIT_SOUND);
		assert_true(disk->remove(disk->context, foreign[i], &err));
	}
	assert_int_equal(verify(fixture).fault, AUDIT_SOUND);
}

static void the_public_files_alone_verify_too(void **state)
{
	struct fixture *fixture = *state;
	const struct disk *disk = simulated_disk_port(fixture->disk);
	struct error err = {0};
	struct audit_report report;

	assert_true(disk->rename(disk->context, "audit/segments/0000000001", "one", &err));
	assert_true(disk->rename(disk->context, "audit/segments/0000000002", "two", &err));
	for (uint64_t number = 3; number < 40; number++) {
		char path[SEGMENT_PATH_BYTES];

		segment_path(path, number);
		if (!disk->rename(disk->context, path, "more", &err))
			break;
	}
	report = verify(fixture);
	if (report.fault != AUDIT_SOUND)
		fail_msg("%s in %s", report.text, report.file);
	assert_int_equal(report.segments, 0);
	assert_true(simulated_disk_flip(fixture->disk, "audit/tile/entries/000", 300, 2));
	assert_int_not_equal(verify(fixture).fault, AUDIT_SOUND);
}

/* ---- who is told each entry ---- */

struct told {
	uint64_t entries;
	uint64_t contents;
	uint64_t refuse_at; /* UINT64_MAX: never */
};

static bool note_entry(void *context, const struct audit_entry *entry, struct error *err)
{
	struct told *told = context;
	uint64_t id;

	assert_int_equal(entry->index, told->entries);
	if (entry->index == told->refuse_at)
		return error_set(err, ERROR_LIMIT, "no more");
	told->entries++;
	told->contents += entry->content.length > 0;
	if (test_entry_id(entry->entry, &id))
		assert_int_equal(entry->content.length > 0, entry->has_contents && id % 10 == 0);
	return true;
}

static void a_visitor_is_told_each_entry_with_what_lies_beside_it(void **state)
{
	struct fixture *fixture = *state;
	struct told told = {.refuse_at = UINT64_MAX};
	const struct audit_visitor visitor = {&told, note_entry};
	struct audit_demands demands = {
		.keys = &fixture->signer.key, .key_count = 1, .visitor = &visitor};

	assert_int_equal(verify_as(fixture, &demands).fault, AUDIT_SOUND);
	assert_int_equal(told.entries, ENTRIES + 2);
	assert_int_equal(told.contents, ENTRIES / 10);
}

static void a_visitor_that_fails_ends_the_check(void **state)
{
	struct fixture *fixture = *state;
	struct audit_source source = test_source_of(simulated_disk_port(fixture->disk));
	struct told told = {.refuse_at = 7};
	const struct audit_visitor visitor = {&told, note_entry};
	const struct audit_demands demands = {
		.keys = &fixture->signer.key, .key_count = 1, .visitor = &visitor};
	struct audit_report report;
	struct error err = {0};

	assert_false(audit_verify(&report, &source, &demands, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_int_equal(told.entries, 7);
}

static void a_visitor_is_not_told_what_is_damaged(void **state)
{
	struct fixture *fixture = *state;
	struct told told = {.refuse_at = UINT64_MAX};
	const struct audit_visitor visitor = {&told, note_entry};
	const struct audit_demands demands = {
		.keys = &fixture->signer.key, .key_count = 1, .visitor = &visitor};

	assert_true(simulated_disk_flip(fixture->disk, "audit/segments/0000000001", 40000, 3));
	assert_int_not_equal(verify_as(fixture, &demands).fault, AUDIT_SOUND);
	assert_true(told.entries < ENTRIES);
}

#define VERIFY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VERIFY_TEST(one_flipped_bit_in_any_file_is_found_there),
		VERIFY_TEST(a_damaged_frame_is_named_with_its_record),
		VERIFY_TEST(a_damaged_bundle_is_named_with_its_record),
		VERIFY_TEST(another_key_does_not_vouch),
		VERIFY_TEST(unsigned_entries_are_a_fault_unless_allowed),
		VERIFY_TEST(what_is_published_meanwhile_is_no_fault),
		VERIFY_TEST(a_torn_tail_is_a_fault_unless_allowed),
		VERIFY_TEST(a_rollback_behind_a_seen_checkpoint_is_found),
		VERIFY_TEST(a_seen_checkpoint_of_another_history_is_a_fork),
		VERIFY_TEST(missing_and_foreign_files_are_found),
		VERIFY_TEST(the_public_files_alone_verify_too),
		VERIFY_TEST(a_visitor_that_fails_ends_the_check),
		VERIFY_TEST(a_visitor_is_not_told_what_is_damaged),
		VERIFY_TEST(a_visitor_is_told_each_entry_with_what_lies_beside_it),
		VERIFY_TEST(a_log_made_by_the_writer_is_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
