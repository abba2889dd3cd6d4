#include "services/record/backup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "audit_support.h"
#include "services/record/contents.h"
#include "services/record/record_private.h"
#include "simulated_disk.h"

#define TASK "t-0123456789abcdefghjk"
#define ENDED "t-zzzzzzzzzzzzzzzzzzzz"

struct fixture {
	struct simulated_disk *disk;
	struct test_signer signer;
	struct record_log *log;
	struct contents *contents;
	struct seal_key master;
	struct arena *arena;
	struct buffer file; /* the backup */
	size_t read_at;
	uint64_t content_index;
};

static bool stream_write(void *context, const void *bytes, size_t size, struct error *err)
{
	struct fixture *fixture = context;

	buffer_append(&fixture->file, bytes, size);
	return !buffer_failed(&fixture->file) || error_set(err, ERROR_IO, "full");
}

static bool stream_read(void *context, void *out, size_t size, size_t *got, struct error *err)
{
	struct fixture *fixture = context;
	size_t left = fixture->file.length - fixture->read_at;

	(void)err;
	*got = size < left ? size : left;
	memcpy(out, fixture->file.data + fixture->read_at, *got);
	fixture->read_at += *got;
	return true;
}

static struct backup_stream stream_of(struct fixture *fixture)
{
	fixture->read_at = 0;
	return (struct backup_stream){fixture, stream_write, stream_read};
}

static struct record_log_options options_of(
	struct simulated_disk *disk, const struct test_signer *signer)
{
	return (struct record_log_options){.disk = simulated_disk_port(disk),
		.signer = &signer->port,
		.version = TEXT("t"),
		.segment_bytes = RECORD_SEGMENT_BYTES_MIN};
}

static void nothing(struct record_append *append)
{
	assert_true(append->is_durable);
}

static void append(struct fixture *fixture, const char *format, ...) PRINTF_LIKE(2, 3);
static void append(struct fixture *fixture, const char *format, ...)
{
	struct record_append append = {.done = nothing};
	struct error err = {0};
	char entry[2048];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(entry, sizeof entry, format, args);
	va_end(args);
	append.entry = text_of(entry);
	if (!record_submit(fixture->log, &append, &err))
		fail_msg("%s", err.text);
	(void)record_step(fixture->log);
}

static void append_content(struct fixture *fixture)
{
	struct record_append append = {.done = nothing};
	struct content_sealed sealed;
	struct buffer entry;
	struct error err = {0};

	assert_true(contents_seal(
		fixture->contents, TEXT(TASK), TEXT("the value"), fixture->arena, &sealed, &err));
	assert_true(contents_attach(fixture->contents, TEXT(TASK), &append, &err));
	buffer_init(&entry, 4096);
	test_entry_format(&entry, 3, 1, 0, &sealed.bytes);
	append.entry = buffer_text(&entry);
	append.content = sealed.bytes;
	assert_true(record_submit(fixture->log, &append, &err));
	(void)record_step(fixture->log);
	fixture->content_index = append.index;
	buffer_deinit(&entry);
}

static int set_up(void **state)
{
	static struct fixture fixture;
	struct record_log_options options;
	struct error err = {0};

	memset(&fixture, 0, sizeof fixture);
	fixture.disk = simulated_disk_create();
	fixture.arena = arena_create(16 * 1024 * 1024);
	buffer_init(&fixture.file, 16 * 1024 * 1024);
	test_signer_init(&fixture.signer, "old.test");
	assert_true(seal_key_generate(&fixture.master, &err));
	options = options_of(fixture.disk, &fixture.signer);
	assert_true(record_log_open_stepped(&fixture.log, &options, &err));
	assert_true(contents_open(&fixture.contents, options.disk, &fixture.master, &err));
	for (int i = 0; i < 2; i++)
		append(&fixture,
			"{\"actor\":\"identity:x\",\"at\":1,\"charter-version\":1,\"deadline\":9,"
			"\"environment\":\"staging\",\"identity\":\"x\",\"identity-epoch\":0,"
			"\"task\":\"%s\",\"type\":\"task-opened\"}",
			i == 0 ? TASK : ENDED);
	append(&fixture,
		"{\"actor\":\"identity:x\",\"at\":2,\"identity\":\"x\",\"state\":\"ended\","
		"\"task\":\"" ENDED "\",\"type\":\"task-ended\"}");
	append_content(&fixture);
	for (uint64_t i = 0; i < 300; i++)
		append(&fixture,
			"{\"actor\":\"uid:0\",\"at\":4,\"n\":%u,\"pad\":\"%0500d\","
			"\"type\":\"outcome\"}",
			(unsigned)i, 7);
	while (record_step(fixture.log))
		;
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
	buffer_deinit(&fixture->file);
	return 0;
}

static void back_up(struct fixture *fixture)
{
	struct backup_stream stream = stream_of(fixture);
	struct backup_summary summary;
	struct error err = {0};

	if (!backup_write(fixture->log, simulated_disk_port(fixture->disk),
		    (struct backup_extras){0}, &stream, &summary, &err))
		fail_msg("%s", err.text);
	assert_int_equal(summary.entries, record_log_size(fixture->log));
	assert_int_equal(summary.bytes, fixture->file.length);
}

static bool unpack(struct fixture *fixture, struct simulated_disk *disk, struct error *err)
{
	struct backup_stream stream = stream_of(fixture);
	struct backup_summary summary;

	return backup_unpack(simulated_disk_port(disk), &stream, &summary, err);
}

static void a_folder_that_is_not_empty_is_left_alone(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	back_up(fixture);
	assert_false(unpack(fixture, fixture->disk, &err));
	assert_int_equal(err.code, ERROR_CONFLICT);
}

static void no_byte_of_a_backup_can_change_or_be_cut(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};
	size_t length;

	back_up(fixture);
	length = fixture->file.length;
	for (size_t at = 0; at < length; at += at < 400 || at + 400 > length ? 1 : 1777) {
		struct simulated_disk *disk = simulated_disk_create();

		fixture->file.data[at] ^= 2;
		assert_false(unpack(fixture, disk, &err));
		fixture->file.data[at] ^= 2;
		fixture->file.length = at;
		assert_false(unpack(fixture, disk, &err));
		fixture->file.length = length;
		simulated_disk_destroy(&disk);
	}
}

static void a_backup_cannot_write_outside_its_folder(void **state)
{
	static const char *const paths[] = {
		"../x", "/x", "a/../x", "a//x", ".x", "a/", "a/.b", "x y"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		struct simulated_disk *disk = simulated_disk_create();
		struct error err = {0};

		buffer_reset(&fixture->file);
		buffer_append_format(&fixture->file,
			"remit backup 1\n{\"entries\":0,\"origin\":\"x\"}\nfile 0 %s\nend 1\n",
			paths[i]);
		assert_false(unpack(fixture, disk, &err));
		assert_int_equal(err.code, ERROR_CORRUPT);
		assert_int_equal(simulated_disk_bytes(disk), 0);
		simulated_disk_destroy(&disk);
	}
}

static void a_restored_log_goes_on_under_a_new_origin_without_open_tasks(void **state)
{
	struct fixture *fixture = *state;
	struct simulated_disk *disk = simulated_disk_create();
	struct record_log_options options;
	struct test_signer fresh;
	struct audit_source source;
	struct audit_demands demands = {.key_count = 1};
	struct audit_report report;
	struct record_entry entry;
	struct text sealed, plain;
	uint64_t size = record_log_size(fixture->log), ended;
	struct error err = {0};

	back_up(fixture);
	if (!unpack(fixture, disk, &err))
		fail_msg("%s", err.text);
	test_signer_init(&fresh, "new.test");
	options = options_of(disk, &fresh);
	if (!backup_finish_restore(&options, &ended, &err))
		fail_msg("%s", err.text);
	assert_int_equal(ended, 1);
	record_log_close(&fixture->log);
	assert_true(record_log_open_stepped(&fixture->log, &options, &err));
	assert_true(record_read(fixture->log, size, fixture->arena, &entry, &err));
	assert_non_null(memmem(entry.entry.data, entry.entry.length, "\"from\":\"old.test\"", 17));
	assert_true(record_read(fixture->log, size + 2, fixture->arena, &entry, &err));
	assert_non_null(memmem(entry.entry.data, entry.entry.length, "\"task\":\"" TASK "\"", 30));
	assert_non_null(memmem(entry.entry.data, entry.entry.length, "\"state\":\"revoked\"", 17));
	contents_close(&fixture->contents);
	assert_true(contents_open(&fixture->contents, options.disk, &fixture->master, &err));
	assert_true(record_read_content(
		fixture->log, fixture->content_index, fixture->arena, &sealed, &err));
	assert_true(contents_open_sealed(fixture->contents, sealed, fixture->arena, &plain, &err));
	assert_true(text_is(plain, "the value"));
	source = test_source_of(options.disk);
	demands.keys = &fresh.key;
	assert_true(audit_verify(&report, &source, &demands, &err));
	if (report.fault != AUDIT_SOUND)
		fail_msg("%s in %s", report.text, report.file);
	record_log_close(&fixture->log);
	test_signer_deinit(&fresh);
	simulated_disk_destroy(&disk);
}

static void the_old_origin_cannot_go_on_from_a_restored_folder(void **state)
{
	struct fixture *fixture = *state;
	struct simulated_disk *disk = simulated_disk_create();
	struct record_log_options options = options_of(disk, &fixture->signer);
	struct error err = {0};
	uint64_t ended;

	back_up(fixture);
	assert_true(unpack(fixture, disk, &err));
	assert_false(backup_finish_restore(&options, &ended, &err));
	assert_int_equal(err.code, ERROR_CONFLICT);
	simulated_disk_destroy(&disk);
}

#define BACKUP_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BACKUP_TEST(a_folder_that_is_not_empty_is_left_alone),
		BACKUP_TEST(no_byte_of_a_backup_can_change_or_be_cut),
		BACKUP_TEST(a_backup_cannot_write_outside_its_folder),
		BACKUP_TEST(the_old_origin_cannot_go_on_from_a_restored_folder),
		BACKUP_TEST(a_restored_log_goes_on_under_a_new_origin_without_open_tasks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
