/* The real disk in a folder of its own. */
#include "edges/audit_files/audit_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit_support.h"

struct fixture {
	char folder[64];
	struct audit_files *files;
	const struct disk *disk;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	struct error err = {0};

	(void)snprintf(fixture.folder, sizeof fixture.folder, "/tmp/remit-audit-XXXXXX");
	assert_non_null(mkdtemp(fixture.folder));
	assert_true(audit_files_open(&fixture.files, fixture.folder, &err));
	fixture.disk = audit_files_disk(fixture.files);
	*state = &fixture;
	return 0;
}

static void empty_folder(const struct disk *disk, const char *path)
{
	struct arena *arena = arena_create(1024 * 1024);
	struct error err = {0};
	struct text *names;
	size_t count;
	char item[512];

	assert_true(disk->list(disk->context, path, arena, &names, &count, &err));
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(item, sizeof item, "%s/%s", path, names[i].data);
		if (!disk->remove(disk->context, item, &err)) {
			empty_folder(disk, item);
			assert_true(disk->remove(disk->context, item, &err));
		}
	}
	arena_destroy(&arena);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	empty_folder(fixture->disk, ".");
	audit_files_close(&fixture->files);
	return rmdir(fixture->folder);
}

static void what_is_not_there_is_not_found(void **state)
{
	struct fixture *fixture = *state;
	const struct disk *disk = fixture->disk;
	struct arena *arena = arena_create(1024);
	struct audit_files *none;
	struct error err = {0};
	struct text *names;
	size_t count;
	int file;

	assert_false(disk->open(disk->context, "none", DISK_READ, &file, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_false(disk->list(disk->context, "none", arena, &names, &count, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_false(disk->remove(disk->context, "none", &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_false(audit_files_open(&none, "/nonexistent-remit", &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	arena_destroy(&arena);
}

static void a_symbolic_link_is_not_followed(void **state)
{
	struct fixture *fixture = *state;
	char link[128];
	struct error err = {0};
	int file;

	(void)snprintf(link, sizeof link, "%s/link", fixture->folder);
	assert_int_equal(symlink("/etc/hostname", link), 0);
	assert_false(fixture->disk->open(fixture->disk->context, "link", DISK_READ, &file, &err));
}

static void a_second_process_cannot_take_the_folder(void **state)
{
	struct fixture *fixture = *state;
	struct audit_files *second;
	struct error err = {0};

	assert_true(fixture->disk->lock(fixture->disk->context, "lock", &err));
	assert_true(audit_files_open(&second, fixture->folder, &err));
	assert_false(
		audit_files_disk(second)->lock(audit_files_disk(second)->context, "lock", &err));
	assert_int_equal(err.code, ERROR_CONFLICT);
	audit_files_close(&second);
}

static void bytes_read_back_also_past_the_page_cache(void **state)
{
	struct fixture *fixture = *state;
	const struct disk *disk = fixture->disk;
	enum { SIZE = 3 * 1024 * 1024 + 777 };
	uint8_t *bytes = calloc(1, SIZE), *again = calloc(1, SIZE);
	struct error err = {0};
	size_t got;
	int file;

	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
	assert_true(disk->open(disk->context, "file", DISK_WRITE, &file, &err));
	assert_true(disk->write(disk->context, (struct disk_place){file, 0}, bytes, SIZE, &err));
	assert_true(disk->sync(disk->context, file, &err));
	disk->close(disk->context, file);
	assert_true(disk->open(disk->context, "file", DISK_READ_DURABLE, &file, &err));
	assert_true(
		disk->read(disk->context, (struct disk_place){file, 0}, again, SIZE, &got, &err));
	assert_int_equal(got, SIZE);
	assert_memory_equal(bytes, again, SIZE);
	assert_true(disk->read(
		disk->context, (struct disk_place){file, 1001}, again, SIZE, &got, &err));
	assert_int_equal(got, SIZE - 1001);
	assert_memory_equal(bytes + 1001, again, SIZE - 1001);
	disk->close(disk->context, file);
	free(bytes);
	free(again);
}

static void a_replaced_file_is_whole(void **state)
{
	struct fixture *fixture = *state;
	struct arena *arena = arena_create(64 * 1024);
	struct error err = {0};
	struct text content;

	assert_true(disk_replace_file(fixture->disk, ".", "f", TEXT("a longer first text"), &err));
	assert_true(disk_replace_file(fixture->disk, ".", "f", TEXT("second"), &err));
	assert_true(disk_read_file(fixture->disk, "f", 1024, arena, &content, &err));
	assert_true(text_is(content, "second"));
	assert_false(disk_read_file(fixture->disk, "f", 5, arena, &content, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	arena_destroy(&arena);
}

static void the_log_opens_writes_and_opens_again(void **state)
{
	struct fixture *fixture = *state;
	struct test_signer signer;
	struct record_log_options options = {.disk = fixture->disk,
		.signer = &signer.port,
		.version = TEXT("t"),
		.segment_bytes = 256 * 1024};
	struct record_log *log;
	struct error err = {0};

	test_signer_init(&signer, "log.test");
	for (uint64_t i = 0; i < 3; i++) {
		if (!record_log_open(&log, &options, &err))
			fail_msg("%s", err.text);
		assert_int_equal(record_log_size(log), 2 + 2 * i);
		record_log_close(&log);
		assert_int_equal(signer.last.size, 3 + 2 * i); /* with `stop` */
	}
	test_signer_deinit(&signer);
}

#define DISK_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DISK_TEST(what_is_not_there_is_not_found),
		DISK_TEST(a_symbolic_link_is_not_followed),
		DISK_TEST(a_second_process_cannot_take_the_folder),
		DISK_TEST(bytes_read_back_also_past_the_page_cache),
		DISK_TEST(a_replaced_file_is_whole),
		DISK_TEST(the_log_opens_writes_and_opens_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
