/* A log on a simulated disk, read beside its writer's back. */
#include "services/replay/log_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audit_support.h"
#include "services/record/segments.h"
#include "simulated_disk.h"

enum { ENTRIES = 200, ENTRY_BYTES = 900 };

struct fixture {
	struct simulated_disk *disk;
	struct test_signer signer;
	struct buffer texts[ENTRIES];
	struct record_append appends[ENTRIES];
	uint64_t visited;
	uint64_t size;
	uint64_t told; /* bytes, by progress */
};

static void on_done(struct record_append *append)
{
	(void)append;
}

static void write_log(struct fixture *fixture)
{
	const struct record_log_options options = {.disk = simulated_disk_port(fixture->disk),
		.signer = &fixture->signer.port,
		.version = TEXT("0.0.0"),
		.segment_bytes = RECORD_SEGMENT_BYTES_MIN};
	static const struct text content = {"what lies beside it", 19};
	struct record_log *log = NULL;
	struct error err = {0};

	if (!record_log_open(&log, &options, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < ENTRIES; i++) {
		const struct text *beside = i % 3 == 0 ? &content : NULL;

		buffer_init(&fixture->texts[i], 65536);
		test_entry_format(
			&fixture->texts[i], record_stamp_utc_ms(log), i, ENTRY_BYTES, beside);
		fixture->appends[i].done = on_done;
		fixture->appends[i].entry = buffer_text(&fixture->texts[i]);
		if (beside != NULL)
			fixture->appends[i].content = *beside;
		if (!record_submit(log, &fixture->appends[i], &err))
			fail_msg("%s", err.text);
	}
	record_log_close(&log);
	fixture->size = ENTRIES + 3; /* genesis, start and stop */
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	fixture->disk = simulated_disk_create();
	test_signer_init(&fixture->signer, "log.test");
	write_log(fixture);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ENTRIES; i++)
		buffer_deinit(&fixture->texts[i]);
	test_signer_deinit(&fixture->signer);
	simulated_disk_destroy(&fixture->disk);
	free(fixture);
	return 0;
}

static void note(void *context, uint64_t done_bytes, uint64_t total_bytes)
{
	struct fixture *fixture = context;

	assert_true(done_bytes <= total_bytes && done_bytes >= fixture->told);
	fixture->told = done_bytes;
}

static bool count(void *context, const struct log_entry *entry, struct error *err)
{
	struct fixture *fixture = context;

	(void)err;
	assert_int_equal(entry->index, fixture->visited);
	assert_true(entry->entry.length > 0);
	fixture->visited++;
	return true;
}

/* Entries that were read, or the error. */
static uint64_t entries_of(struct fixture *fixture, struct error *err)
{
	const struct log_visitor visitor = {fixture, count};
	const struct log_progress progress = {fixture, note};

	*err = (struct error){0};
	fixture->told = 0;
	fixture->visited = 0;
	if (log_walk(simulated_disk_port(fixture->disk), &visitor, &progress, err))
		assert_int_equal(err->code, ERROR_NONE);
	return fixture->visited;
}

static bool stop_at_10(void *context, const struct log_entry *entry, struct error *err)
{
	uint64_t *visited = context;

	*visited = entry->index;
	return entry->index < 10 || error_set(err, ERROR_CONFLICT, "enough");
}

static void a_visitor_that_refuses_ends_the_walk_with_its_error(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};
	uint64_t visited = 0;
	const struct log_visitor visitor = {&visited, stop_at_10};

	assert_false(log_walk(simulated_disk_port(fixture->disk), &visitor, NULL, &err));
	assert_int_equal(err.code, ERROR_CONFLICT);
	assert_int_equal(visited, 10);
}

static void where_there_is_no_log_it_says_so(void **state)
{
	struct fixture *fixture = *state;
	struct simulated_disk *kept = fixture->disk;
	struct error err;

	fixture->disk = simulated_disk_create();
	assert_int_equal(entries_of(fixture, &err), 0);
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	simulated_disk_destroy(&fixture->disk);
	fixture->disk = kept;
}

static void a_byte_that_changed_within_it_is_corrupt(void **state)
{
	struct fixture *fixture = *state;
	char path[SEGMENT_PATH_BYTES];
	struct error err;

	segment_path(path, 1);
	assert_true(simulated_disk_flip(fixture->disk, path, 4096 + 100, 3));
	assert_true(entries_of(fixture, &err) < fixture->size);
	assert_int_equal(err.code, ERROR_CORRUPT);
}

static void a_disk_that_fails_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	struct error err;

	for (uint64_t at = 1; at < 12; at++) {
		simulated_disk_fail_at(fixture->disk, simulated_disk_operations(fixture->disk) + at,
			SIMULATED_EIO);
		(void)entries_of(fixture, &err);
		if (err.code == ERROR_NONE)
			assert_int_equal(fixture->visited, fixture->size);
	}
}

static void every_entry_is_read_in_order(void **state)
{
	struct fixture *fixture = *state;
	struct error err;

	assert_int_equal(entries_of(fixture, &err), fixture->size);
	assert_int_equal(err.code, ERROR_NONE);
	assert_true(fixture->told > (uint64_t)ENTRIES * ENTRY_BYTES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(where_there_is_no_log_it_says_so),
		TEST(a_byte_that_changed_within_it_is_corrupt),
		TEST(a_disk_that_fails_is_an_error),
		TEST(a_visitor_that_refuses_ends_the_walk_with_its_error),
		TEST(every_entry_is_read_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
