#include "services/record/contents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "audit_support.h"
#include "services/record/key_file.h"
#include "services/record/record_private.h"
#include "simulated_disk.h"

#define TASK TEXT("t-0123456789abcdefghjk")
#define OTHER TEXT("t-zzzzzzzzzzzzzzzzzzzz")

struct fixture {
	struct simulated_disk *disk;
	struct test_signer signer;
	struct record_log *log;
	struct contents *contents;
	struct arena *arena;
	struct seal_key master;
	bool last_is_durable;
	struct error last_err;
	uint64_t last_index;
};

static void open_all(struct fixture *fixture)
{
	struct record_log_options options = {.disk = simulated_disk_port(fixture->disk),
		.signer = &fixture->signer.port,
		.version = TEXT("t"),
		.segment_bytes = RECORD_SEGMENT_BYTES_MIN};
	struct error err = {0};

	assert_true(record_log_open_stepped(&fixture->log, &options, &err));
	assert_true(contents_open(&fixture->contents, options.disk, &fixture->master, &err));
}

static int set_up(void **state)
{
	static struct fixture fixture;
	struct error err = {0};

	memset(&fixture, 0, sizeof fixture);
	fixture.disk = simulated_disk_create();
	fixture.arena = arena_create(64 * 1024 * 1024);
	test_signer_init(&fixture.signer, "log.test");
	assert_true(seal_key_generate(&fixture.master, &err));
	open_all(&fixture);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	record_log_close(&fixture->log);
	contents_close(&fixture->contents);
	test_signer_deinit(&fixture->signer);
	simulated_disk_destroy(&fixture->disk);
	arena_destroy(&fixture->arena);
	return 0;
}

/* The power goes now, and everything is opened again. */
static void crash(struct fixture *fixture)
{
	struct simulated_disk *after;

	simulated_disk_cut_power_at(fixture->disk, 1);
	record_log_close(&fixture->log);
	contents_close(&fixture->contents);
	after = simulated_disk_after_crash(fixture->disk, 5);
	simulated_disk_destroy(&fixture->disk);
	fixture->disk = after;
	open_all(fixture);
}

static void note_done(struct record_append *append)
{
	struct fixture *fixture = append->context;

	fixture->last_is_durable = append->is_durable;
	fixture->last_err = append->err;
	fixture->last_index = append->index;
}

/* A record of task with plain beside it. */
static bool put(struct fixture *fixture, struct text task, struct text plain)
{
	struct record_append append = {.done = note_done, .context = fixture};
	struct content_sealed sealed;
	struct buffer entry;
	struct error err = {0};

	if (!contents_seal(fixture->contents, task, plain, fixture->arena, &sealed, &err) ||
		!contents_attach(fixture->contents, task, &append, &err))
		return false;
	buffer_init(&entry, 4096);
	test_entry_format(&entry, record_stamp_utc_ms(fixture->log), 1, 0, &sealed.bytes);
	append.entry = buffer_text(&entry);
	append.content = sealed.bytes;
	assert_true(record_submit(fixture->log, &append, &err));
	(void)record_step(fixture->log);
	buffer_deinit(&entry);
	return fixture->last_is_durable;
}

static bool get(struct fixture *fixture, uint64_t index, struct text *out, struct error *err)
{
	struct text sealed;

	return record_read_content(fixture->log, index, fixture->arena, &sealed, err) &&
	       contents_open_sealed(fixture->contents, sealed, fixture->arena, out, err);
}

static bool erase(struct fixture *fixture, struct text task)
{
	struct record_append append = {.done = note_done, .context = fixture};
	struct buffer entry;
	struct error err = {0};

	if (!contents_erase(fixture->contents, task, &append, &err))
		return false;
	buffer_init(&entry, 4096);
	test_entry_format(&entry, record_stamp_utc_ms(fixture->log), 2, 0, NULL);
	append.entry = buffer_text(&entry);
	assert_true(record_submit(fixture->log, &append, &err));
	(void)record_step(fixture->log);
	buffer_deinit(&entry);
	return fixture->last_is_durable;
}

static void what_is_no_sealed_content_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct content_sealed sealed;
	struct text plain;
	struct error err = {0};
	char *bytes;

	assert_false(
		contents_open_sealed(fixture->contents, TEXT(""), fixture->arena, &plain, &err));
	assert_false(contents_open_sealed(
		fixture->contents, TEXT("\x01\xff"), fixture->arena, &plain, &err));
	assert_false(contents_open_sealed(fixture->contents,
		TEXT("\x01\x02t-0123456789012345678901234567890"), fixture->arena, &plain, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_true(contents_seal(
		fixture->contents, TASK, TEXT("value"), fixture->arena, &sealed, &err));
	bytes = arena_copy_text(fixture->arena, sealed.bytes.data, sealed.bytes.length);
	for (size_t i = 0; i < sealed.bytes.length; i++) {
		bytes[i] ^= 1;
		assert_false(contents_open_sealed(fixture->contents,
			(struct text){bytes, sealed.bytes.length}, fixture->arena, &plain, &err));
		bytes[i] ^= 1;
	}
}

static void an_id_that_is_no_task_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct sha256 digest;
	struct error err = {0};

	assert_false(contents_digest(fixture->contents, TEXT(""), TEXT("v"), &digest, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_false(contents_digest(fixture->contents,
		TEXT("t-01234567890123456789012345678901234567"), TEXT("v"), &digest, &err));
	assert_true(contents_digest(fixture->contents,
		TEXT("t-0123456789012345678901234567890123456"), TEXT("v"), &digest, &err));
}

static void acknowledged_content_survives_a_power_cut_with_its_key(void **state)
{
	struct fixture *fixture = *state;
	struct text plain = TEXT("what the call said"), found;
	struct sha256 before, after;
	struct error err = {0};
	uint64_t index;

	assert_true(contents_digest(fixture->contents, TASK, TEXT("v"), &before, &err));
	assert_true(put(fixture, TASK, plain));
	index = fixture->last_index;
	crash(fixture);
	if (!get(fixture, index, &found, &err))
		fail_msg("%s", err.text);
	assert_true(text_equal(found, plain));
	assert_true(contents_digest(fixture->contents, TASK, TEXT("v"), &after, &err));
	assert_true(sha256_equal(&before, &after));
	assert_false(simulated_disk_has_durable(fixture->disk, "audit/", plain.data, plain.length));
}

static void digests_of_two_tasks_differ(void **state)
{
	struct fixture *fixture = *state;
	struct sha256 one, other, plain = sha256_of("v", 1);
	struct error err = {0};

	assert_true(contents_digest(fixture->contents, TASK, TEXT("v"), &one, &err));
	assert_true(contents_digest(fixture->contents, OTHER, TEXT("v"), &other, &err));
	assert_false(sha256_equal(&one, &other));
	assert_false(sha256_equal(&one, &plain));
}

static void an_erased_task_cannot_be_read_any_more_nor_after_a_crash(void **state)
{
	struct fixture *fixture = *state;
	struct text plain = TEXT("to be forgotten"), found;
	struct sha256 digest;
	struct error err = {0};
	uint64_t index;

	assert_false(erase(fixture, TASK));
	assert_true(put(fixture, TASK, plain));
	index = fixture->last_index;
	assert_true(put(fixture, OTHER, TEXT("kept")));
	assert_true(erase(fixture, TASK));
	for (int round = 0; round < 2; round++) {
		assert_false(get(fixture, index, &found, &err));
		assert_int_equal(err.code, ERROR_NOT_FOUND);
		assert_false(contents_digest(fixture->contents, TASK, TEXT("v"), &digest, &err));
		assert_int_equal(err.code, ERROR_NOT_FOUND);
		assert_true(get(fixture, index + 1, &found, &err));
		crash(fixture);
	}
}

static void forgotten_keys_are_loaded_again(void **state)
{
	struct fixture *fixture = *state;
	struct text found;
	struct error err = {0};

	for (uint32_t i = 0; i < 600; i++) { /* more than one growth of the table */
		char task[32];

		(void)snprintf(task, sizeof task, "t-%08u", i);
		assert_true(put(fixture, text_of(task), text_of(task)));
		contents_forget(fixture->contents, text_of(task));
	}
	for (uint32_t i = 0; i < 600; i += 37) {
		char task[32];

		(void)snprintf(task, sizeof task, "t-%08u", i);
		assert_true(get(fixture, 2 + i, &found, &err));
		assert_true(text_is(found, task));
	}
}

static void a_damaged_slot_fails_its_task_alone(void **state)
{
	struct fixture *fixture = *state;
	struct text found;
	struct error err = {0};

	assert_true(put(fixture, TASK, TEXT("one")));
	assert_true(put(fixture, OTHER, TEXT("two")));
	contents_forget(fixture->contents, TASK);
	contents_forget(fixture->contents, OTHER);
	assert_true(simulated_disk_flip(fixture->disk, KEY_FILE_PATH, 60, 2));
	assert_false(get(fixture, 2, &found, &err));
	assert_int_equal(err.code, ERROR_CORRUPT);
	assert_true(get(fixture, 3, &found, &err));
}

static void keys_of_another_master_do_not_open(void **state)
{
	struct fixture *fixture = *state;
	struct text found;
	struct error err = {0};

	assert_true(put(fixture, TASK, TEXT("one")));
	contents_close(&fixture->contents);
	fixture->master.bytes[0] ^= 1;
	assert_true(contents_open(
		&fixture->contents, simulated_disk_port(fixture->disk), &fixture->master, &err));
	assert_false(get(fixture, 2, &found, &err));
	assert_int_equal(err.code, ERROR_CORRUPT);
}

static void a_disk_too_full_for_a_key_refuses_the_record_alone(void **state)
{
	struct fixture *fixture = *state;

	simulated_disk_limit_bytes(
		fixture->disk, simulated_disk_bytes(fixture->disk) + KEY_FILE_GROW_BYTES / 2);
	assert_false(put(fixture, TASK, TEXT("one")));
	assert_int_equal(fixture->last_err.code, ERROR_LIMIT);
	assert_false(record_has_failed(fixture->log));
	simulated_disk_limit_bytes(fixture->disk, 0);
	assert_true(put(fixture, TASK, TEXT("one")));
}

#define CONTENTS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTENTS_TEST(what_is_no_sealed_content_is_refused),
		CONTENTS_TEST(an_id_that_is_no_task_is_refused),
		CONTENTS_TEST(a_damaged_slot_fails_its_task_alone),
		CONTENTS_TEST(keys_of_another_master_do_not_open),
		CONTENTS_TEST(a_disk_too_full_for_a_key_refuses_the_record_alone),
		CONTENTS_TEST(an_erased_task_cannot_be_read_any_more_nor_after_a_crash),
		CONTENTS_TEST(acknowledged_content_survives_a_power_cut_with_its_key),
		CONTENTS_TEST(digests_of_two_tasks_differ),
		CONTENTS_TEST(forgotten_keys_are_loaded_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
