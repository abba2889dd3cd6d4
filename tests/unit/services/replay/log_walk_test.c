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

/* Else what is in the later ones would be taken for never decided. */
static void a_segment_that_is_gone_before_others_is_corrupt(void **state)
{
	struct fixture *fixture = *state;
	const struct disk *disk = simulated_disk_port(fixture->disk);
	char path[SEGMENT_PATH_BYTES];
	uint64_t segments;
	struct error err;

	assert_true(segments_count(disk, &segments, &err));
	assert_true(segments >= 3);
	segment_path(path, 2);
	assert_true(disk->remove(disk->context, path, &err));
	assert_int_equal(entries_of(fixture, &err), 0);
	assert_int_equal(err.code, ERROR_CORRUPT);
	assert_non_null(strstr(err.text, "segment 2 is missing"));
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

/* ---- beside a writer ---- */

/* The disk as a reader beside a writer sees it: what the first reading of one segment misses was
 * written a moment later. */
struct moment {
	struct disk real;
	char path[SEGMENT_PATH_BYTES];
	size_t from, to; /* which bytes are still zeros */
	bool is_for_ever;
	unsigned readings;
	int file; /* open now; -1: none */
};

static bool open_noted(
	void *context, const char *path, enum disk_mode mode, int *file, struct error *err)
{
	struct moment *moment = context;

	if (!moment->real.open(moment->real.context, path, mode, file, err))
		return false;
	if (strcmp(path, moment->path) == 0)
		moment->file = *file;
	return true;
}

static void close_noted(void *context, int file)
{
	struct moment *moment = context;

	if (file == moment->file)
		moment->file = -1;
	moment->real.close(moment->real.context, file);
}

static bool list_of(void *context, const char *path, struct arena *arena, struct text **out_names,
	size_t *out_count, struct error *err)
{
	struct moment *moment = context;

	return moment->real.list(moment->real.context, path, arena, out_names, out_count, err);
}

static bool size_of(void *context, int file, uint64_t *out_bytes, struct error *err)
{
	struct moment *moment = context;

	return moment->real.size(moment->real.context, file, out_bytes, err);
}

static bool read_early(void *context, struct disk_place from, void *out, size_t size, size_t *got,
	struct error *err)
{
	struct moment *moment = context;

	if (!moment->real.read(moment->real.context, from, out, size, got, err))
		return false;
	if (from.file != moment->file || (moment->readings++ > 0 && !moment->is_for_ever))
		return true;
	for (size_t i = moment->from; i < moment->to && i < *got; i++)
		((uint8_t *)out)[i] = 0;
	return true;
}

static uint64_t entries_at(struct fixture *fixture, struct moment *moment, struct error *err)
{
	const struct log_visitor visitor = {fixture, count};
	const struct log_progress progress = {fixture, note};
	struct disk disk = *simulated_disk_port(fixture->disk);

	moment->real = disk;
	moment->readings = 0;
	moment->file = -1;
	segment_path(moment->path, 1);
	disk.context = moment;
	disk.open = open_noted;
	disk.close = close_noted;
	disk.size = size_of;
	disk.list = list_of;
	disk.read = read_early;
	*err = (struct error){0};
	fixture->told = fixture->visited = 0;
	if (log_walk(&disk, &visitor, &progress, err))
		assert_int_equal(err->code, ERROR_NONE);
	return fixture->visited;
}

/* Where what was written to the first segment ends. */
static size_t written_to(struct fixture *fixture)
{
	struct disk disk = *simulated_disk_port(fixture->disk);
	uint8_t *bytes = malloc(RECORD_SEGMENT_BYTES_MIN);
	char path[SEGMENT_PATH_BYTES];
	struct error err;
	size_t size;
	int file;

	segment_path(path, 1);
	assert_non_null(bytes);
	assert_true(disk.open(disk.context, path, DISK_READ, &file, &err));
	assert_true(disk.read(disk.context, (struct disk_place){file, 0}, bytes,
		RECORD_SEGMENT_BYTES_MIN, &size, &err));
	disk.close(disk.context, file);
	while (size > 0 && bytes[size - 1] == 0)
		size--;
	free(bytes);
	return size;
}

/* The writer was anywhere within the last batches of a segment, and is in the next one by the
 * time that is read. */
static void what_is_written_while_it_is_read_is_no_fault(void **state)
{
	enum { LAST_BYTES = 4096 + 512 };
	struct fixture *fixture = *state;
	size_t end = written_to(fixture);
	struct error err;

	for (size_t cut = end - LAST_BYTES; cut < end; cut++) {
		struct moment moment = {.from = cut, .to = SIZE_MAX};

		assert_int_equal(entries_at(fixture, &moment, &err), fixture->size);
		if (err.code != ERROR_NONE)
			fail_msg("cut at %zu: %s", cut, err.text);
	}
}

/* One reading is not one moment: what is later in it may be younger. */
static void a_page_that_came_after_the_one_behind_it_is_no_fault(void **state)
{
	enum { PAGE_BYTES = 4096 };
	struct fixture *fixture = *state;
	size_t end = written_to(fixture);
	struct error err;

	for (size_t page = 0; page < end; page += PAGE_BYTES) {
		struct moment moment = {.from = page, .to = page + PAGE_BYTES};

		assert_int_equal(entries_at(fixture, &moment, &err), fixture->size);
		if (err.code != ERROR_NONE)
			fail_msg("without the page at %zu: %s", page, err.text);
		moment.is_for_ever = true; /* then it is one */
		assert_true(entries_at(fixture, &moment, &err) < fixture->size);
		assert_int_equal(err.code, ERROR_CORRUPT);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(where_there_is_no_log_it_says_so),
		TEST(a_byte_that_changed_within_it_is_corrupt),
		TEST(a_disk_that_fails_is_an_error),
		TEST(a_segment_that_is_gone_before_others_is_corrupt),
		TEST(a_visitor_that_refuses_ends_the_walk_with_its_error),
		TEST(every_entry_is_read_in_order),
		TEST(what_is_written_while_it_is_read_is_no_fault),
		TEST(a_page_that_came_after_the_one_behind_it_is_no_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
