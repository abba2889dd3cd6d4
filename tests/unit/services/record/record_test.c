/* The log through its header, on a simulated disk. */
#include "services/record/record.h"

#include <assert.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audit_support.h"
#include "domain/audit/receipt.h"
#include "services/record/key_file.h"
#include "services/record/publisher.h"
#include "services/record/record_private.h"
#include "services/record/segments.h"
#include "services/record/tile_nodes.h"
#include "simulated_disk.h"

struct fixture {
	struct simulated_disk *disk;
	struct test_signer signer;
	struct record_log *log;
	struct arena *arena;
	int64_t wall_ms;
	int64_t monotonic_ms;
	uint64_t done_count;
	uint64_t last_index;
	struct error last_err;
	bool last_is_durable;
};

static int64_t wall(void *context)
{
	return ((struct fixture *)context)->wall_ms;
}

static int64_t monotonic(void *context)
{
	return ((struct fixture *)context)->monotonic_ms += 1000;
}

static struct record_log_options options_of(struct fixture *fixture)
{
	return (struct record_log_options){.disk = simulated_disk_port(fixture->disk),
		.signer = &fixture->signer.port,
		.wall_utc_ms = wall,
		.monotonic_ms = monotonic,
		.clock_context = fixture,
		.version = TEXT("0.0.0"),
		.segment_bytes = RECORD_SEGMENT_BYTES_MIN};
}

static bool open_log(struct fixture *fixture, struct error *err)
{
	struct record_log_options options = options_of(fixture);

	return record_log_open_stepped(&fixture->log, &options, err);
}

static int set_up(void **state)
{
	static struct fixture fixture;
	struct error err = {0};

	memset(&fixture, 0, sizeof fixture);
	fixture.disk = simulated_disk_create();
	fixture.arena = arena_create(64 * 1024 * 1024);
	fixture.wall_ms = 1700000000000;
	test_signer_init(&fixture.signer, "log.test");
	assert_true(open_log(&fixture, &err));
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

static void note_done(struct record_append *append)
{
	struct fixture *fixture = append->context;

	fixture->done_count++;
	fixture->last_index = append->index;
	fixture->last_is_durable = append->is_durable;
	fixture->last_err = append->err;
}

static struct text entry_of(
	struct fixture *fixture, uint64_t id, size_t size, const struct text *content)
{
	struct buffer buffer;
	struct text copy;

	buffer_init(&buffer, 128 * 1024);
	test_entry_format(&buffer, record_stamp_utc_ms(fixture->log), id, size, content);
	copy = text_copy(fixture->arena, buffer_text(&buffer));
	buffer_deinit(&buffer);
	return copy;
}

static struct record_append append_of(struct fixture *fixture, struct text entry)
{
	return (struct record_append){.entry = entry, .done = note_done, .context = fixture};
}

/* Submits, and steps until there is nothing left to do. */
static bool append_now(struct fixture *fixture, struct record_append *append)
{
	struct error err = {0};

	if (!record_submit(fixture->log, append, &err))
		return false;
	for (int i = 0; i < 100000 && record_step(fixture->log); i++)
		;
	return fixture->last_is_durable;
}

static bool add(struct fixture *fixture, uint64_t id, size_t size)
{
	struct record_append append = append_of(fixture, entry_of(fixture, id, size, NULL));

	return append_now(fixture, &append);
}

static void reopen(struct fixture *fixture)
{
	struct error err = {0};

	record_log_close(&fixture->log);
	if (!open_log(fixture, &err))
		fail_msg("%s", err.text);
}

static void what_is_not_a_canonical_record_is_refused(void **state)
{
	static const char *const bad[] = {"", "{}", "text",
		"{\"at\":1,\"actor\":\"remit\",\"type\":\"start\"}",
		"{\"actor\":\"remit\",\"at\":1,\"content\":\"sha256:"
		"0000000000000000000000000000000000000000000000000000000000000000\",\"type\":"
		"\"start\"}"};
	struct fixture *fixture = *state;
	struct error err = {0};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct record_append append = append_of(fixture, text_of(bad[i]));

		assert_false(record_submit(fixture->log, &append, &err));
		assert_int_equal(err.code, ERROR_INVALID);
	}
	assert_int_equal(record_log_size(fixture->log), 2);
	assert_int_equal(fixture->done_count, 0);
}

/* What comes with its value is not read again, but checked all the same. */
static void a_value_without_the_common_members_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct json_member members[] = {{TEXT("actor"), json_cstring("nobody in particular")},
		{TEXT("at"), json_integer(1)}, {TEXT("type"), json_cstring("start")}};
	struct json record = {.type = JSON_OBJECT, .count = 3, .members = members};
	struct record_append append = append_of(
		fixture, TEXT("{\"actor\":\"nobody in particular\",\"at\":1,\"type\":\"start\"}"));
	struct error err = {0};

	append.record = &record;
	assert_false(record_submit(fixture->log, &append, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_int_equal(fixture->done_count, 0);
}

/* Nor is what comes with its common members. */
static void common_members_that_are_none_are_refused(void **state)
{
	const struct envelope good = {
		.at_utc_ms = 1, .type_name = TEXT("start"), .actor = TEXT("remit")};
	struct fixture *fixture = *state;
	struct envelope bad[7];
	struct record_append append = append_of(fixture, entry_of(fixture, 1, 0, NULL));
	struct error err = {0};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		bad[i] = good;
	bad[0].at_utc_ms = -1;
	bad[1].type_name = TEXT("Start");
	bad[2].actor = TEXT("nobody in particular");
	bad[3].task = TEXT("");
	bad[4].task = TEXT("t-0123456789012345678901234567890123456789012345678901234567890123");
	bad[5].content = TEXT("sha256:0");
	bad[6].content = TEXT("sha256:"
			      "0000000000000000000000000000000000000000000000000000000000000000");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		append.common = &bad[i];
		assert_false(record_submit(fixture->log, &append, &err));
		assert_int_equal(err.code, ERROR_INVALID);
	}
	append.common = &good;
	append.content = TEXT("bytes that no member names");
	assert_false(record_submit(fixture->log, &append, &err));
	assert_int_equal(fixture->done_count, 0);
	append.content = (struct text){0};
	assert_true(append_now(fixture, &append));
	assert_int_equal(record_log_size(fixture->log), 3);
}

static void content_other_than_the_one_named_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct text content = TEXT("sealed bytes");
	struct record_append append = append_of(fixture, entry_of(fixture, 1, 0, &content));

	append.content = TEXT("other bytes!");
	assert_false(append_now(fixture, &append));
	assert_int_equal(fixture->done_count, 1);
	assert_int_equal(fixture->last_err.code, ERROR_INVALID);
	assert_int_equal(record_log_size(fixture->log), 2);
}

static void an_entry_one_byte_too_long_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct record_append append =
		append_of(fixture, entry_of(fixture, 1, RECORD_ENTRY_BYTES_MAX, NULL));
	struct error err = {0};

	while (append.entry.length < RECORD_ENTRY_BYTES_MAX)
		append.entry = entry_of(fixture, 1, append.entry.length + 20 + 1, NULL);
	while (append.entry.length > RECORD_ENTRY_BYTES_MAX)
		append.entry = entry_of(fixture, 1, append.entry.length + 20 - 21, NULL);
	append.entry.length = RECORD_ENTRY_BYTES_MAX + 1;
	assert_false(record_submit(fixture->log, &append, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
}

static void a_full_queue_refuses_and_keeps_what_it_took(void **state)
{
	struct fixture *fixture = *state;
	struct record_log_options options = options_of(fixture);
	struct record_append appends[4];
	struct error err = {0};

	record_log_close(&fixture->log);
	options.queue_entries = 3;
	assert_true(record_log_open_stepped(&fixture->log, &options, &err));
	for (uint64_t i = 0; i < 4; i++)
		appends[i] = append_of(fixture, entry_of(fixture, i, 0, NULL));
	for (int i = 0; i < 3; i++)
		assert_true(record_submit(fixture->log, &appends[i], &err));
	assert_false(record_submit(fixture->log, &appends[3], &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	(void)record_step(fixture->log);
	assert_int_equal(fixture->done_count, 3);
	assert_true(record_submit(fixture->log, &appends[3], &err));
	(void)record_step(fixture->log);
	assert_int_equal(fixture->done_count, 4);
}

static void what_is_queued_together_is_one_batch(void **state)
{
	struct fixture *fixture = *state;
	struct record_append appends[50];
	struct record_log_status status;
	struct error err = {0};

	for (uint64_t i = 0; i < 50; i++) {
		appends[i] = append_of(fixture, entry_of(fixture, i, 200, NULL));
		assert_true(record_submit(fixture->log, &appends[i], &err));
	}
	(void)record_step(fixture->log);
	record_log_status(fixture->log, &status);
	assert_int_equal(status.batches, 1);
	for (uint64_t i = 0; i < 50; i++)
		assert_int_equal(appends[i].index, 2 + i);
}

static void acknowledged_entries_are_on_the_platter(void **state)
{
	struct fixture *fixture = *state;
	struct text entry = entry_of(fixture, 77, 300, NULL);
	struct record_append append = append_of(fixture, entry);

	assert_false(simulated_disk_has_durable(
		fixture->disk, "audit/segments/", entry.data, entry.length));
	assert_true(append_now(fixture, &append));
	assert_true(simulated_disk_has_durable(
		fixture->disk, "audit/segments/", entry.data, entry.length));
}

static void entries_read_back_by_index_and_in_order_over_segments(void **state)
{
	struct fixture *fixture = *state;
	struct record_reader *reader;
	struct record_entry entry;
	struct error err = {0};
	uint64_t id;
	bool is_end;

	for (uint64_t i = 2; i < 300; i++)
		assert_true(add(fixture, i, 900));
	for (int round = 0; round < 2; round++) {
		uint64_t size = record_log_size(fixture->log);

		for (uint64_t i = 2; i < 300; i += 7) {
			assert_true(record_read(fixture->log, i, fixture->arena, &entry, &err));
			assert_true(test_entry_id(entry.entry, &id) && id == i);
			arena_reset(fixture->arena);
		}
		assert_false(record_read(fixture->log, size, fixture->arena, &entry, &err));
		assert_int_equal(err.code, ERROR_NOT_FOUND);
		assert_true(record_reader_open(&reader, fixture->log, 100, &err));
		for (uint64_t i = 100; i < size; i++) {
			assert_true(record_reader_next(reader, &entry, &is_end, &err));
			assert_false(is_end);
			assert_int_equal(entry.index, i);
		}
		assert_true(record_reader_next(reader, &entry, &is_end, &err) && is_end);
		if (round == 0) {
			assert_true(add(fixture, size, 400));
			assert_true(record_reader_next(reader, &entry, &is_end, &err) && !is_end);
			assert_true(test_entry_id(entry.entry, &id) && id == size);
		}
		record_reader_close(&reader);
		reopen(fixture); /* older segments are now not scanned, but marked on demand */
	}
}

static void content_reads_back_beside_its_entry(void **state)
{
	struct fixture *fixture = *state;
	struct text content = TEXT("sealed bytes, \0 and all"), found;
	struct record_append append = append_of(fixture, entry_of(fixture, 1, 0, &content));
	struct record_entry entry;
	struct error err = {0};

	append.content = content;
	assert_true(append_now(fixture, &append));
	assert_true(record_read(fixture->log, append.index, fixture->arena, &entry, &err));
	assert_true(entry.has_content);
	assert_true(record_read_content(fixture->log, append.index, fixture->arena, &found, &err));
	assert_true(text_equal(found, content));
	assert_false(record_read_content(fixture->log, 0, fixture->arena, &found, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void content_larger_than_a_segment_gets_one_of_its_own(void **state)
{
	struct fixture *fixture = *state;
	size_t size = 3 * RECORD_SEGMENT_BYTES_MIN;
	char *bytes = arena_array(fixture->arena, char, size);
	struct text content = {bytes, size}, found;
	struct record_append append;
	struct error err = {0};

	memset(bytes, 'z', size);
	append = append_of(fixture, entry_of(fixture, 1, 0, &content));
	append.content = content;
	assert_true(append_now(fixture, &append));
	assert_true(add(fixture, 2, 500));
	reopen(fixture);
	assert_true(record_read_content(fixture->log, append.index, fixture->arena, &found, &err));
	assert_true(text_equal(found, content));
}

static void a_receipt_verifies_offline_for_every_entry(void **state)
{
	struct fixture *fixture = *state;
	struct checkpoint checkpoint;
	struct receipt receipt;
	struct buffer file;
	struct error err = {0};

	for (uint64_t i = 2; i < 300; i++)
		assert_true(add(fixture, i, 60));
	buffer_init(&file, RECEIPT_BYTES_MAX);
	for (uint64_t i = 0; i < 300; i += 13) {
		buffer_reset(&file);
		if (!record_receipt(fixture->log, i, &file, &err))
			fail_msg("%s", err.text);
		assert_true(receipt_parse(&receipt, fixture->arena, buffer_text(&file), &err));
		assert_true(receipt_verify(
			&checkpoint, fixture->arena, &receipt, &fixture->signer.key, 1, &err));
		assert_int_equal(receipt.index, i);
		receipt.index ^= 1;
		assert_false(receipt_verify(
			&checkpoint, fixture->arena, &receipt, &fixture->signer.key, 1, &err));
		arena_reset(fixture->arena);
	}
	buffer_deinit(&file);
}

static void an_unsigned_entry_has_no_receipt_yet(void **state)
{
	struct fixture *fixture = *state;
	struct record_append append = append_of(fixture, entry_of(fixture, 5, 0, NULL));
	struct record_log_status status;
	struct buffer file;
	struct error err = {0};

	fixture->signer.refuses = true;
	assert_true(append_now(fixture, &append));
	buffer_init(&file, RECEIPT_BYTES_MAX);
	assert_false(record_receipt(fixture->log, append.index, &file, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	fixture->signer.refuses = false;
	for (int i = 0; i < 10; i++)
		(void)record_step(fixture->log);
	assert_true(record_receipt(fixture->log, append.index, &file, &err));
	record_log_status(fixture->log, &status);
	assert_true(status.publish_errors > 0);
	assert_int_equal(status.signed_size, status.size);
	buffer_deinit(&file);
}

static void time_never_runs_backwards_not_even_over_a_restart(void **state)
{
	struct fixture *fixture = *state;
	int64_t stamp;

	fixture->wall_ms = 1800000000000;
	stamp = record_stamp_utc_ms(fixture->log);
	assert_true(stamp == 1800000000000);
	assert_true(add(fixture, 1, 0));
	fixture->wall_ms = 1600000000000;
	assert_true(record_stamp_utc_ms(fixture->log) == stamp);
	reopen(fixture);
	assert_true(record_stamp_utc_ms(fixture->log) == stamp);
}

static void the_first_failed_sync_is_final(void **state)
{
	struct fixture *fixture = *state;
	struct record_append first = append_of(fixture, entry_of(fixture, 1, 0, NULL));
	struct record_append second = append_of(fixture, entry_of(fixture, 2, 0, NULL));
	struct error err = {0};

	/* an append is one write and one sync */
	simulated_disk_fail_at(
		fixture->disk, simulated_disk_operations(fixture->disk) + 2, SIMULATED_EIO);
	assert_true(record_submit(fixture->log, &first, &err));
	assert_true(record_submit(fixture->log, &second, &err));
	(void)record_step(fixture->log);
	assert_int_equal(fixture->done_count, 2);
	assert_false(first.is_durable);
	assert_false(second.is_durable);
	assert_int_equal(second.err.code, ERROR_IO);
	assert_true(record_has_failed(fixture->log));
	assert_false(record_submit(fixture->log, &first, &err));
	assert_int_equal(err.code, ERROR_IO);
	reopen(fixture);
	assert_false(record_has_failed(fixture->log));
	assert_true(add(fixture, 3, 0));
}

static void a_full_disk_refuses_but_a_kill_still_fits(void **state)
{
	struct fixture *fixture = *state;
	struct record_append append;
	struct record_log_status status;
	uint64_t id = 10;

	simulated_disk_limit_bytes(
		fixture->disk, simulated_disk_bytes(fixture->disk) + RECORD_SEGMENT_BYTES_MIN / 2);
	while (id < 1000 && add(fixture, id, 1000))
		id++;
	assert_true(id < 1000);
	assert_int_equal(fixture->last_err.code, ERROR_LIMIT);
	assert_false(record_has_failed(fixture->log));
	record_log_status(fixture->log, &status);
	assert_true(status.is_full);
	for (int i = 0; i < 3; i++) {
		append = append_of(fixture, entry_of(fixture, id++, 500, NULL));
		append.urgency = RECORD_RESERVED;
		assert_true(append_now(fixture, &append));
	}
	assert_false(add(fixture, id, 1000));
	simulated_disk_limit_bytes(fixture->disk, 0);
	append = append_of(fixture, entry_of(fixture, id++, 500, NULL));
	append.urgency = RECORD_RESERVED;
	assert_true(append_now(fixture, &append));
	assert_true(add(fixture, id, 1000));
}

static void a_log_shorter_than_what_was_known_is_not_opened(void **state)
{
	struct fixture *fixture = *state;
	struct record_log_options options = options_of(fixture);
	struct error err = {0};

	record_log_close(&fixture->log);
	options.known_size = 3;
	assert_false(record_log_open_stepped(&fixture->log, &options, &err));
	assert_int_equal(err.code, ERROR_CORRUPT);
	options.known_size = 2;
	assert_true(record_log_open_stepped(&fixture->log, &options, &err));
}

static void a_rolled_back_folder_is_not_opened(void **state)
{
	struct fixture *fixture = *state;
	struct simulated_disk *old;
	struct error err = {0};

	old = simulated_disk_after_crash(fixture->disk, 1);
	for (uint64_t i = 0; i < 5; i++)
		assert_true(add(fixture, i, 0));
	record_log_close(&fixture->log);
	simulated_disk_destroy(&fixture->disk);
	fixture->disk = old; /* the signer has signed a longer log meanwhile */
	assert_false(open_log(fixture, &err));
	assert_int_equal(err.code, ERROR_CORRUPT);
}

static void damage_before_acknowledged_entries_is_not_cut_away(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	for (uint64_t i = 0; i < 5; i++)
		assert_true(add(fixture, i, 100));
	record_log_close(&fixture->log);
	assert_true(simulated_disk_flip(fixture->disk, "audit/segments/0000000001", 4096 + 80, 3));
	assert_false(open_log(fixture, &err));
	assert_int_equal(err.code, ERROR_CORRUPT);
}

static void a_log_of_another_origin_is_not_opened(void **state)
{
	struct fixture *fixture = *state;
	struct test_signer other;
	struct record_log_options options = options_of(fixture);
	struct error err = {0};

	record_log_close(&fixture->log);
	test_signer_init(&other, "other.test");
	options.signer = &other.port;
	assert_false(record_log_open_stepped(&fixture->log, &options, &err));
	assert_int_equal(err.code, ERROR_CORRUPT); /* its checkpoint is not the other's */
	test_signer_deinit(&other);
}

static void genesis_names_origin_and_key(void **state)
{
	struct fixture *fixture = *state;
	struct record_entry entry;
	struct error err = {0};

	assert_true(record_read(fixture->log, 0, fixture->arena, &entry, &err));
	assert_non_null(memmem(entry.entry.data, entry.entry.length, "\"type\":\"genesis\"", 16));
	assert_non_null(
		memmem(entry.entry.data, entry.entry.length, "\"origin\":\"log.test\"", 19));
	assert_non_null(memmem(entry.entry.data, entry.entry.length, "\"vkey\":\"log.test+", 17));
	assert_true(record_read(fixture->log, 1, fixture->arena, &entry, &err));
	assert_non_null(memmem(entry.entry.data, entry.entry.length, "\"type\":\"start\"", 14));
}

/* With the real thread: several producers, each sees its entries in order. */

struct producer {
	struct record_log *log;
	pthread_t thread;
	struct record_append appends[200];
	struct buffer entries[200];
	_Atomic uint32_t done;
};

static void producer_done(struct record_append *append)
{
	struct producer *producer = append->context;

	assert(append->is_durable);
	atomic_fetch_add(&producer->done, 1);
}

static void *produce(void *context)
{
	struct producer *producer = context;
	struct error err = {0};

	for (uint64_t i = 0; i < 200; i++) {
		buffer_init(&producer->entries[i], 1024);
		test_entry_format(
			&producer->entries[i], record_stamp_utc_ms(producer->log), i, 120, NULL);
		producer->appends[i] =
			(struct record_append){.entry = buffer_text(&producer->entries[i]),
				.may_linger = i % 3 == 1,
				.done = producer_done,
				.context = producer};
		if (!record_submit(producer->log, &producer->appends[i], &err))
			abort();
	}
	return NULL;
}

static void producers_on_many_threads_keep_their_order(void **state)
{
	struct fixture *fixture = *state;
	struct record_log_options options = options_of(fixture);
	struct producer *producers = calloc(4, sizeof *producers);
	struct error err = {0};
	uint64_t size;

	assert_non_null(producers);
	record_log_close(&fixture->log);
	options.monotonic_ms = NULL;
	options.checkpoint_interval_ms = 5;
	assert_true(record_log_open(&fixture->log, &options, &err));
	size = record_log_size(fixture->log);
	for (int i = 0; i < 4; i++) {
		producers[i].log = fixture->log;
		assert_int_equal(
			pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
	}
	while (size < 3 + 800)
		size = record_log_wait(fixture->log, size, 10000);
	for (int i = 0; i < 4; i++)
		pthread_join(producers[i].thread, NULL);
	record_log_interrupt(fixture->log);
	(void)record_log_wait(fixture->log, size, 60000); /* returns at once */
	record_log_close(&fixture->log);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(atomic_load(&producers[i].done), 200);
		for (int j = 1; j < 200; j++)
			assert_true(
				producers[i].appends[j].index > producers[i].appends[j - 1].index);
		for (int j = 0; j < 200; j++)
			buffer_deinit(&producers[i].entries[j]);
	}
	free(producers);
	assert_true(open_log(fixture, &err));
}

/* Nobody else submits: the writer, asleep, must still come to it by itself. */
static void an_entry_that_may_linger_becomes_durable_alone(void **state)
{
	struct fixture *fixture = *state;
	struct record_log_options options = options_of(fixture);
	struct producer *producer = calloc(1, sizeof *producer);
	struct error err = {0};
	uint64_t size;

	assert_non_null(producer);
	record_log_close(&fixture->log);
	options.monotonic_ms = NULL;
	options.checkpoint_interval_ms = 60000;
	assert_true(record_log_open(&fixture->log, &options, &err));
	for (uint64_t i = 0; i < 4; i++) {
		size = record_log_size(fixture->log);
		buffer_init(&producer->entries[i], 1024);
		test_entry_format(
			&producer->entries[i], record_stamp_utc_ms(fixture->log), i, 120, NULL);
		producer->appends[i] =
			(struct record_append){.entry = buffer_text(&producer->entries[i]),
				.may_linger = true,
				.done = producer_done,
				.context = producer};
		assert_true(record_submit(fixture->log, &producer->appends[i], &err));
		while (record_log_size(fixture->log) == size)
			(void)record_log_wait(fixture->log, size, 10000);
	}
	record_log_close(&fixture->log);
	assert_int_equal(atomic_load(&producer->done), 4);
	for (uint64_t i = 0; i < 4; i++)
		buffer_deinit(&producer->entries[i]);
	free(producer);
	assert_true(open_log(fixture, &err));
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(what_is_not_a_canonical_record_is_refused),
		LOG_TEST(a_value_without_the_common_members_is_refused),
		LOG_TEST(common_members_that_are_none_are_refused),
		LOG_TEST(content_other_than_the_one_named_is_refused),
		LOG_TEST(an_entry_one_byte_too_long_is_refused),
		LOG_TEST(a_full_queue_refuses_and_keeps_what_it_took),
		LOG_TEST(the_first_failed_sync_is_final),
		LOG_TEST(a_full_disk_refuses_but_a_kill_still_fits),
		LOG_TEST(a_log_shorter_than_what_was_known_is_not_opened),
		LOG_TEST(a_rolled_back_folder_is_not_opened),
		LOG_TEST(damage_before_acknowledged_entries_is_not_cut_away),
		LOG_TEST(a_log_of_another_origin_is_not_opened),
		LOG_TEST(an_unsigned_entry_has_no_receipt_yet),
		LOG_TEST(what_is_queued_together_is_one_batch),
		LOG_TEST(acknowledged_entries_are_on_the_platter),
		LOG_TEST(entries_read_back_by_index_and_in_order_over_segments),
		LOG_TEST(content_reads_back_beside_its_entry),
		LOG_TEST(content_larger_than_a_segment_gets_one_of_its_own),
		LOG_TEST(a_receipt_verifies_offline_for_every_entry),
		LOG_TEST(time_never_runs_backwards_not_even_over_a_restart),
		LOG_TEST(genesis_names_origin_and_key),
		LOG_TEST(producers_on_many_threads_keep_their_order),
		LOG_TEST(an_entry_that_may_linger_becomes_durable_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
